/*
** Sets of words that the ledger only adds to: the roles of a user, the actions
** of a role.
**
**     UPDATE ledger_users SET roles = '["Reader"]' WHERE user_id = '...';
**
** Requests at COMMIT: PATCH or PUT; where words must go GET, DELETE, PATCH (or
** PUT), its status until it is final, GET; a PATCH before the DELETE where the
** ledger may not know a word, so that it is refused while nothing is lost.
** Versions in which a PATCH of a role replaces its actions need no DELETE.
**
** Invariants
**   - PATCH only adds (CONTRACT.md 5): what must go is taken away by deleting
**     first, and what the ledger then holds is compared with what was asked
**     for, once that is committed. A difference is an error that names it;
**     where a change of view took a step back, all is done again, by what the
**     ledger then holds;
**   - the caller's own roles are never taken away on the way to others;
**   - when what was deleted can't be written anew, what it held is given back,
**     once. A process that is killed in between leaves it deleted: the API has
**     no way to take roles away in one step.
*/
#include "sqlite/table/table.h"

#include <string.h>

#define WORDS_LOST 10 /* changes of view in a row that end it */

/* The words of an answer as a JSON array into *pOut; no text where it holds
** none for the key. */
static int wordsOf(const LedgerWords *pWords, LedgerJson *pDoc,
                   const char *zKey, LedgerBuf *pOut, LedgerError *pErr) {
  cJSON *pList = NULL, *pOne = NULL;
  const char *z;
  size_t n = 0;

  ledgerBufReset(pOut);
  if( pDoc == NULL || !pWords->xFind(pDoc, zKey, &pList, &pOne) ) {
    return LEDGER_OK;
  }
  ledgerBufText(pOut, "[");
  z = pOne ? ledgerJsonText(pDoc, pOne, &n) : NULL;
  if( z ) ledgerBufJson(pOut, z, n);
  for( pList = pList ? pList->child : NULL; pList; pList = pList->next ) {
    z = ledgerJsonText(pDoc, pList, &n);
    if( z == NULL ) continue;
    if( pOut->n > 1 ) ledgerBufText(pOut, ",");
    ledgerBufJson(pOut, z, n);
  }
  ledgerBufText(pOut, "]");
  return pOut->bOom ? ledgerErrorNomem(pErr) : LEDGER_OK;
}

int ledgerWordsHeld(LedgerChangeSend *p, const LedgerWords *pWords,
                    const char *zKey, LedgerBuf *pOut, LedgerError *pErr) {
  LedgerCall *pCall = NULL;
  LedgerJson *pDoc = NULL;
  if( ledgerChangeSendRead(p, pWords->pRouteOne, zKey, &pCall, &pDoc, pErr) ==
      LEDGER_OK ) {
    wordsOf(pWords, pDoc, zKey, pOut, pErr);
  }
  ledgerCallFree(pCall);
  return pErr->rc;
}

int ledgerWordsWithin(const char *zA, const char *zB, int *pbWithin,
                      LedgerError *pErr) {
  LedgerJson *pA = NULL, *pB = NULL;
  cJSON *a, *b;
  *pbWithin = 0;
  if( ledgerJsonParse(zA, strlen(zA), "roles", &pA, pErr) ||
      ledgerJsonParse(zB, strlen(zB), "roles", &pB, pErr) ) {
    goto out;
  }
  *pbWithin = 1;
  for( a = ledgerJsonRoot(pA)->child; a; a = a->next ) {
    const char *z = ledgerJsonText(pA, a, NULL);
    for( b = ledgerJsonRoot(pB)->child; b; b = b->next ) {
      const char *z2 = ledgerJsonText(pB, b, NULL);
      if( z && z2 && strcmp(z, z2) == 0 ) break;
    }
    if( b == NULL ) *pbWithin = 0;
  }
out:
  ledgerJsonFree(pA);
  ledgerJsonFree(pB);
  return pErr->rc;
}

/* Compares what the ledger holds with what the row asked for. */
static int wordsCompare(LedgerQueued *pRow, const char *zHave,
                        LedgerError *pErr) {
  int b1 = 0, b2 = 0;
  if( ledgerWordsWithin(pRow->zContents, zHave, &b1, pErr) ||
      ledgerWordsWithin(zHave, pRow->zContents, &b2, pErr) || (b1 && b2) ) {
    return pErr->rc;
  }
  pRow->eState = LEDGER_ROW_REFUSED;
  return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "%s holds %s now, not %s",
                        pRow->zKey, zHave, pRow->zContents);
}

