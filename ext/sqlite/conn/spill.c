/*
** Rows kept aside: the replay buffer of a scan, the rows of a window that is
** read backwards, the entries that a statement has looked up.
**
** Invariants: records are only ever added; memory stays below the limit given
** at the start (plus one read buffer); the temporary file has no name, so that
** nothing is left behind however the process ends; the ledgers of its rows live
** as long as the store, detached or not.
**
** A record is its length, the row, and its length again (for reading back):
**     n | ledger | view | seqno | nSub | nContents | nTags | texts | n
** nTags is -1 where the answer had no tags. Names and tags keep their NUL.
*/
#include "sqlite/conn/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct RowsHead RowsHead;
struct RowsHead {
  Ledger *pLedger;
  LedgerTxid id;
  sqlite3_uint64 nSub;
  sqlite3_uint64 nContents;
  i64 nTags;
};

struct LedgerSpill {
  i64 nMemory;       /* bytes that may stay in memory */
  int bSpill;        /* what is beyond goes to a file */
  int bFull;         /* not bSpill, and a row did not fit */
  i64 nRow;          /* rows held */
  int nLedger;       /* their ledgers ... */
  Ledger **apLedger; /* ... counted references (sqlite3_free) */
  char *aMem;        /* the first bytes of the store */
  i64 nMem;          /* bytes used there */
  i64 nMemAlloc;     /* bytes allocated */
  int fd;            /* the file, or -1 */
  i64 nFile;         /* bytes in the file, which follow those in memory */
  char *aOut;        /* bytes not yet written to the file */
  i64 nOut;          /* their number */
  char *aIn;         /* a record read from the file */
  i64 nInAlloc;
  LedgerEntryRow row; /* the row last read */
};

#define SPILL_OUT (64 * 1024) /* bytes collected for one write */

int ledgerSpillNew(i64 nMemory, int bSpill, LedgerSpill **ppSpill,
                   LedgerError *pErr) {
  LedgerSpill *p = sqlite3_malloc64(sizeof(*p));
  *ppSpill = p;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  memset(p, 0, sizeof(*p));
  p->nMemory = nMemory;
  p->bSpill = bSpill;
  p->fd = -1;
  return LEDGER_OK;
}

void ledgerSpillFree(LedgerSpill *p) {
  if( p == NULL ) return;
  while( p->nLedger > 0 ) ledgerUnref(p->apLedger[--p->nLedger]);
  sqlite3_free(p->apLedger);
  if( p->fd >= 0 ) close(p->fd);
  sqlite3_free(p->aMem);
  sqlite3_free(p->aOut);
  sqlite3_free(p->aIn);
  sqlite3_free(p);
}

int ledgerSpillFull(const LedgerSpill *p) {
  return p->bFull;
}

i64 ledgerSpillCount(const LedgerSpill *p) {
  return p->nRow;
}

i64 ledgerSpillEnd(const LedgerSpill *p) {
  return p->nMem + p->nFile + p->nOut;
}

/* Opens the temporary file where SQLite would put one. */
static int spillOpenFile(LedgerSpill *p, LedgerError *pErr) {
  const char *azDir[] = {getenv("SQLITE_TMPDIR"), getenv("TMPDIR"), "/var/tmp",
                         "/tmp", "."};
  size_t i;
  for( i = 0; i < sizeof(azDir) / sizeof(azDir[0]); i++ ) {
    char *zPath;
    if( azDir[i] == NULL || azDir[i][0] == 0 ) continue;
    zPath = sqlite3_mprintf("%s/ledger-XXXXXX", azDir[i]);
    if( zPath == NULL ) return ledgerErrorNomem(pErr);
    p->fd = mkstemp(zPath);
    if( p->fd >= 0 ) unlink(zPath);
    sqlite3_free(zPath);
    if( p->fd >= 0 ) break;
  }
  if( p->fd < 0 ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR,
                          "no folder for a temporary file (TMPDIR, /var/tmp, "
                          "/tmp): %s",
                          ledgerSystemError(errno));
  }
  p->aOut = sqlite3_malloc64(SPILL_OUT);
  return p->aOut ? LEDGER_OK : ledgerErrorNomem(pErr);
}

