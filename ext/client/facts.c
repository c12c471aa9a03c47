/*
** What is known of a ledger, for whoever looks. Issues no request.
*/
#include "client/clientInt.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

void ledgerClientFacts(LedgerClient *p, LedgerFacts *pFacts) {
  LedgerError err = LEDGER_ERROR_INIT;
  const LedgerTrust *pTrust = &p->trust;

  memset(pFacts, 0, sizeof(*pFacts));
  pFacts->zApiVersion =
      p->bAnswered || p->pConfig->zApiVersion ? ledgerKnownVersion(p) : NULL;
  pFacts->zCredential = p->auth.zKind;
  if( pFacts->zCredential == NULL ) {
    ledgerCredentialKind(p->pConfig, &pFacts->zCredential, &err);
    ledgerErrorClear(&err);
  }
  pFacts->zFailed = p->auth.zFailed;
  pFacts->zPrincipal = p->auth.zPrincipal;
  if( p->pConfig->tlsPublic ) pFacts->zSource = "public_pki";
  if( pTrust->zPem ) {
    pFacts->zCertificate = pTrust->zPem;
    pFacts->zKeySha256 = pTrust->zKey;
    pFacts->zNotBefore = pTrust->zNotBefore;
    pFacts->zNotAfter = pTrust->zNotAfter;
    pFacts->zSource = pTrust->bPinned || p->pConfig->zServiceKey
                          ? "pinned"
                          : "identity_service";
    if( pTrust->bFetched ) pFacts->zIdentityUrl = p->pConfig->zIdentityUrl;
  }
  pFacts->head = p->head;
  pFacts->committed = p->committed;
  pFacts->zSkewOf = p->zSkewOf;
  pFacts->sSkew = p->sSkew;
  pFacts->nPutOff = p->nPutOff;
}

static void factsHash(EVP_MD_CTX *pCtx, const char *z) {
  if( z ) EVP_DigestUpdate(pCtx, z, strlen(z));
  EVP_DigestUpdate(pCtx, z ? "" : "\1", 1); /* each part has its end */
}

int ledgerClientOwner(const LedgerClient *p, unsigned char a[32]) {
  const LedgerAuth *pAuth = &p->auth;
  EVP_MD_CTX *pCtx;
  int rc;
  /* Behind a gateway nothing tells a ledger that was made anew. */
  if( p->pOwner || p->trust.zKey[0] == 0 ) return 0;
  if( pAuth->zKind == NULL ) return 0;
  if( pAuth->zPrincipal == NULL &&
      (pAuth->bRefreshable || pAuth->zToken == NULL) ) {
    return 0;
  }
  pCtx = EVP_MD_CTX_new();
  rc = pCtx && EVP_DigestInit_ex(pCtx, EVP_sha256(), NULL);
  if( rc ) {
    factsHash(pCtx, p->trust.zKey);
    factsHash(pCtx, p->pConfig->zLedgerId);
    factsHash(pCtx, pAuth->zPrincipal);
    factsHash(pCtx, pAuth->zPrincipal ? NULL : pAuth->zToken);
    factsHash(pCtx, p->pDialect->mHas & LEDGER_HAS_TAGS ? "tags" : "");
    rc = EVP_DigestFinal_ex(pCtx, a, NULL);
  }
  EVP_MD_CTX_free(pCtx);
  return rc;
}

int ledgerClientAdmitted(const LedgerClient *p, const unsigned char a[32]) {
  return p->bAdmitted && !p->bDenied && memcmp(a, p->aAdmitted, 32) == 0;
}

void ledgerClientCommitted(LedgerClient *p, LedgerTxid id) {
  ledgerKnownCommitted(p, id);
}

int64_t ledgerClientView(const LedgerClient *p, int64_t iSeqno) {
  return ledgerKnownView(p, iSeqno);
}

LedgerTxid ledgerClientBelow(const LedgerClient *p, int64_t iSeqno) {
  return ledgerKnownBelow(p, iSeqno);
}

int ledgerClientAnswered(const LedgerClient *p) {
  return p->bAnswered;
}

int ledgerClientTags(LedgerClient *p) {
  return (p->pDialect->mHas & LEDGER_HAS_TAGS) != 0;
}

int ledgerClientNeedTags(LedgerClient *p, LedgerError *pErr) {
  return ledgerKnownNeeds(p, LEDGER_HAS_TAGS, pErr);
}

int ledgerClientManyRoles(LedgerClient *p) {
  return (p->pDialect->mHas & LEDGER_HAS_MANY_ROLES) != 0;
}

int ledgerClientRolesReplaced(LedgerClient *p) {
  return (p->pDialect->mHas & LEDGER_HAS_ROLE_TEXT) != 0;
}

void ledgerClientHide(const LedgerClient *p, LedgerError *pErr) {
  ledgerSecretHide(pErr->zMsg, p->auth.zToken);
}

const LedgerRequest *ledgerClientRequest(const LedgerClient *p, int i) {
  return ledgerLogRequest(p->pLog, i);
}

void ledgerClientVersions(LedgerBuf *pBuf) {
  const curl_version_info_data *pInfo = curl_version_info(CURLVERSION_NOW);
  ledgerBufPrintf(pBuf, "libcurl %s (%s)\n", pInfo->version,
                  pInfo->ssl_version ? pInfo->ssl_version : "no TLS");
  ledgerBufPrintf(pBuf, "%s\n", OpenSSL_version(OPENSSL_VERSION));
  ledgerBufPrintf(pBuf, "cJSON %s\n", cJSON_Version());
}
