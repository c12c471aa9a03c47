/*
** Entra's token endpoint, for the credentials that are an application: asked
** with a secret or with a signed assertion; and the reader of any answer that
** carries a token, also a managed identity's.
**
**   POST {authority}/{tenant}/oauth2/v2.0/token
**
** Invariants: https only, over public CAs (or ca_file); the body of the answer
** is wiped once it is read.
*/
#include "client/credential/credentialInt.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENTRA_LIFE 3600 /* seconds, where an answer tells nothing sensible */
#define ENTRA_MOST 1000000000000000 /* a time or a life is less */
#define ENTRA_JWT \
  "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"

static const LedgerCallKind entraKind = {.zMethod = "POST",
                                         .bPublic = 1,
                                         .nAnswer = sizeof(LedgerTokenAnswer),
                                         .xFree = ledgerTokenAnswerFree,
                                         .xRead = ledgerTokenAnswerRead};

/* ---- the application ---------------------------------------------------- */

/*
** Who the application is: each option, else the variable of its name. Returns 1
** where tenant and client are told; what proves them is looked at by the
** caller.
*/
int ledgerApplicationRead(const LedgerConfig *pConfig,
                          LedgerApplication *pApp) {
  pApp->zTenant = ledgerCredentialFrom(pConfig->zTenantId, "AZURE_TENANT_ID");
  pApp->zClient = ledgerCredentialFrom(pConfig->zClientId, "AZURE_CLIENT_ID");
  pApp->zSecret =
      ledgerCredentialFrom(pConfig->zClientSecret, "AZURE_CLIENT_SECRET");
  pApp->zCertificate = ledgerCredentialFrom(pConfig->zClientCertificate,
                                            "AZURE_CLIENT_CERTIFICATE_PATH");
  pApp->zCertificateFrom = pConfig->zClientCertificate
                               ? "client_certificate"
                               : "AZURE_CLIENT_CERTIFICATE_PATH";
  pApp->zPassword = ledgerCredentialFrom(pConfig->zClientCertificatePassword,
                                         "AZURE_CLIENT_CERTIFICATE_PASSWORD");
  return pApp->zTenant && pApp->zClient;
}

/* The error of an application that was chosen by name and isn't all told:
** zNeeded names the option and the variable of what proves it, zProof is their
** value or NULL. */
int ledgerApplicationMissing(LedgerFetch *p, const LedgerApplication *pApp,
                             const char *zNeeded, const char *zProof,
                             LedgerError *pErr) {
  return ledgerCredentialMissing(
      p, pErr,
      "it needs tenant_id or AZURE_TENANT_ID (%s), client_id or "
      "AZURE_CLIENT_ID (%s), %s (%s)",
      pApp->zTenant ? "found" : "missing", pApp->zClient ? "found" : "missing",
      zNeeded, zProof ? "found" : "missing");
}

/* ---- an answer ---------------------------------------------------------- */

/* A member that is a number, or a number written as text; 0 where it is
** neither, or beyond sense. Managed identities tell their numbers as text. */
static int64_t entraNumber(const cJSON *pObj, const char *zKey) {
  const cJSON *p = ledgerJsonMember(pObj, zKey);
  int64_t n = 0;
  if( cJSON_IsNumber(p) && p->valuedouble > 0 && p->valuedouble < ENTRA_MOST ) {
    n = (int64_t)p->valuedouble;
  } else if( cJSON_IsString(p) ) {
    n = strtoll(p->valuestring, NULL, 10);
  }
  return n > 0 && n < ENTRA_MOST ? n : 0;
}

/* Seconds from now until the time (since 1970) that `expires_on` tells; 0 where
** it tells none. */
int64_t ledgerTokenAnswerUntil(const cJSON *pObj) {
  const int64_t t = entraNumber(pObj, "expires_on");
  return t ? t - (int64_t)time(NULL) : 0;
}

/* The member that is a token, of *pn bytes; NULL where it is none. What isn't
** visible ASCII is none: it would make another header. */
const char *ledgerTokenAnswerText(LedgerJson *pDoc, const char *zMember,
                                  size_t *pn) {
  const char *z = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), zMember, pn);
  size_t i;
  for( i = 0; z && i < *pn; i++ ) {
    if( z[i] <= ' ' || z[i] >= 0x7f ) return NULL;
  }
  return z && *pn ? z : NULL;
}

