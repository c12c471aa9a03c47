/*
** User-defined endpoints: one bundle of modules and of what serves which path.
**
**   GET, PUT /app/userDefinedEndpoints                   the bundle; PUT is 201
**   GET /app/userDefinedEndpoints/modules?module_name=X  {"module","name"}
**   GET, PATCH /app/userDefinedEndpoints/runtimeOptions
**
** A bundle replaces the one before; its form is checked, and it is kept. It is
** given back as a recording of the service shows it: methods in upper case,
** members in alphabetical order. Its paths are not served: no API file says
** under which path, with which body and by which code a request would reach
** them. The runtime options apply to user-defined functions (execute.c).
*/
#include "emulator/routes/routesInt.h"

#include <string.h>

static const char zEndpointsNone[] =
    "{\"metadata\":{\"endpoints\":{}},\"modules\":[]}";

/* 1 when the text of pVal is one of the words of zWords, "a|b". */
static int endpointsWord(LedgerJson *pDoc, cJSON *pVal, const char *zWords) {
  size_t n;
  const char *z = ledgerJsonText(pDoc, pVal, &n);
  return z && emuListed(zWords, '|', z, n);
}

/* What is wrong with the properties of one method, or NULL. */
static const char *endpointsProperties(LedgerJson *pDoc, cJSON *p) {
  static const struct {
    const char *zName, *zWords;
  } aWord[] = {{"forwarding_required", "sometimes|always|never"},
               {"mode", "readwrite|readonly|historical"},
               {"redirection_strategy", "none|to_primary|to_backup"}};
  cJSON *pVal;
  size_t i;
  if( !cJSON_IsObject(p) ) return "its properties are not an object";
  if( !cJSON_IsArray(ledgerJsonMember(p, "authn_policies")) ) {
    return "authn_policies is not an array";
  }
  for( i = 0; i < sizeof(aWord) / sizeof(aWord[0]); i++ ) {
    pVal = ledgerJsonMember(p, aWord[i].zName);
    if( (pVal || i == 0) && !endpointsWord(pDoc, pVal, aWord[i].zWords) ) {
      return aWord[i].zName;
    }
  }
  pVal = ledgerJsonMember(p, "interpreter_reuse");
  if( pVal && !cJSON_IsString(ledgerJsonMember(pVal, "key")) ) {
    return "interpreter_reuse has no key";
  }
  for( pVal = p->child; pVal; pVal = pVal->next ) {
    if( (strcmp(pVal->string, "js_function") == 0 ||
         strcmp(pVal->string, "js_module") == 0) &&
        !cJSON_IsString(pVal) ) {
      return "js_function and js_module are strings";
    }
  }
  return NULL;
}

/* Turns ASCII letters into upper case. */
static void endpointsCase(char *z) {
  for( ; *z; z++ ) {
    if( *z >= 'a' && *z <= 'z' ) *z = (char)(*z - 32);
  }
}

/* Appends a value, the members of its objects in alphabetical order. */
static void endpointsJson(LedgerJson *pDoc, cJSON *pVal, LedgerBuf *pBuf) {
  const char *zLast = NULL, *z;
  cJSON *pItem, *pNext;
  size_t n;
  if( cJSON_IsObject(pVal) ) {
    ledgerBufText(pBuf, "{");
    for( ;; ) {
      pNext = NULL;
      for( pItem = pVal->child; pItem; pItem = pItem->next ) {
        if( (zLast == NULL || strcmp(pItem->string, zLast) > 0) &&
            (pNext == NULL || strcmp(pItem->string, pNext->string) < 0) ) {
          pNext = pItem;
        }
      }
      if( pNext == NULL ) break;
      if( zLast ) ledgerBufText(pBuf, ",");
      zLast = pNext->string;
      ledgerBufJson(pBuf, zLast, strlen(zLast));
      ledgerBufText(pBuf, ":");
      endpointsJson(pDoc, pNext, pBuf);
    }
    ledgerBufText(pBuf, "}");
  } else if( cJSON_IsArray(pVal) ) {
    ledgerBufText(pBuf, "[");
    for( pItem = pVal->child; pItem; pItem = pItem->next ) {
      endpointsJson(pDoc, pItem, pBuf);
      if( pItem->next ) ledgerBufText(pBuf, ",");
    }
    ledgerBufText(pBuf, "]");
  } else if( (z = ledgerJsonText(pDoc, pVal, &n)) != NULL ) {
    ledgerBufJson(pBuf, z, n);
  } else {
    char *zScalar = ledgerJsonPrint(pVal);
    ledgerBufText(pBuf, zScalar ? zScalar : "null");
    cJSON_free(zScalar);
  }
}

