/*
** Writes other than entries: a user, a role, a function or a document changes,
** and a transaction of the ledger says so.
**
** Serves PATCH and DELETE of users, PUT, PATCH and DELETE of roles, functions
** and endpoints, and the control route.
**
** Invariant: the change and its transaction are made together or not at all.
*/
#include "emulator/ledger/ledger.h"

#include <string.h>

int emuLedgerNote(Emu *p, int eKind, const LedgerBuf *pPayload, LedgerTxid *pTx,
                  LedgerError *pErr) {
  EmuTxn txn = {0};
  if( pPayload->z == NULL || pPayload->bOom ) {
    emuLedgerGiveUp(p);
    return ledgerErrorNomem(pErr);
  }
  txn.eKind = eKind;
  txn.zContents = pPayload->z;
  txn.nContents = pPayload->n;
  return emuLedgerAppend(p, &txn, pTx, pErr);
}

int emuLedgerObject(Emu *p, int eKind, const EmuText *pName,
                    const EmuText *pValue, int eTxn, const LedgerBuf *pPayload,
                    LedgerTxid *pTx, LedgerError *pErr) {
  EmuStore *pStore = p->pStore;
  int rc = emuLedgerBegin(p, pErr);
  if( rc ) return rc;
  rc = pValue ? emuStoreObjectPut(pStore, eKind, pName->z, pName->n, pValue->z,
                                  pValue->n, pErr)
              : emuStoreObjectDelete(pStore, eKind, pName->z, pName->n, pErr);
  if( rc ) {
    emuLedgerGiveUp(p);
    return rc;
  }
  return emuLedgerNote(p, eTxn, pPayload, pTx, pErr);
}

int emuLedgerUser(Emu *p, const char *zId, size_t nId, const char *zRoles,
                  LedgerTxid *pTx, LedgerError *pErr) {
  LedgerBuf payload = {0};
  int rc = emuLedgerBegin(p, pErr);
  if( rc ) return rc;
  rc = zRoles[0] ? emuStoreUserPut(p->pStore, zId, nId, zRoles, pErr)
                 : emuStoreUserDelete(p->pStore, zId, nId, pErr);
  if( rc ) {
    emuLedgerGiveUp(p);
    return rc;
  }
  ledgerBufText(&payload, "{\"roles\":");
  ledgerBufJson(&payload, zRoles, strlen(zRoles));
  ledgerBufText(&payload, ",\"userId\":");
  ledgerBufJson(&payload, zId, nId);
  ledgerBufText(&payload, "}");
  rc = emuLedgerNote(p, EMU_USERS, &payload, pTx, pErr);
  ledgerBufFree(&payload);
  return rc;
}
