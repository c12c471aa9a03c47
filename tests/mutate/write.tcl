# Mutants of COMMIT and ledger_flush(): each row once, in order, and what is
# told of it is so.

# Not here, since nobody could see the difference: that a round is over once its session
# is (send.c: bOver; what an ended session is given fails as certainly not sent, and ends
# the round), or once it was interrupted (what follows is interrupted as well); that the
# outbox's rows are put in order as they are read (local.c; SQLite doesn't promise the
# order of RETURNING, but keeps it), and that a head is never lowered (what is committed
# of a batch that is sent in order has rising ids).
rule {no row is sent while the outcome of one before it is open}
set S ext/sqlite/write/send.c
mutant $S append/sessions_again \
  {if( ledgerSettleAccepted(p, pErr) || p->nLost > 0 ) break;} \
  {if( ledgerSettleAccepted(p, pErr) ) break;}
mutant $S outbox/limits \
  {if( p->apRow[i]->eState != LEDGER_QUEUED ) continue;} \
  {if( p->apRow[i]->eState == LEDGER_COMMITTED ) continue;}
mutant $S append/answered_twice {pRow->id.seqno <= p->before.seqno)} {0)}
mutant $S append/sessions {      pRow->eState = LEDGER_UNKNOWN;
      pRow->bGateway} {      pRow->eState = LEDGER_QUEUED;
      pRow->bGateway}
mutant $S append/reconcile {      pRow->eState = LEDGER_UNKNOWN;
      pRow->bGateway} {      pRow->eState = LEDGER_ROW_REFUSED;
      pRow->bGateway}
mutant $S append/gateway \
  {pRow->bGateway = ledgerAppendQueued(pCall);} \
  {pRow->bGateway = 0;}
mutant $S append/reconcile {      pRow->eState = LEDGER_ROW_REFUSED;
      pRow->rcError = rc} {      pRow->eState = LEDGER_QUEUED;
      pRow->rcError = rc}
mutant $S append/sessions \
  {pRow->iView = p->pSession ? ledgerSessionView(p->pSession) : 0;} \
  {pRow->iView = 1;}
mutant $S append/wait_ended \
  {append.bWait = p->nRow == 1 && ledgerClientConfig(pClient)->waitForCommit;} \
  {
  append.bWait = ledgerClientConfig(pClient)->waitForCommit;}
mutant $S append/reconcile \
  {pRow->before = facts.committed;} \
  {}
mutant $S append/sessions_again \
  {if( rc == LEDGER_OK ? p->bOver || p->bWait : sendAsksOn(p) )} \
  {if( rc == LEDGER_OK ? p->bWait : sendAsksOn(p) )}
mutant $S append/sessions_again \
  {if( pRow->eState == LEDGER_COMMITTED && pRow->id.seqno > id.seqno )} \
  {if( 0 )}
mutant $S append/reconcile {  sendSayOrder(p);} {}
mutant $S append/sessions \
  {if( sendSession(p, pErr) || sendCheck(p, pErr) ) return pErr->rc;} \
  {if( sendSession(p, pErr) ) return pErr->rc;}
mutant $S append/sessions_again \
  {return ++p->nStall > SEND_STALL ? sendGiveUp(p, pErr) : LEDGER_OK;} \
  {return LEDGER_OK;} hangs
mutant ext/client/api/gateway.c append/gateway {  pAnswer->bQueued = 1;} {}
mutant $S append/sessions_again {: p->bOver || (p->before.view &&
                                        p->before.view != pRow->id.view);} {: p->bOver;}
mutant $S append/reconcile {if( facts.committed.seqno && !p->pLedger->bUnsettled )} \
  {if( facts.committed.seqno )}
mutant $S append/reconcile {while( *pp == NULL || p->pLedger->bUnsettled )} \
  {while( *pp == NULL )}
mutant $S append/sessions {      if( rc == LEDGER_BUSY && p->pSession &&
          ledgerSessionEnded(p->pSession) )} {      if( 0 )}
