/*
** What the answers of a ledger have told: its API version, its primary, how far
** it has come and what of it is committed. Issues no request.
**
** Invariant: of a head a higher view outdoes any seqno; what is committed never
** shrinks.
*/
#include "client/call/callInt.h"

#include <stdlib.h>
#include <string.h>

#define KNOWN_ERAS 4096 /* views that are remembered, at most */

/* The api-version that requests carry now. */
const char *ledgerKnownVersion(const LedgerClient *p) {
  if( p->pConfig->zApiVersion ) return p->pConfig->zApiVersion;
  return p->zVersion ? p->zVersion : LEDGER_NEWEST_VERSION;
}

/* Whether the version in use has all of mNeed; LEDGER_OK until it is known. */
int ledgerKnownNeeds(const LedgerClient *p, unsigned mNeed, LedgerError *pErr) {
  if( !p->bAnswered && p->pConfig->zApiVersion == NULL ) return LEDGER_OK;
  return ledgerDialectNeed(p->pDialect, ledgerKnownVersion(p), mNeed, pErr);
}

/* Keeps the version that was negotiated. */
int ledgerKnownSetVersion(LedgerClient *p, const char *zVersion,
                          LedgerError *pErr) {
  char *z = ledgerStrdup(zVersion);
  if( z == NULL ) return ledgerErrorNomem(pErr);
  free(p->zVersion);
  p->zVersion = z;
  p->pDialect = ledgerDialectFind(z);
  return LEDGER_OK;
}

/* An answer showed this state of a node. */
void ledgerKnownHead(LedgerClient *p, LedgerTxid id) {
  if( id.seqno == 0 ) return;
  if( id.view > p->iViewMax ) p->iViewMax = id.view;
  if( id.view > p->head.view ||
      (id.view == p->head.view && id.seqno > p->head.seqno) ) {
    p->head = id;
  }
}

/* Remembers of which view a committed seqno is. Where memory is short it isn't:
** then it is asked for. */
static void knownEra(LedgerClient *p, LedgerTxid id) {
  LedgerEra *pEra;
  int i = p->nEra;
  while( i > 0 && p->aEra[i - 1].iView > id.view ) i--;
  if( i > 0 && p->aEra[i - 1].iView == id.view ) {
    pEra = &p->aEra[i - 1];
    if( id.seqno < pEra->iLow ) pEra->iLow = id.seqno;
    if( id.seqno > pEra->iHigh ) pEra->iHigh = id.seqno;
    return;
  }
  if( p->nEra == KNOWN_ERAS ) return;
  if( p->nEra == p->nEraAlloc ) {
    int nNew = p->nEraAlloc ? p->nEraAlloc * 2 : 4;
    pEra = realloc(p->aEra, sizeof(*pEra) * (size_t)nNew);
    if( pEra == NULL ) return;
    p->aEra = pEra;
    p->nEraAlloc = nNew;
  }
  pEra = &p->aEra[i];
  memmove(pEra + 1, pEra, sizeof(*pEra) * (size_t)(p->nEra - i));
  pEra->iView = id.view;
  pEra->iLow = pEra->iHigh = id.seqno;
  p->nEra++;
}

/* The view of a committed seqno, or 0 while it isn't known. Eras that meet say
** that an answer told a view that is not the entry's: then none is known. */
int64_t ledgerKnownView(const LedgerClient *p, int64_t iSeqno) {
  int64_t iView = 0;
  int i;
  for( i = p->nEra - 1; i >= 0; i-- ) {
    const LedgerEra *pEra = &p->aEra[i];
    if( iSeqno < pEra->iLow || iSeqno > pEra->iHigh ) continue;
    if( iView ) return 0;
    iView = pEra->iView;
  }
  return iView;
}

/* The highest id below a seqno that is known to be committed, or {0,0}. */
LedgerTxid ledgerKnownBelow(const LedgerClient *p, int64_t iSeqno) {
  LedgerTxid id = {0, 0};
  int i;
  for( i = 0; i < p->nEra; i++ ) {
    const LedgerEra *pEra = &p->aEra[i];
    int64_t iHigh = pEra->iHigh < iSeqno ? pEra->iHigh : iSeqno - 1;
    if( pEra->iLow >= iSeqno || iHigh <= id.seqno ) continue;
    id.view = pEra->iView;
    id.seqno = iHigh;
  }
  return id;
}

/* An answer showed that this id is committed, and with it all ids of its view
** before it. */
void ledgerKnownCommitted(LedgerClient *p, LedgerTxid id) {
  LedgerTxid own = p->sent;
  if( id.seqno == 0 ) return;
  if( id.view > p->iViewMax ) p->iViewMax = id.view;
  if( id.seqno > p->committed.seqno ) p->committed = id;
  knownEra(p, id);
  if( id.seqno <= own.seqno ) {
    own = id;
  } else if( id.view != own.view ) {
    return;
  }
  if( own.seqno > p->appended.seqno ) p->appended = own;
}

/* Forgets version, primary and views, as at the start. */
void ledgerKnownReset(LedgerClient *p) {
  free(p->zVersion);
  p->zVersion = NULL;
  p->pDialect = ledgerDialectFind(ledgerKnownVersion(p));
  free(p->zPrimary);
  p->zPrimary = NULL;
  free(p->aEra);
  p->aEra = NULL;
  p->nEra = p->nEraAlloc = 0;
  p->bAnswered = 0;
}
