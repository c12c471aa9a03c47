/*
** libcurl and the clock, played: client/net/http.c drives what stands here in
** place of libcurl's easy and multi interface, and time passes where it polls.
*/
#define CURL_DISABLE_TYPECHECK
#include "wire.h"

#include "ledger.h"

#include <curl/curl.h>
#include <stdarg.h>

#define WIRE_HOST "fuzz.example"
#define WIRE_TOKEN "wire-secret-token"
/* The service certificate that the ledger is pinned to; its key is lost. */
#define WIRE_SERVICE                                                    \
  "-----BEGIN CERTIFICATE-----\\n"                                      \
  "MIIBdDCCARugAwIBAgIUFnjQCYrpc8ArpwBErSN2Qce3CpEwCgYIKoZIzj0EAwIw\\n" \
  "DzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjgwOTQ5MTBaGA8yMTI2MTEwNDA5NDkx\\n" \
  "MFowDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFiD\\n" \
  "T/8Fp6B94x8kJxgZh6pW71yoo+xyJtCMwVpg/PxqJtkJCM/RIKFtcm4KmqyO8MkF\\n" \
  "6uC2TD+ObgbrX2w60wajUzBRMB0GA1UdDgQWBBTIVyy2YoxaXpyCmZ4JMW2y7SFQ\\n" \
  "1DAfBgNVHSMEGDAWgBTIVyy2YoxaXpyCmZ4JMW2y7SFQ1DAPBgNVHRMBAf8EBTAD\\n" \
  "AQH/MAoGCCqGSM49BAMCA0cAMEQCIFkbD5+Sw0plBqcnvG5pQs/dmm143QKYJ42q\\n" \
  "hFdhI0ZXAiA5A2uJ+8TSDO7RzOF07Oemd0gmnobH1STGDoGFFAB/VA==\\n"         \
  "-----END CERTIFICATE-----\\n"

/* ---- time ---------------------------------------------------------------- */

static int64_t wireNow = 1000;

int64_t ledgerClockMs(void) {
  return wireNow;
}

int64_t ledgerClockWall(void) {
  return 1790000000000 + wireNow;
}

/* ---- the answers --------------------------------------------------------- */

static const char *wireAt; /* the next answer ... */
static size_t wireLeft;    /* ... and bytes of all that are left */
static int wireAgain;      /* the last one comes again */
static int wireNone;       /* there is none any more */
static int wireEchoes;     /* one of them holds the token */

void wireAnswers(const void *a, size_t n, int bAgain) {
  wireEchoes = n && memmem(a, n, WIRE_TOKEN, strlen(WIRE_TOKEN)) != NULL;
  wireAt = a;
  wireLeft = n;
  wireAgain = bAgain;
  wireNone = 0;
}

static int (*wireServes)(const WireRequest *, LedgerBuf *);

void wireServer(int (*x)(const WireRequest *pRequest, LedgerBuf *pAnswer)) {
  wireServes = x;
}

/* The next answer, or NULL. */
static const char *wireTake(size_t *pn) {
  const char *z = wireAt;
  const char *zNul = wireLeft ? memchr(z, 0, wireLeft) : NULL;
  if( wireNone ) return NULL;
  *pn = zNul ? (size_t)(zNul - z) : wireLeft;
  if( zNul ) {
    wireAt = zNul + 1;
    wireLeft -= *pn + 1;
  } else {
    wireNone = !wireAgain;
  }
  return z;
}

/* ---- libcurl ------------------------------------------------------------- */

typedef struct WireEasy WireEasy;
struct WireEasy {
  WireEasy *pNext; /* of the multi handle's */
  int bDone;       /* its message is to be read, or was */
  CURLMsg msg;
  curl_write_callback xHeader, xWrite;
  void *pHeader, *pWrite;
  curl_prereq_callback xReady;
  void *pReady;
  curl_read_callback xRead;
  void *pRead;
  void *pPrivate;
  char *zUrl;
  char *zMethod;
  const char *zFields; /* borrowed */
  int bPost;
  struct curl_slist *pLines; /* borrowed */
  long http;
  int bSent;
};

typedef struct WireMulti WireMulti;
struct WireMulti {
  WireEasy *pFirst;
};

CURL *curl_easy_init(void) {
  return calloc(1, sizeof(WireEasy));
}

void curl_easy_cleanup(CURL *h) {
  WireEasy *p = h;
  free(p->zUrl);
  free(p->zMethod);
  free(p);
}

