/*
** The local ledger as all its folders see it: one struct, whose parts are
** declared by the folder they belong to.
**
** Invariants
**   - one thread, one libevent loop; nothing here ever sleeps;
**   - calls go down only: main, routes, fault, auth, sandbox, http, ledger,
**     pki, store, util. What lies below calls back through a hook;
**   - no log contains a key, a token or the contents of an entry.
*/
#ifndef EMU_H
#define EMU_H

#include "emulator/args.h"

#include <stdio.h>

struct event;
struct event_base;

typedef struct Emu Emu;
struct Emu {
  EmuArgs args;
  char *zDir;      /* absolute folder of ca.pem ... */
  char *zLedgerId; /* of the ledger, stored */
  char *zCurve;
  char *zTenant; /* of the authority */
  char *zClient; /* the application that is an administrator ... */
  char *zSecret; /* ... its secret ... */
  char *zOid;    /* ... and its object id */

  /* Each part by its folder, from the bottom up */
  struct EmuStore *pStore;
  struct EmuKeys *pKeys;
  struct EmuLedger *pLedger;
  struct EmuWarm *pWarm;        /* of entries */
  struct EmuWarm *pWarmReceipt; /* of receipts */
  LedgerLru *pPages;            /* bodies of pages (routes/range.c) */
  struct EmuServer *pServer;
  struct EmuSessions *pSessions;
  struct EmuReq *pReqs;        /* requests under way */
  int64_t nRequest;            /* requests so far */
  FILE *pLog;                  /* of --request-log, or NULL */
  struct EmuSandbox *pSandbox; /* once a function was run */
  struct EmuTokenSeen *pSeen;  /* the token last accepted */
  struct EmuAssertions *pAssertions;
  struct EmuFaults *pFaults;
  struct EmuGateway *pGateway; /* --gateway, or NULL */

  struct event_base *pBase;
  int bBroken; /* the store failed for good: end with exit 1 */
};

#endif /* EMU_H */
