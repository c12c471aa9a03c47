/*
** Names and routes as a test wants them: a library for LD_PRELOAD.
**
** $RESOLVE tells what any name below .example is, with commas between:
** addresses, in the order in which they are given; `sleep=MS`, for which it
** takes that long; `again` and `none`, the two ways of not being resolved.
** 192.0.2.1 and 2001:db8::1 are addresses that never answer. Where
** $RESOLVE_SILENT is 4 or 6, no address of that family does. $RESOLVE_LOG gets
** a line of what was asked, and one once it is answered.
*/
#pragma GCC visibility push(default)
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int Resolve(const char *, const char *, const struct addrinfo *,
                    struct addrinfo **);
typedef int Connect(int, const struct sockaddr *, socklen_t);

int getaddrinfo(const char *zHost, const char *zPort,
                const struct addrinfo *pHint, struct addrinfo **ppInfo);

/* dlsym() gives no function. */
static void *resolveNext(const char *zName) {
  void *p = dlsym(RTLD_NEXT, zName);
  if( p == NULL ) abort();
  return p;
}

static void resolveLog(const char *zWhat, const char *zHost) {
  const char *zFile = getenv("RESOLVE_LOG");
  FILE *p = zFile ? fopen(zFile, "ae") : NULL;
  if( p == NULL ) return;
  fprintf(p, "%s %s\n", zWhat, zHost);
  fclose(p);
}

int getaddrinfo(const char *zHost, const char *zPort,
                const struct addrinfo *pHint, struct addrinfo **ppInfo) {
  static const char zOurs[] = ".example";
  const size_t nOurs = sizeof(zOurs) - 1, n = zHost ? strlen(zHost) : 0;
  const char *zPlan = getenv("RESOLVE");
  struct addrinfo hint, **ppEnd = ppInfo;
  char zCopy[1000], *zRest = zCopy, *zWord;
  Resolve *xNext;
  int rc = 0;
  *(void **)&xNext = resolveNext("getaddrinfo");
  if( zPlan == NULL || n < nOurs || strcmp(zHost + n - nOurs, zOurs) ) {
    return xNext(zHost, zPort, pHint, ppInfo);
  }
  resolveLog("asked", zHost);
  snprintf(zCopy, sizeof(zCopy), "%s", zPlan);
  memset(&hint, 0, sizeof(hint));
  hint.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hint.ai_socktype = SOCK_STREAM;
  *ppInfo = NULL;
  while( rc == 0 && (zWord = strsep(&zRest, ",")) != NULL ) {
    if( strncmp(zWord, "sleep=", 6) == 0 ) {
      long ms = strtol(zWord + 6, NULL, 10);
      for( ; ms > 0; ms -= 10 ) usleep(10000);
    } else if( strcmp(zWord, "again") == 0 ) {
      rc = EAI_AGAIN;
    } else if( strcmp(zWord, "none") == 0 ) {
      rc = EAI_NONAME;
    } else {
      const int eFamily = strchr(zWord, ':') ? AF_INET6 : AF_INET;
      if( pHint && pHint->ai_family && pHint->ai_family != eFamily ) continue;
      rc = xNext(zWord, zPort, &hint, ppEnd);
      if( rc == 0 ) ppEnd = &(*ppEnd)->ai_next;
    }
  }
  if( rc == 0 && *ppInfo == NULL ) rc = EAI_NONAME;
  resolveLog("answered", zHost);
  return rc;
}

/* A socket that takes no connection any more: who connects to it waits, as for
** a host that is off. Of the family; its address in *pAddr. */
static void resolveHole(int eFamily, struct sockaddr_storage *pAddr,
                        socklen_t *pnAddr) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static struct sockaddr_storage aAddr[2];
  static int bMade[2];
  const int i = eFamily == AF_INET6;
  Connect *xConnect;
  *(void **)&xConnect = resolveNext("connect");
  *pnAddr = i ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  pthread_mutex_lock(&mutex);
  if( !bMade[i] ) {
    const int fd = socket(eFamily, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t n = *pnAddr;
    int k;
    aAddr[i].ss_family = (sa_family_t)eFamily;
    if( i ) {
      ((struct sockaddr_in6 *)&aAddr[i])->sin6_addr = in6addr_loopback;
    } else {
      ((struct sockaddr_in *)&aAddr[i])->sin_addr.s_addr =
          htonl(INADDR_LOOPBACK);
    }
    if( fd < 0 || bind(fd, (struct sockaddr *)&aAddr[i], n) || listen(fd, 0) ||
        getsockname(fd, (struct sockaddr *)&aAddr[i], &n) ) {
      abort();
    }
    for( k = 0; k < 3; k++ ) {
      const int fdFill =
          socket(eFamily, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      xConnect(fdFill, (struct sockaddr *)&aAddr[i], n);
    }
    usleep(20000);
    bMade[i] = 1;
  }
  *pAddr = aAddr[i];
  pthread_mutex_unlock(&mutex);
}

/* Whether nobody answers at an address. */
static int resolveSilent(const struct sockaddr *pAddr) {
  const char *zSilent = getenv("RESOLVE_SILENT");
  char z[INET6_ADDRSTRLEN] = "";
  if( pAddr->sa_family == AF_INET ) {
    inet_ntop(AF_INET, &((const struct sockaddr_in *)pAddr)->sin_addr, z,
              sizeof(z));
    return strncmp(z, "192.0.2.", 8) == 0 || (zSilent && *zSilent == '4');
  }
  if( pAddr->sa_family != AF_INET6 ) return 0;
  inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)pAddr)->sin6_addr, z,
            sizeof(z));
  return strncmp(z, "2001:db8:", 9) == 0 || (zSilent && *zSilent == '6');
}

int connect(int fd, const struct sockaddr *pAddr, socklen_t nAddr) {
  struct sockaddr_storage hole;
  Connect *xNext;
  *(void **)&xNext = resolveNext("connect");
  if( !resolveSilent(pAddr) ) return xNext(fd, pAddr, nAddr);
  resolveHole(pAddr->sa_family, &hole, &nAddr);
  return xNext(fd, (struct sockaddr *)&hole, nAddr);
}
