/*
** SHA-256, by OpenSSL.
*/
#include "client/net/user.h"

#include <openssl/evp.h>

int ledgerDigestHex(const void *a, size_t n, char *zOut, LedgerError *pErr) {
  unsigned char aHash[32];
  if( EVP_Digest(a, n, aHash, NULL, EVP_sha256(), NULL) != 1 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR, "OpenSSL has no SHA-256");
  }
  ledgerHexEncode(aHash, sizeof(aHash), zOut);
  return LEDGER_OK;
}
