/*
** The tables ledger_endpoints and ledger_modules: HTTP routes that users have
** defined, and the JavaScript behind them.
**
**     SELECT path, method, js_module, js_function FROM ledger_endpoints;
**     INSERT INTO ledger_endpoints(path, method, properties, module) VALUES(
**       '/hello', 'get', '{"authn_policies":[],"forwarding_required":"never",
**       "js_module":"hello.js","js_function":"hello"}',
**       'export function hello(request) { return {body: "hi"} }');
**     SELECT module FROM ledger_modules WHERE name = 'hello.js';
**
** Requests: GET /app/userDefinedEndpoints; .../modules?module_name= for one
** module. The ledger takes all endpoints as one bundle: a change reads it and
** writes it back at COMMIT (GET, PUT). Who writes last wins; the ledger offers
** no way to tell.
**
** Invariants: a module is in the bundle as long as an endpoint names it; of the
** bundle nothing else changes. A method stands here as it is documented and
** written, in lower case; the service gives it back in upper case.
*/
#include "sqlite/table/table.h"

#include <string.h>

static const LedgerRoute endpointsRoute = {.zWhat = "endpoints",
                                           .zPath = "/app/userDefinedEndpoints",
                                           .mNeed = LEDGER_HAS_ROLES};
static const LedgerRoute modulesOne = {.zWhat = "module",
                                       .zPath =
                                           "/app/userDefinedEndpoints/modules",
                                       .zParam = "module_name",
                                       .mNeed = LEDGER_HAS_ROLES};

/* The path and method of a row's key, path \n method. */
static int endpointsSplit(const char *zKey, char **pzPath,
                          const char **pzMethod) {
  const char *z = strchr(zKey, '\n');
  *pzPath = sqlite3_mprintf("%.*s", (int)(z - zKey), zKey);
  *pzMethod = z + 1;
  return *pzPath ? LEDGER_OK : LEDGER_NOMEM;
}

static cJSON *endpointsMap(cJSON *pBundle) {
  return ledgerJsonMember(ledgerJsonMember(pBundle, "metadata"), "endpoints");
}

/* The module of that name in the bundle, or NULL. */
static cJSON *endpointsModule(LedgerJson *pDoc, cJSON *pBundle,
                              const char *zName) {
  cJSON *pItem = ledgerJsonMember(pBundle, "modules");
  for( pItem = pItem ? pItem->child : NULL; pItem; pItem = pItem->next ) {
    const char *z = ledgerJsonMemberText(pDoc, pItem, "name", NULL);
    if( z && zName && strcmp(z, zName) == 0 ) break;
  }
  return pItem;
}

static int endpointsRow(LedgerCells *pCells, LedgerJson *pDoc, cJSON *pPath,
                        cJSON *pMethod, LedgerError *pErr) {
  cJSON *pRoot = ledgerJsonRoot(pDoc);
  const char *zModule = ledgerJsonMemberText(pDoc, pMethod, "js_module", NULL);
  const char *azCell[2];
  int rc;
  azCell[0] = pPath->string;
  azCell[1] = pMethod->string;
  rc = ledgerCellsTexts(pCells, azCell, 2, pErr);
  if( rc == LEDGER_OK ) rc = ledgerTableJson(pCells, 2, pDoc, pMethod, pErr);
  if( rc == LEDGER_OK ) rc = ledgerCellsText(pCells, 3, zModule, pErr);
  if( rc == LEDGER_OK ) {
    rc = ledgerTableJson(pCells, 4, pDoc,
                         ledgerJsonMember(pMethod, "js_function"), pErr);
  }
  if( rc == LEDGER_OK ) {
    cJSON *pModule = endpointsModule(pDoc, pRoot, zModule);
    rc = ledgerTableJson(pCells, 5, pDoc, ledgerJsonMember(pModule, "module"),
                         pErr);
  }
  return rc;
}

/* Methods in lower case, whatever the answer's. */
static void endpointsLower(cJSON *pMap) {
  cJSON *pPath, *pMethod;
  for( pPath = pMap ? pMap->child : NULL; pPath; pPath = pPath->next ) {
    for( pMethod = pPath->child; pMethod; pMethod = pMethod->next ) {
      char *z = pMethod->string;
      for( ; z && *z; z++ ) {
        if( *z >= 'A' && *z <= 'Z' ) *z = (char)(*z + 32);
      }
    }
  }
}

