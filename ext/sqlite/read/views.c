/*
** Of which view a committed seqno is, where no answer has told it by the way.
**
** Requests: GET /app/transactions/{view}.{seqno}/status. One of the right view
** is Committed, which is remembered where it is read (client/call/known.c); the
** others are Invalid, and fail for all that matters here.
**
** A bound on the wire has to be the id of a transaction, view and seqno. Views
** rise with seqnos and change rarely: what is known on both sides of a seqno
** tells its view, and one answer far away tells those of all seqnos between.
*/
#include "sqlite/read/read.h"

#define VIEWS_TRIED 4 /* views that a seqno is tried with */
#define VIEWS_FAR 3   /* seqnos further away: 8, 64 and 512 steps */

int ledgerViewsAsk(Ledger *pLedger, i64 iSeqno, i64 iStep, LedgerTxid top,
                   LedgerWindow *pCalls, LedgerError *pErr) {
  LedgerClient *pClient = pLedger->pClient;
  const LedgerTxid below = ledgerClientBelow(pClient, iSeqno);
  const int bUp = iStep > 0 && below.view > 0 && below.view <= top.view;
  LedgerTxid ask = {bUp ? below.view : top.view, iSeqno};
  const LedgerTxid first = ask;
  int i;
  if( pCalls->nPlace == 0 &&
      ledgerWindowOpen(pCalls, VIEWS_TRIED + VIEWS_FAR, 1, pErr) ) {
    return pErr->rc;
  }
  for( i = 0; i < VIEWS_TRIED && pErr->rc == LEDGER_OK; i++ ) {
    if( ask.view > top.view || ask.view < below.view || ask.view < 1 ) break;
    ledgerWindowAdd(pCalls);
    ledgerStatusGet(pClient, ask, &pCalls->apCall[pCalls->nUsed - 1], pErr);
    ask.view += bUp ? 1 : -1;
  }
  ask = first;
  for( i = 0; i < VIEWS_FAR && pErr->rc == LEDGER_OK; i++ ) {
    if( iStep > INT64_MAX / 16 || iStep < -(INT64_MAX / 16) ) break;
    iStep *= 8;
    ask.seqno = iSeqno + iStep;
    if( ask.seqno < 1 || ask.seqno >= top.seqno ||
        ledgerClientView(pClient, ask.seqno) ) {
      break;
    }
    ledgerWindowAdd(pCalls);
    ledgerStatusGet(pClient, ask, &pCalls->apCall[pCalls->nUsed - 1], pErr);
  }
  if( pErr->rc ) ledgerWindowClose(pCalls);
  return pErr->rc;
}

int ledgerViewsFind(Ledger *pLedger, i64 iSeqno, i64 iStep, LedgerTxid top,
                    LedgerError *pErr) {
  LedgerWindow calls = {0};
  if( ledgerClientView(pLedger->pClient, iSeqno) ) return LEDGER_OK;
  ledgerViewsAsk(pLedger, iSeqno, iStep, top, &calls, pErr);
  while( pErr->rc == LEDGER_OK && calls.nUsed > 0 ) {
    char cNone;
    int i;
    if( ledgerCallWaitAny(calls.apCall, calls.nUsed, &i, pErr) ) break;
    ledgerCallFree(ledgerWindowTake(&calls, i, &cNone));
  }
  ledgerWindowClose(&calls);
  return pErr->rc;
}

i64 ledgerViewsLeast(Ledger *pLedger, i64 iSeqno) {
  const i64 iView = ledgerClientView(pLedger->pClient, iSeqno);
  return iView ? iView : ledgerClientBelow(pLedger->pClient, iSeqno).view;
}

/* Makes a bound the id of a committed transaction, where the view of its seqno
** is known: whatever view it came with, rows are compared with it again above.
** Returns whether it is one, or no bound. */
static int viewsMakeSure(Ledger *pLedger, LedgerTxid *pId) {
  const i64 iView = ledgerClientView(pLedger->pClient, pId->seqno);
  if( iView ) pId->view = iView;
  return pId->seqno == 0 || iView > 0;
}

void ledgerViewsClose(LedgerSnapshot *pSnapshot, Ledger *pLedger,
                      LedgerRange *pRange) {
  LedgerTxid top = ledgerSnapshotTop(pSnapshot, pLedger);
  LedgerTxid from = pRange->from, to = pRange->to;
  if( to.seqno == 0 && top.seqno >= from.seqno ) to = pRange->to = top;
  if( !viewsMakeSure(pLedger, &from) )
    from = ledgerClientBelow(pLedger->pClient, from.seqno);
  pRange->bSure = to.seqno && viewsMakeSure(pLedger, &to);
  if( pRange->bSure ) {
    pRange->from = from;
    pRange->to = to;
  } else if( top.seqno >= from.seqno && viewsMakeSure(pLedger, &top) ) {
    pRange->wideFrom = from;
    pRange->wideTo = top;
  }
}
