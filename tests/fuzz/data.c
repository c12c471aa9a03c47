/*
** A fuzz target of the emulator's data file: bytes of a good one, data.db, are
** changed as fuzzPatch() says; then an emulator starts with it, answers for
** what it has, takes an entry and ends. It may refuse the file, and any of
** these. Three inputs of four are a writer's that knows of the sums of pages;
** the others are a disk's.
**
** libFuzzer: -detect_leaks=0 -max_len=400
*/
#include "emulator.h"

#include "emulator/http/httpInt.h"
#include "emulator/store/storeInt.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>

#define DATA_FILE "data.db"
#define DATA_WORK "data.work.db"
#define DATA_PAGE 4096

/* One request, which has come by no connection, as an administrator's. */
static void dataAsk(Main *pMain, int eMethod, const char *zUri,
                    const char *zBody) {
  struct evhttp_request *pHttp = evhttp_request_new(NULL, NULL);
  EmuReq *p;
  fuzzCheck(pHttp != NULL, "out of memory");
  pHttp->type = (enum evhttp_cmd_type)eMethod;
  pHttp->kind = EVHTTP_REQUEST;
  pHttp->uri = ledgerStrdup(zUri);
  if( zBody ) evbuffer_add(pHttp->input_buffer, zBody, strlen(zBody));
  p = emuReqNew(&pMain->emu, pHttp);
  fuzzCheck(p != NULL, "out of memory");
  ledgerBufText(&p->user, "admin");
  ledgerBufText(&p->roles, "Administrator");
  p->bProved = 1;
  emuRoute(p);
  event_base_loop(pMain->emu.pBase, EVLOOP_NONBLOCK);
}

#define V "api-version=2024-12-09-preview"

static void dataAskAll(Main *p) {
  static const char *const azUri[] = {
      "/app/transactions?" V "&collectionId=subledger%3A0",
      "/app/transactions?" V "&collectionId=subledger%3A1",
      "/app/transactions/2.5?" V,
      "/app/transactions/2.5/status?" V,
      "/app/transactions/2.5/receipt?" V,
      "/app/transactions/current?" V,
      "/app/collections?" V,
      "/app/collections/tags?" V,
      "/app/ledgerUsers?" V,
      "/app/roles?" V "&roleName=x",
      "/app/userDefinedFunctions?" V,
      "/app/userDefinedEndpoints?" V,
      "/app/governance/constitution?" V,
      "/app/governance/members?" V,
      "/app/enclaveQuotes?" V,
      "/ledgerIdentity/demo"};
  size_t i;
  for( i = 0; i < sizeof(azUri) / sizeof(azUri[0]); i++ ) {
    dataAsk(p, EVHTTP_REQ_GET, azUri[i], NULL);
  }
  dataAsk(p, EVHTTP_REQ_POST, "/app/transactions?" V "&tags=a",
          "{\"contents\":\"x\"}");
}

/* A whole life of an emulator on this file. */
static void dataRun(const char *zFile, int bGood) {
  static char *azArg[] = {"ledger-emulator", "--fill", "40,2,30,1", "--loading",
                          "0"};
  LedgerError err = LEDGER_ERROR_INIT;
  Main *pMain = emulatorNew(sizeof(azArg) / sizeof(azArg[0]), azArg);
  Emu *p = &pMain->emu;
  int rc;
  p->pFaults = emuFaultsNew();
  p->pWarm = emuWarmNew(0);
  p->pWarmReceipt = emuWarmNew(0);
  p->pPages = ledgerLruNew(NULL);
  fuzzCheck(mainLoop(pMain, &err) == LEDGER_OK, "no loop");
  rc = mainOpen(p, zFile, &err);
  fuzzCheck(rc == LEDGER_OK || !bGood, ledgerErrorText(&err));
  fuzzCheckError(rc, &err);
  p->pLedger->bServing = rc == LEDGER_OK;
  if( rc == LEDGER_OK ) dataAskAll(pMain);
  mainEnd(pMain);
}

/* Writes pages over those of the file, each with its sum. */
static void dataSums(const unsigned char *a, size_t n) {
  sqlite3_vfs *pVfs = sqlite3_vfs_find(EMU_PAGES_VFS);
  sqlite3_file *pFile = calloc(1, (size_t)pVfs->szOsFile);
  char *zPath = calloc(1, (size_t)pVfs->mxPathname + 2);
  size_t i;
  int m;
  fuzzCheck(pFile && zPath &&
                pVfs->xFullPathname(pVfs, DATA_WORK, pVfs->mxPathname, zPath) ==
                    SQLITE_OK &&
                pVfs->xOpen(pVfs, zPath, pFile,
                            SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE,
                            &m) == SQLITE_OK,
            "the file can't be opened");
  for( i = 0; i + DATA_PAGE <= n; i += DATA_PAGE ) {
    pFile->pMethods->xWrite(pFile, a + i, DATA_PAGE, (sqlite3_int64)i);
  }
  pFile->pMethods->xClose(pFile);
  free(pFile);
  free(zPath);
}

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static unsigned char *aGood;
  static size_t nGood;
  const int bSums = fuzzByte(&aData, &nData) % 4 != 0;
  unsigned char *a;
  if( aGood == NULL ) {
    fuzzCheck(setenv("PATH", "/nowhere", 1) == 0 &&
                  emuPagesRegister() == SQLITE_OK,
              "no environment");
    if( access(DATA_FILE, R_OK) ) dataRun(DATA_FILE, 1);
    aGood = fuzzFileRead(DATA_FILE, &nGood);
    fuzzCheck(aGood && nGood > 8192, "nothing was kept");
  }
  a = malloc(nGood);
  fuzzCheck(a != NULL, "out of memory");
  memcpy(a, aGood, nGood);
  fuzzPatch(a, nGood, aData, nData);
  unlink(DATA_WORK "-wal");
  unlink(DATA_WORK "-shm");
  fuzzFileWrite(DATA_WORK, bSums ? aGood : a, nGood);
  if( bSums ) dataSums(a, nGood);
  free(a);
  dataRun(DATA_WORK, 0);
  return 0;
}
