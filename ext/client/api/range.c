/*
** Ranges of entries, page by page:
**
**   GET /app/transactions?api-version=&collectionId=&fromTransactionId=
**       &toTransactionId=&tag=
**
** then the next link of each page, as the service gives it. A page that is
** Loading is asked for again (call/call.c), through its own next link where it
** has one: that link names the snapshot that the service has begun to load.
**
** Invariants
**   - at most two pages are in memory: the one handed out, and the next where
**     it was started by ledgerPagerPrefetch();
**   - rows ascend by seqno, within a page and from page to page, and are of the
**     sub-ledger that was asked for;
**   - links advance: behind a page without rows a link begins above all links
**     before, and none is followed that begins above the bound, or above the
**     highest state that any answer has shown;
**   - a list that is missing is an error, and no end;
**   - whatever the wire carried, rows outside the range are dropped here, so
**     that a bound which the service refuses costs time but no rows. A row that
**     another range has shown is dropped, too: ranges overlap (flight.c cuts
**     what is under way, and asks again from the last row shown), so that an
**     honest ledger repeats rows. Within one range it is an error;
**   - where all that is wanted is known to be committed, no request goes out
**     without bounds that are: the pages of a node that hasn't heard of it
**     would end too early.
*/
#include "client/api/apiInt.h"

#include <stdlib.h>
#include <string.h>

/* Empty pages in a row that can't be told to lead on: their links name no id,
** or no state of the ledger is known. */
#define PAGER_MAX_IDLE 1000

/* How long a link that is refused is asked for again. */
#define PAGER_LAG_MS 2000

/* A page as it comes in: LedgerCall.pAnswer. */
typedef struct PagerAnswer PagerAnswer;
struct PagerAnswer {
  LedgerEntryList list;
  int64_t ms;       /* how long it took, without the times before */
  size_t nByte;     /* of the body */
  char *zNext;      /* the next link, or NULL */
  LedgerTxid bound; /* toTransactionId of a link */
  int bSure;        /* as in LedgerRange */
};

struct LedgerPager {
  LedgerClient *pClient;
  char *zSubLedger; /* NULL: the default one */
  char *zTag;
  LedgerTxid from; /* as in LedgerRange */
  LedgerTxid to;
  LedgerTxid floor;
  LedgerTxid wideFrom;
  LedgerTxid wideTo;
  int bWindow;
  int bSure;
  int bRefused;         /* bWindow: the service refused our bounds */
  int64_t iSeqnoMax;    /* to.seqno, or INT64_MAX */
  LedgerCall *pCall;    /* the next page's request, or NULL */
  char *zLink;          /* where the next page is; NULL: at the start */
  int bEnd;             /* no page follows */
  int bNoBounds;        /* the service refused from and to */
  int nIdle;            /* empty pages in a row, of those */
  LedgerTxid linkFrom;  /* fromTransactionId of the last link */
  int64_t iLinkMax;     /* the highest seqno of them */
  int64_t iSeqnoLast;   /* the last row's, of all pages, or 0 */
  int64_t nHeld;        /* bytes of the page, as its call told them */
  LedgerEntryList list; /* the page handed out */
  LedgerPage page;
  LedgerError refusal; /* what the service said to our bounds */
};

/* Sees that the entries are of the sub-ledger that was asked for. */
static int pagerMeant(LedgerCall *p, LedgerError *pErr) {
  const LedgerEntryList *pList = &((PagerAnswer *)p->pAnswer)->list;
  int i;
  for( i = 0; i < pList->nEntry; i++ ) {
    if( ledgerEntryMeant(p, &pList->aEntry[i], pErr) ) break;
  }
  return pErr->rc;
}

