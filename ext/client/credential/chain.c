/*
** Who the client is: the choice of a credential, its token kept and refreshed.
** What a credential does stands in a file of its own; here is the list of them,
** the chain that `default` is, and the one token that is kept.
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
#include "client/credential/credentialInt.h"

#include <stdlib.h>
#include <string.h>

#define AUTH_AHEAD_MS (5 * 60 * 1000) /* refreshed so long before its end */
#define AUTH_AGAIN_MS (30 * 1000)     /* after a refresh that failed */

/* The credentials, one line each. Those of the chain stand in its order. */
#define CREDENTIALS(X)           \
  X(ledgerCredentialEnvironment) \
  X(ledgerCredentialWorkload)    \
  X(ledgerCredentialManaged)     \
  X(ledgerCredentialAzureCli)    \
  X(ledgerCredentialAzd)         \
  X(ledgerCredentialSecret)      \
  X(ledgerCredentialCertificate) \
  X(ledgerCredentialToken)       \
  X(ledgerCredentialUser)

#define DECLARED(x) extern const LedgerCredential x;
#define LISTED(x) &(x),
CREDENTIALS(DECLARED)
static const LedgerCredential *const apCredential[] = {CREDENTIALS(LISTED)};
#define N_CREDENTIAL ((int)(sizeof(apCredential) / sizeof(apCredential[0])))

/* What is kept of the chain, besides what requests carry (LedgerAuth). */
struct LedgerChain {
  int64_t tRefresh; /* ledgerClockMs() from which a new one is fetched */
  int64_t tExpire;  /* ledgerClockMs() at which it ends */
  const LedgerCredential *pWinner; /* the one that worked, or NULL */
  LedgerFetch *pFetch;             /* under way, or NULL */
  int iChain;                      /* its place in the chain */
  LedgerBuf reasons;               /* why those before it are not there */
  char *zClaims;                   /* what the next token has to show (JSON) */
};

/* ---- the choice --------------------------------------------------------- */

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

/* The i-th credential's name, or NULL behind the last one. */
const char *ledgerCredentialName(int i) {
  return i < N_CREDENTIAL ? apCredential[i]->zName : NULL;
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
  pErr->eCause = LEDGER_CAUSE_BAD_NAME;
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
  return LEDGER_OK;
}

/* ---- the token ---------------------------------------------------------- */

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
static void authTake(LedgerClient *pClient, LedgerFetch *pFetch) {
  LedgerAuth *p = &pClient->auth;
  LedgerChain *pChain = pClient->pChain;
  ledgerSecretFree(p->zToken);
  ledgerSecretFree(p->zCertificate);
  ledgerSecretFree(p->zKey);
  free(p->zPrincipal);
  free(pChain->zClaims);
  pChain->zClaims = NULL;
  p->zToken = pFetch->zToken;
  p->zCertificate = pFetch->zCertificate;
  p->zKey = pFetch->zKey;
  p->zPrincipal = pFetch->zPrincipal;
  pFetch->zToken = pFetch->zCertificate = pFetch->zKey = NULL;
  pFetch->zPrincipal = NULL;
  if( p->zToken && p->zPrincipal == NULL ) {
    p->zPrincipal = authPrincipal(p->zToken);
  }
  pChain->tExpire = pChain->tRefresh = INT64_MAX;
  if( pFetch->nSecond > 0 ) {
    const int64_t t = ledgerClockMs();
    const int64_t ms = pFetch->nSecond * 1000;
    pChain->tExpire = t + ms;
    pChain->tRefresh =
        t + (ms < 2 * AUTH_AHEAD_MS ? ms / 2 : ms - AUTH_AHEAD_MS);
  }
  pChain->pWinner = pFetch->pKind;
  p->zFailed = NULL;
  p->zKind = pFetch->pKind->zName;
  p->bRefreshable = !pFetch->pKind->bStill;
}

/* Whether a request may be sent with what is here. */
static int authHolds(const LedgerClient *p) {
  return p->auth.zCertificate ||
         (p->auth.zToken && ledgerClockMs() < p->pChain->tExpire);
}

/* ---- one fetch ---------------------------------------------------------- */

/* Gives the fetch under way up. */
static void authCancel(LedgerChain *p) {
  LedgerFetch *pFetch = p->pFetch;
  p->pFetch = NULL;
  p->iChain = 0;
  ledgerBufReset(&p->reasons);
  ledgerFetchFree(pFetch);
}

