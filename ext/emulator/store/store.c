/*
** The data file: one SQLite database. Opening and checking it, transactions,
** named values, and the rows of tree and signatures.
**
** No route. Entries, collections and tags are in store/entries.c, users and
** applications in store/users.c.
**
** Invariants
**   - a file that is not ours is never written to: its first 100 bytes are
**     read as plain bytes, then it is opened read-only and looked through,
**     and only then opened to be written;
**   - WAL and synchronous=FULL: COMMIT returns when the data is on disk. Once a
**     sync has failed nothing is known of that, and nothing more is written;
**   - every page has a sum, and is refused when it is read and is not what was
**     written (store/pages.c). A file of a format before 3 is copied into one
**     that has them before it is used;
**   - the lock is exclusive: one ledger, one process;
**   - application_id and user_version are in the file's header before the file
**     becomes a WAL database, so that the header alone tells what it is.
*/
#include "emulator/store/storeInt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define STORE_APPLICATION 0x4c454447 /* "LEDG" */
#define STORE_FORMAT 3               /* user_version */
#define STORE_SUMS 3                 /* ... since which pages have sums */
#define STORE_STMTS 64               /* kept statements */
#define STORE_ROOM (1 << 20)         /* bytes; less is a disk that is full */

static const char zStoreSchema[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE node_cert(id INTEGER PRIMARY KEY, node_id TEXT NOT NULL,"
    " pem TEXT NOT NULL UNIQUE);"
    "CREATE TABLE txn(seqno INTEGER PRIMARY KEY, view INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, collection INTEGER, claims INTEGER NOT NULL,"
    " write_set BLOB NOT NULL, tags TEXT, contents TEXT);"
    "CREATE UNIQUE INDEX txn_collection ON txn(collection, seqno)"
    " WHERE collection IS NOT NULL;"
    "CREATE TABLE signature(seqno INTEGER PRIMARY KEY, view INTEGER NOT NULL,"
    " root BLOB NOT NULL, signature BLOB NOT NULL, node_cert INTEGER NOT NULL"
    " REFERENCES node_cert(id));"
    "CREATE TABLE tree(level INTEGER, row INTEGER, hashes BLOB NOT NULL,"
    " PRIMARY KEY(level, row)) WITHOUT ROWID;"
    "CREATE TABLE collection(id INTEGER PRIMARY KEY, name TEXT NOT NULL"
    " UNIQUE, first_seqno INTEGER NOT NULL);"
    "CREATE TABLE tag(collection INTEGER, tag TEXT, first_seqno INTEGER,"
    " PRIMARY KEY(collection, tag)) WITHOUT ROWID;"
    "CREATE TABLE entry_tag(collection INTEGER, tag TEXT, seqno INTEGER,"
    " PRIMARY KEY(collection, tag, seqno)) WITHOUT ROWID;"
    "CREATE TABLE user(id TEXT PRIMARY KEY COLLATE NOCASE,"
    " roles TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE client(id TEXT PRIMARY KEY, secret TEXT NOT NULL,"
    " oid TEXT NOT NULL, lifetime INTEGER NOT NULL) WITHOUT ROWID;";

/* What format 2 adds to format 1. Format 3 has the same tables. */
static const char zStoreSchema2[] =
    "CREATE TABLE object(kind INTEGER, name TEXT, value TEXT NOT NULL,"
    " PRIMARY KEY(kind, name)) WITHOUT ROWID;";

struct EmuStore {
  sqlite3 *db;
  int bBegun;   /* a transaction is open */
  int bDamaged; /* ... and damage was met in it: it can't be committed */
  int bFull;    /* a write found no room, and none has gone well since */
  int nStmt;
  const char *azSql[STORE_STMTS]; /* literals */
  sqlite3_stmt *apStmt[STORE_STMTS];
};

/* What is wrong with a file that SQLite finds malformed. */
static void storeDamage(sqlite3 *db, char *z, size_t n) {
  if( emuPagesWrong(z, n) ) return;
  snprintf(z, n, "%s", db ? sqlite3_errmsg(db) : "out of memory");
}

int emuStoreSynced(LedgerError *pErr) {
  if( emuPagesUnsynced() == 0 ) return LEDGER_OK;
  return ledgerErrorSet(pErr, LEDGER_IOERR,
                        "the data file could not be synced to its disk: %s",
                        ledgerSystemError(emuPagesUnsynced()));
}

/* Turns the SQLite error at hand into a LedgerError. */
static int storeError(EmuStore *p, LedgerError *pErr) {
  int rc = sqlite3_extended_errcode(p->db), iErrno = 0;
  char zWhat[200];
  if( emuStoreSynced(pErr) ) return pErr->rc;
  if( rc == SQLITE_IOERR_WRITE ) iErrno = emuPagesUnwritten();
  if( iErrno == EDQUOT ) rc = SQLITE_FULL;
  switch( rc & 0xff ) {
    case SQLITE_BUSY:
      return ledgerErrorSet(pErr, LEDGER_BUSY,
                            "the data file is in use by another process");
    case SQLITE_FULL:
      p->bFull = 1;
      return ledgerErrorSet(pErr, LEDGER_FULL,
                            "no room on the disk of the data file");
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      p->bDamaged = 1;
      storeDamage(p->db, zWhat, sizeof(zWhat));
      return ledgerErrorSet(pErr, LEDGER_ERROR, "the data file is damaged: %s",
                            zWhat);
    case SQLITE_NOMEM: return ledgerErrorNomem(pErr);
    default:
      return ledgerErrorSet(pErr, LEDGER_IOERR, "the data file: %s%s%s",
                            sqlite3_errmsg(p->db), iErrno ? ": " : "",
                            iErrno ? ledgerSystemError(iErrno) : "");
  }
}

/* The statement zSql, prepared once and kept, or NULL. */
static sqlite3_stmt *storePrepared(EmuStore *p, const char *zSql,
                                   LedgerError *pErr) {
  sqlite3_stmt *pStmt = NULL;
  int i;
  for( i = 0; i < p->nStmt; i++ ) {
    if( p->azSql[i] == zSql ) return p->apStmt[i];
  }
  if( p->nStmt == STORE_STMTS ) {
    ledgerErrorSet(pErr, LEDGER_ERROR, "too many kept statements");
  } else if( sqlite3_prepare_v3(p->db, zSql, -1, SQLITE_PREPARE_PERSISTENT,
                                &pStmt, NULL) != SQLITE_OK ) {
    storeError(p, pErr);
  } else {
    p->azSql[p->nStmt] = zSql;
    p->apStmt[p->nStmt++] = pStmt;
  }
  return pStmt;
}

/* Prepares a statement and binds what zTypes says. */
static sqlite3_stmt *storeBound(EmuStore *p, LedgerError *pErr,
                                const char *zSql, const char *zTypes,
                                va_list ap) {
  sqlite3_stmt *pStmt = storePrepared(p, zSql, pErr);
  int i;
  for( i = 1; pStmt && zTypes[i - 1]; i++ ) {
    const char cType = zTypes[i - 1];
    if( cType == 'i' ) {
      sqlite3_bind_int64(pStmt, i, va_arg(ap, int64_t));
    } else if( cType == 'd' ) {
      sqlite3_bind_int(pStmt, i, va_arg(ap, int));
    } else if( cType == 'b' ) {
      const void *a = va_arg(ap, const void *);
      sqlite3_bind_blob(pStmt, i, a, va_arg(ap, int), SQLITE_STATIC);
    } else if( cType == 'z' ) {
      sqlite3_bind_text(pStmt, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
    } else {
      const char *z = va_arg(ap, const char *);
      const int n = (int)va_arg(ap, size_t);
      if( z == NULL && cType == 't' ) z = "";
      sqlite3_bind_text(pStmt, i, z, n, SQLITE_STATIC);
    }
  }
  return pStmt;
}

sqlite3_stmt *emuStoreStmt(EmuStore *p, LedgerError *pErr, const char *zSql,
                           const char *zTypes, ...) {
  sqlite3_stmt *pStmt;
  va_list ap;
  va_start(ap, zTypes);
  pStmt = storeBound(p, pErr, zSql, zTypes, ap);
  va_end(ap);
  return pStmt;
}

int emuStoreStep(EmuStore *p, sqlite3_stmt *pStmt, LedgerError *pErr) {
  int rc = pStmt ? sqlite3_step(pStmt) : SQLITE_DONE;
  if( rc != SQLITE_ROW && rc != SQLITE_DONE ) storeError(p, pErr);
  return rc == SQLITE_ROW;
}

int emuStoreRun(EmuStore *p, LedgerError *pErr, const char *zSql,
                const char *zTypes, ...) {
  sqlite3_stmt *pStmt;
  va_list ap;
  va_start(ap, zTypes);
  pStmt = storeBound(p, pErr, zSql, zTypes, ap);
  va_end(ap);
  emuStoreStep(p, pStmt, pErr);
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreNumber(EmuStore *p, LedgerError *pErr, int64_t *pi,
                   const char *zSql, const char *zTypes, ...) {
  sqlite3_stmt *pStmt;
  va_list ap;
  va_start(ap, zTypes);
  pStmt = storeBound(p, pErr, zSql, zTypes, ap);
  va_end(ap);
  *pi = emuStoreStep(p, pStmt, pErr) ? sqlite3_column_int64(pStmt, 0) : 0;
  sqlite3_reset(pStmt);
  return pErr->rc;
}

EmuText emuStoreText(sqlite3_stmt *pStmt, int i) {
  EmuText text;
  text.z = (char *)(uintptr_t)sqlite3_column_text(pStmt, i);
  text.n = (size_t)sqlite3_column_bytes(pStmt, i);
  if( text.z == NULL ) text.z = (char *)(uintptr_t) "";
  return text;
}

int emuStoreColumn(sqlite3_stmt *pStmt, int i, LedgerBuf *pBuf,
                   LedgerError *pErr) {
  ledgerBufAppend(pBuf, sqlite3_column_blob(pStmt, i),
                  (size_t)sqlite3_column_bytes(pStmt, i));
  return pBuf->bOom ? ledgerErrorNomem(pErr) : pErr->rc;
}

/* Runs SQL that has no parameters. */
static int storeExec(EmuStore *p, const char *zSql, LedgerError *pErr) {
  if( sqlite3_exec(p->db, zSql, NULL, NULL, NULL) == SQLITE_OK ) {
    return LEDGER_OK;
  }
  return storeError(p, pErr);
}

/* Big-endian number of four bytes. */
static uint32_t storeBe32(const unsigned char *a) {
  return (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 |
         a[3];
}

/* What the file looks like without SQLite. */
typedef struct StoreLook StoreLook;
struct StoreLook {
  int bNew;    /* there is none yet, or an empty one */
  int bWal;    /* it has a WAL that is not empty */
  int iFormat; /* user_version */
};

static int storeLook(const char *zPath, StoreLook *pLook, LedgerError *pErr) {
  unsigned char a[100];
  struct stat st;
  char *zWal = NULL;
  ssize_t n;
  int fd = -1, rc = LEDGER_OK;

  memset(pLook, 0, sizeof(*pLook));
  fd = open(zPath, O_RDONLY | O_CLOEXEC);
  if( fd < 0 && errno == ENOENT ) {
    pLook->bNew = 1;
    goto out;
  }
  if( fd < 0 || fstat(fd, &st) ) {
    rc = ledgerErrorSet(pErr, LEDGER_IOERR, "cannot open %s: %s", zPath,
                        ledgerSystemError(errno));
    goto out;
  }
  if( !S_ISREG(st.st_mode) ) {
    rc = ledgerErrorSet(pErr, LEDGER_IOERR, "%s is not a regular file", zPath);
    goto out;
  }
  if( st.st_size == 0 ) {
    pLook->bNew = 1;
    goto out;
  }
  do {
    n = read(fd, a, sizeof(a));
  } while( n < 0 && errno == EINTR );
  if( n < 0 ) {
    rc = ledgerErrorSet(pErr, LEDGER_IOERR, "cannot read %s: %s", zPath,
                        ledgerSystemError(errno));
    goto out;
  }
  if( n < (ssize_t)sizeof(a) || memcmp(a, "SQLite format 3", 16) ||
      storeBe32(a + 68) != STORE_APPLICATION || storeBe32(a + 60) == 0 ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s is not the data of a ledger emulator", zPath);
    goto out;
  }
  pLook->iFormat = (int)storeBe32(a + 60);
  if( storeBe32(a + 60) > STORE_FORMAT ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s was written by a newer ledger-emulator (format "
                        "%lu; this one knows %d)",
                        zPath, (unsigned long)storeBe32(a + 60), STORE_FORMAT);
    goto out;
  }
  zWal = sqlite3_mprintf("%s-wal", zPath);
  if( zWal == NULL ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  if( access(zPath, W_OK) ) {
    rc = ledgerErrorSet(pErr, LEDGER_IOERR, "cannot write %s: %s", zPath,
                        ledgerSystemError(errno));
    goto out;
  }
  {
    struct stat stWal;
    int64_t nPage = a[16] << 8 | a[17];
    if( nPage == 1 ) nPage = 65536;
    pLook->bWal = stat(zWal, &stWal) == 0 && stWal.st_size > 0;
    if( !pLook->bWal && nPage * storeBe32(a + 28) != st.st_size ) {
      rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                          "%s is damaged: its size is not what it says", zPath);
    } else if( pLook->iFormat >= STORE_SUMS && a[20] != EMU_PAGE_SUM ) {
      rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                          "%s is damaged: its pages have no sums", zPath);
    }
  }

out:
  if( fd >= 0 ) close(fd);
  sqlite3_free(zWal);
  return rc;
}

/*
** Looks through a file that seems ours, read-only: every table can be read, and
** the last signature is the last transaction. Deeper checks (the tree's root,
** the signature over it) are made by ledger.c.
*/
static int storeInspect(const char *zPath, int bWal, LedgerError *pErr) {
  static const char zSql[] =
      "SELECT (SELECT max(seqno) FROM txn)=(SELECT max(seqno) FROM signature)"
      " AND (SELECT count(*)>=10 FROM meta) AND EXISTS(SELECT 1 FROM user)"
      " AND EXISTS(SELECT 1 FROM node_cert) AND EXISTS(SELECT 1 FROM tree)"
      " AND (SELECT count(*)>=0 FROM collection) AND (SELECT count(*)>=0"
      " FROM (SELECT 1 FROM tag LIMIT 1)) AND EXISTS(SELECT 1 FROM client)";
  sqlite3 *db = NULL;
  sqlite3_stmt *pStmt = NULL;
  LedgerBuf uri = {0};
  const char *z;
  char zWhat[200];
  int rc = LEDGER_OK, rcSql;

  ledgerBufText(&uri, "file:");
  for( z = zPath; *z; z++ ) {
    if( *z == '/' ) {
      ledgerBufAppend(&uri, z, 1);
    } else {
      ledgerBufUrl(&uri, z, 1);
    }
  }
  ledgerBufText(&uri, bWal ? "?mode=ro" : "?mode=ro&immutable=1");
  if( uri.bOom ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  rcSql = sqlite3_open_v2(uri.z, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                          EMU_PAGES_VFS);
  if( rcSql == SQLITE_OK ) {
    rcSql = sqlite3_prepare_v2(db, zSql, -1, &pStmt, NULL);
  }
  if( rcSql == SQLITE_OK ) rcSql = sqlite3_step(pStmt);
  if( rcSql == SQLITE_BUSY || rcSql == SQLITE_LOCKED ) {
    rc = ledgerErrorSet(pErr, LEDGER_BUSY, "%s is in use by another process",
                        zPath);
  } else if( rcSql != SQLITE_ROW ) {
    storeDamage(db, zWhat, sizeof(zWhat));
    rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                        (rcSql & 0xff) == SQLITE_IOERR ? "cannot read %s: %s"
                                                       : "%s is damaged: %s",
                        zPath, zWhat);
  } else if( sqlite3_column_int(pStmt, 0) != 1 ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s is damaged: its tables do not agree", zPath);
  }

out:
  sqlite3_finalize(pStmt);
  sqlite3_close(db);
  ledgerBufFree(&uri);
  return rc;
}

/* Makes pages with sums known to SQLite. */
static int storeRegister(LedgerError *pErr) {
  if( emuPagesRegister() == SQLITE_OK ) return LEDGER_OK;
  return ledgerErrorNomem(pErr);
}

/* Opens the database itself and sets up the connection. */
static int storeConnect(const char *zPath, EmuStore **ppStore,
                        LedgerError *pErr) {
  EmuStore *p = calloc(1, sizeof(*p));
  int rc;
  *ppStore = p;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  rc = sqlite3_open_v2(zPath, &p->db,
                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                       EMU_PAGES_VFS);
  if( rc != SQLITE_OK ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR, "cannot open %s: %s", zPath,
                          p->db ? sqlite3_errmsg(p->db) : "out of memory");
  }
  return storeExec(p,
                   "PRAGMA locking_mode=EXCLUSIVE;"
                   "PRAGMA synchronous=FULL;"
                   "PRAGMA cache_size=-32000;"
                   "PRAGMA temp_store=MEMORY;",
                   pErr);
}

int emuStoreCreate(const char *zPath, EmuStore **ppStore, LedgerError *pErr) {
  char *zSql = NULL;
  int fd, nSum = EMU_PAGE_SUM, rc;
  *ppStore = NULL;
  if( storeRegister(pErr) ) return pErr->rc;
  /* The file holds private keys, and its journals take its mode. */
  fd = open(zPath, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if( fd < 0 ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR, "cannot create %s: %s", zPath,
                          ledgerSystemError(errno));
  }
  close(fd);
  rc = storeConnect(zPath, ppStore, pErr);
  if( rc == LEDGER_OK ) {
    zSql = sqlite3_mprintf("BEGIN EXCLUSIVE; PRAGMA application_id=%d;"
                           "PRAGMA user_version=%d; %s%s",
                           STORE_APPLICATION, STORE_FORMAT, zStoreSchema,
                           zStoreSchema2);
    sqlite3_file_control((*ppStore)->db, "main", SQLITE_FCNTL_RESERVE_BYTES,
                         &nSum);
    rc = zSql ? storeExec(*ppStore, zSql, pErr) : ledgerErrorNomem(pErr);
    if( rc == LEDGER_OK ) (*ppStore)->bBegun = 1;
  }
  sqlite3_free(zSql);
  if( rc ) {
    emuStoreClose(*ppStore);
    *ppStore = NULL;
  }
  return rc;
}

/* Syncs a file that is to take another's place. */
static int storeSync(const char *zPath, LedgerError *pErr) {
  int fd = open(zPath, O_RDWR | O_CLOEXEC);
  if( fd < 0 || fsync(fd) ) {
    ledgerErrorSet(pErr, LEDGER_IOERR, "cannot write %s: %s", zPath,
                   ledgerSystemError(errno));
  }
  if( fd >= 0 ) close(fd);
  return pErr->rc;
}

/*
** Copies a file of a format before STORE_SUMS to one whose pages have sums, and
** puts that in its place. An interrupted copy leaves the file as it was.
*/
static int storeCopy(const char *zPath, LedgerError *pErr) {
  char *zNew = sqlite3_mprintf("%s-new", zPath);
  char *zWal = sqlite3_mprintf("%s-wal", zPath);
  char *zJournal = sqlite3_mprintf("%s-new-journal", zPath);
  EmuStore *p = NULL;
  sqlite3_stmt *pStmt;
  struct stat st;
  int fd, nSum = EMU_PAGE_SUM;
  int rc = zNew && zWal && zJournal ? storeConnect(zPath, &p, pErr)
                                    : ledgerErrorNomem(pErr);
  if( rc ) goto out;
  sqlite3_file_control(p->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &nSum);
  unlink(zJournal);
  fd = open(zNew, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if( fd < 0 ) {
    rc = ledgerErrorSet(pErr, LEDGER_IOERR, "cannot create %s: %s", zNew,
                        ledgerSystemError(errno));
    goto out;
  }
  close(fd);
  pStmt = emuStoreStmt(p, pErr, "VACUUM INTO ?1", "z", zNew);
  emuStoreStep(p, pStmt, pErr);
  sqlite3_reset(pStmt);
  rc = pErr->rc ? pErr->rc : storeSync(zNew, pErr);
  emuStoreClose(p);
  p = NULL;
  /* A WAL that stays is another reader's, and would be taken for the new's. */
  if( rc == LEDGER_OK && stat(zWal, &st) == 0 && st.st_size > 0 ) {
    rc = ledgerErrorSet(pErr, LEDGER_BUSY, "%s is in use by another process",
                        zPath);
  }
  if( rc == LEDGER_OK && rename(zNew, zPath) ) {
    rc = ledgerErrorSet(pErr, LEDGER_IOERR, "cannot create %s: %s", zPath,
                        ledgerSystemError(errno));
  }
  if( rc ) unlink(zNew);

out:
  emuStoreClose(p);
  sqlite3_free(zNew);
  sqlite3_free(zWal);
  sqlite3_free(zJournal);
  return rc;
}

/* Looks through the WAL of a file that no other process uses. */
static int storeLookWal(const char *zPath, LedgerError *pErr) {
  char *zWal = sqlite3_mprintf("%s-wal", zPath);
  int rc = zWal ? emuWalLook(zWal, pErr) : ledgerErrorNomem(pErr);
  sqlite3_free(zWal);
  return rc;
}

int emuStoreOpen(const char *zPath, EmuStore **ppStore, int *pbNew,
                 LedgerError *pErr) {
  StoreLook look;
  int rc;
  *ppStore = NULL;
  rc = storeLook(zPath, &look, pErr);
  *pbNew = look.bNew;
  if( rc || look.bNew ) return rc;
  rc = storeRegister(pErr);
  if( rc == LEDGER_OK ) rc = storeInspect(zPath, look.bWal, pErr);
  if( rc == LEDGER_OK && look.bWal ) rc = storeLookWal(zPath, pErr);
  if( rc == LEDGER_OK && look.iFormat < STORE_SUMS ) {
    rc = storeCopy(zPath, pErr);
  }
  if( rc == LEDGER_OK ) rc = storeConnect(zPath, ppStore, pErr);
  if( rc == LEDGER_OK ) {
    /* The first write takes the lock, and keeps it. */
    rc = storeExec(*ppStore, "BEGIN IMMEDIATE; COMMIT", pErr);
  }
  if( rc ) {
    emuStoreClose(*ppStore);
    *ppStore = NULL;
  }
  return rc;
}

int emuStoreUpgrade(EmuStore *p, LedgerError *pErr) {
  int64_t iFormat;
  char *zSql;
  int rc = emuStoreNumber(p, pErr, &iFormat, "PRAGMA user_version", "");
  if( rc || iFormat >= STORE_FORMAT ) return rc;
  zSql = sqlite3_mprintf("%s PRAGMA user_version=%d",
                         iFormat < 2 ? zStoreSchema2 : "", STORE_FORMAT);
  if( zSql == NULL ) return ledgerErrorNomem(pErr);
  rc = storeExec(p, zSql, pErr);
  sqlite3_free(zSql);
  return rc;
}

void emuStoreClose(EmuStore *p) {
  int i;
  if( p == NULL ) return;
  if( emuPagesUnsynced() ) {
    sqlite3_db_config(p->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  }
  if( p->bBegun ) emuStoreRollback(p);
  for( i = 0; i < p->nStmt; i++ ) sqlite3_finalize(p->apStmt[i]);
  sqlite3_close(p->db);
  free(p);
}

int emuStoreBegin(EmuStore *p, LedgerError *pErr) {
  if( p->bBegun ) return LEDGER_OK;
  p->bDamaged = 0;
  p->bBegun = emuStoreRun(p, pErr, "BEGIN IMMEDIATE", "") == LEDGER_OK;
  return pErr->rc;
}

int emuStoreCommit(EmuStore *p, LedgerError *pErr) {
  if( !p->bBegun ) return LEDGER_OK;
  p->bBegun = emuStoreRun(p, pErr, "COMMIT", "") != LEDGER_OK;
  /* It may be SQLite's own, of a checkpoint, which does not fail the COMMIT. */
  if( !p->bBegun ) p->bFull = 0;
  emuStoreSynced(pErr);
  return pErr->rc;
}

void emuStoreRollback(EmuStore *p) {
  if( !p->bBegun ) return;
  p->bBegun = 0;
  /* SQLite may have rolled back already, after an I/O error. */
  if( !sqlite3_get_autocommit(p->db) ) {
    sqlite3_exec(p->db, "ROLLBACK", NULL, NULL, NULL);
  }
}

int emuStoreLost(EmuStore *p) {
  return p->bBegun && (p->bDamaged || sqlite3_get_autocommit(p->db));
}

int emuStoreRoom(EmuStore *p, LedgerError *pErr) {
  struct statvfs st;
  if( !p->bFull || statvfs(sqlite3_db_filename(p->db, "main"), &st) ||
      (uint64_t)st.f_bavail * st.f_frsize >= STORE_ROOM ) {
    return LEDGER_OK;
  }
  return ledgerErrorSet(pErr, LEDGER_FULL,
                        "no room on the disk of the data file");
}

int emuStoreWal(EmuStore *p, LedgerError *pErr) {
  return storeExec(p, "PRAGMA journal_mode=WAL", pErr);
}

int emuStoreMetaPut(EmuStore *p, const char *zName, const void *a, size_t n,
                    LedgerError *pErr) {
  return emuStoreRun(p, pErr, "INSERT OR REPLACE INTO meta VALUES(?1,?2)", "zb",
                     zName, a, (int)n);
}

int emuStoreMetaGet(EmuStore *p, const char *zName, LedgerBuf *pBuf,
                    LedgerError *pErr) {
  sqlite3_stmt *pStmt =
      emuStoreStmt(p, pErr, "SELECT value FROM meta WHERE name=?1", "z", zName);
  if( emuStoreStep(p, pStmt, pErr) ) {
    emuStoreColumn(pStmt, 0, pBuf, pErr);
  } else {
    ledgerErrorSet(pErr, LEDGER_NOTFOUND,
                   "the data file is damaged: it lacks '%s'", zName);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreTreePut(EmuStore *p, int iLevel, int64_t iRow,
                    const unsigned char *a, int n, LedgerError *pErr) {
  return emuStoreRun(p, pErr, "INSERT OR REPLACE INTO tree VALUES(?1,?2,?3)",
                     "dib", iLevel, iRow, a, n * EMU_HASH);
}

int emuStoreTreeGet(EmuStore *p, int iLevel, int64_t iRow, unsigned char *a,
                    int *pn, LedgerError *pErr) {
  sqlite3_stmt *pStmt =
      emuStoreStmt(p, pErr, "SELECT hashes FROM tree WHERE level=?1 AND row=?2",
                   "di", iLevel, iRow);
  *pn = 0;
  if( emuStoreStep(p, pStmt, pErr) ) {
    int n = sqlite3_column_bytes(pStmt, 0);
    if( n % EMU_HASH == 0 && n <= EMU_TREE_FAN * EMU_HASH ) {
      if( n ) memcpy(a, sqlite3_column_blob(pStmt, 0), (size_t)n);
      *pn = n / EMU_HASH;
    }
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreSigPut(EmuStore *p, LedgerTxid id, const unsigned char *aRoot,
                   const LedgerBuf *pSig, int64_t iNodeCert,
                   LedgerError *pErr) {
  return emuStoreRun(p, pErr, "INSERT INTO signature VALUES(?1,?2,?3,?4,?5)",
                     "iibbi", id.seqno, id.view, aRoot, EMU_HASH, pSig->z,
                     (int)pSig->n, iNodeCert);
}

int emuStoreSigLast(EmuStore *p, LedgerTxid *pId, unsigned char *aRoot,
                    LedgerBuf *pSig, LedgerError *pErr) {
  sqlite3_stmt *pStmt =
      emuStoreStmt(p, pErr,
                   "SELECT seqno, view, root, signature FROM signature"
                   " ORDER BY seqno DESC LIMIT 1",
                   "");
  if( emuStoreStep(p, pStmt, pErr) &&
      sqlite3_column_bytes(pStmt, 2) == EMU_HASH ) {
    pId->seqno = sqlite3_column_int64(pStmt, 0);
    pId->view = sqlite3_column_int64(pStmt, 1);
    memcpy(aRoot, sqlite3_column_blob(pStmt, 2), EMU_HASH);
    emuStoreColumn(pStmt, 3, pSig, pErr);
  } else {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "the data file is damaged: it lacks its last signature");
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreNodeCert(EmuStore *p, const char *zNodeId, const LedgerBuf *pPem,
                     int64_t *piCert, LedgerError *pErr) {
  int rc = emuStoreRun(
      p, pErr, "INSERT OR IGNORE INTO node_cert(node_id, pem) VALUES(?1,?2)",
      "zt", zNodeId, pPem->z, pPem->n);
  return rc ? rc
            : emuStoreNumber(p, pErr, piCert,
                             "SELECT id FROM node_cert WHERE pem=?1", "t",
                             pPem->z, pPem->n);
}

int emuStoreNodes(EmuStore *p, int nMax, void (*x)(void *, const char *),
                  void *pArg, LedgerError *pErr) {
  sqlite3_stmt *pStmt =
      emuStoreStmt(p, pErr,
                   "SELECT node_id FROM node_cert GROUP BY node_id"
                   " ORDER BY max(id) DESC LIMIT ?1",
                   "d", nMax);
  while( emuStoreStep(p, pStmt, pErr) ) {
    x(pArg, emuStoreText(pStmt, 0).z);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}
