/*
** What the files of the room "client" share with each other and nobody else.
** Prototypes stand below the name of the file that defines them, and are
** documented there.
*/
#ifndef LEDGER_CLIENT_INT_H
#define LEDGER_CLIENT_INT_H

#include "client/client.h"

#include <curl/curl.h>
#include <openssl/x509.h>
#include <signal.h>

typedef struct LedgerAuth LedgerAuth;
typedef struct LedgerCache LedgerCache;
typedef struct LedgerCallKind LedgerCallKind;
typedef struct LedgerCredential LedgerCredential;
typedef struct LedgerDialect LedgerDialect;
typedef struct LedgerEntryList LedgerEntryList;
typedef struct LedgerExchange LedgerExchange;
typedef struct LedgerFailure LedgerFailure;
typedef struct LedgerFetch LedgerFetch;
typedef struct LedgerHttp LedgerHttp;
typedef struct LedgerListener LedgerListener;
typedef struct LedgerLog LedgerLog;
typedef struct LedgerParams LedgerParams;
typedef struct LedgerServerError LedgerServerError;
typedef struct LedgerTrust LedgerTrust;
typedef struct LedgerWire LedgerWire;

/* ---- net/url.c ---------------------------------------------------------- */

int ledgerTargetParse(const char *zTarget, char **pzUrl, char **pzLedgerId,
                      LedgerError *pErr);
int ledgerUrlCheck(const char *zName, const char *z, LedgerError *pErr);
int ledgerUrlWithin(const char *zBase, const char *zUrl);
int ledgerUrlIsLoopback(const char *zUrl);
int ledgerLinkTake(const char *zLink, size_t nLink, const char *zBase,
                   const char *zPath, char **pzPathQuery, LedgerError *pErr);
const char *ledgerLinkParam(const char *zLink, const char *zName, size_t *pn);
LedgerTxid ledgerLinkTxid(const char *zLink, const char *zName);

/* ---- net/file.c ---------------------------------------------------------- */

/* Appends the whole file to *pOut, up to nMax bytes. zWhat begins the error,
** rcFail is its code; *pOut is wiped and empty then. */
int ledgerFileRead(const char *zWhat, const char *zFile, size_t nMax,
                   int rcFail, LedgerBuf *pOut, LedgerError *pErr);

/* The same of a file or, unless p->bNoPipe, a pipe (*pbPipe), for an option of
** p. */
int ledgerFileReadOption(const LedgerConfig *p, const char *zWhat,
                         const char *zFile, int rcFail, LedgerBuf *pOut,
                         int *pbPipe, LedgerError *pErr);

/* ---- net/pem.c ----------------------------------------------------------- */

/* A block of a PEM text; pointers into it. */
typedef struct LedgerPem LedgerPem;
struct LedgerPem {
  const char *zName; /* CERTIFICATE, PRIVATE KEY, ... */
  size_t nName;
  const char *zBody; /* NULL: it has no end */
  size_t nBody;
};

int ledgerPemNext(const char **pz, LedgerPem *p);
int ledgerPemIs(const LedgerPem *p, const char *zName);
int ledgerPemIsCertificate(const LedgerPem *p);
int ledgerPemIsKey(const LedgerPem *p);
int ledgerPemHasKey(const char *z);
int ledgerPemDecode(const LedgerPem *p, LedgerBuf *pHeader, LedgerBuf *pDer);
const char *ledgerPemText(const void *pBytes, size_t n, LedgerBuf *pOut);

/* ---- net/certificate.c --------------------------------------------------- */

/* A certificate with its key. */
typedef struct LedgerCertificate LedgerCertificate;
struct LedgerCertificate {
  EVP_PKEY *pKey;
  X509 *pCert;            /* the key's */
  STACK_OF(X509) * pRest; /* its issuer, the issuer's issuer, ..., the others */
};

/* Where it is read from. Everything is borrowed. */
typedef struct LedgerCertificateFrom LedgerCertificateFrom;
struct LedgerCertificateFrom {
  const char *zWhat;           /* the option, for messages ... */
  const char *zText;           /* ... and its PEM text */
  const char *zKeyWhat;        /* the same for a key apart */
  const char *zKeyText;        /* ... or NULL */
  const char *zPasswordOption; /* the same for a password */
  const char *zPassword;       /* ... or NULL */
  const char *zNoKey;          /* ends the message that there is no key */
  int bKeyLater;               /* the key need not be there yet */
};

