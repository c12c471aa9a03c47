/*
** Tags: as a user writes them, and as MATCH asks for them.
**
**     INSERT INTO ledger_entries(contents, tags) VALUES('x', 'red,urgent');
**     SELECT * FROM ledger_entries WHERE tags MATCH 'red AND NOT urgent';
**
** The language of MATCH: terms are words or "quoted text"; AND binds closer
** than OR, NOT stands before what it denies, parentheses group. Two terms side
** by side are joined by AND. Keywords are upper case.
*/
#include "sqlite/read/read.h"

#include <string.h>

/* Adds one tag to the comma list. */
static int tagsAdd(LedgerBuf *pWire, int *pnTag, const char *z, size_t n,
                   LedgerError *pErr) {
  size_t i;
  while( n > 0 && z[0] == ' ' ) z++, n--;
  while( n > 0 && z[n - 1] == ' ' ) n--;
  if( n == 0 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT, "tags: a tag is empty");
  }
  for( i = 0; i < n; i++ ) {
    unsigned char c = (unsigned char)z[i];
    if( c < 0x20 || c == 0x7f || c == ',' ) {
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "tags: a tag holds no comma and no control "
                            "character");
    }
  }
  if( ++*pnTag > LEDGER_MAX_TAGS ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "tags: an entry has at most %d", LEDGER_MAX_TAGS);
  }
  if( pWire->n ) ledgerBufAppend(pWire, ",", 1);
  ledgerBufAppend(pWire, z, n);
  return LEDGER_OK;
}

int ledgerMatchTags(const char *z, size_t n, char **pzWire, LedgerError *pErr) {
  LedgerBuf wire = {0};
  LedgerJson *pDoc = NULL;
  int nTag = 0, rc = LEDGER_OK;

  *pzWire = NULL;
  if( !ledgerUtf8Valid(z, n) ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "tags: they are not valid UTF-8");
  }
  if( n > 0 && z[0] == '[' ) {
    cJSON *pTag;
    rc = ledgerJsonParse(z, n, "tags", &pDoc, pErr);
    if( rc ) goto out;
    for( pTag = ledgerJsonRoot(pDoc)->child; pTag; pTag = pTag->next ) {
      size_t nText = 0;
      const char *zText = ledgerJsonText(pDoc, pTag, &nText);
      if( zText == NULL ) {
        rc = ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "tags: the array holds something other than text");
        goto out;
      }
      rc = tagsAdd(&wire, &nTag, zText, nText, pErr);
      if( rc ) goto out;
    }
  } else {
    size_t i, iStart = 0;
    for( i = 0; n > 0 && i <= n; i++ ) {
      if( i < n && z[i] != ',' ) continue;
      rc = tagsAdd(&wire, &nTag, z + iStart, i - iStart, pErr);
      if( rc ) goto out;
      iStart = i + 1;
    }
  }
  if( nTag > 0 ) {
    *pzWire = ledgerBufTake(&wire);
    if( *pzWire == NULL ) rc = ledgerErrorNomem(pErr);
  }

out:
  ledgerJsonFree(pDoc);
  ledgerBufFree(&wire);
  if( rc && rc != LEDGER_NOMEM ) pErr->rc = rc = LEDGER_CONSTRAINT;
  return rc;
}

/* ---- MATCH --------------------------------------------------------------- */

enum {
  MATCH_END,
  MATCH_TERM,
  MATCH_AND,
  MATCH_OR,
  MATCH_NOT,
  MATCH_OPEN,
  MATCH_CLOSE,
  MATCH_BAD
};

typedef struct MatchParser MatchParser;
struct MatchParser {
  const char *z;     /* the expression */
  size_t i;          /* behind the token */
  int eToken;        /* the token at hand */
  const char *zTerm; /* MATCH_TERM: its text ... */
  size_t nTerm;      /* ... not yet unquoted */
  int bQuoted;
  int nDepth;        /* of parentheses and NOTs */
  int nTerms;        /* terms met */
  int nOps;          /* operators met */
  LedgerJson *pTags; /* what it is evaluated on, or NULL */
};

#define MATCH_DEPTH 50

