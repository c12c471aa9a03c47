/*
** Checks ext/client/call/cache.c from inside: what is kept, in which order it
** leaves, that the bound holds for whatever is put, and whose it is.
**
**     build/unit/cache
*/
#include "check.h"

#include "client/call/callInt.h"

#define ROOM 1000000 /* more than what most cases keep */

static void put(LedgerCache *p, const char *zKey, const char *zBody,
                int64_t nMax) {
  ledgerCachePut(p, zKey, zBody, strlen(zBody), nMax);
}

/* Whether the answer kept for the key is this one; NULL: none. */
static int is(LedgerCache *p, const char *zKey, const char *zBody) {
  size_t n;
  const char *z = ledgerCacheGet(p, zKey, &n);
  if( z == NULL || zBody == NULL ) return z == zBody && n == 0;
  return n == strlen(zBody) && memcmp(z, zBody, n) == 0;
}

static int items(const LedgerCache *p) {
  int n;
  ledgerCacheBytes(p, &n);
  return n;
}

static int64_t bytes(const LedgerCache *p) {
  int n;
  return ledgerCacheBytes(p, &n);
}

static void cacheKeeps(void) {
  LedgerCache *p = ledgerCacheNew();
  CHECK(is(p, "/a", NULL));
  put(p, "/a", "one", ROOM);
  put(p, "/a?x=1", "", ROOM);
  CHECK(is(p, "/a", "one"));
  CHECK(is(p, "/a?x=1", ""));
  CHECK(is(p, "/", NULL));
  CHECK(items(p) == 2);
  /* A body may hold anything. */
  ledgerCachePut(p, "/nul", "a\0b", 3, ROOM);
  {
    size_t n;
    const char *z = ledgerCacheGet(p, "/nul", &n);
    CHECK(n == 3 && memcmp(z, "a\0b", 3) == 0);
  }
  ledgerCacheFree(p);
}

static void cacheReplaces(void) {
  LedgerCache *p = ledgerCacheNew();
  int64_t n;
  put(p, "/a", "first", ROOM);
  n = bytes(p);
  put(p, "/a", "other", ROOM);
  CHECK(is(p, "/a", "other"));
  CHECK(items(p) == 1 && bytes(p) == n);
  put(p, "/a", "longer than it was", ROOM);
  CHECK(bytes(p) == n + 13);
  ledgerCacheFree(p);
}

/* The least recently used one leaves; being read is being used. */
static void cacheOrder(void) {
  LedgerCache *p = ledgerCacheNew();
  int64_t nMax;
  put(p, "/1", "x", ROOM);
  put(p, "/2", "x", ROOM);
  put(p, "/3", "x", ROOM);
  nMax = bytes(p);
  CHECK(is(p, "/1", "x"));
  put(p, "/4", "x", nMax);
  CHECK(items(p) == 3 && is(p, "/2", NULL));
  put(p, "/5", "x", nMax);
  CHECK(is(p, "/3", NULL));
  put(p, "/6", "x", nMax);
  CHECK(is(p, "/1", NULL));
  CHECK(is(p, "/4", "x") && is(p, "/5", "x") && is(p, "/6", "x"));
  ledgerCacheFree(p);
}

/* Whatever is put, the bound holds, and the count is that of what is there. */
static void cacheBound(void) {
  static const int64_t aMax[] = {4096, 5000, 20000, 1000000};
  char *zBody = calloc(1, 30001);
  unsigned r = 1;
  size_t i;
  for( i = 0; i < N_OF(aMax); i++ ) {
    LedgerCache *p = ledgerCacheNew();
    int k;
    for( k = 0; k < 20000; k++ ) {
      char zKey[64];
      size_t n;
      r = r * 1664525u + 1013904223u;
      snprintf(zKey, sizeof(zKey), "/app/transactions/2.%u", (r >> 8) % 9000);
      n = (r >> 20) % 50 == 0 ? (r >> 4) % 30000 : (r >> 4) % 200;
      if( (r & 7) == 0 ) {
        const char *z = ledgerCacheGet(p, zKey, &n);
        CHECK(z == NULL || n <= 30000);
      } else {
        memset(zBody, 'x', n);
        ledgerCachePut(p, zKey, zBody, n, aMax[i]);
      }
      CHECK(bytes(p) <= aMax[i]);
    }
    CHECK(items(p) > 5);
    ledgerCacheFit(p, 1);
    CHECK(items(p) == 0 && bytes(p) == 0);
    ledgerCacheFree(p);
  }
  free(zBody);
}

