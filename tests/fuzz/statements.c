/*
** A fuzz target of statements, one after the other, with a server that keeps a
** ledger and fails where the input says. Witness is what the server has:
**
**   - no row is appended twice, none that was rolled back, and each one whose
**     statement succeeded;
**   - a statement that reads gives the rows of the ledger, or an error.
**
** libFuzzer: -detect_leaks=0 -max_len=300
*/
#include "wire.h"

#define STATEMENTS_MAX 24   /* statements of an input */
#define STATEMENTS_ROWS 200 /* entries that the server holds */

/* An entry that the server holds: its seqno is 10 and its index. */
typedef struct StatementsEntry StatementsEntry;
struct StatementsEntry {
  char zContents[40];
  char zSub[40];
};

static StatementsEntry aHeld[STATEMENTS_ROWS];
static int nHeld;
static const uint8_t *aInput;
static size_t nInput;

static int statementsNext(void) {
  return fuzzByte(&aInput, &nInput);
}

/* ---- the server ---------------------------------------------------------- */

static void statementsHead(LedgerBuf *p, int iHttp) {
  ledgerBufPrintf(p,
                  "HTTP/1.1 %d Some\r\nx-ms-ccf-transaction-id: 2.%d\r\n\r\n",
                  iHttp, nHeld + 9);
}

/* A parameter of a URL, up to 39 bytes, or the default. */
static void statementsParam(const char *zUrl, const char *zName,
                            const char *zElse, char *zOut) {
  const char *z = strstr(zUrl, zName);
  if( z ) z += strlen(zName);
  snprintf(zOut, 40, "%.*s", z ? (int)strcspn(z, "&") : 39, z ? z : zElse);
}

static void statementsEntry(int i, LedgerBuf *p) {
  ledgerBufPrintf(p,
                  "{\"contents\":\"%s\",\"collectionId\":\"%s\","
                  "\"transactionId\":\"2.%d\"}",
                  aHeld[i].zContents, aHeld[i].zSub, i + 10);
}

/* Records an entry; 0: there is no room. */
static int statementsRecord(const WireRequest *pRequest) {
  const char *z = strstr(pRequest->zBody, "\"contents\":\"");
  if( nHeld == STATEMENTS_ROWS ) return 0;
  fuzzCheck(z != NULL, "an append without contents");
  z += strlen("\"contents\":\"");
  snprintf(aHeld[nHeld].zContents, 40, "%.*s", (int)strcspn(z, "\"\\"), z);
  statementsParam(pRequest->zUrl, "collectionId=", "subledger:0",
                  aHeld[nHeld].zSub);
  nHeld++;
  return 1;
}

/* What goes wrong with a request: 1 where it is over by that. */
static int statementsFail(const WireRequest *pRequest, LedgerBuf *p, int *pe) {
  static const char zError[] =
      "{\"error\":{\"code\":\"%s\",\"message\":\"said so\"}}";
  const int bPost = strcmp(pRequest->zMethod, "POST") == 0;
  const int e = statementsNext();
  *pe = WIRE_ANSWERED;
  switch( e < 8 ? 0 : e % 16 ) {
    case 1: *pe = WIRE_LOST; return 1;
    case 2: /* recorded, and nobody hears of it */
      *pe = WIRE_LOST;
      if( bPost ) statementsRecord(pRequest);
      return 1;
    case 3:
      ledgerBufText(p, "HTTP/1.1 503 Busy\r\n\r\n");
      ledgerBufPrintf(p, zError, "ServiceUnavailable");
      return 1;
    case 4: ledgerBufText(p, "HTTP/1.1 503 Busy\r\n\r\n<html>"); return 1;
    case 5:
      ledgerBufText(p, "HTTP/1.1 500 Some\r\n\r\n");
      ledgerBufPrintf(p, zError, "SessionConsistencyLost");
      return 1;
    case 6: ledgerBufText(p, "HTTP/1.1 429 Many\r\n\r\n{}"); return 1;
    case 7:
      ledgerBufText(p, "HTTP/1.1 403 No\r\n\r\n");
      ledgerBufPrintf(p, zError, "Forbidden");
      return 1;
    case 8: /* recorded, and the answer says nothing of it */
      if( bPost ) statementsRecord(pRequest);
      ledgerBufText(p, "HTTP/1.1 502 Bad\r\n\r\n<html>");
      return 1;
    default: return 0;
  }
}

