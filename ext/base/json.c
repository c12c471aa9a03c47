/*
** Strict JSON over cJSON.
**
** cJSON is lenient where a client of a ledger must not be: it lets invalid
** UTF-8, raw control characters, odd numbers and repeated members pass, and it
** ends a string at an escaped NUL. One scan before cJSON refuses the first
** three and finds the NULs; one walk behind it refuses the fourth. cJSON says
** neither that memory was short nor that a text is no JSON: a text that it
** refuses is read once more, and where nothing is wrong with it, memory was.
**
** A NUL in a string (written \u0000) is data. The scan rewrites the escape to
** that of a character which the text does not contain; ledgerJsonText() puts
** the NUL back when the string is read.
*/
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

struct LedgerJson {
  cJSON *pRoot;
  int nStandIn;     /* bytes of zStandIn; 0: the text holds no NUL */
  char zStandIn[4]; /* UTF-8 of the character that stands for a NUL */
};

/* State of the scan before cJSON. */
typedef struct JsonScan JsonScan;
struct JsonScan {
  const char *z;        /* the text */
  size_t n;             /* its bytes */
  const char *zProblem; /* what is wrong, or NULL */
  size_t nNul;          /* escaped NULs found */
};

static int jsonHex4(const char *z) {
  unsigned char a[2];
  return ledgerHexDecode(z, 4, a, 2) ? a[0] * 256 + a[1] : -1;
}

/* Passes over the string that starts behind the quote at i; returns the index
** behind its closing quote, or 0 with zProblem set. */
static size_t jsonScanString(JsonScan *p, size_t i) {
  while( i < p->n ) {
    unsigned char c = (unsigned char)p->z[i];
    if( c == '"' ) return i + 1;
    if( c < 0x20 ) break;
    if( c == '\\' ) {
      if( i + 1 < p->n && p->z[i + 1] == 'u' ) {
        int v = i + 6 <= p->n ? jsonHex4(p->z + i + 2) : -1;
        if( v < 0 ) break;
        if( v == 0 ) p->nNul++;
        i += 6;
      } else if( i + 1 < p->n && p->z[i + 1] &&
                 strchr("\"\\/bfnrt", p->z[i + 1]) ) {
        i += 2;
      } else {
        break;
      }
      continue;
    }
    i++;
  }
  p->zProblem =
      i < p->n ? "a string is not in JSON's form" : "it ends within a string";
  return 0;
}

/* Passes over the number at i by RFC 8259; 0 with zProblem set if it is none.
*/
static size_t jsonScanNumber(JsonScan *p, size_t i) {
  const char *z = p->z;
  size_t n = p->n, iStart;
#define JSON_DIGIT(k) ((k) < n && z[k] >= '0' && z[k] <= '9')
  if( z[i] == '-' ) i++;
  if( !JSON_DIGIT(i) ) goto bad;
  if( z[i] == '0' && JSON_DIGIT(i + 1) ) goto bad;
  while( JSON_DIGIT(i) ) i++;
  if( i < n && z[i] == '.' ) {
    for( iStart = ++i; JSON_DIGIT(i); i++ ) {
    }
    if( i == iStart ) goto bad;
  }
  if( i < n && (z[i] == 'e' || z[i] == 'E') ) {
    i++;
    if( i < n && (z[i] == '+' || z[i] == '-') ) i++;
    for( iStart = i; JSON_DIGIT(i); i++ ) {
    }
    if( i == iStart ) goto bad;
  }
#undef JSON_DIGIT
  return i;
bad:
  p->zProblem = "a number is not in JSON's form";
  return 0;
}

