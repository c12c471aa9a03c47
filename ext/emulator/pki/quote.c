/*
** Synthetic enclave quotes.
**
** Serves GET /app/enclaveQuotes. No hardware has made these: everything is in
** its place, and three marks tell them from real ones. The vendor is
** "ledger-emulator" instead of Intel's id, the enclave is a debug enclave, and
** the signature is 64 zeros.
**
** Layout: an SGX quote of version 3 with an ECDSA P-256 attestation key, all
** numbers little-endian:
**
**      0  48   header: version, key type, SVNs, vendor, user data
**     48 384   report of the enclave: attributes at 96, MRENCLAVE at 112,
**              MRSIGNER at 176, report data at 368
**    432   4   length of what follows, up to the claims
**    436  64   signature;  500  64  attestation key
**    564 384   report of the quoting enclave;  948  64  its signature
**   1012       authentication data (2 + 32), certification data (2 + 4 + PEM)
**
** and then, as the recorded ones have it, the claims: version and count, then
** name, NUL and value of one, "sgx_report_data", each length in 8 bytes.
**
** The report data and the claim are the node's id: the SHA-256 of its key.
*/
#include "emulator/pki/pki.h"

#include <string.h>

#define QUOTE_REPORT 384
#define QUOTE_ATTRIBUTES 48   /* in a report */
#define QUOTE_MRENCLAVE 64    /* in a report */
#define QUOTE_MRSIGNER 128    /* in a report */
#define QUOTE_REPORT_DATA 320 /* in a report */
#define QUOTE_ZERO 64

static const char zQuoteClaim[] = "sgx_report_data"; /* with its NUL */

void emuQuoteMeasurement(unsigned char *aOut) {
  EmuPiece piece = {"ledger-emulator enclave", 23};
  emuHashSha256(&piece, 1, aOut);
}

/* Appends n bytes of a number. */
static void quoteNumber(LedgerBuf *p, uint64_t v, int n) {
  while( n-- ) {
    unsigned char c = (unsigned char)v;
    ledgerBufAppend(p, &c, 1);
    v >>= 8;
  }
}

/* Appends the report of an enclave. */
static void quoteReport(LedgerBuf *p, const unsigned char *aMeasurement,
                        const unsigned char *aData) {
  unsigned char a[QUOTE_REPORT] = {0};
  EmuPiece signer = {"ledger-emulator signer", 22};
  a[QUOTE_ATTRIBUTES] = 0x07; /* initialised, debug, 64 bits */
  a[QUOTE_ATTRIBUTES + 8] = 0x03;
  memcpy(a + QUOTE_MRENCLAVE, aMeasurement, EMU_HASH);
  emuHashSha256(&signer, 1, a + QUOTE_MRSIGNER);
  memcpy(a + QUOTE_REPORT_DATA, aData, EMU_HASH);
  ledgerBufAppend(p, a, sizeof(a));
}

/* Appends what vouches for a quote; here it has the form only. */
static int quoteSignature(const EmuKeys *pKeys, LedgerBuf *p,
                          LedgerError *pErr) {
  static const unsigned char aZero[QUOTE_ZERO];
  unsigned char aHash[EMU_HASH], aQe[EMU_HASH];
  unsigned char aKey[QUOTE_ZERO] = {0};
  EmuPiece aAttested[2] = {{aKey, sizeof(aKey)}, {aZero, EMU_HASH}};
  EmuPiece name = {"ledger-emulator quoting enclave", 31};
  emuHashSha256(&name, 1, aQe);
  emuHashSha256(aAttested, 2, aHash);
  ledgerBufAppend(p, aZero, sizeof(aZero)); /* signature */
  ledgerBufAppend(p, aKey, sizeof(aKey));
  quoteReport(p, aQe, aHash);
  ledgerBufAppend(p, aZero, sizeof(aZero)); /* its signature */
  quoteNumber(p, EMU_HASH, 2);
  ledgerBufAppend(p, aZero, EMU_HASH);
  quoteNumber(p, 5, 2); /* a chain of certificates, as PEM */
  {
    LedgerBuf pem = {0};
    int rc = emuCertPem(pKeys->pCaCert, &pem, pErr);
    quoteNumber(p, pem.n, 4);
    ledgerBufAppend(p, pem.z ? pem.z : "", pem.n);
    ledgerBufFree(&pem);
    return rc;
  }
}

int emuQuote(const EmuKeys *pKeys, const char *zNodeId, LedgerBuf *pRaw,
             LedgerError *pErr) {
  unsigned char aNode[EMU_HASH], aMeasurement[EMU_HASH];
  unsigned char aUser[20] = {0};
  LedgerBuf sig = {0};
  int rc;

  if( !ledgerHexDecode(zNodeId, strlen(zNodeId), aNode, EMU_HASH) ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR, "not a node id: %s", zNodeId);
  }
  rc = quoteSignature(pKeys, &sig, pErr);
  if( rc ) goto out;
  quoteNumber(pRaw, 3, 2); /* version */
  quoteNumber(pRaw, 2, 2); /* ECDSA P-256 */
  quoteNumber(pRaw, 0, 4);
  quoteNumber(pRaw, 0, 2); /* quoting enclave's SVN */
  quoteNumber(pRaw, 0, 2); /* provisioning certification enclave's SVN */
  ledgerBufAppend(pRaw, "ledger-emulator", 16);
  ledgerBufAppend(pRaw, aUser, sizeof(aUser));
  emuQuoteMeasurement(aMeasurement);
  quoteReport(pRaw, aMeasurement, aNode);
  quoteNumber(pRaw, sig.n, 4);
  ledgerBufAppend(pRaw, sig.z, sig.n);
  quoteNumber(pRaw, 1, 8); /* version of the claims */
  quoteNumber(pRaw, 1, 8); /* there is one */
  quoteNumber(pRaw, sizeof(zQuoteClaim), 8);
  quoteNumber(pRaw, EMU_HASH, 8);
  ledgerBufAppend(pRaw, zQuoteClaim, sizeof(zQuoteClaim));
  ledgerBufAppend(pRaw, aNode, EMU_HASH);
  if( pRaw->bOom || sig.bOom ) rc = ledgerErrorNomem(pErr);
out:
  ledgerBufFree(&sig);
  return rc;
}
