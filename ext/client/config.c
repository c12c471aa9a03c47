/*
** The values of a ledger's options: set from text or JSON, read from the files
** that they name, shown, copied, freed. What an option is stands in option.c.
**
**   ledger_attach('my-ledger', '{"token":"file:/run/token"}')
**   ledger_option('timeout_ms', 5000)
**
** Invariants
**   - a secret stands in no message and in no getter's answer;
**   - what is set is checked when it is set; a set that fails changes nothing;
**   - a file is read when its option is set, and again at each renewal of a
**     credential; what came from a pipe is kept;
**   - what says who you are or whom you trust is never taken away by a value
**     that is there and empty.
*/
#include "client/optionInt.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *configPlace(LedgerConfig *p, const LedgerOptionRow *pRow) {
  return (char *)p + pRow->iOffset;
}
static char **configTextField(LedgerConfig *p, const LedgerOptionRow *pRow) {
  return configPlace(p, pRow);
}
static const void *configField(const LedgerConfig *p,
                               const LedgerOptionRow *pRow) {
  return (const char *)p + pRow->iOffset;
}

/* Reads the file that an option names: a PEM text, or a text without a mark of
** its encoding, NULs and newlines at its ends. *pbPipe: it came from a pipe.
** The caller frees it with ledgerSecretFree(). */
static char *configReadFile(const LedgerConfig *p, const LedgerOptionRow *pRow,
                            const char *zPath, int *pbPipe, LedgerError *pErr) {
  const int bPem = (pRow->mFlag & OPTION_PATH) != 0;
  const int rcFail = bPem ? LEDGER_AUTH : LEDGER_ERROR;
  const char *zWrong = NULL;
  LedgerBuf file = {0}, text = {0};
  LedgerPipe pipe;
  char zWhat[80];

  snprintf(zWhat, sizeof(zWhat), "%s%s", bPem ? "" : "option ", pRow->zName);
  pipe.bNone = p->bNoPipe;
  pipe.xInterrupted = p->xInterrupted;
  pipe.pArg = p->pInterruptArg;
  if( ledgerFileReadOption(&pipe, zWhat, zPath, rcFail, &file, pbPipe, pErr) ) {
    return NULL;
  }
  if( bPem ) {
    zWrong = ledgerPemText(file.z, file.n, &text);
  } else {
    const size_t nMark = memcmp(file.z, "\xef\xbb\xbf", 3) ? 0 : 3;
    while( file.n > nMark && strchr("\r\n", file.z[file.n - 1]) ) file.n--;
    if( memchr(file.z, 0, file.n) ) zWrong = "holds a NUL";
    if( file.n == nMark ) zWrong = "is empty";
    if( zWrong == NULL && ledgerBufRoom(&text, file.n) ) {
      ledgerBufAppend(&text, file.z + nMark, file.n - nMark);
    }
  }
  ledgerBufWipe(&file);
  if( text.bOom ) {
    ledgerErrorNomem(pErr);
  } else if( zWrong ) {
    ledgerErrorSet(pErr, rcFail, "%s: '%.400s' %s", zWhat, zPath, zWrong);
  }
  if( pErr->rc ) {
    ledgerBufWipe(&text);
    return NULL;
  }
  return ledgerBufTake(&text);
}

