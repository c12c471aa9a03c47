/*
** The options of a ledger. One table drives everything: reading and checking,
** showing, copying, freeing (all in config.c), the reference page and the
** nearest-name hint. Issues no request.
**
** Invariants
**   - a secret stands in no message and in no getter's answer;
**   - naming a secret is choosing it: with `token` and no `credential` the
**     credential is `token`, likewise for client_secret and the certificates.
*/
#include "client/optionInt.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#define AT(x) offsetof(LedgerConfig, x)
#define REF OPTION_REF
#define SECRET (OPTION_REF | OPTION_SECRET)
#define PEM (OPTION_REF | OPTION_PATH)
#define WHO OPTION_WHO

/* ---- checks of a value -------------------------------------------------- */

/* What LedgerOptionRow.xCheck says; z may be put into the form that is kept. */

static int optionUrl(const char *zName, char *z, LedgerError *pErr) {
  size_t n = strlen(z);
  while( n > 0 && z[n - 1] == '/' ) z[--n] = 0;
  return ledgerUrlCheck(zName, z, pErr);
}

static int optionAscii(const char *zName, char *z, LedgerError *pErr) {
  for( ; *z; z++ ) {
    if( *z > ' ' && *z < 0x7f ) continue;
    return ledgerErrorSet(
        pErr, LEDGER_ERROR,
        "option %s: it can hold visible ASCII characters only", zName);
  }
  return LEDGER_OK;
}

static int optionKey(const char *zName, char *z, LedgerError *pErr) {
  unsigned char a[32];
  if( strlen(z) == 7 + 64 && strncmp(z, "sha256:", 7) == 0 &&
      ledgerHexDecode(z + 7, 64, a, 32) ) {
    ledgerHexEncode(a, 32, z + 7);
    return LEDGER_OK;
  }
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "option %s: give sha256: and 64 hex digits", zName);
}

static int optionLog(const char *zName, char *z, LedgerError *pErr) {
  (void)zName;
  return ledgerLogCheck(z, pErr);
}

static int optionProgress(const char *zName, char *z, LedgerError *pErr) {
  (void)zName;
  return ledgerProgressCheck(z, pErr);
}

static int optionCache(const char *zName, char *z, LedgerError *pErr) {
  if( strcmp(z, "off") == 0 || strcmp(z, "memory") == 0 || strchr(z, '/') ||
      strchr(z, '.') ) {
    return LEDGER_OK;
  }
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "option %s: '%.64s' is not one of off, memory, or the "
                        "path of a file (with / or .)",
                        zName, z);
}

static int optionCas(const char *zName, char *z, LedgerError *pErr) {
  const char *zNext = z;
  LedgerPem pem;
  while( ledgerPemNext(&zNext, &pem) ) {
    if( ledgerPemIsCertificate(&pem) ) return LEDGER_OK;
  }
  return ledgerErrorSet(pErr, LEDGER_AUTH,
                        "%s: there is no certificate in it%s", zName,
                        ledgerPemHasKey(z) ? ", but a private key" : "");
}

static int optionCredential(const char *zName, char *z, LedgerError *pErr) {
  LedgerBuf names = {0};
  const char *zKind = "default";
  int i;
  for( i = 0; zKind && strcmp(zKind, z) != 0; i++ ) {
    ledgerBufPrintf(&names, " %s", zKind);
    zKind = ledgerCredentialName(i);
  }
  if( zKind == NULL ) {
    ledgerErrorSet(pErr, LEDGER_ERROR, "option %s: '%.64s' is not one of:%s",
                   zName, z, names.z ? names.z : "");
  }
  ledgerBufFree(&names);
  return pErr->rc;
}

/* ---- the table ---------------------------------------------------------- */

