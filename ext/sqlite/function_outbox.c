/*
** The outbox sent: what waits in main.ledger_outbox (sql/outbox.sql) goes to
** the ledger, each row once, whatever happens in between.
**
**     SELECT ledger_flush();
**     SELECT ledger_flush('{"ledger":"pay","settle_ms":20000}');
**     SELECT ledger_flush('{"order":"strict"}');
**
** Requests: POST /app/transactions for each row, one at a time, in the order of
** the ids; GET /app/transactions/{id}/status for the last one of a batch, until
** it is committed. Before the first: GET /app/transactions/current and its
** status, the committed head. To settle: the same, then GET /app/transactions
** of the sub-ledger behind the head that was noted.
**
** How a row comes to be sent once
**   1. It is marked `sending` on disk, with the committed head, before anything
**      of it leaves: whatever the ledger has of it later lies behind that head.
**   2. It is sent; the ledger's answer gives its id; when that is committed,
**      row and id are written down. Where the wait fails the id is kept.
**   3. A row found `sending` (by the next flush, or since no answer came) is
**      looked for: its sub-ledger is read from the head on, up to a state that
**      is committed. With an id it is the entry of that id. Without one it was
**      the last that was sent (or all of the batch is unanswered): the head was
**      raised above the rows before it, and what lies behind is given to the
**      rows in their order, so that equal contents count. Nothing is asked of
**      rows that are committed: they may be gone.
**   4. What is not found is sent again, but not before settle_ms are over since
**      it was sent (the request may still be on its way), and not before it was
**      looked for up to a barrier: a node that lags shows less than there is
**      (barrier.c).
**
** Order: rows are sent one after another, by id. A change of view may take back
** rows of a batch and leave one behind them, the first that is answered from
** the new view; no more are sent then, and the flush ends with an error that
** names both. With order = strict a batch is one row, and this can't happen.
*/
#include "outboxInt.h"

#include <string.h>
#include <unistd.h>

#define FLUSH_BATCH 100       /* rows marked, and waited for, at a time */
#define FLUSH_SETTLE_MS 10000 /* default of settle_ms */
#define FLUSH_REFUSED 10      /* rows refused in a row that end the flush */
#define FLUSH_STALL 5         /* rounds in a row that got nothing committed */

/* One call of ledger_flush(), one ledger. */
typedef struct Flush Flush;
struct Flush {
  LedgerDb *pDb;
  Outbox *pOutbox;
  const char *zLedger;   /* its name, as the rows have it */
  Ledger *pLedger;       /* counted reference */
  LedgerClient *pClient; /* its client */
  i64 msSettle;          /* settle_ms */
  LedgerTxid head;       /* committed, and below every entry sent next */
  LedgerTxid accepted;   /* the last one whose commit was not seen */
  i64 nDone;             /* rows committed */
  int bStrict;           /* option order: each row waits for the one before */
  LedgerError refused;   /* why the first one is refused */
  i64 nRefused;          /* rows refused */
  int nInRow;            /* the last ones, without one accepted between */
};

/* ---- settling ---------------------------------------------------------- */

/* An entry that may be a row's: the first row with these contents. */
typedef struct FlushMatch FlushMatch;
struct FlushMatch {
  LedgerTxid id;
  int iRow;
  int bGiven; /* a row has got it */
};

/* Do row and text say the same? */
static int flushSame(const OutboxRow *pRow, const char *z, size_t n) {
  const char *zRow = (const char *)sqlite3_value_text(pRow->pContents);
  return zRow && (size_t)sqlite3_value_bytes(pRow->pContents) == n &&
         memcmp(zRow, z, n) == 0;
}

/* Is the row still looked for, in this sub-ledger? */
static int flushWanted(const OutboxRow *pRow, const char *zSubLedger) {
  return pRow->eState == OUTBOX_SENDING &&
         strcmp(pRow->zSubLedger, zSubLedger) == 0;
}

