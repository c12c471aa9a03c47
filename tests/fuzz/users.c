/*
** A fuzz target of what a ledger says of users: the list, and one of them. Rows
** or an error; wire.c says what else must hold.
**
** libFuzzer: -dict=answers.dict -detect_leaks=0 -max_len=1500
*/
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static const char *const azSql[] = {
      "SELECT * FROM ledger_users",
      "SELECT * FROM ledger_users WHERE user_id = " WIRE_USER,
      "INSERT INTO ledger_users(user_id, role) VALUES(" WIRE_USER
      ", 'Reader')"};
  const int i = fuzzByte(&aData, &nData) % 3;
  wireAnswers(aData, nData, 0);
  wireOnce(azSql[i]);
  return 0;
}
