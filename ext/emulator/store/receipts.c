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

/* Appends a column's bytes. */
static void receiptsColumn(sqlite3_stmt *pStmt, int i, LedgerBuf *pBuf) {
  ledgerBufAppend(pBuf, sqlite3_column_blob(pStmt, i),
                  (size_t)sqlite3_column_bytes(pStmt, i));
}

int emuStoreSigAfter(EmuStore *p, int64_t iSeqno, EmuSig *pSig,
                     LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(p,
                        "SELECT s.seqno, s.view, s.root, s.signature,"
                        " s.node_cert, c.node_id, c.pem FROM signature s"
                        " JOIN node_cert c ON c.id=s.node_cert"
                        " WHERE s.seqno>?1 ORDER BY s.seqno LIMIT 1",
                        &pStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_int64(pStmt, 1, iSeqno);
  switch( sqlite3_step(pStmt) ) {
    case SQLITE_ROW:
      if( sqlite3_column_bytes(pStmt, 2) != EMU_HASH ||
          sqlite3_column_bytes(pStmt, 5) != 2 * EMU_HASH ) {
        rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                            "the data file is damaged: a signature is");
        break;
      }
      pSig->id.seqno = sqlite3_column_int64(pStmt, 0);
      pSig->id.view = sqlite3_column_int64(pStmt, 1);
      memcpy(pSig->aRoot, sqlite3_column_blob(pStmt, 2), EMU_HASH);
      receiptsColumn(pStmt, 3, &pSig->sig);
      pSig->iNodeCert = sqlite3_column_int64(pStmt, 4);
      memcpy(pSig->zNodeId, sqlite3_column_text(pStmt, 5), 2 * EMU_HASH + 1);
      receiptsColumn(pStmt, 6, &pSig->pem);
      if( pSig->sig.bOom || pSig->pem.bOom ) rc = ledgerErrorNomem(pErr);
      break;
    case SQLITE_DONE:
      rc = ledgerErrorSet(pErr, LEDGER_NOTFOUND, "no signature follows");
      break;
    default: rc = emuStoreError(p, pErr); break;
  }
  sqlite3_reset(pStmt);
  return rc;
}

int emuStoreTxnKind(EmuStore *p, int64_t iSeqno, int *peKind,
                    LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(p, "SELECT kind FROM txn WHERE seqno=?1", &pStmt, pErr);
  *peKind = -1;
  if( rc ) return rc;
  sqlite3_bind_int64(pStmt, 1, iSeqno);
  switch( sqlite3_step(pStmt) ) {
    case SQLITE_ROW: *peKind = sqlite3_column_int(pStmt, 0); break;
    case SQLITE_DONE: break;
    default: rc = emuStoreError(p, pErr); break;
  }
  sqlite3_reset(pStmt);
  return rc;
}

int emuStoreTxnRead(EmuStore *p, int64_t iSeqno,
                    void (*x)(void *, const EmuTxn *, const unsigned char *),
                    void *pArg, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  EmuTxn txn = {0};
  int rc = emuStoreStmt(p,
                        "SELECT x.seqno, x.view, x.kind, x.claims, x.write_set,"
                        " x.tags, x.contents, c.name FROM txn x"
                        " LEFT JOIN collection c ON c.id=x.collection"
                        " WHERE x.seqno=?1",
                        &pStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_int64(pStmt, 1, iSeqno);
  switch( sqlite3_step(pStmt) ) {
    case SQLITE_ROW:
      if( sqlite3_column_bytes(pStmt, 4) != EMU_HASH ) {
        rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                            "the data file is damaged: a write set is");
        break;
      }
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
      break;
    case SQLITE_DONE:
      rc = ledgerErrorSet(pErr, LEDGER_NOTFOUND, "no such transaction");
      break;
    default: rc = emuStoreError(p, pErr); break;
  }
  sqlite3_reset(pStmt);
  return rc;
}
