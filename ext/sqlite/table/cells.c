/*
** Rows of the small tables, kept in memory as cells: text, BLOB, number or
** NULL.
**
** No request is made here. A row is started, then its cells are set by column;
** what is not set is NULL.
*/
#include "sqlite/table/table.h"

#include <string.h>

/* A cell. */
typedef struct LedgerCell LedgerCell;
struct LedgerCell {
  int eType; /* SQLITE_INTEGER, ...; 0 is NULL */
  i64 i;     /* the integer; bytes of text and BLOB */
  double r;  /* SQLITE_FLOAT */
  char *z;   /* text with a NUL, or BLOB (sqlite3_free) */
};

struct LedgerCells {
  int nCol;
  i64 nRow, nAlloc;
  LedgerCell *aCell;   /* nRow * nCol */
  int iLedger;         /* set in each row that is started ... */
  const char *zLedger; /* ... to this, borrowed, unless NULL */
};

int ledgerCellsNew(int nCol, LedgerCells **pp, LedgerError *pErr) {
  LedgerCells *p = sqlite3_malloc64(sizeof(*p));
  *pp = p;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  memset(p, 0, sizeof(*p));
  p->nCol = nCol;
  return LEDGER_OK;
}

void ledgerCellsFree(LedgerCells *p) {
  i64 i;
  if( p == NULL ) return;
  for( i = 0; i < p->nRow * p->nCol; i++ ) sqlite3_free(p->aCell[i].z);
  sqlite3_free(p->aCell);
  sqlite3_free(p);
}

i64 ledgerCellsCount(const LedgerCells *p) {
  return p->nRow;
}

int ledgerCellsRow(LedgerCells *p, LedgerError *pErr) {
  size_t nCol = (size_t)p->nCol;
  if( p->nRow == p->nAlloc ) {
    i64 nNew = p->nAlloc ? p->nAlloc * 2 : 16;
    LedgerCell *aNew = sqlite3_realloc64(p->aCell, sizeof(*aNew) * nCol *
                                                       (sqlite3_uint64)nNew);
    if( aNew == NULL ) return ledgerErrorNomem(pErr);
    p->aCell = aNew;
    p->nAlloc = nNew;
  }
  memset(&p->aCell[(size_t)p->nRow * nCol], 0, sizeof(*p->aCell) * nCol);
  p->nRow++;
  return p->zLedger ? ledgerCellsText(p, p->iLedger, p->zLedger, pErr)
                    : LEDGER_OK;
}

void ledgerCellsLedger(LedgerCells *p, int iCol, const char *zLedger) {
  p->iLedger = iCol;
  p->zLedger = zLedger;
}

/* Sets a cell of the last row to a copy of n bytes. */
static int cellsSet(LedgerCells *p, int iCol, int eType, const void *a,
                    size_t n, LedgerError *pErr) {
  LedgerCell *pCell = &p->aCell[(p->nRow - 1) * p->nCol + iCol];
  sqlite3_free(pCell->z);
  memset(pCell, 0, sizeof(*pCell));
  pCell->z = sqlite3_malloc64(n + 1);
  if( pCell->z == NULL ) return ledgerErrorNomem(pErr);
  memcpy(pCell->z, a, n);
  pCell->z[n] = 0;
  pCell->i = (i64)n;
  pCell->eType = eType;
  return LEDGER_OK;
}

int ledgerCellsText(LedgerCells *p, int iCol, const char *z,
                    LedgerError *pErr) {
  if( z == NULL ) return LEDGER_OK;
  return cellsSet(p, iCol, SQLITE_TEXT, z, strlen(z), pErr);
}

int ledgerCellsTextN(LedgerCells *p, int iCol, const char *z, size_t n,
                     LedgerError *pErr) {
  return cellsSet(p, iCol, SQLITE_TEXT, z, n, pErr);
}

int ledgerCellsBlob(LedgerCells *p, int iCol, const void *a, size_t n,
                    LedgerError *pErr) {
  return cellsSet(p, iCol, SQLITE_BLOB, a, n, pErr);
}

void ledgerCellsInt(LedgerCells *p, int iCol, i64 v) {
  LedgerCell *pCell = &p->aCell[(p->nRow - 1) * p->nCol + iCol];
  sqlite3_free(pCell->z);
  memset(pCell, 0, sizeof(*pCell));
  pCell->i = v;
  pCell->eType = SQLITE_INTEGER;
}

void ledgerCellsReal(LedgerCells *p, int iCol, double r) {
  LedgerCell *pCell = &p->aCell[(p->nRow - 1) * p->nCol + iCol];
  ledgerCellsInt(p, iCol, 0);
  pCell->r = r;
  pCell->eType = SQLITE_FLOAT;
}

int ledgerCellsTexts(LedgerCells *p, const char *const *azText, int nText,
                     LedgerError *pErr) {
  int i, rc = ledgerCellsRow(p, pErr);
  for( i = 0; i < nText && rc == LEDGER_OK; i++ ) {
    rc = ledgerCellsText(p, i, azText[i], pErr);
  }
  return rc;
}

const char *ledgerCellsGet(const LedgerCells *p, i64 iRow, int iCol) {
  return p->aCell[iRow * p->nCol + iCol].z;
}

void ledgerCellsResult(const LedgerCells *p, i64 iRow, int iCol,
                       sqlite3_context *pCtx) {
  const LedgerCell *pCell = &p->aCell[iRow * p->nCol + iCol];
  switch( pCell->eType ) {
    case SQLITE_INTEGER: sqlite3_result_int64(pCtx, pCell->i); break;
    case SQLITE_FLOAT: sqlite3_result_double(pCtx, pCell->r); break;
    case SQLITE_TEXT:
      sqlite3_result_text64(pCtx, pCell->z, (sqlite3_uint64)pCell->i,
                            SQLITE_TRANSIENT, SQLITE_UTF8);
      break;
    case SQLITE_BLOB:
      sqlite3_result_blob64(pCtx, pCell->z, (sqlite3_uint64)pCell->i,
                            SQLITE_TRANSIENT);
      break;
    default: break;
  }
}
