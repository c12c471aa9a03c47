/*
** Who may make the module act.
**
**     SELECT ledger_option('indirect', 'allow');
**     SELECT ledger_option('file_tables', 'allow');
**
** SQLITE_DIRECTONLY keeps views and triggers of a database file away. It does
** not keep away a table of the file whose module runs SQL: FTS with
** content='ledger_entries' reads the ledger by a statement of its own, which is
** direct. Nor does it keep away a table of ours that stands in the file under
** another name, or a CHECK constraint (check_constraint.c).
**
** The first is told by nesting: sqlite3_expanded_sql() puts `-- ` before each
** line of the SQL exactly while a statement runs inside another one's step.
** That is how SQLite behaves (3.8 to 3.53), not what it promises: a self-test
** tries it at load, ledger_debug() and sql/doctor.sql tell the result. The
** second is told by where the table stands.
**
** No request is made here.
**
** Invariants: no message quotes SQL, which may be another's; all functions that
** act and all tables ask here before anything else, the functions through the
** registry.
*/
#include "sqlite/conn/guard.h"

#include <string.h>

#define GUARD_LOOK 16   /* statements that are looked at */
#define GUARD_CHEAP 256 /* bytes of SQL that are quickly expanded */

/* ---- does a statement run inside another one? ---------------------------- */

enum {
  GUARD_DIRECT,
  GUARD_NESTED,
  GUARD_UNKNOWN, /* SQLite gave no text: not to be trusted either */
  GUARD_NOMEM
};

static int guardAsk(sqlite3_stmt *pStmt) {
  const char *zSql = sqlite3_sql(pStmt);
  char *z = sqlite3_expanded_sql(pStmt);
  int e = GUARD_UNKNOWN;
  if( z == NULL ) { /* for lack of memory, too */
    z = sqlite3_malloc64(2 * GUARD_CHEAP);
    e = z ? GUARD_UNKNOWN : GUARD_NOMEM;
    sqlite3_free(z);
    z = e == GUARD_NOMEM ? NULL : sqlite3_expanded_sql(pStmt);
  }
  if( z && zSql ) {
    const size_t n = strcspn(zSql, "\n");
    const int bPut = strncmp(z, "-- ", 3) == 0 && strncmp(z + 3, zSql, n) == 0;
    e = bPut ? GUARD_NESTED : GUARD_DIRECT;
  }
  sqlite3_free(z);
  return e;
}

/* Any statement tells it. A short one without parameters is copied at once;
** the values of parameters may be large, or beyond SQLITE_LIMIT_LENGTH. */
static int guardNesting(sqlite3 *db) {
  sqlite3_stmt *pStmt = NULL, *pAny = NULL;
  int i, rc, e = GUARD_UNKNOWN;
  for( i = 0; i < GUARD_LOOK; i++ ) {
    const char *zSql;
    pStmt = sqlite3_next_stmt(db, pStmt);
    if( pStmt == NULL ) break;
    zSql = sqlite3_sql(pStmt);
    if( zSql == NULL ) continue; /* of a blob handle */
    pAny = pStmt;
    if( strnlen(zSql, GUARD_CHEAP) < GUARD_CHEAP &&
        sqlite3_bind_parameter_count(pStmt) == 0 ) {
      return guardAsk(pStmt);
    }
  }
  rc = sqlite3_prepare_v2(db, "SELECT 1", -1, &pStmt, NULL);
  if( rc == SQLITE_OK ) {
    e = guardAsk(pStmt);
    sqlite3_finalize(pStmt);
  } else if( rc == SQLITE_NOMEM ) {
    e = GUARD_NOMEM;
  } else if( pAny ) { /* the host's authorizer denies SELECT */
    e = guardAsk(pAny);
  }
  return e;
}

static int guardIndirect(LedgerConn *pConn, const char *zWhat,
                         LedgerError *pErr) {
  int e;
  if( pConn->bIndirect ) return LEDGER_OK;
  e = guardNesting(pConn->db);
  if( e == GUARD_DIRECT ) return LEDGER_OK;
  if( e == GUARD_NOMEM ) return ledgerErrorNomem(pErr);
  if( e == GUARD_UNKNOWN && pConn->eNesting == LEDGER_NESTING_HIDDEN ) {
    return ledgerErrorSet(
        pErr, LEDGER_AUTH,
        "%s: this SQLite doesn't show whether a database file makes the module "
        "act (see ledger_debug()): with files that you trust, SELECT "
        "ledger_option('indirect', 'allow')",
        zWhat);
  }
  return ledgerErrorSet(
      pErr, LEDGER_AUTH,
      "%s: used by a statement that runs inside another one, as a table of a "
      "database file may run it (FTS with content=), or a function of the host "
      "program: if that is meant, SELECT ledger_option('indirect', 'allow')",
      zWhat);
}

