/*
** Collections and their tags.
**
**   GET /app/collections                      emuRouteCollections
**   GET /app/collections/tags?collectionId    emuRouteTags
**
** Lists the collections and tags of committed entries, in no promised order;
** the default collection, too, once it has an entry. A page holds --page
** collections; the parameter `after` of a nextLink is this emulator's own.
*/
#include "emulator/routes/routesInt.h"

typedef struct CollectionsPage CollectionsPage;
struct CollectionsPage {
  LedgerBuf *pBuf;
  int64_t iLast; /* number of the last collection written */
  int n;         /* how many were written */
  int nMax;      /* of a page */
  int bMore;     /* there is one more */
};

static void collectionsItem(void *pArg, int64_t i, const char *z, size_t n) {
  CollectionsPage *p = pArg;
  if( p->n == p->nMax ) {
    p->bMore = 1;
    return;
  }
  ledgerBufText(p->pBuf, p->n++ ? ",{\"collectionId\":" : "{\"collectionId\":");
  ledgerBufJson(p->pBuf, z, n);
  ledgerBufAppend(p->pBuf, "}", 1);
  p->iLast = i;
}

void emuRouteCollections(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  int bBare = (p->pVersion->flags & EMU_V_BARE_LIST) != 0;
  CollectionsPage page = {&p->body, 0, 0, bBare ? 1 << 30 : p->pEmu->args.nPage,
                          0};
  const EmuText *pAfter = emuReqParam(p, "after");
  int64_t iAfter = 0;
  if( pAfter && !emuNumber(pAfter->z, pAfter->n, INT64_MAX, &iAfter) ) {
    emuReqError(p, 400, "InvalidInput",
                "The parameter 'after' is not a number.");
    return;
  }
  ledgerBufText(&p->body, bBare ? "[" : "{\"collections\":[");
  if( emuStoreCollectionList(p->pEmu->pStore, iAfter,
                             p->pEmu->pLedger->head.committed.seqno,
                             page.nMax + 1, collectionsItem, &page, &err) ) {
    emuReqFail(p, &err);
    return;
  }
  ledgerBufAppend(&p->body, "]", 1);
  if( page.bMore ) {
    ledgerBufPrintf(
        &p->body,
        ",\"nextLink\":\"/app/collections?api-version=%s&after=%lld\"",
        p->pVersion->zName, (long long)page.iLast);
  }
  if( !bBare ) ledgerBufAppend(&p->body, "}", 1);
  p->iStatus = 200;
}

static void collectionsTag(void *pArg, const char *z, size_t n) {
  CollectionsPage *p = pArg;
  if( p->n++ ) ledgerBufAppend(p->pBuf, ",", 1);
  ledgerBufJson(p->pBuf, z, n);
}

void emuRouteTags(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  CollectionsPage page = {&p->body, 0, 0, 0, 0};
  EmuText collection;
  int64_t iCollection;
  if( !emuRouteCollection(p, &collection, &iCollection) ) return;
  ledgerBufText(&p->body, "{\"tags\":[");
  if( emuStoreTagList(p->pEmu->pStore, iCollection,
                      p->pEmu->pLedger->head.committed.seqno, collectionsTag,
                      &page, &err) ) {
    emuReqFail(p, &err);
    return;
  }
  ledgerBufText(&p->body, "]}");
  p->iStatus = 200;
}
