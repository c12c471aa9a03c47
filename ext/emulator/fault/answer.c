/*
** What the faults of fault.c do to an answer: in place of the route, to the
** body that the route has made, and to the way it is sent.
**
** Serves every route but /control. An answer in pieces is sent as libevent's
** chunks, one per tick of a timer, which also notices a client that hangs up.
**
** Invariants
**   - memory is bounded: a huge body is made piece by piece, and no piece is
**     added while more than FAULT_AHEAD bytes wait to be sent;
**   - the log says what the route did and which fault struck; its line is
**     written before the first byte is sent.
*/
#include "emulator/auth/auth.h"
#include "emulator/fault/faultInt.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FAULT_PIECE 65536  /* bytes of a huge body at a time */
#define FAULT_AHEAD 262144 /* bytes that may wait to leave */
#define FAULT_TICK_US 1000 /* pause while they do */
#define FAULT_NODES 3      /* names of nodes that a loop goes through */
#define FAULT_AWAY "localhost.invalid"

/* ---- in place of the route --------------------------------------------- */

/* The answer 307, 301 or 302 to the same request on another node. Returns 1
** when it answered: but for a loop, what came to a node's name is served. */
static int faultRedirect(EmuReq *p) {
  const char *zTail = p->zHost ? p->zHost : "";
  const char *zWord = p->pStrike->zWord;
  int iNode = 0;
  char *z;
  if( strncmp(zTail, "node", 4) == 0 ) {
    iNode = (int)strtol(zTail + 4, NULL, 10);
    zTail += strcspn(zTail, ".");
    zTail += *zTail == '.';
  }
  if( strcmp(zWord, "away") == 0 ) {
    z = ledgerMprintf("https://" FAULT_AWAY "%s%s%s", p->zPath,
                      p->zQuery[0] ? "?" : "", p->zQuery);
  } else if( iNode == 0 || strcmp(zWord, "loop") == 0 ) {
    z = ledgerMprintf("https://node%d.%s%s%s%s", iNode % FAULT_NODES + 1, zTail,
                      p->zPath, p->zQuery[0] ? "?" : "", p->zQuery);
  } else {
    return 0;
  }
  if( z ) emuReqAddHeader(p, "Location", z);
  free(z);
  p->iStatus = zWord[0] == '3' ? (int)strtol(zWord, NULL, 10) : 307;
  return 1;
}

/* The answer 401 that asks for a token issued after now, unless the token was
** got by answering one. */
static int faultClaims(EmuReq *p) {
  const char *zAuth = emuReqHeader(p, "Authorization");
  LedgerBuf claims = {0}, line = {0};

  if( zAuth && p->pStrike->zWord[0] == 0 && emuTokenCapable(zAuth) ) return 0;
  ledgerBufPrintf(&claims,
                  "{\"access_token\":{\"nbf\":{\"essential\":true,"
                  "\"value\":\"%lld\"}}}",
                  (long long)time(NULL));
  ledgerBufText(&line, "Bearer realm=\"\", error=\"insufficient_claims\", "
                       "claims=\"");
  if( claims.z ) ledgerBufBase64(&line, claims.z, claims.n);
  ledgerBufText(&line, "\"");
  if( line.z ) emuReqAddHeader(p, "WWW-Authenticate", line.z);
  emuReqError(p, 401, "InvalidAuthenticationInfo",
              "Continuous access evaluation resulted in a challenge");
  ledgerBufFree(&claims);
  ledgerBufFree(&line);
  return 1;
}

/* The time is over: the request goes its way. */
static void faultRelease(evutil_socket_t fd, short what, void *pArg) {
  EmuReq *p = pArg;
  (void)fd;
  (void)what;
  event_free(p->pTimer);
  p->pTimer = NULL;
  p->pStrike->xGoOn(p);
}

int emuFaultHold(EmuReq *p, void (*xGoOn)(EmuReq *)) {
  EmuStrike *pStrike = p->pStrike;
  struct timeval tv;
  if( pStrike == NULL || pStrike->eFault != EMU_FAULT_HOLD ) return 0;
  /* Now, while its client certificate can be seen. */
  if( !emuAuthenticate(p) ) {
    emuReqSend(p);
    return 1;
  }
  tv.tv_sec = pStrike->keys.msFor / 1000;
  tv.tv_usec = pStrike->keys.msFor % 1000 * 1000;
  pStrike->xGoOn = xGoOn;
  p->pTimer = evtimer_new(p->pEmu->pBase, faultRelease, p);
  if( p->pTimer == NULL || evtimer_add(p->pTimer, &tv) != 0 ) {
    emuReqError(p, 500, "InternalError", "out of memory");
    emuReqSend(p);
    return 1;
  }
  if( strcmp(pStrike->zWord, "silent") != 0 ) {
    p->bSilent = 1;
    emuConnCut(p->pHttp);
  }
  return 1;
}

