/*
** The hooks of an append: functions that run before it.
**
** Serves preHooks and postHooks of POST /app/transactions. They run one after
** the other, all of them before the entry is written: a function here sees
** nothing of the ledger, so it can't tell the difference, and one that fails
** can still refuse the entry. Hooks need the action functions/execute, too.
**
** Where the contract is silent: 400 UserDefinedFunctionFailed for a hook that
** fails; nothing is written then.
*/
#include "emulator/auth/auth.h"
#include "emulator/routes/routesInt.h"

#include <stdlib.h>

#define HOOKS_MAX 10

/* The hooks of one append, in the order in which they run. */
typedef struct Hooks Hooks;
struct Hooks {
  EmuReq *pReq;
  void (*xAppend)(EmuReq *); /* comes after the last one */
  EmuCall aCall[HOOKS_MAX];
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
    if( p->n == HOOKS_MAX ) {
      emuReqError(pReq, 400, "InvalidInput", "There are more than %d hooks",
                  HOOKS_MAX);
      return 0;
    }
    if( !emuExecuteCall(pReq, pDoc, pProperties, &id, &p->aCall[p->n++]) ) {
      return 0;
    }
  }
  return 1;
}

static void hooksDone(void *pArg, int eEnd, const char *z, size_t n);

/* Starts the hook whose turn it is; 0 after answering 500. */
static int hooksStart(Hooks *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  if( emuSandboxCall(p->pReq->pEmu, &p->aCall[p->i], hooksDone, p, &err) ==
      LEDGER_OK ) {
    return 1;
  }
  emuReqFail(p->pReq, &err);
  return 0;
}

/* A hook has ended: starts the next; after the last one, the append. */
static void hooksDone(void *pArg, int eEnd, const char *z, size_t n) {
  Hooks *p = pArg;
  EmuReq *pReq = p->pReq;
  void (*xAppend)(EmuReq *) = p->xAppend;
  if( eEnd == EMU_CALL_GONE ) {
    hooksFree(p);
    return;
  }
  if( eEnd == EMU_CALL_BROKEN ) {
    emuReqError(pReq, 500, "InternalError", "%s", z);
  } else if( eEnd == EMU_CALL_FAILED ) {
    emuReqError(pReq, 400, "UserDefinedFunctionFailed",
                "The %s %s failed, nothing was written: %.*s",
                p->i < p->nPre ? "pre-hook" : "post-hook", p->aCall[p->i].id.z,
                (int)n, z);
  } else if( ++p->i == p->n ) {
    pReq->bHooked = 1;
  } else if( hooksStart(p) ) {
    return;
  }
  hooksFree(p);
  pReq->bRunning = 0;
  /* There may have been a change of view meanwhile. */
  if( pReq->bHooked && emuSessionEnter(pReq) ) xAppend(pReq);
  pReq->xEnd(pReq);
}

int emuHooks(EmuReq *pReq, LedgerJson *pDoc, void (*xAppend)(EmuReq *)) {
  LedgerError err = LEDGER_ERROR_INIT;
  Hooks *p = calloc(1, sizeof(*p));
  if( p == NULL ) {
    ledgerErrorNomem(&err);
    emuReqFail(pReq, &err);
    return 1;
  }
  p->pReq = pReq;
  p->xAppend = xAppend;
  if( !hooksRead(p, pDoc, "preHooks") ) goto answered;
  p->nPre = p->n;
  if( !hooksRead(p, pDoc, "postHooks") ) goto answered;
  if( p->n == 0 ) {
    hooksFree(p);
    return 0;
  }
  if( emuAuthorise(pReq, EMU_FUNCTIONS_EXECUTE) && emuExecuteCan(pReq) &&
      hooksStart(p) ) {
    pReq->bRunning = 1;
    return 1;
  }
answered:
  hooksFree(p);
  return 1;
}
