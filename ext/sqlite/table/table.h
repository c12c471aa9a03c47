/*
** The face of sqlite/table: what the files of tables share: descriptions,
** cells, the module behind the small tables, changes.
**
** Invariant: a table is one file with one LedgerTableSpec, and a line in
** table_list.h.
*/
#ifndef LEDGER_SQLITE_TABLE_H
#define LEDGER_SQLITE_TABLE_H

#include "sqlite/conn/guard.h"
#include "sqlite/read/read.h"
#include "sqlite/write/write.h"

/* ---- cells.c: rows of a small table, in memory --------------------------- */

int ledgerCellsNew(int nCol, LedgerCells **pp, LedgerError *pErr);
void ledgerCellsFree(LedgerCells *p);
i64 ledgerCellsCount(const LedgerCells *p);

/* From now on each row that is started says zLedger (borrowed) in this column;
** NULL ends it. */
void ledgerCellsLedger(LedgerCells *p, int iCol, const char *zLedger);

/* Starts a row; the columns are then set by index, unset ones are NULL. */
int ledgerCellsRow(LedgerCells *p, LedgerError *pErr);
int ledgerCellsText(LedgerCells *p, int iCol, const char *z, LedgerError *pErr);
int ledgerCellsTextN(LedgerCells *p, int iCol, const char *z, size_t n,
                     LedgerError *pErr);
int ledgerCellsBlob(LedgerCells *p, int iCol, const void *a, size_t n,
                    LedgerError *pErr);
void ledgerCellsInt(LedgerCells *p, int iCol, i64 v);
void ledgerCellsReal(LedgerCells *p, int iCol, double r);

/* Starts a row and sets its first nText columns; NULL is NULL. */
int ledgerCellsTexts(LedgerCells *p, const char *const *azText, int nText,
                     LedgerError *pErr);

/* The text or BLOB of a cell, borrowed; NULL where it is neither. */
const char *ledgerCellsGet(const LedgerCells *p, i64 iRow, int iCol);
void ledgerCellsResult(const LedgerCells *p, i64 iRow, int iCol,
                       sqlite3_context *pCtx);

/* ---- describe.c: descriptions of tables ---------------------------------- */

typedef struct LedgerChange LedgerChange;
typedef struct LedgerColumn LedgerColumn;
typedef struct LedgerEntryTable LedgerEntryTable;
typedef struct LedgerItem LedgerItem;
typedef struct LedgerTable LedgerTable;

/* A column; the list of a table's columns ends with one without a name. */
struct LedgerColumn {
  const char *zName;
  const char *zType; /* as it is declared */
  int bHidden;
  /* Member of an item that it shows (`a.b`: of a member), `.`: the item, `@`:
  ** its name, or NULL: it is set by xItem or xRead. */
  const char *zPath;
  const char *zDoc; /* one line */
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

/* What a table is: one of these in the file of each. */
struct LedgerTableSpec {
  const char *zName;    /* the module's name */
  const char *zDoc;     /* one line */
  const char *zCost;    /* the requests that reading makes, and writing */
  const char *zExample; /* SQL that runs on a ledger (reference.md.in) */
  const char *zFails; /* SQL that it refuses there, or NULL: it refuses none */
  const LedgerColumn *aColumn; /* ended by one without a name */
  const char *zKey;  /* column whose = and IN are asked for, or NULL */
  const char *zKey2; /* a second column of the key of a row */
  int bKeyRequired;  /* no key, no answer */
  int bKeyLocal;     /* the key names rows, but isn't asked for */
  int bAnswers;      /* with xRead: what it gives is one of the answers */

  const LedgerRoute *pRoute; /* answers all rows, or NULL */
  const char
      *zItems; /* its member (`a.b`) that holds them; NULL: it is the item */
  int bNamed;  /* they stand in an object, each under its name */
  const LedgerRoute *pRouteKey; /* answers those of a key, or NULL */
  const char *zKeyItems;        /* likewise */

  /* The canonical form of a key (sqlite3_malloc) into *pzKey; NULL where it
  ** can't be one. An SQLite code. NULL: keys are taken as they are. */
  int (*xKey)(const char *z, size_t n, char **pzKey);

  /* Completes the last row, whose columns with a path are set. */
  int (*xItem)(LedgerCells *pCells, LedgerItem *pItem, LedgerError *pErr);

  /* Instead of the routes: adds the rows of one ledger (NULL where the table
  ** asks none): those of the nKey keys, or all where nKey is -1. */
  int (*xRead)(LedgerCells *pCells, LedgerConn *pConn, Ledger *pLedger,
               int nKey, char **azKey, LedgerError *pErr);
  const char *zRequest; /* without routes: what it asks for, for people */
  const char *zSince;   /* likewise: the first version that has it, or NULL */

  /* Registers the table's own module; an SQLite code. NULL: that of the small
  ** tables (table.c). */
  int (*xRegister)(LedgerConn *pConn, const LedgerTableSpec *pSpec);
  const LedgerEntryTable *pEntries; /* of a table whose rows are entries */

  const char *zWrites; /* "INSERT, UPDATE, DELETE", or NULL: read-only */
  int bSlices;         /* may be declared with ledger= and sub_ledger= */

  /* xUpdate of a table that is written; NULL: read-only. */
  int (*xUpdate)(LedgerTable *p, int argc, sqlite3_value **argv,
                 sqlite3_int64 *piRowid, LedgerError *pErr);