const LedgerOptionRow aLedgerOption[] = {
    {"ledger_id", OPTION_TEXT, REF, AT(zLedgerId), "", 0, NULL,
     "the ledger's id at the identity service; else the first label of its "
     "host",
     "my-ledger", "env:NOT_SET", NULL, NULL},
    {"api_version", OPTION_TEXT, REF, AT(zApiVersion), "", 0, NULL,
     "the API version to use; else negotiated from 2026-02-23 downwards",
     "2024-12-09-preview", "the newest", optionAscii, NULL},
    {"credential", OPTION_TEXT, WHO, AT(zCredential), "", 0, NULL,
     "how to sign in: default (what azure-identity would find), or one kind; "
     "else by the secret given",
     "azure_cli", "kerberos", optionCredential, NULL},
    {"tenant_id", OPTION_TEXT, REF, AT(zTenantId), "", 0, NULL,
     "tenant of the Entra application; else AZURE_TENANT_ID",
     "contoso.onmicrosoft.com", "env:NOT_SET", NULL, NULL},
    {"client_id", OPTION_TEXT, REF | WHO, AT(zClientId), "", 0, NULL,
     "id of the Entra application; else AZURE_CLIENT_ID",
     "11111111-2222-3333-4444-555555555555", "env:NOT_SET", NULL, NULL},
    {"client_secret", OPTION_TEXT, SECRET | WHO, AT(zClientSecret), "", 0, NULL,
     "secret of the Entra application; else AZURE_CLIENT_SECRET",
     "{\"client_secret\":\"env:PAY_SECRET\",\n"
     "    \"tenant_id\":\"contoso.onmicrosoft.com\",\n"
     "    \"client_id\":\"11111111-2222-3333-4444-555555555555\"}",
     "env:NOT_SET", NULL, NULL},
    {"client_certificate", OPTION_TEXT, PEM | WHO, AT(zClientCertificate), "",
     0, NULL,
     "certificate with key of the Entra application, PEM or PKCS#12: path, or "
     "PEM text; else AZURE_CLIENT_CERTIFICATE_PATH",
     "{\"client_certificate\":\"app.pem\",\n"
     "    \"tenant_id\":\"contoso.onmicrosoft.com\",\n"
     "    \"client_id\":\"11111111-2222-3333-4444-555555555555\"}",
     "nowhere.pem", NULL, ledgerClientCertificateCheck},
    {"client_certificate_password", OPTION_TEXT, SECRET,
     AT(zClientCertificatePassword), "", 0, NULL,
     "password of client_certificate; else AZURE_CLIENT_CERTIFICATE_PASSWORD",
     "env:PAY_SECRET", "env:NOT_SET", NULL, NULL},
    {"object_id", OPTION_TEXT, REF | WHO, AT(zObjectId), "", 0, NULL,
     "user-assigned managed identity, by the id of its principal",
     "11111111-2222-3333-4444-555555555555", "env:NOT_SET", NULL, NULL},
    {"resource_id", OPTION_TEXT, REF | WHO, AT(zResourceId), "", 0, NULL,
     "user-assigned managed identity, by its resource: /subscriptions/...",
     "/subscriptions/S/resourceGroups/G/providers/"
     "Microsoft.ManagedIdentity/userAssignedIdentities/I",
     "env:NOT_SET", NULL, NULL},
    {"user_certificate", OPTION_TEXT, PEM | WHO, AT(zUserCertificate), "", 0,
     NULL,
     "certificate of a ledger user (mutual TLS), PEM or PKCS#12: path, or PEM "
     "text",
     "{\"user_certificate\":\"user.pem\",\"user_key\":\"user_key.pem\"}",
     "nowhere.pem", NULL, ledgerUserCertificateAlone},
    {"user_key", OPTION_TEXT, PEM | OPTION_SECRET | WHO, AT(zUserKey), "", 0,
     NULL,
     "key of user_certificate: path of a PEM, or its text; else in the same "
     "PEM",
     "{\"user_certificate\":\"user.pem\",\"user_key\":\"user_key.pem\"}",
     "nowhere.pem", NULL, ledgerCredentialCheck},
    {"user_certificate_password", OPTION_TEXT, SECRET,
     AT(zUserCertificatePassword), "", 0, NULL,
     "password of the key of user_certificate", "env:PAY_SECRET", "env:NOT_SET",
     NULL, NULL},
    {"token", OPTION_TEXT, SECRET | WHO, AT(zToken), "", 0, NULL,
     "a bearer token, used as it is", "{\"token\":\"env:PAY_SECRET\"}",
     "{\"token\":\"two words\"}", optionAscii, NULL},
    {"authority", OPTION_TEXT, REF, AT(zAuthority), "", 0, NULL,
     "where tokens are fetched; else AZURE_AUTHORITY_HOST or "
     "https://login.microsoftonline.com",
     "https://login.microsoftonline.us", "http://login.microsoftonline.us",
     optionUrl, NULL},
    {"scope", OPTION_TEXT, REF, AT(zScope),
     "https://confidential-ledger.azure.com/.default", 0, NULL,
     "what a token is asked for",
     "https://confidential-ledger.azure.com/.default", "env:NOT_SET", NULL,
     NULL},
    {"identity_url", OPTION_TEXT, REF, AT(zIdentityUrl),
     "https://identity.confidential-ledger.core.azure.com", 0, NULL,
     "the identity service, which tells the service certificate",
     "https://identity.example", "http://identity.example", optionUrl, NULL},
    {"service_certificate", OPTION_TEXT, PEM | WHO | OPTION_ONCE,
     AT(zServiceCertificate), "", 0, NULL,
     "pin: the service certificate, path of a PEM or its text; its key counts, "
     "its dates don't; the identity service isn't asked",
     "service.pem", "nowhere.pem", NULL, ledgerIdentityCheck},
    {"service_key", OPTION_TEXT, REF | WHO, AT(zServiceKey), "", 0, NULL,
     "pin: sha256:HEX of the service key (its SubjectPublicKeyInfo); the "
     "certificate is the identity service's",
     "sha256:0123456789abcdef0123456789abcdef"
     "0123456789abcdef0123456789abcdef",
     "0123456789abcdef", optionKey, ledgerIdentityCheck},
    {"tls", OPTION_CHOICE, OPTION_LINK, AT(tlsPublic), "service", 0,
     "service public",
     "whom a connection trusts: the ledger's own service certificate, or "
     "(public, for a gateway) public CAs or those of ca_file",
     "public", "off", NULL, NULL},
    {"ca_file", OPTION_TEXT, PEM | OPTION_STALE, AT(zCaFile), "", 0, NULL,
     "CAs for identity service and authority: path of a PEM, or its text; else "
     "the system's",
     "/etc/ssl/certs/ca-certificates.crt", "nowhere.pem", optionCas, NULL},
    {"wait", OPTION_CHOICE, 0, AT(waitForCommit), "commit", 0, "none commit",
     "what COMMIT waits for: commit, or none", "none", "some", NULL, NULL},
    {"timeout_ms", OPTION_INT, 0, AT(timeoutMs), "30000", 1, NULL,
     "limit of one request, of Loading and of Pending, in milliseconds", "5000",
     "soon", NULL, NULL},
    {"connect_timeout_ms", OPTION_INT, 0, AT(connectTimeoutMs), "10000", 1,
     NULL, "limit of making one connection, in milliseconds", "2000", "0", NULL,
     NULL},
    {"retry_budget_ms", OPTION_INT, 0, AT(retry.budgetMs), "30000", 0, NULL,
     "limit of all retries after a failure, in milliseconds", "60000", "-1",
     NULL, NULL},
    {"retry_first_ms", OPTION_INT, 0, AT(retry.firstMs), "100", 1, NULL,
     "pause after the first failure, in milliseconds; it doubles each time, "
     "less a random part of up to half; the server's Retry-After goes first",
     "50", "0", NULL, NULL},
    {"retry_max_ms", OPTION_INT, 0, AT(retry.maxMs), "5000", 1, NULL,
     "longest pause after a failure, in milliseconds", "1000", "0", NULL, NULL},
    {"retry_max_attempts", OPTION_INT, 0, AT(retry.maxAttempts), "0", 0, NULL,
     "how often a request is sent at most; 0: as retry_budget_ms allows", "3",
     "-1", NULL, NULL},
    {"first_contact_ms", OPTION_INT, 0, AT(retry.firstContactMs), "1000", 0,
     NULL,
     "retry_budget_ms while no connection to the ledger was ever made, in "
     "milliseconds",
     "10000", "-1", NULL, NULL},
    {"poll_first_ms", OPTION_INT, 0, AT(poll.firstMs), "5", 1, NULL,
     "pause after the first Loading or Pending, in milliseconds; it grows by "
     "half each time",
     "10", "0", NULL, NULL},
    {"poll_max_ms", OPTION_INT, 0, AT(poll.maxMs), "500", 1, NULL,
     "longest pause after Loading or Pending, in milliseconds", "250", "0",
     NULL, NULL},
    {"concurrency", OPTION_INT, 0, AT(concurrency), "24", 1, NULL,
     "lookups under way at a time", "48", "0", NULL, NULL},
    {"range_concurrency", OPTION_INT, 0, AT(rangeConcurrency), "8", 1, NULL,
     "pages under way at a time, 256 at most", "16", "many", NULL, NULL},
    {"queue_max_bytes", OPTION_INT64, 0, AT(queueMaxBytes), "67108864", 0, NULL,
     "limit of the appends waiting for COMMIT, in bytes", "268435456",
     "256 MiB", NULL, NULL},
    {"reconcile", OPTION_CHOICE, 0, AT(reconcile), "off", 0, "off on",
     "whether an append whose answer never came is looked for in its "
     "sub-ledger, and sent again where it is certain never to be there",
     "on", "yes", NULL, NULL},
    {"settle_ms", OPTION_INT, 0, AT(settleMs), "65000", 0, NULL,
     "how long after its connection broke an append without an answer may "
     "still be carried out, while the ledger's view is the same, in "
     "milliseconds: for reconcile and ledger_flush()",
     "20000", "-1", NULL, NULL},
    {"barrier", OPTION_CHOICE, 0, AT(barrier), "on", 0, "off on",
     "whether one entry may be appended to sub-ledger ledger_reconcile once "
     "settle_ms are over, without which an append that isn't seen stays "
     "unknown",
     "off", "no", NULL, NULL},
    {"append_order", OPTION_CHOICE, 0, AT(appendAnyOrder), "strict", 0,
     "strict any", "order of a COMMIT's appends: strict, or any (faster)",
     "any", "none", NULL, NULL},
    {"allow_lockout", OPTION_CHOICE, 0, AT(allowLockout), "false", 0,
     "false true",
     "whether a statement may delete several users, or the caller", "true",
     "yes", NULL, NULL},
    {"append_readonly", OPTION_CHOICE, 0, AT(appendReadonly), "false", 0,
     "false true",
     "whether the ledger is written to though the main database is read-only",
     "true", "yes", NULL, NULL},
    {"indirect", OPTION_CHOICE, 0, AT(indirect), "refuse", 0, "refuse allow",
     "of the connection: refuse or allow tables and functions to statements "
     "that run inside another one, as a table of a database file may run them",
     "allow", "on", NULL, NULL},
    {"file_tables", OPTION_CHOICE, 0, AT(fileTables), "refuse", 0,
     "refuse allow",
     "of the connection: refuse or allow the module's tables that are declared "
     "in a database file",
     "allow", "on", NULL, NULL},
    {"max_response_bytes", OPTION_INT64, 0, AT(maxResponseBytes), "16777216",
     1024, NULL,
     "limit of one answer, in bytes; the pages of one list of "
     "sub-ledgers, users and the like share it",
     "67108864", "10", NULL, NULL},
    {"cache", OPTION_TEXT, OPTION_LIVE, AT(zCache), "off", 0, NULL,
     "where what never changes again is kept, and not asked for twice: off, "
     "memory, or the path of a file (with / or .) that outlives the connection",
     "memory", "on", optionCache, NULL},
    {"cache_max_bytes", OPTION_INT64, 0, AT(cacheMaxBytes), "268435456", 4096,
     NULL,
     "limit of the cache, in bytes, all counted; what was kept first leaves "
     "first",
     "1073741824", "10", NULL, NULL},
    {"secondary", OPTION_TEXT, OPTION_LIVE | OPTION_LIST, AT(zSecondary), "", 0,
     NULL,
     "ledgers that may answer for an entry once this one has failed: names or "
     "URLs with commas, or a JSON array of them and of objects {\"target\":, "
     "option:value}",
     "my-ledger-eu", "http://my-ledger-eu.example", NULL, NULL},
    {"log", OPTION_TEXT, OPTION_LIVE, AT(zLog), "off", 0, NULL,
     "off, info (a line per request) or debug (headers and bodies, redacted); "
     "to stderr, or with ' file:PATH' after it appended to a regular file",
     "off", "loud", optionLog, NULL},
    {"progress", OPTION_TEXT, OPTION_LIVE, AT(zProgress), "auto", 0, NULL,
     "what a statement that waits is doing, in a line of stderr that goes when "
     "it ends, and in ledger_progress: on, off, or auto (after a second, where "
     "stderr is a terminal); with ' file:PATH' after it as JSON in that file",
     "on", "loud", optionProgress, NULL},
};
#define OPTION_COUNT ((int)(sizeof(aLedgerOption) / sizeof(aLedgerOption[0])))
const int nLedgerOption = OPTION_COUNT;
#undef AT
#undef REF
#undef SECRET
#undef PEM
#undef WHO

