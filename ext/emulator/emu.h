/*
** The private face of the room "emulator": what its files share. Each section
** is titled by the file that defines what it declares.
**
** Invariants
**   - one thread, one libevent loop; nothing here ever sleeps;
**   - every write of the ledger goes through ledger.c, which keeps one SQLite
**     transaction open from the first write to the next signature: what is
**     inside it is Pending, COMMIT makes it Committed, ROLLBACK is an election;
**   - a key, a token or an entry's contents stand in no log.
*/
#ifndef EMU_INT_H
#define EMU_INT_H

#include "base/base.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sqlite3.h>
#include <stdio.h>

#define EMU_HASH 32 /* bytes of a SHA-256 */
#define EMU_DEFAULT_COLLECTION "subledger:0"
#define EMU_AUDIENCE "https://confidential-ledger.azure.com"

struct event;
struct evbuffer;
struct event_base;
struct evhttp_connection;
struct evhttp_request;

typedef struct Emu Emu;
typedef struct EmuArgs EmuArgs;
typedef struct EmuCertSpec EmuCertSpec;
typedef struct EmuConn EmuConn;
typedef struct EmuAssertions EmuAssertions;
typedef struct EmuEntry EmuEntry;
typedef struct EmuFaultKeys EmuFaultKeys;
typedef struct EmuFaults EmuFaults;
typedef struct EmuFormer EmuFormer;
typedef struct EmuKeys EmuKeys;
typedef struct EmuLedger EmuLedger;
typedef struct EmuPath EmuPath;
typedef struct EmuPiece EmuPiece;
typedef struct EmuRange EmuRange;
typedef struct EmuGateway EmuGateway;
typedef struct EmuReq EmuReq;
typedef struct EmuSandbox EmuSandbox;
typedef struct EmuServer EmuServer;
typedef struct EmuSessions EmuSessions;
typedef struct EmuShown EmuShown;
typedef struct EmuSig EmuSig;
typedef struct EmuStore EmuStore;
typedef struct EmuTree EmuTree;
typedef struct EmuTxn EmuTxn;
typedef struct EmuVersion EmuVersion;
typedef struct EmuWarm EmuWarm;

/* ---- args.c ------------------------------------------------------------ */

/* The command line, checked. Strings point into argv. */
struct EmuArgs {
  const char *zData;       /* --data, or NULL: a temporary ledger */
  const char *zListen;     /* --listen HOST:PORT */
  const char *zLedgerId;   /* --ledger-id, or NULL: the file's, else demo */
  const char *zVersions;   /* --api-versions, or NULL: all */
  const char *zCurve;      /* --curve, or NULL: the file's, else P-256 */
  const char *zRequestLog; /* --request-log, or NULL */
  const char *zReadyFile;  /* --ready-file, or NULL */
  const char *zSessions;   /* --sessions lost|kept */
  const char *zClientCertificate; /* --client-certificate, or NULL */
  const char *zFederation;        /* --federation, or NULL */
  const char *azFault[64];        /* --fault, as often as given */
  int nFault;
  int nPage;         /* --page */
  int nSpan;         /* --page-span, 0: none */
  int msSignature;   /* --signature-interval */
  int nLoading;      /* --loading */
  int msLatency;     /* --latency */
  int msIdle;        /* --idle-timeout */
  int bClaims;       /* --claims on|off */
  int bStrict;       /* --strict-bounds */
  int bDecodeFirst;  /* --decode-first */
  int bLenient;      /* --lenient */
  int bControl;      /* --control */
  int bElect;        /* --elect */
  int bRecover;      /* --recover */
  int bGateway;      /* --gateway */
  int nValidity;     /* --validity: days */
  int bPrintEnv;     /* --print-env */
  int64_t nFill;     /* --fill COUNT, 0: none */
  int nFillLedger;   /* ... SUBLEDGERS */
  int nFillByte;     /* ... BYTES */
  int64_t iFillSeed; /* ... SEED */
  int bHelp;         /* --help: print and end */
  int bVersion;      /* --version: print and end */
};

