/*
** Faults: what goes wrong on purpose. By --fault SPEC (as often as wanted) or
** POST /control/fault {"spec":SPEC}, for `answer` also "body":TEXT.
**
**   SPEC = KIND[=VALUE][,KEY=VALUE]...
**
** In place of the route, so that nothing is recorded:
**   reset-before-record   close the connection
**   status=N              answer N with an error body; keys
**                         retry-after=SECONDS, code=NAME and id=ID (the
**                         ledger's own refusals have no id)
**   behind                404 TransactionNotFound: a node that has not heard
**                         of the write yet
**   session-lost          500 SessionConsistencyLost, and again to whatever
**                         comes on the same connection
**   not-open              404 FrontendNotOpen
**   rolled-back           503 TransactionRolledBack
**   claims[=always]       401 that asks for claims in the token (continuous
**                         access evaluation), unless it has them
**   redirect[=WHERE]      307 to node1 of the ledger, unless the request came
**                         there. loop: to another node each time; away: to a
**                         host that is not the ledger's; 301, 302: with that
**                         status
** After the route has done its work:
**   reset-after-record    close the connection without an answer
**   cut                   half of the body, then the connection is closed
**   slow=MS               a byte of the body every MS milliseconds; key
**                         bytes=N: N of them
**   huge=BYTES            that many bytes of JSON in place of the body
**   deep=N                JSON nested N deep in place of the body
**   malformed[=HOW]       not JSON, or not what was asked for: half (of the
**                         body), html, empty, types (a number in place of
**                         the object), duplicate (a key twice), no-id (the
**                         body is right, x-ms-ccf-transaction-id is missing),
**                         digest (a digit of the first hash, as in a receipt
**                         that was tampered with), measurement (a digit of
**                         the first mrenclave)
**   stale=N               the answer of a node that is N transactions behind:
**                         state and entries are those of that moment, and what
**                         came later is unknown to it (reads only)
**   unaware=N             the answer of a node that has every transaction, but
**                         has not heard that the last N are committed: they
**                         are Pending, and not read yet
**   answer                200 with the body given beside the spec, in which {n}
**                         is how often it has struck
**   idle[=notify]         answer, then close the connection as one that was
**                         idle for too long: no header announces it, and the
**                         client's next request meets a closed connection. A
**                         node just closes; notify: with TLS's close_notify,
**                         as a front end does
**   election              answer; then view + 1, what is pending is lost. Key
**                         sessions=lost|kept: what becomes of connections that
**                         have seen the view before (as --sessions says; see
**                         session.c)
**   recovery              the same with view + 2 and a new service key
**   stop                  a primary that is stopped and resumed: the request is
**                         answered after for=MS (1000), when the others are in
**                         a new view, so that its id is Invalid; the next write
**                         on a connection to it is 503 PrimaryNotFound, the
**                         next request 500 SessionConsistencyLost
** While the route does its work, and after:
**   isolate               a primary that is cut off: during for=MS (1000) it
**                         answers this and what follows, but signs nothing;
**                         then the others elect a new one. During heal=MS
**                         (1000) more, old connections read what was there
**                         before, and a write on them is 503 PrimaryNotFound;
**                         then their sessions are lost
**   forward               504 in plain text after delay=MS (3000): a backup
**                         that hears nothing from its primary. Keys record=1:
**                         the request was executed all the same; election=1:
**                         there was an election (sessions=kept as above)
**   hold[=silent]         the connection is cut (silent: left without an
**                         answer), and the request is executed for=MS (1000)
**                         later all the same, unless its session is lost by
**                         then
** Besides any of them:
**   latency=MS            answer that much later
**   clock=SECONDS         the answer has a Date, that far ahead
**   certificate=HOW       new connections meet a node certificate that is
**                         expired, early (not valid yet), foreign (of another
**                         service) or name (of another host). A connection has
**                         neither method nor path
**
**   method=POST           only such requests
**   path=GLOB             only such paths (as sent); '*' fits anything, also
**                         '/'. aFaultKind has the defaults. The control route
**                         is never struck
**   host=GLOB             only such Host headers, such as node1.*
**   nth=N                 strike from the Nth request that fits on (1)
**   count=N               strike N times, 0: always. The default is 0 for
**                         latency, for clock and with probability, else 1
**   probability=P         strike with probability P (0 to 1), drawn from
**   seed=N                ... this seed (1): the same requests in the same
**                         order meet the same faults
**
** Of several faults that fit a request, the one given first strikes; latencies
** add up. A kind is one row of aFaultKind. fault/answer.c makes the answers.
*/
#include "emulator/fault/faultInt.h"

