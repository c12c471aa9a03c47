/*
** The local ledger: its start, the line it prints, its end.
**
**   ledger-emulator --data FILE --listen 127.0.0.1:PORT
**
** One process, one TLS port. When it listens it prints one line of JSON (or,
** with --print-env, exports for a shell):
**
**   {"url":"https://demo.localhost:41873","ledger_id":"demo",
**    "identity_url":"https://identity.localhost:41873",
**    "authority":"https://login.localhost:41873","ca_file":".../ca.pem",
**    "service_certificate":".../service.pem","tenant_id":"...",
**    "client_id":"...","client_secret":"...",
**    "admin_certificate":".../admin.pem","token":"...","pid":123}
**
** Files: FILE is the ledger; FILE.d/ holds ca.pem, service.pem and admin.pem,
** written at each start. Without --data both are in a temporary folder, which
** is removed at the end.
**
** The exports are for eval "$(ledger-emulator --print-env ...)", as ssh-agent's
** are: where stdout is a pipe, which a shell reads to its end and whose writer
** it waits for, the ledger goes on in the background, in a session of its own,
** as LEDGER_EMULATOR_PID, and keeps no descriptor that it was given. Anywhere
** else it stays in the foreground.
**
** SIGTERM and SIGINT end it: what is pending is signed, and all is freed. The
** exit status is 0; 2 when it could not start, with one line on stderr; 1 when
** its file failed for good while it ran, or when it ended.
*/
#include "ledger.h"
#include "emulator/auth/auth.h"
#include "emulator/fault/fault.h"
#include "emulator/http/http.h"
#include "emulator/ledger/ledger.h"
#include "emulator/pki/pki.h"
#include "emulator/routes/routes.h"
#include "emulator/sandbox/sandbox.h"
#include "emulator/store/store.h"
#include "emulator/util/util.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAIN_TEXT_(x) #x
#define MAIN_TEXT(x) MAIN_TEXT_(x)
#define MAIN_VERSION              \
  MAIN_TEXT(LEDGER_VERSION_MAJOR) \
  "." MAIN_TEXT(LEDGER_VERSION_MINOR) "." MAIN_TEXT(LEDGER_VERSION_PATCH)

#define MAIN_TOKEN_DAYS 365 /* "valid for the run" */

/* The ledger and what it is made of. */
typedef struct Main Main;
struct Main {
  Emu emu; /* points to what follows */
  EmuKeys keys;
  EmuLedger ledger;
  EmuSessions sessions;
  EmuTokenSeen seen;
  char *zTemp; /* temporary folder to remove at the end, or NULL */
  struct event *apSignal[2]; /* SIGTERM, SIGINT */
};

/* ---- the ledger's names ------------------------------------------------ */

/* The texts in the store that are in Emu too. */
static const struct MainName {
  const char *zName;
  size_t iOffset;
} aMainName[] = {
    {"ledger_id", offsetof(Emu, zLedgerId)},
    {"curve", offsetof(Emu, zCurve)},
    {"tenant_id", offsetof(Emu, zTenant)},
    {"client_id", offsetof(Emu, zClient)},
    {"client_secret", offsetof(Emu, zSecret)},
    {"oid", offsetof(Emu, zOid)},
};
#define MAIN_NAMES ((int)(sizeof(aMainName) / sizeof(aMainName[0])))

static char **mainName(Emu *p, int i) {
  void *pName = (char *)p + aMainName[i].iOffset;
  return pName;
}

