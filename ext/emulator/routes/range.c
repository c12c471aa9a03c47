/*
** A range of entries.
**
**   GET /app/transactions[?collectionId][&fromTransactionId]
**                        [&toTransactionId][&tag]
**
** Bounds are inclusive and compare by seqno. An upper bound that is not given
** is settled by the first answer: its nextLink names the committed head of that
** moment, so that the links come to an end, whoever writes meanwhile.
**
** Invariants
**   - only committed entries; at most --page of them, or those of a span of ids
**     (--page-span; 101 in 0.1-preview, as recorded): then a page may be empty,
**     and its link start at an id that is not an entry;
**   - Loading comes with a nextLink that repeats the query, Ready with one
**     only if entries are left within the bounds;
**   - the body of a page depends on what was asked and on committed entries
**     alone, which never change: so it is kept, and answered again. Whether it
**     is Loading, its headers, and what a fault makes of it are settled anew.
**
** With --strict-bounds a bound that is not the id of a committed transaction is
** 400 InvalidInput. Without, the view of a bound is ignored, and an upper bound
** beyond the head means the head.
*/
#include "emulator/routes/routesInt.h"

#include <string.h>

#define RANGE_SPAN 101          /* ids on a page of 0.1-preview */
#define RANGE_KEPT (32LL << 20) /* bytes of pages that are kept */

/* The query, settled. */
typedef struct RangeAsk RangeAsk;
struct RangeAsk {
  EmuReq *pReq;
  EmuText collection;
  const EmuText *pTag; /* or NULL */
  LedgerTxid from, to; /* {0,0}: not given */
  int bTo;             /* the upper bound was given */
  int64_t nSpan;       /* ids on a page, 0: no such limit */
  EmuRange range;
  int nEntry; /* entries written so far */
};

/* Writes the link to the rest of the range, from the id `from` on. */
static void rangeLink(const RangeAsk *pAsk, LedgerTxid from) {
  LedgerBuf *pBuf = &pAsk->pReq->body;
  const EmuVersion *pVersion = pAsk->pReq->pVersion;
  LedgerBuf link = {0};
  char zId[LEDGER_TXID_MAX];
  ledgerBufPrintf(
      &link, "/app/transactions?api-version=%s&%s=", pVersion->zName,
      pVersion->flags & EMU_V_SUBLEDGER ? "subLedgerId" : "collectionId");
  emuQueryText(&link, pAsk->collection.z, pAsk->collection.n);
  ledgerBufPrintf(&link, "&fromTransactionId=%s", ledgerTxidFormat(from, zId));
  if( pAsk->bTo || !(pVersion->flags & EMU_V_SPAN) ) {
    ledgerBufPrintf(&link, "&toTransactionId=%s",
                    ledgerTxidFormat(pAsk->to, zId));
  }
  if( pAsk->pTag ) {
    ledgerBufText(&link, "&tag=");
    emuQueryText(&link, pAsk->pTag->z, pAsk->pTag->n);
  }
  ledgerBufJson(pBuf, link.z ? link.z : "", link.n);
  if( link.bOom ) pBuf->bOom = 1;
  ledgerBufFree(&link);
}

/* Reads one bound. Returns 0 after answering 400 or 500. */
static int rangeBound(EmuReq *p, const char *zName, LedgerTxid *pId) {
  const EmuText *pText = emuReqParam(p, zName);
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerTxid have;
  char zWhat[48];
  if( pText == NULL ) return 1;
  snprintf(zWhat, sizeof(zWhat), "parameter '%s'", zName);
  if( !emuRouteTxid(p, pText, zWhat, pId) ) return 0;
  if( !p->pEmu->args.bStrict ) return 1;
  if( emuStoreTxnAt(p->pEmu->pStore, pId->seqno, &have, &err) ) {
    emuReqFail(p, &err);
    return 0;
  }
  if( have.seqno && have.view == pId->view &&
      pId->seqno <= p->pEmu->pLedger->head.committed.seqno ) {
    return 1;
  }
  emuReqError(p, 400, "InvalidInput",
              "The parameter '%s' is not the id of a committed transaction: "
              "%s.",
              zName, pText->z);
  return 0;
}

