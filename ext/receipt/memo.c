/*
** The memo of a connection: certificates that were parsed, signatures and
** chains of certificates that were good. An audit of many entries then costs
** hashing, not ECDSA or X.509, per entry.
**
** Invariants
**   - what is remembered is found by a SHA-256 over all that the outcome
**     depends on, never by a part of it;
**   - passes only: a failure is worked out again, with its reason;
**   - at most RECEIPT_MEMO_BYTES; what was used longest ago makes room.
*/
#include "receipt/receiptInt.h"

#include <stdlib.h>

struct LedgerReceiptMemo {
  LedgerReceiptHasher hasher;
  LedgerLru *pLru; /* key -> LedgerReceiptCert *, a reference, or NULL */
};

void ledgerReceiptCertUnref(LedgerReceiptCert *p) {
  if( p == NULL || --p->nRef > 0 ) return;
  X509_free(p->pX509);
  free(p);
}

static void memoDrop(void *pValue) {
  ledgerReceiptCertUnref(*(LedgerReceiptCert **)pValue);
}

int ledgerReceiptMemoNew(LedgerReceiptMemo **ppMemo, LedgerError *pErr) {
  LedgerReceiptMemo *p = calloc(1, sizeof(*p));
  *ppMemo = NULL;
  if( p ) p->pLru = ledgerLruNew(memoDrop);
  if( p == NULL || p->pLru == NULL ) {
    free(p);
    return ledgerErrorNomem(pErr);
  }
  if( ledgerReceiptHasherInit(&p->hasher, pErr) ) {
    ledgerLruFree(p->pLru);
    free(p);
    return pErr->rc;
  }
  *ppMemo = p;
  return LEDGER_OK;
}

void ledgerReceiptMemoFree(LedgerReceiptMemo *p) {
  if( p == NULL ) return;
  ledgerLruFree(p->pLru);
  ledgerReceiptHasherClear(&p->hasher);
  free(p);
}

LedgerReceiptHasher *ledgerReceiptMemoHasher(LedgerReceiptMemo *p) {
  return &p->hasher;
}

int ledgerReceiptMemoFind(LedgerReceiptMemo *p, const unsigned char *aKey,
                          LedgerReceiptCert **ppCert) {
  LedgerReceiptCert **pp =
      p ? ledgerLruGet(p->pLru, aKey, RECEIPT_HASH, NULL) : NULL;
  if( pp && ppCert ) *ppCert = *pp;
  return pp != NULL;
}

void ledgerReceiptMemoAdd(LedgerReceiptMemo *p, const unsigned char *aKey,
                          LedgerReceiptCert *pCert) {
  /* A digest that failed for want of memory must not become a key. */
  if( p == NULL || p->hasher.bFailed ||
      ledgerLruGet(p->pLru, aKey, RECEIPT_HASH, NULL) ) {
    return;
  }
  if( ledgerLruPut(p->pLru, aKey, RECEIPT_HASH, &pCert, sizeof(pCert),
                   RECEIPT_MEMO_BYTES) &&
      pCert ) {
    pCert->nRef++;
  }
}
