/*
** Another extension in the process, with TLS of its own. Built two ways:
**
**     -DNEIGHBOUR_CURL  with a libcurl, which need not be the module's:
**                       curl_fetch(URL, CA_FILE): the answer's status;
**                       curl_is(): what that libcurl says it is
**     otherwise         with an OpenSSL:
**                       tls_shake(HOST_AND_PORT, CA_FILE): what a handshake
**                       ends with; leaves an error in OpenSSL's queue, as
**                       careless programs do. tls_is(): its OpenSSL's place
**
** An error is a text that begins with `error`.
*/
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1
#ifdef NEIGHBOUR_CURL
#include <curl/curl.h>
#else
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

#pragma GCC visibility push(default)
int sqlite3_extension_init(sqlite3 *db, char **pzErr,
                           const sqlite3_api_routines *pApi);
#pragma GCC visibility pop

#ifdef NEIGHBOUR_CURL
#define NEIGHBOUR_USE "curl_fetch"
#define NEIGHBOUR_IS "curl_is"

static size_t neighbourBody(char *z, size_t nSize, size_t n, void *pArg) {
  (void)z, (void)pArg;
  return nSize * n;
}

static void neighbourUse(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  CURL *p = curl_easy_init();
  CURLcode rc = CURLE_OUT_OF_MEMORY;
  long iStatus = 0;
  char z[80];
  (void)argc;
  if( p ) {
    curl_easy_setopt(p, CURLOPT_URL, sqlite3_value_text(argv[0]));
    curl_easy_setopt(p, CURLOPT_CAINFO, sqlite3_value_text(argv[1]));
    curl_easy_setopt(p, CURLOPT_WRITEFUNCTION, neighbourBody);
    rc = curl_easy_perform(p);
    curl_easy_getinfo(p, CURLINFO_RESPONSE_CODE, &iStatus);
    curl_easy_cleanup(p);
  }
  sqlite3_snprintf(sizeof(z), z, "%s%d", rc ? "error " : "",
                   rc ? (int)rc : (int)iStatus);
  sqlite3_result_text(pCtx, z, -1, SQLITE_TRANSIENT);
}

static void neighbourIs(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  (void)argc, (void)argv;
  sqlite3_result_text(pCtx, curl_version(), -1, SQLITE_TRANSIENT);
}

#else
#define NEIGHBOUR_USE "tls_shake"
#define NEIGHBOUR_IS "tls_is"

static void neighbourUse(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  const char *zTo = (const char *)sqlite3_value_text(argv[0]);
  SSL_CTX *pTls = SSL_CTX_new(TLS_client_method());
  const char *zGot = "error";
  BIO *pBio = NULL;
  SSL *pSsl = NULL;
  (void)argc;
  if( pTls && SSL_CTX_load_verify_locations(
                  pTls, (const char *)sqlite3_value_text(argv[1]), NULL) ) {
    SSL_CTX_set_verify(pTls, SSL_VERIFY_PEER, NULL);
    pBio = BIO_new_ssl_connect(pTls);
  }
  if( pBio && BIO_get_ssl(pBio, &pSsl) == 1 && pSsl ) {
    BIO_set_conn_hostname(pBio, zTo);
    SSL_set_tlsext_host_name(pSsl, "demo.localhost");
    if( BIO_do_connect(pBio) == 1 ) zGot = SSL_get_version(pSsl);
  }
  sqlite3_result_text(pCtx, zGot, -1, SQLITE_TRANSIENT);
  BIO_free_all(pBio);
  SSL_CTX_free(pTls);
  ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
}

static void neighbourIs(sqlite3_context *pCtx, int argc, sqlite3_value **argv) {
  (void)argc, (void)argv;
  sqlite3_result_int64(pCtx, (sqlite3_int64)(size_t)&SSL_CTX_new);
}
#endif

int sqlite3_extension_init(sqlite3 *db, char **pzErr,
                           const sqlite3_api_routines *pApi) {
  int rc;
  (void)pzErr;
  SQLITE_EXTENSION_INIT2(pApi);
  rc = sqlite3_create_function(db, NEIGHBOUR_USE, 2, SQLITE_UTF8, NULL,
                               neighbourUse, NULL, NULL);
  if( rc ) return rc;
  return sqlite3_create_function(db, NEIGHBOUR_IS, 0, SQLITE_UTF8, NULL,
                                 neighbourIs, NULL, NULL);
}
