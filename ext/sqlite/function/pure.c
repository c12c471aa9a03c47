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

/* One "name value" per line, for bug reports. */
static void pureDebug(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  static const char *const azNesting[] = {
      "not tested: the host let no statement run at load", "shown",
      "not shown: see option indirect"};
  LedgerBuf buf = {0};
  (void)argc;
  (void)argv;
  ledgerBufPrintf(&buf, "version %s\ncommit %s\n", PURE_VERSION, LEDGER_COMMIT);
  ledgerBufPrintf(&buf, "sqlite %s (built with %s)\n", sqlite3_libversion(),
                  SQLITE_VERSION);
  ledgerBufPrintf(&buf, "nested statements %s\n",
                  azNesting[ledgerFunctionConn(pCtx)->eNesting]);
  ledgerClientVersions(&buf);
  ledgerBufPrintf(&buf, "flags %s", LEDGER_BUILD_FLAGS);
  if( buf.bOom ) {
    sqlite3_result_error_nomem(pCtx);
  } else {
    sqlite3_result_text64(pCtx, buf.z, buf.n, SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  ledgerBufFree(&buf);
}

const LedgerFunction aLedgerFunctionPure[] = {
    {"ledger_txid_view", 1, 1, LEDGER_FN_PURE, pureTxidView, "id",
     "view of an id"},
    {"ledger_txid_seqno", 1, 1, LEDGER_FN_PURE, pureTxidSeqno, "id",
     "seqno of an id"},
    {"ledger_fingerprint", 1, 1, LEDGER_FN_PURE, pureFingerprint, "pem",
     "the user id of a client certificate"},
    {"ledger_version", 0, 0, LEDGER_FN_PURE, pureVersion, "",
     "version of this module"},
    {"ledger_debug", 0, 0, LEDGER_FN_PURE, pureDebug, "",
     "versions and build flags, for bug reports"},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};
