/*
** The replay buffer: the rows that one cursor has read, for the scans that
** SQLite repeats. SQLite never builds an index on a virtual table, so the
** inner table of a LEFT JOIN is scanned again for each outer row; the ledger is
** asked only once. A subquery that is begun again for each outer row has a new
** cursor each time, opened just before the former one is closed: this one hands
** its buffer over, with a reference to the snapshot, and xFilter takes it where
** it is the same statement that goes on.
**
** Where the rows come from is a LedgerEntrySource: entries (scan.c), or what an
** audit found of them (table/audit.c).
**
** Invariants: a recording holds the rows of one query, from its first on. The
** first scan of a query is recorded in memory only, and given up when it grows
** above REPLAY_FIRST; a second scan of the same query is recorded in full
** (memory, then a file). Complete recordings are kept while they fit into
** LEDGER_SPILL_MEMORY together, at most REPLAY_KEPT of them.
*/
#include "sqlite/read/read.h"

#include <string.h>

#define REPLAY_FIRST (4 * 1024 * 1024)
#define REPLAY_KEPT 16

typedef struct ReplayTape ReplayTape;
struct ReplayTape {
  char *zKey; /* of the query (sqlite3_free) */
  LedgerSpill *pSpill;
};

struct LedgerReplay {
  const LedgerEntrySource *pSource; /* where live rows come from */
  LedgerSnapshot *pSnapshot;        /* borrowed from the cursor */
  LedgerConn *pConn;                /* borrowed */
  int bHanded;                      /* handed over: pSnapshot is a reference */
  char *zKey;                       /* of the query being read (sqlite3_free) */
  void *pLive;         /* its live rows, or NULL when it is read to its end */
  LedgerSpill *pSpill; /* its recording, or NULL */
  i64 iPos;            /* where it is read next */
  char *zOverflow;     /* key of a query whose recording was given up */
  int nTape;           /* complete recordings of other queries, oldest first */
  ReplayTape aTape[REPLAY_KEPT];
};

static void replayFree(LedgerReplay *p);

int ledgerReplayEnter(LedgerConn *pConn, const char *zPlan,
                      const LedgerEntrySource *pSource,
                      LedgerSnapshot **ppSnapshot, LedgerReplay **ppReplay) {
  LedgerReplay *p;
  int rc = ledgerSnapshotJoin(pConn, zPlan, ppSnapshot);
  p = *ppReplay;
  if( rc == SQLITE_OK && p && p->bHanded ) {
    if( p->pSnapshot == *ppSnapshot && p->pSource == pSource ) {
      p->bHanded = 0;
      ledgerSnapshotUnref(pConn, p->pSnapshot);
    } else { /* another statement's, or from before a write */
      *ppReplay = NULL;
      replayFree(p);
    }
  }
  if( rc || *ppReplay ) return rc;
  p = sqlite3_malloc64(sizeof(*p));
  if( p == NULL ) return SQLITE_NOMEM;
  memset(p, 0, sizeof(*p));
  p->pConn = pConn;
  p->pSnapshot = *ppSnapshot;
  p->pSource = pSource;
  *ppReplay = p;
  return SQLITE_OK;
}

static void replayDrop(LedgerReplay *p, int i) {
  sqlite3_free(p->aTape[i].zKey);
  ledgerSpillFree(p->aTape[i].pSpill);
  p->nTape--;
  memmove(&p->aTape[i], &p->aTape[i + 1],
          sizeof(p->aTape[0]) * (size_t)(p->nTape - i));
}

static void replayFree(LedgerReplay *p) {
  if( p == NULL ) return;
  while( p->nTape > 0 ) replayDrop(p, p->nTape - 1);
  p->pSource->xClose(p->pLive);
  ledgerSpillFree(p->pSpill);
  if( p->bHanded ) ledgerSnapshotUnref(p->pConn, p->pSnapshot);
  sqlite3_free(p->zKey);
  sqlite3_free(p->zOverflow);
  sqlite3_free(p);
}

void ledgerReplayOffer(LedgerConn *pConn, LedgerReplay **ppReplay) {
  pConn->reading.ppReplay = ppReplay;
}

