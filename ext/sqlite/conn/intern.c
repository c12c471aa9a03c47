/*
** Row numbers of the small writable tables. DELETE and UPDATE hand a virtual
** table the rowid alone: a number that means (table, ledger, key) as long as
** the connection lives.
**
** No request is made here. A number is never used twice. The memory grows with
** the number of different keys that were seen.
*/
#include "sqlite/conn/conn.h"

#include <string.h>

/* What a number stands for. */
typedef struct InternKey InternKey;
struct InternKey {
  const void *pTable; /* its LedgerTableSpec */
  int iSlot;          /* the ledger's slot */
  unsigned iHash;
  char zKey[]; /* with its NUL */
};

struct LedgerIntern {
  int nKey;          /* numbers given, from 1 */
  int nAlloc;        /* of apKey */
  InternKey **apKey; /* by number - 1 */
  int nBucket;       /* a power of 2, at least 2 * nKey */
  int *aiBucket;     /* numbers, 0 where empty; linear probing */
};

static unsigned internHash(const void *pTable, int iSlot, const char *z) {
  unsigned h = 2166136261u ^ (unsigned)(size_t)pTable ^ (unsigned)iSlot;
  for( ; *z; z++ ) h = (h ^ (unsigned char)*z) * 16777619u;
  return h;
}

/* Makes room for one more; buckets are filled anew when they are doubled. */
static int internGrow(LedgerIntern *p) {
  int nNew = p->nAlloc ? p->nAlloc * 2 : 32;
  InternKey **apNew;
  int *aiNew;
  int i;
  if( p->nKey < p->nAlloc ) return SQLITE_OK;
  apNew = sqlite3_realloc64(p->apKey, sizeof(*apNew) * (sqlite3_uint64)nNew);
  if( apNew == NULL ) return SQLITE_NOMEM;
  p->apKey = apNew;
  aiNew = sqlite3_malloc64(sizeof(*aiNew) * 2 * (sqlite3_uint64)nNew);
  if( aiNew == NULL ) return SQLITE_NOMEM;
  memset(aiNew, 0, sizeof(*aiNew) * 2 * (size_t)nNew);
  sqlite3_free(p->aiBucket);
  p->aiBucket = aiNew;
  p->nBucket = 2 * nNew;
  p->nAlloc = nNew;
  for( i = 0; i < p->nKey; i++ ) {
    unsigned h = apNew[i]->iHash;
    while( aiNew[h & (unsigned)(p->nBucket - 1)] ) h++;
    aiNew[h & (unsigned)(p->nBucket - 1)] = i + 1;
  }
  return SQLITE_OK;
}

int ledgerInternRowid(LedgerConn *pConn, const void *pTable, int iSlot,
                      const char *zKey, i64 *piRowid) {
  const size_t n = strlen(zKey);
  LedgerIntern *p = pConn->pIntern;
  InternKey *pNew;
  unsigned h = internHash(pTable, iSlot, zKey);
  unsigned i;
  if( p == NULL ) {
    p = sqlite3_malloc64(sizeof(*p));
    if( p == NULL ) return SQLITE_NOMEM;
    memset(p, 0, sizeof(*p));
    pConn->pIntern = p;
  }
  if( internGrow(p) ) return SQLITE_NOMEM;
  for( i = h;; i++ ) {
    int iKey = p->aiBucket[i & (unsigned)(p->nBucket - 1)];
    const InternKey *pKey = iKey ? p->apKey[iKey - 1] : NULL;
    if( pKey == NULL ) break;
    if( pKey->iHash == h && pKey->pTable == pTable && pKey->iSlot == iSlot &&
        strcmp(pKey->zKey, zKey) == 0 ) {
      *piRowid = iKey;
      return SQLITE_OK;
    }
  }
  pNew = sqlite3_malloc64(sizeof(*pNew) + n + 1);
  if( pNew == NULL ) return SQLITE_NOMEM;
  pNew->pTable = pTable;
  pNew->iSlot = iSlot;
  pNew->iHash = h;
  memcpy(pNew->zKey, zKey, n + 1);
  p->apKey[p->nKey++] = pNew;
  p->aiBucket[i & (unsigned)(p->nBucket - 1)] = p->nKey;
  *piRowid = p->nKey;
  return SQLITE_OK;
}

const char *ledgerInternKey(const LedgerConn *pConn, const void *pTable,
                            i64 iRowid, int *piSlot) {
  const LedgerIntern *p = pConn->pIntern;
  if( p == NULL || iRowid < 1 || iRowid > p->nKey ||
      p->apKey[iRowid - 1]->pTable != pTable ) {
    return NULL;
  }
  *piSlot = p->apKey[iRowid - 1]->iSlot;
  return p->apKey[iRowid - 1]->zKey;
}

void ledgerInternFree(LedgerIntern *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < p->nKey; i++ ) sqlite3_free(p->apKey[i]);
  sqlite3_free(p->apKey);
  sqlite3_free(p->aiBucket);
  sqlite3_free(p);
}
