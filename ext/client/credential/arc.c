/*
** The managed identity of a machine that Azure Arc looks after. Its agent
** proves that we may ask by a file that only the right group can read: the
** first request is refused and names the file, the second carries its content.
**
**   GET {IDENTITY_ENDPOINT}?api-version=2020-06-01&resource=...
**     -> 401, WWW-Authenticate: Basic realm=/var/opt/azcmagent/tokens/X.key
**   GET the same, Authorization: Basic <content of X.key>
**
** Invariant: whoever answers at that port can't make us read another file: only
** a plain file of at most 4096 bytes, named *.key, in the agent's own folder.
*/
#include "client/credential/credentialInt.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARC_FOLDER "/var/opt/azcmagent/tokens/"
#define ARC_KEY_MAX 4096

static int arcRefused(LedgerCall *p);

static const LedgerCallKind arcFirstKind = {.zMethod = "GET",
                                            .bPublic = 1,
                                            .bPlain = 1,
                                            .nAnswer =
                                                sizeof(LedgerTokenAnswer),
                                            .xFree = ledgerTokenAnswerFree,
                                            .xRead = ledgerTokenAnswerRead,
                                            .xRefused = arcRefused};
static const LedgerCallKind arcSecondKind = {.zMethod = "GET",
                                             .bPublic = 1,
                                             .bPlain = 1,
                                             .nAnswer =
                                                 sizeof(LedgerTokenAnswer),
                                             .xFree = ledgerTokenAnswerFree,
                                             .xRead = ledgerTokenAnswerRead};

/* A 401 is the answer looked for: its challenge stands in for a token. */
static int arcRefused(LedgerCall *p) {
  const LedgerBuf *pChallenge = &p->pEx->challenge;
  LedgerTokenAnswer *pAnswer = p->pAnswer;
  if( p->http != 401 ) return 0;
  pAnswer->zToken = ledgerStrdup(pChallenge->z ? pChallenge->z : "");
  if( pAnswer->zToken == NULL ) ledgerErrorNomem(&p->err);
  return 1;
}

/* The file that a challenge names, if it may be read; else NULL and an error.
** The caller frees it. */
static char *arcFile(const char *zChallenge, LedgerError *pErr) {
  const size_t nFolder = sizeof(ARC_FOLDER) - 1;
  const char *z;
  char zClean[200];
  char *zFile;
  size_t n;

  z = strstr(zChallenge, "realm=");
  if( ledgerStrnicmp(zChallenge, "Basic", 5) != 0 ) z = NULL;
  if( z == NULL ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "Azure Arc's answer has no challenge Basic realm=FILE");
    return NULL;
  }
  z += 6;
  if( *z == '"' ) z++;
  n = strcspn(z, "\"");
  zFile = ledgerStrndup(z, n);
  if( zFile == NULL ) {
    ledgerErrorNomem(pErr);
    return NULL;
  }
  if( strncmp(zFile, ARC_FOLDER, nFolder) == 0 &&
      strchr(zFile + nFolder, '/') == NULL && n > nFolder + 4 &&
      strcmp(zFile + n - 4, ".key") == 0 ) {
    return zFile;
  }
  ledgerTextClean(zFile, n, zClean, sizeof(zClean));
  ledgerErrorSet(pErr, LEDGER_AUTH,
                 "Azure Arc's challenge names '%s', which is not read: only "
                 "*.key in " ARC_FOLDER " may be",
                 zClean);
  free(zFile);
  return NULL;
}

/* Reads the file into a header line; the caller frees it with
** ledgerSecretFree(). */
static char *arcHeader(const char *zFile, LedgerError *pErr) {
  const int fd = open(zFile, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  char aKey[ARC_KEY_MAX + 1];
  char *zHeader = NULL;
  struct stat st;
  ssize_t n = 0;

  if( fd < 0 || fstat(fd, &st) ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "Azure Arc: cannot read '%.300s': %s (is this user in the "
                   "group himds?)",
                   zFile, ledgerSystemError(errno));
    pErr->eCause = LEDGER_CAUSE_FILE;
    goto out;
  }
  if( !S_ISREG(st.st_mode) || st.st_size > ARC_KEY_MAX ||
      (n = read(fd, aKey, ARC_KEY_MAX)) <= 0 ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "Azure Arc: '%.300s' is not a key file of at most %d bytes",
                   zFile, ARC_KEY_MAX);
    goto out;
  }
  while( n > 0 && (unsigned char)aKey[n - 1] <= ' ' ) n--;
  aKey[n] = 0;
  if( strlen(aKey) != (size_t)n || strpbrk(aKey, "\r\n") ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "Azure Arc: '%.300s' holds more than one line", zFile);
    goto out;
  }
  zHeader = ledgerMprintf("Authorization: Basic %s", aKey);
  if( zHeader == NULL ) ledgerErrorNomem(pErr);
out:
  OPENSSL_cleanse(aKey, sizeof(aKey));
  if( fd >= 0 ) close(fd);
  return zHeader;
}

/* The first request. */
int ledgerArcStart(LedgerFetch *p, LedgerError *pErr) {
  return ledgerFetchGet(p, &arcFirstKind, "challenge of Azure Arc",
                        "Metadata: true", NULL, NULL, pErr);
}

/* An answer is here: starts the second request, or takes the token. */
int ledgerArcStep(LedgerFetch *p, LedgerError *pErr) {
  LedgerCall *pCall = p->pCall;
  char *zHeader = NULL;
  char *zFile = NULL;

  p->pCall = NULL;
  if( pCall->err.rc == LEDGER_OK && pCall->http == 401 ) {
    const LedgerTokenAnswer *pAnswer = pCall->pAnswer;
    zFile = arcFile(pAnswer->zToken, pErr);
    if( zFile ) zHeader = arcHeader(zFile, pErr);
    if( zHeader ) {
      ledgerFetchGet(p, &arcSecondKind, "token from Azure Arc",
                     "Metadata: true", zHeader,
                     zHeader + sizeof("Authorization: Basic ") - 1, pErr);
    }
  } else {
    ledgerCredentialAdopt(p, pCall, pErr);
  }
  free(zFile);
  ledgerSecretFree(zHeader);
  ledgerCallFree(pCall);
  return pErr->rc;
}