static void rangeEntry(void *pArg, const EmuEntry *pEntry) {
  RangeAsk *pAsk = pArg;
  EmuReq *p = pAsk->pReq;
  if( pAsk->nEntry++ ) ledgerBufAppend(&p->body, ",", 1);
  emuRouteEntryJson(p, &pAsk->collection, pEntry, pEntry->id);
}

/*
** Finds where the page ends: *piEnd is its last seqno (the upper bound, if all
** fits), *pbMore says whether a link follows.
*/
static int rangePage(const RangeAsk *pAsk, int64_t *piEnd, int *pbMore,
                     LedgerError *pErr) {
  const EmuArgs *pArgs = &pAsk->pReq->pEmu->args;
  EmuStore *pStore = pAsk->pReq->pEmu->pStore;
  EmuRange page = pAsk->range, rest = pAsk->range;
  int64_t iNext = 0, nSpan = pAsk->nSpan;
  int rc;
  if( nSpan && page.iTo - page.iFrom >= nSpan ) {
    page.iTo = page.iFrom + nSpan - 1;
  }
  rc = emuStoreRangeNth(pStore, &page, pArgs->nPage - 1, piEnd, pErr);
  if( rc == LEDGER_OK && *piEnd && !nSpan ) {
    rest.iFrom = *piEnd + 1;
    rc = emuStoreRangeNth(pStore, &rest, 0, &iNext, pErr);
    if( iNext == 0 ) *piEnd = 0;
  }
  if( *piEnd == 0 ) *piEnd = page.iTo;
  *pbMore = *piEnd < pAsk->range.iTo;
  return rc;
}

/* Writes the answer Loading. */
static int rangeLoading(RangeAsk *pAsk, LedgerError *pErr) {
  EmuReq *p = pAsk->pReq;
  int bOld = (p->pVersion->flags & EMU_V_SUBLEDGER) != 0;
  LedgerTxid from = pAsk->from;
  int64_t iFirst = 0;
  int rc = LEDGER_OK;
  if( from.seqno == 0 ) {
    if( !pAsk->nSpan ) {
      rc = emuStoreRangeNth(p->pEmu->pStore, &pAsk->range, 0, &iFirst, pErr);
    }
    if( rc == LEDGER_OK ) {
      rc = emuStoreTxnAt(p->pEmu->pStore, iFirst ? iFirst : pAsk->range.iFrom,
                         &from, pErr);
    }
  }
  p->zState = "Loading";
  ledgerBufText(&p->body,
                bOld ? "{\"@nextLink\":" : "{\"entries\":[],\"nextLink\":");
  rangeLink(pAsk, from);
  ledgerBufText(&p->body, ",\"state\":\"Loading\"}");
  return rc;
}

/* Writes the answer Ready: the entries up to iEnd, and a link if there are
** more. Its key stands on either side of the entries, since keys are sorted. */
static int rangeReady(RangeAsk *pAsk, int64_t iEnd, int bMore,
                      LedgerError *pErr) {
  EmuReq *p = pAsk->pReq;
  int bOld = (p->pVersion->flags & EMU_V_SUBLEDGER) != 0;
  LedgerTxid next = {0, 0};
  EmuRange page = pAsk->range;
  int rc = LEDGER_OK;
  if( bMore ) rc = emuStoreTxnAt(p->pEmu->pStore, iEnd + 1, &next, pErr);
  p->zState = "Ready";
  ledgerBufAppend(&p->body, "{", 1);
  if( bMore && bOld ) {
    ledgerBufText(&p->body, "\"@nextLink\":");
    rangeLink(pAsk, next);
    ledgerBufAppend(&p->body, ",", 1);
  }
  ledgerBufText(&p->body, "\"entries\":[");
  page.iTo = iEnd;
  if( rc == LEDGER_OK && page.iCollection && page.iFrom <= page.iTo ) {
    rc = emuStoreRangeRead(p->pEmu->pStore, &page, rangeEntry, pAsk, pErr);
  }
  ledgerBufAppend(&p->body, "]", 1);
  if( bMore && !bOld ) {
    ledgerBufText(&p->body, ",\"nextLink\":");
    rangeLink(pAsk, next);
  }
  ledgerBufText(&p->body, ",\"state\":\"Ready\"}");
  return rc;
}

