/*
** The data file: members, user-defined roles and functions, and the documents
** of which there is one each (constitution, endpoints, runtime options).
**
** Serves /app/governance, /app/roles, /app/userDefinedFunctions and
** /app/userDefinedEndpoints. Names compare byte by byte.
*/
#include "emulator/store/storeInt.h"

int emuStoreObject(EmuStore *p, int eKind, const char *z, size_t n,
                   LedgerBuf *pValue, int *pbFound, LedgerError *pErr) {
  sqlite3_stmt *pStmt = emuStoreStmt(
      p, pErr, "SELECT value FROM object WHERE kind=?1 AND name=?2", "dt",
      eKind, z, n);
  *pbFound = emuStoreStep(p, pStmt, pErr);
  if( *pbFound ) emuStoreColumn(pStmt, 0, pValue, pErr);
  sqlite3_reset(pStmt);
  return pErr->rc;
}

int emuStoreObjectPut(EmuStore *p, int eKind, const char *z, size_t n,
                      const char *zValue, size_t nValue, LedgerError *pErr) {
  return emuStoreRun(p, pErr, "INSERT OR REPLACE INTO object VALUES(?1,?2,?3)",
                     "dtt", eKind, z, n, zValue, nValue);
}

int emuStoreObjectDelete(EmuStore *p, int eKind, const char *z, size_t n,
                         LedgerError *pErr) {
  return emuStoreRun(p, pErr, "DELETE FROM object WHERE kind=?1 AND name=?2",
                     "dt", eKind, z, n);
}

int emuStoreObjectList(EmuStore *p, int eKind, const EmuText *pAfter, int nMax,
                       void (*x)(void *, const EmuText *, const EmuText *),
                       void *pArg, LedgerError *pErr) {
  /* No name is empty, so all are above the empty text. */
  sqlite3_stmt *pStmt = emuStoreStmt(
      p, pErr,
      "SELECT name, value FROM object WHERE kind=?1 AND name>?2"
      " ORDER BY name LIMIT ?3",
      "dtd", eKind, pAfter ? pAfter->z : "", pAfter ? pAfter->n : 0, nMax);
  while( emuStoreStep(p, pStmt, pErr) ) {
    EmuText name = emuStoreText(pStmt, 0), value = emuStoreText(pStmt, 1);
    x(pArg, &name, &value);
  }
  sqlite3_reset(pStmt);
  return pErr->rc;
}
