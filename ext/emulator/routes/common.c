/*
** What several routes read of a request, and write of an answer.
*/
#include "emulator/routes/routesInt.h"

#include <string.h>

int emuRouteCollection(EmuReq *p, EmuText *pText, int64_t *pi) {
  static char zDefault[] = EMU_DEFAULT_COLLECTION;
  int bOld = (p->pVersion->flags & EMU_V_SUBLEDGER) != 0;
  const char *zName = bOld ? "subLedgerId" : "collectionId";
  const EmuText *pGiven = emuReqParam(p, zName);
  LedgerError err = LEDGER_ERROR_INIT;
  if( pGiven == NULL ) {
    pText->z = zDefault;
    pText->n = sizeof(zDefault) - 1;
  } else if( pGiven->n == 0 || !ledgerUtf8Valid(pGiven->z, pGiven->n) ) {
    emuReqError(p, 400, "InvalidInput", "The parameter '%s' is %s.", zName,
                pGiven->n ? "not valid UTF-8" : "empty");
    return 0;
  } else {
    *pText = *pGiven;
  }
  if( emuStoreCollection(p->pEmu->pStore, pText->z, pText->n, pi, &err) ) {
    emuReqFail(p, &err);
    return 0;
  }
  return 1;
}

int emuRouteTxid(EmuReq *p, const EmuText *pText, const char *zWhat,
                 LedgerTxid *pId) {
  if( ledgerTxidParse(pText->z, pText->n, pId) ) return 1;
  emuReqError(p, 400, "InvalidInput",
              "The %s is not a transaction id: '%s'. Expected <view>.<seqno>.",
              zWhat, ledgerUtf8Valid(pText->z, pText->n) ? pText->z : "?");
  return 0;
}

int emuRouteTxidCommitted(EmuReq *p, LedgerTxid id) {
  const EmuText *pText = &p->aSegment[2];
  LedgerError err = LEDGER_ERROR_INIT;
  int eState;
  if( emuLedgerState(p->pEmu, id, &eState, &err) ) {
    emuReqFail(p, &err);
  } else if( eState == EMU_TXN_INVALID ) {
    emuReqError(p, 404, "InvalidTransactionId", "Transaction %s is invalid",
                pText->z);
  } else if( eState != EMU_TXN_COMMITTED ) {
    emuReqError(p, 404, "UnknownLedgerEntry",
                "Transaction %s is not committed, or not known", pText->z);
  } else {
    return 1;
  }
  return 0;
}

void emuRouteEntryJson(EmuReq *p, const EmuText *pCollection,
                       const EmuEntry *pEntry, LedgerTxid id) {
  LedgerBuf *pBuf = &p->body;
  int bOld = (p->pVersion->flags & EMU_V_SUBLEDGER) != 0;
  char zId[LEDGER_TXID_MAX];
  ledgerBufAppend(pBuf, "{", 1);
  if( !bOld ) {
    ledgerBufText(pBuf, "\"collectionId\":");
    ledgerBufJson(pBuf, pCollection->z, pCollection->n);
    ledgerBufAppend(pBuf, ",", 1);
  }
  ledgerBufText(pBuf, "\"contents\":");
  ledgerBufJson(pBuf, pEntry->zContents, pEntry->nContents);
  if( bOld ) {
    ledgerBufText(pBuf, ",\"subLedgerId\":");
    ledgerBufJson(pBuf, pCollection->z, pCollection->n);
  }
  if( pEntry->nTags && (p->pVersion->flags & EMU_V_TAGS) ) {
    const char *z = pEntry->zTags, *zEnd = z + pEntry->nTags;
    ledgerBufText(pBuf, ",\"tags\":");
    while( z < zEnd ) {
      const char *zComma = memchr(z, ',', (size_t)(zEnd - z));
      size_t n = (size_t)((zComma ? zComma : zEnd) - z);
      ledgerBufText(pBuf, z == pEntry->zTags ? "[" : ",");
      ledgerBufJson(pBuf, z, n);
      z += n + (zComma != NULL);
    }
    ledgerBufAppend(pBuf, "]", 1);
  }
  ledgerBufText(pBuf, ",\"transactionId\":\"");
  ledgerBufText(pBuf, ledgerTxidFormat(id, zId));
  ledgerBufText(pBuf, "\"}");
}

void emuRouteObjectDelete(EmuReq *p, int eKind, int eTxn,
                          const EmuText *pName) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf payload = {0};
  ledgerBufText(&payload, "{\"deleted\":");
  ledgerBufJson(&payload, pName->z, pName->n);
  ledgerBufText(&payload, "}");
  if( emuLedgerObject(p->pEmu, eKind, pName, NULL, eTxn, &payload, &p->id,
                      &err) ) {
    emuReqFail(p, &err);
  } else {
    p->iStatus = 204;
  }
  ledgerBufFree(&payload);
}
