/*
** Reading one entry, and its state.
**
**   GET  /app/transactions/current               emuRouteCurrent
**   GET  /app/transactions/{id}                  emuRouteEntry
**   GET  /app/transactions/{id}/status           emuRouteStatus
**
** Invariant: {id} gives the collection's value at that point, Ready only when
** that point is committed; /current reads the node's state, pending or not.
**
** An id not issued yet is 404 TransactionNotFound on /status, as on CCF, and
** 404 UnknownLedgerEntry on {id}, where the contract is silent.
*/
#include "emulator/routes/routesInt.h"

/* What the callbacks of a read need. */
typedef struct EntryRead EntryRead;
struct EntryRead {
  EmuReq *pReq;
  EmuText collection;
  int bStateId; /* show the state's id in place of the entry's */
};

static void entryShow(void *pArg, const EmuEntry *pEntry) {
  EntryRead *pRead = pArg;
  EmuReq *p = pRead->pReq;
  emuRouteEntryJson(p, &pRead->collection, pEntry,
                    pRead->bStateId ? p->pEmu->pLedger->head.last : pEntry->id);
}

void emuRouteCurrent(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  EntryRead read = {0};
  int64_t iCollection;
  int bFound = 0;
  read.pReq = p;
  read.bStateId = (p->pVersion->flags & EMU_V_OWN_CURRENT) == 0;
  if( !emuRouteCollection(p, &read.collection, &iCollection) ) return;
  if( emuStoreEntryAt(p->pEmu->pStore, iCollection,
                      p->pEmu->pLedger->head.last.seqno, entryShow, &read,
                      &bFound, &err) ) {
    emuReqFail(p, &err);
  } else if( bFound ) {
    p->iStatus = 200;
  } else {
    emuReqError(p, 404, "UnknownLedgerEntry",
                "The collection has no current entry.");
  }
}

void emuRouteEntry(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  Emu *pEmu = p->pEmu;
  EntryRead read = {0};
  LedgerTxid id;
  int64_t iCollection;
  int bFound = 0;

  read.pReq = p;
  if( !emuRouteTxid(p, &p->aSegment[2], "path segment", &id) ||
      !emuRouteCollection(p, &read.collection, &iCollection) ||
      !emuRouteTxidCommitted(p, id) ) {
    return;
  }
  ledgerBufText(&p->body, "{\"entry\":");
  if( emuStoreEntryAt(pEmu->pStore, iCollection, id.seqno, entryShow, &read,
                      &bFound, &err) ) {
    emuReqFail(p, &err);
  } else if( !bFound ) {
    emuReqError(p, 404, "UnknownLedgerEntry",
                "The collection has no entry at transaction %s",
                p->aSegment[2].z);
  } else if( !emuWarmReady(pEmu->pWarm, id.seqno, id.seqno) ) {
    p->iStatus = 200;
    p->zState = "Loading";
    ledgerBufReset(&p->body);
    ledgerBufText(&p->body, "{\"state\":\"Loading\"}");
  } else {
    p->iStatus = 200;
    p->zState = "Ready";
    ledgerBufText(&p->body, ",\"state\":\"Ready\"}");
  }
}

void emuRouteStatus(EmuReq *p) {
  const EmuText *pText = &p->aSegment[2];
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerTxid id;
  int eState;
  if( !emuRouteTxid(p, pText, "path segment", &id) ) return;
  if( emuLedgerState(p->pEmu, id, &eState, &err) ) {
    emuReqFail(p, &err);
  } else if( eState == EMU_TXN_INVALID ) {
    emuReqError(p, 404, "InvalidTransactionId", "Transaction %s is invalid",
                pText->z);
  } else if( eState == EMU_TXN_UNKNOWN ) {
    emuReqError(p, 404, "TransactionNotFound", "Transaction %s is unknown",
                pText->z);
  } else {
    p->iStatus = 200;
    p->zState = eState == EMU_TXN_COMMITTED ? "Committed" : "Pending";
    ledgerBufPrintf(&p->body, "{\"state\":\"%s\",\"transactionId\":\"%s\"}",
                    p->zState, pText->z);
  }
}
