/*
** The options of a ledger. One table drives everything: reading and checking,
** showing, copying, freeing, the reference page and the nearest-name hint.
** Issues no request.
**
** Invariants
**   - a secret stands in no message and in no getter's answer;
**   - what is set is checked when it is set; a set that fails changes nothing;
**   - naming a secret is choosing it: with `token` and no `credential` the
**     credential is `token`, likewise for client_secret and the certificates.
*/
#include "clientInt.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kinds of values. */
enum {
  OPTION_TEXT = 1, /* char *, as it is given */
  OPTION_URL,      /* char *, https://host[:port] */
  OPTION_INT,      /* int, from iMin */
  OPTION_INT64,    /* int64_t, from iMin */
  OPTION_CHOICE    /* int: index into the words of zWords; or char *, a word */
};

#define OPTION_SECRET 0x01 /* never shown */
#define OPTION_REF 0x02    /* env:NAME and file:PATH are references */
#define OPTION_PATH 0x08   /* file:PATH is the path: it may be no text */
#define OPTION_WORD 0x04   /* OPTION_CHOICE kept as its word (char *) */
#define OPTION_LIVE 0x10   /* text that says nothing of whom to connect to */
#define OPTION_LINK 0x20   /* no text, but says how to connect */

typedef struct OptionRow OptionRow;
struct OptionRow {
  const char *zName;
  int eType;
  int mFlag;
  size_t iOffset;       /* of its field in LedgerConfig */
  const char *zDefault; /* as text; "" where there is none */
  int64_t iMin;         /* least number */
  const char *zWords;   /* OPTION_CHOICE: the words, one space between */
  const char *zDoc;
};

#define AT(x) offsetof(LedgerConfig, x)
#define REF OPTION_REF
#define SECRET (OPTION_REF | OPTION_SECRET)
#define CREDENTIALS                                         \
  "default environment client_secret client_certificate "   \
  "workload_identity managed_identity azure_cli azd token " \
  "user_certificate"

