/*
** Functions that users have defined: run one, and say how they are run.
**
**     SELECT ledger_execute('f', '["a","b"]');
**     SELECT ledger_execute('f', NULL, '{"function":"other"}');
**     SELECT ledger_runtime_options();
**     SELECT ledger_runtime_options('{"max_execution_time_ms":500}');
**
** Requests: POST /app/userDefinedFunctions/{id}:execute; GET or PATCH
** /app/userDefinedEndpoints/runtimeOptions. Both are sent at once, outside
** transactions: a function may write to the ledger.
**
** Invariant: a function that throws is an error, though the ledger answers 200.
*/
#include "sqlite/function/function.h"
#include "sqlite/read/read.h"
#include "sqlite/write/write.h"

#include <string.h>

static const LedgerRoute executeRoute = {.zWhat = "function",
                                         .zPath = "/app/userDefinedFunctions",
                                         .zTail = ":execute",
                                         .bKey = 1,
                                         .mNeed = LEDGER_HAS_PROGRAMS};
static const LedgerRoute executeOptionsRoute = {
    .zWhat = "runtime options",
    .zPath = "/app/userDefinedEndpoints/runtimeOptions",
    .mNeed = LEDGER_HAS_ROLES};

/* Sends one write at once; *ppCall keeps the answer. */
static int executeSend(LedgerFunctionCall *pCall, const LedgerWrite *pWrite,
                       LedgerCall **ppCall, LedgerError *pErr) {
  LedgerTxid id;
  int eOutcome;
  ledgerSnapshotEnd(pCall->pConn);
  if( ledgerWriteStart(pCall->pLedger->pClient, pWrite, ppCall, pErr) ) {
    return pErr->rc;
  }
  ledgerCallWait(*ppCall, pErr);
  ledgerErrorClear(pErr); /* the result says it more exactly */
  return ledgerAppendResult(*ppCall, &eOutcome, &id, pErr);
}

/* The request's body: arguments, function, runtime options. */
static int executeBody(const LedgerFunctionCall *pCall, sqlite3_value *pVal,
                       LedgerBuf *pBuf, LedgerError *pErr) {
  const char *z = pVal ? (const char *)sqlite3_value_text(pVal) : NULL;
  LedgerJson *pDoc = NULL;
  cJSON *pItem = NULL;
  int bOk = 1;

  if( z ) {
    bOk = ledgerJsonParse(z, (size_t)sqlite3_value_bytes(pVal), "arguments",
                          &pDoc, pErr) == LEDGER_OK &&
          cJSON_IsArray(ledgerJsonRoot(pDoc));
    if( bOk ) pItem = ledgerJsonRoot(pDoc)->child;
    for( ; pItem; pItem = pItem->next ) bOk = bOk && cJSON_IsString(pItem);
    ledgerJsonFree(pDoc);
  }
  if( !bOk ) {
    ledgerErrorClear(pErr);
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "arguments: expected a JSON array of texts: "
                          "'[\"a\",\"2\"]'");
  }
  ledgerBufPrintf(pBuf, "{\"arguments\":%s", z ? z : "[]");
  if( pCall->zFunction ) {
    ledgerBufText(pBuf, ",\"exportedFunctionName\":");
    ledgerBufJson(pBuf, pCall->zFunction, strlen(pCall->zFunction));
  }
  if( pCall->zRuntime ) {
    ledgerBufPrintf(pBuf, ",\"runtimeOptions\":%s", pCall->zRuntime);
  }
  ledgerBufText(pBuf, "}");
  return pBuf->bOom ? ledgerErrorNomem(pErr) : LEDGER_OK;
}

/* {"status":"Succeeded","result":{"returnValue"}} or {"status":"Failed",
** "error":{"message"}}. */
static int executeResult(sqlite3_context *pCtx, const char *zId,
                         LedgerJson *pDoc, LedgerError *pErr) {
  cJSON *pRoot = pDoc ? ledgerJsonRoot(pDoc) : NULL;
  const char *zStatus = ledgerJsonMemberText(pDoc, pRoot, "status", NULL);
  const char *z;
  size_t n = 0;
  if( zStatus && strcmp(zStatus, "Succeeded") == 0 ) {
    z = ledgerJsonMemberText(pDoc, ledgerJsonMember(pRoot, "result"),
                             "returnValue", &n);
    if( !cJSON_IsObject(ledgerJsonMember(pRoot, "result")) ) {
      return ledgerErrorSet(pErr, LEDGER_ERROR,
                            "function %s: the ledger's answer makes no sense: "
                            "Succeeded, but it has no object 'result'",
                            zId);
    }
    if( z ) {
      sqlite3_result_text64(pCtx, z, n, SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    return LEDGER_OK;
  }
  z = ledgerJsonMemberText(pDoc, ledgerJsonMember(pRoot, "error"), "message",
                           &n);
  if( zStatus && strcmp(zStatus, "Failed") == 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR, "function %s failed: %.*s", zId,
                          z ? (int)(n < 2000 ? n : 2000) : 15,
                          z ? z : "no reason given");
  }
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "function %s: the ledger's answer makes no sense: "
                        "neither Succeeded nor Failed",
                        zId);
}

