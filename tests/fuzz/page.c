/*
** A fuzz target of pages of entries.
**
** Where client/api/page.c reads a page in place, the tree reads the same
** entries in it, and the same around them, or fails with the same words. All
** else it leaves to the tree anyway.
**
** libFuzzer: -max_len=1500
*/
#include "fuzz.h"

#include "client/api/apiInt.h"

static void pageSame(int bSame, const char *zWhat) {
  if( bSame ) return;
  fprintf(stderr, "fuzz: %s differ\n", zWhat);
  abort();
}

static int pageSameText(const char *zA, const char *zB) {
  return zA && zB ? strcmp(zA, zB) == 0 : zA == zB;
}

static void pageSameEntries(const LedgerEntryList *pA,
                            const LedgerEntryList *pB) {
  int i;
  pageSame(pA->nEntry == pB->nEntry, "numbers of entries");
  for( i = 0; i < pA->nEntry; i++ ) {
    const LedgerEntry *p = &pA->aEntry[i], *q = &pB->aEntry[i];
    pageSame(ledgerTxidCompare(p->id, q->id) == 0, "ids");
    pageSame(p->nContents == q->nContents &&
                 memcmp(p->zContents, q->zContents, p->nContents + 1) == 0,
             "contents");
    pageSame(pageSameText(p->zSubLedger, q->zSubLedger), "sub-ledgers");
    pageSame(pageSameText(p->zTags, q->zTags), "tags");
  }
}

/* The members of both pages but their entries. */
static void pageSameAround(LedgerJson *pA, LedgerJson *pB) {
  cJSON *p = ledgerJsonRoot(pA)->child, *q = ledgerJsonRoot(pB)->child;
  for( ; p && q; p = p->next, q = q->next ) {
    pageSame(strcmp(p->string, q->string) == 0, "names");
    if( strcmp(p->string, "entries") == 0 ) continue;
    pageSame(cJSON_Compare(p, q, 1), "members");
  }
  pageSame(p == NULL && q == NULL, "numbers of members");
}

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  const char *z = (const char *)aData;
  LedgerError place = LEDGER_ERROR_INIT, tree = LEDGER_ERROR_INIT;
  LedgerEntryList placeList = {0}, treeList = {0};
  LedgerJson *pPlace = NULL, *pTree = NULL;
  LedgerClient client;
  LedgerExchange exchange;
  LedgerCall call;
  cJSON *pArray;
  memset(&client, 0, sizeof(client));
  memset(&exchange, 0, sizeof(exchange));
  memset(&call, 0, sizeof(call));
  call.pClient = &client;
  call.zWhat = (char *)"range of entries";
  call.zPath = (char *)"/app/transactions";
  ledgerBufAppend(&exchange.body, z, nData);
  ledgerPageRead(&call, &exchange, &placeList, &pPlace, &place);
  if( placeList.zBody ) { /* it was read in place */
    pageSame(ledgerJsonParse(z, nData, "page", &pTree, &tree) == LEDGER_OK,
             "what is JSON");
    pArray = ledgerJsonMember(ledgerJsonRoot(pTree), "entries");
    pageSame(cJSON_IsArray(pArray), "lists");
    ledgerEntryListRead(&call, pTree, pArray->child, cJSON_GetArraySize(pArray),
                        &treeList, &tree);
    pageSame(place.rc == tree.rc, "errors");
    if( place.rc ) {
      pageSame(pageSameText(ledgerErrorText(&place), ledgerErrorText(&tree)),
               "words");
    } else {
      pageSameEntries(&placeList, &treeList);
      pageSameAround(pPlace, pTree);
    }
  }
  ledgerEntryListFree(&placeList);
  ledgerEntryListFree(&treeList);
  ledgerJsonFree(pPlace);
  ledgerJsonFree(pTree);
  ledgerErrorClear(&place);
  ledgerErrorClear(&tree);
  ledgerBufFree(&exchange.body);
  return 0;
}