  /* A small table that is written: fills the queue's row with what changes. */
  const LedgerChangeKind *pKind; /* how its changes are sent */
  int (*xChange)(LedgerChange *pChange, LedgerError *pErr);
};

int ledgerColumnCount(const LedgerColumn *aColumn);
int ledgerColumnIndex(const LedgerColumn *aColumn, const char *zName);
int ledgerColumnDeclare(sqlite3 *db, const LedgerColumn *aColumn);

/* Sets a cell to a JSON value: text, integer, or JSON; null is NULL. */
int ledgerTableJson(LedgerCells *pCells, int iCol, LedgerJson *pDoc,
                    cJSON *pVal, LedgerError *pErr);

/* Adds the rows of one ledger, as the description says. */
int ledgerTableRead(const LedgerTableSpec *pSpec, LedgerCells *pCells,
                    LedgerConn *pConn, Ledger *pLedger, int nKey, char **azKey,
                    LedgerError *pErr);

/* ---- vtab.c: what all tables have in common ------------------------------ */

struct LedgerTable {
  sqlite3_vtab base; /* must be first */
  LedgerConn *pConn; /* borrowed: the module keeps it alive */
  const LedgerTableSpec *pSpec;
  LedgerGuard guard;           /* where it stands */
  LedgerSavepoints savepoints; /* what it has to do with transactions */
  char *zLedger;    /* a declared table's ledger (sqlite3_free) or NULL */
  char *zSubLedger; /* its sub-ledger, or NULL */
  int iLedger;      /* the hidden column ledger, or -1: none is asked */
  int iKey;         /* the column of the key, or -1 */
  int nDeleted;     /* rows that the statement has deleted */
};

/* Registers the module of a table, which gives the methods that read; what is
** common is added: xConnect and its like, and of a table that is written
** xUpdate and the transaction's. An SQLite code. */
int ledgerTableModule(LedgerConn *pConn, const LedgerTableSpec *pSpec,
                      const sqlite3_module *pReading);

/* ---- table.c: the module behind the small tables ------------------------- */

/* Registers a table on the connection; an SQLite code. */
int ledgerTableRegister(LedgerConn *pConn, const LedgerTableSpec *pSpec);

/* ---- change.c: writing the small tables ---------------------------------- */

/* One row of INSERT, UPDATE or DELETE. */
struct LedgerChange {
  const LedgerTableSpec *pSpec;
  LedgerConn *pConn;
  Ledger *pLedger;
  int eOp;               /* LEDGER_CHANGE_* */
  int nDeleted;          /* DELETE: how many of this statement, with this one */
  const char *zKey;      /* UPDATE, DELETE: the row's key */
  sqlite3_value **apVal; /* by column; NULL for DELETE */
  LedgerQueued *pRow;    /* to be filled */
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

int ledgerChangeRowid(const LedgerTable *p, const LedgerCells *pCells, i64 iRow,
                      i64 *piRowid);

/* xUpdate of a small table. */
int ledgerChangeUpdate(LedgerTable *p, int argc, sqlite3_value **argv,
                       sqlite3_int64 *piRowid, LedgerError *pErr);

/* ---- words.c: sets of words that the ledger only adds to ----------------- */

/* The roles of a user, the actions of a role: PATCH adds to them, and what must
** go is taken away by deleting first. */
struct LedgerWords {
  const LedgerRoute *pRouteOne;   /* GET and DELETE of one key */
  const LedgerRoute *pRouteWrite; /* where it is written */
  int bKeyInPath;                 /* ... with the key in the path */
  const char *zNew;               /* the method that writes what isn't there */
  const char *zBuiltIn;           /* words that a ledger comes with, or NULL */
  int bIsUser;                    /* the words may be the caller's own */

  /* Whether PATCH replaces in the version in use; NULL: zNew adds anyway. */
  int (*xReplaced)(LedgerClient *pClient);

  /* The words that an answer holds for the key: an array, a single one, or
  ** NULL. Returns 0 where it holds none. */
  int (*xFind)(LedgerJson *pDoc, const char *zKey, cJSON **ppList,
               cJSON **ppOne);

  /* The body that writes these words, a JSON array. */
  void (*xBody)(LedgerBuf *pBuf, const char *zKey, const char *zWords);
};

/* xSend of a table whose rows are such sets. */
int ledgerWordsSend(LedgerChangeSend *p, LedgerError *pErr);

/* The words that a key holds, as a JSON array into *pOut; no text where the
** ledger has no such key. */
int ledgerWordsHeld(LedgerChangeSend *p, const LedgerWords *pWords,
                    const char *zKey, LedgerBuf *pOut, LedgerError *pErr);

/* Is every word of the JSON array zA in zB? */
int ledgerWordsWithin(const char *zA, const char *zB, int *pbWithin,
                      LedgerError *pErr);

/* May this user's roles be taken away for a moment? Not the caller's own. */
int ledgerWordsNotSelf(LedgerClient *pClient, const char *zUser,
                       LedgerError *pErr);

/* ---- entrytable.c: tables whose rows are entries, or stand for them ------ */

struct LedgerEntryTable {
  LedgerPlanTable plan;             /* which columns are pushed down */
  int bIdRequired;                  /* no transaction_id, no answer */
  const LedgerEntrySource *pSource; /* where rows come from */

  /* Shows a column, but for those of the id and the ledger's name. */
  void (*xColumn)(const LedgerEntryRow *pRow, sqlite3_context *pCtx, int iCol);
};

/* xRegister of such a table. */
int ledgerEntryTableRegister(LedgerConn *pConn, const LedgerTableSpec *pSpec);

/* ---- users.c ------------------------------------------------------------- */

/* The collation ledger_user_id: ids of users in their canonical form. */
int ledgerUserIdCollate(void *pArg, int n1, const void *z1, int n2,
                        const void *z2);

#endif /* LEDGER_SQLITE_TABLE_H */
