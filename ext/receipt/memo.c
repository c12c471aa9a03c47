/*
** The memo of a connection: certificates that were parsed, signatures and
** chains of certificates that were good. An audit of many entries then costs
** hashing, not ECDSA or X.509, per entry.
**
** Invariants
**   - what is remembered is found by a SHA-256 over all that the outcome
**     depends on, never by a part of it;
**   - passes only: a failure is worked out again, with its reason;
**   - at most RECEIPT_MEMO_MAX entries; the one used longest ago makes room.
*/
#include "receipt/receiptInt.h"

#include <stdlib.h>
#include <string.h>

#define MEMO_BUCKET 2048 /* a power of two */

typedef struct MemoItem MemoItem;
struct MemoItem {
  unsigned char aKey[RECEIPT_HASH];
  LedgerReceiptCert *pCert; /* a reference, or NULL */
  int iChain;               /* next in its bucket, or -1 */
  int iNewer, iOlder;       /* neighbours by use, or -1 */
};

struct LedgerReceiptMemo {
  LedgerReceiptHasher hasher;
  int n;                /* items in use */
  int iNewest, iOldest; /* ends of the list by use, or -1 */
  int aiBucket[MEMO_BUCKET];
  MemoItem aItem[RECEIPT_MEMO_MAX];
};

int ledgerReceiptMemoNew(LedgerReceiptMemo **ppMemo, LedgerError *pErr) {
  LedgerReceiptMemo *p = calloc(1, sizeof(*p));
  int i;
  *ppMemo = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  if( ledgerReceiptHasherInit(&p->hasher, pErr) ) {
    free(p);
    return pErr->rc;
  }
  p->iNewest = p->iOldest = -1;
  for( i = 0; i < MEMO_BUCKET; i++ ) p->aiBucket[i] = -1;
  *ppMemo = p;
  return LEDGER_OK;
}

void ledgerReceiptMemoFree(LedgerReceiptMemo *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < p->n; i++ ) ledgerReceiptCertUnref(p->aItem[i].pCert);
  ledgerReceiptHasherClear(&p->hasher);
  free(p);
}

LedgerReceiptHasher *ledgerReceiptMemoHasher(LedgerReceiptMemo *p) {
  return &p->hasher;
}

static int *memoBucket(LedgerReceiptMemo *p, const unsigned char *aKey) {
  return &p->aiBucket[(aKey[0] | aKey[1] << 8) & (MEMO_BUCKET - 1)];
}

/* Takes an item out of the list by use. */
static void memoUnlink(LedgerReceiptMemo *p, int i) {
  MemoItem *pItem = &p->aItem[i];
  if( pItem->iNewer >= 0 ) {
    p->aItem[pItem->iNewer].iOlder = pItem->iOlder;
  } else {
    p->iNewest = pItem->iOlder;
  }
  if( pItem->iOlder >= 0 ) {
    p->aItem[pItem->iOlder].iNewer = pItem->iNewer;
  } else {
    p->iOldest = pItem->iNewer;
  }
}

/* Puts an item at the newest end. */
static void memoLink(LedgerReceiptMemo *p, int i) {
  MemoItem *pItem = &p->aItem[i];
  pItem->iNewer = -1;
  pItem->iOlder = p->iNewest;
  if( p->iNewest >= 0 ) {
    p->aItem[p->iNewest].iNewer = i;
  } else {
    p->iOldest = i;
  }
  p->iNewest = i;
}

static int memoLookup(LedgerReceiptMemo *p, const unsigned char *aKey) {
  int i = *memoBucket(p, aKey);
  while( i >= 0 && memcmp(p->aItem[i].aKey, aKey, RECEIPT_HASH) != 0 ) {
    i = p->aItem[i].iChain;
  }
  return i;
}

int ledgerReceiptMemoFind(LedgerReceiptMemo *p, const unsigned char *aKey,
                          LedgerReceiptCert **ppCert) {
  int i = p ? memoLookup(p, aKey) : -1;
  if( i < 0 ) return 0;
  if( i != p->iNewest ) {
    memoUnlink(p, i);
    memoLink(p, i);
  }
  if( ppCert ) *ppCert = p->aItem[i].pCert;
  return 1;
}

/* Empties the item used longest ago; returns its index. */
static int memoEvict(LedgerReceiptMemo *p) {
  int i = p->iOldest;
  int *pi = memoBucket(p, p->aItem[i].aKey);
  while( *pi != i ) pi = &p->aItem[*pi].iChain;
  *pi = p->aItem[i].iChain;
  memoUnlink(p, i);
  ledgerReceiptCertUnref(p->aItem[i].pCert);
  return i;
}

void ledgerReceiptMemoAdd(LedgerReceiptMemo *p, const unsigned char *aKey,
                          LedgerReceiptCert *pCert) {
  MemoItem *pItem;
  int *pi;
  int i;
  /* A digest that failed for want of memory must not become a key. */
  if( p == NULL || p->hasher.bFailed || memoLookup(p, aKey) >= 0 ) return;
  i = p->n < RECEIPT_MEMO_MAX ? p->n++ : memoEvict(p);
  pItem = &p->aItem[i];
  memcpy(pItem->aKey, aKey, RECEIPT_HASH);
  pItem->pCert = pCert;
  if( pCert ) pCert->nRef++;
  pi = memoBucket(p, aKey);
  pItem->iChain = *pi;
  *pi = i;
  memoLink(p, i);
}