static const OptionRow aOption[] = {
    {"ledger_id", OPTION_TEXT, REF, AT(zLedgerId), "", 0, NULL,
     "the ledger's id at the identity service; else the first label of its "
     "host"},
    {"api_version", OPTION_TEXT, REF, AT(zApiVersion), "", 0, NULL,
     "the API version to use; else negotiated from 2026-02-23 downwards"},
    {"credential", OPTION_CHOICE, OPTION_WORD, AT(zCredential), "", 0,
     CREDENTIALS,
     "how to sign in: default (what azure-identity would find), or one kind; "
     "else by the secret given"},
    {"tenant_id", OPTION_TEXT, REF, AT(zTenantId), "", 0, NULL,
     "tenant of the Entra application; else AZURE_TENANT_ID"},
    {"client_id", OPTION_TEXT, REF, AT(zClientId), "", 0, NULL,
     "id of the Entra application; else AZURE_CLIENT_ID"},
    {"client_secret", OPTION_TEXT, SECRET, AT(zClientSecret), "", 0, NULL,
     "secret of the Entra application; else AZURE_CLIENT_SECRET"},
    {"client_certificate", OPTION_TEXT, REF | OPTION_PATH,
     AT(zClientCertificate), "", 0, NULL,
     "certificate with key of the Entra application, PEM or PKCS#12: path, or "
     "PEM text; else AZURE_CLIENT_CERTIFICATE_PATH"},
    {"client_certificate_password", OPTION_TEXT, SECRET,
     AT(zClientCertificatePassword), "", 0, NULL,
     "password of client_certificate; else AZURE_CLIENT_CERTIFICATE_PASSWORD"},
    {"object_id", OPTION_TEXT, REF, AT(zObjectId), "", 0, NULL,
     "user-assigned managed identity, by the id of its principal"},
    {"resource_id", OPTION_TEXT, REF, AT(zResourceId), "", 0, NULL,
     "user-assigned managed identity, by its resource: /subscriptions/..."},
    {"user_certificate", OPTION_TEXT, REF, AT(zUserCertificate), "", 0, NULL,
     "certificate of a ledger user (mutual TLS): path of a PEM, or its text"},
    {"user_key", OPTION_TEXT, SECRET, AT(zUserKey), "", 0, NULL,
     "key of user_certificate: path of a PEM, or its text; else in the same "
     "PEM"},
    {"token", OPTION_TEXT, SECRET, AT(zToken), "", 0, NULL,
     "a bearer token, used as it is"},
    {"authority", OPTION_URL, REF, AT(zAuthority), "", 0, NULL,
     "where tokens are fetched; else AZURE_AUTHORITY_HOST or "
     "https://login.microsoftonline.com"},
    {"scope", OPTION_TEXT, REF, AT(zScope),
     "https://confidential-ledger.azure.com/.default", 0, NULL,
     "what a token is asked for"},
    {"identity_url", OPTION_URL, REF, AT(zIdentityUrl),
     "https://identity.confidential-ledger.core.azure.com", 0, NULL,
     "the identity service, which tells the service certificate"},
    {"service_certificate", OPTION_TEXT, REF, AT(zServiceCertificate), "", 0,
     NULL,
     "pin: the service certificate, path of a PEM or its text; its key counts, "
     "its dates don't"},
    {"service_key", OPTION_TEXT, REF, AT(zServiceKey), "", 0, NULL,
     "pin: sha256:HEX of the service key (its SubjectPublicKeyInfo)"},
    {"tls", OPTION_CHOICE, OPTION_LINK, AT(tlsPublic), "service", 0,
     "service public",
     "whom a connection trusts: the ledger's own service certificate, or "
     "(public, for a gateway) public CAs or those of ca_file"},
    {"ca_file", OPTION_TEXT, 0, AT(zCaFile), "", 0, NULL,
     "CAs for identity service and authority: path of a PEM; else the "
     "system's"},
    {"wait", OPTION_CHOICE, 0, AT(waitForCommit), "commit", 0, "none commit",
     "what COMMIT waits for: commit, or none"},
    {"timeout_ms", OPTION_INT, 0, AT(timeoutMs), "30000", 1, NULL,
     "limit of one request, of Loading and of Pending, in milliseconds"},
    {"connect_timeout_ms", OPTION_INT, 0, AT(connectTimeoutMs), "10000", 1,
     NULL, "limit of making one connection, in milliseconds"},
    {"retry_budget_ms", OPTION_INT, 0, AT(retryBudgetMs), "30000", 0, NULL,
     "limit of all retries after a failure, in milliseconds"},
    {"retry_first_ms", OPTION_INT, 0, AT(retryFirstMs), "100", 1, NULL,
     "pause after the first failure, in milliseconds; it doubles each time, "
     "less a random part of up to half; the server's Retry-After goes first"},
    {"retry_max_ms", OPTION_INT, 0, AT(retryMaxMs), "5000", 1, NULL,
     "longest pause after a failure, in milliseconds"},
    {"retry_max_attempts", OPTION_INT, 0, AT(retryMaxAttempts), "0", 0, NULL,
     "how often a request is sent at most; 0: as retry_budget_ms allows"},
    {"first_contact_ms", OPTION_INT, 0, AT(firstContactMs), "1000", 0, NULL,
     "retry_budget_ms while no connection to the ledger was ever made, in "
     "milliseconds"},
    {"poll_first_ms", OPTION_INT, 0, AT(pollFirstMs), "5", 1, NULL,
     "pause after the first Loading or Pending, in milliseconds; it grows by "
     "half each time"},
    {"poll_max_ms", OPTION_INT, 0, AT(pollMaxMs), "500", 1, NULL,
     "longest pause after Loading or Pending, in milliseconds"},
    {"concurrency", OPTION_INT, 0, AT(concurrency), "16", 1, NULL,
     "lookups under way at a time"},
    {"range_concurrency", OPTION_INT, 0, AT(rangeConcurrency), "4", 1, NULL,
     "ranges under way at a time"},
    {"queue_max_bytes", OPTION_INT64, 0, AT(queueMaxBytes), "67108864", 0, NULL,
     "limit of the appends waiting for COMMIT, in bytes"},
    {"reconcile", OPTION_CHOICE, 0, AT(reconcile), "off", 0, "off on",
     "whether an append whose answer never came is looked for in its "
     "sub-ledger, and sent again where it is not there (which two entries in "
     "sub-ledger ledger_reconcile make sure of)"},
    {"reconcile_wait_ms", OPTION_INT, 0, AT(reconcileWaitMs), "1000", 0, NULL,
     "how long after its failure an append may still be carried out, in "
     "milliseconds"},
    {"append_order", OPTION_CHOICE, 0, AT(appendAnyOrder), "strict", 0,
     "strict any", "order of a COMMIT's appends: strict, or any (faster)"},
    {"allow_lockout", OPTION_CHOICE, 0, AT(allowLockout), "false", 0,
     "false true",
     "whether a statement may delete several users, or the caller"},
    {"append_readonly", OPTION_CHOICE, 0, AT(appendReadonly), "false", 0,
     "false true",
     "whether the ledger is written to though the main database is read-only"},
    {"indirect", OPTION_CHOICE, 0, AT(indirect), "refuse", 0, "refuse allow",
     "of the connection: refuse or allow tables and functions to statements "
     "that run inside another one, as a table of a database file may run them"},
    {"file_tables", OPTION_CHOICE, 0, AT(fileTables), "refuse", 0,
     "refuse allow",
     "of the connection: refuse or allow the module's tables that are declared "
     "in a database file"},
    {"max_response_bytes", OPTION_INT64, 0, AT(maxResponseBytes), "16777216",
     1024, NULL,
     "limit of one answer, in bytes; the pages of a list of "
     "sub-ledgers, users and the like have four times as many"},
    {"cache", OPTION_CHOICE, 0, AT(cache), "off", 0, "off on",
     "whether what never changes again (an entry by its id, a receipt, a "
     "Committed) is kept in memory, and not asked for twice"},
    {"cache_max_bytes", OPTION_INT64, 0, AT(cacheMaxBytes), "16777216", 4096,
     NULL,
     "limit of the cache, in bytes, keys and all else included; what was not "
     "used for longest leaves"},
    {"secondary", OPTION_TEXT, OPTION_LIVE, AT(zSecondary), "", 0, NULL,
     "ledgers that may answer for an entry once this one has failed: names or "
     "URLs with commas, or a JSON array of them and of objects {\"target\":, "
     "option:value}"},
    {"log", OPTION_TEXT, OPTION_LIVE, AT(zLog), "off", 0, NULL,
     "off, info (a line per request) or debug (headers and bodies, redacted); "
     "to stderr, or with ' file:PATH' behind it appended to a file"},
};
#define OPTION_COUNT ((int)(sizeof(aOption) / sizeof(aOption[0])))
#undef AT
#undef REF
#undef SECRET

