/*
** Who the client is: a bearer token given or fetched, or a certificate for
** mutual TLS. One credential is one small function and one row of aCredential.
**
**   POST {authority}/{tenant}/oauth2/v2.0/token
**
** Invariants
**   - a token never leaves memory but in an Authorization header, and is wiped
**     when it is freed;
**   - nothing is fetched before the first request needs it;
**   - a token is read, without a check, only to name its owner in messages.
*/
#include "clientInt.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTH_AHEAD_MS (5 * 60 * 1000) /* refreshed so long before its end */

static int authTokenRead(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr);
static int authDefault(LedgerClient *p, LedgerError *pErr);
static int authClientSecret(LedgerClient *p, LedgerError *pErr);
static int authToken(LedgerClient *p, LedgerError *pErr);
static int authUserCertificate(LedgerClient *p, LedgerError *pErr);

static const LedgerCallKind authKind = {
    .zMethod = "POST", .bPublic = 1, .xRead = authTokenRead};

/* The credentials: each function sets p->auth, or starts what will. */
static const struct {
  const char *zKind;
  int (*xPrepare)(LedgerClient *p, LedgerError *pErr);
} aCredential[] = {
    {"default", authDefault},
    {"client_secret", authClientSecret},
    {"token", authToken},
    {"user_certificate", authUserCertificate},
};

/*
** The kind of credential that the options ask for: `credential`, else the one
** whose secret is given, else default. Two secrets without `credential` are an
** error.
*/
int ledgerCredentialKind(const LedgerConfig *p, const char **pzKind,
                         LedgerError *pErr) {
  int n = (p->zToken != NULL) + (p->zUserCertificate != NULL) +
          (p->zClientSecret != NULL);

  *pzKind = "default";
  if( p->zCredential ) {
    *pzKind = p->zCredential;
  } else if( n > 1 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "options token, client_secret and user_certificate "
                          "each name a credential: choose one with option "
                          "credential");
  } else if( p->zToken ) {
    *pzKind = "token";
  } else if( p->zUserCertificate ) {
    *pzKind = "user_certificate";
  } else if( p->zClientSecret ) {
    *pzKind = "client_secret";
  }
  return LEDGER_OK;
}

/* Forgets everything, also a request under way. */
void ledgerAuthReset(LedgerAuth *p) {
  ledgerCallFree(p->pCall);
  ledgerSecretFree(p->zToken);
  ledgerSecretFree(p->zCertificate);
  ledgerSecretFree(p->zKey);
  free(p->zPrincipal);
  memset(p, 0, sizeof(*p));
}

/* ---- bearer tokens ----------------------------------------------------- */

/* The owner of a JWT as the ledger sees it: oid, else appid, else sub; NULL
** where the token doesn't tell. The caller frees it. */
static char *authPrincipal(const char *zToken) {
  static const char *const azClaim[] = {"oid", "appid", "sub"};
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  LedgerBuf claims = {0};
  char *zOut = NULL;
  const char *z = strchr(zToken, '.');
  size_t i;

  if( z == NULL ) return NULL;
  z++;
  if( ledgerBase64UrlDecode(z, strcspn(z, "."), &claims) && claims.z &&
      ledgerJsonParse(claims.z, claims.n, "token", &pDoc, &err) == LEDGER_OK ) {
    for( i = 0; i < 3 && zOut == NULL; i++ ) {
      size_t n = 0;
      const char *zClaim =
          ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), azClaim[i], &n);
      if( zClaim ) {
        zOut = malloc(n + 1);
        if( zOut ) ledgerTextClean(zClaim, n, zOut, n + 1);
      }
    }
  }
  ledgerJsonFree(pDoc);
  ledgerErrorClear(&err);
  ledgerBufFree(&claims);
  return zOut;
}

/* Takes a token over that lives for nSecond seconds, 0: unknown. */
static void authTakeToken(LedgerAuth *p, char *zToken, int64_t nSecond) {
  int64_t t = ledgerClockMs();
  ledgerSecretFree(p->zToken);
  p->zToken = zToken;
  free(p->zPrincipal);
  p->zPrincipal = authPrincipal(zToken);
  p->tExpire = p->tRefresh = INT64_MAX;
  if( nSecond > 0 ) {
    int64_t ms = nSecond * 1000;
    p->tExpire = t + ms;
    p->tRefresh = t + (ms < 2 * AUTH_AHEAD_MS ? ms / 2 : ms - AUTH_AHEAD_MS);
  }
}