/* Takes an entry for the row that was answered its id; or notes it if it may be
** that of a row that got no answer. */
static int flushNote(Flush *p, OutboxRows *pRows, const char *zSubLedger,
                     const LedgerEntry *pEntry, FlushMatch **paMatch,
                     int *pnMatch, LedgerError *pErr) {
  FlushMatch *aNew;
  int i, iFirst = -1, bHeld = 0;
  for( i = 0; i < pRows->nRow; i++ ) {
    OutboxRow *pRow = &pRows->aRow[i];
    if( strcmp(pRow->zSubLedger, zSubLedger) != 0 ||
        !flushSame(pRow, pEntry->zContents, pEntry->nContents) ) {
      continue;
    }
    if( ledgerTxidCompare(pRow->tx, pEntry->id) == 0 ) {
      pRow->eState = OUTBOX_COMMITTED;
      return LEDGER_OK;
    }
    if( iFirst < 0 && flushWanted(pRow, zSubLedger) && pRow->tx.seqno == 0 &&
        pEntry->id.seqno > pRow->head.seqno ) {
      iFirst = i;
    }
  }
  if( iFirst < 0 ) return LEDGER_OK;
  if( outboxHeld(p->pOutbox, pEntry->id, pRows->aRow[iFirst].id, &bHeld,
                 pErr) ||
      bHeld ) {
    return pErr->rc;
  }
  if( (*pnMatch & (*pnMatch - 1)) == 0 ) { /* full at powers of two */
    aNew = sqlite3_realloc64(*paMatch,
                             sizeof(*aNew) *
                                 (sqlite3_uint64)(*pnMatch ? 2 * *pnMatch : 1));
    if( aNew == NULL ) return ledgerErrorNomem(pErr);
    *paMatch = aNew;
  }
  (*paMatch)[*pnMatch].id = pEntry->id;
  (*paMatch)[*pnMatch].bGiven = 0;
  (*paMatch)[(*pnMatch)++].iRow = iFirst;
  return LEDGER_OK;
}

/* Gives the entries to the rows: to each the first one behind that of the row
** before. An entry that is left over makes it doubtful whose the others are. */
static int flushGive(OutboxRows *pRows, const char *zSubLedger,
                     FlushMatch *aMatch, int nMatch, LedgerError *pErr) {
  int i, k, kNext = 0;
  for( i = 0; i < pRows->nRow; i++ ) {
    OutboxRow *pRow = &pRows->aRow[i];
    if( !flushWanted(pRow, zSubLedger) || pRow->tx.seqno ) continue;
    for( k = kNext; k < nMatch; k++ ) {
      const OutboxRow *pLike = &pRows->aRow[aMatch[k].iRow];
      if( flushSame(pRow, (const char *)sqlite3_value_text(pLike->pContents),
                    (size_t)sqlite3_value_bytes(pLike->pContents)) ) {
        pRow->eState = OUTBOX_COMMITTED;
        pRow->tx = aMatch[k].id;
        aMatch[k].bGiven = 1;
        kNext = k + 1;
        break;
      }
    }
  }
  for( k = 0; k < nMatch; k++ ) {
    i64 id = pRows->aRow[aMatch[k].iRow].id;
    char zId[LEDGER_TXID_MAX];
    if( aMatch[k].bGiven ) continue;
    return ledgerErrorSet(
        pErr, LEDGER_CONSTRAINT,
        "ledger_flush: row %lld of the outbox: '%s' has more entries of its "
        "contents, such as %s, than rows wait for: which is whose can't be "
        "told. UPDATE ledger_outbox SET state = 'queued' WHERE id = %lld sends "
        "it again; SET state = 'committed', transaction_id = '%s' leaves it",
        id, zSubLedger, ledgerTxidFormat(aMatch[k].id, zId), id, zId);
  }
  return LEDGER_OK;
}

