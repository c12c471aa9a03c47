/*
** The outbox sent: what waits in main.ledger_outbox (sql/outbox.sql) goes to
** the ledger, each row once, whatever happens in between.
**
**     SELECT ledger_flush();
**     SELECT ledger_flush('{"ledger":"pay","settle_ms":20000}');
**     SELECT ledger_flush('{"order":"committed"}');
**
** Requests: those of write/send.c and settle.c. Before the first:
** GET /app/transactions/current and its status, the committed head.
**
** How a row comes to be sent once
**   1. It is marked `sending` on disk, with the committed head, before anything
**      of it leaves: whatever the ledger has of it later lies behind that head.
**   2. A batch is one round of the sender (write/send.c), which tells of each
**      row whether it is committed, refused or certainly not recorded. That is
**      written down, and the rows that are left are marked anew.
**   3. A row found `sending` (the process died, or what became of it could not
**      be found out) is settled first (write/settle.c), by what is on disk: the
**      head, the id if one was answered, and the time from which settle_ms
**      count. That is when its outcome was given up or, where the process died,
**      when it was found: its batch may have been marked long before its
**      request left. In strict order the head was raised above the rows before
**      it, so that equal contents count; in any order a row of the same
**      contents that is recorded stays `sending`, with its id, until both are
**      settled. Rows that are committed are not asked for anything: they may be
**      gone.
**   4. A flush takes the rows that waited when it began, each once: others may
**      go on writing, and a trigger of the file can't make it send for ever.
**
** Order: by id, by the promise of send.c. With order = committed a batch is one
** row, and each waits until the one before it is committed.
*/
#include "sqlite/outbox/outbox.h"
#include "sqlite/conn/guard.h"
#include "sqlite/read/read.h"

#include <string.h>

#define FLUSH_BATCH 100  /* rows marked, and waited for, at a time */
#define FLUSH_REFUSED 10 /* rows refused in a row that end the flush */

/* One call of ledger_flush(), one ledger. */
typedef struct Flush Flush;
struct Flush {
  LedgerConn *pConn;
  LedgerOutbox *pOutbox;
  const char *zLedger;   /* its name, as the rows have it */
  Ledger *pLedger;       /* counted reference */
  LedgerClient *pClient; /* its client */
  i64 msSettle;          /* settle_ms, or -1: the ledger's option */
  LedgerTxid head;       /* committed, and below every entry sent next */
  LedgerTxid accepted;   /* the last one whose commit was not seen */
  i64 nDone;             /* rows committed */
  int bCommitted;        /* option order: each row waits for the one before */
  LedgerError refused;   /* why the first one is refused */
  i64 nRefused;          /* rows refused */
  LedgerOutboxLimits limits; /* the rows that this flush may take */
  LedgerSend send;           /* of the batch under way */
};

/* ---- rows as the sender knows them --------------------------------------- */

