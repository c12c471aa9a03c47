/*
** Application claims: what a transaction recorded about its contents.
**
**   claim(LedgerEntry) = H("LedgerEntryV1" || H(HMAC(k, collectionId) ||
**                                               HMAC(k, contents)))
**   claim(ClaimDigest) = H(protocol || value), value being that inner H(...)
**   claims digest      = H(number of claims, 32 bits little-endian || claim_1
**                          || claim_2 ...)
**
** Reference: Azure Confidential Ledger, "Verify write transaction receipts",
** application claims.
**
** Invariants
**   - the empty list is refused: it would pass for "no claims shown";
**   - a protocol or a kind that isn't known is refused: what it binds isn't
**     known either;
**   - texts are hashed as they stand behind the JSON, NULs included.
*/
#include "receipt/receiptInt.h"

#include <openssl/crypto.h>
#include <string.h>

#define CLAIMS_PROTOCOL "LedgerEntryV1"

/* A text of a claim with its length, or LEDGER_CONSTRAINT. */
static int claimsText(LedgerJson *pDoc, const cJSON *pObj, const char *zName,
                      int iClaim, const char **pz, size_t *pn,
                      LedgerError *pErr) {
  *pz = ledgerJsonMemberText(pDoc, pObj, zName, pn);
  if( *pz ) return LEDGER_OK;
  return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                        "application claim %d: '%s' is not text", iClaim,
                        zName);
}

static int claimsProtocol(LedgerJson *pDoc, const cJSON *pObj, int iClaim,
                          LedgerError *pErr) {
  const char *z;
  size_t n;
  int rc = claimsText(pDoc, pObj, "protocol", iClaim, &z, &n, pErr);
  if( rc ) return rc;
  if( n == strlen(CLAIMS_PROTOCOL) && memcmp(z, CLAIMS_PROTOCOL, n) == 0 ) {
    return LEDGER_OK;
  }
  return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                        "application claim %d: its protocol is not "
                        "LedgerEntryV1, the only one known",
                        iClaim);
}

/* Is the claimed text the one in hand? */
static int claimsSame(const char *zClaim, size_t nClaim, const char *z,
                      size_t n) {
  return z && nClaim == n && memcmp(zClaim, z, n) == 0;
}

/* The inner digest of a claim that shows an entry. */
static int claimsEntry(LedgerReceiptHasher *pHasher, LedgerJson *pDoc,
                       const cJSON *pEntry, int iClaim,
                       const LedgerReceiptInput *pInput,
                       LedgerReceiptClaims *pOut, unsigned char *aInner,
                       LedgerError *pErr) {
  unsigned char aMac[2 * RECEIPT_HASH];
  const char *zCollection, *zContents, *zKey;
  size_t nCollection, nContents, nKey;
  LedgerBuf key = {0};
  int rc;

  rc = claimsText(pDoc, pEntry, "collectionId", iClaim, &zCollection,
                  &nCollection, pErr);
  if( rc ) goto out;
  rc = claimsText(pDoc, pEntry, "contents", iClaim, &zContents, &nContents,
                  pErr);
  if( rc ) goto out;
  rc = claimsText(pDoc, pEntry, "secretKey", iClaim, &zKey, &nKey, pErr);
  if( rc ) goto out;
  if( nKey == 0 || !ledgerBase64Decode(zKey, nKey, &key) ) {
    rc = key.bOom ? ledgerErrorNomem(pErr)
                  : ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                                   "application claim %d: 'secretKey' is not "
                                   "base64",
                                   iClaim);
    goto out;
  }
  ledgerReceiptHmac(pHasher, key.z, key.n, zCollection, nCollection, aMac);
  ledgerReceiptHmac(pHasher, key.z, key.n, zContents, nContents,
                    aMac + RECEIPT_HASH);
  ledgerReceiptHash(pHasher, aMac, sizeof(aMac), NULL, 0, aInner);
  pOut->nEntry++;
  if( pInput &&
      claimsSame(zCollection, nCollection, pInput->zSubLedger,
                 pInput->nSubLedger) &&
      claimsSame(zContents, nContents, pInput->zContents, pInput->nContents) ) {
    pOut->bMatch = 1;
  }
out:
  if( key.z ) OPENSSL_cleanse(key.z, key.n);
  ledgerBufFree(&key);
  return rc;
}

