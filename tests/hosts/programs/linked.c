/*
** The module as a part of a program: every connection that is opened has it.
*/
#include <sqlite3.h>
#include <stdio.h>

#include "ledger.h"

static int show(void *pArg, int nCol, char **azVal, char **azName) {
  (void)pArg, (void)nCol, (void)azName;
  return puts(azVal[0]) < 0;
}

int main(void) {
  sqlite3 *db;
  char *zErr = NULL;
  sqlite3_auto_extension((void (*)(void))sqlite3_ledger_init);
  if( sqlite3_open(":memory:", &db) != SQLITE_OK ) return 1;
  sqlite3_exec(
      db,
      "SELECT sqlite_version();"
      "INSERT INTO ledger_entries(contents, sub_ledger) VALUES('hello', 'c');"
      "SELECT contents FROM ledger_entries WHERE sub_ledger = 'c';"
      "SELECT content FROM ledger_audit WHERE sub_ledger = 'c' AND verified;"
      "DELETE FROM ledger_entries",
      show, NULL, &zErr);
  if( zErr ) printf("%s\n", zErr);
  sqlite3_free(zErr);
  return sqlite3_close(db);
}
