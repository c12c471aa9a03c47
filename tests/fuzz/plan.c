/*
** A fuzz target of the plan string: what xBestIndex tells xFilter. An input is
** the plan and the values of its words, with a NUL between them; a value that
** looks like a number is one, an empty one is NULL.
**
** What is decoded agrees with itself: ids ascend without repeats and lie within
** the bounds, and a query has the same key as itself.
**
** libFuzzer: -max_len=600
*/
#include "fuzz.h"

#include "sqlite/read/read.h"

#define PLAN_VALUES 8

static void planCheck(LedgerQuery *p) {
  char *zKey = ledgerQueryKey(p), *zAgain = ledgerQueryKey(p);
  int i;
  fuzzCheck(zKey && zAgain && strcmp(zKey, zAgain) == 0, "the keys differ");
  for( i = 0; i < p->nId; i++ ) {
    LedgerTxid id = p->aId[i];
    fuzzCheck(i == 0 || ledgerTxidCompare(p->aId[i - 1], id) < 0,
              "ids don't ascend");
    fuzzCheck(id.seqno >= p->from.seqno &&
                  (p->to.seqno == 0 || id.seqno <= p->to.seqno),
              "an id is out of bounds");
  }
  fuzzCheck(p->bEmpty || p->from.seqno == 0 || p->to.seqno == 0 ||
                p->from.seqno <= p->to.seqno,
            "bounds cross");
  fuzzCheck(p->bEmpty || !p->bIds || p->nId > 0, "no id, and not empty");
  fuzzCheck(p->nWanted >= 0, "less than no rows are wanted");
  sqlite3_free(zKey);
  sqlite3_free(zAgain);
}

/* plan(PLAN, VALUES...): decodes, as a table with or without fixed names. */
static void planFunction(sqlite3_context *pCtx, int nArg,
                         sqlite3_value **apArg) {
  const char *zPlan = (const char *)sqlite3_value_text(apArg[0]);
  int i;
  (void)pCtx;
  for( i = 0; i < 2; i++ ) {
    LedgerError err = LEDGER_ERROR_INIT;
    LedgerQuery query;
    int rc = ledgerQueryDecode(zPlan, nArg - 1, apArg + 1, i ? "main" : NULL,
                               i ? "pay" : NULL, &query, &err);
    if( rc == LEDGER_OK ) planCheck(&query);
    fuzzCheckError(rc, &err);
    ledgerQueryClear(&query);
  }
}

static void planBind(sqlite3_stmt *pStmt, int i, const char *z, size_t n) {
  char *zEnd;
  double r = strtod(z, &zEnd);
  if( n == 0 ) {
    sqlite3_bind_null(pStmt, i);
  } else if( *zEnd == 0 && strcspn(z, ".eExXnN") == n ) {
    sqlite3_bind_int64(pStmt, i, strtoll(z, NULL, 10));
  } else if( *zEnd == 0 ) {
    sqlite3_bind_double(pStmt, i, r);
  } else {
    sqlite3_bind_text(pStmt, i, z, (int)n, SQLITE_TRANSIENT);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static sqlite3 *db;
  static sqlite3_stmt *pStmt;
  int i;
  if( db == NULL ) {
    fuzzCheck(sqlite3_open(":memory:", &db) == 0 &&
                  sqlite3_create_function(db, "plan", -1, SQLITE_UTF8, NULL,
                                          planFunction, NULL, NULL) == 0 &&
                  sqlite3_prepare_v2(db,
                                     "SELECT plan(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                     -1, &pStmt, NULL) == 0,
              "no statement");
  }
  for( i = 0; i <= PLAN_VALUES; i++ ) {
    size_t n = 0;
    char *z = fuzzText(&aData, &nData, &n);
    if( i == 0 ) {
      sqlite3_bind_text(pStmt, 1, z ? z : "", -1, SQLITE_TRANSIENT);
    } else {
      planBind(pStmt, i + 1, z ? z : "", n);
    }
    free(z);
  }
  sqlite3_step(pStmt);
  sqlite3_reset(pStmt);
  return 0;
}
