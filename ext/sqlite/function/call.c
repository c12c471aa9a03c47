/*
** What functions that act on a ledger share: the options object, their last
** argument.
**
**     SELECT ledger_entry('2.15', 'A', '{"ledger":"pay","timeout_ms":500}');
**
** `ledger` names the ledger; `timeout_ms` and the others of azCallOption are
** in force for this call; ledger_append() also knows `tags` and `wait`,
** ledger_verify() `service_certificate`.
**
** Invariants: what an option changes is put back when the call ends; an option
** that is not known is an error.
*/
#include "sqlite/function/function.h"
#include "sqlite/read/read.h"

#include <stdlib.h>
#include <string.h>

/* Options of a ledger that a call may set for itself. */
static const char *const azCallOption[] = {
    "timeout_ms", "retry_budget_ms", "retry_max_attempts", "cache", "log",
    NULL};

static int callUnknown(const char *zOption, LedgerError *pErr) {
  return ledgerErrorSet(
      pErr, LEDGER_CONSTRAINT,
      "options: '%s' is not known here (ledger, timeout_ms, "
      "retry_budget_ms, retry_max_attempts, cache, log; for "
      "ledger_append also tags, wait, reconcile, pre_hooks, post_hooks; "
      "for ledger_execute function, runtime_options; for "
      "ledger_verify service_certificate)",
      zOption);
}

/* The name is right, its value isn't. */
static int callValue(const char *zOption, const cJSON *pItem,
                     LedgerError *pErr) {
  return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                        "options: %s: this value can't be: %s", zOption,
                        cJSON_IsNumber(pItem)   ? "a number, or not a whole one"
                        : cJSON_IsBool(pItem)   ? "true or false"
                        : cJSON_IsNull(pItem)   ? "null"
                        : cJSON_IsString(pItem) ? "a text"
                        : cJSON_IsArray(pItem)  ? "an array"
                                                : "an object");
}

/* Sets an option of the ledger for this call. */
static int callSet(LedgerFunctionCall *p, const char *zName, const char *zValue,
                   LedgerError *pErr) {
  if( p->pSaved == NULL && ledgerConfigCopy(p->pConfig, &p->pSaved, pErr) ) {
    return pErr->rc;
  }
  return ledgerConfigSet(p->pConfig, zName, zValue, pErr);
}

/* Whether the option is one of azCallOption. */
static int callMaySet(const char *zName) {
  int i;
  for( i = 0; azCallOption[i]; i++ ) {
    if( strcmp(azCallOption[i], zName) == 0 ) return 1;
  }
  return 0;
}

/* Hooks of an append: ids of functions, or objects as the API has them. */
static int callHooks(LedgerFunctionCall *p, LedgerJson *pDoc, cJSON *pItem,
                     LedgerError *pErr) {
  const int bPre = strcmp(pItem->string, "pre_hooks") == 0;
  const char *zSep = "";
  LedgerBuf buf = {0};
  cJSON *pHook = pItem->child;
  int bOk = cJSON_IsArray(pItem);

  if( p->zHooks ) ledgerBufPrintf(&buf, "%s,", p->zHooks);
  ledgerBufPrintf(&buf, "\"%s\":[", bPre ? "preHooks" : "postHooks");
  for( ; pHook && bOk; pHook = pHook->next ) {
    size_t n = 0;
    const char *z = ledgerJsonText(pDoc, pHook, &n);
    char *zJson;
    ledgerBufText(&buf, zSep);
    zSep = ",";
    if( z ) {
      ledgerBufText(&buf, "{\"functionId\":");
      ledgerBufJson(&buf, z, n);
      ledgerBufText(&buf, "}");
      continue;
    }
    bOk = ledgerJsonMemberText(pDoc, pHook, "functionId", NULL) != NULL;
    if( !bOk ) break;
    zJson = ledgerJsonPrint(pHook);
    if( zJson == NULL ) ledgerErrorNomem(pErr);
    ledgerBufText(&buf, zJson ? zJson : "");
    cJSON_free(zJson);
  }
  ledgerBufText(&buf, "]");
  free(p->zHooks);
  p->zHooks = ledgerBufTake(&buf);
  if( p->zHooks == NULL ) return ledgerErrorNomem(pErr);
  if( bOk ) return pErr->rc;
  return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                        "options: %s: expected an array of function ids, or "
                        "of objects with functionId",
                        pItem->string);
}

/* Likewise, of ledger_append() only. */
static int callMayAppend(const char *zName) {
  return strcmp(zName, "wait") == 0 || strcmp(zName, "reconcile") == 0;
}

