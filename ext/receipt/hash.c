/*
** SHA-256 and HMAC-SHA256 over OpenSSL's EVP, with one context for many
** digests: fetching an algorithm for each would cost more than the hashing.
*/
#include "receipt/receiptInt.h"

#include <openssl/crypto.h>
#include <string.h>

#define HASH_BLOCK 64 /* bytes of a block of SHA-256 */

int ledgerReceiptHasherInit(LedgerReceiptHasher *p, LedgerError *pErr) {
  p->bFailed = 0;
  p->pMd = EVP_MD_fetch(NULL, "SHA256", NULL);
  p->pCtx = EVP_MD_CTX_new();
  if( p->pMd && p->pCtx ) return LEDGER_OK;
  ledgerReceiptHasherClear(p);
  return ledgerErrorNomem(pErr);
}

void ledgerReceiptHasherClear(LedgerReceiptHasher *p) {
  EVP_MD_CTX_free(p->pCtx);
  EVP_MD_free(p->pMd);
  memset(p, 0, sizeof(*p));
}

/* Nothing is added to a digest that has not begun: OpenSSL would crash. */
void ledgerReceiptHashStart(LedgerReceiptHasher *p) {
  if( p->bFailed ) return;
  if( EVP_DigestInit_ex2(p->pCtx, p->pMd, NULL) != 1 ) p->bFailed = 1;
}

void ledgerReceiptHashAdd(LedgerReceiptHasher *p, const void *a, size_t n) {
  if( p->bFailed || n == 0 ) return;
  if( EVP_DigestUpdate(p->pCtx, a, n) != 1 ) p->bFailed = 1;
}

void ledgerReceiptHashEnd(LedgerReceiptHasher *p, unsigned char *aOut) {
  if( !p->bFailed && EVP_DigestFinal_ex(p->pCtx, aOut, NULL) == 1 ) return;
  p->bFailed = 1;
  memset(aOut, 0, RECEIPT_HASH);
}

void ledgerReceiptHash(LedgerReceiptHasher *p, const void *a1, size_t n1,
                       const void *a2, size_t n2, unsigned char *aOut) {
  ledgerReceiptHashStart(p);
  ledgerReceiptHashAdd(p, a1, n1);
  ledgerReceiptHashAdd(p, a2, n2);
  ledgerReceiptHashEnd(p, aOut);
}

/* RFC 2104. */
void ledgerReceiptHmac(LedgerReceiptHasher *p, const void *aKey, size_t nKey,
                       const void *a, size_t n, unsigned char *aOut) {
  unsigned char aPad[HASH_BLOCK] = {0};
  int i;
  if( nKey > HASH_BLOCK ) {
    ledgerReceiptHash(p, aKey, nKey, NULL, 0, aPad);
  } else if( nKey ) {
    memcpy(aPad, aKey, nKey);
  }
  for( i = 0; i < HASH_BLOCK; i++ ) aPad[i] ^= 0x36;
  ledgerReceiptHash(p, aPad, HASH_BLOCK, a, n, aOut);
  for( i = 0; i < HASH_BLOCK; i++ ) aPad[i] ^= 0x36 ^ 0x5c;
  ledgerReceiptHash(p, aPad, HASH_BLOCK, aOut, RECEIPT_HASH, aOut);
  OPENSSL_cleanse(aPad, sizeof(aPad));
}
