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

/* ---- transactions ------------------------------------------------------ */

int emuStoreTxnPut(EmuStore *p, const EmuTxn *pTxn, int64_t iCollection,
                   const unsigned char *aWriteSet, LedgerError *pErr) {
  return emuStoreRun(
      p, pErr, "INSERT INTO txn VALUES(?1,?2,?3,nullif(?4,0),?5,?6,?7,?8)",
      "iididbnt", pTxn->id.seqno, pTxn->id.view, pTxn->eKind, iCollection,
      pTxn->bClaims, aWriteSet, EMU_HASH, pTxn->zTags, pTxn->nTags,
      pTxn->zContents, pTxn->nContents);
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
  sqlite3_stmt *pStmt = emuStoreStmt(
      p, pErr, "SELECT seqno, view FROM txn WHERE seqno=?1", "i", iSeqno);
  return entriesTxid(p, pStmt, pId, pErr);
}

int emuStoreTxnLast(EmuStore *p, LedgerTxid *pId, LedgerError *pErr) {
  sqlite3_stmt *pStmt = emuStoreStmt(
      p, pErr, "SELECT seqno, view FROM txn ORDER BY seqno DESC LIMIT 1", "");
  return entriesTxid(p, pStmt, pId, pErr);
}

/* ---- collections ------------------------------------------------------- */

int emuStoreCollection(EmuStore *p, const char *z, size_t n, int64_t *pi,
                       LedgerError *pErr) {
  return emuStoreNumber(p, pErr, pi, "SELECT id FROM collection WHERE name=?1",
                        "t", z, n);
}

int emuStoreCollectionNew(EmuStore *p, const char *z, size_t n, int64_t iSeqno,
                          int64_t *pi, LedgerError *pErr) {
  return emuStoreNumber(
      p, pErr, pi,
      "INSERT INTO collection(name, first_seqno) VALUES(?1,?2) RETURNING id",
      "ti", z, n, iSeqno);
}

int emuStoreCollectionCount(EmuStore *p, int64_t *pn, LedgerError *pErr) {
  return emuStoreNumber(p, pErr, pn,
                        "SELECT count(*) FROM collection"
                        " WHERE name<>'" EMU_DEFAULT_COLLECTION "'",
                        "");
}

