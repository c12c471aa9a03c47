/*
** The table ledger_entries.
**
**     SELECT transaction_id, contents FROM ledger_entries
**      WHERE sub_ledger = 'A' AND transaction_id > '2.15';
**     INSERT INTO ledger_entries(contents, sub_ledger) VALUES('hello', 'A');
**     CREATE VIRTUAL TABLE temp.a USING ledger_entries(ledger='main',
**                                                      sub_ledger='A');
**
** Schema:
**     CREATE TABLE x(transaction_id TEXT COLLATE ledger_txid, sub_ledger TEXT,
**                    contents TEXT, tags TEXT, ledger TEXT HIDDEN,
**                    view INTEGER HIDDEN, seqno INTEGER HIDDEN)
** rowid is the ledger's slot << 48 | seqno.
**
** Plans (read/plan.c) and their requests:
**     transaction_id=  -in    GET /app/transactions/{id}[?collectionId=]
**     sub_ledger=             GET /app/transactions?collectionId=
**     transaction_id> < ...   ... &fromTransactionId= &toTransactionId=
**     tags-match              ... &tag=
**     all sub-ledgers         GET /app/collections, then each range
**     INSERT                  POST /app/transactions, when COMMIT comes
**
** Invariants: a condition never changes what the table means, only what it
** costs; entries are append-only; xBestIndex and xConnect make no request.
*/
#include "sqlite/table/table.h"

#include <string.h>

extern const LedgerTableSpec ledgerTableEntries;

/* The columns of ledger_entries. */
enum {
  ENTRIES_TRANSACTION_ID = 0,
  ENTRIES_SUB_LEDGER,
  ENTRIES_CONTENTS,
  ENTRIES_TAGS,
  ENTRIES_LEDGER,
  ENTRIES_VIEW,
  ENTRIES_SEQNO
};

static const LedgerColumn aEntriesColumn[] = {
    {"transaction_id", "TEXT COLLATE ledger_txid", 0, "transactionId",
     "id of the transaction, view.seqno"},
    {"sub_ledger", "TEXT", 0, "collectionId",
     "the sub-ledger (collection) that it was appended to"},
    {"contents", "TEXT", 0, "contents", "what was appended"},
    {"tags", "TEXT", 0, "tags", "a JSON array; MATCH asks for them"},
    LEDGER_COLUMN_LEDGER,
    {"view", "INTEGER", 1, NULL, "view of the id"},
    {"seqno", "INTEGER", 1, NULL, "seqno of the id"},
    {NULL, NULL, 0, NULL, NULL}};

typedef struct EntriesTable EntriesTable;
struct EntriesTable {
  sqlite3_vtab base;   /* must be first */
  LedgerDb *pDb;       /* borrowed: the module keeps it alive */
  LedgerGuard guard;   /* where it stands */
  int bEnv;            /* may attach from the environment */
  char *zLedger;       /* a declared table's ledger (sqlite3_free) or NULL */
  char *zSubLedger;    /* its sub-ledger, or NULL */
  LedgerWriter writer; /* what it has to do with transactions */
};

typedef struct EntriesCursor EntriesCursor;
struct EntriesCursor {
  sqlite3_vtab_cursor base; /* must be first */
  LedgerScope *pScope;      /* shared with the statement's other cursors */
  LedgerReplay *pReplay;    /* where rows come from */
  const LedgerRow *pRow;    /* the row at hand, NULL at the end */
  int bAsked;               /* it may read */
};

