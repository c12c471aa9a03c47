/*
** --request-log FILE: one line of JSON per request, the witness for tests.
**
**   {"n":1,"connection":3,"host":"demo.localhost:1234","method":"GET",
**    "path":"/app/transactions","query":"api-version=2026-02-23","status":200,
**    "state":"Ready","transaction_id":"2.7","user":"...","fault":null,
**    "ms":0.31}
**
** path and query are as they came, not decoded. status is 0 when the
** connection was closed in place of an answer; fault is the kind that struck
** (fault/fault.c). What is absent is null.
**
** Invariants: a line is written before its answer is sent; it never contains a
** token, a secret or the contents of an entry.
*/
#include "emulator/http/httpInt.h"

#include <errno.h>
#include <string.h>

static int bLogFails; /* its last line was not written, and that is told */

int emuLogOpen(Emu *p, LedgerError *pErr) {
  if( p->args.zRequestLog == NULL ) return LEDGER_OK;
  p->pLog = fopen(p->args.zRequestLog, "ae");
  if( p->pLog == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR, "cannot write %s: %s",
                          p->args.zRequestLog, ledgerSystemError(errno));
  }
  return LEDGER_OK;
}

/* Appends ,"name":"text", or null. */
static void logText(LedgerBuf *pBuf, const char *zName, const char *z) {
  ledgerBufPrintf(pBuf, ",\"%s\":", zName);
  if( z ) {
    ledgerBufJson(pBuf, z, strlen(z));
  } else {
    ledgerBufText(pBuf, "null");
  }
}

void emuLogRequest(Emu *p, const EmuReq *pReq, double ms) {
  LedgerBuf line = {0};
  char zId[LEDGER_TXID_MAX];
  if( p->pLog == NULL ) return;
  ledgerBufPrintf(&line, "{\"n\":%lld,\"connection\":%lld", (long long)pReq->n,
                  (long long)pReq->iConn);
  logText(&line, "host", pReq->zHost);
  logText(&line, "method", pReq->zMethod);
  logText(&line, "path", pReq->zPath);
  logText(&line, "query", pReq->zQuery);
  ledgerBufPrintf(&line, ",\"status\":%d", pReq->iStatus);
  logText(&line, "state", pReq->zState);
  logText(&line, "transaction_id",
          pReq->id.seqno ? ledgerTxidFormat(pReq->id, zId) : NULL);
  logText(&line, "user", pReq->user.n ? pReq->user.z : NULL);
  logText(&line, "fault", pReq->zFault);
  ledgerBufText(&line, ",\"ms\":");
  ledgerBufNumber(&line, ms, 2);
  ledgerBufText(&line, "}\n");
  if( line.bOom ) {
    emuWarn("request %lld is not in the request log: out of memory",
            (long long)pReq->n);
  } else {
    clearerr(p->pLog);
    fwrite(line.z, 1, line.n, p->pLog);
    fflush(p->pLog);
    if( ferror(p->pLog) && !bLogFails ) {
      emuWarn("cannot write %s: %s", p->args.zRequestLog,
              ledgerSystemError(errno));
    }
    bLogFails = ferror(p->pLog) != 0;
  }
  ledgerBufFree(&line);
}