mutant $S append/sessions_again {  if( ledgerSettleAccepted(p, pErr) ) return pErr->rc;
  p->bOver = 0;} {  p->bOver = 0;}
mutant $S append/answer_lost \
  {LedgerCall *pCall = ledgerWindowTake(&window, why.rc ? 0 : iDone, &iRow);} \
  {LedgerCall *pCall = ledgerWindowTake(&window, 0, &iRow);}
mutant $S users/commit {      if( pWindow->nUsed > 0 ) return;} {}

rule {what became of a row is proved, or it stays open}
set T ext/sqlite/write/settle.c
mutant $T append/reconcile {return bOver || (pRow->iView && to.view > pRow->iView);} {return 1;}
mutant $T append/reconcile \
  {return bOver || (pRow->iView && to.view > pRow->iView);} \
  {return bOver || to.view > pRow->iView;}
mutant $T append/lagging_node \
  {return to.seqno >= pRow->id.seqno || to.view > pRow->id.view;} {return 1;}
mutant $T append/gateway {if( settleMayCome(p, pRow) ) return 0;} {}
mutant $T append/lagging_node \
  {      (pPage->head.seqno >= to.seqno && pPage->head.view >= to.view) )} \
  {      1 )}
mutant $T outbox/settle \
  {if( ledgerTxidCompare(pRow->id, pEntry->id) == 0 ) iHint = i;} \
  {if( pRow->id.seqno == pEntry->id.seqno ) iHint = i;}
mutant $T outbox/settle \
  {else if( iFirst < 0 && pEntry->id.seqno > pRow->before.seqno )} \
  {else if( iFirst < 0 )}
mutant $T outbox/settle \
  {return pRow->nContents == n && memcmp(pRow->zContents, z, n) == 0;} \
  {return pRow->nContents == n;}
mutant $T append/reconcile \
  {if( pMatch->iGiven >= 0 || pMatch->iRow < 0 ) continue;} \
  {if( pMatch->iRow < 0 ) continue;}
mutant $T outbox/settle \
  {if( *pbTaken || pSend->xTaken == NULL ) return LEDGER_OK;} \
  {return LEDGER_OK;}
mutant $T append/reconcile \
  {*pbTaken = ledgerAppendedTaken(pSend->pConn, pSend->pLedger, id, pRow);} \
  {*pbTaken = 0;}
mutant $T append/reconcile \
  {*pbTaken = pRow->id.seqno == id.seqno && pRow->eState != LEDGER_UNKNOWN;} \
  {*pbTaken = 0;}
mutant ext/sqlite/conn/appended.c append/reconcile \
  {(pRow->eState == LEDGER_COMMITTED || pRow->id.view == id.view) &&} \
  {0 &&}
mutant ext/sqlite/conn/appended.c outbox/settle \
  {(pFor->iOutbox == 0 || pRow->iOutbox != pFor->iOutbox)} {1} hangs
mutant $T append/sessions_again {  p->nLost++;} {}
mutant $T append/answered_twice {if( settleTwice(apRow, n, pErr) ) break;} {}
mutant $T append/sessions \
  {for( i = iHigh; i < n; i++ ) settleLost(p, apRow[i]);} \
  {for( i = iHigh; i < n; i++ ) settleCommitted(apRow[i]);}
mutant $T append/settle_requests \
  {if( p->barrier.seqno == 0 && p->bOpen ) settleBarrierFind(p, &err);} \
  {}
mutant $T append/sessions \
  {if( !*pbOver || !settleCanEnd(pSend) ) goto out;} \
  {if( !*pbOver ) goto out;}
mutant $T append/answer \
  {if( pRow->bOtherSubLedger ) return; /* it} \
  {if( 0 ) return; /* it}
mutant $T users/commit {pRow->pKind == NULL && pRow->eState == LEDGER_UNKNOWN &&} \
  {pRow->eState == LEDGER_UNKNOWN &&}
mutant $S users/commit {    return pErr->rc; /* a change that is not an append */} \
  {    ledgerErrorClear(pErr);}
