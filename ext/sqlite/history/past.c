/*
** The file of what was read before: made, opened, emptied, given up.
**
**     SELECT ledger_attach('my-ledger', 'main', '{"cache":"/var/me/l.db"}');
**
** Requests: GET /app/transactions/current, once, to be let in.
**
** The file is a SQLite database with a connection of its own: without mutexes,
** in WAL, so that several processes may use it, and never waiting for a lock.
** We never open or close it ourselves, which would take the process's POSIX
** locks from it: it is made by mknod(), 0600. Never renamed, never deleted.
** Only what has our application_id is altered: a damaged one is emptied, one of
** a newer format, or another's, is left alone and not used.
*/
#include "sqlite/history/pastInt.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAST_APPLICATION 0x6c656467 /* "ledg" */
#define PAST_FORMAT 1
#define PAST_CLEAR_MS 2000 /* that ledger_cache_clear() waits for a lock */

static const char zPastSchema[] =
    "CREATE TABLE IF NOT EXISTS sub(sub INTEGER PRIMARY KEY, owner BLOB,"
    " name TEXT, UNIQUE(owner, name));"
    "CREATE TABLE IF NOT EXISTS span(n INTEGER PRIMARY KEY, sub INTEGER,"
    " low INTEGER, high INTEGER, entries INTEGER, digest INTEGER, rows BLOB,"
    " UNIQUE(sub, low));"
    "CREATE TABLE IF NOT EXISTS answer(n INTEGER PRIMARY KEY, owner BLOB,"
    " request TEXT, digest INTEGER, body BLOB, UNIQUE(owner, request));";

/* Spans and answers are numbered together: the oldest leave first. */
#define PAST_NEXT                                         \
  "(SELECT 1 + max((SELECT ifnull(max(n), 0) FROM span)," \
  " (SELECT ifnull(max(n), 0) FROM answer)))"

static const char *const azPastSql[PAST_STATEMENTS] = {
    "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "SELECT 1 FROM span LIMIT 1",
    "SELECT 1 FROM span UNION ALL SELECT 1 FROM answer LIMIT 1",
    "SELECT sub FROM sub WHERE owner = ?1 AND name = ?2",
    "INSERT INTO sub(owner, name) VALUES(?1, ?2)",
    "SELECT name FROM sub s WHERE owner = ?1 AND name > ?2 AND ?3 <="
    " (SELECT high FROM span WHERE sub = s.sub AND low <= ?3"
    " ORDER BY low DESC LIMIT 1) ORDER BY name LIMIT 1",
    "DELETE FROM sub WHERE sub NOT IN (SELECT sub FROM span)",
    "SELECT low, high, entries, digest, rows, n FROM span"
    " WHERE sub = ?1 AND low <= ?2 ORDER BY low DESC LIMIT 1",
    "SELECT min(low) FROM span WHERE sub = ?1 AND low > ?2",
    /* Less than a page isn't worth one request more, of the rest of a gap. */
    "SELECT min(low) FROM span WHERE sub = ?1 AND low > ?2"
    " AND (high - low >= 100 OR length(rows) >= 16384)",
    "INSERT INTO span(sub, low, high, entries, digest, rows, n)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, " PAST_NEXT ")",
    "DELETE FROM span WHERE n = ?1",
    "SELECT min(n) FROM (SELECT min(n) AS n FROM span"
    " UNION ALL SELECT min(n) FROM answer)",
    "SELECT (c.page_count - f.freelist_count) * s.page_size"
    " FROM pragma_page_count() c, pragma_freelist_count() f,"
    " pragma_page_size() s",
    "SELECT name, low, high, entries, length(rows), sub FROM sub"
    " JOIN span USING(sub) WHERE owner = ?1 ORDER BY name, low",
    "SELECT digest, body, n FROM answer WHERE owner = ?1 AND request = ?2",
    "INSERT OR REPLACE INTO answer(owner, request, digest, body, n)"
    " VALUES(?1, ?2, ?3, ?4, " PAST_NEXT ")",
    "DELETE FROM answer WHERE n = ?1",
    "SELECT count(*), sum(length(body)) FROM answer WHERE owner = ?1"};

static _Thread_local int bPastOpening;

int ledgerPastOpening(void) {
  return bPastOpening;
}

/* One line says why the file isn't used. */
static void pastProblem(LedgerPast *p, const char *zWhy) {
  p->bTried = 1;
  sqlite3_free(p->zProblem);
  p->zProblem = sqlite3_mprintf("%s", zWhy);
  sqlite3_log(SQLITE_WARNING, "ledger: cache '%s' is not used: %s", p->zPath,
              zWhy);
}

