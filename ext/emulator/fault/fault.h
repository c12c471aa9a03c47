/*
** What goes wrong on purpose, as the rest of the room sees it. Included by
** emuInt.h.
*/
#ifndef EMU_FAULT_H
#define EMU_FAULT_H

#include "emulator/emu.h"

/* ---- fault.c ----------------------------------------------------------- */

enum {
  EMU_FAULT_NONE = 0,
  EMU_FAULT_RESET_BEFORE, /* close before anything is done */
  EMU_FAULT_RESET_AFTER,  /* close after it is done, without an answer */
  EMU_FAULT_STATUS,       /* answer a status instead of acting */
  EMU_FAULT_SESSION,      /* the same, on that connection from then on */
  EMU_FAULT_CLAIMS,       /* 401 that asks for claims */
  EMU_FAULT_REDIRECT,     /* 307 to another node's name */
  EMU_FAULT_CUT,          /* half of the body, then close */
  EMU_FAULT_SLOW,         /* the body byte by byte */
  EMU_FAULT_HUGE,         /* a body that does not end */
  EMU_FAULT_DEEP,         /* ... that nests */
  EMU_FAULT_MALFORMED,    /* ... that is not what was asked for */
  EMU_FAULT_ANSWER,       /* ... that the fault brings */
  EMU_FAULT_IDLE,         /* answer, then close as an idle connection */
  EMU_FAULT_STALE,        /* answer as a node that lags */
  EMU_FAULT_UNAWARE,      /* ... that lags only in knowing what is committed */
  EMU_FAULT_ELECTION,     /* act, then lose what is pending */
  EMU_FAULT_RECOVERY,     /* the same, and the service has a new key */
  EMU_FAULT_ISOLATE,      /* act, as a primary that is cut off */
  EMU_FAULT_STOP,         /* act; answer once the others have elected */
  EMU_FAULT_FORWARD,      /* a backup that hears nothing of its primary */
  EMU_FAULT_HOLD,         /* act later */
  EMU_FAULT_LATENCY,      /* answer late */
  EMU_FAULT_CLOCK,        /* answer with another Date */
  EMU_FAULT_CERTIFICATE   /* a connection with a wrong certificate */
};

EmuFaults *emuFaultsNew(void);
void emuFaultsFree(EmuFaults *p);

/* Adds a fault from its text (grammar in fault.c). zBody, or NULL, is what the
** kind `answer` answers. */
int emuFaultsAdd(EmuFaults *p, const char *zSpec, const char *zBody,
                 LedgerError *pErr);
void emuFaultsClear(EmuFaults *p);

/* Appends the faults as a JSON array of objects. */
void emuFaultsList(const EmuFaults *p, LedgerBuf *pBuf);

/* Decides which faults strike the request; notes them in it. Called once per
** request, before it is routed. */
void emuFaultsStrike(EmuFaults *p, EmuReq *pReq);

/* Decides whether a new connection to the node meets a wrong certificate:
** "expired", ... (see fault.c), or NULL. */
const char *emuFaultsConnect(EmuFaults *p);

/* ---- fault/answer.c ----------------------------------------------------- */

/* A request that is to be held on its way: 1 when it is, and goes on by itself
** later. */
int emuFaultHold(EmuReq *p);

/* Faults that answer in place of the route. Returns 1 when one did. */
int emuFaultInstead(EmuReq *p);

/* 1 when the fault lets the connection be closed in place of an answer. */
int emuFaultIsSilent(const EmuReq *p);

/* Faults that come after the answer; eFault and its keys are the request's,
** which may be gone by then. */
int emuFaultAfter(Emu *p, int eFault, const EmuFaultKeys *pKeys,
                  LedgerError *pErr);

/* A node that lags: its state becomes the ledger's for the time of a route
** that reads. *pNow is the state to put back with emuFaultCaughtUp(). Returns
** 0 after answering 500. */
int emuFaultStale(EmuReq *p, EmuLedger *pNow);
void emuFaultCaughtUp(EmuReq *p, const EmuLedger *pNow);

/* Faults that spoil the answer the route has made. */
void emuFaultSpoil(EmuReq *p);

/* Sends the answer in pieces where the fault says so, and takes p over.
** Returns 0 when it is to be sent as usual. */
int emuFaultSend(EmuReq *p);

#endif /* EMU_FAULT_H */