/* Reads the command line. LEDGER_ERROR with one clear line when it is bad. */
int emuArgsParse(int argc, char **argv, EmuArgs *p, LedgerError *pErr);

/* Prints the text of --help on stdout. */
void emuArgsHelp(void);

/* Reads a decimal number of at most iMax. Returns 1 and sets *pi, or 0. */
int emuArgsNumber(const char *z, size_t n, int64_t iMax, int64_t *pi);

#include "emulator/http/session.h"
#include "emulator/ledger/tree.h"

/* ---- cert.c ------------------------------------------------------------ */

#define EMU_DAY (24L * 60 * 60)

/* What makes a certificate. */
struct EmuCertSpec {
  const char *zName;   /* common name */
  long nDay;           /* it runs that many days from now on ... */
  const char *zBasic;  /* basicConstraints */
  const char *zUsage;  /* keyUsage */
  const char *zExtUse; /* extendedKeyUsage, or NULL */
  const char *zSan;    /* subjectAltName, or NULL */
  long nFrom;          /* ... or, if not 0, from nFrom to nDay days from now */
};

/* Makes the certificate of pKey, signed by pIssuerKey with the subject of
** pIssuer; pIssuer NULL makes it self-signed. */
int emuCertNew(EVP_PKEY *pKey, const EmuCertSpec *pSpec, X509 *pIssuer,
               EVP_PKEY *pIssuerKey, X509 **ppCert, LedgerError *pErr);

/* The certificate as PEM, appended to *pBuf. */
int emuPemCert(X509 *pCert, LedgerBuf *pBuf, LedgerError *pErr);

/* Fingerprint as user ids have it: SHA-256 in upper-case hex with colons.
** zOut has 96 bytes. Returns 1, or 0. */
int emuFingerprint(const X509 *pCert, char *zOut);

/* Appends what a memory BIO holds; bOk: writing to it went well. */
int emuTakeBio(BIO *pBio, int bOk, LedgerBuf *pBuf, LedgerError *pErr);

/* The last error of libcrypto as a LedgerError; its queue is emptied. */
int emuCryptoError(LedgerError *pErr, const char *zWhat);

/* ---- pki.c ------------------------------------------------------------- */

/* A service identity from before a recovery, endorsed by the present one. */
struct EmuFormer {
  X509 *pCert; /* old name, old key; signed by the present service key */
  char *zPem;  /* the same, owned */
};

/* Every key of the ledger and its certificate; free with emuKeysFree(). */
struct EmuKeys {
  EVP_PKEY *pService; /* the service identity */
  EVP_PKEY *pNode;    /* signs the tree; the TLS server's key */
  EVP_PKEY *pCa;      /* of identity service and authority */
  EVP_PKEY *pWeb;     /* their TLS server's key */
  EVP_PKEY *pAdmin;   /* the administrator's client certificate */
  EVP_PKEY *pJwt;     /* RSA, signs tokens */
  X509 *pServiceCert;
  X509 *pNodeCert;
  X509 *pCaCert;
  X509 *pWebCert;
  X509 *pAdminCert;
  EmuFormer *aFormer; /* nFormer of them, the oldest first */
  int nFormer;
  int nDay;          /* new certificates run that long */
  int64_t iNodeCert; /* number of the node certificate in the store */
  int64_t iAsked;    /* node certificate that was asked about last ... */
  int iEndorsed;     /* ... and the answer: index in aFormer, or -1 */
  char zNodeId[65];  /* hex SHA-256 of the node key's SPKI */
  char zAdmin[96];   /* fingerprint of the administrator */
  unsigned char aSecret[2 * EMU_HASH]; /* see emuDigestTxn() */
};

/* Makes every key and certificate of a new ledger and puts them into the
** store; or reads them from it, renewing certificates (never keys) that have
** less than a third of their time left. nDay is how long they run. */
int emuKeysCreate(EmuKeys *p, EmuStore *pStore, const char *zLedgerId,
                  const char *zCurve, int nDay, LedgerError *pErr);
int emuKeysLoad(EmuKeys *p, EmuStore *pStore, const char *zLedgerId, int nDay,
                LedgerError *pErr);
