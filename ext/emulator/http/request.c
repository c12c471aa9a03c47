/*
** One request: taking it apart, and handing its answer to libevent.
**
** An EmuReq lives from its arrival until its answer has been handed over, which
** may be later, after a latency or a wait for a commit. Meanwhile libevent owns
** the HTTP request and may drop its connection; evhttp_send_reply() then gets a
** request without one, and frees it.
**
** Invariants
**   - paths and queries are decoded once, by length: %00 is a byte like any;
**     '+' is a space in a query and a plus in a path; "%zz" stays as it is.
**     With --decode-first a query is decoded before it is split;
**   - of a repeated parameter, the first one counts;
**   - every answer below /app with a status of 2xx has the header
**     x-ms-ccf-transaction-id, and no other answer (route.c sets the id).
*/
#include "emulator/http/httpInt.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- taking it apart --------------------------------------------------- */

/* Decodes n bytes to *pz, which is moved on, as a text with a NUL. */
static void reqDecode(const char *z, size_t n, int bPlus, char **pz,
                      EmuText *pText) {
  pText->z = *pz;
  pText->n = emuUrlDecode(z, n, bPlus, *pz);
  pText->z[pText->n] = 0;
  *pz += pText->n + 1;
}

/* The same for n bytes that are decoded already. */
static void reqCopy(const char *z, size_t n, char **pz, EmuText *pText) {
  pText->z = memcpy(*pz, z, n);
  pText->n = n;
  pText->z[n] = 0;
  *pz += n + 1;
}

/* Splits the path into its decoded segments. If there are too many, nSegment is
** one more than fits, so that no route does. */
static void reqSplitPath(EmuReq *p, char **pz) {
  const char *z = p->zPath;
  while( *z == '/' ) {
    size_t n = strcspn(++z, "/");
    if( p->nSegment == EMU_SEGMENTS ) {
      p->nSegment = EMU_SEGMENTS + 1;
      return;
    }
    reqDecode(z, n, 0, pz, &p->aSegment[p->nSegment++]);
    z += n;
  }
}

/* One name or value of a query. */
static void reqPart(const EmuReq *p, const char *z, size_t n, char **pz,
                    EmuText *pText) {
  if( p->pEmu->args.bDecodeFirst ) {
    reqCopy(z, n, pz, pText);
  } else {
    reqDecode(z, n, 1, pz, pText);
  }
}

/* Splits the query into decoded names and values; as CCF does it, decoded first
** and split then, with --decode-first. */
static void reqSplitQuery(EmuReq *p, char **pz) {
  EmuText all = {p->zQuery, strlen(p->zQuery)};
  const char *z, *zEnd;
  if( p->pEmu->args.bDecodeFirst ) reqDecode(all.z, all.n, 1, pz, &all);
  zEnd = all.z + all.n;
  for( z = all.z; z < zEnd && p->nParam < EMU_PARAMS; z++ ) {
    const char *zAmp = memchr(z, '&', (size_t)(zEnd - z));
    size_t n = (size_t)((zAmp ? zAmp : zEnd) - z);
    const char *zEq = memchr(z, '=', n);
    size_t nName = zEq ? (size_t)(zEq - z) : n, nEq = zEq != NULL;
    if( n ) {
      int i = p->nParam++;
      reqPart(p, z, nName, pz, &p->aName[i]);
      reqPart(p, z + nName + nEq, n - nName - nEq, pz, &p->aValue[i]);
    }
    z += n;
  }
}

static const char *reqMethod(struct evhttp_request *pHttp) {
  switch( evhttp_request_get_command(pHttp) ) {
    case EVHTTP_REQ_GET: return "GET";
    case EVHTTP_REQ_POST: return "POST";
    case EVHTTP_REQ_HEAD: return "HEAD";
    case EVHTTP_REQ_PUT: return "PUT";
    case EVHTTP_REQ_DELETE: return "DELETE";
    case EVHTTP_REQ_OPTIONS: return "OPTIONS";
    case EVHTTP_REQ_TRACE: return "TRACE";
    case EVHTTP_REQ_CONNECT: return "CONNECT";
    case EVHTTP_REQ_PATCH: return "PATCH";
    default: return "?";
  }
}