/* Seconds that a token may be said to live. */
int ledgerTokenAnswerLife(int64_t nSecond, int64_t *pnSecond) {
  const int bOk = nSecond >= 1 && nSecond <= 365 * 86400;
  *pnSecond = bOk ? nSecond : ENTRA_LIFE;
  return bOk;
}

/* LedgerCallKind.xFree of an answer with a token. */
void ledgerTokenAnswerFree(LedgerCall *p) {
  LedgerTokenAnswer *pAnswer = p->pAnswer;
  ledgerSecretFree(pAnswer->zToken);
}

/* Reads a token's answer: access_token, with expires_in (seconds) or expires_on
** (seconds since 1970). */
int ledgerTokenAnswerRead(LedgerCall *p, LedgerExchange *pEx,
                          LedgerError *pErr) {
  LedgerTokenAnswer *pAnswer = p->pAnswer;
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  const char *z;
  size_t n = 0;
  int64_t nLife;

  if( ledgerJsonParse(pEx->body.z ? pEx->body.z : "", pEx->body.n,
                      "token answer", &pDoc, &err) ) {
    ledgerErrorSet(pErr, err.rc, "%s (HTTP %d, %s %s)", ledgerErrorText(&err),
                   p->http, p->pKind->zMethod, p->zPath);
    goto out;
  }
  z = ledgerTokenAnswerText(pDoc, "access_token", &n);
  if( z == NULL ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "%s: the answer makes no sense: access_token is not there "
                   "(HTTP %d, %s %s)",
                   p->zWhat, p->http, p->pKind->zMethod, p->zPath);
    goto out;
  }
  pAnswer->zToken = ledgerStrndup(z, n);
  if( pAnswer->zToken == NULL ) ledgerErrorNomem(pErr);
  nLife = entraNumber(ledgerJsonRoot(pDoc), "expires_in");
  if( nLife == 0 ) nLife = ledgerTokenAnswerUntil(ledgerJsonRoot(pDoc));
  ledgerTokenAnswerLife(nLife, &pAnswer->nSecond);
out:
  ledgerErrorClear(&err);
  ledgerJsonFreeSecret(pDoc);
  if( pEx->body.z ) OPENSSL_cleanse(pEx->body.z, pEx->body.n);
  return pErr->rc;
}

/* The authority's URL: option, else environment, else Entra's. The caller
** frees it. */
static char *entraAuthority(const LedgerConfig *pConfig, LedgerError *pErr) {
  const char *z =
      ledgerCredentialFrom(pConfig->zAuthority, "AZURE_AUTHORITY_HOST");
  char *zOut = NULL;
  LedgerUrl url;
  int rc;

  if( z == NULL ) z = "https://login.microsoftonline.com";
  rc = ledgerUrlRead(NULL, z, LEDGER_URL_BARE, &url);
  /* The option was checked when it was given: it's the variable here. */
  if( rc == LEDGER_ERROR ||
      (rc == LEDGER_OK && (url.bFragment || url.zRest[url.nPath])) ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "AZURE_AUTHORITY_HOST: give host[:port] or "
                   "https://host[:port]");
  } else if( rc == LEDGER_OK ) {
    while( url.nPath > 0 && url.zRest[url.nPath - 1] == '/' ) {
      url.zRest[--url.nPath] = 0;
    }
    zOut = ledgerMprintf("%s%s", url.zBase, url.zRest);
  }
  if( zOut == NULL ) ledgerErrorNomem(pErr);
  ledgerUrlClear(&url);
  return zOut;
}

/* The path of the tenant's token endpoint: NULL and an error where it would be
** another path. The caller frees it. */
static char *entraPath(const char *zTenant, LedgerError *pErr) {
  const char *z = zTenant;
  char *zPath;

  while( ledgerIsAlnum(*z) || (*z && strchr("-.", *z)) ) z++;
  if( *z || zTenant[0] == '.' ) {
    ledgerErrorSet(
        pErr, LEDGER_AUTH,
        "tenant_id or AZURE_TENANT_ID: it can hold letters, digits, '-' and "
        "'.' only, and not start with '.'");
    return NULL;
  }
  zPath = ledgerMprintf("/%s/oauth2/v2.0/token", zTenant);
  if( zPath == NULL ) ledgerErrorNomem(pErr);
  return zPath;
}

