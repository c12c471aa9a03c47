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
** Invariants: those of tool.c.
*/
#include "client/credential/credentialInt.h"

static const char *const azAzArg[] = {"account", "get-access-token", "--output",
                                      "json", NULL};

static const LedgerTool azTool = {.zName = "az",
                                  .zTitle = "Azure CLI",
                                  .azArg = azAzArg,
                                  .zAsk = "--resource",
                                  .zTenant = "--tenant",
                                  .bResource = 1,
                                  .zMember = "accessToken",
                                  .zLogin = "az login",
                                  .zLogout = "az logout"};

const LedgerCredential ledgerCredentialAzureCli = {.zName = "azure_cli",
                                                   .zAzure =
                                                       "AzureCliCredential",
                                                   .eChain = LEDGER_CHAIN_DEV,
                                                   .bChild = 1,
                                                   .pTool = &azTool,
                                                   .xStart = ledgerToolStart,
                                                   .xStep = ledgerToolStep};