/* The scan: UTF-8, nesting, strings, numbers, and how many values there are: a
** small one costs much more memory than bytes. Structure is cJSON's business.
*/
static int jsonScan(JsonScan *p) {
  size_t i = 0;
  size_t nValue = 1;
  int nDepth = 0;
  if( !ledgerUtf8Valid(p->z, p->n) ) {
    p->zProblem = "it is not valid UTF-8";
    return 0;
  }
  while( i < p->n ) {
    char c = p->z[i];
    if( c == '"' ) {
      i = jsonScanString(p, i + 1);
      if( i == 0 ) return 0;
    } else if( c == '-' || (c >= '0' && c <= '9') ) {
      i = jsonScanNumber(p, i);
      if( i == 0 ) return 0;
    } else {
      if( (unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r' ) {
        p->zProblem = "there is a control character between its tokens";
        return 0;
      }
      if( (c == '{' || c == '[') && ++nDepth > LEDGER_JSON_DEPTH ) {
        p->zProblem = "it is nested too deeply";
        return 0;
      }
      if( c == '}' || c == ']' ) nDepth--;
      if( (c == ',' || c == '{' || c == '[') &&
          ++nValue > LEDGER_JSON_VALUES ) {
        p->zProblem = "it holds too many values";
        return 0;
      }
      i++;
    }
  }
  return 1;
}

/* ---- what cJSON refuses ------------------------------------------------- */

#define JSON_NUMBER 63 /* bytes of a number that cJSON reads */

static size_t jsonSpace(const JsonScan *p, size_t i) {
  while( i < p->n && strchr(" \t\r\n", p->z[i]) && p->z[i] ) i++;
  return i;
}

/* Is there no surrogate by itself among the escapes of z[i..iEnd)? */
static int jsonPaired(const JsonScan *p, size_t i, size_t iEnd) {
  int bHigh = 0;
  while( i < iEnd ) {
    int v = 0;
    size_t nByte = 1;
    if( p->z[i] == '\\' ) {
      nByte = p->z[i + 1] == 'u' ? 6 : 2;
      if( nByte == 6 ) v = jsonHex4(p->z + i + 2);
    }
    if( bHigh != (v >= 0xdc00 && v <= 0xdfff) ) return 0;
    bHigh = v >= 0xd800 && v <= 0xdbff;
    i += nByte;
  }
  return !bHigh;
}

/* Behind the value at i, or 0 where it is none, or one that cJSON can't read.
** The nesting is bounded by the scan. */
static size_t jsonValue(JsonScan *p, size_t i) {
  static const char *const azWord[] = {"null", "true", "false"};
  size_t iEnd, k;
  char cEnd;

  i = jsonSpace(p, i);
  if( i >= p->n ) return 0;
  if( p->z[i] == '"' ) {
    iEnd = jsonScanString(p, i + 1);
    return iEnd && jsonPaired(p, i + 1, iEnd - 1) ? iEnd : 0;
  }
  if( p->z[i] == '-' || ledgerIsDigit(p->z[i]) ) {
    iEnd = jsonScanNumber(p, i);
    return iEnd <= i + JSON_NUMBER ? iEnd : 0;
  }
  for( k = 0; k < sizeof(azWord) / sizeof(azWord[0]); k++ ) {
    const size_t nWord = strlen(azWord[k]);
    if( p->n - i >= nWord && memcmp(p->z + i, azWord[k], nWord) == 0 ) {
      return i + nWord;
    }
  }
  if( p->z[i] != '{' && p->z[i] != '[' ) return 0;
  cEnd = p->z[i] == '{' ? '}' : ']';
  i = jsonSpace(p, i + 1);
  if( i < p->n && p->z[i] == cEnd ) return i + 1;
  for( ;; i++ ) {
    if( cEnd == '}' ) { /* the name */
      i = jsonSpace(p, i);
      if( i >= p->n || p->z[i] != '"' ) return 0;
      i = jsonValue(p, i);
      if( i == 0 ) return 0;
      i = jsonSpace(p, i);
      if( i >= p->n || p->z[i] != ':' ) return 0;
      i++;
    }
    i = jsonValue(p, i);
    if( i == 0 ) return 0;
    i = jsonSpace(p, i);
    if( i >= p->n || (p->z[i] != ',' && p->z[i] != cEnd) ) return 0;
    if( p->z[i] == cEnd ) return i + 1;
  }
}

/* Is nothing wrong with z[n], which the scan let through and cJSON refused? */
static int jsonIsWhole(const char *z, size_t n) {
  JsonScan scan = {z, n, NULL, 0};
  const size_t nMark = n >= 3 && memcmp(z, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  const size_t i = jsonValue(&scan, nMark);
  return i && jsonSpace(&scan, i) == n;
}

/* ---- reading ------------------------------------------------------------ */

/*
** Chooses a three-byte character (U+0800 to U+FFFF, no surrogate) that the
** text contains neither raw nor escaped. A text that holds all of them is over
** 180,000 bytes of nothing else; it is refused. Returns 0 then.
*/
static int jsonStandIn(const char *z, size_t n) {
  unsigned char aSeen[0x10000 / 8];
  size_t i;
  int v;
  memset(aSeen, 0, sizeof(aSeen));
  for( i = 0; i + 2 < n; i++ ) {
    unsigned char c = (unsigned char)z[i];
    v = 0;
    if( (c & 0xf0) == 0xe0 ) {
      v = (c & 15) << 12 | (z[i + 1] & 63) << 6 | (z[i + 2] & 63);
    } else if( c == '\\' && z[i + 1] == 'u' && i + 6 <= n ) {
      v = jsonHex4(z + i + 2); /* "\\u..." marks one too many: harmless */
    }
    if( v > 0 ) aSeen[v >> 3] |= (unsigned char)(1 << (v & 7));
  }
  for( v = 0xfdd0; v >= 0x800; v-- ) {
    if( v >= 0xd800 && v <= 0xdfff ) continue;
    if( (aSeen[v >> 3] & (1 << (v & 7))) == 0 ) return v;
  }
  return 0;
}

/* Rewrites each escaped NUL in the copy z to the escape of v. */
static void jsonReplaceNul(char *z, size_t n, int v) {
  static const char zDigit[] = "0123456789abcdef";
  size_t i;
  for( i = 0; i + 1 < n; i++ ) {
    if( z[i] != '\\' ) continue;
    if( z[i + 1] == 'u' && i + 6 <= n && jsonHex4(z + i + 2) == 0 ) {
      int k;
      for( k = 0; k < 4; k++ ) z[i + 2 + k] = zDigit[(v >> (12 - 4 * k)) & 15];
    }
    i++; /* the escaped character, be it a backslash, is passed over */
  }
}

static int jsonCompareName(const void *a, const void *b) {
  return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

#define JSON_FEW 8 /* members that are compared in pairs */

/* Does no member of this object, which has n, stand twice? Returns 1, 0, or -1
** when memory is short. */
static int jsonObjectUnique(const cJSON *p, size_t n) {
  const cJSON **ap;
  const cJSON *pChild, *pOther;
  size_t i = 0;
  int rc = 1;
  if( n <= JSON_FEW ) { /* an entry, say: a sort would cost more */
    for( pChild = p->child; pChild; pChild = pChild->next ) {
      for( pOther = pChild->next; pOther; pOther = pOther->next ) {
        if( strcmp(pChild->string, pOther->string) == 0 ) return 0;
      }
    }
    return 1;
  }
  ap = malloc(n * sizeof(*ap));
  if( ap == NULL ) return -1;
  for( pChild = p->child; pChild; pChild = pChild->next ) ap[i++] = pChild;
  qsort(ap, n, sizeof(*ap), jsonCompareName);
  for( i = 1; i < n && rc > 0; i++ ) {
    if( strcmp(ap[i - 1]->string, ap[i]->string) == 0 ) rc = 0;
  }
  free(ap);
  return rc;
}

/* The same for the whole tree. The nesting is bounded by the scan. */
static int jsonMembersUnique(const cJSON *p) {
  const cJSON *pChild;
  size_t n = 0;
  int rc = 1;
  for( pChild = p->child; pChild && rc > 0; pChild = pChild->next ) {
    n++;
    if( pChild->child ) rc = jsonMembersUnique(pChild);
  }
  return rc > 0 && cJSON_IsObject(p) ? jsonObjectUnique(p, n) : rc;
}

int ledgerJsonParse(const char *z, size_t n, const char *zWhat,
                    LedgerJson **ppDoc, LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  JsonScan scan = {z, n, NULL, 0};
  const char *zEnd = NULL;
  char *zCopy = NULL;
  locale_t old;
  int rc;

  *ppDoc = NULL;
  if( z == NULL || n == 0 ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR, "%s: it is empty, not JSON", zWhat);
    goto out;
  }
  if( !jsonScan(&scan) ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR, "%s: not valid JSON: %s", zWhat,
                        scan.zProblem);
    goto out;
  }
  pDoc = calloc(1, sizeof(*pDoc));
  zCopy = ledgerStrndup(z, n); /* cJSON wants a NUL behind the text */
  if( pDoc == NULL || zCopy == NULL ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  if( scan.nNul ) {
    int v = jsonStandIn(z, n);
    if( v == 0 ) {
      rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                          "%s: every other character is a NUL", zWhat);
      goto out;
    }
    jsonReplaceNul(zCopy, n, v);
    pDoc->zStandIn[0] = (char)(0xe0 | (v >> 12));
    pDoc->zStandIn[1] = (char)(0x80 | ((v >> 6) & 63));
    pDoc->zStandIn[2] = (char)(0x80 | (v & 63));
    pDoc->nStandIn = 3;
  }
  old = uselocale(ledgerAsciiLocale());
  pDoc->pRoot = cJSON_ParseWithLengthOpts(zCopy, n + 1, &zEnd, 1);
  uselocale(old);
  if( pDoc->pRoot == NULL && jsonIsWhole(zCopy, n) ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  if( pDoc->pRoot == NULL ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s: not valid JSON near byte %ld of %ld", zWhat,
                        zEnd ? (long)(zEnd - zCopy) : 0L, (long)n);
    goto out;
  }
  switch( jsonMembersUnique(pDoc->pRoot) ) {
    case 1: rc = LEDGER_OK; break;
    case 0:
      rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                          "%s: not valid JSON: a member appears twice", zWhat);
      break;
    default: rc = ledgerErrorNomem(pErr); break;
  }

out:
  if( zCopy ) explicit_bzero(zCopy, n); /* it may hold a secret */
  free(zCopy);
  if( rc ) {
    ledgerJsonFreeSecret(pDoc);
  } else {
    *ppDoc = pDoc;
  }
  return rc;
}

