/*
** The shape of a receipt: JSON taken apart into bytes of known length.
**
** Two spellings of the members are known: leaf_components, claims_digest, ...
** (services of 2022) and leafComponents, claimsDigest, ... (since 2023). A text
** may be the service's whole answer or the bare receipt in it.
**
** Invariants
**   - every digest is exactly 32 bytes: with digests of any length a raw
**     transaction can pose as a leaf, and a leaf as an inner node;
**   - what could be read in two ways is refused: both spellings of a member,
**     both sides of a proof element;
**   - sizes are bounded before anything is computed;
**   - members that aren't known are passed over, as a newer service may add
**     some; none of them can replace one that is.
*/
#include "receipt/receiptInt.h"

#include <string.h>

/* Is the member absent? null is, where it may be. */
static int shapeAbsent(const cJSON *p) {
  return p == NULL || cJSON_IsNull(p);
}

/* Finds a member under either spelling, but not under both. */
static int shapeMember(LedgerReceiptJob *p, const cJSON *pObj,
                       const char *zCamel, const char *zSnake, cJSON **ppOut) {
  cJSON *pSnake = ledgerJsonMember(pObj, zSnake);
  *ppOut = ledgerJsonMember(pObj, zCamel);
  if( *ppOut && pSnake ) {
    return ledgerReceiptFail(
        p, "shape",
        "the receipt has both '%s' and '%s': it is not clear which one counts",
        zCamel, zSnake);
  }
  if( *ppOut == NULL ) *ppOut = pSnake;
  return LEDGER_OK;
}

/* Reads 64 hex digits. */
static int shapeDigest(LedgerReceiptJob *p, cJSON *pVal, const char *zName,
                       unsigned char *aOut) {
  size_t n = 0;
  const char *z = ledgerJsonText(p->parts.pDoc, pVal, &n);
  if( z && ledgerHexDecode(z, n, aOut, RECEIPT_HASH) ) return LEDGER_OK;
  return ledgerReceiptFail(
      p, "shape", "%s: '%s' is not 64 hex digits",
      pVal ? "the receipt is ill-formed" : "the receipt is incomplete", zName);
}

/* Reads a text that has to be there. */
static int shapeText(LedgerReceiptJob *p, cJSON *pVal, const char *zName,
                     const char **pz, size_t *pn) {
  *pz = ledgerJsonText(p->parts.pDoc, pVal, pn);
  if( *pz ) return LEDGER_OK;
  return ledgerReceiptFail(p, "shape",
                           pVal ? "the receipt is ill-formed: '%s' is not text"
                                : "the receipt is incomplete: '%s' is missing",
                           zName);
}

static int shapeProof(LedgerReceiptJob *p, cJSON *pProof) {
  LedgerReceiptParts *pParts = &p->parts;
  cJSON *pItem;
  if( !cJSON_IsArray(pProof) ) {
    return ledgerReceiptFail(
        p, "shape",
        pProof ? "the receipt is ill-formed: 'proof' is not an array"
               : "the receipt is incomplete: 'proof' is "
                 "missing");
  }
  for( pItem = pProof->child; pItem; pItem = pItem->next ) {
    cJSON *pLeft = ledgerJsonMember(pItem, "left");
    cJSON *pRight = ledgerJsonMember(pItem, "right");
    int i = pParts->nProof;
    int rc;
    if( i == RECEIPT_PROOF_MAX ) {
      return ledgerReceiptFail(p, "shape",
                               "the proof has more than %d elements: no tree "
                               "is that high",
                               RECEIPT_PROOF_MAX);
    }
    if( (pLeft != NULL) == (pRight != NULL) ) {
      return ledgerReceiptFail(p, "shape",
                               "proof element %d: exactly one of 'left' and "
                               "'right' is expected",
                               i + 1);
    }
    rc = shapeDigest(p, pLeft ? pLeft : pRight, pLeft ? "left" : "right",
                     pParts->aProof[i]);
    if( rc ) return rc;
    pParts->abLeft[i] = pLeft != NULL;
    pParts->nProof++;
  }
  return LEDGER_OK;
}

