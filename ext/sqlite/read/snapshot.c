/*
** What the cursors of one statement share: a snapshot per ledger, the entries
** looked up, and the answers kept for the small tables (table/table.c).
**
** Which statement. xFilter isn't told by whom it is run. While a statement is
** prepared it is the first one of sqlite3_next_stmt(), and has no SQL yet: that
** of a trigger's program stands before it, one of a blob handle has none either
** but is busy. xBestIndex gives each a number, behind the NUL of idxStr, where
** EXPLAIN doesn't show it; cursors with one number are of one statement, and
** a run of it ends when they are closed. A number is given twice only where its
** first owner is gone: an address may be used again, and ledgerSnapshotOpen()
** forgets it as soon as anything runs. One that is prepared anew gives up the
** address by itself, and lives: how often that was done is kept, too. Where a
** subquery is begun again SQLite opens its cursor anew and then closes the
** former one: the snapshot is parked for the new one, which is told whose it is
** only by xFilter.
**
** Requests: GET /app/transactions/{id}/status, to know that a bound is
** committed; GET /app/transactions/current, where no state of the ledger is
** known; GET /app/transactions, to look behind a soft range (see below).
**
** The snapshot. Ranges show committed transactions only, and the committed
** head moves while a statement reads. A bound is therefore set by the first
** answer, to the state that its header tells, and no row above it is shown.
** That state may hold transactions not yet committed. One range read upwards
** shows a prefix of the ledger all the same, and costs nothing extra: it is
** "soft". A second range (another sub-ledger, a self join) makes the bound
** firm first: it waits until the bound is committed, and asks whether anything
** appeared in the first range behind the rows shown; if so, the bound moves
** below it. From then on every range shows the same prefix.
*/
#include "sqlite/read/read.h"

#include <string.h>

#define SNAPSHOT_MEMO_MAX 131072 /* lookups remembered; a power of two */

enum {
  SNAPSHOT_NONE,
  SNAPSHOT_SOFT,
  SNAPSHOT_FIRM
};

/* What bounds the snapshot in one ledger. */
typedef struct SnapshotBound SnapshotBound;
struct SnapshotBound {
  SnapshotBound *pNext;
  Ledger *pLedger;    /* counted reference */
  int eState;         /* SNAPSHOT_* */
  LedgerTxid bound;   /* set in SOFT and FIRM */
  const void *pOwner; /* SOFT: the stream that reads */
  int bLast;          /* SOFT: it is answered to its end ... */
  i64 iNext;          /* ... and showed nothing from here on */
  LedgerTxid to;      /* SOFT: its own upper bound */
  char *zSubLedger;   /* SOFT: its range (sqlite3_free) */
  char *zTag;
};

/* One remembered lookup. */
typedef struct SnapshotMemo SnapshotMemo;
struct SnapshotMemo {
  int iSlot;      /* Ledger.iSlot + 1; 0: the place is free */
  unsigned iHash; /* of the sub-ledger's name, 0 for any */
  LedgerTxid id;
  i64 iPos; /* of its row in pSpill; seqno 0: there is no such entry */
};

struct LedgerSnapshot {
  LedgerSnapshot *pNext;  /* LedgerReading.pSnapshot */
  i64 iStatement;         /* whose it is, or 0: shared with nobody */
  int bEnded;             /* nobody joins it any more */
  int nRef;               /* cursors that have joined it */
  LedgerAnswer *pAnswer;  /* answers to the small tables */
  SnapshotBound *pBounds; /* one per ledger read */
  SnapshotMemo *aMemo;    /* open addressing, nMemoAlloc places */
  int nMemo;
  int nMemoAlloc;                    /* a power of two */
  LedgerSpill *pSpill;               /* the rows remembered */
  LedgerAhead *pAhead;               /* what was read ahead ... */
  void (*xAheadFree)(LedgerAhead *); /* ... and its end */
};