char *ledgerStrdup(const char *z) {
  return ledgerStrndup(z, strlen(z));
}

/* Wipes and frees a secret; NULL is allowed. */
void ledgerSecretFree(char *z) {
  if( z == NULL ) return;
  OPENSSL_cleanse(z, strlen(z));
  free(z);
}

static LedgerOptionSpec aSpec[OPTION_COUNT]; /* filled once */

/* Fills aSpec from the table. */
static void optionSpecFill(void) {
  int i;
  for( i = 0; i < OPTION_COUNT; i++ ) {
    aSpec[i].zName = aOption[i].zName;
    aSpec[i].zDefault = aOption[i].zDefault;
    aSpec[i].zDoc = aOption[i].zDoc;
    aSpec[i].isSecret = (aOption[i].mFlag & OPTION_SECRET) != 0;
  }
}

const LedgerOptionSpec *ledgerOptionTable(int *pnOption) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, optionSpecFill);
  *pnOption = OPTION_COUNT;
  return aSpec;
}

/* Whether the row's field is a char *. */
static int optionIsText(const OptionRow *pRow) {
  return pRow->eType == OPTION_TEXT || pRow->eType == OPTION_URL ||
         (pRow->mFlag & OPTION_WORD) != 0;
}

static char **optionTextField(LedgerConfig *p, const OptionRow *pRow) {
  return (char **)(void *)((char *)p + pRow->iOffset);
}
static const void *optionField(const LedgerConfig *p, const OptionRow *pRow) {
  return (const char *)p + pRow->iOffset;
}

