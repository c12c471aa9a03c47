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

#include <string.h>

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
  emuEntryJson(p, &pRead->collection, pEntry,
               pRead->bStateId ? p->pEmu->pLedger->head.last : pEntry->id,
               &p->body);
}

void emuRouteCurrent(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  EntryRead read = {0};
  int64_t iCollection;
  int bFound = 0;
  read.pReq = p;
  read.bStateId = (p->pVersion->flags & EMU_V_OWN_CURRENT) == 0;
  if( !emuCollectionOf(p, &read.collection, &iCollection) ) return;
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

/* What a node that lags has not heard of (fault stale) is nothing to it. */
static void entryKnown(const EmuReq *p, LedgerTxid *pHave) {
  if( pHave->seqno > p->pEmu->pLedger->head.last.seqno )
    memset(pHave, 0, sizeof(*pHave));
}

void emuRouteEntry(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  Emu *pEmu = p->pEmu;
  EntryRead read = {0};
  LedgerTxid id, have;
  int64_t iCollection;
  int bFound = 0;

  if( !emuTxidOf(p, &p->aSegment[2], "path segment", &id) ) return;
  read.pReq = p;
  if( !emuCollectionOf(p, &read.collection, &iCollection) ) return;
  if( emuStoreTxnAt(pEmu->pStore, id.seqno, &have, &err) ) {
    emuReqFail(p, &err);
    return;
  }
  entryKnown(p, &have);
  if( have.seqno ? have.view != id.view
                 : id.view < pEmu->pLedger->head.iView ) {
    emuReqError(p, 404, "InvalidTransactionId", "Transaction %s is invalid",
                p->aSegment[2].z);
    return;
  }
  if( have.seqno == 0 || id.seqno > pEmu->pLedger->head.committed.seqno ) {
    emuReqError(p, 404, "UnknownLedgerEntry",
                "Transaction %s is not committed, or not known",
                p->aSegment[2].z);
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
  LedgerError err = LEDGER_ERROR_INIT;
  const EmuLedger *pLedger = p->pEmu->pLedger;
  LedgerTxid id, have;
  if( !emuTxidOf(p, &p->aSegment[2], "path segment", &id) ) return;
  if( emuStoreTxnAt(p->pEmu->pStore, id.seqno, &have, &err) ) {
    emuReqFail(p, &err);
    return;
  }
  entryKnown(p, &have);
  if( have.seqno ? have.view != id.view : id.view < pLedger->head.iView ) {
    emuReqError(p, 404, "InvalidTransactionId", "Transaction %s is invalid",
                p->aSegment[2].z);
  } else if( have.seqno == 0 ) {
    emuReqError(p, 404, "TransactionNotFound", "Transaction %s is unknown",
                p->aSegment[2].z);
  } else {
    p->iStatus = 200;
    p->zState =
        id.seqno <= pLedger->head.committed.seqno ? "Committed" : "Pending";
    ledgerBufPrintf(&p->body, "{\"state\":\"%s\",\"transactionId\":\"%s\"}",
                    p->zState, p->aSegment[2].z);
  }
}
