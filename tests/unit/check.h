/*
** What the unit programs are written in. A program includes this once: it has
** no .c file.
**
** A case is a function of many checks; the first that fails is told. A program
** prints `ok NAME` or `FAILED NAME: WHERE` per case, for unit/unit.test, and
** exits 1 if one failed.
*/
#ifndef LEDGER_UNIT_CHECK_H
#define LEDGER_UNIT_CHECK_H

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char zWhy[400]; /* the first check of a case that failed, or "" */

/* One check; the first that fails is told. */
static void check(int bOk, const char *zWhat, int iLine) {
  if( bOk || zWhy[0] ) return;
  snprintf(zWhy, sizeof(zWhy), "line %d: %s", iLine, zWhat);
}
#define CHECK(x) check((x) != 0, #x, __LINE__)
#define CHECK_OF(x, zOf) check((x) != 0, zOf, __LINE__)

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

typedef struct CheckCase CheckCase;
struct CheckCase {
  const char *zName;
  void (*x)(void);
};

/* Writes the code point as UTF-8 into z; returns the bytes. No judgement. */
static inline size_t checkEncode(unsigned v, char *z) {
  if( v < 0x80 ) {
    z[0] = (char)v;
    return 1;
  }
  if( v < 0x800 ) {
    z[0] = (char)(0xc0 | v >> 6);
    z[1] = (char)(0x80 | (v & 63));
    return 2;
  }
  if( v < 0x10000 ) {
    z[0] = (char)(0xe0 | v >> 12);
    z[1] = (char)(0x80 | ((v >> 6) & 63));
    z[2] = (char)(0x80 | (v & 63));
    return 3;
  }
  z[0] = (char)(0xf0 | v >> 18);
  z[1] = (char)(0x80 | ((v >> 12) & 63));
  z[2] = (char)(0x80 | ((v >> 6) & 63));
  z[3] = (char)(0x80 | (v & 63));
  return 4;
}

/* Runs the cases; returns the exit code. */
static int checkAll(const CheckCase *aCase, size_t n) {
  size_t i;
  int nFailed = 0;
  for( i = 0; i < n; i++ ) {
    zWhy[0] = 0;
    aCase[i].x();
    if( zWhy[0] ) {
      nFailed++;
      printf("FAILED %s: %s\n", aCase[i].zName, zWhy);
    } else {
      printf("ok %s\n", aCase[i].zName);
    }
  }
  return nFailed > 0;
}

#endif /* LEDGER_UNIT_CHECK_H */
