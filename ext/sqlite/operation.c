/*
** One queued change of a small table, sent to the ledger at COMMIT.
**
** Requests, by what the row wants:
**   user      PATCH; DELETE; where roles must go GET, DELETE, PATCH, GET
**             (before the last GET the status of the PATCH, until it is final)
**   role      PUT, PATCH; DELETE; where actions must go GET, DELETE, PUT, or
**             one PATCH in the versions in which that replaces them
**             (both: a PATCH before the DELETE where the ledger may not know a
**             word, so that it is refused while nothing is lost)
**   function  PUT; DELETE
**   endpoint  GET, PUT: the ledger takes the endpoints as one bundle
**
** Invariants
**   - PATCH of a user and of a role only adds (CONTRACT.md 5): what must go is
**     taken away by deleting first, and what the ledger then holds is compared
**     with what was asked for. A difference is an error that names it;
**   - it is read back once it is committed. Where a change of view took a step
**     back, all is done again, by what the ledger then holds;
**   - once something of a row was sent, the row is never "not sent": when a
**     later step fails, the row is refused or unknown, and the message says
**     what the ledger holds now;
**   - the caller's own roles are never taken away on the way to others;
**   - when what was deleted can't be written anew, what it held is given back,
**     once. A process that is killed in between leaves it deleted: the API has
**     no way to take roles away in one step.
*/
#include "ledgerInt.h"

#include <string.h>

#define OPERATION_LOST 10 /* changes of view in a row that end it */

/* A row under way. */
typedef struct Operation Operation;
struct Operation {
  LedgerQueueRow *pRow;
  LedgerClient *pClient;
  int bSent;        /* a write of this row was accepted */
  LedgerTxid after; /* the last one; it isn't known to be taken back */
};

/* Without the prefix, to be put into another message. */
static const char *operationText(const LedgerError *pErr) {
  return ledgerErrorText(pErr) + strlen("ledger: ");
}

/* Sends one write and waits for its answer; *ppCall keeps it. The row's state
** says what became of it. */
static int operationSend(Operation *p, const char *zMethod, int eRoute,
                         const char *zKey, const char *zBody,
                         LedgerCall **ppCall, LedgerError *pErr) {
  LedgerQueueRow *pRow = p->pRow;
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerTxid id = {0, 0};
  LedgerWrite w;
  int eOutcome = LEDGER_UNSENT, rc;

  *ppCall = NULL;
  w.eRoute = eRoute;
  w.zMethod = zMethod;
  w.zKey = zKey;
  w.zBody = zBody;
  rc = ledgerWriteStart(p->pClient, &w, ppCall, &err);
  if( rc == LEDGER_OK ) {
    ledgerCallWait(*ppCall, &err); /* the result says it more exactly */
    ledgerErrorClear(&err);
    rc = ledgerAppendResult(*ppCall, &eOutcome, &id, &err);
  }
  switch( eOutcome ) {
    case LEDGER_SENT:
      pRow->eState = LEDGER_PENDING;
      pRow->id = id;
      p->bSent = 1;
      p->after = id;
      break;
    case LEDGER_UNSENT:
      pRow->eState = LEDGER_QUEUED;
      if( rc == LEDGER_IOERR ) rc = LEDGER_BUSY; /* it may pass later */
      ledgerErrorSet(pErr, rc, "not sent: %s", operationText(&err));
      break;
    case LEDGER_REFUSED:
      pRow->eState = LEDGER_ROW_REFUSED;
      ledgerErrorSet(pErr, rc == LEDGER_BUSY ? LEDGER_CONSTRAINT : rc, "%s",
                     operationText(&err));
      break;
    default:
      pRow->eState = LEDGER_UNKNOWN;
      ledgerErrorSet(pErr, LEDGER_IOERR,
                     "it was sent and no answer came: the ledger may or may "
                     "not have done it: %s",
                     operationText(&err));
      break;
  }
  pErr->http = err.http;
  ledgerErrorClear(&err);
  return pErr->rc;
}