static int spillWrite(LedgerSpill *p, const char *a, i64 n, LedgerError *pErr) {
  while( n > 0 ) {
    ssize_t k = pwrite(p->fd, a, (size_t)n, p->nFile);
    if( k < 0 && errno == EINTR ) continue;
    if( k <= 0 ) {
      return ledgerErrorSet(pErr, LEDGER_IOERR, "temporary file: %s",
                            k < 0 ? ledgerSystemError(errno)
                                  : "nothing was written");
    }
    a += k;
    n -= k;
    p->nFile += k;
  }
  return LEDGER_OK;
}

/* Adds bytes to the file through the output buffer. */
static int spillPut(LedgerSpill *p, const void *a, i64 n, LedgerError *pErr) {
  int rc = LEDGER_OK;
  if( p->nOut + n > SPILL_OUT ) {
    rc = spillWrite(p, p->aOut, p->nOut, pErr);
    p->nOut = 0;
    if( rc == LEDGER_OK && n > SPILL_OUT ) return spillWrite(p, a, n, pErr);
  }
  if( rc == LEDGER_OK && n > 0 ) {
    memcpy(p->aOut + p->nOut, a, (size_t)n);
    p->nOut += n;
  }
  return rc;
}

/* Makes room for n more bytes in memory. Returns 0 when the limit forbids. */
static int spillReserve(LedgerSpill *p, i64 n, LedgerError *pErr) {
  i64 nNew;
  char *aNew;
  if( p->fd >= 0 || p->nMem + n > p->nMemory ) return 0;
  if( p->nMem + n <= p->nMemAlloc ) return 1;
  nNew = p->nMemAlloc ? p->nMemAlloc * 2 : 16 * 1024;
  if( nNew < p->nMem + n ) nNew = p->nMem + n;
  if( nNew > p->nMemory ) nNew = p->nMemory;
  aNew = sqlite3_realloc64(p->aMem, (sqlite3_uint64)nNew);
  if( aNew == NULL ) {
    ledgerErrorNomem(pErr);
    return 0;
  }
  p->aMem = aNew;
  p->nMemAlloc = nNew;
  return 1;
}

/* Keeps the ledger of a row. */
static int spillHold(LedgerSpill *p, Ledger *pLedger, LedgerError *pErr) {
  Ledger **apNew;
  int i;
  for( i = p->nLedger - 1; i >= 0; i-- ) {
    if( p->apLedger[i] == pLedger ) return LEDGER_OK;
  }
  apNew = sqlite3_realloc64(p->apLedger,
                            sizeof(*apNew) * (sqlite3_uint64)(p->nLedger + 1));
  if( apNew == NULL ) return ledgerErrorNomem(pErr);
  p->apLedger = apNew;
  ledgerRef(pLedger);
  p->apLedger[p->nLedger++] = pLedger;
  return LEDGER_OK;
}

