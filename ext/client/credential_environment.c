/*
** An Entra application told by environment variables, as azure-identity's
** EnvironmentCredential reads them:
**
**   AZURE_TENANT_ID, AZURE_CLIENT_ID, and AZURE_CLIENT_SECRET
**                                  or AZURE_CLIENT_CERTIFICATE_PATH
**                                     (AZURE_CLIENT_CERTIFICATE_PASSWORD)
**
** An option of the ledger takes the place of the variable of its name. With
** both, the secret is used.
**
** Requests: POST {authority}/{tenant}/oauth2/v2.0/token.
** Invariant: set up in part is not set up; the reason tells what is missing.
*/
#include "credentialInt.h"

static int environmentStart(LedgerFetch *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pClient->pConfig;
  const char *zTenant =
      ledgerCredentialFrom(pConfig->zTenantId, "AZURE_TENANT_ID");
  const char *zClient =
      ledgerCredentialFrom(pConfig->zClientId, "AZURE_CLIENT_ID");
  const char *zSecret =
      ledgerCredentialFrom(pConfig->zClientSecret, "AZURE_CLIENT_SECRET");
  const char *zFrom = ledgerCredentialFrom(pConfig->zClientCertificate,
                                           "AZURE_CLIENT_CERTIFICATE_PATH");

  if( zTenant && zClient && zSecret ) {
    return ledgerEntraStart(p, zTenant, zClient, zSecret, NULL, pErr);
  }
  if( zTenant && zClient && zFrom ) {
    return ledgerClientCertificateStart(
        p, zTenant, zClient, zFrom,
        ledgerCredentialFrom(pConfig->zClientCertificatePassword,
                             "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        pErr);
  }
  return ledgerCredentialMissing(
      p, pErr, "AZURE_TENANT_ID is %s, AZURE_CLIENT_ID is %s, and %s",
      zTenant ? "set" : "not set", zClient ? "set" : "not set",
      zSecret ? "AZURE_CLIENT_SECRET is set"
      : zFrom ? "AZURE_CLIENT_CERTIFICATE_PATH is set"
              : "neither AZURE_CLIENT_SECRET nor "
                "AZURE_CLIENT_CERTIFICATE_PATH is set");
}

const LedgerCredential ledgerCredentialEnvironment = {
    .zName = "environment",
    .zAzure = "EnvironmentCredential",
    .eChain = LEDGER_CHAIN_PROD,
    .xStart = environmentStart};
