/*
** COMMIT: the queue goes to the ledger.
**
** Requests: POST /app/transactions for each entry, in order, and what a change
** of a user, role, function or endpoint takes (operation.c); then
** GET /app/transactions/{id}/status for the last one, until it is committed.
**
** Invariants
**   - a row that was sent is never sent again, but for rows that the ledger
**     itself reports lost, once, and with option reconcile for rows that it is
**     seen not to have (reconcile.c);
**   - LEDGER_BUSY is returned only while every row is certainly sent or
**     certainly not sent: SQLite then keeps the transaction open, and a second
**     COMMIT goes on. So it is where no server answers the wait for rows that
**     were all accepted: to undo the local changes would part them from entries
**     that the ledger most likely keeps. (Of a change that is no append and
**     takes several requests that isn't known: it stays LEDGER_IOERR, as for
**     ledger_append(), which has no transaction to go on with);
**   - every other failure undoes the local changes, and its message names what
**     the ledger had recorded.
*/
#include "ledgerInt.h"

#include <string.h>

#define COMMIT_MAX_LOST 10 /* times that a row may be lost, with reconcile */

/* The rows of one ledger that are sent together. */
typedef struct CommitBatch CommitBatch;
struct CommitBatch {
  LedgerDb *pDb;
  Ledger *pLedger; /* borrowed from its rows */
  int nRow;
  LedgerQueueRow **apRow; /* in the order they were queued */
};

/* Appends how to find out whether the row is recorded for good. */
static void commitLook(LedgerBuf *pBuf, const LedgerQueueRow *pRow) {
  char zId[LEDGER_TXID_MAX];
  ledgerBufPrintf(pBuf, "SELECT ledger_wait('%s'",
                  ledgerTxidFormat(pRow->id, zId));
  if( sqlite3_stricmp(pRow->zLedger, "main") != 0 ) {
    ledgerBufPrintf(pBuf, ", '{\"ledger\":\"%s\"}'", pRow->zLedger);
  }
  ledgerBufText(pBuf, "), ");
}

/* Appends what the ledger has of this batch already. A timeout says it of a
** single row itself (status.c). */
static void commitAccepted(LedgerBuf *pBuf, LedgerQueueRow *const *apRow,
                           int nRow, const LedgerError *pErr) {
  const LedgerQueueRow *pLast = NULL; /* the last one that isn't committed */
  LedgerBuf ids = {0};
  char zId[LEDGER_TXID_MAX];
  char zSaid[LEDGER_TXID_MAX + 64];
  int i, n = 0, nPending = 0;
  for( i = 0; i < nRow; i++ ) {
    const LedgerQueueRow *pRow = apRow[i];
    if( pRow->eState != LEDGER_PENDING && pRow->eState != LEDGER_COMMITTED ) {
      continue;
    }
    ledgerTxidFormat(pRow->id, zId);
    if( pRow->eState == LEDGER_PENDING ) {
      nPending++;
      if( pLast == NULL || ledgerTxidCompare(pRow->id, pLast->id) > 0 ) {
        pLast = pRow;
      }
    }
    if( n++ < 10 ) ledgerBufPrintf(&ids, "%s%s", ids.n ? ", " : "", zId);
  }
  if( n > 10 ) ledgerBufText(&ids, ", ...");
  if( n == 0 || ids.bOom ) goto out;
  sqlite3_snprintf(sizeof(zSaid), zSaid,
                   "transaction %s was accepted and may still be recorded",
                   zId);
  if( nRow == 1 && strstr(ledgerErrorText(pErr), zSaid) ) goto out;
  if( nRow == 1 ) {
    ledgerBufPrintf(pBuf, "; the ledger '%s' has accepted the row as %s",
                    apRow[0]->zLedger, ids.z);
  } else {
    ledgerBufPrintf(pBuf,
                    "; the ledger '%s' has accepted %d of the %d rows: %s",
                    apRow[0]->zLedger, n, nRow, ids.z);
  }
  if( pLast ) {
    ledgerBufPrintf(pBuf, ", %s commit was not seen: %s may still be recorded",
                    nPending == 1 ? "its" : "their",
                    nPending == 1 ? "it" : "they");
  }
  ledgerBufText(pBuf, " (");
  if( pLast ) commitLook(pBuf, pLast);
  ledgerBufText(pBuf, "SELECT * FROM ledger_appends)");
out:
  ledgerBufFree(&ids);
}

