/*
** Reading entries, and the routes that answer with one:
**
**   GET /app/transactions/{id}       ledgerEntryGet
**   GET /app/transactions/current    ledgerEntryCurrentGet
**
** Invariants
**   - both spellings are read on every version: collectionId and subLedgerId;
**   - contents keep their NUL bytes;
**   - an entry of another sub-ledger than the one asked for is an error;
**   - an answer is parsed when it arrives, into one block per list of entries,
**     and its body freed at once.
*/
#include "client/api/apiInt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading entries ---------------------------------------------------- */

void ledgerEntryListFree(LedgerEntryList *p) {
  free(p->aEntry);
  free(p->zArena);
  free(p->zBody);
  memset(p, 0, sizeof(*p));
}

/* The name of the sub-ledger that an object carries, or NULL. */
const char *ledgerEntrySubLedger(LedgerJson *pDoc, const cJSON *pObj,
                                 size_t *pn) {
  const char *z = ledgerJsonMemberText(pDoc, pObj, "collectionId", pn);
  if( z == NULL ) z = ledgerJsonMemberText(pDoc, pObj, "subLedgerId", pn);
  return z;
}

/* Appends the tags of an entry as a JSON array: what the answer has is an
** array of strings, or a text with commas. */
static int entriesTags(LedgerCall *p, LedgerJson *pDoc, cJSON *pTags,
                       LedgerBuf *pBuf, LedgerError *pErr) {
  const char *zSep = "[";
  const char *z;
  cJSON *pTag;
  size_t n = 0;

  if( cJSON_IsArray(pTags) ) {
    for( pTag = pTags->child; pTag; pTag = pTag->next ) {
      z = ledgerJsonText(pDoc, pTag, &n);
      if( z == NULL )
        return ledgerResponseNonsense(p, "a tag is not text", pErr);
      ledgerBufText(pBuf, zSep);
      ledgerBufJson(pBuf, z, n);
      zSep = ",";
    }
  } else {
    z = ledgerJsonText(pDoc, pTags, &n);
    if( z == NULL ) return ledgerResponseNonsense(p, "tags are not text", pErr);
    while( *z ) {
      n = strcspn(z, ",");
      ledgerBufText(pBuf, zSep);
      ledgerBufJson(pBuf, z, n);
      zSep = ",";
      z += n + (z[n] == ',');
    }
  }
  if( zSep[0] == '[' ) ledgerBufText(pBuf, "[");
  ledgerBufText(pBuf, "]");
  return LEDGER_OK;
}

/* Where the texts of an entry stand in the arena while it grows. */
typedef struct EntriesPlace EntriesPlace;
struct EntriesPlace {
  size_t iSubLedger;
  size_t iContents;
  size_t iTags; /* 0: none */
};

/* Reads one entry object: its texts go to the arena. pBefore is the place of
** the entry before, or NULL; its sub-ledger's name is used again. */
static int entriesReadOne(LedgerCall *p, LedgerJson *pDoc, cJSON *pObj,
                          LedgerBuf *pArena, LedgerEntry *pEntry,
                          EntriesPlace *pPlace, const EntriesPlace *pBefore,
                          LedgerError *pErr) {
  cJSON *pTags = ledgerJsonMember(pObj, "tags");
  const char *z;
  size_t n = 0;

  z = ledgerJsonMemberText(pDoc, pObj, "transactionId", &n);
  if( z == NULL || !ledgerTxidParse(z, n, &pEntry->id) ) {
    return ledgerResponseNonsense(p, "an entry has no transactionId", pErr);
  }
  z = ledgerEntrySubLedger(pDoc, pObj, &n);
  if( z == NULL ) {
    z = p->query.zSubLedger ? p->query.zSubLedger : LEDGER_DEFAULT_SUB_LEDGER;
    n = strlen(z);
  }
  if( memchr(z, 0, n) ) {
    return ledgerResponseNonsense(p, "a sub-ledger's name holds a NUL", pErr);
  }
  if( pBefore && strcmp(pArena->z + pBefore->iSubLedger, z) == 0 ) {
    pPlace->iSubLedger = pBefore->iSubLedger;
  } else {
    pPlace->iSubLedger = pArena->n;
    ledgerBufAppend(pArena, z, n + 1);
  }
  z = ledgerJsonMemberText(pDoc, pObj, "contents", &n);
  if( z == NULL ) {
    return ledgerResponseNonsense(p, "an entry has no contents", pErr);
  }
  pPlace->iContents = pArena->n;
  pEntry->nContents = n;
  ledgerBufAppend(pArena, z, n);
  ledgerBufAppend(pArena, "", 1);
  if( pTags && !cJSON_IsNull(pTags) ) {
    pPlace->iTags = pArena->n;
    if( entriesTags(p, pDoc, pTags, pArena, pErr) ) return pErr->rc;
    ledgerBufAppend(pArena, "", 1);
  }
  return pArena->bOom ? ledgerErrorNomem(pErr) : LEDGER_OK;
}