/* Reads {"state","entries":[...],"nextLink"}. */
static int pagerRead(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr) {
  PagerAnswer *pAnswer = p->pAnswer;
  LedgerJson *pDoc = NULL;
  const char *zState;
  cJSON *pRoot, *pArray;

  pAnswer->ms = p->pClient->tNow - p->tStart;
  pAnswer->nByte = pEx->body.n;
  if( ledgerPageRead(p, pEx, &pAnswer->list, &pDoc, pErr) ) goto out;
  pRoot = ledgerJsonRoot(pDoc);
  if( !cJSON_IsObject(pRoot) ) {
    ledgerResponseNonsense(p, "a page is not an object", pErr);
    goto out;
  }
  if( ledgerListNextRead(p, pDoc, pRoot, &pAnswer->zNext, pErr) ) goto out;
  if( pAnswer->zNext ) {
    LedgerTxid bound = ledgerUrlTxid(pAnswer->zNext, "toTransactionId");
    if( bound.seqno ) pAnswer->bound = bound;
  }
  zState = ledgerJsonMemberText(pDoc, pRoot, "state", NULL);
  if( zState && strcmp(zState, "Loading") == 0 ) {
    if( pAnswer->zNext ) {
      free(p->zLink);
      p->zLink = pAnswer->zNext;
      pAnswer->zNext = NULL;
    }
    ledgerEntryListFree(&pAnswer->list);
    p->bAgain = 1;
    goto out;
  }
  if( ledgerEntryStateRead(p, pRoot, zState, pErr) ) goto out;
  pArray = ledgerJsonMember(pRoot, "entries");
  if( !cJSON_IsArray(pArray) ) {
    ledgerResponseNonsense(p, "it has no list 'entries'", pErr);
  } else if( pArray->child == NULL ||
             ledgerEntryListRead(p, pDoc, pArray->child,
                                 cJSON_GetArraySize(pArray), &pAnswer->list,
                                 pErr) == LEDGER_OK ) {
    pagerMeant(p, pErr);
    ledgerProgressCount(p->pClient->user.pProgress, LEDGER_PROGRESS_PAGES, 1);
    ledgerProgressCount(p->pClient->user.pProgress, LEDGER_PROGRESS_ENTRIES,
                        pAnswer->list.nEntry);
  }
out:
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

static void pagerFree(LedgerCall *p) {
  PagerAnswer *pAnswer = p->pAnswer;
  ledgerEntryListFree(&pAnswer->list);
  free(pAnswer->zNext);
}

/* Whether an answer says that bounds are no committed transactions. */
static int pagerBoundsSaid(const LedgerCall *p) {
  return (p->http == 400 || p->http == 404) &&
         !ledgerDialectRefused(&p->server);
}

/* 404 UnknownLedgerEntry on a range without bounds: it has no rows. Where a
** link of the service's own is refused, or bounds that are committed, the node
** that was asked knows less: it is asked for again, for a while. */
static int pagerRefused(LedgerCall *p) {
  if( p->http == 404 && !p->bBounds &&
      strcmp(p->server.zCode, "UnknownLedgerEntry") == 0 ) {
    return 1;
  }
  p->bAgain = (p->zLink || ((PagerAnswer *)p->pAnswer)->bSure) &&
              p->server.bBody && pagerBoundsSaid(p) &&
              (p->tAgain == 0 || p->pClient->tNow - p->tAgain < PAGER_LAG_MS);
  return p->bAgain;
}

static int pagerOver(LedgerCall *p, LedgerError *pErr) {
  if( p->http >= 400 ) return ledgerResponseRefused(p, pErr);
  return ledgerErrorSet(pErr, LEDGER_BUSY,
                        "%s: still Loading after %d ms (GET %s)", p->zWhat,
                        p->pClient->pConfig->timeoutMs, p->zPath);
}

static const LedgerCallKind rangeKind = {.zMethod = "GET",
                                         .zNotYet = "Loading",
                                         .bEntries = 1,
                                         .bFresh = 1,
                                         .nAnswer = sizeof(PagerAnswer),
                                         .xFree = pagerFree,
                                         .xRead = pagerRead,
                                         .xRefused = pagerRefused,
                                         .xOver = pagerOver};

int ledgerPagerOpen(LedgerClient *pClient, const LedgerRange *pRange,
                    LedgerPager **ppPager, LedgerError *pErr) {
  LedgerPager *p = calloc(1, sizeof(*p));

  *ppPager = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  p->pClient = pClient;
  p->from = pRange->from;
  p->to = pRange->to;
  p->floor = pRange->floor;
  p->wideFrom = pRange->wideFrom;
  p->wideTo = pRange->wideTo;
  p->bWindow = pRange->bWindow;
  p->bSure = pRange->bSure;
  p->iSeqnoMax = INT64_MAX;
  if( p->to.seqno ) p->iSeqnoMax = p->to.seqno;
  if( pRange->zSubLedger ) p->zSubLedger = ledgerStrdup(pRange->zSubLedger);
  if( pRange->zTag ) p->zTag = ledgerStrdup(pRange->zTag);
  if( (pRange->zSubLedger && !p->zSubLedger) || (pRange->zTag && !p->zTag) ) {
    ledgerPagerClose(p);
    return ledgerErrorNomem(pErr);
  }
  *ppPager = p;
  return LEDGER_OK;
}

/* The page handed out is done with. */
static void pagerDrop(LedgerPager *p) {
  ledgerEntryListFree(&p->list);
  ledgerHttpHold(p->pClient->pHttp, -p->nHeld);
  p->nHeld = 0;
}

void ledgerPagerClose(LedgerPager *p) {
  if( p == NULL ) return;
  ledgerCallFree(p->pCall);
  pagerDrop(p);
  ledgerErrorClear(&p->refusal);
  free(p->zSubLedger);
  free(p->zTag);
  free(p->zLink);
  free(p);
}

/* Whether the next page begins behind the range's end. Rows behind it say so,
** but for a link that leads back below them: it is followed, to be refused. */
static int pagerPastEnd(const LedgerPager *p) {
  const int64_t iLink = p->zLink && !p->bEnd ? p->linkFrom.seqno : 0;
  if( p->iSeqnoLast >= p->iSeqnoMax ) return !iLink || iLink > p->iSeqnoLast;
  return p->zLink && p->linkFrom.seqno > p->iSeqnoMax;
}

void ledgerPagerBound(LedgerPager *p, int64_t iSeqnoMax) {
  if( iSeqnoMax >= p->iSeqnoMax ) return;
  p->iSeqnoMax = iSeqnoMax;
  if( p->pCall == NULL && pagerPastEnd(p) ) {
    p->bEnd = 1;
    p->page.isLast = p->page.isPast = 1;
  }
}

int ledgerPagerPrefetch(LedgerPager *p, LedgerError *pErr) {
  LedgerCall *pCall = NULL;

  if( p->pCall || p->bEnd || pagerPastEnd(p) ) return LEDGER_OK;
  if( ledgerCallNew(p->pClient, &rangeKind, &pCall, pErr) ) return pErr->rc;
  pCall->zWhat = ledgerStrdup("range of entries");
  pCall->zPath = ledgerStrdup("/app/transactions");
  if( p->zSubLedger ) pCall->query.zSubLedger = ledgerStrdup(p->zSubLedger);
  if( p->zTag ) {
    pCall->query.zTag = ledgerStrdup(p->zTag);
    pCall->mNeed |= LEDGER_HAS_TAGS;
  }
  if( p->zLink ) pCall->zLink = ledgerStrdup(p->zLink);
  pCall->query.from = p->bNoBounds ? p->wideFrom : p->from;
  pCall->query.to = p->bNoBounds ? p->wideTo : p->to;
  if( !pCall->zWhat || !pCall->zPath || (p->zLink && !pCall->zLink) ||
      (p->zSubLedger && !pCall->query.zSubLedger) ||
      (p->zTag && !pCall->query.zTag) ) {
    ledgerCallFree(pCall);
    return ledgerErrorNomem(pErr);
  }
  pCall->floor = p->floor;
  ((PagerAnswer *)pCall->pAnswer)->bSure =
      p->bNoBounds ? p->wideTo.seqno > 0 : p->bSure;
  p->pCall = pCall;
  ledgerLoopStart(pCall);
  return LEDGER_OK;
}

/* Whether the row is within the range. A bound without a view is a seqno. */
static int pagerKeeps(const LedgerPager *p, LedgerTxid id) {
  LedgerTxid from = p->from;
  LedgerTxid to = p->to;
  if( from.view == 0 || p->bWindow ) from.view = id.view;
  if( to.view == 0 || p->bWindow ) to.view = id.view;
  if( from.seqno && ledgerTxidCompare(id, from) < 0 ) return 0;
  if( to.seqno && ledgerTxidCompare(id, to) > 0 ) return 0;
  return id.seqno <= p->iSeqnoMax;
}

/* Checks the order of the page's rows and drops those outside the range. */
static int pagerFilter(LedgerPager *p, LedgerError *pErr) {
  LedgerEntryList *pList = &p->list;
  int i, nKept = 0;

  for( i = 0; i < pList->nEntry; i++ ) {
    LedgerTxid id = pList->aEntry[i].id;
    if( id.seqno <= p->iSeqnoLast ) {
      return ledgerResponseNonsense(
          p->pCall, "its entries do not ascend by sequence number", pErr);
    }
    p->iSeqnoLast = id.seqno;
    ledgerKnownCommitted(p->pClient, id);
    if( pagerKeeps(p, id) ) pList->aEntry[nKept++] = pList->aEntry[i];
  }
  pList->nEntry = nKept;
  return LEDGER_OK;
}

/* Takes the next link over, and sees that it leads on. nRow: rows that this
** page had on the wire. */
static int pagerFollow(LedgerPager *p, int nRow, LedgerError *pErr) {
  LedgerCall *pCall = p->pCall;
  PagerAnswer *pAnswer = pCall->pAnswer;
  const int64_t iHead = p->pClient->head.seqno;
  LedgerTxid from;
  int64_t iFrom;

  if( pAnswer->zNext == NULL ) {
    p->bEnd = 1;
    return LEDGER_OK;
  }
  from = ledgerUrlTxid(pAnswer->zNext, "fromTransactionId");
  iFrom = from.seqno;
  if( iHead > 0 && iFrom > iHead ) { /* there is nothing yet */
    p->bEnd = 1;
    return LEDGER_OK;
  }
  p->linkFrom = from;
  if( nRow == 0 && (iFrom == 0 || iHead == 0) )
    p->nIdle++;
  else
    p->nIdle = 0;
  if( p->nIdle > PAGER_MAX_IDLE ||
      (nRow == 0 && iFrom > 0 && iFrom <= p->iLinkMax) ||
      (pCall->zLink && strcmp(pCall->zLink, pAnswer->zNext) == 0) ) {
    return ledgerResponseNonsense(pCall, "its next link does not advance",
                                  pErr);
  }
  if( iFrom > p->iLinkMax ) p->iLinkMax = iFrom;
  free(p->zLink);
  p->zLink = pAnswer->zNext;
  pAnswer->zNext = NULL;
  return LEDGER_OK;
}

/* Makes the finished request's answer the page handed out. */
static int pagerTake(LedgerPager *p, LedgerError *pErr) {
  LedgerCall *pCall = p->pCall;
  PagerAnswer *pAnswer = pCall->pAnswer;
  int nRow;

  pagerDrop(p);
  p->nHeld = ledgerCallHandOver(pCall);
  p->list = pAnswer->list;
  memset(&pAnswer->list, 0, sizeof(pAnswer->list));
  nRow = p->list.nEntry;
  if( pagerFilter(p, pErr) == LEDGER_OK &&
      pagerFollow(p, nRow, pErr) == LEDGER_OK ) {
    p->page.isPast = pagerPastEnd(p);
    if( p->page.isPast ) p->bEnd = 1;
    p->page.aEntry = p->list.aEntry;
    p->page.nEntry = p->list.nEntry;
    p->page.isLast = p->bEnd;
    p->page.isUnbounded = p->bNoBounds;
    p->page.head = pCall->head;
    p->page.bOwner = pCall->bOwner;
    memcpy(p->page.aOwner, pCall->aOwner, sizeof(p->page.aOwner));
    memset(&p->page.next, 0, sizeof(p->page.next));
    if( !p->bEnd ) p->page.next = p->linkFrom;
    p->page.bound = pAnswer->bound;
    p->page.ms = pAnswer->ms;
    p->page.nByte = pAnswer->nByte;
  }
  ledgerCallFree(pCall);
  p->pCall = NULL;
  return pErr->rc;
}

/* Whether the service refused the bounds that this request carried, and may be
** asked without them, or by the wide ones. Not where they are known to be
** committed: a node that doesn't know it reads to where it does, and its pages
** look as if that were the end. */
static int pagerBoundsRefused(const LedgerPager *p) {
  const LedgerCall *pCall = p->pCall;
  if( p->bNoBounds || !pCall->bBounds ) return 0;
  if( p->bSure && !p->bWindow ) return 0;
  return pCall->err.http && pagerBoundsSaid(pCall);
}

int ledgerPagerNext(LedgerPager *p, const LedgerPage **ppPage,
                    LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;

  *ppPage = NULL;
  for( ;; ) {
    if( ledgerPagerPrefetch(p, pErr) ) return pErr->rc;
    if( p->pCall == NULL ) {
      p->bEnd = 1;
      return LEDGER_OK;
    }
    ledgerCallWait(p->pCall, &err);
    if( p->pCall->eState != LEDGER_CALL_DONE ) break; /* interrupted */
    if( err.rc == LEDGER_OK ) {
      if( pagerTake(p, pErr) == LEDGER_OK ) *ppPage = &p->page;
      return pErr->rc;
    }
    if( !pagerBoundsRefused(p) ) {
      /* Without bounds refused too: the first refusal tells more. */
      if( p->refusal.rc && (err.http == 400 || err.http == 404) ) {
        ledgerErrorClear(&err);
        ledgerErrorCopy(&err, &p->refusal);
      }
      ledgerCallFree(p->pCall);
      p->pCall = NULL;
      p->bEnd = 1;
      break;
    }
    ledgerErrorCopy(&p->refusal, &err);
    ledgerErrorClear(&err);
    ledgerCallFree(p->pCall);
    p->pCall = NULL;
    if( p->bWindow ) {
      p->bEnd = p->bRefused = 1;
      return LEDGER_OK;
    }
    p->bNoBounds = 1;
  }
  ledgerErrorCopy(pErr, &err);
  ledgerErrorClear(&err);
  return pErr->rc;
}

LedgerCall *ledgerPagerCall(const LedgerPager *p) {
  return p->pCall;
}

int ledgerPagerRefused(const LedgerPager *p) {
  return p->bRefused;
}

int ledgerPagerFork(LedgerPager *p, LedgerPager **ppRest, LedgerError *pErr) {
  LedgerPager *pRest;
  LedgerRange range;
  memset(&range, 0, sizeof(range));
  range.zSubLedger = p->zSubLedger;
  range.zTag = p->zTag;
  range.from = p->from;
  range.to = p->to;
  range.floor = p->floor;
  range.wideFrom = p->wideFrom;
  range.wideTo = p->wideTo;
  range.bWindow = p->bWindow;
  range.bSure = p->bSure;
  if( ledgerPagerOpen(p->pClient, &range, ppRest, pErr) ) return pErr->rc;
  pRest = *ppRest;
  pRest->iSeqnoMax = p->iSeqnoMax;
  pRest->bNoBounds = p->bNoBounds;
  pRest->nIdle = p->nIdle;
  pRest->linkFrom = p->linkFrom;
  pRest->iLinkMax = p->iLinkMax;
  pRest->iSeqnoLast = p->iSeqnoLast;
  if( p->refusal.rc ) ledgerErrorCopy(&pRest->refusal, &p->refusal);
  pRest->zLink = p->zLink;
  p->zLink = NULL;
  p->bEnd = p->page.isLast = 1;
  return LEDGER_OK;
}
