/*
** A flight: the pages of one range of one sub-ledger, upwards, several of them
** under way.
**
** Requests: GET /app/transactions?collectionId=...[&fromTransactionId=...]
** [&toTransactionId=...][&tag=...]; GET /app/transactions/{id}/status, to know
** that the snapshot's bound is committed, and of which view a seqno is.
**
** A page leads to the next one by its link, so that pages that follow links
** come one after another: that is the trunk. As soon as the snapshot's bound is
** known to be committed, what is left below it is cut into windows of seqnos,
** which are asked for side by side and handed out in order. Each is a leg: one
** request for one page. What a page leaves of its window is another leg behind
** it, by the service's link.
**
** While the ledger is asked whether the bound is committed, windows go ahead as
** far as the service's own link can be trusted: they are asked for by that
** link, from their own beginnings on. Their pages reach beyond their ends, or
** have links that do: so nothing is missing, as in the trunk's pages. The last
** window waits.
**
** A window is about a page long: as many seqnos as the last page with a link
** spanned, more where windows come back almost empty. The service may take only
** ids of committed transactions for bounds: the view of a boundary is known
** from entries on both sides of it (client/call/known.c), else status requests
** find it. Where that fails, or a bound is refused, the trunk goes on from the
** last entry shown, and nothing is cut any more.
**
** Invariants
**   - windows lie below a committed bound: what they show is complete, whenever
**     it is asked for;
**   - a page without a link is the end of its leg only where the node that
**     answered has got so far: what follows is asked for again else;
**   - what was asked for before the bound was known to be committed is complete
**     as far as the service went on beyond it: where a page just ends, what
**     follows its last row is asked for once more;
**   - the legs of the flights of a scan share its lanes: no more requests are
**     under way than range_concurrency, but that the page wanted next is always
**     asked for;
**   - the pages at hand and under way have some 16 MiB, were all as large as
**     the largest yet; but the page wanted next is always asked for;
**   - under LIMIT no page is asked for that the rows at hand make needless, and
**     the first pages come one at a time, then two, four, ...;
**   - an error comes where its page would, behind the rows before it.
*/
#include "sqlite/read/read.h"

#include <string.h>

#define FLIGHT_LEGS 64   /* looked at at a time, while waiting ... */
#define FLIGHT_STATUS 16 /* ... and status requests */

enum {
  LEG_WAITING, /* its request is to be sent */
  LEG_UNDER,   /* ... is under way */
  LEG_HERE,    /* its page is here */
  LEG_REFUSED, /* its bounds are refused */
  LEG_FAILED   /* err says why */
};

typedef struct FlightLeg FlightLeg;
struct FlightLeg {
  FlightLeg *pNext;
  LedgerPager *pPager; /* owned */
  int eState;          /* LEG_* */
  i64 iFrom;           /* the seqnos that it is to show ... */
  i64 iTo;             /* ... INT64_MAX: to the range's end, it is the trunk */
  int bEarly;          /* sent before the bound was known to be committed */
  const LedgerPage *pPage; /* LEG_HERE: its page; NULL: it has none */
  LedgerError err;
};

struct LedgerFlight {
  LedgerSnapshot *pSnapshot; /* borrowed */
  Ledger *pLedger;           /* borrowed */
  LedgerLanes *pLanes;       /* borrowed from the scan */
  LedgerRange range;         /* texts are borrowed from the stream */
  i64 iMost;                 /* nothing above is wanted */
  FlightLeg *pFirst;         /* legs, in order */
  int bShown;                /* the first one's page is handed out */
  int bSound;                /* what it shows is all there is, to its end */
  LedgerPager *pRest;        /* the trunk's next page, not asked for; or NULL */
  i64 iRest;                 /* where it begins; 0: nobody knows */
  LedgerTxid linkFrom;       /* the bounds of its link, ... */
  LedgerTxid linkTo;         /* ... as the service wrote them */
  int bCut;                  /* windows are cut, from iRest ... */
  i64 iEnd;                  /* ... to here ... */
  int bEarly;                /* ... before that is known to be committed */
  int bNotEarly;             /* that is not done any more */
  int bOne;                  /* nothing is cut any more */
  int nRow;                  /* rows of a page that had a link */
  i64 nSpan;                 /* seqnos that it spanned; 0: there was none */
  i64 nWindow;               /* ... and that a window is to span */
  LedgerTxid last;           /* the last entry handed out */
  i64 iSeen;                 /* the last one that a page had */
  int bLimit;                /* LIMIT: */
  int nAhead;                /* pages that may be at hand before their turn */
  LedgerCall *pStatus;       /* whether the bound is committed */
  int bAsked;                /* it was asked for */
  LedgerWindow probe;        /* status requests, to find views ... */
  i64 iProbed;               /* ... last for this seqno */
};

