/*
** The face of client/api: what can be asked of a ledger, one file per family of
** routes. A function that starts a request gives a LedgerCall, which is waited
** for (client.h) and read with the function of its kind.
*/
#ifndef LEDGER_API_H
#define LEDGER_API_H

#include "client/client.h"
#include "client/net/user.h"

/* ---- versions.c --------------------------------------------------------- */

/* GET /app/transactions/current with an api-version that there is not: the
** ledger's refusal names those that it knows, and this appends them, with
** commas; nothing if it names none. */
int ledgerVersionsOffered(LedgerClient *p, LedgerBuf *pList, LedgerError *pErr);

/* ---- entries.c: the routes below /app/transactions ---------------------- */

/* One entry as the ledger tells it. Texts belong to the call or page. */
typedef struct LedgerEntry LedgerEntry;
struct LedgerEntry {
  LedgerTxid id;
  const char *zSubLedger; /* NUL-terminated */
  const char *zContents;  /* may hold NUL bytes */
  size_t nContents;
  const char *zTags; /* a JSON array, or NULL where the answer has none */
};

/*
** GET /app/transactions/{id}: starts the request. zSubLedger NULL is the
** default one. The Loading loop is part of the call. *ppCall is the caller's.
*/
int ledgerEntryGet(LedgerClient *p, LedgerTxid id, const char *zSubLedger,
                   LedgerCall **ppCall, LedgerError *pErr);

/* The answer of a finished ledgerEntryGet(): *pFound is 0 when the ledger has
** no such entry there (404, or an answer that carries another id than the one
** asked for: what is answered is the collection's value at that point). */
int ledgerEntryResult(LedgerCall *p, int *pFound, LedgerEntry *pEntry,
                      LedgerError *pErr);

/* The entry is known to be there, committed: a node that doesn't have it lags
** behind, and is asked again until timeout_ms are over (LEDGER_BUSY then). */
void ledgerEntryKnown(LedgerCall *p);

/* Keeps the read of an entry from going to a secondary ledger. */
void ledgerEntryNoSecondary(LedgerCall *p);

/* Whether a secondary ledger has answered: the entry is then known to be that
** ledger's, and nothing of what it says is a state of this one. */
int ledgerEntryFromSecondary(const LedgerCall *p);

/* GET /app/transactions/current. zSubLedger NULL is the default one. The
** answer's id may be that of the state read, not of the write. Read it with
** ledgerEntryResult(). */
int ledgerEntryCurrentGet(LedgerClient *p, const char *zSubLedger,
                          LedgerCall **ppCall, LedgerError *pErr);

/* The same for the sake of ledgerCallHead(): never asked of a secondary. */
int ledgerEntryHeadGet(LedgerClient *p, const char *zSubLedger,
                       LedgerCall **ppCall, LedgerError *pErr);

/* States of a transaction. */
enum {
  LEDGER_TX_PENDING = 1,
  LEDGER_TX_COMMITTED = 2,
  LEDGER_TX_INVALID = 3, /* 404 InvalidTransactionId: final */
  LEDGER_TX_UNKNOWN = 4  /* 404 of another kind: not issued, or not yet here */
};

/* What the service calls a state, which is how SQL shows it; NULL of
** LEDGER_TX_UNKNOWN. */
const char *ledgerStatusName(int eState);

/* GET /app/transactions/{id}/status, once; 406 is pending. */
int ledgerStatusGet(LedgerClient *p, LedgerTxid id, LedgerCall **ppCall,
                    LedgerError *pErr);
int ledgerStatusResult(LedgerCall *p, int *peState, LedgerError *pErr);

/* Asks for the status with growing pauses until it is final: *peState is
** LEDGER_TX_COMMITTED or LEDGER_TX_INVALID. LEDGER_BUSY after timeout_ms:
** "was accepted and may still be recorded". */
int ledgerStatusWait(LedgerClient *p, LedgerTxid id, int *peState,
                     LedgerError *pErr);

