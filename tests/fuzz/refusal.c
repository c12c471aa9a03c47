/*
** A fuzz target of bodies of errors, whatever their status: of a read, an
** append, a change, a list. Each is answered with the same again and again, and
** no write is done that nobody has said yes to.
**
** libFuzzer: -dict=answers.dict -detect_leaks=0 -max_len=1200
*/
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static const int aHttp[] = {400, 401, 403, 404, 405, 408, 409, 412,
                              413, 415, 429, 431, 500, 502, 503, 504};
  static const char zNew[] =
      "INSERT INTO ledger_users(user_id, role) VALUES(" WIRE_USER ", 'Reader')";
  static const char *const azSql[] = {
      "SELECT * FROM ledger_entries WHERE transaction_id = '2.15'",
      "SELECT * FROM ledger_entries",
      "SELECT ledger_append('x', 'pay')",
      zNew,
      "SELECT * FROM ledger_sub_ledgers",
      "SELECT * FROM ledger_constitution",
      "SELECT ledger_receipt('2.15')"};
  const size_t n = sizeof(azSql) / sizeof(azSql[0]);
  const int iHttp = aHttp[fuzzByte(&aData, &nData) % 16];
  const size_t i = (size_t)fuzzByte(&aData, &nData) % n;
  LedgerBuf answer = {0};
  sqlite3 *db = wireOpen(NULL);
  int rc;
  ledgerBufPrintf(&answer, "HTTP/1.1 %d No\r\n\r\n", iHttp);
  ledgerBufAppend(&answer, aData, nData);
  wireAnswers(answer.z, answer.n, 1);
  rc = wireRun(db, azSql[i], NULL);
  fuzzCheck(i < 2 || i > 3 || rc != SQLITE_OK, "a refused write was done");
  wireClose(db);
  ledgerBufFree(&answer);
  return 0;
}
