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
** first owner is gone: an address may be used again, and ledgerScopeOpen()
** forgets it as soon as anything runs. One that is prepared anew gives up the
** address by itself, and lives: how often that was done is kept, too. Where a
** subquery is begun again SQLite opens its cursor anew and then closes the
** former one: the scope is parked for the new one, which is told whose it is
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

#define SCOPE_MEMO_MAX 131072 /* lookups remembered; a power of two */

enum {
  SNAPSHOT_NONE,
  SNAPSHOT_SOFT,
  SNAPSHOT_FIRM
};

/* The snapshot of one ledger. */
typedef struct ScopeSnapshot ScopeSnapshot;
struct ScopeSnapshot {
  ScopeSnapshot *pNext;
  Ledger *pLedger;    /* counted reference */
  int eState;         /* SNAPSHOT_* */
  LedgerTxid bound;   /* set in SOFT and FIRM */
  const void *pOwner; /* SOFT: the lane that reads */
  int bLast;          /* SOFT: it is answered to its end ... */
  i64 iNext;          /* ... and showed nothing from here on */
  LedgerTxid to;      /* SOFT: its own upper bound */
  char *zSubLedger;   /* SOFT: its range (sqlite3_free) */
  char *zTag;
};

/* One remembered lookup. */
typedef struct ScopeMemo ScopeMemo;
struct ScopeMemo {
  int iSlot;      /* Ledger.iSlot + 1; 0: the place is free */
  unsigned iHash; /* of the sub-ledger's name, 0 for any */
  LedgerTxid id;
  i64 iPos; /* of its row in pRows; one with seqno 0 says that there
                   ** is no such entry */
};

struct LedgerScope {
  LedgerScope *pNext;       /* LedgerReading.pScope */
  i64 iStatement;           /* whose it is, or 0: shared with nobody */
  int bEnded;               /* nobody joins it any more */
  int nRef;                 /* cursors that have joined it */
  LedgerAnswer *pAnswer;    /* answers to the small tables */
  ScopeSnapshot *pSnapshot; /* one per ledger read */
  ScopeMemo *aMemo;         /* open addressing, nMemoAlloc places */
  int nMemo;
  int nMemoAlloc;    /* a power of two */
  LedgerRows *pRows; /* the rows remembered */
};

