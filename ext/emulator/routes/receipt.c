/*
** The receipt of a transaction.
**
**   GET  /app/transactions/{id}/receipt          emuRouteReceipt
**
** It shows what the first signature after the transaction signed: the path of
** its leaf in the tree of all leaves before that signature, the signature, and
** the certificate of the node that made it. Reference: ALGORITHM.md 2, 3 and 6.
**
**   from 2023-01-18-preview   camelCase; applicationClaims beside the receipt
**                             where the entry's claim was recorded;
**                             serviceEndorsements only if there are any
**   2022                      snake_case, service_endorsements always; the
**                             claims digest, but no application claims
**   0.1-preview               leaf and root in place of certificate and parts
**
** While Loading the receipt is null (2022), or has empty texts (the others).
**
** Invariants
**   - Loading first, Ready only for what is committed;
**   - the receipt never changes, but that a recovery adds an endorsement;
**   - a receipt whose path does not lead to the signed root is never given: the
**     answer is 500, the data file is damaged.
**
** Codes: those of {id} (entry.c). A signature or genesis transaction,
** which has no receipt, is 404 UnknownLedgerEntry; a transaction that registers
** a user has one, without claims.
*/
#include "emulator/routes/routesInt.h"

#include <openssl/crypto.h>
#include <string.h>

/* What is gathered for one receipt. */
typedef struct Receipt Receipt;
struct Receipt {
  Emu *pEmu;
  unsigned mVersion; /* EMU_V_* of the version asked with */
  LedgerTxid id;
  EmuShown shown;
  unsigned char aWriteSet[EMU_HASH];
  unsigned char aLeaf[EMU_HASH];
  EmuPath path;
  EmuSig sig;
  const char *zEndorsement; /* PEM or NULL; the keys' */
  LedgerBuf claims;         /* applicationClaims; empty: none */
};

/* ---- gathering --------------------------------------------------------- */

/* Takes what is shown from the transaction, and writes its claims. */
static void receiptTxn(void *pArg, const EmuTxn *pTxn,
                       const unsigned char *aWriteSet) {
  Receipt *p = pArg;
  LedgerBuf *pBuf = &p->claims;
  emuDigestShow(pTxn, p->pEmu->pKeys->aSecret, &p->shown);
  memcpy(p->aWriteSet, aWriteSet, EMU_HASH);
  emuDigestLeaf(&p->shown, aWriteSet, p->aLeaf);
  if( !pTxn->bClaims || !(p->mVersion & EMU_V_CLAIMS) ) return;
  ledgerBufText(pBuf, "[{\"kind\":\"LedgerEntry\",\"ledgerEntry\":"
                      "{\"collectionId\":");
  ledgerBufJson(pBuf, pTxn->zCollection, pTxn->nCollection);
  ledgerBufText(pBuf, ",\"contents\":");
  ledgerBufJson(pBuf, pTxn->zContents, pTxn->nContents);
  ledgerBufText(pBuf, ",\"protocol\":\"LedgerEntryV1\",\"secretKey\":\"");
  ledgerBufBase64(pBuf, p->shown.aKey, EMU_HASH);
  ledgerBufText(pBuf, "\"}}]");
}

/* Gathers everything, and checks that it fits. */
static int receiptGather(Receipt *p, LedgerError *pErr) {
  EmuStore *pStore = p->pEmu->pStore;
  unsigned char aRoot[EMU_HASH];
  int rc = emuStoreTxnRead(pStore, p->id.seqno, receiptTxn, p, pErr);
  if( rc == LEDGER_OK ) {
    rc = emuStoreSigAfter(pStore, p->id.seqno, &p->sig, pErr);
  }
  if( rc == LEDGER_OK ) {
    rc = emuTreePath(pStore, p->id.seqno, p->sig.id.seqno, &p->path, pErr);
  }
  if( rc == LEDGER_OK ) {
    rc = emuKeysEndorsement(p->pEmu->pKeys, p->sig.iNodeCert, &p->sig.pem,
                            &p->zEndorsement, pErr);
  }
  if( rc ) return rc;
  emuPathRoot(&p->path, p->aLeaf, aRoot);
  if( memcmp(aRoot, p->sig.aRoot, EMU_HASH) != 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "the data file is damaged: transaction %lld.%lld is "
                          "not what was signed",
                          (long long)p->id.view, (long long)p->id.seqno);
  }
  return p->claims.bOom ? ledgerErrorNomem(pErr) : LEDGER_OK;
}

static void receiptFree(Receipt *p) {
  if( p->claims.z ) OPENSSL_cleanse(p->claims.z, p->claims.n);
  OPENSSL_cleanse(p->shown.aKey, EMU_HASH);
  ledgerBufFree(&p->claims);
  emuSigFree(&p->sig);
}

/* ---- writing ----------------------------------------------------------- */

/* Appends "name":"hex" and what follows. */
static void receiptHex(LedgerBuf *pBuf, const char *zName,
                       const unsigned char *aHash, const char *zTail) {
  char zHex[2 * EMU_HASH + 1];
  ledgerBufPrintf(pBuf, "\"%s\":\"%s\"%s", zName,
                  ledgerHexEncode(aHash, EMU_HASH, zHex), zTail);
}

static void receiptProof(const EmuPath *p, LedgerBuf *pBuf) {
  int i;
  ledgerBufText(pBuf, "\"proof\":[");
  for( i = 0; i < p->n; i++ ) {
    ledgerBufText(pBuf, i ? ",{" : "{");
    receiptHex(pBuf, p->abLeft[i] ? "left" : "right", p->a[i], "}");
  }
  ledgerBufText(pBuf, "],");
}

