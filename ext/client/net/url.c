/*
** Targets, URLs and links: what a user may name as a ledger, and what a server
** may send us to. Pure functions, no request.
**
** Invariants
**   - only https, never user info;
**   - a URL in use is "https://host[:port]" in lower case, without a slash;
**   - a server can send us to its own host or one below it, at the same port.
*/
#include "client/net/net.h"

#include <stdlib.h>
#include <string.h>

#define TARGET_DOMAIN ".confidential-ledger.azure.com"

/* "https://host:port/path?query" taken apart; pointers into the text. */
typedef struct TargetUrl TargetUrl;
struct TargetUrl {
  const char *zHost; /* with the brackets of an IPv6 address */
  size_t nHost;
  long iPort;        /* 443 when not given */
  const char *zRest; /* behind the authority: "", or from '/', '?' or '#' */
};

/* Splits z. Returns 0 when it is no https URL with a sound authority. */
static int targetSplit(const char *z, TargetUrl *p) {
  size_t n, i;

  if( ledgerStrnicmp(z, "https://", 8) != 0 ) return 0;
  z += 8;
  n = strcspn(z, "/?#");
  p->zRest = z + n;
  p->zHost = z;
  p->iPort = 443;
  if( n == 0 || memchr(z, '@', n) || memchr(z, '\\', n) ) return 0;
  if( z[0] == '[' ) {
    const char *zEnd = memchr(z, ']', n);
    if( zEnd == NULL ) return 0;
    p->nHost = (size_t)(zEnd - z) + 1;
    for( i = 1; i + 1 < p->nHost; i++ ) {
      if( !ledgerIsHexDigit(z[i]) && z[i] != ':' && z[i] != '.' ) {
        return 0;
      }
    }
  } else {
    p->nHost = 0;
    while( p->nHost < n && z[p->nHost] != ':' ) p->nHost++;
    for( i = 0; i < p->nHost; i++ ) {
      char c = z[i];
      if( !ledgerIsAlnum(c) && c != '-' && c != '.' && c != '_' ) return 0;
    }
  }
  if( p->nHost == 0 ) return 0;
  if( p->nHost < n ) {
    if( z[p->nHost] != ':' || n - p->nHost > 6 ) return 0;
    p->iPort = 0;
    for( i = p->nHost + 1; i < n; i++ ) {
      if( !ledgerIsDigit(z[i]) ) return 0;
      p->iPort = p->iPort * 10 + (z[i] - '0');
    }
    if( p->iPort < 1 || p->iPort > 65535 ) return 0;
  }
  return 1;
}

/* Whether the host is 127.0.0.1, [::1], localhost or a name below it. */
static int targetIsLoopback(const char *zHost, size_t n) {
  static const char zLocal[] = "localhost";
  const size_t nLocal = sizeof(zLocal) - 1;

  if( n > 4 && memcmp(zHost, "127.", 4) == 0 ) {
    return strspn(zHost, "0123456789.") >= n;
  }
  if( n == 5 && memcmp(zHost, "[::1]", 5) == 0 ) return 1;
  if( n < nLocal ) return 0;
  if( ledgerStrnicmp(zHost + n - nLocal, zLocal, nLocal) != 0 ) return 0;
  return n == nLocal || zHost[n - nLocal - 1] == '.';
}

int ledgerUrlIsLoopback(const char *zUrl) {
  TargetUrl u;
  return targetSplit(zUrl, &u) && targetIsLoopback(u.zHost, u.nHost);
}

/* Whether the host is an address instead of a name. */
static int targetIsAddress(const TargetUrl *p) {
  return p->zHost[0] == '[' || strspn(p->zHost, "0123456789.") >= p->nHost;
}

/* Appends the URL's scheme, host (in lower case) and port. */
static void targetBase(const TargetUrl *p, LedgerBuf *pBuf) {
  size_t i;
  ledgerBufText(pBuf, "https://");
  for( i = 0; i < p->nHost; i++ ) {
    char c = ledgerLower(p->zHost[i]);
    ledgerBufAppend(pBuf, &c, 1);
  }
  if( p->iPort != 443 ) ledgerBufPrintf(pBuf, ":%ld", p->iPort);
}

/* Whether zTarget can be a ledger's bare name. */
static int targetIsName(const char *zTarget) {
  const char *z;
  if( zTarget[0] == 0 || zTarget[0] == '-' ) return 0;
  for( z = zTarget; *z; z++ ) {
    if( !ledgerIsAlnum(*z) && *z != '-' ) return 0;
  }
  return z - zTarget <= 63;
}

