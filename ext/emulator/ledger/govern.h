/*
** Roles and users, governance, attestation and programs, as the rest of the
** room sees them. Included by emuInt.h.
**
** Invariant: what is written here is a transaction of the ledger like any
** other; an election undoes it while it is pending.
*/
#ifndef EMU_GOVERN_H
#define EMU_GOVERN_H

#include "emulator/emu.h"

/* ---- auth.c ------------------------------------------------------------ */

enum {
  EMU_ROLE_READER = 1,
  EMU_ROLE_CONTRIBUTOR = 2,
  EMU_ROLE_ADMINISTRATOR = 4
};

/* What a route does; the table in auth.c says which role may, and by which name
** a user-defined role is given it. */
enum {
  EMU_ENTRIES_READ = 1,
  EMU_ENTRIES_WRITE,
  EMU_USERS_READ,
  EMU_USERS_WRITE,
  EMU_GOVERNANCE_READ,
  EMU_ROLES_READ,
  EMU_ROLES_WRITE,
  EMU_FUNCTIONS_READ,
  EMU_FUNCTIONS_WRITE,
  EMU_FUNCTIONS_EXECUTE,
  EMU_ENDPOINTS_READ,
  EMU_ENDPOINTS_WRITE
};

/* Finds out who asks and with which roles; else answers 401. Returns 1 when
** the principal is known to the ledger or at least proved; it has no roles when
** the ledger does not know it. */
int emuAuthenticate(EmuReq *p);

/* 1 when the principal may do that; else 0 and the answer is 403. */
int emuAuthorise(EmuReq *p, int eAction);

/* The EMU_ROLE_* bits of a list "Contributor,Reader". */
unsigned emuRoleMask(const char *zRoles);

/* 1 for one of the three names. */
int emuRoleBuiltIn(const char *z, size_t n);

/* 1 for one of those and for a user-defined role; 0 also after a failure. */
int emuRoleKnown(Emu *p, const char *z, size_t n, LedgerError *pErr);

/* Appends the built-in role's actions to a list, one a line. */
void emuRoleActions(const char *z, size_t n, LedgerBuf *pActions);

/* Appends the roles of both lists, each once: the built-in ones first, from the
** highest down, then the others by name. */
void emuRolesMerge(const char *zA, const char *zB, LedgerBuf *pOut);

/* ---- store/objects.c ----------------------------------------------------- */

/* Texts by kind and name. */
enum {
  EMU_OBJECT_MEMBER = 1,   /* member id -> certificate */
  EMU_OBJECT_ROLE = 2,     /* role name -> actions, one a line */
  EMU_OBJECT_FUNCTION = 3, /* function id -> code */
  EMU_OBJECT_DOCUMENT = 4  /* EMU_DOC_* -> text */
};
#define EMU_DOC_CONSTITUTION "constitution"
#define EMU_DOC_ENDPOINTS "endpoints"
#define EMU_DOC_RUNTIME "runtime options"

/* The value is appended to *pValue; *pbFound says whether there is one. */
int emuStoreObject(EmuStore *p, int eKind, const char *z, size_t n,
                   LedgerBuf *pValue, int *pbFound, LedgerError *pErr);
int emuStoreObjectPut(EmuStore *p, int eKind, const char *z, size_t n,
                      const char *zValue, size_t nValue, LedgerError *pErr);
int emuStoreObjectDelete(EmuStore *p, int eKind, const char *z, size_t n,
                         LedgerError *pErr);

/* Calls x for those of the kind whose name is above pAfter (NULL: for all), in
** order, at most nMax. The texts live until x returns. */
int emuStoreObjectList(EmuStore *p, int eKind, const EmuText *pAfter, int nMax,
                       void (*x)(void *, const EmuText *, const EmuText *),
                       void *pArg, LedgerError *pErr);

/* ---- govern.c ---------------------------------------------------------- */

/* Gives the ledger members and a constitution, unless it has them. */
int emuGovernEnsure(Emu *p, LedgerError *pErr);

/* Adds a transaction of a kind other than an entry; its payload is JSON. What
** was stored for it before is undone when it fails. */
int emuWriteTxn(Emu *p, int eKind, const LedgerBuf *pPayload, LedgerTxid *pTx,
                LedgerError *pErr);

/* Writes an object (pValue NULL: deletes it) and its transaction. */
int emuObjectWrite(Emu *p, int eKind, const EmuText *pName,
                   const EmuText *pValue, int eTxn, const LedgerBuf *pPayload,
                   LedgerTxid *pTx, LedgerError *pErr);

/* Deletes an object as a transaction of the kind eTxn, and answers 204. */
void emuObjectDelete(EmuReq *p, int eKind, int eTxn, const EmuText *pName,
                     LedgerError *pErr);

