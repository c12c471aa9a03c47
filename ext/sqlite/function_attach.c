/*
** Functions that say which ledger is meant.
**
**     SELECT ledger_attach('my-ledger');
**     SELECT ledger_attach('https://pay.example:8443', 'pay',
**                          json_object('credential', 'client_secret', ...));
**     SELECT ledger_option('timeout_ms', 5000);
**     SELECT ledger_option('timeout_ms');
**     SELECT ledger_ping('pay');
**     SELECT ledger_detach('pay');
**
** Only ledger_ping() makes requests: what connecting needs, then
** GET /app/transactions/current.
*/
#include "ledgerInt.h"

#include <string.h>
#include <time.h>

/* The text of an argument, NULL for SQL NULL. */
static const char *attachText(sqlite3_value *pVal) {
  return (const char *)sqlite3_value_text(pVal);
}

static void attachAttach(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  LedgerDb *pDb = sqlite3_user_data(pCtx);
  LedgerError err = LEDGER_ERROR_INIT;
  const char *zTarget = attachText(argv[0]);
  const char *zName = argc > 1 ? attachText(argv[1]) : NULL;
  sqlite3_value *pOptions = argc > 2 ? argv[2] : NULL;
  const char *zJson;
  if( argc == 2 && zName && zName[0] == '{' ) {
    pOptions = argv[1];
    zName = NULL;
  }
  if( zTarget == NULL ) {
    ledgerErrorSet(&err, LEDGER_CONSTRAINT,
                   "ledger_attach: the first argument is the ledger's name or "
                   "its https URL, not NULL");
  } else {
    zJson = pOptions ? attachText(pOptions) : NULL;
    ledgerDbAttach(pDb, zTarget, zName, zJson,
                   zJson ? sqlite3_value_bytes(pOptions) : 0, &err);
  }
  if( err.rc ) {
    ledgerFunctionError(pCtx, &err);
  } else {
    sqlite3_result_text(pCtx, zName ? zName : "main", -1, SQLITE_TRANSIENT);
  }
}

static void attachDetach(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  LedgerDb *pDb = sqlite3_user_data(pCtx);
  LedgerError err = LEDGER_ERROR_INIT;
  const char *zName = argc > 0 ? attachText(argv[0]) : NULL;
  if( ledgerDbDetach(pDb, zName, &err) ) {
    ledgerFunctionError(pCtx, &err);
  } else {
    sqlite3_result_text(pCtx, zName ? zName : "main", -1, SQLITE_TRANSIENT);
  }
}

/* ledger_option(name), (name, value), (name, value, ledger). Answers the
** value in force. */
static void attachOption(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  LedgerDb *pDb = sqlite3_user_data(pCtx);
  LedgerError err = LEDGER_ERROR_INIT;
  const char *zOption = attachText(argv[0]);
  const char *zLedger = argc > 2 ? attachText(argv[2]) : NULL;
  LedgerBuf buf = {0};
  Ledger *pLedger;
  int rc = ledgerDbFind(pDb, zLedger, 1, &pLedger, &err);
  if( rc == LEDGER_OK && zOption == NULL ) {
    rc = ledgerErrorSet(&err, LEDGER_CONSTRAINT,
                        "ledger_option: the first argument is an option's "
                        "name, not NULL");
  }
  if( rc == LEDGER_OK && argc > 1 &&
      sqlite3_value_type(argv[1]) != SQLITE_NULL ) {
    const char *zValue = attachText(argv[1]);
    rc = zValue ? ledgerConfigSet(ledgerClientConfig(pLedger->pClient), zOption,
                                  zValue, &err)
                : ledgerErrorNomem(&err);
    if( rc == LEDGER_OK && ledgerOptionReconnects(zOption) ) {
      ledgerClientReset(pLedger->pClient);
    }
  }
  if( rc == LEDGER_OK ) {
    rc = ledgerConfigGet(ledgerClientConfig(pLedger->pClient), zOption, &buf,
                         &err);
  }
  if( rc ) {
    ledgerFunctionError(pCtx, &err);
  } else {
    sqlite3_result_text(pCtx, buf.z ? buf.z : "", -1, SQLITE_TRANSIENT);
  }
  ledgerBufFree(&buf);
}

static void attachMember(LedgerBuf *pBuf, const char *zName, const char *z) {
  ledgerBufPrintf(pBuf, "%s\"%s\":", pBuf->n > 1 ? "," : "", zName);
  if( z ) {
    ledgerBufJson(pBuf, z, strlen(z));
  } else {
    ledgerBufText(pBuf, "null");
  }
}

static void attachPing(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  LedgerDb *pDb = sqlite3_user_data(pCtx);
  LedgerError err = LEDGER_ERROR_INIT;
  const char *zName = argc > 0 ? attachText(argv[0]) : NULL;
  LedgerCall *pCall = NULL;
  LedgerEntry entry;
  LedgerFacts facts;
  LedgerBuf buf = {0};
  Ledger *pLedger;
  struct timespec t0, t1;
  int bFound = 0;
  int rc = ledgerDbFind(pDb, zName, 1, &pLedger, &err);
  if( rc == LEDGER_OK ) rc = ledgerClientConnect(pLedger->pClient, &err);
  clock_gettime(CLOCK_MONOTONIC, &t0);
  if( rc == LEDGER_OK ) {
    rc = ledgerCurrentGet(pLedger->pClient, NULL, &pCall, &err);
  }
  if( rc == LEDGER_OK ) rc = ledgerCallWait(pCall, &err);
  if( rc == LEDGER_OK ) rc = ledgerEntryResult(pCall, &bFound, &entry, &err);
  clock_gettime(CLOCK_MONOTONIC, &t1);
  if( rc ) {
    ledgerFunctionError(pCtx, &err);
    goto out;
  }
  ledgerClientFacts(pLedger->pClient, &facts);
  ledgerBufText(&buf, "{");
  attachMember(&buf, "ledger", pLedger->zName);
  attachMember(&buf, "url", ledgerClientConfig(pLedger->pClient)->zUrl);
  attachMember(&buf, "api_version", facts.zApiVersion);
  attachMember(&buf, "credential", facts.zCredential);
  attachMember(&buf, "principal", facts.zPrincipal);
  attachMember(&buf, "key_sha256", facts.zKeySha256);
  ledgerBufPrintf(&buf, ",\"milliseconds\":%.1f}",
                  (double)(t1.tv_sec - t0.tv_sec) * 1e3 +
                      (double)(t1.tv_nsec - t0.tv_nsec) / 1e6);
  if( buf.bOom ) {
    sqlite3_result_error_nomem(pCtx);
  } else {
    sqlite3_result_text64(pCtx, buf.z, buf.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    sqlite3_result_subtype(pCtx, 'J');
  }

out:
  ledgerCallFree(pCall);
  ledgerBufFree(&buf);
}

const LedgerFunction aLedgerFunctionAttach[] = {
    {"ledger_attach", 1, 3, LEDGER_FN_ACT, attachAttach,
     "target [, name [, options]]",
     "attaches a ledger: its name, host or https URL; no request"},
    {"ledger_detach", 0, 1, LEDGER_FN_ACT, attachDetach, "[name]",
     "takes it away again"},
    {"ledger_option", 1, 3, LEDGER_FN_ACT, attachOption,
     "option [, value [, name]]",
     "tells an option of an attached ledger, or sets it"},
    {"ledger_ping", 0, 1, LEDGER_FN_ACT, attachPing, "[name]",
     "identity, token and one request: version, principal, milliseconds"},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};
