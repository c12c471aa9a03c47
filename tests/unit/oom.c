/*
** Lets one allocation after the other fail, and looks at what comes of it.
**
**     build/unit/oom WHOSE HOW MODULE              loads the module
**     build/unit/oom WHOSE HOW MODULE SETUP SQL... runs each SQL after SETUP
**
** WHOSE is `sqlite`: what sqlite3_malloc() gives, to SQLite and to the module;
** `module`: what malloc() gives to the module; `cjson`, `curl` or `crypto`: to
** that library; `process`: to whoever asks for it; `large`: to whoever asks for
** OOM_LARGE bytes or more. HOW is `once`: one fails; or `on`: all from there
** on. With `:7` behind it only each seventh is tried.
**
** The n-th allocation fails, for n = 1, 2, ... until nothing fails any more.
** Each time the outcome has to be SQLITE_NOMEM, or an error that says so, or,
** by another way, the right one: the same rows as without. (Of `crypto`,
** `process` and `large` any error in words will do, for libraries hide that
** memory is what they lack.) And no wait is busy: poll() is called OOM_POLLS
** times at most. A SQL that begins with `!` changes something: its rows are not
** compared. One that begins with `=` is a check of those behind it: run after
** each, while nothing fails, it gives the same rows each time. One that begins
** with `~` changes something, too, each time on a connection of its own, that
** is closed while memory is out. Afterwards the connection has to close, and
** all of SQLite's memory to be given back. Prints a line for each SQL: how many
** failed, and `ok` or what was wrong first.
*/
#include <link.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what fails -------------------------------------------------------- */

static int nLeft;     /* allocations until one fails; 0: none does */
static int bFailed;   /* one has failed */
static int bOn;       /* then all others do */
static int nStep = 1; /* allocations from one that is tried to the next */
/* Whose malloc() it is, not sqlite3_malloc(): a part of its file's name. */
static const char *zWhose;
static char zNow[200];

static uintptr_t iFrom, iTo; /* where its code is */
static int bProcess;         /* whoever asks for it ... */
static size_t nLeast;        /* ... for so many bytes or more */
static int bHidden;          /* a library may say something else of it */

#define OOM_LARGE 16000 /* OpenSSL's buffer for a record is larger */
#define OOM_POLLS 1000
static int nPoll; /* calls of poll() while memory is out */

static int oomFails(void) {
  if( nLeft == 0 ) return 0;
  nLeft--;
  if( nLeft > 0 ) return 0;
  if( bOn ) nLeft = 1;
  bFailed = 1;
  return 1;
}

static int oomFailsFor(const void *pCaller, size_t n) {
  uintptr_t i = (uintptr_t)pCaller;
  return zWhose && nLeft && n >= nLeast &&
         (bProcess || (i >= iFrom && i < iTo)) && oomFails();
}

/* The C library's own; what is defined here stands before it. So do a
** sanitizer's, where one is there. */
#define OOM_WEAK __attribute__((weak))
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t nEach);
void *__libc_realloc(void *p, size_t n);
OOM_WEAK void *__interceptor_malloc(size_t n);
OOM_WEAK void *__interceptor_calloc(size_t n, size_t nEach);
OOM_WEAK void *__interceptor_realloc(void *p, size_t n);

#define OOM_CALLER __builtin_return_address(0)
#define OOM_EXPORT __attribute__((visibility("default"), noinline))

OOM_EXPORT void *malloc(size_t n) {
  if( oomFailsFor(OOM_CALLER, n) ) return NULL;
  return __interceptor_malloc ? __interceptor_malloc(n) : __libc_malloc(n);
}
OOM_EXPORT void *calloc(size_t n, size_t nEach) {
  if( oomFailsFor(OOM_CALLER, n * nEach) ) return NULL;
  return __interceptor_calloc ? __interceptor_calloc(n, nEach)
                              : __libc_calloc(n, nEach);
}
OOM_EXPORT void *realloc(void *p, size_t n) {
  if( oomFailsFor(OOM_CALLER, n) ) return NULL;
  return __interceptor_realloc ? __interceptor_realloc(p, n)
                               : __libc_realloc(p, n);
}

