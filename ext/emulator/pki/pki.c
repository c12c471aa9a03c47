/*
** Keys and certificates of the ledger.
**
** Serves GET /ledgerIdentity/{id}, TLS, the signatures over the tree, and the
** endorsements in receipts. The data file holds every key: a restart changes
** none.
**
**   service  CN=CCF Service, self-signed, CA:TRUE, pathlen:1
**   node     CN=CCF Node, signed by service; TLS for every other name
**   ca       CN=ledger-emulator CA, self-signed; what ca_file trusts
**   web      signed by ca; TLS for identity, login and gateway.localhost
**   admin    CN=administrator, self-signed; the first user of the ledger
**   jwt      RSA, no certificate; signs tokens (token.c)
**
** Invariants
**   - service, node and web certificates are valid for 90 days (--validity) and
**     renewed, with the same key, by a start that finds less than a third left;
**   - an election makes another node, a recovery another service, too. Only a
**     certificate remains of a former service, its key endorsed by the present
**     one: one step, however many recoveries lie between;
**   - ca and admin are valid for ten years: they are in files that are in use,
**     and the fingerprint of admin is a user's id;
**   - a private key is written only to files of mode 0600.
*/
#include "emulator/pki/pki.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- certificates ------------------------------------------------------ */

static const char zPkiCaUsage[] = "critical,keyCertSign,cRLSign";
static const char zPkiLeafUsage[] = "critical,digitalSignature";

static int pkiService(EmuKeys *p, LedgerError *pErr) {
  EmuCertSpec spec = {.zName = "CCF Service",
                      .nDay = p->nDay,
                      .zBasic = "critical,CA:TRUE,pathlen:1",
                      .zUsage = zPkiCaUsage};
  return emuCertNew(p->pService, &spec, NULL, NULL, &p->pServiceCert, pErr);
}

/* Appends the names of the ledger's nodes. */
static void pkiNodeNames(const char *zId, LedgerBuf *pSan) {
  int i;
  ledgerBufPrintf(pSan, "DNS:%s.localhost", zId);
  for( i = 1; i <= 3; i++ ) {
    ledgerBufPrintf(pSan, ",DNS:node%d.%s.localhost", i, zId);
  }
  ledgerBufText(pSan, ",DNS:localhost,IP:127.0.0.1,IP:::1");
}

static int pkiNode(EmuKeys *p, const char *zId, LedgerError *pErr) {
  EmuCertSpec spec = {.zName = "CCF Node",
                      .nDay = p->nDay,
                      .zBasic = "critical,CA:FALSE",
                      .zUsage = zPkiLeafUsage};
  LedgerBuf san = {0};
  int rc;
  pkiNodeNames(zId, &san);
  spec.zSan = san.z;
  rc = san.bOom ? ledgerErrorNomem(pErr)
                : emuCertNew(p->pNode, &spec, p->pServiceCert, p->pService,
                             &p->pNodeCert, pErr);
  ledgerBufFree(&san);
  return rc;
}

int emuKeysWrong(const EmuKeys *p, const char *zLedgerId, const char *zHow,
                 X509 **ppCert, EVP_PKEY **ppKey, LedgerError *pErr) {
  const int bForeign = strcmp(zHow, "foreign") == 0;
  EmuCertSpec spec = {.zName = "CCF Node",
                      .nDay = p->nDay,
                      .zBasic = "critical,CA:FALSE",
                      .zUsage = zPkiLeafUsage};
  LedgerBuf san = {0};
  EVP_PKEY *pKey = bForeign ? EVP_EC_gen("P-256") : p->pNode;
  int rc = LEDGER_OK;
  if( !bForeign ) EVP_PKEY_up_ref(pKey);
  if( strcmp(zHow, "expired") == 0 ) {
    spec.nFrom = -30;
    spec.nDay = -1;
  } else if( strcmp(zHow, "early") == 0 ) {
    spec.nFrom = 1;
    spec.nDay = 30;
  }
  if( strcmp(zHow, "name") == 0 ) {
    ledgerBufText(&san, "DNS:elsewhere.invalid");
  } else {
    pkiNodeNames(zLedgerId, &san);
  }
  spec.zSan = san.z;
  if( pKey == NULL ) {
    rc = emuPkiError(pErr, "cannot make keys");
  } else if( san.bOom ) {
    rc = ledgerErrorNomem(pErr);
  } else {
    rc = emuCertNew(pKey, &spec, bForeign ? NULL : p->pServiceCert,
                    bForeign ? NULL : p->pService, ppCert, pErr);
  }
  if( rc ) {
    EVP_PKEY_free(pKey);
    pKey = NULL;
  }
  *ppKey = pKey;
  ledgerBufFree(&san);
  return rc;
}

