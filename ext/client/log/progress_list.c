/*
** The statements of this process that wait for a ledger, or have waited, for
** the table ledger_progress: what each connection tells of its own. Issues no
** request.
**
** Invariants
**   - who holds the mutex copies rows, and does nothing else;
**   - the mutex is not waited for without an end by who may go without: in a
**     process that was forked meanwhile it is locked for good.
*/
#include "client/log/logInt.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LIST_TRIES 50 /* for the mutex, a millisecond apart */

static pthread_mutex_t listMutex = PTHREAD_MUTEX_INITIALIZER;
static LedgerProgressListed *pListFirst;
static int64_t iListLast; /* the last connection's number */

static int listLock(void) {
  static const struct timespec ms = {0, 1000000};
  int i;
  for( i = 0; i < LIST_TRIES; i++ ) {
    if( pthread_mutex_trylock(&listMutex) == 0 ) return 1;
    nanosleep(&ms, NULL);
  }
  return 0;
}

void ledgerProgressList(LedgerProgressListed *p,
                        const LedgerProgressRow *pRow) {
  if( !listLock() ) return;
  if( p->iConnection == 0 ) p->iConnection = ++iListLast;
  p->row = *pRow;
  p->row.iConnection = p->iConnection;
  if( !p->bListed ) {
    p->bListed = 1;
    p->pid = getpid();
    p->pNext = pListFirst;
    pListFirst = p;
  }
  pthread_mutex_unlock(&listMutex);
}

void ledgerProgressUnlist(LedgerProgressListed *p) {
  LedgerProgressListed **pp = &pListFirst;
  if( !p->bListed ) return;
  pthread_mutex_lock(&listMutex);
  while( *pp && *pp != p ) pp = &(*pp)->pNext;
  if( *pp ) *pp = p->pNext;
  pthread_mutex_unlock(&listMutex);
  p->bListed = 0;
}

int ledgerProgressRows(LedgerProgressRow **paRow, int *pnRow,
                       LedgerError *pErr) {
  LedgerProgressListed *p;
  int n = 0;

  *paRow = NULL;
  *pnRow = 0;
  if( !listLock() ) {
    return ledgerErrorSet(pErr, LEDGER_BUSY,
                          "ledger_progress: the list of statements is in use");
  }
  for( p = pListFirst; p; p = p->pNext ) n++;
  *paRow = malloc((size_t)(n + 1) * sizeof(**paRow));
  for( p = pListFirst; p && *paRow; p = p->pNext ) {
    /* The others were told by the process that this one was forked from. */
    if( p->pid == getpid() ) (*paRow)[(*pnRow)++] = p->row;
  }
  pthread_mutex_unlock(&listMutex);
  return *paRow ? LEDGER_OK : ledgerErrorNomem(pErr);
}
