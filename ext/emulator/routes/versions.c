/*
** The api-versions of the service, and what holds in each: the one table that
** every route asks. Sources: CONTRACT.md, section 1 and "Corrections".
*/
#include "emulator/routes/routesInt.h"

#include <string.h>

#define V2022 (EMU_V_COLLECTIONS | EMU_V_MERGE_PATCH | EMU_V_MEMBER_PAGES)
#define V2023 (V2022 | EMU_V_CLAIMS)
#define V2024 (V2023 | EMU_V_USER_LIST)
#define V2024B (V2024 | EMU_V_LEDGER_USERS)
#define V2024C (V2024B | EMU_V_USERS_MOVED | EMU_V_OWN_CURRENT | EMU_V_ROLES)
#define V2024D (V2024C | EMU_V_TAGS | EMU_V_PROGRAMS)
#define V2026 (V2024D | EMU_V_TAG_LIST)

/* Newest first. */
static const EmuVersion aVersion[] = {
    {"2026-07-31-preview", V2026 | EMU_V_WAIT},
    {"2026-02-23", V2026},
    {"2024-12-09-preview", V2024D | EMU_V_ROLE_TEXT | EMU_V_ASKED_ROLES},
    {"2024-08-22-preview", V2024C | EMU_V_ROLE_TEXT | EMU_V_MOVED_TO},
    {"2024-07-26-preview", V2024B | EMU_V_MRENCLAVE},
    {"2024-01-26-preview", V2024 | EMU_V_MRENCLAVE},
    {"2023-01-18-preview", V2023 | EMU_V_MRENCLAVE},
    {"2022-08-13", V2022 | EMU_V_MRENCLAVE},
    {"2022-05-13", V2022 | EMU_V_MRENCLAVE},
    {"2022-04-20-preview",
     EMU_V_SUBLEDGER | EMU_V_COLLECTIONS | EMU_V_BARE_LIST | EMU_V_MRENCLAVE},
    {"0.1-preview",
     EMU_V_SUBLEDGER | EMU_V_LEAF_ROOT | EMU_V_MRENCLAVE | EMU_V_SPAN},
};
#define N_VERSION ((int)(sizeof(aVersion) / sizeof(aVersion[0])))

/* 1 when the list of versions offered has that one. NULL: all are. */
static int versionsOffered(const char *zOffered, const char *z, size_t n) {
  return zOffered == NULL || emuListed(zOffered, ',', z, n);
}

const EmuVersion *emuVersionFind(const char *zOffered, const char *z,
                                 size_t n) {
  int i;
  for( i = 0; i < N_VERSION; i++ ) {
    if( emuIs(z, n, aVersion[i].zName) ) {
      return versionsOffered(zOffered, z, n) ? &aVersion[i] : NULL;
    }
  }
  return NULL;
}

void emuVersionList(const char *zOffered, LedgerBuf *pBuf) {
  int i;
  const char *zSep = "";
  for( i = 0; i < N_VERSION; i++ ) {
    const char *z = aVersion[i].zName;
    if( !versionsOffered(zOffered, z, strlen(z)) ) continue;
    ledgerBufPrintf(pBuf, "%s%s", zSep, z);
    zSep = ",";
  }
}

int emuVersionCheck(const char *zOffered, LedgerError *pErr) {
  const char *z = zOffered;
  for( ;; ) {
    size_t n = strcspn(z, ",");
    if( emuVersionFind(NULL, z, n) == NULL ) {
      LedgerBuf list = {0};
      int rc;
      emuVersionList(NULL, &list);
      rc = ledgerErrorSet(pErr, LEDGER_ERROR,
                          "--api-versions: '%.*s' is not one of %s", (int)n, z,
                          list.z ? list.z : "the known versions");
      ledgerBufFree(&list);
      return rc;
    }
    if( z[n] == 0 ) return LEDGER_OK;
    z += n + 1;
  }
}