static void matchNext(MatchParser *p) {
  const char *z = p->z;
  size_t iStart;
  while( z[p->i] == ' ' || z[p->i] == '\t' || z[p->i] == '\n' ) p->i++;
  iStart = p->i;
  switch( z[p->i] ) {
    case 0: p->eToken = MATCH_END; return;
    case '(': p->i++, p->eToken = MATCH_OPEN; return;
    case ')': p->i++, p->eToken = MATCH_CLOSE; return;
    case '"':
      p->i++;
      while( z[p->i] && (z[p->i] != '"' || z[p->i + 1] == '"') ) {
        p->i += z[p->i] == '"' ? 2 : 1;
      }
      p->zTerm = z + iStart + 1;
      p->nTerm = p->i - iStart - 1;
      p->bQuoted = 1;
      p->eToken = z[p->i] && p->nTerm ? MATCH_TERM : MATCH_BAD;
      if( z[p->i] ) p->i++;
      return;
    default: break;
  }
  while( z[p->i] && !strchr(" \t\n()\"", z[p->i]) ) p->i++;
  p->zTerm = z + iStart;
  p->nTerm = p->i - iStart;
  p->bQuoted = 0;
  p->eToken = MATCH_TERM;
  if( p->nTerm == 3 && memcmp(p->zTerm, "AND", 3) == 0 ) p->eToken = MATCH_AND;
  if( p->nTerm == 2 && memcmp(p->zTerm, "OR", 2) == 0 ) p->eToken = MATCH_OR;
  if( p->nTerm == 3 && memcmp(p->zTerm, "NOT", 3) == 0 ) p->eToken = MATCH_NOT;
}

/* The text of the term at hand, unquoted (sqlite3_free). */
static char *matchTerm(const MatchParser *p) {
  char *z = sqlite3_malloc64(p->nTerm + 1);
  size_t i, n = 0;
  if( z == NULL ) return NULL;
  for( i = 0; i < p->nTerm; i++ ) {
    z[n++] = p->zTerm[i];
    if( p->bQuoted && p->zTerm[i] == '"' ) i++;
  }
  z[n] = 0;
  return z;
}

static int matchBad(MatchParser *p, LedgerError *pErr) {
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "tags MATCH '%.100s': expected a tag, with AND, OR, "
                        "NOT and parentheses",
                        p->z);
}

/* Is the text one of the tags? pTags NULL: there are none. */
static int matchHas(LedgerJson *pTags, const char *z) {
  cJSON *pTag = pTags ? ledgerJsonRoot(pTags)->child : NULL;
  for( ; pTag; pTag = pTag->next ) {
    const char *zTag = ledgerJsonText(pTags, pTag, NULL);
    if( zTag && strcmp(zTag, z) == 0 ) return 1;
  }
  return 0;
}

static int matchOr(MatchParser *p, int *pb, LedgerError *pErr);

static int matchUnary(MatchParser *p, int *pb, LedgerError *pErr) {
  int rc;
  if( ++p->nDepth > MATCH_DEPTH ) return matchBad(p, pErr);
  if( p->eToken == MATCH_NOT ) {
    p->nOps++;
    matchNext(p);
    rc = matchUnary(p, pb, pErr);
    *pb = !*pb;
  } else if( p->eToken == MATCH_OPEN ) {
    matchNext(p);
    rc = matchOr(p, pb, pErr);
    if( rc == LEDGER_OK && p->eToken != MATCH_CLOSE ) rc = matchBad(p, pErr);
    matchNext(p);
  } else if( p->eToken == MATCH_TERM ) {
    char *zTerm = matchTerm(p);
    if( zTerm == NULL ) return ledgerErrorNomem(pErr);
    *pb = matchHas(p->pTags, zTerm);
    sqlite3_free(zTerm);
    p->nTerms++;
    matchNext(p);
    rc = LEDGER_OK;
  } else {
    rc = matchBad(p, pErr);
  }
  p->nDepth--;
  return rc;
}

