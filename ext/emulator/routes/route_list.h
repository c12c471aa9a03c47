/*
** The list of routes. To add one: a line here, and its handler in a file of
** this folder.
*/
#ifndef EMU_ROUTE_LIST_H
#define EMU_ROUTE_LIST_H

#include "emulator/http/http.h"

/*
** R(method, path, handler, action, needs): `*` in a path stands for one
** segment; the first path that fits counts, so fixed ones stand before it. The
** action (auth.h) is what the principal must be allowed; 0 is an open route,
** which has no api-version. A route may need a flag EMU_V_* of the version, or
** EMU_WITH_*.
*/
#define EMU_ROUTES(R)                                                          \
  R("POST", "/app/transactions", emuRouteAppend, EMU_ENTRIES_WRITE, 0)         \
  R("GET", "/app/transactions", emuRouteRange, EMU_ENTRIES_READ, 0)            \
  R("GET", "/app/transactions/current", emuRouteCurrent, EMU_ENTRIES_READ, 0)  \
  R("GET", "/app/transactions/*", emuRouteEntry, EMU_ENTRIES_READ, 0)          \
  R("GET", "/app/transactions/*/status", emuRouteStatus, EMU_ENTRIES_READ, 0)  \
  R("GET", "/app/transactions/*/receipt", emuRouteReceipt, EMU_ENTRIES_READ,   \
    0)                                                                         \
  R("GET", "/app/operations/*", emuRouteOperation, EMU_ENTRIES_READ,           \
    EMU_WITH_GATEWAY)                                                          \
  R("GET", "/app/queue/status", emuRouteQueueStatus, EMU_ENTRIES_READ,         \
    EMU_WITH_GATEWAY)                                                          \
  R("GET", "/app/collections", emuRouteCollections, EMU_ENTRIES_READ,          \
    EMU_V_COLLECTIONS)                                                         \
  R("GET", "/app/collections/tags", emuRouteTags, EMU_ENTRIES_READ,            \
    EMU_V_TAG_LIST)                                                            \
  R("GET", "/app/users", emuRouteUserList, EMU_USERS_READ, EMU_V_USER_LIST)    \
  R("GET", "/app/users/*", emuRouteUserGet, EMU_USERS_READ, 0)                 \
  R("PATCH", "/app/users/*", emuRouteUserPatch, EMU_USERS_WRITE, 0)            \
  R("DELETE", "/app/users/*", emuRouteUserDelete, EMU_USERS_WRITE, 0)          \
  R("GET", "/app/ledgerUsers", emuRouteUserList, EMU_USERS_READ,               \
    EMU_V_LEDGER_USERS)                                                        \
  R("GET", "/app/ledgerUsers/*", emuRouteUserGet, EMU_USERS_READ,              \
    EMU_V_LEDGER_USERS)                                                        \
  R("PATCH", "/app/ledgerUsers/*", emuRouteUserPatch, EMU_USERS_WRITE,         \
    EMU_V_LEDGER_USERS)                                                        \
  R("DELETE", "/app/ledgerUsers/*", emuRouteUserDelete, EMU_USERS_WRITE,       \
    EMU_V_LEDGER_USERS)                                                        \
  R("GET", "/ledgerUsers", emuRouteUserList, EMU_USERS_READ, EMU_V_NEVER)      \
  R("GET", "/app/governance/constitution", emuRouteConstitution,               \
    EMU_GOVERNANCE_READ, 0)                                                    \
  R("GET", "/app/governance/members", emuRouteMembers, EMU_GOVERNANCE_READ, 0) \
  R("GET", "/app/enclaveQuotes", emuRouteQuotes, EMU_GOVERNANCE_READ, 0)       \
  R("GET", "/app/roles", emuRouteRoleGet, EMU_ROLES_READ, EMU_V_ROLES)         \
  R("PUT", "/app/roles", emuRouteRolePut, EMU_ROLES_WRITE, EMU_V_ROLES)        \
  R("PATCH", "/app/roles", emuRouteRolePatch, EMU_ROLES_WRITE, EMU_V_ROLES)    \
  R("DELETE", "/app/roles", emuRouteRoleDelete, EMU_ROLES_WRITE, EMU_V_ROLES)  \
  R("GET", "/app/userDefinedFunctions", emuRouteFunctionList,                  \
    EMU_FUNCTIONS_READ, EMU_V_PROGRAMS)                                        \
  R("GET", "/app/userDefinedFunctions/*", emuRouteFunctionGet,                 \
    EMU_FUNCTIONS_READ, EMU_V_PROGRAMS)                                        \
  R("PUT", "/app/userDefinedFunctions/*", emuRouteFunctionPut,                 \
    EMU_FUNCTIONS_WRITE, EMU_V_PROGRAMS)                                       \
  R("DELETE", "/app/userDefinedFunctions/*", emuRouteFunctionDelete,           \
    EMU_FUNCTIONS_WRITE, EMU_V_PROGRAMS)                                       \
  R("POST", "/app/userDefinedFunctions/*", emuRouteExecute,                    \
    EMU_FUNCTIONS_EXECUTE, EMU_V_PROGRAMS)                                     \
  R("GET", "/app/userDefinedEndpoints", emuRouteEndpointsGet,                  \
    EMU_ENDPOINTS_READ, EMU_V_ROLES)                                           \
  R("PUT", "/app/userDefinedEndpoints", emuRouteEndpointsPut,                  \
    EMU_ENDPOINTS_WRITE, EMU_V_ROLES)                                          \
  R("GET", "/app/userDefinedEndpoints/modules", emuRouteModule,                \
    EMU_ENDPOINTS_READ, EMU_V_ROLES)                                           \
  R("GET", "/app/userDefinedEndpoints/runtimeOptions", emuRouteRuntimeGet,     \
    EMU_ENDPOINTS_READ, EMU_V_ROLES)                                           \
  R("PATCH", "/app/userDefinedEndpoints/runtimeOptions", emuRouteRuntimePatch, \
    EMU_ENDPOINTS_WRITE, EMU_V_ROLES)                                          \
  R("GET", "/ledgerIdentity/*", emuRouteIdentity, 0, 0)                        \
  R("GET", "/failover/*", emuRouteFailover, 0, 0)                              \
  R("GET", "/common/discovery/instance", emuRouteInstance, 0, 0)               \
  R("GET", "/*/v2.0/.well-known/openid-configuration", emuRouteOpenid, 0, 0)   \
  R("POST", "/*/oauth2/v2.0/token", emuRouteToken, 0, 0)                       \
  R("GET", "/*/discovery/v2.0/keys", emuRouteKeys, 0, 0)                       \
  R("GET", "/control/*", emuRouteControl, 0, EMU_WITH_CONTROL)                 \
  R("POST", "/control/*", emuRouteControl, 0, EMU_WITH_CONTROL)                \
  R("DELETE", "/control/*", emuRouteControl, 0, EMU_WITH_CONTROL)

#define EMU_ROUTE_HANDLER(zMethod, zPath, xRun, eAction, mNeeds) \
  void xRun(EmuReq *p);
EMU_ROUTES(EMU_ROUTE_HANDLER)
#undef EMU_ROUTE_HANDLER

#endif /* EMU_ROUTE_LIST_H */