/* ---- quote.c ----------------------------------------------------------- */

/* Appends the quote of a node (its id, 64 hex digits) as bytes; and its
** MRENCLAVE, EMU_HASH bytes, the same for each node. */
int emuQuote(const Emu *p, const char *zNodeId, LedgerBuf *pRaw,
             LedgerError *pErr);
void emuQuoteMeasurement(unsigned char *aOut);

/* ---- page.c ------------------------------------------------------------ */

/* A list that is answered in pages of --page: what a callback of
** emuStoreObjectList() needs to write one. */
typedef struct EmuPage EmuPage;
struct EmuPage {
  EmuReq *pReq;
  int n;          /* items written */
  int nMax;       /* of a page */
  int bMore;      /* there is one more */
  LedgerBuf last; /* name of the last item written */
};

/* Begins the answer with {"zKey":[; *ppAfter is the name after which the page
** begins, or NULL. bPaged 0: all in one page. */
void emuPageBegin(EmuPage *p, EmuReq *pReq, const char *zKey, int bPaged,
                  const EmuText **ppAfter);

/* 1 when the item is to be written, behind a comma if one is needed. */
int emuPageItem(EmuPage *p, const EmuText *pName);

/* Ends the answer: ] and, if there is more, a nextLink to the same path. */
void emuPageEnd(EmuPage *p, LedgerError *pErr);

/* ---- routes/users.c ------------------------------------------------------ */

void emuRouteUserGet(EmuReq *p);
void emuRouteUserPatch(EmuReq *p);
void emuRouteUserDelete(EmuReq *p);
void emuRouteUserList(EmuReq *p);

/* Registers a user as a transaction of the ledger. zRoles is "A,B". */
int emuUserWrite(Emu *p, const char *zId, size_t nId, const char *zRoles,
                 LedgerTxid *pTx, LedgerError *pErr);

/* ---- routes/govern.c ----------------------------------------------------- */

void emuRouteConstitution(EmuReq *p);
void emuRouteMembers(EmuReq *p);
void emuRouteQuotes(EmuReq *p);

/* ---- routes/roles.c ------------------------------------------------------ */

void emuRouteRoleGet(EmuReq *p);
void emuRouteRolePut(EmuReq *p);
void emuRouteRolePatch(EmuReq *p);
void emuRouteRoleDelete(EmuReq *p);

/* 1 when the text is UTF-8 of 1 to nMax bytes without control characters. */
int emuPlainText(const char *z, size_t n, size_t nMax);

/* ---- routes/functions.c -------------------------------------------------- */

void emuRouteFunctionList(EmuReq *p);
void emuRouteFunctionGet(EmuReq *p);
void emuRouteFunctionPut(EmuReq *p);
void emuRouteFunctionDelete(EmuReq *p);

/* 1 for the id of a function; 0 after answering 400. */
int emuFunctionId(EmuReq *p, const EmuText *pId);

/* Appends a function's code; 0 after answering 404. */
int emuFunctionCode(EmuReq *p, const EmuText *pId, LedgerBuf *pCode);

/* ---- routes/endpoints.c -------------------------------------------------- */

void emuRouteEndpointsGet(EmuReq *p);
void emuRouteEndpointsPut(EmuReq *p);
void emuRouteModule(EmuReq *p);
void emuRouteRuntimeGet(EmuReq *p);
void emuRouteRuntimePatch(EmuReq *p);

/* ---- runtime.c --------------------------------------------------------- */

/* Options of the JavaScript runtime, as in the API; 0: see runtime.c. */
typedef struct EmuRuntime EmuRuntime;
struct EmuRuntime {
  int64_t bLog;    /* log_exception_details */
  int64_t bReturn; /* return_exception_details */
  int64_t nCached; /* max_cached_interpreters */
  int64_t msTime;  /* max_execution_time_ms */
  int64_t nHeap;   /* max_heap_bytes */
  int64_t nStack;  /* max_stack_bytes */
};

/* Those stored, or the defaults. */
int emuRuntimeStored(Emu *pEmu, EmuRuntime *p, LedgerError *pErr);

/* Puts the members of an object over *p; null is the default. Returns the name
** of a member that is wrong, or NULL. */
const char *emuRuntimeRead(const cJSON *pObj, EmuRuntime *p);

/* Appends them as a JSON object. */
void emuRuntimeJson(const EmuRuntime *p, LedgerBuf *pBuf);

/* A limit that can be enforced: the default in place of 0, and in bounds. */
int64_t emuRuntimeLimit(int64_t v, int64_t iDefault, int64_t iMin,
                        int64_t iMax);

#endif /* EMU_GOVERN_H */