/* Looks for the rows of one sub-ledger behind the head noted before they were
** sent, up to *pBarrier or (NULL) what some node has. */
static int flushSearch(Flush *p, OutboxRows *pRows, const char *zSubLedger,
                       const LedgerTxid *pBarrier, LedgerError *pErr) {
  LedgerPager *pPager = NULL;
  const LedgerPage *pPage = NULL;
  FlushMatch *aMatch = NULL;
  LedgerRange range;
  int i, nMatch = 0;
  memset(&range, 0, sizeof(range));
  range.zSubLedger = zSubLedger;
  if( pBarrier ) {
    range.to = *pBarrier;
  } else if( ledgerStateGet(p->pLedger, zSubLedger, &range.to, pErr) ) {
    return pErr->rc;
  }
  for( i = 0; i < pRows->nRow; i++ ) {
    const OutboxRow *pRow = &pRows->aRow[i];
    if( flushWanted(pRow, zSubLedger) &&
        (range.from.seqno == 0 || pRow->head.seqno < range.from.seqno) ) {
      range.from.seqno = pRow->head.seqno + 1;
    }
  }
  if( range.from.seqno > range.to.seqno ) return LEDGER_OK;
  if( ledgerPagerOpen(p->pClient, &range, &pPager, pErr) ) goto out;
  do {
    if( ledgerPagerNext(pPager, &pPage, pErr) ) goto out;
    for( i = 0; pPage && i < pPage->nEntry; i++ ) {
      if( flushNote(p, pRows, zSubLedger, &pPage->aEntry[i], &aMatch, &nMatch,
                    pErr) ) {
        goto out;
      }
    }
  } while( pPage && !pPage->isLast );
  flushGive(pRows, zSubLedger, aMatch, nMatch, pErr);
out:
  ledgerPagerClose(pPager);
  sqlite3_free(aMatch);
  return pErr->rc;
}

/* Looks for every row that is not found yet; *pnOpen is how many are left. */
static int flushSearchAll(Flush *p, OutboxRows *pRows,
                          const LedgerTxid *pBarrier, int *pnOpen,
                          LedgerError *pErr) {
  int i, k;
  *pnOpen = 0;
  for( i = 0; i < pRows->nRow && pErr->rc == LEDGER_OK; i++ ) {
    const char *zSubLedger = pRows->aRow[i].zSubLedger;
    int bWanted = 0;
    for( k = 0; k < i; k++ ) { /* has this sub-ledger had its turn? */
      if( strcmp(pRows->aRow[k].zSubLedger, zSubLedger) == 0 ) break;
    }
    if( k < i ) continue;
    for( ; k < pRows->nRow; k++ ) {
      bWanted |= flushWanted(&pRows->aRow[k], zSubLedger);
    }
    if( bWanted ) flushSearch(p, pRows, zSubLedger, pBarrier, pErr);
  }
  for( i = 0; i < pRows->nRow; i++ )
    *pnOpen += pRows->aRow[i].eState == OUTBOX_SENDING;
  return pErr->rc;
}

/* Writes down what became of the rows, and counts those committed. */
static int flushRecord(Flush *p, const OutboxRows *pRows, LedgerError *pErr) {
  int i;
  if( outboxRecord(p->pOutbox, pRows, pErr) ) return pErr->rc;
  for( i = 0; i < pRows->nRow; i++ ) {
    p->nDone += pRows->aRow[i].eState == OUTBOX_COMMITTED;
  }
  return LEDGER_OK;
}

/* An error where a row is to be sent again and one behind it is recorded: its
** order is lost, which nobody can mend. */
static int flushOrder(const OutboxRows *pRows, LedgerError *pErr) {
  int i, iLost = -1;
  for( i = 0; i < pRows->nRow; i++ ) {
    const OutboxRow *pRow = &pRows->aRow[i];
    if( pRow->eState == OUTBOX_QUEUED && iLost < 0 ) iLost = i;
    if( pRow->eState == OUTBOX_COMMITTED && iLost >= 0 ) {
      return ledgerErrorSet(
          pErr, LEDGER_BUSY,
          "ledger_flush: a change of view took back row %lld of the outbox, "
          "and row %lld behind it is recorded: sent again it comes out of "
          "order (with the option order = strict no row is sent before those "
          "in front of it are committed)",
          pRows->aRow[iLost].id, pRow->id);
    }
  }
  return LEDGER_OK;
}

