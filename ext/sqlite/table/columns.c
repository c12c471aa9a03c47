/*
** The table ledger_columns: every column of every table of this module, from
** the one description that also makes the schema.
**
**     SELECT column_name, type, description FROM ledger_columns
**      WHERE table_name = 'ledger_users';
**
** No request is made.
*/
#include "sqlite/table/table.h"

static int columnsRead(LedgerCells *pCells, LedgerConn *pConn, Ledger *pLedger,
                       int nKey, char **azKey, LedgerError *pErr) {
  int i, j, rc = LEDGER_OK;
  (void)pLedger;
  (void)nKey;
  (void)azKey;
  for( i = 0; pConn->apTable[i] && rc == LEDGER_OK; i++ ) {
    const LedgerTableSpec *pSpec = pConn->apTable[i];
    for( j = 0; pSpec->aColumn[j].zName && rc == LEDGER_OK; j++ ) {
      const LedgerColumn *pColumn = &pSpec->aColumn[j];
      const char *azCell[9];
      char *zRequest = NULL;
      azCell[0] = pSpec->zName;
      azCell[1] = pColumn->zName;
      azCell[2] = NULL;
      azCell[3] = pColumn->zType;
      azCell[4] = NULL;
      azCell[5] = pColumn->zDoc;
      azCell[6] = pColumn->zPath;
      if( pSpec->pRoute || pSpec->pRouteKey ) {
        const LedgerRoute *pRoute =
            pSpec->pRoute ? pSpec->pRoute : pSpec->pRouteKey;
        zRequest = sqlite3_mprintf("GET %s", pRoute->zPath);
        if( zRequest == NULL ) return ledgerErrorNomem(pErr);
        azCell[7] = zRequest;
        azCell[8] = ledgerRouteVersion(pRoute);
      } else {
        azCell[7] = pSpec->zRequest;
        azCell[8] = pSpec->zSince;
      }
      rc = ledgerCellsTexts(pCells, azCell, 9, pErr);
      if( rc == LEDGER_OK ) {
        ledgerCellsInt(pCells, 2, j);
        ledgerCellsInt(pCells, 4, pColumn->bHidden);
      }
      sqlite3_free(zRequest);
    }
  }
  return rc;
}

static const LedgerColumn aColumnsColumn[] = {
    {"table_name", "TEXT", 0, NULL, "the table"},
    {"column_name", "TEXT", 0, NULL, "the column"},
    {"position", "INTEGER", 0, NULL, "its position, from 0"},
    {"type", "TEXT", 0, NULL, "type and collation, as declared"},
    {"hidden", "INTEGER", 0, NULL, "1: not in SELECT *"},
    {"description", "TEXT", 0, NULL, "what it holds"},
    {"json_path", "TEXT", 0, NULL,
     "the member of the ledger's answer that it shows, or NULL"},
    {"request", "TEXT", 0, NULL, "what the table asks the ledger for"},
    {"since", "TEXT", 0, NULL,
     "the first API version that has the table; NULL: all"},
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableColumns = {
    .zName = "ledger_columns",
    .zDoc = "every column of every table of this module",
    .aColumn = aColumnsColumn,
    .xRead = columnsRead,
    .zRequest = "none",
    .zCost = "none",
    .zExample = "SELECT column_name, type FROM ledger_columns\n"
                " WHERE table_name = 'ledger_users';",
};
