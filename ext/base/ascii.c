/*
** What a machine reads, the same in every locale: letters and digits of ASCII,
** numbers with a point, an error's own words. A host may have called
** setlocale(): then 'I' is not another case of 'i' to strcasecmp() (tr_TR), and
** printf() writes "10,5" (de_DE).
*/
#include "base/base.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

int ledgerIsDigit(char c) {
  return c >= '0' && c <= '9';
}

int ledgerIsHexDigit(char c) {
  return ledgerIsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

int ledgerIsAlnum(char c) {
  return ledgerIsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char ledgerLower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int ledgerStrnicmp(const char *a, const char *b, size_t n) {
  size_t i;
  for( i = 0; i < n; i++ ) {
    int d = (unsigned char)ledgerLower(a[i]) - (unsigned char)ledgerLower(b[i]);
    if( d || a[i] == 0 ) return d;
  }
  return 0;
}

int ledgerStricmp(const char *a, const char *b) {
  return ledgerStrnicmp(a, b, SIZE_MAX);
}

char *ledgerNumberFormat(double r, int nPlace, char *z) {
  char *zFrom, *zTo;
  if( nPlace < 0 ) {
    snprintf(z, LEDGER_NUMBER_MAX, "%.15g", r);
  } else {
    snprintf(z, LEDGER_NUMBER_MAX, "%.*f", nPlace, r);
  }
  if( !isfinite(r) ) return z;
  /* The separator is whatever is not a digit, sign or exponent: several bytes
  ** in some locales. */
  zFrom = z + strspn(z, "+-0123456789e");
  if( *zFrom == 0 ) return z;
  zTo = zFrom;
  while( *zFrom && !strchr("+-0123456789e", *zFrom) ) zFrom++;
  *zTo++ = '.';
  memmove(zTo, zFrom, strlen(zFrom) + 1);
  return z;
}

void ledgerBufNumber(LedgerBuf *p, double r, int nPlace) {
  char z[LEDGER_NUMBER_MAX];
  ledgerBufText(p, ledgerNumberFormat(r, nPlace, z));
}

int ledgerNumberParse(const char *z, double *pr) {
  double r = 0, rUnit = 1;
  int nDigit = 0;
  for( ; ledgerIsDigit(*z); z++, nDigit++ ) r = r * 10 + (*z - '0');
  if( *z == '.' ) {
    for( z++; ledgerIsDigit(*z); z++, nDigit++ ) {
      r = r * 10 + (*z - '0');
      rUnit *= 10;
    }
  }
  if( *z || nDigit == 0 || nDigit > 15 ) return 0;
  *pr = r / rUnit;
  return 1;
}

static locale_t asciiLocale; /* "C"; lives as long as the process */

static void asciiStart(void) {
  asciiLocale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

locale_t ledgerAsciiLocale(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, asciiStart);
  return asciiLocale;
}

const char *ledgerSystemError(int e) {
  locale_t c = ledgerAsciiLocale();
  return c ? strerror_l(e, c) : strerror(e);
}
