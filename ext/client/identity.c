/*
** Who the ledger is: its service certificate, pinned by option or fetched from
** the identity service, and what a refused handshake means.
**
**   GET {identity_url}/ledgerIdentity/{ledger_id}?api-version=2022-05-13
**
** Invariants
**   - a pin is never replaced by what is fetched;
**   - the identity service is asked over public CAs (or ca_file), without a
**     credential.
*/
#include "client/clientInt.h"

#include <stdlib.h>
#include <string.h>

#define IDENTITY_VERSION "2022-05-13"

/* What the service answers. */
typedef struct IdentityAnswer IdentityAnswer;
struct IdentityAnswer {
  char *zPem;
};

static const char identityOption[] = "option service_certificate";

/* Reads the answer: its PEM text. */
static int identityRead(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr) {
  IdentityAnswer *pAnswer = p->pAnswer;
  LedgerJson *pDoc = NULL;
  const char *z, *zPem;
  size_t n = 0, nPem = 0;
  size_t i;

  if( ledgerResponseParse(p, pEx, "ledger identity", &pDoc, pErr) ) goto out;
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
    ledgerResponseNonsense(p, "ledgerId or ledgerTlsCertificate is not there",
                           pErr);
    goto out;
  }
  /* Old captures end with a NUL. */
  pAnswer->zPem = malloc(nPem + 1);
  if( pAnswer->zPem == NULL ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  for( i = n = 0; i < nPem; i++ ) {
    if( zPem[i] ) pAnswer->zPem[n++] = zPem[i];
  }
  pAnswer->zPem[n] = 0;
out:
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

static void identityFree(LedgerCall *p) {
  IdentityAnswer *pAnswer = p->pAnswer;
  free(pAnswer->zPem);
}

static const LedgerCallKind identityKind = {.zMethod = "GET",
                                            .bPublic = 1,
                                            .nAnswer = sizeof(IdentityAnswer),
                                            .xFree = identityFree,
                                            .xRead = identityRead};

/* Starts the request to the identity service. */
static int identityFetch(LedgerClient *p, LedgerError *pErr) {
  const char *zId = p->pConfig->zLedgerId;
  LedgerCall *pCall = NULL;
  LedgerBuf path = {0};

  if( zId == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "%s has no name that tells the ledger's id: set "
                          "option ledger_id",
                          p->pConfig->zUrl);
  }
  if( ledgerCallNew(p, &identityKind, &pCall, pErr) ) return pErr->rc;
  ledgerBufText(&path, "/ledgerIdentity/");
  ledgerBufUrl(&path, zId, strlen(zId));
  ledgerCallText(pCall, &pCall->zPath, path.z);
  ledgerCallText(pCall, &pCall->zWhat, "ledger identity");
  ledgerCallText(pCall, &pCall->zBase, p->pConfig->zIdentityUrl);
  ledgerBufText(&path, "?api-version=" IDENTITY_VERSION);
  pCall->zLink = ledgerBufTake(&path);
  if( pCall->zLink == NULL ) pCall->bOom = 1;
  p->pIdentity = pCall;
  ledgerCallBegin(pCall);
  return LEDGER_OK;
}

/* Takes over what the identity service answered. */
static int identityFinish(LedgerClient *p, LedgerError *pErr) {
  LedgerCall *pCall = p->pIdentity;
  const IdentityAnswer *pAnswer = pCall->pAnswer;
  const char *zPin = p->pConfig->zServiceKey;
  const char *zKnown = p->trust.zKey[0] ? p->trust.zKey : zPin;

  p->pIdentity = NULL;
  if( pCall->err.rc ) {
    if( pCall->http == 404 ) {
      ledgerErrorSet(pErr, LEDGER_NOTFOUND,
                     "the identity service knows no ledger '%s' (HTTP 404, "
                     "GET %s)",
                     p->pConfig->zLedgerId, pCall->zPath);
      pErr->http = 404;
      pErr->eCause = LEDGER_CAUSE_NO_LEDGER;
    } else {
      ledgerErrorCopy(pErr, &pCall->err);
    }
  } else if( ledgerTrustAdopt(&p->trust, pAnswer->zPem,
                              p->pConfig->zIdentityUrl, zKnown,
                              pErr) == LEDGER_OK ) {
    p->trust.bFetched = 1;
    if( ledgerTrustDates(&p->trust, pErr) ) ledgerTrustReset(&p->trust);
  }
  /* No longer whom we trusted: what it said before is not told any more. */
  if( pErr->rc == LEDGER_AUTH ) p->bAdmitted = 0;
  ledgerCallFree(pCall);
  return pErr->rc;
}

