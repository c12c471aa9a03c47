/*
** The table ledger_tags: the tags that entries of a sub-ledger carry.
**
**     SELECT sub_ledger, tag FROM ledger_tags;
**     SELECT tag FROM ledger_tags WHERE sub_ledger = 'payments';
**
** Requests: GET /app/collections/tags for each sub-ledger asked for; without a
** condition GET /app/collections first. API versions before 2026-02-23 have no
** list of tags.
*/
#include "sqlite/table/table.h"

#include <stdlib.h>
#include <string.h>

static const LedgerRoute tagsRoute = {.zWhat = "tags of",
                                      .zPath = "/app/collections/tags",
                                      .zParam = "collectionId",
                                      .mNeed = LEDGER_HAS_TAG_LIST};

/* The tags of one sub-ledger, followed to the end of their list. */
static int tagsReadOne(LedgerCells *pCells, Ledger *pLedger,
                       const char *zSubLedger, LedgerError *pErr) {
  const LedgerTxid any = {0, 0};
  LedgerCall *pCall = NULL, *pNext = NULL;
  int rc = ledgerRouteGet(pLedger->pClient, &tagsRoute, zSubLedger, any, &pCall,
                          pErr);
  while( rc == LEDGER_OK && pCall ) {
    LedgerJson *pDoc = NULL;
    cJSON *pItem = NULL;
    rc = ledgerCallWait(pCall, pErr);
    if( rc == LEDGER_OK ) rc = ledgerRouteResult(pCall, &pDoc, pErr);
    if( rc == LEDGER_OK ) rc = ledgerRouteNext(pCall, &pNext, pErr);
    if( pDoc ) pItem = ledgerJsonMember(ledgerJsonRoot(pDoc), "tags");
    if( rc == LEDGER_OK && pDoc && !cJSON_IsArray(pItem) ) {
      rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                          "ledger_tags: the ledger's answer makes no sense: it "
                          "has no list 'tags'");
    }
    for( pItem = pItem ? pItem->child : NULL; pItem && rc == LEDGER_OK;
         pItem = pItem->next ) {
      if( !cJSON_IsString(pItem) ) {
        rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                            "ledger_tags: the ledger's answer makes no sense: "
                            "a tag is not text");
        break;
      }
      rc = ledgerCellsTexts(pCells, &zSubLedger, 1, pErr);
      if( rc == LEDGER_OK ) rc = ledgerTableJson(pCells, 1, pDoc, pItem, pErr);
    }
    ledgerCallFree(pCall);
    pCall = pNext;
    pNext = NULL;
  }
  ledgerCallFree(pCall);
  return rc;
}

static int tagsRead(LedgerCells *pCells, LedgerConn *pConn, Ledger *pLedger,
                    int nKey, char **azKey, LedgerError *pErr) {
  char **azName = NULL;
  LedgerTxid head;
  int nName = nKey, bDefault = 0, i, rc = LEDGER_OK;
  (void)pConn;
  if( nKey < 0 ) {
    rc = ledgerCollectionsList(pLedger->pClient, &azName, &nName, &head, pErr);
    azKey = azName;
  }
  for( i = 0; i < nName && rc == LEDGER_OK; i++ ) {
    bDefault |= strcmp(azKey[i], LEDGER_DEFAULT_SUB_LEDGER) == 0;
    rc = tagsReadOne(pCells, pLedger, azKey[i], pErr);
  }
  /* The default sub-ledger counts, listed or not. */
  if( rc == LEDGER_OK && nKey < 0 && !bDefault ) {
    rc = tagsReadOne(pCells, pLedger, LEDGER_DEFAULT_SUB_LEDGER, pErr);
  }
  free(azName);
  return rc;
}

static const LedgerColumn aTagsColumn[] = {
    {"sub_ledger", "TEXT", 0, NULL, "the sub-ledger"},
    {"tag", "TEXT", 0, NULL, "a tag that an entry in it carries"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableTags = {
    .zName = "ledger_tags",
    .zDoc = "the tags that entries of a sub-ledger carry",
    .aColumn = aTagsColumn,
    .zKey = "sub_ledger",
    .xRead = tagsRead,
    .bAnswers = 1,
    .zRequest = "GET /app/collections/tags",
    .zSince = "2026-02-23",
    .zCost = "1 per page of a sub-ledger's list; without sub_ledger "
             "the list of sub-ledgers before",
    .zExample = "SELECT sub_ledger, tag FROM ledger_tags;",
    .zFails = "INSERT INTO ledger_tags VALUES('payments', 'late');",
};
