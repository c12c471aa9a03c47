/*
** What all tables of this module have in common: how they are registered and
** declared, and what they have to do with transactions.
**
**     CREATE VIRTUAL TABLE temp.a USING ledger_entries(ledger='main',
**                                                      sub_ledger='A');
**
** No request is made here, but by COMMIT: ledgerCommit() sends what the tables
** of the connection have queued.
**
** Invariants: every table is eponymous and may be declared (xCreate is
** xConnect); xConnect makes no request; a table can't be dropped while its rows
** wait for COMMIT: they would vanish with it, even where the DROP itself is
** rolled back.
*/
#include "sqlite/table/table.h"

#include <string.h>

/* What a module's registration carries. */
typedef struct VtabModule VtabModule;
struct VtabModule {
  LedgerConn *pConn; /* counted reference */
  const LedgerTableSpec *pSpec;
  sqlite3_module methods;
};

/* ---- CREATE VIRTUAL TABLE ------------------------------------------------ */

/* *pz becomes the value of `name = 'value'` (sqlite3_free): "" where it is not
** written as one, for "" is not a name either; NULL where zArg is about another
** name. */
static int vtabArgument(const char *zArg, const char *zName, char **pz) {
  size_t n = strlen(zName);
  const char *z = zArg;
  char *zVal;
  size_t i, k = 0;
  char cQuote;
  *pz = NULL;
  while( *z == ' ' || *z == '\n' || *z == '\t' ) z++;
  if( sqlite3_strnicmp(z, zName, (int)n) != 0 ) return SQLITE_OK;
  z += n;
  while( *z == ' ' || *z == '\n' || *z == '\t' ) z++;
  if( *z != '=' ) return SQLITE_OK;
  z++;
  while( *z == ' ' || *z == '\n' || *z == '\t' ) z++;
  zVal = sqlite3_mprintf("%s", z);
  if( zVal == NULL ) return SQLITE_NOMEM;
  *pz = zVal;
  cQuote = zVal[0];
  if( cQuote != '\'' && cQuote != '"' ) {
    n = strlen(zVal);
    while( n > 0 && strchr(" \n\t", zVal[n - 1]) ) zVal[--n] = 0;
    /* Rows would go to a sub-ledger that nobody meant, and stay. */
    if( strpbrk(zVal, " \n\t='\"`[]()") ) zVal[0] = 0;
    return SQLITE_OK;
  }
  for( i = 1; zVal[i]; i++ ) {
    if( zVal[i] == cQuote ) {
      i++; /* of two, one counts */
      if( zVal[i] != cQuote ) break;
    }
    zVal[k++] = zVal[i];
  }
  while( zVal[i] && strchr(" \n\t", zVal[i]) ) i++;
  if( zVal[i] ) k = 0; /* something stands behind the closing quote */
  zVal[k] = 0;
  return SQLITE_OK;
}

/* Refuses the arguments of a table that has none: a query says the same. */
static int vtabNoArguments(LedgerTable *p, const char *const *argv,
                           char **pzErr) {
  const int bSub = ledgerColumnIndex(p->pSpec->aColumn, "sub_ledger") >= 0;
  if( p->iLedger < 0 ) {
    return ledgerGuardBad(
        &p->guard, argv[1],
        sqlite3_mprintf("%s: this table takes no arguments", argv[0]), pzErr);
  }
  return ledgerGuardBad(
      &p->guard, argv[1],
      sqlite3_mprintf(
          "%s: this table takes no arguments; a query says what is meant: "
          "SELECT ... FROM %s('LEDGER')%s",
          argv[0], argv[0], bSub ? " WHERE sub_ledger = 'NAME'" : ""),
      pzErr);
}

/* The slice that the arguments declare. */
static int vtabArguments(LedgerTable *p, int argc, const char *const *argv,
                         char **pzErr) {
  int i, rc = SQLITE_OK;
  if( argc > 3 && !p->pSpec->bSlices ) return vtabNoArguments(p, argv, pzErr);
  for( i = 3; i < argc && rc == SQLITE_OK; i++ ) {
    char *zVal, **pz = &p->zLedger;
    rc = vtabArgument(argv[i], "ledger", &zVal);
    if( rc == SQLITE_OK && zVal == NULL ) {
      rc = vtabArgument(argv[i], "sub_ledger", &zVal);
      pz = &p->zSubLedger;
    }
    if( rc ) break;
    if( zVal && zVal[0] && *pz == NULL ) {
      *pz = zVal;
      continue;
    }
    sqlite3_free(zVal);
    rc = ledgerGuardBad(&p->guard, argv[1],
                        sqlite3_mprintf("%s: expected ledger='NAME' or "
                                        "sub_ledger='NAME', not %s",
                                        argv[2], argv[i]),
                        pzErr);
  }
  return rc;
}

static int vtabDisconnect(sqlite3_vtab *pVtab) {
  LedgerTable *p = (LedgerTable *)pVtab;
  ledgerSavepointsClear(&p->savepoints);
  ledgerGuardClear(&p->guard);
  sqlite3_free(p->zLedger);
  sqlite3_free(p->zSubLedger);
  sqlite3_free(p);
  return SQLITE_OK;
}

static int vtabDestroy(sqlite3_vtab *pVtab) {
  if( ledgerSavepointsHasRows(&((LedgerTable *)pVtab)->savepoints) ) {
    return SQLITE_LOCKED;
  }
  return vtabDisconnect(pVtab);
}

