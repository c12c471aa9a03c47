/*
** Secrets: memory that holds them is wiped when it is freed, and never moved;
** and a text that a server had a part in is freed of them before anybody reads
** it, for a server may repeat what was sent.
*/
#include "client/clientInt.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MIN 6   /* shorter ones are no secrets, but words */
#define SECRET_PART 16 /* the begin of one, so long, is no coincidence */

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

/* ---- what a server repeats ---------------------------------------------- */

/* Takes a secret out of a text, wherever it stands; *** is in its place. What
** is left of one that was clipped goes too, whether the text ends there or
** goes on. Either may be NULL. */
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

/* Takes all that the call has shown, or will, out of a text. */
void ledgerSecretsHide(const LedgerCall *p, char *zText) {
  if( p->pClient ) ledgerSecretHide(zText, p->pClient->auth.zToken);
  ledgerSecretHide(zText, p->zTokenSent);
  ledgerSecretHide(zText, p->zSecret);
}

void ledgerClientHide(const LedgerClient *p, LedgerError *pErr) {
  ledgerSecretHide(pErr->zMsg, p->auth.zToken);
}
