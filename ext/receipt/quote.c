/*
** Quotes of enclaves, read: what a node's hardware attests to. It stands in
** this room since a quote, like a receipt, is evidence that is read offline: a
** pure function of its input.
**
**     SELECT measurement, debug, binds_node FROM ledger_enclave_quotes;
**     SELECT ledger_quote_json(raw_quote) FROM ledger_enclave_quotes;
**
** Read, not verified: neither the vendor's signature nor the state of its
** firmware (TCB) nor the age of the quote is checked here, and every JSON says
** so.
**
** Two layouts, all numbers little-endian:
**   - Intel SGX, version 3: header 48, report 384, length 4, signature data;
**     then Open Enclave's claims: version and count, and per claim the sizes of
**     name and value (8 bytes each), name with NUL, value. Older answers put
**     Open Enclave's own header of 16 bytes in front;
**   - AMD SEV-SNP: attestation report of 0x4A0 bytes (version 2 and later).
*/
#include "receipt/receipt.h"

#include <openssl/evp.h>
#include <string.h>

#define QUOTE_HASH 32
#define QUOTE_OE_HEADER 16
#define QUOTE_SGX_HEADER 48
#define QUOTE_SGX_REPORT 384
#define QUOTE_SGX_SIZE (QUOTE_SGX_HEADER + QUOTE_SGX_REPORT)
#define QUOTE_SNP_SIZE 0x4A0
#define QUOTE_SNP_DEBUG 19 /* bit of the guest's policy */
#define QUOTE_CLAIM "sgx_report_data"

static uint64_t quoteNumber(const unsigned char *a, int n) {
  uint64_t v = 0;
  while( n > 0 ) v = v << 8 | a[--n];
  return v;
}

/* The claims behind an SGX quote: n bytes at a. Of those named QUOTE_CLAIM the
** last one counts; whether the report covers them all is noted. */
static void quoteClaims(LedgerQuote *p, const unsigned char *a, size_t n) {
  unsigned char aHash[EVP_MAX_MD_SIZE];
  const unsigned char *aAll = a;
  const size_t nAll = n;
  uint64_t i, nClaim;

  if( n < 16 || quoteNumber(a, 8) != 1 ) return;
  nClaim = quoteNumber(a + 8, 8);
  a += 16;
  n -= 16;
  for( i = 0; i < nClaim; i++ ) {
    uint64_t nName, nValue;
    if( n < 16 ) return;
    nName = quoteNumber(a, 8);
    nValue = quoteNumber(a + 8, 8);
    a += 16;
    n -= 16;
    if( nName > n || nValue > n - nName ) return;
    if( nName == sizeof(QUOTE_CLAIM) &&
        memcmp(a, QUOTE_CLAIM, sizeof(QUOTE_CLAIM)) == 0 &&
        nValue >= QUOTE_HASH ) {
      p->aClaim = a + nName;
    }
    a += nName + nValue;
    n -= (size_t)(nName + nValue);
  }
  p->bCovered =
      EVP_Digest(aAll, nAll - n, aHash, NULL, EVP_sha256(), NULL) == 1 &&
      memcmp(aHash, p->aReportData, QUOTE_HASH) == 0;
}

static void quoteSgx(LedgerQuote *p, const unsigned char *a, size_t n) {
  const unsigned char *aReport = a + QUOTE_SGX_HEADER;
  uint64_t nSignature = 0;
  p->eKind = LEDGER_QUOTE_SGX;
  p->iVersion = (int)quoteNumber(a, 2);
  p->iKeyType = (int)quoteNumber(a + 2, 2);
  p->aVendor = a + 12;
  p->mAttributes = quoteNumber(aReport + 48, 8);
  p->bDebug = (p->mAttributes & 0x02) != 0;
  p->aMeasurement = aReport + 64;
  p->nMeasurement = 32;
  p->aSigner = aReport + 128;
  p->nSigner = 32;
  p->iProduct = (int)quoteNumber(aReport + 256, 2);
  p->iSvn = (int)quoteNumber(aReport + 258, 2);
  p->aReportData = aReport + 320;
  if( n < QUOTE_SGX_SIZE + 4 ) return;
  nSignature = quoteNumber(a + QUOTE_SGX_SIZE, 4);
  if( nSignature > n - QUOTE_SGX_SIZE - 4 ) return;
  quoteClaims(p, a + QUOTE_SGX_SIZE + 4 + nSignature,
              n - QUOTE_SGX_SIZE - 4 - (size_t)nSignature);
}

static void quoteSnp(LedgerQuote *p, const unsigned char *a) {
  p->eKind = LEDGER_QUOTE_SNP;
  p->iVersion = (int)quoteNumber(a, 4);
  p->iSvn = (int)quoteNumber(a + 0x04, 4);
  p->mAttributes = quoteNumber(a + 0x08, 8);
  p->bDebug = (p->mAttributes >> QUOTE_SNP_DEBUG & 1) != 0;
  p->iKeyType = (int)quoteNumber(a + 0x34, 4);
  p->aReportData = a + 0x50;
  p->aMeasurement = a + 0x90;
  p->nMeasurement = 48;
  p->aHost = a + 0xC0;
  p->aSigner = a + 0xE0;
  p->nSigner = 48;
  p->aChip = a + 0x1A0;
  p->iTcb = quoteNumber(a + 0x180, 8);
}

