/*
** The module behind the small tables: read whole, kept for the statement; some
** are written through the queue (change.c).
**
**     SELECT * FROM ledger_sub_ledgers;
**     SELECT state FROM ledger_transactions WHERE transaction_id = '2.15';
**     DELETE FROM ledger_users WHERE user_id = '...';
**
** A table is one file that holds one LedgerTableSpec: its columns, the routes
** that answer, the column that may be asked for. What is common stands here:
** plans, the column `ledger`, cursors; and in describe.c, cells.c, change.c.
**
** Plans: `ledger=`, `ledger-in`, `KEY=`, `KEY-in`; each takes one value.
**
** Invariant: what the ledger answered is kept (bAnswers) for the statement, or
** until this connection writes: within one statement (read/snapshot.c) a
** question is asked once, by whichever cursor; another statement asks again. A
** join that asks for key after key costs two requests: the first key, then the
** list.
*/
#include "sqlite/table/table.h"

#include <string.h>

typedef struct TableCursor TableCursor;
struct TableCursor {
  sqlite3_vtab_cursor base;  /* must be first */
  LedgerSnapshot *pSnapshot; /* shared with the statement's other cursors */
  LedgerAnswer *pAnswer;     /* the one being read, or NULL */
  i64 iRow;
  int bAsked; /* it may read */
};

/* ---- answers ------------------------------------------------------------- */

/* What a ledger answered is kept; what is known here is read again. */
static int tableIsKept(const LedgerTableSpec *pSpec) {
  return pSpec->pRoute || pSpec->pRouteKey || pSpec->bAnswers;
}

/* A fresh answer, empty, or NULL; it takes zAsked over in any case. */
static LedgerAnswer *tableAnswer(const LedgerTableSpec *pSpec, char *zAsked,
                                 LedgerError *pErr) {
  LedgerAnswer *p = sqlite3_malloc64(sizeof(*p));
  if( p == NULL ) {
    sqlite3_free(zAsked);
    ledgerErrorNomem(pErr);
    return NULL;
  }
  memset(p, 0, sizeof(*p));
  p->pSpec = pSpec;
  p->zAsked = zAsked;
  p->nRef = 1;
  p->xFree = ledgerCellsFree;
  if( ledgerCellsNew(ledgerColumnCount(pSpec->aColumn), &p->pCells, pErr) ) {
    ledgerAnswerUnref(p);
    return NULL;
  }
  return p;
}

/* ---- the module ---------------------------------------------------------- */

