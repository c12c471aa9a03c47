/*
** The line that ledger-emulator prints when it listens, as what is attached:
**
**   SELECT ledger_attach(readfile('ready.json'));
**   SELECT ledger_attach(readfile('ready.json'), 'pay',
**                        '{"credential":"user_certificate"}');
**
**   url                            the target
**   ledger_id, identity_url,       the options of these names
**   authority, ca_file
**   token                          signs in, unless the options say who does:
**   admin_certificate              ... with credential user_certificate
**   tenant_id, client_id,          ... with credential client_secret
**   client_secret
**
** Issues no request.
**
** Invariants
**   - no message repeats anything of the line;
**   - its services are *.localhost, which is this machine: what sends a secret
**     elsewhere is not the emulator's line;
**   - a member is a value, no reference: nothing of the environment is read,
**     and of files those alone that hold certificates.
*/
#include "client/clientInt.h"

#include <stdlib.h>
#include <string.h>

/* Which member gives an option its value. */
typedef struct ReadyMember ReadyMember;
struct ReadyMember {
  const char *zMember;
  const char *zOption;
  const char *zKind; /* for this credential; NULL: for any */
  int bUrl;          /* a service of the emulator's */
};

static const ReadyMember aReady[] = {
    {"url", NULL, NULL, 1},
    {"ledger_id", "ledger_id", NULL, 0},
    {"identity_url", "identity_url", NULL, 1},
    {"authority", "authority", NULL, 1},
    {"ca_file", "ca_file", NULL, 0},
    {"token", "token", "token", 0},
    {"admin_certificate", "user_certificate", "user_certificate", 0},
    {"tenant_id", "tenant_id", "client_secret", 0},
    {"client_id", "client_id", "client_secret", 0},
    {"client_secret", "client_secret", "client_secret", 0},
};
#define READY_COUNT (sizeof(aReady) / sizeof(aReady[0]))

struct LedgerReady {
  LedgerJson *pDoc;
  const char *az[READY_COUNT]; /* the members; they belong to pDoc */
};

/* Whether z is https://NAME.localhost:PORT. */
static int readyIsUrl(const char *z) {
  static const char zEnd[] = ".localhost:";
  const char *zHost = z + 8;
  const size_t n = strncmp(z, "https://", 8) == 0 ? strcspn(zHost, ":") : 0;
  size_t i;
  for( i = 0; i < n; i++ ) {
    if( !ledgerIsAlnum(zHost[i]) && !strchr("-.", zHost[i]) ) return 0;
  }
  return n > sizeof(zEnd) - 2 &&
         strncmp(zHost + n - (sizeof(zEnd) - 2), zEnd, sizeof(zEnd) - 1) == 0 &&
         strspn(zHost + n + 1, "0123456789") == strlen(zHost + n + 1);
}

int ledgerReadyRead(const char *z, size_t n, LedgerReady **pp,
                    LedgerError *pErr) {
  static const char zWhat[] = "the emulator's line";
  LedgerReady *p = calloc(1, sizeof(*p));
  size_t i;

  *pp = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  if( ledgerJsonParse(z, n, zWhat, &p->pDoc, pErr) ) goto out;
  for( i = 0; i < READY_COUNT; i++ ) {
    size_t nText = 0;
    const char *zText = ledgerJsonMemberText(p->pDoc, ledgerJsonRoot(p->pDoc),
                                             aReady[i].zMember, &nText);
    if( zText == NULL || nText == 0 || strlen(zText) != nText ||
        strncmp(zText, "env:", 4) == 0 || strncmp(zText, "file:", 5) == 0 ||
        (aReady[i].bUrl && !readyIsUrl(zText)) ) {
      ledgerErrorSet(pErr, LEDGER_ERROR,
                     "this JSON is not the line that ledger-emulator prints: "
                     "its member %s is %s",
                     aReady[i].zMember,
                     zText == NULL    ? "missing"
                     : aReady[i].bUrl ? "not https://NAME.localhost:PORT"
                                      : "not a value of it");
      goto out;
    }
    p->az[i] = zText;
  }
  *pp = p;
  p = NULL;
out:
  ledgerReadyFree(p);
  return pErr->rc;
}

const char *ledgerReadyUrl(const LedgerReady *p) {
  return p->az[0];
}

int ledgerReadyApply(const LedgerReady *p, LedgerConfig *pConfig,
                     LedgerError *pErr) {
  size_t i;
  for( i = 0; i < READY_COUNT && pErr->rc == LEDGER_OK; i++ ) {
    if( aReady[i].zOption && aReady[i].zKind == NULL ) {
      ledgerConfigSet(pConfig, aReady[i].zOption, p->az[i], pErr);
    }
  }
  return pErr->rc;
}

int ledgerReadySignIn(const LedgerReady *p, LedgerConfig *pConfig,
                      LedgerError *pErr) {
  const char *zKind = NULL;
  char zChosen[32]; /* the options' own text goes as one of them is set */
  size_t i;
  if( ledgerCredentialKind(pConfig, &zKind, pErr) ) return pErr->rc;
  if( pConfig->zCredential == NULL ) {
    if( strcmp(zKind, "default") != 0 ) return LEDGER_OK; /* by its secret */
    zKind = "token";
  }
  ledgerTextClean(zKind, strlen(zKind), zChosen, sizeof(zChosen));
  for( i = 0; i < READY_COUNT && pErr->rc == LEDGER_OK; i++ ) {
    LedgerBuf held = {0};
    if( aReady[i].zKind == NULL || strcmp(aReady[i].zKind, zChosen) != 0 ) {
      continue;
    }
    if( ledgerConfigGet(pConfig, aReady[i].zOption, &held, pErr) == LEDGER_OK &&
        held.n == 0 ) {
      ledgerConfigSet(pConfig, aReady[i].zOption, p->az[i], pErr);
    }
    ledgerBufFree(&held);
  }
  return pErr->rc;
}

void ledgerReadyFree(LedgerReady *p) {
  if( p == NULL ) return;
  ledgerJsonFreeSecret(p->pDoc);
  free(p);
}
