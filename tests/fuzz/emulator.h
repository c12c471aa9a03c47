/*
** The emulator within a target: main.c with another name for main().
*/
#ifndef LEDGER_FUZZ_EMULATOR_H
#define LEDGER_FUZZ_EMULATOR_H

#include "fuzz.h"

#define main emulatorMain
int emulatorMain(int argc, char **argv);
#include "emulator/main.c"
#undef main

/* An emulator as its main() makes it, with these arguments; nothing is open. */
static inline Main *emulatorNew(int nArg, char **azArg) {
  LedgerError err = LEDGER_ERROR_INIT;
  Main *pMain = calloc(1, sizeof(*pMain));
  Emu *p = &pMain->emu;
  fuzzCheck(pMain != NULL, "out of memory");
  p->pKeys = &pMain->keys;
  p->pLedger = &pMain->ledger;
  p->pSessions = &pMain->sessions;
  p->pSeen = &pMain->seen;
  fuzzCheck(emuArgsParse(nArg, azArg, &p->args, &err) == LEDGER_OK,
            "the arguments are refused");
  return pMain;
}

#endif /* LEDGER_FUZZ_EMULATOR_H */