#include <fnmatch.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FAULT_NUMBER "#" /* a kind that takes a number */
#define FAULT_HOUR 3600000

typedef struct FaultKind FaultKind;
struct FaultKind {
  const char *zName;
  const char *zValue;  /* NULL: none; FAULT_NUMBER; or the words it takes, with
                       ** bars, an empty one first if it may be absent */
  const char *zMethod; /* default filters */
  const char *zPath;
  const char *zCode; /* error code of an answer EMU_FAULT_STATUS */
  int eFault;
  int iStatus; /* of that answer, unless it takes a number */
};

static const FaultKind aFaultKind[] = {
    {"reset-before-record", NULL, "", "/app/*", "", EMU_FAULT_RESET_BEFORE, 0},
    {"reset-after-record", NULL, "POST", "/app/transactions", "",
     EMU_FAULT_RESET_AFTER, 0},
    {"status", FAULT_NUMBER, "", "/app/*", "InjectedFault", EMU_FAULT_STATUS,
     0},
    {"behind", NULL, "GET", "/app/transactions/*/status", "TransactionNotFound",
     EMU_FAULT_STATUS, 404},
    {"session-lost", NULL, "", "/app/*", "SessionConsistencyLost",
     EMU_FAULT_SESSION, 500},
    {"not-open", NULL, "", "/app/*", "FrontendNotOpen", EMU_FAULT_STATUS, 404},
    {"rolled-back", NULL, "POST", "/app/transactions", "TransactionRolledBack",
     EMU_FAULT_STATUS, 503},
    {"claims", "|always", "", "/app/*", "", EMU_FAULT_CLAIMS, 0},
    {"redirect", "|loop|away|301|302", "", "/app/*", "", EMU_FAULT_REDIRECT, 0},
    {"cut", NULL, "", "/app/*", "", EMU_FAULT_CUT, 0},
    {"slow", FAULT_NUMBER, "", "/app/*", "", EMU_FAULT_SLOW, 0},
    {"huge", FAULT_NUMBER, "", "/app/*", "", EMU_FAULT_HUGE, 0},
    {"deep", FAULT_NUMBER, "", "/app/*", "", EMU_FAULT_DEEP, 0},
    {"malformed", "|half|html|empty|types|duplicate|no-id|digest|measurement",
     "", "/app/*", "", EMU_FAULT_MALFORMED, 0},
    {"stale", FAULT_NUMBER, "GET", "/app/transactions*", "", EMU_FAULT_STALE,
     0},
    {"unaware", FAULT_NUMBER, "GET", "/app/transactions*", "",
     EMU_FAULT_UNAWARE, 0},
    {"answer", NULL, "", "/app/*", "", EMU_FAULT_ANSWER, 0},
    {"idle", "|notify", "", "/app/*", "", EMU_FAULT_IDLE, 0},
    {"election", NULL, "POST", "/app/transactions", "", EMU_FAULT_ELECTION, 0},
    {"recovery", NULL, "POST", "/app/transactions", "", EMU_FAULT_RECOVERY, 0},
    {"isolate", NULL, "POST", "/app/transactions", "", EMU_FAULT_ISOLATE, 0},
    {"stop", NULL, "POST", "/app/transactions", "", EMU_FAULT_STOP, 0},
    {"forward", NULL, "POST", "/app/transactions", "", EMU_FAULT_FORWARD, 0},
    {"hold", "|silent", "POST", "/app/transactions", "", EMU_FAULT_HOLD, 0},
    {"latency", FAULT_NUMBER, "", "/app/*", "", EMU_FAULT_LATENCY, 0},
    {"clock", FAULT_NUMBER, "", "*", "", EMU_FAULT_CLOCK, 0},
    {"certificate", "expired|early|foreign|name", "", "", "",
     EMU_FAULT_CERTIFICATE, 0},
};
#define N_FAULT_KIND ((int)(sizeof(aFaultKind) / sizeof(aFaultKind[0])))

