/*
** The local half of the outbox: the table main.ledger_outbox of sql/outbox.sql,
** and who may flush it.
**
** No request is made here. function_outbox.c sends; the order of what it calls
** here makes it right: outboxClaim() before anything of a row is sent,
** outboxRecord() once its fate is known.
**
** Invariants
**   - every change is one statement in autocommit: an interrupt can't leave a
**     transaction of ours open;
**   - a mark is on disk before this file returns: synchronous is FULL while a
**     flush goes on;
**   - one flush at a time. The lock is that of a file beside the database,
**     FILE-flush, which stays empty: the system lets go of it when a process
**     dies, at once, and never before.
*/
#include "outboxInt.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define OUTBOX_FULL 2 /* PRAGMA synchronous */

i64 outboxNow(void) {
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return (i64)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- errors and rows --------------------------------------------------- */

/* The error of a local statement. */
static int outboxError(Outbox *p, LedgerError *pErr) {
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

void outboxRowsClear(OutboxRows *p) {
  int i;
  for( i = 0; i < p->nRow; i++ ) {
    sqlite3_value_free(p->aRow[i].pContents);
    sqlite3_value_free(p->aRow[i].pTags);
    sqlite3_free(p->aRow[i].zSubLedger);
    sqlite3_free(p->aRow[i].zSentTo);
    sqlite3_free(p->aRow[i].zError);
    ledgerQueueRowFree(p->aRow[i].pQueue);
  }
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
  "sent_to, transaction_id"
static int outboxAddRow(OutboxRows *p, sqlite3_stmt *pStmt) {
  OutboxRow row, *aNew;
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
      outboxText(pStmt, 6, NULL, &row.zSentTo, &n) && row.pContents &&
      row.pTags;
  if( !i ) {
    OutboxRows one = {1, 1, NULL};
    one.aRow = sqlite3_malloc64(sizeof(row));
    if( one.aRow ) one.aRow[0] = row;
    one.nRow = one.aRow != NULL;
    outboxRowsClear(&one);
    return 0;
  }
  for( i = p->nRow++; i > 0 && p->aRow[i - 1].id > row.id; i-- ) {
    p->aRow[i] = p->aRow[i - 1];
  }
  p->aRow[i] = row;
  return 1;
}

static int outboxPrepare(Outbox *p, const char *zSql, sqlite3_stmt **ppStmt,
                         LedgerError *pErr) {
  if( sqlite3_prepare_v2(p->db, zSql, -1, ppStmt, NULL) == SQLITE_OK ) {
    return LEDGER_OK;
  }
  return outboxError(p, pErr);
}

/* Steps through the statement's rows, and finalizes it. */
static int outboxReadRows(Outbox *p, sqlite3_stmt *pStmt, OutboxRows *pRows,
                          LedgerError *pErr) {
  int rc, bOk = 1;
  while( (rc = sqlite3_step(pStmt)) == SQLITE_ROW ) {
    if( bOk ) bOk = outboxAddRow(pRows, pStmt);
  }
  if( rc != SQLITE_DONE ) {
    outboxError(p, pErr);
  } else if( !bOk ) {
    ledgerErrorNomem(pErr);
  }
  sqlite3_finalize(pStmt);
  return pErr->rc;
}

/* ---- the lock ---------------------------------------------------------- */

/* The integer a PRAGMA of main answers, or -1. */
static int outboxPragma(Outbox *p, const char *zName) {
  sqlite3_stmt *pStmt = NULL;
  int i = -1;
  char *zSql = sqlite3_mprintf("PRAGMA main.%s", zName);
  if( zSql && sqlite3_prepare_v2(p->db, zSql, -1, &pStmt, NULL) == SQLITE_OK &&
      sqlite3_step(pStmt) == SQLITE_ROW ) {
    i = sqlite3_column_int(pStmt, 0);
  }
  sqlite3_finalize(pStmt);
  sqlite3_free(zSql);
  return i;
}

static void outboxSetSynchronous(Outbox *p, int i) {
  char *zSql = sqlite3_mprintf("PRAGMA main.synchronous=%d", i);
  if( zSql ) sqlite3_exec(p->db, zSql, NULL, NULL, NULL);
  sqlite3_free(zSql);
}

int outboxOpen(LedgerDb *pDb, Outbox *p, LedgerError *pErr) {
  const char *zFile = sqlite3_db_filename(pDb->db, "main");
  char *zLock = NULL;
  int nWait, rc = SQLITE_OK;

  memset(p, 0, sizeof(*p));
  p->db = pDb->db;
  p->iSynchronous = -1;
  if( zFile && zFile[0] ) {
    zLock = sqlite3_mprintf("%s-flush", zFile);
    if( zLock == NULL ) return ledgerErrorNomem(pErr);
    rc = sqlite3_open_v2(zLock, &p->pLock,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if( rc == SQLITE_OK ) {
      nWait = outboxPragma(p, "busy_timeout");
      rc = sqlite3_exec(p->pLock, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
      while( (rc & 0xff) == SQLITE_BUSY && nWait > 0 ) {
        if( ledgerDbInterrupted(pDb) ) {
          ledgerErrorSet(pErr, LEDGER_INTERRUPT, "ledger_flush: interrupted");
          goto out;
        }
        usleep(10000);
        nWait -= 10;
        rc = sqlite3_exec(p->pLock, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
      }
    }
    if( (rc & 0xff) == SQLITE_BUSY ) {
      ledgerErrorSet(pErr, LEDGER_BUSY,
                     "ledger_flush: another connection is flushing this "
                     "outbox; nothing was sent");
      goto out;
    }
    if( rc != SQLITE_OK ) {
      ledgerErrorSet(pErr, rc & 0xff,
                     "ledger_flush: %s can't be locked: %s; nothing was sent",
                     zLock, p->pLock ? sqlite3_errmsg(p->pLock) : "no memory");
      goto out;
    }
  }
  p->iSynchronous = outboxPragma(p, "synchronous");
  if( p->iSynchronous < OUTBOX_FULL ) {
    outboxSetSynchronous(p, OUTBOX_FULL);
  } else {
    p->iSynchronous = -1;
  }
out:
  sqlite3_free(zLock);
  if( pErr->rc ) outboxClose(p);
  return pErr->rc;
}

void outboxClose(Outbox *p) {
  if( p->iSynchronous >= 0 ) outboxSetSynchronous(p, p->iSynchronous);
  sqlite3_close(p->pLock);
  memset(p, 0, sizeof(*p));
}

/* ---- the table --------------------------------------------------------- */

int outboxUpgrade(Outbox *p, LedgerError *pErr) {
  sqlite3_stmt *pStmt = NULL;
  int rc;
  if( outboxPrepare(p,
                    "SELECT 1 FROM main.sqlite_schema WHERE type = 'index'"
                    " AND name = 'ledger_outbox_sent'"
                    " AND sql LIKE 'CREATE UNIQUE%'",
                    &pStmt, pErr) ) {
    return pErr->rc;
  }
  rc = sqlite3_step(pStmt);
  if( rc != SQLITE_ROW && rc != SQLITE_DONE ) outboxError(p, pErr);
  sqlite3_finalize(pStmt);
  /* Where a statement that reads stands in the way, the next flush does it. */
  if( rc == SQLITE_ROW ) {
    sqlite3_exec(p->db, "DROP INDEX IF EXISTS main.ledger_outbox_sent", NULL,
                 NULL, NULL);
  }
  return pErr->rc;
}

int outboxLedgers(Outbox *p, char ***pazName, int *pn, LedgerError *pErr) {
  sqlite3_stmt *pStmt = NULL;
  LedgerBuf names = {0};
  char **az = NULL, *z;
  int i, rc, n = 0;
  *pazName = NULL;
  *pn = 0;
  if( outboxPrepare(p,
                    "SELECT ledger FROM main.ledger_outbox"
                    " WHERE state IN ('queued', 'sending')"
                    " GROUP BY ledger ORDER BY min(id)",
                    &pStmt, pErr) ) {
    return pErr->rc;
  }
  while( (rc = sqlite3_step(pStmt)) == SQLITE_ROW ) {
    const char *zName = (const char *)sqlite3_column_text(pStmt, 0);
    if( zName == NULL ) zName = "";
    ledgerBufAppend(&names, zName, strlen(zName) + 1);
    n++;
  }
  if( rc != SQLITE_DONE ) {
    outboxError(p, pErr);
    goto out;
  }
  az = sqlite3_malloc64(sizeof(*az) * (sqlite3_uint64)n + names.n + 1);
  if( az == NULL || names.bOom ) {
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
  az = NULL;
out:
  sqlite3_free(az);
  sqlite3_finalize(pStmt);
  ledgerBufFree(&names);
  return pErr->rc;
}

int outboxClaim(Outbox *p, const char *zLedger, LedgerTxid head,
                const char *zSentTo, int nMax, OutboxRows *pRows,
                LedgerError *pErr) {
  sqlite3_stmt *pStmt = NULL;
  char zHead[LEDGER_TXID_MAX];
  if( outboxPrepare(
          p,
          "UPDATE main.ledger_outbox SET state = 'sending', head = ?1,"
          " sent_at = ?2, sent_to = ?3, transaction_id = NULL, error = NULL"
          " WHERE id IN (SELECT id FROM main.ledger_outbox"
          " WHERE state = 'queued' AND ledger = ?4 ORDER BY id LIMIT ?5)"
          " RETURNING " OUTBOX_COLUMNS,
          &pStmt, pErr) ) {
    return pErr->rc;
  }
  sqlite3_bind_text(pStmt, 1, ledgerTxidFormat(head, zHead), -1, SQLITE_STATIC);
  sqlite3_bind_int64(pStmt, 2, outboxNow());
  sqlite3_bind_text(pStmt, 3, zSentTo, -1, SQLITE_STATIC);
  sqlite3_bind_text(pStmt, 4, zLedger, -1, SQLITE_STATIC);
  sqlite3_bind_int(pStmt, 5, nMax);
  return outboxReadRows(p, pStmt, pRows, pErr);
}

/* Raises the head of a row above what its batch has committed before it. A
** version that didn't when it wrote that down may have left the row. */
static int outboxRaiseHead(Outbox *p, const char *zLedger, OutboxRow *pRow,
                           LedgerError *pErr) {
  sqlite3_stmt *pStmt = NULL;
  int rc;
  if( outboxPrepare(p,
                    "SELECT transaction_id FROM (SELECT transaction_id, sent_at"
                    " FROM main.ledger_outbox WHERE state = 'committed'"
                    " AND ledger = ?1 AND id < ?2 ORDER BY id DESC LIMIT 100)"
                    " WHERE sent_at = ?3",
                    &pStmt, pErr) ) {
    return pErr->rc;
  }
  sqlite3_bind_text(pStmt, 1, zLedger, -1, SQLITE_STATIC);
  sqlite3_bind_int64(pStmt, 2, pRow->id);
  sqlite3_bind_int64(pStmt, 3, pRow->tSent);
  while( (rc = sqlite3_step(pStmt)) == SQLITE_ROW ) {
    const char *z = (const char *)sqlite3_column_text(pStmt, 0);
    LedgerTxid id;
    if( z && ledgerTxidParse(z, strlen(z), &id) &&
        ledgerTxidCompare(id, pRow->head) > 0 ) {
      pRow->head = id;
    }
  }
  if( rc != SQLITE_DONE ) outboxError(p, pErr);
  sqlite3_finalize(pStmt);
  return pErr->rc;
}

int outboxUnsettled(Outbox *p, const char *zLedger, const char *zSentTo,
                    OutboxRows *pRows, LedgerError *pErr) {
  sqlite3_stmt *pStmt = NULL;
  int i;
  if( outboxPrepare(p,
                    "SELECT " OUTBOX_COLUMNS " FROM main.ledger_outbox"
                    " WHERE state = 'sending'"
                    " AND (ledger = ?1 OR sent_to = ?2) ORDER BY id",
                    &pStmt, pErr) ) {
    return pErr->rc;
  }
  sqlite3_bind_text(pStmt, 1, zLedger, -1, SQLITE_STATIC);
  sqlite3_bind_text(pStmt, 2, zSentTo, -1, SQLITE_STATIC);
  outboxReadRows(p, pStmt, pRows, pErr);
  for( i = 0; i < pRows->nRow && pErr->rc == LEDGER_OK; i++ ) {
    if( pRows->aRow[i].tx.seqno == 0 && pRows->aRow[i].head.seqno ) {
      outboxRaiseHead(p, zLedger, &pRows->aRow[i], pErr);
    }
  }
  return pErr->rc;
}

/* Adds an id or text to the array. */
static void outboxJsonId(LedgerBuf *pJson, LedgerTxid id) {
  char zId[LEDGER_TXID_MAX];
  if( id.seqno ) {
    ledgerBufPrintf(pJson, ",\"%s\"", ledgerTxidFormat(id, zId));
  } else {
    ledgerBufText(pJson, ",null");
  }
}

int outboxRecord(Outbox *p, const OutboxRows *pRows, LedgerError *pErr) {
  sqlite3_stmt *pStmt = NULL;
  LedgerBuf json = {0};
  LedgerTxid head = {0, 0}; /* what earlier rows of the batch have committed */
  int i;
  if( pRows->nRow == 0 ) return LEDGER_OK;
  for( i = 0; i < pRows->nRow; i++ ) {
    const OutboxRow *pRow = &pRows->aRow[i];
    ledgerBufPrintf(&json, "%s[%lld,\"%s\"", i ? "," : "[", (long long)pRow->id,
                    pRow->zState ? pRow->zState : "sending");
    outboxJsonId(&json, pRow->tx);
    outboxJsonId(&json,
                 ledgerTxidCompare(head, pRow->head) > 0 ? head : pRow->head);
    if( pRow->zError ) {
      ledgerBufText(&json, ",");
      ledgerBufJson(&json, pRow->zError, strlen(pRow->zError));
      ledgerBufText(&json, "]");
    } else {
      ledgerBufText(&json, ",null]");
    }
    if( pRow->zState && strcmp(pRow->zState, "committed") == 0 &&
        ledgerTxidCompare(pRow->tx, head) > 0 ) {
      head = pRow->tx;
    }
  }
  ledgerBufText(&json, "]");
  if( json.bOom ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  if( outboxPrepare(p,
                    "UPDATE main.ledger_outbox AS o SET state = j.state,"
                    " transaction_id = j.tx, head = j.head, error = j.error"
                    " FROM (SELECT json_extract(value, '$[0]') AS id,"
                    " json_extract(value, '$[1]') AS state,"
                    " json_extract(value, '$[2]') AS tx,"
                    " json_extract(value, '$[3]') AS head,"
                    " json_extract(value, '$[4]') AS error"
                    " FROM json_each(?1)) AS j WHERE o.id = j.id",
                    &pStmt, pErr) ) {
    goto out;
  }
  sqlite3_bind_text64(pStmt, 1, json.z, json.n, SQLITE_STATIC, SQLITE_UTF8);
  if( sqlite3_step(pStmt) != SQLITE_DONE ) outboxError(p, pErr);
out:
  sqlite3_finalize(pStmt);
  ledgerBufFree(&json);
  return pErr->rc;
}

int outboxLeft(Outbox *p, const char *zLedger, i64 *pnLeft, i64 *piFirst) {
  sqlite3_stmt *pStmt = NULL;
  int bOk = 0;
  if( sqlite3_prepare_v2(p->db,
                         "SELECT count(*), min(id) FROM main.ledger_outbox"
                         " WHERE state IN ('queued', 'sending')"
                         " AND ledger = ?1",
                         -1, &pStmt, NULL) == SQLITE_OK ) {
    sqlite3_bind_text(pStmt, 1, zLedger, -1, SQLITE_STATIC);
    bOk = sqlite3_step(pStmt) == SQLITE_ROW;
    *pnLeft = bOk ? sqlite3_column_int64(pStmt, 0) : 0;
    *piFirst = bOk ? sqlite3_column_int64(pStmt, 1) : 0;
  }
  sqlite3_finalize(pStmt);
  return bOk;
}
