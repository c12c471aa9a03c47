/*
** Assertions: JWTs by which an application proves to the authority who it is.
**
** Serves POST /{tenant}/oauth2/v2.0/token with client_assertion.
**
**   --client-certificate FILE         certificates (PEM) of the application
**                                     that is printed at start
**   --federation ISSUER,SUBJECT,FILE  tokens of that issuer for that subject,
**                                     signed by the public key in FILE, stand
**                                     for the application (workload identity)
**
** Invariants
**   - a signature counts only if its key was given at start: that of a
**     certificate is looked up by x5t#S256 (PS256, RS256); an issuer signs
**     with RS256;
**   - audience, subject and times are checked as Entra does, and so is the
**     certificate's validity.
*/
#include "emulator/auth/authInt.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASSERTION_MAX 8    /* certificates */
#define ASSERTION_SKEW 300 /* seconds that clocks may differ */
#define ASSERTION_FEDERATED "api://AzureADTokenExchange"

struct EmuAssertions {
  X509 *apCert[ASSERTION_MAX];
  int nCert;
  char *zIssuer; /* of federated tokens, or NULL */
  char *zSubject;
  EVP_PKEY *pIssuerKey;
};

void emuAssertionsFree(EmuAssertions *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < p->nCert; i++ ) X509_free(p->apCert[i]);
  EVP_PKEY_free(p->pIssuerKey);
  free(p->zIssuer);
  free(p->zSubject);
  free(p);
}

/* Reads all certificates of a PEM file. */
static int assertionCertificates(EmuAssertions *p, const char *zFile,
                                 LedgerError *pErr) {
  BIO *pBio = BIO_new_file(zFile, "r");
  while( pBio && p->nCert < ASSERTION_MAX &&
         (p->apCert[p->nCert] = PEM_read_bio_X509(pBio, NULL, NULL, NULL)) ) {
    p->nCert++;
  }
  BIO_free(pBio);
  ERR_clear_error();
  if( p->nCert ) return LEDGER_OK;
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "--client-certificate: no certificate in '%s'", zFile);
}

/* ISSUER,SUBJECT,FILE */
static int assertionFederation(EmuAssertions *p, const char *z,
                               LedgerError *pErr) {
  const char *zSubject = strchr(z, ',');
  const char *zFile = zSubject ? strchr(zSubject + 1, ',') : NULL;
  BIO *pBio;

  if( zFile == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "--federation takes ISSUER,SUBJECT,FILE");
  }
  p->zIssuer = ledgerStrndup(z, (size_t)(zSubject - z));
  p->zSubject = ledgerStrndup(zSubject + 1, (size_t)(zFile - zSubject) - 1);
  if( p->zIssuer == NULL || p->zSubject == NULL ) {
    return ledgerErrorNomem(pErr);
  }
  pBio = BIO_new_file(zFile + 1, "r");
  if( pBio ) p->pIssuerKey = PEM_read_bio_PUBKEY(pBio, NULL, NULL, NULL);
  BIO_free(pBio);
  ERR_clear_error();
  if( p->pIssuerKey ) return LEDGER_OK;
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "--federation: no public key (PEM) in '%s'", zFile + 1);
}

int emuAssertionsOpen(Emu *p, LedgerError *pErr) {
  const EmuArgs *pArgs = &p->args;
  p->pAssertions = calloc(1, sizeof(*p->pAssertions));
  if( p->pAssertions == NULL ) return ledgerErrorNomem(pErr);
  if( pArgs->zClientCertificate &&
      assertionCertificates(p->pAssertions, pArgs->zClientCertificate, pErr) ) {
    return pErr->rc;
  }
  if( pArgs->zFederation ) {
    assertionFederation(p->pAssertions, pArgs->zFederation, pErr);
  }
  return pErr->rc;
}

/* ---- one assertion ----------------------------------------------------- */

/* 1 when aSig signs the n bytes at z, RSA with SHA-256; bPss: its padding. */
static int assertionVerify(EVP_PKEY *pKey, int bPss, const char *z, size_t n,
                           const LedgerBuf *pSig) {
  EVP_MD_CTX *pCtx = EVP_MD_CTX_new();
  EVP_PKEY_CTX *pParam = NULL;
  int bOk = pCtx && EVP_PKEY_is_a(pKey, "RSA") &&
            EVP_DigestVerifyInit(pCtx, &pParam, EVP_sha256(), NULL, pKey) > 0;
  if( bOk && bPss ) {
    bOk = EVP_PKEY_CTX_set_rsa_padding(pParam, RSA_PKCS1_PSS_PADDING) > 0 &&
          EVP_PKEY_CTX_set_rsa_pss_saltlen(pParam, RSA_PSS_SALTLEN_DIGEST) > 0;
  }
  if( bOk ) {
    bOk = EVP_DigestVerify(pCtx, (const unsigned char *)pSig->z, pSig->n,
                           (const unsigned char *)z, n) == 1;
  }
  EVP_MD_CTX_free(pCtx);
  ERR_clear_error();
  return bOk;
}

/* The registered certificate whose thumbprint a header tells, or NULL. */
static X509 *assertionFind(const EmuAssertions *p, LedgerJson *pHead) {
  const char *z;
  size_t n;
  int i;

  z = ledgerJsonMemberText(pHead, ledgerJsonRoot(pHead), "x5t#S256", &n);
  for( i = 0; z && i < p->nCert; i++ ) {
    unsigned char aHash[EVP_MAX_MD_SIZE];
    unsigned int nHash = 0;
    LedgerBuf text = {0};
    int bSame;
    X509_digest(p->apCert[i], EVP_sha256(), aHash, &nHash);
    ledgerBufBase64Url(&text, aHash, nHash);
    bSame = text.z && emuIs(z, n, text.z);
    ledgerBufFree(&text);
    if( bSame ) return p->apCert[i];
  }
  return NULL;
}