/* poll(), which <poll.h> may have made an inline function. */
int __poll(void *a, unsigned long n, int ms);
OOM_EXPORT int oomPoll(void *a, unsigned long n, int ms) __asm__("poll");
int oomPoll(void *a, unsigned long n, int ms) {
  nPoll++;
  return __poll(a, n, ms);
}

static sqlite3_mem_methods plain;

static void *oomMalloc(int n) {
  return !zWhose && oomFails() ? NULL : plain.xMalloc(n);
}
static void *oomRealloc(void *p, int n) {
  return !zWhose && oomFails() ? NULL : plain.xRealloc(p, n);
}

static int oomFind(struct dl_phdr_info *pInfo, size_t n, void *pArg) {
  const char *zSlash = strrchr(pInfo->dlpi_name, '/');
  int i;
  (void)n, (void)pArg;
  if( zWhose == NULL || zSlash == NULL ||
      strncmp(zSlash, zWhose, strlen(zWhose)) != 0 ) {
    return 0;
  }
  for( i = 0; i < pInfo->dlpi_phnum; i++ ) {
    if( pInfo->dlpi_phdr[i].p_type == PT_LOAD &&
        (pInfo->dlpi_phdr[i].p_flags & PF_X) ) {
      iFrom = pInfo->dlpi_addr + pInfo->dlpi_phdr[i].p_vaddr;
      iTo = iFrom + pInfo->dlpi_phdr[i].p_memsz;
    }
  }
  return 1;
}

static void oomCrashed(int iSignal) {
  (void)iSignal;
  if( write(1, zNow, strlen(zNow)) < 0 || write(1, " crashed\n", 9) < 0 ) {
    _exit(2);
  }
  _exit(1);
}

/* ---- one run ----------------------------------------------------------- */

/* Says what was wrong first, and nothing after that. */
static char zWrong[400];
static void oomWrong(int n, const char *zWhat, const char *zMore) {
  if( zWrong[0] ) return;
  snprintf(zWrong, sizeof(zWrong), "n = %d: %s%s%.300s", n, zWhat,
           zMore ? ": " : "", zMore ? zMore : "");
}

/* The values of all rows: a hash, and how they begin. No memory is needed. */
typedef struct Rows Rows;
struct Rows {
  unsigned long iHash;
  size_t n;
  char z[200];
};

static void oomAdd(Rows *p, const char *z) {
  do {
    p->iHash = (p->iHash ^ (unsigned char)*z) * 1099511628211u;
    if( p->n + 1 < sizeof(p->z) ) p->z[p->n++] = *z ? *z : '|';
  } while( *z++ );
}

static int oomExec(sqlite3 *db, const char *zSql, Rows *pRows) {
  int rc = SQLITE_OK;
  memset(pRows, 0, sizeof(*pRows));
  while( rc == SQLITE_OK && zSql[0] ) {
    sqlite3_stmt *pStmt = NULL;
    rc = sqlite3_prepare_v2(db, zSql, -1, &pStmt, &zSql);
    while( rc == SQLITE_OK && pStmt && (rc = sqlite3_step(pStmt)) ) {
      int i;
      if( rc != SQLITE_ROW ) break;
      for( i = 0; i < sqlite3_column_count(pStmt); i++ ) {
        const char *z = (const char *)sqlite3_column_text(pStmt, i);
        if( z == NULL && sqlite3_column_type(pStmt, i) != SQLITE_NULL ) break;
        oomAdd(pRows, z ? z : "NULL");
      }
      rc = i < sqlite3_column_count(pStmt) ? SQLITE_NOMEM : SQLITE_OK;
    }
    if( rc == SQLITE_DONE ) rc = SQLITE_OK;
    if( sqlite3_finalize(pStmt) != SQLITE_OK && rc == SQLITE_OK ) rc = 1;
  }
  return rc;
}

static sqlite3 *oomOpen(void) {
  sqlite3 *db = NULL;
  if( sqlite3_open(":memory:", &db) != SQLITE_OK ) exit(2);
  sqlite3_enable_load_extension(db, 1);
  return db;
}

static sqlite3 *oomReady(const char *zModule, const char *zSetup) {
  sqlite3 *db = oomOpen();
  char *zErr = NULL;
  int rc = sqlite3_load_extension(db, zModule, NULL, &zErr);
  if( rc == SQLITE_OK ) rc = sqlite3_exec(db, zSetup, NULL, NULL, &zErr);
  if( rc ) {
    fprintf(stderr, "oom: %s\n", zErr);
    exit(2);
  }
  return db;
}

