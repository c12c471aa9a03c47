/*
** Rows on their way to a ledger: the one sender of COMMIT, ledger_append() and
** ledger_flush(). Its callers differ in where their rows are kept.
**
**     COMMIT;  SELECT ledger_append('hello');  SELECT ledger_flush();
**
** Requests: POST /app/transactions for each entry, and what a change of a user,
** role, function or endpoint takes (write/change_send.c). Where rows without an
** answer are to be settled: GET .../{id}/status of the committed head first,
** which ties the session to its view. Then settle.c asks what became of them.
**
** Rows are sent in rounds. In strict order a round is one session: a kept
** connection to one node, on which CCF records a write in the view that it was
** opened in, or never (call/session.c). So rows sent one after another stand
** on the ledger in order, without a wait for each. Whatever is not a 200 with
** an id of that view ends the session and with it the round: nothing more is
** sent, on any connection, until it is known what became of all that were; the
** next round begins at the first row that was not recorded.
**
** Invariants
**   - a row is sent again only when it is certain that it was not recorded, and
**     never will be;
**   - in strict order no row is sent while the outcome of one before it is
**     open;
**   - where a gateway breaks sessions silently, a row may be answered from a
**     new view while those before it were taken back. Completeness then goes
**     before order: they follow it, and its `error` in ledger_appends says so;
**   - what the rows need of the API version is checked before the first is
**     sent. A COMMIT fails there; of an outbox such a row is refused, as if by
**     the ledger, and the others are sent.
**
** Why not simply go on after a 503 or SessionConsistencyLost, which are certain
** not to be recorded: the rows before it may be lost with the same change of
** view, and the next one would take their place.
*/
#include "sqlite/write/write.h"

#include <string.h>

#define SEND_STALL 10 /* rounds in a row that brought nothing to an end */

#define SEND_NAME 64 /* of a row, in messages */

/* "row 3 of 20", or "row 17 of the outbox". */
static const char *sendName(const LedgerSend *p, int i, char *zName) {
  const LedgerQueued *pRow = p->apRow[i];
  if( pRow->iOutbox ) {
    sqlite3_snprintf(SEND_NAME, zName, "row %lld of the outbox", pRow->iOutbox);
  } else {
    sqlite3_snprintf(SEND_NAME, zName, "row %d of %d", i + 1, p->nRow);
  }
  return zName;
}

/* What helps, behind an error that leaves all rows certain. An outbox has words
** of its own, and ledger_append() has nothing to go on with. */
static const char *sendGoesOn(const LedgerSend *p) {
  return p->apRow[0]->pOwner ? ": a second COMMIT goes on" : "";
}

/* ---- what rows need ------------------------------------------------------ */

/* An append as the client takes it; everything is the row's. */
static LedgerAppend sendAppend(const LedgerQueued *pRow) {
  LedgerAppend append;
  memset(&append, 0, sizeof(append));
  append.zContents = pRow->zContents;
  append.nContents = pRow->nContents;
  append.zSubLedger = pRow->zSubLedger;
  append.zTags = pRow->zTags;
  append.zHooks = pRow->zHooks;
  return append;
}

/* Whether the API version in use can carry the row. */
static int sendNeeds(const LedgerQueued *pRow, LedgerError *pErr) {
  LedgerAppend append;
  if( pRow->pKind && pRow->pKind->pNeeded ) {
    return ledgerRouteCheck(pRow->pLedger->pClient, pRow->pKind->pNeeded, pErr);
  }
  if( pRow->pKind ) return pRow->pKind->xCheck(pRow, pErr);
  append = sendAppend(pRow);
  return ledgerAppendCheck(pRow->pLedger->pClient, &append, pErr);
}

/* Notes on the row what went wrong with it. */
static void sendNote(LedgerQueued *pRow, const LedgerError *pErr) {
  sqlite3_free(pRow->zError);
  pRow->zError = sqlite3_mprintf("%s", ledgerErrorText(pErr));
}