typedef struct LedgerAppend LedgerAppend;
struct LedgerAppend {
  const char *zContents; /* UTF-8, may hold NUL bytes */
  size_t nContents;
  const char *zSubLedger; /* NULL: the default one */
  const char *zTags;      /* comma list for the wire, or NULL */
  const char *zHooks;     /* "preHooks":[...] and so on, or NULL */
  int bWait; /* ask the ledger to answer once it has committed, where the API
             ** version offers that */
};

/*
** POST /app/transactions: starts the request; the texts are copied. Repeats
** only what is certain not to be recorded (no connection; 307/308; 401 once
** with a fresh token; 429; 500 SessionConsistencyLost and 404 FrontendNotOpen
** on a new connection; TransactionRolledBack; a 503 with the ledger's error
** body and no transaction id), within retry_budget_ms.
*/
int ledgerAppendStart(LedgerClient *p, const LedgerAppend *pAppend,
                      LedgerCall **ppCall, LedgerError *pErr);

/* What the append needs of the API version (tags, hooks): LEDGER_OK, or an
** error that names the version needed. LEDGER_OK too while no answer has told
** which version is in use. */
int ledgerAppendCheck(const LedgerClient *p, const LedgerAppend *pAppend,
                      LedgerError *pErr);

/* Of an append: *peOutcome is always set, *pId with LEDGER_SENT. Returns the
** code of the failure, with its text, for the other outcomes, and for an entry
** that is recorded in another sub-ledger (ledgerAppendOtherSubLedger). An
** append that is not finished, since its wait was interrupted, is
** LEDGER_INTERRUPT, and unknown when something of it may have left this
** machine, else unsent. */
int ledgerAppendResult(LedgerCall *p, int *peOutcome, LedgerTxid *pId,
                       LedgerError *pErr);

/* The sub-ledger that the answer to an append names, where it is another one
** than was asked for: the entry is recorded there, under its id. Else NULL. It
** lives as long as the call. */
const char *ledgerAppendOtherSubLedger(const LedgerCall *p);

/* Whether a gateway has queued the append: while its outcome is unknown, it may
** be recorded at any time. */
int ledgerAppendQueued(const LedgerCall *p);

/* Of a finished append: 1 when its answer said that it is committed. */
int ledgerAppendCommitted(const LedgerCall *p);

/* GET /app/collections: starts the request. A node before the state floor is
** asked again; {0,0}: none is. */
int ledgerCollectionsGet(LedgerClient *p, LedgerTxid floor, LedgerCall **ppCall,
                         LedgerError *pErr);

/* Waits for it, follows the list to its end, and frees the call: as
** ledgerCollectionsList(). */
int ledgerCollectionsResult(LedgerCall *pCall, char ***pazName, int *pnName,
                            LedgerTxid *pHead, LedgerError *pErr);

/* GET /app/collections, followed to its end: the names of the sub-ledgers, as
** the service lists them, without repeats. *pazName is one allocation, the
** caller's (free()). *pHead is the state of the first answer. An API version
** without this route is an error that names the version needed. */
int ledgerCollectionsList(LedgerClient *p, char ***pazName, int *pnName,
                          LedgerTxid *pHead, LedgerError *pErr);

#define LEDGER_DEFAULT_SUB_LEDGER "subledger:0"

/* Limits of the service, documented. Larger input is refused by the room
** above before anything of a batch is sent. */
#define LEDGER_MAX_CONTENTS 8192  /* bytes of an entry */
#define LEDGER_MAX_SUB_LEDGER 256 /* bytes of a new sub-ledger's name */
#define LEDGER_MAX_TAGS 5         /* tags of an entry */

/* ---- range.c: GET /app/transactions, page by page ----------------------- */