/* ---- what the module asks itself ----------------------------------------- */

/* Travels as a pointer through ledger_self(), so that the state of the module
** is found that is loaded, whichever copy of the library holds it. */
typedef struct GuardSelf GuardSelf;
struct GuardSelf {
  int bTurnOff; /* turns writing off */
  int nDepth;   /* statements still to run inside each other */
  int eNesting; /* what the innermost one found: GUARD_* */
  int rc;
};
#define GUARD_SELF "ledger_self 1"

static int guardSelfRun(sqlite3 *db, GuardSelf *pSelf) {
  sqlite3_stmt *pStmt = NULL;
  int rc = sqlite3_prepare_v2(db, "SELECT ledger_self(?1)", -1, &pStmt, NULL);
  pSelf->rc = SQLITE_ERROR; /* until the function has been called */
  if( rc == SQLITE_OK ) {
    rc = sqlite3_bind_pointer(pStmt, 1, pSelf, GUARD_SELF, NULL);
  }
  if( rc == SQLITE_OK ) sqlite3_step(pStmt);
  if( rc == SQLITE_OK ) {
    rc = sqlite3_finalize(pStmt);
  } else {
    sqlite3_finalize(pStmt);
  }
  return rc ? rc : pSelf->rc;
}

static void guardSelf(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  GuardSelf *p = sqlite3_value_pointer(argv[0], GUARD_SELF);
  LedgerConn *pConn = ledgerFunctionConn(pCtx);
  (void)argc;
  if( p == NULL ) return;
  p->rc = pConn->bLoaded ? SQLITE_OK : SQLITE_ERROR;
  if( p->bTurnOff ) pConn->bReadonly = 1;
  if( p->nDepth > 0 ) {
    GuardSelf inner = {0};
    inner.nDepth = p->nDepth - 1;
    p->rc = guardSelfRun(pConn->db, &inner);
    p->eNesting = inner.eNesting;
  } else {
    p->eNesting = guardNesting(pConn->db);
  }
}

int ledgerGuardSelfTest(LedgerConn *p) {
  GuardSelf self = {0};
  int rc;
  self.nDepth = 1;
  rc = guardSelfRun(p->db, &self);
  if( rc == SQLITE_OK && self.eNesting == GUARD_NOMEM ) rc = SQLITE_NOMEM;
  if( rc == SQLITE_NOMEM ) return rc;
  if( rc ) {
    p->eNesting = LEDGER_NESTING_UNTESTED;
  } else {
    p->eNesting = self.eNesting == GUARD_NESTED ? LEDGER_NESTING_SHOWN
                                                : LEDGER_NESTING_HIDDEN;
  }
  return SQLITE_OK;
}

int ledgerGuardLoaded(sqlite3 *db, int bTurnOff) {
  GuardSelf self = {0};
  self.bTurnOff = bTurnOff;
  return guardSelfRun(db, &self);
}

/* ---- tables -------------------------------------------------------------- */

/* The main database's name, which a host may change. */
static const char *guardMain(sqlite3 *db) {
  const char *z = NULL;
#if SQLITE_VERSION_NUMBER >= 3039000
  if( sqlite3_libversion_number() >= 3039000 ) z = sqlite3_db_name(db, 0);
#else
  (void)db;
#endif
  return z ? z : "main";
}

/* The eponymous table has its module's name, no arguments, and stands in no
** schema. A table of that name in the main database looks the same but for the
** last. An SQLite code. */
static int guardIsEponymous(sqlite3 *db, int argc, const char *const *argv,
                            int *pb) {
  int rc;
  *pb = 0;
  if( argc != 3 || sqlite3_stricmp(argv[0], argv[2]) != 0 ||
      sqlite3_stricmp(argv[1], guardMain(db)) != 0 ) {
    return SQLITE_OK;
  }
  rc = sqlite3_table_column_metadata(db, argv[1], argv[2], NULL, NULL, NULL,
                                     NULL, NULL, NULL);
  *pb = rc == SQLITE_ERROR; /* no such table */
  return *pb ? SQLITE_OK : rc;
}

