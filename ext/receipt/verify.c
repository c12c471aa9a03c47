/*
** The verification of a write receipt, check by check.
**
**   SELECT ledger_verify_receipt(receipt, service_certificate);
**
** A receipt shows that a transaction is in the ledger: its leaf, made of the
** digest of what was written, the commit evidence and the claims digest, leads
** by the proof to a root that a node signed, and the service stands behind the
** node. Reference: CCF documentation, "Verifying receipts"; Azure Confidential
** Ledger, "Verify write transaction receipts".
**
** Checks, in this order; the first that fails ends it:
**
**   shape            JSON, members, lengths (shape.c)
**   evidence         ce:VIEW.SEQNO:NONCE
**   transaction_id   it names the transaction asked for
**   claims           the claims shown give the digest recorded (claims.c)
**   certificates     one each, on a known curve (certificate.c)
**   node_id          it is the digest of the key in the node's certificate
**   signature        the node's key signed the root
**   endorsement      the service's key stands behind the node's certificate
**   entry            a claim shows the entry in hand
**
** Codes, a closed list:
**
**   ok
**   too_large              more than 256 KiB: not looked at
**   json                   not strict JSON: a member twice, nested too deep
**   loading                the ledger hadn't it yet
**   old_shape              of the 2021 preview: can't be verified offline
**   signature_transaction  a signature's: it holds no entry
**   shape                  a member is missing, doubled or ill-formed
**   evidence               the commit evidence is ill-formed
**   other_transaction      a receipt of another transaction
**   claims                 the application claims are ill-formed, or none
**   claims_missing         no claims digest, and no claims to compute it of
**   claims_mismatch        the claims are not those that were recorded
**   certificate            node's certificate or endorsement can't be used
**   anchor                 the service certificate can't be used
**   node_id                the certificate is another node's
**   signature              the root was not signed by the node
**   endorsement            the node is not endorsed by this service
**   other_entry            the claims show another entry than the one in hand
**
** Invariants
**   - the all-zero claims digest is hashed like any other; leaves of two parts
**     (without it) are never tried: such a leaf looks like an inner node;
**   - dates are told and never enforced: a receipt holds no trusted time.
*/
#include "receipt/receiptInt.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* ce:VIEW.SEQNO:NONCE with 64 lower-case hex digits. */
static int verifyEvidence(LedgerReceiptJob *p) {
  const char *z = p->parts.zEvidence;
  size_t n = p->parts.nEvidence;
  const char *zColon;
  LedgerTxid id;
  size_t nId, i;

  if( n < 3 || memcmp(z, "ce:", 3) != 0 ) goto bad;
  zColon = memchr(z + 3, ':', n - 3);
  if( zColon == NULL ) goto bad;
  nId = (size_t)(zColon - z) - 3;
  if( n != 3 + nId + 1 + 64 || !ledgerTxidParse(z + 3, nId, &id) ) goto bad;
  for( i = n - 64; i < n; i++ ) {
    if( !((z[i] >= '0' && z[i] <= '9') || (z[i] >= 'a' && z[i] <= 'f')) ) {
      goto bad;
    }
  }
  p->pReport->id = id;
  return LEDGER_OK;
bad:
  return ledgerReceiptFail(p, "evidence",
                           "the commit evidence is not of the form "
                           "ce:VIEW.SEQNO:64 hex digits");
}

static int verifyTransactionId(LedgerReceiptJob *p) {
  LedgerTxid id = p->pReport->id, asked = p->pInput->id;
  char zId[LEDGER_TXID_MAX], zAsked[LEDGER_TXID_MAX];
  if( asked.seqno == 0 ) {
    p->bSkip = 1;
    return LEDGER_OK;
  }
  if( ledgerTxidCompare(id, asked) == 0 ) return LEDGER_OK;
  return ledgerReceiptFail(
      p, "other_transaction", "this is a receipt of transaction %s, not of %s",
      ledgerTxidFormat(id, zId), ledgerTxidFormat(asked, zAsked));
}