/* The number of the statement that is being prepared. */
static i64 snapshotPrepared(LedgerConn *p) {
  sqlite3_stmt *pTop = NULL;
  sqlite3_stmt *pStmt = sqlite3_next_stmt(p->db, NULL);
  i64 nAnew = 0;
  while( pStmt && sqlite3_sql(pStmt) == NULL && !sqlite3_stmt_busy(pStmt) ) {
    pTop = pStmt;
    pStmt = sqlite3_next_stmt(p->db, pStmt);
  }
  for( ; pStmt; pStmt = sqlite3_next_stmt(p->db, pStmt) ) {
    nAnew += sqlite3_stmt_status(pStmt, SQLITE_STMTSTATUS_REPREPARE, 0);
  }
  if( pTop == NULL || pTop != p->reading.pPrepared ||
      nAnew != p->reading.nAnew ) {
    p->reading.iStatement++;
    p->reading.pPrepared = pTop;
    p->reading.nAnew = nAnew;
  }
  return p->reading.iStatement;
}

int ledgerSnapshotPlan(LedgerConn *p, sqlite3_str *pStr,
                       sqlite3_index_info *pInfo) {
  i64 i = snapshotPrepared(p);
  sqlite3_str_append(pStr, "", 1);
  sqlite3_str_append(pStr, (const char *)&i, sizeof(i));
  pInfo->idxStr = sqlite3_str_finish(pStr);
  if( pInfo->idxStr == NULL ) return SQLITE_NOMEM;
  pInfo->needToFreeIdxStr = 1;
  return SQLITE_OK;
}

static void snapshotClearMemo(LedgerSnapshot *p) {
  sqlite3_free(p->aMemo);
  ledgerSpillFree(p->pSpill);
  p->aMemo = NULL;
  p->pSpill = NULL;
  p->nMemo = p->nMemoAlloc = 0;
}

void ledgerSnapshotUnref(LedgerConn *p, LedgerSnapshot *pSnapshot) {
  LedgerSnapshot **pp = &p->reading.pSnapshot;
  if( --pSnapshot->nRef > 0 ) return;
  ledgerProgressEnd(p->pProgress);
  while( *pp && *pp != pSnapshot ) pp = &(*pp)->pNext;
  if( *pp ) *pp = pSnapshot->pNext;
  while( pSnapshot->pBounds ) {
    SnapshotBound *pBound = pSnapshot->pBounds;
    pSnapshot->pBounds = pBound->pNext;
    ledgerUnref(pBound->pLedger);
    sqlite3_free(pBound->zSubLedger);
    sqlite3_free(pBound->zTag);
    sqlite3_free(pBound);
  }
  ledgerAnswersEnd(&pSnapshot->pAnswer);
  if( pSnapshot->pAhead ) pSnapshot->xAheadFree(pSnapshot->pAhead);
  snapshotClearMemo(pSnapshot);
  sqlite3_free(pSnapshot);
}

void ledgerSnapshotOpen(LedgerConn *p, LedgerSnapshot **ppSnapshot) {
  p->reading.pPrepared = NULL;
  p->reading.ppOpened = ppSnapshot;
  p->reading.ppReplay = NULL;
}

void ledgerSnapshotRef(LedgerSnapshot *p) {
  p->nRef++;
}

/* Gives back the snapshot that is parked, if it is parked for that cursor. */
static void snapshotUnpark(LedgerConn *p, LedgerSnapshot **ppSnapshot) {
  LedgerSnapshot *pParked = p->reading.pParked;
  if( pParked == NULL || p->reading.ppParked != ppSnapshot ) return;
  p->reading.pParked = NULL;
  ledgerSnapshotUnref(p, pParked);
}

int ledgerSnapshotJoin(LedgerConn *p, const char *zPlan,
                       LedgerSnapshot **ppSnapshot) {
  LedgerSnapshot *pSnapshot = NULL;
  i64 i = 0;
  if( *ppSnapshot ) return SQLITE_OK;
  p->reading.ppOpened = NULL;
  if( zPlan ) memcpy(&i, zPlan + strlen(zPlan) + 1, sizeof(i));
  if( i ) {
    for( pSnapshot = p->reading.pSnapshot; pSnapshot;
         pSnapshot = pSnapshot->pNext ) {
      if( pSnapshot->iStatement == i && !pSnapshot->bEnded ) break;
    }
  }
  if( pSnapshot == NULL ) {
    pSnapshot = sqlite3_malloc64(sizeof(*pSnapshot));
    if( pSnapshot == NULL ) return SQLITE_NOMEM;
    memset(pSnapshot, 0, sizeof(*pSnapshot));
    pSnapshot->iStatement = i;
    pSnapshot->pNext = p->reading.pSnapshot;
    p->reading.pSnapshot = pSnapshot;
    ledgerProgressBegin(p->pProgress, NULL);
  }
  pSnapshot->nRef++;
  *ppSnapshot = pSnapshot;
  snapshotUnpark(p, ppSnapshot);
  return SQLITE_OK;
}

