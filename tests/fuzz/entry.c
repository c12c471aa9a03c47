/*
** A fuzz target of what a ledger says of one entry: by its id, the current one,
** its receipt, its state. Rows or an error; a row is of the id asked for.
**
** libFuzzer: -dict=answers.dict -detect_leaks=0 -max_len=3000
*/
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static const char *const azSql[] = {
      "SELECT * FROM ledger_entries WHERE transaction_id = '2.15'",
      "SELECT ledger_entry('2.15', 'pay')",
      "SELECT ledger_current('pay')",
      "SELECT ledger_receipt('2.15')",
      "SELECT * FROM ledger_receipts WHERE transaction_id = '2.15'",
      "SELECT * FROM ledger_transactions WHERE transaction_id = '2.15'",
      "SELECT * FROM ledger_audit WHERE transaction_id = '2.15'"};
  const size_t n = sizeof(azSql) / sizeof(azSql[0]);
  const size_t i = (size_t)fuzzByte(&aData, &nData) % n;
  sqlite3 *db = wireOpen(NULL);
  int nRow = 0;
  wireAnswers(aData, nData, 1);
  wireRun(db, azSql[i], &nRow);
  fuzzCheck(nRow <= 1, "one id, and several rows");
  wireClose(db);
  return 0;
}