CURLcode(curl_easy_setopt)(CURL *h, CURLoption eOption, ...) {
  WireEasy *p = h;
  va_list ap;
  va_start(ap, eOption);
  switch( (int)eOption ) {
    case CURLOPT_HEADERFUNCTION:
      p->xHeader = va_arg(ap, curl_write_callback);
      break;
    case CURLOPT_WRITEFUNCTION:
      p->xWrite = va_arg(ap, curl_write_callback);
      break;
    case CURLOPT_READFUNCTION: p->xRead = va_arg(ap, curl_read_callback); break;
    case CURLOPT_PREREQFUNCTION:
      p->xReady = va_arg(ap, curl_prereq_callback);
      break;
    case CURLOPT_HEADERDATA: p->pHeader = va_arg(ap, void *); break;
    case CURLOPT_WRITEDATA: p->pWrite = va_arg(ap, void *); break;
    case CURLOPT_READDATA: p->pRead = va_arg(ap, void *); break;
    case CURLOPT_PREREQDATA: p->pReady = va_arg(ap, void *); break;
    case CURLOPT_PRIVATE: p->pPrivate = va_arg(ap, void *); break;
    case CURLOPT_HTTPHEADER: p->pLines = va_arg(ap, struct curl_slist *); break;
    case CURLOPT_POST: p->bPost = 1; break;
    case CURLOPT_POSTFIELDS: p->zFields = va_arg(ap, const char *); break;
    case CURLOPT_CUSTOMREQUEST:
      free(p->zMethod);
      p->zMethod = ledgerStrdup(va_arg(ap, const char *));
      break;
    case CURLOPT_URL:
      free(p->zUrl);
      p->zUrl = ledgerStrdup(va_arg(ap, const char *));
      break;
    default: break;
  }
  va_end(ap);
  return CURLE_OK;
}

CURLcode(curl_easy_getinfo)(CURL *h, CURLINFO eInfo, ...) {
  const WireEasy *p = h;
  va_list ap;
  va_start(ap, eInfo);
  if( eInfo == CURLINFO_PRIVATE ) {
    *va_arg(ap, char **) = p->pPrivate;
  } else if( ((int)eInfo & CURLINFO_TYPEMASK) == CURLINFO_LONG ) {
    *va_arg(ap, long *) = eInfo == CURLINFO_RESPONSE_CODE  ? p->http
                          : eInfo == CURLINFO_REQUEST_SIZE ? p->bSent
                                                           : 0;
  } else if( ((int)eInfo & CURLINFO_TYPEMASK) == CURLINFO_OFF_T ) {
    *va_arg(ap, curl_off_t *) = 0;
  } else {
    fuzzCheck(0, "wire.c: a piece of information that it doesn't play");
  }
  va_end(ap);
  return CURLE_OK;
}

CURLM *curl_multi_init(void) {
  return calloc(1, sizeof(WireMulti));
}

CURLMcode curl_multi_cleanup(CURLM *h) {
  free(h);
  return CURLM_OK;
}

CURLMcode(curl_multi_setopt)(CURLM *h, CURLMoption eOption, ...) {
  (void)h, (void)eOption;
  return CURLM_OK;
}

/* A request leaves: with the token, and so for the ledger alone. */
static void wireLeaves(const WireEasy *p) {
  const struct curl_slist *pLine;
  CURLU *pUrl = curl_url();
  char *zHost = NULL, *zScheme = NULL;
  size_t n;
  fuzzCheck(pUrl && curl_url_set(pUrl, CURLUPART_URL, p->zUrl, 0) == 0 &&
                curl_url_get(pUrl, CURLUPART_HOST, &zHost, 0) == 0 &&
                curl_url_get(pUrl, CURLUPART_SCHEME, &zScheme, 0) == 0,
            "a request has no URL");
  n = strlen(zHost);
  fuzzCheck(strcmp(zScheme, "https") == 0, "a request is not by https");
  fuzzCheck(
      n >= strlen(WIRE_HOST) &&
          strcmp(zHost + n - strlen(WIRE_HOST), WIRE_HOST) == 0 &&
          (n == strlen(WIRE_HOST) || zHost[n - strlen(WIRE_HOST) - 1] == '.'),
      "a request leaves for another host");
  /* A ledger that writes it into its own link gets that link. */
  fuzzCheck(wireEchoes || strstr(p->zUrl, WIRE_TOKEN) == NULL,
            "a URL holds the token");
  for( pLine = p->pLines; pLine; pLine = pLine->next ) {
    fuzzCheck(strpbrk(pLine->data, "\r\n") == NULL,
              "a header of a request has two lines");
  }
  curl_free(zHost);
  curl_free(zScheme);
  curl_url_cleanup(pUrl);
}

