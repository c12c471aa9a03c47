/*
** What it means that an exchange ended without an answer: the only file that
** knows libcurl's codes. Issues no request.
**
** One table maps each code to a class, whether another attempt makes sense,
** and our words for it. Around it stands what a code alone doesn't say: a
** proxy's refusal, an alert of the server's, headers that are too long.
**
** Invariants
**   - no text of libcurl's or OpenSSL's reaches a user but OpenSSL's names of
**     alerts and of reasons to refuse a certificate: their other texts differ
**     from version to version, and quote a proxy's password;
**   - a code that stands in no row is final: a newer libcurl may use it for
**     what will fail again and again;
**   - whether the request was sent is not a matter of the code
**     (ledgerExchangeLeft).
*/
#include "client/net/net.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILURE_TOO_LARGE 100 /* CURLE_TOO_LARGE */
#define CLOSED "the server closed the connection without an answer"
#define WITHIN "the connection was closed within the answer"

/* What a code of libcurl's means. */
typedef struct Failure Failure;
struct Failure {
  int rc;            /* CURLcode */
  int eClass;        /* LEDGER_FAIL_* */
  int bRetry;        /* another attempt may do better */
  const char *zText; /* or NULL */
};

static const Failure aFailure[] = {
    /* No connection. */
    {CURLE_COULDNT_RESOLVE_PROXY, LEDGER_FAIL_PROXY, 1,
     "the name of the proxy is unknown"},
    {CURLE_COULDNT_RESOLVE_HOST, LEDGER_FAIL_CONNECT, 1, "the name is unknown"},
    {CURLE_COULDNT_CONNECT, LEDGER_FAIL_CONNECT, 1, "there is no connection"},
    {CURLE_OPERATION_TIMEDOUT, LEDGER_FAIL_TIME, 1, "it took too long"},
    {CURLE_INTERFACE_FAILED, LEDGER_FAIL_CONNECT, 1, "there is no connection"},
    {CURLE_NO_CONNECTION_AVAILABLE, LEDGER_FAIL_CONNECT, 1,
     "there is no connection"},
    {CURLE_PROXY, LEDGER_FAIL_PROXY, 1, "the proxy can't be used"},
    {CURLE_QUIC_CONNECT_ERROR, LEDGER_FAIL_CONNECT, 1,
     "there is no connection"},
    /* A connection that broke. */
    {CURLE_PARTIAL_FILE, LEDGER_FAIL_BROKEN, 1, WITHIN},
    {CURLE_GOT_NOTHING, LEDGER_FAIL_BROKEN, 1, CLOSED},
    {CURLE_SEND_ERROR, LEDGER_FAIL_BROKEN, 1, CLOSED},
    {CURLE_RECV_ERROR, LEDGER_FAIL_BROKEN, 1, CLOSED},
    {CURLE_SEND_FAIL_REWIND, LEDGER_FAIL_BROKEN, 1, CLOSED},
    {CURLE_ABORTED_BY_CALLBACK, LEDGER_FAIL_BROKEN, 1, CLOSED},
    {CURLE_AGAIN, LEDGER_FAIL_BROKEN, 1, CLOSED},
    {CURLE_SSL_SHUTDOWN_FAILED, LEDGER_FAIL_BROKEN, 1, CLOSED},
    {99 /* CURLE_UNRECOVERABLE_POLL */, LEDGER_FAIL_BROKEN, 1,
     "the connection can't be waited for"},
    /* An answer that can't be used. */
    {CURLE_UNSUPPORTED_PROTOCOL, LEDGER_FAIL_ANSWER, 0, "it is not HTTP"},
    {CURLE_WEIRD_SERVER_REPLY, LEDGER_FAIL_ANSWER, 0, "it is not HTTP"},
    {CURLE_HTTP2, LEDGER_FAIL_ANSWER, 0, "it is not HTTP/1.1"},
    {CURLE_HTTP2_STREAM, LEDGER_FAIL_ANSWER, 0, "it is not HTTP/1.1"},
    {CURLE_HTTP3, LEDGER_FAIL_ANSWER, 0, "it is not HTTP/1.1"},
    {CURLE_HTTP_RETURNED_ERROR, LEDGER_FAIL_ANSWER, 0, "it is an error"},
    {CURLE_WRITE_ERROR, LEDGER_FAIL_ANSWER, 0, "it is broken off"},
    {CURLE_RANGE_ERROR, LEDGER_FAIL_ANSWER, 0, "it is a part only"},
    {CURLE_TOO_MANY_REDIRECTS, LEDGER_FAIL_ANSWER, 0, "it redirects"},
    {CURLE_BAD_CONTENT_ENCODING, LEDGER_FAIL_ANSWER, 0,
     "its encoding is unknown"},
    {CURLE_FILESIZE_EXCEEDED, LEDGER_FAIL_ANSWER, 0, "it is too long"},
    {CURLE_REMOTE_ACCESS_DENIED, LEDGER_FAIL_ANSWER, 0, "it is a refusal"},
    {CURLE_LOGIN_DENIED, LEDGER_FAIL_ANSWER, 0, "it is a refusal"},
    {CURLE_CHUNK_FAILED, LEDGER_FAIL_ANSWER, 0, "its pieces make no sense"},
    {FAILURE_TOO_LARGE, LEDGER_FAIL_ANSWER, 0, NULL},
    /* TLS. */
    {CURLE_SSL_CONNECT_ERROR, LEDGER_FAIL_TLS, 1, "the TLS handshake failed"},
    {CURLE_USE_SSL_FAILED, LEDGER_FAIL_TLS, 0, "the server speaks no TLS"},
    {CURLE_SSL_CIPHER, LEDGER_FAIL_TLS, 0, "there is no common cipher"},
    {CURLE_SSL_ENGINE_NOTFOUND, LEDGER_FAIL_TLS, 0, "OpenSSL can't be used"},
    {CURLE_SSL_ENGINE_SETFAILED, LEDGER_FAIL_TLS, 0, "OpenSSL can't be used"},
    {CURLE_SSL_ENGINE_INITFAILED, LEDGER_FAIL_TLS, 0, "OpenSSL can't be used"},
    {CURLE_SSL_CRL_BADFILE, LEDGER_FAIL_TLS, 0,
     "the list of revoked certificates can't be read"},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, LEDGER_FAIL_TLS, 0,
     "the server has another key"},
    {CURLE_SSL_INVALIDCERTSTATUS, LEDGER_FAIL_TLS, 0,
     "the status of the server's certificate is wrong"},
    {101 /* CURLE_ECH_REQUIRED */, LEDGER_FAIL_TLS, 0,
     "the server has no encrypted hello"},
    {CURLE_PEER_FAILED_VERIFICATION, LEDGER_FAIL_TRUST, 0,
     "the server's certificate is refused"},
    {CURLE_SSL_ISSUER_ERROR, LEDGER_FAIL_TRUST, 0,
     "the server's certificate is refused"},
    {CURLE_SSL_CERTPROBLEM, LEDGER_FAIL_CERTIFICATE, 0,
     "OpenSSL can't read certificate and key, or they don't belong together"},
    {98 /* CURLE_SSL_CLIENTCERT */, LEDGER_FAIL_REFUSED, 0,
     "the server asks for a client certificate"},
    {CURLE_SSL_CACERT_BADFILE, LEDGER_FAIL_CA_FILE, 0,
     "the CAs to trust can't be read"},
    /* This machine. */
    {CURLE_OUT_OF_MEMORY, LEDGER_FAIL_MEMORY, 0, "out of memory"},
    /* What libcurl can have no reason for. */
    {CURLE_FAILED_INIT, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_URL_MALFORMAT, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_NOT_BUILT_IN, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_UPLOAD_FAILED, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_READ_ERROR, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_HTTP_POST_ERROR, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_BAD_DOWNLOAD_RESUME, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_FUNCTION_NOT_FOUND, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_BAD_FUNCTION_ARGUMENT, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_UNKNOWN_OPTION, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_SETOPT_OPTION_SYNTAX, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_RECURSIVE_API_CALL, LEDGER_FAIL_INTERNAL, 0, NULL},
    {CURLE_AUTH_ERROR, LEDGER_FAIL_INTERNAL, 0, NULL},
};

