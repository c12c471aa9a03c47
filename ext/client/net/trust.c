/*
** Whom the client takes for the ledger: the service certificate, pinned by
** option or fetched from the identity service, and what a refused handshake
** means.
**
**   GET {identity_url}/ledgerIdentity/{ledger_id}?api-version=2022-05-13
**
** Invariants
**   - what is pinned is the key: a pin is never replaced by what is fetched,
**     and a certificate with another key is never accepted in its place;
**   - dates are enforced on the fetched certificate and on the node's, never
**     on a pinned one;
**   - the identity service is asked over public CAs (or ca_file), without a
**     credential.
*/
#include "client/clientInt.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRUST_IDENTITY_VERSION "2022-05-13"

static int trustRead(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr);

static const LedgerCallKind trustKind = {
    .zMethod = "GET", .bPublic = 1, .xRead = trustRead};

static const char trustOption[] = "option service_certificate";

/* ---- certificates ------------------------------------------------------ */

/* sha256:<hex> of the certificate's SubjectPublicKeyInfo into
** zOut[LEDGER_KEY_MAX]; "" when it can't be had. */
static void trustKeyOf(X509 *pCert, char *zOut) {
  unsigned char aHash[32];
  unsigned char *aDer = NULL;
  int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pCert), &aDer);

  zOut[0] = 0;
  if( n > 0 &&
      EVP_Digest(aDer, (size_t)n, aHash, NULL, EVP_sha256(), NULL) == 1 ) {
    memcpy(zOut, "sha256:", 7);
    ledgerHexEncode(aHash, 32, zOut + 7);
  }
  OPENSSL_free(aDer);
}

/* A certificate's date as YYYY-MM-DDTHH:MM:SSZ into z[24]. */
static void trustDate(const ASN1_TIME *pTime, char *z) {
  struct tm t;
  z[0] = 0;
  if( ASN1_TIME_to_tm(pTime, &t) == 1 ) {
    strftime(z, 24, "%Y-%m-%dT%H:%M:%SZ", &t);
  }
}

/* ---- the service certificate ------------------------------------------- */

/* Forgets everything, also a request under way. */
void ledgerTrustReset(LedgerTrust *p) {
  ledgerCallFree(p->pCall);
  X509_free(p->pCert);
  free(p->zPem);
  memset(p, 0, sizeof(*p));
}

/* Reads a PEM text as the service certificate. zFrom is where it is from, for
** messages, zPinKey the key that it must have, or NULL. *ppCert is the
** caller's. */
static int trustParse(const char *zPem, const char *zFrom, const char *zPinKey,
                      X509 **ppCert, char *zKey, LedgerError *pErr) {
  X509 *pCert = NULL;
  const int nCert = ledgerCertificateCount(zPem, &pCert);

  *ppCert = NULL;

  if( nCert != 1 ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "the service certificate from %s: %d certificates stand "
                   "where exactly one is due",
                   zFrom, nCert);
    goto out;
  }
  trustKeyOf(pCert, zKey);
  if( zPinKey && strcmp(zPinKey, zKey) != 0 ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "another service key: %s is expected, but the service "
                   "certificate from %s has %s",
                   zPinKey, zFrom, zKey);
    goto out;
  }
  *ppCert = pCert;
  pCert = NULL;
out:
  X509_free(pCert);
  return pErr->rc;
}

/* Takes a PEM text as the service certificate. *pTrust is filled only on
** LEDGER_OK. */
static int trustTake(LedgerTrust *pTrust, const char *zPem, const char *zFrom,
                     const char *zPinKey, LedgerError *pErr) {
  char zKey[LEDGER_KEY_MAX];
  X509 *pCert = NULL;
  char *zCopy = NULL;

  if( trustParse(zPem, zFrom, zPinKey, &pCert, zKey, pErr) || pCert == NULL ) {
    goto out;
  }
  zCopy = ledgerCertificateText(pCert);
  if( zCopy == NULL ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  free(pTrust->zPem);
  X509_free(pTrust->pCert);
  pTrust->zPem = zCopy;
  pTrust->pCert = pCert;
  pCert = NULL;
  memcpy(pTrust->zKey, zKey, sizeof(zKey));
  trustDate(X509_get0_notBefore(pTrust->pCert), pTrust->zNotBefore);
  trustDate(X509_get0_notAfter(pTrust->pCert), pTrust->zNotAfter);
out:
  X509_free(pCert);
  return pErr->rc;
}

/* The dates of a fetched certificate. */
static int trustCheckDates(X509 *pCert, LedgerError *pErr) {
  char zDate[24];
  if( X509_cmp_current_time(X509_get0_notBefore(pCert)) > 0 ) {
    trustDate(X509_get0_notBefore(pCert), zDate);
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "the service certificate is not valid before %s",
                          zDate);
  }
  if( X509_cmp_current_time(X509_get0_notAfter(pCert)) < 0 ) {
    trustDate(X509_get0_notAfter(pCert), zDate);
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "the service certificate expired on %s", zDate);
  }
  return LEDGER_OK;
}