CURLMcode curl_multi_add_handle(CURLM *h, CURL *pEasy) {
  WireEasy **pp = &((WireMulti *)h)->pFirst;
  while( *pp ) pp = &(*pp)->pNext;
  *pp = pEasy;
  wireLeaves(pEasy);
  return CURLM_OK;
}

CURLMcode curl_multi_remove_handle(CURLM *h, CURL *pEasy) {
  WireEasy **pp = &((WireMulti *)h)->pFirst;
  while( *pp && *pp != (WireEasy *)pEasy ) pp = &(*pp)->pNext;
  fuzzCheck(*pp != NULL, "an exchange is removed that isn't there");
  *pp = ((WireEasy *)pEasy)->pNext;
  return CURLM_OK;
}

/* Gives n bytes to a function of the exchange, from memory of its own. */
static int wireGive(curl_write_callback x, void *pArg, const char *z,
                    size_t n) {
  char *zCopy = malloc(n + 1);
  size_t nTaken;
  fuzzCheck(zCopy != NULL, "out of memory");
  memcpy(zCopy, z, n);
  nTaken = x(zCopy, 1, n, pArg);
  free(zCopy);
  return nTaken == n;
}

/* The lines of the head of z[n]; its length, or 0 where it was refused. */
static size_t wireHead(WireEasy *p, const char *z, size_t n) {
  size_t i = 0, iEol;
  while( i < n ) {
    const char *zEol = memchr(z + i, '\n', n - i);
    iEol = zEol ? (size_t)(zEol - z) + 1 : n;
    if( iEol - i > 12 && memcmp(z + i, "HTTP/", 5) == 0 ) {
      const char *zDigit = z + i + 9;
      p->http = 0;
      while( zDigit < z + iEol && *zDigit >= '0' && *zDigit <= '9' ) {
        p->http = (10 * p->http + (*zDigit++ - '0')) % 1000;
      }
      if( p->http < 100 ) p->http = 200;
    }
    if( !wireGive(p->xHeader, p->pHeader, z + i, iEol - i) ) return 0;
    if( iEol - i <= 2 && (z[i] == '\r' || z[i] == '\n') ) {
      if( p->http >= 200 ) return iEol;
    }
    i = iEol;
  }
  return n;
}

/* The request leaves; its body comes into *pBody. 0: it may not. */
static int wireSend(WireEasy *p, LedgerBuf *pBody) {
  char zTo[] = "127.0.0.1";
  char zPart[512];
  size_t n;
  if( p->xReady &&
      p->xReady(p->pReady, zTo, zTo, 443, 50000) != CURL_PREREQFUNC_OK ) {
    return 0;
  }
  p->bSent = 1;
  if( p->zFields ) ledgerBufText(pBody, p->zFields);
  while( p->xRead && (n = p->xRead(zPart, 1, sizeof(zPart), p->pRead)) > 0 ) {
    ledgerBufAppend(pBody, zPart, n);
  }
  wireNow += 2;
  return 1;
}

/* The answer z[n] arrives. */
static CURLcode wireArrive(WireEasy *p, const char *z, size_t n) {
  static const char zPlain[] =
      "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
      "x-ms-ccf-transaction-id: 2.50\r\n\r\n";
  size_t nHead;
  if( n > 5 && memcmp(z, "HTTP/", 5) == 0 ) {
    nHead = wireHead(p, z, n);
    if( nHead == 0 && n ) return CURLE_WRITE_ERROR;
    z += nHead;
    n -= nHead;
  } else {
    wireHead(p, zPlain, sizeof(zPlain) - 1);
  }
  if( n && !wireGive(p->xWrite, p->pWrite, z, n) ) return CURLE_WRITE_ERROR;
  return CURLE_OK;
}

/* One exchange, from its start to its end. */
static CURLcode wirePerform(WireEasy *p) {
  LedgerBuf answer = {0}, body = {0};
  WireRequest request;
  size_t n = 0;
  const char *z = wireServes ? "" : wireTake(&n);
  CURLcode rc = CURLE_COULDNT_CONNECT;
  int e = WIRE_ANSWERED;
  if( z == NULL ) return rc;
  if( !wireSend(p, &body) ) {
    rc = CURLE_ABORTED_BY_CALLBACK;
    goto out;
  }
  if( wireServes ) {
    request.zMethod = p->zMethod ? p->zMethod : p->bPost ? "POST" : "GET";
    request.zUrl = p->zUrl;
    request.zBody = body.z ? body.z : "";
    request.nBody = body.n;
    e = wireServes(&request, &answer);
    z = answer.z ? answer.z : "";
    n = answer.n;
  }
  rc = e == WIRE_ANSWERED ? wireArrive(p, z, n) : CURLE_RECV_ERROR;
out:
  ledgerBufFree(&answer);
  ledgerBufFree(&body);
  return rc;
}

