/*
** A table that forgets: values by key, within a bound of bytes; the one used
** longest ago leaves first. See base.h.
**
** Invariants
**   - keys, values, items, and the table of them count, never more than the
**     bound of the last put; what alone is larger isn't kept;
**   - a key or value may be a secret: it is wiped at its end.
*/
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

#define LRU_BUCKETS 16 /* of the first table; a power of two */
#define LRU_MALLOC 16  /* what malloc itself adds to each block, about */

/* One value; it stands behind the item in the same block, and its key behind
** it. */
typedef struct LruItem LruItem;
struct LruItem {
  LruItem *pChain; /* the next one of its bucket */
  LruItem *pNewer; /* used after it, or NULL */
  LruItem *pOlder; /* used before it, or NULL */
  size_t nKey;
  size_t nValue;
  unsigned iHash;
  max_align_t aValue[];
};

struct LedgerLru {
  LruItem **apBucket; /* nBucket of them, or NULL */
  unsigned nBucket;   /* a power of two */
  unsigned nItem;
  LruItem *pNewest;
  LruItem *pOldest;
  int64_t nByte;          /* all that counts */
  void (*xDrop)(void *p); /* or NULL */
};

LedgerLru *ledgerLruNew(void (*xDrop)(void *pValue)) {
  LedgerLru *p = calloc(1, sizeof(*p));
  if( p ) p->xDrop = xDrop;
  return p;
}

static unsigned lruHash(const unsigned char *a, size_t n) {
  unsigned h = 2166136261u;
  size_t i;
  for( i = 0; i < n; i++ ) h = (h ^ a[i]) * 16777619u;
  return h;
}

static unsigned char *lruKey(LruItem *pItem) {
  return (unsigned char *)pItem->aValue + pItem->nValue;
}

/* Bytes of an item, and of a table of buckets, malloc's own included. */
static int64_t lruItemBytes(size_t nKey, size_t nValue) {
  return (int64_t)(sizeof(LruItem) + nKey + nValue + LRU_MALLOC);
}

static int64_t lruTableBytes(unsigned nBucket) {
  return (int64_t)nBucket * (int64_t)sizeof(LruItem *) + LRU_MALLOC;
}

/* ---- the order of use --------------------------------------------------- */

static void lruUnlink(LedgerLru *p, LruItem *pItem) {
  if( pItem->pNewer ) {
    pItem->pNewer->pOlder = pItem->pOlder;
  } else {
    p->pNewest = pItem->pOlder;
  }
  if( pItem->pOlder ) {
    pItem->pOlder->pNewer = pItem->pNewer;
  } else {
    p->pOldest = pItem->pNewer;
  }
  pItem->pNewer = pItem->pOlder = NULL;
}

static void lruLink(LedgerLru *p, LruItem *pItem) {
  pItem->pOlder = p->pNewest;
  if( p->pNewest ) {
    p->pNewest->pNewer = pItem;
  } else {
    p->pOldest = pItem;
  }
  p->pNewest = pItem;
}

/* ---- the table ---------------------------------------------------------- */

static LruItem **lruBucket(const LedgerLru *p, unsigned iHash) {
  return &p->apBucket[iHash & (p->nBucket - 1)];
}

static LruItem *lruFind(const LedgerLru *p, const void *aKey, size_t nKey) {
  const unsigned iHash = lruHash(aKey, nKey);
  LruItem *pItem;
  if( p->nBucket == 0 ) return NULL;
  for( pItem = *lruBucket(p, iHash); pItem; pItem = pItem->pChain ) {
    if( pItem->iHash == iHash && pItem->nKey == nKey &&
        memcmp(lruKey(pItem), aKey, nKey) == 0 ) {
      break;
    }
  }
  return pItem;
}

