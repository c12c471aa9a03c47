/*
** What the files of emulator/store share among themselves: the statements of
** the data file.
*/
#ifndef EMU_STORE_INT_H
#define EMU_STORE_INT_H

#include "emulator/store/store.h"

#include <sqlite3.h>

/* ---- store.c ----------------------------------------------------------- */

/* The statement zSql (a literal), prepared once and kept; reset it when it is
** done. */
int emuStoreStmt(EmuStore *p, const char *zSql, sqlite3_stmt **ppStmt,
                 LedgerError *pErr);

/* Steps a statement that gives no row, and resets it. */
int emuStoreRun(EmuStore *p, sqlite3_stmt *pStmt, LedgerError *pErr);

/* Turns the SQLite error at hand into a LedgerError. */
int emuStoreError(EmuStore *p, LedgerError *pErr);

#endif /* EMU_STORE_INT_H */
