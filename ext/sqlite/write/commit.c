/*
** COMMIT: the queue goes to the ledger. What is sent how, and what becomes of
** it, is send.c's and settle.c's; here are the transaction, and the words for
** what the ledger has when it fails.
**
**     BEGIN; INSERT INTO ledger_entries(contents) VALUES('a'), ('b'); COMMIT;
**
** Requests: those of send.c and settle.c.
**
** Invariants
**   - LEDGER_BUSY is returned only while every row is certainly sent or
**     certainly not sent: SQLite then keeps the transaction open, and a second
**     COMMIT goes on. So it is where no server answers the wait for rows that
**     were all accepted: to undo the local changes would part them from entries
**     that the ledger most likely keeps. (Of a change that is not an append and
**     takes several requests that isn't known: it stays LEDGER_IOERR, as for
**     ledger_append(), which has no transaction to go on with);
**   - every other failure undoes the local changes, and its message names what
**     the ledger had recorded.
*/
#include "sqlite/write/write.h"
#include "sqlite/read/read.h"

#include <string.h>

/* Appends how to find out whether the row is recorded for good. */
static void commitLook(LedgerBuf *pBuf, const LedgerQueued *pRow) {
  char zId[LEDGER_TXID_MAX];
  ledgerBufPrintf(pBuf, "SELECT ledger_wait('%s'",
                  ledgerTxidFormat(pRow->id, zId));
  if( sqlite3_stricmp(pRow->zLedger, "main") != 0 ) {
    ledgerBufPrintf(pBuf, ", '{\"ledger\":\"%s\"}'", pRow->zLedger);
  }
  ledgerBufText(pBuf, "), ");
}

