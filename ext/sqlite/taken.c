/*
** The names that the module needs on a connection.
**
** SQLite replaces a function, a module or a collation of the same name without
** a word, and what stood there before is gone. So a load looks whether all its
** names are free before it registers the first, and takes back what it
** registered if it fails.
**
** The lists come from PRAGMA, which reads no database file. That of collations
** also holds those that a table only mentions: they are free where no
** comparison can be prepared.
**
** What SQLite read before it knew the names is read again: see
** ledgerTakenSchema().
**
** No request is made here.
*/
#include "sqlite/extensionInt.h"

const LedgerCollation aLedgerCollation[] = {
    {"ledger_txid", ledgerValueTxidCollate},
    {"ledger_user_id", ledgerUserIdCollate},
    {NULL, NULL},
};

static int takenIsFunction(const LedgerConn *pConn, const char *zName) {
  const LedgerFunction *p;
  int i;
  for( i = 0; pConn->apFunction[i]; i++ ) {
    for( p = pConn->apFunction[i]; p->zName; p++ ) {
      if( sqlite3_stricmp(p->zName, zName) == 0 ) return 1;
    }
  }
  return 0;
}

static int takenIsTable(const LedgerConn *pConn, const char *zName) {
  int i;
  for( i = 0; pConn->apTable[i]; i++ ) {
    if( sqlite3_stricmp(pConn->apTable[i]->zName, zName) == 0 ) return 1;
  }
  return 0;
}

static int takenIsCollation(const LedgerConn *pConn, const char *zName) {
  int i;
  (void)pConn;
  for( i = 0; aLedgerCollation[i].zName; i++ ) {
    if( sqlite3_stricmp(aLedgerCollation[i].zName, zName) == 0 ) return 1;
  }
  return 0;
}

/* What is looked through, and the column that holds the name. */
static const struct {
  const char *zWhat;
  const char *zList;
  int iName;
  int (*xIsOurs)(const LedgerConn *, const char *);
} aTakenList[] = {
    {"function", "PRAGMA function_list", 0, takenIsFunction},
    {"module", "PRAGMA module_list", 0, takenIsTable},
    {"collation", "PRAGMA collation_list", 1, takenIsCollation},
};
#define TAKEN_COLLATION 2

/* Is a collation that is listed there at all? *pbTaken answers. */
static int takenCollation(sqlite3 *db, const char *zName, int *pbTaken) {
  sqlite3_stmt *pStmt = NULL;
  char *zSql = sqlite3_mprintf("SELECT 'a' = 'b' COLLATE \"%w\"", zName);
  int rc = zSql ? sqlite3_prepare_v2(db, zSql, -1, &pStmt, NULL) : SQLITE_NOMEM;
  sqlite3_finalize(pStmt);
  sqlite3_free(zSql);
  *pbTaken = rc != SQLITE_ERROR; /* "no such collation sequence" */
  return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
}