/* What is alone too large isn't kept, and drives nothing out. */
static void cacheTooLarge(void) {
  LedgerCache *p = ledgerCacheNew();
  char *zBody = calloc(1, 5000);
  memset(zBody, 'x', 4999);
  put(p, "/small", "x", 4096);
  put(p, "/large", zBody, 4096);
  CHECK(is(p, "/large", NULL) && is(p, "/small", "x"));
  /* The former answer of that request is gone all the same. */
  put(p, "/small", zBody, 4096);
  CHECK(is(p, "/small", NULL) && items(p) == 0);
  free(zBody);
  ledgerCacheFree(p);
}

/* A smaller bound frees at once. */
static void cacheFit(void) {
  LedgerCache *p = ledgerCacheNew();
  int k;
  for( k = 0; k < 5000; k++ ) {
    char zKey[16];
    snprintf(zKey, sizeof(zKey), "/%d", k);
    put(p, zKey, "body", ROOM);
  }
  CHECK(items(p) == 5000);
  ledgerCacheFit(p, 100000);
  CHECK(bytes(p) <= 100000 && items(p) > 100 && is(p, "/4999", "body"));
  CHECK(is(p, "/0", NULL));
  ledgerCacheFit(p, 0);
  CHECK(bytes(p) == 0 && items(p) == 0 && is(p, "/4999", NULL));
  put(p, "/again", "body", ROOM);
  CHECK(is(p, "/again", "body"));
  ledgerCacheFree(p);
  ledgerCacheFit(NULL, 0);
  ledgerCacheFree(NULL);
}

/* Another key or another principal: nothing of the former one is left. */
static void cacheOwner(void) {
  static const struct {
    const char *zKey, *zPrincipal;
  } a[] = {{"sha256:1", "alice"},
           {"sha256:2", "alice"},
           {"sha256:2", "bob"},
           {"sha256:2", NULL},
           {"", NULL},
           {"sha256:1", "alice"}};
  LedgerCache *p = ledgerCacheNew();
  int64_t iBefore = 0;
  size_t i;
  for( i = 0; i < N_OF(a); i++ ) {
    int64_t iEra = ledgerCacheOwner(p, a[i].zKey, a[i].zPrincipal);
    CHECK(iEra != iBefore && is(p, "/a", NULL) && items(p) == 0);
    put(p, "/a", "x", ROOM);
    CHECK(ledgerCacheOwner(p, a[i].zKey, a[i].zPrincipal) == iEra);
    CHECK(is(p, "/a", "x"));
    iBefore = iEra;
  }
  ledgerCacheFree(p);
}

/* Forgetting begins an era; evicting doesn't. */
static void cacheEra(void) {
  LedgerCache *p = ledgerCacheNew();
  int64_t iEra = ledgerCacheOwner(p, "k", "p");
  put(p, "/a", "x", ROOM);
  ledgerCacheFit(p, 1);
  CHECK(ledgerCacheOwner(p, "k", "p") == iEra);
  ledgerCacheFit(p, 0);
  CHECK(ledgerCacheOwner(p, "k", "p") != iEra);
  ledgerCacheFree(p);
}

/* Many in few buckets: the table grows, and each is found. */
static void cacheMany(void) {
  LedgerCache *p = ledgerCacheNew();
  int k, nFound = 0;
  for( k = 0; k < 50000; k++ ) {
    char zKey[32];
    snprintf(zKey, sizeof(zKey), "/app/%d", k);
    put(p, zKey, zKey, 100 * ROOM);
  }
  for( k = 0; k < 50000; k++ ) {
    char zKey[32];
    snprintf(zKey, sizeof(zKey), "/app/%d", k);
    nFound += is(p, zKey, zKey);
  }
  CHECK(nFound == 50000);
  ledgerCacheFree(p);
}

static const CheckCase aCase[] = {
    {"keeps", cacheKeeps},        {"replaces", cacheReplaces},
    {"order", cacheOrder},        {"bound", cacheBound},
    {"too-large", cacheTooLarge}, {"fit", cacheFit},
    {"owner", cacheOwner},        {"era", cacheEra},
    {"many", cacheMany},
};

int main(void) {
  return checkAll(aCase, N_OF(aCase));
}