static const Failure *failureOf(int rc) {
  static const Failure unknown = {-1, LEDGER_FAIL_INTERNAL, 0, NULL};
  size_t i;
  for( i = 0; i < sizeof(aFailure) / sizeof(aFailure[0]); i++ ) {
    if( aFailure[i].rc == rc ) return &aFailure[i];
  }
  return &unknown;
}

/* ---- the proxy ---------------------------------------------------------- */

/* What the environment says about a proxy for https. */
typedef struct FailureProxy FailureProxy;
struct FailureProxy {
  const char *zVariable; /* https_proxy ..., or NULL: there is none */
  int bReadable;
  char zName[140]; /* host:port, without user and password */
};

/* Reads z, a proxy as libcurl takes it, into p. What has an '@' and no user is
** a password with a '/', '?' or '#' in it: a part of it would pass for the
** host. */
static void failureProxyRead(FailureProxy *p, const char *z) {
  static const char *const azScheme[] = {"http",    "https",  "socks4",
                                         "socks4a", "socks5", "socks5h"};
  LedgerUrl url;
  size_t i;

  if( ledgerUrlRead(NULL, z, LEDGER_URL_PROXY, &url) ) return;
  if( url.bUser || strchr(z, '@') == NULL ) {
    for( i = 0; i < sizeof(azScheme) / sizeof(azScheme[0]); i++ ) {
      if( strcmp(azScheme[i], url.zScheme) == 0 ) p->bReadable = 1;
    }
    /* libcurl's own defaults */
    if( !url.bPort && strcmp(url.zScheme, "https") != 0 ) url.iPort = 1080;
    snprintf(p->zName, sizeof(p->zName), "%.130s:%d", url.zHost, url.iPort);
  }
  ledgerUrlClear(&url);
}