/* Appends how to find out about an append that was not answered. */
static void commitUnanswered(LedgerBuf *pBuf, LedgerQueueRow *const *apRow,
                             int nRow) {
  int i;
  for( i = 0; i < nRow; i++ ) {
    const LedgerQueueRow *pRow = apRow[i];
    char *z;
    if( pRow->eState != LEDGER_UNKNOWN || pRow->zSubLedger == NULL ) continue;
    z = sqlite3_mprintf("; look for it with SELECT transaction_id, contents "
                        "FROM ledger_entries WHERE ledger = %Q AND sub_ledger "
                        "= %Q ORDER BY transaction_id DESC LIMIT 10%s",
                        pRow->zLedger, pRow->zSubLedger,
                        ledgerClientConfig(pRow->pLedger->pClient)->reconcile
                            ? ""
                            : ", or let option reconcile do it");
    if( z ) ledgerBufText(pBuf, z);
    sqlite3_free(z);
    return;
  }
}

/* Adds to the error what the ledger has, or may have, of this batch already,
** and where to look. Rows whose commit was not seen keep why. */
static void commitExplain(LedgerQueueRow *const *apRow, int nRow,
                          LedgerError *pErr) {
  const char *zWhy = ledgerErrorText(pErr) + strlen("ledger: ");
  LedgerError all = LEDGER_ERROR_INIT;
  LedgerBuf more = {0};
  int i;
  for( i = 0; i < nRow; i++ ) {
    LedgerQueueRow *pRow = apRow[i];
    if( pRow->eState != LEDGER_PENDING ) continue;
    sqlite3_free(pRow->zError);
    pRow->zError =
        sqlite3_mprintf("ledger: accepted, its commit was not seen: %s", zWhy);
  }
  commitAccepted(&more, apRow, nRow, pErr);
  commitUnanswered(&more, apRow, nRow);
  if( more.n > 0 && !more.bOom ) {
    ledgerErrorSet(&all, pErr->rc, "%s%s", zWhy, more.z);
    all.http = pErr->http;
    ledgerErrorClear(pErr);
    *pErr = all;
  }
  ledgerBufFree(&more);
}

/* Notes on the row what went wrong with it. */
static void commitNote(LedgerQueueRow *pRow, const LedgerError *pErr) {
  sqlite3_free(pRow->zError);
  pRow->zError = sqlite3_mprintf("%s", ledgerErrorText(pErr));
}

/* Reads the outcome of one finished append into its row. */
static int commitOutcome(CommitBatch *p, int i, LedgerCall *pCall,
                         LedgerError *pErr) {
  LedgerQueueRow *pRow = p->apRow[i];
  LedgerError err = LEDGER_ERROR_INIT;
  int eOutcome = LEDGER_OUTCOME_UNKNOWN, rc;
  rc = ledgerAppendResult(pCall, &eOutcome, &pRow->id, &err);
  switch( eOutcome ) {
    case LEDGER_SENT:
      pRow->eState =
          ledgerAppendCommitted(pCall) ? LEDGER_COMMITTED : LEDGER_PENDING;
      p->pDb->last = pRow->id;
      if( rc ) { /* in another sub-ledger than the row's */
        commitNote(pRow, &err);
        ledgerErrorSet(pErr, rc, "%s",
                       ledgerErrorText(&err) + strlen("ledger: "));
      }
      break;
    case LEDGER_UNSENT:
      pRow->eState = LEDGER_QUEUED;
      if( rc == LEDGER_IOERR ) rc = LEDGER_BUSY; /* it may pass later */
      ledgerErrorSet(pErr, rc, "row %d of %d was not sent: %s", i + 1, p->nRow,
                     ledgerErrorText(&err) + strlen("ledger: "));
      break;
    case LEDGER_REFUSED:
      pRow->eState = LEDGER_ROW_REFUSED;
      pRow->rcError = rc == LEDGER_BUSY ? LEDGER_CONSTRAINT : rc;
      commitNote(pRow, &err);
      ledgerErrorSet(pErr, pRow->rcError, "%s",
                     ledgerErrorText(&err) + strlen("ledger: "));
      break;
    default:
      pRow->eState = LEDGER_UNKNOWN;
      pRow->bGateway = ledgerAppendQueued(pCall);
      commitNote(pRow, &err);
      /* The append's own error says that it is unknown; what a gateway took
      ** and lost does not. */
      ledgerErrorSet(pErr, LEDGER_IOERR, "row %d of %d%s: %s", i + 1, p->nRow,
                     pRow->bGateway ? " may or may not have been recorded" : "",
                     ledgerErrorText(&err) + strlen("ledger: "));
      break;
  }
  ledgerErrorClear(&err);
  return pErr->rc;
}