/* Checks a bundle; 0 after answering 400. */
static int endpointsCheck(EmuReq *p, LedgerJson *pDoc) {
  cJSON *pRoot = ledgerJsonRoot(pDoc), *pPath, *pMethod, *pModule;
  cJSON *pPaths =
      ledgerJsonMember(ledgerJsonMember(pRoot, "metadata"), "endpoints");
  const char *zWrong = NULL;
  if( !cJSON_IsObject(pPaths) ) {
    emuReqError(p, 400, "InvalidInput",
                "At #/metadata/endpoints: Expected object");
    return 0;
  }
  for( pPath = pPaths->child; pPath; pPath = pPath->next ) {
    if( pPath->string[0] != '/' || !cJSON_IsObject(pPath) ) {
      zWrong = "not a path with its methods";
    }
    for( pMethod = pPath->child; pMethod && !zWrong; pMethod = pMethod->next ) {
      endpointsCase(pMethod->string);
      zWrong = strcmp(pMethod->string, "GET") &&
                       strcmp(pMethod->string, "PUT") &&
                       strcmp(pMethod->string, "PATCH") &&
                       strcmp(pMethod->string, "DELETE")
                   ? "a method other than get, put, patch, delete"
                   : endpointsProperties(pDoc, pMethod);
    }
    if( zWrong ) {
      emuReqError(p, 400, "InvalidInput", "At #/metadata/endpoints, %s: %s",
                  pPath->string, zWrong);
      return 0;
    }
  }
  pModule = ledgerJsonMember(pRoot, "modules");
  if( !cJSON_IsArray(pModule) ) {
    emuReqError(p, 400, "InvalidInput", "At #/modules: Expected array");
    return 0;
  }
  for( pModule = pModule->child; pModule; pModule = pModule->next ) {
    size_t n;
    const char *z = ledgerJsonMemberText(pDoc, pModule, "name", &n);
    if( z == NULL || n == 0 ||
        !cJSON_IsString(ledgerJsonMember(pModule, "module")) ) {
      emuReqError(p, 400, "InvalidInput",
                  "At #/modules: A module has a name and a module");
      return 0;
    }
  }
  return 1;
}

/* A document's text, zDefault when there is none yet. */
static int endpointsRead(EmuReq *p, const char *zName, const char *zDefault,
                         LedgerBuf *pText) {
  LedgerError err = LEDGER_ERROR_INIT;
  int bFound;
  if( emuStoreObject(p->pEmu->pStore, EMU_OBJECT_DOCUMENT, zName, strlen(zName),
                     pText, &bFound, &err) ) {
    emuReqFail(p, &err);
    return 0;
  }
  if( !bFound ) ledgerBufText(pText, zDefault);
  return 1;
}

/* Stores a document as a transaction; 0 after answering 500. */
static int endpointsWrite(EmuReq *p, const char *zName, const char *z,
                          size_t n) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf payload = {0};
  EmuText name = {(char *)(uintptr_t)zName, strlen(zName)};
  EmuText value = {(char *)(uintptr_t)z, n};
  int rc;
  ledgerBufText(&payload, "{\"name\":");
  ledgerBufJson(&payload, zName, strlen(zName));
  ledgerBufText(&payload, ",\"value\":");
  ledgerBufAppend(&payload, z, n);
  ledgerBufText(&payload, "}");
  rc = emuLedgerObject(p->pEmu, EMU_OBJECT_DOCUMENT, &name, &value,
                       EMU_ENDPOINTS, &payload, &p->id, &err);
  if( rc ) emuReqFail(p, &err);
  ledgerBufFree(&payload);
  return rc == LEDGER_OK;
}