/* Checks all that wait, before the first of them is sent. A version that isn't
** known yet is asked for, where a row depends on it. In an outbox, where a row
** that is refused ends nothing, neither does one that can't be carried. */
static int sendCheck(LedgerSend *p, LedgerError *pErr) {
  LedgerClient *pClient = p->pLedger->pClient;
  char zName[SEND_NAME];
  int i, bNeeds = 0, nWait = 0;
  for( i = 0; i < p->nRow; i++ ) {
    const LedgerQueued *pRow = p->apRow[i];
    if( pRow->eState != LEDGER_QUEUED ) continue;
    bNeeds |= pRow->zTags || pRow->zHooks || pRow->pKind;
    nWait++;
  }
  if( !bNeeds ) return LEDGER_OK;
  if( nWait == 1 && p->nRefusedMost == 0 ) return LEDGER_OK; /* it says it */
  if( !ledgerClientAnswered(pClient) ) {
    LedgerCall *pCall = NULL;
    if( ledgerEntryHeadGet(pClient, NULL, &pCall, pErr) == LEDGER_OK ) {
      ledgerCallWait(pCall, pErr);
    }
    ledgerCallFree(pCall);
    if( pErr->rc == LEDGER_IOERR ) pErr->rc = LEDGER_BUSY; /* nothing is sent */
    if( pErr->rc ) return pErr->rc;
  }
  for( i = 0; i < p->nRow; i++ ) {
    LedgerQueued *pRow = p->apRow[i];
    LedgerError err = LEDGER_ERROR_INIT;
    if( pRow->eState != LEDGER_QUEUED || sendNeeds(pRow, &err) == LEDGER_OK ) {
      continue;
    }
    if( p->nRefusedMost && err.rc == LEDGER_ERROR ) {
      pRow->eState = LEDGER_ROW_REFUSED;
      pRow->rcError = LEDGER_CONSTRAINT;
      sendNote(pRow, &err);
      ledgerErrorClear(&err);
      continue;
    }
    ledgerErrorWrap(pErr, &err, "%s: %s; nothing was sent",
                    sendName(p, i, zName), ledgerErrorText(&err));
    ledgerErrorClear(&err);
    if( pErr->rc ) return pErr->rc;
  }
  return LEDGER_OK;
}

/* ---- sessions ------------------------------------------------------------ */

/* Makes a committed state known, which ties the session to its node's view: an
** append that is then held on its way is recorded in that view or never. */
static int sendPin(LedgerSend *p, const char *zSubLedger, LedgerError *pErr) {
  LedgerClient *pClient = p->pLedger->pClient;
  LedgerCall *pCall = NULL;
  LedgerTxid state;
  LedgerFacts facts;
  ledgerClientFacts(pClient, &facts);
  if( facts.committed.seqno && !p->pLedger->bUnsettled ) {
    if( ledgerStatusGet(pClient, facts.committed, &pCall, pErr) == LEDGER_OK ) {
      ledgerCallWait(pCall, pErr);
    }
    ledgerCallFree(pCall);
  } else if( ledgerHeadCommitted(p->pLedger, zSubLedger, 0, &state, pErr) ==
             LEDGER_OK ) {
    p->pLedger->bUnsettled = 0;
  }
  return pErr->rc;
}

/* A session for this round, if it takes one: order counts, or what stays open
** is to be settled. The one of the round before, or of a statement before, is
** used on. */
static int sendSession(LedgerSend *p, LedgerError *pErr) {
  LedgerClient *pClient = p->pLedger->pClient;
  LedgerSession **pp = &p->pLedger->pSession;
  const LedgerQueued *pFirst = NULL;
  int i, nWait = 0, nTry = 0;
  for( i = 0; i < p->nRow; i++ ) {
    const LedgerQueued *pRow = p->apRow[i];
    if( pRow->eState != LEDGER_QUEUED || pRow->pKind ) continue;
    if( pFirst == NULL ) pFirst = pRow;
    nWait++;
  }
  p->pSession = NULL;
  if( pFirst == NULL || ledgerClientConfig(pClient)->appendAnyOrder ) {
    if( pFirst == NULL || !p->bSettle ) return LEDGER_OK;
    sendPin(p, pFirst->zSubLedger, pErr); /* any connection will do */
  } else if( nWait > 1 || p->bSettle ) {
    if( *pp && !ledgerSessionFits(*pp) ) {
      ledgerSessionClose(*pp);
      *pp = NULL;
    }
    while( *pp == NULL || p->pLedger->bUnsettled ) {
      if( *pp == NULL && ledgerSessionOpen(pClient, pp, pErr) ) break;
      if( !p->bSettle ) break;
      ledgerSessionUse(pClient, *pp);
      sendPin(p, pFirst->zSubLedger, pErr);
      ledgerSessionUse(pClient, NULL);
      if( pErr->rc == LEDGER_OK || !ledgerSessionEnded(*pp) || ++nTry == 3 ) {
        break;
      }
      ledgerErrorClear(pErr);
      ledgerSessionClose(*pp);
      *pp = NULL;
    }
    p->pSession = *pp;
  }
  if( pErr->rc == LEDGER_IOERR ) pErr->rc = LEDGER_BUSY; /* nothing was sent */
  return pErr->rc;
}

