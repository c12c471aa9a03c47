/*
** The identity service and the authority. None of these routes asks for a
** credential.
**
**   GET  /ledgerIdentity/{id}                              emuRouteIdentity
**   GET  /failover/{id}                                    emuRouteFailover
**   GET  /common/discovery/instance                        emuRouteInstance
**   GET  /{tenant}/v2.0/.well-known/openid-configuration   emuRouteOpenid
**   GET  /{tenant}/discovery/v2.0/keys                     emuRouteKeys
**   POST /{tenant}/oauth2/v2.0/token                       emuRouteToken
**
** The authority's URLs have the host that the request came to, so that a client
** finds the issuer it asked. Errors of the token endpoint have OAuth's form,
** {"error","error_description"}; those of the identity service the ledger's.
*/
#include "emulator/auth/auth.h"
#include "emulator/routes/routesInt.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define IDENTITY_JWT "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static const char zIdentityType[] = "application/json; charset=utf-8";

/* 1 when the path names this ledger; else the answer is 404. */
static int identityIsOurs(EmuReq *p) {
  const EmuText *pId = &p->aSegment[1];
  p->zType = zIdentityType;
  if( emuIs(pId->z, pId->n, p->pEmu->zLedgerId) ) return 1;
  emuReqError(p, 404, "ResourceNotFound", "Ledger %s is unknown",
              ledgerUtf8Valid(pId->z, pId->n) ? pId->z : "?");
  return 0;
}

void emuRouteIdentity(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf pem = {0};
  if( !identityIsOurs(p) ) return;
  if( emuCertPem(p->pEmu->pKeys->pServiceCert, &pem, &err) ) {
    emuReqFail(p, &err);
  } else {
    ledgerBufPrintf(&p->body, "{\"ledgerId\":\"%s\",\"ledgerTlsCertificate\":",
                    p->pEmu->zLedgerId);
    ledgerBufJson(&p->body, pem.z, pem.n);
    ledgerBufText(&p->body, "}");
    p->iStatus = 200;
  }
  ledgerBufFree(&pem);
}

void emuRouteFailover(EmuReq *p) {
  if( !identityIsOurs(p) ) return;
  ledgerBufPrintf(&p->body, "{\"failoverLedgers\":[],\"ledgerId\":\"%s\"}",
                  p->pEmu->zLedgerId);
  p->iStatus = 200;
}

/* ---- the authority ----------------------------------------------------- */

/* Makes the answer an OAuth error. */
static void identityRefuse(EmuReq *p, int iStatus, const char *zError,
                           const char *zText) {
  ledgerBufReset(&p->body);
  ledgerBufPrintf(&p->body, "{\"error\":\"%s\",\"error_description\":", zError);
  ledgerBufJson(&p->body, zText, strlen(zText));
  ledgerBufText(&p->body, "}");
  p->iStatus = iStatus;
}

/* 1 when the path names the authority's tenant; else the answer is 400. */
static int identityTenant(EmuReq *p) {
  const EmuText *pTenant = &p->aSegment[0];
  if( emuIs(pTenant->z, pTenant->n, p->pEmu->zTenant) ) return 1;
  identityRefuse(p, 400, "invalid_tenant",
                 "AADSTS90002: Tenant not found: this authority has one, see "
                 "tenant_id in the line that the emulator printed.");
  return 0;
}

/* Appends "name":"https://HOST" and the path, as a member. */
static void identityUrl(EmuReq *p, const char *zName, const char *zTail) {
  LedgerBuf url = {0};
  ledgerBufPrintf(&url, "https://%s/%s%s",
                  p->zHost ? p->zHost : "login.localhost", p->pEmu->zTenant,
                  zTail);
  ledgerBufPrintf(&p->body, "\"%s\":", zName);
  ledgerBufJson(&p->body, url.z ? url.z : "", url.n);
  ledgerBufFree(&url);
}

