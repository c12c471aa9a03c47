/*
** The face of client/credential: who the client is. The chain of credentials,
** its token kept and refreshed; requests carry what it leaves in LedgerAuth.
**
** To add one: a file that defines a LedgerCredential (credentialInt.h), and a
** line in the list at the head of chain.c. Its name is then a word of option
** `credential`.
*/
#ifndef LEDGER_CREDENTIAL_H
#define LEDGER_CREDENTIAL_H

#include "client/call/call.h"

/* ---- chain.c ------------------------------------------------------------ */

void ledgerChainReset(LedgerClient *p);
int ledgerChainReady(LedgerClient *p, int *pbReady, LedgerError *pErr);
int ledgerChainDue(const LedgerClient *p);
int ledgerChainRefused(LedgerCall *p);
int ledgerChainHasChild(const LedgerClient *p);
void ledgerChainInterrupted(LedgerClient *p);
void ledgerChainUnwanted(LedgerClient *p);
const char *ledgerCredentialName(int i);
int ledgerCredentialKind(const LedgerConfig *p, const char **pzKind,
                         LedgerError *pErr);
int ledgerCredentialCheck(const LedgerConfig *p, LedgerError *pErr);

/* ---- user.c, certificate.c ---------------------------------------------- */

/* Checks of an option that was set alone. */
int ledgerUserCertificateAlone(const LedgerConfig *p, LedgerError *pErr);
int ledgerClientCertificateCheck(const LedgerConfig *p, LedgerError *pErr);

#endif /* LEDGER_CREDENTIAL_H */