static int pkiCa(EmuKeys *p, LedgerError *pErr) {
  EmuCertSpec spec = {.zName = "ledger-emulator CA",
                      .nDay = 3650,
                      .zBasic = "critical,CA:TRUE,pathlen:0",
                      .zUsage = zPkiCaUsage};
  return emuCertNew(p->pCa, &spec, NULL, NULL, &p->pCaCert, pErr);
}

static int pkiWeb(EmuKeys *p, LedgerError *pErr) {
  EmuCertSpec spec = {.zName = "identity.localhost",
                      .nDay = p->nDay,
                      .zBasic = "critical,CA:FALSE",
                      .zUsage = zPkiLeafUsage,
                      .zExtUse = "serverAuth",
                      .zSan = "DNS:identity.localhost,DNS:login.localhost,"
                              "DNS:gateway.localhost"};
  return emuCertNew(p->pWeb, &spec, p->pCaCert, p->pCa, &p->pWebCert, pErr);
}

static int pkiAdmin(EmuKeys *p, LedgerError *pErr) {
  EmuCertSpec spec = {.zName = "administrator",
                      .nDay = 3650,
                      .zBasic = "critical,CA:FALSE",
                      .zUsage = zPkiLeafUsage,
                      .zExtUse = "clientAuth"};
  return emuCertNew(p->pAdmin, &spec, NULL, NULL, &p->pAdminCert, pErr);
}

/* ---- the store --------------------------------------------------------- */

/* Where each key and certificate stands in the store and in EmuKeys. */
static const struct PkiSlot {
  const char *zName;
  size_t iOffset;
  int bCert;
} aPkiSlot[] = {
    {"service_key", offsetof(EmuKeys, pService), 0},
    {"node_key", offsetof(EmuKeys, pNode), 0},
    {"ca_key", offsetof(EmuKeys, pCa), 0},
    {"web_key", offsetof(EmuKeys, pWeb), 0},
    {"admin_key", offsetof(EmuKeys, pAdmin), 0},
    {"jwt_key", offsetof(EmuKeys, pJwt), 0},
    {"service_cert", offsetof(EmuKeys, pServiceCert), 1},
    {"node_cert", offsetof(EmuKeys, pNodeCert), 1},
    {"ca_cert", offsetof(EmuKeys, pCaCert), 1},
    {"web_cert", offsetof(EmuKeys, pWebCert), 1},
    {"admin_cert", offsetof(EmuKeys, pAdminCert), 1},
};
#define PKI_SLOTS ((int)(sizeof(aPkiSlot) / sizeof(aPkiSlot[0])))

static void *pkiSlotGet(const EmuKeys *p, int i) {
  void *pVal;
  memcpy(&pVal, (const char *)p + aPkiSlot[i].iOffset, sizeof(pVal));
  return pVal;
}

static void pkiSlotSet(EmuKeys *p, int i, void *pVal) {
  memcpy((char *)p + aPkiSlot[i].iOffset, &pVal, sizeof(pVal));
}

/* Writes every key and certificate into the store. */
static int pkiSave(const EmuKeys *p, EmuStore *pStore, LedgerError *pErr) {
  LedgerBuf pem = {0};
  int i, rc = LEDGER_OK;
  for( i = 0; i < PKI_SLOTS && rc == LEDGER_OK; i++ ) {
    void *pVal = pkiSlotGet(p, i);
    ledgerBufReset(&pem);
    rc = aPkiSlot[i].bCert ? emuCertPem(pVal, &pem, pErr)
                           : emuCertKeyPem(pVal, &pem, pErr);
    if( rc == LEDGER_OK ) {
      rc = emuStoreMetaPut(pStore, aPkiSlot[i].zName, pem.z, pem.n, pErr);
    }
  }
  ledgerBufFree(&pem);
  return rc;
}