/* Reads what the ledger holds now; *ppDoc is NULL where there is nothing. */
static int operationRead(Operation *p, int eRoute, const char *zKey,
                         LedgerCall **ppCall, LedgerJson **ppDoc,
                         LedgerError *pErr) {
  *ppDoc = NULL;
  *ppCall = NULL;
  if( ledgerRouteGet(p->pClient, eRoute, zKey, p->after, ppCall, pErr) ==
          LEDGER_OK &&
      ledgerCallWait(*ppCall, pErr) == LEDGER_OK ) {
    ledgerRouteResult(*ppCall, ppDoc, pErr);
  }
  return pErr->rc;
}

/* Waits until the last write is committed. *pbLost: it was taken back, or the
** one before it, `gone`, which may be where that was answered in an earlier
** view. */
static int operationCommitted(Operation *p, LedgerTxid gone, int *pbLost,
                              LedgerError *pErr) {
  LedgerQueueRow *pRow = p->pRow;
  int eState = LEDGER_TX_PENDING;
  if( ledgerStatusWait(p->pClient, pRow->id, &eState, pErr) ) return pErr->rc;
  if( eState == LEDGER_TX_COMMITTED && gone.seqno &&
      gone.view != pRow->id.view &&
      ledgerStatusWait(p->pClient, gone, &eState, pErr) ) {
    return pErr->rc;
  }
  *pbLost = eState == LEDGER_TX_INVALID;
  pRow->eState = *pbLost ? LEDGER_SENDING : LEDGER_COMMITTED;
  return LEDGER_OK;
}

/* ---- sets of words: roles, actions -------------------------------------- */

/* The words that an answer holds for the row, as a JSON array into *pOut; no
** text where there is no answer. */
static int operationWords(const Operation *p, LedgerJson *pDoc, LedgerBuf *pOut,
                          LedgerError *pErr) {
  cJSON *pRoot = pDoc ? ledgerJsonRoot(pDoc) : NULL;
  cJSON *pItem, *pList;
  const char *z;
  size_t n;

  ledgerBufReset(pOut);
  if( pRoot == NULL ) return LEDGER_OK;
  if( p->pRow->eKind == LEDGER_KIND_USER ) {
    pList = ledgerJsonMember(pRoot, "assignedRoles");
    z = ledgerJsonMemberText(pDoc, pRoot, "assignedRole", &n);
  } else {
    z = NULL;
    pItem = ledgerJsonMember(pRoot, "role");
    for( pItem = pItem ? pItem->child : NULL; pItem; pItem = pItem->next ) {
      const char *zName = ledgerJsonMemberText(pDoc, pItem, "roleName", NULL);
      if( zName && strcmp(zName, p->pRow->zKey) == 0 ) break;
    }
    if( pItem == NULL ) return LEDGER_OK;
    pList = ledgerJsonMember(pItem, "roleActions");
  }
  ledgerBufText(pOut, "[");
  if( z ) ledgerBufJson(pOut, z, n);
  for( pItem = pList ? pList->child : NULL; pItem; pItem = pItem->next ) {
    z = ledgerJsonText(pDoc, pItem, &n);
    if( z == NULL ) continue;
    if( pOut->n > 1 ) ledgerBufText(pOut, ",");
    ledgerBufJson(pOut, z, n);
  }
  ledgerBufText(pOut, "]");
  return pOut->bOom ? ledgerErrorNomem(pErr) : LEDGER_OK;
}

/* Is every word of the array zA in zB? */
static int operationWithin(const char *zA, const char *zB, int *pbWithin,
                           LedgerError *pErr) {
  LedgerJson *pA = NULL, *pB = NULL;
  cJSON *a, *b;
  *pbWithin = 0;
  if( ledgerJsonParse(zA, strlen(zA), "roles", &pA, pErr) ||
      ledgerJsonParse(zB, strlen(zB), "roles", &pB, pErr) ) {
    goto out;
  }
  *pbWithin = 1;
  for( a = ledgerJsonRoot(pA)->child; a; a = a->next ) {
    const char *z = ledgerJsonText(pA, a, NULL);
    for( b = ledgerJsonRoot(pB)->child; b; b = b->next ) {
      const char *z2 = ledgerJsonText(pB, b, NULL);
      if( z && z2 && strcmp(z, z2) == 0 ) break;
    }
    if( b == NULL ) *pbWithin = 0;
  }
out:
  ledgerJsonFree(pA);
  ledgerJsonFree(pB);
  return pErr->rc;
}

