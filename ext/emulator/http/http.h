/*
** The face of emulator/http: TLS, connections, requests and their answers, and
** the sessions of connections.
**
** Nothing here knows a route or a fault: main hands in who routes a request and
** who spoils a connection (EmuServerHooks); a fault notes in the request what
** it does to the answer (EmuReqHooks).
*/
#ifndef EMU_HTTP_H
#define EMU_HTTP_H

#include "emulator/ledger/ledger.h"

struct evbuffer;
struct evhttp_request;

typedef struct EmuReq EmuReq;

/* ---- request.c --------------------------------------------------------- */

#define EMU_SEGMENTS 8 /* of a path */
#define EMU_PARAMS 24  /* of a query */

/* How the connection is closed once the answer has left. */
enum {
  EMU_CLOSE_QUIET = 1, /* closed without a header, and without a TLS alert */
  EMU_CLOSE_IDLE,      /* as one that was idle for too long */
  EMU_CLOSE_NOTIFY     /* the same, with TLS's close_notify */
};

/* What is done to an answer on its way to the client. */
typedef struct EmuReqHooks EmuReqHooks;
struct EmuReqHooks {
  void (*xSpoil)(EmuReq *); /* changes it */
  int (*xSend)(EmuReq *);   /* 1: sends it, and takes the request over */
  void (*xFree)(EmuReq *);  /* frees what pStrike points to */
};

/* One request, from its arrival until its answer is handed to libevent. */
struct EmuReq {
  Emu *pEmu;
  struct evhttp_request *pHttp;
  EmuReq *pNext, **ppPrev; /* list of those under way */
  EmuWaiter waiter;        /* told of a commit, if it waits for one */
  struct event *pTimer;    /* of a late answer */
  int64_t n;               /* number of the request */
  int64_t iConn;           /* number of its connection */
  int64_t iSession;        /* view its session is pinned to, 0: none yet */
  double msStart;          /* monotonic clock at its arrival */
  const char *zMethod;
  const char *zHost; /* the header, in libevent's memory, or NULL */
  char *zPath;       /* as sent, owned */
  char *zQuery;      /* as sent without '?', owned */
  char *zDecoded;    /* memory of the texts below, owned */
  EmuText aSegment[EMU_SEGMENTS]; /* of the path, decoded */
  int nSegment;
  EmuText aName[EMU_PARAMS]; /* of the query, decoded */
  EmuText aValue[EMU_PARAMS];
  int nParam;
  const char *zBody; /* the body, in libevent's memory */
  size_t nBody;
  const struct EmuVersion *pVersion; /* on /app routes, once checked */
  LedgerBuf user;                    /* the principal, once known */
  LedgerBuf roles;                   /* its roles, "A,B"; empty: none */
  int bProved; /* it is known: emuAuthenticate() has run */

  /* The answer */
  int iStatus; /* 0: none yet */
  LedgerBuf body;
  const char *zType;      /* of the body: NULL is JSON, "" is no header */
  const char *zState;     /* for the log: Loading ... or NULL */
  LedgerTxid id;          /* transaction id header and log; {0,0}: none */
  void (*xEnd)(EmuReq *); /* goes on when an answer is made later */
  int bWaiting;           /* it is answered later, by emuReqSend() */
  int bRunning;           /* functions run for it, then xEnd() goes on */
  int bHooked;            /* an append's hooks have run */
  int bGateway;           /* answered by the gateway: no transaction id */
  int bBehind;            /* its node is behind: a former primary */
  int bDate;              /* it tells the time, whatever its path */
  int bSilent;            /* close the connection in place of an answer */
  int eClose;             /* ... or after it, EMU_CLOSE_*; 0: it stays */
  int msLate;             /* more latency */

  /* The fault that struck */
  const char *zFault;        /* its name, for the log */
  const EmuReqHooks *pHooks; /* or NULL */
  struct EmuStrike *pStrike; /* what else it is told, of fault/ */
};

/* Frees it without an answer. */
void emuReqFree(EmuReq *p);

/* Hands the answer to libevent, now or after the latency, and frees p. */
void emuReqSend(EmuReq *p);

/* 1 when the request came to the gateway's host name. */
int emuReqToGateway(const EmuReq *p);

/* The decoded value of a parameter (the first, if repeated), or NULL. */
const EmuText *emuReqParam(const EmuReq *p, const char *zName);

