/*
** What is hashed of a transaction: write set, commit evidence, claims, leaf.
**
** Everything that a receipt will show can be computed again from the
** transaction's row and the ledger's two secrets; nothing is random per
** transaction. Reference: ALGORITHM.md, sections 2, 3 and 6.
**
**   evidence  "ce:" V.S ":" hex(HMAC(secret 1, V.S))
**   claims    the digest of one LedgerEntryV1 claim, whose key is
**             HMAC(secret 2, V.S); 32 zero bytes when none are recorded
**   leaf      SHA256(write set digest || SHA256(evidence) || claims)
*/
#include "emulator/ledger/ledgerInt.h"

#include <stdio.h>
#include <string.h>

#define DIGEST_BLOCK 64 /* bytes of a block of SHA-256 */

/* HMAC-SHA256 under a key of EMU_HASH bytes. */
static void digestHmac(const unsigned char *aKey, const void *a, size_t n,
                       unsigned char *aOut) {
  unsigned char aPad[DIGEST_BLOCK];
  unsigned char aInner[EMU_HASH];
  EmuPiece aIn[2] = {{aPad, sizeof(aPad)}, {a, n}};
  EmuPiece aOuter[2] = {{aPad, sizeof(aPad)}, {aInner, sizeof(aInner)}};
  int i;
  memset(aPad, 0x36, sizeof(aPad));
  for( i = 0; i < EMU_HASH; i++ ) aPad[i] ^= aKey[i];
  emuHashSha256(aIn, 2, aInner);
  for( i = 0; i < DIGEST_BLOCK; i++ ) aPad[i] ^= 0x36 ^ 0x5c;
  emuHashSha256(aOuter, 2, aOut);
}

/* The digest of the one claim that an entry has; its secret key in aKey. */
static void digestClaims(const EmuTxn *pTxn, const unsigned char *aSecret,
                         const char *zId, unsigned char *aKey,
                         unsigned char *aOut) {
  static const char zProtocol[] = "LedgerEntryV1";
  static const unsigned char aOne[4] = {1, 0, 0, 0}; /* claims, LE */
  unsigned char aName[EMU_HASH], aText[EMU_HASH];
  unsigned char aInner[EMU_HASH], aClaim[EMU_HASH];
  EmuPiece aClaimed[2] = {{zProtocol, sizeof(zProtocol) - 1},
                          {aInner, EMU_HASH}};
  EmuPiece aAll[2] = {{aOne, sizeof(aOne)}, {aClaim, EMU_HASH}};
  digestHmac(aSecret + EMU_HASH, zId, strlen(zId), aKey);
  digestHmac(aKey, pTxn->zCollection, pTxn->nCollection, aName);
  digestHmac(aKey, pTxn->zContents, pTxn->nContents, aText);
  emuHashPair(aName, aText, aInner);
  emuHashSha256(aClaimed, 2, aClaim);
  emuHashSha256(aAll, 2, aOut);
}

void emuDigestShow(const EmuTxn *pTxn, const unsigned char *aSecret,
                   EmuShown *pShown) {
  unsigned char aNonce[EMU_HASH];
  char zId[LEDGER_TXID_MAX], zNonce[2 * EMU_HASH + 1];
  ledgerTxidFormat(pTxn->id, zId);
  digestHmac(aSecret, zId, strlen(zId), aNonce);
  ledgerHexEncode(aNonce, EMU_HASH, zNonce);
  snprintf(pShown->zEvidence, sizeof(pShown->zEvidence), "ce:%s:%s", zId,
           zNonce);
  memset(pShown->aClaims, 0, EMU_HASH);
  memset(pShown->aKey, 0, EMU_HASH);
  if( pTxn->bClaims ) {
    digestClaims(pTxn, aSecret, zId, pShown->aKey, pShown->aClaims);
  }
}

/* SHA-256 of the commit evidence. */
static void digestEvidence(const EmuShown *pShown, unsigned char *aOut) {
  EmuPiece piece = {pShown->zEvidence, strlen(pShown->zEvidence)};
  emuHashSha256(&piece, 1, aOut);
}

void emuDigestLeaf(const EmuShown *pShown, const unsigned char *aWriteSet,
                   unsigned char *aLeaf) {
  unsigned char aEvidence[EMU_HASH];
  EmuPiece aParts[3] = {{aWriteSet, EMU_HASH},
                        {aEvidence, EMU_HASH},
                        {pShown->aClaims, EMU_HASH}};
  digestEvidence(pShown, aEvidence);
  emuHashSha256(aParts, 3, aLeaf);
}

/* Eight bytes, least significant first. */
static void digestLe64(uint64_t v, unsigned char *a) {
  int i;
  for( i = 0; i < 8; i++ ) a[i] = (unsigned char)(v >> (8 * i));
}

/*
** The write set that is hashed: a header of 8 bytes (kind and format), then
** view, seqno, the two digests, and each text after its length.
*/
void emuDigestTxn(const EmuTxn *pTxn, const unsigned char *aSecret,
                  unsigned char *aWriteSet, unsigned char *aLeaf) {
  unsigned char aHead[24], aLength[24];
  unsigned char aEvidence[EMU_HASH];
  EmuShown shown;
  EmuPiece aSet[7] = {{aHead, sizeof(aHead)},
                      {shown.aClaims, EMU_HASH},
                      {aEvidence, EMU_HASH},
                      {aLength, sizeof(aLength)},
                      {pTxn->zCollection, pTxn->nCollection},
                      {pTxn->zTags, pTxn->nTags},
                      {pTxn->zContents, pTxn->nContents}};

  emuDigestShow(pTxn, aSecret, &shown);
  digestEvidence(&shown, aEvidence);
  digestLe64((uint64_t)pTxn->eKind << 8 | 1, aHead);
  digestLe64((uint64_t)pTxn->id.view, aHead + 8);
  digestLe64((uint64_t)pTxn->id.seqno, aHead + 16);
  digestLe64(pTxn->nCollection, aLength);
  digestLe64(pTxn->nTags, aLength + 8);
  digestLe64(pTxn->nContents, aLength + 16);
  emuHashSha256(aSet, 7, aWriteSet);
  emuDigestLeaf(&shown, aWriteSet, aLeaf);
}
