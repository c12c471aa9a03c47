/*
** Writing the small tables: INSERT, UPDATE and DELETE are checked, queued in
** order with entries, and sent at COMMIT (write/change_send.c).
**
**     INSERT INTO ledger_users(user_id, role) VALUES('...', 'Reader');
**     UPDATE ledger_users SET role = 'Contributor' WHERE user_id = '...';
**
** What is common stands here; what a row means, in its table's xChange.
** Requests: INSERT asks whether the thing exists, so that the constraint fails
** at the INSERT; nothing else is asked for before COMMIT.
**
** A statement's end shows in the savepoint that SQLite makes for each statement
** that may write several rows, or in the transaction: `nDeleted` counts since
** the last of them.
*/
#include "sqlite/table/table.h"

#include <string.h>

/* The text by which a row is interned: its key, with a second column's. */
static char *changeKeyText(const LedgerTable *p, const char *z1,
                           const char *z2) {
  if( p->pSpec->zKey2 == NULL ) return sqlite3_mprintf("%s", z1);
  return sqlite3_mprintf("%s\n%s", z1, z2 ? z2 : "");
}

int ledgerChangeRowid(const LedgerTable *p, const LedgerCells *pCells, i64 iRow,
                      i64 *piRowid) {
  const LedgerColumn *aColumn = p->pSpec->aColumn;
  const int iKey2 = ledgerColumnIndex(aColumn, p->pSpec->zKey2);
  const char *zLedger = ledgerCellsGet(pCells, iRow, p->iLedger);
  const char *z1 = ledgerCellsGet(pCells, iRow, p->iKey);
  LedgerError err = LEDGER_ERROR_INIT;
  Ledger *pLedger;
  char *zKey;
  int rc;
  /* A ledger that was detached meanwhile can't be written to. */
  if( ledgerConnFind(p->pConn, zLedger, 0, &pLedger, &err) ) {
    ledgerErrorClear(&err);
    *piRowid = 0;
    return SQLITE_OK;
  }
  zKey = changeKeyText(p, z1 ? z1 : "",
                       iKey2 < 0 ? NULL : ledgerCellsGet(pCells, iRow, iKey2));
  if( zKey == NULL ) return SQLITE_NOMEM;
  rc = ledgerInternRowid(p->pConn, p->pSpec, pLedger->iSlot, zKey, piRowid);
  sqlite3_free(zKey);
  return rc;
}

/* The ledger of a row of INSERT: its hidden column, or main. */
static int changeLedger(LedgerTable *p, LedgerChange *pChange,
                        LedgerError *pErr) {
  sqlite3_value *pVal = pChange->apVal[p->iLedger];
  const char *z = (const char *)sqlite3_value_text(pVal);
  if( z && strlen(z) != (size_t)sqlite3_value_bytes(pVal) ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "column ledger: it can't hold a NUL");
  }
  return ledgerConnFindToWrite(p->pConn, z, !p->guard.bFile, "column ledger",
                               &pChange->pLedger, pErr);
}

/* The row that a rowid stands for. */
static int changeLookup(LedgerTable *p, sqlite3_value *pRowid,
                        LedgerChange *pChange, LedgerError *pErr) {
  int iSlot = -1, i;
  pChange->zKey =
      ledgerInternKey(p->pConn, p->pSpec, sqlite3_value_int64(pRowid), &iSlot);
  for( i = 0; i < p->pConn->nLedger; i++ ) {
    if( pChange->zKey && p->pConn->apLedger[i]->iSlot == iSlot ) {
      pChange->pLedger = p->pConn->apLedger[i];
      return ledgerGuardLedger(pChange->pLedger, pErr);
    }
  }
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s: the row's ledger is no longer attached",
                        p->pSpec->zName);
}

const char *ledgerChangeText(const LedgerChange *p, const char *zColumn) {
  const int i = ledgerColumnIndex(p->pSpec->aColumn, zColumn);
  if( p->apVal == NULL || sqlite3_value_nochange(p->apVal[i]) ||
      sqlite3_value_type(p->apVal[i]) == SQLITE_NULL ) {
    return NULL;
  }
  return (const char *)sqlite3_value_text(p->apVal[i]);
}