/* A failure that leaves a row's outcome open outranks one that keeps the
** transaction alive: it replaces a LEDGER_BUSY. */
static void commitWorse(LedgerError *pErr, LedgerError *pNew) {
  if( pNew->rc && (pErr->rc == LEDGER_OK || pErr->rc == LEDGER_BUSY) ) {
    ledgerErrorClear(pErr);
    *pErr = *pNew;
  } else {
    ledgerErrorClear(pNew);
  }
}

/* A change that is no entry: it is done at once, from first to last request. */
static void commitOperate(CommitBatch *p, int i, LedgerError *pErr) {
  LedgerQueueRow *pRow = p->apRow[i];
  LedgerError err = LEDGER_ERROR_INIT;
  pRow->eState = LEDGER_SENDING;
  if( ledgerOperate(pRow, &err) ) {
    ledgerErrorSet(pErr, err.rc, "row %d of %d: %s", i + 1, p->nRow,
                   ledgerErrorText(&err) + strlen("ledger: "));
    pErr->http = err.http;
  }
  if( pRow->id.seqno > 0 ) p->pDb->last = pRow->id;
  ledgerErrorClear(&err);
}

/* Sends the batch's queued rows: one at a time, or with append_order `any`
** `concurrency` of them; what is no entry waits for all before it. After a
** failure nothing new is started, and what is under way is waited for. */
static int commitSend(CommitBatch *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = ledgerClientConfig(p->pLedger->pClient);
  int nLane = pConfig->appendAnyOrder ? pConfig->concurrency : 1;
  int iStart = 0, i;
  LedgerCall **apCall;
  LedgerFacts facts;
  int *aiRow;

  if( nLane < 1 ) nLane = 1;
  apCall = sqlite3_malloc64(sizeof(*apCall) * (sqlite3_uint64)nLane);
  aiRow = sqlite3_malloc64(sizeof(*aiRow) * (sqlite3_uint64)nLane);
  if( apCall == NULL || aiRow == NULL ) {
    sqlite3_free(apCall);
    sqlite3_free(aiRow);
    return ledgerErrorNomem(pErr);
  }
  memset(apCall, 0, sizeof(*apCall) * (size_t)nLane);
  for( ;; ) {
    int nRunning = 0, iDone = 0, bAlone = 0;
    LedgerError err = LEDGER_ERROR_INIT;
    for( i = 0; i < nLane; i++ ) nRunning += apCall[i] != NULL;
    for( i = 0; i < nLane; i++ ) {
      while( apCall[i] == NULL && pErr->rc == LEDGER_OK && iStart < p->nRow ) {
        LedgerQueueRow *pRow = p->apRow[iStart];
        LedgerAppend append;
        if( pRow->eState != LEDGER_QUEUED ) {
          iStart++;
          continue;
        }
        if( pRow->eKind != LEDGER_KIND_APPEND ) {
          if( nRunning > 0 ) {
            bAlone = 1;
            break;
          }
          commitOperate(p, iStart++, pErr);
          continue;
        }
        memset(&append, 0, sizeof(append));
        aiRow[i] = iStart++;
        append.zContents = pRow->zContents;
        append.nContents = pRow->nContents;
        append.zSubLedger = pRow->zSubLedger;
        append.zTags = pRow->zTags;
        append.zHooks = pRow->zHooks;
        /* One row needs no second request. Of several, the last one's answer
        ** would come after a change of view that took the others back. */
        append.bWait = p->nRow == 1 && pConfig->waitForCommit;
        ledgerClientFacts(p->pLedger->pClient, &facts);
        pRow->before = facts.committed;
        if( ledgerAppendStart(p->pLedger->pClient, &append, &apCall[i],
                              pErr) ) {
          break;
        }
        pRow->eState = LEDGER_SENDING;
        nRunning++;
      }
      if( bAlone ) break;
    }
    if( nRunning == 0 ) break;
    if( ledgerCallWaitAny(apCall, nLane, &iDone, &err) ) {
      /* An interrupt. What is under way is given up: its outcome is unknown,
      ** unless the call knows better. */
      for( i = 0; i < nLane; i++ ) {
        LedgerError one = LEDGER_ERROR_INIT;
        if( apCall[i] == NULL ) continue;
        commitOutcome(p, aiRow[i], apCall[i], &one);
        commitWorse(pErr, &one);
        ledgerCallFree(apCall[i]);
        apCall[i] = NULL;
      }
      commitWorse(pErr, &err);
      break;
    }
    commitOutcome(p, aiRow[iDone], apCall[iDone], &err);
    commitWorse(pErr, &err);
    ledgerCallFree(apCall[iDone]);
    apCall[iDone] = NULL;
  }
  sqlite3_free(apCall);
  sqlite3_free(aiRow);
  return pErr->rc;
}

