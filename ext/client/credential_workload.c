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
#include "credentialInt.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKLOAD_MAX 65536 /* bytes of a token */

/* Reads the token. The caller frees it with ledgerSecretFree(). */
static char *workloadRead(const char *zFile, LedgerError *pErr) {
  FILE *pFile = fopen(zFile, "rb");
  char *z = NULL;
  size_t n = 0;
  size_t i;

  if( pFile == NULL ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "AZURE_FEDERATED_TOKEN_FILE: cannot read '%.400s': %s",
                   zFile, strerror(errno));
    return NULL;
  }
  z = malloc(WORKLOAD_MAX + 1);
  if( z == NULL ) {
    ledgerErrorNomem(pErr);
  } else {
    n = fread(z, 1, WORKLOAD_MAX, pFile);
    while( n > 0 && (unsigned char)z[n - 1] <= ' ' ) n--;
    z[n] = 0;
    for( i = 0; i < n && z[i] > ' ' && z[i] < 0x7f; i++ ) continue;
    if( n == 0 || i < n ) {
      ledgerErrorSet(pErr, LEDGER_AUTH,
                     "AZURE_FEDERATED_TOKEN_FILE: '%.400s' holds no token",
                     zFile);
      OPENSSL_cleanse(z, n);
      free(z);
      z = NULL;
    }
  }
  fclose(pFile);
  return z;
}

static int workloadStart(LedgerFetch *p, LedgerError *pErr) {
  const LedgerConfig *pConfig = p->pClient->pConfig;
  const char *zTenant =
      ledgerCredentialFrom(pConfig->zTenantId, "AZURE_TENANT_ID");
  const char *zClient =
      ledgerCredentialFrom(pConfig->zClientId, "AZURE_CLIENT_ID");
  const char *zFile = ledgerCredentialFrom(NULL, "AZURE_FEDERATED_TOKEN_FILE");
  char *zAssertion;

  if( zTenant == NULL || zClient == NULL || zFile == NULL ) {
    return ledgerCredentialMissing(
        p, pErr,
        "AZURE_FEDERATED_TOKEN_FILE is %s, AZURE_TENANT_ID is %s, "
        "AZURE_CLIENT_ID is %s",
        zFile ? "set" : "not set", zTenant ? "set" : "not set",
        zClient ? "set" : "not set");
  }
  zAssertion = workloadRead(zFile, pErr);
  if( zAssertion ) {
    ledgerEntraStart(p, zTenant, zClient, NULL, zAssertion, pErr);
    ledgerSecretFree(zAssertion);
  }
  return pErr->rc;
}

const LedgerCredential ledgerCredentialWorkload = {
    .zName = "workload_identity",
    .zAzure = "WorkloadIdentityCredential",
    .eChain = LEDGER_CHAIN_PROD,
    .xStart = workloadStart};