/* ---- one row ------------------------------------------------------------- */

/* A failure that leaves a row's outcome open outranks one that keeps the
** transaction alive: it replaces a LEDGER_BUSY. Moves *pNew. */
static void sendWorse(LedgerError *pErr, LedgerError *pNew) {
  if( pNew->rc && (pErr->rc == LEDGER_OK || pErr->rc == LEDGER_BUSY) ) {
    ledgerErrorClear(pErr);
    *pErr = *pNew;
  } else {
    ledgerErrorClear(pNew);
  }
}

/* Moves *pNew to where the reason of an unfinished round is kept. */
static void sendWhy(LedgerSend *p, LedgerError *pNew) {
  ledgerErrorClear(&p->why);
  p->why = *pNew;
  memset(pNew, 0, sizeof(*pNew));
}

/* The answer gave the row an id. Another row's, or one below it, can't be its
** own: then nothing is known of it. */
static int sendAccepted(LedgerSend *p, int i, LedgerCall *pCall,
                        LedgerError *pErr) {
  LedgerQueued *pRow = p->apRow[i];
  char zId[LEDGER_TXID_MAX], zName[SEND_NAME];
  if( p->pSession && (pRow->id.view < p->before.view ||
                      (pRow->id.view == p->before.view &&
                       pRow->id.seqno <= p->before.seqno)) ) {
    ledgerTxidFormat(pRow->id, zId);
    memset(&pRow->id, 0, sizeof(pRow->id));
    pRow->eState = LEDGER_UNKNOWN;
    pRow->tUnknown = ledgerClockMs();
    pRow->iView = ledgerSessionView(p->pSession);
    p->bOver = 1;
    ledgerErrorSet(pErr, LEDGER_IOERR,
                   "%s: the ledger answers with the id %s, which is not above "
                   "that of the row before it: whether it recorded the row is "
                   "unknown",
                   sendName(p, i, zName), zId);
    sendNote(pRow, pErr);
    return pErr->rc;
  }
  pRow->eState =
      ledgerAppendCommitted(pCall) ? LEDGER_COMMITTED : LEDGER_PENDING;
  p->pConn->last = pRow->id;
  /* In another view: were those before it taken back? */
  p->bOver = p->pSession ? ledgerSessionEnded(p->pSession)
                         : p->bOver || (p->before.view &&
                                        p->before.view != pRow->id.view);
  p->before = pRow->id;
  return LEDGER_OK;
}

/* The ledger recorded the row in another sub-ledger than was asked for: the row
** tells where it is, and nothing more is sent. */
static void sendElsewhere(LedgerSend *p, int i, const char *zWhere,
                          const LedgerError *pWhy, LedgerError *pErr) {
  LedgerQueued *pRow = p->apRow[i];
  char zName[SEND_NAME];
  char *z = zWhere ? sqlite3_mprintf("%s", zWhere) : NULL;
  sendNote(pRow, pWhy);
  pRow->bOtherSubLedger = 1;
  pRow->rcError = pWhy->rc;
  if( z ) {
    sqlite3_free(pRow->zSubLedger);
    pRow->zSubLedger = z;
  }
  p->bOver = 1;
  ledgerErrorWrap(pErr, pWhy, "%s%s%s",
                  p->nRow > 1 ? sendName(p, i, zName) : "",
                  p->nRow > 1 ? ": " : "", ledgerErrorText(pWhy));
}

