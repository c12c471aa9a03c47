/*
** The face of emulator/pki: hashes, keys, certificates, quotes.
*/
#ifndef EMU_PKI_H
#define EMU_PKI_H

#include "emulator/store/store.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

/* ---- hash.c ------------------------------------------------------------ */

/* A run of bytes, one of several that are hashed one after the other. */
typedef struct EmuPiece EmuPiece;
struct EmuPiece {
  const void *a;
  size_t n;
};

/* SHA-256 over the pieces. aOut has EMU_HASH bytes. This cannot fail. */
void emuHashSha256(const EmuPiece *aPiece, int nPiece, unsigned char *aOut);

/* SHA-256 of two hashes: an inner node of the tree. */
void emuHashPair(const unsigned char *aLeft, const unsigned char *aRight,
                 unsigned char *aOut);

/* ---- cert.c ------------------------------------------------------------ */

#define EMU_DAY (24L * 60 * 60)

/* What makes a certificate. */
typedef struct EmuCertSpec EmuCertSpec;
struct EmuCertSpec {
  const char *zName;   /* common name */
  long nDay;           /* it runs that many days from now on ... */
  const char *zBasic;  /* basicConstraints */
  const char *zUsage;  /* keyUsage */
  const char *zExtUse; /* extendedKeyUsage, or NULL */
  const char *zSan;    /* subjectAltName, or NULL */
  long nFrom;          /* ... or, if not 0, from nFrom to nDay days from now */
};

/* Makes the certificate of pKey, signed by pIssuerKey with the subject of
** pIssuer; pIssuer NULL makes it self-signed. */
int emuCertNew(EVP_PKEY *pKey, const EmuCertSpec *pSpec, X509 *pIssuer,
               EVP_PKEY *pIssuerKey, X509 **ppCert, LedgerError *pErr);

/* A certificate, or a private key, as PEM, appended to *pBuf. */
int emuCertPem(X509 *pCert, LedgerBuf *pBuf, LedgerError *pErr);
int emuCertKeyPem(EVP_PKEY *pKey, LedgerBuf *pBuf, LedgerError *pErr);

/* Fingerprint as user ids have it: SHA-256 in upper-case hex with colons.
** zOut has 96 bytes. Returns 1, or 0. */
int emuCertFingerprint(const X509 *pCert, char *zOut);

/* The last error of libcrypto as a LedgerError; its queue is emptied. */
int emuPkiError(LedgerError *pErr, const char *zWhat);

/* ---- pki.c ------------------------------------------------------------- */

/* A service identity from before a recovery, endorsed by the present one. */
typedef struct EmuFormer EmuFormer;
struct EmuFormer {
  X509 *pCert; /* old name, old key; signed by the present service key */
  char *zPem;  /* the same, owned */
};

/* Every key of the ledger and its certificate; free with emuKeysFree(). */
typedef struct EmuKeys EmuKeys;
struct EmuKeys {
  EVP_PKEY *pService; /* the service identity */
  EVP_PKEY *pNode;    /* signs the tree; the TLS server's key */
  EVP_PKEY *pCa;      /* of identity service and authority */
  EVP_PKEY *pWeb;     /* their TLS server's key */
  EVP_PKEY *pAdmin;   /* the administrator's client certificate */
  EVP_PKEY *pJwt;     /* RSA, signs tokens */
  X509 *pServiceCert;
  X509 *pNodeCert;
  X509 *pCaCert;
  X509 *pWebCert;
  X509 *pAdminCert;
  EmuFormer *aFormer; /* nFormer of them, the oldest first */
  int nFormer;
  int nDay;          /* new certificates run that long */
  int64_t iNodeCert; /* number of the node certificate in the store */
  int64_t iAsked;    /* node certificate that was asked about last ... */
  int iEndorsed;     /* ... and the answer: index in aFormer, or -1 */
  char zNodeId[65];  /* hex SHA-256 of the node key's SPKI */
  char zAdmin[96];   /* fingerprint of the administrator */
  unsigned char aSecret[2 * EMU_HASH]; /* see emuDigestTxn() */
};

/* Makes every key and certificate of a new ledger and puts them into the
** store; or reads them from it, renewing certificates (never keys) that have
** less than a third of their time left. nDay is how long they run. */
int emuKeysCreate(EmuKeys *p, EmuStore *pStore, const char *zLedgerId,
                  const char *zCurve, int nDay, LedgerError *pErr);
int emuKeysLoad(EmuKeys *p, EmuStore *pStore, const char *zLedgerId, int nDay,
                LedgerError *pErr);
void emuKeysFree(EmuKeys *p);

/* Changes keys, in *p and, within its open transaction, in the store. *pOld is
** what they were: to free, or to put back when the transaction fails. */
enum {
  EMU_CHANGE_NODE,    /* an election: another node */
  EMU_CHANGE_SERVICE, /* a recovery: another service and another node */
  EMU_CHANGE_RENEW    /* the service's certificate, its key stays */
};
int emuKeysChange(EmuKeys *p, EmuStore *pStore, const char *zLedgerId,
                  const char *zCurve, int eChange, EmuKeys *pOld,
                  LedgerError *pErr);

/* A certificate of the node that is wrong as zHow says: expired, early (not
** valid yet), foreign (of another service), name (of another host). *ppKey is
** its key, the caller's reference. */
int emuKeysWrong(const EmuKeys *p, const char *zLedgerId, const char *zHow,
                 X509 **ppCert, EVP_PKEY **ppKey, LedgerError *pErr);

/* The endorsement that a receipt with this node certificate (its number and
** its PEM) needs: *pzPem is NULL when the present service signed it. */
int emuKeysEndorsement(EmuKeys *p, int64_t iNodeCert, const LedgerBuf *pPem,
                       const char **pzPem, LedgerError *pErr);

/* Writes ca.pem, service.pem and admin.pem into the folder zDir. */
int emuKeysExport(const EmuKeys *p, const char *zDir, LedgerError *pErr);

/* ---- quote.c ----------------------------------------------------------- */

/* Appends the quote of a node (its id, 64 hex digits) as bytes; and its
** MRENCLAVE, EMU_HASH bytes, the same for each node. */
int emuQuote(const EmuKeys *p, const char *zNodeId, LedgerBuf *pRaw,
             LedgerError *pErr);
void emuQuoteMeasurement(unsigned char *aOut);

#endif /* EMU_PKI_H */