int ledgerGuardConnect(LedgerGuard *p, LedgerConn *pConn, int argc,
                       const char *const *argv) {
  int bEponymous, rc;
  memset(p, 0, sizeof(*p));
  p->pConn = pConn;
  rc = guardIsEponymous(pConn->db, argc, argv, &bEponymous);
  if( rc ) return rc;
  p->bTemp = sqlite3_stricmp(argv[1], "temp") == 0;
  p->bFile = !p->bTemp && !bEponymous;
  p->zTable = p->bFile ? sqlite3_mprintf("%s.%s", argv[1], argv[2])
                       : sqlite3_mprintf("%s", argv[2]);
  if( p->zTable == NULL ) return SQLITE_NOMEM;
  return sqlite3_vtab_config(pConn->db, p->bTemp ? SQLITE_VTAB_INNOCUOUS
                                                 : SQLITE_VTAB_DIRECTONLY);
}

void ledgerGuardClear(LedgerGuard *p) {
  sqlite3_free(p->zTable);
  sqlite3_free(p->zBad);
  p->zTable = p->zBad = NULL;
}

/* CREATE VIRTUAL TABLE, which is to fail, has written to its schema; what only
** reads it has not. */
int ledgerGuardBad(LedgerGuard *p, const char *zSchema, char *zText,
                   char **pzErr) {
  if( zText == NULL ) return SQLITE_NOMEM;
  if( p->bFile &&
      sqlite3_txn_state(p->pConn->db, zSchema) != SQLITE_TXN_WRITE ) {
    sqlite3_free(p->zBad);
    p->zBad = zText;
    return SQLITE_OK;
  }
  *pzErr = ledgerErrorMessage("%s", zText);
  sqlite3_free(zText);
  return SQLITE_ERROR;
}

static int guardTable(const LedgerGuard *p, LedgerError *pErr) {
  if( p->bFile && !p->pConn->bFileTables ) {
    return ledgerErrorSet(
        pErr, LEDGER_AUTH,
        "%s: this table is declared in a database file, by whoever wrote it: "
        "if it is yours, SELECT ledger_option('file_tables', 'allow'), or "
        "declare it in temp",
        p->zTable);
  }
  if( p->zBad ) return ledgerErrorSet(pErr, LEDGER_ERROR, "%s", p->zBad);
  return guardIndirect(p->pConn, p->zTable, pErr);
}

int ledgerGuardRead(const LedgerGuard *p, int *pbAsked, LedgerError *pErr) {
  if( *pbAsked ) return LEDGER_OK;
  *pbAsked = guardTable(p, pErr) == LEDGER_OK;
  return pErr->rc;
}

static int guardReadonly(const LedgerConn *pConn, const char *zWhat,
                         LedgerError *pErr) {
  if( !pConn->bReadonly ) return LEDGER_OK;
  return ledgerErrorSet(pErr, LEDGER_READONLY,
                        "%s: the module was loaded read-only", zWhat);
}

/* PRAGMA query_only needs no look here: SQLite refuses the INSERT itself. */
int ledgerGuardWrite(const LedgerGuard *p, LedgerError *pErr) {
  if( guardTable(p, pErr) ) return pErr->rc;
  return guardReadonly(p->pConn, p->zTable, pErr);
}

/* Rows may wait from before writing was turned off. */
int ledgerGuardCommit(const LedgerGuard *p, LedgerError *pErr) {
  if( p->pConn->queue.pFirst == NULL ) return LEDGER_OK;
  return guardReadonly(p->pConn, p->zTable, pErr);
}

/* ---- functions ----------------------------------------------------------- */

