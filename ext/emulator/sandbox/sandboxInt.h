/*
** What the files of emulator/sandbox share among themselves.
*/
#ifndef EMU_SANDBOX_INT_H
#define EMU_SANDBOX_INT_H

#include "emulator/sandbox/sandbox.h"

/* ---- runner.c ---------------------------------------------------------- */

/* The program that node is given. */
extern const char zEmuRunner[];

#endif /* EMU_SANDBOX_INT_H */
