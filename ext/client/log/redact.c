/*
** What of a request may be written down.
**
** Redaction is by construction: only what a list here names is written out,
** all else becomes ***. So a header, parameter or member that nobody has
** thought of is hidden. (What is written is searched for the secrets at hand
** once more, since a server may echo one in a text: ledgerLogNote.)
*/
#include "client/log/logInt.h"
#include "client/net/net.h"

#include <stdlib.h>
#include <string.h>

#define REDACT_MAX_BODY 4096 /* bytes of a body written */
#define REDACT_HIDDEN "***"

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

static int redactListed(const char *const *azList, const char *z, size_t n) {
  int i;
  for( i = 0; azList[i]; i++ ) {
    if( strlen(azList[i]) == n && ledgerStrnicmp(azList[i], z, n) == 0 )
      return 1;
  }
  return 0;
}

/* ---- redaction ---------------------------------------------------------- */

/* Appends a=b&c=d; what the list doesn't name becomes ***. */
static void redactParams(LedgerBuf *p, const char *z, size_t n) {
  const char *zEnd = z + n;
  while( z < zEnd ) {
    const char *zAmp = memchr(z, '&', (size_t)(zEnd - z));
    size_t nPart = (size_t)((zAmp ? zAmp : zEnd) - z);
    const char *zEq = memchr(z, '=', nPart);
    size_t nName = zEq ? (size_t)(zEq - z) : nPart;
    if( zEq == NULL ) {
      ledgerBufText(p, REDACT_HIDDEN);
    } else if( redactListed(azParam, z, nName) ) {
      ledgerBufAppend(p, z, nPart);
    } else {
      ledgerBufAppend(p, z, nName + 1);
      ledgerBufText(p, REDACT_HIDDEN);
    }
    if( zAmp ) ledgerBufText(p, "&");
    z += nPart + 1;
  }
}

void ledgerRedactRest(LedgerBuf *p, const char *z) {
  const size_t n = strcspn(z, "?");
  ledgerBufAppend(p, z, n);
  if( z[n] == 0 ) return;
  ledgerBufText(p, "?");
  redactParams(p, z + n + 1, strlen(z + n + 1));
}

/* Appends a URL of n bytes, or a path with a query, without user info and
** fragment; what can't be read becomes ***. */
static void redactUrl(LedgerBuf *p, const char *z, size_t n) {
  char *zCopy = ledgerStrndup(z, n);
  LedgerUrl url;
  if( zCopy &&
      ledgerUrlRead("https://x", zCopy, LEDGER_URL_ANY, &url) == LEDGER_OK ) {
    if( zCopy[0] != '/' ) ledgerBufText(p, url.zBase);
    ledgerRedactRest(p, url.zRest);
    ledgerUrlClear(&url);
  } else {
    ledgerBufText(p, REDACT_HIDDEN);
  }
  free(zCopy);
}

/* Appends a JSON value; zName is the member it stands under. */
static void redactJson(LedgerBuf *p, LedgerJson *pDoc, cJSON *pVal,
                       const char *zName) {
  const int bShown = redactListed(azMember, zName, strlen(zName));
  cJSON *pItem;
  if( p->n > REDACT_MAX_BODY ) return;
  if( cJSON_IsObject(pVal) || cJSON_IsArray(pVal) ) {
    const int bObject = cJSON_IsObject(pVal);
    ledgerBufText(p, bObject ? "{" : "[");
    for( pItem = pVal->child; pItem && p->n <= REDACT_MAX_BODY;
         pItem = pItem->next ) {
      if( pItem != pVal->child ) ledgerBufText(p, ",");
      if( bObject ) {
        ledgerBufJson(p, pItem->string, strlen(pItem->string));
        ledgerBufText(p, ":");
      }
      redactJson(p, pDoc, pItem, bObject ? pItem->string : zName);
    }
    ledgerBufText(p, bObject ? "}" : "]");
  } else if( cJSON_IsBool(pVal) ) {
    ledgerBufText(p, cJSON_IsTrue(pVal) ? "true" : "false");
  } else if( cJSON_IsNull(pVal) ) {
    ledgerBufText(p, "null");
  } else if( !bShown ) {
    ledgerBufText(p, "\"" REDACT_HIDDEN "\"");
  } else if( cJSON_IsNumber(pVal) ) {
    ledgerBufNumber(p, pVal->valuedouble, -1);
  } else {
    size_t n = 0;
    const char *z = ledgerJsonText(pDoc, pVal, &n);
    if( z && ledgerStrnicmp(zName, "nextLink", 8) == 0 ) {
      LedgerBuf link = {0};
      redactUrl(&link, z, n);
      ledgerBufJson(p, link.z ? link.z : "", link.n);
      ledgerBufFree(&link);
    } else {
      ledgerBufJson(p, z ? z : "", z ? n : 0);
    }
  }
}

/* Appends a body, redacted and clipped, as one line behind zMark. */
void ledgerRedactBody(LedgerBuf *p, const char *zMark, const char *zType,
                      const char *z, size_t n) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  LedgerBuf text = {0};

  if( n == 0 ) return;
  if( zType && strncmp(zType, "application/x-www-form", 22) == 0 ) {
    redactParams(&text, z, n);
  } else if( ledgerJsonParse(z, n, "body", &pDoc, &err) == LEDGER_OK ) {
    redactJson(&text, pDoc, ledgerJsonRoot(pDoc), "");
  } else {
    ledgerBufPrintf(&text, "(%zu bytes that are not JSON)", n);
  }
  if( text.n > REDACT_MAX_BODY ) {
    size_t i = REDACT_MAX_BODY;
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
void ledgerRedactHeader(LedgerBuf *p, const char *zMark, const char *z,
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
    redactUrl(&url, z, n);
    ledgerTextClean(url.z ? url.z : "", url.n, zValue, sizeof(zValue));
    ledgerBufFree(&url);
  } else if( redactListed(azHeader, zColon - nName, nName) ) {
    ledgerTextClean(z, n, zValue, sizeof(zValue));
  } else {
    memcpy(zValue, REDACT_HIDDEN, sizeof(REDACT_HIDDEN));
  }
  ledgerBufPrintf(p, "%s\n", zValue);
}
