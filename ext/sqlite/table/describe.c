/*
** What a description of a table is good for: its schema, and the rows that an
** answer of the ledger holds. Each table_*.c has one description; the table
** ledger_columns and the reference page show them.
**
** Requests: the GETs of the routes that the description names.
**
** A column's path is the member of an item that it shows; `.` is the whole
** item as JSON, `@` its name where the items stand in an object. Text is text,
** numbers and truth are integers, objects and arrays are JSON.
*/
#include "sqlite/table/table.h"

#include <string.h>

int ledgerColumnCount(const LedgerColumn *aColumn) {
  int n = 0;
  while( aColumn[n].zName ) n++;
  return n;
}

int ledgerColumnIndex(const LedgerColumn *aColumn, const char *zName) {
  int i;
  for( i = 0; zName && aColumn[i].zName; i++ ) {
    if( strcmp(aColumn[i].zName, zName) == 0 ) return i;
  }
  return -1;
}

int ledgerColumnDeclare(sqlite3 *db, const LedgerColumn *aColumn) {
  sqlite3_str *pStr = sqlite3_str_new(NULL);
  char *z;
  int i, rc;
  for( i = 0; aColumn[i].zName; i++ ) {
    sqlite3_str_appendf(pStr, "%s%s %s%s", i ? ", " : "CREATE TABLE x(",
                        aColumn[i].zName, aColumn[i].zType,
                        aColumn[i].bHidden ? " HIDDEN" : "");
  }
  sqlite3_str_appendall(pStr, ")");
  z = sqlite3_str_finish(pStr);
  if( z == NULL ) return SQLITE_NOMEM;
  rc = sqlite3_declare_vtab(db, z);
  sqlite3_free(z);
  return rc;
}

int ledgerTableJson(LedgerCells *pCells, int iCol, LedgerJson *pDoc,
                    cJSON *pVal, LedgerError *pErr) {
  const char *z;
  char *zJson;
  size_t n;
  int rc;
  if( pVal == NULL || cJSON_IsNull(pVal) ) return LEDGER_OK;
  z = ledgerJsonText(pDoc, pVal, &n);
  if( z ) return ledgerCellsTextN(pCells, iCol, z, n, pErr);
  if( cJSON_IsBool(pVal) || cJSON_IsNumber(pVal) ) {
    ledgerCellsInt(pCells, iCol,
                   cJSON_IsBool(pVal) ? cJSON_IsTrue(pVal)
                                      : (i64)pVal->valuedouble);
    return LEDGER_OK;
  }
  zJson = ledgerJsonPrint(pVal);
  if( zJson == NULL ) return ledgerErrorNomem(pErr);
  rc = ledgerCellsText(pCells, iCol, zJson, pErr);
  cJSON_free(zJson);
  return rc;
}

/* The member that a path names, its steps parted by dots; NULL where one is
** missing. */
static cJSON *describePath(cJSON *p, const char *zPath) {
  char zStep[64];
  while( p && *zPath ) {
    size_t n = strcspn(zPath, ".");
    if( n >= sizeof(zStep) ) return NULL;
    memcpy(zStep, zPath, n);
    zStep[n] = 0;
    p = ledgerJsonMember(p, zStep);
    zPath += n + (zPath[n] == '.');
  }
  return p;
}

/* One item becomes one row. */
static int describeItem(const LedgerTableSpec *pSpec, LedgerCells *pCells,
                        Ledger *pLedger, LedgerJson *pDoc, cJSON *pItem,
                        LedgerError *pErr) {
  LedgerItem item;
  int i, rc = ledgerCellsRow(pCells, pErr);
  for( i = 0; pSpec->aColumn[i].zName && rc == LEDGER_OK; i++ ) {
    const char *zPath = pSpec->aColumn[i].zPath;
    if( zPath == NULL ) continue;
    if( strcmp(zPath, "@") == 0 ) {
      rc = ledgerCellsText(pCells, i, pItem->string, pErr);
    } else {
      rc = ledgerTableJson(
          pCells, i, pDoc,
          strcmp(zPath, ".") == 0 ? pItem : describePath(pItem, zPath), pErr);
    }
  }
  i = ledgerColumnIndex(pSpec->aColumn, pSpec->zKey);
  if( rc == LEDGER_OK && i >= 0 && pSpec->aColumn[i].zPath &&
      ledgerCellsGet(pCells, ledgerCellsCount(pCells) - 1, i) == NULL ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s: the ledger's answer makes no sense: an item has "
                        "no '%s'",
                        pSpec->zName, pSpec->aColumn[i].zPath);
  }
  if( rc || pSpec->xItem == NULL ) return rc;
  item.pLedger = pLedger;
  item.pDoc = pDoc;
  item.pItem = pItem;
  return pSpec->xItem(pCells, &item, pErr);
}