/* The proxy that libcurl uses unless no_proxy says otherwise. */
static void failureProxy(FailureProxy *p) {
  static const char *const azName[] = {"https_proxy", "HTTPS_PROXY",
                                       "all_proxy", "ALL_PROXY"};
  size_t i;
  memset(p, 0, sizeof(*p));
  for( i = 0; i < sizeof(azName) / sizeof(azName[0]); i++ ) {
    const char *z = getenv(azName[i]);
    if( z == NULL || z[0] == 0 ) continue;
    p->zVariable = azName[i];
    failureProxyRead(p, z);
    return;
  }
}

/* A failure before the request could be sent, on the way through a proxy: says
** all where it returns 1, else what there is to add, in zMore[nMore]. */
static int failureOfProxy(LedgerExchange *p, char *zMore, size_t nMore) {
  FailureProxy proxy;
  curl_off_t usLookup = 0;
  long iConnect = 0;
  long iVerify = 0;

  if( p->bDirect || p->bReady ) return 0;
  failureProxy(&proxy);
  if( proxy.zVariable == NULL ) return 0;
  curl_easy_getinfo(p->pEasy, CURLINFO_NAMELOOKUP_TIME_T, &usLookup);
  curl_easy_getinfo(p->pEasy, CURLINFO_HTTP_CONNECTCODE, &iConnect);
  curl_easy_getinfo(p->pEasy, CURLINFO_PROXY_SSL_VERIFYRESULT, &iVerify);
  if( !proxy.bReadable && (p->rc == CURLE_COULDNT_RESOLVE_PROXY ||
                           (p->eFail != LEDGER_FAIL_MEMORY && usLookup == 0 &&
                            p->rc != CURLE_COULDNT_RESOLVE_HOST)) ) {
    p->bFinal = 1;
    snprintf(p->zError, sizeof(p->zError), "the proxy in %s can't be read",
             proxy.zVariable);
  } else if( p->rc == CURLE_COULDNT_RESOLVE_PROXY ) {
    snprintf(p->zError, sizeof(p->zError),
             "the name of the proxy %s is unknown", proxy.zName);
  } else if( iConnect >= 300 ) {
    p->iProxyHttp = (int)iConnect;
    p->bFinal = iConnect < 500 && iConnect != 408 && iConnect != 429;
    snprintf(p->zError, sizeof(p->zError), "the proxy %s answers HTTP %ld%s",
             proxy.zName, iConnect,
             iConnect == 407   ? ": it asks for a user and a password"
             : iConnect == 403 ? ": it does not let this through"
                               : "");
  } else if( p->rc == CURLE_PEER_FAILED_VERIFICATION && iConnect == 0 &&
             iVerify != X509_V_OK ) {
    p->bFinal = 1;
    snprintf(p->zError, sizeof(p->zError),
             "the certificate of the proxy %s is refused: %s", proxy.zName,
             ledgerFailureIsName(iVerify)
                 ? "it is for another name"
                 : X509_verify_cert_error_string(iVerify));
  } else if( p->rc == CURLE_PROXY ) {
    snprintf(p->zError, sizeof(p->zError), "the proxy %s can't be used",
             proxy.zName);
  } else if( p->eFail == LEDGER_FAIL_BROKEN ) {
    snprintf(p->zError, sizeof(p->zError), "the proxy %s closed the connection",
             proxy.zName);
  } else if( p->eFail == LEDGER_FAIL_TLS && iConnect > 0 ) {
    snprintf(p->zError, sizeof(p->zError),
             "the connection through the proxy %s was closed, or carries no "
             "TLS",
             proxy.zName);
  } else {
    /* The proxy itself may be out of reach, or no_proxy may have excluded it:
    ** nobody tells. */
    if( proxy.bReadable &&
        (p->eFail == LEDGER_FAIL_CONNECT || p->eFail == LEDGER_FAIL_TIME) ) {
      snprintf(zMore, nMore, "; %s names the proxy %s", proxy.zVariable,
               proxy.zName);
    }
    return 0;
  }
  p->eFail = LEDGER_FAIL_PROXY;
  return 1;
}

