/*
** A fuzz target of requests to the emulator, from their first byte on: what
** libevent takes for a request is taken apart, routed and answered, as the
** administrator's where its first byte says so. Memory is safe, and no request
** makes the emulator end.
**
** libFuzzer: -detect_leaks=0 -max_len=2000
*/
#include "emulator.h"

#include "emulator/http/httpInt.h"

#include <event2/http.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int requestPort;
static int requestAsAdmin; /* who asks was found out already */

static void requestTake(struct evhttp_request *pHttp, void *pArg) {
  Main *pMain = pArg;
  EmuReq *p = emuReqNew(&pMain->emu, pHttp);
  fuzzCheck(p != NULL, "out of memory");
  if( requestAsAdmin ) {
    ledgerBufText(&p->user, pMain->emu.zOid);
    ledgerBufText(&p->roles, "Administrator");
    p->bProved = 1;
  }
  emuRoute(p);
}

/* The emulator with a few entries, and another port on which it answers without
** TLS. No function of a user runs: there is no node on its PATH. */
static Main *requestStart(void) {
  static char *azArg[] = {"ledger-emulator", "--data",    "request.db",
                          "--fill",          "30,2,20,1", "--gateway",
                          "--lenient"};
  LedgerError err = LEDGER_ERROR_INIT;
  Main *p = emulatorNew(sizeof(azArg) / sizeof(azArg[0]), azArg);
  struct evhttp *pHttp;
  struct evhttp_bound_socket *pBound;
  struct sockaddr_in name = {.sin_family = AF_INET};
  socklen_t n = sizeof(name);
  unlink("request.db");
  unlink("request.db-wal");
  unlink("request.db-shm");
  fuzzCheck(setenv("PATH", "/nowhere", 1) == 0 &&
                freopen("/dev/null", "w", stdout) != NULL &&
                mainStart(p, &err) == LEDGER_OK,
            "the emulator does not start");
  pHttp = evhttp_new(p->emu.pBase);
  evhttp_set_gencb(pHttp, requestTake, p);
  evhttp_set_allowed_methods(pHttp, 0xffff);
  pBound = evhttp_bind_socket_with_handle(pHttp, "127.0.0.1", 0);
  fuzzCheck(pBound && getsockname(evhttp_bound_socket_get_fd(pBound),
                                  (struct sockaddr *)&name, &n) == 0,
            "no port");
  requestPort = ntohs(name.sin_port);
  return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static Main *pMain;
  struct sockaddr_in name = {.sin_family = AF_INET};
  struct linger linger = {1, 0};
  char zAnswer[4096];
  int fd, i, m, bEnd = 0;
  if( pMain == NULL ) pMain = requestStart();
  m = fuzzByte(&aData, &nData);
  requestAsAdmin = m & 1;
  fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  name.sin_port = htons((uint16_t)requestPort);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fuzzCheck(fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0,
            "no connection");
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
  fuzzCheck(nData == 0 || send(fd, aData, nData, MSG_NOSIGNAL) > 0, "not sent");
  /* One in eight ends in order. The others are reset, and leave no port that
  ** waits. */
  if( m % 8 == 7 ) shutdown(fd, SHUT_WR);
  for( i = 0; i < 12 && !bEnd; i++ ) {
    ssize_t n;
    event_base_loop(pMain->emu.pBase, EVLOOP_NONBLOCK);
    while( (n = recv(fd, zAnswer, sizeof(zAnswer), MSG_DONTWAIT)) > 0 ) {
    }
    bEnd = n == 0;
  }
  close(fd);
  event_base_loop(pMain->emu.pBase, EVLOOP_NONBLOCK);
  fuzzCheck(!pMain->emu.bBroken, "the emulator ends");
  return 0;
}
