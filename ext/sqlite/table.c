/*
** The module behind the small tables: read-only, read whole, kept while the
** cursor lives.
**
**     SELECT * FROM ledger_sub_ledgers;
**     SELECT state FROM ledger_transactions WHERE transaction_id = '2.15';
**
** A table is one file that holds one LedgerTableSpec: its schema, the column
** that may be asked for, and the function that reads its rows. What is common
** stands here: plans, the column `ledger`, rows in memory.
**
** Plans: `ledger=`, `ledger-in`, `KEY=`, `KEY-in`; each takes one value.
**
** Invariant: within one cursor the same question is asked once, so that joins
** cost one request.
*/
#include "ledgerInt.h"

#include <string.h>

/* A cell: text, a number, or NULL. */
typedef struct TableCell TableCell;
struct TableCell {
  int eType; /* SQLITE_NULL, SQLITE_INTEGER, SQLITE_FLOAT or SQLITE_TEXT */
  i64 i;
  double r;
  char *z; /* sqlite3_free */
};

struct LedgerTableRows {
  const LedgerTableSpec *pSpec;
  i64 nRow, nAlloc;
  TableCell *aCell; /* nRow * pSpec->nColumn */
};

/* What a module's registration carries. */
typedef struct TableModule TableModule;
struct TableModule {
  LedgerDb *pDb;
  const LedgerTableSpec *pSpec;
};

typedef struct TableVtab TableVtab;
struct TableVtab {
  sqlite3_vtab base; /* must be first */
  TableModule *pModule;
  int bEnv; /* may attach from the environment */
};

typedef struct TableCursor TableCursor;
struct TableCursor {
  sqlite3_vtab_cursor base; /* must be first */
  LedgerTableRows rows;
  char *zAsked; /* the question that rows answer */
  i64 iRow;
};

int ledgerTableRow(LedgerTableRows *p, LedgerError *pErr) {
  size_t nCol = (size_t)p->pSpec->nColumn;
  if( p->nRow == p->nAlloc ) {
    i64 nNew = p->nAlloc ? p->nAlloc * 2 : 16;
    TableCell *aNew = sqlite3_realloc64(p->aCell, sizeof(*aNew) * nCol *
                                                      (sqlite3_uint64)nNew);
    if( aNew == NULL ) return ledgerErrorNomem(pErr);
    p->aCell = aNew;
    p->nAlloc = nNew;
  }
  memset(&p->aCell[(size_t)p->nRow * nCol], 0, sizeof(*p->aCell) * nCol);
  p->nRow++;
  return LEDGER_OK;
}

static TableCell *tableCell(LedgerTableRows *p, i64 iRow, int iCol) {
  return &p->aCell[iRow * p->pSpec->nColumn + iCol];
}

int ledgerTableText(LedgerTableRows *p, int iCol, const char *z,
                    LedgerError *pErr) {
  TableCell *pCell = tableCell(p, p->nRow - 1, iCol);
  if( z == NULL ) return LEDGER_OK;
  pCell->z = sqlite3_mprintf("%s", z);
  if( pCell->z == NULL ) return ledgerErrorNomem(pErr);
  pCell->eType = SQLITE_TEXT;
  return LEDGER_OK;
}

void ledgerTableInt(LedgerTableRows *p, int iCol, i64 v) {
  TableCell *pCell = tableCell(p, p->nRow - 1, iCol);
  pCell->i = v;
  pCell->eType = SQLITE_INTEGER;
}

void ledgerTableReal(LedgerTableRows *p, int iCol, double r) {
  TableCell *pCell = tableCell(p, p->nRow - 1, iCol);
  pCell->r = r;
  pCell->eType = SQLITE_FLOAT;
}

int ledgerTableTexts(LedgerTableRows *p, const char *const *azText, int nText,
                     LedgerError *pErr) {
  int i, rc = ledgerTableRow(p, pErr);
  for( i = 0; i < nText && rc == LEDGER_OK; i++ ) {
    rc = ledgerTableText(p, i, azText[i], pErr);
  }
  return rc;
}

static void tableClearRows(LedgerTableRows *p) {
  i64 i;
  for( i = 0; i < p->nRow * p->pSpec->nColumn; i++ ) {
    sqlite3_free(p->aCell[i].z);
  }
  sqlite3_free(p->aCell);
  p->aCell = NULL;
  p->nRow = p->nAlloc = 0;
}

