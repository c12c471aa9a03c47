/*
** The data file's pages, each with a sum that is checked when it is read; and
** what became of every sync.
**
** No route, no SQL. A VFS of SQLite's ("ledger-pages") that stands before the
** system's. SQLite leaves the last 8 bytes of each page free (its header says
** so: byte 20 is 8); what is written to the file gets a sum there, over its
** other bytes and its number. So a page that a disk has spoiled, lost or put
** in another's place is refused, whatever it holds: entries, an index that
** says where they are, users, keys.
**
** Invariants
**   - whether a file has sums is settled when it is opened: a new one has, an
**     older one whose header leaves no room has none, for as long as it is
**     open;
**   - a page that fails, or can't be read, is SQLITE_CORRUPT: SQLite then
**     commits nothing of the transaction that met it (emuStoreLost());
**   - a sync that failed is never tried again: the system may have dropped what
**     it could not write, and would say that all is well. (One that a signal
**     interrupted has not failed.)
*/
#include "emulator/store/storeInt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 65536 /* bytes of SQLite's largest page */

/* A file: this, and behind it the system's. */
typedef struct PagesFile PagesFile;
struct PagesFile {
  sqlite3_file base;    /* must be first */
  int bSums;            /* its pages have sums */
  int nPage;            /* bytes of a page, as page 1 has; 0: not known yet */
  unsigned char *aCopy; /* of a page that is written; NULL: no sums */
};

static sqlite3_vfs *pPagesSystem; /* the system's */
static int64_t iPagesDamaged;     /* the page that failed last, or 0 */
static int iPagesRead;            /* ... errno of its read, or 0 */
static int iPagesSync;            /* errno of the sync that failed, or 0 */
static int iPagesWrite;           /* errno of the write that failed last */

int emuPagesWrong(char *z, size_t n) {
  int64_t i = iPagesDamaged;
  iPagesDamaged = 0;
  if( i == 0 ) return 0;
  if( iPagesRead ) {
    snprintf(z, n, "page %lld cannot be read: %s", (long long)i,
             ledgerSystemError(iPagesRead));
  } else {
    snprintf(z, n, "page %lld is not what was written", (long long)i);
  }
  return 1;
}

int emuPagesUnsynced(void) {
  return iPagesSync;
}

int emuPagesUnwritten(void) {
  return iPagesWrite;
}

static sqlite3_file *pagesUnder(sqlite3_file *p) {
  return (sqlite3_file *)&((PagesFile *)p)[1];
}

/* ---- sums -------------------------------------------------------------- */

/* The sum over a page of n bytes. Each step can be undone, so that two pages
** that differ in 8 bytes in a row never have the same one. */
static uint64_t pagesSum(const unsigned char *a, int n, int64_t iPage) {
  uint64_t h = (uint64_t)iPage * 0x9e3779b97f4a7c15u, v;
  int i;
  for( i = 0; i < n - EMU_PAGE_SUM; i += 8 ) {
    memcpy(&v, a + i, 8);
    h = (h ^ v) * 0x9fb21c651e98df25u;
    h ^= h >> 32;
  }
  return h;
}

/* The number of the page that is read or written, or 0: it is not a whole one.
*/
static int64_t pagesNumber(const PagesFile *p, int n, sqlite3_int64 iAt) {
  if( !p->bSums || n < 512 || n > PAGES_MAX || (n & (n - 1)) || iAt % n ) {
    return 0;
  }
  if( p->nPage && n != p->nPage ) return 0;
  return iAt / n + 1;
}

