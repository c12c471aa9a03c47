/*
** The table ledger_users: who may do what.
**
**     SELECT user_id, roles FROM ledger_users;
**     INSERT INTO ledger_users(user_id, role) VALUES('7F:...', 'Reader');
**     UPDATE ledger_users SET roles = '["Reader","X"]' WHERE user_id = '...';
**     DELETE FROM ledger_users WHERE user_id = '...';
**
** A user is an object id or the fingerprint of a certificate, in any case, with
** or without colons. `role` is NULL unless there is exactly one; `roles` is
** always a JSON array. Either may be given; both must agree.
**
** Plans and requests:
**     user_id=  -in    GET /app/ledgerUsers/{id}; before 2024-07-26 /app/users
**     none             GET /app/ledgerUsers, the list
**     INSERT           GET the user: it must not exist; at COMMIT PATCH
**     UPDATE           at COMMIT PATCH; where roles must go DELETE, PATCH, GET
**     DELETE           at COMMIT DELETE
**
** Invariant: a statement deletes one user at most, and never the caller, unless
** option allow_lockout says so.
*/
#include "sqlite/table/table.h"

#include <string.h>

/* The canonical form of the n bytes at z, in zBuf, or z itself: ids compare by
** it. */
static const char *usersCanonical(const char *z, int *pn, char *zBuf) {
  if( !ledgerUserId(z, (size_t)*pn, zBuf) ) return z;
  *pn = (int)strlen(zBuf);
  return zBuf;
}

int ledgerUserIdCollate(void *pArg, int n1, const void *z1, int n2,
                        const void *z2) {
  char z1Buf[LEDGER_USER_ID_MAX], z2Buf[LEDGER_USER_ID_MAX];
  const char *a = usersCanonical(z1, &n1, z1Buf);
  const char *b = usersCanonical(z2, &n2, z2Buf);
  int c = memcmp(a, b, (size_t)(n1 < n2 ? n1 : n2));
  (void)pArg;
  return c ? c : n1 - n2;
}

static int usersKey(const char *z, size_t n, char **pzKey) {
  char zId[LEDGER_USER_ID_MAX];
  *pzKey = NULL;
  if( !ledgerUserId(z, n, zId) ) return SQLITE_OK;
  *pzKey = sqlite3_mprintf("%s", zId);
  return *pzKey ? SQLITE_OK : SQLITE_NOMEM;
}

/* `role` and `roles` of the row, from assignedRole or assignedRoles. */
static int usersItem(LedgerCells *pCells, LedgerItem *pItem,
                     LedgerError *pErr) {
  cJSON *pRoles = ledgerJsonMember(pItem->pItem, "assignedRoles");
  cJSON *pRole = ledgerJsonMember(pItem->pItem, "assignedRole");
  LedgerBuf roles = {0};
  int nRole = 0, rc;

  if( pRoles ? !cJSON_IsArray(pRoles) : pRole == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "ledger_users: the ledger's answer makes no sense: a "
                          "user has no list 'assignedRoles'");
  }
  if( pRoles ) pRole = pRoles->child;
  ledgerBufText(&roles, "[");
  for( ; pRole; pRole = pRoles ? pRole->next : NULL ) {
    size_t n;
    const char *z = ledgerJsonText(pItem->pDoc, pRole, &n);
    if( z == NULL ) {
      ledgerBufFree(&roles);
      return ledgerErrorSet(pErr, LEDGER_ERROR,
                            "ledger_users: the ledger's answer makes no sense: "
                            "a user's role is not text");
    }
    if( nRole++ ) ledgerBufText(&roles, ",");
    ledgerBufJson(&roles, z, n);
  }
  ledgerBufText(&roles, "]");
  rc = roles.bOom ? ledgerErrorNomem(pErr)
                  : ledgerCellsText(pCells, 2, roles.z, pErr);
  if( rc == LEDGER_OK && nRole == 1 ) {
    pRole =
        pRoles ? pRoles->child : ledgerJsonMember(pItem->pItem, "assignedRole");
    rc = ledgerTableJson(pCells, 1, pItem->pDoc, pRole, pErr);
  }
  ledgerBufFree(&roles);
  return rc;
}

/* ---- sending ------------------------------------------------------------- */

static int usersFind(LedgerJson *pDoc, const char *zKey, cJSON **ppList,
                     cJSON **ppOne) {
  cJSON *pRoot = ledgerJsonRoot(pDoc);
  (void)zKey;
  *ppList = ledgerJsonMember(pRoot, "assignedRoles");
  *ppOne = ledgerJsonMember(pRoot, "assignedRole");
  return 1;
}

static void usersBody(LedgerBuf *pBuf, const char *zKey, const char *zWords) {
  (void)zKey;
  ledgerBufText(pBuf, zWords);
}

static const LedgerWords usersWords = {
    .pRouteOne = &ledgerRouteUser,
    .pRouteWrite = &ledgerRouteUser,
    .bKeyInPath = 1,
    .zNew = "PATCH",
    .zBuiltIn = "\"Reader\",\"Contributor\",\"Administrator\"",
    .bIsUser = 1,
    .xFind = usersFind,
    .xBody = usersBody,
};