/* Reads the outcome of one append into its row. *pErr is what ends it all; what
** ends the round only, is kept as its reason. */
static int sendOutcome(LedgerSend *p, int i, LedgerCall *pCall,
                       LedgerError *pErr) {
  LedgerQueued *pRow = p->apRow[i];
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerError text = LEDGER_ERROR_INIT;
  int eOutcome = LEDGER_OUTCOME_UNKNOWN;
  int rc = ledgerAppendResult(pCall, &eOutcome, &pRow->id, &err);
  const char *zWhy = ledgerErrorText(&err);
  char zName[SEND_NAME];

  switch( eOutcome ) {
    case LEDGER_SENT:
      p->nRefused = 0;
      ledgerProgressCount(p->pConn->pProgress, LEDGER_PROGRESS_SENT, 1);
      if( sendAccepted(p, i, pCall, pErr) == LEDGER_OK && rc ) {
        sendElsewhere(p, i, ledgerAppendOtherSubLedger(pCall), &err, pErr);
      }
      break;
    case LEDGER_UNSENT:
      pRow->eState = LEDGER_QUEUED;
      if( rc == LEDGER_IOERR ) rc = LEDGER_BUSY; /* it may pass later */
      ledgerErrorSet(&text, rc, "%s was not sent: %s", sendName(p, i, zName),
                     zWhy);
      text.http = err.http;
      p->bOver = 1;
      if( rc == LEDGER_BUSY && p->pSession &&
          ledgerSessionEnded(p->pSession) ) {
        sendWhy(p, &text);
      } else {
        *pErr = text;
      }
      break;
    case LEDGER_REFUSED:
      pRow->eState = LEDGER_ROW_REFUSED;
      pRow->rcError = rc;
      sendNote(pRow, &err);
      p->bOver = ++p->nRefused >= p->nRefusedMost;
      if( p->nRefusedMost && pRow->rcError == LEDGER_CONSTRAINT ) break;
      p->bOver = 1;
      ledgerErrorSet(pErr, pRow->rcError, "%s", zWhy);
      pErr->http = err.http;
      break;
    default:
      pRow->eState = LEDGER_UNKNOWN;
      pRow->bGateway = ledgerAppendQueued(pCall);
      pRow->tUnknown = ledgerClockMs();
      pRow->iView = p->pSession ? ledgerSessionView(p->pSession) : 0;
      sendNote(pRow, &err);
      /* The append's own error says that it is unknown; what a gateway took
      ** and lost does not. */
      ledgerErrorSet(pErr, LEDGER_IOERR, "%s%s: %s", sendName(p, i, zName),
                     pRow->bGateway ? " may or may not have been recorded" : "",
                     zWhy);
      p->bOver = 1;
      break;
  }
  ledgerErrorClear(&err);
  return pErr->rc;
}

/* A change that is not an append: it is done at once, from first to last
** request. */
static void sendChange(LedgerSend *p, int i, LedgerError *pErr) {
  LedgerQueued *pRow = p->apRow[i];
  LedgerError err = LEDGER_ERROR_INIT;
  char zName[SEND_NAME];
  if( ledgerChangeSendRow(pRow, &err) ) {
    ledgerErrorWrap(pErr, &err, "%s: %s", sendName(p, i, zName),
                    ledgerErrorText(&err));
  }
  if( pRow->id.seqno > 0 ) p->pConn->last = pRow->id;
  ledgerErrorClear(&err);
}

/* Starts the append of row i; by the session, if there is one. */
static int sendStart(LedgerSend *p, int i, LedgerCall **ppCall,
                     LedgerError *pErr) {
  LedgerClient *pClient = p->pLedger->pClient;
  LedgerQueued *pRow = p->apRow[i];
  LedgerAppend append = sendAppend(pRow);
  LedgerFacts facts;
  /* One row needs no second request. Of several, the last one's answer would
  ** come after a change of view that took the others back. */
  append.bWait = p->nRow == 1 && ledgerClientConfig(pClient)->waitForCommit;
  ledgerClientFacts(pClient, &facts);
  pRow->before = facts.committed;
  ledgerSessionUse(pClient, p->pSession);
  if( ledgerAppendStart(pClient, &append, ppCall, pErr) == LEDGER_OK ) {
    pRow->eState = LEDGER_SENDING;
  }
  ledgerSessionUse(pClient, NULL);
  return pErr->rc;
}

/* ---- one round ----------------------------------------------------------- */

