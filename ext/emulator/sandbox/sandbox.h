/*
** The face of emulator/sandbox: running user-defined functions.
*/
#ifndef EMU_SANDBOX_H
#define EMU_SANDBOX_H

#include "emulator/emu.h"
#include "emulator/store/store.h"

/* ---- runtime.c --------------------------------------------------------- */

/* Options of the JavaScript runtime, as in the API; of a limit, 0 is the
** default. */
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

typedef struct EmuSandbox EmuSandbox;

/* Starts a call; x is called once, and later. */
int emuSandboxCall(Emu *p, const EmuCall *pCall,
                   void (*x)(void *, int eEnd, const char *z, size_t n),
                   void *pArg, LedgerError *pErr);

/* 1 when there is a node on PATH. */
int emuSandboxThere(void);

/* Ends every call. NULL is allowed. */
void emuSandboxClose(EmuSandbox *p);

#endif /* EMU_SANDBOX_H */