/* What is derived: node id, fingerprint, number of the node certificate. */
static int pkiDerive(EmuKeys *p, EmuStore *pStore, LedgerError *pErr) {
  unsigned char aHash[EMU_HASH];
  unsigned char *aDer = NULL;
  LedgerBuf pem = {0};
  EmuPiece piece;
  int n = i2d_PUBKEY(p->pNode, &aDer), rc;
  if( n <= 0 || !emuCertFingerprint(p->pAdminCert, p->zAdmin) ) {
    rc = emuPkiError(pErr, "cannot read a key");
    goto out;
  }
  piece.a = aDer;
  piece.n = (size_t)n;
  emuHashSha256(&piece, 1, aHash);
  ledgerHexEncode(aHash, EMU_HASH, p->zNodeId);
  rc = emuCertPem(p->pNodeCert, &pem, pErr);
  if( rc == LEDGER_OK ) {
    rc = emuStoreNodeCert(pStore, p->zNodeId, &pem, &p->iNodeCert, pErr);
  }
out:
  OPENSSL_free(aDer);
  ledgerBufFree(&pem);
  return rc;
}

int emuKeysCreate(EmuKeys *p, EmuStore *pStore, const char *zLedgerId,
                  const char *zCurve, int nDay, LedgerError *pErr) {
  int rc;
  memset(p, 0, sizeof(*p));
  p->nDay = nDay;
  p->pService = EVP_EC_gen(zCurve);
  p->pNode = EVP_EC_gen(zCurve);
  p->pCa = EVP_EC_gen("P-256");
  p->pWeb = EVP_EC_gen("P-256");
  p->pAdmin = EVP_EC_gen(zCurve);
  p->pJwt = EVP_RSA_gen(2048);
  if( !p->pService || !p->pNode || !p->pCa || !p->pWeb || !p->pAdmin ||
      !p->pJwt || RAND_bytes(p->aSecret, sizeof(p->aSecret)) != 1 ) {
    rc = emuPkiError(pErr, "cannot make keys");
    goto out;
  }
  rc = pkiService(p, pErr);
  if( rc == LEDGER_OK ) rc = pkiNode(p, zLedgerId, pErr);
  if( rc == LEDGER_OK ) rc = pkiCa(p, pErr);
  if( rc == LEDGER_OK ) rc = pkiWeb(p, pErr);
  if( rc == LEDGER_OK ) rc = pkiAdmin(p, pErr);
  if( rc == LEDGER_OK ) rc = pkiSave(p, pStore, pErr);
  if( rc == LEDGER_OK ) {
    rc =
        emuStoreMetaPut(pStore, "secret", p->aSecret, sizeof(p->aSecret), pErr);
  }
  if( rc == LEDGER_OK ) rc = pkiDerive(p, pStore, pErr);
out:
  if( rc ) emuKeysFree(p);
  return rc;
}

/* Reads one key or certificate from the store. */
static int pkiLoadSlot(EmuKeys *p, EmuStore *pStore, int i, LedgerError *pErr) {
  LedgerBuf pem = {0};
  BIO *pBio = NULL;
  void *pVal;
  int rc = emuStoreMetaGet(pStore, aPkiSlot[i].zName, &pem, pErr);
  if( rc ) goto out;
  pBio = BIO_new_mem_buf(pem.z, (int)pem.n);
  pVal = aPkiSlot[i].bCert
             ? (void *)PEM_read_bio_X509(pBio, NULL, NULL, NULL)
             : (void *)PEM_read_bio_PrivateKey(pBio, NULL, NULL, NULL);
  if( pVal == NULL ) {
    rc = emuPkiError(pErr, "the data file is damaged");
    goto out;
  }
  pkiSlotSet(p, i, pVal);
out:
  BIO_free(pBio);
  ledgerBufFree(&pem);
  return rc;
}

