/*
** The table ledger_receipts: the receipts of given transactions, with what is
** needed to keep them.
**
**     SELECT receipt, application_claims, service_certificate
**       FROM ledger_receipts WHERE transaction_id = '2.15';
**     INSERT INTO kept
**     SELECT r.* FROM ledger_entries AS e JOIN ledger_receipts AS r
**      USING(transaction_id) WHERE e.sub_ledger = 'A';
**
** Schema:
**     CREATE TABLE x(transaction_id TEXT COLLATE ledger_txid, receipt TEXT,
**                    application_claims TEXT, service_certificate TEXT,
**                    ledger TEXT HIDDEN)
**
** Requests: GET /app/transactions/{id}/receipt, `concurrency` in flight.
**
** receipt and application_claims are the bytes of the answer. The service
** certificate is the one in force when it came: a recovery gives the ledger
** another key, and the receipt as it was kept needs the former one. Behind a
** gateway, whose TLS doesn't tell whose ledger it is, it is NULL.
**
** Invariant: an id that has no receipt has no row; all else is an error.
*/
#include "sqlite/table/table.h"

#include <string.h>

enum {
  RECEIPTS_TRANSACTION_ID = 0,
  RECEIPTS_RECEIPT,
  RECEIPTS_CLAIMS,
  RECEIPTS_SERVICE,
  RECEIPTS_LEDGER
};

/* The rows: for each id its receipt in each ledger. A row that is handed on
** carries the answer as its contents and the service certificate in place of a
** sub-ledger. */
typedef struct ReceiptsSource ReceiptsSource;
struct ReceiptsSource {
  LedgerQuery query;
  int nLedger;
  Ledger **apLedger;         /* counted references */
  i64 iNext;                 /* next question: id * nLedger + ledger */
  LedgerEntryRow asked;      /* the question last put */
  LedgerReceipts *pReceipts; /* the answers */
  LedgerEntryRow row;        /* the row last returned */
};

static void receiptsClose(void *pArg) {
  ReceiptsSource *p = pArg;
  int i;
  if( p == NULL ) return;
  ledgerReceiptsClose(p->pReceipts);
  for( i = 0; i < p->nLedger; i++ ) ledgerUnref(p->apLedger[i]);
  sqlite3_free(p->apLedger);
  ledgerQueryClear(&p->query);
  sqlite3_free(p);
}

/* The next question. */
static int receiptsAsk(void *pArg, const LedgerEntryRow **ppRow,
                       LedgerError *pErr) {
  ReceiptsSource *p = pArg;
  (void)pErr;
  *ppRow = NULL;
  if( p->nLedger == 0 || p->iNext / p->nLedger >= p->query.nId ) {
    return LEDGER_OK;
  }
  memset(&p->asked, 0, sizeof(p->asked));
  p->asked.pLedger = p->apLedger[p->iNext % p->nLedger];
  p->asked.entry.id = p->query.aId[p->iNext / p->nLedger];
  p->iNext++;
  *ppRow = &p->asked;
  return LEDGER_OK;
}

static int receiptsOpen(LedgerSnapshot *pSnapshot, LedgerConn *pConn, int bEnv,
                        LedgerQuery *pQuery, void **pp, LedgerError *pErr) {
  ReceiptsSource *p = sqlite3_malloc64(sizeof(*p));
  int rc;
  (void)pSnapshot;
  *pp = NULL;
  if( p == NULL ) {
    ledgerQueryClear(pQuery);
    return ledgerErrorNomem(pErr);
  }
  memset(p, 0, sizeof(*p));
  p->query = *pQuery;
  memset(pQuery, 0, sizeof(*pQuery));
  rc = ledgerConnReady(pConn, bEnv, pErr);
  if( rc == LEDGER_OK ) {
    rc = ledgerConnNamed(pConn, p->query.nNamed, p->query.azNamed, pErr);
  }
  if( rc == LEDGER_OK && !p->query.bEmpty ) {
    rc = ledgerQueryLedgers(&p->query, pConn, &p->apLedger, &p->nLedger, pErr);
  }
  if( rc == LEDGER_OK ) {
    rc = ledgerReceiptsOpen(pConn, receiptsAsk, p, p->query.nWanted,
                            &p->pReceipts, pErr);
  }
  if( rc ) {
    receiptsClose(p);
  } else {
    *pp = p;
  }
  return rc;
}