/* ---- TLS ---------------------------------------------------------------- */

/* Whether an alert says that a client's certificate is missing, or not taken
** (RFC 8446, 6.2). */
static int failureIsRefusal(int iAlert) {
  switch( iAlert ) {
    case 42: /* bad_certificate */
    case 43: /* unsupported_certificate */
    case 44: /* certificate_revoked */
    case 45: /* certificate_expired */
    case 46: /* certificate_unknown */
    case 48: /* unknown_ca */
    case 49: /* access_denied */
    case 116: /* certificate_required */ return 1;
    default: return 0;
  }
}

/* The server's alert, where one came before any byte of an answer to the first
** request of the connection: in TLS 1.3 the client has sent its request by
** then, and the server hands nothing on. */
static int failureOfAlert(LedgerExchange *p) {
  if( p->iAlert == 0 || p->nHeader > 0 ) return 0;
  if( failureIsRefusal(p->iAlert) && p->bCertificate ) {
    p->eFail = LEDGER_FAIL_REFUSED;
    p->bFinal = 1;
    snprintf(p->zError, sizeof(p->zError),
             "the server refused the client certificate: %s",
             SSL_alert_desc_string_long(p->iAlert));
    return 1;
  }
  if( p->iAlert == 116 ) {
    p->eFail = LEDGER_FAIL_REFUSED;
    p->bFinal = 1;
    snprintf(p->zError, sizeof(p->zError),
             "the server asks for a client certificate");
    return 1;
  }
  if( p->eFail != LEDGER_FAIL_TLS ) return 0;
  snprintf(p->zError, sizeof(p->zError), "the TLS handshake failed: %s",
           SSL_alert_desc_string_long(p->iAlert));
  return 1;
}

