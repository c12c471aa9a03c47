/*
** What extension.c and taken.c share.
*/
#ifndef LEDGER_EXTENSION_INT_H
#define LEDGER_EXTENSION_INT_H

#include "sqlite/table/table.h"

/* ---- taken.c: the names that the module needs on a connection ------------ */

typedef struct LedgerCollation LedgerCollation;
struct LedgerCollation {
  const char *zName;
  int (*xCompare)(void *, int, const void *, int, const void *);
};
extern const LedgerCollation aLedgerCollation[]; /* ends with zName NULL */

/* SQLITE_OK where all names are free; else a code, and *pzErr says which one is
** not (sqlite3_free; NULL for lack of memory). */
int ledgerTakenLook(LedgerConn *pConn, char **pzErr);

/* Takes back what a load that failed has registered: the names were free. */
void ledgerTakenDrop(LedgerConn *pConn);

/* Makes SQLite read the schemas again that it has read: called just before the
** functions are registered. As ledgerTakenLook(). */
int ledgerTakenSchema(LedgerConn *pConn, char **pzErr);

#endif /* LEDGER_EXTENSION_INT_H */
