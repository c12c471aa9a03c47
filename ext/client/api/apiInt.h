/*
** What the files of client/api share with each other and nobody else.
*/
#ifndef LEDGER_API_INT_H
#define LEDGER_API_INT_H

#include "client/api/api.h"
#include "client/clientInt.h"

/* ---- list.c: lists that come in pages ----------------------------------- */

/* How far a list was followed, and where it goes on. */
typedef struct LedgerList LedgerList;
struct LedgerList {
  int nPage;     /* pages before this one */
  int64_t nByte; /* of their bodies */
  size_t nBody;  /* bytes of this page */
  char *zMark;   /* a link met before, or NULL */
  char *zNext;   /* the next link, or NULL */
};

/* p is finished and has a next link: gives it to pNext, which asks for the page
** behind. Fails where the list would not end. */
int ledgerListFollow(LedgerCall *p, LedgerList *pList, LedgerCall *pNext,
                     LedgerList *pNextList, LedgerError *pErr);
void ledgerListClear(LedgerList *p);

/* Reads the next link of a page, also of one of entries. */
int ledgerListNextRead(LedgerCall *p, LedgerJson *pDoc, cJSON *pObj,
                       char **pzNext, LedgerError *pErr);

/* ---- entries.c: reading entries, and what answers have in common -------- */

/* Entries in one block of memory. */
typedef struct LedgerEntryList LedgerEntryList;
struct LedgerEntryList {
  LedgerEntry *aEntry;
  int nEntry;
  char *zArena; /* their texts ... */
  char *zBody;  /* ... or the body that these stand in */
};

int ledgerEntryListRead(LedgerCall *p, LedgerJson *pDoc, cJSON *pFirst,
                        int nEntry, LedgerEntryList *pList, LedgerError *pErr);
void ledgerEntryListFree(LedgerEntryList *p);
int ledgerEntryMeant(LedgerCall *p, const LedgerEntry *pEntry,
                     LedgerError *pErr);
int ledgerEntryStateRead(LedgerCall *p, const cJSON *pRoot, const char *zState,
                         LedgerError *pErr);
const char *ledgerEntrySubLedger(LedgerJson *pDoc, const cJSON *pObj,
                                 size_t *pn);

/* Starts a call about a transaction, `zWhat ID` in messages, for the path
** /app/transactions/ID and zTail. zSubLedger may be NULL. */
int ledgerEntryStart(LedgerClient *p, const LedgerCallKind *pKind,
                     const char *zWhat, LedgerTxid id, const char *zTail,
                     const char *zSubLedger, LedgerCall **ppCall,
                     LedgerError *pErr);

/* ---- page.c: a page of entries, read in place --------------------------- */

/* Reads the body of a page into *pList, and what stands around the entries into
** *ppDoc. Where it is not of that form *pList is empty, and *ppDoc holds the
** entries. */
int ledgerPageRead(LedgerCall *p, LedgerExchange *pEx, LedgerEntryList *pList,
                   LedgerJson **ppDoc, LedgerError *pErr);

/* ---- written.c ---------------------------------------------------------- */

/* What becomes of an append: LedgerCall.pAnswer. */
typedef struct LedgerAppendAnswer LedgerAppendAnswer;
struct LedgerAppendAnswer {
  int bCommitted; /* the answer says that it is committed */
  /* The sub-ledger that the answer names, where it isn't the one asked for. */
  char *zOtherSubLedger;
  int bQueued;      /* a gateway has it, and has answered 202 ... */
  char *zOperation; /* ... naming it so, or NULL ... */
  int bSettled;     /* ... and has told its end */
};

void ledgerAppendFree(LedgerCall *p);

/* ---- gateway.c ---------------------------------------------------------- */

int ledgerGatewayQueued(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr);

/* ---- route.c ------------------------------------------------------------ */

/* How the versions of the API differ in a route. Each may be NULL. */
struct LedgerRouteForm {
  /* The path, with the key or (NULL) without. */
  void (*xPath)(const LedgerDialect *pDialect, const char *zKey,
                LedgerBuf *pPath);

  /* The body of a write, into p->body, from what the room above gives. */
  int (*xBody)(LedgerCall *p, const char *zGiven, LedgerError *pErr);

  /* 1 where PATCH is plain JSON, though others are merge patches. */
  int (*xPlain)(const LedgerDialect *pDialect);

  /* Brings an answer into the form of the newest version. */
  int (*xAnswer)(LedgerCall *p, LedgerJson *pDoc, LedgerError *pErr);
  int bTextAnswer; /* a write may be answered with a text */
};

#endif /* LEDGER_API_INT_H */
