/*
** The face of client/call: one request to a ledger, from its start to one
** answer or one error, and what the requests of one ledger share. What a kind
** of request is about, its LedgerCallKind says; who shows the credential and
** knows whom to trust, the hooks of its LedgerClient.
**
** Nothing here waits: client/loop.c does.
*/
#ifndef LEDGER_CALL_H
#define LEDGER_CALL_H

#include "client/client.h"
#include "client/log/log.h"
#include "client/net/net.h"

typedef struct LedgerAuth LedgerAuth;
typedef struct LedgerCallHooks LedgerCallHooks;
typedef struct LedgerCallKind LedgerCallKind;
typedef struct LedgerChain LedgerChain;
typedef struct LedgerDialect LedgerDialect;
typedef struct LedgerParams LedgerParams;
typedef struct LedgerServerError LedgerServerError;

/* ---- dialect.c: what API versions differ in ----------------------------- */

#define LEDGER_NEWEST_VERSION "2026-02-23"   /* asked for first */
#define LEDGER_FALLBACK_VERSION "2022-05-13" /* when refused without a list */

struct LedgerDialect {
  const char *zVersion;   /* the api-version parameter */
  int bStable;            /* no preview */
  unsigned mHas;          /* LEDGER_HAS_* */
  const char *zSubLedger; /* query parameter that names a sub-ledger */
};

const LedgerDialect *ledgerDialectFind(const char *zVersion);
int ledgerDialectRefused(const LedgerServerError *pSaid);
int ledgerDialectNoPath(const LedgerServerError *pSaid);
const LedgerDialect *ledgerDialectChoose(const char *zMessage,
                                         const char **pzList);
const char *ledgerDialectFirst(unsigned mHas);
int ledgerDialectNeed(const LedgerDialect *pDialect, const char *zVersion,
                      unsigned mNeed, LedgerError *pErr);

/* ---- the ledger, as its requests know it -------------------------------- */

/* Committed seqnos, from iLow to iHigh, that are of one view: two of them were
** seen, and views don't fall as seqnos rise. */
typedef struct LedgerEra LedgerEra;
struct LedgerEra {
  int64_t iView;
  int64_t iLow;
  int64_t iHigh;
};

/* How requests show who they are; kept by client/credential. */
struct LedgerAuth {
  const char *zKind;   /* "token", ...; NULL: not chosen yet */
  const char *zFailed; /* the one whose failure was the error, or NULL */
  char *zPrincipal;    /* oid or fingerprint, where it is known */
  char *zToken;        /* the bearer in use, or NULL */
  int bRefreshable;    /* a 401 is worth a new token */
  char *zCertificate;  /* mutual TLS: PEM text ... */
  char *zKey;          /* ... and its key's */
};

/* What calls ask of the files above, which client.c brings together. */
struct LedgerCallHooks {
  /* Whether identity and credential are here; starts what is missing. */
  int (*xReady)(LedgerClient *p, int *pbReady, LedgerError *pErr);
  /* The credential that the call carried is refused (401): 1 where another
  ** attempt is worth it. */
  int (*xRefused)(LedgerCall *p);
  /* A call was taken away: what was started for it may not be wanted. */
  void (*xUnwanted)(LedgerClient *p);
  /* The server's certificate is refused: 1 where the identity is asked for
  ** once more. */
  int (*xRenew)(LedgerClient *p);
  /* The error of that; zUrl is the server's. */
  int (*xDistrusted)(LedgerClient *p, long iVerify, const char *zUrl,
                     LedgerError *pErr);
  /* Reads the files of options again. *pbChanged: something is different. */
  int (*xReread)(LedgerConfig *p, int *pbChanged, LedgerError *pErr);
  /* ledgerClientOwner(). */
  int (*xOwner)(const LedgerClient *p, unsigned char a[32]);
  /* The i-th option that holds a secret: *pz is its value or NULL. 0 behind
  ** the last one. */
  int (*xSecret)(const LedgerConfig *p, int i, const char **pz);
};

