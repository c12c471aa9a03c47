/*
** What SQL gives to functions and tables, read.
**
** Invariant: a value of the wrong kind is an error that says what is wanted.
*/
#include "sqlite/conn/conn.h"

#include <string.h>

int ledgerValueTxid(sqlite3_value *pVal, LedgerTxid *pId, LedgerError *pErr) {
  int eType = sqlite3_value_type(pVal);
  const char *z = (const char *)sqlite3_value_text(pVal);
  if( eType == SQLITE_INTEGER || eType == SQLITE_FLOAT ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "transaction_id is text: write '2.10' in quotes (the "
                          "number has arrived as %s)",
                          z ? z : "?");
  }
  if( z == NULL || eType != SQLITE_TEXT ||
      !ledgerTxidParse(z, (size_t)sqlite3_value_bytes(pVal), pId) ) {
    return ledgerErrorSet(
        pErr, LEDGER_CONSTRAINT,
        "'%.60s' is not a transaction id: expected view.seqno, "
        "like '2.15'",
        z && eType == SQLITE_TEXT ? z : "");
  }
  return LEDGER_OK;
}

int ledgerValueTxidCollate(void *pArg, int n1, const void *z1, int n2,
                           const void *z2) {
  LedgerTxid id1, id2;
  int b1 = ledgerTxidParse(z1, (size_t)n1, &id1);
  int b2 = ledgerTxidParse(z2, (size_t)n2, &id2);
  int iCmp;
  (void)pArg;
  if( b1 && b2 ) return ledgerTxidCompare(id1, id2);
  if( b1 || b2 ) return b1 ? -1 : 1;
  iCmp = memcmp(z1, z2, (size_t)(n1 < n2 ? n1 : n2));
  return iCmp ? iCmp : n1 - n2;
}

int ledgerValueOptions(sqlite3_value *pVal, LedgerJson **ppDoc,
                       LedgerError *pErr) {
  const char *z = (const char *)sqlite3_value_text(pVal);
  *ppDoc = NULL;
  if( z == NULL ) return LEDGER_OK;
  if( ledgerJsonParse(z, (size_t)sqlite3_value_bytes(pVal), "options", ppDoc,
                      pErr) == LEDGER_OK &&
      !cJSON_IsObject(ledgerJsonRoot(*ppDoc)) ) {
    ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "options: expected a JSON object");
  }
  return pErr->rc;
}
