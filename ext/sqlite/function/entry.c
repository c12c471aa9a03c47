/*
** Functions on entries and transactions.
**
**     SELECT ledger_append('hello', 'A', '{"tags":"red"}');   -- '2.15'
**     SELECT ledger_entry('2.15', 'A');
**     SELECT ledger_current('A');
**     SELECT ledger_status('2.15'), ledger_wait('2.15');
**     SELECT ledger_last_transaction_id();
**
** The last argument is an options object: `ledger` names the ledger,
** `timeout_ms`, `log` and others (function/call.c) are in force for this call;
** ledger_append() also knows `tags` and `wait`.
**
** Requests: POST /app/transactions, GET /app/transactions/{id}, .../current,
** .../{id}/status. ledger_append() sends at once: it is outside transactions,
** ROLLBACK does not undo it, and SQLite may call it more than once per row.
*/
#include "sqlite/function/function.h"
#include "sqlite/history/history.h"
#include "sqlite/read/read.h"
#include "sqlite/write/write.h"

#include <string.h>

static void entryResultTxid(sqlite3_context *pCtx, LedgerTxid id) {
  char zId[LEDGER_TXID_MAX];
  sqlite3_result_text(pCtx, ledgerTxidFormat(id, zId), -1, SQLITE_TRANSIENT);
}

static void entryAppend(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerQueued *pRow = NULL;
  LedgerTxid id = {0, 0};
  LedgerFunctionCall call;
  const char *zSub =
      argc > 1 ? (const char *)sqlite3_value_text(argv[1]) : NULL;
  int nSub = argc > 1 ? sqlite3_value_bytes(argv[1]) : 0;
  int rc = ledgerFunctionBegin(&call, pCtx, argc > 2 ? argv[2] : NULL,
                               LEDGER_CALL_APPEND, &err);
  if( rc == LEDGER_OK && ledgerQueueHasRows(call.pConn, call.pLedger) ) {
    rc = ledgerErrorSet(
        &err, LEDGER_BUSY,
        "ledger_append: rows of this transaction are waiting for COMMIT and "
        "would come after it: COMMIT first, or INSERT "
        "INTO ledger_entries");
  }
  if( rc == LEDGER_OK ) {
    rc = ledgerQueuedNew(call.pConn, call.pLedger, argv[0], zSub, nSub, NULL,
                         &pRow, &err);
  }
  if( rc == LEDGER_OK ) {
    pRow->zTags = call.zTags;
    call.zTags = NULL;
    if( call.zHooks ) {
      pRow->zHooks = sqlite3_mprintf("%s", call.zHooks);
      if( pRow->zHooks == NULL ) {
        ledgerQueuedFree(pRow);
        rc = ledgerErrorNomem(&err);
      }
    }
  }
  if( rc == LEDGER_OK ) {
    rc = ledgerCommitRow(call.pConn, pRow, &id, &err);
  }
  if( rc ) {
    ledgerErrorFunction(pCtx, &err);
  } else {
    entryResultTxid(pCtx, id);
  }
  ledgerFunctionEnd(&call);
}

/* An entry as a function returns it. */
static void entryResult(sqlite3_context *pCtx, const LedgerEntry *pEntry,
                        const LedgerTxid *pAsOf) {
  LedgerBuf buf = {0};
  char zId[LEDGER_TXID_MAX];
  if( pAsOf ) {
    ledgerBufPrintf(&buf, "{\"transaction_id\":null,\"as_of\":\"%s\"",
                    ledgerTxidFormat(*pAsOf, zId));
  } else {
    ledgerBufPrintf(&buf, "{\"transaction_id\":\"%s\"",
                    ledgerTxidFormat(pEntry->id, zId));
  }
  ledgerBufText(&buf, ",\"sub_ledger\":");
  ledgerBufJson(&buf, pEntry->zSubLedger, strlen(pEntry->zSubLedger));
  ledgerBufText(&buf, ",\"contents\":");
  ledgerBufJson(&buf, pEntry->zContents, pEntry->nContents);
  ledgerBufPrintf(&buf, ",\"tags\":%s}", pEntry->zTags ? pEntry->zTags : "[]");
  ledgerFunctionJson(pCtx, &buf);
}