/* *pz becomes the value of `name = 'value'` in CREATE VIRTUAL TABLE
** (sqlite3_free): "" where it is not written as one, for "" is no name either;
** NULL where zArg is about another name. */
static int entriesArgument(const char *zArg, const char *zName, char **pz) {
  size_t n = strlen(zName);
  const char *z = zArg;
  char *zVal;
  size_t i, k = 0;
  char cQuote;
  *pz = NULL;
  while( *z == ' ' || *z == '\n' || *z == '\t' ) z++;
  if( sqlite3_strnicmp(z, zName, (int)n) != 0 ) return SQLITE_OK;
  z += n;
  while( *z == ' ' || *z == '\n' || *z == '\t' ) z++;
  if( *z != '=' ) return SQLITE_OK;
  z++;
  while( *z == ' ' || *z == '\n' || *z == '\t' ) z++;
  zVal = sqlite3_mprintf("%s", z);
  if( zVal == NULL ) return SQLITE_NOMEM;
  *pz = zVal;
  cQuote = zVal[0];
  if( cQuote != '\'' && cQuote != '"' ) {
    n = strlen(zVal);
    while( n > 0 && strchr(" \n\t", zVal[n - 1]) ) zVal[--n] = 0;
    /* Rows would go to a sub-ledger that nobody meant, and stay. */
    if( strpbrk(zVal, " \n\t='\"`[]()") ) zVal[0] = 0;
    return SQLITE_OK;
  }
  for( i = 1; zVal[i]; i++ ) {
    if( zVal[i] == cQuote && zVal[++i] != cQuote ) break;
    zVal[k++] = zVal[i];
  }
  while( zVal[i] && strchr(" \n\t", zVal[i]) ) i++;
  if( zVal[i] ) k = 0; /* something stands behind the closing quote */
  zVal[k] = 0;
  return SQLITE_OK;
}

static int entriesDisconnect(sqlite3_vtab *pVtab) {
  EntriesTable *p = (EntriesTable *)pVtab;
  ledgerWriterClear(&p->writer);
  ledgerGuardClear(&p->guard);
  sqlite3_free(p->zLedger);
  sqlite3_free(p->zSubLedger);
  sqlite3_free(p);
  return SQLITE_OK;
}

/* DROP TABLE: not while rows of this table wait for COMMIT. They would vanish
** with it, even where the DROP itself is rolled back. */
static int entriesDestroy(sqlite3_vtab *pVtab) {
  EntriesTable *p = (EntriesTable *)pVtab;
  if( ledgerWriterHasRows(&p->writer) ) return SQLITE_LOCKED;
  return entriesDisconnect(pVtab);
}

static int entriesConnect(sqlite3 *db, void *pAux, int argc,
                          const char *const *argv, sqlite3_vtab **ppVtab,
                          char **pzErr) {
  EntriesTable *p;
  int i, rc;

  *ppVtab = NULL;
  rc = ledgerColumnDeclare(db, aEntriesColumn);
  if( rc ) return rc;
  sqlite3_vtab_config(db, SQLITE_VTAB_CONSTRAINT_SUPPORT, 1);
  p = sqlite3_malloc64(sizeof(*p));
  if( p == NULL ) return SQLITE_NOMEM;
  memset(p, 0, sizeof(*p));
  p->pDb = pAux;
  rc = ledgerGuardConnect(&p->guard, p->pDb, argc, argv);
  p->bEnv = !p->guard.bFile; /* what a file declares doesn't attach anything */
  if( rc == SQLITE_OK ) rc = ledgerWriterInit(&p->writer, p->pDb, argv[1]);
  for( i = 3; i < argc && rc == SQLITE_OK; i++ ) {
    char *zVal, **pz = &p->zLedger;
    rc = entriesArgument(argv[i], "ledger", &zVal);
    if( rc == SQLITE_OK && zVal == NULL ) {
      rc = entriesArgument(argv[i], "sub_ledger", &zVal);
      pz = &p->zSubLedger;
    }
    if( rc ) break;
    if( zVal && zVal[0] && *pz == NULL ) {
      *pz = zVal;
      continue;
    }
    sqlite3_free(zVal);
    rc = ledgerGuardBad(&p->guard, argv[1],
                        sqlite3_mprintf("%s: expected ledger='NAME' or "
                                        "sub_ledger='NAME', not %s",
                                        argv[2], argv[i]),
                        pzErr);
  }
  if( rc ) {
    entriesDisconnect(&p->base);
  } else {
    *ppVtab = &p->base;
  }
  return rc;
}

static int entriesBestIndex(sqlite3_vtab *pVtab, sqlite3_index_info *pInfo) {
  static const LedgerPlanTable table = {
      {ENTRIES_TRANSACTION_ID, ENTRIES_SUB_LEDGER, ENTRIES_TAGS, ENTRIES_LEDGER,
       ENTRIES_VIEW, ENTRIES_SEQNO},
      1.0};
  EntriesTable *p = (EntriesTable *)pVtab;
  p->pDb->pPlanned = &ledgerTableEntries;
  return ledgerPlanEntries(p->pDb, pInfo, &table, p->zLedger != NULL,
                           p->zSubLedger != NULL);
}

