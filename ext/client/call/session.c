/*
** A session: one kept connection to one node, for requests whose order counts.
**
** CCF pins a connection, at the first request that it carries out on it, to
** the view that the node is in: a write that comes on it later is recorded in
** that view or never, and after a change of view the answer is 500
** SessionConsistencyLost. So writes that go one after another by one session
** stand in the ledger in their order, without a hole.
**
** Requests: none of its own. Calls that are started between
** ledgerSessionUse(p, pSession) and ledgerSessionUse(p, NULL) go by it.
**
** Invariants
**   - once an answer came by it, libcurl may make no other connection for it: a
**     connection that was closed ends the session, it is never replaced;
**   - a session that has ended sends nothing more: what is started on it fails
**     as certainly not sent. It ends with a connection lost, an answer that
**     doesn't come, 307, 408, any 5xx, 404 FrontendNotOpen, and a write that is
**     answered from another view than those before it;
**   - until the first answer came it is as any other connection: connecting is
**     tried again, a redirect followed (retry.c, redirect.c). A connection
**     that is made anew takes the place of the one before.
*/
#include "client/call/callInt.h"

#include <stdlib.h>
#include <string.h>

#define SESSION_IDLE_MS 25000 /* the service closes a connection after 60 s */

int ledgerSessionOpen(LedgerClient *pClient, LedgerSession **ppSession,
                      LedgerError *pErr) {
  LedgerSession *p = calloc(1, sizeof(*p));
  *ppSession = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  p->zBase = ledgerStrdup(pClient->zPrimary ? pClient->zPrimary
                                            : pClient->pConfig->zUrl);
  if( p->zBase == NULL || ledgerHttpNew(&p->pHttp, pErr) ) {
    free(p->zBase);
    free(p);
    return ledgerErrorNomem(pErr);
  }
  p->msRetryAfter = -1;
  p->tUsed = ledgerClockMs();
  p->pClient = pClient;
  p->pNext = pClient->pSessions;
  pClient->pSessions = p;
  *ppSession = p;
  return LEDGER_OK;
}

/* Ends the calls that go by the session, and its connection. The object stays
** until its owner closes it. */
void ledgerSessionOrphan(LedgerSession *p) {
  LedgerClient *pClient = p->pClient;
  LedgerSession **pp;
  LedgerCall *pCall, *pNext;
  p->bEnded = 1;
  if( pClient == NULL ) return;
  for( pCall = pClient->pCalls; pCall; pCall = pNext ) {
    pNext = pCall->pNext;
    if( pCall->pSession == p ) ledgerCallOrphan(pCall);
  }
  if( pClient->pUse == p ) pClient->pUse = NULL;
  for( pp = &pClient->pSessions; *pp != p; ) pp = &(*pp)->pNext;
  *pp = p->pNext;
  ledgerHttpFree(p->pHttp);
  p->pHttp = NULL;
  p->pClient = NULL;
}

void ledgerSessionClose(LedgerSession *p) {
  if( p == NULL ) return;
  ledgerSessionOrphan(p);
  free(p->zBase);
  free(p);
}

void ledgerSessionUse(LedgerClient *p, LedgerSession *pSession) {
  p->pUse = pSession;
}

int ledgerSessionEnded(const LedgerSession *p) {
  return p->bEnded;
}

int ledgerSessionFits(const LedgerSession *p) {
  const LedgerClient *pClient = p->pClient;
  const char *zBase;
  if( p->bEnded || !p->bOpen || pClient == NULL ) return 0;
  zBase = pClient->zPrimary ? pClient->zPrimary : pClient->pConfig->zUrl;
  return ledgerClockMs() - p->tUsed < SESSION_IDLE_MS &&
         strcmp(zBase, p->zBase) == 0;
}

int64_t ledgerSessionView(const LedgerSession *p) {
  return p->pClient && p->pClient->bBreaks ? 0 : p->last.view;
}

LedgerTxid ledgerSessionLast(const LedgerSession *p) {
  return p->last;
}

int ledgerSessionRetryAfter(const LedgerSession *p) {
  return p->msRetryAfter;
}

/* ---- for the files that carry a call out -------------------------------- */

/* Whether the call goes by a session that has been answered: it can't be sent
** by another connection. */
int ledgerSessionHolds(const LedgerCall *p) {
  return p->pSession && p->pSession->bOpen;
}

/* The call's exchange ended in a way that ends its session, if it has one. */
void ledgerSessionEnd(LedgerCall *p, int msRetryAfter) {
  if( p->pSession == NULL ) return;
  p->pSession->bEnded = 1;
  p->pSession->msRetryAfter = msRetryAfter;
}

/* The call was answered by its session, if it has one: it stays there. */
void ledgerSessionAnswered(LedgerCall *p) {
  if( p->pSession == NULL ) return;
  p->pSession->bOpen = 1;
  p->pSession->tUsed = ledgerClockMs();
}

/* A write was recorded under this id, by the call's session if it has one. */
void ledgerSessionWrote(LedgerCall *p, LedgerTxid id) {
  LedgerSession *pSession = p->pSession;
  p->pClient->nMoved = 0;
  if( pSession == NULL ) return;
  if( pSession->last.view && pSession->last.view != id.view ) {
    pSession->bEnded = 1;
    p->pClient->bBreaks = 1;
  } else {
    pSession->last = id;
  }
}

/* The call's session is redirected: how often that has happened in a row. It
** ends a session that was answered, and the next one goes elsewhere. */
int ledgerSessionMoves(LedgerCall *p) {
  return ledgerSessionHolds(p) ? ++p->pClient->nMoved : 0;
}

/* A redirect was followed before anything was answered. Returns 0 when memory
** is short. */
int ledgerSessionMove(LedgerCall *p, const char *zBase) {
  char *z;
  if( p->pSession == NULL ) return 1;
  z = ledgerStrdup(zBase);
  if( z == NULL ) return 0;
  free(p->pSession->zBase);
  p->pSession->zBase = z;
  return 1;
}