/* Reads the identity service's answer into p->zValue, the PEM text. */
static int trustRead(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  const char *z, *zPem;
  size_t n = 0, nPem = 0;
  size_t i;

  if( ledgerAnswerParse(p, pEx, "ledger identity", &pDoc, pErr) ) goto out;
  z = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "ledgerId", &n);
  if( z && ledgerStricmp(z, p->pClient->pConfig->zLedgerId) != 0 ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "the identity service was asked about ledger '%.64s' and "
                   "answered about '%.64s'",
                   p->pClient->pConfig->zLedgerId, z);
    goto out;
  }
  zPem = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc),
                              "ledgerTlsCertificate", &nPem);
  if( z == NULL || zPem == NULL ) {
    ledgerAnswerNonsense(p, "ledgerId or ledgerTlsCertificate is not there",
                         pErr);
    goto out;
  }
  /* Old captures end with a NUL. */
  p->zValue = malloc(nPem + 1);
  if( p->zValue == NULL ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  for( i = n = 0; i < nPem; i++ ) {
    if( zPem[i] ) p->zValue[n++] = zPem[i];
  }
  p->zValue[n] = 0;
out:
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

/* Starts the request to the identity service. */
static int trustFetch(LedgerClient *p, LedgerError *pErr) {
  const char *zId = p->pConfig->zLedgerId;
  LedgerCall *pCall = NULL;
  LedgerBuf path = {0};

  if( zId == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "%s has no name that tells the ledger's id: set "
                          "option ledger_id",
                          p->pConfig->zUrl);
  }
  if( ledgerCallNew(p, &trustKind, &pCall, pErr) ) return pErr->rc;
  ledgerBufText(&path, "/ledgerIdentity/");
  ledgerBufUrl(&path, zId, strlen(zId));
  pCall->zPath = ledgerBufTake(&path);
  pCall->zWhat = ledgerStrdup("ledger identity");
  pCall->zBase = ledgerStrdup(p->pConfig->zIdentityUrl);
  if( pCall->zPath && pCall->zWhat && pCall->zBase ) {
    pCall->zLink =
        ledgerMprintf("%s?api-version=" TRUST_IDENTITY_VERSION, pCall->zPath);
  }
  if( pCall->zLink == NULL ) {
    ledgerCallFree(pCall);
    return ledgerErrorNomem(pErr);
  }
  p->trust.pCall = pCall;
  ledgerCallStart(pCall);
  return LEDGER_OK;
}

/* Takes over what the identity service answered. */
static int trustFinish(LedgerClient *p, LedgerError *pErr) {
  LedgerCall *pCall = p->trust.pCall;
  const char *zPin = p->pConfig->zServiceKey;
  const char *zKnown = p->trust.zKey[0] ? p->trust.zKey : zPin;

  p->trust.pCall = NULL;
  if( pCall->err.rc ) {
    if( pCall->http == 404 ) {
      ledgerErrorSet(pErr, LEDGER_NOTFOUND,
                     "the identity service knows no ledger '%s' (HTTP 404, "
                     "GET %s)",
                     p->pConfig->zLedgerId, pCall->zPath);
      pErr->http = 404;
    } else {
      ledgerErrorCopy(pErr, &pCall->err);
    }
  } else if( trustTake(&p->trust, pCall->zValue, p->pConfig->zIdentityUrl,
                       zKnown, pErr) == LEDGER_OK ) {
    p->trust.bFetched = 1;
    if( trustCheckDates(p->trust.pCert, pErr) ) ledgerTrustReset(&p->trust);
  }
  /* No longer whom we trusted: what it said before is not told any more. */
  if( pErr->rc == LEDGER_AUTH ) ledgerCacheFit(p->pCache, 0);
  ledgerCallFree(pCall);
  return pErr->rc;
}