static int entriesOpen(sqlite3_vtab *pVtab, sqlite3_vtab_cursor **ppCursor) {
  EntriesCursor *pCur = sqlite3_malloc64(sizeof(*pCur));
  if( pCur == NULL ) return SQLITE_NOMEM;
  memset(pCur, 0, sizeof(*pCur));
  ledgerScopeOpen(((EntriesTable *)pVtab)->pDb, &pCur->pScope);
  ledgerReplayOffer(((EntriesTable *)pVtab)->pDb, &pCur->pReplay);
  *ppCursor = &pCur->base;
  return SQLITE_OK;
}

static int entriesClose(sqlite3_vtab_cursor *pCursor) {
  EntriesCursor *pCur = (EntriesCursor *)pCursor;
  EntriesTable *p = (EntriesTable *)pCursor->pVtab;
  ledgerReplayLeave(p->pDb, &pCur->pReplay);
  ledgerScopeLeave(p->pDb, &pCur->pScope);
  sqlite3_free(pCur);
  return SQLITE_OK;
}

static int entriesNext(sqlite3_vtab_cursor *pCursor) {
  EntriesCursor *pCur = (EntriesCursor *)pCursor;
  LedgerError err = LEDGER_ERROR_INIT;
  if( ledgerReplayNext(pCur->pReplay, &pCur->pRow, &err) ) {
    pCur->pRow = NULL;
    ledgerReadFailed(((EntriesTable *)pCursor->pVtab)->pDb->db, &err);
    return ledgerVtabError(pCursor->pVtab, &err);
  }
  return SQLITE_OK;
}

static int entriesFilter(sqlite3_vtab_cursor *pCursor, int idxNum,
                         const char *idxStr, int argc, sqlite3_value **argv) {
  EntriesCursor *pCur = (EntriesCursor *)pCursor;
  EntriesTable *p = (EntriesTable *)pCursor->pVtab;
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerQuery query;
  Ledger *pLedger = NULL;
  int rc = LEDGER_OK;
  (void)idxNum;
  pCur->pRow = NULL;
  memset(&query, 0, sizeof(query));
  rc = ledgerGuardRead(&p->guard, &pCur->bAsked, &err);
  if( rc == LEDGER_OK && ledgerReplayEnter(p->pDb, idxStr, &ledgerScanRows,
                                           &pCur->pScope, &pCur->pReplay) ) {
    rc = ledgerErrorNomem(&err);
  }
  if( rc == LEDGER_OK &&
      p->zLedger ) { /* declared for it: that it isn't there is an error */
    rc = ledgerDbFind(p->pDb, p->zLedger, p->bEnv, &pLedger, &err);
  }
  if( rc == LEDGER_OK ) {
    rc = ledgerQueryDecode(idxStr, argc, argv, pLedger ? pLedger->zName : NULL,
                           p->zSubLedger, &query, &err);
  }
  if( rc ) {
    ledgerQueryClear(&query);
  } else {
    rc = ledgerReplayOpen(pCur->pReplay, p->bEnv, &query, &err);
  }
  if( rc ) {
    ledgerReadFailed(p->pDb->db, &err);
    return ledgerVtabError(pCursor->pVtab, &err);
  }
  return entriesNext(pCursor);
}

static int entriesEof(sqlite3_vtab_cursor *pCursor) {
  return ((EntriesCursor *)pCursor)->pRow == NULL;
}

static int entriesRowid(sqlite3_vtab_cursor *pCursor, sqlite3_int64 *piRowid) {
  const LedgerRow *pRow = ((EntriesCursor *)pCursor)->pRow;
  *piRowid = (i64)pRow->pLedger->iSlot << 48 | pRow->entry.id.seqno;
  return SQLITE_OK;
}

