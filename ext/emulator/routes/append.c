/*
** Appending an entry.
**
**   POST /app/transactions                       emuRouteAppend
**
** An append with hooks comes here twice: it is checked, the hooks run, and it
** is checked again (a limit may be reached by then) and done. An append with
** waitForCommit is answered once it is committed, with its receipt.
**
** Invariant: a refused append changes nothing; every limit is checked first.
*/
#include "emulator/routes/routesInt.h"

#include <string.h>

#define APPEND_MAX_CONTENTS 8192
#define APPEND_MAX_NAME 256
#define APPEND_MAX_COLLECTIONS 5000
#define APPEND_MAX_TAGS 5
#define APPEND_MAX_TAG_PAIRS 10000

/* Writes the tags of the request as "a,b", without repeats. Returns 0 after
** answering 400. */
static int appendTags(EmuReq *p, LedgerBuf *pTags) {
  const EmuText *pText = emuReqParam(p, "tags");
  const char *z, *zEnd;
  int nTag = 0;
  if( !(p->pVersion->flags & EMU_V_TAGS) || pText == NULL ) return 1;
  if( !ledgerUtf8Valid(pText->z, pText->n) ) {
    emuReqError(p, 400, "InvalidInput",
                "The parameter 'tags' is not valid UTF-8.");
    return 0;
  }
  z = pText->z;
  zEnd = z + pText->n;
  while( z <= zEnd && pText->n ) {
    const char *zComma = memchr(z, ',', (size_t)(zEnd - z));
    size_t n = (size_t)((zComma ? zComma : zEnd) - z);
    if( n == 0 || memchr(z, 0, n) ) {
      emuReqError(p, 400, "InvalidInput", "A tag is empty or holds a NUL.");
      return 0;
    }
    if( pTags->n == 0 || !emuListed(pTags->z, ',', z, n) ) {
      nTag++;
      if( pTags->n ) ledgerBufAppend(pTags, ",", 1);
      ledgerBufAppend(pTags, z, n);
    }
    z += n + 1;
  }
  if( nTag > APPEND_MAX_TAGS ) {
    emuReqError(p, 400, "InvalidInput",
                "%d tags exceed the limit of %d tags per transaction.", nTag,
                APPEND_MAX_TAGS);
    return 0;
  }
  return 1;
}

/* Checks the limit of pairs of tag and collection. */
static int appendTagRoom(EmuReq *p, int64_t iCollection, const LedgerBuf *pTags,
                         LedgerError *pErr) {
  const char *z = pTags->z;
  int64_t nPair = 0;
  int bKnown = 1, nNew = 0, rc = LEDGER_OK;
  while( rc == LEDGER_OK && z && *z ) {
    size_t n = strcspn(z, ",");
    rc = emuStoreTagKnown(p->pEmu->pStore, iCollection, z, n, &bKnown, pErr);
    nNew += !bKnown;
    z += n + (z[n] == ',');
  }
  if( rc == LEDGER_OK && nNew ) {
    rc = emuStoreTagCount(p->pEmu->pStore, &nPair, pErr);
    if( rc == LEDGER_OK && nPair + nNew > APPEND_MAX_TAG_PAIRS ) {
      emuReqError(p, 400, "TagCapacityExceeded",
                  "%lld pairs of tag and collection exceed the limit of %d.",
                  (long long)(nPair + nNew), APPEND_MAX_TAG_PAIRS);
    }
  }
  return rc;
}

