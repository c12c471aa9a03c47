/*
** What was asked: the last LOG_RING exchanges of a ledger, which the table
** ledger_http shows, and the log, which option `log` switches.
**
**   log = off | info | debug, or one with " stderr" or " file:PATH" behind it
**
** info writes a line for each exchange at its end, debug its headers and
** bodies too; to stderr, or appended to PATH, which is a regular file. Issues
** no request.
**
** Redaction is by construction: only what a list here names is written out,
** all else becomes ***. So a header, parameter or member that nobody has
** thought of is hidden. What is written is searched for the secrets at hand
** once more, since a server may echo one in a text.
*/
#include "client/clientInt.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_RING 512      /* exchanges remembered */
#define LOG_MAX_PATH 1024 /* bytes of a path kept */
#define LOG_MAX_BODY 4096 /* bytes of a body written */
#define LOG_HIDDEN "***"

/* Levels. */
enum {
  LOG_OFF = 0,
  LOG_INFO,
  LOG_DEBUG
};

struct LedgerLog {
  int64_t n;                     /* exchanges so far */
  LedgerRequest aRing[LOG_RING]; /* texts: malloc'd */
  char *zFile;                   /* path behind fd, or NULL */
  int fd;                        /* open for appending, or -1 */
  int bFailed;                   /* it can't be written: said once */
};

/* Query and form parameters whose values are written. */
static const char *const azParam[] = {"api-version",
                                      "collectionId",
                                      "subLedgerId",
                                      "fromTransactionId",
                                      "toTransactionId",
                                      "tag",
                                      "tags",
                                      "waitForCommit",
                                      "grant_type",
                                      "client_id",
                                      "scope",
                                      "resource",
                                      "object_id",
                                      "principal_id",
                                      "msi_res_id",
                                      "mi_res_id",
                                      "client_assertion_type",
                                      NULL};

/* Headers whose values are written. */
static const char *const azHeader[] = {"Accept",
                                       "Allow",
                                       "Connection",
                                       "Content-Length",
                                       "Content-Type",
                                       "Date",
                                       "Location",
                                       "Metadata",
                                       "Retry-After",
                                       "Server",
                                       "Transfer-Encoding",
                                       "User-Agent",
                                       "x-ms-ccf-transaction-id",
                                       "x-ms-webfe-operation-id",
                                       NULL};

/* Members of JSON whose texts and numbers are written; the elements of an
** array go by the array's name. */
static const char *const azMember[] = {
    /* entries, transactions and pages */
    "contents", "collectionId", "subLedgerId", "transactionId", "tags", "state",
    "nextLink", "@nextLink", "operationId", "status", "collections",
    /* errors */
    "code", "message", "error", "error_description", "error_codes",
    /* users, roles, members, identities */
    "userId", "assignedRole", "assignedRoles", "roleName", "roleActions",
    "ledgerId", "ledgerTlsCertificate", "failoverLedgers", "certificate", "id",
    "nodeId", "quoteVersion", "mrenclave", "digest", "currentNodeId",
    /* receipts */
    "cert", "commitEvidence", "writeSetDigest", "claimsDigest", "left", "right",
    "leaf", "signature", "serviceEndorsements", "kind", "protocol", "value",
    /* tokens, but the token itself */
    "token_type", "expires_in", "expires_on", "ext_expires_in", "not_before",
    "refresh_in", "resource", "client_id", NULL};

static int logListed(const char *const *azList, const char *z, size_t n) {
  int i;
  for( i = 0; azList[i]; i++ ) {
    if( strlen(azList[i]) == n && ledgerStrnicmp(azList[i], z, n) == 0 )
      return 1;
  }
  return 0;
}

/* ---- redaction --------------------------------------------------------- */

/* Appends a=b&c=d; what the list doesn't name becomes ***. */
static void logParams(LedgerBuf *p, const char *z, size_t n) {
  const char *zEnd = z + n;
  while( z < zEnd ) {
    const char *zAmp = memchr(z, '&', (size_t)(zEnd - z));
    size_t nPart = (size_t)((zAmp ? zAmp : zEnd) - z);
    const char *zEq = memchr(z, '=', nPart);
    size_t nName = zEq ? (size_t)(zEq - z) : nPart;
    if( zEq == NULL ) {
      ledgerBufText(p, LOG_HIDDEN);
    } else if( logListed(azParam, z, nName) ) {
      ledgerBufAppend(p, z, nPart);
    } else {
      ledgerBufAppend(p, z, nName + 1);
      ledgerBufText(p, LOG_HIDDEN);
    }
    if( zAmp ) ledgerBufText(p, "&");
    z += nPart + 1;
  }
}

