/*
** A gateway in front of the ledger, with --gateway: what is appended through
** https://gateway.localhost is queued and recorded later. Every other request
** through that name reaches the ledger itself.
**
**   POST /app/transactions       202 {"operationId","status":"queued"} and
**                                x-ms-webfe-operation-id; 429 QueueDraining
**                                when the queue is full
**   GET  /app/operations/{id}    {"operationId","status":"queued"|"committed"
**                                |"failed","collectionId","transactionId"?,
**                                "error"?}; 404 OperationNotFound
**   GET  /app/queue/status       {"depth":N}
**
**   POST /control/gateway        {"hold"?:true: nothing leaves the queue,
**                                "fail"?:N: the next N operations fail,
**                                "limit"?:N: operations in the queue,
**                                "tell"?:"both"|"header"|"body": where the
**                                operation id is given,
**                                "forget"?:true: forget all settled ones}
**
** Invariants
**   - an operation is recorded at most once: what an election took back is
**     queued again, and only that;
**   - an operation is "committed" once the ledger has committed it;
**   - the last GATEWAY_KEEP operations are kept in memory; the oldest settled
**     one is forgotten first.
*/
#include "emulator/routes/routesInt.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define GATEWAY_TICK_US 10000 /* the queue drains this often */
#define GATEWAY_KEEP 20000    /* operations remembered */
#define GATEWAY_LIMIT 10000   /* operations queued, unless told otherwise */

enum {               /* Operation.eState */
  GATEWAY_QUEUED,    /* to be recorded */
  GATEWAY_RECORDED,  /* the ledger has it, not committed yet */
  GATEWAY_COMMITTED, /* for good */
  GATEWAY_FAILED
};

typedef struct Operation Operation;
struct Operation {
  Operation *pNext;
  LedgerBuf id;         /* a UUID */
  LedgerBuf collection; /* owned copies of what is to be recorded */
  LedgerBuf contents;
  LedgerBuf tags;
  int bClaims;
  int eState;
  LedgerTxid tx; /* once recorded */
};

struct EmuGateway {
  Emu *pEmu; /* borrowed */
  struct event *pTimer;
  Operation *pFirst, **ppEnd; /* in the order they came */
  int nOperation, nQueued;
  int nLimit;
  int nFail; /* operations that are to fail */
  int bHold;
  int bHeader, bBody; /* where the operation id is told */
};

EmuGateway *emuGatewayNew(Emu *pEmu) {
  EmuGateway *p = calloc(1, sizeof(*p));
  if( p == NULL ) return NULL;
  p->pEmu = pEmu;
  p->ppEnd = &p->pFirst;
  p->nLimit = GATEWAY_LIMIT;
  p->bHeader = p->bBody = 1;
  return p;
}

static void gatewayFreeOperation(Operation *p) {
  ledgerBufFree(&p->id);
  ledgerBufFree(&p->collection);
  ledgerBufFree(&p->contents);
  ledgerBufFree(&p->tags);
  free(p);
}

/* Forgets settled operations, from the oldest on, until nKeep are left. */
static void gatewayForget(EmuGateway *p, int nKeep) {
  Operation **pp = &p->pFirst;
  while( *pp && p->nOperation > nKeep ) {
    Operation *pOp = *pp;
    if( pOp->eState == GATEWAY_QUEUED || pOp->eState == GATEWAY_RECORDED ) {
      pp = &pOp->pNext;
      continue;
    }
    *pp = pOp->pNext;
    gatewayFreeOperation(pOp);
    p->nOperation--;
  }
  for( pp = &p->pFirst; *pp; ) pp = &(*pp)->pNext;
  p->ppEnd = pp;
}

void emuGatewayFree(EmuGateway *p) {
  if( p == NULL ) return;
  if( p->pTimer ) event_free(p->pTimer);
  while( p->pFirst ) {
    Operation *pNext = p->pFirst->pNext;
    gatewayFreeOperation(p->pFirst);
    p->pFirst = pNext;
  }
  free(p);
}

/* ---- the queue --------------------------------------------------------- */

/* Nothing leaves the queue. */
static int gatewayRests(const EmuGateway *p) {
  return p->bHold || p->pEmu->pLedger->eRefuse;
}

