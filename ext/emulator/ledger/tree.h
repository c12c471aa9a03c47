/*
** What is hashed of a transaction, and the Merkle tree over all of them, as the
** rest of the room sees them. Included by emuInt.h.
*/
#ifndef EMU_TREE_H
#define EMU_TREE_H

#include "emulator/emu.h"

/* ---- digest.c ---------------------------------------------------------- */

/* A run of bytes, one of several that are hashed one behind the other. */
struct EmuPiece {
  const void *a;
  size_t n;
};

/* SHA-256 over the pieces, and HMAC-SHA256 under a key of 32 bytes. aOut has
** EMU_HASH bytes. These cannot fail. */
void emuSha256(const EmuPiece *aPiece, int nPiece, unsigned char *aOut);
void emuHmac(const unsigned char *aKey, const void *a, size_t n,
             unsigned char *aOut);

/* SHA-256 of two hashes: an inner node of the tree. */
void emuHashPair(const unsigned char *aLeft, const unsigned char *aRight,
                 unsigned char *aOut);

/* What is hashed of one transaction. */
struct EmuTxn {
  LedgerTxid id;
  int eKind;               /* EMU_GENESIS ... */
  const char *zCollection; /* an entry's collection, else NULL */
  size_t nCollection;
  const char *zContents; /* an entry's contents; other kinds: their payload */
  size_t nContents;
  const char *zTags; /* an entry's tags, "a,b", or NULL */
  size_t nTags;
  int bClaims; /* the claims digest is recorded */
};
enum {
  EMU_GENESIS = 0,
  EMU_ENTRY = 1,
  EMU_SIGNATURE = 2,
  EMU_USERS = 3,
  EMU_ROLES = 4,
  EMU_FUNCTIONS = 5,
  EMU_ENDPOINTS = 6
};

/*
** Computes write set digest and leaf of a transaction. aSecret holds two keys
** of EMU_HASH bytes: the one commit evidence is derived from, the one claims'
** secret keys are derived from. Reference: ALGORITHM.md, sections 2 to 6.
*/
void emuDigestTxn(const EmuTxn *pTxn, const unsigned char *aSecret,
                  unsigned char *aWriteSet, unsigned char *aLeaf);

/* What a receipt shows of a transaction, besides its write set's digest. */
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
#define EMU_TREE_FAN 256
#define EMU_TREE_LEVELS 6 /* 256^6 = 2^48 leaves */
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

#endif /* EMU_TREE_H */
