/*
** Transaction ids: `view.seqno`, read strictly and compared by seqno, then by
** view. A seqno identifies a place in the ledger; after a change of view a
** place may be filled anew, and the view tells the two fillings apart.
*/
#include "base/base.h"

#define TXID_SEQNO_END ((int64_t)1 << 48) /* see ledgerTxidParse() in base.h */

/* Reads a canonical decimal number (no sign, no leading zero) below 2^63 from
** z[*pi]. Moves *pi behind it and returns 1, or returns 0. */
static int txidNumber(const char *z, size_t n, size_t *pi, int64_t *pVal) {
  size_t i = *pi;
  uint64_t v = 0;
  if( i >= n || z[i] < '0' || z[i] > '9' ) return 0;
  if( z[i] == '0' && i + 1 < n && z[i + 1] >= '0' && z[i + 1] <= '9' ) return 0;
  for( ; i < n && z[i] >= '0' && z[i] <= '9'; i++ ) {
    unsigned d = (unsigned)(z[i] - '0');
    if( v > ((uint64_t)INT64_MAX - d) / 10 ) return 0;
    v = v * 10 + d;
  }
  *pi = i;
  *pVal = (int64_t)v;
  return 1;
}

int ledgerTxidParse(const char *z, size_t n, LedgerTxid *pId) {
  LedgerTxid id;
  size_t i = 0;
  if( z == NULL ) return 0;
  if( !txidNumber(z, n, &i, &id.view) ) return 0;
  if( i >= n || z[i] != '.' ) return 0;
  i++;
  if( !txidNumber(z, n, &i, &id.seqno) || i != n ) return 0;
  if( id.seqno < 1 || id.seqno >= TXID_SEQNO_END ) return 0;
  *pId = id;
  return 1;
}

/* Writes the digits of a number that is not negative; returns their end. */
static char *txidDigits(char *z, int64_t i) {
  char a[20];
  int n = 0;
  do {
    a[n++] = (char)('0' + i % 10);
    i /= 10;
  } while( i > 0 );
  while( n > 0 ) *z++ = a[--n];
  return z;
}

/* By hand: each row and each entry of a page asks for it, and printf takes
** several times as long. */
char *ledgerTxidFormat(LedgerTxid id, char *z) {
  char *zEnd = txidDigits(z, id.view);
  *zEnd++ = '.';
  zEnd = txidDigits(zEnd, id.seqno);
  *zEnd = 0;
  return z;
}

int ledgerTxidCompare(LedgerTxid a, LedgerTxid b) {
  if( a.seqno != b.seqno ) return a.seqno < b.seqno ? -1 : 1;
  if( a.view != b.view ) return a.view < b.view ? -1 : 1;
  return 0;
}
