/*
** A fuzz target of the answers of nodes about their enclaves: rows or an error.
**
** libFuzzer: -dict=answers.dict -detect_leaks=0 -max_len=4000
*/
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  wireAnswers(aData, nData, 0);
  wireOnce("SELECT *, ledger_quote_json(raw_quote) FROM ledger_enclave_quotes");
  return 0;
}
