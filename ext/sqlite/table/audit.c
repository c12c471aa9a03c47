/*
** The table ledger_audit: what the receipts of entries show.
**
**     SELECT transaction_id, code, reason FROM ledger_audit
**      WHERE sub_ledger = 'A' AND NOT verified;
**     SELECT content, count(*) FROM ledger_audit GROUP BY content;
**
** Schema:
**     CREATE TABLE x(transaction_id TEXT COLLATE ledger_txid, sub_ledger TEXT,
**                    receipt_valid INTEGER, content TEXT, verified INTEGER,
**                    code TEXT, reason TEXT, node_id TEXT, ledger TEXT HIDDEN)
**
** Requests: those of ledger_entries for the entries (same plans, read/plan.c),
** and GET /app/transactions/{id}/receipt for each of them, `concurrency` in
** flight.
**
** Each receipt is verified against the service certificate that the ledger is
** trusted by, for that transaction and that entry's very contents.
**
** Invariants
**   - one row for each entry asked for: an entry without a receipt is a row of
**     code no_receipt, whatever else goes wrong is an error;
**   - verified is 1 only if the receipt is valid and binds the contents;
**   - memory holds the window of requests (read/receipts.c), whatever is
**     audited.
*/
#include "sqlite/table/table.h"

#include <string.h>

enum {
  AUDIT_TRANSACTION_ID = 0,
  AUDIT_SUB_LEDGER,
  AUDIT_RECEIPT_VALID,
  AUDIT_CONTENT,
  AUDIT_VERIFIED,
  AUDIT_CODE,
  AUDIT_REASON,
  AUDIT_NODE_ID,
  AUDIT_LEDGER
};

#define AUDIT_NO_RECEIPT "no_receipt"

/* The rows: entries, with what was found in place of their contents:
**     valid ('1', '0', '-': no receipt) | content | code | node | reason
** each ended by a NUL. An empty text stands for NULL. */
typedef struct AuditSource AuditSource;
struct AuditSource {
  LedgerScan *pScan;         /* the entries */
  LedgerTxid aSkip[2];       /* not asked for, though the entries hold them */
  LedgerReceipts *pReceipts; /* their receipts */
  LedgerBuf found;           /* of the row last returned */
  LedgerEntryRow row;
};

static void auditClose(void *pArg) {
  AuditSource *p = pArg;
  if( p == NULL ) return;
  ledgerReceiptsClose(p->pReceipts);
  ledgerScanClose(p->pScan);
  ledgerBufFree(&p->found);
  sqlite3_free(p);
}

/* The next entry. What a strict bound excludes is on the wire all the same, but
** its receipt would be asked for in vain. */
static int auditEntry(void *pArg, const LedgerEntryRow **ppRow,
                      LedgerError *pErr) {
  AuditSource *p = pArg;
  int rc;
  do {
    rc = ledgerScanNext(p->pScan, ppRow, pErr);
  } while( rc == LEDGER_OK && *ppRow &&
           (ledgerTxidCompare((*ppRow)->entry.id, p->aSkip[0]) == 0 ||
            ledgerTxidCompare((*ppRow)->entry.id, p->aSkip[1]) == 0) );
  return rc;
}

static int auditOpen(LedgerSnapshot *pSnapshot, LedgerConn *pConn, int bEnv,
                     LedgerQuery *pQuery, void **pp, LedgerError *pErr) {
  AuditSource *p = sqlite3_malloc64(sizeof(*p));
  i64 nWanted = pQuery->nWanted;
  int rc;
  *pp = NULL;
  if( p == NULL ) {
    ledgerQueryClear(pQuery);
    return ledgerErrorNomem(pErr);
  }
  memset(p, 0, sizeof(*p));
  p->aSkip[0] = pQuery->above;
  p->aSkip[1] = pQuery->below;
  rc = ledgerScanOpen(pSnapshot, pConn, bEnv, pQuery, &p->pScan, pErr);
  if( rc == LEDGER_OK ) {
    rc = ledgerReceiptsOpen(pConn, auditEntry, p, nWanted, &p->pReceipts, pErr);
  }
  if( rc ) {
    auditClose(p);
  } else {
    *pp = p;
  }
  return rc;
}

/* Adds one text of the finding with its NUL. */
static void auditPut(LedgerBuf *pBuf, const char *z) {
  if( z == NULL ) z = "";
  ledgerBufAppend(pBuf, z, strlen(z) + 1);
}

