/*
** Spans: from one seqno to another, all entries of a sub-ledger.
**
** A span is a row: its ends, and its entries in one BLOB with a checksum. Spans
** of a sub-ledger never overlap; what lies between two is not known. Short ones
** that meet are joined. Where the file holds more than cache_max_bytes, the
** spans that were written first go.
**
** An entry in the BLOB: seqno, view (8 bytes each, the least first), the
** lengths of contents and tags (4 bytes each; ffffffff: no tags), then both,
** each with a NUL.
**
** Requests: none.
*/
#include "sqlite/history/pastInt.h"

#include <string.h>

#define SPAN_BYTES (32 * 1024) /* of a span's entries, about */
#define SPAN_HEAD 24           /* of an entry, before its texts */
#define SPAN_NONE 0xffffffffu  /* no tags */

static void spanPut(unsigned char *a, sqlite3_uint64 v, int n) {
  int i;
  for( i = 0; i < n; i++ ) a[i] = (unsigned char)(v >> (8 * i));
}

static sqlite3_uint64 spanGet(const unsigned char *a, int n) {
  sqlite3_uint64 v = 0;
  int i;
  for( i = 0; i < n; i++ ) v |= (sqlite3_uint64)a[i] << (8 * i);
  return v;
}

void ledgerPastEnd(LedgerPastPage *p) {
  ledgerBufFree(&p->text);
  sqlite3_free(p->zSubLedger);
  sqlite3_free(p->aEntry);
  memset(p, 0, sizeof(*p));
}

/* Reads the entries of a BLOB, which pPage->text holds. 0: it is no good. */
static int spanDecode(LedgerPastPage *p, int nEntry) {
  const unsigned char *a = (const unsigned char *)p->text.z;
  size_t n = p->text.n;
  i64 iLast = p->iLow - 1;
  p->nEntry = 0;
  if( nEntry < 0 || (size_t)nEntry > n / SPAN_HEAD ) return 0;
  if( nEntry > p->nAlloc ) {
    LedgerEntry *aNew =
        sqlite3_realloc64(p->aEntry, sizeof(*aNew) * (sqlite3_uint64)nEntry);
    if( aNew == NULL ) return 0;
    p->aEntry = aNew;
    p->nAlloc = nEntry;
  }
  while( n >= SPAN_HEAD && p->nEntry < nEntry ) {
    LedgerEntry *pE = &p->aEntry[p->nEntry];
    const size_t nContents = (size_t)spanGet(a + 16, 4);
    const sqlite3_uint64 iTags = spanGet(a + 20, 4);
    const size_t nTags = iTags == SPAN_NONE ? 0 : (size_t)iTags;
    if( nContents + nTags + 2 > n - SPAN_HEAD ) return 0;
    memset(pE, 0, sizeof(*pE));
    pE->id.seqno = (i64)spanGet(a, 8);
    pE->id.view = (i64)spanGet(a + 8, 8);
    pE->zContents = (const char *)a + SPAN_HEAD;
    pE->nContents = nContents;
    if( iTags != SPAN_NONE ) pE->zTags = pE->zContents + nContents + 1;
    if( pE->id.seqno <= iLast || pE->id.seqno > p->iHigh ) return 0;
    iLast = pE->id.seqno;
    a += SPAN_HEAD + nContents + nTags + 2;
    n -= SPAN_HEAD + nContents + nTags + 2;
    p->nEntry++;
  }
  return n == 0 && p->nEntry == nEntry;
}

/* A sub-ledger, as a reader sees it. Numbers may change hands where a file is
** emptied: each checksum is over reader and name, too. */
typedef struct SpanSub SpanSub;
struct SpanSub {
  i64 iSub;  /* its number; 0: it has none */
  i64 iSeed; /* of the checksums of its spans */
};

static i64 spanSeed(const unsigned char *aOwner, const char *zSubLedger) {
  const size_t n = strlen(zSubLedger);
  const i64 i = ledgerPastDigest((i64)n, ledgerPastDigest(0, 0, aOwner, 32),
                                 zSubLedger, n);
  return i ? i : 1;
}

