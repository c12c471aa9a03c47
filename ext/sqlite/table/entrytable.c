/*
** The module behind tables whose rows are entries or stand for them:
** ledger_entries, ledger_receipts, ledger_audit.
**
**     SELECT * FROM ledger_audit WHERE sub_ledger = 'A';
**
** A table is one file that holds a LedgerTableSpec with a LedgerEntryTable:
** where its columns stand for the plan (read/plan.c), where its rows come from,
** and what a column shows of a row. What is common stands here: plans, cursors,
** replay.
**
** rowid is the ledger's slot << 48 | seqno.
**
** Invariants: within a cursor the same question is asked once; xBestIndex makes
** no request.
*/
#include "sqlite/table/table.h"

#include <string.h>

typedef struct EntryCursor EntryCursor;
struct EntryCursor {
  sqlite3_vtab_cursor base;   /* must be first */
  LedgerSnapshot *pSnapshot;  /* shared with the statement's other cursors */
  LedgerReplay *pReplay;      /* where rows come from */
  const LedgerEntryRow *pRow; /* the row at hand, NULL at the end */
  int bAsked;                 /* it may read */
};

/* There is no plan without transaction_id: is it only this order of a join
** that has none, or the statement? */
static int entryRequired(LedgerTable *p, sqlite3_index_info *pInfo) {
  const int iId = p->pSpec->pEntries->plan.aColumn[LEDGER_PLAN_TRANSACTION_ID];
  int i;
  for( i = 0; i < pInfo->nConstraint; i++ ) {
    if( !pInfo->aConstraint[i].usable &&
        pInfo->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ &&
        pInfo->aConstraint[i].iColumn == iId ) {
      return SQLITE_CONSTRAINT;
    }
  }
  sqlite3_free(p->base.zErrMsg);
  p->base.zErrMsg = ledgerErrorMessage("%s: needs WHERE transaction_id = '...'",
                                       p->pSpec->zName);
  return SQLITE_ERROR;
}

static int entryBestIndex(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo) {
  LedgerTable *p = (LedgerTable *)pVtab;
  const LedgerEntryTable *pEntries = p->pSpec->pEntries;
  int rc;
  p->pConn->pPlanned = p->pSpec;
  rc = ledgerPlanEntries(p->pConn, pInfo, &pEntries->plan, p->zLedger,
                         p->zSubLedger);
  if( rc == SQLITE_OK && pEntries->bIdRequired && pInfo->idxNum != 1 ) {
    rc = entryRequired(p, pInfo);
  }
  return rc;
}

static int entryOpen(sqlite3_vtab *pVtab, sqlite3_vtab_cursor **ppCursor) {
  EntryCursor *pCur = sqlite3_malloc64(sizeof(*pCur));
  if( pCur == NULL ) return SQLITE_NOMEM;
  memset(pCur, 0, sizeof(*pCur));
  ledgerSnapshotOpen(((LedgerTable *)pVtab)->pConn, &pCur->pSnapshot);
  ledgerReplayOffer(((LedgerTable *)pVtab)->pConn, &pCur->pReplay);
  *ppCursor = &pCur->base;
  return SQLITE_OK;
}

static int entryClose(sqlite3_vtab_cursor *pCursor) {
  EntryCursor *pCur = (EntryCursor *)pCursor;
  LedgerTable *p = (LedgerTable *)pCursor->pVtab;
  ledgerReplayLeave(p->pConn, &pCur->pReplay);
  ledgerSnapshotLeave(p->pConn, &pCur->pSnapshot);
  sqlite3_free(pCur);
  return SQLITE_OK;
}

static int entryNext(sqlite3_vtab_cursor *pCursor) {
  EntryCursor *pCur = (EntryCursor *)pCursor;
  LedgerError err = LEDGER_ERROR_INIT;
  if( ledgerReplayNext(pCur->pReplay, &pCur->pRow, &err) ) {
    pCur->pRow = NULL;
    ledgerErrorSpare(((LedgerTable *)pCursor->pVtab)->pConn->db, &err);
    return ledgerErrorVtab(pCursor->pVtab, &err);
  }
  return SQLITE_OK;
}

