/*
** ext/client/net/failure.c from inside: what each code of libcurl's is taken
** for, those of other versions than this one's too. Run by unit/unit.test.
*/
#include "client/net/net.h"

#include "check.h"

/* What an exchange that ended with a code says, in a copy of z, and after that
** alert of TLS, where it is not 0. */
static void failedOf(LedgerExchange *p, int rc, const char *zLibcurl,
                     int iAlert) {
  memset(p, 0, sizeof(*p));
  p->pEasy = curl_easy_init();
  p->bDirect = 1;
  p->msConnect = 70;
  p->iAlert = iAlert;
  memcpy(&p->rc, &rc, sizeof(p->rc)); /* codes this libcurl lacks, too */
  snprintf(p->zError, sizeof(p->zError), "%s", zLibcurl);
  ledgerFailureRead(p);
  curl_easy_cleanup(p->pEasy);
}

static void failed(LedgerExchange *p, int rc, const char *zLibcurl) {
  failedOf(p, rc, zLibcurl, 0);
}

/* Each row of the table has a sense of its own, and no code stands twice. */
static void failureTable(void) {
  static const struct {
    int rc;
    int eClass;
    int bRetry;
  } a[] = {{CURLE_COULDNT_CONNECT, LEDGER_FAIL_CONNECT, 1},
           {CURLE_COULDNT_RESOLVE_HOST, LEDGER_FAIL_CONNECT, 1},
           {CURLE_COULDNT_RESOLVE_PROXY, LEDGER_FAIL_PROXY, 1},
           {CURLE_OPERATION_TIMEDOUT, LEDGER_FAIL_TIME, 1},
           {CURLE_GOT_NOTHING, LEDGER_FAIL_BROKEN, 1},
           {CURLE_RECV_ERROR, LEDGER_FAIL_BROKEN, 1},
           {CURLE_SEND_ERROR, LEDGER_FAIL_BROKEN, 1},
           {CURLE_PARTIAL_FILE, LEDGER_FAIL_BROKEN, 1},
           {CURLE_WEIRD_SERVER_REPLY, LEDGER_FAIL_ANSWER, 0},
           {CURLE_WRITE_ERROR, LEDGER_FAIL_ANSWER, 0},
           {CURLE_SSL_CONNECT_ERROR, LEDGER_FAIL_TLS, 1},
           {CURLE_PEER_FAILED_VERIFICATION, LEDGER_FAIL_TRUST, 0},
           {CURLE_SSL_CERTPROBLEM, LEDGER_FAIL_CERTIFICATE, 0},
           {CURLE_OUT_OF_MEMORY, LEDGER_FAIL_MEMORY, 0},
           {CURLE_BAD_FUNCTION_ARGUMENT, LEDGER_FAIL_INTERNAL, 0},
           {98, LEDGER_FAIL_REFUSED, 0},
           {99, LEDGER_FAIL_BROKEN, 1},
           {100, LEDGER_FAIL_ANSWER, 0},
           {101, LEDGER_FAIL_TLS, 0}};
  size_t i;
  for( i = 0; i < N_OF(a); i++ ) {
    LedgerExchange ex;
    failed(&ex, a[i].rc, "");
    CHECK_OF(ex.eFail == a[i].eClass && ex.bFinal == !a[i].bRetry,
             curl_easy_strerror((CURLcode)a[i].rc));
  }
}

/* Headers that are too long: as newer versions say it, and as older ones do. */
static void failureTooLarge(void) {
  LedgerExchange ex;
  failed(&ex, 100, "A value or data field grew larger than allowed");
  CHECK(ex.eFail == LEDGER_FAIL_ANSWER && ex.bFinal);
  CHECK(ex.bLongHeaders);
}

/* A code that nobody knows: it is not tried for half a minute. */
static void failureUnknown(void) {
  static const int aCode[] = {102, 103, 4711, 2147483647};
  LedgerExchange ex;
  size_t i;
  for( i = 0; i < N_OF(aCode); i++ ) {
    failed(&ex, aCode[i], "The words of another version");
    CHECK(ex.eFail == LEDGER_FAIL_INTERNAL && ex.bFinal);
    CHECK(strstr(ex.zError, "words") == NULL);
  }
  failed(&ex, 102, "");
  CHECK(strcmp(ex.zError, "libcurl failed with its code 102") == 0);
}

/* No text of the libraries is handed on, whatever the code. */
static void failureWords(void) {
  LedgerExchange ex;
  int rc;
  for( rc = 1; rc < 130; rc++ ) {
    failed(&ex, rc, "OpenSSL SSL_read: error:0A000126:SSL routines::secret");
    CHECK_OF(strstr(ex.zError, "error:") == NULL &&
                 strstr(ex.zError, "secret") == NULL && ex.zError[0] &&
                 ex.eFail > 0,
             curl_easy_strerror((CURLcode)rc));
  }
  failed(&ex, CURLE_OPERATION_TIMEDOUT, "");
  CHECK(strcmp(ex.zError, "no connection within 70 ms") == 0);
}

/* What the handshake shows, said in words of ours. */
static void failureHandshake(void) {
  LedgerExchange ex;
  failedOf(&ex, CURLE_SSL_CONNECT_ERROR, "", 40);
  CHECK(strncmp(ex.zError, "the TLS handshake failed: ", 26) == 0);
  CHECK(ex.eFail == LEDGER_FAIL_TLS);
  failedOf(&ex, CURLE_SSL_CONNECT_ERROR, "OpenSSL: wrong version number", 0);
  CHECK(strcmp(ex.zError, "the server speaks no TLS") == 0);
  failedOf(&ex, CURLE_RECV_ERROR, "", 40); /* it was over by then */
  CHECK(strstr(ex.zError, "handshake") == NULL);
}

int main(void) {
  static const CheckCase aCase[] = {{"table", failureTable},
                                    {"too_large", failureTooLarge},
                                    {"unknown", failureUnknown},
                                    {"words", failureWords},
                                    {"handshake", failureHandshake}};
  return checkAll(aCase, N_OF(aCase));
}
