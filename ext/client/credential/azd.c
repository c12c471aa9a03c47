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
** Invariants: those of tool.c.
*/
#include "client/credential/credentialInt.h"

static const char *const azAzdArg[] = {"auth", "token",       "--output",
                                       "json", "--no-prompt", NULL};

static const LedgerTool azdTool = {.zName = "azd",
                                   .zTitle = "Azure Developer CLI",
                                   .azArg = azAzdArg,
                                   .zAsk = "--scope",
                                   .zTenant = "--tenant-id",
                                   .zMember = "token",
                                   .zLogin = "azd auth login",
                                   .zLogout = "azd auth logout"};

const LedgerCredential ledgerCredentialAzd = {.zName = "azd",
                                              .zAzure =
                                                  "AzureDeveloperCliCredential",
                                              .eChain = LEDGER_CHAIN_DEV,
                                              .bChild = 1,
                                              .pTool = &azdTool,
                                              .xStart = ledgerToolStart,
                                              .xStep = ledgerToolStep};