void ledgerSnapshotLeave(LedgerConn *p, LedgerSnapshot **ppSnapshot) {
  LedgerSnapshot *pSnapshot = *ppSnapshot;
  *ppSnapshot = NULL;
  if( pSnapshot && pSnapshot->nRef == 1 && p->reading.ppOpened ) {
    LedgerSnapshot *pFormer = p->reading.pParked;
    p->reading.pParked = pSnapshot; /* with the reference that it had */
    p->reading.ppParked = p->reading.ppOpened;
    if( pFormer ) ledgerSnapshotUnref(p, pFormer);
  } else if( pSnapshot ) {
    ledgerSnapshotUnref(p, pSnapshot);
  }
  p->reading.ppOpened = NULL;
  snapshotUnpark(p, ppSnapshot);
}

LedgerAnswer **ledgerSnapshotAnswers(LedgerSnapshot *p) {
  return &p->pAnswer;
}

LedgerAhead **ledgerSnapshotAhead(LedgerSnapshot *p,
                                  void (*xFree)(LedgerAhead *)) {
  p->xAheadFree = xFree;
  return &p->pAhead;
}

void ledgerSnapshotEnd(LedgerConn *p) {
  LedgerSnapshot *pSnapshot;
  for( pSnapshot = p->reading.pSnapshot; pSnapshot;
       pSnapshot = pSnapshot->pNext ) {
    pSnapshot->bEnded = 1;
    ledgerAnswersEnd(&pSnapshot->pAnswer); /* they may be different now */
  }
}

static SnapshotBound *snapshotBound(LedgerSnapshot *p, const Ledger *pLedger) {
  SnapshotBound *pBound;
  for( pBound = p->pBounds; pBound; pBound = pBound->pNext ) {
    if( pBound->pLedger == pLedger ) return pBound;
  }
  return NULL;
}

static SnapshotBound *snapshotFindOrAdd(LedgerSnapshot *p, Ledger *pLedger,
                                        LedgerError *pErr) {
  SnapshotBound *pBound = snapshotBound(p, pLedger);
  if( pBound ) return pBound;
  pBound = sqlite3_malloc64(sizeof(*pBound));
  if( pBound == NULL ) {
    ledgerErrorNomem(pErr);
    return NULL;
  }
  memset(pBound, 0, sizeof(*pBound));
  ledgerRef(pLedger);
  pBound->pLedger = pLedger;
  pBound->pNext = p->pBounds;
  p->pBounds = pBound;
  return pBound;
}

LedgerTxid ledgerSnapshotBoundId(LedgerSnapshot *p, const Ledger *pLedger) {
  static const LedgerTxid none = {0, 0};
  SnapshotBound *pBound = snapshotBound(p, pLedger);
  return pBound ? pBound->bound : none;
}

i64 ledgerSnapshotBound(LedgerSnapshot *p, const Ledger *pLedger) {
  LedgerTxid id = ledgerSnapshotBoundId(p, pLedger);
  return id.seqno ? id.seqno : INT64_MAX;
}

int ledgerSnapshotFresh(LedgerSnapshot *p, const Ledger *pLedger) {
  SnapshotBound *pBound = snapshotBound(p, pLedger);
  return pBound == NULL || pBound->eState == SNAPSHOT_NONE;
}

void ledgerSnapshotForget(LedgerSnapshot *p, const Ledger *pLedger,
                          const void *pOwner) {
  SnapshotBound *pBound = snapshotBound(p, pLedger);
  if( pBound && pBound->pOwner == pOwner ) pBound->pOwner = NULL;
}