static void oomArm(int n) {
  bFailed = nPoll = 0;
  nLeft = n;
}

/* A wait is no loop that keeps a core busy. */
static void oomIdle(int n) {
  char z[40];
  if( nPoll <= OOM_POLLS ) return;
  snprintf(z, sizeof(z), "%d calls of poll()", nPoll);
  oomWrong(n, "a busy wait", z);
}

/* Whether the error is the lack of memory. A cache that has no memory for rows
** is short of them, and ledger_prefetch() says that. */
static int oomTold(sqlite3 *db, int rc) {
  const char *zErr = sqlite3_errmsg(db);
  return (bHidden && strlen(zErr) > 12) || rc == SQLITE_NOMEM ||
         rc == SQLITE_IOERR_NOMEM || strstr(zErr, "out of memory") != NULL ||
         (rc == SQLITE_FULL && strstr(zErr, "but the cache has") != NULL);
}

/* ---- the loops --------------------------------------------------------- */

/* A load that fails leaves nothing of ours, and may be done again. */
static int oomLoad(const char *zModule) {
  static const char zOurs[] =
      "SELECT (SELECT count(*) FROM pragma_function_list"
      "         WHERE name LIKE 'ledger%')"
      "     + (SELECT count(*) FROM pragma_module_list"
      "         WHERE name LIKE 'ledger%')";
  int n;
  for( n = 1;; n++ ) {
    const sqlite3_int64 nUsed = sqlite3_memory_used();
    sqlite3 *db = oomOpen();
    char *zErr = NULL;
    Rows rows;
    int rc;
    snprintf(zNow, sizeof(zNow), "load, n = %d:", n);
    oomArm(n);
    rc = sqlite3_load_extension(db, zModule, NULL, &zErr);
    nLeft = 0;
    if( rc ) {
      if( oomExec(db, zOurs, &rows) || strcmp(rows.z, "0|") != 0 ) {
        oomWrong(n, "left behind", rows.z);
      }
      rc = sqlite3_load_extension(db, zModule, NULL, NULL);
      if( rc ) oomWrong(n, "can't be loaded again", sqlite3_errmsg(db));
    }
    sqlite3_free(zErr);
    if( oomExec(db, "SELECT ledger_version(), count(*) FROM ledger_columns",
                &rows) ) {
      oomWrong(n, "not loaded", sqlite3_errmsg(db));
    }
    if( sqlite3_close(db) ) oomWrong(n, "not closed", NULL);
    if( sqlite3_memory_used() > nUsed ) oomWrong(n, "memory is lost", NULL);
    if( !bFailed ) return n - 1;
  }
}

/* What the check gives, held against what it gave first. */
static void oomCheck(sqlite3 *db, int n, const char *zCheck, Rows *pFirst) {
  Rows rows;
  if( zCheck == NULL || zWrong[0] ) return;
  if( oomExec(db, zCheck, &rows) ) {
    oomWrong(n, "the check fails", sqlite3_errmsg(db));
  } else if( pFirst->n == 0 ) {
    *pFirst = rows;
  } else if( rows.iHash != pFirst->iHash ) {
    oomWrong(n, "the check gives other rows", rows.z);
  }
}

