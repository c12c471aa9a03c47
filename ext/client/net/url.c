/*
** URLs, targets and links: what a user may name as a ledger, and where a server
** may send us. The one file that takes a URL apart, by libcurl's parser: what
** is checked here is what libcurl will connect to. Issues no request.
**
** Invariants
**   - a URL in use has no user info, and its host no character but letters,
**     digits, -._ (or those of an IPv6 address in brackets);
**   - its base is "https://host[:port]" in lower case, without a slash;
**   - a server can send us to its own host or one below it, at the same port.
*/
#include "client/net/net.h"

#include <stdlib.h>
#include <string.h>

#define URL_DOMAIN ".confidential-ledger.azure.com"

/* ---- taking apart ------------------------------------------------------- */

/* A part of the URL, or NULL where there is none, for curl_free(). Returns
** LEDGER_OK or LEDGER_NOMEM. */
static int urlPart(CURLU *pUrl, CURLUPart ePart, char **pz) {
  const CURLUcode rc = curl_url_get(pUrl, ePart, pz, 0);
  if( rc == CURLUE_OK ) return LEDGER_OK;
  *pz = NULL;
  return rc == CURLUE_OUT_OF_MEMORY ? LEDGER_NOMEM : LEDGER_OK;
}

/* The port of a scheme. */
static const char *urlPort(const char *zScheme) {
  return strcmp(zScheme, "http") == 0 ? "80" : "443";
}

/* Whether a text is free of what no URL has, and of the other slash, which some
** take for one. */
static int urlIsClean(const char *z) {
  for( ; *z; z++ ) {
    if( (unsigned char)*z <= ' ' || *z == 0x7f || *z == '\\' ) return 0;
  }
  return 1;
}

/* Whether the host is one that may be used, and puts it into lower case. */
static int urlHost(char *z) {
  const int bAddress = z[0] == '[';
  size_t i, n = strlen(z);
  if( n == 0 || (bAddress && z[n - 1] != ']') ) return 0;
  for( i = bAddress ? 1 : 0; i + bAddress < n; i++ ) {
    if( bAddress ? !ledgerIsHexDigit(z[i]) && z[i] != ':' && z[i] != '.'
                 : !ledgerIsAlnum(z[i]) && !strchr("-._", z[i]) ) {
      return 0;
    }
    z[i] = ledgerLower(z[i]);
  }
  return 1;
}

/* Takes over what libcurl has read. */
static int urlTake(CURLU *pUrl, LedgerUrl *p) {
  char *zScheme = NULL, *zHost = NULL, *zPort = NULL, *zPath = NULL;
  char *zQuery = NULL, *zUser = NULL, *zFragment = NULL;
  LedgerBuf base = {0}, rest = {0};
  int rc = LEDGER_NOMEM;

  if( urlPart(pUrl, CURLUPART_SCHEME, &zScheme) ||
      urlPart(pUrl, CURLUPART_HOST, &zHost) ||
      urlPart(pUrl, CURLUPART_PORT, &zPort) ||
      urlPart(pUrl, CURLUPART_PATH, &zPath) ||
      urlPart(pUrl, CURLUPART_QUERY, &zQuery) ||
      urlPart(pUrl, CURLUPART_USER, &zUser) ||
      urlPart(pUrl, CURLUPART_FRAGMENT, &zFragment) ) {
    goto out;
  }
  rc = LEDGER_ERROR;
  if( zScheme == NULL || zHost == NULL || zPath == NULL || !urlHost(zHost) ||
      (zPort && strcmp(zPort, "0") == 0) ) {
    goto out;
  }
  ledgerBufPrintf(&base, "%s://%s", zScheme, zHost);
  if( zPort && strcmp(zPort, urlPort(zScheme)) != 0 ) {
    ledgerBufPrintf(&base, ":%s", zPort);
  }
  ledgerBufText(&rest, zPath);
  if( zQuery ) ledgerBufPrintf(&rest, "?%s", zQuery);
  p->bUser = zUser != NULL;
  p->bFragment = zFragment != NULL;
  p->iPort = (int)strtol(zPort ? zPort : urlPort(zScheme), NULL, 10);
  p->bPort = zPort != NULL;
  p->nPath = strlen(zPath);
  p->zScheme = ledgerStrdup(zScheme);
  p->zHost = ledgerStrdup(zHost);
  p->zBase = ledgerBufTake(&base);
  p->zRest = ledgerBufTake(&rest);
  rc =
      p->zScheme && p->zHost && p->zBase && p->zRest ? LEDGER_OK : LEDGER_NOMEM;
out:
  curl_free(zScheme);
  curl_free(zHost);
  curl_free(zPort);
  curl_free(zPath);
  curl_free(zQuery);
  curl_free(zUser);
  curl_free(zFragment);
  ledgerBufFree(&base);
  ledgerBufFree(&rest);
  return rc;
}