int ledgerCertificateRead(const LedgerCertificateFrom *pFrom,
                          LedgerCertificate *pOut, LedgerError *pErr);
void ledgerCertificateFree(LedgerCertificate *p);
int ledgerCertificatePem(const LedgerCertificate *p, char **pzPem, char **pzKey,
                         LedgerError *pErr);
char *ledgerCertificateText(X509 *pCert);
int ledgerCertificateEnded(const char *zPem, char *zDate);
int ledgerCertificateCount(const char *zPem, X509 **ppCert);
int ledgerCertificatePrint(X509 *pCert, char *zOut, LedgerError *pErr);

/* ---- log/redact.c -------------------------------------------------------- */

void ledgerSecretFree(char *z);
void ledgerBufWipe(LedgerBuf *p);
int ledgerBufRoom(LedgerBuf *p, size_t n);
void ledgerSecretHide(char *zText, const char *zSecret);
void ledgerSecretsHide(const LedgerCall *p, char *zText);

/* ---- config.c ---------------------------------------------------------- */

void ledgerConfigRename(LedgerConfig *p, LedgerConfig *pFrom);
int ledgerConfigApplyObject(LedgerConfig *p, LedgerJson *pDoc, cJSON *pObj,
                            const char *zExcept, LedgerError *pErr);
int ledgerConfigSecret(const LedgerConfig *p, int i, const char **pz);
int ledgerConfigUnset(LedgerConfig *p, const char *zName, LedgerError *pErr);
int ledgerConfigRenew(LedgerConfig *p, int *pbChanged, LedgerError *pErr);

/* ---- dialect.c --------------------------------------------------------- */

#define LEDGER_NEWEST_VERSION "2026-02-23"   /* asked for first */
#define LEDGER_FALLBACK_VERSION "2022-05-13" /* when refused without a list */

#define LEDGER_HAS_COLLECTIONS 0x01u /* GET /app/collections */
#define LEDGER_HAS_TAGS 0x02u        /* tags and tag as query parameters */
#define LEDGER_HAS_MERGE_PATCH 0x04u /* PATCH is application/merge-patch+json */
#define LEDGER_HAS_USER_LIST 0x08u   /* users can be listed */
#define LEDGER_HAS_MANY_ROLES 0x10u  /* /app/ledgerUsers, not /app/users */
#define LEDGER_HAS_PROGRAMS 0x20u    /* functions and hooks */
#define LEDGER_HAS_TAG_LIST 0x40u    /* GET /app/collections/tags */
#define LEDGER_HAS_WAIT 0x80u        /* waitForCommit on an append */
#define LEDGER_HAS_ROLES 0x100u      /* roles and endpoints */
#define LEDGER_HAS_ROLE_TEXT 0x200u  /* role_name; PATCH of a role replaces */

struct LedgerDialect {
  const char *zVersion;   /* the api-version parameter */
  int bStable;            /* no preview */
  unsigned mHas;          /* LEDGER_HAS_* */
  const char *zSubLedger; /* query parameter that names a sub-ledger */
};

const LedgerDialect *ledgerDialectFind(const char *zVersion);
const LedgerDialect *ledgerDialectChoose(const char *zMessage,
                                         const char **pzList);
const char *ledgerVersionOf(unsigned mHas);
int ledgerDialectNeed(const LedgerDialect *pDialect, const char *zVersion,
                      unsigned mNeed, LedgerError *pErr);

/* ---- net/trust.c --------------------------------------------------------- */

#define LEDGER_KEY_MAX 72 /* "sha256:", 64 hex digits, NUL */

/* Whom the client takes for the ledger: one service certificate. */
struct LedgerTrust {
  char *zPem;                /* the certificate, or NULL: not known yet */
  X509 *pCert;               /* the same, parsed */
  int bPinned;               /* given by option: its dates don't matter */
  int bFetched;              /* it came from the identity service */
  char zKey[LEDGER_KEY_MAX]; /* fingerprint of its key */
  char zNotBefore[24];       /* its dates, YYYY-MM-DDTHH:MM:SSZ */
  char zNotAfter[24];
  char zSeenNode[LEDGER_KEY_MAX]; /* of the last refused handshake: the key of
                                  ** the node's certificate ... */
  char zSeen[LEDGER_KEY_MAX];     /* ... and the service's, where it was sent */
  LedgerCall *pCall;              /* GET /ledgerIdentity under way, or NULL */
};

