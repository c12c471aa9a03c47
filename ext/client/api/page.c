/*
** A page of entries, read in place:
**
**   {"state":"Ready","nextLink":"...","entries":[{"contents":"...",
**    "collectionId":"...","transactionId":"2.15","tags":["a"]}, ...]}
**
** Of all that is read from a ledger pages are by far the most. Their entries
** are read where they stand, by base/jsonread.c: no tree is built, contents are
** unescaped within the body and handed on from there, and the body lives as
** long as the page. What stands around the entries is small, and read as every
** other answer is, with an empty array in their place.
**
** Invariants
**   - a page of another form, or one with an error in it, is left to the tree
**     as it came: entries.c and base/json.c say what is wrong with it;
**   - both spellings are read on every version: collectionId and subLedgerId;
**   - contents keep their NUL bytes.
*/
#include "client/api/apiInt.h"

#include <stdlib.h>
#include <string.h>

/* An entry while the page is read. */
typedef struct PageEntry PageEntry;
struct PageEntry {
  LedgerTxid id;
  LedgerJsonSpan subLedger; /* of the entry before: the same span. i 0: it has
                            ** none, which isn't the name "" (n 0) */
  LedgerJsonSpan contents;
  size_t iTags; /* in Page.arena; 0: none */
};

typedef struct Page Page;
struct Page {
  LedgerJsonRead read;
  int nEntry, nAlloc;
  PageEntry *aEntry;
  LedgerBuf arena; /* the sub-ledger that was asked for; then tags, each a JSON
                   ** array; a NUL behind each */
};

/* Appends the tags of an entry, an array of texts, as entries.c does. Tags that
** are written otherwise are odd. */
static int pageTags(Page *p, PageEntry *pEntry) {
  LedgerJsonSpan tag;
  const char *zSep = "[";
  if( ledgerJsonReadPeek(&p->read, 'n') ) return ledgerJsonReadSkip(&p->read);
  pEntry->iTags = p->arena.n;
  ledgerJsonReadOpen(&p->read, '[');
  while( ledgerJsonReadItem(&p->read) && ledgerJsonReadText(&p->read, &tag) ) {
    if( tag.bEscaped ) p->read.bOdd = 1;
    ledgerBufText(&p->arena, zSep);
    ledgerBufJson(&p->arena, p->read.z + tag.i, tag.n);
    zSep = ",";
  }
  ledgerBufText(&p->arena, zSep[0] == '[' ? "[]" : "]");
  ledgerBufAppend(&p->arena, "", 1);
  return !p->read.bOdd;
}

/* Reads one entry. Returns 0 where it is odd, or memory is short. */
static int pageEntry(Page *p) {
  LedgerJsonNames names = {0, {{0, 0, 0}}};
  LedgerJsonSpan name, id = {0, 0, 0}, older = {0, 0, 0};
  const PageEntry *pBefore;
  PageEntry *pEntry;
  if( p->nEntry == p->nAlloc ) {
    const int nNew = p->nAlloc ? p->nAlloc * 2 : 128;
    PageEntry *aNew = realloc(p->aEntry, sizeof(*aNew) * (size_t)nNew);
    if( aNew == NULL ) return 0;
    p->aEntry = aNew;
    p->nAlloc = nNew;
  }
  pEntry = &p->aEntry[p->nEntry];
  memset(pEntry, 0, sizeof(*pEntry));
  ledgerJsonReadOpen(&p->read, '{');
  while( ledgerJsonReadName(&p->read, &names, &name) ) {
    if( ledgerJsonSpanIs(&p->read, &name, "contents") ) {
      ledgerJsonReadText(&p->read, &pEntry->contents);
    } else if( ledgerJsonSpanIs(&p->read, &name, "collectionId") ) {
      ledgerJsonReadText(&p->read, &pEntry->subLedger);
    } else if( ledgerJsonSpanIs(&p->read, &name, "transactionId") ) {
      ledgerJsonReadText(&p->read, &id);
    } else if( ledgerJsonSpanIs(&p->read, &name, "subLedgerId") ) {
      ledgerJsonReadText(&p->read, &older);
    } else if( ledgerJsonSpanIs(&p->read, &name, "tags") ) {
      pageTags(p, pEntry);
    } else {
      ledgerJsonReadSkip(&p->read);
    }
  }
  if( p->read.bOdd || pEntry->contents.i == 0 ||
      !ledgerTxidParse(p->read.z + id.i, id.n, &pEntry->id) ) {
    return 0;
  }
  if( pEntry->subLedger.i == 0 ) pEntry->subLedger = older;
  pBefore = p->nEntry ? pEntry - 1 : NULL;
  if( pBefore && (pBefore->subLedger.i == 0) == (pEntry->subLedger.i == 0) &&
      pBefore->subLedger.n == pEntry->subLedger.n &&
      memcmp(p->read.z + pBefore->subLedger.i, p->read.z + pEntry->subLedger.i,
             pEntry->subLedger.n) == 0 ) {
    pEntry->subLedger = pBefore->subLedger;
  }
  p->nEntry++;
  return 1;
}

