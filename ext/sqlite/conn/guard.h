/*
** What keeps strangers from making the module act: conn/guard.c. Used
** by tables, functions and the registry.
**
** Invariant: every table and every function that acts asks here first.
*/
#ifndef LEDGER_SQLITE_GUARD_H
#define LEDGER_SQLITE_GUARD_H

#include "sqlite/conn/conn.h"

/* ---- guard.c: who may make the module act -------------------------------- */

/* Whether this SQLite shows that a statement runs inside another one. */
enum {
  LEDGER_NESTING_UNTESTED = 0, /* the host let no statement of ours run */
  LEDGER_NESTING_SHOWN,
  LEDGER_NESTING_HIDDEN
};

/* Tries it, and sets p->eNesting; the functions must be registered. */
int ledgerGuardSelfTest(LedgerConn *p);

/* SQLITE_OK where the module is loaded on db; then bTurnOff turns writing off.
** Another code where it isn't, or can't be asked. */
int ledgerGuardLoaded(sqlite3 *db, int bTurnOff);

/* Where a table stands that one of our modules connects. First of all it is
** told by ledgerGuardConnect(), which also tells SQLite who may use it. */
typedef struct LedgerGuard LedgerGuard;
struct LedgerGuard {
  LedgerConn *pConn; /* borrowed: the module keeps it alive */
  char *zTable;      /* its name, for messages (sqlite3_free) */
  int bTemp;         /* declared in temp: by this connection's own SQL */
  int bFile;         /* declared in a database file: by anybody */
  char *zBad;        /* its arguments are bad: why (sqlite3_free), or NULL */
};
int ledgerGuardConnect(LedgerGuard *p, LedgerConn *pConn, int argc,
                       const char *const *argv);
void ledgerGuardClear(LedgerGuard *p);

/* xConnect finds an argument bad, as zText says (sqlite3_malloc; taken over).
** What stands in a file connects all the same, so that it can be dropped, and
** is refused when it is used; else *pzErr becomes the text. An SQLite code. */
int ledgerGuardBad(LedgerGuard *p, const char *zSchema, char *zText,
                   char **pzErr);

/* May this cursor read? To be asked first in xFilter; *pbAsked, a field of the
** cursor, remembers that it may. */
int ledgerGuardRead(const LedgerGuard *p, int *pbAsked, LedgerError *pErr);

/* May this table be written to? To be asked first in xUpdate. */
int ledgerGuardWrite(const LedgerGuard *p, LedgerError *pErr);

/* May what waits for COMMIT be sent? To be asked first in xSync. */
int ledgerGuardCommit(const LedgerGuard *p, LedgerError *pErr);

/* May this function write? The registry asks where it has LEDGER_FN_WRITES. */
int ledgerGuardWrites(LedgerConn *pConn, const char *zFunction,
                      LedgerError *pErr);

/* May this ledger be written to? ledgerConnFindToWrite() asks. */
int ledgerGuardLedger(Ledger *pLedger, LedgerError *pErr);

/* The xFunc of all our functions: asks, and calls the one that is meant. */
void ledgerGuardFunction(sqlite3_context *pCtx, int argc, sqlite3_value **argv);

/* Reads or (zValue not NULL) sets an option of the connection. *pz becomes its
** value, or NULL where zOption is no such option. */
int ledgerGuardOption(LedgerConn *pConn, const char *zOption,
                      const char *zValue, const char **pz, LedgerError *pErr);

/* ---- check_constraint.c: does a CHECK constraint make a function act? ---- */

/* An error where one of a database that is in use calls this function. */
int ledgerCheckConstraint(LedgerConn *pConn, const char *zFunction,
                          LedgerError *pErr);

/* One function of SQL. */
struct LedgerFunction {
  const char *zName;
  int nMin, nMax; /* numbers of arguments it takes */
  int eFlags;     /* LEDGER_FN_* */
  void (*xFunc)(sqlite3_context *, int, sqlite3_value **);
  /* for ledger_help and the reference page: */
  const char *zArgs;    /* its arguments */
  const char *zDoc;     /* one line */
  const char *zCost;    /* the requests that it makes */
  const char *zExample; /* SQL that runs on a ledger (reference.md.in) */
  const char *zFails; /* SQL that it refuses there, or NULL: it refuses none */
};

#define LEDGER_FN_PURE (SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS)
#define LEDGER_FN_ACT (SQLITE_UTF8 | SQLITE_DIRECTONLY)
/* SQLITE_RESULT_SUBTYPE, which SQLite 3.45 and later ask for, also of a module
** that was built with an older header. An older SQLite passes over it. */
#define LEDGER_FN_JSON 0x001000000
#define LEDGER_FN_WRITES 0x40000000 /* not in the read-only entry point */

/* The user data of each function that is registered (guard.c). */
typedef struct LedgerBound LedgerBound;
struct LedgerBound {
  LedgerConn *pConn; /* counted reference */
  const LedgerFunction *pFunc;
};

/* The connection of the function that runs. */
LedgerConn *ledgerFunctionConn(sqlite3_context *pCtx);

#endif /* LEDGER_SQLITE_GUARD_H */