void ledgerTrustReset(LedgerTrust *p);
int ledgerTrustReady(LedgerClient *p, int *pbReady, LedgerError *pErr);
int ledgerTrustRenew(LedgerClient *p);
void ledgerTrustLetGo(LedgerExchange *pEx);
CURLcode ledgerTrustSslCtx(CURL *pEasy, void *pCtx, void *pTrust);
int ledgerTrustIsName(long iVerify);
int ledgerTrustFailure(LedgerClient *p, long iVerify, const char *zUrl,
                       LedgerError *pErr);
int ledgerTrustCheck(const LedgerConfig *p, LedgerError *pErr);

/* ---- credential/chain.c -------------------------------------------------- */

/* How the client shows who it is. What a LedgerCredential and a LedgerFetch
** are is known to the files credential*.c alone. */
struct LedgerAuth {
  const char *zKind;  /* "token", ...; NULL: not chosen yet */
  char *zPrincipal;   /* oid or fingerprint, where it is known */
  char *zToken;       /* the bearer in use, or NULL */
  int64_t tRefresh;   /* ledgerClockMs() from which a new one is fetched */
  int64_t tExpire;    /* ledgerClockMs() at which it ends */
  int bRefreshable;   /* a 401 is worth a new token */
  char *zCertificate; /* mutual TLS: PEM text ... */
  char *zKey;         /* ... and its key's */
  const LedgerCredential *pKept; /* the one that worked, or NULL */
  LedgerFetch *pFetch;           /* under way, or NULL */
  int iChain;                    /* its place in the chain */
  LedgerBuf reasons;             /* why those before it are not there */
  char *zClaims;                 /* what the next token has to show (JSON) */
};

void ledgerAuthReset(LedgerAuth *p);
int ledgerAuthReady(LedgerClient *p, int *pbReady, LedgerError *pErr);
int ledgerAuthDue(const LedgerAuth *p);
int ledgerAuthRefused(LedgerCall *p);
int ledgerAuthHasChild(const LedgerAuth *p);
void ledgerAuthInterrupted(LedgerAuth *p);
void ledgerAuthUnwanted(LedgerClient *p);
int ledgerCredentialKind(const LedgerConfig *p, const char **pzKind,
                         LedgerError *pErr);
int ledgerCredentialCheck(const LedgerConfig *p, LedgerError *pErr);
int ledgerCredentialCheckOne(const LedgerConfig *p, const char *zOption,
                             LedgerError *pErr);

/* ---- net/http.c ---------------------------------------------------------- */

/* What one exchange sends. Everything is borrowed; body and trust must stay
** until the exchange is freed. */
struct LedgerWire {
  const char *zMethod; /* GET, POST, PUT, PATCH or DELETE */
  const char *zUrl;    /* whole */
  const char *zToken;  /* bearer, or NULL */
  const char *zType;   /* content type of the body, or NULL: none */
  const char *zBody;   /* nBody bytes */
  size_t nBody;
  const char *const *azHeader; /* two more header lines; each may be NULL */
  int bPlain;               /* http too, and no proxy: a machine's endpoint */
  int msConnect;            /* limit for the connection; 0: libcurl's */
  int bOnce;                /* libcurl must not repeat it by itself */
  int bFresh;               /* on a new connection */
  const int *pbHeld;        /* not NULL: on the connection there is, once this
                            ** is set; libcurl must not make another */
  int bKeepHeaders;         /* keep the answer's headers for the log */
  LedgerTrust *pTrust;      /* whom to trust; NULL: public CAs ... */
  const char *zCaFile;      /* ... or those of this PEM text */
  const char *zCertificate; /* mutual TLS: PEM text, or NULL */
  const char *zKey;
  int64_t nMax; /* bytes of the answer's body */
};

