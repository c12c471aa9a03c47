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
#include "client/credential/credentialInt.h"

static int environmentStart(LedgerFetch *p, LedgerError *pErr) {
  LedgerApplication app;
  const int bWho = ledgerApplicationRead(p->pClient->pConfig, &app);

  if( bWho && app.zSecret ) return ledgerEntraStart(p, &app, NULL, pErr);
  if( bWho && app.zCertificate ) {
    return ledgerClientCertificateStart(p, &app, pErr);
  }
  return ledgerCredentialMissing(
      p, pErr, "AZURE_TENANT_ID is %s, AZURE_CLIENT_ID is %s, and %s%s",
      app.zTenant ? "set" : "not set", app.zClient ? "set" : "not set",
      app.zSecret        ? "AZURE_CLIENT_SECRET is set"
      : app.zCertificate ? "AZURE_CLIENT_CERTIFICATE_PATH is set"
                         : "neither AZURE_CLIENT_SECRET nor "
                           "AZURE_CLIENT_CERTIFICATE_PATH is set",
      ledgerCredentialFrom(NULL, "AZURE_USERNAME")
          ? " (AZURE_USERNAME and AZURE_PASSWORD are not supported)"
          : "");
}

const LedgerCredential ledgerCredentialEnvironment = {
    .zName = "environment",
    .zAzure = "EnvironmentCredential",
    .eChain = LEDGER_CHAIN_PROD,
    .xStart = environmentStart};
