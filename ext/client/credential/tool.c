/*
** What the credentials do that ask a developer's tool for a token: the tool is
** found and run, and its answer read. Which one, and how, its LedgerTool says.
**
** Issues no request; the tool does.
**
** Invariants
**   - no shell: each argument is one argument, and what an option says begins
**     with no '-';
**   - the tenant is the option's, never AZURE_TENANT_ID: that one belongs to an
**     application;
**   - the tool's stdout, where the token is, stands in no message; of its
**     stderr only the beginning does, and not where a token may be in it.
*/
#include "client/credential/credentialInt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOOL_MS 10000
#define TOOL_ARGS 16

/* Checks a tenant or scope that becomes an argument. */
static int toolWord(const char *zName, const char *z, LedgerError *pErr) {
  const char *zAt = z;
  while( ledgerIsAlnum(*zAt) || (*zAt && strchr("-._:/", *zAt)) ) {
    zAt++;
  }
  if( z[0] && z[0] != '-' && *zAt == 0 ) return LEDGER_OK;
  return ledgerErrorSet(pErr, LEDGER_AUTH,
                        "option %s: it can hold letters, digits and .-_:/ only",
                        zName);
}

/* Runs the tool zFile, which is asked for zAsk. */
static int toolRun(LedgerFetch *p, const char *zFile, const char *zAsk,
                   LedgerError *pErr) {
  const LedgerTool *pTool = p->pKind->pTool;
  const char *zTenant = p->pClient->pConfig->zTenantId;
  const char *azAll[TOOL_ARGS + 6];
  int n = 0;

  if( toolWord("scope", zAsk, pErr) ) return pErr->rc;
  if( zTenant && toolWord("tenant_id", zTenant, pErr) ) return pErr->rc;
  azAll[n++] = zFile;
  while( n <= TOOL_ARGS && pTool->azArg[n - 1] ) {
    azAll[n] = pTool->azArg[n - 1];
    n++;
  }
  azAll[n++] = pTool->zAsk;
  azAll[n++] = zAsk;
  if( zTenant ) {
    azAll[n++] = pTool->zTenant;
    azAll[n++] = zTenant;
  }
  azAll[n] = NULL;
  return ledgerProcessStart(azAll, TOOL_MS, &p->pProcess, pErr);
}

/* LedgerCredential.xStart of a tool. */
int ledgerToolStart(LedgerFetch *p, LedgerError *pErr) {
  const LedgerTool *pTool = p->pKind->pTool;
  const char *zScope = p->pClient->pConfig->zScope;
  char *zFile = NULL;
  char *zAsk = NULL;

  if( p->zClaims ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH,
                          "the ledger asks for a new sign-in: run '%s', then "
                          "'%s'",
                          pTool->zLogout, pTool->zLogin);
  }
  if( pTool->bResource )
    zAsk = ledgerEntraResource(p->pClient->pConfig, pErr);
  else
    zAsk = ledgerStrdup(zScope ? zScope : LEDGER_DEFAULT_SCOPE);
  if( zAsk == NULL ) {
    ledgerErrorNomem(pErr);
    goto out;
  }
  if( ledgerProcessFind(pTool->zName, &zFile, pErr) ) goto out;
  if( zFile == NULL ) {
    ledgerCredentialMissing(p, pErr,
                            "install the %s and run '%s': there is no '%s' on "
                            "PATH",
                            pTool->zTitle, pTool->zLogin, pTool->zName);
    goto out;
  }
  toolRun(p, zFile, zAsk, pErr);
out:
  free(zFile);
  free(zAsk);
  return pErr->rc;
}

/* The first words of stderr into zOut[nOut], in one line. */
static void toolSaid(const LedgerBuf *pText, char *zOut, size_t nOut) {
  const char *z = pText->z ? pText->z : "";
  size_t n = pText->n;
  while( n > 0 && (unsigned char)*z <= ' ' ) z++, n--;
  if( strstr(z, "eyJ") || strstr(z, "oken\":") ) n = 0; /* a token */
  ledgerTextClean(z, n, zOut, nOut);
  n = strlen(zOut);
  while( n > 0 && zOut[n - 1] == ' ' ) zOut[--n] = 0;
  if( !ledgerUtf8Valid(zOut, n) ) zOut[0] = 0;
}

