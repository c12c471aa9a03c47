/*
** Who asks, and what they may do.
**
** Serves every route below /app. A bearer token wins over a client
** certificate. Roles: Administrator includes Contributor, which includes
** Reader.
**
** Answers: 401 InvalidAuthenticationInfo when no credential holds; 403
** NotAllowed when its principal is unknown to the ledger or has too low a role.
*/
#include "emuInt.h"

#include <string.h>
#include <strings.h>

static const struct AuthRole {
  const char *zName;
  unsigned mRole;
} aAuthRole[] = {{"Administrator", EMU_ROLE_ADMINISTRATOR},
                 {"Contributor", EMU_ROLE_CONTRIBUTOR},
                 {"Reader", EMU_ROLE_READER}};
#define AUTH_ROLES ((int)(sizeof(aAuthRole) / sizeof(aAuthRole[0])))

/* The bit of one role, 0 when there is none of that name. */
static unsigned authRole(const char *z, size_t n) {
  int i;
  for( i = 0; i < AUTH_ROLES; i++ ) {
    if( emuIs(z, n, aAuthRole[i].zName) ) return aAuthRole[i].mRole;
  }
  return 0;
}

unsigned emuRoleMask(const char *zRoles) {
  unsigned m = 0;
  while( *zRoles ) {
    size_t n = strcspn(zRoles, ",");
    m |= authRole(zRoles, n);
    zRoles += n + (zRoles[n] == ',');
  }
  return m;
}

int emuRoleKnown(const char *z, size_t n) {
  return authRole(z, n) != 0;
}

int emuAuthenticate(EmuReq *p) {
  const char *zAuth = emuReqHeader(p, "Authorization");
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf roles = {0};
  char zPeer[96];
  int bFound, bOk = 0;

  if( zAuth ) {
    if( strncasecmp(zAuth, "Bearer ", 7) != 0 ) {
      emuReqError(p, 401, "InvalidAuthenticationInfo",
                  "The Authorization header is not of the scheme Bearer");
      goto out;
    }
    zAuth += 7;
    zAuth += strspn(zAuth, " ");
    if( emuTokenCheck(p->pEmu, zAuth, strlen(zAuth), &p->user, &err) ) {
      emuReqError(p, 401, "InvalidAuthenticationInfo", "Not accepted: %s",
                  emuErrorText(&err));
      goto out;
    }
  } else if( emuServerPeer(p->pHttp, zPeer) ) {
    ledgerBufText(&p->user, zPeer);
  } else {
    emuReqError(p, 401, "InvalidAuthenticationInfo",
                "Neither a bearer token nor a client certificate was given");
    goto out;
  }
  if( p->user.bOom || emuStoreUser(p->pEmu->pStore, p->user.z, p->user.n, NULL,
                                   &roles, &bFound, &err) ) {
    ledgerErrorNomem(&err);
    emuReqFail(p, &err);
    goto out;
  }
  if( bFound ) p->mRole = emuRoleMask(roles.z ? roles.z : "");
  bOk = 1;

out:
  ledgerErrorClear(&err);
  ledgerBufFree(&roles);
  return bOk;
}

int emuAuthorise(EmuReq *p, unsigned mRole) {
  unsigned mHave = p->mRole;
  if( mHave & EMU_ROLE_ADMINISTRATOR ) mHave |= EMU_ROLE_CONTRIBUTOR;
  if( mHave & EMU_ROLE_CONTRIBUTOR ) mHave |= EMU_ROLE_READER;
  if( (mHave & mRole) == mRole ) return 1;
  emuReqError(p, 403, "NotAllowed", "Not allowed to call %s %s", p->zMethod,
              p->zPath);
  return 0;
}
