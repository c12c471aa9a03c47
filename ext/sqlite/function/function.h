/*
** What the files of the functions share: a call's options, the tables of
** functions.
**
** Invariant: a function is a line in the table of its file; the registry
** (extension.c, conn/guard.c) does what is common to all.
*/
#ifndef LEDGER_SQLITE_FUNCTION_H
#define LEDGER_SQLITE_FUNCTION_H

#include "sqlite/conn/guard.h"

/* ---- function/call.c: the options of a call ------------------------------ */

/* What a call's options object says, applied while the call runs. */
typedef struct LedgerFunctionCall LedgerFunctionCall;
struct LedgerFunctionCall {
  LedgerConn *pConn;
  Ledger *pLedger; /* the ledger meant */
  char *zTags;     /* for the wire (malloc), or NULL */
  char *zService;  /* service_certificate (malloc), or NULL */
  LedgerConfig *pConfig;
  LedgerConfig *pSaved; /* as it was before this call, or NULL: unchanged */
  char *zHooks;         /* "preHooks":[...] of an append (malloc), or NULL */
  char *zFunction; /* ledger_execute: exported function (malloc), or NULL */
  char *zRuntime;  /* ledger_execute: JSON (cJSON_free), or NULL */
};

/* What a function does, which says the options it knows. */
enum {
  LEDGER_CALL_READ,
  LEDGER_CALL_WRITE, /* knows the same options, but writes */
  LEDGER_CALL_APPEND,
  LEDGER_CALL_VERIFY,
  LEDGER_CALL_EXECUTE
};

/* Reads the options object pVal (NULL: none) and finds the ledger. End it with
** ledgerFunctionEnd() in any case. */
int ledgerFunctionBegin(LedgerFunctionCall *p, sqlite3_context *pCtx,
                        sqlite3_value *pVal, int eCall, LedgerError *pErr);
void ledgerFunctionEnd(LedgerFunctionCall *p);

/* Makes the JSON text a function's result, and frees it. */
void ledgerFunctionJson(sqlite3_context *pCtx, LedgerBuf *pBuf);

/* ---- function/check.c: are the tables that SQL names the ledger's? ------- */

/* An error where a real table or view, or a table of another module, has the
** name of one of ours and hides it. */
int ledgerCheckNames(LedgerConn *pConn, LedgerError *pErr);

#endif /* LEDGER_SQLITE_FUNCTION_H */
