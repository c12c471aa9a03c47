/*
** One entry: append it, read it, its state.
**
**   POST /app/transactions                       emuRouteAppend
**   GET  /app/transactions/current               emuRouteCurrent
**   GET  /app/transactions/{id}                  emuRouteEntry
**   GET  /app/transactions/{id}/status           emuRouteStatus
**
** An append with hooks comes twice: it is checked, the hooks run, and it is
** checked again (limits may be reached by then) and done.
**
** Invariants
**   - a refused append changes nothing: every limit is checked first;
**   - {id} gives the collection's value at that point, Ready only when that
**     point is committed; /current reads the node's state, pending or not.
**
** An id not issued yet is 404 TransactionNotFound on /status, as on CCF, and
** 404 UnknownLedgerEntry on {id}, where the contract is silent.
*/
#include "emulator/emu.h"

#include <string.h>

#define ENTRIES_MAX_CONTENTS 8192
#define ENTRIES_MAX_NAME 256
#define ENTRIES_MAX_COLLECTIONS 5000
#define ENTRIES_MAX_TAGS 5
#define ENTRIES_MAX_TAG_PAIRS 10000

/* ---- shared with the other routes -------------------------------------- */

int emuCollectionOf(EmuReq *p, EmuText *pText, int64_t *pi) {
  static char zDefault[] = EMU_DEFAULT_COLLECTION;
  int bOld = (p->pVersion->flags & EMU_V_SUBLEDGER) != 0;
  const char *zName = bOld ? "subLedgerId" : "collectionId";
  const EmuText *pGiven = emuReqParam(p, zName);
  LedgerError err = LEDGER_ERROR_INIT;
  if( pGiven == NULL ) {
    pText->z = zDefault;
    pText->n = sizeof(zDefault) - 1;
  } else if( pGiven->n == 0 || !ledgerUtf8Valid(pGiven->z, pGiven->n) ) {
    emuReqError(p, 400, "InvalidInput", "The parameter '%s' is %s.", zName,
                pGiven->n ? "not valid UTF-8" : "empty");
    return 0;
  } else {
    *pText = *pGiven;
  }
  if( emuStoreCollection(p->pEmu->pStore, pText->z, pText->n, pi, &err) ) {
    emuReqFail(p, &err);
    return 0;
  }
  return 1;
}

int emuTxidOf(EmuReq *p, const EmuText *pText, const char *zWhat,
              LedgerTxid *pId) {
  if( ledgerTxidParse(pText->z, pText->n, pId) ) return 1;
  emuReqError(p, 400, "InvalidInput",
              "The %s is not a transaction id: '%s'. Expected <view>.<seqno>.",
              zWhat, ledgerUtf8Valid(pText->z, pText->n) ? pText->z : "?");
  return 0;
}

void emuEntryJson(const EmuReq *p, const EmuText *pCollection,
                  const EmuEntry *pEntry, LedgerTxid id, LedgerBuf *pBuf) {
  int bOld = (p->pVersion->flags & EMU_V_SUBLEDGER) != 0;
  char zId[LEDGER_TXID_MAX];
  ledgerBufAppend(pBuf, "{", 1);
  if( !bOld ) {
    ledgerBufText(pBuf, "\"collectionId\":");
    ledgerBufJson(pBuf, pCollection->z, pCollection->n);
    ledgerBufAppend(pBuf, ",", 1);
  }
  ledgerBufText(pBuf, "\"contents\":");
  ledgerBufJson(pBuf, pEntry->zContents, pEntry->nContents);
  if( bOld ) {
    ledgerBufText(pBuf, ",\"subLedgerId\":");
    ledgerBufJson(pBuf, pCollection->z, pCollection->n);
  }
  if( pEntry->nTags && (p->pVersion->flags & EMU_V_TAGS) ) {
    const char *z = pEntry->zTags, *zEnd = z + pEntry->nTags;
    ledgerBufText(pBuf, ",\"tags\":");
    while( z < zEnd ) {
      const char *zComma = memchr(z, ',', (size_t)(zEnd - z));
      size_t n = (size_t)((zComma ? zComma : zEnd) - z);
      ledgerBufText(pBuf, z == pEntry->zTags ? "[" : ",");
      ledgerBufJson(pBuf, z, n);
      z += n + (zComma != NULL);
    }
    ledgerBufAppend(pBuf, "]", 1);
  }
  ledgerBufText(pBuf, ",\"transactionId\":\"");
  ledgerBufText(pBuf, ledgerTxidFormat(id, zId));
  ledgerBufText(pBuf, "\"}");
}

/* ---- append ------------------------------------------------------------ */

