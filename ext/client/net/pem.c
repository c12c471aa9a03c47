/*
** PEM texts: what a file of certificates and keys is made one of, and the
** blocks in it.
**
**   -----BEGIN CERTIFICATE-----  a block's name
**   Proc-Type: 4,ENCRYPTED       headers and an empty line, or none
**   MIIB...                      base64
**   -----END CERTIFICATE-----
**
** Invariants
**   - whatever stands around blocks is passed over, and so is how lines end:
**     CR, LF, blanks, or the letters \n where a variable was quoted;
**   - nothing is decrypted here, and nobody is asked for a password;
**   - what is read may be secret: buffers are wiped, and never grow.
*/
#include "client/net/net.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

/* ---- blocks ------------------------------------------------------------- */

/* The next block of the text at *pz, which moves behind it. Returns 0 where
** there is none. One that has no end has no body (zBody is NULL). */
int ledgerPemNext(const char **pz, LedgerPem *p) {
  static const char zBegin[] = "-----BEGIN ";
  static const char zEnd[] = "-----END ";
  const char *z = strstr(*pz, zBegin);
  const char *zStop, *zNext;

  memset(p, 0, sizeof(*p));
  if( z == NULL ) return 0;
  p->zName = z + sizeof(zBegin) - 1;
  zStop = strstr(p->zName, "-----");
  if( zStop == NULL || memchr(p->zName, '\n', (size_t)(zStop - p->zName)) ) {
    p->nName = strcspn(p->zName, "-\r\n");
    *pz = p->zName;
    return 1;
  }
  p->nName = (size_t)(zStop - p->zName);
  *pz = zStop + 5;
  z = strstr(*pz, zEnd);
  zNext = strstr(*pz, zBegin);
  if( z == NULL || (zNext && zNext < z) ||
      strncmp(z + sizeof(zEnd) - 1, p->zName, p->nName) != 0 ) {
    return 1;
  }
  p->zBody = *pz;
  p->nBody = (size_t)(z - p->zBody);
  *pz = z + sizeof(zEnd) - 1 + p->nName;
  return 1;
}

int ledgerPemIs(const LedgerPem *p, const char *zName) {
  return strlen(zName) == p->nName && memcmp(p->zName, zName, p->nName) == 0;
}

/* Whether the block is a certificate, of whatever kind. */
int ledgerPemIsCertificate(const LedgerPem *p) {
  return ledgerPemIs(p, "CERTIFICATE") || ledgerPemIs(p, "X509 CERTIFICATE") ||
         ledgerPemIs(p, "TRUSTED CERTIFICATE");
}

/* Whether the block is a private key, of whatever kind. */
int ledgerPemIsKey(const LedgerPem *p) {
  static const char zKey[] = "PRIVATE KEY";
  const size_t n = sizeof(zKey) - 1;
  return p->nName >= n && memcmp(p->zName + p->nName - n, zKey, n) == 0;
}

/* Whether there is a private key in the text, readable or not. */
int ledgerPemHasKey(const char *z) {
  LedgerPem pem;
  while( ledgerPemNext(&z, &pem) ) {
    if( ledgerPemIsKey(&pem) || ledgerPemIs(&pem, "PKCS12") ) return 1;
  }
  return 0;
}

/* Appends the block's headers, one a line, to *pHeader and what it encodes to
** *pDer, which is empty. Returns 1; 0 where that can't be read, or for want of
** memory (bOom). */
int ledgerPemDecode(const LedgerPem *p, LedgerBuf *pHeader, LedgerBuf *pDer) {
  const char *z = p->zBody;
  const char *zEnd;
  LedgerBuf text = {0};
  int bOk = 0;

  if( z == NULL ) return 0;
  zEnd = z + p->nBody;
  if( memchr(z, ':', p->nBody) ) {
    int bBlank = 0;
    while( z < zEnd && strchr(" \t\r\n", *z) ) z++;
    while( z < zEnd && !bBlank ) {
      const char *zEol = memchr(z, '\n', (size_t)(zEnd - z));
      size_t n = (size_t)((zEol ? zEol : zEnd) - z);
      if( zEol == NULL ) return 0;
      while( n > 0 && strchr(" \t\r", z[n - 1]) ) n--;
      bBlank = n == 0;
      ledgerBufAppend(pHeader, z, n);
      if( n ) ledgerBufText(pHeader, "\n");
      z = zEol + 1;
    }
  }
  if( ledgerBufRoom(&text, (size_t)(zEnd - z)) == 0 ) goto out;
  for( ; z < zEnd; z++ ) {
    if( strchr(" \t\r\n", *z) ) continue;
    if( *z == '\\' && z + 1 < zEnd && (z[1] == 'n' || z[1] == 'r') ) {
      z++;
      continue;
    }
    ledgerBufAppend(&text, z, 1);
  }
  if( ledgerBufRoom(pDer, text.n) ) {
    bOk = text.n > 0 && ledgerBase64Decode(text.z, text.n, pDer) &&
          !pHeader->bOom;
  }
out:
  if( text.bOom ) pDer->bOom = 1;
  ledgerBufWipe(&text);
  return bOk;
}

