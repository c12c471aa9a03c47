/*
** Users and their roles.
**
**   GET, PATCH, DELETE /app/users/{id}          one role, "assignedRole"
**   GET, PATCH, DELETE /app/ledgerUsers/{id}    roles, "assignedRoles"
**   GET /app/users, /app/ledgerUsers            the list
**
** A change is a transaction of the ledger: it takes a seqno, and an election
** undoes it. PATCH of /app/users replaces the role, PATCH of /app/ledgerUsers
** adds roles, which may be user-defined ones that exist; 2024-12-09-preview was
** recorded to answer the roles asked for alone, without a content type. DELETE
** of an unknown user is 204 too. The last administrator can be neither deleted
** nor given a lower role: 400 InvalidInput.
**
** Codes where the contract is silent: an unknown user is 404 ResourceNotFound.
*/
#include "emulator/auth/auth.h"
#include "emulator/routes/routesInt.h"

#include <stdlib.h>
#include <string.h>

#define USERS_MAX_ID 256

/* 1 on /app/ledgerUsers. */
static int usersMany(const EmuReq *p) {
  return emuIs(p->aSegment[1].z, p->aSegment[1].n, "ledgerUsers");
}

/* Appends "assignedRole":... or "assignedRoles":[...] and "userId":... */
static void usersJson(LedgerBuf *pBuf, int bMany, const char *zId, size_t nId,
                      const char *zRoles) {
  ledgerBufText(pBuf, bMany ? "{\"assignedRoles\":[" : "{\"assignedRole\":");
  if( bMany ) {
    const char *z = zRoles;
    while( *z ) {
      size_t n = strcspn(z, ",");
      ledgerBufJson(pBuf, z, n);
      z += n;
      if( *z == ',' ) ledgerBufAppend(pBuf, z++, 1);
    }
    ledgerBufAppend(pBuf, "]", 1);
  } else {
    ledgerBufJson(pBuf, zRoles, strcspn(zRoles, ",")); /* the highest */
  }
  ledgerBufText(pBuf, ",\"userId\":");
  ledgerBufJson(pBuf, zId, nId);
  ledgerBufAppend(pBuf, "}", 1);
}

/* The Location of that redirection, which leads nowhere: a client that follows
** it loses the api-version. */
static void usersMovedTo(EmuReq *p) {
  char *z = ledgerMprintf("https://%s/ledgerUsers", p->zHost ? p->zHost : "");
  if( z ) emuReqAddHeader(p, "Location", z);
  free(z);
}

/*
** The user id of the path. Returns 0 after an answer: 400, or the redirection
** that /app/users/{id} gives in newer versions.
*/
static int usersId(EmuReq *p, const EmuText **ppId) {
  const EmuText *pId = &p->aSegment[2];
  if( !usersMany(p) && (p->pVersion->flags & EMU_V_USERS_MOVED) ) {
    emuReqError(p, 301, "ApiVersionRedirect",
                "For API version greater than 2024-08-22-preview, please use "
                "the new API at /ledgerUsers");
    if( p->pVersion->flags & EMU_V_MOVED_TO ) usersMovedTo(p);
    return 0;
  }
  if( pId->n > USERS_MAX_ID || memchr(pId->z, 0, pId->n) ||
      !ledgerUtf8Valid(pId->z, pId->n) ) {
    emuReqError(p, 400, "InvalidInput", "The user id is not valid.");
    return 0;
  }
  *ppId = pId;
  return 1;
}

/*
** Sees to it that an administrator is left when the user zHave (its roles) is
** given the roles zNew. Returns 0 after answering.
*/
static int usersKeepAdmin(EmuReq *p, const char *zHave, const char *zNew) {
  LedgerError err = LEDGER_ERROR_INIT;
  int64_t n;
  if( !(emuAuthRoleMask(zHave) & EMU_ROLE_ADMINISTRATOR) ||
      (emuAuthRoleMask(zNew) & EMU_ROLE_ADMINISTRATOR) ) {
    return 1;
  }
  if( emuStoreAdmins(p->pEmu->pStore, &n, &err) ) {
    emuReqFail(p, &err);
    return 0;
  }
  if( n > 1 ) return 1;
  emuReqError(p, 400, "InvalidInput",
              "The last administrator cannot be removed.");
  return 0;
}

void emuRouteUserGet(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf roles = {0};
  const EmuText *pId;
  int bFound;
  if( !usersId(p, &pId) ) return;
  if( emuStoreUser(p->pEmu->pStore, pId->z, pId->n, NULL, &roles, &bFound,
                   &err) ) {
    emuReqFail(p, &err);
  } else if( !bFound ) {
    emuReqError(p, 404, "ResourceNotFound", "User %s is unknown", pId->z);
  } else {
    usersJson(&p->body, usersMany(p), pId->z, pId->n, roles.z ? roles.z : "");
    p->iStatus = 200;
  }
  ledgerBufFree(&roles);
}

