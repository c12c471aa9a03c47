/*
** Is the ledger there, and who are we to it?
**
**     SELECT ledger_ping();
**     SELECT ledger_ping('pay');
**     SELECT ledger_ping('pay', '{"report":true}');     -- see sql/doctor.sql
**
** Requests: what connecting needs (identity, token), then
** GET /app/transactions/current; a report asks once more, for the API versions
** offered.
**
** A report is an answer in any case; without `report` a failure is an error. It
** has these, NULL where nothing failed:
**
**   error       what failed
**   code        its SQLite code
**   step        how far it came: attach, identity, credential, request
**   cause       what is wrong, where a remedy is known: see azCause below
*/
#include "sqlite/function/function.h"

#include <string.h>
#include <time.h>

enum {
  PING_ATTACH,
  PING_CONNECT,
  PING_REQUEST,
  PING_DONE
};

typedef struct Ping Ping;
struct Ping {
  int bReport;
  int eStep; /* PING_*: what is being done */
  Ledger *pLedger;
  double ms;          /* the round trip */
  LedgerBuf versions; /* offered, with commas */
};

/* Milliseconds of a clock that never goes back, and parts of them. */
static double pingClock(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Reads the options object: report. */
static int pingOptions(Ping *p, sqlite3_value *pVal, LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  cJSON *pItem;
  if( ledgerValueOptions(pVal, &pDoc, pErr) || pDoc == NULL ) goto out;
  for( pItem = ledgerJsonRoot(pDoc)->child; pItem; pItem = pItem->next ) {
    if( strcmp(pItem->string, "report") == 0 && cJSON_IsBool(pItem) ) {
      p->bReport = cJSON_IsTrue(pItem);
    } else {
      ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                     "options: '%s' is not known here, or its value: "
                     "ledger_ping takes report (true or false)",
                     pItem->string);
    }
  }
out:
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

static int pingRun(Ping *p, LedgerConn *pConn, const char *zName,
                   LedgerError *pErr) {
  LedgerCall *pCall = NULL;
  LedgerEntry entry;
  double t;
  int bFound = 0;
  if( ledgerCheckNames(pConn, pErr) ) return pErr->rc;
  if( ledgerConnFind(pConn, zName, 1, &p->pLedger, pErr) ) return pErr->rc;
  p->eStep = PING_CONNECT;
  if( ledgerClientConnect(p->pLedger->pClient, pErr) ) return pErr->rc;
  p->eStep = PING_REQUEST;
  t = pingClock();
  if( ledgerEntryHeadGet(p->pLedger->pClient, NULL, &pCall, pErr) ==
          LEDGER_OK &&
      ledgerCallWait(pCall, pErr) == LEDGER_OK &&
      ledgerEntryResult(pCall, &bFound, &entry, pErr) == LEDGER_OK ) {
    p->ms = pingClock() - t;
    p->eStep = PING_DONE;
  }
  ledgerCallFree(pCall);
  if( p->eStep == PING_DONE && p->bReport ) {
    LedgerError err = LEDGER_ERROR_INIT;
    ledgerVersionsOffered(p->pLedger->pClient, &p->versions, &err);
    ledgerErrorClear(&err); /* not known, then */
  }
  return pErr->rc;
}

static void pingMember(LedgerBuf *pBuf, const char *zName, const char *z) {
  ledgerBufPrintf(pBuf, "%s\"%s\":", pBuf->n > 1 ? "," : "", zName);
  if( z ) {
    ledgerBufJson(pBuf, z, strlen(z));
  } else {
    ledgerBufText(pBuf, "null");
  }
}

/* How far it came. 401 and 403 are about the credential, a wrong key about the
** identity. */
static const char *pingStep(const Ping *p, const LedgerError *pErr) {
  if( pErr->rc == LEDGER_OK ) return NULL;
  if( p->eStep == PING_ATTACH ) return "attach";
  if( p->eStep == PING_CONNECT ) {
    return pErr->eStage == LEDGER_STAGE_IDENTITY ? "identity" : "credential";
  }
  if( pErr->http == 401 || pErr->http == 403 ) return "credential";
  return pErr->rc == LEDGER_AUTH ? "identity" : "request";
}

static const char *pingCode(const LedgerError *pErr) {
  switch( pErr->rc ) {
    case LEDGER_OK: return NULL;
    case LEDGER_AUTH: return "AUTH";
    case LEDGER_BUSY: return "BUSY";
    case LEDGER_IOERR: return "IOERR";
    case LEDGER_INTERRUPT: return "INTERRUPT";
    case LEDGER_CONSTRAINT: return "CONSTRAINT";
    case LEDGER_NOTFOUND: return "NOTFOUND";
    case LEDGER_TOOBIG: return "TOOBIG";
    default: return "ERROR";
  }
}

static const char *const azCause[] = {
    [LEDGER_CAUSE_NONE] = NULL,
    [LEDGER_CAUSE_UNREACHABLE] = "unreachable",
    [LEDGER_CAUSE_NO_LEDGER] = "no_ledger",
    [LEDGER_CAUSE_OTHER_KEY] = "other_key",
    [LEDGER_CAUSE_DATES] = "dates",
    [LEDGER_CAUSE_REFUSED] = "refused",
    [LEDGER_CAUSE_NO_ROLE] = "no_role",
    [LEDGER_CAUSE_NO_CREDENTIAL] = "no_credential",
    [LEDGER_CAUSE_NOT_SET_UP] = "not_set_up",
    [LEDGER_CAUSE_BAD_NAME] = "bad_name",
    [LEDGER_CAUSE_FILE] = "unreadable_file"};

static void pingResult(Ping *p, sqlite3_context *pCtx, const char *zName,
                       LedgerError *pErr) {
  const LedgerConfig *pConfig =
      p->pLedger ? ledgerClientConfig(p->pLedger->pClient) : NULL;
  LedgerFacts facts;
  LedgerBuf buf = {0};
  char *zError = NULL;
  memset(&facts, 0, sizeof(facts));
  if( p->pLedger ) {
    ledgerClientFacts(p->pLedger->pClient, &facts);
    zName = p->pLedger->zName;
  }
  ledgerBufText(&buf, "{");
  pingMember(&buf, "ledger", zName ? zName : "main");
  pingMember(&buf, "url", pConfig ? pConfig->zUrl : NULL);
  pingMember(&buf, "api_version", facts.zApiVersion);
  pingMember(&buf, "credential",
             facts.zFailed ? facts.zFailed : facts.zCredential);
  pingMember(&buf, "principal", facts.zPrincipal);
  pingMember(&buf, "key_sha256", facts.zKeySha256);
  if( p->bReport ) {
    pingMember(&buf, "not_after", facts.zNotAfter);
    pingMember(&buf, "source", facts.zSource);
    pingMember(&buf, "api_versions", p->versions.n ? p->versions.z : NULL);
    pingMember(&buf, "step", pingStep(p, pErr));
    pingMember(&buf, "code", pingCode(pErr));
    pingMember(&buf, "cause", azCause[pErr->eCause]);
    if( pErr->rc ) zError = ledgerErrorMessage("%s", ledgerErrorText(pErr));
    pingMember(&buf, "error", zError);
    sqlite3_free(zError);
  }
  pingMember(&buf, "clock_of", facts.zSkewOf);
  if( facts.zSkewOf ) {
    ledgerBufPrintf(&buf, ",\"clock_skew_seconds\":%lld",
                    (long long)facts.sSkew);
  } else {
    ledgerBufText(&buf, ",\"clock_skew_seconds\":null");
  }
  if( p->eStep == PING_DONE ) {
    ledgerBufText(&buf, ",\"milliseconds\":");
    ledgerBufNumber(&buf, p->ms, 1);
    ledgerBufText(&buf, "}");
  } else {
    ledgerBufText(&buf, ",\"milliseconds\":null}");
  }
  ledgerFunctionJson(pCtx, &buf);
}

static void pingPing(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  const char *zName =
      argc > 0 ? (const char *)sqlite3_value_text(argv[0]) : NULL;
  Ping ping;
  int bWrong;
  memset(&ping, 0, sizeof(ping));
  bWrong = argc > 1 && pingOptions(&ping, argv[1], &err) != LEDGER_OK;
  if( !bWrong ) pingRun(&ping, ledgerFunctionConn(pCtx), zName, &err);
  if( bWrong || (err.rc && !ping.bReport) || err.rc == LEDGER_NOMEM ||
      err.rc == LEDGER_INTERRUPT ) {
    ledgerErrorFunctionRead(pCtx, &err);
  } else {
    pingResult(&ping, pCtx, zName, &err);
  }
  ledgerErrorClear(&err);
  ledgerBufFree(&ping.versions);
}

const LedgerFunction aLedgerFunctionPing[] = {
    {"ledger_ping", 0, 2, LEDGER_FN_ACT | LEDGER_FN_JSON, pingPing,
     "[name [, options]]",
     "identity, token and one request: version, principal, milliseconds",
     "1, and first what connecting takes: identity, token",
     "SELECT ledger_ping() ->> '$.api_version';", "SELECT ledger_ping('pay');"},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