CURLMcode curl_multi_perform(CURLM *h, int *pn) {
  WireEasy *p;
  *pn = 0;
  for( p = ((WireMulti *)h)->pFirst; p; p = p->pNext ) {
    if( p->bDone ) continue;
    p->msg.msg = CURLMSG_DONE;
    p->msg.easy_handle = p;
    p->msg.data.result = wirePerform(p);
    p->bDone = 1;
  }
  return CURLM_OK;
}

CURLMsg *curl_multi_info_read(CURLM *h, int *pn) {
  WireEasy *p;
  *pn = 0;
  for( p = ((WireMulti *)h)->pFirst; p; p = p->pNext ) {
    if( p->bDone != 1 ) continue;
    p->bDone = 2;
    return &p->msg;
  }
  return NULL;
}

CURLMcode curl_multi_poll(CURLM *h, struct curl_waitfd *aFd, unsigned nFd,
                          int ms, int *pn) {
  (void)h, (void)aFd, (void)nFd, (void)pn;
  wireNow += ms > 0 ? ms : 1;
  return CURLM_OK;
}

/* ---- statements ---------------------------------------------------------- */

/* A connection attaches so many ledgers in its life: 32,768 is the most. */
#define WIRE_ATTACHED 30000

sqlite3 *wireOpen(const char *zOptions) {
  static sqlite3 *db;
  static int nAttached;
  char *zSql =
      sqlite3_mprintf("SELECT ledger_attach('https://" WIRE_HOST "', 'main', "
                      "'{\"service_certificate\":\"" WIRE_SERVICE
                      "\",\"token\":\"" WIRE_TOKEN "\","
                      "\"timeout_ms\":2000,\"retry_budget_ms\":500%s%s}')",
                      zOptions ? "," : "", zOptions ? zOptions : "");
  int rc = SQLITE_OK;
  if( nAttached++ == WIRE_ATTACHED ) {
    fuzzCheck(sqlite3_close(db) == SQLITE_OK, "the connection is in use");
    db = NULL;
    nAttached = 1;
  }
  if( db == NULL ) {
    rc = sqlite3_open(":memory:", &db);
    if( rc == SQLITE_OK ) rc = sqlite3_ledger_init(db, NULL, NULL);
  }
  if( rc == SQLITE_OK ) rc = sqlite3_exec(db, zSql, NULL, NULL, NULL);
  if( rc ) fprintf(stderr, "wire: %s\n", db ? sqlite3_errmsg(db) : "no memory");
  fuzzCheck(rc == SQLITE_OK, "the module can't be used");
  sqlite3_free(zSql);
  return db;
}

void wireClose(sqlite3 *db) {
  fuzzCheck(
      sqlite3_exec(db, "SELECT ledger_detach('main')", NULL, NULL, NULL) == 0,
      "the ledger can't be detached");
}

int wireRun(sqlite3 *db, const char *zSql, int *pnRow) {
  sqlite3_stmt *pStmt = NULL;
  int rc = sqlite3_prepare_v2(db, zSql, -1, &pStmt, NULL);
  int n = 0, i;
  while( rc == SQLITE_OK && (rc = sqlite3_step(pStmt)) == SQLITE_ROW ) {
    for( i = 0; i < sqlite3_column_count(pStmt); i++ ) {
      const char *z;
      if( sqlite3_column_type(pStmt, i) != SQLITE_TEXT ) continue;
      z = (const char *)sqlite3_column_text(pStmt, i);
      fuzzCheck(ledgerUtf8Valid(z, (size_t)sqlite3_column_bytes(pStmt, i)),
                "a text is not UTF-8");
    }
    n++;
    rc = SQLITE_OK;
  }
  if( rc != SQLITE_DONE && rc != SQLITE_OK ) {
    const char *z = sqlite3_errmsg(db);
    fuzzCheck(z[0] != 0, "an error without words");
    fuzzCheck(ledgerUtf8Valid(z, strlen(z)), "an error is not UTF-8");
    fuzzCheck(strstr(z, WIRE_TOKEN) == NULL, "an error shows the token");
  }
  if( rc == SQLITE_DONE ) rc = SQLITE_OK;
  sqlite3_finalize(pStmt);
  if( pnRow ) *pnRow = n;
  return rc;
}

void wireOnce(const char *zSql) {
  sqlite3 *db = wireOpen(NULL);
  wireRun(db, zSql, NULL);
  wireClose(db);
}
