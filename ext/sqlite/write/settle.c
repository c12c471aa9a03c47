/*
** What became of rows that were sent: the one settler of COMMIT,
** ledger_append() and ledger_flush().
**
**     SELECT ledger_option('reconcile', 'on');
**
** Requests: of rows that were accepted, GET /app/transactions/{id}/status of
** the last one, and where that was taken back, of as many as it takes to find
** the last one that was not. Of rows without an answer, by a session of its
** own: GET /app/transactions/current, the status of the id in its header, and
** GET /app/transactions of the rows' sub-ledgers up to that id, from where the
** look before ended; once settle_ms are over, one POST /app/transactions to
** sub-ledger ledger_reconcile.
**
** A row without an answer
**   - is recorded, if an entry with its contents lies above what was committed
**     when it was sent, and below a state that is committed;
**   - is not, and never will be, if there is none up to a committed id T of a
**     higher view than the one its session was tied to: CCF records a write of
**     a session in that view or never, and what a view has recorded lies below
**     the first id of the next. Nothing is appended for that. Where a front end
**     was seen to break sessions silently this proves nothing;
**   - is not, if the ledger had answered with an id, and there is no such entry
**     up to a committed T at or above it, or of a later view (which may have
**     begun below it);
**   - within a view nothing proves that it is not: a request held on its way
**     was recorded above entries that were appended and committed later (tried
**     on CCF). It can't be held longer than a node keeps an idle connection, 60
**     s. So settle_ms (65 s) after the connection broke, and not before, it is
**     concluded: up to one entry appended then, for a node that is read may
**     lag. Its status is asked by the session that then reads. It is not
**     appended again while it may be there: one without an answer is looked for
**     first, and one that has an id is waited for.
**
** Invariants
**   - rows of the same contents are interchangeable: k entries settle k rows,
**     in their order; more entries than rows prove nothing, and then all stay
**     open;
**   - an entry that is known to be another row's is given to none;
**   - what is committed doesn't change: what a look has read up to a committed
**     state is not read again;
**   - a read that fails settles nothing, nor does one of a node that lags
**     behind the state up to which it was asked.
**
** It is right as long as nobody else has written the same contents to the same
** sub-ledger since the row was sent. ext/doc/transactions.md says so.
*/
#include "sqlite/write/write.h"

#include <stdlib.h>
#include <string.h>

#define SETTLE_POLL_MS 20     /* pause before the second look; it doubles */
#define SETTLE_POLL_MAX 5000  /* ... up to this */
#define SETTLE_POLL_FAIL 1000 /* ... and to this behind one that failed */

int ledgerSettleCount(const LedgerSend *p, int eState) {
  int i, n = 0;
  for( i = 0; i < p->nRow; i++ ) n += p->apRow[i]->eState == eState;
  return n;
}

/* ---- rows that were accepted --------------------------------------------- */

/* The row is recorded for good. */
static void settleCommitted(LedgerQueued *pRow) {
  pRow->eState = LEDGER_COMMITTED;
  if( pRow->bOtherSubLedger ) return; /* it says so */
  sqlite3_free(pRow->zError);         /* of an attempt before */
  pRow->zError = NULL;
}

/* A change of view took the row back: it is to be sent again. */
static void settleLost(LedgerSend *p, LedgerQueued *pRow) {
  char zId[LEDGER_TXID_MAX];
  ledgerProgressCount(p->pConn->pProgress, LEDGER_PROGRESS_SENT, -1);
  pRow->eState = LEDGER_QUEUED;
  sqlite3_free(pRow->zError);
  pRow->zError = sqlite3_mprintf("a change of view took %s back",
                                 ledgerTxidFormat(pRow->id, zId));
  pRow->lost = pRow->id;
  memset(&pRow->id, 0, sizeof(pRow->id));
  p->nLost++;
}

static int settleBySeqno(const void *pA, const void *pB) {
  const LedgerQueued *a = *(LedgerQueued *const *)pA;
  const LedgerQueued *b = *(LedgerQueued *const *)pB;
  return a->id.seqno < b->id.seqno ? -1 : a->id.seqno > b->id.seqno;
}