/* Makes the names of a new ledger and its first users. */
static int mainCreate(Emu *p, LedgerError *pErr) {
  LedgerBuf buf = {0};
  int i, rc = LEDGER_OK;
  for( i = 0; i < MAIN_NAMES && rc == LEDGER_OK; i++ ) {
    switch( i ) {
      case 0:
        ledgerBufText(&buf, p->args.zLedgerId ? p->args.zLedgerId : "demo");
        break;
      case 1:
        ledgerBufText(&buf, p->args.zCurve ? p->args.zCurve : "P-256");
        break;
      default: rc = emuUuid(&buf, pErr); break;
    }
    if( rc ) break;
    rc = emuStoreMetaPut(p->pStore, aMainName[i].zName, buf.z, buf.n, pErr);
    *mainName(p, i) = ledgerBufTake(&buf);
    if( *mainName(p, i) == NULL ) rc = ledgerErrorNomem(pErr);
  }
  ledgerBufFree(&buf);
  if( rc == LEDGER_OK ) {
    rc = emuKeysCreate(p->pKeys, p->pStore, p->zLedgerId, p->zCurve,
                       p->args.nValidity, pErr);
  }
  if( rc == LEDGER_OK ) {
    rc = emuStoreUserPut(p->pStore, p->pKeys->zAdmin, strlen(p->pKeys->zAdmin),
                         "Administrator", pErr);
  }
  if( rc == LEDGER_OK ) {
    rc = emuStoreUserPut(p->pStore, p->zOid, strlen(p->zOid), "Administrator",
                         pErr);
  }
  if( rc == LEDGER_OK ) {
    rc = emuStoreClientPut(p->pStore, p->zClient, p->zSecret, p->zOid, 3599,
                           pErr);
  }
  if( rc == LEDGER_OK ) rc = emuLedgerCreate(p, pErr);
  if( rc == LEDGER_OK && p->args.nFill ) rc = emuFill(p, pErr);
  if( rc == LEDGER_OK ) rc = emuLedgerCommit(p, pErr);
  return rc;
}

/* Takes up an existing ledger. */
static int mainLoad(Emu *p, LedgerError *pErr) {
  LedgerBuf buf = {0};
  int i, rc = LEDGER_OK;
  for( i = 0; i < MAIN_NAMES && rc == LEDGER_OK; i++ ) {
    rc = emuStoreMetaGet(p->pStore, aMainName[i].zName, &buf, pErr);
    if( rc ) break;
    *mainName(p, i) = ledgerBufTake(&buf);
    if( *mainName(p, i) == NULL ) rc = ledgerErrorNomem(pErr);
  }
  ledgerBufFree(&buf);
  if( rc ) return rc;
  if( p->args.zLedgerId && strcmp(p->args.zLedgerId, p->zLedgerId) != 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR, "%s is the ledger '%s', not '%s'",
                          p->args.zData, p->zLedgerId, p->args.zLedgerId);
  }
  if( p->args.zCurve && strcmp(p->args.zCurve, p->zCurve) != 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR, "%s has keys on %s, not %s",
                          p->args.zData, p->zCurve, p->args.zCurve);
  }
  rc = emuStoreBegin(p->pStore, pErr);
  if( rc == LEDGER_OK ) {
    rc =
        emuKeysLoad(p->pKeys, p->pStore, p->zLedgerId, p->args.nValidity, pErr);
  }
  if( rc == LEDGER_OK ) rc = emuStoreUpgrade(p->pStore, pErr);
  if( rc == LEDGER_OK ) rc = emuGovernEnsure(p, pErr);
  if( rc == LEDGER_OK ) rc = emuLedgerLoad(p, pErr);
  if( rc == LEDGER_OK && p->args.nFill ) {
    int64_t nDefault, nOther;
    rc = emuStoreCollection(p->pStore, EMU_DEFAULT_COLLECTION,
                            strlen(EMU_DEFAULT_COLLECTION), &nDefault, pErr);
    if( rc == LEDGER_OK ) {
      rc = emuStoreCollectionCount(p->pStore, &nOther, pErr);
    }
    if( rc == LEDGER_OK && nDefault == 0 && nOther == 0 ) {
      rc = emuFill(p, pErr);
      if( rc == LEDGER_OK ) rc = emuLedgerCommit(p, pErr);
    }
  }
  if( rc == LEDGER_OK ) rc = emuStoreWal(p->pStore, pErr);
  if( rc == LEDGER_OK && p->args.bElect ) rc = emuLedgerElect(p, 0, pErr);
  if( rc == LEDGER_OK && p->args.bRecover ) rc = emuLedgerRecover(p, 0, pErr);
  return rc;
}

/* Forgets the ledger in memory. */
static void mainForget(Emu *p) {
  int i;
  emuStoreClose(p->pStore);
  p->pStore = NULL;
  emuKeysFree(p->pKeys);
  ledgerBufFree(&p->pSeen->oid);
  p->pSeen->rUntil = 0;
  memset(p->pLedger, 0, sizeof(*p->pLedger));
  for( i = 0; i < MAIN_NAMES; i++ ) {
    free(*mainName(p, i));
    *mainName(p, i) = NULL;
  }
}