static int tableConnect(sqlite3 *db, void *pAux, int argc,
                        const char *const *argv, sqlite3_vtab **ppVtab,
                        char **pzErr) {
  TableModule *pModule = pAux;
  TableVtab *p;
  int rc = sqlite3_declare_vtab(db, pModule->pSpec->zSchema);
  (void)argc;
  (void)argv;
  (void)pzErr;
  *ppVtab = NULL;
  if( rc ) return rc;
  sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  p = sqlite3_malloc64(sizeof(*p));
  if( p == NULL ) return SQLITE_NOMEM;
  memset(p, 0, sizeof(*p));
  p->pModule = pModule;
  *ppVtab = &p->base;
  return SQLITE_OK;
}

static int tableDisconnect(sqlite3_vtab *pVtab) {
  sqlite3_free(pVtab);
  return SQLITE_OK;
}

static int tableBestIndex(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo) {
  const LedgerTableSpec *pSpec = ((TableVtab *)pVtab)->pModule->pSpec;
  sqlite3_str *pStr = sqlite3_str_new(NULL);
  int i, nArg = 0, bKey = 0, bUnusable = 0;
  for( i = 0; i < pInfo->nConstraint; i++ ) {
    const struct sqlite3_index_constraint *pCons = &pInfo->aConstraint[i];
    int bLedger = pCons->iColumn == pSpec->iLedger;
    const char *zColl;
    if( pCons->op != SQLITE_INDEX_CONSTRAINT_EQ || pCons->iColumn < 0 ||
        (!bLedger && pCons->iColumn != pSpec->iKey) ) {
      continue;
    }
    if( !pCons->usable ) {
      bUnusable |= !bLedger;
      continue;
    }
    zColl = sqlite3_vtab_collation(pInfo, i);
    if( zColl == NULL || (sqlite3_stricmp(zColl, "BINARY") != 0 &&
                          sqlite3_stricmp(zColl, "ledger_txid") != 0) ) {
      continue;
    }
    if( !bLedger ) bKey = 1;
    sqlite3_str_appendf(pStr, "%s%s%s", nArg ? " " : "",
                        bLedger ? "ledger" : pSpec->zKey,
                        sqlite3_vtab_in(pInfo, i, 1) ? "-in" : "=");
    pInfo->aConstraintUsage[i].argvIndex = ++nArg;
  }
  pInfo->estimatedCost = bKey ? 10 : 1e5;
  pInfo->estimatedRows = bKey ? 1 : 25;
  pInfo->idxStr = sqlite3_str_finish(pStr);
  pInfo->needToFreeIdxStr = 1;
  if( !bKey && pSpec->bKeyRequired ) {
    if( bUnusable ) return SQLITE_CONSTRAINT; /* another order of the join */
    sqlite3_free(pVtab->zErrMsg);
    pVtab->zErrMsg = sqlite3_mprintf("ledger: %s: needs WHERE %s = '...'",
                                     pSpec->zName, pSpec->zKey);
    return SQLITE_ERROR;
  }
  return SQLITE_OK;
}

static int tableOpen(sqlite3_vtab *pVtab, sqlite3_vtab_cursor **ppCursor) {
  TableCursor *p = sqlite3_malloc64(sizeof(*p));
  if( p == NULL ) return SQLITE_NOMEM;
  memset(p, 0, sizeof(*p));
  p->rows.pSpec = ((TableVtab *)pVtab)->pModule->pSpec;
  *ppCursor = &p->base;
  return SQLITE_OK;
}

static int tableClose(sqlite3_vtab_cursor *pCursor) {
  TableCursor *p = (TableCursor *)pCursor;
  tableClearRows(&p->rows);
  sqlite3_free(p->zAsked);
  sqlite3_free(p);
  return SQLITE_OK;
}

/* What xFilter was given: the ledgers' names and the keys. */
typedef struct TableQuestion TableQuestion;
struct TableQuestion {
  int nLedger, nKey; /* -1: no condition */
  char **azLedger, **azKey;
};

static void tableClearQuestion(TableQuestion *p) {
  int i;
  for( i = 0; i < p->nLedger; i++ ) sqlite3_free(p->azLedger[i]);
  for( i = 0; i < p->nKey; i++ ) sqlite3_free(p->azKey[i]);
  sqlite3_free(p->azLedger);
  sqlite3_free(p->azKey);
}