/* The claims shown, if any, must give the digest in the receipt. */
static int verifyClaims(LedgerReceiptJob *p) {
  const LedgerReceiptInput *pIn = p->pInput;
  LedgerReceiptParts *pParts = &p->parts;
  LedgerJson *pDoc = pParts->pDoc;
  cJSON *pList = pParts->pClaims;
  int rc;

  if( pIn->zClaims ) {
    if( pIn->nClaims > RECEIPT_MAX ) {
      return ledgerReceiptFail(p, "claims",
                               "the application claims have more than %d bytes",
                               RECEIPT_MAX);
    }
    rc = ledgerJsonParse(pIn->zClaims, pIn->nClaims, "application claims",
                         &p->pClaimsDoc, p->pErr);
    if( rc ) {
      p->zCode = "claims";
      return rc;
    }
    pDoc = p->pClaimsDoc;
    pList = ledgerJsonRoot(pDoc);
  }
  if( pList == NULL || cJSON_IsNull(pList) ) {
    p->bSkip = 1;
    if( pParts->bClaims ) return LEDGER_OK;
    return ledgerReceiptFail(p, "claims_missing",
                             "the receipt has no claims digest, and no "
                             "application claims are shown to compute it of");
  }
  rc = ledgerReceiptClaimsRead(p->pHasher, pDoc, pList, pIn, &p->claims,
                               p->pErr);
  if( rc ) {
    p->zCode = "claims";
    return rc;
  }
  if( pParts->bClaims &&
      memcmp(p->claims.aDigest, pParts->aClaims, RECEIPT_HASH) != 0 ) {
    return ledgerReceiptFail(p, "claims_mismatch",
                             "the application claims are not those that the "
                             "transaction recorded: their digest is another");
  }
  memcpy(pParts->aClaims, p->claims.aDigest, RECEIPT_HASH);
  p->bShown = 1;
  return LEDGER_OK;
}

/* Leaf and root. */
static void verifyFold(LedgerReceiptJob *p) {
  LedgerReceiptHasher *pHasher = p->pHasher;
  LedgerReceiptParts *pParts = &p->parts;
  unsigned char *aHash = p->aRoot;
  int i;
  ledgerReceiptHash(pHasher, pParts->zEvidence, pParts->nEvidence, NULL, 0,
                    aHash);
  ledgerReceiptHashStart(pHasher);
  ledgerReceiptHashAdd(pHasher, pParts->aWriteSet, RECEIPT_HASH);
  ledgerReceiptHashAdd(pHasher, aHash, RECEIPT_HASH);
  ledgerReceiptHashAdd(pHasher, pParts->aClaims, RECEIPT_HASH);
  ledgerReceiptHashEnd(pHasher, aHash);
  for( i = 0; i < pParts->nProof; i++ ) {
    const unsigned char *aLeft = pParts->abLeft[i] ? pParts->aProof[i] : aHash;
    const unsigned char *aRight = pParts->abLeft[i] ? aHash : pParts->aProof[i];
    ledgerReceiptHash(pHasher, aLeft, RECEIPT_HASH, aRight, RECEIPT_HASH,
                      aHash);
  }
}

static int verifySignature(LedgerReceiptJob *p) {
  verifyFold(p);
  return ledgerReceiptCheckSignature(p);
}

/* The last check also says what the receipt shows of the contents. */
static int verifyEntry(LedgerReceiptJob *p) {
  static const unsigned char aZero[RECEIPT_HASH] = {0};
  LedgerReceiptReport *pReport = p->pReport;
  int bEntry = p->pInput->zContents != NULL;

  if( memcmp(p->parts.aClaims, aZero, RECEIPT_HASH) == 0 ) {
    pReport->eContent = LEDGER_CONTENT_UNBOUND;
  } else if( p->bShown && p->claims.nEntry > 0 ) {
    if( bEntry && !p->claims.bMatch ) {
      return ledgerReceiptFail(p, "other_entry",
                               "receipt and claims are good, but they are of "
                               "another entry than the one in hand");
    }
    pReport->eContent = LEDGER_CONTENT_BOUND;
    p->bSkip = !bEntry;
    return LEDGER_OK;
  } else {
    /* Also where only a digest was shown: without its key it binds nothing
    ** that could be compared. */
    pReport->eContent = LEDGER_CONTENT_RECORDED;
  }
  p->bSkip = 1;
  return LEDGER_OK;
}

static const struct {
  const char *zName;
  int (*xCheck)(LedgerReceiptJob *);
} aVerify[] = {
    {"shape", ledgerReceiptCheckShape},
    {"evidence", verifyEvidence},
    {"transaction_id", verifyTransactionId},
    {"claims", verifyClaims},
    {"certificates", ledgerReceiptCheckCertificates},
    {"node_id", ledgerReceiptCheckNodeId},
    {"signature", verifySignature},
    {"endorsement", ledgerReceiptCheckEndorsement},
    {"entry", verifyEntry},
};
#define VERIFY_COUNT ((int)(sizeof(aVerify) / sizeof(aVerify[0])))

/* Where so much can't be had, no verdict is given against a receipt. */
#define VERIFY_ROOM 65536

_Static_assert(VERIFY_COUNT <= LEDGER_RECEIPT_CHECKS, "the report has room");

