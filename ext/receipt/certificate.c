/*
** Certificates and signatures of a receipt: the node's key signed the root, and
** the service's key, through endorsements of services before a recovery, stands
** behind the node's.
**
** Invariants
**   - the root is verified as the digest itself, on every curve: it is not
**     hashed once more;
**   - links are checked in pairs, never by building a path: nothing of a trust
**     store, a path length or a clock comes in;
**   - of the anchor its key and subject count; nobody has signed it;
**   - one certificate per PEM text, and nothing beside it.
*/
#include "receipt/receiptInt.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Did OpenSSL's last call fail for want of memory? Then there is no verdict. */
static int certOom(void) {
  return ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
}

/* ---- parsing ------------------------------------------------------------- */

static int certBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Reads the one certificate of a PEM text. Returns it, or NULL with the problem
** in *pzProblem. */
static X509 *certRead(const char *z, size_t n, const char **pzProblem) {
  static const char zBegin[] = "-----BEGIN CERTIFICATE-----";
  char *zName = NULL, *zHeader = NULL, *zRest = NULL;
  unsigned char *aDer = NULL;
  const unsigned char *pDer;
  X509 *pCert = NULL;
  BIO *pBio = NULL;
  long nDer = 0, nRest;
  int bRead;

  *pzProblem = "it is not a PEM certificate";
  if( n < sizeof(zBegin) || memcmp(z, zBegin, sizeof(zBegin) - 1) != 0 ||
      memchr(z, 0, n) ) {
    return NULL;
  }
  pBio = BIO_new_mem_buf(z, (int)n);
  if( pBio == NULL ) return NULL;
  /* PEM_read_bio_X509() would ask for a passphrase where the text says so. */
  bRead = PEM_read_bio(pBio, &zName, &zHeader, &aDer, &nDer);
  nRest = BIO_get_mem_data(pBio, &zRest);
  if( bRead != 1 || strcmp(zName, PEM_STRING_X509) != 0 || zHeader[0] ) {
    /* as it stands */
  } else if( nRest > 0 ) {
    *pzProblem = "something follows the certificate: one is expected";
  } else {
    pDer = aDer;
    pCert = d2i_X509(NULL, &pDer, nDer);
    if( pCert && pDer != aDer + nDer ) {
      X509_free(pCert);
      pCert = NULL;
    }
  }
  OPENSSL_free(zName);
  OPENSSL_free(zHeader);
  OPENSSL_free(aDer);
  BIO_free(pBio);
  return pCert;
}

/* Is the key one that a service or node may have? */
static int certKeyOk(EVP_PKEY *pKey) {
  char zGroup[40];
  size_t n = 0;
  int bExplicit = 0;
  if( pKey == NULL || !EVP_PKEY_is_a(pKey, "EC") ) return 0;
  if( EVP_PKEY_get_group_name(pKey, zGroup, sizeof(zGroup), &n) != 1 ) return 0;
  /* Parameters spelled out may be those of another curve by the same name. */
  if( EVP_PKEY_get_int_param(pKey,
                             OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                             &bExplicit) == 1 &&
      bExplicit ) {
    return 0;
  }
  return strcmp(zGroup, "prime256v1") == 0 ||
         strcmp(zGroup, "secp384r1") == 0 || strcmp(zGroup, "secp521r1") == 0;
}

/* A date as YYYY-MM-DDTHH:MM:SSZ into z[24]; "" when it is none. */
static void certDate(const ASN1_TIME *pTime, char *z) {
  struct tm t;
  z[0] = 0;
  if( ASN1_TIME_to_tm(pTime, &t) == 1 ) {
    strftime(z, 24, "%Y-%m-%dT%H:%M:%SZ", &t);
  }
}