/* The host said that this connection changes nothing, or can't be asked. */
static int guardQueryOnly(LedgerConn *pConn, const char *zWhat,
                          LedgerError *pErr) {
  sqlite3_stmt *pStmt = NULL;
  int bOff = 0;
  int rc = sqlite3_prepare_v2(pConn->db, "PRAGMA query_only", -1, &pStmt, NULL);
  if( rc == SQLITE_OK ) {
    rc = sqlite3_step(pStmt);
    bOff = rc == SQLITE_ROW && sqlite3_column_int(pStmt, 0) == 0;
  }
  sqlite3_finalize(pStmt);
  if( bOff ) return LEDGER_OK;
  if( rc == SQLITE_ROW ) {
    return ledgerErrorSet(
        pErr, LEDGER_READONLY,
        "%s: PRAGMA query_only is on: nothing is written to a "
        "ledger either",
        zWhat);
  }
  if( rc == SQLITE_NOMEM ) return ledgerErrorNomem(pErr);
  if( rc == SQLITE_INTERRUPT ) {
    return ledgerErrorSet(pErr, LEDGER_INTERRUPT, "%s: interrupted", zWhat);
  }
  return ledgerErrorSet(pErr, LEDGER_READONLY,
                        "%s: PRAGMA query_only can't be asked for (%s): the "
                        "host may mean that nothing is written",
                        zWhat, sqlite3_errstr(rc));
}

int ledgerGuardWrites(LedgerConn *pConn, const char *zFunction,
                      LedgerError *pErr) {
  if( guardReadonly(pConn, zFunction, pErr) ) return pErr->rc;
  return guardQueryOnly(pConn, zFunction, pErr);
}

int ledgerGuardLedger(Ledger *pLedger, LedgerError *pErr) {
  if( ledgerClientConfig(pLedger->pClient)->appendReadonly ||
      sqlite3_db_readonly(pLedger->pConn->db, "main") != 1 ) {
    return LEDGER_OK;
  }
  return ledgerErrorSet(pErr, LEDGER_READONLY,
                        "the main database is read-only, so nothing is written "
                        "to the ledger '%s' either: if that is meant, SELECT "
                        "ledger_option('append_readonly', 'true', '%s')",
                        pLedger->zName, pLedger->zName);
}

LedgerConn *ledgerFunctionConn(sqlite3_context *pCtx) {
  return ((LedgerBound *)sqlite3_user_data(pCtx))->pConn;
}

void ledgerGuardFunction(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  const LedgerBound *p = sqlite3_user_data(pCtx);
  const LedgerFunction *pFunc = p->pFunc;
  LedgerError err = LEDGER_ERROR_INIT;
  /* Where nesting is hidden, an option must be able to say that it is meant. */
  if( (pFunc->eFlags & SQLITE_DIRECTONLY) &&
      !(p->pConn->eNesting == LEDGER_NESTING_HIDDEN &&
        strcmp(pFunc->zName, "ledger_option") == 0) ) {
    guardIndirect(p->pConn, pFunc->zName, &err);
  }
  if( err.rc == LEDGER_OK && (pFunc->eFlags & SQLITE_DIRECTONLY) ) {
    ledgerCheckConstraint(p->pConn, pFunc->zName, &err);
  }
  if( err.rc == LEDGER_OK && (pFunc->eFlags & LEDGER_FN_WRITES) ) {
    ledgerGuardWrites(p->pConn, pFunc->zName, &err);
  }
  if( err.rc ) {
    ledgerErrorFunction(pCtx, &err);
  } else {
    ledgerProgressBegin(p->pConn->pProgress, pFunc->zName);
    pFunc->xFunc(pCtx, argc, argv);
    ledgerProgressEnd(p->pConn->pProgress);
  }
}

/* ---- options of the connection ------------------------------------------- */

int ledgerGuardOption(LedgerConn *pConn, const char *zOption,
                      const char *zValue, const char **pz, LedgerError *pErr) {
  int *pb = strcmp(zOption, "indirect") == 0      ? &pConn->bIndirect
            : strcmp(zOption, "file_tables") == 0 ? &pConn->bFileTables
                                                  : NULL;
  *pz = NULL;
  if( pb == NULL ) return LEDGER_OK;
  if( zValue ) {
    const int bAllow = strcmp(zValue, "allow") == 0;
    if( !bAllow && strcmp(zValue, "refuse") != 0 ) {
      return ledgerErrorSet(pErr, LEDGER_ERROR,
                            "option %s: '%.64s' is not one of: refuse allow",
                            zOption, zValue);
    }
    *pb = bAllow;
  }
  *pz = *pb ? "allow" : "refuse";
  return LEDGER_OK;
}

const LedgerFunction aLedgerFunctionGuard[] = {
    {"ledger_self", 1, 1, LEDGER_FN_PURE, guardSelf, "pointer",
     "what the module asks itself; NULL for SQL", "none",
     "SELECT ledger_self('x') IS NULL;", NULL},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
