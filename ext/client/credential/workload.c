/*
** Workload identity: a token that the platform (Kubernetes, ...) keeps writing
** into a file stands for a secret.
**
**   AZURE_FEDERATED_TOKEN_FILE, AZURE_TENANT_ID, AZURE_CLIENT_ID
**
** An option of the ledger takes the place of the variable of its name.
**
** Requests: POST {authority}/{tenant}/oauth2/v2.0/token.
** Invariant: the file is read for every request, so a new token in it counts.
*/
#include "client/credential/credentialInt.h"

#include <openssl/crypto.h>

#define WORKLOAD_MAX 65536 /* bytes of a token */

/* Reads the token. The caller frees it with ledgerSecretFree(). */
static char *workloadRead(const char *zFile, LedgerError *pErr) {
  LedgerBuf buf = {0};
  size_t i;

  if( ledgerFileRead("AZURE_FEDERATED_TOKEN_FILE", zFile, WORKLOAD_MAX, &buf,
                     pErr) ) {
    return NULL;
  }
  while( buf.n > 0 && (unsigned char)buf.z[buf.n - 1] <= ' ' ) {
    buf.z[--buf.n] = 0;
  }
  for( i = 0; i < buf.n && buf.z[i] > ' ' && buf.z[i] < 0x7f; i++ ) continue;
  if( buf.n == 0 || i < buf.n ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "AZURE_FEDERATED_TOKEN_FILE: '%.400s' holds no token",
                   zFile);
    OPENSSL_cleanse(buf.z, buf.nAlloc);
    ledgerBufFree(&buf);
    return NULL;
  }
  return ledgerBufTake(&buf);
}

static int workloadStart(LedgerFetch *p, LedgerError *pErr) {
  const char *zFile = ledgerCredentialFrom(NULL, "AZURE_FEDERATED_TOKEN_FILE");
  LedgerApplication app;
  char *zAssertion;

  if( !ledgerApplicationRead(p->pClient->pConfig, &app) || zFile == NULL ) {
    return ledgerCredentialMissing(
        p, pErr,
        "AZURE_FEDERATED_TOKEN_FILE is %s, AZURE_TENANT_ID is %s, "
        "AZURE_CLIENT_ID is %s",
        zFile ? "set" : "not set", app.zTenant ? "set" : "not set",
        app.zClient ? "set" : "not set");
  }
  zAssertion = workloadRead(zFile, pErr);
  if( zAssertion ) {
    ledgerEntraStart(p, &app, zAssertion, pErr);
    ledgerSecretFree(zAssertion);
  }
  return pErr->rc;
}

const LedgerCredential ledgerCredentialWorkload = {
    .zName = "workload_identity",
    .zAzure = "WorkloadIdentityCredential",
    .eChain = LEDGER_CHAIN_PROD,
    .xStart = workloadStart};
