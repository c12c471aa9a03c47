/*
** TLS alerts: what a server says as it breaks a handshake off; and the one end
** of a handshake on this side that libcurl may miss, for want of memory. The
** exchange that makes a connection hears them, as long as it lasts. Issues no
** request.
*/
#include "client/net/net.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>

static int iAlertExData; /* slot of the LedgerListener in an SSL_CTX */

/* Who hears a connection's alerts: the exchange that made the connection. It
** lives as long as the connection's SSL_CTX. */
struct LedgerListener {
  LedgerExchange *pEx; /* or NULL: it is over */
};

static void alertListenerFree(void *pParent, void *pArg, CRYPTO_EX_DATA *pData,
                              int i, long n, void *pMore) {
  LedgerListener *p = pArg;
  (void)pParent, (void)pData, (void)i, (void)n, (void)pMore;
  if( p == NULL ) return;
  if( p->pEx ) p->pEx->pListener = NULL;
  free(p);
}

static void alertInit(void) {
  iAlertExData = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL,
                                         NULL, alertListenerFree);
}

/* Called by OpenSSL for what goes on in a connection. The low byte of a fatal
** alert is its number; close_notify is not. */
static void alertHear(const SSL *pSsl, int eWhere, int i) {
  const int iAlert =
      eWhere == SSL_CB_READ_ALERT && i >> 8 == SSL3_AL_FATAL ? i & 0xff : 0;
  const int bNoMemory =
      eWhere == SSL_CB_CONNECT_EXIT && i <= 0 &&
      ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE;
  const LedgerListener *p;
  if( !iAlert && !bNoMemory ) return;
  p = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(pSsl), iAlertExData);
  if( p == NULL || p->pEx == NULL ) return;
  if( iAlert ) p->pEx->iAlert = iAlert;
  if( bNoMemory ) p->pEx->bNoMemory = 1;
}

/* Lets the exchange hear the alerts of the connection that it makes, whose
** SSL_CTX pCtx is. Returns 0 when memory is short. */
int ledgerAlertListen(void *pCtx, LedgerExchange *pEx) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  LedgerListener *p = calloc(1, sizeof(*p));
  pthread_once(&once, alertInit);
  if( p == NULL ) return 0;
  if( iAlertExData < 0 || SSL_CTX_set_ex_data(pCtx, iAlertExData, p) != 1 ) {
    free(p);
    return 0;
  }
  ledgerAlertLetGo(pEx); /* of a connection that failed */
  p->pEx = pEx;
  pEx->pListener = p;
  SSL_CTX_set_info_callback(pCtx, alertHear);
  return 1;
}

/* The exchange is over: it hears no alert any more. */
void ledgerAlertLetGo(LedgerExchange *pEx) {
  if( pEx->pListener ) pEx->pListener->pEx = NULL;
  pEx->pListener = NULL;
}