/* Finds a sub-ledger, or makes it; returns its number. */
static i64 spanSub(LedgerPast *p, const unsigned char *aOwner,
                   const char *zSubLedger, int bNew, SpanSub *pSub) {
  sqlite3_stmt *pStmt = ledgerPastStmt(p, PAST_SUB);
  i64 iSub = 0;
  int rc;
  pSub->iSub = 0;
  pSub->iSeed = spanSeed(aOwner, zSubLedger);
  if( pStmt == NULL ) return 0;
  sqlite3_bind_blob(pStmt, 1, aOwner, 32, SQLITE_TRANSIENT);
  sqlite3_bind_text(pStmt, 2, zSubLedger, -1, SQLITE_TRANSIENT);
  if( sqlite3_step(pStmt) == SQLITE_ROW ) iSub = sqlite3_column_int64(pStmt, 0);
  rc = sqlite3_reset(pStmt);
  if( iSub || rc || !bNew ) {
    ledgerPastFailed(p, rc);
    return pSub->iSub = rc ? 0 : iSub;
  }
  pStmt = ledgerPastStmt(p, PAST_SUB_NEW);
  if( pStmt == NULL ) return 0;
  sqlite3_bind_blob(pStmt, 1, aOwner, 32, SQLITE_TRANSIENT);
  sqlite3_bind_text(pStmt, 2, zSubLedger, -1, SQLITE_TRANSIENT);
  sqlite3_step(pStmt);
  rc = sqlite3_reset(pStmt);
  ledgerPastFailed(p, rc);
  return pSub->iSub = rc ? 0 : sqlite3_last_insert_rowid(p->db);
}

/* The checksum of a span of a sub-ledger. */
static i64 spanDigest(const SpanSub *pSub, i64 iLow, i64 iHigh,
                      const LedgerBuf *pBuf) {
  return ledgerPastDigest(iLow ^ pSub->iSeed, iHigh, pBuf->z, pBuf->n);
}

/* The span that holds iFrom, into *pPage; *pn is its number. 0: there is none,
** up to pPage->iHigh, as PAST_BEHIND or PAST_GAP says (-1: nobody asks). */
static int spanAt(LedgerPast *p, int iBehind, const SpanSub *pSub,
                  const char *zSubLedger, i64 iFrom, LedgerPastPage *pPage,
                  i64 *pn) {
  sqlite3_stmt *pStmt = ledgerPastStmt(p, PAST_AT);
  int bFound = 0, bBad = 0, i, rc;
  i64 iHigh = INT64_MAX;
  *pn = 0;
  pPage->nEntry = 0;
  pPage->iHigh = iHigh;
  if( pStmt == NULL ) return 0;
  sqlite3_bind_int64(pStmt, 1, pSub->iSub);
  sqlite3_bind_int64(pStmt, 2, iFrom);
  if( sqlite3_step(pStmt) == SQLITE_ROW &&
      sqlite3_column_int64(pStmt, 1) >= iFrom ) {
    const void *z = sqlite3_column_blob(pStmt, 4);
    const size_t n = (size_t)sqlite3_column_bytes(pStmt, 4);
    pPage->iLow = sqlite3_column_int64(pStmt, 0);
    pPage->iHigh = sqlite3_column_int64(pStmt, 1);
    *pn = sqlite3_column_int64(pStmt, 5);
    ledgerBufReset(&pPage->text);
    ledgerBufAppend(&pPage->text, z ? z : "", n);
    bFound = !pPage->text.bOom &&
             spanDigest(pSub, pPage->iLow, pPage->iHigh, &pPage->text) ==
                 sqlite3_column_int64(pStmt, 3) &&
             spanDecode(pPage, sqlite3_column_int(pStmt, 2));
    bBad = !bFound;
  }
  rc = sqlite3_reset(pStmt);
  if( rc ) {
    ledgerPastFailed(p, rc);
    bFound = 0;
  }
  if( bFound ) {
    for( i = 0; i < pPage->nEntry; i++ ) {
      pPage->aEntry[i].zSubLedger = zSubLedger;
    }
    return 1;
  }
  pPage->nEntry = 0;
  if( bBad ) ledgerPastRun(p, PAST_DROP, *pn); /* it is read anew */
  pStmt = iBehind >= 0 ? ledgerPastStmt(p, iBehind) : NULL;
  if( pStmt ) {
    sqlite3_bind_int64(pStmt, 1, pSub->iSub);
    sqlite3_bind_int64(pStmt, 2, iFrom);
    if( sqlite3_step(pStmt) == SQLITE_ROW &&
        sqlite3_column_type(pStmt, 0) != SQLITE_NULL ) {
      iHigh = sqlite3_column_int64(pStmt, 0) - 1;
    }
    ledgerPastFailed(p, sqlite3_reset(pStmt));
  }
  pPage->iHigh = iHigh < iFrom ? INT64_MAX : iHigh;
  return 0;
}