/* 1 when member zKey of the claims is zText. */
static int assertionClaim(LedgerJson *pClaims, const char *zKey,
                          const char *zText) {
  size_t n;
  const char *z =
      ledgerJsonMemberText(pClaims, ledgerJsonRoot(pClaims), zKey, &n);
  return z && emuIs(z, n, zText);
}

/* Checks exp and nbf. */
static int assertionTimes(LedgerJson *pClaims, LedgerError *pErr) {
  const cJSON *pExp = ledgerJsonMember(ledgerJsonRoot(pClaims), "exp");
  const cJSON *pNbf = ledgerJsonMember(ledgerJsonRoot(pClaims), "nbf");
  const double rNow = (double)time(NULL);
  if( cJSON_IsNumber(pExp) && pExp->valuedouble > rNow - ASSERTION_SKEW &&
      (pNbf == NULL ||
       (cJSON_IsNumber(pNbf) && pNbf->valuedouble < rNow + ASSERTION_SKEW)) ) {
    return LEDGER_OK;
  }
  return ledgerErrorSet(pErr, LEDGER_AUTH,
                        "AADSTS700024: Client assertion is not within its "
                        "valid time range.");
}

/* What a certificate has signed. */
static int assertionSigned(const EmuAssertions *p, LedgerJson *pHead,
                           LedgerJson *pClaims, const char *zClient,
                           const char *zUrl, const char *z, size_t n,
                           const LedgerBuf *pSig, LedgerError *pErr) {
  const int bPss = assertionClaim(pHead, "alg", "PS256");
  X509 *pCert = assertionFind(p, pHead);

  if( pCert == NULL || (!bPss && !assertionClaim(pHead, "alg", "RS256")) ) {
    return ledgerErrorSet(
        pErr, LEDGER_AUTH,
        "AADSTS700027: The certificate with identifier used to sign the client "
        "assertion is not registered on application.");
  }
  if( X509_cmp_current_time(X509_get0_notAfter(pCert)) < 0 ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "AADSTS700027: The certificate used to sign the "
                          "client assertion has expired.");
  }
  if( !assertionVerify(X509_get0_pubkey(pCert), bPss, z, n, pSig) ) {
    return ledgerErrorSet(
        pErr, LEDGER_AUTH,
        "AADSTS700027: Client assertion failed signature validation.");
  }
  if( !assertionClaim(pClaims, "iss", zClient) ||
      !assertionClaim(pClaims, "sub", zClient) ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "AADSTS700021: Client assertion application "
                          "identifier doesn't match 'client_id' parameter.");
  }
  if( !assertionClaim(pClaims, "aud", zUrl) ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "AADSTS700023: Client assertion audience claim does "
                          "not match Realm issuer.");
  }
  return assertionTimes(pClaims, pErr);
}

/* What the issuer of a federation has signed. */
static int assertionFederated(const EmuAssertions *p, LedgerJson *pHead,
                              LedgerJson *pClaims, const char *z, size_t n,
                              const LedgerBuf *pSig, LedgerError *pErr) {
  if( p->pIssuerKey == NULL || !assertionClaim(pClaims, "iss", p->zIssuer) ||
      !assertionClaim(pClaims, "sub", p->zSubject) ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "AADSTS70021: No matching federated identity record "
                          "found for presented assertion.");
  }
  if( !assertionClaim(pClaims, "aud", ASSERTION_FEDERATED) ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "AADSTS700212: No matching federated identity record "
                          "found for presented assertion audience.");
  }
  if( !assertionClaim(pHead, "alg", "RS256") ||
      !assertionVerify(p->pIssuerKey, 0, z, n, pSig) ) {
    return ledgerErrorSet(
        pErr, LEDGER_AUTH,
        "AADSTS700027: Client assertion failed signature validation.");
  }
  return assertionTimes(pClaims, pErr);
}

int emuAssertionCheck(Emu *p, const char *z, size_t n, const char *zClient,
                      const char *zUrl, LedgerError *pErr) {
  const char *zDot1 = memchr(z, '.', n), *zDot2 = NULL;
  LedgerJson *pHead = NULL, *pClaims = NULL;
  LedgerBuf sig = {0};
  size_t nSigned = 0;

  if( zDot1 ) zDot2 = memchr(zDot1 + 1, '.', n - (size_t)(zDot1 + 1 - z));
  if( zDot2 ) {
    nSigned = (size_t)(zDot2 - z);
    pHead = emuTokenPart(z, (size_t)(zDot1 - z));
    pClaims = emuTokenPart(zDot1 + 1, (size_t)(zDot2 - zDot1 - 1));
  }
  if( pHead == NULL || pClaims == NULL ||
      !ledgerBase64UrlDecode(zDot2 + 1, n - nSigned - 1, &sig) ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "AADSTS50027: JWT token is invalid or malformed.");
  } else if( ledgerJsonMember(ledgerJsonRoot(pHead), "x5t#S256") ) {
    assertionSigned(p->pAssertions, pHead, pClaims, zClient, zUrl, z, nSigned,
                    &sig, pErr);
  } else {
    assertionFederated(p->pAssertions, pHead, pClaims, z, nSigned, &sig, pErr);
  }
  ledgerJsonFree(pHead);
  ledgerJsonFree(pClaims);
  ledgerBufFree(&sig);
  return pErr->rc;
}