/* Fills in what is asked of a certificate. Returns 0 when memory is short. */
static int certFacts(LedgerReceiptCert *p, LedgerReceiptHasher *pHasher) {
  unsigned char *aDer = NULL;
  int n = i2d_X509(p->pX509, &aDer);
  if( n <= 0 ) return 0;
  ledgerReceiptHash(pHasher, aDer, (size_t)n, NULL, 0, p->aId);
  OPENSSL_free(aDer);
  aDer = NULL;
  n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(p->pX509), &aDer);
  if( n <= 0 ) return 0;
  ledgerReceiptHash(pHasher, aDer, (size_t)n, NULL, 0, p->aKey);
  OPENSSL_free(aDer);
  certDate(X509_get0_notBefore(p->pX509), p->zNotBefore);
  certDate(X509_get0_notAfter(p->pX509), p->zNotAfter);
  return !pHasher->bFailed;
}

/*
** Reads a certificate, through the memo. zWhat names it in the reason, zCode is
** that of a failure. *ppCert is a reference.
*/
static int certParse(LedgerReceiptJob *p, const char *zWhat, const char *zCode,
                     const char *z, size_t n, LedgerReceiptCert **ppCert) {
  static const char eKind = MEMO_CERTIFICATE;
  unsigned char aKey[RECEIPT_HASH];
  const char *zProblem = NULL;
  LedgerReceiptCert *pCert = NULL;
  uint32_t mFlag;

  while( n && certBlank(z[0]) ) z++, n--;
  while( n && certBlank(z[n - 1]) ) n--;
  if( n > RECEIPT_PEM_MAX ) {
    return ledgerReceiptFail(p, zCode,
                             "%s can't be used: it is too long for one", zWhat);
  }
  ledgerReceiptHash(p->pHasher, &eKind, 1, z, n, aKey);
  if( ledgerReceiptMemoFind(p->pMemo, aKey, ppCert) ) {
    (*ppCert)->nRef++;
    return LEDGER_OK;
  }
  pCert = calloc(1, sizeof(*pCert));
  if( pCert == NULL ) return ledgerErrorNomem(p->pErr);
  pCert->nRef = 1;
  pCert->pX509 = certRead(z, n, &zProblem);
  if( pCert->pX509 ) {
    pCert->pKey = X509_get0_pubkey(pCert->pX509);
    mFlag = X509_get_extension_flags(pCert->pX509);
    if( !certKeyOk(pCert->pKey) ) {
      zProblem = "its key is not on one of the curves P-256, P-384 and P-521";
    } else if( mFlag & EXFLAG_INVALID ) {
      zProblem = "its extensions are ill-formed";
    } else {
      pCert->bCa = (mFlag & EXFLAG_CA) && X509_check_ca(pCert->pX509) == 1;
      zProblem = NULL;
    }
  }
  if( zProblem && certOom() ) {
    ledgerErrorNomem(p->pErr);
    goto out;
  }
  if( zProblem ) {
    ledgerReceiptFail(p, zCode, "%s can't be used: %s", zWhat, zProblem);
    goto out;
  }
  if( !certFacts(pCert, p->pHasher) ) {
    ledgerErrorNomem(p->pErr);
    goto out;
  }
  ledgerReceiptMemoAdd(p->pMemo, aKey, pCert);
  *ppCert = pCert;
  pCert = NULL;
out:
  ledgerReceiptCertUnref(pCert);
  return p->pErr->rc;
}

