/*
** Checks ext/client/net/url.c: what is read as a URL, with whichever libcurl is
** here, and where a server can send us. Run by unit/unit.test.
*/
#include "client/net/net.h"

#include "check.h"

#define HTTP LEDGER_URL_HTTP
#define BARE LEDGER_URL_BARE

/* What is read: base and rest with a blank between; NULL: it is refused. */
static void urlRead(void) {
  static const struct {
    const char *z;
    int mFlag;
    const char *zWant;
  } a[] = {
      {"https://A.b", 0, "https://a.b /"},
      {"HTTPS://a.b/", 0, "https://a.b /"},
      {"https://a.b:443/x", 0, "https://a.b /x"},
      {"https://a.b:8443/x?y=z", 0, "https://a.b:8443 /x?y=z"},
      {"https://a.b?y=z", 0, "https://a.b /?y=z"},
      {"https://a.b/x/../y?p=%2F", 0, "https://a.b /x/../y?p=%2F"},
      {"https://[::1]:8443", 0, "https://[::1]:8443 /"},
      {"https://127.0.0.1:1", 0, "https://127.0.0.1:1 /"},
      {"http://a.b:80/x", HTTP, "http://a.b /x"},
      {"http://a.b:443/x", HTTP, "http://a.b:443 /x"},
      {"a.b:8443", BARE, "https://a.b:8443 /"},
      {"localhost", BARE, "https://localhost /"},
      {"http://a.b", 0, NULL},
      {"ftp://a.b", HTTP, NULL},
      {"a.b", 0, NULL},
      {"/x", 0, NULL},
      {"", BARE, NULL},
      {"https://", 0, NULL},
      {"https://a.b/?x=c:///d", 0, "https://a.b /?x=c:///d"},
      {"https:///a.b", 0, NULL},
      {"https:/a.b", 0, NULL},
      {"https:a.b", 0, NULL},
      {"https://a%2eb", 0, NULL},
      {"https://[fe80::1%25e0]", 0, NULL},
      {"https://a.b:", 0, NULL},
      {"https://a.b:/x", 0, NULL},
      {"a.b:", BARE, NULL},
      {"https://u@a.b", 0, NULL},
      {"https://u:p@a.b", 0, NULL},
      {"https://a.b:0", 0, NULL},
      {"https://a.b:65536", 0, NULL},
      {"https://a.b:x", 0, NULL},
      {"https://a b", 0, NULL},
      {"https://a.b/x y", 0, NULL},
      {"https://a.b\\@c.d/", 0, NULL},
      {"https://a.b/x\\y", 0, NULL},
      {"https://a.b/x\x7fy", 0, NULL},
      {"https://a_b!.c", 0, NULL},
      {"https://\xc3\xa4.b", 0, NULL},
      {"https://a.b/\nx", 0, NULL},
  };
  size_t i;
  for( i = 0; i < N_OF(a); i++ ) {
    LedgerUrl url;
    char zGot[200] = "";
    if( ledgerUrlRead(NULL, a[i].z, a[i].mFlag, &url) == LEDGER_OK ) {
      snprintf(zGot, sizeof(zGot), "%s %s", url.zBase, url.zRest);
      ledgerUrlClear(&url);
    }
    CHECK_OF(strcmp(zGot, a[i].zWant ? a[i].zWant : "") == 0, a[i].z);
  }
}

/* A path stands at the base, whatever it looks like. */
static void urlPath(void) {
  LedgerUrl url;
  CHECK(ledgerUrlRead("https://a.b:1", "/x/../y?z", 0, &url) == LEDGER_OK);
  CHECK(strcmp(url.zBase, "https://a.b:1") == 0);
  CHECK(strcmp(url.zRest, "/x/../y?z") == 0 && url.nPath == 7);
  ledgerUrlClear(&url);
  CHECK(ledgerUrlRead("https://a.b:1", "//c.d/x", 0, &url) == LEDGER_ERROR);
  CHECK(ledgerUrlRead("https://a.b:1", "x", 0, &url) == LEDGER_ERROR);
  CHECK(ledgerUrlRead("https://a.b:1", "?x", 0, &url) == LEDGER_ERROR);
}

/* A proxy and what a log may show: user info is noted, and stands nowhere. */
static void urlUser(void) {
  LedgerUrl url;
  CHECK(ledgerUrlRead(NULL, "u:p@proxy:81", LEDGER_URL_PROXY, &url) == 0);
  CHECK(url.bUser && url.bPort && url.iPort == 81);
  CHECK(strcmp(url.zHost, "proxy") == 0);
  ledgerUrlClear(&url);
  CHECK(ledgerUrlRead(NULL, "ftp://u:p@h/x", LEDGER_URL_ANY, &url) == 0);
  CHECK(url.bUser && strcmp(url.zBase, "ftp://h") == 0);
  ledgerUrlClear(&url);
}

static void urlLoopback(void) {
  static const char *const azYes[] = {"https://localhost",
                                      "https://a.LOCALHOST",
                                      "https://127.1.2.3", "https://[::1]"};
  static const char *const azNo[] = {"https://notlocalhost", "https://127.a",
                                     "https://[::2]", "https://localhost.a"};
  LedgerUrl url;
  size_t i;
  for( i = 0; i < N_OF(azYes); i++ ) {
    CHECK(ledgerUrlRead(NULL, azYes[i], 0, &url) == LEDGER_OK);
    CHECK_OF(ledgerUrlIsLoopback(&url), azYes[i]);
    ledgerUrlClear(&url);
  }
  for( i = 0; i < N_OF(azNo); i++ ) {
    CHECK(ledgerUrlRead(NULL, azNo[i], 0, &url) == LEDGER_OK);
    CHECK_OF(!ledgerUrlIsLoopback(&url), azNo[i]);
    ledgerUrlClear(&url);
  }
}

static void urlWithin(void) {
  static const struct {
    const char *zTo;
    int bWithin;
  } a[] = {{"https://a.b:1/x", 1},
           {"https://n1.a.b:1/x", 1},
           {"/x", 1},
           {"https://a.b/x", 0},
           {"https://xa.b:1/x", 0},
           {"https://a.b.c:1/x", 0},
           {"http://a.b:1/x", 0},
           {"//a.b:1/x", 0},
           {"https:/a.b:1/x", 0},
           {"https://%61.b:1/x", 0},
           {"https://a.b:1@c.d/", 0},
           {"", 0}};
  LedgerUrl url;
  size_t i;
  for( i = 0; i < N_OF(a); i++ ) {
    const char *z = "https://a.b:1";
    int bWithin = ledgerUrlWithin(z, z, a[i].zTo, &url) == LEDGER_OK;
    CHECK_OF(bWithin == a[i].bWithin, a[i].zTo);
    if( bWithin ) ledgerUrlClear(&url);
  }
  CHECK(ledgerUrlWithin("https://1.2.3.4", NULL, "https://x.1.2.3.4", &url) ==
        LEDGER_ERROR);
}

static const CheckCase aCase[] = {
    {"read", urlRead},         {"path", urlPath},     {"user", urlUser},
    {"loopback", urlLoopback}, {"within", urlWithin},
};

int main(void) {
  return checkAll(aCase, N_OF(aCase));
}
