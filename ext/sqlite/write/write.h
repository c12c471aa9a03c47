/*
** The face of sqlite/write: rows that wait for COMMIT, and their way to the
** ledger.
**
** Invariant: a row is sent by one sender (write/send.c), whoever keeps it: the
** queue of a transaction, ledger_append(), or the outbox.
*/
#ifndef LEDGER_SQLITE_WRITE_H
#define LEDGER_SQLITE_WRITE_H

#include "sqlite/conn/conn.h"

/* ---- write/queue.c: rows that wait for COMMIT ---------------------------- */

/* A row with nothing but its number and its ledger, not in any list. */
int ledgerQueuedStart(LedgerConn *p, Ledger *pLedger, LedgerQueued **ppRow,
                      LedgerError *pErr);

/* The checks that INSERT and ledger_append() share; fills *pRow (new, not in
** any list). pContents and so on are SQL values; NULL pointers are NULL. */
int ledgerQueuedNew(LedgerConn *p, Ledger *pLedger, sqlite3_value *pContents,
                    const char *zSubLedger, int nSubLedger,
                    sqlite3_value *pTags, LedgerQueued **ppRow,
                    LedgerError *pErr);

/* Puts a row at the end of the queue; takes it over. LEDGER_FULL above the
** ledger's queue_max_bytes (the row is freed). */
int ledgerQueueAdd(LedgerConn *p, LedgerQueued *pRow, LedgerError *pErr);

/* Takes the rows of pOwner with n >= iFrom (0: all) out of the queue: those not
** sent are freed, the others recorded, and no COMMIT sends them again. */
void ledgerQueueCut(LedgerConn *p, const void *pOwner, i64 iFrom);

/* ---- write/savepoints.c: the transaction methods of a table that queues -- */

/*
** The part of a writable table that follows SQLite's transaction. Savepoint
** marks are kept per table (marks shared between tables let rows through), the
** queue is shared by all tables of the connection. All but pConn starts as 0.
*/
struct LedgerSavepoints {
  LedgerConn *pConn; /* borrowed */
  i64 iBegin;        /* LedgerQueue.iNext at xBegin */
  int bBegun;        /* within a transaction, and in LedgerQueue.pTables */
  int nMark;         /* savepoint marks */
  int nMarkAlloc;
  struct LedgerMark *aMark; /* ascending by savepoint (sqlite3_free) */
  LedgerSavepoints *pNext;  /* the next one within the transaction */
};

void ledgerSavepointsClear(LedgerSavepoints *p);
int ledgerSavepointsHasRows(const LedgerSavepoints *p); /* waiting for COMMIT */
void ledgerSavepointsBegin(LedgerSavepoints *p);
int ledgerSavepointsSet(LedgerSavepoints *p, int iSavepoint);
void ledgerSavepointsRelease(LedgerSavepoints *p, int iSavepoint);
void ledgerSavepointsRollbackTo(LedgerSavepoints *p, int iSavepoint);
void ledgerSavepointsEnd(LedgerSavepoints *p); /* xCommit and xRollback */

/* ---- write/lock.c: the local half of COMMIT ------------------------------ */

/* Takes the locks that the local COMMIT will need, so that it can't fail once
** the ledger has recorded. LEDGER_BUSY when another connection reads. */
int ledgerLockForCommit(LedgerConn *p, LedgerError *pErr);

/* Whether an attempt that ended with the result code rc is to be made again:
** another connection holds the database, and *pmsWait, what is left of
** busy_timeout, isn't over. It waits a moment of it. SQLite's own busy handler
** does not look for an interrupt; this sets LEDGER_INTERRUPT, and ends. */
int ledgerLockAgain(LedgerConn *p, int rc, int *pmsWait, LedgerError *pErr);

/* ---- write/commit.c: COMMIT ---------------------------------------------- */

/* xSync: locks what COMMIT will need, sends the queue, waits for the ledgers.
** Called again (after LEDGER_BUSY, or by the next table) it goes on where it
** stopped. */
int ledgerCommit(LedgerConn *p, LedgerError *pErr);

/* Sends one row at once and waits as the option says; the row's state tells
** what became of it. The row is recorded. *pId is its id, if it has one. */
int ledgerCommitRow(LedgerConn *p, LedgerQueued *pRow, LedgerTxid *pId,
                    LedgerError *pErr);

/* ---- write/head.c: a committed state ------------------------------------- */

/* A state that is committed: what is sent later lies behind it. zSubLedger is
** what is read for it; NULL is the default one. bWitness: the node that answers
** says itself that it is committed; else it may be one known already. */
int ledgerHeadCommitted(Ledger *pLedger, const char *zSubLedger, int bWitness,
                        LedgerTxid *pState, LedgerError *pErr);

/* ---- write/send.c: rows on their way to a ledger ------------------------- */

