/*
** The table ledger_progress: what the statements of this process are doing that
** wait for a ledger, or have waited, by whichever connection. It makes no
** request. Those of a ledger whose option progress is off don't stand here.
**
**     SELECT operation, entries, sent, rows, waits_for FROM ledger_progress;
*/
#include "sqlite/table/table.h"

#include <stdlib.h>

static int progressRead(LedgerCells *pCells, LedgerConn *pConn, Ledger *pLedger,
                        int nKey, char **azKey, LedgerError *pErr) {
  LedgerProgressRow *aRow = NULL;
  int i, k, n = 0;
  (void)pConn;
  (void)pLedger;
  (void)nKey;
  (void)azKey;
  ledgerProgressRows(&aRow, &n, pErr);
  for( i = 0; i < n && pErr->rc == LEDGER_OK; i++ ) {
    const LedgerProgressRow *p = &aRow[i];
    if( ledgerCellsRow(pCells, pErr) ||
        ledgerCellsText(pCells, 1, p->zOperation, pErr) ||
        ledgerCellsText(pCells, 2, p->zLedger, pErr) ||
        ledgerCellsText(pCells, 10, p->zWaits, pErr) ) {
      break;
    }
    ledgerCellsInt(pCells, 0, p->iConnection);
    ledgerCellsInt(pCells, 3, ledgerClockMs() - p->tStart);
    for( k = 0; k < LEDGER_PROGRESS_COUNTS; k++ ) {
      ledgerCellsInt(pCells, 4 + k, p->aCount[k]);
    }
    ledgerCellsInt(pCells, 11, p->nRetry);
    if( p->msLeft >= 0 ) ledgerCellsInt(pCells, 12, p->msLeft);
  }
  free(aRow);
  return pErr->rc;
}

static const LedgerColumn aProgressColumn[] = {
    {"connection", "INTEGER", 0, NULL, "whose it is: a number in this process"},
    {"operation", "TEXT", 0, NULL, "ledger_entries, ledger_flush, COMMIT, ..."},
    {"ledger", "TEXT", 0, NULL, "the ledger that it waited for last"},
    {"elapsed_ms", "INTEGER", 0, NULL, "since it began"},
    {"requests", "INTEGER", 0, NULL, "answered, or given up"},
    {"entries", "INTEGER", 0, NULL, "that came"},
    {"pages", "INTEGER", 0, NULL, "of entries that came"},
    {"receipts", "INTEGER", 0, NULL, "that came"},
    {"sent", "INTEGER", 0, NULL, "rows that the ledger has accepted ..."},
    {"rows", "INTEGER", 0, NULL, "... of so many"},
    {"waits_for", "TEXT", 0, NULL, "what it waits for, or waited for last"},
    {"retry", "INTEGER", 0, NULL, "of a request that failed; 0: none did"},
    {"gives_up_in_ms", "INTEGER", 0, NULL, "or NULL"},
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableProgress = {
    .zName = "ledger_progress",
    .zDoc = "the statements of this process that wait for a ledger",
    .aColumn = aProgressColumn,
    .zRequest = "none",
    .xRead = progressRead,
    .zCost = "none",
    .zExample = "SELECT operation, elapsed_ms, entries, sent, rows, waits_for\n"
                "  FROM ledger_progress;",
    .zFails = "DELETE FROM ledger_progress;",
};