/* Compares what the ledger holds with what the row asked for. */
static int operationCompare(Operation *p, LedgerJson *pDoc, LedgerError *pErr) {
  LedgerQueueRow *pRow = p->pRow;
  LedgerBuf have = {0};
  int b1 = 0, b2 = 0;
  if( operationWords(p, pDoc, &have, pErr) ) goto out;
  if( have.n == 0 ) ledgerBufText(&have, "[]");
  if( operationWithin(pRow->zContents, have.z, &b1, pErr) ||
      operationWithin(have.z, pRow->zContents, &b2, pErr) ) {
    goto out;
  }
  if( !b1 || !b2 ) {
    pRow->eState = LEDGER_ROW_REFUSED;
    ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "%s holds %s now, not %s",
                   pRow->zKey, have.z, pRow->zContents);
  }
out:
  ledgerBufFree(&have);
  return pErr->rc;
}

/* ---- users and roles ----------------------------------------------------- */

/* The body that gives these words. */
static int operationBody(const Operation *p, const char *zWords,
                         LedgerBuf *pBuf, LedgerError *pErr) {
  const LedgerQueueRow *pRow = p->pRow;
  ledgerBufReset(pBuf);
  if( pRow->eKind == LEDGER_KIND_USER ) {
    ledgerBufText(pBuf, zWords);
  } else {
    ledgerBufText(pBuf, "{\"roles\":[{\"roleName\":");
    ledgerBufJson(pBuf, pRow->zKey, strlen(pRow->zKey));
    ledgerBufPrintf(pBuf, ",\"roleActions\":%s}]}", zWords);
  }
  return pBuf->bOom ? ledgerErrorNomem(pErr) : LEDGER_OK;
}

/* May this user's roles be taken away for a moment? Not the caller's own. */
static int operationNotSelf(const Operation *p, LedgerError *pErr) {
  LedgerFacts facts;
  if( p->pRow->eKind != LEDGER_KIND_USER ) return LEDGER_OK;
  ledgerClientFacts(p->pClient, &facts);
  if( facts.zPrincipal &&
      sqlite3_stricmp(facts.zPrincipal, p->pRow->zKey) != 0 ) {
    return LEDGER_OK;
  }
  p->pRow->eState = LEDGER_ROW_REFUSED;
  return ledgerErrorSet(
      pErr, LEDGER_CONSTRAINT,
      "user %s: roles can only be taken away by deleting the user first, and "
      "%s: another Administrator has to do it",
      p->pRow->zKey,
      facts.zPrincipal ? "this is you" : "whether this is you isn't known");
}

