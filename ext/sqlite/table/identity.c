/*
** The table ledger_identity: whose ledger this is, and how that is known.
**
**     SELECT ledger_id, key_sha256, not_after, source FROM ledger_identity;
**
** Requests: GET {identity_url}/ledgerIdentity/{ledger_id}, once per attached
** ledger; none where the service certificate is pinned.
*/
#include "sqlite/table/table.h"

static int identityRead(LedgerCells *pCells, LedgerConn *pConn, Ledger *pLedger,
                        int nKey, char **azKey, LedgerError *pErr) {
  LedgerFacts facts;
  const char *azCell[7];
  int rc;
  (void)pConn;
  (void)nKey;
  (void)azKey;
  rc = ledgerClientConnect(pLedger->pClient, pErr);
  if( rc ) return rc;
  ledgerClientFacts(pLedger->pClient, &facts);
  azCell[0] = ledgerClientConfig(pLedger->pClient)->zLedgerId;
  azCell[1] = facts.zCertificate;
  azCell[2] = facts.zKeySha256;
  azCell[3] = facts.zNotBefore;
  azCell[4] = facts.zNotAfter;
  azCell[5] = facts.zSource;
  azCell[6] = facts.zIdentityUrl;
  return ledgerCellsTexts(pCells, azCell, 7, pErr);
}

static const LedgerColumn aIdentityColumn[] = {
    {"ledger_id", "TEXT", 0, NULL, "the id at the identity service"},
    {"certificate", "TEXT", 0, NULL, "the service certificate, PEM"},
    {"key_sha256", "TEXT", 0, NULL, "sha256: of its public key (SPKI)"},
    {"not_before", "TEXT", 0, NULL, "its dates, YYYY-MM-DDTHH:MM:SSZ"},
    {"not_after", "TEXT", 0, NULL, "its dates, YYYY-MM-DDTHH:MM:SSZ"},
    {"source", "TEXT", 0, NULL, "pinned, or identity_service"},
    {"identity_url", "TEXT", 0, NULL, "who told it; NULL where it is pinned"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableIdentity = {
    .zName = "ledger_identity",
    .zDoc = "whose ledger it is, and how that is known",
    .aColumn = aIdentityColumn,
    .zRequest = "GET {identity_url}/ledgerIdentity/{ledger_id}",
    .bAnswers = 1,
    .xRead = identityRead,
    .zCost = "1 to the identity service, once per attached ledger; none "
             "where the service certificate is pinned",
    .zExample = "SELECT ledger_id, key_sha256, source FROM ledger_identity;",
    .zFails = "SELECT ledger_id FROM ledger_identity('pay');",
};