/* Waits until settle_ms are over for all rows that were not found. A clock
** that was set back makes it wait for the whole of it. */
static int flushPause(Flush *p, const OutboxRows *pRows, LedgerError *pErr) {
  i64 tNow = outboxNow(), msLeft = 0;
  int i;
  for( i = 0; i < pRows->nRow; i++ ) {
    const OutboxRow *pRow = &pRows->aRow[i];
    i64 ms = pRow->tSent + p->msSettle - tNow;
    if( pRow->eState != OUTBOX_SENDING ) continue;
    if( ms > p->msSettle ) ms = p->msSettle;
    if( ms > msLeft ) msLeft = ms;
  }
  for( ; msLeft > 0; msLeft -= 20 ) {
    if( ledgerDbInterrupted(p->pDb) ) {
      return ledgerErrorSet(pErr, LEDGER_INTERRUPT,
                            "ledger_flush: interrupted");
    }
    usleep(20000);
  }
  return LEDGER_OK;
}

/* Finds out about the rows that were being sent. What the ledger has is
** committed, the rest is queued again. */
static int flushSettle(Flush *p, LedgerError *pErr) {
  const char *zUrl = ledgerClientConfig(p->pClient)->zUrl;
  OutboxRows rows = {0};
  LedgerTxid barrier;
  int i, nOpen = 0;
  if( outboxUnsettled(p->pOutbox, p->zLedger, zUrl, &rows, pErr) ) goto out;
  for( i = 0; i < rows.nRow; i++ ) {
    const char *zTo = rows.aRow[i].zSentTo;
    if( zTo == NULL || rows.aRow[i].head.seqno == 0 ) {
      ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                     "ledger_flush: row %lld of the outbox is 'sending' "
                     "without head and sent_to; only ledger_flush() sets that",
                     rows.aRow[i].id);
      goto out;
    }
    if( strcmp(zTo, zUrl) != 0 ) {
      ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                     "ledger_flush: row %lld of the outbox was being sent to "
                     "%s, but '%s' is %s: attach that ledger to find out "
                     "whether it was recorded",
                     rows.aRow[i].id, zTo, p->zLedger, zUrl);
      goto out;
    }
  }
  if( rows.nRow == 0 || flushSearchAll(p, &rows, NULL, &nOpen, pErr) ) goto out;
  if( nOpen > 0 && (flushPause(p, &rows, pErr) ||
                    flushSearchAll(p, &rows, NULL, &nOpen, pErr)) ) {
    goto out;
  }
  /* The node that was read may lag: not to see a row proves nothing yet. */
  if( nOpen > 0 && (ledgerBarrier(p->pLedger, &barrier, pErr) ||
                    flushSearchAll(p, &rows, &barrier, &nOpen, pErr)) ) {
    goto out;
  }
  for( i = 0; i < rows.nRow; i++ ) {
    if( rows.aRow[i].eState == OUTBOX_SENDING ) {
      rows.aRow[i].eState = OUTBOX_QUEUED;
      memset(&rows.aRow[i].tx, 0, sizeof(rows.aRow[i].tx));
    }
  }
  if( flushRecord(p, &rows, pErr) ) goto out;
  for( i = 0; i < rows.nRow; i++ ) {
    const OutboxRow *pRow = &rows.aRow[i];
    ledgerHistorySettle(p->pDb, p->pLedger, pRow->id,
                        pRow->eState == OUTBOX_COMMITTED ? LEDGER_COMMITTED
                                                         : LEDGER_LOST,
                        pRow->tx);
  }
  flushOrder(&rows, pErr);
out:
  outboxRowsClear(&rows);
  return pErr->rc;
}

/* ---- sending ----------------------------------------------------------- */

/* Notes on a row what went wrong. */
static void flushSay(OutboxRow *pRow, LedgerError *pErr, const char *zFmt,
                     const char *zText) {
  sqlite3_free(pRow->zError);
  pRow->zError = sqlite3_mprintf(zFmt, zText);
  if( pRow->zError == NULL ) ledgerErrorNomem(pErr);
}

