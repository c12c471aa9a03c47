/*
** An Entra application with a certificate: it signs an assertion of who it is
** with the certificate's key, and the authority knows the certificate.
**
**   SELECT ledger_attach('my-ledger', json_object('tenant_id', '...',
**     'client_id', '...', 'client_certificate', '/path/app.pem'));
**
** PEM (certificate and key in one file; the key may be encrypted) or PKCS#12.
** The assertion is a JWT, PS256, named by x5t#S256, good for ten minutes.
** With AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=true it carries the chain (x5c), as
** applications trusted by subject and issuer need.
**
** Requests: POST {authority}/{tenant}/oauth2/v2.0/token.
** Invariant: key and password stay in this process and are wiped.
*/
#include "credentialInt.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CERTIFICATE_LIFE 600 /* seconds that an assertion is good for */

/* What a file of a certificate holds. */
typedef struct Certificate Certificate;
struct Certificate {
  EVP_PKEY *pKey;
  X509 *pCert;            /* the key's */
  STACK_OF(X509) * pRest; /* all certificates, or those beside it */
};

static void certificateFree(Certificate *p) {
  EVP_PKEY_free(p->pKey);
  X509_free(p->pCert);
  sk_X509_pop_free(p->pRest, X509_free);
}

/* Reads a file whole, up to 1 MiB, or takes the PEM text that zFrom is. */
static int certificateBytes(const char *zFrom, LedgerBuf *pOut,
                            LedgerError *pErr) {
  if( strstr(zFrom, "-----BEGIN ") ) {
    ledgerBufText(pOut, zFrom);
    return pOut->bOom ? ledgerErrorNomem(pErr) : LEDGER_OK;
  }
  if( ledgerFileRead("client certificate", zFrom, 1 << 20, LEDGER_AUTH, pOut,
                     pErr) ) {
    return pErr->rc;
  }
  if( pOut->n == 0 ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "client certificate: '%.400s' is no certificate", zFrom);
  }
  return pErr->rc;
}

/* Gives OpenSSL the password; without one it must not ask on the terminal. */
static int certificatePassword(char *z, int nMax, int bWrite, void *pArg) {
  const char *zPassword = pArg ? pArg : "";
  int n = (int)strlen(zPassword);
  (void)bWrite;
  if( n >= nMax ) return -1;
  memcpy(z, zPassword, (size_t)n + 1);
  return n;
}

/* Reads key and certificates of a PEM text. */
static void certificatePem(const LedgerBuf *pText, const char *zPassword,
                           Certificate *pOut) {
  BIO *pBio = BIO_new_mem_buf(pText->z, (int)pText->n);
  X509 *pCert;
  int i;

  pOut->pRest = sk_X509_new_null();
  if( pBio == NULL || pOut->pRest == NULL ) goto out;
  while( (pCert = PEM_read_bio_X509(pBio, NULL, NULL, NULL)) != NULL ) {
    if( sk_X509_push(pOut->pRest, pCert) <= 0 ) {
      X509_free(pCert);
      goto out;
    }
  }
  BIO_free(pBio);
  pBio = BIO_new_mem_buf(pText->z, (int)pText->n);
  if( pBio == NULL ) goto out;
  pOut->pKey = PEM_read_bio_PrivateKey(pBio, NULL, certificatePassword,
                                       (void *)(uintptr_t)zPassword);
  if( pOut->pKey == NULL ) goto out;
  for( i = 0; i < sk_X509_num(pOut->pRest); i++ ) {
    if( X509_check_private_key(sk_X509_value(pOut->pRest, i), pOut->pKey) ) {
      pOut->pCert = sk_X509_delete(pOut->pRest, i);
      break;
    }
  }
out:
  BIO_free(pBio);
}

