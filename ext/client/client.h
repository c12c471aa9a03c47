/*
** The face of the room "client": the REST API of an Azure Confidential Ledger
** as C functions. HTTP, credentials, trust, API versions, retries, paging.
**
** Invariants
**   - no SQLite in here, memory comes from malloc;
**   - one LedgerClient belongs to one thread; nothing is global but libcurl;
**   - nothing here touches the network before the first request is asked for;
**   - a secret stands in no message, and in no getter's answer;
**   - a POST is given to libcurl so that libcurl cannot repeat it by itself.
**
** Requests are asynchronous objects (LedgerCall): start several, then wait. A
** call hides token and identity fetching, the choice of the API version,
** redirects, retries with back-off, and the Loading loop. While one call is
** waited for, all others of the same client make progress.
*/
#ifndef LEDGER_CLIENT_H
#define LEDGER_CLIENT_H

#include "base/base.h"

/* ---- option.c, config.c: the options of a ledger ----------------------- */

/*
** The typed options of one ledger: the table in option.c gives each one's
** name, default and one-line description, and says which are secret. Strings
** are malloc'd or NULL when not given. References ("env:NAME", "file:PATH") are
** resolved when the option is set, and files are read then.
*/
typedef struct LedgerConfig LedgerConfig;
struct LedgerConfig {
  char *zUrl;               /* https://host[:port], no final slash */
  char *zLedgerId;          /* first label of the host unless given */
  char *zApiVersion;        /* NULL: negotiated */
  char *zCredential;        /* default, azure_cli, token, ... */
  char *zTenantId;          /* an Entra application ... */
  char *zClientId;          /* ... its id ... */
  char *zClientSecret;      /* ... and secret */
  char *zClientCertificate; /* ... or certificate with key: PEM text */
  char *zClientCertificatePassword;
  char *zObjectId;        /* a managed identity, by its principal's id ... */
  char *zResourceId;      /* ... or by /subscriptions/... */
  char *zUserCertificate; /* mutual TLS: PEM text */
  char *zUserKey;         /* its key, when not in the same text */
  char *zUserCertificatePassword;
  char *zToken;              /* a bearer token, as it is */
  char *zAuthority;          /* https://login.microsoftonline.com */
  char *zScope;              /* what a token is asked for */
  char *zIdentityUrl;        /* the identity service */
  char *zServiceCertificate; /* pin: PEM text */
  char *zServiceKey;         /* pin: sha256:<64 hex> of the SPKI */
  int tlsPublic;             /* option tls: service (0), public (1) */
  char *zCaFile;             /* CAs for identity service and authority: PEM */
  int waitForCommit;         /* option wait: commit (1) or none (0) */
  int timeoutMs;             /* Loading, Pending and one request */
  int retryBudgetMs;         /* all retries of one call */
  int retryFirstMs;          /* pause before the second attempt ... */
  int retryMaxMs;            /* ... and the longest; they double */
  int retryMaxAttempts;      /* 0: as many as the budget allows */
  int firstContactMs;        /* budget while no server has ever answered */
  int pollFirstMs;           /* pause while Loading or Pending ... */
  int pollMaxMs;             /* ... and the longest */
  int concurrency;           /* lookups in flight */
  int rangeConcurrency;      /* ranges in flight */
  int64_t queueMaxBytes;     /* queued appends */
  int reconcile;             /* option reconcile: off (0), on (1) */
  int settleMs;              /* an append is carried out within, or never */
  int barrier;               /* option barrier: off (0), on (1) */
  int appendAnyOrder;        /* option append_order: strict (0), any (1) */
  int allowLockout;          /* a statement may delete several users, or you */
  int appendReadonly;        /* written to though main is read-only */
  int indirect;              /* of the SQLite connection: refuse (0), allow */
  int fileTables;            /* likewise */
  int64_t maxResponseBytes;  /* one answer's body */
  int connectTimeoutMs;      /* making one connection */
  int cache;                 /* option cache: off (0), on (1) */
  int64_t cacheMaxBytes;     /* what it holds, all counted */
  char *zSecondary;          /* other ledgers that may answer a read */
  char *zLog;                /* off, info, debug; then maybe " file:PATH" */
  struct LedgerOptionFile *aFile; /* the files that options came from */
  int bNoPipe;                    /* none of them may be a pipe */
  int (*xInterrupted)(void *);    /* asked while a pipe is read; may be NULL */
  void *pInterruptArg;
};

