/*
** The floor: what it costs to pull pages of entries over TLS at all. Pages are
** fetched as the module fetches them, by libcurl with kept connections, and
** thrown away: of a body only the nextLink at its end is looked at, and whether
** the page is Loading.
**
**     floor [-j N -w IDS -e ID] [-n] URL SERVICE_PEM TOKEN SUB_LEDGER...
**     floor -r N URL SERVICE_PEM TOKEN SUB_LEDGER
**
**     -j N     over N connections (1): each sub-ledger is cut into windows of
**     -w IDS   that many transaction ids, from 1 to the one that
**     -e ID    names; without it a sub-ledger is one window
**     -n       also count the entries: to check, not to measure
**     -r N     ask N + 1 times over one connection for the sub-ledgers, and
**              print the mean of the last N times, in microseconds
**
** Prints `PAGES|BYTES|ENTRIES`, ENTRIES 0 without -n. TOKEN is a file.
** Requests: GET /app/transactions, then what each nextLink says; Loading is
** asked for again after 5 ms, as the module begins to.
*/
#include <curl/curl.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FLOOR_WIDTH 64   /* connections, at most */
#define FLOOR_URL 2048   /* bytes of a request's URL */
#define FLOOR_TAIL 1024  /* a nextLink stands in so many bytes at the end */
#define FLOOR_PAUSE 5000 /* microseconds before a Loading page again */

typedef struct FloorLane FloorLane;
struct FloorLane {
  CURL *pCurl;          /* owned */
  char *aBody;          /* owned: the body so far, ended by a NUL */
  size_t nBody, nAlloc; /* bytes of it, bytes allocated */
  int64_t usDue;        /* when to ask again; 0: under way or out of work */
  char zUrl[FLOOR_URL]; /* what is asked */
};

typedef struct Floor Floor;
struct Floor {
  const char *zBase;          /* https://HOST:PORT */
  char **azLedger;            /* the sub-ledgers */
  int nLedger, iLedger;       /* how many; which is being cut */
  int64_t iNext, nWindow;     /* its next window's first seqno; ids of one */
  long long iView, iLast;     /* the last window's end; iLast 0: no windows */
  int bCount;                 /* count the entries */
  int nBusy;                  /* lanes that have work */
  CURLM *pMulti;              /* owned */
  struct curl_slist *pHeader; /* owned */
  long long nPage, nByte, nEntry;
  FloorLane aLane[FLOOR_WIDTH];
};

static _Noreturn void floorDie(const char *zWhat, const char *zWhy) {
  fprintf(stderr, "floor: %s: %s\n", zWhat, zWhy);
  exit(1);
}

