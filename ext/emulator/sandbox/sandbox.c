/*
** Running user-defined functions: one `node` per call, which can do nothing but
** compute.
**
** Serves POST /app/userDefinedFunctions/{id}:execute and the hooks of POST
** /app/transactions. The child is asynchronous to the event loop: a socket
** pair, and timers.
**
** What the child may not do, and what sees to it:
**   files, processes  node's permission model (where its version has it);
**                     RLIMIT_FSIZE 0; the working folder is /
**   network           a network namespace of its own, where the system allows
**                     one; RLIMIT_NOFILE; no globals (runner.c)
**   environment       it is empty
**   time              a timer here kills; RLIMIT_CPU if this process is gone
**   memory            --max-old-space-size, --stack-size, RLIMIT_DATA; an
**                     answer of more than SANDBOX_ANSWER bytes ends it
**   outlive us        the kernel kills it with its parent
**
** Invariants
**   - at most SANDBOX_SLOTS children run; further calls wait in line;
**   - a call's time begins with the line `ready`, so that it does not include
**     the start of node;
**   - between fork and exec only async-signal-safe functions are called.
*/
#include "emulator/sandbox/sandboxInt.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SANDBOX_SLOTS 4
#define SANDBOX_START_S 60             /* until node is ready */
#define SANDBOX_ANSWER (1024 * 1024)   /* bytes of an answer */
#define SANDBOX_DATA (1024L * 1048576) /* node's own needs, in bytes */
#define SANDBOX_FILES 64               /* descriptors node needs to start */
#define SANDBOX_FLAGS 3                /* sets of flags to try */
#define SANDBOX_BAD_FLAG 9             /* status of a node that lacks one */

/* One call. */
typedef struct SandboxRun SandboxRun;
struct SandboxRun {
  Emu *pEmu;
  SandboxRun *pNext;             /* running, or waiting in line */
  LedgerBuf job;                 /* what the runner is given */
  char zFunction[64];            /* of the id, for messages */
  int64_t msTime, nHeap, kStack; /* limits, within bounds */
  int bLog, bReturn; /* exception details: to stderr, to the caller */
  void (*x)(void *, int, const char *, size_t);
  void *pArg;
  pid_t pid; /* 0: not started */
  struct bufferevent *pBuf;
  struct event *pTimer;
  int iFlags; /* the set of flags its node was given */
  int bReady; /* it said so */
  int bGone;  /* its socket closed before that; its status is awaited */
};

struct EmuSandbox {
  SandboxRun *pRunning; /* nRunning of them */
  SandboxRun *pLine;    /* waiting, the first first */
  int nRunning;
  int iFlags;            /* the set of flags to give node */
  struct event *pSignal; /* SIGCHLD */
  struct event *pKick;   /* starts what is in line, from the loop */
  pid_t aDead[64];       /* nDead killed children to wait for */
  int nDead;
};

void emuCallClear(EmuCall *p) {
  ledgerBufFree(&p->id);
  ledgerBufFree(&p->code);
  ledgerBufFree(&p->name);
  ledgerBufFree(&p->arguments);
}

/* The path of node into zOut; 0 when there is none. */
static int sandboxFind(char *zOut) {
  const char *zPath = getenv("PATH");
  struct stat st;
  while( zPath && *zPath ) {
    size_t n = strcspn(zPath, ":");
    if( n && zPath[0] == '/' &&
        (size_t)snprintf(zOut, PATH_MAX, "%.*s/node", (int)n, zPath) <
            PATH_MAX &&
        stat(zOut, &st) == 0 && S_ISREG(st.st_mode) &&
        access(zOut, X_OK) == 0 ) {
      return 1;
    }
    zPath += n + (zPath[n] == ':');
  }
  return 0;
}

int emuSandboxThere(void) {
  char zNode[PATH_MAX];
  return sandboxFind(zNode);
}

/* ---- the child --------------------------------------------------------- */

static void sandboxLimit(int eWhat, rlim_t n) {
  struct rlimit r = {n, n};
  setrlimit(eWhat, &r);
}

