/*
** An Entra application with a secret.
**
**   SELECT ledger_attach('my-ledger', json_object('tenant_id', '...',
**     'client_id', '...', 'client_secret', 'env:MY_SECRET'));
**
** Requests: POST {authority}/{tenant}/oauth2/v2.0/token.
** Invariant: the secret stands in the body of that request only.
*/
#include "credentialInt.h"

static int secretStart(LedgerFetch *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pClient->pConfig;
  const char *zTenant =
      ledgerCredentialFrom(pConfig->zTenantId, "AZURE_TENANT_ID");
  const char *zClient =
      ledgerCredentialFrom(pConfig->zClientId, "AZURE_CLIENT_ID");
  const char *zSecret =
      ledgerCredentialFrom(pConfig->zClientSecret, "AZURE_CLIENT_SECRET");

  if( zTenant && zClient && zSecret ) {
    return ledgerEntraStart(p, zTenant, zClient, zSecret, NULL, pErr);
  }
  return ledgerCredentialMissing(
      p, pErr,
      "it needs tenant_id or AZURE_TENANT_ID (%s), client_id or "
      "AZURE_CLIENT_ID (%s), client_secret or AZURE_CLIENT_SECRET (%s)",
      zTenant ? "found" : "missing", zClient ? "found" : "missing",
      zSecret ? "found" : "missing");
}

const LedgerCredential ledgerCredentialSecret = {.zName = "client_secret",
                                                 .zAzure =
                                                     "ClientSecretCredential",
                                                 .xStart = secretStart};
