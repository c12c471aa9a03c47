/*
** A fuzz target of the file that option cache names: bytes of a good one,
** history.db, are changed as fuzzPatch() says, and then entries, an entry and a
** receipt are read with it from a ledger that answers as it should. No
** statement fails for it. Where the first byte is odd it is the rows of a span
** that are changed, by an enemy who knows their checksum: memory is safe.
**
** libFuzzer: -detect_leaks=0 -max_len=400
*/
#include "wire.h"

#include "sqlite/history/pastInt.h"

#include <sys/stat.h>
#include <unistd.h>

#define HISTORY_FILE "history.db"
#define HISTORY_WORK "history.work.db"
#define HISTORY_FIRST 10 /* the seqnos of the entries */
#define HISTORY_LAST 40

static void historyEntry(int i, LedgerBuf *pAnswer) {
  ledgerBufPrintf(pAnswer,
                  "{\"contents\":\"entry %d\",\"collectionId\":\"pay\","
                  "\"transactionId\":\"2.%d\"}",
                  i, i);
}

/* The seqno behind `zName` in a URL. */
static int historySeqno(const char *zUrl, const char *zName, int iElse) {
  const char *z = strstr(zUrl, zName);
  return z ? (int)strtol(z + strlen(zName), NULL, 10) : iElse;
}

/* A ledger with a sub-ledger `pay`. */
static int historyServe(const WireRequest *pRequest, LedgerBuf *p) {
  const char *zUrl = pRequest->zUrl;
  const int iId = historySeqno(zUrl, "/app/transactions/2.", 0);
  if( strstr(zUrl, "/app/transactions?") ) {
    int i = historySeqno(zUrl, "fromTransactionId=2.", 0);
    int iLast = historySeqno(zUrl, "toTransactionId=2.", HISTORY_LAST);
    const char *zComma = "";
    ledgerBufText(p, "{\"state\":\"Ready\",\"entries\":[");
    if( i < HISTORY_FIRST ) i = HISTORY_FIRST;
    for( ; i <= iLast && i <= HISTORY_LAST; i++ ) {
      ledgerBufText(p, zComma);
      historyEntry(i, p);
      zComma = ",";
    }
    ledgerBufText(p, "]}");
  } else if( strstr(zUrl, "/current") ) {
    historyEntry(HISTORY_LAST, p);
  } else if( iId && strstr(zUrl, "/status") ) {
    ledgerBufPrintf(p, "{\"state\":\"Committed\",\"transactionId\":\"2.%d\"}",
                    iId);
  } else if( iId >= HISTORY_FIRST && iId <= HISTORY_LAST &&
             strstr(zUrl, "/receipt") ) {
    ledgerBufPrintf(p,
                    "{\"state\":\"Ready\",\"transactionId\":\"2.%d\","
                    "\"receipt\":{}}",
                    iId);
  } else if( iId >= HISTORY_FIRST && iId <= HISTORY_LAST ) {
    ledgerBufText(p, "{\"state\":\"Ready\",\"entry\":");
    historyEntry(iId, p);
    ledgerBufText(p, "}");
  } else {
    ledgerBufText(p, "HTTP/1.1 404 Not Found\r\n\r\n{\"error\":{\"code\":"
                     "\"InvalidTransactionId\",\"message\":\"no\"}}");
  }
  return WIRE_ANSWERED;
}

enum {
  HISTORY_MAKE,
  HISTORY_DISK,
  HISTORY_ENEMY
};

/* Reads with a file. What tells of the file itself may fail where it isn't
** good; what an enemy put into it is no matter. */
static void historyRead(const char *zFile, int eWho) {
  static const char *const azSql[] = {
      "SELECT count(*), max(contents) FROM ledger_entries"
      " WHERE sub_ledger = 'pay'",
      "SELECT contents FROM ledger_entries WHERE sub_ledger = 'pay'"
      " AND transaction_id = '2.12'",
      "SELECT ledger_receipt('2.13')",
      "SELECT contents, tags FROM ledger_entries WHERE sub_ledger = 'pay'"
      " AND seqno BETWEEN 20 AND 30 ORDER BY transaction_id DESC",
      "SELECT ledger_entry('2.14', 'pay')",
      "SELECT count(*), sum(entries) FROM ledger_cache"};
  char *zOptions = sqlite3_mprintf("\"cache\":\"%s\"", zFile);
  sqlite3 *db = wireOpen(zOptions);
  size_t i;
  for( i = 0; i < sizeof(azSql) / sizeof(azSql[0]); i++ ) {
    if( eWho == HISTORY_ENEMY ) {
      sqlite3_exec(db, azSql[i], NULL, NULL, NULL);
    } else if( wireRun(db, azSql[i], NULL) &&
               (eWho == HISTORY_MAKE || i != 5) ) {
      fprintf(stderr, "fuzz: %s\n", azSql[i]);
      fuzzCheck(0, sqlite3_errmsg(db));
    }
  }
  wireClose(db);
  sqlite3_free(zOptions);
}

