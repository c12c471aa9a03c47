/*
** The two entry points, and the list of all that they register.
**
**     .load ./build/ledger
**     SELECT load_extension('./build/ledger', 'sqlite3_ledgerreadonly_init');
**
** A new table is a line in table_list.h, a new family of functions one in
** function_list.h; the rest of it stands in a file of its own.
*/
#include "sqlite/extensionInt.h"
#include "sqlite/history/history.h"
#include "ledger.h"

#ifdef _WIN32
#define EXTENSION_EXPORT __declspec(dllexport)
#else
#define EXTENSION_EXPORT __attribute__((visibility("default")))
#endif

#define EXTENSION_SQLITE_MIN 3038000

/* libcurl's global state outlives the connection. What is part of the program
** can't be unloaded, and sqlite3_auto_extension() stops at any other code. */
#ifdef SQLITE_CORE
#define EXTENSION_OK SQLITE_OK
#else
#define EXTENSION_OK SQLITE_OK_LOAD_PERMANENTLY
#endif

/* The lists are read twice: to declare what they name, and to point there. */
#define LEDGER_TABLE(name) extern const LedgerTableSpec name;
#define LEDGER_FUNCTIONS(name) extern const LedgerFunction name[];
#include "sqlite/function_list.h"
#include "sqlite/table_list.h"
#undef LEDGER_TABLE
#undef LEDGER_FUNCTIONS

#define LEDGER_TABLE(name) &(name),
static const LedgerTableSpec *const apExtensionTable[] = {
#include "sqlite/table_list.h"
    NULL};

#define LEDGER_FUNCTIONS(name) name,
static const LedgerFunction *const apExtensionFunction[] = {
#include "sqlite/function_list.h"
    NULL};

static void extensionUnbind(void *pArg) {
  LedgerBound *p = pArg;
  ledgerConnUnref(p->pConn);
  sqlite3_free(p);
}

/* Registers one function under each number of arguments it takes. */
static int extensionFunction(LedgerConn *pConn, const LedgerFunction *pFunc) {
  int nArg, rc = SQLITE_OK;
  if( pConn->bReadonly && (pFunc->eFlags & LEDGER_FN_WRITES) ) return SQLITE_OK;
  for( nArg = pFunc->nMin; nArg <= pFunc->nMax && rc == SQLITE_OK; nArg++ ) {
    LedgerBound *pBound = sqlite3_malloc64(sizeof(*pBound));
    if( pBound == NULL ) return SQLITE_NOMEM;
    pBound->pConn = pConn;
    pBound->pFunc = pFunc;
    ledgerConnRef(pConn); /* given back by the destructor, also on failure */
    rc = sqlite3_create_function_v2(
        pConn->db, pFunc->zName, nArg, pFunc->eFlags & ~LEDGER_FN_WRITES,
        pBound, ledgerGuardFunction, NULL, NULL, extensionUnbind);
  }
  return rc;
}

/* *pzWhat is the name that was registered last. */
static int extensionRegister(LedgerConn *pConn, const char **pzWhat) {
  size_t i;
  int rc;
  for( i = 0; aLedgerCollation[i].zName; i++ ) {
    *pzWhat = aLedgerCollation[i].zName;
    ledgerConnRef(pConn);
    rc = sqlite3_create_collation_v2(
        pConn->db, aLedgerCollation[i].zName, SQLITE_UTF8, pConn,
        aLedgerCollation[i].xCompare, ledgerConnUnref);
    if( rc ) {
      ledgerConnUnref(pConn); /* collations don't call it on failure */
      return rc;
    }
  }
  for( i = 0; pConn->apFunction[i]; i++ ) {
    const LedgerFunction *pFunc = pConn->apFunction[i];
    for( ; pFunc->zName; pFunc++ ) {
      *pzWhat = pFunc->zName;
      rc = extensionFunction(pConn, pFunc);
      if( rc ) return rc;
    }
  }
  for( i = 0; pConn->apTable[i]; i++ ) {
    *pzWhat = pConn->apTable[i]->zName;
    rc = ledgerTableRegister(pConn, pConn->apTable[i]);
    if( rc ) return rc;
  }
  return SQLITE_OK;
}

/* Registers everything, or nothing. */
static int extensionLoad(LedgerConn *pConn, char **pzErr) {
  const char *zWhat = "";
  int rc = ledgerTakenLook(pConn, pzErr);
  if( rc == SQLITE_OK ) rc = ledgerTakenSchema(pConn, pzErr);
  if( rc ) return rc; /* within SQL a function can't be taken back */
  rc = extensionRegister(pConn, &zWhat);
  if( rc == SQLITE_OK ) {
    pConn->bLoaded = 1;
    rc = ledgerGuardSelfTest(pConn);
  }
  if( rc ) {
    pConn->bLoaded = 0;
    ledgerTakenDrop(pConn);
    if( *pzErr == NULL ) {
      *pzErr = ledgerErrorMessage("%s could not be registered: %s", zWhat,
                                  sqlite3_errstr(rc));
    }
  }
  return rc;
}

static int extensionInit(sqlite3 *db, char **pzErrMsg,
                         const struct sqlite3_api_routines *pApi,
                         int bReadonly) {
  LedgerConn *pConn = NULL;
  char *zErr = NULL;
  int rc;
  SQLITE_EXTENSION_INIT2(pApi);
  (void)pApi;
  if( ledgerPastOpening() ) return SQLITE_OK; /* a file of our own */
  if( sqlite3_libversion_number() < EXTENSION_SQLITE_MIN ) {
    zErr = ledgerErrorMessage("SQLite %s is too old: 3.38.0 or later "
                              "is needed",
                              sqlite3_libversion());
    rc = SQLITE_ERROR;
    goto out;
  }
  /* What is in use can't be replaced: a second load may turn writing off, and
  ** nothing turns it on again. */
  rc = ledgerGuardLoaded(db, bReadonly);
  if( rc == SQLITE_OK || rc == SQLITE_NOMEM ) goto out;
  rc = ledgerConnNew(db, bReadonly, apExtensionTable, apExtensionFunction,
                     &pConn);
  if( rc ) goto out;
  pConn->xAttached = ledgerPastBegin;
  rc = extensionLoad(pConn, &zErr);
  ledgerConnUnref(pConn); /* the registrations keep it */
out:
  if( pzErrMsg && zErr ) {
    *pzErrMsg = zErr;
  } else {
    sqlite3_free(zErr);
  }
  return rc ? rc : EXTENSION_OK;
}

EXTENSION_EXPORT int
sqlite3_ledger_init(sqlite3 *db, char **pzErrMsg,
                    const struct sqlite3_api_routines *pApi) {
  return extensionInit(db, pzErrMsg, pApi, 0);
}

EXTENSION_EXPORT int
sqlite3_ledgerreadonly_init(sqlite3 *db, char **pzErrMsg,
                            const struct sqlite3_api_routines *pApi) {
  return extensionInit(db, pzErrMsg, pApi, 1);
}
