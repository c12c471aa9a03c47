/*
** The module where what its guard relies on is different: on an SQLite that
** doesn't show whether a statement runs inside another one, or in a host that
** calls its main database otherwise.
**
**     build/unit/nesting MODULE null|plain|renamed SQL...
**
** null: sqlite3_expanded_sql() gives nothing, as with SQLITE_OMIT_TRACE; plain:
** it never marks anything, as SQLite might do one day; renamed: the database
** `main` is called `book`. Prints each row's first column, or the error's code
** and text.
*/
#include <dlfcn.h>
#include <sqlite3.h>
#include <sqlite3ext.h>
#include <stdio.h>
#include <string.h>

/* Here the functions themselves are called, not through a table. */
#undef sqlite3_auto_extension
#undef sqlite3_close
#undef sqlite3_column_text
#undef sqlite3_db_config
#undef sqlite3_errcode
#undef sqlite3_errmsg
#undef sqlite3_finalize
#undef sqlite3_free
#undef sqlite3_mprintf
#undef sqlite3_open
#undef sqlite3_prepare_v2
#undef sqlite3_sql
#undef sqlite3_step

typedef int (*NestingInit)(sqlite3 *, char **, const sqlite3_api_routines *);

static NestingInit xInit;
static struct sqlite3_api_routines api; /* SQLite's, but for one function */
static int bNull, bRenamed;

static char *nestingExpanded(sqlite3_stmt *pStmt) {
  return bNull ? NULL : sqlite3_mprintf("%s", sqlite3_sql(pStmt));
}

static int nestingLoad(sqlite3 *db, char **pzErr,
                       const struct sqlite3_api_routines *pApi) {
  int rc;
  api = *pApi;
  if( !bRenamed ) api.expanded_sql = nestingExpanded;
  rc = xInit(db, pzErr, &api);
  return rc == SQLITE_OK_LOAD_PERMANENTLY ? SQLITE_OK : rc;
}

int main(int argc, char **argv) {
  sqlite3 *db = NULL;
  void *pModule = argc > 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
  void *pInit = pModule ? dlsym(pModule, "sqlite3_ledger_init") : NULL;
  int i;
  if( pInit == NULL ) {
    fprintf(stderr, "usage: nesting MODULE null|plain|renamed SQL...\n");
    return 1;
  }
  memcpy(&xInit, &pInit, sizeof(xInit));
  bNull = strcmp(argv[2], "null") == 0;
  bRenamed = strcmp(argv[2], "renamed") == 0;
  sqlite3_auto_extension((void (*)(void))nestingLoad);
  if( sqlite3_open(":memory:", &db) != SQLITE_OK ) {
    fprintf(stderr, "%s\n", sqlite3_errmsg(db));
    return 1;
  }
  if( bRenamed ) sqlite3_db_config(db, SQLITE_DBCONFIG_MAINDBNAME, "book");
  for( i = 3; i < argc; i++ ) {
    sqlite3_stmt *pStmt = NULL;
    int rc = sqlite3_prepare_v2(db, argv[i], -1, &pStmt, NULL);
    if( rc == SQLITE_OK ) rc = sqlite3_step(pStmt);
    if( rc == SQLITE_ROW ) {
      const char *z = (const char *)sqlite3_column_text(pStmt, 0);
      printf("%s\n", z ? z : "NULL");
    } else if( rc != SQLITE_DONE ) {
      printf("%d %s\n", sqlite3_errcode(db), sqlite3_errmsg(db));
    }
    sqlite3_finalize(pStmt);
  }
  return sqlite3_close(db) != SQLITE_OK;
}