/* The same of one that must be there; NULL after answering 400. */
const EmuText *emuReqNeeded(EmuReq *p, const char *zName);

/* A header's value, or NULL. */
const char *emuReqHeader(const EmuReq *p, const char *zName);

/* Hands a reply to libevent: whole, or with bStart its beginning. */
void emuReqHandOver(EmuReq *p, struct evbuffer *pBody, int bStart);

/* Closes the connection without an answer and frees p. Not within a callback of
** libevent's HTTP. */
void emuReqHangUp(EmuReq *p);

/* Adds a header to the answer. */
void emuReqAddHeader(EmuReq *p, const char *zName, const char *zValue);

/* Makes the answer the error {"error":{"code","message"}}; drops what it was
** before. */
void emuReqError(EmuReq *p, int iStatus, const char *zCode, const char *zFmt,
                 ...) LEDGER_PRINTF(4, 5);

/* Makes the answer 500 with the text of *pErr, which is cleared; 507 when the
** disk is full. */
void emuReqFail(EmuReq *p, LedgerError *pErr);

/* Parses the body as a JSON object for a route; 0 and an answer 400 or 415 if
** it is not one. zType2 is a second content type that is accepted, or NULL. */
int emuReqJson(EmuReq *p, const char *zType, const char *zType2,
               LedgerJson **ppDoc);

/* The same for the body of a PATCH; bMerge: it must be a merge patch. */
int emuReqPatch(EmuReq *p, int bMerge, LedgerJson **ppDoc);

/* ---- conn.c ------------------------------------------------------------ */

/* The fingerprint of the client's certificate into zOut[96]; 0 when it has
** none, or is gone. */
int emuConnPeer(struct evhttp_request *pHttp, char *zOut);

/* Closes the connection towards the client now; the request lives on. */
void emuConnCut(struct evhttp_request *pHttp);

/* ---- session.c --------------------------------------------------------- */

enum {
  EMU_OLD_NONE = 0,
  EMU_OLD_CUT,     /* isolated, and still taking writes */
  EMU_OLD_STEPPED, /* isolated, and not the primary any more */
  EMU_OLD_STOPPED  /* stopped, and from msResume on resumed */
};

/* The sessions of all connections. */
typedef struct EmuSessions EmuSessions;
struct EmuSessions {
  int64_t iFirst;       /* those pinned to an earlier view are lost */
  int eOld;             /* the state of the former primary ... */
  int64_t iOld;         /* ... whose sessions are those up to this view */
  LedgerTxid old;       /* what it has committed */
  int64_t msHeal;       /* how long it stays isolated after it stepped down */
  double msResume;      /* monotonic clock */
  struct event *pTimer; /* of its next state */
};

/* What comes before an authenticated request runs: pins the session of its
** connection. 0 when it is answered, as on a session that is lost. */
int emuSessionEnter(EmuReq *p);

/* Isolates the primary: for msFor it accepts writes, for msHeal more it is
** behind. Stops the primary for msFor, after an election that it does not hear
** of. Times are in milliseconds. */
int emuSessionsIsolate(Emu *p, int64_t msFor, int64_t msHeal,
                       LedgerError *pErr);
int emuSessionsStop(Emu *p, int64_t msFor, LedgerError *pErr);

void emuSessionsEnd(Emu *p);

/* ---- server.c ---------------------------------------------------------- */

typedef struct EmuServer EmuServer;

/* What lies above, handed in by main. */
typedef struct EmuServerHooks EmuServerHooks;
struct EmuServerHooks {
  void (*xRequest)(EmuReq *);   /* routes a request, and sees to its answer */
  const char *(*xWrong)(Emu *); /* how the certificate of a new connection to
                                ** the node is to be wrong, or NULL */
};

/* Takes the address; then, once the ledger is there, listens on it. */
int emuServerBind(Emu *p, LedgerError *pErr);
int emuServerOpen(Emu *p, const EmuServerHooks *pHooks, LedgerError *pErr);

/* Closes everything; requests under way get no answer. */
void emuServerClose(Emu *p);

/* The port it listens on. */
int emuServerPort(const EmuServer *p);

/* ---- log.c ------------------------------------------------------------- */

/* Opens the file of --request-log for appending. */
int emuLogOpen(Emu *p, LedgerError *pErr);

#endif /* EMU_HTTP_H */