/* What the child does between fork and exec: it gives up every right it can.
** The system may refuse a step; the others remain. */
static void sandboxChild(const SandboxRun *p, int fd, const char *zNode,
                         char *const *azArg) {
  static char *const azEnv[] = {NULL};
  sigset_t none;
  int i, fdNull;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  dup2(fd, 0);
  dup2(fd, 1);
  fdNull = open("/dev/null", O_WRONLY);
  if( fdNull >= 0 ) dup2(fdNull, 2);
  if( syscall(SYS_close_range, 3, ~0U, 0) != 0 ) {
    for( i = 3; i < 4096; i++ ) close(i);
  }
  unshare(CLONE_NEWUSER | CLONE_NEWNET);
  sandboxLimit(RLIMIT_CORE, 0);
  sandboxLimit(RLIMIT_FSIZE, 0);
  sandboxLimit(RLIMIT_NOFILE, SANDBOX_FILES);
  sandboxLimit(RLIMIT_CPU, (rlim_t)(p->msTime / 1000 + SANDBOX_START_S));
  sandboxLimit(RLIMIT_DATA, (rlim_t)(p->nHeap + SANDBOX_DATA));
  if( chdir("/") == 0 ) execve(zNode, azArg, azEnv);
  _exit(127);
}

/* Starts node with the iFlags-th set of flags; *pfd is our end. */
static int sandboxFork(SandboxRun *p, int iFlags, int *pfd, LedgerError *pErr) {
  static const char *const azPermission[SANDBOX_FLAGS] = {
      "--permission", "--experimental-permission", "--no-warnings"};
  char zNode[PATH_MAX], zHeap[48], zStack[48];
  const char *azArg[] = {"node",
                         azPermission[iFlags],
                         "--experimental-vm-modules",
                         "--disallow-code-generation-from-strings",
                         "--no-warnings",
                         zHeap,
                         zStack,
                         "-e",
                         zEmuRunner,
                         NULL};
  int aFd[2];
  if( !sandboxFind(zNode) ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR, "there is no node on PATH");
  }
  snprintf(zHeap, sizeof(zHeap), "--max-old-space-size=%lld",
           (long long)(p->nHeap / 1048576));
  snprintf(zStack, sizeof(zStack), "--stack-size=%lld", (long long)p->kStack);
  if( socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, aFd) ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR, "cannot run node: %s",
                          ledgerSystemError(errno));
  }
  p->pid = fork();
  if( p->pid == 0 ) {
    sandboxChild(p, aFd[1], zNode, (char *const *)(uintptr_t)azArg);
  }
  close(aFd[1]);
  if( p->pid < 0 ) {
    close(aFd[0]);
    p->pid = 0;
    return ledgerErrorSet(pErr, LEDGER_IOERR, "cannot run node: %s",
                          ledgerSystemError(errno));
  }
  *pfd = aFd[0];
  return LEDGER_OK;
}

/* ---- ending ------------------------------------------------------------ */

/* Waits for killed children that have ended. */
static void sandboxReap(EmuSandbox *p, int flags) {
  int i, n = 0;
  for( i = 0; i < p->nDead; i++ ) {
    pid_t pid = waitpid(p->aDead[i], NULL, flags);
    if( pid == 0 || (pid < 0 && errno == EINTR) ) p->aDead[n++] = p->aDead[i];
  }
  p->nDead = n;
}

static void sandboxSignal(evutil_socket_t fd, short what, void *pArg) {
  (void)fd;
  (void)what;
  sandboxReap(pArg, WNOHANG);
}

/* Ends the child of a run, whatever it does. */
static void sandboxKill(EmuSandbox *p, SandboxRun *pRun) {
  if( pRun->pBuf ) bufferevent_free(pRun->pBuf); /* closes the socket */
  pRun->pBuf = NULL;
  if( pRun->pTimer ) event_free(pRun->pTimer);
  pRun->pTimer = NULL;
  if( pRun->pid == 0 ) return;
  kill(pRun->pid, SIGKILL);
  if( p->nDead == (int)(sizeof(p->aDead) / sizeof(p->aDead[0])) ) {
    sandboxReap(p, 0); /* they are killed: this is short */
  }
  p->aDead[p->nDead++] = pRun->pid;
  pRun->pid = 0;
  sandboxReap(p, WNOHANG);
}

static void sandboxRunFree(SandboxRun *p) {
  ledgerBufFree(&p->job);
  free(p);
}

