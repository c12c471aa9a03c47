/*
** A program that the module is linked into, as include/ledger.h describes it.
**
**     program SQL...
**
** Prints what each SQL answers, on a connection of its own, and the result code
** of sqlite3_close(); then what else a program may do with the entry points.
*/
#include <sqlite3.h>
#include <stdio.h>

#include "ledger.h"

static int staticRow(void *pArg, int nCol, char **azVal, char **azName) {
  int i;
  (void)pArg, (void)azName;
  for( i = 0; i < nCol; i++ ) {
    printf("%s%s", i ? "|" : "", azVal[i] ? azVal[i] : "NULL");
  }
  printf("\n");
  return 0;
}

/* Another extension, whose turn comes after ours. */
static void staticOther(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  (void)argc, (void)argv;
  sqlite3_result_text(pCtx, "other", -1, SQLITE_STATIC);
}
static int staticInit(sqlite3 *db, char **pzErr, const void *pApi) {
  (void)pzErr, (void)pApi;
  return sqlite3_create_function(db, "other", 0, SQLITE_UTF8, NULL, staticOther,
                                 NULL, NULL);
}

static void staticRun(const char *zSql) {
  sqlite3 *db = NULL;
  char *zErr = NULL;
  int rc = sqlite3_open(":memory:", &db);
  if( rc == SQLITE_OK ) rc = sqlite3_exec(db, zSql, staticRow, NULL, &zErr);
  if( rc ) printf("%d %s\n", rc, zErr ? zErr : sqlite3_errmsg(db));
  sqlite3_free(zErr);
  rc = sqlite3_close(db);
  if( rc ) printf("close: %d\n", rc);
}

int main(int argc, char **argv) {
  sqlite3 *db = NULL;
  int i;
  sqlite3_auto_extension((void (*)(void))sqlite3_ledger_init);
  sqlite3_auto_extension((void (*)(void))staticInit);
  for( i = 1; i < argc; i++ ) staticRun(argv[i]);

  /* By hand, twice, with no place for a message. */
  sqlite3_reset_auto_extension();
  if( sqlite3_open(":memory:", &db) != SQLITE_OK ) return 1;
  printf("%d %d", sqlite3_ledger_init(db, NULL, NULL),
         sqlite3_ledgerreadonly_init(db, NULL, NULL));
  printf(" %d\n", sqlite3_close(db));

  /* The other entry point, for all connections. */
  sqlite3_auto_extension((void (*)(void))sqlite3_ledgerreadonly_init);
  staticRun("SELECT ledger_version()");
  staticRun("SELECT ledger_append('x')");
  return 0;
}
