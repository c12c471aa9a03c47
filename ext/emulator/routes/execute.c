/*
** Running user-defined functions for clients.
**
**   POST /app/userDefinedFunctions/{id}:execute   emuRouteExecute
**   preHooks, postHooks of POST /app/transactions emuHooks
**
** {"arguments":["a"],"exportedFunctionName":"main","runtimeOptions":{}}, all of
** it optional. A function that returns is {"result":{"returnValue":s},"status":
** "Succeeded"}; one that throws, takes too long or too much is HTTP 200 too:
** {"error":{"message":s},"status":"Failed"}. returnValue is "" for undefined,
** a string as it is, an object as JSON, all else as String() has it.
**
** Hooks run one after the other, all of them before the entry is written: a
** function here sees nothing of the ledger, so that to run behind the write
** would look the same, and one that fails can still refuse it. They need the
** action functions/execute too.
**
** Codes where the contract is silent: 501 NotImplemented where there is no
** node, 400 UserDefinedFunctionFailed for a hook that fails; nothing is written
** then.
*/
#include "emulator/emu.h"

#include <stdlib.h>
#include <string.h>

#define EXECUTE_MAX_HOOKS 10

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

/* Fills a call from the execution properties (NULL: there are none) and the
** function of that id; 0 after answering. */
static int executeCall(EmuReq *p, LedgerJson *pDoc, cJSON *pProperties,
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

/* 0 after answering 501. */
static int executeCan(EmuReq *p) {
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
  emuRouteEnd(p);
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
  if( !executeCall(p, pDoc, pDoc ? ledgerJsonRoot(pDoc) : NULL, &id, &call) ||
      !executeCan(p) ) {
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

/* ---- hooks -------------------------------------------------------------- */

/* The hooks of one append, in the order in which they run. */
typedef struct Hooks Hooks;
struct Hooks {
  EmuReq *pReq;
  EmuCall aCall[EXECUTE_MAX_HOOKS];
  int n;    /* hooks there are ... */
  int nPre; /* ... of which so many are preHooks */
  int i;    /* the one that runs */
};

static void hooksFree(Hooks *p) {
  int i;
  for( i = 0; i < p->n; i++ ) emuCallClear(&p->aCall[i]);
  free(p);
}

/* Reads a list of hooks; 0 after answering. */
static int hooksRead(Hooks *p, LedgerJson *pDoc, const char *zMember) {
  EmuReq *pReq = p->pReq;
  cJSON *pItem = ledgerJsonMember(ledgerJsonRoot(pDoc), zMember);
  if( pItem == NULL ) return 1;
  if( !cJSON_IsArray(pItem) ) {
    emuReqError(pReq, 400, "InvalidInput", "At #/%s: Expected an array",
                zMember);
    return 0;
  }
  for( pItem = pItem->child; pItem; pItem = pItem->next ) {
    cJSON *pProperties = ledgerJsonMember(pItem, "properties");
    EmuText id;
    id.z = (char *)(uintptr_t)ledgerJsonMemberText(pDoc, pItem, "functionId",
                                                   &id.n);
    if( id.z == NULL || (pProperties && !cJSON_IsObject(pProperties)) ) {
      emuReqError(pReq, 400, "InvalidInput",
                  "At #/%s: A hook has a functionId and properties", zMember);
      return 0;
    }
    if( p->n == EXECUTE_MAX_HOOKS ) {
      emuReqError(pReq, 400, "InvalidInput", "There are more than %d hooks",
                  EXECUTE_MAX_HOOKS);
      return 0;
    }
    if( !executeCall(pReq, pDoc, pProperties, &id, &p->aCall[p->n++]) ) {
      return 0;
    }
  }
  return 1;
}

static void hooksDone(void *pArg, int eEnd, const char *z, size_t n);

/* Runs the next hook; behind the last one, the append. */
static void hooksNext(Hooks *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  EmuReq *pReq = p->pReq;
  if( p->i < p->n ) {
    if( emuSandboxCall(pReq->pEmu, &p->aCall[p->i], hooksDone, p, &err) ==
        LEDGER_OK ) {
      return;
    }
    emuReqFail(pReq, &err);
  } else {
    pReq->bHooked = 1;
  }
  hooksFree(p);
  pReq->bRunning = 0;
  /* There may have been a change of view meanwhile. */
  if( pReq->bHooked && emuSessionEnter(pReq) ) emuRouteAppend(pReq);
  emuRouteEnd(pReq);
}

static void hooksDone(void *pArg, int eEnd, const char *z, size_t n) {
  Hooks *p = pArg;
  EmuReq *pReq = p->pReq;
  if( eEnd == EMU_CALL_GONE ) {
    hooksFree(p);
    return;
  }
  if( eEnd == EMU_CALL_VALUE ) {
    p->i++;
    hooksNext(p);
    return;
  }
  if( eEnd == EMU_CALL_BROKEN ) {
    emuReqError(pReq, 500, "InternalError", "%s", z);
  } else {
    emuReqError(pReq, 400, "UserDefinedFunctionFailed",
                "The %s %s failed, nothing was written: %.*s",
                p->i < p->nPre ? "pre-hook" : "post-hook", p->aCall[p->i].id.z,
                (int)n, z);
  }
  hooksFree(p);
  pReq->bRunning = 0;
  emuRouteEnd(pReq);
}

int emuHooks(EmuReq *pReq, LedgerJson *pDoc) {
  LedgerError err = LEDGER_ERROR_INIT;
  Hooks *p = calloc(1, sizeof(*p));
  if( p == NULL ) {
    ledgerErrorNomem(&err);
    emuReqFail(pReq, &err);
    return 1;
  }
  p->pReq = pReq;
  if( !hooksRead(p, pDoc, "preHooks") ) goto answered;
  p->nPre = p->n;
  if( !hooksRead(p, pDoc, "postHooks") ) goto answered;
  if( p->n == 0 ) {
    hooksFree(p);
    return 0;
  }
  if( !emuAuthorise(pReq, EMU_FUNCTIONS_EXECUTE) || !executeCan(pReq) ) {
    goto answered;
  }
  pReq->bRunning = 1;
  hooksNext(p);
  return 1;
answered:
  hooksFree(p);
  return 1;
}