/* One row of the option table, for ledger_option(), the reference page and
** the nearest-name hint. */
typedef struct LedgerOptionSpec LedgerOptionSpec;
struct LedgerOptionSpec {
  const char *zName;    /* as written in the options object */
  const char *zDefault; /* as text; "" where there is none */
  const char *zDoc;     /* one line */
  int isSecret;         /* never shown */
};
const LedgerOptionSpec *ledgerOptionTable(int *pnOption);

/*
** Makes the configuration of a target: a bare ledger name (becomes
** https://NAME.confidential-ledger.azure.com), a bare host (has a dot), or an
** https URL. http, a path, a query or user info is refused. *ppConfig is the
** caller's, free it with ledgerConfigFree().
*/
int ledgerConfigNew(const char *zTarget, LedgerConfig **ppConfig,
                    LedgerError *pErr);
void ledgerConfigFree(LedgerConfig *p);
int ledgerConfigCopy(const LedgerConfig *p, LedgerConfig **ppCopy,
                     LedgerError *pErr);

/* A SHA-256 of the target and all options as they are resolved: two that are
** the same have the same. Secrets are in it, and can't be read from it. */
int ledgerConfigDigest(const LedgerConfig *p, unsigned char a[32],
                       LedgerError *pErr);

/* Makes *p what *pFrom is; *pFrom is freed. */
void ledgerConfigReplace(LedgerConfig *p, LedgerConfig *pFrom);

/* Applies an options object, a JSON text of n bytes. All or nothing: on an
** error *p is unchanged. Unknown names are refused with the nearest one. */
int ledgerConfigApply(LedgerConfig *p, const char *zJson, size_t n,
                      LedgerError *pErr);

/* Sets one option from text, as ledger_option(name, value) does. */
int ledgerConfigSet(LedgerConfig *p, const char *zName, const char *zValue,
                    LedgerError *pErr);

/* The option's value as text into *pBuf; secrets come out as "(set)", unset
** ones as "". An unknown name is an error with the nearest one. */
int ledgerConfigGet(const LedgerConfig *p, const char *zName, LedgerBuf *pBuf,
                    LedgerError *pErr);

/* 1 when a change of this option takes effect with ledgerClientReset(): what
** says which ledger, whose key and which credential. */
int ledgerOptionReconnects(const char *zName);

/* ---- client.c: one ledger ---------------------------------------------- */

typedef struct LedgerClient LedgerClient;

/* What the client asks of the room above. xInterrupted is called at least
** every 50 ms of any wait and says whether the user wants to stop. */
typedef struct LedgerHooks LedgerHooks;
struct LedgerHooks {
  int (*xInterrupted)(void *pArg); /* may be NULL */
  /* Whether SQL has to name the ledger; may be NULL. */
  int (*xNamed)(void *pArg, const char *zName);
  const char *zName; /* the ledger's name in SQL; lives as long as the client */
  void *pArg;
};

/* Takes pConfig over (also when it fails). No network. */
int ledgerClientNew(LedgerConfig *pConfig, const LedgerHooks *pHooks,
                    LedgerClient **ppClient, LedgerError *pErr);

/* Cancels what is running and frees the client. Calls that the caller still
** has end with LEDGER_INTERRUPT, and are the caller's to free; pagers are to be
** closed before. NULL is allowed. */
void ledgerClientFree(LedgerClient *p);

