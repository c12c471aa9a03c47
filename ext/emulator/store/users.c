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
  sqlite3_stmt *pStmt;
  int rc =
      emuStoreStmt(p, "SELECT id, roles FROM user WHERE id=?1", &pStmt, pErr);
  *pbFound = 0;
  if( rc ) return rc;
  sqlite3_bind_text(pStmt, 1, zId, (int)nId, SQLITE_STATIC);
  if( emuStoreStep(p, pStmt, pErr) ) {
    *pbFound = 1;
    if( pId ) emuStoreColumn(pStmt, 0, pId, pErr);
    emuStoreColumn(pStmt, 1, pRoles, pErr);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreUserPut(EmuStore *p, const char *zId, size_t nId,
                    const char *zRoles, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(p,
                        "INSERT INTO user VALUES(?1,?2) ON CONFLICT(id)"
                        " DO UPDATE SET roles=excluded.roles",
                        &pStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_text(pStmt, 1, zId, (int)nId, SQLITE_STATIC);
  sqlite3_bind_text(pStmt, 2, zRoles, -1, SQLITE_STATIC);
  return emuStoreRun(p, pStmt, pErr);
}

int emuStoreUserDelete(EmuStore *p, const char *zId, size_t nId,
                       LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(p, "DELETE FROM user WHERE id=?1", &pStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_text(pStmt, 1, zId, (int)nId, SQLITE_STATIC);
  return emuStoreRun(p, pStmt, pErr);
}

int emuStoreUserList(EmuStore *p, const EmuText *pAfter, int nMax,
                     void (*x)(void *, const EmuText *, const EmuText *),
                     void *pArg, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc;
  rc = emuStoreStmt(p,
                    "SELECT id, roles FROM user WHERE id>?1 ORDER BY id"
                    " LIMIT ?2",
                    &pStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_text(pStmt, 1, pAfter ? pAfter->z : "",
                    pAfter ? (int)pAfter->n : 0, SQLITE_STATIC);
  sqlite3_bind_int(pStmt, 2, nMax);
  while( emuStoreStep(p, pStmt, pErr) ) {
    EmuText id = emuStoreText(pStmt, 0), roles = emuStoreText(pStmt, 1);
    x(pArg, &id, &roles);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreAdmins(EmuStore *p, int64_t *pn, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(p,
                        "SELECT count(*) FROM user WHERE instr(','||roles||','"
                        ",',Administrator,')",
                        &pStmt, pErr);
  return rc ? rc : emuStoreNumber(p, pStmt, pn, pErr);
}

int emuStoreClient(EmuStore *p, const char *zClient, size_t nClient,
                   LedgerBuf *pSecret, LedgerBuf *pOid, int64_t *pnLifetime,
                   int *pbFound, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(
      p, "SELECT secret, oid, lifetime FROM client WHERE id=?1", &pStmt, pErr);
  *pbFound = 0;
  if( rc ) return rc;
  sqlite3_bind_text(pStmt, 1, zClient, (int)nClient, SQLITE_STATIC);
  if( emuStoreStep(p, pStmt, pErr) ) {
    *pbFound = 1;
    emuStoreColumn(pStmt, 0, pSecret, pErr);
    emuStoreColumn(pStmt, 1, pOid, pErr);
    *pnLifetime = sqlite3_column_int64(pStmt, 2);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreClientPut(EmuStore *p, const char *zClient, const char *zSecret,
                      const char *zOid, int64_t nLifetime, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = emuStoreStmt(p, "INSERT OR REPLACE INTO client VALUES(?1,?2,?3,?4)",
                        &pStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_text(pStmt, 1, zClient, -1, SQLITE_STATIC);
  sqlite3_bind_text(pStmt, 2, zSecret, -1, SQLITE_STATIC);
  sqlite3_bind_text(pStmt, 3, zOid, -1, SQLITE_STATIC);
  sqlite3_bind_int64(pStmt, 4, nLifetime);
  return emuStoreRun(p, pStmt, pErr);
}
