/*
** One HTTP exchange at a time and many at once: the only file that speaks to
** libcurl. It knows nothing about ledgers, retries or versions.
**
** Invariants
**   - https only (http with bPlain, which only the endpoints of managed
**     identities on this machine have), the certificate and the host name are
**     always checked, and redirects are never followed by libcurl;
**   - the ledger's own exchanges trust its service certificate alone: CAPATH
**     is NULL, since Debian's libcurl otherwise trusts the system's folder too;
**   - a request with bOnce hands its body over through a read function whose
**     seek function fails. libcurl repeats a request on a kept connection that
**     was closed; it then can't rewind, and the exchange fails instead;
**   - no answer's body grows beyond nMax bytes;
**   - what is read of bodies keeps to a budget (budget.c).
*/
#include "client/net/net.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTP_MAXAGE_SECONDS 30L     /* the service closes idle ones after 60 */
#define HTTP_MAXCONNECTS 64L        /* kept connections */
#define HTTP_MAX_HEADERS 16384      /* bytes of headers kept for the log */
#define HTTP_MAX_ALL_HEADERS 131072 /* more is broken off */

/* Where an answer's headers are: LedgerExchange.eHead. */
enum {
  HTTP_START = 0, /* before the status line */
  HTTP_HEADERS,
  HTTP_BODY /* behind the empty line */
};

struct LedgerHttp {
  CURLM *pMulti;
  int nRunning; /* exchanges added to pMulti */
  pid_t pid;    /* of the process whose connections these are */
  LedgerSockets sockets;
  LedgerBudget budget;
};

static void httpGlobalInit(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Makes the multi handle. */
static int httpOpen(LedgerHttp *p, LedgerError *pErr) {
  p->pMulti = curl_multi_init();
  if( p->pMulti == NULL ) return ledgerErrorNomem(pErr);
  curl_multi_setopt(p->pMulti, CURLMOPT_MAXCONNECTS, HTTP_MAXCONNECTS);
  p->pid = getpid();
  return LEDGER_OK;
}

/* Something is about to be closed. In a process forked since, the connections
** are the parent's: they are let go of without a word. */
static void httpClosing(LedgerHttp *p) {
  if( p->pid == getpid() ) return;
  ledgerSocketsLetGo(&p->sockets);
  p->pid = getpid();
}

int ledgerHttpNew(LedgerHttp **ppHttp, LedgerError *pErr) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  LedgerGuest guest;
  LedgerHttp *p;

  *ppHttp = NULL;
  ledgerGuestEnter(&guest);
  pthread_once(&once, httpGlobalInit);
  ledgerGuestLeave(&guest);
  p = calloc(1, sizeof(*p));
  if( p == NULL ) return ledgerErrorNomem(pErr);
  if( httpOpen(p, pErr) ) {
    free(p);
    return pErr->rc;
  }
  *ppHttp = p;
  return LEDGER_OK;
}

/* Closes all connections. All exchanges have been freed. NULL is allowed. */
void ledgerHttpFree(LedgerHttp *p) {
  LedgerGuest guest;
  if( p == NULL ) return;
  ledgerGuestEnter(&guest);
  httpClosing(p);
  curl_multi_cleanup(p->pMulti);
  ledgerGuestLeave(&guest);
  ledgerSocketsFree(&p->sockets);
  free(p);
}

/* Closes all connections where no exchange runs; returns LEDGER_BUSY, without
** an error set, where one does. */
int ledgerHttpReset(LedgerHttp *p, LedgerError *pErr) {
  LedgerGuest guest;
  if( p->nRunning > 0 ) return LEDGER_BUSY;
  ledgerGuestEnter(&guest);
  httpClosing(p);
  curl_multi_cleanup(p->pMulti);
  ledgerGuestLeave(&guest);
  return httpOpen(p, pErr);
}

/* ---- callbacks of libcurl ----------------------------------------------- */

static size_t httpWrite(char *z, size_t nSize, size_t nItem, void *pArg) {
  LedgerExchange *p = pArg;
  size_t n = nSize * nItem;
  if( (int64_t)n > p->nMax - (int64_t)p->body.n ) {
    p->bTooBig = 1;
    return 0;
  }
  if( !ledgerBudgetTake(&p->pHttp->budget, p, z, n) ) {
    return CURL_WRITEFUNC_PAUSE;
  }
  if( p->bWipe ) OPENSSL_cleanse(z, n);
  return p->body.bOom ? 0 : n;
}

