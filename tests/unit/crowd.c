/*
** Hosts with many threads, processes and loads.
**
**     build/unit/crowd HOW N SETUP SQL MODULE...
**
** Each of N opens a connection, loads the module (the first MODULE, the next
** the second, and so on), runs SETUP and five times SQL, and closes. HOW says
** who these are:
**
**     own      threads, at the same time
**     shared   threads with one connection, which is opened and set up once
**     fork     processes, forked once one connection has loaded and run SQL;
**              that runs it again while they are there, and again when they
**              have ended. The last of them does nothing but close the
**              connection that it was born with
**     loads    one after the other; SQL is run once
**
** In SQL me() is a text that no two runs have in common, and must(X) an error
** where X isn't so. Prints each error, and `ok` where there was none; of
** `loads` also how many descriptors and KiB of memory the last nine tenths of
** them have cost.
*/
#include <dirent.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CROWD_MAX 64
#define CROWD_TIMES 5

static struct {
  const char *zHow, *zSetup, *zSql;
  char **azModule;
  int n, nModule;
  sqlite3 *dbShared; /* of `shared` */
} crowd;

static _Thread_local int iMe, iTime; /* whose run this is, and which */

/* SQL: me() */
static void crowdMe(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  char z[60];
  (void)argc, (void)argv;
  snprintf(z, sizeof(z), "%s %d.%d", crowd.zHow, iMe, iTime);
  sqlite3_result_text(pCtx, z, -1, SQLITE_TRANSIENT);
}

/* SQL: must(X) */
static void crowdMust(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  (void)argc;
  if( !sqlite3_value_int(argv[0]) ) {
    sqlite3_result_error(pCtx, "it is not so", -1);
  }
}

/* Prints what failed; returns how much did. */
static int crowdSaid(sqlite3 *db, int rc, char *zErr) {
  if( rc ) printf("%d: %d %s\n", iMe, rc, zErr ? zErr : sqlite3_errmsg(db));
  sqlite3_free(zErr);
  return rc != SQLITE_OK;
}

static int crowdOpen(sqlite3 **pdb) {
  const char *zModule = crowd.azModule[iMe % crowd.nModule];
  char *zErr = NULL;
  int rc = sqlite3_open_v2(
      ":memory:", pdb,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL);
  if( rc == SQLITE_OK ) rc = sqlite3_enable_load_extension(*pdb, 1);
  if( rc == SQLITE_OK ) rc = sqlite3_load_extension(*pdb, zModule, NULL, &zErr);
  if( rc == SQLITE_OK ) {
    rc = sqlite3_create_function(*pdb, "me", 0, SQLITE_UTF8, NULL, crowdMe,
                                 NULL, NULL);
  }
  if( rc == SQLITE_OK ) {
    rc = sqlite3_create_function(*pdb, "must", 1, SQLITE_UTF8, NULL, crowdMust,
                                 NULL, NULL);
  }
  if( rc == SQLITE_OK ) {
    rc = sqlite3_exec(*pdb, crowd.zSetup, NULL, NULL, &zErr);
  }
  return crowdSaid(*pdb, rc, zErr);
}

static int crowdRun(sqlite3 *db, int nTimes) {
  int nBad = 0;
  for( ; nTimes > 0; nTimes-- ) {
    char *zErr = NULL;
    int rc;
    iTime++;
    rc = sqlite3_exec(db, crowd.zSql, NULL, NULL, &zErr);
    nBad += crowdSaid(db, rc, zErr);
  }
  return nBad;
}

static int crowdClose(sqlite3 *db) {
  int rc = sqlite3_close(db);
  if( rc ) printf("%d: not closed: %d\n", iMe, rc);
  return rc != SQLITE_OK;
}

/* From opening to closing. */
static int crowdLife(int nTimes) {
  sqlite3 *db = NULL;
  int nBad = crowdOpen(&db);
  if( nBad == 0 ) nBad = crowdRun(db, nTimes);
  return nBad + crowdClose(db);
}

