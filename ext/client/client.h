/*
** The face of the room "client": the REST API of an Azure Confidential Ledger
** as C functions. HTTP, credentials, trust, API versions, retries, paging.
**
** Invariants
**   - no SQLite in here, memory comes from malloc;
**   - one LedgerClient belongs to one thread; nothing is global but libcurl;
**   - nothing here touches the network before the first request is asked for;
**   - a secret stands in no message, and in no getter's answer;
**   - a POST is given to libcurl so that libcurl cannot repeat it by itself.
**
** Requests are asynchronous objects (LedgerCall): start several, then wait. A
** call hides token and identity fetching, the choice of the API version,
** redirects, retries with back-off, and the Loading loop. While one call is
** waited for, all others of the same client make progress.
*/
#ifndef LEDGER_CLIENT_H
#define LEDGER_CLIENT_H

#include "base/base.h"
#include "client/config.h"
#include "client/log/log.h"

/* ---- call/dialect.c: what API versions differ in ------------------------ */

/* What a version of the API may have, and a route need. */
#define LEDGER_HAS_COLLECTIONS 0x01u /* GET /app/collections */
#define LEDGER_HAS_TAGS 0x02u        /* tags and tag as query parameters */
#define LEDGER_HAS_MERGE_PATCH 0x04u /* PATCH is application/merge-patch+json */
#define LEDGER_HAS_USER_LIST 0x08u   /* users can be listed */
#define LEDGER_HAS_MANY_ROLES 0x10u  /* /app/ledgerUsers, not /app/users */
#define LEDGER_HAS_PROGRAMS 0x20u    /* functions and hooks */
#define LEDGER_HAS_TAG_LIST 0x40u    /* GET /app/collections/tags */
#define LEDGER_HAS_WAIT 0x80u        /* waitForCommit on an append */
#define LEDGER_HAS_ROLES 0x100u      /* roles and endpoints */
#define LEDGER_HAS_ROLE_TEXT 0x200u  /* role_name; PATCH of a role replaces */

/* ---- client.c, facts.c: one ledger -------------------------------------- */

/* LedgerError.eStage of the client's errors. */
enum {
  LEDGER_STAGE_IDENTITY = 1, /* it isn't known who the ledger is */
  LEDGER_STAGE_ACCEPTED = 2  /* the message says that it was accepted */
};

/* What the client asks of the room above. xInterrupted is called at least
** every 50 ms of any wait and says whether the user wants to stop. */
typedef struct LedgerHooks LedgerHooks;
struct LedgerHooks {
  int (*xInterrupted)(void *pArg); /* may be NULL */
  /* Whether SQL has to name the ledger; may be NULL. */
  int (*xNamed)(void *pArg, const char *zName);
  const char *zName; /* the ledger's name in SQL; lives as long as the client */
  void *pArg;
  LedgerProgress *pProgress; /* what the statement is doing, or NULL; so, too */
};

/* Takes pConfig over (also when it fails). No network. */
int ledgerClientNew(LedgerConfig *pConfig, const LedgerHooks *pHooks,
                    LedgerClient **ppClient, LedgerError *pErr);

/* Cancels what is running and frees the client. Calls that the caller still
** has end with LEDGER_INTERRUPT, and are the caller's to free; pagers are to be
** closed before. NULL is allowed. */
void ledgerClientFree(LedgerClient *p);

/* The client's configuration. It may be changed between calls with
** ledgerConfigSet(); what concerns identity or credentials then takes effect
** with ledgerClientReset(). */
LedgerConfig *ledgerClientConfig(LedgerClient *p);

/* Forgets token, identity, negotiated version and connections. */
void ledgerClientReset(LedgerClient *p);

