/*
** Checks ext/base from inside, but for JSON (json.c): transaction ids, hex,
** base64, buffers, UTF-8, errors, ASCII in any locale.
**
**     build/unit/base
*/
#include "check.h"

#include <errno.h>
#include <locale.h>

/* ---- transaction ids --------------------------------------------------- */

static int txid(const char *z, LedgerTxid *pId) {
  return ledgerTxidParse(z, strlen(z), pId);
}

static void txidGood(void) {
  static const struct {
    const char *z;
    int64_t view, seqno;
  } a[] = {
      {"2.3", 2, 3},
      {"0.1", 0, 1},
      {"1.1", 1, 1},
      {"10.20", 10, 20},
      {"9223372036854775807.1", INT64_MAX, 1},
      {"2.281474976710655", 2, ((int64_t)1 << 48) - 1},
  };
  size_t i;
  for( i = 0; i < N_OF(a); i++ ) {
    LedgerTxid id = {-1, -1};
    char z[LEDGER_TXID_MAX];
    CHECK_OF(txid(a[i].z, &id), a[i].z);
    CHECK_OF(id.view == a[i].view && id.seqno == a[i].seqno, a[i].z);
    CHECK_OF(ledgerTxidFormat(id, z) == z, a[i].z);
    CHECK_OF(strcmp(z, a[i].z) == 0, a[i].z);
  }
}

static void txidBad(void) {
  static const char *const az[] = {"",
                                   ".",
                                   "2",
                                   "2.",
                                   ".3",
                                   "2.0",
                                   "02.3",
                                   "2.03",
                                   "00.1",
                                   "2.00",
                                   "-2.3",
                                   "2.-3",
                                   "+2.3",
                                   "2.+3",
                                   " 2.3",
                                   "2.3 ",
                                   "2 .3",
                                   "2. 3",
                                   "2.3.4",
                                   "2,3",
                                   "a.b",
                                   "2.3a",
                                   "a2.3",
                                   "0x2.3",
                                   "2.1e1",
                                   "2..3",
                                   "\n2.3",
                                   "2.3\n",
                                   "\xd9\xa2.\xd9\xa3",
                                   "9223372036854775808.1",
                                   "18446744073709551618.1",
                                   "2.281474976710656",
                                   "2.9223372036854775807",
                                   "2.9223372036854775808",
                                   "2.18446744073709551619",
                                   "2.99999999999999999999999",
                                   "2:3"};
  LedgerTxid id = {7, 8};
  size_t i;
  for( i = 0; i < N_OF(az); i++ ) CHECK_OF(!txid(az[i], &id), az[i]);
  CHECK(!ledgerTxidParse("2.3\0", 4, &id));
  CHECK(!ledgerTxidParse("2\0.3", 4, &id));
  CHECK(!ledgerTxidParse(NULL, 0, &id));
  CHECK(id.view == 7 && id.seqno == 8);                    /* left alone */
  CHECK(ledgerTxidParse("2.34", 3, &id) && id.seqno == 3); /* by length */
}

static void txidOrder(void) {
  static const LedgerTxid a[] = {{9, 1}, {2, 2},  {3, 2},
                                 {2, 3}, {2, 10}, {2, ((int64_t)1 << 48) - 1}};
  LedgerTxid big = {INT64_MAX, INT64_MAX};
  char z[LEDGER_TXID_MAX];
  size_t i, k;
  for( i = 0; i < N_OF(a); i++ ) {
    for( k = 0; k < N_OF(a); k++ ) {
      int c = ledgerTxidCompare(a[i], a[k]);
      CHECK(i < k ? c < 0 : i > k ? c > 0 : c == 0);
    }
  }
  CHECK(ledgerTxidCompare(a[0], big) < 0 && ledgerTxidCompare(big, a[0]) > 0);
  ledgerTxidFormat(big, z); /* the longest there is */
  CHECK(strcmp(z, "9223372036854775807.9223372036854775807") == 0);
}

