/*
** Running user-defined functions, as the rest of the room sees it. Included by
** emuInt.h.
*/
#ifndef EMU_SANDBOX_H
#define EMU_SANDBOX_H

#include "emulator/emu.h"

/* ---- runner.c ---------------------------------------------------------- */

/* The program that node is given. */
extern const char zEmuRunner[];

/* ---- sandbox.c --------------------------------------------------------- */

/* One call of a function. Zero it to start; free with emuCallClear(). */
typedef struct EmuCall EmuCall;
struct EmuCall {
  LedgerBuf id;        /* of the function */
  LedgerBuf code;      /* its code */
  LedgerBuf name;      /* of the export to call */
  LedgerBuf arguments; /* a JSON array of strings */
  EmuRuntime runtime;  /* limits */
};
void emuCallClear(EmuCall *p);

/* How a call ended. */
enum {
  EMU_CALL_VALUE,  /* it returned; the text is its value */
  EMU_CALL_FAILED, /* it threw, or broke a limit; the text says what */
  EMU_CALL_BROKEN, /* it could not be run; the text says why */
  EMU_CALL_GONE    /* the emulator ends: free what is yours, answer nothing */
};

/* Starts a call; x is called once, and later. */
int emuSandboxCall(Emu *p, const EmuCall *pCall,
                   void (*x)(void *, int eEnd, const char *z, size_t n),
                   void *pArg, LedgerError *pErr);

/* 1 when there is a node on PATH. */
int emuSandboxThere(void);

/* Ends every call. NULL is allowed. */
void emuSandboxClose(EmuSandbox *p);

/* ---- routes/execute.c ---------------------------------------------------- */

void emuRouteExecute(EmuReq *p);

/* Runs the hooks of an append, the body being pDoc. Returns 1 when it has
** answered, or will: if all goes well it calls emuRouteAppend() again, with
** bHooked set, and emuRouteEnd(). Returns 0 when there are none. */
int emuHooks(EmuReq *p, LedgerJson *pDoc);

#endif /* EMU_SANDBOX_H */
