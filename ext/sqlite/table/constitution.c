/*
** The table ledger_constitution: the script by which the ledger is governed.
**
**     SELECT digest, script FROM ledger_constitution;
**
** Request: GET /app/governance/constitution.
**
** Invariant: the digest is that of the script shown, computed here. Where the
** ledger's own answer has another one, that is an error and no row.
*/
#include "sqlite/table/table.h"

static int constitutionItem(LedgerCells *pCells, LedgerItem *pItem,
                            LedgerError *pErr) {
  char zHex[65];
  size_t n = 0;
  const char *zDigest =
      ledgerJsonMemberText(pItem->pDoc, pItem->pItem, "digest", NULL);
  const char *zScript =
      ledgerJsonMemberText(pItem->pDoc, pItem->pItem, "script", &n);
  if( zDigest == NULL || zScript == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "constitution: the ledger's answer makes no sense: "
                          "digest or script is missing");
  }
  if( ledgerDigestHex(zScript, n, zHex, pErr) ) return pErr->rc;
  if( sqlite3_stricmp(zHex, zDigest) != 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "constitution: the ledger says the digest is %.80s, "
                          "but its script has %s: don't trust this answer",
                          zDigest, zHex);
  }
  return ledgerCellsText(pCells, 0, zHex, pErr);
}

static const LedgerRoute constitutionRoute = {
    .zWhat = "constitution", .zPath = "/app/governance/constitution"};

static const LedgerColumn aConstitutionColumn[] = {
    {"digest", "TEXT", 0, NULL, "SHA-256 of the script, hex, computed here"},
    {"script", "TEXT", 0, "script", "the script (JavaScript)"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableConstitution = {
    .zName = "ledger_constitution",
    .zDoc = "the script by which the ledger is governed",
    .aColumn = aConstitutionColumn,
    .pRoute = &constitutionRoute,
    .xItem = constitutionItem,
    .zCost = "1",
    .zExample = "SELECT digest, length(script) > 0 FROM ledger_constitution;",
    .zFails = "UPDATE ledger_constitution SET script = '';",
};