int ledgerReceiptCheckCertificates(LedgerReceiptJob *p) {
  LedgerReceiptParts *pParts = &p->parts;
  LedgerReceiptReport *pReport = p->pReport;
  const char *z = p->pInput->zService;
  size_t n = p->pInput->nService;
  int i, rc;

  rc = certParse(p, "the node's certificate ('cert')", "certificate",
                 pParts->zCert, pParts->nCert, &p->pNode);
  if( rc ) return rc;
  ledgerHexEncode(p->pNode->aKey, RECEIPT_HASH, pReport->zNodeId);
  memcpy(pReport->zNotBefore, p->pNode->zNotBefore,
         sizeof(pReport->zNotBefore));
  memcpy(pReport->zNotAfter, p->pNode->zNotAfter, sizeof(pReport->zNotAfter));
  for( i = 0; i < pParts->nEndorsement; i++ ) {
    rc = certParse(p, "a service endorsement", "certificate",
                   pParts->azEndorsement[i], pParts->anEndorsement[i],
                   &p->apEndorsement[i]);
    if( rc ) return rc;
    pReport->nEndorsement++;
  }
  /* The identity service of 2021 let a NUL stand behind the PEM. */
  while( n && (z[n - 1] == 0 || certBlank(z[n - 1])) ) n--;
  rc = certParse(p, "the service certificate", "anchor", z, n, &p->pAnchor);
  if( rc ) return rc;
  memcpy(pReport->zKey, "sha256:", 7);
  ledgerHexEncode(p->pAnchor->aKey, RECEIPT_HASH, pReport->zKey + 7);
  return LEDGER_OK;
}

/* ---- checks -------------------------------------------------------------- */

int ledgerReceiptCheckNodeId(LedgerReceiptJob *p) {
  if( !p->parts.bNode ) {
    p->bSkip = 1;
    return LEDGER_OK;
  }
  if( memcmp(p->parts.aNode, p->pNode->aKey, RECEIPT_HASH) == 0 ) {
    return LEDGER_OK;
  }
  return ledgerReceiptFail(p, "node_id",
                           "'nodeId' is not the SHA-256 of the key in 'cert': "
                           "the certificate is another node's");
}

/* Is it DER of SEQUENCE{r,s}, and nothing else? */
static int certSignatureStrict(const LedgerBuf *pSig) {
  const unsigned char *pAt = (const unsigned char *)pSig->z;
  ECDSA_SIG *pParsed = d2i_ECDSA_SIG(NULL, &pAt, (long)pSig->n);
  unsigned char *aAgain = NULL;
  int n = pParsed ? i2d_ECDSA_SIG(pParsed, &aAgain) : -1;
  int bOk =
      n > 0 && (size_t)n == pSig->n && memcmp(aAgain, pSig->z, pSig->n) == 0;
  OPENSSL_free(aAgain);
  ECDSA_SIG_free(pParsed);
  return bOk;
}

int ledgerReceiptCheckSignature(LedgerReceiptJob *p) {
  static const char eKind = MEMO_SIGNATURE;
  LedgerReceiptHasher *pHasher = p->pHasher;
  const LedgerBuf *pSig = &p->parts.signature;
  unsigned char aKey[RECEIPT_HASH];
  EVP_PKEY_CTX *pCtx;
  int bGood = 0;

  ledgerReceiptHashStart(pHasher);
  ledgerReceiptHashAdd(pHasher, &eKind, 1);
  ledgerReceiptHashAdd(pHasher, p->aRoot, RECEIPT_HASH);
  ledgerReceiptHashAdd(pHasher, p->pNode->aKey, RECEIPT_HASH);
  ledgerReceiptHashAdd(pHasher, pSig->z, pSig->n);
  ledgerReceiptHashEnd(pHasher, aKey);
  if( ledgerReceiptMemoFind(p->pMemo, aKey, NULL) ) return LEDGER_OK;
  if( !certSignatureStrict(pSig) ) {
    return ledgerReceiptFail(p, "signature",
                             "the signature is not DER of an ECDSA signature");
  }
  pCtx = EVP_PKEY_CTX_new_from_pkey(NULL, p->pNode->pKey, NULL);
  if( pCtx == NULL ) return ledgerErrorNomem(p->pErr);
  if( EVP_PKEY_verify_init(pCtx) == 1 ) {
    bGood = EVP_PKEY_verify(pCtx, (const unsigned char *)pSig->z, pSig->n,
                            p->aRoot, RECEIPT_HASH) == 1;
  }
  EVP_PKEY_CTX_free(pCtx);
  if( !bGood && certOom() ) return ledgerErrorNomem(p->pErr);
  if( !bGood ) {
    return ledgerReceiptFail(p, "signature",
                             "the node's key did not sign the root that these "
                             "digests and this proof lead to: one of them, or "
                             "the signature, was changed");
  }
  ledgerReceiptMemoAdd(p->pMemo, aKey, NULL);
  return LEDGER_OK;
}