/* Whether the pin that the options name can be one, and they agree on it; and
** whether there are CAs in ca_file. */
int ledgerTrustCheck(const LedgerConfig *p, LedgerError *pErr) {
  const char *zCas = p->zCaFile;
  LedgerPem pem;
  int bMore = 0;
  char zKey[LEDGER_KEY_MAX];
  X509 *pCert = NULL;
  if( p->zServiceCertificate ) {
    trustParse(p->zServiceCertificate, trustOption, p->zServiceKey, &pCert,
               zKey, pErr);
  }
  X509_free(pCert);
  if( zCas ) {
    while( (bMore = ledgerPemNext(&zCas, &pem)) != 0 &&
           !ledgerPemIsCertificate(&pem) ) {
      continue;
    }
    if( !bMore ) {
      ledgerErrorSet(pErr, LEDGER_AUTH,
                     "ca_file: there is no certificate in it");
    }
  }
  return pErr->rc;
}

/*
** Whether the service certificate is known. Takes the pin, or starts the
** request to the identity service; until its answer is here *pbReady is 0.
*/
int ledgerTrustReady(LedgerClient *p, int *pbReady, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pConfig;

  *pbReady = 0;
  if( pConfig->tlsPublic && p->auth.zCertificate ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "tls public: a gateway takes a bearer token, not a "
                          "user certificate");
  }
  if( pConfig->tlsPublic && pConfig->zServiceCertificate == NULL ) {
    *pbReady = 1;
    return LEDGER_OK;
  }
  if( p->trust.pCall ) {
    if( p->trust.pCall->eState != LEDGER_CALL_DONE ) return LEDGER_OK;
    if( trustFinish(p, pErr) ) return pErr->rc;
  } else if( p->trust.zPem == NULL ) {
    if( pConfig->zServiceCertificate == NULL ) return trustFetch(p, pErr);
    if( trustTake(&p->trust, pConfig->zServiceCertificate, trustOption,
                  pConfig->zServiceKey, pErr) ) {
      return pErr->rc;
    }
    p->trust.bPinned = 1;
  }
  *pbReady = p->trust.zPem != NULL;
  return LEDGER_OK;
}

/*
** After a refused handshake: asks the identity service again, since it may
** have a renewed certificate of the same key. Returns 0 where there is nothing
** to ask, because the certificate is pinned.
*/
int ledgerTrustRenew(LedgerClient *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  if( p->trust.bPinned || p->trust.zPem == NULL ) return 0;
  if( p->trust.pCall == NULL ) trustFetch(p, &err);
  ledgerErrorClear(&err);
  return p->trust.pCall != NULL;
}

/* ---- the handshake ----------------------------------------------------- */

static int iTrustExData;    /* slot of the LedgerTrust in an X509_STORE */
static int iListenerExData; /* slot of the LedgerListener in an SSL_CTX */

/* Who hears a connection's alerts: the exchange that made the connection, as
** long as it lasts. It lives as long as the connection's SSL_CTX. */
struct LedgerListener {
  LedgerExchange *pEx; /* or NULL: it is over */
};

static void trustListenerFree(void *pParent, void *pArg, CRYPTO_EX_DATA *pData,
                              int i, long n, void *pMore) {
  LedgerListener *p = pArg;
  (void)pParent, (void)pData, (void)i, (void)n, (void)pMore;
  if( p == NULL ) return;
  if( p->pEx ) p->pEx->pListener = NULL;
  free(p);
}

static void trustExDataInit(void) {
  iTrustExData = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, NULL,
                                         NULL, NULL, NULL);
  iListenerExData = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL,
                                            NULL, NULL, trustListenerFree);
}

/* The exchange is over: it hears no alert any more. */
void ledgerTrustLetGo(LedgerExchange *pEx) {
  if( pEx->pListener ) pEx->pListener->pEx = NULL;
  pEx->pListener = NULL;
}

/* Called by OpenSSL for what goes on in a connection. The low byte of a fatal
** alert is its number; close_notify is none. */
static void trustHear(const SSL *pSsl, int eWhere, int iAlert) {
  const LedgerListener *p;
  if( eWhere != SSL_CB_READ_ALERT || iAlert >> 8 != SSL3_AL_FATAL ) return;
  p = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(pSsl), iListenerExData);
  if( p && p->pEx ) p->pEx->iAlert = iAlert & 0xff;
}

/* Lets the exchange hear the alerts of the connection that it makes. */
static int trustListen(SSL_CTX *pCtx, LedgerExchange *pEx) {
  LedgerListener *p = calloc(1, sizeof(*p));
  if( p == NULL ) return 0;
  if( SSL_CTX_set_ex_data(pCtx, iListenerExData, p) != 1 ) {
    free(p);
    return 0;
  }
  ledgerTrustLetGo(pEx); /* of a connection that failed */
  p->pEx = pEx;
  pEx->pListener = p;
  SSL_CTX_set_info_callback(pCtx, trustHear);
  return 1;
}