/* digest(OWNER, NAME, LOW, HIGH, ROWS): the checksum of a span. */
static void historyDigest(sqlite3_context *pCtx, int nArg,
                          sqlite3_value **apArg) {
  const char *zName = (const char *)sqlite3_value_text(apArg[1]);
  const i64 n = (i64)strlen(zName);
  const void *aRows = sqlite3_value_blob(apArg[4]);
  i64 i = ledgerPastDigest(0, 0, sqlite3_value_blob(apArg[0]), 32);
  (void)nArg;
  i = ledgerPastDigest(n, i, zName, (size_t)n);
  i = ledgerPastDigest(sqlite3_value_int64(apArg[2]) ^ i,
                       sqlite3_value_int64(apArg[3]), aRows,
                       (size_t)sqlite3_value_bytes(apArg[4]));
  sqlite3_result_int64(pCtx, i);
}

static const uint8_t *historyInput; /* what historyPatch() changes by */
static size_t historyInputLeft;

/* patch(ROWS): rows changed as the input says. */
static void historyPatch(sqlite3_context *pCtx, int nArg,
                         sqlite3_value **apArg) {
  const size_t n = (size_t)sqlite3_value_bytes(apArg[0]);
  unsigned char *a = sqlite3_malloc64(n + 1);
  (void)nArg;
  fuzzCheck(a != NULL, "out of memory");
  memcpy(a, sqlite3_value_blob(apArg[0]), n);
  fuzzPatch(a, n, historyInput, historyInputLeft);
  sqlite3_result_blob64(pCtx, a, n, sqlite3_free);
}

/* Changes the rows of each span, and corrects its checksum. */
static void historyForge(const uint8_t *aData, size_t nData) {
  static const char zSql[] =
      "UPDATE span SET rows = patch(rows);"
      "UPDATE span SET digest = (SELECT digest(owner, name, low, high, rows)"
      " FROM sub WHERE sub.sub = span.sub)";
  sqlite3 *db = NULL;
  historyInput = aData;
  historyInputLeft = nData;
  fuzzCheck(sqlite3_open(HISTORY_WORK, &db) == 0 &&
                sqlite3_create_function(db, "patch", 1, SQLITE_UTF8, NULL,
                                        historyPatch, NULL, NULL) == 0 &&
                sqlite3_create_function(db, "digest", 5, SQLITE_UTF8, NULL,
                                        historyDigest, NULL, NULL) == 0 &&
                sqlite3_exec(db, zSql, NULL, NULL, NULL) == 0,
            "the file can't be forged");
  sqlite3_close(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static unsigned char *aGood;
  static size_t nGood;
  const int bEnemy = fuzzByte(&aData, &nData) & 1;
  unsigned char *a;
  if( aGood == NULL ) {
    umask(077);
    wireServer(historyServe);
    if( access(HISTORY_FILE, R_OK) )
      historyRead("./" HISTORY_FILE, HISTORY_MAKE);
    aGood = fuzzFileRead(HISTORY_FILE, &nGood);
    fuzzCheck(aGood && nGood > 8192, "nothing was kept");
  }
  a = malloc(nGood);
  fuzzCheck(a != NULL, "out of memory");
  memcpy(a, aGood, nGood);
  if( !bEnemy ) fuzzPatch(a, nGood, aData, nData);
  unlink(HISTORY_WORK "-wal");
  unlink(HISTORY_WORK "-shm");
  unlink(HISTORY_WORK);
  fuzzFileWrite(HISTORY_WORK, a, nGood);
  free(a);
  if( bEnemy ) historyForge(aData, nData);
  historyRead("./" HISTORY_WORK, bEnemy ? HISTORY_ENEMY : HISTORY_DISK);
  return 0;
}