/*
** Opens the ledger. A new one is made under another name and renamed once it is
** complete, so that a start that is cut short (by a long --fill, say) does not
** leave half of one.
*/
static int mainOpen(Emu *p, const char *zData, LedgerError *pErr) {
  char *zNew = NULL, *zJournal = NULL;
  int bNew, rc = emuStoreOpen(zData, &p->pStore, &bNew, pErr);
  if( rc || !bNew ) goto out;
  zNew = ledgerMprintf("%s-new", zData);
  zJournal = ledgerMprintf("%s-new-journal", zData);
  if( zNew == NULL || zJournal == NULL ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  unlink(zJournal);
  rc = emuStoreCreate(zNew, &p->pStore, pErr);
  if( rc ) goto out;
  rc = mainCreate(p, pErr);
  mainForget(p);
  if( rc == LEDGER_OK && rename(zNew, zData) ) {
    rc = ledgerErrorSet(pErr, LEDGER_IOERR, "cannot create %s: %s", zData,
                        ledgerSystemError(errno));
  }
  if( rc ) {
    unlink(zNew);
  } else {
    rc = emuStoreOpen(zData, &p->pStore, &bNew, pErr);
  }
out:
  free(zNew);
  free(zJournal);
  return rc ? rc : mainLoad(p, pErr);
}

/* ---- files ------------------------------------------------------------- */

/* Settles the data file's path and the folder of the certificates. */
static int mainPaths(Main *pMain, char **pzData, LedgerError *pErr) {
  char zReal[PATH_MAX];
  const char *zTmp = getenv("TMPDIR");
  Emu *p = &pMain->emu;
  if( p->args.zData == NULL ) {
    pMain->zTemp = ledgerMprintf("%s/ledger-emulator-XXXXXX",
                                 zTmp && zTmp[0] ? zTmp : "/tmp");
    if( pMain->zTemp == NULL ) return ledgerErrorNomem(pErr);
    if( mkdtemp(pMain->zTemp) == NULL ) {
      int rc = ledgerErrorSet(pErr, LEDGER_IOERR, "cannot create %s: %s",
                              pMain->zTemp, ledgerSystemError(errno));
      free(pMain->zTemp);
      pMain->zTemp = NULL;
      return rc;
    }
    *pzData = ledgerMprintf("%s/ledger.db", pMain->zTemp);
    p->zDir = ledgerStrdup(pMain->zTemp);
  } else {
    *pzData = ledgerStrdup(p->args.zData);
    /* Absolute, since it is printed: a client has another working folder. */
    if( p->args.zData[0] == '/' ) {
      p->zDir = ledgerMprintf("%s.d", p->args.zData);
    } else if( getcwd(zReal, sizeof(zReal)) ) {
      p->zDir = ledgerMprintf("%s/%s.d", zReal, p->args.zData);
    }
  }
  return *pzData && p->zDir ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* Writes the certificates. */
static int mainExport(Emu *p, LedgerError *pErr) {
  if( mkdir(p->zDir, 0700) && errno != EEXIST ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR, "cannot create %s: %s", p->zDir,
                          ledgerSystemError(errno));
  }
  return emuKeysExport(p->pKeys, p->zDir, pErr);
}

/* Removes the temporary ledger. */
static void mainRemoveTemp(Main *p) {
  static const char *const azFile[] = {
      "ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal",
      "ca.pem",    "service.pem",   "admin.pem"};
  size_t i;
  if( p->zTemp == NULL ) return;
  for( i = 0; i < sizeof(azFile) / sizeof(azFile[0]); i++ ) {
    char *z = ledgerMprintf("%s/%s", p->zTemp, azFile[i]);
    if( z ) unlink(z);
    free(z);
  }
  rmdir(p->zTemp);
  free(p->zTemp);
}

/* ---- the line that is printed ------------------------------------------ */

/* Appends "name":"text", with a comma before it unless it is the first. */
LEDGER_PRINTF(3, 4)
static void mainMember(LedgerBuf *pBuf, const char *zName, const char *zFmt,
                       ...) {
  va_list ap;
  char *z;
  va_start(ap, zFmt);
  if( vasprintf(&z, zFmt, ap) < 0 ) z = NULL;
  va_end(ap);
  ledgerBufPrintf(pBuf, "%s\"%s\":", pBuf->z[pBuf->n - 1] == '{' ? "" : ",",
                  zName);
  if( z == NULL ) {
    pBuf->bOom = 1;
  } else {
    ledgerBufJson(pBuf, z, strlen(z));
  }
  free(z);
}

/* Appends text as one word of a shell. */
static void mainQuote(LedgerBuf *pBuf, const char *z) {
  ledgerBufText(pBuf, "'");
  while( *z ) {
    size_t n = strcspn(z, "'");
    ledgerBufAppend(pBuf, z, n);
    z += n;
    if( *z == '\'' ) {
      ledgerBufText(pBuf, "'\\''");
      z++;
    }
  }
  ledgerBufText(pBuf, "'");
}

/* The line of JSON, and the exports. */
static int mainReadyLine(Emu *p, LedgerBuf *pJson, LedgerBuf *pEnv,
                         LedgerError *pErr) {
  LedgerBuf token = {0}, options = {0}, url = {0};
  int iPort = emuServerPort(p->pServer);
  int rc = emuTokenIssue(p, p->zOid, p->zClient, NULL, MAIN_TOKEN_DAYS * 86400L,
                         0, &token, pErr);
  if( rc ) goto out;
  ledgerBufPrintf(&url, "https://%s.localhost:%d", p->zLedgerId, iPort);
  ledgerBufText(pJson, "{");
  ledgerBufText(&options, "{");
  if( url.bOom || pJson->bOom || options.bOom ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  mainMember(pJson, "url", "%s", url.z);
  mainMember(pJson, "ledger_id", "%s", p->zLedgerId);
  mainMember(pJson, "identity_url", "https://identity.localhost:%d", iPort);
  mainMember(pJson, "authority", "https://login.localhost:%d", iPort);
  mainMember(pJson, "ca_file", "%s/ca.pem", p->zDir);
  mainMember(pJson, "service_certificate", "%s/service.pem", p->zDir);
  mainMember(pJson, "tenant_id", "%s", p->zTenant);
  mainMember(pJson, "client_id", "%s", p->zClient);
  mainMember(pJson, "client_secret", "%s", p->zSecret);
  mainMember(pJson, "admin_certificate", "%s/admin.pem", p->zDir);
  mainMember(pJson, "token", "%s", token.z);
  ledgerBufPrintf(pJson, ",\"pid\":%ld}\n", (long)getpid());
  mainMember(&options, "ca_file", "%s/ca.pem", p->zDir);
  mainMember(&options, "identity_url", "https://identity.localhost:%d", iPort);
  mainMember(&options, "credential", "token");
  mainMember(&options, "token", "%s", token.z);
  ledgerBufText(&options, "}");
  ledgerBufPrintf(pEnv, "export LEDGER_URL=%s LEDGER_OPTIONS=", url.z);
  if( !options.bOom ) mainQuote(pEnv, options.z);
  ledgerBufPrintf(pEnv, " LEDGER_EMULATOR_PID=%ld\n", (long)getpid());
  if( pJson->bOom || options.bOom || pEnv->bOom ) rc = ledgerErrorNomem(pErr);

out:
  if( token.z ) OPENSSL_cleanse(token.z, token.n);
  ledgerBufFree(&token);
  ledgerBufFree(&options);
  ledgerBufFree(&url);
  return rc;
}

/* Says that it listens: on stdout, and in --ready-file. */
static int mainReady(Emu *p, LedgerError *pErr) {
  LedgerBuf json = {0}, env = {0};
  int rc = mainReadyLine(p, &json, &env, pErr);
  if( rc == LEDGER_OK && p->args.zReadyFile ) {
    rc = emuFileWrite(p->args.zReadyFile, json.z, json.n, 0600, pErr);
  }
  if( rc == LEDGER_OK ) {
    fputs(p->args.bPrintEnv ? env.z : json.z, stdout);
    fflush(stdout);
  }
  ledgerBufFree(&json);
  ledgerBufFree(&env);
  return rc;
}

/* ---- the background ---------------------------------------------------- */

/* Whether who started it waits for the exports alone. */
static int mainIsForEval(const EmuArgs *p) {
  struct stat st;
  return p->bPrintEnv && fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* Closes what was inherited above stderr, but not fd: a lock of the caller's
** would stay taken, and who reads a pipe of his would wait for its end. */
static void mainLetGo(int fd) {
  const long nMax = sysconf(_SC_OPEN_MAX);
  int i;
  if( (fd == 3 || syscall(SYS_close_range, 3, fd - 1, 0) == 0) &&
      syscall(SYS_close_range, fd + 1, ~0U, 0) == 0 ) {
    return;
  }
  for( i = 3; i < nMax; i++ ) { /* Linux before 5.9, or a seccomp filter */
    if( i != fd ) close(i);
  }
}

/*
** Goes on in a child. The parent gets its pid, and waits until the ledger
** listens: *piExit is then 0, or the status with which it could not start. The
** child gets 0, and in *pfd what it is to close once it listens.
*/
static pid_t mainFork(int *pfd, int *piExit, LedgerError *pErr) {
  int aPipe[2], status = 0;
  char c;
  pid_t pid = -1;
  if( pipe(aPipe) == 0 ) {
    pid = fork();
    if( pid == 0 ) {
      mainLetGo(aPipe[1]); /* nothing of ours is open yet */
      setsid();
      *pfd = aPipe[1];
      return 0;
    }
    close(aPipe[1]);
    if( pid > 0 && read(aPipe[0], &c, 1) == 1 ) {
      *piExit = 0;
    } else if( pid > 0 && waitpid(pid, &status, 0) == pid ) {
      *piExit = WIFEXITED(status) ? WEXITSTATUS(status) : 2;
    }
    close(aPipe[0]);
  }
  if( pid < 0 ) {
    ledgerErrorSet(pErr, LEDGER_IOERR, "cannot go to the background: %s",
                   ledgerSystemError(errno));
  }
  return pid;
}

/* The ledger listens: of who started it stdin, stdout and stderr are let go,
** too. Returns 0 where nobody waits for it: it was interrupted. */
static int mainDetach(int fd) {
  const int fdNull = open("/dev/null", O_RDWR);
  const int bWaited = write(fd, "", 1) == 1;
  int i;
  for( i = 0; i < 3 && fdNull >= 0; i++ ) dup2(fdNull, i);
  if( fdNull > 2 ) close(fdNull);
  close(fd);
  return bWaited;
}

/* ---- start and end ----------------------------------------------------- */

static void mainSignal(evutil_socket_t fd, short what, void *pArg) {
  (void)fd;
  (void)what;
  event_base_loopbreak(pArg);
}

/* Of the messages of libevent, errors are worth a line. */
static void mainEventLog(int eSeverity, const char *zMsg) {
  if( eSeverity >= EVENT_LOG_ERR ) emuWarn("libevent: %s", zMsg);
}

/* The event loop, which SIGTERM and SIGINT break. They are caught before the
** line is printed, since whoever reads it may send one at once. */
static int mainLoop(Main *p, LedgerError *pErr) {
  static const int aSignal[2] = {SIGTERM, SIGINT};
  struct event_base *pBase = event_base_new();
  int i;
  p->emu.pBase = pBase;
  for( i = 0; i < 2 && pBase; i++ ) {
    p->apSignal[i] = evsignal_new(pBase, aSignal[i], mainSignal, pBase);
    if( p->apSignal[i] == NULL || evsignal_add(p->apSignal[i], NULL) ) break;
  }
  return i == 2 ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* Everything up to the running loop. */
static int mainStart(Main *pMain, LedgerError *pErr) {
  static const EmuServerHooks hooks = {emuRoute, emuFaultsConnect};
  Emu *p = &pMain->emu;
  char *zData = NULL;
  int i, rc;
  p->pFaults = emuFaultsNew();
  p->pWarm = emuWarmNew(p->args.nLoading);
  p->pWarmReceipt = emuWarmNew(p->args.nLoading);
  p->pPages = ledgerLruNew(NULL);
  if( p->args.bGateway ) p->pGateway = emuGatewayNew(p);
  if( p->pFaults == NULL || p->pWarm == NULL || p->pWarmReceipt == NULL ||
      p->pPages == NULL || (p->args.bGateway && p->pGateway == NULL) ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  for( i = 0, rc = LEDGER_OK; i < p->args.nFault && rc == LEDGER_OK; i++ ) {
    rc = emuFaultsAdd(p->pFaults, p->args.azFault[i], NULL, pErr);
  }
  if( rc == LEDGER_OK && p->args.zReadyFile ) unlink(p->args.zReadyFile);
  if( rc == LEDGER_OK ) rc = emuAssertionsOpen(p, pErr);
  if( rc == LEDGER_OK ) rc = emuLogOpen(p, pErr);
  if( rc == LEDGER_OK ) rc = mainLoop(pMain, pErr);
  if( rc == LEDGER_OK ) rc = emuServerBind(p, pErr);
  if( rc == LEDGER_OK ) rc = mainPaths(pMain, &zData, pErr);
  if( rc == LEDGER_OK ) rc = mainOpen(p, zData, pErr);
  if( rc == LEDGER_OK ) rc = mainExport(p, pErr);
  p->pLedger->bServing = rc == LEDGER_OK;
  if( rc == LEDGER_OK ) rc = emuServerOpen(p, &hooks, pErr);
  if( rc == LEDGER_OK ) rc = mainReady(p, pErr);
out:
  free(zData);
  return rc;
}

/* Frees everything. An error if what was pending could not be signed. */
static int mainEnd(Main *pMain) {
  Emu *p = &pMain->emu;
  LedgerError err = LEDGER_ERROR_INIT;
  int i, rc = emuLedgerClose(p, &err);
  if( rc ) emuWarn("%s", ledgerErrorText(&err));
  emuSessionsEnd(p);
  ledgerErrorClear(&err);
  emuSandboxClose(p->pSandbox);
  emuServerClose(p);
  emuGatewayFree(p->pGateway);
  for( i = 0; i < 2; i++ ) {
    if( pMain->apSignal[i] ) event_free(pMain->apSignal[i]);
  }
  if( p->pBase ) event_base_free(p->pBase);
  mainForget(p);
  emuWarmFree(p->pWarm);
  emuWarmFree(p->pWarmReceipt);
  ledgerLruFree(p->pPages);
  emuFaultsFree(p->pFaults);
  emuAssertionsFree(p->pAssertions);
  if( p->pLog ) fclose(p->pLog);
  free(p->zDir);
  mainRemoveTemp(pMain);
  free(pMain);
  libevent_global_shutdown();
  return rc;
}

int main(int argc, char **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  Main *pMain = calloc(1, sizeof(*pMain));
  Emu *p;
  int rc, iExit = 0, fdReady = -1;

  if( pMain == NULL ) return 2;
  p = &pMain->emu;
  p->pKeys = &pMain->keys;
  p->pLedger = &pMain->ledger;
  p->pSessions = &pMain->sessions;
  p->pSeen = &pMain->seen;
  signal(SIGPIPE, SIG_IGN);
  event_set_log_callback(mainEventLog);
  rc = emuArgsParse(argc, argv, &p->args, &err);
  if( rc == LEDGER_OK && p->args.bHelp ) {
    emuArgsHelp();
  } else if( rc == LEDGER_OK && p->args.bVersion ) {
    printf("ledger-emulator %s\n", MAIN_VERSION);
  } else if( rc == LEDGER_OK && mainIsForEval(&p->args) &&
             mainFork(&fdReady, &iExit, &err) != 0 ) {
    /* the child is the ledger */
  } else if( rc == LEDGER_OK && mainStart(pMain, &err) == LEDGER_OK ) {
    if( fdReady >= 0 && !mainDetach(fdReady) ) {
      p->bBroken = 1;
    } else if( event_base_dispatch(p->pBase) < 0 ) {
      emuWarn("cannot wait for requests: %s", ledgerSystemError(errno));
      p->bBroken = 1;
    }
    if( p->bBroken ) iExit = 1;
  }
  if( err.rc ) {
    emuWarn("%s", ledgerErrorText(&err));
    iExit = 2;
  }
  ledgerErrorClear(&err);
  if( mainEnd(pMain) && iExit == 0 ) iExit = 1;
  return iExit;
}