/* Takes an item out and frees it. */
static void lruDrop(LedgerLru *p, LruItem *pItem) {
  LruItem **pp = lruBucket(p, pItem->iHash);
  while( *pp != pItem ) pp = &(*pp)->pChain;
  *pp = pItem->pChain;
  lruUnlink(p, pItem);
  p->nItem--;
  p->nByte -= lruItemBytes(pItem->nKey, pItem->nValue);
  if( p->xDrop ) p->xDrop(pItem->aValue);
  explicit_bzero(pItem->aValue, pItem->nValue + pItem->nKey);
  free(pItem);
}

/* Makes room in the table for one item more. Returns 0 when memory is short. */
static int lruGrow(LedgerLru *p) {
  const unsigned nNew = p->nBucket ? p->nBucket * 2 : LRU_BUCKETS;
  LruItem **apOld = p->apBucket, **apNew;
  unsigned i, nOld = p->nBucket;

  if( p->nItem < p->nBucket ) return 1;
  apNew = calloc(nNew, sizeof(LruItem *));
  if( apNew == NULL ) return 0;
  if( nOld ) p->nByte -= lruTableBytes(nOld);
  p->nByte += lruTableBytes(nNew);
  p->apBucket = apNew;
  p->nBucket = nNew;
  for( i = 0; i < nOld; i++ ) {
    while( apOld[i] ) {
      LruItem *pItem = apOld[i];
      LruItem **pp = lruBucket(p, pItem->iHash);
      apOld[i] = pItem->pChain;
      pItem->pChain = *pp;
      *pp = pItem;
    }
  }
  free(apOld);
  return 1;
}

/* ---- what others call --------------------------------------------------- */

void ledgerLruFit(LedgerLru *p, int64_t nMax) {
  LruItem *pItem, *pNext;
  if( p == NULL ) return;
  for( pItem = p->pOldest; pItem && p->nByte > nMax; pItem = pNext ) {
    pNext = pItem->pNewer;
    lruDrop(p, pItem);
  }
  if( p->nItem == 0 ) {
    free(p->apBucket);
    p->apBucket = NULL;
    p->nBucket = 0;
    p->nByte = 0;
  }
}

void ledgerLruFree(LedgerLru *p) {
  ledgerLruFit(p, 0);
  free(p);
}

void *ledgerLruGet(LedgerLru *p, const void *aKey, size_t nKey,
                   size_t *pnValue) {
  LruItem *pItem = lruFind(p, aKey, nKey);
  if( pnValue ) *pnValue = pItem ? pItem->nValue : 0;
  if( pItem == NULL ) return NULL;
  lruUnlink(p, pItem);
  lruLink(p, pItem);
  return pItem->aValue;
}

int ledgerLruPut(LedgerLru *p, const void *aKey, size_t nKey,
                 const void *aValue, size_t nValue, int64_t nMax) {
  LruItem *pItem = lruFind(p, aKey, nKey);
  LruItem **pp;
  int64_t n;

  if( pItem ) lruDrop(p, pItem);
  if( nValue > SIZE_MAX / 2 ) return 0;
  n = lruItemBytes(nKey, nValue);
  if( n + lruTableBytes(LRU_BUCKETS) > nMax ) return 0;
  pItem = malloc(sizeof(*pItem) + nKey + nValue);
  if( pItem == NULL ) return 0;
  do { /* room first; a table that had to grow may take it away */
    ledgerLruFit(p, nMax - n);
    if( !lruGrow(p) ) {
      free(pItem);
      return 0;
    }
  } while( p->nByte + n > nMax );
  memset(pItem, 0, sizeof(*pItem));
  pItem->nKey = nKey;
  pItem->nValue = nValue;
  pItem->iHash = lruHash(aKey, nKey);
  if( nValue ) memcpy(pItem->aValue, aValue, nValue);
  memcpy(lruKey(pItem), aKey, nKey);
  pp = lruBucket(p, pItem->iHash);
  pItem->pChain = *pp;
  *pp = pItem;
  lruLink(p, pItem);
  p->nItem++;
  p->nByte += n;
  return 1;
}

int64_t ledgerLruBytes(const LedgerLru *p, int *pnItem) {
  if( pnItem ) *pnItem = (int)p->nItem;
  return p->nByte;
}
