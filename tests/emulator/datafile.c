/*
** The emulator's data file for a test that looks into it, or changes it: a
** loadable extension with the VFS "ledger-pages" (ext/emulator/store/pages.c),
** without which SQLite leaves no sums on the pages that it writes.
*/
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

/* NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "emulator/store/pages.c"

/* All that it takes from base. */
const char *ledgerSystemError(int e) {
  return strerror(e);
}

__attribute__((visibility("default"))) int
sqlite3_datafile_init(sqlite3 *db, char **pzErr,
                      const sqlite3_api_routines *pApi);

int sqlite3_datafile_init(sqlite3 *db, char **pzErr,
                          const sqlite3_api_routines *pApi) {
  SQLITE_EXTENSION_INIT2(pApi)
  (void)db;
  (void)pzErr;
  return emuPagesRegister() == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY
                                         : SQLITE_ERROR;
}
