/*
** The data file: users with their roles, and the applications of the
** authority.
**
** Serves what /app/users, /app/ledgerUsers and the token endpoint read and
** write. User ids compare without regard to case (a fingerprint may come in
** either); the spelling of the first registration is kept.
*/
#include "emulator/store/storeInt.h"

int emuStoreUser(EmuStore *p, const char *zId, size_t nId, LedgerBuf *pId,
                 LedgerBuf *pRoles, int *pbFound, LedgerError *pErr) {
  sqlite3_stmt *pStmt = emuStoreStmt(
      p, pErr, "SELECT id, roles FROM user WHERE id=?1", "t", zId, nId);
  *pbFound = emuStoreStep(p, pStmt, pErr);
  if( *pbFound ) {
    if( pId ) emuStoreColumn(pStmt, 0, pId, pErr);
    emuStoreColumn(pStmt, 1, pRoles, pErr);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreUserPut(EmuStore *p, const char *zId, size_t nId,
                    const char *zRoles, LedgerError *pErr) {
  return emuStoreRun(p, pErr,
                     "INSERT INTO user VALUES(?1,?2) ON CONFLICT(id)"
                     " DO UPDATE SET roles=excluded.roles",
                     "tz", zId, nId, zRoles);
}

int emuStoreUserDelete(EmuStore *p, const char *zId, size_t nId,
                       LedgerError *pErr) {
  return emuStoreRun(p, pErr, "DELETE FROM user WHERE id=?1", "t", zId, nId);
}

int emuStoreUserList(EmuStore *p, const EmuText *pAfter, int nMax,
                     void (*x)(void *, const EmuText *, const EmuText *),
                     void *pArg, LedgerError *pErr) {
  sqlite3_stmt *pStmt =
      emuStoreStmt(p, pErr,
                   "SELECT id, roles FROM user WHERE id>?1 ORDER BY id"
                   " LIMIT ?2",
                   "td", pAfter ? pAfter->z : "", pAfter ? pAfter->n : 0, nMax);
  while( emuStoreStep(p, pStmt, pErr) ) {
    EmuText id = emuStoreText(pStmt, 0), roles = emuStoreText(pStmt, 1);
    x(pArg, &id, &roles);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreAdmins(EmuStore *p, int64_t *pn, LedgerError *pErr) {
  return emuStoreNumber(p, pErr, pn,
                        "SELECT count(*) FROM user WHERE instr(','||roles||','"
                        ",',Administrator,')",
                        "");
}

int emuStoreClient(EmuStore *p, const char *zClient, size_t nClient,
                   LedgerBuf *pSecret, LedgerBuf *pOid, int64_t *pnLifetime,
                   int *pbFound, LedgerError *pErr) {
  sqlite3_stmt *pStmt = emuStoreStmt(
      p, pErr, "SELECT secret, oid, lifetime FROM client WHERE id=?1", "t",
      zClient, nClient);
  *pbFound = emuStoreStep(p, pStmt, pErr);
  if( *pbFound ) {
    emuStoreColumn(pStmt, 0, pSecret, pErr);
    emuStoreColumn(pStmt, 1, pOid, pErr);
    *pnLifetime = sqlite3_column_int64(pStmt, 2);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreClientPut(EmuStore *p, const char *zClient, const char *zSecret,
                      const char *zOid, int64_t nLifetime, LedgerError *pErr) {
  return emuStoreRun(p, pErr,
                     "INSERT OR REPLACE INTO client VALUES(?1,?2,?3,?4)",
                     "zzzi", zClient, zSecret, zOid, nLifetime);
}