/* Appends the receipt as the version has it. */
static void receiptWrite(const Receipt *p, LedgerBuf *pBuf) {
  int bCamel = (p->mVersion & EMU_V_CLAIMS) != 0;
  ledgerBufText(pBuf, "{");
  if( p->mVersion & EMU_V_LEAF_ROOT ) {
    receiptHex(pBuf, "leaf", p->aLeaf, ",");
  } else {
    ledgerBufText(pBuf, "\"cert\":");
    ledgerBufJson(pBuf, p->sig.pem.z, p->sig.pem.n);
    ledgerBufText(pBuf, bCamel ? ",\"leafComponents\":{"
                               : ",\"is_signature_transaction\":false,"
                                 "\"leaf_components\":{");
    receiptHex(pBuf, bCamel ? "claimsDigest" : "claims_digest",
               p->shown.aClaims, ",");
    ledgerBufPrintf(pBuf, "\"%s\":\"%s\",",
                    bCamel ? "commitEvidence" : "commit_evidence",
                    p->shown.zEvidence);
    receiptHex(pBuf, bCamel ? "writeSetDigest" : "write_set_digest",
               p->aWriteSet, "},");
  }
  ledgerBufPrintf(pBuf, "\"%s\":\"%s\",", bCamel ? "nodeId" : "node_id",
                  p->sig.zNodeId);
  receiptProof(&p->path, pBuf);
  if( p->mVersion & EMU_V_LEAF_ROOT ) {
    receiptHex(pBuf, "root", p->sig.aRoot, ",");
  } else if( p->zEndorsement || !bCamel ) {
    ledgerBufPrintf(pBuf, "\"%s\":[",
                    bCamel ? "serviceEndorsements" : "service_endorsements");
    if( p->zEndorsement ) {
      ledgerBufJson(pBuf, p->zEndorsement, strlen(p->zEndorsement));
    }
    ledgerBufText(pBuf, "],");
  }
  ledgerBufText(pBuf, "\"signature\":\"");
  ledgerBufBase64(pBuf, p->sig.sig.z, p->sig.sig.n);
  ledgerBufText(pBuf, "\"}");
}

/* The answer Loading. */
static void receiptLoading(EmuReq *p) {
  unsigned mVersion = p->pVersion->flags;
  p->zState = "Loading";
  ledgerBufPrintf(
      &p->body, "{\"receipt\":%s,\"state\":\"Loading\",\"transactionId\":\"\"}",
      mVersion & EMU_V_CLAIMS
          ? "{\"nodeId\":\"\",\"proof\":[],\"signature\":\"\"}"
      : mVersion & EMU_V_LEAF_ROOT
          ? "{\"leaf\":\"\",\"node_id\":\"\",\"proof\":[],\"root\":\"\","
            "\"signature\":\"\"}"
          : "null");
}

/* Appends applicationClaims, if any, and receipt as members of an object. */
static int receiptMembers(Emu *pEmu, unsigned mVersion, LedgerTxid id,
                          LedgerBuf *pBuf, LedgerError *pErr) {
  Receipt receipt = {0};
  int rc;
  receipt.pEmu = pEmu;
  receipt.mVersion = mVersion;
  receipt.id = id;
  rc = receiptGather(&receipt, pErr);
  if( rc == LEDGER_OK ) {
    if( receipt.claims.n ) {
      ledgerBufText(pBuf, "\"applicationClaims\":");
      ledgerBufAppend(pBuf, receipt.claims.z, receipt.claims.n);
      ledgerBufText(pBuf, ",");
    }
    ledgerBufText(pBuf, "\"receipt\":");
    receiptWrite(&receipt, pBuf);
    if( pBuf->bOom ) rc = ledgerErrorNomem(pErr);
  }
  receiptFree(&receipt);
  return rc;
}

/* ---- the route --------------------------------------------------------- */

/* 1 when the committed transaction is one that has a receipt; else the answer
** is made. */
static int receiptThere(EmuReq *p, LedgerTxid id) {
  LedgerError err = LEDGER_ERROR_INIT;
  int eKind = -1;
  if( emuStoreTxnKind(p->pEmu->pStore, id.seqno, &eKind, &err) ) {
    emuReqFail(p, &err);
  } else if( eKind == EMU_SIGNATURE || eKind == EMU_GENESIS ) {
    emuReqError(p, 404, "UnknownLedgerEntry",
                "Transaction %s is the ledger's own and has no receipt",
                p->aSegment[2].z);
  } else {
    return 1;
  }
  return 0;
}

void emuRouteReceipt(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerTxid id;
  char zId[LEDGER_TXID_MAX];
  if( !emuRouteTxid(p, &p->aSegment[2], "path segment", &id) ||
      !emuRouteTxidCommitted(p, id) || !receiptThere(p, id) ) {
    return;
  }
  p->iStatus = 200;
  if( !emuWarmReady(p->pEmu->pWarmReceipt, id.seqno, id.seqno) ) {
    receiptLoading(p);
    return;
  }
  p->zState = "Ready";
  ledgerBufText(&p->body, "{");
  if( receiptMembers(p->pEmu, p->pVersion->flags, id, &p->body, &err) ) {
    p->zState = NULL;
    emuReqFail(p, &err);
  } else {
    ledgerBufPrintf(&p->body, ",\"state\":\"Ready\",\"transactionId\":\"%s\"}",
                    ledgerTxidFormat(id, zId));
  }
}

void emuReceiptInline(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  ledgerBufText(&p->body, ",");
  if( receiptMembers(p->pEmu, p->pVersion->flags, p->id, &p->body, &err) ) {
    p->zState = NULL;
    emuReqFail(p, &err);
  } else {
    ledgerBufText(&p->body, ",\"state\":\"Committed\"}");
  }
}