/* Sends one row. Its eState says what is known then; pErr why the batch ends
** here. A row that is refused ends nothing: it must not block the others. */
static int flushSend(Flush *p, OutboxRow *pRow, LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerCall *pCall = NULL;
  LedgerAppend append = {0};
  int eOutcome = LEDGER_UNSENT, rc;
  rc = ledgerQueueRowNew(p->pDb, p->pLedger, pRow->pContents, pRow->zSubLedger,
                         pRow->nSubLedger, pRow->pTags, &pRow->pQueue, &err);
  if( rc == LEDGER_CONSTRAINT ) eOutcome = LEDGER_REFUSED;
  if( rc == LEDGER_OK ) {
    memset(&append, 0, sizeof(append));
    append.zContents = pRow->pQueue->zContents;
    append.nContents = pRow->pQueue->nContents;
    append.zSubLedger = pRow->pQueue->zSubLedger;
    append.zTags = pRow->pQueue->zTags;
    rc = ledgerAppendStart(p->pClient, &append, &pCall, &err);
  }
  if( rc == LEDGER_OK ) {
    LedgerError wait = LEDGER_ERROR_INIT;
    ledgerCallWait(pCall, &wait); /* the result knows it too */
    ledgerErrorClear(&wait);
    rc = ledgerAppendResult(pCall, &eOutcome, &pRow->tx, &err);
  }
  if( eOutcome == LEDGER_SENT ) {
    pRow->eState = OUTBOX_SENT;
    p->pDb->last = pRow->tx;
    p->nInRow = 0;
  } else if( eOutcome == LEDGER_REFUSED && rc == LEDGER_CONSTRAINT ) {
    pRow->eState = OUTBOX_REFUSED;
    p->nRefused++;
    p->nInRow++;
    flushSay(pRow, pErr, "%s", ledgerErrorText(&err));
    if( p->refused.rc == LEDGER_OK ) {
      ledgerErrorSet(&p->refused, rc,
                     "ledger_flush: row %lld of the outbox is refused: %s",
                     pRow->id, ledgerErrorText(&err) + strlen("ledger: "));
      p->refused.http = err.http;
    }
  } else if( eOutcome != LEDGER_OUTCOME_UNKNOWN ) {
    pRow->eState =
        OUTBOX_QUEUED; /* it isn't the row's fault, or it may pass later */
  } else {
    pRow->eState = OUTBOX_SENDING;
    flushSay(pRow, pErr, "%s", ledgerErrorText(&err));
  }
  if( rc && pRow->eState != OUTBOX_REFUSED &&
      (eOutcome != LEDGER_OUTCOME_UNKNOWN || rc == LEDGER_INTERRUPT) ) {
    ledgerErrorSet(pErr, rc, "ledger_flush: row %lld of the outbox: %s",
                   pRow->id, ledgerErrorText(&err) + strlen("ledger: "));
    pErr->http = err.http;
  }
  ledgerErrorClear(&err);
  ledgerCallFree(pCall);
  return pErr->rc;
}

/* Shows in ledger_appends what became of the rows of a batch. */
static void flushHistory(Flush *p, OutboxRows *pRows) {
  i64 iFirst = 0;
  int i;
  for( i = 0; i < pRows->nRow; i++ ) {
    OutboxRow *pRow = &pRows->aRow[i];
    LedgerQueueRow *pQueue = pRow->pQueue;
    if( pQueue == NULL ) continue;
    pRow->pQueue = NULL;
    pQueue->id = pRow->tx;
    pQueue->iOutbox = pRow->id;
    if( pRow->eState == OUTBOX_COMMITTED ) {
      pQueue->eState = LEDGER_COMMITTED;
    } else if( pRow->eState == OUTBOX_REFUSED ) {
      pQueue->eState = LEDGER_ROW_REFUSED;
    } else if( pRow->eState == OUTBOX_SENDING ) { /* until it is settled */
      pQueue->eState = pRow->tx.seqno ? LEDGER_PENDING : LEDGER_UNKNOWN;
    } else { /* not sent, or taken back: another one will be sent */
      ledgerQueueRowFree(pQueue);
      continue;
    }
    pQueue->zError = pRow->zError;
    pRow->zError = NULL;
    if( iFirst == 0 ) p->pDb->iLastBatch = iFirst = pQueue->n;
    ledgerHistoryAdd(p->pDb, pQueue);
  }
}