static int tableAddText(int *pn, char ***paz, sqlite3_value *pVal) {
  const char *z;
  char **azNew;
  if( sqlite3_value_type(pVal) == SQLITE_NULL ||
      sqlite3_value_type(pVal) == SQLITE_BLOB ) {
    return SQLITE_OK; /* equals no text */
  }
  z = (const char *)sqlite3_value_text(pVal);
  azNew = sqlite3_realloc64(*paz, sizeof(*azNew) * ((sqlite3_uint64)*pn + 1));
  if( azNew == NULL || z == NULL ) return SQLITE_NOMEM;
  *paz = azNew;
  azNew[*pn] = sqlite3_mprintf("%s", z);
  if( azNew[*pn] == NULL ) return SQLITE_NOMEM;
  ++*pn;
  return SQLITE_OK;
}

/* Decodes the plan. A second word on the same column is left to SQLite, which
** checks every row again. *pzAsked becomes the question as one text. */
static int tableDecode(const LedgerTableSpec *pSpec, const char *zPlan,
                       int argc, sqlite3_value **argv, TableQuestion *p,
                       char **pzAsked, LedgerError *pErr) {
  sqlite3_str *pStr = sqlite3_str_new(NULL);
  int iArg, i, rc = SQLITE_OK;
  p->nLedger = p->nKey = -1;
  p->azLedger = p->azKey = NULL;
  for( iArg = 0; iArg < argc && rc == SQLITE_OK; iArg++ ) {
    size_t n = strcspn(zPlan, " ");
    int bIn = n > 3 && memcmp(zPlan + n - 3, "-in", 3) == 0;
    int bLedger = n >= 6 && memcmp(zPlan, "ledger", 6) == 0 &&
                  (zPlan[6] == '=' || zPlan[6] == '-');
    int *pn = bLedger ? &p->nLedger : &p->nKey;
    char ***paz = bLedger ? &p->azLedger : &p->azKey;
    sqlite3_value *pVal = argv[iArg];
    zPlan += n + (zPlan[n] == ' ');
    if( *pn >= 0 ) continue;
    *pn = 0;
    if( bIn ) rc = sqlite3_vtab_in_first(argv[iArg], &pVal);
    while( rc == SQLITE_OK && pVal ) {
      int eType = sqlite3_value_type(pVal);
      if( !bLedger && (eType == SQLITE_INTEGER || eType == SQLITE_FLOAT) &&
          strcmp(pSpec->zKey, "transaction_id") == 0 ) {
        LedgerTxid id;
        rc = ledgerValueTxid(pVal, &id, pErr); /* numbers are refused */
        break;
      }
      rc = tableAddText(pn, paz, pVal);
      if( rc || !bIn ) break;
      rc = sqlite3_vtab_in_next(argv[iArg], &pVal);
    }
    if( rc == SQLITE_DONE ) rc = SQLITE_OK;
  }
  sqlite3_str_appendf(pStr, "%d %d", p->nLedger, p->nKey);
  for( i = 0; i < p->nLedger; i++ ) {
    sqlite3_str_appendf(pStr, " %Q", p->azLedger[i]);
  }
  for( i = 0; i < p->nKey; i++ ) sqlite3_str_appendf(pStr, " %Q", p->azKey[i]);
  *pzAsked = sqlite3_str_finish(pStr);
  if( pErr->rc ) return pErr->rc;
  if( rc || *pzAsked == NULL ) return ledgerErrorNomem(pErr);
  return LEDGER_OK;
}

/* Reads the rows of all ledgers that are asked for. */
static int tableRead(TableVtab *pVtab, LedgerTableRows *pRows,
                     const TableQuestion *pQuestion, LedgerError *pErr) {
  const LedgerTableSpec *pSpec = pVtab->pModule->pSpec;
  LedgerDb *pDb = pVtab->pModule->pDb;
  int i, k, rc = LEDGER_OK;
  if( pSpec->iLedger < 0 ) {
    return pSpec->xRead(pRows, pDb, NULL, pQuestion->nKey, pQuestion->azKey,
                        pErr);
  }
  rc = ledgerDbReady(pDb, 1, pErr);
  for( i = 0; i < pDb->nLedger && rc == LEDGER_OK; i++ ) {
    Ledger *pLedger = pDb->apLedger[i];
    int bRead = pQuestion->nLedger < 0;
    i64 iRow = pRows->nRow;
    for( k = 0; k < pQuestion->nLedger && !bRead; k++ ) {
      bRead = strcmp(pLedger->zName, pQuestion->azLedger[k]) == 0;
    }
    if( !bRead ) continue;
    ledgerRef(pLedger);
    rc = pSpec->xRead(pRows, pDb, pLedger, pQuestion->nKey, pQuestion->azKey,
                      pErr);
    for( ; iRow < pRows->nRow && rc == LEDGER_OK; iRow++ ) {
      TableCell *pCell = tableCell(pRows, iRow, pSpec->iLedger);
      pCell->z = sqlite3_mprintf("%s", pLedger->zName);
      pCell->eType = SQLITE_TEXT;
      if( pCell->z == NULL ) rc = ledgerErrorNomem(pErr);
    }
    ledgerUnref(pLedger);
  }
  return rc;
}

