/*
** The local half of the outbox: the table main.ledger_outbox of sql/outbox.sql,
** and who may flush it.
**
** No request is made here. outbox/flush.c sends; the order of what it calls
** here makes it right: ledgerOutboxClaim() before anything of a row is sent,
** ledgerOutboxRecord() once its fate is known.
**
** Invariants
**   - every change is one statement in autocommit: an interrupt can't leave a
**     transaction of ours open;
**   - a mark is on disk before this file returns, whatever synchronous says;
**     so is, below EXTRA, that the journal is gone which would take it back;
**   - no statement waits in SQLite's busy handler, which does not look for an
**     interrupt: busy_timeout is 0 while a flush goes on, and waited for here;
**   - one flush at a time. The lock is that of a file beside the database,
**     FILE-flush, which stays empty: the system lets go of it when a process
**     dies, at once, and never before.
*/
#include "sqlite/outbox/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define OUTBOX_FULL 2  /* PRAGMA synchronous */
#define OUTBOX_EXTRA 3 /* the same */

/* A value of a statement: text, or an integer where there is none. */
typedef struct OutboxArg OutboxArg;
struct OutboxArg {
  const char *z;
  i64 i;
};

/* Where the rows of a statement go. */
typedef struct OutboxInto OutboxInto;
struct OutboxInto {
  int (*xRow)(void *, sqlite3_stmt *); /* takes one; 0 when memory is short */
  void (*xClear)(void *);              /* forgets them all, or NULL */
  void *pArg;
};

/* ---- errors and rows ----------------------------------------------------- */

/* The error of a local statement. */
static int outboxError(LedgerOutbox *p, LedgerError *pErr) {
  int rc = sqlite3_errcode(p->db) & 0xff;
  const char *zMsg = sqlite3_errmsg(p->db);
  if( strstr(zMsg, "no such table") || strstr(zMsg, "no such column") ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "ledger_flush: %s: sql/outbox.sql makes the table "
                          "(.read sql/outbox.sql)",
                          zMsg);
  }
  if( rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE ) {
    rc = SQLITE_ERROR;
  }
  return ledgerErrorSet(pErr, rc, "ledger_flush: the outbox: %s", zMsg);
}

/* One attempt at a statement; the result code. */
static int outboxTry(LedgerOutbox *p, const char *zSql, const OutboxArg *aArg,
                     int nArg, const OutboxInto *pInto, LedgerError *pErr) {
  sqlite3_stmt *pStmt = NULL;
  int i, bOk = 1, rc = sqlite3_prepare_v2(p->db, zSql, -1, &pStmt, NULL);
  for( i = 0; i < nArg && rc == SQLITE_OK; i++ ) {
    rc = aArg[i].z
             ? sqlite3_bind_text(pStmt, i + 1, aArg[i].z, -1, SQLITE_STATIC)
             : sqlite3_bind_int64(pStmt, i + 1, aArg[i].i);
  }
  while( rc == SQLITE_OK || rc == SQLITE_ROW ) {
    rc = sqlite3_step(pStmt);
    if( rc == SQLITE_ROW && bOk && pInto )
      bOk = pInto->xRow(pInto->pArg, pStmt);
  }
  if( rc == SQLITE_DONE ) {
    rc = SQLITE_OK;
  } else if( (rc & 0xff) != SQLITE_BUSY ) {
    outboxError(p, pErr);
  }
  if( rc == SQLITE_OK && !bOk ) ledgerErrorNomem(pErr);
  sqlite3_finalize(pStmt);
  return rc;
}

/* Runs a statement, as often as busy_timeout allows while another connection
** holds the database. */
static int outboxRun(LedgerOutbox *p, const char *zSql, const OutboxArg *aArg,
                     int nArg, const OutboxInto *pInto, LedgerError *pErr) {
  int msWait = p->msBusy, rc;
  do {
    if( pInto && pInto->xClear ) pInto->xClear(pInto->pArg);
    rc = outboxTry(p, zSql, aArg, nArg, pInto, pErr);
  } while( ledgerLockAgain(p->pConn, rc, &msWait, pErr) );
  if( (rc & 0xff) == SQLITE_BUSY && pErr->rc == LEDGER_OK ) {
    ledgerErrorSet(pErr, LEDGER_BUSY,
                   "ledger_flush: the outbox: another connection holds the "
                   "database (busy_timeout %d)",
                   p->msBusy);
  }
  p->bFailed |= pErr->rc != LEDGER_OK;
  return pErr->rc;
}

