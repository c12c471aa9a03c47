/*
** Who has signed in with the Azure CLI.
**
**   SELECT ledger_attach('my-ledger', '{"credential":"azure_cli"}');
**
** Issues no request of its own; runs, without a shell,
**
**   az account get-access-token --output json --resource RESOURCE
**      [--tenant TENANT]
**
** Invariant: the tenant is the option's, never AZURE_TENANT_ID: that one
** belongs to an application.
*/
#include "credentialInt.h"

#include <stdlib.h>

static int azureCliStart(LedgerFetch *p, LedgerError *pErr) {
  const char *zTenant = p->pClient->pConfig->zTenantId;
  char *zResource = ledgerEntraResource(p->pClient->pConfig, pErr);
  const char *azArg[] = {"account",    "get-access-token", "--output", "json",
                         "--resource", zResource,          NULL,       NULL,
                         NULL};

  if( zResource == NULL ) return pErr->rc;
  if( p->zClaims ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "the ledger asks for a new sign-in: run 'az logout', then "
                   "'az login'");
  } else if( ledgerToolWord("scope", zResource, pErr) == LEDGER_OK ) {
    if( zTenant && ledgerToolWord("tenant_id", zTenant, pErr) == LEDGER_OK ) {
      azArg[6] = "--tenant";
      azArg[7] = zTenant;
    }
    if( pErr->rc == LEDGER_OK ) ledgerToolStart(p, "az", azArg, pErr);
  }
  free(zResource);
  return pErr->rc;
}

static int azureCliStep(LedgerFetch *p, LedgerError *pErr) {
  return ledgerToolStep(p, "az", "az login", "accessToken", pErr);
}

const LedgerCredential ledgerCredentialAzureCli = {.zName = "azure_cli",
                                                   .zAzure =
                                                       "AzureCliCredential",
                                                   .eChain = LEDGER_CHAIN_DEV,
                                                   .bChild = 1,
                                                   .xStart = azureCliStart,
                                                   .xStep = azureCliStep};