/* Where answers stay that will never change, of the room above (option cache).
** A request is path and query. Neither fails: what can't be told is asked. */
typedef struct LedgerMemory LedgerMemory;
struct LedgerMemory {
  /* Appends the answer to a request of the reader in force, and returns 1; 0:
  ** it isn't known, or may not be told. */
  int (*xTell)(void *pArg, const char *zRequest, LedgerBuf *pAnswer);
  /* Keeps an answer that the reader aOwner (ledgerClientOwner) has got. */
  void (*xKeep)(void *pArg, const unsigned char aOwner[32],
                const char *zRequest, const LedgerBuf *pAnswer);
};

/* Gives the client a memory, which lives as long as it does. */
void ledgerClientRemember(LedgerClient *p, const LedgerMemory *pMemory,
                          void *pArg);

/* Notes for ledger_http that a GET of this path and query was answered from
** memory, by the room above itself. */
void ledgerClientRemembered(LedgerClient *p, const char *zRest);

/* Fetches what the first request would: identity (or pin) and token. */
int ledgerClientConnect(LedgerClient *p, LedgerError *pErr);

/* Asks the identity service whether the service key is still the one that is
** trusted: LEDGER_AUTH with both fingerprints when it is another one. A pin is
** not asked about. */
int ledgerClientConfirm(LedgerClient *p, LedgerError *pErr);

/*
** What is known of the ledger. Strings belong to the client and live until
** its next call; they are NULL (numbers 0) where nothing is known yet.
*/
typedef struct LedgerFacts LedgerFacts;
struct LedgerFacts {
  const char *zApiVersion;  /* the version in use */
  const char *zCredential;  /* the kind of credential in use */
  const char *zFailed;      /* the kind that failed last, or NULL */
  const char *zPrincipal;   /* the token's oid, or the fingerprint */
  const char *zCertificate; /* the service certificate, PEM */
  const char *zKeySha256;   /* sha256:<hex> of its SPKI */
  const char *zNotBefore;   /* of the certificate: YYYY-MM-DDTHH:MM:SSZ */
  const char *zNotAfter;
  const char *zSource;      /* pinned, identity_service, public_pki */
  const char *zIdentityUrl; /* asked for it, or NULL */
  LedgerTxid head;          /* the highest state any answer has shown */
  LedgerTxid committed;     /* the highest id known to be committed */
  const char *zSkewOf;      /* who has told the time: ledger or, where only
                            ** that one has, identity_service; or NULL */
  int64_t sSkew;            /* seconds its clock is ahead of ours */
  int64_t nPutOff; /* answers so far that put a request off: 429, 503 */
};
void ledgerClientFacts(LedgerClient *p, LedgerFacts *pFacts);

/* Whose the answers are that this client gets now: a SHA-256 of the service
** key, the ledger, the principal, and whether the API version has tags. 0 where
** that isn't known yet, or can't be told apart from another's. */
int ledgerClientOwner(const LedgerClient *p, unsigned char a[32]);

/* Whether the ledger has let that reader read entries on this client, and has
** refused none since: 401 and 403 end it until ledgerClientReset(). */
int ledgerClientAdmitted(const LedgerClient *p, const unsigned char a[32]);

/* The id is known to be committed, from an answer of a former time. */
void ledgerClientCommitted(LedgerClient *p, LedgerTxid id);

/* The view of a committed seqno, 0 while nothing has told it. */
int64_t ledgerClientView(const LedgerClient *p, int64_t iSeqno);

/* The highest id below a seqno that is known to be committed, or {0,0}. */
LedgerTxid ledgerClientBelow(const LedgerClient *p, int64_t iSeqno);

/* Takes the credential out of a message that has words of an answer in it: a
** server may repeat what was sent. */
void ledgerClientHide(const LedgerClient *p, LedgerError *pErr);

/* 1 when a user can have several roles in the version in use, and PATCH adds
** to them; 0 when it has one, and PATCH replaces it. */
int ledgerClientManyRoles(LedgerClient *p);

/* 1 when PATCH of a role replaces its actions in the version in use, 0 when it
** adds to them. */
int ledgerClientRolesReplaced(LedgerClient *p);

/* 1 when entries have tags in the version in use. */
int ledgerClientTags(LedgerClient *p);