/* The client's configuration. It may be changed between calls with
** ledgerConfigSet(); what concerns identity or credentials then takes effect
** with ledgerClientReset(). */
LedgerConfig *ledgerClientConfig(LedgerClient *p);

/* Forgets token, identity, negotiated version and connections. */
void ledgerClientReset(LedgerClient *p);

/* After a change of options that don't reconnect: frees what the cache may hold
** no longer. */
void ledgerClientTrim(LedgerClient *p);

/* Fetches what the first request would: identity (or pin) and token. */
int ledgerClientConnect(LedgerClient *p, LedgerError *pErr);

/* Asks the identity service whether the service key is still the one that is
** trusted: LEDGER_AUTH with both fingerprints when it is another one. A pin is
** not asked about. */
int ledgerClientConfirm(LedgerClient *p, LedgerError *pErr);

/*
** What is known of the ledger. Strings belong to the client and live until
** its next call; they are NULL (numbers 0) where nothing is known yet.
*/
typedef struct LedgerFacts LedgerFacts;
struct LedgerFacts {
  const char *zApiVersion;  /* the version in use */
  const char *zCredential;  /* the kind of credential in use */
  const char *zPrincipal;   /* the token's oid, or the fingerprint */
  const char *zCertificate; /* the service certificate, PEM */
  const char *zKeySha256;   /* sha256:<hex> of its SPKI */
  const char *zNotBefore;   /* of the certificate: YYYY-MM-DDTHH:MM:SSZ */
  const char *zNotAfter;
  const char *zSource;      /* pinned, identity_service, public_pki */
  const char *zIdentityUrl; /* asked for it, or NULL */
  LedgerTxid head;          /* the highest state any answer has shown */
  LedgerTxid committed;     /* the highest id known to be committed */
  LedgerTxid appended;      /* the last id this client saw committed that it
                            ** appended itself; a node behind it is asked
                            ** again */
  const char *zSkewOf;      /* who has told the time: ledger or, where only
                            ** that one has, identity_service; or NULL */
  int64_t sSkew;            /* seconds its clock is ahead of ours */
};
void ledgerClientFacts(LedgerClient *p, LedgerFacts *pFacts);

/* Takes the credential out of a message that has words of an answer in it: a
** server may repeat what was sent. */
void ledgerClientHide(const LedgerClient *p, LedgerError *pErr);

/* ---- api/versions.c ------------------------------------------------------ */

/* GET /app/transactions/current with an api-version that there is not: the
** ledger's refusal names those that it knows, and this appends them, with
** commas; nothing if it names none. */
int ledgerVersionsOffered(LedgerClient *p, LedgerBuf *pList, LedgerError *pErr);

/* ---- log/log.c: what was asked ------------------------------------------- */

/* One exchange that is over, as ledger_http shows it. No secret stands in it:
** parameters that may hold one are ***. */
typedef struct LedgerRequest LedgerRequest;
struct LedgerRequest {
  int64_t n;       /* 1, 2, ... */
  int64_t tWall;   /* its end, in milliseconds since 1970 */
  char *zMethod;   /* GET ... */
  char *zHost;     /* https://host:port */
  char *zPath;     /* path and query */
  int iStatus;     /* HTTP status; 0: no answer */
  double ms;       /* from its start to its end */
  int64_t nByte;   /* of the answer's body */
  int nAttempt;    /* 1, 2, ... for the same answer */
  int iConnection; /* local port: the same one is the same connection */
  int bCache;      /* answered from the cache */
  char *zError;    /* why there is no answer, or the server's code */
};

/* The i-th of the requests remembered, the oldest first; NULL behind the last.
** It lives until the next request. */
const LedgerRequest *ledgerClientRequest(const LedgerClient *p, int i);

/* ---- call/call.c: a request that may be waited for ----------------------- */

typedef struct LedgerCall LedgerCall;