/* Waits for what was sent: it is committed, or queued again where a change of
** view took it back. If the wait fails, the row keeps why. */
static int flushAwait(Flush *p, OutboxRows *pRows, LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  char zId[LEDGER_TXID_MAX];
  for( ;; ) {
    OutboxRow *pLast = NULL;
    int i, eState = LEDGER_TX_PENDING, rc;
    for( i = 0; i < pRows->nRow; i++ ) {
      OutboxRow *pRow = &pRows->aRow[i];
      if( pRow->eState == OUTBOX_SENT &&
          (pLast == NULL || ledgerTxidCompare(pRow->tx, pLast->tx) > 0) ) {
        pLast = pRow;
      }
    }
    if( pLast == NULL ) return pErr->rc;
    rc = ledgerStatusWait(p->pClient, pLast->tx, &eState, pErr);
    for( i = 0; i < pRows->nRow; i++ ) {
      OutboxRow *pRow = &pRows->aRow[i];
      if( pRow->eState != OUTBOX_SENT ) continue;
      if( rc ) {
        pRow->eState = OUTBOX_SENDING;
        flushSay(pRow, &err, "ledger: accepted, its commit was not seen: %s",
                 ledgerErrorText(pErr) + strlen("ledger: "));
        p->accepted = pLast->tx;
      } else if( eState == LEDGER_TX_COMMITTED ) {
        if( pRow->tx.view != pLast->tx.view ) continue;
        pRow->eState = OUTBOX_COMMITTED;
        if( ledgerTxidCompare(pRow->tx, p->head) > 0 ) p->head = pRow->tx;
      } else if( pRow == pLast ) {
        pRow->eState = OUTBOX_QUEUED;
        flushSay(pRow, &err, "ledger: %s was taken back by a change of view",
                 ledgerTxidFormat(pRow->tx, zId));
        memset(&pRow->tx, 0, sizeof(pRow->tx));
      }
    }
    ledgerErrorClear(&err); /* a text that is missing ends nothing */
    if( rc ) return rc;
  }
}

/* Moves an error to pErr, unless there is one. */
static void flushFirst(LedgerError *pErr, LedgerError *pNew) {
  if( pErr->rc == LEDGER_OK ) {
    *pErr = *pNew;
    memset(pNew, 0, sizeof(*pNew));
  }
  ledgerErrorClear(pNew);
}

/* Sends one batch. *pnRow is how many rows were marked, *pbOpen whether one
** of them has to be settled. */
static int flushBatch(Flush *p, int *pnRow, int *pbOpen, LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  OutboxRows rows = {0};
  int i, bEnd = 0, rc = LEDGER_OK;
  i64 iView = 0;
  memset(&p->accepted, 0, sizeof(p->accepted));
  *pbOpen = 0;
  if( outboxClaim(p->pOutbox, p->zLedger, p->head,
                  ledgerClientConfig(p->pClient)->zUrl,
                  p->bStrict ? 1 : FLUSH_BATCH, &rows, pErr) ) {
    goto out;
  }
  for( i = 0; i < rows.nRow; i++ ) {
    OutboxRow *pRow = &rows.aRow[i];
    if( bEnd ) {
      pRow->eState = OUTBOX_QUEUED; /* nothing of it has left */
      continue;
    }
    rc = flushSend(p, pRow, pErr);
    *pbOpen = pRow->eState == OUTBOX_SENDING;
    bEnd = rc || *pbOpen || p->nInRow >= FLUSH_REFUSED;
    if( pRow->eState == OUTBOX_SENT ) {
      /* In another view: were those before it taken back? */
      bEnd |= iView && pRow->tx.view != iView;
      iView = pRow->tx.view;
    }
  }
  /* What was sent is waited for, also when a later row failed. */
  if( flushAwait(p, &rows, &err) ) *pbOpen = 1;
  flushFirst(pErr, &err);
  flushRecord(p, &rows, &err);
  flushFirst(pErr, &err);
  flushOrder(&rows, &err);
  flushFirst(pErr, &err);
  flushHistory(p, &rows);
out:
  *pnRow = rows.nRow;
  outboxRowsClear(&rows);
  return pErr->rc;
}