/* 1 when the certificate has less than a third of its nDay days left. */
static int pkiEnding(const X509 *pCert, int nDay) {
  time_t t = time(NULL) + nDay * EMU_DAY / 3;
  return X509_cmp_time(X509_get0_notAfter(pCert), &t) < 0;
}

/* ---- former services --------------------------------------------------- */

static void pkiFormerFree(EmuKeys *p) {
  int i;
  for( i = 0; i < p->nFormer; i++ ) {
    X509_free(p->aFormer[i].pCert);
    free(p->aFormer[i].zPem);
  }
  free(p->aFormer);
  p->aFormer = NULL;
  p->nFormer = 0;
}

/* Adds the certificate, which it takes over, to the former services. */
static int pkiFormerAdd(EmuKeys *p, X509 *pCert, LedgerError *pErr) {
  LedgerBuf pem = {0};
  EmuFormer *a;
  int rc = emuCertPem(pCert, &pem, pErr);
  a = realloc(p->aFormer, ((size_t)p->nFormer + 1) * sizeof(*a));
  if( a ) p->aFormer = a;
  if( rc == LEDGER_OK && a == NULL ) rc = ledgerErrorNomem(pErr);
  if( rc == LEDGER_OK ) {
    a[p->nFormer].pCert = pCert;
    a[p->nFormer].zPem = ledgerBufTake(&pem);
    if( a[p->nFormer].zPem ) {
      p->nFormer++;
      return LEDGER_OK;
    }
    rc = ledgerErrorNomem(pErr);
  }
  ledgerBufFree(&pem);
  X509_free(pCert);
  return rc;
}

/* Endorses a former service by the present one, and adds it. */
static int pkiEndorse(EmuKeys *p, X509 *pFormer, LedgerError *pErr) {
  EmuCertSpec spec = {.zName = "CCF Service",
                      .nDay = p->nDay,
                      .zBasic = "critical,CA:TRUE,pathlen:1",
                      .zUsage = zPkiCaUsage};
  X509 *pCert = NULL;
  int rc = emuCertNew(X509_get0_pubkey(pFormer), &spec, p->pServiceCert,
                      p->pService, &pCert, pErr);
  return rc ? rc : pkiFormerAdd(p, pCert, pErr);
}

/* The store has them as one text, one PEM after the other; a ledger without a
** recovery has none. */
static int pkiFormerSave(const EmuKeys *p, EmuStore *pStore,
                         LedgerError *pErr) {
  LedgerBuf all = {0};
  int i, rc;
  for( i = 0; i < p->nFormer; i++ ) ledgerBufText(&all, p->aFormer[i].zPem);
  rc = all.bOom ? ledgerErrorNomem(pErr)
                : emuStoreMetaPut(pStore, "former", all.z, all.n, pErr);
  ledgerBufFree(&all);
  return rc;
}

static int pkiFormerLoad(EmuKeys *p, EmuStore *pStore, LedgerError *pErr) {
  LedgerBuf all = {0};
  BIO *pBio = NULL;
  X509 *pCert;
  int rc = emuStoreMetaGet(pStore, "former", &all, pErr);
  if( rc == LEDGER_NOTFOUND ) {
    ledgerErrorClear(pErr);
    return LEDGER_OK;
  }
  if( rc ) goto out;
  pBio = BIO_new_mem_buf(all.z ? all.z : "", (int)all.n);
  while( rc == LEDGER_OK && pBio &&
         (pCert = PEM_read_bio_X509(pBio, NULL, NULL, NULL)) != NULL ) {
    rc = pkiFormerAdd(p, pCert, pErr);
  }
  ERR_clear_error();
out:
  BIO_free(pBio);
  ledgerBufFree(&all);
  return rc;
}

