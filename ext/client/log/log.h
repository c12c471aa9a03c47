/*
** The face of client/log: what was asked, remembered for ledger_http, and
** written as option `log` says, where what may be written redact.c decides; and
** what a statement is doing, told while it waits as option `progress` says.
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

/* ---- progress.c --------------------------------------------------------- */

typedef struct LedgerProgress LedgerProgress;

/* What is counted of a statement. */
enum {
  LEDGER_PROGRESS_REQUESTS = 0, /* answers, and requests without one */
  LEDGER_PROGRESS_ENTRIES,
  LEDGER_PROGRESS_PAGES, /* ... of entries */
  LEDGER_PROGRESS_RECEIPTS,
  LEDGER_PROGRESS_SENT, /* rows that the ledger has accepted ... */
  LEDGER_PROGRESS_ROWS, /* ... of so many */
  LEDGER_PROGRESS_COUNTS
};

/* A statement under way, as ledger_progress shows it. */
typedef struct LedgerProgressRow LedgerProgressRow;
struct LedgerProgressRow {
  int64_t iConnection; /* a number within the process */
  char zOperation[64]; /* ledger_entries, ledger_flush, COMMIT, ... */
  char zLedger[64];    /* where it waits */
  int64_t tStart;      /* ledgerClockMs() of its start */
  int64_t aCount[LEDGER_PROGRESS_COUNTS];
  char zWaits[256]; /* what for */
  int nRetry;       /* 0: nothing has failed */
  int64_t msLeft;   /* until it is given up, or -1 */
};

/* What somebody waits for. Everything is borrowed. */
typedef struct LedgerWaiting LedgerWaiting;
struct LedgerWaiting {
  const char *zLedger;
  const char *zWhat;  /* "range of entries" ... */
  const char *zName;  /* ... of this sub-ledger, or NULL */
  const char *zState; /* "Loading", or NULL */
  int nRetry;         /* the retry that is to come, or is under way; or 0 */
  int64_t msNext;     /* until something is done about it, or 0 */
  int64_t msLeft;     /* until it is given up, or -1 */
};

/* Checks a value of option progress: it can be read, its file written to. */
int ledgerProgressCheck(const char *zValue, LedgerError *pErr);

/* One per connection; NULL where memory is short. Freeing NULL is allowed. */
LedgerProgress *ledgerProgressNew(void);
void ledgerProgressFree(LedgerProgress *p);

/* A statement begins and ends; one that begins meanwhile is part of it. NULL is
** what ledgerProgressName() said last, a text that stays. */
void ledgerProgressName(LedgerProgress *p, const char *zOperation);
void ledgerProgressBegin(LedgerProgress *p, const char *zOperation);
void ledgerProgressEnd(LedgerProgress *p);

/* Something has come in. p may be NULL. */
void ledgerProgressCount(LedgerProgress *p, int eCount, int64_t n);

/* Whoever waits asks whether it is time to tell (p may be NULL); tells; and
** when the wait is over takes the line away (p may be NULL). */
int ledgerProgressDue(const LedgerProgress *p);
void ledgerProgressShow(LedgerProgress *p, const char *zOption,
                        const LedgerWaiting *pWaiting);
void ledgerProgressHide(LedgerProgress *p);

/* ---- progress_list.c ---------------------------------------------------- */

/* The statements under way in this process that wait, or have waited, into a
** new array; the caller frees it. */
int ledgerProgressRows(LedgerProgressRow **paRow, int *pnRow,
                       LedgerError *pErr);

#endif /* LEDGER_LOG_H */