void emuKeysFree(EmuKeys *p);

/* Changes keys, in *p and, within its open transaction, in the store. *pOld is
** what they were: to free, or to put back when the transaction fails. */
enum {
  EMU_CHANGE_NODE,    /* an election: another node */
  EMU_CHANGE_SERVICE, /* a recovery: another service and another node */
  EMU_CHANGE_RENEW    /* the service's certificate, its key stays */
};
int emuKeysChange(EmuKeys *p, EmuStore *pStore, const char *zLedgerId,
                  const char *zCurve, int eChange, EmuKeys *pOld,
                  LedgerError *pErr);

/* A certificate of the node, named as in emuFaultsConnect(); *ppKey is its key,
** the caller's reference. */
int emuKeysWrong(const EmuKeys *p, const char *zLedgerId, const char *zHow,
                 X509 **ppCert, EVP_PKEY **ppKey, LedgerError *pErr);

/* The endorsement that a receipt with this node certificate (its number and
** its PEM) needs: *pzPem is NULL when the present service signed it. */
int emuKeysEndorsement(EmuKeys *p, int64_t iNodeCert, const LedgerBuf *pPem,
                       const char **pzPem, LedgerError *pErr);

/* Writes ca.pem, service.pem and admin.pem into the folder zDir. */
int emuKeysExport(const EmuKeys *p, const char *zDir, LedgerError *pErr);

/* Writes a file as a whole: beside it, then renamed into place. */
int emuFileWrite(const char *zPath, const char *z, size_t n, int mode,
                 LedgerError *pErr);

/* ---- sign.c ------------------------------------------------------------- */

/* ECDSA over a root as the digest itself: no further hashing. Appends DER. */
int emuSignRoot(EVP_PKEY *pKey, const unsigned char *aRoot, LedgerBuf *pSig,
                LedgerError *pErr);
int emuVerifyRoot(EVP_PKEY *pKey, const unsigned char *aRoot, const void *aSig,
                  size_t nSig);

/* ---- ledger.c ---------------------------------------------------------- */

struct EmuLedger {
  int64_t iView;         /* the current view */
  LedgerTxid last;       /* the last transaction applied */
  LedgerTxid committed;  /* the last signature on disk: the committed head */
  EmuTree tree;          /* with what is pending */
  EmuTree treeCommitted; /* as of `committed` */
  struct event *pTimer;  /* signs */
  EmuReq *pWaiting;      /* requests answered at the next commit */
  int bServing;          /* the loop runs, so the timer does */
  int bHold;             /* no signatures (control route) */
};

/* Creates the ledger in a new store (the caller commits); takes it up, in the
** next view after an unclean end. */
int emuLedgerCreate(Emu *p, LedgerError *pErr);
int emuLedgerLoad(Emu *p, LedgerError *pErr);

/* Ends: signs what is pending and notes that the end was clean. */
int emuLedgerClose(Emu *p, LedgerError *pErr);

/* Appends a transaction (all but its id is the caller's); *pId is its id. An
** entry's collection and tags must be within the limits. */
int emuLedgerAppend(Emu *p, EmuTxn *pTxn, LedgerTxid *pId, LedgerError *pErr);

/* Signs and commits what is pending; does nothing when nothing is. Its two
** halves: a signature transaction over all before it, and COMMIT. */
int emuLedgerSign(Emu *p, LedgerError *pErr);
int emuLedgerSeal(Emu *p, LedgerError *pErr);
int emuLedgerCommit(Emu *p, LedgerError *pErr);

/* An election: the next view, with another node; what is pending is lost. A
** disaster recovery: the same two views on, with another service too. What
** becomes of sessions is one of EMU_SESSIONS_*. */
int emuLedgerElect(Emu *p, int eSessions, LedgerError *pErr);
int emuLedgerRecover(Emu *p, int eSessions, LedgerError *pErr);

/* A write failed half way: goes back to what is committed, by an election. */
void emuLedgerGiveUp(Emu *p);

/* A new certificate of the service, with the same key. */
int emuLedgerRenew(Emu *p, LedgerError *pErr);