/* One row after another, until the round is over. */
static int sendInOrder(LedgerSend *p, LedgerError *pErr) {
  int i;
  for( i = 0; i < p->nRow && !p->bOver && pErr->rc == LEDGER_OK; i++ ) {
    LedgerError err = LEDGER_ERROR_INIT;
    LedgerCall *pCall = NULL;
    if( p->apRow[i]->eState != LEDGER_QUEUED ) continue;
    if( p->apRow[i]->pKind ) {
      /* It goes by another connection: what was sent is settled before. */
      if( ledgerSettleAccepted(p, pErr) || p->nLost > 0 ) break;
      sendChange(p, i, pErr);
      continue;
    }
    if( sendStart(p, i, &pCall, pErr) ) break;
    ledgerCallWait(pCall, &err); /* the result says it more exactly */
    if( err.rc != LEDGER_INTERRUPT ) ledgerErrorClear(&err);
    sendOutcome(p, i, pCall, pErr);
    ledgerCallFree(pCall);
    sendWorse(pErr, &err);
  }
  return pErr->rc;
}

/* Starts rows until the window is full. What is not an append waits for all
** before it. */
static void sendFill(LedgerSend *p, LedgerWindow *pWindow, int *piStart,
                     LedgerError *pErr) {
  while( pErr->rc == LEDGER_OK && *piStart < p->nRow &&
         pWindow->nUsed < pWindow->nPlace ) {
    const LedgerQueued *pRow = p->apRow[*piStart];
    LedgerCall *pCall = NULL;
    if( pRow->eState != LEDGER_QUEUED ) {
      (*piStart)++;
    } else if( pRow->pKind ) {
      if( pWindow->nUsed > 0 ) return;
      sendChange(p, (*piStart)++, pErr);
    } else if( sendStart(p, *piStart, &pCall, pErr) == LEDGER_OK ) {
      *(int *)ledgerWindowAdd(pWindow) = (*piStart)++;
      pWindow->apCall[pWindow->nUsed - 1] = pCall;
    }
  }
}

/* `concurrency` rows at a time. After a failure nothing new is started, and
** what is under way is waited for. */
static int sendAnyOrder(LedgerSend *p, LedgerError *pErr) {
  LedgerWindow window;
  int iStart = 0;

  if( ledgerWindowOpen(&window,
                       ledgerClientConfig(p->pLedger->pClient)->concurrency,
                       sizeof(int), pErr) ) {
    return pErr->rc;
  }
  for( ;; ) {
    LedgerError why = LEDGER_ERROR_INIT;
    int iDone = 0, iRow = 0;
    sendFill(p, &window, &iStart, pErr);
    if( window.nUsed == 0 ) break;
    /* On an interrupt what is under way is given up: its outcome is unknown,
    ** unless the call knows better. */
    ledgerCallWaitAny(window.apCall, window.nUsed, &iDone, &why);
    do {
      LedgerError err = LEDGER_ERROR_INIT;
      LedgerCall *pCall = ledgerWindowTake(&window, why.rc ? 0 : iDone, &iRow);
      sendOutcome(p, iRow, pCall, &err);
      sendWorse(pErr, &err);
      ledgerCallFree(pCall);
    } while( why.rc && window.nUsed > 0 );
    sendWorse(pErr, &why); /* takes it over */
  }
  ledgerWindowClose(&window);
  return pErr->rc;
}

/* Whether an error keeps nobody from asking what became of the rows before it:
** an outbox writes down what was committed, a row that lies elsewhere tells
** where, and what is sent again comes behind them. */
static int sendAsksOn(const LedgerSend *p) {
  int i;
  for( i = 0; i < p->nRow; i++ ) {
    if( p->apRow[i]->bOtherSubLedger ) return 1;
  }
  return p->nRefusedMost > 0 ||
         (p->bSettle && ledgerSettleCount(p, LEDGER_UNKNOWN) > 0);
}

/* In strict order a row is sent once those before it are answered: what the
** ledger has of it lies above those of them that are committed. What is read to
** settle it begins there. */
static void sendRaise(LedgerSend *p) {
  LedgerTxid id = {0, 0};
  int i;
  if( ledgerClientConfig(p->pLedger->pClient)->appendAnyOrder ) return;
  for( i = 0; i < p->nRow; i++ ) {
    LedgerQueued *pRow = p->apRow[i];
    if( pRow->eState == LEDGER_COMMITTED && pRow->id.seqno > id.seqno ) {
      id = pRow->id;
    } else if( pRow->eState == LEDGER_UNKNOWN &&
               pRow->before.seqno < id.seqno ) {
      pRow->before = id;
    }
  }
}

