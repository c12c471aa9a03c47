/*
** The table ledger_roles: roles that users have defined, and what they allow.
**
**     SELECT role_actions FROM ledger_roles WHERE role_name = 'auditor';
**     INSERT INTO ledger_roles(role_name, role_actions) VALUES('auditor',
**       '["Microsoft.ConfidentialLedger/ledger/users/read"]');
**
** Plans and requests: the ledger has no list of roles; role_name = or IN is
** needed. GET /app/roles?roleName=. At COMMIT: INSERT is a PUT, UPDATE a PATCH,
** or where actions must go (and PATCH only adds, since 2026-02-23) DELETE, PUT
** and GET; DELETE is a DELETE.
*/
#include "sqlite/table/table.h"

#include <string.h>

/* The actions of the row: a JSON array of texts. */
static int rolesActions(LedgerChange *p, LedgerError *pErr) {
  const char *z = ledgerChangeText(p, "role_actions");
  LedgerJson *pDoc = NULL;
  cJSON *pItem = NULL;
  int bOk = z && ledgerJsonParse(z, strlen(z), "role_actions", &pDoc, pErr) ==
                     LEDGER_OK;
  ledgerErrorClear(pErr);
  bOk = bOk && cJSON_IsArray(ledgerJsonRoot(pDoc));
  if( bOk ) pItem = ledgerJsonRoot(pDoc)->child;
  for( ; pItem; pItem = pItem->next ) bOk = bOk && cJSON_IsString(pItem);
  ledgerJsonFree(pDoc);
  if( !bOk ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "role_actions: expected a JSON array of actions, "
                          "such as "
                          "'[\"Microsoft.ConfidentialLedger/ledger/users/"
                          "read\"]'");
  }
  p->pRow->zContents = sqlite3_mprintf("%s", z);
  return p->pRow->zContents ? LEDGER_OK : ledgerErrorNomem(pErr);
}

static int rolesChange(LedgerChange *p, LedgerError *pErr) {
  return ledgerChangeNamed(p, "role", "role_name", "role_actions", rolesActions,
                           pErr);
}

/* ---- sending ------------------------------------------------------------- */

static int rolesFind(LedgerJson *pDoc, const char *zKey, cJSON **ppList,
                     cJSON **ppOne) {
  cJSON *pItem = ledgerJsonMember(ledgerJsonRoot(pDoc), "role");
  *ppOne = NULL;
  for( pItem = pItem ? pItem->child : NULL; pItem; pItem = pItem->next ) {
    const char *zName = ledgerJsonMemberText(pDoc, pItem, "roleName", NULL);
    if( zName && strcmp(zName, zKey) == 0 ) break;
  }
  if( pItem == NULL ) return 0;
  *ppList = ledgerJsonMember(pItem, "roleActions");
  return 1;
}

static void rolesBody(LedgerBuf *pBuf, const char *zKey, const char *zWords) {
  ledgerBufText(pBuf, "{\"roles\":[{\"roleName\":");
  ledgerBufJson(pBuf, zKey, strlen(zKey));
  ledgerBufPrintf(pBuf, ",\"roleActions\":%s}]}", zWords);
}

static const LedgerWords rolesWords = {
    .pRouteOne = &ledgerRouteRole,
    .pRouteWrite = &ledgerRouteRoles,
    .zNew = "PUT",
    .xReplaced = ledgerClientRolesReplaced,
    .xFind = rolesFind,
    .xBody = rolesBody,
};

static const LedgerChangeKind rolesKind = {.zName = "role",
                                           .pNeeded = &ledgerRouteRoles,
                                           .xSend = ledgerWordsSend,
                                           .pWords = &rolesWords};

static const LedgerColumn aRolesColumn[] = {
    {"role_name", "TEXT", 0, "roleName", "name of the role"},
    {"role_actions", "TEXT", 0, "roleActions",
     "what it allows, a JSON array of actions"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableRoles = {
    .zName = "ledger_roles",
    .zDoc = "roles that users have defined",
    .aColumn = aRolesColumn,
    .zKey = "role_name",
    .bKeyRequired = 1,
    .pRouteKey = &ledgerRouteRole,
    .zKeyItems = "role",
    .zWrites = "INSERT, UPDATE, DELETE",
    .xUpdate = ledgerChangeUpdate,
    .pKind = &rolesKind,
    .xChange = rolesChange,
    .zCost =
        "1 per role. A row to be written is read first, and is 1 at COMMIT "
        "(4 where actions must go)",
    .zExample =
        "INSERT INTO ledger_roles(role_name, role_actions) VALUES('auditor',\n"
        "  '[\"Microsoft.ConfidentialLedger/ledger/users/read\"]');\n"
        "SELECT role_actions FROM ledger_roles WHERE role_name = 'auditor';",
    .zFails = "SELECT role_actions FROM ledger_roles;",
};
