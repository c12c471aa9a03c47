/*
** The face of emulator/auth: who asks, and what they may do; the tokens of the
** local authority, and how an application proves to it who it is.
*/
#ifndef EMU_AUTH_H
#define EMU_AUTH_H

#include "emulator/http/http.h"

#define EMU_AUDIENCE "https://confidential-ledger.azure.com"

/* ---- auth.c ------------------------------------------------------------ */

enum {
  EMU_ROLE_READER = 1,
  EMU_ROLE_CONTRIBUTOR = 2,
  EMU_ROLE_ADMINISTRATOR = 4
};

/* What a route does. The table in auth.c says which role it needs, and by which
** name a user-defined role allows it. */
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

/* Finds out who asks and with which roles; none if the ledger does not know the
** principal. Returns 0 after answering 401 or 500. */
int emuAuthenticate(EmuReq *p);

/* 1 when the principal may do that; else 0 and the answer is 403. */
int emuAuthorise(EmuReq *p, int eAction);

/* The EMU_ROLE_* bits of a list "Contributor,Reader". */
unsigned emuAuthRoleMask(const char *zRoles);

/* 1 for the name of a built-in role. */
int emuAuthRoleBuiltIn(const char *z, size_t n);

/* 1 for the name of a built-in or user-defined role; 0 also after a failure. */
int emuAuthRoleKnown(Emu *p, const char *z, size_t n, LedgerError *pErr);

/* Appends the built-in role's actions to a list, one a line. */
void emuAuthRoleActions(const char *z, size_t n, LedgerBuf *pActions);

/* Appends the roles of both lists, each once: the built-in ones first, from the
** highest down, then the others by name. */
void emuAuthRolesMerge(const char *zA, const char *zB, LedgerBuf *pOut);

/* ---- token.c ----------------------------------------------------------- */

/* The token last accepted: it is checked whole once, then by its digest and
** its end. The token itself is not kept. */
typedef struct EmuTokenSeen EmuTokenSeen;
struct EmuTokenSeen {
  unsigned char aDigest[EMU_HASH];
  double rUntil; /* seconds since 1970; 0: none */
  LedgerBuf oid; /* its principal */
};

/* Appends a signed token for the principal zOid. zAudience NULL: the ledger's.
** nLifetime is in seconds and may be negative. bCapable: the client has shown
** that it answers a challenge with claims; the token says so (xms_cc). */
int emuTokenIssue(Emu *p, const char *zOid, const char *zClient,
                  const char *zAudience, int64_t nLifetime, int bCapable,
                  LedgerBuf *pBuf, LedgerError *pErr);

/* 1 when a bearer token says xms_cc. Its signature is not checked. */
int emuTokenCapable(const char *zToken);

/* Appends the JSON Web Key Set of the authority. */
int emuTokenKeys(Emu *p, LedgerBuf *pBuf, LedgerError *pErr);

/* ---- assertion.c ------------------------------------------------------- */

typedef struct EmuAssertions EmuAssertions;

/* Reads --client-certificate and --federation. */
int emuAssertionsOpen(Emu *p, LedgerError *pErr);
void emuAssertionsFree(EmuAssertions *p);

/*
** Checks the n bytes at z as the assertion of application zClient; zUrl is the
** token endpoint that it was sent to. LEDGER_AUTH, with an AADSTS text, when
** it is not accepted.
*/
int emuAssertionCheck(Emu *p, const char *z, size_t n, const char *zClient,
                      const char *zUrl, LedgerError *pErr);

#endif /* EMU_AUTH_H */
