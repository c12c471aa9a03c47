/*
** The face of sqlite/conn: what one SQLite connection knows, and what every
** room above builds on. The rooms of ext/sqlite turn SQL into calls of
** ext/client; they hold no HTTP, and of the wire's JSON only the members that
** the columns of a small table show (LedgerColumn.zPath).
**
** Invariants
**   - all state hangs off one LedgerConn per SQLite connection; nothing is
**     global;
**   - xBestIndex and xConnect never touch the network;
**   - memory of these rooms comes from sqlite3_malloc64().
*/
#ifndef LEDGER_SQLITE_CONN_H
#define LEDGER_SQLITE_CONN_H

#include <sqlite3ext.h>
#ifndef LEDGER_API_C
SQLITE_EXTENSION_INIT3 /* conn/api.c has it */
#endif

#include "client/api/api.h"
#include "receipt/receipt.h"

    typedef sqlite3_int64 i64;

typedef struct Ledger Ledger;
typedef struct LedgerAnswer LedgerAnswer;
typedef struct LedgerChangeKind LedgerChangeKind;
typedef struct LedgerCells LedgerCells;
typedef struct LedgerConn LedgerConn;
typedef struct LedgerFunction LedgerFunction;
typedef struct LedgerIntern LedgerIntern;
typedef struct LedgerQueued LedgerQueued;
typedef struct LedgerReplay LedgerReplay;
typedef struct LedgerEntryRow LedgerEntryRow;
typedef struct LedgerSpill LedgerSpill;
typedef struct LedgerSnapshot LedgerSnapshot;
typedef struct LedgerTableSpec LedgerTableSpec;
typedef struct LedgerSavepoints LedgerSavepoints;

/* ---- conn/ledger.c, conn/attach.c: the ledgers attached to a connection -- */

/* One attached ledger. Counted references: the attach list holds one, each
** cursor that reads it one more, so that ledger_detach() can't pull it away. */
struct Ledger {
  LedgerConn *pConn;         /* where it is attached */
  LedgerClient *pClient;     /* owned */
  char *zName;               /* the name in SQL (sqlite3_free) */
  int iSlot;                 /* upper bits of its rowids; never used again */
  int nRef;                  /* references */
  LedgerSession *pSession;   /* the last batch went by it; owned, or NULL */
  int bUnsettled;            /* an append's outcome stayed unknown */
  int bKeyConfirmed;         /* asked for again since a receipt was last good */
  unsigned char aDigest[32]; /* of the configuration it was attached with */
  void *pPast;               /* what was read before (sqlite/history) ... */
  void (*xPastFree)(void *); /* ... and its end */
};

/* The rows that wait for COMMIT, and the tables that take part in it
** (write/queue.c, write/savepoints.c). */
typedef struct LedgerQueue LedgerQueue;
struct LedgerQueue {
  LedgerQueued *pFirst; /* of the open transaction, in order */
  LedgerQueued **ppEnd;
  i64 nByte;                 /* their contents */
  i64 iNext;                 /* next ledger_appends.n */
  LedgerSavepoints *pTables; /* tables within a transaction */
};

/* What became of rows (conn/appended.c). */
typedef struct LedgerAppended LedgerAppended;
struct LedgerAppended {
  LedgerQueued *pFirst; /* settled rows, oldest first */
  LedgerQueued **ppEnd;
  LedgerQueued *pTold; /* no row before it has its contents any more, or NULL */
  size_t nByte;        /* the contents that are kept */
  int nRow;
  LedgerQueued **apById; /* those with an id, by its seqno: chains */
  int nById;             /* their places, a power of two, or 0 */
  i64 iLastBatch;        /* n of the last transaction's first row */
};

/* The statements that read (read/snapshot.c, read/replay.c). */
typedef struct LedgerReading LedgerReading;
struct LedgerReading {
  LedgerSnapshot *pSnapshot; /* list: one per statement that reads */
  sqlite3_stmt *pPrepared;   /* last seen being prepared, or NULL: an address */
  i64 nAnew;                 /* ... how often others were prepared anew */
  i64 iStatement;            /* ... and its number */
  LedgerSnapshot **ppOpened; /* the cursor opened by the last call, or NULL */
  LedgerReplay **ppReplay;   /* where that cursor takes over a buffer */
  LedgerSnapshot *pParked;   /* a reference held for the cursor ... */
  LedgerSnapshot **ppParked; /* ... that holds its snapshot here */
};

