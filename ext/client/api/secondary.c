/*
** Secondary ledgers: where an entry is read when the ledger itself fails.
**
**   GET /app/transactions/{id}, GET /app/transactions/current
**
** Option `secondary` names them: a comma list of names, hosts or URLs, each
** with the ledger's own options but for its pins; or a JSON array whose members
** are such names or objects, {"target":..., option: value, ...}.
**
** Invariants
**   - only these two reads go elsewhere, once the ledger's own retries are
**     spent, after 408, 429, 5xx or no answer at all: never after an answer,
**     never after a refused credential or a wrong key;
**   - each secondary is a client of its own, with its own identity, pinned like
**     any ledger's; it shares connections' handle and log with the primary;
**   - what a secondary doesn't have proves nothing: the next one is asked, and
**     behind the last one the primary's error stands.
*/
#include "client/api/apiInt.h"

#include <stdlib.h>
#include <string.h>

/* ---- the option --------------------------------------------------------- */

/* The configuration of one secondary: the primary's without its pins, then the
** members of pObj (NULL: none). */
static int secondaryConfig(const LedgerConfig *pPrimary, const char *zTarget,
                           LedgerJson *pDoc, cJSON *pObj,
                           LedgerConfig **ppConfig, LedgerError *pErr) {
  static const char *const azOwn[] = {"secondary", "service_certificate",
                                      "service_key"};
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerConfig *p = NULL, *pNamed = NULL;
  size_t i;

  *ppConfig = NULL;
  if( ledgerConfigCopy(pPrimary, &p, pErr) ) return pErr->rc;
  for( i = 0; i < sizeof(azOwn) / sizeof(azOwn[0]); i++ ) {
    if( ledgerConfigUnset(p, azOwn[i], &err) ) goto out;
  }
  p->bNoPipe = 1; /* this is made anew each time */
  if( ledgerConfigNew(zTarget, &pNamed, &err) ) goto out;
  ledgerConfigRename(p, pNamed);
  if( pObj && ledgerConfigApplyObject(p, pDoc, pObj, "target", &err) ) goto out;
  *ppConfig = p;
  p = NULL;
out:
  if( err.rc ) {
    ledgerErrorWrap(pErr, &err, "option secondary: %s", ledgerErrorText(&err));
  }
  ledgerErrorClear(&err);
  ledgerConfigFree(p);
  ledgerConfigFree(pNamed);
  return pErr->rc;
}

