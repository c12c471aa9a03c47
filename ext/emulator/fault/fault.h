/*
** The face of emulator/fault: what goes wrong on purpose.
*/
#ifndef EMU_FAULT_H
#define EMU_FAULT_H

#include "emulator/http/http.h"

typedef struct EmuFaults EmuFaults;
typedef struct EmuStrike EmuStrike;

/* ---- fault.c ----------------------------------------------------------- */

EmuFaults *emuFaultsNew(void);
void emuFaultsFree(EmuFaults *p);

/* Adds a fault from its text (grammar in fault.c). zBody, or NULL, is what the
** kind `answer` answers. */
int emuFaultsAdd(EmuFaults *p, const char *zSpec, const char *zBody,
                 LedgerError *pErr);
void emuFaultsClear(EmuFaults *p);

/* Appends the faults as a JSON array of objects. */
void emuFaultsList(const EmuFaults *p, LedgerBuf *pBuf);

/* Decides which faults strike the request, and notes them in it. Called once
** per request, before it is routed. Returns 0 after answering 500. */
int emuFaultsStrike(EmuFaults *p, EmuReq *pReq);

/* Decides whether a new connection to the node meets a wrong certificate:
** "expired", ... (see fault.c), or NULL. */
const char *emuFaultsConnect(Emu *p);

/* ---- answer.c ---------------------------------------------------------- */

/* Holds a request where a fault says so, and calls xGoOn with it later. Returns
** 1 when it is held, or answered. */
int emuFaultHold(EmuReq *p, void (*xGoOn)(EmuReq *));

/* Faults that answer in place of the route. Returns 1 when one did. */
int emuFaultInstead(EmuReq *p);

/* What struck the request, for emuFaultAfter(), which frees it: the request may
** be gone by then. */
EmuStrike *emuFaultKeep(EmuReq *p);

/* Faults that come after the answer. */
void emuFaultAfter(Emu *p, EmuStrike *pStrike);

/* A node that lags: its head becomes the ledger's for the time of a route that
** reads. *pNow is what to put back with emuFaultCaughtUp(). Returns 0 after
** answering 500. */
int emuFaultStale(EmuReq *p, EmuHead *pNow);
void emuFaultCaughtUp(EmuReq *p, const EmuHead *pNow);

#endif /* EMU_FAULT_H */