/* Everything the module knows of one SQLite connection. Freed when the last
** module, function and collation registered for it is destroyed. */
struct LedgerConn {
  sqlite3 *db;       /* the connection */
  int nRef;          /* registrations that point here */
  int bReadonly;     /* entry point sqlite3_ledgerreadonly_init */
  int bLoaded;       /* all names are registered */
  int nLedger;       /* attached ledgers */
  Ledger **apLedger; /* in the order they were attached */
  int iNextSlot;     /* next Ledger.iSlot */
  int bDetached;     /* ledger_detach() was called: no environment */
  LedgerReading reading;
  LedgerQueue queue;
  LedgerAppended appended;
  LedgerIntern *pIntern;           /* rowids of the small writable tables */
  const LedgerTableSpec *pPlanned; /* of the last xBestIndex */
  const LedgerTableSpec *const *apTable;   /* all, ended by NULL */
  const LedgerFunction *const *apFunction; /* likewise, lists of them */
  int bIndirect;                           /* option indirect = allow */
  int bFileTables;                         /* option file_tables = allow */
  int eNesting;                 /* LEDGER_NESTING_*: what the self-test found */
  LedgerTxid last;              /* ledger_last_transaction_id() */
  LedgerReceiptMemo *pMemo;     /* what receipts share; see ledgerConnMemo() */
  i64 tWork;                    /* when a wait last let SQLite work */
  void (*xAttached)(Ledger *p); /* a ledger is made, before its first use */
  LedgerProgress *pProgress;    /* what its statement is doing; owned */
};

/* The tables and functions are the extension's, for whoever lists them all. */
int ledgerConnNew(sqlite3 *db, int bReadonly,
                  const LedgerTableSpec *const *apTable,
                  const LedgerFunction *const *apFunction, LedgerConn **ppConn);
void ledgerConnRef(LedgerConn *p);
void ledgerConnUnref(void *p); /* a destructor for SQLite */

/*
** Finds an attached ledger. zName NULL is "main"; where nothing is attached at
** all and bEnv is set, "main" is attached from LEDGER_URL and LEDGER_OPTIONS
** first, unless one was ever detached. *ppLedger is borrowed. Not found is an
** error with its remedy.
*/
int ledgerConnFind(LedgerConn *p, const char *zName, int bEnv,
                   Ledger **ppLedger, LedgerError *pErr);

/* The name that the condition `ledger = value` gives (sqlite3_free); *pz is
** NULL for NULL and a BLOB, which name none. An SQLite code. */
int ledgerConnName(sqlite3_value *pVal, char **pz);

/* Each of the names must be that of an attached ledger, letter by letter as
** SQLite compares them: else an error that names those attached. */
int ledgerConnNamed(LedgerConn *p, int n, char *const *azName,
                    LedgerError *pErr);

/*
** The same for what writes to a ledger: while several are attached, zName may
** not be NULL (zWhere says where the name goes: "column ledger"), and a ledger
** that may not be written to is an error.
*/
int ledgerConnFindToWrite(LedgerConn *p, const char *zName, int bEnv,
                          const char *zWhere, Ledger **ppLedger,
                          LedgerError *pErr);

/* Makes sure that something is attached, from the environment if need be. */
int ledgerConnReady(LedgerConn *p, int bEnv, LedgerError *pErr);

/* Attaches a ledger under zName ("main" if NULL) with the options object zJson
** (may be NULL). zTarget is its name, host or URL, or the line that the
** emulator prints (client/ready.c). No network. The same again, as the options
** are resolved, does nothing: what the ledger's client keeps stays, and what
** was changed since. */
int ledgerConnAttach(LedgerConn *p, const char *zTarget, const char *zName,
                     const char *zJson, int nJson, LedgerError *pErr);
int ledgerConnDetach(LedgerConn *p, const char *zName, LedgerError *pErr);

/* The connection's memo of receipt checks, made at its first use; NULL when
** memory is short, which costs time only. */
LedgerReceiptMemo *ledgerConnMemo(LedgerConn *p);

void ledgerRef(Ledger *p);
void ledgerUnref(Ledger *p);

/* The hook given to clients, asked at least ten times a second while they wait:
** has sqlite3_interrupt() been called, or does the host's progress handler end
** the statement? */
int ledgerConnInterrupted(void *pConn);

/* The name of the connection's i-th database (sqlite3_free), or NULL behind
** the last. An SQLite code. */
int ledgerSchemaName(sqlite3 *db, int i, char **pz);

/* ---- conn/error.c: errors on their way to SQLite ------------------------- */

/* To be called of what only reads, before one of the next two. For SQLITE_IOERR
** SQLite undoes the whole transaction: a ledger that can't be reached must not
** cost the caller his. Within a transaction it is SQLITE_BUSY. */
void ledgerErrorSpare(sqlite3 *db, LedgerError *pErr);

/* A message as SQL shows it, with the prefix `ledger: ` (sqlite3_free); NULL
** when memory is short. The format is that of sqlite3_mprintf(). */
char *ledgerErrorMessage(const char *zFmt, ...);

