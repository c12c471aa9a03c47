/*
** The tables, in the order of ledger_help: each is a file in table/, and a
** line here. Read by extension.c, which defines LEDGER_TABLE.
*/
/* clang-format off */
LEDGER_TABLE(ledgerTableEntries)
LEDGER_TABLE(ledgerTableSubLedgers)
LEDGER_TABLE(ledgerTableTags)
LEDGER_TABLE(ledgerTableTransactions)
LEDGER_TABLE(ledgerTableReceipts)
LEDGER_TABLE(ledgerTableAudit)
LEDGER_TABLE(ledgerTableUsers)
LEDGER_TABLE(ledgerTableRoles)
LEDGER_TABLE(ledgerTableFunctions)
LEDGER_TABLE(ledgerTableEndpoints)
LEDGER_TABLE(ledgerTableModules)
LEDGER_TABLE(ledgerTableMembers)
LEDGER_TABLE(ledgerTableConstitution)
LEDGER_TABLE(ledgerTableQuotes)
LEDGER_TABLE(ledgerTableIdentity)
LEDGER_TABLE(ledgerTableAttached)
LEDGER_TABLE(ledgerTableAppends)
LEDGER_TABLE(ledgerTableHttp)
LEDGER_TABLE(ledgerTableProgress)
LEDGER_TABLE(ledgerTableCache)
LEDGER_TABLE(ledgerTableColumns)
LEDGER_TABLE(ledgerTableHelp)
/* clang-format on */