static void pastClose(LedgerPast *p) {
  int i;
  for( i = 0; i < PAST_STATEMENTS; i++ ) {
    sqlite3_finalize(p->apStmt[i]);
    p->apStmt[i] = NULL;
  }
  sqlite3_close(p->db);
  p->db = NULL;
}

/* Ledger.xPastFree. */
static void pastFree(void *pArg) {
  LedgerPast *p = pArg;
  if( p == NULL ) return;
  pastClose(p);
  sqlite3_free(p->aHit);
  sqlite3_free(p->zProblem);
  sqlite3_free(p->zPath);
  sqlite3_free(p);
}

/* An integer that a statement tells, of one row. */
static int pastPragma(sqlite3 *db, const char *zSql, i64 *pi) {
  sqlite3_stmt *pStmt = NULL;
  int rc = sqlite3_prepare_v2(db, zSql, -1, &pStmt, NULL);
  *pi = 0;
  if( rc == SQLITE_OK ) rc = sqlite3_step(pStmt);
  if( rc == SQLITE_ROW ) *pi = sqlite3_column_int64(pStmt, 0);
  sqlite3_finalize(pStmt);
  return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Is the file in WAL now? */
static int pastWal(sqlite3 *db) {
  sqlite3_stmt *pStmt = NULL;
  int bWal = 0;
  int rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode=WAL", -1, &pStmt, NULL);
  if( rc == SQLITE_OK && (rc = sqlite3_step(pStmt)) == SQLITE_ROW ) {
    const char *z = (const char *)sqlite3_column_text(pStmt, 0);
    bWal = z && sqlite3_stricmp(z, "wal") == 0;
    rc = SQLITE_OK;
  }
  sqlite3_finalize(pStmt);
  if( rc ) return rc;
  return bWal ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* Makes the tables where they aren't there: else it takes no lock. */
static int pastFormat(sqlite3 *db) {
  char zSql[128];
  i64 n;
  int rc = pastPragma(db,
                      "SELECT count(*) FROM sqlite_schema"
                      " WHERE name IN ('sub', 'span', 'answer')",
                      &n);
  if( rc || n == 3 ) return rc;
  rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  sqlite3_snprintf(sizeof(zSql), zSql,
                   "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
                   PAST_APPLICATION, PAST_FORMAT);
  if( rc == SQLITE_OK ) rc = sqlite3_exec(db, zPastSchema, NULL, NULL, NULL);
  if( rc == SQLITE_OK ) rc = sqlite3_exec(db, zSql, NULL, NULL, NULL);
  if( !sqlite3_get_autocommit(db) ) sqlite3_exec(db, "ROLLBACK", 0, 0, 0);
  return rc;
}

/* Empties a file of ours. */
static int pastEmpty(sqlite3 *db) {
  int rc = sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL);
  if( rc == SQLITE_OK ) rc = sqlite3_exec(db, "VACUUM", NULL, NULL, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
  if( rc == SQLITE_OK ) rc = pastWal(db);
  return rc == SQLITE_OK ? pastFormat(db) : rc;
}

/* Has the host's connection the file open, as a database of its own? */
static int pastIsHosts(sqlite3 *db, const struct stat *pSt) {
  char *zName = NULL;
  int i, bSame = 0;
  for( i = 0; !bSame && ledgerSchemaName(db, i, &zName) == SQLITE_OK && zName;
       i++ ) {
    const char *zFile = sqlite3_db_filename(db, zName);
    struct stat st;
    bSame = zFile && zFile[0] && stat(zFile, &st) == 0 &&
            st.st_dev == pSt->st_dev && st.st_ino == pSt->st_ino;
    sqlite3_free(zName);
  }
  return bSame;
}

/* Is there a file that may be used? Makes it where there is none. */
static int pastFile(LedgerPast *p, sqlite3 *db, int *pbNew) {
  struct stat st;
  *pbNew = 0;
  if( lstat(p->zPath, &st) ) {
    if( errno == ENOENT && mknod(p->zPath, S_IFREG | 0600, 0) == 0 ) {
      *pbNew = 1;
      return 1;
    }
    if( errno != EEXIST || lstat(p->zPath, &st) ) {
      pastProblem(p, ledgerSystemError(errno));
      return 0;
    }
  }
  if( !S_ISREG(st.st_mode) ) {
    pastProblem(p, "it is not a regular file");
  } else if( pastIsHosts(db, &st) ) {
    pastProblem(p, "it is a database that this connection has open");
  } else if( st.st_uid != geteuid() || (st.st_mode & 077) ) {
    pastProblem(p, "others own it, or may read or write it (chmod 600)");
  } else {
    *pbNew = st.st_size == 0;
    return 1;
  }
  return 0;
}

/* Sees that an open file is one of ours, of this format. One that has no tables
** is new: who emptied it may have been killed. */
static int pastOurs(LedgerPast *p, int bNew) {
  i64 iApplication, iFormat, n = 0;
  int rc = pastPragma(p->db, "PRAGMA application_id", &iApplication);
  if( rc == SQLITE_OK && iApplication == 0 && !bNew ) {
    rc = pastPragma(p->db, "SELECT count(*) FROM sqlite_schema", &n);
    bNew = n == 0;
  }
  if( rc == SQLITE_OK && !bNew ) {
    if( iApplication != PAST_APPLICATION ) {
      pastProblem(p, "it is not a cache of this module");
      return SQLITE_NOTADB;
    }
    rc = pastPragma(p->db, "PRAGMA user_version", &iFormat);
    if( rc == SQLITE_OK && iFormat > PAST_FORMAT ) {
      pastProblem(p, "a newer version of this module made it");
      return SQLITE_NOTADB;
    }
  }
  if( rc == SQLITE_OK && sqlite3_db_readonly(p->db, "main") == 1 ) {
    pastProblem(p, "it can't be written to");
    return SQLITE_READONLY;
  }
  if( rc == SQLITE_OK ) rc = pastWal(p->db);
  if( rc == SQLITE_OK ) rc = pastFormat(p->db);
  if( rc == SQLITE_CORRUPT && iApplication == PAST_APPLICATION ) {
    rc = pastEmpty(p->db);
  }
  return rc;
}

static void pastOpen(LedgerPast *p, sqlite3 *db) {
  const int bMemory = strcmp(p->zPath, "memory") == 0;
  const char *zVfs = sqlite3_vfs_find("unix") ? "unix" : NULL;
  char *zName =
      sqlite3_mprintf("%s%s", bMemory || p->zPath[0] == '/' ? "" : "./",
                      bMemory ? ":memory:" : p->zPath);
  int bNew = 1, rc = SQLITE_NOMEM;
  if( zName && (bMemory || pastFile(p, db, &bNew)) ) {
    bPastOpening++;
    rc = sqlite3_open_v2(zName, &p->db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                             SQLITE_OPEN_PRIVATECACHE,
                         bMemory ? NULL : zVfs);
    bPastOpening--;
    if( rc == SQLITE_OK ) {
      sqlite3_busy_timeout(p->db, 0);
      sqlite3_db_config(p->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
      sqlite3_exec(p->db,
                   "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                   "PRAGMA mmap_size=0; PRAGMA synchronous=NORMAL",
                   NULL, NULL, NULL);
      rc = bMemory ? pastFormat(p->db) : pastOurs(p, bNew);
    }
    if( (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB) && !p->bTried ) {
      pastProblem(p, "it is damaged, or no database: if it was a cache, delete "
                     "it with its -wal and -shm");
    } else if( rc && rc != SQLITE_BUSY && !p->bTried ) {
      pastProblem(p, sqlite3_errstr(rc));
    }
  }
  if( rc ) pastClose(p);
  sqlite3_free(zName);
}

/* Closes a file that isn't the option's any more. */
static void pastDrop(Ledger *pLedger) {
  const LedgerConfig *pConfig = ledgerClientConfig(pLedger->pClient);
  LedgerPast *p = pLedger->pPast;
  if( p && strcmp(p->zPath, pConfig->zCache ? pConfig->zCache : "off") != 0 ) {
    pastFree(p);
    pLedger->pPast = NULL;
  }
}

LedgerPast *ledgerPastOf(Ledger *pLedger) {
  const LedgerConfig *pConfig = ledgerClientConfig(pLedger->pClient);
  LedgerPast *p;
  if( !ledgerCacheWanted(pConfig) ) return NULL;
  pastDrop(pLedger);
  p = pLedger->pPast;
  if( p == NULL ) {
    p = sqlite3_malloc64(sizeof(*p));
    if( p == NULL ) return NULL;
    memset(p, 0, sizeof(*p));
    p->zPath = sqlite3_mprintf("%s", pConfig->zCache);
    if( p->zPath == NULL ) {
      sqlite3_free(p);
      return NULL;
    }
    pLedger->pPast = p;
    pLedger->xPastFree = pastFree;
  }
  if( p->db == NULL && !p->bTried ) pastOpen(p, pLedger->pConn->db);
  return p->db ? p : NULL;
}

sqlite3_stmt *ledgerPastStmt(LedgerPast *p, int i) {
  int rc = SQLITE_OK;
  if( p->db == NULL ) return NULL;
  if( p->apStmt[i] == NULL ) {
    rc = sqlite3_prepare_v3(p->db, azPastSql[i], -1, SQLITE_PREPARE_PERSISTENT,
                            &p->apStmt[i], NULL);
  }
  if( rc ) {
    ledgerPastFailed(p, rc);
    return NULL;
  }
  sqlite3_reset(p->apStmt[i]);
  return p->apStmt[i];
}

void ledgerPastFailed(LedgerPast *p, int rc) {
  int i;
  if( (rc & 0xff) != SQLITE_CORRUPT || p->db == NULL ) return;
  for( i = 0; i < PAST_STATEMENTS; i++ ) {
    sqlite3_finalize(p->apStmt[i]);
    p->apStmt[i] = NULL;
  }
  if( !sqlite3_get_autocommit(p->db) ) {
    sqlite3_exec(p->db, "ROLLBACK", NULL, NULL, NULL);
  }
  if( pastEmpty(p->db) ) {
    pastProblem(p, "it is damaged, and can't be emptied");
    pastClose(p);
  }
}

LedgerPast *ledgerPastOpen(Ledger *pLedger, unsigned char aOwner[32]) {
  LedgerPast *p = ledgerPastOf(pLedger);
  if( p == NULL || !ledgerClientOwner(pLedger->pClient, aOwner) ||
      !ledgerClientAdmitted(pLedger->pClient, aOwner) ) {
    return NULL;
  }
  p->bAsked = 0;
  return p;
}

/* ---- writing ------------------------------------------------------------- */

int ledgerPastRun(LedgerPast *p, int i, i64 iArg) {
  sqlite3_stmt *pStmt = ledgerPastStmt(p, i);
  if( pStmt == NULL ) return SQLITE_ERROR;
  if( sqlite3_bind_parameter_count(pStmt) ) {
    sqlite3_bind_int64(pStmt, 1, iArg);
  }
  sqlite3_step(pStmt);
  return sqlite3_reset(pStmt);
}

/* A number that a statement tells; 0: none. */
static i64 pastNumber(LedgerPast *p, int i) {
  sqlite3_stmt *pStmt = ledgerPastStmt(p, i);
  i64 n = 0;
  if( pStmt && sqlite3_step(pStmt) == SQLITE_ROW ) {
    n = sqlite3_column_int64(pStmt, 0);
  }
  if( pStmt ) sqlite3_reset(pStmt);
  return n;
}

int ledgerPastWrite(Ledger *pLedger, const unsigned char aOwner[32],
                    LedgerPast **pp) {
  LedgerPast *p = ledgerPastOf(pLedger);
  unsigned char aNow[32];
  *pp = p;
  if( p == NULL || !ledgerClientOwner(pLedger->pClient, aNow) ||
      memcmp(aNow, aOwner, 32) != 0 ) {
    return 0;
  }
  return ledgerPastRun(p, PAST_BEGIN, 0) == SQLITE_OK;
}

/* The end of a transaction, whatever became of it (rc). */
static void pastSettle(LedgerPast *p, int rc) {
  if( p->db && !sqlite3_get_autocommit(p->db) ) {
    ledgerPastRun(p, PAST_ROLLBACK, 0);
  }
  ledgerPastFailed(p, rc);
  /* Without memory to roll back: who closes gives the lock back. */
  if( p->db && !sqlite3_get_autocommit(p->db) ) pastClose(p);
}

void ledgerPastWritten(Ledger *pLedger, LedgerPast *p, int rc) {
  const i64 nMax = ledgerClientConfig(pLedger->pClient)->cacheMaxBytes;
  int bNames = 1; /* those without a span are still there */
  while( rc == SQLITE_OK && pastNumber(p, PAST_SIZE) > nMax ) {
    const i64 n = pastNumber(p, PAST_OLDEST);
    if( n == 0 && !bNames ) break;
    if( n == 0 ) {
      rc = ledgerPastRun(p, PAST_SUB_DROP, 0);
      bNames = 0;
      continue;
    }
    rc = ledgerPastRun(p, PAST_DROP, n);
    if( rc == SQLITE_OK ) rc = ledgerPastRun(p, PAST_ANSWER_DROP, n);
  }
  if( rc == SQLITE_OK ) rc = ledgerPastRun(p, PAST_COMMIT, 0);
  pastSettle(p, rc);
}

void ledgerPastTrim(Ledger *pLedger) {
  LedgerPast *p;
  pastDrop(pLedger);
  p = pLedger->pPast;
  if( p && p->db && ledgerPastRun(p, PAST_BEGIN, 0) == SQLITE_OK ) {
    ledgerPastWritten(pLedger, p, SQLITE_OK);
  }
}

int ledgerPastUsable(Ledger *pLedger, LedgerError *pErr) {
  const LedgerPast *p;
  if( ledgerPastOf(pLedger) ) return LEDGER_OK;
  p = pLedger->pPast;
  if( p && p->db == NULL && p->zProblem ) {
    ledgerErrorSet(pErr, LEDGER_IOERR, "option cache: '%.400s' is not used: %s",
                   p->zPath, p->zProblem);
  }
  return pErr->rc;
}

int ledgerPastClear(Ledger *pLedger, i64 *pn, LedgerError *pErr) {
  LedgerPast *p = ledgerPastOf(pLedger);
  int n, rc;
  *pn = 0;
  if( p == NULL ) return ledgerPastUsable(pLedger, pErr);
  n = sqlite3_total_changes(p->db);
  sqlite3_busy_timeout(p->db, PAST_CLEAR_MS); /* somebody waits for this */
  rc = sqlite3_exec(p->db,
                    "BEGIN IMMEDIATE; DELETE FROM span; DELETE FROM answer;"
                    "DELETE FROM sub; COMMIT",
                    NULL, NULL, NULL);
  sqlite3_busy_timeout(p->db, 0);
  if( rc == SQLITE_OK ) *pn = sqlite3_total_changes(p->db) - n;
  if( rc ) {
    ledgerErrorSet(pErr, rc == SQLITE_BUSY ? LEDGER_BUSY : LEDGER_IOERR,
                   "cache '%.400s' was not cleared: %s", p->zPath,
                   rc == SQLITE_BUSY ? "another process writes to it"
                                     : sqlite3_errstr(rc));
  }
  pastSettle(p, rc);
  return pErr->rc;
}

i64 ledgerPastDigest(i64 a, i64 b, const void *z, size_t n) {
  const unsigned char *pByte = z;
  sqlite3_uint64 h = (sqlite3_uint64)a * 0x9e3779b97f4a7c15u;
  h ^= (sqlite3_uint64)b + n;
  while( n ) {
    const size_t k = n < 8 ? n : 8;
    sqlite3_uint64 v = 0;
    size_t i;
    for( i = 0; i < k; i++ ) v |= (sqlite3_uint64)pByte[i] << (8 * i);
    h = (h ^ v) * 0xff51afd7ed558ccdu;
    h ^= h >> 32;
    pByte += k;
    n -= k;
  }
  return (i64)(h & INT64_MAX);
}

/* ---- to be let in -------------------------------------------------------- */

/* Does a statement give a row? */
static int pastHas(LedgerPast *p, int i) {
  sqlite3_stmt *pStmt = p ? ledgerPastStmt(p, i) : NULL;
  int b = pStmt && sqlite3_step(pStmt) == SQLITE_ROW;
  if( pStmt ) ledgerPastFailed(p, sqlite3_reset(pStmt));
  return b;
}

int ledgerPastAdmit(Ledger *pLedger, const char *zSubLedger,
                    LedgerError *pErr) {
  LedgerClient *pClient = pLedger->pClient;
  LedgerPast *p = ledgerPastOf(pLedger);
  unsigned char aOwner[32];
  LedgerCall *pCall = NULL;
  int rc = LEDGER_OK;
  if( p && !p->bAsked && pastHas(p, PAST_ANY) &&
      ledgerPastOpen(pLedger, aOwner) == NULL ) {
    p->bAsked = 1; /* once: who isn't let in isn't let in the next time */
    rc = ledgerEntryHeadGet(pClient, zSubLedger, &pCall, pErr);
    if( rc == LEDGER_OK ) rc = ledgerCallWait(pCall, pErr);
    ledgerCallFree(pCall);
  }
  return rc;
}

int ledgerPastReady(Ledger *pLedger, const char *zSubLedger, int *pbReady,
                    LedgerError *pErr) {
  unsigned char aOwner[32];
  *pbReady = 0;
  if( pastHas(ledgerPastOf(pLedger), PAST_SPANS) &&
      ledgerPastAdmit(pLedger, zSubLedger, pErr) == LEDGER_OK ) {
    *pbReady = ledgerPastOpen(pLedger, aOwner) != NULL;
  }
  return pErr->rc;
}