static LedgerOptionSpec aSpec[OPTION_COUNT]; /* filled once */

/* Fills aSpec from the table. */
static void optionSpecFill(void) {
  int i;
  for( i = 0; i < OPTION_COUNT; i++ ) {
    aSpec[i].zName = aLedgerOption[i].zName;
    aSpec[i].zDefault = aLedgerOption[i].zDefault;
    aSpec[i].zDoc = aLedgerOption[i].zDoc;
    aSpec[i].zExample = aLedgerOption[i].zExample;
    aSpec[i].zRefused = aLedgerOption[i].zRefused;
  }
}

const LedgerOptionSpec *ledgerOptionTable(int *pnOption) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, optionSpecFill);
  *pnOption = OPTION_COUNT;
  return aSpec;
}

/* Whether the row's field is a char *. */
int ledgerOptionIsText(const LedgerOptionRow *pRow) {
  return pRow->eType == OPTION_TEXT;
}

/* Levenshtein distance of two short names, whatever their case. */
static int optionDistance(const char *zA, const char *zB) {
  int aRow[64];
  int nB = (int)strlen(zB);
  int i, j;

  if( nB >= 64 || strlen(zA) >= 64 ) return 64;
  for( j = 0; j <= nB; j++ ) aRow[j] = j;
  for( i = 0; zA[i]; i++ ) {
    int iDiag = aRow[0];
    aRow[0] = i + 1;
    for( j = 0; j < nB; j++ ) {
      int iBest = iDiag + (ledgerLower(zA[i]) != ledgerLower(zB[j]));
      if( aRow[j] + 1 < iBest ) iBest = aRow[j] + 1;
      if( aRow[j + 1] + 1 < iBest ) iBest = aRow[j + 1] + 1;
      iDiag = aRow[j + 1];
      aRow[j + 1] = iBest;
    }
  }
  return aRow[nB];
}