/* Counts a read of a sub-ledger's spans, for ledger_cache. */
static void spanHit(LedgerPast *p, i64 iSub) {
  struct LedgerPastHit *aNew;
  int i;
  for( i = 0; i < p->nHit && p->aHit[i].iSub != iSub; i++ ) continue;
  if( i == p->nHit ) {
    aNew = sqlite3_realloc64(p->aHit, sizeof(*aNew) * (sqlite3_uint64)(i + 1));
    if( aNew == NULL ) return;
    p->aHit = aNew;
    aNew[i].iSub = iSub;
    aNew[i].n = 0;
    p->nHit++;
  }
  p->aHit[i].n++;
}

/* As ledgerPastRead(); *pbNew: it wasn't in pPage already. */
static int spanRead(Ledger *pLedger, int iBehind, const char *zSubLedger,
                    i64 iFrom, LedgerPastPage *pPage, int *pbNew) {
  unsigned char aOwner[32];
  LedgerPast *p = ledgerPastOpen(pLedger, aOwner);
  SpanSub sub;
  i64 n;
  /* Committed entries of a reader's never change: those at hand are good. */
  *pbNew = 0;
  if( p && pPage->iSeed && pPage->iSeed == spanSeed(aOwner, zSubLedger) &&
      pPage->iLow <= iFrom && iFrom <= pPage->iHigh ) {
    return 1;
  }
  *pbNew = 1;
  pPage->iSeed = 0;
  pPage->nEntry = 0;
  pPage->iHigh = INT64_MAX;
  if( p == NULL || !spanSub(p, aOwner, zSubLedger, 0, &sub) ||
      !spanAt(p, iBehind, &sub, zSubLedger, iFrom, pPage, &n) ) {
    return 0;
  }
  pPage->iSeed = sub.iSeed;
  spanHit(p, sub.iSub);
  if( pPage->nEntry ) { /* tells the views of what is to be asked for */
    ledgerClientCommitted(pLedger->pClient, pPage->aEntry[0].id);
    ledgerClientCommitted(pLedger->pClient,
                          pPage->aEntry[pPage->nEntry - 1].id);
  }
  return 1;
}

int ledgerPastRead(Ledger *pLedger, const char *zSubLedger, i64 iFrom,
                   LedgerPastPage *pPage) {
  int bNew;
  pPage->iSeed = 0; /* its rows may have been taken out of order */
  return spanRead(pLedger, PAST_GAP, zSubLedger, iFrom, pPage, &bNew);
}

