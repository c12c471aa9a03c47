/*
** Files that options and credentials name: PEM texts, secrets, tokens.
**
**   SELECT ledger_attach('my-ledger', 'main', '{"token":"file:token.txt"}');
**
** Invariants
**   - what is not a regular file (a terminal, a device) is refused; a pipe that
**     an option names, such as a shell's <(command), is read to its end, within
**     a limit of time, and the wait for it can be interrupted;
**   - a file has a limit;
**   - what was read may be secret: of a failure nothing is left.
*/
#include "client/net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_OPTION_MAX (1 << 20) /* bytes of what an option names */
#define FILE_PIPE_MS 10000        /* a pipe may be silent so long, in all */
#define FILE_PIPE_STEP_MS 50

/* Waits until there is more in a pipe, *pms of the limit at most. */
static int filePipeWait(int fd, const LedgerPipe *p, const char *zWhat,
                        const char *zFile, int *pms, LedgerError *pErr) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};

  if( p->xInterrupted && p->xInterrupted(p->pArg) ) {
    return ledgerErrorInterrupt(pErr);
  }
  if( *pms <= 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "%s: cannot read '%.400s': its writer has not ended "
                          "it within %d s",
                          zWhat, zFile, FILE_PIPE_MS / 1000);
  }
  if( poll(&wait, 1, FILE_PIPE_STEP_MS) == 0 ) *pms -= FILE_PIPE_STEP_MS;
  return LEDGER_OK;
}

/* Reads a file. pPipe: what asks is an option of it, and pipes may be read
** (*pbPipe tells); NULL: none. */
static int fileRead(const char *zWhat, const char *zFile, size_t nMax,
                    int rcFail, const LedgerPipe *pPipe, int *pbPipe,
                    LedgerBuf *pOut, LedgerError *pErr) {
  const int fd = open(zFile, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  int msLeft = FILE_PIPE_MS;
  char aChunk[4096];
  struct stat st;
  ssize_t n = 0;

  if( fd < 0 || fstat(fd, &st) ) {
    ledgerErrorSet(pErr, rcFail, "%s: cannot read '%.400s': %s%s", zWhat, zFile,
                   ledgerSystemError(errno),
                   zFile[0] == '~' ? " (~ is the shell's: write the path out)"
                                   : "");
    goto out;
  }
  if( pPipe ) *pbPipe = S_ISFIFO(st.st_mode);
  if( !S_ISREG(st.st_mode) && !(pPipe && *pbPipe && !pPipe->bNone) ) {
    ledgerErrorSet(pErr, rcFail,
                   "%s: cannot read '%.400s': it is not a regular file", zWhat,
                   zFile);
    goto out;
  }
  /* A buffer that grew would leave copies of a secret behind. */
  if( S_ISREG(st.st_mode) && st.st_size <= (off_t)nMax ) {
    ledgerBufRoom(pOut, (size_t)st.st_size);
  }
  ledgerBufText(pOut, ""); /* an empty file is an empty text */
  while( pOut->n <= nMax && (n = read(fd, aChunk, sizeof(aChunk))) != 0 ) {
    if( n < 0 && errno == EINTR ) continue;
    if( n < 0 && errno == EAGAIN && pPipe ) {
      if( filePipeWait(fd, pPipe, zWhat, zFile, &msLeft, pErr) ) goto out;
      continue;
    }
    if( n < 0 ) break;
    ledgerBufAppend(pOut, aChunk, (size_t)n);
  }
  if( n < 0 ) {
    ledgerErrorSet(pErr, rcFail, "%s: cannot read '%.400s': %s", zWhat, zFile,
                   ledgerSystemError(errno));
  } else if( pOut->n > nMax ) {
    ledgerErrorSet(pErr, rcFail,
                   "%s: cannot read '%.400s': it has more than %zu bytes",
                   zWhat, zFile, nMax);
  } else if( pOut->bOom ) {
    ledgerErrorNomem(pErr);
  }
out:
  if( pErr->zMsg ) pErr->eCause = LEDGER_CAUSE_FILE;
  OPENSSL_cleanse(aChunk, sizeof(aChunk));
  if( fd >= 0 ) close(fd);
  if( pErr->rc ) ledgerBufWipe(pOut);
  return pErr->rc;
}

int ledgerFileRead(const char *zWhat, const char *zFile, size_t nMax,
                   LedgerBuf *pOut, LedgerError *pErr) {
  return fileRead(zWhat, zFile, nMax, LEDGER_AUTH, NULL, NULL, pOut, pErr);
}

int ledgerFileReadOption(const LedgerPipe *p, const char *zWhat,
                         const char *zFile, int rcFail, LedgerBuf *pOut,
                         int *pbPipe, LedgerError *pErr) {
  if( fileRead(zWhat, zFile, FILE_OPTION_MAX, rcFail, p, pbPipe, pOut, pErr) ==
          LEDGER_OK &&
      pOut->n == 0 ) {
    ledgerErrorSet(pErr, rcFail, "%s: '%.400s' is empty%s", zWhat, zFile,
                   *pbPipe ? ": nothing came out of this pipe" : "");
    ledgerBufWipe(pOut);
  }
  return pErr->rc;
}
