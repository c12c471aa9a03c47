/*
** User-defined roles.
**
**   GET /app/roles?roleName=X       {"role":[{"roleActions","roleName"}]}
**   PUT /app/roles                  creates the roles of {"roles":[...]}
**   PATCH /app/roles                adds actions to roles
**   DELETE /app/roles?roleName=X    204, of an unknown role too
**
** So says the description of 2026. 2024-08-22-preview and 2024-12-09-preview
** were recorded to differ: they give {"roles":[{"role_actions","role_name"}]},
** a PATCH replaces the actions and may be plain JSON, and the three writes
** answer 200 with a text. Both spellings are accepted in every version.
**
** What an action allows is said in auth.c. A built-in role can be read, not
** changed. A request is one transaction: all its roles, or none. A user keeps a
** deleted role's name, which then allows nothing.
**
** Codes where the contract is silent: an unknown role is 404 ResourceNotFound
** (GET, PATCH), one that exists 400 InvalidInput (PUT).
*/
#include "emulator/auth/auth.h"
#include "emulator/routes/routesInt.h"

#include <string.h>

#define ROLES_MAX_NAME 128
#define ROLES_MAX_ACTION 256
#define ROLES_MAX 100 /* roles in a request, actions in a role */

/* 1 in the versions that were recorded. */
static int rolesOld(const EmuReq *p) {
  return (p->pVersion->flags & EMU_V_ROLE_TEXT) != 0;
}

/* A member of a role in either spelling, or NULL. */
static cJSON *rolesMember(cJSON *pRole, const char *zNew, const char *zOld) {
  cJSON *p = ledgerJsonMember(pRole, zNew);
  return p ? p : ledgerJsonMember(pRole, zOld);
}

static const char *rolesNameOf(LedgerJson *pDoc, cJSON *pRole, size_t *pn) {
  return ledgerJsonText(pDoc, rolesMember(pRole, "roleName", "role_name"), pn);
}

/* Appends a role as JSON; zActions is a list, one a line. */
static void rolesJson(LedgerBuf *pBuf, int bOld, const char *z, size_t n,
                      const char *zActions) {
  const char *zSep = "";
  ledgerBufText(pBuf, bOld ? "{\"role_actions\":[" : "{\"roleActions\":[");
  while( *zActions ) {
    size_t nAction = strcspn(zActions, "\n");
    ledgerBufText(pBuf, zSep);
    ledgerBufJson(pBuf, zActions, nAction);
    zActions += nAction + (zActions[nAction] == '\n');
    zSep = ",";
  }
  ledgerBufText(pBuf, bOld ? "],\"role_name\":" : "],\"roleName\":");
  ledgerBufJson(pBuf, z, n);
  ledgerBufAppend(pBuf, "}", 1);
}

/* The parameter roleName; NULL after answering 400. */
static const EmuText *rolesName(EmuReq *p) {
  const EmuText *pName = emuReqNeeded(p, "roleName");
  if( pName && (!emuPlainText(pName->z, pName->n, ROLES_MAX_NAME) ||
                memchr(pName->z, ',', pName->n)) ) {
    emuReqError(p, 400, "InvalidInput", "The role name is not valid.");
    return NULL;
  }
  return pName;
}

void emuRouteRoleGet(EmuReq *p) {
  const EmuText *pName = rolesName(p);
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf actions = {0};
  int bFound = 1;
  if( pName == NULL ) return;
  if( emuAuthRoleBuiltIn(pName->z, pName->n) ) {
    emuAuthRoleActions(pName->z, pName->n, &actions);
  } else {
    emuStoreObject(p->pEmu->pStore, EMU_OBJECT_ROLE, pName->z, pName->n,
                   &actions, &bFound, &err);
  }
  if( err.rc ) {
    emuReqFail(p, &err);
  } else if( !bFound ) {
    emuReqError(p, 404, "ResourceNotFound", "The role %s is unknown", pName->z);
  } else {
    ledgerBufText(&p->body, rolesOld(p) ? "{\"roles\":[" : "{\"role\":[");
    rolesJson(&p->body, rolesOld(p), pName->z, pName->n,
              actions.z ? actions.z : "");
    ledgerBufText(&p->body, "]}");
    p->iStatus = 200;
  }
  ledgerBufFree(&actions);
}