EmuReq *emuReqNew(Emu *pEmu, struct evhttp_request *pHttp) {
  EmuReq *p = calloc(1, sizeof(*p));
  const char *zUri = evhttp_request_get_uri(pHttp);
  struct evbuffer *pIn = evhttp_request_get_input_buffer(pHttp);
  EmuConn *pConn;
  size_t nPath, n;
  char *z;

  if( p == NULL ) return NULL;
  p->pEmu = pEmu;
  p->pHttp = pHttp;
  p->n = ++pEmu->nRequest;
  pConn = emuConnOf(pHttp);
  p->iConn = pConn ? pConn->n : 0;
  p->iSession = pConn ? pConn->iView : 0;
  p->msStart = emuClock();
  p->zMethod = reqMethod(pHttp);
  p->zHost = emuReqHeader(p, "Host");
  if( ledgerStrnicmp(zUri, "https://", 8) == 0 ) { /* absolute form */
    zUri += 8;
    zUri += strcspn(zUri, "/?");
  }
  n = strlen(zUri);
  nPath = strcspn(zUri, "?");
  p->zPath = ledgerStrndup(zUri, nPath);
  p->zQuery = ledgerStrndup(zUri + nPath + (zUri[nPath] == '?'),
                            n - nPath - (zUri[nPath] == '?'));
  /* Room for a NUL after each text. */
  p->zDecoded = malloc(2 * n + EMU_SEGMENTS + 2 * EMU_PARAMS + 1);
  if( p->zPath == NULL || p->zQuery == NULL || p->zDecoded == NULL ) {
    emuReqFree(p);
    return NULL;
  }
  z = p->zDecoded;
  reqSplitPath(p, &z);
  reqSplitQuery(p, &z);
  p->nBody = evbuffer_get_length(pIn);
  p->zBody = p->nBody ? (const char *)evbuffer_pullup(pIn, -1) : "";
  if( p->zBody == NULL ) {
    emuReqFree(p);
    return NULL;
  }
  p->pNext = pEmu->pReqs;
  if( pEmu->pReqs ) pEmu->pReqs->ppPrev = &p->pNext;
  pEmu->pReqs = p;
  p->ppPrev = &pEmu->pReqs;
  return p;
}

void emuReqFree(EmuReq *p) {
  if( p->ppPrev ) *p->ppPrev = p->pNext;
  if( p->pNext ) p->pNext->ppPrev = p->ppPrev;
  if( p->pHooks ) p->pHooks->xFree(p);
  if( p->pTimer ) event_free(p->pTimer);
  free(p->zPath);
  free(p->zQuery);
  free(p->zDecoded);
  ledgerBufFree(&p->user);
  ledgerBufFree(&p->roles);
  ledgerBufFree(&p->body);
  free(p);
}

int emuReqToGateway(const EmuReq *p) {
  return p->pEmu->args.bGateway && p->zHost &&
         strncmp(p->zHost, "gateway.localhost", 17) == 0;
}

const EmuText *emuReqParam(const EmuReq *p, const char *zName) {
  int i;
  for( i = 0; i < p->nParam; i++ ) {
    if( emuIs(p->aName[i].z, p->aName[i].n, zName) ) return &p->aValue[i];
  }
  return NULL;
}

const char *emuReqHeader(const EmuReq *p, const char *zName) {
  return evhttp_find_header(evhttp_request_get_input_headers(p->pHttp), zName);
}

/* ---- the answer -------------------------------------------------------- */

void emuReqAddHeader(EmuReq *p, const char *zName, const char *zValue) {
  evhttp_add_header(evhttp_request_get_output_headers(p->pHttp), zName, zValue);
}