/* Levenshtein distance of two short names. */
static int optionDistance(const char *zA, const char *zB) {
  int aRow[64];
  int nB = (int)strlen(zB);
  int i, j;

  if( nB >= 64 ) return 64;
  for( j = 0; j <= nB; j++ ) aRow[j] = j;
  for( i = 0; zA[i]; i++ ) {
    int iDiag = aRow[0];
    aRow[0] = i + 1;
    for( j = 0; j < nB; j++ ) {
      int iBest = iDiag + (zA[i] != zB[j]);
      if( aRow[j] + 1 < iBest ) iBest = aRow[j] + 1;
      if( aRow[j + 1] + 1 < iBest ) iBest = aRow[j + 1] + 1;
      iDiag = aRow[j + 1];
      aRow[j + 1] = iBest;
    }
  }
  return aRow[nB];
}

/* The row of an option, or NULL with an error that names the nearest. */
static const OptionRow *optionFind(const char *zName, LedgerError *pErr) {
  const OptionRow *pNear = aOption;
  int iNear = 1000;
  int i;

  for( i = 0; i < OPTION_COUNT; i++ ) {
    int iDistance;
    if( strcmp(aOption[i].zName, zName) == 0 ) return &aOption[i];
    iDistance = optionDistance(zName, aOption[i].zName);
    if( iDistance < iNear ) {
      iNear = iDistance;
      pNear = &aOption[i];
    }
  }
  /* What is close to nothing was no slip of the hand. */
  if( iNear > 2 && iNear > (int)strlen(pNear->zName) / 3 ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "unknown option '%.64s' (SELECT name FROM ledger_reference "
                   "WHERE kind = 'option' has them all)",
                   zName);
    return NULL;
  }
  ledgerErrorSet(pErr, LEDGER_ERROR,
                 "unknown option '%.64s': the nearest is '%s'", zName,
                 pNear->zName);
  return NULL;
}

/* Reads a file whole, up to 1 MiB, without its final newline. */
static char *optionReadFile(const char *zName, const char *zRef,
                            LedgerError *pErr) {
  LedgerBuf buf = {0};
  char zWhat[80];

  snprintf(zWhat, sizeof(zWhat), "option %s", zName);
  if( ledgerFileRead(zWhat, zRef + strlen("file:"), 1 << 20, LEDGER_ERROR, &buf,
                     pErr) ) {
    return NULL;
  }
  while( buf.n > 0 && (buf.z[buf.n - 1] == '\n' || buf.z[buf.n - 1] == '\r') ) {
    buf.z[--buf.n] = 0;
  }
  return ledgerBufTake(&buf);
}

/* The text that a value stands for: itself, or what it refers to. */
static char *optionResolve(const OptionRow *pRow, const char *zValue,
                           LedgerError *pErr) {
  const char *zFrom = zValue;
  char *z;

  if( (pRow->mFlag & OPTION_REF) && strncmp(zValue, "env:", 4) == 0 ) {
    zFrom = getenv(zValue + 4);
    if( zFrom == NULL ) {
      ledgerErrorSet(pErr, LEDGER_ERROR,
                     "option %s: the environment has no variable for '%s'",
                     pRow->zName, zValue);
      return NULL;
    }
  } else if( (pRow->mFlag & OPTION_PATH) && strncmp(zValue, "file:", 5) == 0 ) {
    zFrom = zValue + 5;
  } else if( (pRow->mFlag & OPTION_REF) && strncmp(zValue, "file:", 5) == 0 ) {
    z = optionReadFile(pRow->zName, zValue, pErr);
    if( z == NULL ) ledgerErrorNomem(pErr);
    return z;
  }
  z = ledgerStrdup(zFrom);
  if( z == NULL ) ledgerErrorNomem(pErr);
  return z;
}

