/*
** The table ledger_help: tables, functions and options of this module, each in
** one line, with an example to type.
**
**     SELECT name, signature, description FROM ledger_help
**      WHERE name LIKE '%receipt%';
**     SELECT example FROM ledger_help WHERE name = 'ledger_audit';
**
** What it says stands where the thing is declared. The reference page and the
** man page sqlite-ledger(7) are made of it and of ledger_columns (`make doc`).
**
** No request is made.
*/
#include "sqlite/table/table.h"

#include <string.h>

enum {
  HELP_NAME = 0,
  HELP_KIND,
  HELP_SIGNATURE,
  HELP_DESCRIPTION,
  HELP_EXAMPLE,
  HELP_WRITES,
  HELP_PUSHED_DOWN,
  HELP_REQUESTS,
  HELP_FAILS,
  HELP_COLUMNS /* how many there are */
};

/* The visible columns, then the hidden ones in brackets. */
static void helpColumns(LedgerBuf *pBuf, const LedgerColumn *aColumn) {
  int i;
  for( i = 0; aColumn[i].zName; i++ ) {
    const LedgerColumn *p = &aColumn[i];
    ledgerBufPrintf(pBuf, p->bHidden ? "%s[%s]" : "%s%s", i ? ", " : "",
                    p->zName);
  }
}

/* Which conditions become part of a request, or spare one. */
static void helpPushedDown(LedgerBuf *pBuf, const LedgerTableSpec *pSpec) {
  static const char *const azPlan[LEDGER_PLAN_COLUMNS] = {
      [LEDGER_PLAN_TRANSACTION_ID] =
          "transaction_id =, IN, <, <=, >, >=; ORDER BY transaction_id; LIMIT",
      [LEDGER_PLAN_SUB_LEDGER] = "sub_ledger =, IN",
      [LEDGER_PLAN_TAGS] = "tags MATCH",
      [LEDGER_PLAN_VIEW] = "view =, <, <=, >, >=",
      [LEDGER_PLAN_SEQNO] = "seqno =, <, <=, >, >=",
  };
  const LedgerEntryTable *pEntries = pSpec->pEntries;
  const char *zSep = "";
  int i;
  for( i = 0; pEntries && !pEntries->bIdRequired && i < LEDGER_PLAN_COLUMNS;
       i++ ) {
    if( azPlan[i] == NULL || pEntries->plan.aColumn[i] < 0 ) continue;
    ledgerBufPrintf(pBuf, "%s%s", zSep, azPlan[i]);
    zSep = "; ";
  }
  if( pEntries && pEntries->bIdRequired ) {
    ledgerBufText(pBuf, "transaction_id =, IN (needed)");
    zSep = "; ";
  }
  if( pSpec->zKey && !pSpec->bKeyLocal ) {
    ledgerBufPrintf(pBuf, "%s =, IN%s", pSpec->zKey,
                    pSpec->bKeyRequired ? " (needed)" : "");
    zSep = "; ";
  }
  i = ledgerColumnIndex(pSpec->aColumn, "ledger");
  if( i >= 0 && pSpec->aColumn[i].bHidden ) {
    ledgerBufPrintf(pBuf, "%sledger =, IN", zSep);
  }
}

static int helpTable(LedgerCells *pCells, const LedgerTableSpec *pSpec,
                     LedgerError *pErr) {
  const char *azCell[HELP_COLUMNS];
  LedgerBuf columns = {0}, pushed = {0};
  int rc;
  helpColumns(&columns, pSpec->aColumn);
  helpPushedDown(&pushed, pSpec);
  azCell[HELP_NAME] = pSpec->zName;
  azCell[HELP_KIND] = "table";
  azCell[HELP_SIGNATURE] = columns.z;
  azCell[HELP_DESCRIPTION] = pSpec->zDoc;
  azCell[HELP_EXAMPLE] = pSpec->zExample;
  azCell[HELP_WRITES] = pSpec->zWrites;
  azCell[HELP_PUSHED_DOWN] = pushed.z;
  azCell[HELP_REQUESTS] = pSpec->zCost;
  azCell[HELP_FAILS] = pSpec->zFails;
  rc = columns.bOom || pushed.bOom
           ? ledgerErrorNomem(pErr)
           : ledgerCellsTexts(pCells, azCell, HELP_COLUMNS, pErr);
  ledgerBufFree(&columns);
  ledgerBufFree(&pushed);
  return rc;
}

