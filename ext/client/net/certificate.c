/*
** A certificate with its key, as users give it: a ledger user's, shown in TLS,
** and an Entra application's, which signs with it. Also the certificates of a
** PEM text alone: a pin, and whose fingerprint is asked for.
**
**   user_certificate, user_key, user_certificate_password
**   client_certificate, client_certificate_password
**   SELECT ledger_fingerprint(readfile('me.pem'));
**
** PEM with certificates and a key in any order, and PKCS#12. The leaf is the
** certificate of the key; where there is no key, the one that issued no other.
** Behind it stand its issuer, the issuer's issuer and so on, then the others.
**
** Invariants
**   - what is encrypted is read in a library context of its own, into which
**     OpenSSL's legacy provider is loaded too: the host's default context stays
**     as it is, and what is found is the default context's;
**   - nobody is asked for a password on the terminal;
**   - two keys are an error: which one is meant can't be told.
*/
#include "client/net/net.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CERTIFICATE_DEPTH 4 /* of safe contents within each other */

/* A certificate that is being read. */
typedef struct CertificateReader CertificateReader;
struct CertificateReader {
  const LedgerCertificateFrom *pFrom;
  const char *zWhat;      /* the option at hand: begins messages */
  int bKeys;              /* keys must be readable; 0: those that are not are
                          ** passed over */
  STACK_OF(X509) * pAll;  /* each certificate once */
  EVP_PKEY *pKey;         /* the one key */
  const char *zOther;     /* what people take for a certificate, or NULL */
  OSSL_LIB_CTX *pLib;     /* for what is encrypted, once it is needed */
  OSSL_PROVIDER *pMain;   /* its providers */
  OSSL_PROVIDER *pLegacy; /* NULL: there is none here */
  LedgerError *pErr;
};

void ledgerCertificateFree(LedgerCertificate *p) {
  EVP_PKEY_free(p->pKey);
  X509_free(p->pCert);
  sk_X509_pop_free(p->pRest, X509_free);
  memset(p, 0, sizeof(*p));
}

/* The library context for what is encrypted; NULL: no memory. */
static OSSL_LIB_CTX *certificateLib(CertificateReader *p) {
  if( p->pLib == NULL && (p->pLib = OSSL_LIB_CTX_new()) != NULL ) {
    p->pMain = OSSL_PROVIDER_load(p->pLib, "default");
    p->pLegacy = OSSL_PROVIDER_load(p->pLib, "legacy");
    ERR_clear_error();
  }
  if( p->pLib == NULL ) ledgerErrorNomem(p->pErr);
  return p->pLib;
}

static void certificateLibFree(CertificateReader *p) {
  if( p->pLegacy ) OSSL_PROVIDER_unload(p->pLegacy);
  if( p->pMain ) OSSL_PROVIDER_unload(p->pMain);
  OSSL_LIB_CTX_free(p->pLib);
}

/* ---- errors ------------------------------------------------------------- */

/* What OpenSSL said first. */
static const char *certificateReason(void) {
  const unsigned long e = ERR_peek_error();
  const char *z = e ? ERR_reason_error_string(e) : NULL;
  return z ? z : "no reason given";
}

/* The error of a private key that can't be read. */
static int certificateBadKey(CertificateReader *p, const char *zWhy) {
  if( !p->bKeys ) return p->pErr->rc;
  return ledgerErrorSet(p->pErr, LEDGER_AUTH,
                        "%s: its private key cannot be read (%s)", p->zWhat,
                        zWhy);
}

/* The error of what is encrypted and can't be read: zIt is it. */
static int certificateLocked(CertificateReader *p, const char *zIt,
                             const char *zWhy) {
  const char *zOption = p->pFrom->zPasswordOption;
  if( !p->bKeys ) return p->pErr->rc;
  if( p->pFrom->zPassword == NULL ) {
    return ledgerErrorSet(p->pErr, LEDGER_AUTH,
                          "%s: %s is encrypted: give the password in %s",
                          p->zWhat, zIt, zOption);
  }
  if( strstr(zWhy, "unsupported") || strstr(zWhy, "unknown") ) {
    return ledgerErrorSet(p->pErr, LEDGER_AUTH,
                          "%s: %s is encrypted in a way that OpenSSL does "
                          "not read here (%s)%s",
                          p->zWhat, zIt, zWhy,
                          p->pLib == NULL || p->pLegacy
                              ? ""
                              : ": its legacy provider is not installed");
  }
  return ledgerErrorSet(p->pErr, LEDGER_AUTH,
                        "%s: %s cannot be decrypted: the password in %s is not "
                        "its password (%s)",
                        p->zWhat, zIt, zOption, zWhy);
}