static int matchAnd(MatchParser *p, int *pb, LedgerError *pErr) {
  int rc = matchUnary(p, pb, pErr);
  while( rc == LEDGER_OK &&
         (p->eToken == MATCH_AND || p->eToken == MATCH_NOT ||
          p->eToken == MATCH_TERM || p->eToken == MATCH_OPEN) ) {
    int b = 0;
    p->nOps++;
    if( p->eToken == MATCH_AND ) matchNext(p);
    rc = matchUnary(p, &b, pErr);
    *pb = *pb && b;
  }
  return rc;
}

static int matchOr(MatchParser *p, int *pb, LedgerError *pErr) {
  int rc = matchAnd(p, pb, pErr);
  while( rc == LEDGER_OK && p->eToken == MATCH_OR ) {
    int b = 0;
    p->nOps++;
    matchNext(p);
    rc = matchAnd(p, &b, pErr);
    *pb = *pb || b;
  }
  return rc;
}

static int matchRun(MatchParser *p, int *pb, LedgerError *pErr) {
  int rc;
  matchNext(p);
  rc = matchOr(p, pb, pErr);
  if( rc == LEDGER_OK && p->eToken != MATCH_END ) rc = matchBad(p, pErr);
  return rc;
}

int ledgerMatchCheck(const char *zExpr, char **pzTag, LedgerError *pErr) {
  MatchParser parser, first;
  int b = 0, rc;
  *pzTag = NULL;
  memset(&parser, 0, sizeof(parser));
  parser.z = zExpr;
  first = parser;
  rc = matchRun(&parser, &b, pErr);
  if( rc == LEDGER_OK && parser.nTerms == 1 && parser.nOps == 0 ) {
    do {
      matchNext(&first);
    } while( first.eToken == MATCH_OPEN );
    *pzTag = matchTerm(&first);
    if( *pzTag == NULL ) rc = ledgerErrorNomem(pErr);
  }
  return rc;
}

int ledgerMatchEval(const char *zExpr, const char *zTags, int *pbMatch,
                    LedgerError *pErr) {
  MatchParser parser;
  int rc = LEDGER_OK;
  memset(&parser, 0, sizeof(parser));
  parser.z = zExpr;
  if( zTags ) {
    rc = ledgerJsonParse(zTags, strlen(zTags), "tags", &parser.pTags, pErr);
  }
  if( rc == LEDGER_OK ) rc = matchRun(&parser, pbMatch, pErr);
  ledgerJsonFree(parser.pTags);
  return rc;
}

int ledgerMatchHas(const char *zTags, const char *zTag, int *pb,
                   LedgerError *pErr) {
  LedgerJson *pTags = NULL;
  *pb = 0;
  if( zTags &&
      ledgerJsonParse(zTags, strlen(zTags), "tags", &pTags, pErr) == 0 ) {
    *pb = matchHas(pTags, zTag);
  }
  ledgerJsonFree(pTags);
  return pErr->rc;
}

/* match(expression, tags), the form that SQLite gives to tags MATCH '...'. */
int ledgerMatchText(sqlite3_value *pVal, const char **pz, LedgerError *pErr) {
  *pz = (const char *)sqlite3_value_text(pVal);
  if( *pz && strlen(*pz) != (size_t)sqlite3_value_bytes(pVal) ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "tags MATCH: it can't hold a NUL");
  }
  return LEDGER_OK;
}

void ledgerMatchFunction(sqlite3_context *pCtx, int nArg,
                         sqlite3_value **apArg) {
  LedgerError err = LEDGER_ERROR_INIT;
  const char *zTags = (const char *)sqlite3_value_text(apArg[1]);
  const char *zExpr = NULL;
  int b = 0;
  (void)nArg;
  if( zTags && zTags[0] != '[' ) { /* another column: it is not told which */
    ledgerErrorSet(&err, LEDGER_ERROR,
                   "MATCH is for the column tags; write LIKE or GLOB for "
                   "another");
  } else if( ledgerMatchText(apArg[0], &zExpr, &err) == LEDGER_OK && zExpr &&
             ledgerMatchEval(zExpr, zTags, &b, &err) == LEDGER_OK ) {
    sqlite3_result_int(pCtx, b);
  }
  if( err.rc ) ledgerErrorFunction(pCtx, &err);
}
