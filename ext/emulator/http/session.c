/*
** Sessions: what a TLS connection has seen of the ledger, as CCF has them; and
** the primary that the others have left behind.
**
** Serves every route below /app that asks for a credential. The first request
** of a connection that is executed (one answered 400 counts; 307, 401 and an
** unknown path do not) pins its session to the view of that moment. After a
** change of view the next request on it, GET or POST, is answered 500
** SessionConsistencyLost, and the connection is closed without a TLS alert. A
** gateway has no sessions.
**
** A former primary (faults isolate and stop) answers the sessions that were
** pinned before it was left behind; all others are served in the new view. It
** is
**   cut        isolated, and accepts writes that nobody else hears of: their
**              ids never commit
**   stepped    no longer primary: reads are as of the isolation, a write is
**              503 PrimaryNotFound
**   stopped    silent until it is resumed; then one write is 503, and after
**              that the session is lost
**
** Invariants
**   - a request is executed in the view that its session is pinned to, or not
**     at all;
**   - what a primary writes while it is cut off is never signed.
*/
#include "emulator/http/httpInt.h"

#include <event2/event.h>
#include <string.h>

/* ---- requests ---------------------------------------------------------- */

static void sessionLost(EmuReq *p) {
  emuReqError(p, 500, "SessionConsistencyLost",
              "Potential loss of session consistency on session %lld. Started "
              "in view %lld, now in view %lld. Closing session.",
              (long long)p->iConn, (long long)p->iSession,
              (long long)p->pEmu->pLedger->head.iView);
  p->eClose = EMU_CLOSE_QUIET;
}

static void sessionNoPrimary(EmuReq *p) {
  emuReqError(p, 503, "PrimaryNotFound",
              "RPC could not be forwarded to unknown primary.");
}

/* A request for the former primary; 0 when it is answered. */
static int sessionOld(EmuReq *p, EmuConn *pConn) {
  const EmuSessions *pAll = p->pEmu->pSessions;
  int bWrite = strcmp(p->zMethod, "GET") != 0;
  double ms;
  switch( pAll->eOld ) {
    case EMU_OLD_STEPPED:
      p->bBehind = !bWrite;
      if( bWrite ) sessionNoPrimary(p);
      return !bWrite;
    case EMU_OLD_STOPPED:
      ms = pAll->msResume - emuClock();
      if( ms > 0 ) p->msLate += (int)ms;
      if( bWrite && pConn && !pConn->bRefused ) {
        pConn->bRefused = 1;
        sessionNoPrimary(p);
      } else {
        sessionLost(p);
      }
      return 0;
    default: return 1;
  }
}

int emuSessionEnter(EmuReq *p) {
  const EmuSessions *pAll = p->pEmu->pSessions;
  EmuConn *pConn = emuConnOf(p->pHttp);
  if( emuReqToGateway(p) ) return 1;
  if( p->iSession == 0 ) {
    p->iSession = p->pEmu->pLedger->head.iView;
    if( pConn && pConn->iView == 0 ) pConn->iView = p->iSession;
    return 1;
  }
  if( p->iSession < pAll->iFirst ) {
    sessionLost(p);
    return 0;
  }
  return p->iSession > pAll->iOld || sessionOld(p, pConn);
}

/* ---- changes of view --------------------------------------------------- */

void emuSessionsChange(Emu *p, int eSessions) {
  EmuSessions *pAll = p->pSessions;
  int bOld = pAll->eOld != EMU_OLD_NONE;
  if( pAll->pTimer ) event_del(pAll->pTimer);
  pAll->eOld = EMU_OLD_NONE;
  pAll->iOld = 0;
  p->pLedger->bCut = 0;
  if( eSessions == EMU_SESSIONS_DEFAULT ) {
    eSessions = strcmp(p->args.zSessions, "kept") == 0 ? EMU_SESSIONS_KEPT
                                                       : EMU_SESSIONS_LOST;
  }
  if( bOld || eSessions == EMU_SESSIONS_LOST )
    pAll->iFirst = p->pLedger->head.iView;
}

/* An election that the former primary, now in state eOld, does not hear of. */
static int sessionsLeave(Emu *p, int eOld, LedgerError *pErr) {
  EmuSessions *pAll = p->pSessions;
  int64_t iOld = p->pLedger->head.iView, iFirst = pAll->iFirst;
  LedgerTxid old = p->pLedger->head.committed;
  int rc = emuLedgerElect(p, EMU_SESSIONS_KEPT, pErr);
  pAll->iFirst = iFirst;
  pAll->eOld = eOld;
  pAll->iOld = iOld;
  pAll->old = old;
  return rc;
}

static int sessionsArm(Emu *p, int64_t ms) {
  struct timeval tv = {ms / 1000, ms % 1000 * 1000};
  return p->pSessions->pTimer && evtimer_add(p->pSessions->pTimer, &tv) == 0;
}

/* The isolated primary's time is over: first it steps down, then it is back. */
static void sessionsTick(evutil_socket_t fd, short what, void *pArg) {
  Emu *p = pArg;
  LedgerError err = LEDGER_ERROR_INIT;
  (void)fd;
  (void)what;
  if( p->pSessions->eOld == EMU_OLD_CUT ) {
    sessionsLeave(p, EMU_OLD_STEPPED, &err); /* it says what fails */
    if( !sessionsArm(p, p->pSessions->msHeal) ) {
      emuSessionsChange(p, EMU_SESSIONS_LOST);
    }
  } else {
    emuSessionsChange(p, EMU_SESSIONS_LOST);
  }
  ledgerErrorClear(&err);
}

int emuSessionsIsolate(Emu *p, int64_t msFor, int64_t msHeal,
                       LedgerError *pErr) {
  EmuSessions *pAll = p->pSessions;
  if( pAll->eOld != EMU_OLD_NONE ) return LEDGER_OK;
  if( pAll->pTimer == NULL ) {
    pAll->pTimer = evtimer_new(p->pBase, sessionsTick, p);
  }
  if( !sessionsArm(p, msFor) ) return ledgerErrorNomem(pErr);
  pAll->eOld = EMU_OLD_CUT;
  pAll->iOld = p->pLedger->head.iView;
  pAll->msHeal = msHeal;
  p->pLedger->bCut = 1;
  return LEDGER_OK;
}

int emuSessionsStop(Emu *p, int64_t msFor, LedgerError *pErr) {
  p->pSessions->msResume = emuClock() + (double)msFor;
  return sessionsLeave(p, EMU_OLD_STOPPED, pErr);
}

void emuSessionsEnd(Emu *p) {
  if( p->pSessions->pTimer ) event_free(p->pSessions->pTimer);
  p->pSessions->pTimer = NULL;
}
