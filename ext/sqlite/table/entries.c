/*
** The table ledger_entries.
**
**     SELECT transaction_id, contents FROM ledger_entries
**      WHERE sub_ledger = 'A' AND transaction_id > '2.15';
**     INSERT INTO ledger_entries(contents, sub_ledger) VALUES('hello', 'A');
**     CREATE VIRTUAL TABLE temp.a USING ledger_entries(ledger='main',
**                                                      sub_ledger='A');
**
** Schema:
**     CREATE TABLE x(transaction_id TEXT COLLATE ledger_txid, sub_ledger TEXT,
**                    contents TEXT, tags TEXT, ledger TEXT HIDDEN,
**                    view INTEGER HIDDEN, seqno INTEGER HIDDEN)
** rowid is the ledger's slot << 48 | seqno.
**
** Plans (read/plan.c) and their requests:
**     transaction_id=  -in    GET /app/transactions/{id}[?collectionId=]
**     sub_ledger=             GET /app/transactions?collectionId=
**     transaction_id> < ...   ... &fromTransactionId= &toTransactionId=
**     tags-match              ... &tag=
**     all sub-ledgers         GET /app/collections, then each range
**     INSERT                  POST /app/transactions, when COMMIT comes
**
** Invariants: a condition never changes what the table means, only what it
** costs; entries are append-only; xBestIndex and xConnect make no request.
*/
#include "sqlite/table/table.h"

#include <string.h>

/* The columns of ledger_entries. */
enum {
  ENTRIES_TRANSACTION_ID = 0,
  ENTRIES_SUB_LEDGER,
  ENTRIES_CONTENTS,
  ENTRIES_TAGS,
  ENTRIES_LEDGER,
  ENTRIES_VIEW,
  ENTRIES_SEQNO
};

static const LedgerColumn aEntriesColumn[] = {
    {"transaction_id", "TEXT COLLATE ledger_txid", 0, "transactionId",
     "id of the transaction, view.seqno"},
    {"sub_ledger", "TEXT", 0, "collectionId",
     "the sub-ledger (collection) that it was appended to"},
    {"contents", "TEXT", 0, "contents", "what was appended"},
    {"tags", "TEXT", 0, "tags", "a JSON array; MATCH asks for them"},
    LEDGER_COLUMN_LEDGER,
    {"view", "INTEGER", 1, NULL, "view of the id"},
    {"seqno", "INTEGER", 1, NULL, "seqno of the id"},
    {NULL, NULL, 0, NULL, NULL}};

static void entriesColumn(const LedgerEntryRow *pRow, sqlite3_context *pCtx,
                          int iCol) {
  const LedgerEntry *pEntry = &pRow->entry;
  switch( iCol ) {
    case ENTRIES_SUB_LEDGER:
      sqlite3_result_text(pCtx, pEntry->zSubLedger, -1, SQLITE_TRANSIENT);
      break;
    case ENTRIES_CONTENTS:
      sqlite3_result_text64(pCtx, pEntry->zContents, pEntry->nContents,
                            SQLITE_TRANSIENT, SQLITE_UTF8);
      break;
    case ENTRIES_TAGS:
      sqlite3_result_text(pCtx, pEntry->zTags, -1, SQLITE_TRANSIENT);
      break;
    case ENTRIES_VIEW: sqlite3_result_int64(pCtx, pEntry->id.view); break;
    case ENTRIES_SEQNO: sqlite3_result_int64(pCtx, pEntry->id.seqno); break;
    default: break;
  }
}

/* The name a row of INSERT gives for a column that the table may fix. */
static int entriesName(const char *zColumn, const char *zFixed,
                       sqlite3_value *pVal, const char **pz, int *pn,
                       LedgerError *pErr) {
  int eType = sqlite3_value_type(pVal);
  *pz = zFixed;
  *pn = zFixed ? (int)strlen(zFixed) : 0;
  if( eType == SQLITE_NULL ) return LEDGER_OK;
  if( eType == SQLITE_BLOB ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "%s: a BLOB is not a name",
                          zColumn);
  }
  *pz = (const char *)sqlite3_value_text(pVal);
  *pn = sqlite3_value_bytes(pVal);
  if( *pz == NULL ) return ledgerErrorNomem(pErr);
  if( strlen(*pz) != (size_t)*pn ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "%s: it can't hold a NUL",
                          zColumn);
  }
  if( zFixed && strcmp(*pz, zFixed) != 0 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "%s: this table is declared for '%s', not for '%s'",
                          zColumn, zFixed, *pz);
  }
  return LEDGER_OK;
}

