/*
** SHA-256.
**
** The one-shot SHA256_* functions of libcrypto are used, old as they are: they
** take no memory, cannot fail, and a fill of a million entries feels it.
*/
#define OPENSSL_SUPPRESS_DEPRECATED
#include "emulator/pki/pki.h"

#include <openssl/sha.h>

void emuSha256(const EmuPiece *aPiece, int nPiece, unsigned char *aOut) {
  SHA256_CTX ctx;
  int i;
  SHA256_Init(&ctx);
  for( i = 0; i < nPiece; i++ ) {
    if( aPiece[i].n ) SHA256_Update(&ctx, aPiece[i].a, aPiece[i].n);
  }
  SHA256_Final(aOut, &ctx);
}

void emuHashPair(const unsigned char *aLeft, const unsigned char *aRight,
                 unsigned char *aOut) {
  EmuPiece a[2] = {{aLeft, EMU_HASH}, {aRight, EMU_HASH}};
  emuSha256(a, 2, aOut);
}
