/*
** The table ledger_roles: roles that users have defined, and what they allow.
**
**     SELECT role_actions FROM ledger_roles WHERE role_name = 'auditor';
**     INSERT INTO ledger_roles(role_name, role_actions) VALUES('auditor',
**       '["Microsoft.ConfidentialLedger/ledger/users/read"]');
**
** Plans and requests: the ledger has no list of roles; role_name = or IN is
** needed. GET /app/roles?roleName=. At COMMIT: INSERT is a PUT, UPDATE a PATCH,
** or where actions must go DELETE, PUT and GET; DELETE is a DELETE.
*/
#include "ledgerInt.h"

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
  const char *z = ledgerChangeText(p, "role_name");
  int bExists = 0;
  if( p->eOp == LEDGER_CHANGE_DELETE ) return LEDGER_OK;
  if( p->eOp == LEDGER_CHANGE_UPDATE ) {
    if( z && strcmp(z, p->zKey) != 0 ) {
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "role_name: it doesn't change: DELETE and INSERT");
    }
    if( ledgerChangeGiven(p, "role_actions") ) return rolesActions(p, pErr);
    p->bNothing = 1;
    return LEDGER_OK;
  }
  if( z == NULL || z[0] == 0 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "role_name: it is missing");
  }
  p->pRow->zKey = sqlite3_mprintf("%s", z);
  if( p->pRow->zKey == NULL ) return ledgerErrorNomem(pErr);
  if( p->eOp == LEDGER_CHANGE_INSERT &&
      ledgerChangeExists(p, z, &bExists, pErr) ) {
    return pErr->rc;
  }
  if( bExists ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "role %s exists already: UPDATE, or INSERT OR "
                          "REPLACE",
                          z);
  }
  return rolesActions(p, pErr);
}

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
    .eRouteKey = LEDGER_ROUTE_ROLE,
    .zKeyItems = "role",
    .eKind = LEDGER_KIND_ROLE,
    .xChange = rolesChange,
};