/* The bundle; *ppCall owns it. */
static int endpointsFetch(Ledger *pLedger, LedgerCall **ppCall,
                          LedgerJson **ppDoc, LedgerError *pErr) {
  const LedgerTxid any = {0, 0};
  if( ledgerRouteGet(pLedger->pClient, &endpointsRoute, NULL, any, ppCall,
                     pErr) == LEDGER_OK &&
      ledgerCallWait(*ppCall, pErr) == LEDGER_OK ) {
    ledgerRouteResult(*ppCall, ppDoc, pErr);
  }
  if( pErr->rc == LEDGER_OK && *ppDoc &&
      !cJSON_IsObject(endpointsMap(ledgerJsonRoot(*ppDoc))) ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "endpoints: the ledger's answer makes no sense: "
                   "metadata.endpoints is not an object");
  }
  if( pErr->rc == LEDGER_OK && *ppDoc ) {
    endpointsLower(endpointsMap(ledgerJsonRoot(*ppDoc)));
  }
  return pErr->rc;
}

static int endpointsRead(LedgerCells *pCells, LedgerConn *pConn,
                         Ledger *pLedger, int nKey, char **azKey,
                         LedgerError *pErr) {
  LedgerCall *pCall = NULL;
  LedgerJson *pDoc = NULL;
  cJSON *pPath, *pMethod;
  int rc = endpointsFetch(pLedger, &pCall, &pDoc, pErr);
  (void)pConn;
  (void)nKey;
  (void)azKey;
  pPath = rc ? NULL : endpointsMap(ledgerJsonRoot(pDoc))->child;
  for( ; pPath && rc == LEDGER_OK; pPath = pPath->next ) {
    if( !cJSON_IsObject(pPath) ) {
      rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                          "endpoints: the ledger's answer makes no sense: "
                          "endpoint %.100s is not an object",
                          pPath->string);
      break;
    }
    for( pMethod = pPath->child; pMethod && rc == LEDGER_OK;
         pMethod = pMethod->next ) {
      rc = endpointsRow(pCells, pDoc, pPath, pMethod, pErr);
    }
  }
  ledgerCallFree(pCall);
  return rc;
}

/* ---- writing ------------------------------------------------------------- */

/* Drops modules that were named by an endpoint before, and by none now. */
static void endpointsSweep(LedgerJson *pDoc, const char *zModule) {
  cJSON *pRoot = ledgerJsonRoot(pDoc);
  cJSON *pPath = endpointsMap(pRoot)->child;
  cJSON *pMethod;
  for( ; pPath; pPath = pPath->next ) {
    for( pMethod = pPath->child; pMethod; pMethod = pMethod->next ) {
      const char *z = ledgerJsonMemberText(pDoc, pMethod, "js_module", NULL);
      if( z && strcmp(z, zModule) == 0 ) return;
    }
  }
  pMethod = endpointsModule(pDoc, pRoot, zModule);
  if( pMethod ) {
    cJSON_Delete(cJSON_DetachItemViaPointer(ledgerJsonMember(pRoot, "modules"),
                                            pMethod));
  }
}

/* Adds the member or replaces it; takes pVal over. 0 when memory is short. */
static int endpointsPut(cJSON *pObj, const char *zName, cJSON *pVal) {
  const int bOk =
      pObj && pVal &&
      (ledgerJsonMember(pObj, zName)
           ? cJSON_ReplaceItemInObjectCaseSensitive(pObj, zName, pVal)
           : cJSON_AddItemToObject(pObj, zName, pVal));
  if( !bOk ) cJSON_Delete(pVal);
  return bOk;
}