static int shapeSignature(LedgerReceiptJob *p, cJSON *pVal) {
  LedgerBuf *pBuf = &p->parts.signature;
  const char *z;
  size_t n;
  int rc = shapeText(p, pVal, "signature", &z, &n);
  if( rc ) return rc;
  if( n > 0 && n <= RECEIPT_SIGNATURE_MAX * 4 / 3 + 4 &&
      ledgerBase64Decode(z, n, pBuf) && pBuf->n <= RECEIPT_SIGNATURE_MAX ) {
    return LEDGER_OK;
  }
  if( pBuf->bOom ) return ledgerErrorNomem(p->pErr);
  return ledgerReceiptFail(p, "shape",
                           "the receipt is ill-formed: 'signature' is not the "
                           "base64 of a signature");
}

static int shapeEndorsements(LedgerReceiptJob *p, cJSON *pList) {
  LedgerReceiptParts *pParts = &p->parts;
  cJSON *pItem;
  if( shapeAbsent(pList) ) return LEDGER_OK;
  if( !cJSON_IsArray(pList) ) {
    return ledgerReceiptFail(p, "shape",
                             "the receipt is ill-formed: 'serviceEndorsements' "
                             "is not an array");
  }
  for( pItem = pList->child; pItem; pItem = pItem->next ) {
    int i = pParts->nEndorsement;
    int rc;
    if( i == RECEIPT_ENDORSEMENTS ) {
      return ledgerReceiptFail(p, "shape",
                               "the receipt has more than %d service "
                               "endorsements",
                               RECEIPT_ENDORSEMENTS);
    }
    rc = shapeText(p, pItem, "serviceEndorsements", &pParts->azEndorsement[i],
                   &pParts->anEndorsement[i]);
    if( rc ) return rc;
    pParts->nEndorsement++;
  }
  return LEDGER_OK;
}

/* What the leaf of the tree is the digest of. */
static int shapeLeaf(LedgerReceiptJob *p, const cJSON *pLeaf) {
  LedgerReceiptParts *pParts = &p->parts;
  cJSON *pVal;
  int rc;
  if( !cJSON_IsObject(pLeaf) ) {
    return ledgerReceiptFail(p, "shape",
                             pLeaf ? "the receipt is ill-formed: "
                                     "'leafComponents' is not an object"
                                   : "the receipt is incomplete: "
                                     "'leafComponents' is missing");
  }
  rc = shapeMember(p, pLeaf, "writeSetDigest", "write_set_digest", &pVal);
  if( rc ) return rc;
  rc = shapeDigest(p, pVal, "writeSetDigest", pParts->aWriteSet);
  if( rc ) return rc;
  rc = shapeMember(p, pLeaf, "commitEvidence", "commit_evidence", &pVal);
  if( rc ) return rc;
  rc = shapeText(p, pVal, "commitEvidence", &pParts->zEvidence,
                 &pParts->nEvidence);
  if( rc ) return rc;
  rc = shapeMember(p, pLeaf, "claimsDigest", "claims_digest", &pVal);
  if( rc || shapeAbsent(pVal) ) return rc;
  pParts->bClaims = 1;
  return shapeDigest(p, pVal, "claimsDigest", pParts->aClaims);
}

/* Not there yet: what services of 2021, 2023 and later answer for a receipt
** that they are still loading. */
static int shapeHollow(LedgerJson *pDoc, const cJSON *pReceipt) {
  size_t n = 1;
  const char *z = ledgerJsonMemberText(pDoc, pReceipt, "signature", &n);
  return z && n == 0 && ledgerJsonMember(pReceipt, "cert") == NULL;
}

static int shapeLoading(LedgerReceiptJob *p) {
  return ledgerReceiptFail(p, "loading",
                           "the ledger was still loading this receipt: ask for "
                           "it again until its state is Ready");
}

/* Is a value this very text? */
static int shapeIs(LedgerJson *pDoc, cJSON *pVal, const char *zText) {
  size_t n = 0;
  const char *z = ledgerJsonText(pDoc, pVal, &n);
  return z && n == strlen(zText) && memcmp(z, zText, n) == 0;
}

