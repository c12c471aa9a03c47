/*
** The table ledger_cache: of which seqnos all entries are known (option cache),
** and how many answers to single requests.
**
**     SELECT sub_ledger, from_seqno, to_seqno, entries FROM ledger_cache;
**
** No request: it shows what this connection would read without asking. So
** there is nothing before the ledger has let it in.
*/
#include "sqlite/history/history.h"
#include "sqlite/table/table.h"

static int cacheInterval(void *pArg, const LedgerPastInterval *p,
                         LedgerError *pErr) {
  LedgerCells *pCells = pArg;
  if( ledgerCellsTexts(pCells, &p->zSubLedger, 1, pErr) ) return pErr->rc;
  if( p->zSubLedger ) {
    ledgerCellsInt(pCells, 1, p->iLow);
    ledgerCellsInt(pCells, 2, p->iHigh);
  }
  ledgerCellsInt(pCells, 3, p->nEntry);
  ledgerCellsInt(pCells, 4, p->nByte);
  ledgerCellsInt(pCells, 5, p->nHit);
  return LEDGER_OK;
}

static int cacheRead(LedgerCells *pCells, LedgerConn *pConn, Ledger *pLedger,
                     int nKey, char **azKey, LedgerError *pErr) {
  (void)pConn;
  (void)nKey;
  (void)azKey;
  if( ledgerPastUsable(pLedger, pErr) ) return pErr->rc;
  return ledgerPastList(pLedger, cacheInterval, pCells, pErr);
}

static const LedgerColumn aCacheColumn[] = {
    {"sub_ledger", "TEXT", 0, NULL,
     "whose entries; NULL: receipts, states, entries by id"},
    {"from_seqno", "INTEGER", 0, NULL, "all are known from here ..."},
    {"to_seqno", "INTEGER", 0, NULL, "... up to here"},
    {"entries", "INTEGER", 0, NULL, "how many there are"},
    {"bytes", "INTEGER", 0, NULL, "that they take"},
    {"hits", "INTEGER", 0, NULL, "times that this connection read of them"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableCache = {
    .zName = "ledger_cache",
    .zDoc = "the seqnos of which all entries are known (option cache)",
    .aColumn = aCacheColumn,
    .zRequest = "none",
    .xRead = cacheRead,
    .zCost = "none",
    .zExample = "SELECT ledger_option('cache', 'memory');\n"
                "SELECT ledger_prefetch('payments') ->> '$.rows';\n"
                "SELECT sub_ledger, entries FROM ledger_cache;",
    .zFails = "DELETE FROM ledger_cache;",
};
