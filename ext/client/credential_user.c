/*
** A ledger user's own certificate, shown in the TLS handshake. The ledger knows
** it by its fingerprint; no authority takes part.
**
**   SELECT ledger_attach('my-ledger', '{"user_certificate":"me.pem"}');
**
** Issues no request. Invariant: the key stays in memory of this process.
*/
#include "credentialInt.h"

#include <string.h>

static int userStart(LedgerFetch *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pClient->pConfig;
  char zPrint[96];

  if( pConfig->zUserCertificate == NULL ) {
    return ledgerCredentialMissing(p, pErr,
                                   "option user_certificate is not set");
  }
  if( ledgerReadPem("user_certificate", pConfig->zUserCertificate,
                    &p->zCertificate, pErr) ) {
    return pErr->rc;
  }
  if( pConfig->zUserKey &&
      ledgerReadPem("user_key", pConfig->zUserKey, &p->zKey, pErr) ) {
    return pErr->rc;
  }
  if( pConfig->zUserKey == NULL &&
      strstr(p->zCertificate, "PRIVATE KEY-----") == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "user_certificate: its PEM holds no key, and option "
                          "user_key is not set");
  }
  if( ledgerCertificateFingerprint(p->zCertificate, strlen(p->zCertificate),
                                   zPrint, pErr) ) {
    pErr->rc = LEDGER_AUTH;
    return pErr->rc;
  }
  p->zPrincipal = ledgerStrdup(zPrint);
  return p->zPrincipal ? LEDGER_OK : ledgerErrorNomem(pErr);
}

const LedgerCredential ledgerCredentialUser = {
    .zName = "user_certificate", .bStill = 1, .xStart = userStart};
