/*
** The table ledger_transactions: the states of given transactions.
**
**     SELECT state FROM ledger_transactions WHERE transaction_id = '2.15';
**     SELECT a.n, t.state FROM ledger_appends AS a
**       JOIN ledger_transactions AS t USING(transaction_id);
**
** Requests: GET /app/transactions/{id}/status, `concurrency` at a time. An id
** that the ledger has not issued has no row; one that it took back is Invalid.
*/
#include "sqlite/history/history.h"
#include "sqlite/table/table.h"

#include <string.h>

/* Waits for the first call of the window, and adds the row of its id. */
static int transactionsRow(LedgerWindow *pWindow, LedgerCells *pCells,
                           LedgerError *pErr) {
  int eState = LEDGER_TX_UNKNOWN;
  const char *azCell[2];
  LedgerCall *pCall = ledgerWindowTake(pWindow, 0, &azCell[0]);
  if( ledgerCallWait(pCall, pErr) == LEDGER_OK &&
      ledgerStatusResult(pCall, &eState, pErr) == LEDGER_OK ) {
    azCell[1] = ledgerStatusName(eState);
    if( azCell[1] ) ledgerCellsTexts(pCells, azCell, 2, pErr);
  }
  ledgerCallFree(pCall);
  return pErr->rc;
}

static int transactionsRead(LedgerCells *pCells, LedgerConn *pConn,
                            Ledger *pLedger, int nKey, char **azKey,
                            LedgerError *pErr) {
  LedgerWindow window;
  int i = 0;
  (void)pConn;
  if( nKey > 1 && ledgerPastAdmit(pLedger, NULL, pErr) ) return pErr->rc;
  ledgerWindowOpen(&window, ledgerClientConfig(pLedger->pClient)->concurrency,
                   sizeof(const char *), pErr);
  while( pErr->rc == LEDGER_OK && (i < nKey || window.nUsed > 0) ) {
    LedgerTxid id;
    const char **pz;
    if( i == nKey || window.nUsed == window.nPlace ) {
      transactionsRow(&window, pCells, pErr);
    } else if( ledgerTxidParse(azKey[i], strlen(azKey[i]), &id) ) {
      pz = ledgerWindowAdd(&window);
      *pz = azKey[i++];
      ledgerStatusGet(pLedger->pClient, id, &window.apCall[window.nUsed - 1],
                      pErr);
    } else {
      i++; /* not an id: it has no row */
    }
  }
  ledgerWindowClose(&window);
  return pErr->rc;
}

static const LedgerColumn aTransactionsColumn[] = {
    {"transaction_id", "TEXT COLLATE ledger_txid", 0, NULL, "the id asked for"},
    {"state", "TEXT", 0, NULL, "Pending, Committed or Invalid"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableTransactions = {
    .zName = "ledger_transactions",
    .zDoc = "the states of given transactions",
    .aColumn = aTransactionsColumn,
    .zRequest = "GET /app/transactions/{id}/status",
    .zKey = "transaction_id",
    .bKeyRequired = 1,
    .xRead = transactionsRead,
    .zCost = "1 per id",
    .zExample = "SELECT transaction_id, state FROM ledger_transactions\n"
                " WHERE transaction_id IN ('2.3', '2.5');",
    .zFails = "SELECT state FROM ledger_transactions;",
};
