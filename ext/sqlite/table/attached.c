/*
** The table ledger_attached: the ledgers of this connection. It makes no
** request, so that what only an answer tells (api_version, principal,
** key_sha256) is NULL until there was one. No secret stands here.
**
**     SELECT name, url, principal FROM ledger_attached;
*/
#include "sqlite/table/table.h"

static int attachedRead(LedgerCells *pCells, LedgerConn *pConn, Ledger *pLedger,
                        int nKey, char **azKey, LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  int i, rc = LEDGER_OK;
  (void)pLedger;
  (void)nKey;
  (void)azKey;
  ledgerConnReady(pConn, 1, &err); /* nothing attached: no rows, no error */
  ledgerErrorClear(&err);
  for( i = 0; i < pConn->nLedger && rc == LEDGER_OK; i++ ) {
    LedgerFacts facts;
    const LedgerConfig *pConfig =
        ledgerClientConfig(pConn->apLedger[i]->pClient);
    const char *azCell[7];
    ledgerClientFacts(pConn->apLedger[i]->pClient, &facts);
    azCell[0] = pConn->apLedger[i]->zName;
    azCell[1] = pConfig->zUrl;
    azCell[2] = pConfig->zLedgerId;
    azCell[3] = facts.zApiVersion;
    azCell[4] = facts.zCredential ? facts.zCredential : pConfig->zCredential;
    azCell[5] = facts.zPrincipal;
    azCell[6] = facts.zKeySha256;
    rc = ledgerCellsTexts(pCells, azCell, 7, pErr);
  }
  return rc;
}

static const LedgerColumn aAttachedColumn[] = {
    {"name", "TEXT", 0, NULL, "the name in SQL"},
    {"url", "TEXT", 0, NULL, "where requests go"},
    {"ledger_id", "TEXT", 0, NULL, "the id at the identity service"},
    {"api_version", "TEXT", 0, NULL, "in use; NULL before the first answer"},
    {"credential", "TEXT", 0, NULL, "kind of the credential in use"},
    {"principal", "TEXT", 0, NULL, "whom the ledger sees, where it is known"},
    {"key_sha256", "TEXT", 0, NULL, "fingerprint of the service key"},
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableAttached = {
    .zName = "ledger_attached",
    .zDoc = "the ledgers of this connection; no secret",
    .aColumn = aAttachedColumn,
    .zRequest = "none",
    .xRead = attachedRead,
    .zCost = "none",
    .zExample = "SELECT ledger_attach('my-ledger', 'work',\n"
                "  '{\"credential\":\"azure_cli\"}');\n"
                "SELECT name, url, credential FROM ledger_attached;",
    .zFails =
        "INSERT INTO ledger_attached(name, url) VALUES('work', 'my-ledger');",
};