/* Starts the timer of the next signature, unless it runs. */
void emuLedgerArm(Emu *p);

/* Answers pReq once what it wrote is committed, or lost. */
void emuLedgerWait(Emu *p, EmuReq *pReq);

/* ---- fill.c ------------------------------------------------------------ */

/* Adds the entries that --fill asks for; the caller commits. */
int emuFill(Emu *p, LedgerError *pErr);

/* ---- warm.c ------------------------------------------------------------ */

/* Which stretches of history have been loaded. nLoading is how often one is
** answered Loading before it is Ready. */
EmuWarm *emuWarmNew(int nLoading);
void emuWarmFree(EmuWarm *p);

/* 1 when iFrom..iTo is loaded; else 0, and it is one step nearer. */
int emuWarmReady(EmuWarm *p, int64_t iFrom, int64_t iTo);

/* ---- versions.c -------------------------------------------------------- */

/* What holds in an api-version. */
enum {
  EMU_V_SUBLEDGER = 0x0001,    /* subLedgerId, @nextLink; Loading is bare */
  EMU_V_COLLECTIONS = 0x0002,  /* GET /app/collections */
  EMU_V_BARE_LIST = 0x0004,    /* ... answers an array */
  EMU_V_MERGE_PATCH = 0x0008,  /* PATCH needs merge-patch+json */
  EMU_V_USER_LIST = 0x0010,    /* GET /app/users */
  EMU_V_LEDGER_USERS = 0x0020, /* /app/ledgerUsers */
  EMU_V_USERS_MOVED = 0x0040,  /* /app/users/{id} answers 301 */
  EMU_V_TAGS = 0x0080,         /* tags and tag */
  EMU_V_TAG_LIST = 0x0100,     /* GET /app/collections/tags */
  EMU_V_OWN_CURRENT = 0x0200,  /* /current has the entry's own id */
  EMU_V_WAIT = 0x0400,         /* waitForCommit */
  EMU_V_CLAIMS = 0x0800,       /* receipts in camelCase, with claims */
  EMU_V_LEAF_ROOT = 0x1000,    /* receipts of leaf and root */
  EMU_V_MRENCLAVE = 0x2000,    /* quotes have mrenclave */
  EMU_V_MEMBER_PAGES = 0x4000, /* members come in pages */
  EMU_V_PROGRAMS = 0x8000,     /* functions and hooks */
  EMU_V_ROLES = 0x10000,       /* roles and endpoints */
  EMU_V_ROLE_TEXT = 0x20000,   /* role_name; a write of roles answers a text */
  EMU_V_ASKED_ROLES = 0x40000, /* PATCH of a user answers the roles asked for */
  EMU_V_MOVED_TO = 0x80000,    /* that 301 has a Location */
  EMU_V_SPAN = 0x100000,       /* pages cover 101 ids, links have no end */
  EMU_V_NEVER = 0x200000       /* in no version */
};
struct EmuVersion {
  const char *zName;
  unsigned flags;
};

/* The version named by the n bytes at z if it is known and offered, or NULL.
** zOffered is the value of --api-versions, NULL for all. */
const EmuVersion *emuVersionFind(const char *zOffered, const char *z, size_t n);

/* Appends the versions offered, newest first, with commas. */
void emuVersionList(const char *zOffered, LedgerBuf *pBuf);

/* Checks the value of --api-versions. */
int emuVersionCheck(const char *zOffered, LedgerError *pErr);

/* ---- token.c ----------------------------------------------------------- */

/* The token last accepted: it is checked whole once, then by its digest and
** its end. The token itself is not kept. */
typedef struct EmuTokenSeen EmuTokenSeen;
struct EmuTokenSeen {
  unsigned char aDigest[EMU_HASH];
  double rUntil; /* seconds since 1970; 0: none */
  LedgerBuf oid; /* its principal */
};

/* Appends a signed token for the principal zOid. zAudience NULL: the ledger's.
** nLifetime is in seconds and may be negative. bCapable: the client has shown
** that it answers a challenge with claims; the token says so (xms_cc). */
int emuTokenIssue(Emu *p, const char *zOid, const char *zClient,
                  const char *zAudience, int64_t nLifetime, int bCapable,
                  LedgerBuf *pBuf, LedgerError *pErr);

