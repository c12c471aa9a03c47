/*
** Lanes: how many pages of a ledger may be under way at a time, for the flights
** of a scan together. Issues no request.
**
** As many as range_concurrency says; fewer where the service puts requests off
** (429, 503) or takes long over its pages, and more again where it doesn't.
*/
#include "sqlite/read/read.h"

#include <string.h>

#define LANES_BYTES (16 * 1024 * 1024) /* of the pages at hand, about */
#define LANES_SLOW 100 /* ms that a page may take, and four times the least */
#define LANES_MOST 256 /* lanes, whatever the option says */

void ledgerLanesInit(LedgerLanes *p, Ledger *pLedger) {
  LedgerFacts facts;
  memset(p, 0, sizeof(*p));
  ledgerClientFacts(pLedger->pClient, &facts);
  p->nMost = ledgerClientConfig(pLedger->pClient)->rangeConcurrency;
  if( p->nMost > LANES_MOST ) p->nMost = LANES_MOST;
  p->nWide = p->nMost;
  p->nPutOff = facts.nPutOff;
}

int ledgerLanesFull(const LedgerLanes *p) {
  return p->nLeg >= 4 * p->nMost || (i64)p->nLeg * p->nPageByte > LANES_BYTES;
}

void ledgerLanesPage(LedgerLanes *pLanes, Ledger *pLedger,
                     const LedgerPage *pPage) {
  LedgerFacts facts;
  ledgerClientFacts(pLedger->pClient, &facts);
  pLanes->nPage++;
  if( (i64)pPage->nByte > pLanes->nPageByte )
    pLanes->nPageByte = (i64)pPage->nByte;
  if( pLanes->msLeast == 0 || pPage->ms < pLanes->msLeast ) {
    pLanes->msLeast = pPage->ms ? pPage->ms : 1;
  }
  if( facts.nPutOff != pLanes->nPutOff ||
      pPage->ms > 4 * pLanes->msLeast + LANES_SLOW ) {
    pLanes->nPutOff = facts.nPutOff;
    if( pLanes->nGood >= 0 ) pLanes->nWide = (pLanes->nWide + 1) / 2;
    pLanes->nGood = -pLanes->nWide; /* those under way tell the same */
  } else if( ++pLanes->nGood >= pLanes->nWide &&
             pLanes->nWide < pLanes->nMost ) {
    pLanes->nWide++;
    pLanes->nGood = 0;
  }
}
