/*
** Functions over what is kept of a ledger's ranges (option cache).
**
**     SELECT ledger_prefetch();               -- all sub-ledgers
**     SELECT ledger_prefetch('A');            -- {"rows":1000,"requests":3}
**     SELECT ledger_cache_clear();
**
** Requests: ledger_prefetch() those of a scan; ledger_cache_clear() none.
*/
#include "sqlite/function/function.h"
#include "sqlite/history/history.h"
#include "sqlite/read/read.h"

#include <string.h>

/* The number of the last request to the ledger. */
static i64 cacheRequests(const Ledger *pLedger) {
  const LedgerRequest *p;
  i64 n = 0;
  int i;
  for( i = 0; (p = ledgerClientRequest(pLedger->pClient, i)) != NULL; i++ ) {
    n = p->n;
  }
  return n;
}

/* A list of one name, as a query has it. */
static int cacheName(char ***paz, int *pn, const char *z, LedgerError *pErr) {
  *paz = sqlite3_malloc64(sizeof(char *));
  if( *paz == NULL ) return ledgerErrorNomem(pErr);
  (*paz)[0] = sqlite3_mprintf("%s", z);
  *pn = 1;
  return (*paz)[0] ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* Reads all entries of the ledger, or of one of its sub-ledgers. */
static int cacheScan(LedgerConn *pConn, Ledger *pLedger, const char *zSub,
                     i64 *pnRow, LedgerError *pErr) {
  LedgerSnapshot *pSnapshot = NULL;
  LedgerScan *pScan = NULL;
  LedgerQuery query;
  const LedgerEntryRow *pRow;
  memset(&query, 0, sizeof(query));
  query.iViewMax = query.nWanted = INT64_MAX;
  query.bAnySubLedger = zSub == NULL;
  if( ledgerSnapshotJoin(pConn, NULL, &pSnapshot) ) ledgerErrorNomem(pErr);
  if( pErr->rc == LEDGER_OK ) {
    cacheName(&query.azLedger, &query.nLedgerName, pLedger->zName, pErr);
  }
  if( pErr->rc == LEDGER_OK && zSub ) {
    cacheName(&query.azSubLedger, &query.nSubLedger, zSub, pErr);
  }
  if( pErr->rc ) {
    ledgerQueryClear(&query);
  } else {
    ledgerScanOpen(pSnapshot, pConn, 1, &query, &pScan, pErr);
  }
  while( pErr->rc == LEDGER_OK &&
         ledgerScanNext(pScan, &pRow, pErr) == LEDGER_OK && pRow ) {
    if( ++*pnRow % 1024 == 0 && ledgerConnInterrupted(pConn) ) {
      ledgerErrorSet(pErr, LEDGER_INTERRUPT, "interrupted");
    }
  }
  ledgerScanClose(pScan);
  if( pSnapshot ) ledgerSnapshotLeave(pConn, &pSnapshot);
  return pErr->rc;
}

/* What is known of one sub-ledger, or of all. */
typedef struct CacheKept CacheKept;
struct CacheKept {
  const char *zSubLedger; /* NULL: all */
  i64 nEntry;
};

static int cacheKept(void *pArg, const LedgerPastInterval *pInterval,
                     LedgerError *pErr) {
  CacheKept *p = pArg;
  if( pInterval->zSubLedger &&
      (p->zSubLedger == NULL ||
       strcmp(p->zSubLedger, pInterval->zSubLedger) == 0) ) {
    p->nEntry += pInterval->nEntry;
  }
  return pErr->rc;
}

static void cachePrefetch(sqlite3_context *pCtx, int argc,
                          sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerFunctionCall call;
  const char *zSub =
      argc > 0 ? (const char *)sqlite3_value_text(argv[0]) : NULL;
  LedgerBuf buf = {0};
  i64 nRow = 0, nBefore;
  CacheKept kept = {zSub, 0};
  int rc = ledgerFunctionBegin(&call, pCtx, argc > 1 ? argv[1] : NULL,
                               LEDGER_CALL_READ, &err);
  if( rc == LEDGER_OK && !ledgerCacheWanted(call.pConfig) ) {
    rc = ledgerErrorSet(&err, LEDGER_CONSTRAINT,
                        "option cache is off: nothing would be kept");
  }
  if( rc == LEDGER_OK && zSub && zSub[0] == '{' ) {
    rc = ledgerErrorSet(
        &err, LEDGER_CONSTRAINT,
        "ledger_prefetch: the first argument is a sub-ledger, "
        "the options come second: ledger_prefetch(NULL, '{...}')");
  }
  if( rc == LEDGER_OK ) rc = ledgerPastUsable(call.pLedger, &err);
  if( rc == LEDGER_OK ) {
    nBefore = cacheRequests(call.pLedger);
    rc = cacheScan(call.pConn, call.pLedger, zSub, &nRow, &err);
    if( rc == LEDGER_OK ) {
      rc = ledgerPastList(call.pLedger, cacheKept, &kept, &err);
    }
    if( rc == LEDGER_OK && kept.nEntry < nRow ) {
      rc = ledgerErrorSet(&err, LEDGER_FULL,
                          "ledger_prefetch: %lld rows were read, but the cache "
                          "has %lld of them: cache_max_bytes is %lld, another "
                          "process may write to it, or its disk be full",
                          nRow, kept.nEntry, (i64)call.pConfig->cacheMaxBytes);
    }
    if( rc == LEDGER_OK ) {
      ledgerBufPrintf(&buf, "{\"rows\":%lld,\"requests\":%lld}", nRow,
                      cacheRequests(call.pLedger) - nBefore);
    }
  }
  ledgerFunctionEnd(&call);
  if( rc ) {
    ledgerErrorFunctionRead(pCtx, &err);
  } else {
    ledgerFunctionJson(pCtx, &buf);
  }
}

static void cacheClear(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerFunctionCall call;
  i64 n = 0;
  int rc = ledgerFunctionBegin(&call, pCtx, argc > 0 ? argv[0] : NULL,
                               LEDGER_CALL_READ, &err);
  if( rc == LEDGER_OK ) rc = ledgerPastClear(call.pLedger, &n, &err);
  ledgerFunctionEnd(&call);
  if( rc ) {
    ledgerErrorFunctionRead(pCtx, &err);
  } else {
    sqlite3_result_int64(pCtx, n);
  }
}

const LedgerFunction aLedgerFunctionCache[] = {
    {"ledger_prefetch", 0, 2, LEDGER_FN_ACT | LEDGER_FN_JSON, cachePrefetch,
     "[sub_ledger [, options]]",
     "reads all entries into the cache: rows, and requests that it took",
     "those of a scan of what isn't known yet",
     "SELECT ledger_option('cache', 'memory');\n"
     "SELECT ledger_prefetch('payments') ->> '$.rows';",
     "SELECT ledger_prefetch('payments');"},
    {"ledger_cache_clear", 0, 1, LEDGER_FN_ACT, cacheClear, "[options]",
     "empties the cache, of all ledgers in it: how much it had", "none",
     "SELECT ledger_option('cache', 'memory');\n"
     "SELECT ledger_cache_clear();",
     "SELECT ledger_cache_clear('{\"ledger\":\"pay\"}');"},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
