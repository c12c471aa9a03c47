/*
** What the files of the room "receipt" share: one verification as it goes from
** check to check, and what it is made of.
**
** Invariants
**   - a check that fails sets the code and the error's text, and nothing behind
**     it runs;
**   - the memo holds passes only: what failed is looked at again, so that its
**     reason is the same with the memo and without.
*/
#ifndef LEDGER_RECEIPT_INT_H
#define LEDGER_RECEIPT_INT_H

#include "receipt/receipt.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define RECEIPT_HASH 32 /* bytes of a SHA-256 */
#define RECEIPT_MAX \
  (256 * 1024)               /* bytes of a receipt, and of claims: an entry has
                                  ** 8,192 at most */
#define RECEIPT_PROOF_MAX 64 /* a tree can't be higher */
#define RECEIPT_ENDORSEMENTS 16   /* recoveries between node and anchor */
#define RECEIPT_PEM_MAX 8192      /* bytes of one certificate's PEM */
#define RECEIPT_SIGNATURE_MAX 160 /* bytes of DER: P-521 has up to 139 */
#define RECEIPT_CLAIMS_MAX 1024   /* claims of one transaction */
#define RECEIPT_MEMO_BYTES 131072 /* of a memo: some 1,100 entries */

typedef struct LedgerReceiptCert LedgerReceiptCert;
typedef struct LedgerReceiptClaims LedgerReceiptClaims;
typedef struct LedgerReceiptHasher LedgerReceiptHasher;
typedef struct LedgerReceiptJob LedgerReceiptJob;
typedef struct LedgerReceiptParts LedgerReceiptParts;

/* ---- hash.c: SHA-256 ----------------------------------------------------- */

/* One digest context for many digests. bFailed sticks: it is looked at once,
** behind a run of digests. */
struct LedgerReceiptHasher {
  EVP_MD *pMd;      /* owned */
  EVP_MD_CTX *pCtx; /* owned */
  int bFailed;      /* no memory */
};

int ledgerReceiptHasherInit(LedgerReceiptHasher *p, LedgerError *pErr);
void ledgerReceiptHasherClear(LedgerReceiptHasher *p);
void ledgerReceiptHashStart(LedgerReceiptHasher *p);
void ledgerReceiptHashAdd(LedgerReceiptHasher *p, const void *a, size_t n);
void ledgerReceiptHashEnd(LedgerReceiptHasher *p, unsigned char *aOut);

/* The digest of two byte strings, one behind the other; aOut may be one. */
void ledgerReceiptHash(LedgerReceiptHasher *p, const void *a1, size_t n1,
                       const void *a2, size_t n2, unsigned char *aOut);

/* HMAC-SHA256. */
void ledgerReceiptHmac(LedgerReceiptHasher *p, const void *aKey, size_t nKey,
                       const void *a, size_t n, unsigned char *aOut);

/* ---- claims.c ------------------------------------------------------------ */

/* What a list of application claims comes to. */
struct LedgerReceiptClaims {
  unsigned char aDigest[RECEIPT_HASH];
  int nEntry; /* claims of kind LedgerEntry: those that show contents */
  int bMatch; /* one of them is the entry in hand */
};

/* Computes the digest of the claims pList of pDoc, and compares them with the
** entry of pInput (may be NULL). LEDGER_CONSTRAINT: they are ill-formed. No
** text of a claim goes into a message: claims carry their key. */
int ledgerReceiptClaimsRead(LedgerReceiptHasher *pHasher, LedgerJson *pDoc,
                            cJSON *pList, const LedgerReceiptInput *pInput,
                            LedgerReceiptClaims *pOut, LedgerError *pErr);

/* ---- certificate.c ------------------------------------------------------- */

/* A parsed certificate. Counted references: the memo holds one. */
struct LedgerReceiptCert {
  int nRef;
  X509 *pX509;                      /* owned */
  EVP_PKEY *pKey;                   /* of pX509 */
  unsigned char aId[RECEIPT_HASH];  /* SHA-256 of its DER */
  unsigned char aKey[RECEIPT_HASH]; /* SHA-256 of its SubjectPublicKeyInfo */
  int bCa;                          /* basicConstraints say CA:TRUE */
  char zNotBefore[24];
  char zNotAfter[24];
};