/* Writes the tags of the request as "a,b", without repeats. Returns 0 after
** answering 400. */
static int entriesTags(EmuReq *p, LedgerBuf *pTags) {
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
    const char *zHave = pTags->z;
    int bRepeated = 0;
    if( n == 0 || memchr(z, 0, n) ) {
      emuReqError(p, 400, "InvalidInput", "A tag is empty or holds a NUL.");
      return 0;
    }
    while( zHave && zHave < pTags->z + pTags->n && !bRepeated ) {
      size_t nHave = strcspn(zHave, ",");
      bRepeated = nHave == n && memcmp(zHave, z, n) == 0;
      zHave += nHave + 1;
    }
    if( !bRepeated ) {
      nTag++;
      if( pTags->n ) ledgerBufAppend(pTags, ",", 1);
      ledgerBufAppend(pTags, z, n);
    }
    z += n + 1;
  }
  if( nTag > ENTRIES_MAX_TAGS ) {
    emuReqError(p, 400, "InvalidInput",
                "%d tags exceed the limit of %d tags per transaction.", nTag,
                ENTRIES_MAX_TAGS);
    return 0;
  }
  return 1;
}

/* Checks the limit of pairs of tag and collection. */
static int entriesTagRoom(EmuReq *p, int64_t iCollection,
                          const LedgerBuf *pTags, LedgerError *pErr) {
  const char *z = pTags->z;
  int64_t nPair = 0;
  int bKnown, nNew = 0, rc = LEDGER_OK;
  while( rc == LEDGER_OK && z && *z ) {
    size_t n = strcspn(z, ",");
    rc = emuStoreTagKnown(p->pEmu->pStore, iCollection, z, n, &bKnown, pErr);
    nNew += !bKnown;
    z += n + (z[n] == ',');
  }
  if( rc == LEDGER_OK && nNew ) {
    rc = emuStoreTagCount(p->pEmu->pStore, &nPair, pErr);
    if( rc == LEDGER_OK && nPair + nNew > ENTRIES_MAX_TAG_PAIRS ) {
      emuReqError(p, 400, "TagCapacityExceeded",
                  "%lld pairs of tag and collection exceed the limit of %d.",
                  (long long)(nPair + nNew), ENTRIES_MAX_TAG_PAIRS);
    }
  }
  return rc;
}

