/*
** What a statement is doing, asked for by another connection meanwhile.
**
**     build/unit/progress MODULE SETUP SQL ASK
**
** A thread runs SETUP and SQL, which is to wait until it is interrupted, on a
** connection of its own. Meanwhile ASK, which is to give one row at last, is
** asked on another one until it gives one, and then SQL is interrupted. Prints
** the row, its columns with | between, SQL's result code, and how many rows ASK
** gives after that.
*/
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TRIES 1000 /* 20 ms apart */

static char **azArg;
static sqlite3 *dbWaits;
static int rcWaits;

static void die(sqlite3 *db, const char *zWhat) {
  fprintf(stderr, "%s: %s\n", zWhat, sqlite3_errmsg(db));
  exit(1);
}

static sqlite3 *opened(void) {
  sqlite3 *db;
  sqlite3_open(":memory:", &db);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
  if( sqlite3_load_extension(db, azArg[1], NULL, NULL) ) die(db, "load");
  return db;
}

static void *waits(void *pArg) {
  rcWaits = sqlite3_exec(dbWaits, azArg[3], NULL, NULL, NULL);
  return pArg;
}

/* The rows of ASK; prints them where that is wanted. */
static int ask(sqlite3 *db, int bPrint) {
  sqlite3_stmt *pStmt;
  int i, n = 0;
  if( sqlite3_prepare_v2(db, azArg[4], -1, &pStmt, NULL) ) die(db, "ask");
  while( sqlite3_step(pStmt) == SQLITE_ROW ) {
    n++;
    for( i = 0; bPrint && i < sqlite3_column_count(pStmt); i++ ) {
      const unsigned char *z = sqlite3_column_text(pStmt, i);
      printf("%s%s", i ? "|" : "", z ? (const char *)z : "NULL");
    }
    if( bPrint ) printf("\n");
  }
  if( sqlite3_finalize(pStmt) ) die(db, "ask");
  return n;
}

int main(int argc, char **argv) {
  static const struct timespec pause = {0, 20000000};
  pthread_t thread;
  sqlite3 *db;
  int i;
  if( argc != 5 ) return 2;
  azArg = argv;
  dbWaits = opened();
  db = opened();
  if( sqlite3_exec(dbWaits, argv[2], NULL, NULL, NULL) ) die(dbWaits, "setup");
  pthread_create(&thread, NULL, waits, NULL);
  for( i = 0; i < TRIES && ask(db, 1) == 0; i++ ) nanosleep(&pause, NULL);
  sqlite3_interrupt(dbWaits);
  pthread_join(thread, NULL);
  printf("%d %d\n", rcWaits, ask(db, 0));
  sqlite3_close(db);
  sqlite3_close(dbWaits);
  return 0;
}
