/*
** What the files of the room "sqlite" share. The room turns SQL into calls of
** the room "client"; it holds no HTTP, and of the wire's JSON only the members
** that the columns of a small table show (LedgerColumn.zPath).
**
** Invariants
**   - all state hangs off one LedgerDb per SQLite connection; nothing is
**     global;
**   - xBestIndex and xConnect never touch the network;
**   - memory of this room comes from sqlite3_malloc64().
*/
#ifndef LEDGER_SQLITE_INT_H
#define LEDGER_SQLITE_INT_H

#include <sqlite3ext.h>
#ifndef LEDGER_EXTENSION_C
SQLITE_EXTENSION_INIT3
#endif

#include "../client/client.h"
#include "../receipt/receipt.h"

typedef sqlite3_int64 i64;

typedef struct Ledger Ledger;
typedef struct LedgerColumn LedgerColumn;
typedef struct LedgerDb LedgerDb;
typedef struct LedgerFunction LedgerFunction;
typedef struct LedgerIntern LedgerIntern;
typedef struct LedgerKept LedgerKept;
typedef struct LedgerQueueRow LedgerQueueRow;
typedef struct LedgerRow LedgerRow;
typedef struct LedgerRows LedgerRows;
typedef struct LedgerScope LedgerScope;
typedef struct LedgerTableSpec LedgerTableSpec;
typedef struct LedgerWriter LedgerWriter;

/* ---- connection.c: the ledgers attached to one SQLite connection ------- */

/* One attached ledger. Counted references: the attach list holds one, each
** cursor that reads it one more, so that ledger_detach() can't pull it away. */
struct Ledger {
  LedgerDb *pDb;             /* where it is attached */
  LedgerClient *pClient;     /* owned */
  char *zName;               /* the name in SQL (sqlite3_free) */
  int iSlot;                 /* upper bits of its rowids; never used again */
  int nRef;                  /* references */
  LedgerSession *pSession;   /* the last batch went by it; owned, or NULL */
  int bUnsettled;            /* an append's outcome stayed unknown */
  int bKeyConfirmed;         /* asked for again since a receipt was last good */
  unsigned char aDigest[32]; /* of the configuration it was attached with */
};

/* Everything the module knows of one SQLite connection. Freed when the last
** module, function and collation registered for it is destroyed. */
struct LedgerDb {
  sqlite3 *db;             /* the connection */
  int nRef;                /* registrations that point here */
  int bReadonly;           /* entry point sqlite3_ledgerreadonly_init */
  int nLedger;             /* attached ledgers */
  Ledger **apLedger;       /* in the order they were attached */
  int iNextSlot;           /* next Ledger.iSlot */
  int bDetached;           /* ledger_detach() was called: no environment */
  LedgerScope *pScope;     /* list: one per statement that reads */
  sqlite3_stmt *pPrepared; /* last seen being prepared, or NULL: an address */
  i64 nAnew;               /* ... how often others were prepared anew */
  i64 iStatement;          /* ... and its number */
  LedgerScope **ppOpened;  /* the cursor opened by the last call, or NULL */
  struct LedgerReplay **ppReplay; /* where that cursor takes over a buffer */
  LedgerScope *pParked;           /* a reference held for the cursor ... */
  LedgerScope **ppParked;         /* ... that holds its scope here */
  LedgerWriter *pWriter;          /* tables within a transaction */
  i64 iNextRow;                   /* next ledger_appends.n */
  LedgerQueueRow *pQueue;         /* rows of the open transaction, in order */
  LedgerQueueRow **ppQueueEnd;
  i64 nQueueByte;           /* their contents */
  LedgerQueueRow *pHistory; /* settled rows, oldest first */
  LedgerQueueRow **ppHistoryEnd;
  LedgerIntern *pIntern;    /* rowids of the small writable tables */
  int nHistory;             /* their number */
  LedgerQueueRow **apById;  /* those with an id, by its seqno: chains */
  int nById;                /* their places, a power of two, or 0 */
  i64 iLastBatch;           /* n of the last transaction's first row */
  const void *pPlanned;     /* LedgerTableSpec of the last xBestIndex */
  int bIndirect;            /* option indirect = allow */
  int bFileTables;          /* option file_tables = allow */
  int eNesting;             /* LEDGER_NESTING_*: what the self-test found */
  LedgerTxid last;          /* ledger_last_transaction_id() */
  LedgerReceiptMemo *pMemo; /* what receipts share; see ledgerDbMemo() */
  i64 tWork;                /* when a wait last let SQLite work */
  int bLoaded;              /* all names are registered */
};