/* Adds to why a row is open, why that could not be settled. Clears *pWhy. */
static void sendUnsettled(const LedgerSend *p, LedgerError *pErr,
                          LedgerError *pWhy) {
  LedgerError all = LEDGER_ERROR_INIT;
  /* An outbox keeps its rows: there an interrupt is just that. */
  const int rc = pWhy->rc == LEDGER_INTERRUPT && p->apRow[0]->iOutbox
                     ? LEDGER_INTERRUPT
                     : pErr->rc;
  ledgerErrorSet(&all, rc, "%s; reconcile could not settle it: %s",
                 ledgerErrorText(pErr), ledgerErrorText(pWhy));
  ledgerErrorClear(pWhy);
  ledgerErrorClear(pErr);
  *pErr = all;
}

/* The rows without an answer are settled. Where that was all that went wrong,
** the error is gone; else it says why they could not be. */
static int sendSettle(LedgerSend *p, LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  int i;
  if( ledgerSettleCount(p, LEDGER_UNKNOWN) == 0 ) return pErr->rc;
  sendRaise(p);
  ledgerSettleUnknown(p, &err);
  if( ledgerSettleCount(p, LEDGER_UNKNOWN) > 0 && err.rc ) {
    sendUnsettled(p, pErr, &err);
  } else if( ledgerSettleCount(p, LEDGER_UNKNOWN) > 0 ) {
    return pErr->rc; /* a change that is not an append */
  } else {
    ledgerErrorClear(pErr);
    *pErr = err;
  }
  for( i = 0; i < p->nRow; i++ ) { /* of several streams: the other's error */
    const LedgerQueued *pRow = p->apRow[i];
    if( pRow->eState == LEDGER_ROW_REFUSED && pRow->zError &&
        p->nRefusedMost == 0 ) {
      LedgerError refused = LEDGER_ERROR_INIT;
      ledgerErrorSet(&refused, pRow->rcError, "%s", pRow->zError);
      sendWorse(pErr, &refused);
    }
  }
  return pErr->rc;
}

/* Says on each row that was recorded ahead of one that is still to be sent,
** that its order is lost. */
static void sendSayOrder(LedgerSend *p) {
  char zName[SEND_NAME];
  int i, iLost = -1;
  if( ledgerClientConfig(p->pLedger->pClient)->appendAnyOrder ) return;
  for( i = 0; i < p->nRow; i++ ) {
    LedgerQueued *pRow = p->apRow[i];
    if( pRow->eState == LEDGER_QUEUED && iLost < 0 ) iLost = i;
    if( pRow->eState != LEDGER_COMMITTED || iLost < 0 ) continue;
    sqlite3_free(pRow->zError);
    pRow->zError = sqlite3_mprintf(
        "out of order: a change of view took back %s, which follows it",
        sendName(p, iLost, zName));
  }
}

int ledgerSendRound(LedgerSend *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = ledgerClientConfig(p->pLedger->pClient);
  int rc;
  /* A COMMIT that was LEDGER_BUSY has left rows whose commit was not seen. */
  if( ledgerSettleAccepted(p, pErr) ) return pErr->rc;
  p->bOver = 0;
  p->nLost = 0;
  memset(&p->before, 0, sizeof(p->before));
  ledgerErrorClear(&p->why);
  if( sendSession(p, pErr) || sendCheck(p, pErr) ) return pErr->rc;
  if( p->pSession ) p->before = ledgerSessionLast(p->pSession);
  rc = pConfig->appendAnyOrder ? sendAnyOrder(p, pErr) : sendInOrder(p, pErr);
  if( rc == LEDGER_INTERRUPT ) return rc;
  /* Where the round ended without an error, the rows before may be lost: what
  ** became of them is asked even with wait = none. */
  if( rc == LEDGER_OK ? p->bOver || p->bWait : sendAsksOn(p) ) {
    LedgerError err = LEDGER_ERROR_INIT;
    if( ledgerSettleAccepted(p, &err) ) {
      if( rc && p->bSettle && ledgerSettleCount(p, LEDGER_UNKNOWN) > 0 ) {
        sendUnsettled(p, pErr, &err);
      } else {
        sendWorse(pErr, &err);
      }
      return pErr->rc;
    }
  }
  if( rc && p->bSettle ) sendSettle(p, pErr);
  sendSayOrder(p);
  return pErr->rc;
}