int emuStoreCollectionList(EmuStore *p, int64_t iAfter, int64_t iTo, int nMax,
                           void (*x)(void *, int64_t, const char *, size_t),
                           void *pArg, LedgerError *pErr) {
  sqlite3_stmt *pStmt =
      emuStoreStmt(p, pErr,
                   "SELECT id, name FROM collection WHERE id>?1"
                   " AND first_seqno<=?2 ORDER BY id LIMIT ?3",
                   "iid", iAfter, iTo, nMax);
  while( emuStoreStep(p, pStmt, pErr) ) {
    EmuText name = emuStoreText(pStmt, 1);
    x(pArg, sqlite3_column_int64(pStmt, 0), name.z, name.n);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

/* ---- tags -------------------------------------------------------------- */

int emuStoreTagList(EmuStore *p, int64_t iCollection, int64_t iTo,
                    void (*x)(void *, const char *, size_t), void *pArg,
                    LedgerError *pErr) {
  sqlite3_stmt *pStmt = emuStoreStmt(p, pErr,
                                     "SELECT tag FROM tag WHERE collection=?1"
                                     " AND first_seqno<=?2 ORDER BY tag",
                                     "ii", iCollection, iTo);
  while( emuStoreStep(p, pStmt, pErr) ) {
    EmuText tag = emuStoreText(pStmt, 0);
    x(pArg, tag.z, tag.n);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreTagKnown(EmuStore *p, int64_t iCollection, const char *z, size_t n,
                     int *pb, LedgerError *pErr) {
  int64_t i;
  emuStoreNumber(p, pErr, &i,
                 "SELECT 1 FROM tag WHERE collection=?1 AND tag=?2 LIMIT 1",
                 "it", iCollection, z, n);
  *pb = i != 0;
  return pErr->rc;
}

int emuStoreTagCount(EmuStore *p, int64_t *pn, LedgerError *pErr) {
  return emuStoreNumber(p, pErr, pn, "SELECT count(*) FROM tag", "");
}

int emuStoreTagPut(EmuStore *p, int64_t iCollection, const char *z, size_t n,
                   int64_t iSeqno, LedgerError *pErr) {
  int rc = emuStoreRun(p, pErr, "INSERT OR IGNORE INTO tag VALUES(?1,?2,?3)",
                       "iti", iCollection, z, n, iSeqno);
  return rc ? rc
            : emuStoreRun(p, pErr,
                          "INSERT OR IGNORE INTO entry_tag VALUES(?1,?2,?3)",
                          "iti", iCollection, z, n, iSeqno);
}

/* ---- entries ----------------------------------------------------------- */

/* The seqnos of a range with a tag (?4), and of one without. */
#define ENTRIES_TAGGED                                                \
  " FROM entry_tag AS t CROSS JOIN txn USING(seqno)"                  \
  " WHERE t.collection=?1 AND t.seqno BETWEEN ?2 AND ?3 AND t.tag=?4" \
  " ORDER BY t.seqno"
#define ENTRIES_ALL                                         \
  " FROM txn INDEXED BY txn_collection WHERE collection=?1" \
  " AND seqno BETWEEN ?2 AND ?3 ORDER BY seqno"

int emuStoreRangeNth(EmuStore *p, const EmuRange *pRange, int n,
                     int64_t *piSeqno, LedgerError *pErr) {
  return emuStoreNumber(p, pErr, piSeqno,
                        pRange->zTag
                            ? "SELECT seqno" ENTRIES_TAGGED " LIMIT 1 OFFSET ?5"
                            : "SELECT seqno" ENTRIES_ALL " LIMIT 1 OFFSET ?5",
                        "iiind", pRange->iCollection, pRange->iFrom,
                        pRange->iTo, pRange->zTag, pRange->nTag, n);
}

/* The entry in the columns seqno, view, contents, tags of a row. */
static void entriesRow(sqlite3_stmt *pStmt, EmuEntry *pEntry) {
  const EmuText contents = emuStoreText(pStmt, 2);
  pEntry->id.seqno = sqlite3_column_int64(pStmt, 0);
  pEntry->id.view = sqlite3_column_int64(pStmt, 1);
  pEntry->zContents = contents.z;
  pEntry->nContents = contents.n;
  pEntry->zTags = (const char *)sqlite3_column_text(pStmt, 3);
  pEntry->nTags = (size_t)sqlite3_column_bytes(pStmt, 3);
}

int emuStoreRangeRead(EmuStore *p, const EmuRange *pRange,
                      void (*x)(void *, const EmuEntry *), void *pArg,
                      LedgerError *pErr) {
  EmuEntry entry;
  sqlite3_stmt *pStmt = emuStoreStmt(
      p, pErr,
      pRange->zTag ? "SELECT seqno, view, contents, tags" ENTRIES_TAGGED
                   : "SELECT seqno, view, contents, tags" ENTRIES_ALL,
      pRange->zTag ? "iiit" : "iii", pRange->iCollection, pRange->iFrom,
      pRange->iTo, pRange->zTag, pRange->nTag);
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
  EmuEntry entry;
  sqlite3_stmt *pStmt =
      emuStoreStmt(p, pErr,
                   "SELECT seqno, view, contents, tags FROM txn"
                   " INDEXED BY txn_collection WHERE collection=?1"
                   " AND seqno<=?2 ORDER BY seqno DESC LIMIT 1",
                   "ii", iCollection, iSeqno);
  *pbFound = 0;
  if( emuStoreStep(p, pStmt, pErr) ) {
    entriesRow(pStmt, &entry);
    x(pArg, &entry);
    *pbFound = 1;
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}