static int64_t floorNow(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static size_t floorWrite(char *a, size_t nSize, size_t n, void *pArg) {
  FloorLane *p = pArg;
  n *= nSize;
  if( p->nBody + n + 1 > p->nAlloc ) {
    char *aNew;
    p->nAlloc = 2 * (p->nBody + n + 1);
    aNew = realloc(p->aBody, p->nAlloc);
    if( aNew == NULL ) return 0;
    p->aBody = aNew;
  }
  memcpy(p->aBody + p->nBody, a, n);
  p->nBody += n;
  p->aBody[p->nBody] = 0;
  return n;
}

/* Asks for what the lane's URL says. */
static void floorAsk(Floor *p, FloorLane *pLane) {
  pLane->nBody = 0;
  pLane->usDue = 0;
  curl_easy_setopt(pLane->pCurl, CURLOPT_URL, pLane->zUrl);
  if( curl_multi_add_handle(p->pMulti, pLane->pCurl) ) {
    floorDie(pLane->zUrl, "not begun");
  }
}

/* Gives the lane the next window there is. Whether there was one. */
static int floorWindow(Floor *p, FloorLane *pLane) {
  char *zName;
  int n;
  if( p->iLast && p->iNext > p->iLast ) {
    p->iLedger++;
    p->iNext = 1;
  }
  if( p->iLedger == p->nLedger ) return 0;
  zName = curl_easy_escape(pLane->pCurl, p->azLedger[p->iLedger], 0);
  if( zName == NULL ) floorDie("memory", "none left");
  n = snprintf(pLane->zUrl, FLOOR_URL,
               "%s/app/transactions?api-version=2026-02-23&collectionId=%s",
               p->zBase, zName);
  curl_free(zName);
  if( p->iLast ) {
    int64_t iTo = p->iNext + p->nWindow - 1;
    if( iTo > p->iLast ) iTo = p->iLast;
    n += snprintf(pLane->zUrl + n, FLOOR_URL - (size_t)n,
                  "&fromTransactionId=%lld.%lld&toTransactionId=%lld.%lld",
                  p->iView, (long long)p->iNext, p->iView, (long long)iTo);
    p->iNext = iTo + 1;
  } else {
    p->iLedger++;
  }
  if( n >= FLOOR_URL ) floorDie("URL", "too long");
  return 1;
}

/* Makes the nextLink of the lane's page its URL. Whether there is one. */
static int floorFollow(Floor *p, FloorLane *pLane) {
  static const char zKey[] = "nextLink\":\"";
  size_t nSkip = pLane->nBody > FLOOR_TAIL ? pLane->nBody - FLOOR_TAIL : 0;
  const char *z = strstr(pLane->aBody + nSkip, zKey);
  size_t n;
  if( z == NULL ) return 0;
  z += sizeof(zKey) - 1;
  n = strcspn(z, "\"\\");
  if( z[n] != '"' ) floorDie("nextLink", "has an escape");
  if( snprintf(pLane->zUrl, FLOOR_URL, "%s%.*s", *z == '/' ? p->zBase : "",
               (int)n, z) >= FLOOR_URL ) {
    floorDie("nextLink", "too long");
  }
  return 1;
}

static void floorCount(Floor *p, const FloorLane *pLane) {
  const char *z = pLane->aBody;
  while( (z = strstr(z, "\"contents\":")) != NULL ) {
    p->nEntry++;
    z++;
  }
}

/* Deals with an answer: asks for what follows it on that lane. */
static void floorAnswer(Floor *p, const CURLMsg *pMsg) {
  FloorLane *pLane;
  CURL *pCurl = pMsg->easy_handle;
  long iStatus = 0;
  if( pMsg->data.result ) {
    floorDie("request", curl_easy_strerror(pMsg->data.result));
  }
  curl_easy_getinfo(pCurl, CURLINFO_PRIVATE, &pLane);
  curl_easy_getinfo(pCurl, CURLINFO_RESPONSE_CODE, &iStatus);
  if( iStatus != 200 || pLane->nBody == 0 ) {
    floorDie(pLane->zUrl, pLane->nBody ? pLane->aBody : "no body");
  }
  curl_multi_remove_handle(p->pMulti, pCurl);
  if( pLane->nBody < FLOOR_TAIL && strstr(pLane->aBody, "\"Loading\"") ) {
    pLane->usDue = floorNow() + FLOOR_PAUSE;
    return;
  }
  p->nPage++;
  p->nByte += (long long)pLane->nBody;
  if( p->bCount ) floorCount(p, pLane);
  if( floorFollow(p, pLane) || floorWindow(p, pLane) ) {
    floorAsk(p, pLane);
  } else {
    p->nBusy--;
  }
}

/* Reads all there is, over nLane connections. */
static void floorRun(Floor *p, int nLane) {
  int i;
  for( i = 0; i < nLane && floorWindow(p, &p->aLane[i]); i++ ) {
    p->nBusy++;
    floorAsk(p, &p->aLane[i]);
  }
  while( p->nBusy > 0 ) {
    CURLMsg *pMsg;
    int64_t us = floorNow();
    int nRunning, nLeft, ms = 1000;
    for( i = 0; i < nLane; i++ ) {
      FloorLane *pLane = &p->aLane[i];
      if( pLane->usDue == 0 ) continue;
      if( pLane->usDue <= us ) {
        floorAsk(p, pLane);
      } else if( (pLane->usDue - us) / 1000 + 1 < ms ) {
        ms = (int)((pLane->usDue - us) / 1000 + 1);
      }
    }
    if( curl_multi_perform(p->pMulti, &nRunning) ) floorDie("curl", "failed");
    i = 0;
    while( (pMsg = curl_multi_info_read(p->pMulti, &nLeft)) != NULL ) {
      if( pMsg->msg != CURLMSG_DONE ) continue;
      floorAnswer(p, pMsg);
      i++;
    }
    if( i == 0 ) curl_multi_poll(p->pMulti, NULL, 0, ms, NULL);
  }
}

/* One round trip, n times over a connection that is there. */
static void floorTrips(Floor *p, int n) {
  FloorLane *pLane = &p->aLane[0];
  int64_t us = 0;
  int i;
  floorWindow(p, pLane);
  snprintf(pLane->zUrl, FLOOR_URL, "%s/app/collections?api-version=2026-02-23",
           p->zBase);
  curl_easy_setopt(pLane->pCurl, CURLOPT_URL, pLane->zUrl);
  for( i = 0; i <= n; i++ ) {
    CURLcode rc;
    if( i == 1 ) us = floorNow();
    pLane->nBody = 0;
    rc = curl_easy_perform(pLane->pCurl);
    if( rc ) floorDie("request", curl_easy_strerror(rc));
  }
  printf("%lld\n", (long long)((floorNow() - us) / n));
}

/* The header that carries the token in that file. */
static struct curl_slist *floorHeader(const char *zFile) {
  char zToken[8192], zHeader[8300];
  FILE *f = fopen(zFile, "r");
  struct curl_slist *pList;
  if( f == NULL || fgets(zToken, sizeof(zToken), f) == NULL ) {
    floorDie(zFile, "can't be read");
  }
  fclose(f);
  zToken[strcspn(zToken, "\r\n")] = 0;
  snprintf(zHeader, sizeof(zHeader), "Authorization: Bearer %s", zToken);
  pList = curl_slist_append(NULL, zHeader);
  if( pList == NULL ) floorDie("memory", "none left");
  return pList;
}

static void floorOpen(Floor *p, FloorLane *pLane, const char *zCa) {
  CURL *pCurl = pLane->pCurl = curl_easy_init();
  if( pCurl == NULL ) floorDie("memory", "none left");
  curl_easy_setopt(pCurl, CURLOPT_CAINFO, zCa);
  curl_easy_setopt(pCurl, CURLOPT_CAPATH, NULL);
  curl_easy_setopt(pCurl, CURLOPT_PROXY, "");
  curl_easy_setopt(pCurl, CURLOPT_HTTPHEADER, p->pHeader);
  curl_easy_setopt(pCurl, CURLOPT_WRITEFUNCTION, floorWrite);
  curl_easy_setopt(pCurl, CURLOPT_WRITEDATA, pLane);
  curl_easy_setopt(pCurl, CURLOPT_PRIVATE, pLane);
  curl_easy_setopt(pCurl, CURLOPT_BUFFERSIZE, 131072L);
}

int main(int argc, char **argv) {
  static Floor x;
  int nLane = 1, nTrip = 0, i, c;
  while( (c = getopt(argc, argv, "j:w:e:r:n")) != -1 ) {
    switch( c ) {
      case 'j': nLane = (int)strtol(optarg, NULL, 10); break;
      case 'w': x.nWindow = strtol(optarg, NULL, 10); break;
      case 'r': nTrip = (int)strtol(optarg, NULL, 10); break;
      case 'n': x.bCount = 1; break;
      case 'e': {
        char *zSeqno;
        x.iView = strtoll(optarg, &zSeqno, 10);
        if( *zSeqno == '.' ) x.iLast = strtoll(zSeqno + 1, NULL, 10);
        break;
      }
      default: return 2;
    }
  }
  if( argc - optind < 4 || nLane < 1 || nLane > FLOOR_WIDTH || nTrip < 0 ||
      (x.iLast > 0) != (x.nWindow > 0) ) {
    floorDie("usage", "see the head of floor.c");
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  x.zBase = argv[optind];
  x.pHeader = floorHeader(argv[optind + 2]);
  x.azLedger = argv + optind + 3;
  x.nLedger = argc - optind - 3;
  x.iNext = 1;
  x.pMulti = curl_multi_init();
  if( x.pMulti == NULL ) floorDie("memory", "none left");
  for( i = 0; i < nLane; i++ ) floorOpen(&x, &x.aLane[i], argv[optind + 1]);
  if( nTrip ) {
    floorTrips(&x, nTrip);
  } else {
    floorRun(&x, nLane);
    printf("%lld|%lld|%lld\n", x.nPage, x.nByte, x.nEntry);
  }
  for( i = 0; i < nLane; i++ ) {
    curl_easy_cleanup(x.aLane[i].pCurl);
    free(x.aLane[i].aBody);
  }
  curl_multi_cleanup(x.pMulti);
  curl_slist_free_all(x.pHeader);
  curl_global_cleanup();
  return 0;
}