void ledgerReplayLeave(LedgerConn *pConn, LedgerReplay **ppReplay) {
  LedgerReplay *p = *ppReplay;
  LedgerReplay **ppNew =
      pConn->reading.ppOpened ? pConn->reading.ppReplay : NULL;
  *ppReplay = NULL;
  pConn->reading.ppReplay = NULL;
  if( p == NULL || ppNew == NULL || ppNew == ppReplay || *ppNew ) {
    replayFree(p);
    return;
  }
  if( !p->bHanded ) ledgerSnapshotRef(p->pSnapshot);
  p->bHanded = 1;
  *ppNew = p;
}

/* Puts the query being read aside: keeps its recording if it is complete. */
static void replayPutAside(LedgerReplay *p) {
  i64 nByte;
  int i;
  if( p->zKey && p->pSpill && p->pLive == NULL ) {
    nByte = ledgerSpillEnd(p->pSpill);
    for( i = 0; i < p->nTape; i++ ) nByte += ledgerSpillEnd(p->aTape[i].pSpill);
    while( p->nTape > 0 &&
           (p->nTape == REPLAY_KEPT || nByte > LEDGER_SPILL_MEMORY) ) {
      nByte -= ledgerSpillEnd(p->aTape[0].pSpill);
      replayDrop(p, 0);
    }
    p->aTape[p->nTape].zKey = p->zKey;
    p->aTape[p->nTape].pSpill = p->pSpill;
    p->nTape++;
  } else {
    sqlite3_free(p->zKey);
    ledgerSpillFree(p->pSpill);
  }
  p->pSource->xClose(p->pLive);
  p->zKey = NULL;
  p->pSpill = NULL;
  p->pLive = NULL;
}

int ledgerReplayOpen(LedgerReplay *p, int bEnv, LedgerQuery *pQuery,
                     LedgerError *pErr) {
  char *zKey = ledgerQueryKey(pQuery);
  int bSpill, i, rc;

  p->iPos = 0;
  if( zKey == NULL ) {
    ledgerQueryClear(pQuery);
    return ledgerErrorNomem(pErr);
  }
  if( p->zKey && p->pSpill && strcmp(p->zKey, zKey) == 0 ) {
    sqlite3_free(zKey); /* from its first row again; the scan may go on */
    ledgerQueryClear(pQuery);
    return LEDGER_OK;
  }
  replayPutAside(p);
  p->zKey = zKey;
  for( i = 0; i < p->nTape; i++ ) {
    if( strcmp(p->aTape[i].zKey, zKey) != 0 ) continue;
    p->pSpill = p->aTape[i].pSpill;
    p->aTape[i].pSpill = NULL;
    replayDrop(p, i);
    ledgerQueryClear(pQuery);
    return LEDGER_OK;
  }
  bSpill = p->zOverflow && strcmp(p->zOverflow, zKey) == 0;
  if( !pQuery->bIds || p->pSource->bIds ) {
    rc = ledgerSpillNew(bSpill ? LEDGER_SPILL_MEMORY : REPLAY_FIRST, bSpill,
                        &p->pSpill, pErr);
    if( rc ) {
      ledgerQueryClear(pQuery);
      return rc;
    }
  }
  return p->pSource->xOpen(p->pSnapshot, p->pConn, bEnv, pQuery, &p->pLive,
                           pErr);
}

int ledgerReplayNext(LedgerReplay *p, const LedgerEntryRow **ppRow,
                     LedgerError *pErr) {
  int rc;
  *ppRow = NULL;
  if( p->pSpill && p->iPos < ledgerSpillEnd(p->pSpill) ) {
    return ledgerSpillRead(p->pSpill, &p->iPos, 0, ppRow, pErr);
  }
  if( p->pLive == NULL ) return LEDGER_OK;
  rc = p->pSource->xNext(p->pLive, ppRow, pErr);
  if( rc ) return rc;
  if( *ppRow == NULL ) {
    p->pSource->xClose(p->pLive);
    p->pLive = NULL;
    return LEDGER_OK;
  }
  if( p->pSpill ) {
    rc = ledgerSpillAdd(p->pSpill, *ppRow, pErr);
    p->iPos = ledgerSpillEnd(p->pSpill);
    if( rc == LEDGER_OK && ledgerSpillFull(p->pSpill) ) {
      ledgerSpillFree(p->pSpill);
      p->pSpill = NULL;
      sqlite3_free(p->zOverflow);
      p->zOverflow = sqlite3_mprintf("%s", p->zKey);
      if( p->zOverflow == NULL ) rc = ledgerErrorNomem(pErr);
    }
  }
  return rc;
}