/* GET /app/transactions/{id}, unless history has it; *ppCall or *pPast owns the
** entry's texts. */
static int entryFetch(Ledger *pLedger, LedgerTxid id, const char *zSub,
                      LedgerCall **ppCall, LedgerPastPage *pPast, int *pbFound,
                      LedgerEntry *pEntry, LedgerError *pErr) {
  const LedgerEntry *pKnown;
  int rc;
  if( ledgerPastFind(pLedger, zSub, id, pPast, &pKnown) ) {
    *pbFound = pKnown != NULL;
    if( pKnown ) *pEntry = *pKnown;
    return LEDGER_OK;
  }
  rc = ledgerLookupGet(pLedger, id, zSub, ppCall, pErr);
  if( rc == LEDGER_OK ) rc = ledgerCallWait(*ppCall, pErr);
  if( rc == LEDGER_OK ) rc = ledgerEntryResult(*ppCall, pbFound, pEntry, pErr);
  return rc;
}

static void entryEntry(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerCall *pCall = NULL;
  LedgerPastPage past = {0};
  LedgerEntry entry;
  LedgerTxid id;
  LedgerFunctionCall call;
  char zId[LEDGER_TXID_MAX];
  const char *zSub =
      argc > 1 ? (const char *)sqlite3_value_text(argv[1]) : NULL;
  int bFound = 0, rc;
  if( zSub == NULL ) zSub = LEDGER_DEFAULT_SUB_LEDGER;
  rc = ledgerFunctionBegin(&call, pCtx, argc > 2 ? argv[2] : NULL,
                           LEDGER_CALL_READ, &err);
  if( sqlite3_value_type(argv[0]) == SQLITE_NULL && rc == LEDGER_OK ) goto out;
  if( rc == LEDGER_OK ) rc = ledgerValueTxid(argv[0], &id, &err);
  if( rc == LEDGER_OK ) {
    rc = entryFetch(call.pLedger, id, zSub, &pCall, &past, &bFound, &entry,
                    &err);
  }
  if( rc == LEDGER_OK && !bFound ) {
    ledgerTxidFormat(id, zId);
    rc = ledgerErrorSet(&err, LEDGER_NOTFOUND,
                        "no entry %s in sub-ledger '%s'; to search them all: "
                        "SELECT * FROM ledger_entries WHERE transaction_id = "
                        "'%s'",
                        zId, zSub, zId);
  }
  if( rc ) {
    ledgerErrorFunctionRead(pCtx, &err);
  } else {
    entryResult(pCtx, &entry, NULL);
  }

out:
  ledgerCallFree(pCall);
  ledgerPastEnd(&past);
  ledgerFunctionEnd(&call);
}

/* Is the row the entry that `current` has shown? */
static int entrySame(const LedgerEntry *a, const LedgerEntry *b) {
  return a->nContents == b->nContents &&
         memcmp(a->zContents, b->zContents, a->nContents) == 0;
}

