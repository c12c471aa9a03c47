/*
** Who asks, and what they may do.
**
** Serves every route below /app. A valid bearer token wins over a client
** certificate; an invalid one counts as none. Administrator includes
** Contributor, which includes Reader. A user-defined role allows the actions it
** names, and no more; an action's name is that of aAuthAction after the prefix
** "Microsoft.ConfidentialLedger/ledger/":
**
**   entries/read       GET /app/transactions..., /app/collections...
**   entries/write      POST /app/transactions
**   users/read         GET /app/users..., /app/ledgerUsers...
**   users/write        PATCH, DELETE there
**   governance/read    GET /app/governance/..., /app/enclaveQuotes
**   roles/read         GET /app/roles
**   roles/write        PUT, PATCH, DELETE there
**   functions/read     GET /app/userDefinedFunctions...
**   functions/write    PUT, DELETE there
**   functions/execute  POST /app/userDefinedFunctions/{id}:execute
**   endpoints/read     GET /app/userDefinedEndpoints...
**   endpoints/write    PUT, PATCH there
**
** A role may be given other actions, too; no route asks for them.
**
** Answers: 401 InvalidAuthenticationInfo when no credential is valid, with
** details that say why; 403 NotAllowed when the principal is unknown to the
** ledger or has no role that allows the request.
*/
#include "emulator/auth/authInt.h"

#include <string.h>

static const struct AuthRole {
  const char *zName;
  unsigned mRole;
} aAuthRole[] = {{"Administrator", EMU_ROLE_ADMINISTRATOR},
                 {"Contributor", EMU_ROLE_CONTRIBUTOR},
                 {"Reader", EMU_ROLE_READER}};
#define AUTH_ROLES ((int)(sizeof(aAuthRole) / sizeof(aAuthRole[0])))

#define AUTH_PREFIX "Microsoft.ConfidentialLedger/ledger/"

/* The name of each action, and the built-in role it needs; by EMU_*. */
static const struct AuthAction {
  unsigned mRole;
  const char *zName;
} aAuthAction[] = {
    [EMU_ENTRIES_READ] = {EMU_ROLE_READER, "entries/read"},
    [EMU_ENTRIES_WRITE] = {EMU_ROLE_CONTRIBUTOR, "entries/write"},
    [EMU_USERS_READ] = {EMU_ROLE_READER, "users/read"},
    [EMU_USERS_WRITE] = {EMU_ROLE_ADMINISTRATOR, "users/write"},
    [EMU_GOVERNANCE_READ] = {EMU_ROLE_READER, "governance/read"},
    [EMU_ROLES_READ] = {EMU_ROLE_READER, "roles/read"},
    [EMU_ROLES_WRITE] = {EMU_ROLE_ADMINISTRATOR, "roles/write"},
    [EMU_FUNCTIONS_READ] = {EMU_ROLE_READER, "functions/read"},
    [EMU_FUNCTIONS_WRITE] = {EMU_ROLE_ADMINISTRATOR, "functions/write"},
    [EMU_FUNCTIONS_EXECUTE] = {EMU_ROLE_CONTRIBUTOR, "functions/execute"},
    [EMU_ENDPOINTS_READ] = {EMU_ROLE_READER, "endpoints/read"},
    [EMU_ENDPOINTS_WRITE] = {EMU_ROLE_ADMINISTRATOR, "endpoints/write"},
};
#define AUTH_ACTIONS ((int)(sizeof(aAuthAction) / sizeof(aAuthAction[0])))

/* The bit of one role, 0 when there is none of that name. */
static unsigned authRole(const char *z, size_t n) {
  int i;
  for( i = 0; i < AUTH_ROLES; i++ ) {
    if( emuIs(z, n, aAuthRole[i].zName) ) return aAuthRole[i].mRole;
  }
  return 0;
}

unsigned emuAuthRoleMask(const char *zRoles) {
  unsigned m = 0;
  while( *zRoles ) {
    size_t n = strcspn(zRoles, ",");
    m |= authRole(zRoles, n);
    zRoles += n + (zRoles[n] == ',');
  }
  return m;
}

