/*
** The local half of COMMIT: locks taken before anything is sent.
**
** SQLite calls every xSync first and takes its EXCLUSIVE lock afterwards; with
** a rollback journal and a reader elsewhere COMMIT then fails although the
** ledger has recorded. So xSync takes that lock itself: on the databases of the
** tables that queued (where a virtual table holds RESERVED without a dirty
** page), then, through sqlite3_db_cacheflush(), on all databases with dirty
** pages. In WAL mode readers don't stand in the way; tables in temp lock
** nothing.
*/
#include "ledgerInt.h"

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

/* One attempt at all locks. */
static int lockAll(LedgerDb *p) {
  const LedgerWriter *pWriter;
  int rc = SQLITE_OK;
  for( pWriter = p->pWriter; pWriter && rc == SQLITE_OK;
       pWriter = pWriter->pNext ) {
    rc = lockFile(p->db, pWriter->zSchema);
  }
  if( rc == SQLITE_OK ) rc = sqlite3_db_cacheflush(p->db);
  return rc;
}

int ledgerLockForCommit(LedgerDb *p, LedgerError *pErr) {
  int nWait = lockPragma(p->db, "main", "busy_timeout", 0);
  int rc = lockAll(p);
  while( (rc & 0xff) == SQLITE_BUSY && nWait > 0 ) {
    int nPause = nWait < 10 ? nWait : 10;
    if( ledgerDbInterrupted(p) ) {
      return ledgerErrorSet(pErr, LEDGER_INTERRUPT, "interrupted");
    }
    usleep((useconds_t)nPause * 1000);
    nWait -= nPause;
    rc = lockAll(p);
  }
  if( rc == SQLITE_OK ) return LEDGER_OK;
  if( (rc & 0xff) == SQLITE_BUSY ) {
    return ledgerErrorSet(pErr, LEDGER_BUSY,
                          "the database is locked by another connection; "
                          "nothing was sent to the ledger");
  }
  return ledgerErrorSet(pErr, rc & 0xff,
                        "the database can't be written (%s); nothing was sent "
                        "to the ledger",
                        sqlite3_errstr(rc));
}
