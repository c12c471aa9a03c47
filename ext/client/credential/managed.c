/*
** Managed identity: the machine that this process runs on vouches for it. Where
** to ask is told by the environment, in azure-identity's order:
**
**   IDENTITY_ENDPOINT and IDENTITY_HEADER    App Service, Functions, Container
**                                            Apps
**   IDENTITY_ENDPOINT and IMDS_ENDPOINT      Azure Arc (credential/arc.c)
**   else                                     IMDS of the virtual machine:
**                       AZURE_POD_IDENTITY_AUTHORITY_HOST, 169.254.169.254
**
** Option object_id, resource_id or client_id (in the chain AZURE_CLIENT_ID too)
** names a user-assigned identity; without, it is the system-assigned one. In
** the chain client_id may be an application's, so the other two go first.
**
**   GET {IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=...  (App Service)
**   GET http://169.254.169.254/metadata/identity/oauth2/token?
**         api-version=2018-02-01&resource=...                    (IMDS)
**
** Invariants
**   - no proxy is used, and no endpoint may redirect;
**   - in a chain IMDS is first probed, once, by a request that it refuses (no
**     Metadata header): most machines have none, and the wait is a second;
**   - IMDS is asked again on 404, 410, 429 and 5xx, as its manual says.
*/
#include "client/credential/credentialInt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANAGED_IMDS "http://169.254.169.254"
#define MANAGED_IMDS_PATH "/metadata/identity/oauth2/token"
#define MANAGED_PROBE_MS 1000

enum {               /* LedgerFetch.eStep */
  MANAGED_PROBE = 1, /* IMDS, without the Metadata header */
  MANAGED_IMDS_TOKEN,
  MANAGED_APP_SERVICE,
  MANAGED_ARC /* and above: credential/arc.c's own */
};

static int managedRetriable(int iHttp) {
  return iHttp == 404 || iHttp == 410 || iHttp == 429 || iHttp >= 500;
}

static int managedProbed(LedgerCall *p) {
  (void)p;
  return 1; /* any answer says that IMDS is there */
}

static const LedgerCallKind imdsProbeKind = {.zMethod = "GET",
                                             .bPublic = 1,
                                             .bPlain = 1,
                                             .bNoRetry = 1,
                                             .msConnect = MANAGED_PROBE_MS,
                                             .msTimeout = 3 * MANAGED_PROBE_MS,
                                             .xRefused = managedProbed};
static const LedgerCallKind imdsKind = {.zMethod = "GET",
                                        .bPublic = 1,
                                        .bPlain = 1,
                                        .nAnswer = sizeof(LedgerTokenAnswer),
                                        .xFree = ledgerTokenAnswerFree,
                                        .xRead = ledgerTokenAnswerRead,
                                        .xRetriable = managedRetriable};
static const LedgerCallKind appServiceKind = {.zMethod = "GET",
                                              .bPublic = 1,
                                              .bPlain = 1,
                                              .nAnswer =
                                                  sizeof(LedgerTokenAnswer),
                                              .xFree = ledgerTokenAnswerFree,
                                              .xRead = ledgerTokenAnswerRead};

/* How a user-assigned identity is named. */
typedef struct ManagedName ManagedName;
struct ManagedName {
  const char *zOption;
  const char *zImds;       /* parameter of IMDS ... */
  const char *zAppService; /* ... and of App Service */
};

static const ManagedName managedClientId = {"client_id", "client_id",
                                            "client_id"};
static const ManagedName managedObjectId = {"object_id", "object_id",
                                            "principal_id"};
static const ManagedName managedResourceId = {"resource_id", "msi_res_id",
                                              "mi_res_id"};

/* The identity asked for: how it is named, or NULL for the system-assigned
** one; *pzId is its id. */
static const ManagedName *managedIdentity(const LedgerFetch *p,
                                          const char **pzId) {
  const LedgerConfig *pConfig = p->pClient->pConfig;
  const char *zClient = pConfig->zClientId;

  if( (*pzId = pConfig->zObjectId) != NULL ) return &managedObjectId;
  if( (*pzId = pConfig->zResourceId) != NULL ) return &managedResourceId;
  if( p->bDefault ) zClient = ledgerCredentialFrom(zClient, "AZURE_CLIENT_ID");
  *pzId = zClient;
  return zClient ? &managedClientId : NULL;
}