static int tableBestIndex(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo) {
  const LedgerTable *p = (LedgerTable *)pVtab;
  const LedgerTableSpec *pSpec = p->pSpec;
  sqlite3_str *pStr = sqlite3_str_new(NULL);
  int i, nArg = 0, bKey = 0, bUnusable = 0;
  p->pConn->pPlanned = pSpec;
  for( i = 0; i < pInfo->nConstraint; i++ ) {
    const struct sqlite3_index_constraint *pCons = &pInfo->aConstraint[i];
    int bLedger = pCons->iColumn == p->iLedger;
    const char *zColl;
    if( pCons->op != SQLITE_INDEX_CONSTRAINT_EQ || pCons->iColumn < 0 ||
        (!bLedger && (pCons->iColumn != p->iKey || pSpec->bKeyLocal)) ) {
      continue;
    }
    if( !pCons->usable ) {
      bUnusable |= !bLedger;
      continue;
    }
    zColl = sqlite3_vtab_collation(pInfo, i);
    if( zColl == NULL || (sqlite3_stricmp(zColl, "BINARY") != 0 &&
                          sqlite3_strnicmp(zColl, "ledger_", 7) != 0) ) {
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
  if( ledgerSnapshotPlan(p->pConn, pStr, pInfo) ) return SQLITE_NOMEM;
  if( !bKey && pSpec->bKeyRequired ) {
    if( bUnusable ) return SQLITE_CONSTRAINT; /* another order of the join */
    sqlite3_free(pVtab->zErrMsg);
    pVtab->zErrMsg = ledgerErrorMessage("%s: needs WHERE %s = '...'",
                                        pSpec->zName, pSpec->zKey);
    return SQLITE_ERROR;
  }
  return SQLITE_OK;
}

static int tableOpen(sqlite3_vtab *pVtab, sqlite3_vtab_cursor **ppCursor) {
  TableCursor *p = sqlite3_malloc64(sizeof(*p));
  if( p == NULL ) return SQLITE_NOMEM;
  memset(p, 0, sizeof(*p));
  ledgerSnapshotOpen(((LedgerTable *)pVtab)->pConn, &p->pSnapshot);
  *ppCursor = &p->base;
  return SQLITE_OK;
}

static int tableClose(sqlite3_vtab_cursor *pCursor) {
  TableCursor *p = (TableCursor *)pCursor;
  LedgerConn *pConn = ((LedgerTable *)pCursor->pVtab)->pConn;
  ledgerAnswerUnref(p->pAnswer);
  ledgerSnapshotLeave(pConn, &p->pSnapshot);
  sqlite3_free(p);
  return SQLITE_OK;
}

/* What xFilter was given: the ledgers' names and the keys. */
typedef struct TableQuestion TableQuestion;
struct TableQuestion {
  int nLedger, nKey; /* -1: no condition */
  char **azLedger, **azKey;
  int nNamed; /* ledgers given by `=`, each of which must be attached */
  char **azNamed;
};

static void tableClearQuestion(TableQuestion *p) {
  int i;
  for( i = 0; i < p->nLedger; i++ ) sqlite3_free(p->azLedger[i]);
  for( i = 0; i < p->nKey; i++ ) sqlite3_free(p->azKey[i]);
  for( i = 0; i < p->nNamed; i++ ) sqlite3_free(p->azNamed[i]);
  sqlite3_free(p->azLedger);
  sqlite3_free(p->azKey);
  sqlite3_free(p->azNamed);
}

/* Adds a text to a list; takes it over. */
static int tableAdd(int *pn, char ***paz, char *z) {
  char **azNew =
      sqlite3_realloc64(*paz, sizeof(*azNew) * ((sqlite3_uint64)*pn + 1));
  if( azNew == NULL ) {
    sqlite3_free(z);
    return SQLITE_NOMEM;
  }
  *paz = azNew;
  azNew[(*pn)++] = z;
  return SQLITE_OK;
}

static int tableAddText(int *pn, char ***paz, sqlite3_value *pVal) {
  const char *z;
  char *zCopy;
  if( sqlite3_value_type(pVal) == SQLITE_NULL ||
      sqlite3_value_type(pVal) == SQLITE_BLOB ) {
    return SQLITE_OK; /* equals no text */
  }
  z = (const char *)sqlite3_value_text(pVal);
  zCopy = z ? sqlite3_mprintf("%s", z) : NULL;
  return zCopy ? tableAdd(pn, paz, zCopy) : SQLITE_NOMEM;
}

/* Brings the last key into its canonical form. What can't be a key, or is there
** already, is taken away. */
static int tableCanonical(const LedgerTableSpec *pSpec, TableQuestion *p) {
  char *z = p->azKey[p->nKey - 1];
  int i;
  if( pSpec->xKey == NULL ) return SQLITE_OK;
  p->nKey--;
  i = pSpec->xKey(z, strlen(z), &p->azKey[p->nKey]);
  sqlite3_free(z);
  if( i || p->azKey[p->nKey] == NULL ) return i;
  for( i = 0; i < p->nKey; i++ ) {
    if( strcmp(p->azKey[i], p->azKey[p->nKey]) == 0 ) {
      sqlite3_free(p->azKey[p->nKey]);
      return SQLITE_OK;
    }
  }
  p->nKey++;
  return SQLITE_OK;
}

/* The question as one text (sqlite3_free), or NULL. */
static char *tableAsked(const TableQuestion *p) {
  sqlite3_str *pStr = sqlite3_str_new(NULL);
  int i;
  sqlite3_str_appendf(pStr, "%d %d", p->nLedger, p->nKey);
  for( i = 0; i < p->nLedger; i++ ) {
    sqlite3_str_appendf(pStr, " %Q", p->azLedger[i]);
  }
  for( i = 0; i < p->nKey; i++ ) sqlite3_str_appendf(pStr, " %Q", p->azKey[i]);
  for( i = 0; i < p->nNamed; i++ ) {
    sqlite3_str_appendf(pStr, " =%Q", p->azNamed[i]);
  }
  return sqlite3_str_finish(pStr);
}

/*
** A join asks for one key after the other. From the second on the whole list is
** read instead, once, where the ledger offers one: SQLite checks the key of
** each row again. Changes the question and *pzAsked.
*/
static int tableWiden(const LedgerTable *p, LedgerSnapshot *pSnapshot,
                      const LedgerAnswer *pOld, TableQuestion *pQuestion,
                      char **pzAsked, LedgerError *pErr) {
  const LedgerTableSpec *pSpec = p->pSpec;
  const int nKey = pQuestion->nKey;
  char *zWide;
  int i;
  if( pSpec->pRoute == NULL || pSpec->pRouteKey == NULL || nKey <= 0 ||
      ledgerAnswerFind(*ledgerSnapshotAnswers(pSnapshot), pSpec, *pzAsked) ) {
    return LEDGER_OK;
  }
  pQuestion->nKey = -1;
  zWide = tableAsked(pQuestion);
  pQuestion->nKey = nKey;
  if( zWide == NULL ) return ledgerErrorNomem(pErr);
  if( ledgerAnswerFind(*ledgerSnapshotAnswers(pSnapshot), pSpec, zWide) ==
      NULL ) {
    int bOffered = pOld != NULL;
    for( i = 0; i < p->pConn->nLedger && bOffered; i++ ) {
      bOffered =
          ledgerRouteOffered(p->pConn->apLedger[i]->pClient, pSpec->pRoute);
    }
    if( !bOffered ) {
      sqlite3_free(zWide);
      return LEDGER_OK;
    }
  }
  for( i = 0; i < nKey; i++ ) sqlite3_free(pQuestion->azKey[i]);
  pQuestion->nKey = -1;
  sqlite3_free(*pzAsked);
  *pzAsked = zWide;
  return LEDGER_OK;
}

/* Decodes the plan. A second word on the same column is left to SQLite, which
** checks every row again. *pzAsked becomes the question as one text. */
static int tableDecode(const LedgerTableSpec *pSpec, const char *zPlan,
                       int argc, sqlite3_value **argv, TableQuestion *p,
                       char **pzAsked, LedgerError *pErr) {
  int iArg, rc = SQLITE_OK;
  memset(p, 0, sizeof(*p));
  p->nLedger = p->nKey = -1;
  for( iArg = 0; iArg < argc && rc == SQLITE_OK; iArg++ ) {
    size_t n = strcspn(zPlan, " ");
    int bIn = n > 3 && memcmp(zPlan + n - 3, "-in", 3) == 0;
    int bLedger = n >= 6 && memcmp(zPlan, "ledger", 6) == 0 &&
                  (zPlan[6] == '=' || zPlan[6] == '-');
    int *pn = bLedger ? &p->nLedger : &p->nKey;
    char ***paz = bLedger ? &p->azLedger : &p->azKey;
    sqlite3_value *pVal = argv[iArg];
    zPlan += n + (zPlan[n] == ' ');
    if( bLedger && !bIn ) {
      char *zName = NULL;
      rc = ledgerConnName(pVal, &zName);
      if( zName ) rc = tableAdd(&p->nNamed, &p->azNamed, zName);
      if( rc ) break;
    }
    if( *pn >= 0 ) continue;
    *pn = 0;
    if( bIn ) rc = sqlite3_vtab_in_first(argv[iArg], &pVal);
    while( rc == SQLITE_OK && pVal ) {
      int eType = sqlite3_value_type(pVal);
      int nBefore = *pn;
      if( !bLedger && (eType == SQLITE_INTEGER || eType == SQLITE_FLOAT) &&
          strcmp(pSpec->zKey, "transaction_id") == 0 ) {
        LedgerTxid id;
        rc = ledgerValueTxid(pVal, &id, pErr); /* numbers are refused */
        break;
      }
      rc = tableAddText(pn, paz, pVal);
      if( rc == SQLITE_OK && !bLedger && *pn > nBefore ) {
        rc = tableCanonical(pSpec, p);
      }
      if( rc || !bIn ) break;
      rc = sqlite3_vtab_in_next(argv[iArg], &pVal);
    }
    if( rc == SQLITE_DONE ) rc = SQLITE_OK;
  }
  *pzAsked = tableAsked(p);
  if( pErr->rc ) return pErr->rc;
  if( rc || *pzAsked == NULL ) return ledgerErrorNomem(pErr);
  return LEDGER_OK;
}

/* Where all ledgers were asked, says which one failed. */
static void tableBlame(const LedgerTable *p, const Ledger *pLedger,
                       LedgerError *pErr) {
  ledgerErrorWrap(pErr, pErr,
                  "ledger '%s': %s; SELECT ... FROM %s('NAME') asks one ledger",
                  pLedger->zName, ledgerErrorText(pErr), p->pSpec->zName);
}

/* Reads the rows of all ledgers that are asked for. */
static int tableRead(const LedgerTable *p, LedgerCells *pCells,
                     const TableQuestion *pQuestion, LedgerError *pErr) {
  LedgerConn *pConn = p->pConn;
  int i, k, rc = LEDGER_OK;
  if( p->iLedger < 0 ) {
    return ledgerTableRead(p->pSpec, pCells, pConn, NULL, pQuestion->nKey,
                           pQuestion->azKey, pErr);
  }
  rc = ledgerConnReady(pConn, !p->guard.bFile, pErr);
  if( rc == LEDGER_OK ) {
    rc = ledgerConnNamed(pConn, pQuestion->nNamed, pQuestion->azNamed, pErr);
  }
  for( i = 0; i < pConn->nLedger && rc == LEDGER_OK; i++ ) {
    Ledger *pLedger = pConn->apLedger[i];
    const int bAll = pQuestion->nLedger < 0;
    int bRead = bAll;
    for( k = 0; k < pQuestion->nLedger && !bRead; k++ ) {
      bRead = strcmp(pLedger->zName, pQuestion->azLedger[k]) == 0;
    }
    if( !bRead ) continue;
    ledgerRef(pLedger);
    ledgerCellsLedger(pCells, p->iLedger, pLedger->zName);
    rc = ledgerTableRead(p->pSpec, pCells, pConn, pLedger, pQuestion->nKey,
                         pQuestion->azKey, pErr);
    if( rc && bAll && pConn->nLedger > 1 && rc != LEDGER_INTERRUPT )
      tableBlame(p, pLedger, pErr);
    ledgerCellsLedger(pCells, p->iLedger, NULL);
    ledgerUnref(pLedger);
  }
  return rc;
}

static int tableFilter(sqlite3_vtab_cursor *pCursor, int idxNum,
                       const char *idxStr, int argc, sqlite3_value **argv) {
  TableCursor *p = (TableCursor *)pCursor;
  const LedgerTable *pTable = (LedgerTable *)pCursor->pVtab;
  const LedgerTableSpec *pSpec = pTable->pSpec;
  LedgerConn *pConn = pTable->pConn;
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerAnswer *pOld = p->pAnswer;
  LedgerAnswer *pNew = NULL;
  TableQuestion question;
  char *zAsked = NULL;
  int rc;
  (void)idxNum;
  if( ledgerGuardRead(&pTable->guard, &p->bAsked, &err) ) {
    return ledgerErrorVtab(pCursor->pVtab, &err);
  }
  ledgerProgressName(pConn->pProgress, pSpec->zName);
  rc = ledgerSnapshotJoin(pConn, idxStr, &p->pSnapshot);
  if( rc ) return rc;
  p->iRow = 0;
  p->pAnswer = NULL;
  rc = tableDecode(pSpec, idxStr, argc, argv, &question, &zAsked, &err);
  if( rc == LEDGER_OK )
    rc = tableWiden(pTable, p->pSnapshot, pOld, &question, &zAsked, &err);
  if( rc == LEDGER_OK ) {
    pNew =
        ledgerAnswerFind(*ledgerSnapshotAnswers(p->pSnapshot), pSpec, zAsked);
    if( pOld && !tableIsKept(pSpec) && strcmp(pOld->zAsked, zAsked) == 0 ) {
      pNew = pOld; /* the cursor's own, asked again */
    }
  }
  if( pNew ) {
    pNew->nRef++;
    sqlite3_free(zAsked);
  } else if( rc == LEDGER_OK ) {
    pNew = tableAnswer(pSpec, zAsked, &err);
    rc = pNew ? tableRead(pTable, pNew->pCells, &question, &err) : err.rc;
    if( pNew && rc == LEDGER_OK && tableIsKept(pSpec) ) {
      ledgerAnswerKeep(ledgerSnapshotAnswers(p->pSnapshot), pNew);
    }
  } else {
    sqlite3_free(zAsked);
  }
  tableClearQuestion(&question);
  ledgerAnswerUnref(pOld);
  if( rc ) {
    ledgerAnswerUnref(pNew);
    ledgerErrorSpare(pConn->db, &err);
    return ledgerErrorVtab(pCursor->pVtab, &err);
  }
  p->pAnswer = pNew;
  return SQLITE_OK;
}

static int tableNext(sqlite3_vtab_cursor *pCursor) {
  ((TableCursor *)pCursor)->iRow++;
  return SQLITE_OK;
}

static int tableEof(sqlite3_vtab_cursor *pCursor) {
  TableCursor *p = (TableCursor *)pCursor;
  return p->pAnswer == NULL || p->iRow >= ledgerCellsCount(p->pAnswer->pCells);
}

/* A table that is written has row numbers that DELETE can look up. */
static int tableRowid(sqlite3_vtab_cursor *pCursor, sqlite3_int64 *piRowid) {
  TableCursor *p = (TableCursor *)pCursor;
  const LedgerTable *pTable = (LedgerTable *)pCursor->pVtab;
  *piRowid = p->iRow + 1;
  if( pTable->pSpec->xChange == NULL ) return SQLITE_OK;
  return ledgerChangeRowid(pTable, p->pAnswer->pCells, p->iRow, piRowid);
}

static int tableColumn(sqlite3_vtab_cursor *pCursor, sqlite3_context *pCtx,
                       int iCol) {
  TableCursor *p = (TableCursor *)pCursor;
  if( sqlite3_vtab_nochange(pCtx) ) return SQLITE_OK; /* UPDATE keeps it */
  ledgerCellsResult(p->pAnswer->pCells, p->iRow, iCol, pCtx);
  return SQLITE_OK;
}

/* The methods that read. */
static const sqlite3_module tableModule = {
    .xBestIndex = tableBestIndex,
    .xOpen = tableOpen,
    .xClose = tableClose,
    .xFilter = tableFilter,
    .xNext = tableNext,
    .xEof = tableEof,
    .xColumn = tableColumn,
    .xRowid = tableRowid,
};

int ledgerTableRegister(LedgerConn *pConn, const LedgerTableSpec *pSpec) {
  if( pSpec->xRegister ) return pSpec->xRegister(pConn, pSpec);
  return ledgerTableModule(pConn, pSpec, &tableModule);
}
