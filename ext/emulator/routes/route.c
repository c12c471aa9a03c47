/*
** From a request to its handler: what is common to all routes of route_list.h.
**
** Order of checks below /app: path and method, credential, session,
** api-version, the route's presence in that version, role. A path that no route
** has is 404 ResourceNotFound, a method that its path lacks 405
** UnsupportedHttpVerb, and OPTIONS 204.
*/
#include "emulator/auth/auth.h"
#include "emulator/fault/fault.h"
#include "emulator/routes/routesInt.h"

#include <string.h>

typedef struct Route Route;
struct Route {
  const char *zMethod;
  const char *zPath;
  void (*xRun)(EmuReq *);
  int eAction;
  unsigned mNeeds;
};

#define ROUTE_ROW(zMethod, zPath, xRun, eAction, mNeeds) \
  {zMethod, zPath, xRun, eAction, mNeeds},
static const Route aRoute[] = {EMU_ROUTES(ROUTE_ROW)};
#define N_ROUTE ((int)(sizeof(aRoute) / sizeof(aRoute[0])))

#define ROUTE_WITH (EMU_WITH_CONTROL | EMU_WITH_GATEWAY)

/* 1 when the segments of the request are those of the path. */
static int routeFits(const char *zPath, const EmuReq *p) {
  int i;
  for( i = 0; *zPath == '/'; i++ ) {
    size_t n = strcspn(++zPath, "/");
    if( i >= p->nSegment ) return 0;
    if( n == 1 && *zPath == '*' ) {
      if( p->aSegment[i].n == 0 ) return 0;
    } else if( n != p->aSegment[i].n ||
               memcmp(zPath, p->aSegment[i].z, n) != 0 ) {
      return 0;
    }
    zPath += n;
  }
  return i == p->nSegment;
}

/* The EMU_WITH_* that a request has. */
static unsigned routeWith(const EmuReq *p) {
  return (p->pEmu->args.bControl ? EMU_WITH_CONTROL : 0) |
         (emuReqToGateway(p) ? EMU_WITH_GATEWAY : 0);
}

/* The route of the request; NULL after answering 404 or 405. */
static const Route *routeFind(EmuReq *p) {
  LedgerBuf allow = {0};
  const char *zPath = NULL;
  unsigned mWith = routeWith(p);
  int i;
  for( i = 0; i < N_ROUTE; i++ ) {
    const Route *pRoute = &aRoute[i];
    if( zPath ? strcmp(zPath, pRoute->zPath) != 0
              : !routeFits(pRoute->zPath, p) ) {
      continue;
    }
    if( pRoute->mNeeds & ROUTE_WITH & ~mWith ) continue;
    zPath = pRoute->zPath;
    if( strcmp(p->zMethod, pRoute->zMethod) == 0 ) {
      ledgerBufFree(&allow);
      return pRoute;
    }
    ledgerBufPrintf(&allow, "%s%s", allow.n ? ", " : "", pRoute->zMethod);
  }
  if( zPath && strcmp(p->zMethod, "OPTIONS") == 0 ) {
    p->iStatus = 204;
    if( allow.z ) emuReqAddHeader(p, "Allow", allow.z);
  } else if( zPath ) {
    emuReqError(p, 405, "UnsupportedHttpVerb",
                "Allowed methods for '%s' are: %s.", p->zPath,
                allow.z ? allow.z : "");
    if( allow.z ) emuReqAddHeader(p, "Allow", allow.z);
  } else {
    emuReqError(p, 404, "ResourceNotFound", "Unknown path: %s.", p->zPath);
  }
  ledgerBufFree(&allow);
  return NULL;
}

/* Settles the api-version; 0 after answering 400. */
static int routeVersion(EmuReq *p) {
  const EmuText *pText = emuReqParam(p, "api-version");
  LedgerBuf list = {0};
  if( pText == NULL ) {
    emuReqError(p, 400, "QueryParameterError",
                "Missing required query parameter 'api-version'.");
    return 0;
  }
  p->pVersion = emuVersionFind(p->pEmu->args.zVersions, pText->z, pText->n);
  if( p->pVersion ) return 1;
  emuVersionList(p->pEmu->args.zVersions, &list);
  emuReqError(p, 400, "QueryParameterError",
              "Parsed api-version %s is not available. Please use one of the "
              "following versions: %s",
              ledgerUtf8Valid(pText->z, pText->n) ? pText->z : "?",
              list.z ? list.z : "");
  ledgerBufFree(&list);
  return 0;
}

/* What stands between a request and its handler. */
static int routeAdmit(EmuReq *p, const Route *pRoute) {
  unsigned mVersion = pRoute->mNeeds & ~ROUTE_WITH;
  if( pRoute->eAction == 0 ) return 1;
  if( !emuAuthenticate(p) || !emuSessionEnter(p) || !routeVersion(p) ) {
    return 0;
  }
  if( mVersion && !(p->pVersion->flags & mVersion) ) {
    emuReqError(p, 404, "ResourceNotFound", "Unknown path: %s.", p->zPath);
    return 0;
  }
  return emuAuthorise(p, pRoute->eAction);
}

/* The answer is made, or will be: sends it, and lets faults strike that come
** after it. */
static void routeEnd(EmuReq *p) {
  Emu *pEmu = p->pEmu;
  EmuStrike *pStrike;
  if( p->bRunning ) return;
  pStrike = emuFaultKeep(p);
  if( p->iStatus >= 200 && p->iStatus < 300 && p->pVersion &&
      p->id.seqno == 0 && !p->bGateway ) {
    p->id = pEmu->pLedger->head.last;
  }
  if( !p->bWaiting ) emuReqSend(p);
  emuFaultAfter(pEmu, pStrike);
}

/* Routes a request that nothing holds. */
static void routeRun(EmuReq *p) {
  const Route *pRoute;
  EmuHead now;
  if( !emuFaultInstead(p) ) {
    pRoute = routeFind(p);
    if( pRoute && routeAdmit(p, pRoute) && emuFaultStale(p, &now) ) {
      pRoute->xRun(p);
      emuFaultCaughtUp(p, &now);
    }
  }
  routeEnd(p);
}

void emuRoute(EmuReq *p) {
  p->xEnd = routeEnd;
  if( !emuFaultsStrike(p->pEmu->pFaults, p) ) {
    emuReqSend(p);
  } else if( !emuFaultHold(p, routeRun) ) {
    routeRun(p);
  }
}
