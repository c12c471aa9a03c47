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
#include "sqlite/write/write.h"

#include <stdio.h>
#include <unistd.h>

/* The busy timeout in milliseconds; 0 where an authorizer denies the question:
** then the locks are tried once. */
static int lockTimeout(sqlite3 *db) {
  sqlite3_stmt *pStmt = NULL;
  int ms = 0;
  if( sqlite3_prepare_v2(db, "PRAGMA busy_timeout", -1, &pStmt, NULL) ==
          SQLITE_OK &&
      sqlite3_step(pStmt) == SQLITE_ROW ) {
    ms = sqlite3_column_int(pStmt, 0);
  }
  sqlite3_finalize(pStmt);
  return ms;
}

/*
** Takes the EXCLUSIVE lock on one database file that is being written.
**
** Who writes through a rollback journal has the RESERVED lock by then; in WAL
** mode nobody takes it, and a lock taken here would keep all others out until
** this connection closes. The file tells that, whatever an authorizer denies.
*/
static int lockFile(sqlite3 *db, const char *zSchema) {
  sqlite3_file *pFd = NULL;
  int bReserved = 1, rc = SQLITE_OK;
  if( sqlite3_stricmp(zSchema, "temp") == 0 ) return SQLITE_OK;
  if( sqlite3_file_control(db, zSchema, SQLITE_FCNTL_FILE_POINTER, &pFd) ) {
    return SQLITE_OK;
  }
  if( pFd == NULL || pFd->pMethods == NULL ) return SQLITE_OK; /* in memory */
  if( pFd->pMethods->xCheckReservedLock ) { /* "memdb" has none, and no WAL */
    rc = pFd->pMethods->xCheckReservedLock(pFd, &bReserved);
  }
  if( rc || !bReserved ) return rc;
  return pFd->pMethods->xLock(pFd, SQLITE_LOCK_EXCLUSIVE);
}

/* One attempt at all locks. *pzSchema is the database that refused, to be
** freed, or NULL. */
static int lockAll(LedgerConn *p, char **pzSchema) {
  char *z = NULL;
  int i = 0, rc;
  *pzSchema = NULL;
  while( (rc = ledgerSchemaName(p->db, i++, &z)) == SQLITE_OK && z ) {
    if( sqlite3_txn_state(p->db, z) == SQLITE_TXN_WRITE ) {
      rc = lockFile(p->db, z);
      if( rc != SQLITE_OK ) {
        *pzSchema = z;
        return rc;
      }
    }
    sqlite3_free(z);
  }
  return rc == SQLITE_OK ? sqlite3_db_cacheflush(p->db) : rc;
}

/* Which database it is, who has it, and what to do. */
static int lockBusy(LedgerConn *p, const char *zSchema, int nWait,
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

int ledgerLockAgain(LedgerConn *p, int rc, int *pmsWait, LedgerError *pErr) {
  int msPause = *pmsWait < 10 ? *pmsWait : 10;
  if( (rc & 0xff) != SQLITE_BUSY || msPause <= 0 ) return 0;
  if( ledgerConnInterrupted(p) ) {
    ledgerErrorInterrupt(pErr);
    return 0;
  }
  usleep((useconds_t)msPause * 1000);
  *pmsWait -= msPause;
  return 1;
}

int ledgerLockForCommit(LedgerConn *p, LedgerError *pErr) {
  const int nTimeout = lockTimeout(p->db);
  int nWait = nTimeout;
  char *zSchema = NULL;
  int rc;
  do {
    sqlite3_free(zSchema);
    rc = lockAll(p, &zSchema);
  } while( ledgerLockAgain(p, rc, &nWait, pErr) );
  if( pErr->rc ) goto out;
  if( rc == SQLITE_INTERRUPT ) {
    ledgerErrorInterrupt(pErr);
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
