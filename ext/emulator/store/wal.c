/*
** What a killed emulator left in its WAL, looked through before it is used.
**
** No route, no SQL. SQLite takes the frames of a WAL up to the first whose
** checksum is wrong, since a power loss may have torn what was written last.
** So a frame that a disk has spoiled takes all with it that was committed after
** it, and nobody is told. But a transaction is written once the one before it
** is on the disk: what is wrong before a transaction that another one follows
** is no torn end.
**
** The format is described at sqlite.org/fileformat2.html, section 4. A frame's
** checksum goes on from that of the frame before it, so each frame can be
** checked by itself.
**
** Left: damage to the last transaction looks like a torn end, and the ledger is
** as it was before it.
*/
#include "emulator/store/storeInt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAL_HEADER 32
#define WAL_FRAME 24 /* bytes of a frame before its page */

typedef struct Wal Wal;
struct Wal {
  int fd;
  int bBig; /* checksums are over big-endian numbers */
  size_t nPage;
  unsigned char aHeader[WAL_HEADER];
  unsigned char *aFrame; /* a frame and its page */
};

static uint32_t walBig(const unsigned char *a) {
  return (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 |
         a[3];
}

/* Carries a checksum on over n bytes, a multiple of 8. */
static void walSum(const Wal *p, const unsigned char *a, size_t n,
                   uint32_t *aSum) {
  size_t i;
  for( i = 0; i < n; i += 8 ) {
    uint32_t x = walBig(a + i), y = walBig(a + i + 4);
    if( !p->bBig ) {
      x = __builtin_bswap32(x);
      y = __builtin_bswap32(y);
    }
    aSum[0] += x + aSum[1];
    aSum[1] += y + aSum[0];
  }
}

/* Reads n bytes; 0 where the file has not as many, -1 for an error. */
static int walRead(int fd, unsigned char *a, size_t n) {
  size_t nHave = 0;
  while( nHave < n ) {
    ssize_t nNow = read(fd, a + nHave, n - nHave);
    if( nNow < 0 && errno == EINTR ) continue;
    if( nNow < 0 ) return -1;
    if( nNow == 0 ) return 0;
    nHave += (size_t)nNow;
  }
  return 1;
}

/* Reads the header: 1; 0 when there is none, -1 for an error. aFrame is room
** for a frame; it stays NULL when the header is not what was written. */
static int walStart(Wal *p) {
  uint32_t aSum[2] = {0, 0};
  int b = walRead(p->fd, p->aHeader, WAL_HEADER);
  if( b <= 0 ) return b;
  p->bBig = p->aHeader[3] & 1;
  p->nPage = walBig(p->aHeader + 8);
  walSum(p, p->aHeader, WAL_HEADER - 8, aSum);
  if( aSum[0] != walBig(p->aHeader + 24) ||
      aSum[1] != walBig(p->aHeader + 28) || p->nPage > 65536 ) {
    return 1;
  }
  p->aFrame = malloc(WAL_FRAME + p->nPage);
  return p->aFrame ? 1 : -1; /* errno is ENOMEM */
}

/*
** Looks for a frame that is wrong and no part of a torn end: 1 when there is
** none, 0 with its number in *piFrame, -1 for an error. Frames of an earlier
** WAL, which this one has not written over yet, have another salt.
*/
static int walFrames(Wal *p, int *piFrame) {
  uint32_t aSum[2] = {walBig(p->aHeader + 24), walBig(p->aHeader + 28)};
  int i, b, bCommit = 0; /* a transaction ended since the wrong frame */
  *piFrame = 0;
  for( i = 1; (b = walRead(p->fd, p->aFrame, WAL_FRAME + p->nPage)) > 0; i++ ) {
    int bOurs = memcmp(p->aFrame + 8, p->aHeader + 16, 8) == 0, bGood;
    walSum(p, p->aFrame, 8, aSum);
    walSum(p, p->aFrame + WAL_FRAME, p->nPage, aSum);
    bGood = bOurs && aSum[0] == walBig(p->aFrame + 16) &&
            aSum[1] == walBig(p->aFrame + 20);
    if( bGood && bCommit ) return 0;
    if( !bGood && *piFrame == 0 ) *piFrame = i;
    if( *piFrame && bOurs && walBig(p->aFrame + 4) ) bCommit = 1;
    aSum[0] = walBig(p->aFrame + 16);
    aSum[1] = walBig(p->aFrame + 20);
  }
  return b < 0 ? -1 : 1;
}

int emuWalLook(const char *zWal, LedgerError *pErr) {
  Wal wal = {0};
  int iFrame = 0, b = -1;
  wal.fd = open(zWal, O_RDONLY | O_CLOEXEC);
  if( wal.fd >= 0 ) b = walStart(&wal);
  if( b > 0 ) {
    b = wal.aFrame ? walFrames(&wal, &iFrame) : 0;
    if( b == 0 && iFrame ) {
      ledgerErrorSet(pErr, LEDGER_ERROR,
                     "%s is damaged: frame %d is not what was written", zWal,
                     iFrame);
    } else if( b == 0 ) {
      ledgerErrorSet(pErr, LEDGER_ERROR,
                     "%s is damaged: its header is not what was written", zWal);
    }
  }
  if( b < 0 ) {
    ledgerErrorSet(pErr, LEDGER_IOERR, "cannot read %s: %s", zWal,
                   ledgerSystemError(errno));
  }
  if( wal.fd >= 0 ) close(wal.fd);
  free(wal.aFrame);
  return pErr->rc;
}