/* ---- what is found ------------------------------------------------------ */

/* Takes a certificate over. */
static int certificateAdd(CertificateReader *p, X509 *pCert) {
  int i;
  for( i = 0; i < sk_X509_num(p->pAll); i++ ) {
    if( X509_cmp(sk_X509_value(p->pAll, i), pCert) == 0 ) {
      X509_free(pCert);
      return LEDGER_OK;
    }
  }
  if( sk_X509_push(p->pAll, pCert) > 0 ) return LEDGER_OK;
  X509_free(pCert);
  return ledgerErrorNomem(p->pErr);
}

/* Takes the DER of a certificate. bTrusted: OpenSSL's own form. */
static int certificateAddDer(CertificateReader *p, const void *a, size_t n,
                             int bTrusted) {
  const unsigned char *z = a;
  X509 *pCert =
      bTrusted ? d2i_X509_AUX(NULL, &z, (long)n) : d2i_X509(NULL, &z, (long)n);
  if( pCert ) return certificateAdd(p, pCert);
  return ledgerErrorSet(p->pErr, LEDGER_AUTH,
                        "%s: a certificate in it cannot be read (%s)", p->zWhat,
                        certificateReason());
}

/* Takes a key over; NULL is one that can't be read. */
static int certificateAddKey(CertificateReader *p, EVP_PKEY *pKey) {
  if( pKey == NULL ) return certificateBadKey(p, certificateReason());
  if( p->pKey == NULL ) {
    p->pKey = pKey;
    return LEDGER_OK;
  }
  if( EVP_PKEY_eq(p->pKey, pKey) != 1 ) {
    ledgerErrorSet(p->pErr, LEDGER_AUTH,
                   "%s: there are two private keys: one is expected", p->zWhat);
  }
  EVP_PKEY_free(pKey);
  return p->pErr->rc;
}

/* ---- private keys of a PEM text ----------------------------------------- */

/* Gives OpenSSL the password. */
static int certificatePassword(char *z, int nMax, int bWrite, void *pArg) {
  const char *zPassword = pArg;
  const size_t n = strlen(zPassword);
  (void)bWrite;
  if( n >= (size_t)nMax ) return -1;
  memcpy(z, zPassword, n + 1);
  return (int)n;
}

/* Decrypts a key of the old kind, by its headers, in place. */
static int certificateUnlock(CertificateReader *p, LedgerBuf *pHeader,
                             LedgerBuf *pDer) {
  static const char zIt[] = "its private key";
  const char *zPassword = p->pFrom->zPassword;
  EVP_CIPHER_INFO info;
  EVP_CIPHER *pCipher = NULL;
  long n = (long)pDer->n;

  memset(&info, 0, sizeof(info));
  if( zPassword == NULL || !PEM_get_EVP_CIPHER_INFO(pHeader->z, &info) ||
      info.cipher == NULL || certificateLib(p) == NULL ) {
    return certificateLocked(p, zIt, certificateReason());
  }
  pCipher = EVP_CIPHER_fetch(p->pLib, EVP_CIPHER_get0_name(info.cipher), NULL);
  info.cipher = pCipher;
  if( pCipher == NULL ||
      !PEM_do_header(&info, (unsigned char *)pDer->z, &n, certificatePassword,
                     (void *)(uintptr_t)zPassword) ) {
    certificateLocked(p, zIt, certificateReason());
  } else {
    pDer->n = (size_t)n;
  }
  EVP_CIPHER_free(pCipher);
  return p->pErr->rc;
}

/* Takes a PKCS#8 key, and frees it; NULL is allowed. */
static int certificateAddPkcs8(CertificateReader *p,
                               PKCS8_PRIV_KEY_INFO *pInfo) {
  EVP_PKEY *pKey = pInfo ? EVP_PKCS82PKEY(pInfo) : NULL;
  PKCS8_PRIV_KEY_INFO_free(pInfo);
  return certificateAddKey(p, pKey);
}