/* Everything that waits for one ledger. */
static int flushLedger(Flush *p, LedgerError *pErr) {
  int nRow = 1, bOpen = 1, nStall = 0;
  p->nInRow = 0;
  while( pErr->rc == LEDGER_OK && nRow > 0 ) {
    i64 nBefore = p->nDone + p->nRefused;
    if( bOpen && flushSettle(p, pErr) ) break;
    if( bOpen && ledgerStateGet(p->pLedger, NULL, &p->head, pErr) ) break;
    flushBatch(p, &nRow, &bOpen, pErr);
    nStall = p->nDone + p->nRefused > nBefore ? 0 : nStall + 1;
    if( p->nInRow >= FLUSH_REFUSED ) break; /* it may not be the rows' fault */
    if( pErr->rc == LEDGER_OK && nRow > 0 && nStall >= FLUSH_STALL ) {
      ledgerErrorSet(pErr, LEDGER_BUSY,
                     "ledger_flush: no answer came, or a change of view took "
                     "back what was sent, %d times in a row",
                     FLUSH_STALL);
    }
  }
  return pErr->rc;
}

/* ---- the function ------------------------------------------------------ */

/* Says what is left for whom, behind the first error. */
static void flushExplain(Flush *p, const LedgerBuf *pLeft, LedgerError *pErr) {
  LedgerError all = LEDGER_ERROR_INIT;
  if( pErr->rc == LEDGER_NOMEM || pLeft->n == 0 || pLeft->bOom ) return;
  ledgerErrorSet(&all, pErr->rc,
                 "%s; %lld committed%s: SELECT ledger_flush() goes on, and "
                 "sends nothing twice",
                 ledgerErrorText(pErr) + strlen("ledger: "), p->nDone,
                 pLeft->z);
  all.http = pErr->http;
  ledgerErrorClear(pErr);
  *pErr = all;
}

/* Reads the options object: ledger, settle_ms, order. */
static int flushOptions(sqlite3_value *pVal, Flush *p, char **pzLedger,
                        LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  cJSON *pItem;
  if( ledgerOptionsParse(pVal, &pDoc, pErr) || pDoc == NULL ) goto out;
  for( pItem = ledgerJsonRoot(pDoc)->child; pItem; pItem = pItem->next ) {
    size_t n = 0;
    const char *zText = ledgerJsonText(pDoc, pItem, &n);
    if( zText && strlen(zText) != n ) {
      ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                     "options: %s: a NUL can't stand in it", pItem->string);
      break;
    }
    if( strcmp(pItem->string, "ledger") == 0 && zText ) {
      sqlite3_free(*pzLedger);
      *pzLedger = sqlite3_mprintf("%s", zText);
      if( *pzLedger == NULL ) ledgerErrorNomem(pErr);
    } else if( strcmp(pItem->string, "order") == 0 && zText &&
               (strcmp(zText, "strict") == 0 || strcmp(zText, "batch") == 0) ) {
      p->bStrict = zText[0] == 's';
    } else if( strcmp(pItem->string, "settle_ms") == 0 &&
               cJSON_IsNumber(pItem) && pItem->valuedouble >= 0 &&
               pItem->valuedouble <= 86400000 ) {
      p->msSettle = (i64)pItem->valuedouble;
    } else {
      ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                     "options: '%s' is not known here, or its value: "
                     "ledger_flush takes ledger (a name), settle_ms (0 to "
                     "86400000) and order (batch or strict)",
                     pItem->string);
    }
  }
out:
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

/* Sends what waits for the ledger p->zLedger. */
static int flushNamed(Flush *p, LedgerError *pErr) {
  memset(&p->accepted, 0, sizeof(p->accepted));
  if( ledgerDbFind(p->pDb, p->zLedger, 1, &p->pLedger, pErr) ) return pErr->rc;
  ledgerRef(p->pLedger);
  p->pClient = p->pLedger->pClient;
  if( ledgerClientConfig(p->pClient)->tlsPublic ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "ledger_flush: '%s' is a gateway (option tls): what it has "
                   "queued can't be told from what it hasn't, so nothing is "
                   "sent",
                   p->zLedger);
  } else {
    flushLedger(p, pErr);
  }
  ledgerUnref(p->pLedger);
  return pErr->rc;
}

