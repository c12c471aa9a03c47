/*
** A bearer token that the user has fetched, used as it is.
**
**   SELECT ledger_attach('my-ledger', '{"token":"env:MY_TOKEN"}');
**
** Issues no request. Invariant: there is nothing to refresh; a 401 is final.
*/
#include "client/credential/credentialInt.h"

static int tokenStart(LedgerFetch *p, LedgerError *pErr) {
  const char *z = p->pClient->pConfig->zToken;
  if( z == NULL ) {
    return ledgerCredentialMissing(p, pErr, "option token is not set");
  }
  p->zToken = ledgerStrdup(z);
  return p->zToken ? LEDGER_OK : ledgerErrorNomem(pErr);
}

const LedgerCredential ledgerCredentialToken = {
    .zName = "token", .bStill = 1, .xStart = tokenStart};
