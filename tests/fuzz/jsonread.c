/*
** A fuzz target of reading JSON in place, for libFuzzer: `make fuzz`.
**
** Whatever the input is, there is no fault of memory, and what is read agrees
** with cJSON.
*/
#include "jsonread.h"

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData);

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  int bRead = 0;
  const char *zWrong = jsonReadDiffers((const char *)aData, nData, &bRead);
  if( zWrong ) {
    fprintf(stderr, "fuzz: %s\n", zWrong);
    abort();
  }
  return 0;
}
