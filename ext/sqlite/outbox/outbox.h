/*
** The face of sqlite/outbox: what local.c, the local half of the outbox, offers
** to flush.c, its remote half.
*/
#ifndef LEDGER_SQLITE_OUTBOX_H
#define LEDGER_SQLITE_OUTBOX_H

#include "sqlite/write/write.h"

typedef struct LedgerOutbox LedgerOutbox;
typedef struct LedgerOutboxRow LedgerOutboxRow;
typedef struct LedgerOutboxRows LedgerOutboxRows;

/* One row of main.ledger_outbox, as it was read. */
struct LedgerOutboxRow {
  i64 id;
  sqlite3_value *pContents; /* owned */
  sqlite3_value *pTags;     /* owned */
  char *zSubLedger;         /* sqlite3_free */
  int nSubLedger;           /* its bytes: a NUL may be among them */
  char *zSentTo;            /* sqlite3_free; NULL unless it is being sent */
  LedgerTxid head;          /* its entry, if there is one, is behind it */
  i64 tSent;                /* when; of one that failed, when that was known */

  /* What becomes of it: ledgerOutboxRecord() writes this down */
  int eState;           /* LEDGER_SENDING (as it was read: to be settled),
                        ** QUEUED, COMMITTED or ROW_REFUSED */
  LedgerTxid tx;        /* the id that the ledger answered, or was found */
  char *zError;         /* what went wrong (sqlite3_free), or NULL. Of one
                          ** that was read: NULL while it is under way */
  LedgerQueued *pQueue; /* its line of ledger_appends to be; owned */
};

/* Rows in the order of their ids. */
struct LedgerOutboxRows {
  int nRow, nAlloc;
  LedgerOutboxRow *aRow; /* sqlite3_free */
};
void ledgerOutboxRowsClear(LedgerOutboxRows *p);

/* The outbox of a connection while it is being flushed. */
struct LedgerOutbox {
  LedgerConn *pConn;
  sqlite3 *db;
  sqlite3 *pLock; /* holds the lock, or NULL: nobody else can see the outbox */
  int msBusy;     /* the user's busy_timeout, to be put back */
  int bSync;   /* synchronous is below FULL: what is written is synced here */
  int bFolder; /* so is the folder: a deleted journal must stay deleted */
  int bFailed; /* a statement failed, or a sync: the database's fault */
};

/* Makes sure that this is the only flush of the database, waiting as long as
** busy_timeout says. LEDGER_BUSY when another goes on. */
int ledgerOutboxOpen(LedgerConn *pConn, LedgerOutbox *p, LedgerError *pErr);
void ledgerOutboxClose(LedgerOutbox *p);

/* Gives rows that wait and name no ledger the name `main`. Where several are
** attached (bSeveral) there is no telling which is meant: an error. */
int ledgerOutboxNameRows(LedgerOutbox *p, int bSeveral, LedgerError *pErr);

/* The names of the ledgers that rows wait for, in the order of their oldest
** row: an array of *pn texts, in one allocation (sqlite3_free). */
int ledgerOutboxLedgers(LedgerOutbox *p, char ***pazName, int *pn,
                        LedgerError *pErr);

/* The rows that a flush may take: those with iDone < id <= iLast, but the ones
** in `ahead`. */
typedef struct LedgerOutboxLimits LedgerOutboxLimits;
struct LedgerOutboxLimits {
  i64 iDone;
  i64 iLast;
  LedgerBuf ahead; /* ids with commas */
};

/* The highest id of the rows that wait for a ledger now; 0 where none does. */
int ledgerOutboxLast(LedgerOutbox *p, const char *zLedger, i64 *piLast,
                     LedgerError *pErr);

/* Marks up to nMax queued rows of a ledger as being sent, the lowest ids first,
** and reads them. The mark is on disk when this returns. */
int ledgerOutboxClaim(LedgerOutbox *p, const char *zLedger, LedgerTxid head,
                      const char *zSentTo, const LedgerOutboxLimits *pLimits,
                      int nMax, LedgerOutboxRows *pRows, LedgerError *pErr);

/* Reads the rows that were being sent, to a ledger of this name or URL. */
int ledgerOutboxUnsettled(LedgerOutbox *p, const char *zLedger,
                          const char *zSentTo, LedgerOutboxRows *pRows,
                          LedgerError *pErr);

/* Writes down what became of the rows of a batch, in one statement. Where they
** were sent one after another (bInOrder), the head of a row that stays
** `sending` is raised above what rows before it, which were answered before it
** was sent, have committed: so it is not taken for theirs, though they may be
** deleted the moment they are committed. Of rows sent at the same time any may
** be first. */
int ledgerOutboxRecord(LedgerOutbox *p, const LedgerOutboxRows *pRows,
                       int bInOrder, LedgerError *pErr);

/* Whether another row of the outbox, of the same contents as row iRow, is known
** to be the entry with this id. A lagging node may have told the head of iRow:
** then what stands behind it may be older than the row. */
int ledgerOutboxHeld(LedgerOutbox *p, LedgerTxid id, i64 iRow, int *pbHeld,
                     LedgerError *pErr);

/* Appends how many rows of the ledger wait, and the id of the first, if any do;
** accepted is the last id whose commit was not seen, or 0. */
void ledgerOutboxLeft(LedgerOutbox *p, const char *zLedger, LedgerTxid accepted,
                      LedgerBuf *pLeft);

#endif /* LEDGER_SQLITE_OUTBOX_H */
