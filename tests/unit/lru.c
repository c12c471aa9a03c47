/*
** Checks ext/base/lru.c: what is kept, in which order it leaves, and that the
** bound holds for whatever is put.
**
**     build/unit/lru
*/
#include "check.h"

#include "base/base.h"

#define ROOM 1000000 /* more than what most cases keep */

static void put(LedgerLru *p, const char *zKey, const char *zBody,
                int64_t nMax) {
  ledgerLruPut(p, zKey, strlen(zKey), zBody, strlen(zBody), nMax);
}

/* Memory of n bytes and a NUL, all of them 0. */
static char *body(size_t n) {
  char *z = calloc(1, n + 1);
  if( z == NULL ) abort();
  return z;
}

/* Whether the value kept by the key is this one; NULL: none. */
static int is(LedgerLru *p, const char *zKey, const char *zBody) {
  size_t n;
  const char *z = ledgerLruGet(p, zKey, strlen(zKey), &n);
  if( z == NULL || zBody == NULL ) return z == zBody && n == 0;
  return n == strlen(zBody) && memcmp(z, zBody, n) == 0;
}

static int items(const LedgerLru *p) {
  int n;
  ledgerLruBytes(p, &n);
  return n;
}

static int64_t bytes(const LedgerLru *p) {
  return ledgerLruBytes(p, NULL);
}

static void lruKeeps(void) {
  LedgerLru *p = ledgerLruNew(NULL);
  CHECK(is(p, "/a", NULL));
  put(p, "/a", "one", ROOM);
  put(p, "/a?x=1", "", ROOM);
  CHECK(is(p, "/a", "one"));
  CHECK(is(p, "/a?x=1", ""));
  CHECK(is(p, "/", NULL));
  CHECK(items(p) == 2);
  /* A body may hold anything. */
  ledgerLruPut(p, "/nul", 4, "a\0b", 3, ROOM);
  {
    size_t n;
    const char *z = ledgerLruGet(p, "/nul", 4, &n);
    CHECK(n == 3 && memcmp(z, "a\0b", 3) == 0);
  }
  ledgerLruFree(p);
}

static void lruReplaces(void) {
  LedgerLru *p = ledgerLruNew(NULL);
  int64_t n;
  put(p, "/a", "first", ROOM);
  n = bytes(p);
  put(p, "/a", "other", ROOM);
  CHECK(is(p, "/a", "other"));
  CHECK(items(p) == 1 && bytes(p) == n);
  put(p, "/a", "longer than it was", ROOM);
  CHECK(bytes(p) == n + 13);
  ledgerLruFree(p);
}

/* The least recently used one leaves; being read is being used. */
static void lruOrder(void) {
  LedgerLru *p = ledgerLruNew(NULL);
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
  ledgerLruFree(p);
}

/* Whatever is put, the bound holds, and the count is that of what is there. */
static void lruBound(void) {
  static const int64_t aMax[] = {4096, 5000, 20000, 1000000};
  char *zBody = body(30000);
  unsigned r = 1;
  size_t i;
  for( i = 0; i < N_OF(aMax); i++ ) {
    LedgerLru *p = ledgerLruNew(NULL);
    int k;
    for( k = 0; k < 20000; k++ ) {
      char zKey[64];
      size_t n;
      r = r * 1664525u + 1013904223u;
      snprintf(zKey, sizeof(zKey), "/app/transactions/2.%u", (r >> 8) % 9000);
      n = (r >> 20) % 50 == 0 ? (r >> 4) % 30000 : (r >> 4) % 200;
      if( (r & 7) == 0 ) {
        const char *z = ledgerLruGet(p, zKey, strlen(zKey), &n);
        CHECK(z == NULL || n <= 30000);
      } else {
        memset(zBody, 'x', n);
        ledgerLruPut(p, zKey, strlen(zKey), zBody, n, aMax[i]);
      }
      CHECK(bytes(p) <= aMax[i]);
    }
    CHECK(items(p) > 5);
    ledgerLruFit(p, 1);
    CHECK(items(p) == 0 && bytes(p) == 0);
    ledgerLruFree(p);
  }
  free(zBody);
}

/* What is alone too large isn't kept, and drives nothing out. */
static void lruTooLarge(void) {
  LedgerLru *p = ledgerLruNew(NULL);
  char *zBody = body(4999);
  memset(zBody, 'x', 4999);
  put(p, "/small", "x", 4096);
  put(p, "/large", zBody, 4096);
  CHECK(is(p, "/large", NULL) && is(p, "/small", "x"));
  /* The former answer of that request is gone all the same. */
  put(p, "/small", zBody, 4096);
  CHECK(is(p, "/small", NULL) && items(p) == 0);
  free(zBody);
  ledgerLruFree(p);
}

/* A smaller bound frees at once. */
static void lruFit(void) {
  LedgerLru *p = ledgerLruNew(NULL);
  int k;
  for( k = 0; k < 5000; k++ ) {
    char zKey[16];
    snprintf(zKey, sizeof(zKey), "/%d", k);
    put(p, zKey, "body", ROOM);
  }
  CHECK(items(p) == 5000);
  ledgerLruFit(p, 100000);
  CHECK(bytes(p) <= 100000 && items(p) > 100 && is(p, "/4999", "body"));
  CHECK(is(p, "/0", NULL));
  ledgerLruFit(p, 0);
  CHECK(bytes(p) == 0 && items(p) == 0 && is(p, "/4999", NULL));
  put(p, "/again", "body", ROOM);
  CHECK(is(p, "/again", "body"));
  ledgerLruFree(p);
  ledgerLruFit(NULL, 0);
  ledgerLruFree(NULL);
}

/* Many in few buckets: the table grows, and each is found. */
static void lruMany(void) {
  LedgerLru *p = ledgerLruNew(NULL);
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
  ledgerLruFree(p);
}

static int nDropped;

static void count(void *pValue) {
  nDropped += *(int *)pValue;
}

/* Whoever keeps a reference hears of its end, once. */
static void lruDropped(void) {
  LedgerLru *p = ledgerLruNew(count);
  int one = 1, ten = 10;
  CHECK(ledgerLruPut(p, "a", 1, &one, sizeof(one), ROOM) == 1);
  CHECK(ledgerLruPut(p, "b", 1, &ten, sizeof(ten), ROOM) == 1);
  CHECK(nDropped == 0);
  CHECK(ledgerLruPut(p, "a", 1, &one, sizeof(one), ROOM) == 1);
  CHECK(nDropped == 1);
  CHECK(ledgerLruPut(p, "c", 1, &ten, sizeof(ten), 10) == 0);
  CHECK(nDropped == 1);
  ledgerLruFree(p);
  CHECK(nDropped == 12);
}

static const CheckCase aCase[] = {
    {"keeps", lruKeeps}, {"replaces", lruReplaces},  {"order", lruOrder},
    {"bound", lruBound}, {"too-large", lruTooLarge}, {"fit", lruFit},
    {"many", lruMany},   {"dropped", lruDropped},
};

int main(void) {
  return checkAll(aCase, N_OF(aCase));
}