/* Waits until every row that has an id is committed or lost. One wait serves
** all rows of a view up to the id waited for. */
static int commitAwait(CommitBatch *p, int *pnLost, LedgerError *pErr) {
  *pnLost = 0;
  for( ;; ) {
    LedgerQueueRow *pLast = NULL;
    int i, eState = 0, rc;
    for( i = 0; i < p->nRow; i++ ) {
      LedgerQueueRow *pRow = p->apRow[i];
      if( pRow->eState == LEDGER_PENDING &&
          (pLast == NULL || ledgerTxidCompare(pRow->id, pLast->id) > 0) ) {
        pLast = pRow;
      }
    }
    if( pLast == NULL ) return LEDGER_OK;
    rc = ledgerStatusWait(p->pLedger->pClient, pLast->id, &eState, pErr);
    if( rc ) return rc;
    if( eState == LEDGER_TX_INVALID ) {
      char zId[LEDGER_TXID_MAX];
      pLast->eState = LEDGER_LOST;
      sqlite3_free(pLast->zError);
      pLast->zError = sqlite3_mprintf("a change of view took %s back",
                                      ledgerTxidFormat(pLast->id, zId));
      ++*pnLost;
      continue;
    }
    for( i = 0; i < p->nRow; i++ ) {
      LedgerQueueRow *pRow = p->apRow[i];
      if( pRow->eState == LEDGER_PENDING && pRow->id.view == pLast->id.view &&
          pRow->id.seqno <= pLast->id.seqno ) {
        pRow->eState = LEDGER_COMMITTED;
        sqlite3_free(pRow->zError); /* of a COMMIT before this one */
        pRow->zError = NULL;
      }
    }
  }
}

/* Lost rows are queued once more if they are the tail of the batch, so that
** the order holds, or the order is free; otherwise that is the error. With
** reconcile they may be lost several times. */
static int commitRequeue(CommitBatch *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = ledgerClientConfig(p->pLedger->pClient);
  const int bAny = pConfig->appendAnyOrder;
  const int nMost = pConfig->reconcile ? COMMIT_MAX_LOST : 1;
  LedgerBuf ids = {0};
  char zId[LEDGER_TXID_MAX];
  int i, iFirst = 0, bTail = 1, rc = LEDGER_OK;
  while( p->apRow[iFirst]->eState != LEDGER_LOST ) iFirst++;
  for( i = iFirst; i < p->nRow; i++ ) {
    const LedgerQueueRow *pRow = p->apRow[i];
    if( pRow->eState != LEDGER_LOST ? !bAny : pRow->nSent >= nMost ) bTail = 0;
  }
  for( i = iFirst; i < p->nRow; i++ ) {
    LedgerQueueRow *pRow = p->apRow[i];
    if( pRow->eState != LEDGER_LOST ) continue;
    if( bTail ) {
      pRow->eState = LEDGER_QUEUED;
      pRow->nSent++;
      memset(&pRow->id, 0, sizeof(pRow->id));
      sqlite3_free(pRow->zError);
      pRow->zError = NULL;
    } else {
      ledgerBufPrintf(&ids, "%srow %d (%s)", ids.n ? ", " : "", i + 1,
                      ledgerTxidFormat(pRow->id, zId));
    }
  }
  if( !bTail ) {
    rc = ledgerErrorSet(pErr, LEDGER_IOERR,
                        "a change of view took rows of this transaction back: "
                        "%s",
                        ids.z ? ids.z : "");
  }
  ledgerBufFree(&ids);
  return rc;
}

