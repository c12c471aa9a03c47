/*
** One child process whose output is wanted: az, azd. Started without a shell,
** read without waiting, ended when its time is over or nobody wants it.
**
** Issues no request.
**
** Invariants
**   - works inside any host: no signal handler is set, SIGCHLD is not touched,
**     only this child is waited for. Where the host ignores SIGCHLD, or waits
**     for all children itself, the exit code is lost and the output decides;
**   - no descriptor of the host reaches the child but the three it is given;
**   - the child has a process group of its own and is ended with all of it;
**   - it runs in /bin, so that nothing in the host's working folder is found;
**   - what is kept of its output is bounded: a child whose stdout has more is
**     ended, of stderr the rest is read and dropped;
**   - a step reads a bounded number of bytes, however fast they come.
*/
#include "client/net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESS_FOLDER "/bin"
#define PROCESS_OUT_MAX 65536
#define PROCESS_ERR_MAX 4096
#define PROCESS_STEP_CHUNKS 64 /* read in a step: more than a pipe holds */

struct LedgerProcess {
  pid_t pid;  /* of the child; 0: it is gone */
  int aFd[2]; /* its stdout and stderr; -1: at their end */
  LedgerBuf aBuf[2];
  int bTooMuch; /* stdout was longer than is kept */
  int msLimit;
  int64_t tStart; /* ledgerClockMs() */
  int bOver;      /* its time was over */
  int bStatus;    /* iStatus is known */
  int iStatus;    /* as waitpid() tells it */
  int bDone;
};

/* ---- the end ------------------------------------------------------------ */

/* Looks whether the child has ended. */
static void processReap(LedgerProcess *p, int eHow) {
  int iStatus = 0;
  pid_t pid;
  if( p->pid == 0 ) return;
  do {
    pid = waitpid(p->pid, &iStatus, eHow);
  } while( pid < 0 && errno == EINTR );
  if( pid == 0 ) return;
  if( pid == p->pid ) {
    p->bStatus = 1;
    p->iStatus = iStatus;
  }
  p->pid = 0; /* also where the host, or nobody, has to wait for it */
}

/* Ends the child and its children. */
static void processKill(LedgerProcess *p) {
  processReap(p, WNOHANG);
  if( p->pid == 0 ) return;
  kill(-p->pid, SIGKILL);
  kill(p->pid, SIGKILL); /* before it had a group */
  processReap(p, 0);
}

/* Ends the child where it runs, and frees the process. NULL is allowed. */
void ledgerProcessFree(LedgerProcess *p) {
  int i;
  if( p == NULL ) return;
  processKill(p);
  for( i = 0; i < 2; i++ ) {
    if( p->aFd[i] >= 0 ) close(p->aFd[i]);
    if( p->aBuf[i].z ) OPENSSL_cleanse(p->aBuf[i].z, p->aBuf[i].nAlloc);
    ledgerBufFree(&p->aBuf[i]);
  }
  free(p);
}

/* ---- the start ---------------------------------------------------------- */

/* The file that a command's name means: the first in an absolute folder of
** PATH, in *pzFile. NULL where there is none; the caller frees it. */
int ledgerProcessFind(const char *zName, char **pzFile, LedgerError *pErr) {
  const char *z = getenv("PATH");
  *pzFile = NULL;
  while( z && *z ) {
    const size_t n = strcspn(z, ":");
    char *zFile = NULL;
    struct stat st;
    if( z[0] == '/' ) {
      zFile = ledgerMprintf("%.*s/%s", (int)n, z, zName);
      if( zFile == NULL ) return ledgerErrorNomem(pErr);
    }
    if( zFile && stat(zFile, &st) == 0 && S_ISREG(st.st_mode) &&
        access(zFile, X_OK) == 0 ) {
      *pzFile = zFile;
      return LEDGER_OK;
    }
    free(zFile);
    z += n + (z[n] == ':');
  }
  return LEDGER_OK;
}

