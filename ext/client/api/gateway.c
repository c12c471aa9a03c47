/*
** An append that a gateway has queued: POST /app/transactions was answered 202
** with an operation id, in x-ms-webfe-operation-id or in the body. The call
** then asks until the operation has ended:
**
**   GET /app/operations/{id}     queued, committed, failed
**
** Invariants
**   - nothing is sent a second time: from the 202 on the call is a read;
**   - only `committed` with a transaction id means recorded, only `failed`
**     means not recorded; however else it ends, the outcome is unknown.
**
** A gateway is reached over public CAs (option tls = public) and takes bearer
** tokens only. Which ledger stands behind it TLS then doesn't prove; receipts
** do, against a service certificate pinned by option.
*/
#include "client/api/apiInt.h"

#include <stdlib.h>
#include <string.h>

static int gatewayRead(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr) {
  LedgerAppendAnswer *pAnswer = p->pAnswer;
  LedgerJson *pDoc = NULL;
  LedgerServerError said;
  const char *zStatus, *zId;
  LedgerTxid id;
  cJSON *pRoot;
  size_t n = 0;

  ledgerResponseError(pEx, &said); /* before the body is let go */
  if( ledgerResponseParse(p, pEx, "operation", &pDoc, pErr) ) goto out;
  pRoot = ledgerJsonRoot(pDoc);
  zStatus = ledgerJsonMemberText(pDoc, pRoot, "status", NULL);
  if( zStatus && strcmp(zStatus, "queued") == 0 ) {
    p->bAgain = 1;
  } else if( zStatus && strcmp(zStatus, "committed") == 0 ) {
    zId = ledgerJsonMemberText(pDoc, pRoot, "transactionId", &n);
    if( zId == NULL || !ledgerTxidParse(zId, n, &id) ) {
      ledgerResponseNonsense(p, "committed, but no transactionId is there",
                             pErr);
      goto out;
    }
    pAnswer->bSettled = ledgerResponseWritten(p, NULL, id, pErr) == LEDGER_OK;
  } else if( zStatus && strcmp(zStatus, "failed") == 0 ) {
    pAnswer->bSettled = 1;
    p->eOutcome = LEDGER_REFUSED;
    ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "%s: the gateway gave up: %s%s%s",
                   p->zWhat, said.zCode[0] ? said.zCode : "no reason given",
                   said.zMessage[0] ? ": " : "", said.zMessage);
  } else {
    ledgerResponseNonsense(
        p, "its status is not one of queued, committed, failed", pErr);
  }
out:
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

/* 404: the gateway has forgotten the operation, and with it how it ended. */
static int gatewayRefused(LedgerCall *p) {
  if( p->http != 404 ) return 0;
  ledgerErrorSet(&p->err, LEDGER_IOERR,
                 "%s: the gateway no longer knows it: %s: %s (HTTP 404, "
                 "GET %s)",
                 p->zWhat, p->server.zCode, p->server.zMessage, p->zPath);
  p->err.http = 404;
  return 1;
}

static int gatewayOver(LedgerCall *p, LedgerError *pErr) {
  return ledgerErrorSet(pErr, LEDGER_IOERR,
                        "%s: still queued after %d ms (GET %s)", p->zWhat,
                        p->pClient->pConfig->timeoutMs, p->zPath);
}

static const LedgerCallKind gatewayKind = {.zMethod = "GET",
                                           .zNotYet = "queued",
                                           .xFree = ledgerAppendFree,
                                           .xRead = gatewayRead,
                                           .xRefused = gatewayRefused,
                                           .xOver = gatewayOver};

/* The operation id of a 202, from its header or its body; NULL: there is none.
** The caller frees it. */
static char *gatewayOperation(LedgerExchange *pEx) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  const char *z;
  char *zOut = NULL;
  size_t n = 0;

  if( pEx->operation.n ) {
    zOut = ledgerStrndup(pEx->operation.z, pEx->operation.n);
  } else if( pEx->body.n && ledgerJsonParse(pEx->body.z, pEx->body.n,
                                            "operation", &pDoc, &err) == 0 ) {
    z = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "operationId", &n);
    if( z && n > 0 && n <= 256 ) zOut = ledgerStrndup(z, n);
  }
  ledgerJsonFree(pDoc);
  ledgerErrorClear(&err);
  return zOut;
}

/*
** An append was answered 202: makes its call one that asks for the operation.
** Without an operation id the outcome can't be learnt.
*/
int ledgerGatewayQueued(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr) {
  LedgerAppendAnswer *pAnswer = p->pAnswer;
  LedgerBuf path = {0};
  char zShort[80];

  p->eOutcome = LEDGER_OUTCOME_UNKNOWN;
  pAnswer->bQueued = 1;
  pAnswer->zOperation = gatewayOperation(pEx);
  if( pAnswer->zOperation == NULL ) {
    return ledgerResponseNonsense(
        p, "a gateway has queued it, but tells no operation id", pErr);
  }
  ledgerCallHide(p, pAnswer->zOperation);
  ledgerBufText(&path, "/app/operations/");
  ledgerBufUrl(&path, pAnswer->zOperation, strlen(pAnswer->zOperation));
  ledgerTextClean(pAnswer->zOperation, strlen(pAnswer->zOperation), zShort,
                  sizeof(zShort));
  free(p->zPath);
  free(p->zWhat);
  free(p->zLink);
  free(p->query.zSubLedger);
  free(p->query.zTags);
  p->zLink = p->query.zSubLedger = p->query.zTags = NULL;
  p->zPath = ledgerBufTake(&path);
  p->zWhat = ledgerMprintf("append, operation %s", zShort);
  if( p->zPath == NULL || p->zWhat == NULL ) return ledgerErrorNomem(pErr);
  ledgerBufFree(&p->body);
  p->zType = NULL;
  p->mNeed = 0;
  p->query.bWait = 0;
  p->pSession = NULL; /* a read, for which any connection will do */
  p->pKind = &gatewayKind;
  p->bAgain = 1;
  return LEDGER_OK;
}