/* ---- legs ---------------------------------------------------------------- */

static void flightFreeLeg(LedgerFlight *p, FlightLeg *pLeg) {
  if( pLeg->eState == LEG_UNDER ) p->pLanes->nUnder--;
  p->pLanes->nLeg--;
  ledgerPagerClose(pLeg->pPager);
  ledgerErrorClear(&pLeg->err);
  sqlite3_free(pLeg);
}

/* Adds a leg behind pAfter (NULL: at the start). Takes the pager over, also
** when it fails. */
static FlightLeg *flightAddLeg(LedgerFlight *p, FlightLeg *pAfter,
                               LedgerPager *pPager, i64 iFrom, i64 iTo,
                               LedgerError *pErr) {
  FlightLeg **pp = pAfter ? &pAfter->pNext : &p->pFirst;
  FlightLeg *pLeg = sqlite3_malloc64(sizeof(*pLeg));
  if( pLeg == NULL ) {
    ledgerPagerClose(pPager);
    ledgerErrorNomem(pErr);
    return NULL;
  }
  memset(pLeg, 0, sizeof(*pLeg));
  pLeg->pPager = pPager;
  pLeg->iFrom = iFrom;
  pLeg->iTo = iTo;
  pLeg->pNext = *pp;
  *pp = pLeg;
  p->pLanes->nLeg++;
  return pLeg;
}

static FlightLeg *flightLastLeg(const LedgerFlight *p) {
  FlightLeg *pLeg = p->pFirst;
  while( pLeg && pLeg->pNext ) pLeg = pLeg->pNext;
  return pLeg;
}

/* The last seqno to show. */
static i64 flightMost(const LedgerFlight *p) {
  const i64 iBound = ledgerSnapshotBound(p->pSnapshot, p->pLedger);
  return iBound < p->iMost ? iBound : p->iMost;
}

/* The last seqno that the range has to show, as far as the query says. */
static i64 flightEnd(const LedgerFlight *p) {
  const i64 iTo = p->range.to.seqno;
  return iTo && iTo < p->iMost ? iTo : p->iMost;
}

/* Is all that the flight may show known to be committed? */
static int flightIsFirm(const LedgerFlight *p) {
  LedgerFacts facts;
  ledgerClientFacts(p->pLedger->pClient, &facts);
  return flightEnd(p) <= facts.committed.seqno ||
         ledgerSnapshotCommitted(p->pSnapshot, p->pLedger);
}

/* Raises the floor of a range: a node that hasn't got to iSeqno is asked again.
*/
static void flightFloor(const LedgerFlight *p, LedgerRange *pRange,
                        i64 iSeqno) {
  if( iSeqno == INT64_MAX || iSeqno <= pRange->floor.seqno ) return;
  pRange->floor.seqno = iSeqno;
  pRange->floor.view = ledgerViewsLeast(p->pLedger, iSeqno);
}