/* Settles whether a database has sums. */
static int pagesLook(PagesFile *p) {
  sqlite3_file *pUnder = pagesUnder(&p->base);
  unsigned char a[100];
  sqlite3_int64 n;
  int rc = pUnder->pMethods->xFileSize(pUnder, &n);
  if( rc == SQLITE_OK && n >= (int)sizeof(a) ) {
    rc = pUnder->pMethods->xRead(pUnder, a, sizeof(a), 0);
  }
  if( rc != SQLITE_OK ) return rc;
  p->bSums = n >= (int)sizeof(a) ? a[20] == EMU_PAGE_SUM : n == 0;
  if( p->bSums ) {
    p->aCopy = malloc(PAGES_MAX);
    if( p->aCopy == NULL ) return SQLITE_NOMEM;
  }
  return SQLITE_OK;
}

/* ---- a file ------------------------------------------------------------ */

static int pagesClose(sqlite3_file *pFile) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  free(((PagesFile *)pFile)->aCopy);
  return pUnder->pMethods->xClose(pUnder);
}

static int pagesRead(sqlite3_file *pFile, void *a, int n, sqlite3_int64 iAt) {
  PagesFile *p = (PagesFile *)pFile;
  sqlite3_file *pUnder = pagesUnder(pFile);
  int64_t iPage = pagesNumber(p, n, iAt);
  uint64_t sum;
  int rc;
  if( iPage == 1 ) p->nPage = n;
  /* From 3.45 on SQLite reads a part of an overflow page past its cache: that
  ** has no sum, its page has. (Of page 1 it reads parts before it knows more.)
  */
  if( iPage == 0 && p->nPage && iAt >= p->nPage &&
      iAt % p->nPage + n <= p->nPage ) {
    const int iPart = (int)(iAt % p->nPage);
    rc = pagesRead(pFile, p->aCopy, p->nPage, iAt - iPart);
    if( rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ ) {
      memcpy(a, p->aCopy + iPart, (size_t)n);
    }
    return rc;
  }
  errno = 0;
  rc = pUnder->pMethods->xRead(pUnder, a, n, iAt);
  if( iPage == 0 || rc == SQLITE_IOERR_SHORT_READ ) return rc;
  iPagesRead = rc == SQLITE_OK ? 0 : errno ? errno : EIO;
  memcpy(&sum, (unsigned char *)a + n - EMU_PAGE_SUM, EMU_PAGE_SUM);
  if( rc == SQLITE_OK && sum == pagesSum(a, n, iPage) ) return SQLITE_OK;
  iPagesDamaged = iPage;
  return SQLITE_CORRUPT;
}

static int pagesWrite(sqlite3_file *pFile, const void *a, int n,
                      sqlite3_int64 iAt) {
  PagesFile *p = (PagesFile *)pFile;
  sqlite3_file *pUnder = pagesUnder(pFile);
  int64_t iPage = pagesNumber(p, n, iAt);
  uint64_t sum;
  int rc;
  if( iPage ) {
    if( iPage == 1 ) p->nPage = n;
    sum = pagesSum(a, n, iPage);
    memcpy(p->aCopy, a, (size_t)(n - EMU_PAGE_SUM));
    memcpy(p->aCopy + n - EMU_PAGE_SUM, &sum, EMU_PAGE_SUM);
    a = p->aCopy;
  }
  rc = pUnder->pMethods->xWrite(pUnder, a, n, iAt);
  if( rc != SQLITE_OK ) iPagesWrite = errno;
  return rc;
}

static int pagesSync(sqlite3_file *pFile, int flags) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  int rc;
  do {
    errno = 0;
    rc = pUnder->pMethods->xSync(pUnder, flags);
  } while( rc != SQLITE_OK && errno == EINTR );
  if( rc != SQLITE_OK && iPagesSync == 0 ) iPagesSync = errno ? errno : EIO;
  return rc;
}

