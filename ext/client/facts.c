/*
** What is known of a ledger, for whoever looks. Issues no request.
*/
#include "client/clientInt.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
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

int64_t ledgerClientView(const LedgerClient *p, int64_t iSeqno) {
  return ledgerKnownView(p, iSeqno);
}

int64_t ledgerClientViewBelow(const LedgerClient *p, int64_t iSeqno) {
  return ledgerKnownViewBelow(p, iSeqno);
}

int ledgerClientAnswered(const LedgerClient *p) {
  return p->bAnswered;
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