/* ---- bytes ------------------------------------------------------------- */

static void hex(void) {
  unsigned char a[256], aBack[256];
  char z[513];
  size_t i;
  for( i = 0; i < 256; i++ ) a[i] = (unsigned char)i;
  CHECK(ledgerHexEncode(a, 256, z) == z);
  CHECK(strlen(z) == 512 && memcmp(z, "000102", 6) == 0);
  CHECK(strcmp(z + 504, "fcfdfeff") == 0);
  CHECK(ledgerHexDecode(z, 512, aBack, 256));
  CHECK(memcmp(a, aBack, 256) == 0);
  CHECK(ledgerHexDecode("aBCdEf", 6, aBack, 3));
  CHECK(memcmp(aBack, "\xab\xcd\xef", 3) == 0);
  CHECK(ledgerHexDecode("", 0, aBack, 0));
  CHECK(strcmp(ledgerHexEncode(a, 0, z), "") == 0);
  CHECK(!ledgerHexDecode("abc", 3, aBack, 1));
  CHECK(!ledgerHexDecode("abcd", 4, aBack, 1));
  CHECK(!ledgerHexDecode("ab", 2, aBack, 2));
  CHECK(!ledgerHexDecode(NULL, 0, aBack, 0));
  for( i = 0; i < 256; i++ ) { /* every byte, in either place */
    int bDigit = i && strchr("0123456789abcdefABCDEF", (int)i) != NULL;
    char zTwo[2];
    zTwo[0] = (char)i;
    zTwo[1] = '0';
    CHECK(ledgerHexDecode(zTwo, 2, aBack, 1) == bDigit);
    zTwo[1] = (char)i;
    zTwo[0] = '0';
    CHECK(ledgerHexDecode(zTwo, 2, aBack, 1) == bDigit);
  }
}

static void base64Vectors(void) {
  static const struct {
    const char *zText, *z64, *zUrl;
  } a[] = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
      {"\xfb\xff\xfe", "+//+", "-__-"},
  };
  size_t i;
  for( i = 0; i < N_OF(a); i++ ) {
    LedgerBuf buf = {0};
    size_t n = strlen(a[i].zText);
    ledgerBufBase64(&buf, a[i].zText, n);
    ledgerBufText(&buf, "|");
    ledgerBufBase64Url(&buf, a[i].zText, n);
    CHECK(strncmp(buf.z, a[i].z64, strlen(a[i].z64)) == 0);
    CHECK(strcmp(buf.z + strlen(a[i].z64) + 1, a[i].zUrl) == 0);
    ledgerBufReset(&buf);
    ledgerBufText(&buf, "x");
    CHECK(ledgerBase64Decode(a[i].z64, strlen(a[i].z64), &buf));
    CHECK(ledgerBase64UrlDecode(a[i].zUrl, strlen(a[i].zUrl), &buf));
    CHECK(buf.n == 1 + 2 * n && buf.z[0] == 'x');
    CHECK(memcmp(buf.z + 1, a[i].zText, n) == 0);
    CHECK(memcmp(buf.z + 1 + n, a[i].zText, n) == 0);
    ledgerBufFree(&buf);
  }
}