/* Appends what the ledger has of this batch already. A timeout says it of a
** single row itself (LEDGER_STAGE_ACCEPTED). */
static void commitAccepted(LedgerBuf *pBuf, LedgerQueued *const *apRow,
                           int nRow, const LedgerError *pErr) {
  const LedgerQueued *pLast = NULL; /* the last one that isn't committed */
  LedgerBuf ids = {0};
  char zId[LEDGER_TXID_MAX];
  int i, n = 0, nPending = 0;
  for( i = 0; i < nRow; i++ ) {
    const LedgerQueued *pRow = apRow[i];
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
  if( nRow == 1 && pErr->eStage == LEDGER_STAGE_ACCEPTED ) goto out;
  if( nRow == 1 ) {
    ledgerBufPrintf(pBuf, "; the ledger '%s' has accepted the row as %s",
                    apRow[0]->zLedger, ids.z);
  } else {
    ledgerBufPrintf(pBuf,
                    "; the ledger '%s' has accepted %d of the %d rows: %s",
                    apRow[0]->zLedger, n, nRow, ids.z);
  }
  if( pLast ) {
    ledgerBufPrintf(
        pBuf, ", but %s commit was not confirmed: %s may still be recorded",
        nPending == 1 ? "its" : "their", nPending == 1 ? "it" : "they");
  }
  ledgerBufText(pBuf, " (");
  if( pLast ) commitLook(pBuf, pLast);
  ledgerBufText(pBuf, "SELECT * FROM ledger_appends)");
out:
  ledgerBufFree(&ids);
}

/* Appends how to find out about an append that was not answered. */
static void commitUnanswered(LedgerBuf *pBuf, LedgerQueued *const *apRow,
                             int nRow) {
  int i;
  for( i = 0; i < nRow; i++ ) {
    const LedgerQueued *pRow = apRow[i];
    char zIt[24] = "it";
    char *z;
    if( pRow->eState != LEDGER_UNKNOWN || pRow->zSubLedger == NULL ) continue;
    /* Behind the ids of other rows `it` would be one of these. */
    if( nRow > 1 ) sqlite3_snprintf(sizeof(zIt), zIt, "row %d", i + 1);
    z = sqlite3_mprintf("; look for %s with SELECT transaction_id, contents "
                        "FROM ledger_entries WHERE ledger = %Q AND sub_ledger "
                        "= %Q ORDER BY transaction_id DESC LIMIT 10%s",
                        zIt, pRow->zLedger, pRow->zSubLedger,
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
static void commitExplain(LedgerQueued *const *apRow, int nRow,
                          LedgerError *pErr) {
  const char *zWhy = ledgerErrorText(pErr);
  LedgerBuf more = {0};
  int i;
  for( i = 0; i < nRow; i++ ) {
    LedgerQueued *pRow = apRow[i];
    if( pRow->eState != LEDGER_PENDING ) continue;
    sqlite3_free(pRow->zError);
    pRow->zError =
        sqlite3_mprintf("accepted, but its commit was not confirmed: %s", zWhy);
  }
  commitAccepted(&more, apRow, nRow, pErr);
  commitUnanswered(&more, apRow, nRow);
  if( more.n > 0 && !more.bOom ) {
    ledgerErrorWrap(pErr, pErr, "%s%s", zWhy, more.z);
  }
  ledgerBufFree(&more);
}

/* Sends the rows of one ledger; where that fails, the error says what the
** ledger has of them. */
static int commitBatch(LedgerSend *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = ledgerClientConfig(p->pLedger->pClient);
  p->bWait = pConfig->waitForCommit;
  p->bSettle = pConfig->reconcile;
  p->msSettle = pConfig->settleMs;
  ledgerSend(p, pErr);
  if( ledgerSettleCount(p, LEDGER_UNKNOWN) > 0 ) p->pLedger->bUnsettled = 1;
  if( pErr->rc ) commitExplain(p->apRow, p->nRow, pErr);
  return pErr->rc;
}

/* Is there something of this ledger left to do? */
static int commitIsOpen(const LedgerQueued *pRow) {
  return pRow->eState == LEDGER_QUEUED ||
         (pRow->eState == LEDGER_PENDING &&
          ledgerClientConfig(pRow->pLedger->pClient)->waitForCommit);
}

/* Is every row certainly sent, or certainly not, so that what failed may pass
** and COMMIT go on? */
static int commitIsCertain(const LedgerSend *p) {
  int i;
  for( i = 0; i < p->nRow; i++ ) {
    const LedgerQueued *pRow = p->apRow[i];
    if( pRow->eState == LEDGER_COMMITTED || pRow->eState == LEDGER_QUEUED ) {
      continue;
    }
    if( pRow->eState != LEDGER_PENDING || pRow->pKind ) return 0;
  }
  return 1;
}

/* Names the ledgers whose part of the transaction is recorded already. */
static void commitOthers(LedgerConn *p, const Ledger *pFailed,
                         LedgerError *pErr) {
  LedgerBuf names = {0};
  int i;
  for( i = 0; i < p->nLedger; i++ ) {
    const LedgerQueued *pRow;
    int n = 0;
    for( pRow = p->queue.pFirst; pRow; pRow = pRow->pNext ) {
      n += pRow->pLedger == p->apLedger[i] &&
           (pRow->eState == LEDGER_PENDING || pRow->eState == LEDGER_COMMITTED);
    }
    if( n > 0 && p->apLedger[i] != pFailed ) {
      ledgerBufPrintf(&names, "%s'%s' (%d row%s)", names.n ? ", " : "",
                      p->apLedger[i]->zName, n, n == 1 ? "" : "s");
    }
  }
  if( names.n > 0 && !names.bOom ) {
    ledgerErrorWrap(pErr, pErr, "%s; recorded on other ledgers: %s",
                    ledgerErrorText(pErr), names.z);
  }
  ledgerBufFree(&names);
}

int ledgerCommit(LedgerConn *p, LedgerError *pErr) {
  LedgerQueued *pRow, **apRow;
  LedgerSend batch;
  int nAll = 0, nOpen = 0, i, rc;

  for( pRow = p->queue.pFirst; pRow; pRow = pRow->pNext ) {
    nAll++;
    nOpen += commitIsOpen(pRow);
  }
  if( nOpen == 0 ) return LEDGER_OK;
  rc = ledgerLockForCommit(p, pErr);
  if( rc ) return rc;
  ledgerSnapshotEnd(p);
  apRow = sqlite3_malloc64(sizeof(*apRow) * (sqlite3_uint64)nAll);
  if( apRow == NULL ) return ledgerErrorNomem(pErr);
  ledgerProgressBegin(p->pProgress, "COMMIT");
  for( i = 0; i < p->nLedger && rc == LEDGER_OK; i++ ) {
    memset(&batch, 0, sizeof(batch));
    batch.pConn = p;
    batch.pLedger = p->apLedger[i];
    batch.apRow = apRow;
    nOpen = 0;
    for( pRow = p->queue.pFirst; pRow; pRow = pRow->pNext ) {
      if( pRow->pLedger != batch.pLedger ) continue;
      apRow[batch.nRow++] = pRow;
      nOpen += commitIsOpen(pRow);
    }
    if( nOpen == 0 ) continue;
    rc = commitBatch(&batch, pErr);
    if( rc == LEDGER_IOERR && commitIsCertain(&batch) ) {
      rc = pErr->rc = LEDGER_BUSY;
    }
    if( rc ) commitOthers(p, batch.pLedger, pErr);
  }
  ledgerProgressEnd(p->pProgress);
  sqlite3_free(apRow);
  return rc;
}

int ledgerCommitRow(LedgerConn *p, LedgerQueued *pRow, LedgerTxid *pId,
                    LedgerError *pErr) {
  LedgerSend batch;
  int rc;
  memset(&batch, 0, sizeof(batch));
  batch.pConn = p;
  batch.pLedger = pRow->pLedger;
  batch.nRow = 1;
  batch.apRow = &pRow;
  ledgerSnapshotEnd(p);
  rc = commitBatch(&batch, pErr);
  *pId = pRow->id;
  if( p->queue.pTables == NULL ) p->appended.iLastBatch = pRow->n;
  if( pRow->eState == LEDGER_QUEUED ) {
    ledgerQueuedFree(pRow); /* never sent */
  } else {
    ledgerAppendedAdd(p, pRow);
  }
  return rc;
}
