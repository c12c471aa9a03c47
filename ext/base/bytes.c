/*
** Bytes: growable text, hex, base64, percent-encoding and the UTF-8 check.
*/
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for n more bytes and a NUL. Returns 1, or 0 and sets bOom. */
static int bufReserve(LedgerBuf *p, size_t n) {
  size_t nNeed, nNew;
  char *zNew;
  if( p->bOom ) return 0;
  if( n >= SIZE_MAX / 2 - p->n ) {
    p->bOom = 1;
    return 0;
  }
  nNeed = p->n + n + 1;
  if( nNeed <= p->nAlloc ) return 1;
  nNew = p->nAlloc ? p->nAlloc * 2 : 64;
  if( nNew < nNeed ) nNew = nNeed;
  zNew = realloc(p->z, nNew);
  if( zNew == NULL ) {
    p->bOom = 1;
    return 0;
  }
  p->z = zNew;
  p->nAlloc = nNew;
  return 1;
}

void ledgerBufAppend(LedgerBuf *p, const void *a, size_t n) {
  if( !bufReserve(p, n) ) return;
  if( n ) memcpy(p->z + p->n, a, n);
  p->n += n;
  p->z[p->n] = 0;
}

void ledgerBufText(LedgerBuf *p, const char *z) {
  ledgerBufAppend(p, z, strlen(z));
}

void ledgerBufPrintf(LedgerBuf *p, const char *zFmt, ...) {
  va_list ap;
  int n;
  va_start(ap, zFmt);
  n = vsnprintf(NULL, 0, zFmt, ap);
  va_end(ap);
  if( n < 0 || !bufReserve(p, (size_t)n) ) return;
  va_start(ap, zFmt);
  vsnprintf(p->z + p->n, (size_t)n + 1, zFmt, ap);
  va_end(ap);
  p->n += (size_t)n;
}

void ledgerBufJson(LedgerBuf *p, const char *z, size_t n) {
  size_t i, iStart = 0;
  ledgerBufAppend(p, "\"", 1);
  for( i = 0; i < n; i++ ) {
    unsigned char c = (unsigned char)z[i];
    if( c >= 0x20 && c != '"' && c != '\\' && c != 0x7f ) continue;
    ledgerBufAppend(p, z + iStart, i - iStart);
    iStart = i + 1;
    switch( c ) {
      case '"': ledgerBufAppend(p, "\\\"", 2); break;
      case '\\': ledgerBufAppend(p, "\\\\", 2); break;
      case '\n': ledgerBufAppend(p, "\\n", 2); break;
      case '\r': ledgerBufAppend(p, "\\r", 2); break;
      case '\t': ledgerBufAppend(p, "\\t", 2); break;
      default: ledgerBufPrintf(p, "\\u%04x", c); break;
    }
  }
  /* Of no text at all, z may be NULL. */
  if( n > iStart ) ledgerBufAppend(p, z + iStart, n - iStart);
  ledgerBufAppend(p, "\"", 1);
}

