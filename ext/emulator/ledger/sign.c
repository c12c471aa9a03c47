/*
** Signatures over the root of the tree.
**
** Serves what signs (ledger.c) and what checks a data file at its start.
** Invariant: the root is the digest itself, it is not hashed again.
*/
#include "emulator/ledger/ledgerInt.h"

#include <openssl/err.h>

int emuSignRoot(EVP_PKEY *pKey, const unsigned char *aRoot, LedgerBuf *pSig,
                LedgerError *pErr) {
  EVP_PKEY_CTX *pCtx = EVP_PKEY_CTX_new(pKey, NULL);
  unsigned char aSig[256];
  size_t nSig = sizeof(aSig);
  int rc = LEDGER_OK;
  if( pCtx == NULL || EVP_PKEY_sign_init(pCtx) <= 0 ||
      EVP_PKEY_sign(pCtx, aSig, &nSig, aRoot, EMU_HASH) <= 0 ) {
    rc = emuPkiError(pErr, "cannot sign");
  } else {
    ledgerBufAppend(pSig, aSig, nSig);
    if( pSig->bOom ) rc = ledgerErrorNomem(pErr);
  }
  EVP_PKEY_CTX_free(pCtx);
  return rc;
}

int emuSignVerify(EVP_PKEY *pKey, const unsigned char *aRoot, const void *aSig,
                  size_t nSig) {
  EVP_PKEY_CTX *pCtx = EVP_PKEY_CTX_new(pKey, NULL);
  int bOk = pCtx && EVP_PKEY_verify_init(pCtx) > 0 &&
            EVP_PKEY_verify(pCtx, aSig, nSig, aRoot, EMU_HASH) == 1;
  EVP_PKEY_CTX_free(pCtx);
  ERR_clear_error();
  return bOk;
}
