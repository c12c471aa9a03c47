/*
** The table ledger_functions: JavaScript functions that users have defined.
**
**     SELECT function_id, code FROM ledger_functions;
**     INSERT INTO ledger_functions VALUES('f',
**       'export function main() { return "hello" }');
**     SELECT ledger_execute('f');
**
** Plans and requests:
**     function_id=  -in    GET /app/userDefinedFunctions/{id}
**     none                 GET /app/userDefinedFunctions, the list
**     INSERT               GET the function: it must not exist; at COMMIT PUT
**     UPDATE, DELETE       at COMMIT PUT, DELETE
*/
#include "sqlite/table/table.h"

#include <string.h>

static const LedgerRoute functionsRoute = {.zWhat = "list of functions",
                                           .zPath = "/app/userDefinedFunctions",
                                           .mNeed = LEDGER_HAS_PROGRAMS};
static const LedgerRoute functionsOne = {.zWhat = "function",
                                         .zPath = "/app/userDefinedFunctions",
                                         .bKey = 1,
                                         .mNeed = LEDGER_HAS_PROGRAMS};

/* The list of some versions holds ids alone: the code is asked for then. */
static int functionsItem(LedgerCells *pCells, LedgerItem *pItem,
                         LedgerError *pErr) {
  const LedgerTxid any = {0, 0};
  LedgerCall *pCall = NULL;
  LedgerJson *pDoc = NULL;
  const char *zId = ledgerJsonMemberText(pItem->pDoc, pItem->pItem, "id", NULL);
  if( zId == NULL || ledgerJsonMember(pItem->pItem, "code") ) return LEDGER_OK;
  if( ledgerRouteGet(pItem->pLedger->pClient, &functionsOne, zId, any, &pCall,
                     pErr) == LEDGER_OK &&
      ledgerCallWait(pCall, pErr) == LEDGER_OK &&
      ledgerRouteResult(pCall, &pDoc, pErr) == LEDGER_OK && pDoc ) {
    cJSON *pCode = ledgerJsonMember(ledgerJsonRoot(pDoc), "code");
    if( cJSON_IsString(pCode) ) {
      ledgerTableJson(pCells, 1, pDoc, pCode, pErr);
    } else {
      ledgerErrorSet(pErr, LEDGER_ERROR,
                     "ledger_functions: the ledger's answer makes no sense: "
                     "function %.100s has no 'code'",
                     zId);
    }
  }
  ledgerCallFree(pCall);
  return pErr->rc;
}

static int functionsCode(LedgerChange *p, LedgerError *pErr) {
  const char *z = ledgerChangeText(p, "code");
  LedgerBuf buf = {0};
  if( z == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "code: it is missing");
  }
  ledgerBufText(&buf, "{\"code\":");
  ledgerBufJson(&buf, z, strlen(z));
  ledgerBufText(&buf, "}");
  p->pRow->zContents = buf.bOom ? NULL : sqlite3_mprintf("%s", buf.z);
  ledgerBufFree(&buf);
  return p->pRow->zContents ? LEDGER_OK : ledgerErrorNomem(pErr);
}

static int functionsChange(LedgerChange *p, LedgerError *pErr) {
  return ledgerChangeNamed(p, "function", "function_id", "code", functionsCode,
                           pErr);
}

static int functionsSend(LedgerChangeSend *p, LedgerError *pErr) {
  const int bDelete = p->pRow->eChange == LEDGER_CHANGE_DELETE;
  LedgerCall *pCall = NULL;
  ledgerChangeSendWrite(p, bDelete ? "DELETE" : "PUT", &functionsOne,
                        p->pRow->zKey, bDelete ? NULL : p->pRow->zContents,
                        &pCall, pErr);
  ledgerCallFree(pCall);
  return pErr->rc;
}

static const LedgerChangeKind functionsKind = {
    .zName = "function", .pNeeded = &functionsOne, .xSend = functionsSend};

static const LedgerColumn aFunctionsColumn[] = {
    {"function_id", "TEXT", 0, "id", "id of the function"},
    {"code", "TEXT", 0, "code", "its source (JavaScript)"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableFunctions = {
    .zName = "ledger_functions",
    .zDoc = "JavaScript functions that users have defined",
    .aColumn = aFunctionsColumn,
    .zKey = "function_id",
    .pRoute = &functionsRoute,
    .zItems = "functions",
    .pRouteKey = &functionsOne,
    .xItem = functionsItem,
    .zWrites = "INSERT, UPDATE, DELETE",
    .xUpdate = ledgerChangeUpdate,
    .pKind = &functionsKind,
    .xChange = functionsChange,
    .zCost = "1 per function asked for, or 1 per page of the list. A row to be "
             "written is read first, and is 1 at COMMIT",
    .zExample =
        "INSERT INTO ledger_functions(function_id, code)\n"
        "  VALUES('greet',\n"
        "    'export function main(who) { return \"hello \" + who }');\n"
        "SELECT function_id, code FROM ledger_functions;",
    .zFails = "INSERT INTO ledger_functions(code)\n"
              "  VALUES('export function main() {}');",
};
