/*
** What never changes again and is known already: answers of the ledger, kept
** by the request that they were given to, least recently used ones leave.
**
**     SELECT ledger_option('cache', 'on');
**     SELECT ledger_option('cache_max_bytes', 1048576);
**
** Issues no request, and knows nothing of what it keeps: send.c asks it before
** it sends, retry.c gives it what is final.
**
** Invariants
**   - all that is kept is of one owner, a service key and a principal: with
**     another one everything is forgotten, and a new era begins;
**   - bytes of keys, answers, items, and the table of them count, never more
**     than the bound; what alone is larger isn't kept;
**   - what is handed out lives until the cache is next asked or told anything;
**   - an answer may hold a secret (claims carry a key): it is wiped at its end.
*/
#include "client/call/callInt.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_BUCKETS 16 /* of the first table; a power of two */
#define CACHE_MALLOC 16  /* what malloc itself adds to each block, about */

/* One answer; key and body stand behind it in the same block. */
typedef struct CacheItem CacheItem;
struct CacheItem {
  CacheItem *pChain; /* the next one of its bucket */
  CacheItem *pNewer; /* used after it, or NULL */
  CacheItem *pOlder; /* used before it, or NULL */
  size_t nAlloc;     /* bytes of the block, malloc's own included */
  size_t nBody;
  unsigned iHash;
  char zKey[]; /* NUL-terminated; the body follows */
};

struct LedgerCache {
  CacheItem **apBucket; /* nBucket of them, or NULL */
  unsigned nBucket;     /* a power of two */
  unsigned nItem;
  CacheItem *pNewest;
  CacheItem *pOldest;
  int64_t nByte; /* all that counts */
  int64_t iEra;  /* 1, 2, ... goes up when all is forgotten */
  char zKey
      [LEDGER_KEY_MAX]; /* the owner: service key, "" behind a gateway ... */
  char *zPrincipal;     /* ... and principal, or NULL */
};

LedgerCache *ledgerCacheNew(void) {
  LedgerCache *p = calloc(1, sizeof(*p));
  if( p ) p->iEra = 1;
  return p;
}

static unsigned cacheHash(const char *z) {
  unsigned h = 2166136261u;
  for( ; *z; z++ ) h = (h ^ (unsigned char)*z) * 16777619u;
  return h;
}

/* ---- the order of use --------------------------------------------------- */

static void cacheUnlink(LedgerCache *p, CacheItem *pItem) {
  if( pItem->pNewer )
    pItem->pNewer->pOlder = pItem->pOlder;
  else
    p->pNewest = pItem->pOlder;
  if( pItem->pOlder )
    pItem->pOlder->pNewer = pItem->pNewer;
  else
    p->pOldest = pItem->pNewer;
  pItem->pNewer = pItem->pOlder = NULL;
}

static void cacheLink(LedgerCache *p, CacheItem *pItem) {
  pItem->pOlder = p->pNewest;
  if( p->pNewest )
    p->pNewest->pNewer = pItem;
  else
    p->pOldest = pItem;
  p->pNewest = pItem;
}

/* ---- the table ---------------------------------------------------------- */

static CacheItem **cacheBucket(const LedgerCache *p, unsigned iHash) {
  return &p->apBucket[iHash & (p->nBucket - 1)];
}

static CacheItem *cacheFind(const LedgerCache *p, const char *zKey) {
  const unsigned iHash = cacheHash(zKey);
  CacheItem *pItem;
  if( p->nBucket == 0 ) return NULL;
  for( pItem = *cacheBucket(p, iHash); pItem; pItem = pItem->pChain ) {
    if( pItem->iHash == iHash && strcmp(pItem->zKey, zKey) == 0 ) break;
  }
  return pItem;
}

/* Takes an item out and frees it. */
static void cacheDrop(LedgerCache *p, CacheItem *pItem) {
  CacheItem **pp = cacheBucket(p, pItem->iHash);
  while( *pp != pItem ) pp = &(*pp)->pChain;
  *pp = pItem->pChain;
  cacheUnlink(p, pItem);
  p->nItem--;
  p->nByte -= (int64_t)pItem->nAlloc;
  OPENSSL_cleanse(pItem, pItem->nAlloc - CACHE_MALLOC);
  free(pItem);
}

static int64_t cacheTableBytes(unsigned nBucket) {
  return (int64_t)nBucket * (int64_t)sizeof(CacheItem *) + CACHE_MALLOC;
}

/* Makes room in the table for one item more. Returns 0 when memory is short. */
static int cacheGrow(LedgerCache *p) {
  const unsigned nNew = p->nBucket ? p->nBucket * 2 : CACHE_BUCKETS;
  CacheItem **apOld = p->apBucket, **apNew;
  unsigned i, nOld = p->nBucket;

  if( p->nItem < p->nBucket ) return 1;
  apNew = calloc(nNew, sizeof(CacheItem *));
  if( apNew == NULL ) return 0;
  if( nOld ) p->nByte -= cacheTableBytes(nOld);
  p->nByte += cacheTableBytes(nNew);
  p->apBucket = apNew;
  p->nBucket = nNew;
  for( i = 0; i < nOld; i++ ) {
    while( apOld[i] ) {
      CacheItem *pItem = apOld[i];
      CacheItem **pp = cacheBucket(p, pItem->iHash);
      apOld[i] = pItem->pChain;
      pItem->pChain = *pp;
      *pp = pItem;
    }
  }
  free(apOld);
  return 1;
}

