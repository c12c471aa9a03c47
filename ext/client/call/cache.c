/*
** What never changes again and is known already: answers of the ledger, kept
** by the request that they were given to, least recently used ones leave.
**
**     SELECT ledger_option('cache', 'memory');
**     SELECT ledger_option('cache_max_bytes', 1048576);
**
** Issues no request, and knows nothing of what it keeps: send.c asks it before
** it sends, retry.c gives it what is final.
**
** Invariants
**   - all that is kept is of one owner, a service key and a principal: with
**     another one everything is forgotten, and a new era begins;
**   - what is handed out lives until the cache is next asked or told anything.
*/
#include "client/call/callInt.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct LedgerCache {
  LedgerLru *pLru;           /* request -> answer */
  int64_t iEra;              /* 1, 2, ... goes up when all is forgotten */
  char zKey[LEDGER_KEY_MAX]; /* the owner: service key, "" behind a gateway */
  char *zPrincipal;          /* ... and principal, or NULL */
};

static LedgerCache *cacheNew(void) {
  LedgerCache *p = calloc(1, sizeof(*p));
  if( p ) p->pLru = ledgerLruNew(NULL);
  if( p == NULL || p->pLru == NULL ) {
    free(p);
    return NULL;
  }
  p->iEra = 1;
  return p;
}

/* Forgets what was not used for longest, until no more than nMax bytes are
** left. With 0 all is forgotten, and a new era begins. NULL is allowed. */
void ledgerCacheFit(LedgerCache *p, int64_t nMax) {
  if( p == NULL ) return;
  ledgerLruFit(p->pLru, nMax);
  if( nMax <= 0 ) p->iEra++;
}

/* NULL is allowed. */
void ledgerCacheFree(LedgerCache *p) {
  if( p == NULL ) return;
  ledgerLruFree(p->pLru);
  free(p->zPrincipal);
  free(p);
}

/*
** Says whose answers are asked for or given: those of the service with this
** key, to this principal (NULL: unknown). What was another's is forgotten.
** Returns the era: an answer that was asked for in another one may not be put.
*/
static int64_t cacheOwner(LedgerCache *p, const char *zKey,
                          const char *zPrincipal) {
  const int bSame =
      strcmp(p->zKey, zKey) == 0 &&
      (zPrincipal ? p->zPrincipal && strcmp(p->zPrincipal, zPrincipal) == 0
                  : p->zPrincipal == NULL);
  if( !bSame ) {
    ledgerCacheFit(p, 0);
    free(p->zPrincipal);
    p->zPrincipal = ledgerStrdup(zPrincipal);
    /* Without memory for its name the owner is nobody: nothing matches it. */
    if( zPrincipal && p->zPrincipal == NULL ) zKey = "?";
    snprintf(p->zKey, sizeof(p->zKey), "%s", zKey);
  }
  return p->iEra;
}

int ledgerCacheWanted(const LedgerConfig *p) {
  return p->zCache && strcmp(p->zCache, "off") != 0;
}

/* ---- for calls ---------------------------------------------------------- */

/* The cache, for the identity and the principal in force, or NULL where it may
** not be used. A token that doesn't say whose it is may be another's the next
** time it is fetched. */
static LedgerCache *cacheFor(const LedgerCall *p, int64_t *piEra) {
  LedgerClient *pClient = p->pClient;
  const LedgerAuth *pAuth = &pClient->auth;
  if( !p->bCache || p->zLink ) return NULL;
  if( pAuth->zPrincipal == NULL && pAuth->bRefreshable ) return NULL;
  if( pClient->pCache == NULL ) pClient->pCache = cacheNew();
  if( pClient->pCache == NULL ) return NULL;
  *piEra = cacheOwner(pClient->pCache, pClient->trust.zKey, pAuth->zPrincipal);
  return pClient->pCache;
}

/* The answer to the request zKey of a call, *pn bytes, or NULL; then the call
** notes the key, to keep the answer by that comes. */
const char *ledgerCacheAsk(LedgerCall *p, const char *zKey, size_t *pn) {
  LedgerCache *pCache;
  const char *z;
  free(p->zCacheKey);
  p->zCacheKey = NULL;
  if( (pCache = cacheFor(p, &p->iCacheEra)) == NULL ) return NULL;
  z = ledgerLruGet(pCache->pLru, zKey, strlen(zKey), pn);
  if( z == NULL ) p->zCacheKey = ledgerStrdup(zKey); /* no memory: not kept */
  return z;
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

/* Keeps the answer, if xRead found that it will never change, and it is still
** of the identity that it was asked of. Frees the copy. */
void ledgerCacheKeep(LedgerCall *p, LedgerBuf *pCopy) {
  LedgerCache *pCache;
  int64_t iEra;
  if( p->zCacheKey && p->bFinal && p->err.rc == LEDGER_OK && !pCopy->bOom &&
      (pCache = cacheFor(p, &iEra)) != NULL && iEra == p->iCacheEra ) {
    ledgerLruPut(pCache->pLru, p->zCacheKey, strlen(p->zCacheKey), pCopy->z,
                 pCopy->n, p->pClient->pConfig->cacheMaxBytes);
  }
  if( pCopy->z ) OPENSSL_cleanse(pCopy->z, pCopy->n);
  ledgerBufFree(pCopy);
}
