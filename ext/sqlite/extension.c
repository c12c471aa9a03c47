/*
** The two entry points, and the list of all that they register.
**
**     .load ./build/ledger
**     SELECT load_extension('./build/ledger', 'sqlite3_ledgerreadonly_init');
**
** A new table or function is added to a list here; the rest of it stands in a
** file of its own.
*/
#define LEDGER_EXTENSION_C
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "ledgerInt.h"
#include "../../include/ledger.h"

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

static const LedgerRowTable *const apExtensionRowTable[] = {
    &ledgerTableReceipts,
    &ledgerTableAudit,
};

/* One a line: a table is a file, and a line here. */
/* clang-format off */
const LedgerTableSpec *const apLedgerTable[] = {
    &ledgerEntriesSpec,
    &ledgerTableSubLedgers,
    &ledgerTableTags,
    &ledgerTableTransactions,
    &ledgerReceiptsSpec,
    &ledgerAuditSpec,
    &ledgerTableUsers,
    &ledgerTableRoles,
    &ledgerTableFunctions,
    &ledgerTableEndpoints,
    &ledgerTableModules,
    &ledgerTableMembers,
    &ledgerTableConstitution,
    &ledgerTableQuotes,
    &ledgerTableIdentity,
    &ledgerTableAttached,
    &ledgerTableAppends,
    &ledgerTableHttp,
    &ledgerTableColumns,
    &ledgerTableReference,
    NULL,
};
/* clang-format on */

/* clang-format off */
const LedgerFunction *const apLedgerFunction[] = {
    aLedgerFunctionPure,
    aLedgerFunctionAttach,
    aLedgerFunctionEntry,
    aLedgerFunctionGuard,
    aLedgerFunctionNames,
    aLedgerFunctionOutbox,
    aLedgerFunctionPing,
    aLedgerFunctionProof,
    aLedgerFunctionQuote,
    aLedgerFunctionExecute,
    aLedgerFunctionReceipt,
    NULL,
};
/* clang-format on */

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
  for( i = 0; apLedgerFunction[i]; i++ ) {
    const LedgerFunction *pFunc = apLedgerFunction[i];
    for( ; pFunc->zName; pFunc++ ) {
      *pzWhat = pFunc->zName;
      rc = extensionFunction(pDb, pFunc);
      if( rc ) return rc;
    }
  }
  *pzWhat = "ledger_entries";
  ledgerDbRef(pDb);
  rc = sqlite3_create_module_v2(pDb->db, "ledger_entries",
                                pDb->bReadonly ? &ledgerEntriesReadonlyModule
                                               : &ledgerEntriesModule,
                                pDb, ledgerDbUnref);
  for( i = 0; apLedgerTable[i] && rc == SQLITE_OK; i++ ) {
    if( !ledgerTableIsSmall(apLedgerTable[i]) ) continue; /* its own module */
    *pzWhat = apLedgerTable[i]->zName;
    rc = ledgerTableRegister(pDb, apLedgerTable[i]);
  }
  for( i = 0;
       i < sizeof(apExtensionRowTable) / sizeof(apExtensionRowTable[0]) &&
       rc == SQLITE_OK;
       i++ ) {
    *pzWhat = apExtensionRowTable[i]->pSpec->zName;
    rc = ledgerRowTableRegister(pDb, apExtensionRowTable[i]);
  }
  return rc;
}

/* Registers everything, or nothing. */
static int extensionLoad(LedgerDb *pDb, char **pzErr) {
  const char *zWhat = "";
  int rc = ledgerTakenLook(pDb->db, pzErr);
  if( rc == SQLITE_OK ) rc = ledgerTakenSchema(pDb->db, pzErr);
  if( rc ) return rc; /* within SQL a function can't be taken back */
  rc = extensionRegister(pDb, &zWhat);
  if( rc == SQLITE_OK ) {
    pDb->bLoaded = 1;
    rc = ledgerGuardSelfTest(pDb);
  }
  if( rc ) {
    pDb->bLoaded = 0;
    ledgerTakenDrop(pDb->db);
    if( *pzErr == NULL ) {
      *pzErr = sqlite3_mprintf("ledger: %s could not be registered: %s", zWhat,
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
    zErr = sqlite3_mprintf("ledger: SQLite %s is too old: 3.38.0 or later "
                           "is needed",
                           sqlite3_libversion());
    rc = SQLITE_ERROR;
    goto out;
  }
  /* What is in use can't be replaced: a second load may turn writing off, and
  ** nothing turns it on again. */
  rc = ledgerGuardLoaded(db, bReadonly);
  if( rc == SQLITE_OK || rc == SQLITE_NOMEM ) goto out;
  rc = ledgerDbNew(db, bReadonly, &pDb);
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