/* ---- what others call --------------------------------------------------- */

/* Forgets what was not used for longest, until no more than nMax bytes are
** left. With 0 all is forgotten, and a new era begins. NULL is allowed. */
void ledgerCacheFit(LedgerCache *p, int64_t nMax) {
  CacheItem *pItem, *pNext;
  if( p == NULL ) return;
  for( pItem = p->pOldest; pItem && p->nByte > nMax; pItem = pNext ) {
    pNext = pItem->pNewer;
    cacheDrop(p, pItem);
  }
  if( p->nItem == 0 ) {
    free(p->apBucket);
    p->apBucket = NULL;
    p->nBucket = 0;
    p->nByte = 0;
  }
  if( nMax <= 0 ) p->iEra++;
}

/* NULL is allowed. */
void ledgerCacheFree(LedgerCache *p) {
  if( p == NULL ) return;
  ledgerCacheFit(p, 0);
  free(p->zPrincipal);
  free(p);
}

/*
** Says whose answers are asked for or given: those of the service with this
** key, to this principal (NULL: unknown). What was another's is forgotten.
** Returns the era: an answer that was asked for in another one may not be put.
*/
int64_t ledgerCacheOwner(LedgerCache *p, const char *zKey,
                         const char *zPrincipal) {
  const int bSame =
      strcmp(p->zKey, zKey) == 0 &&
      (zPrincipal ? p->zPrincipal && strcmp(p->zPrincipal, zPrincipal) == 0
                  : p->zPrincipal == NULL);
  if( !bSame ) {
    ledgerCacheFit(p, 0);
    free(p->zPrincipal);
    p->zPrincipal =
        zPrincipal ? ledgerStrndup(zPrincipal, strlen(zPrincipal)) : NULL;
    /* Without memory for its name the owner is nobody: nothing matches it. */
    if( zPrincipal && p->zPrincipal == NULL ) zKey = "?";
    snprintf(p->zKey, sizeof(p->zKey), "%s", zKey);
  }
  return p->iEra;
}

/* The answer to a request, *pn bytes, or NULL. It counts as used. */
const char *ledgerCacheGet(LedgerCache *p, const char *zKey, size_t *pn) {
  CacheItem *pItem = cacheFind(p, zKey);
  *pn = 0;
  if( pItem == NULL ) return NULL;
  cacheUnlink(p, pItem);
  cacheLink(p, pItem);
  *pn = pItem->nBody;
  return pItem->zKey + strlen(pItem->zKey) + 1;
}

/* Keeps an answer, copied, within nMax bytes in all; in place of the one that
** was kept for the same request. Where memory is short it isn't kept. */
void ledgerCachePut(LedgerCache *p, const char *zKey, const char *aBody,
                    size_t nBody, int64_t nMax) {
  const size_t nKey = strlen(zKey) + 1;
  CacheItem *pItem = cacheFind(p, zKey);
  CacheItem **pp;
  size_t n;

  if( pItem ) cacheDrop(p, pItem);
  if( nBody > SIZE_MAX / 2 ) return;
  n = sizeof(*pItem) + nKey + nBody;
  if( (int64_t)(n + CACHE_MALLOC) + cacheTableBytes(CACHE_BUCKETS) > nMax ) {
    return;
  }
  ledgerCacheFit(p, nMax - (int64_t)(n + CACHE_MALLOC)); /* room first */
  pItem = malloc(n);
  if( pItem == NULL ) return;
  memset(pItem, 0, sizeof(*pItem));
  pItem->nAlloc = n + CACHE_MALLOC;
  pItem->nBody = nBody;
  pItem->iHash = cacheHash(zKey);
  memcpy(pItem->zKey, zKey, nKey);
  if( nBody ) memcpy(pItem->zKey + nKey, aBody, nBody);
  if( !cacheGrow(p) ) {
    free(pItem);
    return;
  }
  pp = cacheBucket(p, pItem->iHash);
  pItem->pChain = *pp;
  *pp = pItem;
  cacheLink(p, pItem);
  p->nItem++;
  p->nByte += (int64_t)pItem->nAlloc;
  ledgerCacheFit(p, nMax); /* the table may have grown */
}

/* The bytes that count, and the answers kept. */
int64_t ledgerCacheBytes(const LedgerCache *p, int *pnItem) {
  *pnItem = (int)p->nItem;
  return p->nByte;
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
  if( pClient->pCache == NULL ) pClient->pCache = ledgerCacheNew();
  if( pClient->pCache == NULL ) return NULL;
  *piEra =
      ledgerCacheOwner(pClient->pCache, pClient->trust.zKey, pAuth->zPrincipal);
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
  z = ledgerCacheGet(pCache, zKey, pn);
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
    ledgerCachePut(pCache, p->zCacheKey, pCopy->z, pCopy->n,
                   p->pClient->pConfig->cacheMaxBytes);
  }
  if( pCopy->z ) OPENSSL_cleanse(pCopy->z, pCopy->n);
  ledgerBufFree(pCopy);
}