/* Verifies the receipt of a row and writes what was found. */
static int auditFind(LedgerBuf *pBuf, const LedgerReceiptRow *pReceipt,
                     LedgerError *pErr) {
  const LedgerEntryRow *pRow = pReceipt->pRow;
  LedgerReceiptReport report;
  int rc = LEDGER_OK;
  memset(&report, 0, sizeof(report));
  ledgerBufReset(pBuf);
  if( pReceipt->zAnswer == NULL ) {
    auditPut(pBuf, "-");
    auditPut(pBuf, NULL);
    auditPut(pBuf, AUDIT_NO_RECEIPT);
    auditPut(pBuf, NULL);
    auditPut(pBuf, "the ledger has no receipt for this transaction");
  } else {
    rc = ledgerReceiptsVerify(pRow->pLedger, pRow->entry.id, &pRow->entry,
                              pReceipt->zAnswer, pReceipt->nAnswer, NULL,
                              &report, pErr);
    auditPut(pBuf, report.bValid ? "1" : "0");
    auditPut(pBuf, ledgerReceiptContentName(report.eContent));
    auditPut(pBuf, report.zCode);
    auditPut(pBuf, report.zNodeId);
    auditPut(pBuf, report.zReason);
  }
  if( rc == LEDGER_OK && pBuf->bOom ) rc = ledgerErrorNomem(pErr);
  ledgerReceiptReportClear(&report);
  return rc;
}

static int auditNext(void *pArg, const LedgerEntryRow **ppRow,
                     LedgerError *pErr) {
  AuditSource *p = pArg;
  LedgerReceiptRow receipt;
  int rc = ledgerReceiptsNext(p->pReceipts, &receipt, pErr);
  *ppRow = NULL;
  if( rc || receipt.pRow == NULL ) return rc;
  rc = auditFind(&p->found, &receipt, pErr);
  if( rc ) return rc;
  p->row = *receipt.pRow;
  p->row.entry.zContents = p->found.z;
  p->row.entry.nContents = p->found.n;
  *ppRow = &p->row;
  return LEDGER_OK;
}

/* Text n (0 is the first) of a finding, NULL for an empty one. */
static const char *auditText(const LedgerEntryRow *pRow, int n) {
  const char *z = pRow->entry.zContents;
  while( n-- > 0 ) z += strlen(z) + 1;
  return z[0] ? z : NULL;
}

static void auditColumn(const LedgerEntryRow *pRow, sqlite3_context *pCtx,
                        int iCol) {
  static const struct {
    int iCol;
    int iText;
  } aText[] = {{AUDIT_CONTENT, 1},
               {AUDIT_CODE, 2},
               {AUDIT_NODE_ID, 3},
               {AUDIT_REASON, 4}};
  const char cValid = pRow->entry.zContents[0];
  const char *zContent;
  size_t i;
  switch( iCol ) {
    case AUDIT_SUB_LEDGER:
      sqlite3_result_text(pCtx, pRow->entry.zSubLedger, -1, SQLITE_TRANSIENT);
      return;
    case AUDIT_RECEIPT_VALID:
      if( cValid != '-' ) sqlite3_result_int(pCtx, cValid == '1');
      return;
    case AUDIT_VERIFIED:
      zContent = auditText(pRow, 1);
      sqlite3_result_int(pCtx, cValid == '1' && zContent &&
                                   strcmp(zContent, "bound") == 0);
      return;
    default: break;
  }
  for( i = 0; i < sizeof(aText) / sizeof(aText[0]); i++ ) {
    if( aText[i].iCol != iCol ) continue;
    sqlite3_result_text(pCtx, auditText(pRow, aText[i].iText), -1,
                        SQLITE_TRANSIENT);
  }
}

static const LedgerEntrySource auditSource = {1, auditOpen, auditNext,
                                              auditClose};

static const LedgerColumn aAuditColumn[] = {
    {"transaction_id", "TEXT COLLATE ledger_txid", 0, NULL, "the entry's id"},
    {"sub_ledger", "TEXT", 0, NULL, "its sub-ledger"},
    {"receipt_valid", "INTEGER", 0, NULL, "1 where its receipt verifies"},
    {"content", "TEXT", 0, NULL, "bound, recorded or unbound"},
    {"verified", "INTEGER", 0, NULL, "1 where it is valid and bound"},
    {"code", "TEXT", 0, NULL, "ok, or which check failed"},
    {"reason", "TEXT", 0, NULL, "why, or NULL"},
    {"node_id", "TEXT", 0, NULL, "the node that signed"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

/* In a scan each row costs a request, where entries come by the page. */
static const LedgerEntryTable auditTable = {
    .plan = {{AUDIT_TRANSACTION_ID, AUDIT_SUB_LEDGER, -1, AUDIT_LEDGER, -1, -1},
             1},
    .pSource = &auditSource,
    .xColumn = auditColumn,
};

const LedgerTableSpec ledgerTableAudit = {
    .zName = "ledger_audit",
    .zDoc = "entries, each verified by its receipt",
    .aColumn = aAuditColumn,
    .zRequest = "GET /app/transactions, GET /app/transactions/{id}/receipt",
    .pEntries = &auditTable,
    .xRegister = ledgerEntryTableRegister,
    .zCost = "those of ledger_entries, and 1 per entry for its receipt",
    .zExample =
        "SELECT transaction_id, content, verified, code FROM ledger_audit\n"
        " WHERE sub_ledger = 'payments';",
    .zFails = "SELECT code FROM ledger_audit WHERE transaction_id = 2.5;",
};
