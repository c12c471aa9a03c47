/*
** The face of client/net: one HTTP exchange after another (libcurl), URLs,
** certificates and keys (OpenSSL), files, child processes. It knows nothing of
** ledgers, options, retries or versions; it issues what it is told to.
*/
#ifndef LEDGER_NET_H
#define LEDGER_NET_H

#include "base/base.h"
#include "client/net/user.h"

#include <curl/curl.h>
#include <openssl/x509.h>
#include <signal.h>

typedef struct LedgerExchange LedgerExchange;
typedef struct LedgerHttp LedgerHttp;
typedef struct LedgerListener LedgerListener;
typedef struct LedgerProcess LedgerProcess;
typedef struct LedgerTrust LedgerTrust;
typedef struct LedgerWire LedgerWire;

/* ---- url.c -------------------------------------------------------------- */

#define LEDGER_URL_BARE 0x01  /* https:// may be left out */
#define LEDGER_URL_HTTP 0x02  /* http too */
#define LEDGER_URL_ANY 0x04   /* any scheme, and user info, which is dropped */
#define LEDGER_URL_PROXY 0x08 /* a proxy, as libcurl takes it */

/* A URL taken apart. Texts are its own (ledgerUrlClear). */
typedef struct LedgerUrl LedgerUrl;
struct LedgerUrl {
  char *zScheme;
  char *zHost;   /* lower case; an IPv6 address with its brackets */
  int iPort;     /* its scheme's where none is given ... */
  int bPort;     /* ... and whether one is */
  char *zBase;   /* scheme://host, and :port where it isn't the scheme's */
  char *zRest;   /* path, at least "/", and ?query */
  size_t nPath;  /* bytes of the path */
  int bUser;     /* it has user info */
  int bFragment; /* it has a fragment */
};

int ledgerUrlRead(const char *zBase, const char *z, int mFlag, LedgerUrl *p);
void ledgerUrlClear(LedgerUrl *p);
int ledgerUrlIsLoopback(const LedgerUrl *p);
int ledgerUrlTarget(const char *zTarget, char **pzUrl, char **pzLedgerId,
                    LedgerError *pErr);
int ledgerUrlCheck(const char *zName, const char *z, LedgerError *pErr);
int ledgerUrlWithin(const char *zBase, const char *zFrom, const char *zTo,
                    LedgerUrl *p);
int ledgerUrlLink(const char *zLink, size_t nLink, const char *zBase,
                  const char *zPath, char **pzPathQuery, LedgerError *pErr);
const char *ledgerUrlParam(const char *zLink, const char *zName, size_t *pn);
LedgerTxid ledgerUrlTxid(const char *zLink, const char *zName);

/* ---- file.c ------------------------------------------------------------- */

/* Appends the whole file to *pOut, up to nMax bytes. zWhat begins the error,
** LEDGER_AUTH; *pOut is wiped and empty then. */
int ledgerFileRead(const char *zWhat, const char *zFile, size_t nMax,
                   LedgerBuf *pOut, LedgerError *pErr);

/* Whether and how a pipe may be read in place of a file. */
typedef struct LedgerPipe LedgerPipe;
struct LedgerPipe {
  int bNone;                   /* none may */
  int (*xInterrupted)(void *); /* asked while it is read; may be NULL */
  void *pArg;
};

/* The same of a file or pipe (*pbPipe) that an option names; what is empty is
** an error. */
int ledgerFileReadOption(const LedgerPipe *p, const char *zWhat,
                         const char *zFile, int rcFail, LedgerBuf *pOut,
                         int *pbPipe, LedgerError *pErr);

/* ---- pem.c -------------------------------------------------------------- */

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

/* ---- certificate.c ------------------------------------------------------ */

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

/* ---- trust.c ------------------------------------------------------------ */

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
};

void ledgerTrustReset(LedgerTrust *p);
int ledgerTrustAdopt(LedgerTrust *pTrust, const char *zPem, const char *zFrom,
                     const char *zPinKey, LedgerError *pErr);
int ledgerTrustDates(const LedgerTrust *p, LedgerError *pErr);
int ledgerTrustVerify(void *pCtx, void *pTrust);

/* ---- http.c ------------------------------------------------------------- */

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
  int bPlain;          /* http too, and no proxy: a machine's endpoint */
  int msConnect;       /* limit for the connection; 0: libcurl's */
  int bOnce;           /* libcurl must not repeat it by itself */
  int bFresh;          /* on a new connection */
  const int *pbHeld;   /* not NULL: on the connection there is, once this
                            ** is set; libcurl must not make another */
  int bKeepHeaders;    /* keep the answer's headers for the log */
  const char *zCaFile; /* PEM text of whom to trust; NULL: public CAs */
  /* Prepares the SSL_CTX of a connection, for its chain to be looked at: 0 when
  ** memory is short. NULL: as OpenSSL does. */
  int (*xVerify)(void *pCtx, void *pArg);
  void *pVerifyArg;
  const char *zCertificate; /* mutual TLS: PEM text, or NULL */
  const char *zKey;
  int64_t nMax; /* bytes of the answer's body */
  int bCanWait; /* its answer may stay unread while bodies are too large */
};

