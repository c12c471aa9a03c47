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
#include "client/credential/credentialInt.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CERTIFICATE_LIFE 600 /* seconds that an assertion is good for */

/* Reads the application's certificate: the option's, else the environment's. */
static int certificateLoad(const LedgerApplication *pApp,
                           LedgerCertificate *pOut, LedgerError *pErr) {
  LedgerCertificateFrom from;
  LedgerBuf file = {0}, text = {0};
  const char *zWrong;

  memset(pOut, 0, sizeof(*pOut));
  memset(&from, 0, sizeof(from));
  from.zWhat = pApp->zCertificateFrom;
  from.zText = pApp->zCertificate;
  from.zPasswordOption = strcmp(from.zWhat, "client_certificate") == 0
                             ? "client_certificate_password"
                             : "AZURE_CLIENT_CERTIFICATE_PASSWORD";
  from.zPassword = pApp->zPassword;
  from.zNoKey = ": it takes PEM with certificate and key, or PKCS#12";
  if( strstr(from.zText, "-----BEGIN ") == NULL ) {
    if( ledgerFileRead(from.zWhat, from.zText, 1 << 20, &file, pErr) ) {
      goto out;
    }
    zWrong = ledgerPemText(file.z, file.n, &text);
    if( text.bOom ) {
      ledgerErrorNomem(pErr);
      goto out;
    }
    if( zWrong ) {
      ledgerErrorSet(pErr, LEDGER_AUTH, "%s: '%.400s' %s", from.zWhat,
                     from.zText, zWrong);
      goto out;
    }
    from.zText = text.z;
  }
  if( ledgerCertificateRead(&from, pOut, pErr) ) goto out;
  if( !EVP_PKEY_is_a(pOut->pKey, "RSA") ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "%s: its key is not an RSA key, which Entra needs",
                   from.zWhat);
    ledgerCertificateFree(pOut);
  }
out:
  ledgerBufWipe(&file);
  ledgerBufWipe(&text);
  return pErr->rc;
}

/* Whether the certificate that option client_certificate gives can be read. */
int ledgerClientCertificateCheck(const LedgerConfig *p, LedgerError *pErr) {
  LedgerApplication app;
  LedgerCertificate cert;
  ledgerApplicationRead(p, &app);
  if( certificateLoad(&app, &cert, pErr) == LEDGER_OK ) {
    ledgerCertificateFree(&cert);
  }
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
static void certificateHeader(const LedgerCertificate *p, LedgerBuf *pOut) {
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
  if( pCtx == NULL || (nSig > 0 && aSig == NULL) ) pText->bOom = 1;
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
  LedgerCertificate cert;
  LedgerBuf jwt = {0}, header = {0}, claims = {0};
  char *zUrl = NULL;

  if( certificateLoad(pApp, &cert, pErr) ) return pErr->rc;
  zUrl = ledgerEntraUrl(p->pClient, pApp->zTenant, pErr);
  if( zUrl == NULL ) goto out;
  certificateHeader(&cert, &header);
  ledgerBufBase64Url(&jwt, header.z, header.n);
  ledgerBufText(&jwt, ".");
  certificateClaims(pApp->zClient, zUrl, &claims);
  ledgerBufBase64Url(&jwt, claims.z, claims.n);
  if( header.bOom || claims.bOom || jwt.bOom ) {
    ledgerErrorNomem(pErr);
  } else if( !certificateSign(cert.pKey, &jwt) && !jwt.bOom ) {
    ledgerErrorSet(pErr, LEDGER_AUTH, "%s: its key cannot sign",
                   pApp->zCertificateFrom);
  } else if( jwt.bOom ) {
    ledgerErrorNomem(pErr);
  } else {
    ledgerEntraStart(p, pApp, jwt.z, pErr);
  }
out:
  ledgerCertificateFree(&cert);
  if( jwt.z ) OPENSSL_cleanse(jwt.z, jwt.n);
  ledgerBufFree(&jwt);
  ledgerBufFree(&header);
  ledgerBufFree(&claims);
  free(zUrl);
  return pErr->rc;
}

static int certificateStart(LedgerFetch *p, LedgerError *pErr) {
  LedgerApplication app;

  if( ledgerApplicationRead(p->pClient->pConfig, &app) && app.zCertificate ) {
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
