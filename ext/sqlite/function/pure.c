/*
** Functions that act on nothing, and the collation.
**
**     SELECT ledger_txid_seqno('2.15');                   -- 15
**     SELECT ledger_fingerprint(readfile('user.pem'));    -- 7F:75:58:...
**     SELECT ledger_version();
**     CREATE TABLE t(transaction_id TEXT COLLATE ledger_txid);
**
** All are DETERMINISTIC and INNOCUOUS: they may stand in indexes, views and
** triggers.
*/
#include "sqlite/function/function.h"

#include "ledger.h"

#include <string.h>

/* Written by make; a program that the module is linked into may lack it. */
#if __has_include("version.h")
#include "version.h"
#else
#define LEDGER_COMMIT "unknown"
#define LEDGER_BUILD_FLAGS "unknown"
#endif

/* The view or the seqno of an id; NULL of NULL. */
static void pureTxid(sqlite3_context *pCtx, sqlite3_value *pVal, int bSeqno) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerTxid id;
  if( sqlite3_value_type(pVal) == SQLITE_NULL ) return;
  if( ledgerValueTxid(pVal, &id, &err) ) {
    ledgerErrorFunction(pCtx, &err);
  } else {
    sqlite3_result_int64(pCtx, bSeqno ? id.seqno : id.view);
  }
}

static void pureTxidView(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  (void)argc;
  pureTxid(pCtx, argv[0], 0);
}

static void pureTxidSeqno(sqlite3_context *pCtx, int argc,
                          sqlite3_value **argv) {
  (void)argc;
  pureTxid(pCtx, argv[0], 1);
}

static void pureFingerprint(sqlite3_context *pCtx, int argc,
                            sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  char zOut[96];
  const void *z;
  (void)argc;
  if( sqlite3_value_type(argv[0]) == SQLITE_NULL ) return;
  z = sqlite3_value_type(argv[0]) == SQLITE_BLOB
          ? sqlite3_value_blob(argv[0])
          : (const void *)sqlite3_value_text(argv[0]);
  if( z == NULL ) z = sqlite3_value_type(argv[0]) == SQLITE_BLOB ? "" : NULL;
  if( z == NULL ) {
    sqlite3_result_error_nomem(pCtx);
    return;
  }
  if( ledgerCertificateFingerprint(z, (size_t)sqlite3_value_bytes(argv[0]),
                                   zOut, &err) ) {
    ledgerErrorFunction(pCtx, &err);
  } else {
    sqlite3_result_text(pCtx, zOut, -1, SQLITE_TRANSIENT);
  }
}

#define PURE_TEXT(x) PURE_TEXT2(x)
#define PURE_TEXT2(x) #x
#define PURE_VERSION              \
  PURE_TEXT(LEDGER_VERSION_MAJOR) \
  "." PURE_TEXT(LEDGER_VERSION_MINOR) "." PURE_TEXT(LEDGER_VERSION_PATCH)

static void pureVersion(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  (void)argc;
  (void)argv;
  sqlite3_result_text(pCtx, PURE_VERSION, -1, SQLITE_STATIC);
}

/* Whether SQLite shows nested statements, by LedgerConn.eNesting. */
static const char *const azPureNesting[] = {"not tested", "shown", "not shown"};

/* One "name value" per line, for bug reports; or one line's value alone. */
static void pureDebug(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  const char *zName = argc ? (const char *)sqlite3_value_text(argv[0]) : NULL;
  const size_t nName = zName ? strlen(zName) : 0;
  LedgerBuf buf = {0};
  const char *z;
  ledgerBufPrintf(&buf, "version %s\ncommit %s\n", PURE_VERSION, LEDGER_COMMIT);
  ledgerBufPrintf(&buf, "sqlite %s (built with %s)\n", sqlite3_libversion(),
                  SQLITE_VERSION);
  ledgerBufPrintf(&buf, "nested statements %s\n",
                  azPureNesting[ledgerFunctionConn(pCtx)->eNesting]);
  ledgerClientVersions(&buf);
  ledgerBufPrintf(&buf, "flags %s", LEDGER_BUILD_FLAGS);
  if( buf.bOom ) {
    sqlite3_result_error_nomem(pCtx);
  } else if( argc == 0 ) {
    sqlite3_result_text64(pCtx, buf.z, buf.n, SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  for( z = buf.bOom || nName == 0 ? NULL : buf.z; z;
       z = strchr(z, '\n') ? strchr(z, '\n') + 1 : NULL ) {
    if( strncmp(z, zName, nName) == 0 && z[nName] == ' ' ) {
      z += nName + 1;
      sqlite3_result_text(pCtx, z, (int)strcspn(z, "\n"), SQLITE_TRANSIENT);
      break;
    }
  }
  ledgerBufFree(&buf);
}

const LedgerFunction aLedgerFunctionPure[] = {
    {"ledger_txid_view", 1, 1, LEDGER_FN_PURE, pureTxidView, "id",
     "view of an id", "none", "SELECT ledger_txid_view('2.15');",
     "SELECT ledger_txid_view(2.15);"},
    {"ledger_txid_seqno", 1, 1, LEDGER_FN_PURE, pureTxidSeqno, "id",
     "seqno of an id", "none", "SELECT ledger_txid_seqno('2.15');",
     "SELECT ledger_txid_seqno('2-15');"},
    {"ledger_fingerprint", 1, 1, LEDGER_FN_PURE, pureFingerprint, "pem",
     "the user id of a client certificate", "none",
     "SELECT ledger_fingerprint(readfile('user.pem'));",
     "SELECT ledger_fingerprint('user.pem');"},
    {"ledger_version", 0, 0, LEDGER_FN_PURE, pureVersion, "",
     "version of this module", "none", "SELECT ledger_version();", NULL},
    {"ledger_debug", 0, 1, LEDGER_FN_PURE, pureDebug, "[name]",
     "versions and build flags, for bug reports; or one of them", "none",
     "SELECT ledger_debug('version');", NULL},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