/* The checks "certificates", "node_id", "signature" and "endorsement". */
int ledgerReceiptCheckCertificates(LedgerReceiptJob *p);
int ledgerReceiptCheckNodeId(LedgerReceiptJob *p);
int ledgerReceiptCheckSignature(LedgerReceiptJob *p);
int ledgerReceiptCheckEndorsement(LedgerReceiptJob *p);

/* ---- shape.c ------------------------------------------------------------- */

/* A receipt taken apart. Texts belong to pDoc. */
struct LedgerReceiptParts {
  LedgerJson *pDoc;      /* the text given */
  cJSON *pClaims;        /* application claims beside the receipt, or NULL */
  const char *zEvidence; /* commit evidence */
  size_t nEvidence;
  unsigned char aWriteSet[RECEIPT_HASH];
  unsigned char aClaims[RECEIPT_HASH];
  int bClaims;                       /* claimsDigest is there */
  unsigned char aNode[RECEIPT_HASH]; /* nodeId */
  int bNode;                         /* it is there */
  int nProof;
  unsigned char aProof[RECEIPT_PROOF_MAX][RECEIPT_HASH];
  char abLeft[RECEIPT_PROOF_MAX];
  LedgerBuf signature; /* its bytes */
  const char *zCert;   /* the node's certificate */
  size_t nCert;
  int nEndorsement;
  const char *azEndorsement[RECEIPT_ENDORSEMENTS];
  size_t anEndorsement[RECEIPT_ENDORSEMENTS];
};

/* The check "shape": reads the text into p->parts. */
int ledgerReceiptCheckShape(LedgerReceiptJob *p);

/* ---- verify.c ------------------------------------------------------------ */

/* One verification. */
struct LedgerReceiptJob {
  const LedgerReceiptInput *pInput;
  LedgerReceiptMemo *pMemo;     /* or NULL */
  LedgerReceiptHasher *pHasher; /* the memo's, or this verification's own */
  LedgerReceiptReport *pReport;
  LedgerReceiptParts parts;
  LedgerJson *pClaimsDoc; /* claims given apart */
  LedgerReceiptClaims claims;
  int bShown; /* claims were shown */
  unsigned char aRoot[RECEIPT_HASH];
  LedgerReceiptCert *pNode;                               /* a reference */
  LedgerReceiptCert *apEndorsement[RECEIPT_ENDORSEMENTS]; /* references */
  LedgerReceiptCert *pAnchor;                             /* a reference */
  int bSkip;         /* a check sets it where there was nothing to check */
  const char *zCode; /* of the failure */
  LedgerError *pErr; /* its reason: LEDGER_CONSTRAINT */
};

/* A check fails. Evaluates to the code to return. */
#define ledgerReceiptFail(p, zWhich, ...) \
  ((p)->zCode = (zWhich),                 \
   ledgerErrorSet((p)->pErr, LEDGER_CONSTRAINT, __VA_ARGS__))

/* ---- memo.c -------------------------------------------------------------- */

/* What is remembered, in the first byte of what a key is the digest of. */
enum {
  MEMO_CERTIFICATE = 'K',
  MEMO_SIGNATURE = 'S',
  MEMO_CHAIN = 'C'
};

void ledgerReceiptCertUnref(LedgerReceiptCert *p); /* NULL is allowed */

LedgerReceiptHasher *ledgerReceiptMemoHasher(LedgerReceiptMemo *p);

/* Is aKey remembered? *ppCert (may be NULL) is its certificate, borrowed. A hit
** makes it the newest. p may be NULL. */
int ledgerReceiptMemoFind(LedgerReceiptMemo *p, const unsigned char *aKey,
                          LedgerReceiptCert **ppCert);

/* Remembers aKey, with a certificate or with NULL. p may be NULL. */
void ledgerReceiptMemoAdd(LedgerReceiptMemo *p, const unsigned char *aKey,
                          LedgerReceiptCert *pCert);

#endif /* LEDGER_RECEIPT_INT_H */