/* The index of zWord among the words of zWords, or -1. */
static int optionWord(const char *zWords, const char *zWord) {
  size_t n = strlen(zWord);
  int i = 0;
  while( *zWords ) {
    size_t nWord = strcspn(zWords, " ");
    if( nWord == n && memcmp(zWords, zWord, n) == 0 ) return i;
    zWords += nWord + strspn(zWords + nWord, " ");
    i++;
  }
  return -1;
}

/* Is it one that is off or on? */
static int optionIsSwitch(const OptionRow *pRow) {
  return pRow->eType == OPTION_CHOICE &&
         (strcmp(pRow->zWords, "off on") == 0 ||
          strcmp(pRow->zWords, "false true") == 0);
}

/* Checks a text value beyond its type. */
static int optionCheckText(const OptionRow *pRow, char *z, LedgerError *pErr) {
  size_t n = strlen(z);
  size_t i;

  if( pRow->eType == OPTION_URL ) {
    while( n > 0 && z[n - 1] == '/' ) z[--n] = 0;
    return ledgerUrlCheck(pRow->zName, z, pErr);
  }
  if( strcmp(pRow->zName, "log") == 0 ) return ledgerLogCheck(z, pErr);
  if( strcmp(pRow->zName, "service_key") == 0 ) {
    unsigned char a[32];
    if( n == 7 + 64 && strncmp(z, "sha256:", 7) == 0 &&
        ledgerHexDecode(z + 7, 64, a, 32) ) {
      ledgerHexEncode(a, 32, z + 7);
      return LEDGER_OK;
    }
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "option service_key: give sha256: and 64 hex digits");
  }
  if( strcmp(pRow->zName, "token") == 0 ||
      strcmp(pRow->zName, "api_version") == 0 ) {
    for( i = 0; i < n; i++ ) {
      if( z[i] > ' ' && z[i] < 0x7f ) continue;
      return ledgerErrorSet(
          pErr, LEDGER_ERROR,
          "option %s: only visible ASCII characters may stand in it",
          pRow->zName);
    }
  }
  return LEDGER_OK;
}

/* Sets an option of *p from text; an empty text takes a text option away. */
static int optionSet(LedgerConfig *p, const OptionRow *pRow, const char *zValue,
                     LedgerError *pErr) {
  char *z = NULL;
  int64_t i = 0;

  if( pRow->eType == OPTION_CHOICE ) {
    int iWord;
    if( pRow->mFlag & OPTION_WORD && zValue[0] == 0 )
      iWord = 0;
    else
      iWord = optionWord(pRow->zWords, zValue);
    /* SQL's TRUE is the number 1. */
    if( iWord < 0 && optionIsSwitch(pRow) ) iWord = optionWord("0 1", zValue);
    if( iWord < 0 && optionIsSwitch(pRow) ) {
      iWord = optionWord("false true", zValue);
    }
    if( iWord < 0 ) {
      return ledgerErrorSet(pErr, LEDGER_ERROR,
                            "option %s: '%.64s' is none of: %s", pRow->zName,
                            zValue, pRow->zWords);
    }
    i = iWord;
  } else if( !optionIsText(pRow) ) {
    char *zEnd = NULL;
    errno = 0;
    i = strtoll(zValue, &zEnd, 10);
    if( zValue[0] == 0 || *zEnd || errno || i < pRow->iMin ||
        (pRow->eType == OPTION_INT && i > INT32_MAX) ) {
      return ledgerErrorSet(pErr, LEDGER_ERROR,
                            "option %s: '%.64s' is no whole number from %lld",
                            pRow->zName, zValue, (long long)pRow->iMin);
    }
  }
  if( optionIsText(pRow) ) {
    char **pz = optionTextField(p, pRow);
    if( zValue[0] ) {
      z = optionResolve(pRow, zValue, pErr);
      if( z == NULL || optionCheckText(pRow, z, pErr) ) {
        ledgerSecretFree(z);
        return pErr->rc;
      }
    } else if( pRow->zDefault[0] ) {
      z = ledgerStrdup(pRow->zDefault);
      if( z == NULL ) return ledgerErrorNomem(pErr);
    }
    ledgerSecretFree(*pz);
    *pz = z;
  } else if( pRow->eType == OPTION_INT64 ) {
    *(int64_t *)(void *)((char *)p + pRow->iOffset) = i;
  } else {
    *(int *)(void *)((char *)p + pRow->iOffset) = (int)i;
  }
  return LEDGER_OK;
}

