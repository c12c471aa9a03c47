/*
** What the files of client/ itself, and of client/api above it, share with each
** other and nobody else.
*/
#ifndef LEDGER_CLIENT_INT_H
#define LEDGER_CLIENT_INT_H

#include "client/call/call.h"
#include "client/client.h"
#include "client/credential/credential.h"

/* ---- config.c ----------------------------------------------------------- */

void ledgerConfigRename(LedgerConfig *p, LedgerConfig *pFrom);
int ledgerConfigApplyObject(LedgerConfig *p, LedgerJson *pDoc, cJSON *pObj,
                            const char *zExcept, LedgerError *pErr);
int ledgerConfigSecret(const LedgerConfig *p, int i, const char **pz);
int ledgerConfigUnset(LedgerConfig *p, const char *zName, LedgerError *pErr);
int ledgerConfigRenew(LedgerConfig *p, int *pbChanged, LedgerError *pErr);

/* ---- identity.c --------------------------------------------------------- */

int ledgerIdentityReady(LedgerClient *p, int *pbReady, LedgerError *pErr);
int ledgerIdentityRenew(LedgerClient *p);
int ledgerIdentityFailure(LedgerClient *p, long iVerify, const char *zUrl,
                          LedgerError *pErr);
int ledgerIdentityCheck(const LedgerConfig *p, LedgerError *pErr);
void ledgerIdentityReset(LedgerClient *p);

/* ---- loop.c ------------------------------------------------------------- */

void ledgerLoopStart(LedgerCall *p);

/* ---- client.c ----------------------------------------------------------- */

int ledgerClientNewUnder(LedgerClient *pOwner, LedgerConfig *pConfig,
                         LedgerClient **ppClient, LedgerError *pErr);

#endif /* LEDGER_CLIENT_INT_H */