typedef struct Fault Fault;
struct Fault {
  Fault *pNext;
  const FaultKind *pKind;
  char *zSpec; /* as given, owned */
  char *zBody; /* likewise, or NULL */
  int64_t iValue;
  char zWord[12]; /* the value, where it is a word */
  char zMethod[12];
  char zPath[256];
  char zHost[128];
  char zCode[48];
  EmuFaultKeys keys;
  int64_t nRetryAfter; /* -1: none */
  int64_t nByte;       /* of a piece of a slow answer */
  LedgerTxid id;       /* that a refusal carries, or {0,0} */
  int64_t nth, nCount;
  int bCount;          /* nCount was given */
  double rProbability; /* 1: always */
  uint64_t iRandom;
  int64_t nFit, nStruck; /* so far */
  int64_t iConn;         /* connection whose session is lost, or 0 */
};

struct EmuFaults {
  Fault *pFirst;
};

EmuFaults *emuFaultsNew(void) {
  return calloc(1, sizeof(EmuFaults));
}

void emuFaultsClear(EmuFaults *p) {
  while( p->pFirst ) {
    Fault *pFault = p->pFirst;
    p->pFirst = pFault->pNext;
    free(pFault->zSpec);
    free(pFault->zBody);
    free(pFault);
  }
}

void emuFaultsFree(EmuFaults *p) {
  if( p == NULL ) return;
  emuFaultsClear(p);
  free(p);
}

/* Copies n bytes and a NUL into z[nMax]; 0 if they don't fit. */
static int faultCopy(char *z, size_t nMax, const char *zFrom, size_t n) {
  if( n >= nMax ) return 0;
  memcpy(z, zFrom, n);
  z[n] = 0;
  return 1;
}

/* The value of a kind; 0 if it isn't one. */
static int faultValue(Fault *p, const char *zVal, size_t nVal) {
  const FaultKind *pKind = p->pKind;
  if( pKind->zValue == NULL ) return zVal == NULL;
  if( strcmp(pKind->zValue, FAULT_NUMBER) != 0 ) {
    if( zVal == NULL ) {
      zVal = "";
    } else if( nVal == 0 ) {
      return 0;
    }
    return emuListed(pKind->zValue, '|', zVal, nVal) &&
           faultCopy(p->zWord, sizeof(p->zWord), zVal, nVal);
  }
  if( zVal == NULL || !emuNumber(zVal, nVal, INT64_C(1) << 40, &p->iValue) )
    return 0;
  switch( pKind->eFault ) {
    case EMU_FAULT_STATUS: return p->iValue >= 400 && p->iValue <= 599;
    case EMU_FAULT_LATENCY: return p->iValue <= 3600000;
    case EMU_FAULT_CLOCK: return p->iValue <= 1000000000; /* 0: it is right */
    case EMU_FAULT_SLOW: return p->iValue > 0 && p->iValue <= 3600000;
    case EMU_FAULT_DEEP: return p->iValue > 0 && p->iValue <= 10000000;
    default: return p->iValue > 0;
  }
}

/* Faults that strike besides others, and for ever where no count is given. */
static int faultIsBeside(int eFault) {
  return eFault == EMU_FAULT_LATENCY || eFault == EMU_FAULT_CLOCK;
}