int emuAuthRoleBuiltIn(const char *z, size_t n) {
  return authRole(z, n) != 0;
}

int emuAuthRoleKnown(Emu *p, const char *z, size_t n, LedgerError *pErr) {
  LedgerBuf actions = {0};
  int bFound;
  if( emuAuthRoleBuiltIn(z, n) ) return 1;
  emuStoreObject(p->pStore, EMU_OBJECT_ROLE, z, n, &actions, &bFound, pErr);
  ledgerBufFree(&actions);
  return bFound && pErr->rc == LEDGER_OK;
}

/* The bits with those of the roles that each includes. */
static unsigned authIncluded(unsigned m) {
  if( m & EMU_ROLE_ADMINISTRATOR ) m |= EMU_ROLE_CONTRIBUTOR;
  if( m & EMU_ROLE_CONTRIBUTOR ) m |= EMU_ROLE_READER;
  return m;
}

void emuAuthRoleActions(const char *z, size_t n, LedgerBuf *pActions) {
  unsigned mHave = authIncluded(authRole(z, n));
  int i;
  for( i = 1; i < AUTH_ACTIONS; i++ ) {
    if( !(mHave & aAuthAction[i].mRole) ) continue;
    if( pActions->n ) ledgerBufAppend(pActions, "\n", 1);
    ledgerBufPrintf(pActions, AUTH_PREFIX "%s", aAuthAction[i].zName);
  }
}

/* <0, 0 or >0: the order in which roles are listed. */
static int authCompare(const char *zA, size_t nA, const char *zB, size_t nB) {
  unsigned mA = authRole(zA, nA), mB = authRole(zB, nB);
  int c;
  if( mA != mB ) return mA > mB ? -1 : 1;
  c = memcmp(zA, zB, nA < nB ? nA : nB);
  return c ? c : (nA > nB) - (nA < nB);
}

/* Finds the first role, in that order, of the list zRoles that comes after
** zLast (NULL: any) and before *pz (NULL: any), and puts it into *pz. */
static void authLeast(const char *zRoles, const char *zLast, size_t nLast,
                      const char **pz, size_t *pn) {
  while( *zRoles ) {
    size_t n = strcspn(zRoles, ",");
    if( n && (zLast == NULL || authCompare(zRoles, n, zLast, nLast) > 0) &&
        (*pz == NULL || authCompare(zRoles, n, *pz, *pn) < 0) ) {
      *pz = zRoles;
      *pn = n;
    }
    zRoles += n + (zRoles[n] == ',');
  }
}

void emuAuthRolesMerge(const char *zA, const char *zB, LedgerBuf *pOut) {
  const char *zLast = NULL;
  size_t nLast = 0;
  for( ;; ) {
    const char *z = NULL;
    size_t n = 0;
    authLeast(zA, zLast, nLast, &z, &n);
    authLeast(zB, zLast, nLast, &z, &n);
    if( z == NULL ) return;
    if( zLast ) ledgerBufAppend(pOut, ",", 1);
    ledgerBufAppend(pOut, z, n);
    zLast = z;
    nLast = n;
  }
}

/* Answers 401. zToken: what is wrong with the token; NULL: there was none. */
static void authRefused(EmuReq *p, const char *zToken) {
  static const char *const azPolicy[2] = {"jwt", "user_cert"};
  const char *azWhy[2] = {zToken ? zToken : "no bearer token was given",
                          "no client certificate was given"};
  int i;
  emuReqError(p, 401, "InvalidAuthenticationInfo",
              "Invalid authentication credentials.");
  p->body.n -= 2; /* the two braces at its end */
  ledgerBufText(&p->body, ",\"details\":[");
  for( i = 0; i < 2; i++ ) {
    ledgerBufPrintf(&p->body,
                    "%s{\"auth_policy\":\"%s\",\"code\":"
                    "\"InvalidAuthenticationInfo\",\"message\":",
                    i ? "," : "", azPolicy[i]);
    ledgerBufJson(&p->body, azWhy[i], strlen(azWhy[i]));
    ledgerBufText(&p->body, "}");
  }
  ledgerBufText(&p->body, "]}}");
  emuReqAddHeader(p, "www-authenticate",
                  "Bearer realm=\"JWT bearer token access\", "
                  "error=\"invalid_token\"");
}