int ledgerDbNew(sqlite3 *db, int bReadonly, LedgerDb **ppDb);
void ledgerDbRef(LedgerDb *p);
void ledgerDbUnref(void *p); /* a destructor for SQLite */

/*
** Finds an attached ledger. zName NULL is "main"; where nothing is attached at
** all and bEnv is set, "main" is attached from LEDGER_URL and LEDGER_OPTIONS
** first, unless one was ever detached. *ppLedger is borrowed. Not found is an
** error with its remedy.
*/
int ledgerDbFind(LedgerDb *p, const char *zName, int bEnv, Ledger **ppLedger,
                 LedgerError *pErr);

/* The name that the condition `ledger = value` gives (sqlite3_free); *pz is
** NULL for NULL and a BLOB, which name none. An SQLite code. */
int ledgerDbName(sqlite3_value *pVal, char **pz);

/* Each of the names must be that of an attached ledger, letter by letter as
** SQLite compares them: else an error that names those attached. */
int ledgerDbNamed(LedgerDb *p, int n, char *const *azName, LedgerError *pErr);

/*
** The same for what writes to a ledger: while several are attached, zName may
** not be NULL (zWhere says where the name goes: "column ledger"), and a ledger
** that may not be written to is an error.
*/
int ledgerDbFindToWrite(LedgerDb *p, const char *zName, int bEnv,
                        const char *zWhere, Ledger **ppLedger,
                        LedgerError *pErr);

/* Makes sure that something is attached, from the environment if need be. */
int ledgerDbReady(LedgerDb *p, int bEnv, LedgerError *pErr);

/* Attaches a ledger under zName ("main" if NULL) with the options object zJson
** (may be NULL). No network. The same again, as the options are resolved, does
** nothing: what the ledger's client keeps stays, and what was changed since. */
int ledgerDbAttach(LedgerDb *p, const char *zTarget, const char *zName,
                   const char *zJson, int nJson, LedgerError *pErr);
int ledgerDbDetach(LedgerDb *p, const char *zName, LedgerError *pErr);

/* The connection's memo of receipt checks, made at its first use; NULL when
** memory is short, which costs time only. */
LedgerReceiptMemo *ledgerDbMemo(LedgerDb *p);

void ledgerRef(Ledger *p);
void ledgerUnref(Ledger *p);

/* The hook given to clients, asked at least ten times a second while they wait:
** has sqlite3_interrupt() been called, or does the host's progress handler end
** the statement? */
int ledgerDbInterrupted(void *pDb);

/* ---- error.c: errors on their way to SQLite ---------------------------- */

/* To be called of what only reads, before one of the next two. For SQLITE_IOERR
** SQLite undoes the whole transaction: a ledger that can't be reached must not
** cost the caller his. Within a transaction it is SQLITE_BUSY. */
void ledgerReadFailed(sqlite3 *db, LedgerError *pErr);

/* Moves the error into a vtab's zErrMsg; returns the SQLite code. */
int ledgerVtabError(sqlite3_vtab *pVtab, LedgerError *pErr);

/* Moves the error into a function's result; the second is for functions that
** only read. */
void ledgerFunctionError(sqlite3_context *pCtx, LedgerError *pErr);
void ledgerFunctionReadError(sqlite3_context *pCtx, LedgerError *pErr);

#include "guardInt.h"
#include "readInt.h"

/* ---- tags.c: tags, written and matched --------------------------------- */

/* Reads tags as a user writes them, a JSON array or a comma list, and makes
** the comma list of the wire (malloc) or NULL when there are none. */
int ledgerTagsParse(const char *z, size_t n, char **pzWire, LedgerError *pErr);

/* The text of an expression, borrowed; *pz is NULL for NULL. */
int ledgerMatchText(sqlite3_value *pVal, const char **pz, LedgerError *pErr);

/* Is the MATCH expression well-formed? If it is one term, *pzTag is that tag
** (sqlite3_free), else NULL. */
int ledgerMatchCheck(const char *zExpr, char **pzTag, LedgerError *pErr);