cJSON *ledgerJsonTree(const char *z) {
  locale_t old = uselocale(ledgerAsciiLocale());
  cJSON *pRoot = cJSON_Parse(z);
  uselocale(old);
  return pRoot;
}

char *ledgerJsonPrint(const cJSON *pVal) {
  locale_t old = uselocale(ledgerAsciiLocale());
  char *z = cJSON_PrintUnformatted(pVal);
  uselocale(old);
  return z;
}

void ledgerJsonFree(LedgerJson *pDoc) {
  if( pDoc == NULL ) return;
  cJSON_Delete(pDoc->pRoot);
  free(pDoc);
}

/* Overwrites the texts of a value, of its neighbours and of all below them. */
static void jsonWipe(cJSON *p) {
  for( ; p; p = p->next ) {
    if( p->valuestring ) explicit_bzero(p->valuestring, strlen(p->valuestring));
    jsonWipe(p->child);
  }
}

void ledgerJsonFreeSecret(LedgerJson *pDoc) {
  if( pDoc ) jsonWipe(pDoc->pRoot);
  ledgerJsonFree(pDoc);
}

cJSON *ledgerJsonRoot(LedgerJson *pDoc) {
  return pDoc->pRoot;
}

cJSON *ledgerJsonMember(const cJSON *pObj, const char *zKey) {
  if( !cJSON_IsObject(pObj) ) return NULL;
  return cJSON_GetObjectItemCaseSensitive(pObj, zKey);
}

