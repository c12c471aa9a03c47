/*
** Text, numbers, the clock and warnings, as all folders of the room need them.
*/
#include "emulator/util/util.h"

#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int emuIs(const char *z, size_t n, const char *zWord) {
  return z != NULL && strlen(zWord) == n && memcmp(z, zWord, n) == 0;
}

int emuListed(const char *zList, char cSep, const char *z, size_t n) {
  for( ;; ) {
    const char *zEnd = strchrnul(zList, cSep);
    if( (size_t)(zEnd - zList) == n && memcmp(zList, z, n) == 0 ) return 1;
    if( *zEnd == 0 ) return 0;
    zList = zEnd + 1;
  }
}

int emuPlainText(const char *z, size_t n, size_t nMax) {
  size_t i;
  if( n == 0 || n > nMax || !ledgerUtf8Valid(z, n) ) return 0;
  for( i = 0; i < n; i++ ) {
    if( (unsigned char)z[i] < ' ' || z[i] == 0x7f ) return 0;
  }
  return 1;
}

int emuNumber(const char *z, size_t n, int64_t iMax, int64_t *pi) {
  int64_t i = 0;
  size_t k;
  if( n == 0 || n > 19 ) return 0;
  for( k = 0; k < n; k++ ) {
    int iDigit = z[k] - '0';
    if( iDigit < 0 || iDigit > 9 || iDigit > iMax ||
        i > (iMax - iDigit) / 10 ) {
      return 0;
    }
    i = i * 10 + iDigit;
  }
  *pi = i;
  return 1;
}

size_t emuUrlDecode(const char *z, size_t n, int bPlus, char *zOut) {
  size_t i, nOut = 0;
  for( i = 0; i < n; i++ ) {
    unsigned char c = (unsigned char)z[i];
    if( c == '%' && i + 2 < n && ledgerHexDecode(z + i + 1, 2, &c, 1) ) {
      i += 2;
    } else if( c == '+' && bPlus ) {
      c = ' ';
    }
    zOut[nOut++] = (char)c;
  }
  return nOut;
}

void emuQueryText(LedgerBuf *pBuf, const char *z, size_t n) {
  while( n ) {
    const char *zColon = memchr(z, ':', n);
    size_t nPart = zColon ? (size_t)(zColon - z) : n;
    ledgerBufUrl(pBuf, z, nPart);
    if( zColon ) {
      ledgerBufAppend(pBuf, ":", 1);
      nPart++;
    }
    z += nPart;
    n -= nPart;
  }
}

int emuUuid(LedgerBuf *pBuf, LedgerError *pErr) {
  unsigned char a[16];
  char z[33];
  if( RAND_bytes(a, sizeof(a)) != 1 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR, "no random numbers");
  }
  a[6] = (unsigned char)((a[6] & 0x0f) | 0x40); /* version 4 */
  a[8] = (unsigned char)((a[8] & 0x3f) | 0x80);
  ledgerHexEncode(a, sizeof(a), z);
  ledgerBufPrintf(pBuf, "%.8s-%.4s-%.4s-%.4s-%.12s", z, z + 8, z + 12, z + 16,
                  z + 20);
  return pBuf->bOom ? ledgerErrorNomem(pErr) : LEDGER_OK;
}

void emuWarn(const char *zFmt, ...) {
  va_list ap;
  fputs("ledger-emulator: ", stderr);
  va_start(ap, zFmt);
  vfprintf(stderr, zFmt, ap);
  va_end(ap);
  fputc('\n', stderr);
}

double emuClock(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}
