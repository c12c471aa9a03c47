/*
** The face of the room "receipt": offline verification of write receipts.
**
** A pure function of its input: no network, no clock, no file, no global state.
** Reference: CCF documentation, "Verifying receipts"; Azure Confidential
** Ledger, "Verify write transaction receipts".
**
** Invariants
**   - nothing in a receipt replaces the service certificate the caller gives;
**   - a report never claims more than was shown: `content` is what the claims
**     bind, dates are told and never enforced;
**   - the emulator shares no code with this room.
*/
#ifndef LEDGER_RECEIPT_H
#define LEDGER_RECEIPT_H

#include "base/base.h"

typedef struct LedgerReceiptCheck LedgerReceiptCheck;
typedef struct LedgerReceiptInput LedgerReceiptInput;
typedef struct LedgerReceiptMemo LedgerReceiptMemo;
typedef struct LedgerReceiptReport LedgerReceiptReport;

/* What a verification looks at. Everything is borrowed; NULL: not given. */
struct LedgerReceiptInput {
  const char *zReceipt; /* JSON: the service's whole answer, or the receipt */
  size_t nReceipt;
  const char *zService; /* the service certificate: one PEM */
  size_t nService;
  const char *zSource; /* why its key is trusted, for the report: "argument",
                       ** "pinned", "identity_service" */
  const char *zClaims; /* application claims, a JSON array, in place of those
                       ** beside the receipt */
  size_t nClaims;
  LedgerTxid id;          /* the transaction asked for; {0,0}: any */
  const char *zSubLedger; /* the entry in hand; both or neither */
  size_t nSubLedger;
  const char *zContents;
  size_t nContents;
};

/* What a receipt shows of an entry's contents. */
enum {
  LEDGER_CONTENT_NONE = 0, /* the receipt is not valid */
  LEDGER_CONTENT_UNBOUND,  /* the transaction exists; what it says is open */
  LEDGER_CONTENT_RECORDED, /* claims are recorded, but were not shown */
  LEDGER_CONTENT_BOUND     /* a claim shows these very contents */
};

/* The outcomes of one check. */
enum {
  LEDGER_CHECK_SKIPPED = 0, /* nothing to check, or an earlier one failed */
  LEDGER_CHECK_PASSED,
  LEDGER_CHECK_FAILED
};

struct LedgerReceiptCheck {
  const char *zName; /* static */
  int eOutcome;      /* LEDGER_CHECK_* */
};

#define LEDGER_RECEIPT_CHECKS 16 /* at most */

/* The answer. Start with {0}; free with ledgerReceiptReportClear(). Static
** texts are not freed; an empty text is unknown. */
struct LedgerReceiptReport {
  int bValid;
  const char *zCode;   /* static, one of the closed list in verify.c; "ok" */
  LedgerTxid id;       /* as the commit evidence names it; {0,0}: unknown */
  int eContent;        /* LEDGER_CONTENT_* */
  char zNodeId[72];    /* hex SHA-256 of the signing node's key */
  char zKey[80];       /* sha256:<hex> of the anchor's key */
  const char *zSource; /* as in the input (borrowed) */
  int nEndorsement;    /* certificates between node and anchor */
  char zNotBefore[24]; /* of the node's certificate, YYYY-MM-DDTHH:MM:SSZ */
  char zNotAfter[24];
  int nCheck;
  LedgerReceiptCheck aCheck[LEDGER_RECEIPT_CHECKS];
  const char *zFailed; /* static: the first check that failed, or NULL */
  char *zReason;       /* why, for a person (malloc), or NULL */
};

/*
** Verifies a receipt. LEDGER_OK whenever there is a report, valid or not;
** another code only when memory is short or the call is wrong (no receipt,
** no certificate: those are errors, not reports). pMemo may be NULL; with it
** the result is the same, only sooner.
*/
int ledgerReceiptVerify(const LedgerReceiptInput *pInput,
                        LedgerReceiptMemo *pMemo, LedgerReceiptReport *pReport,
                        LedgerError *pErr);
void ledgerReceiptReportClear(LedgerReceiptReport *p);

/* Appends the report as JSON, members in fixed order. */
void ledgerReceiptReportJson(const LedgerReceiptReport *p, LedgerBuf *pBuf);

/* "bound", "recorded", "unbound", or NULL for LEDGER_CONTENT_NONE. */
const char *ledgerReceiptContentName(int eContent);

/*
** A memo of what many receipts share: certificates parsed, signatures good
** (root, signature, node key) and chains good (node certificate, endorsements,
** anchor). At most 1,024 in all; the one used longest ago makes room. One per
** connection; not for two threads.
*/
int ledgerReceiptMemoNew(LedgerReceiptMemo **ppMemo, LedgerError *pErr);
void ledgerReceiptMemoFree(LedgerReceiptMemo *p); /* NULL is allowed */

/* The claims digest of application claims, a JSON array: 64 hex digits and a
** NUL into zOut[65]. LEDGER_CONSTRAINT when they are none. */
int ledgerReceiptClaimsDigest(const char *zClaims, size_t nClaims, char *zOut,
                              LedgerError *pErr);

/* ---- quote.c: what a node's hardware attests to -------------------------- */

enum {
  LEDGER_QUOTE_UNKNOWN = 0,
  LEDGER_QUOTE_SGX,
  LEDGER_QUOTE_SNP
};

/* A quote as it was read: pointers into the raw bytes. Nothing is verified. */
typedef struct LedgerQuote LedgerQuote;
struct LedgerQuote {
  int eKind;            /* LEDGER_QUOTE_* */
  int iVersion;         /* of the layout */
  int iKeyType;         /* of the attestation key, or of the signature */
  int iProduct;         /* SGX */
  int iSvn;             /* security version of the enclave, or of the guest */
  int bDebug;           /* its owner can look inside */
  int bCovered;         /* SGX: the report attests to the claims */
  uint64_t mAttributes; /* SGX flags, or the guest's policy */
  uint64_t iTcb;        /* SNP: version of the firmware reported */
  const unsigned char *aMeasurement; /* nMeasurement bytes */
  size_t nMeasurement;
  const unsigned char *aSigner; /* nSigner bytes */
  size_t nSigner;
  const unsigned char *aReportData; /* 64 bytes */
  const unsigned char *aVendor;     /* SGX: 16 bytes */
  const unsigned char *aClaim; /* SGX: what is claimed, 32 bytes, or NULL */
  const unsigned char *aHost;  /* SNP: 32 bytes */
  const unsigned char *aChip;  /* SNP: 64 bytes */
};

/* Reads a quote; 0 when it is of no known layout. aRaw must outlive *p. */
int ledgerQuoteRead(const void *aRaw, size_t n, LedgerQuote *p);

/* Do the attested data name this node (64 hex digits)? 1, 0, or -1: one can't
** tell. */
int ledgerQuoteBinds(const LedgerQuote *p, const char *zNodeId);

/* Appends what the quote says as JSON, members in fixed order; with zNodeId
** also whether it names that node. */
void ledgerQuoteJson(const LedgerQuote *p, const char *zNodeId,
                     LedgerBuf *pBuf);

#endif /* LEDGER_RECEIPT_H */