/* The answer of a backup that forwarded a write in vain. */
static void faultForward(EmuReq *p) {
  ledgerBufReset(&p->body);
  ledgerBufPrintf(&p->body,
                  "Request was forwarded to node %s, but no response was "
                  "received after %lldms",
                  p->pEmu->pKeys->zNodeId, (long long)p->pStrike->keys.msDelay);
  p->iStatus = 504;
  p->zType = "text/plain";
  p->zState = NULL;
  memset(&p->id, 0, sizeof(p->id));
}

/* From now on the primary is cut off from the others. */
static int faultIsolate(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  if( emuSessionsIsolate(p->pEmu, p->pStrike->keys.msFor,
                         p->pStrike->keys.msHeal, &err) == LEDGER_OK ) {
    return 0;
  }
  emuReqFail(p, &err);
  return 1;
}

static void strikeFree(EmuStrike *p) {
  if( --p->nRef > 0 ) return;
  ledgerBufFree(&p->body);
  free(p);
}

EmuStrike *emuFaultKeep(EmuReq *p) {
  if( p->pStrike ) p->pStrike->nRef++;
  return p->pStrike;
}

void emuFaultAfter(Emu *p, EmuStrike *pStrike) {
  LedgerError err = LEDGER_ERROR_INIT;
  int eSessions;
  if( pStrike == NULL ) return;
  eSessions = pStrike->keys.eSessions;
  switch( pStrike->eFault ) {
    case EMU_FAULT_ELECTION: emuLedgerElect(p, eSessions, &err); break;
    case EMU_FAULT_RECOVERY: emuLedgerRecover(p, eSessions, &err); break;
    case EMU_FAULT_STOP: emuSessionsStop(p, pStrike->keys.msFor, &err); break;
    case EMU_FAULT_FORWARD:
      if( !pStrike->keys.bElect ) break;
      if( pStrike->keys.bRecord && emuLedgerSign(p, &err) ) break;
      if( eSessions == EMU_SESSIONS_DEFAULT ) eSessions = EMU_SESSIONS_LOST;
      emuLedgerElect(p, eSessions, &err);
      break;
    default: break;
  }
  if( err.rc && p->pLedger->eRefuse == LEDGER_OK ) {
    emuWarn("%s", ledgerErrorText(&err));
  }
  ledgerErrorClear(&err);
  strikeFree(pStrike);
}

int emuFaultInstead(EmuReq *p) {
  if( p->pStrike == NULL ) return 0;
  switch( p->pStrike->eFault ) {
    case EMU_FAULT_ISOLATE: return faultIsolate(p);
    case EMU_FAULT_FORWARD: return !p->pStrike->keys.bRecord;
    case EMU_FAULT_RESET_BEFORE: return 1;
    case EMU_FAULT_REDIRECT: return faultRedirect(p);
    case EMU_FAULT_CLAIMS: return faultClaims(p);
    case EMU_FAULT_STATUS:
    case EMU_FAULT_SESSION:
      emuReqError(p, (int)p->pStrike->iValue, p->pStrike->zCode,
                  "A fault was asked for");
      p->id = p->pStrike->id;
      if( p->pStrike->nRetryAfter >= 0 ) {
        char z[24];
        snprintf(z, sizeof(z), "%d", p->pStrike->nRetryAfter);
        emuReqAddHeader(p, "Retry-After", z);
      }
      return 1;
    default: return 0;
  }
}

/* ---- a node that lags --------------------------------------------------- */

/* 1 when the answer is that of a node that lags: reads only. */
static int faultLags(const EmuReq *p) {
  if( p->bBehind ) return 1;
  return p->pStrike &&
         (p->pStrike->eFault == EMU_FAULT_STALE ||
          p->pStrike->eFault == EMU_FAULT_UNAWARE) &&
         strcmp(p->zMethod, "GET") == 0;
}

int emuFaultStale(EmuReq *p, EmuHead *pNow) {
  EmuHead *pHead = &p->pEmu->pLedger->head;
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerTxid then = {0, 0};
  int64_t iSeqno;
  *pNow = *pHead;
  if( p->bBehind ) {
    pHead->last = pHead->committed = p->pEmu->pSessions->old;
    pHead->iView = p->pEmu->pSessions->iOld;
    return 1;
  }
  if( !faultLags(p) ) return 1;
  iSeqno = pHead->last.seqno - p->pStrike->iValue;
  if( iSeqno < 1 ) iSeqno = 1;
  if( emuStoreTxnAt(p->pEmu->pStore, iSeqno, &then, &err) ) {
    emuReqFail(p, &err);
    return 0;
  }
  if( p->pStrike->eFault == EMU_FAULT_STALE ) {
    pHead->last = then;
    pHead->iView = then.view;
  }
  if( pHead->committed.seqno > then.seqno ) pHead->committed = then;
  return 1;
}

