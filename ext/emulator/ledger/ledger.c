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
**     election, since what was pending then is gone.
*/
#include "emulator/emu.h"

#include <event2/event.h>
#include <string.h>

/* Gives the transaction its id, adds it to store and tree. */
static int ledgerAdd(Emu *p, EmuTxn *pTxn, int64_t iCollection,
                     LedgerError *pErr) {
  EmuLedger *pLedger = &p->ledger;
  unsigned char aWriteSet[EMU_HASH], aLeaf[EMU_HASH];
  int rc;
  pTxn->id.view = pLedger->iView;
  pTxn->id.seqno = pLedger->last.seqno + 1;
  emuDigestTxn(pTxn, p->keys.aSecret, aWriteSet, aLeaf);
  if( pTxn->eKind == EMU_SIGNATURE ) pTxn->nContents = 0; /* has its table */
  rc = emuStoreTxnPut(p->pStore, pTxn, iCollection, aWriteSet, pErr);
  if( rc == LEDGER_OK ) {
    rc = emuTreeAppend(&pLedger->tree, p->pStore, aLeaf, pErr);
  }
  if( rc == LEDGER_OK ) pLedger->last = pTxn->id;
  return rc;
}

/* Creates what an entry needs: its collection and its tags. */
static int ledgerIndexEntry(Emu *p, const EmuTxn *pTxn, int64_t *piCollection,
                            LedgerError *pErr) {
  int64_t iSeqno = p->ledger.last.seqno + 1;
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

/* Answers the requests that wait. */
static void ledgerWake(Emu *p, int bLost) {
  EmuReq *pReq = p->ledger.pWaiting;
  p->ledger.pWaiting = NULL;
  while( pReq ) {
    EmuReq *pNext = pReq->pNextWaiting;
    pReq->pNextWaiting = NULL;
    if( bLost ) {
      emuReqError(pReq, 503, "TransactionRolledBack",
                  "The transaction could not be committed and was rolled "
                  "back, please retry.");
    } else {
      emuReceiptInline(pReq);
    }
    emuReqSend(pReq);
    pReq = pNext;
  }
}

int emuLedgerSeal(Emu *p, LedgerError *pErr) {
  EmuLedger *pLedger = &p->ledger;
  unsigned char aRoot[EMU_HASH];
  EmuTxn txn = {0};
  LedgerBuf sig = {0}, payload = {0};
  int rc = emuStoreBegin(p->pStore, pErr);
  if( rc ) goto out;
  emuTreeRoot(&pLedger->tree, aRoot);
  rc = emuSignRoot(p->keys.pNode, aRoot, &sig, pErr);
  if( rc ) goto out;
  ledgerBufAppend(&payload, aRoot, EMU_HASH);
  ledgerBufAppend(&payload, sig.z, sig.n);
  ledgerBufText(&payload, p->keys.zNodeId);
  if( payload.bOom ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  txn.eKind = EMU_SIGNATURE;
  txn.zContents = payload.z;
  txn.nContents = payload.n;
  rc = ledgerAdd(p, &txn, 0, pErr);
  if( rc == LEDGER_OK ) {
    rc =
        emuStoreSigPut(p->pStore, txn.id, aRoot, &sig, p->keys.iNodeCert, pErr);
  }
out:
  ledgerBufFree(&sig);
  ledgerBufFree(&payload);
  return rc;
}

int emuLedgerCommit(Emu *p, LedgerError *pErr) {
  EmuLedger *pLedger = &p->ledger;
  int rc = emuTreeFlush(&pLedger->tree, p->pStore, pErr);
  if( rc == LEDGER_OK ) rc = emuStoreCommit(p->pStore, pErr);
  if( rc == LEDGER_OK ) {
    pLedger->committed = pLedger->last;
    pLedger->treeCommitted = pLedger->tree;
  }
  return rc;
}

int emuLedgerSign(Emu *p, LedgerError *pErr) {
  int rc = LEDGER_OK;
  if( p->ledger.last.seqno == p->ledger.committed.seqno || emuSessionsCut(p) ) {
    return LEDGER_OK;
  }
  rc = emuLedgerSeal(p, pErr);
  if( rc == LEDGER_OK ) rc = emuLedgerCommit(p, pErr);
  if( rc == LEDGER_OK ) ledgerWake(p, 0);
  return rc;
}

/* Forgets what is pending. */
static void ledgerRollback(Emu *p) {
  EmuLedger *pLedger = &p->ledger;
  emuStoreRollback(p->pStore);
  pLedger->tree = pLedger->treeCommitted;
  pLedger->last = pLedger->committed;
}

/*
** A change of keys in a transaction of its own, nothing else being pending;
** bSeal: with a signature. Keys and ledger are as before when it fails.
*/
static int ledgerChange(Emu *p, int eChange, int bSeal, LedgerError *pErr) {
  EmuKeys old;
  int bChanged = 0, rc = emuStoreBegin(p->pStore, pErr);
  if( rc == LEDGER_OK ) {
    rc = emuKeysChange(&p->keys, p->pStore, p->zLedgerId, p->zCurve, eChange,
                       &old, pErr);
    bChanged = rc == LEDGER_OK;
  }
  if( rc == LEDGER_OK && bSeal ) rc = emuLedgerSeal(p, pErr);
  if( rc == LEDGER_OK ) rc = emuLedgerCommit(p, pErr);
  if( rc ) {
    ledgerRollback(p);
    if( bChanged ) {
      emuKeysFree(&p->keys);
      p->keys = old;
    }
  } else {
    emuKeysFree(&old);
    if( p->ledger.bServing && eChange != EMU_CHANGE_RENEW ) {
      rc = emuServerRenew(p->pServer, pErr);
    }
    if( p->ledger.bServing && eChange != EMU_CHANGE_NODE && rc == LEDGER_OK ) {
      rc = emuKeysExport(&p->keys, p->zDir, pErr);
    }
  }
  return rc;
}

int emuLedgerElect(Emu *p, int eSessions, LedgerError *pErr) {
  int rc;
  ledgerRollback(p);
  p->ledger.iView++;
  rc = ledgerChange(p, EMU_CHANGE_NODE, 1, pErr);
  emuSessionsChange(p, eSessions);
  ledgerWake(p, 1);
  return rc;
}

int emuLedgerRecover(Emu *p, int eSessions, LedgerError *pErr) {
  int rc;
  ledgerRollback(p);
  p->ledger.iView += 2;
  rc = ledgerChange(p, EMU_CHANGE_SERVICE, 1, pErr);
  emuSessionsChange(p, eSessions);
  ledgerWake(p, 1);
  return rc;
}

int emuLedgerRenew(Emu *p, LedgerError *pErr) {
  int rc = emuSessionsCut(p) ? emuLedgerElect(p, EMU_SESSIONS_LOST, pErr)
                             : emuLedgerSign(p, pErr);
  return rc ? rc : ledgerChange(p, EMU_CHANGE_RENEW, 0, pErr);
}

/*
** A write that failed: SQLite may have undone part of it or all that is
** pending, so the ledger goes back to what is committed. If that fails too,
** the emulator ends.
*/
void emuLedgerGiveUp(Emu *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  if( emuLedgerElect(p, EMU_SESSIONS_DEFAULT, &err) != LEDGER_OK ) {
    emuWarn("%s", ledgerErrorText(&err));
    p->bBroken = 1;
    event_base_loopbreak(p->pBase);
  }
  ledgerErrorClear(&err);
}

/* The timer: signs. */
static void ledgerTick(evutil_socket_t fd, short what, void *pArg) {
  Emu *p = pArg;
  LedgerError err = LEDGER_ERROR_INIT;
  (void)fd;
  (void)what;
  if( p->ledger.bHold || emuSessionsCut(p) ) return;
  if( emuLedgerSign(p, &err) != LEDGER_OK ) {
    emuWarn("%s", ledgerErrorText(&err));
    emuLedgerGiveUp(p);
  }
  ledgerErrorClear(&err);
}

void emuLedgerArm(Emu *p) {
  struct timeval tv = {0, p->args.msSignature * 1000L};
  EmuLedger *pLedger = &p->ledger;
  if( !pLedger->bServing || pLedger->bHold || emuSessionsCut(p) ) return;
  if( pLedger->pTimer == NULL ) {
    pLedger->pTimer = evtimer_new(p->pBase, ledgerTick, p);
  }
  if( pLedger->pTimer && !evtimer_pending(pLedger->pTimer, NULL) ) {
    evtimer_add(pLedger->pTimer, &tv);
  }
}

int emuLedgerAppend(Emu *p, EmuTxn *pTxn, LedgerTxid *pId, LedgerError *pErr) {
  int64_t iCollection = 0;
  int rc = emuStoreBegin(p->pStore, pErr);
  if( rc == LEDGER_OK && pTxn->eKind == EMU_ENTRY ) {
    rc = ledgerIndexEntry(p, pTxn, &iCollection, pErr);
  }
  if( rc == LEDGER_OK ) rc = ledgerAdd(p, pTxn, iCollection, pErr);
  if( rc ) {
    if( p->ledger.bServing ) emuLedgerGiveUp(p);
    return rc;
  }
  *pId = pTxn->id;
  emuLedgerArm(p);
  return LEDGER_OK;
}

void emuLedgerWait(Emu *p, EmuReq *pReq) {
  pReq->bWaiting = 1;
  pReq->pNextWaiting = p->ledger.pWaiting;
  p->ledger.pWaiting = pReq;
}

int emuLedgerCreate(Emu *p, LedgerError *pErr) {
  static const unsigned char aZero[EMU_HASH];
  EmuTxn txn = {0};
  int rc;
  p->ledger.iView = 2;
  emuTreeInit(&p->ledger.tree);
  rc = emuTreeAppend(&p->ledger.tree, p->pStore, aZero, pErr);
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
  EmuLedger *pLedger = &p->ledger;
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
      !emuVerifyRoot(p->keys.pNode, aRoot, sig.z, sig.n) ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s is damaged: its last signature is not one over "
                        "its tree",
                        p->args.zData);
    goto out;
  }
  rc = emuTreeLoad(&pLedger->tree, p->pStore, last.seqno + 1, pErr);
  if( rc ) goto out;
  pLedger->treeCommitted = pLedger->tree;
  pLedger->last = pLedger->committed = last;
  pLedger->iView = last.view;
  rc = emuStoreMetaGet(p->pStore, "clean", &clean, pErr);
  if( rc == LEDGER_OK ) rc = emuStoreBegin(p->pStore, pErr);
  if( rc == LEDGER_OK && !emuIs(clean.z, clean.n, "1") ) {
    EmuKeys old;
    pLedger->iView++;
    rc = emuKeysChange(&p->keys, p->pStore, p->zLedgerId, p->zCurve,
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
  if( p->ledger.pTimer ) event_free(p->ledger.pTimer);
  p->ledger.pTimer = NULL;
  p->ledger.pWaiting = NULL; /* they are freed with the server */
  if( p->pStore == NULL || p->ledger.committed.seqno == 0 || p->bBroken ||
      emuSessionsCut(p) ) { /* its writes go; the next start is an election */
    return LEDGER_OK;
  }
  rc = emuLedgerSign(p, pErr);
  if( rc == LEDGER_OK ) rc = emuStoreBegin(p->pStore, pErr);
  if( rc == LEDGER_OK ) {
    rc = emuStoreMetaPut(p->pStore, "clean", "1", 1, pErr);
  }
  if( rc == LEDGER_OK ) rc = emuStoreCommit(p->pStore, pErr);
  return rc;
}