static void base64Strict(void) {
  static const char *const azBad[] = {"Zg",       "Zg=",      "Zg===",
                                      "Zh==",     "Zm9=",     "Zm8",
                                      "Z===",     "====",     "=",
                                      "Z",        "Zm9v=",    "Zm9v Zm9v",
                                      "Zm9v\n",   " Zm9v",    "Zm9v\r\nZm9v",
                                      "Zg==Zg==", "Z=g=",     "-__-",
                                      "Zm.v",     "Zm9v====", "Zm\xc3\xa9",
                                      "\"Zg=",    "Zf==",     "Zmp="};
  static const char *const azBadUrl[] = {
      "Zg==", "Zm8=", "Zh", "Zm9", "+//+", "Z", "Zm9vY", "Zg ", "Z g", "Zm9v="};
  LedgerBuf buf = {0};
  size_t i;
  ledgerBufText(&buf, "kept");
  for( i = 0; i < N_OF(azBad); i++ ) {
    CHECK_OF(!ledgerBase64Decode(azBad[i], strlen(azBad[i]), &buf), azBad[i]);
    CHECK_OF(buf.n == 4 && strcmp(buf.z, "kept") == 0, azBad[i]);
  }
  for( i = 0; i < N_OF(azBadUrl); i++ ) {
    const char *z = azBadUrl[i];
    CHECK_OF(!ledgerBase64UrlDecode(z, strlen(z), &buf), z);
    CHECK_OF(buf.n == 4 && strcmp(buf.z, "kept") == 0, z);
  }
  CHECK(!ledgerBase64Decode("Zm9\0", 4, &buf));
  CHECK(!ledgerBase64Decode(NULL, 0, &buf));
  /* Of 64 last characters that end one byte four have no stray bits. */
  {
    int c, nOne = 0, nTwo = 0;
    for( c = 1; c < 256; c++ ) {
      char zOne[] = "ZZ==";
      char zTwo[] = "ZZZ=";
      zOne[1] = (char)c;
      zTwo[2] = (char)c;
      nOne += ledgerBase64Decode(zOne, 4, &buf);
      nTwo += ledgerBase64Decode(zTwo, 4, &buf);
    }
    CHECK(nOne == 4);
    CHECK(nTwo == 16);
  }
  ledgerBufFree(&buf);
}

static void base64All(void) {
  LedgerBuf text = {0}, back = {0};
  unsigned char a[300];
  size_t i, n;
  for( i = 0; i < sizeof(a); i++ ) a[i] = (unsigned char)(i * 151 + (i >> 3));
  for( n = 0; n <= sizeof(a); n++ ) {
    ledgerBufReset(&text);
    ledgerBufReset(&back);
    ledgerBufBase64(&text, a, n);
    CHECK(text.n == (n + 2) / 3 * 4);
    CHECK(ledgerBase64Decode(text.z ? text.z : "", text.n, &back));
    CHECK(back.n == n && (n == 0 || memcmp(back.z, a, n) == 0));
    ledgerBufReset(&text);
    ledgerBufReset(&back);
    ledgerBufBase64Url(&text, a, n);
    CHECK(ledgerBase64UrlDecode(text.z ? text.z : "", text.n, &back));
    CHECK(back.n == n && (n == 0 || memcmp(back.z, a, n) == 0));
  }
  ledgerBufFree(&text);
  ledgerBufFree(&back);
}

static void buffers(void) {
  LedgerBuf buf = {0};
  char *z;
  int i;
  z = ledgerBufTake(&buf);
  CHECK(z && z[0] == 0);
  free(z);
  ledgerBufAppend(&buf, "a\0b", 3);
  CHECK(buf.n == 3 && memcmp(buf.z, "a\0b", 4) == 0);
  for( i = 0; i < 1000; i++ ) ledgerBufPrintf(&buf, "%d,", i);
  CHECK(buf.n == 3 + 3890 && buf.z[buf.n] == 0 && !buf.bOom);
  CHECK(strcmp(buf.z + buf.n - 8, "998,999,") == 0);
  ledgerBufReset(&buf);
  CHECK(buf.n == 0 && buf.z[0] == 0);
  ledgerBufUrl(&buf, "aZ09-._~ /?&=%+\0\xff", 17);
  CHECK(strcmp(buf.z, "aZ09-._~%20%2F%3F%26%3D%25%2B%00%FF") == 0);
  ledgerBufReset(&buf);
  /* Too much to be had: nothing is lost, and the failure sticks. */
  ledgerBufText(&buf, "kept");
  ledgerBufAppend(&buf, "", SIZE_MAX / 2);
  CHECK(buf.bOom && buf.n == 4 && strcmp(buf.z, "kept") == 0);
  ledgerBufText(&buf, "more");
  CHECK(buf.n == 4);
  CHECK(ledgerBufTake(&buf) == NULL);
  CHECK(buf.z == NULL && buf.n == 0 && !buf.bOom);
  z = ledgerStrndup("abc", 2);
  CHECK(z && strcmp(z, "ab") == 0);
  free(z);
  CHECK(ledgerStrndup(NULL, 3) == NULL);
}