/* An identity named twice is an error. */
static int managedCheck(const LedgerFetch *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pClient->pConfig;
  const int bClient = !p->bDefault && pConfig->zClientId;

  if( bClient + (pConfig->zObjectId != NULL) + (pConfig->zResourceId != NULL) <=
      1 ) {
    return LEDGER_OK;
  }
  return ledgerErrorSet(pErr, LEDGER_AUTH,
                        "%sobject_id and resource_id each name an identity: "
                        "give one of them",
                        p->bDefault ? "" : "client_id, ");
}

/* Splits an endpoint into p->zBase and p->zPath; its query, and what the
** request adds, make p->zQuery. zName names the variable in an error; with
** zPath, which is asked for in place of the URL's, it is IMDS. */
static int managedEndpoint(LedgerFetch *p, const char *zName, const char *zUrl,
                           const char *zPath, const char *zVersion,
                           LedgerError *pErr) {
  const char *zId = NULL;
  const ManagedName *pName = managedIdentity(p, &zId);
  char *zResource = NULL;
  LedgerBuf query = {0};
  LedgerUrl url;
  int rc = ledgerUrlRead(NULL, zUrl, LEDGER_URL_HTTP, &url);

  if( rc == LEDGER_NOMEM ) return ledgerErrorNomem(pErr);
  if( rc || url.bFragment ) {
    ledgerUrlClear(&url);
    return ledgerErrorSet(pErr, LEDGER_AUTH, "%s is not an http URL", zName);
  }
  zResource = ledgerEntraResource(p->pClient->pConfig, pErr);
  if( zResource == NULL ) goto out;
  p->zBase = ledgerStrdup(url.zBase);
  p->zPath = zPath ? ledgerStrdup(zPath) : ledgerStrndup(url.zRest, url.nPath);
  if( url.zRest[url.nPath] ) {
    ledgerBufPrintf(&query, "%s&", url.zRest + url.nPath + 1);
  }
  ledgerBufPrintf(&query, "api-version=%s&resource=", zVersion);
  ledgerBufUrl(&query, zResource, strlen(zResource));
  if( pName ) {
    ledgerBufPrintf(&query, "&%s=", zPath ? pName->zImds : pName->zAppService);
    ledgerBufUrl(&query, zId, strlen(zId));
  }
  p->zQuery = ledgerBufTake(&query);
  if( p->zBase == NULL || p->zPath == NULL || p->zQuery == NULL ) {
    ledgerErrorNomem(pErr);
  }
out:
  free(zResource);
  ledgerUrlClear(&url);
  return pErr->rc;
}

/* ---- App Service -------------------------------------------------------- */

static int managedAppService(LedgerFetch *p, const char *zEndpoint,
                             const char *zSecret, LedgerError *pErr) {
  char *zHeader;

  if( getenv("IDENTITY_SERVER_THUMBPRINT") ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "the managed identity of Service Fabric "
                          "(IDENTITY_SERVER_THUMBPRINT) is not supported");
  }
  if( strpbrk(zSecret, "\r\n") ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "IDENTITY_HEADER holds a line break");
  }
  if( managedEndpoint(p, "IDENTITY_ENDPOINT", zEndpoint, NULL, "2019-08-01",
                      pErr) ) {
    return pErr->rc;
  }
  zHeader = ledgerMprintf("X-IDENTITY-HEADER: %s", zSecret);
  if( zHeader == NULL ) return ledgerErrorNomem(pErr);
  p->eStep = MANAGED_APP_SERVICE;
  ledgerFetchGet(p, &appServiceKind, "token from App Service", zHeader, NULL,
                 zSecret, pErr);
  ledgerSecretFree(zHeader);
  return pErr->rc;
}

/* ---- IMDS --------------------------------------------------------------- */

static int managedImdsToken(LedgerFetch *p, LedgerError *pErr) {
  p->eStep = MANAGED_IMDS_TOKEN;
  return ledgerFetchGet(p, &imdsKind, "token from IMDS", "Metadata: true", NULL,
                        NULL, pErr);
}