/* Moves the error into a vtab's zErrMsg; returns the SQLite code. */
int ledgerErrorVtab(sqlite3_vtab *pVtab, LedgerError *pErr);

/* Moves the error into a function's result; the second is for functions that
** only read. */
void ledgerErrorFunction(sqlite3_context *pCtx, LedgerError *pErr);
void ledgerErrorFunctionRead(sqlite3_context *pCtx, LedgerError *pErr);

/* ---- conn/appended.c: changes of the ledger, and what became of them ----- */

enum {
  LEDGER_QUEUED = 1,  /* waits for COMMIT */
  LEDGER_SENDING,     /* the request is under way */
  LEDGER_PENDING,     /* accepted under an id; commit not seen yet */
  LEDGER_COMMITTED,   /* recorded for good */
  LEDGER_ROW_REFUSED, /* refused by the ledger */
  LEDGER_LOST,        /* a change of view took it back */
  LEDGER_UNKNOWN      /* sent, and no answer came */
};

/* How a row changes a small table. */
enum {
  LEDGER_CHANGE_INSERT = 1, /* it was seen not to exist */
  LEDGER_CHANGE_REPLACE,    /* INSERT OR REPLACE: whether it exists or not */
  LEDGER_CHANGE_UPDATE,
  LEDGER_CHANGE_DELETE
};

/* One change that waits for COMMIT, or what became of it. */
struct LedgerQueued {
  LedgerQueued *pNext;
  LedgerQueued *pNextById; /* settled: the next one in LedgerAppended.apById */
  i64 n;                   /* ledger_appends.n */
  const void *pOwner;      /* the table that queued it */
  Ledger *pLedger;         /* counted reference while queued, else NULL */
  int iSlot;               /* its slot */
  char *zLedger;           /* its name, for the record */
  const LedgerChangeKind *pKind; /* what it changes; NULL: it appends */
  int eChange;                   /* LEDGER_CHANGE_*; of an append 0 */
  char *zKey;                    /* of a change: user id, name of a role, ... */
  char *zContents; /* of an append, freed once committed or many are kept; of
                      ** a change its JSON, freed once settled (sqlite3_free) */
  size_t nContents;
  char *zSubLedger;    /* of an append, else NULL */
  char *zTags;         /* comma list or NULL */
  char *zHooks;        /* "preHooks":[...] or NULL (sqlite3_free) */
  int eState;          /* LEDGER_QUEUED ... */
  LedgerTxid before;   /* committed when it was sent: its id is above */
  i64 iView;           /* unknown: it is recorded in this view or never; or 0 */
  i64 tUnknown;        /* ... since when: ledgerClockMs() */
  int bOtherSubLedger; /* recorded in another sub-ledger than asked for */
  int bGateway;        /* a gateway queued it: it may be recorded any time */
  i64 iOutbox;         /* its row of the outbox, or 0 */
  LedgerTxid id;       /* when it has one; unknown: answered, but not seen */
  LedgerTxid lost;     /* the last one that a change of view took back */
  char *zError;        /* what went wrong */
  int rcError;         /* refused: the code of it */
};

const char *ledgerAppendedStateName(int eState);

void ledgerQueuedFree(LedgerQueued *p);

/* Adds a settled row to the record; takes it over. */
void ledgerAppendedAdd(LedgerConn *p, LedgerQueued *pRow);

/* Says what became of a row of the outbox, where it is pending or unknown. */
void ledgerAppendedSettle(LedgerConn *p, const Ledger *pLedger, i64 iOutbox,
                          int eState, LedgerTxid id);

/* Whether the entry with this id is known to be another row's than pFor. The
** view that a service tells of a committed entry may be a later one: seqnos
** count. */
int ledgerAppendedTaken(LedgerConn *p, const Ledger *pLedger, LedgerTxid id,
                        const LedgerQueued *pFor);

/* The sub-ledger this connection appended the id to, or NULL. */
const char *ledgerAppendedSubLedger(LedgerConn *p, const Ledger *pLedger,
                                    LedgerTxid id);

/* Whether this connection appended the id to that sub-ledger, and saw it
** committed. */
int ledgerAppendedCommitted(LedgerConn *p, const Ledger *pLedger, LedgerTxid id,
                            const char *zSubLedger);

int ledgerQueueHasRows(const LedgerConn *p, const Ledger *pLedger);
void ledgerAppendedFree(LedgerConn *p); /* and the queue, at the end */

/* ---- conn/answers.c: answers kept for a statement ------------------------ */

