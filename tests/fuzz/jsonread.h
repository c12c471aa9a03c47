/*
** Holds base/jsonread.c against cJSON (base/json.c): what the one reads to its
** end the other reads too, to the same values. For tests/fuzz/jsonread.c and
** tests/unit/jsonread.c.
*/
#ifndef LEDGER_FUZZ_JSONREAD_H
#define LEDGER_FUZZ_JSONREAD_H

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value as both write it: texts with their length, so that NULs count. */
static inline void jsonReadPutText(LedgerBuf *p, const char *z, size_t n) {
  ledgerBufPrintf(p, "%zu\"", n);
  ledgerBufAppend(p, z, n);
}

/* What the tree holds. */
static inline void jsonReadTree(LedgerJson *pDoc, cJSON *pVal,
                                LedgerBuf *pOut) {
  cJSON *p;
  size_t n = 0;
  if( cJSON_IsString(pVal) ) {
    const char *z = ledgerJsonText(pDoc, pVal, &n);
    jsonReadPutText(pOut, z, n);
  } else if( cJSON_IsArray(pVal) || cJSON_IsObject(pVal) ) {
    ledgerBufText(pOut, cJSON_IsArray(pVal) ? "[" : "{");
    for( p = pVal->child; p; p = p->next ) {
      if( cJSON_IsObject(pVal) ) {
        jsonReadPutText(pOut, p->string, strlen(p->string));
      }
      jsonReadTree(pDoc, p, pOut);
    }
    ledgerBufText(pOut, cJSON_IsArray(pVal) ? "]" : "}");
  } else if( cJSON_IsNumber(pVal) ) {
    ledgerBufPrintf(pOut, "#%.0f", pVal->valuedouble);
  } else {
    ledgerBufText(pOut, cJSON_IsNull(pVal)   ? "null"
                        : cJSON_IsTrue(pVal) ? "true"
                                             : "false");
  }
}

/* The same, read in place. Texts are told by where they stand until all is
** read; zText is a copy, in which they are then unescaped. */
static inline void jsonReadPlace(LedgerJsonRead *p, char *zText,
                                 LedgerBuf *pOut, int nDepth) {
  LedgerJsonNames names = {0, {{0, 0, 0}}};
  LedgerJsonSpan span;
  size_t i;
  if( nDepth > 200 ) {
    p->bOdd = 1;
  } else if( ledgerJsonReadPeek(p, '"') ) {
    if( ledgerJsonReadText(p, &span) ) {
      const char *z = ledgerJsonSpanText(zText, &span);
      jsonReadPutText(pOut, z, span.n);
    }
  } else if( ledgerJsonReadPeek(p, '[') ) {
    ledgerBufText(pOut, "[");
    ledgerJsonReadOpen(p, '[');
    while( ledgerJsonReadItem(p) ) jsonReadPlace(p, zText, pOut, nDepth + 1);
    ledgerBufText(pOut, "]");
  } else if( ledgerJsonReadPeek(p, '{') ) {
    ledgerBufText(pOut, "{");
    ledgerJsonReadOpen(p, '{');
    while( ledgerJsonReadName(p, &names, &span) ) {
      jsonReadPutText(pOut, p->z + span.i, span.n);
      jsonReadPlace(p, zText, pOut, nDepth + 1);
    }
    ledgerBufText(pOut, "}");
  } else {
    ledgerJsonReadPeek(p, ' ');
    i = p->i;
    if( ledgerJsonReadSkip(p) ) {
      if( ledgerIsDigit(p->z[i]) ) ledgerBufText(pOut, "#");
      ledgerBufAppend(pOut, p->z + i, p->i - i);
    }
  }
}

/* NULL where both agree on z[n], else what is wrong. *pbRead is 1 where it was
** read in place. */
static inline const char *jsonReadDiffers(const char *z, size_t n,
                                          int *pbRead) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf place = {0}, tree = {0};
  LedgerJson *pDoc = NULL;
  LedgerJsonRead read, skip;
  char *zText = malloc(n + 1), *zSame = malloc(n + 1);
  const char *zWrong = NULL;
  if( zText == NULL || zSame == NULL ) abort();
  memcpy(zText, z, n);
  memcpy(zSame, z, n);
  ledgerJsonReadStart(&read, zSame, n);
  jsonReadPlace(&read, zText, &place, 0);
  *pbRead = ledgerJsonReadEnd(&read);
  ledgerJsonReadStart(&skip, zSame, n);
  ledgerJsonReadSkip(&skip);
  if( memcmp(zSame, z, n) != 0 ) {
    zWrong = "reading has changed the text";
  } else if( ledgerJsonReadEnd(&skip) && !*pbRead ) {
    zWrong = "what can be passed over can't be read";
  } else if( *pbRead ) {
    if( ledgerJsonParse(z, n, "text", &pDoc, &err) ) {
      zWrong = "cJSON or json.c refuses it";
    } else {
      jsonReadTree(pDoc, ledgerJsonRoot(pDoc), &tree);
      if( tree.z == NULL || place.z == NULL || tree.n != place.n ||
          memcmp(tree.z, place.z, tree.n) != 0 ) {
        zWrong = "the values differ";
      }
    }
  }
  ledgerJsonFree(pDoc);
  ledgerErrorClear(&err);
  ledgerBufFree(&place);
  ledgerBufFree(&tree);
  free(zText);
  free(zSame);
  return zWrong;
}

#endif /* LEDGER_FUZZ_JSONREAD_H */