/* ---- a file's bytes ----------------------------------------------------- */

/* The name of the block that these bytes are, where they are DER; or NULL. */
static const char *pemKind(const unsigned char *a, long n) {
  const unsigned char *z;
  const char *zName = NULL;
  PKCS8_PRIV_KEY_INFO *pKey;
  PKCS12 *pFile;
  X509_SIG *pLocked;
  X509 *pCert;
  int i;

  z = a;
  if( (pFile = d2i_PKCS12(NULL, &z, n)) != NULL ) zName = "PKCS12";
  PKCS12_free(pFile);
  z = a;
  if( zName == NULL && (pCert = d2i_X509(NULL, &z, n)) != NULL ) {
    zName = "CERTIFICATE";
    X509_free(pCert);
  }
  z = a;
  if( zName == NULL && (pKey = d2i_PKCS8_PRIV_KEY_INFO(NULL, &z, n)) != NULL ) {
    zName = "PRIVATE KEY";
    PKCS8_PRIV_KEY_INFO_free(pKey);
  }
  for( i = 0; i < 2 && zName == NULL; i++ ) {
    static const int aeType[] = {EVP_PKEY_RSA, EVP_PKEY_EC};
    EVP_PKEY *pOld;
    z = a;
    pOld = d2i_PrivateKey(aeType[i], NULL, &z, n);
    if( pOld ) zName = i ? "EC PRIVATE KEY" : "RSA PRIVATE KEY";
    EVP_PKEY_free(pOld);
  }
  z = a;
  if( zName == NULL && (pLocked = d2i_X509_SIG(NULL, &z, n)) != NULL ) {
    zName = "ENCRYPTED PRIVATE KEY";
    X509_SIG_free(pLocked);
  }
  ERR_clear_error();
  return zName;
}

/*
** Appends the n bytes of a file as a PEM text to *pOut, which is empty: without
** a mark of their encoding and NULs at their ends; DER (a certificate, a PKCS#8
** key, PKCS#12) as the block that it is. Returns NULL, or what is wrong with
** them; look at pOut->bOom then too.
*/
const char *ledgerPemText(const void *pBytes, size_t n, LedgerBuf *pOut) {
  const unsigned char *a = pBytes;
  const char *zKind;

  if( n > 2 &&
      ((a[0] == 0xff && a[1] == 0xfe) || (a[0] == 0xfe && a[1] == 0xff)) ) {
    return "is UTF-16 text: save it as UTF-8";
  }
  if( n > 3 && a[0] == 0x30 && (zKind = pemKind(a, (long)n)) != NULL ) {
    if( ledgerBufRoom(pOut, n / 3 * 4 + 100) ) {
      ledgerBufPrintf(pOut, "-----BEGIN %s-----\n", zKind);
      ledgerBufBase64(pOut, a, n);
      ledgerBufPrintf(pOut, "\n-----END %s-----\n", zKind);
    }
    return pOut->bOom ? "is too large" : NULL;
  }
  if( n > 3 && memcmp(a, "\xef\xbb\xbf", 3) == 0 ) a += 3, n -= 3;
  while( n > 0 && a[0] == 0 ) a++, n--;
  while( n > 0 && a[n - 1] == 0 ) n--;
  if( memchr(a, 0, n) == NULL && ledgerBufRoom(pOut, n) ) {
    ledgerBufAppend(pOut, a, n);
    if( strstr(pOut->z, "-----BEGIN ") ) return NULL;
  }
  if( pOut->bOom ) return "is too large";
  ledgerBufWipe(pOut);
  return "holds no PEM text (-----BEGIN ...)";
}