struct LedgerClient {
  LedgerConfig *pConfig;
  LedgerHooks user; /* of the room above */
  const LedgerCallHooks *pHooks;
  LedgerHttp *pHttp;           /* owned, or with pOwner its own */
  LedgerLog *pLog;             /* likewise */
  const LedgerMemory *pMemory; /* what knows answers already, or NULL ... */
  void *pMemoryArg;            /* ... and what it is given */
  LedgerAuth auth;             /* who we are ... */
  LedgerChain *pChain;         /* ... and how that is found out; owned */
  LedgerTrust trust;           /* whom to trust ... */
  LedgerCall *pIdentity;       /* ... GET /ledgerIdentity under way, or NULL */
  LedgerCall *pCalls;          /* all calls, done or not */
  LedgerSession *pSessions;    /* all sessions; their owners free them */
  LedgerSession *pUse;         /* calls started now go by it, or NULL */
  int nMoved;                  /* redirects that ended a session, in a row */
  int bBreaks;                 /* a session was seen to write in two views */

  /* api/secondary.c */
  LedgerClient *pOwner;         /* this is a secondary of it, or NULL */
  LedgerClient *pSecondary;     /* list: the secondaries, owned */
  LedgerClient *pNextSecondary; /* the next one of pOwner's */
  char *zSecondary;             /* the option they were made of */
  int bSecondaryStale;          /* to be made anew */

  /* known.c */
  char *zVersion; /* api-version in use; NULL: the first choice */
  const LedgerDialect *pDialect; /* its row */
  char *zPrimary;                /* https://host:port for writes, or NULL */
  int bAnswered;                 /* a server has answered before */
  int bDenied;                   /* ... a 401 or a 403, for good */
  int bAdmitted;                 /* it has let in ... */
  unsigned char aAdmitted[32];   /* ... this reader (ledgerClientOwner) */
  int64_t iViewMax;              /* the highest view seen */
  LedgerTxid head;               /* as in LedgerFacts */
  LedgerTxid committed;
  LedgerTxid appended;
  LedgerTxid sent; /* the last id given to an append of ours */
  LedgerEra *aEra; /* by view, ascending; owned */
  int nEra;
  int nEraAlloc;
  int64_t nPutOff;     /* requests that were put off: 429, 503 */
  const char *zSkewOf; /* as in LedgerFacts */
  int64_t sSkew;

  /* loop.c */
  int bPumping;         /* within loopStep() */
  int bWaiting;         /* ... because somebody waits */
  int bDropConnections; /* at the next time without exchanges */
  int64_t tReal;        /* ledgerClockMs() at the last tick */
  int64_t tNow;         /* client time: stands while nobody waits */
  int64_t tHook;        /* ledgerClockMs() of the last xInterrupted */
  uint32_t iJitter;     /* state of the generator for jitter */
};

/* ---- known.c: what answers have told ------------------------------------ */

const char *ledgerKnownVersion(const LedgerClient *p);
int ledgerKnownNeeds(const LedgerClient *p, unsigned mNeed, LedgerError *pErr);
int ledgerKnownSetVersion(LedgerClient *p, const char *zVersion,
                          LedgerError *pErr);
void ledgerKnownHead(LedgerClient *p, LedgerTxid id);
void ledgerKnownCommitted(LedgerClient *p, LedgerTxid id);
int64_t ledgerKnownView(const LedgerClient *p, int64_t iSeqno);
LedgerTxid ledgerKnownBelow(const LedgerClient *p, int64_t iSeqno);
void ledgerKnownReset(LedgerClient *p);

/* ---- a call ------------------------------------------------------------- */

/* What a server says about a failure; "" where it says nothing. */
struct LedgerServerError {
  int bBody;          /* the ledger's own error object was there */
  int bOom;           /* no memory to read it */
  char zCode[128];    /* cleaned for messages */
  char zMessage[512]; /* cleaned and clipped */
  char zDetail[512];  /* the reasons in error.details, likewise */
};

/* Parameters of a ledger request, spelled at sending by the dialect. */
struct LedgerParams {
  char *zSubLedger; /* NULL: left out */
  char *zTag;
  char *zTags;
  int bWait;            /* waitForCommit, where the version has it */
  const char *zKeyName; /* another parameter, or NULL */
  char *zKey;
  LedgerTxid from; /* seqno 0: left out; view 0: its own where that is known,
                   ** else the highest seen */
  LedgerTxid to;
};

