/*
** The loop: moves all requests of a ledger on, and is where anybody waits.
** Issues no request of its own.
**
** Invariants
**   - no wait is longer than LOOP_SLICE_MS without asking xInterrupted;
**   - client time goes on only while somebody drives the client: a gap between
**     two steps counts LOOP_GAP_MS at most;
**   - no child process is left when nobody waits for it;
**   - of the calls that are waited for, the first never waits for room itself
**     (client/net/budget.c): so each wait ends.
*/
#include "client/clientInt.h"

#define LOOP_SLICE_MS 40 /* longest single wait */
#define LOOP_HOOK_MS 20  /* least time between two calls of xInterrupted */
#define LOOP_GAP_MS 200  /* longest gap that client time takes notice of */

/* ---- one step ----------------------------------------------------------- */

/* Moves client time on. */
static void loopTick(LedgerClient *p) {
  int64_t t = ledgerClockMs();
  int64_t ms = t - p->tReal;
  p->tReal = t;
  p->tNow += ms > LOOP_GAP_MS ? LOOP_GAP_MS : ms;
}

/* Asks the user's hook, not too often. */
static int loopInterrupted(LedgerClient *p, LedgerError *pErr) {
  int64_t t;
  if( p->user.xInterrupted == NULL ) return LEDGER_OK;
  t = ledgerClockMs();
  if( t - p->tHook < LOOP_HOOK_MS ) return LEDGER_OK;
  p->tHook = t;
  if( p->user.xInterrupted(p->user.pArg) == 0 ) return LEDGER_OK;
  ledgerChainInterrupted(p);
  return ledgerErrorInterrupt(pErr);
}

/* Steps every call once. Only calls that are made meanwhile are put into the
** list, at its head; none is taken out but finished inner ones. */
static void loopStepCalls(LedgerClient *p) {
  LedgerCall *pCall, *pNext;
  for( pCall = p->pCalls; pCall; pCall = pNext ) {
    ledgerCallStep(pCall);
    pNext = pCall->pNext;
  }
}

/* Whether the identity or the token that calls wait for has come in. */
static int loopInnerDone(const LedgerClient *p) {
  const LedgerCall *pCall = p->pIdentity;
  return (pCall && pCall->eState == LEDGER_CALL_DONE) || ledgerChainDue(p);
}

/* Lets libcurl do what it can without waiting. */
static int loopPerform(LedgerClient *p, LedgerError *pErr) {
  LedgerSession *pSession;
  if( ledgerHttpPerform(p->pHttp, pErr) ) return pErr->rc;
  for( pSession = p->pSessions; pSession; pSession = pSession->pNext ) {
    if( ledgerHttpPerform(pSession->pHttp, pErr) ) break;
  }
  return pErr->rc;
}

/* Waits until something can be done, at most ms milliseconds. While a session
** is at work, it is the one that is waited for. */
static int loopPoll(LedgerClient *p, int ms, LedgerError *pErr) {
  const LedgerSession *pSession = p->pSessions;
  while( pSession && ledgerHttpRunning(pSession->pHttp) == 0 ) {
    pSession = pSession->pNext;
  }
  return ledgerHttpPoll(pSession ? pSession->pHttp : p->pHttp, ms, pErr);
}

/* Milliseconds until the call has to be stepped again by itself. */
static int64_t loopDue(const LedgerClient *p, const LedgerCall *pCall) {
  switch( pCall->eState ) {
    case LEDGER_CALL_PAUSE: return pCall->tAt - p->tNow;
    case LEDGER_CALL_SECONDARY:
      return pCall->pSecondary->eState == LEDGER_CALL_DONE ? 0 : LOOP_SLICE_MS;
    case LEDGER_CALL_RUN:
      return ledgerExchangeEnded(pCall->pEx) ? 0 : LOOP_SLICE_MS;
    case LEDGER_CALL_START:
      if( pCall->pKind && pCall->pKind->bPublic ) return 0;
      return loopInnerDone(p) ? 0 : LOOP_SLICE_MS;
    default: return LOOP_SLICE_MS;
  }
}

/*
** Moves all calls on without waiting. *pmsNext is how long the caller may wait
** before the next step is due, at most LOOP_SLICE_MS.
*/
static int loopStep(LedgerClient *p, int *pmsNext, LedgerError *pErr) {
  LedgerClient *pEach;
  LedgerCall *pCall;

  *pmsNext = 0;
  if( p->bPumping ) return LEDGER_OK;
  p->bPumping = 1;
  loopTick(p);
  if( p->bDropConnections && ledgerHttpReset(p->pHttp, pErr) == LEDGER_OK ) {
    p->bDropConnections = 0;
  }
  if( pErr->rc || loopPerform(p, pErr) ) goto out;
  loopStepCalls(p);
  if( loopPerform(p, pErr) ) goto out;
  *pmsNext = LOOP_SLICE_MS;
  for( pEach = p->pSecondary; pEach; pEach = pEach->pNextSecondary ) {
    int ms;
    if( loopStep(pEach, &ms, pErr) ) goto out;
    if( ms < *pmsNext ) *pmsNext = ms;
  }
  for( pCall = p->pCalls; pCall; pCall = pCall->pNext ) {
    int64_t ms = loopDue(p, pCall);
    if( ms < *pmsNext ) *pmsNext = ms < 0 ? 0 : (int)ms;
  }
out:
  p->bPumping = 0;
  return pErr->rc;
}