int ledgerUserNotSelf(Ledger *pLedger, const char *zUser, const char *zRoles,
                      LedgerError *pErr) {
  LedgerFacts facts;
  LedgerQueueRow row;
  Operation op;
  LedgerCall *pCall = NULL;
  LedgerJson *pDoc = NULL;
  LedgerBuf have = {0};
  int bWithin = 1;

  ledgerClientFacts(pLedger->pClient, &facts);
  if( facts.zPrincipal == NULL ||
      sqlite3_stricmp(facts.zPrincipal, zUser) != 0 ) {
    return LEDGER_OK;
  }
  memset(&row, 0, sizeof(row));
  row.eKind = LEDGER_KIND_USER;
  row.zKey = sqlite3_mprintf("%s", zUser);
  op.pRow = &row;
  op.pClient = pLedger->pClient;
  op.bSent = 0;
  memset(&op.after, 0, sizeof(op.after));
  if( row.zKey == NULL ) {
    ledgerErrorNomem(pErr);
  } else if( operationRead(&op, LEDGER_ROUTE_USER, zUser, &pCall, &pDoc,
                           pErr) == LEDGER_OK &&
             operationWords(&op, pDoc, &have, pErr) == LEDGER_OK &&
             have.n > 0 &&
             operationWithin(have.z, zRoles, &bWithin, pErr) == LEDGER_OK &&
             !bWithin ) {
    if( ledgerClientManyRoles(pLedger->pClient) ) {
      operationNotSelf(&op, pErr);
    } else if( !ledgerClientConfig(pLedger->pClient)->allowLockout ) {
      ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                     "user %s: this is you, and %s would be lost: if that is "
                     "meant, SELECT ledger_option('allow_lockout', 'true', "
                     "'%s')",
                     zUser, have.z, pLedger->zName);
    }
  }
  sqlite3_free(row.zKey);
  ledgerCallFree(pCall);
  ledgerBufFree(&have);
  return pErr->rc;
}

/* What was deleted could not be written as it was asked for: writes what was
** there before. pErr, which says why, tells how that went too. */
static void operationRestore(Operation *p, const char *zMethod, int eRoute,
                             const char *zKey, const char *zWords,
                             LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT, all = LEDGER_ERROR_INIT;
  LedgerCall *pCall = NULL;
  LedgerBuf body = {0};

  if( operationBody(p, zWords, &body, &err) == LEDGER_OK ) {
    operationSend(p, zMethod, eRoute, zKey, body.z, &pCall, &err);
  }
  ledgerErrorSet(&all, pErr->rc, "%s; what it held before, %s, %s%s",
                 operationText(pErr), zWords,
                 err.rc ? "could not be given back: " : "was given back",
                 err.rc ? operationText(&err) : "");
  all.http = pErr->http;
  p->pRow->eState = LEDGER_ROW_REFUSED;
  ledgerErrorClear(pErr);
  *pErr = all;
  ledgerErrorClear(&err);
  ledgerCallFree(pCall);
  ledgerBufFree(&body);
}

/* Does the ledger surely know every word that the row asks for? What the row
** holds it knows, zHave, and of roles the three that it came with. */
static int operationKnown(const Operation *p, const char *zHave, int *pbKnown,
                          LedgerError *pErr) {
  static const char zThree[] = "\"Reader\",\"Contributor\",\"Administrator\"";
  LedgerBuf known = {0};
  int rc;

  ledgerBufAppend(&known, zHave, strlen(zHave) - 1); /* without its bracket */
  if( p->pRow->eKind == LEDGER_KIND_USER ) {
    ledgerBufPrintf(&known, "%s%s", known.n > 1 ? "," : "", zThree);
  }
  ledgerBufText(&known, "]");
  rc = known.bOom ? ledgerErrorNomem(pErr)
                  : operationWithin(p->pRow->zContents, known.z, pbKnown, pErr);
  ledgerBufFree(&known);
  return rc;
}

