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

void ledgerAuthReset(LedgerClient *p);
int ledgerAuthReady(LedgerClient *p, int *pbReady, LedgerError *pErr);
int ledgerAuthDue(const LedgerClient *p);
int ledgerAuthRefused(LedgerCall *p);
int ledgerAuthHasChild(const LedgerClient *p);
void ledgerAuthInterrupted(LedgerClient *p);
void ledgerAuthUnwanted(LedgerClient *p);
const char *ledgerCredentialName(int i);
int ledgerCredentialKind(const LedgerConfig *p, const char **pzKind,
                         LedgerError *pErr);
int ledgerCredentialCheck(const LedgerConfig *p, LedgerError *pErr);

/* ---- user.c, certificate.c ---------------------------------------------- */

/* Checks of an option that was set alone. */
int ledgerUserCertificateAlone(const LedgerConfig *p, LedgerError *pErr);
int ledgerClientCertificateCheck(const LedgerConfig *p, LedgerError *pErr);

#endif /* LEDGER_CREDENTIAL_H */