/* The rows of one answer. */
static int describeAnswer(const LedgerTableSpec *pSpec, const char *zItems,
                          LedgerCells *pCells, Ledger *pLedger,
                          LedgerJson *pDoc, LedgerError *pErr) {
  cJSON *pRoot = ledgerJsonRoot(pDoc);
  cJSON *pItem;
  int rc = LEDGER_OK;
  if( zItems == NULL ) {
    return describeItem(pSpec, pCells, pLedger, pDoc, pRoot, pErr);
  }
  pItem = describePath(pRoot, zItems);
  if( pSpec->bNamed ? !cJSON_IsObject(pItem) : !cJSON_IsArray(pItem) ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "%s: the ledger's answer makes no sense: it has no "
                          "list '%s'",
                          pSpec->zName, zItems);
  }
  for( pItem = pItem->child; pItem && rc == LEDGER_OK; pItem = pItem->next ) {
    rc = describeItem(pSpec, pCells, pLedger, pDoc, pItem, pErr);
  }
  return rc;
}

/* Sees that the one item of an answer is the one that was asked for. */
static int describeMeant(const LedgerTableSpec *pSpec,
                         const LedgerCells *pCells, const char *zKey,
                         LedgerError *pErr) {
  const int iKey = ledgerColumnIndex(pSpec->aColumn, pSpec->zKey);
  const char *z =
      iKey < 0 ? NULL
               : ledgerCellsGet(pCells, ledgerCellsCount(pCells) - 1, iKey);
  char *zCanonical = NULL;
  int bSame;
  if( z == NULL || strcmp(z, zKey) == 0 ) return LEDGER_OK;
  if( pSpec->xKey && pSpec->xKey(z, strlen(z), &zCanonical) ) {
    return ledgerErrorNomem(pErr);
  }
  bSame = zCanonical && strcmp(zCanonical, zKey) == 0;
  sqlite3_free(zCanonical);
  if( bSame ) return LEDGER_OK;
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s: the ledger's answer makes no sense: it is of "
                        "'%.100s', and '%.100s' was asked for",
                        pSpec->zName, z, zKey);
}

/* The rows of a route, followed to its end. */
static int describeRoute(const LedgerTableSpec *pSpec,
                         const LedgerRoute *pRoute, const char *zKey,
                         const char *zItems, LedgerCells *pCells,
                         Ledger *pLedger, LedgerError *pErr) {
  const LedgerTxid any = {0, 0};
  LedgerCall *pCall = NULL, *pNext = NULL;
  LedgerJson *pDoc = NULL;
  int rc = ledgerRouteGet(pLedger->pClient, pRoute, zKey, any, &pCall, pErr);
  while( rc == LEDGER_OK && pCall ) {
    rc = ledgerCallWait(pCall, pErr);
    if( rc == LEDGER_OK ) rc = ledgerRouteResult(pCall, &pDoc, pErr);
    if( rc == LEDGER_OK ) rc = ledgerRouteNext(pCall, &pNext, pErr);
    if( rc == LEDGER_OK && pDoc ) {
      rc = describeAnswer(pSpec, zItems, pCells, pLedger, pDoc, pErr);
      if( rc == LEDGER_OK && zKey && zItems == NULL ) {
        rc = describeMeant(pSpec, pCells, zKey, pErr);
      }
    }
    ledgerCallFree(pCall);
    pCall = pNext;
    pNext = NULL;
  }
  ledgerCallFree(pCall);
  return rc;
}

int ledgerTableRead(const LedgerTableSpec *pSpec, LedgerCells *pCells,
                    LedgerConn *pConn, Ledger *pLedger, int nKey, char **azKey,
                    LedgerError *pErr) {
  int i, rc = LEDGER_OK;
  if( pSpec->xRead ) {
    rc = pSpec->xRead(pCells, pConn, pLedger, nKey, azKey, pErr);
  } else if( nKey < 0 ) {
    rc = describeRoute(pSpec, pSpec->pRoute, NULL, pSpec->zItems, pCells,
                       pLedger, pErr);
  }
  for( i = 0; i < nKey && rc == LEDGER_OK && pSpec->xRead == NULL; i++ ) {
    rc = describeRoute(pSpec, pSpec->pRouteKey, azKey[i], pSpec->zKeyItems,
                       pCells, pLedger, pErr);
  }
  if( pLedger ) ledgerClientHide(pLedger->pClient, pErr);
  return rc;
}
