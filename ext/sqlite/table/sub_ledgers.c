/*
** The table ledger_sub_ledgers: the sub-ledgers (collections) of a ledger, as
** the service lists them.
**
**     SELECT sub_ledger FROM ledger_sub_ledgers;
**
** Request: GET /app/collections, followed to its end. API version 0.1-preview
** has no such list.
*/
#include "sqlite/table/table.h"

#include <stdlib.h>

static int subLedgersRead(LedgerCells *pCells, LedgerConn *pConn,
                          Ledger *pLedger, int nKey, char **azKey,
                          LedgerError *pErr) {
  char **azName = NULL;
  LedgerTxid head;
  int nName = 0, i, rc;
  (void)pConn;
  (void)nKey;
  (void)azKey;
  rc = ledgerCollectionsList(pLedger->pClient, &azName, &nName, &head, pErr);
  for( i = 0; i < nName && rc == LEDGER_OK; i++ ) {
    const char *zName = azName[i];
    rc = ledgerCellsTexts(pCells, &zName, 1, pErr);
  }
  free(azName);
  return rc;
}

static const LedgerColumn aSubLedgersColumn[] = {
    {"sub_ledger", "TEXT", 0, NULL, "its name; newer versions say collection"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableSubLedgers = {
    .zName = "ledger_sub_ledgers",
    .zDoc = "the sub-ledgers of a ledger, as the service lists them",
    .aColumn = aSubLedgersColumn,
    .zRequest = "GET /app/collections",
    .zSince = "2022-04-20-preview",
    .bAnswers = 1,
    .xRead = subLedgersRead,
    .zCost = "1 per page of the list",
    .zExample = "SELECT sub_ledger FROM ledger_sub_ledgers;",
    .zFails = "SELECT sub_ledger FROM ledger_sub_ledgers('pay');",
};
