/*
** The log of a ledger: a request that is over is remembered, the last LOG_SIZE
** of them for the table ledger_http, and written down, redacted (redact.c), to
** where option `log` says (sink.c): info writes a line, debug its headers and
** bodies too. Issues no request.
**
** Invariant: what is remembered or written has been searched for the secrets
** at hand, since a server may echo one in a text.
*/
#include "client/log/logInt.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOG_SIZE 512      /* requests remembered */
#define LOG_MAX_PATH 1024 /* bytes of a path kept */

struct LedgerLog {
  int64_t n;                     /* requests so far */
  LedgerRequest aRing[LOG_SIZE]; /* texts: malloc'd */
  LedgerSink sink;
};

LedgerLog *ledgerLogNew(void) {
  LedgerLog *p = calloc(1, sizeof(*p));
  if( p ) p->sink.fd = -1;
  return p;
}

static void logRequestClear(LedgerRequest *p) {
  free(p->zMethod);
  free(p->zHost);
  free(p->zPath);
  free(p->zError);
  memset(p, 0, sizeof(*p));
}

void ledgerLogFree(LedgerLog *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < LOG_SIZE; i++ ) logRequestClear(&p->aRing[i]);
  ledgerSinkClear(&p->sink);
  free(p);
}

const LedgerRequest *ledgerLogRequest(const LedgerLog *p, int i) {
  const int64_t n = p->n < LOG_SIZE ? p->n : LOG_SIZE;
  if( i < 0 || i >= n ) return NULL;
  return &p->aRing[(p->n - n + i) % LOG_SIZE];
}

/* Remembers a request, and takes *pNew's texts over. */
static const LedgerRequest *logRemember(LedgerLog *p, LedgerRequest *pNew) {
  LedgerRequest *pSlot = &p->aRing[p->n % LOG_SIZE];
  logRequestClear(pSlot);
  pNew->n = ++p->n;
  pNew->tWall = ledgerClockWall();
  *pSlot = *pNew;
  return pSlot;
}

int ledgerLogDetailed(const char *zOption) {
  const char *zFile;
  return ledgerSinkLevel(zOption, &zFile) == LEDGER_LOG_DEBUG;
}

/* The line of a request. What the cache answered used no connection. */
static void logLine(LedgerBuf *p, const LedgerRequest *pRequest) {
  char zTime[32] = "";
  time_t t = (time_t)(pRequest->tWall / 1000);
  struct tm tm;
  if( gmtime_r(&t, &tm) ) {
    strftime(zTime, sizeof(zTime), "%Y-%m-%dT%H:%M:%S", &tm);
  }
  ledgerBufPrintf(p, "%s.%03dZ ledger: %s %s%s", zTime,
                  (int)(pRequest->tWall % 1000), pRequest->zMethod,
                  pRequest->zHost, pRequest->zPath);
  if( pRequest->iStatus ) ledgerBufPrintf(p, " %d", pRequest->iStatus);
  if( pRequest->bCache ) {
    ledgerBufText(p, " from the cache");
  } else {
    ledgerBufText(p, " ");
    ledgerBufNumber(p, pRequest->ms, 1);
    ledgerBufPrintf(p, " ms %lld bytes attempt %d connection %d",
                    (long long)pRequest->nByte, pRequest->nAttempt,
                    pRequest->iConnection);
  }
  if( pRequest->zError ) ledgerBufPrintf(p, ": %s", pRequest->zError);
  ledgerBufText(p, "\n");
}

/* Appends header lines, which stand one behind the other in z. */
static void logHeaders(LedgerBuf *p, const char *zMark, const char *z) {
  while( z && *z ) {
    const size_t n = strcspn(z, "\n");
    ledgerRedactHeader(p, zMark, z, n);
    z += n + (z[n] == '\n');
  }
}

/* The headers and bodies of an exchange. */
static void logDetails(LedgerBuf *p, const LedgerNote *pNote) {
  logHeaders(p, "  > ", pNote->zSent);
  ledgerRedactBody(p, "  > ", pNote->zType, pNote->zBody, pNote->nBody);
  logHeaders(p, "  < ", pNote->zGot);
  ledgerRedactBody(p, "  < ", NULL, pNote->zAnswer, pNote->nAnswer);
}

/* Takes the secrets at hand out. */
static void logHide(const LedgerNote *pNote, LedgerBuf *p) {
  if( p->z == NULL ) return;
  pNote->xHide(pNote->pArg, p->z);
  p->n = strlen(p->z);
}

void ledgerLogNote(LedgerLog *p, const char *zOption, const LedgerNote *pNote) {
  LedgerRequest made = pNote->made;
  const LedgerRequest *pRequest;
  const char *zFile;
  LedgerBuf rest = {0};
  LedgerBuf error = {0};
  LedgerBuf text = {0};
  size_t n;
  int eLevel;

  ledgerRedactRest(&rest, pNote->zRest);
  if( pNote->zError ) ledgerBufText(&error, pNote->zError);
  logHide(pNote, &rest);
  logHide(pNote, &error);
  if( rest.z == NULL ) goto out;
  if( rest.n > LOG_MAX_PATH ) {
    for( n = LOG_MAX_PATH; ((unsigned char)rest.z[n] & 0xc0) == 0x80; ) n--;
    rest.z[n] = 0;
  }
  made.zMethod = ledgerStrdup(pNote->zMethod);
  made.zHost = ledgerStrdup(pNote->zHost);
  if( made.zHost ) pNote->xHide(pNote->pArg, made.zHost);
  made.zPath = ledgerStrdup(rest.z);
  made.zError = error.n ? ledgerBufTake(&error) : NULL;
  if( !made.zMethod || !made.zHost || !made.zPath ) {
    logRequestClear(&made); /* no memory: the request matters more */
    goto out;
  }
  pRequest = logRemember(p, &made);
  eLevel = ledgerSinkLevel(zOption, &zFile);
  if( eLevel < LEDGER_LOG_INFO ) goto out;
  logLine(&text, pRequest);
  if( eLevel == LEDGER_LOG_DEBUG && !made.bCache ) {
    logDetails(&text, pNote);
    logHide(pNote, &text);
  }
  if( text.z && !text.bOom ) ledgerSinkWrite(&p->sink, zFile, &text);
out:
  ledgerBufFree(&rest);
  ledgerBufFree(&error);
  ledgerBufFree(&text);
}
