/*
** One service certificate and the handshakes that are held against it. Where it
** comes from, client/identity.c knows. Issues no request.
**
** Invariants
**   - what is trusted is the key: a certificate with another key than the one
**     that is pinned or known is never taken;
**   - dates are enforced on the node's certificate, and on the service's unless
**     that one is pinned; no session is resumed, since that shows neither.
*/
#include "client/net/net.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- certificates ------------------------------------------------------- */

/* sha256:<hex> of the certificate's SubjectPublicKeyInfo into
** zOut[LEDGER_KEY_MAX]; "" when it can't be had. */
static void trustKeyOf(X509 *pCert, char *zOut) {
  unsigned char aHash[32];
  unsigned char *aDer = NULL;
  int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pCert), &aDer);

  zOut[0] = 0;
  if( n > 0 &&
      EVP_Digest(aDer, (size_t)n, aHash, NULL, EVP_sha256(), NULL) == 1 ) {
    memcpy(zOut, "sha256:", 7);
    ledgerHexEncode(aHash, 32, zOut + 7);
  }
  OPENSSL_free(aDer);
}

/* A certificate's date as YYYY-MM-DDTHH:MM:SSZ into z[24]. */
static void trustDate(const ASN1_TIME *pTime, char *z) {
  struct tm t;
  z[0] = 0;
  if( ASN1_TIME_to_tm(pTime, &t) == 1 ) {
    strftime(z, 24, "%Y-%m-%dT%H:%M:%SZ", &t);
  }
}

/* ---- the service certificate -------------------------------------------- */

/* Forgets everything. */
void ledgerTrustReset(LedgerTrust *p) {
  X509_free(p->pCert);
  free(p->zPem);
  memset(p, 0, sizeof(*p));
}

/* Takes a PEM text as the service certificate. zFrom is where it is from, for
** messages, zPinKey the key that it must have, or NULL. *pTrust is filled only
** on LEDGER_OK. */
int ledgerTrustAdopt(LedgerTrust *pTrust, const char *zPem, const char *zFrom,
                     const char *zPinKey, LedgerError *pErr) {
  char zKey[LEDGER_KEY_MAX];
  X509 *pCert = NULL;
  char *zCopy = NULL;
  const int nCert = ledgerCertificateCount(zPem, &pCert);

  if( nCert < 0 ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  if( nCert != 1 ) {
    ledgerErrorSet(
        pErr, LEDGER_AUTH,
        "the service certificate from %s: there are %d certificates where "
        "exactly one is expected",
        zFrom, nCert);
    goto out;
  }
  trustKeyOf(pCert, zKey);
  if( zPinKey && strcmp(zPinKey, zKey) != 0 ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "another service key: %s is expected, but the service "
                   "certificate from %s has %s",
                   zPinKey, zFrom, zKey);
    pErr->eCause = LEDGER_CAUSE_OTHER_KEY;
    goto out;
  }
  zCopy = ledgerCertificateText(pCert);
  if( zCopy == NULL ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  free(pTrust->zPem);
  X509_free(pTrust->pCert);
  pTrust->zPem = zCopy;
  pTrust->pCert = pCert;
  pCert = NULL;
  memcpy(pTrust->zKey, zKey, sizeof(zKey));
  trustDate(X509_get0_notBefore(pTrust->pCert), pTrust->zNotBefore);
  trustDate(X509_get0_notAfter(pTrust->pCert), pTrust->zNotAfter);
out:
  X509_free(pCert);
  return pErr->rc;
}

/* Checks the dates of the certificate. */
int ledgerTrustDates(const LedgerTrust *p, LedgerError *pErr) {
  if( X509_cmp_current_time(X509_get0_notBefore(p->pCert)) > 0 ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "the service certificate is not valid before %s",
                   p->zNotBefore);
  }
  if( X509_cmp_current_time(X509_get0_notAfter(p->pCert)) < 0 ) {
    ledgerErrorSet(pErr, LEDGER_AUTH, "the service certificate expired on %s",
                   p->zNotAfter);
  }
  if( pErr->rc ) pErr->eCause = LEDGER_CAUSE_DATES;
  return pErr->rc;
}

/* ---- the handshake ------------------------------------------------------ */

static int iTrustExData; /* slot of the LedgerTrust in an X509_STORE */

static void trustExDataInit(void) {
  iTrustExData = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, NULL,
                                         NULL, NULL, NULL);
}

/* Notes the keys that the server came with: its own, and its service's where
** the server sends that certificate along. */
static void trustNote(LedgerTrust *p, X509_STORE_CTX *pCtx) {
  STACK_OF(X509) *pSent = X509_STORE_CTX_get0_untrusted(pCtx);
  X509 *pNode = X509_STORE_CTX_get0_cert(pCtx);
  int i;

  p->zSeen[0] = p->zSeenNode[0] = 0;
  if( pNode ) trustKeyOf(pNode, p->zSeenNode);
  for( i = 0; i < sk_X509_num(pSent); i++ ) {
    X509 *pCert = sk_X509_value(pSent, i);
    if( pCert == pNode || X509_self_signed(pCert, 0) != 1 ) continue;
    trustKeyOf(pCert, p->zSeen);
    return;
  }
}

/* Called by OpenSSL for each certificate of a chain. Forgives a pinned one its
** dates. */
static int trustVerify(int bOk, X509_STORE_CTX *pCtx) {
  X509_STORE *pStore = X509_STORE_CTX_get0_store(pCtx);
  LedgerTrust *p = X509_STORE_get_ex_data(pStore, iTrustExData);
  X509 *pCert = X509_STORE_CTX_get_current_cert(pCtx);
  int e = X509_STORE_CTX_get_error(pCtx);

  if( bOk || p == NULL ) return bOk;
  if( ledgerFailureIsDate(e) && p->bPinned &&
      X509_STORE_CTX_get_error_depth(pCtx) > 0 && pCert != NULL &&
      X509_cmp(pCert, p->pCert) == 0 ) {
    X509_STORE_CTX_set_error(pCtx, X509_V_OK);
    return 1;
  }
  trustNote(p, pCtx);
  return 0;
}

/*
** The groups for the exchange of keys, those that we send a share of first. A
** node of CCF knows P-521, P-384 and P-256 alone, and answers OpenSSL's own
** choice, X25519, by asking for another share: a round trip more for each
** connection. OpenSSL 3.5 can send two shares, so that it keeps the one that
** quantum computers don't break. Where a list is refused, its own stays.
*/
static void trustGroups(SSL_CTX *pCtx) {
  ERR_set_mark();
  SSL_CTX_set1_groups_list(pCtx,
                           OpenSSL_version_num() >= 0x30500000L
                               ? "?*X25519MLKEM768/*P-256:P-384:P-521:X25519"
                               : "P-256:P-384:P-521:X25519");
  ERR_pop_to_mark();
}

/* LedgerWire.xVerify of the ledger's own connections. */
int ledgerTrustVerify(void *pCtx, void *pTrust) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  X509_STORE *pStore = SSL_CTX_get_cert_store(pCtx);

  pthread_once(&once, trustExDataInit);
  if( iTrustExData < 0 || pStore == NULL ||
      X509_STORE_set_ex_data(pStore, iTrustExData, pTrust) != 1 ) {
    return 0;
  }
  X509_STORE_set_verify_cb(pStore, trustVerify);
  trustGroups(pCtx);
  return 1;
}