/* An error where entries have none. */
int ledgerClientNeedTags(LedgerClient *p, LedgerError *pErr);

/* 1 once the ledger has answered: the version in use is known. */
int ledgerClientAnswered(const LedgerClient *p);

/* The i-th of the requests remembered, the oldest first; NULL behind the last.
** It lives until the next request. */
const LedgerRequest *ledgerClientRequest(const LedgerClient *p, int i);

/* Versions of the libraries below, one "name version" per line. */
void ledgerClientVersions(LedgerBuf *pBuf);

/* ---- call/cache.c -------------------------------------------------------- */

/* Whether option cache is anything but off. */
int ledgerCacheWanted(const LedgerConfig *p);

/* ---- loop.c: a request that may be waited for --------------------------- */

/* Drives the client until the call is done. Returns LEDGER_OK, or the call's
** error: LEDGER_BUSY when a budget is spent, LEDGER_INTERRUPT, and so on. An
** interrupted call goes on when it is waited for again. */
int ledgerCallWait(LedgerCall *p, LedgerError *pErr);

/* Drives the client until one of the n calls is done; *pi is its index. Calls
** that are NULL are passed over. The call's own error is left for
** ledgerCallWait() on it. */
int ledgerCallWaitAny(LedgerCall *const *apCall, int n, int *pi,
                      LedgerError *pErr);

/* Whether the call is done: waiting for it would take no time. */
int ledgerCallIsDone(const LedgerCall *p);

/* Waits ms milliseconds, before what zWhat says; LEDGER_INTERRUPT where the
** user wants to stop. */
int ledgerClientSleep(LedgerClient *p, int ms, const char *zWhat,
                      LedgerError *pErr);

/* ---- call/call.c -------------------------------------------------------- */

/* Cancels the call if it runs, and frees it and its answer. NULL is allowed. */
void ledgerCallFree(LedgerCall *p);

/* The answer's x-ms-ccf-transaction-id: the state of the node that answered.
** {0,0} while there is none (errors carry none). */
LedgerTxid ledgerCallHead(const LedgerCall *p);

/* What became of an append. */
enum {
  LEDGER_SENT = 1,    /* recorded under the id given; commit is to come */
  LEDGER_UNSENT = 2,  /* certainly not recorded; may be sent again */
  LEDGER_REFUSED = 3, /* certainly not recorded, and never will be; its error is
                      ** never LEDGER_BUSY */
  LEDGER_OUTCOME_UNKNOWN = 4 /* the request went out, no answer came back */
};

/* ---- call/session.c: requests in order, by one connection --------------- */

typedef struct LedgerSession LedgerSession;

/* Makes a session; nothing is sent. Its connection goes to the primary, where
** that is known. The caller closes it; that may be after the client is gone. */
int ledgerSessionOpen(LedgerClient *p, LedgerSession **ppSession,
                      LedgerError *pErr);
void ledgerSessionClose(LedgerSession *p); /* NULL is allowed */

/* Calls of the client that are started from now on go by the session; NULL: by
** any connection. One call at a time goes by a session. */
void ledgerSessionUse(LedgerClient *p, LedgerSession *pSession);

/* Whether the session has ended: nothing more can be sent by it. */
int ledgerSessionEnded(const LedgerSession *p);

/* Whether it was answered, and can be used once more: it has not ended, isn't
** idle for long and leads to the primary that is known. */
int ledgerSessionFits(const LedgerSession *p);

/* The last write that was recorded by it, {0,0} if there was none, and its
** view: no write of the session is ever recorded in another one. It is 0 where
** that isn't so, since a front end has been seen to break sessions silently. */
LedgerTxid ledgerSessionLast(const LedgerSession *p);
int64_t ledgerSessionView(const LedgerSession *p);

/* The Retry-After, in milliseconds, of the answer that ended it, or -1. */
int ledgerSessionRetryAfter(const LedgerSession *p);

#endif /* LEDGER_CLIENT_H */
