/*
** Checks ext/client/call/cache.c from inside: whose answers are kept, and when
** an era begins. How much is, and what leaves, is lru.c's.
**
**     build/unit/cache
*/
#include "check.h"

/* NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "client/call/cache.c"

#define ROOM 1000000 /* more than what the cases keep */

static LedgerCache *made(void) {
  LedgerCache *p = cacheNew();
  if( p == NULL ) abort();
  return p;
}

static void put(LedgerCache *p, const char *zKey, const char *zBody) {
  ledgerLruPut(p->pLru, zKey, strlen(zKey), zBody, strlen(zBody), ROOM);
}

/* Whether the answer kept for the key is this one; NULL: none. */
static int is(LedgerCache *p, const char *zKey, const char *zBody) {
  size_t n;
  const char *z = ledgerLruGet(p->pLru, zKey, strlen(zKey), &n);
  if( z == NULL || zBody == NULL ) return z == zBody && n == 0;
  return n == strlen(zBody) && memcmp(z, zBody, n) == 0;
}

static int items(const LedgerCache *p) {
  int n;
  ledgerLruBytes(p->pLru, &n);
  return n;
}

/* Another key or another principal: nothing of the former one is left. */
static void owners(void) {
  static const struct {
    const char *zKey, *zPrincipal;
  } a[] = {{"sha256:1", "alice"},
           {"sha256:2", "alice"},
           {"sha256:2", "bob"},
           {"sha256:2", NULL},
           {"", NULL},
           {"sha256:1", "alice"}};
  LedgerCache *p = made();
  int64_t iBefore = 0;
  size_t i;
  for( i = 0; i < N_OF(a); i++ ) {
    int64_t iEra = cacheOwner(p, a[i].zKey, a[i].zPrincipal);
    CHECK(iEra != iBefore && is(p, "/a", NULL) && items(p) == 0);
    put(p, "/a", "x");
    CHECK(cacheOwner(p, a[i].zKey, a[i].zPrincipal) == iEra);
    CHECK(is(p, "/a", "x"));
    iBefore = iEra;
  }
  ledgerCacheFree(p);
}

/* Forgetting begins an era; evicting doesn't. */
static void eras(void) {
  LedgerCache *p = made();
  int64_t iEra = cacheOwner(p, "k", "p");
  put(p, "/a", "x");
  ledgerCacheFit(p, 1);
  CHECK(cacheOwner(p, "k", "p") == iEra);
  ledgerCacheFit(p, 0);
  CHECK(cacheOwner(p, "k", "p") != iEra);
  ledgerCacheFree(p);
}

static const CheckCase aCase[] = {
    {"owner", owners},
    {"era", eras},
};

int main(void) {
  return checkAll(aCase, N_OF(aCase));
}