/* Appends a URL: its query by logParams(), and no user, password, fragment. */
static void logUrl(LedgerBuf *p, const char *z, size_t n) {
  size_t i, iQuery, iHost = 0;
  for( i = 0; i + 3 <= n && memcmp(z + i, "://", 3) != 0; i++ ) {
    if( strchr("/?#", z[i]) ) break;
  }
  if( i + 3 <= n && memcmp(z + i, "://", 3) == 0 ) {
    for( iHost = i + 3; i < n && !strchr("?#", z[i]); i++ ) {
      if( z[i] == '@' ) {
        ledgerBufAppend(p, z, iHost);
        z += i + 1;
        n -= i + 1;
        break;
      }
      if( z[i] == '/' && i >= iHost ) break;
    }
  }
  for( iQuery = 0; iQuery < n && !strchr("?#", z[iQuery]); ) iQuery++;
  ledgerBufAppend(p, z, iQuery);
  if( iQuery == n || z[iQuery] == '#' ) return;
  z += iQuery + 1;
  n -= iQuery + 1;
  for( i = 0; i < n && z[i] != '#'; ) i++;
  ledgerBufText(p, "?");
  logParams(p, z, i);
}

/* Appends a JSON value; zName is the member it stands under. */
static void logJson(LedgerBuf *p, LedgerJson *pDoc, cJSON *pVal,
                    const char *zName) {
  const int bShown = logListed(azMember, zName, strlen(zName));
  cJSON *pItem;
  if( p->n > LOG_MAX_BODY ) return;
  if( cJSON_IsObject(pVal) || cJSON_IsArray(pVal) ) {
    const int bObject = cJSON_IsObject(pVal);
    ledgerBufText(p, bObject ? "{" : "[");
    for( pItem = pVal->child; pItem && p->n <= LOG_MAX_BODY;
         pItem = pItem->next ) {
      if( pItem != pVal->child ) ledgerBufText(p, ",");
      if( bObject ) {
        ledgerBufJson(p, pItem->string, strlen(pItem->string));
        ledgerBufText(p, ":");
      }
      logJson(p, pDoc, pItem, bObject ? pItem->string : zName);
    }
    ledgerBufText(p, bObject ? "}" : "]");
  } else if( cJSON_IsBool(pVal) ) {
    ledgerBufText(p, cJSON_IsTrue(pVal) ? "true" : "false");
  } else if( cJSON_IsNull(pVal) ) {
    ledgerBufText(p, "null");
  } else if( !bShown ) {
    ledgerBufText(p, "\"" LOG_HIDDEN "\"");
  } else if( cJSON_IsNumber(pVal) ) {
    ledgerBufNumber(p, pVal->valuedouble, -1);
  } else {
    size_t n = 0;
    const char *z = ledgerJsonText(pDoc, pVal, &n);
    if( z && ledgerStrnicmp(zName, "nextLink", 8) == 0 ) {
      LedgerBuf link = {0};
      logUrl(&link, z, n);
      ledgerBufJson(p, link.z ? link.z : "", link.n);
      ledgerBufFree(&link);
    } else {
      ledgerBufJson(p, z ? z : "", z ? n : 0);
    }
  }
}

/* Appends a body, redacted and clipped, as one line behind zMark. */
static void logBody(LedgerBuf *p, const char *zMark, const char *zType,
                    const char *z, size_t n) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  LedgerBuf text = {0};

  if( n == 0 ) return;
  if( zType && strncmp(zType, "application/x-www-form", 22) == 0 ) {
    logParams(&text, z, n);
  } else if( ledgerJsonParse(z, n, "body", &pDoc, &err) == LEDGER_OK ) {
    logJson(&text, pDoc, ledgerJsonRoot(pDoc), "");
  } else {
    ledgerBufPrintf(&text, "(%zu bytes that are no JSON)", n);
  }
  if( text.n > LOG_MAX_BODY ) {
    size_t i = LOG_MAX_BODY;
    while( i > 0 && ((unsigned char)text.z[i] & 0xc0) == 0x80 ) i--;
    text.z[i] = 0;
    text.n = i;
    ledgerBufText(&text, "...");
  }
  ledgerBufPrintf(p, "%s%s (%zu bytes)\n", zMark, text.z ? text.z : "", n);
  ledgerBufFree(&text);
  ledgerJsonFree(pDoc);
  ledgerErrorClear(&err);
}