/* Takes an encrypted PKCS#8 key. */
static int certificateAddLocked(CertificateReader *p, const X509_SIG *pLocked,
                                const char *zPassword, int nPassword) {
  PKCS8_PRIV_KEY_INFO *pInfo = NULL;
  if( certificateLib(p) == NULL ) return p->pErr->rc;
  if( pLocked && zPassword ) {
    pInfo = PKCS8_decrypt_ex(pLocked, zPassword, nPassword, p->pLib, NULL);
  }
  if( pInfo == NULL ) {
    return certificateLocked(p, "its private key", certificateReason());
  }
  return certificateAddPkcs8(p, pInfo);
}

/* Reads the private key of a block, whose bytes are in *pDer. */
static int certificateKey(CertificateReader *p, const LedgerPem *pPem,
                          LedgerBuf *pHeader, LedgerBuf *pDer) {
  const char *zPassword = p->pFrom->zPassword;
  const unsigned char *z = (const unsigned char *)pDer->z;
  X509_SIG *pLocked;
  int eType = EVP_PKEY_NONE;

  if( ledgerPemIs(pPem, "PRIVATE KEY") ) {
    return certificateAddPkcs8(
        p, d2i_PKCS8_PRIV_KEY_INFO(NULL, &z, (long)pDer->n));
  }
  if( ledgerPemIs(pPem, "ENCRYPTED PRIVATE KEY") ) {
    pLocked = d2i_X509_SIG(NULL, &z, (long)pDer->n);
    if( pLocked == NULL ) return certificateBadKey(p, certificateReason());
    certificateAddLocked(p, pLocked, zPassword,
                         zPassword ? (int)strlen(zPassword) : 0);
    X509_SIG_free(pLocked);
    return p->pErr->rc;
  }
  if( ledgerPemIs(pPem, "RSA PRIVATE KEY") ) eType = EVP_PKEY_RSA;
  if( ledgerPemIs(pPem, "EC PRIVATE KEY") ) eType = EVP_PKEY_EC;
  if( eType == EVP_PKEY_NONE ) {
    return certificateBadKey(
        p, ledgerPemIs(pPem, "OPENSSH PRIVATE KEY")
               ? "it is in OpenSSH's own format: ssh-keygen -p -m PKCS8 "
                 "rewrites a copy of it"
               : "it is of an unknown kind");
  }
  if( pHeader->n && strstr(pHeader->z, "ENCRYPTED") ) {
    const int rc = certificateUnlock(p, pHeader, pDer);
    if( rc || p->pFrom->zPassword == NULL ) return rc;
    z = (const unsigned char *)pDer->z;
  }
  return certificateAddKey(p, d2i_PrivateKey(eType, NULL, &z, (long)pDer->n));
}

/* ---- PKCS#12 ------------------------------------------------------------ */

/* Takes what the bags of a PKCS#12 file hold. */
static int certificateBags(CertificateReader *p,
                           const STACK_OF(PKCS12_SAFEBAG) * pBags,
                           const char *zPassword, int nPassword, int nDepth) {
  int i;
  for( i = 0; i < sk_PKCS12_SAFEBAG_num(pBags) && p->pErr->rc == 0; i++ ) {
    const PKCS12_SAFEBAG *pBag = sk_PKCS12_SAFEBAG_value(pBags, i);
    unsigned char *aDer = NULL;
    const PKCS8_PRIV_KEY_INFO *pInfo;
    X509 *pCert;
    int n;
    switch( PKCS12_SAFEBAG_get_nid(pBag) ) {
      case NID_keyBag:
        pInfo = PKCS12_SAFEBAG_get0_p8inf(pBag);
        certificateAddKey(p, pInfo ? EVP_PKCS82PKEY(pInfo) : NULL);
        break;
      case NID_pkcs8ShroudedKeyBag:
        certificateAddLocked(p, PKCS12_SAFEBAG_get0_pkcs8(pBag), zPassword,
                             nPassword);
        break;
      case NID_certBag:
        if( PKCS12_SAFEBAG_get_bag_nid(pBag) != NID_x509Certificate ) break;
        pCert = PKCS12_SAFEBAG_get1_cert(pBag);
        n = pCert ? i2d_X509(pCert, &aDer) : -1;
        certificateAddDer(p, aDer, n > 0 ? (size_t)n : 0, 0);
        OPENSSL_free(aDer);
        X509_free(pCert);
        break;
      case NID_safeContentsBag:
        if( nDepth <= 0 ) break;
        certificateBags(p, PKCS12_SAFEBAG_get0_safes(pBag), zPassword,
                        nPassword, nDepth - 1);
        break;
      default: break;
    }
  }
  return p->pErr->rc;
}