int ledgerFlightOpen(LedgerSnapshot *pSnapshot, Ledger *pLedger,
                     LedgerLanes *pLanes, const LedgerRange *pRange, int bLimit,
                     LedgerFlight **ppFlight, LedgerError *pErr) {
  LedgerFlight *p = sqlite3_malloc64(sizeof(*p));
  *ppFlight = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  memset(p, 0, sizeof(*p));
  p->pSnapshot = pSnapshot;
  p->pLedger = pLedger;
  p->pLanes = pLanes;
  p->range = *pRange;
  p->bLimit = bLimit;
  p->iMost = INT64_MAX;
  p->iRest = pRange->from.seqno ? pRange->from.seqno : 1;
  if( ledgerSnapshotCommitted(pSnapshot, pLedger) ) {
    p->range.floor = ledgerSnapshotBoundId(pSnapshot, pLedger);
    if( pRange->to.seqno && pRange->to.seqno < p->range.floor.seqno ) {
      p->range.floor.seqno = pRange->to.seqno;
      p->range.floor.view = 0;
    }
  } else if( flightIsFirm(p) ) {
    flightFloor(p, &p->range, pRange->to.seqno);
  }
  if( flightIsFirm(p) ) ledgerViewsClose(pSnapshot, pLedger, &p->range);
  if( ledgerPagerOpen(pLedger->pClient, &p->range, &p->pRest, pErr) ) {
    ledgerFlightClose(p);
    return pErr->rc;
  }
  ledgerPagerBound(p->pRest, flightMost(p));
  *ppFlight = p;
  return LEDGER_OK;
}

void ledgerFlightBound(LedgerFlight *p, i64 iSeqnoMax) {
  if( p->pRest ) ledgerPagerBound(p->pRest, iSeqnoMax);
  if( iSeqnoMax < p->iMost ) p->iMost = iSeqnoMax;
}

void ledgerFlightClose(LedgerFlight *p) {
  if( p == NULL ) return;
  ledgerSnapshotForget(p->pSnapshot, p->pLedger, p);
  while( p->pFirst ) {
    FlightLeg *pLeg = p->pFirst;
    p->pFirst = pLeg->pNext;
    flightFreeLeg(p, pLeg);
  }
  ledgerPagerClose(p->pRest);
  ledgerCallFree(p->pStatus);
  ledgerWindowClose(&p->probe);
  sqlite3_free(p);
}

/* ---- going on otherwise -------------------------------------------------- */

/* Frees the legs behind one (NULL: all). */
static void flightDropAfter(LedgerFlight *p, FlightLeg *pAfter) {
  FlightLeg **pp = pAfter ? &pAfter->pNext : &p->pFirst;
  while( *pp ) {
    FlightLeg *pLeg = *pp;
    *pp = pLeg->pNext;
    flightFreeLeg(p, pLeg);
  }
  ledgerWindowClose(&p->probe);
}

/* The state that a node has to have for a page without a link to be the end of
** what is shown up to iTo; INT64_MAX: nobody knows yet. */
static i64 flightNeeded(const LedgerFlight *p, i64 iTo) {
  i64 iNeeded = ledgerSnapshotBound(p->pSnapshot, p->pLedger);
  if( iNeeded == INT64_MAX && !flightIsFirm(p) ) return INT64_MAX;
  if( flightEnd(p) < iNeeded ) iNeeded = flightEnd(p);
  return iTo < iNeeded ? iTo : iNeeded;
}

/* The trunk goes on from iFrom, asked for from an id that is known to be
** committed: the one just below, or the last entry that was shown. Where bounds
** were refused, it goes alone. */
static int flightResume(LedgerFlight *p, i64 iFrom, int bRefused,
                        LedgerError *pErr) {
  LedgerRange range = p->range;
  LedgerTxid id = {0, iFrom - 1};
  LedgerPager *pPager;
  p->bCut = 0;
  if( bRefused ) p->bOne = 1;
  flightFloor(p, &range, flightNeeded(p, INT64_MAX));
  if( p->last.seqno ) range.from = p->last;
  id.view = ledgerClientView(p->pLedger->pClient, id.seqno);
  if( id.view && !bRefused ) range.from = id;
  if( flightIsFirm(p) ) ledgerViewsClose(p->pSnapshot, p->pLedger, &range);
  if( ledgerPagerOpen(p->pLedger->pClient, &range, &pPager, pErr) ) {
    return pErr->rc;
  }
  ledgerPagerBound(pPager, flightMost(p));
  ledgerPagerClose(p->pRest);
  p->pRest = pPager;
  p->iRest = iFrom;
  return LEDGER_OK;
}

/* ---- what has come in ---------------------------------------------------- */