/* Reads key and certificates of a PKCS#12 file. */
static void certificatePkcs12(const LedgerBuf *pText, const char *zPassword,
                              Certificate *pOut) {
  const unsigned char *a = (const unsigned char *)pText->z;
  PKCS12 *p = d2i_PKCS12(NULL, &a, (long)pText->n);
  if( p ) {
    PKCS12_parse(p, zPassword ? zPassword : "", &pOut->pKey, &pOut->pCert,
                 &pOut->pRest);
  }
  PKCS12_free(p);
}

/* Reads a certificate and its key. */
static int certificateLoad(const char *zFrom, const char *zPassword,
                           Certificate *pOut, LedgerError *pErr) {
  LedgerBuf text = {0};
  const char *zWhy = NULL;

  memset(pOut, 0, sizeof(*pOut));
  if( certificateBytes(zFrom, &text, pErr) || text.z == NULL ) goto out;
  ERR_clear_error();
  if( strstr(text.z, "-----BEGIN ") )
    certificatePem(&text, zPassword, pOut);
  else
    certificatePkcs12(&text, zPassword, pOut);
  if( pOut->pKey == NULL ) {
    unsigned long e = ERR_peek_last_error();
    const char *z = e ? ERR_reason_error_string(e) : NULL;
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "client certificate: its private key cannot be read (%s): "
                   "it takes PEM with certificate and key, or PKCS#12, and "
                   "client_certificate_password where the key is encrypted",
                   z ? z : "there is none");
    goto out;
  }
  if( pOut->pCert == NULL )
    zWhy = "no certificate in it belongs to its private key";
  else if( !EVP_PKEY_is_a(pOut->pKey, "RSA") )
    zWhy = "its key is no RSA key, which Entra needs";
  if( zWhy ) {
    ledgerErrorSet(pErr, LEDGER_AUTH, "client certificate: %s", zWhy);
  }
out:
  ERR_clear_error();
  if( text.z ) OPENSSL_cleanse(text.z, text.nAlloc);
  ledgerBufFree(&text);
  return pErr->rc;
}

/* Appends a certificate to the list of x5c. */
static void certificateChainItem(LedgerBuf *pBuf, X509 *pCert, int iItem) {
  unsigned char *aDer = NULL;
  int n = i2d_X509(pCert, &aDer);
  if( n <= 0 ) {
    pBuf->bOom = 1;
    return;
  }
  ledgerBufText(pBuf, iItem ? ",\"" : "\"");
  ledgerBufBase64(pBuf, aDer, (size_t)n);
  ledgerBufText(pBuf, "\"");
  OPENSSL_free(aDer);
}

