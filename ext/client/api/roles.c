/*
** The routes of roles, in every version of the API that has them.
**
**   GET                     /app/roles?roleName=
**   PUT, PATCH, DELETE      /app/roles
**
** Reference: api/CONTRACT.md 2.3 and "Corrections from recordings".
*/
#include "client/api/apiInt.h"

#include <string.h>

static int rolesAreOld(const LedgerDialect *pDialect) {
  return (pDialect->mHas & LEDGER_HAS_ROLE_TEXT) != 0;
}

/* The names of members that are spelled in two ways; the room above knows the
** newer one. */
static const struct {
  const char *zNew, *zOld;
} aRoleName[] = {{"roleName", "role_name"}, {"roleActions", "role_actions"}};
#define ROLES_NAMES (sizeof(aRoleName) / sizeof(aRoleName[0]))

/* Gives a member another name. */
static int rolesRename(cJSON *pObj, const char *zFrom, const char *zTo) {
  cJSON *p;
  if( !cJSON_IsObject(pObj) || ledgerJsonMember(pObj, zTo) ) return 1;
  p = cJSON_DetachItemFromObjectCaseSensitive(pObj, zFrom);
  if( p == NULL ) return 1;
  if( cJSON_AddItemToObject(pObj, zTo, p) ) return 1;
  cJSON_Delete(p);
  return 0;
}

/* An answer about roles, whichever way it is spelled, as
** {"role":[{"roleName","roleActions"}]}. */
static int rolesAnswer(LedgerCall *p, LedgerJson *pDoc, LedgerError *pErr) {
  cJSON *pRoot = ledgerJsonRoot(pDoc);
  cJSON *pItem;
  size_t i;
  int bOk = rolesRename(pRoot, "roles", "role");
  pItem = ledgerJsonMember(pRoot, "role");
  for( pItem = pItem ? pItem->child : NULL; pItem && bOk;
       pItem = pItem->next ) {
    for( i = 0; i < ROLES_NAMES && bOk; i++ ) {
      bOk = rolesRename(pItem, aRoleName[i].zOld, aRoleName[i].zNew);
    }
  }
  (void)p;
  return bOk ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* The body of a write of roles, {"roles":[{"roleName","roleActions"}]}; of
** versions before 2026 in their spelling. */
static int rolesBody(LedgerCall *p, const char *zGiven, LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  cJSON *pItem, *pWord;
  const char *z;
  size_t n;

  if( !rolesAreOld(p->pClient->pDialect) ) {
    ledgerBufText(&p->body, zGiven);
    return LEDGER_OK;
  }
  if( ledgerJsonParse(zGiven, strlen(zGiven), "roles", &pDoc, pErr) ) {
    return pErr->rc;
  }
  ledgerBufText(&p->body, "{\"roles\":[");
  pItem = ledgerJsonMember(ledgerJsonRoot(pDoc), "roles");
  for( pItem = pItem ? pItem->child : NULL; pItem; pItem = pItem->next ) {
    ledgerBufText(&p->body, "{\"role_name\":");
    z = ledgerJsonMemberText(pDoc, pItem, "roleName", &n);
    ledgerBufJson(&p->body, z ? z : "", z ? n : 0);
    ledgerBufText(&p->body, ",\"role_actions\":[");
    pWord = ledgerJsonMember(pItem, "roleActions");
    for( pWord = pWord ? pWord->child : NULL; pWord; pWord = pWord->next ) {
      z = ledgerJsonText(pDoc, pWord, &n);
      ledgerBufJson(&p->body, z ? z : "", z ? n : 0);
      if( pWord->next ) ledgerBufText(&p->body, ",");
    }
    ledgerBufText(&p->body, pItem->next ? "]}," : "]}");
  }
  ledgerBufText(&p->body, "]}");
  ledgerJsonFree(pDoc);
  return LEDGER_OK;
}

static const LedgerRouteForm rolesForm = {.xBody = rolesBody,
                                          .xPlain = rolesAreOld,
                                          .xAnswer = rolesAnswer,
                                          .bTextAnswer = 1};

const LedgerRoute ledgerRouteRole = {.zWhat = "role",
                                     .zPath = "/app/roles",
                                     .zParam = "roleName",
                                     .mNeed = LEDGER_HAS_ROLES,
                                     .pForm = &rolesForm};
const LedgerRoute ledgerRouteRoles = {.zWhat = "roles",
                                      .zPath = "/app/roles",
                                      .mNeed = LEDGER_HAS_ROLES,
                                      .pForm = &rolesForm};