static int vtabConnect(sqlite3 *db, void *pAux, int argc,
                       const char *const *argv, sqlite3_vtab **ppVtab,
                       char **pzErr) {
  const VtabModule *pModule = pAux;
  const LedgerColumn *aColumn = pModule->pSpec->aColumn;
  LedgerTable *p;
  int rc;

  *ppVtab = NULL;
  rc = ledgerColumnDeclare(db, aColumn);
  if( rc ) return rc;
  sqlite3_vtab_config(db, SQLITE_VTAB_CONSTRAINT_SUPPORT, 1);
  p = sqlite3_malloc64(sizeof(*p));
  if( p == NULL ) return SQLITE_NOMEM;
  memset(p, 0, sizeof(*p));
  p->pConn = pModule->pConn;
  p->savepoints.pConn = p->pConn;
  p->pSpec = pModule->pSpec;
  p->iLedger = ledgerColumnIndex(aColumn, "ledger");
  if( p->iLedger >= 0 && !aColumn[p->iLedger].bHidden ) {
    p->iLedger = -1; /* a name to show, no ledger to ask */
  }
  p->iKey = ledgerColumnIndex(aColumn, p->pSpec->zKey);
  rc = ledgerGuardConnect(&p->guard, p->pConn, argc, argv);
  if( rc == SQLITE_OK ) rc = vtabArguments(p, argc, argv, pzErr);
  if( rc ) {
    vtabDisconnect(&p->base);
  } else {
    *ppVtab = &p->base;
  }
  return rc;
}

static int vtabRename(sqlite3_vtab *pVtab, const char *zNew) {
  (void)pVtab;
  (void)zNew;
  return SQLITE_OK;
}

/* ---- transactions -------------------------------------------------------- */

static int vtabUpdate(sqlite3_vtab *pVtab, int argc, sqlite3_value **argv,
                      sqlite3_int64 *piRowid) {
  LedgerTable *p = (LedgerTable *)pVtab;
  LedgerError err = LEDGER_ERROR_INIT;
  if( ledgerGuardWrite(&p->guard, &err) == LEDGER_OK ) {
    p->pSpec->xUpdate(p, argc, argv, piRowid, &err);
    ledgerErrorSpare(p->pConn->db, &err); /* nothing is sent before COMMIT */
  }
  return ledgerErrorVtab(pVtab, &err);
}

static int vtabBegin(sqlite3_vtab *pVtab) {
  LedgerTable *p = (LedgerTable *)pVtab;
  p->nDeleted = 0;
  ledgerSavepointsBegin(&p->savepoints);
  return SQLITE_OK;
}

static int vtabSync(sqlite3_vtab *pVtab) {
  LedgerTable *p = (LedgerTable *)pVtab;
  LedgerError err = LEDGER_ERROR_INIT;
  if( !p->savepoints.bBegun ) return SQLITE_OK; /* CREATE VIRTUAL TABLE */
  if( ledgerGuardCommit(&p->guard, &err) == LEDGER_OK ) {
    ledgerCommit(p->pConn, &err);
  }
  return ledgerErrorVtab(pVtab, &err);
}

static int vtabEnd(sqlite3_vtab *pVtab) {
  LedgerTable *p = (LedgerTable *)pVtab;
  if( p->savepoints.bBegun ) ledgerSavepointsEnd(&p->savepoints);
  return SQLITE_OK;
}

static int vtabSavepoint(sqlite3_vtab *pVtab, int iSavepoint) {
  LedgerTable *p = (LedgerTable *)pVtab;
  p->nDeleted = 0;
  return ledgerSavepointsSet(&p->savepoints, iSavepoint);
}

static int vtabRelease(sqlite3_vtab *pVtab, int iSavepoint) {
  LedgerTable *p = (LedgerTable *)pVtab;
  p->nDeleted = 0;
  ledgerSavepointsRelease(&p->savepoints, iSavepoint);
  return SQLITE_OK;
}

static int vtabRollbackTo(sqlite3_vtab *pVtab, int iSavepoint) {
  LedgerTable *p = (LedgerTable *)pVtab;
  p->nDeleted = 0;
  ledgerSavepointsRollbackTo(&p->savepoints, iSavepoint);
  return SQLITE_OK;
}

/* ---- registration -------------------------------------------------------- */

static void vtabDestroyModule(void *pArg) {
  VtabModule *p = pArg;
  ledgerConnUnref(p->pConn);
  sqlite3_free(p);
}

/* The methods of all tables; of those that are written, the second part, too.
** xCreate is xConnect, which makes a table eponymous. */
static void vtabMethods(sqlite3_module *p, int bWritten) {
  p->iVersion = 2;
  p->xCreate = p->xConnect = vtabConnect;
  p->xDisconnect = vtabDisconnect;
  p->xDestroy = vtabDestroy;
  p->xRename = vtabRename;
  if( !bWritten ) return;
  p->xUpdate = vtabUpdate;
  p->xBegin = vtabBegin;
  p->xSync = vtabSync;
  p->xCommit = p->xRollback = vtabEnd;
  p->xSavepoint = vtabSavepoint;
  p->xRelease = vtabRelease;
  p->xRollbackTo = vtabRollbackTo;
}

int ledgerTableModule(LedgerConn *pConn, const LedgerTableSpec *pSpec,
                      const sqlite3_module *pReading) {
  VtabModule *p = sqlite3_malloc64(sizeof(*p));
  if( p == NULL ) return SQLITE_NOMEM;
  p->pConn = pConn;
  p->pSpec = pSpec;
  p->methods = *pReading;
  vtabMethods(&p->methods, pSpec->xUpdate && !pConn->bReadonly);
  ledgerConnRef(pConn);
  return sqlite3_create_module_v2(pConn->db, pSpec->zName, &p->methods, p,
                                  vtabDestroyModule);
}
