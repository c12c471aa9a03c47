/*
** The face of sqlite/read: entries, what stands for them, and the statement on
** whose behalf they are read.
**
** Invariant: what is shown of a ledger lies within the statement's snapshot.
*/
#ifndef LEDGER_SQLITE_READ_H
#define LEDGER_SQLITE_READ_H

#include "sqlite/conn/conn.h"

/* ---- read/match.c: tags, written and matched ----------------------------- */

/* Reads tags as a user writes them, a JSON array or a comma list, and makes
** the comma list of the wire (malloc) or NULL when there are none. */
int ledgerMatchTags(const char *z, size_t n, char **pzWire, LedgerError *pErr);

/* The text of an expression, borrowed; *pz is NULL for NULL. */
int ledgerMatchText(sqlite3_value *pVal, const char **pz, LedgerError *pErr);

/* Is the MATCH expression well-formed? If it is one term, *pzTag is that tag
** (sqlite3_free), else NULL. */
int ledgerMatchCheck(const char *zExpr, char **pzTag, LedgerError *pErr);

/* Evaluates the expression on an entry's tags, a JSON array or NULL. */
int ledgerMatchEval(const char *zExpr, const char *zTags, int *pbMatch,
                    LedgerError *pErr);

/* Whether a tag is among an entry's tags. */
int ledgerMatchHas(const char *zTags, const char *zTag, int *pb,
                   LedgerError *pErr);

/* The function behind MATCH where SQLite evaluates it itself. */
void ledgerMatchFunction(sqlite3_context *pCtx, int nArg,
                         sqlite3_value **apArg);

/* ---- read/snapshot.c: what the cursors of one statement share ------------ */

/*
** A snapshot lives while a run of a statement has cursors that have joined it:
** the read transaction of this module. It bounds what is shown of each ledger
** (no row above), and remembers entries that were looked up.
*/

/* xBestIndex: makes the plan idxStr, and notes whose it is behind its NUL.
** Takes pStr over; an SQLite code. */
int ledgerSnapshotPlan(LedgerConn *p, sqlite3_str *pStr,
                       sqlite3_index_info *pInfo);

/* xOpen: a statement runs that will join a snapshot. ppSnapshot is where the
** cursor holds it. */
void ledgerSnapshotOpen(LedgerConn *p, LedgerSnapshot **ppSnapshot);

/* xFilter: joins the statement's snapshot, unless *ppSnapshot is set already.
** zPlan is idxStr; NULL makes a snapshot that nobody shares. An SQLite code. */
int ledgerSnapshotJoin(LedgerConn *p, const char *zPlan,
                       LedgerSnapshot **ppSnapshot);

/* xClose. */
void ledgerSnapshotLeave(LedgerConn *p, LedgerSnapshot **ppSnapshot);

void ledgerSnapshotRef(LedgerSnapshot *p);
void ledgerSnapshotUnref(LedgerConn *p, LedgerSnapshot *pSnapshot);

/* The answers kept for the statement. */
LedgerAnswer **ledgerSnapshotAnswers(LedgerSnapshot *p);

/* Our own append ends the snapshots there are: cursors that are opened from now
** on join a new one and see it. */
void ledgerSnapshotEnd(LedgerConn *p);

/* The seqno that bounds what the snapshot shows of a ledger; INT64_MAX while no
** bound is set. */
i64 ledgerSnapshotBound(LedgerSnapshot *p, const Ledger *pLedger);

/* The same as an id, {0,0} while no bound is set. */
LedgerTxid ledgerSnapshotBoundId(LedgerSnapshot *p, const Ledger *pLedger);

/* The bound where it is known to be committed, else the highest id that is. */
LedgerTxid ledgerSnapshotTop(LedgerSnapshot *p, Ledger *pLedger);

