/*
** What the files of the functions share: a call's options, the tables of
** functions. Included by ledgerInt.h, in whose terms it is written.
**
** Invariant: a function is a line in the table of its file; the registry
** (extension.c, db/guard.c) does what is common to all.
*/
#ifndef LEDGER_FUNCTION_INT_H
#define LEDGER_FUNCTION_INT_H

/* ---- function/call.c: the options of a call ------------------------------ */

/* Parses the options object of a function; *ppDoc is NULL where pVal is. Free
** it with ledgerJsonFree(). Anything but an object is an error. */
int ledgerOptionsParse(sqlite3_value *pVal, LedgerJson **ppDoc,
                       LedgerError *pErr);

/* What a call's options object says, applied while the call runs. */
typedef struct LedgerFunctionCall LedgerFunctionCall;
struct LedgerFunctionCall {
  LedgerDb *pDb;
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

/* ---- function_*.c: the functions ------------------------------------- */

/* One function of SQL. */
struct LedgerFunction {
  const char *zName;
  int nMin, nMax; /* numbers of arguments it takes */
  int eFlags;     /* LEDGER_FN_* */
  void (*xFunc)(sqlite3_context *, int, sqlite3_value **);
  const char *zArgs; /* its arguments, for the reference */
  const char *zDoc;  /* one line, likewise */
};

#define LEDGER_FN_PURE (SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS)
#define LEDGER_FN_ACT (SQLITE_UTF8 | SQLITE_DIRECTONLY)
#ifdef SQLITE_RESULT_SUBTYPE /* SQLite 3.45 and later ask for it */
#define LEDGER_FN_JSON SQLITE_RESULT_SUBTYPE
#else
#define LEDGER_FN_JSON 0
#endif
#define LEDGER_FN_WRITES 0x40000000 /* not in the read-only entry point */

/* All of them, ended by NULL (extension.c). */
extern const LedgerFunction *const apLedgerFunction[];

/* Tables of functions, ended by one without a name. */
extern const LedgerFunction aLedgerFunctionPure[];   /* function/pure.c */
extern const LedgerFunction aLedgerFunctionAttach[]; /* function/attach.c */
extern const LedgerFunction aLedgerFunctionEntry[];  /* function/entry.c */
extern const LedgerFunction aLedgerFunctionGuard[];  /* db/guard.c */
extern const LedgerFunction aLedgerFunctionNames[];  /* function/check.c */
extern const LedgerFunction aLedgerFunctionQuote[]; /* table/enclave_quotes.c */
extern const LedgerFunction aLedgerFunctionExecute[]; /* function/execute.c */
extern const LedgerFunction aLedgerFunctionOutbox[];  /* outbox/flush.c */
extern const LedgerFunction aLedgerFunctionPing[];    /* function/ping.c */
extern const LedgerFunction aLedgerFunctionProof[];   /* function/proof.c */
extern const LedgerFunction aLedgerFunctionReceipt[]; /* function/receipt.c */

/* The collation ledger_txid: ids by seqno, then view; other text behind them,
** bytewise. */
int ledgerTxidCollate(void *pArg, int n1, const void *z1, int n2,
                      const void *z2); /* function/pure.c */

/* Reads an id given to a function; NULL is for the caller to handle. A number
** or an ill-formed text is an error. */
int ledgerValueTxid(sqlite3_value *pVal, LedgerTxid *pId, LedgerError *pErr);

#endif /* LEDGER_FUNCTION_INT_H */
