/*
** Lists that are answered in pages.
**
** Serves the lists of users, members and functions. A page holds --page items;
** the parameter `after` of a nextLink is this emulator's own: the name of the
** page's last item.
*/
#include "emulator/routes/routesInt.h"

/* The page that is written. */
typedef struct Page Page;
struct Page {
  EmuReq *pReq;
  void (*xItem)(EmuReq *, const EmuText *, const EmuText *);
  int n;          /* items written */
  int nMax;       /* of a page */
  int bMore;      /* there is one more */
  LedgerBuf last; /* name of the last item written */
};

static void pageItem(void *pArg, const EmuText *pName, const EmuText *pValue) {
  Page *p = pArg;
  if( p->n == p->nMax ) {
    p->bMore = 1;
    return;
  }
  if( p->n++ ) ledgerBufAppend(&p->pReq->body, ",", 1);
  ledgerBufReset(&p->last);
  ledgerBufAppend(&p->last, pName->z, pName->n);
  p->xItem(p->pReq, pName, pValue);
}

/* Appends the link to the next page, to the same path. */
static void pageLink(Page *p) {
  EmuReq *pReq = p->pReq;
  LedgerBuf link = {0};
  ledgerBufPrintf(&link, "%s?api-version=%s&after=", pReq->zPath,
                  pReq->pVersion->zName);
  emuQueryText(&link, p->last.z, p->last.n);
  ledgerBufText(&pReq->body, ",\"nextLink\":");
  if( link.z ) ledgerBufJson(&pReq->body, link.z, link.n);
  if( link.bOom ) pReq->body.bOom = 1;
  ledgerBufFree(&link);
}

void emuPage(EmuReq *p, const char *zKey, int eKind, int bPaged,
             void (*xItem)(EmuReq *, const EmuText *, const EmuText *)) {
  const EmuText *pAfter = bPaged ? emuReqParam(p, "after") : NULL;
  EmuStore *pStore = p->pEmu->pStore;
  LedgerError err = LEDGER_ERROR_INIT;
  Page page = {0};
  page.pReq = p;
  page.xItem = xItem;
  page.nMax = bPaged ? p->pEmu->args.nPage : 1 << 30;
  ledgerBufPrintf(&p->body, "{\"%s\":[", zKey);
  if( eKind == EMU_PAGE_USERS ) {
    emuStoreUserList(pStore, pAfter, page.nMax + 1, pageItem, &page, &err);
  } else {
    emuStoreObjectList(pStore, eKind, pAfter, page.nMax + 1, pageItem, &page,
                       &err);
  }
  ledgerBufAppend(&p->body, "]", 1);
  if( page.bMore ) pageLink(&page);
  ledgerBufAppend(&p->body, "}", 1);
  p->iStatus = 200;
  if( page.last.bOom ) ledgerErrorNomem(&err);
  if( err.rc ) emuReqFail(p, &err);
  ledgerBufFree(&page.last);
}
