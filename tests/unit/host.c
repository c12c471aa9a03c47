/*
** What a host program finds changed after the module was used.
**
**     build/unit/host MODULE THREADS SETUP SQL
**
** THREADS threads (0: the main thread alone) open a connection each, load the
** module, run SETUP and five times SQL, and close. Prints `same`, or what is
** not as it was before the first load: the locale, the umask, the folder, the
** environment, each signal's action, the signals that are blocked, timers, open
** files, threads, children; or what failed.
*/
#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static char **azArg;

/* Runs everything once; returns the number of failures. */
static void *hostRun(void *pArg) {
  sqlite3 *db = NULL;
  char *zErr = NULL;
  int i, rc = sqlite3_open(":memory:", &db);
  long nBad = 0;
  (void)pArg;
  if( rc == SQLITE_OK ) rc = sqlite3_enable_load_extension(db, 1);
  if( rc == SQLITE_OK ) rc = sqlite3_load_extension(db, azArg[1], NULL, &zErr);
  if( rc == SQLITE_OK ) rc = sqlite3_exec(db, azArg[3], NULL, NULL, &zErr);
  for( i = 0; i < 5 && rc == SQLITE_OK; i++ ) {
    rc = sqlite3_exec(db, azArg[4], NULL, NULL, &zErr);
  }
  if( rc ) {
    printf("%d %s\n", rc, zErr ? zErr : sqlite3_errmsg(db));
    nBad++;
  }
  sqlite3_free(zErr);
  if( sqlite3_close(db) ) {
    printf("not closed\n");
    nBad++;
  }
  return (void *)nBad;
}

/* The entries of a folder below /proc/self, with what they lead to. */
static void hostFolder(FILE *pOut, const char *zFolder, int bLink) {
  DIR *pDir = opendir(zFolder);
  struct dirent *pEntry;
  while( pDir && (pEntry = readdir(pDir)) != NULL ) {
    char zPath[300], zTo[300];
    ssize_t n = 0;
    snprintf(zPath, sizeof(zPath), "%s/%.200s", zFolder, pEntry->d_name);
    if( bLink ) n = readlink(zPath, zTo, sizeof(zTo));
    if( pEntry->d_name[0] == '.' || n < 0 ) continue;
    if( n > 6 && memcmp(zTo, "/proc/", 6) == 0 ) continue; /* that is pDir */
    fprintf(pOut, "%s %s %.*s\n", zFolder, bLink ? pEntry->d_name : "", (int)n,
            zTo);
  }
  if( pDir ) closedir(pDir);
}

/* All that is compared, a line each (free). */
static char *hostState(void) {
  char *z = NULL, zFolder[1000];
  size_t n = 0;
  FILE *pOut = open_memstream(&z, &n);
  struct itimerval timer;
  sigset_t blocked;
  mode_t mask = umask(0);
  int i;
  umask(mask);
  if( pOut == NULL ) exit(2);
  fprintf(pOut, "locale %s\numask %o\n", setlocale(LC_ALL, NULL), mask);
  fprintf(pOut, "folder %s\n", getcwd(zFolder, sizeof(zFolder)));
  for( i = 0; environ[i]; i++ ) fprintf(pOut, "environment %s\n", environ[i]);
  sigprocmask(SIG_BLOCK, NULL, &blocked);
  for( i = 1; i < SIGRTMAX; i++ ) {
    struct sigaction action;
    if( sigaction(i, NULL, &action) ) continue;
    fprintf(pOut, "signal %d %p %x %d\n", i, *(void **)&action.sa_handler,
            (unsigned)action.sa_flags, sigismember(&blocked, i));
  }
  getitimer(ITIMER_REAL, &timer);
  fprintf(pOut, "timer %ld\n", (long)timer.it_value.tv_sec);
  hostFolder(pOut, "/proc/self/fd", 1);
  hostFolder(pOut, "/proc/self/task", 0);
  fprintf(pOut, "children %d\n", waitpid(-1, NULL, WNOHANG) < 0 ? errno : 0);
  fclose(pOut);
  return z;
}

/* Prints each line of z1 that z2 lacks; returns how many. */
static int hostLacks(const char *z1, const char *z2, const char *zSign) {
  int nLack = 0;
  while( *z1 ) {
    const size_t n = strcspn(z1, "\n");
    char *zLine = sqlite3_mprintf("\n%.*s\n", (int)n, z1);
    char *zAll = sqlite3_mprintf("\n%s", z2);
    if( strstr(zAll, zLine) == NULL ) {
      printf("%s %.*s\n", zSign, (int)n, z1);
      nLack++;
    }
    sqlite3_free(zLine);
    sqlite3_free(zAll);
    z1 += n + 1;
  }
  return nLack;
}

int main(int argc, char **argv) {
  pthread_t aThread[16];
  char *zBefore, *zAfter;
  long nBad = 0;
  int i, nThread;
  if( argc != 5 ) {
    fprintf(stderr, "usage: host MODULE THREADS SETUP SQL\n");
    return 2;
  }
  azArg = argv;
  nThread = (int)strtol(argv[2], NULL, 10);
  if( nThread > 16 ) nThread = 16;
  setvbuf(stdout, NULL, _IOLBF, 0);
  setlocale(LC_ALL, "");
  umask(027);
  signal(SIGPIPE, SIG_DFL);
  zBefore = hostState();
  if( nThread == 0 ) nBad = (long)hostRun(NULL);
  for( i = 0; i < nThread; i++ ) {
    if( pthread_create(&aThread[i], NULL, hostRun, NULL) ) return 2;
  }
  for( i = 0; i < nThread; i++ ) {
    void *p = NULL;
    pthread_join(aThread[i], &p);
    nBad += (long)p;
  }
  zAfter = hostState();
  nBad += hostLacks(zBefore, zAfter, "-");
  nBad += hostLacks(zAfter, zBefore, "+");
  if( nBad == 0 ) printf("same\n");
  free(zBefore);
  free(zAfter);
  return nBad > 0;
}
