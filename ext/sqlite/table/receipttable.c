/*
** The module behind tables whose rows are entries or stand for them:
** ledger_receipts, ledger_audit.
**
**     SELECT * FROM ledger_audit WHERE sub_ledger = 'A';
**
** A table is one file that holds one LedgerRowTable: its schema, where its
** columns stand for the plan (read/plan.c), where its rows come from, and what
** a column shows of a row. What is common stands here: plans, cursors, replay.
**
** rowid is the ledger's slot << 48 | seqno, as in ledger_entries.
**
** Invariants: read-only, eponymous or declared; within a cursor the same
** question is asked once.
*/
#include "sqlite/table/table.h"

#include <string.h>

/* What a module's registration carries. */
typedef struct RowModule RowModule;
struct RowModule {
  LedgerDb *pDb;
  const LedgerTableSpec *pSpec;
  const LedgerRowTable *pTable;
};

typedef struct RowVtab RowVtab;
struct RowVtab {
  sqlite3_vtab base; /* must be first */
  RowModule *pModule;
  LedgerGuard guard; /* where it stands */
};

typedef struct RowCursor RowCursor;
struct RowCursor {
  sqlite3_vtab_cursor base; /* must be first */
  LedgerScope *pScope;      /* shared with the statement's other cursors */
  LedgerReplay *pReplay;    /* where rows come from */
  const LedgerRow *pRow;    /* the row at hand, NULL at the end */
  int bAsked;               /* it may read */
};

static int rowConnect(sqlite3 *db, void *pAux, int argc,
                      const char *const *argv, sqlite3_vtab **ppVtab,
                      char **pzErr) {
  RowModule *pModule = pAux;
  RowVtab *p;
  int rc = ledgerColumnDeclare(db, pModule->pSpec->aColumn);
  *ppVtab = NULL;
  if( rc ) return rc;
  p = sqlite3_malloc64(sizeof(*p));
  if( p == NULL ) return SQLITE_NOMEM;
  memset(p, 0, sizeof(*p));
  p->pModule = pModule;
  rc = ledgerGuardConnect(&p->guard, pModule->pDb, argc, argv);
  if( rc == SQLITE_OK && argc > 3 ) {
    rc = ledgerGuardBad(
        &p->guard, argv[1],
        sqlite3_mprintf("%s: this table takes no arguments", argv[0]), pzErr);
  }
  if( rc ) {
    ledgerGuardClear(&p->guard);
    sqlite3_free(p);
    return rc;
  }
  *ppVtab = &p->base;
  return SQLITE_OK;
}

static int rowDisconnect(sqlite3_vtab *pVtab) {
  ledgerGuardClear(&((RowVtab *)pVtab)->guard);
  sqlite3_free(pVtab);
  return SQLITE_OK;
}

/* There is no plan without transaction_id: is it only this order of a join
** that has none, or the statement? */
static int rowRequired(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo) {
  const LedgerRowTable *pTable = ((RowVtab *)pVtab)->pModule->pTable;
  int i;
  for( i = 0; i < pInfo->nConstraint; i++ ) {
    if( !pInfo->aConstraint[i].usable &&
        pInfo->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ &&
        pInfo->aConstraint[i].iColumn ==
            pTable->plan.aColumn[LEDGER_PLAN_TRANSACTION_ID] ) {
      return SQLITE_CONSTRAINT;
    }
  }
  sqlite3_free(pVtab->zErrMsg);
  pVtab->zErrMsg = ledgerMessage("%s: needs WHERE transaction_id = '...'",
                                 ((RowVtab *)pVtab)->pModule->pSpec->zName);
  return SQLITE_ERROR;
}

static int rowBestIndex(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo) {
  const LedgerRowTable *pTable = ((RowVtab *)pVtab)->pModule->pTable;
  LedgerDb *pDb = ((RowVtab *)pVtab)->pModule->pDb;
  int rc;
  pDb->pPlanned = ((RowVtab *)pVtab)->pModule->pSpec;
  rc = ledgerPlanEntries(pDb, pInfo, &pTable->plan, 0, 0);
  if( rc == SQLITE_OK && pTable->bIdRequired && pInfo->idxNum != 1 ) {
    rc = rowRequired(pVtab, pInfo);
  }
  return rc;
}

static int rowClose(sqlite3_vtab_cursor *pCursor) {
  RowCursor *pCur = (RowCursor *)pCursor;
  LedgerDb *pDb = ((RowVtab *)pCursor->pVtab)->pModule->pDb;
  ledgerReplayLeave(pDb, &pCur->pReplay);
  ledgerScopeLeave(pDb, &pCur->pScope);
  sqlite3_free(pCur);
  return SQLITE_OK;
}

static int rowOpen(sqlite3_vtab *pVtab, sqlite3_vtab_cursor **ppCursor) {
  RowCursor *pCur = sqlite3_malloc64(sizeof(*pCur));
  if( pCur == NULL ) return SQLITE_NOMEM;
  memset(pCur, 0, sizeof(*pCur));
  ledgerScopeOpen(((RowVtab *)pVtab)->pModule->pDb, &pCur->pScope);
  ledgerReplayOffer(((RowVtab *)pVtab)->pModule->pDb, &pCur->pReplay);
  *ppCursor = &pCur->base;
  return SQLITE_OK;
}

