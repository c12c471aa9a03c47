/*
** The public face of sqlite-ledger: its version and its two entry points.
** Everything else is said in SQL; see README.md.
**
** As a loadable module:   .load ./build/ledger
**
** Linked into a program, which calls before it opens a connection
**
**     sqlite3_auto_extension((void (*)(void))sqlite3_ledger_init);
**
** All sources are compiled with SQLITE_CORE (with _GNU_SOURCE, too, and in one
** command: files of different folders have the same name):
**
**     cc -DSQLITE_CORE -D_GNU_SOURCE -pthread -Iinclude -Iext program.c
**        $(find ext/base ext/client ext/receipt ext/sqlite -name '*.c')
**        -lsqlite3 -lcurl -lssl -lcrypto -lcjson
**
** or, once `make amalgamation` has written all of them into one file, with
** build/amalgamation/ledger.c.
*/
#ifndef LEDGER_H
#define LEDGER_H

#define LEDGER_VERSION_MAJOR 0
#define LEDGER_VERSION_MINOR 1
#define LEDGER_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3;
struct sqlite3_api_routines;

/* Registers every table, function and collation of the module on db, or none.
** Returns SQLITE_OK (as a loadable module SQLITE_OK_LOAD_PERMANENTLY), or an
** error with *pzErrMsg set (free it with sqlite3_free; pzErrMsg may be NULL).
** Refuses an SQLite older than 3.38.0. With SQLITE_CORE pApi is not used. */
int sqlite3_ledger_init(struct sqlite3 *db, char **pzErrMsg,
                        const struct sqlite3_api_routines *pApi);

/* The same without anything that can write to a ledger: no ledger_append(),
** and every table is read-only. On a connection that has loaded the module
** already it turns writing off; sqlite3_ledger_init() doesn't turn it on. */
int sqlite3_ledgerreadonly_init(struct sqlite3 *db, char **pzErrMsg,
                                const struct sqlite3_api_routines *pApi);

#ifdef __cplusplus
}
#endif

#endif /* LEDGER_H */