void emuRouteOpenid(EmuReq *p) {
  if( !identityTenant(p) ) return;
  ledgerBufText(&p->body, "{");
  identityUrl(p, "authorization_endpoint", "/oauth2/v2.0/authorize");
  ledgerBufText(&p->body, ",");
  identityUrl(p, "issuer", "/v2.0");
  ledgerBufText(&p->body, ",");
  identityUrl(p, "jwks_uri", "/discovery/v2.0/keys");
  ledgerBufText(&p->body, ",\"response_types_supported\":[\"token\"],"
                          "\"subject_types_supported\":[\"pairwise\"],");
  identityUrl(p, "token_endpoint", "/oauth2/v2.0/token");
  ledgerBufText(&p->body, ",\"token_endpoint_auth_methods_supported\":"
                          "[\"client_secret_post\",\"private_key_jwt\"]}");
  p->iStatus = 200;
}

void emuRouteInstance(EmuReq *p) {
  ledgerBufText(&p->body, "{\"api-version\":\"1.1\",\"metadata\":[],");
  identityUrl(p, "tenant_discovery_endpoint",
              "/v2.0/.well-known/openid-configuration");
  ledgerBufText(&p->body, "}");
  p->iStatus = 200;
}

void emuRouteKeys(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  if( !identityTenant(p) ) return;
  if( emuTokenKeys(p->pEmu, &p->body, &err) ) {
    emuReqFail(p, &err);
  } else {
    p->iStatus = 200;
  }
}

/* The decoded value of a form's field, or NULL; free() it. */
static char *identityField(const EmuReq *p, const char *zName, size_t *pn) {
  size_t i, n, nName = strlen(zName);
  *pn = 0;
  for( i = 0; i < p->nBody; i += n + 1 ) {
    const char *z = p->zBody + i;
    const char *zAmp = memchr(z, '&', p->nBody - i);
    n = zAmp ? (size_t)(zAmp - z) : p->nBody - i;
    if( n > nName && z[nName] == '=' && memcmp(z, zName, nName) == 0 ) {
      char *zOut = malloc(n - nName);
      if( zOut == NULL ) return NULL;
      *pn = emuUrlDecode(z + nName + 1, n - nName - 1, 1, zOut);
      zOut[*pn] = 0;
      return zOut;
    }
  }
  return NULL;
}

/* 1 when the two secrets are the same; takes the same time either way. */
static int identitySame(const char *z, size_t n, const LedgerBuf *pSecret) {
  return z && n == pSecret->n && CRYPTO_memcmp(z, pSecret->z, n) == 0;
}

/* Checks how the application shows who it is: its secret, or an assertion. 0:
** the answer is a refusal. */
static int identityProof(EmuReq *p, const char *zClient,
                         const LedgerBuf *pSecret) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf url = {0}; /* of this endpoint, as it was asked */
  size_t nType = 0, nAssertion = 0, nSecret = 0;
  char *zAssertion = identityField(p, "client_assertion", &nAssertion);
  char *zType = identityField(p, "client_assertion_type", &nType);
  char *zSecret = identityField(p, "client_secret", &nSecret);
  int bOk = 0;

  ledgerBufPrintf(&url, "https://%s%s", p->zHost ? p->zHost : "", p->zPath);
  if( zAssertion == NULL ) {
    bOk = identitySame(zSecret, nSecret, pSecret);
    if( !bOk ) {
      identityRefuse(p, 401, "invalid_client",
                     "AADSTS7000215: Invalid client secret provided.");
    }
  } else if( zType == NULL || !emuIs(zType, nType, IDENTITY_JWT) ) {
    identityRefuse(p, 400, "invalid_request",
                   "AADSTS900144: 'client_assertion_type' must be " IDENTITY_JWT
                   ".");
  } else if( strcmp(zClient, p->pEmu->zClient) != 0 || url.z == NULL ) {
    identityRefuse(p, 401, "invalid_client",
                   "AADSTS700027: No certificate is registered on this "
                   "application.");
  } else if( emuAssertionCheck(p->pEmu, zAssertion, nAssertion, zClient, url.z,
                               &err) ) {
    identityRefuse(p, 401, "invalid_client", ledgerErrorText(&err));
  } else {
    bOk = 1;
  }
  ledgerErrorClear(&err);
  ledgerBufFree(&url);
  free(zAssertion);
  free(zType);
  free(zSecret);
  return bOk;
}

