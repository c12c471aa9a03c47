/*
** Lists that are answered in pages.
**
** Serves the lists of users, members and functions. A page holds --page items;
** the parameter `after` of a nextLink is this emulator's own: the name of the
** page's last item.
*/
#include "emulator/http/http.h"
#include "emulator/routes/routesInt.h"
#include "emulator/util/util.h"

void emuPageBegin(EmuPage *p, EmuReq *pReq, const char *zKey, int bPaged,
                  const EmuText **ppAfter) {
  p->pReq = pReq;
  p->nMax = bPaged ? pReq->pEmu->args.nPage : 1 << 30;
  *ppAfter = bPaged ? emuReqParam(pReq, "after") : NULL;
  ledgerBufPrintf(&pReq->body, "{\"%s\":[", zKey);
}

int emuPageItem(EmuPage *p, const EmuText *pName) {
  if( p->n == p->nMax ) {
    p->bMore = 1;
    return 0;
  }
  if( p->n++ ) ledgerBufAppend(&p->pReq->body, ",", 1);
  ledgerBufReset(&p->last);
  ledgerBufAppend(&p->last, pName->z, pName->n);
  return 1;
}

void emuPageEnd(EmuPage *p, LedgerError *pErr) {
  EmuReq *pReq = p->pReq;
  LedgerBuf link = {0};
  ledgerBufAppend(&pReq->body, "]", 1);
  if( p->bMore ) {
    ledgerBufPrintf(&link, "%s?api-version=%s&after=", pReq->zPath,
                    pReq->pVersion->zName);
    emuQueryText(&link, p->last.z, p->last.n);
    ledgerBufText(&pReq->body, ",\"nextLink\":");
    if( link.z ) ledgerBufJson(&pReq->body, link.z, link.n);
  }
  ledgerBufAppend(&pReq->body, "}", 1);
  pReq->iStatus = 200;
  if( link.bOom || p->last.bOom ) {
    ledgerErrorNomem(pErr);
    emuReqFail(pReq, pErr);
  }
  ledgerBufFree(&link);
  ledgerBufFree(&p->last);
}