/* The row of an option, or NULL with an error that names the nearest. */
const LedgerOptionRow *ledgerOptionFind(const char *zName, LedgerError *pErr) {
  const LedgerOptionRow *pNear = aLedgerOption;
  int iNear = 1000;
  int i;

  for( i = 0; i < OPTION_COUNT; i++ ) {
    if( strcmp(aLedgerOption[i].zName, zName) == 0 ) return &aLedgerOption[i];
  }
  for( i = 0; i < OPTION_COUNT; i++ ) {
    const int iDistance = optionDistance(zName, aLedgerOption[i].zName);
    if( iDistance < iNear ) {
      iNear = iDistance;
      pNear = &aLedgerOption[i];
    }
  }
  /* What is close to nothing was not a slip of the hand. */
  if( iNear > 2 && iNear > (int)strlen(pNear->zName) / 3 ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "unknown option '%.64s' (SELECT name FROM ledger_help "
                   "WHERE kind = 'option' has them all)",
                   zName);
    return NULL;
  }
  ledgerErrorSet(pErr, LEDGER_ERROR,
                 "unknown option '%.64s': the nearest is '%s'", zName,
                 pNear->zName);
  return NULL;
}

/* The index of zWord among the words of zWords, or -1. */
int ledgerOptionWord(const char *zWords, const char *zWord) {
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
int ledgerOptionIsSwitch(const LedgerOptionRow *pRow) {
  return pRow->eType == OPTION_CHOICE &&
         (strcmp(pRow->zWords, "off on") == 0 ||
          strcmp(pRow->zWords, "false true") == 0);
}

int ledgerOptionReconnects(const char *zName) {
  int i;
  for( i = 0; i < OPTION_COUNT; i++ ) {
    const LedgerOptionRow *pRow = &aLedgerOption[i];
    if( strcmp(pRow->zName, zName) != 0 ) continue;
    if( pRow->mFlag & OPTION_LIVE ) return 0;
    return ledgerOptionIsText(pRow) || (pRow->mFlag & OPTION_LINK) != 0;
  }
  return 0;
}