/* Decodes and parses one part of a JWT as a JSON object; NULL if it is none. */
LedgerJson *emuTokenPart(const char *z, size_t n);

/* 1 when a bearer token says xms_cc. Its signature isn't looked at. */
int emuTokenCapable(const char *zToken);

/* Checks a token; appends its principal to *pOid. LEDGER_AUTH says in pErr
** which check failed. */
int emuTokenCheck(Emu *p, const char *z, size_t n, LedgerBuf *pOid,
                  LedgerError *pErr);

/* Appends the JSON Web Key Set of the authority. */
int emuTokenKeys(Emu *p, LedgerBuf *pBuf, LedgerError *pErr);

/* Appends a random UUID. */
int emuUuid(LedgerBuf *pBuf, LedgerError *pErr);

/* ---- log.c ------------------------------------------------------------- */

/* Opens FILE for appending; writes the line of a request. */
int emuLogOpen(Emu *p, LedgerError *pErr);
void emuLogRequest(Emu *p, const EmuReq *pReq, double ms);

/* One line on stderr: "ledger-emulator: ...". */
void emuWarn(const char *zFmt, ...) LEDGER_PRINTF(1, 2);

/* ---- request.c --------------------------------------------------------- */

#define EMU_SEGMENTS 8 /* of a path */
#define EMU_PARAMS 24  /* of a query */

/* A piece of text with its length; no NUL need follow. */
typedef struct EmuText EmuText;
struct EmuText {
  char *z;
  size_t n;
};

/* One request, from its arrival until its answer is handed to libevent. */
struct EmuReq {
  Emu *pEmu;
  struct evhttp_request *pHttp;
  EmuReq *pNext, **ppPrev; /* list of all requests, of server.c */
  EmuReq *pNextWaiting;    /* list of those that wait for a commit */
  struct event *pTimer;    /* of a late answer */
  int64_t n;               /* number of the request */
  int64_t iConn;           /* number of its connection */
  int64_t iSession;        /* view its session is pinned to, 0: none yet */
  double msStart;          /* monotonic clock at its arrival */
  const char *zMethod;
  char *zPath;                    /* as sent, owned */
  char *zQuery;                   /* as sent without '?', owned */
  char *zDecoded;                 /* memory of the texts below, owned */
  EmuText aSegment[EMU_SEGMENTS]; /* of the path, decoded */
  int nSegment;
  EmuText aName[EMU_PARAMS]; /* of the query, decoded */
  EmuText aValue[EMU_PARAMS];
  int nParam;
  const char *zBody; /* the body, in libevent's memory */
  size_t nBody;
  const EmuVersion *pVersion; /* on /app routes, once checked */
  LedgerBuf user;             /* the principal, once known */
  LedgerBuf roles;            /* its roles, "A,B"; empty: none */

  /* The answer */
  int iStatus; /* 0: none yet */
  LedgerBuf body;
  const char *zType;  /* of the body: NULL is JSON, "" is untold */
  const char *zState; /* for the log: Loading ... or NULL */
  LedgerTxid id;      /* transaction id header and log; {0,0}: none */
  int bWaiting;       /* it is answered later, by emuReqSend() */
  int bRunning;       /* functions run for it; then emuRouteEnd() goes on */
  int bHooked;        /* an append's hooks have run */
  int bGateway;       /* answered by the gateway: no transaction id */
  int bBehind;        /* its node is behind: a former primary */
  int bHangUp;        /* close the connection behind the answer */

  /* Faults that struck */
  int eFault;
  const char *zFault;  /* its name, for the log */
  EmuFaultKeys keys;   /* what else it is told */
  int bHeld;           /* it was held on its way, and goes on */
  int64_t iFaultValue; /* its value, a number ... */
  char zFaultWord[12]; /* ... or a word */
  char zFaultCode[48]; /* error code */
  LedgerBuf faultBody; /* what it answers, if it brings that along */
  int nRetryAfter;     /* seconds, -1: no such header */
  LedgerTxid faultId;  /* id of a refusal, or {0,0} */
  int msFault;         /* more latency */
  int bDate;           /* it tells the time ... */
  int64_t sFault;      /* ... that many seconds ahead */
  int64_t nFaultByte;  /* bytes of a piece of a slow answer */
  int64_t nSent;       /* bytes of the body so far, sent in pieces ... */
  int bDrained;        /* ... which have all left */
};

