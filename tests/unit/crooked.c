/*
** A TLS server that answers what it is told, for answers that no ledger gives.
** tests/harness/crooked.tcl starts it.
**
**     build/unit/crooked FOLDER PEM [CLIENT_CA [tls1.2 | late]]
**
** PEM holds its certificate and key. It listens on a free port of 127.0.0.1,
** which it writes to FOLDER/port. With CLIENT_CA it asks for a client
** certificate, and refuses one that this CA didn't sign, in TLS 1.3 unless 1.2
** is said: the client has sent its request by then. `late` is TLS 1.2 in which
** nobody is asked at first: see the word ask.
**
** Of the files FOLDER/answer.*, in the order of their names, the one whose
** first line fits "METHOD TARGET" (fnmatch) is the answer. Its second line
** holds words, and the bytes behind it are sent as they are, but @BEARER@ is
** the token that came:
**
**     keep    the connection stays open (else it is closed, with close_notify)
**     cut     it is closed without close_notify
**     ask     before the answer a client certificate is asked for, in a new
**             handshake; where that fails the alert is all that is sent
**
** FOLDER/requests gets the line "METHOD TARGET" of each request.
*/
#include <fnmatch.h>
#include <glob.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CROOKED_MAX 1048576 /* bytes of a request, or of an answer's file */

static const char *zFolder;

/* Reads FOLDER/... into a[CROOKED_MAX]; returns its length, or 0. */
static size_t crookedRead(const char *zFile, char *a) {
  FILE *f = fopen(zFile, "rb");
  size_t n = f ? fread(a, 1, CROOKED_MAX - 1, f) : 0;
  if( f ) fclose(f);
  a[n] = 0;
  return n;
}

/* Writes all bytes; 0 where the client is gone. */
static int crookedWrite(SSL *pSsl, const char *a, size_t n) {
  while( n > 0 ) {
    int k = SSL_write(pSsl, a, n > 16384 ? 16384 : (int)n);
    if( k <= 0 ) return 0;
    a += k;
    n -= (size_t)k;
  }
  return 1;
}

/* Writes an answer, with the bearer where its mark stands. */
static int crookedSend(SSL *pSsl, const char *a, size_t n, const char *zBearer,
                       size_t nBearer) {
  static const char zMark[] = "@BEARER@";
  const size_t nMark = sizeof(zMark) - 1;
  while( n > 0 ) {
    const char *zAt = memmem(a, n, zMark, nMark);
    size_t k = zAt ? (size_t)(zAt - a) : n;
    if( !crookedWrite(pSsl, a, k) ) return 0;
    a += k;
    n -= k;
    if( zAt == NULL ) break;
    if( !crookedWrite(pSsl, zBearer, nBearer) ) return 0;
    a += nMark;
    n -= nMark;
  }
  return 1;
}