/* Tells the snapshot what a page of the trunk has shown, and its pager the
** bound: what lies above it is not asked for. */
static int flightAnswered(LedgerFlight *p, FlightLeg *pLeg, int bShort,
                          LedgerError *pErr) {
  const LedgerPage *pPage = pLeg->pPage;
  LedgerTxid head = pPage->head;
  const i64 iNext = p->iSeen < pLeg->iFrom ? pLeg->iFrom : p->iSeen + 1;
  /* Where the query has no upper bound, the service's next link names the
  ** state it reads at; not one that is still to come. */
  if( p->range.to.seqno == 0 && pPage->bound.seqno &&
      (head.seqno == 0 || pPage->bound.seqno <= head.seqno) ) {
    head = pPage->bound;
  }
  if( ledgerSnapshotAnswered(p->pSnapshot, p->pLedger, p, &p->range, head,
                             iNext, pPage->isLast && !bShort, pErr) ||
      pPage->isLast ) {
    return pErr->rc;
  }
  ledgerPagerBound(pLeg->pPager, flightMost(p));
  if( !pPage->isLast ) return LEDGER_OK;
  return ledgerSnapshotAnswered(p->pSnapshot, p->pLedger, p, &p->range, head,
                                iNext, 1, pErr);
}

/* What a page tells about the length of those that follow. */
static void flightMeasure(LedgerFlight *p, const FlightLeg *pLeg) {
  const LedgerPage *pPage = pLeg->pPage;
  if( !pPage->isLast && pPage->next.seqno > pLeg->iFrom ) {
    const i64 nSpan = pPage->next.seqno - pLeg->iFrom;
    /* Rows aren't spread evenly: somewhat less, lest half of the windows have
    ** a rest. Not where a page spans so many seqnos whatever they hold. */
    p->nWindow = nSpan == p->nSpan || nSpan < 16 ? nSpan : nSpan - nSpan / 16;
    p->nSpan = nSpan;
    if( pPage->nEntry > p->nRow ) p->nRow = pPage->nEntry;
  } else if( pPage->isLast && pLeg->iTo < INT64_MAX &&
             pPage->nEntry < p->nRow / 2 ) {
    const i64 nWas = pLeg->iTo - pLeg->iFrom + 1;
    const i64 nGrow = pPage->nEntry < p->nRow / 4 ? 4 : 2;
    if( nWas <= INT64_MAX / 8 && nWas * nGrow > p->nWindow &&
        nWas >= p->nWindow ) {
      p->nWindow = nWas * nGrow;
    }
  }
}

/* Whether the leg's page may have ended before the leg does: it just ends, and
** the node that was asked hadn't got so far, or may not have known that more is
** committed. */
static int flightIsShort(const LedgerFlight *p, const FlightLeg *pLeg) {
  const LedgerPage *pPage = pLeg->pPage;
  const i64 iNeeded = flightNeeded(p, pLeg->iTo);
  if( !pPage->isLast || pPage->isPast ) return 0;
  if( iNeeded < INT64_MAX && pPage->head.seqno &&
      (pPage->head.seqno < iNeeded ||
       pPage->head.view < ledgerViewsLeast(p->pLedger, iNeeded)) ) {
    return 1;
  }
  return pLeg->bEarly && (pLeg->iTo < INT64_MAX || flightIsFirm(p));
}

/* What follows a page's last row is asked for once more. */
static int flightAgain(LedgerFlight *p, FlightLeg *pLeg, LedgerError *pErr) {
  const LedgerPage *pPage = pLeg->pPage;
  i64 iNext = pLeg->iFrom;
  if( pPage->nEntry > 0 ) iNext = pPage->aEntry[pPage->nEntry - 1].id.seqno + 1;
  if( iNext > pLeg->iTo || iNext > flightMost(p) ) return LEDGER_OK;
  p->bNotEarly = 1;
  flightDropAfter(p, pLeg);
  return flightResume(p, iNext, 0, pErr);
}

