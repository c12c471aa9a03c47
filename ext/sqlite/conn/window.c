/*
** A window of calls in flight that slides over what is to be asked.
**
** Invariants: the items stand in the order in which they were started; the
** window holds no more than its places; what it still holds when it is closed
** is given up.
*/
#include "sqlite/conn/conn.h"

#include <string.h>

int ledgerWindowOpen(LedgerWindow *p, int nPlace, size_t nItem,
                     LedgerError *pErr) {
  memset(p, 0, sizeof(*p));
  if( nPlace < 1 ) nPlace = 1;
  p->nItem = nItem;
  p->apCall = sqlite3_malloc64(sizeof(*p->apCall) * (size_t)nPlace);
  p->aItem = sqlite3_malloc64(nItem * (size_t)nPlace);
  if( p->apCall == NULL || p->aItem == NULL ) {
    ledgerWindowClose(p);
    return ledgerErrorNomem(pErr);
  }
  p->nPlace = nPlace;
  return LEDGER_OK;
}

void ledgerWindowClose(LedgerWindow *p) {
  int i;
  for( i = 0; p->apCall && i < p->nUsed; i++ ) ledgerCallFree(p->apCall[i]);
  sqlite3_free(p->apCall);
  sqlite3_free(p->aItem);
  memset(p, 0, sizeof(*p));
}

void *ledgerWindowItem(const LedgerWindow *p, int i) {
  return p->aItem + (size_t)i * p->nItem;
}

void *ledgerWindowAdd(LedgerWindow *p) {
  void *pItem;
  if( p->nUsed == p->nPlace ) return NULL;
  pItem = ledgerWindowItem(p, p->nUsed);
  memset(pItem, 0, p->nItem);
  p->apCall[p->nUsed++] = NULL;
  return pItem;
}

LedgerCall *ledgerWindowTake(LedgerWindow *p, int i, void *pItem) {
  LedgerCall *pCall = p->apCall[i];
  const size_t nAfter = (size_t)(p->nUsed - i - 1);
  memcpy(pItem, ledgerWindowItem(p, i), p->nItem);
  memmove(&p->apCall[i], &p->apCall[i + 1], sizeof(*p->apCall) * nAfter);
  memmove(ledgerWindowItem(p, i), ledgerWindowItem(p, i + 1),
          p->nItem * nAfter);
  p->nUsed--;
  return pCall;
}