/*
** The id that /current answers may be that of the state read. Once that state
** is committed: if there is an entry of that id, it is the one; else the last
** entry of the range up to there is, if its contents are the same. *pbSettled
** says whether pEntry->id is the write's own id.
*/
static int entrySettle(LedgerFunctionCall *p, const char *zSub,
                       LedgerEntry *pEntry, int *pbSettled, LedgerError *pErr) {
  LedgerCall *pCall = NULL;
  LedgerPastPage past = {0};
  LedgerSnapshot *pSnapshot = NULL;
  LedgerStream *pStream = NULL;
  LedgerLanes lanes;
  const LedgerEntryRow *pRow = NULL;
  LedgerQuery query;
  LedgerEntry entry;
  LedgerFacts facts;
  int bFound = 0, eState = LEDGER_TX_COMMITTED, rc = LEDGER_OK;

  *pbSettled = 0;
  ledgerClientFacts(p->pLedger->pClient, &facts);
  if( ledgerTxidCompare(pEntry->id, facts.committed) > 0 ) {
    rc = ledgerStatusWait(p->pLedger->pClient, pEntry->id, &eState, pErr);
  }
  if( rc || eState != LEDGER_TX_COMMITTED ) return rc;
  rc = entryFetch(p->pLedger, pEntry->id, zSub, &pCall, &past, &bFound, &entry,
                  pErr);
  if( rc == LEDGER_OK && bFound && entrySame(&entry, pEntry) ) *pbSettled = 1;
  ledgerCallFree(pCall);
  ledgerPastEnd(&past);
  if( rc || *pbSettled ) return rc;

  memset(&query, 0, sizeof(query));
  query.to = pEntry->id;
  query.bOrder = query.bDesc = 1;
  if( ledgerSnapshotJoin(p->pConn, NULL, &pSnapshot) )
    return ledgerErrorNomem(pErr);
  ledgerLanesInit(&lanes, p->pLedger);
  rc = ledgerStreamOpen(pSnapshot, p->pLedger, &lanes, 1, &zSub, &query, NULL,
                        &pStream, pErr);
  if( rc == LEDGER_OK ) rc = ledgerStreamNext(pStream, 0, &pRow, pErr);
  if( rc == LEDGER_OK && pRow && entrySame(&pRow->entry, pEntry) ) {
    pEntry->id = pRow->entry.id;
    *pbSettled = 1;
  }
  ledgerStreamClose(pStream);
  ledgerSnapshotLeave(p->pConn, &pSnapshot);
  return rc;
}

static void entryCurrent(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerCall *pCall = NULL;
  LedgerEntry entry;
  LedgerTxid asOf = {0, 0};
  LedgerFunctionCall call;
  const char *zSub =
      argc > 0 ? (const char *)sqlite3_value_text(argv[0]) : NULL;
  int bFound = 0, bSettled = 0, rc;
  if( zSub == NULL ) zSub = LEDGER_DEFAULT_SUB_LEDGER;
  rc = ledgerFunctionBegin(&call, pCtx, argc > 1 ? argv[1] : NULL,
                           LEDGER_CALL_READ, &err);
  if( rc == LEDGER_OK ) {
    rc = ledgerEntryCurrentGet(call.pLedger->pClient, zSub, &pCall, &err);
  }
  if( rc == LEDGER_OK ) rc = ledgerCallWait(pCall, &err);
  if( rc == LEDGER_OK ) rc = ledgerEntryResult(pCall, &bFound, &entry, &err);
  if( rc == LEDGER_OK && !bFound ) {
    rc = ledgerErrorSet(&err, LEDGER_NOTFOUND,
                        "sub-ledger '%s' has no current entry", zSub);
  }
  if( rc == LEDGER_OK ) asOf = entry.id;
  /* What a secondary answered can't be looked up here. */
  if( rc == LEDGER_OK && !ledgerEntryFromSecondary(pCall) ) {
    rc = entrySettle(&call, zSub, &entry, &bSettled, &err);
  }
  if( rc ) {
    ledgerErrorFunctionRead(pCtx, &err);
  } else {
    entryResult(pCtx, &entry, bSettled ? NULL : &asOf);
  }
  ledgerCallFree(pCall);
  ledgerFunctionEnd(&call);
}

