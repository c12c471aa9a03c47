/*
** Appending an entry:
**
**   POST /app/transactions    ledgerAppendStart
**
** Invariants
**   - the id is in the header x-ms-ccf-transaction-id only, and what can't be
**     its id is none (ledgerResponseWritten);
**   - a 202 is a gateway's: gateway.c asks for its end;
**   - which failures are sent again, and which leave the outcome unknown, is
**     decided in call/retry.c.
*/
#include "client/api/apiInt.h"

#include <string.h>

/*
** The sub-ledger that the answer names, held against the one that was asked
** for: CCF decodes a query before it splits it, so that "x&y" may have arrived
** as "x". The entry is then recorded, under its id, but elsewhere.
*/
static int appendPlace(LedgerCall *p, LedgerJson *pDoc, LedgerError *pErr) {
  LedgerAppendAnswer *pAnswer = p->pAnswer;
  const char *zAsked = p->query.zSubLedger;
  char zPlace[LEDGER_PLACE_MAX], zId[LEDGER_TXID_MAX], zName[264];
  const char *z;
  size_t n, i;

  z = ledgerEntrySubLedger(pDoc, ledgerJsonRoot(pDoc), &n);
  if( zAsked == NULL ) zAsked = LEDGER_DEFAULT_SUB_LEDGER;
  if( z == NULL ||
      (n == strlen(zAsked) && (n == 0 || memcmp(z, zAsked, n) == 0)) ) {
    return LEDGER_OK;
  }
  pAnswer->zOtherSubLedger = ledgerStrndup(z, n);
  if( pAnswer->zOtherSubLedger == NULL ) return ledgerErrorNomem(pErr);
  for( i = 0; i < n; i++ ) { /* no name has a NUL */
    if( pAnswer->zOtherSubLedger[i] == 0 ) pAnswer->zOtherSubLedger[i] = '?';
  }
  ledgerCallHide(p, pAnswer->zOtherSubLedger);
  ledgerResponsePlace(p, zPlace);
  ledgerTextClean(z, n, zName, sizeof(zName));
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s: the ledger recorded %s in sub-ledger '%s', but "
                        "'%s' was asked for (%s)",
                        p->zWhat, ledgerTxidFormat(p->id, zId), zName, zAsked,
                        zPlace);
}

/* Reads the body, where there is one: {"collectionId":...}, and with
** waitForCommit {"state":"Committed","receipt":...} too. What it doesn't say is
** asked for afterwards. */
static int appendReadBody(LedgerCall *p, LedgerExchange *pEx,
                          LedgerError *pErr) {
  LedgerAppendAnswer *pAnswer = p->pAnswer;
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  const char *z;
  if( ledgerResponseParse(p, pEx, "append", &pDoc, &err) == LEDGER_OK ) {
    z = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "state", NULL);
    if( p->query.bWait && z && strcmp(z, "Committed") == 0 ) {
      pAnswer->bCommitted = 1;
      ledgerKnownCommitted(p->pClient, p->id);
    }
    appendPlace(p, pDoc, pErr);
  }
  ledgerJsonFree(pDoc);
  ledgerErrorClear(&err);
  return pErr->rc;
}

static int appendRead(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr) {
  if( p->http == 202 ) return ledgerGatewayQueued(p, pEx, pErr);
  if( ledgerResponseWritten(p, pEx, p->head, pErr) ) return pErr->rc;
  return appendReadBody(p, pEx, pErr);
}

static const LedgerCallKind appendKind = {.zMethod = "POST",
                                          .bOnce = 1,
                                          .nAnswer = sizeof(LedgerAppendAnswer),
                                          .xFree = ledgerAppendFree,
                                          .xRead = appendRead};

int ledgerAppendStart(LedgerClient *p, const LedgerAppend *pAppend,
                      LedgerCall **ppCall, LedgerError *pErr) {
  LedgerCall *pCall;

  if( ledgerCallNew(p, &appendKind, ppCall, pErr) ) return pErr->rc;
  pCall = *ppCall;
  ledgerCallText(pCall, &pCall->zWhat, "append");
  ledgerCallText(pCall, &pCall->zPath, "/app/transactions");
  pCall->zType = "application/json";
  ledgerBufText(&pCall->body, "{\"contents\":");
  ledgerBufJson(&pCall->body, pAppend->zContents, pAppend->nContents);
  if( pAppend->zHooks ) {
    ledgerBufPrintf(&pCall->body, ",%s", pAppend->zHooks);
    pCall->mNeed |= LEDGER_HAS_PROGRAMS;
  }
  ledgerBufText(&pCall->body, "}");
  pCall->query.bWait = pAppend->bWait;
  ledgerCallText(pCall, &pCall->query.zSubLedger, pAppend->zSubLedger);
  ledgerCallText(pCall, &pCall->query.zTags, pAppend->zTags);
  if( pAppend->zTags ) pCall->mNeed |= LEDGER_HAS_TAGS;
  ledgerLoopStart(pCall);
  return LEDGER_OK;
}

int ledgerAppendCheck(const LedgerClient *p, const LedgerAppend *pAppend,
                      LedgerError *pErr) {
  return ledgerKnownNeeds(p,
                          (pAppend->zTags ? LEDGER_HAS_TAGS : 0) |
                              (pAppend->zHooks ? LEDGER_HAS_PROGRAMS : 0),
                          pErr);
}