mutant $S append/answer {    if( p->apRow[i]->bOtherSubLedger ) return 1;} {}
mutant $T append/reconcile {  if( bTaken ) return LEDGER_OK;} {}
mutant $T outbox/settle \
  {if( range.from.seqno == 0 || from.seqno < range.from.seqno )} \
  {if( range.from.seqno == 0 || from.seqno > range.from.seqno )}
mutant $T append/settle_requests {  range.to = to;} {}
mutant $T outbox/settle \
  {for( k = bAny ? kFirst : kNext; k < p->nMatch; k++ )} \
  {for( k = kFirst; k < p->nMatch; k++ )}
mutant $T append/reconcile_foreign {    if( pMatch->iGiven >= 0 ) continue;
    pSend->pDoubt} {    continue;
    pSend->pDoubt}
mutant $T append/reconcile_foreign \
  {if( pErr->rc != LEDGER_IOERR && pErr->rc != LEDGER_BUSY ) break;} {}
mutant $T append/settle_requests \
  {    if( settleIsOpen(pRow, NULL) && pRow->before.seqno < to.seqno )} {    if( 0 )}
mutant $T outbox/settle {      if( pRow->id.seqno ) {
        settleLost(p, pRow);
        continue;
      }} {}
mutant $T append/answered_twice {      eState == LEDGER_TX_INVALID )} {      0 )}
mutant $T append/answered_twice {if( pEntry->nContents == strlen(p->zBarrier) &&
          memcmp(pEntry->zContents, p->zBarrier, pEntry->nContents) == 0 )} {if( 1 )}
mutant $T append/settle_requests \
  {if( eOutcome == LEDGER_OUTCOME_UNKNOWN && pErr->rc == LEDGER_ERROR )} {if( 0 )}
mutant $T append/sessions {*pbOver = *pnOpen > 0 && settleLeft(pSend) == 0;} \
  {*pbOver = *pnOpen > 0;}
mutant $T append/lagging_node \
  {ledgerHeadCommitted(pSend->pLedger, zSubLedger, 1, &to, pErr)} \
  {ledgerHeadCommitted(pSend->pLedger, zSubLedger, 0, &to, pErr)}
mutant $T append/reconcile_lag "  if( p->barrier.seqno == 0 ) {\n    if( ledgerHead" \
  "  if( 1 ) {\n    if( ledgerHead"
set H ext/sqlite/write/head.c
mutant $H append/lagging_node {if( !bWitness ) return LEDGER_OK;} {return LEDGER_OK;}
mutant $H outbox/settle \
  {if( eState == LEDGER_TX_COMMITTED ) return LEDGER_OK;} \
  {return LEDGER_OK;}

rule {COMMIT fails as BUSY only while all rows are certain}
mutant $S append/answer_lost \
  {if( pNew->rc && (pErr->rc == LEDGER_OK || pErr->rc == LEDGER_BUSY) )} \
  {if( pNew->rc && pErr->rc == LEDGER_OK )}
set C ext/sqlite/write/commit.c
mutant $C append/reconcile \
  {  if( ledgerSettleCount(p, LEDGER_UNKNOWN) > 0 ) p->pLedger->bUnsettled = 1;} {}
mutant $C append/wait_ended \
  {if( pRow->eState != LEDGER_PENDING || pRow->pKind ) return 0;} \
  {}
mutant $C append/wait_ended \
  {if( rc == LEDGER_IOERR && commitIsCertain(&batch) )} \
  {if( 0 )}