static int rowNext(sqlite3_vtab_cursor *pCursor) {
  RowCursor *pCur = (RowCursor *)pCursor;
  LedgerError err = LEDGER_ERROR_INIT;
  if( ledgerReplayNext(pCur->pReplay, &pCur->pRow, &err) ) {
    pCur->pRow = NULL;
    ledgerReadFailed(((RowVtab *)pCursor->pVtab)->pModule->pDb->db, &err);
    return ledgerVtabError(pCursor->pVtab, &err);
  }
  return SQLITE_OK;
}

static int rowFilter(sqlite3_vtab_cursor *pCursor, int idxNum,
                     const char *idxStr, int argc, sqlite3_value **argv) {
  RowCursor *pCur = (RowCursor *)pCursor;
  LedgerError err = LEDGER_ERROR_INIT;
  const LedgerGuard *pGuard = &((RowVtab *)pCursor->pVtab)->guard;
  const RowModule *pModule = ((RowVtab *)pCursor->pVtab)->pModule;
  LedgerDb *pDb = pModule->pDb;
  LedgerQuery query;
  int rc;
  (void)idxNum;
  pCur->pRow = NULL;
  if( ledgerGuardRead(pGuard, &pCur->bAsked, &err) ) {
    return ledgerVtabError(pCursor->pVtab, &err);
  }
  rc = ledgerReplayEnter(pDb, idxStr, pModule->pTable->pSource, &pCur->pScope,
                         &pCur->pReplay);
  if( rc ) return rc;
  rc = ledgerQueryDecode(idxStr, argc, argv, NULL, NULL, &query, &err);
  if( rc ) {
    ledgerQueryClear(&query);
  } else {
    rc = ledgerReplayOpen(pCur->pReplay, !pGuard->bFile, &query, &err);
  }
  if( rc ) {
    ledgerReadFailed(pDb->db, &err);
    return ledgerVtabError(pCursor->pVtab, &err);
  }
  return rowNext(pCursor);
}

static int rowEof(sqlite3_vtab_cursor *pCursor) {
  return ((RowCursor *)pCursor)->pRow == NULL;
}

static int rowRowid(sqlite3_vtab_cursor *pCursor, sqlite3_int64 *piRowid) {
  const LedgerRow *pRow = ((RowCursor *)pCursor)->pRow;
  *piRowid = (i64)pRow->pLedger->iSlot << 48 | pRow->entry.id.seqno;
  return SQLITE_OK;
}

static int rowColumn(sqlite3_vtab_cursor *pCursor, sqlite3_context *pCtx,
                     int iCol) {
  const LedgerRowTable *pTable = ((RowVtab *)pCursor->pVtab)->pModule->pTable;
  const LedgerRow *pRow = ((RowCursor *)pCursor)->pRow;
  char zId[LEDGER_TXID_MAX];
  if( iCol == pTable->plan.aColumn[LEDGER_PLAN_TRANSACTION_ID] ) {
    sqlite3_result_text(pCtx, ledgerTxidFormat(pRow->entry.id, zId), -1,
                        SQLITE_TRANSIENT);
  } else if( iCol == pTable->plan.aColumn[LEDGER_PLAN_LEDGER] ) {
    sqlite3_result_text(pCtx, pRow->pLedger->zName, -1, SQLITE_TRANSIENT);
  } else {
    pTable->xColumn(pRow, pCtx, iCol);
  }
  return SQLITE_OK;
}

static void rowDestroyModule(void *pArg) {
  RowModule *p = pArg;
  ledgerDbUnref(p->pDb);
  sqlite3_free(p);
}

/* xCreate is xConnect: the tables are eponymous, and may be declared. */
static const sqlite3_module rowModule = {
    .iVersion = 0,
    .xCreate = rowConnect,
    .xConnect = rowConnect,
    .xBestIndex = rowBestIndex,
    .xDisconnect = rowDisconnect,
    .xDestroy = rowDisconnect,
    .xOpen = rowOpen,
    .xClose = rowClose,
    .xFilter = rowFilter,
    .xNext = rowNext,
    .xEof = rowEof,
    .xColumn = rowColumn,
    .xRowid = rowRowid,
};

int ledgerRowTableRegister(LedgerDb *pDb, const LedgerTableSpec *pSpec,
                           const LedgerRowTable *pTable) {
  RowModule *p = sqlite3_malloc64(sizeof(*p));
  if( p == NULL ) return SQLITE_NOMEM;
  p->pDb = pDb;
  p->pSpec = pSpec;
  p->pTable = pTable;
  ledgerDbRef(pDb);
  return sqlite3_create_module_v2(pDb->db, pSpec->zName, &rowModule, p,
                                  rowDestroyModule);
}
