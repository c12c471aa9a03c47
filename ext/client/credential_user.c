/*
** A ledger user's own certificate, shown in the TLS handshake. The ledger knows
** it by its fingerprint; no authority takes part.
**
**   SELECT ledger_attach('my-ledger', '{"user_certificate":"me.pem"}');
**
** Issues no request. Invariant: the key stays in memory of this process, and is
** wiped.
*/
#include "credentialInt.h"

#include <openssl/crypto.h>
#include <string.h>

/* Takes the private key out of a PEM text that holds both: libcurl keeps copies
** of a certificate's text with each connection, and wipes none. *pzKey is the
** caller's; NULL where there is no key. */
static int userSplit(char *zPem, char **pzKey, LedgerError *pErr) {
  static const char zKind[] = "PRIVATE KEY-----";
  char *zBegin = zPem;
  char *zEnd;
  size_t n;

  *pzKey = NULL;
  while( (zBegin = strstr(zBegin, "-----BEGIN ")) != NULL ) {
    zEnd = zBegin + strcspn(zBegin, "\r\n");
    n = (size_t)(zEnd - zBegin);
    while( n > 0 && (zBegin[n - 1] == ' ' || zBegin[n - 1] == '\t') ) n--;
    if( n >= sizeof(zKind) && strncmp(zBegin + n - sizeof(zKind) + 1, zKind,
                                      sizeof(zKind) - 1) == 0 ) {
      break;
    }
    zBegin = zEnd;
  }
  if( zBegin == NULL || (zEnd = strstr(zBegin, "-----END ")) == NULL ) {
    return LEDGER_OK;
  }
  zEnd += strcspn(zEnd, "\r\n");
  zEnd += strspn(zEnd, "\r\n");
  *pzKey = ledgerStrndup(zBegin, (size_t)(zEnd - zBegin));
  if( *pzKey == NULL ) return ledgerErrorNomem(pErr);
  n = strlen(zEnd);
  memmove(zBegin, zEnd, n);
  OPENSSL_cleanse(zBegin + n, (size_t)(zEnd - zBegin));
  return LEDGER_OK;
}

static int userStart(LedgerFetch *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pClient->pConfig;
  char zPrint[96];

  if( pConfig->zUserCertificate == NULL ) {
    return ledgerCredentialMissing(p, pErr,
                                   "option user_certificate is not set");
  }
  if( ledgerReadPem("user_certificate", pConfig->zUserCertificate,
                    &p->zCertificate, pErr) ||
      userSplit(p->zCertificate, &p->zKey, pErr) ) {
    return pErr->rc;
  }
  if( pConfig->zUserKey ) {
    ledgerSecretFree(p->zKey);
    p->zKey = NULL;
    if( ledgerReadPem("user_key", pConfig->zUserKey, &p->zKey, pErr) ) {
      return pErr->rc;
    }
  }
  if( p->zKey == NULL ) {
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