/* Drives the client until the call is done. Returns LEDGER_OK, or the call's
** error: LEDGER_BUSY when a budget is spent, LEDGER_INTERRUPT, and so on. An
** interrupted call goes on when it is waited for again. */
int ledgerCallWait(LedgerCall *p, LedgerError *pErr);

/* Drives the client until one of the n calls is done; *pi is its index. Calls
** that are NULL are passed over. The call's own error is left for
** ledgerCallWait() on it. */
int ledgerCallWaitAny(LedgerCall *const *apCall, int n, int *pi,
                      LedgerError *pErr);

/* Lets all calls make what progress they can without waiting. */
int ledgerClientPump(LedgerClient *p, LedgerError *pErr);

/* Waits ms milliseconds; LEDGER_INTERRUPT where the user wants to stop. */
int ledgerClientSleep(LedgerClient *p, int ms, LedgerError *pErr);

/* Cancels the call if it runs, and frees it and its answer. NULL is allowed. */
void ledgerCallFree(LedgerCall *p);

/* The answer's x-ms-ccf-transaction-id: the state of the node that answered.
** {0,0} while there is none (errors carry none). */
LedgerTxid ledgerCallHead(const LedgerCall *p);

/* ---- call/session.c: requests in order, by one connection ---------------- */

typedef struct LedgerSession LedgerSession;

/* Makes a session; nothing is sent. Its connection goes to the primary, where
** that is known. The caller closes it; that may be after the client is gone. */
int ledgerSessionOpen(LedgerClient *p, LedgerSession **ppSession,
                      LedgerError *pErr);
void ledgerSessionClose(LedgerSession *p); /* NULL is allowed */

/* Calls of the client that are started from now on go by the session; NULL: by
** any connection. One call at a time goes by a session. */
void ledgerSessionUse(LedgerClient *p, LedgerSession *pSession);

/* Whether the session has ended: nothing more can be sent by it. */
int ledgerSessionEnded(const LedgerSession *p);

/* Whether it was answered, and can be used once more: it has not ended, isn't
** idle for long and leads to the primary that is known. */
int ledgerSessionFits(const LedgerSession *p);

/* The last write that was recorded by it, {0,0} if there was none, and its
** view: no write of the session is ever recorded in another one. It is 0 where
** that isn't so, since a front end has been seen to break sessions silently. */
LedgerTxid ledgerSessionLast(const LedgerSession *p);
int64_t ledgerSessionView(const LedgerSession *p);

/* The Retry-After, in milliseconds, of the answer that ended it, or -1. */
int ledgerSessionRetryAfter(const LedgerSession *p);

/* ---- api/entries.c: the routes below /app/transactions ------------------- */

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
void ledgerEntryHere(LedgerCall *p);

/* Whether a secondary ledger has answered: the entry is then known to be that
** ledger's, and nothing of what it says is a state of this one. */
int ledgerEntryElsewhere(const LedgerCall *p);

/* GET /app/transactions/current. zSubLedger NULL is the default one. The
** answer's id may be that of the state read, not of the write. Read it with
** ledgerEntryResult(). */
int ledgerCurrentGet(LedgerClient *p, const char *zSubLedger,
                     LedgerCall **ppCall, LedgerError *pErr);

/* The same for the sake of ledgerCallHead(): never asked of a secondary. */
int ledgerHeadGet(LedgerClient *p, const char *zSubLedger, LedgerCall **ppCall,
                  LedgerError *pErr);

/* States of a transaction. */
enum {
  LEDGER_TX_PENDING = 1,
  LEDGER_TX_COMMITTED = 2,
  LEDGER_TX_INVALID = 3, /* 404 InvalidTransactionId: final */
  LEDGER_TX_UNKNOWN = 4  /* 404 of another kind: not issued, or not yet here */
};

/* GET /app/transactions/{id}/status, once; 406 is pending. */
int ledgerStatusGet(LedgerClient *p, LedgerTxid id, LedgerCall **ppCall,
                    LedgerError *pErr);