static int entriesColumn(sqlite3_vtab_cursor *pCursor, sqlite3_context *pCtx,
                         int iCol) {
  const LedgerRow *pRow = ((EntriesCursor *)pCursor)->pRow;
  const LedgerEntry *pEntry = &pRow->entry;
  char zId[LEDGER_TXID_MAX];
  switch( iCol ) {
    case ENTRIES_TRANSACTION_ID:
      sqlite3_result_text(pCtx, ledgerTxidFormat(pEntry->id, zId), -1,
                          SQLITE_TRANSIENT);
      break;
    case ENTRIES_SUB_LEDGER:
      sqlite3_result_text(pCtx, pEntry->zSubLedger, -1, SQLITE_TRANSIENT);
      break;
    case ENTRIES_CONTENTS:
      sqlite3_result_text64(pCtx, pEntry->zContents, pEntry->nContents,
                            SQLITE_TRANSIENT, SQLITE_UTF8);
      break;
    case ENTRIES_TAGS:
      sqlite3_result_text(pCtx, pEntry->zTags, -1, SQLITE_TRANSIENT);
      break;
    case ENTRIES_LEDGER:
      sqlite3_result_text(pCtx, pRow->pLedger->zName, -1, SQLITE_TRANSIENT);
      break;
    case ENTRIES_VIEW: sqlite3_result_int64(pCtx, pEntry->id.view); break;
    case ENTRIES_SEQNO: sqlite3_result_int64(pCtx, pEntry->id.seqno); break;
    default: break;
  }
  return SQLITE_OK;
}

/* The name a row of INSERT gives for a column that the table may fix. */
static int entriesName(const char *zColumn, const char *zFixed,
                       sqlite3_value *pVal, const char **pz, int *pn,
                       LedgerError *pErr) {
  int eType = sqlite3_value_type(pVal);
  *pz = zFixed;
  *pn = zFixed ? (int)strlen(zFixed) : 0;
  if( eType == SQLITE_NULL ) return LEDGER_OK;
  if( eType == SQLITE_BLOB ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "%s: a BLOB is no name",
                          zColumn);
  }
  *pz = (const char *)sqlite3_value_text(pVal);
  *pn = sqlite3_value_bytes(pVal);
  if( *pz == NULL ) return ledgerErrorNomem(pErr);
  if( strlen(*pz) != (size_t)*pn ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "%s: a NUL can't stand in it", zColumn);
  }
  if( zFixed && strcmp(*pz, zFixed) != 0 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "%s: this table is declared for '%s', not for '%s'",
                          zColumn, zFixed, *pz);
  }
  return LEDGER_OK;
}

/* Validates one row of INSERT and queues it. apCol are the columns' values. */
static int entriesInsert(EntriesTable *p, sqlite3_value *pRowid,
                         sqlite3_value **apCol, sqlite3_int64 *piRowid,
                         LedgerError *pErr) {
  static const struct {
    int iCol;
    const char *zName;
  } aGiven[] = {{ENTRIES_TRANSACTION_ID, "transaction_id"},
                {ENTRIES_VIEW, "view"},
                {ENTRIES_SEQNO, "seqno"}};
  const char *zLedger, *zSub;
  int nLedger, nSub, rc;
  size_t i;
  Ledger *pLedger;
  LedgerQueueRow *pRow;

  if( sqlite3_value_type(pRowid) != SQLITE_NULL ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "rowid: the ledger assigns it");
  }
  for( i = 0; i < sizeof(aGiven) / sizeof(aGiven[0]); i++ ) {
    if( sqlite3_value_type(apCol[aGiven[i].iCol]) == SQLITE_NULL ) continue;
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "%s: the ledger assigns it",
                          aGiven[i].zName);
  }
  rc = entriesName("ledger", p->zLedger, apCol[ENTRIES_LEDGER], &zLedger,
                   &nLedger, pErr);
  if( rc ) return rc;
  rc = entriesName("sub_ledger", p->zSubLedger, apCol[ENTRIES_SUB_LEDGER],
                   &zSub, &nSub, pErr);
  if( rc ) return rc;
  rc = ledgerDbFindToWrite(p->pDb, zLedger, p->bEnv, "column ledger", &pLedger,
                           pErr);
  if( rc ) return rc;
  rc = ledgerQueueRowNew(p->pDb, pLedger, apCol[ENTRIES_CONTENTS], zSub, nSub,
                         apCol[ENTRIES_TAGS], &pRow, pErr);
  if( rc ) return rc;
  pRow->pOwner = &p->writer;
  *piRowid = pRow->n;
  return ledgerQueueAdd(p->pDb, pRow, pErr);
}

static int entriesUpdate(sqlite3_vtab *pVtab, int argc, sqlite3_value **argv,
                         sqlite3_int64 *piRowid) {
  EntriesTable *p = (EntriesTable *)pVtab;
  LedgerError err = LEDGER_ERROR_INIT;
  if( ledgerGuardWrite(&p->guard, &err) ) {
    /* refused */
  } else if( argc == 1 || sqlite3_value_type(argv[0]) != SQLITE_NULL ) {
    ledgerErrorSet(&err, LEDGER_READONLY, "entries are append-only");
  } else {
    entriesInsert(p, argv[1], argv + 2, piRowid, &err);
  }
  ledgerReadFailed(p->pDb->db, &err); /* nothing is sent before COMMIT */
  return ledgerVtabError(pVtab, &err);
}