/* One request and its answer. */
struct LedgerExchange {
  LedgerHttp *pHttp; /* whose it is */
  CURL *pEasy;
  struct curl_slist *pHeader;
  char *zKey;        /* of a user's certificate; libcurl borrows it */
  const char *zBody; /* borrowed */
  size_t nBody;
  size_t iBody; /* bytes of the body that libcurl has taken */
  int64_t nMax;
  const int *pbHeld; /* as in LedgerWire */
  int bHeldLost;     /* that connection was closed */
  int bOpened;       /* a connection was made for it */
  int bStale;        /* broken off, nothing was sent: the kept connection was
                     ** closed at its other end */
  int bAdded;        /* part of the multi handle */
  int bDone;         /* the answer is here, or rc says why not */
  int bTooBig;       /* broken off: more than nMax bytes */
  size_t nHeader;    /* bytes of headers */
  int bLongHeaders;  /* broken off: they are too many */
  int bDirect;       /* no proxy may be used */
  int msConnect;     /* limit for the connection */
  int bCertificate;  /* a client certificate is offered */
  int bOnce;         /* libcurl must not repeat it */
  int bReady;        /* the request may leave: the connection stands ... */
  long nBefore;      /* ... on which so many bytes went to a proxy */
  int bSent;         /* with rc: something of the request may have left */
  CURLcode rc;
  int eFail;                 /* with rc: LEDGER_FAIL_* ... */
  int bFinal;                /* ... and whether it will fail again */
  int iProxyHttp;            /* ... the status of a proxy that refuses, or 0 */
  long iVerify;              /* with rc: X509_V_* of the handshake */
  int iAlert;                /* the TLS alert of the server, or 0 */
  LedgerListener *pListener; /* that notes it, or NULL */
  int http;                  /* status */
  int msRetryAfter;          /* Retry-After, or -1 */
  int64_t tDate;             /* Date, in seconds since 1970, or -1 */
  int eHead;                 /* how far its headers are read */
  int bInterim;              /* they are a 1xx answer's */
  LedgerTxid head;           /* x-ms-ccf-transaction-id ... */
  int nId;                   /* ... so many of them ... */
  int bTwoIds;               /* ... that differ: then head is {0,0} */
  LedgerBuf location;        /* Location */
  LedgerBuf challenge;       /* WWW-Authenticate */
  LedgerBuf operation;       /* x-ms-webfe-operation-id */
  int64_t nLength;           /* Content-Length, or -1 */
  int bUnequal;              /* there are two, and they differ */
  int bKeepHeaders;
  int bWipe;         /* the answer may be a token: nothing of it is to stay in
                     ** libcurl's buffer, which is freed as it is */
  LedgerBuf headers; /* the answer's, when bKeepHeaders */
  int bLogged;       /* noted by ledgerLogExchange() */
  LedgerBuf body;
  char zError[CURL_ERROR_SIZE];
};

/* Between these two the host is shielded from SIGPIPE and from what OpenSSL
** leaves in its queue of errors. */
typedef struct LedgerGuest LedgerGuest;
struct LedgerGuest {
  sigset_t old; /* the thread's mask */
  int bPending; /* a SIGPIPE was there before us */
};

void ledgerGuestEnter(LedgerGuest *p);
void ledgerGuestLeave(LedgerGuest *p);
int64_t ledgerClockMs(void);
int ledgerHttpNew(LedgerHttp **ppHttp, LedgerError *pErr);
void ledgerHttpFree(LedgerHttp *p);
int ledgerHttpReset(LedgerHttp *p, LedgerError *pErr);
int ledgerHttpStart(LedgerHttp *p, const LedgerWire *pWire,
                    LedgerExchange **ppEx, LedgerError *pErr);
int ledgerHttpPerform(LedgerHttp *p, LedgerError *pErr);
int ledgerHttpPoll(LedgerHttp *p, int ms, LedgerError *pErr);
int ledgerExchangeLeft(LedgerExchange *p);
int ledgerHttpRunning(const LedgerHttp *p);
void ledgerExchangeFree(LedgerExchange *p);

/* ---- net/socket.c -------------------------------------------------------- */

/* Those that libcurl has open. */
typedef struct LedgerSockets LedgerSockets;
struct LedgerSockets {
  int *aFd; /* n of nAlloc */
  int n, nAlloc;
};