/*
** All that a page depends on, --page and --page-span aside. A collection is
** named: the number of one whose first entry was rolled back is given away.
*/
static void rangeKey(const RangeAsk *pAsk, LedgerBuf *pKey) {
  const EmuText *pTag = pAsk->pTag;
  ledgerBufPrintf(pKey, "%s %lld %lld.%lld %d %d %lld ",
                  pAsk->pReq->pVersion->zName, (long long)pAsk->range.iFrom,
                  (long long)pAsk->to.view, (long long)pAsk->to.seqno,
                  pAsk->bTo, pTag != NULL, (long long)pAsk->collection.n);
  ledgerBufAppend(pKey, pAsk->collection.z, pAsk->collection.n);
  if( pTag ) ledgerBufAppend(pKey, pTag->z, pTag->n);
}

/* Answers with the page from iFrom on, which is in the store. Kept are its body
** and, behind that, its last seqno. */
static int rangeStored(RangeAsk *pAsk, const LedgerBuf *pKey,
                       LedgerError *pErr) {
  Emu *pEmu = pAsk->pReq->pEmu;
  LedgerBuf *pBody = &pAsk->pReq->body;
  int64_t iEnd;
  int bMore, rc = rangePage(pAsk, &iEnd, &bMore, pErr);
  if( rc ) return rc;
  if( !emuWarmReady(pEmu->pWarm, pAsk->range.iFrom, iEnd) ) {
    return rangeLoading(pAsk, pErr);
  }
  rc = rangeReady(pAsk, iEnd, bMore, pErr);
  ledgerBufAppend(pBody, &iEnd, sizeof(iEnd));
  if( pBody->bOom ) return rc;
  if( rc == LEDGER_OK && !pKey->bOom ) {
    ledgerLruPut(pEmu->pPages, pKey->z, pKey->n, pBody->z, pBody->n,
                 RANGE_KEPT);
  }
  pBody->n -= sizeof(iEnd);
  pBody->z[pBody->n] = 0;
  return rc;
}

/* Answers with the page from iFrom on. */
static int rangeKept(RangeAsk *pAsk, LedgerError *pErr) {
  EmuReq *p = pAsk->pReq;
  LedgerBuf key = {0};
  const char *a = NULL;
  int64_t iEnd;
  size_t n = 0;
  int rc = LEDGER_OK;
  rangeKey(pAsk, &key);
  if( !key.bOom ) a = ledgerLruGet(p->pEmu->pPages, key.z, key.n, &n);
  if( a == NULL ) {
    rc = rangeStored(pAsk, &key, pErr);
  } else {
    n -= sizeof(iEnd);
    memcpy(&iEnd, a + n, sizeof(iEnd));
    if( emuWarmReady(p->pEmu->pWarm, pAsk->range.iFrom, iEnd) ) {
      p->zState = "Ready";
      ledgerBufAppend(&p->body, a, n);
    } else {
      rc = rangeLoading(pAsk, pErr);
    }
  }
  ledgerBufFree(&key);
  return rc;
}

void emuRouteRange(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  const LedgerTxid head = p->pEmu->pLedger->head.committed;
  RangeAsk ask = {0};
  int rc;

  ask.pReq = p;
  if( !emuRouteCollection(p, &ask.collection, &ask.range.iCollection) ||
      !rangeBound(p, "fromTransactionId", &ask.from) ||
      !rangeBound(p, "toTransactionId", &ask.to) ) {
    return;
  }
  if( p->pVersion->flags & EMU_V_TAGS ) ask.pTag = emuReqParam(p, "tag");
  if( ask.pTag ) {
    ask.range.zTag = ask.pTag->z;
    ask.range.nTag = ask.pTag->n;
  }
  ask.bTo = ask.to.seqno != 0;
  ask.nSpan = p->pEmu->args.nSpan;
  if( ask.nSpan == 0 && (p->pVersion->flags & EMU_V_SPAN) ) {
    ask.nSpan = RANGE_SPAN;
  }
  if( ask.to.seqno == 0 || ask.to.seqno > head.seqno ) ask.to = head;
  ask.range.iFrom = ask.from.seqno ? ask.from.seqno : 1;
  ask.range.iTo = ask.to.seqno;
  p->iStatus = 200;
  if( ask.range.iCollection == 0 || ask.range.iFrom > ask.range.iTo ) {
    rc = rangeReady(&ask, ask.range.iTo, 0, &err);
  } else {
    rc = rangeKept(&ask, &err);
  }
  if( rc ) emuReqFail(p, &err);
  ledgerErrorClear(&err);
}
