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
#include "sqlite/table/table.h"

#include <string.h>

#define TRANSACTIONS_WAVE 64 /* requests in flight, at most */

static const char *transactionsState(int eState) {
  switch( eState ) {
    case LEDGER_TX_PENDING: return "Pending";
    case LEDGER_TX_COMMITTED: return "Committed";
    case LEDGER_TX_INVALID: return "Invalid";
    default: return NULL;
  }
}

static int transactionsRead(LedgerTableRows *pRows, LedgerDb *pDb,
                            Ledger *pLedger, int nKey, char **azKey,
                            LedgerError *pErr) {
  LedgerCall *apCall[TRANSACTIONS_WAVE];
  int nWave = ledgerClientConfig(pLedger->pClient)->concurrency;
  int iStart = 0, rc = LEDGER_OK, i;
  (void)pDb;
  if( nWave > TRANSACTIONS_WAVE ) nWave = TRANSACTIONS_WAVE;
  memset(apCall, 0, sizeof(apCall));
  while( iStart < nKey && rc == LEDGER_OK ) {
    int n = nKey - iStart < nWave ? nKey - iStart : nWave;
    for( i = 0; i < n && rc == LEDGER_OK; i++ ) {
      LedgerTxid id;
      const char *z = azKey[iStart + i];
      if( !ledgerTxidParse(z, strlen(z), &id) ) continue;
      rc = ledgerStatusGet(pLedger->pClient, id, &apCall[i], pErr);
    }
    for( i = 0; i < n && rc == LEDGER_OK; i++ ) {
      const char *azCell[2];
      int eState = LEDGER_TX_UNKNOWN;
      if( apCall[i] == NULL ) continue;
      rc = ledgerCallWait(apCall[i], pErr);
      if( rc == LEDGER_OK ) rc = ledgerStatusResult(apCall[i], &eState, pErr);
      if( rc || transactionsState(eState) == NULL ) continue;
      azCell[0] = azKey[iStart + i];
      azCell[1] = transactionsState(eState);
      rc = ledgerTableTexts(pRows, azCell, 2, pErr);
    }
    for( i = 0; i < n; i++ ) {
      ledgerCallFree(apCall[i]);
      apCall[i] = NULL;
    }
    iStart += n;
  }
  return rc;
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
};
