/*
** Tokens of the local authority: JWTs, signed with RS256.
**
** Serves POST /{tenant}/oauth2/v2.0/token, GET /{tenant}/discovery/v2.0/keys
** and every route that takes a bearer token.
**
** Invariants
**   - the ledger accepts a token only if it is signed by its own authority's
**     key with RS256, has not expired, is for the ledger's audience and names
**     an object id;
**   - a token is never written anywhere but into the answer that issues it,
**     the line printed at start, and the ready file.
*/
#include "emulator/auth/authInt.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>
#include <time.h>

#define TOKEN_SKEW 60 /* seconds that clocks may differ */

/* The public key's modulus and exponent, base64url. */
static int tokenNumbers(EVP_PKEY *pKey, LedgerBuf *pMod, LedgerBuf *pExp,
                        LedgerError *pErr) {
  static const char *const azName[2] = {OSSL_PKEY_PARAM_RSA_N,
                                        OSSL_PKEY_PARAM_RSA_E};
  LedgerBuf *apOut[2] = {pMod, pExp};
  int i, rc = LEDGER_OK;
  for( i = 0; i < 2 && rc == LEDGER_OK; i++ ) {
    unsigned char a[1024];
    BIGNUM *pNum = NULL;
    if( EVP_PKEY_get_bn_param(pKey, azName[i], &pNum) &&
        BN_num_bytes(pNum) <= (int)sizeof(a) ) {
      const int n = BN_bn2bin(pNum, a);
      ledgerBufBase64Url(apOut[i], a, (size_t)n);
      if( apOut[i]->bOom ) rc = ledgerErrorNomem(pErr);
    } else {
      rc = ledgerErrorSet(pErr, LEDGER_ERROR, "cannot read the token key");
    }
    BN_free(pNum);
  }
  return rc;
}

/* The key's id: a digest of its modulus. */
static int tokenKeyId(EVP_PKEY *pKey, char *zKid, LedgerError *pErr) {
  LedgerBuf mod = {0}, exponent = {0};
  unsigned char a[EMU_HASH];
  char z[2 * EMU_HASH + 1];
  EmuPiece piece;
  int rc = tokenNumbers(pKey, &mod, &exponent, pErr);
  if( rc == LEDGER_OK ) {
    piece.a = mod.z;
    piece.n = mod.n;
    emuHashSha256(&piece, 1, a);
    ledgerHexEncode(a, EMU_HASH, z);
    memcpy(zKid, z, 32);
    zKid[32] = 0;
  }
  ledgerBufFree(&mod);
  ledgerBufFree(&exponent);
  return rc;
}

int emuTokenKeys(Emu *p, LedgerBuf *pBuf, LedgerError *pErr) {
  LedgerBuf mod = {0}, exponent = {0};
  char zKid[33];
  int rc = tokenNumbers(p->pKeys->pJwt, &mod, &exponent, pErr);
  if( rc == LEDGER_OK ) rc = tokenKeyId(p->pKeys->pJwt, zKid, pErr);
  if( rc == LEDGER_OK ) {
    ledgerBufPrintf(pBuf,
                    "{\"keys\":[{\"alg\":\"RS256\",\"e\":\"%s\",\"kid\":\"%s\","
                    "\"kty\":\"RSA\",\"n\":\"%s\",\"use\":\"sig\"}]}",
                    exponent.z, zKid, mod.z);
  }
  ledgerBufFree(&mod);
  ledgerBufFree(&exponent);
  return rc;
}