/* Appends a header line; its value where the list names the header. */
static void logHeader(LedgerBuf *p, const char *zMark, const char *z,
                      size_t n) {
  const char *zColon = memchr(z, ':', n);
  char zValue[1024];
  size_t nName = zColon ? (size_t)(zColon - z) : n;

  while( n > 0 && (unsigned char)z[n - 1] <= ' ' ) n--;
  if( n == 0 ) return;
  if( zColon == NULL ) { /* HTTP/1.1 200 OK */
    ledgerTextClean(z, n, zValue, sizeof(zValue));
    ledgerBufPrintf(p, "%s%s\n", zMark, zValue);
    return;
  }
  z = zColon + 1;
  n = n > nName + 1 ? n - nName - 1 : 0;
  while( n > 0 && *z == ' ' ) z++, n--;
  if( n == 0 ) return;
  ledgerTextClean(zColon - nName, nName, zValue, 128);
  ledgerBufPrintf(p, "%s%s: ", zMark, zValue);
  if( nName == 8 && ledgerStrnicmp(zColon - 8, "Location", 8) == 0 ) {
    LedgerBuf url = {0};
    logUrl(&url, z, n);
    ledgerTextClean(url.z ? url.z : "", url.n, zValue, sizeof(zValue));
    ledgerBufFree(&url);
  } else if( logListed(azHeader, zColon - nName, nName) ) {
    ledgerTextClean(z, n, zValue, sizeof(zValue));
  } else {
    memcpy(zValue, LOG_HIDDEN, sizeof(LOG_HIDDEN));
  }
  ledgerBufPrintf(p, "%s\n", zValue);
}

/* Takes all secrets out that the client knows. */
static void logScrubAll(LedgerClient *p, const LedgerCall *pCall,
                        LedgerBuf *pBuf) {
  const char *z;
  int i;
  if( pBuf->z == NULL ) return;
  ledgerSecretsHide(pCall, pBuf->z);
  for( i = 0; ledgerConfigSecret(p->pConfig, i, &z); i++ ) {
    ledgerSecretHide(pBuf->z, z);
  }
  pBuf->n = strlen(pBuf->z);
}

/* ---- the ring ---------------------------------------------------------- */

LedgerLog *ledgerLogNew(void) {
  LedgerLog *p = calloc(1, sizeof(*p));
  if( p ) p->fd = -1;
  return p;
}

static void logClearRequest(LedgerRequest *p) {
  free(p->zMethod);
  free(p->zHost);
  free(p->zPath);
  free(p->zError);
  memset(p, 0, sizeof(*p));
}

void ledgerLogFree(LedgerLog *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < LOG_RING; i++ ) logClearRequest(&p->aRing[i]);
  if( p->fd >= 0 ) close(p->fd);
  free(p->zFile);
  free(p);
}

const LedgerRequest *ledgerClientRequest(const LedgerClient *p, int i) {
  const LedgerLog *pLog = p->pLog;
  int64_t n = pLog->n < LOG_RING ? pLog->n : LOG_RING;
  if( i < 0 || i >= n ) return NULL;
  return &pLog->aRing[(pLog->n - n + i) % LOG_RING];
}

/* Milliseconds since 1970. */
static int64_t logWall(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Puts a request into the ring, and takes *pNew's texts over. */
static const LedgerRequest *logRemember(LedgerLog *p, LedgerRequest *pNew) {
  LedgerRequest *pSlot = &p->aRing[p->n % LOG_RING];
  logClearRequest(pSlot);
  pNew->n = ++p->n;
  pNew->tWall = logWall();
  *pSlot = *pNew;
  return pSlot;
}

/* ---- the log ----------------------------------------------------------- */

/* Reads the option's value: its level, and the path, or NULL for stderr. -1: it
** can't be. */
static int logLevel(const char *z, const char **pzFile) {
  static const char *const azLevel[] = {"off", "info", "debug"};
  size_t n = strcspn(z, " ");
  int i;
  *pzFile = NULL;
  for( i = 0; i < 3; i++ ) {
    if( strlen(azLevel[i]) == n && memcmp(azLevel[i], z, n) == 0 ) break;
  }
  z += n + strspn(z + n, " ");
  if( *z && strcmp(z, "stderr") != 0 ) {
    if( strncmp(z, "file:", 5) != 0 || z[5] == 0 ) return -1;
    *pzFile = z + 5;
  }
  return i < 3 ? i : -1;
}

/*
** Opens a regular file, or returns -1 and says why. A log may hold what entries
** say: only its owner reads it, and it goes where its path says, not where a
** link in that place leads. What is no regular file may block, or end the
** process by SIGPIPE.
*/
static int logOpen(const char *zFile, const char **pzWhy) {
  struct stat st;
  int fd = open(zFile,
                O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
                    O_NOFOLLOW | O_NONBLOCK,
                0600);
  const int e = errno;
  if( fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ) return fd;
  if( fd >= 0 || e == ENXIO ) {
    *pzWhy = "it is no regular file (log = 'info stderr' writes to stderr)";
  } else if( e == ELOOP ) {
    *pzWhy = "it is a symbolic link";
  } else {
    *pzWhy = ledgerSystemError(e);
  }
  if( fd >= 0 ) close(fd);
  return -1;
}

int ledgerLogCheck(const char *zValue, LedgerError *pErr) {
  const char *zFile, *zWhy = "";
  int e = logLevel(zValue, &zFile);
  int fd;
  if( e < 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "option log: '%.64s' is none of: off, info, debug, "
                          "or one of them with ' stderr' or ' file:PATH' "
                          "behind it",
                          zValue);
  }
  if( zFile == NULL || e == LOG_OFF ) return LEDGER_OK;
  fd = logOpen(zFile, &zWhy);
  if( fd < 0 ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR,
                          "option log: cannot write to '%.400s': %s", zFile,
                          zWhy);
  }
  close(fd);
  return LEDGER_OK;
}