int ledgerChangeGiven(const LedgerChange *p, const char *zColumn) {
  const int i = ledgerColumnIndex(p->pSpec->aColumn, zColumn);
  return p->apVal && !sqlite3_value_nochange(p->apVal[i]) &&
         (p->eOp == LEDGER_CHANGE_UPDATE ||
          sqlite3_value_type(p->apVal[i]) != SQLITE_NULL);
}

int ledgerChangeQueued(const LedgerChange *p, const char *zKey) {
  const LedgerQueued *pRow;
  int bExists = -1;
  for( pRow = p->pConn->queue.pFirst; pRow; pRow = pRow->pNext ) {
    if( pRow->pKind == p->pSpec->pKind && pRow->pLedger == p->pLedger &&
        strcmp(pRow->zKey, zKey) == 0 ) {
      bExists = pRow->eChange != LEDGER_CHANGE_DELETE;
    }
  }
  return bExists;
}

int ledgerChangeExists(const LedgerChange *p, const char *zKey, int *pbExists,
                       LedgerError *pErr) {
  const LedgerTxid any = {0, 0};
  LedgerCall *pCall = NULL;
  LedgerJson *pDoc = NULL;
  *pbExists = ledgerChangeQueued(p, zKey);
  if( *pbExists >= 0 ) return LEDGER_OK;
  if( ledgerRouteGet(p->pLedger->pClient, p->pSpec->pRouteKey, zKey, any,
                     &pCall, pErr) == LEDGER_OK &&
      ledgerCallWait(pCall, pErr) == LEDGER_OK ) {
    ledgerRouteResult(pCall, &pDoc, pErr);
  }
  if( pDoc && p->pSpec->zKeyItems ) {
    const cJSON *pList =
        ledgerJsonMember(ledgerJsonRoot(pDoc), p->pSpec->zKeyItems);
    *pbExists = pList && pList->child;
  } else {
    *pbExists = pDoc != NULL;
  }
  ledgerCallFree(pCall);
  return pErr->rc;
}

int ledgerChangeNamed(LedgerChange *p, const char *zThing,
                      const char *zKeyColumn, const char *zValueColumn,
                      int (*xValue)(LedgerChange *, LedgerError *),
                      LedgerError *pErr) {
  const char *z = ledgerChangeText(p, zKeyColumn);
  int bExists = 0;
  if( p->eOp == LEDGER_CHANGE_DELETE ) return LEDGER_OK;
  if( p->eOp == LEDGER_CHANGE_UPDATE ) {
    if( z && strcmp(z, p->zKey) != 0 ) {
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "%s: it can't be changed: DELETE and INSERT",
                            zKeyColumn);
    }
    if( ledgerChangeGiven(p, zValueColumn) ) return xValue(p, pErr);
    p->bNothing = 1;
    return LEDGER_OK;
  }
  if( z == NULL || z[0] == 0 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "%s: it is missing",
                          zKeyColumn);
  }
  p->pRow->zKey = sqlite3_mprintf("%s", z);
  if( p->pRow->zKey == NULL ) return ledgerErrorNomem(pErr);
  if( p->eOp == LEDGER_CHANGE_INSERT &&
      ledgerChangeExists(p, z, &bExists, pErr) ) {
    return pErr->rc;
  }
  if( bExists ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "%s %s exists already: UPDATE, or INSERT OR REPLACE",
                          zThing, z);
  }
  return xValue(p, pErr);
}

/* Texts are handed on up to a NUL: one that has it is refused, not cut. */
static int changeWhole(const LedgerChange *p, LedgerError *pErr) {
  int i;
  for( i = 0; p->apVal && p->pSpec->aColumn[i].zName; i++ ) {
    const char *zColumn = p->pSpec->aColumn[i].zName;
    const char *z = ledgerChangeText(p, zColumn);
    if( z && strlen(z) != (size_t)sqlite3_value_bytes(p->apVal[i]) ) {
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "%s: it can't hold a NUL",
                            zColumn);
    }
  }
  return LEDGER_OK;
}

