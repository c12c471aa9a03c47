/*
** What the files of the small tables share: rows, descriptions, the module
** behind them, changes. Included by ledgerInt.h, in whose terms it is written.
**
** Invariant: a table is one file with one LedgerTableSpec, and a line in
** extension.c.
*/
#ifndef LEDGER_TABLE_INT_H
#define LEDGER_TABLE_INT_H

/* ---- write/change_send.c: one change that is no append ------------------- */

/* Does what the row wants, with as many requests as it takes; its state says
** what became of it. */
int ledgerOperate(LedgerQueueRow *pRow, LedgerError *pErr);

/* Whether the API version in use can carry the change; LEDGER_OK while it isn't
** known. */
int ledgerOperateCheck(const LedgerQueueRow *pRow, LedgerError *pErr);

/* Refuses to take roles away from the caller: the user must hold nothing but
** zRoles. Where a user has one role, option allow_lockout lets it pass. Asks
** the ledger where the user is the caller, else nothing. */
int ledgerUserNotSelf(Ledger *pLedger, const char *zUser, const char *zRoles,
                      LedgerError *pErr);

/* ---- cells.c: rows of a small table, in memory --------------------------- */

typedef struct LedgerTableRows LedgerTableRows;

int ledgerTableRowsNew(int nCol, LedgerTableRows **pp, LedgerError *pErr);
void ledgerTableRowsFree(LedgerTableRows *p);
i64 ledgerTableRowsCount(const LedgerTableRows *p);

/* From now on each row that is started says zLedger (borrowed) in this column;
** NULL ends it. */
void ledgerTableLedger(LedgerTableRows *p, int iCol, const char *zLedger);

/* Starts a row; the columns are then set by index, unset ones are NULL. */
int ledgerTableRow(LedgerTableRows *p, LedgerError *pErr);
int ledgerTableText(LedgerTableRows *p, int iCol, const char *z,
                    LedgerError *pErr);
int ledgerTableTextN(LedgerTableRows *p, int iCol, const char *z, size_t n,
                     LedgerError *pErr);
int ledgerTableBlob(LedgerTableRows *p, int iCol, const void *a, size_t n,
                    LedgerError *pErr);
void ledgerTableInt(LedgerTableRows *p, int iCol, i64 v);
void ledgerTableReal(LedgerTableRows *p, int iCol, double r);

/* Starts a row and sets its first nText columns; NULL is NULL. */
int ledgerTableTexts(LedgerTableRows *p, const char *const *azText, int nText,
                     LedgerError *pErr);

/* The text or BLOB of a cell, borrowed; NULL where it is neither. */
const char *ledgerTableGet(const LedgerTableRows *p, i64 iRow, int iCol);
void ledgerTableResult(const LedgerTableRows *p, i64 iRow, int iCol,
                       sqlite3_context *pCtx);

/* ---- describe.c: descriptions of tables ---------------------------------- */

typedef struct LedgerChange LedgerChange;
typedef struct LedgerItem LedgerItem;

/* A column; the list of a table's columns ends with one without a name. */
struct LedgerColumn {
  const char *zName;
  const char *zType; /* as it is declared */
  int bHidden;
  const char *zPath; /* member of an item that it shows, `.`, `@`, or NULL */
  const char *zDoc;  /* one line */
};

/* The hidden column of every table that asks a ledger. */
#define LEDGER_COLUMN_LEDGER \
  { "ledger", "TEXT", 1, NULL, "name of the attached ledger" }

/* An item of an answer: what one row shows. */
struct LedgerItem {
  Ledger *pLedger;
  LedgerJson *pDoc;
  cJSON *pItem;
};

/* What a table is: one of these per table_*.c. */
struct LedgerTableSpec {
  const char *zName;           /* the module's name */
  const char *zDoc;            /* one line */
  const LedgerColumn *aColumn; /* ended by one without a name */
  const char *zKey;  /* column whose = and IN are asked for, or NULL */
  const char *zKey2; /* a second column of the key of a row */
  int bKeyRequired;  /* no key, no answer */
  int bKeyLocal;     /* the key names rows, but isn't asked for */
  int bKept;         /* with xRead: the answer is kept for the statement */