/* The kind: the first item of a spec. */
static int faultKind(Fault *p, const char *z, size_t n, const char *zVal,
                     size_t nVal) {
  int i;
  for( i = 0; i < N_FAULT_KIND; i++ ) {
    if( emuIs(z, n, aFaultKind[i].zName) ) p->pKind = &aFaultKind[i];
  }
  if( p->pKind == NULL || !faultValue(p, zVal, nVal) ) return 0;
  if( p->pKind->iStatus ) p->iValue = p->pKind->iStatus;
  p->nCount = faultIsBeside(p->pKind->eFault) ? 0 : 1;
  return faultCopy(p->zMethod, sizeof(p->zMethod), p->pKind->zMethod,
                   strlen(p->pKind->zMethod)) &&
         faultCopy(p->zPath, sizeof(p->zPath), p->pKind->zPath,
                   strlen(p->pKind->zPath)) &&
         faultCopy(p->zCode, sizeof(p->zCode), p->pKind->zCode,
                   strlen(p->pKind->zCode));
}

/* The keys that are a text or a number. */
static const struct FaultKey {
  const char *zName;
  size_t iOffset;
  size_t n; /* bytes of a text; 0: a number */
  int64_t iMin, iMax;
} aFaultKey[] = {
#define TEXT(f) offsetof(Fault, f), sizeof(((Fault *)0)->f), 0, 0
#define NUMBER(f, iMin, iMax) offsetof(Fault, f), 0, iMin, iMax
    {"method", TEXT(zMethod)},
    {"path", TEXT(zPath)},
    {"host", TEXT(zHost)},
    {"code", TEXT(zCode)},
    {"retry-after", NUMBER(nRetryAfter, 0, 86400)},
    {"bytes", NUMBER(nByte, 1, 65536)},
    {"nth", NUMBER(nth, 1, INT64_MAX)},
    {"count", NUMBER(nCount, 0, INT64_MAX)},
    {"seed", NUMBER(iRandom, 0, INT64_MAX)},
    {"for", NUMBER(keys.msFor, 0, FAULT_HOUR)},
    {"heal", NUMBER(keys.msHeal, 0, FAULT_HOUR)},
    {"delay", NUMBER(keys.msDelay, 0, FAULT_HOUR)},
    {"record", NUMBER(keys.bRecord, 0, 1)},
    {"election", NUMBER(keys.bElect, 0, 1)},
#undef TEXT
#undef NUMBER
};
#define N_FAULT_KEY ((int)(sizeof(aFaultKey) / sizeof(aFaultKey[0])))

/* One key=value of a spec; 0 if it isn't one. */
static int faultKey(Fault *p, const char *z, size_t n, const char *zVal,
                    size_t nVal) {
  int i;
  if( zVal == NULL ) return 0;
  for( i = 0; i < N_FAULT_KEY; i++ ) {
    const struct FaultKey *pKey = &aFaultKey[i];
    char *pTo = (char *)p + pKey->iOffset;
    int64_t v;
    if( !emuIs(z, n, pKey->zName) ) continue;
    if( pKey->n ) return faultCopy(pTo, pKey->n, zVal, nVal);
    if( !emuNumber(zVal, nVal, pKey->iMax, &v) || v < pKey->iMin ) return 0;
    memcpy(pTo, &v, sizeof(v));
    if( emuIs(z, n, "count") ) p->bCount = 1;
    return 1;
  }
  if( emuIs(z, n, "id") ) return ledgerTxidParse(zVal, nVal, &p->id);
  if( emuIs(z, n, "sessions") ) {
    p->keys.eSessions =
        emuIs(zVal, nVal, "kept") ? EMU_SESSIONS_KEPT : EMU_SESSIONS_LOST;
    return emuListed("lost|kept", '|', zVal, nVal);
  }
  if( emuIs(z, n, "probability") ) {
    char zNum[32];
    if( !faultCopy(zNum, sizeof(zNum), zVal, nVal) ) return 0;
    if( !p->bCount ) p->nCount = 0;
    return ledgerNumberParse(zNum, &p->rProbability) && p->rProbability <= 1;
  }
  return 0;
}