/* Reads the authority's answer into p->zValue and p->nValue. */
static int authTokenRead(LedgerCall *p, LedgerExchange *pEx,
                         LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  cJSON *pLife;
  const char *z;
  size_t i, n = 0;

  if( ledgerJsonParse(pEx->body.z ? pEx->body.z : "", pEx->body.n,
                      "token answer", &pDoc, pErr) ) {
    goto out;
  }
  z = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "access_token", &n);
  for( i = 0; z && i < n; i++ ) {
    if( z[i] <= ' ' || z[i] >= 0x7f ) z = NULL;
  }
  if( z == NULL || n == 0 ) {
    ledgerAnswerNonsense(p, "access_token is not there", pErr);
    goto out;
  }
  p->zValue = ledgerStrndup(z, n);
  if( p->zValue == NULL ) ledgerErrorNomem(pErr);
  p->nValue = 3600;
  pLife = ledgerJsonMember(ledgerJsonRoot(pDoc), "expires_in");
  if( cJSON_IsNumber(pLife) ) p->nValue = (int64_t)pLife->valuedouble;
  if( cJSON_IsString(pLife) ) p->nValue = strtoll(pLife->valuestring, NULL, 10);
  if( p->nValue < 1 || p->nValue > 365 * 86400 ) p->nValue = 3600;
out:
  ledgerJsonFree(pDoc);
  if( pEx->body.z ) OPENSSL_cleanse(pEx->body.z, pEx->body.n);
  return pErr->rc;
}

/* The authority's URL: option, else environment, else Entra's. The caller
** frees it. */
static char *authAuthority(const LedgerConfig *pConfig, LedgerError *pErr) {
  const char *z = pConfig->zAuthority;
  char *zUrl;
  size_t n;

  if( z == NULL ) z = getenv("AZURE_AUTHORITY_HOST");
  if( z == NULL || z[0] == 0 ) z = "https://login.microsoftonline.com";
  zUrl = strstr(z, "://") ? ledgerStrdup(z) : ledgerMprintf("https://%s", z);
  if( zUrl == NULL ) {
    ledgerErrorNomem(pErr);
    return NULL;
  }
  n = strlen(zUrl);
  while( n > 0 && zUrl[n - 1] == '/' ) zUrl[--n] = 0;
  if( ledgerUrlCheck("authority", zUrl, pErr) ) {
    free(zUrl);
    return NULL;
  }
  return zUrl;
}

/* Starts the request for a token with a client secret. */
static int authFetchSecret(LedgerClient *p, const char *zTenant,
                           const char *zClient, const char *zSecret,
                           LedgerError *pErr) {
  const char *zScope = p->pConfig->zScope ? p->pConfig->zScope : "";
  LedgerCall *pCall = NULL;
  LedgerBuf path = {0};

  if( ledgerCallNew(p, &authKind, &pCall, pErr) ) return pErr->rc;
  ledgerBufText(&path, "/");
  ledgerBufUrl(&path, zTenant, strlen(zTenant));
  ledgerBufText(&path, "/oauth2/v2.0/token");
  pCall->zPath = ledgerBufTake(&path);
  pCall->zBase = authAuthority(p->pConfig, pErr);
  pCall->zWhat = ledgerMprintf("token for client %s", zClient);
  pCall->zType = "application/x-www-form-urlencoded";
  ledgerBufText(&pCall->body, "grant_type=client_credentials&client_id=");
  ledgerBufUrl(&pCall->body, zClient, strlen(zClient));
  ledgerBufText(&pCall->body, "&client_secret=");
  ledgerBufUrl(&pCall->body, zSecret, strlen(zSecret));
  ledgerBufText(&pCall->body, "&scope=");
  ledgerBufUrl(&pCall->body, zScope, strlen(zScope));
  if( pErr->rc == 0 &&
      (pCall->body.bOom || !pCall->zPath || !pCall->zBase || !pCall->zWhat ||
       (pCall->zLink = ledgerStrdup(pCall->zPath)) == NULL) ) {
    ledgerErrorNomem(pErr);
  }
  if( pErr->rc ) {
    ledgerCallFree(pCall);
    return pErr->rc;
  }
  p->auth.bRefreshable = 1;
  p->auth.pCall = pCall;
  ledgerCallStart(pCall);
  return LEDGER_OK;
}

/* ---- the credentials --------------------------------------------------- */

/* credential=token: as it is given. */
static int authToken(LedgerClient *p, LedgerError *pErr) {
  char *z;
  if( p->pConfig->zToken == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "credential token: option token is not set");
  }
  z = ledgerStrdup(p->pConfig->zToken);
  if( z == NULL ) return ledgerErrorNomem(pErr);
  authTakeToken(&p->auth, z, 0);
  return LEDGER_OK;
}

/* An option, else the environment's variable, else NULL. */
static const char *authFrom(const char *zOption, const char *zVariable) {
  const char *z = zOption ? zOption : getenv(zVariable);
  return z && z[0] ? z : NULL;
}

