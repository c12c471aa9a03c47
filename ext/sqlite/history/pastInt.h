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
  PAST_SPANS,
  PAST_ANY,
  PAST_SUB,
  PAST_SUB_NEW,
  PAST_SUB_AT,
  PAST_SUB_DROP,
  PAST_AT,
  PAST_BEHIND,
  PAST_GAP,
  PAST_ADD,
  PAST_DROP,
  PAST_OLDEST,
  PAST_SIZE,
  PAST_LIST,
  PAST_ANSWER,
  PAST_ANSWER_ADD,
  PAST_ANSWER_DROP,
  PAST_ANSWERS,
  PAST_STATEMENTS
};

struct LedgerPast {
  sqlite3 *db; /* NULL: it can't be used */
  char *zPath; /* as the option says (sqlite3_free) */
  int bTried;  /* it was opened, or never will be */
  sqlite3_stmt *apStmt[PAST_STATEMENTS];
  char *zProblem; /* why it isn't used, or NULL (sqlite3_free) */
  int bAsked;     /* to be let in, and it wasn't */
  i64 nAnswerHit; /* answers that were read from it */
  int nHit;       /* sub-ledgers that were read from it */
  struct LedgerPastHit {
    i64 iSub;
    i64 n; /* times */
  } * aHit;
};

/* The file of the option in force, opened; or NULL. */
LedgerPast *ledgerPastOf(Ledger *pLedger);

/* ... and may be read by the reader in force, whom aOwner then names. */
LedgerPast *ledgerPastOpen(Ledger *pLedger, unsigned char aOwner[32]);

/* A statement, reset; NULL where it can't be prepared. */
sqlite3_stmt *ledgerPastStmt(LedgerPast *p, int i);

/* Runs one that gives no row, for a number where it has a parameter; an SQLite
** code. */
int ledgerPastRun(LedgerPast *p, int i, i64 iArg);

/* Begins to write for a reader who has got an answer: 0 where he is no longer
** the one in force, or another process writes. ledgerPastWritten() ends it, and
** lets the oldest go where there is too much then. */
int ledgerPastWrite(Ledger *pLedger, const unsigned char aOwner[32],
                    LedgerPast **pp);
void ledgerPastWritten(Ledger *pLedger, LedgerPast *p, int rc);

/* A checksum of n bytes, and of two numbers: for what a disk does, not for what
** an enemy does. */
i64 ledgerPastDigest(i64 a, i64 b, const void *z, size_t n);

/* A statement failed: where the file is damaged it is emptied. */
void ledgerPastFailed(LedgerPast *p, int rc);

#endif /* LEDGER_PAST_INT_H */