/* Whether host and port are written plainly: libcurl takes one slash or three
** for two, decodes a host, drops an address's zone and lets a port be empty. */
static int urlIsPlain(const char *z) {
  const char *zHost = strstr(z, ":/");
  size_t n;
  if( zHost && zHost[2] != '/' ) return 0;
  zHost = zHost ? zHost + 3 : z;
  n = strcspn(zHost, "/?#");
  return n > 0 && zHost[n - 1] != ':' && memchr(zHost, '%', n) == NULL;
}

/* Whether a URL that libcurl has read is one that the flags let pass. */
static int urlPasses(const LedgerUrl *p, const char *z, int mFlag) {
  if( mFlag & LEDGER_URL_PROXY ) return 1;
  if( !urlIsClean(z) || !urlIsPlain(z) ) return 0;
  if( mFlag & LEDGER_URL_ANY ) return 1;
  if( p->bUser ) return 0;
  return strcmp(p->zScheme, "https") == 0 ||
         ((mFlag & LEDGER_URL_HTTP) && strcmp(p->zScheme, "http") == 0);
}

/*
** Takes the URL z apart; with zBase, https://host[:port], it may be a path
** there. On LEDGER_OK *p is filled, and the caller's (ledgerUrlClear);
** LEDGER_ERROR: it is not a URL, or one that mFlag doesn't allow; or
** LEDGER_NOMEM.
*/
int ledgerUrlRead(const char *zBase, const char *z, int mFlag, LedgerUrl *p) {
  const int bPath = zBase && z[0] == '/' && z[1] != '/';
  unsigned m = CURLU_PATH_AS_IS;
  char *zWhole = bPath ? ledgerMprintf("%s%s", zBase, z) : ledgerStrdup(z);
  CURLU *pUrl = curl_url();
  CURLUcode rcUrl = CURLUE_OUT_OF_MEMORY;
  int rc = LEDGER_ERROR;

  if( mFlag & LEDGER_URL_BARE ) m |= CURLU_DEFAULT_SCHEME;
  if( mFlag & LEDGER_URL_ANY ) m |= CURLU_NON_SUPPORT_SCHEME;
  if( mFlag & LEDGER_URL_PROXY ) {
    m |= CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME;
  }
  memset(p, 0, sizeof(*p));
  if( zWhole && pUrl ) rcUrl = curl_url_set(pUrl, CURLUPART_URL, zWhole, m);
  if( rcUrl == CURLUE_OUT_OF_MEMORY ) rc = LEDGER_NOMEM;
  if( rcUrl == CURLUE_OK ) rc = urlTake(pUrl, p);
  if( rc == LEDGER_OK && !urlPasses(p, zWhole, mFlag) ) rc = LEDGER_ERROR;
  if( rc ) ledgerUrlClear(p);
  curl_url_cleanup(pUrl);
  free(zWhole);
  return rc;
}

void ledgerUrlClear(LedgerUrl *p) {
  free(p->zScheme);
  free(p->zHost);
  free(p->zBase);
  free(p->zRest);
  memset(p, 0, sizeof(*p));
}

/* ---- what a host is ----------------------------------------------------- */

