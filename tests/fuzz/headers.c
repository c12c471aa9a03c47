/*
** A fuzz target of an answer's headers, Location among them: a status of those
** that lead elsewhere or carry a state, lines of headers, and behind a NUL the
** next answer as it is. wire.c sees where requests go.
**
** libFuzzer: -detect_leaks=0 -max_len=1500
*/
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static const int aHttp[] = {200, 201, 204, 301, 302, 307, 308, 401,
                              429, 503, 500, 100, 202, 404, 303, 206};
  static const char zDelete[] =
      "DELETE FROM ledger_users WHERE user_id = " WIRE_USER;
  static const char *const azSql[] = {
      "SELECT * FROM ledger_entries WHERE transaction_id = '2.15'",
      "SELECT * FROM ledger_entries WHERE sub_ledger = 'pay'",
      "SELECT ledger_append('x', 'pay')",
      "INSERT INTO ledger_entries(contents) VALUES('x'), ('y')",
      zDelete,
      "SELECT ledger_ping()"};
  const size_t n = sizeof(azSql) / sizeof(azSql[0]);
  const int iHttp = aHttp[fuzzByte(&aData, &nData) % 16];
  const size_t i = (size_t)fuzzByte(&aData, &nData) % n;
  LedgerBuf answer = {0};
  ledgerBufPrintf(&answer, "HTTP/1.1 %d Some\r\n", iHttp);
  ledgerBufAppend(&answer, aData, nData);
  wireAnswers(answer.z, answer.n, 0);
  wireOnce(azSql[i]);
  ledgerBufFree(&answer);
  return 0;
}
