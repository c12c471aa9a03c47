/*
** What the files of emulator/store share among themselves: the statements of
** the data file.
*/
#ifndef EMU_STORE_INT_H
#define EMU_STORE_INT_H

#include "emulator/store/store.h"

#include <sqlite3.h>

/* ---- store.c ----------------------------------------------------------- */

/* The statement zSql (a literal), prepared once and kept. */
int emuStoreStmt(EmuStore *p, const char *zSql, sqlite3_stmt **ppStmt,
                 LedgerError *pErr);

/* Steps a statement: 1 when there is a row, 0 at its end or after an error.
** Reset it when it is done. */
int emuStoreStep(EmuStore *p, sqlite3_stmt *pStmt, LedgerError *pErr);

/* The one number a statement gives, 0 when it gives no row or NULL; resets. */
int emuStoreNumber(EmuStore *p, sqlite3_stmt *pStmt, int64_t *pi,
                   LedgerError *pErr);

/* The text of column i, with a NUL; it lives until the next step. */
EmuText emuStoreText(sqlite3_stmt *pStmt, int i);

/* Appends the bytes of column i. */
int emuStoreColumn(sqlite3_stmt *pStmt, int i, LedgerBuf *pBuf,
                   LedgerError *pErr);

/* Steps a statement that gives no row, and resets it. */
int emuStoreRun(EmuStore *p, sqlite3_stmt *pStmt, LedgerError *pErr);

#endif /* EMU_STORE_INT_H */
