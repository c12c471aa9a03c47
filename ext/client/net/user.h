/*
** Ids of users, and digests, for the rooms above the client too.
*/
#ifndef LEDGER_NET_USER_H
#define LEDGER_NET_USER_H

#include "base/base.h"

/* ---- userid.c ----------------------------------------------------------- */

#define LEDGER_USER_ID_MAX 96

/* The canonical form of a user's id into zOut[LEDGER_USER_ID_MAX]: an object id
** in lower case, a certificate's fingerprint in upper case with colons. Returns
** 0 when the n bytes at z are neither. */
int ledgerUserId(const char *z, size_t n, char *zOut);

/* ---- certificate.c ------------------------------------------------------ */

/* SHA-256 of the leaf among the certificates in a PEM text (or DER), as
** upper-case hex with colons: the user id of a client certificate. zOut has 96
** bytes. Which one is the leaf, the private key tells where there is one; else
** it is the one that issued no other. */
int ledgerCertificateFingerprint(const void *pBytes, size_t n, char *zOut,
                                 LedgerError *pErr);

/* ---- digest.c ----------------------------------------------------------- */

/* SHA-256 of n bytes as lower-case hex: zOut has 65 bytes. */
int ledgerDigestHex(const void *a, size_t n, char *zOut, LedgerError *pErr);

#endif /* LEDGER_NET_USER_H */