/* Reads a PKCS#12 file. */
static int certificatePkcs12(CertificateReader *p, const LedgerBuf *pDer) {
  static const char zIt[] = "the PKCS#12 file";
  const unsigned char *z = (const unsigned char *)pDer->z;
  const char *zPassword = p->pFrom->zPassword;
  int nPassword = zPassword ? (int)strlen(zPassword) : 0;
  STACK_OF(PKCS7) *pSafes = NULL;
  PKCS12 *pFile = d2i_PKCS12(NULL, &z, (long)pDer->n);
  int i;

  if( pFile == NULL || certificateLib(p) == NULL ) {
    ledgerErrorSet(p->pErr, LEDGER_AUTH, "%s: it cannot be read (%s)", p->zWhat,
                   certificateReason());
    goto out;
  }
  /* No password is one of two things: none, or an empty one. */
  if( PKCS12_mac_present(pFile) &&
      !PKCS12_verify_mac(pFile, zPassword, nPassword) ) {
    if( zPassword == NULL && PKCS12_verify_mac(pFile, "", 0) ) {
      zPassword = "";
    } else if( p->bKeys ) {
      certificateLocked(p, zIt, "mac verify failure");
      goto out;
    } else {
      ledgerErrorSet(p->pErr, LEDGER_AUTH,
                     "%s: %s is encrypted: give its certificate alone",
                     p->zWhat, zIt);
      goto out;
    }
  }
  pSafes = PKCS12_unpack_authsafes(pFile);
  for( i = 0; i < sk_PKCS7_num(pSafes) && p->pErr->rc == 0; i++ ) {
    PKCS7 *pSafe = sk_PKCS7_value(pSafes, i);
    STACK_OF(PKCS12_SAFEBAG) *pBags = NULL;
    if( OBJ_obj2nid(pSafe->type) == NID_pkcs7_data ) {
      pBags = PKCS12_unpack_p7data(pSafe);
    } else if( OBJ_obj2nid(pSafe->type) == NID_pkcs7_encrypted ) {
      const PKCS7_ENC_CONTENT *pEnc = pSafe->d.encrypted->enc_data;
      pBags = PKCS12_item_decrypt_d2i_ex(
          pEnc->algorithm, ASN1_ITEM_rptr(PKCS12_SAFEBAGS), zPassword,
          nPassword, pEnc->enc_data, 1, p->pLib, NULL);
      if( pBags == NULL ) certificateLocked(p, zIt, certificateReason());
    }
    certificateBags(p, pBags, zPassword, nPassword, CERTIFICATE_DEPTH);
    sk_PKCS12_SAFEBAG_pop_free(pBags, PKCS12_SAFEBAG_free);
  }
out:
  sk_PKCS7_pop_free(pSafes, PKCS7_free);
  PKCS12_free(pFile);
  return p->pErr->rc;
}

/* ---- a whole text ------------------------------------------------------- */

/* What the block is, where people take it for a certificate; else NULL. Other
** names are not told: in a damaged text they may be a key's. */
static const char *certificateOther(const LedgerPem *p) {
  static const char *const azName[] = {"CERTIFICATE REQUEST",
                                       "NEW CERTIFICATE REQUEST",
                                       "PUBLIC KEY",
                                       "RSA PUBLIC KEY",
                                       "PKCS7",
                                       "X509 CRL"};
  size_t i;
  for( i = 0; i < sizeof(azName) / sizeof(azName[0]); i++ ) {
    if( ledgerPemIs(p, azName[i]) ) return azName[i];
  }
  return NULL;
}