int ledgerConfigNew(const char *zTarget, LedgerConfig **ppConfig,
                    LedgerError *pErr) {
  LedgerConfig *p = calloc(1, sizeof(*p));
  int i;

  *ppConfig = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  if( ledgerTargetParse(zTarget, &p->zUrl, &p->zLedgerId, pErr) ) goto out;
  for( i = 0; i < OPTION_COUNT; i++ ) {
    if( aOption[i].zDefault[0] == 0 ) continue;
    if( optionSet(p, &aOption[i], aOption[i].zDefault, pErr) ) goto out;
  }
  *ppConfig = p;
  p = NULL;
out:
  ledgerConfigFree(p);
  return pErr->rc;
}

void ledgerConfigFree(LedgerConfig *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < OPTION_COUNT; i++ ) {
    if( optionIsText(&aOption[i]) ) {
      ledgerSecretFree(*optionTextField(p, &aOption[i]));
    }
  }
  free(p->zUrl);
  free(p);
}

int ledgerConfigCopy(const LedgerConfig *p, LedgerConfig **ppCopy,
                     LedgerError *pErr) {
  LedgerConfig *pCopy = malloc(sizeof(*pCopy));
  int bOom = 0;
  int i;

  *ppCopy = NULL;
  if( pCopy == NULL ) return ledgerErrorNomem(pErr);
  *pCopy = *p;
  pCopy->zUrl = ledgerStrdup(p->zUrl);
  if( pCopy->zUrl == NULL ) bOom = 1;
  for( i = 0; i < OPTION_COUNT; i++ ) {
    char **pz;
    if( !optionIsText(&aOption[i]) ) continue;
    pz = optionTextField(pCopy, &aOption[i]);
    if( *pz == NULL ) continue;
    *pz = ledgerStrdup(*pz);
    if( *pz == NULL ) bOom = 1;
  }
  if( bOom ) {
    ledgerConfigFree(pCopy);
    return ledgerErrorNomem(pErr);
  }
  *ppCopy = pCopy;
  return LEDGER_OK;
}

void ledgerConfigReplace(LedgerConfig *p, LedgerConfig *pFrom) {
  LedgerConfig old = *p;
  *p = *pFrom;
  *pFrom = old;
  ledgerConfigFree(pFrom);
}

/* Sets an option from a member of the options object. */
static int optionApplyMember(LedgerConfig *p, LedgerJson *pDoc, cJSON *pVal,
                             LedgerError *pErr) {
  const OptionRow *pRow = optionFind(pVal->string, pErr);
  size_t n = 0;

  if( pRow == NULL ) return pErr->rc;
  if( cJSON_IsString(pVal) ) {
    const char *z = ledgerJsonText(pDoc, pVal, &n);
    if( z == NULL ) return ledgerErrorNomem(pErr);
    if( strlen(z) != n ) {
      return ledgerErrorSet(pErr, LEDGER_ERROR, "option %s: it holds a NUL",
                            pRow->zName);
    }
    return optionSet(p, pRow, z, pErr);
  }
  if( cJSON_IsNull(pVal) ) return optionSet(p, pRow, pRow->zDefault, pErr);
  if( cJSON_IsArray(pVal) && strcmp(pRow->zName, "secondary") == 0 ) {
    char *zJson = cJSON_PrintUnformatted(pVal);
    if( zJson == NULL ) return ledgerErrorNomem(pErr);
    optionSet(p, pRow, zJson, pErr);
    OPENSSL_cleanse(zJson, strlen(zJson));
    cJSON_free(zJson);
    return pErr->rc;
  }
  if( cJSON_IsNumber(pVal) && !optionIsText(pRow) ) {
    char zNumber[LEDGER_NUMBER_MAX];
    return optionSet(p, pRow,
                     ledgerNumberFormat(pVal->valuedouble, -1, zNumber), pErr);
  }
  if( cJSON_IsBool(pVal) && optionIsSwitch(pRow) ) {
    return optionSet(p, pRow, cJSON_IsTrue(pVal) ? "true" : "false", pErr);
  }
  return ledgerErrorSet(pErr, LEDGER_ERROR, "option %s: give a %s", pRow->zName,
                        optionIsText(pRow) || pRow->eType == OPTION_CHOICE
                            ? "text"
                            : "whole number");
}

