/*
** Memory that holds secrets: wiped when it is freed, and never moved.
*/
#include "clientInt.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

char *ledgerStrdup(const char *z) {
  return ledgerStrndup(z, strlen(z));
}

/* Wipes and frees a secret; NULL is allowed. */
void ledgerSecretFree(char *z) {
  if( z == NULL ) return;
  OPENSSL_cleanse(z, strlen(z));
  free(z);
}

/* Wipes and frees a buffer that held a secret. */
void ledgerBufWipe(LedgerBuf *p) {
  if( p->z ) OPENSSL_cleanse(p->z, p->nAlloc);
  ledgerBufFree(p);
}

/* Gives an empty buffer room for n bytes, so that it needn't grow. Returns 1,
** or 0 and sets bOom. */
int ledgerBufRoom(LedgerBuf *p, size_t n) {
  if( p->z ) return 1;
  p->z = malloc(n + 1);
  if( p->z == NULL ) {
    p->bOom = 1;
    return 0;
  }
  p->z[0] = 0;
  p->nAlloc = n + 1;
  return 1;
}