/* Adds a module to the bundle. 0 when memory is short. */
static int endpointsAddModule(cJSON *pBundle, const char *zName,
                              const cJSON *pSource) {
  cJSON *pModules = ledgerJsonMember(pBundle, "modules");
  cJSON *pNew = cJSON_CreateObject();
  int bOk = endpointsPut(pNew, "module", cJSON_Duplicate(pSource, 1)) &&
            cJSON_AddStringToObject(pNew, "name", zName) != NULL;
  if( bOk && pModules == NULL ) {
    pModules = cJSON_AddArrayToObject(pBundle, "modules");
  }
  bOk = bOk && cJSON_AddItemToArray(pModules, pNew);
  if( !bOk ) cJSON_Delete(pNew);
  return bOk;
}

/* The properties and module that the row gives, put into the bundle. */
static int endpointsSet(LedgerJson *pDoc, const LedgerQueued *pRow,
                        const char *zPath, const char *zMethod,
                        LedgerError *pErr) {
  cJSON *pRoot = ledgerJsonRoot(pDoc);
  cJSON *pMap = endpointsMap(pRoot);
  cJSON *pPath = ledgerJsonMember(pMap, zPath);
  LedgerJson *pNew = NULL;
  cJSON *pProperties, *pModule, *pOld;
  const char *zModule;
  int bOk = 1;

  if( ledgerJsonParse(pRow->zContents, pRow->nContents, "endpoint", &pNew,
                      pErr) ) {
    return pErr->rc;
  }
  pProperties = ledgerJsonMember(ledgerJsonRoot(pNew), "properties");
  pModule = ledgerJsonMember(ledgerJsonRoot(pNew), "module");
  if( pPath == NULL ) {
    pPath = cJSON_AddObjectToObject(pMap, zPath);
    bOk = pPath != NULL;
  }
  if( bOk && pProperties ) {
    bOk = endpointsPut(pPath, zMethod, cJSON_Duplicate(pProperties, 1));
  }
  zModule = ledgerJsonMemberText(pDoc, ledgerJsonMember(pPath, zMethod),
                                 "js_module", NULL);
  pOld = endpointsModule(pDoc, pRoot, zModule);
  if( bOk && pModule && zModule == NULL ) {
    ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                   "endpoint %s: a module is given, but js_module in its "
                   "properties doesn't name it",
                   zPath);
  } else if( bOk && pModule && pOld ) {
    bOk = endpointsPut(pOld, "module", cJSON_Duplicate(pModule, 1));
  } else if( bOk && pModule ) {
    bOk = endpointsAddModule(pRoot, zModule, pModule);
  } else if( bOk && zModule && pOld == NULL ) {
    ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                   "endpoint %s: the ledger has no module '%s': give it in "
                   "column module",
                   zPath, zModule);
  }
  ledgerJsonFree(pNew);
  if( !bOk ) ledgerErrorNomem(pErr);
  return pErr->rc;
}

/* The bundle with the row's endpoint put in or taken out, as JSON
** (cJSON_free); NULL on an error. */
static char *endpointsEdit(LedgerJson *pDoc, const LedgerQueued *pRow,
                           LedgerError *pErr) {
  cJSON *pRoot = ledgerJsonRoot(pDoc);
  cJSON *pMap = endpointsMap(pRoot);
  const char *zMethod = NULL;
  char *zPath = NULL, *zModule = NULL, *zBundle = NULL;
  cJSON *pPath;
  const char *z;

  if( !cJSON_IsObject(pMap) ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "endpoints: the ledger's answer makes no sense: "
                   "metadata.endpoints is not an object");
    return NULL;
  }
  if( endpointsSplit(pRow->zKey, &zPath, &zMethod) ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  endpointsLower(pMap);
  pPath = ledgerJsonMember(pMap, zPath);
  z = ledgerJsonMemberText(pDoc, ledgerJsonMember(pPath, zMethod), "js_module",
                           NULL);
  zModule = z ? sqlite3_mprintf("%s", z) : NULL;
  if( pRow->eChange != LEDGER_CHANGE_DELETE ) {
    if( endpointsSet(pDoc, pRow, zPath, zMethod, pErr) ) goto out;
  } else if( pPath ) {
    cJSON_DeleteItemFromObjectCaseSensitive(pPath, zMethod);
    if( pPath->child == NULL ) {
      cJSON_DeleteItemFromObjectCaseSensitive(pMap, zPath);
    }
  }
  if( zModule ) endpointsSweep(pDoc, zModule);
  zBundle = ledgerJsonPrint(pRoot);
  if( zBundle == NULL ) ledgerErrorNomem(pErr);
out:
  sqlite3_free(zPath);
  sqlite3_free(zModule);
  return zBundle;
}