/* ---- round after round --------------------------------------------------- */

/* Why nothing comes to an end. Each row is certainly sent, or certainly not. */
static int sendGiveUp(LedgerSend *p, LedgerError *pErr) {
  LedgerBuf ids = {0};
  char zId[LEDGER_TXID_MAX], zName[SEND_NAME];
  int i, iFirst = -1;
  for( i = 0; i < p->nRow; i++ ) {
    const LedgerQueued *pRow = p->apRow[i];
    if( pRow->eState != LEDGER_QUEUED ) continue;
    if( iFirst < 0 ) iFirst = i;
    if( pRow->lost.seqno == 0 ) continue;
    ledgerBufPrintf(&ids, "%s%s (%s)", ids.n ? ", " : "", sendName(p, i, zName),
                    ledgerTxidFormat(pRow->lost, zId));
  }
  if( p->why.rc ) {
    ledgerErrorWrap(pErr, &p->why, "%s (%d attempt%s)",
                    ledgerErrorText(&p->why), p->nWhy, p->nWhy == 1 ? "" : "s");
  } else if( ids.n > 0 && !ids.bOom ) {
    ledgerErrorSet(pErr, LEDGER_BUSY,
                   "changes of view took back what was sent, %d times in a "
                   "row: %s%s",
                   p->nStall, ids.z, sendGoesOn(p));
  } else {
    ledgerErrorSet(pErr, LEDGER_BUSY,
                   "%s was sent %d times and is not recorded%s",
                   sendName(p, iFirst, zName), p->nStall, sendGoesOn(p));
  }
  ledgerBufFree(&ids);
  return pErr->rc;
}

int ledgerSendAgain(LedgerSend *p, LedgerError *pErr) {
  LedgerClient *pClient = p->pLedger->pClient;
  const LedgerConfig *pConfig = ledgerClientConfig(pClient);
  const int nEnded = p->nEnded + ledgerSettleCount(p, LEDGER_COMMITTED) +
                     ledgerSettleCount(p, LEDGER_ROW_REFUSED);
  const int msAfter = p->pSession ? ledgerSessionRetryAfter(p->pSession) : -1;
  int i, ms = pConfig->retry.firstMs;
  if( nEnded != p->nProgress ) p->nStall = p->nWhy = 0;
  p->nProgress = nEnded;
  if( p->why.rc == LEDGER_OK ) { /* what was settled has been waited for */
    p->nWhy = 0;
    return ++p->nStall > SEND_STALL ? sendGiveUp(p, pErr) : LEDGER_OK;
  }
  if( p->nWhy++ == 0 ) {
    p->tWhy = ledgerClockMs();
    /* A change of view is over when it is noticed. */
    if( msAfter <= 0 ) return LEDGER_OK;
  }
  for( i = 2; i < p->nWhy && ms < pConfig->retry.maxMs; i++ ) ms *= 2;
  if( ms > pConfig->retry.maxMs ) ms = pConfig->retry.maxMs;
  if( p->why.http == 500 ) ms = pConfig->retry.firstMs; /* and so is another */
  if( msAfter > ms ) ms = msAfter;
  if( ledgerClockMs() + ms - p->tWhy > pConfig->retry.budgetMs ) {
    return sendGiveUp(p, pErr);
  }
  return ledgerClientSleep(pClient, ms, "rows to be sent again", pErr);
}

int ledgerSend(LedgerSend *p, LedgerError *pErr) {
  ledgerProgressCount(p->pConn->pProgress, LEDGER_PROGRESS_ROWS,
                      ledgerSettleCount(p, LEDGER_QUEUED));
  while( ledgerSendRound(p, pErr) == LEDGER_OK &&
         ledgerSettleCount(p, LEDGER_QUEUED) > 0 &&
         ledgerSendAgain(p, pErr) == LEDGER_OK ) {
  }
  ledgerErrorClear(&p->why);
  return pErr->rc;
}