void ledgerSocketsAdd(LedgerSockets *p, int fd);
void ledgerSocketsRemove(LedgerSockets *p, int fd);
void ledgerSocketsFree(LedgerSockets *p);
int ledgerSocketsWait(const LedgerSockets *p, int iLocal, int iRemote);

/* ---- net/failure.c ------------------------------------------------------- */

/* Classes of failures of an exchange. */
enum {
  LEDGER_FAIL_CONNECT = 1, /* there was no connection */
  LEDGER_FAIL_TIME,        /* there was none in time */
  LEDGER_FAIL_PROXY,       /* the proxy can't be used, or refuses */
  LEDGER_FAIL_BROKEN,      /* the connection broke */
  LEDGER_FAIL_ANSWER,      /* an answer that can't be used */
  LEDGER_FAIL_TLS,         /* no handshake */
  LEDGER_FAIL_TRUST,       /* the server's certificate is refused */
  LEDGER_FAIL_CERTIFICATE, /* the client's certificate can't be used */
  LEDGER_FAIL_REFUSED,     /* the server refuses it */
  LEDGER_FAIL_CA_FILE,     /* ca_file can't be read */
  LEDGER_FAIL_MEMORY,
  LEDGER_FAIL_INTERNAL /* what libcurl has no reason for, or a new code */
};

#define LEDGER_LONG_HEADERS "the headers of the answer are too long"
#define LEDGER_NAME_UNKNOWN "the name is unknown"

/* What a code of libcurl's means. */
struct LedgerFailure {
  int rc;            /* CURLcode */
  int eClass;        /* LEDGER_FAIL_* */
  int bRetry;        /* another attempt may do better */
  const char *zText; /* or NULL */
};

const LedgerFailure *ledgerFailureOf(int rc);
void ledgerFailureRead(LedgerExchange *p);

/* ---- call/response.c ----------------------------------------------------- */

/* What a server says about a failure; "" where it says nothing. */
struct LedgerServerError {
  int bBody;          /* the ledger's own error object was there */
  int bOom;           /* no memory to read it */
  char zCode[128];    /* cleaned for messages */
  char zMessage[512]; /* cleaned and clipped */
  char zDetail[512];  /* the reasons in error.details, likewise */
};

void ledgerServerErrorRead(LedgerExchange *pEx, LedgerServerError *pOut);
int ledgerAnswerParse(LedgerCall *p, LedgerExchange *pEx, const char *zWhat,
                      LedgerJson **ppDoc, LedgerError *pErr);
int ledgerAnswerRefused(LedgerCall *p, LedgerError *pErr);
int ledgerAnswerFailed(LedgerCall *p, LedgerError *pErr);
#define LEDGER_PLACE_MAX 512
const char *ledgerAnswerPlace(const LedgerCall *p, char *zOut);
int ledgerAnswerWritten(LedgerCall *p, const LedgerExchange *pEx, LedgerTxid id,
                        LedgerError *pErr);
int ledgerAnswerAbout(LedgerCall *p, LedgerJson *pDoc, LedgerError *pErr);
int ledgerAnswerMissing(const LedgerCall *p);
int ledgerAnswerNonsense(LedgerCall *p, const char *zWhy, LedgerError *pErr);

/* ---- call/cache.c -------------------------------------------------------- */

LedgerCache *ledgerCacheNew(void);
void ledgerCacheFree(LedgerCache *p);
void ledgerCacheFit(LedgerCache *p, int64_t nMax);
int64_t ledgerCacheOwner(LedgerCache *p, const char *zKey,
                         const char *zPrincipal);
const char *ledgerCacheGet(LedgerCache *p, const char *zKey, size_t *pn);
void ledgerCachePut(LedgerCache *p, const char *zKey, const char *aBody,
                    size_t nBody, int64_t nMax);
int64_t ledgerCacheBytes(const LedgerCache *p, int *pnItem);

/* ---- api/gateway.c ------------------------------------------------------- */

int ledgerGatewayQueued(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr);

/* ---- log/log.c ----------------------------------------------------------- */

LedgerLog *ledgerLogNew(void);
void ledgerLogFree(LedgerLog *p);
int ledgerLogCheck(const char *zValue, LedgerError *pErr);
int ledgerLogDetailed(const LedgerClient *p);
void ledgerLogExchange(LedgerCall *pCall, const char *zError);
void ledgerLogCached(LedgerCall *pCall, const char *zUrl);