/* What to read. Bounds are inclusive; with a seqno of 0 there is none. A bound
** whose view is 0 is a seqno only: it goes on the wire with the highest view
** seen, where one was seen, and is applied here in any case. */
typedef struct LedgerRange LedgerRange;
struct LedgerRange {
  const char *zSubLedger; /* NULL: the default one; copied */
  const char *zTag;       /* one tag, or NULL; copied */
  LedgerTxid from;
  LedgerTxid to;
  LedgerTxid floor; /* a node before this state is asked again; {0,0}: none */
  int bSure;        /* the bounds are ids known to be committed: a node that
                    ** refuses them lags, and is asked again for a while */
  int bWindow;      /* a part of a range: bounds that are refused end it, and
                    ** seqnos alone say what lies within */
  LedgerTxid wideFrom; /* ids known to be committed, around all of the range
                       ** that is wanted: where its own bounds are refused, */
  LedgerTxid wideTo;   /* these go out. {0,0}: none is known */
};

typedef struct LedgerPage LedgerPage;
struct LedgerPage {
  LedgerEntry *aEntry; /* ascending by seqno, within the range */
  int nEntry;          /* may be 0 though more pages follow */
  int isLast;          /* no page follows ... */
  int isPast;          /* ... for the service goes on above the range's end: up
                       ** to there nothing is missing */
  int isUnbounded;     /* the service refused the bounds: the whole range is
                       ** being read, and filtered here */
  LedgerTxid head;     /* state of the node that answered this page */
  LedgerTxid next;     /* where the next page begins; {0,0}: not told */
  LedgerTxid bound;    /* toTransactionId in the service's own next link: the
                       ** snapshot it reads at; {0,0} where it names none */
  int64_t ms;          /* from its last sending to its answer */
  size_t nByte;        /* of its body */
  int bOwner;          /* whose answer it is: it can be told ... */
  unsigned char aOwner[32]; /* ... as ledgerClientOwner() does */
};

typedef struct LedgerPager LedgerPager;

/* Opens a pager; nothing is sent. */
int ledgerPagerOpen(LedgerClient *p, const LedgerRange *pRange,
                    LedgerPager **ppPager, LedgerError *pErr);

/* Starts the request of the page that the next ledgerPagerNext() will return,
** if it isn't under way and there is one. Never waits. */
int ledgerPagerPrefetch(LedgerPager *p, LedgerError *pErr);

/*
** Gets the next page, waiting for it where needed; *ppPage is NULL behind the
** last one. The page lives until this function is called again, or the pager is
** closed. Rows outside the range are dropped here, the Loading loop is within;
** a bound that the service refuses is dropped from the wire and the range
** repeated; a page from a node behind this client's last committed append is
** asked again. An answer whose rows do not ascend, or whose next link never
** advances, is an error.
*/
int ledgerPagerNext(LedgerPager *p, const LedgerPage **ppPage,
                    LedgerError *pErr);

/* No row above iSeqnoMax is wanted any more, and nothing above it asked for:
** where the next page would be, the page at hand becomes the last one. */
void ledgerPagerBound(LedgerPager *p, int64_t iSeqnoMax);

/* The request under way, borrowed, to be waited for; or NULL. */
LedgerCall *ledgerPagerCall(const LedgerPager *p);

/* Of a range with bWindow: the service has refused its bounds, and
** ledgerPagerNext() has given no page for that. */
int ledgerPagerRefused(const LedgerPager *p);

/* Gives the pages behind the one at hand, none of which is under way, to a
** pager of their own; the one at hand becomes the last one of p. */
int ledgerPagerFork(LedgerPager *p, LedgerPager **ppRest, LedgerError *pErr);

void ledgerPagerClose(LedgerPager *p);

/* ---- receipts.c: GET /app/transactions/{id}/receipt --------------------- */

/* Starts the request for a receipt; the Loading loop is part of the call. */
int ledgerReceiptGet(LedgerClient *p, LedgerTxid id, LedgerCall **ppCall,
                     LedgerError *pErr);

