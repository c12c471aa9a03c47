/*
** The data file: what a receipt is made of. Signatures with the certificate of
** the node that made them, and single transactions.
**
** Serves GET /app/transactions/{id}/receipt.
**
** Invariant: each read is one lookup by seqno, whatever the ledger's size.
*/
#include "emulator/store/storeInt.h"

#include <string.h>

void emuSigFree(EmuSig *p) {
  ledgerBufFree(&p->sig);
  ledgerBufFree(&p->pem);
}

int emuStoreSigAfter(EmuStore *p, int64_t iSeqno, EmuSig *pSig,
                     LedgerError *pErr) {
  sqlite3_stmt *pStmt =
      emuStoreStmt(p, pErr,
                   "SELECT s.seqno, s.view, s.root, s.signature,"
                   " s.node_cert, c.node_id, c.pem FROM signature s"
                   " JOIN node_cert c ON c.id=s.node_cert"
                   " WHERE s.seqno>?1 ORDER BY s.seqno LIMIT 1",
                   "i", iSeqno);
  if( !emuStoreStep(p, pStmt, pErr) ) {
    ledgerErrorSet(pErr, LEDGER_NOTFOUND, "no signature follows");
  } else if( sqlite3_column_bytes(pStmt, 2) != EMU_HASH ||
             sqlite3_column_bytes(pStmt, 5) != 2 * EMU_HASH ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "the data file is damaged: a hash of a wrong length");
  } else {
    pSig->id.seqno = sqlite3_column_int64(pStmt, 0);
    pSig->id.view = sqlite3_column_int64(pStmt, 1);
    memcpy(pSig->aRoot, sqlite3_column_blob(pStmt, 2), EMU_HASH);
    emuStoreColumn(pStmt, 3, &pSig->sig, pErr);
    pSig->iNodeCert = sqlite3_column_int64(pStmt, 4);
    memcpy(pSig->zNodeId, sqlite3_column_text(pStmt, 5), 2 * EMU_HASH + 1);
    emuStoreColumn(pStmt, 6, &pSig->pem, pErr);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreTxnKind(EmuStore *p, int64_t iSeqno, int *peKind,
                    LedgerError *pErr) {
  sqlite3_stmt *pStmt =
      emuStoreStmt(p, pErr, "SELECT kind FROM txn WHERE seqno=?1", "i", iSeqno);
  *peKind = -1;
  if( emuStoreStep(p, pStmt, pErr) ) *peKind = sqlite3_column_int(pStmt, 0);
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreTxnRead(EmuStore *p, int64_t iSeqno,
                    void (*x)(void *, const EmuTxn *, const unsigned char *),
                    void *pArg, LedgerError *pErr) {
  EmuTxn txn = {0};
  sqlite3_stmt *pStmt =
      emuStoreStmt(p, pErr,
                   "SELECT x.seqno, x.view, x.kind, x.claims, x.write_set,"
                   " x.tags, x.contents, c.name FROM txn x"
                   " LEFT JOIN collection c ON c.id=x.collection"
                   " WHERE x.seqno=?1",
                   "i", iSeqno);
  if( !emuStoreStep(p, pStmt, pErr) ) {
    ledgerErrorSet(pErr, LEDGER_NOTFOUND, "no such transaction");
  } else if( sqlite3_column_bytes(pStmt, 4) != EMU_HASH ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "the data file is damaged: a hash of a wrong length");
  } else {
    txn.id.seqno = sqlite3_column_int64(pStmt, 0);
    txn.id.view = sqlite3_column_int64(pStmt, 1);
    txn.eKind = sqlite3_column_int(pStmt, 2);
    txn.bClaims = sqlite3_column_int(pStmt, 3);
    txn.zTags = (const char *)sqlite3_column_text(pStmt, 5);
    txn.nTags = (size_t)sqlite3_column_bytes(pStmt, 5);
    txn.zContents = (const char *)sqlite3_column_text(pStmt, 6);
    txn.nContents = (size_t)sqlite3_column_bytes(pStmt, 6);
    txn.zCollection = (const char *)sqlite3_column_text(pStmt, 7);
    txn.nCollection = (size_t)sqlite3_column_bytes(pStmt, 7);
    x(pArg, &txn, sqlite3_column_blob(pStmt, 4));
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}
