/*
** One connection: its number and session, its client's certificate, its end.
**
** Invariant: an EmuConn belongs to the connection's SSL object and lives as
** long as that. A request may outlive its connection, and then has none.
*/
#include "emulator/http/httpInt.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>

#define CONN_RECORD 16384 /* bytes in a TLS record, at most */

static void connFree(void *pParent, void *p, CRYPTO_EX_DATA *pData, int iIndex,
                     long nArg, void *pArg) {
  (void)pParent;
  (void)pData;
  (void)iIndex;
  (void)nArg;
  (void)pArg;
  free(p);
}

/* The slot for it in an SSL object. */
static int connIndex(void) {
  static int iIndex = -1;
  if( iIndex < 0 ) {
    iIndex = SSL_get_ex_new_index(0, NULL, NULL, NULL, connFree);
  }
  return iIndex;
}

int emuConnNew(SSL *pSsl, int64_t n) {
  EmuConn *p = calloc(1, sizeof(*p));
  if( p == NULL || SSL_set_ex_data(pSsl, connIndex(), p) != 1 ) {
    free(p);
    return 0;
  }
  p->n = n;
  return 1;
}

static SSL *connSsl(struct evhttp_request *pHttp) {
  struct evhttp_connection *pConn = evhttp_request_get_connection(pHttp);
  return pConn ? bufferevent_openssl_get_ssl(
                     evhttp_connection_get_bufferevent(pConn))
               : NULL;
}

EmuConn *emuConnOf(struct evhttp_request *pHttp) {
  SSL *pSsl = connSsl(pHttp);
  return pSsl ? SSL_get_ex_data(pSsl, connIndex()) : NULL;
}

int emuConnPeer(struct evhttp_request *pHttp, char *zOut) {
  SSL *pSsl = connSsl(pHttp);
  X509 *pCert = pSsl ? SSL_get0_peer_certificate(pSsl) : NULL;
  return pCert ? emuCertFingerprint(pCert, zOut) : 0;
}

/*
** The answer has left, and libevent is about to look whether the connection
** stays open: the header is too late to be sent, and in time to be seen.
*/
static void connCloseNow(struct evhttp_request *pHttp, void *pArg) {
  (void)pArg;
  evhttp_add_header(evhttp_request_get_output_headers(pHttp), "Connection",
                    "close");
}

/* libevent itself closes a connection without a TLS alert. */
static void connNotify(struct evhttp_request *pHttp, void *pArg) {
  SSL *pSsl = connSsl(pHttp);
  if( pSsl ) SSL_shutdown(pSsl);
  ERR_clear_error();
  connCloseNow(pHttp, pArg);
}

void emuConnClose(struct evhttp_request *pHttp, int eClose) {
  SSL *pSsl = connSsl(pHttp);
  int iOne = 1;
  if( pSsl && eClose == EMU_CLOSE_QUIET ) {
    SSL_set_quiet_shutdown(pSsl, 1);
  } else if( pSsl ) {
    /* The last segment waits for the end of the stream and carries it. */
    setsockopt(SSL_get_fd(pSsl), IPPROTO_TCP, TCP_CORK, &iOne, sizeof(iOne));
  }
  evhttp_request_set_on_complete_cb(
      pHttp, eClose == EMU_CLOSE_NOTIFY ? connNotify : connCloseNow, NULL);
}

/* Takes out the Date, which libevent adds. */
static void connDropDate(struct evbuffer *pOut) {
  struct evbuffer *pHead = evbuffer_new();
  struct evbuffer_ptr at, end;
  at = evbuffer_search(pOut, "\r\nDate: ", 8, NULL);
  end = evbuffer_search(pOut, "\r\n\r\n", 4, NULL);
  if( pHead && at.pos >= 0 && at.pos < end.pos &&
      evbuffer_remove_buffer(pOut, pHead, (size_t)at.pos) >= 0 ) {
    evbuffer_drain(pOut, 2);
    end = evbuffer_search(pOut, "\r\n", 2, NULL);
    evbuffer_drain(pOut, (size_t)end.pos);
    evbuffer_prepend_buffer(pOut, pHead);
  }
  if( pHead ) evbuffer_free(pHead);
}

void emuConnAnswer(struct evhttp_connection *pHttpConn, int bDate) {
  struct evbuffer *pOut =
      bufferevent_get_output(evhttp_connection_get_bufferevent(pHttpConn));
  size_t n;
  if( !bDate ) connDropDate(pOut);
  n = evbuffer_get_length(pOut);
  evbuffer_pullup(pOut, (ev_ssize_t)(n < CONN_RECORD ? n : CONN_RECORD));
}

void emuConnCut(struct evhttp_request *pHttp) {
  SSL *pSsl = connSsl(pHttp);
  if( pSsl ) shutdown(SSL_get_fd(pSsl), SHUT_RDWR);
}
