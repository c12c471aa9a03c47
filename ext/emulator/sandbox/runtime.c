/*
** Options of the JavaScript runtime: reading, writing, defaults.
**
** Serves /app/userDefinedEndpoints/runtimeOptions and what runs functions. One
** table names them. 0 means the default where a limit of 0 would mean that
** nothing can run.
*/
#include "emulator/sandbox/sandbox.h"

#include <stddef.h>
#include <string.h>

/* Alphabetical, as they are written. */
static const struct RuntimeSpec {
  const char *zName;
  size_t iOffset;
  int bFlag;
  int64_t iDefault;
} aRuntime[] = {
    {"log_exception_details", offsetof(EmuRuntime, bLog), 1, 0},
    {"max_cached_interpreters", offsetof(EmuRuntime, nCached), 0, 10},
    {"max_execution_time_ms", offsetof(EmuRuntime, msTime), 0, 1000},
    {"max_heap_bytes", offsetof(EmuRuntime, nHeap), 0, 100 * 1024 * 1024},
    {"max_stack_bytes", offsetof(EmuRuntime, nStack), 0, 1024 * 1024},
    {"return_exception_details", offsetof(EmuRuntime, bReturn), 1, 0},
};
#define RUNTIME_SPECS ((int)(sizeof(aRuntime) / sizeof(aRuntime[0])))
#define RUNTIME_MAX 9007199254740991.0 /* 2^53-1: whole in a double */

static void runtimeSet(EmuRuntime *p, int i, int64_t v) {
  memcpy((char *)p + aRuntime[i].iOffset, &v, sizeof(v));
}

static int64_t runtimeGet(const EmuRuntime *p, int i) {
  int64_t v;
  memcpy(&v, (const char *)p + aRuntime[i].iOffset, sizeof(v));
  return v;
}

const char *emuRuntimeRead(const cJSON *pObj, EmuRuntime *p) {
  const cJSON *pVal;
  int i;
  if( !cJSON_IsObject(pObj) ) return "runtimeOptions";
  for( pVal = pObj->child; pVal; pVal = pVal->next ) {
    double r = pVal->valuedouble;
    for( i = 0; i < RUNTIME_SPECS; i++ ) {
      if( strcmp(pVal->string, aRuntime[i].zName) == 0 ) break;
    }
    if( i == RUNTIME_SPECS ) continue;
    if( cJSON_IsNull(pVal) ) {
      runtimeSet(p, i, aRuntime[i].iDefault);
    } else if( aRuntime[i].bFlag ) {
      if( !cJSON_IsBool(pVal) ) return aRuntime[i].zName;
      runtimeSet(p, i, cJSON_IsTrue(pVal));
    } else {
      if( !cJSON_IsNumber(pVal) || !(r >= 0 && r <= RUNTIME_MAX) ||
          r != (double)(int64_t)r ) {
        return aRuntime[i].zName;
      }
      runtimeSet(p, i, (int64_t)r);
    }
  }
  return NULL;
}

void emuRuntimeJson(const EmuRuntime *p, LedgerBuf *pBuf) {
  int i;
  for( i = 0; i < RUNTIME_SPECS; i++ ) {
    ledgerBufPrintf(pBuf, "%s\"%s\":", i ? "," : "{", aRuntime[i].zName);
    if( aRuntime[i].bFlag ) {
      ledgerBufText(pBuf, runtimeGet(p, i) ? "true" : "false");
    } else {
      ledgerBufPrintf(pBuf, "%lld", (long long)runtimeGet(p, i));
    }
  }
  ledgerBufAppend(pBuf, "}", 1);
}

int emuRuntimeStored(Emu *pEmu, EmuRuntime *p, LedgerError *pErr) {
  LedgerBuf text = {0};
  LedgerJson *pDoc = NULL;
  int i, bFound, rc;
  for( i = 0; i < RUNTIME_SPECS; i++ ) runtimeSet(p, i, aRuntime[i].iDefault);
  rc = emuStoreObject(pEmu->pStore, EMU_OBJECT_DOCUMENT, EMU_DOC_RUNTIME,
                      strlen(EMU_DOC_RUNTIME), &text, &bFound, pErr);
  if( rc == LEDGER_OK && bFound ) {
    rc = ledgerJsonParse(text.z, text.n, "runtime options", &pDoc, pErr);
    if( rc == LEDGER_OK ) emuRuntimeRead(ledgerJsonRoot(pDoc), p);
  }
  ledgerJsonFree(pDoc);
  ledgerBufFree(&text);
  return rc;
}
