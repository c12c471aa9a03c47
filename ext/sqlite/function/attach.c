/*
** Functions that say which ledger is meant.
**
**     SELECT ledger_attach('my-ledger');
**     SELECT ledger_attach('https://pay.example:8443', 'pay',
**                          json_object('credential', 'client_secret', ...));
**     SELECT ledger_attach(readfile('ready.json'));
**     SELECT ledger_option('timeout_ms', 5000);
**     SELECT ledger_option('timeout_ms');
**     SELECT ledger_detach('pay');
**
** None of them makes a request.
*/
#include "sqlite/function/function.h"
#include "sqlite/history/history.h"

#include <string.h>

/* The text of an argument, NULL for SQL NULL. */
static const char *attachText(sqlite3_value *pVal) {
  return (const char *)sqlite3_value_text(pVal);
}

/* Whether a BLOB can be the line that the emulator prints, as the shell's
** readfile() gives it: a text without NULs that begins as an object does. */
static int attachIsLine(sqlite3_value *pVal) {
  const char *z = attachText(pVal);
  return z && strlen(z) == (size_t)sqlite3_value_bytes(pVal) &&
         z[strspn(z, " \t\r\n")] == '{';
}

static void attachAttach(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  LedgerConn *pConn = ledgerFunctionConn(pCtx);
  LedgerError err = LEDGER_ERROR_INIT;
  const int eType = sqlite3_value_type(argv[0]); /* before it is a text */
  const char *zTarget = attachText(argv[0]);
  const char *zName = argc > 1 ? attachText(argv[1]) : NULL;
  sqlite3_value *pOptions = argc > 2 ? argv[2] : NULL;
  const char *zJson;
  if( argc == 2 && zName && zName[0] == '{' ) {
    pOptions = argv[1];
    zName = NULL;
  }
  if( eType == SQLITE_BLOB && !attachIsLine(argv[0]) ) {
    ledgerErrorSet(&err, LEDGER_CONSTRAINT,
                   "ledger_attach: the first argument is a BLOB, and not the "
                   "line of JSON that ledger-emulator prints");
  } else if( zTarget == NULL ) {
    ledgerErrorSet(&err, LEDGER_CONSTRAINT,
                   "ledger_attach: the first argument is the ledger's name or "
                   "its https URL, not NULL (readfile() gives NULL where "
                   "there is no such file)");
  } else if( eType != SQLITE_TEXT && eType != SQLITE_BLOB ) {
    ledgerErrorSet(&err, LEDGER_CONSTRAINT,
                   "ledger_attach: the first argument is the ledger's name or "
                   "its https URL, a text: write '%.100s' in quotes",
                   zTarget);
  }
  if( err.rc == LEDGER_OK && ledgerCheckNames(pConn, &err) == LEDGER_OK ) {
    zJson = pOptions ? attachText(pOptions) : NULL;
    ledgerConnAttach(pConn, zTarget, zName, zJson,
                     zJson ? sqlite3_value_bytes(pOptions) : 0, &err);
  }
  if( err.rc ) {
    ledgerErrorFunction(pCtx, &err);
  } else {
    sqlite3_result_text(pCtx, zName ? zName : "main", -1, SQLITE_TRANSIENT);
  }
}

static void attachDetach(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  LedgerConn *pConn = ledgerFunctionConn(pCtx);
  LedgerError err = LEDGER_ERROR_INIT;
  const char *zName = argc > 0 ? attachText(argv[0]) : NULL;
  if( ledgerConnDetach(pConn, zName, &err) ) {
    ledgerErrorFunction(pCtx, &err);
  } else {
    sqlite3_result_text(pCtx, zName ? zName : "main", -1, SQLITE_TRANSIENT);
  }
}

/* ledger_option(name), (name, value), (name, value, ledger). Answers the
** value in force. */
static void attachOption(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  LedgerConn *pConn = ledgerFunctionConn(pCtx);
  LedgerError err = LEDGER_ERROR_INIT;
  const char *zOption = attachText(argv[0]);
  const char *zLedger = argc > 2 ? attachText(argv[2]) : NULL;
  LedgerBuf buf = {0};
  const char *zOwn = NULL;
  Ledger *pLedger;
  int rc = LEDGER_OK;
  if( zOption ) { /* one of the connection: no ledger need be attached */
    rc = ledgerGuardOption(pConn, zOption,
                           argc > 1 ? attachText(argv[1]) : NULL, &zOwn, &err);
  }
  if( zOwn ) {
    sqlite3_result_text(pCtx, zOwn, -1, SQLITE_STATIC);
    return;
  }
  if( rc == LEDGER_OK ) rc = ledgerConnFind(pConn, zLedger, 1, &pLedger, &err);
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
    if( rc == LEDGER_OK ) ledgerPastTrim(pLedger);
  }
  if( rc == LEDGER_OK ) {
    rc = ledgerConfigGet(ledgerClientConfig(pLedger->pClient), zOption, &buf,
                         &err);
  }
  if( rc ) {
    ledgerErrorFunction(pCtx, &err);
  } else {
    sqlite3_result_text(pCtx, buf.z ? buf.z : "", -1, SQLITE_TRANSIENT);
  }
  ledgerBufFree(&buf);
}

const LedgerFunction aLedgerFunctionAttach[] = {
    {"ledger_attach", 1, 3, LEDGER_FN_ACT, attachAttach,
     "target [, name [, options]]",
     "attaches a ledger: its name, host or https URL, or the line that "
     "ledger-emulator prints; no request",
     "none",
     "SELECT ledger_attach('my-ledger', 'work',\n"
     "  '{\"credential\":\"azure_cli\"}');",
     "SELECT ledger_attach('http://my-ledger.example');"},
    {"ledger_detach", 0, 1, LEDGER_FN_ACT, attachDetach, "[name]",
     "detaches a ledger; LEDGER_URL isn't used after that", "none",
     "SELECT ledger_attach('my-ledger', 'work');\n"
     "SELECT ledger_detach('work');",
     "SELECT ledger_detach('work');"},
    {"ledger_option", 1, 3, LEDGER_FN_ACT, attachOption,
     "option [, value [, name]]",
     "tells an option of an attached ledger, or sets it", "none",
     "SELECT ledger_option('timeout_ms', 5000);\n"
     "SELECT ledger_option('timeout_ms');",
     "SELECT ledger_option('timeout', 5000);"},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
