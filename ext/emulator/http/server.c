/*
** TLS and HTTP: one port, libevent's evhttp over bufferevent_openssl.
**
** No route; requests go where main says. SNI chooses the certificate: that of
** the web (signed by the CA) for identity, login and gateway.localhost, the
** node's (signed by the service) for every other name or none. A fault may put
** a wrong one in its place. A client certificate is asked for, and accepted
** whoever issued it: what counts is its fingerprint (auth/auth.c).
**
** Invariants
**   - TLS sessions are not resumed, so each connection shows its certificate;
**   - TCP_NODELAY is on: an answer never waits for an ACK;
**   - more than 16 KB or 256 of headers is 431, a body above 1 MB is 413, and
**     then the connection is closed, which no header announces. (libevent's own
**     limits are higher; it answers 413 in HTML.)
*/
#include "emulator/http/httpInt.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_HEADER (16 * 1024)         /* bytes of all headers */
#define SERVER_HEADERS 256                /* headers */
#define SERVER_BODY (1024 * 1024)         /* bytes of a body */
#define SERVER_BODY_MAX (8 * 1024 * 1024) /* libevent's limit */
#define SERVER_REST_US 100000             /* after an accept() that failed */

struct EmuServer {
  Emu *pEmu;
  const EmuServerHooks *pHooks;
  struct evhttp *pHttp;
  SSL_CTX *pNode; /* for the ledger */
  SSL_CTX *pWeb;  /* for identity service and authority */
  int64_t nConn;  /* connections so far */
  int fd;         /* the bound socket until it is the listener's, else -1 */
  int iPort;
};

/* ---- TLS --------------------------------------------------------------- */

/* Any client certificate will do. */
static int serverAnyCert(X509_STORE_CTX *pCtx, void *pArg) {
  (void)pArg;
  X509_STORE_CTX_set_error(pCtx, X509_V_OK);
  return 1;
}