/* Reads a PEM text: its certificates, unless bCerts is 0, and its keys. */
static int certificateText(CertificateReader *p, const char *z, int bCerts) {
  LedgerPem pem;

  while( p->pErr->rc == 0 && ledgerPemNext(&z, &pem) ) {
    const int bTrusted = ledgerPemIs(&pem, "TRUSTED CERTIFICATE");
    const int bCert = ledgerPemIsCertificate(&pem);
    const int bKey = ledgerPemIsKey(&pem);
    const int bFile = ledgerPemIs(&pem, "PKCS12");
    LedgerBuf header = {0}, der = {0};
    if( bCerts && p->zOther == NULL ) p->zOther = certificateOther(&pem);
    if( !(bCert && bCerts) && !bKey && !bFile ) continue;
    ERR_clear_error();
    if( !ledgerPemDecode(&pem, &header, &der) ) {
      if( header.bOom || der.bOom )
        ledgerErrorNomem(p->pErr);
      else if( bKey )
        certificateBadKey(p, "its PEM block is cut off or damaged");
      else
        ledgerErrorSet(p->pErr, LEDGER_AUTH,
                       "%s: a certificate in it cannot be read (its PEM block "
                       "is cut off or damaged)",
                       p->zWhat);
    } else if( bFile ) {
      certificatePkcs12(p, &der);
    } else if( bKey ) {
      certificateKey(p, &pem, &header, &der);
    } else {
      certificateAddDer(p, der.z, der.n, bTrusted);
    }
    ledgerBufFree(&header);
    ledgerBufWipe(&der);
  }
  return p->pErr->rc;
}

/* Whether the parent has issued the child. */
static int certificateIssued(X509 *pParent, X509 *pChild) {
  return X509_NAME_cmp(X509_get_issuer_name(pChild),
                       X509_get_subject_name(pParent)) == 0 &&
         X509_verify(pChild, X509_get0_pubkey(pParent)) == 1;
}

/* The leaf's place in p->pAll, or -1 with an error. */
static int certificateLeaf(CertificateReader *p) {
  const int n = sk_X509_num(p->pAll);
  int nLeaf = 0, iLeaf = -1;
  int i, j;

  for( i = 0; i < n && p->pKey; i++ ) {
    if( X509_check_private_key(sk_X509_value(p->pAll, i), p->pKey) ) return i;
  }
  if( n == 0 ) {
    ledgerErrorSet(p->pErr, LEDGER_AUTH,
                   "%s: there is no certificate in it%s%s", p->pFrom->zWhat,
                   p->zOther ? ", but " : "", p->zOther ? p->zOther : "");
    return -1;
  }
  if( p->pKey && p->bKeys ) {
    ledgerErrorSet(p->pErr, LEDGER_AUTH,
                   "%s: no certificate in it belongs to %s%s", p->pFrom->zWhat,
                   p->pFrom->zKeyText ? "the private key in "
                                      : "its private key",
                   p->pFrom->zKeyText ? p->pFrom->zKeyWhat : "");
    return -1;
  }
  for( i = 0; i < n; i++ ) {
    X509 *pCert = sk_X509_value(p->pAll, i);
    for( j = 0; j < n; j++ ) {
      if( i != j && certificateIssued(pCert, sk_X509_value(p->pAll, j)) ) break;
    }
    if( j < n ) continue;
    iLeaf = i;
    nLeaf++;
  }
  if( nLeaf == 1 ) return iLeaf;
  ledgerErrorSet(p->pErr, LEDGER_AUTH,
                 "%s: %d certificates in it issued no other: give the one that "
                 "is meant",
                 p->pFrom->zWhat, nLeaf);
  return -1;
}

