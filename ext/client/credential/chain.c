/*
** Who the client is: the choice of a credential, its token kept and refreshed.
** What a credential does stands in its own file, credential_*.c; here is the
** table of them, the chain that `default` is, and the cache of one token.
**
**   credential = azure_cli      that one, and its failure is the error
**   credential = default        those of the table that have a place in the
**                               chain, in its order, as azure-identity does:
**     not set up                goes on to the next
**     set up and failed         ends the chain with its error
**     a developer's tool failed goes on to the next
**     found                     is kept: the chain isn't walked again
**   AZURE_TOKEN_CREDENTIALS     narrows the chain: dev, prod, or one name
**
** Invariants
**   - a token never leaves memory but in an Authorization header, and is wiped
**     when it is freed;
**   - nothing is fetched before the first request needs it;
**   - a token is read, without a check, only to name its owner in messages;
**   - a token that still holds is used while, and after, its refresh failed;
**   - no child process is left when nobody waits for it.
*/
#include "client/credential/credential.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTH_AHEAD_MS (5 * 60 * 1000) /* refreshed so long before its end */
#define AUTH_AGAIN_MS (30 * 1000)     /* after a refresh that failed */

/* The credentials. Those of the chain stand in its order. */
static const LedgerCredential *const apCredential[] = {
    &ledgerCredentialEnvironment, /* chain */
    &ledgerCredentialWorkload,    /* chain */
    &ledgerCredentialManaged,     /* chain */
    &ledgerCredentialAzureCli,    /* chain */
    &ledgerCredentialAzd,         /* chain */
    &ledgerCredentialSecret,      &ledgerCredentialCertificate,
    &ledgerCredentialToken,       &ledgerCredentialUser,
};
#define N_CREDENTIAL ((int)(sizeof(apCredential) / sizeof(apCredential[0])))

/* ---- for the credentials ----------------------------------------------- */

/* Sets the error of a credential that is not set up here. */
int ledgerCredentialMissing(LedgerFetch *p, LedgerError *pErr, const char *zFmt,
                            ...) {
  char *zText = NULL;
  va_list ap;
  va_start(ap, zFmt);
  if( vasprintf(&zText, zFmt, ap) < 0 ) zText = NULL;
  va_end(ap);
  p->bMissing = 1;
  if( zText )
    ledgerErrorSet(pErr, LEDGER_AUTH, "%s", zText);
  else
    ledgerErrorNomem(pErr);
  free(zText);
  return pErr->rc;
}

/* A call for a token has ended: takes over the token, or why there is none. */
int ledgerCredentialTake(LedgerFetch *p, LedgerCall *pCall, LedgerError *pErr) {
  if( pCall->err.rc ) {
    ledgerErrorCopy(pErr, &pCall->err);
    if( pCall->http >= 400 && pCall->http < 500 ) pErr->rc = LEDGER_AUTH;
  } else {
    p->zToken = pCall->zValue;
    p->nSecond = pCall->nValue;
    pCall->zValue = NULL;
  }
  return pErr->rc;
}

/* An option, else the environment's variable, else NULL. */
const char *ledgerCredentialFrom(const char *zOption, const char *zVariable) {
  const char *z = zOption ? zOption : getenv(zVariable);
  return z && z[0] ? z : NULL;
}

/* ---- the choice -------------------------------------------------------- */

/*
** The kind of credential that the options ask for: `credential`, else the one
** whose secret is given, else default. Two secrets without `credential` are an
** error.
*/
int ledgerCredentialKind(const LedgerConfig *p, const char **pzKind,
                         LedgerError *pErr) {
  int n = (p->zToken != NULL) + (p->zUserCertificate != NULL) +
          (p->zClientSecret != NULL) + (p->zClientCertificate != NULL);

  *pzKind = "default";
  if( p->zCredential ) {
    *pzKind = p->zCredential;
  } else if( n > 1 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "options token, client_secret, client_certificate "
                          "and user_certificate each name a credential: choose "
                          "one with option credential");
  } else if( p->zToken ) {
    *pzKind = "token";
  } else if( p->zUserCertificate ) {
    *pzKind = "user_certificate";
  } else if( p->zClientSecret ) {
    *pzKind = "client_secret";
  } else if( p->zClientCertificate ) {
    *pzKind = "client_certificate";
  }
  return LEDGER_OK;
}