/* Evaluates the expression on an entry's tags, a JSON array or NULL. */
int ledgerMatchEval(const char *zExpr, const char *zTags, int *pbMatch,
                    LedgerError *pErr);

/* The function behind MATCH where SQLite evaluates it itself. */
void ledgerMatchFunction(sqlite3_context *pCtx, int nArg,
                         sqlite3_value **apArg);

/* ---- queue.c: appends that wait for COMMIT, and what became of all ------ */

enum {
  LEDGER_QUEUED = 1,  /* waits for COMMIT */
  LEDGER_SENDING,     /* the request is under way */
  LEDGER_PENDING,     /* accepted under an id; commit not seen yet */
  LEDGER_COMMITTED,   /* recorded for good */
  LEDGER_ROW_REFUSED, /* refused by the ledger */
  LEDGER_LOST,        /* a change of view took it back */
  LEDGER_UNKNOWN      /* sent, and no answer came */
};

/* What a row of the queue changes, and how. */
enum {
  LEDGER_KIND_APPEND = 0,
  LEDGER_KIND_USER,
  LEDGER_KIND_ROLE,
  LEDGER_KIND_FUNCTION,
  LEDGER_KIND_ENDPOINT
};
enum {
  LEDGER_CHANGE_INSERT = 1, /* it was seen not to exist */
  LEDGER_CHANGE_REPLACE,    /* INSERT OR REPLACE: whether it exists or not */
  LEDGER_CHANGE_UPDATE,
  LEDGER_CHANGE_DELETE
};

/* One change that waits for COMMIT, or what became of it. */
struct LedgerQueueRow {
  LedgerQueueRow *pNext;
  LedgerQueueRow *pNextById; /* history: the next one in LedgerDb.apById */
  i64 n;                     /* ledger_appends.n */
  const void *pOwner;        /* the table that queued it */
  Ledger *pLedger;           /* counted reference while queued, else NULL */
  int iSlot;                 /* its slot */
  char *zLedger;             /* its name, for the history */
  int eKind;                 /* LEDGER_KIND_* */
  int eChange;               /* LEDGER_CHANGE_*; of an append 0 */
  char *zKey;                /* of a change: user id, name of a role, ... */
  char *zContents; /* of an append; of a change its JSON. Freed once settled
                      ** (sqlite3_free) */
  size_t nContents;
  char *zSubLedger;  /* of an append, else NULL */
  char *zTags;       /* comma list or NULL */
  char *zHooks;      /* "preHooks":[...] or NULL (sqlite3_free) */
  int eState;        /* LEDGER_QUEUED ... */
  LedgerTxid before; /* committed when it was sent: its id is above */
  i64 iView;         /* unknown: it is recorded in this view or never; or 0 */
  i64 tUnknown;      /* ... since when: ledgerNow() */
  int bElsewhere;    /* recorded in another sub-ledger than asked for */
  int bGateway;      /* a gateway queued it: it may be recorded any time */
  i64 iOutbox;       /* its row of the outbox, or 0 */
  LedgerTxid id;     /* when it has one; unknown: answered, but not seen */
  LedgerTxid lost;   /* the last one that a change of view took back */
  char *zError;      /* what went wrong */
  int rcError;       /* refused: the code of it */
};

const char *ledgerStateName(int eState);
const char *ledgerKindName(int eKind);

/* A row with nothing but its number and its ledger, not in any list. */
int ledgerQueueRowStart(LedgerDb *p, Ledger *pLedger, LedgerQueueRow **ppRow,
                        LedgerError *pErr);

/* The checks that INSERT and ledger_append() share; fills *pRow (new, not in
** any list). pContents and so on are SQL values; NULL pointers are NULL. */
int ledgerQueueRowNew(LedgerDb *p, Ledger *pLedger, sqlite3_value *pContents,
                      const char *zSubLedger, int nSubLedger,
                      sqlite3_value *pTags, LedgerQueueRow **ppRow,
                      LedgerError *pErr);
void ledgerQueueRowFree(LedgerQueueRow *p);

/* Puts a row at the end of the queue; takes it over. LEDGER_FULL above the
** ledger's queue_max_bytes (the row is freed). */
int ledgerQueueAdd(LedgerDb *p, LedgerQueueRow *pRow, LedgerError *pErr);