/* What can be wrong with options together. */
static int optionCheckAll(const LedgerConfig *p, LedgerError *pErr) {
  const char *zKind;
  if( ledgerCredentialKind(p, &zKind, pErr) ) return pErr->rc;
  if( p->zSecondary == NULL ) return LEDGER_OK;
  return ledgerSecondaryCheck(p, p->zSecondary, pErr);
}

/* Applies the members of an object, all or nothing, but for the one named
** zExcept (NULL: all). */
int ledgerConfigApplyObject(LedgerConfig *p, LedgerJson *pDoc, cJSON *pObj,
                            const char *zExcept, LedgerError *pErr) {
  LedgerConfig *pNew = NULL;
  cJSON *pVal;

  if( ledgerConfigCopy(p, &pNew, pErr) || pNew == NULL ) goto out;
  for( pVal = pObj->child; pVal; pVal = pVal->next ) {
    if( zExcept && strcmp(pVal->string, zExcept) == 0 ) continue;
    if( optionApplyMember(pNew, pDoc, pVal, pErr) ) goto out;
  }
  if( optionCheckAll(pNew, pErr) ) goto out;
  ledgerConfigReplace(p, pNew);
  pNew = NULL;
out:
  ledgerConfigFree(pNew);
  return pErr->rc;
}

/* Gives *p the URL and the ledger's id of *pFrom, which loses them. */
void ledgerConfigRename(LedgerConfig *p, LedgerConfig *pFrom) {
  free(p->zUrl);
  free(p->zLedgerId);
  p->zUrl = pFrom->zUrl;
  p->zLedgerId = pFrom->zLedgerId;
  pFrom->zUrl = pFrom->zLedgerId = NULL;
}

int ledgerConfigApply(LedgerConfig *p, const char *zJson, size_t n,
                      LedgerError *pErr) {
  LedgerJson *pDoc = NULL;

  if( ledgerJsonParse(zJson, n, "options object", &pDoc, pErr) == LEDGER_OK ) {
    if( cJSON_IsObject(ledgerJsonRoot(pDoc)) ) {
      ledgerConfigApplyObject(p, pDoc, ledgerJsonRoot(pDoc), NULL, pErr);
    } else {
      ledgerErrorSet(pErr, LEDGER_ERROR, "the options are no JSON object");
    }
  }
  ledgerJsonFreeSecret(pDoc);
  return pErr->rc;
}

int ledgerConfigSet(LedgerConfig *p, const char *zName, const char *zValue,
                    LedgerError *pErr) {
  const OptionRow *pRow = optionFind(zName, pErr);
  LedgerConfig *pNew = NULL;

  if( pRow == NULL || ledgerConfigCopy(p, &pNew, pErr) || pNew == NULL ) {
    return pErr->rc;
  }
  if( optionSet(pNew, pRow, zValue, pErr) == LEDGER_OK &&
      optionCheckAll(pNew, pErr) == LEDGER_OK ) {
    ledgerConfigReplace(p, pNew);
    pNew = NULL;
  }
  ledgerConfigFree(pNew);
  return pErr->rc;
}