int emuKeysEndorsement(EmuKeys *p, int64_t iNodeCert, const LedgerBuf *pPem,
                       const char **pzPem, LedgerError *pErr) {
  if( p->iAsked != iNodeCert ) {
    BIO *pBio = BIO_new_mem_buf(pPem->z, (int)pPem->n);
    X509 *pNode = pBio ? PEM_read_bio_X509(pBio, NULL, NULL, NULL) : NULL;
    X509 *pIssuer = p->pServiceCert;
    int i = -1;
    /* By name and key identifier. */
    while( pNode && X509_check_issued(pIssuer, pNode) != X509_V_OK &&
           ++i < p->nFormer ) {
      pIssuer = p->aFormer[i].pCert;
    }
    BIO_free(pBio);
    X509_free(pNode);
    if( pNode == NULL || i == p->nFormer ) {
      return emuPkiError(pErr, "the data file is damaged: a node certificate");
    }
    p->iAsked = iNodeCert;
    p->iEndorsed = i;
  }
  *pzPem = p->iEndorsed < 0 ? NULL : p->aFormer[p->iEndorsed].zPem;
  return LEDGER_OK;
}

/* ---- changes ----------------------------------------------------------- */

/* A second reference to every key and certificate. */
static int pkiShare(const EmuKeys *pFrom, EmuKeys *p, LedgerError *pErr) {
  int i, rc = LEDGER_OK;
  *p = *pFrom;
  p->aFormer = NULL;
  p->nFormer = 0;
  for( i = 0; i < PKI_SLOTS; i++ ) {
    if( aPkiSlot[i].bCert ) {
      X509_up_ref(pkiSlotGet(p, i));
    } else {
      EVP_PKEY_up_ref(pkiSlotGet(p, i));
    }
  }
  for( i = 0; i < pFrom->nFormer && rc == LEDGER_OK; i++ ) {
    X509_up_ref(pFrom->aFormer[i].pCert);
    rc = pkiFormerAdd(p, pFrom->aFormer[i].pCert, pErr);
  }
  return rc;
}

/* Makes another service, which endorses the one before (in pFrom). */
static int pkiNewService(EmuKeys *p, const EmuKeys *pFrom, const char *zCurve,
                         LedgerError *pErr) {
  int i, rc;
  EVP_PKEY_free(p->pService);
  X509_free(p->pServiceCert);
  p->pServiceCert = NULL;
  p->pService = EVP_EC_gen(zCurve);
  if( p->pService == NULL ) return emuPkiError(pErr, "cannot make keys");
  pkiFormerFree(p);
  rc = pkiService(p, pErr);
  for( i = 0; i < pFrom->nFormer && rc == LEDGER_OK; i++ ) {
    rc = pkiEndorse(p, pFrom->aFormer[i].pCert, pErr);
  }
  return rc ? rc : pkiEndorse(p, pFrom->pServiceCert, pErr);
}

/* Makes another node. */
static int pkiNewNode(EmuKeys *p, const char *zLedgerId, const char *zCurve,
                      LedgerError *pErr) {
  EVP_PKEY_free(p->pNode);
  X509_free(p->pNodeCert);
  p->pNodeCert = NULL;
  p->pNode = EVP_EC_gen(zCurve);
  if( p->pNode == NULL ) return emuPkiError(pErr, "cannot make keys");
  return pkiNode(p, zLedgerId, pErr);
}

int emuKeysChange(EmuKeys *p, EmuStore *pStore, const char *zLedgerId,
                  const char *zCurve, int eChange, EmuKeys *pOld,
                  LedgerError *pErr) {
  EmuKeys keys;
  int rc = pkiShare(p, &keys, pErr);
  if( rc == LEDGER_OK && eChange == EMU_CHANGE_SERVICE ) {
    rc = pkiNewService(&keys, p, zCurve, pErr);
  } else if( rc == LEDGER_OK && eChange == EMU_CHANGE_RENEW ) {
    X509_free(keys.pServiceCert);
    keys.pServiceCert = NULL;
    rc = pkiService(&keys, pErr);
  }
  if( rc == LEDGER_OK && eChange != EMU_CHANGE_RENEW ) {
    rc = pkiNewNode(&keys, zLedgerId, zCurve, pErr);
  }
  if( rc == LEDGER_OK ) rc = pkiSave(&keys, pStore, pErr);
  if( rc == LEDGER_OK && keys.nFormer ) rc = pkiFormerSave(&keys, pStore, pErr);
  if( rc == LEDGER_OK ) rc = pkiDerive(&keys, pStore, pErr);
  keys.iAsked = 0;
  if( rc ) {
    emuKeysFree(&keys);
  } else {
    *pOld = *p;
    *p = keys;
  }
  OPENSSL_cleanse(keys.aSecret, sizeof(keys.aSecret));
  return rc;
}