int ledgerSpillAdd(LedgerSpill *p, const LedgerEntryRow *pRow,
                   LedgerError *pErr) {
  const LedgerEntry *pE = &pRow->entry;
  RowsHead head;
  i64 n;
  sqlite3_uint64 aPart[3];
  const char *azPart[3];
  int i, rc = LEDGER_OK;

  if( p->bFull ) return LEDGER_OK;
  if( spillHold(p, pRow->pLedger, pErr) ) return pErr->rc;
  memset(&head, 0, sizeof(head));
  head.pLedger = pRow->pLedger;
  head.id = pE->id;
  head.nSub = strlen(pE->zSubLedger) + 1;
  head.nContents = pE->nContents;
  head.nTags = pE->zTags ? (i64)strlen(pE->zTags) + 1 : -1;
  azPart[0] = pE->zSubLedger;
  aPart[0] = head.nSub;
  azPart[1] = pE->zContents;
  aPart[1] = head.nContents;
  azPart[2] = pE->zTags;
  aPart[2] = head.nTags > 0 ? (sqlite3_uint64)head.nTags : 0;
  n = (i64)(sizeof(head) + aPart[0] + aPart[1] + aPart[2]);

  if( spillReserve(p, n + 2 * (i64)sizeof(n), pErr) ) {
    char *a = p->aMem + p->nMem;
    memcpy(a, &n, sizeof(n));
    a += sizeof(n);
    memcpy(a, &head, sizeof(head));
    a += sizeof(head);
    for( i = 0; i < 3; i++ ) {
      if( aPart[i] ) memcpy(a, azPart[i], aPart[i]);
      a += aPart[i];
    }
    memcpy(a, &n, sizeof(n));
    p->nMem += n + 2 * (i64)sizeof(n);
  } else if( pErr->rc ) {
    return pErr->rc;
  } else if( !p->bSpill ) {
    p->bFull = 1;
    sqlite3_free(p->aMem);
    p->aMem = NULL;
    p->nMem = p->nMemAlloc = p->nRow = 0;
    return LEDGER_OK;
  } else {
    if( p->fd < 0 ) rc = spillOpenFile(p, pErr);
    if( rc == LEDGER_OK ) rc = spillPut(p, &n, sizeof(n), pErr);
    if( rc == LEDGER_OK ) rc = spillPut(p, &head, sizeof(head), pErr);
    for( i = 0; i < 3 && rc == LEDGER_OK; i++ ) {
      rc = spillPut(p, azPart[i], (i64)aPart[i], pErr);
    }
    if( rc == LEDGER_OK ) rc = spillPut(p, &n, sizeof(n), pErr);
    if( rc ) return rc;
  }
  p->nRow++;
  return LEDGER_OK;
}

/* The n bytes at iPos of the store; they live until the next call. */
static int spillBytes(LedgerSpill *p, i64 iPos, i64 n, const char **pa,
                      LedgerError *pErr) {
  i64 nDone = 0;
  if( iPos < p->nMem ) {
    *pa = p->aMem + iPos;
    return LEDGER_OK;
  }
  iPos -= p->nMem;
  if( iPos + n > p->nFile ) { /* reaches into what is not yet written */
    int rc = spillWrite(p, p->aOut, p->nOut, pErr);
    p->nOut = 0;
    if( rc ) return rc;
  }
  if( n > p->nInAlloc ) {
    char *aNew = sqlite3_realloc64(p->aIn, (sqlite3_uint64)n * 2);
    if( aNew == NULL ) return ledgerErrorNomem(pErr);
    p->aIn = aNew;
    p->nInAlloc = n * 2;
  }
  while( nDone < n ) {
    ssize_t k = pread(p->fd, p->aIn + nDone, (size_t)(n - nDone), iPos + nDone);
    if( k < 0 && errno == EINTR ) continue;
    if( k <= 0 ) {
      return ledgerErrorSet(pErr, LEDGER_IOERR, "temporary file: %s",
                            k < 0 ? ledgerSystemError(errno) : "it was cut");
    }
    nDone += k;
  }
  *pa = p->aIn;
  return LEDGER_OK;
}

int ledgerSpillRead(LedgerSpill *p, i64 *piPos, int bBack,
                    const LedgerEntryRow **ppRow, LedgerError *pErr) {
  RowsHead head;
  const char *a;
  i64 iPos = *piPos, n;
  int rc;

  *ppRow = NULL;
  if( bBack ? iPos == 0 : iPos >= ledgerSpillEnd(p) ) return LEDGER_OK;
  rc = spillBytes(p, bBack ? iPos - (i64)sizeof(n) : iPos, sizeof(n), &a, pErr);
  if( rc ) return rc;
  memcpy(&n, a, sizeof(n));
  if( bBack ) iPos -= n + 2 * (i64)sizeof(n);
  rc = spillBytes(p, iPos + (i64)sizeof(n), n, &a, pErr);
  if( rc ) return rc;
  memcpy(&head, a, sizeof(head));
  a += sizeof(head);
  p->row.pLedger = head.pLedger;
  p->row.entry.id = head.id;
  p->row.entry.zSubLedger = a;
  p->row.entry.zContents = a + head.nSub;
  p->row.entry.nContents = head.nContents;
  p->row.entry.zTags = head.nTags < 0 ? NULL : a + head.nSub + head.nContents;
  *piPos = bBack ? iPos : iPos + n + 2 * (i64)sizeof(n);
  *ppRow = &p->row;
  return LEDGER_OK;
}