/* Asks for a client certificate now; 0 where there is none that will do. */
static int crookedAsk(SSL *pSsl) {
  char c;
  int k;
  SSL_set_verify(pSsl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_clear_mode(pSsl, SSL_MODE_AUTO_RETRY); /* back behind the handshake */
  if( SSL_renegotiate(pSsl) != 1 || SSL_do_handshake(pSsl) != 1 ) return 0;
  k = SSL_peek(pSsl, &c, 1);
  return SSL_get_error(pSsl, k) == SSL_ERROR_WANT_READ;
}

/* Answers the request of the header zHead. Returns whether the connection is
** kept; *pbCut says how it ends else. */
static int crookedAnswer(SSL *pSsl, const char *zHead, int *pbCut) {
  static char a[CROOKED_MAX];
  const char *zBearer = strstr(zHead, "Authorization: Bearer ");
  size_t nLine = strcspn(zHead, "\r\n"), i, n, iWords, iBody;
  char zLine[4096], zName[4096];
  int bKeep = 0;
  FILE *f;
  glob_t all;

  *pbCut = 1;
  if( nLine >= sizeof(zLine) || nLine < 9 ) return 0;
  memcpy(zLine, zHead, nLine - 9); /* without " HTTP/1.1" */
  zLine[nLine - 9] = 0;
  snprintf(zName, sizeof(zName), "%s/requests", zFolder);
  f = fopen(zName, "a");
  if( f ) {
    fprintf(f, "%s\n", zLine);
    fclose(f);
  }
  if( zBearer ) zBearer += strlen("Authorization: Bearer ");
  snprintf(zName, sizeof(zName), "%s/answer.*", zFolder);
  if( glob(zName, 0, NULL, &all) ) return 0;
  for( i = 0; i < all.gl_pathc; i++ ) {
    n = crookedRead(all.gl_pathv[i], a);
    iWords = strcspn(a, "\n");
    if( n <= iWords ) continue;
    a[iWords++] = 0;
    if( fnmatch(a, zLine, 0) ) continue;
    iBody = iWords + strcspn(a + iWords, "\n");
    if( n <= iBody ) break;
    a[iBody++] = 0;
    *pbCut = strstr(a + iWords, "cut") != NULL;
    bKeep = strstr(a + iWords, "keep") != NULL;
    if( strstr(a + iWords, "ask") && !crookedAsk(pSsl) ) {
      shutdown(SSL_get_fd(pSsl), SHUT_WR); /* the alert is out */
      *pbCut = 1;
      bKeep = 0;
      break;
    }
    if( !crookedSend(pSsl, a + iBody, n - iBody, zBearer ? zBearer : "",
                     zBearer ? strcspn(zBearer, "\r\n") : 0) ) {
      *pbCut = 1;
      bKeep = 0;
    }
    break;
  }
  globfree(&all);
  return bKeep;
}

/* One connection. */
static void crookedServe(SSL *pSsl) {
  static char a[CROOKED_MAX];
  const char *zLength, *zEnd;
  size_t n = 0, nAll;
  int k, bCut = 1;

  if( SSL_accept(pSsl) != 1 ) {
    /* The alert is out; the client's bytes are not answered with a RST. */
    shutdown(SSL_get_fd(pSsl), SHUT_WR);
    while( read(SSL_get_fd(pSsl), a, sizeof(a)) > 0 ) continue;
    return;
  }
  while( n < sizeof(a) - 1 &&
         (k = SSL_read(pSsl, a + n, (int)(sizeof(a) - 1 - n))) > 0 ) {
    n += (size_t)k;
    a[n] = 0;
    zEnd = strstr(a, "\r\n\r\n");
    if( zEnd == NULL ) continue;
    nAll = (size_t)(zEnd - a) + 4;
    zLength = strcasestr(a, "\r\nContent-Length:");
    if( zLength && zLength < zEnd ) nAll += strtoul(zLength + 17, NULL, 10);
    if( n < nAll ) continue;
    if( !crookedAnswer(pSsl, a, &bCut) ) break;
    memmove(a, a + nAll, n - nAll);
    n -= nAll;
  }
  if( !bCut ) SSL_shutdown(pSsl);
}

int main(int argc, char **argv) {
  struct sockaddr_in at;
  socklen_t nAt = sizeof(at);
  SSL_CTX *pCtx = SSL_CTX_new(TLS_server_method());
  char zName[4096], zNew[4096];
  int fd, fdConn;
  FILE *f;

  if( argc < 3 || pCtx == NULL ) return 2;
  zFolder = argv[1];
  if( SSL_CTX_use_certificate_file(pCtx, argv[2], SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_use_PrivateKey_file(pCtx, argv[2], SSL_FILETYPE_PEM) != 1 ||
      (argc > 3 && SSL_CTX_load_verify_locations(pCtx, argv[3], NULL) != 1) ) {
    ERR_print_errors_fp(stderr);
    return 1;
  }
  if( argc > 3 && (argc == 4 || strcmp(argv[4], "late") != 0) ) {
    SSL_CTX_set_verify(pCtx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
  }
  if( argc > 4 ) SSL_CTX_set_max_proto_version(pCtx, TLS1_2_VERSION);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_IGN); /* children leave nothing behind */
  memset(&at, 0, sizeof(at));
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fd = socket(AF_INET, SOCK_STREAM, 0);
  if( fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
      listen(fd, 64) || getsockname(fd, (struct sockaddr *)&at, &nAt) ) {
    perror("crooked");
    return 1;
  }
  snprintf(zName, sizeof(zName), "%s/port", zFolder);
  snprintf(zNew, sizeof(zNew), "%s/port.new", zFolder);
  f = fopen(zNew, "w");
  if( f == NULL ) return 1;
  fprintf(f, "%d\n", ntohs(at.sin_port));
  fclose(f);
  if( rename(zNew, zName) ) return 1;
  while( (fdConn = accept(fd, NULL, NULL)) >= 0 ) {
    if( fork() == 0 ) {
      SSL *pSsl = SSL_new(pCtx);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(fd);
      if( pSsl && SSL_set_fd(pSsl, fdConn) == 1 ) crookedServe(pSsl);
      _exit(0); /* without close_notify, unless it was sent */
    }
    close(fdConn);
  }
  return 1;
}