/* Makes roles (actions) equal to those given. *pbLost: a change of view took
** something of that back. */
static int operationWordsOnce(Operation *p, int *pbLost, LedgerError *pErr) {
  LedgerQueueRow *pRow = p->pRow;
  const int bUser = pRow->eKind == LEDGER_KIND_USER;
  const int eOne = bUser ? LEDGER_ROUTE_USER : LEDGER_ROUTE_ROLE;
  const int eWrite = bUser ? LEDGER_ROUTE_USER : LEDGER_ROUTE_ROLES;
  const char *zWriteKey = bUser ? pRow->zKey : NULL;
  const char *zMethod = bUser ? "PATCH" : "PUT";
  LedgerCall *pCall = NULL;
  LedgerJson *pDoc = NULL;
  LedgerBuf have = {0}, body = {0};
  LedgerTxid gone = {0, 0};
  int bWithin = 1, bKnown = 1;

  *pbLost = 0;
  if( operationBody(p, pRow->zContents, &body, pErr) ) goto out;
  if( pRow->eChange != LEDGER_CHANGE_INSERT &&
      ledgerClientManyRoles(p->pClient) ) {
    if( operationRead(p, eOne, pRow->zKey, &pCall, &pDoc, pErr) ||
        operationWords(p, pDoc, &have, pErr) ||
        (have.n > 0 &&
         operationWithin(have.z, pRow->zContents, &bWithin, pErr)) ) {
      goto out;
    }
    ledgerCallFree(pCall);
    pCall = NULL;
    /* The first answer may have chosen a version with one role per user. */
    if( !ledgerClientManyRoles(p->pClient) ) bWithin = 1;
    if( !bUser && have.n > 0 ) {
      zMethod = "PATCH"; /* it is there: add, or replace */
      if( ledgerClientRolesReplaced(p->pClient) ) bWithin = 1;
    }
    if( !bWithin ) {
      if( operationNotSelf(p, pErr) ||
          operationKnown(p, have.z, &bKnown, pErr) ) {
        goto out;
      }
      if( !bKnown &&
          operationSend(p, "PATCH", eWrite, zWriteKey, body.z, &pCall, pErr) ) {
        goto out;
      }
      ledgerCallFree(pCall);
      pCall = NULL;
      if( !bUser ) zMethod = "PUT";
      if( operationSend(p, "DELETE", eOne, pRow->zKey, NULL, &pCall, pErr) ) {
        goto out;
      }
      gone = pRow->id;
      ledgerCallFree(pCall);
      pCall = NULL;
    }
  }
  if( operationSend(p, zMethod, eWrite, zWriteKey, body.z, &pCall, pErr) ) {
    if( !bWithin && pRow->eState != LEDGER_UNKNOWN ) {
      operationRestore(p, zMethod, eWrite, zWriteKey, have.z, pErr);
    }
    goto out;
  }
  pDoc = ledgerWriteAnswer(pCall);
  if( !bWithin || operationWords(p, pDoc, &have, pErr) || have.n == 0 ) {
    /* The answer of older versions doesn't say; or it went in two steps. */
    ledgerCallFree(pCall);
    pCall = NULL;
    pDoc = NULL;
    if( pErr->rc || operationCommitted(p, gone, pbLost, pErr) || *pbLost ||
        operationRead(p, eOne, pRow->zKey, &pCall, &pDoc, pErr) ) {
      goto out;
    }
  }
  operationCompare(p, pDoc, pErr);

out:
  ledgerCallFree(pCall);
  ledgerBufFree(&have);
  ledgerBufFree(&body);
  return pErr->rc;
}

/* The same, again where it was taken back. */
static int operationWordsSet(Operation *p, LedgerError *pErr) {
  int bLost = 0, nLost = 0;
  while( operationWordsOnce(p, &bLost, pErr) == LEDGER_OK && bLost ) {
    memset(&p->after, 0, sizeof(p->after));
    if( ++nLost == OPERATION_LOST ) {
      ledgerErrorSet(pErr, LEDGER_BUSY,
                     "changes of view took it back, %d times in a row", nLost);
      break;
    }
  }
  return pErr->rc;
}

/* ---- endpoints ----------------------------------------------------------- */

/* Puts the row's endpoint into the bundle, or takes it out. */
static int operationEndpoint(Operation *p, LedgerError *pErr) {
  LedgerCall *pCall = NULL, *pPut = NULL;
  LedgerJson *pDoc = NULL;
  char *zBundle = NULL;

  if( operationRead(p, LEDGER_ROUTE_ENDPOINTS, NULL, &pCall, &pDoc, pErr) ) {
    goto out;
  }
  zBundle = ledgerEndpointsEdit(pDoc, p->pRow, pErr);
  if( zBundle ) {
    operationSend(p, "PUT", LEDGER_ROUTE_ENDPOINTS, NULL, zBundle, &pPut, pErr);
  }
out:
  cJSON_free(zBundle);
  ledgerCallFree(pCall);
  ledgerCallFree(pPut);
  return pErr->rc;
}

/* ---- all of them --------------------------------------------------------- */