/* Takes the pin, or starts the request, or looks for its answer. */
static int identityReady(LedgerClient *p, int *pbReady, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pConfig;

  if( pConfig->tlsPublic && pConfig->zServiceCertificate == NULL ) {
    *pbReady = 1;
    return LEDGER_OK;
  }
  if( p->pIdentity ) {
    if( p->pIdentity->eState != LEDGER_CALL_DONE ) return LEDGER_OK;
    if( identityFinish(p, pErr) ) return pErr->rc;
  } else if( p->trust.zPem == NULL ) {
    if( pConfig->zServiceCertificate == NULL ) return identityFetch(p, pErr);
    if( ledgerTrustAdopt(&p->trust, pConfig->zServiceCertificate,
                         identityOption, pConfig->zServiceKey, pErr) ) {
      return pErr->rc;
    }
    p->trust.bPinned = 1;
  }
  *pbReady = p->trust.zPem != NULL;
  return LEDGER_OK;
}

/*
** Whether the service certificate is known. Takes the pin, or starts the
** request to the identity service; until its answer is here *pbReady is 0.
*/
int ledgerIdentityReady(LedgerClient *p, int *pbReady, LedgerError *pErr) {
  *pbReady = 0;
  if( p->pConfig->tlsPublic && p->auth.zCertificate ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "tls public: a gateway takes a bearer token, not a "
                          "user certificate");
  }
  if( identityReady(p, pbReady, pErr) ) pErr->eStage = LEDGER_STAGE_IDENTITY;
  return pErr->rc;
}

/* Forgets whom to trust, also a request under way. */
void ledgerIdentityReset(LedgerClient *p) {
  ledgerCallFree(p->pIdentity);
  p->pIdentity = NULL;
  ledgerTrustReset(&p->trust);
}

/* Whether the pin that the options name can be one, and they agree on it. */
int ledgerIdentityCheck(const LedgerConfig *p, LedgerError *pErr) {
  LedgerTrust trust;
  memset(&trust, 0, sizeof(trust));
  if( p->zServiceCertificate ) {
    ledgerTrustAdopt(&trust, p->zServiceCertificate, identityOption,
                     p->zServiceKey, pErr);
  }
  ledgerTrustReset(&trust);
  return pErr->rc;
}

/*
** After a refused handshake: asks the identity service again, since it may
** have a renewed certificate of the same key. Returns 0 where there is nothing
** to ask, because the certificate is pinned.
*/
int ledgerIdentityRenew(LedgerClient *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  if( p->trust.bPinned || p->trust.zPem == NULL ) return 0;
  if( p->pIdentity == NULL ) identityFetch(p, &err);
  ledgerErrorClear(&err);
  return p->pIdentity != NULL;
}

/*
** The error of a handshake with the ledger whose certificate was refused:
** iVerify is OpenSSL's X509_V_*.
*/
int ledgerIdentityFailure(LedgerClient *p, long iVerify, const char *zUrl,
                          LedgerError *pErr) {
  const LedgerTrust *pTrust = &p->trust;
  LedgerBuf seen = {0};

  if( ledgerFailureIsName(iVerify) ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR,
                          "the certificate of %s is for another name", zUrl);
  }
  if( ledgerFailureIsDate(iVerify) ) {
    ledgerErrorSet(pErr, LEDGER_IOERR,
                   "the certificate of %s: %s (check the clock too)", zUrl,
                   X509_verify_cert_error_string(iVerify));
    pErr->eCause = LEDGER_CAUSE_DATES;
    return pErr->rc;
  }
  p->bAdmitted = 0; /* as in identityFinish() */
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
  pErr->eCause = LEDGER_CAUSE_OTHER_KEY;
  ledgerBufFree(&seen);
  return pErr->rc;
}