/* Room for the sender's rows (sqlite3_free). */
static int flushArray(const LedgerOutboxRows *pRows, LedgerQueued ***papRow,
                      LedgerError *pErr) {
  *papRow =
      sqlite3_malloc64(sizeof(**papRow) * ((sqlite3_uint64)pRows->nRow + 1));
  return *papRow ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* Notes on a row what went wrong, as its column says it. */
static void flushSay(LedgerOutboxRow *pRow, const char *zText,
                     LedgerError *pErr) {
  sqlite3_free(pRow->zError);
  pRow->zError = ledgerErrorMessage("%s", zText);
  if( pRow->zError == NULL ) ledgerErrorNomem(pErr);
}

/* The row, checked as INSERT would check it. One that can't be sent is refused:
** LEDGER_CONSTRAINT, which ends nothing. */
static int flushQueue(Flush *p, LedgerOutboxRow *pRow, LedgerError *pErr) {
  if( ledgerQueuedNew(p->pConn, p->pLedger, pRow->pContents, pRow->zSubLedger,
                      pRow->nSubLedger, pRow->pTags, &pRow->pQueue,
                      pErr) == LEDGER_OK ) {
    pRow->pQueue->iOutbox = pRow->id;
  }
  return pErr->rc;
}

/* The first row that is refused tells why in the end. */
static void flushRefused(Flush *p, const LedgerOutboxRow *pRow, int rc,
                         const char *zWhy) {
  p->nRefused++;
  ledgerErrorSet(&p->refused, rc,
                 "ledger_flush: row %lld of the outbox is refused: %s",
                 pRow->id, zWhy);
}

/* Has another row of the outbox the entry? */
static int flushTaken(void *pArg, const LedgerQueued *pRow, LedgerTxid id,
                      int *pbTaken, LedgerError *pErr) {
  Flush *p = pArg;
  return ledgerOutboxHeld(p->pOutbox, id, pRow->iOutbox, pbTaken, pErr);
}

/* What the sender is told of these rows. */
static void flushSender(Flush *p, LedgerQueued **apRow, int nRow) {
  p->send.pConn = p->pConn;
  p->send.pLedger = p->pLedger;
  p->send.apRow = apRow;
  p->send.nRow = nRow;
  p->send.bWait = 1;
  p->send.bSettle = 1;
  p->send.msSettle =
      p->msSettle >= 0 ? p->msSettle : ledgerClientConfig(p->pClient)->settleMs;
  p->send.nRefusedMost = FLUSH_REFUSED;
  p->send.xTaken = flushTaken;
  p->send.pArg = p;
}

/* Puts an error of the sender into the words of this function. */
static void flushError(Flush *p, LedgerError *pErr, LedgerError *pNew) {
  const LedgerQueued *pDoubt = p->send.pDoubt;
  char zId[LEDGER_TXID_MAX];
  if( pNew->rc && pErr->rc == LEDGER_OK && pDoubt ) {
    ledgerTxidFormat(p->send.doubt, zId);
    ledgerErrorSet(
        pErr, LEDGER_CONSTRAINT,
        "ledger_flush: row %lld of the outbox: '%s' holds more entries with "
        "these contents, such as %s, than there are rows waiting, so there is "
        "no telling which is this row's. UPDATE ledger_outbox SET state = "
        "'queued' WHERE id = %lld sends it again; SET state = 'committed', "
        "transaction_id = '%s' leaves it",
        pDoubt->iOutbox, pDoubt->zSubLedger, zId, pDoubt->iOutbox, zId);
  } else if( pNew->rc && pErr->rc == LEDGER_OK ) {
    ledgerErrorWrap(pErr, pNew, "ledger_flush: %s", ledgerErrorText(pNew));
  }
  ledgerErrorClear(pNew);
  p->send.pDoubt = NULL;
}

/* What a gateway has queued may be recorded at any time, and nothing on disk
** says that it was a gateway: the row is not sent again, and tells why. */
static void flushGateway(LedgerOutboxRow *pRow, LedgerError *pErr) {
  LedgerQueued *pQueue = pRow->pQueue;
  char *z = sqlite3_mprintf(
      "a gateway has queued it and may record it yet, so it is not sent again: "
      "%s",
      pQueue->zError);
  if( z == NULL ) ledgerErrorNomem(pErr);
  pRow->eState = LEDGER_ROW_REFUSED;
  pQueue->rcError = LEDGER_IOERR;
  sqlite3_free(pQueue->zError);
  pQueue->zError = z;
}

/* Takes over what became of the rows. */
static void flushTake(Flush *p, LedgerOutboxRows *pRows,
                      const LedgerError *pWhy, LedgerError *pErr) {
  int i;
  for( i = 0; i < pRows->nRow; i++ ) {
    LedgerOutboxRow *pRow = &pRows->aRow[i];
    LedgerQueued *pQueue = pRow->pQueue;
    if( pQueue == NULL ) continue;
    sqlite3_free(pRow->zError);
    pRow->zError = NULL;
    pRow->tx = pQueue->id;
    switch( pQueue->eState ) {
      case LEDGER_COMMITTED: pRow->eState = LEDGER_COMMITTED; break;
      case LEDGER_QUEUED: pRow->eState = LEDGER_QUEUED; break;
      case LEDGER_ROW_REFUSED:
        /* Else it isn't the row's fault, or it may pass later. */
        pRow->eState = pQueue->rcError == LEDGER_CONSTRAINT ? LEDGER_ROW_REFUSED
                                                            : LEDGER_QUEUED;
        break;
      case LEDGER_PENDING:
        /* It would be looked for where it is not, and sent again. */
        if( pQueue->bOtherSubLedger ) {
          pRow->eState = LEDGER_ROW_REFUSED;
          break;
        }
        sqlite3_free(pQueue->zError);
        pQueue->zError =
            sqlite3_mprintf("accepted, but its commit was not confirmed: %s",
                            ledgerErrorText(pWhy));
        /* fall through */
      default: /* accepted, or without an answer: to be settled */
        if( pQueue->bGateway ) {
          flushGateway(pRow, pErr);
          break;
        }
        pRow->eState = LEDGER_SENDING;
        pRow->tSent = ledgerClockWall();
        if( ledgerTxidCompare(pRow->tx, p->accepted) > 0 ) {
          p->accepted = pRow->tx;
        }
        break;
    }
    if( pQueue->zError ) flushSay(pRow, pQueue->zError, pErr);
    if( pRow->eState == LEDGER_COMMITTED &&
        ledgerTxidCompare(pRow->tx, p->head) > 0 ) {
      p->head = pRow->tx;
    }
  }
}

/* Is a row sent once those before it are answered? */
static int flushInOrder(const Flush *p) {
  return !ledgerClientConfig(p->pClient)->appendAnyOrder;
}

/* In any order a row without an answer may have come before the others of its
** contents. Those that are recorded keep their ids in the outbox until that one
** is settled, or else their entries would be taken for its own: a row that is
** committed may be deleted at once. */
static void flushTwins(const Flush *p, LedgerOutboxRows *pRows,
                       LedgerError *pErr) {
  char zId[LEDGER_TXID_MAX];
  int i, k;
  if( flushInOrder(p) ) return;
  for( i = 0; i < pRows->nRow; i++ ) {
    const LedgerOutboxRow *pOpen = &pRows->aRow[i];
    const LedgerQueued *pIts = pOpen->pQueue;
    if( pOpen->eState != LEDGER_SENDING || pOpen->tx.seqno ) continue;
    for( k = 0; k < pRows->nRow; k++ ) {
      LedgerOutboxRow *pRow = &pRows->aRow[k];
      const LedgerQueued *pQueue = pRow->pQueue;
      char *z;
      if( pRow->eState != LEDGER_COMMITTED ||
          pQueue->nContents != pIts->nContents ||
          memcmp(pQueue->zContents, pIts->zContents, pIts->nContents) != 0 ||
          strcmp(pQueue->zSubLedger, pIts->zSubLedger) != 0 ) {
        continue;
      }
      pRow->eState = LEDGER_SENDING;
      pRow->tSent = ledgerClockWall();
      z = sqlite3_mprintf("recorded as %s; it is committed here once "
                          "row %lld, of the same contents, is settled",
                          ledgerTxidFormat(pRow->tx, zId), pOpen->id);
      if( z ) flushSay(pRow, z, pErr);
      sqlite3_free(z);
    }
  }
}

/* Writes down what became of the rows, and counts those committed. */
static int flushRecord(Flush *p, const LedgerOutboxRows *pRows,
                       LedgerError *pErr) {
  int i;
  if( ledgerOutboxRecord(p->pOutbox, pRows, flushInOrder(p), pErr) )
    return pErr->rc;
  for( i = 0; i < pRows->nRow; i++ ) {
    p->nDone += pRows->aRow[i].eState == LEDGER_COMMITTED;
  }
  return LEDGER_OK;
}

/* ---- settling ------------------------------------------------------------ */

/* A row that was being sent: only ledger_flush() can have marked it, and to
** this ledger. */
static int flushCheckSent(Flush *p, const LedgerOutboxRow *pRow,
                          LedgerError *pErr) {
  const char *zUrl = ledgerClientConfig(p->pClient)->zUrl;
  if( pRow->zSentTo == NULL || pRow->head.seqno == 0 ) {
    return ledgerErrorSet(
        pErr, LEDGER_CONSTRAINT,
        "ledger_flush: row %lld of the outbox is 'sending' "
        "without head and sent_to; only ledger_flush() sets that",
        pRow->id);
  }
  if( strcmp(pRow->zSentTo, zUrl) != 0 ) {
    return ledgerErrorSet(
        pErr, LEDGER_CONSTRAINT,
        "ledger_flush: row %lld of the outbox was being sent to "
        "%s, but '%s' is %s: attach that ledger to find out "
        "whether it was recorded",
        pRow->id, pRow->zSentTo, p->zLedger, zUrl);
  }
  return LEDGER_OK;
}

/* Rows that were under way when their process died: when their requests left
** nobody knows. settle_ms count from now, which is written down, so that they
** are over some day however short the flushes are. */
static int flushFound(Flush *p, const LedgerOutboxRows *pRows,
                      LedgerError *pErr) {
  LedgerOutboxRows found = {0};
  int i;
  found.aRow =
      sqlite3_malloc64(sizeof(*found.aRow) * ((sqlite3_uint64)pRows->nRow + 1));
  if( found.aRow == NULL ) return ledgerErrorNomem(pErr);
  for( i = 0; i < pRows->nRow; i++ ) {
    LedgerOutboxRow *pRow = &pRows->aRow[i];
    if( pRow->zError ) continue;
    pRow->tSent = ledgerClockWall();
    flushSay(pRow,
             "being sent when its ledger_flush() ended; what became of "
             "it is not known yet",
             pErr);
    found.aRow[found.nRow++] = *pRow; /* what it points to stays pRow's */
  }
  if( pErr->rc == LEDGER_OK ) ledgerOutboxRecord(p->pOutbox, &found, 0, pErr);
  sqlite3_free(found.aRow);
  return pErr->rc;
}

/* Finds out about the rows that were being sent, by what is on disk. What the
** ledger has is committed, the rest is queued again. */
static int flushSettle(Flush *p, LedgerError *pErr) {
  const char *zUrl = ledgerClientConfig(p->pClient)->zUrl;
  i64 tNow, tWall;
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerQueued **apRow = NULL;
  LedgerOutboxRows rows = {0};
  int i;
  if( ledgerOutboxUnsettled(p->pOutbox, p->zLedger, zUrl, &rows, pErr) ||
      rows.nRow == 0 || flushArray(&rows, &apRow, pErr) ) {
    goto out;
  }
  for( i = 0; i < rows.nRow; i++ ) {
    LedgerOutboxRow *pRow = &rows.aRow[i];
    if( flushCheckSent(p, pRow, pErr) || flushQueue(p, pRow, pErr) ) goto out;
  }
  if( flushFound(p, &rows, pErr) ) goto out;
  tNow = ledgerClockMs();
  tWall = ledgerClockWall();
  for( i = 0; i < rows.nRow; i++ ) {
    LedgerOutboxRow *pRow = &rows.aRow[i];
    apRow[i] = pRow->pQueue;
    apRow[i]->eState = LEDGER_UNKNOWN;
    apRow[i]->id = pRow->tx;
    apRow[i]->before = pRow->head;
    /* A clock that was set back makes it wait for the whole of settle_ms. */
    apRow[i]->tUnknown =
        pRow->tSent < tWall ? tNow - (tWall - pRow->tSent) : tNow;
  }
  flushSender(p, apRow, rows.nRow);
  if( ledgerSettleUnknown(&p->send, &err) ) {
    flushError(p, pErr, &err);
    goto out;
  }
  flushTake(p, &rows, &err, pErr);
  if( flushRecord(p, &rows, pErr) ) goto out;
  for( i = 0; i < rows.nRow; i++ ) {
    const LedgerOutboxRow *pRow = &rows.aRow[i];
    ledgerAppendedSettle(p->pConn, p->pLedger, pRow->id,
                         pRow->eState == LEDGER_COMMITTED ? LEDGER_COMMITTED
                                                          : LEDGER_LOST,
                         pRow->tx);
  }
out:
  ledgerOutboxRowsClear(&rows);
  sqlite3_free(apRow);
  return pErr->rc;
}

/* ---- sending ------------------------------------------------------------- */

/* Shows in ledger_appends what became of the rows of a batch. */
static void flushHistory(Flush *p, LedgerOutboxRows *pRows) {
  i64 iFirst = 0;
  int i;
  for( i = 0; i < pRows->nRow; i++ ) {
    LedgerOutboxRow *pRow = &pRows->aRow[i];
    LedgerQueued *pQueue = pRow->pQueue;
    if( pQueue == NULL ) continue;
    pRow->pQueue = NULL;
    if( pRow->eState == LEDGER_QUEUED ) { /* another one will be sent */
      ledgerQueuedFree(pQueue);
      continue;
    }
    if( iFirst == 0 ) p->pConn->appended.iLastBatch = iFirst = pQueue->n;
    ledgerAppendedAdd(p->pConn, pQueue);
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

/* Rows are taken once per flush: the next claim begins behind those that are at
** an end, and passes over those that came ahead of one which isn't. */
static void flushLimit(Flush *p, const LedgerOutboxRows *pRows,
                       LedgerError *pErr) {
  int i, bLeft = 0;
  for( i = 0; i < pRows->nRow; i++ ) {
    const LedgerOutboxRow *pRow = &pRows->aRow[i];
    bLeft |= pRow->eState == LEDGER_QUEUED || pRow->eState == LEDGER_SENDING;
    if( !bLeft ) {
      p->limits.iDone = pRow->id;
    } else if( pRow->eState != LEDGER_QUEUED &&
               pRow->eState != LEDGER_SENDING ) {
      ledgerBufPrintf(&p->limits.ahead, "%s%lld", p->limits.ahead.n ? "," : "",
                      (long long)pRow->id);
    }
  }
  if( p->limits.ahead.bOom ) ledgerErrorNomem(pErr);
}

/* The rows that can be sent, to the sender; the others are refused. */
static int flushRows(Flush *p, LedgerOutboxRows *pRows, LedgerQueued **apRow,
                     LedgerError *pErr) {
  int i, n = 0;
  for( i = 0; i < pRows->nRow; i++ ) {
    LedgerOutboxRow *pRow = &pRows->aRow[i];
    LedgerError err = LEDGER_ERROR_INIT;
    if( flushQueue(p, pRow, &err) == LEDGER_CONSTRAINT ) {
      pRow->eState = LEDGER_ROW_REFUSED;
      flushSay(pRow, ledgerErrorText(&err), pErr);
      if( pErr->rc == LEDGER_OK )
        flushRefused(p, pRow, err.rc, ledgerErrorText(&err));
    } else if( err.rc ) {
      *pErr = err;
      return pErr->rc;
    } else {
      apRow[n++] = pRow->pQueue;
    }
    ledgerErrorClear(&err);
  }
  flushSender(p, apRow, n);
  return pErr->rc;
}

/* Sends one batch, one round of it. *pnRow is how many rows were marked,
** *pbOpen whether one of them has to be settled. */
static int flushBatch(Flush *p, int *pnRow, int *pbOpen, LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerQueued **apRow = NULL;
  LedgerOutboxRows rows = {0};
  int i;
  memset(&p->accepted, 0, sizeof(p->accepted));
  *pbOpen = 0;
  if( ledgerOutboxClaim(p->pOutbox, p->zLedger, p->head,
                        ledgerClientConfig(p->pClient)->zUrl, &p->limits,
                        p->bCommitted ? 1 : FLUSH_BATCH, &rows, pErr) ||
      flushArray(&rows, &apRow, pErr) ) {
    goto out;
  }
  for( i = 0; i < rows.nRow; i++ ) {
    rows.aRow[i].eState = LEDGER_QUEUED; /* until something of it has left */
  }
  ledgerProgressCount(p->pConn->pProgress, LEDGER_PROGRESS_ROWS, rows.nRow);
  if( flushRows(p, &rows, apRow, pErr) == LEDGER_OK && p->send.nRow > 0 ) {
    if( ledgerSendRound(&p->send, &err) == LEDGER_OK &&
        ledgerSettleCount(&p->send, LEDGER_QUEUED) > 0 ) {
      ledgerSendAgain(&p->send, &err);
    }
    flushTake(p, &rows, &err, pErr);
    flushTwins(p, &rows, pErr);
    for( i = 0; i < p->send.nRow; i++ ) {
      p->send.nEnded += apRow[i]->eState == LEDGER_COMMITTED ||
                        apRow[i]->eState == LEDGER_ROW_REFUSED;
    }
  }
  for( i = 0; i < rows.nRow; i++ ) {
    LedgerOutboxRow *pRow = &rows.aRow[i];
    *pbOpen |= pRow->eState == LEDGER_SENDING;
    if( pRow->eState == LEDGER_ROW_REFUSED && pRow->pQueue &&
        pRow->pQueue->zError ) {
      flushRefused(p, pRow, pRow->pQueue->rcError, pRow->pQueue->zError);
    }
  }
  flushError(p, pErr, &err);
  flushRecord(p, &rows, &err);
  flushFirst(pErr, &err);
  flushLimit(p, &rows, &err);
  flushFirst(pErr, &err);
  flushHistory(p, &rows);
out:
  *pnRow = rows.nRow;
  p->send.apRow = NULL;
  p->send.nRow = 0;
  ledgerOutboxRowsClear(&rows);
  sqlite3_free(apRow);
  return pErr->rc;
}

/* Everything that waits for one ledger. */
static int flushLedger(Flush *p, LedgerError *pErr) {
  int nRow = 1, bOpen = 1;
  memset(&p->send, 0, sizeof(p->send));
  memset(&p->limits, 0, sizeof(p->limits));
  if( ledgerOutboxLast(p->pOutbox, p->zLedger, &p->limits.iLast, pErr) )
    goto out;
  while( pErr->rc == LEDGER_OK && nRow > 0 ) {
    if( bOpen && flushSettle(p, pErr) ) break;
    if( bOpen && ledgerHeadCommitted(p->pLedger, NULL, 0, &p->head, pErr) )
      break;
    flushBatch(p, &nRow, &bOpen, pErr);
    if( p->send.nRefused >= FLUSH_REFUSED )
      break; /* maybe not the rows' fault */
  }
out:
  ledgerBufFree(&p->limits.ahead);
  ledgerErrorClear(&p->send.why);
  return pErr->rc;
}

/* ---- the function -------------------------------------------------------- */

/* Says what is left for whom, behind the first error. */
static void flushExplain(Flush *p, const LedgerBuf *pLeft, LedgerError *pErr) {
  if( pErr->rc == LEDGER_NOMEM || pLeft->n == 0 || pLeft->bOom ) return;
  ledgerErrorWrap(pErr, pErr,
                  "%s; %lld committed%s: SELECT ledger_flush() goes on, and "
                  "sends nothing twice",
                  ledgerErrorText(pErr), p->nDone, pLeft->z);
}

/* Reads the options object: ledger, settle_ms, order. */
static int flushOptions(sqlite3_value *pVal, Flush *p, char **pzLedger,
                        LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  cJSON *pItem;
  if( ledgerValueOptions(pVal, &pDoc, pErr) || pDoc == NULL ) goto out;
  for( pItem = ledgerJsonRoot(pDoc)->child; pItem; pItem = pItem->next ) {
    size_t n = 0;
    const char *zText = ledgerJsonText(pDoc, pItem, &n);
    if( zText && strlen(zText) != n ) {
      ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                     "options: %s: it can't hold a NUL", pItem->string);
      break;
    }
    if( strcmp(pItem->string, "ledger") == 0 && zText ) {
      sqlite3_free(*pzLedger);
      *pzLedger = sqlite3_mprintf("%s", zText);
      if( *pzLedger == NULL ) ledgerErrorNomem(pErr);
    } else if( strcmp(pItem->string, "order") == 0 && zText &&
               (strcmp(zText, "committed") == 0 ||
                strcmp(zText, "batch") == 0) ) {
      p->bCommitted = zText[0] == 'c';
    } else if( strcmp(pItem->string, "settle_ms") == 0 &&
               cJSON_IsNumber(pItem) && pItem->valuedouble >= 0 &&
               pItem->valuedouble <= 86400000 ) {
      p->msSettle = (i64)pItem->valuedouble;
    } else {
      ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                     "options: '%s' is not known here, or its value: "
                     "ledger_flush takes ledger (a name), settle_ms (0 to "
                     "86400000) and order (batch or committed)",
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
  if( ledgerConnFindToWrite(p->pConn, p->zLedger, 1, "column ledger",
                            &p->pLedger, pErr) ) {
    return pErr->rc;
  }
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
      ledgerOutboxLeft(p->pOutbox, p->zLedger, p->accepted, &left);
    }
  }
  if( zOnly && nFound == 0 ) { /* nothing waits: is there such a ledger? */
    ledgerConnFind(p->pConn, zOnly, 1, &p->pLedger, pErr);
  }
  if( pErr->rc ) flushExplain(p, &left, pErr);
  ledgerBufFree(&left);
  return pErr->rc;
}

static void flushFunction(sqlite3_context *pCtx, int argc,
                          sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerOutbox outbox;
  Flush flush;
  char **azName = NULL, *zLedger = NULL;
  int nName = 0;

  memset(&flush, 0, sizeof(flush));
  memset(&outbox, 0, sizeof(outbox));
  flush.pConn = ledgerFunctionConn(pCtx);
  flush.pOutbox = &outbox;
  flush.msSettle = -1;
  if( argc > 0 && flushOptions(argv[0], &flush, &zLedger, &err) ) goto out;
  if( !sqlite3_get_autocommit(flush.pConn->db) ||
      sqlite3_txn_state(flush.pConn->db, NULL) == SQLITE_TXN_WRITE ) {
    ledgerErrorSet(&err, LEDGER_ERROR,
                   "ledger_flush: writes down what it sends as it goes, and "
                   "can't do that within a transaction or a statement that "
                   "writes: COMMIT first, then SELECT ledger_flush()");
    goto out;
  }
  if( ledgerOutboxOpen(flush.pConn, &outbox, &err) ||
      (zLedger == NULL &&
       ledgerOutboxNameRows(&outbox, flush.pConn->nLedger > 1, &err)) ||
      ledgerOutboxLedgers(&outbox, &azName, &nName, &err) ) {
    goto out;
  }
  ledgerSnapshotEnd(flush.pConn);
  flushAll(&flush, azName, nName, zLedger, &err);
  if( err.rc == LEDGER_OK && flush.nRefused ) {
    ledgerErrorWrap(&err, &flush.refused,
                    "%s; %lld committed, %lld refused: SELECT id, error FROM "
                    "ledger_outbox WHERE state = 'refused'",
                    ledgerErrorText(&flush.refused), flush.nDone,
                    flush.nRefused);
  }
out:
  ledgerErrorClear(&flush.refused);
  ledgerOutboxClose(&outbox);
  sqlite3_free(azName);
  sqlite3_free(zLedger);
  if( err.rc ) {
    ledgerErrorFunction(pCtx, &err);
  } else {
    sqlite3_result_int64(pCtx, flush.nDone);
  }
}

const LedgerFunction aLedgerFunctionOutbox[] = {
    {"ledger_flush", 0, 1, LEDGER_FN_ACT | LEDGER_FN_WRITES, flushFunction,
     "[options]", "sends what main.ledger_outbox holds",
     "1 per row, and GET .../status once per hundred; before them 2",
     ".read sql/outbox.sql\n"
     "INSERT INTO ledger_outbox(contents) VALUES('Alice pays Bob 4');\n"
     "SELECT ledger_flush();\n"
     "SELECT contents, state FROM ledger_outbox;",
     "SELECT ledger_flush();"},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