/* Runs the checks. LEDGER_OK also where one fails; pFail then has the reason.
*/
static int verifyRun(LedgerReceiptJob *p) {
  LedgerReceiptReport *pReport = p->pReport;
  int i, rc = LEDGER_OK;
  for( i = 0; i < VERIFY_COUNT; i++ ) {
    LedgerReceiptCheck *pCheck = &pReport->aCheck[i];
    pCheck->zName = aVerify[i].zName;
    pReport->nCheck = i + 1;
    if( rc ) continue; /* skipped, as all behind a failure */
    p->bSkip = 0;
    rc = aVerify[i].xCheck(p);
    if( rc == LEDGER_OK && p->pHasher->bFailed ) rc = ledgerErrorNomem(p->pErr);
    if( rc == LEDGER_NOMEM ) return rc;
    if( rc ) {
      pCheck->eOutcome = LEDGER_CHECK_FAILED;
      pReport->zFailed = pCheck->zName;
    } else if( !p->bSkip ) {
      pCheck->eOutcome = LEDGER_CHECK_PASSED;
    }
  }
  return LEDGER_OK;
}

/* Verifies once: LEDGER_OK and a report, or LEDGER_NOMEM and none. */
static int verifyOnce(const LedgerReceiptInput *pInput,
                      LedgerReceiptMemo *pMemo, LedgerReceiptHasher *pHasher,
                      LedgerReceiptReport *pReport) {
  LedgerError fail = LEDGER_ERROR_INIT;
  LedgerReceiptJob job;
  int i, rc;

  memset(pReport, 0, sizeof(*pReport));
  pReport->zSource = pInput->zSource;
  memset(&job, 0, sizeof(job));
  job.pInput = pInput;
  job.pMemo = pMemo;
  job.pReport = pReport;
  job.pErr = &fail;
  job.pHasher = pHasher;
  pHasher->bFailed = 0;

  ERR_clear_error(); /* what is found there afterwards is ours */
  rc = verifyRun(&job);
  ERR_clear_error(); /* what failed is told in the report alone */
  if( rc == LEDGER_OK && pReport->zFailed ) {
    pReport->zCode = job.zCode;
    pReport->zReason = ledgerStrdup(ledgerErrorText(&fail));
    if( pReport->zReason == NULL ) rc = LEDGER_NOMEM;
  } else if( rc == LEDGER_OK ) {
    pReport->bValid = 1;
    pReport->zCode = "ok";
  }
  if( rc ) ledgerReceiptReportClear(pReport);

  ledgerErrorClear(&fail);
  ledgerReceiptCertUnref(job.pNode);
  ledgerReceiptCertUnref(job.pAnchor);
  for( i = 0; i < RECEIPT_ENDORSEMENTS; i++ ) {
    ledgerReceiptCertUnref(job.apEndorsement[i]);
  }
  ledgerBufFree(&job.parts.signature);
  ledgerJsonFree(job.pClaimsDoc);
  ledgerJsonFree(job.parts.pDoc);
  return rc;
}

/* Whether a verdict may be nothing but OpenSSL's lack of memory, which it often
** takes for a bad signature, or key, and forgets. */
static int verifyDoubtful(const LedgerReceiptReport *p) {
  return p->zFailed && (strcmp(p->zFailed, "certificates") == 0 ||
                        strcmp(p->zFailed, "signature") == 0 ||
                        strcmp(p->zFailed, "endorsement") == 0);
}

int ledgerReceiptVerify(const LedgerReceiptInput *pInput,
                        LedgerReceiptMemo *pMemo, LedgerReceiptReport *pReport,
                        LedgerError *pErr) {
  LedgerReceiptHasher own = {0};
  LedgerReceiptHasher *pHasher = &own;
  void *pRoom;
  int rc;

  memset(pReport, 0, sizeof(*pReport));
  if( pInput->zReceipt == NULL || pInput->nReceipt == 0 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "there is no receipt to verify");
  }
  if( pInput->zService == NULL || pInput->nService == 0 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "a receipt proves nothing without the certificate of "
                          "the service, had from elsewhere");
  }
  if( pMemo ) {
    pHasher = ledgerReceiptMemoHasher(pMemo);
  } else {
    rc = ledgerReceiptHasherInit(&own, pErr);
    if( rc ) return rc;
  }

  rc = verifyOnce(pInput, pMemo, pHasher, pReport);
  if( rc == LEDGER_OK && verifyDoubtful(pReport) ) {
    ledgerReceiptReportClear(pReport);
    rc = verifyOnce(pInput, pMemo, pHasher, pReport);
  }
  if( rc == LEDGER_OK && verifyDoubtful(pReport) ) {
    /* (Of a malloc() that is only freed a compiler may make nothing.) */
    pRoom = OPENSSL_malloc(VERIFY_ROOM);
    if( pRoom == NULL ) {
      ledgerReceiptReportClear(pReport);
      rc = LEDGER_NOMEM;
    }
    OPENSSL_free(pRoom);
  }
  if( rc ) rc = ledgerErrorNomem(pErr);
  ledgerReceiptHasherClear(&own);
  return rc;
}
