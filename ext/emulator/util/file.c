/*
** Files that are there as a whole or not at all.
*/
#include "emulator/util/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int emuFileWrite(const char *zPath, const char *z, size_t n, int mode,
                 LedgerError *pErr) {
  char *zTmp = ledgerMprintf("%s.tmp", zPath);
  int fd = -1, rc = LEDGER_OK;
  if( zTmp == NULL ) return ledgerErrorNomem(pErr);
  unlink(zTmp);
  fd = open(zTmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
  if( fd < 0 ) goto bad;
  while( n > 0 ) {
    ssize_t nWrote = write(fd, z, n);
    if( nWrote < 0 && errno == EINTR ) continue;
    if( nWrote < 0 ) goto bad;
    z += nWrote;
    n -= (size_t)nWrote;
  }
  if( close(fd) ) {
    fd = -1;
    goto bad;
  }
  fd = -1;
  if( rename(zTmp, zPath) ) goto bad;
  goto out;
bad:
  rc = ledgerErrorSet(
      pErr, errno == ENOSPC || errno == EDQUOT ? LEDGER_FULL : LEDGER_IOERR,
      "cannot write %s: %s", zPath, ledgerSystemError(errno));
  if( fd >= 0 ) close(fd);
  unlink(zTmp);
out:
  free(zTmp);
  return rc;
}