/* Drops the rows of pOwner with n >= iFrom that were not sent. */
void ledgerQueueCut(LedgerDb *p, const void *pOwner, i64 iFrom);

/* Ends the transaction for pOwner: its unsent rows are dropped, the others
** become history. */
void ledgerQueueSettle(LedgerDb *p, const void *pOwner);

/* Appends a settled row to the history; takes it over. */
void ledgerHistoryAdd(LedgerDb *p, LedgerQueueRow *pRow);

/* Says what became of a row of the outbox, where it is pending or unknown. */
void ledgerHistorySettle(LedgerDb *p, const Ledger *pLedger, i64 iOutbox,
                         int eState, LedgerTxid id);

/* Whether the entry with this id is known to be another row's than pFor. The
** view that a service tells of a committed entry may be a later one: seqnos
** count. */
int ledgerHistoryTaken(LedgerDb *p, const Ledger *pLedger, LedgerTxid id,
                       const LedgerQueueRow *pFor);

/* The sub-ledger this connection appended the id to, or NULL. */
const char *ledgerHistorySubLedger(LedgerDb *p, const Ledger *pLedger,
                                   LedgerTxid id);

/* Whether this connection appended the id to that sub-ledger, and saw it
** committed. */
int ledgerHistoryCommitted(LedgerDb *p, const Ledger *pLedger, LedgerTxid id,
                           const char *zSubLedger);

int ledgerQueueHasRows(const LedgerDb *p, const Ledger *pLedger);
void ledgerQueueFree(LedgerDb *p); /* everything, when the connection closes */

/* ---- lock.c: the local half of COMMIT ------------------------------------ */

/* Takes the locks that the local COMMIT will need, so that it can't fail once
** the ledger has recorded. LEDGER_BUSY when another connection reads. */
int ledgerLockForCommit(LedgerDb *p, LedgerError *pErr);

/* The name of the connection's i-th database (sqlite3_free), or NULL behind
** the last. An SQLite code. */
int ledgerSchemaName(sqlite3 *db, int i, char **pz);

/* Whether an attempt that ended with the result code rc is to be made again:
** another connection holds the database, and *pmsWait, what is left of
** busy_timeout, isn't over. It waits a moment of it. SQLite's own busy handler
** does not look for an interrupt; this sets LEDGER_INTERRUPT, and ends. */
int ledgerBusyAgain(LedgerDb *p, int rc, int *pmsWait, LedgerError *pErr);

/* ---- commit.c: COMMIT ---------------------------------------------------- */

/* xSync: locks what COMMIT will need, sends the queue, waits for the ledgers.
** Called again (after LEDGER_BUSY, or by the next table) it goes on where it
** stopped. */
int ledgerCommit(LedgerDb *p, LedgerError *pErr);

/* Sends one row at once and waits as the option says; the row's state tells
** what became of it. The row becomes history. *pId is its id, if it has one. */
int ledgerAppendNow(LedgerDb *p, LedgerQueueRow *pRow, LedgerTxid *pId,
                    LedgerError *pErr);

/* ---- state.c: a committed state ------------------------------------------ */

/* A state that is committed: what is sent later lies behind it. zSubLedger is
** what is read for it; NULL is the default one. bWitness: the node that answers
** says itself that it is committed; else it may be one known already. */
int ledgerStateGet(Ledger *pLedger, const char *zSubLedger, int bWitness,
                   LedgerTxid *pState, LedgerError *pErr);

/* ---- send.c: rows on their way to a ledger ------------------------------ */

/* Rows of one ledger that are sent together. The caller fills the first part,
** zeroes the rest, and calls ledgerSendClear() in the end. */
typedef struct LedgerSend LedgerSend;
struct LedgerSend {
  LedgerDb *pDb;
  Ledger *pLedger; /* of all rows; borrowed */
  int nRow;
  LedgerQueueRow **apRow; /* in their order; borrowed */
  int bWait;              /* until they are committed */
  int bSettle;            /* what became of rows without an answer is found out,
                          ** and those that are absent are sent again */
  i64 msSettle;           /* an append is carried out within, or never */
  int nRefusedMost;       /* so many rows refused one after another end it; 0:
                          ** the first one does */
  /* Whether the entry with this id is known to be another row's. NULL: ask the
  ** rows and the history only. */
  int (*xTaken)(void *pArg, const LedgerQueueRow *pRow, LedgerTxid id,
                int *pbTaken, LedgerError *pErr);
  void *pArg;

