/*
** Running user-defined functions for clients.
**
**   POST /app/userDefinedFunctions/{id}:execute   emuRouteExecute
**
** {"arguments":["a"],"exportedFunctionName":"main","runtimeOptions":{}}, all of
** it optional. A function that returns is {"result":{"returnValue":s},"status":
** "Succeeded"}; one that throws, or takes too much time or memory, is HTTP 200,
** too: {"error":{"message":s},"status":"Failed"}. returnValue is "" for
** undefined, a string as it is, an object as JSON, anything else as String()
** writes it.
**
** Where the contract is silent: 501 NotImplemented when there is no node.
*/
#include "emulator/routes/routesInt.h"

#include <string.h>

static const char zExecute[] = ":execute";

/* ---- what a request says of a call -------------------------------------- */

/* Reads the arguments as JSON; 0 after answering 400. */
static int executeArguments(EmuReq *p, LedgerJson *pDoc, cJSON *pList,
                            LedgerBuf *pOut) {
  cJSON *pItem = cJSON_IsArray(pList) ? pList->child : NULL;
  ledgerBufAppend(pOut, "[", 1);
  if( pList && !cJSON_IsArray(pList) ) goto bad;
  for( ; pItem; pItem = pItem->next ) {
    size_t n;
    const char *z = ledgerJsonText(pDoc, pItem, &n);
    if( z == NULL ) goto bad;
    if( pOut->n > 1 ) ledgerBufAppend(pOut, ",", 1);
    ledgerBufJson(pOut, z, n);
  }
  ledgerBufAppend(pOut, "]", 1);
  return 1;
bad:
  emuReqError(p, 400, "InvalidInput",
              "At #/arguments: Expected an array of strings");
  return 0;
}

int emuExecuteCall(EmuReq *p, LedgerJson *pDoc, cJSON *pProperties,
                   const EmuText *pId, EmuCall *pCall) {
  LedgerError err = LEDGER_ERROR_INIT;
  cJSON *pName = ledgerJsonMember(pProperties, "exportedFunctionName");
  cJSON *pOptions = ledgerJsonMember(pProperties, "runtimeOptions");
  const char *zName = "main", *zWrong;
  size_t nName = 4;
  if( !emuFunctionId(p, pId) ) return 0;
  if( pName ) zName = ledgerJsonText(pDoc, pName, &nName);
  if( zName == NULL || nName == 0 ) {
    emuReqError(p, 400, "InvalidInput",
                "At #/exportedFunctionName: Expected a name");
    return 0;
  }
  if( !executeArguments(p, pDoc, ledgerJsonMember(pProperties, "arguments"),
                        &pCall->arguments) ) {
    return 0;
  }
  if( emuRuntimeStored(p->pEmu, &pCall->runtime, &err) ) {
    emuReqFail(p, &err);
    return 0;
  }
  zWrong = pOptions ? emuRuntimeRead(pOptions, &pCall->runtime) : NULL;
  if( zWrong ) {
    emuReqError(p, 400, "InvalidInput",
                "At #/runtimeOptions/%s: Not a valid value", zWrong);
    return 0;
  }
  if( !emuFunctionCode(p, pId, &pCall->code) ) return 0;
  ledgerBufAppend(&pCall->id, pId->z, pId->n);
  ledgerBufAppend(&pCall->name, zName, nName);
  if( pCall->id.bOom || pCall->name.bOom || pCall->code.bOom ||
      pCall->arguments.bOom ) {
    ledgerErrorNomem(&err);
    emuReqFail(p, &err);
    return 0;
  }
  return 1;
}

int emuExecuteCan(EmuReq *p) {
  if( emuSandboxThere() ) return 1;
  emuReqError(p, 501, "NotImplemented",
              "User-defined functions are run by node, which is not on the "
              "emulator's PATH");
  return 0;
}

/* ---- :execute ----------------------------------------------------------- */

static void executeDone(void *pArg, int eEnd, const char *z, size_t n) {
  EmuReq *p = pArg;
  if( eEnd == EMU_CALL_GONE ) return;
  if( eEnd == EMU_CALL_BROKEN ) {
    emuReqError(p, 500, "InternalError", "%s", z);
  } else {
    ledgerBufText(&p->body, eEnd == EMU_CALL_VALUE
                                ? "{\"result\":{\"returnValue\":"
                                : "{\"error\":{\"message\":");
    ledgerBufJson(&p->body, z, n);
    ledgerBufText(&p->body, eEnd == EMU_CALL_VALUE
                                ? "},\"status\":\"Succeeded\"}"
                                : "},\"status\":\"Failed\"}");
    p->iStatus = 200;
    p->zState = eEnd == EMU_CALL_VALUE ? "Succeeded" : "Failed";
  }
  p->bRunning = 0;
  p->xEnd(p);
}

void emuRouteExecute(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  EmuText id = p->aSegment[2];
  size_t nSuffix = sizeof(zExecute) - 1;
  LedgerJson *pDoc = NULL;
  EmuCall call = {0};
  if( id.n <= nSuffix || memcmp(id.z + id.n - nSuffix, zExecute, nSuffix) ) {
    emuReqError(p, 405, "UnsupportedHttpVerb",
                "Allowed methods for '%s' are: GET, PUT, DELETE.", p->zPath);
    emuReqAddHeader(p, "Allow", "GET, PUT, DELETE");
    return;
  }
  id.n -= nSuffix;
  id.z[id.n] = 0; /* the colon */
  if( p->nBody && !emuReqJson(p, "application/json", NULL, &pDoc) ) goto out;
  if( !emuExecuteCall(p, pDoc, pDoc ? ledgerJsonRoot(pDoc) : NULL, &id,
                      &call) ||
      !emuExecuteCan(p) ) {
    goto out;
  }
  if( emuSandboxCall(p->pEmu, &call, executeDone, p, &err) ) {
    emuReqFail(p, &err);
  } else {
    p->bRunning = 1;
  }
out:
  emuCallClear(&call);
  ledgerJsonFree(pDoc);
}