/* Reads the roles a PATCH names, as "A,B"; 0 after answering. */
static int usersAsked(EmuReq *p, LedgerJson *pDoc, LedgerBuf *pAsked) {
  cJSON *pRoot = ledgerJsonRoot(pDoc), *pItem;
  LedgerError err = LEDGER_ERROR_INIT;
  const char *z;
  size_t n;
  if( usersMany(p) ) {
    pItem = ledgerJsonMember(pRoot, "assignedRoles");
    if( !cJSON_IsArray(pItem) || pItem->child == NULL ) {
      emuReqError(p, 400, "InvalidInput",
                  "At #/assignedRoles: Expected an array of strings");
      return 0;
    }
    pItem = pItem->child;
  } else {
    pItem = ledgerJsonMember(pRoot, "assignedRole");
  }
  do {
    z = ledgerJsonText(pDoc, pItem, &n);
    if( z == NULL || !(usersMany(p) ? emuAuthRoleKnown(p->pEmu, z, n, &err)
                                    : emuAuthRoleBuiltIn(z, n)) ) {
      if( err.rc ) {
        emuReqFail(p, &err);
      } else {
        emuReqError(p, 400, "InvalidInput", "The role %s is unknown",
                    z ? z : "asked for");
      }
      return 0;
    }
    if( pAsked->n ) ledgerBufAppend(pAsked, ",", 1);
    ledgerBufAppend(pAsked, z, n);
  } while( usersMany(p) && (pItem = pItem->next) != NULL );
  return 1;
}

void emuRouteUserPatch(EmuReq *p) {
  int bMerge = (p->pVersion->flags & EMU_V_MERGE_PATCH) != 0;
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf have = {0}, roles = {0}, id = {0}, asked = {0};
  LedgerJson *pDoc = NULL;
  const EmuText *pId;
  int bFound;

  if( !usersId(p, &pId) ) goto out;
  if( !emuReqPatch(p, bMerge, &pDoc) ) goto out;
  if( !usersAsked(p, pDoc, &asked) ) goto out;
  if( emuStoreUser(p->pEmu->pStore, pId->z, pId->n, &id, &have, &bFound,
                   &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  emuAuthRolesMerge(asked.z ? asked.z : "",
                    usersMany(p) && have.z ? have.z : "", &roles);
  if( !bFound ) ledgerBufAppend(&id, pId->z, pId->n);
  if( roles.z == NULL || id.z == NULL || roles.bOom || id.bOom || asked.bOom ) {
    ledgerErrorNomem(&err);
    emuReqFail(p, &err);
    goto out;
  }
  if( !usersKeepAdmin(p, have.z ? have.z : "", roles.z) ) goto out;
  if( emuLedgerUser(p->pEmu, id.z, id.n, roles.z, &p->id, &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  if( usersMany(p) && (p->pVersion->flags & EMU_V_ASKED_ROLES) ) {
    usersJson(&p->body, 1, pId->z, pId->n, asked.z);
    p->zType = "";
  } else {
    usersJson(&p->body, usersMany(p), pId->z, pId->n, roles.z);
  }
  p->iStatus = 200;

out:
  ledgerBufFree(&have);
  ledgerBufFree(&roles);
  ledgerBufFree(&id);
  ledgerBufFree(&asked);
  ledgerJsonFree(pDoc);
}

void emuRouteUserDelete(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf have = {0};
  const EmuText *pId;
  int bFound;
  if( !usersId(p, &pId) ) return;
  if( emuStoreUser(p->pEmu->pStore, pId->z, pId->n, NULL, &have, &bFound,
                   &err) ) {
    emuReqFail(p, &err);
  } else if( usersKeepAdmin(p, have.z ? have.z : "", "") ) {
    if( emuLedgerUser(p->pEmu, pId->z, pId->n, "", &p->id, &err) ) {
      emuReqFail(p, &err);
    } else {
      p->iStatus = 204;
    }
  }
  ledgerBufFree(&have);
}

static void usersItem(EmuReq *p, const EmuText *pId, const EmuText *pRoles) {
  usersJson(&p->body, usersMany(p), pId->z, pId->n, pRoles->z);
}

void emuRouteUserList(EmuReq *p) {
  emuPage(p, "ledgerUsers", EMU_PAGE_USERS, 1, usersItem);
}