/* ---- api/secondary.c ----------------------------------------------------- */

int ledgerSecondaryCheck(const LedgerConfig *p, const char *zValue,
                         LedgerError *pErr);
void ledgerSecondaryFree(LedgerClient *p);
int ledgerSecondaryTake(LedgerCall *p);
void ledgerSecondaryStep(LedgerCall *p);

/* ---- call/call.c --------------------------------------------------------- */

/* Parameters of a ledger request, spelled at sending by the dialect. */
struct LedgerParams {
  char *zSubLedger; /* NULL: left out */
  char *zTag;
  char *zTags;
  int bWait;            /* waitForCommit, where the version has it */
  const char *zKeyName; /* another parameter, or NULL */
  char *zKey;
  LedgerTxid from; /* seqno 0: left out; view 0: the highest seen */
  LedgerTxid to;
};

/* Entries in one block of memory. */
struct LedgerEntryList {
  LedgerEntry *aEntry;
  int nEntry;
  char *zArena;
};

/* What the kinds of requests differ in. */
struct LedgerCallKind {
  const char *zMethod;
  int bPublic;   /* not for the ledger: public CAs, no credential, no version */
  int bOnce;     /* an append: repeated only where that is safe */
  int bFailover; /* an entry's read, which a secondary may answer */
  int bFresh;    /* a read: a node behind our own appends is asked again */
  int bCache;    /* an answer with bFinal never changes: it may be kept */
  int bPlain;    /* a machine's own endpoint: http too, and no proxy */
  int bNoRetry;  /* one attempt only */
  int bVersions; /* asks with a version that there is not */
  int msConnect; /* limit for the connection; 0: libcurl's */
  int msTimeout; /* limit of one attempt; 0: timeout_ms */
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
  LEDGER_CALL_START = 0, /* to be sent as soon as identity and token are here */
  LEDGER_CALL_PAUSE = 1, /* to be sent again at tAt */
  LEDGER_CALL_RUN = 2,   /* pEx is under way */
  LEDGER_CALL_ELSE = 4,  /* asked of a secondary: pElse */
  LEDGER_CALL_DONE = 3   /* err, or the answer, is set */
};

/* How far a list in pages was followed (api/list.c). */
typedef struct LedgerListWalk LedgerListWalk;
struct LedgerListWalk {
  int nPage;
  int64_t nByte; /* of their bodies */
  char *zMark;   /* a link met before, or NULL */
};

struct LedgerCall {
  LedgerClient *pClient; /* NULL: the client is gone */
  LedgerCall *pNext;     /* the client's calls */
  LedgerCall *pPrev;
  const LedgerCallKind *pKind; /* NULL: only identity and token */
  int eState;                  /* LEDGER_CALL_* */

  char *zWhat; /* in messages: "entry 2.15" */
  char *zPath; /* /app/transactions/2.15 */
  char *zLink; /* path and query to ask for instead, or NULL */
  char *zBase; /* https://host:port to ask, or NULL: the ledger's */
  LedgerParams query;
  LedgerBuf body;    /* what is sent */
  const char *zType; /* its content type, or NULL */
  char *azHeader[2]; /* more header lines, may be secret */
  char *zSecret;     /* what it shows who it is by, or NULL: hidden where a
                     ** server repeats it */
  unsigned mNeed;    /* LEDGER_HAS_* */