/* The environment with AZURE_CORE_NO_COLOR=true, in one block of memory whose
** texts are borrowed. */
static char **processEnviron(void) {
  static char zColor[] = "AZURE_CORE_NO_COLOR=true";
  char **azEnv;
  size_t n = 0;
  while( environ && environ[n] ) n++;
  azEnv = malloc((n + 2) * sizeof(*azEnv));
  if( azEnv == NULL ) return NULL;
  if( n ) memcpy(azEnv, environ, n * sizeof(*azEnv));
  azEnv[n] = zColor;
  azEnv[n + 1] = NULL;
  return azEnv;
}

/* What the child does before it becomes the program. */
static int processActions(posix_spawn_file_actions_t *p, int fdOut, int fdErr) {
  int rc = posix_spawn_file_actions_addopen(p, 0, "/dev/null", O_RDONLY, 0);
  if( rc == 0 ) rc = posix_spawn_file_actions_adddup2(p, fdOut, 1);
  if( rc == 0 ) rc = posix_spawn_file_actions_adddup2(p, fdErr, 2);
  if( rc == 0 ) rc = posix_spawn_file_actions_addchdir_np(p, PROCESS_FOLDER);
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
  if( rc == 0 ) rc = posix_spawn_file_actions_addclosefrom_np(p, 3);
#endif
#endif
  return rc;
}

/* The child's signals and group. */
static int processAttributes(posix_spawnattr_t *p) {
  sigset_t none, normal;
  int rc;
  sigemptyset(&none);
  sigemptyset(&normal);
  sigaddset(&normal, SIGINT);
  sigaddset(&normal, SIGQUIT);
  sigaddset(&normal, SIGTERM);
  sigaddset(&normal, SIGPIPE);
  sigaddset(&normal, SIGCHLD);
  rc = posix_spawnattr_setsigmask(p, &none);
  if( rc == 0 ) rc = posix_spawnattr_setsigdefault(p, &normal);
  if( rc == 0 ) rc = posix_spawnattr_setpgroup(p, 0);
  if( rc == 0 ) {
    rc = posix_spawnattr_setflags(p, POSIX_SPAWN_SETSIGMASK |
                                         POSIX_SPAWN_SETSIGDEF |
                                         POSIX_SPAWN_SETPGROUP);
  }
  return rc;
}

