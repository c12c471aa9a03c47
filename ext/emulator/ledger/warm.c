/*
** Which stretches of history have been loaded.
**
** A ledger node keeps no history at hand: the first reads of a range, entry or
** receipt are answered Loading. Loading is the number of those answers. Level
** k is the set of seqnos that have been asked for more than k times, as sorted
** intervals that do not touch; what is in the last level is Ready.
**
** Invariants
**   - level k+1 is a subset of level k;
**   - a level has at most WARM_MAX intervals: beyond, the one added longest ago
**     is forgotten, and so would be loaded again. (Were it the shortest, two
**     that are asked for in turn could push each other out for ever.)
*/
#include "emulator/ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#define WARM_MAX 1024

typedef struct WarmSpan WarmSpan;
struct WarmSpan {
  int64_t iFrom, iTo; /* inclusive */
  int64_t iAdded;     /* the higher, the later */
};

typedef struct WarmLevel WarmLevel;
struct WarmLevel {
  int n;
  int64_t iAdded; /* of the last one added */
  WarmSpan a[WARM_MAX + 1];
};

struct EmuWarm {
  int nLevel;
  WarmLevel *aLevel;
};

EmuWarm *emuWarmNew(int nLoading) {
  EmuWarm *p = calloc(1, sizeof(*p));
  if( p == NULL ) return NULL;
  p->nLevel = nLoading;
  if( nLoading ) {
    p->aLevel = calloc((size_t)nLoading, sizeof(*p->aLevel));
    if( p->aLevel == NULL ) {
      free(p);
      p = NULL;
    }
  }
  return p;
}

void emuWarmFree(EmuWarm *p) {
  if( p == NULL ) return;
  free(p->aLevel);
  free(p);
}

/* The index of the first interval that ends at i or later. */
static int warmSearch(const WarmLevel *p, int64_t i) {
  int iLow = 0, iHigh = p->n;
  while( iLow < iHigh ) {
    int iMid = (iLow + iHigh) / 2;
    if( p->a[iMid].iTo < i ) {
      iLow = iMid + 1;
    } else {
      iHigh = iMid;
    }
  }
  return iLow;
}

static int warmCovers(const WarmLevel *p, int64_t iFrom, int64_t iTo) {
  int i = warmSearch(p, iFrom);
  return i < p->n && p->a[i].iFrom <= iFrom && p->a[i].iTo >= iTo;
}

/* Adds an interval, merged with those that it meets or touches. */
static void warmAdd(WarmLevel *p, int64_t iFrom, int64_t iTo) {
  int i = warmSearch(p, iFrom - 1), j = i;
  while( j < p->n && p->a[j].iFrom <= iTo + 1 ) {
    if( p->a[j].iFrom < iFrom ) iFrom = p->a[j].iFrom;
    if( p->a[j].iTo > iTo ) iTo = p->a[j].iTo;
    j++;
  }
  memmove(&p->a[i + 1], &p->a[j], (size_t)(p->n - j) * sizeof(p->a[0]));
  p->n += 1 - (j - i);
  p->a[i].iFrom = iFrom;
  p->a[i].iTo = iTo;
  p->a[i].iAdded = ++p->iAdded;
  if( p->n > WARM_MAX ) {
    int k, iOld = 0;
    for( k = 1; k < p->n; k++ ) {
      if( p->a[k].iAdded < p->a[iOld].iAdded ) iOld = k;
    }
    memmove(&p->a[iOld], &p->a[iOld + 1],
            (size_t)(p->n - iOld - 1) * sizeof(p->a[0]));
    p->n--;
  }
}

int emuWarmReady(EmuWarm *p, int64_t iFrom, int64_t iTo) {
  int k;
  for( k = 0; k < p->nLevel; k++ ) {
    if( !warmCovers(&p->aLevel[k], iFrom, iTo) ) {
      warmAdd(&p->aLevel[k], iFrom, iTo);
      return 0;
    }
  }
  return 1;
}
