/*
** Lets one system call after the other fail, and looks at what comes of it.
**
**     build/unit/calls CALL WHERE HOW TIMES[:STEP] MODULE FILE SETUP SQL...
**
** CALL is a function of the C library that makes one (`recv`); WHERE a part of
** what it is made on, as /proc/self/fd tells it (`socket:`, `history.db`), or
** `` for all; HOW the name of an error, or `short`: half of it is done. TIMES
** many fail from the n-th on, `on`: all. FILE is the database.
**
** For n = 1, 1 + STEP, ... until nothing fails any more: a connection that has
** run SETUP runs SQL while calls fail, and closes while they do. What comes of
** the SQL is the same rows as without, or an error in words; with `+` in front,
** no error may come. %N in it is a number that no other run has, of this
** program or another. One that begins with `=` is a check of those behind it:
** after each it gives the same rows; %F there is 1 where the SQL failed. Once
** it is closed no descriptor is left. Prints a line for each SQL: how many runs
** failed a call, and `ok` or what was wrong first.
*/
#pragma GCC visibility push(default)
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_SHORT (-1)
#define CALLS_HANGS 60 /* seconds after which a run is said to hang */
#define CALLS_RUNS 80  /* a WAL that can't be read to its end grows */

static const char *zCall, *zWhere; /* what fails */
static int iErrno;                 /* in which way */
static int nTimes;                 /* how many of them; -1: all */
static int nStep = 1;
static int bArmed;
static int nLeft;  /* calls until one fails */
static int nStuck; /* how many have failed */
static char zNow[300];

/* ---- what fails -------------------------------------------------------- */

/* 0, or how the call fails: on a descriptor, a path, or neither. Threads of
** libcurl's may count beside each other; a number more or less is no matter. */
static int callsFails(const char *zName, int fd, const char *zPath) {
  char zLink[40], z[1000];
  ssize_t n;
  if( !bArmed || strcmp(zName, zCall) != 0 ) return 0;
  if( zWhere[0] && fd >= 0 ) {
    snprintf(zLink, sizeof(zLink), "/proc/self/fd/%d", fd);
    n = readlink(zLink, z, sizeof(z) - 1);
    if( n < 0 ) return 0;
    z[n] = 0;
    zPath = z;
  }
  if( zWhere[0] && (zPath == NULL || strstr(zPath, zWhere) == NULL) ) return 0;
  if( --nLeft > 0 || (nTimes >= 0 && nStuck >= nTimes) ) return 0;
  nStuck++;
  if( iErrno > 0 ) errno = iErrno;
  return iErrno;
}

