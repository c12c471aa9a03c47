/*
** A fuzz target of pages of entries.
**
** Where client/api/page.c reads a page in place, the tree reads the same
** entries in it, and the same around them, or fails with the same words. All
** else it leaves to the tree anyway.
**
** libFuzzer: -dict=answers.dict -max_len=1500
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

/* Two values, each of its tree. Their texts are asked for: what stands in a
** tree for a NUL depends on the text around it. zBut: a member that is not
** looked into. */
static void pageSameValue(LedgerJson *pA, cJSON *p, LedgerJson *pB, cJSON *q,
                          const char *zBut) {
  size_t nA, nB;
  const char *zA = ledgerJsonText(pA, p, &nA), *zB = ledgerJsonText(pB, q, &nB);
  pageSame(p->type == q->type, "kinds of values");
  if( zA ) pageSame(nA == nB && memcmp(zA, zB, nA) == 0, "texts");
  if( cJSON_IsNumber(p) ) pageSame(cJSON_Compare(p, q, 1), "numbers");
  for( p = p->child, q = q->child; p && q; p = p->next, q = q->next ) {
    pageSame(pageSameText(p->string, q->string), "names");
    if( zBut && p->string && strcmp(p->string, zBut) == 0 ) continue;
    pageSameValue(pA, p, pB, q, NULL);
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
      pageSameValue(pPlace, ledgerJsonRoot(pPlace), pTree,
                    ledgerJsonRoot(pTree), "entries");
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
