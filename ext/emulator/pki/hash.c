/*
** SHA-256.
**
** By libcrypto's old SHA256_* functions: they allocate nothing and cannot fail,
** which shows when --fill makes a million entries.
*/
#define OPENSSL_SUPPRESS_DEPRECATED
#include "emulator/pki/pki.h"

#include <openssl/sha.h>

void emuHashSha256(const EmuPiece *aPiece, int nPiece, unsigned char *aOut) {
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
  emuHashSha256(a, 2, aOut);
}
