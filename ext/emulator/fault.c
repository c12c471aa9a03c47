/*
** Faults: what goes wrong on purpose. By --fault SPEC (as often as wanted) or
** POST /control/fault {"spec":SPEC}.
**
**   SPEC = KIND[=VALUE][,KEY=VALUE]...
**
**   reset-before-record   close the connection, nothing is done
**   reset-after-record    do it, then close the connection without an answer
**   status=N              answer N with an error body, nothing is done; keys
**                         retry-after=SECONDS and code=NAME
**   redirect              307 to https://node1.<host>, unless asked there
**   election              do it and answer; then view + 1, pending is lost
**   recovery              the same with view + 2 and a new service key
**   latency=MS            answer that much later
**
**   method=POST           only such requests
**   path=GLOB             only such paths (as sent); '*' fits anything. The
**                         default is /app/transactions with POST for
**                         reset-after-record, election and recovery, /app/ and
**                         anything for the others
**   nth=N                 strike from the Nth fitting request on (1)
**   count=N               strike N times; 0 for ever. The default is 0 for
**                         latency and with probability, else 1
**   probability=P         strike with probability P (0 to 1), drawn from
**   seed=N                ... this seed (1)
**
** Of several faults that fit a request the first given strikes; latencies add
** up. A kind is one row of aFaultKind.
*/
#include "emuInt.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

typedef struct FaultKind FaultKind;
struct FaultKind {
  const char *zName;
  int eFault;
  int bValue;          /* takes =VALUE */
  const char *zMethod; /* default filters */
  const char *zPath;
};

static const FaultKind aFaultKind[] = {
    {"reset-before-record", EMU_FAULT_RESET_BEFORE, 0, "", "/app/*"},
    {"reset-after-record", EMU_FAULT_RESET_AFTER, 0, "POST",
     "/app/transactions"},
    {"status", EMU_FAULT_STATUS, 1, "", "/app/*"},
    {"redirect", EMU_FAULT_REDIRECT, 0, "", "/app/*"},
    {"election", EMU_FAULT_ELECTION, 0, "POST", "/app/transactions"},
    {"recovery", EMU_FAULT_RECOVERY, 0, "POST", "/app/transactions"},
    {"latency", EMU_FAULT_LATENCY, 1, "", "/app/*"},
};
#define N_FAULT_KIND ((int)(sizeof(aFaultKind) / sizeof(aFaultKind[0])))