/* An integer: 0 where the statement has no row. */
static int outboxIntRow(void *pArg, sqlite3_stmt *pStmt) {
  *(int *)pArg = sqlite3_column_int(pStmt, 0);
  return 1;
}
static int outboxInt(LedgerOutbox *p, const char *zSql, int *pi,
                     LedgerError *pErr) {
  OutboxInto into = {outboxIntRow, NULL, pi};
  *pi = 0;
  return outboxRun(p, zSql, NULL, 0, &into, pErr);
}

static void outboxRowClear(LedgerOutboxRow *p) {
  sqlite3_value_free(p->pContents);
  sqlite3_value_free(p->pTags);
  sqlite3_free(p->zSubLedger);
  sqlite3_free(p->zSentTo);
  sqlite3_free(p->zError);
  ledgerQueuedFree(p->pQueue);
}

void ledgerOutboxRowsClear(LedgerOutboxRows *p) {
  int i;
  for( i = 0; i < p->nRow; i++ ) outboxRowClear(&p->aRow[i]);
  sqlite3_free(p->aRow);
  memset(p, 0, sizeof(*p));
}

/* A copy of a column's text, with a NUL behind its *pn bytes. For SQL NULL it
** is zNull's, which may be NULL. 0 when memory is short. */
static int outboxText(sqlite3_stmt *pStmt, int i, const char *zNull, char **pz,
                      int *pn) {
  const char *z = (const char *)sqlite3_column_text(pStmt, i);
  int n = sqlite3_column_bytes(pStmt, i);
  *pz = NULL;
  *pn = 0;
  if( z == NULL ) {
    if( sqlite3_column_type(pStmt, i) != SQLITE_NULL ) return 0;
    if( zNull == NULL ) return 1;
    z = zNull;
    n = (int)strlen(z);
  }
  *pz = sqlite3_malloc64((sqlite3_uint64)n + 1);
  if( *pz == NULL ) return 0;
  memcpy(*pz, z, (size_t)n);
  (*pz)[n] = 0;
  *pn = n;
  return 1;
}

/* Adds the statement's row, where its id belongs: RETURNING has no order. The
** columns are those of OUTBOX_COLUMNS. */
#define OUTBOX_COLUMNS                              \
  "id, contents, tags, sub_ledger, head, sent_at, " \
  "sent_to, transaction_id, error"
static int outboxAddRow(void *pArg, sqlite3_stmt *pStmt) {
  LedgerOutboxRows *p = pArg;
  LedgerOutboxRow row, *aNew;
  const char *zId;
  int i, n;
  if( p->nRow == p->nAlloc ) {
    int nNew = p->nAlloc ? 2 * p->nAlloc : 64;
    aNew = sqlite3_realloc64(p->aRow, sizeof(*aNew) * (sqlite3_uint64)nNew);
    if( aNew == NULL ) return 0;
    p->aRow = aNew;
    p->nAlloc = nNew;
  }
  memset(&row, 0, sizeof(row));
  row.eState = LEDGER_SENDING;
  row.id = sqlite3_column_int64(pStmt, 0);
  row.pContents = sqlite3_value_dup(sqlite3_column_value(pStmt, 1));
  row.pTags = sqlite3_value_dup(sqlite3_column_value(pStmt, 2));
  row.tSent = sqlite3_column_int64(pStmt, 5);
  zId = (const char *)sqlite3_column_text(pStmt, 4);
  if( zId ) ledgerTxidParse(zId, strlen(zId), &row.head);
  zId = (const char *)sqlite3_column_text(pStmt, 7);
  if( zId ) ledgerTxidParse(zId, strlen(zId), &row.tx);
  i = outboxText(pStmt, 3, LEDGER_DEFAULT_SUB_LEDGER, &row.zSubLedger,
                 &row.nSubLedger) &&
      outboxText(pStmt, 6, NULL, &row.zSentTo, &n) &&
      outboxText(pStmt, 8, NULL, &row.zError, &n) && row.pContents && row.pTags;
  if( !i ) {
    outboxRowClear(&row);
    return 0;
  }
  for( i = p->nRow++; i > 0 && p->aRow[i - 1].id > row.id; i-- ) {
    p->aRow[i] = p->aRow[i - 1];
  }
  p->aRow[i] = row;
  return 1;
}

