/*
** The names of the sub-ledgers, which newer API versions call collections:
**
**   GET /app/collections    ledgerCollectionsList
**
** Invariants
**   - the list is followed to its end; names come in the service's order,
**     each once.
*/
#include "client/api/apiInt.h"

#include <stdlib.h>
#include <string.h>

/* A page of names: LedgerCall.pAnswer. */
typedef struct CollectionsAnswer CollectionsAnswer;
struct CollectionsAnswer {
  char **azName; /* one block of memory */
  int nName;
  LedgerList list;
};

static void collectionsFree(LedgerCall *p) {
  CollectionsAnswer *pAnswer = p->pAnswer;
  free(pAnswer->azName);
  ledgerListClear(&pAnswer->list);
}

/* Reads {"collections":[{"collectionId"}],"nextLink"}, or the bare array of
** 2022-04-20-preview. The names go into one block: pointers, then texts. */
static int collectionsRead(LedgerCall *p, LedgerExchange *pEx,
                           LedgerError *pErr) {
  CollectionsAnswer *pAnswer = p->pAnswer;
  LedgerJson *pDoc = NULL;
  cJSON *pRoot, *pArray, *pItem;
  LedgerBuf texts = {0};
  const char *z;
  char *zOut;
  size_t n = 0;
  int i;

  pAnswer->list.nBody = pEx->body.n;
  if( ledgerResponseParse(p, pEx, "list of sub-ledgers", &pDoc, pErr) )
    goto out;
  pRoot = ledgerJsonRoot(pDoc);
  pArray =
      cJSON_IsArray(pRoot) ? pRoot : ledgerJsonMember(pRoot, "collections");
  if( !cJSON_IsArray(pArray) ) {
    ledgerResponseNonsense(p, "it has no list 'collections'", pErr);
    goto out;
  }
  for( pItem = pArray->child; pItem; pItem = pItem->next ) {
    z = ledgerEntrySubLedger(pDoc, pItem, &n);
    if( z == NULL || memchr(z, 0, n) ) {
      ledgerResponseNonsense(p, "a sub-ledger has no name", pErr);
      goto out;
    }
    ledgerBufAppend(&texts, z, n + 1);
    pAnswer->nName++;
  }
  free(pAnswer->azName);
  pAnswer->azName =
      malloc((size_t)pAnswer->nName * sizeof(char *) + texts.n + 1);
  if( pAnswer->azName == NULL || texts.bOom ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  zOut = (char *)(pAnswer->azName + pAnswer->nName);
  if( texts.n ) memcpy(zOut, texts.z, texts.n);
  for( i = 0; i < pAnswer->nName; i++ ) {
    pAnswer->azName[i] = zOut;
    zOut += strlen(zOut) + 1;
  }
  ledgerListNextRead(p, pDoc, pRoot, &pAnswer->list.zNext, pErr);
out:
  ledgerJsonFree(pDoc);
  ledgerBufFree(&texts);
  return pErr->rc;
}

static const LedgerCallKind listKind = {.zMethod = "GET",
                                        .bEntries = 1,
                                        .bFresh = 1,
                                        .nAnswer = sizeof(CollectionsAnswer),
                                        .xFree = collectionsFree,
                                        .xRead = collectionsRead};

/* By name, then by place in the list. */
static int collectionsCompare(const void *a, const void *b) {
  char **const *pA = a;
  char **const *pB = b;
  int c = strcmp(**pA, **pB);
  if( c == 0 ) c = *pA < *pB ? -1 : *pA > *pB;
  return c;
}

/* Copies n names without repeats, in their order, into one block. texts holds
** them one after the other, each with its NUL. */
static int collectionsUnique(const LedgerBuf *pTexts, int n, char ***pazName,
                             int *pnName, LedgerError *pErr) {
  char **az = malloc((size_t)n * sizeof(char *) + pTexts->n + 1);
  char ***apSort = calloc((size_t)n + 1, sizeof(char **));
  char *z;
  int i, nOut = 0;

  if( az == NULL || apSort == NULL ) {
    free(az);
    free(apSort);
    return ledgerErrorNomem(pErr);
  }
  z = (char *)(az + n);
  if( pTexts->n ) memcpy(z, pTexts->z, pTexts->n);
  for( i = 0; i < n; i++ ) {
    az[i] = z;
    apSort[i] = &az[i];
    z += strlen(z) + 1;
  }
  if( n > 1 ) {
    qsort(apSort, (size_t)n, sizeof(char **), collectionsCompare);
    for( i = n - 1; i > 0; i-- ) {
      if( strcmp(*apSort[i], *apSort[i - 1]) == 0 ) *apSort[i] = NULL;
    }
  }
  for( i = 0; i < n; i++ ) {
    if( az[i] ) az[nOut++] = az[i];
  }
  free(apSort);
  *pazName = az;
  *pnName = nOut;
  return LEDGER_OK;
}

/* The call of a page. */
static int collectionsCall(LedgerClient *p, LedgerCall **ppCall,
                           LedgerError *pErr) {
  if( ledgerCallNew(p, &listKind, ppCall, pErr) ) return pErr->rc;
  ledgerCallText(*ppCall, &(*ppCall)->zWhat, "list of sub-ledgers");
  ledgerCallText(*ppCall, &(*ppCall)->zPath, "/app/collections");
  (*ppCall)->mNeed = LEDGER_HAS_COLLECTIONS;
  return LEDGER_OK;
}

int ledgerCollectionsGet(LedgerClient *p, LedgerTxid floor, LedgerCall **ppCall,
                         LedgerError *pErr) {
  if( collectionsCall(p, ppCall, pErr) ) return pErr->rc;
  (*ppCall)->floor = floor;
  ledgerLoopStart(*ppCall);
  return LEDGER_OK;
}

int ledgerCollectionsResult(LedgerCall *pCall, char ***pazName, int *pnName,
                            LedgerTxid *pHead, LedgerError *pErr) {
  LedgerTxid none = {0, 0};
  LedgerClient *p = pCall->pClient;
  LedgerBuf texts = {0};
  LedgerCall *pNext = NULL;
  int n = 0, i;

  *pazName = NULL;
  *pnName = 0;
  *pHead = none;
  for( ;; ) {
    CollectionsAnswer *pAnswer = pCall->pAnswer;
    if( ledgerCallWait(pCall, pErr) ) goto out;
    if( pHead->seqno == 0 ) *pHead = pCall->head;
    for( i = 0; i < pAnswer->nName; i++ ) {
      ledgerBufAppend(&texts, pAnswer->azName[i],
                      strlen(pAnswer->azName[i]) + 1);
    }
    n += pAnswer->nName;
    if( pAnswer->list.zNext == NULL ) break;
    if( collectionsCall(p, &pNext, pErr) ||
        ledgerListFollow(pCall, &pAnswer->list, pNext,
                         &((CollectionsAnswer *)pNext->pAnswer)->list, pErr) ) {
      goto out;
    }
    ledgerCallFree(pCall);
    pCall = pNext;
    pNext = NULL;
    ledgerLoopStart(pCall);
  }
  if( texts.bOom )
    ledgerErrorNomem(pErr);
  else
    collectionsUnique(&texts, n, pazName, pnName, pErr);
out:
  ledgerCallFree(pNext);
  ledgerCallFree(pCall);
  ledgerBufFree(&texts);
  return pErr->rc;
}

int ledgerCollectionsList(LedgerClient *p, char ***pazName, int *pnName,
                          LedgerTxid *pHead, LedgerError *pErr) {
  static const LedgerTxid none = {0, 0};
  LedgerCall *pCall = NULL;
  *pazName = NULL;
  *pnName = 0;
  *pHead = none;
  if( ledgerCollectionsGet(p, none, &pCall, pErr) ) return pErr->rc;
  return ledgerCollectionsResult(pCall, pazName, pnName, pHead, pErr);
}
