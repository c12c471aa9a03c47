/*
** The report of a verification as JSON.
**
**   {"valid":true,"code":"ok","transaction_id":"2.13","content":"bound",
**    "node_id":...,"anchor":{"key_sha256":"sha256:...","source":"argument",
**    "endorsements":0},"cert_not_before":...,"cert_not_after":...,
**    "checks":[{"name":"shape","outcome":"passed"},...],"failed":null,
**    "reason":null,"not_shown":["who appended it","when",...]}
**
** What is not known is null. not_shown is what even a valid receipt leaves
** open: of an invalid one it is null, for that shows nothing.
*/
#include "receipt/receiptInt.h"

#include <stdlib.h>
#include <string.h>

const char *ledgerReceiptContentName(int eContent) {
  switch( eContent ) {
    case LEDGER_CONTENT_UNBOUND: return "unbound";
    case LEDGER_CONTENT_RECORDED: return "recorded";
    case LEDGER_CONTENT_BOUND: return "bound";
    default: return NULL;
  }
}

void ledgerReceiptReportClear(LedgerReceiptReport *p) {
  free(p->zReason);
  memset(p, 0, sizeof(*p));
}

/* Appends "name":"text", or null for an unknown text, and what follows. */
static void reportText(LedgerBuf *pBuf, const char *zName, const char *z,
                       const char *zTail) {
  ledgerBufPrintf(pBuf, "\"%s\":", zName);
  if( z && z[0] ) {
    ledgerBufJson(pBuf, z, strlen(z));
  } else {
    ledgerBufText(pBuf, "null");
  }
  ledgerBufText(pBuf, zTail);
}

void ledgerReceiptReportJson(const LedgerReceiptReport *p, LedgerBuf *pBuf) {
  static const char *const azOutcome[] = {"skipped", "passed", "failed"};
  char zId[LEDGER_TXID_MAX] = "";
  int i;
  if( p->id.seqno ) ledgerTxidFormat(p->id, zId);
  ledgerBufPrintf(pBuf, "{\"valid\":%s,", p->bValid ? "true" : "false");
  reportText(pBuf, "code", p->zCode, ",");
  reportText(pBuf, "transaction_id", zId, ",");
  reportText(pBuf, "content", ledgerReceiptContentName(p->eContent), ",");
  reportText(pBuf, "node_id", p->zNodeId, ",\"anchor\":{");
  reportText(pBuf, "key_sha256", p->zKey, ",");
  reportText(pBuf, "source", p->zSource, ",");
  ledgerBufPrintf(pBuf, "\"endorsements\":%d},", p->nEndorsement);
  reportText(pBuf, "cert_not_before", p->zNotBefore, ",");
  reportText(pBuf, "cert_not_after", p->zNotAfter, ",\"checks\":[");
  for( i = 0; i < p->nCheck; i++ ) {
    ledgerBufText(pBuf, i ? ",{" : "{");
    reportText(pBuf, "name", p->aCheck[i].zName, ",");
    reportText(pBuf, "outcome", azOutcome[p->aCheck[i].eOutcome], "}");
  }
  ledgerBufText(pBuf, "],");
  reportText(pBuf, "failed", p->zFailed, ",");
  reportText(pBuf, "reason", p->zReason, ",\"not_shown\":");
  if( !p->bValid ) {
    ledgerBufText(pBuf, "null}");
    return;
  }
  ledgerBufPrintf(pBuf,
                  "[%s\"who appended it\",\"when\",\"that no entry is "
                  "missing\",\"its tags\",\"that the enclave is genuine\"]}",
                  p->eContent == LEDGER_CONTENT_BOUND ? ""
                                                      : "\"what it says\",");
}