/* Is this state of the ledger known to be committed? */
static int snapshotIsCommitted(Ledger *pLedger, LedgerTxid id) {
  LedgerFacts facts;
  ledgerClientFacts(pLedger->pClient, &facts);
  return facts.committed.view == id.view && facts.committed.seqno >= id.seqno;
}

int ledgerSnapshotCommitted(LedgerSnapshot *p, Ledger *pLedger) {
  SnapshotBound *pBound = snapshotBound(p, pLedger);
  if( pBound == NULL || pBound->eState == SNAPSHOT_NONE ) return 0;
  return pBound->eState == SNAPSHOT_FIRM ||
         snapshotIsCommitted(pLedger, pBound->bound);
}

LedgerTxid ledgerSnapshotTop(LedgerSnapshot *p, Ledger *pLedger) {
  LedgerFacts facts;
  if( ledgerSnapshotCommitted(p, pLedger) ) {
    return ledgerSnapshotBoundId(p, pLedger);
  }
  ledgerClientFacts(pLedger->pClient, &facts);
  return facts.committed;
}

int ledgerSnapshotAnswered(LedgerSnapshot *p, Ledger *pLedger,
                           const void *pOwner, const LedgerRange *pRange,
                           LedgerTxid head, i64 iNext, int bLast,
                           LedgerError *pErr) {
  SnapshotBound *pBound = snapshotFindOrAdd(p, pLedger, pErr);
  if( pBound == NULL ) return pErr->rc;
  if( pBound->eState == SNAPSHOT_NONE && head.seqno ) {
    pBound->bound = head;
    pBound->eState = SNAPSHOT_FIRM;
    if( snapshotIsCommitted(pLedger, head) ) return LEDGER_OK;
    pBound->eState = SNAPSHOT_SOFT;
    pBound->pOwner = pOwner;
    pBound->to = pRange->to;
    pBound->zSubLedger = sqlite3_mprintf("%s", pRange->zSubLedger);
    if( pRange->zTag ) pBound->zTag = sqlite3_mprintf("%s", pRange->zTag);
    if( pBound->zSubLedger == NULL || (pRange->zTag && pBound->zTag == NULL) ) {
      return ledgerErrorNomem(pErr);
    }
  }
  if( pBound->eState == SNAPSHOT_SOFT && pBound->pOwner == pOwner ) {
    pBound->iNext = iNext;
    pBound->bLast = bLast;
  }
  return LEDGER_OK;
}

/* Asks for a state of the ledger where none is given. */
static int snapshotLearn(Ledger *pLedger, const char *zSubLedger,
                         LedgerTxid *pHead, LedgerError *pErr) {
  LedgerCall *pCall = NULL;
  LedgerEntry entry;
  int bFound = 0;
  int rc = ledgerEntryHeadGet(pLedger->pClient, zSubLedger, &pCall, pErr);
  if( rc == LEDGER_OK ) rc = ledgerCallWait(pCall, pErr);
  if( rc == LEDGER_OK ) rc = ledgerEntryResult(pCall, &bFound, &entry, pErr);
  if( rc == LEDGER_OK ) *pHead = ledgerCallHead(pCall);
  if( rc == LEDGER_OK && pHead->seqno == 0 ) {
    LedgerFacts facts; /* a 404 tells no state; an earlier answer may have */
    ledgerClientFacts(pLedger->pClient, &facts);
    *pHead = facts.head;
  }
  ledgerCallFree(pCall);
  return rc;
}

/* Moves the bound below the first row that a soft range did not show though
** it lies below the bound. */
static int snapshotProbe(SnapshotBound *pBound, LedgerError *pErr) {
  LedgerRange range;
  LedgerPager *pPager = NULL;
  const LedgerPage *pPage = NULL;
  int rc;
  memset(&range, 0, sizeof(range));
  range.zSubLedger = pBound->zSubLedger;
  range.zTag = pBound->zTag;
  range.from.seqno = pBound->iNext;
  range.to = range.wideTo = pBound->bound;
  if( pBound->to.seqno && pBound->to.seqno < range.to.seqno ) {
    range.to = pBound->to;
  }
  if( range.from.seqno > range.to.seqno ) return LEDGER_OK;
  rc = ledgerPagerOpen(pBound->pLedger->pClient, &range, &pPager, pErr);
  while( rc == LEDGER_OK ) {
    rc = ledgerPagerNext(pPager, &pPage, pErr);
    if( rc || pPage == NULL ) break;
    if( pPage->nEntry > 0 ) {
      pBound->bound.seqno = pPage->aEntry[0].id.seqno - 1;
      break;
    }
  }
  ledgerPagerClose(pPager);
  return rc;
}