mutant $C append/wait_ended {         (pRow->eState == LEDGER_PENDING &&
          ledgerClient} {         (0 && ledgerClient}
mutant $S append/reconcile {    if( pRow->eState == LEDGER_ROW_REFUSED && pRow->zError &&
        p->nRefusedMost == 0 )} {    if( 0 )}
mutant $C append/lock {rc = ledgerLockForCommit(p, pErr);} {rc = LEDGER_OK;}
mutant $C attach/several {if( rc ) commitOthers(p, batch.pLedger, pErr);} {}
set K ext/sqlite/write/lock.c
mutant $K append/lock {return pFd->pMethods->xLock(pFd, SQLITE_LOCK_EXCLUSIVE);} {return SQLITE_OK;}
mutant $K append/lock \
  {return rc == SQLITE_OK ? sqlite3_db_cacheflush(p->db) : rc;} \
  {return rc;}
mutant $K append/lock {if( rc || !bReserved ) return rc;} {if( rc ) return rc;}
set G ext/sqlite/write/change_send.c
mutant $G tables/hostile \
  {    if( bUnread ) pRow->eState = LEDGER_UNKNOWN;} \
  {}
mutant $G users/commit \
  {if( pRow->eState != LEDGER_UNKNOWN ) pRow->eState = LEDGER_ROW_REFUSED;} \
  {}
mutant $G users/commit {      p->bSent = 1;} {}
mutant $G users/commit {if( eState == LEDGER_TX_COMMITTED && gone.seqno &&} \
  {if( 0 && gone.seqno &&}
mutant $G users/commit {  pRow->eState = *pbLost ? LEDGER_SENDING : LEDGER_COMMITTED;} \
  {  pRow->eState = LEDGER_COMMITTED;}
mutant $G users/commit {ledgerErrorSet(pErr, rc == LEDGER_BUSY ? LEDGER_IOERR : rc,} \
  {ledgerErrorSet(pErr, rc,}
mutant $G users/commit {  *pbLost = eState == LEDGER_TX_INVALID;} {  *pbLost = 0;}
set Q ext/sqlite/write/queue.c
mutant $Q append/append {if( p->nContents > LEDGER_MAX_CONTENTS )} {if( 0 )}
mutant $Q append/append {if( !ledgerUtf8Valid(z, p->nContents) )} {if( 0 )}
mutant $Q append/append \
  {n > LEDGER_MAX_SUB_LEDGER || strlen(z) != (size_t)n ||} \
  {strlen(z) != (size_t)n ||}
mutant $Q append/append {if( p->queue.nByte + nByte > nMax )} {if( 0 )}
mutant $Q append/savepoint \
  {if( pRow->pOwner != pOwner || pRow->n < iFrom )} \
  {if( pRow->pOwner != pOwner )}
mutant $Q append/savepoint {    if( pRow->eState == LEDGER_QUEUED ) {
      ledgerQueuedFree(pRow);
    } else } {    }
mutant ext/sqlite/write/savepoints.c append/sessions_again {  ledgerQueueCut(p->pConn, p, iFrom);} \
  {  if( p->pConn->queue.pFirst && p->pConn->queue.pFirst->eState == LEDGER_QUEUED ) ledgerQueueCut(p->pConn, p, iFrom);}
set P ext/sqlite/write/savepoints.c
mutant $P append/savepoint {  i64 iFrom = p->iBegin;} {  i64 iFrom = p->pConn->queue.iNext;}
mutant $P append/savepoint \
  {p->aMark[i].iSavepoint < iSavepoint; i++} \
  {p->aMark[i].iSavepoint <= iSavepoint; i++}

rule {the outbox: marked before it is sent, written down once it is known}
set F ext/sqlite/outbox/flush.c
mutant $F outbox/settle {  p->send.xTaken = flushTaken;} {}
mutant $F outbox/settle {    apRow[i]->before = pRow->head;} {}
mutant $F outbox/late {        pRow->eState = LEDGER_SENDING;
        pRow->tSent} {        pRow->eState = LEDGER_QUEUED;
        pRow->tSent}
mutant $F outbox/order \
  {pRow->eState = pQueue->rcError == LEDGER_CONSTRAINT ? LEDGER_ROW_REFUSED
                                                            : LEDGER_QUEUED;} {pRow->eState = LEDGER_ROW_REFUSED;}
mutant $F outbox/outbox \
  {if( flushCheckSent(p, pRow, pErr) || flushQueue(p, pRow, pErr) ) goto out;} \
  {if( flushQueue(p, pRow, pErr) ) goto out;}
mutant $F append/gateway {if( ledgerClientConfig(p->pClient)->tlsPublic )} {if( 0 )}
mutant $F append/gateway {if( pQueue->bGateway )} {if( 0 )}
mutant $F outbox/settle {        ledgerTxidCompare(pRow->tx, p->head) > 0 )} {        0 )}
mutant $S outbox/order {if( p->nRefusedMost && pRow->rcError == LEDGER_CONSTRAINT ) break;} \
  {if( p->nRefusedMost ) break;}
mutant $F outbox/order {    if( p->send.nRefused >= FLUSH_REFUSED )
      break;} {}
mutant $F outbox/settle {apRow[i]->id = pRow->tx;} {}
mutant $F outbox/settle {  p->send.bSettle = 1;} {}
mutant $F outbox/limits {        if( pQueue->bOtherSubLedger )} {        if( 0 )}
mutant $F outbox/late {        pRow->eState = LEDGER_SENDING;
        pRow->tSent = ledgerClockWall();} {        pRow->eState = LEDGER_SENDING;}
mutant $F outbox/settle {  if( flushInOrder(p) ) return;} {  return;}
mutant $F outbox/late {    if( pRow->zError ) continue;} {}
mutant $F outbox/late {    pRow->tSent = ledgerClockWall();
    flushSay(} {    flushSay(}
mutant $F outbox/late \
  {if( pErr->rc == LEDGER_OK ) ledgerOutboxRecord(p->pOutbox, &found, 0, pErr);} {}
mutant $F outbox/late {pRow->tSent < tWall ? tNow - (tWall - pRow->tSent) : tNow;} \
  {tNow - (tWall - pRow->tSent);} hangs
mutant $F outbox/limits {      p->limits.iDone = pRow->id;} {      ;} hangs
mutant $F outbox/settle \
  {if( bOpen && ledgerHeadCommitted(p->pLedger, NULL, 0, &p->head, pErr) )} \
  {if( p->head.seqno == 0 && ledgerHeadCommitted(p->pLedger, NULL, 0, &p->head, pErr) )}
mutant $F outbox/outbox \
  {  if( !sqlite3_get_autocommit(flush.pConn->db) ||} \
  {  if( 0 ||}
mutant $F outbox/outbox {if( bOpen && flushSettle(p, pErr) ) break;} {}
set O ext/sqlite/outbox/local.c
mutant $O outbox/power \
  {  for( i = 0; i < 2 && p->bSync && rc == SQLITE_OK; i++ )} \
  {  for( i = 0; i < 0; i++ )}
mutant $O outbox/limits {" AND id NOT IN (SELECT value FROM json_each(?8))"} {" AND ?8 = ?8"}
mutant $O outbox/power {      pRows->nRow > 0 ) {
    p->bFailed |= outboxSync(p, pErr) != LEDGER_OK;
  }} {      pRows->nRow > 0 ) {}}
mutant $O outbox/power {return p->bFolder ? outboxSyncFolder(p, pErr) : 0;} {return 0;}
mutant $O outbox/outbox \
  {rc = sqlite3_exec(p->pLock, "BEGIN EXCLUSIVE", NULL, NULL, NULL);} \
  {rc = SQLITE_OK;}
mutant $O outbox/settle \
  {" AND o.state = 'committed' AND o.id <> w.id"} \
  {" AND o.state = 'x' AND o.id <> w.id"}
mutant $O outbox/settle {" AND o.sent_to = w.sent_to"} {""}
mutant $O outbox/settle \
  {" AND o.contents IS w.contents WHERE w.id = ?2",} \
  {" WHERE w.id = ?2",}
mutant $O outbox/limits {" AND id > ?6 AND id <= ?7"} {" AND id > ?6 AND ?7 = ?7"} hangs
mutant $O outbox/outbox \
  {" WHERE state = 'sending' AND (ledger = ?1 OR sent_to = ?2)"} \
  {" WHERE state = 'sending' AND (ledger = ?1 AND sent_to = ?2)"}
mutant $O outbox/settle \
  {if( bInOrder && pRow->eState == LEDGER_COMMITTED &&} \
  {if( 0 &&}