void emuRouteEndpointsGet(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  LedgerBuf text = {0};
  cJSON *pPath, *pMethod;
  if( !endpointsRead(p, EMU_DOC_ENDPOINTS, zEndpointsNone, &text) ) goto out;
  if( ledgerJsonParse(text.z, text.n, "bundle", &pDoc, &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  pPath = ledgerJsonMember(ledgerJsonMember(ledgerJsonRoot(pDoc), "metadata"),
                           "endpoints");
  for( pPath = pPath->child; pPath; pPath = pPath->next ) {
    for( pMethod = pPath->child; pMethod; pMethod = pMethod->next ) {
      endpointsCase(pMethod->string);
    }
  }
  endpointsJson(pDoc, ledgerJsonRoot(pDoc), &p->body);
  p->iStatus = 200;
out:
  ledgerBufFree(&text);
  ledgerJsonFree(pDoc);
}

void emuRouteEndpointsPut(EmuReq *p) {
  LedgerJson *pDoc = NULL;
  if( emuReqJson(p, "application/json", NULL, &pDoc) &&
      endpointsCheck(p, pDoc) &&
      endpointsWrite(p, EMU_DOC_ENDPOINTS, p->zBody, p->nBody) ) {
    p->iStatus = 201;
  }
  ledgerJsonFree(pDoc);
}

void emuRouteModule(EmuReq *p) {
  const EmuText *pName = emuReqNeeded(p, "module_name");
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  LedgerBuf text = {0};
  cJSON *pModule = NULL;
  const char *z;
  size_t n;
  if( pName == NULL ||
      !endpointsRead(p, EMU_DOC_ENDPOINTS, zEndpointsNone, &text) ) {
    goto out;
  }
  if( ledgerJsonParse(text.z, text.n, "bundle", &pDoc, &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  pModule = ledgerJsonMember(ledgerJsonRoot(pDoc), "modules");
  for( pModule = pModule->child; pModule; pModule = pModule->next ) {
    z = ledgerJsonMemberText(pDoc, pModule, "name", &n);
    if( z && n == pName->n && memcmp(z, pName->z, n) == 0 ) break;
  }
  if( pModule == NULL ) {
    emuReqError(p, 404, "ResourceNotFound", "The module %s is unknown",
                ledgerUtf8Valid(pName->z, pName->n) ? pName->z : "?");
    goto out;
  }
  ledgerBufText(&p->body, "{\"module\":");
  z = ledgerJsonMemberText(pDoc, pModule, "module", &n);
  ledgerBufJson(&p->body, z ? z : "", z ? n : 0);
  ledgerBufText(&p->body, ",\"name\":");
  ledgerBufJson(&p->body, pName->z, pName->n);
  ledgerBufAppend(&p->body, "}", 1);
  p->iStatus = 200;
out:
  ledgerBufFree(&text);
  ledgerJsonFree(pDoc);
}

void emuRouteRuntimeGet(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  EmuRuntime runtime;
  if( emuRuntimeStored(p->pEmu, &runtime, &err) ) {
    emuReqFail(p, &err);
    return;
  }
  emuRuntimeJson(&runtime, &p->body);
  p->iStatus = 200;
}

void emuRouteRuntimePatch(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  LedgerBuf text = {0};
  EmuRuntime runtime;
  const char *zWrong;
  /* Official clients send it as plain JSON. */
  if( !emuReqJson(p, "application/merge-patch+json", "application/json",
                  &pDoc) ) {
    goto out;
  }
  if( emuRuntimeStored(p->pEmu, &runtime, &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  zWrong = emuRuntimeRead(ledgerJsonRoot(pDoc), &runtime);
  if( zWrong ) {
    emuReqError(p, 400, "InvalidInput", "At #/%s: Not a valid value", zWrong);
    goto out;
  }
  emuRuntimeJson(&runtime, &text);
  if( text.bOom ) {
    ledgerErrorNomem(&err);
    emuReqFail(p, &err);
  } else if( endpointsWrite(p, EMU_DOC_RUNTIME, text.z, text.n) ) {
    ledgerBufAppend(&p->body, text.z, text.n);
    p->iStatus = 200;
  }
out:
  ledgerBufFree(&text);
  ledgerJsonFree(pDoc);
}