void emuReqError(EmuReq *p, int iStatus, const char *zCode, const char *zFmt,
                 ...) {
  va_list ap;
  char *zMsg;
  va_start(ap, zFmt);
  if( vasprintf(&zMsg, zFmt, ap) < 0 ) zMsg = NULL;
  va_end(ap);
  p->iStatus = iStatus;
  p->zState = NULL;
  memset(&p->id, 0, sizeof(p->id));
  ledgerBufReset(&p->body);
  ledgerBufText(&p->body, "{\"error\":{\"code\":");
  ledgerBufJson(&p->body, zCode, strlen(zCode));
  ledgerBufText(&p->body, ",\"message\":");
  ledgerBufJson(&p->body, zMsg ? zMsg : "", zMsg ? strlen(zMsg) : 0);
  ledgerBufText(&p->body, "}}");
  free(zMsg);
}

void emuReqFail(EmuReq *p, LedgerError *pErr) {
  int eRefuse;
  emuLedgerCheck(p->pEmu);
  eRefuse = p->pEmu->pLedger->eRefuse;
  if( pErr->rc == LEDGER_FULL ) {
    emuReqError(p, 507, "InsufficientStorage", "%s", ledgerErrorText(pErr));
  } else {
    emuReqError(p, 500, "InternalError", "%s", ledgerErrorText(pErr));
  }
  /* What is refused for a reason that has been told is not told each time. */
  if( eRefuse == LEDGER_OK || eRefuse != pErr->rc ) {
    emuWarn("request %lld: %s", (long long)p->n, ledgerErrorText(pErr));
  }
  ledgerErrorClear(pErr);
}

/* 1 when the header value is the type, maybe followed by parameters. */
static int reqIsType(const char *zHeader, const char *zType) {
  size_t n = strlen(zType);
  if( zType[0] == 0 || ledgerStrnicmp(zHeader, zType, n) != 0 ) return 0;
  return zHeader[n + strspn(zHeader + n, " \t")] == 0 || zHeader[n] == ';' ||
         zHeader[n + strspn(zHeader + n, " \t")] == ';';
}

int emuReqJson(EmuReq *p, const char *zType, const char *zType2,
               LedgerJson **ppDoc) {
  const char *zHave = emuReqHeader(p, "Content-Type");
  LedgerError err = LEDGER_ERROR_INIT;
  *ppDoc = NULL;
  if( zHave && !reqIsType(zHave, zType) &&
      !(zType2 && reqIsType(zHave, zType2)) ) {
    emuReqError(p, 415, "UnsupportedContentType",
                "Unsupported content type %s. Only %s is supported.", zHave,
                zType);
    return 0;
  }
  if( ledgerJsonParse(p->zBody, p->nBody, "request body", ppDoc, &err) !=
      LEDGER_OK ) {
    emuReqError(p, 400, "InvalidInput", "%s", ledgerErrorText(&err));
    ledgerErrorClear(&err);
    return 0;
  }
  if( !cJSON_IsObject(ledgerJsonRoot(*ppDoc)) ) {
    emuReqError(p, 400, "InvalidInput", "At #/: Expected object");
    ledgerJsonFree(*ppDoc);
    *ppDoc = NULL;
    return 0;
  }
  return 1;
}

const EmuText *emuReqNeeded(EmuReq *p, const char *zName) {
  const EmuText *pText = emuReqParam(p, zName);
  if( pText == NULL ) {
    emuReqError(p, 400, "QueryParameterError",
                "Missing required query parameter '%s'.", zName);
  }
  return pText;
}

int emuReqPatch(EmuReq *p, int bMerge, LedgerJson **ppDoc) {
  int bLenient = p->pEmu->args.bLenient;
  *ppDoc = NULL;
  if( bMerge && !bLenient && emuReqHeader(p, "Content-Type") == NULL ) {
    emuReqError(p, 415, "UnsupportedContentType",
                "A content type is needed: application/merge-patch+json.");
    return 0;
  }
  return emuReqJson(
      p, bMerge ? "application/merge-patch+json" : "application/json",
      bMerge && bLenient ? "application/json" : NULL, ppDoc);
}

