/*
** Who has signed in with the Azure Developer CLI.
**
**   SELECT ledger_attach('my-ledger', '{"credential":"azd"}');
**
** Issues no request of its own; runs, without a shell,
**
**   azd auth token --output json --no-prompt --scope SCOPE
**      [--tenant-id TENANT]
**
** Invariant: the tenant is the option's, as with the Azure CLI.
*/
#include "credentialInt.h"

static int azdStart(LedgerFetch *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pClient->pConfig;
  const char *zTenant = pConfig->zTenantId;
  const char *zScope = pConfig->zScope ? pConfig->zScope : LEDGER_DEFAULT_SCOPE;
  const char *azArg[] = {"auth",    "token", "--output", "json", "--no-prompt",
                         "--scope", zScope,  NULL,       NULL,   NULL};

  if( p->zClaims ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "the ledger asks for a new sign-in: run 'azd auth "
                          "logout', then 'azd auth login'");
  }
  if( ledgerToolWord("scope", zScope, pErr) ) return pErr->rc;
  if( zTenant ) {
    if( ledgerToolWord("tenant_id", zTenant, pErr) ) return pErr->rc;
    azArg[7] = "--tenant-id";
    azArg[8] = zTenant;
  }
  return ledgerToolStart(p, "azd", azArg, pErr);
}

static int azdStep(LedgerFetch *p, LedgerError *pErr) {
  return ledgerToolStep(p, "azd", "azd auth login", "token", pErr);
}

const LedgerCredential ledgerCredentialAzd = {.zName = "azd",
                                              .zAzure =
                                                  "AzureDeveloperCliCredential",
                                              .eChain = LEDGER_CHAIN_DEV,
                                              .bChild = 1,
                                              .xStart = azdStart,
                                              .xStep = azdStep};