int ledgerPastFind(Ledger *pLedger, const char *zSubLedger, LedgerTxid id,
                   LedgerPastPage *pPage, const LedgerEntry **ppEntry) {
  int iLow = 0, iHigh, bNew;
  *ppEntry = NULL;
  if( !spanRead(pLedger, -1, zSubLedger, id.seqno, pPage, &bNew) ) return 0;
  iHigh = pPage->nEntry;
  while( iLow < iHigh ) {
    const int i = (iLow + iHigh) / 2;
    if( pPage->aEntry[i].id.seqno < id.seqno ) {
      iLow = i + 1;
    } else {
      iHigh = i;
    }
  }
  if( iLow < pPage->nEntry &&
      ledgerTxidCompare(pPage->aEntry[iLow].id, id) == 0 ) {
    *ppEntry = &pPage->aEntry[iLow];
    /* Neighbours come from what is at hand: they don't fill ledger_http. */
    if( bNew ) ledgerPastTold(pLedger, zSubLedger, NULL, id, id);
  }
  return 1;
}

/* The sub-ledger behind z, by name, of which a seqno is known (sqlite3_free);
** NULL: none. */
static char *spanBehind(Ledger *pLedger, const char *z, i64 iSeqno) {
  unsigned char aOwner[32];
  LedgerPast *p = ledgerPastOpen(pLedger, aOwner);
  sqlite3_stmt *pStmt = p ? ledgerPastStmt(p, PAST_SUB_AT) : NULL;
  char *zNext = NULL;
  if( pStmt == NULL ) return NULL;
  sqlite3_bind_blob(pStmt, 1, aOwner, 32, SQLITE_TRANSIENT);
  sqlite3_bind_text(pStmt, 2, z, -1, SQLITE_TRANSIENT);
  sqlite3_bind_int64(pStmt, 3, iSeqno);
  if( sqlite3_step(pStmt) == SQLITE_ROW ) {
    zNext = sqlite3_mprintf("%s", sqlite3_column_text(pStmt, 0));
  }
  ledgerPastFailed(p, sqlite3_reset(pStmt));
  return zNext;
}

int ledgerPastFindAny(Ledger *pLedger, LedgerTxid id, LedgerPastPage *pPage,
                      const LedgerEntry **ppEntry) {
  char *zAt = spanBehind(pLedger, "", id.seqno);
  *ppEntry = NULL;
  while( zAt ) {
    /* The entries at hand are told by the name that stands there. */
    if( pPage->zSubLedger && strcmp(pPage->zSubLedger, zAt) == 0 ) {
      sqlite3_free(zAt);
      zAt = pPage->zSubLedger;
    } else {
      sqlite3_free(pPage->zSubLedger);
      pPage->zSubLedger = zAt;
    }
    ledgerPastFind(pLedger, zAt, id, pPage, ppEntry);
    if( *ppEntry ) return 1;
    zAt = spanBehind(pLedger, zAt, id.seqno);
  }
  return 0;
}

void ledgerPastTold(Ledger *pLedger, const char *zSubLedger, const char *zTag,
                    LedgerTxid from, LedgerTxid to) {
  LedgerBuf rest = {0};
  char zId[LEDGER_TXID_MAX];
  ledgerBufText(&rest, "/app/transactions");
  if( ledgerTxidCompare(from, to) == 0 ) {
    ledgerBufPrintf(&rest, "/%s", ledgerTxidFormat(from, zId));
  }
  ledgerBufText(&rest, "?collectionId=");
  ledgerBufUrl(&rest, zSubLedger, strlen(zSubLedger));
  if( ledgerTxidCompare(from, to) != 0 ) {
    ledgerBufPrintf(&rest, "&fromTransactionId=%s",
                    ledgerTxidFormat(from, zId));
    ledgerBufPrintf(&rest, "&toTransactionId=%s", ledgerTxidFormat(to, zId));
  }
  if( zTag ) {
    ledgerBufText(&rest, "&tag=");
    ledgerBufUrl(&rest, zTag, strlen(zTag));
  }
  if( !rest.bOom ) ledgerClientRemembered(pLedger->pClient, rest.z);
  ledgerBufFree(&rest);
}

/* ---- writing ------------------------------------------------------------- */

