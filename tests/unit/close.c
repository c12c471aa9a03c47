/*
** Runs SQL with the module on a connection of its own and closes it.
**
**     build/unit/close MODULE URL OPTIONS SQL
**
** Prints two result codes: of the SQL (interrupted after half a second, if it
** still runs then) and of sqlite3_close(), which is SQLITE_BUSY where a
** statement was left behind.
*/
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

static void *closeInterrupt(void *pArg) {
  usleep(500000);
  sqlite3_interrupt(pArg);
  return NULL;
}

int main(int argc, char **argv) {
  sqlite3 *db = NULL;
  sqlite3_stmt *pStmt = NULL;
  pthread_t thread;
  char *zErr = NULL;
  int rc;

  if( argc != 5 ) {
    fprintf(stderr, "usage: close MODULE URL OPTIONS SQL\n");
    return 2;
  }
  rc = sqlite3_open(":memory:", &db);
  if( rc == SQLITE_OK ) rc = sqlite3_enable_load_extension(db, 1);
  if( rc == SQLITE_OK ) rc = sqlite3_load_extension(db, argv[1], NULL, &zErr);
  if( rc == SQLITE_OK ) {
    rc = sqlite3_prepare_v2(db, "SELECT ledger_attach(?1, ?2)", -1, &pStmt,
                            NULL);
  }
  if( rc == SQLITE_OK ) {
    sqlite3_bind_text(pStmt, 1, argv[2], -1, SQLITE_STATIC);
    sqlite3_bind_text(pStmt, 2, argv[3], -1, SQLITE_STATIC);
    if( sqlite3_step(pStmt) == SQLITE_ROW ) rc = SQLITE_OK;
  }
  sqlite3_finalize(pStmt);
  if( rc ) {
    fprintf(stderr, "close: %s\n", zErr ? zErr : sqlite3_errmsg(db));
    return 2;
  }
  if( pthread_create(&thread, NULL, closeInterrupt, db) ) return 2;
  rc = sqlite3_exec(db, argv[4], NULL, NULL, NULL);
  pthread_join(thread, NULL);
  printf("%d %d\n", rc & 0xff, sqlite3_close(db));
  return 0;
}