static void sandboxNext(Emu *pEmu);

/* The run is over: tells how, and starts the next in line. */
static void sandboxEnd(SandboxRun *pRun, int eEnd, const char *z, size_t n) {
  Emu *pEmu = pRun->pEmu;
  EmuSandbox *p = pEmu->pSandbox;
  SandboxRun **pp = &p->pRunning;
  while( *pp != pRun ) pp = &(*pp)->pNext;
  *pp = pRun->pNext;
  p->nRunning--;
  sandboxKill(p, pRun);
  pRun->x(pRun->pArg, eEnd, z, n);
  sandboxRunFree(pRun);
  sandboxNext(pEmu);
}

LEDGER_PRINTF(3, 4)
static void sandboxEndText(SandboxRun *p, int eEnd, const char *zFmt, ...) {
  va_list ap;
  char *z;
  va_start(ap, zFmt);
  if( vasprintf(&z, zFmt, ap) < 0 ) z = NULL;
  va_end(ap);
  sandboxEnd(p, eEnd, z ? z : "out of memory", strlen(z ? z : "out of memory"));
  free(z);
}

/* ---- the answer -------------------------------------------------------- */

/* What was thrown: its message and, where asked for, where. */
static void sandboxThrown(SandboxRun *p, LedgerJson *pDoc) {
  cJSON *pRoot = ledgerJsonRoot(pDoc);
  LedgerBuf text = {0};
  size_t n, nStack;
  const char *z = ledgerJsonMemberText(pDoc, pRoot, "message", &n);
  const char *zStack = ledgerJsonMemberText(pDoc, pRoot, "stack", &nStack);
  if( z == NULL ) {
    sandboxEndText(p, EMU_CALL_BROKEN, "node gave an answer without a value");
    return;
  }
  if( p->bLog ) {
    emuWarn("function %s: %s", p->zFunction, zStack && nStack ? zStack : z);
  }
  ledgerBufAppend(&text, z, n);
  if( p->bReturn && zStack && nStack ) {
    ledgerBufAppend(&text, "\n", 1);
    ledgerBufAppend(&text, zStack, nStack);
  }
  sandboxEnd(p, EMU_CALL_FAILED, text.z ? text.z : "", text.n);
  ledgerBufFree(&text);
}

/* The line of JSON. */
static void sandboxAnswer(SandboxRun *p, const char *z, size_t n) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  const char *zValue;
  size_t nValue;
  if( ledgerJsonParse(z, n, "answer of node", &pDoc, &err) ) {
    sandboxEndText(p, EMU_CALL_FAILED, "The value cannot be told: %s",
                   ledgerErrorText(&err));
  } else {
    zValue = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "value", &nValue);
    if( zValue ) {
      sandboxEnd(p, EMU_CALL_VALUE, zValue, nValue);
    } else {
      sandboxThrown(p, pDoc);
    }
  }
  ledgerJsonFree(pDoc);
  ledgerErrorClear(&err);
}

/* Sets the time after which the run is killed. */
static int sandboxArm(SandboxRun *p, int64_t ms) {
  struct timeval tv = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
  return evtimer_add(p->pTimer, &tv);
}

static void sandboxStart(SandboxRun *p);

/*
** The child ended before it was ready. If its status says that it does not know
** a flag, the next set of flags is tried. Of several runs that fail with the
** same set, only the first one moves on to the next.
*/
static void sandboxUnready(SandboxRun *p) {
  EmuSandbox *pSandbox = p->pEmu->pSandbox;
  int iStatus = 0;
  if( waitpid(p->pid, &iStatus, WNOHANG) == 0 ) { /* not quite yet */
    p->bGone = 1;
    sandboxArm(p, 2);
    return;
  }
  p->pid = 0;
  if( WIFEXITED(iStatus) && WEXITSTATUS(iStatus) == SANDBOX_BAD_FLAG &&
      p->iFlags + 1 < SANDBOX_FLAGS ) {
    if( p->iFlags == pSandbox->iFlags ) pSandbox->iFlags++;
    sandboxKill(pSandbox, p);
    sandboxStart(p);
  } else {
    sandboxEndText(p, EMU_CALL_BROKEN, "node ended before it was ready");
  }
}

