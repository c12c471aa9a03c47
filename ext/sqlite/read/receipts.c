/*
** Receipts of many transactions: a window of requests that slides over rows.
**
** Requests: GET /app/transactions/{id}/receipt, `concurrency` in flight.
** Verifying one makes none.
**
** Invariants
**   - receipts come in the order of the rows, one for each;
**   - memory holds the window: at most `concurrency` rows and answers;
**   - a receipt that the ledger doesn't have is told as such, every other
**     failure is an error.
*/
#include "sqlite/history/history.h"
#include "sqlite/read/read.h"

#include <string.h>

/* What the window holds beside the call of a receipt. */
typedef struct ReceiptsItem ReceiptsItem;
struct ReceiptsItem {
  LedgerEntryRow row; /* its texts stand in zText */
  char *zText;        /* sqlite3_free */
};

struct LedgerReceipts {
  int (*xNext)(void *, const LedgerEntryRow **, LedgerError *);
  void *pArg;
  i64 nWanted;         /* rows that are still wanted: a hint */
  int bEnd;            /* xNext has no more */
  int nAhead;          /* requests in flight for now: grows with what is read */
  LedgerWindow window; /* of ReceiptsItem */
  ReceiptsItem item;   /* what was last returned ... */
  LedgerCall *pCall;   /* ... and its call */
};

int ledgerReceiptsOpen(LedgerConn *pConn,
                       int (*xNext)(void *, const LedgerEntryRow **,
                                    LedgerError *),
                       void *pArg, i64 nWanted, LedgerReceipts **ppReceipts,
                       LedgerError *pErr) {
  LedgerReceipts *p = sqlite3_malloc64(sizeof(*p));
  int i, nPlace = 1;
  *ppReceipts = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  memset(p, 0, sizeof(*p));
  p->xNext = xNext;
  p->pArg = pArg;
  p->nWanted = nWanted;
  p->nAhead = 4;
  for( i = 0; i < pConn->nLedger; i++ ) {
    int n = ledgerClientConfig(pConn->apLedger[i]->pClient)->concurrency;
    if( n > nPlace ) nPlace = n;
  }
  if( ledgerWindowOpen(&p->window, nPlace, sizeof(ReceiptsItem), pErr) ) {
    sqlite3_free(p);
    return pErr->rc;
  }
  *ppReceipts = p;
  return LEDGER_OK;
}

/* Gives back what was last returned. */
static void receiptsRelease(LedgerReceipts *p) {
  ledgerCallFree(p->pCall);
  p->pCall = NULL;
  sqlite3_free(p->item.zText);
  memset(&p->item, 0, sizeof(p->item));
}

void ledgerReceiptsClose(LedgerReceipts *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < p->window.nUsed; i++ ) {
    sqlite3_free(((ReceiptsItem *)ledgerWindowItem(&p->window, i))->zText);
  }
  ledgerWindowClose(&p->window);
  receiptsRelease(p);
  sqlite3_free(p);
}

/* Copies a row, which lives only until its source is asked again. */
static int receiptsCopy(ReceiptsItem *p, const LedgerEntryRow *pRow,
                        LedgerError *pErr) {
  const LedgerEntry *pEntry = &pRow->entry;
  size_t nSub = pEntry->zSubLedger ? strlen(pEntry->zSubLedger) + 1 : 0;
  char *z = sqlite3_malloc64(nSub + pEntry->nContents + 1);
  if( z == NULL ) return ledgerErrorNomem(pErr);
  p->row = *pRow;
  p->row.entry.zTags = NULL;
  p->zText = z;
  if( nSub ) {
    memcpy(z, pEntry->zSubLedger, nSub);
    p->row.entry.zSubLedger = z;
  }
  if( pEntry->nContents )
    memcpy(z + nSub, pEntry->zContents, pEntry->nContents);
  z[nSub + pEntry->nContents] = 0;
  p->row.entry.zContents = z + nSub;
  return LEDGER_OK;
}

/* Requests of the window that go to this ledger. */
static int receiptsInFlight(const LedgerReceipts *p, const Ledger *pLedger) {
  int i, n = 0;
  for( i = 0; i < p->window.nUsed; i++ ) {
    const ReceiptsItem *pItem = ledgerWindowItem(&p->window, i);
    if( p->window.apCall[i] && pItem->row.pLedger == pLedger ) n++;
  }
  return n;
}

