/*
** --fill COUNT[,SUBLEDGERS[,BYTES[,SEED]]]: entries made in bulk, the same ones
** for the same arguments, with their real leaves, tree and signatures (one
** every 100 entries).
**
** Entry i of one sub-ledger goes to the default one; with more, entry i goes
** to c0, c1, ... in turn. Its contents are BYTES bytes: "entry i " and then
** letters and digits drawn from SEED and i, cut where they are too long. All
** is one SQLite transaction, so an interrupted fill leaves nothing.
*/
#include "emulator/ledger/ledgerInt.h"

#include <stdlib.h>
#include <string.h>

#define FILL_SIGN_EVERY 100

/* splitmix64: the next of a sequence of 64-bit numbers. */
static uint64_t fillRandom(uint64_t *pState) {
  uint64_t z = (*pState += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* The contents of entry i, into z[nByte]. */
static void fillContents(char *z, size_t nByte, int64_t i, int64_t iSeed) {
  static const char zLetters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  char zHead[40];
  uint64_t state = (uint64_t)iSeed ^ ((uint64_t)i << 20), bits = 0;
  size_t n, nBit = 0;
  snprintf(zHead, sizeof(zHead), "entry %lld ", (long long)i);
  n = strlen(zHead);
  if( n > nByte ) n = nByte;
  memcpy(z, zHead, n);
  for( ; n < nByte; n++ ) {
    if( nBit < 6 ) {
      bits = fillRandom(&state);
      nBit = 64;
    }
    z[n] = zLetters[bits & 63];
    bits >>= 6;
    nBit -= 6;
  }
}

int emuFill(Emu *p, LedgerError *pErr) {
  size_t nByte = (size_t)p->args.nFillByte;
  char *zContents = malloc(nByte + 1);
  char zName[24];
  int64_t i;
  int rc = LEDGER_OK;
  if( zContents == NULL ) return ledgerErrorNomem(pErr);
  for( i = 0; i < p->args.nFill && rc == LEDGER_OK; i++ ) {
    EmuTxn txn = {0};
    LedgerTxid id;
    txn.eKind = EMU_ENTRY;
    txn.bClaims = p->args.bClaims;
    txn.zCollection = EMU_DEFAULT_COLLECTION;
    if( p->args.nFillLedger > 1 ) {
      snprintf(zName, sizeof(zName), "c%d", (int)(i % p->args.nFillLedger));
      txn.zCollection = zName;
    }
    txn.nCollection = strlen(txn.zCollection);
    fillContents(zContents, nByte, i, p->args.iFillSeed);
    txn.zContents = zContents;
    txn.nContents = nByte;
    rc = emuLedgerAppend(p, &txn, &id, pErr);
    if( rc == LEDGER_OK &&
        ((i + 1) % FILL_SIGN_EVERY == 0 || i + 1 == p->args.nFill) ) {
      rc = emuLedgerSeal(p, pErr);
    }
  }
  free(zContents);
  return rc;
}