void ledgerBufUrl(LedgerBuf *p, const char *z, size_t n) {
  size_t i;
  for( i = 0; i < n; i++ ) {
    unsigned char c = (unsigned char)z[i];
    int bPlain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                 (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                 c == '~';
    if( bPlain ) {
      ledgerBufAppend(p, &z[i], 1);
    } else {
      ledgerBufPrintf(p, "%%%02X", c);
    }
  }
}

void ledgerBufReset(LedgerBuf *p) {
  p->n = 0;
  p->bOom = 0;
  if( p->z ) p->z[0] = 0;
}

void ledgerBufFree(LedgerBuf *p) {
  free(p->z);
  memset(p, 0, sizeof(*p));
}

char *ledgerBufTake(LedgerBuf *p) {
  char *z = NULL;
  ledgerBufAppend(p, "", 0);
  if( p->bOom ) {
    ledgerBufFree(p);
    return NULL;
  }
  z = p->z;
  memset(p, 0, sizeof(*p));
  return z;
}

char *ledgerStrndup(const char *z, size_t n) {
  char *zCopy;
  if( z == NULL ) return NULL;
  zCopy = malloc(n + 1);
  if( zCopy == NULL ) return NULL;
  memcpy(zCopy, z, n);
  zCopy[n] = 0;
  return zCopy;
}

char *ledgerStrdup(const char *z) {
  return z ? ledgerStrndup(z, strlen(z)) : NULL;
}

char *ledgerMprintf(const char *zFmt, ...) {
  char *z = NULL;
  va_list ap;
  va_start(ap, zFmt);
  if( vasprintf(&z, zFmt, ap) < 0 ) z = NULL;
  va_end(ap);
  return z;
}

void ledgerTextClean(const char *z, size_t n, char *zOut, size_t nOut) {
  size_t i;
  if( n >= nOut ) {
    n = nOut - 1;
    while( n > 0 && ((unsigned char)z[n] & 0xc0) == 0x80 ) n--;
  }
  for( i = 0; i < n; i++ ) {
    unsigned char c = (unsigned char)z[i];
    zOut[i] = c < ' ' || c == 0x7f ? ' ' : (char)c;
  }
  zOut[n] = 0;
}

char *ledgerHexEncode(const void *a, size_t n, char *zOut) {
  static const char zDigit[] = "0123456789abcdef";
  const unsigned char *p = a;
  size_t i;
  for( i = 0; i < n; i++ ) {
    zOut[2 * i] = zDigit[p[i] >> 4];
    zOut[2 * i + 1] = zDigit[p[i] & 15];
  }
  zOut[2 * n] = 0;
  return zOut;
}

/* The value of a hex digit, or -1. */
static int hexDigit(char c) {
  if( c >= '0' && c <= '9' ) return c - '0';
  if( c >= 'a' && c <= 'f' ) return c - 'a' + 10;
  if( c >= 'A' && c <= 'F' ) return c - 'A' + 10;
  return -1;
}

int ledgerHexDecode(const char *z, size_t nHex, unsigned char *a, size_t n) {
  size_t i;
  if( z == NULL || nHex != 2 * n ) return 0;
  for( i = 0; i < n; i++ ) {
    int hi = hexDigit(z[2 * i]), lo = hexDigit(z[2 * i + 1]);
    if( hi < 0 || lo < 0 ) return 0;
    a[i] = (unsigned char)(hi * 16 + lo);
  }
  return 1;
}

static const char zBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                              "uvwxyz0123456789+/";
static const char zBase64Url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                 "stuvwxyz0123456789-_";

/* Encodes with the alphabet given; bPad says whether "=" fills the end. */
static void base64Encode(LedgerBuf *p, const unsigned char *a, size_t n,
                         const char *zAlphabet, int bPad) {
  size_t i;
  for( i = 0; i < n; i += 3 ) {
    size_t k = n - i < 3 ? n - i : 3;
    unsigned v = (unsigned)a[i] << 16;
    char z[4];
    if( k > 1 ) v |= (unsigned)a[i + 1] << 8;
    if( k > 2 ) v |= a[i + 2];
    z[0] = zAlphabet[v >> 18];
    z[1] = zAlphabet[(v >> 12) & 63];
    z[2] = k > 1 ? zAlphabet[(v >> 6) & 63] : '=';
    z[3] = k > 2 ? zAlphabet[v & 63] : '=';
    ledgerBufAppend(p, z, bPad ? 4 : k + 1);
  }
}

/* The value of a digit of the alphabet, or -1. All but the last two digits are
** those of every alphabet. */
static int base64Digit(char c, const char *zAlphabet) {
  if( c >= 'A' && c <= 'Z' ) return c - 'A';
  if( c >= 'a' && c <= 'z' ) return c - 'a' + 26;
  if( c >= '0' && c <= '9' ) return c - '0' + 52;
  if( c == zAlphabet[62] ) return 62;
  return c == zAlphabet[63] ? 63 : -1;
}

/* Decodes strictly; returns 1, or 0 with *p as it was. */
static int base64Decode(const char *z, size_t n, LedgerBuf *p,
                        const char *zAlphabet, int bPad) {
  size_t nStart = p->n, i, nPad = 0;
  unsigned v = 0;
  int nBit = 0;
  if( z == NULL ) return 0;
  if( bPad ) {
    if( n % 4 ) return 0;
    while( nPad < 2 && nPad < n && z[n - 1 - nPad] == '=' ) nPad++;
  }
  if( (n - nPad) % 4 == 1 ) return 0;
  for( i = 0; i < n - nPad; i++ ) {
    int iDigit = base64Digit(z[i], zAlphabet);
    unsigned char c;
    if( iDigit < 0 ) goto bad;
    v = (v << 6) | (unsigned)iDigit;
    nBit += 6;
    if( nBit < 8 ) continue;
    nBit -= 8;
    c = (unsigned char)((v >> nBit) & 255);
    ledgerBufAppend(p, &c, 1);
    v &= (1u << nBit) - 1;
  }
  if( v == 0 && !p->bOom ) return 1;
bad:
  p->n = nStart;
  if( p->z ) p->z[nStart] = 0;
  return 0;
}

void ledgerBufBase64(LedgerBuf *p, const void *a, size_t n) {
  base64Encode(p, a, n, zBase64, 1);
}

void ledgerBufBase64Url(LedgerBuf *p, const void *a, size_t n) {
  base64Encode(p, a, n, zBase64Url, 0);
}

int ledgerBase64Decode(const char *z, size_t n, LedgerBuf *p) {
  return base64Decode(z, n, p, zBase64, 1);
}

int ledgerBase64UrlDecode(const char *z, size_t n, LedgerBuf *p) {
  return base64Decode(z, n, p, zBase64Url, 0);
}

int ledgerUtf8Valid(const char *zIn, size_t n) {
  const unsigned char *z = (const unsigned char *)zIn;
  size_t i = 0;
  while( i < n ) {
    unsigned lo = 0x80, hi = 0xbf;
    unsigned char c;
    int nMore;
    if( n - i >= sizeof(uint64_t) ) { /* eight ASCII characters at once */
      uint64_t v;
      memcpy(&v, z + i, sizeof(v));
      if( (v & UINT64_C(0x8080808080808080)) == 0 ) {
        i += sizeof(v);
        continue;
      }
    }
    c = z[i++];
    if( c < 0x80 ) continue;
    if( c >= 0xc2 && c <= 0xdf ) {
      nMore = 1;
    } else if( c >= 0xe0 && c <= 0xef ) {
      nMore = 2;
      if( c == 0xe0 ) lo = 0xa0;
      if( c == 0xed ) hi = 0x9f;
    } else if( c >= 0xf0 && c <= 0xf4 ) {
      nMore = 3;
      if( c == 0xf0 ) lo = 0x90;
      if( c == 0xf4 ) hi = 0x8f;
    } else {
      return 0;
    }
    for( ; nMore > 0; nMore-- ) {
      if( i >= n || z[i] < lo || z[i] > hi ) return 0;
      i++;
      lo = 0x80;
      hi = 0xbf;
    }
  }
  return 1;
}
