/*
** The data file: transactions, and the entries, collections and tags in them.
**
** Serves what POST and GET /app/transactions, /app/collections and
** /app/collections/tags read and write.
**
** Invariants
**   - reads see what is pending too: it is the caller who bounds them by the
**     committed head's seqno, or doesn't (limits, /current);
**   - an entry has a collection number; other transactions have NULL.
*/
#include "emulator/store/storeInt.h"

#include <string.h>

/* Binds text that may be empty but is not NULL. */
static void entriesBindText(sqlite3_stmt *pStmt, int i, const char *z,
                            size_t n) {
  sqlite3_bind_text(pStmt, i, n ? z : "", (int)n, SQLITE_STATIC);
}

/* ---- transactions ------------------------------------------------------ */

int emuStoreTxnPut(EmuStore *p, const EmuTxn *pTxn, int64_t iCollection,
                   const unsigned char *aWriteSet, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(p, "INSERT INTO txn VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
                        &pStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_int64(pStmt, 1, pTxn->id.seqno);
  sqlite3_bind_int64(pStmt, 2, pTxn->id.view);
  sqlite3_bind_int(pStmt, 3, pTxn->eKind);
  if( iCollection ) sqlite3_bind_int64(pStmt, 4, iCollection);
  sqlite3_bind_int(pStmt, 5, pTxn->bClaims);
  sqlite3_bind_blob(pStmt, 6, aWriteSet, EMU_HASH, SQLITE_STATIC);
  if( pTxn->zTags ) entriesBindText(pStmt, 7, pTxn->zTags, pTxn->nTags);
  entriesBindText(pStmt, 8, pTxn->zContents, pTxn->nContents);
  return emuStoreRun(p, pStmt, pErr);
}

/* The id in columns seqno, view of a statement that gives one row or none. */
static int entriesTxid(EmuStore *p, sqlite3_stmt *pStmt, LedgerTxid *pId,
                       LedgerError *pErr) {
  memset(pId, 0, sizeof(*pId));
  if( emuStoreStep(p, pStmt, pErr) ) {
    pId->seqno = sqlite3_column_int64(pStmt, 0);
    pId->view = sqlite3_column_int64(pStmt, 1);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreTxnAt(EmuStore *p, int64_t iSeqno, LedgerTxid *pId,
                  LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(p, "SELECT seqno, view FROM txn WHERE seqno=?1", &pStmt,
                        pErr);
  if( rc ) return rc;
  sqlite3_bind_int64(pStmt, 1, iSeqno);
  return entriesTxid(p, pStmt, pId, pErr);
}

int emuStoreTxnLast(EmuStore *p, LedgerTxid *pId, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc =
      emuStoreStmt(p, "SELECT seqno, view FROM txn ORDER BY seqno DESC LIMIT 1",
                   &pStmt, pErr);
  return rc ? rc : entriesTxid(p, pStmt, pId, pErr);
}

/* ---- collections ------------------------------------------------------- */

int emuStoreCollection(EmuStore *p, const char *z, size_t n, int64_t *pi,
                       LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc =
      emuStoreStmt(p, "SELECT id FROM collection WHERE name=?1", &pStmt, pErr);
  if( rc ) return rc;
  entriesBindText(pStmt, 1, z, n);
  return emuStoreNumber(p, pStmt, pi, pErr);
}

int emuStoreCollectionNew(EmuStore *p, const char *z, size_t n, int64_t iSeqno,
                          int64_t *pi, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(
      p, "INSERT INTO collection(name, first_seqno) VALUES(?1,?2) RETURNING id",
      &pStmt, pErr);
  if( rc ) return rc;
  entriesBindText(pStmt, 1, z, n);
  sqlite3_bind_int64(pStmt, 2, iSeqno);
  return emuStoreNumber(p, pStmt, pi, pErr);
}

int emuStoreCollectionCount(EmuStore *p, int64_t *pn, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(p,
                        "SELECT count(*) FROM collection"
                        " WHERE name<>'" EMU_DEFAULT_COLLECTION "'",
                        &pStmt, pErr);
  return rc ? rc : emuStoreNumber(p, pStmt, pn, pErr);
}

int emuStoreCollectionList(EmuStore *p, int64_t iAfter, int64_t iTo, int nMax,
                           void (*x)(void *, int64_t, const char *, size_t),
                           void *pArg, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc;
  rc = emuStoreStmt(p,
                    "SELECT id, name FROM collection WHERE id>?1"
                    " AND first_seqno<=?2 ORDER BY id LIMIT ?3",
                    &pStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_int64(pStmt, 1, iAfter);
  sqlite3_bind_int64(pStmt, 2, iTo);
  sqlite3_bind_int(pStmt, 3, nMax);
  while( emuStoreStep(p, pStmt, pErr) ) {
    x(pArg, sqlite3_column_int64(pStmt, 0),
      (const char *)sqlite3_column_text(pStmt, 1),
      (size_t)sqlite3_column_bytes(pStmt, 1));
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

/* ---- tags -------------------------------------------------------------- */

int emuStoreTagList(EmuStore *p, int64_t iCollection, int64_t iTo,
                    void (*x)(void *, const char *, size_t), void *pArg,
                    LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc;
  rc = emuStoreStmt(p,
                    "SELECT tag FROM tag WHERE collection=?1"
                    " AND first_seqno<=?2 ORDER BY tag",
                    &pStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_int64(pStmt, 1, iCollection);
  sqlite3_bind_int64(pStmt, 2, iTo);
  while( emuStoreStep(p, pStmt, pErr) ) {
    x(pArg, (const char *)sqlite3_column_text(pStmt, 0),
      (size_t)sqlite3_column_bytes(pStmt, 0));
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreTagKnown(EmuStore *p, int64_t iCollection, const char *z, size_t n,
                     int *pb, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int64_t i = 0;
  int rc = emuStoreStmt(
      p, "SELECT 1 FROM tag WHERE collection=?1 AND tag=?2 LIMIT 1", &pStmt,
      pErr);
  if( rc ) return rc;
  sqlite3_bind_int64(pStmt, 1, iCollection);
  entriesBindText(pStmt, 2, z, n);
  rc = emuStoreNumber(p, pStmt, &i, pErr);
  *pb = i != 0;
  return rc;
}

int emuStoreTagCount(EmuStore *p, int64_t *pn, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(p, "SELECT count(*) FROM tag", &pStmt, pErr);
  return rc ? rc : emuStoreNumber(p, pStmt, pn, pErr);
}

int emuStoreTagPut(EmuStore *p, int64_t iCollection, const char *z, size_t n,
                   int64_t iSeqno, LedgerError *pErr) {
  static const char *const azSql[2] = {
      "INSERT OR IGNORE INTO tag VALUES(?1,?2,?3)",
      "INSERT OR IGNORE INTO entry_tag VALUES(?1,?2,?3)"};
  sqlite3_stmt *pStmt;
  int i, rc = LEDGER_OK;
  for( i = 0; i < 2 && rc == LEDGER_OK; i++ ) {
    rc = emuStoreStmt(p, azSql[i], &pStmt, pErr);
    if( rc ) break;
    sqlite3_bind_int64(pStmt, 1, iCollection);
    entriesBindText(pStmt, 2, z, n);
    sqlite3_bind_int64(pStmt, 3, iSeqno);
    rc = emuStoreRun(p, pStmt, pErr);
  }
  return rc;
}

/* ---- entries ----------------------------------------------------------- */

/* Binds a range: ?1 collection, ?2 from, ?3 to, ?4 tag. */
static void entriesBindRange(sqlite3_stmt *pStmt, const EmuRange *pRange) {
  sqlite3_bind_int64(pStmt, 1, pRange->iCollection);
  sqlite3_bind_int64(pStmt, 2, pRange->iFrom);
  sqlite3_bind_int64(pStmt, 3, pRange->iTo);
  if( pRange->zTag ) entriesBindText(pStmt, 4, pRange->zTag, pRange->nTag);
}

int emuStoreRangeNth(EmuStore *p, const EmuRange *pRange, int n,
                     int64_t *piSeqno, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc;
  if( pRange->zTag ) {
    rc = emuStoreStmt(
        p,
        "SELECT seqno FROM entry_tag WHERE collection=?1 AND tag=?4"
        " AND seqno BETWEEN ?2 AND ?3"
        " ORDER BY seqno LIMIT 1 OFFSET ?5",
        &pStmt, pErr);
  } else {
    rc = emuStoreStmt(p,
                      "SELECT seqno FROM txn INDEXED BY txn_collection"
                      " WHERE collection=?1 AND seqno BETWEEN ?2 AND ?3"
                      " ORDER BY seqno LIMIT 1 OFFSET ?5",
                      &pStmt, pErr);
  }
  if( rc ) return rc;
  entriesBindRange(pStmt, pRange);
  sqlite3_bind_int(pStmt, 5, n);
  return emuStoreNumber(p, pStmt, piSeqno, pErr);
}

/* The entry in the columns seqno, view, contents, tags of a row. */
static void entriesRow(sqlite3_stmt *pStmt, EmuEntry *pEntry) {
  pEntry->id.seqno = sqlite3_column_int64(pStmt, 0);
  pEntry->id.view = sqlite3_column_int64(pStmt, 1);
  pEntry->zContents = (const char *)sqlite3_column_text(pStmt, 2);
  pEntry->nContents = (size_t)sqlite3_column_bytes(pStmt, 2);
  pEntry->zTags = (const char *)sqlite3_column_text(pStmt, 3);
  pEntry->nTags = (size_t)sqlite3_column_bytes(pStmt, 3);
}

int emuStoreRangeRead(EmuStore *p, const EmuRange *pRange,
                      void (*x)(void *, const EmuEntry *), void *pArg,
                      LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  EmuEntry entry;
  int rc;
  if( pRange->zTag ) {
    rc = emuStoreStmt(
        p,
        "SELECT x.seqno, x.view, x.contents, x.tags FROM entry_tag t"
        " CROSS JOIN txn x ON x.seqno=t.seqno"
        " WHERE t.collection=?1 AND t.tag=?4"
        " AND t.seqno BETWEEN ?2 AND ?3 ORDER BY t.seqno",
        &pStmt, pErr);
  } else {
    rc = emuStoreStmt(p,
                      "SELECT seqno, view, contents, tags FROM txn"
                      " INDEXED BY txn_collection WHERE collection=?1"
                      " AND seqno BETWEEN ?2 AND ?3 ORDER BY seqno",
                      &pStmt, pErr);
  }
  if( rc ) return rc;
  entriesBindRange(pStmt, pRange);
  while( emuStoreStep(p, pStmt, pErr) ) {
    entriesRow(pStmt, &entry);
    x(pArg, &entry);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreEntryAt(EmuStore *p, int64_t iCollection, int64_t iSeqno,
                    void (*x)(void *, const EmuEntry *), void *pArg,
                    int *pbFound, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  EmuEntry entry;
  int rc = emuStoreStmt(p,
                        "SELECT seqno, view, contents, tags FROM txn"
                        " INDEXED BY txn_collection WHERE collection=?1"
                        " AND seqno<=?2 ORDER BY seqno DESC LIMIT 1",
                        &pStmt, pErr);
  *pbFound = 0;
  if( rc ) return rc;
  sqlite3_bind_int64(pStmt, 1, iCollection);
  sqlite3_bind_int64(pStmt, 2, iSeqno);
  if( emuStoreStep(p, pStmt, pErr) ) {
    entriesRow(pStmt, &entry);
    x(pArg, &entry);
    *pbFound = 1;
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}