/* Forgets everything that was found out, also a fetch under way. */
static void authForget(LedgerClient *p) {
  LedgerAuth *pAuth = &p->auth;
  LedgerChain *pChain = p->pChain;
  ledgerSecretFree(pAuth->zToken);
  ledgerSecretFree(pAuth->zCertificate);
  ledgerSecretFree(pAuth->zKey);
  free(pAuth->zPrincipal);
  memset(pAuth, 0, sizeof(*pAuth));
  authCancel(pChain);
  free(pChain->zClaims);
  ledgerBufFree(&pChain->reasons);
  memset(pChain, 0, sizeof(*pChain));
}

void ledgerChainReset(LedgerClient *p) {
  LedgerChain *pChain = p->pChain;
  if( pChain == NULL ) return;
  authForget(p);
  p->pChain = NULL;
  free(pChain);
}

/* Starts the credential whose turn it is. *ppFetch is the caller's, also with
** an error; NULL without one: it starts when somebody waits. */
static int authStart(LedgerClient *p, LedgerFetch **ppFetch,
                     LedgerError *pErr) {
  const LedgerCredential *ap[N_CREDENTIAL];
  LedgerChain *pChain = p->pChain;
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
  pFetch->zClaims = pChain->zClaims;
  pFetch->bDefault = strcmp(zKind, "default") == 0;
  pFetch->bBackground = authHolds(p);
  if( pChain->pWinner ) {
    pFetch->pKind = pChain->pWinner;
  } else {
    if( pChain->iChain >= n ) pChain->iChain = 0; /* the environment changed */
    pFetch->pKind = ap[pChain->iChain];
    pFetch->bChained = pFetch->bDefault && n > 1;
  }
  p->auth.zKind = pFetch->pKind->zName;
  if( pFetch->pKind->bChild && !p->bWaiting ) {
    *ppFetch = NULL;
    free(pFetch);
    return LEDGER_OK;
  }
  if( pChain->pWinner && p->pHooks->xReread(p->pConfig, &bChanged, pErr) ) {
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
  ledgerCredentialAdopt(p, pCall, pErr);
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
  LedgerChain *pChain = p->pChain;
  LedgerError err = LEDGER_ERROR_INIT;
  int n = 0;

  if( pFetch->bChained && pWhy->rc != LEDGER_NOMEM &&
      pWhy->rc != LEDGER_INTERRUPT &&
      (pFetch->bMissing || pKind->eChain == LEDGER_CHAIN_DEV) ) {
    ledgerBufPrintf(&pChain->reasons, "%s%s: %s", pChain->reasons.n ? "; " : "",
                    pKind->zName, ledgerErrorText(pWhy));
    authChoose("default", ap, &n, &err);
    ledgerErrorClear(&err);
    if( ++pChain->iChain < n ) return 1;
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "no credential: none of the default chain is there: %s; or "
                   "set option token, client_secret, client_certificate or "
                   "user_certificate",
                   pChain->reasons.z ? pChain->reasons.z : "");
    pErr->eCause = LEDGER_CAUSE_NO_CREDENTIAL;
  } else if( authHolds(p) ) {
    pChain->tRefresh = ledgerClockMs() + AUTH_AGAIN_MS;
    if( pChain->tRefresh > pChain->tExpire ) pChain->tRefresh = pChain->tExpire;
  } else if( pFetch->bBackground ) {
    return 1; /* stale: the client may have rested since; fetch it anew */
  } else if( pWhy->rc == LEDGER_NOMEM ) {
    ledgerErrorNomem(pErr);
  } else {
    ledgerErrorWrap(pErr, pWhy, "credential %s%s: %s",
                    pFetch->bDefault ? "default: " : "", pKind->zName,
                    ledgerErrorText(pWhy));
    p->auth.zFailed = pKind->zName;
  }
  if( pChain->pWinner == NULL ) p->auth.zKind = NULL;
  pChain->iChain = 0;
  ledgerBufReset(&pChain->reasons);
  return 0;
}

/* Whether the fetch has something under way. */
static int authWaits(LedgerFetch *p) {
  if( p->pCall ) return p->pCall->eState != LEDGER_CALL_DONE;
  return p->pProcess && !ledgerProcessStep(p->pProcess);
}