  int eRoute;            /* LEDGER_ROUTE_* that answers all rows, or 0 */
  const char *zItems;    /* its member that holds them; NULL: it is the item */
  int bNamed;            /* they stand in an object, each under its name */
  int eRouteKey;         /* the one that answers those of a key, or 0 */
  const char *zKeyItems; /* likewise */

  /* The canonical form of a key (sqlite3_malloc) into *pzKey; NULL where it
  ** can't be one. An SQLite code. NULL: keys are taken as they are. */
  int (*xKey)(const char *z, size_t n, char **pzKey);

  /* Completes the last row, whose columns with a path are set. */
  int (*xItem)(LedgerTableRows *pRows, LedgerItem *pItem, LedgerError *pErr);

  /* Instead of the routes: adds the rows of one ledger (NULL where the table
  ** asks none): those of the nKey keys, or all where nKey is -1. */
  int (*xRead)(LedgerTableRows *pRows, LedgerDb *pDb, Ledger *pLedger, int nKey,
               char **azKey, LedgerError *pErr);
  const char *zRequest; /* with xRead: what it asks for, for the reference */
  const char *zSince;   /* with xRead: the first version that has it, or NULL */

  /* A table that is written: fills the queue's row with what is changed. */
  int eKind; /* LEDGER_KIND_* */
  int (*xChange)(LedgerChange *pChange, LedgerError *pErr);
};

int ledgerColumnCount(const LedgerColumn *aColumn);
int ledgerColumnIndex(const LedgerColumn *aColumn, const char *zName);
int ledgerColumnDeclare(sqlite3 *db, const LedgerColumn *aColumn);

/* Sets a cell to a JSON value: text, integer, or JSON; null is NULL. */
int ledgerTableJson(LedgerTableRows *pRows, int iCol, LedgerJson *pDoc,
                    cJSON *pVal, LedgerError *pErr);

/* Adds the rows of one ledger, as the description says. */
int ledgerTableRead(const LedgerTableSpec *pSpec, LedgerTableRows *pRows,
                    LedgerDb *pDb, Ledger *pLedger, int nKey, char **azKey,
                    LedgerError *pErr);

/* ---- table.c: the module behind the small tables ------------------------- */

/* What a registration carries. */
typedef struct LedgerTableModule LedgerTableModule;
struct LedgerTableModule {
  LedgerDb *pDb;
  const LedgerTableSpec *pSpec;
};

typedef struct LedgerTable LedgerTable;
struct LedgerTable {
  sqlite3_vtab base; /* must be first */
  LedgerDb *pDb;     /* borrowed: the module keeps it alive */
  const LedgerTableSpec *pSpec;
  LedgerGuard guard;   /* where it stands */
  int iLedger;         /* the hidden column ledger, or -1: none is asked */
  int iKey;            /* the column of the key, or -1 */
  int nDeleted;        /* rows that the statement has deleted */
  LedgerWriter writer; /* what it has to do with transactions */
};

/* 0 for the description of a table that has a module of its own. */
int ledgerTableIsSmall(const LedgerTableSpec *pSpec);

/* Registers a small table on the connection; an SQLite code. */
int ledgerTableRegister(LedgerDb *pDb, const LedgerTableSpec *pSpec);

/* Forgets a scope's answers: the ledger is not what it was, or nobody asks. */
void ledgerKeptEnd(LedgerKept **ppKept);

/* ---- db/intern.c: rowids that DELETE can look up ------------------------- */

int ledgerInternRowid(LedgerDb *pDb, const void *pTable, int iSlot,
                      const char *zKey, i64 *piRowid);
const char *ledgerInternKey(const LedgerDb *pDb, const void *pTable, i64 iRowid,
                            int *piSlot);
void ledgerInternFree(LedgerIntern *p);

/* ---- change.c: writing the small tables ---------------------------------- */

/* One row of INSERT, UPDATE or DELETE. */
struct LedgerChange {
  const LedgerTableSpec *pSpec;
  LedgerDb *pDb;
  Ledger *pLedger;
  int eOp;               /* LEDGER_CHANGE_* */
  int nDeleted;          /* DELETE: how many of this statement, with this one */
  const char *zKey;      /* UPDATE, DELETE: the row's key */
  sqlite3_value **apVal; /* by column; NULL for DELETE */
  LedgerQueueRow *pRow;  /* to be filled */
  int bNothing;          /* nothing is to be done */
};