/* It is waited for this call, or for what *pElse says: tells it, where it is
** time to. Who tells takes the line away before it returns. */
static void loopTell(const LedgerClient *p, const LedgerCall *pCall,
                     const LedgerWaiting *pElse) {
  LedgerWaiting waiting;
  if( !ledgerProgressDue(p->user.pProgress) ) return;
  if( pCall ) ledgerCallWaiting(pCall, &waiting);
  ledgerProgressShow(p->user.pProgress, p->pConfig->zProgress,
                     pCall ? &waiting : pElse);
}

int ledgerClientSleep(LedgerClient *p, int ms, const char *zWhat,
                      LedgerError *pErr) {
  const int64_t tEnd = ledgerClockMs() + ms;
  LedgerWaiting waiting = {p->user.zName, zWhat, NULL, NULL, 0, ms, -1};
  int msNext = 0;
  while( waiting.msNext > 0 ) {
    if( loopInterrupted(p, pErr) ) break;
    if( loopStep(p, &msNext, pErr) ) break;
    if( waiting.msNext < msNext ) msNext = (int)waiting.msNext;
    loopTell(p, NULL, &waiting);
    if( loopPoll(p, msNext, pErr) ) break;
    waiting.msNext = tEnd - ledgerClockMs();
  }
  ledgerProgressHide(p->user.pProgress);
  return pErr->rc;
}

/* ---- waiting for calls -------------------------------------------------- */

/* Starts the call, and lets its first bytes out where nothing is missing. */
void ledgerLoopStart(LedgerCall *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  int msNext;
  ledgerCallBegin(p);
  loopStep(p->pClient, &msNext, &err);
  ledgerErrorClear(&err); /* it stays with the calls concerned */
}

/* Moves all calls on while somebody waits for one. */
static int loopStepWaiting(LedgerClient *p, int *pmsNext, LedgerError *pErr) {
  p->bWaiting = 1;
  loopStep(p, pmsNext, pErr);
  p->bWaiting = 0;
  return pErr->rc;
}

/* A wait is over: a tool that was started meanwhile for other calls is waited
** for too, since nobody may look at it for a long time now. */
static int loopSettle(LedgerClient *p, LedgerError *pErr) {
  LedgerWaiting waiting = {NULL, "a credential's tool", NULL, NULL, 0, 0, -1};
  int msNext = 0;
  if( p ) waiting.zLedger = p->user.zName;
  if( p ) ledgerChainUnwanted(p);
  while( p && ledgerChainHasChild(p) ) {
    if( loopInterrupted(p, pErr) || loopStepWaiting(p, &msNext, pErr) ) {
      break;
    }
    ledgerChainUnwanted(p);
    loopTell(p, NULL, &waiting);
    if( ledgerChainHasChild(p) && loopPoll(p, msNext, pErr) ) {
      break;
    }
  }
  return pErr->rc;
}

/* ledgerCallWaitAny(), which takes the line away. *ppClient is whose calls it
** waits for. */
static int loopWaitAny(LedgerCall *const *apCall, int n, int *pi,
                       LedgerClient **ppClient, LedgerError *pErr) {
  LedgerClient *pClient = NULL;
  int i;

  *pi = -1;
  for( ;; ) {
    int msNext = 0;
    for( i = 0; i < n; i++ ) {
      if( apCall[i] == NULL ) continue;
      if( apCall[i]->eState == LEDGER_CALL_DONE ) {
        *pi = i;
        *ppClient = apCall[i]->pClient;
        /* Nothing was waited for: many of them in a row are a wait too. */
        if( apCall[i]->bCached && apCall[i]->pClient &&
            loopInterrupted(apCall[i]->pClient, pErr) ) {
          return pErr->rc;
        }
        return loopSettle(apCall[i]->pClient, pErr);
      }
      *ppClient = pClient = apCall[i]->pClient;
    }
    if( pClient == NULL ) {
      return ledgerErrorSet(pErr, LEDGER_ERROR, "nothing to wait for");
    }
    for( i = 0; apCall[i] == NULL; ) i++;
    ledgerCallWant(apCall[i]);
    if( loopInterrupted(pClient, pErr) ) return pErr->rc;
    if( loopStepWaiting(pClient, &msNext, pErr) ) return pErr->rc;
    for( i = 0; i < n; i++ ) {
      if( apCall[i] && apCall[i]->eState == LEDGER_CALL_DONE ) break;
    }
    if( i < n ) continue;
    for( i = 0; apCall[i] == NULL; ) i++;
    loopTell(pClient, apCall[i], NULL);
    if( loopPoll(pClient, msNext, pErr) ) return pErr->rc;
  }
}

int ledgerCallWaitAny(LedgerCall *const *apCall, int n, int *pi,
                      LedgerError *pErr) {
  LedgerClient *p = NULL;
  loopWaitAny(apCall, n, pi, &p, pErr);
  if( p ) ledgerProgressHide(p->user.pProgress);
  return pErr->rc;
}

int ledgerCallIsDone(const LedgerCall *p) {
  return p->eState == LEDGER_CALL_DONE;
}

int ledgerCallWait(LedgerCall *p, LedgerError *pErr) {
  int i;
  if( ledgerCallWaitAny(&p, 1, &i, pErr) ) return pErr->rc;
  ledgerErrorCopy(pErr, &p->err);
  return pErr->rc;
}