int emuTokenIssue(Emu *p, const char *zOid, const char *zClient,
                  const char *zAudience, int64_t nLifetime, int bCapable,
                  LedgerBuf *pBuf, LedgerError *pErr) {
  LedgerBuf jwt = {0}, part = {0};
  EVP_MD_CTX *pCtx = NULL;
  unsigned char aSig[1024];
  size_t nSig = sizeof(aSig);
  long long iNow = (long long)time(NULL);
  char zKid[33];
  int rc = tokenKeyId(p->pKeys->pJwt, zKid, pErr);
  if( rc ) goto out;

  ledgerBufPrintf(&part, "{\"alg\":\"RS256\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
                  zKid);
  ledgerBufBase64Url(&jwt, part.z, part.n);
  ledgerBufText(&jwt, ".");
  ledgerBufReset(&part);
  ledgerBufText(&part, "{\"aud\":");
  if( zAudience == NULL ) zAudience = EMU_AUDIENCE;
  ledgerBufJson(&part, zAudience, strlen(zAudience));
  ledgerBufPrintf(&part,
                  ",\"iss\":\"https://login.localhost/%s/v2.0\",\"iat\":%lld,"
                  "\"nbf\":%lld,\"exp\":%lld,\"appid\":",
                  p->zTenant, iNow, nLifetime < 0 ? iNow + nLifetime : iNow,
                  iNow + (long long)nLifetime);
  ledgerBufJson(&part, zClient, strlen(zClient));
  ledgerBufText(&part, ",\"oid\":");
  ledgerBufJson(&part, zOid, strlen(zOid));
  ledgerBufText(&part, ",\"sub\":");
  ledgerBufJson(&part, zOid, strlen(zOid));
  ledgerBufPrintf(&part, ",\"tid\":\"%s\",\"ver\":\"2.0\"%s}", p->zTenant,
                  bCapable ? ",\"xms_cc\":[\"CP1\"]" : "");
  ledgerBufBase64Url(&jwt, part.z, part.n);
  if( jwt.bOom || part.bOom ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  pCtx = EVP_MD_CTX_new();
  if( pCtx == NULL ||
      EVP_DigestSignInit(pCtx, NULL, EVP_sha256(), NULL, p->pKeys->pJwt) <= 0 ||
      EVP_DigestSign(pCtx, aSig, &nSig, (unsigned char *)jwt.z, jwt.n) <= 0 ) {
    ERR_clear_error();
    rc = ledgerErrorSet(pErr, LEDGER_ERROR, "cannot sign a token");
    goto out;
  }
  ledgerBufText(&jwt, ".");
  ledgerBufBase64Url(&jwt, aSig, nSig);
  ledgerBufAppend(pBuf, jwt.z, jwt.n);
  if( jwt.bOom || pBuf->bOom ) rc = ledgerErrorNomem(pErr);

out:
  EVP_MD_CTX_free(pCtx);
  ledgerBufFree(&jwt);
  ledgerBufFree(&part);
  return rc;
}

/* 1 when aSig is the authority's signature over the n bytes at z. */
static int tokenVerify(Emu *p, const char *z, size_t n, const LedgerBuf *pSig) {
  EVP_MD_CTX *pCtx = EVP_MD_CTX_new();
  int bOk = pCtx &&
            EVP_DigestVerifyInit(pCtx, NULL, EVP_sha256(), NULL,
                                 p->pKeys->pJwt) > 0 &&
            EVP_DigestVerify(pCtx, (const unsigned char *)pSig->z, pSig->n,
                             (const unsigned char *)z, n) == 1;
  EVP_MD_CTX_free(pCtx);
  ERR_clear_error();
  return bOk;
}

LedgerJson *emuTokenPart(const char *z, size_t n) {
  LedgerBuf text = {0};
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  if( ledgerBase64UrlDecode(z, n, &text) ) {
    ledgerJsonParse(text.z, text.n, "token", &pDoc, &err);
    if( pDoc && !cJSON_IsObject(ledgerJsonRoot(pDoc)) ) {
      ledgerJsonFree(pDoc);
      pDoc = NULL;
    }
  }
  ledgerErrorClear(&err);
  ledgerBufFree(&text);
  return pDoc;
}

/* 1 when the number member zKey is there; *pr is its value. */
static int tokenNumber(const cJSON *pObj, const char *zKey, double *pr) {
  cJSON *pVal = ledgerJsonMember(pObj, zKey);
  if( !cJSON_IsNumber(pVal) ) return 0;
  *pr = pVal->valuedouble;
  return 1;
}

/* Checks a token whole; appends its principal to *pOid. *prUntil is its end. */
static int tokenCheck(Emu *p, const char *z, size_t n, LedgerBuf *pOid,
                      double *prUntil, LedgerError *pErr) {
  const char *zDot1 = memchr(z, '.', n), *zDot2 = NULL, *zText;
  LedgerJson *pHead = NULL, *pClaims = NULL;
  LedgerBuf sig = {0};
  double rTime, rNow = (double)time(NULL);
  size_t nText;
  int rc = LEDGER_OK;

  *prUntil = 0;
  if( zDot1 ) zDot2 = memchr(zDot1 + 1, '.', n - (size_t)(zDot1 + 1 - z));
  if( zDot2 ) {
    pHead = emuTokenPart(z, (size_t)(zDot1 - z));
    pClaims = emuTokenPart(zDot1 + 1, (size_t)(zDot2 - zDot1 - 1));
  }
  if( pHead == NULL || pClaims == NULL ||
      !ledgerBase64UrlDecode(zDot2 + 1, n - (size_t)(zDot2 + 1 - z), &sig) ) {
    rc = ledgerErrorSet(pErr, LEDGER_AUTH, "the bearer token is not a JWT");
    goto out;
  }
  zText = ledgerJsonMemberText(pHead, ledgerJsonRoot(pHead), "alg", &nText);
  if( zText == NULL || !emuIs(zText, nText, "RS256") ||
      !tokenVerify(p, z, (size_t)(zDot2 - z), &sig) ) {
    rc = ledgerErrorSet(pErr, LEDGER_AUTH,
                        "the bearer token's signature is not the authority's");
    goto out;
  }
  if( !tokenNumber(ledgerJsonRoot(pClaims), "exp", &rTime) || rTime <= rNow ) {
    rc = ledgerErrorSet(pErr, LEDGER_AUTH, "the bearer token has expired");
    goto out;
  }
  *prUntil = rTime;
  if( tokenNumber(ledgerJsonRoot(pClaims), "nbf", &rTime) &&
      rTime > rNow + TOKEN_SKEW ) {
    rc = ledgerErrorSet(pErr, LEDGER_AUTH, "the bearer token is not valid yet");
    goto out;
  }
  zText = ledgerJsonMemberText(pClaims, ledgerJsonRoot(pClaims), "aud", &nText);
  if( zText == NULL || !emuIs(zText, nText, EMU_AUDIENCE) ) {
    rc = ledgerErrorSet(
        pErr, LEDGER_AUTH,
        "the bearer token is not for the audience " EMU_AUDIENCE);
    goto out;
  }
  zText = ledgerJsonMemberText(pClaims, ledgerJsonRoot(pClaims), "oid", &nText);
  if( zText == NULL || nText == 0 || memchr(zText, 0, nText) ) {
    rc = ledgerErrorSet(pErr, LEDGER_AUTH, "the bearer token has no 'oid'");
    goto out;
  }
  ledgerBufAppend(pOid, zText, nText);
  if( pOid->bOom ) rc = ledgerErrorNomem(pErr);

out:
  ledgerJsonFree(pHead);
  ledgerJsonFree(pClaims);
  ledgerBufFree(&sig);
  return rc;
}

int emuTokenCheck(Emu *p, const char *z, size_t n, LedgerBuf *pOid,
                  LedgerError *pErr) {
  EmuTokenSeen *pSeen = p->pSeen;
  unsigned char aDigest[EMU_HASH];
  EmuPiece piece = {z, n};
  int rc;

  emuHashSha256(&piece, 1, aDigest);
  if( pSeen->rUntil <= (double)time(NULL) ||
      memcmp(aDigest, pSeen->aDigest, EMU_HASH) != 0 ) {
    pSeen->rUntil = 0;
    ledgerBufReset(&pSeen->oid);
    rc = tokenCheck(p, z, n, &pSeen->oid, &pSeen->rUntil, pErr);
    if( rc ) {
      pSeen->rUntil = 0;
      return rc;
    }
    memcpy(pSeen->aDigest, aDigest, EMU_HASH);
  }
  ledgerBufAppend(pOid, pSeen->oid.z, pSeen->oid.n);
  return pOid->bOom ? ledgerErrorNomem(pErr) : LEDGER_OK;
}

int emuTokenCapable(const char *zToken) {
  const char *z = strchr(zToken, '.');
  LedgerJson *pClaims = NULL;
  int bCapable;
  if( z ) pClaims = emuTokenPart(z + 1, strcspn(z + 1, "."));
  bCapable = pClaims && ledgerJsonMember(ledgerJsonRoot(pClaims), "xms_cc");
  ledgerJsonFree(pClaims);
  return bCapable;
}