/* libevent is done with memory that an answer lent it. */
static void reqReleaseBody(const void *a, size_t n, void *pArg) {
  (void)a;
  (void)n;
  free(pArg);
}

/* A node sends no Date; the identity service and the authority do. */
static int reqTellsTime(const EmuReq *p) {
  return p->bDate || (strncmp(p->zPath, "/app/", 5) != 0);
}

void emuReqHandOver(EmuReq *p, struct evbuffer *pBody, int bStart) {
  struct evhttp_connection *pConn = evhttp_request_get_connection(p->pHttp);
  int bDate = reqTellsTime(p);
  emuLogRequest(p->pEmu, p, emuClock() - p->msStart);
  if( p->eClose ) emuConnClose(p->pHttp, p->eClose);
  if( bStart ) {
    evhttp_send_reply_start(p->pHttp, p->iStatus, NULL);
  } else {
    evhttp_send_reply(p->pHttp, p->iStatus, NULL, pBody);
  }
  if( pConn ) emuConnAnswer(pConn, bDate);
}

void emuReqHangUp(EmuReq *p) {
  struct evhttp_connection *pConn = evhttp_request_get_connection(p->pHttp);
  if( pConn ) {
    evhttp_connection_free(pConn);
  } else {
    evhttp_send_reply(p->pHttp, 500, NULL, NULL); /* frees the request */
  }
  emuReqFree(p);
}

/* Hands the answer over. */
static void reqReply(EmuReq *p) {
  struct evbuffer *pOut = NULL;
  if( p->pHooks ) p->pHooks->xSpoil(p);
  if( p->body.bOom ) {
    ledgerBufFree(&p->body);
    emuReqError(p, 500, "InternalError", "out of memory");
  }
  if( p->id.seqno ) {
    char zId[LEDGER_TXID_MAX];
    emuReqAddHeader(p, "x-ms-ccf-transaction-id", ledgerTxidFormat(p->id, zId));
  }
  if( p->iStatus == 204 ) {
    emuReqAddHeader(p, "Content-Length", "0");
  } else if( p->body.n ) {
    if( p->zType == NULL || p->zType[0] ) {
      emuReqAddHeader(p, "Content-Type",
                      p->zType ? p->zType : "application/json");
    }
    if( p->pHooks && p->pHooks->xSend(p) ) return;
    pOut = evbuffer_new();
    if( pOut && evbuffer_add_reference(pOut, p->body.z, p->body.n,
                                       reqReleaseBody, p->body.z) == 0 ) {
      memset(&p->body, 0, sizeof(p->body)); /* libevent's now */
    }
  }
  emuReqHandOver(p, pOut, 0);
  if( pOut ) evbuffer_free(pOut);
  emuReqFree(p);
}

static void reqLate(evutil_socket_t fd, short what, void *pArg) {
  EmuReq *p = pArg;
  (void)fd;
  (void)what;
  if( p->bSilent ) {
    p->iStatus = 0;
    p->zState = NULL;
    memset(&p->id, 0, sizeof(p->id));
    emuLogRequest(p->pEmu, p, emuClock() - p->msStart);
    emuReqHangUp(p);
  } else {
    reqReply(p);
  }
}

/*
** A connection can't be freed within libevent's own callback, so closing it
** goes through the timer, too, even one of 0 ms.
*/
void emuReqSend(EmuReq *p) {
  long ms = (long)p->pEmu->args.msLatency + p->msLate;
  ERR_clear_error(); /* none of ours may reach the TLS connection */
  if( ms > 0 || p->bSilent ) {
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};
    p->pTimer = evtimer_new(p->pEmu->pBase, reqLate, p);
    if( p->pTimer && evtimer_add(p->pTimer, &tv) == 0 ) return;
  }
  if( p->bSilent ) emuReqError(p, 500, "InternalError", "out of memory");
  reqReply(p);
}
