/*
** What is hashed of a transaction, the Merkle tree over all of them, and the
** signature over its root. Included by ledger.h.
*/
#ifndef EMU_TREE_H
#define EMU_TREE_H

#include "emulator/pki/pki.h"

/* ---- digest.c ---------------------------------------------------------- */

/*
** Computes write set digest and leaf of a transaction. aSecret holds two keys
** of EMU_HASH bytes: the one commit evidence is derived from, the one claims'
** secret keys are derived from. Reference: ALGORITHM.md, sections 2 to 6.
*/
void emuDigestTxn(const EmuTxn *pTxn, const unsigned char *aSecret,
                  unsigned char *aWriteSet, unsigned char *aLeaf);

/* What a receipt shows of a transaction, besides its write set's digest. */
typedef struct EmuShown EmuShown;
struct EmuShown {
  char zEvidence[3 + LEDGER_TXID_MAX + 1 + 2 * EMU_HASH]; /* "ce:V.S:..." */
  unsigned char aClaims[EMU_HASH];                        /* claims digest */
  unsigned char aKey[EMU_HASH]; /* the claim's secret key, if there is one */
};
void emuDigestShow(const EmuTxn *pTxn, const unsigned char *aSecret,
                   EmuShown *pShown);

/* The leaf made of those and the write set's digest. */
void emuDigestLeaf(const EmuShown *pShown, const unsigned char *aWriteSet,
                   unsigned char *aLeaf);

/* ---- tree.c ------------------------------------------------------------ */

/*
** The Merkle tree over all transactions, cut into rows of 256 hashes: level 0
** holds the leaves, level k the roots of full rows of level k-1. Only the open
** row of each level is in memory; full ones are in the store.
*/
#define EMU_TREE_LEVELS 6 /* 256^6 = 2^48 leaves */
typedef struct EmuTree EmuTree;
struct EmuTree {
  int64_t nLeaf;
  int anOpen[EMU_TREE_LEVELS];    /* hashes in the open row */
  int64_t aiRow[EMU_TREE_LEVELS]; /* number of the open row */
  int abDirty[EMU_TREE_LEVELS];   /* the open row is ahead of the store */
  unsigned char aOpen[EMU_TREE_LEVELS][EMU_TREE_FAN][EMU_HASH];
};

/* An empty tree; and the tree of nLeaf leaves from its rows in the store. */
void emuTreeInit(EmuTree *p);
int emuTreeLoad(EmuTree *p, EmuStore *pStore, int64_t nLeaf, LedgerError *pErr);

/* Appends a leaf; rows that become full go to the store. */
int emuTreeAppend(EmuTree *p, EmuStore *pStore, const unsigned char *aLeaf,
                  LedgerError *pErr);

/* Writes the open rows that changed to the store. */
int emuTreeFlush(EmuTree *p, EmuStore *pStore, LedgerError *pErr);

/* The root over all leaves. An empty tree has 32 zero bytes. */
void emuTreeRoot(const EmuTree *p, unsigned char *aOut);

/* The path of a leaf up to the root: its siblings, the lowest first. */
#define EMU_PATH 64
typedef struct EmuPath EmuPath;
struct EmuPath {
  int n;
  int abLeft[EMU_PATH]; /* the sibling stands at the left */
  unsigned char a[EMU_PATH][EMU_HASH];
};

/* The path of leaf iLeaf in the tree of the first nLeaf leaves, iLeaf < nLeaf,
** all of them in the store; reads at most two rows per level. */
int emuTreePath(EmuStore *pStore, int64_t iLeaf, int64_t nLeaf, EmuPath *pPath,
                LedgerError *pErr);

/* The root that a path leads to from a leaf. */
void emuPathRoot(const EmuPath *pPath, const unsigned char *aLeaf,
                 unsigned char *aOut);

/* ---- sign.c ------------------------------------------------------------- */

/* ECDSA over a root as the digest itself: no further hashing. Appends DER. */
int emuSignRoot(EVP_PKEY *pKey, const unsigned char *aRoot, LedgerBuf *pSig,
                LedgerError *pErr);
int emuVerifyRoot(EVP_PKEY *pKey, const unsigned char *aRoot, const void *aSig,
                  size_t nSig);

#endif /* EMU_TREE_H */
