/*
** What the fuzz targets share: how an input is taken apart, and how a run ends
** that has found something. A target's head says what it holds to be true; its
** line `libFuzzer:` has the flags that run.tcl gives it. Seeds stand in
** seeds/TARGET (more are made by corpus.tcl), a dictionary in TARGET.dict or
** where that line says.
*/
#ifndef LEDGER_FUZZ_H
#define LEDGER_FUZZ_H

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData);

/* Ends the run with what is wrong. A macro, so that whoever analyses the caller
** sees that it ends there. */
_Noreturn static inline void fuzzFail(const char *zWhat) {
  fprintf(stderr, "fuzz: %s\n", zWhat);
  abort();
}
#define fuzzCheck(bOk, zWhat)     \
  do {                            \
    if( !(bOk) ) fuzzFail(zWhat); \
  } while( 0 )

/* Takes a byte from the input, 0 where there is none. */
static inline int fuzzByte(const uint8_t **pa, size_t *pn) {
  if( *pn == 0 ) return 0;
  (*pn)--;
  return *(*pa)++;
}

/* Takes the text up to the next NUL, or the rest, from the input: a copy
** (free()) of *pnText bytes and a NUL, so that a byte read behind it is seen.
** NULL at the end of the input. pnText may be NULL. */
static inline char *fuzzText(const uint8_t **pa, size_t *pn, size_t *pnText) {
  const uint8_t *aNul = *pn ? memchr(*pa, 0, *pn) : NULL;
  size_t n = aNul ? (size_t)(aNul - *pa) : *pn;
  char *z;
  if( *pn == 0 ) return NULL;
  z = ledgerStrndup((const char *)*pa, n);
  fuzzCheck(z != NULL, "out of memory");
  if( pnText ) *pnText = n;
  n += aNul != NULL;
  *pa += n;
  *pn -= n;
  return z;
}

/* An error that stopped something says why, in words that can be shown. */
static inline void fuzzCheckError(int rc, LedgerError *pErr) {
  const char *z = ledgerErrorText(pErr);
  fuzzCheck(rc == pErr->rc, "the code returned is not the error's");
  fuzzCheck(rc == LEDGER_OK || z[0], "an error without words");
  fuzzCheck(ledgerUtf8Valid(z, strlen(z)), "an error is not UTF-8");
  ledgerErrorClear(pErr);
}

/*
** Changes n bytes of a file as the input says: an offset of three bytes, how
** many bytes (of one byte, modulo 32), and these; again and again.
*/
static inline void fuzzPatch(unsigned char *a, size_t n, const uint8_t *aData,
                             size_t nData) {
  while( nData >= 5 && n > 0 ) {
    size_t i = aData[0] | (size_t)aData[1] << 8 | (size_t)aData[2] << 16;
    size_t k = aData[3] % 32 + 1;
    aData += 4;
    nData -= 4;
    i %= n;
    if( k > nData ) k = nData;
    if( k > n - i ) k = n - i;
    memcpy(a + i, aData, k);
    aData += k;
    nData -= k;
  }
}

/* Reads a whole file (free()), or NULL; writes one. */
#define FUZZ_FILE_MAX (64L << 20)
static inline unsigned char *fuzzFileRead(const char *zFile, size_t *pn) {
  FILE *p = fopen(zFile, "rb");
  unsigned char *a = NULL;
  long n;
  if( p == NULL ) return NULL;
  fseek(p, 0, SEEK_END);
  n = ftell(p);
  fuzzCheck(n >= 0 && n < FUZZ_FILE_MAX && fseek(p, 0, SEEK_SET) == 0,
            "a file has no size, or is too large");
  a = malloc((size_t)n + 1);
  fuzzCheck(a && fread(a, 1, (size_t)n, p) == (size_t)n,
            "a file can't be read");
  fclose(p);
  *pn = (size_t)n;
  return a;
}

static inline void fuzzFileWrite(const char *zFile, const void *a, size_t n) {
  FILE *p = fopen(zFile, "wb");
  fuzzCheck(p != NULL, "a file can't be made");
  fuzzCheck(fwrite(a, 1, n, p) == n, "a file can't be written");
  fuzzCheck(fclose(p) == 0, "a file can't be written to its end");
}

#endif /* LEDGER_FUZZ_H */