/* Of a finished call: the service's whole answer as it came, which lives as
** long as the call. *pzAnswer is NULL where there is none (404). */
int ledgerReceiptResult(LedgerCall *p, const char **pzAnswer, size_t *pnAnswer,
                        LedgerError *pErr);

/* ---- route.c: users, governance, roles, functions, endpoints, tags ------ */

typedef struct LedgerRoute LedgerRoute;
typedef struct LedgerRouteForm LedgerRouteForm;

/* A small route: where it stands. A key - a user's id, the name of a role, a
** sub-ledger - goes behind the path, or into a parameter. */
struct LedgerRoute {
  const char *zWhat;            /* in messages; a key follows */
  const char *zPath;            /* as it is escaped on the wire */
  const char *zParam;           /* the key is this parameter, if not bKey */
  const char *zTail;            /* behind a key, or NULL */
  int bKey;                     /* the key is a part of the path */
  unsigned mNeed;               /* LEDGER_HAS_* */
  const LedgerRouteForm *pForm; /* how versions differ in it, or NULL */
};

/* Routes that versions of the API spell differently (users.c, roles.c). */
extern const LedgerRoute ledgerRouteUsers; /* the list */
extern const LedgerRoute ledgerRouteUser;  /* by id */
extern const LedgerRoute ledgerRouteRole;  /* by name */
extern const LedgerRoute ledgerRouteRoles; /* for writing */

/* The first version that has the route; NULL: all. For the documentation. */
const char *ledgerRouteVersion(const LedgerRoute *pRoute);

/* 1 when the version in use has the route. */
int ledgerRouteOffered(const LedgerClient *p, const LedgerRoute *pRoute);

/* What a route needs of the API version: as ledgerAppendCheck(). */
int ledgerRouteCheck(const LedgerClient *p, const LedgerRoute *pRoute,
                     LedgerError *pErr);

/* Starts a GET; zKey where the route takes one, else NULL. A node whose state
** is before `after` is asked again ({0,0}: any will do). */
int ledgerRouteGet(LedgerClient *p, const LedgerRoute *pRoute, const char *zKey,
                   LedgerTxid after, LedgerCall **ppCall, LedgerError *pErr);

/* Of a finished call: the answer, borrowed; NULL where there is none (404). */
int ledgerRouteResult(LedgerCall *p, LedgerJson **ppDoc, LedgerError *pErr);

/* Starts the request of the next page, of a finished call; *ppNext is NULL
** where there is none. */
int ledgerRouteNext(LedgerCall *p, LedgerCall **ppNext, LedgerError *pErr);

/* A write to a route. Of a user, zBody is the JSON array of the roles; what a
** version lacks is refused before anything is sent. */
typedef struct LedgerWrite LedgerWrite;
struct LedgerWrite {
  const LedgerRoute *pRoute;
  const char *zMethod; /* PUT, PATCH, DELETE or POST */
  const char *zKey;    /* or NULL */
  const char *zBody;   /* JSON, or NULL */
};

/* Starts a write, which is repeated only where an append would be. Its outcome
** is read with ledgerAppendResult(). */
int ledgerWriteStart(LedgerClient *p, const LedgerWrite *pWrite,
                     LedgerCall **ppCall, LedgerError *pErr);

/* The body that a finished write was answered with, borrowed, or NULL. */
LedgerJson *ledgerWriteAnswer(LedgerCall *p);

/* Checks the roles of a user, a JSON array, as far as the version in use knows
** them; where it isn't known yet, when they are sent. */
int ledgerUsersRolesCheck(LedgerClient *p, const char *zRoles,
                          LedgerError *pErr);

/* ---- secondary.c: who answers for a ledger that fails ------------------- */

extern const LedgerFailover ledgerSecondary; /* for LedgerConfig.pFailover */

#endif /* LEDGER_API_H */