/* Starts the program, with these ends of pipes. Returns an errno. */
static int processSpawn(LedgerProcess *p, const char *const *azArg, int fdOut,
                        int fdErr) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  char **azEnv = processEnviron();
  int rc = posix_spawn_file_actions_init(&actions);

  if( rc == 0 ) {
    rc = posix_spawnattr_init(&attributes);
    if( rc == 0 ) {
      rc = azEnv ? processActions(&actions, fdOut, fdErr) : ENOMEM;
      if( rc == 0 ) rc = processAttributes(&attributes);
      if( rc == 0 ) {
        rc = posix_spawn(&p->pid, azArg[0], &actions, &attributes,
                         (char *const *)(uintptr_t)azArg, azEnv);
      }
      posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  if( rc ) p->pid = 0;
  free(azEnv);
  return rc;
}

/*
** Starts azArg[0], an absolute path, with these arguments; NULL ends them. It
** is ended after msLimit milliseconds. *ppProcess is the caller's.
*/
int ledgerProcessStart(const char *const *azArg, int msLimit,
                       LedgerProcess **ppProcess, LedgerError *pErr) {
  LedgerProcess *p = calloc(1, sizeof(*p));
  int aPipe[2][2] = {{-1, -1}, {-1, -1}};
  int i, rc = 0;

  *ppProcess = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  p->aFd[0] = p->aFd[1] = -1;
  p->msLimit = msLimit;
  p->tStart = ledgerClockMs();
  for( i = 0; i < 2 && rc == 0; i++ ) {
    if( pipe2(aPipe[i], O_CLOEXEC) ) {
      rc = errno;
    } else {
      p->aFd[i] = aPipe[i][0];
      fcntl(p->aFd[i], F_SETFL, O_NONBLOCK);
    }
  }
  if( rc == 0 ) rc = processSpawn(p, azArg, aPipe[0][1], aPipe[1][1]);
  for( i = 0; i < 2; i++ ) {
    if( aPipe[i][1] >= 0 ) close(aPipe[i][1]);
  }
  if( rc == ENOMEM ) {
    ledgerErrorNomem(pErr);
  } else if( rc ) {
    ledgerErrorSet(pErr, LEDGER_AUTH, "cannot run '%.300s': %s", azArg[0],
                   ledgerSystemError(rc));
  }
  if( rc ) {
    ledgerProcessFree(p);
    return pErr->rc;
  }
  *ppProcess = p;
  return LEDGER_OK;
}

/* ---- meanwhile ---------------------------------------------------------- */

/* Reads what is there. */
static void processRead(LedgerProcess *p, int i) {
  const size_t nMax = i == 0 ? PROCESS_OUT_MAX : PROCESS_ERR_MAX;
  char aChunk[4096];
  int nChunk;

  for( nChunk = 0; p->aFd[i] >= 0 && nChunk < PROCESS_STEP_CHUNKS; nChunk++ ) {
    ssize_t n = read(p->aFd[i], aChunk, sizeof(aChunk));
    if( n > 0 ) {
      size_t nRoom = nMax - p->aBuf[i].n;
      if( i == 0 && (size_t)n > nRoom ) p->bTooMuch = 1;
      ledgerBufAppend(&p->aBuf[i], aChunk,
                      (size_t)n < nRoom ? (size_t)n : nRoom);
    } else if( n == 0 || (errno != EAGAIN && errno != EINTR) ) {
      close(p->aFd[i]);
      p->aFd[i] = -1;
    } else if( errno == EAGAIN ) {
      break;
    }
  }
  OPENSSL_cleanse(aChunk, sizeof(aChunk));
}

/* Moves on without waiting. Returns 1 when the process has ended. */
int ledgerProcessStep(LedgerProcess *p) {
  if( p->bDone ) return 1;
  processReap(p, WNOHANG); /* before reading: nothing comes after its end */
  if( p->pid && ledgerClockMs() - p->tStart > p->msLimit ) {
    p->bOver = 1;
    processKill(p);
  }
  processRead(p, 0);
  processRead(p, 1);
  if( p->bTooMuch ) processKill(p); /* its answer is of no use any more */
  p->bDone = p->pid == 0;
  return p->bDone;
}

/* Whether the process ended well; else *pWhy says how it ended. */
int ledgerProcessOk(const LedgerProcess *p, LedgerBuf *pWhy) {
  ledgerBufText(pWhy, "");
  if( p->bOver ) {
    ledgerBufPrintf(pWhy, "it did not end within %d ms", p->msLimit);
  } else if( p->bTooMuch ) {
    ledgerBufPrintf(pWhy, "it wrote more than %d bytes", PROCESS_OUT_MAX);
  } else if( p->bStatus && WIFSIGNALED(p->iStatus) ) {
    ledgerBufPrintf(pWhy, "signal %d ended it", WTERMSIG(p->iStatus));
  } else if( p->bStatus && WEXITSTATUS(p->iStatus) ) {
    ledgerBufPrintf(pWhy, "exit code %d", WEXITSTATUS(p->iStatus));
  }
  return pWhy->n == 0;
}

/* What it wrote on stdout. */
const LedgerBuf *ledgerProcessOut(const LedgerProcess *p) {
  return &p->aBuf[0];
}

/* The beginning of what it wrote on stderr. */
const LedgerBuf *ledgerProcessErr(const LedgerProcess *p) {
  return &p->aBuf[1];
}
