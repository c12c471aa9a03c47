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
#include "ledgerInt.h"

#include <stdlib.h>
#include <string.h>

/* Options of a ledger that a call may set for itself. */
static const char *const azCallOption[] = {"timeout_ms", "retry_budget_ms",
                                           "retry_max_attempts", "log", NULL};

static int callUnknown(const char *zOption, LedgerError *pErr) {
  return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                        "options: '%s' is not known here (ledger, timeout_ms, "
                        "retry_budget_ms, retry_max_attempts, log; for "
                        "ledger_append also tags, wait; for ledger_verify "
                        "service_certificate)",
                        zOption);
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

int ledgerFunctionBegin(LedgerFunctionCall *p, sqlite3_context *pCtx,
                        sqlite3_value *pVal, int eCall, LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  const char *z = pVal ? (const char *)sqlite3_value_text(pVal) : NULL;
  const char *zLedger = NULL;
  const int bAppend = eCall == LEDGER_CALL_APPEND;
  cJSON *pItem;
  int rc = LEDGER_OK;

  memset(p, 0, sizeof(*p));
  p->pDb = sqlite3_user_data(pCtx);
  if( z ) {
    rc = ledgerJsonParse(z, (size_t)sqlite3_value_bytes(pVal), "options", &pDoc,
                         pErr);
    if( rc == LEDGER_OK && !cJSON_IsObject(ledgerJsonRoot(pDoc)) ) {
      rc = ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "options: expected a JSON object");
    }
    if( rc ) goto out;
    zLedger = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "ledger", NULL);
  }
  rc = ledgerDbFind(p->pDb, zLedger, 1, &p->pLedger, pErr);
  if( rc ) goto out;
  p->pConfig = ledgerClientConfig(p->pLedger->pClient);
  if( z == NULL ) goto out;
  for( pItem = ledgerJsonRoot(pDoc)->child; pItem && rc == LEDGER_OK;
       pItem = pItem->next ) {
    const char *zName = pItem->string;
    const char *zText = ledgerJsonText(pDoc, pItem, NULL);
    if( strcmp(zName, "ledger") == 0 && zText ) continue;
    if( callMaySet(zName) && cJSON_IsNumber(pItem) ) {
      char zNum[32];
      sqlite3_snprintf(sizeof(zNum), zNum, "%lld", (i64)pItem->valuedouble);
      rc = callSet(p, zName, zNum, pErr);
    } else if( eCall == LEDGER_CALL_VERIFY &&
               strcmp(zName, "service_certificate") == 0 && zText ) {
      p->zService = ledgerStrndup(zText, strlen(zText));
      if( p->zService == NULL ) rc = ledgerErrorNomem(pErr);
    } else if( zText && (callMaySet(zName) ||
                         (bAppend && strcmp(zName, "wait") == 0)) ) {
      rc = callSet(p, zName, zText, pErr);
    } else if( bAppend && strcmp(zName, "tags") == 0 &&
               (zText || cJSON_IsArray(pItem)) ) {
      char *zJson = zText ? NULL : cJSON_PrintUnformatted(pItem);
      const char *zTags = zText ? zText : zJson;
      rc = zTags ? ledgerTagsParse(zTags, strlen(zTags), &p->zTags, pErr)
                 : ledgerErrorNomem(pErr);
      cJSON_free(zJson);
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
  free(p->zService);
}