/* The leg's request is done. */
static int flightTake(LedgerFlight *p, FlightLeg *pLeg, LedgerError *pErr) {
  LedgerPager *pRest = NULL;
  i64 iNext;
  int bShort, i;
  p->pLanes->nUnder--;
  pLeg->eState = LEG_HERE;
  if( ledgerPagerNext(pLeg->pPager, &pLeg->pPage, &pLeg->err) ) {
    pLeg->eState = LEG_FAILED;
    return LEDGER_OK;
  }
  if( ledgerPagerRefused(pLeg->pPager) ) pLeg->eState = LEG_REFUSED;
  if( pLeg->pPage == NULL ) return LEDGER_OK;
  ledgerLanesPage(p->pLanes, p->pLedger, pLeg->pPage);
  if( pLeg->pPage->nEntry > 0 ) {
    iNext = pLeg->pPage->aEntry[pLeg->pPage->nEntry - 1].id.seqno;
    if( iNext > p->iSeen ) p->iSeen = iNext;
  }
  /* The trunk just ends: it is known soon whether the bound is committed. */
  if( p->pStatus && pLeg->iTo == INT64_MAX && pLeg->pPage->isLast &&
      ledgerCallWaitAny(&p->pStatus, 1, &i, pErr) ) {
    return pErr->rc;
  }
  bShort = flightIsShort(p, pLeg);
  if( pLeg->iTo == INT64_MAX && flightAnswered(p, pLeg, bShort, pErr) ) {
    return pErr->rc;
  }
  flightMeasure(p, pLeg);
  if( bShort ) return flightAgain(p, pLeg, pErr);
  if( pLeg->pPage->isLast ) return LEDGER_OK;
  iNext = pLeg->pPage->next.seqno;
  if( iNext == 0 ) p->bOne = 1; /* its link tells nothing */
  if( iNext < pLeg->iFrom ) iNext = pLeg->iFrom;
  if( ledgerPagerFork(pLeg->pPager, &pRest, pErr) ) return pErr->rc;
  if( pLeg->iTo == INT64_MAX ) {
    p->iRest = iNext;
    p->pRest = pRest;
    p->linkFrom = pLeg->pPage->next;
    p->linkTo = pLeg->pPage->bound;
    return LEDGER_OK;
  }
  flightAddLeg(p, pLeg, pRest, iNext, pLeg->iTo, pErr);
  return pErr->rc;
}

/* Takes what has come in; it waits for a status alone (flightTake()). What that
** says is remembered where it is read; how it fails doesn't matter here. */
static int flightCollect(LedgerFlight *p, LedgerError *pErr) {
  FlightLeg *pLeg;
  int i;
  for( i = p->probe.nUsed - 1; i >= 0; i-- ) {
    char cNone;
    if( !ledgerCallIsDone(p->probe.apCall[i]) ) continue;
    ledgerCallFree(ledgerWindowTake(&p->probe, i, &cNone));
  }
  if( p->pStatus && ledgerCallIsDone(p->pStatus) ) {
    ledgerCallFree(p->pStatus);
    p->pStatus = NULL;
  }
  for( pLeg = p->pFirst; pLeg; pLeg = pLeg->pNext ) {
    if( pLeg->eState != LEG_UNDER ) continue;
    if( !ledgerCallIsDone(ledgerPagerCall(pLeg->pPager)) ) continue;
    if( flightTake(p, pLeg, pErr) ) return pErr->rc;
  }
  return LEDGER_OK;
}

/* ---- cutting ------------------------------------------------------------- */

/* The trunk's leg under way, or NULL. */
static FlightLeg *flightTrunk(const LedgerFlight *p) {
  FlightLeg *pLeg = flightLastLeg(p);
  return pLeg && pLeg->iTo == INT64_MAX && pLeg->eState == LEG_UNDER ? pLeg
                                                                     : NULL;
}

/* The bound is known to be committed now: it stays. */
static int flightFirm(LedgerFlight *p, LedgerError *pErr) {
  p->bEarly = 0;
  return ledgerSnapshotFirm(p->pSnapshot, p->pLedger, p->range.zSubLedger,
                            (LedgerTxid){0, 0}, pErr);
}

/* Whether windows may go ahead, by the service's link: it names ids of one
** view, so that those between are of it too, and reaches to the end. */
static int flightMayGo(const LedgerFlight *p, i64 iEnd) {
  return !p->bNotEarly && p->linkFrom.view > 0 &&
         p->linkFrom.view == p->linkTo.view && p->linkTo.seqno >= iEnd;
}