static int operationRun(Operation *p, LedgerError *pErr) {
  const LedgerQueueRow *pRow = p->pRow;
  const int bDelete = pRow->eChange == LEDGER_CHANGE_DELETE;
  LedgerCall *pCall = NULL;

  switch( pRow->eKind ) {
    case LEDGER_KIND_ENDPOINT: return operationEndpoint(p, pErr);
    case LEDGER_KIND_FUNCTION:
      operationSend(p, bDelete ? "DELETE" : "PUT", LEDGER_ROUTE_FUNCTION,
                    pRow->zKey, bDelete ? NULL : pRow->zContents, &pCall, pErr);
      break;
    default:
      if( !bDelete ) return operationWordsSet(p, pErr);
      operationSend(p, "DELETE",
                    pRow->eKind == LEDGER_KIND_USER ? LEDGER_ROUTE_USER
                                                    : LEDGER_ROUTE_ROLE,
                    pRow->zKey, NULL, &pCall, pErr);
      break;
  }
  ledgerCallFree(pCall);
  return pErr->rc;
}

int ledgerOperateCheck(const LedgerQueueRow *pRow, LedgerError *pErr) {
  LedgerClient *pClient = pRow->pLedger->pClient;
  switch( pRow->eKind ) {
    case LEDGER_KIND_ENDPOINT:
      return ledgerRouteCheck(pClient, LEDGER_ROUTE_ENDPOINTS, pErr);
    case LEDGER_KIND_FUNCTION:
      return ledgerRouteCheck(pClient, LEDGER_ROUTE_FUNCTION, pErr);
    case LEDGER_KIND_ROLE:
      return ledgerRouteCheck(pClient, LEDGER_ROUTE_ROLES, pErr);
    default:
      return pRow->zContents ? ledgerRolesCheck(pClient, pRow->zContents, pErr)
                             : LEDGER_OK;
  }
}

int ledgerOperate(LedgerQueueRow *pRow, LedgerError *pErr) {
  Operation op;
  LedgerError err = LEDGER_ERROR_INIT;
  int rc;

  op.pRow = pRow;
  op.pClient = pRow->pLedger->pClient;
  op.bSent = 0;
  memset(&op.after, 0, sizeof(op.after));
  rc = operationRun(&op, &err);
  if( rc == LEDGER_OK ) return LEDGER_OK;
  if( op.bSent ) {
    /* Something of it is done: nobody may take the row for not sent. Where the
    ** last write was accepted, only reading back failed. */
    const int bUnread =
        pRow->eState == LEDGER_PENDING || pRow->eState == LEDGER_COMMITTED;
    if( bUnread ) pRow->eState = LEDGER_UNKNOWN;
    if( pRow->eState != LEDGER_UNKNOWN ) pRow->eState = LEDGER_ROW_REFUSED;
    ledgerErrorSet(pErr, rc == LEDGER_BUSY ? LEDGER_IOERR : rc,
                   "%s %s: %s: %s (SELECT it to see what the ledger holds, "
                   "then INSERT OR REPLACE)",
                   ledgerKindName(pRow->eKind), pRow->zKey,
                   bUnread ? "the change was sent and could not be read back"
                           : "the change was made in part",
                   operationText(&err));
  } else if( pRow->eState == LEDGER_UNKNOWN ) {
    ledgerErrorSet(pErr, rc,
                   "%s (SELECT * FROM ledger_%ss shows what the ledger holds)",
                   operationText(&err), ledgerKindName(pRow->eKind));
  } else {
    if( pRow->eState == LEDGER_SENDING ) pRow->eState = LEDGER_QUEUED;
    ledgerErrorSet(pErr, rc, "%s", operationText(&err));
  }
  pErr->http = err.http;
  if( pRow->eState != LEDGER_QUEUED ) {
    sqlite3_free(pRow->zError);
    pRow->zError = sqlite3_mprintf("%s", ledgerErrorText(&err));
  }
  ledgerErrorClear(&err);
  return pErr->rc;
}
