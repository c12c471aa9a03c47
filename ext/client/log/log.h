/*
** The face of client/log: what was asked, remembered for ledger_http, and
** written as option `log` says. What may be written redact.c decides.
*/
#ifndef LEDGER_LOG_H
#define LEDGER_LOG_H

#include "base/base.h"

/* ---- log.c -------------------------------------------------------------- */

typedef struct LedgerLog LedgerLog;

/* One request that is over, as ledger_http shows it. No secret stands in it:
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

/* The same as it comes in; everything is borrowed. */
typedef struct LedgerNote LedgerNote;
struct LedgerNote {
  const char *zMethod;
  const char *zHost;  /* https://host:port ... */
  const char *zRest;  /* ... path and query */
  const char *zError; /* or NULL */
  LedgerRequest made; /* its numbers; no texts */
  const char *zSent;  /* header lines of the request, or NULL ... */
  const char *zType;  /* ... the type of its body, or NULL ... */
  const char *zBody;  /* ... and that, nBody bytes */
  size_t nBody;
  const char *zGot;    /* header lines of the answer, or NULL ... */
  const char *zAnswer; /* ... and its body, nAnswer bytes */
  size_t nAnswer;
  /* Takes the secrets at hand out of a text; it only gets shorter. */
  void (*xHide)(const void *pArg, char *zText);
  const void *pArg;
};

LedgerLog *ledgerLogNew(void);
void ledgerLogFree(LedgerLog *p); /* NULL is allowed */

/* Checks a value of option log: it can be read, and its file written to. */
int ledgerLogCheck(const char *zValue, LedgerError *pErr);

/* Whether headers and bodies are written. */
int ledgerLogDetailed(const char *zOption);

/* Remembers a request that is over, and writes it down. */
void ledgerLogNote(LedgerLog *p, const char *zOption, const LedgerNote *pNote);

/* The i-th of the requests remembered, the oldest first; NULL behind the last
** one. It lives until the next request. */
const LedgerRequest *ledgerLogRequest(const LedgerLog *p, int i);

#endif /* LEDGER_LOG_H */