static size_t httpRead(char *z, size_t nSize, size_t nItem, void *pArg) {
  LedgerExchange *p = pArg;
  size_t n = nSize * nItem;
  if( n > p->nBody - p->iBody ) n = p->nBody - p->iBody;
  if( n > 0 ) memcpy(z, p->zBody + p->iBody, n);
  p->iBody += n;
  return n;
}

/* A new connection. That of a session is never replaced. */
static curl_socket_t httpSocket(void *pArg, curlsocktype ePurpose,
                                struct curl_sockaddr *pAddr) {
  LedgerExchange *p = pArg;
  int fd;
  (void)ePurpose;
  if( p->pbHeld && *p->pbHeld ) {
    p->bHeldLost = 1;
    return CURL_SOCKET_BAD;
  }
  fd = socket(pAddr->family, pAddr->socktype | SOCK_CLOEXEC, pAddr->protocol);
  if( fd < 0 ) return CURL_SOCKET_BAD;
  ledgerSocketsAdd(&p->pHttp->sockets, fd);
  p->bOpened = 1;
  return fd;
}

static int httpSocketClose(void *pArg, curl_socket_t fd) {
  LedgerHttp *p = pArg;
  ledgerSocketsRemove(&p->sockets, fd);
  return close(fd);
}

static int httpSeek(void *pArg, curl_off_t iOffset, int eOrigin) {
  (void)pArg, (void)iOffset, (void)eOrigin;
  return CURL_SEEKFUNC_FAIL;
}

#if LIBCURL_VERSION_NUM >= 0x075000
/* The connection stands, through TLS and a proxy's tunnel: from now on the
** request may leave. A second time is libcurl's own repetition, on a kept
** connection that was closed, of what has no body to stop at. */
static int httpReady(void *pArg, char *zFrom, char *zTo, int iFrom, int iTo) {
  LedgerExchange *p = pArg;
  (void)zFrom, (void)zTo;
  if( p->bReady && p->bOnce && ledgerExchangeLeft(p) ) {
    return CURL_PREREQFUNC_ABORT;
  }
  if( p->bOnce && !p->bReady && !p->bOpened &&
      ledgerSocketsWait(&p->pHttp->sockets, iTo, iFrom) ) {
    p->bStale = 1;
    return CURL_PREREQFUNC_ABORT;
  }
  if( !p->bReady ) {
    curl_easy_getinfo(p->pEasy, CURLINFO_REQUEST_SIZE, &p->nBefore);
  }
  p->bReady = 1;
  return CURL_PREREQFUNC_OK;
}
#endif

/* Content-Length. libcurl lets the last of several count: where they differ,
** none is to be believed. Returns 0 then. */
static int httpLength(LedgerExchange *p, const char *z, size_t n) {
  static const char zLength[] = "content-length:";
  int64_t nLength = 0;
  size_t i = sizeof(zLength) - 1;
  if( n <= i || ledgerStrnicmp(z, zLength, i) != 0 ) return 1;
  for( ; i < n; i++ ) {
    if( z[i] < '0' || z[i] > '9' || nLength > INT64_MAX / 10 - 9 ) continue;
    nLength = nLength * 10 + (z[i] - '0');
  }
  p->bUnequal = p->nLength >= 0 && p->nLength != nLength;
  p->nLength = nLength;
  return !p->bUnequal;
}

/* The id in a header. Of two that differ neither is believed. */
static void httpId(LedgerExchange *p, const char *z, size_t n) {
  LedgerTxid id = {0, 0};
  ledgerTxidParse(z, n, &id);
  if( p->nId++ == 0 ) {
    p->head = id;
  } else if( p->bTwoIds || id.view != p->head.view ||
             id.seqno != p->head.seqno ) {
    p->bTwoIds = 1;
    memset(&p->head, 0, sizeof(p->head));
  }
}

