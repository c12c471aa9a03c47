/*
** What a module owes the process that it is a guest in: nothing process-wide is
** touched, and nothing of ours is left behind.
**
** With CURLOPT_NOSIGNAL libcurl leaves SIGPIPE alone, and before 7.87 OpenSSL
** then writes to a closed socket with write(): the host would die. So SIGPIPE
** is blocked in this thread meanwhile, and one that came is taken away.
**
** What OpenSSL puts into this thread's queue of errors the host's own TLS would
** take for its own: the queue is left empty. libcurl empties it too when it
** begins, so that what the host had there can't be kept.
*/
#include "client/net/net.h"

#include <openssl/err.h>
#include <pthread.h>
#include <time.h>

void ledgerGuestEnter(LedgerGuest *p) {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigpending(&pipe);
  p->bPending = sigismember(&pipe, SIGPIPE) == 1;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &p->old);
}

void ledgerGuestLeave(LedgerGuest *p) {
  static const struct timespec zero = {0, 0};
  sigset_t pipe;
  if( !p->bPending ) {
    sigemptyset(&pipe);
    sigpending(&pipe);
    if( sigismember(&pipe, SIGPIPE) == 1 ) {
      sigemptyset(&pipe);
      sigaddset(&pipe, SIGPIPE);
      sigtimedwait(&pipe, NULL, &zero);
    }
  }
  pthread_sigmask(SIG_SETMASK, &p->old, NULL);
  ERR_clear_error();
}
