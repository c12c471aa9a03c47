/*
** Where the log goes, as option `log` says:
**
**   log = off | info | debug, or one with " stderr" or " file:PATH" behind it
**
** to stderr, or appended to PATH, which is a regular file. Issues no request.
*/
#include "client/log/logInt.h"
#include "client/net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads the option's value: its level, and the path, or NULL for stderr. -1: it
** can't be. */
int ledgerSinkLevel(const char *z, const char **pzFile) {
  static const char *const azLevel[] = {"off", "info", "debug"};
  size_t n = strcspn(z, " ");
  int i;
  *pzFile = NULL;
  for( i = 0; i < 3; i++ ) {
    if( strlen(azLevel[i]) == n && memcmp(azLevel[i], z, n) == 0 ) break;
  }
  z += n + strspn(z + n, " ");
  if( *z && strcmp(z, "stderr") != 0 ) {
    if( strncmp(z, "file:", 5) != 0 || z[5] == 0 ) return -1;
    *pzFile = z + 5;
  }
  return i < 3 ? i : -1;
}

/*
** Opens a regular file, or returns -1 and says why. A log may hold what entries
** say: only its owner reads it, and it goes where its path says, not where a
** link in that place leads. What is not a regular file may block, or end the
** process by SIGPIPE.
*/
static int sinkOpen(const char *zFile, const char **pzWhy) {
  struct stat st;
  int fd = open(zFile,
                O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
                    O_NOFOLLOW | O_NONBLOCK,
                0600);
  const int e = errno;
  if( fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ) return fd;
  if( fd >= 0 || e == ENXIO ) {
    *pzWhy = "it is not a regular file (log = 'info stderr' writes to stderr)";
  } else if( e == ELOOP ) {
    *pzWhy = "it is a symbolic link";
  } else {
    *pzWhy = ledgerSystemError(e);
  }
  if( fd >= 0 ) close(fd);
  return -1;
}

int ledgerLogCheck(const char *zValue, LedgerError *pErr) {
  const char *zFile, *zWhy = "";
  int e = ledgerSinkLevel(zValue, &zFile);
  int fd;
  if( e < 0 ) {
    return ledgerErrorSet(
        pErr, LEDGER_ERROR,
        "option log: '%.64s' is not one of: off, info, debug, "
        "or one of them with ' stderr' or ' file:PATH' after it",
        zValue);
  }
  if( zFile == NULL || e == LEDGER_LOG_OFF ) return LEDGER_OK;
  fd = sinkOpen(zFile, &zWhy);
  if( fd < 0 ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR,
                          "option log: cannot write to '%.400s': %s", zFile,
                          zWhy);
  }
  close(fd);
  return LEDGER_OK;
}

/* Whether the open file is still the one of that name: whoever moved or removed
** it (logrotate) wants the next line in a new one. */
static int sinkIsOpen(const LedgerSink *p, const char *zFile) {
  struct stat here, there;
  return p->fd >= 0 && p->zFile && strcmp(p->zFile, zFile) == 0 &&
         fstat(p->fd, &here) == 0 && lstat(zFile, &there) == 0 &&
         here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Appends the text to the file; what fails is said once, to stderr. */
static void sinkAppend(LedgerSink *p, const char *zFile,
                       const LedgerBuf *pText) {
  const char *z = pText->z;
  const char *zWhy = "";
  size_t n = pText->n;

  if( !sinkIsOpen(p, zFile) ) {
    if( p->fd >= 0 ) close(p->fd);
    if( p->zFile == NULL || strcmp(p->zFile, zFile) != 0 ) p->bFailed = 0;
    free(p->zFile);
    p->zFile = ledgerStrdup(zFile);
    p->fd = sinkOpen(zFile, &zWhy);
  }
  while( p->fd >= 0 && n > 0 ) {
    ssize_t k = write(p->fd, z, n);
    if( k < 0 && errno == EINTR ) continue;
    if( k <= 0 ) {
      zWhy = ledgerSystemError(errno);
      break;
    }
    z += k;
    n -= (size_t)k;
  }
  if( n > 0 && !p->bFailed ) {
    fprintf(stderr, "ledger: option log: cannot write to '%s': %s\n", zFile,
            zWhy);
    p->bFailed = 1;
  }
}

/* Writes the text to the file, or to stderr, which may be a pipe that nobody
** reads any more. */
void ledgerSinkWrite(LedgerSink *p, const char *zFile, const LedgerBuf *pText) {
  LedgerGuest guest;
  ledgerGuestEnter(&guest);
  if( zFile ) {
    sinkAppend(p, zFile, pText);
  } else {
    fwrite(pText->z, 1, pText->n, stderr);
    fflush(stderr);
  }
  ledgerGuestLeave(&guest);
}

void ledgerSinkClear(LedgerSink *p) {
  if( p->fd >= 0 ) close(p->fd);
  free(p->zFile);
  p->zFile = NULL;
  p->fd = -1;
}