int ledgerConfigGet(const LedgerConfig *p, const char *zName, LedgerBuf *pBuf,
                    LedgerError *pErr) {
  const OptionRow *pRow = optionFind(zName, pErr);

  if( pRow == NULL ) return pErr->rc;
  ledgerBufText(pBuf, "");
  if( strcmp(pRow->zName, "credential") == 0 ) {
    const char *zKind;
    if( ledgerCredentialKind(p, &zKind, pErr) ) return pErr->rc;
    ledgerBufText(pBuf, zKind);
  } else if( optionIsText(pRow) ) {
    const char *z = *(char *const *)optionField(p, pRow);
    if( z == NULL ) z = "";
    if( z[0] && (pRow->mFlag & OPTION_SECRET) ) z = "(set)";
    /* A PEM given as text may hold a key. */
    if( strstr(z, "PRIVATE KEY") ) z = "(set)";
    /* And so may the options of a secondary. */
    if( strcmp(pRow->zName, "secondary") == 0 && z[0] == '[' ) z = "(set)";
    ledgerBufText(pBuf, z);
  } else if( pRow->eType == OPTION_CHOICE ) {
    int i = *(const int *)optionField(p, pRow);
    const char *z = pRow->zWords;
    while( i-- > 0 ) z += strcspn(z, " ") + 1;
    ledgerBufAppend(pBuf, z, strcspn(z, " "));
  } else if( pRow->eType == OPTION_INT64 ) {
    int64_t i = *(const int64_t *)optionField(p, pRow);
    ledgerBufPrintf(pBuf, "%lld", (long long)i);
  } else {
    ledgerBufPrintf(pBuf, "%d", *(const int *)optionField(p, pRow));
  }
  if( pBuf->bOom ) ledgerErrorNomem(pErr);
  return pErr->rc;
}

/* Text by its length, so that no two configurations run together. */
int ledgerConfigDigest(const LedgerConfig *p, unsigned char a[32],
                       LedgerError *pErr) {
  EVP_MD_CTX *pCtx = EVP_MD_CTX_new();
  int i;
  int bOk = pCtx && EVP_DigestInit_ex(pCtx, EVP_sha256(), NULL) == 1 &&
            EVP_DigestUpdate(pCtx, p->zUrl, strlen(p->zUrl) + 1) == 1;
  for( i = 0; i < OPTION_COUNT && bOk; i++ ) {
    const void *pField = optionField(p, &aOption[i]);
    size_t n = aOption[i].eType == OPTION_INT64 ? sizeof(int64_t) : sizeof(int);
    if( optionIsText(&aOption[i]) ) {
      pField = *(char *const *)pField;
      n = pField ? strlen(pField) + 1 : 0;
      bOk = EVP_DigestUpdate(pCtx, &n, sizeof(n)) == 1;
    }
    if( n ) bOk = bOk && EVP_DigestUpdate(pCtx, pField, n) == 1;
  }
  if( bOk ) bOk = EVP_DigestFinal_ex(pCtx, a, NULL) == 1;
  EVP_MD_CTX_free(pCtx);
  return bOk ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* The i-th of the options that hold a secret: *pz is its value or NULL. Returns
** 0 behind the last one. */
int ledgerConfigSecret(const LedgerConfig *p, int i, const char **pz) {
  int k;
  for( k = 0; k < OPTION_COUNT; k++ ) {
    if( !(aOption[k].mFlag & OPTION_SECRET) || i-- > 0 ) continue;
    *pz = *(char *const *)optionField(p, &aOption[k]);
    return 1;
  }
  return 0;
}

int ledgerOptionReconnects(const char *zName) {
  int i;
  for( i = 0; i < OPTION_COUNT; i++ ) {
    const OptionRow *pRow = &aOption[i];
    if( strcmp(pRow->zName, zName) != 0 ) continue;
    if( pRow->mFlag & OPTION_LIVE ) return 0;
    return pRow->eType == OPTION_TEXT || pRow->eType == OPTION_URL ||
           (pRow->mFlag & (OPTION_WORD | OPTION_LINK)) != 0;
  }
  return 0;
}