static void statementsPage(const char *zUrl, LedgerBuf *p) {
  char zSub[40], zFrom[40], zTo[40];
  const char *zComma = "";
  int i, iFrom, iTo;
  statementsParam(zUrl, "collectionId=", "subledger:0", zSub);
  statementsParam(zUrl, "fromTransactionId=2.", "10", zFrom);
  statementsParam(zUrl, "toTransactionId=2.", "999", zTo);
  iFrom = (int)strtol(zFrom, NULL, 10);
  iTo = (int)strtol(zTo, NULL, 10);
  ledgerBufText(p, "{\"state\":\"Ready\",\"entries\":[");
  for( i = 0; i < nHeld; i++ ) {
    if( strcmp(aHeld[i].zSub, zSub) || i + 10 < iFrom || i + 10 > iTo )
      continue;
    ledgerBufText(p, zComma);
    statementsEntry(i, p);
    zComma = ",";
  }
  ledgerBufText(p, "]}");
}

static int statementsServe(const WireRequest *pRequest, LedgerBuf *p) {
  static const char zPath[] = "/app/transactions/2.";
  const char *zUrl = pRequest->zUrl, *zId = strstr(zUrl, zPath);
  char zSub[40];
  int i = zId ? (int)strtol(zId + strlen(zPath), NULL, 10) - 10 : -1;
  int e = WIRE_ANSWERED;
  if( statementsFail(pRequest, p, &e) ) return e;
  if( strcmp(pRequest->zMethod, "POST") == 0 ) {
    if( !statementsRecord(pRequest) ) {
      ledgerBufText(p, "HTTP/1.1 507 Full\r\n\r\n{}");
      return e;
    }
    statementsHead(p, 201);
    ledgerBufPrintf(p, "{\"collectionId\":\"%s\"}", aHeld[nHeld - 1].zSub);
    return e;
  }
  if( zId && (i < 0 || i >= nHeld) && !strstr(zUrl, "/status") ) {
    ledgerBufText(p, "HTTP/1.1 404 No\r\n\r\n{\"error\":{\"code\":"
                     "\"InvalidTransactionId\",\"message\":\"none\"}}");
    return e;
  }
  statementsHead(p, 200);
  if( zId && strstr(zUrl, "/status") ) {
    ledgerBufPrintf(p, "{\"state\":\"%s\",\"transactionId\":\"2.%d\"}",
                    i < nHeld ? "Committed" : "Pending", i + 10);
  } else if( zId ) {
    ledgerBufText(p, "{\"state\":\"Ready\",\"entry\":");
    statementsEntry(i, p);
    ledgerBufText(p, "}");
  } else if( strstr(zUrl, "/app/transactions?") ) {
    statementsPage(zUrl, p);
  } else if( strstr(zUrl, "/current") ) {
    statementsParam(zUrl, "collectionId=", "a", zSub);
    for( i = nHeld - 1; i > 1 && strcmp(aHeld[i].zSub, zSub); i-- ) {
    }
    statementsEntry(i > 1 ? i : zSub[0] == 'b', p);
  } else {
    ledgerBufText(p, "{\"collections\":[{\"collectionId\":\"a\"},"
                     "{\"collectionId\":\"b\"}]}");
  }
  return e;
}

/* ---- statements, and what must be true ----------------------------------- */

/* How often the server holds an entry. */
static int statementsHeld(const char *zContents) {
  int i, n = 0;
  for( i = 0; i < nHeld; i++ ) n += strcmp(aHeld[i].zContents, zContents) == 0;
  return n;
}