/* The pending rows of the highest view, ascending, into apRow. */
static int settleView(const LedgerSend *p, LedgerQueued **apRow) {
  int i, n = 0;
  i64 iView = 0;
  for( i = 0; i < p->nRow; i++ ) {
    const LedgerQueued *pRow = p->apRow[i];
    if( pRow->eState == LEDGER_PENDING && pRow->id.view > iView ) {
      iView = pRow->id.view;
    }
  }
  for( i = 0; i < p->nRow; i++ ) {
    LedgerQueued *pRow = p->apRow[i];
    if( pRow->eState == LEDGER_PENDING && pRow->id.view == iView ) {
      apRow[n++] = pRow;
    }
  }
  qsort(apRow, (size_t)n, sizeof(*apRow), settleBySeqno);
  return n;
}

/* Two rows can't be one entry: an answer was wrong, and nobody knows which. */
static int settleTwice(LedgerQueued **apRow, int n, LedgerError *pErr) {
  char zId[LEDGER_TXID_MAX];
  int i;
  for( i = 1; i < n; i++ ) {
    if( apRow[i]->id.seqno != apRow[i - 1]->id.seqno ) continue;
    ledgerTxidFormat(apRow[i]->id, zId);
    ledgerErrorSet(pErr, LEDGER_IOERR,
                   "the ledger answered two rows with the same id, %s: whether "
                   "it recorded both is unknown",
                   zId);
    apRow[i]->eState = LEDGER_UNKNOWN;
    apRow[i]->tUnknown = ledgerClockMs();
    memset(&apRow[i]->id, 0, sizeof(apRow[i]->id));
    sqlite3_free(apRow[i]->zError);
    apRow[i]->zError = sqlite3_mprintf("%s", ledgerErrorText(pErr));
    return pErr->rc;
  }
  return LEDGER_OK;
}

/*
** Waits until every row that was accepted is recorded for good, or taken back.
** One answer serves all rows of a view: what is committed has all below it, and
** what was taken back has lost all above it. So after a change of view the
** boundary is found by halving.
*/
int ledgerSettleAccepted(LedgerSend *p, LedgerError *pErr) {
  LedgerClient *pClient = p->pLedger->pClient;
  LedgerQueued **apRow = NULL;
  int n;
  if( ledgerSettleCount(p, LEDGER_PENDING) == 0 ) return LEDGER_OK;
  apRow = sqlite3_malloc64(sizeof(*apRow) * (sqlite3_uint64)p->nRow);
  if( apRow == NULL ) return ledgerErrorNomem(pErr);
  while( (n = settleView(p, apRow)) > 0 ) {
    int iLow = 0, iHigh = n, i = n - 1; /* iHigh: the first that is lost */
    if( settleTwice(apRow, n, pErr) ) break;
    while( iLow < iHigh ) {
      int eState = LEDGER_TX_PENDING;
      if( ledgerStatusWait(pClient, apRow[i]->id, &eState, pErr) ) break;
      if( eState == LEDGER_TX_INVALID ) {
        iHigh = i;
      } else {
        iLow = i + 1;
      }
      i = (iLow + iHigh) / 2;
    }
    for( i = 0; i < iLow; i++ ) settleCommitted(apRow[i]);
    if( pErr->rc ) break;
    for( i = iHigh; i < n; i++ ) settleLost(p, apRow[i]);
  }
  sqlite3_free(apRow);
  return pErr->rc;
}

/* ---- rows without an answer ---------------------------------------------- */

/* An entry that may be a row's: the first open row with these contents. */
typedef struct SettleMatch SettleMatch;
struct SettleMatch {
  LedgerTxid id;
  int iRow;   /* index in LedgerSend.apRow */
  int iGiven; /* the row that gets it, or -1 */
};

typedef struct Settle Settle;
struct Settle {
  LedgerSend *pSend;
  int nMatch;
  SettleMatch *aMatch; /* sqlite3_free; ascending within a sub-ledger */

  char zBarrier[64];  /* contents of the entry for freshness; "": none yet */
  LedgerTxid before;  /* committed when that was first sent */
  LedgerTxid barrier; /* its id, or 0 */
  int bOpen;          /* one of these contents was sent and not answered */
};