/* Checks the documented limits. On LEDGER_OK the answer is either none or the
** refusal. */
static int appendLimits(EmuReq *p, const EmuText *pCollection,
                        int64_t iCollection, size_t nContents,
                        const LedgerBuf *pTags, LedgerError *pErr) {
  int64_t n;
  int rc;
  if( nContents > APPEND_MAX_CONTENTS ) {
    emuReqError(p, 400, "EntrySizeCapacityExceeded",
                "Entry contents of %lld bytes exceed the limit of %d bytes.",
                (long long)nContents, APPEND_MAX_CONTENTS);
    return LEDGER_OK;
  }
  if( iCollection == 0 && pCollection->n > APPEND_MAX_NAME ) {
    emuReqError(p, 400, "CollectionIdTooLong",
                "Collection id of %lld bytes exceeds the limit of %d bytes.",
                (long long)pCollection->n, APPEND_MAX_NAME);
    return LEDGER_OK;
  }
  if( iCollection == 0 &&
      !emuIs(pCollection->z, pCollection->n, EMU_DEFAULT_COLLECTION) ) {
    rc = emuStoreCollectionCount(p->pEmu->pStore, &n, pErr);
    if( rc ) return rc;
    if( n >= APPEND_MAX_COLLECTIONS ) {
      emuReqError(p, 400, "CollectionCapacityExceeded",
                  "%lld collections exceed the limit of %d collections.",
                  (long long)(n + 1), APPEND_MAX_COLLECTIONS);
      return LEDGER_OK;
    }
  }
  return appendTagRoom(p, iCollection, pTags, pErr);
}

/* What a write waited for has come: its commit, or its end. */
static void appendDone(void *pArg, int bLost) {
  EmuReq *p = pArg;
  if( bLost ) {
    emuReqError(p, 503, "TransactionRolledBack",
                "The transaction could not be committed and was rolled back, "
                "please retry.");
  } else {
    emuReceiptInline(p);
  }
  emuReqSend(p);
}

void emuRouteAppend(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  LedgerBuf tags = {0};
  EmuText collection;
  EmuTxn txn = {0};
  const EmuText *pWait;
  int64_t iCollection;
  int bWait;

  if( !emuReqJson(p, "application/json", "text/json", &pDoc) ) goto out;
  txn.zContents = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "contents",
                                       &txn.nContents);
  if( txn.zContents == NULL ) {
    emuReqError(
        p, 400, "InvalidInput", "At #/contents: Expected string, found: %s",
        ledgerJsonMember(ledgerJsonRoot(pDoc), "contents") ? "another type"
                                                           : "nothing");
    goto out;
  }
  if( !emuRouteCollection(p, &collection, &iCollection) ||
      !appendTags(p, &tags) ) {
    goto out;
  }
  if( tags.bOom ||
      appendLimits(p, &collection, iCollection, txn.nContents, &tags, &err) ) {
    ledgerErrorNomem(&err);
    emuReqFail(p, &err);
    goto out;
  }
  if( p->iStatus ) goto out;
  if( (p->pVersion->flags & EMU_V_PROGRAMS) && !p->bHooked &&
      emuHooks(p, pDoc, emuRouteAppend) ) {
    goto out;
  }

  txn.eKind = EMU_ENTRY;
  txn.bClaims = p->pEmu->args.bClaims;
  txn.zCollection = collection.z;
  txn.nCollection = collection.n;
  txn.zTags = tags.n ? tags.z : NULL;
  txn.nTags = tags.n;
  if( emuReqToGateway(p) ) {
    emuGatewayQueue(p, &txn);
    goto out;
  }
  if( emuLedgerAppend(p->pEmu, &txn, &p->id, &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  pWait = emuReqParam(p, "waitForCommit");
  bWait = (p->pVersion->flags & EMU_V_WAIT) && pWait && pWait->n == 4 &&
          ledgerStrnicmp(pWait->z, "true", 4) == 0;
  p->iStatus = 200;
  ledgerBufPrintf(&p->body, "{\"%s\":",
                  p->pVersion->flags & EMU_V_SUBLEDGER ? "subLedgerId"
                                                       : "collectionId");
  ledgerBufJson(&p->body, collection.z, collection.n);
  if( bWait ) {
    p->zState = "Committed";
    p->bWaiting = 1;
    p->waiter.xDone = appendDone;
    p->waiter.pArg = p;
    emuLedgerWait(p->pEmu, &p->waiter);
  } else {
    if( p->pVersion->flags & EMU_V_WAIT ) {
      ledgerBufText(&p->body, ",\"state\":\"Pending\"");
    }
    ledgerBufText(&p->body, "}");
  }

out:
  ledgerErrorClear(&err);
  ledgerBufFree(&tags);
  ledgerJsonFree(pDoc);
}