/* 1 when the form asks for claims and says that the client understands such
** challenges (CP1); -1 when its claims are not a JSON object. */
static int identityCapable(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  size_t n, nWord = 0;
  char *z = identityField(p, "claims", &n);
  int bCapable = 0;

  if( z == NULL ) return 0;
  ledgerJsonParse(z, n, "claims", &pDoc, &err);
  if( pDoc && cJSON_IsObject(ledgerJsonRoot(pDoc)) ) {
    cJSON *pToken = ledgerJsonMember(ledgerJsonRoot(pDoc), "access_token");
    cJSON *pList =
        ledgerJsonMember(ledgerJsonMember(pToken, "xms_cc"), "values");
    cJSON *pItem = cJSON_IsArray(pList) ? pList->child : NULL;
    for( ; pItem; pItem = pItem->next ) {
      const char *zWord = ledgerJsonText(pDoc, pItem, &nWord);
      if( zWord && emuIs(zWord, nWord, "CP1") ) bCapable = 1;
    }
    if( ledgerJsonMember(pToken, "nbf") == NULL ) bCapable = 0;
  } else {
    bCapable = -1;
  }
  ledgerJsonFree(pDoc);
  ledgerErrorClear(&err);
  free(z);
  return bCapable;
}

void emuRouteToken(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf secret = {0}, oid = {0};
  char *zClient = NULL, *zGrant = NULL, *zScope = NULL;
  size_t nClient, nGrant, nScope;
  int64_t nLifetime = 0;
  int bFound, bCapable;

  if( !identityTenant(p) ) goto out;
  zClient = identityField(p, "client_id", &nClient);
  zGrant = identityField(p, "grant_type", &nGrant);
  zScope = identityField(p, "scope", &nScope);
  if( zGrant == NULL || !emuIs(zGrant, nGrant, "client_credentials") ) {
    identityRefuse(p, 400, "unsupported_grant_type",
                   "AADSTS70003: The app requested an unsupported grant type: "
                   "only client_credentials is known here.");
    goto out;
  }
  if( zScope == NULL || !emuIs(zScope, nScope, EMU_AUDIENCE "/.default") ) {
    identityRefuse(p, 400, "invalid_scope",
                   "AADSTS1002012: The scope must be " EMU_AUDIENCE
                   "/.default.");
    goto out;
  }
  if( zClient == NULL ) {
    identityRefuse(p, 400, "invalid_request",
                   "AADSTS900144: The request body must contain the following "
                   "parameter: 'client_id'.");
    goto out;
  }
  if( emuStoreClient(p->pEmu->pStore, zClient, nClient, &secret, &oid,
                     &nLifetime, &bFound, &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  if( !bFound ) {
    identityRefuse(p, 400, "unauthorized_client",
                   "AADSTS700016: Application was not found in the "
                   "directory.");
    goto out;
  }
  if( !identityProof(p, zClient, &secret) ) goto out;
  bCapable = identityCapable(p);
  if( bCapable < 0 ) {
    identityRefuse(p, 400, "invalid_request",
                   "AADSTS50146: The claims parameter is not a JSON object.");
    goto out;
  }
  ledgerBufText(&p->body, "{\"access_token\":\"");
  if( emuTokenIssue(p->pEmu, oid.z, zClient, NULL, nLifetime, bCapable,
                    &p->body, &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  ledgerBufPrintf(&p->body,
                  "\",\"expires_in\":%lld,\"ext_expires_in\":%lld,"
                  "\"token_type\":\"Bearer\"}",
                  (long long)nLifetime, (long long)nLifetime);
  p->iStatus = 200;

out:
  if( secret.z ) OPENSSL_cleanse(secret.z, secret.n);
  ledgerBufFree(&secret);
  ledgerBufFree(&oid);
  free(zClient);
  free(zGrant);
  free(zScope);
}