/* Is the row one without an answer, to this sub-ledger (NULL: to any)? */
static int settleIsOpen(const LedgerQueued *pRow, const char *zSubLedger) {
  return pRow->pKind == NULL && pRow->eState == LEDGER_UNKNOWN &&
         (zSubLedger == NULL || strcmp(pRow->zSubLedger, zSubLedger) == 0);
}

static int settleSame(const LedgerQueued *pRow, const char *z, size_t n) {
  return pRow->nContents == n && memcmp(pRow->zContents, z, n) == 0;
}

/* Whether the entry is known to be another row's: of none of the open ones of
** these contents, which are interchangeable. */
static int settleTaken(Settle *p, LedgerTxid id, int iRow, int *pbTaken,
                       LedgerError *pErr) {
  const LedgerSend *pSend = p->pSend;
  const LedgerQueued *pFirst = pSend->apRow[iRow];
  int i;
  *pbTaken = 1;
  for( i = iRow; i < pSend->nRow && *pbTaken; i++ ) {
    const LedgerQueued *pRow = pSend->apRow[i];
    if( settleIsOpen(pRow, pFirst->zSubLedger) &&
        settleSame(pRow, pFirst->zContents, pFirst->nContents) ) {
      *pbTaken = ledgerAppendedTaken(pSend->pConn, pSend->pLedger, id, pRow);
    }
  }
  for( i = 0; i < pSend->nRow && !*pbTaken; i++ ) {
    const LedgerQueued *pRow = pSend->apRow[i];
    *pbTaken = pRow->id.seqno == id.seqno && pRow->eState != LEDGER_UNKNOWN;
  }
  if( *pbTaken || pSend->xTaken == NULL ) return LEDGER_OK;
  return pSend->xTaken(pSend->pArg, pSend->apRow[iRow], id, pbTaken, pErr);
}

/* Notes an entry that may be a row's. */
static int settleNote(Settle *p, const char *zSubLedger,
                      const LedgerEntry *pEntry, LedgerError *pErr) {
  SettleMatch *pNew;
  int i, iFirst = -1, iHint = -1, bTaken = 0;
  for( i = 0; i < p->pSend->nRow; i++ ) {
    const LedgerQueued *pRow = p->pSend->apRow[i];
    if( !settleIsOpen(pRow, zSubLedger) ||
        !settleSame(pRow, pEntry->zContents, pEntry->nContents) ) {
      continue;
    }
    if( pRow->id.seqno ) {
      if( ledgerTxidCompare(pRow->id, pEntry->id) == 0 ) iHint = i;
    } else if( iFirst < 0 && pEntry->id.seqno > pRow->before.seqno ) {
      iFirst = i;
    }
  }
  if( iHint < 0 && iFirst < 0 ) return LEDGER_OK;
  if( iHint < 0 && settleTaken(p, pEntry->id, iFirst, &bTaken, pErr) ) {
    return pErr->rc;
  }
  if( bTaken ) return LEDGER_OK;
  if( (p->nMatch & (p->nMatch - 1)) == 0 ) { /* full at powers of two */
    const int nNew = p->nMatch ? 2 * p->nMatch : 1;
    pNew = sqlite3_realloc64(p->aMatch, sizeof(*pNew) * (sqlite3_uint64)nNew);
    if( pNew == NULL ) return ledgerErrorNomem(pErr);
    p->aMatch = pNew;
  }
  pNew = &p->aMatch[p->nMatch++];
  pNew->id = pEntry->id;
  pNew->iRow = iFirst;
  pNew->iGiven = iHint;
  return LEDGER_OK;
}

/* Whether the page is of a node that has all up to `to`: a front end may have
** sent its request to another one than that which showed `to`. One that is
** still in an earlier view may have a longer tail, and nothing of this one. */
static int settleCovers(const LedgerPage *pPage, LedgerTxid to,
                        LedgerError *pErr) {
  char zHas[LEDGER_TXID_MAX], zTo[LEDGER_TXID_MAX];
  if( pPage->head.seqno == 0 ||
      (pPage->head.seqno >= to.seqno && pPage->head.view >= to.view) ) {
    return LEDGER_OK;
  }
  return ledgerErrorSet(
      pErr, LEDGER_BUSY,
      "the node that was read has %s only, and lags behind %s",
      ledgerTxidFormat(pPage->head, zHas), ledgerTxidFormat(to, zTo));
}