/* Moves the leaf into *pOut, and the others in the order of their chain. */
static int certificateChain(CertificateReader *p, LedgerCertificate *pOut) {
  int i = certificateLeaf(p);
  X509 *pChild;

  if( i < 0 ) return p->pErr->rc;
  pOut->pCert = pChild = sk_X509_delete(p->pAll, i);
  pOut->pRest = sk_X509_new_null();
  if( pOut->pRest == NULL ) return ledgerErrorNomem(p->pErr);
  for( i = 0; i < sk_X509_num(p->pAll); i++ ) {
    X509 *pParent = sk_X509_value(p->pAll, i);
    if( !certificateIssued(pParent, pChild) ) continue;
    sk_X509_delete(p->pAll, i);
    if( sk_X509_push(pOut->pRest, pParent) <= 0 ) {
      X509_free(pParent);
      return ledgerErrorNomem(p->pErr);
    }
    pChild = pParent;
    i = -1; /* from the start again */
  }
  /* The others follow, in their order: who trusts an application by its issuer
  ** may know one of them. */
  while( sk_X509_num(p->pAll) > 0 ) {
    X509 *pOther = sk_X509_shift(p->pAll);
    if( sk_X509_push(pOut->pRest, pOther) <= 0 ) {
      X509_free(pOther);
      return ledgerErrorNomem(p->pErr);
    }
  }
  return LEDGER_OK;
}