int ledgerStatusResult(LedgerCall *p, int *peState, LedgerError *pErr);

/* Asks for the status with growing pauses until it is final: *peState is
** LEDGER_TX_COMMITTED or LEDGER_TX_INVALID. LEDGER_BUSY after timeout_ms:
** "was accepted and may still be recorded". */
int ledgerStatusWait(LedgerClient *p, LedgerTxid id, int *peState,
                     LedgerError *pErr);

/* What became of an append. */
enum {
  LEDGER_SENT = 1,    /* recorded under the id given; commit is to come */
  LEDGER_UNSENT = 2,  /* certainly not recorded; may be sent again */
  LEDGER_REFUSED = 3, /* certainly not recorded, and never will be */
  LEDGER_OUTCOME_UNKNOWN = 4 /* the request went out, no answer came back */
};

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
** that is recorded in another sub-ledger (ledgerAppendElsewhere). An append
** that is not finished, since its wait was interrupted, is LEDGER_INTERRUPT,
** and unknown when something of it may have left this machine, else unsent. */
int ledgerAppendResult(LedgerCall *p, int *peOutcome, LedgerTxid *pId,
                       LedgerError *pErr);

/* The sub-ledger that the answer to an append names, where it is another one
** than was asked for: the entry is recorded there, under its id. Else NULL. It
** lives as long as the call. */
const char *ledgerAppendElsewhere(const LedgerCall *p);

/* Whether a gateway has queued the append: while its outcome is unknown, it may
** be recorded at any time. */
int ledgerAppendQueued(const LedgerCall *p);

/* Of a finished append: 1 when its answer said that it is committed. */
int ledgerAppendCommitted(const LedgerCall *p);

/* GET /app/collections, followed to its end: the names of the sub-ledgers, as
** the service lists them, without repeats. *pazName is one allocation, the
** caller's (free()). *pHead is the state of the first answer. An API version
** without this route is an error that names the version needed. */
int ledgerSubLedgerList(LedgerClient *p, char ***pazName, int *pnName,
                        LedgerTxid *pHead, LedgerError *pErr);

#define LEDGER_DEFAULT_SUB_LEDGER "subledger:0"

/* Limits of the service, documented. Larger input is refused by the room
** above before anything of a batch is sent. */
#define LEDGER_MAX_CONTENTS 8192  /* bytes of an entry */
#define LEDGER_MAX_SUB_LEDGER 256 /* bytes of a new sub-ledger's name */
#define LEDGER_MAX_TAGS 5         /* tags of an entry */

/* ---- api/range.c: GET /app/transactions, page by page -------------------- */

/* What to read. Bounds are inclusive; a seqno of 0 is no bound. A bound whose
** view is 0 is a seqno only: it goes on the wire with the highest view seen,
** where one was seen, and is applied here in any case. */
typedef struct LedgerRange LedgerRange;
struct LedgerRange {
  const char *zSubLedger; /* NULL: the default one; copied */
  const char *zTag;       /* one tag, or NULL; copied */
  LedgerTxid from;
  LedgerTxid to;
};

