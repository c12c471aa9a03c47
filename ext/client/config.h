/*
** The options of one ledger: their values, and what is done with them.
*/
#ifndef LEDGER_CONFIG_H
#define LEDGER_CONFIG_H

#include "base/base.h"

typedef struct LedgerCall LedgerCall;
typedef struct LedgerClient LedgerClient;
typedef struct LedgerConfig LedgerConfig;

/* ---- config.c: the values of options ------------------------------------ */

/* When a failure is tried again. Times are milliseconds. */
typedef struct LedgerRetryConfig LedgerRetryConfig;
struct LedgerRetryConfig {
  int budgetMs;       /* all retries of one call */
  int firstMs;        /* pause before the second attempt ... */
  int maxMs;          /* ... and the longest; they double */
  int maxAttempts;    /* 0: as many as the budget allows */
  int firstContactMs; /* budget while no server has ever answered */
};

/* When what is Loading or Pending is asked again. */
typedef struct LedgerPollConfig LedgerPollConfig;
struct LedgerPollConfig {
  int firstMs; /* pause while Loading or Pending ... */
  int maxMs;   /* ... and the longest */
};

/* What answers for a ledger that fails; api/secondary.c has the only one. */
typedef struct LedgerFailover LedgerFailover;
struct LedgerFailover {
  /* Checks a value of option secondary, without the network. */
  int (*xCheck)(const LedgerConfig *p, const char *zValue, LedgerError *pErr);
  /* A read has failed: 1 where it goes on elsewhere. */
  int (*xTake)(LedgerCall *p);
  /* Moves a read on that has gone elsewhere. */
  void (*xStep)(LedgerCall *p);
  /* Frees what the client has for it. */
  void (*xFree)(LedgerClient *p);
};

/*
** The typed options of one ledger: the table in option.c gives each one's
** name, default and one-line description, and says which are secret. Strings
** are malloc'd or NULL when not given. References ("env:NAME", "file:PATH") are
** resolved when the option is set, and files are read then.
*/
struct LedgerConfig {
  char *zUrl;               /* https://host[:port], no final slash */
  char *zLedgerId;          /* first label of the host unless given */
  char *zApiVersion;        /* NULL: negotiated */
  char *zCredential;        /* default, azure_cli, token, ... */
  char *zTenantId;          /* an Entra application ... */
  char *zClientId;          /* ... its id ... */
  char *zClientSecret;      /* ... and secret */
  char *zClientCertificate; /* ... or certificate with key: PEM text */
  char *zClientCertificatePassword;
  char *zObjectId;        /* a managed identity, by its principal's id ... */
  char *zResourceId;      /* ... or by /subscriptions/... */
  char *zUserCertificate; /* mutual TLS: PEM text */
  char *zUserKey;         /* its key, when not in the same text */
  char *zUserCertificatePassword;
  char *zToken;              /* a bearer token, as it is */
  char *zAuthority;          /* https://login.microsoftonline.com */
  char *zScope;              /* what a token is asked for */
  char *zIdentityUrl;        /* the identity service */
  char *zServiceCertificate; /* pin: PEM text */
  char *zServiceKey;         /* pin: sha256:<64 hex> of the SPKI */
  int tlsPublic;             /* option tls: service (0), public (1) */
  char *zCaFile;             /* CAs for identity service and authority: PEM */
  int waitForCommit;         /* option wait: commit (1) or none (0) */
  int timeoutMs;             /* Loading, Pending and one request */
  LedgerRetryConfig retry;
  LedgerPollConfig poll;
  int concurrency;          /* lookups in flight */
  int rangeConcurrency;     /* ranges in flight */
  int64_t queueMaxBytes;    /* queued appends */
  int reconcile;            /* option reconcile: off (0), on (1) */
  int settleMs;             /* an append is carried out within, or never */
  int barrier;              /* option barrier: off (0), on (1) */
  int appendAnyOrder;       /* option append_order: strict (0), any (1) */
  int allowLockout;         /* a statement may delete several users, or you */
  int appendReadonly;       /* written to though main is read-only */
  int indirect;             /* of the SQLite connection: refuse (0), allow */
  int fileTables;           /* likewise */
  int64_t maxResponseBytes; /* one answer's body */
  int connectTimeoutMs;     /* making one connection */
  char *zCache;             /* off, memory, or the path of a file */
  int64_t cacheMaxBytes;    /* what it holds, all counted */
  char *zSecondary;         /* other ledgers that may answer a read */
  char *zLog;               /* off, info, debug; then maybe " file:PATH" */
  char *zProgress;          /* auto, on, off; likewise */
  struct LedgerOptionFile *aFile;  /* the files that options came from */
  const LedgerFailover *pFailover; /* who answers in its place, or NULL */
  int bNoPipe;                     /* none of the files may be a pipe */
  int (*xInterrupted)(void *);     /* asked while a pipe is read; may be NULL */
  void *pInterruptArg;
};

