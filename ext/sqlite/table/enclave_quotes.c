/*
** The table ledger_enclave_quotes, and what reads quotes by themselves.
**
**     SELECT node_id, is_current, measurement, debug, binds_node
**       FROM ledger_enclave_quotes;
**     SELECT ledger_quote_json(raw_quote) FROM ledger_enclave_quotes;
**
** Request: GET /app/enclaveQuotes.
**
** Invariants
**   - measurement and debug are read from the raw quote. An answer that gives
**     another measurement beside it is an error and no row;
**   - binds_node is 1 where the attested data name this node, 0 where they name
**     another, NULL where one can't tell;
**   - the quote's signature is not checked; ledger_quote_json() says so.
*/
#include "sqlite/table/table.h"

#include <string.h>

enum {
  QUOTES_NODE_ID = 0,
  QUOTES_IS_CURRENT,
  QUOTES_MEASUREMENT,
  QUOTES_DEBUG,
  QUOTES_BINDS_NODE,
  QUOTES_QUOTE_VERSION,
  QUOTES_RAW_QUOTE
};

/* What the raw quote says, into the row. */
static int quotesRaw(LedgerCells *pCells, LedgerItem *pItem, const char *zNode,
                     const void *aRaw, size_t nRaw, LedgerError *pErr) {
  const char *zSaid =
      ledgerJsonMemberText(pItem->pDoc, pItem->pItem, "mrenclave", NULL);
  char zHex[2 * 48 + 1];
  LedgerQuote quote;
  int bBinds;

  if( ledgerCellsBlob(pCells, QUOTES_RAW_QUOTE, aRaw, nRaw, pErr) ) {
    return pErr->rc;
  }
  if( !ledgerQuoteRead(aRaw, nRaw, &quote) ) return LEDGER_OK;
  ledgerHexEncode(quote.aMeasurement, quote.nMeasurement, zHex);
  if( zSaid && zSaid[0] && sqlite3_stricmp(zSaid, zHex) != 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "enclave quotes: the ledger says that node %s runs "
                          "%.100s, but its quote says %s: don't trust this "
                          "answer",
                          zNode, zSaid, zHex);
  }
  ledgerCellsInt(pCells, QUOTES_DEBUG, quote.bDebug);
  bBinds = ledgerQuoteBinds(&quote, zNode);
  if( bBinds >= 0 ) ledgerCellsInt(pCells, QUOTES_BINDS_NODE, bBinds);
  return ledgerCellsText(pCells, QUOTES_MEASUREMENT, zHex, pErr);
}

static int quotesItem(LedgerCells *pCells, LedgerItem *pItem,
                      LedgerError *pErr) {
  cJSON *pRoot = ledgerJsonRoot(pItem->pDoc);
  const char *zCurrent =
      ledgerJsonMemberText(pItem->pDoc, pRoot, "currentNodeId", NULL);
  const char *zNode =
      ledgerCellsGet(pCells, ledgerCellsCount(pCells) - 1, QUOTES_NODE_ID);
  size_t nHex = 0;
  const char *zRaw =
      ledgerJsonMemberText(pItem->pDoc, pItem->pItem, "raw", &nHex);
  unsigned char *aRaw;
  int rc;

  if( zNode == NULL || pItem->pItem->string == NULL ||
      strcmp(zNode, pItem->pItem->string) != 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "enclave quotes: the ledger's answer makes no sense: "
                          "the quote of node %.100s says it is of %.100s",
                          pItem->pItem->string ? pItem->pItem->string : "?",
                          zNode ? zNode : "none");
  }
  if( zCurrent ) {
    ledgerCellsInt(pCells, QUOTES_IS_CURRENT, strcmp(zCurrent, zNode) == 0);
  }
  if( zRaw == NULL ) return LEDGER_OK;
  aRaw = sqlite3_malloc64(nHex / 2 + 1);
  if( aRaw == NULL ) return ledgerErrorNomem(pErr);
  if( ledgerHexDecode(zRaw, nHex, aRaw, nHex / 2) ) {
    rc = quotesRaw(pCells, pItem, zNode, aRaw, nHex / 2, pErr);
  } else {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                        "enclave quotes: the ledger's answer makes no sense: "
                        "the quote of node %.100s is not hex",
                        zNode);
  }
  sqlite3_free(aRaw);
  return rc;
}

