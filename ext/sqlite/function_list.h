/*
** The families of functions: each is an array in a file, and a line here. Read
** by extension.c, which defines LEDGER_FUNCTIONS.
*/
/* clang-format off */
LEDGER_FUNCTIONS(aLedgerFunctionPure)
LEDGER_FUNCTIONS(aLedgerFunctionAttach)
LEDGER_FUNCTIONS(aLedgerFunctionEntry)
LEDGER_FUNCTIONS(aLedgerFunctionCache)
LEDGER_FUNCTIONS(aLedgerFunctionGuard)
LEDGER_FUNCTIONS(aLedgerFunctionCheck)
LEDGER_FUNCTIONS(aLedgerFunctionOutbox)
LEDGER_FUNCTIONS(aLedgerFunctionPing)
LEDGER_FUNCTIONS(aLedgerFunctionVerify)
LEDGER_FUNCTIONS(aLedgerFunctionQuote)
LEDGER_FUNCTIONS(aLedgerFunctionExecute)
LEDGER_FUNCTIONS(aLedgerFunctionReceipt)
/* clang-format on */