  LedgerExchange *pEx;     /* under way */
  LedgerSession *pSession; /* it goes by this connection only, or NULL */
  LedgerCall *pElse;       /* the same read on a secondary, under way */
  int bElsewhere;          /* a secondary has answered */
  int bHere;               /* none may */
  char *zTokenSent;        /* the bearer it carries */
  char *zVersionSent;      /* the version it carries, or NULL */
  int bBounds;             /* it carries bounds */
  int nAttempt;            /* times sent for the answer now looked for */
  int nRedirect;           /* hops of this attempt */
  int bNegotiated;         /* the version was chosen once already */
  int bReauth;             /* the token was fetched anew once already */
  int bClaims;             /* ... and once with the claims asked for */
  int bRenewed;            /* the identity was fetched anew once already */
  int bNewConnection;      /* next attempt on a new connection ... */
  int bFreshSent;          /* ... and this one is on one */
  int bAgain;              /* xRead, xRefused: ask again */
  int bFinal;              /* xRead: the ledger will never answer otherwise */
  int bCache;              /* the cache may be asked, and told */
  int bCached;             /* it has answered */
  char *zCacheKey;   /* the request under way, to keep its answer by, or NULL */
  int64_t iCacheEra; /* of the cache when it was sent */
  int msPause;       /* last pause while asking again */
  int64_t tStart;    /* client time: the exchange began */
  int64_t tAt;       /* client time: the pause ends */
  int64_t tAgain;    /* client time: first asked again, or 0 */
  int64_t tFailed;   /* client time: first failure, or 0 */

  int http;                 /* the last answer's status */
  LedgerServerError server; /* what it said about a refusal */
  LedgerTxid head;          /* its x-ms-ccf-transaction-id */
  LedgerError err;          /* the call's error */

  LedgerTxid id;        /* asked for; of an append: given by the ledger */
  LedgerTxid floor;     /* write: committed when it was sent: its id is above */
  int eOutcome;         /* append: LEDGER_SENT ... */
  int bCommitted;       /* append: the answer says that it is committed */
  char *zElsewhere;     /* append: the sub-ledger that the answer names, where
                        ** it isn't the one asked for, or NULL */
  char *zOperation;     /* append: a gateway queued it under this id */
  int bSettled;         /* ... and has told its end */
  int bWait;            /* status: ask until it is final */
  int bSuspect;         /* status: a later view may have passed it by */
  int eTx;              /* status: LEDGER_TX_* */
  int bFound;           /* entry, current, receipt */
  int nLag;             /* receipt: asked again after a 404 */
  int bKnown;           /* entry: it is there, whatever a node says */
  LedgerEntryList list; /* entry, current, range */
  char *zNext;          /* range, list: the next link, or NULL */
  LedgerListWalk walk;  /* list: the pages before */
  size_t nBody;         /* list: bytes of this page */
  LedgerTxid bound;     /* range: toTransactionId of a link */
  char *zValue;         /* identity: the PEM; token: the bearer */
  int64_t nValue;       /* token: seconds it lives */
  int eRoute;           /* LEDGER_ROUTE_* */
  char *zGiven;         /* write: what the body is spelled from */
  LedgerTxid after;     /* route: a state before this one is asked again */
  LedgerJson *pDoc;     /* route, write: the answer, or NULL */
  char **azName;        /* list of sub-ledgers: one block of memory */
  int nName;
};

int ledgerCallNew(LedgerClient *p, const LedgerCallKind *pKind,
                  LedgerCall **ppCall, LedgerError *pErr);
int ledgerCallTimeout(const LedgerCall *p);
void ledgerCallStart(LedgerCall *p);
void ledgerCallStep(LedgerCall *p);
void ledgerCallFail(LedgerCall *p, const LedgerError *pErr);
void ledgerCallOrphan(LedgerCall *p);
void ledgerCallDone(LedgerCall *p);
void ledgerCallResend(LedgerCall *p);
void ledgerCallAgain(LedgerCall *p);
int ledgerCallRetry(LedgerCall *p, int msBudget, int msAfter);
const char *ledgerCallBase(const LedgerCall *p);
LedgerBuf ledgerCallCopy(const LedgerCall *p);
void ledgerCallKeep(LedgerCall *p, LedgerBuf *pCopy);

/* ---- call/session.c ------------------------------------------------------ */

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
int ledgerSessionHolds(const LedgerCall *p);
void ledgerSessionEnd(LedgerCall *p, int msRetryAfter);
void ledgerSessionAnswered(LedgerCall *p);
void ledgerSessionWrote(LedgerCall *p, LedgerTxid id);
int ledgerSessionMoves(LedgerCall *p);
int ledgerSessionMove(LedgerCall *p, const char *zBase);

/* ---- call/retry.c -------------------------------------------------------- */

void ledgerOutcomeRead(LedgerCall *p);
void ledgerOutcomeTimedOut(LedgerCall *p);

/* ---- client.c ---------------------------------------------------------- */