/* Takes a request apart; NULL when memory is short. */
EmuReq *emuReqNew(Emu *p, struct evhttp_request *pHttp);

/* Frees it without an answer. */
void emuReqFree(EmuReq *p);

/* Hands the answer to libevent, now or after the latency, and frees p. */
void emuReqSend(EmuReq *p);

/* The decoded value of a parameter (the first, if repeated), or NULL. */
const EmuText *emuReqParam(const EmuReq *p, const char *zName);

/* The same of one that must be there; NULL after answering 400. */
const EmuText *emuReqNeeded(EmuReq *p, const char *zName);

/* A header's value, or NULL. */
const char *emuReqHeader(const EmuReq *p, const char *zName);

/* Hands a reply to libevent: whole, or with bStart its beginning. */
void emuReqHandOver(EmuReq *p, struct evbuffer *pBody, int bStart);

/* Hangs up without a word and frees p. Not within a callback of libevent's
** HTTP. */
void emuReqHangUp(EmuReq *p);

/* Adds a header to the answer. */
void emuReqAddHeader(EmuReq *p, const char *zName, const char *zValue);

/* Makes the answer the error {"error":{"code","message"}}; drops what it was
** before. */
void emuReqError(EmuReq *p, int iStatus, const char *zCode, const char *zFmt,
                 ...) LEDGER_PRINTF(4, 5);

/* Makes the answer 500 with the text of *pErr, which is cleared. */
void emuReqFail(EmuReq *p, LedgerError *pErr);

/* Parses the body as a JSON object for a route; 0 and an answer 400 or 415 if
** it is none. zType2 is a second content type that is accepted, or NULL. */
int emuReqJson(EmuReq *p, const char *zType, const char *zType2,
               LedgerJson **ppDoc);

/* The same for the body of a PATCH; bMerge: it must be a merge patch. */
int emuReqPatch(EmuReq *p, int bMerge, LedgerJson **ppDoc);

/* 1 when the n bytes at z are the text zWord. */
int emuIs(const char *z, size_t n, const char *zWord);

/* Milliseconds of the monotonic clock. */
double emuClock(void);

/* ---- route.c ----------------------------------------------------------- */

/* Finds the route, checks credential, version and role, runs its handler. The
** answer is in pReq afterwards, unless bWaiting. */
void emuRoute(EmuReq *p);

/* The end of that, for a handler that answers later: sends the answer, unless
** it waits once more, and lets faults strike that come after it. */
void emuRouteEnd(EmuReq *p);

/* ---- routes/entries.c, routes/range.c, routes/collections.c -------------- */

void emuRouteAppend(EmuReq *p);
void emuRouteEntry(EmuReq *p);
void emuRouteCurrent(EmuReq *p);
void emuRouteStatus(EmuReq *p);
void emuRouteRange(EmuReq *p);
void emuRouteCollections(EmuReq *p);
void emuRouteTags(EmuReq *p);

/* The collection a request names: *pText, and its number in *pi (0: there is
** none of that name). Returns 0 when the answer is made (400, 500). */
int emuCollectionOf(EmuReq *p, EmuText *pText, int64_t *pi);

/* Reads a transaction id of a path or query; 0 and an answer 400 if it is
** ill-formed. zWhat names it. */
int emuTxidOf(EmuReq *p, const EmuText *pText, const char *zWhat,
              LedgerTxid *pId);

/* Appends an entry as JSON: "collectionId", "contents", "tags",
** "transactionId". */
void emuEntryJson(const EmuReq *p, const EmuText *pCollection,
                  const EmuEntry *pEntry, LedgerTxid id, LedgerBuf *pBuf);

/* Appends the text percent-encoded for a query; a colon stays. */
void emuQueryText(LedgerBuf *pBuf, const char *z, size_t n);

