/*
** What the files of emulator/routes share among themselves.
*/
#ifndef EMU_ROUTES_INT_H
#define EMU_ROUTES_INT_H

#include "emulator/routes/routes.h"
#include "emulator/routes/route_list.h"
#include "emulator/sandbox/sandbox.h"

/* ---- versions.c -------------------------------------------------------- */

/* What holds in an api-version. */
enum {
  EMU_V_SUBLEDGER = 0x0001,    /* subLedgerId, @nextLink; Loading is bare */
  EMU_V_COLLECTIONS = 0x0002,  /* GET /app/collections */
  EMU_V_BARE_LIST = 0x0004,    /* ... answers an array */
  EMU_V_MERGE_PATCH = 0x0008,  /* PATCH needs merge-patch+json */
  EMU_V_USER_LIST = 0x0010,    /* GET /app/users */
  EMU_V_LEDGER_USERS = 0x0020, /* /app/ledgerUsers */
  EMU_V_USERS_MOVED = 0x0040,  /* /app/users/{id} answers 301 */
  EMU_V_TAGS = 0x0080,         /* tags and tag */
  EMU_V_TAG_LIST = 0x0100,     /* GET /app/collections/tags */
  EMU_V_OWN_CURRENT = 0x0200,  /* /current has the entry's own id */
  EMU_V_WAIT = 0x0400,         /* waitForCommit */
  EMU_V_CLAIMS = 0x0800,       /* receipts in camelCase, with claims */
  EMU_V_LEAF_ROOT = 0x1000,    /* receipts of leaf and root */
  EMU_V_MRENCLAVE = 0x2000,    /* quotes have mrenclave */
  EMU_V_MEMBER_PAGES = 0x4000, /* members come in pages */
  EMU_V_PROGRAMS = 0x8000,     /* functions and hooks */
  EMU_V_ROLES = 0x10000,       /* roles and endpoints */
  EMU_V_ROLE_TEXT = 0x20000,   /* role_name; a write of roles answers a text */
  EMU_V_ASKED_ROLES = 0x40000, /* PATCH of a user answers the roles asked for */
  EMU_V_MOVED_TO = 0x80000,    /* that 301 has a Location */
  EMU_V_SPAN = 0x100000,       /* pages cover 101 ids, links have no end */
  EMU_V_NEVER = 0x200000,      /* in no version */

  /* Not of a version: what else a route may need (route_list.h) */
  EMU_WITH_CONTROL = 0x400000, /* --control */
  EMU_WITH_GATEWAY = 0x800000  /* a request that came to the gateway */
};
typedef struct EmuVersion EmuVersion;
struct EmuVersion {
  const char *zName;
  unsigned flags;
};

/* The version named by the n bytes at z if it is known and offered, or NULL.
** zOffered is the value of --api-versions, NULL for all. */
const EmuVersion *emuVersionFind(const char *zOffered, const char *z, size_t n);

/* Appends the versions offered, newest first, with commas. */
void emuVersionList(const char *zOffered, LedgerBuf *pBuf);

/* ---- common.c ---------------------------------------------------------- */

/* The collection a request names: *pText, and its number in *pi (0: there is
** none of that name). Returns 0 when the answer is made (400, 500). */
int emuRouteCollection(EmuReq *p, EmuText *pText, int64_t *pi);

/* Reads a transaction id of a path or query; 0 and an answer 400 if it is
** ill-formed. zWhat names it. */
int emuRouteTxid(EmuReq *p, const EmuText *pText, const char *zWhat,
                 LedgerTxid *pId);

/* 1 when the transaction of the path, whose id is `id`, is committed; else the
** answer is made (404, 500). */
int emuRouteTxidCommitted(EmuReq *p, LedgerTxid id);

/* Writes an entry as JSON: "collectionId", "contents", "tags",
** "transactionId". */
void emuRouteEntryJson(EmuReq *p, const EmuText *pCollection,
                       const EmuEntry *pEntry, LedgerTxid id);

/* Deletes an object as a transaction of the kind eTxn, and answers 204. */
void emuRouteObjectDelete(EmuReq *p, int eKind, int eTxn, const EmuText *pName);

/* ---- page.c ------------------------------------------------------------ */

#define EMU_PAGE_USERS 0

/* Answers a list under the member zKey: the objects of the kind EMU_OBJECT_*,
** or EMU_PAGE_USERS. xItem appends one item to the body, from its name and its
** value. bPaged: in pages of --page, else all at once. */
void emuPage(EmuReq *p, const char *zKey, int eKind, int bPaged,
             void (*xItem)(EmuReq *, const EmuText *, const EmuText *));

/* ---- receipt.c --------------------------------------------------------- */

/* Completes the answer of a write that waited: appends receipt and claims, and
** closes the object. An error makes it 500. */
void emuReceiptInline(EmuReq *p);

/* ---- functions.c ------------------------------------------------------- */

/* 1 for the id of a function; 0 after answering 400. */
int emuFunctionId(EmuReq *p, const EmuText *pId);

/* Appends a function's code; 0 after answering 404. */
int emuFunctionCode(EmuReq *p, const EmuText *pId, LedgerBuf *pCode);

/* ---- execute.c --------------------------------------------------------- */

/* Fills a call from the execution properties (NULL: there are none) and the
** function of that id; 0 after answering. */
int emuExecuteCall(EmuReq *p, LedgerJson *pDoc, cJSON *pProperties,
                   const EmuText *pId, EmuCall *pCall);

/* 1 when functions can be run here; 0 after answering 501. */
int emuExecuteCan(EmuReq *p);

/* ---- hooks.c ----------------------------------------------------------- */

/* Runs the hooks of an append, the body being pDoc. Returns 1 when it has
** answered, or will: if all goes well it calls xAppend, with bHooked set, and
** then the request's xEnd(). Returns 0 when there are none. */
int emuHooks(EmuReq *p, LedgerJson *pDoc, void (*xAppend)(EmuReq *));

/* ---- gateway.c --------------------------------------------------------- */

/* Queues a checked append and answers 202 with its operation id, or 429. */
void emuGatewayQueue(EmuReq *p, const EmuTxn *pTxn);

/* POST /control/gateway */
int emuGatewayControl(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr);

#endif /* EMU_ROUTES_INT_H */