/* How many rows are in this state. */
static int commitCount(const CommitBatch *p, int eState) {
  int i, n = 0;
  for( i = 0; i < p->nRow; i++ ) n += p->apRow[i]->eState == eState;
  return n;
}

/* Settles rows whose outcome is unknown. Where that was all that went wrong,
** the error is gone. */
static int commitReconcile(CommitBatch *p, LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerError all = LEDGER_ERROR_INIT;
  int i;
  if( commitCount(p, LEDGER_UNKNOWN) == 0 ) return pErr->rc;
  ledgerReconcile(p->pDb, p->pLedger, p->apRow, p->nRow, LEDGER_UNKNOWN, &err);
  if( commitCount(p, LEDGER_UNKNOWN) > 0 && err.rc ) {
    ledgerErrorSet(&all, pErr->rc, "%s; reconcile could not settle it: %s",
                   ledgerErrorText(pErr) + strlen("ledger: "),
                   ledgerErrorText(&err) + strlen("ledger: "));
    ledgerErrorClear(&err);
  } else if( commitCount(p, LEDGER_UNKNOWN) > 0 ) {
    return pErr->rc; /* a change that is no append */
  } else {
    all = err;
  }
  ledgerErrorClear(pErr);
  *pErr = all;
  for( i = 0; i < p->nRow; i++ ) { /* of several lanes: the other's error */
    const LedgerQueueRow *pRow = p->apRow[i];
    if( pRow->eState == LEDGER_ROW_REFUSED && pRow->zError ) {
      LedgerError refused = LEDGER_ERROR_INIT;
      ledgerErrorSet(&refused, pRow->rcError, "%s",
                     pRow->zError + strlen("ledger: "));
      commitWorse(pErr, &refused);
    }
  }
  return pErr->rc;
}

/* The first append that is to be sent, or NULL. */
static const LedgerQueueRow *commitFirst(const CommitBatch *p) {
  int i;
  for( i = 0; i < p->nRow; i++ ) {
    if( p->apRow[i]->eState == LEDGER_QUEUED &&
        p->apRow[i]->eKind == LEDGER_KIND_APPEND ) {
      return p->apRow[i];
    }
  }
  return NULL;
}

static int commitBatch(CommitBatch *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = ledgerClientConfig(p->pLedger->pClient);
  const LedgerQueueRow *pFirst = commitFirst(p);
  int nLost = 0, rc = LEDGER_OK;
  if( pConfig->reconcile && pFirst ) {
    rc = ledgerReconcileBegin(p->pLedger, pFirst->zSubLedger, pErr);
    if( rc == LEDGER_IOERR ) pErr->rc = LEDGER_BUSY; /* nothing was sent */
    if( rc ) return pErr->rc;
  }
  do {
    nLost = 0;
    rc = commitSend(p, pErr);
    if( rc && rc != LEDGER_INTERRUPT && pConfig->reconcile ) {
      rc = commitReconcile(p, pErr);
      if( rc == LEDGER_OK && commitCount(p, LEDGER_QUEUED) > 0 ) continue;
    }
    if( rc == LEDGER_OK && pConfig->waitForCommit ) {
      rc = commitAwait(p, &nLost, pErr);
    }
    if( rc == LEDGER_OK && nLost > 0 ) rc = commitRequeue(p, pErr);
  } while( rc == LEDGER_OK &&
           (nLost > 0 || commitCount(p, LEDGER_QUEUED) > 0) );
  if( commitCount(p, LEDGER_UNKNOWN) > 0 ) p->pLedger->bUnsettled = 1;
  if( rc ) commitExplain(p->apRow, p->nRow, pErr);
  return pErr->rc;
}

/* Is there something of this ledger left to do? */
static int commitIsOpen(const LedgerQueueRow *pRow) {
  return pRow->eState == LEDGER_QUEUED ||
         (pRow->eState == LEDGER_PENDING &&
          ledgerClientConfig(pRow->pLedger->pClient)->waitForCommit);
}

