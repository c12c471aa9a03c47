/*
** What the files of emulator/ledger share among themselves: hashing, the tree
** and its signature.
*/
#ifndef EMU_LEDGER_INT_H
#define EMU_LEDGER_INT_H

#include "emulator/ledger/ledger.h"

/* ---- digest.c ---------------------------------------------------------- */

/*
** Computes write set digest and leaf of a transaction. aSecret holds two keys
** of EMU_HASH bytes: the one commit evidence is derived from, the one claims'
** secret keys are derived from. Reference: ALGORITHM.md, sections 2 to 6.
*/
void emuDigestTxn(const EmuTxn *pTxn, const unsigned char *aSecret,
                  unsigned char *aWriteSet, unsigned char *aLeaf);

/* ---- tree.c ------------------------------------------------------------ */

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

/* ---- sign.c ------------------------------------------------------------- */

/* ECDSA over a root as the digest itself: no further hashing. Appends DER. */
int emuSignRoot(EVP_PKEY *pKey, const unsigned char *aRoot, LedgerBuf *pSig,
                LedgerError *pErr);
int emuSignVerify(EVP_PKEY *pKey, const unsigned char *aRoot, const void *aSig,
                  size_t nSig);

/* ---- ledger.c ---------------------------------------------------------- */

/* Adds a signature over all before it; emuLedgerCommit() is to follow. */
int emuLedgerSeal(Emu *p, LedgerError *pErr);

#endif /* EMU_LEDGER_INT_H */