/* Reads a sub-ledger for its open rows, up to the committed id `to`. */
static int settleRead(Settle *p, const char *zSubLedger, LedgerTxid to,
                      LedgerError *pErr) {
  LedgerPager *pPager = NULL;
  const LedgerPage *pPage = NULL;
  LedgerRange range;
  int i, rc;
  memset(&range, 0, sizeof(range));
  range.zSubLedger = zSubLedger;
  range.to = to;
  for( i = 0; i < p->pSend->nRow; i++ ) {
    const LedgerQueued *pRow = p->pSend->apRow[i];
    LedgerTxid from = pRow->before;
    if( !settleIsOpen(pRow, zSubLedger) ) continue;
    from.seqno++;
    if( range.from.seqno == 0 || from.seqno < range.from.seqno ) {
      range.from = from;
    }
  }
  if( range.from.seqno > to.seqno ) return LEDGER_OK;
  rc = ledgerPagerOpen(p->pSend->pLedger->pClient, &range, &pPager, pErr);
  while( rc == LEDGER_OK ) {
    rc = ledgerPagerNext(pPager, &pPage, pErr);
    if( rc || pPage == NULL ) break;
    rc = settleCovers(pPage, to, pErr);
    for( i = 0; i < pPage->nEntry && rc == LEDGER_OK; i++ ) {
      rc = settleNote(p, zSubLedger, &pPage->aEntry[i], pErr);
    }
  }
  ledgerPagerClose(pPager);
  return pErr->rc;
}

/* Gives the entries of a sub-ledger to its open rows, each the first one that
** is left; in strict order behind that of the row before. */
static void settleGive(Settle *p, const char *zSubLedger, int kFirst) {
  LedgerSend *pSend = p->pSend;
  const int bAny =
      ledgerClientConfig(pSend->pLedger->pClient)->appendAnyOrder != 0;
  int i, k, kNext = kFirst;
  for( i = 0; i < pSend->nRow; i++ ) {
    const LedgerQueued *pRow = pSend->apRow[i];
    if( !settleIsOpen(pRow, zSubLedger) || pRow->id.seqno ) continue;
    for( k = bAny ? kFirst : kNext; k < p->nMatch; k++ ) {
      const LedgerQueued *pLike;
      SettleMatch *pMatch = &p->aMatch[k];
      if( pMatch->iGiven >= 0 || pMatch->iRow < 0 ) continue;
      pLike = pSend->apRow[pMatch->iRow];
      if( pMatch->id.seqno <= pRow->before.seqno ||
          !settleSame(pRow, pLike->zContents, pLike->nContents) ) {
        continue;
      }
      pMatch->iGiven = i;
      kNext = k + 1;
      break;
    }
  }
}

/* Finds what there is of the open rows up to `to`, and gives it to them. Where
** an entry is left over, nothing is given: *pErr says which row it is about. */
static int settleFind(Settle *p, LedgerTxid to, LedgerError *pErr) {
  LedgerSend *pSend = p->pSend;
  int i, k;
  p->nMatch = 0;
  for( i = 0; i < pSend->nRow; i++ ) {
    const char *zSubLedger = pSend->apRow[i]->zSubLedger;
    int kFirst = p->nMatch;
    if( !settleIsOpen(pSend->apRow[i], NULL) ) continue;
    for( k = 0; k < i; k++ ) { /* read already? */
      if( settleIsOpen(pSend->apRow[k], zSubLedger) ) break;
    }
    if( k < i ) continue;
    if( settleRead(p, zSubLedger, to, pErr) ) return pErr->rc;
    settleGive(p, zSubLedger, kFirst);
  }
  for( k = 0; k < p->nMatch; k++ ) {
    const SettleMatch *pMatch = &p->aMatch[k];
    if( pMatch->iGiven >= 0 ) continue;
    pSend->pDoubt = pSend->apRow[pMatch->iRow];
    pSend->doubt = pMatch->id;
    return ledgerErrorSet(
        pErr, LEDGER_CONSTRAINT,
        "several entries have the contents of one row, so there is no telling "
        "which of them it is, if any");
  }
  for( k = 0; k < p->nMatch; k++ ) {
    LedgerQueued *pRow = pSend->apRow[p->aMatch[k].iGiven];
    pRow->id = p->aMatch[k].id;
    pSend->pConn->last = pRow->id;
    settleCommitted(pRow);
  }
  for( i = 0; i < pSend->nRow; i++ ) {
    LedgerQueued *pRow = pSend->apRow[i];
    if( settleIsOpen(pRow, NULL) && pRow->before.seqno < to.seqno ) {
      pRow->before = to; /* the next look begins behind it */
    }
  }
  return LEDGER_OK;
}