/*
** A range was answered: head is the state it was read at. Sets the bound if
** none is set. Only the first range of a snapshot is remembered, as "soft": its
** bound is not known to be committed. iNext is the seqno behind the last row
** the answer showed, bLast that the range is answered to its end.
*/
int ledgerSnapshotAnswered(LedgerSnapshot *p, Ledger *pLedger,
                           const void *pOwner, const LedgerRange *pRange,
                           LedgerTxid head, i64 iNext, int bLast,
                           LedgerError *pErr);

/* pOwner is closed: what it was shown stays, its address may be used again. */
void ledgerSnapshotForget(LedgerSnapshot *p, const Ledger *pLedger,
                          const void *pOwner);

/* 1 where the bound is set and known to be committed: to make it firm takes no
** request to know that. */
int ledgerSnapshotCommitted(LedgerSnapshot *p, Ledger *pLedger);

/* 1 while no range of the ledger has been read in this snapshot. */
int ledgerSnapshotFresh(LedgerSnapshot *p, const Ledger *pLedger);

/*
** Makes the bound firm: committed, and consistent with what a soft range has
** shown. head is a fresh state of the ledger, or {0,0}: then one is asked for
** (zSubLedger says where). Makes no request where all is known.
*/
int ledgerSnapshotFirm(LedgerSnapshot *p, Ledger *pLedger,
                       const char *zSubLedger, LedgerTxid head,
                       LedgerError *pErr);

/* Remembers a looked-up row, or (pRow NULL) that there is none. */
int ledgerSnapshotRemember(LedgerSnapshot *p, Ledger *pLedger, LedgerTxid id,
                           const char *zSubLedger, const LedgerEntryRow *pRow,
                           LedgerError *pErr);

/* Was it looked up before? (1 for another name with the same hash, too.) */
int ledgerSnapshotKnows(LedgerSnapshot *p, const Ledger *pLedger, LedgerTxid id,
                        const char *zSubLedger);

/* Looks a row up in what was remembered: returns 1 if it is known, with
** *pbFound 0 when it is known that there is none. The row is a copy, for other
** cursors read the same store: *pText holds its texts. */
int ledgerSnapshotRecall(LedgerSnapshot *p, const Ledger *pLedger,
                         LedgerTxid id, const char *zSubLedger,
                         LedgerBuf *pText, LedgerEntryRow *pRow, int *pbFound,
                         LedgerError *pErr);

/* Copies a row with its texts, which *pText then holds. */
int ledgerSnapshotCopy(const LedgerEntryRow *pFrom, LedgerBuf *pText,
                       LedgerEntryRow *pTo, LedgerError *pErr);

/* What was read ahead for the statement (read/ahead.c); xFree is called for it
** when the snapshot ends. */
typedef struct LedgerAhead LedgerAhead;
LedgerAhead **ledgerSnapshotAhead(LedgerSnapshot *p,
                                  void (*xFree)(LedgerAhead *));

/* ---- plan.c: what xBestIndex tells xFilter ------------------------------- */

/* What a query asks for, decoded from idxStr and the values of xFilter. */
typedef struct LedgerQuery LedgerQuery;
struct LedgerQuery {
  int bEmpty;      /* nothing can match */
  int bAnyLedger;  /* no condition on ledger */
  int nLedgerName; /* names, when there is one */
  char **azLedger;
  int nNamed; /* those given by `=`, each of which must be attached */
  char **azNamed;
  int bAnySubLedger; /* no condition on sub_ledger */
  int nSubLedger;
  char **azSubLedger;
  int bIds; /* transaction ids are given */
  int nId;  /* ascending, without repeats */
  LedgerTxid *aId;
  LedgerTxid from; /* inclusive bounds; seqno 0: none; view 0: seqno only */
  LedgerTxid to;
  LedgerTxid above; /* of the rows within them, those of these ids will be */
  LedgerTxid below; /* dropped by SQLite; seqno 0: none */
  i64 iViewMin;     /* conditions on view, checked on rows */
  i64 iViewMax;
  char *zMatch; /* tags MATCH: the expression, or NULL */
  int bOrder;   /* rows are to come in order of transaction_id */
  int bDesc;    /* ... downwards */
  i64 nWanted;  /* LIMIT + OFFSET as a hint, or INT64_MAX */
};

