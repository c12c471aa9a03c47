/*
** Where log and progress go, as the options of these names say:
**
**   log = off | info | debug, or one with " stderr" or " file:PATH" behind it
**
** to stderr, or to PATH, which is a regular file: the log is appended to it,
** progress is all that it holds. Issues no request.
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

int ledgerSinkWord(const char *z, const char *const *azWord, int nWord,
                   const char **pzFile) {
  size_t n = strcspn(z, " ");
  int i;
  *pzFile = NULL;
  for( i = 0; i < nWord; i++ ) {
    if( strlen(azWord[i]) == n && memcmp(azWord[i], z, n) == 0 ) break;
  }
  z += n + strspn(z + n, " ");
  if( *z && strcmp(z, "stderr") != 0 ) {
    if( strncmp(z, "file:", 5) != 0 || z[5] == 0 ) return -1;
    *pzFile = z + 5;
  }
  return i < nWord ? i : -1;
}

int ledgerSinkLevel(const char *z, const char **pzFile) {
  static const char *const azLevel[] = {"off", "info", "debug"};
  return ledgerSinkWord(z, azLevel, 3, pzFile);
}

static const char zSinkOdd[] = "it is not a regular file";

/*
** Opens a regular file, or returns -1 and says why; mHow is O_APPEND or 0. A
** log may hold what entries say: only its owner reads it, and it goes where its
** path says, not where a link in that place leads. What is not a regular file
** may block, or end the process by SIGPIPE.
*/
static int sinkOpen(const char *zFile, int mHow, const char **pzWhy) {
  struct stat st;
  int fd = open(zFile,
                O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW |
                    O_NONBLOCK | mHow,
                0600);
  const int e = errno;
  if( fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ) return fd;
  if( fd >= 0 || e == ENXIO ) {
    *pzWhy = zSinkOdd;
  } else if( e == ELOOP ) {
    *pzWhy = "it is a symbolic link";
  } else {
    *pzWhy = ledgerSystemError(e);
  }
  if( fd >= 0 ) close(fd);
  return -1;
}

int ledgerSinkCheck(const char *zOption, const char *zOn, const char *zFile,
                    LedgerError *pErr) {
  const char *zWhy = "";
  const int fd = sinkOpen(zFile, O_APPEND, &zWhy);
  if( fd >= 0 ) {
    close(fd);
    return LEDGER_OK;
  }
  ledgerErrorSet(pErr, LEDGER_IOERR, "option %s: cannot write to '%.400s': %s",
                 zOption, zFile, zWhy);
  if( zWhy != zSinkOdd ) return pErr->rc;
  return ledgerErrorWrap(pErr, pErr, "%s (%s = '%s stderr' writes to stderr)",
                         ledgerErrorText(pErr), zOption, zOn);
}

int ledgerLogCheck(const char *zValue, LedgerError *pErr) {
  const char *zFile;
  const int e = ledgerSinkLevel(zValue, &zFile);
  if( e < 0 ) {
    return ledgerErrorSet(
        pErr, LEDGER_ERROR,
        "option log: '%.64s' is not one of: off, info, debug, "
        "or one of them with ' stderr' or ' file:PATH' after it",
        zValue);
  }
  if( zFile == NULL || e == LEDGER_LOG_OFF ) return LEDGER_OK;
  return ledgerSinkCheck("log", "info", zFile, pErr);
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
    p->fd = sinkOpen(zFile, O_APPEND, &zWhy);
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

void ledgerSinkReplace(LedgerSink *p, const char *zFile,
                       const LedgerBuf *pText) {
  const char *zWhy = "";
  if( p->zFile == NULL || strcmp(p->zFile, zFile) != 0 ) {
    ledgerSinkEmpty(p);
    p->zFile = ledgerStrdup(zFile);
  }
  if( p->fd < 0 ) p->fd = sinkOpen(zFile, 0, &zWhy);
  if( p->fd >= 0 ) p->bFailed = pwrite(p->fd, pText->z, pText->n, 0) < 0;
}

void ledgerSinkEmpty(LedgerSink *p) {
  if( p->fd >= 0 ) p->bFailed = ftruncate(p->fd, 0) != 0;
  ledgerSinkClear(p);
}
