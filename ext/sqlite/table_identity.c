/*
** The table ledger_identity: whose ledger this is, and how that is known.
**
**     SELECT ledger_id, key_sha256, not_after, source FROM ledger_identity;
**
** Requests: GET {identity_url}/ledgerIdentity/{ledger_id}, once per attached
** ledger; none where the service certificate is pinned.
*/
#include "ledgerInt.h"

static int identityRead(LedgerTableRows *pRows, LedgerDb *pDb, Ledger *pLedger,
                        int nKey, char **azKey, LedgerError *pErr) {
  LedgerFacts facts;
  const char *azCell[7];
  int rc;
  (void)pDb;
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
  return ledgerTableTexts(pRows, azCell, 7, pErr);
}

const LedgerTableSpec ledgerTableIdentity = {
    .zName = "ledger_identity",
    .zSchema = "CREATE TABLE x(ledger_id TEXT, certificate TEXT, key_sha256 "
               "TEXT, not_before TEXT, not_after TEXT, source TEXT, "
               "identity_url TEXT, ledger TEXT HIDDEN)",
    .nColumn = 8,
    .iLedger = 7,
    .iKey = -1,
    .xRead = identityRead,
};