/* Begins to cut, where that is worth it and may be done. What the trunk asks
** for is the first window. Asks whether the bound is committed where that isn't
** known: without waiting. */
static int flightCut(LedgerFlight *p, LedgerError *pErr) {
  FlightLeg *pTrunk = flightTrunk(p);
  const i64 iFrom = pTrunk ? pTrunk->iFrom : p->iRest;
  i64 iEnd = flightMost(p);
  if( p->bCut || p->bOne || p->nWindow == 0 || iFrom <= 0 ||
      p->pLanes->nMost < 2 || (pTrunk == NULL && p->pRest == NULL) ) {
    return LEDGER_OK;
  }
  if( p->range.to.seqno && p->range.to.seqno < iEnd ) iEnd = p->range.to.seqno;
  if( iEnd == INT64_MAX || iEnd - iFrom < p->nWindow ) return LEDGER_OK;
  p->bEarly = !flightIsFirm(p);
  if( p->bEarly && !p->bAsked ) {
    p->bAsked = 1;
    ledgerStatusGet(p->pLedger->pClient,
                    ledgerSnapshotBoundId(p->pSnapshot, p->pLedger),
                    &p->pStatus, pErr);
  }
  if( pErr->rc || (p->bEarly && !flightMayGo(p, iEnd)) ) return pErr->rc;
  if( ledgerSnapshotCommitted(p->pSnapshot, p->pLedger) &&
      flightFirm(p, pErr) ) {
    return pErr->rc;
  }
  if( pTrunk == NULL ) {
    pTrunk =
        flightAddLeg(p, flightLastLeg(p), p->pRest, iFrom, INT64_MAX, pErr);
    p->pRest = NULL;
    if( pTrunk == NULL ) return pErr->rc;
  }
  pTrunk->iTo = iFrom + p->nWindow - 1;
  ledgerPagerBound(pTrunk->pPager, pTrunk->iTo);
  p->bCut = 1;
  p->iRest = pTrunk->iTo + 1;
  p->iEnd = iEnd;
  return LEDGER_OK;
}

/* Asks of which view the seqno is, where a window is to begin. Returns 0 where
** there is nothing left to ask. */
static int flightProbe(LedgerFlight *p, i64 iSeqno, LedgerError *pErr) {
  if( p->probe.nUsed ) return 1;
  if( p->iProbed == iSeqno ) return 0;
  p->iProbed = iSeqno;
  ledgerViewsAsk(p->pLedger, iSeqno, p->nWindow,
                 ledgerSnapshotTop(p->pSnapshot, p->pLedger), &p->probe, pErr);
  return p->probe.nUsed > 0;
}

/* The bounds of a window: ids that are known to be committed, or taken from the
** service's link. *pbNone: there are none, or none yet. */
static int flightBounds(LedgerFlight *p, i64 iFrom, i64 iTo,
                        LedgerRange *pRange, int *pbNone, LedgerError *pErr) {
  LedgerClient *pClient = p->pLedger->pClient;
  *pbNone = 0;
  *pRange = p->range;
  memset(&pRange->to, 0, sizeof(pRange->to));
  pRange->from.seqno = iFrom;
  pRange->bWindow = 1;
  if( p->bEarly && iTo < p->iEnd ) {
    pRange->from.view = p->linkFrom.view;
    pRange->to = p->linkTo;
    pRange->floor.view = p->linkTo.view;
    pRange->floor.seqno = iTo;
    return LEDGER_OK;
  }
  if( p->bEarly ) {
    *pbNone = 1;
    if( p->pStatus ) return LEDGER_OK; /* the answer is waited for */
    p->bNotEarly = 1;
    return flightResume(p, iFrom, 0, pErr);
  }
  pRange->from.view = ledgerClientView(pClient, iFrom);
  if( pRange->from.view == 0 ) {
    *pbNone = 1;
    if( flightProbe(p, iFrom, pErr) || pErr->rc ) return pErr->rc;
    return flightResume(p, iFrom, 0, pErr);
  }
  /* Not without an upper bound: a node that doesn't know yet that so much is
  ** committed refuses it, where it would end the page. */
  pRange->to.view = ledgerClientView(pClient, iTo);
  pRange->to.seqno = iTo;
  if( pRange->to.view == 0 ) {
    pRange->to = ledgerSnapshotTop(p->pSnapshot, p->pLedger);
  }
  pRange->floor.view = ledgerViewsLeast(p->pLedger, iTo);
  pRange->floor.seqno = iTo;
  return LEDGER_OK;
}

