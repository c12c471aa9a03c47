/*
** The Merkle tree over every transaction of the ledger.
**
** No route. Leaf 0 is 32 zero bytes, leaf n the transaction with seqno n. An
** inner node is SHA256(left || right); a last node without a partner moves up
** unchanged. Reference: ALGORITHM.md, section 5.
**
** The store has the tree in rows of 256 hashes (ledger.h). That is a tree of
** fan-out 256: the path of any leaf, in the tree of any number of leaves, takes
** one row per level, three of them for a million leaves. A row that is not full
** is written again at each signature.
**
** Invariants
**   - anOpen[k] == nLeaf / 256^k % 256 and aiRow[k] == nLeaf / 256^(k+1);
**   - a row with fewer than 256 hashes is the last one of its level.
*/
#include "emulator/ledger/ledgerInt.h"

#include <string.h>

/*
** Folds n hashes into one, pair by pair, level by level. aHash is overwritten.
** n is at least 1. The siblings that hash iPath meets on its way are added to
** *pPath, unless that is NULL.
*/
static void treeFold(unsigned char aHash[][EMU_HASH], int n, int iPath,
                     EmuPath *pPath, unsigned char *aOut) {
  while( n > 1 ) {
    int i;
    if( pPath && (iPath ^ 1) < n && pPath->n < EMU_PATH ) {
      pPath->abLeft[pPath->n] = iPath & 1;
      memcpy(pPath->a[pPath->n++], aHash[iPath ^ 1], EMU_HASH);
    }
    iPath /= 2;
    for( i = 0; i + 1 < n; i += 2 ) {
      emuHashPair(aHash[i], aHash[i + 1], aHash[i / 2]);
    }
    if( n & 1 ) memmove(aHash[n / 2], aHash[n - 1], EMU_HASH);
    n = (n + 1) / 2;
  }
  memcpy(aOut, aHash[0], EMU_HASH);
}

void emuTreeInit(EmuTree *p) {
  memset(p, 0, sizeof(*p));
}

/* A row may hold more than is asked for. Then this is the tree as it was when
** it had nLeaf leaves: good for its root, not to be appended to. */
int emuTreeLoad(EmuTree *p, EmuStore *pStore, int64_t nLeaf,
                LedgerError *pErr) {
  int64_t nRest = nLeaf;
  int i, n, rc = LEDGER_OK;
  emuTreeInit(p);
  p->nLeaf = nLeaf;
  for( i = 0; i < EMU_TREE_LEVELS && rc == LEDGER_OK; i++ ) {
    p->anOpen[i] = (int)(nRest % EMU_TREE_FAN);
    nRest /= EMU_TREE_FAN;
    p->aiRow[i] = nRest;
    if( p->anOpen[i] == 0 ) continue;
    rc = emuStoreTreeGet(pStore, i, nRest, p->aOpen[i][0], &n, pErr);
    if( rc == LEDGER_OK && n < p->anOpen[i] ) {
      rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                          "the data file is damaged: the tree lacks hashes");
    }
  }
  return rc;
}

int emuTreeAppend(EmuTree *p, EmuStore *pStore, const unsigned char *aLeaf,
                  LedgerError *pErr) {
  unsigned char aHash[EMU_HASH];
  int i, rc = LEDGER_OK;
  memcpy(aHash, aLeaf, EMU_HASH);
  p->nLeaf++;
  for( i = 0; i < EMU_TREE_LEVELS; i++ ) {
    memcpy(p->aOpen[i][p->anOpen[i]++], aHash, EMU_HASH);
    p->abDirty[i] = 1;
    if( p->anOpen[i] < EMU_TREE_FAN ) break;
    rc = emuStoreTreePut(pStore, i, p->aiRow[i], p->aOpen[i][0], EMU_TREE_FAN,
                         pErr);
    if( rc ) break;
    treeFold(p->aOpen[i], EMU_TREE_FAN, 0, NULL, aHash);
    p->anOpen[i] = 0;
    p->aiRow[i]++;
    p->abDirty[i] = 0;
  }
  return rc;
}