int ledgerSnapshotFirm(LedgerSnapshot *p, Ledger *pLedger,
                       const char *zSubLedger, LedgerTxid head,
                       LedgerError *pErr) {
  SnapshotBound *pBound = snapshotFindOrAdd(p, pLedger, pErr);
  int nTry, rc = LEDGER_OK, eState = LEDGER_TX_PENDING;

  if( pBound == NULL ) return pErr->rc;
  if( pBound->eState == SNAPSHOT_FIRM ) return LEDGER_OK;
  if( pBound->eState == SNAPSHOT_SOFT ) head = pBound->bound;
  for( nTry = 0; nTry < 3; nTry++ ) {
    if( head.seqno == 0 ) {
      rc = snapshotLearn(pLedger, zSubLedger, &head, pErr);
      if( rc || head.seqno == 0 ) return rc;
    }
    if( snapshotIsCommitted(pLedger, head) ) break;
    rc = ledgerStatusWait(pLedger->pClient, head, &eState, pErr);
    if( rc ) return rc;
    if( eState == LEDGER_TX_COMMITTED ) break;
    head.seqno = 0; /* a change of view took that state back */
  }
  if( nTry == 3 ) {
    return ledgerErrorSet(pErr, LEDGER_BUSY,
                          "the ledger '%s' keeps changing its view",
                          pLedger->zName);
  }
  pBound->bound = head;
  if( pBound->eState == SNAPSHOT_SOFT && pBound->bLast ) {
    rc = snapshotProbe(pBound, pErr);
    if( rc ) return rc;
  }
  pBound->eState = SNAPSHOT_FIRM;
  return LEDGER_OK;
}

/* A hash of a sub-ledger's name; 0 stands for "any". Two names with one hash
** are told apart by the row's own sub-ledger. */
static unsigned snapshotHash(const char *z) {
  unsigned h = 2166136261u;
  if( z == NULL ) return 0;
  for( ; *z; z++ ) h = (h ^ (unsigned char)*z) * 16777619u;
  return h ? h : 1;
}

static SnapshotMemo *snapshotPlace(SnapshotMemo *aMemo, int nAlloc, int iSlot,
                                   unsigned iHash, LedgerTxid id) {
  unsigned i = (unsigned)id.seqno * 2654435761u ^ iHash ^ (unsigned)iSlot << 20;
  for( ;; i++ ) {
    SnapshotMemo *pAt = &aMemo[i & (unsigned)(nAlloc - 1)];
    if( pAt->iSlot == 0 ) return pAt;
    if( pAt->iSlot == iSlot && pAt->iHash == iHash &&
        ledgerTxidCompare(pAt->id, id) == 0 ) {
      return pAt;
    }
  }
}

/* Makes room for one more lookup; forgets all of them when there are too
** many. */
static int snapshotGrow(LedgerSnapshot *p, LedgerError *pErr) {
  SnapshotMemo *aNew;
  int nNew, i;
  if( p->nMemo >= SNAPSHOT_MEMO_MAX / 2 ) snapshotClearMemo(p);
  if( p->pSpill == NULL ) {
    int rc = ledgerSpillNew(LEDGER_SPILL_MEMORY / 2, 1, &p->pSpill, pErr);
    if( rc ) return rc;
  }
  if( p->nMemo * 2 < p->nMemoAlloc ) return LEDGER_OK;
  nNew = p->nMemoAlloc ? p->nMemoAlloc * 2 : 64;
  aNew = sqlite3_malloc64(sizeof(*aNew) * (sqlite3_uint64)nNew);
  if( aNew == NULL ) return ledgerErrorNomem(pErr);
  memset(aNew, 0, sizeof(*aNew) * (size_t)nNew);
  for( i = 0; i < p->nMemoAlloc; i++ ) {
    SnapshotMemo *pOld = &p->aMemo[i];
    if( pOld->iSlot == 0 ) continue;
    *snapshotPlace(aNew, nNew, pOld->iSlot, pOld->iHash, pOld->id) = *pOld;
  }
  sqlite3_free(p->aMemo);
  p->aMemo = aNew;
  p->nMemoAlloc = nNew;
  return LEDGER_OK;
}