void emuFaultCaughtUp(EmuReq *p, const EmuHead *pNow) {
  EmuHead *pHead = &p->pEmu->pLedger->head;
  if( !faultLags(p) ) return;
  if( p->iStatus >= 200 && p->iStatus < 300 && p->id.seqno == 0 ) {
    p->id = pHead->last;
  }
  *pHead = *pNow;
}

/* ---- the body ---------------------------------------------------------- */

static void faultNest(LedgerBuf *pBuf, int64_t nDeep) {
  int64_t i;
  ledgerBufText(pBuf, "{\"entries\":");
  for( i = 0; i < nDeep; i++ ) ledgerBufText(pBuf, "[");
  for( i = 0; i < nDeep; i++ ) ledgerBufText(pBuf, "]");
  ledgerBufText(pBuf, "}");
}

/* The first hash in the body, 64 hex digits, becomes another one. */
static void faultDigest(LedgerBuf *pBuf) {
  size_t i, nHex = 0;
  for( i = 0; i < pBuf->n && nHex < 2 * EMU_HASH; i++ ) {
    nHex = strchr("0123456789abcdef", pBuf->z[i]) ? nHex + 1 : 0;
  }
  if( nHex == 2 * EMU_HASH ) pBuf->z[i - 1] = pBuf->z[i - 1] == '0' ? '1' : '0';
}

static void faultMeasurement(LedgerBuf *pBuf) {
  static const char zMember[] = "\"mrenclave\":\"";
  char *z = pBuf->z ? strstr(pBuf->z, zMember) : NULL;
  if( z == NULL ) return;
  z += sizeof(zMember) - 1;
  *z = *z == '0' ? '1' : '0';
}

static void faultMalform(EmuReq *p) {
  const char *zHow = p->pStrike->zWord;
  if( strcmp(zHow, "no-id") == 0 ) {
    memset(&p->id, 0, sizeof(p->id));
  } else if( zHow[0] == 0 || strcmp(zHow, "half") == 0 ) {
    p->body.n /= 2;
  } else if( strcmp(zHow, "empty") == 0 ) {
    p->body.n = 0;
  } else if( strcmp(zHow, "html") == 0 ) {
    ledgerBufReset(&p->body);
    ledgerBufText(&p->body, "<html><body>It works!</body></html>");
    p->zType = "text/html";
  } else if( strcmp(zHow, "types") == 0 ) {
    ledgerBufReset(&p->body);
    ledgerBufText(&p->body, "42");
  } else if( strcmp(zHow, "digest") == 0 ) {
    faultDigest(&p->body);
  } else if( strcmp(zHow, "measurement") == 0 ) {
    faultMeasurement(&p->body);
  } else { /* duplicate */
    ledgerBufReset(&p->body);
    ledgerBufText(&p->body, "{\"state\":\"Ready\",\"state\":\"Ready\"}");
  }
}

