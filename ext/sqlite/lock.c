/*
** The local half of COMMIT: locks taken before anything is sent.
**
** SQLite calls every xSync first and takes its EXCLUSIVE lock afterwards; with
** a rollback journal and a reader elsewhere COMMIT then fails although the
** ledger has recorded. So xSync takes that lock itself, on all databases that
** are being written, also where no page is dirty (through a virtual table, by
** an UPDATE that changed nothing); then sqlite3_db_cacheflush() writes what is
** dirty, so that a full disk is found before anything is sent. In WAL mode
** readers don't stand in the way; tables in temp lock nothing.
*/
#include "ledgerInt.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The integer that a PRAGMA answers, or -1. */
static int lockPragma(sqlite3 *db, const char *zSchema, const char *zName,
                      int bIsWal) {
  sqlite3_stmt *pStmt = NULL;
  int iVal = -1;
  char *zSql = sqlite3_mprintf("PRAGMA \"%w\".%s", zSchema, zName);
  if( zSql && sqlite3_prepare_v2(db, zSql, -1, &pStmt, NULL) == SQLITE_OK &&
      sqlite3_step(pStmt) == SQLITE_ROW ) {
    const char *z = (const char *)sqlite3_column_text(pStmt, 0);
    iVal = bIsWal ? z && sqlite3_stricmp(z, "wal") == 0
                  : sqlite3_column_int(pStmt, 0);
  }
  sqlite3_finalize(pStmt);
  sqlite3_free(zSql);
  return iVal;
}

/* Takes the EXCLUSIVE lock on one database file. */
static int lockFile(sqlite3 *db, const char *zSchema) {
  sqlite3_file *pFd = NULL;
  if( sqlite3_stricmp(zSchema, "temp") == 0 ) return SQLITE_OK;
  if( sqlite3_file_control(db, zSchema, SQLITE_FCNTL_FILE_POINTER, &pFd) ) {
    return SQLITE_OK;
  }
  if( pFd == NULL || pFd->pMethods == NULL ) return SQLITE_OK; /* in memory */
  if( lockPragma(db, zSchema, "journal_mode", 1) == 1 ) return SQLITE_OK;
  return pFd->pMethods->xLock(pFd, SQLITE_LOCK_EXCLUSIVE);
}

/* One attempt at all locks. *pzSchema is the database that refused, to be
** freed, or NULL. */
static int lockAll(LedgerDb *p, char **pzSchema) {
  sqlite3_stmt *pStmt = NULL;
  int rc = sqlite3_prepare_v2(p->db, "PRAGMA database_list", -1, &pStmt, NULL);
  int rcList;
  *pzSchema = NULL;
  while( rc == SQLITE_OK && sqlite3_step(pStmt) == SQLITE_ROW ) {
    const char *z = (const char *)sqlite3_column_text(pStmt, 1);
    if( z && sqlite3_txn_state(p->db, z) == SQLITE_TXN_WRITE ) {
      rc = lockFile(p->db, z);
      if( rc != SQLITE_OK ) *pzSchema = sqlite3_mprintf("%s", z);
    }
  }
  rcList = sqlite3_finalize(pStmt);
  if( rc == SQLITE_OK ) rc = rcList;
  return rc == SQLITE_OK ? sqlite3_db_cacheflush(p->db) : rc;
}

/* Which database it is, who has it, and what to do. */
static int lockBusy(LedgerDb *p, const char *zSchema, int nWait,
                    LedgerError *pErr) {
  const char *zFile = zSchema ? sqlite3_db_filename(p->db, zSchema) : NULL;
  char zWaited[40] = "";
  if( nWait > 0 ) {
    snprintf(zWaited, sizeof(zWaited), "after %d ms still ", nWait);
  }
  return ledgerErrorSet(
      pErr, LEDGER_BUSY,
      "the database %s (%s) is %slocked by another connection; nothing was "
      "sent to the ledger: try again, or let it wait: .timeout %d, or PRAGMA "
      "busy_timeout",
      zSchema ? zSchema : "being written", zFile ? zFile : "", zWaited,
      nWait >= 5000 && nWait < 1 << 29 ? 2 * nWait : 5000);
}

int ledgerBusyAgain(LedgerDb *p, int rc, int *pmsWait, LedgerError *pErr) {
  int msPause = *pmsWait < 10 ? *pmsWait : 10;
  if( (rc & 0xff) != SQLITE_BUSY || msPause <= 0 ) return 0;
  if( ledgerDbInterrupted(p) ) {
    ledgerErrorSet(pErr, LEDGER_INTERRUPT, "interrupted");
    return 0;
  }
  usleep((useconds_t)msPause * 1000);
  *pmsWait -= msPause;
  return 1;
}

int ledgerLockForCommit(LedgerDb *p, LedgerError *pErr) {
  const int nTimeout = lockPragma(p->db, "main", "busy_timeout", 0);
  int nWait = nTimeout;
  char *zSchema = NULL;
  int rc;
  do {
    sqlite3_free(zSchema);
    rc = lockAll(p, &zSchema);
  } while( ledgerBusyAgain(p, rc, &nWait, pErr) );
  if( pErr->rc ) goto out;
  if( rc == SQLITE_INTERRUPT ) {
    ledgerErrorSet(pErr, LEDGER_INTERRUPT, "interrupted");
  } else if( (rc & 0xff) == SQLITE_BUSY ) {
    lockBusy(p, zSchema, nTimeout, pErr);
  } else if( rc != SQLITE_OK ) {
    ledgerErrorSet(pErr, rc & 0xff,
                   "the database can't be written (%s); nothing was sent to "
                   "the ledger",
                   sqlite3_errstr(rc));
  }
out:
  sqlite3_free(zSchema);
  return pErr->rc;
}