/* The next window, as a leg that waits; *ppLeg is NULL where there is none, or
** none yet. */
static int flightWindow(LedgerFlight *p, FlightLeg **ppLeg, LedgerError *pErr) {
  LedgerRange range;
  LedgerPager *pPager;
  const i64 iFrom = p->iRest;
  i64 iTo = p->iEnd;
  int bNone;
  *ppLeg = NULL;
  if( iFrom > p->iEnd ) return LEDGER_OK;
  if( p->bEarly && ledgerSnapshotCommitted(p->pSnapshot, p->pLedger) &&
      flightFirm(p, pErr) ) {
    return pErr->rc;
  }
  /* The last one may be as long as a page; a longer one would leave a rest. */
  if( iTo - iFrom >= p->nWindow && iTo - iFrom >= p->nSpan ) {
    iTo = iFrom + p->nWindow - 1;
  }
  if( flightBounds(p, iFrom, iTo, &range, &bNone, pErr) || bNone ) {
    return pErr->rc;
  }
  if( ledgerPagerOpen(p->pLedger->pClient, &range, &pPager, pErr) ) {
    return pErr->rc;
  }
  ledgerPagerBound(pPager, iTo);
  *ppLeg = flightAddLeg(p, flightLastLeg(p), pPager, iFrom, iTo, pErr);
  p->iRest = iTo + 1;
  return pErr->rc;
}

/* The next leg behind those there are. */
static int flightNextLeg(LedgerFlight *p, FlightLeg **ppLeg,
                         LedgerError *pErr) {
  *ppLeg = NULL;
  if( p->bCut && flightWindow(p, ppLeg, pErr) ) return pErr->rc;
  if( *ppLeg || p->bCut || p->pRest == NULL ) return LEDGER_OK;
  *ppLeg =
      flightAddLeg(p, flightLastLeg(p), p->pRest, p->iRest, INT64_MAX, pErr);
  p->pRest = NULL;
  return pErr->rc;
}

/* ---- sending ------------------------------------------------------------- */

/* Legs wanted beside the first one. */
static int flightAhead(const LedgerFlight *p, i64 nMore) {
  i64 n;
  if( nMore <= 0 || p->pLanes->nMost < 2 ) return 0;
  if( !p->bLimit ) return p->pLanes->nMost * 4;
  n = p->nRow > 0 ? (nMore - 1) / p->nRow + 1 : 1;
  if( n > p->nAhead ) n = p->nAhead;
  return (int)n;
}

/* Sends what may be sent: the first leg in any case where it is wanted (bNeed),
** those behind it while there are lanes. */
static int flightSend(LedgerFlight *p, i64 nMore, int bNeed,
                      LedgerError *pErr) {
  const int nAhead = flightAhead(p, nMore);
  const LedgerLanes *pLanes = p->pLanes;
  FlightLeg *pLeg;
  int n;
  if( nAhead > (p->bLimit ? 1 : 0) && flightCut(p, pErr) ) return pErr->rc;
  pLeg = p->pFirst;
  for( n = 0; n <= nAhead; n++ ) {
    if( !(n == 0 && bNeed) && (pLanes->nUnder >= pLanes->nWide ||
                               (pLeg == NULL && ledgerLanesFull(pLanes))) ) {
      break;
    }
    if( pLeg == NULL && flightNextLeg(p, &pLeg, pErr) ) return pErr->rc;
    if( pLeg == NULL ) break;
    if( pLeg->eState == LEG_WAITING ) {
      pLeg->bEarly = !flightIsFirm(p);
      if( ledgerPagerPrefetch(pLeg->pPager, pErr) ) return pErr->rc;
      pLeg->eState = ledgerPagerCall(pLeg->pPager) ? LEG_UNDER : LEG_HERE;
      if( pLeg->eState == LEG_UNDER ) p->pLanes->nUnder++;
    }
    pLeg = pLeg->pNext;
  }
  return LEDGER_OK;
}