/* What the kinds of requests differ in. */
struct LedgerCallKind {
  const char *zMethod;
  int bPublic;   /* not for the ledger: public CAs, no credential, no version */
  int bOnce;     /* a write: repeated only where that is safe */
  int bChange;   /* a write of something else than an entry */
  int bFailover; /* an entry's read, which a secondary may answer */
  int bFresh;    /* a read: a node behind our own appends is asked again */
  int bCache;    /* an answer with bFinal never changes: it may be kept */
  int bEntries;  /* only who may read entries is answered */
  int bPlain;    /* a machine's own endpoint: http too, and no proxy */
  int bNoRetry;  /* one attempt only */
  int bVersions; /* asks with a version that there is not */
  int msConnect; /* limit for the connection; 0: libcurl's */
  int msTimeout; /* limit of one attempt; 0: timeout_ms */
  const char *zNotYet; /* what it is while bAgain: "Loading"; NULL: not ready */
  size_t nAnswer; /* bytes of the answer that xRead makes: LedgerCall.pAnswer */
  /* Frees what pAnswer points to. NULL: nothing. */
  void (*xFree)(LedgerCall *p);
  /* Spells path, body and need for the dialect in use, before each sending.
  ** NULL: they are spelled already. */
  int (*xSpell)(LedgerCall *p, LedgerError *pErr);
  /* Reads a 2xx answer. Sets p->bAgain to be asked again after a pause. */
  int (*xRead)(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr);
  /* Whether a final refusal is an answer too; may set p->bAgain. NULL: no. */
  int (*xRefused)(LedgerCall *p);
  /* Whether this status is worth another attempt. NULL: the usual ones. */
  int (*xRetriable)(int iHttp);
  /* The error when asking again took too long. NULL: a general one. */
  int (*xOver)(LedgerCall *p, LedgerError *pErr);
};

enum {                   /* LedgerCall.eState */
  LEDGER_CALL_START,     /* to be sent as soon as identity and token are here */
  LEDGER_CALL_PAUSE,     /* to be sent again at tAt */
  LEDGER_CALL_RUN,       /* pEx is under way */
  LEDGER_CALL_SECONDARY, /* asked of a secondary: pSecondary */
  LEDGER_CALL_DONE       /* err, or the answer, is set */
};

struct LedgerCall {
  LedgerClient *pClient; /* NULL: the client is gone */
  LedgerCall *pNext;     /* the client's calls */
  LedgerCall *pPrev;
  const LedgerCallKind *pKind; /* NULL: only identity and token */
  int eState;                  /* LEDGER_CALL_* */

  /* What is asked. */
  char *zWhat;   /* in messages: "entry 2.15" */
  char *zPath;   /* /app/transactions/2.15 */
  char *zLink;   /* path and query to ask for instead, or NULL */
  int64_t nList; /* bytes that the pages before it had of the list's share */
  char *zBase;   /* https://host:port to ask, or NULL: the ledger's */
  LedgerTxid id; /* asked for; of a write: given by the ledger */
  LedgerParams query;
  LedgerBuf body;    /* what is sent */
  const char *zType; /* its content type, or NULL */
  char *azHeader[2]; /* more header lines, may be secret */
  char *zSecret;     /* what it shows who it is by, or NULL: hidden where a
                     ** server repeats it */
  unsigned mNeed;    /* LEDGER_HAS_* */
  int bOom;          /* memory was short for one of these */

  /* The attempt under way, and what it carries. */
  LedgerExchange *pEx;
  LedgerSession *pSession; /* it goes by this connection only, or NULL */
  char *zTokenSent;        /* the bearer */
  char *zVersionSent;      /* the version, or NULL */
  int bBounds;             /* bounds */
  int bFreshSent;          /* it is on a new connection */
  LedgerTxid floor; /* write: committed when it was sent: its id is above;
                    ** bFresh: a node before this state is asked again */
  int64_t tStart;   /* client time: it began, less the time that it waited */
  int64_t tPaused;  /* client time: since when it waits for room, or 0 */

  /* Once more? */
  int nAttempt;       /* times sent for the answer now looked for */
  int nRedirect;      /* hops of this attempt */
  int bNegotiated;    /* the version was chosen once already */
  int bReauth;        /* the token was fetched anew once already */
  int bClaims;        /* ... and once with the claims asked for */
  int bRenewed;       /* the identity was fetched anew once already */
  int bNewConnection; /* next attempt on a new connection */
  int bAgain;         /* xRead, xRefused: ask again */
  int msPause;        /* last pause while asking again */
  int64_t tAt;        /* client time: the pause ends */
  int64_t tAgain;     /* client time: first asked again, or 0 */
  int64_t tFailed;    /* client time: first failure, or 0 */
  int msBudget;       /* ... and how long it is retried since */