/* All rows of a sub-ledger, or an error. */
static void statementsRead(sqlite3 *db, const char *zSub) {
  sqlite3_stmt *pStmt = NULL;
  int rc, i = 0;
  sqlite3_prepare_v2(db,
                     "SELECT contents FROM ledger_entries"
                     " WHERE sub_ledger = ?1 ORDER BY transaction_id",
                     -1, &pStmt, NULL);
  sqlite3_bind_text(pStmt, 1, zSub, -1, SQLITE_STATIC);
  while( (rc = sqlite3_step(pStmt)) == SQLITE_ROW ) {
    while( i < nHeld && strcmp(aHeld[i].zSub, zSub) ) i++;
    fuzzCheck(i < nHeld && strcmp((const char *)sqlite3_column_text(pStmt, 0),
                                  aHeld[i].zContents) == 0,
              "a row that the ledger doesn't have there");
    i++;
  }
  while( rc == SQLITE_DONE && i < nHeld && strcmp(aHeld[i].zSub, zSub) ) i++;
  fuzzCheck(rc != SQLITE_DONE || i == nHeld, "rows are missing, and no error");
  sqlite3_finalize(pStmt);
}

/* Appends a row or two: n is a number of its own. */
static void statementsAppend(sqlite3 *db, int e, int n) {
  static const char *const azSql[] = {
      "INSERT INTO ledger_entries(contents, sub_ledger) VALUES('r%d.', '%s')",
      "SELECT ledger_append('r%d.', '%s')",
      "BEGIN; INSERT INTO ledger_entries(contents, sub_ledger)"
      " VALUES('r%d.', '%s'), ('s%d.', 'a'); COMMIT",
      "BEGIN; INSERT INTO ledger_entries(contents, sub_ledger)"
      " VALUES('r%d.', '%s'), ('s%d.', 'a'); ROLLBACK"};
  char *zSql = sqlite3_mprintf(azSql[e % 4], n, e & 4 ? "b" : "a", n);
  char zFirst[24], zSecond[24];
  int rc = sqlite3_exec(db, zSql, NULL, NULL, NULL);
  if( !sqlite3_get_autocommit(db) ) {
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
  }
  snprintf(zFirst, sizeof(zFirst), "r%d.", n);
  snprintf(zSecond, sizeof(zSecond), "s%d.", n);
  if( e % 4 == 3 ) {
    fuzzCheck(statementsHeld(zFirst) + statementsHeld(zSecond) == 0,
              "a row that was rolled back is there");
  } else if( rc == SQLITE_OK ) {
    fuzzCheck(statementsHeld(zFirst) == 1, "a row is not there, and no error");
    fuzzCheck(e % 4 != 2 || statementsHeld(zSecond) == 1,
              "the second row is not there, and no error");
  }
  sqlite3_free(zSql);
}

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static const StatementsEntry aFirst[] = {{"first", "a"}, {"first", "b"}};
  char zContents[24];
  sqlite3 *db;
  int i, bReconcile;
  aInput = aData;
  nInput = nData;
  memcpy(aHeld, aFirst, sizeof(aFirst));
  nHeld = 2;
  wireServer(statementsServe);
  bReconcile = statementsNext() & 1;
  db = wireOpen(bReconcile ? "\"reconcile\":\"on\",\"settle_ms\":100"
                           : "\"cache\":\"memory\"");
  for( i = 0; i < STATEMENTS_MAX && nInput > 0; i++ ) {
    const int e = statementsNext();
    if( e % 16 < 10 ) {
      statementsAppend(db, e, i);
    } else {
      statementsRead(db, e & 1 ? "a" : "b");
    }
  }
  for( i = 0; i < STATEMENTS_MAX; i++ ) {
    snprintf(zContents, sizeof(zContents), "r%d.", i);
    fuzzCheck(statementsHeld(zContents) <= 1, "a row was appended twice");
    zContents[0] = 's';
    fuzzCheck(statementsHeld(zContents) <= 1, "a row was appended twice");
  }
  wireClose(db);
  return 0;
}
