/*
** The table ledger_appends: what this connection appended or is about to, and
** what became of it. It survives ROLLBACK, makes no request, and keeps the
** last transaction whole and 10,000 older rows.
**
**     SELECT transaction_id, state FROM ledger_appends ORDER BY n DESC LIMIT 1;
**     SELECT state, contents, error FROM ledger_appends
**      WHERE state <> 'committed';
**
** contents is NULL once committed, and where more than 4 MiB have been kept
** since.
**
** state: queued (waits for COMMIT), sending, pending (accepted, commit not
** seen), committed, refused, lost (a change of view took it back), unknown
** (sent, and no answer came).
*/
#include "sqlite/table/table.h"

static int appendsRow(LedgerCells *pCells, const LedgerQueued *pRow,
                      LedgerError *pErr) {
  char zId[LEDGER_TXID_MAX];
  char *zError = pRow->zError ? ledgerErrorMessage("%s", pRow->zError) : NULL;
  const char *azCell[9];
  int rc;
  azCell[0] = NULL;
  azCell[1] = pRow->pKind ? pRow->pKind->zName : "append";
  azCell[2] = pRow->zLedger;
  azCell[3] = pRow->zSubLedger;
  azCell[4] = pRow->id.seqno ? ledgerTxidFormat(pRow->id, zId) : NULL;
  azCell[5] = ledgerAppendedStateName(pRow->eState);
  azCell[6] = zError;
  azCell[7] = NULL;
  azCell[8] = pRow->zKey;
  rc = ledgerCellsTexts(pCells, azCell, 9, pErr);
  sqlite3_free(zError);
  if( rc == LEDGER_OK && pRow->pKind == NULL && pRow->zContents ) {
    rc = ledgerCellsTextN(pCells, 7, pRow->zContents, pRow->nContents, pErr);
  }
  if( rc == LEDGER_OK ) ledgerCellsInt(pCells, 0, pRow->n);
  return rc;
}

static int appendsRead(LedgerCells *pCells, LedgerConn *pConn, Ledger *pLedger,
                       int nKey, char **azKey, LedgerError *pErr) {
  const LedgerQueued *pRow;
  int rc = LEDGER_OK;
  (void)pLedger;
  (void)nKey;
  (void)azKey;
  for( pRow = pConn->appended.pFirst; pRow && rc == LEDGER_OK;
       pRow = pRow->pNext ) {
    rc = appendsRow(pCells, pRow, pErr);
  }
  for( pRow = pConn->queue.pFirst; pRow && rc == LEDGER_OK;
       pRow = pRow->pNext ) {
    rc = appendsRow(pCells, pRow, pErr);
  }
  return rc;
}

static const LedgerColumn aAppendsColumn[] = {
    {"n", "INTEGER", 0, NULL, "number within this connection, ascending"},
    {"kind", "TEXT", 0, NULL, "append, user, role, function or endpoint"},
    {"ledger", "TEXT", 0, NULL, "name of the attached ledger"},
    {"sub_ledger", "TEXT", 0, NULL, "of an append; else NULL"},
    {"transaction_id", "TEXT COLLATE ledger_txid", 0, NULL,
     "the id the ledger gave, or NULL"},
    {"state", "TEXT", 0, NULL,
     "queued, sending, pending, committed, refused, lost or unknown"},
    {"error", "TEXT", 0, NULL, "what went wrong, or NULL"},
    {"contents", "TEXT", 0, NULL,
     "of an append that is not committed; of many the newest"},
    {"key", "TEXT", 1, NULL, "what was changed: user id, name of a role, ..."},
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableAppends = {
    .zName = "ledger_appends",
    .zDoc = "what this connection appended or changed, or is about to",
    .aColumn = aAppendsColumn,
    .zRequest = "none",
    .xRead = appendsRead,
    .zCost = "none",
    .zExample = "BEGIN;\n"
                "INSERT INTO ledger_entries(contents, sub_ledger)\n"
                "  VALUES('x', 'messages');\n"
                "SELECT n, kind, sub_ledger, state FROM ledger_appends;\n"
                "ROLLBACK;",
    .zFails = "DELETE FROM ledger_appends;",
};