int emuAuthenticate(EmuReq *p) {
  const char *zAuth = emuReqHeader(p, "Authorization");
  LedgerError err = LEDGER_ERROR_INIT;
  char zPeer[96];
  int bFound;

  if( p->bProved ) return 1;
  if( zAuth && ledgerStrnicmp(zAuth, "Bearer ", 7) != 0 ) {
    ledgerErrorSet(&err, LEDGER_AUTH,
                   "the Authorization header is not of the scheme Bearer");
  } else if( zAuth ) {
    zAuth += 7;
    zAuth += strspn(zAuth, " ");
    emuTokenCheck(p->pEmu, zAuth, strlen(zAuth), &p->user, &err);
  }
  if( zAuth == NULL || err.rc ) {
    if( !emuConnPeer(p->pHttp, zPeer) ) {
      authRefused(p, err.rc ? ledgerErrorText(&err) : NULL);
      goto out;
    }
    ledgerBufReset(&p->user);
    ledgerBufText(&p->user, zPeer);
    ledgerErrorClear(&err);
  }
  if( p->user.bOom || emuStoreUser(p->pEmu->pStore, p->user.z, p->user.n, NULL,
                                   &p->roles, &bFound, &err) ) {
    ledgerErrorNomem(&err);
    emuReqFail(p, &err);
    goto out;
  }
  p->bProved = 1;

out:
  ledgerErrorClear(&err);
  return p->bProved;
}

/* 1 when one of the lines is the action; Azure's names ignore case. */
static int authListed(const char *zActions, const struct AuthAction *pAction) {
  size_t nPrefix = strlen(AUTH_PREFIX), nName = strlen(pAction->zName);
  while( *zActions ) {
    size_t n = strcspn(zActions, "\n");
    if( n == nPrefix + nName &&
        ledgerStrnicmp(zActions, AUTH_PREFIX, nPrefix) == 0 &&
        ledgerStrnicmp(zActions + nPrefix, pAction->zName, nName) == 0 ) {
      return 1;
    }
    zActions += n + (zActions[n] == '\n');
  }
  return 0;
}

/* 1 when a user-defined role of the principal names the action. */
static int authByRole(EmuReq *p, const struct AuthAction *pAction,
                      LedgerError *pErr) {
  const char *z = p->roles.z ? p->roles.z : "";
  int bAllowed = 0;
  while( *z && !bAllowed && pErr->rc == LEDGER_OK ) {
    size_t n = strcspn(z, ",");
    LedgerBuf actions = {0};
    int bFound;
    if( !emuAuthRoleBuiltIn(z, n) &&
        emuStoreObject(p->pEmu->pStore, EMU_OBJECT_ROLE, z, n, &actions,
                       &bFound, pErr) == LEDGER_OK &&
        bFound ) {
      bAllowed = authListed(actions.z ? actions.z : "", pAction);
    }
    ledgerBufFree(&actions);
    z += n + (z[n] == ',');
  }
  return bAllowed;
}

int emuAuthorise(EmuReq *p, int eAction) {
  const struct AuthAction *pAction = &aAuthAction[eAction];
  unsigned mHave = authIncluded(emuAuthRoleMask(p->roles.z ? p->roles.z : ""));
  LedgerError err = LEDGER_ERROR_INIT;
  if( mHave & pAction->mRole ) return 1;
  if( authByRole(p, pAction, &err) ) return 1;
  if( err.rc ) {
    emuReqFail(p, &err);
  } else {
    emuReqError(p, 403, "NotAllowed", "Not allowed to call %s %s", p->zMethod,
                p->zPath);
  }
  return 0;
}