static int entryFilter(sqlite3_vtab_cursor *pCursor, int idxNum,
                       const char *idxStr, int argc, sqlite3_value **argv) {
  EntryCursor *pCur = (EntryCursor *)pCursor;
  LedgerTable *p = (LedgerTable *)pCursor->pVtab;
  const int bEnv = !p->guard.bFile; /* what a file declares attaches nothing */
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerQuery query;
  Ledger *pLedger = NULL;
  int rc;
  (void)idxNum;
  pCur->pRow = NULL;
  memset(&query, 0, sizeof(query));
  rc = ledgerGuardRead(&p->guard, &pCur->bAsked, &err);
  ledgerProgressName(p->pConn->pProgress, p->pSpec->zName);
  if( rc == LEDGER_OK &&
      ledgerReplayEnter(p->pConn, idxStr, p->pSpec->pEntries->pSource,
                        &pCur->pSnapshot, &pCur->pReplay) ) {
    rc = ledgerErrorNomem(&err);
  }
  if( rc == LEDGER_OK && p->zLedger ) {
    /* Declared for it: that it isn't there is an error. */
    rc = ledgerConnFind(p->pConn, p->zLedger, bEnv, &pLedger, &err);
  }
  if( rc == LEDGER_OK ) {
    rc = ledgerQueryDecode(idxStr, argc, argv, pLedger ? pLedger->zName : NULL,
                           p->zSubLedger, &query, &err);
  }
  if( rc ) {
    ledgerQueryClear(&query);
  } else {
    rc = ledgerReplayOpen(pCur->pReplay, bEnv, &query, &err);
  }
  if( rc ) {
    ledgerErrorSpare(p->pConn->db, &err);
    return ledgerErrorVtab(pCursor->pVtab, &err);
  }
  return entryNext(pCursor);
}

static int entryEof(sqlite3_vtab_cursor *pCursor) {
  return ((EntryCursor *)pCursor)->pRow == NULL;
}

static int entryRowid(sqlite3_vtab_cursor *pCursor, sqlite3_int64 *piRowid) {
  const LedgerEntryRow *pRow = ((EntryCursor *)pCursor)->pRow;
  *piRowid = (i64)pRow->pLedger->iSlot << 48 | pRow->entry.id.seqno;
  return SQLITE_OK;
}

static int entryColumn(sqlite3_vtab_cursor *pCursor, sqlite3_context *pCtx,
                       int iCol) {
  const LedgerEntryTable *p = ((LedgerTable *)pCursor->pVtab)->pSpec->pEntries;
  const LedgerEntryRow *pRow = ((EntryCursor *)pCursor)->pRow;
  char zId[LEDGER_TXID_MAX];
  if( iCol == p->plan.aColumn[LEDGER_PLAN_TRANSACTION_ID] ) {
    sqlite3_result_text(pCtx, ledgerTxidFormat(pRow->entry.id, zId), -1,
                        SQLITE_TRANSIENT);
  } else if( iCol == p->plan.aColumn[LEDGER_PLAN_LEDGER] ) {
    sqlite3_result_text(pCtx, pRow->pLedger->zName, -1, SQLITE_TRANSIENT);
  } else {
    p->xColumn(pRow, pCtx, iCol);
  }
  return SQLITE_OK;
}

/* MATCH, where SQLite evaluates it itself. */
static int entryFindFunction(sqlite3_vtab *pVtab, int nArg, const char *zName,
                             void (**pxFunc)(sqlite3_context *, int,
                                             sqlite3_value **),
                             void **ppArg) {
  const LedgerEntryTable *p = ((LedgerTable *)pVtab)->pSpec->pEntries;
  if( p->plan.aColumn[LEDGER_PLAN_TAGS] < 0 || nArg != 2 ||
      sqlite3_stricmp(zName, "match") != 0 ) {
    return 0;
  }
  *pxFunc = ledgerMatchFunction;
  *ppArg = NULL;
  return 1;
}

/* The methods that read. */
static const sqlite3_module entryModule = {
    .xBestIndex = entryBestIndex,
    .xOpen = entryOpen,
    .xClose = entryClose,
    .xFilter = entryFilter,
    .xNext = entryNext,
    .xEof = entryEof,
    .xColumn = entryColumn,
    .xRowid = entryRowid,
    .xFindFunction = entryFindFunction,
};

int ledgerEntryTableRegister(LedgerConn *pConn, const LedgerTableSpec *pSpec) {
  return ledgerTableModule(pConn, pSpec, &entryModule);
}