/* Keeps the headers that are asked for. A 1xx answer's are forgotten, and what
** stands behind a body in pieces (trailers) is not a header. */
static size_t httpHeader(char *z, size_t nSize, size_t nItem, void *pArg) {
  static const char zId[] = "x-ms-ccf-transaction-id:";
  static const char zLocation[] = "location:";
  static const char zOperation[] = "x-ms-webfe-operation-id:";
  static const char zAfter[] = "retry-after-ms:";
  static const char zChallenge[] = "www-authenticate:";
  static const char zDate[] = "date:";
  LedgerExchange *p = pArg;
  const size_t nAll = nSize * nItem;
  size_t n = nAll;
  size_t i;

  p->nHeader += nAll;
  if( p->nHeader > HTTP_MAX_ALL_HEADERS ) {
    p->bLongHeaders = 1;
    return 0;
  }
  while( n > 0 && (unsigned char)z[n - 1] <= ' ' ) n--;
  if( p->eHead == HTTP_BODY ) return nAll;
  if( n == 0 ) {
    p->eHead = p->bInterim ? HTTP_START : HTTP_BODY;
  } else if( p->eHead == HTTP_START && n > 9 && memcmp(z, "HTTP/", 5) == 0 ) {
    p->eHead = HTTP_HEADERS;
    p->bInterim = z[9] == '1';
    /* A node that fails may be about to close; what comes next would be lost
    ** in between. A session holds its connection as long as it can. */
    if( z[9] == '5' && p->pbHeld == NULL ) {
      curl_easy_setopt(p->pEasy, CURLOPT_FORBID_REUSE, 1L);
    }
    p->nId = p->bTwoIds = 0;
    p->head.view = p->head.seqno = 0;
    p->msRetryAfter = -1;
    p->tDate = -1;
    p->nLength = -1;
    ledgerBufReset(&p->location);
    ledgerBufReset(&p->operation);
    ledgerBufReset(&p->headers);
    ledgerBufReset(&p->challenge);
  } else if( !httpLength(p, z, n) ) {
    return 0;
  } else if( n >= sizeof(zId) &&
             ledgerStrnicmp(z, zId, sizeof(zId) - 1) == 0 ) {
    i = sizeof(zId) - 1;
    while( i < n && z[i] == ' ' ) i++;
    httpId(p, z + i, n - i);
  } else if( n >= sizeof(zLocation) &&
             ledgerStrnicmp(z, zLocation, sizeof(zLocation) - 1) == 0 ) {
    i = sizeof(zLocation) - 1;
    while( i < n && z[i] == ' ' ) i++;
    ledgerBufReset(&p->location);
    ledgerBufAppend(&p->location, z + i, n - i);
  } else if( n >= sizeof(zChallenge) && p->challenge.n < 8192 &&
             ledgerStrnicmp(z, zChallenge, sizeof(zChallenge) - 1) == 0 ) {
    i = sizeof(zChallenge) - 1;
    while( i < n && z[i] == ' ' ) i++;
    if( p->challenge.n ) ledgerBufText(&p->challenge, ", ");
    ledgerBufAppend(&p->challenge, z + i, n - i);
  } else if( n >= sizeof(zDate) && n < 64 &&
             ledgerStrnicmp(z, zDate, sizeof(zDate) - 1) == 0 ) {
    char zCopy[64];
    memcpy(zCopy, z + sizeof(zDate) - 1, n - (sizeof(zDate) - 1));
    zCopy[n - (sizeof(zDate) - 1)] = 0;
    p->tDate = (int64_t)curl_getdate(zCopy, NULL);
  } else if( n >= sizeof(zOperation) &&
             ledgerStrnicmp(z, zOperation, sizeof(zOperation) - 1) == 0 ) {
    i = sizeof(zOperation) - 1;
    while( i < n && z[i] == ' ' ) i++;
    ledgerBufReset(&p->operation);
    if( n - i <= 256 ) ledgerBufAppend(&p->operation, z + i, n - i);
  }
  /* Azure's own: retry-after-ms, x-ms-retry-after-ms. */
  i = n > 5 && ledgerStrnicmp(z, "x-ms-", 5) == 0 ? 5 : 0;
  if( n - i >= sizeof(zAfter) &&
      ledgerStrnicmp(z + i, zAfter, sizeof(zAfter) - 1) == 0 ) {
    int64_t ms = 0;
    for( i += sizeof(zAfter) - 1; i < n && z[i] == ' '; ) i++;
    for( ; i < n && z[i] >= '0' && z[i] <= '9' && ms < INT_MAX / 10; i++ ) {
      ms = ms * 10 + (z[i] - '0');
    }
    if( i == n ) p->msRetryAfter = (int)ms;
  }
  if( p->bKeepHeaders && p->headers.n + n < HTTP_MAX_HEADERS ) {
    ledgerBufAppend(&p->headers, z, n);
    ledgerBufText(&p->headers, "\n");
  }
  return nAll;
}