/* Finds the receipt within the text; *ppReceipt is an object. */
static int shapeFind(LedgerReceiptJob *p, cJSON *pRoot, cJSON **ppReceipt) {
  LedgerJson *pDoc = p->parts.pDoc;
  cJSON *pState = ledgerJsonMember(pRoot, "state");
  cJSON *pInner = ledgerJsonMember(pRoot, "receipt");

  *ppReceipt = pRoot;
  if( pInner || pState ) {
    *ppReceipt = pInner;
    p->parts.pClaims = ledgerJsonMember(pRoot, "applicationClaims");
    if( shapeIs(pDoc, pState, "Loading") ) return shapeLoading(p);
    /* Committed: the answer of an append that waited. */
    if( pState && !shapeIs(pDoc, pState, "Ready") &&
        !shapeIs(pDoc, pState, "Committed") ) {
      return ledgerReceiptFail(p, "shape",
                               "the answer's state is neither Ready nor "
                               "Loading");
    }
    if( cJSON_IsNull(pInner) && pState ) {
      return ledgerReceiptFail(p, "shape", "the answer holds no receipt");
    }
  }
  if( cJSON_IsNull(*ppReceipt) ) return shapeLoading(p);
  if( !cJSON_IsObject(*ppReceipt) ) {
    return ledgerReceiptFail(
        p, "shape", "this is not a receipt: a JSON object is expected");
  }
  return LEDGER_OK;
}

int ledgerReceiptCheckShape(LedgerReceiptJob *p) {
  LedgerReceiptParts *pParts = &p->parts;
  cJSON *pReceipt, *pVal, *pLeaf;
  int rc;

  if( p->pInput->nReceipt > RECEIPT_MAX ) {
    return ledgerReceiptFail(p, "too_large",
                             "the receipt has more than %d bytes", RECEIPT_MAX);
  }
  rc = ledgerJsonParse(p->pInput->zReceipt, p->pInput->nReceipt, "receipt",
                       &pParts->pDoc, p->pErr);
  if( rc ) {
    p->zCode = "json";
    return rc;
  }
  rc = shapeFind(p, ledgerJsonRoot(pParts->pDoc), &pReceipt);
  if( rc ) return rc;
  if( shapeHollow(pParts->pDoc, pReceipt) ) return shapeLoading(p);

  rc = shapeMember(p, pReceipt, "isSignatureTransaction",
                   "is_signature_transaction", &pVal);
  if( rc ) return rc;
  if( !shapeAbsent(pVal) && !cJSON_IsFalse(pVal) ) {
    return ledgerReceiptFail(p, "signature_transaction",
                             "this is the receipt of a signature transaction, "
                             "which holds no entry");
  }
  rc = shapeMember(p, pReceipt, "leafComponents", "leaf_components", &pLeaf);
  if( rc ) return rc;
  if( pLeaf == NULL && ledgerJsonMember(pReceipt, "cert") == NULL &&
      ledgerJsonMember(pReceipt, "leaf") ) {
    return ledgerReceiptFail(p, "old_shape",
                             "a receipt of the 2021 preview (leaf and root, no "
                             "certificate) can't be verified offline: fetch it "
                             "again with a newer API version");
  }
  rc = shapeLeaf(p, pLeaf);
  if( rc ) return rc;
  rc = shapeProof(p, ledgerJsonMember(pReceipt, "proof"));
  if( rc ) return rc;
  rc = shapeSignature(p, ledgerJsonMember(pReceipt, "signature"));
  if( rc ) return rc;
  rc = shapeText(p, ledgerJsonMember(pReceipt, "cert"), "cert", &pParts->zCert,
                 &pParts->nCert);
  if( rc ) return rc;
  rc = shapeMember(p, pReceipt, "nodeId", "node_id", &pVal);
  if( rc ) return rc;
  if( !shapeAbsent(pVal) ) {
    rc = shapeDigest(p, pVal, "nodeId", pParts->aNode);
    if( rc ) return rc;
    pParts->bNode = 1;
  }
  rc = shapeMember(p, pReceipt, "serviceEndorsements", "service_endorsements",
                   &pVal);
  if( rc ) return rc;
  return shapeEndorsements(p, pVal);
}