int emuFaultsAdd(EmuFaults *p, const char *zSpec, const char *zBody,
                 LedgerError *pErr) {
  Fault *pFault = calloc(1, sizeof(*pFault)), **ppEnd;
  const char *z = zSpec;
  int bOk = 1, rc = LEDGER_OK;
  if( pFault ) pFault->zSpec = ledgerStrndup(zSpec, strlen(zSpec));
  if( pFault && zBody ) pFault->zBody = ledgerStrndup(zBody, strlen(zBody));
  if( pFault == NULL || pFault->zSpec == NULL || (zBody && !pFault->zBody) ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  pFault->nRetryAfter = -1;
  pFault->keys.msFor = pFault->keys.msHeal = 1000;
  pFault->keys.msDelay = 3000;
  pFault->nByte = 1;
  pFault->nth = 1;
  pFault->rProbability = 1;
  pFault->iRandom = 1;
  while( bOk ) {
    size_t n = strcspn(z, ",");
    const char *zEq = memchr(z, '=', n);
    size_t nName = zEq ? (size_t)(zEq - z) : n;
    const char *zVal = zEq ? zEq + 1 : NULL;
    size_t nVal = zEq ? n - nName - 1 : 0;
    bOk = z == zSpec ? faultKind(pFault, z, nName, zVal, nVal)
                     : faultKey(pFault, z, nName, zVal, nVal);
    if( !bOk ) {
      rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                          "fault '%s': '%.*s' is not understood", zSpec, (int)n,
                          z);
      goto out;
    }
    if( z[n] == 0 ) break;
    z += n + 1;
  }
  for( ppEnd = &p->pFirst; *ppEnd; ppEnd = &(*ppEnd)->pNext ) {
  }
  *ppEnd = pFault;
  pFault = NULL;
out:
  if( pFault ) {
    free(pFault->zSpec);
    free(pFault->zBody);
  }
  free(pFault);
  return rc;
}

void emuFaultsList(const EmuFaults *p, LedgerBuf *pBuf) {
  const Fault *pFault;
  ledgerBufText(pBuf, "[");
  for( pFault = p->pFirst; pFault; pFault = pFault->pNext ) {
    ledgerBufText(pBuf, pFault == p->pFirst ? "{\"spec\":" : ",{\"spec\":");
    ledgerBufJson(pBuf, pFault->zSpec, strlen(pFault->zSpec));
    ledgerBufPrintf(pBuf, ",\"struck\":%lld}", (long long)pFault->nStruck);
  }
  ledgerBufText(pBuf, "]");
}

/* A number in 0..1 from the fault's own sequence (xorshift64*). */
static double faultDraw(Fault *p) {
  uint64_t x = p->iRandom ? p->iRandom : 88172645463325252u;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  p->iRandom = x;
  return (double)((x * 2685821657736338717u) >> 11) / 9007199254740992.0;
}

/* It is the turn of this fault; counts it. */
static int faultTurn(Fault *p) {
  if( ++p->nFit < p->nth ) return 0;
  if( p->nCount && p->nStruck >= p->nCount ) return 0;
  if( p->rProbability < 1 && faultDraw(p) >= p->rProbability ) return 0;
  p->nStruck++;
  return 1;
}

/* 1 when the fault strikes this request. */
static int faultStrikes(Fault *p, const EmuReq *pReq) {
  if( p->iConn && p->iConn == pReq->iConn ) return 1; /* its session is lost */
  if( p->zMethod[0] && strcmp(p->zMethod, pReq->zMethod) != 0 ) return 0;
  if( fnmatch(p->zPath, pReq->zPath, 0) != 0 ) return 0;
  if( p->zHost[0] ) {
    const char *zHost = pReq->zHost ? pReq->zHost : "";
    if( fnmatch(p->zHost, zHost, 0) != 0 ) return 0;
  }
  return faultTurn(p);
}

