/*
** A ledger user's own certificate, shown in the TLS handshake. The ledger knows
** it by its fingerprint; no authority takes part.
**
**   SELECT ledger_attach('my-ledger', '{"user_certificate":"me.pem"}');
**
** PEM (certificate and key in one file or two; the key may be encrypted) or
** PKCS#12.
**
** Issues no request. Invariant: the key stays in memory of this process, and is
** wiped.
*/
#include "client/credential/credentialInt.h"

#include <string.h>

/* Reads the certificate that the options name; bAlone: without user_key. */
static int userRead(const LedgerConfig *p, int bAlone, LedgerCertificate *pOut,
                    LedgerError *pErr) {
  LedgerCertificateFrom from;

  memset(&from, 0, sizeof(from));
  from.bKeyLater = bAlone;
  from.zWhat = "user_certificate";
  from.zText = p->zUserCertificate;
  from.zKeyWhat = "user_key";
  from.zKeyText = bAlone ? NULL : p->zUserKey;
  from.zPasswordOption = "user_certificate_password";
  from.zPassword = p->zUserCertificatePassword;
  from.zNoKey = p->zUserKey ? NULL : ", and option user_key does not name one";
  return ledgerCertificateRead(&from, pOut, pErr);
}

/* Whether the certificate that the options name can be read. */
int ledgerUserCertificateCheck(const LedgerConfig *p, LedgerError *pErr) {
  LedgerCertificate cert;
  if( userRead(p, 0, &cert, pErr) == LEDGER_OK ) ledgerCertificateFree(&cert);
  return pErr->rc;
}

/* The same where user_certificate was set alone, and brings no key: a user_key
** that fits may be set next. */
int ledgerUserCertificateAlone(const LedgerConfig *p, LedgerError *pErr) {
  const int bAlone = !ledgerPemHasKey(p->zUserCertificate);
  LedgerCertificate cert;
  if( userRead(p, bAlone, &cert, pErr) == LEDGER_OK ) {
    ledgerCertificateFree(&cert);
  }
  return pErr->rc;
}

/* Certificate and key are handed on apart: libcurl keeps copies of a
** certificate's text with each connection, and wipes none. */
static int userStart(LedgerFetch *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pClient->pConfig;
  LedgerCertificate cert;
  char zPrint[LEDGER_USER_ID_MAX];

  if( pConfig->zUserCertificate == NULL ) {
    return ledgerCredentialMissing(p, pErr,
                                   "option user_certificate is not set");
  }
  if( userRead(pConfig, 0, &cert, pErr) ) return pErr->rc;
  if( ledgerCertificatePem(&cert, &p->zCertificate, &p->zKey, pErr) ==
          LEDGER_OK &&
      ledgerCertificatePrint(cert.pCert, zPrint, pErr) == LEDGER_OK ) {
    p->zPrincipal = ledgerStrdup(zPrint);
    if( p->zPrincipal == NULL ) ledgerErrorNomem(pErr);
  }
  ledgerCertificateFree(&cert);
  return pErr->rc;
}

const LedgerCredential ledgerCredentialUser = {
    .zName = "user_certificate", .bStill = 1, .xStart = userStart};
