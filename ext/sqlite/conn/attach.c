/*
** The ledgers attached to one SQLite connection.
**
**     SELECT ledger_attach('my-ledger');        -- no request is made
**     SELECT ledger_attach(readfile('ready.json'));   -- what the emulator says
**     SELECT ledger_detach('main');
**
** Invariants: names are unique without regard to case. A condition on column
** `ledger` compares them letter by letter all the same, as SQLite does where it
** checks rows (a collation that is declared for a hidden column of a virtual
** table is lost), and a name in another case is an error there. A slot is never
** used twice, so that a rowid means one entry as long as the connection lives.
** The environment attaches "main" once, and only where nothing was ever
** attached: what was taken away doesn't come back by itself.
*/
#include "sqlite/conn/guard.h"

#include <stdlib.h>
#include <string.h>

int ledgerConnNew(sqlite3 *db, int bReadonly,
                  const LedgerTableSpec *const *apTable,
                  const LedgerFunction *const *apFunction,
                  LedgerConn **ppConn) {
  LedgerConn *p = sqlite3_malloc64(sizeof(*p));
  *ppConn = p;
  if( p == NULL ) return SQLITE_NOMEM;
  memset(p, 0, sizeof(*p));
  p->pProgress = ledgerProgressNew();
  if( p->pProgress == NULL ) {
    sqlite3_free(p);
    *ppConn = NULL;
    return SQLITE_NOMEM;
  }
  p->db = db;
  p->nRef = 1;
  p->bReadonly = bReadonly;
  p->apTable = apTable;
  p->apFunction = apFunction;
  p->queue.iNext = 1;
  p->queue.ppEnd = &p->queue.pFirst;
  p->appended.ppEnd = &p->appended.pFirst;
  return SQLITE_OK;
}

void ledgerConnRef(LedgerConn *p) {
  p->nRef++;
}

void ledgerConnUnref(void *pArg) {
  LedgerConn *p = pArg;
  int i;
  if( --p->nRef > 0 ) return;
  ledgerAppendedFree(p);
  ledgerReceiptMemoFree(p->pMemo);
  ledgerInternFree(p->pIntern);
  for( i = 0; i < p->nLedger; i++ ) ledgerUnref(p->apLedger[i]);
  sqlite3_free(p->apLedger);
  ledgerProgressFree(p->pProgress);
  sqlite3_free(p);
}

/* Is z an identifier, [A-Za-z_][A-Za-z0-9_]*? */
static int attachNameOk(const char *z) {
  int i;
  for( i = 0; z[i]; i++ ) {
    char c = z[i];
    int bAlpha = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    if( !bAlpha && (i == 0 || c < '0' || c > '9') ) return 0;
  }
  return i > 0;
}

/* LedgerHooks.xNamed. */
static int attachNamed(void *pArg, const char *zName) {
  const LedgerConn *p = pArg;
  return p->nLedger > 1 || sqlite3_stricmp(zName, "main") != 0;
}

static int attachIndex(const LedgerConn *p, const char *zName) {
  int i;
  for( i = 0; i < p->nLedger; i++ ) {
    if( sqlite3_stricmp(p->apLedger[i]->zName, zName) == 0 ) return i;
  }
  return -1;
}

/* The configuration of a target, which may be the emulator's line, with the
** options object zJson (may be NULL). */
static int attachConfig(LedgerConn *p, const char *zTarget, const char *zJson,
                        int nJson, LedgerConfig **ppConfig, LedgerError *pErr) {
  LedgerConfig *pConfig = NULL;
  LedgerReady *pReady = NULL;

  if( zTarget[strspn(zTarget, " \t\r\n")] == '{' &&
      ledgerReadyRead(zTarget, strlen(zTarget), &pReady, pErr) ) {
    return pErr->rc;
  }
  if( ledgerConfigNew(pReady ? ledgerReadyUrl(pReady) : zTarget, &pConfig,
                      pErr) ) {
    goto out;
  }
  pConfig->pFailover = &ledgerSecondary;
  pConfig->xInterrupted = ledgerConnInterrupted;
  pConfig->pInterruptArg = p;
  if( pReady && ledgerReadyApply(pReady, pConfig, pErr) ) goto out;
  if( zJson && ledgerConfigApply(pConfig, zJson, (size_t)nJson, pErr) ) {
    goto out;
  }
  if( pReady && ledgerReadySignIn(pReady, pConfig, pErr) ) goto out;
  *ppConfig = pConfig;
  pConfig = NULL;
out:
  ledgerReadyFree(pReady);
  ledgerConfigFree(pConfig);
  return pErr->rc;
}