/* The columns that a plan can use, and where a table has them. */
enum {
  LEDGER_PLAN_TRANSACTION_ID = 0,
  LEDGER_PLAN_SUB_LEDGER,
  LEDGER_PLAN_TAGS,
  LEDGER_PLAN_LEDGER,
  LEDGER_PLAN_VIEW,
  LEDGER_PLAN_SEQNO,
  LEDGER_PLAN_COLUMNS
};
typedef struct LedgerPlanTable LedgerPlanTable;
struct LedgerPlanTable {
  int aColumn[LEDGER_PLAN_COLUMNS]; /* by LEDGER_PLAN_*; -1: it has none */
  int bReceipt;                     /* each row's receipt is asked for */
};

/* xBestIndex of a table whose rows are entries, or stand for them. The names
** are those that a declared table fixes, or NULL. */
int ledgerPlanEntries(LedgerConn *pConn, sqlite3_index_info *pInfo,
                      const LedgerPlanTable *pTable, const char *zLedger,
                      const char *zSubLedger);

/* Decodes the plan with its values. A declared table's slice is applied.
** Free *pQuery with ledgerQueryClear() in any case. */
int ledgerQueryDecode(const char *zPlan, int nArg, sqlite3_value **apArg,
                      const char *zLedger, const char *zSubLedger,
                      LedgerQuery *pQuery, LedgerError *pErr);
void ledgerQueryClear(LedgerQuery *pQuery);

/* A text that two queries share only if they ask for the same rows in the
** same order (sqlite3_free); NULL when memory is short. */
char *ledgerQueryKey(const LedgerQuery *pQuery);

/* ---- read/cost.c: what a plan costs -------------------------------------- */

/* What the conditions fix, and what will be done for them. */
typedef struct LedgerCost LedgerCost;
struct LedgerCost {
  int bLedger;         /* one ledger alone is read ... */
  const char *zLedger; /* ... and this is its name, where it is known */
  int bSubLedger;      /* one sub-ledger */
  int bSubLedgerIn;    /* those of a list */
  int bId;             /* one transaction_id ... */
  int bIdWritten;      /* ... which is written in the statement */
  int bIdIn;           /* those of a list */
  int bSeqno;          /* one seqno */
  int bLow, bHigh;     /* bounds ... */
  i64 iLow, iHigh;     /* ... their seqnos where they are known, else 0 */
  int bMatch;          /* tags MATCH */
  int bNoEntry;        /* no entry is asked for */
  int bReceipt;        /* each row's receipt is asked for */
  int bReadAhead;      /* said here: ids may be read ahead (ahead.c) ... */
  int bWindows;        /* ... a range is cut into windows (flight.c) ... */
  int bHistory;        /* ... what was read before is used (history) */
};

/* xBestIndex: sets what SQLite is to know of cost and rows. No request. */
void ledgerCostPlan(LedgerConn *pConn, LedgerCost *p,
                    sqlite3_index_info *pInfo);

/* ---- read/views.c: of which view a seqno is ------------------------------ */

/* Starts status requests that may tell the view of a seqno below the committed
** id top, and of others 8, 64 and 512 steps away (iStep below 0: downwards).
** They come into pCalls, which is opened where it isn't; who takes them out
** needs no result: ledgerClientView() has it. */
int ledgerViewsAsk(Ledger *pLedger, i64 iSeqno, i64 iStep, LedgerTxid top,
                   LedgerWindow *pCalls, LedgerError *pErr);

/* The same where it isn't known yet, waited for. It may stay unknown. */
int ledgerViewsFind(Ledger *pLedger, i64 iSeqno, i64 iStep, LedgerTxid top,
                    LedgerError *pErr);