static int pagesTruncate(sqlite3_file *pFile, sqlite3_int64 n) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  return pUnder->pMethods->xTruncate(pUnder, n);
}
static int pagesSize(sqlite3_file *pFile, sqlite3_int64 *pn) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  return pUnder->pMethods->xFileSize(pUnder, pn);
}
static int pagesLock(sqlite3_file *pFile, int eLock) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  return pUnder->pMethods->xLock(pUnder, eLock);
}
static int pagesUnlock(sqlite3_file *pFile, int eLock) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  return pUnder->pMethods->xUnlock(pUnder, eLock);
}
static int pagesReserved(sqlite3_file *pFile, int *pb) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  return pUnder->pMethods->xCheckReservedLock(pUnder, pb);
}
static int pagesControl(sqlite3_file *pFile, int eOp, void *pArg) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  return pUnder->pMethods->xFileControl(pUnder, eOp, pArg);
}
static int pagesSector(sqlite3_file *pFile) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  return pUnder->pMethods->xSectorSize(pUnder);
}
static int pagesDevice(sqlite3_file *pFile) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  return pUnder->pMethods->xDeviceCharacteristics(pUnder);
}
static int pagesShmMap(sqlite3_file *pFile, int i, int n, int b,
                       void volatile **pp) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  return pUnder->pMethods->xShmMap(pUnder, i, n, b, pp);
}
static int pagesShmLock(sqlite3_file *pFile, int i, int n, int flags) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  return pUnder->pMethods->xShmLock(pUnder, i, n, flags);
}
static void pagesShmBarrier(sqlite3_file *pFile) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  pUnder->pMethods->xShmBarrier(pUnder);
}
static int pagesShmUnmap(sqlite3_file *pFile, int bDelete) {
  sqlite3_file *pUnder = pagesUnder(pFile);
  return pUnder->pMethods->xShmUnmap(pUnder, bDelete);
}

/* Version 2: no page is read through a map of memory, past the check. */
static const sqlite3_io_methods pagesMethods = {2,
                                                pagesClose,
                                                pagesRead,
                                                pagesWrite,
                                                pagesTruncate,
                                                pagesSync,
                                                pagesSize,
                                                pagesLock,
                                                pagesUnlock,
                                                pagesReserved,
                                                pagesControl,
                                                pagesSector,
                                                pagesDevice,
                                                pagesShmMap,
                                                pagesShmLock,
                                                pagesShmBarrier,
                                                pagesShmUnmap,
                                                NULL,
                                                NULL};

/* ---- the VFS ----------------------------------------------------------- */

static int pagesOpen(sqlite3_vfs *pVfs, const char *zName, sqlite3_file *pFile,
                     int flags, int *pFlags) {
  PagesFile *p = (PagesFile *)pFile;
  sqlite3_file *pUnder = pagesUnder(pFile);
  int rc;
  (void)pVfs;
  memset(p, 0, sizeof(*p));
  rc = pPagesSystem->xOpen(pPagesSystem, zName, pUnder, flags, pFlags);
  if( pUnder->pMethods == NULL ) return rc;
  p->base.pMethods = &pagesMethods; /* so that it is closed */
  if( rc == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) ) rc = pagesLook(p);
  return rc;
}

static int pagesDelete(sqlite3_vfs *pVfs, const char *zName, int bSync) {
  int rc;
  (void)pVfs;
  rc = pPagesSystem->xDelete(pPagesSystem, zName, bSync);
  if( rc == SQLITE_IOERR_DIR_FSYNC && iPagesSync == 0 ) {
    iPagesSync = errno ? errno : EIO;
  }
  return rc;
}

int emuPagesRegister(void) {
  static sqlite3_vfs vfs;
  if( pPagesSystem ) return SQLITE_OK;
  pPagesSystem = sqlite3_vfs_find(NULL);
  if( pPagesSystem == NULL ) return SQLITE_ERROR;
  vfs = *pPagesSystem; /* whose other methods need no more than its own data */
  vfs.pNext = NULL;
  vfs.zName = EMU_PAGES_VFS;
  vfs.szOsFile = (int)sizeof(PagesFile) + pPagesSystem->szOsFile;
  vfs.xOpen = pagesOpen;
  vfs.xDelete = pagesDelete;
  return sqlite3_vfs_register(&vfs, 0);
}