/* Reads what pFrom names into *pOut, which ledgerCertificateFree() frees.
** bKeys: a key must be there, too. Errors are LEDGER_AUTH. */
static int certificateRead(const LedgerCertificateFrom *pFrom, int bKeys,
                           LedgerCertificate *pOut, LedgerError *pErr) {
  CertificateReader reader;

  memset(pOut, 0, sizeof(*pOut));
  memset(&reader, 0, sizeof(reader));
  reader.pFrom = pFrom;
  reader.zWhat = pFrom->zWhat;
  reader.bKeys = bKeys;
  reader.pErr = pErr;
  reader.pAll = sk_X509_new_null();
  if( reader.pAll == NULL ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  if( certificateText(&reader, pFrom->zText, 1) ) goto out;
  if( pFrom->zKeyText ) {
    reader.zWhat = pFrom->zKeyWhat;
    if( certificateText(&reader, pFrom->zKeyText, 0) ) goto out;
  }
  if( bKeys && reader.pKey == NULL && sk_X509_num(reader.pAll) > 0 ) {
    ledgerErrorSet(pErr, LEDGER_AUTH, "%s: there is no private key in it%s",
                   reader.zWhat, pFrom->zNoKey ? pFrom->zNoKey : "");
    goto out;
  }
  if( certificateChain(&reader, pOut) == LEDGER_OK ) {
    pOut->pKey = reader.pKey;
    reader.pKey = NULL;
  }
out:
  if( pErr->rc ) ledgerCertificateFree(pOut);
  EVP_PKEY_free(reader.pKey);
  sk_X509_pop_free(reader.pAll, X509_free);
  certificateLibFree(&reader);
  ERR_clear_error();
  return pErr->rc;
}

int ledgerCertificateRead(const LedgerCertificateFrom *pFrom,
                          LedgerCertificate *pOut, LedgerError *pErr) {
  return certificateRead(pFrom, !pFrom->bKeyLater, pOut, pErr);
}

/* ---- as text ------------------------------------------------------------ */

/* What was written, with a NUL, as the caller's; the BIO is freed. */
static char *certificateTake(BIO *pBio, int bOk) {
  char *z = NULL;
  const long n = pBio ? BIO_get_mem_data(pBio, &z) : 0;
  char *zCopy = bOk && n > 0 ? ledgerStrndup(z, (size_t)n) : NULL;
  BIO_free(pBio); /* wipes it */
  return zCopy;
}

/* The certificate as PEM; NULL: no memory. The caller frees it. */
char *ledgerCertificateText(X509 *pCert) {
  BIO *pBio = BIO_new(BIO_s_mem());
  return certificateTake(pBio, pBio && PEM_write_bio_X509(pBio, pCert));
}

/* The leaf and those behind it, and the key unencrypted, as libcurl takes them.
** Both are the caller's; ledgerSecretFree() frees them. */
int ledgerCertificatePem(const LedgerCertificate *p, char **pzPem, char **pzKey,
                         LedgerError *pErr) {
  BIO *pBio = BIO_new(BIO_s_mem());
  int bOk = pBio && PEM_write_bio_X509(pBio, p->pCert);
  int i;

  for( i = 0; bOk && i < sk_X509_num(p->pRest); i++ ) {
    bOk = PEM_write_bio_X509(pBio, sk_X509_value(p->pRest, i));
  }
  *pzPem = certificateTake(pBio, bOk);
  pBio = BIO_new(BIO_s_mem());
  bOk = pBio &&
        PEM_write_bio_PKCS8PrivateKey(pBio, p->pKey, NULL, NULL, 0, NULL, NULL);
  *pzKey = certificateTake(pBio, bOk);
  ERR_clear_error();
  return *pzPem && *pzKey ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* ---- certificates alone ------------------------------------------------- */

/* The certificates of a PEM text: parses the first into *ppCert and counts
** them all; 0 where one can't be read, -1 where memory is short. Other blocks
** are passed over. */
int ledgerCertificateCount(const char *zPem, X509 **ppCert) {
  LedgerPem pem;
  int nCert = 0, bOom = 0;

  *ppCert = NULL;
  while( ledgerPemNext(&zPem, &pem) ) {
    LedgerBuf header = {0}, der = {0};
    const unsigned char *z;
    X509 *p = NULL;
    if( !ledgerPemIsCertificate(&pem) ) continue;
    if( ledgerPemDecode(&pem, &header, &der) ) {
      z = (const unsigned char *)der.z;
      p = ledgerPemIs(&pem, "TRUSTED CERTIFICATE")
              ? d2i_X509_AUX(NULL, &z, (long)der.n)
              : d2i_X509(NULL, &z, (long)der.n);
    }
    bOom = header.bOom || der.bOom;
    ledgerBufFree(&header);
    ledgerBufFree(&der);
    if( p == NULL ) {
      X509_free(*ppCert);
      *ppCert = NULL;
      nCert = bOom ? -1 : 0;
      break;
    }
    if( nCert++ == 0 )
      *ppCert = p;
    else
      X509_free(p);
  }
  ERR_clear_error();
  return nCert;
}

/* Whether the first certificate of a PEM text has ended: on zDate[32]. */
int ledgerCertificateEnded(const char *zPem, char *zDate) {
  X509 *pCert = NULL;
  struct tm t;
  int bEnded = 0;
  if( ledgerCertificateCount(zPem, &pCert) > 0 &&
      X509_cmp_current_time(X509_get0_notAfter(pCert)) < 0 &&
      ASN1_TIME_to_tm(X509_get0_notAfter(pCert), &t) == 1 ) {
    bEnded = strftime(zDate, 32, "%Y-%m-%dT%H:%M:%SZ", &t) > 0;
  }
  X509_free(pCert);
  return bEnded;
}

/* The fingerprint of a certificate as the ledger writes it, into zOut[96]. */
int ledgerCertificatePrint(X509 *pCert, char *zOut, LedgerError *pErr) {
  unsigned char aHash[32];
  char zHex[2 * sizeof(aHash) + 1];
  unsigned int n = 0;

  zOut[0] = 0;
  if( X509_digest(pCert, EVP_sha256(), aHash, &n) != 1 ||
      !ledgerUserId(ledgerHexEncode(aHash, sizeof(aHash), zHex),
                    2 * sizeof(aHash), zOut) ) {
    return ledgerErrorNomem(pErr);
  }
  return LEDGER_OK;
}

int ledgerCertificateFingerprint(const void *pBytes, size_t n, char *zOut,
                                 LedgerError *pErr) {
  LedgerCertificate cert;
  LedgerCertificateFrom from;
  LedgerBuf text = {0};
  const char *zWrong;

  memset(&cert, 0, sizeof(cert));
  memset(&from, 0, sizeof(from));
  zOut[0] = 0;
  zWrong = ledgerPemText(pBytes, n, &text);
  if( text.bOom ) {
    ledgerErrorNomem(pErr);
  } else if( zWrong ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "there is no certificate in this PEM text");
  } else {
    from.zWhat = "ledger_fingerprint";
    from.zText = text.z;
    if( certificateRead(&from, 0, &cert, pErr) == LEDGER_OK ) {
      ledgerCertificatePrint(cert.pCert, zOut, pErr);
    }
    if( pErr->rc == LEDGER_AUTH ) pErr->rc = LEDGER_ERROR;
  }
  ledgerCertificateFree(&cert);
  ledgerBufWipe(&text);
  return pErr->rc;
}