/* Moves one operation on. */
static int gatewayStep(EmuGateway *p, Operation *pOp, LedgerError *pErr) {
  int eState, rc = LEDGER_OK;

  if( pOp->eState == GATEWAY_RECORDED ) {
    if( emuLedgerState(p->pEmu, pOp->tx, &eState, pErr) ) return pErr->rc;
    if( eState == EMU_TXN_INVALID ) {
      pOp->eState = GATEWAY_QUEUED;
      p->nQueued++;
    } else if( eState == EMU_TXN_COMMITTED ) {
      pOp->eState = GATEWAY_COMMITTED;
      ledgerBufFree(&pOp->contents);
    }
  }
  if( pOp->eState == GATEWAY_QUEUED && !gatewayRests(p) ) {
    EmuTxn txn = {0};
    p->nQueued--;
    if( p->nFail > 0 ) {
      p->nFail--;
      pOp->eState = GATEWAY_FAILED;
      return LEDGER_OK;
    }
    txn.eKind = EMU_ENTRY;
    txn.bClaims = pOp->bClaims;
    txn.zCollection = pOp->collection.z;
    txn.nCollection = pOp->collection.n;
    txn.zContents = pOp->contents.z ? pOp->contents.z : "";
    txn.nContents = pOp->contents.n;
    txn.zTags = pOp->tags.n ? pOp->tags.z : NULL;
    txn.nTags = pOp->tags.n;
    rc = emuLedgerAppend(p->pEmu, &txn, &pOp->tx, pErr);
    if( rc && p->pEmu->pLedger->eRefuse ) {
      p->nQueued++; /* it waits until writes are accepted */
    } else {
      pOp->eState = rc ? GATEWAY_FAILED : GATEWAY_RECORDED;
    }
  }
  return rc;
}

/* Whether anything has to be moved on. */
static int gatewayIsOpen(const EmuGateway *p, const Operation *pOp) {
  return pOp->eState == GATEWAY_RECORDED ||
         (pOp->eState == GATEWAY_QUEUED && !p->bHold);
}

static void gatewayArm(EmuGateway *p);

/* The timer: drains the queue. */
static void gatewayTick(evutil_socket_t fd, short what, void *pArg) {
  EmuGateway *p = pArg;
  LedgerError err = LEDGER_ERROR_INIT;
  Operation *pOp;
  int bOpen = 0;
  (void)fd;
  (void)what;
  for( pOp = p->pFirst; pOp; pOp = pOp->pNext ) {
    if( gatewayStep(p, pOp, &err) ) {
      emuLedgerCheck(p->pEmu);
      if( !gatewayRests(p) ) emuWarn("%s", ledgerErrorText(&err));
    }
    ledgerErrorClear(&err);
    bOpen |= gatewayIsOpen(p, pOp);
  }
  if( bOpen ) gatewayArm(p);
}

static void gatewayArm(EmuGateway *p) {
  struct timeval tv = {0, GATEWAY_TICK_US};
  if( p->pTimer == NULL ) {
    p->pTimer = evtimer_new(p->pEmu->pBase, gatewayTick, p);
  }
  if( p->pTimer && !evtimer_pending(p->pTimer, NULL) ) {
    evtimer_add(p->pTimer, &tv);
  }
}

void emuGatewayQueue(EmuReq *p, const EmuTxn *pTxn) {
  EmuGateway *pGateway = p->pEmu->pGateway;
  LedgerError err = LEDGER_ERROR_INIT;
  Operation *pOp;

  p->bGateway = 1;
  if( pGateway->nQueued >= pGateway->nLimit ) {
    emuReqError(p, 429, "QueueDraining", "The queue holds %d operations.",
                pGateway->nQueued);
    emuReqAddHeader(p, "Retry-After", "1");
    return;
  }
  pOp = calloc(1, sizeof(*pOp));
  if( pOp && emuUuid(&pOp->id, &err) == LEDGER_OK ) {
    ledgerBufAppend(&pOp->collection, pTxn->zCollection, pTxn->nCollection);
    ledgerBufAppend(&pOp->contents, pTxn->zContents, pTxn->nContents);
    if( pTxn->nTags ) ledgerBufAppend(&pOp->tags, pTxn->zTags, pTxn->nTags);
    pOp->bClaims = pTxn->bClaims;
  }
  if( pOp == NULL || err.rc || pOp->collection.bOom || pOp->contents.bOom ||
      pOp->tags.bOom ) {
    if( pOp ) gatewayFreeOperation(pOp);
    ledgerErrorNomem(&err);
    emuReqFail(p, &err);
    return;
  }
  gatewayForget(pGateway, GATEWAY_KEEP - 1);
  *pGateway->ppEnd = pOp;
  pGateway->ppEnd = &pOp->pNext;
  pGateway->nOperation++;
  pGateway->nQueued++;
  gatewayArm(pGateway);
  p->iStatus = 202;
  p->zState = "queued";
  if( pGateway->bHeader ) {
    emuReqAddHeader(p, "x-ms-webfe-operation-id", pOp->id.z);
  }
  if( pGateway->bBody ) {
    ledgerBufPrintf(&p->body, "{\"operationId\":\"%s\",\"status\":\"queued\"}",
                    pOp->id.z);
  }
}