/* Looks through one list; *pzTaken becomes a name of ours in it (sqlite3_free),
** or NULL. */
static int takenLook(LedgerConn *pConn, int iList, char **pzTaken) {
  sqlite3_stmt *pStmt = NULL;
  int rc =
      sqlite3_prepare_v2(pConn->db, aTakenList[iList].zList, -1, &pStmt, NULL);
  *pzTaken = NULL;
  while( rc == SQLITE_OK && *pzTaken == NULL &&
         (rc = sqlite3_step(pStmt)) == SQLITE_ROW ) {
    const char *z =
        (const char *)sqlite3_column_text(pStmt, aTakenList[iList].iName);
    int bTaken = z && aTakenList[iList].xIsOurs(pConn, z);
    rc = z ? SQLITE_OK : SQLITE_NOMEM;
    if( bTaken && iList == TAKEN_COLLATION ) {
      rc = takenCollation(pConn->db, z, &bTaken);
    }
    if( rc == SQLITE_OK && bTaken ) {
      *pzTaken = sqlite3_mprintf("%s", z);
      if( *pzTaken == NULL ) rc = SQLITE_NOMEM;
    }
  }
  sqlite3_finalize(pStmt);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int ledgerTakenLook(LedgerConn *pConn, char **pzErr) {
  const int nList = (int)(sizeof(aTakenList) / sizeof(aTakenList[0]));
  char *zTaken = NULL;
  int i, rc = SQLITE_OK;
  *pzErr = NULL;
  for( i = 0; i < nList && rc == SQLITE_OK && zTaken == NULL; i++ ) {
    rc = takenLook(pConn, i, &zTaken);
    if( zTaken ) {
      rc = SQLITE_ERROR;
      *pzErr = ledgerErrorMessage(
          "the %s %s exists already, defined by the host program, "
          "another extension or another version of this one: nothing was "
          "registered",
          aTakenList[i].zWhat, zTaken);
    } else if( rc && rc != SQLITE_NOMEM ) {
      *pzErr = ledgerErrorMessage(
          "%s can't be read (%s), so it isn't known which names are free: load "
          "the module before an authorizer is set",
          aTakenList[i].zList, sqlite3_errstr(rc));
    }
  }
  sqlite3_free(zTaken);
  return rc;
}

/* Has a statement begun to write? It holds parts of the schema. */
static int takenIsWriting(sqlite3 *db) {
  sqlite3_stmt *pStmt = NULL;
  while( (pStmt = sqlite3_next_stmt(db, pStmt)) != NULL ) {
    if( sqlite3_stmt_busy(pStmt) && !sqlite3_stmt_readonly(pStmt) ) return 1;
  }
  return 0;
}

/* Runs a PRAGMA; *pi is its first value, or as it was. */
static int takenPragma(sqlite3 *db, const char *zSql, int *pi) {
  sqlite3_stmt *pStmt = NULL;
  int rc = sqlite3_prepare_v2(db, zSql, -1, &pStmt, NULL);
  if( rc == SQLITE_OK && sqlite3_step(pStmt) == SQLITE_ROW ) {
    *pi = sqlite3_column_int(pStmt, 0);
  }
  if( rc == SQLITE_OK ) return sqlite3_finalize(pStmt);
  sqlite3_finalize(pStmt);
  return rc;
}

/* Has SQLite read a schema? A fresh connection has not. */
static int takenHasSchema(sqlite3 *db) {
  int nByte = 0, nMost = 0;
  return sqlite3_db_status(db, SQLITE_DBSTATUS_SCHEMA_USED, &nByte, &nMost,
                           0) != SQLITE_OK ||
         nByte > 0;
}

/* A function that SQLite doesn't know while it reads a schema is let through
** in generated columns and indexes, and is called there once it is known,
** SQLITE_DIRECTONLY or not. RESET makes it read the schema again, when it is
** next needed: our names are known then. Where none was read, nobody need allow
** that PRAGMA. */
int ledgerTakenSchema(LedgerConn *pConn, char **pzErr) {
  sqlite3 *db = pConn->db;
  int bWritable = 0, iNone = 0, rc;
  if( takenIsWriting(db) || !takenHasSchema(db) ) return SQLITE_OK;
  rc = takenPragma(db, "PRAGMA writable_schema", &bWritable);
  if( rc == SQLITE_OK ) {
    rc = takenPragma(db, "PRAGMA writable_schema = RESET", &iNone);
  }
  if( rc == SQLITE_OK && bWritable ) {
    rc = takenPragma(db, "PRAGMA writable_schema = ON", &iNone);
  }
  if( rc && rc != SQLITE_NOMEM ) {
    *pzErr = ledgerErrorMessage(
        "the schema can't be read again (%s): load the module before "
        "an authorizer is set",
        sqlite3_errstr(rc));
  }
  return rc;
}

/* While a statement runs SQLite keeps functions and collations; they stay
** usable. */
void ledgerTakenDrop(LedgerConn *pConn) {
  sqlite3 *db = pConn->db;
  const LedgerFunction *p;
  int i, nArg;
  for( i = 0; pConn->apTable[i]; i++ ) {
    sqlite3_create_module_v2(db, pConn->apTable[i]->zName, NULL, NULL, NULL);
  }
  for( i = 0; pConn->apFunction[i]; i++ ) {
    for( p = pConn->apFunction[i]; p->zName; p++ ) {
      for( nArg = p->nMin; nArg <= p->nMax; nArg++ ) {
        sqlite3_create_function_v2(db, p->zName, nArg,
                                   p->eFlags & ~LEDGER_FN_WRITES, NULL, NULL,
                                   NULL, NULL, NULL);
      }
    }
  }
  for( i = 0; aLedgerCollation[i].zName; i++ ) {
    sqlite3_create_collation_v2(db, aLedgerCollation[i].zName, SQLITE_UTF8,
                                NULL, NULL, NULL);
  }
}