/*
** Makes a URL of what a user names as a ledger: a bare name, a bare host (with
** a dot or a port), or an https URL whose path is empty or "/". *pzLedgerId is
** the first label of the host, or NULL where the host is an address. Both are
** the caller's.
*/
int ledgerUrlTarget(const char *zTarget, char **pzUrl, char **pzLedgerId,
                    LedgerError *pErr) {
  LedgerBuf whole = {0};
  LedgerBuf base = {0};
  TargetUrl u;

  *pzUrl = NULL;
  *pzLedgerId = NULL;
  if( strstr(zTarget, "://") ) {
    ledgerBufText(&whole, zTarget);
  } else if( targetIsName(zTarget) &&
             ledgerStricmp(zTarget, "localhost") != 0 ) {
    ledgerBufPrintf(&whole, "https://%s" TARGET_DOMAIN, zTarget);
  } else {
    ledgerBufPrintf(&whole, "https://%s", zTarget);
  }
  if( whole.bOom ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  if( ledgerStrnicmp(whole.z, "http://", 7) == 0 ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "cannot use the target: a ledger speaks https, not http");
    goto out;
  }
  if( !targetSplit(whole.z, &u) ) {
    /* Don't repeat the target: it may hold a password. */
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "cannot read the target: give a ledger's name, a host, or "
                   "https://host[:port]");
    goto out;
  }
  if( u.zRest[0] && strcmp(u.zRest, "/") != 0 ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "cannot read the target: behind https://host[:port] only a "
                   "final / may stand");
    goto out;
  }
  targetBase(&u, &base);
  if( base.bOom ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  if( !targetIsAddress(&u) ) {
    size_t nLabel = 0;
    while( nLabel < u.nHost && u.zHost[nLabel] != '.' ) nLabel++;
    *pzLedgerId = ledgerStrndup(base.z + 8, nLabel);
    if( *pzLedgerId == NULL ) ledgerErrorNomem(pErr);
  }
  *pzUrl = ledgerBufTake(&base);
  if( *pzUrl == NULL ) ledgerErrorNomem(pErr);
out:
  if( pErr->rc ) {
    free(*pzUrl);
    free(*pzLedgerId);
    *pzUrl = *pzLedgerId = NULL;
  }
  ledgerBufFree(&whole);
  ledgerBufFree(&base);
  return pErr->rc;
}

/* Checks an option that is the URL of a service: https, no query. */
int ledgerUrlCheck(const char *zName, const char *z, LedgerError *pErr) {
  TargetUrl u;
  if( targetSplit(z, &u) && strpbrk(u.zRest, "?#") == NULL ) return LEDGER_OK;
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "option %s: give https://host[:port]", zName);
}

/*
** Whether we may go with our credential from zBase to zUrl: https, the same
** port, the same host or a host below it.
*/
int ledgerUrlWithin(const char *zBase, const char *zUrl) {
  TargetUrl b, u;
  if( !targetSplit(zBase, &b) || !targetSplit(zUrl, &u) ) return 0;
  if( u.iPort != b.iPort || u.nHost < b.nHost ) return 0;
  if( ledgerStrnicmp(u.zHost + u.nHost - b.nHost, b.zHost, b.nHost) != 0 ) {
    return 0;
  }
  if( u.nHost == b.nHost ) return 1;
  return !targetIsAddress(&b) && u.zHost[u.nHost - b.nHost - 1] == '.';
}

/*
** Takes a link that the service sent in an answer: a path with a query, or an
** absolute URL within zBase. Only path and query are kept, in *pzPathQuery
** (the caller's); the path must be zPath. Returns 0 where it leads elsewhere;
** pErr tells of memory only.
*/
int ledgerLinkTake(const char *zLink, size_t nLink, const char *zBase,
                   const char *zPath, char **pzPathQuery, LedgerError *pErr) {
  char *zCopy = ledgerStrndup(zLink, nLink);
  const char *z = zCopy;
  size_t i, nPath;
  int bWithin = 1;

  *pzPathQuery = NULL;
  if( zCopy == NULL ) {
    ledgerErrorNomem(pErr);
    return 1;
  }
  for( i = 0; i < nLink; i++ ) {
    unsigned char c = (unsigned char)zCopy[i];
    if( c <= ' ' || c == 0x7f || c == '#' || c == '\\' ) goto refuse;
  }
  if( zCopy[0] != '/' ) {
    TargetUrl u;
    if( !ledgerUrlWithin(zBase, zCopy) || !targetSplit(zCopy, &u) ) goto refuse;
    z = u.zRest;
  }
  nPath = strcspn(z, "?");
  if( nPath != strlen(zPath) || memcmp(z, zPath, nPath) != 0 ) goto refuse;
  *pzPathQuery = ledgerStrdup(z);
  if( *pzPathQuery == NULL ) ledgerErrorNomem(pErr);
  goto out;
refuse:
  bWithin = 0;
out:
  free(zCopy);
  return bWithin;
}

/* The raw value of a query parameter of a link with its length, or NULL. */
const char *ledgerLinkParam(const char *zLink, const char *zName, size_t *pn) {
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
LedgerTxid ledgerLinkTxid(const char *zLink, const char *zName) {
  LedgerTxid id = {0, 0};
  size_t n = 0;
  const char *z = ledgerLinkParam(zLink, zName, &n);
  if( z && !ledgerTxidParse(z, n, &id) ) id.view = id.seqno = 0;
  return id;
}
