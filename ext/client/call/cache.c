/*
** What never changes again and is known already: a call asks the client's
** memory (LedgerMemory) before it is sent, and tells it what is final.
**
**     SELECT ledger_option('cache', 'memory');
**
** Issues no request. The request, path and query, is the key: send.c asks by
** it, retry.c keeps by it.
**
** Invariant: what was asked for by one reader, or of one service, is never kept
** for another.
*/
#include "client/call/callInt.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

int ledgerCacheWanted(const LedgerConfig *p) {
  return p->zCache && strcmp(p->zCache, "off") != 0;
}

/* Is the answer to the request zKey of a call known? Then it is appended; else
** the call notes the key, to keep the answer by that comes. */
int ledgerCacheAsk(LedgerCall *p, const char *zKey, LedgerBuf *pAnswer) {
  LedgerClient *pClient = p->pClient;
  free(p->zCacheKey);
  p->zCacheKey = NULL;
  if( !p->bCache || p->zLink || pClient->pMemory == NULL || !p->bOwner ) {
    return 0;
  }
  if( pClient->pMemory->xTell(pClient->pMemoryArg, zKey, pAnswer) ) return 1;
  p->zCacheKey = ledgerStrdup(zKey); /* no memory: not kept */
  return 0;
}

/* What was remembered can't be read, as another version of the module may have
** kept it: the call is as before it asked, but notes the key. */
void ledgerCacheForget(LedgerCall *p, const char *zKey) {
  if( p->pKind->xFree ) p->pKind->xFree(p);
  memset(p->pAnswer, 0, p->pKind->nAnswer);
  ledgerErrorClear(&p->err);
  p->bCached = p->bFinal = p->bFound = p->bAgain = 0;
  p->http = 0;
  p->nAttempt--;
  p->zCacheKey = ledgerStrdup(zKey);
}

/* A copy of the answer that has come, before xRead takes it; empty where it is
** not to be kept. ledgerCacheKeep() takes it back. */
LedgerBuf ledgerCacheCopy(const LedgerCall *p) {
  LedgerBuf copy = {0};
  if( p->zCacheKey && p->pEx->body.z ) {
    ledgerBufAppend(&copy, p->pEx->body.z, p->pEx->body.n);
  }
  return copy;
}

/* Keeps the answer, if xRead found that it will never change. Frees the
** copy. */
void ledgerCacheKeep(LedgerCall *p, LedgerBuf *pCopy) {
  const LedgerClient *pClient = p->pClient;
  if( p->zCacheKey && p->bFinal && p->err.rc == LEDGER_OK && !pCopy->bOom ) {
    pClient->pMemory->xKeep(pClient->pMemoryArg, p->aOwner, p->zCacheKey,
                            pCopy);
  }
  if( pCopy->z ) OPENSSL_cleanse(pCopy->z, pCopy->n);
  ledgerBufFree(pCopy);
}
