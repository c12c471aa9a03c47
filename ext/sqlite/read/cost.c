/*
** What a plan costs, and how many rows it has: from this SQLite decides which
** table of a join is read for each row of the other, and whether an id is
** looked up or looked for in a scan.
**
**     EXPLAIN QUERY PLAN
**     SELECT e.contents FROM local JOIN ledger_entries AS e
**         ON e.transaction_id = local.id AND e.sub_ledger = 'A';
**
** Requests: none. What is known is what answers have told so far.
**
** The unit is a round trip; SQLite is told of each as so many of its own steps.
**
**     an id                   1/8000: in a long row of them most are read ahead
**     ids behind IN           as 25
**     one seqno               2/8000: its view, then its page
**     a receipt               1; behind IN 2
**     a scan                  2, and its pages, `range_concurrency` at a time;
**                             in ledger_audit 1 for each entry too
**     without sub_ledger      8 times as much
**
** What is looked up for each row of another table is counted at its best, 1000
** ids of a page and 8 pages under way, and a scan at its worst, pages of 100
** seqnos and receipts one by one. For SQLite takes a table without statistics
** for one of a million rows, and mostly it has few; a scan for ten ids costs
** the whole ledger, while lookups that turn out to be many mostly cost what it
** would have (not ids in no order in a ledger of over 64 pages). So a scan of
** entries is chosen where the table is thought to have some ten times as many
** rows as the ledger has seqnos.
*/
#include "sqlite/read/read.h"

#include <string.h>

#define COST_TRIP 4e6           /* 40 ms, in steps of 10 ns */
#define COST_ROW 200.0          /* an entry is taken from its page, in steps */
#define COST_LOOP 8000.0        /* what is looked up in one, at best */
#define COST_PAGE 100.0         /* seqnos of a page */
#define COST_SEQNOS 1e6         /* of a ledger that hasn't told its head */
#define COST_SUB_LEDGERS 8.0    /* all of a ledger's ... */
#define COST_SUB_LEDGERS_IN 2.0 /* ... and those of a list */
#define COST_IDS 25.0           /* ids of a list, as SQLite has it */

/* What is known of the ledgers that will be read. */
typedef struct CostLedgers CostLedgers;
struct CostLedgers {
  double rLedger;
  double rSeqno; /* of all of them */
  double rLane;  /* pages under way */
  int bHistory;  /* what was read before is kept */
};

static void costLedgers(LedgerConn *pConn, const LedgerCost *p,
                        CostLedgers *pOut) {
  int i;
  memset(pOut, 0, sizeof(*pOut));
  for( i = 0; i < pConn->nLedger; i++ ) {
    const Ledger *pLedger = pConn->apLedger[i];
    const LedgerConfig *pConfig = ledgerClientConfig(pLedger->pClient);
    LedgerFacts facts;
    if( p->zLedger && strcmp(p->zLedger, pLedger->zName) != 0 ) continue;
    ledgerClientFacts(pLedger->pClient, &facts);
    pOut->rLedger++;
    pOut->rSeqno +=
        facts.head.seqno > 0 ? (double)facts.head.seqno : COST_SEQNOS;
    if( pConfig->rangeConcurrency > pOut->rLane ) {
      pOut->rLane = pConfig->rangeConcurrency;
    }
    if( ledgerCacheWanted(pConfig) ) pOut->bHistory = 1;
  }
  if( pOut->rLedger == 0 ) { /* attached when it is first read, or never */
    pOut->rLedger = 1;
    pOut->rSeqno = COST_SEQNOS;
    pOut->rLane = 8;
  }
  if( p->bLedger ) {
    pOut->rSeqno /= pOut->rLedger;
    pOut->rLedger = 1;
  }
}

/* The seqnos between the bounds. Bounds that aren't written in the statement
** are taken for narrow ones. */
static double costSpan(const LedgerCost *p, const CostLedgers *pLedgers) {
  const double rHead = pLedgers->rSeqno / pLedgers->rLedger;
  double rLow = 0, rHigh = rHead, rSpan;
  if( p->iLow > 0 ) rLow = (double)p->iLow - 1;
  if( p->iHigh > 0 && (double)p->iHigh < rHead ) rHigh = (double)p->iHigh;
  rSpan = rHigh - rLow;
  if( p->bLow && p->bHigh && (p->iLow == 0 || p->iHigh == 0) ) {
    rSpan /= 100;
  } else if( (p->bLow && p->iLow == 0) || (p->bHigh && p->iHigh == 0) ) {
    rSpan /= 4;
  }
  return (rSpan > 1 ? rSpan : 1) * pLedgers->rLedger;
}

void ledgerCostPlan(LedgerConn *pConn, LedgerCost *p,
                    sqlite3_index_info *pInfo) {
  const double rSub = p->bSubLedger     ? 1
                      : p->bSubLedgerIn ? COST_SUB_LEDGERS_IN
                                        : COST_SUB_LEDGERS;
  double rTrip, rRow = 1, rStep = 0;
  CostLedgers ledgers;
  costLedgers(pConn, p, &ledgers);
  p->bHistory = ledgers.bHistory;
  if( p->bIdIn && !p->bId ) rRow = COST_IDS;
  if( p->bNoEntry ) {
    rTrip = rRow > 1 ? 2 : 1;
  } else if( p->bId || p->bIdIn || p->bSeqno ) {
    rTrip = rRow / COST_LOOP * rSub * ledgers.rLedger;
    if( !p->bId && !p->bIdIn ) rTrip *= 2;
  } else {
    const double rSpan = costSpan(p, &ledgers);
    rTrip = 2 + rSpan * rSub / COST_PAGE / ledgers.rLane;
    rRow = rSpan;
    if( p->bMatch ) {
      rTrip /= 2;
      rRow /= 10;
    }
    if( p->bReceipt ) rTrip += rRow;
    rStep = rRow * COST_ROW;
    p->bWindows = ledgers.rLane > 1;
  }
  /* Of several names it isn't noted in which one was found. */
  p->bReadAhead = p->bId && !p->bIdWritten && !p->bNoEntry &&
                  (p->bSubLedger || !p->bSubLedgerIn);
  if( p->bId && p->bLedger ) pInfo->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
  pInfo->estimatedCost = rTrip * COST_TRIP + rStep;
  pInfo->estimatedRows = rRow > 1 ? (sqlite3_int64)rRow : 1;
}
