/*
** User-defined functions: kept here, run by execute.c.
**
**   GET /app/userDefinedFunctions              the list, in pages
**   GET /app/userDefinedFunctions/{id}         {"code","id"}
**   PUT /app/userDefinedFunctions/{id}         201 for a new one, else 200
**   DELETE /app/userDefinedFunctions/{id}      204, of an unknown one too
**
** An id is a text of up to 256 bytes without a colon, since one begins
** `:execute`. Code is not looked at before it runs.
**
** Codes where the contract is silent: an unknown function is 404
** ResourceNotFound.
*/
#include "emulator/routes/routesInt.h"

#include <string.h>

#define FUNCTIONS_MAX_ID 256

int emuFunctionId(EmuReq *p, const EmuText *pId) {
  if( emuPlainText(pId->z, pId->n, FUNCTIONS_MAX_ID) &&
      !memchr(pId->z, ':', pId->n) ) {
    return 1;
  }
  emuReqError(p, 400, "InvalidInput", "The function id is not valid.");
  return 0;
}

/* Appends {"code","id"}. */
static void functionsJson(LedgerBuf *pBuf, const EmuText *pId, const char *z,
                          size_t n) {
  ledgerBufText(pBuf, "{\"code\":");
  ledgerBufJson(pBuf, z, n);
  ledgerBufText(pBuf, ",\"id\":");
  ledgerBufJson(pBuf, pId->z, pId->n);
  ledgerBufAppend(pBuf, "}", 1);
}

int emuFunctionCode(EmuReq *p, const EmuText *pId, LedgerBuf *pCode) {
  LedgerError err = LEDGER_ERROR_INIT;
  int bFound;
  if( emuStoreObject(p->pEmu->pStore, EMU_OBJECT_FUNCTION, pId->z, pId->n,
                     pCode, &bFound, &err) ) {
    emuReqFail(p, &err);
    return 0;
  }
  if( !bFound ) {
    emuReqError(p, 404, "ResourceNotFound", "The function %s is unknown",
                pId->z);
  }
  return bFound;
}

void emuRouteFunctionGet(EmuReq *p) {
  const EmuText *pId = &p->aSegment[2];
  LedgerBuf code = {0};
  if( emuFunctionId(p, pId) && emuFunctionCode(p, pId, &code) ) {
    functionsJson(&p->body, pId, code.z ? code.z : "", code.n);
    p->iStatus = 200;
  }
  ledgerBufFree(&code);
}

void emuRouteFunctionPut(EmuReq *p) {
  const EmuText *pId = &p->aSegment[2];
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  LedgerBuf out = {0}, before = {0};
  EmuText value;
  const char *z;
  size_t n;
  int bFound;
  if( !emuFunctionId(p, pId) ) goto out;
  if( !emuReqJson(p, "application/json", NULL, &pDoc) ) goto out;
  z = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "code", &n);
  if( z == NULL || n == 0 ) {
    emuReqError(p, 400, "InvalidInput", "At #/code: Expected a string");
    goto out;
  }
  functionsJson(&out, pId, z, n);
  value.z = (char *)(uintptr_t)z;
  value.n = n;
  if( emuStoreObject(p->pEmu->pStore, EMU_OBJECT_FUNCTION, pId->z, pId->n,
                     &before, &bFound, &err) ||
      emuLedgerObject(p->pEmu, EMU_OBJECT_FUNCTION, pId, &value, EMU_FUNCTIONS,
                      &out, &p->id, &err) ) {
    emuReqFail(p, &err);
    goto out;
  }
  ledgerBufAppend(&p->body, out.z, out.n);
  p->iStatus = bFound ? 200 : 201;
out:
  ledgerBufFree(&out);
  ledgerBufFree(&before);
  ledgerJsonFree(pDoc);
}

void emuRouteFunctionDelete(EmuReq *p) {
  const EmuText *pId = &p->aSegment[2];
  if( !emuFunctionId(p, pId) ) return;
  emuRouteObjectDelete(p, EMU_OBJECT_FUNCTION, EMU_FUNCTIONS, pId);
}

static void functionsItem(EmuReq *p, const EmuText *pId, const EmuText *pCode) {
  functionsJson(&p->body, pId, pCode->z, pCode->n);
}

void emuRouteFunctionList(EmuReq *p) {
  emuPage(p, "functions", EMU_OBJECT_FUNCTION, 1, functionsItem);
}