/* Types, and lists of parameters, can't stand in parentheses.
** NOLINTBEGIN(bugprone-macro-parentheses) */
#define CALLS(TYPE, NAME, FD, PATH, FAILED, PARAMETERS, PASS)             \
  TYPE NAME PARAMETERS;                                                   \
  TYPE NAME PARAMETERS {                                                  \
    static TYPE(*x) PARAMETERS;                                           \
    if( x == NULL ) *(void **)&x = dlsym(RTLD_NEXT, #NAME);               \
    return bArmed && callsFails(#NAME, FD, PATH) > 0 ? (FAILED) : x PASS; \
  }
/* Those of which half can be done. */
#define CALLS_SIZED(NAME, PARAMETERS, PASS, N)              \
  ssize_t NAME PARAMETERS;                                  \
  ssize_t NAME PARAMETERS {                                 \
    static ssize_t(*x) PARAMETERS;                          \
    int e = bArmed ? callsFails(#NAME, fd, NULL) : 0;       \
    if( x == NULL ) *(void **)&x = dlsym(RTLD_NEXT, #NAME); \
    if( e > 0 ) return -1;                                  \
    if( e == CALLS_SHORT && (N) > 1 ) (N) /= 2;             \
    return x PASS;                                          \
  }
CALLS_SIZED(read, (int fd, void *a, size_t n), (fd, a, n), n)
CALLS_SIZED(write, (int fd, const void *a, size_t n), (fd, a, n), n)
CALLS_SIZED(pread64, (int fd, void *a, size_t n, off64_t i), (fd, a, n, i), n)
CALLS_SIZED(pwrite64, (int fd, const void *a, size_t n, off64_t i),
            (fd, a, n, i), n)
CALLS_SIZED(recv, (int fd, void *a, size_t n, int m), (fd, a, n, m), n)
CALLS_SIZED(send, (int fd, const void *a, size_t n, int m), (fd, a, n, m), n)

CALLS(int, socket, -1, NULL, -1, (int d, int t, int p), (d, t, p))
CALLS(int, socketpair, -1, NULL, -1, (int d, int t, int p, int a[2]),
      (d, t, p, a))
CALLS(int, connect, fd, NULL, -1,
      (int fd, const struct sockaddr *p, socklen_t n), (fd, p, n))
CALLS(int, poll, -1, NULL, -1, (struct pollfd * a, nfds_t n, int ms),
      (a, n, ms))
CALLS(int, getsockopt, fd, NULL, -1,
      (int fd, int l, int o, void *p, socklen_t *n), (fd, l, o, p, n))
CALLS(int, setsockopt, fd, NULL, -1,
      (int fd, int l, int o, const void *p, socklen_t n), (fd, l, o, p, n))
CALLS(int, getsockname, fd, NULL, -1,
      (int fd, struct sockaddr *p, socklen_t *n), (fd, p, n))
CALLS(int, fdatasync, fd, NULL, -1, (int fd), (fd))
CALLS(int, fsync, fd, NULL, -1, (int fd), (fd))
CALLS(int, ftruncate64, fd, NULL, -1, (int fd, off64_t n), (fd, n))
CALLS(int, fstat, fd, NULL, -1, (int fd, struct stat *p), (fd, p))
CALLS(int, fstat64, fd, NULL, -1, (int fd, struct stat64 *p), (fd, p))
CALLS(int, unlink, -1, z, -1, (const char *z), (z))
CALLS(int, pipe2, -1, NULL, -1, (int a[2], int m), (a, m))
CALLS(FILE *, fopen, -1, z, NULL, (const char *z, const char *m), (z, m))
CALLS(FILE *, fopen64, -1, z, NULL, (const char *z, const char *m), (z, m))
CALLS(int, pthread_create, -1, NULL, iErrno,
      (pthread_t * p, const pthread_attr_t *a, void *(*xRun)(void *), void *v),
      (p, a, xRun, v))
CALLS(int, posix_spawn, -1, z, iErrno,
      (pid_t * p, const char *z, const posix_spawn_file_actions_t *f,
       const posix_spawnattr_t *a, char *const v[], char *const e[]),
      (p, z, f, a, v, e))
CALLS(pid_t, waitpid, -1, NULL, -1, (pid_t p, int *s, int m), (p, s, m))

#define CALLS_OPENS(NAME)                                                \
  int NAME(const char *z, int m, ...);                                   \
  int NAME(const char *z, int m, ...) {                                  \
    static int (*x)(const char *, int, ...);                             \
    mode_t mode;                                                         \
    va_list ap;                                                          \
    va_start(ap, m);                                                     \
    mode = m & O_CREAT ? va_arg(ap, mode_t) : 0;                         \
    va_end(ap);                                                          \
    if( x == NULL ) *(void **)&x = dlsym(RTLD_NEXT, #NAME);              \
    return bArmed && callsFails("open", -1, z) > 0 ? -1 : x(z, m, mode); \
  }
CALLS_OPENS(open)
CALLS_OPENS(open64)

/* What is closed is closed, whatever is said of it. */
int close(int fd) {
  static int (*x)(int);
  const int e = bArmed ? callsFails("close", fd, NULL) : 0;
  if( x == NULL ) *(void **)&x = dlsym(RTLD_NEXT, "close");
  if( x(fd) || e > 0 ) {
    if( e > 0 ) errno = e;
    return -1;
  }
  return 0;
}
/* NOLINTEND(bugprone-macro-parentheses) */
#pragma GCC visibility pop

/* ---- one run ----------------------------------------------------------- */

/* Says what was wrong first, and nothing after that. */
static char zWrong[600];
static void callsWrong(int n, const char *zWhat, const char *zMore) {
  if( zWrong[0] ) return;
  snprintf(zWrong, sizeof(zWrong), "n = %d: %s%s%.500s", n, zWhat,
           zMore ? ": " : "", zMore ? zMore : "");
}

/* The C library's write(): a handler may not call what is defined above. */
static ssize_t (*xWrite)(int, const void *, size_t);

static void callsSignal(int iSignal) {
  const char *z = iSignal == SIGALRM ? " hangs\n" : " crashed\n";
  if( xWrite(1, zNow, strlen(zNow)) < 0 || xWrite(1, z, strlen(z)) < 0 ) {
    _exit(2);
  }
  _exit(1);
}

static int callsDescriptors(void) {
  DIR *p = opendir("/proc/self/fd");
  int n = 0;
  if( p == NULL ) return 0;
  while( readdir(p) ) n++;
  closedir(p);
  return n;
}

/* SQL with the run's numbers in place of %N and %F (sqlite3_free()). */
static char *callsSql(const char *zSql, int iRun, int bFailed) {
  sqlite3_str *p = sqlite3_str_new(NULL);
  for( ; *zSql; zSql++ ) {
    if( zSql[0] == '%' && (zSql[1] == 'N' || zSql[1] == 'F') ) {
      sqlite3_str_appendf(p, "%d", *++zSql == 'N' ? iRun : bFailed);
    } else {
      sqlite3_str_appendchar(p, 1, *zSql);
    }
  }
  return sqlite3_str_finish(p);
}

/* Runs SQL; *pzRows is what it gives (sqlite3_free()). */
static int callsExec(sqlite3 *db, const char *zSql, char **pzRows) {
  sqlite3_str *p = sqlite3_str_new(NULL);
  int rc = SQLITE_OK, i;
  while( rc == SQLITE_OK && zSql[0] ) {
    sqlite3_stmt *pStmt = NULL;
    rc = sqlite3_prepare_v2(db, zSql, -1, &pStmt, &zSql);
    while( rc == SQLITE_OK && pStmt &&
           (rc = sqlite3_step(pStmt)) == SQLITE_ROW ) {
      for( i = 0; i < sqlite3_column_count(pStmt); i++ ) {
        const char *z = (const char *)sqlite3_column_text(pStmt, i);
        sqlite3_str_appendf(p, "%s|", z ? z : "NULL");
      }
      rc = SQLITE_OK;
    }
    if( rc == SQLITE_DONE ) rc = SQLITE_OK;
    sqlite3_finalize(pStmt);
  }
  *pzRows = sqlite3_str_finish(p);
  if( *pzRows == NULL ) *pzRows = sqlite3_mprintf(""); /* no rows */
  return rc;
}

static sqlite3 *callsOpen(const char *zModule, const char *zFile,
                          const char *zSetup) {
  sqlite3 *db = NULL;
  char *zErr = NULL;
  int rc = sqlite3_open(zFile, &db);
  if( rc == SQLITE_OK ) {
    sqlite3_busy_timeout(db, 10000);
    sqlite3_enable_load_extension(db, 1);
    rc = sqlite3_load_extension(db, zModule, NULL, &zErr);
  }
  if( rc == SQLITE_OK ) rc = sqlite3_exec(db, zSetup, NULL, NULL, &zErr);
  if( rc ) {
    fprintf(stderr, "calls: %s\n", zErr ? zErr : sqlite3_errmsg(db));
    exit(2);
  }
  return db;
}

/* What has to hold, and what it holds against. */
typedef struct Calls Calls;
struct Calls {
  const char *zModule, *zFile, *zSetup, *zCheck;
  char *zRows, *zChecked; /* without failures */
};

/* A run in which the n-th call fails, 0: none does. iRun is its number. Returns
** whether a call failed. */
static int callsRun(Calls *p, const char *zSql, int n, int iRun) {
  const int bMust = zSql[0] == '+';
  sqlite3 *db = callsOpen(p->zModule, p->zFile, p->zSetup);
  char *z = callsSql(zSql + bMust, iRun, 0), *zRows = NULL, *zGot = NULL;
  int rc;
  snprintf(zNow, sizeof(zNow), "%.200s, n = %d:", zSql, n);
  alarm(CALLS_HANGS);
  nStuck = 0;
  nLeft = n;
  bArmed = n > 0;
  rc = callsExec(db, z, &zRows);
  bArmed = 0;
  if( n == 0 && rc ) callsWrong(n, "without failures", sqlite3_errmsg(db));
  if( rc && bMust ) callsWrong(n, "it failed", sqlite3_errmsg(db));
  if( rc && strlen(sqlite3_errmsg(db)) < 8 ) callsWrong(n, "no words", NULL);
  if( rc == SQLITE_OK && p->zRows && strcmp(zRows, p->zRows) != 0 ) {
    callsWrong(n, "other rows", zRows);
  }
  if( !sqlite3_get_autocommit(db) ) {
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
  }
  sqlite3_free(z);
  if( p->zCheck ) {
    char *zSaid = sqlite3_mprintf("%s", rc ? sqlite3_errmsg(db) : "no error");
    z = callsSql(p->zCheck, iRun, rc != 0);
    if( callsExec(db, z, &zGot) ) {
      callsWrong(n, "the check fails", sqlite3_errmsg(db));
    } else if( p->zChecked && strcmp(zGot, p->zChecked) != 0 ) {
      z = sqlite3_mprintf("%z%s after: %s", z, zGot, zSaid);
      callsWrong(n, "the check gives",
                 z + strlen(z) - strlen(zSaid) - strlen(zGot) - 8);
    }
    sqlite3_free(z);
    sqlite3_free(zSaid);
  }
  bArmed = n > 0; /* its end is in the same bad luck */
  if( sqlite3_close(db) ) callsWrong(n, "not closed", NULL);
  bArmed = 0;
  alarm(0);
  if( p->zRows == NULL ) {
    p->zRows = zRows;
    p->zChecked = zGot;
  } else {
    sqlite3_free(zRows);
    sqlite3_free(zGot);
  }
  return nStuck > 0;
}

static int callsErrno(const char *z) {
  static const struct {
    const char *z;
    int i;
  } a[] = {{"EINTR", EINTR},
           {"EIO", EIO},
           {"EAGAIN", EAGAIN},
           {"ENOMEM", ENOMEM},
           {"EACCES", EACCES},
           {"EINVAL", EINVAL},
           {"ENFILE", ENFILE},
           {"EMFILE", EMFILE},
           {"ENOSPC", ENOSPC},
           {"EPIPE", EPIPE},
           {"EDQUOT", EDQUOT},
           {"ECONNRESET", ECONNRESET},
           {"ENETUNREACH", ENETUNREACH},
           {"ETIMEDOUT", ETIMEDOUT},
           {"short", CALLS_SHORT}};
  size_t i;
  for( i = 0; i < sizeof(a) / sizeof(a[0]); i++ ) {
    if( strcmp(z, a[i].z) == 0 ) return a[i].i;
  }
  fprintf(stderr, "calls: no error %s\n", z);
  exit(2);
}

int main(int argc, char **argv) {
  Calls calls;
  int i, n, nFiles, nRun = (int)getpid() * 100;
  if( argc < 9 ) {
    fprintf(stderr, "usage: calls CALL WHERE HOW TIMES[:STEP] MODULE FILE SETUP"
                    " SQL...\n");
    return 2;
  }
  memset(&calls, 0, sizeof(calls));
  zCall = argv[1];
  zWhere = argv[2];
  iErrno = callsErrno(argv[3]);
  nTimes = strncmp(argv[4], "on", 2) ? (int)strtol(argv[4], NULL, 10) : -1;
  if( strchr(argv[4], ':') ) {
    nStep = (int)strtol(strchr(argv[4], ':') + 1, NULL, 10);
  }
  if( nStep < 1 ) nStep = 1;
  calls.zModule = argv[5];
  calls.zFile = argv[6];
  calls.zSetup = argv[7];
  *(void **)&xWrite = dlsym(RTLD_NEXT, "write");
  signal(SIGSEGV, callsSignal);
  signal(SIGABRT, callsSignal);
  signal(SIGALRM, callsSignal);
  setvbuf(stdout, NULL, _IOLBF, 0);
  for( i = 8; i < argc; i++ ) {
    int nTried = 0;
    if( argv[i][0] == '=' ) {
      calls.zCheck = &argv[i][1];
      continue;
    }
    zWrong[0] = 0;
    sqlite3_free(calls.zRows);
    sqlite3_free(calls.zChecked);
    calls.zRows = calls.zChecked = NULL;
    /* Twice: what is made once stays. */
    callsRun(&calls, argv[i], 0, nRun++);
    callsRun(&calls, argv[i], 0, nRun++);
    nFiles = callsDescriptors();
    for( n = 1; zWrong[0] == 0 && nTried < CALLS_RUNS &&
                callsRun(&calls, argv[i], n, nRun++);
         n += nStep ) {
      nTried++;
      if( callsDescriptors() > nFiles ) callsWrong(n, "left open", NULL);
    }
    printf("%d %s\n", nTried, zWrong[0] ? zWrong : "ok");
  }
  return 0;
}