/* Puts the row's endpoint into the bundle, or takes it out. */
static int endpointsSend(LedgerChangeSend *p, LedgerError *pErr) {
  LedgerCall *pCall = NULL, *pPut = NULL;
  LedgerJson *pDoc = NULL;
  char *zBundle = NULL;

  if( ledgerChangeSendRead(p, &endpointsRoute, NULL, &pCall, &pDoc, pErr) ==
      LEDGER_OK ) {
    zBundle = endpointsEdit(pDoc, p->pRow, pErr);
  }
  if( zBundle ) {
    ledgerChangeSendWrite(p, "PUT", &endpointsRoute, NULL, zBundle, &pPut,
                          pErr);
  }
  cJSON_free(zBundle);
  ledgerCallFree(pCall);
  ledgerCallFree(pPut);
  return pErr->rc;
}

static const LedgerChangeKind endpointsKind = {
    .zName = "endpoint", .pNeeded = &endpointsRoute, .xSend = endpointsSend};

/* Is the endpoint there, in the queue or in the ledger? */
static int endpointsExists(const LedgerChange *p, const char *zPath,
                           const char *zMethod, int *pbExists,
                           LedgerError *pErr) {
  LedgerCall *pCall = NULL;
  LedgerJson *pDoc = NULL;
  *pbExists = ledgerChangeQueued(p, p->pRow->zKey);
  if( *pbExists >= 0 ) return LEDGER_OK;
  if( endpointsFetch(p->pLedger, &pCall, &pDoc, pErr) == LEDGER_OK ) {
    cJSON *pPath = ledgerJsonMember(endpointsMap(ledgerJsonRoot(pDoc)), zPath);
    *pbExists = ledgerJsonMember(pPath, zMethod) != NULL;
  }
  ledgerCallFree(pCall);
  return pErr->rc;
}

/* Properties and module as one object into pRow->zContents. */
static int endpointsContents(LedgerChange *p, LedgerError *pErr) {
  const char *zProperties = ledgerChangeText(p, "properties");
  const char *zModule = ledgerChangeText(p, "module");
  LedgerJson *pDoc = NULL;
  LedgerBuf buf = {0};

  ledgerBufText(&buf, "{");
  if( zProperties ) {
    cJSON *pRoot;
    if( ledgerJsonParse(zProperties, strlen(zProperties), "properties", &pDoc,
                        pErr) ) {
      goto out;
    }
    pRoot = ledgerJsonRoot(pDoc);
    if( !cJSON_IsArray(ledgerJsonMember(pRoot, "authn_policies")) ||
        !cJSON_IsString(ledgerJsonMember(pRoot, "forwarding_required")) ) {
      ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                     "properties: authn_policies (an array) and "
                     "forwarding_required (sometimes, always, never) are "
                     "needed");
      goto out;
    }
    ledgerBufPrintf(&buf, "\"properties\":%s", zProperties);
  }
  if( zModule ) {
    ledgerBufText(&buf, zProperties ? ",\"module\":" : "\"module\":");
    ledgerBufJson(&buf, zModule, strlen(zModule));
  }
  ledgerBufText(&buf, "}");
  p->pRow->zContents = buf.bOom ? NULL : sqlite3_mprintf("%s", buf.z);
  if( p->pRow->zContents == NULL ) ledgerErrorNomem(pErr);
out:
  ledgerJsonFree(pDoc);
  ledgerBufFree(&buf);
  return pErr->rc;
}