/* Seconds until a date of the form "2024-05-01 12:34:56.000000", local time, or
** "2024-05-01T12:34:56Z"; 0 where it is none. */
static int64_t toolUntil(const char *z) {
  struct tm t;
  const char *zEnd;
  time_t i;

  memset(&t, 0, sizeof(t));
  zEnd = strptime(
      z, z[0] && strchr(z, 'T') ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S",
      &t);
  if( zEnd == NULL ) return 0;
  t.tm_isdst = -1;
  if( *zEnd == '.' ) zEnd += 1 + strspn(zEnd + 1, "0123456789");
  i = *zEnd == 'Z' ? timegm(&t) : mktime(&t);
  return (int64_t)i - (int64_t)time(NULL);
}

/* Seconds that the token of an answer lives: expires_on (seconds since 1970),
** else expiresOn, a date whose time zone not all versions tell. */
static int64_t toolLife(LedgerJson *pDoc) {
  const cJSON *pRoot = ledgerJsonRoot(pDoc);
  const int64_t nLife = ledgerTokenAnswerUntil(pRoot);
  const char *z;

  if( nLife ) return nLife;
  z = ledgerJsonMemberText(pDoc, pRoot, "expiresOn", NULL);
  return z ? toolUntil(z) : 0;
}

/* Reads the token, member zMember of the answer. Returns 0 where there is
** none, or no memory, which *pErr tells. */
static int toolRead(LedgerFetch *p, const LedgerBuf *pOut, const char *zMember,
                    LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  const char *z = NULL;
  size_t n = 0;

  if( pOut->n &&
      ledgerJsonParse(pOut->z, pOut->n, "answer", &pDoc, &err) == LEDGER_OK &&
      (z = ledgerTokenAnswerText(pDoc, zMember, &n)) != NULL ) {
    p->zToken = ledgerStrndup(z, n);
    ledgerTokenAnswerLife(toolLife(pDoc), &p->nSecond);
  }
  if( pOut->bOom || err.rc == LEDGER_NOMEM || (z && p->zToken == NULL) ) {
    ledgerErrorNomem(pErr);
  }
  ledgerJsonFreeSecret(pDoc);
  ledgerErrorClear(&err);
  return p->zToken != NULL;
}

/* LedgerCredential.xStep of a tool: it has ended; takes its token over. */
int ledgerToolStep(LedgerFetch *p, LedgerError *pErr) {
  const LedgerTool *pTool = p->pKind->pTool;
  const LedgerBuf *pText = ledgerProcessErr(p->pProcess);
  LedgerBuf why = {0};
  char zSaid[300];

  toolSaid(pText, zSaid, sizeof(zSaid));
  if( !ledgerProcessOk(p->pProcess, &why) ) {
    if( pText->z && strstr(pText->z, pTool->zLogin) ) {
      ledgerCredentialMissing(p, pErr, "nobody has signed in: run '%s'",
                              pTool->zLogin);
    } else {
      ledgerErrorSet(pErr, LEDGER_AUTH, "'%s' failed: %s%s%s", pTool->zName,
                     why.z ? why.z : "?", zSaid[0] ? ": " : "", zSaid);
    }
  } else if( !toolRead(p, ledgerProcessOut(p->pProcess), pTool->zMember,
                       pErr) &&
             pErr->rc == LEDGER_OK ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "'%s' printed no token (no JSON with %s)%s%s", pTool->zName,
                   pTool->zMember, zSaid[0] ? ": " : "", zSaid);
  }
  ledgerBufFree(&why);
  ledgerProcessFree(p->pProcess);
  p->pProcess = NULL;
  return pErr->rc;
}
