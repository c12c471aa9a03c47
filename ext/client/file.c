/*
** Files that options and credentials name: PEM texts, secrets, tokens.
**
**   SELECT ledger_attach('my-ledger', 'main', '{"token":"file:token.txt"}');
**
** Invariants
**   - reading never waits: what is no regular file (a FIFO, a terminal) is
**     refused, since nothing could interrupt it;
**   - a file has a limit;
**   - what was read may be secret: of a failure nothing is left.
*/
#include "clientInt.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ledgerFileRead(const char *zWhat, const char *zFile, size_t nMax,
                   int rcFail, LedgerBuf *pOut, LedgerError *pErr) {
  const int fd = open(zFile, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  char aChunk[4096];
  struct stat st;
  ssize_t n = 0;

  if( fd < 0 || fstat(fd, &st) ) {
    ledgerErrorSet(pErr, rcFail, "%s: cannot read '%.400s': %s", zWhat, zFile,
                   ledgerSystemError(errno));
    goto out;
  }
  if( !S_ISREG(st.st_mode) ) {
    ledgerErrorSet(pErr, rcFail,
                   "%s: cannot read '%.400s': it is no regular file", zWhat,
                   zFile);
    goto out;
  }
  ledgerBufText(pOut, ""); /* an empty file is an empty text */
  while( pOut->n <= nMax && (n = read(fd, aChunk, sizeof(aChunk))) != 0 ) {
    if( n < 0 && errno == EINTR ) continue;
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
  OPENSSL_cleanse(aChunk, sizeof(aChunk));
  if( fd >= 0 ) close(fd);
  if( pErr->rc ) {
    if( pOut->z ) OPENSSL_cleanse(pOut->z, pOut->nAlloc);
    ledgerBufFree(pOut);
  }
  return pErr->rc;
}