int ledgerQuoteRead(const void *aRaw, size_t n, LedgerQuote *p) {
  const unsigned char *a = aRaw;
  memset(p, 0, sizeof(*p));
  if( n >= QUOTE_OE_HEADER + QUOTE_SGX_SIZE && quoteNumber(a, 4) == 1 &&
      quoteNumber(a + 4, 4) == 2 &&
      quoteNumber(a + 8, 8) <= n - QUOTE_OE_HEADER ) {
    a += QUOTE_OE_HEADER;
    n -= QUOTE_OE_HEADER;
  }
  if( n >= QUOTE_SGX_SIZE && quoteNumber(a, 2) == 3 &&
      (quoteNumber(a + 2, 2) == 2 || quoteNumber(a + 2, 2) == 3) &&
      quoteNumber(a + 4, 4) == 0 ) {
    quoteSgx(p, a, n);
  } else if( n >= QUOTE_SNP_SIZE && quoteNumber(a, 4) >= 2 &&
             quoteNumber(a, 4) <= 16 && quoteNumber(a + 0x34, 4) <= 1 &&
             (quoteNumber(a + 0x08, 8) >> 17 & 1) == 1 ) {
    quoteSnp(p, a); /* bit 17 of a guest's policy is always 1 */
  }
  return p->eKind != LEDGER_QUOTE_UNKNOWN;
}

int ledgerQuoteBinds(const LedgerQuote *p, const char *zNodeId) {
  unsigned char aNode[QUOTE_HASH];
  if( p->eKind == LEDGER_QUOTE_UNKNOWN ||
      !ledgerHexDecode(zNodeId, strlen(zNodeId), aNode, sizeof(aNode)) ) {
    return -1;
  }
  if( memcmp(p->aReportData, aNode, sizeof(aNode)) == 0 ) return 1;
  if( p->eKind == LEDGER_QUOTE_SNP ) return 0;
  if( p->aClaim == NULL ) return -1;
  if( memcmp(p->aClaim, aNode, sizeof(aNode)) != 0 ) return 0;
  return p->bCovered ? 1 : -1;
}

/* "name":"hex" */
static void quoteHex(LedgerBuf *pBuf, const char *zName, const void *a,
                     size_t n) {
  char zHex[2 * 64 + 1];
  ledgerBufPrintf(pBuf, ",\"%s\":\"%s\"", zName, ledgerHexEncode(a, n, zHex));
}

void ledgerQuoteJson(const LedgerQuote *p, const char *zNodeId,
                     LedgerBuf *pBuf) {
  const int bSgx = p->eKind == LEDGER_QUOTE_SGX;
  ledgerBufPrintf(pBuf,
                  "{\"format\":\"%s\",\"signature_checked\":false"
                  ",\"version\":%d",
                  bSgx ? "sgx" : "snp", p->iVersion);
  quoteHex(pBuf, "measurement", p->aMeasurement, p->nMeasurement);
  ledgerBufPrintf(pBuf, ",\"debug\":%s", p->bDebug ? "true" : "false");
  quoteHex(pBuf, bSgx ? "signer" : "id_key_digest", p->aSigner, p->nSigner);
  ledgerBufPrintf(pBuf, ",\"%s\":%d,\"%s\":\"%016llx\"",
                  bSgx ? "security_version" : "guest_svn", p->iSvn,
                  bSgx ? "attributes" : "policy",
                  (unsigned long long)p->mAttributes);
  quoteHex(pBuf, "report_data", p->aReportData, 64);
  if( bSgx ) {
    ledgerBufPrintf(pBuf, ",\"product_id\":%d,\"attestation_key\":\"%s\"",
                    p->iProduct,
                    p->iKeyType == 2 ? "ECDSA P-256" : "ECDSA P-384");
    quoteHex(pBuf, "vendor_id", p->aVendor, 16);
    if( p->aClaim ) {
      quoteHex(pBuf, "claim_sgx_report_data", p->aClaim, QUOTE_HASH);
      ledgerBufPrintf(pBuf, ",\"claims_covered\":%s",
                      p->bCovered ? "true" : "false");
    }
  } else {
    quoteHex(pBuf, "host_data", p->aHost, 32);
    quoteHex(pBuf, "chip_id", p->aChip, 64);
    ledgerBufPrintf(pBuf,
                    ",\"reported_tcb\":\"%016llx\""
                    ",\"signature_algorithm\":%d",
                    (unsigned long long)p->iTcb, p->iKeyType);
  }
  if( zNodeId ) {
    const int bBinds = ledgerQuoteBinds(p, zNodeId);
    ledgerBufPrintf(pBuf, ",\"binds_node\":%s",
                    bBinds < 0 ? "null"
                    : bBinds   ? "true"
                               : "false");
  }
  ledgerBufText(pBuf, "}");
}
