/*
** A fuzz target of next links: of pages of entries and of lists, one after the
** other with a NUL between them. A list ends, or fails.
**
** libFuzzer: -detect_leaks=0 -max_len=1000
*/
#include "wire.h"

#define LINKS_PAGES 20

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static const struct {
    const char *zSql, *zItem;
  } a[] = {
      {"SELECT * FROM ledger_entries WHERE sub_ledger = 'pay'",
       "\"state\":\"Ready\",\"entries\":[{\"contents\":\"x\",\"collectionId\":"
       "\"pay\",\"transactionId\":\"2.%d\"}]"},
      {"SELECT * FROM ledger_sub_ledgers",
       "\"collections\":[{\"collectionId\":\"c%d\"}]"},
      {"SELECT * FROM ledger_users",
       "\"ledgerUsers\":[{\"userId\":\"5f1ab5a1-1f2c-4b3a-9a2e-0c1d2e3f4a%02d\""
       ",\"assignedRoles\":[\"Reader\"]}]"}};
  const int i = fuzzByte(&aData, &nData) % 3;
  const char *zName = fuzzByte(&aData, &nData) % 2 ? "nextLink" : "@nextLink";
  LedgerBuf all = {0};
  int iPage;
  for( iPage = 0; iPage < LINKS_PAGES; iPage++ ) {
    size_t n = 0;
    char *z = fuzzText(&aData, &nData, &n);
    char *zItem = sqlite3_mprintf(a[i].zItem, 10 + iPage);
    if( iPage ) ledgerBufAppend(&all, "", 1);
    ledgerBufPrintf(&all, "{%s", zItem);
    if( z && n ) {
      ledgerBufPrintf(&all, ",\"%s\":", zName);
      ledgerBufJson(&all, z, n);
    }
    ledgerBufText(&all, "}");
    sqlite3_free(zItem);
    free(z);
    if( nData == 0 ) break;
  }
  wireAnswers(all.z, all.n, 1);
  wireOnce(a[i].zSql);
  ledgerBufFree(&all);
  return 0;
}
