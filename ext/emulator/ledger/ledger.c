/*
** The ledger's state: views, seqnos, what is pending, signatures, elections.
**
** Serves every route that writes. The first write after a signature opens a
** SQLite transaction and starts a timer; when the timer fires, one signature
** transaction is added over all before it and COMMIT makes the lot Committed.
** An election is ROLLBACK, a higher view and another node's key; a recovery is
** that with another key of the service.
**
** Invariants
**   - committed.seqno <= last.seqno, and both are the same id exactly when no
**     SQLite transaction is open;
**   - leaf n of the tree is transaction n, leaf 0 is 32 zero bytes;
**   - a seqno is used twice only in a higher view: an unclean end counts as an
**     election, since what was pending then is gone;
**   - a write that fails is an election. If that can't be written either (the
**     disk is full), what is committed is still served, in the next view, and
**     writes are refused until the election succeeds;
**   - after a sync that failed nothing more is written or answered.
*/
#include "emulator/ledger/ledgerInt.h"

#include <event2/event.h>
#include <string.h>

#define LEDGER_RETRY_MS 1000 /* between tries of an election that failed */

/* Gives the transaction its id, adds it to store and tree. */
static int ledgerAdd(Emu *p, EmuTxn *pTxn, int64_t iCollection,
                     LedgerError *pErr) {
  EmuLedger *pLedger = p->pLedger;
  unsigned char aWriteSet[EMU_HASH], aLeaf[EMU_HASH];
  int rc;
  pTxn->id.view = pLedger->head.iView;
  pTxn->id.seqno = pLedger->head.last.seqno + 1;
  emuDigestTxn(pTxn, p->pKeys->aSecret, aWriteSet, aLeaf);
  if( pTxn->eKind == EMU_SIGNATURE ) pTxn->nContents = 0; /* has its table */
  rc = emuStoreTxnPut(p->pStore, pTxn, iCollection, aWriteSet, pErr);
  if( rc == LEDGER_OK ) {
    rc = emuTreeAppend(&pLedger->tree, p->pStore, aLeaf, pErr);
  }
  if( rc == LEDGER_OK ) pLedger->head.last = pTxn->id;
  return rc;
}

/* Creates what an entry needs: its collection and its tags. */
static int ledgerIndexEntry(Emu *p, const EmuTxn *pTxn, int64_t *piCollection,
                            LedgerError *pErr) {
  int64_t iSeqno = p->pLedger->head.last.seqno + 1;
  const char *z = pTxn->zTags;
  size_t nLeft = pTxn->nTags;
  int rc = emuStoreCollection(p->pStore, pTxn->zCollection, pTxn->nCollection,
                              piCollection, pErr);
  if( rc == LEDGER_OK && *piCollection == 0 ) {
    rc = emuStoreCollectionNew(p->pStore, pTxn->zCollection, pTxn->nCollection,
                               iSeqno, piCollection, pErr);
  }
  while( rc == LEDGER_OK && nLeft ) {
    const char *zEnd = memchr(z, ',', nLeft);
    size_t n = zEnd ? (size_t)(zEnd - z) : nLeft;
    rc = emuStoreTagPut(p->pStore, *piCollection, z, n, iSeqno, pErr);
    if( zEnd ) n++;
    z += n;
    nLeft -= n;
  }
  return rc;
}

/* Tells those that wait for what is pending. */
static void ledgerWake(Emu *p, int bLost) {
  EmuWaiter *pWaiter = p->pLedger->pWaiting;
  p->pLedger->pWaiting = NULL;
  while( pWaiter ) {
    EmuWaiter *pNext = pWaiter->pNext; /* it may be gone then */
    pWaiter->xDone(pWaiter->pArg, bLost);
    pWaiter = pNext;
  }
}

