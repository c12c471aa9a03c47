/*
** Ids of users: what the ledger knows somebody by, an object id or the
** fingerprint of a certificate, in the one form that it is compared in.
*/
#include "client/net/net.h"

int ledgerUserId(const char *z, size_t n, char *zOut) {
  char zHex[65];
  size_t i, nHex = 0, nDash = 0, nColon = 0;

  for( i = 0; i < n; i++ ) {
    char c = z[i];
    if( c == '-' ) {
      if( n != 36 || (i != 8 && i != 13 && i != 18 && i != 23) ) return 0;
      nDash++;
    } else if( c == ':' ) {
      if( n != 95 || i % 3 != 2 ) return 0;
      nColon++;
    } else {
      int bDigit = c >= '0' && c <= '9';
      if( !bDigit && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') ) return 0;
      if( nHex == 64 ) return 0;
      zHex[nHex++] = c;
    }
  }
  if( n == 36 && nDash == 4 ) { /* an object id: lower case */
    for( i = 0; i < n; i++ ) {
      zOut[i] = z[i] >= 'A' && z[i] <= 'F' ? (char)(z[i] + 32) : z[i];
    }
    zOut[n] = 0;
    return 1;
  }
  if( nHex != 64 || (nColon != 31 && n != 64) ) return 0;
  for( i = 0; i < 64; i++ ) { /* a fingerprint: upper case, with colons */
    char c = zHex[i] >= 'a' && zHex[i] <= 'f' ? (char)(zHex[i] - 32) : zHex[i];
    zOut[i + i / 2] = c;
    if( i % 2 && i < 63 ) zOut[i + i / 2 + 1] = ':';
  }
  zOut[95] = 0;
  return 1;
}