/* Checks the documented limits. On LEDGER_OK the answer is either none or the
** refusal. */
static int entriesLimits(EmuReq *p, const EmuText *pCollection,
                         int64_t iCollection, size_t nContents,
                         const LedgerBuf *pTags, LedgerError *pErr) {
  int64_t n;
  int rc;
  if( nContents > ENTRIES_MAX_CONTENTS ) {
    emuReqError(p, 400, "EntrySizeCapacityExceeded",
                "Entry contents of %lld bytes exceed the limit of %d bytes.",
                (long long)nContents, ENTRIES_MAX_CONTENTS);
    return LEDGER_OK;
  }
  if( iCollection == 0 && pCollection->n > ENTRIES_MAX_NAME ) {
    emuReqError(p, 400, "CollectionIdTooLong",
                "Collection id of %lld bytes exceeds the limit of %d bytes.",
                (long long)pCollection->n, ENTRIES_MAX_NAME);
    return LEDGER_OK;
  }
  if( iCollection == 0 &&
      !emuIs(pCollection->z, pCollection->n, EMU_DEFAULT_COLLECTION) ) {
    rc = emuStoreCollectionCount(p->pEmu->pStore, &n, pErr);
    if( rc ) return rc;
    if( n >= ENTRIES_MAX_COLLECTIONS ) {
      emuReqError(p, 400, "CollectionCapacityExceeded",
                  "%lld collections exceed the limit of %d collections.",
                  (long long)(n + 1), ENTRIES_MAX_COLLECTIONS);
      return LEDGER_OK;
    }
  }
  return entriesTagRoom(p, iCollection, pTags, pErr);
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
  if( !emuCollectionOf(p, &collection, &iCollection) ||
      !entriesTags(p, &tags) ) {
    goto out;
  }
  if( tags.bOom ||
      entriesLimits(p, &collection, iCollection, txn.nContents, &tags, &err) ) {
    ledgerErrorNomem(&err);
    emuReqFail(p, &err);
    goto out;
  }
  if( p->iStatus ) goto out;
  if( (p->pVersion->flags & EMU_V_PROGRAMS) && !p->bHooked &&
      emuHooks(p, pDoc) ) {
    goto out;
  }

  txn.eKind = EMU_ENTRY;
  txn.bClaims = p->pEmu->args.bClaims;
  txn.zCollection = collection.z;
  txn.nCollection = collection.n;
  txn.zTags = tags.n ? tags.z : NULL;
  txn.nTags = tags.n;
  if( emuGatewayAsked(p) ) {
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
    emuLedgerWait(p->pEmu, p); /* then emuReceiptInline() goes on */
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

/* ---- read -------------------------------------------------------------- */

/* What the callbacks of a read need. */
typedef struct EntriesRead EntriesRead;
struct EntriesRead {
  EmuReq *pReq;
  EmuText collection;
  int bStateId; /* show the state's id in place of the entry's */
};

static void entriesShow(void *pArg, const EmuEntry *pEntry) {
  EntriesRead *pRead = pArg;
  EmuReq *p = pRead->pReq;
  emuEntryJson(p, &pRead->collection, pEntry,
               pRead->bStateId ? p->pEmu->ledger.last : pEntry->id, &p->body);
}

void emuRouteCurrent(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  EntriesRead read = {0};
  int64_t iCollection;
  int bFound = 0;
  read.pReq = p;
  read.bStateId = (p->pVersion->flags & EMU_V_OWN_CURRENT) == 0;
  if( !emuCollectionOf(p, &read.collection, &iCollection) ) return;
  if( emuStoreEntryAt(p->pEmu->pStore, iCollection, p->pEmu->ledger.last.seqno,
                      entriesShow, &read, &bFound, &err) ) {
    emuReqFail(p, &err);
  } else if( bFound ) {
    p->iStatus = 200;
  } else {
    emuReqError(p, 404, "UnknownLedgerEntry",
                "The collection has no current entry.");
  }
}

/* What a node that lags has not heard of (fault stale) is nothing to it. */
static void entriesKnown(const EmuReq *p, LedgerTxid *pHave) {
  if( pHave->seqno > p->pEmu->ledger.last.seqno )
    memset(pHave, 0, sizeof(*pHave));
}

void emuRouteEntry(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  Emu *pEmu = p->pEmu;
  EntriesRead read = {0};
  LedgerTxid id, have;
  int64_t iCollection;
  int bFound = 0;

  if( !emuTxidOf(p, &p->aSegment[2], "path segment", &id) ) return;
  read.pReq = p;
  if( !emuCollectionOf(p, &read.collection, &iCollection) ) return;
  if( emuStoreTxnAt(pEmu->pStore, id.seqno, &have, &err) ) {
    emuReqFail(p, &err);
    return;
  }
  entriesKnown(p, &have);
  if( have.seqno ? have.view != id.view : id.view < pEmu->ledger.iView ) {
    emuReqError(p, 404, "InvalidTransactionId", "Transaction %s is invalid",
                p->aSegment[2].z);
    return;
  }
  if( have.seqno == 0 || id.seqno > pEmu->ledger.committed.seqno ) {
    emuReqError(p, 404, "UnknownLedgerEntry",
                "Transaction %s is not committed, or not known",
                p->aSegment[2].z);
    return;
  }
  ledgerBufText(&p->body, "{\"entry\":");
  if( emuStoreEntryAt(pEmu->pStore, iCollection, id.seqno, entriesShow, &read,
                      &bFound, &err) ) {
    emuReqFail(p, &err);
  } else if( !bFound ) {
    emuReqError(p, 404, "UnknownLedgerEntry",
                "The collection has no entry at transaction %s",
                p->aSegment[2].z);
  } else if( !emuWarmReady(pEmu->pWarm, id.seqno, id.seqno) ) {
    p->iStatus = 200;
    p->zState = "Loading";
    ledgerBufReset(&p->body);
    ledgerBufText(&p->body, "{\"state\":\"Loading\"}");
  } else {
    p->iStatus = 200;
    p->zState = "Ready";
    ledgerBufText(&p->body, ",\"state\":\"Ready\"}");
  }
}

void emuRouteStatus(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  const EmuLedger *pLedger = &p->pEmu->ledger;
  LedgerTxid id, have;
  if( !emuTxidOf(p, &p->aSegment[2], "path segment", &id) ) return;
  if( emuStoreTxnAt(p->pEmu->pStore, id.seqno, &have, &err) ) {
    emuReqFail(p, &err);
    return;
  }
  entriesKnown(p, &have);
  if( have.seqno ? have.view != id.view : id.view < pLedger->iView ) {
    emuReqError(p, 404, "InvalidTransactionId", "Transaction %s is invalid",
                p->aSegment[2].z);
  } else if( have.seqno == 0 ) {
    emuReqError(p, 404, "TransactionNotFound", "Transaction %s is unknown",
                p->aSegment[2].z);
  } else {
    p->iStatus = 200;
    p->zState = id.seqno <= pLedger->committed.seqno ? "Committed" : "Pending";
    ledgerBufPrintf(&p->body, "{\"state\":\"%s\",\"transactionId\":\"%s\"}",
                    p->zState, p->aSegment[2].z);
  }
}
