/*
** Interrupts SQL in the middle of a wait, and measures how long its end takes.
**
**     build/unit/interrupt MODULE MS SETUP SQL [FILE AFTER]
**
** Loads the module, runs SETUP, starts SQL and calls sqlite3_interrupt() from
** another thread MS milliseconds later. Prints the primary result code of SQL,
** the milliseconds from the interrupt to its return (-1 when it had returned
** before) and the result code of sqlite3_close(). With FILE that is the
** database; what AFTER selects, one integer, is printed as well.
**
** With `progress-MS` no thread does it, but a progress handler that is called
** every 1000 opcodes, as hosts limit the time of a statement. With `denied-MS`
** an authorizer denies SELECT to all that is prepared while SQL runs.
**
** %FULL% in SETUP becomes a port of this process whose backlog is full, so that
** a connection to it is never made; %SILENT% one where it is made and nothing
** is ever said.
*/
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int msDelay;
static int bDenied;       /* SELECT is denied */
static double tInterrupt; /* 0: not yet */

static double interruptClock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void *interruptRun(void *pArg) {
  usleep((useconds_t)msDelay * 1000);
  tInterrupt = interruptClock();
  sqlite3_interrupt(pArg);
  return NULL;
}

static int interruptProgress(void *pArg) {
  (void)pArg;
  return interruptClock() >= tInterrupt;
}

static int interruptAuthorize(void *pArg, int eAction, const char *z1,
                              const char *z2, const char *z3, const char *z4) {
  (void)pArg, (void)z1, (void)z2, (void)z3, (void)z4;
  return bDenied && eAction == SQLITE_SELECT ? SQLITE_DENY : SQLITE_OK;
}

/* Like sqlite3_exec(): what a statement itself needs is never denied. */
static int interruptExec(sqlite3 *db, const char *zSql, char **pzErr) {
  int rc = SQLITE_OK;
  while( rc == SQLITE_OK && zSql[0] ) {
    sqlite3_stmt *pStmt = NULL;
    rc = sqlite3_prepare_v2(db, zSql, -1, &pStmt, &zSql);
    bDenied = 1;
    if( rc == SQLITE_OK && pStmt ) {
      while( (rc = sqlite3_step(pStmt)) == SQLITE_ROW ) {
      }
      if( rc == SQLITE_DONE ) rc = SQLITE_OK;
    }
    bDenied = 0;
    if( rc ) *pzErr = sqlite3_mprintf("%s", sqlite3_errmsg(db));
    sqlite3_finalize(pStmt);
  }
  return rc;
}

/* A port that listens and never accepts; with bFull its backlog is used up. */
static int interruptPort(int bFull) {
  struct sockaddr_in at;
  socklen_t n = sizeof(at);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  int i;
  memset(&at, 0, sizeof(at));
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if( fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
      listen(fd, bFull ? 0 : 16) ||
      getsockname(fd, (struct sockaddr *)&at, &n) ) {
    perror("interrupt");
    exit(2);
  }
  for( i = 0; bFull && i < 8; i++ ) {
    int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if( c < 0 || (connect(c, (struct sockaddr *)&at, sizeof(at)) &&
                  errno != EINPROGRESS) ) {
      perror("interrupt");
      exit(2);
    }
  }
  return ntohs(at.sin_port);
}

/* The text with zName replaced by a port, where it stands there. */
static char *interruptFill(char *z, const char *zName, int bFull) {
  char *zAt = strstr(z, zName);
  char *zNew = z;
  if( zAt ) {
    zNew = sqlite3_mprintf("%.*s%d%s", (int)(zAt - z), z, interruptPort(bFull),
                           zAt + strlen(zName));
    sqlite3_free(z);
  }
  return zNew;
}

/* The integer that the SQL selects, or -1. */
static int interruptAfter(sqlite3 *db, const char *zSql) {
  sqlite3_stmt *pStmt = NULL;
  int i = -1;
  if( sqlite3_prepare_v2(db, zSql, -1, &pStmt, NULL) == SQLITE_OK &&
      sqlite3_step(pStmt) == SQLITE_ROW ) {
    i = sqlite3_column_int(pStmt, 0);
  }
  sqlite3_finalize(pStmt);
  return i;
}

int main(int argc, char **argv) {
  sqlite3 *db = NULL;
  pthread_t thread;
  char *zErr = NULL;
  char *zSetup;
  double tEnd;
  int bProgress, rc;

  if( argc != 5 && argc != 7 ) {
    fprintf(stderr, "usage: interrupt MODULE MS SETUP SQL [FILE AFTER]\n");
    return 2;
  }
  bProgress = strncmp(argv[2], "progress-", 9) == 0;
  msDelay = (int)strtol(argv[2] + strspn(argv[2], "progresdni-"), NULL, 10);
  zSetup = sqlite3_mprintf("%s", argv[3]);
  zSetup = interruptFill(zSetup, "%FULL%", 1);
  zSetup = interruptFill(zSetup, "%SILENT%", 0);
  rc = sqlite3_open(argc > 5 ? argv[5] : ":memory:", &db);
  if( rc == SQLITE_OK ) rc = sqlite3_enable_load_extension(db, 1);
  if( rc == SQLITE_OK ) rc = sqlite3_load_extension(db, argv[1], NULL, &zErr);
  if( rc == SQLITE_OK ) rc = sqlite3_exec(db, zSetup, NULL, NULL, &zErr);
  sqlite3_free(zSetup);
  if( rc ) {
    fprintf(stderr, "interrupt: %s\n", zErr ? zErr : sqlite3_errmsg(db));
    return 2;
  }
  if( strncmp(argv[2], "denied-", 7) == 0 ) {
    sqlite3_set_authorizer(db, interruptAuthorize, NULL);
  }
  if( bProgress ) {
    tInterrupt = interruptClock() + msDelay;
    sqlite3_progress_handler(db, 1000, interruptProgress, NULL);
  } else if( pthread_create(&thread, NULL, interruptRun, db) ) {
    return 2;
  }
  rc = interruptExec(db, argv[4], &zErr);
  tEnd = interruptClock();
  if( bProgress ) {
    sqlite3_progress_handler(db, 0, NULL, NULL);
  } else {
    pthread_join(thread, NULL);
  }
  sqlite3_set_authorizer(db, NULL, NULL);
  if( argc > 6 ) printf("%d ", interruptAfter(db, argv[6]));
  printf("%d %d %d\n", rc & 0xff,
         tEnd < tInterrupt ? -1 : (int)(tEnd - tInterrupt), sqlite3_close(db));
  if( zErr ) fprintf(stderr, "%s\n", zErr);
  return 0;
}