/* Fills and queues one change. */
static int changeQueue(LedgerTable *p, LedgerChange *pChange,
                       sqlite3_int64 *piRowid, LedgerError *pErr) {
  LedgerQueued *pRow = NULL;
  int rc = changeWhole(pChange, pErr);
  if( rc == LEDGER_OK ) {
    rc = ledgerQueuedStart(p->pConn, pChange->pLedger, &pRow, pErr);
  }
  if( rc ) return rc;
  pRow->pKind = p->pSpec->pKind;
  pRow->eChange = pChange->eOp;
  pRow->pOwner = &p->savepoints;
  pChange->pRow = pRow;
  rc = p->pSpec->xChange(pChange, pErr);
  if( rc == LEDGER_OK && pRow->zKey == NULL ) {
    pRow->zKey = sqlite3_mprintf("%s", pChange->zKey);
    if( pRow->zKey == NULL ) rc = ledgerErrorNomem(pErr);
  }
  if( rc || pChange->bNothing ) {
    ledgerQueuedFree(pRow);
    return rc;
  }
  pRow->nContents = pRow->zContents ? strlen(pRow->zContents) : 0;
  *piRowid = pRow->n;
  return ledgerQueueAdd(p->pConn, pRow, pErr);
}

/* UPDATE leaves a row where it is: the ledger's name may only be repeated. From
** UPDATE FROM SQLite hands over all columns as given, so that nothing tells
** which of them are to change. */
static int changeStays(const LedgerTable *p, const LedgerChange *pChange,
                       sqlite3_value **argv, LedgerError *pErr) {
  const LedgerColumn *aColumn = p->pSpec->aColumn;
  sqlite3_value *pName = pChange->apVal[p->iLedger];
  const int bName = !sqlite3_value_nochange(pName);
  const char *z = bName ? (const char *)sqlite3_value_text(pName) : NULL;
  int i = 0;
  if( sqlite3_value_type(argv[1]) != SQLITE_INTEGER ||
      sqlite3_value_int64(argv[0]) != sqlite3_value_int64(argv[1]) ||
      (bName &&
       (z == NULL || sqlite3_stricmp(z, pChange->pLedger->zName) != 0)) ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "%s: a row can't move: DELETE it and INSERT another",
                          p->pSpec->zName);
  }
  while( aColumn[i].zName && !sqlite3_value_nochange(pChange->apVal[i]) ) i++;
  if( aColumn[i].zName ) return LEDGER_OK;
  return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                        "%s: UPDATE FROM sets all columns: write UPDATE %s SET "
                        "column = (SELECT ...) WHERE ...",
                        p->pSpec->zName, p->pSpec->zName);
}

int ledgerChangeUpdate(LedgerTable *p, int argc, sqlite3_value **argv,
                       sqlite3_int64 *piRowid, LedgerError *pErr) {
  LedgerChange change;
  sqlite3_int64 iRowid = 0;
  int rc;

  memset(&change, 0, sizeof(change));
  change.pSpec = p->pSpec;
  change.pConn = p->pConn;
  if( argc == 1 ) {
    change.eOp = LEDGER_CHANGE_DELETE;
    change.nDeleted = ++p->nDeleted;
  } else {
    change.apVal = argv + 2;
    change.eOp = LEDGER_CHANGE_UPDATE;
    if( sqlite3_value_type(argv[0]) == SQLITE_NULL ) {
      change.eOp = sqlite3_vtab_on_conflict(p->pConn->db) == SQLITE_REPLACE
                       ? LEDGER_CHANGE_REPLACE
                       : LEDGER_CHANGE_INSERT;
    }
  }
  if( change.eOp == LEDGER_CHANGE_DELETE ||
      change.eOp == LEDGER_CHANGE_UPDATE ) {
    rc = changeLookup(p, argv[0], &change, pErr);
    if( rc == LEDGER_OK && argc > 1 ) rc = changeStays(p, &change, argv, pErr);
  } else if( sqlite3_value_type(argv[1]) != SQLITE_NULL ) {
    rc = ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "rowid: %s assigns it",
                        p->pSpec->zName);
  } else {
    rc = changeLedger(p, &change, pErr);
  }
  if( rc == LEDGER_OK ) rc = changeQueue(p, &change, &iRowid, pErr);
  if( rc == LEDGER_OK && change.eOp != LEDGER_CHANGE_DELETE &&
      change.eOp != LEDGER_CHANGE_UPDATE ) {
    *piRowid = iRowid;
  }
  return rc;
}