static int usersCheck(const LedgerQueued *pRow, LedgerError *pErr) {
  if( pRow->zContents == NULL ) return LEDGER_OK;
  return ledgerUsersRolesCheck(pRow->pLedger->pClient, pRow->zContents, pErr);
}

static const LedgerChangeKind usersKind = {.zName = "user",
                                           .xCheck = usersCheck,
                                           .xSend = ledgerWordsSend,
                                           .pWords = &usersWords};

/* ---- changing ------------------------------------------------------------ */

/* Refuses to take roles away from the caller: the user must hold nothing but
** zRoles. Where a user has one role, option allow_lockout lets it pass. Asks
** the ledger where the user is the caller, else nothing. */
static int usersNotSelf(Ledger *pLedger, const char *zUser, const char *zRoles,
                        LedgerError *pErr) {
  LedgerFacts facts;
  LedgerChangeSend ask = {.pClient = pLedger->pClient};
  LedgerBuf have = {0};
  int bWithin = 1;

  ledgerClientFacts(pLedger->pClient, &facts);
  if( facts.zPrincipal == NULL ||
      sqlite3_stricmp(facts.zPrincipal, zUser) != 0 ||
      ledgerWordsHeld(&ask, &usersWords, zUser, &have, pErr) || have.n == 0 ||
      ledgerWordsWithin(have.z, zRoles, &bWithin, pErr) || bWithin ) {
    goto out;
  }
  if( ledgerClientManyRoles(pLedger->pClient) ) {
    ledgerWordsNotSelf(pLedger->pClient, zUser, pErr);
  } else if( !ledgerClientConfig(pLedger->pClient)->allowLockout ) {
    ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                   "user %s: this is you, and %s would be lost: if that is "
                   "meant, SELECT ledger_option('allow_lockout', 'true', "
                   "'%s')",
                   zUser, have.z, pLedger->zName);
  }
out:
  ledgerBufFree(&have);
  return pErr->rc;
}

/* Who deletes whom: one user at most, and not the caller. */
static int usersLockout(const LedgerChange *p, LedgerError *pErr) {
  LedgerFacts facts;
  if( ledgerClientConfig(p->pLedger->pClient)->allowLockout ) return LEDGER_OK;
  if( p->nDeleted > 1 ) {
    return ledgerErrorSet(
        pErr, LEDGER_CONSTRAINT,
        "this statement would delete several users: if that is meant, SELECT "
        "ledger_option('allow_lockout', 'true', '%s')",
        p->pLedger->zName);
  }
  if( ledgerClientConnect(p->pLedger->pClient, pErr) ) return pErr->rc;
  ledgerClientFacts(p->pLedger->pClient, &facts);
  if( facts.zPrincipal == NULL ||
      sqlite3_stricmp(facts.zPrincipal, p->zKey) == 0 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "user %s: %s: if it is meant to be deleted, SELECT "
                          "ledger_option('allow_lockout', 'true', '%s')",
                          p->zKey,
                          facts.zPrincipal ? "this is you"
                                           : "whether this is you isn't known",
                          p->pLedger->zName);
  }
  return LEDGER_OK;
}

/* Appends the roles of a JSON array; *pnRole counts them. */
static int usersRolesArray(const char *z, LedgerBuf *pBuf, int *pnRole,
                           LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  cJSON *pItem;
  int rc = ledgerJsonParse(z, strlen(z), "roles", &pDoc, pErr);
  if( rc || !cJSON_IsArray(ledgerJsonRoot(pDoc)) ) {
    ledgerJsonFree(pDoc);
    ledgerErrorClear(pErr);
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "roles: expected a JSON array of names: "
                          "'[\"Reader\"]'");
  }
  for( pItem = ledgerJsonRoot(pDoc)->child; pItem && rc == LEDGER_OK;
       pItem = pItem->next ) {
    size_t n = 0;
    const char *zRole = ledgerJsonText(pDoc, pItem, &n);
    if( zRole == NULL || n == 0 ) {
      rc = ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "roles: the name of a role is text");
      break;
    }
    ledgerBufText(pBuf, (*pnRole)++ ? "," : "");
    ledgerBufJson(pBuf, zRole, n);
  }
  ledgerJsonFree(pDoc);
  return rc;
}

