/*
** Answers of the small tables, kept for the statement that asked.
**
** Invariants: within one statement a question is asked once, by whichever
** cursor; what is kept ends with the statement, or with a write of this
** connection (read/snapshot.c calls ledgerAnswersEnd()). A cursor that reads an
** answer holds a reference, and reads on.
*/
#include "sqlite/conn/conn.h"

#include <string.h>

#define ANSWERS_MAX 1000 /* kept at a time */

void ledgerAnswerUnref(LedgerAnswer *p) {
  if( p == NULL || --p->nRef > 0 ) return;
  p->xFree(p->pCells);
  sqlite3_free(p->zAsked);
  sqlite3_free(p);
}

void ledgerAnswersEnd(LedgerAnswer **ppList) {
  LedgerAnswer *p = *ppList;
  *ppList = NULL;
  while( p ) {
    LedgerAnswer *pNext = p->pNext;
    p->pNext = NULL;
    ledgerAnswerUnref(p);
    p = pNext;
  }
}

LedgerAnswer *ledgerAnswerFind(LedgerAnswer *pList,
                               const LedgerTableSpec *pSpec,
                               const char *zAsked) {
  LedgerAnswer *p;
  for( p = pList; p; p = p->pNext ) {
    if( p->pSpec == pSpec && strcmp(p->zAsked, zAsked) == 0 ) return p;
  }
  return NULL;
}

void ledgerAnswerKeep(LedgerAnswer **ppList, LedgerAnswer *pNew) {
  if( *ppList && (*ppList)->nAnswer >= ANSWERS_MAX ) ledgerAnswersEnd(ppList);
  pNew->nAnswer = *ppList ? (*ppList)->nAnswer + 1 : 1;
  pNew->pNext = *ppList;
  pNew->nRef++;
  *ppList = pNew;
}