static void outboxRowsForget(void *pArg) {
  ledgerOutboxRowsClear(pArg);
}

/* ---- the lock ------------------------------------------------------------ */

/* Brings the folder of the database to the disk: a journal whose deletion got
** lost with the power would take back what was committed. */
static int outboxSyncFolder(LedgerOutbox *p, LedgerError *pErr) {
  const char *zFile = sqlite3_db_filename(p->db, "main");
  const char *zSlash = zFile ? strrchr(zFile, '/') : NULL;
  char *zFolder;
  int fd, e = 0;
  if( zSlash == NULL ) return LEDGER_OK; /* in memory */
  zFolder = sqlite3_mprintf("%.*s", (int)(zSlash - zFile) + 1, zFile);
  if( zFolder == NULL ) return ledgerErrorNomem(pErr);
  fd = open(zFolder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if( fd < 0 || fsync(fd) ) e = errno;
  if( fd >= 0 ) close(fd);
  if( e ) {
    ledgerErrorSet(pErr, LEDGER_IOERR,
                   "ledger_flush: the folder %s can't be synced to disk "
                   "(%s), so a power loss could take back what was written to "
                   "the outbox: PRAGMA journal_mode = WAL does without",
                   zFolder, ledgerSystemError(e));
  }
  sqlite3_free(zFolder);
  return pErr->rc;
}

/* Brings what was written to the disk, where synchronous doesn't. The setting
** itself is left alone: it couldn't be put back after an interrupt. */
static int outboxSync(LedgerOutbox *p, LedgerError *pErr) {
  static const int aFile[] = {SQLITE_FCNTL_FILE_POINTER,
                              SQLITE_FCNTL_JOURNAL_POINTER /* or the WAL */};
  int i, rc = SQLITE_OK;
  for( i = 0; i < 2 && p->bSync && rc == SQLITE_OK; i++ ) {
    sqlite3_file *pFd = NULL;
    if( sqlite3_file_control(p->db, "main", aFile[i], &pFd) == SQLITE_OK &&
        pFd && pFd->pMethods ) {
      rc = pFd->pMethods->xSync(pFd, SQLITE_SYNC_NORMAL);
    }
  }
  if( rc == SQLITE_OK ) return p->bFolder ? outboxSyncFolder(p, pErr) : 0;
  return ledgerErrorSet(pErr, rc & 0xff,
                        "ledger_flush: what was written to the outbox can't be "
                        "synced to disk: %s",
                        sqlite3_errstr(rc));
}

/* Takes the lock of the file zLock. */
static int outboxLock(LedgerOutbox *p, const char *zLock, LedgerError *pErr) {
  int msWait = p->msBusy;
  int rc = sqlite3_open_v2(zLock, &p->pLock,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
  if( rc == SQLITE_OK ) {
    do {
      rc = sqlite3_exec(p->pLock, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
    } while( ledgerLockAgain(p->pConn, rc, &msWait, pErr) );
  }
  if( rc == SQLITE_OK || pErr->rc ) return pErr->rc;
  if( (rc & 0xff) == SQLITE_BUSY ) {
    return ledgerErrorSet(pErr, LEDGER_BUSY,
                          "ledger_flush: another connection is flushing this "
                          "outbox; nothing was sent");
  }
  return ledgerErrorSet(pErr, rc & 0xff,
                        "ledger_flush: %s can't be locked: %s; nothing was "
                        "sent",
                        zLock,
                        p->pLock ? sqlite3_errmsg(p->pLock) : "no memory");
}

/* Is a journal deleted at the end of a transaction? */
static int outboxDeletesRow(void *pArg, sqlite3_stmt *pStmt) {
  const char *z = (const char *)sqlite3_column_text(pStmt, 0);
  *(int *)pArg = z && strcmp(z, "delete") == 0;
  return z != NULL;
}

int ledgerOutboxOpen(LedgerConn *pConn, LedgerOutbox *p, LedgerError *pErr) {
  const char *zFile = sqlite3_db_filename(pConn->db, "main");
  OutboxInto into = {outboxDeletesRow, NULL, &p->bFolder};
  char *zLock;
  int eSync = 0;

  memset(p, 0, sizeof(*p));
  p->pConn = pConn;
  p->db = pConn->db;
  /* 0 where the user has a busy handler of his own: that stays. */
  if( outboxInt(p, "PRAGMA busy_timeout", &p->msBusy, pErr) ) return pErr->rc;
  if( p->msBusy > 0 ) sqlite3_busy_timeout(p->db, 0);
  if( zFile && zFile[0] ) {
    zLock = sqlite3_mprintf("%s-flush", zFile);
    if( zLock == NULL ) {
      ledgerErrorNomem(pErr);
    } else {
      outboxLock(p, zLock, pErr);
    }
    sqlite3_free(zLock);
  }
  if( pErr->rc == LEDGER_OK ) {
    outboxInt(p, "PRAGMA main.synchronous", &eSync, pErr);
    p->bSync = eSync < OUTBOX_FULL;
  }
  if( pErr->rc == LEDGER_OK && eSync < OUTBOX_EXTRA ) {
    outboxRun(p, "PRAGMA main.journal_mode", NULL, 0, &into, pErr);
  }
  if( pErr->rc ) ledgerOutboxClose(p);
  return pErr->rc;
}

void ledgerOutboxClose(LedgerOutbox *p) {
  if( p->msBusy > 0 ) sqlite3_busy_timeout(p->db, p->msBusy);
  sqlite3_close(p->pLock);
  memset(p, 0, sizeof(*p));
}

/* ---- the table ----------------------------------------------------------- */

static int outboxNameRow(void *pArg, sqlite3_stmt *pStmt) {
  LedgerBuf *pNames = pArg;
  const char *zName = (const char *)sqlite3_column_text(pStmt, 0);
  if( zName == NULL ) zName = "";
  ledgerBufAppend(pNames, zName, strlen(zName) + 1);
  return !pNames->bOom;
}
static void outboxNamesForget(void *pArg) {
  LedgerBuf *pNames = pArg;
  ledgerBufReset(pNames);
}

int ledgerOutboxLedgers(LedgerOutbox *p, char ***pazName, int *pn,
                        LedgerError *pErr) {
  LedgerBuf names = {0};
  OutboxInto into = {outboxNameRow, outboxNamesForget, NULL};
  char **az, *z;
  size_t k;
  int i, n = 0;
  *pazName = NULL;
  *pn = 0;
  into.pArg = &names;
  if( outboxRun(p,
                "SELECT ledger FROM main.ledger_outbox"
                " WHERE state IN ('queued', 'sending')"
                " GROUP BY ledger ORDER BY min(id)",
                NULL, 0, &into, pErr) ) {
    goto out;
  }
  for( k = 0; k < names.n; k++ ) n += names.z[k] == 0;
  az = sqlite3_malloc64(sizeof(*az) * (sqlite3_uint64)n + names.n + 1);
  if( az == NULL ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  z = (char *)(az + n);
  if( names.n ) memcpy(z, names.z, names.n);
  for( i = 0; i < n; i++ ) {
    az[i] = z;
    z += strlen(z) + 1;
  }
  *pazName = az;
  *pn = n;
out:
  ledgerBufFree(&names);
  return pErr->rc;
}

static int outboxIdRow(void *pArg, sqlite3_stmt *pStmt) {
  *(i64 *)pArg = sqlite3_column_int64(pStmt, 0);
  return 1;
}

int ledgerOutboxNameRows(LedgerOutbox *p, int bSeveral, LedgerError *pErr) {
  i64 iFirst = 0;
  OutboxInto into = {outboxIdRow, NULL, &iFirst};
  if( outboxRun(
          p,
          "SELECT id FROM main.ledger_outbox"
          " WHERE state = 'queued' AND ledger IS NULL ORDER BY id LIMIT 1",
          NULL, 0, &into, pErr) ||
      iFirst == 0 ) {
    return pErr->rc;
  }
  if( bSeveral ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "ledger_flush: row %lld of the outbox: several "
                          "ledgers are attached: name one in column ledger",
                          iFirst);
  }
  if( outboxRun(p,
                "UPDATE main.ledger_outbox SET ledger = 'main'"
                " WHERE state = 'queued' AND ledger IS NULL",
                NULL, 0, NULL, pErr) == LEDGER_OK ) {
    p->bFailed |= outboxSync(p, pErr) != LEDGER_OK;
  }
  return pErr->rc;
}

int ledgerOutboxLast(LedgerOutbox *p, const char *zLedger, i64 *piLast,
                     LedgerError *pErr) {
  OutboxInto into = {outboxIdRow, NULL, piLast};
  OutboxArg arg = {zLedger, 0};
  *piLast = 0;
  return outboxRun(p,
                   "SELECT max(id) FROM main.ledger_outbox"
                   " WHERE state IN ('queued', 'sending') AND ledger = ?1",
                   &arg, 1, &into, pErr);
}

int ledgerOutboxClaim(LedgerOutbox *p, const char *zLedger, LedgerTxid head,
                      const char *zSentTo, const LedgerOutboxLimits *pLimits,
                      int nMax, LedgerOutboxRows *pRows, LedgerError *pErr) {
  char zHead[LEDGER_TXID_MAX];
  char *zAhead =
      sqlite3_mprintf("[%s]", pLimits->ahead.z ? pLimits->ahead.z : "");
  OutboxInto into = {outboxAddRow, outboxRowsForget, pRows};
  OutboxArg aArg[] = {{ledgerTxidFormat(head, zHead), 0},
                      {NULL, ledgerClockWall()},
                      {zSentTo, 0},
                      {zLedger, 0},
                      {NULL, nMax},
                      {NULL, pLimits->iDone},
                      {NULL, pLimits->iLast},
                      {zAhead, 0}};
  if( zAhead == NULL ) return ledgerErrorNomem(pErr);
  if( outboxRun(p,
                "UPDATE main.ledger_outbox SET state = 'sending', head = ?1,"
                " sent_at = ?2, sent_to = ?3, transaction_id = NULL,"
                " error = NULL"
                " WHERE id IN (SELECT id FROM main.ledger_outbox"
                " WHERE state = 'queued' AND ledger = ?4"
                " AND id > ?6 AND id <= ?7"
                " AND id NOT IN (SELECT value FROM json_each(?8))"
                " ORDER BY id LIMIT ?5) RETURNING " OUTBOX_COLUMNS,
                aArg, 8, &into, pErr) == LEDGER_OK &&
      pRows->nRow > 0 ) {
    p->bFailed |= outboxSync(p, pErr) != LEDGER_OK;
  }
  sqlite3_free(zAhead);
  return pErr->rc;
}

int ledgerOutboxUnsettled(LedgerOutbox *p, const char *zLedger,
                          const char *zSentTo, LedgerOutboxRows *pRows,
                          LedgerError *pErr) {
  OutboxInto into = {outboxAddRow, outboxRowsForget, pRows};
  OutboxArg aArg[] = {{zLedger, 0}, {zSentTo, 0}};
  return outboxRun(p,
                   "SELECT " OUTBOX_COLUMNS " FROM main.ledger_outbox"
                   " WHERE state = 'sending' AND (ledger = ?1 OR sent_to = ?2)"
                   " ORDER BY id",
                   aArg, 2, &into, pErr);
}

/* Adds an id to the array. */
static void outboxJsonId(LedgerBuf *pJson, LedgerTxid id) {
  char zId[LEDGER_TXID_MAX];
  if( id.seqno ) {
    ledgerBufPrintf(pJson, ",\"%s\"", ledgerTxidFormat(id, zId));
  } else {
    ledgerBufText(pJson, ",null");
  }
}

int ledgerOutboxRecord(LedgerOutbox *p, const LedgerOutboxRows *pRows,
                       int bInOrder, LedgerError *pErr) {
  LedgerBuf json = {0};
  OutboxArg arg = {NULL, 0};
  LedgerTxid head = {0, 0}; /* what earlier rows of the batch have committed */
  int i;
  if( pRows->nRow == 0 ) return LEDGER_OK;
  for( i = 0; i < pRows->nRow; i++ ) {
    const LedgerOutboxRow *pRow = &pRows->aRow[i];
    ledgerBufPrintf(&json, "%s[%lld,\"%s\"", i ? "," : "[", (long long)pRow->id,
                    ledgerAppendedStateName(pRow->eState));
    outboxJsonId(&json, pRow->tx);
    outboxJsonId(&json,
                 ledgerTxidCompare(head, pRow->head) > 0 ? head : pRow->head);
    ledgerBufPrintf(&json, ",%lld", (long long)pRow->tSent);
    if( pRow->zError ) {
      ledgerBufText(&json, ",");
      ledgerBufJson(&json, pRow->zError, strlen(pRow->zError));
      ledgerBufText(&json, "]");
    } else {
      ledgerBufText(&json, ",null]");
    }
    if( bInOrder && pRow->eState == LEDGER_COMMITTED &&
        ledgerTxidCompare(pRow->tx, head) > 0 ) {
      head = pRow->tx;
    }
  }
  ledgerBufAppend(&json, "]", 2);
  if( json.bOom ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  arg.z = json.z;
  if( outboxRun(p,
                "UPDATE main.ledger_outbox AS o SET state = j.state,"
                " transaction_id = j.tx, head = j.head, sent_at = j.sent_at,"
                " error = j.error"
                " FROM (SELECT json_extract(value, '$[0]') AS id,"
                " json_extract(value, '$[1]') AS state,"
                " json_extract(value, '$[2]') AS tx,"
                " json_extract(value, '$[3]') AS head,"
                " json_extract(value, '$[4]') AS sent_at,"
                " json_extract(value, '$[5]') AS error"
                " FROM json_each(?1)) AS j WHERE o.id = j.id",
                &arg, 1, NULL, pErr) == LEDGER_OK ) {
    p->bFailed |= outboxSync(p, pErr) != LEDGER_OK;
  }
out:
  ledgerBufFree(&json);
  return pErr->rc;
}

int ledgerOutboxHeld(LedgerOutbox *p, LedgerTxid id, i64 iRow, int *pbHeld,
                     LedgerError *pErr) {
  char zId[LEDGER_TXID_MAX];
  OutboxInto into = {outboxIntRow, NULL, pbHeld};
  OutboxArg aArg[] = {{ledgerTxidFormat(id, zId), 0}, {NULL, iRow}};
  *pbHeld = 0;
  return outboxRun(p,
                   "SELECT 1 FROM main.ledger_outbox AS w"
                   " JOIN main.ledger_outbox AS o ON o.transaction_id = ?1"
                   " AND o.state = 'committed' AND o.id <> w.id"
                   " AND o.sent_to = w.sent_to"
                   " AND o.sub_ledger IS w.sub_ledger"
                   " AND o.contents IS w.contents WHERE w.id = ?2",
                   aArg, 2, &into, pErr);
}

static int outboxLeftRow(void *pArg, sqlite3_stmt *pStmt) {
  i64 *aLeft = pArg;
  aLeft[0] = sqlite3_column_int64(pStmt, 0);
  aLeft[1] = sqlite3_column_int64(pStmt, 1);
  return 1;
}

void ledgerOutboxLeft(LedgerOutbox *p, const char *zLedger, LedgerTxid accepted,
                      LedgerBuf *pLeft) {
  LedgerError err = LEDGER_ERROR_INIT;
  char zId[LEDGER_TXID_MAX];
  i64 aLeft[2] = {0, 0};
  OutboxInto into = {outboxLeftRow, NULL, aLeft};
  OutboxArg arg = {zLedger, 0};
  /* Once: the error that this is told with may be that of a wait. */
  int rc = outboxTry(p,
                     "SELECT count(*), min(id) FROM main.ledger_outbox"
                     " WHERE state IN ('queued', 'sending') AND ledger = ?1",
                     &arg, 1, &into, &err);
  ledgerErrorClear(&err);
  if( rc != SQLITE_OK || aLeft[0] == 0 ) return;
  ledgerBufPrintf(pLeft, ", %lld left for '%s', row %lld first",
                  (long long)aLeft[0], zLedger, (long long)aLeft[1]);
  if( accepted.seqno ) {
    ledgerBufPrintf(pLeft, " (accepted up to %s, may still be recorded)",
                    ledgerTxidFormat(accepted, zId));
  }
}