struct LedgerClient {
  LedgerConfig *pConfig;
  LedgerHooks hooks;
  LedgerHttp *pHttp;            /* owned, or with pOwner its own */
  LedgerLog *pLog;              /* likewise */
  LedgerCache *pCache;          /* owned; NULL: nothing was kept yet */
  LedgerClient *pOwner;         /* this is a secondary of it, or NULL */
  LedgerClient *pSecondary;     /* list: the secondaries, owned */
  LedgerClient *pNextSecondary; /* the next one of pOwner's */
  char *zSecondary;             /* the option they were made of */
  int bSecondaryStale;          /* to be made anew */
  LedgerTrust trust;
  LedgerAuth auth;
  char *zVersion; /* api-version in use; NULL: the first choice */
  const LedgerDialect *pDialect; /* its row */
  char *zPrimary;                /* https://host:port for writes, or NULL */
  LedgerCall *pCalls;            /* all calls, done or not */
  LedgerSession *pSessions;      /* all sessions; their owners free them */
  LedgerSession *pUse;           /* calls started now go by it, or NULL */
  int nMoved;                    /* redirects that ended a session, in a row */
  int bBreaks;                   /* a session was seen to write in two views */
  int bPumping;                  /* within ledgerClientStep() */
  int bWaiting;                  /* ... because somebody waits */
  int bDropConnections;          /* at the next time without exchanges */
  int bAnswered;                 /* a server has answered before */
  int64_t tReal;                 /* ledgerClockMs() at the last tick */
  int64_t tNow;                  /* client time: stands while nobody waits */
  int64_t tHook;                 /* ledgerClockMs() of the last xInterrupted */
  uint32_t iJitter;              /* state of the generator for jitter */
  int64_t iViewMax;              /* the highest view seen */
  LedgerTxid head;               /* as in LedgerFacts */
  LedgerTxid committed;
  LedgerTxid appended;
  LedgerTxid sent;     /* the last id given to an append of ours */
  const char *zSkewOf; /* as in LedgerFacts */
  int64_t sSkew;
};

int ledgerClientStep(LedgerClient *p, int *pmsNext, LedgerError *pErr);
int ledgerClientNewUnder(LedgerClient *pOwner, LedgerConfig *pConfig,
                         LedgerClient **ppClient, LedgerError *pErr);
int ledgerClientPoll(LedgerClient *p, int ms, LedgerError *pErr);
int ledgerClientInterrupted(LedgerClient *p, LedgerError *pErr);
const char *ledgerClientVersion(const LedgerClient *p);
int ledgerClientNeeds(const LedgerClient *p, unsigned mNeed, LedgerError *pErr);
int ledgerClientSetVersion(LedgerClient *p, const char *zVersion,
                           LedgerError *pErr);
void ledgerClientSawHead(LedgerClient *p, LedgerTxid id);
void ledgerClientSawCommitted(LedgerClient *p, LedgerTxid id);

/* ---- api/list.c ---------------------------------------------------------- */

/* p is finished and has a next link: gives it to pNext, which asks for the page
** behind. Fails where the list would not end. */
int ledgerListFollow(LedgerCall *p, LedgerCall *pNext, LedgerError *pErr);

/* ---- api/entries.c ------------------------------------------------------- */

int ledgerEntryListRead(LedgerCall *p, LedgerJson *pDoc, cJSON *pFirst,
                        int nEntry, LedgerError *pErr);
void ledgerEntryListFree(LedgerEntryList *p);
int ledgerNextLinkRead(LedgerCall *p, LedgerJson *pDoc, cJSON *pObj,
                       LedgerError *pErr);
int ledgerEntryMeant(LedgerCall *p, const LedgerEntry *pEntry,
                     LedgerError *pErr);
int ledgerStateRead(LedgerCall *p, const cJSON *pRoot, const char *zState,
                    LedgerError *pErr);
const char *ledgerSubLedgerRead(LedgerJson *pDoc, const cJSON *pObj,
                                size_t *pn);
int ledgerEntriesStart(LedgerClient *p, const LedgerCallKind *pKind,
                       char *zWhat, char *zPath, LedgerTxid id,
                       const char *zSubLedger, LedgerCall **ppCall,
                       LedgerError *pErr);

#endif /* LEDGER_CLIENT_INT_H */
