/*
** The pointer through which a loadable extension calls SQLite: the routines of
** the host's library. extension.c sets it.
*/
#define LEDGER_API_C
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "sqlite/conn/conn.h"