/* ---- UTF-8 ------------------------------------------------------------- */

static void utf8Points(void) {
  unsigned v;
  char z[8];
  for( v = 0; v < 0x200000; v++ ) {
    size_t n = checkEncode(v, z), k;
    int bGood = v <= 0x10ffff && (v < 0xd800 || v > 0xdfff);
    if( ledgerUtf8Valid(z, n) != bGood ) {
      snprintf(zWhy, sizeof(zWhy), "U+%04X is taken for %d", v, !bGood);
      return;
    }
    for( k = 1; k < n; k++ ) { /* cut short, or begun in the middle */
      if( !ledgerUtf8Valid(z, k) && !ledgerUtf8Valid(z + k, n - k) ) continue;
      snprintf(zWhy, sizeof(zWhy), "a part of U+%04X is taken", v);
      return;
    }
  }
}

static void utf8Table(void) {
  static const struct {
    const char *z;
    size_t n;
    int bGood;
  } a[] = {
      {"", 0, 1},
      {"a\0b", 3, 1},
      {"\x7f", 1, 1},
      {"\x80", 1, 0},
      {"\xbf", 1, 0},
      {"\xc0\x80", 2, 0}, /* overlong, two to four bytes */
      {"\xc1\xbf", 2, 0},
      {"\xe0\x80\x80", 3, 0},
      {"\xe0\x9f\xbf", 3, 0},
      {"\xf0\x80\x80\x80", 4, 0},
      {"\xf0\x8f\xbf\xbf", 4, 0},
      {"\xf8\x88\x80\x80\x80", 5, 0},
      {"\xfc\x84\x80\x80\x80\x80", 6, 0},
      {"\xed\xa0\x80", 3, 0}, /* surrogates, alone and as a pair */
      {"\xed\xbf\xbf", 3, 0},
      {"\xed\xa0\xbd\xed\xb8\x80", 6, 0},
      {"\xed\x9f\xbf", 3, 1},
      {"\xee\x80\x80", 3, 1},
      {"\xef\xbf\xbe", 3, 1}, /* noncharacters are characters */
      {"\xef\xbf\xbf", 3, 1},
      {"\xef\xbb\xbf", 3, 1},
      {"\xf4\x8f\xbf\xbf", 4, 1},
      {"\xf4\x90\x80\x80", 4, 0},
      {"\xf5\x80\x80\x80", 4, 0},
      {"\xfe", 1, 0},
      {"\xff", 1, 0},
      {"\xc3", 1, 0},
      {"\xc3(", 2, 0},
      {"\xe2\x82", 2, 0},
      {"\xe2(\xa1", 3, 0},
      {"\xf0\x9f\x98", 3, 0},
      {"\xf0\x9f\x98(", 4, 0},
      {"a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80z", 11, 1},
  };
  size_t i;
  for( i = 0; i < N_OF(a); i++ ) {
    char z[24];
    snprintf(z, sizeof(z), "row %d", (int)i);
    CHECK_OF(ledgerUtf8Valid(a[i].z, a[i].n) == a[i].bGood, z);
  }
}

/* ---- errors ------------------------------------------------------------ */