/* The whole URL of the tenant's token endpoint, which an assertion is made out
** to. The caller frees it. */
char *ledgerEntraUrl(LedgerClient *p, const char *zTenant, LedgerError *pErr) {
  char *zPath = entraPath(zTenant, pErr);
  char *zBase = zPath ? entraAuthority(p->pConfig, pErr) : NULL;
  char *zUrl = NULL;
  if( zBase ) {
    zUrl = ledgerMprintf("%s%s", zBase, zPath);
    if( zUrl == NULL ) ledgerErrorNomem(pErr);
  }
  free(zBase);
  free(zPath);
  return zUrl;
}

/* The scope without /.default: what a managed identity and a developer's tool
** are asked for. The caller frees it. */
char *ledgerEntraResource(const LedgerConfig *pConfig, LedgerError *pErr) {
  const char *z = pConfig->zScope ? pConfig->zScope : LEDGER_DEFAULT_SCOPE;
  size_t n = strlen(z);
  char *zOut;
  if( n > 9 && strcmp(z + n - 9, "/.default") == 0 ) n -= 9;
  zOut = ledgerStrndup(z, n);
  if( zOut == NULL ) ledgerErrorNomem(pErr);
  return zOut;
}

/* Appends &name=value. */
static void entraField(LedgerBuf *pBody, const char *zName,
                       const char *zValue) {
  ledgerBufPrintf(pBody, "&%s=", zName);
  ledgerBufUrl(pBody, zValue, strlen(zValue));
}

/*
** The claims parameter: what the ledger asked for, together with the word that
** this client understands such requests (CP1), without which Entra would not
** give a token that can be asked for them.
*/
static void entraClaims(LedgerBuf *pBody, const char *zClaims) {
  static const char zCapable[] = "{\"xms_cc\":{\"values\":[\"CP1\"]}}";
  cJSON *pAsked = ledgerJsonTree(zClaims);
  cJSON *pToken = ledgerJsonMember(pAsked, "access_token");
  cJSON *pCapable = NULL;
  char *z = NULL;

  if( !cJSON_IsObject(pToken) && cJSON_IsObject(pAsked) ) {
    cJSON_DeleteItemFromObjectCaseSensitive(pAsked, "access_token");
    pToken = cJSON_AddObjectToObject(pAsked, "access_token");
  }
  pCapable = ledgerJsonTree(zCapable);
  if( pToken && pCapable && ledgerJsonMember(pToken, "xms_cc") == NULL ) {
    cJSON *pItem = cJSON_DetachItemFromObjectCaseSensitive(pCapable, "xms_cc");
    if( !cJSON_AddItemToObject(pToken, "xms_cc", pItem) ) cJSON_Delete(pItem);
  }
  if( pToken ) z = ledgerJsonPrint(pAsked);
  if( z ) entraField(pBody, "claims", z);
  cJSON_free(z);
  cJSON_Delete(pCapable);
  cJSON_Delete(pAsked);
}

/*
** Starts the request for a token, as an application that shows its assertion,
** or its secret where zAssertion is NULL.
*/
int ledgerEntraStart(LedgerFetch *p, const LedgerApplication *pApp,
                     const char *zAssertion, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pClient->pConfig;
  LedgerCall *pCall = NULL;
  LedgerBuf *pBody;

  if( ledgerCallNew(p->pClient, &entraKind, &pCall, pErr) ) return pErr->rc;
  pBody = &pCall->body;
  pCall->zPath = entraPath(pApp->zTenant, pErr);
  if( pErr->rc == 0 ) pCall->zBase = entraAuthority(pConfig, pErr);
  ledgerCallPrint(pCall, &pCall->zWhat, "token for client %s", pApp->zClient);
  pCall->zType = "application/x-www-form-urlencoded";
  ledgerBufText(pBody, "grant_type=client_credentials");
  entraField(pBody, "client_id", pApp->zClient);
  ledgerCallText(pCall, &pCall->zSecret,
                 zAssertion ? zAssertion : pApp->zSecret);
  if( zAssertion ) {
    ledgerBufText(pBody, "&client_assertion_type=" ENTRA_JWT);
    entraField(pBody, "client_assertion", zAssertion);
  } else {
    entraField(pBody, "client_secret", pApp->zSecret);
  }
  entraField(pBody, "scope",
             pConfig->zScope ? pConfig->zScope : LEDGER_DEFAULT_SCOPE);
  if( p->zClaims ) entraClaims(pBody, p->zClaims);
  ledgerCallText(pCall, &pCall->zLink, pCall->zPath);
  if( pErr->rc ) {
    ledgerCallFree(pCall);
    return pErr->rc;
  }
  p->pCall = pCall;
  ledgerCallBegin(pCall);
  return LEDGER_OK;
}