/* Whether the open file is still the one of that name: whoever moved or removed
** it (logrotate) wants the next line in a new one. */
static int logIsOpen(const LedgerLog *p, const char *zFile) {
  struct stat here, there;
  return p->fd >= 0 && p->zFile && strcmp(p->zFile, zFile) == 0 &&
         fstat(p->fd, &here) == 0 && lstat(zFile, &there) == 0 &&
         here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Appends the text to the file; what fails is said once, to stderr. */
static void logAppend(LedgerLog *p, const char *zFile, const LedgerBuf *pText) {
  const char *z = pText->z;
  const char *zWhy = "";
  size_t n = pText->n;

  if( !logIsOpen(p, zFile) ) {
    if( p->fd >= 0 ) close(p->fd);
    if( p->zFile == NULL || strcmp(p->zFile, zFile) != 0 ) p->bFailed = 0;
    free(p->zFile);
    p->zFile = ledgerStrdup(zFile);
    p->fd = logOpen(zFile, &zWhy);
  }
  while( p->fd >= 0 && n > 0 ) {
    ssize_t k = write(p->fd, z, n);
    if( k < 0 && errno == EINTR ) continue;
    if( k <= 0 ) {
      zWhy = ledgerSystemError(errno);
      break;
    }
    z += k;
    n -= (size_t)k;
  }
  if( n > 0 && !p->bFailed ) {
    fprintf(stderr, "ledger: option log: cannot write to '%s': %s\n", zFile,
            zWhy);
    p->bFailed = 1;
  }
}

/* Writes the text to the file, or to stderr, which may be a pipe that nobody
** reads any more. */
static void logWrite(LedgerLog *p, const char *zFile, const LedgerBuf *pText) {
  LedgerGuest guest;
  ledgerGuestEnter(&guest);
  if( zFile ) {
    logAppend(p, zFile, pText);
  } else {
    fwrite(pText->z, 1, pText->n, stderr);
    fflush(stderr);
  }
  ledgerGuestLeave(&guest);
}

/* The line of a request. What the cache answered used no connection. */
static void logLine(LedgerBuf *p, const LedgerRequest *pRequest) {
  char zTime[32] = "";
  time_t t = (time_t)(pRequest->tWall / 1000);
  struct tm tm;
  if( gmtime_r(&t, &tm) ) {
    strftime(zTime, sizeof(zTime), "%Y-%m-%dT%H:%M:%S", &tm);
  }
  ledgerBufPrintf(p, "%s.%03dZ ledger: %s %s%s", zTime,
                  (int)(pRequest->tWall % 1000), pRequest->zMethod,
                  pRequest->zHost, pRequest->zPath);
  if( pRequest->iStatus ) ledgerBufPrintf(p, " %d", pRequest->iStatus);
  if( pRequest->bCache ) {
    ledgerBufText(p, " from the cache");
  } else {
    ledgerBufText(p, " ");
    ledgerBufNumber(p, pRequest->ms, 1);
    ledgerBufPrintf(p, " ms %lld bytes attempt %d connection %d",
                    (long long)pRequest->nByte, pRequest->nAttempt,
                    pRequest->iConnection);
  }
  if( pRequest->zError ) ledgerBufPrintf(p, ": %s", pRequest->zError);
  ledgerBufText(p, "\n");
}

/* The headers and bodies of an exchange. */
static void logDetails(LedgerBuf *p, const LedgerCall *pCall) {
  const LedgerExchange *pEx = pCall->pEx;
  const struct curl_slist *pHeader;
  const char *z = pEx->headers.z;

  for( pHeader = pEx->pHeader; pHeader; pHeader = pHeader->next ) {
    logHeader(p, "  > ", pHeader->data, strlen(pHeader->data));
  }
  logBody(p, "  > ", pCall->zType, pEx->zBody, pEx->nBody);
  while( z && *z ) {
    size_t n = strcspn(z, "\n");
    logHeader(p, "  < ", z, n);
    z += n + (z[n] == '\n');
  }
  logBody(p, "  < ", NULL, pEx->body.z, pEx->body.n);
}

int ledgerLogDetailed(const LedgerClient *p) {
  const char *zFile;
  return logLevel(p->pConfig->zLog, &zFile) == LOG_DEBUG;
}

/* Puts what is over into the ring, and a line into the log; *pMade has its
** numbers. zError says why there is no answer, or is NULL. */
static void logNote(LedgerCall *pCall, const char *zUrl, const char *zError,
                    LedgerRequest *pMade) {
  LedgerClient *p = pCall->pClient;
  const LedgerRequest *pRequest;
  const char *zFile;
  LedgerBuf url = {0};
  LedgerBuf error = {0};
  LedgerBuf text = {0};
  size_t n;
  int eLevel;

  logUrl(&url, zUrl ? zUrl : "", zUrl ? strlen(zUrl) : 0);
  if( zError ) ledgerBufText(&error, zError);
  logScrubAll(p, pCall, &url);
  logScrubAll(p, pCall, &error);
  if( url.z == NULL ) goto out;
  if( url.n > LOG_MAX_PATH ) {
    for( n = LOG_MAX_PATH; ((unsigned char)url.z[n] & 0xc0) == 0x80; ) n--;
    url.z[n] = 0;
  }
  n = strstr(url.z, "://") ? (size_t)(strstr(url.z, "://") - url.z) + 3 : 0;
  n += strcspn(url.z + n, "/?");
  pMade->zMethod = ledgerStrdup(pCall->pKind->zMethod);
  pMade->zHost = ledgerStrndup(url.z, n);
  pMade->zPath = ledgerStrdup(url.z + n);
  pMade->zError = error.n ? ledgerBufTake(&error) : NULL;
  pMade->nAttempt = pCall->nAttempt;
  if( !pMade->zMethod || !pMade->zHost || !pMade->zPath ) {
    logClearRequest(pMade); /* no memory: the request itself matters more */
    goto out;
  }
  pRequest = logRemember(p->pLog, pMade);
  eLevel = logLevel(p->pConfig->zLog, &zFile);
  if( eLevel < LOG_INFO ) goto out;
  logLine(&text, pRequest);
  if( eLevel == LOG_DEBUG && pCall->pEx ) {
    logDetails(&text, pCall);
    logScrubAll(p, pCall, &text);
  }
  if( text.z && !text.bOom ) logWrite(p->pLog, zFile, &text);
out:
  ledgerBufFree(&url);
  ledgerBufFree(&error);
  ledgerBufFree(&text);
}

/*
** Notes an exchange that is over; zError says why there is no answer, or is
** NULL. Called once for each, while its body is still there.
*/
void ledgerLogExchange(LedgerCall *pCall, const char *zError) {
  LedgerExchange *pEx = pCall->pEx;
  const char *zUrl = NULL;
  LedgerRequest made;
  curl_off_t us = 0, nByte = 0;
  long iPort = 0;

  if( pCall->pClient == NULL || pEx == NULL || pEx->bLogged ) return;
  pEx->bLogged = 1;
  memset(&made, 0, sizeof(made));
  curl_easy_getinfo(pEx->pEasy, CURLINFO_EFFECTIVE_URL, &zUrl);
  curl_easy_getinfo(pEx->pEasy, CURLINFO_TOTAL_TIME_T, &us);
  curl_easy_getinfo(pEx->pEasy, CURLINFO_SIZE_DOWNLOAD_T, &nByte);
  curl_easy_getinfo(pEx->pEasy, CURLINFO_LOCAL_PORT, &iPort);
  made.iStatus = pEx->bDone && pEx->rc == CURLE_OK ? pEx->http : 0;
  made.ms = (double)us / 1000;
  made.nByte = (int64_t)nByte;
  made.iConnection = (int)iPort;
  logNote(pCall, zUrl, zError, &made);
}

/* Notes that the cache had the answer: nothing was sent, nothing came. */
void ledgerLogCached(LedgerCall *pCall, const char *zUrl) {
  LedgerRequest made;
  memset(&made, 0, sizeof(made));
  made.iStatus = 200;
  made.bCache = 1;
  logNote(pCall, zUrl, NULL, &made);
}
