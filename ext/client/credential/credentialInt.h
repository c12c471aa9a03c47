/*
** What the files of client/credential share with each other and nobody else.
**
** Invariants
**   - a credential that is not set up says so with ledgerCredentialMissing();
**     any other error means that it is set up and failed, which ends a chain;
**   - no function here waits: what takes time is a call or a child process of
**     the fetch, looked at again by the client's loop;
**   - secrets are freed with ledgerSecretFree(), which wipes them.
*/
#ifndef LEDGER_CREDENTIAL_INT_H
#define LEDGER_CREDENTIAL_INT_H

#include "client/credential/credential.h"

typedef struct LedgerApplication LedgerApplication;
typedef struct LedgerCredential LedgerCredential;
typedef struct LedgerFetch LedgerFetch;
typedef struct LedgerTokenAnswer LedgerTokenAnswer;
typedef struct LedgerTool LedgerTool;

/* Where a credential stands in `default`. */
enum {
  LEDGER_CHAIN_NONE = 0, /* only by choice */
  LEDGER_CHAIN_PROD = 1, /* a deployed program's: its refusal ends the chain */
  LEDGER_CHAIN_DEV = 2   /* a developer's tool: any failure goes on */
};

/* One kind of credential. */
struct LedgerCredential {
  const char *zName;  /* the word for option credential */
  const char *zAzure; /* its name in azure-identity, or NULL */
  int eChain;         /* LEDGER_CHAIN_* */
  int bStill;         /* there is nothing that could be fetched anew */
  int bChild;         /* a child process: started while somebody waits only */
  const LedgerTool *pTool; /* the program that it runs, or NULL */
  /* Finds the credential at once, or starts p->pCall or p->pProcess. */
  int (*xStart)(LedgerFetch *p, LedgerError *pErr);
  /* p->pCall or p->pProcess has ended: takes the result over, or starts the
  ** next one. NULL: the call's answer is the token, its error the failure. */
  int (*xStep)(LedgerFetch *p, LedgerError *pErr);
};

/* One attempt to get one credential. */
struct LedgerFetch {
  LedgerClient *pClient;
  const LedgerCredential *pKind;
  int bDefault;            /* came from credential=default */
  int bChained;            /* ... where more follow: go on when it's missing */
  int bMissing;            /* with an error: no such credential here */
  int bBackground;         /* the old token still holds meanwhile */
  const char *zClaims;     /* claims to ask for (JSON), or NULL; borrowed */
  LedgerCall *pCall;       /* under way, owned */
  LedgerProcess *pProcess; /* under way, owned */
  int eStep;               /* the kind's own */
  char *zBase;             /* the kind's own: endpoint https://host ... */
  char *zPath;             /* ... path ... */
  char *zQuery;            /* ... and query */
  char *zToken;            /* found: a bearer ... */
  int64_t nSecond;         /* ... that lives so long; 0: unknown */
  char *zCertificate;      /* found: mutual TLS */
  char *zKey;
  char *zPrincipal;
};

/* ---- fetch.c ------------------------------------------------------------ */

void ledgerFetchFree(LedgerFetch *p);
int ledgerFetchGet(LedgerFetch *p, const LedgerCallKind *pKind,
                   const char *zWhat, const char *zHeader1,
                   const char *zHeader2, const char *zSecret,
                   LedgerError *pErr);
int ledgerCredentialMissing(LedgerFetch *p, LedgerError *pErr, const char *zFmt,
                            ...) LEDGER_PRINTF(3, 4);
int ledgerCredentialAdopt(LedgerFetch *p, LedgerCall *pCall, LedgerError *pErr);
const char *ledgerCredentialFrom(const char *zOption, const char *zVariable);

/* ---- entra.c ------------------------------------------------------------ */

#define LEDGER_DEFAULT_SCOPE "https://confidential-ledger.azure.com/.default"

/* An Entra application, as options and environment tell it. The texts are
** theirs; NULL: not told. */
struct LedgerApplication {
  const char *zTenant;
  const char *zClient;
  const char *zSecret;
  const char *zCertificate;     /* PEM text; the environment's: or a path */
  const char *zCertificateFrom; /* the option or variable, for messages */
  const char *zPassword;        /* of the certificate's key */
};

int ledgerApplicationRead(const LedgerConfig *p, LedgerApplication *pApp);
int ledgerApplicationMissing(LedgerFetch *p, const LedgerApplication *pApp,
                             const char *zNeeded, const char *zProof,
                             LedgerError *pErr);

/* What a request for a token is answered with: LedgerCall.pAnswer. */
struct LedgerTokenAnswer {
  char *zToken;    /* the bearer */
  int64_t nSecond; /* it lives so long */
};

void ledgerTokenAnswerFree(LedgerCall *p);
int ledgerTokenAnswerRead(LedgerCall *p, LedgerExchange *pEx,
                          LedgerError *pErr);
const char *ledgerTokenAnswerText(LedgerJson *pDoc, const char *zMember,
                                  size_t *pn);
int64_t ledgerTokenAnswerUntil(const cJSON *pObj);
int ledgerTokenAnswerLife(int64_t nSecond, int64_t *pnSecond);
char *ledgerEntraUrl(LedgerClient *p, const char *zTenant, LedgerError *pErr);
char *ledgerEntraResource(const LedgerConfig *pConfig, LedgerError *pErr);
int ledgerEntraStart(LedgerFetch *p, const LedgerApplication *pApp,
                     const char *zAssertion, LedgerError *pErr);

/* ---- certificate.c ------------------------------------------------------ */

int ledgerClientCertificateStart(LedgerFetch *p, const LedgerApplication *pApp,
                                 LedgerError *pErr);

/* ---- user.c ------------------------------------------------------------- */

int ledgerUserCertificateCheck(const LedgerConfig *p, LedgerError *pErr);

/* ---- arc.c -------------------------------------------------------------- */

int ledgerArcStart(LedgerFetch *p, LedgerError *pErr);
int ledgerArcStep(LedgerFetch *p, LedgerError *pErr);

/* ---- tool.c ------------------------------------------------------------- */

/* A developer's tool that prints a token. */
struct LedgerTool {
  const char *zName;            /* the program, looked for on PATH */
  const char *zTitle;           /* what people call it */
  const char *const *azArg;     /* its arguments, NULL at their end; then */
  const char *zAsk;             /*  ... the flag of what is asked for */
  const char *zTenant;          /*  ... and the flag of option tenant_id */
  int bResource;                /* asked for: a resource, not a scope */
  const char *zMember;          /* the token's name in the JSON it prints */
  const char *zLogin, *zLogout; /* the commands for the user to run */
};

int ledgerToolStart(LedgerFetch *p, LedgerError *pErr);
int ledgerToolStep(LedgerFetch *p, LedgerError *pErr);

#endif /* LEDGER_CREDENTIAL_INT_H */