static int managedImds(LedgerFetch *p, LedgerError *pErr) {
  const char *zHost =
      ledgerCredentialFrom(NULL, "AZURE_POD_IDENTITY_AUTHORITY_HOST");

  if( managedEndpoint(p, "AZURE_POD_IDENTITY_AUTHORITY_HOST",
                      zHost ? zHost : MANAGED_IMDS, MANAGED_IMDS_PATH,
                      "2018-02-01", pErr) ) {
    return pErr->rc;
  }
  if( !p->bChained ) return managedImdsToken(p, pErr);
  p->eStep = MANAGED_PROBE;
  return ledgerFetchGet(p, &imdsProbeKind, "probe of IMDS", NULL, NULL, NULL,
                        pErr);
}

/* What IMDS, or what stands in its place, has refused. */
static int managedImdsRefused(LedgerFetch *p, LedgerCall *pCall,
                              LedgerError *pErr) {
  const char *zSaid = pCall->server.zMessage;
  const char *zColon = zSaid[0] ? ": " : "";
  const char *zId = NULL;
  const ManagedName *pName = managedIdentity(p, &zId);

  if( pCall->http == 400 ) {
    return ledgerCredentialMissing(
        p, pErr, "IMDS knows no %s%s for this machine%s%s (HTTP 400, GET %s)",
        pName ? "identity of this " : "system-assigned identity",
        pName ? pName->zOption : "", zColon, zSaid, pCall->zPath);
  }
  /* A container's host, a proxy or a captive portal answers for 169.254/16. */
  if( p->bChained &&
      (pCall->http == 200 || (pCall->http && pCall->server.zCode[0] == 0)) ) {
    return ledgerCredentialMissing(
        p, pErr, "what answers at %s is not IMDS (HTTP %d, GET %s)", p->zBase,
        pCall->http, pCall->zPath);
  }
  return ledgerCredentialAdopt(p, pCall, pErr);
}

/* ---- both --------------------------------------------------------------- */

static int managedStart(LedgerFetch *p, LedgerError *pErr) {
  const char *zEndpoint = ledgerCredentialFrom(NULL, "IDENTITY_ENDPOINT");
  const char *zSecret = ledgerCredentialFrom(NULL, "IDENTITY_HEADER");
  const char *zId = NULL;

  if( managedCheck(p, pErr) ) return pErr->rc;
  if( zEndpoint && zSecret ) {
    return managedAppService(p, zEndpoint, zSecret, pErr);
  }
  if( zEndpoint && ledgerCredentialFrom(NULL, "IMDS_ENDPOINT") ) {
    if( managedIdentity(p, &zId) ) {
      return ledgerErrorSet(pErr, LEDGER_AUTH,
                            "Azure Arc has a system-assigned identity only: "
                            "unset client_id, object_id, resource_id and "
                            "AZURE_CLIENT_ID");
    }
    if( managedEndpoint(p, "IDENTITY_ENDPOINT", zEndpoint, NULL, "2020-06-01",
                        pErr) ) {
      return pErr->rc;
    }
    p->eStep = MANAGED_ARC;
    return ledgerArcStart(p, pErr);
  }
  return managedImds(p, pErr);
}

static int managedStep(LedgerFetch *p, LedgerError *pErr) {
  LedgerCall *pCall = p->pCall;

  if( p->eStep >= MANAGED_ARC ) return ledgerArcStep(p, pErr);
  p->pCall = NULL;
  if( p->eStep == MANAGED_PROBE ) {
    if( pCall->http ) {
      managedImdsToken(p, pErr);
    } else {
      ledgerCredentialMissing(p, pErr, "no endpoint answers at %s within %d ms",
                              p->zBase, MANAGED_PROBE_MS);
    }
  } else if( pCall->err.rc && p->eStep == MANAGED_IMDS_TOKEN ) {
    managedImdsRefused(p, pCall, pErr);
  } else {
    ledgerCredentialAdopt(p, pCall, pErr);
  }
  ledgerCallFree(pCall);
  return pErr->rc;
}

const LedgerCredential ledgerCredentialManaged = {
    .zName = "managed_identity",
    .zAzure = "ManagedIdentityCredential",
    .eChain = LEDGER_CHAIN_PROD,
    .xStart = managedStart,
    .xStep = managedStep};