static void executeExecute(sqlite3_context *pCtx, int argc,
                           sqlite3_value **argv) {
  const char *zId = (const char *)sqlite3_value_text(argv[0]);
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerFunctionCall call;
  LedgerCall *pCall = NULL;
  LedgerBuf body = {0};
  LedgerWrite w;

  if( ledgerFunctionBegin(&call, pCtx, argc > 2 ? argv[2] : NULL,
                          LEDGER_CALL_EXECUTE, &err) ) {
    goto out;
  }
  if( zId == NULL || zId[0] == 0 ) {
    ledgerErrorSet(&err, LEDGER_CONSTRAINT, "function_id: it is missing");
    goto out;
  }
  if( strlen(zId) != (size_t)sqlite3_value_bytes(argv[0]) ) {
    ledgerErrorSet(&err, LEDGER_CONSTRAINT, "function_id: it can't hold a NUL");
    goto out;
  }
  if( executeBody(&call, argc > 1 ? argv[1] : NULL, &body, &err) ) goto out;
  w.pRoute = &executeRoute;
  w.zMethod = "POST";
  w.zKey = zId;
  w.zBody = body.z;
  if( executeSend(&call, &w, &pCall, &err) == LEDGER_OK ) {
    executeResult(pCtx, zId, ledgerWriteAnswer(pCall), &err);
  }
out:
  if( err.rc ) ledgerErrorFunction(pCtx, &err);
  ledgerCallFree(pCall);
  ledgerBufFree(&body);
  ledgerFunctionEnd(&call);
}

/* The answer as JSON. */
static int executeJson(sqlite3_context *pCtx, LedgerJson *pDoc,
                       LedgerError *pErr) {
  char *z = pDoc ? ledgerJsonPrint(ledgerJsonRoot(pDoc)) : NULL;
  if( pDoc && z == NULL ) return ledgerErrorNomem(pErr);
  sqlite3_result_text(pCtx, z, -1, SQLITE_TRANSIENT);
  sqlite3_result_subtype(pCtx, 'J');
  cJSON_free(z);
  return LEDGER_OK;
}

/* Whether an answer shows runtime options: at least one that is known. */
static int executeIsRuntime(LedgerJson *pDoc) {
  static const char *const azOption[] = {
      "log_exception_details",   "return_exception_details",
      "max_cached_interpreters", "max_execution_time_ms",
      "max_heap_bytes",          "max_stack_bytes"};
  size_t i;
  for( i = 0; pDoc && i < sizeof(azOption) / sizeof(azOption[0]); i++ ) {
    if( ledgerJsonMember(ledgerJsonRoot(pDoc), azOption[i]) ) return 1;
  }
  return 0;
}

static void executeRuntime(sqlite3_context *pCtx, int argc,
                           sqlite3_value **argv) {
  const char *zPatch =
      argc > 0 ? (const char *)sqlite3_value_text(argv[0]) : NULL;
  const LedgerTxid any = {0, 0};
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerFunctionCall call;
  LedgerCall *pCall = NULL;
  LedgerJson *pDoc = NULL;
  LedgerWrite w;

  memset(&call, 0, sizeof(call));
  if( zPatch && ledgerGuardWrites(ledgerFunctionConn(pCtx),
                                  "ledger_runtime_options", &err) ) {
    goto out;
  }
  if( ledgerFunctionBegin(&call, pCtx, argc > 1 ? argv[1] : NULL,
                          zPatch ? LEDGER_CALL_WRITE : LEDGER_CALL_READ,
                          &err) ) {
    goto out;
  }
  if( zPatch == NULL ) {
    if( ledgerRouteGet(call.pLedger->pClient, &executeOptionsRoute, NULL, any,
                       &pCall, &err) == LEDGER_OK &&
        ledgerCallWait(pCall, &err) == LEDGER_OK ) {
      ledgerRouteResult(pCall, &pDoc, &err);
    }
  } else if( ledgerJsonParse(zPatch, (size_t)sqlite3_value_bytes(argv[0]),
                             "runtime options", &pDoc, &err) == LEDGER_OK ) {
    ledgerJsonFree(pDoc);
    pDoc = NULL;
    w.pRoute = &executeOptionsRoute;
    w.zMethod = "PATCH";
    w.zKey = NULL;
    w.zBody = zPatch;
    if( executeSend(&call, &w, &pCall, &err) == LEDGER_OK ) {
      pDoc = ledgerWriteAnswer(pCall);
    }
  }
  if( err.rc == LEDGER_OK && !executeIsRuntime(pDoc) ) {
    ledgerErrorSet(&err, LEDGER_ERROR,
                   "runtime options: the ledger's answer makes no sense: it "
                   "has none of them%s",
                   zPatch ? "; they may have been set" : "");
  }
  if( err.rc == LEDGER_OK ) executeJson(pCtx, pDoc, &err);
out:
  if( zPatch == NULL ) ledgerErrorSpare(sqlite3_context_db_handle(pCtx), &err);
  if( err.rc ) ledgerErrorFunction(pCtx, &err);
  ledgerCallFree(pCall);
  ledgerFunctionEnd(&call);
}

const LedgerFunction aLedgerFunctionExecute[] = {
    {"ledger_execute", 1, 3, LEDGER_FN_ACT | LEDGER_FN_JSON | LEDGER_FN_WRITES,
     executeExecute, "function_id [, arguments [, options]]",
     "runs a function that users have defined; returns its value", "1",
     "INSERT OR REPLACE INTO ledger_functions VALUES('greet',\n"
     "  'export function main(who) { return \"hello \" + who }');\n"
     "SELECT ledger_execute('greet', '[\"you\"]');",
     "SELECT ledger_execute('nowhere');"},
    {"ledger_runtime_options", 0, 2, LEDGER_FN_ACT | LEDGER_FN_JSON,
     executeRuntime, "[changes [, options]]",
     "how such functions are run, JSON; changes is a JSON object", "1",
     "SELECT ledger_runtime_options('{\"max_execution_time_ms\":500}');",
     "SELECT ledger_runtime_options('fast');"},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