/* Whether the host is 127.0.0.1, [::1], localhost or a name below it. */
int ledgerUrlIsLoopback(const LedgerUrl *p) {
  static const char zLocal[] = "localhost";
  const size_t nLocal = sizeof(zLocal) - 1, n = strlen(p->zHost);

  if( strncmp(p->zHost, "127.", 4) == 0 ) {
    return strspn(p->zHost, "0123456789.") == n;
  }
  if( strcmp(p->zHost, "[::1]") == 0 ) return 1;
  if( n < nLocal || strcmp(p->zHost + n - nLocal, zLocal) != 0 ) return 0;
  return n == nLocal || p->zHost[n - nLocal - 1] == '.';
}

/* Whether the host is an address instead of a name. */
static int urlIsAddress(const LedgerUrl *p) {
  return p->zHost[0] == '[' ||
         strspn(p->zHost, "0123456789.") == strlen(p->zHost);
}

/* ---- targets and services ----------------------------------------------- */

/* Whether zTarget can be a ledger's bare name. */
static int urlIsName(const char *zTarget) {
  const char *z;
  if( zTarget[0] == 0 || zTarget[0] == '-' ) return 0;
  for( z = zTarget; *z; z++ ) {
    if( !ledgerIsAlnum(*z) && *z != '-' ) return 0;
  }
  return z - zTarget <= 63 && ledgerStricmp(zTarget, "localhost") != 0;
}

/* Whether zTarget is a file's name, given where the line in the file is meant:
** taken for a host it would attach, and no ledger would be found there. */
static int urlIsFile(const char *zTarget) {
  static const char zEnd[] = ".json";
  const size_t n = strlen(zTarget), nEnd = sizeof(zEnd) - 1;
  const char *zSlash = strchr(zTarget, '/');
  if( strstr(zTarget, "://") ) return 0;
  return (n > nEnd && ledgerStricmp(zTarget + n - nEnd, zEnd) == 0) ||
         (zSlash && (zSlash == zTarget || zSlash[1]));
}

/*
** Makes a URL of what a user names as a ledger: a bare name, a bare host (with
** a dot or a port), or an https URL whose path is empty or "/". *pzLedgerId is
** the first label of the host, or NULL where the host is an address. Both are
** the caller's.
*/
int ledgerUrlTarget(const char *zTarget, char **pzUrl, char **pzLedgerId,
                    LedgerError *pErr) {
  char *zWhole = NULL;
  LedgerUrl url;
  int rc;

  *pzUrl = NULL;
  *pzLedgerId = NULL;
  if( urlIsFile(zTarget) ) {
    /* Don't repeat the target: it may hold a password. */
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "cannot use the target: it is a file's name: write "
                          "ledger_attach(readfile('ready.json')), or "
                          "LEDGER_URL=\"$(cat ready.json)\"");
  }
  if( urlIsName(zTarget) ) {
    zWhole = ledgerMprintf("https://%s" URL_DOMAIN, zTarget);
    if( zWhole == NULL ) return ledgerErrorNomem(pErr);
    zTarget = zWhole;
  }
  rc = ledgerUrlRead(NULL, zTarget, LEDGER_URL_BARE | LEDGER_URL_HTTP, &url);
  free(zWhole);
  if( rc == LEDGER_NOMEM ) return ledgerErrorNomem(pErr);
  if( rc ) {
    /* Don't repeat the target: it may hold a password. */
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "cannot read the target: give a ledger's name, a "
                          "host, or https://host[:port]");
  }
  if( strcmp(url.zScheme, "https") != 0 ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "cannot use the target: a ledger speaks https, not http");
  } else if( strcmp(url.zRest, "/") != 0 || url.bFragment ) {
    ledgerErrorSet(
        pErr, LEDGER_ERROR,
        "cannot read the target: after https://host[:port] only a final / may "
        "follow");
  } else {
    if( !urlIsAddress(&url) ) {
      *pzLedgerId = ledgerStrndup(url.zHost, strcspn(url.zHost, "."));
      if( *pzLedgerId == NULL ) ledgerErrorNomem(pErr);
    }
    *pzUrl = url.zBase;
    url.zBase = NULL;
  }
  if( pErr->rc ) {
    free(*pzUrl);
    *pzUrl = NULL;
  }
  ledgerUrlClear(&url);
  return pErr->rc;
}