/* Whether a text looks like what a PEM text or PKCS#12 encodes, without its
** frame: vaults hand certificates out so. */
static int configIsData(const char *z) {
  static const char zBase64[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=\r\n";
  const size_t n = strlen(z);
  return n >= 100 && strspn(z, zBase64) == n;
}

/* The error of a value that is to be a PEM text or a file's path, and is none:
** it may be the key itself, and is not shown. */
static int configNoPath(const LedgerOptionRow *pRow, const char *zValue,
                        int bEnv, LedgerError *pErr) {
  return ledgerErrorSet(
      pErr, LEDGER_AUTH,
      "%s: %s%s%s is neither a PEM text nor the path of a file", pRow->zName,
      bEnv ? "what '" : "its value", bEnv ? zValue : "",
      bEnv ? "' stands for" : "");
}

/* The text that a value stands for: itself, or what it refers to. *pFile is the
** file that it came from, where it is one; its path is the caller's. */
static char *configResolve(const LedgerConfig *p, const LedgerOptionRow *pRow,
                           const char *zValue, LedgerOptionFile *pFile,
                           LedgerError *pErr) {
  const int bPem = (pRow->mFlag & OPTION_PATH) != 0;
  const char *zFrom = zValue;
  int bFile = 0;
  char *z;

  if( (pRow->mFlag & OPTION_REF) && strncmp(zValue, "env:", 4) == 0 ) {
    zFrom = getenv(zValue + 4);
    if( zFrom == NULL || zFrom[0] == 0 ) {
      ledgerErrorSet(pErr, LEDGER_ERROR,
                     zFrom ? "option %s: the environment's variable for '%s' "
                             "is empty"
                           : "option %s: the environment has no variable for "
                             "'%s'",
                     pRow->zName, zValue);
      return NULL;
    }
  } else if( (pRow->mFlag & OPTION_REF) && strncmp(zValue, "file:", 5) == 0 ) {
    zFrom = zValue + 5;
    bFile = 1;
  }
  if( bPem && !bFile && strstr(zFrom, "-----BEGIN ") == NULL ) {
    const int bEnv = zFrom != zValue;
    bFile = 1;
    if( (bEnv || configIsData(zFrom)) && access(zFrom, F_OK) != 0 ) {
      configNoPath(pRow, zValue, bEnv, pErr);
      return NULL;
    }
  }
  if( !bFile ) {
    z = ledgerStrdup(zFrom);
    if( z == NULL ) ledgerErrorNomem(pErr);
    return z;
  }
  z = configReadFile(p, pRow, zFrom, &pFile->bPipe, pErr);
  if( z == NULL ) return NULL;
  pFile->zPath = ledgerStrdup(zFrom);
  if( pFile->zPath == NULL ) {
    ledgerErrorNomem(pErr);
    ledgerSecretFree(z);
    return NULL;
  }
  return z;
}

/* The error of an option that is there and says nothing, where that would be
** taken for another credential, or for no pin. */
static int configEmpty(const LedgerOptionRow *pRow, const char *zWhat,
                       const char *zRemedy, LedgerError *pErr) {
  return ledgerErrorSet(pErr, LEDGER_ERROR, "option %s: it is %s: %s",
                        pRow->zName, zWhat, zRemedy);
}

/* Sets an option of *p from text; an empty text takes a text option away. */
static int configSet(LedgerConfig *p, const LedgerOptionRow *pRow,
                     const char *zValue, LedgerError *pErr) {
  char *z = NULL;
  int64_t i = 0;

  if( pRow->eType == OPTION_CHOICE ) {
    int iWord = ledgerOptionWord(pRow->zWords, zValue);
    /* SQL's TRUE is the number 1. */
    if( iWord < 0 && ledgerOptionIsSwitch(pRow) )
      iWord = ledgerOptionWord("0 1", zValue);
    if( iWord < 0 && ledgerOptionIsSwitch(pRow) ) {
      iWord = ledgerOptionWord("false true", zValue);
    }
    if( iWord < 0 ) {
      return ledgerErrorSet(pErr, LEDGER_ERROR,
                            "option %s: '%.64s' is not one of: %s", pRow->zName,
                            zValue, pRow->zWords);
    }
    i = iWord;
  } else if( !ledgerOptionIsText(pRow) ) {
    char *zEnd = NULL;
    errno = 0;
    i = strtoll(zValue, &zEnd, 10);
    if( zValue[0] == 0 || *zEnd || errno || i < pRow->iMin ||
        (pRow->eType == OPTION_INT && i > INT32_MAX) ) {
      return ledgerErrorSet(
          pErr, LEDGER_ERROR,
          "option %s: '%.64s' is not a whole number from %lld", pRow->zName,
          zValue, (long long)pRow->iMin);
    }
  }
  if( ledgerOptionIsText(pRow) ) {
    char **pz = configTextField(p, pRow);
    LedgerOptionFile *pFile = &p->aFile[pRow - aLedgerOption];
    LedgerOptionFile from = {0};
    if( zValue[0] ) {
      z = configResolve(p, pRow, zValue, &from, pErr);
      if( z == NULL || (pRow->xCheck && pRow->xCheck(pRow->zName, z, pErr)) ) {
        ledgerSecretFree(z);
        free(from.zPath);
        return pErr->rc;
      }
    } else if( pRow->zDefault[0] ) {
      z = ledgerStrdup(pRow->zDefault);
      if( z == NULL ) return ledgerErrorNomem(pErr);
    }
    ledgerSecretFree(*pz);
    *pz = z;
    free(pFile->zPath);
    *pFile = from;
  } else if( pRow->eType == OPTION_INT64 ) {
    *(int64_t *)configPlace(p, pRow) = i;
  } else {
    *(int *)configPlace(p, pRow) = (int)i;
  }
  return LEDGER_OK;
}

int ledgerConfigNew(const char *zTarget, LedgerConfig **ppConfig,
                    LedgerError *pErr) {
  LedgerConfig *p = calloc(1, sizeof(*p));
  int i;

  *ppConfig = NULL;
  if( p ) p->aFile = calloc((size_t)nLedgerOption, sizeof(*p->aFile));
  if( p == NULL || p->aFile == NULL ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  if( ledgerUrlTarget(zTarget, &p->zUrl, &p->zLedgerId, pErr) ) goto out;
  for( i = 0; i < nLedgerOption; i++ ) {
    if( aLedgerOption[i].zDefault[0] == 0 ) continue;
    if( configSet(p, &aLedgerOption[i], aLedgerOption[i].zDefault, pErr) )
      goto out;
  }
  *ppConfig = p;
  p = NULL;
out:
  ledgerConfigFree(p);
  return pErr->rc;
}

void ledgerConfigFree(LedgerConfig *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < nLedgerOption; i++ ) {
    if( ledgerOptionIsText(&aLedgerOption[i]) ) {
      ledgerSecretFree(*configTextField(p, &aLedgerOption[i]));
    }
    if( p->aFile ) free(p->aFile[i].zPath);
  }
  free(p->aFile);
  free(p->zUrl);
  free(p);
}

int ledgerConfigCopy(const LedgerConfig *p, LedgerConfig **ppCopy,
                     LedgerError *pErr) {
  LedgerConfig *pCopy = malloc(sizeof(*pCopy));
  int bOom = 0;
  int i;

  *ppCopy = NULL;
  if( pCopy == NULL ) return ledgerErrorNomem(pErr);
  *pCopy = *p;
  pCopy->zUrl = ledgerStrdup(p->zUrl);
  pCopy->aFile = calloc((size_t)nLedgerOption, sizeof(*pCopy->aFile));
  if( pCopy->zUrl == NULL || pCopy->aFile == NULL ) bOom = 1;
  for( i = 0; i < nLedgerOption; i++ ) {
    char **pz;
    if( pCopy->aFile && p->aFile[i].zPath ) {
      pCopy->aFile[i].bPipe = p->aFile[i].bPipe;
      pCopy->aFile[i].zPath = ledgerStrdup(p->aFile[i].zPath);
      if( pCopy->aFile[i].zPath == NULL ) bOom = 1;
    }
    if( !ledgerOptionIsText(&aLedgerOption[i]) ) continue;
    pz = configTextField(pCopy, &aLedgerOption[i]);
    if( *pz == NULL ) continue;
    *pz = ledgerStrdup(*pz);
    if( *pz == NULL ) bOom = 1;
  }
  if( bOom ) {
    ledgerConfigFree(pCopy);
    return ledgerErrorNomem(pErr);
  }
  *ppCopy = pCopy;
  return LEDGER_OK;
}

void ledgerConfigReplace(LedgerConfig *p, LedgerConfig *pFrom) {
  LedgerConfig old = *p;
  *p = *pFrom;
  *pFrom = old;
  ledgerConfigFree(pFrom);
}

/* Sets an option from a member of the options object. bInherits: null takes
** away what it was before. */
static int configApplyMember(LedgerConfig *p, LedgerJson *pDoc, cJSON *pVal,
                             int bInherits, LedgerError *pErr) {
  const LedgerOptionRow *pRow = ledgerOptionFind(pVal->string, pErr);
  size_t n = 0;

  if( pRow == NULL ) return pErr->rc;
  if( cJSON_IsString(pVal) ) {
    const char *z = ledgerJsonText(pDoc, pVal, &n);
    if( z == NULL ) return ledgerErrorNomem(pErr);
    /* A PEM text of the identity service of 2021 ends with one. */
    while( n && z[n - 1] == 0 && (pRow->mFlag & OPTION_PATH) ) n--;
    if( n == 0 && ledgerOptionIsText(pRow) ) {
      return configEmpty(pRow, "empty", "leave it out, or give it a value",
                         pErr);
    }
    if( strlen(z) != n ) {
      return ledgerErrorSet(pErr, LEDGER_ERROR, "option %s: it holds a NUL",
                            pRow->zName);
    }
    return configSet(p, pRow, z, pErr);
  }
  if( cJSON_IsNull(pVal) && (pRow->mFlag & OPTION_WHO) && !bInherits ) {
    return configEmpty(pRow, "null", "leave it out, or give it a value", pErr);
  }
  if( cJSON_IsNull(pVal) ) return configSet(p, pRow, pRow->zDefault, pErr);
  if( cJSON_IsArray(pVal) && (pRow->mFlag & OPTION_LIST) ) {
    char *zJson = ledgerJsonPrint(pVal);
    if( zJson == NULL ) return ledgerErrorNomem(pErr);
    configSet(p, pRow, zJson, pErr);
    OPENSSL_cleanse(zJson, strlen(zJson));
    cJSON_free(zJson);
    return pErr->rc;
  }
  if( cJSON_IsNumber(pVal) && !ledgerOptionIsText(pRow) ) {
    char zNumber[LEDGER_NUMBER_MAX];
    return configSet(p, pRow,
                     ledgerNumberFormat(pVal->valuedouble, -1, zNumber), pErr);
  }
  if( cJSON_IsBool(pVal) && ledgerOptionIsSwitch(pRow) ) {
    return configSet(p, pRow, cJSON_IsTrue(pVal) ? "true" : "false", pErr);
  }
  return ledgerErrorSet(pErr, LEDGER_ERROR, "option %s: give a %s", pRow->zName,
                        ledgerOptionIsText(pRow) || pRow->eType == OPTION_CHOICE
                            ? "text"
                            : "whole number");
}

/* What can be wrong with options together. */
static int configCheckAll(const LedgerConfig *p, LedgerError *pErr) {
  const char *zKind;
  if( ledgerCredentialKind(p, &zKind, pErr) ) return pErr->rc;
  if( p->zSecondary == NULL || p->pFailover == NULL ) return LEDGER_OK;
  return p->pFailover->xCheck(p, p->zSecondary, pErr);
}

/* Applies the members of an object, all or nothing, but for the one named
** zExcept (NULL: all). */
int ledgerConfigApplyObject(LedgerConfig *p, LedgerJson *pDoc, cJSON *pObj,
                            const char *zExcept, LedgerError *pErr) {
  LedgerConfig *pNew = NULL;
  cJSON *pVal;

  if( ledgerConfigCopy(p, &pNew, pErr) || pNew == NULL ) goto out;
  for( pVal = pObj->child; pVal; pVal = pVal->next ) {
    if( zExcept && strcmp(pVal->string, zExcept) == 0 ) continue;
    if( configApplyMember(pNew, pDoc, pVal, zExcept != NULL, pErr) ) goto out;
  }
  if( configCheckAll(pNew, pErr) || ledgerIdentityCheck(pNew, pErr) ||
      ledgerCredentialCheck(pNew, pErr) ) {
    goto out;
  }
  ledgerConfigReplace(p, pNew);
  pNew = NULL;
out:
  ledgerConfigFree(pNew);
  return pErr->rc;
}

/* Gives *p the URL and the ledger's id of *pFrom, which loses them. */
void ledgerConfigRename(LedgerConfig *p, LedgerConfig *pFrom) {
  free(p->zUrl);
  free(p->zLedgerId);
  p->zUrl = pFrom->zUrl;
  p->zLedgerId = pFrom->zLedgerId;
  pFrom->zUrl = pFrom->zLedgerId = NULL;
}

int ledgerConfigApply(LedgerConfig *p, const char *zJson, size_t n,
                      LedgerError *pErr) {
  LedgerJson *pDoc = NULL;

  if( ledgerJsonParse(zJson, n, "options object", &pDoc, pErr) == LEDGER_OK ) {
    if( cJSON_IsObject(ledgerJsonRoot(pDoc)) ) {
      ledgerConfigApplyObject(p, pDoc, ledgerJsonRoot(pDoc), NULL, pErr);
    } else {
      ledgerErrorSet(pErr, LEDGER_ERROR, "the options are not a JSON object");
    }
  }
  ledgerJsonFreeSecret(pDoc);
  return pErr->rc;
}

int ledgerConfigSet(LedgerConfig *p, const char *zName, const char *zValue,
                    LedgerError *pErr) {
  const LedgerOptionRow *pRow = ledgerOptionFind(zName, pErr);
  LedgerConfig *pNew = NULL;

  if( pRow == NULL || ledgerConfigCopy(p, &pNew, pErr) || pNew == NULL ) {
    return pErr->rc;
  }
  if( zValue[0] == 0 && (pRow->mFlag & OPTION_WHO) ) {
    configEmpty(pRow, "empty",
                "detach the ledger, and attach it again without it", pErr);
  } else if( configSet(pNew, pRow, zValue, pErr) == LEDGER_OK &&
             configCheckAll(pNew, pErr) == LEDGER_OK &&
             (pRow->xFits == NULL || pRow->xFits(pNew, pErr) == LEDGER_OK) ) {
    ledgerConfigReplace(p, pNew);
    pNew = NULL;
  }
  ledgerConfigFree(pNew);
  return pErr->rc;
}

/* Takes an option away. */
int ledgerConfigUnset(LedgerConfig *p, const char *zName, LedgerError *pErr) {
  const LedgerOptionRow *pRow = ledgerOptionFind(zName, pErr);
  return pRow ? configSet(p, pRow, pRow->zDefault, pErr) : pErr->rc;
}

/* Reads the files again that credentials and CAs came from (a platform may have
** put new ones into their place); what came from a pipe is kept. *pbChanged:
** something is different now. A file of CAs that can't be read is kept too. */
int ledgerConfigRenew(LedgerConfig *p, int *pbChanged, LedgerError *pErr) {
  int i;

  *pbChanged = 0;
  for( i = 0; i < nLedgerOption; i++ ) {
    const LedgerOptionRow *pRow = &aLedgerOption[i];
    const LedgerOptionFile *pFile = &p->aFile[i];
    LedgerError err = LEDGER_ERROR_INIT;
    char **pz, *z;
    int bPipe = 0;
    if( pFile->zPath == NULL || pFile->bPipe ||
        !(pRow->mFlag & (OPTION_SECRET | OPTION_PATH)) ||
        (pRow->mFlag & OPTION_ONCE) ) {
      continue;
    }
    pz = configTextField(p, pRow);
    z = configReadFile(p, pRow, pFile->zPath, &bPipe, &err);
    if( z && pRow->xCheck ) pRow->xCheck(pRow->zName, z, &err);
    if( z && err.rc == LEDGER_OK && strcmp(z, *pz) != 0 ) {
      char *zOld = *pz;
      *pz = z;
      z = zOld;
      *pbChanged = 1;
    }
    if( !(pRow->mFlag & OPTION_STALE) ) ledgerErrorCopy(pErr, &err);
    ledgerErrorClear(&err);
    ledgerSecretFree(z);
    if( pErr->rc ) break;
  }
  return pErr->rc;
}

int ledgerConfigGet(const LedgerConfig *p, const char *zName, LedgerBuf *pBuf,
                    LedgerError *pErr) {
  const LedgerOptionRow *pRow = ledgerOptionFind(zName, pErr);

  if( pRow == NULL ) return pErr->rc;
  ledgerBufText(pBuf, "");
  if( strcmp(pRow->zName, "credential") == 0 ) {
    const char *zKind;
    if( ledgerCredentialKind(p, &zKind, pErr) ) return pErr->rc;
    ledgerBufText(pBuf, zKind);
  } else if( ledgerOptionIsText(pRow) ) {
    const char *z = *(char *const *)configField(p, pRow);
    if( pRow->mFlag & OPTION_PATH && p->aFile[pRow - aLedgerOption].zPath ) {
      z = p->aFile[pRow - aLedgerOption].zPath;
    }
    if( z == NULL ) z = "";
    if( z[0] && (pRow->mFlag & OPTION_SECRET) ) z = "(set)";
    /* A PEM given as text may hold a key. */
    if( strstr(z, "PRIVATE KEY") ) z = "(set)";
    /* And so may the options of a secondary. */
    if( (pRow->mFlag & OPTION_LIST) && z[0] == '[' ) z = "(set)";
    ledgerBufText(pBuf, z);
  } else if( pRow->eType == OPTION_CHOICE ) {
    int i = *(const int *)configField(p, pRow);
    const char *z = pRow->zWords;
    while( i-- > 0 ) z += strcspn(z, " ") + 1;
    ledgerBufAppend(pBuf, z, strcspn(z, " "));
  } else if( pRow->eType == OPTION_INT64 ) {
    int64_t i = *(const int64_t *)configField(p, pRow);
    ledgerBufPrintf(pBuf, "%lld", (long long)i);
  } else {
    ledgerBufPrintf(pBuf, "%d", *(const int *)configField(p, pRow));
  }
  if( pBuf->bOom ) ledgerErrorNomem(pErr);
  return pErr->rc;
}

/* Text by its length, so that no two configurations run together; a file by its
** path, since a platform may put another one there. */
int ledgerConfigDigest(const LedgerConfig *p, unsigned char a[32],
                       LedgerError *pErr) {
  EVP_MD_CTX *pCtx = EVP_MD_CTX_new();
  int i;
  int bOk = pCtx && EVP_DigestInit_ex(pCtx, EVP_sha256(), NULL) == 1 &&
            EVP_DigestUpdate(pCtx, p->zUrl, strlen(p->zUrl) + 1) == 1;
  for( i = 0; i < nLedgerOption && bOk; i++ ) {
    const LedgerOptionRow *pRow = &aLedgerOption[i];
    const void *pField = configField(p, pRow);
    size_t n = pRow->eType == OPTION_INT64 ? sizeof(int64_t) : sizeof(int);
    if( ledgerOptionIsText(pRow) ) {
      const LedgerOptionFile *pFile = &p->aFile[i];
      pField = *(char *const *)pField;
      if( pFile->zPath && !pFile->bPipe ) pField = pFile->zPath;
      n = pField ? strlen(pField) + 1 : 0;
      bOk = EVP_DigestUpdate(pCtx, &n, sizeof(n)) == 1;
    }
    if( n ) bOk = bOk && EVP_DigestUpdate(pCtx, pField, n) == 1;
  }
  if( bOk ) bOk = EVP_DigestFinal_ex(pCtx, a, NULL) == 1;
  EVP_MD_CTX_free(pCtx);
  return bOk ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* The i-th of the options that hold a secret: *pz is its value or NULL. Returns
** 0 behind the last one. */
int ledgerConfigSecret(const LedgerConfig *p, int i, const char **pz) {
  int k;
  for( k = 0; k < nLedgerOption; k++ ) {
    if( !(aLedgerOption[k].mFlag & OPTION_SECRET) || i-- > 0 ) continue;
    *pz = *(char *const *)configField(p, &aLedgerOption[k]);
    return 1;
  }
  return 0;
}