int emuLedgerSeal(Emu *p, LedgerError *pErr) {
  EmuLedger *pLedger = p->pLedger;
  unsigned char aRoot[EMU_HASH];
  EmuTxn txn = {0};
  LedgerBuf sig = {0}, payload = {0};
  int rc = emuStoreBegin(p->pStore, pErr);
  if( rc ) goto out;
  emuTreeRoot(&pLedger->tree, aRoot);
  rc = emuSignRoot(p->pKeys->pNode, aRoot, &sig, pErr);
  if( rc ) goto out;
  ledgerBufAppend(&payload, aRoot, EMU_HASH);
  ledgerBufAppend(&payload, sig.z, sig.n);
  ledgerBufText(&payload, p->pKeys->zNodeId);
  if( payload.bOom ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  txn.eKind = EMU_SIGNATURE;
  txn.zContents = payload.z;
  txn.nContents = payload.n;
  rc = ledgerAdd(p, &txn, 0, pErr);
  if( rc == LEDGER_OK ) {
    rc = emuStoreSigPut(p->pStore, txn.id, aRoot, &sig, p->pKeys->iNodeCert,
                        pErr);
  }
out:
  ledgerBufFree(&sig);
  ledgerBufFree(&payload);
  return rc;
}

int emuLedgerCommit(Emu *p, LedgerError *pErr) {
  EmuLedger *pLedger = p->pLedger;
  int rc = emuTreeFlush(&pLedger->tree, p->pStore, pErr);
  if( rc == LEDGER_OK ) rc = emuStoreCommit(p->pStore, pErr);
  if( rc == LEDGER_OK ) {
    pLedger->head.committed = pLedger->head.last;
    pLedger->treeCommitted = pLedger->tree;
  }
  return rc;
}

int emuLedgerSign(Emu *p, LedgerError *pErr) {
  int rc = LEDGER_OK;
  if( p->pLedger->head.last.seqno == p->pLedger->head.committed.seqno ||
      p->pLedger->bCut ) {
    return LEDGER_OK;
  }
  rc = emuLedgerSeal(p, pErr);
  if( rc == LEDGER_OK ) rc = emuLedgerCommit(p, pErr);
  if( rc == LEDGER_OK ) {
    ledgerWake(p, 0);
  } else if( p->pLedger->bServing ) {
    emuLedgerGiveUp(p);
  }
  return rc;
}

/* Forgets what is pending. */
static void ledgerRollback(Emu *p) {
  EmuLedger *pLedger = p->pLedger;
  emuStoreRollback(p->pStore);
  pLedger->tree = pLedger->treeCommitted;
  pLedger->head.last = pLedger->head.committed;
}

/*
** A change of keys in a transaction of its own, while nothing else is pending;
** bSeal: with a signature. When it fails, keys and ledger are as before.
*/
static int ledgerChange(Emu *p, int eChange, int bSeal, LedgerError *pErr) {
  EmuKeys old;
  int bChanged = 0, rc = emuStoreBegin(p->pStore, pErr);
  if( rc == LEDGER_OK ) {
    rc = emuKeysChange(p->pKeys, p->pStore, p->zLedgerId, p->zCurve, eChange,
                       &old, pErr);
    bChanged = rc == LEDGER_OK;
  }
  if( rc == LEDGER_OK && bSeal ) rc = emuLedgerSeal(p, pErr);
  if( rc == LEDGER_OK ) rc = emuLedgerCommit(p, pErr);
  if( rc ) {
    ledgerRollback(p);
    if( bChanged ) {
      emuKeysFree(p->pKeys);
      *p->pKeys = old;
    }
  } else {
    emuKeysFree(&old);
    if( p->pLedger->bServing && eChange != EMU_CHANGE_NODE ) {
      rc = emuKeysExport(p->pKeys, p->zDir, pErr);
    }
  }
  return rc;
}

/* The file failed for good: ends. */
static void ledgerBreak(Emu *p, const LedgerError *pErr) {
  if( p->bBroken ) return;
  emuWarn("%s; the emulator ends", ledgerErrorText(pErr));
  p->bBroken = 1;
  if( p->pBase ) event_base_loopbreak(p->pBase);
}

static void ledgerTick(evutil_socket_t fd, short what, void *pArg);

/* Sets the timer, unless it runs. */
static void ledgerTimer(Emu *p, long ms) {
  struct timeval tv = {ms / 1000, ms % 1000 * 1000};
  EmuLedger *pLedger = p->pLedger;
  if( pLedger->pTimer == NULL ) {
    pLedger->pTimer = evtimer_new(p->pBase, ledgerTick, p);
  }
  if( pLedger->pTimer && !evtimer_pending(pLedger->pTimer, NULL) ) {
    evtimer_add(pLedger->pTimer, &tv);
  }
}

/* The election failed: writes are refused, and it is tried again. */
static void ledgerRefuse(Emu *p, const LedgerError *pErr) {
  EmuLedger *pLedger = p->pLedger;
  if( !pLedger->bServing ) return;
  pLedger->eRefuse = pErr->rc;
  emuWarn("%s; writes are refused until they succeed again",
          ledgerErrorText(pErr));
  ledgerTimer(p, LEDGER_RETRY_MS);
}

/* Tries the election again, in the view that it began. */
static void ledgerRetry(Emu *p) {
  EmuLedger *pLedger = p->pLedger;
  LedgerError err = LEDGER_ERROR_INIT;
  if( emuStoreRoom(p->pStore, &err) == LEDGER_OK &&
      ledgerChange(p, EMU_CHANGE_NODE, 1, &err) == LEDGER_OK ) {
    pLedger->eRefuse = LEDGER_OK;
    emuWarn("writes are accepted again");
    if( pLedger->xElected ) {
      pLedger->xElected(p, EMU_SESSIONS_DEFAULT, &err);
    }
  }
  if( emuStoreSynced(&err) ) {
    ledgerBreak(p, &err);
  } else if( pLedger->eRefuse ) {
    pLedger->eRefuse = err.rc;
    ledgerTimer(p, LEDGER_RETRY_MS);
  }
  ledgerErrorClear(&err);
}

static int ledgerRefused(const Emu *p, LedgerError *pErr) {
  int rc = p->pLedger->eRefuse;
  if( rc == LEDGER_OK ) return LEDGER_OK;
  return ledgerErrorSet(pErr, rc,
                        rc == LEDGER_FULL
                            ? "the ledger's disk is full: writes are refused "
                              "until there is room"
                            : "the ledger's file can't be written: writes are "
                              "refused until it can");
}

int emuLedgerBegin(Emu *p, LedgerError *pErr) {
  return ledgerRefused(p, pErr) ? pErr->rc : emuStoreBegin(p->pStore, pErr);
}

/* The next view is nView further, with other keys; what is pending is lost. */
static int ledgerElect(Emu *p, int nView, int eChange, int eSessions,
                       LedgerError *pErr) {
  EmuLedger *pLedger = p->pLedger;
  LedgerError later = LEDGER_ERROR_INIT;
  LedgerTxid before;
  if( ledgerRefused(p, pErr) ) return pErr->rc;
  if( emuStoreSynced(pErr) ) {
    ledgerBreak(p, pErr);
    return pErr->rc;
  }
  ledgerRollback(p);
  before = pLedger->head.committed;
  pLedger->head.iView += nView;
  if( emuStoreRoom(p->pStore, pErr) || ledgerChange(p, eChange, 1, pErr) ) {
    if( emuStoreSynced(pErr) ) {
      ledgerBreak(p, pErr);
      return pErr->rc; /* and nobody is told anything */
    }
    /* Else it is recorded, and only a certificate's file is not written. */
    if( pLedger->head.committed.seqno == before.seqno ) ledgerRefuse(p, pErr);
  }
  if( pLedger->xElected && pLedger->xElected(p, eSessions, &later) ) {
    ledgerBreak(p, &later);
    ledgerErrorCopy(pErr, &later);
  }
  ledgerErrorClear(&later);
  ledgerWake(p, 1);
  return pErr->rc;
}

int emuLedgerElect(Emu *p, int eSessions, LedgerError *pErr) {
  return ledgerElect(p, 1, EMU_CHANGE_NODE, eSessions, pErr);
}

int emuLedgerRecover(Emu *p, int eSessions, LedgerError *pErr) {
  return ledgerElect(p, 2, EMU_CHANGE_SERVICE, eSessions, pErr);
}

int emuLedgerRenew(Emu *p, LedgerError *pErr) {
  int rc = p->pLedger->bCut ? emuLedgerElect(p, EMU_SESSIONS_LOST, pErr)
                            : emuLedgerSign(p, pErr);
  return rc ? rc : ledgerChange(p, EMU_CHANGE_RENEW, 0, pErr);
}

/*
** A write that failed: SQLite may have undone part of it or all that is
** pending, so the ledger goes back to what is committed.
*/
void emuLedgerGiveUp(Emu *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  emuLedgerElect(p, EMU_SESSIONS_DEFAULT, &err); /* it says what fails */
  ledgerErrorClear(&err);
}

void emuLedgerCheck(Emu *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  if( emuStoreSynced(&err) ) {
    ledgerBreak(p, &err);
  } else if( emuStoreLost(p->pStore) ) {
    emuLedgerGiveUp(p);
  }
  ledgerErrorClear(&err);
}

/* The timer: signs. */
static void ledgerTick(evutil_socket_t fd, short what, void *pArg) {
  Emu *p = pArg;
  LedgerError err = LEDGER_ERROR_INIT;
  (void)fd;
  (void)what;
  if( p->pLedger->eRefuse ) {
    ledgerRetry(p);
  } else if( !p->pLedger->bHold && emuLedgerSign(p, &err) &&
             p->pLedger->eRefuse == LEDGER_OK && !p->bBroken ) {
    emuWarn("%s; what was pending is lost", ledgerErrorText(&err));
  }
  ledgerErrorClear(&err);
}

void emuLedgerArm(Emu *p) {
  EmuLedger *pLedger = p->pLedger;
  if( !pLedger->bServing || pLedger->bHold || pLedger->bCut ) return;
  ledgerTimer(p, p->args.msSignature);
}

int emuLedgerState(Emu *p, LedgerTxid id, int *peState, LedgerError *pErr) {
  const EmuHead *pHead = &p->pLedger->head;
  LedgerTxid have;
  if( emuStoreTxnAt(p->pStore, id.seqno, &have, pErr) ) return pErr->rc;
  /* A node that lags has not heard of it. */
  if( have.seqno > pHead->last.seqno ) have.seqno = 0;
  if( have.seqno ? have.view != id.view : id.view < pHead->iView ) {
    *peState = EMU_TXN_INVALID;
  } else if( have.seqno == 0 ) {
    *peState = EMU_TXN_UNKNOWN;
  } else {
    *peState = id.seqno <= pHead->committed.seqno ? EMU_TXN_COMMITTED
                                                  : EMU_TXN_PENDING;
  }
  return LEDGER_OK;
}

int emuLedgerAppend(Emu *p, EmuTxn *pTxn, LedgerTxid *pId, LedgerError *pErr) {
  int64_t iCollection = 0;
  int rc = emuLedgerBegin(p, pErr);
  if( rc == LEDGER_OK && pTxn->eKind == EMU_ENTRY ) {
    rc = ledgerIndexEntry(p, pTxn, &iCollection, pErr);
  }
  if( rc == LEDGER_OK ) rc = ledgerAdd(p, pTxn, iCollection, pErr);
  if( rc ) {
    if( p->pLedger->bServing ) emuLedgerGiveUp(p);
    return rc;
  }
  *pId = pTxn->id;
  emuLedgerArm(p);
  return LEDGER_OK;
}

void emuLedgerWait(Emu *p, EmuWaiter *pWaiter) {
  pWaiter->pNext = p->pLedger->pWaiting;
  p->pLedger->pWaiting = pWaiter;
}

int emuLedgerCreate(Emu *p, LedgerError *pErr) {
  static const unsigned char aZero[EMU_HASH];
  EmuTxn txn = {0};
  int rc;
  p->pLedger->head.iView = 2;
  emuTreeInit(&p->pLedger->tree);
  rc = emuTreeAppend(&p->pLedger->tree, p->pStore, aZero, pErr);
  txn.eKind = EMU_GENESIS;
  txn.zContents = p->zLedgerId;
  txn.nContents = strlen(p->zLedgerId);
  if( rc == LEDGER_OK ) rc = ledgerAdd(p, &txn, 0, pErr);
  if( rc == LEDGER_OK ) rc = emuLedgerSeal(p, pErr);
  if( rc == LEDGER_OK ) {
    rc = emuStoreMetaPut(p->pStore, "clean", "1", 1, pErr);
  }
  return rc;
}

int emuLedgerLoad(Emu *p, LedgerError *pErr) {
  EmuLedger *pLedger = p->pLedger;
  unsigned char aRoot[EMU_HASH], aHave[EMU_HASH];
  LedgerTxid last, sealed;
  LedgerBuf sig = {0}, clean = {0};
  int rc;

  rc = emuStoreSigLast(p->pStore, &sealed, aRoot, &sig, pErr);
  if( rc == LEDGER_OK ) rc = emuStoreTxnLast(p->pStore, &last, pErr);
  if( rc ) goto out;
  if( ledgerTxidCompare(last, sealed) != 0 ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s is damaged: its last transaction is not its last "
                        "signature",
                        p->args.zData);
    goto out;
  }
  /* The tree that was signed: without the leaf of the signature itself. */
  rc = emuTreeLoad(&pLedger->tree, p->pStore, last.seqno, pErr);
  if( rc ) goto out;
  emuTreeRoot(&pLedger->tree, aHave);
  if( memcmp(aHave, aRoot, EMU_HASH) != 0 ||
      !emuSignVerify(p->pKeys->pNode, aRoot, sig.z, sig.n) ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s is damaged: its last signature is not one over "
                        "its tree",
                        p->args.zData);
    goto out;
  }
  rc = emuTreeLoad(&pLedger->tree, p->pStore, last.seqno + 1, pErr);
  if( rc ) goto out;
  pLedger->treeCommitted = pLedger->tree;
  pLedger->head.last = pLedger->head.committed = last;
  pLedger->head.iView = last.view;
  rc = emuStoreMetaGet(p->pStore, "clean", &clean, pErr);
  if( rc == LEDGER_OK ) rc = emuStoreBegin(p->pStore, pErr);
  if( rc == LEDGER_OK && !emuIs(clean.z, clean.n, "1") ) {
    EmuKeys old;
    pLedger->head.iView++;
    rc = emuKeysChange(p->pKeys, p->pStore, p->zLedgerId, p->zCurve,
                       EMU_CHANGE_NODE, &old, pErr);
    if( rc == LEDGER_OK ) {
      emuKeysFree(&old);
      rc = emuLedgerSeal(p, pErr);
    }
  }
  if( rc == LEDGER_OK ) {
    rc = emuStoreMetaPut(p->pStore, "clean", "0", 1, pErr);
  }
  if( rc == LEDGER_OK ) rc = emuLedgerCommit(p, pErr);

out:
  ledgerBufFree(&sig);
  ledgerBufFree(&clean);
  return rc;
}

int emuLedgerClose(Emu *p, LedgerError *pErr) {
  int rc = LEDGER_OK;
  if( p->pLedger->pTimer ) event_free(p->pLedger->pTimer);
  p->pLedger->pTimer = NULL;
  p->pLedger->pWaiting = NULL; /* nobody is called any more */
  p->pLedger->bServing = 0;
  /* An election that is not written yet is made by the next start. */
  if( p->pStore == NULL || p->pLedger->head.committed.seqno == 0 ||
      p->bBroken || p->pLedger->eRefuse ) {
    return LEDGER_OK;
  }
  /* The writes of a primary that is cut off are lost; the next start is an
  ** election. */
  if( p->pLedger->bCut ) return LEDGER_OK;
  rc = emuLedgerSign(p, pErr);
  if( rc == LEDGER_OK ) rc = emuStoreBegin(p->pStore, pErr);
  if( rc == LEDGER_OK ) {
    rc = emuStoreMetaPut(p->pStore, "clean", "1", 1, pErr);
  }
  if( rc == LEDGER_OK ) rc = emuStoreCommit(p->pStore, pErr);
  return rc;
}