/* The view that a node is in, at least, which has got to a committed seqno. */
i64 ledgerViewsLeast(Ledger *pLedger, i64 iSeqno);

/* Of a range that is known to be committed to its end: it ends, on the wire
** too, in an id that is. A node that doesn't know it yet refuses that, where it
** would end the page. Where the view of that end isn't known the range keeps
** its bounds, and gets wide ones for when they are refused. */
void ledgerViewsClose(LedgerSnapshot *pSnapshot, Ledger *pLedger,
                      LedgerRange *pRange);

/* ---- read/lanes.c: how many pages may be under way ----------------------- */

/* What the flights of one scan have in common in one ledger. */
typedef struct LedgerLanes LedgerLanes;
struct LedgerLanes {
  int nMost;     /* pages under way, at most: range_concurrency ... */
  int nWide;     /* ... and as the service takes them now */
  int nUnder;    /* pages under way */
  int nLeg;      /* pages under way, at hand, or to be asked for next */
  int nGood;     /* pages since nWide was changed */
  i64 nPutOff;   /* LedgerFacts.nPutOff when it was last looked at */
  i64 nPage;     /* pages that have come in */
  i64 msLeast;   /* the least time that a page took */
  i64 nPageByte; /* the largest page's */
};

void ledgerLanesInit(LedgerLanes *p, Ledger *pLedger);

/* Are there as many pages at hand and under way as there may be? */
int ledgerLanesFull(const LedgerLanes *p);

/* A page has come in: the lanes get fewer, or more. */
void ledgerLanesPage(LedgerLanes *p, Ledger *pLedger, const LedgerPage *pPage);

/* ---- read/flight.c: the pages of a range, several under way -------------- */

typedef struct LedgerFlight LedgerFlight;

/* Opens a flight; nothing is sent. Ledger, lanes and the texts of the range are
** borrowed. bLimit: not all rows may be wanted. */
int ledgerFlightOpen(LedgerSnapshot *pSnapshot, Ledger *pLedger,
                     LedgerLanes *pLanes, const LedgerRange *pRange, int bLimit,
                     LedgerFlight **ppFlight, LedgerError *pErr);
void ledgerFlightClose(LedgerFlight *p); /* NULL is allowed */

/* Before it is started: nothing above the seqno is wanted. */
void ledgerFlightBound(LedgerFlight *p, i64 iSeqnoMax);

/* Sends, without waiting, what there are lanes for. nMore: rows that will be
** wanted beyond those shown; with -1 only takes in what has come. */
int ledgerFlightStart(LedgerFlight *p, i64 nMore, LedgerError *pErr);

/* The next page, or NULL at the end; its rows from *piEntry on are to be shown.
** It lives until the next call. */
int ledgerFlightNext(LedgerFlight *p, i64 nMore, const LedgerPage **ppPage,
                     int *piEntry, LedgerError *pErr);

/* At its end: whether it has shown all that the range will ever have up to the
** snapshot's bound. What was pending when its last page came isn't shown. */
int ledgerFlightSound(const LedgerFlight *p);

/* ---- read/pieces.c: a range, of which a part may be known ---------------- */

/* As the functions of read/flight.c. */
typedef struct LedgerPieces LedgerPieces;
int ledgerPiecesOpen(LedgerSnapshot *pSnapshot, Ledger *pLedger,
                     LedgerLanes *pLanes, const LedgerRange *pRange, int bLimit,
                     LedgerPieces **ppPieces, LedgerError *pErr);
void ledgerPiecesBound(LedgerPieces *p, i64 iSeqno);
void ledgerPiecesClose(LedgerPieces *p);
int ledgerPiecesStart(LedgerPieces *p, i64 nMore, LedgerError *pErr);
int ledgerPiecesNext(LedgerPieces *p, i64 nMore, const LedgerPage **ppPage,
                     int *piEntry, LedgerError *pErr);

