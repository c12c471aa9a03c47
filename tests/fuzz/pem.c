/*
** A fuzz target of certificates and keys that options name: a password, a NUL,
** and the bytes of a file, PEM, DER or PKCS#12.
**
** Where a certificate with its key is read, it is written and read again as the
** same; whatever is refused is refused in words that don't hold the password.
**
** libFuzzer: -max_len=6000
*/
#include "fuzz.h"

#include "client/net/net.h"

#include <openssl/err.h>

static int pemRead(const char *zText, const char *zPassword,
                   LedgerCertificate *p, LedgerError *pErr) {
  LedgerCertificateFrom from = {.zWhat = "user_certificate",
                                .zText = zText,
                                .zPasswordOption = "user_certificate_password",
                                .zPassword = zPassword,
                                .zNoKey = ""};
  return ledgerCertificateRead(&from, p, pErr);
}

/* Written as PEM, it is read again. */
static void pemAgain(const LedgerCertificate *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerCertificate again;
  LedgerBuf all = {0};
  char *zPem = NULL, *zKey = NULL, *zText;
  if( ledgerCertificatePem(p, &zPem, &zKey, &err) == LEDGER_OK ) {
    ledgerBufPrintf(&all, "%s%s", zPem, zKey);
    fuzzCheck(pemRead(all.z, NULL, &again, &err) == LEDGER_OK,
              "what was written can't be read");
    fuzzCheck(ERR_peek_error() == 0, "OpenSSL's queue isn't empty");
    fuzzCheck(X509_cmp(again.pCert, p->pCert) == 0, "another certificate");
    fuzzCheck(EVP_PKEY_eq(again.pKey, p->pKey) == 1, "another key");
    ERR_clear_error(); /* X509_cmp() tells there what it thinks of extensions */
    ledgerCertificateFree(&again);
  }
  zText = ledgerCertificateText(p->pCert);
  free(zText);
  ledgerErrorClear(&err);
  ledgerBufFree(&all);
  free(zPem);
  free(zKey);
}

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerCertificate certificate;
  LedgerBuf text = {0};
  X509 *pFirst = NULL;
  size_t nPassword = 0;
  char *zPassword = fuzzText(&aData, &nData, &nPassword);
  char zDate[64];
  int rc;
  if( nData == 0 || ledgerPemText(aData, nData, &text) ) goto out;
  fuzzCheck(text.z && strlen(text.z) == text.n, "a text with a NUL");
  ledgerPemHasKey(text.z);
  ledgerCertificateEnded(text.z, zDate);
  ledgerCertificateCount(text.z, &pFirst);
  X509_free(pFirst);
  memset(&certificate, 0, sizeof(certificate));
  rc = pemRead(text.z, nPassword ? zPassword : NULL, &certificate, &err);
  if( rc == LEDGER_OK ) pemAgain(&certificate);
  fuzzCheck(rc == LEDGER_OK || nPassword < 8 ||
                strstr(ledgerErrorText(&err), zPassword) == NULL ||
                strstr("user_certificate_password", zPassword) != NULL,
            "an error shows the password");
  fuzzCheckError(rc, &err);
  ledgerCertificateFree(&certificate);
  fuzzCheck(ERR_peek_error() == 0, "OpenSSL's queue isn't empty");
out:
  ledgerBufWipe(&text);
  free(zPassword);
  return 0;
}