typedef struct Fault Fault;
struct Fault {
  Fault *pNext;
  const FaultKind *pKind;
  char *zSpec; /* as given, owned */
  int64_t iValue;
  char zMethod[12];
  char zPath[256];
  char zCode[48];
  int64_t nRetryAfter; /* -1: none */
  int64_t nth, nCount;
  double rProbability; /* 1: always */
  uint64_t iRandom;
  int64_t nFit, nStruck; /* so far */
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

/* The kind: the first item of a spec. */
static int faultKind(Fault *p, const char *z, size_t n, const char *zVal,
                     size_t nVal) {
  int i;
  for( i = 0; i < N_FAULT_KIND; i++ ) {
    if( emuIs(z, n, aFaultKind[i].zName) ) p->pKind = &aFaultKind[i];
  }
  if( p->pKind == NULL || p->pKind->bValue != (zVal != NULL) ) return 0;
  if( zVal && !emuArgsNumber(zVal, nVal, 3600000, &p->iValue) ) return 0;
  if( p->pKind->eFault == EMU_FAULT_STATUS &&
      (p->iValue < 400 || p->iValue > 599) ) {
    return 0;
  }
  p->nCount = p->pKind->eFault == EMU_FAULT_LATENCY ? 0 : 1;
  return faultCopy(p->zMethod, sizeof(p->zMethod), p->pKind->zMethod,
                   strlen(p->pKind->zMethod)) &&
         faultCopy(p->zPath, sizeof(p->zPath), p->pKind->zPath,
                   strlen(p->pKind->zPath));
}

/* One key=value of a spec. *pbCount notes that a count is given. */
static int faultKey(Fault *p, const char *z, size_t n, const char *zVal,
                    size_t nVal, int *pbCount) {
  int64_t i = 0;
  if( zVal == NULL ) return 0;
  if( emuIs(z, n, "method") ) {
    return faultCopy(p->zMethod, sizeof(p->zMethod), zVal, nVal);
  }
  if( emuIs(z, n, "path") ) {
    return faultCopy(p->zPath, sizeof(p->zPath), zVal, nVal);
  }
  if( emuIs(z, n, "code") ) {
    return faultCopy(p->zCode, sizeof(p->zCode), zVal, nVal);
  }
  if( emuIs(z, n, "retry-after") ) {
    return emuArgsNumber(zVal, nVal, 86400, &p->nRetryAfter);
  }
  if( emuIs(z, n, "nth") ) {
    return emuArgsNumber(zVal, nVal, INT64_MAX, &p->nth) && p->nth > 0;
  }
  if( emuIs(z, n, "count") ) {
    *pbCount = 1;
    return emuArgsNumber(zVal, nVal, INT64_MAX, &p->nCount);
  }
  if( emuIs(z, n, "seed") ) {
    if( !emuArgsNumber(zVal, nVal, INT64_MAX, &i) ) return 0;
    p->iRandom = (uint64_t)i;
    return 1;
  }
  if( emuIs(z, n, "probability") ) {
    char zNum[32], *zEnd;
    if( !faultCopy(zNum, sizeof(zNum), zVal, nVal) || nVal == 0 ) return 0;
    p->rProbability = strtod(zNum, &zEnd);
    if( !*pbCount ) p->nCount = 0;
    return *zEnd == 0 && p->rProbability >= 0 && p->rProbability <= 1;
  }
  return 0;
}

int emuFaultsAdd(EmuFaults *p, const char *zSpec, LedgerError *pErr) {
  Fault *pFault = calloc(1, sizeof(*pFault)), **ppEnd;
  const char *z = zSpec;
  int bCount = 0, bOk = 1, rc = LEDGER_OK;
  if( pFault ) pFault->zSpec = ledgerStrndup(zSpec, strlen(zSpec));
  if( pFault == NULL || pFault->zSpec == NULL ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  pFault->nRetryAfter = -1;
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
                     : faultKey(pFault, z, nName, zVal, nVal, &bCount);
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
  if( pFault ) free(pFault->zSpec);
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

/* 1 when the fault strikes this request; counts it. */
static int faultStrikes(Fault *p, const EmuReq *pReq) {
  if( p->zMethod[0] && strcmp(p->zMethod, pReq->zMethod) != 0 ) return 0;
  if( fnmatch(p->zPath, pReq->zPath, 0) != 0 ) return 0;
  if( ++p->nFit < p->nth ) return 0;
  if( p->nCount && p->nStruck >= p->nCount ) return 0;
  if( p->rProbability < 1 && faultDraw(p) >= p->rProbability ) return 0;
  p->nStruck++;
  return 1;
}

void emuFaultsStrike(EmuFaults *p, EmuReq *pReq) {
  Fault *pFault;
  for( pFault = p->pFirst; pFault; pFault = pFault->pNext ) {
    int bLate = pFault->pKind->eFault == EMU_FAULT_LATENCY;
    if( !bLate && pReq->eFault ) continue; /* one has struck already */
    if( !faultStrikes(pFault, pReq) ) continue;
    if( bLate ) {
      pReq->msFault += (int)pFault->iValue;
      continue;
    }
    pReq->eFault = pFault->pKind->eFault;
    pReq->iFaultStatus = (int)pFault->iValue;
    pReq->nRetryAfter = (int)pFault->nRetryAfter;
    snprintf(pReq->zFaultCode, sizeof(pReq->zFaultCode), "%s",
             pFault->zCode[0] ? pFault->zCode : "InjectedFault");
  }
}
