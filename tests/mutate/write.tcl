# Mutants of COMMIT and ledger_flush(): each row once, in order, and what is
# told of it is so.

# Not here: that a round is over once its session is (send.c: bOver). What an ended
# session is given fails as certainly not sent, and ends the round.
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

rule {what became of a row is proved, or it stays open}
set T ext/sqlite/write/settle.c
mutant $T append/reconcile {return bOver || (pRow->iView && to.view > pRow->iView);} {return 1;}
mutant $T append/reconcile \
  {return bOver || (pRow->iView && to.view > pRow->iView);} \
  {return bOver || to.view > pRow->iView;}

rule {COMMIT fails as BUSY only while all rows are certain}
set C ext/sqlite/write/commit.c
mutant $C append/wait_ended \
  {if( pRow->eState != LEDGER_PENDING || pRow->pKind ) return 0;} \
  {}
mutant $C append/wait_ended \
  {if( rc == LEDGER_IOERR && commitIsCertain(&batch) )} \
  {if( 0 )}
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
set Q ext/sqlite/write/queue.c
mutant $Q append/append {if( p->nContents > LEDGER_MAX_CONTENTS )} {if( 0 )}
mutant $Q append/append {if( !ledgerUtf8Valid(z, p->nContents) )} {if( 0 )}
mutant $Q append/append \
  {n > LEDGER_MAX_SUB_LEDGER || strlen(z) != (size_t)n ||} \
  {strlen(z) != (size_t)n ||}
mutant $Q append/append {if( p->queue.nByte + nByte > nMax )} {if( 0 )}
mutant $Q append/savepoint \
  {if( pRow->pOwner != pOwner || pRow->n < iFrom ||} \
  {if( pRow->pOwner != pOwner ||}
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
mutant $F outbox/outbox \
  {  if( !sqlite3_get_autocommit(flush.pConn->db) ||} \
  {  if( 0 ||}
mutant $F outbox/outbox {if( bOpen && flushSettle(p, pErr) ) break;} {}
set O ext/sqlite/outbox/local.c
mutant $O outbox/power \
  {  for( i = 0; i < 2 && p->bSync && rc == SQLITE_OK; i++ )} \
  {  for( i = 0; i < 0; i++ )}
mutant $O outbox/power {return p->bFolder ? outboxSyncFolder(p, pErr) : 0;} {return 0;}
mutant $O outbox/outbox \
  {rc = sqlite3_exec(p->pLock, "BEGIN EXCLUSIVE", NULL, NULL, NULL);} \
  {rc = SQLITE_OK;}
mutant $O outbox/settle \
  {" AND o.state = 'committed' AND o.id <> w.id"} \
  {" AND o.state = 'x' AND o.id <> w.id"}