/* ---- routes ------------------------------------------------------------ */

void emuRouteOperation(EmuReq *p) {
  static const char *const azStatus[] = {"queued", "queued", "committed",
                                         "failed"};
  const EmuText *pId = &p->aSegment[2];
  char zId[LEDGER_TXID_MAX];
  Operation *pOp;

  p->bGateway = 1;
  for( pOp = p->pEmu->pGateway->pFirst; pOp; pOp = pOp->pNext ) {
    if( pOp->id.n == pId->n && memcmp(pOp->id.z, pId->z, pId->n) == 0 ) break;
  }
  if( pOp == NULL ) {
    emuReqError(p, 404, "OperationNotFound",
                "There is no such operation, or it is past its retention.");
    return;
  }
  p->iStatus = 200;
  p->zState = azStatus[pOp->eState];
  ledgerBufPrintf(&p->body, "{\"operationId\":\"%s\",\"status\":\"%s\"",
                  pOp->id.z, azStatus[pOp->eState]);
  ledgerBufText(&p->body, ",\"collectionId\":");
  ledgerBufJson(&p->body, pOp->collection.z, pOp->collection.n);
  if( pOp->eState == GATEWAY_COMMITTED ) {
    ledgerBufPrintf(&p->body, ",\"transactionId\":\"%s\"",
                    ledgerTxidFormat(pOp->tx, zId));
  } else if( pOp->eState == GATEWAY_FAILED ) {
    ledgerBufText(&p->body,
                  ",\"error\":{\"code\":\"MaxRetriesExceeded\",\"message\":"
                  "\"The ledger could not be reached.\"}");
  }
  ledgerBufText(&p->body, "}");
}

void emuRouteQueueStatus(EmuReq *p) {
  p->bGateway = 1;
  p->iStatus = 200;
  ledgerBufPrintf(&p->body, "{\"depth\":%d}", p->pEmu->pGateway->nQueued);
}

int emuGatewayControl(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr) {
  EmuGateway *pGateway = p->pEmu->pGateway;
  cJSON *pRoot = ledgerJsonRoot(pDoc), *pVal;
  const char *z;
  (void)pErr;
  if( pGateway == NULL ) {
    emuReqError(p, 400, "InvalidInput", "The emulator runs without --gateway");
    return LEDGER_OK;
  }
  pVal = ledgerJsonMember(pRoot, "hold");
  if( cJSON_IsBool(pVal) ) pGateway->bHold = cJSON_IsTrue(pVal);
  pVal = ledgerJsonMember(pRoot, "fail");
  if( cJSON_IsNumber(pVal) ) pGateway->nFail = (int)pVal->valuedouble;
  pVal = ledgerJsonMember(pRoot, "limit");
  if( cJSON_IsNumber(pVal) ) pGateway->nLimit = (int)pVal->valuedouble;
  z = ledgerJsonMemberText(pDoc, pRoot, "tell", NULL);
  if( z ) {
    pGateway->bHeader = strcmp(z, "body") != 0;
    pGateway->bBody = strcmp(z, "header") != 0;
  }
  if( cJSON_IsTrue(ledgerJsonMember(pRoot, "forget")) ) {
    gatewayForget(pGateway, 0);
  }
  gatewayArm(pGateway);
  ledgerBufPrintf(&p->body, "{\"operations\":%d,\"queued\":%d}",
                  pGateway->nOperation, pGateway->nQueued);
  return LEDGER_OK;
}