static void sandboxLate(evutil_socket_t fd, short what, void *pArg) {
  SandboxRun *p = pArg;
  (void)fd;
  (void)what;
  if( p->bGone ) {
    sandboxUnready(p);
  } else if( p->bReady ) {
    sandboxEndText(p, EMU_CALL_FAILED, "The function took more than %lld ms",
                   (long long)p->msTime);
  } else {
    sandboxEndText(p, EMU_CALL_BROKEN, "node did not start within %d s",
                   SANDBOX_START_S);
  }
}

static void sandboxRead(struct bufferevent *pBuf, void *pArg) {
  SandboxRun *p = pArg;
  struct evbuffer *pIn = bufferevent_get_input(pBuf);
  size_t n;
  char *z;
  while( (z = evbuffer_readln(pIn, &n, EVBUFFER_EOL_LF)) != NULL ) {
    if( p->bReady ) {
      sandboxAnswer(p, z, n);
      free(z);
      return;
    }
    p->bReady = emuIs(z, n, "ready");
    free(z);
    if( p->bReady ) sandboxArm(p, p->msTime);
  }
  if( evbuffer_get_length(pIn) > SANDBOX_ANSWER ) {
    sandboxEndText(p, EMU_CALL_FAILED, "The value is longer than %d bytes",
                   SANDBOX_ANSWER);
  }
}

/* All of the job is written: no more will come. */
static void sandboxWritten(struct bufferevent *pBuf, void *pArg) {
  (void)pArg;
  shutdown(bufferevent_getfd(pBuf), SHUT_WR);
}

/* The child is gone, or its socket is. */
static void sandboxEvent(struct bufferevent *pBuf, short what, void *pArg) {
  SandboxRun *p = pArg;
  (void)what;
  if( p->bReady ) {
    sandboxEndText(p, EMU_CALL_FAILED,
                   "The function ended its interpreter: it may use %lld bytes",
                   (long long)p->nHeap);
  } else {
    bufferevent_disable(pBuf, EV_READ | EV_WRITE);
    sandboxUnready(p);
  }
}

/* ---- starting ---------------------------------------------------------- */

/* Starts the child of a run that is in the list of those running. */
static void sandboxStart(SandboxRun *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  Emu *pEmu = p->pEmu;
  int fd = -1;
  p->bGone = 0;
  p->iFlags = pEmu->pSandbox->iFlags;
  if( sandboxFork(p, p->iFlags, &fd, &err) ) {
    sandboxEndText(p, EMU_CALL_BROKEN, "%s", ledgerErrorText(&err));
    ledgerErrorClear(&err);
    return;
  }
  evutil_make_socket_nonblocking(fd);
  p->pBuf = bufferevent_socket_new(pEmu->pBase, fd, BEV_OPT_CLOSE_ON_FREE);
  if( p->pBuf == NULL ) close(fd);
  p->pTimer = evtimer_new(pEmu->pBase, sandboxLate, p);
  if( p->pBuf == NULL || p->pTimer == NULL ||
      sandboxArm(p, SANDBOX_START_S * 1000) ||
      bufferevent_write(p->pBuf, p->job.z, p->job.n) ) {
    sandboxEndText(p, EMU_CALL_BROKEN, "out of memory");
    return;
  }
  bufferevent_setcb(p->pBuf, sandboxRead, sandboxWritten, sandboxEvent, p);
  bufferevent_enable(p->pBuf, EV_READ | EV_WRITE);
}

/* Starts what is first in line, if a slot is free. */
static void sandboxNext(Emu *pEmu) {
  EmuSandbox *p = pEmu->pSandbox;
  SandboxRun *pRun = p->pLine;
  struct timeval now = {0, 0};
  if( pRun == NULL || p->nRunning == SANDBOX_SLOTS ) return;
  p->pLine = pRun->pNext;
  pRun->pNext = p->pRunning;
  p->pRunning = pRun;
  p->nRunning++;
  if( p->pLine ) evtimer_add(p->pKick, &now);
  sandboxStart(pRun);
}

static void sandboxKick(evutil_socket_t fd, short what, void *pArg) {
  (void)fd;
  (void)what;
  sandboxNext(pArg);
}