static void spanEncode(LedgerBuf *pBuf, const LedgerEntry *pE) {
  const size_t nTags = pE->zTags ? strlen(pE->zTags) : 0;
  unsigned char a[SPAN_HEAD];
  spanPut(a, (sqlite3_uint64)pE->id.seqno, 8);
  spanPut(a + 8, (sqlite3_uint64)pE->id.view, 8);
  spanPut(a + 16, pE->nContents, 4);
  spanPut(a + 20, pE->zTags ? nTags : SPAN_NONE, 4);
  ledgerBufAppend(pBuf, a, SPAN_HEAD);
  ledgerBufAppend(pBuf, pE->zContents, pE->nContents);
  ledgerBufAppend(pBuf, "", 1);
  if( pE->zTags ) ledgerBufAppend(pBuf, pE->zTags, nTags);
  ledgerBufAppend(pBuf, "", 1);
}

static int spanInsert(LedgerPast *p, const SpanSub *pSub, i64 iLow, i64 iHigh,
                      int nEntry, const LedgerBuf *pBuf) {
  sqlite3_stmt *pStmt = ledgerPastStmt(p, PAST_ADD);
  /* Where the file was damaged it is emptied by now, and numbers are void. */
  if( p->db == NULL || sqlite3_get_autocommit(p->db) ) return SQLITE_ABORT;
  if( pStmt == NULL || pBuf->bOom ) return SQLITE_NOMEM;
  sqlite3_bind_int64(pStmt, 1, pSub->iSub);
  sqlite3_bind_int64(pStmt, 2, iLow);
  sqlite3_bind_int64(pStmt, 3, iHigh);
  sqlite3_bind_int(pStmt, 4, nEntry);
  sqlite3_bind_int64(pStmt, 5, spanDigest(pSub, iLow, iHigh, pBuf));
  sqlite3_bind_blob64(pStmt, 6, pBuf->z ? pBuf->z : "", pBuf->n,
                      SQLITE_TRANSIENT);
  sqlite3_step(pStmt);
  return sqlite3_reset(pStmt);
}

/* Writes [iLow, iHigh], of which nothing is known, joined with a short span
** that ends before it. */
static int spanFill(LedgerPast *p, const SpanSub *pSub, i64 iLow, i64 iHigh,
                    const LedgerEntry *aEntry, int nEntry) {
  LedgerPastPage before = {0};
  LedgerBuf buf = {0};
  i64 iStart = iLow, n = 0;
  int i, nHeld = 0, rc = SQLITE_OK;
  if( iLow > 1 && spanAt(p, PAST_BEHIND, pSub, "", iLow - 1, &before, &n) &&
      before.text.n < SPAN_BYTES / 2 ) {
    rc = ledgerPastRun(p, PAST_DROP, n);
    iStart = before.iLow;
    nHeld = before.nEntry;
    ledgerBufAppend(&buf, before.text.z ? before.text.z : "", before.text.n);
  }
  for( i = 0; i < nEntry && rc == SQLITE_OK; i++ ) {
    if( aEntry[i].id.seqno < iLow ) continue;
    if( aEntry[i].id.seqno > iHigh ) break;
    spanEncode(&buf, &aEntry[i]);
    nHeld++;
    if( buf.n < SPAN_BYTES ) continue;
    rc = spanInsert(p, pSub, iStart, aEntry[i].id.seqno, nHeld, &buf);
    iStart = aEntry[i].id.seqno + 1;
    nHeld = 0;
    ledgerBufReset(&buf);
  }
  if( rc == SQLITE_OK && iStart <= iHigh ) {
    rc = spanInsert(p, pSub, iStart, iHigh, nHeld, &buf);
  }
  ledgerBufFree(&buf);
  ledgerPastEnd(&before);
  return rc;
}