/* ---- loading and freeing ----------------------------------------------- */

int emuKeysLoad(EmuKeys *p, EmuStore *pStore, const char *zLedgerId, int nDay,
                LedgerError *pErr) {
  LedgerBuf secret = {0};
  int i, rc;
  memset(p, 0, sizeof(*p));
  p->nDay = nDay;
  rc = emuStoreMetaGet(pStore, "secret", &secret, pErr);
  if( rc ) goto out;
  if( secret.n != sizeof(p->aSecret) ) {
    rc = ledgerErrorSet(pErr, LEDGER_ERROR, "the data file is damaged");
    goto out;
  }
  memcpy(p->aSecret, secret.z, sizeof(p->aSecret));
  for( i = 0; i < PKI_SLOTS && rc == LEDGER_OK; i++ ) {
    rc = pkiLoadSlot(p, pStore, i, pErr);
  }
  if( rc == LEDGER_OK ) rc = pkiFormerLoad(p, pStore, pErr);
  if( rc ) goto out;
  if( pkiEnding(p->pServiceCert, nDay) || pkiEnding(p->pNodeCert, nDay) ||
      pkiEnding(p->pWebCert, nDay) ) {
    X509_free(p->pServiceCert);
    X509_free(p->pNodeCert);
    X509_free(p->pWebCert);
    p->pServiceCert = p->pNodeCert = p->pWebCert = NULL;
    rc = pkiService(p, pErr);
    if( rc == LEDGER_OK ) rc = pkiNode(p, zLedgerId, pErr);
    if( rc == LEDGER_OK ) rc = pkiWeb(p, pErr);
    if( rc == LEDGER_OK ) rc = pkiSave(p, pStore, pErr);
  }
  if( rc == LEDGER_OK ) rc = pkiDerive(p, pStore, pErr);
out:
  ledgerBufFree(&secret);
  if( rc ) emuKeysFree(p);
  return rc;
}

void emuKeysFree(EmuKeys *p) {
  int i;
  pkiFormerFree(p);
  for( i = 0; i < PKI_SLOTS; i++ ) {
    if( aPkiSlot[i].bCert ) {
      X509_free(pkiSlotGet(p, i));
    } else {
      EVP_PKEY_free(pkiSlotGet(p, i));
    }
  }
  OPENSSL_cleanse(p, sizeof(*p));
}

int emuKeysExport(const EmuKeys *p, const char *zDir, LedgerError *pErr) {
  static const char *const azFile[3] = {"ca.pem", "service.pem", "admin.pem"};
  X509 *apCert[3] = {p->pCaCert, p->pServiceCert, p->pAdminCert};
  LedgerBuf pem = {0};
  int i, rc = LEDGER_OK;
  for( i = 0; i < 3 && rc == LEDGER_OK; i++ ) {
    char *zPath = ledgerMprintf("%s/%s", zDir, azFile[i]);
    ledgerBufReset(&pem);
    rc = zPath ? emuCertPem(apCert[i], &pem, pErr) : ledgerErrorNomem(pErr);
    if( rc == LEDGER_OK && i == 2 ) rc = emuCertKeyPem(p->pAdmin, &pem, pErr);
    if( rc == LEDGER_OK ) {
      rc = emuFileWrite(zPath, pem.z, pem.n, i == 2 ? 0600 : 0644, pErr);
    }
    free(zPath);
  }
  if( pem.z ) OPENSSL_cleanse(pem.z, pem.n);
  ledgerBufFree(&pem);
  return rc;
}
