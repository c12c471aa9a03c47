/*
** The face of assertion.c: how an application shows the authority who it is
** without its secret. Included by emuInt.h.
*/
#ifndef EMU_ASSERTION_H
#define EMU_ASSERTION_H

/* Reads --client-certificate and --federation. */
int emuAssertionsOpen(Emu *p, LedgerError *pErr);
void emuAssertionsFree(EmuAssertions *p);

/*
** Checks the n bytes at z as the assertion of application zClient; zUrl is the
** token endpoint that it was sent to. LEDGER_AUTH, with an AADSTS text, when
** it is not accepted.
*/
int emuAssertionCheck(Emu *p, const char *z, size_t n, const char *zClient,
                      const char *zUrl, LedgerError *pErr);

#endif /* EMU_ASSERTION_H */
