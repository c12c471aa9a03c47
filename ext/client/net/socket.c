/*
** The sockets that libcurl has open, and whether one of them was closed at its
** other end. Issues no request.
**
** A kept connection may be closed while nothing is asked of it: a node does so
** after 60 s, a front end when it likes. libcurl looks before it uses one
** again, but some releases (7.88 is one) take the close_notify that TLS ends
** with for life. What is then sent is lost, and nobody can tell from outside
** that it never arrived. So what must not be sent twice is not sent into a
** connection on which something waits to be read: no answer can be due there.
*/
#include "client/net/net.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Notes a socket. Where memory is short it is one that isn't looked at. */
void ledgerSocketsAdd(LedgerSockets *p, int fd) {
  if( p->n == p->nAlloc ) {
    int nAlloc = p->nAlloc ? 2 * p->nAlloc : 8;
    int *a = realloc(p->aFd, sizeof(*a) * (size_t)nAlloc);
    if( a == NULL ) return;
    p->aFd = a;
    p->nAlloc = nAlloc;
  }
  p->aFd[p->n++] = fd;
}

void ledgerSocketsRemove(LedgerSockets *p, int fd) {
  int i;
  for( i = 0; i < p->n; i++ ) {
    if( p->aFd[i] == fd ) {
      p->aFd[i] = p->aFd[--p->n];
      return;
    }
  }
}

void ledgerSocketsFree(LedgerSockets *p) {
  free(p->aFd);
  memset(p, 0, sizeof(*p));
}

/* In the place of each stands a socket that leads nowhere. The process was
** forked, and they are still its parent's: a farewell of TLS would be in the
** parent's name, with a key and a number that the parent uses too, and would
** end its connection. */
void ledgerSocketsLetGo(LedgerSockets *p) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int i;
  for( i = 0; i < p->n; i++ ) {
    if( fd < 0 || dup3(fd, p->aFd[i], O_CLOEXEC) < 0 ) close(p->aFd[i]);
  }
  if( fd >= 0 ) close(fd);
}

/* The port of one end of a socket, or -1. */
static int socketPort(int fd,
                      int (*xName)(int, struct sockaddr *, socklen_t *)) {
  struct sockaddr_storage name;
  socklen_t n = sizeof(name);
  if( xName(fd, (struct sockaddr *)&name, &n) ) return -1;
  if( name.ss_family == AF_INET ) {
    return ntohs(((struct sockaddr_in *)&name)->sin_port);
  }
  if( name.ss_family == AF_INET6 ) {
    return ntohs(((struct sockaddr_in6 *)&name)->sin6_port);
  }
  return -1;
}

/* Whether something waits to be read on the connection between these ports, or
** its end. 0 too where it isn't known. */
int ledgerSocketsWait(const LedgerSockets *p, int iLocal, int iRemote) {
  int i;
  for( i = 0; i < p->n; i++ ) {
    struct pollfd one = {p->aFd[i], POLLIN, 0};
    if( socketPort(p->aFd[i], getsockname) == iLocal &&
        socketPort(p->aFd[i], getpeername) == iRemote ) {
      return poll(&one, 1, 0) > 0;
    }
  }
  return 0;
}