static void entryStatus(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerCall *pCall = NULL;
  LedgerFunctionCall call;
  LedgerTxid id;
  char zId[LEDGER_TXID_MAX];
  int eState = LEDGER_TX_UNKNOWN;
  int rc = ledgerFunctionBegin(&call, pCtx, argc > 1 ? argv[1] : NULL,
                               LEDGER_CALL_READ, &err);
  if( sqlite3_value_type(argv[0]) == SQLITE_NULL && rc == LEDGER_OK ) goto out;
  if( rc == LEDGER_OK ) rc = ledgerValueTxid(argv[0], &id, &err);
  if( rc == LEDGER_OK ) {
    rc = ledgerStatusGet(call.pLedger->pClient, id, &pCall, &err);
  }
  if( rc == LEDGER_OK ) rc = ledgerCallWait(pCall, &err);
  if( rc == LEDGER_OK ) rc = ledgerStatusResult(pCall, &eState, &err);
  if( rc == LEDGER_OK && eState == LEDGER_TX_UNKNOWN ) {
    rc = ledgerErrorSet(&err, LEDGER_NOTFOUND,
                        "the ledger has not issued transaction %s",
                        ledgerTxidFormat(id, zId));
  }
  if( rc ) {
    ledgerErrorFunctionRead(pCtx, &err);
  } else {
    sqlite3_result_text(pCtx, ledgerStatusName(eState), -1, SQLITE_STATIC);
  }

out:
  ledgerCallFree(pCall);
  ledgerFunctionEnd(&call);
}

static void entryWait(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerFunctionCall call;
  LedgerTxid id;
  int eState = LEDGER_TX_UNKNOWN;
  int rc = ledgerFunctionBegin(&call, pCtx, argc > 1 ? argv[1] : NULL,
                               LEDGER_CALL_READ, &err);
  if( sqlite3_value_type(argv[0]) == SQLITE_NULL && rc == LEDGER_OK ) goto out;
  if( rc == LEDGER_OK ) rc = ledgerValueTxid(argv[0], &id, &err);
  if( rc == LEDGER_OK ) {
    rc = ledgerStatusWait(call.pLedger->pClient, id, &eState, &err);
  }
  if( rc ) {
    ledgerErrorFunctionRead(pCtx, &err);
  } else {
    sqlite3_result_text(pCtx, ledgerStatusName(eState), -1, SQLITE_STATIC);
  }

out:
  ledgerFunctionEnd(&call);
}

static void entryLastId(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  LedgerConn *pConn = ledgerFunctionConn(pCtx);
  (void)argc;
  (void)argv;
  if( pConn->last.seqno ) entryResultTxid(pCtx, pConn->last);
}

const LedgerFunction aLedgerFunctionEntry[] = {
    {"ledger_append", 1, 3, LEDGER_FN_ACT | LEDGER_FN_WRITES, entryAppend,
     "contents [, sub_ledger [, options]]",
     "appends at once, outside transactions; returns the id",
     "1, and GET .../status until it is committed",
     "SELECT ledger_append('Hello from Alice', 'messages',\n"
     "  '{\"tags\":\"greeting\"}');",
     "SELECT ledger_append(x'CAFE');"},
    {"ledger_entry", 1, 3, LEDGER_FN_ACT | LEDGER_FN_JSON, entryEntry,
     "id [, sub_ledger [, options]]",
     "the entry as JSON; looks in the default sub-ledger",
     "1; while the ledger is loading the entry, more",
     "SELECT ledger_entry('2.5', 'payments');", "SELECT ledger_entry('2.5');"},
    {"ledger_current", 0, 2, LEDGER_FN_ACT | LEDGER_FN_JSON, entryCurrent,
     "[sub_ledger [, options]]", "the newest entry as JSON",
     "2 or 3: which it is, whether that is committed, and that entry",
     "SELECT ledger_current('payments');", "SELECT ledger_current('nowhere');"},
    {"ledger_status", 1, 2, LEDGER_FN_ACT, entryStatus, "id [, options]",
     "the state of an id: Pending, Committed or Invalid", "1",
     "SELECT ledger_status('2.3');", "SELECT ledger_status(2.3);"},
    {"ledger_wait", 1, 2, LEDGER_FN_ACT, entryWait, "id [, options]",
     "waits until an id has ended: Committed or Invalid",
     "1, or more until it has ended", "SELECT ledger_wait('2.3');",
     "SELECT ledger_wait('x');"},
    {"ledger_last_transaction_id", 0, 0, LEDGER_FN_ACT, entryLastId, "",
     "the last id this connection was given", "none",
     "SELECT ledger_append('Hello');\n"
     "SELECT ledger_last_transaction_id();",
     NULL},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