/*
** Reads nEntry entries, from pFirst on along its siblings, into *pList.
*/
int ledgerEntryListRead(LedgerCall *p, LedgerJson *pDoc, cJSON *pFirst,
                        int nEntry, LedgerEntryList *pList, LedgerError *pErr) {
  EntriesPlace *aPlace = NULL;
  LedgerBuf arena = {0};
  cJSON *pObj = pFirst;
  int i;

  ledgerEntryListFree(pList);
  if( nEntry == 0 ) return LEDGER_OK;
  pList->aEntry = calloc((size_t)nEntry, sizeof(LedgerEntry));
  aPlace = calloc((size_t)nEntry, sizeof(*aPlace));
  if( pList->aEntry == NULL || aPlace == NULL ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  ledgerBufAppend(&arena, "", 1); /* so that 0 is not a place */
  for( i = 0; i < nEntry && pObj; i++, pObj = pObj->next ) {
    if( entriesReadOne(p, pDoc, pObj, &arena, &pList->aEntry[i], &aPlace[i],
                       i ? &aPlace[i - 1] : NULL, pErr) ) {
      goto out;
    }
  }
  pList->nEntry = i;
  if( arena.nAlloc > arena.n + 4096 ) {
    char *zFit = realloc(arena.z, arena.n + 1);
    if( zFit ) arena.z = zFit;
  }
  pList->zArena = arena.z;
  memset(&arena, 0, sizeof(arena));
  for( i = 0; i < pList->nEntry; i++ ) {
    LedgerEntry *pEntry = &pList->aEntry[i];
    pEntry->zSubLedger = pList->zArena + aPlace[i].iSubLedger;
    pEntry->zContents = pList->zArena + aPlace[i].iContents;
    if( aPlace[i].iTags ) pEntry->zTags = pList->zArena + aPlace[i].iTags;
  }
out:
  if( pErr->rc ) ledgerEntryListFree(pList);
  free(aPlace);
  ledgerBufFree(&arena);
  return pErr->rc;
}

/* Sees that an entry is of the sub-ledger that was asked for: another one's is
** never taken, whatever made a server answer with it. */
int ledgerEntryMeant(LedgerCall *p, const LedgerEntry *pEntry,
                     LedgerError *pErr) {
  const char *zAsked = p->query.zSubLedger;
  const char *zSub = pEntry->zSubLedger ? pEntry->zSubLedger : "";
  char zThat[300], zThis[300], zWhy[700];

  if( zAsked == NULL ) zAsked = LEDGER_DEFAULT_SUB_LEDGER;
  if( strcmp(zSub, zAsked) == 0 ) return LEDGER_OK;
  ledgerTextClean(zSub, strlen(zSub), zThat, sizeof(zThat));
  ledgerTextClean(zAsked, strlen(zAsked), zThis, sizeof(zThis));
  snprintf(zWhy, sizeof(zWhy),
           "an entry is of sub-ledger '%s', and '%s' was asked for", zThat,
           zThis);
  return ledgerResponseNonsense(p, zWhy, pErr);
}

/* Sees that a state other than Loading is one that is known: Ready, or none in
** an answer that has what was asked for. zState is NULL where it isn't text. */
int ledgerEntryStateRead(LedgerCall *p, const cJSON *pRoot, const char *zState,
                         LedgerError *pErr) {
  char zSaid[80], zWhy[160];

  if( zState && strcmp(zState, "Ready") == 0 ) return LEDGER_OK;
  if( zState == NULL ) {
    if( ledgerJsonMember(pRoot, "state") == NULL ) return LEDGER_OK;
    return ledgerResponseNonsense(p, "its state is not text", pErr);
  }
  ledgerTextClean(zState, strlen(zState), zSaid, sizeof(zSaid));
  snprintf(zWhy, sizeof(zWhy), "its state is '%s', neither Loading nor Ready",
           zSaid);
  return ledgerResponseNonsense(p, zWhy, pErr);
}

/* ---- one entry ---------------------------------------------------------- */

/* What these are answered with: LedgerCall.pAnswer. */
typedef struct EntriesAnswer EntriesAnswer;
struct EntriesAnswer {
  LedgerEntryList list; /* the one entry, where p->bFound */
  int bKnown;           /* it is there, whatever a node says */
};

static void entriesFree(LedgerCall *p) {
  EntriesAnswer *pAnswer = p->pAnswer;
  ledgerEntryListFree(&pAnswer->list);
}

/* Reads {"state":"Ready","entry":{...}}. */
static int entriesReadEntry(LedgerCall *p, LedgerExchange *pEx,
                            LedgerError *pErr) {
  LedgerEntryList *pList = &((EntriesAnswer *)p->pAnswer)->list;
  LedgerJson *pDoc = NULL;
  const char *zState;
  cJSON *pEntry;

  if( ledgerResponseParse(p, pEx, "entry", &pDoc, pErr) ) goto out;
  zState = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "state", NULL);
  pEntry = ledgerJsonMember(ledgerJsonRoot(pDoc), "entry");
  if( zState && strcmp(zState, "Loading") == 0 ) {
    p->bAgain = 1;
    goto out;
  }
  if( ledgerEntryStateRead(p, ledgerJsonRoot(pDoc), zState, pErr) ) goto out;
  if( !cJSON_IsObject(pEntry) ) {
    ledgerResponseNonsense(p, "it has no object 'entry'", pErr);
    goto out;
  }
  if( ledgerEntryListRead(p, pDoc, pEntry, 1, pList, pErr) ||
      ledgerEntryMeant(p, &pList->aEntry[0], pErr) ) {
    goto out;
  }
  ledgerKnownCommitted(p->pClient, pList->aEntry[0].id);
  /* What is answered is the sub-ledger's value at that point. */
  p->bFound = ledgerTxidCompare(pList->aEntry[0].id, p->id) == 0;
  p->bFinal = p->bFound && zState && strcmp(zState, "Ready") == 0;
  ledgerProgressCount(p->pClient->user.pProgress, LEDGER_PROGRESS_ENTRIES, 1);
out:
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

/* Reads {"contents",...}, without an envelope. */
static int entriesReadCurrent(LedgerCall *p, LedgerExchange *pEx,
                              LedgerError *pErr) {
  LedgerEntryList *pList = &((EntriesAnswer *)p->pAnswer)->list;
  LedgerJson *pDoc = NULL;
  if( ledgerResponseParse(p, pEx, "current entry", &pDoc, pErr) == LEDGER_OK ) {
    p->bFound = ledgerEntryListRead(p, pDoc, ledgerJsonRoot(pDoc), 1, pList,
                                    pErr) == LEDGER_OK &&
                ledgerEntryMeant(p, &pList->aEntry[0], pErr) == LEDGER_OK;
  }
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

/* A 404 of the ledger's is an answer: there is no such entry. Of one that is
** there a node says so that lags behind. */
static int entriesNotFound(LedgerCall *p) {
  const EntriesAnswer *pAnswer = p->pAnswer;
  p->bFound = 0;
  if( !ledgerResponseMissing(p) ) return 0;
  p->bAgain =
      pAnswer->bKnown && strcmp(p->server.zCode, "InvalidTransactionId") != 0;
  return 1;
}

static int entriesOver(LedgerCall *p, LedgerError *pErr) {
  if( p->http == 404 ) {
    return ledgerErrorSet(
        pErr, LEDGER_BUSY,
        "%s: it was appended here and committed, but after %d ms the ledger's "
        "node still doesn't have it (HTTP 404, GET %s)",
        p->zWhat, p->pClient->pConfig->timeoutMs, p->zPath);
  }
  return ledgerErrorSet(pErr, LEDGER_BUSY,
                        "%s: still Loading after %d ms (GET %s)", p->zWhat,
                        p->pClient->pConfig->timeoutMs, p->zPath);
}

static const LedgerCallKind entryKind = {.zMethod = "GET",
                                         .zNotYet = "Loading",
                                         .bEntries = 1,
                                         .bFailover = 1,
                                         .bFresh = 1,
                                         .bCache = 1,
                                         .nAnswer = sizeof(EntriesAnswer),
                                         .xFree = entriesFree,
                                         .xRead = entriesReadEntry,
                                         .xRefused = entriesNotFound,
                                         .xOver = entriesOver};
static const LedgerCallKind currentKind = {.zMethod = "GET",
                                           .bEntries = 1,
                                           .bFailover = 1,
                                           .bFresh = 1,
                                           .nAnswer = sizeof(EntriesAnswer),
                                           .xFree = entriesFree,
                                           .xRead = entriesReadCurrent,
                                           .xRefused = entriesNotFound,
                                           .xOver = entriesOver};

static const LedgerCallKind headKind = {.zMethod = "GET",
                                        .bEntries = 1,
                                        .bFresh = 1,
                                        .nAnswer = sizeof(EntriesAnswer),
                                        .xFree = entriesFree,
                                        .xRead = entriesReadCurrent,
                                        .xRefused = entriesNotFound,
                                        .xOver = entriesOver};

int ledgerEntryStart(LedgerClient *p, const LedgerCallKind *pKind,
                     const char *zWhat, LedgerTxid id, const char *zTail,
                     const char *zSubLedger, LedgerCall **ppCall,
                     LedgerError *pErr) {
  char zId[LEDGER_TXID_MAX];
  LedgerCall *pCall;

  if( ledgerCallNew(p, pKind, ppCall, pErr) ) return pErr->rc;
  pCall = *ppCall;
  ledgerTxidFormat(id, zId);
  ledgerCallPrint(pCall, &pCall->zWhat, "%s %s", zWhat, zId);
  ledgerCallPrint(pCall, &pCall->zPath, "/app/transactions/%s%s", zId, zTail);
  ledgerCallText(pCall, &pCall->query.zSubLedger, zSubLedger);
  pCall->id = id;
  ledgerLoopStart(pCall);
  return LEDGER_OK;
}

int ledgerEntryGet(LedgerClient *p, LedgerTxid id, const char *zSubLedger,
                   LedgerCall **ppCall, LedgerError *pErr) {
  return ledgerEntryStart(p, &entryKind, "entry", id, "", zSubLedger, ppCall,
                          pErr);
}

static int entriesCurrent(LedgerClient *p, const LedgerCallKind *pKind,
                          const char *zSubLedger, LedgerCall **ppCall,
                          LedgerError *pErr) {
  if( ledgerCallNew(p, pKind, ppCall, pErr) ) return pErr->rc;
  ledgerCallText(*ppCall, &(*ppCall)->zWhat, "current entry");
  ledgerCallText(*ppCall, &(*ppCall)->zPath, "/app/transactions/current");
  ledgerCallText(*ppCall, &(*ppCall)->query.zSubLedger, zSubLedger);
  ledgerLoopStart(*ppCall);
  return LEDGER_OK;
}

int ledgerEntryCurrentGet(LedgerClient *p, const char *zSubLedger,
                          LedgerCall **ppCall, LedgerError *pErr) {
  return entriesCurrent(p, &currentKind, zSubLedger, ppCall, pErr);
}

int ledgerEntryHeadGet(LedgerClient *p, const char *zSubLedger,
                       LedgerCall **ppCall, LedgerError *pErr) {
  return entriesCurrent(p, &headKind, zSubLedger, ppCall, pErr);
}

void ledgerEntryKnown(LedgerCall *p) {
  EntriesAnswer *pAnswer = p->pAnswer;
  pAnswer->bKnown = 1;
}

void ledgerEntryNoSecondary(LedgerCall *p) {
  p->bNoSecondary = 1;
}

int ledgerEntryFromSecondary(const LedgerCall *p) {
  return p->bFromSecondary;
}

int ledgerEntryResult(LedgerCall *p, int *pFound, LedgerEntry *pEntry,
                      LedgerError *pErr) {
  const EntriesAnswer *pAnswer = p->pAnswer;
  *pFound = 0;
  if( p->err.rc == LEDGER_OK && p->bFound && pAnswer->list.nEntry == 1 ) {
    *pFound = 1;
    *pEntry = pAnswer->list.aEntry[0];
  }
  ledgerErrorCopy(pErr, &p->err);
  return pErr->rc;
}
