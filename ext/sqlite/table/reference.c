/*
** The table ledger_reference: tables, functions and options of this module,
** each in one line. `make doc` writes the reference page from it and from
** ledger_columns.
**
**     SELECT name, signature, description FROM ledger_reference
**      WHERE kind = 'option';
**
** No request is made.
*/
#include "sqlite/table/table.h"

enum {
  REFERENCE_KIND = 0,
  REFERENCE_NAME,
  REFERENCE_SIGNATURE,
  REFERENCE_DESCRIPTION,
  REFERENCE_WRITES,
  REFERENCE_COLUMNS /* how many there are */
};

static int referenceRow(LedgerCells *pCells, const char *zKind,
                        const char *zName, const char *zSignature,
                        const char *zDoc, const char *zWrites,
                        LedgerError *pErr) {
  const char *azCell[REFERENCE_COLUMNS];
  azCell[REFERENCE_KIND] = zKind;
  azCell[REFERENCE_NAME] = zName;
  azCell[REFERENCE_SIGNATURE] = zSignature;
  azCell[REFERENCE_DESCRIPTION] = zDoc;
  azCell[REFERENCE_WRITES] = zWrites;
  return ledgerCellsTexts(pCells, azCell, REFERENCE_COLUMNS, pErr);
}

/* The visible columns, then the hidden ones in brackets. */
static int referenceTable(LedgerCells *pCells, const LedgerTableSpec *pSpec,
                          LedgerError *pErr) {
  LedgerBuf names = {0};
  int i, rc;
  for( i = 0; pSpec->aColumn[i].zName; i++ ) {
    const LedgerColumn *p = &pSpec->aColumn[i];
    ledgerBufPrintf(&names, p->bHidden ? "%s[%s]" : "%s%s", i ? ", " : "",
                    p->zName);
  }
  rc = names.bOom ? ledgerErrorNomem(pErr)
                  : referenceRow(pCells, "table", pSpec->zName, names.z,
                                 pSpec->zDoc, pSpec->zWrites, pErr);
  ledgerBufFree(&names);
  return rc;
}

static int referenceFunction(LedgerCells *pCells, const LedgerFunction *p,
                             LedgerError *pErr) {
  char *z = sqlite3_mprintf("%s(%s)", p->zName, p->zArgs);
  int rc =
      z ? referenceRow(pCells, "function", p->zName, z, p->zDoc, NULL, pErr)
        : ledgerErrorNomem(pErr);
  sqlite3_free(z);
  return rc;
}

static int referenceRead(LedgerCells *pCells, LedgerConn *pConn,
                         Ledger *pLedger, int nKey, char **azKey,
                         LedgerError *pErr) {
  const LedgerOptionSpec *aOption;
  int nOption = 0, i, rc = LEDGER_OK;
  (void)pLedger;
  (void)nKey;
  (void)azKey;
  for( i = 0; pConn->apTable[i] && rc == LEDGER_OK; i++ ) {
    rc = referenceTable(pCells, pConn->apTable[i], pErr);
  }
  for( i = 0; pConn->apFunction[i] && rc == LEDGER_OK; i++ ) {
    const LedgerFunction *p = pConn->apFunction[i];
    for( ; p->zName && rc == LEDGER_OK; p++ ) {
      rc = referenceFunction(pCells, p, pErr);
    }
  }
  aOption = ledgerOptionTable(&nOption);
  for( i = 0; i < nOption && rc == LEDGER_OK; i++ ) {
    rc = referenceRow(pCells, "option", aOption[i].zName, aOption[i].zDefault,
                      aOption[i].zDoc, NULL, pErr);
  }
  return rc;
}

static const LedgerColumn aReferenceColumn[] = {
    {"kind", "TEXT", 0, NULL, "table, function or option"},
    {"name", "TEXT", 0, NULL, "its name"},
    {"signature", "TEXT", 0, NULL,
     "its columns ([hidden]), its arguments, or its default"},
    {"description", "TEXT", 0, NULL, "one line"},
    {"writes", "TEXT", 0, NULL, "of a table: what can be written, or NULL"},
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableReference = {
    .zName = "ledger_reference",
    .zDoc = "tables, functions and options of this module",
    .aColumn = aReferenceColumn,
    .xRead = referenceRead,
    .zRequest = "none",
};