/* One request and its answer. */
struct LedgerExchange {
  LedgerHttp *pHttp; /* whose it is */
  LedgerUrl url;     /* where it goes */
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
  int bLongHeaders;  /* they are too many */
  int bDirect;       /* no proxy may be used */
  int msConnect;     /* limit for the connection */
  int bCertificate;  /* a client certificate is offered */
  int (*xVerify)(void *pCtx, void *pArg); /* as in LedgerWire */
  void *pVerifyArg;
  int bOnce;    /* libcurl must not repeat it */
  int bReady;   /* the request may leave: the connection stands ... */
  long nBefore; /* ... on which so many bytes went to a proxy */
  int bSent;    /* with rc: something of the request may have left */
  CURLcode rc;
  int eFail;                 /* with rc: LEDGER_FAIL_* ... */
  int bNoName;               /* ... CONNECT: the server's name is unknown */
  int bFinal;                /* ... and whether it will fail again */
  int iProxyHttp;            /* ... the status of a proxy that refuses, or 0 */
  long iVerify;              /* with rc: X509_V_* of the handshake */
  int iAlert;                /* the TLS alert of the server, or 0 */
  int bNoMemory;             /* OpenSSL had none for the handshake */
  LedgerListener *pListener; /* that hears both (alert.c), or NULL */
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
  int bNoted;        /* in the log */
  LedgerBuf body;
  int64_t nHeld;           /* bytes of it, in LedgerBudget.nHeld */
  int bCanWait;            /* as in LedgerWire ... */
  int bWanted;             /* ... but it is what somebody waits for */
  int bPaused;             /* it waits: nothing is read ... */
  LedgerExchange *pPaused; /* ... and the next one that does */
  char zError[CURL_ERROR_SIZE];
};

int ledgerHttpNew(LedgerHttp **ppHttp, LedgerError *pErr);
void ledgerHttpFree(LedgerHttp *p);
int ledgerHttpReset(LedgerHttp *p, LedgerError *pErr);
int ledgerHttpStart(LedgerHttp *p, const LedgerWire *pWire,
                    LedgerExchange **ppEx, LedgerError *pErr);
int ledgerHttpPerform(LedgerHttp *p, LedgerError *pErr);
int ledgerHttpPoll(LedgerHttp *p, int ms, LedgerError *pErr);
int ledgerExchangeEnded(LedgerExchange *p);
int ledgerExchangeLeft(LedgerExchange *p);
int ledgerHttpRunning(const LedgerHttp *p);
void ledgerHttpHold(LedgerHttp *p, int64_t n);
void ledgerExchangeFree(LedgerExchange *p);

/* Of one that is over or under way, for the log: milliseconds, bytes of the
** body on the wire, and its local port. */
void ledgerExchangeFigures(const LedgerExchange *p, double *pMs,
                           int64_t *pnByte, int *piPort);

/* ---- budget.c ----------------------------------------------------------- */

/* How many bytes of bodies there are. */
typedef struct LedgerBudget LedgerBudget;
struct LedgerBudget {
  int64_t nHeld;           /* under way, or kept by who has read them */
  LedgerExchange *pPaused; /* those that wait for fewer */
};

int ledgerBudgetTake(LedgerBudget *p, LedgerExchange *pEx, const char *z,
                     size_t n);
void ledgerBudgetGive(LedgerBudget *p, LedgerExchange *pEx);
void ledgerBudgetResume(LedgerBudget *p);
void ledgerBudgetFit(LedgerBuf *pBody);

/* ---- socket.c ----------------------------------------------------------- */

/* Those that libcurl has open. */
typedef struct LedgerSockets LedgerSockets;
struct LedgerSockets {
  int *aFd; /* n of nAlloc */
  int n, nAlloc;
};

void ledgerSocketsAdd(LedgerSockets *p, int fd);
void ledgerSocketsRemove(LedgerSockets *p, int fd);
void ledgerSocketsFree(LedgerSockets *p);
void ledgerSocketsLetGo(LedgerSockets *p);
int ledgerSocketsWait(const LedgerSockets *p, int iLocal, int iRemote);

/* ---- failure.c ---------------------------------------------------------- */

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

void ledgerFailureRead(LedgerExchange *p);

/* Whether a handshake was refused for the host's name: libcurl checks it after
** the chain, and then leaves its own start value, 1, or X509_V_OK. */
int ledgerFailureIsName(long iVerify);

/* Whether it was refused for a certificate that is not valid now. */
int ledgerFailureIsDate(long iVerify);

/* ---- alert.c ------------------------------------------------------------ */

int ledgerAlertListen(void *pCtx, LedgerExchange *pEx);
void ledgerAlertLetGo(LedgerExchange *pEx);

/* ---- process.c ---------------------------------------------------------- */

int ledgerProcessStart(const char *const *azArg, int msLimit,
                       LedgerProcess **ppProcess, LedgerError *pErr);
int ledgerProcessStep(LedgerProcess *p);
int ledgerProcessOk(const LedgerProcess *p, LedgerBuf *pWhy);
const LedgerBuf *ledgerProcessOut(const LedgerProcess *p);
const LedgerBuf *ledgerProcessErr(const LedgerProcess *p);
int ledgerProcessFind(const char *zName, char **pzFile, LedgerError *pErr);
void ledgerProcessFree(LedgerProcess *p);

/* ---- guest.c ------------------------------------------------------------ */

/* Between these two the host is shielded from SIGPIPE and from what OpenSSL
** leaves in its queue of errors. */
typedef struct LedgerGuest LedgerGuest;
struct LedgerGuest {
  sigset_t old; /* the thread's mask */
  int bPending; /* a SIGPIPE was there before us */
};

void ledgerGuestEnter(LedgerGuest *p);
void ledgerGuestLeave(LedgerGuest *p);

#endif /* LEDGER_NET_H */