static int oomSql(const char *zModule, const char *zSetup, const char *zSql,
                  const char *zCheck) {
  const int bCompare = zSql[0] != '!';
  const sqlite3_int64 nUsed = sqlite3_memory_used();
  sqlite3 *db = oomReady(zModule, zSetup);
  Rows before, rows, check;
  int n, rc;
  memset(&check, 0, sizeof(check));
  if( !bCompare ) zSql++;
  if( oomExec(db, zSql, &before) ) {
    oomWrong(0, "without failures", sqlite3_errmsg(db));
  }
  oomCheck(db, 0, zCheck, &check);
  for( n = 1; zWrong[0] == 0; n += nStep ) {
    snprintf(zNow, sizeof(zNow), "%.100s, n = %d:", zSql, n);
    oomArm(n);
    rc = oomExec(db, zSql, &rows);
    nLeft = 0;
    oomIdle(n);
    if( rc == SQLITE_OK && bCompare && rows.iHash != before.iHash ) {
      oomWrong(n, "other rows", rows.z);
    } else if( rc && !oomTold(db, rc) ) {
      oomWrong(n, "another error", sqlite3_errmsg(db));
    }
    if( !sqlite3_get_autocommit(db) ) {
      sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    oomCheck(db, n, zCheck, &check);
    if( !bFailed ) break;
  }
  if( sqlite3_close(db) ) oomWrong(n, "not closed", NULL);
  if( sqlite3_memory_used() > nUsed ) oomWrong(n, "memory is lost", NULL);
  return n - 1;
}

/* The same with a connection for each, up to its close. */
static int oomClose(const char *zModule, const char *zSetup, const char *zSql) {
  const sqlite3_int64 nUsed = sqlite3_memory_used();
  Rows rows;
  int n, rc;
  for( n = 1; zWrong[0] == 0; n += nStep ) {
    sqlite3 *db = oomReady(zModule, zSetup);
    snprintf(zNow, sizeof(zNow), "~%.100s, n = %d:", zSql, n);
    oomArm(n);
    rc = oomExec(db, zSql, &rows);
    oomIdle(n);
    if( rc && !oomTold(db, rc) ) {
      oomWrong(n, "another error", sqlite3_errmsg(db));
    }
    if( sqlite3_close(db) ) oomWrong(n, "not closed", NULL);
    nLeft = 0;
    if( sqlite3_memory_used() > nUsed ) oomWrong(n, "memory is lost", NULL);
    if( !bFailed ) break;
  }
  return n - 1;
}

int main(int argc, char **argv) {
  sqlite3_mem_methods mine;
  const char *zCheck = NULL;
  int i, n;
  if( argc < 4 || argc == 5 ) {
    fprintf(stderr, "usage: oom sqlite|module|cjson|curl|crypto|process"
                    "|large once|on MODULE [SETUP SQL...]\n");
    return 2;
  }
  if( strcmp(argv[1], "module") == 0 ) zWhose = "/ledger.so";
  if( strcmp(argv[1], "cjson") == 0 ) zWhose = "/libcjson.so";
  if( strcmp(argv[1], "curl") == 0 ) zWhose = "/libcurl.so";
  if( strcmp(argv[1], "crypto") == 0 ) zWhose = "/libcrypto.so";
  if( strcmp(argv[1], "process") == 0 ) zWhose = "/libc.so";
  if( strcmp(argv[1], "large") == 0 ) {
    zWhose = "/libc.so";
    nLeast = OOM_LARGE;
  }
  bProcess = nLeast || strcmp(argv[1], "process") == 0;
  bHidden = bProcess || strcmp(argv[1], "crypto") == 0;
  bOn = strncmp(argv[2], "on:", 3) == 0 || strcmp(argv[2], "on") == 0;
  if( strchr(argv[2], ':') )
    nStep = (int)strtol(strchr(argv[2], ':') + 1, NULL, 10);
  if( nStep < 1 ) nStep = 1;
  signal(SIGSEGV, oomCrashed);
  signal(SIGABRT, oomCrashed);
  setvbuf(stdout, NULL, _IOLBF, 0);
  sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain);
  mine = plain;
  mine.xMalloc = oomMalloc;
  mine.xRealloc = oomRealloc;
  sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
  /* What is made once stays; the module is found where it then stays. */
  sqlite3_close(oomReady(argv[3], "SELECT ledger_version()"));
  if( dl_iterate_phdr(oomFind, NULL) == 0 && zWhose ) {
    fprintf(stderr, "oom: no library %s\n", zWhose + 1);
    return 2;
  }
  if( argc == 4 ) {
    n = oomLoad(argv[3]);
    printf("%d %s\n", n, zWrong[0] ? zWrong : "ok");
  }
  for( i = 5; i < argc; i++ ) {
    if( argv[i][0] == '=' ) {
      zCheck = &argv[i][1];
      continue;
    }
    zWrong[0] = 0;
    n = argv[i][0] == '~' ? oomClose(argv[3], argv[4], &argv[i][1])
                          : oomSql(argv[3], argv[4], argv[i], zCheck);
    printf("%d %s\n", n, zWrong[0] ? zWrong : "ok");
  }
  return 0;
}