/* Validates one row of INSERT and queues it. apCol are the columns' values. */
static int entriesInsert(LedgerTable *p, sqlite3_value *pRowid,
                         sqlite3_value **apCol, sqlite3_int64 *piRowid,
                         LedgerError *pErr) {
  static const struct {
    int iCol;
    const char *zName;
  } aGiven[] = {{ENTRIES_TRANSACTION_ID, "transaction_id"},
                {ENTRIES_VIEW, "view"},
                {ENTRIES_SEQNO, "seqno"}};
  const char *zLedger, *zSub;
  int nLedger, nSub, rc;
  size_t i;
  Ledger *pLedger;
  LedgerQueued *pRow;

  if( sqlite3_value_type(pRowid) != SQLITE_NULL ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "rowid: the ledger assigns it");
  }
  for( i = 0; i < sizeof(aGiven) / sizeof(aGiven[0]); i++ ) {
    if( sqlite3_value_type(apCol[aGiven[i].iCol]) == SQLITE_NULL ) continue;
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "%s: the ledger assigns it",
                          aGiven[i].zName);
  }
  rc = entriesName("column ledger", p->zLedger, apCol[ENTRIES_LEDGER], &zLedger,
                   &nLedger, pErr);
  if( rc ) return rc;
  rc = entriesName("sub_ledger", p->zSubLedger, apCol[ENTRIES_SUB_LEDGER],
                   &zSub, &nSub, pErr);
  if( rc ) return rc;
  rc = ledgerConnFindToWrite(p->pConn, zLedger, !p->guard.bFile,
                             "column ledger", &pLedger, pErr);
  if( rc ) return rc;
  rc = ledgerQueuedNew(p->pConn, pLedger, apCol[ENTRIES_CONTENTS], zSub, nSub,
                       apCol[ENTRIES_TAGS], &pRow, pErr);
  if( rc ) return rc;
  pRow->pOwner = &p->savepoints;
  *piRowid = pRow->n;
  return ledgerQueueAdd(p->pConn, pRow, pErr);
}

static int entriesUpdate(LedgerTable *p, int argc, sqlite3_value **argv,
                         sqlite3_int64 *piRowid, LedgerError *pErr) {
  if( argc == 1 || sqlite3_value_type(argv[0]) != SQLITE_NULL ) {
    return ledgerErrorSet(pErr, LEDGER_READONLY, "entries are append-only");
  }
  return entriesInsert(p, argv[1], argv + 2, piRowid, pErr);
}

static const LedgerEntryTable entriesTable = {
    .plan = {{ENTRIES_TRANSACTION_ID, ENTRIES_SUB_LEDGER, ENTRIES_TAGS,
              ENTRIES_LEDGER, ENTRIES_VIEW, ENTRIES_SEQNO},
             0},
    .pSource = &ledgerScanRows,
    .xColumn = entriesColumn,
};

const LedgerTableSpec ledgerTableEntries = {
    .zName = "ledger_entries",
    .zDoc = "the entries; INSERT appends",
    .aColumn = aEntriesColumn,
    .zRequest = "GET /app/transactions",
    .zWrites = "INSERT",
    .bSlices = 1,
    .xUpdate = entriesUpdate,
    .pEntries = &entriesTable,
    .xRegister = ledgerEntryTableRegister,
    .zCost =
        "1 per page of at most 1,000 entries, and 1 or 2 for how far the "
        "ledger is committed; without sub_ledger the list of sub-ledgers too. "
        "An INSERT is 1 at COMMIT, and GET .../status until all is committed",
    .zExample = "INSERT INTO ledger_entries(contents, sub_ledger)\n"
                "  VALUES('Bob pays Carol 4', 'payments');\n"
                "SELECT transaction_id, contents FROM ledger_entries\n"
                " WHERE sub_ledger = 'payments' AND transaction_id > '2.3';",
    .zFails = "DELETE FROM ledger_entries;",
};
