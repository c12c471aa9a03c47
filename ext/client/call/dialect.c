/*
** What the API versions of the service differ in: one table, and nothing about
** versions anywhere else. Issues no request.
**
** Invariants
**   - the rows stand from the oldest version to the newest;
**   - answers are read in both spellings whatever the version, so that only
**     requests depend on the row in use;
**   - the service's own texts (its list of versions, an unknown path) are read
**     here alone.
**
** Reference: api/CONTRACT.md 1 and "Corrections from recordings" (the service
** really spoke of subLedgerId in 2022-04-20-preview).
*/
#include "client/call/callInt.h"

#include <string.h>

#define DIALECT_2022A LEDGER_HAS_COLLECTIONS
#define DIALECT_2022 (DIALECT_2022A | LEDGER_HAS_MERGE_PATCH)
#define DIALECT_2024A (DIALECT_2022 | LEDGER_HAS_USER_LIST)
#define DIALECT_2024B (DIALECT_2024A | LEDGER_HAS_MANY_ROLES)
#define DIALECT_2024C (DIALECT_2024B | LEDGER_HAS_ROLES)
#define DIALECT_2024 (DIALECT_2024C | LEDGER_HAS_TAGS | LEDGER_HAS_PROGRAMS)
#define DIALECT_2026 (DIALECT_2024 | LEDGER_HAS_TAG_LIST)

static const LedgerDialect aDialect[] = {
    /* version               stable  offers         names a sub-ledger */
    {"0.1-preview", 0, 0, "subLedgerId"},
    {"2022-04-20-preview", 0, DIALECT_2022A, "subLedgerId"},
    {"2022-05-13", 1, DIALECT_2022, "collectionId"},
    {"2022-08-13", 1, DIALECT_2022, "collectionId"},
    {"2023-01-18-preview", 0, DIALECT_2022, "collectionId"},
    {"2024-01-26-preview", 0, DIALECT_2024A, "collectionId"},
    {"2024-07-26-preview", 0, DIALECT_2024B, "collectionId"},
    {"2024-08-22-preview", 0, DIALECT_2024C | LEDGER_HAS_ROLE_TEXT,
     "collectionId"},
    {"2024-12-09-preview", 0, DIALECT_2024 | LEDGER_HAS_ROLE_TEXT,
     "collectionId"},
    {"2026-02-23", 1, DIALECT_2026, "collectionId"},
    {"2026-07-31-preview", 0, DIALECT_2026 | LEDGER_HAS_WAIT, "collectionId"},
};
#define DIALECT_COUNT ((int)(sizeof(aDialect) / sizeof(aDialect[0])))

/* What a feature is called in messages. Another way to say the same (merge
** patches, waiting, role_name) is not a feature, and never needed. */
static const struct {
  unsigned mHas;
  const char *zName;
} aFeature[] = {
    {LEDGER_HAS_COLLECTIONS, "the list of sub-ledgers"},
    {LEDGER_HAS_TAGS, "tags"},
    {LEDGER_HAS_TAG_LIST, "the list of tags"},
    {LEDGER_HAS_USER_LIST, "the list of users"},
    {LEDGER_HAS_MANY_ROLES, "a user with several roles"},
    {LEDGER_HAS_PROGRAMS, "functions and hooks"},
    {LEDGER_HAS_ROLES, "roles and endpoints"},
};

/* The row of the version named by the n bytes at z, or NULL. */
static const LedgerDialect *dialectNamed(const char *z, size_t n) {
  int i;
  for( i = 0; i < DIALECT_COUNT; i++ ) {
    const char *zRow = aDialect[i].zVersion;
    if( strlen(zRow) == n && memcmp(zRow, z, n) == 0 ) return &aDialect[i];
  }
  return NULL;
}

/*
** The dialect of a version. A version that the table does not know (a later
** one, set by the user) is spoken like LEDGER_NEWEST_VERSION.
*/
const LedgerDialect *ledgerDialectFind(const char *zVersion) {
  const LedgerDialect *p = dialectNamed(zVersion, strlen(zVersion));
  if( p == NULL ) {
    p = dialectNamed(LEDGER_NEWEST_VERSION, strlen(LEDGER_NEWEST_VERSION));
  }
  return p;
}

/* Whether a refusal is about the version that was asked for. */
int ledgerDialectRefused(const LedgerServerError *pSaid) {
  return strcmp(pSaid->zCode, "QueryParameterError") == 0 &&
         strstr(pSaid->zMessage, "api-version") != NULL;
}

/* Whether a refusal is about the path, not about what it names. */
int ledgerDialectNoPath(const LedgerServerError *pSaid) {
  static const char zPath[] = "Unknown path";
  return strcmp(pSaid->zCode, "ResourceNotFound") == 0 &&
         strncmp(pSaid->zMessage, zPath, sizeof(zPath) - 1) == 0;
}

/*
** Chooses from the text of a refusal, "... one of the following versions:
** A,B": the newest that the table knows, a stable one before any preview.
** Returns NULL when the text has a list with nothing known in it; without a
** list, the row of LEDGER_FALLBACK_VERSION. *pzList is the list's start within
** zMessage, or NULL where there is none.
*/
const LedgerDialect *ledgerDialectChoose(const char *zMessage,
                                         const char **pzList) {
  static const char zMark[] = "versions:";
  const LedgerDialect *pBest = NULL;
  const char *z = strstr(zMessage, zMark);

  *pzList = NULL;
  if( z == NULL ) return ledgerDialectFind(LEDGER_FALLBACK_VERSION);
  z += sizeof(zMark) - 1;
  z += strspn(z, " ");
  *pzList = z;
  while( *z ) {
    const LedgerDialect *p;
    size_t n;
    z += strspn(z, " ,;'\"[]");
    n = strcspn(z, " ,;'\"[]");
    p = dialectNamed(z, n);
    if( p == NULL && n > 0 && z[n - 1] == '.' ) p = dialectNamed(z, n - 1);
    z += n;
    if( p == NULL ) continue;
    if( pBest == NULL || p->bStable > pBest->bStable ||
        (p->bStable == pBest->bStable && p > pBest) ) {
      pBest = p;
    }
  }
  return pBest;
}

/*
** LEDGER_OK when the dialect offers all of mNeed. Otherwise an error that
** names the feature and the first version that has it; zVersion is the version
** in use, as it is sent.
*/
int ledgerDialectNeed(const LedgerDialect *pDialect, const char *zVersion,
                      unsigned mNeed, LedgerError *pErr) {
  unsigned mLack = mNeed & ~pDialect->mHas;
  size_t i;

  for( i = 0; i < sizeof(aFeature) / sizeof(aFeature[0]); i++ ) {
    if( (mLack & aFeature[i].mHas) == 0 ) continue;
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "%s: needs API version %s or later, but %s is in use",
                          aFeature[i].zName,
                          ledgerDialectFirst(aFeature[i].mHas), zVersion);
  }
  return LEDGER_OK;
}

/* The first version that offers all of mHas, or NULL. */
const char *ledgerDialectFirst(unsigned mHas) {
  int i;
  for( i = 0; i < DIALECT_COUNT; i++ ) {
    if( (aDialect[i].mHas & mHas) == mHas ) return aDialect[i].zVersion;
  }
  return NULL;
}
