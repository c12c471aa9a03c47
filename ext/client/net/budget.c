/*
** How many bytes of answers' bodies there may be at a time, whatever servers
** send.
**
** Bodies under way, and those that are kept by who has read them
** (ledgerHttpHold), have BUDGET_BYTES together. Beyond that an answer is left
** unread (CURL_WRITEFUNC_PAUSE): its server waits, for each exchange has a
** connection of its own, by HTTP/1.1.
**
** Invariants
**   - the answer that somebody waits for is read in any case (bWanted): so each
**     wait ends, whatever the others hold. With it there are BUDGET_BYTES and
**     max_response_bytes at most;
**   - nothing that may be a secret is left unread: libcurl would keep a copy.
*/
#include "client/net/net.h"

#include <stdlib.h>

#define BUDGET_BYTES (16 * 1024 * 1024)
#define BUDGET_LARGE (1024 * 1024)           /* a larger body ... */
#define BUDGET_BLOCK (32 * 1024 * 1024 + 64) /* ... gets a block of its own */

/* Whether n bytes more may be read of an answer. */
static int budgetAllows(const LedgerBudget *p, const LedgerExchange *pEx,
                        size_t n) {
  return !pEx->bCanWait || pEx->bWanted ||
         p->nHeld + (int64_t)n <= BUDGET_BYTES;
}

/* Takes an exchange out of the list of those that wait. */
static void budgetUnpause(LedgerBudget *p, LedgerExchange *pEx) {
  LedgerExchange **pp = &p->pPaused;
  if( !pEx->bPaused ) return;
  while( *pp != pEx ) pp = &(*pp)->pPaused;
  *pp = pEx->pPaused;
  pEx->pPaused = NULL;
  pEx->bPaused = 0;
}

/* A large body gets a block that the C library asks the kernel for and gives
** back as a whole: glibc does so with what is larger than 32 MiB, while smaller
** ones may stay with the process when they are freed. Only what is written of
** it takes memory. */
static void budgetBlock(LedgerBuf *pBody, size_t n) {
  LedgerBuf block = {0};
  if( pBody->n + n <= BUDGET_LARGE || pBody->nAlloc >= BUDGET_BLOCK ||
      !ledgerBufRoom(&block, BUDGET_BLOCK) ) {
    return;
  }
  ledgerBufAppend(&block, pBody->z, pBody->n);
  ledgerBufFree(pBody);
  *pBody = block;
}

/* Appends n bytes to the body of an exchange. Returns 0 where they have to be
** left unread: ledgerBudgetResume() asks for them again. */
int ledgerBudgetTake(LedgerBudget *p, LedgerExchange *pEx, const char *z,
                     size_t n) {
  if( !budgetAllows(p, pEx, n) ) {
    LedgerExchange **pp = &p->pPaused;
    if( pEx->bPaused ) return 0;
    while( *pp ) pp = &(*pp)->pPaused;
    *pp = pEx;
    pEx->bPaused = 1;
    return 0;
  }
  budgetBlock(&pEx->body, n);
  ledgerBufAppend(&pEx->body, z, n);
  pEx->nHeld += (int64_t)n;
  p->nHeld += (int64_t)n;
  return 1;
}

/* The exchange is freed. */
void ledgerBudgetGive(LedgerBudget *p, LedgerExchange *pEx) {
  budgetUnpause(p, pEx);
  p->nHeld -= pEx->nHeld;
  pEx->nHeld = 0;
}

/* Those that wait go on, as far as they may. */
void ledgerBudgetResume(LedgerBudget *p) {
  LedgerExchange *pEx, *pNext;
  for( pEx = p->pPaused; pEx; pEx = pNext ) {
    pNext = pEx->pPaused;
    if( !budgetAllows(p, pEx, CURL_MAX_WRITE_SIZE) ) continue;
    budgetUnpause(p, pEx);
    curl_easy_pause(pEx->pEasy, CURLPAUSE_CONT); /* it may have to wait again */
  }
}

/* A body is whole: what is left of its block goes back. */
void ledgerBudgetFit(LedgerBuf *pBody) {
  char *z = NULL;
  if( pBody->nAlloc >= BUDGET_BLOCK ) z = realloc(pBody->z, pBody->n + 1);
  if( z == NULL ) return;
  pBody->z = z;
  pBody->nAlloc = pBody->n + 1;
}