/*
** valueint of a string item is unused by cJSON: it keeps the length once the
** NULs have been put back (plus one, so that 0 means "not yet").
*/
const char *ledgerJsonText(LedgerJson *pDoc, cJSON *pVal, size_t *pn) {
  char *z;
  size_t n;
  if( !cJSON_IsString(pVal) ) return NULL;
  z = pVal->valuestring;
  if( pVal->valueint > 0 ) {
    n = (size_t)pVal->valueint - 1;
  } else {
    n = strlen(z);
    if( pDoc->nStandIn ) {
      size_t nIn = n, i = 0;
      n = 0;
      while( i < nIn ) {
        if( nIn - i >= 3 && memcmp(z + i, pDoc->zStandIn, 3) == 0 ) {
          z[n++] = 0;
          i += 3;
        } else {
          z[n++] = z[i++];
        }
      }
      z[n] = 0;
    }
    pVal->valueint = n < 0x7fffffff ? (int)n + 1 : 0;
  }
  if( pn ) *pn = n;
  return z;
}

const char *ledgerJsonMemberText(LedgerJson *pDoc, const cJSON *pObj,
                                 const char *zKey, size_t *pn) {
  return ledgerJsonText(pDoc, ledgerJsonMember(pObj, zKey), pn);
}

/* ---- values as they are written ----------------------------------------- */

static const char *jsonSkipSpace(const char *z, const char *zEnd) {
  while( z < zEnd && (*z == ' ' || *z == '\t' || *z == '\n' || *z == '\r') ) {
    z++;
  }
  return z;
}

/* Behind the string, object, array or word that starts at z. */
static const char *jsonSkipValue(const char *z, const char *zEnd) {
  int nDepth = 0;
  do {
    if( z >= zEnd ) return zEnd;
    if( *z == '"' ) {
      for( z++; z < zEnd && *z != '"'; z++ ) z += *z == '\\';
      z++;
    } else if( *z == '{' || *z == '[' ) {
      nDepth++;
      z++;
    } else if( *z == '}' || *z == ']' ) {
      nDepth--;
      z++;
    } else if( nDepth ) {
      z++;
    } else {
      while( z < zEnd && strchr(" \t\n\r,}]", *z) == NULL ) z++;
    }
  } while( nDepth > 0 );
  return z < zEnd ? z : zEnd;
}

const char *ledgerJsonSlice(const char *z, size_t n, const char *zKey,
                            size_t *pn) {
  const char *zEnd = z + n;
  size_t nKey = strlen(zKey);
  z = jsonSkipSpace(z, zEnd);
  if( z >= zEnd || *z != '{' ) return NULL;
  do {
    const char *zName = jsonSkipSpace(z + 1, zEnd);
    const char *zValue;
    z = jsonSkipValue(zName, zEnd);
    zValue = jsonSkipSpace(z, zEnd);
    if( zValue >= zEnd || *zValue != ':' ) return NULL; /* {} */
    zValue = jsonSkipSpace(zValue + 1, zEnd);
    if( (size_t)(z - zName) == nKey + 2 &&
        memcmp(zName + 1, zKey, nKey) == 0 ) {
      *pn = (size_t)(jsonSkipValue(zValue, zEnd) - zValue);
      return zValue;
    }
    z = jsonSkipSpace(jsonSkipValue(zValue, zEnd), zEnd);
  } while( z < zEnd && *z == ',' );
  return NULL;
}