/* Did the parent sign the child? Only by SHA-2, as services do. */
static int certSignedBy(X509 *pChild, EVP_PKEY *pParentKey) {
  int eDigest = NID_undef, eKey = NID_undef;
  if( X509_get_signature_info(pChild, &eDigest, &eKey, NULL, NULL) != 1 ) {
    return 0;
  }
  if( eDigest != NID_sha256 && eDigest != NID_sha384 &&
      eDigest != NID_sha512 ) {
    return 0;
  }
  return X509_verify(pChild, pParentKey) == 1;
}

/* One link of the chain. zChild and zParent name them in the reason. */
static int certLink(LedgerReceiptJob *p, const LedgerReceiptCert *pChild,
                    const char *zChild, const LedgerReceiptCert *pParent,
                    const char *zParent, int bAnchor) {
  if( !pParent->bCa ) {
    return ledgerReceiptFail(p, bAnchor ? "anchor" : "endorsement",
                             "%s is not a CA's (CA:TRUE): it can't endorse a "
                             "node",
                             zParent);
  }
  if( X509_NAME_cmp(X509_get_issuer_name(pChild->pX509),
                    X509_get_subject_name(pParent->pX509)) != 0 ) {
    return ledgerReceiptFail(p, "endorsement",
                             "%s was not issued by %s: the names differ",
                             zChild, zParent);
  }
  if( !certSignedBy(pChild->pX509, pParent->pKey) ) {
    if( certOom() ) return ledgerErrorNomem(p->pErr);
    return ledgerReceiptFail(p, "endorsement",
                             "%s was not signed by the key of %s: the receipt "
                             "is another ledger's, or from before a recovery "
                             "and needs the service certificate of its time",
                             zChild, zParent);
  }
  return LEDGER_OK;
}

int ledgerReceiptCheckEndorsement(LedgerReceiptJob *p) {
  static const char eKind = MEMO_CHAIN;
  static const char zNode[] = "the node's certificate";
  static const char zEndorsement[] = "the service endorsement";
  LedgerReceiptHasher *pHasher = p->pHasher;
  const LedgerReceiptCert *pChild = p->pNode;
  const char *zChild = zNode;
  unsigned char aKey[RECEIPT_HASH];
  int i, rc;

  ledgerReceiptHashStart(pHasher);
  ledgerReceiptHashAdd(pHasher, &eKind, 1);
  ledgerReceiptHashAdd(pHasher, p->pNode->aId, RECEIPT_HASH);
  for( i = 0; i < p->parts.nEndorsement; i++ ) {
    ledgerReceiptHashAdd(pHasher, p->apEndorsement[i]->aId, RECEIPT_HASH);
  }
  ledgerReceiptHashAdd(pHasher, p->pAnchor->aId, RECEIPT_HASH);
  ledgerReceiptHashEnd(pHasher, aKey);
  if( ledgerReceiptMemoFind(p->pMemo, aKey, NULL) ) return LEDGER_OK;

  if( X509_get_extension_flags(p->pNode->pX509) & EXFLAG_CA ) {
    return ledgerReceiptFail(p, "endorsement",
                             "the node's certificate is a CA's: a node has "
                             "none of that kind");
  }
  for( i = 0; i < p->parts.nEndorsement; i++ ) {
    rc = certLink(p, pChild, zChild, p->apEndorsement[i], zEndorsement, 0);
    if( rc ) return rc;
    pChild = p->apEndorsement[i];
    zChild = zEndorsement;
  }
  rc = certLink(p, pChild, zChild, p->pAnchor, "the service certificate", 1);
  if( rc ) return rc;
  ledgerReceiptMemoAdd(p->pMemo, aKey, NULL);
  return LEDGER_OK;
}