static int helpFunction(LedgerCells *pCells, const LedgerFunction *p,
                        LedgerError *pErr) {
  const char *azCell[HELP_COLUMNS] = {NULL};
  char *z = sqlite3_mprintf("%s(%s)", p->zName, p->zArgs);
  int rc;
  azCell[HELP_NAME] = p->zName;
  azCell[HELP_KIND] = "function";
  azCell[HELP_SIGNATURE] = z;
  azCell[HELP_DESCRIPTION] = p->zDoc;
  azCell[HELP_EXAMPLE] = p->zExample;
  azCell[HELP_REQUESTS] = p->zCost;
  azCell[HELP_FAILS] = p->zFails;
  rc = z ? ledgerCellsTexts(pCells, azCell, HELP_COLUMNS, pErr)
         : ledgerErrorNomem(pErr);
  sqlite3_free(z);
  return rc;
}

/* SQL that gives an option this value, or attaches a ledger with this object
** of options (sqlite3_free). */
static char *helpSet(const char *zOption, const char *zValue) {
  if( zValue[0] == '{' ) {
    return sqlite3_mprintf("SELECT ledger_attach('my-ledger', 'work',\n  %Q);",
                           zValue);
  }
  return sqlite3_mprintf(zValue[strspn(zValue, "0123456789")]
                             ? "SELECT ledger_option('%s', %Q);"
                             : "SELECT ledger_option('%s', %s);",
                         zOption, zValue);
}

static int helpOption(LedgerCells *pCells, const LedgerOptionSpec *p,
                      LedgerError *pErr) {
  const char *azCell[HELP_COLUMNS] = {NULL};
  char *zExample = helpSet(p->zName, p->zExample);
  char *zFails = helpSet(p->zName, p->zRefused);
  int rc;
  azCell[HELP_NAME] = p->zName;
  azCell[HELP_KIND] = "option";
  azCell[HELP_SIGNATURE] = p->zDefault;
  azCell[HELP_DESCRIPTION] = p->zDoc;
  azCell[HELP_EXAMPLE] = zExample;
  azCell[HELP_REQUESTS] = "none";
  azCell[HELP_FAILS] = zFails;
  rc = zExample && zFails ? ledgerCellsTexts(pCells, azCell, HELP_COLUMNS, pErr)
                          : ledgerErrorNomem(pErr);
  sqlite3_free(zExample);
  sqlite3_free(zFails);
  return rc;
}

static int helpRead(LedgerCells *pCells, LedgerConn *pConn, Ledger *pLedger,
                    int nKey, char **azKey, LedgerError *pErr) {
  const LedgerOptionSpec *aOption;
  int nOption = 0, i, rc = LEDGER_OK;
  (void)pLedger;
  (void)nKey;
  (void)azKey;
  for( i = 0; pConn->apTable[i] && rc == LEDGER_OK; i++ ) {
    rc = helpTable(pCells, pConn->apTable[i], pErr);
  }
  for( i = 0; pConn->apFunction[i] && rc == LEDGER_OK; i++ ) {
    const LedgerFunction *p = pConn->apFunction[i];
    for( ; p->zName && rc == LEDGER_OK; p++ ) {
      rc = helpFunction(pCells, p, pErr);
    }
  }
  aOption = ledgerOptionTable(&nOption);
  for( i = 0; i < nOption && rc == LEDGER_OK; i++ ) {
    rc = helpOption(pCells, &aOption[i], pErr);
  }
  return rc;
}

static const LedgerColumn aHelpColumn[] = {
    {"name", "TEXT", 0, NULL, "of the table, function or option"},
    {"kind", "TEXT", 0, NULL, "table, function or option"},
    {"signature", "TEXT", 0, NULL,
     "its columns ([hidden]), its arguments, or its default"},
    {"description", "TEXT", 0, NULL, "one line"},
    {"example", "TEXT", 0, NULL, "SQL to try"},
    {"writes", "TEXT", 1, NULL, "of a table: what can be written, or NULL"},
    {"pushed_down", "TEXT", 1, NULL,
     "of a table: the conditions that a request is made of"},
    {"requests", "TEXT", 1, NULL, "what it costs"},
    {"fails", "TEXT", 1, NULL, "SQL that it refuses, or NULL"},
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableHelp = {
    .zName = "ledger_help",
    .zDoc = "tables, functions and options of this module",
    .aColumn = aHelpColumn,
    .xRead = helpRead,
    .zRequest = "none",
    .zCost = "none",
    .zExample = "SELECT name, signature FROM ledger_help\n"
                " WHERE name LIKE '%receipt%';",
};
