/*
** Lists that come in pages: sub-ledgers, users, tags, members and the like.
** Entries have a pager of their own (api/range.c), whose pages must advance.
**
** Invariants
**   - both spellings of a next link are read on every version: nextLink and
**     @nextLink;
**   - a list ends: links that lead in a circle are noticed, and a list has at
**     most LIST_MAX_PAGES pages, and in all of them as many bytes as one answer
**     may have (max_response_bytes): they are kept until the last is here.
*/
#include "client/api/apiInt.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MAX_PAGES 2000

/* Reads the next link of an answer, in both spellings, into *pzNext; NULL
** when there is none: a link that isn't text is not an end. It must lead to the
** call's own path. */
int ledgerListNextRead(LedgerCall *p, LedgerJson *pDoc, cJSON *pObj,
                       char **pzNext, LedgerError *pErr) {
  static const char *const azName[] = {"nextLink", "@nextLink"};
  const char *z = NULL;
  size_t n = 0, i;

  free(*pzNext);
  *pzNext = NULL;
  for( i = 0; i < 2 && z == NULL; i++ ) {
    cJSON *pLink = ledgerJsonMember(pObj, azName[i]);
    if( pLink == NULL || cJSON_IsNull(pLink) ) continue;
    z = ledgerJsonText(pDoc, pLink, &n);
    if( z == NULL ) {
      return ledgerResponseNonsense(p, "its next link is not text", pErr);
    }
  }
  if( n == 0 ) return LEDGER_OK;
  if( !ledgerUrlLink(z, n, p->pClient->pConfig->zUrl, p->zPath, pzNext,
                     pErr) ) {
    char *zWhat = ledgerMprintf("its next link does not lead to %s", p->zPath);
    ledgerResponseNonsense(p, zWhat ? zWhat : "its next link", pErr);
    free(zWhat);
  }
  return pErr->rc;
}

/* Whether this link was met before. The link of every page whose number is a
** power of two is kept, until the next such page: whoever runs in a circle
** passes it again (R. P. Brent, An improved Monte Carlo factorization
** algorithm, BIT 20, 1980). */
static int listCircle(LedgerList *p, const char *zLink, LedgerError *pErr) {
  if( p->zMark && strcmp(p->zMark, zLink) == 0 ) return 1;
  if( (p->nPage & (p->nPage - 1)) == 0 ) {
    free(p->zMark);
    p->zMark = ledgerStrdup(zLink);
    if( p->zMark == NULL ) ledgerErrorNomem(pErr);
  }
  return 0;
}

int ledgerListFollow(LedgerCall *p, LedgerList *pList, LedgerCall *pNext,
                     LedgerList *pNextList, LedgerError *pErr) {
  const int64_t nMax = p->pClient->pConfig->maxResponseBytes;

  pList->nPage++;
  pList->nByte += (int64_t)pList->nBody;
  if( listCircle(pList, pList->zNext, pErr) ) {
    return ledgerResponseNonsense(p, "its next links lead in a circle", pErr);
  }
  if( pErr->rc ) return pErr->rc;
  if( pList->nPage > LIST_MAX_PAGES ) {
    return ledgerErrorSet(pErr, LEDGER_TOOBIG,
                          "%s: the list has more than %d pages", p->zWhat,
                          LIST_MAX_PAGES);
  }
  if( pList->nByte >= nMax ) { /* and another page follows */
    return ledgerErrorSet(pErr, LEDGER_TOOBIG,
                          "%s: the pages of the list have more than "
                          "max_response_bytes (%lld)",
                          p->zWhat, (long long)nMax);
  }
  pNext->nList = pList->nByte;
  free(pNext->zLink);
  pNext->zLink = pList->zNext;
  *pNextList = *pList;
  pNextList->zNext = NULL;
  pList->zNext = pList->zMark = NULL;
  return LEDGER_OK;
}

void ledgerListClear(LedgerList *p) {
  free(p->zMark);
  free(p->zNext);
}