/* ---- exchanges ---------------------------------------------------------- */

/* Adds a header line; the copy that libcurl makes is wiped when it is freed. */
static int httpAddHeader(LedgerExchange *p, const char *z, LedgerError *pErr) {
  struct curl_slist *pNew = curl_slist_append(p->pHeader, z);
  if( pNew == NULL ) return ledgerErrorNomem(pErr);
  p->pHeader = pNew;
  return LEDGER_OK;
}

/* The request's header lines. */
static int httpSetHeaders(LedgerExchange *p, const LedgerWire *pWire,
                          LedgerError *pErr) {
  LedgerBuf line = {0};
  int i;

  if( httpAddHeader(p, "Accept: application/json", pErr) ) goto out;
  if( httpAddHeader(p, "Expect:", pErr) ) goto out;
  if( pWire->zType ) {
    ledgerBufPrintf(&line, "Content-Type: %s", pWire->zType);
    if( line.bOom || httpAddHeader(p, line.z, pErr) ) goto out;
    ledgerBufReset(&line);
  }
  if( pWire->zToken ) {
    ledgerBufPrintf(&line, "Authorization: Bearer %s", pWire->zToken);
    if( line.bOom || httpAddHeader(p, line.z, pErr) ) goto out;
  }
  for( i = 0; i < 2 && pWire->azHeader; i++ ) {
    if( pWire->azHeader[i] == NULL ) continue;
    if( httpAddHeader(p, pWire->azHeader[i], pErr) ) goto out;
  }
out:
  if( line.bOom ) ledgerErrorNomem(pErr);
  if( line.z ) OPENSSL_cleanse(line.z, line.nAlloc);
  ledgerBufFree(&line);
  return pErr->rc;
}

/* A PEM text for libcurl, which copies it and does not wipe the copy. */
static struct curl_blob httpBlob(const char *z) {
  struct curl_blob b;
  b.data = (void *)(uintptr_t)z;
  b.len = strlen(z);
  b.flags = CURL_BLOB_COPY;
  return b;
}