int ledgerWordsNotSelf(LedgerClient *pClient, const char *zUser,
                       LedgerError *pErr) {
  LedgerFacts facts;
  ledgerClientFacts(pClient, &facts);
  if( facts.zPrincipal && sqlite3_stricmp(facts.zPrincipal, zUser) != 0 ) {
    return LEDGER_OK;
  }
  return ledgerErrorSet(
      pErr, LEDGER_CONSTRAINT,
      "user %s: roles can only be taken away by deleting the user first, and "
      "%s: another Administrator has to do it",
      zUser,
      facts.zPrincipal ? "this is you" : "whether this is you isn't known");
}

/* The ledger has refused these words, as it does where it doesn't know one, and
** it can't list those that it knows: says which there are. */
static void wordsUnknown(const LedgerWords *pWords, const char *zWords,
                         LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf known = {0};
  int bKnown = 0;
  ledgerBufPrintf(&known, "[%s]", pWords->zBuiltIn);
  if( !known.bOom &&
      ledgerWordsWithin(zWords, known.z, &bKnown, &err) == LEDGER_OK &&
      !bKnown ) {
    ledgerErrorWrap(pErr, pErr,
                    "%s; there are the roles %s and those put into "
                    "ledger_roles",
                    ledgerErrorText(pErr), known.z);
  }
  ledgerBufFree(&known);
  ledgerErrorClear(&err);
}

/* Sends one write of these words. */
static int wordsWrite(LedgerChangeSend *p, const LedgerWords *pWords,
                      const char *zMethod, const char *zWords,
                      LedgerCall **ppCall, LedgerError *pErr) {
  const char *zKey = p->pRow->zKey;
  LedgerBuf body = {0};
  pWords->xBody(&body, zKey, zWords);
  if( body.bOom ) {
    ledgerErrorNomem(pErr);
  } else {
    ledgerChangeSendWrite(p, zMethod, pWords->pRouteWrite,
                          pWords->bKeyInPath ? zKey : NULL, body.z, ppCall,
                          pErr);
  }
  ledgerBufFree(&body);
  if( pErr->http == 400 && pWords->zBuiltIn ) {
    wordsUnknown(pWords, zWords, pErr);
  }
  return pErr->rc;
}

/* What was deleted could not be written as it was asked for: writes what was
** there before. pErr, which says why, tells how that went too. */
static void wordsRestore(LedgerChangeSend *p, const LedgerWords *pWords,
                         const char *zHad, LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerCall *pCall = NULL;

  wordsWrite(p, pWords, pWords->zNew, zHad, &pCall, &err);
  ledgerErrorWrap(pErr, pErr, "%s; what it held before, %s, %s%s",
                  ledgerErrorText(pErr), zHad,
                  err.rc ? "could not be given back: " : "was given back",
                  err.rc ? ledgerErrorText(&err) : "");
  p->pRow->eState = LEDGER_ROW_REFUSED;
  ledgerErrorClear(&err);
  ledgerCallFree(pCall);
}

/* Does the ledger surely know every word that the row asks for? It knows what
** the row holds, zHave, and the words that it came with. */
static int wordsKnown(const LedgerQueued *pRow, const LedgerWords *pWords,
                      const char *zHave, int *pbKnown, LedgerError *pErr) {
  LedgerBuf known = {0};
  int rc;

  ledgerBufAppend(&known, zHave, strlen(zHave) - 1); /* without its bracket */
  if( pWords->zBuiltIn ) {
    ledgerBufPrintf(&known, "%s%s", known.n > 1 ? "," : "", pWords->zBuiltIn);
  }
  ledgerBufText(&known, "]");
  rc = known.bOom ? ledgerErrorNomem(pErr)
                  : ledgerWordsWithin(pRow->zContents, known.z, pbKnown, pErr);
  ledgerBufFree(&known);
  return rc;
}