static const LedgerRoute quotesRoute = {.zWhat = "enclave quotes",
                                        .zPath = "/app/enclaveQuotes"};

static const LedgerColumn aQuotesColumn[] = {
    {"node_id", "TEXT", 0, "nodeId", "id of the node"},
    {"is_current", "INTEGER", 0, NULL, "1: it is the node that answered"},
    {"measurement", "TEXT", 0, NULL,
     "what runs in the enclave, hex, read from the quote"},
    {"debug", "INTEGER", 0, NULL, "1: a debug enclave, which protects nothing"},
    {"binds_node", "INTEGER", 0, NULL,
     "1: the attested data name this node; NULL: one can't tell"},
    {"quote_version", "TEXT", 0, "quoteVersion", "format, as the ledger says"},
    {"raw_quote", "BLOB", 0, NULL, "the quote; ledger_quote_json() reads it"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableQuotes = {
    .zName = "ledger_enclave_quotes",
    .zDoc = "what the hardware of each node attests to",
    .aColumn = aQuotesColumn,
    .pRoute = &quotesRoute,
    .zItems = "enclaveQuotes",
    .bNamed = 1,
    .xItem = quotesItem,
    .zCost = "1",
    .zExample = "SELECT node_id, is_current, debug, binds_node\n"
                "  FROM ledger_enclave_quotes;",
    .zFails = "SELECT node_id FROM ledger_enclave_quotes('pay');",
};

/* ledger_quote_json(raw [, node_id]): a BLOB, or hex text. */
static void quotesJson(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  const int eType = sqlite3_value_type(argv[0]);
  const int n = sqlite3_value_bytes(argv[0]);
  const void *a = eType == SQLITE_TEXT
                      ? (const void *)sqlite3_value_text(argv[0])
                      : sqlite3_value_blob(argv[0]);
  unsigned char *aRaw = NULL;
  LedgerBuf buf = {0};
  LedgerQuote quote;
  size_t nRaw = (size_t)n;

  if( eType == SQLITE_NULL ) return;
  if( eType == SQLITE_TEXT ) {
    nRaw = (size_t)n / 2;
    aRaw = sqlite3_malloc64(nRaw + 1);
    if( aRaw == NULL ) {
      ledgerErrorNomem(&err);
    } else if( !ledgerHexDecode(a, (size_t)n, aRaw, nRaw) ) {
      ledgerErrorSet(&err, LEDGER_CONSTRAINT,
                     "quote: text that is not in hexadecimal digits is neither "
                     "an SGX quote of version 3 nor an SNP report");
    }
    a = aRaw;
  }
  if( err.rc == LEDGER_OK &&
      (a == NULL || !ledgerQuoteRead(a, nRaw, &quote)) ) {
    ledgerErrorSet(&err, LEDGER_CONSTRAINT,
                   "quote: %lld bytes that are neither an SGX quote of version "
                   "3 nor an SNP report",
                   (long long)nRaw);
  }
  if( err.rc == LEDGER_OK ) {
    ledgerQuoteJson(&quote,
                    argc > 1 ? (const char *)sqlite3_value_text(argv[1]) : NULL,
                    &buf);
    if( buf.bOom ) ledgerErrorNomem(&err);
  }
  if( err.rc ) {
    ledgerErrorFunction(pCtx, &err);
  } else {
    sqlite3_result_text64(pCtx, buf.z, buf.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    sqlite3_result_subtype(pCtx, 'J');
  }
  ledgerBufFree(&buf);
  sqlite3_free(aRaw);
}

const LedgerFunction aLedgerFunctionQuote[] = {
    {"ledger_quote_json", 1, 2, LEDGER_FN_PURE | LEDGER_FN_JSON, quotesJson,
     "raw [, node_id]",
     "what an enclave's quote says, JSON; its signature is not checked", "none",
     "SELECT ledger_quote_json(raw_quote) ->> '$.signature_checked'\n"
     "  FROM ledger_enclave_quotes;",
     "SELECT ledger_quote_json('none');"},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