/* Notes the keys that the server came with: its own, and its service's where
** the server sends that certificate along. */
static void trustNote(LedgerTrust *p, X509_STORE_CTX *pCtx) {
  STACK_OF(X509) *pSent = X509_STORE_CTX_get0_untrusted(pCtx);
  X509 *pNode = X509_STORE_CTX_get0_cert(pCtx);
  int i;

  p->zSeen[0] = p->zSeenNode[0] = 0;
  if( pNode ) trustKeyOf(pNode, p->zSeenNode);
  for( i = 0; i < sk_X509_num(pSent); i++ ) {
    X509 *pCert = sk_X509_value(pSent, i);
    if( pCert == pNode || X509_self_signed(pCert, 0) != 1 ) continue;
    trustKeyOf(pCert, p->zSeen);
    return;
  }
}

/* Called by OpenSSL for each certificate of a chain. Forgives a pinned one its
** dates. */
static int trustVerify(int bOk, X509_STORE_CTX *pCtx) {
  X509_STORE *pStore = X509_STORE_CTX_get0_store(pCtx);
  LedgerTrust *p = X509_STORE_get_ex_data(pStore, iTrustExData);
  X509 *pCert = X509_STORE_CTX_get_current_cert(pCtx);
  int e = X509_STORE_CTX_get_error(pCtx);

  if( bOk || p == NULL ) return bOk;
  if( (e == X509_V_ERR_CERT_HAS_EXPIRED ||
       e == X509_V_ERR_CERT_NOT_YET_VALID) &&
      p->bPinned && X509_STORE_CTX_get_error_depth(pCtx) > 0 && pCert != NULL &&
      X509_cmp(pCert, p->pCert) == 0 ) {
    X509_STORE_CTX_set_error(pCtx, X509_V_OK);
    return 1;
  }
  trustNote(p, pCtx);
  return 0;
}

/* CURLOPT_SSL_CTX_FUNCTION of the ledger's own connections. */
CURLcode ledgerTrustSslCtx(CURL *pEasy, void *pCtx, void *pTrust) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  X509_STORE *pStore = SSL_CTX_get_cert_store(pCtx);
  char *pEx = NULL;

  pthread_once(&once, trustExDataInit);
  curl_easy_getinfo(pEasy, CURLINFO_PRIVATE, &pEx);
  if( iTrustExData < 0 || iListenerExData < 0 || pStore == NULL ||
      pEx == NULL ||
      X509_STORE_set_ex_data(pStore, iTrustExData, pTrust) != 1 ||
      !trustListen(pCtx, (LedgerExchange *)(void *)pEx) ) {
    return CURLE_OUT_OF_MEMORY;
  }
  X509_STORE_set_verify_cb(pStore, trustVerify);
  return CURLE_OK;
}

/* Whether a handshake was refused for the host's name: libcurl checks it after
** the chain, and then leaves its own start value, 1, or X509_V_OK. */
int ledgerTrustIsName(long iVerify) {
  return iVerify == X509_V_OK || iVerify == X509_V_ERR_UNSPECIFIED;
}

/*
** The error of a handshake with the ledger whose certificate was refused:
** iVerify is OpenSSL's X509_V_*.
*/
int ledgerTrustFailure(LedgerClient *p, long iVerify, const char *zUrl,
                       LedgerError *pErr) {
  const LedgerTrust *pTrust = &p->trust;
  LedgerBuf seen = {0};

  if( ledgerTrustIsName(iVerify) ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR,
                          "the certificate of %s is for another name", zUrl);
  }
  if( iVerify == X509_V_ERR_CERT_HAS_EXPIRED ||
      iVerify == X509_V_ERR_CERT_NOT_YET_VALID ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR,
                          "the certificate of %s: %s (check the clock too)",
                          zUrl, X509_verify_cert_error_string(iVerify));
  }
  ledgerCacheFit(p->pCache, 0); /* as in trustFinish() */
  if( pTrust->zSeenNode[0] ) {
    ledgerBufPrintf(&seen, "; the node's own key is %s", pTrust->zSeenNode);
  }
  if( pTrust->zSeen[0] ) {
    ledgerBufPrintf(&seen, ", its service's key %s", pTrust->zSeen);
  }
  ledgerErrorSet(
      pErr, LEDGER_AUTH,
      "another service key: the certificate of %s is not signed by the %s "
      "service key %s%s (%s)",
      zUrl, pTrust->bPinned || p->pConfig->zServiceKey ? "pinned" : "ledger's",
      pTrust->zKey, seen.z ? seen.z : "",
      X509_verify_cert_error_string(iVerify));
  ledgerBufFree(&seen);
  return pErr->rc;
}