/* The body of this strike, kept with it: the fault may be taken away before it
** is sent. */
static void faultBody(const Fault *p, LedgerBuf *pBody) {
  const char *z = p->zBody ? p->zBody : "";
  const char *zAt;
  while( (zAt = strstr(z, "{n}")) != NULL ) {
    ledgerBufAppend(pBody, z, (size_t)(zAt - z));
    ledgerBufPrintf(pBody, "%lld", (long long)p->nStruck);
    z = zAt + 3;
  }
  ledgerBufText(pBody, z);
}

/* What has struck the request so far, made when needed; NULL when memory is
** short. */
static EmuStrike *faultStrikeOf(EmuReq *pReq) {
  if( pReq->pStrike == NULL ) {
    pReq->pStrike = calloc(1, sizeof(*pReq->pStrike));
    if( pReq->pStrike == NULL ) return NULL;
    pReq->pStrike->nRef = 1;
    pReq->pHooks = &emuFaultHooks;
  }
  return pReq->pStrike;
}

/* A fault that strikes beside others. */
static void faultBeside(const Fault *p, EmuReq *pReq) {
  if( p->pKind->eFault == EMU_FAULT_LATENCY ) {
    pReq->msLate += (int)p->iValue;
  } else {
    pReq->bDate = 1;
    pReq->pStrike->sClock += p->iValue;
  }
  if( pReq->zFault == NULL ) pReq->zFault = p->pKind->zName;
}

/* The one fault of a request. */
static void faultStrike(Fault *p, EmuReq *pReq) {
  EmuStrike *pStrike = pReq->pStrike;
  pStrike->eFault = p->pKind->eFault;
  pStrike->keys = p->keys;
  pStrike->iValue = p->iValue;
  memcpy(pStrike->zWord, p->zWord, sizeof(pStrike->zWord));
  memcpy(pStrike->zCode, p->zCode, sizeof(pStrike->zCode));
  pStrike->nRetryAfter = (int)p->nRetryAfter;
  pStrike->id = p->id;
  pStrike->nByte = p->nByte;
  pReq->zFault = p->pKind->zName;
  switch( pStrike->eFault ) {
    case EMU_FAULT_RESET_BEFORE:
    case EMU_FAULT_RESET_AFTER: pReq->bSilent = 1; break;
    case EMU_FAULT_SESSION: p->iConn = pReq->iConn; break;
    case EMU_FAULT_STOP: pReq->msLate += (int)p->keys.msFor; break;
    case EMU_FAULT_FORWARD: pReq->msLate += (int)p->keys.msDelay; break;
    case EMU_FAULT_ANSWER: faultBody(p, &pStrike->body); break;
    case EMU_FAULT_IDLE:
      pReq->eClose = p->zWord[0] ? EMU_CLOSE_NOTIFY : EMU_CLOSE_IDLE;
      break;
    default: break;
  }
}

int emuFaultsStrike(EmuFaults *p, EmuReq *pReq) {
  Fault *pFault;
  if( strncmp(pReq->zPath, "/control/", 9) == 0 ) return 1;
  for( pFault = p->pFirst; pFault; pFault = pFault->pNext ) {
    int eFault = pFault->pKind->eFault, bBeside = faultIsBeside(eFault);
    if( eFault == EMU_FAULT_CERTIFICATE ) continue;
    if( !bBeside && pReq->pStrike && pReq->pStrike->eFault ) continue;
    if( !faultStrikes(pFault, pReq) ) continue;
    if( faultStrikeOf(pReq) == NULL ) {
      emuReqError(pReq, 500, "InternalError", "out of memory");
      return 0;
    }
    if( bBeside ) {
      faultBeside(pFault, pReq);
    } else {
      faultStrike(pFault, pReq);
    }
  }
  return 1;
}

const char *emuFaultsConnect(Emu *p) {
  Fault *pFault;
  for( pFault = p->pFaults->pFirst; pFault; pFault = pFault->pNext ) {
    if( pFault->pKind->eFault == EMU_FAULT_CERTIFICATE && faultTurn(pFault) ) {
      return pFault->zWord;
    }
  }
  return NULL;
}