/* Sends what waits for each ledger, or for zOnly. One that fails doesn't keep
** the others from theirs, unless the fault is here. */
static int flushAll(Flush *p, char **azName, int nName, const char *zOnly,
                    LedgerError *pErr) {
  LedgerBuf left = {0};
  int i, nFound = 0, bEnd = 0;
  for( i = 0; i < nName; i++ ) {
    LedgerError err = LEDGER_ERROR_INIT;
    if( zOnly && sqlite3_stricmp(zOnly, azName[i]) != 0 ) continue;
    nFound++;
    p->zLedger = azName[i];
    if( bEnd ) {
      memset(&p->accepted, 0, sizeof(p->accepted));
    } else if( flushNamed(p, &err) == LEDGER_OK ) {
      continue;
    }
    bEnd |= err.rc == LEDGER_INTERRUPT || err.rc == LEDGER_NOMEM ||
            p->pOutbox->bFailed;
    flushFirst(pErr, &err);
    if( pErr->rc != LEDGER_NOMEM ) {
      outboxLeft(p->pOutbox, p->zLedger, p->accepted, &left);
    }
  }
  if( zOnly && nFound == 0 ) { /* nothing waits: is there such a ledger? */
    ledgerDbFind(p->pDb, zOnly, 1, &p->pLedger, pErr);
  }
  if( pErr->rc ) flushExplain(p, &left, pErr);
  ledgerBufFree(&left);
  return pErr->rc;
}

static void outboxFlush(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  Outbox outbox;
  Flush flush;
  char **azName = NULL, *zLedger = NULL;
  int nName = 0;

  memset(&flush, 0, sizeof(flush));
  memset(&outbox, 0, sizeof(outbox));
  flush.pDb = ledgerFunctionDb(pCtx);
  flush.pOutbox = &outbox;
  flush.msSettle = FLUSH_SETTLE_MS;
  if( argc > 0 && flushOptions(argv[0], &flush, &zLedger, &err) ) goto out;
  if( !sqlite3_get_autocommit(flush.pDb->db) ||
      sqlite3_txn_state(flush.pDb->db, NULL) == SQLITE_TXN_WRITE ) {
    ledgerErrorSet(&err, LEDGER_ERROR,
                   "ledger_flush: writes down what it sends as it goes, and "
                   "can't do that within a transaction or a statement that "
                   "writes: COMMIT first, then SELECT ledger_flush()");
    goto out;
  }
  if( outboxOpen(flush.pDb, &outbox, &err) || outboxUpgrade(&outbox, &err) ||
      outboxLedgers(&outbox, &azName, &nName, &err) ) {
    goto out;
  }
  ledgerScopeEnd(flush.pDb);
  flushAll(&flush, azName, nName, zLedger, &err);
  if( err.rc == LEDGER_OK && flush.nRefused ) {
    ledgerErrorSet(&err, flush.refused.rc,
                   "%s; %lld committed, %lld refused: SELECT id, error FROM "
                   "ledger_outbox WHERE state = 'refused'",
                   ledgerErrorText(&flush.refused) + strlen("ledger: "),
                   flush.nDone, flush.nRefused);
    err.http = flush.refused.http;
  }
out:
  ledgerErrorClear(&flush.refused);
  outboxClose(&outbox);
  sqlite3_free(azName);
  sqlite3_free(zLedger);
  if( err.rc ) {
    ledgerFunctionError(pCtx, &err);
  } else {
    sqlite3_result_int64(pCtx, flush.nDone);
  }
}

const LedgerFunction aLedgerFunctionOutbox[] = {
    {"ledger_flush", 0, 1, LEDGER_FN_ACT | LEDGER_FN_WRITES, outboxFlush,
     "[options]", "sends what main.ledger_outbox holds"},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};