/* CURLOPT_SSL_CTX_FUNCTION: the chain is looked at, and alerts are heard. */
static CURLcode httpSslCtx(CURL *pEasy, void *pCtx, void *pArg) {
  LedgerExchange *p = pArg;
  (void)pEasy;
  if( p->xVerify && !p->xVerify(pCtx, p->pVerifyArg) )
    return CURLE_OUT_OF_MEMORY;
  return ledgerAlertListen(pCtx, p) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* Whom to trust, and the client's own certificate. */
static CURLcode httpSetTls(CURL *h, LedgerExchange *p,
                           const LedgerWire *pWire) {
  CURLcode rc = CURLE_OK;
  struct curl_blob b;

#define SET(opt, val) \
  if( rc == CURLE_OK ) rc = curl_easy_setopt(h, (opt), (val))
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  /* A resumed session shows no certificate: its dates would go unseen. Nor
  ** would it save much (doc/decisions.md). */
  SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
  SET(CURLOPT_SSL_CTX_FUNCTION, httpSslCtx);
  SET(CURLOPT_SSL_CTX_DATA, p);
  if( pWire->zCaFile ) {
    b = httpBlob(pWire->zCaFile);
    SET(CURLOPT_CAINFO_BLOB, &b);
    SET(CURLOPT_CAINFO, NULL);
    SET(CURLOPT_CAPATH, NULL);
  }
  if( pWire->zCertificate ) {
    p->zKey = ledgerStrdup(pWire->zKey);
    if( p->zKey == NULL ) return CURLE_OUT_OF_MEMORY;
    b = httpBlob(pWire->zCertificate);
    SET(CURLOPT_SSLCERT_BLOB, &b);
    SET(CURLOPT_SSLCERTTYPE, "PEM");
    b = httpBlob(p->zKey);
    b.flags = CURL_BLOB_NOCOPY; /* ours lives as long as the handle */
    SET(CURLOPT_SSLKEY_BLOB, &b);
    SET(CURLOPT_SSLKEYTYPE, "PEM");
    SET(CURLOPT_KEYPASSWD, ""); /* or OpenSSL asks on the terminal */
  }
  return rc;
}

/* What all exchanges have in common, and the method. */
static CURLcode httpSetRequest(CURL *h, LedgerExchange *p,
                               const LedgerWire *pWire) {
  CURLcode rc = CURLE_OK;

  SET(CURLOPT_PRIVATE, p);
  SET(CURLOPT_ERRORBUFFER, p->zError);
  SET(CURLOPT_URL, pWire->zUrl);
  /* Where memory is short libcurl may send a URL without its query. */
  SET(CURLOPT_REQUEST_TARGET, p->url.zRest);
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, pWire->bPlain ? "http,https" : "https");
#else
  SET(CURLOPT_PROTOCOLS,
      (long)(CURLPROTO_HTTPS | (pWire->bPlain ? CURLPROTO_HTTP : 0)));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L);
#endif
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_TCP_NODELAY, 1L);
  SET(CURLOPT_MAXAGE_CONN, HTTP_MAXAGE_SECONDS);
  SET(CURLOPT_USERAGENT, "sqlite-ledger");
  SET(CURLOPT_HTTPHEADER, p->pHeader);
  SET(CURLOPT_HEADERFUNCTION, httpHeader);
  SET(CURLOPT_HEADERDATA, p);
  SET(CURLOPT_WRITEFUNCTION, httpWrite);
  SET(CURLOPT_WRITEDATA, p);
  if( pWire->bFresh ) SET(CURLOPT_FRESH_CONNECT, 1L);
  SET(CURLOPT_OPENSOCKETFUNCTION, httpSocket);
  SET(CURLOPT_OPENSOCKETDATA, p);
  SET(CURLOPT_CLOSESOCKETFUNCTION, httpSocketClose); /* outlives p */
  SET(CURLOPT_CLOSESOCKETDATA, p->pHttp);
  if( pWire->msConnect ) {
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)pWire->msConnect);
  }
  if( p->bDirect ) SET(CURLOPT_PROXY, "");
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's are not the answer */
#if LIBCURL_VERSION_NUM >= 0x075000
  SET(CURLOPT_PREREQFUNCTION, httpReady);
  SET(CURLOPT_PREREQDATA, p);
#else
  p->bReady = 1;
#endif
  if( pWire->zType ) { /* it has a body */
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)pWire->nBody);
    if( pWire->bOnce ) {
      SET(CURLOPT_READFUNCTION, httpRead);
      SET(CURLOPT_READDATA, p);
      SET(CURLOPT_SEEKFUNCTION, httpSeek);
      SET(CURLOPT_SEEKDATA, p);
    } else {
      SET(CURLOPT_POSTFIELDS, pWire->zBody);
    }
  }
  if( strcmp(pWire->zMethod, pWire->zType ? "POST" : "GET") != 0 ) {
    SET(CURLOPT_CUSTOMREQUEST, pWire->zMethod);
  }
#undef SET
  return rc;
}