/* Adds a role's actions to a list, each once; 0 after answering 400. */
static int rolesActions(EmuReq *p, LedgerJson *pDoc, cJSON *pRole,
                        LedgerBuf *pActions) {
  cJSON *pItem = rolesMember(pRole, "roleActions", "role_actions");
  const char *z;
  size_t n;
  int nItem = 0;
  if( !cJSON_IsArray(pItem) ) {
    emuReqError(p, 400, "InvalidInput",
                "At #/roles/roleActions: Expected an array of strings");
    return 0;
  }
  for( pItem = pItem->child; pItem; pItem = pItem->next ) {
    z = ledgerJsonText(pDoc, pItem, &n);
    if( z == NULL || !emuPlainText(z, n, ROLES_MAX_ACTION) ) {
      emuReqError(p, 400, "InvalidInput",
                  "At #/roles/roleActions: An action is not valid");
      return 0;
    }
    if( ++nItem > ROLES_MAX ) {
      emuReqError(p, 400, "InvalidInput",
                  "At #/roles/roleActions: More than %d actions", ROLES_MAX);
      return 0;
    }
    if( pActions->n && emuListed(pActions->z, '\n', z, n) ) continue;
    if( pActions->n ) ledgerBufAppend(pActions, "\n", 1);
    ledgerBufAppend(pActions, z, n);
  }
  return 1;
}