  /* What is known already (cache.c). */
  int bFinal;      /* xRead: the ledger will never answer otherwise */
  int bCache;      /* memory may be asked, and told */
  int bCached;     /* it has answered */
  char *zCacheKey; /* the request whose answer it is to keep, or NULL */
  int bOwner;      /* who asks, as it was sent: it can be told ... */
  unsigned char aOwner[32]; /* ... as ledgerClientOwner() does */

  /* Elsewhere (LedgerFailover). */
  LedgerCall *pSecondary; /* the same read on a secondary, under way */
  int bFromSecondary;     /* a secondary has answered */
  int bNoSecondary;       /* none may */

  /* The answer. */
  int http;                 /* the last one's status */
  LedgerServerError server; /* what it said about a refusal */
  LedgerTxid head;          /* its x-ms-ccf-transaction-id */
  LedgerError err;          /* the call's error */
  int64_t nHeld;            /* bytes that it keeps (ledgerCallHold) */
  int bWanted;              /* somebody waits for it, and nothing before */
  int eOutcome;             /* write: LEDGER_SENT ... */
  int bFound;               /* read: there is such a thing */
  void *pAnswer;            /* the kind's own, pKind->nAnswer bytes */
};

/* ---- call.c: life ------------------------------------------------------- */

int ledgerCallNew(LedgerClient *p, const LedgerCallKind *pKind,
                  LedgerCall **ppCall, LedgerError *pErr);
int ledgerCallTwin(const LedgerCall *p, LedgerClient *pAt, LedgerCall **ppTwin,
                   LedgerError *pErr);

/* Gives the call a text to keep in *pz: a copy (NULL of NULL), or a printed
** one. Where memory is short for it the call ends with LEDGER_NOMEM, unsent, as
** soon as it is started. */
void ledgerCallText(LedgerCall *p, char **pz, const char *z);
void ledgerCallPrint(LedgerCall *p, char **pz, const char *zFormat, ...);
void ledgerCallBegin(LedgerCall *p);
void ledgerCallOrphan(LedgerCall *p);
void ledgerCallHold(LedgerCall *p, int64_t n);
int64_t ledgerCallHandOver(LedgerCall *p);
void ledgerCallWant(LedgerCall *p);
void ledgerCallDone(LedgerCall *p);

/* Says what the call waits for. */
void ledgerCallWaiting(const LedgerCall *p, LedgerWaiting *pWaiting);

/* ---- send.c: one attempt ------------------------------------------------ */

void ledgerCallStep(LedgerCall *p);

/* ---- note.c ------------------------------------------------------------- */

void ledgerCallHide(const LedgerCall *p, char *zText);

void ledgerNoteRemembered(LedgerClient *p, const char *zHost,
                          const char *zRest);

/* ---- response.c: reading answers ---------------------------------------- */

#define LEDGER_PLACE_MAX 512

void ledgerResponseError(LedgerExchange *pEx, LedgerServerError *pOut);
int ledgerResponseParse(LedgerCall *p, LedgerExchange *pEx, const char *zWhat,
                        LedgerJson **ppDoc, LedgerError *pErr);
int ledgerResponseRefused(LedgerCall *p, LedgerError *pErr);
const char *ledgerResponsePlace(const LedgerCall *p, char *zOut);
int ledgerResponseWritten(LedgerCall *p, const LedgerExchange *pEx,
                          LedgerTxid id, LedgerError *pErr);
int ledgerResponseAbout(LedgerCall *p, LedgerJson *pDoc, LedgerError *pErr);
int ledgerResponseMissing(const LedgerCall *p);
int ledgerResponseNonsense(LedgerCall *p, const char *zWhy, LedgerError *pErr);

/* ---- session.c: requests in order, by one connection -------------------- */

struct LedgerSession {
  LedgerClient *pClient; /* NULL: the client is gone */
  LedgerSession *pNext;  /* the client's sessions */
  LedgerHttp *pHttp;     /* with one connection, which nothing else uses */
  char *zBase;           /* https://host:port of the node */
  int bOpen;             /* an answer came by it */
  int bEnded;            /* nothing more is sent by it */
  LedgerTxid last;       /* the last write recorded by it; {0,0}: none yet */
  int msRetryAfter;      /* of the answer that ended it, or -1 */
  int64_t tUsed;         /* ledgerClockMs() of its last answer */
};

void ledgerSessionOrphan(LedgerSession *p);

#endif /* LEDGER_CALL_H */