/* Whether the certificates that the options name can be read. A key without one
** does not mean whoever the default credential finds. */
int ledgerCredentialCheck(const LedgerConfig *p, LedgerError *pErr) {
  const char *zKind;
  if( ledgerCredentialKind(p, &zKind, pErr) ) return pErr->rc;
  if( p->zUserCertificate && ledgerUserCertificateCheck(p, pErr) ) {
    return pErr->rc;
  }
  if( p->zUserKey && !p->zUserCertificate && !ledgerPemHasKey(p->zUserKey) ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "user_key: there is no private key in it");
  }
  if( p->zUserKey && !p->zUserCertificate && !p->zCredential &&
      strcmp(zKind, "default") == 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "option user_key: its certificate is missing: give "
                          "it in user_certificate");
  }
  if( p->zClientCertificate ) ledgerClientCertificateCheck(p, pErr);
  return pErr->rc;
}

/* The same when only zOption has been set. A user's certificate and its key are
** set one after the other, in this order: the key has to fit. */
int ledgerCredentialCheckOne(const LedgerConfig *p, const char *zOption,
                             LedgerError *pErr) {
  if( strcmp(zOption, "user_certificate") == 0 ) {
    return ledgerUserCertificateAlone(p, pErr);
  }
  if( strcmp(zOption, "client_certificate") == 0 ) {
    return ledgerClientCertificateCheck(p, pErr);
  }
  return ledgerCredentialCheck(p, pErr);
}

/* Whether z is one of the credential's names. */
static int authIs(const LedgerCredential *p, const char *z) {
  return ledgerStricmp(p->zName, z) == 0 ||
         (p->zAzure && ledgerStricmp(p->zAzure, z) == 0);
}

/* AZURE_TOKEN_CREDENTIALS without blanks around it into z[n]; "" where it isn't
** set. */
static void authNarrowed(char *z, size_t n) {
  const char *zVariable = getenv("AZURE_TOKEN_CREDENTIALS");
  size_t nName;
  if( zVariable == NULL ) return;
  zVariable += strspn(zVariable, " \t\r\n");
  nName = strcspn(zVariable, " \t\r\n");
  ledgerTextClean(zVariable, nName, z, n);
}

/* The error of an AZURE_TOKEN_CREDENTIALS that names nothing here. */
static int authNarrowError(const char *z, LedgerError *pErr) {
  LedgerBuf names = {0};
  int i;

  for( i = 0; i < N_CREDENTIAL; i++ ) {
    if( apCredential[i]->eChain == LEDGER_CHAIN_NONE ) continue;
    ledgerBufPrintf(&names, ", %s", apCredential[i]->zAzure);
  }
  ledgerErrorSet(pErr, LEDGER_AUTH,
                 "AZURE_TOKEN_CREDENTIALS is '%s': it may be dev, prod%s", z,
                 names.z ? names.z : "");
  ledgerBufFree(&names);
  return pErr->rc;
}

/*
** The credentials to try, in order, into ap[N_CREDENTIAL], for `default` or a
** credential by name.
*/
static int authChoose(const char *zKind, const LedgerCredential **ap, int *pn,
                      LedgerError *pErr) {
  const int bDefault = strcmp(zKind, "default") == 0;
  char zOnly[64] = "";
  int mChain = 0;
  int i;

  *pn = 0;
  if( bDefault ) authNarrowed(zOnly, sizeof(zOnly));
  if( ledgerStricmp(zOnly, "dev") == 0 ) mChain = LEDGER_CHAIN_DEV;
  if( ledgerStricmp(zOnly, "prod") == 0 ) mChain = LEDGER_CHAIN_PROD;
  for( i = 0; i < N_CREDENTIAL; i++ ) {
    const LedgerCredential *p = apCredential[i];
    int bTake;
    if( !bDefault )
      bTake = strcmp(p->zName, zKind) == 0;
    else if( p->eChain == LEDGER_CHAIN_NONE )
      bTake = 0;
    else if( mChain )
      bTake = p->eChain == mChain;
    else
      bTake = zOnly[0] == 0 || authIs(p, zOnly);
    if( bTake ) ap[(*pn)++] = p;
  }
  if( *pn == 0 && zOnly[0] ) return authNarrowError(zOnly, pErr);
  if( *pn == 0 ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH, "no credential is named '%s'",
                          zKind);
  }
  return LEDGER_OK;
}

/* ---- the token --------------------------------------------------------- */

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