static int entriesFindFunction(sqlite3_vtab *pVtab, int nArg, const char *zName,
                               void (**pxFunc)(sqlite3_context *, int,
                                               sqlite3_value **),
                               void **ppArg) {
  (void)pVtab;
  if( nArg != 2 || sqlite3_stricmp(zName, "match") != 0 ) return 0;
  *pxFunc = ledgerMatchFunction;
  *ppArg = NULL;
  return 1;
}

static int entriesBegin(sqlite3_vtab *pVtab) {
  ledgerWriterBegin(&((EntriesTable *)pVtab)->writer);
  return SQLITE_OK;
}

static int entriesSync(sqlite3_vtab *pVtab) {
  EntriesTable *p = (EntriesTable *)pVtab;
  LedgerError err = LEDGER_ERROR_INIT;
  if( !p->writer.bBegun ) return SQLITE_OK; /* CREATE VIRTUAL TABLE */
  if( ledgerGuardCommit(&p->guard, &err) == LEDGER_OK ) {
    ledgerCommit(p->pDb, &err);
  }
  return ledgerVtabError(pVtab, &err);
}

static int entriesEnd(sqlite3_vtab *pVtab) {
  EntriesTable *p = (EntriesTable *)pVtab;
  if( p->writer.bBegun ) ledgerWriterEnd(&p->writer);
  return SQLITE_OK;
}

static int entriesSavepoint(sqlite3_vtab *pVtab, int iSavepoint) {
  return ledgerWriterSavepoint(&((EntriesTable *)pVtab)->writer, iSavepoint);
}

static int entriesRelease(sqlite3_vtab *pVtab, int iSavepoint) {
  ledgerWriterRelease(&((EntriesTable *)pVtab)->writer, iSavepoint);
  return SQLITE_OK;
}

static int entriesRollbackTo(sqlite3_vtab *pVtab, int iSavepoint) {
  ledgerWriterRollbackTo(&((EntriesTable *)pVtab)->writer, iSavepoint);
  return SQLITE_OK;
}

static int entriesRename(sqlite3_vtab *pVtab, const char *zNew) {
  (void)pVtab;
  (void)zNew;
  return SQLITE_OK;
}

/* What reading needs; xCreate is xConnect, which makes the table eponymous. */
#define ENTRIES_READING                                                     \
  .iVersion = 2, .xCreate = entriesConnect, .xConnect = entriesConnect,     \
  .xBestIndex = entriesBestIndex, .xDisconnect = entriesDisconnect,         \
  .xDestroy = entriesDestroy, .xOpen = entriesOpen, .xClose = entriesClose, \
  .xFilter = entriesFilter, .xNext = entriesNext, .xEof = entriesEof,       \
  .xColumn = entriesColumn, .xRowid = entriesRowid,                         \
  .xFindFunction = entriesFindFunction, .xRename = entriesRename

static const sqlite3_module entriesReadonlyModule = {ENTRIES_READING};

static const sqlite3_module entriesModule = {
    ENTRIES_READING,
    .xUpdate = entriesUpdate,
    .xBegin = entriesBegin,
    .xSync = entriesSync,
    .xCommit = entriesEnd,
    .xRollback = entriesEnd,
    .xSavepoint = entriesSavepoint,
    .xRelease = entriesRelease,
    .xRollbackTo = entriesRollbackTo,
};

static int entriesRegister(LedgerDb *pDb, const LedgerTableSpec *pSpec) {
  ledgerDbRef(pDb);
  return sqlite3_create_module_v2(pDb->db, pSpec->zName,
                                  pDb->bReadonly ? &entriesReadonlyModule
                                                 : &entriesModule,
                                  pDb, ledgerDbUnref);
}

const LedgerTableSpec ledgerTableEntries = {
    .zName = "ledger_entries",
    .zDoc = "the entries; INSERT appends",
    .aColumn = aEntriesColumn,
    .zRequest = "GET /app/transactions",
    .zWrites = "INSERT",
    .xRegister = entriesRegister,
};
