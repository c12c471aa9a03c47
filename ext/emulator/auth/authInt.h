/*
** What the files of emulator/auth share among themselves.
*/
#ifndef EMU_AUTH_INT_H
#define EMU_AUTH_INT_H

#include "emulator/auth/auth.h"

/* ---- token.c ----------------------------------------------------------- */

/* Decodes and parses one part of a JWT as a JSON object; NULL if it is none. */
LedgerJson *emuTokenPart(const char *z, size_t n);

#endif /* EMU_AUTH_INT_H */
