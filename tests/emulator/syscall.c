/*
** Lets system calls of the emulator fail: a library for LD_PRELOAD.
**
** The file that $SYSCALL_FILE names is mapped, and read at each call, so that a
** test chooses while the emulator runs (syscall.tcl writes it). It holds a
** Plan: which calls, on what, fail in which way, from which one on, and how
** many. The programs beside the emulator are left alone.
*/
#pragma GCC visibility push(default)
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* The calls, in bits. */
enum {
  CALL_OPEN = 1,
  CALL_READ = 2,
  CALL_WRITE = 4,
  CALL_SYNC = 8,
  CALL_TRUNCATE = 16,
  CALL_ACCEPT = 32,
  CALL_WAIT = 64,
  CALL_UNLINK = 128,
  CALL_ROOM = 256 /* statvfs(), which finds none */
};
/* What they are made on, in bits. */
enum {
  ON_DATA = 1,
  ON_SOCKET = 2,
  ON_OTHER = 4
};

#define HOW_SHORT (-1) /* as errno: half of it is done */

typedef struct Plan Plan;
struct Plan {
  int mCall, mOn; /* CALL_*, ON_* */
  int iErrno;     /* or HOW_SHORT */
  int nSkip;      /* so many go well first */
  int nFail;      /* then so many fail; -1: all */
  int nSeen;      /* how many there were */
  int nStruck;    /* how many failed */
};

static volatile Plan *pPlan;

__attribute__((constructor)) static void syscallStart(void) {
  const char *zFile = getenv("SYSCALL_FILE");
  int fd;
  void *p;
  if( zFile == NULL ||
      strcmp(program_invocation_short_name, "ledger-emulator") != 0 ) {
    return;
  }
  fd = open(zFile, O_RDWR | O_CLOEXEC);
  if( fd < 0 ) abort();
  p = mmap(NULL, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if( p == MAP_FAILED ) abort();
  close(fd);
  pPlan = p;
}

static int syscallIsData(const char *z) {
  return strstr(z, "ledger.db") != NULL ? ON_DATA : ON_OTHER;
}

/* What a descriptor is. */
static int syscallOn(int fd) {
  char zLink[40], z[4096];
  struct stat st;
  ssize_t n;
  int k = 14;
  if( fstat(fd, &st) ) return 0;
  if( S_ISSOCK(st.st_mode) ) return ON_SOCKET;
  if( !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) ) return 0;
  memcpy(zLink, "/proc/self/fd/", 14);
  if( fd >= 1000 ) return 0;
  if( fd >= 100 ) zLink[k++] = (char)('0' + fd / 100);
  if( fd >= 10 ) zLink[k++] = (char)('0' + fd / 10 % 10);
  zLink[k++] = (char)('0' + fd % 10);
  zLink[k] = 0;
  n = readlink(zLink, z, sizeof(z) - 1);
  if( n < 0 ) return 0;
  z[n] = 0;
  return syscallIsData(z);
}

/* 0, or how the call fails. */
static int syscallFails(int mCall, int mOn) {
  int e;
  if( pPlan == NULL || !(pPlan->mCall & mCall) || !(pPlan->mOn & mOn) ) {
    return 0;
  }
  e = pPlan->iErrno;
  if( ++pPlan->nSeen <= pPlan->nSkip ) return 0;
  if( pPlan->nFail >= 0 && pPlan->nSeen > pPlan->nSkip + pPlan->nFail )
    return 0;
  pPlan->nStruck++;
  if( e > 0 ) errno = e;
  return e;
}

static int syscallWanted(int mCall) {
  return pPlan && (pPlan->mCall & mCall);
}

/* Types, and lists of parameters, can't stand in parentheses.
** NOLINTBEGIN(bugprone-macro-parentheses) */
#define REAL(TYPE, NAME, ...)    \
  static TYPE (*x)(__VA_ARGS__); \
  if( x == NULL ) *(void **)&x = dlsym(RTLD_NEXT, NAME)

#define READS(NAME, MORE, PASS, CALL, CONST)                             \
  ssize_t NAME(int fd, CONST void *a, size_t n MORE);                    \
  ssize_t NAME(int fd, CONST void *a, size_t n MORE) {                   \
    REAL(ssize_t, #NAME, int, CONST void *, size_t MORE);                \
    int e = syscallWanted(CALL) ? syscallFails(CALL, syscallOn(fd)) : 0; \
    if( e > 0 ) return -1;                                               \
    if( e == HOW_SHORT && n > 1 ) n /= 2;                                \
    return x(fd, a, n PASS);                                             \
  }
#define COMMA_OFF , off64_t iAt
#define COMMA_AT , iAt
#define EMPTY
READS(read, EMPTY, EMPTY, CALL_READ, EMPTY)
READS(pread64, COMMA_OFF, COMMA_AT, CALL_READ, EMPTY)
READS(write, EMPTY, EMPTY, CALL_WRITE, const)
READS(pwrite64, COMMA_OFF, COMMA_AT, CALL_WRITE, const)

#define ON_FD(NAME, MORE, PASS, CALL)                                    \
  int NAME(int fd MORE);                                                 \
  int NAME(int fd MORE) {                                                \
    REAL(int, #NAME, int MORE);                                          \
    int e = syscallWanted(CALL) ? syscallFails(CALL, syscallOn(fd)) : 0; \
    return e > 0 ? -1 : x(fd PASS);                                      \
  }
ON_FD(fsync, EMPTY, EMPTY, CALL_SYNC)
ON_FD(fdatasync, EMPTY, EMPTY, CALL_SYNC)
ON_FD(ftruncate64, COMMA_OFF, COMMA_AT, CALL_TRUNCATE)

#define OPENS(NAME)                                                           \
  int NAME(const char *z, int flags, ...);                                    \
  int NAME(const char *z, int flags, ...) {                                   \
    REAL(int, #NAME, const char *, int, mode_t);                              \
    mode_t mode;                                                              \
    va_list ap;                                                               \
    va_start(ap, flags);                                                      \
    mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;                          \
    va_end(ap);                                                               \
    return syscallFails(CALL_OPEN, syscallIsData(z)) > 0 ? -1                 \
                                                         : x(z, flags, mode); \
  }
OPENS(open)
OPENS(open64)

int accept4(int fd, struct sockaddr *p, socklen_t *pn, int flags) {
  REAL(int, "accept4", int, struct sockaddr *, socklen_t *, int);
  return syscallFails(CALL_ACCEPT, ON_SOCKET) > 0 ? -1 : x(fd, p, pn, flags);
}

int epoll_wait(int fd, struct epoll_event *a, int n, int ms) {
  REAL(int, "epoll_wait", int, struct epoll_event *, int, int);
  return syscallFails(CALL_WAIT, ON_OTHER) > 0 ? -1 : x(fd, a, n, ms);
}

int unlink(const char *z) {
  REAL(int, "unlink", const char *);
  return syscallFails(CALL_UNLINK, syscallIsData(z)) > 0 ? -1 : x(z);
}

int statvfs(const char *z, struct statvfs *p) {
  REAL(int, "statvfs", const char *, struct statvfs *);
  int rc = x(z, p);
  if( rc == 0 && syscallFails(CALL_ROOM, syscallIsData(z)) ) p->f_bavail = 0;
  return rc;
}
/* NOLINTEND(bugprone-macro-parentheses) */