/* The number of the statement that is being prepared. */
static i64 scopePrepared(LedgerDb *p) {
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

int ledgerScopePlan(LedgerDb *p, sqlite3_str *pStr, sqlite3_index_info *pInfo) {
  i64 i = scopePrepared(p);
  sqlite3_str_append(pStr, "", 1);
  sqlite3_str_append(pStr, (const char *)&i, sizeof(i));
  pInfo->idxStr = sqlite3_str_finish(pStr);
  if( pInfo->idxStr == NULL ) return SQLITE_NOMEM;
  pInfo->needToFreeIdxStr = 1;
  return SQLITE_OK;
}

static void scopeClearMemo(LedgerScope *p) {
  sqlite3_free(p->aMemo);
  ledgerRowsFree(p->pRows);
  p->aMemo = NULL;
  p->pRows = NULL;
  p->nMemo = p->nMemoAlloc = 0;
}

static void scopeUnref(LedgerDb *p, LedgerScope *pScope) {
  LedgerScope **pp = &p->reading.pScope;
  if( --pScope->nRef > 0 ) return;
  while( *pp && *pp != pScope ) pp = &(*pp)->pNext;
  if( *pp ) *pp = pScope->pNext;
  while( pScope->pSnapshot ) {
    ScopeSnapshot *pSnap = pScope->pSnapshot;
    pScope->pSnapshot = pSnap->pNext;
    ledgerUnref(pSnap->pLedger);
    sqlite3_free(pSnap->zSubLedger);
    sqlite3_free(pSnap->zTag);
    sqlite3_free(pSnap);
  }
  ledgerAnswersEnd(&pScope->pAnswer);
  scopeClearMemo(pScope);
  sqlite3_free(pScope);
}

void ledgerScopeOpen(LedgerDb *p, LedgerScope **ppScope) {
  p->reading.pPrepared = NULL;
  p->reading.ppOpened = ppScope;
  p->reading.ppReplay = NULL;
}

void ledgerScopeRef(LedgerScope *p) {
  p->nRef++;
}

void ledgerScopeUnref(LedgerDb *p, LedgerScope *pScope) {
  scopeUnref(p, pScope);
}

/* Gives back the scope that is parked, if it is parked for that cursor. */
static void scopeUnpark(LedgerDb *p, LedgerScope **ppScope) {
  LedgerScope *pParked = p->reading.pParked;
  if( pParked == NULL || p->reading.ppParked != ppScope ) return;
  p->reading.pParked = NULL;
  scopeUnref(p, pParked);
}

int ledgerScopeJoin(LedgerDb *p, const char *zPlan, LedgerScope **ppScope) {
  LedgerScope *pScope = NULL;
  i64 i = 0;
  if( *ppScope ) return SQLITE_OK;
  p->reading.ppOpened = NULL;
  if( zPlan ) memcpy(&i, zPlan + strlen(zPlan) + 1, sizeof(i));
  if( i ) {
    for( pScope = p->reading.pScope; pScope; pScope = pScope->pNext ) {
      if( pScope->iStatement == i && !pScope->bEnded ) break;
    }
  }
  if( pScope == NULL ) {
    pScope = sqlite3_malloc64(sizeof(*pScope));
    if( pScope == NULL ) return SQLITE_NOMEM;
    memset(pScope, 0, sizeof(*pScope));
    pScope->iStatement = i;
    pScope->pNext = p->reading.pScope;
    p->reading.pScope = pScope;
  }
  pScope->nRef++;
  *ppScope = pScope;
  scopeUnpark(p, ppScope);
  return SQLITE_OK;
}

void ledgerScopeLeave(LedgerDb *p, LedgerScope **ppScope) {
  LedgerScope *pScope = *ppScope;
  *ppScope = NULL;
  if( pScope && pScope->nRef == 1 && p->reading.ppOpened ) {
    LedgerScope *pFormer = p->reading.pParked;
    p->reading.pParked = pScope; /* with the reference that it had */
    p->reading.ppParked = p->reading.ppOpened;
    if( pFormer ) scopeUnref(p, pFormer);
  } else if( pScope ) {
    scopeUnref(p, pScope);
  }
  p->reading.ppOpened = NULL;
  scopeUnpark(p, ppScope);
}

LedgerAnswer **ledgerScopeAnswers(LedgerScope *p) {
  return &p->pAnswer;
}

void ledgerScopeEnd(LedgerDb *p) {
  LedgerScope *pScope;
  for( pScope = p->reading.pScope; pScope; pScope = pScope->pNext ) {
    pScope->bEnded = 1;
    ledgerAnswersEnd(&pScope->pAnswer); /* the answers may be different now */
  }
}

static ScopeSnapshot *scopeFind(LedgerScope *p, const Ledger *pLedger) {
  ScopeSnapshot *pSnap;
  for( pSnap = p->pSnapshot; pSnap; pSnap = pSnap->pNext ) {
    if( pSnap->pLedger == pLedger ) return pSnap;
  }
  return NULL;
}

static ScopeSnapshot *scopeFindOrAdd(LedgerScope *p, Ledger *pLedger,
                                     LedgerError *pErr) {
  ScopeSnapshot *pSnap = scopeFind(p, pLedger);
  if( pSnap ) return pSnap;
  pSnap = sqlite3_malloc64(sizeof(*pSnap));
  if( pSnap == NULL ) {
    ledgerErrorNomem(pErr);
    return NULL;
  }
  memset(pSnap, 0, sizeof(*pSnap));
  ledgerRef(pLedger);
  pSnap->pLedger = pLedger;
  pSnap->pNext = p->pSnapshot;
  p->pSnapshot = pSnap;
  return pSnap;
}

LedgerTxid ledgerScopeBoundId(LedgerScope *p, const Ledger *pLedger) {
  static const LedgerTxid none = {0, 0};
  ScopeSnapshot *pSnap = scopeFind(p, pLedger);
  return pSnap ? pSnap->bound : none;
}

i64 ledgerScopeBound(LedgerScope *p, const Ledger *pLedger) {
  LedgerTxid id = ledgerScopeBoundId(p, pLedger);
  return id.seqno ? id.seqno : INT64_MAX;
}

int ledgerScopeFresh(LedgerScope *p, const Ledger *pLedger) {
  ScopeSnapshot *pSnap = scopeFind(p, pLedger);
  return pSnap == NULL || pSnap->eState == SNAPSHOT_NONE;
}

void ledgerScopeForget(LedgerScope *p, const Ledger *pLedger,
                       const void *pOwner) {
  ScopeSnapshot *pSnap = scopeFind(p, pLedger);
  if( pSnap && pSnap->pOwner == pOwner ) pSnap->pOwner = NULL;
}

/* Is this state of the ledger known to be committed? */
static int scopeIsCommitted(Ledger *pLedger, LedgerTxid id) {
  LedgerFacts facts;
  ledgerClientFacts(pLedger->pClient, &facts);
  return facts.committed.view == id.view && facts.committed.seqno >= id.seqno;
}

int ledgerScopeAnswered(LedgerScope *p, Ledger *pLedger, const void *pOwner,
                        const LedgerRange *pRange, LedgerTxid head, i64 iNext,
                        int bLast, LedgerError *pErr) {
  ScopeSnapshot *pSnap = scopeFindOrAdd(p, pLedger, pErr);
  if( pSnap == NULL ) return pErr->rc;
  if( pSnap->eState == SNAPSHOT_NONE && head.seqno ) {
    pSnap->bound = head;
    pSnap->eState = SNAPSHOT_FIRM;
    if( scopeIsCommitted(pLedger, head) ) return LEDGER_OK;
    pSnap->eState = SNAPSHOT_SOFT;
    pSnap->pOwner = pOwner;
    pSnap->to = pRange->to;
    pSnap->zSubLedger = sqlite3_mprintf("%s", pRange->zSubLedger);
    if( pRange->zTag ) pSnap->zTag = sqlite3_mprintf("%s", pRange->zTag);
    if( pSnap->zSubLedger == NULL || (pRange->zTag && pSnap->zTag == NULL) ) {
      return ledgerErrorNomem(pErr);
    }
  }
  if( pSnap->eState == SNAPSHOT_SOFT && pSnap->pOwner == pOwner ) {
    pSnap->iNext = iNext;
    pSnap->bLast = bLast;
  }
  return LEDGER_OK;
}

/* Asks for a state of the ledger where none is given. */
static int scopeLearn(Ledger *pLedger, const char *zSubLedger,
                      LedgerTxid *pHead, LedgerError *pErr) {
  LedgerCall *pCall = NULL;
  LedgerEntry entry;
  int bFound = 0;
  int rc = ledgerHeadGet(pLedger->pClient, zSubLedger, &pCall, pErr);
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
static int scopeProbe(ScopeSnapshot *pSnap, LedgerError *pErr) {
  LedgerRange range;
  LedgerPager *pPager = NULL;
  const LedgerPage *pPage = NULL;
  int rc;
  memset(&range, 0, sizeof(range));
  range.zSubLedger = pSnap->zSubLedger;
  range.zTag = pSnap->zTag;
  range.from.seqno = pSnap->iNext;
  range.to = pSnap->bound;
  if( pSnap->to.seqno && pSnap->to.seqno < range.to.seqno ) {
    range.to = pSnap->to;
  }
  if( range.from.seqno > range.to.seqno ) return LEDGER_OK;
  rc = ledgerPagerOpen(pSnap->pLedger->pClient, &range, &pPager, pErr);
  while( rc == LEDGER_OK ) {
    rc = ledgerPagerNext(pPager, &pPage, pErr);
    if( rc || pPage == NULL ) break;
    if( pPage->nEntry > 0 ) {
      pSnap->bound.seqno = pPage->aEntry[0].id.seqno - 1;
      break;
    }
  }
  ledgerPagerClose(pPager);
  return rc;
}

int ledgerScopeFirm(LedgerScope *p, Ledger *pLedger, const char *zSubLedger,
                    LedgerTxid head, LedgerError *pErr) {
  ScopeSnapshot *pSnap = scopeFindOrAdd(p, pLedger, pErr);
  int nTry, rc = LEDGER_OK, eState = LEDGER_TX_PENDING;

  if( pSnap == NULL ) return pErr->rc;
  if( pSnap->eState == SNAPSHOT_FIRM ) return LEDGER_OK;
  if( pSnap->eState == SNAPSHOT_SOFT ) head = pSnap->bound;
  for( nTry = 0; nTry < 3; nTry++ ) {
    if( head.seqno == 0 ) {
      rc = scopeLearn(pLedger, zSubLedger, &head, pErr);
      if( rc || head.seqno == 0 ) return rc;
    }
    if( scopeIsCommitted(pLedger, head) ) break;
    rc = ledgerStatusWait(pLedger->pClient, head, &eState, pErr);
    if( rc ) return rc;
    if( eState == LEDGER_TX_COMMITTED ) break;
    head.seqno = 0; /* a change of view took that state back */
  }
  if( nTry == 3 ) {
    return ledgerErrorSet(pErr, LEDGER_BUSY,
                          "the ledger '%s' changes its view again and again",
                          pLedger->zName);
  }
  pSnap->bound = head;
  if( pSnap->eState == SNAPSHOT_SOFT && pSnap->bLast ) {
    rc = scopeProbe(pSnap, pErr);
    if( rc ) return rc;
  }
  pSnap->eState = SNAPSHOT_FIRM;
  return LEDGER_OK;
}

/* A hash of a sub-ledger's name; 0 stands for "any". Two names with one hash
** are told apart by the row's own sub-ledger. */
static unsigned scopeHash(const char *z) {
  unsigned h = 2166136261u;
  if( z == NULL ) return 0;
  for( ; *z; z++ ) h = (h ^ (unsigned char)*z) * 16777619u;
  return h ? h : 1;
}

static ScopeMemo *scopePlace(ScopeMemo *aMemo, int nAlloc, int iSlot,
                             unsigned iHash, LedgerTxid id) {
  unsigned i = (unsigned)id.seqno * 2654435761u ^ iHash ^ (unsigned)iSlot << 20;
  for( ;; i++ ) {
    ScopeMemo *pAt = &aMemo[i & (unsigned)(nAlloc - 1)];
    if( pAt->iSlot == 0 ) return pAt;
    if( pAt->iSlot == iSlot && pAt->iHash == iHash &&
        ledgerTxidCompare(pAt->id, id) == 0 ) {
      return pAt;
    }
  }
}

/* Makes room for one more lookup; forgets all of them when there are too
** many. */
static int scopeGrow(LedgerScope *p, LedgerError *pErr) {
  ScopeMemo *aNew;
  int nNew, i;
  if( p->nMemo >= SCOPE_MEMO_MAX / 2 ) scopeClearMemo(p);
  if( p->pRows == NULL ) {
    int rc = ledgerRowsNew(LEDGER_ROWS_MEMORY / 2, 1, &p->pRows, pErr);
    if( rc ) return rc;
  }
  if( p->nMemo * 2 < p->nMemoAlloc ) return LEDGER_OK;
  nNew = p->nMemoAlloc ? p->nMemoAlloc * 2 : 64;
  aNew = sqlite3_malloc64(sizeof(*aNew) * (sqlite3_uint64)nNew);
  if( aNew == NULL ) return ledgerErrorNomem(pErr);
  memset(aNew, 0, sizeof(*aNew) * (size_t)nNew);
  for( i = 0; i < p->nMemoAlloc; i++ ) {
    ScopeMemo *pOld = &p->aMemo[i];
    if( pOld->iSlot == 0 ) continue;
    *scopePlace(aNew, nNew, pOld->iSlot, pOld->iHash, pOld->id) = *pOld;
  }
  sqlite3_free(p->aMemo);
  p->aMemo = aNew;
  p->nMemoAlloc = nNew;
  return LEDGER_OK;
}

int ledgerScopeRemember(LedgerScope *p, Ledger *pLedger, LedgerTxid id,
                        const char *zSubLedger, const LedgerRow *pRow,
                        LedgerError *pErr) {
  LedgerRow none;
  ScopeMemo *pAt;
  int rc = scopeGrow(p, pErr);
  if( rc ) return rc;
  pAt = scopePlace(p->aMemo, p->nMemoAlloc, pLedger->iSlot + 1,
                   scopeHash(zSubLedger), id);
  if( pAt->iSlot ) return LEDGER_OK;
  if( pRow == NULL ) {
    memset(&none, 0, sizeof(none));
    none.pLedger = pLedger;
    none.entry.zSubLedger = zSubLedger ? zSubLedger : "";
    pRow = &none;
  }
  pAt->iPos = ledgerRowsEnd(p->pRows);
  rc = ledgerRowsAdd(p->pRows, pRow, pErr);
  if( rc ) return rc;
  pAt->iSlot = pLedger->iSlot + 1;
  pAt->iHash = scopeHash(zSubLedger);
  pAt->id = id;
  p->nMemo++;
  return LEDGER_OK;
}

/* Copies a row with its texts, which *pText then holds. */
static int scopeCopy(const LedgerRow *pFrom, LedgerBuf *pText, LedgerRow *pTo,
                     LedgerError *pErr) {
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

int ledgerScopeKnows(LedgerScope *p, const Ledger *pLedger, LedgerTxid id,
                     const char *zSubLedger) {
  if( p->aMemo == NULL ) return 0;
  return scopePlace(p->aMemo, p->nMemoAlloc, pLedger->iSlot + 1,
                    scopeHash(zSubLedger), id)
             ->iSlot != 0;
}

int ledgerScopeRecall(LedgerScope *p, const Ledger *pLedger, LedgerTxid id,
                      const char *zSubLedger, LedgerBuf *pText, LedgerRow *pRow,
                      int *pbFound, LedgerError *pErr) {
  const LedgerRow *pKnown = NULL;
  i64 iPos;
  *pbFound = 0;
  if( !ledgerScopeKnows(p, pLedger, id, zSubLedger) ) return 0;
  iPos = scopePlace(p->aMemo, p->nMemoAlloc, pLedger->iSlot + 1,
                    scopeHash(zSubLedger), id)
             ->iPos;
  if( ledgerRowsRead(p->pRows, &iPos, 0, &pKnown, pErr) ) return 0;
  if( zSubLedger && strcmp(pKnown->entry.zSubLedger, zSubLedger) != 0 ) {
    return 0; /* another name with the same hash */
  }
  if( pKnown->entry.id.seqno == 0 ) return 1;
  *pbFound = 1;
  return scopeCopy(pKnown, pText, pRow, pErr) == LEDGER_OK;
}