int ledgerFunctionBegin(LedgerFunctionCall *p, sqlite3_context *pCtx,
                        sqlite3_value *pVal, int eCall, LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  const char *zLedger = NULL;
  const int bAppend = eCall == LEDGER_CALL_APPEND;
  cJSON *pItem;
  int rc = LEDGER_OK;

  memset(p, 0, sizeof(*p));
  p->pConn = ledgerFunctionConn(pCtx);
  if( pVal ) rc = ledgerValueOptions(pVal, &pDoc, pErr);
  if( rc ) goto out;
  if( pDoc ) {
    size_t n = 0;
    zLedger = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "ledger", &n);
    if( zLedger && strlen(zLedger) != n ) {
      rc = ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "options: ledger: it can't hold a NUL");
      goto out;
    }
  }
  if( eCall != LEDGER_CALL_READ && eCall != LEDGER_CALL_VERIFY ) {
    rc = ledgerConnFindToWrite(p->pConn, zLedger, 1, "option ledger",
                               &p->pLedger, pErr);
  } else {
    rc = ledgerConnFind(p->pConn, zLedger, 1, &p->pLedger, pErr);
  }
  if( rc ) goto out;
  p->pConfig = ledgerClientConfig(p->pLedger->pClient);
  if( pDoc == NULL ) goto out;
  for( pItem = ledgerJsonRoot(pDoc)->child; pItem && rc == LEDGER_OK;
       pItem = pItem->next ) {
    const char *zName = pItem->string;
    size_t nText = 0;
    const char *zText = ledgerJsonText(pDoc, pItem, &nText);
    if( strcmp(zName, "ledger") == 0 && zText ) continue;
    if( callMaySet(zName) && cJSON_IsNumber(pItem) &&
        pItem->valuedouble >= -1e15 && pItem->valuedouble <= 1e15 &&
        pItem->valuedouble == (double)(i64)pItem->valuedouble ) {
      char zNum[32];
      sqlite3_snprintf(sizeof(zNum), zNum, "%lld", (i64)pItem->valuedouble);
      rc = callSet(p, zName, zNum, pErr);
    } else if( eCall == LEDGER_CALL_VERIFY &&
               strcmp(zName, "service_certificate") == 0 && zText ) {
      p->zService = ledgerStrndup(zText, strlen(zText));
      if( p->zService == NULL ) rc = ledgerErrorNomem(pErr);
    } else if( zText &&
               (callMaySet(zName) || (bAppend && callMayAppend(zName))) ) {
      rc = callSet(p, zName, zText, pErr);
    } else if( bAppend && strcmp(zName, "tags") == 0 &&
               (zText || cJSON_IsArray(pItem)) ) {
      char *zJson = zText ? NULL : ledgerJsonPrint(pItem);
      const char *zTags = zText ? zText : zJson;
      if( zJson ) nText = strlen(zJson);
      rc = zTags ? ledgerMatchTags(zTags, nText, &p->zTags, pErr)
                 : ledgerErrorNomem(pErr);
      cJSON_free(zJson);
    } else if( bAppend && (strcmp(zName, "pre_hooks") == 0 ||
                           strcmp(zName, "post_hooks") == 0) ) {
      rc = callHooks(p, pDoc, pItem, pErr);
    } else if( eCall == LEDGER_CALL_EXECUTE && zText &&
               strcmp(zName, "function") == 0 ) {
      p->zFunction = ledgerStrndup(zText, strlen(zText));
      if( p->zFunction == NULL ) rc = ledgerErrorNomem(pErr);
    } else if( eCall == LEDGER_CALL_EXECUTE && cJSON_IsObject(pItem) &&
               strcmp(zName, "runtime_options") == 0 ) {
      p->zRuntime = ledgerJsonPrint(pItem);
      if( p->zRuntime == NULL ) rc = ledgerErrorNomem(pErr);
    } else if( callMaySet(zName) || strcmp(zName, "ledger") == 0 ||
               (bAppend &&
                (callMayAppend(zName) || strcmp(zName, "tags") == 0)) ) {
      rc = callValue(zName, pItem, pErr);
    } else {
      rc = callUnknown(zName, pErr);
    }
  }

out:
  ledgerJsonFree(pDoc);
  return rc;
}

void ledgerFunctionEnd(LedgerFunctionCall *p) {
  if( p->pSaved ) ledgerConfigReplace(p->pConfig, p->pSaved);
  free(p->zTags);
  free(p->zHooks);
  free(p->zFunction);
  cJSON_free(p->zRuntime);
  free(p->zService);
}

void ledgerFunctionJson(sqlite3_context *pCtx, LedgerBuf *pBuf) {
  if( pBuf->bOom ) {
    sqlite3_result_error_nomem(pCtx);
  } else {
    sqlite3_result_text64(pCtx, pBuf->z, pBuf->n, SQLITE_TRANSIENT,
                          SQLITE_UTF8);
    sqlite3_result_subtype(pCtx, 'J');
  }
  ledgerBufFree(pBuf);
}
