/*
** The two entry points, and the list of all that they register.
**
**     .load ./build/ledger
**     SELECT load_extension('./build/ledger', 'sqlite3_ledgerreadonly_init');
**
** A new table is a line in tables.h, a new family of functions one in
** functions.h; the rest of it stands in a file of its own.
*/
#include "sqlite/extensionInt.h"
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
#include "sqlite/functions.h"
#include "sqlite/tables.h"
#undef LEDGER_TABLE
#undef LEDGER_FUNCTIONS

#define LEDGER_TABLE(name) &name,
static const LedgerTableSpec *const apExtensionTable[] = {
#include "sqlite/tables.h"
    NULL};

#define LEDGER_FUNCTIONS(name) name,
static const LedgerFunction *const apExtensionFunction[] = {
#include "sqlite/functions.h"
    NULL};

static void extensionUnbind(void *pArg) {
  LedgerBound *p = pArg;
  ledgerDbUnref(p->pDb);
  sqlite3_free(p);
}

/* Registers one function under each number of arguments it takes. */
static int extensionFunction(LedgerDb *pDb, const LedgerFunction *pFunc) {
  int nArg, rc = SQLITE_OK;
  if( pDb->bReadonly && (pFunc->eFlags & LEDGER_FN_WRITES) ) return SQLITE_OK;
  for( nArg = pFunc->nMin; nArg <= pFunc->nMax && rc == SQLITE_OK; nArg++ ) {
    LedgerBound *pBound = sqlite3_malloc64(sizeof(*pBound));
    if( pBound == NULL ) return SQLITE_NOMEM;
    pBound->pDb = pDb;
    pBound->pFunc = pFunc;
    ledgerDbRef(pDb); /* given back by the destructor, also on failure */
    rc = sqlite3_create_function_v2(
        pDb->db, pFunc->zName, nArg, pFunc->eFlags & ~LEDGER_FN_WRITES, pBound,
        ledgerGuardFunction, NULL, NULL, extensionUnbind);
  }
  return rc;
}

/* *pzWhat is the name that was registered last. */
static int extensionRegister(LedgerDb *pDb, const char **pzWhat) {
  size_t i;
  int rc;
  for( i = 0; aLedgerCollation[i].zName; i++ ) {
    *pzWhat = aLedgerCollation[i].zName;
    ledgerDbRef(pDb);
    rc = sqlite3_create_collation_v2(
        pDb->db, aLedgerCollation[i].zName, SQLITE_UTF8, pDb,
        aLedgerCollation[i].xCompare, ledgerDbUnref);
    if( rc ) {
      ledgerDbUnref(pDb); /* collations don't call it on failure */
      return rc;
    }
  }
  for( i = 0; pDb->apFunction[i]; i++ ) {
    const LedgerFunction *pFunc = pDb->apFunction[i];
    for( ; pFunc->zName; pFunc++ ) {
      *pzWhat = pFunc->zName;
      rc = extensionFunction(pDb, pFunc);
      if( rc ) return rc;
    }
  }
  for( i = 0; pDb->apTable[i]; i++ ) {
    *pzWhat = pDb->apTable[i]->zName;
    rc = ledgerTableRegister(pDb, pDb->apTable[i]);
    if( rc ) return rc;
  }
  return SQLITE_OK;
}

/* Registers everything, or nothing. */
static int extensionLoad(LedgerDb *pDb, char **pzErr) {
  const char *zWhat = "";
  int rc = ledgerTakenLook(pDb, pzErr);
  if( rc ) return rc;
  rc = extensionRegister(pDb, &zWhat);
  if( rc == SQLITE_OK ) rc = ledgerTakenSchema(pDb, pzErr);
  if( rc == SQLITE_OK ) {
    pDb->bLoaded = 1;
    rc = ledgerGuardSelfTest(pDb);
  }
  if( rc ) {
    pDb->bLoaded = 0;
    ledgerTakenDrop(pDb);
    if( *pzErr == NULL ) {
      *pzErr = ledgerMessage("%s could not be registered: %s", zWhat,
                             sqlite3_errstr(rc));
    }
  }
  return rc;
}

static int extensionInit(sqlite3 *db, char **pzErrMsg,
                         const struct sqlite3_api_routines *pApi,
                         int bReadonly) {
  LedgerDb *pDb = NULL;
  char *zErr = NULL;
  int rc;
  SQLITE_EXTENSION_INIT2(pApi);
  (void)pApi;
  if( sqlite3_libversion_number() < EXTENSION_SQLITE_MIN ) {
    zErr = ledgerMessage("SQLite %s is too old: 3.38.0 or later "
                         "is needed",
                         sqlite3_libversion());
    rc = SQLITE_ERROR;
    goto out;
  }
  /* What is in use can't be replaced: a second load may turn writing off, and
  ** nothing turns it on again. */
  rc = ledgerGuardLoaded(db, bReadonly);
  if( rc == SQLITE_OK || rc == SQLITE_NOMEM ) goto out;
  rc = ledgerDbNew(db, bReadonly, apExtensionTable, apExtensionFunction, &pDb);
  if( rc ) goto out;
  rc = extensionLoad(pDb, &zErr);
  ledgerDbUnref(pDb); /* the registrations keep it */
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
