/*
** What the files of emulator/fault share among themselves: what struck a
** request.
*/
#ifndef EMU_FAULT_INT_H
#define EMU_FAULT_INT_H

#include "emulator/fault/fault.h"

/* ---- fault.c ----------------------------------------------------------- */

enum {
  EMU_FAULT_RESET_BEFORE = 1, /* close before anything is done */
  EMU_FAULT_RESET_AFTER,      /* close after it is done, without an answer */
  EMU_FAULT_STATUS,           /* answer a status instead of acting */
  EMU_FAULT_SESSION,          /* the same, on that connection from then on */
  EMU_FAULT_CLAIMS,           /* 401 that asks for claims */
  EMU_FAULT_REDIRECT,         /* 307 to another node's name */
  EMU_FAULT_CUT,              /* half of the body, then close */
  EMU_FAULT_SLOW,             /* the body byte by byte */
  EMU_FAULT_HUGE,             /* a body that does not end */
  EMU_FAULT_DEEP,             /* ... that nests */
  EMU_FAULT_MALFORMED,        /* ... that is not what was asked for */
  EMU_FAULT_ANSWER,           /* ... that the fault brings */
  EMU_FAULT_IDLE,             /* answer, then close as an idle connection */
  EMU_FAULT_STALE,            /* answer as a node that lags */
  EMU_FAULT_UNAWARE,    /* ... that lags only in knowing what is committed */
  EMU_FAULT_ELECTION,   /* act, then lose what is pending */
  EMU_FAULT_RECOVERY,   /* the same, and the service has a new key */
  EMU_FAULT_ISOLATE,    /* act, as a primary that is cut off */
  EMU_FAULT_STOP,       /* act; answer once the others have elected */
  EMU_FAULT_FORWARD,    /* a backup that hears nothing from its primary */
  EMU_FAULT_HOLD,       /* act later */
  EMU_FAULT_LATENCY,    /* answer late */
  EMU_FAULT_CLOCK,      /* answer with another Date */
  EMU_FAULT_CERTIFICATE /* a connection with a wrong certificate */
};

/* What faults of sessions are told: the keys of their spec. */
typedef struct EmuFaultKeys EmuFaultKeys;
struct EmuFaultKeys {
  int64_t msFor;   /* for */
  int64_t msHeal;  /* heal */
  int64_t msDelay; /* delay */
  int64_t bRecord; /* record */
  int64_t bElect;  /* election */
  int eSessions;   /* sessions */
};

/* The fault that struck a request, and those that strike beside it. */
struct EmuStrike {
  int nRef;          /* who holds it */
  int eFault;        /* EMU_FAULT_*, 0: only those beside */
  EmuFaultKeys keys; /* what else it is told */
  int64_t iValue;    /* its value, a number ... */
  char zWord[12];    /* ... or a word */
  char zCode[48];    /* error code */
  LedgerBuf body;    /* what it answers, if it brings that along */
  int nRetryAfter;   /* seconds, -1: no such header */
  LedgerTxid id;     /* id of a refusal, or {0,0} */
  int64_t sClock;    /* its Date is that many seconds ahead */
  int64_t nByte;     /* bytes of a piece of a slow answer */

  /* How far it has come */
  void (*xGoOn)(EmuReq *); /* where a request that was held goes on */
  int64_t nSent;           /* bytes of the body so far, sent in pieces ... */
  int bDrained;            /* ... which have all left */
};

/* ---- answer.c ---------------------------------------------------------- */

/* What a strike does to an answer on its way. */
extern const EmuReqHooks emuFaultHooks;

#endif /* EMU_FAULT_INT_H */