/* Rows of one ledger that are sent together. The caller fills the first part
** and zeroes the rest. */
typedef struct LedgerSend LedgerSend;
struct LedgerSend {
  LedgerConn *pConn;
  Ledger *pLedger; /* of all rows; borrowed */
  int nRow;
  LedgerQueued **apRow; /* in their order; borrowed */
  int bWait;            /* until they are committed */
  int bSettle;          /* what became of rows without an answer is found out,
                          ** and those that are absent are sent again */
  i64 msSettle;         /* an append is carried out within, or never */
  int nRefusedMost;     /* so many rows refused one after another end it; 0:
                          ** the first one does */
  /* Whether the entry with this id is known to be another row's. NULL: ask the
  ** rows and the record only. */
  int (*xTaken)(void *pArg, const LedgerQueued *pRow, LedgerTxid id,
                int *pbTaken, LedgerError *pErr);
  void *pArg;

  int nEnded;   /* rows of batches before this one that came to an end */
  int nRefused; /* rows refused since the last one that was accepted */
  const LedgerQueued *pDoubt; /* row that has one entry too many ... */
  LedgerTxid doubt;           /* ... this one; else NULL */

  LedgerSession *pSession; /* of this round; borrowed from pLedger */
  LedgerTxid before;       /* id of the session's last row, or the round's */
  int bOver;               /* the round is: nothing more is sent */
  int nLost;               /* rows that it took back */
  LedgerError why;         /* why the round ended, if not an error yet; who
                           ** calls ledgerSendRound() clears it in the end */
  int nProgress;           /* rows that have come to an end */
  int nStall;              /* rounds since then */
  int nWhy;                /* ... the last ones that ended for a reason */
  i64 tWhy;                /* ledgerClockMs() at the first of these */
};

/* Sends the rows that are LEDGER_QUEUED, round after round, until all are at an
** end, or an error. LEDGER_BUSY: every row is certainly sent, or certainly not,
** and a second call goes on. LEDGER_IOERR, LEDGER_CONSTRAINT, LEDGER_AUTH: a
** row is refused, or stays unknown; its zError says why. */
int ledgerSend(LedgerSend *p, LedgerError *pErr);

/* One round. Without an error each row is committed (with bWait 0 maybe only
** pending), refused, or queued since it is certainly not recorded. */
int ledgerSendRound(LedgerSend *p, LedgerError *pErr);

/* After a round that left rows queued: pauses where that makes sense, or gives
** up with LEDGER_BUSY when nothing comes to an end. */
int ledgerSendAgain(LedgerSend *p, LedgerError *pErr);

/* ---- write/settle.c: what became of rows that were sent ------------------ */

#define LEDGER_BARRIER_SUB_LEDGER "ledger_reconcile"

/* How many of the rows are in this state. */
int ledgerSettleCount(const LedgerSend *p, int eState);

/* Waits for the rows that are LEDGER_PENDING: each is committed then, or queued
** again where a change of view took it back (nLost counts these). */
int ledgerSettleAccepted(LedgerSend *p, LedgerError *pErr);

/* Looks for the appends that are LEDGER_UNKNOWN: found, one is committed;
** absent for good, it is queued again. An error leaves those open that are. */
int ledgerSettleUnknown(LedgerSend *p, LedgerError *pErr);

/* ---- write/change_send.c: one change that is not an append --------------- */

typedef struct LedgerWords LedgerWords; /* table/words.c */
typedef struct LedgerChangeSend LedgerChangeSend;

/* What the changes of a table are, and how one is sent: one of these stands in
** the file of each table that is written. */
struct LedgerChangeKind {
  const char *zName; /* "user": ledger_appends.kind, and in messages */

  /* Whether the API version in use can carry the change: it offers this route,
  ** or xCheck says so; LEDGER_OK while it isn't known. */
  const LedgerRoute *pNeeded;
  int (*xCheck)(const LedgerQueued *pRow, LedgerError *pErr);

  /* Does what the row wants, by ledgerChangeSendWrite() and
  ** ledgerChangeSendRead(). */
  int (*xSend)(LedgerChangeSend *p, LedgerError *pErr);
  const LedgerWords *pWords; /* for ledgerWordsSend(), or NULL */
};

/* A row under way. */
struct LedgerChangeSend {
  LedgerQueued *pRow;
  LedgerClient *pClient;
  int bSent;        /* a write of this row was accepted */
  LedgerTxid after; /* the last one; it isn't known to be taken back */
};

/* Sends one write and waits for its answer; *ppCall keeps it (ledgerCallFree).
** The row's state says what became of it. */
int ledgerChangeSendWrite(LedgerChangeSend *p, const char *zMethod,
                          const LedgerRoute *pRoute, const char *zKey,
                          const char *zBody, LedgerCall **ppCall,
                          LedgerError *pErr);

/* Reads what the ledger holds, behind what was sent; *ppCall owns *ppDoc, which
** is NULL where there is nothing. */
int ledgerChangeSendRead(LedgerChangeSend *p, const LedgerRoute *pRoute,
                         const char *zKey, LedgerCall **ppCall,
                         LedgerJson **ppDoc, LedgerError *pErr);

/* Waits until the last write is committed. *pbLost: it was taken back, or the
** one before it, `gone`, which may be where that was answered in an earlier
** view. */
int ledgerChangeSendCommitted(LedgerChangeSend *p, LedgerTxid gone, int *pbLost,
                              LedgerError *pErr);

/* Does what the row wants, with as many requests as it takes; its state says
** what became of it. */
int ledgerChangeSendRow(LedgerQueued *pRow, LedgerError *pErr);

#endif /* LEDGER_SQLITE_WRITE_H */