typedef struct LedgerPage LedgerPage;
struct LedgerPage {
  LedgerEntry *aEntry; /* ascending by seqno, within the range */
  int nEntry;          /* may be 0 though more pages follow */
  int isLast;          /* no page follows */
  int isUnbounded;     /* the service refused the bounds: the whole range is
                       ** being read, and filtered here */
  LedgerTxid head;     /* state of the node that answered this page */
  LedgerTxid bound;    /* toTransactionId in the service's own next link: the
                       ** snapshot it reads at; {0,0} where it names none */
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

void ledgerPagerClose(LedgerPager *p);

/* ---- api/receipts.c: GET /app/transactions/{id}/receipt ------------------ */

/* Starts the request for a receipt; the Loading loop is part of the call. */
int ledgerReceiptGet(LedgerClient *p, LedgerTxid id, LedgerCall **ppCall,
                     LedgerError *pErr);

/* Of a finished call: the service's whole answer as it came, which lives as
** long as the call. *pzAnswer is NULL where there is none (404). */
int ledgerReceiptResult(LedgerCall *p, const char **pzAnswer, size_t *pnAnswer,
                        LedgerError *pErr);

/* ---- api/routes.c: users, governance, roles, functions, endpoints, tags -- */

/* The small routes. A key is what the route asks for: a user's id, the name of
** a role, a function's id, a sub-ledger. */
enum {
  LEDGER_ROUTE_USERS = 1, /* the list */
  LEDGER_ROUTE_USER,      /* by id */
  LEDGER_ROUTE_TAGS,      /* by sub-ledger */
  LEDGER_ROUTE_MEMBERS,
  LEDGER_ROUTE_CONSTITUTION,
  LEDGER_ROUTE_QUOTES,
  LEDGER_ROUTE_ROLE,  /* by name */
  LEDGER_ROUTE_ROLES, /* for writing */
  LEDGER_ROUTE_FUNCTIONS,
  LEDGER_ROUTE_FUNCTION, /* by id */
  LEDGER_ROUTE_EXECUTE,  /* POST, by id */
  LEDGER_ROUTE_ENDPOINTS,
  LEDGER_ROUTE_MODULE, /* by name */
  LEDGER_ROUTE_RUNTIME
};

/* For the documentation: the path, and the first version that has it. */
const char *ledgerRoutePath(int eRoute);
const char *ledgerRouteVersion(int eRoute);

/* 1 when the version in use has the route. */
int ledgerRouteOffered(const LedgerClient *p, int eRoute);

/* What a route needs of the API version: as ledgerAppendCheck(). */
int ledgerRouteCheck(const LedgerClient *p, int eRoute, LedgerError *pErr);

/* Starts a GET; zKey where the route takes one, else NULL. A node whose state
** is before `after` is asked again ({0,0}: any will do). */
int ledgerRouteGet(LedgerClient *p, int eRoute, const char *zKey,
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
  int eRoute;
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

/* 1 when a user can have several roles in the version in use, and PATCH adds
** to them; 0 when it has one, and PATCH replaces it. */
int ledgerClientManyRoles(LedgerClient *p);

/* 1 when PATCH of a role replaces its actions in the version in use, 0 when it
** adds to them. */
int ledgerClientRolesReplaced(LedgerClient *p);

/* 1 once the ledger has answered: the version in use is known. */
int ledgerClientAnswered(const LedgerClient *p);

/* Checks the roles of a user, a JSON array, as far as the version in use knows
** them; where it isn't known yet, when they are sent. */
int ledgerRolesCheck(LedgerClient *p, const char *zRoles, LedgerError *pErr);

/* SHA-256 of n bytes as lower-case hex: zOut has 65 bytes. */
int ledgerSha256Hex(const void *a, size_t n, char *zOut, LedgerError *pErr);

#define LEDGER_USER_ID_MAX 96

/* The canonical form of a user's id into zOut[LEDGER_USER_ID_MAX]: an object id
** in lower case, a certificate's fingerprint in upper case with colons. Returns
** 0 when the n bytes at z are neither. */
int ledgerUserId(const char *z, size_t n, char *zOut);

/* ---- net/certificate.c --------------------------------------------------- */

/* SHA-256 of the leaf among the certificates in a PEM text (or DER), as
** upper-case hex with colons: the user id of a client certificate. zOut has 96
** bytes. Which one is the leaf, the private key tells where there is one; else
** it is the one that issued no other. */
int ledgerCertificateFingerprint(const void *pBytes, size_t n, char *zOut,
                                 LedgerError *pErr);

/* Versions of the libraries below, one "name version" per line. */
void ledgerClientVersions(LedgerBuf *pBuf);

#endif /* LEDGER_CLIENT_H */