void ledgerPastAdd(Ledger *pLedger, const unsigned char aOwner[32],
                   const char *zSubLedger, i64 iLow, i64 iHigh,
                   const LedgerEntry *aEntry, int nEntry) {
  LedgerPast *p;
  LedgerPastPage page = {0};
  SpanSub sub;
  i64 iAt = iLow, n;
  int rc;
  if( iLow > iHigh || !ledgerPastWrite(pLedger, aOwner, &p) ) return;
  rc = spanSub(p, aOwner, zSubLedger, 1, &sub) ? SQLITE_OK : SQLITE_ERROR;
  while( rc == SQLITE_OK && iAt <= iHigh ) {
    if( !spanAt(p, PAST_BEHIND, &sub, "", iAt, &page, &n) ) {
      const i64 iTo = page.iHigh < iHigh ? page.iHigh : iHigh;
      rc = spanFill(p, &sub, iAt, iTo, aEntry, nEntry);
      page.iHigh = iTo;
    }
    iAt = page.iHigh + 1;
  }
  ledgerPastWritten(pLedger, p, rc);
  ledgerPastEnd(&page);
}

/* Gives what is known of the sub-ledgers to x; intervals that meet are one. */
static int spanList(LedgerPast *p, const unsigned char aOwner[32],
                    int (*x)(void *pArg, const LedgerPastInterval *p,
                             LedgerError *pErr),
                    void *pArg, LedgerError *pErr) {
  sqlite3_stmt *pStmt = ledgerPastStmt(p, PAST_LIST);
  LedgerPastInterval at = {0};
  char *zName = NULL;
  i64 iSub = 0;
  int i, bRow = 1;
  if( pStmt == NULL ) return LEDGER_OK;
  sqlite3_bind_blob(pStmt, 1, aOwner, 32, SQLITE_TRANSIENT);
  while( bRow && pErr->rc == LEDGER_OK ) {
    bRow = sqlite3_step(pStmt) == SQLITE_ROW;
    if( bRow && sqlite3_column_int64(pStmt, 5) == iSub &&
        sqlite3_column_int64(pStmt, 1) == at.iHigh + 1 ) {
      at.iHigh = sqlite3_column_int64(pStmt, 2);
      at.nEntry += sqlite3_column_int64(pStmt, 3);
      at.nByte += sqlite3_column_int64(pStmt, 4);
      continue;
    }
    if( iSub ) x(pArg, &at, pErr);
    if( !bRow ) break;
    iSub = sqlite3_column_int64(pStmt, 5);
    sqlite3_free(zName);
    zName = sqlite3_mprintf("%s", sqlite3_column_text(pStmt, 0));
    if( zName == NULL ) ledgerErrorNomem(pErr);
    at.zSubLedger = zName;
    at.iLow = sqlite3_column_int64(pStmt, 1);
    at.iHigh = sqlite3_column_int64(pStmt, 2);
    at.nEntry = sqlite3_column_int64(pStmt, 3);
    at.nByte = sqlite3_column_int64(pStmt, 4);
    at.nHit = 0;
    for( i = 0; i < p->nHit; i++ ) {
      if( p->aHit[i].iSub == iSub ) at.nHit = p->aHit[i].n;
    }
  }
  sqlite3_free(zName);
  ledgerPastFailed(p, sqlite3_reset(pStmt));
  return pErr->rc;
}

int ledgerPastList(Ledger *pLedger,
                   int (*x)(void *pArg, const LedgerPastInterval *p,
                            LedgerError *pErr),
                   void *pArg, LedgerError *pErr) {
  unsigned char aOwner[32];
  LedgerPast *p = ledgerPastOpen(pLedger, aOwner);
  LedgerPastInterval at = {0};
  sqlite3_stmt *pStmt;
  if( p == NULL || spanList(p, aOwner, x, pArg, pErr) ) return pErr->rc;
  pStmt = ledgerPastStmt(p, PAST_ANSWERS);
  if( pStmt == NULL ) return LEDGER_OK;
  sqlite3_bind_blob(pStmt, 1, aOwner, 32, SQLITE_TRANSIENT);
  if( sqlite3_step(pStmt) == SQLITE_ROW ) {
    at.nEntry = sqlite3_column_int64(pStmt, 0);
    at.nByte = sqlite3_column_int64(pStmt, 1);
  }
  ledgerPastFailed(p, sqlite3_reset(pStmt));
  at.nHit = p->nAnswerHit;
  return at.nEntry ? x(pArg, &at, pErr) : LEDGER_OK;
}