static void errors(void) {
  LedgerError err = LEDGER_ERROR_INIT;
  CHECK(strcmp(ledgerErrorText(&err), "no error") == 0);
  CHECK(ledgerErrorSet(&err, LEDGER_BUSY, "%s %d", "first", 1) == LEDGER_BUSY);
  /* The first one wins, whoever comes. */
  CHECK(ledgerErrorSet(&err, LEDGER_AUTH, "second") == LEDGER_BUSY);
  CHECK(ledgerErrorNomem(&err) == LEDGER_BUSY);
  CHECK(err.rc == LEDGER_BUSY);
  CHECK(strcmp(ledgerErrorText(&err), "first 1") == 0);
  ledgerErrorClear(&err);
  CHECK(err.rc == 0 && err.http == 0 && err.zMsg == NULL);
  CHECK(ledgerErrorNomem(&err) == LEDGER_NOMEM);
  CHECK(strcmp(ledgerErrorText(&err), "out of memory") == 0);
  CHECK(ledgerErrorSet(&err, LEDGER_ERROR, "later") == LEDGER_NOMEM);
  CHECK(strcmp(ledgerErrorText(&err), "out of memory") == 0);
  ledgerErrorClear(&err);
  ledgerErrorClear(&err); /* twice does no harm */
  CHECK(ledgerErrorSet(&err, LEDGER_ERROR, "%2000s", "wide") == LEDGER_ERROR);
  CHECK(strlen(ledgerErrorText(&err)) == 2000);
  ledgerErrorClear(&err);
  CHECK(ledgerErrorInterrupt(&err) == LEDGER_INTERRUPT && err.zMsg == NULL);
  CHECK(strcmp(ledgerErrorText(&err), "interrupted") == 0);
  ledgerErrorClear(&err);
}

/* In other words: code, status and stage stay. */
static void errorsWrapped(void) {
  LedgerError err = LEDGER_ERROR_INIT, all = LEDGER_ERROR_INIT;
  ledgerErrorSet(&err, LEDGER_BUSY, "inner");
  err.http = 503;
  err.eStage = 2;
  CHECK(ledgerErrorWrap(&all, &err, "outer: %s", ledgerErrorText(&err)) ==
        LEDGER_BUSY);
  CHECK(strcmp(ledgerErrorText(&all), "outer: inner") == 0);
  CHECK(all.http == 503 && all.eStage == 2);
  CHECK(ledgerErrorWrap(&all, &err, "late") == LEDGER_BUSY);
  CHECK(strcmp(ledgerErrorText(&all), "outer: inner") == 0);
  ledgerErrorWrap(&all, &all, "%s, again", ledgerErrorText(&all));
  CHECK(strcmp(ledgerErrorText(&all), "outer: inner, again") == 0);
  ledgerErrorClear(&all);
  CHECK(ledgerErrorCopy(&all, &err) == LEDGER_BUSY && all.zMsg != err.zMsg);
  CHECK(strcmp(ledgerErrorText(&all), "inner") == 0 && all.http == 503);
  ledgerErrorClear(&all);
  ledgerErrorClear(&err);
}

/* ---- ASCII in any locale ----------------------------------------------- */

static void letters(void) {
  int i;
  for( i = 0; i < 256; i++ ) {
    char c = (char)i;
    int bDigit = i >= '0' && i <= '9';
    int bUpper = i >= 'A' && i <= 'Z', bLower = i >= 'a' && i <= 'z';
    int bHex = bDigit || (i >= 'A' && i <= 'F') || (i >= 'a' && i <= 'f');
    CHECK(ledgerIsDigit(c) == bDigit);
    CHECK(ledgerIsHexDigit(c) == bHex);
    CHECK(ledgerIsAlnum(c) == (bDigit || bUpper || bLower));
    CHECK(ledgerLower(c) == (bUpper ? (char)(i + 32) : c));
  }
  CHECK(ledgerStricmp("", "") == 0);
  CHECK(ledgerStricmp("MS-Ccf-TransactIon-Id", "ms-ccf-transaction-id") == 0);
  CHECK(ledgerStricmp("a", "ab") < 0 && ledgerStricmp("ab", "a") > 0);
  CHECK(ledgerStricmp("a", "B") < 0 && ledgerStricmp("B", "a") > 0);
  CHECK(ledgerStricmp("[", "A") < 0); /* compared in lower case */
  CHECK(ledgerStricmp("\xc3\x84", "\xc3\xa4") != 0);
  CHECK(ledgerStrnicmp("LOCATION: x", "location:", 9) == 0);
  CHECK(ledgerStrnicmp("loc", "location", 9) < 0);
  CHECK(ledgerStrnicmp("a", "b", 0) == 0);
}