int ledgerConnAttach(LedgerConn *p, const char *zTarget, const char *zName,
                     const char *zJson, int nJson, LedgerError *pErr) {
  LedgerConfig *pConfig = NULL;
  LedgerHooks hooks = {ledgerConnInterrupted, attachNamed, NULL, p,
                       p->pProgress};
  Ledger *pNew = NULL;
  Ledger **apNew;
  unsigned char aDigest[32];
  const int iOld = attachIndex(p, zName ? zName : "main");
  int rc;

  if( zName == NULL ) zName = "main";
  if( !attachNameOk(zName) ) {
    return ledgerErrorSet(
        pErr, LEDGER_CONSTRAINT,
        "'%s' can't name a ledger: a name has letters, digits and _, and "
        "doesn't start with a digit",
        zName);
  }
  if( iOld < 0 && p->iNextSlot > 32767 ) {
    return ledgerErrorSet(pErr, LEDGER_FULL,
                          "this connection has attached 32768 ledgers");
  }
  rc = attachConfig(p, zTarget, zJson, nJson, &pConfig, pErr);
  if( rc == LEDGER_OK ) rc = ledgerConfigDigest(pConfig, aDigest, pErr);
  if( rc ) goto out;
  if( iOld >= 0 ) {
    if( memcmp(p->apLedger[iOld]->aDigest, aDigest, sizeof(aDigest)) ) {
      rc = ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "a ledger named '%s' is attached already: SELECT "
                          "ledger_detach('%s') first",
                          zName, zName);
    }
    goto out;
  }
  pNew = sqlite3_malloc64(sizeof(*pNew));
  apNew = sqlite3_realloc64(p->apLedger,
                            sizeof(*apNew) * (sqlite3_uint64)(p->nLedger + 1));
  if( apNew ) p->apLedger = apNew;
  if( pNew == NULL || apNew == NULL ) {
    sqlite3_free(pNew);
    pNew = NULL;
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  memset(pNew, 0, sizeof(*pNew));
  pNew->pConn = p;
  pNew->nRef = 1;
  pNew->iSlot = p->iNextSlot;
  memcpy(pNew->aDigest, aDigest, sizeof(aDigest));
  pNew->zName = sqlite3_mprintf("%s", zName);
  if( pNew->zName == NULL ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  hooks.zName = pNew->zName;
  rc = ledgerClientNew(pConfig, &hooks, &pNew->pClient, pErr);
  pConfig = NULL;
  if( rc ) goto out;
  if( ledgerClientConfig(pNew->pClient)->indirect ) p->bIndirect = 1;
  if( ledgerClientConfig(pNew->pClient)->fileTables ) p->bFileTables = 1;
  p->apLedger[p->nLedger++] = pNew;
  p->iNextSlot++;
  p->xAttached(pNew);
  pNew = NULL;

out:
  ledgerConfigFree(pConfig);
  ledgerUnref(pNew);
  return rc;
}

int ledgerConnDetach(LedgerConn *p, const char *zName, LedgerError *pErr) {
  Ledger *pLedger;
  int i;
  int rc = ledgerConnFind(p, zName, 0, &pLedger, pErr);
  if( rc ) return rc;
  if( ledgerQueueHasRows(p, pLedger) ) {
    return ledgerErrorSet(pErr, LEDGER_BUSY,
                          "'%s' has rows that wait for COMMIT: COMMIT or "
                          "ROLLBACK first",
                          pLedger->zName);
  }
  i = attachIndex(p, pLedger->zName);
  p->bDetached = 1;
  p->nLedger--;
  memmove(&p->apLedger[i], &p->apLedger[i + 1],
          sizeof(*p->apLedger) * (size_t)(p->nLedger - i));
  ledgerUnref(pLedger);
  return LEDGER_OK;
}

/* Attaches the ledger of the environment. */
static int attachEnv(LedgerConn *p, const char *zUrl, LedgerError *pErr) {
  const char *zJson = getenv("LEDGER_OPTIONS");
  LedgerError err = LEDGER_ERROR_INIT;

  if( zJson && zJson[0] == 0 ) {
    return ledgerErrorSet(
        pErr, LEDGER_ERROR,
        "LEDGER_OPTIONS is set but empty: unset it, or set it to {}");
  }
  if( ledgerConnAttach(p, zUrl, NULL, zJson, zJson ? (int)strlen(zJson) : 0,
                       &err) ) {
    ledgerErrorWrap(pErr, &err, "LEDGER_URL%s: %s",
                    zJson ? " and LEDGER_OPTIONS" : "", ledgerErrorText(&err));
  }
  ledgerErrorClear(&err);
  return pErr->rc;
}

int ledgerConnReady(LedgerConn *p, int bEnv, LedgerError *pErr) {
  const char *zUrl;
  if( p->nLedger > 0 ) return LEDGER_OK;
  if( p->bDetached ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "no ledger attached: SELECT ledger_attach('NAME') "
                          "(after ledger_detach() LEDGER_URL is not used)");
  }
  zUrl = bEnv ? getenv("LEDGER_URL") : NULL;
  if( zUrl && zUrl[0] ) return attachEnv(p, zUrl, pErr);
  zUrl = getenv("LEDGER_URL");
  return ledgerErrorSet(
      pErr, LEDGER_ERROR,
      "no ledger attached: SELECT ledger_attach('NAME'), or %s",
      zUrl && zUrl[0] ? "SELECT ledger_ping() for that of LEDGER_URL (a table "
                        "declared in a file attaches none)"
                      : "set LEDGER_URL");
}