/* Starts the last item's request, unless its ledger takes no more of them: then
** it waits at the end of the window. */
static int receiptsStart(LedgerReceipts *p, LedgerError *pErr) {
  const int iLast = p->window.nUsed - 1;
  const ReceiptsItem *pItem = ledgerWindowItem(&p->window, iLast);
  LedgerClient *pClient = pItem->row.pLedger->pClient;
  if( receiptsInFlight(p, pItem->row.pLedger) >=
      ledgerClientConfig(pClient)->concurrency ) {
    return LEDGER_OK;
  }
  if( ledgerPastAdmit(pItem->row.pLedger, NULL, pErr) ) return pErr->rc;
  return ledgerReceiptGet(pClient, pItem->row.entry.id,
                          &p->window.apCall[iLast], pErr);
}

/* Fills the window: starts the requests of the rows that follow. */
static int receiptsFill(LedgerReceipts *p, LedgerError *pErr) {
  LedgerWindow *pWindow = &p->window;
  const LedgerEntryRow *pRow;
  int rc;
  for( ;; ) {
    if( pWindow->nUsed && pWindow->apCall[pWindow->nUsed - 1] == NULL ) {
      rc = receiptsStart(p, pErr);
      if( rc || pWindow->apCall[pWindow->nUsed - 1] == NULL ) return rc;
    }
    if( p->bEnd || pWindow->nUsed >= pWindow->nPlace ||
        pWindow->nUsed >= p->nAhead || pWindow->nUsed >= p->nWanted ) {
      return LEDGER_OK;
    }
    rc = p->xNext(p->pArg, &pRow, pErr);
    if( rc ) return rc;
    p->bEnd = pRow == NULL;
    if( p->bEnd ) return LEDGER_OK;
    rc = receiptsCopy(ledgerWindowAdd(pWindow), pRow, pErr);
    if( rc ) {
      pWindow->nUsed--; /* it has nothing yet */
      return rc;
    }
  }
}

int ledgerReceiptsNext(LedgerReceipts *p, LedgerReceiptRow *pReceipt,
                       LedgerError *pErr) {
  int rc;
  memset(pReceipt, 0, sizeof(*pReceipt));
  receiptsRelease(p);
  rc = receiptsFill(p, pErr);
  if( rc || p->window.nUsed == 0 ) return rc;
  p->pCall = ledgerWindowTake(&p->window, 0, &p->item);
  if( p->nAhead < p->window.nPlace ) p->nAhead *= 2;
  if( p->nWanted < INT64_MAX ) p->nWanted--;
  if( p->nWanted == 0 ) {
    p->nWanted = INT64_MAX; /* asked for more, rows have been dropped */
    p->nAhead = 1;
  }
  rc = ledgerCallWait(p->pCall, pErr);
  if( rc == LEDGER_OK ) {
    rc = ledgerReceiptResult(p->pCall, &pReceipt->zAnswer, &pReceipt->nAnswer,
                             pErr);
  }
  if( rc == LEDGER_OK ) pReceipt->pRow = &p->item.row;
  return rc;
}

int ledgerReceiptsVerify(Ledger *pLedger, LedgerTxid id,
                         const LedgerEntry *pEntry, const char *zAnswer,
                         size_t nAnswer, const char *zService,
                         LedgerReceiptReport *pReport, LedgerError *pErr) {
  LedgerReceiptInput input;
  LedgerFacts facts;
  memset(&input, 0, sizeof(input));
  ledgerClientFacts(pLedger->pClient, &facts);
  input.zReceipt = zAnswer;
  input.nReceipt = nAnswer;
  input.zService = zService ? zService : facts.zCertificate;
  input.nService = input.zService ? strlen(input.zService) : 0;
  input.zSource = zService ? "argument" : facts.zSource;
  input.id = id;
  if( pEntry ) {
    input.zSubLedger = pEntry->zSubLedger;
    input.nSubLedger = strlen(pEntry->zSubLedger);
    input.zContents = pEntry->zContents;
    input.nContents = pEntry->nContents;
  }
  if( ledgerReceiptVerify(&input, ledgerConnMemo(pLedger->pConn), pReport,
                          pErr) ||
      zService ) {
    return pErr->rc;
  }
  if( pReport->bValid ) {
    pLedger->bKeyConfirmed = 0;
  } else if( strcmp(pReport->zCode, "endorsement") == 0 &&
             !pLedger->bKeyConfirmed ) {
    /* A connection may outlive a recovery, and then tells of a new service
    ** while we still trust the former one: not the receipts are at fault. */
    if( ledgerClientConfirm(pLedger->pClient, pErr) ) return pErr->rc;
    pLedger->bKeyConfirmed = 1;
  }
  return LEDGER_OK;
}