static int sandboxOpen(Emu *pEmu, LedgerError *pErr) {
  EmuSandbox *p = calloc(1, sizeof(*p));
  if( p ) {
    p->pSignal = evsignal_new(pEmu->pBase, SIGCHLD, sandboxSignal, p);
    p->pKick = evtimer_new(pEmu->pBase, sandboxKick, pEmu);
  }
  if( p == NULL || p->pSignal == NULL || p->pKick == NULL ||
      evsignal_add(p->pSignal, NULL) ) {
    emuSandboxClose(p);
    return ledgerErrorNomem(pErr);
  }
  pEmu->pSandbox = p;
  return LEDGER_OK;
}

/* What the runner is given. */
static void sandboxJob(const EmuCall *pCall, LedgerBuf *pJob) {
  ledgerBufText(pJob, "{\"id\":");
  ledgerBufJson(pJob, pCall->id.z ? pCall->id.z : "", pCall->id.n);
  ledgerBufText(pJob, ",\"code\":");
  ledgerBufJson(pJob, pCall->code.z ? pCall->code.z : "", pCall->code.n);
  ledgerBufText(pJob, ",\"name\":");
  ledgerBufJson(pJob, pCall->name.z ? pCall->name.z : "", pCall->name.n);
  ledgerBufText(pJob, ",\"arguments\":");
  ledgerBufText(pJob, pCall->arguments.z ? pCall->arguments.z : "[]");
  ledgerBufText(pJob, "}");
}

/* A limit that can be enforced: the default in place of 0, and in bounds. */
static int64_t sandboxBound(int64_t v, int64_t iDefault, int64_t iMin,
                            int64_t iMax) {
  if( v == 0 ) v = iDefault;
  return v < iMin ? iMin : v > iMax ? iMax : v;
}

int emuSandboxCall(Emu *pEmu, const EmuCall *pCall,
                   void (*x)(void *, int, const char *, size_t), void *pArg,
                   LedgerError *pErr) {
  const EmuRuntime *pLimit = &pCall->runtime;
  struct timeval now = {0, 0};
  SandboxRun *p, **pp;
  if( pEmu->pSandbox == NULL && sandboxOpen(pEmu, pErr) ) return pErr->rc;
  p = calloc(1, sizeof(*p));
  if( p == NULL ) return ledgerErrorNomem(pErr);
  p->pEmu = pEmu;
  p->x = x;
  p->pArg = pArg;
  p->bLog = pLimit->bLog != 0;
  p->bReturn = pLimit->bReturn != 0;
  p->msTime = sandboxBound(pLimit->msTime, 1000, 1, 60000);
  p->nHeap = sandboxBound(pLimit->nHeap, 100 << 20, 16 << 20, 1024L * 1048576);
  p->kStack = sandboxBound(pLimit->nStack, 1 << 20, 64 << 10, 4 << 20) >> 10;
  snprintf(p->zFunction, sizeof(p->zFunction), "%s",
           pCall->id.z ? pCall->id.z : "");
  sandboxJob(pCall, &p->job);
  if( p->job.bOom ) {
    sandboxRunFree(p);
    return ledgerErrorNomem(pErr);
  }
  for( pp = &pEmu->pSandbox->pLine; *pp; pp = &(*pp)->pNext ) {
  }
  *pp = p;
  /* Not from here: x is called later, also if node can't be started. */
  evtimer_add(pEmu->pSandbox->pKick, &now);
  return LEDGER_OK;
}

void emuSandboxClose(EmuSandbox *p) {
  if( p == NULL ) return;
  while( p->pRunning ) {
    SandboxRun *pRun = p->pRunning;
    p->pRunning = pRun->pNext;
    sandboxKill(p, pRun);
    pRun->x(pRun->pArg, EMU_CALL_GONE, "", 0);
    sandboxRunFree(pRun);
  }
  while( p->pLine ) {
    SandboxRun *pRun = p->pLine;
    p->pLine = pRun->pNext;
    pRun->x(pRun->pArg, EMU_CALL_GONE, "", 0);
    sandboxRunFree(pRun);
  }
  sandboxReap(p, 0);
  if( p->pSignal ) event_free(p->pSignal);
  if( p->pKick ) event_free(p->pKick);
  free(p);
}