/* ---- read/stream.c: sub-ledgers of one ledger ---------------------------- */

typedef struct LedgerStream LedgerStream;

/* Opens a stream of the rows of these sub-ledgers (1 at least) in order,
** upwards or, as the query says, downwards; nothing is sent. zTag is the tag
** for the wire or NULL. Names, tag, query and lanes must outlive the stream. */
int ledgerStreamOpen(LedgerSnapshot *pSnapshot, Ledger *pLedger,
                     LedgerLanes *pLanes, int nName, const char *const *azName,
                     const LedgerQuery *pQuery, const char *zTag,
                     LedgerStream **ppStream, LedgerError *pErr);
void ledgerStreamClose(LedgerStream *p);

/* As ledgerPiecesStart(). */
int ledgerStreamStart(LedgerStream *p, i64 nMore, LedgerError *pErr);

/* The next row, or NULL at the end. It lives until the next call. nMore rows
** will be wanted beyond those at hand: so many pages may be asked for ahead. */
int ledgerStreamNext(LedgerStream *p, i64 nMore, const LedgerEntryRow **ppRow,
                     LedgerError *pErr);

/* Rows that ledgerStreamNext() will return without a request. */
int ledgerStreamReady(const LedgerStream *p);

/* ---- read/ahead.c: ids that are asked for one by one --------------------- */

/* Is it known, by a range that was read ahead or is read now, whether there is
** such an entry? zSubLedger NULL: in any sub-ledger; then only a hit is known.
** To be asked before the entry is asked for. */
int ledgerAheadKnows(LedgerSnapshot *pSnapshot, LedgerConn *pConn,
                     const Ledger *pLedger, LedgerTxid id,
                     const char *zSubLedger, int *pbKnown, LedgerError *pErr);

/* As ledgerSnapshotRecall(), from what was read ahead. */
int ledgerAheadRecall(LedgerSnapshot *pSnapshot, const Ledger *pLedger,
                      LedgerTxid id, const char *zSubLedger, LedgerBuf *pText,
                      LedgerEntryRow *pRow, int *pbFound, LedgerError *pErr);

/* The entry was asked for, and (bFound) stands in that sub-ledger. */
int ledgerAheadNote(LedgerSnapshot *pSnapshot, Ledger *pLedger, LedgerTxid id,
                    const char *zSubLedger, int bFound, LedgerError *pErr);

/* ---- lookup.c: entries by id --------------------------------------------- */

typedef struct LedgerLookup LedgerLookup;

/* Starts the request for one entry. What this connection appended there and saw
** committed is asked for until the node has it. */
int ledgerLookupGet(Ledger *pLedger, LedgerTxid id, const char *zSubLedger,
                    LedgerCall **ppCall, LedgerError *pErr);

int ledgerLookupOpen(LedgerSnapshot *pSnapshot, LedgerConn *pConn,
                     Ledger *const *apLedger, int nLedger,
                     const LedgerQuery *pQuery, LedgerLookup **ppLookup,
                     LedgerError *pErr);
int ledgerLookupNext(LedgerLookup *p, const LedgerEntryRow **ppRow,
                     LedgerError *pErr);
void ledgerLookupClose(LedgerLookup *p);

/* ---- scan.c: the rows of a query ----------------------------------------- */

typedef struct LedgerScan LedgerScan;

/* The attached ledgers that a query reads: an array (sqlite3_free) of counted
** references, the caller's to give back. */
int ledgerQueryLedgers(const LedgerQuery *pQuery, LedgerConn *pConn,
                       Ledger ***papLedger, int *pnLedger, LedgerError *pErr);

/* Opens the rows that the query asks for. The scan takes the query over
** (*pQuery is empty afterwards, also on an error). */
int ledgerScanOpen(LedgerSnapshot *pSnapshot, LedgerConn *pConn, int bEnv,
                   LedgerQuery *pQuery, LedgerScan **ppScan, LedgerError *pErr);