/* Takes over what a fetch has found. */
static void authTake(LedgerAuth *p, LedgerFetch *pFetch) {
  ledgerSecretFree(p->zToken);
  ledgerSecretFree(p->zCertificate);
  ledgerSecretFree(p->zKey);
  free(p->zPrincipal);
  free(p->zClaims);
  p->zClaims = NULL;
  p->zToken = pFetch->zToken;
  p->zCertificate = pFetch->zCertificate;
  p->zKey = pFetch->zKey;
  p->zPrincipal = pFetch->zPrincipal;
  pFetch->zToken = pFetch->zCertificate = pFetch->zKey = NULL;
  pFetch->zPrincipal = NULL;
  if( p->zToken && p->zPrincipal == NULL ) {
    p->zPrincipal = authPrincipal(p->zToken);
  }
  p->tExpire = p->tRefresh = INT64_MAX;
  if( pFetch->nSecond > 0 ) {
    const int64_t t = ledgerClockMs();
    const int64_t ms = pFetch->nSecond * 1000;
    p->tExpire = t + ms;
    p->tRefresh = t + (ms < 2 * AUTH_AHEAD_MS ? ms / 2 : ms - AUTH_AHEAD_MS);
  }
  p->pKept = pFetch->pKind;
  p->zKind = p->pKept->zName;
  p->bRefreshable = !p->pKept->bStill;
}

/* Whether a request may be sent with what is here. */
static int authHolds(const LedgerAuth *p) {
  return p->zCertificate || (p->zToken && ledgerClockMs() < p->tExpire);
}

/* ---- one fetch --------------------------------------------------------- */

static void authFetchFree(LedgerFetch *p) {
  if( p == NULL ) return;
  ledgerCallFree(p->pCall);
  ledgerProcessFree(p->pProcess);
  free(p->zBase);
  free(p->zPath);
  free(p->zQuery);
  ledgerSecretFree(p->zToken);
  ledgerSecretFree(p->zCertificate);
  ledgerSecretFree(p->zKey);
  free(p->zPrincipal);
  free(p);
}

/* Gives the fetch under way up. */
static void authCancel(LedgerAuth *p) {
  LedgerFetch *pFetch = p->pFetch;
  p->pFetch = NULL;
  p->iChain = 0;
  ledgerBufReset(&p->reasons);
  authFetchFree(pFetch);
}

/* Forgets everything, also a fetch under way. */
void ledgerAuthReset(LedgerAuth *p) {
  authCancel(p);
  ledgerSecretFree(p->zToken);
  ledgerSecretFree(p->zCertificate);
  ledgerSecretFree(p->zKey);
  free(p->zPrincipal);
  free(p->zClaims);
  ledgerBufFree(&p->reasons);
  memset(p, 0, sizeof(*p));
}

/* Starts the credential at p->auth.iChain. *ppFetch is the caller's, also with
** an error; NULL without one: it starts when somebody waits. */
static int authStart(LedgerClient *p, LedgerFetch **ppFetch,
                     LedgerError *pErr) {
  const LedgerCredential *ap[N_CREDENTIAL];
  LedgerAuth *pAuth = &p->auth;
  LedgerFetch *pFetch = NULL;
  const char *zKind = NULL;
  int bChanged = 0;
  int n = 0;

  *ppFetch = NULL;
  if( ledgerCredentialKind(p->pConfig, &zKind, pErr) ||
      authChoose(zKind, ap, &n, pErr) ) {
    return pErr->rc;
  }
  pFetch = calloc(1, sizeof(*pFetch));
  if( pFetch == NULL ) return ledgerErrorNomem(pErr);
  *ppFetch = pFetch;
  pFetch->pClient = p;
  pFetch->zClaims = pAuth->zClaims;
  pFetch->bDefault = strcmp(zKind, "default") == 0;
  pFetch->bBackground = authHolds(pAuth);
  if( pAuth->pKept ) {
    pFetch->pKind = pAuth->pKept;
  } else {
    if( pAuth->iChain >= n ) pAuth->iChain = 0; /* the environment changed */
    pFetch->pKind = ap[pAuth->iChain];
    pFetch->bChained = pFetch->bDefault && n > 1;
  }
  pAuth->zKind = pFetch->pKind->zName;
  if( pFetch->pKind->bChild && !p->bWaiting ) {
    *ppFetch = NULL;
    free(pFetch);
    return LEDGER_OK;
  }
  if( pAuth->pKept && ledgerConfigRenew(p->pConfig, &bChanged, pErr) ) {
    return pErr->rc;
  }
  return pFetch->pKind->xStart(pFetch, pErr);
}

/* What the fetch waits for has ended: takes it over, or starts the next. */
static int authStepOne(LedgerFetch *p, LedgerError *pErr) {
  LedgerCall *pCall = p->pCall;
  if( p->pKind->xStep ) return p->pKind->xStep(p, pErr);
  if( pCall == NULL ) return ledgerErrorNomem(pErr);
  p->pCall = NULL;
  ledgerCredentialTake(p, pCall, pErr);
  ledgerCallFree(pCall);
  return pErr->rc;
}