/*
** Starts an exchange; *ppEx is the caller's. ledgerExchangeEnded() says when it
** is over, behind ledgerHttpPerform().
*/
int ledgerHttpStart(LedgerHttp *pHttp, const LedgerWire *pWire,
                    LedgerExchange **ppEx, LedgerError *pErr) {
  LedgerExchange *p = calloc(1, sizeof(*p));
  CURLcode rcCurl;
  int rc;

  *ppEx = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  p->pHttp = pHttp;
  p->zBody = pWire->zBody;
  p->nBody = pWire->nBody;
  p->nMax = pWire->nMax;
  p->pbHeld = pWire->pbHeld;
  rc = ledgerUrlRead(NULL, pWire->zUrl, LEDGER_URL_HTTP, &p->url);
  if( rc == LEDGER_NOMEM ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  if( rc ) {
    ledgerErrorSet(pErr, LEDGER_ERROR, "a request can't be sent to its URL");
    goto out;
  }
  p->bDirect = pWire->bPlain || ledgerUrlIsLoopback(&p->url);
  p->msConnect = pWire->msConnect;
  p->bCertificate = pWire->zCertificate != NULL;
  p->bOnce = pWire->bOnce;
  p->bKeepHeaders = pWire->bKeepHeaders;
  p->bCanWait = pWire->bCanWait;
  p->bWipe = pWire->xVerify == NULL;
  p->xVerify = pWire->xVerify;
  p->pVerifyArg = pWire->pVerifyArg;
  p->msRetryAfter = -1;
  p->tDate = -1;
  p->nLength = -1;
  p->pEasy = curl_easy_init();
  if( p->pEasy == NULL ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  if( httpSetHeaders(p, pWire, pErr) ) goto out;
  rcCurl = httpSetRequest(p->pEasy, p, pWire);
  if( rcCurl == CURLE_OK ) rcCurl = httpSetTls(p->pEasy, p, pWire);
  if( rcCurl == CURLE_OUT_OF_MEMORY ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  if( rcCurl != CURLE_OK ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "libcurl refuses an option (its code %d)", (int)rcCurl);
    goto out;
  }
  if( curl_multi_add_handle(pHttp->pMulti, p->pEasy) != CURLM_OK ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  p->bAdded = 1;
  pHttp->nRunning++;
  *ppEx = p;
  p = NULL;
out:
  ledgerExchangeFree(p);
  return pErr->rc;
}

/* Takes the results of a finished exchange over. */
static void httpFinish(LedgerExchange *p, CURLcode rc) {
  long iHttp = 0;
  curl_off_t nSecond = 0;

  /* libcurl takes an answer for whole that was cut within its headers. */
  if( rc == CURLE_OK && p->eHead != HTTP_BODY ) rc = CURLE_PARTIAL_FILE;
  /* What libcurl calls no connection is one that was closed. */
  if( rc == CURLE_COULDNT_CONNECT && p->bHeldLost ) rc = CURLE_GOT_NOTHING;
  if( p->bStale ) rc = CURLE_GOT_NOTHING;
  if( p->bNoMemory && rc != CURLE_OK ) rc = CURLE_OUT_OF_MEMORY;
  p->bDone = 1;
  p->rc = rc;
  ledgerBudgetFit(&p->body);
  curl_easy_getinfo(p->pEasy, CURLINFO_RESPONSE_CODE, &iHttp);
  p->http = (int)iHttp;
  /* libcurl reads a number of seconds and a date. */
  if( p->msRetryAfter < 0 &&
      curl_easy_getinfo(p->pEasy, CURLINFO_RETRY_AFTER, &nSecond) == CURLE_OK &&
      nSecond > 0 ) {
    p->msRetryAfter = nSecond > INT_MAX / 1000 ? INT_MAX : (int)nSecond * 1000;
  }
  if( rc != CURLE_OK ) {
    curl_easy_getinfo(p->pEasy, CURLINFO_SSL_VERIFYRESULT, &p->iVerify);
    p->bSent = ledgerExchangeLeft(p);
    ledgerFailureRead(p);
  }
}

/* Whether anything of the request may have left this machine. libcurl counts
** what it says to a proxy too. */
int ledgerExchangeLeft(LedgerExchange *p) {
  long nSent = 0;
  if( p == NULL || !p->bReady ) return 0;
  if( p->iBody > 0 ) return 1;
  curl_easy_getinfo(p->pEasy, CURLINFO_REQUEST_SIZE, &nSent);
  return nSent > p->nBefore;
}

/* Whether an exchange is over. It is where OpenSSL had no memory for its
** handshake: libcurl (7.88) takes that for a server that hasn't answered yet,
** and asks OpenSSL again at once, and for ever. */
int ledgerExchangeEnded(LedgerExchange *p) {
  if( p->bNoMemory && !p->bDone ) httpFinish(p, CURLE_OUT_OF_MEMORY);
  return p->bDone;
}

/* What libcurl's multi handle fails with. */
static int httpFailed(CURLMcode rc, LedgerError *pErr) {
  if( rc == CURLM_OUT_OF_MEMORY ) return ledgerErrorNomem(pErr);
  return ledgerErrorSet(pErr, LEDGER_IOERR,
                        "libcurl failed with its multi code %d", (int)rc);
}

/* Moves all exchanges on without waiting. */
int ledgerHttpPerform(LedgerHttp *p, LedgerError *pErr) {
  LedgerGuest guest;
  CURLMcode rc;
  CURLMsg *pMsg;
  int n = 0;

  if( p->nRunning == 0 ) return LEDGER_OK;
  ledgerGuestEnter(&guest);
  ledgerBudgetResume(&p->budget);
  rc = curl_multi_perform(p->pMulti, &n);
  ledgerGuestLeave(&guest);
  if( rc != CURLM_OK ) return httpFailed(rc, pErr);
  while( (pMsg = curl_multi_info_read(p->pMulti, &n)) != NULL ) {
    char *pPrivate = NULL;
    void *pEx;
    if( pMsg->msg != CURLMSG_DONE ) continue;
    curl_easy_getinfo(pMsg->easy_handle, CURLINFO_PRIVATE, &pPrivate);
    pEx = pPrivate;
    if( pEx ) httpFinish(pEx, pMsg->data.result);
  }
  return LEDGER_OK;
}

/* Waits until something can be done, at most ms milliseconds. */
int ledgerHttpPoll(LedgerHttp *p, int ms, LedgerError *pErr) {
  CURLMcode rc = curl_multi_poll(p->pMulti, NULL, 0, ms, NULL);
  return rc == CURLM_OK ? LEDGER_OK : httpFailed(rc, pErr);
}

void ledgerExchangeFigures(const LedgerExchange *p, double *pMs,
                           int64_t *pnByte, int *piPort) {
  curl_off_t us = 0, nByte = 0;
  long iPort = 0;
  curl_easy_getinfo(p->pEasy, CURLINFO_TOTAL_TIME_T, &us);
  curl_easy_getinfo(p->pEasy, CURLINFO_SIZE_DOWNLOAD_T, &nByte);
  curl_easy_getinfo(p->pEasy, CURLINFO_LOCAL_PORT, &iPort);
  *pMs = (double)us / 1000;
  *pnByte = (int64_t)nByte;
  *piPort = (int)iPort;
}

/* How many exchanges run. */
int ledgerHttpRunning(const LedgerHttp *p) {
  return p->nRunning;
}

/* So many bytes of bodies are kept (below 0: no more) by who has read them. */
void ledgerHttpHold(LedgerHttp *p, int64_t n) {
  p->budget.nHeld += n;
}

/* Ends an exchange where it runs, and frees it. NULL is allowed. */
void ledgerExchangeFree(LedgerExchange *p) {
  struct curl_slist *pLine;
  LedgerGuest guest;
  if( p == NULL ) return;
  ledgerGuestEnter(&guest);
  httpClosing(p->pHttp);
  ledgerBudgetGive(&p->pHttp->budget, p);
  if( p->bAdded ) {
    curl_multi_remove_handle(p->pHttp->pMulti, p->pEasy);
    p->pHttp->nRunning--;
  }
  ledgerAlertLetGo(p);
  if( p->pEasy ) curl_easy_cleanup(p->pEasy);
  ledgerGuestLeave(&guest);
  for( pLine = p->pHeader; pLine; pLine = pLine->next ) {
    OPENSSL_cleanse(pLine->data, strlen(pLine->data));
  }
  curl_slist_free_all(p->pHeader);
  ledgerSecretFree(p->zKey); /* libcurl has done with it */
  ledgerUrlClear(&p->url);
  ledgerBufFree(&p->location);
  ledgerBufFree(&p->operation);
  ledgerBufFree(&p->headers);
  ledgerBufFree(&p->challenge);
  ledgerBufFree(&p->body);
  free(p);
}
