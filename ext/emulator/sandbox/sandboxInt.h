/*
** What the files of emulator/sandbox share among themselves.
*/
#ifndef EMU_SANDBOX_INT_H
#define EMU_SANDBOX_INT_H

#include "emulator/sandbox/sandbox.h"

/* ---- runner.c ---------------------------------------------------------- */

/* The program that node is given. */
extern const char zEmuRunner[];

/* ---- runtime.c --------------------------------------------------------- */

/* A limit that can be enforced: the default in place of 0, and in bounds. */
int64_t emuRuntimeLimit(int64_t v, int64_t iDefault, int64_t iMin,
                        int64_t iMax);

#endif /* EMU_SANDBOX_INT_H */
