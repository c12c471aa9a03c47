/*
** What the files of sqlite/history share.
*/
#ifndef LEDGER_PAST_INT_H
#define LEDGER_PAST_INT_H

#include "sqlite/history/history.h"

/* The statements, in the order of azPastSql (past.c). */
enum {
  PAST_BEGIN,
  PAST_COMMIT,
  PAST_ROLLBACK,
  PAST_ANY,
  PAST_SUB,
  PAST_SUB_NEW,
  PAST_AT,
  PAST_BEHIND,
  PAST_ADD,
  PAST_DROP,
  PAST_OLDEST,
  PAST_SIZE,
  PAST_LIST,
  PAST_STATEMENTS
};

struct LedgerPast {
  sqlite3 *db; /* NULL: it can't be used */
  char *zPath; /* as the option says (sqlite3_free) */
  int bTried;  /* it was opened, or never will be */
  sqlite3_stmt *apStmt[PAST_STATEMENTS];
  int nHit; /* sub-ledgers that were read from it */
  struct LedgerPastHit {
    i64 iSub;
    i64 n; /* times */
  } * aHit;
};

/* The file of the option in force, opened; or NULL. */
LedgerPast *ledgerPastOf(Ledger *pLedger);

/* A statement, reset; NULL where it can't be prepared. */
sqlite3_stmt *ledgerPastStmt(LedgerPast *p, int i);

/* A statement failed: where the file is damaged it is emptied. */
void ledgerPastFailed(LedgerPast *p, int rc);

#endif /* LEDGER_PAST_INT_H */