/* Moves the fetch on, along the chain, until it waits or has ended. */
static int authDrive(LedgerClient *p, LedgerError *pErr) {
  LedgerChain *pChain = p->pChain;
  int bAgain = 1;

  while( bAgain ) {
    LedgerError why = LEDGER_ERROR_INIT;
    LedgerFetch *pFetch = pChain->pFetch;
    bAgain = 0;
    if( pFetch == NULL ) {
      authStart(p, &pFetch, &why);
      if( pFetch == NULL ) {
        ledgerErrorCopy(pErr, &why);
        ledgerErrorClear(&why);
        return pErr->rc;
      }
      pChain->pFetch = pFetch;
    } else {
      if( authWaits(pFetch) ) return LEDGER_OK;
      authStepOne(pFetch, &why);
    }
    if( why.rc == LEDGER_OK && (pFetch->pCall || pFetch->pProcess) ) {
      bAgain = 1; /* it may have ended already */
      continue;
    }
    pChain->pFetch = NULL;
    if( why.rc == LEDGER_OK ) {
      authTake(p, pFetch);
      pChain->iChain = 0;
      ledgerBufReset(&pChain->reasons);
    } else {
      bAgain = authFailed(p, pFetch, &why, pErr);
    }
    ledgerFetchFree(pFetch);
    ledgerErrorClear(&why);
  }
  return pErr->rc;
}

/* ---- for the room ------------------------------------------------------- */

/*
** Whether the credential is there. Chooses it at first, fetches a token where
** one is due; until it is here *pbReady is 0. A token that still holds is used
** while a request for the next one is under way. A child process is waited
** for: it must not be left alone when this statement ends.
*/
int ledgerChainReady(LedgerClient *p, int *pbReady, LedgerError *pErr) {
  const LedgerAuth *pAuth = &p->auth;
  LedgerChain *pChain = p->pChain;

  *pbReady = 0;
  if( pChain == NULL ) {
    pChain = p->pChain = calloc(1, sizeof(*pChain));
    if( pChain == NULL ) return ledgerErrorNomem(pErr);
  }
  if( pAuth->zCertificate == NULL &&
      (pAuth->zToken == NULL || ledgerClockMs() >= pChain->tRefresh) &&
      authDrive(p, pErr) ) {
    return pErr->rc;
  }
  *pbReady = authHolds(p) &&
             (pChain->pFetch == NULL || pChain->pFetch->pProcess == NULL);
  return LEDGER_OK;
}

/* Whether what a fetch waits for has come in. */
int ledgerChainDue(const LedgerClient *p) {
  const LedgerFetch *pFetch = p->pChain ? p->pChain->pFetch : NULL;
  const LedgerCall *pCall = pFetch ? pFetch->pCall : NULL;
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
  const LedgerCredential *pWinner = pClient->pChain->pWinner;
  LedgerError err = LEDGER_ERROR_INIT;
  int bChanged = 0;

  if( pWinner == NULL || !pWinner->bStill || p->bReauth ) return 0;
  p->bReauth = 1;
  if( p->zTokenSent && pAuth->zToken &&
      strcmp(p->zTokenSent, pAuth->zToken) != 0 ) {
    return 1; /* another call has had the new one */
  }
  if( pClient->pHooks->xReread(pClient->pConfig, &bChanged, &err) )
    bChanged = 1;
  ledgerErrorClear(&err);
  if( !bChanged ) return 0;
  authForget(pClient);
  pClient->pChain->pWinner = pWinner;
  return 1;
}

/*
** The ledger refused the token that a call carried (401). Returns 1 where it is
** worth another attempt, with a fresh token: once, and once more with one that
** shows what the ledger asks for. The token is fetched anew unless somebody has
** done that meanwhile.
*/
int ledgerChainRefused(LedgerCall *p) {
  const LedgerAuth *pAuth = &p->pClient->auth;
  LedgerChain *pChain = p->pClient->pChain;
  char *zClaims;

  if( pChain == NULL ) return 0; /* all was forgotten meanwhile */
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
      authCancel(pChain); /* what is under way does not ask for them */
      free(pChain->zClaims);
      pChain->zClaims = zClaims;
      zClaims = NULL;
    }
    pChain->tRefresh = 0;
    pChain->tExpire = 0;
  }
  free(zClaims);
  return 1;
}

/* Whether a child process is under way. */
int ledgerChainHasChild(const LedgerClient *p) {
  return p->pChain && p->pChain->pFetch && p->pChain->pFetch->pProcess;
}

/* A wait was broken off: no child process stays behind. It is started anew
** when somebody waits again. */
void ledgerChainInterrupted(LedgerClient *p) {
  if( ledgerChainHasChild(p) ) authCancel(p->pChain);
}

/* A call was freed: the same, unless another one waits for the credential. */
void ledgerChainUnwanted(LedgerClient *p) {
  const LedgerCall *pCall;
  if( !ledgerChainHasChild(p) ) return;
  for( pCall = p->pCalls; pCall; pCall = pCall->pNext ) {
    if( pCall->eState != LEDGER_CALL_START ) continue;
    if( pCall->pKind == NULL || !pCall->pKind->bPublic ) return;
  }
  authCancel(p->pChain);
}