static int receiptsNext(void *pArg, const LedgerEntryRow **ppRow,
                        LedgerError *pErr) {
  ReceiptsSource *p = pArg;
  LedgerReceiptRow receipt;
  LedgerFacts facts;
  int rc;
  *ppRow = NULL;
  do {
    rc = ledgerReceiptsNext(p->pReceipts, &receipt, pErr);
    if( rc || receipt.pRow == NULL ) return rc;
  } while( receipt.zAnswer == NULL );
  ledgerClientFacts(receipt.pRow->pLedger->pClient, &facts);
  p->row = *receipt.pRow;
  p->row.entry.zContents = receipt.zAnswer;
  p->row.entry.nContents = receipt.nAnswer;
  p->row.entry.zSubLedger = facts.zCertificate ? facts.zCertificate : "";
  *ppRow = &p->row;
  return LEDGER_OK;
}

static void receiptsColumn(const LedgerEntryRow *pRow, sqlite3_context *pCtx,
                           int iCol) {
  const LedgerEntry *pEntry = &pRow->entry;
  const char *z;
  size_t n = 0;
  if( iCol == RECEIPTS_SERVICE ) {
    if( pEntry->zSubLedger[0] ) {
      sqlite3_result_text(pCtx, pEntry->zSubLedger, -1, SQLITE_TRANSIENT);
    }
    return;
  }
  z = ledgerJsonSlice(
      pEntry->zContents, pEntry->nContents,
      iCol == RECEIPTS_RECEIPT ? "receipt" : "applicationClaims", &n);
  if( z == NULL ) return;
  if( n == 4 && memcmp(z, "null", 4) == 0 ) return;
  sqlite3_result_text64(pCtx, z, n, SQLITE_TRANSIENT, SQLITE_UTF8);
  sqlite3_result_subtype(pCtx, 'J');
}

static const LedgerEntrySource receiptsSource = {1, receiptsOpen, receiptsNext,
                                                 receiptsClose};

static const LedgerColumn aReceiptsColumn[] = {
    {"transaction_id", "TEXT COLLATE ledger_txid", 0, "transactionId",
     "the id asked for"},
    {"receipt", "TEXT", 0, "receipt", "its receipt, JSON as it came"},
    {"application_claims", "TEXT", 0, "applicationClaims",
     "what the receipt's claims digest is of, JSON, or NULL"},
    {"service_certificate", "TEXT", 0, NULL,
     "the service certificate in force, PEM, or NULL: behind a gateway"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

static const LedgerEntryTable receiptsTable = {
    .plan = {{RECEIPTS_TRANSACTION_ID, -1, -1, RECEIPTS_LEDGER, -1, -1}, 1},
    .bIdRequired = 1,
    .pSource = &receiptsSource,
    .xColumn = receiptsColumn,
};

const LedgerTableSpec ledgerTableReceipts = {
    .zName = "ledger_receipts",
    .zDoc = "the receipts of given transactions",
    .aColumn = aReceiptsColumn,
    .zRequest = "GET /app/transactions/{id}/receipt",
    .pEntries = &receiptsTable,
    .xRegister = ledgerEntryTableRegister,
    .zCost = "1 per id; while the ledger is loading a receipt, more",
    .zExample = "SELECT transaction_id, receipt ->> '$.nodeId' AS node\n"
                "  FROM ledger_receipts WHERE transaction_id = '2.5';",
    .zFails = "SELECT receipt FROM ledger_receipts;",
};
