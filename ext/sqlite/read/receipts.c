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
#include "sqlite/read/read.h"

#include <string.h>

/* One place of the window. */
typedef struct ProofItem ProofItem;
struct ProofItem {
  LedgerRow row;     /* its texts stand in zText */
  char *zText;       /* sqlite3_free */
  LedgerCall *pCall; /* the receipt */
};

struct LedgerProofs {
  int (*xNext)(void *, const LedgerRow **, LedgerError *);
  void *pArg;
  i64 nWanted;      /* rows that are still wanted: a hint */
  int bEnd;         /* xNext has no more */
  int nAhead;       /* requests in flight for now: grows with what is read */
  ProofItem *aItem; /* a ring of nItem places */
  int nItem;
  int iFirst, nUsed;
  ProofItem kept; /* what was last returned */
};

int ledgerProofsOpen(LedgerDb *pDb,
                     int (*xNext)(void *, const LedgerRow **, LedgerError *),
                     void *pArg, i64 nWanted, LedgerProofs **ppProofs,
                     LedgerError *pErr) {
  LedgerProofs *p = sqlite3_malloc64(sizeof(*p));
  int i;
  *ppProofs = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  memset(p, 0, sizeof(*p));
  p->xNext = xNext;
  p->pArg = pArg;
  p->nWanted = nWanted;
  p->nAhead = 4;
  p->nItem = 1;
  for( i = 0; i < pDb->nLedger; i++ ) {
    int n = ledgerClientConfig(pDb->apLedger[i]->pClient)->concurrency;
    if( n > p->nItem ) p->nItem = n;
  }
  p->aItem = sqlite3_malloc64(sizeof(*p->aItem) * (sqlite3_uint64)p->nItem);
  if( p->aItem == NULL ) {
    sqlite3_free(p);
    return ledgerErrorNomem(pErr);
  }
  memset(p->aItem, 0, sizeof(*p->aItem) * (size_t)p->nItem);
  *ppProofs = p;
  return LEDGER_OK;
}

static void proofItemClear(ProofItem *p) {
  ledgerCallFree(p->pCall);
  sqlite3_free(p->zText);
  memset(p, 0, sizeof(*p));
}

void ledgerProofsClose(LedgerProofs *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < p->nItem; i++ ) proofItemClear(&p->aItem[i]);
  proofItemClear(&p->kept);
  sqlite3_free(p->aItem);
  sqlite3_free(p);
}

/* Copies a row, which lives only until its source is asked again. */
static int proofCopy(ProofItem *p, const LedgerRow *pRow, LedgerError *pErr) {
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
static int proofInFlight(const LedgerProofs *p, const Ledger *pLedger) {
  int i, n = 0;
  for( i = 0; i < p->nUsed; i++ ) {
    const ProofItem *pItem = &p->aItem[(p->iFirst + i) % p->nItem];
    if( pItem->pCall && pItem->row.pLedger == pLedger ) n++;
  }
  return n;
}

/* Fills the window: starts the requests of the rows that follow. A row whose
** ledger takes no more of them waits at its end. */
static int proofFill(LedgerProofs *p, LedgerError *pErr) {
  const LedgerRow *pRow;
  ProofItem *pItem;
  int rc;
  for( ;; ) {
    pItem = &p->aItem[(p->iFirst + p->nUsed + p->nItem - 1) % p->nItem];
    if( p->nUsed && pItem->pCall == NULL ) {
      LedgerClient *pClient = pItem->row.pLedger->pClient;
      if( proofInFlight(p, pItem->row.pLedger) >=
          ledgerClientConfig(pClient)->concurrency ) {
        return LEDGER_OK;
      }
      rc = ledgerReceiptGet(pClient, pItem->row.entry.id, &pItem->pCall, pErr);
      if( rc ) return rc;
    }
    if( p->bEnd || p->nUsed >= p->nItem || p->nUsed >= p->nAhead ||
        p->nUsed >= p->nWanted ) {
      return LEDGER_OK;
    }
    rc = p->xNext(p->pArg, &pRow, pErr);
    if( rc ) return rc;
    p->bEnd = pRow == NULL;
    if( p->bEnd ) return LEDGER_OK;
    rc = proofCopy(&p->aItem[(p->iFirst + p->nUsed) % p->nItem], pRow, pErr);
    if( rc ) return rc;
    p->nUsed++;
  }
}

int ledgerProofsNext(LedgerProofs *p, LedgerProof *pProof, LedgerError *pErr) {
  int rc;
  memset(pProof, 0, sizeof(*pProof));
  proofItemClear(&p->kept);
  rc = proofFill(p, pErr);
  if( rc || p->nUsed == 0 ) return rc;
  p->kept = p->aItem[p->iFirst];
  memset(&p->aItem[p->iFirst], 0, sizeof(p->kept));
  p->iFirst = (p->iFirst + 1) % p->nItem;
  p->nUsed--;
  if( p->nAhead < p->nItem ) p->nAhead *= 2;
  if( p->nWanted < INT64_MAX && --p->nWanted == 0 ) {
    p->nWanted = INT64_MAX; /* asked for more, rows have been dropped */
    p->nAhead = 1;
  }
  rc = ledgerCallWait(p->kept.pCall, pErr);
  if( rc == LEDGER_OK ) {
    rc = ledgerReceiptResult(p->kept.pCall, &pProof->zAnswer, &pProof->nAnswer,
                             pErr);
  }
  if( rc == LEDGER_OK ) pProof->pRow = &p->kept.row;
  return rc;
}

int ledgerProofVerify(Ledger *pLedger, LedgerTxid id, const LedgerEntry *pEntry,
                      const char *zAnswer, size_t nAnswer, const char *zService,
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
  if( ledgerReceiptVerify(&input, ledgerDbMemo(pLedger->pDb), pReport, pErr) ||
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