/*
** The fetch ended with *pWhy. Returns 1 where the next of the chain is to be
** tried; else *pErr is set, unless a token is here that still holds.
*/
static int authFailed(LedgerClient *p, LedgerFetch *pFetch, LedgerError *pWhy,
                      LedgerError *pErr) {
  const LedgerCredential *ap[N_CREDENTIAL];
  const LedgerCredential *pKind = pFetch->pKind;
  LedgerAuth *pAuth = &p->auth;
  LedgerError err = LEDGER_ERROR_INIT;
  int n = 0;

  if( pFetch->bChained && pWhy->rc != LEDGER_NOMEM &&
      pWhy->rc != LEDGER_INTERRUPT &&
      (pFetch->bMissing || pKind->eChain == LEDGER_CHAIN_DEV) ) {
    ledgerBufPrintf(&pAuth->reasons, "%s%s: %s", pAuth->reasons.n ? "; " : "",
                    pKind->zName, ledgerErrorText(pWhy));
    authChoose("default", ap, &n, &err);
    ledgerErrorClear(&err);
    if( ++pAuth->iChain < n ) return 1;
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "no credential: none of the default chain is there: %s; or "
                   "set option token, client_secret, client_certificate or "
                   "user_certificate",
                   pAuth->reasons.z ? pAuth->reasons.z : "");
  } else if( authHolds(pAuth) ) {
    pAuth->tRefresh = ledgerClockMs() + AUTH_AGAIN_MS;
    if( pAuth->tRefresh > pAuth->tExpire ) pAuth->tRefresh = pAuth->tExpire;
  } else if( pFetch->bBackground ) {
    return 1; /* stale: the client may have rested since; fetch it anew */
  } else if( pWhy->rc == LEDGER_NOMEM ) {
    ledgerErrorNomem(pErr);
  } else {
    ledgerErrorSet(pErr, pWhy->rc, "credential %s%s: %s",
                   pFetch->bDefault ? "default: " : "", pKind->zName,
                   ledgerErrorText(pWhy));
    pErr->http = pWhy->http;
  }
  if( pAuth->pKept == NULL ) pAuth->zKind = NULL;
  pAuth->iChain = 0;
  ledgerBufReset(&pAuth->reasons);
  return 0;
}

/* Whether the fetch has something under way. */
static int authWaits(LedgerFetch *p) {
  if( p->pCall ) return p->pCall->eState != LEDGER_CALL_DONE;
  return p->pProcess && !ledgerProcessStep(p->pProcess);
}

/* Moves the fetch on, along the chain, until it waits or has ended. */
static int authDrive(LedgerClient *p, LedgerError *pErr) {
  LedgerAuth *pAuth = &p->auth;
  int bAgain = 1;

  while( bAgain ) {
    LedgerError why = LEDGER_ERROR_INIT;
    LedgerFetch *pFetch = pAuth->pFetch;
    bAgain = 0;
    if( pFetch == NULL ) {
      authStart(p, &pFetch, &why);
      if( pFetch == NULL ) {
        ledgerErrorCopy(pErr, &why);
        ledgerErrorClear(&why);
        return pErr->rc;
      }
      pAuth->pFetch = pFetch;
    } else {
      if( authWaits(pFetch) ) return LEDGER_OK;
      authStepOne(pFetch, &why);
    }
    if( why.rc == LEDGER_OK && (pFetch->pCall || pFetch->pProcess) ) {
      bAgain = 1; /* it may have ended already */
      continue;
    }
    pAuth->pFetch = NULL;
    if( why.rc == LEDGER_OK ) {
      authTake(pAuth, pFetch);
      pAuth->iChain = 0;
      ledgerBufReset(&pAuth->reasons);
    } else {
      bAgain = authFailed(p, pFetch, &why, pErr);
    }
    authFetchFree(pFetch);
    ledgerErrorClear(&why);
  }
  return pErr->rc;
}

/* ---- for the room ------------------------------------------------------ */

/*
** Whether the credential is there. Chooses it at first, fetches a token where
** one is due; until it is here *pbReady is 0. A token that still holds is used
** while a request for the next one is under way. A child process is waited
** for: it must not be left alone when this statement ends.
*/
int ledgerAuthReady(LedgerClient *p, int *pbReady, LedgerError *pErr) {
  LedgerAuth *pAuth = &p->auth;

  *pbReady = 0;
  if( pAuth->zCertificate == NULL &&
      (pAuth->zToken == NULL || ledgerClockMs() >= pAuth->tRefresh) &&
      authDrive(p, pErr) ) {
    return pErr->rc;
  }
  *pbReady = authHolds(pAuth) &&
             (pAuth->pFetch == NULL || pAuth->pFetch->pProcess == NULL);
  return LEDGER_OK;
}