/* Is every row certainly sent, or certainly not, so that what failed may pass
** and COMMIT go on? */
static int commitIsCertain(const CommitBatch *p) {
  int i;
  for( i = 0; i < p->nRow; i++ ) {
    const LedgerQueueRow *pRow = p->apRow[i];
    if( pRow->eState == LEDGER_COMMITTED || pRow->eState == LEDGER_QUEUED ) {
      continue;
    }
    if( pRow->eState != LEDGER_PENDING || pRow->eKind != LEDGER_KIND_APPEND ) {
      return 0;
    }
  }
  return 1;
}

/* Names the ledgers whose part of the transaction is recorded already. */
static void commitOthers(LedgerDb *p, const Ledger *pFailed,
                         LedgerError *pErr) {
  LedgerError all = LEDGER_ERROR_INIT;
  LedgerBuf names = {0};
  int i;
  for( i = 0; i < p->nLedger; i++ ) {
    const LedgerQueueRow *pRow;
    int n = 0;
    for( pRow = p->pQueue; pRow; pRow = pRow->pNext ) {
      n += pRow->pLedger == p->apLedger[i] &&
           (pRow->eState == LEDGER_PENDING || pRow->eState == LEDGER_COMMITTED);
    }
    if( n > 0 && p->apLedger[i] != pFailed ) {
      ledgerBufPrintf(&names, "%s'%s' (%d rows)", names.n ? ", " : "",
                      p->apLedger[i]->zName, n);
    }
  }
  if( names.n > 0 && !names.bOom ) {
    ledgerErrorSet(&all, pErr->rc, "%s; recorded on other ledgers: %s",
                   ledgerErrorText(pErr) + strlen("ledger: "), names.z);
    ledgerErrorClear(pErr);
    *pErr = all;
  }
  ledgerBufFree(&names);
}

int ledgerCommit(LedgerDb *p, LedgerError *pErr) {
  LedgerQueueRow *pRow;
  CommitBatch batch;
  int nAll = 0, nOpen = 0, i, rc;

  for( pRow = p->pQueue; pRow; pRow = pRow->pNext ) {
    nAll++;
    nOpen += commitIsOpen(pRow);
  }
  if( nOpen == 0 ) return LEDGER_OK;
  rc = ledgerLockForCommit(p, pErr);
  if( rc ) return rc;
  ledgerScopeEnd(p);
  memset(&batch, 0, sizeof(batch));
  batch.pDb = p;
  batch.apRow = sqlite3_malloc64(sizeof(*batch.apRow) * (sqlite3_uint64)nAll);
  if( batch.apRow == NULL ) return ledgerErrorNomem(pErr);
  for( i = 0; i < p->nLedger && rc == LEDGER_OK; i++ ) {
    batch.pLedger = p->apLedger[i];
    batch.nRow = nOpen = 0;
    for( pRow = p->pQueue; pRow; pRow = pRow->pNext ) {
      if( pRow->pLedger != batch.pLedger ) continue;
      batch.apRow[batch.nRow++] = pRow;
      nOpen += commitIsOpen(pRow);
    }
    if( nOpen == 0 ) continue;
    rc = commitBatch(&batch, pErr);
    if( rc == LEDGER_IOERR && commitIsCertain(&batch) ) {
      rc = pErr->rc = LEDGER_BUSY;
    }
    if( rc ) commitOthers(p, batch.pLedger, pErr);
  }
  sqlite3_free(batch.apRow);
  return rc;
}

int ledgerAppendNow(LedgerDb *p, LedgerQueueRow *pRow, LedgerTxid *pId,
                    LedgerError *pErr) {
  CommitBatch batch;
  int rc;
  batch.pDb = p;
  batch.pLedger = pRow->pLedger;
  batch.nRow = 1;
  batch.apRow = &pRow;
  ledgerScopeEnd(p);
  rc = commitBatch(&batch, pErr);
  *pId = pRow->id;
  if( p->pWriter == NULL ) p->iLastBatch = pRow->n;
  if( pRow->eState == LEDGER_QUEUED ) {
    ledgerQueueRowFree(pRow); /* never sent */
  } else {
    ledgerHistoryAdd(p, pRow);
  }
  return rc;
}