/* What a gateway has queued, or may have, comes when it comes. */
static int settleMayCome(const LedgerSend *p, const LedgerQueued *pRow) {
  return pRow->bGateway || ledgerClientConfig(p->pLedger->pClient)->tlsPublic;
}

/* Whether it is proved that a row which isn't there up to the committed id `to`
** never will be. bOver: settle_ms are over, and `to` is an entry of then. */
static int settleProved(const LedgerSend *p, const LedgerQueued *pRow,
                        LedgerTxid to, int bOver) {
  if( settleMayCome(p, pRow) ) return 0;
  if( pRow->id.seqno ) {
    return to.seqno >= pRow->id.seqno || to.view > pRow->id.view;
  }
  return bOver || (pRow->iView && to.view > pRow->iView);
}

/* Queues the rows that are proved to be absent. How many are open still. */
static int settleAbsent(LedgerSend *p, LedgerTxid to, int bOver) {
  int i, nOpen = 0;
  for( i = 0; i < p->nRow; i++ ) {
    LedgerQueued *pRow = p->apRow[i];
    if( !settleIsOpen(pRow, NULL) ) continue;
    if( settleProved(p, pRow, to, bOver) ) {
      if( pRow->id.seqno ) {
        settleLost(p, pRow);
        continue;
      }
      pRow->eState = LEDGER_QUEUED;
      sqlite3_free(pRow->zError);
      pRow->zError = NULL;
    } else {
      nOpen++;
    }
  }
  return nOpen;
}

/* Milliseconds until settle_ms are over for all open rows. */
static i64 settleLeft(const LedgerSend *p) {
  i64 tNow = ledgerClockMs(), msLeft = 0;
  int i;
  for( i = 0; i < p->nRow; i++ ) {
    i64 ms = p->apRow[i]->tUnknown + p->msSettle - tNow;
    if( settleIsOpen(p->apRow[i], NULL) && ms > msLeft ) msLeft = ms;
  }
  return msLeft;
}

/* Why the open rows stay open, though settle_ms are over. */
static int settleGiveUp(LedgerSend *p, LedgerError *pErr) {
  const int bBarrier = ledgerClientConfig(p->pLedger->pClient)->barrier != 0;
  char zId[LEDGER_TXID_MAX];
  int i;
  for( i = 0; i < p->nRow; i++ ) {
    const LedgerQueued *pRow = p->apRow[i];
    if( !settleIsOpen(pRow, NULL) ) continue;
    if( settleMayCome(p, pRow) ) {
      return ledgerErrorSet(pErr, LEDGER_IOERR,
                            "row %d of %d is not there, but a gateway %s "
                            "queued it and may record it yet",
                            i + 1, p->nRow,
                            pRow->bGateway ? "has" : "may have");
    }
    if( bBarrier && pRow->id.seqno ) {
      return ledgerErrorSet(pErr, LEDGER_IOERR,
                            "row %d of %d is not there, and the ledger has not "
                            "come to the id that it was answered with, %s",
                            i + 1, p->nRow, ledgerTxidFormat(pRow->id, zId));
    }
  }
  return ledgerErrorSet(pErr, LEDGER_IOERR,
                        "it is not seen, but a node that lags would not show "
                        "it, and option barrier = off forbids the entry in "
                        "sub-ledger '" LEDGER_BARRIER_SUB_LEDGER
                        "' that would tell");
}

