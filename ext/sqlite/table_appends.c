/*
** The table ledger_appends: what this connection appended or is about to, and
** what became of it. It survives ROLLBACK, makes no request, and keeps the
** last transaction whole and 10,000 older rows.
**
**     SELECT transaction_id, state FROM ledger_appends ORDER BY n DESC LIMIT 1;
**
** state: queued (waits for COMMIT), sending, pending (accepted, commit not
** seen), committed, refused, lost (a change of view took it back), unknown
** (sent, and no answer came).
*/
#include "ledgerInt.h"

static int appendsRow(LedgerTableRows *pRows, const LedgerQueueRow *pRow,
                      LedgerError *pErr) {
  char zId[LEDGER_TXID_MAX];
  const char *azCell[7];
  int rc;
  azCell[0] = NULL;
  azCell[1] = "append";
  azCell[2] = pRow->zLedger;
  azCell[3] = pRow->zSubLedger;
  azCell[4] = pRow->id.seqno ? ledgerTxidFormat(pRow->id, zId) : NULL;
  azCell[5] = ledgerStateName(pRow->eState);
  azCell[6] = pRow->zError;
  rc = ledgerTableTexts(pRows, azCell, 7, pErr);
  if( rc == LEDGER_OK ) ledgerTableInt(pRows, 0, pRow->n);
  return rc;
}

static int appendsRead(LedgerTableRows *pRows, LedgerDb *pDb, Ledger *pLedger,
                       int nKey, char **azKey, LedgerError *pErr) {
  const LedgerQueueRow *pRow;
  int rc = LEDGER_OK;
  (void)pLedger;
  (void)nKey;
  (void)azKey;
  for( pRow = pDb->pHistory; pRow && rc == LEDGER_OK; pRow = pRow->pNext ) {
    rc = appendsRow(pRows, pRow, pErr);
  }
  for( pRow = pDb->pQueue; pRow && rc == LEDGER_OK; pRow = pRow->pNext ) {
    rc = appendsRow(pRows, pRow, pErr);
  }
  return rc;
}

const LedgerTableSpec ledgerTableAppends = {
    .zName = "ledger_appends",
    .zSchema = "CREATE TABLE x(n INTEGER, kind TEXT, ledger TEXT, sub_ledger "
               "TEXT, transaction_id TEXT COLLATE ledger_txid, state TEXT, "
               "error TEXT)",
    .nColumn = 7,
    .iLedger = -1,
    .iKey = -1,
    .xRead = appendsRead,
};
