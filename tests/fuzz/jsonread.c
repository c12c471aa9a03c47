/*
** A fuzz target of reading JSON in place.
**
** Whatever the input is, there is no fault of memory, and what is read agrees
** with cJSON.
**
** libFuzzer: -dict=answers.dict -max_len=4000
*/
#include "fuzz.h"
#include "jsonread.h"

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  int bRead = 0;
  const char *zWrong = jsonReadDiffers((const char *)aData, nData, &bRead);
  fuzzCheck(zWrong == NULL, zWrong);
  return 0;
}
