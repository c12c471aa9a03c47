/*
** What the files of emulator/auth share among themselves.
*/
#ifndef EMU_AUTH_INT_H
#define EMU_AUTH_INT_H

#include "emulator/auth/auth.h"

/* ---- token.c ----------------------------------------------------------- */

/* One part of a JWT, decoded and parsed; NULL if it is not a JSON object. */
LedgerJson *emuTokenPart(const char *z, size_t n);

/* Checks a token; appends its principal to *pOid. LEDGER_AUTH says in pErr
** which check failed. */
int emuTokenCheck(Emu *p, const char *z, size_t n, LedgerBuf *pOid,
                  LedgerError *pErr);

#endif /* EMU_AUTH_INT_H */
