/*
** The module with its network and its clock played by wire.c: statements whose
** requests are answered from an input, without a socket and without waiting.
*/
#ifndef LEDGER_FUZZ_WIRE_H
#define LEDGER_FUZZ_WIRE_H

#include "fuzz.h"

#include <sqlite3.h>

/* A user, as SQL has it. */
#define WIRE_USER "'5f1ab5a1-1f2c-4b3a-9a2e-0c1d2e3f4a5b'"

/*
** What the server answers from now on, n bytes, borrowed: one answer after the
** other with a NUL between them. One that begins with "HTTP/" is taken as it
** is: lines of headers, an empty line, the body. All others are bodies of a 200
** with a transaction id. Behind the last one, with bAgain, the last one is
** given again and again; else there is no connection any more.
*/
void wireAnswers(const void *a, size_t n, int bAgain);

/* A request as it arrives. */
typedef struct WireRequest WireRequest;
struct WireRequest {
  const char *zMethod;
  const char *zUrl;
  const char *zBody; /* nBody bytes and a NUL */
  size_t nBody;
};

/* What becomes of a request. */
enum {
  WIRE_ANSWERED,
  WIRE_LOST /* the connection broke */
};

/* In place of that: a server, which appends to *pAnswer an answer of either
** form where it gives one; NULL: as before. */
void wireServer(int (*x)(const WireRequest *pRequest, LedgerBuf *pAnswer));

/*
** The connection with the module, and `main` attached to what wire.c plays,
** with these options besides, "name":value and so on, or NULL. wireClose()
** detaches it. Whatever a server answers must hold true of it: no request
** leaves for another host than the ledger's or one below it, and no error shows
** the token.
*/
sqlite3 *wireOpen(const char *zOptions);
void wireClose(sqlite3 *db);

/* Runs one statement to its end and gives its code; *pnRow (may be NULL) is how
** many rows it gave. */
int wireRun(sqlite3 *db, const char *zSql, int *pnRow);

/* The same, with wireOpen() and wireClose() around it. */
void wireOnce(const char *zSql);

#endif /* LEDGER_FUZZ_WIRE_H */