int ledgerScanNext(LedgerScan *p, const LedgerEntryRow **ppRow,
                   LedgerError *pErr);
void ledgerScanClose(LedgerScan *p);

/* What a replay records: rows that come one by one. xOpen takes the query over,
** as ledgerScanOpen() does. */
typedef struct LedgerEntrySource LedgerEntrySource;
struct LedgerEntrySource {
  int bIds; /* rows by id are recorded too: nobody else remembers them */
  int (*xOpen)(LedgerSnapshot *pSnapshot, LedgerConn *pConn, int bEnv,
               LedgerQuery *pQuery, void **pp, LedgerError *pErr);
  int (*xNext)(void *p, const LedgerEntryRow **ppRow, LedgerError *pErr);
  void (*xClose)(void *p); /* NULL is allowed */
};
extern const LedgerEntrySource ledgerScanRows; /* scan.c: entries */

/* ---- replay.c: the rows of a cursor, asked for once ---------------------- */

/* xFilter: the cursor joins the snapshot of its statement (zPlan is idxStr) and
** gets its replay buffer, where it hasn't yet. An SQLite code. */
int ledgerReplayEnter(LedgerConn *pConn, const char *zPlan,
                      const LedgerEntrySource *pSource,
                      LedgerSnapshot **ppSnapshot, LedgerReplay **ppReplay);

/* xOpen, behind ledgerSnapshotOpen(): where the cursor has its buffer. xClose,
** before ledgerSnapshotLeave(): frees it, or hands it over to the cursor that
** was opened by the last call, in place of the one that is closed. */
void ledgerReplayOffer(LedgerConn *pConn, LedgerReplay **ppReplay);
void ledgerReplayLeave(LedgerConn *pConn, LedgerReplay **ppReplay);

/* Starts a query, from the ledger or from what was recorded. Takes the query
** over. */
int ledgerReplayOpen(LedgerReplay *p, int bEnv, LedgerQuery *pQuery,
                     LedgerError *pErr);
int ledgerReplayNext(LedgerReplay *p, const LedgerEntryRow **ppRow,
                     LedgerError *pErr);

/* ---- read/receipts.c: receipts, several in flight ------------------------ */

typedef struct LedgerReceiptRow LedgerReceiptRow;
typedef struct LedgerReceipts LedgerReceipts;

/* A row and the receipt of its transaction. */
struct LedgerReceiptRow {
  const LedgerEntryRow *pRow;
  const char *zAnswer; /* the service's whole answer; NULL: it has none */
  size_t nAnswer;
};

/* Opens the receipts of the rows that xNext gives (NULL at the end): in their
** order, `concurrency` in flight, no more started than nWanted. */
int ledgerReceiptsOpen(LedgerConn *pConn,
                       int (*xNext)(void *, const LedgerEntryRow **,
                                    LedgerError *),
                       void *pArg, i64 nWanted, LedgerReceipts **ppReceipts,
                       LedgerError *pErr);

/* The next one; pRow is NULL at the end. It lives until the next call. */
int ledgerReceiptsNext(LedgerReceipts *p, LedgerReceiptRow *pReceipt,
                       LedgerError *pErr);
void ledgerReceiptsClose(LedgerReceipts *p); /* NULL is allowed */

/* Verifies a receipt of the transaction id against the service certificate that
** its ledger is trusted by now, or (not NULL) against zService. pEntry is the
** entry in hand, or NULL. That the service has got another key by now is an
** error, LEDGER_AUTH, not a report. Clear the report in any case. */
int ledgerReceiptsVerify(Ledger *pLedger, LedgerTxid id,
                         const LedgerEntry *pEntry, const char *zAnswer,
                         size_t nAnswer, const char *zService,
                         LedgerReceiptReport *pReport, LedgerError *pErr);

#endif /* LEDGER_SQLITE_READ_H */