/*
** One role of a request: checks it, appends it to *pOut as it will be. With
** bWrite it is stored too, and was checked before. 0 after answering.
*/
static int rolesOne(EmuReq *p, LedgerJson *pDoc, cJSON *pRole, int bPatch,
                    int bWrite, LedgerBuf *pOut) {
  EmuStore *pStore = p->pEmu->pStore;
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf actions = {0};
  const char *z;
  size_t n;
  int bFound, bOk = 0;

  z = rolesNameOf(pDoc, pRole, &n);
  if( z == NULL || !emuPlainText(z, n, ROLES_MAX_NAME) || memchr(z, ',', n) ) {
    emuReqError(p, 400, "InvalidInput",
                "At #/roles/roleName: Not the name of a role");
    goto out;
  }
  if( emuAuthRoleBuiltIn(z, n) ) {
    emuReqError(p, 400, "InvalidInput", "The role %s is built in", z);
    goto out;
  }
  if( emuStoreObject(pStore, EMU_OBJECT_ROLE, z, n, &actions, &bFound, &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  if( bPatch && !bFound ) {
    emuReqError(p, 404, "ResourceNotFound", "The role %s is unknown", z);
    goto out;
  }
  if( !bPatch && bFound ) {
    emuReqError(p, 400, "InvalidInput",
                "The role %s exists: PATCH adds actions to it", z);
    goto out;
  }
  if( rolesOld(p) ) ledgerBufReset(&actions);
  if( !rolesActions(p, pDoc, pRole, &actions) ) goto out;
  if( pOut->z[pOut->n - 1] != '[' ) ledgerBufAppend(pOut, ",", 1);
  rolesJson(pOut, rolesOld(p), z, n, actions.z ? actions.z : "");
  if( actions.bOom || pOut->bOom ||
      (bWrite && emuStoreObjectPut(pStore, EMU_OBJECT_ROLE, z, n, actions.z,
                                   actions.n, &err)) ) {
    ledgerErrorNomem(&err);
    emuReqFail(p, &err);
    goto out;
  }
  bOk = 1;
out:
  ledgerBufFree(&actions);
  return bOk;
}

/* All roles of a request; the first time to check them, then to write. */
static int rolesAll(EmuReq *p, LedgerJson *pDoc, int bPatch, int bWrite,
                    LedgerBuf *pOut) {
  cJSON *pItem = ledgerJsonMember(ledgerJsonRoot(pDoc), "roles");
  cJSON *pOther;
  int n = 0;
  if( !cJSON_IsArray(pItem) || pItem->child == NULL ) {
    emuReqError(p, 400, "InvalidInput",
                "At #/roles: Expected an array of roles");
    return 0;
  }
  ledgerBufReset(pOut);
  ledgerBufText(pOut, "{\"roles\":[");
  if( pOut->bOom ) return 0;
  for( pItem = pItem->child; pItem; pItem = pItem->next ) {
    const char *z = rolesNameOf(pDoc, pItem, NULL);
    if( ++n > ROLES_MAX ) {
      emuReqError(p, 400, "InvalidInput", "At #/roles: More than %d roles",
                  ROLES_MAX);
      return 0;
    }
    for( pOther = pItem->next; pOther && z && !bWrite; pOther = pOther->next ) {
      const char *zOther = rolesNameOf(pDoc, pOther, NULL);
      if( zOther && strcmp(z, zOther) == 0 ) {
        emuReqError(p, 400, "InvalidInput", "The role %s appears twice", z);
        return 0;
      }
    }
    if( !rolesOne(p, pDoc, pItem, bPatch, bWrite, pOut) ) return 0;
  }
  ledgerBufText(pOut, "]}");
  return 1;
}

/* PUT and PATCH. */
static void rolesWrite(EmuReq *p, int bPatch) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  LedgerBuf out = {0};
  if( bPatch && !rolesOld(p)
          ? !emuReqPatch(p, 1, &pDoc)
          : !emuReqJson(p, "application/json",
                        bPatch ? "application/merge-patch+json" : NULL,
                        &pDoc) ) {
    goto out;
  }
  if( !rolesAll(p, pDoc, bPatch, 0, &out) ) goto out;
  if( emuLedgerBegin(p->pEmu, &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  if( !rolesAll(p, pDoc, bPatch, 1, &out) ) {
    emuLedgerGiveUp(p->pEmu);
    goto out;
  }
  if( emuLedgerNote(p->pEmu, EMU_ROLES, &out, &p->id, &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  p->iStatus = 200;
  if( !rolesOld(p) ) {
    ledgerBufAppend(&p->body, out.z, out.n);
  } else {
    ledgerBufText(&p->body, bPatch ? "\"Role replaced successfully.\""
                                   : "\"Role added successfully.\"");
  }
out:
  if( out.bOom && p->iStatus == 0 ) {
    ledgerErrorNomem(&err);
    emuReqFail(p, &err);
  }
  ledgerBufFree(&out);
  ledgerJsonFree(pDoc);
}

void emuRouteRolePut(EmuReq *p) {
  rolesWrite(p, 0);
}

void emuRouteRolePatch(EmuReq *p) {
  rolesWrite(p, 1);
}

void emuRouteRoleDelete(EmuReq *p) {
  const EmuText *pName = rolesName(p);
  if( pName == NULL ) return;
  if( emuAuthRoleBuiltIn(pName->z, pName->n) ) {
    emuReqError(p, 400, "InvalidInput", "The role %s is built in", pName->z);
    return;
  }
  emuRouteObjectDelete(p, EMU_OBJECT_ROLE, EMU_ROLES, pName);
  if( rolesOld(p) && p->iStatus == 204 ) {
    LedgerBuf text = {0};
    ledgerBufPrintf(&text, "Role %s deleted successfully.", pName->z);
    ledgerBufJson(&p->body, text.z ? text.z : "", text.n);
    ledgerBufFree(&text);
    p->iStatus = 200;
  }
}