/* ---- routes/receipt.c ---------------------------------------------------- */

void emuRouteReceipt(EmuReq *p);

/* Completes the answer of a write that waited: appends receipt and claims, and
** closes the object. An error makes it 500. */
void emuReceiptInline(EmuReq *p);

/* ---- routes/identity.c --------------------------------------------------- */

void emuRouteIdentity(EmuReq *p);
void emuRouteFailover(EmuReq *p);
void emuRouteOpenid(EmuReq *p);
void emuRouteToken(EmuReq *p);
void emuRouteKeys(EmuReq *p);
void emuRouteInstance(EmuReq *p);

/* ---- routes/control.c ---------------------------------------------------- */

void emuRouteControl(EmuReq *p);

/* ---- server.c ---------------------------------------------------------- */

/* Takes the address; then, once the ledger is there, listens on it. */
int emuServerBind(Emu *p, LedgerError *pErr);
int emuServerOpen(Emu *p, LedgerError *pErr);

/* Closes everything; requests under way get no answer. NULL is allowed. */
void emuServerClose(EmuServer *p);

/* New connections get the node's key and certificate of now. */
int emuServerRenew(EmuServer *p, LedgerError *pErr);

/* The port it listens on. */
int emuServerPort(const EmuServer *p);

/* Links a request into the list of those under way; unlinks it. */
void emuServerLink(EmuServer *p, EmuReq *pReq);
void emuServerUnlink(EmuReq *pReq);

/* The request's connection, NULL once the client is gone; fingerprint of its
** client certificate into zOut[96], 0 when it has none. */
EmuConn *emuServerConn(struct evhttp_request *pHttp);
int emuServerPeer(struct evhttp_request *pHttp, char *zOut);

/* The connection is closed once the answer has left: as CCF does it, without a
** header that says so and without TLS's close_notify. */
void emuServerCloseAfter(struct evhttp_request *pHttp);

/* The same, as of a connection that was idle for too long; with bNotify as TLS
** asks for. The end travels with the last bytes of the answer: whoever has read
** that meets a closed connection, however soon the next request comes. */
void emuServerCloseIdle(struct evhttp_request *pHttp, int bNotify);

/* Takes the Date, which libevent adds, out of an answer that was handed over
** and has not left yet: a node of CCF sends none. */
void emuServerDropDate(struct evhttp_connection *pHttpConn);

/* Closes the connection towards the client now; the request lives on. */
void emuServerCut(struct evhttp_request *pHttp);

/* ---- main.c ------------------------------------------------------------ */

struct Emu {
  EmuArgs args;
  char *zDir;      /* absolute folder of ca.pem ... */
  char *zTemp;     /* temporary folder to remove at the end, or NULL */
  char *zLedgerId; /* of the ledger, stored */
  char *zCurve;
  char *zTenant; /* of the authority */
  char *zClient; /* the application that is an administrator ... */
  char *zSecret; /* ... its secret ... */
  char *zOid;    /* ... and its object id */
  EmuStore *pStore;
  EmuKeys keys;
  EmuTokenSeen seen;
  EmuLedger ledger;
  EmuSessions sessions;
  EmuWarm *pWarm;        /* of entries */
  EmuWarm *pWarmReceipt; /* of receipts */
  EmuFaults *pFaults;
  EmuGateway *pGateway; /* --gateway, or NULL */
  EmuAssertions *pAssertions;
  EmuServer *pServer;
  EmuSandbox *pSandbox; /* once a function was run */
  struct event_base *pBase;
  struct event *apSignal[2]; /* SIGTERM, SIGINT */
  FILE *pLog;                /* of --request-log, or NULL */
  int64_t nRequest;          /* requests so far */
  int bBroken;               /* the store failed for good: end with exit 1 */
};

#include "emulator/auth/assertion.h"
#include "emulator/fault/fault.h"
#include "emulator/ledger/govern.h"
#include "emulator/routes/gateway.h"
#include "emulator/sandbox/sandbox.h"
#include "emulator/store/store.h"

#endif /* EMU_INT_H */