static void numbers(void) {
  static const struct {
    double r;
    int nPlace;
    const char *z;
  } a[] = {
      {0, 1, "0.0"},           {10.5, 1, "10.5"},  {-0.25, 2, "-0.25"},
      {10.5, 0, "10"},         {10.5, -1, "10.5"}, {1e300, -1, "1e+300"},
      {1.5e-7, -1, "1.5e-07"}, {3, -1, "3"},       {1234567.5, 1, "1234567.5"}};
  static const char *const azBad[] = {"",
                                      ".",
                                      "1,5",
                                      "-1",
                                      "+1",
                                      "1e2",
                                      " 1",
                                      "1 ",
                                      "0x1",
                                      "1.2.3",
                                      "nan",
                                      "a",
                                      "1234567890.123456"};
  char z[LEDGER_NUMBER_MAX];
  LedgerBuf buf = {0};
  size_t i;
  double r = -1;
  for( i = 0; i < N_OF(a); i++ ) {
    CHECK_OF(strcmp(ledgerNumberFormat(a[i].r, a[i].nPlace, z), a[i].z) == 0,
             a[i].z);
  }
  CHECK(strlen(ledgerNumberFormat(-1.7976931348623157e308, 20, z)) == 331);
  ledgerBufNumber(&buf, 2.25, 2);
  CHECK(buf.z && strcmp(buf.z, "2.25") == 0);
  ledgerBufFree(&buf);
  for( i = 0; i < N_OF(azBad); i++ ) {
    CHECK_OF(!ledgerNumberParse(azBad[i], &r) && r == -1, azBad[i]);
  }
  CHECK(ledgerNumberParse("0", &r) && r == 0);
  CHECK(ledgerNumberParse("0.35", &r) && r == 0.35);
  CHECK(ledgerNumberParse(".5", &r) && r == 0.5);
  CHECK(ledgerNumberParse("12.", &r) && r == 12);
}

/* The same under each locale of build/locale (LOCPATH); where there is none
** they are run once more in "C". */
static void locales(void) {
  static const char *const az[] = {"de_DE.UTF-8", "ps_AF.UTF-8", "tr_TR.UTF-8"};
  size_t i;
  for( i = 0; i < N_OF(az); i++ ) {
    if( setlocale(LC_ALL, az[i]) == NULL ) setlocale(LC_ALL, "C");
    letters();
    numbers();
    CHECK(strcmp(ledgerSystemError(ENOENT), "No such file or directory") == 0);
  }
  setlocale(LC_ALL, "C");
}

/* ---- all --------------------------------------------------------------- */

static const CheckCase aCase[] = {
    {"txid-good", txidGood},
    {"txid-bad", txidBad},
    {"txid-order", txidOrder},
    {"hex", hex},
    {"base64-vectors", base64Vectors},
    {"base64-strict", base64Strict},
    {"base64-all", base64All},
    {"buffers", buffers},
    {"utf8-points", utf8Points},
    {"utf8-table", utf8Table},
    {"errors", errors},
    {"errors-wrapped", errorsWrapped},
    {"letters", letters},
    {"numbers", numbers},
    {"locales", locales},
};

int main(void) {
  return checkAll(aCase, N_OF(aCase));
}