/* Reads the body's entries; *piFrom and *piTo are where their array begins and
** ends. Returns 0 where anything is odd, or memory is short. */
static int pageEntries(Page *p, size_t *piFrom, size_t *piTo) {
  LedgerJsonNames names = {0, {{0, 0, 0}}};
  LedgerJsonSpan name;
  ledgerJsonReadOpen(&p->read, '{');
  while( ledgerJsonReadName(&p->read, &names, &name) ) {
    if( !ledgerJsonSpanIs(&p->read, &name, "entries") ) {
      ledgerJsonReadSkip(&p->read);
      continue;
    }
    if( !ledgerJsonReadPeek(&p->read, '[') ) return 0;
    *piFrom = p->read.i;
    ledgerJsonReadOpen(&p->read, '[');
    while( ledgerJsonReadItem(&p->read) ) {
      if( !pageEntry(p) ) return 0;
    }
    *piTo = p->read.i;
  }
  return ledgerJsonReadEnd(&p->read) && p->nEntry > 0 && !p->arena.bOom;
}

/* Makes the list: texts are ended where they stand in the body. */
static int pageFinish(LedgerCall *p, Page *pPage, LedgerEntryList *pList,
                      LedgerError *pErr) {
  int i;
  for( i = 0; i < pPage->nEntry; i++ ) {
    PageEntry *pFrom = &pPage->aEntry[i];
    LedgerEntry *pTo = &pList->aEntry[i];
    const size_t iSub = pFrom->subLedger.i;
    pTo->id = pFrom->id;
    pTo->zContents = ledgerJsonSpanText(pList->zBody, &pFrom->contents);
    pTo->nContents = pFrom->contents.n;
    if( pFrom->iTags ) pTo->zTags = pList->zArena + pFrom->iTags;
    if( iSub == 0 ) {
      pTo->zSubLedger = pList->zArena;
    } else if( i > 0 && iSub == pFrom[-1].subLedger.i ) {
      pTo->zSubLedger = pTo[-1].zSubLedger;
    } else {
      pTo->zSubLedger = ledgerJsonSpanText(pList->zBody, &pFrom->subLedger);
      if( memchr(pTo->zSubLedger, 0, pFrom->subLedger.n) ) {
        return ledgerResponseNonsense(p, "a sub-ledger's name holds a NUL",
                                      pErr);
      }
    }
  }
  pList->nEntry = pPage->nEntry;
  return LEDGER_OK;
}

int ledgerPageRead(LedgerCall *p, LedgerExchange *pEx, LedgerEntryList *pList,
                   LedgerJson **ppDoc, LedgerError *pErr) {
  const char *zAsked =
      p->query.zSubLedger ? p->query.zSubLedger : LEDGER_DEFAULT_SUB_LEDGER;
  LedgerError odd = LEDGER_ERROR_INIT;
  LedgerBuf *pBody = &pEx->body;
  LedgerBuf around = {0};
  size_t iFrom = 0, iTo = 0;
  Page page;

  memset(&page, 0, sizeof(page));
  ledgerEntryListFree(pList);
  *ppDoc = NULL;
  ledgerBufAppend(&page.arena, zAsked, strlen(zAsked) + 1);
  if( pBody->n && ledgerJsonReadStart(&page.read, pBody->z, pBody->n) &&
      pageEntries(&page, &iFrom, &iTo) ) {
    ledgerBufAppend(&around, pBody->z, iFrom);
    ledgerBufText(&around, "[]");
    ledgerBufAppend(&around, pBody->z + iTo, pBody->n - iTo);
    pList->aEntry = calloc((size_t)page.nEntry, sizeof(LedgerEntry));
    if( pList->aEntry && !around.bOom ) {
      ledgerJsonParse(around.z, around.n, "page", ppDoc, &odd);
    }
  }
  if( *ppDoc == NULL ) {
    ledgerEntryListFree(pList);
    ledgerResponseParse(p, pEx, "page of entries", ppDoc, pErr);
  } else {
    pList->zBody = ledgerBufTake(pBody);
    pList->zArena = page.arena.z;
    memset(&page.arena, 0, sizeof(page.arena));
    if( pList->zBody == NULL ) {
      ledgerErrorNomem(pErr);
    } else {
      pageFinish(p, &page, pList, pErr);
    }
  }
  ledgerErrorClear(&odd);
  ledgerBufFree(&around);
  ledgerBufFree(&page.arena);
  free(page.aEntry);
  return pErr->rc;
}
