/*
** What was asked: the last RING_SIZE requests of a ledger, which the table
** ledger_http shows. Issues no request.
*/
#include "client/log/logInt.h"

#include <stdlib.h>
#include <string.h>

#define RING_SIZE 512 /* requests remembered */

struct LedgerRing {
  int64_t n;                  /* requests so far */
  LedgerRequest a[RING_SIZE]; /* texts: malloc'd */
};

LedgerRing *ledgerRingNew(void) {
  return calloc(1, sizeof(LedgerRing));
}

void ledgerRingRequestClear(LedgerRequest *p) {
  free(p->zMethod);
  free(p->zHost);
  free(p->zPath);
  free(p->zError);
  memset(p, 0, sizeof(*p));
}

void ledgerRingFree(LedgerRing *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < RING_SIZE; i++ ) ledgerRingRequestClear(&p->a[i]);
  free(p);
}

const LedgerRequest *ledgerRingGet(const LedgerRing *p, int i) {
  const int64_t n = p->n < RING_SIZE ? p->n : RING_SIZE;
  if( i < 0 || i >= n ) return NULL;
  return &p->a[(p->n - n + i) % RING_SIZE];
}

const LedgerRequest *ledgerRingPut(LedgerRing *p, LedgerRequest *pNew) {
  LedgerRequest *pSlot = &p->a[p->n % RING_SIZE];
  ledgerRingRequestClear(pSlot);
  pNew->n = ++p->n;
  pNew->tWall = ledgerClockWall();
  *pSlot = *pNew;
  return pSlot;
}