/* Whether what a fetch waits for has come in. */
int ledgerAuthDue(const LedgerAuth *p) {
  const LedgerCall *pCall = p->pFetch ? p->pFetch->pCall : NULL;
  return pCall && pCall->eState == LEDGER_CALL_DONE;
}

/*
** The claims that a 401 asks the next token to show, as JSON, or NULL:
** Bearer ..., error="insufficient_claims", claims="eyJhY2Nlc3Nf..."
** (continuous access evaluation). The caller frees it.
*/
static char *authClaims(const LedgerBuf *pChallenge) {
  LedgerBuf text = {0};
  const char *z = pChallenge->z;
  size_t n;

  while( z && (z = strstr(z, "claims=\"")) != NULL ) {
    if( z == pChallenge->z || z[-1] == ' ' || z[-1] == ',' ) break;
    z++;
  }
  if( z == NULL ) return NULL;
  z += 8;
  n = strcspn(z, "\"=");
  if( n > 0 && (ledgerBase64UrlDecode(z, n, &text) ||
                ledgerBase64Decode(z, strcspn(z, "\""), &text)) ) {
    return ledgerBufTake(&text);
  }
  ledgerBufFree(&text);
  return NULL;
}

/*
** The ledger refused (401) what can't be fetched anew: it may stand in a file,
** and be another one there by now. Returns 1 where it is, or where the file
** can't be read, which the next attempt then says.
*/
static int authReread(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  LedgerAuth *pAuth = &pClient->auth;
  const LedgerCredential *pKept = pAuth->pKept;
  LedgerError err = LEDGER_ERROR_INIT;
  int bChanged = 0;

  if( pKept == NULL || !pKept->bStill || p->bReauth ) return 0;
  p->bReauth = 1;
  if( p->zTokenSent && pAuth->zToken &&
      strcmp(p->zTokenSent, pAuth->zToken) != 0 ) {
    return 1; /* another call has had the new one */
  }
  if( ledgerConfigRenew(pClient->pConfig, &bChanged, &err) ) bChanged = 1;
  ledgerErrorClear(&err);
  if( !bChanged ) return 0;
  ledgerAuthReset(pAuth);
  pAuth->pKept = pKept;
  return 1;
}

/*
** The ledger refused the token that a call carried (401). Returns 1 where it is
** worth another attempt, with a fresh token: once, and once more with one that
** shows what the ledger asks for. The token is fetched anew unless somebody has
** done that meanwhile.
*/
int ledgerAuthRefused(LedgerCall *p) {
  LedgerAuth *pAuth = &p->pClient->auth;
  char *zClaims;

  if( !pAuth->bRefreshable ) return authReread(p);
  zClaims = authClaims(&p->pEx->challenge);
  if( zClaims ? p->bClaims : p->bReauth ) {
    free(zClaims);
    return 0;
  }
  if( zClaims ) p->bClaims = 1;
  p->bReauth = 1;
  if( pAuth->zToken && p->zTokenSent &&
      strcmp(pAuth->zToken, p->zTokenSent) == 0 ) {
    if( zClaims ) {
      authCancel(pAuth); /* what is under way does not ask for them */
      free(pAuth->zClaims);
      pAuth->zClaims = zClaims;
      zClaims = NULL;
    }
    pAuth->tRefresh = 0;
    pAuth->tExpire = 0;
  }
  free(zClaims);
  return 1;
}

/* Whether a child process is under way. */
int ledgerAuthHasChild(const LedgerAuth *p) {
  return p->pFetch && p->pFetch->pProcess;
}

/* A wait was broken off: no child process stays behind. It is started anew
** when somebody waits again. */
void ledgerAuthInterrupted(LedgerAuth *p) {
  if( p->pFetch && p->pFetch->pProcess ) authCancel(p);
}

/* A call was freed: the same, unless another one waits for the credential. */
void ledgerAuthUnwanted(LedgerClient *p) {
  const LedgerCall *pCall;
  if( p->auth.pFetch == NULL || p->auth.pFetch->pProcess == NULL ) return;
  for( pCall = p->pCalls; pCall; pCall = pCall->pNext ) {
    if( pCall->eState != LEDGER_CALL_START ) continue;
    if( pCall->pKind == NULL || !pCall->pKind->bPublic ) return;
  }
  authCancel(&p->auth);
}
