/*
** What the files of client/call share with each other and nobody else.
*/
#ifndef LEDGER_CALL_INT_H
#define LEDGER_CALL_INT_H

#include "client/call/call.h"

/* ---- call.c ------------------------------------------------------------- */

int ledgerCallTimeout(const LedgerCall *p);
const char *ledgerCallBase(const LedgerCall *p);
int ledgerCallLags(const LedgerCall *p);
void ledgerCallResend(LedgerCall *p);
void ledgerCallAgain(LedgerCall *p);
int ledgerCallRetry(LedgerCall *p, int msBudget, int msAfter);

/* ---- note.c ------------------------------------------------------------- */

void ledgerNoteExchange(LedgerCall *p, const char *zError);
void ledgerNoteCached(const LedgerCall *p, const char *zHost,
                      const char *zRest);

/* ---- cache.c ------------------------------------------------------------ */

int ledgerCacheAsk(LedgerCall *p, const char *zKey, LedgerBuf *pAnswer);
void ledgerCacheForget(LedgerCall *p, const char *zKey);
LedgerBuf ledgerCacheCopy(const LedgerCall *p);
void ledgerCacheKeep(LedgerCall *p, LedgerBuf *pCopy);

/* ---- response.c --------------------------------------------------------- */

int ledgerResponseFailed(LedgerCall *p, LedgerError *pErr);

/* ---- session.c ---------------------------------------------------------- */

int ledgerSessionHolds(const LedgerCall *p);
void ledgerSessionEnd(LedgerCall *p, int msRetryAfter);
void ledgerSessionAnswered(LedgerCall *p);
void ledgerSessionWrote(LedgerCall *p, LedgerTxid id);
int ledgerSessionMoves(LedgerCall *p);
int ledgerSessionMove(LedgerCall *p, const char *zBase);

/* ---- redirect.c --------------------------------------------------------- */

void ledgerRedirectFollow(LedgerCall *p);
void ledgerRedirectForget(LedgerCall *p);

/* ---- retry.c ------------------------------------------------------------ */

void ledgerRetryRead(LedgerCall *p);
void ledgerRetryTimedOut(LedgerCall *p);

#endif /* LEDGER_CALL_INT_H */