static void *crowdThread(void *pArg) {
  long nBad;
  iMe = (int)(long)pArg;
  nBad = crowd.dbShared ? crowdRun(crowd.dbShared, CROWD_TIMES)
                        : crowdLife(CROWD_TIMES);
  return (void *)nBad;
}

static int crowdThreads(int bShared) {
  pthread_t aThread[CROWD_MAX];
  int nBad = 0;
  long i;
  if( bShared && crowdOpen(&crowd.dbShared) ) return 1;
  for( i = 0; i < crowd.n; i++ ) {
    if( pthread_create(&aThread[i], NULL, crowdThread, (void *)i) ) exit(2);
  }
  for( i = 0; i < crowd.n; i++ ) {
    void *p = NULL;
    pthread_join(aThread[i], &p);
    nBad += (int)(long)p;
  }
  if( bShared ) nBad += crowdClose(crowd.dbShared);
  return nBad;
}

static int crowdFork(void) {
  pid_t aPid[CROWD_MAX];
  sqlite3 *db = NULL;
  int i, nBad = crowdOpen(&db);
  if( nBad == 0 ) nBad = crowdRun(db, 1);
  for( i = 0; i < crowd.n && nBad == 0; i++ ) {
    aPid[i] = fork();
    if( aPid[i] < 0 ) exit(2);
    if( aPid[i] == 0 ) {
      iMe = i + 1;
      nBad = iMe == crowd.n ? crowdClose(db) : crowdLife(CROWD_TIMES);
      fflush(stdout);
      _exit(nBad > 0);
    }
  }
  nBad += crowdRun(db, CROWD_TIMES);
  while( --i >= 0 ) {
    int iStatus = 0;
    waitpid(aPid[i], &iStatus, 0);
    if( iStatus ) printf("%d: ended with status %d\n", i + 1, iStatus);
    nBad += iStatus != 0;
  }
  /* None of them is there any more. */
  nBad += crowdRun(db, CROWD_TIMES);
  return nBad + crowdClose(db);
}

/* What the process holds: descriptors, KiB. */
static void crowdHolds(long *pnFile, long *pnKib) {
  DIR *pDir = opendir("/proc/self/fd");
  FILE *p = fopen("/proc/self/statm", "r");
  long nAll = 0, nPage = 0;
  *pnFile = 0;
  while( pDir && readdir(pDir) ) ++*pnFile;
  if( pDir ) closedir(pDir);
  if( p == NULL || fscanf(p, "%ld %ld", &nAll, &nPage) != 2 ) exit(2);
  fclose(p);
  *pnKib = nPage * (sysconf(_SC_PAGESIZE) / 1024);
}

static int crowdLoads(void) {
  long nFile = 0, nKib = 0, nFileNow, nKibNow;
  int nBad = 0;
  for( iMe = 0; iMe < crowd.n && nBad == 0; iMe++ ) {
    if( iMe == crowd.n / 10 ) crowdHolds(&nFile, &nKib);
    nBad += crowdLife(1);
  }
  crowdHolds(&nFileNow, &nKibNow);
  printf("%ld %ld ", nFileNow - nFile, nKibNow - nKib);
  return nBad;
}

int main(int argc, char **argv) {
  int nBad = 1;
  if( argc < 6 ) {
    fprintf(stderr, "usage: crowd HOW N SETUP SQL MODULE...\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  crowd.zHow = argv[1];
  crowd.n = (int)strtol(argv[2], NULL, 10);
  crowd.zSetup = argv[3];
  crowd.zSql = argv[4];
  crowd.azModule = &argv[5];
  crowd.nModule = argc - 5;
  if( strcmp(crowd.zHow, "loads") == 0 ) {
    nBad = crowdLoads();
  } else if( crowd.n > CROWD_MAX ) {
    fprintf(stderr, "crowd: %d at most\n", CROWD_MAX);
    return 2;
  } else if( strcmp(crowd.zHow, "fork") == 0 ) {
    nBad = crowdFork();
  } else {
    nBad = crowdThreads(strcmp(crowd.zHow, "shared") == 0);
  }
  if( nBad == 0 ) printf("ok\n");
  return nBad > 0;
}