/* The roles that the row asks for, as a JSON array (sqlite3_free) into
** pRow->zContents. */
static int usersRoles(LedgerChange *p, LedgerError *pErr) {
  const char *zRole = ledgerChangeText(p, "role");
  const char *zRoles = ledgerChangeText(p, "roles");
  LedgerBuf roles = {0}, one = {0};
  int nRole = 0;

  ledgerBufText(&roles, "[");
  if( zRole ) {
    ledgerBufText(&one, "[");
    ledgerBufJson(&one, zRole, strlen(zRole));
    ledgerBufText(&one, "]");
  }
  if( zRoles && usersRolesArray(zRoles, &roles, &nRole, pErr) ) goto out;
  ledgerBufText(&roles, "]");
  if( roles.bOom || one.bOom ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  if( zRole && zRoles && strcmp(one.z, roles.z) != 0 ) {
    ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                   "role and roles don't agree: give one of them");
    goto out;
  }
  if( zRole ? zRole[0] == 0 : nRole == 0 ) {
    ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                   "role: a user has at least one role; DELETE takes all");
    goto out;
  }
  if( ledgerUsersRolesCheck(p->pLedger->pClient, zRole ? one.z : roles.z,
                            pErr) ) {
    goto out;
  }
  p->pRow->zContents = sqlite3_mprintf("%s", zRole ? one.z : roles.z);
  if( p->pRow->zContents == NULL ) ledgerErrorNomem(pErr);
out:
  ledgerBufFree(&roles);
  ledgerBufFree(&one);
  return pErr->rc;
}

/* The id of a row of INSERT, in its canonical form. */
static int usersId(LedgerChange *p, LedgerError *pErr) {
  const char *z = ledgerChangeText(p, "user_id");
  if( z == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "user_id: it is missing");
  }
  if( usersKey(z, strlen(z), &p->pRow->zKey) ) return ledgerErrorNomem(pErr);
  if( p->pRow->zKey ) return LEDGER_OK;
  return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                        "user_id: '%.100s' is neither an object id nor the "
                        "fingerprint of a certificate (64 hex digits; "
                        "ledger_fingerprint(pem) makes it)",
                        z);
}

static int usersChange(LedgerChange *p, LedgerError *pErr) {
  int bExists = 0;
  switch( p->eOp ) {
    case LEDGER_CHANGE_DELETE: return usersLockout(p, pErr);
    case LEDGER_CHANGE_UPDATE:
      if( ledgerChangeGiven(p, "user_id") ) {
        const char *z = ledgerChangeText(p, "user_id");
        char zId[LEDGER_USER_ID_MAX];
        if( z == NULL || !ledgerUserId(z, strlen(z), zId) ||
            strcmp(zId, p->zKey) != 0 ) {
          return ledgerErrorSet(
              pErr, LEDGER_CONSTRAINT,
              "user_id: a user's id can't be changed: DELETE and INSERT");
        }
      }
      if( !ledgerChangeGiven(p, "role") && !ledgerChangeGiven(p, "roles") ) {
        p->bNothing = 1;
        return LEDGER_OK;
      }
      if( usersRoles(p, pErr) ) return pErr->rc;
      return usersNotSelf(p->pLedger, p->zKey, p->pRow->zContents, pErr);
    default: break;
  }
  if( usersId(p, pErr) ) return pErr->rc;
  /* The answer also tells which version is spoken, where none is known yet:
  ** the roles are checked by it. */
  if( p->eOp == LEDGER_CHANGE_INSERT ||
      !ledgerClientAnswered(p->pLedger->pClient) ) {
    if( ledgerChangeExists(p, p->pRow->zKey, &bExists, pErr) ) return pErr->rc;
  }
  if( p->eOp == LEDGER_CHANGE_INSERT && bExists ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "user %s exists already: UPDATE, or INSERT OR "
                          "REPLACE",
                          p->pRow->zKey);
  }
  if( usersRoles(p, pErr) || p->eOp == LEDGER_CHANGE_INSERT ) return pErr->rc;
  return usersNotSelf(p->pLedger, p->pRow->zKey, p->pRow->zContents, pErr);
}

static const LedgerColumn aUsersColumn[] = {
    {"user_id", "TEXT COLLATE ledger_user_id", 0, "userId",
     "object id, or fingerprint of a certificate"},
    {"role", "TEXT", 0, NULL, "the role, where there is exactly one"},
    {"roles", "TEXT", 0, NULL, "all roles, a JSON array"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableUsers = {
    .zName = "ledger_users",
    .zDoc = "who may do what",
    .aColumn = aUsersColumn,
    .zKey = "user_id",
    .pRoute = &ledgerRouteUsers,
    .zItems = "ledgerUsers",
    .pRouteKey = &ledgerRouteUser,
    .xKey = usersKey,
    .xItem = usersItem,
    .zWrites = "INSERT, UPDATE, DELETE",
    .xUpdate = ledgerChangeUpdate,
    .pKind = &usersKind,
    .xChange = usersChange,
    .zCost =
        "1 per user asked for, or 1 per page of the list. A row to be written "
        "is read first, and is 1 at COMMIT (4 where roles must go)",
    .zExample =
        "INSERT INTO ledger_users(user_id, role)\n"
        "  VALUES('11111111-2222-3333-4444-555555555555', 'Reader');\n"
        "SELECT user_id, role FROM ledger_users WHERE role = 'Reader';\n"
        "DELETE FROM ledger_users\n"
        " WHERE user_id = '11111111-2222-3333-4444-555555555555';",
    .zFails =
        "INSERT INTO ledger_users(user_id, role) VALUES('Alice', 'Reader');",
};