/* The protocol is HTTP/1.1, whether a client asks for it or not. */
static int serverAlpn(SSL *pSsl, const unsigned char **paOut,
                      unsigned char *pnOut, const unsigned char *aIn,
                      unsigned nIn, void *pArg) {
  static const unsigned char aHttp[] = "\x08http/1.1";
  unsigned char *a = NULL;
  (void)pSsl;
  (void)pArg;
  if( SSL_select_next_proto(&a, pnOut, aHttp, sizeof(aHttp) - 1, aIn, nIn) !=
      OPENSSL_NPN_NEGOTIATED ) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *paOut = a;
  return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *serverTls(EVP_PKEY *pKey, X509 *pCert) {
  SSL_CTX *p = SSL_CTX_new(TLS_server_method());
  if( p == NULL ) return NULL;
  SSL_CTX_set_min_proto_version(p, TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(p, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(p, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(p, 0);
  SSL_CTX_set_mode(p, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(p, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_cert_verify_callback(p, serverAnyCert, NULL);
  SSL_CTX_set_alpn_select_cb(p, serverAlpn, NULL);
  if( SSL_CTX_use_certificate(p, pCert) != 1 ||
      SSL_CTX_use_PrivateKey(p, pKey) != 1 ) {
    ERR_clear_error();
    SSL_CTX_free(p);
    p = NULL;
  }
  return p;
}

/* Gives the connection a certificate that is wrong, as the fault says. */
static void serverWrong(EmuServer *p, SSL *pSsl, const char *zHow) {
  LedgerError err = LEDGER_ERROR_INIT;
  EVP_PKEY *pKey = NULL;
  X509 *pCert = NULL;
  SSL_CTX *pCtx = NULL;
  if( emuKeysWrong(p->pEmu->pKeys, p->pEmu->zLedgerId, zHow, &pCert, &pKey,
                   &err) == LEDGER_OK ) {
    pCtx = serverTls(pKey, pCert);
  }
  if( pCtx ) {
    SSL_set_SSL_CTX(pSsl, pCtx);
  } else {
    emuWarn("no certificate for a fault: %s", ledgerErrorText(&err));
  }
  SSL_CTX_free(pCtx); /* the connection holds on to it */
  EVP_PKEY_free(pKey);
  X509_free(pCert);
  ledgerErrorClear(&err);
}

static int serverSni(SSL *pSsl, int *piAlert, void *pArg) {
  EmuServer *p = pArg;
  const char *z = SSL_get_servername(pSsl, TLSEXT_NAMETYPE_host_name);
  const char *zWrong;
  (void)piAlert;
  if( z && (ledgerStricmp(z, "identity.localhost") == 0 ||
            ledgerStricmp(z, "login.localhost") == 0 ||
            ledgerStricmp(z, "gateway.localhost") == 0) ) {
    SSL_set_SSL_CTX(pSsl, p->pWeb);
  } else if( (zWrong = p->pHooks->xWrong(p->pEmu)) != NULL ) {
    serverWrong(p, pSsl, zWrong);
  }
  return SSL_TLSEXT_ERR_OK;
}

static int bServerRests; /* it is told that none is accepted */

static void serverListen(evutil_socket_t fd, short what, void *pArg) {
  (void)fd;
  (void)what;
  evconnlistener_enable(pArg);
}

/* No connection can be accepted (too many open files): those that wait go on
** waiting, and nothing spins meanwhile. */
static void serverRest(struct evconnlistener *pListener, void *pArg) {
  struct timeval tv = {0, SERVER_REST_US};
  int iErrno = errno;
  (void)pArg;
  if( !bServerRests ) {
    emuWarn("cannot accept connections: %s", ledgerSystemError(iErrno));
  }
  bServerRests = 1;
  if( event_base_once(evconnlistener_get_base(pListener), -1, EV_TIMEOUT,
                      serverListen, pListener, &tv) == 0 ) {
    evconnlistener_disable(pListener);
  }
}

/* Makes the buffer of a new connection. */
static struct bufferevent *serverAccept(struct event_base *pBase, void *pArg) {
  EmuServer *p = pArg;
  SSL *pSsl = SSL_new(p->pNode);
  struct bufferevent *pBuf;
  bServerRests = 0;
  if( pSsl == NULL || !emuConnNew(pSsl, ++p->nConn) ) {
    SSL_free(pSsl);
    return NULL;
  }
  /* It frees pSsl when it fails. */
  pBuf = bufferevent_openssl_socket_new(
      pBase, -1, pSsl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
  if( pBuf ) bufferevent_openssl_set_allow_dirty_shutdown(pBuf, 1);
  return pBuf;
}

/* ---- requests ---------------------------------------------------------- */

/* Answers 431 or 413 if the request is too large. Returns 1 when it did. */
static int serverTooLarge(EmuReq *p) {
  struct evkeyvalq *pHeaders = evhttp_request_get_input_headers(p->pHttp);
  struct evkeyval *pHeader;
  size_t nByte = 0;
  int nHeader = 0;
  for( pHeader = pHeaders->tqh_first; pHeader;
       pHeader = pHeader->next.tqe_next ) {
    nByte += strlen(pHeader->key) + strlen(pHeader->value) + 4;
    nHeader++;
  }
  if( nByte > SERVER_HEADER || nHeader > SERVER_HEADERS ) {
    emuReqError(p, 431, "RequestHeaderTooLarge",
                "The headers exceed %d bytes or %d headers.", SERVER_HEADER,
                SERVER_HEADERS);
  } else if( p->nBody > SERVER_BODY ) {
    emuReqError(p, 413, "RequestBodyTooLarge",
                "The body of %lld bytes exceeds %d bytes.", (long long)p->nBody,
                SERVER_BODY);
  } else {
    return 0;
  }
  p->eClose = EMU_CLOSE_QUIET;
  return 1;
}

static void serverRequest(struct evhttp_request *pHttp, void *pArg) {
  EmuServer *p = pArg;
  struct evhttp_connection *pConn = evhttp_request_get_connection(pHttp);
  EmuReq *pReq;
  if( pConn ) {
    int iOne = 1;
    setsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(pConn)),
               IPPROTO_TCP, TCP_NODELAY, &iOne, sizeof(iOne));
  }
  pReq = emuReqNew(p->pEmu, pHttp);
  if( pReq == NULL ) {
    evhttp_send_error(pHttp, 500, NULL);
    return;
  }
  if( serverTooLarge(pReq) ) {
    emuReqSend(pReq);
    return;
  }
  p->pHooks->xRequest(pReq);
}

/* ---- opening and closing ----------------------------------------------- */

/*
** A bound socket for HOST:PORT, HOST being a numeric address ([...] for
** IPv6); or -1 with an error. Connections inherit its options, so these hold
** from their first byte on.
*/
static int serverBind(const char *zListen, LedgerError *pErr) {
  const char *zColon = strrchr(zListen, ':');
  struct addrinfo hints, *pInfo = NULL;
  char *zHost = NULL;
  int64_t iPort;
  int fd = -1, iOne = 1, bBad = 1;
  if( zColon && emuNumber(zColon + 1, strlen(zColon + 1), 65535, &iPort) ) {
    size_t n = (size_t)(zColon - zListen);
    int bSix = n > 2 && zListen[0] == '[' && zListen[n - 1] == ']';
    zHost = ledgerStrndup(zListen + bSix, n - 2 * (size_t)bSix);
    memset(&hints, 0, sizeof(hints));
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    if( zHost && zHost[0] ) {
      bBad = getaddrinfo(zHost, zColon + 1, &hints, &pInfo) != 0;
    }
  }
  if( bBad ) {
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "--listen: '%s' is not ADDRESS:PORT, such as 127.0.0.1:8443",
                   zListen);
    goto out;
  }
  fd = socket(pInfo->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if( fd >= 0 ) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &iOne, sizeof(iOne));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &iOne, sizeof(iOne));
  }
  if( fd < 0 || bind(fd, pInfo->ai_addr, pInfo->ai_addrlen) ) {
    ledgerErrorSet(pErr, LEDGER_IOERR, "cannot listen on %s: %s", zListen,
                   ledgerSystemError(errno));
    if( fd >= 0 ) close(fd);
    fd = -1;
  }
out:
  if( pInfo ) freeaddrinfo(pInfo);
  free(zHost);
  return fd;
}

/* The port a socket is bound to. */
static int serverPortOf(int fd) {
  union {
    struct sockaddr base;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
  } addr;
  socklen_t n = sizeof(addr);
  memset(&addr, 0, sizeof(addr));
  if( getsockname(fd, &addr.base, &n) ) return 0;
  return ntohs(addr.base.sa_family == AF_INET6 ? addr.six.sin6_port
                                               : addr.four.sin_port);
}

int emuServerBind(Emu *pEmu, LedgerError *pErr) {
  EmuServer *p = calloc(1, sizeof(*p));
  if( p == NULL ) return ledgerErrorNomem(pErr);
  pEmu->pServer = p;
  p->pEmu = pEmu;
  p->fd = serverBind(pEmu->args.zListen, pErr);
  if( p->fd < 0 ) return pErr->rc;
  p->iPort = serverPortOf(p->fd);
  return LEDGER_OK;
}

/* New connections get the node's key and certificate of now. */
static int serverRenew(EmuServer *p, LedgerError *pErr) {
  SSL_CTX *pNode = serverTls(p->pEmu->pKeys->pNode, p->pEmu->pKeys->pNodeCert);
  if( pNode == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR, "cannot set up TLS");
  }
  SSL_CTX_set_tlsext_servername_callback(pNode, serverSni);
  SSL_CTX_set_tlsext_servername_arg(pNode, p);
  SSL_CTX_free(p->pNode); /* connections hold on to theirs */
  p->pNode = pNode;
  return LEDGER_OK;
}

/* After an election there is another node, and another view. */
static int serverElected(Emu *p, int eSessions, LedgerError *pErr) {
  emuSessionsChange(p, eSessions);
  return serverRenew(p->pServer, pErr);
}

int emuServerOpen(Emu *pEmu, const EmuServerHooks *pHooks, LedgerError *pErr) {
  EmuServer *p = pEmu->pServer;
  struct evconnlistener *pListener;
  struct timeval idle = {pEmu->args.msIdle / 1000,
                         pEmu->args.msIdle % 1000 * 1000};

  p->pHooks = pHooks;
  pEmu->pLedger->xElected = serverElected;
  if( serverRenew(p, pErr) ) return pErr->rc;
  p->pWeb = serverTls(pEmu->pKeys->pWeb, pEmu->pKeys->pWebCert);
  p->pHttp = evhttp_new(pEmu->pBase);
  if( p->pWeb == NULL || p->pHttp == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR, "cannot set up TLS");
  }
  evhttp_set_bevcb(p->pHttp, serverAccept, p);
  evhttp_set_gencb(p->pHttp, serverRequest, p);
  evhttp_set_default_content_type(p->pHttp, NULL);
  evhttp_set_timeout_tv(p->pHttp, &idle);
  evhttp_set_max_headers_size(p->pHttp, 4 * SERVER_HEADER);
  evhttp_set_max_body_size(p->pHttp, SERVER_BODY_MAX);
  evhttp_set_allowed_methods(
      p->pHttp, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
                    EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
  if( listen(p->fd, 1024) ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR, "cannot listen on %s: %s",
                          pEmu->args.zListen, ledgerSystemError(errno));
  }
  pListener = evconnlistener_new(pEmu->pBase, NULL, NULL,
                                 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
                                 0, p->fd);
  if( pListener == NULL ) return ledgerErrorNomem(pErr);
  p->fd = -1; /* the listener's */
  evconnlistener_set_error_cb(pListener, serverRest);
  if( evhttp_bind_listener(p->pHttp, pListener) == NULL ) {
    evconnlistener_free(pListener);
    return ledgerErrorNomem(pErr);
  }
  return LEDGER_OK;
}

void emuServerClose(Emu *pEmu) {
  EmuServer *p = pEmu->pServer;
  if( p == NULL ) return;
  while( pEmu->pReqs ) {
    EmuReq *pReq = pEmu->pReqs;
    /* One whose client is gone belongs to us alone. */
    if( evhttp_request_get_connection(pReq->pHttp) == NULL ) {
      evhttp_request_free(pReq->pHttp);
    }
    emuReqFree(pReq);
  }
  if( p->pHttp ) evhttp_free(p->pHttp);
  if( p->fd >= 0 ) close(p->fd);
  SSL_CTX_free(p->pNode);
  SSL_CTX_free(p->pWeb);
  free(p);
}

int emuServerPort(const EmuServer *p) {
  return p->iPort;
}