static int endpointsChange(LedgerChange *p, LedgerError *pErr) {
  static const char *const azMethod[] = {"get", "put", "patch", "delete"};
  const char *zPath = ledgerChangeText(p, "path");
  const char *zMethod = ledgerChangeText(p, "method");
  int bExists = 0, i;

  if( p->eOp == LEDGER_CHANGE_DELETE ) return LEDGER_OK;
  if( ledgerChangeGiven(p, "js_module") ||
      ledgerChangeGiven(p, "js_function") ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "js_module, js_function: they belong in properties");
  }
  if( p->eOp == LEDGER_CHANGE_UPDATE ) {
    if( ledgerChangeGiven(p, "path") || ledgerChangeGiven(p, "method") ) {
      return ledgerErrorSet(
          pErr, LEDGER_CONSTRAINT,
          "path, method: they can't be changed: DELETE and INSERT");
    }
    return endpointsContents(p, pErr);
  }
  for( i = 0; zMethod && i < 4; i++ ) {
    if( sqlite3_stricmp(zMethod, azMethod[i]) == 0 ) break;
  }
  if( zPath == NULL || zPath[0] != '/' || strchr(zPath, '\n') ||
      zMethod == NULL || i == 4 || !ledgerChangeText(p, "properties") ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "an endpoint has a path that starts with /, a method "
                          "(get, put, patch, delete) and properties");
  }
  p->pRow->zKey = sqlite3_mprintf("%s\n%s", zPath, azMethod[i]);
  if( p->pRow->zKey == NULL ) return ledgerErrorNomem(pErr);
  if( p->eOp == LEDGER_CHANGE_INSERT ) {
    if( endpointsExists(p, zPath, azMethod[i], &bExists, pErr) ) {
      return pErr->rc;
    }
    if( bExists ) {
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "endpoint %s %s exists already: UPDATE, or INSERT "
                            "OR REPLACE",
                            azMethod[i], zPath);
    }
  }
  return endpointsContents(p, pErr);
}

static const LedgerColumn aEndpointsColumn[] = {
    {"path", "TEXT", 0, "@", "path of the endpoint, below /app"},
    {"method", "TEXT", 0, "@", "get, put, patch or delete"},
    {"properties", "TEXT", 0, ".", "its properties, a JSON object"},
    {"js_module", "TEXT", 0, "js_module", "the module it runs, of properties"},
    {"js_function", "TEXT", 0, "js_function", "its function, of properties"},
    {"module", "TEXT", 0, NULL, "source of that module"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableEndpoints = {
    .zName = "ledger_endpoints",
    .zDoc = "HTTP routes that users have defined",
    .aColumn = aEndpointsColumn,
    .zKey = "path",
    .zKey2 = "method",
    .bKeyLocal = 1,
    .xRead = endpointsRead,
    .bAnswers = 1,
    .zRequest = "GET /app/userDefinedEndpoints",
    .zSince = "2024-12-09-preview",
    .zWrites = "INSERT, UPDATE, DELETE",
    .xUpdate = ledgerChangeUpdate,
    .pKind = &endpointsKind,
    .xChange = endpointsChange,
    .zCost = "1 for all of them. A row to be written is read first, "
             "and is 2 at COMMIT: the bundle is read, and written back",
    .zExample =
        "INSERT INTO ledger_endpoints(path, method, properties, module)\n"
        "  VALUES('/hello', 'get', '{\"authn_policies\":[],\n"
        "    \"forwarding_required\":\"never\",\"js_module\":\n"
        "    \"hello.js\",\"js_function\":\"hello\"}',\n"
        "    'export function hello(request) { return {body: \"hi\"} }');\n"
        "SELECT path, method, js_module, js_function FROM ledger_endpoints;",
    .zFails =
        "INSERT INTO ledger_endpoints(path, method) VALUES('hello', 'get');",
};

static const LedgerColumn aModulesColumn[] = {
    {"name", "TEXT", 0, "name", "name of the module"},
    {"module", "TEXT", 0, "module", "its source (JavaScript)"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableModules = {
    .zName = "ledger_modules",
    .zDoc = "the JavaScript behind the endpoints",
    .aColumn = aModulesColumn,
    .zKey = "name",
    .pRoute = &endpointsRoute,
    .zItems = "modules",
    .pRouteKey = &modulesOne,
    .zCost = "1 per module asked for, or 1 for all",
    .zExample = "SELECT name, module FROM ledger_modules;",
    .zFails = "DELETE FROM ledger_modules;",
};
