/*
** Reading JSON in place: for what is large, has a known form, and is read once
** from its start to its end. A page of entries is.
**
**     LedgerJsonRead read;
**     if( ledgerJsonReadStart(&read, z, n) && ledgerJsonReadOpen(&read, '[') )
**       { while( ledgerJsonReadItem(&read) && ledgerJsonReadText(&read, &span)
**       ) ... } if( ledgerJsonReadEnd(&read) ) ...
**
** Nothing is built and nothing is copied: a text is told by where it stands
** (LedgerJsonSpan), and ledgerJsonSpanText() unescapes it there once the whole
** was read. What is not of the form that the caller expects, or that
** base/json.c would refuse, is odd: then everything returns 0 from there on,
** and the caller gives the text, which is as it was, to ledgerJsonParse(). That
** one knows what is wrong with it, or that nothing is.
**
** Invariant: what is read to its end without being odd is what base/json.c
** reads, to the same values (tests/fuzz/jsonread.c holds them against each
** other). The reverse need not be.
*/
#include "base/base.h"

#include <string.h>

#define READ_DEPTH 8 /* of what is passed over */

int ledgerJsonReadStart(LedgerJsonRead *p, const char *z, size_t n) {
  memset(p, 0, sizeof(*p));
  p->z = z;
  p->n = n;
  p->bOdd = !ledgerUtf8Valid(z, n);
  return !p->bOdd;
}

static int readOdd(LedgerJsonRead *p) {
  p->bOdd = 1;
  return 0;
}

/* Passes over white space; the character there, or 0 at the end. */
static char readNext(LedgerJsonRead *p) {
  while( p->i < p->n ) {
    const char c = p->z[p->i];
    if( c != ' ' && c != '\n' && c != '\r' && c != '\t' ) return c;
    p->i++;
  }
  return 0;
}

/* Takes the character c. */
static int readToken(LedgerJsonRead *p, char c) {
  if( p->bOdd || readNext(p) != c ) return readOdd(p);
  p->i++;
  return 1;
}

/* One value more, as base/json.c counts them: the outermost is one. */
static int readCount(LedgerJsonRead *p) {
  return ++p->nValue < LEDGER_JSON_VALUES || readOdd(p);
}

int ledgerJsonReadOpen(LedgerJsonRead *p, char c) {
  p->bFirst = 1;
  return readCount(p) && readToken(p, c);
}

/* Is there another item or member, before the closing cEnd? */
static int readMore(LedgerJsonRead *p, char cEnd) {
  const int bFirst = p->bFirst;
  p->bFirst = 0;
  if( p->bOdd ) return 0;
  if( readNext(p) == cEnd ) {
    p->i++;
    return 0;
  }
  return bFirst || (readCount(p) && readToken(p, ','));
}

int ledgerJsonReadItem(LedgerJsonRead *p) {
  return readMore(p, ']');
}

int ledgerJsonReadPeek(LedgerJsonRead *p, char c) {
  return !p->bOdd && readNext(p) == c;
}

/* The character that the escape at the start of z[n] stands for, with the bytes
** that the escape has (a pair of surrogates is one), or -1. */
static long readEscape(const char *z, size_t n, size_t *pnByte) {
  static const char zFrom[] = "\"\\/bfnrt", zTo[] = "\"\\/\b\f\n\r\t";
  unsigned char a[2] = {0, 0};
  const char *zAt;
  long v, vLow;
  *pnByte = 2;
  if( n < 2 || z[1] == 0 ) return -1;
  if( z[1] != 'u' ) {
    zAt = strchr(zFrom, z[1]);
    return zAt ? zTo[zAt - zFrom] : -1;
  }
  *pnByte = 6;
  if( n < 6 || !ledgerHexDecode(z + 2, 4, a, 2) ) return -1;
  v = a[0] * 256 + a[1];
  if( v < 0xd800 || v > 0xdfff ) return v;
  if( v > 0xdbff || n < 12 || z[6] != '\\' || z[7] != 'u' ||
      !ledgerHexDecode(z + 8, 4, a, 2) ) {
    return -1;
  }
  vLow = a[0] * 256 + a[1];
  if( vLow < 0xdc00 || vLow > 0xdfff ) return -1;
  *pnByte = 12;
  return 0x10000 + (v - 0xd800) * 0x400 + (vLow - 0xdc00);
}

/* Writes the character v as UTF-8; its bytes. */
static size_t readUtf8(char *z, long v) {
  static const unsigned char aMark[] = {0, 0, 0xc0, 0xe0, 0xf0};
  const size_t n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
  size_t i;
  for( i = n - 1; i > 0; i-- ) {
    z[i] = (char)(0x80 | (v & 0x3f));
    v >>= 6;
  }
  z[0] = (char)(aMark[n] | v);
  return n;
}