/* One row of the option table, for ledger_help. */
typedef struct LedgerOptionSpec LedgerOptionSpec;
struct LedgerOptionSpec {
  const char *zName;    /* as written in the options object */
  const char *zDefault; /* as text; "" where there is none */
  const char *zDoc;     /* one line */
  const char *zExample; /* a value that it takes, or an object of options */
  const char *zRefused; /* likewise, one that it refuses */
};
const LedgerOptionSpec *ledgerOptionTable(int *pnOption);

/*
** Makes the configuration of a target: a bare ledger name (becomes
** https://NAME.confidential-ledger.azure.com), a bare host (has a dot), or an
** https URL. http, a path, a query or user info is refused. *ppConfig is the
** caller's, free it with ledgerConfigFree().
*/
int ledgerConfigNew(const char *zTarget, LedgerConfig **ppConfig,
                    LedgerError *pErr);
void ledgerConfigFree(LedgerConfig *p);
int ledgerConfigCopy(const LedgerConfig *p, LedgerConfig **ppCopy,
                     LedgerError *pErr);

/* A SHA-256 of the target and all options as they are resolved: two that are
** the same have the same. Secrets are in it, and can't be read from it. */
int ledgerConfigDigest(const LedgerConfig *p, unsigned char a[32],
                       LedgerError *pErr);

/* Makes *p what *pFrom is; *pFrom is freed. */
void ledgerConfigReplace(LedgerConfig *p, LedgerConfig *pFrom);

/* Applies an options object, a JSON text of n bytes. All or nothing: on an
** error *p is unchanged. Unknown names are refused with the nearest one. */
int ledgerConfigApply(LedgerConfig *p, const char *zJson, size_t n,
                      LedgerError *pErr);

/* Sets one option from text, as ledger_option(name, value) does. */
int ledgerConfigSet(LedgerConfig *p, const char *zName, const char *zValue,
                    LedgerError *pErr);

/* The option's value as text into *pBuf; secrets come out as "(set)", unset
** ones as "". An unknown name is an error with the nearest one. */
int ledgerConfigGet(const LedgerConfig *p, const char *zName, LedgerBuf *pBuf,
                    LedgerError *pErr);

/* 1 when a change of this option takes effect with ledgerClientReset(): what
** says which ledger, whose key and which credential. */
int ledgerOptionReconnects(const char *zName);

/* ---- ready.c: the line that the emulator prints ------------------------- */

typedef struct LedgerReady LedgerReady;

/* Reads the n bytes of the line; the caller frees *pp, which holds a secret,
** with ledgerReadyFree(). No message repeats what stands in it. */
int ledgerReadyRead(const char *z, size_t n, LedgerReady **pp,
                    LedgerError *pErr);
void ledgerReadyFree(LedgerReady *p); /* NULL is allowed */

/* The target; it lives as long as the line. */
const char *ledgerReadyUrl(const LedgerReady *p);

/* Sets what says where the ledger is and whom to trust. */
int ledgerReadyApply(const LedgerReady *p, LedgerConfig *pConfig,
                     LedgerError *pErr);

/* Once all other options are set: gives the credential that they choose, or
** else the token, what it needs and they don't give. */
int ledgerReadySignIn(const LedgerReady *p, LedgerConfig *pConfig,
                      LedgerError *pErr);

#endif /* LEDGER_CONFIG_H */