  int nEnded;   /* rows of batches before this one that came to an end */
  int nRefused; /* rows refused since the last one that was accepted */
  const LedgerQueueRow *pDoubt; /* row that has one entry too many ... */
  LedgerTxid doubt;             /* ... this one; else NULL */

  LedgerSession *pSession; /* of this round; borrowed from pLedger */
  LedgerTxid before;       /* id of the session's last row, or the round's */
  int bOver;               /* the round is: nothing more is sent */
  int nLost;               /* rows that it took back */
  LedgerError why;         /* why the round ended, if that is no error yet */
  int nProgress;           /* rows that have come to an end */
  int nStall;              /* rounds since then */
  int nWhy;                /* ... the last ones that ended for a reason */
  i64 tWhy;                /* ledgerNow() at the first of these */
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

int ledgerSendCount(const LedgerSend *p, int eState);
void ledgerSendClear(LedgerSend *p);

/* ---- settle.c: what became of rows that were sent ----------------------- */

#define LEDGER_BARRIER_SUB_LEDGER "ledger_reconcile"

/* Waits for the rows that are LEDGER_PENDING: each is committed then, or queued
** again where a change of view took it back (nLost counts these). */
int ledgerSettleAccepted(LedgerSend *p, LedgerError *pErr);

/* Looks for the appends that are LEDGER_UNKNOWN: found, one is committed;
** absent for good, it is queued again. An error leaves those open that are. */
int ledgerSettleUnknown(LedgerSend *p, LedgerError *pErr);

/* Milliseconds of a clock that never goes back. */
i64 ledgerNow(void);

/* ---- writer.c: the transaction methods of a table that queues ----------- */

/*
** The part of a writable table that follows SQLite's transaction. Savepoint
** marks are kept per table (marks shared between tables let rows through), the
** queue is shared by all tables of the connection.
*/
struct LedgerWriter {
  LedgerDb *pDb; /* borrowed */
  char *zSchema; /* main, temp, ... (sqlite3_free) */
  i64 iBegin;    /* LedgerDb.iNextRow at xBegin */
  int bBegun;    /* within a transaction, and in LedgerDb.pWriter */
  int nMark;     /* savepoint marks */
  int nMarkAlloc;
  struct LedgerMark *aMark; /* ascending by savepoint (sqlite3_free) */
  LedgerWriter *pNext;      /* the next one within the transaction */
};

int ledgerWriterInit(LedgerWriter *p, LedgerDb *pDb, const char *zSchema);
void ledgerWriterClear(LedgerWriter *p);
int ledgerWriterHasRows(const LedgerWriter *p); /* waiting for COMMIT */
void ledgerWriterBegin(LedgerWriter *p);
int ledgerWriterSavepoint(LedgerWriter *p, int iSavepoint);
void ledgerWriterRelease(LedgerWriter *p, int iSavepoint);
void ledgerWriterRollbackTo(LedgerWriter *p, int iSavepoint);
void ledgerWriterEnd(LedgerWriter *p); /* xCommit and xRollback */

#include "tableInt.h"

#include "functionInt.h"

/* ---- taken.c: the names that the module needs on a connection ----------- */

typedef struct LedgerCollation LedgerCollation;
struct LedgerCollation {
  const char *zName;
  int (*xCompare)(void *, int, const void *, int, const void *);
};
extern const LedgerCollation aLedgerCollation[]; /* ends with zName NULL */

/* SQLITE_OK where all names are free; else a code, and *pzErr says which one is
** not (sqlite3_free; NULL for lack of memory). */
int ledgerTakenLook(sqlite3 *db, char **pzErr);

/* Takes back what a load that failed has registered: the names were free. */
void ledgerTakenDrop(sqlite3 *db);

/* Makes SQLite read the schemas again that it has read: called just before the
** functions are registered. As ledgerTakenLook(). */
int ledgerTakenSchema(sqlite3 *db, char **pzErr);

extern const sqlite3_module ledgerEntriesModule;         /* entries.c */
extern const sqlite3_module ledgerEntriesReadonlyModule; /* entries.c */

#endif /* LEDGER_SQLITE_INT_H */