int emuTreeFlush(EmuTree *p, EmuStore *pStore, LedgerError *pErr) {
  int i, rc = LEDGER_OK;
  for( i = 0; i < EMU_TREE_LEVELS && rc == LEDGER_OK; i++ ) {
    if( !p->abDirty[i] ) continue;
    rc = emuStoreTreePut(pStore, i, p->aiRow[i], p->aOpen[i][0], p->anOpen[i],
                         pErr);
    p->abDirty[i] = 0;
  }
  return rc;
}

/*
** From the leaves upwards: what the open row of a level folds to is the last,
** incomplete node of the level above.
*/
void emuTreeRoot(const EmuTree *p, unsigned char *aOut) {
  unsigned char aRow[EMU_TREE_FAN + 1][EMU_HASH];
  int i, bCarry = 0;
  memset(aOut, 0, EMU_HASH);
  for( i = 0; i < EMU_TREE_LEVELS; i++ ) {
    int n = p->anOpen[i];
    memcpy(aRow, p->aOpen[i], (size_t)n * EMU_HASH);
    if( bCarry ) memcpy(aRow[n++], aOut, EMU_HASH);
    if( n == 0 ) continue;
    treeFold(aRow, n, 0, NULL, aOut);
    bCarry = 1;
  }
}

/* Reads the first n hashes of a row. */
static int treeRow(EmuStore *pStore, int iLevel, int64_t iRow, int n,
                   unsigned char aRow[][EMU_HASH], LedgerError *pErr) {
  int nHave, rc = LEDGER_OK;
  if( n == 0 ) return rc;
  rc = emuStoreTreeGet(pStore, iLevel, iRow, aRow[0], &nHave, pErr);
  if( rc == LEDGER_OK && nHave < n ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                        "the data file is damaged: the tree lacks hashes");
  }
  return rc;
}

/*
** On each level the path is in one row of full nodes, or in the last row, where
** what is left over from the level below follows the full ones. A row that is
** longer than in the tree of nLeaf leaves is cut to that length.
*/
int emuTreePath(EmuStore *pStore, int64_t iLeaf, int64_t nLeaf, EmuPath *pPath,
                LedgerError *pErr) {
  unsigned char aRow[EMU_TREE_FAN + 1][EMU_HASH];
  unsigned char aCarry[EMU_HASH], aFull[EMU_HASH];
  int i, bCarry = 0, rc = LEDGER_OK;
  pPath->n = 0;
  for( i = 0; i < EMU_TREE_LEVELS && rc == LEDGER_OK; i++ ) {
    int iAt = (int)(iLeaf % EMU_TREE_FAN), n = (int)(nLeaf % EMU_TREE_FAN);
    iLeaf /= EMU_TREE_FAN;
    nLeaf /= EMU_TREE_FAN;
    if( iLeaf != nLeaf ) {
      rc = treeRow(pStore, i, iLeaf, EMU_TREE_FAN, aRow, pErr);
      if( rc ) break;
      treeFold(aRow, EMU_TREE_FAN, iAt, pPath, aFull);
    }
    rc = treeRow(pStore, i, nLeaf, n, aRow, pErr);
    if( rc ) break;
    if( bCarry ) memcpy(aRow[n++], aCarry, EMU_HASH);
    if( n == 0 ) continue;
    treeFold(aRow, n, iAt, iLeaf == nLeaf ? pPath : NULL, aCarry);
    bCarry = 1;
  }
  return rc;
}

void emuPathRoot(const EmuPath *pPath, const unsigned char *aLeaf,
                 unsigned char *aOut) {
  unsigned char aHash[EMU_HASH];
  int i;
  memcpy(aHash, aLeaf, EMU_HASH);
  for( i = 0; i < pPath->n; i++ ) {
    if( pPath->abLeft[i] ) {
      emuHashPair(pPath->a[i], aHash, aHash);
    } else {
      emuHashPair(aHash, pPath->a[i], aHash);
    }
  }
  memcpy(aOut, aHash, EMU_HASH);
}