/* The first of z[i] to z[n-1] that is no plain character of a text: a quote, a
** backslash or a control character. Returns n where there is none. Eight are
** looked at together: a byte's high bit is set by the subtraction where the
** byte is that character, or less than a space. (It may be set above such a
** byte too, by the borrow, but nowhere without one.) */
static size_t readPlain(const char *z, size_t i, size_t n) {
  const uint64_t uOne = UINT64_C(0x0101010101010101);
  while( n - i >= sizeof(uint64_t) ) {
    uint64_t v, vQuote, vSlash;
    memcpy(&v, z + i, sizeof(v));
    vQuote = v ^ (uOne * '"');
    vSlash = v ^ (uOne * '\\');
    if( (((vQuote - uOne) & ~vQuote) | ((vSlash - uOne) & ~vSlash) |
         ((v - uOne * ' ') & ~v)) &
        (uOne * 0x80) ) {
      break;
    }
    i += sizeof(v);
  }
  while( i < n && z[i] != '"' && z[i] != '\\' && (unsigned char)z[i] >= ' ' ) {
    i++;
  }
  return i;
}

int ledgerJsonReadText(LedgerJsonRead *p, LedgerJsonSpan *pSpan) {
  const char *z = p->z;
  size_t i, nByte;
  if( !readToken(p, '"') ) return 0;
  memset(pSpan, 0, sizeof(*pSpan));
  pSpan->i = p->i;
  i = readPlain(z, p->i, p->n);
  while( i < p->n && z[i] == '\\' ) {
    pSpan->bEscaped = 1;
    if( readEscape(z + i, p->n - i, &nByte) < 0 ) return readOdd(p);
    i = readPlain(z, i + nByte, p->n);
  }
  if( i >= p->n || z[i] != '"' ) return readOdd(p);
  pSpan->n = i - pSpan->i;
  p->i = i + 1;
  return 1;
}

int ledgerJsonReadName(LedgerJsonRead *p, LedgerJsonNames *pNames,
                       LedgerJsonSpan *pName) {
  int i;
  if( !readMore(p, '}') || !ledgerJsonReadText(p, pName) ||
      !readToken(p, ':') ) {
    return 0;
  }
  if( pName->bEscaped || pNames->n == LEDGER_JSON_NAMES ) return readOdd(p);
  for( i = 0; i < pNames->n; i++ ) {
    const LedgerJsonSpan *pOther = &pNames->a[i];
    if( pOther->n == pName->n &&
        memcmp(p->z + pOther->i, p->z + pName->i, pName->n) == 0 ) {
      return readOdd(p); /* it stands there twice */
    }
  }
  pNames->a[pNames->n++] = *pName;
  return 1;
}

int ledgerJsonSpanIs(const LedgerJsonRead *p, const LedgerJsonSpan *pSpan,
                     const char *z) {
  const size_t n = strlen(z);
  return pSpan->n == n && memcmp(p->z + pSpan->i, z, n) == 0;
}

static int readSkip(LedgerJsonRead *p, int nDepth) {
  static const char *const azWord[] = {"null", "true", "false"};
  const char c = readNext(p);
  LedgerJsonNames names = {0, {{0, 0, 0}}};
  LedgerJsonSpan span;
  size_t k;
  if( p->bOdd || nDepth > READ_DEPTH ) return readOdd(p);
  if( c == '"' ) return ledgerJsonReadText(p, &span);
  if( c == '[' || c == '{' ) {
    ledgerJsonReadOpen(p, c);
    while( c == '[' ? ledgerJsonReadItem(p)
                    : ledgerJsonReadName(p, &names, &span) ) {
      if( !readSkip(p, nDepth + 1) ) return 0;
    }
    return !p->bOdd;
  }
  for( k = 0; k < sizeof(azWord) / sizeof(azWord[0]); k++ ) {
    const size_t nWord = strlen(azWord[k]);
    if( p->n - p->i >= nWord && memcmp(p->z + p->i, azWord[k], nWord) == 0 ) {
      p->i += nWord;
      return 1;
    }
  }
  /* A number: whole and short, as the service writes them. */
  for( k = p->i; k < p->n && ledgerIsDigit(p->z[k]); k++ ) continue;
  if( k == p->i || k - p->i > 15 || (c == '0' && k > p->i + 1) ||
      (k < p->n && strchr(".eE", p->z[k])) ) {
    return readOdd(p);
  }
  p->i = k;
  return 1;
}

int ledgerJsonReadSkip(LedgerJsonRead *p) {
  return readSkip(p, 0);
}

int ledgerJsonReadEnd(LedgerJsonRead *p) {
  if( p->bOdd ) return 0;
  readNext(p);
  return p->i == p->n || readOdd(p);
}

char *ledgerJsonSpanText(char *z, LedgerJsonSpan *pSpan) {
  char *zText = z + pSpan->i;
  size_t iIn = 0, iOut = 0, nByte;
  while( pSpan->bEscaped && iIn < pSpan->n ) {
    if( zText[iIn] == '\\' ) {
      const long v = readEscape(zText + iIn, pSpan->n - iIn, &nByte);
      iOut += readUtf8(zText + iOut, v);
      iIn += nByte;
    } else {
      zText[iOut++] = zText[iIn++];
    }
  }
  if( pSpan->bEscaped ) pSpan->n = iOut;
  pSpan->bEscaped = 0;
  zText[pSpan->n] = 0; /* over its closing quote, or before it */
  return zText;
}
