/*
** Making one certificate, and writing it down.
**
** Which certificates there are is said by pki.c and ledger/govern.c.
** Invariant: the error queue of libcrypto is empty after a failure.
*/
#include "emulator/pki/pki.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>

int emuPkiError(LedgerError *pErr, const char *zWhat) {
  const unsigned long e = ERR_peek_last_error();
  const char *z = e ? ERR_reason_error_string(e) : NULL;
  ledgerErrorSet(pErr, LEDGER_ERROR, "%s: %s", zWhat,
                 z ? z : "OpenSSL gives no reason");
  ERR_clear_error();
  return LEDGER_ERROR;
}

/* Appends what a memory BIO holds; bOk: writing to it went well. */
static int certTakeBio(BIO *pBio, int bOk, LedgerBuf *pBuf, LedgerError *pErr) {
  char *z;
  long n;
  if( !bOk ) return emuPkiError(pErr, "cannot write PEM");
  n = BIO_get_mem_data(pBio, &z);
  ledgerBufAppend(pBuf, z, n > 0 ? (size_t)n : 0);
  return pBuf->bOom ? ledgerErrorNomem(pErr) : LEDGER_OK;
}

int emuCertPem(X509 *pCert, LedgerBuf *pBuf, LedgerError *pErr) {
  BIO *pBio = BIO_new(BIO_s_mem());
  int rc = certTakeBio(pBio, pBio && PEM_write_bio_X509(pBio, pCert) == 1, pBuf,
                       pErr);
  BIO_free(pBio);
  return rc;
}

int emuCertKeyPem(EVP_PKEY *pKey, LedgerBuf *pBuf, LedgerError *pErr) {
  BIO *pBio = BIO_new(BIO_s_mem());
  int rc = certTakeBio(pBio,
                       pBio && PEM_write_bio_PrivateKey(pBio, pKey, NULL, NULL,
                                                        0, NULL, NULL) == 1,
                       pBuf, pErr);
  BIO_free(pBio);
  return rc;
}

int emuCertFingerprint(const X509 *pCert, char *zOut) {
  unsigned char a[EVP_MAX_MD_SIZE];
  unsigned int n = 0;
  int i;
  if( !X509_digest(pCert, EVP_sha256(), a, &n) || n != EMU_HASH ) return 0;
  for( i = 0; i < EMU_HASH; i++ ) {
    snprintf(zOut + 3 * i, 4, "%02X%s", a[i], i < EMU_HASH - 1 ? ":" : "");
  }
  return 1;
}

static int certExtension(X509 *pCert, X509V3_CTX *pCtx, int nid,
                         const char *zValue) {
  X509_EXTENSION *pExt;
  int bOk;
  if( zValue == NULL ) return 1;
  pExt = X509V3_EXT_conf_nid(NULL, pCtx, nid, zValue);
  bOk = pExt && X509_add_ext(pCert, pExt, -1) == 1;
  X509_EXTENSION_free(pExt);
  return bOk;
}

int emuCertNew(EVP_PKEY *pKey, const EmuCertSpec *pSpec, X509 *pIssuer,
               EVP_PKEY *pIssuerKey, X509 **ppCert, LedgerError *pErr) {
  unsigned char aSerial[16];
  X509 *p = X509_new();
  BIGNUM *pSerial = NULL;
  X509_NAME *pName;
  X509V3_CTX ctx;
  const EVP_MD *pMd = EVP_sha256();
  int rc = LEDGER_OK;

  if( p == NULL || RAND_bytes(aSerial, sizeof(aSerial)) != 1 ) goto bad;
  aSerial[0] &= 0x7f;
  aSerial[0] |= 0x40;
  pSerial = BN_bin2bn(aSerial, sizeof(aSerial), NULL);
  if( pSerial == NULL ||
      !BN_to_ASN1_INTEGER(pSerial, X509_get_serialNumber(p)) )
    goto bad;
  if( !X509_set_version(p, X509_VERSION_3) || !X509_set_pubkey(p, pKey) ||
      !X509_gmtime_adj(X509_getm_notBefore(p),
                       (pSpec->nFrom ? pSpec->nFrom : -1) * EMU_DAY) ||
      !X509_time_adj_ex(X509_getm_notAfter(p), (int)pSpec->nDay, 0, NULL) )
    goto bad;
  pName = X509_get_subject_name(p);
  if( !X509_NAME_add_entry_by_txt(pName, "CN", MBSTRING_UTF8,
                                  (const unsigned char *)pSpec->zName, -1, -1,
                                  0) )
    goto bad;
  if( pIssuer == NULL ) {
    pIssuer = p;
    pIssuerKey = pKey;
  }
  if( !X509_set_issuer_name(p, X509_get_subject_name(pIssuer)) ) goto bad;
  X509V3_set_ctx(&ctx, pIssuer, p, NULL, NULL, 0);
  if( !certExtension(p, &ctx, NID_basic_constraints, pSpec->zBasic) ||
      !certExtension(p, &ctx, NID_key_usage, pSpec->zUsage) ||
      !certExtension(p, &ctx, NID_ext_key_usage, pSpec->zExtUse) ||
      !certExtension(p, &ctx, NID_subject_key_identifier, "hash") ||
      !certExtension(p, &ctx, NID_authority_key_identifier, "keyid:always") ||
      !certExtension(p, &ctx, NID_subject_alt_name, pSpec->zSan) )
    goto bad;
  if( EVP_PKEY_get_bits(pIssuerKey) == 384 ) pMd = EVP_sha384();
  if( X509_sign(p, pIssuerKey, pMd) == 0 ) goto bad;
  *ppCert = p;
  p = NULL;
  goto out;

bad:
  rc = emuPkiError(pErr, "cannot make a certificate");
out:
  BN_free(pSerial);
  X509_free(p);
  return rc;
}
