/*
** Secrets: memory that holds them is wiped when it is freed, and never moved;
** and a text that a server had a part in is freed of them before anybody reads
** it, for a server may repeat what was sent.
*/
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

#define SECRET_MIN 6   /* shorter ones are words, not secrets */
#define SECRET_PART 16 /* the beginning of one, so long, is no coincidence */

void ledgerSecretFree(char *z) {
  if( z == NULL ) return;
  explicit_bzero(z, strlen(z));
  free(z);
}

void ledgerBufWipe(LedgerBuf *p) {
  if( p->z ) explicit_bzero(p->z, p->nAlloc);
  ledgerBufFree(p);
}

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

void ledgerSecretHide(char *zText, const char *zSecret) {
  const size_t n = zSecret ? strlen(zSecret) : 0;
  size_t nSame;
  char *z;

  if( zText == NULL || n < SECRET_MIN ) return;
  for( z = zText; *z; z++ ) {
    for( nSame = 0; nSame < n && z[nSame] == zSecret[nSame]; nSame++ ) continue;
    if( nSame < n && nSame < (z[nSame] ? SECRET_PART : SECRET_MIN) ) continue;
    memset(z, '*', 3);
    memmove(z + 3, z + nSame, strlen(z + nSame) + 1);
    z += 2;
  }
}