/* credential=client_secret: tenant, client and secret by option, else from the
** environment. zKind names the credential in the error. */
static int authSecretFor(LedgerClient *p, const char *zKind,
                         LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pConfig;
  const char *zTenant = authFrom(pConfig->zTenantId, "AZURE_TENANT_ID");
  const char *zClient = authFrom(pConfig->zClientId, "AZURE_CLIENT_ID");
  const char *zSecret = authFrom(pConfig->zClientSecret, "AZURE_CLIENT_SECRET");

  if( zTenant && zClient && zSecret ) {
    return authFetchSecret(p, zTenant, zClient, zSecret, pErr);
  }
  return ledgerErrorSet(
      pErr, LEDGER_AUTH,
      "no credential: %s needs tenant_id or AZURE_TENANT_ID (%s), client_id or "
      "AZURE_CLIENT_ID (%s), client_secret or AZURE_CLIENT_SECRET (%s); or set "
      "option token, or user_certificate",
      zKind, zTenant ? "found" : "missing", zClient ? "found" : "missing",
      zSecret ? "found" : "missing");
}

static int authClientSecret(LedgerClient *p, LedgerError *pErr) {
  return authSecretFor(p, "credential client_secret", pErr);
}

/* credential=default: the environment's client secret. */
static int authDefault(LedgerClient *p, LedgerError *pErr) {
  return authSecretFor(p, "credential default", pErr);
}

/* credential=user_certificate: mutual TLS. */
static int authUserCertificate(LedgerClient *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pConfig;
  char zPrint[96];

  if( pConfig->zUserCertificate == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "credential user_certificate: option "
                          "user_certificate is not set");
  }
  if( ledgerReadPem("user_certificate", pConfig->zUserCertificate,
                    &p->auth.zCertificate, pErr) ) {
    return pErr->rc;
  }
  if( pConfig->zUserKey &&
      ledgerReadPem("user_key", pConfig->zUserKey, &p->auth.zKey, pErr) ) {
    return pErr->rc;
  }
  if( pConfig->zUserKey == NULL &&
      strstr(p->auth.zCertificate, "PRIVATE KEY-----") == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "user_certificate: its PEM holds no key, and option "
                          "user_key is not set");
  }
  if( ledgerCertificateFingerprint(
          p->auth.zCertificate, strlen(p->auth.zCertificate), zPrint, pErr) ) {
    pErr->rc = LEDGER_AUTH;
    return pErr->rc;
  }
  p->auth.zPrincipal = ledgerStrdup(zPrint);
  return p->auth.zPrincipal ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* ---- for the room ------------------------------------------------------ */

/* Takes over what the authority answered. An error while the old token still
** holds is passed over. */
static int authFinish(LedgerClient *p, LedgerError *pErr) {
  LedgerAuth *pAuth = &p->auth;
  LedgerCall *pCall = pAuth->pCall;

  pAuth->pCall = NULL;
  if( pCall->err.rc == LEDGER_OK ) {
    authTakeToken(pAuth, pCall->zValue, pCall->nValue);
    pCall->zValue = NULL;
  } else if( pAuth->zToken && ledgerClockMs() < pAuth->tExpire ) {
    pAuth->tRefresh = ledgerClockMs() + 30 * 1000;
  } else {
    ledgerErrorCopy(pErr, &pCall->err);
    if( pCall->http >= 400 && pCall->http < 500 ) pErr->rc = LEDGER_AUTH;
  }
  ledgerCallFree(pCall);
  return pErr->rc;
}

/*
** Whether the credential is there. Chooses it at first, starts the request for
** a token where one is due; until its answer is here *pbReady is 0.
*/
int ledgerAuthReady(LedgerClient *p, int *pbReady, LedgerError *pErr) {
  LedgerAuth *pAuth = &p->auth;
  const char *zKind = NULL;
  size_t i;

  *pbReady = 0;
  if( pAuth->pCall ) {
    if( pAuth->pCall->eState != LEDGER_CALL_DONE ) return LEDGER_OK;
    if( authFinish(p, pErr) ) return pErr->rc;
  }
  if( pAuth->zCertificate ||
      (pAuth->zToken && ledgerClockMs() < pAuth->tRefresh) ) {
    *pbReady = 1;
    return LEDGER_OK;
  }
  if( ledgerCredentialKind(p->pConfig, &zKind, pErr) ) return pErr->rc;
  for( i = 0; i < sizeof(aCredential) / sizeof(aCredential[0]); i++ ) {
    if( strcmp(aCredential[i].zKind, zKind) ) continue;
    pAuth->zKind = aCredential[i].zKind;
    if( aCredential[i].xPrepare(p, pErr) ) {
      ledgerAuthReset(pAuth);
      return pErr->rc;
    }
    *pbReady = pAuth->pCall == NULL;
  }
  return LEDGER_OK;
}

/* The ledger refused this token: the next request gets a new one, where one
** can be had and nobody has fetched it meanwhile. */
void ledgerAuthRefused(LedgerClient *p, const char *zToken) {
  LedgerAuth *pAuth = &p->auth;
  if( !pAuth->bRefreshable || pAuth->zToken == NULL || zToken == NULL ) return;
  if( strcmp(pAuth->zToken, zToken) ) return;
  pAuth->tRefresh = 0;
  pAuth->tExpire = 0;
}