/* The JWT's header. */
static void certificateHeader(const Certificate *p, LedgerBuf *pOut) {
  const char *zChain = getenv("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
  unsigned char aHash[EVP_MAX_MD_SIZE];
  unsigned int nHash = 0;
  int i;

  ledgerBufText(pOut, "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"");
  if( X509_digest(p->pCert, EVP_sha256(), aHash, &nHash) != 1 ) {
    pOut->bOom = 1;
  }
  ledgerBufBase64Url(pOut, aHash, nHash);
  ledgerBufText(pOut, "\"");
  if( zChain &&
      (strcmp(zChain, "1") == 0 || ledgerStricmp(zChain, "true") == 0) ) {
    ledgerBufText(pOut, ",\"x5c\":[");
    certificateChainItem(pOut, p->pCert, 0);
    for( i = 0; i < sk_X509_num(p->pRest); i++ ) {
      certificateChainItem(pOut, sk_X509_value(p->pRest, i), i + 1);
    }
    ledgerBufText(pOut, "]");
  }
  ledgerBufText(pOut, "}");
}

/* The JWT's claims. */
static void certificateClaims(const char *zClient, const char *zAudience,
                              LedgerBuf *pOut) {
  const long long iNow = (long long)time(NULL);
  unsigned char a[16];
  char zId[2 * sizeof(a) + 1];

  if( RAND_bytes(a, sizeof(a)) != 1 ) pOut->bOom = 1;
  ledgerBufText(pOut, "{\"aud\":");
  ledgerBufJson(pOut, zAudience, strlen(zAudience));
  ledgerBufText(pOut, ",\"iss\":");
  ledgerBufJson(pOut, zClient, strlen(zClient));
  ledgerBufText(pOut, ",\"sub\":");
  ledgerBufJson(pOut, zClient, strlen(zClient));
  ledgerBufPrintf(
      pOut, ",\"jti\":\"%s\",\"nbf\":%lld,\"iat\":%lld,\"exp\":%lld}",
      ledgerHexEncode(a, sizeof(a), zId), iNow, iNow, iNow + CERTIFICATE_LIFE);
}

/* Signs a text with RSA-PSS and SHA-256, and appends the signature. */
static int certificateSign(EVP_PKEY *pKey, LedgerBuf *pText) {
  EVP_MD_CTX *pCtx = EVP_MD_CTX_new();
  EVP_PKEY_CTX *pParam = NULL;
  unsigned char *aSig = NULL;
  size_t nSig = 0;
  int bOk;

  bOk = pCtx &&
        EVP_DigestSignInit(pCtx, &pParam, EVP_sha256(), NULL, pKey) > 0 &&
        EVP_PKEY_CTX_set_rsa_padding(pParam, RSA_PKCS1_PSS_PADDING) > 0 &&
        EVP_PKEY_CTX_set_rsa_pss_saltlen(pParam, RSA_PSS_SALTLEN_DIGEST) > 0 &&
        EVP_DigestSign(pCtx, NULL, &nSig, (const unsigned char *)pText->z,
                       pText->n) > 0 &&
        (aSig = malloc(nSig)) != NULL &&
        EVP_DigestSign(pCtx, aSig, &nSig, (const unsigned char *)pText->z,
                       pText->n) > 0;
  if( bOk ) {
    ledgerBufText(pText, ".");
    ledgerBufBase64Url(pText, aSig, nSig);
  }
  free(aSig);
  EVP_MD_CTX_free(pCtx);
  ERR_clear_error();
  return bOk;
}

/*
** Starts the request for a token with the application's certificate.
*/
int ledgerClientCertificateStart(LedgerFetch *p, const LedgerApplication *pApp,
                                 LedgerError *pErr) {
  Certificate cert;
  LedgerBuf jwt = {0}, part = {0};
  char *zUrl = NULL;

  if( certificateLoad(pApp->zCertificate, pApp->zPassword, &cert, pErr) ) {
    goto out;
  }
  zUrl = ledgerEntraUrl(p->pClient, pApp->zTenant, pErr);
  if( zUrl == NULL ) goto out;
  certificateHeader(&cert, &part);
  ledgerBufBase64Url(&jwt, part.z, part.n);
  ledgerBufText(&jwt, ".");
  ledgerBufReset(&part);
  certificateClaims(pApp->zClient, zUrl, &part);
  ledgerBufBase64Url(&jwt, part.z, part.n);
  if( part.bOom || jwt.bOom ) {
    ledgerErrorNomem(pErr);
  } else if( !certificateSign(cert.pKey, &jwt) || jwt.bOom ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "client certificate: its key cannot sign");
  } else {
    ledgerEntraStart(p, pApp, jwt.z, pErr);
  }
out:
  certificateFree(&cert);
  if( jwt.z ) OPENSSL_cleanse(jwt.z, jwt.n);
  ledgerBufFree(&jwt);
  ledgerBufFree(&part);
  free(zUrl);
  return pErr->rc;
}

static int certificateStart(LedgerFetch *p, LedgerError *pErr) {
  LedgerApplication app;

  if( ledgerApplicationRead(p, &app) && app.zCertificate ) {
    return ledgerClientCertificateStart(p, &app, pErr);
  }
  return ledgerApplicationMissing(
      p, &app, "client_certificate or AZURE_CLIENT_CERTIFICATE_PATH",
      app.zCertificate, pErr);
}

const LedgerCredential ledgerCredentialCertificate = {
    .zName = "client_certificate",
    .zAzure = "ClientCertificateCredential",
    .xStart = certificateStart};