int ledgerFailureIsName(long iVerify) {
  return iVerify == X509_V_OK || iVerify == X509_V_ERR_UNSPECIFIED;
}

int ledgerFailureIsDate(long iVerify) {
  return iVerify == X509_V_ERR_CERT_HAS_EXPIRED ||
         iVerify == X509_V_ERR_CERT_NOT_YET_VALID;
}

/* ---- all together ------------------------------------------------------- */

/* Why there is no connection, in a few words; NULL where nobody knows. */
static const char *failureErrno(CURL *pEasy) {
  long iErrno = 0;
  curl_easy_getinfo(pEasy, CURLINFO_OS_ERRNO, &iErrno);
  switch( (int)iErrno ) {
    case ECONNREFUSED: return "the connection was refused";
    case ENETUNREACH:
    case EHOSTUNREACH: return "there is no route to it";
    case ETIMEDOUT: return "it doesn't answer";
    case EACCES:
    case EPERM: return "this machine forbids the connection";
    default: return NULL;
  }
}

/*
** An exchange has ended with p->rc: sets p->eFail, p->bFinal, and the text
** p->zError in place of libcurl's.
*/
void ledgerFailureRead(LedgerExchange *p) {
  const Failure *pFailure = failureOf((int)p->rc);
  const int bNoTls = strstr(p->zError, "wrong version number") != NULL;
  const char *zText = pFailure->zText;
  char zMore[170] = "";

  p->eFail = pFailure->eClass;
  p->bFinal = !pFailure->bRetry;
  if( p->eFail == LEDGER_FAIL_BROKEN && p->nHeader > 0 ) zText = WITHIN;
  /* Before 8.6 libcurl calls a header line that it finds too long a lack of
  ** memory. */
  if( p->bLongHeaders || (int)p->rc == FAILURE_TOO_LARGE ||
      (p->rc == CURLE_OUT_OF_MEMORY && p->nHeader > 0 && p->body.n == 0 &&
       !p->body.bOom) ) {
    p->eFail = LEDGER_FAIL_ANSWER;
    zText = "the headers of the answer are too long";
    p->bLongHeaders = 1;
  }
  if( p->body.bOom ) p->eFail = LEDGER_FAIL_MEMORY;
  if( failureOfProxy(p, zMore, sizeof(zMore)) || failureOfAlert(p) ) return;
  if( p->eFail == LEDGER_FAIL_TIME ) { /* libcurl times connections only */
    snprintf(p->zError, sizeof(p->zError), "no connection within %d ms%s",
             p->msConnect, zMore);
    return;
  }
  if( p->eFail == LEDGER_FAIL_TRUST ) {
    zText = ledgerFailureIsName(p->iVerify)
                ? "it is for another name"
                : X509_verify_cert_error_string(p->iVerify);
  } else if( p->eFail == LEDGER_FAIL_TLS && bNoTls ) {
    zText = "the server speaks no TLS";
  } else if( p->rc == CURLE_COULDNT_CONNECT && failureErrno(p->pEasy) ) {
    zText = failureErrno(p->pEasy);
  }
  p->bNoName = p->rc == CURLE_COULDNT_RESOLVE_HOST && zMore[0] == 0;
  if( zText ) {
    snprintf(p->zError, sizeof(p->zError), "%.80s%s", zText, zMore);
  } else {
    snprintf(p->zError, sizeof(p->zError), "libcurl failed with its code %d",
             (int)p->rc);
  }
}