static int tableFilter(sqlite3_vtab_cursor *pCursor, int idxNum,
                       const char *idxStr, int argc, sqlite3_value **argv) {
  TableCursor *p = (TableCursor *)pCursor;
  LedgerError err = LEDGER_ERROR_INIT;
  TableQuestion question;
  char *zAsked = NULL;
  int rc;
  (void)idxNum;
  p->iRow = 0;
  rc = tableDecode(p->rows.pSpec, idxStr, argc, argv, &question, &zAsked, &err);
  if( rc == LEDGER_OK && p->zAsked && strcmp(p->zAsked, zAsked) == 0 ) {
    sqlite3_free(zAsked);
    tableClearQuestion(&question);
    return SQLITE_OK;
  }
  tableClearRows(&p->rows);
  sqlite3_free(p->zAsked);
  p->zAsked = NULL;
  if( rc == LEDGER_OK ) {
    rc = tableRead((TableVtab *)pCursor->pVtab, &p->rows, &question, &err);
  }
  tableClearQuestion(&question);
  if( rc ) {
    tableClearRows(&p->rows);
    sqlite3_free(zAsked);
    return ledgerVtabError(pCursor->pVtab, &err);
  }
  p->zAsked = zAsked;
  return SQLITE_OK;
}

static int tableNext(sqlite3_vtab_cursor *pCursor) {
  ((TableCursor *)pCursor)->iRow++;
  return SQLITE_OK;
}

static int tableEof(sqlite3_vtab_cursor *pCursor) {
  TableCursor *p = (TableCursor *)pCursor;
  return p->iRow >= p->rows.nRow;
}

static int tableRowid(sqlite3_vtab_cursor *pCursor, sqlite3_int64 *piRowid) {
  *piRowid = ((TableCursor *)pCursor)->iRow + 1;
  return SQLITE_OK;
}

static int tableColumn(sqlite3_vtab_cursor *pCursor, sqlite3_context *pCtx,
                       int iCol) {
  TableCursor *p = (TableCursor *)pCursor;
  const TableCell *pCell = tableCell(&p->rows, p->iRow, iCol);
  if( pCell->eType == SQLITE_INTEGER ) {
    sqlite3_result_int64(pCtx, pCell->i);
  } else if( pCell->eType == SQLITE_FLOAT ) {
    sqlite3_result_double(pCtx, pCell->r);
  } else if( pCell->eType == SQLITE_TEXT ) {
    sqlite3_result_text(pCtx, pCell->z, -1, SQLITE_TRANSIENT);
  }
  return SQLITE_OK;
}

static void tableDestroyModule(void *pArg) {
  TableModule *p = pArg;
  ledgerDbUnref(p->pDb);
  sqlite3_free(p);
}

/* xCreate is NULL: the tables are eponymous only. */
static const sqlite3_module tableModule = {
    .iVersion = 0,
    .xConnect = tableConnect,
    .xBestIndex = tableBestIndex,
    .xDisconnect = tableDisconnect,
    .xOpen = tableOpen,
    .xClose = tableClose,
    .xFilter = tableFilter,
    .xNext = tableNext,
    .xEof = tableEof,
    .xColumn = tableColumn,
    .xRowid = tableRowid,
};

int ledgerTableRegister(LedgerDb *pDb, const LedgerTableSpec *pSpec) {
  TableModule *p = sqlite3_malloc64(sizeof(*p));
  if( p == NULL ) return SQLITE_NOMEM;
  p->pDb = pDb;
  p->pSpec = pSpec;
  ledgerDbRef(pDb);
  return sqlite3_create_module_v2(pDb->db, pSpec->zName, &tableModule, p,
                                  tableDestroyModule);
}