/* Looks for the entry that was appended for freshness and not answered. */
static int settleBarrierFind(Settle *p, LedgerError *pErr) {
  LedgerPager *pPager = NULL;
  const LedgerPage *pPage = NULL;
  LedgerRange range;
  int i, rc;
  memset(&range, 0, sizeof(range));
  range.zSubLedger = LEDGER_BARRIER_SUB_LEDGER;
  range.from = p->before;
  range.from.seqno++;
  rc = ledgerPagerOpen(p->pSend->pLedger->pClient, &range, &pPager, pErr);
  while( rc == LEDGER_OK && p->barrier.seqno == 0 ) {
    rc = ledgerPagerNext(pPager, &pPage, pErr);
    if( rc || pPage == NULL ) break;
    for( i = 0; i < pPage->nEntry; i++ ) {
      const LedgerEntry *pEntry = &pPage->aEntry[i];
      if( pEntry->nContents == strlen(p->zBarrier) &&
          memcmp(pEntry->zContents, p->zBarrier, pEntry->nContents) == 0 ) {
        p->barrier = pEntry->id;
      }
    }
  }
  ledgerPagerClose(pPager);
  return pErr->rc;
}

/* Appends it, by the session in use. Its contents are of this settling only, so
** that what is found is known to be from after settle_ms. */
static int settleBarrierAppend(Settle *p, LedgerError *pErr) {
  LedgerClient *pClient = p->pSend->pLedger->pClient;
  LedgerError wait = LEDGER_ERROR_INIT;
  LedgerCall *pCall = NULL;
  LedgerAppend append;
  LedgerFacts facts;
  int eOutcome = LEDGER_UNSENT;
  if( p->zBarrier[0] == 0 ) {
    sqlite3_uint64 iRandom;
    sqlite3_randomness(sizeof(iRandom), &iRandom);
    sqlite3_snprintf(sizeof(p->zBarrier), p->zBarrier,
                     "{\"sqlite-ledger\":\"barrier\",\"id\":\"%016llx\"}",
                     iRandom);
    ledgerClientFacts(pClient, &facts);
    p->before = facts.committed;
  }
  memset(&append, 0, sizeof(append));
  append.zContents = p->zBarrier;
  append.nContents = strlen(p->zBarrier);
  append.zSubLedger = LEDGER_BARRIER_SUB_LEDGER;
  if( ledgerAppendStart(pClient, &append, &pCall, pErr) == LEDGER_OK ) {
    ledgerCallWait(pCall, &wait); /* the result knows it too */
    ledgerErrorClear(&wait);
    ledgerAppendResult(pCall, &eOutcome, &p->barrier, pErr);
    p->bOpen |= eOutcome == LEDGER_OUTCOME_UNKNOWN;
    if( eOutcome == LEDGER_OUTCOME_UNKNOWN && pErr->rc == LEDGER_ERROR ) {
      pErr->rc = LEDGER_IOERR; /* another look may find it */
    }
  }
  ledgerCallFree(pCall);
  return pErr->rc;
}

/* The entry that shows what is below it: its id, once the session in use says
** that it is committed. */
static int settleBarrier(Settle *p, LedgerTxid *pId, LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  int eState = LEDGER_TX_PENDING;
  if( p->barrier.seqno == 0 && p->bOpen ) settleBarrierFind(p, &err);
  if( err.rc == LEDGER_OK && p->barrier.seqno == 0 ) {
    settleBarrierAppend(p, &err);
  }
  if( err.rc == LEDGER_OK &&
      ledgerStatusWait(p->pSend->pLedger->pClient, p->barrier, &eState, &err) ==
          LEDGER_OK &&
      eState == LEDGER_TX_INVALID ) {
    memset(&p->barrier, 0, sizeof(p->barrier));
    ledgerErrorSet(&err, LEDGER_BUSY, "a change of view took it back");
  }
  *pId = p->barrier;
  if( err.rc ) {
    ledgerErrorWrap(pErr, &err,
                    "it is not seen, but a node that lags would not show it, "
                    "and the entry in sub-ledger '" LEDGER_BARRIER_SUB_LEDGER
                    "' that tells them apart failed: %s",
                    ledgerErrorText(&err));
  }
  ledgerErrorClear(&err);
  return pErr->rc;
}