/* There is no such ledger: an error that names those there are. Functions have
** asked without regard to case, conditions have not. */
static int attachUnknown(const LedgerConn *p, const char *zName,
                         LedgerError *pErr) {
  LedgerBuf names = {0};
  int i;
  for( i = 0; i < p->nLedger; i++ ) {
    ledgerBufPrintf(&names, "%s%s", i ? ", " : "", p->apLedger[i]->zName);
  }
  ledgerErrorSet(pErr, LEDGER_ERROR,
                 "no ledger named '%.64s' is attached (attached: %s)%s", zName,
                 names.z ? names.z : "none",
                 attachIndex(p, zName) < 0
                     ? ""
                     : ": a condition compares names letter by letter");
  ledgerBufFree(&names);
  return pErr->rc;
}

int ledgerConnName(sqlite3_value *pVal, char **pz) {
  int eType = sqlite3_value_type(pVal);
  const char *z;
  *pz = NULL;
  if( eType == SQLITE_NULL || eType == SQLITE_BLOB ) return SQLITE_OK;
  z = (const char *)sqlite3_value_text(pVal);
  if( z == NULL ) return SQLITE_NOMEM;
  /* What stands behind a NUL makes it another name, and none that is. */
  *pz = sqlite3_mprintf(
      strlen(z) == (size_t)sqlite3_value_bytes(pVal) ? "%s" : "%s\\0", z);
  return *pz ? SQLITE_OK : SQLITE_NOMEM;
}

int ledgerConnNamed(LedgerConn *p, int n, char *const *azName,
                    LedgerError *pErr) {
  int i, k;
  for( i = 0; i < n; i++ ) {
    for( k = 0; k < p->nLedger; k++ ) {
      if( strcmp(p->apLedger[k]->zName, azName[i]) == 0 ) break;
    }
    if( k == p->nLedger ) return attachUnknown(p, azName[i], pErr);
  }
  return LEDGER_OK;
}

int ledgerConnFind(LedgerConn *p, const char *zName, int bEnv,
                   Ledger **ppLedger, LedgerError *pErr) {
  int i, rc;
  *ppLedger = NULL;
  rc = ledgerConnReady(p, bEnv, pErr);
  if( rc ) return rc;
  if( zName == NULL ) zName = "main";
  i = attachIndex(p, zName);
  if( i >= 0 ) {
    *ppLedger = p->apLedger[i];
    return LEDGER_OK;
  }
  attachUnknown(p, zName, pErr);
  return LEDGER_ERROR;
}

int ledgerConnFindToWrite(LedgerConn *p, const char *zName, int bEnv,
                          const char *zWhere, Ledger **ppLedger,
                          LedgerError *pErr) {
  *ppLedger = NULL;
  if( zName == NULL && p->nLedger > 1 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "several ledgers are attached: name one in %s",
                          zWhere);
  }
  if( ledgerConnFind(p, zName, bEnv, ppLedger, pErr) ) return pErr->rc;
  return ledgerGuardLedger(*ppLedger, pErr);
}