int ledgerFlightStart(LedgerFlight *p, i64 nMore, LedgerError *pErr) {
  if( flightCollect(p, pErr) || nMore < 0 ) return pErr->rc;
  return flightSend(p, nMore, 0, pErr);
}

/* ---- handing out --------------------------------------------------------- */

/* Waits until something comes in. */
static int flightWait(LedgerFlight *p, LedgerError *pErr) {
  LedgerCall *apCall[FLIGHT_LEGS + FLIGHT_STATUS];
  FlightLeg *pLeg;
  int n = 0, i;
  /* The first page is what is wanted: it comes first. */
  for( pLeg = p->pFirst; pLeg && n < FLIGHT_LEGS; pLeg = pLeg->pNext ) {
    if( pLeg->eState == LEG_UNDER ) apCall[n++] = ledgerPagerCall(pLeg->pPager);
  }
  for( i = 0; i < p->probe.nUsed; i++ ) apCall[n++] = p->probe.apCall[i];
  if( p->pStatus ) apCall[n++] = p->pStatus;
  return ledgerCallWaitAny(apCall, n, &i, pErr);
}

/* The first leg is refused: it and all behind it give way to the trunk. */
static int flightGiveWay(LedgerFlight *p, LedgerError *pErr) {
  const i64 iFrom = p->pFirst->iFrom;
  const int bEarly = p->pFirst->bEarly;
  flightDropAfter(p, NULL);
  p->bNotEarly = 1;
  return flightResume(p, iFrom, !bEarly, pErr);
}

/* Whether windows wait for a status. */
static int flightIsHeld(const LedgerFlight *p) {
  return p->probe.nUsed > 0 ||
         (p->bCut && p->bEarly && p->pStatus && p->iRest <= p->iEnd);
}

static void flightDropFirst(LedgerFlight *p) {
  FlightLeg *pLeg = p->pFirst;
  p->pFirst = pLeg->pNext;
  p->bShown = 0;
  flightFreeLeg(p, pLeg);
}

int ledgerFlightSound(const LedgerFlight *p) {
  return p->bSound;
}

int ledgerFlightNext(LedgerFlight *p, i64 nMore, const LedgerPage **ppPage,
                     int *piEntry, LedgerError *pErr) {
  *ppPage = NULL;
  *piEntry = 0;
  if( p->bShown ) flightDropFirst(p);
  for( ;; ) {
    const LedgerPage *pPage;
    FlightLeg *pLeg;
    if( flightCollect(p, pErr) ) break;
    /* As many rows as a page has will come without any other. */
    if( flightSend(p, nMore - p->nRow, 1, pErr) ) break;
    pLeg = p->pFirst;
    if( pLeg == NULL && !flightIsHeld(p) ) break; /* the end */
    if( pLeg == NULL || pLeg->eState == LEG_UNDER ) {
      if( flightWait(p, pErr) ) break;
      continue;
    }
    if( pLeg->eState == LEG_FAILED ) {
      ledgerErrorCopy(pErr, &pLeg->err);
      break;
    }
    if( pLeg->eState == LEG_REFUSED ) {
      if( flightGiveWay(p, pErr) ) break;
      continue;
    }
    pPage = pLeg->pPage;
    p->bSound =
        pPage == NULL || pPage->isPast || !(pLeg->bEarly || pPage->isUnbounded);
    if( pPage == NULL ) {
      flightDropFirst(p);
      continue;
    }
    p->bShown = 1;
    while( *piEntry < pPage->nEntry &&
           pPage->aEntry[*piEntry].id.seqno < pLeg->iFrom ) {
      ++*piEntry;
    }
    if( pPage->nEntry ) p->last = pPage->aEntry[pPage->nEntry - 1].id;
    if( p->nAhead < 1 << 20 ) p->nAhead = p->nAhead ? p->nAhead * 2 : 1;
    *ppPage = pPage;
    /* What is wanted behind it goes out before it is shown. */
    return flightSend(p, nMore - pPage->nEntry, 0, pErr);
  }
  return pErr->rc;
}