int ledgerSnapshotRemember(LedgerSnapshot *p, Ledger *pLedger, LedgerTxid id,
                           const char *zSubLedger, const LedgerEntryRow *pRow,
                           LedgerError *pErr) {
  LedgerEntryRow none;
  SnapshotMemo *pAt;
  int rc = snapshotGrow(p, pErr);
  if( rc ) return rc;
  pAt = snapshotPlace(p->aMemo, p->nMemoAlloc, pLedger->iSlot + 1,
                      snapshotHash(zSubLedger), id);
  if( pAt->iSlot ) return LEDGER_OK;
  if( pRow == NULL ) {
    memset(&none, 0, sizeof(none));
    none.pLedger = pLedger;
    none.entry.zSubLedger = zSubLedger ? zSubLedger : "";
    pRow = &none;
  }
  pAt->iPos = ledgerSpillEnd(p->pSpill);
  rc = ledgerSpillAdd(p->pSpill, pRow, pErr);
  if( rc ) return rc;
  pAt->iSlot = pLedger->iSlot + 1;
  pAt->iHash = snapshotHash(zSubLedger);
  pAt->id = id;
  p->nMemo++;
  return LEDGER_OK;
}

int ledgerSnapshotCopy(const LedgerEntryRow *pFrom, LedgerBuf *pText,
                       LedgerEntryRow *pTo, LedgerError *pErr) {
  const LedgerEntry *pE = &pFrom->entry;
  size_t iContents, iTags;
  ledgerBufReset(pText);
  ledgerBufAppend(pText, pE->zSubLedger, strlen(pE->zSubLedger) + 1);
  iContents = pText->n;
  ledgerBufAppend(pText, pE->zContents, pE->nContents);
  ledgerBufAppend(pText, "", 1);
  iTags = pText->n;
  if( pE->zTags ) ledgerBufAppend(pText, pE->zTags, strlen(pE->zTags) + 1);
  if( pText->bOom ) return ledgerErrorNomem(pErr);
  *pTo = *pFrom;
  pTo->entry.zSubLedger = pText->z;
  pTo->entry.zContents = pText->z + iContents;
  pTo->entry.zTags = pE->zTags ? pText->z + iTags : NULL;
  return LEDGER_OK;
}

int ledgerSnapshotKnows(LedgerSnapshot *p, const Ledger *pLedger, LedgerTxid id,
                        const char *zSubLedger) {
  if( p->aMemo == NULL ) return 0;
  return snapshotPlace(p->aMemo, p->nMemoAlloc, pLedger->iSlot + 1,
                       snapshotHash(zSubLedger), id)
             ->iSlot != 0;
}

int ledgerSnapshotRecall(LedgerSnapshot *p, const Ledger *pLedger,
                         LedgerTxid id, const char *zSubLedger,
                         LedgerBuf *pText, LedgerEntryRow *pRow, int *pbFound,
                         LedgerError *pErr) {
  const LedgerEntryRow *pKnown = NULL;
  i64 iPos;
  *pbFound = 0;
  if( !ledgerSnapshotKnows(p, pLedger, id, zSubLedger) ) return 0;
  iPos = snapshotPlace(p->aMemo, p->nMemoAlloc, pLedger->iSlot + 1,
                       snapshotHash(zSubLedger), id)
             ->iPos;
  if( ledgerSpillRead(p->pSpill, &iPos, 0, &pKnown, pErr) ) return 0;
  if( zSubLedger && strcmp(pKnown->entry.zSubLedger, zSubLedger) != 0 ) {
    return 0; /* another name with the same hash */
  }
  if( pKnown->entry.id.seqno == 0 ) return 1;
  *pbFound = 1;
  return ledgerSnapshotCopy(pKnown, pText, pRow, pErr) == LEDGER_OK;
}
