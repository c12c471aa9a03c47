/*
** A fuzz target of the file that option cache names: bytes of a good one,
** history.db, are changed as fuzzPatch() says, and then entries, an entry and a
** receipt are read with it from a ledger that answers as it should. No
** statement fails for it.
**
** libFuzzer: -detect_leaks=0 -max_len=400
*/
#include "wire.h"

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
static void historyServe(const char *zUrl, LedgerBuf *p) {
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
}

/* Reads with a file; what tells of the file itself may fail where it isn't
** good. */
static void historyRead(const char *zFile, int bAll) {
  static const char *const azSql[] = {
      "SELECT count(*), max(contents) FROM ledger_entries"
      " WHERE sub_ledger = 'pay'",
      "SELECT contents FROM ledger_entries WHERE sub_ledger = 'pay'"
      " AND transaction_id = '2.12'",
      "SELECT ledger_receipt('2.13')",
      "SELECT contents FROM ledger_entries WHERE sub_ledger = 'pay'"
      " AND seqno BETWEEN 20 AND 30 ORDER BY transaction_id DESC",
      "SELECT ledger_entry('2.14', 'pay')",
      "SELECT count(*), sum(entries) FROM ledger_cache"};
  char *zOptions = sqlite3_mprintf("\"cache\":\"%s\"", zFile);
  sqlite3 *db = wireOpen(zOptions);
  size_t i;
  for( i = 0; i < sizeof(azSql) / sizeof(azSql[0]); i++ ) {
    int rc = wireRun(db, azSql[i], NULL);
    if( rc == SQLITE_OK || (!bAll && i == 5) ) continue;
    fprintf(stderr, "fuzz: %s\n", azSql[i]);
    fuzzCheck(0, sqlite3_errmsg(db));
  }
  wireClose(db);
  sqlite3_free(zOptions);
}

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static unsigned char *aGood;
  static size_t nGood;
  unsigned char *a;
  if( aGood == NULL ) {
    umask(077);
    wireServer(historyServe);
    if( access(HISTORY_FILE, R_OK) ) historyRead("./" HISTORY_FILE, 1);
    aGood = fuzzFileRead(HISTORY_FILE, &nGood);
    fuzzCheck(aGood && nGood > 8192, "nothing was kept");
  }
  a = malloc(nGood);
  fuzzCheck(a != NULL, "out of memory");
  memcpy(a, aGood, nGood);
  fuzzPatch(a, nGood, aData, nData);
  unlink(HISTORY_WORK "-wal");
  unlink(HISTORY_WORK "-shm");
  unlink(HISTORY_WORK);
  fuzzFileWrite(HISTORY_WORK, a, nGood);
  free(a);
  historyRead("./" HISTORY_WORK, 0);
  return 0;
}