/* One claim's digest into aClaim. */
static int claimsOne(LedgerReceiptHasher *pHasher, LedgerJson *pDoc,
                     const cJSON *pClaim, int iClaim,
                     const LedgerReceiptInput *pInput,
                     LedgerReceiptClaims *pOut, unsigned char *aClaim,
                     LedgerError *pErr) {
  unsigned char aInner[RECEIPT_HASH];
  const cJSON *pEntry = ledgerJsonMember(pClaim, "ledgerEntry");
  const cJSON *pDigest = ledgerJsonMember(pClaim, "digest");
  const char *zKind, *zValue;
  size_t nKind, nValue;
  int rc;

  if( !cJSON_IsObject(pClaim) ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "application claim %d is not an object", iClaim);
  }
  rc = claimsText(pDoc, pClaim, "kind", iClaim, &zKind, &nKind, pErr);
  if( rc ) return rc;
  if( pEntry && pDigest ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "application claim %d has both 'ledgerEntry' and "
                          "'digest'",
                          iClaim);
  }
  if( nKind == 11 && memcmp(zKind, "LedgerEntry", 11) == 0 && pEntry ) {
    rc = claimsProtocol(pDoc, pEntry, iClaim, pErr);
    if( rc == LEDGER_OK ) {
      rc = claimsEntry(pHasher, pDoc, pEntry, iClaim, pInput, pOut, aInner,
                       pErr);
    }
  } else if( nKind == 11 && memcmp(zKind, "ClaimDigest", 11) == 0 && pDigest ) {
    rc = claimsProtocol(pDoc, pDigest, iClaim, pErr);
    if( rc == LEDGER_OK ) {
      rc = claimsText(pDoc, pDigest, "value", iClaim, &zValue, &nValue, pErr);
    }
    if( rc == LEDGER_OK &&
        !ledgerHexDecode(zValue, nValue, aInner, RECEIPT_HASH) ) {
      rc = ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "application claim %d: 'value' is not 64 hex digits",
                          iClaim);
    }
  } else {
    rc = ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                        "application claim %d is neither a LedgerEntry with "
                        "its 'ledgerEntry' nor a ClaimDigest with its 'digest'",
                        iClaim);
  }
  if( rc ) return rc;
  ledgerReceiptHash(pHasher, CLAIMS_PROTOCOL, strlen(CLAIMS_PROTOCOL), aInner,
                    RECEIPT_HASH, aClaim);
  return LEDGER_OK;
}

int ledgerReceiptClaimsRead(LedgerReceiptHasher *pHasher, LedgerJson *pDoc,
                            cJSON *pList, const LedgerReceiptInput *pInput,
                            LedgerReceiptClaims *pOut, LedgerError *pErr) {
  unsigned char aClaim[RECEIPT_HASH];
  unsigned char aCount[4];
  LedgerBuf all = {0};
  const cJSON *pClaim;
  int n = 0;
  int rc = LEDGER_OK;

  memset(pOut, 0, sizeof(*pOut));
  if( !cJSON_IsArray(pList) ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "the application claims are not an array");
  }
  if( pList->child == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "the list of application claims is empty: leave it "
                          "out where there are none");
  }
  for( pClaim = pList->child; pClaim && rc == LEDGER_OK;
       pClaim = pClaim->next ) {
    if( ++n > RECEIPT_CLAIMS_MAX ) {
      rc = ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "there are more than %d application claims",
                          RECEIPT_CLAIMS_MAX);
      break;
    }
    rc = claimsOne(pHasher, pDoc, pClaim, n, pInput, pOut, aClaim, pErr);
    if( rc == LEDGER_OK ) ledgerBufAppend(&all, aClaim, RECEIPT_HASH);
  }
  if( rc == LEDGER_OK ) {
    aCount[0] = (unsigned char)(n & 255);
    aCount[1] = (unsigned char)(n >> 8 & 255);
    aCount[2] = (unsigned char)(n >> 16 & 255);
    aCount[3] = (unsigned char)(n >> 24 & 255);
    ledgerReceiptHash(pHasher, aCount, 4, all.z, all.n, pOut->aDigest);
    if( all.bOom || pHasher->bFailed ) rc = ledgerErrorNomem(pErr);
  }
  ledgerBufFree(&all);
  return rc;
}

int ledgerReceiptClaimsDigest(const char *zClaims, size_t nClaims, char *zOut,
                              LedgerError *pErr) {
  LedgerReceiptHasher hasher = {0};
  LedgerReceiptClaims claims;
  LedgerJson *pDoc = NULL;
  int rc;

  zOut[0] = 0;
  if( nClaims > RECEIPT_MAX ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "application claims: more than %d bytes",
                          RECEIPT_MAX);
  }
  rc = ledgerJsonParse(zClaims, nClaims, "application claims", &pDoc, pErr);
  if( rc == LEDGER_OK ) rc = ledgerReceiptHasherInit(&hasher, pErr);
  if( rc == LEDGER_OK ) {
    rc = ledgerReceiptClaimsRead(&hasher, pDoc, ledgerJsonRoot(pDoc), NULL,
                                 &claims, pErr);
  }
  if( rc == LEDGER_OK ) ledgerHexEncode(claims.aDigest, RECEIPT_HASH, zOut);
  ledgerReceiptHasherClear(&hasher);
  ledgerJsonFree(pDoc);
  return rc;
}