/* The text given for a column, or NULL: left out, NULL, or unchanged. */
const char *ledgerChangeText(const LedgerChange *p, const char *zColumn);

/* Was the column given? In an UPDATE NULL counts, in an INSERT it doesn't. */
int ledgerChangeGiven(const LedgerChange *p, const char *zColumn);

/* 1 or 0 when the queue says that this key will exist, or not; else -1. */
int ledgerChangeQueued(const LedgerChange *p, const char *zKey);

/* Does the ledger, or the queue, have this key already? */
int ledgerChangeExists(const LedgerChange *p, const char *zKey, int *pbExists,
                       LedgerError *pErr);

/*
** The change of a table whose users choose the key and give one value for it:
** a new key must not exist (unless OR REPLACE), a key never changes, and an
** UPDATE that leaves the value alone is nothing. xValue fills the row's
** contents; zThing is what a row is called in messages.
*/
int ledgerChangeNamed(LedgerChange *p, const char *zThing,
                      const char *zKeyColumn, const char *zValueColumn,
                      int (*xValue)(LedgerChange *, LedgerError *),
                      LedgerError *pErr);

int ledgerChangeRowid(const LedgerTable *p, const LedgerTableRows *pRows,
                      i64 iRow, i64 *piRowid);
int ledgerChangeUpdate(sqlite3_vtab *pVtab, int argc, sqlite3_value **argv,
                       sqlite3_int64 *piRowid);
int ledgerChangeBegin(sqlite3_vtab *pVtab);
int ledgerChangeSync(sqlite3_vtab *pVtab);
int ledgerChangeEnd(sqlite3_vtab *pVtab);
int ledgerChangeSavepoint(sqlite3_vtab *pVtab, int iSavepoint);
int ledgerChangeRelease(sqlite3_vtab *pVtab, int iSavepoint);
int ledgerChangeRollbackTo(sqlite3_vtab *pVtab, int iSavepoint);

/* ---- table_*.c ----------------------------------------------------------- */

/* The bundle with the row's endpoint put in or taken out, as JSON
** (cJSON_free); NULL on an error (table/endpoints.c). */
char *ledgerEndpointsEdit(LedgerJson *pDoc, const LedgerQueueRow *pRow,
                          LedgerError *pErr);

/* All tables, ended by NULL (extension.c). Those with a module of their own
** have a description too, without a word about reading. */
extern const LedgerTableSpec *const apLedgerTable[];
extern const LedgerTableSpec ledgerEntriesSpec;  /* entries.c */
extern const LedgerTableSpec ledgerReceiptsSpec; /* table/receipts.c */
extern const LedgerTableSpec ledgerAuditSpec;    /* table/audit.c */

/* The collation ledger_user_id: ids of users in their canonical form. */
int ledgerUserIdCollate(void *pArg, int n1, const void *z1, int n2,
                        const void *z2); /* table/users.c */

/* table/sub_ledgers.c, table/transactions.c, ... */
extern const LedgerTableSpec ledgerTableSubLedgers;
extern const LedgerTableSpec ledgerTableTransactions;
extern const LedgerTableSpec ledgerTableIdentity;
extern const LedgerTableSpec ledgerTableAttached;
extern const LedgerTableSpec ledgerTableAppends;
extern const LedgerTableSpec ledgerTableHttp;
extern const LedgerTableSpec ledgerTableColumns;
extern const LedgerTableSpec ledgerTableConstitution;
extern const LedgerTableSpec ledgerTableEndpoints;
extern const LedgerTableSpec ledgerTableFunctions;
extern const LedgerTableSpec ledgerTableMembers;
extern const LedgerTableSpec ledgerTableModules;
extern const LedgerTableSpec ledgerTableQuotes;
extern const LedgerTableSpec ledgerTableReference;
extern const LedgerTableSpec ledgerTableRoles;
extern const LedgerTableSpec ledgerTableTags;
extern const LedgerTableSpec ledgerTableUsers;

#endif /* LEDGER_TABLE_INT_H */