/* Checks an option that is the URL of a service: https, no query. */
int ledgerUrlCheck(const char *zName, const char *z, LedgerError *pErr) {
  LedgerUrl url;
  int rc = ledgerUrlRead(NULL, z, 0, &url);
  if( rc == LEDGER_NOMEM ) return ledgerErrorNomem(pErr);
  if( rc == LEDGER_OK && (url.bFragment || url.zRest[url.nPath]) ) {
    rc = LEDGER_ERROR;
  }
  if( rc ) {
    ledgerErrorSet(pErr, LEDGER_ERROR, "option %s: give https://host[:port]",
                   zName);
  }
  ledgerUrlClear(&url);
  return pErr->rc;
}

/* ---- where a server sends us -------------------------------------------- */

/*
** Reads where a server sends us, zTo, which may be a path at zFrom, and whether
** we may go there with our credential: https, at the port of zBase, to its host
** or one below it. LEDGER_OK: *p is filled, as by ledgerUrlRead();
** LEDGER_ERROR: it leads elsewhere; or LEDGER_NOMEM.
*/
int ledgerUrlWithin(const char *zBase, const char *zFrom, const char *zTo,
                    LedgerUrl *p) {
  LedgerUrl base;
  size_t n, nBase;
  int rc = ledgerUrlRead(NULL, zBase, 0, &base);
  memset(p, 0, sizeof(*p));
  if( rc == LEDGER_OK ) rc = ledgerUrlRead(zFrom, zTo, 0, p);
  if( rc == LEDGER_OK ) {
    n = strlen(p->zHost);
    nBase = strlen(base.zHost);
    if( p->iPort != base.iPort || n < nBase ||
        strcmp(p->zHost + n - nBase, base.zHost) != 0 ||
        (n > nBase &&
         (urlIsAddress(&base) || p->zHost[n - nBase - 1] != '.')) ) {
      ledgerUrlClear(p);
      rc = LEDGER_ERROR;
    }
  }
  ledgerUrlClear(&base);
  return rc;
}

/*
** Takes a link that the service sent in an answer: a path with a query, or an
** absolute URL within zBase. Only path and query are kept, in *pzPathQuery
** (the caller's); the path must be zPath. Returns 0 where it leads elsewhere;
** pErr tells of memory only.
*/
int ledgerUrlLink(const char *zLink, size_t nLink, const char *zBase,
                  const char *zPath, char **pzPathQuery, LedgerError *pErr) {
  char *zCopy = ledgerStrndup(zLink, nLink);
  LedgerUrl url;
  int rc = LEDGER_NOMEM;

  memset(&url, 0, sizeof(url));
  *pzPathQuery = NULL;
  if( zCopy ) rc = LEDGER_ERROR;
  if( zCopy && strlen(zCopy) == nLink ) {
    rc = ledgerUrlWithin(zBase, zBase, zCopy, &url);
  }
  if( rc == LEDGER_OK ) {
    if( url.bFragment || url.nPath != strlen(zPath) ||
        memcmp(url.zRest, zPath, url.nPath) != 0 ) {
      rc = LEDGER_ERROR;
    } else {
      *pzPathQuery = url.zRest;
      url.zRest = NULL;
    }
    ledgerUrlClear(&url);
  }
  free(zCopy);
  if( rc == LEDGER_NOMEM ) ledgerErrorNomem(pErr);
  return rc != LEDGER_ERROR;
}

/* The raw value of a query parameter of a link with its length, or NULL. */
const char *ledgerUrlParam(const char *zLink, const char *zName, size_t *pn) {
  const char *z = strchr(zLink, '?');
  size_t nName = strlen(zName);

  while( z ) {
    z++;
    if( strncmp(z, zName, nName) == 0 && z[nName] == '=' ) {
      *pn = strcspn(z + nName + 1, "&");
      return z + nName + 1;
    }
    z = strchr(z, '&');
  }
  return NULL;
}

/* The transaction id in a query parameter of a link, or {0,0}. */
LedgerTxid ledgerUrlTxid(const char *zLink, const char *zName) {
  LedgerTxid id = {0, 0};
  size_t n = 0;
  const char *z = ledgerUrlParam(zLink, zName, &n);
  if( z && !ledgerTxidParse(z, n, &id) ) id.view = id.seqno = 0;
  return id;
}
