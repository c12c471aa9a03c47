/*
** An Entra application with a secret.
**
**   SELECT ledger_attach('my-ledger', json_object('tenant_id', '...',
**     'client_id', '...', 'client_secret', 'env:MY_SECRET'));
**
** Requests: POST {authority}/{tenant}/oauth2/v2.0/token.
** Invariant: the secret stands in the body of that request only.
*/
#include "client/credential/credentialInt.h"

static int secretStart(LedgerFetch *p, LedgerError *pErr) {
  LedgerApplication app;

  if( ledgerApplicationRead(p->pClient->pConfig, &app) && app.zSecret ) {
    return ledgerEntraStart(p, &app, NULL, pErr);
  }
  return ledgerApplicationMissing(
      p, &app, "client_secret or AZURE_CLIENT_SECRET", app.zSecret, pErr);
}

const LedgerCredential ledgerCredentialSecret = {.zName = "client_secret",
                                                 .zAzure =
                                                     "ClientSecretCredential",
                                                 .xStart = secretStart};
