/*
** What the files of emulator/store share among themselves: the statements of
** the data file, and its pages.
*/
#ifndef EMU_STORE_INT_H
#define EMU_STORE_INT_H

#include "emulator/store/store.h"

#include <sqlite3.h>

/* ---- store.c ----------------------------------------------------------- */

/*
** The statement zSql (a literal), prepared once and kept, with its parameters
** bound as zTypes says: `i` int64_t, `d` int, `z` text with a NUL, `t` text
** (const char *, size_t), `n` the same, or NULL, `b` bytes (const void *, int).
** They must live until it is reset. NULL after an error, which is no row to
** emuStoreStep().
*/
sqlite3_stmt *emuStoreStmt(EmuStore *p, LedgerError *pErr, const char *zSql,
                           const char *zTypes, ...);

/* Steps a statement: 1 when there is a row, 0 at its end or after an error.
** Reset it when it is done. */
int emuStoreStep(EmuStore *p, sqlite3_stmt *pStmt, LedgerError *pErr);

/* Runs a statement that gives no row. */
int emuStoreRun(EmuStore *p, LedgerError *pErr, const char *zSql,
                const char *zTypes, ...);

/* The one number a statement gives; 0 when it gives no row, or NULL. */
int emuStoreNumber(EmuStore *p, LedgerError *pErr, int64_t *pi,
                   const char *zSql, const char *zTypes, ...);

/* The text of column i, with a NUL; it lives until the next step. Of NULL,
** which a damaged file may have where none belongs, it is empty. */
EmuText emuStoreText(sqlite3_stmt *pStmt, int i);

/* Appends the bytes of column i. */
int emuStoreColumn(sqlite3_stmt *pStmt, int i, LedgerBuf *pBuf,
                   LedgerError *pErr);

/* ---- pages.c ----------------------------------------------------------- */

#define EMU_PAGES_VFS "ledger-pages"
#define EMU_PAGE_SUM 8 /* bytes of a page's sum; SQLite's reserved space */

/* Makes the VFS known to SQLite, whose code it gives. */
int emuPagesRegister(void);

/* Writes what was wrong with the page that failed last, and forgets it; 0 when
** none has failed. */
int emuPagesWrong(char *z, size_t n);

/* errno of the write that failed last. */
int emuPagesUnwritten(void);

/* errno of the first sync of a file that failed, or 0. */
int emuPagesUnsynced(void);

/* ---- wal.c ------------------------------------------------------------- */

/* Looks through a WAL that was left behind: an error if SQLite would drop more
** of it than a torn end. */
int emuWalLook(const char *zWal, LedgerError *pErr);

#endif /* EMU_STORE_INT_H */
