/*
** The data file: members, user-defined roles and functions, and the documents
** of which there is one each (constitution, endpoints, runtime options).
**
** Serves /app/governance, /app/roles, /app/userDefinedFunctions and
** /app/userDefinedEndpoints. Names compare byte by byte.
*/
#include "emulator/store/storeInt.h"

/* A kept statement with kind and name bound. */
static int objectStmt(EmuStore *p, const char *zSql, int eKind, const char *z,
                      size_t n, sqlite3_stmt **ppStmt, LedgerError *pErr) {
  int rc = emuStoreStmt(p, zSql, ppStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_int(*ppStmt, 1, eKind);
  sqlite3_bind_text(*ppStmt, 2, n ? z : "", (int)n, SQLITE_STATIC);
  return LEDGER_OK;
}

int emuStoreObject(EmuStore *p, int eKind, const char *z, size_t n,
                   LedgerBuf *pValue, int *pbFound, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = objectStmt(p, "SELECT value FROM object WHERE kind=?1 AND name=?2",
                      eKind, z, n, &pStmt, pErr);
  *pbFound = 0;
  if( rc ) return rc;
  if( emuStoreStep(p, pStmt, pErr) ) {
    *pbFound = 1;
    emuStoreColumn(pStmt, 0, pValue, pErr);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreObjectPut(EmuStore *p, int eKind, const char *z, size_t n,
                      const char *zValue, size_t nValue, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = objectStmt(p, "INSERT OR REPLACE INTO object VALUES(?1,?2,?3)",
                      eKind, z, n, &pStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_text(pStmt, 3, nValue ? zValue : "", (int)nValue, SQLITE_STATIC);
  return emuStoreRun(p, pStmt, pErr);
}

int emuStoreObjectDelete(EmuStore *p, int eKind, const char *z, size_t n,
                         LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc = objectStmt(p, "DELETE FROM object WHERE kind=?1 AND name=?2", eKind,
                      z, n, &pStmt, pErr);
  return rc ? rc : emuStoreRun(p, pStmt, pErr);
}

int emuStoreObjectList(EmuStore *p, int eKind, const EmuText *pAfter, int nMax,
                       void (*x)(void *, const EmuText *, const EmuText *),
                       void *pArg, LedgerError *pErr) {
  sqlite3_stmt *pStmt;
  int rc;
  /* No name is empty, so all are above the empty text. */
  rc = objectStmt(p,
                  "SELECT name, value FROM object WHERE kind=?1 AND name>?2"
                  " ORDER BY name LIMIT ?3",
                  eKind, pAfter ? pAfter->z : "", pAfter ? pAfter->n : 0,
                  &pStmt, pErr);
  if( rc ) return rc;
  sqlite3_bind_int(pStmt, 3, nMax);
  while( emuStoreStep(p, pStmt, pErr) ) {
    EmuText name = emuStoreText(pStmt, 0), value = emuStoreText(pStmt, 1);
    x(pArg, &name, &value);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}
