/*
** The routes of users, in every version of the API.
**
**   GET                     /app/ledgerUsers, /app/users before 2024-07-26
**   GET, PATCH, DELETE      /app/ledgerUsers/{id}; of a list of roles, or of
**                           one role
**
** Reference: api/CONTRACT.md 2.2.
*/
#include "client/api/apiInt.h"

#include <string.h>

/* Of a user's id no character needs escaping, and the service wants its colons
** as they are. */
static void usersPath(const LedgerDialect *pDialect, const char *zKey,
                      LedgerBuf *pPath) {
  ledgerBufText(pPath, pDialect->mHas & LEDGER_HAS_MANY_ROLES
                           ? "/app/ledgerUsers"
                           : "/app/users");
  if( zKey ) ledgerBufPrintf(pPath, "/%s", zKey);
}

/* The role of a version that knows one per user. *pzRole is NULL where it needs
** another version: several roles. */
static int usersOneRole(LedgerClient *p, LedgerJson *pDoc, const char **pzRole,
                        LedgerError *pErr) {
  static const char *const azRole[] = {"Administrator", "Contributor",
                                       "Reader"};
  cJSON *pRole = ledgerJsonRoot(pDoc)->child;
  const char *z = ledgerJsonText(pDoc, pRole, NULL);
  size_t i;

  *pzRole = NULL;
  if( z == NULL || pRole->next ) return LEDGER_OK;
  for( i = 0; i < 3 && strcmp(z, azRole[i]) != 0; i++ ) {
  }
  if( i == 3 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "role: '%.64s' is not one of Administrator, "
                          "Contributor, Reader, which API version %s knows",
                          z, ledgerKnownVersion(p));
  }
  *pzRole = azRole[i];
  return LEDGER_OK;
}

int ledgerUsersRolesCheck(LedgerClient *p, const char *zRoles,
                          LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  const char *zRole = NULL;

  if( !ledgerClientAnswered(p) || ledgerClientManyRoles(p) ) return LEDGER_OK;
  if( ledgerJsonParse(zRoles, strlen(zRoles), "roles", &pDoc, pErr) ==
          LEDGER_OK &&
      usersOneRole(p, pDoc, &zRole, pErr) == LEDGER_OK && zRole == NULL ) {
    ledgerDialectNeed(p->pDialect, ledgerKnownVersion(p), LEDGER_HAS_MANY_ROLES,
                      pErr);
    if( pErr->rc ) pErr->rc = LEDGER_CONSTRAINT;
  }
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

/* The body that gives a user these roles. */
static int usersBody(LedgerCall *p, const char *zGiven, LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  const char *zRole = NULL;

  if( p->pClient->pDialect->mHas & LEDGER_HAS_MANY_ROLES ) {
    ledgerBufPrintf(&p->body, "{\"assignedRoles\":%s}", zGiven);
    return LEDGER_OK;
  }
  if( ledgerJsonParse(zGiven, strlen(zGiven), "roles", &pDoc, pErr) ==
          LEDGER_OK &&
      usersOneRole(p->pClient, pDoc, &zRole, pErr) == LEDGER_OK ) {
    if( zRole ) {
      ledgerBufPrintf(&p->body, "{\"assignedRole\":\"%s\"}", zRole);
    } else {
      p->mNeed |= LEDGER_HAS_MANY_ROLES; /* the error that names it */
    }
  }
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

static const LedgerRouteForm usersForm = {.xPath = usersPath,
                                          .xBody = usersBody};

const LedgerRoute ledgerRouteUsers = {.zWhat = "list of users",
                                      .zPath = "/app/ledgerUsers",
                                      .mNeed = LEDGER_HAS_USER_LIST,
                                      .pForm = &usersForm};
const LedgerRoute ledgerRouteUser = {.zWhat = "user",
                                     .zPath = "/app/ledgerUsers",
                                     .bKey = 1,
                                     .pForm = &usersForm};