/* An answer of a small table, for all cursors of a statement that ask the same.
** Counted references. */
struct LedgerAnswer {
  const LedgerTableSpec *pSpec;
  char *zAsked;                 /* the question (sqlite3_free) */
  LedgerCells *pCells;          /* owned */
  void (*xFree)(LedgerCells *); /* frees them */
  int nRef;
  int nAnswer;         /* answers kept, with this one and those behind it */
  LedgerAnswer *pNext; /* the list of its statement */
};

void ledgerAnswerUnref(LedgerAnswer *p);

/* The kept answer to this question, or NULL. */
LedgerAnswer *ledgerAnswerFind(LedgerAnswer *pList,
                               const LedgerTableSpec *pSpec,
                               const char *zAsked);

/* Keeps an answer, and forgets those before where there are too many. */
void ledgerAnswerKeep(LedgerAnswer **ppList, LedgerAnswer *pNew);

/* Forgets them: the ledger is not what it was, or nobody asks. */
void ledgerAnswersEnd(LedgerAnswer **ppList);

/* ---- conn/window.c: calls in flight -------------------------------------- */

/* A window of calls that slides over what is to be asked: each place holds an
** item of the caller's and its call. They stand in the order of their start. */
typedef struct LedgerWindow LedgerWindow;
struct LedgerWindow {
  int nPlace; /* so many at most */
  int nUsed;
  LedgerCall **apCall; /* owned; NULL where an item needs no call */
  char *aItem;         /* see ledgerWindowItem() */
  size_t nItem;        /* bytes of an item */
};

/* Opens a window of nPlace places (1 at least) for items of nItem bytes. */
int ledgerWindowOpen(LedgerWindow *p, int nPlace, size_t nItem,
                     LedgerError *pErr);
void ledgerWindowClose(LedgerWindow *p); /* gives up what is under way */

/* A new item at the end, zeroed, its call NULL; or NULL: the window is full. */
void *ledgerWindowAdd(LedgerWindow *p);
void *ledgerWindowItem(const LedgerWindow *p, int i);

/* Takes the i-th item out, into *pItem, and returns its call (the caller's, to
** be freed), or NULL. */
LedgerCall *ledgerWindowTake(LedgerWindow *p, int i, void *pItem);

/* ---- conn/spill.c: rows kept aside, in memory and then in a file --------- */

/* One row of ledger_entries, wherever it comes from. */
struct LedgerEntryRow {
  Ledger *pLedger;
  LedgerEntry entry;
};

#define LEDGER_SPILL_MEMORY (8 * 1024 * 1024)

/* A store of rows that is written once and read forwards or backwards. It
** keeps nMemory bytes in memory and what is beyond in an unlinked temporary
** file; with bSpill 0 it gives up (ledgerSpillFull) instead. */
int ledgerSpillNew(i64 nMemory, int bSpill, LedgerSpill **ppSpill,
                   LedgerError *pErr);
void ledgerSpillFree(LedgerSpill *p);
int ledgerSpillAdd(LedgerSpill *p, const LedgerEntryRow *pRow,
                   LedgerError *pErr);
/* 1: a row did not fit; the store is of no use now. */
int ledgerSpillFull(const LedgerSpill *p);
i64 ledgerSpillCount(const LedgerSpill *p);

/* Reads the row at *piPos and moves *piPos behind (or, with bBack, before) it.
** Start with 0, or with ledgerSpillEnd(). *ppRow is NULL at the end, and lives
** until the next call. */
int ledgerSpillRead(LedgerSpill *p, i64 *piPos, int bBack,
                    const LedgerEntryRow **ppRow, LedgerError *pErr);
i64 ledgerSpillEnd(const LedgerSpill *p);

/* ---- conn/intern.c: rowids that DELETE can look up ----------------------- */

int ledgerInternRowid(LedgerConn *pConn, const void *pTable, int iSlot,
                      const char *zKey, i64 *piRowid);
const char *ledgerInternKey(const LedgerConn *pConn, const void *pTable,
                            i64 iRowid, int *piSlot);
void ledgerInternFree(LedgerIntern *p);

/* ---- conn/value.c: values of SQL ----------------------------------------- */

/* Reads an id given to a function; NULL is for the caller to handle. A number
** or an ill-formed text is an error. */
int ledgerValueTxid(sqlite3_value *pVal, LedgerTxid *pId, LedgerError *pErr);

/* The collation ledger_txid: ids by seqno, then view; other text behind them,
** bytewise. */
int ledgerValueTxidCollate(void *pArg, int n1, const void *z1, int n2,
                           const void *z2);

/* Parses the options object of a function; *ppDoc is NULL where pVal is. Free
** it with ledgerJsonFree(). Anything but an object is an error. */
int ledgerValueOptions(sqlite3_value *pVal, LedgerJson **ppDoc,
                       LedgerError *pErr);

#endif /* LEDGER_SQLITE_CONN_H */