/* The Date of another clock. */
static void faultDate(EmuReq *p) {
  static const char zDay[] = "SunMonTueWedThuFriSat";
  static const char zMonth[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  time_t t = time(NULL) + (time_t)p->pStrike->sClock;
  struct tm tm;
  char z[80];
  if( gmtime_r(&t, &tm) == NULL ) return;
  snprintf(z, sizeof(z), "%.3s, %02d %.3s %d %02d:%02d:%02d GMT",
           zDay + 3 * tm.tm_wday, tm.tm_mday, zMonth + 3 * tm.tm_mon,
           tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
  emuReqAddHeader(p, "Date", z);
}

static void faultSpoil(EmuReq *p) {
  EmuStrike *pStrike = p->pStrike;
  if( p->bDate ) faultDate(p);
  switch( pStrike->eFault ) {
    case EMU_FAULT_MALFORMED: faultMalform(p); break;
    case EMU_FAULT_ANSWER:
      ledgerBufFree(&p->body);
      p->body = pStrike->body;
      memset(&pStrike->body, 0, sizeof(pStrike->body));
      p->iStatus = 200;
      p->zType = "application/json";
      if( p->id.seqno == 0 ) p->id = p->pEmu->pLedger->head.last;
      break;
    case EMU_FAULT_FORWARD: faultForward(p); break;
    case EMU_FAULT_DEEP:
      ledgerBufReset(&p->body);
      faultNest(&p->body, pStrike->iValue);
      break;
    default: break;
  }
}

/* ---- the way it is sent ------------------------------------------------ */

/* Adds n bytes of the huge body to pOut: {"entries":"aaa..."}, of iValue bytes
** in all. */
static int faultHuge(EmuReq *p, struct evbuffer *pOut, int64_t n) {
  static const char zHead[] = "{\"entries\":\"";
  char *z = malloc((size_t)n);
  int64_t nHead = (int64_t)sizeof(zHead) - 1, i;
  int bOk;
  if( z == NULL ) return 0;
  memset(z, 'a', (size_t)n);
  for( i = 0; i < n && p->pStrike->nSent + i < nHead; i++ )
    z[i] = zHead[p->pStrike->nSent + i];
  for( i = 0; i < n; i++ ) {
    int64_t nLeft = p->pStrike->iValue - p->pStrike->nSent - i;
    if( nLeft == 2 ) z[i] = '"';
    if( nLeft == 1 ) z[i] = '}';
  }
  bOk = evbuffer_add(pOut, z, (size_t)n) == 0;
  free(z);
  return bOk;
}

/* The next piece of the body into pOut; 0 when there is none. */
static int faultPiece(EmuReq *p, struct evbuffer *pOut) {
  int64_t n = (int64_t)p->body.n;
  if( p->pStrike->eFault == EMU_FAULT_HUGE ) {
    n = p->pStrike->iValue - p->pStrike->nSent;
    if( n > FAULT_PIECE ) n = FAULT_PIECE;
    if( n <= 0 || !faultHuge(p, pOut, n) ) return 0;
  } else {
    if( p->pStrike->eFault == EMU_FAULT_CUT ) n /= 2;
    n -= p->pStrike->nSent;
    if( p->pStrike->eFault == EMU_FAULT_SLOW && n > p->pStrike->nByte )
      n = p->pStrike->nByte;
    if( n <= 0 ||
        evbuffer_add(pOut, p->body.z + p->pStrike->nSent, (size_t)n) != 0 ) {
      return 0;
    }
  }
  p->pStrike->nSent += n;
  return 1;
}

/*
** The end of an answer waits for two ticks at which nothing is left to leave:
** libevent may still owe the callback of the last piece, and would take it for
** that of the end.
*/
static void faultTick(evutil_socket_t fd, short what, void *pArg) {
  EmuReq *p = pArg;
  struct evhttp_connection *pConn = evhttp_request_get_connection(p->pHttp);
  struct timeval tv = {0, FAULT_TICK_US};
  struct evbuffer *pOut;
  size_t nWait;
  int bMore = 1;
  (void)fd;
  (void)what;
  if( pConn == NULL ) goto end; /* the client is gone */
  nWait = evbuffer_get_length(
      bufferevent_get_output(evhttp_connection_get_bufferevent(pConn)));
  if( nWait < FAULT_AHEAD && !p->pStrike->bDrained ) {
    pOut = evbuffer_new();
    bMore = pOut && faultPiece(p, pOut);
    if( bMore ) evhttp_send_reply_chunk(p->pHttp, pOut);
    if( pOut ) evbuffer_free(pOut);
    if( bMore && p->pStrike->eFault == EMU_FAULT_SLOW ) {
      tv.tv_sec = p->pStrike->iValue / 1000;
      tv.tv_usec = p->pStrike->iValue % 1000 * 1000;
    }
  }
  if( p->pStrike->bDrained ) {
    if( p->pStrike->eFault != EMU_FAULT_CUT ) goto end;
    emuReqHangUp(p);
    return;
  }
  p->pStrike->bDrained = !bMore && nWait == 0;
  evtimer_add(p->pTimer, &tv);
  return;

end:
  evhttp_send_reply_end(p->pHttp); /* frees the HTTP request, once it is out */
  emuReqFree(p);
}

static int faultSend(EmuReq *p) {
  static const struct timeval now = {0, 0};
  if( p->pStrike->eFault != EMU_FAULT_CUT &&
      p->pStrike->eFault != EMU_FAULT_SLOW &&
      p->pStrike->eFault != EMU_FAULT_HUGE ) {
    return 0;
  }
  if( p->pTimer ) event_free(p->pTimer); /* that of its latency, it is over */
  p->pTimer = evtimer_new(p->pEmu->pBase, faultTick, p);
  if( p->pTimer == NULL || evtimer_add(p->pTimer, &now) != 0 ) return 0;
  if( p->pStrike->eFault != EMU_FAULT_HUGE ) {
    char z[24];
    snprintf(z, sizeof(z), "%lld", (long long)p->body.n);
    emuReqAddHeader(p, "Content-Length", z);
  }
  emuReqHandOver(p, NULL, 1);
  return 1;
}

/* ---- the request's end ------------------------------------------------- */

static void faultFree(EmuReq *p) {
  strikeFree(p->pStrike);
}

const EmuReqHooks emuFaultHooks = {faultSpoil, faultSend, faultFree};