/* Gives each configuration to xEach, which takes it over. */
static int secondaryEach(const LedgerConfig *p, const char *zValue,
                         int (*xEach)(void *, LedgerConfig *, LedgerError *),
                         void *pArg, LedgerError *pErr) {
  LedgerConfig *pConfig = NULL;
  LedgerJson *pDoc = NULL;
  char *zName = NULL;
  cJSON *pItem;

  while( zValue[0] && zValue[0] != '[' ) {
    size_t n;
    zValue += strspn(zValue, " ,");
    n = strcspn(zValue, ",");
    while( n > 0 && zValue[n - 1] == ' ' ) n--;
    if( n == 0 ) break;
    zName = ledgerStrndup(zValue, n);
    zValue += n + strspn(zValue + n, " ");
    if( zName == NULL ) {
      ledgerErrorNomem(pErr);
      goto out;
    }
    if( secondaryConfig(p, zName, NULL, NULL, &pConfig, pErr) ||
        xEach(pArg, pConfig, pErr) ) {
      goto out;
    }
    free(zName);
    zName = NULL;
  }
  if( zValue[0] != '[' ) goto out;
  if( ledgerJsonParse(zValue, strlen(zValue), "option secondary", &pDoc,
                      pErr) ) {
    goto out;
  }
  for( pItem = ledgerJsonRoot(pDoc)->child; pItem; pItem = pItem->next ) {
    const char *z = cJSON_IsObject(pItem)
                        ? ledgerJsonMemberText(pDoc, pItem, "target", NULL)
                        : ledgerJsonText(pDoc, pItem, NULL);
    if( z == NULL ) {
      ledgerErrorSet(pErr, LEDGER_ERROR,
                     "option secondary: an element is neither a ledger's name "
                     "nor an object with a target");
      goto out;
    }
    if( secondaryConfig(p, z, pDoc, cJSON_IsObject(pItem) ? pItem : NULL,
                        &pConfig, pErr) ||
        xEach(pArg, pConfig, pErr) ) {
      goto out;
    }
  }
out:
  free(zName);
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

static int secondaryDrop(void *pArg, LedgerConfig *pConfig, LedgerError *pErr) {
  (void)pArg;
  ledgerConfigFree(pConfig);
  return pErr->rc;
}

/* Checks the option's value as far as it can be without the network. */
static int secondaryCheck(const LedgerConfig *p, const char *zValue,
                          LedgerError *pErr) {
  return secondaryEach(p, zValue, secondaryDrop, NULL, pErr);
}

/* ---- the clients -------------------------------------------------------- */

static int secondaryAdd(void *pArg, LedgerConfig *pConfig, LedgerError *pErr) {
  LedgerClient *p = pArg;
  LedgerClient *pNew = NULL;
  LedgerClient **pp = &p->pSecondary;
  if( ledgerClientNewUnder(p, pConfig, &pNew, pErr) ) return pErr->rc;
  while( *pp ) pp = &(*pp)->pNextSecondary;
  *pp = pNew;
  return LEDGER_OK;
}

/* Frees the secondaries; no call of theirs is wanted any more. */
static void secondaryFree(LedgerClient *p) {
  while( p->pSecondary ) {
    LedgerClient *pNext = p->pSecondary->pNextSecondary;
    ledgerClientFree(p->pSecondary);
    p->pSecondary = pNext;
  }
  free(p->zSecondary);
  p->zSecondary = NULL;
}

/* Makes the clients that the option names, unless they are there. Those of an
** option that was changed stay while a call of theirs runs. */
static int secondaryReady(LedgerClient *p, LedgerError *pErr) {
  const char *zOption = p->pConfig->zSecondary;
  LedgerClient *pEach;

  if( p->zSecondary && !p->bSecondaryStale && zOption &&
      strcmp(zOption, p->zSecondary) == 0 ) {
    return LEDGER_OK;
  }
  for( pEach = p->pSecondary; pEach; pEach = pEach->pNextSecondary ) {
    if( pEach->pCalls ) return LEDGER_OK;
  }
  secondaryFree(p);
  p->bSecondaryStale = 0;
  if( zOption == NULL ) return LEDGER_OK;
  if( secondaryEach(p->pConfig, zOption, secondaryAdd, p, pErr) == LEDGER_OK ) {
    p->zSecondary = ledgerStrdup(zOption);
    if( p->zSecondary == NULL ) ledgerErrorNomem(pErr);
  }
  return pErr->rc;
}

/* ---- one read, elsewhere ------------------------------------------------ */

/* Starts the same read on the secondary pAt, or one behind it. Returns 0 where
** there is none. */
static int secondaryStart(LedgerCall *p, LedgerClient *pAt) {
  LedgerError err = LEDGER_ERROR_INIT;
  for( ; pAt; pAt = pAt->pNextSecondary ) {
    ledgerErrorClear(&err);
    if( ledgerCallTwin(p, pAt, &p->pSecondary, &err) == LEDGER_OK ) break;
  }
  ledgerErrorClear(&err);
  if( p->pSecondary ) ledgerLoopStart(p->pSecondary);
  return p->pSecondary != NULL;
}

/*
** The call is over with p->err. Where that is a failure of the ledger, not an
** answer, it goes on elsewhere. Returns 1 if it does.
*/
static int secondaryTake(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  LedgerError err = LEDGER_ERROR_INIT;
  int bTaken = 0;

  if( pClient->pConfig->zSecondary == NULL ||
      (p->err.rc != LEDGER_IOERR && p->err.rc != LEDGER_BUSY) ||
      !(p->http == 0 || p->http == 408 || p->http == 429 || p->http >= 500) ) {
    return 0;
  }
  if( secondaryReady(pClient, &err) == LEDGER_OK ) {
    bTaken = secondaryStart(p, pClient->pSecondary);
  }
  ledgerErrorClear(&err);
  if( bTaken ) p->eState = LEDGER_CALL_SECONDARY;
  return bTaken;
}

/* Moves a call on that has gone elsewhere. */
static void secondaryStep(LedgerCall *p) {
  LedgerCall *pSecondary = p->pSecondary;
  LedgerClient *pAt = pSecondary->pClient;

  if( pSecondary->eState != LEDGER_CALL_DONE ) return;
  p->pSecondary = NULL;
  if( pSecondary->err.rc == LEDGER_OK && pSecondary->bFound ) {
    void *pAnswer = p->pAnswer; /* both are of the same kind */
    p->pAnswer = pSecondary->pAnswer;
    pSecondary->pAnswer = pAnswer;
    p->bFound = 1;
    p->bFromSecondary = 1;
    memset(&p->head, 0, sizeof(p->head)); /* it is not this ledger's state */
    ledgerErrorClear(&p->err);
    p->eState = LEDGER_CALL_DONE;
  } else if( pAt == NULL || !secondaryStart(p, pAt->pNextSecondary) ) {
    ledgerErrorWrap(&p->err, &p->err,
                    "%s; no secondary ledger had it either: %s",
                    ledgerErrorText(&p->err),
                    pSecondary->err.rc ? ledgerErrorText(&pSecondary->err)
                                       : "no such entry there");
    p->eState = LEDGER_CALL_DONE;
  }
  ledgerCallFree(pSecondary);
}

const LedgerFailover ledgerSecondary = {.xCheck = secondaryCheck,
                                        .xTake = secondaryTake,
                                        .xStep = secondaryStep,
                                        .xFree = secondaryFree};