/* Deletes the key, whose words, zHave, are more than what is asked for. */
static int wordsDelete(LedgerChangeSend *p, const LedgerWords *pWords,
                       const char *zHave, LedgerError *pErr) {
  LedgerQueued *pRow = p->pRow;
  LedgerCall *pCall = NULL;
  int bKnown = 1;
  if( pWords->bIsUser && ledgerWordsNotSelf(p->pClient, pRow->zKey, pErr) ) {
    pRow->eState = LEDGER_ROW_REFUSED;
    return pErr->rc;
  }
  if( wordsKnown(pRow, pWords, zHave, &bKnown, pErr) ) return pErr->rc;
  if( !bKnown &&
      wordsWrite(p, pWords, "PATCH", pRow->zContents, &pCall, pErr) ) {
    goto out;
  }
  ledgerCallFree(pCall);
  pCall = NULL;
  ledgerChangeSendWrite(p, "DELETE", pWords->pRouteOne, pRow->zKey, NULL,
                        &pCall, pErr);
out:
  ledgerCallFree(pCall);
  return pErr->rc;
}

/* Makes the words equal to those given. *pbLost: a change of view took some of
** that back. With bAgain it did so before, and may have left the key deleted:
** then the answer of the write isn't enough. */
static int wordsOnce(LedgerChangeSend *p, const LedgerWords *pWords, int bAgain,
                     int *pbLost, LedgerError *pErr) {
  LedgerQueued *pRow = p->pRow;
  const char *zMethod = pWords->zNew;
  LedgerCall *pCall = NULL;
  LedgerBuf have = {0};
  LedgerTxid gone = {0, 0};
  int bWithin = 1;

  *pbLost = 0;
  if( pRow->eChange == LEDGER_CHANGE_DELETE ) {
    ledgerChangeSendWrite(p, "DELETE", pWords->pRouteOne, pRow->zKey, NULL,
                          &pCall, pErr);
    goto out;
  }
  if( pRow->eChange != LEDGER_CHANGE_INSERT &&
      ledgerClientManyRoles(p->pClient) ) {
    if( ledgerWordsHeld(p, pWords, pRow->zKey, &have, pErr) ||
        (have.n > 0 &&
         ledgerWordsWithin(have.z, pRow->zContents, &bWithin, pErr)) ) {
      goto out;
    }
    /* The first answer may have chosen a version with one role per user. */
    if( !ledgerClientManyRoles(p->pClient) ) bWithin = 1;
    if( have.n > 0 && pWords->xReplaced ) {
      zMethod = "PATCH"; /* it is there: add, or replace */
      if( pWords->xReplaced(p->pClient) ) bWithin = 1;
    }
    if( !bWithin ) {
      zMethod = pWords->zNew;
      if( wordsDelete(p, pWords, have.z, pErr) ) goto out;
      gone = pRow->id;
    }
  }
  if( wordsWrite(p, pWords, zMethod, pRow->zContents, &pCall, pErr) ) {
    if( !bWithin && pRow->eState != LEDGER_UNKNOWN ) {
      wordsRestore(p, pWords, have.z, pErr);
    }
    goto out;
  }
  if( bWithin && !bAgain ) {
    wordsOf(pWords, ledgerWriteAnswer(pCall), pRow->zKey, &have, pErr);
  } else {
    ledgerBufReset(&have);
  }
  if( pErr->rc == LEDGER_OK && have.n == 0 ) {
    /* The answer of older versions doesn't say; or it went in two steps. */
    if( ledgerChangeSendCommitted(p, gone, pbLost, pErr) || *pbLost ) goto out;
    ledgerWordsHeld(p, pWords, pRow->zKey, &have, pErr);
  }
  if( pErr->rc == LEDGER_OK ) {
    wordsCompare(pRow, have.n ? have.z : "[]", pErr);
  }

out:
  ledgerCallFree(pCall);
  ledgerBufFree(&have);
  return pErr->rc;
}

int ledgerWordsSend(LedgerChangeSend *p, LedgerError *pErr) {
  const LedgerWords *pWords = p->pRow->pKind->pWords;
  int bLost = 0, nLost = 0;
  while( wordsOnce(p, pWords, nLost > 0, &bLost, pErr) == LEDGER_OK && bLost ) {
    memset(&p->after, 0, sizeof(p->after));
    if( ++nLost == WORDS_LOST ) {
      ledgerErrorSet(pErr, LEDGER_BUSY,
                     "changes of view took it back, %d times in a row", nLost);
      break;
    }
  }
  return pErr->rc;
}