/* May an entry appended now tell anything of the open rows? */
static int settleCanEnd(const LedgerSend *p) {
  int i;
  if( !ledgerClientConfig(p->pLedger->pClient)->barrier ) return 0;
  for( i = 0; i < p->nRow; i++ ) {
    if( settleIsOpen(p->apRow[i], NULL) && !settleMayCome(p, p->apRow[i]) ) {
      return 1;
    }
  }
  return 0;
}

/* One look, by a session of its own: a committed state, all up to it, and what
** follows. Where that leaves rows open, and settle_ms are over (*pbOver), the
** same up to an entry appended for it. Once that has an id no other will do. */
static int settleLook(Settle *p, int *pnOpen, int *pbOver, LedgerError *pErr) {
  LedgerSend *pSend = p->pSend;
  LedgerClient *pClient = pSend->pLedger->pClient;
  LedgerSession *pSession = NULL;
  const char *zSubLedger = NULL;
  LedgerTxid to;
  int i;
  *pbOver = 0;
  for( i = 0; i < pSend->nRow && zSubLedger == NULL; i++ ) {
    if( settleIsOpen(pSend->apRow[i], NULL) ) {
      zSubLedger = pSend->apRow[i]->zSubLedger;
    }
  }
  if( ledgerSessionOpen(pClient, &pSession, pErr) ) return pErr->rc;
  ledgerSessionUse(pClient, pSession);
  if( p->barrier.seqno == 0 ) {
    if( ledgerHeadCommitted(pSend->pLedger, zSubLedger, 1, &to, pErr) ||
        settleFind(p, to, pErr) ) {
      goto out;
    }
    *pnOpen = settleAbsent(pSend, to, 0);
  }
  *pbOver = *pnOpen > 0 && settleLeft(pSend) == 0;
  if( !*pbOver || !settleCanEnd(pSend) ) goto out;
  if( settleBarrier(p, &to, pErr) || settleFind(p, to, pErr) ) goto out;
  *pnOpen = settleAbsent(pSend, to, 1);
out:
  ledgerSessionUse(pClient, NULL);
  ledgerSessionClose(pSession);
  return pErr->rc;
}

int ledgerSettleUnknown(LedgerSend *p, LedgerError *pErr) {
  LedgerClient *pClient = p->pLedger->pClient;
  const LedgerConfig *pConfig = ledgerClientConfig(pClient);
  int i, bOver = 0, nOpen = 0, nLook = 0;
  i64 tFail = 0, ms = SETTLE_POLL_MS;
  Settle settle;

  memset(&settle, 0, sizeof(settle));
  settle.pSend = p;
  p->pDoubt = NULL;
  for( i = 0; i < p->nRow; i++ ) nOpen += settleIsOpen(p->apRow[i], NULL);
  while( nOpen > 0 ) {
    const int msBudget = nLook++ > 0 && settleLeft(p) == 0
                             ? pConfig->timeoutMs
                             : pConfig->retry.budgetMs;
    i64 msLeft;
    if( settleLook(&settle, &nOpen, &bOver, pErr) == LEDGER_OK ) {
      tFail = 0;
      if( nOpen == 0 ) break;
      if( bOver ) {
        settleGiveUp(p, pErr);
        break;
      }
      msLeft = settleLeft(p);
      if( ms > msLeft ) ms = msLeft;
    } else {
      const i64 tNow = ledgerClockMs();
      if( tFail == 0 ) tFail = tNow;
      if( pErr->rc != LEDGER_IOERR && pErr->rc != LEDGER_BUSY ) break;
      if( tNow - tFail + ms > msBudget ) break;
      ledgerErrorClear(pErr);
      if( ms > SETTLE_POLL_FAIL ) ms = SETTLE_POLL_FAIL;
    }
    if( ms > 0 &&
        ledgerClientSleep(pClient, (int)ms, "rows without an answer", pErr) ) {
      break;
    }
    ms = ms > SETTLE_POLL_MAX / 2 ? SETTLE_POLL_MAX
                                  : 2 * ms + (ms == 0) * SETTLE_POLL_MS;
  }
  sqlite3_free(settle.aMatch);
  return pErr->rc;
}
