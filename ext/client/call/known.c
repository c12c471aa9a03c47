/*
** What the answers of a ledger have told: its API version, its primary, how far
** it has come and what of it is committed. Issues no request.
**
** Invariant: of a head a higher view outdoes any seqno; what is committed never
** shrinks.
*/
#include "client/call/callInt.h"

#include <stdlib.h>

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

/* An answer showed that this id is committed, and with it all ids of its view
** before it. */
void ledgerKnownCommitted(LedgerClient *p, LedgerTxid id) {
  LedgerTxid own = p->sent;
  if( id.seqno == 0 ) return;
  if( id.view > p->iViewMax ) p->iViewMax = id.view;
  if( id.seqno > p->committed.seqno ) p->committed = id;
  if( id.seqno <= own.seqno ) {
    own = id;
  } else if( id.view != own.view ) {
    return;
  }
  if( own.seqno > p->appended.seqno ) p->appended = own;
}

/* Forgets version and primary, as at the start. */
void ledgerKnownReset(LedgerClient *p) {
  free(p->zVersion);
  p->zVersion = NULL;
  p->pDialect = ledgerDialectFind(ledgerKnownVersion(p));
  free(p->zPrimary);
  p->zPrimary = NULL;
  p->bAnswered = 0;
}
