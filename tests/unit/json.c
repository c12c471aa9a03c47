/*
** Checks the strict JSON of ext/base from inside: what it refuses, and that
** what is read is byte for byte what was written, NULs too.
**
**     build/unit/json
*/
#include "check.h"

/* Parses; returns the code and frees the document. */
static int parse(const char *z, size_t n) {
  LedgerJson *pDoc = NULL;
  LedgerError err = LEDGER_ERROR_INIT;
  int rc = ledgerJsonParse(z, n, "text", &pDoc, &err);
  CHECK((rc == LEDGER_OK) == (pDoc != NULL));
  CHECK(rc == err.rc);
  CHECK(rc == LEDGER_OK || strncmp(ledgerErrorText(&err), "text: ", 6) == 0);
  ledgerErrorClear(&err);
  ledgerJsonFree(pDoc);
  return rc;
}

#define GOOD(z) CHECK_OF(parse(z, sizeof(z) - 1) == LEDGER_OK, z)
#define BAD(z) CHECK_OF(parse(z, sizeof(z) - 1) == LEDGER_ERROR, z)

static void jsonGood(void) {
  GOOD("{}");
  GOOD("[]");
  GOOD("\"\"");
  GOOD("null");
  GOOD("true");
  GOOD("false");
  GOOD(" \t\r\n{ \"a\" : [ 1 , 2 ] }\r\n\t ");
  GOOD("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"); /* same, elsewhere */
  GOOD("{\"a\":1,\"A\":2}");                         /* case counts */
  GOOD("{\"\":1}");
  GOOD("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"");
  GOOD("\"\x7f\"");
  GOOD("\"\\ud83d\\ude00\"");
  GOOD("\"\xef\xbf\xbf\"");
}

static void jsonBad(void) {
  BAD("");
  BAD(" ");
  BAD("x");
  BAD("{");
  BAD("[");
  BAD("]");
  BAD("}");
  BAD("[}");
  BAD("{]");
  BAD("[1,]");
  BAD("[,1]");
  BAD("[1 2]");
  BAD("{\"a\":1,}");
  BAD("{\"a\"}");
  BAD("{\"a\":}");
  BAD("{a:1}");
  BAD("{'a':1}");
  BAD("{1:1}");
  BAD("{null:1}");
  BAD("nul");
  BAD("nullx");
  BAD("True");
  BAD("NaN");
  BAD("Infinity");
  BAD("/* */1");
  BAD("1//");
  CHECK(parse(NULL, 0) == LEDGER_ERROR);
}

static void jsonTrailing(void) {
  BAD("{}x");
  BAD("{}{}");
  BAD("1 2");
  BAD("{},");
  BAD("\"a\"\"b\"");
  BAD("[]]");
}

static void jsonTrailingNul(void) {
  BAD("{}\0");
  BAD("{}\0x");
  BAD("1\0");
  BAD("{} \0 {}");
}

static void jsonControl(void) {
  BAD("\"a\nb\"");
  BAD("\"a\tb\"");
  BAD("\"a\x01 b\"");
  BAD("\"a\x1f"
      "b\"");
  BAD("\"a\0b\"");
}

/* Blanks between the tokens are four characters only. */
static void jsonBlanks(void) {
  BAD("\x01{}");
  BAD("{}\x01");
  BAD("{\x0b}");
  BAD("[1,\x0c"
      "2]");
  BAD("{\"a\":\x1f"
      "1}");
  BAD("[\0]");
  BAD("\0[]");
  BAD("\xc2\xa0[]");
}

static void jsonNumbers(void) {
  static const char *const azGood[] = {"0",
                                       "-0",
                                       "1",
                                       "-1",
                                       "10",
                                       "0.5",
                                       "1.5",
                                       "-1.5e3",
                                       "1E+2",
                                       "1e-2",
                                       "0e0",
                                       "123456789012345678901",
                                       "0.0",
                                       "1e400",
                                       "-0.0e0",
                                       "1.0E000",
                                       "9007199254740993"};
  static const char *const azBad[] = {
      "-",   "+1",  "01",    "-01", "00",  "1.", ".5",   "-.5",  "1.e1",
      "1e",  "1e+", "1E-",   "0x1", "1_0", "1a", "--1",  "1.5.", "1-1",
      "- 1", "1 1", "1e1.5", "1,0", "0b1", "1f", "0.0.0"};
  size_t i;
  for( i = 0; i < N_OF(azGood); i++ ) {
    CHECK_OF(parse(azGood[i], strlen(azGood[i])) == LEDGER_OK, azGood[i]);
  }
  for( i = 0; i < N_OF(azBad); i++ ) {
    CHECK_OF(parse(azBad[i], strlen(azBad[i])) == LEDGER_ERROR, azBad[i]);
  }
  /* A cJSON reads 63 bytes of a number, or more: never "out of memory". */
  for( i = 60; i < 70; i++ ) {
    char z[72];
    memset(z, '1', i);
    CHECK(parse(z, i) != LEDGER_NOMEM);
  }
}

static void jsonDuplicates(void) {
  BAD("{\"a\":1,\"a\":1}");
  BAD("{\"a\":1,\"b\":2,\"c\":3,\"a\":4}");
  BAD("{\"x\":[{\"a\":1,\"a\":2}]}");
  BAD("{\"\":1,\"\":2}");
  BAD("{\"a\":1,\"\\u0061\":2}"); /* escaped, still the same */
  BAD("{\"\\u0000\":1,\"\\u0000\":2}");
  GOOD("{\"\\u0000\":1,\"\\u0000\\u0000\":2}");
  GOOD("{\"a\":1,\"a\\u0000\":2}");
  GOOD("[{\"a\":1},{\"a\":1}]");
}

static void jsonSurrogates(void) {
  BAD("\"\\ud800\"");
  BAD("\"\\udc00\"");
  BAD("\"\\ud800x\"");
  BAD("\"\\ud800\\ud800\"");
  BAD("\"\\udc00\\ud800\"");
  BAD("\"\\ud800\\u0061\"");
  BAD("\"\\ud83d\\u\"");
  BAD("\"\xed\xa0\x80\"");
  GOOD("\"\\ud800\\udc00\\udbff\\udfff\"");
}

static void jsonEscapes(void) {
  BAD("\"\\x\"");
  BAD("\"\\0\"");
  BAD("\"\\u\"");
  BAD("\"\\u12\"");
  BAD("\"\\u123\"");
  BAD("\"\\u123g\"");
  BAD("\"\\U0001\"");
  BAD("\"\\u+123\"");
  BAD("\"\\u 123\"");
  BAD("\"\\\"");
  BAD("\"\\");
  BAD("\"\\u00");
  BAD("\"a");
  BAD("\"\\\0\"");
  BAD("\"\\'\"");
}

static void jsonUtf8(void) {
  BAD("\"\xff\"");
  BAD("\"\xc3\"");
  BAD("\"\xc0\x80\"");
  BAD("\"\xf4\x90\x80\x80\"");
  BAD("{\"\x80\":1}");
  BAD("{}\xff");
}

/* Arrays, objects, and both in turn: 64 deep is good, 65 is not. */
static void jsonDepth(void) {
  int n, eKind, i;
  for( eKind = 0; eKind < 3; eKind++ ) {
    for( n = 1; n <= 70; n++ ) {
      LedgerBuf buf = {0};
      for( i = 0; i < n; i++ ) {
        int bArray = eKind == 0 || (eKind == 2 && i % 2);
        ledgerBufText(&buf, bArray ? "[" : "{\"a\":");
      }
      ledgerBufText(&buf, "1");
      for( i = n - 1; i >= 0; i-- ) {
        ledgerBufText(&buf, eKind == 0 || (eKind == 2 && i % 2) ? "]" : "}");
      }
      CHECK((parse(buf.z, buf.n) == LEDGER_OK) == (n <= LEDGER_JSON_DEPTH));
      ledgerBufFree(&buf);
    }
  }
  { /* brackets in strings nest nothing; siblings don't add up */
    LedgerBuf buf = {0};
    ledgerBufText(&buf, "[\"");
    for( i = 0; i < 100; i++ ) ledgerBufText(&buf, "[{");
    ledgerBufText(&buf, "\"");
    for( i = 0; i < 100; i++ ) ledgerBufText(&buf, ",[[]]");
    ledgerBufText(&buf, "]");
    CHECK(parse(buf.z, buf.n) == LEDGER_OK);
    ledgerBufReset(&buf);
    for( i = 0; i < 200000; i++ ) ledgerBufText(&buf, "[");
    CHECK(parse(buf.z, buf.n) == LEDGER_ERROR);
    ledgerBufFree(&buf);
  }
}

/* The text of the document, a lone string, is these bytes. */
static int readsAs(const char *zJson, size_t nJson, const char *z, size_t n) {
  LedgerJson *pDoc = NULL;
  LedgerError err = LEDGER_ERROR_INIT;
  size_t nText = 77;
  const char *zText = NULL;
  int bSame, iRound;
  ledgerJsonParse(zJson, nJson, "text", &pDoc, &err);
  ledgerErrorClear(&err);
  if( pDoc == NULL ) return 0;
  bSame = 1;
  for( iRound = 0; iRound < 2; iRound++ ) { /* the second time is the same */
    zText = ledgerJsonText(pDoc, ledgerJsonRoot(pDoc), &nText);
    bSame = bSame && zText && nText == n && memcmp(zText, z, n) == 0 &&
            zText[n] == 0;
  }
  ledgerJsonFree(pDoc);
  return bSame;
}
#define READS(zJson, z) \
  CHECK_OF(readsAs(zJson, sizeof(zJson) - 1, z, sizeof(z) - 1), zJson)

static void jsonNul(void) {
  READS("\"\\u0000\"", "\0");
  READS("\"a\\u0000b\"", "a\0b");
  READS("\"\\u0000\\u0000\\u0000\"", "\0\0\0");
  READS("\"a\\u0000\"", "a\0");
  READS("\"\\\\u0000\"", "\\u0000"); /* an escaped backslash, then text */
  READS("\"\\\\\\u0000\"", "\\\0");
  READS("\"\\\\\\\\u0000\"", "\\\\u0000");
  READS("\"\\\\u0000\\u0000\"", "\\u0000\0");
  READS("\"\\\"\\u0000\\\"\"", "\"\0\"");
  READS("\"\\u00000\"", "\0"
                        "0");
  READS("\"\xf0\x9f\x98\x80\\u0000\\ud83d\\ude00\"",
        "\xf0\x9f\x98\x80\0\xf0\x9f\x98\x80");
  READS("\"\xef\xb7\x90\\u0000\\ufdcf\"", "\xef\xb7\x90\0\xef\xb7\x8f");
  READS("\"plain\"", "plain");
}

/* A text that holds a NUL beside all three-byte characters from U+FDD0 down
** to U+0800 but one: that one stands in, none is mistaken for it. */
static void jsonCrowded(void) {
  static const unsigned aFree[] = {0x800,  0x801,  0x4e2d,
                                   0xd7ff, 0xe000, 0xfdcf};
  LedgerBuf json = {0}, text = {0};
  size_t i;
  for( i = 0; i <= N_OF(aFree); i++ ) {
    unsigned v;
    char z[4];
    ledgerBufReset(&json);
    ledgerBufReset(&text);
    ledgerBufText(&json, "\"");
    for( v = 0x800; v <= 0xffff; v++ ) {
      size_t n;
      if( (v >= 0xd800 && v <= 0xdfff) || (i && v == aFree[i - 1]) ) continue;
      n = checkEncode(v, z);
      ledgerBufAppend(&text, z, n);
      if( v % 3 ) { /* raw or escaped, both must be seen */
        ledgerBufAppend(&json, z, n);
      } else {
        ledgerBufPrintf(&json, v % 2 ? "\\u%04x" : "\\u%04X", v);
      }
      if( v % 1000 == 0 ) {
        ledgerBufText(&json, "\\u0000");
        ledgerBufAppend(&text, "\0", 1);
      }
    }
    ledgerBufText(&json, "\"");
    if( i == 0 ) { /* every one: refused, not garbled */
      CHECK(parse(json.z, json.n) == LEDGER_ERROR);
    } else {
      CHECK(readsAs(json.z, json.n, text.z, text.n));
    }
  }
  ledgerBufFree(&json);
  ledgerBufFree(&text);
}

/* What ledgerBufJson() writes, ledgerJsonParse() reads: each code point, with
** and without a NUL beside it; then all of them in one text. */
static void jsonRoundTrip(void) {
  LedgerBuf json = {0}, all = {0};
  unsigned v;
  for( v = 0; v <= 0x10ffff; v++ ) {
    char z[16];
    size_t n;
    if( v >= 0xd800 && v <= 0xdfff ) continue;
    n = checkEncode(v, z);
    if( v < 0x800 || v > 0xffff || v % 2 ) ledgerBufAppend(&all, z, n);
    z[n++] = v % 2 ? 0 : 'x';
    n += checkEncode(v, z + n);
    ledgerBufReset(&json);
    ledgerBufJson(&json, z, n);
    if( readsAs(json.z, json.n, z, n) ) continue;
    snprintf(zWhy, sizeof(zWhy), "U+%04X does not come back", v);
    break;
  }
  ledgerBufReset(&json);
  ledgerBufJson(&json, all.z, all.n);
  CHECK(readsAs(json.z, json.n, all.z, all.n));
  ledgerBufReset(&json);
  ledgerBufJson(&json, "", 0);
  CHECK(strcmp(json.z, "\"\"") == 0);
  ledgerBufReset(&json);
  ledgerBufJson(&json, "\"\\\n\r\t\b\f\x01\x1f\x7f\0/\xc3\xa9", 14);
  CHECK(strcmp(json.z, "\"\\\"\\\\\\n\\r\\t\\u0008\\u000c\\u0001\\u001f"
                       "\\u007f\\u0000/\xc3\xa9\"") == 0);
  ledgerBufFree(&json);
  ledgerBufFree(&all);
}

static void jsonMembers(void) {
  static const char z[] = "{\"a\":\"x\\u0000y\",\"A\":1,\"n\":null,\"o\":{}}";
  LedgerJson *pDoc = NULL;
  LedgerError err = LEDGER_ERROR_INIT;
  size_t n = 0;
  const char *zText;
  cJSON *pRoot;
  CHECK(ledgerJsonParse(z, sizeof(z) - 1, "text", &pDoc, &err) == LEDGER_OK);
  if( pDoc == NULL ) return;
  pRoot = ledgerJsonRoot(pDoc);
  zText = ledgerJsonMemberText(pDoc, pRoot, "a", &n);
  CHECK(zText && n == 3 && memcmp(zText, "x\0y", 4) == 0);
  CHECK(ledgerJsonMemberText(pDoc, pRoot, "a", NULL) == zText);
  CHECK(ledgerJsonMemberText(pDoc, pRoot, "A", &n) == NULL);
  CHECK(ledgerJsonMemberText(pDoc, pRoot, "n", &n) == NULL);
  CHECK(ledgerJsonMemberText(pDoc, pRoot, "z", &n) == NULL);
  CHECK(ledgerJsonMember(pRoot, "A") && ledgerJsonMember(pRoot, "n"));
  CHECK(ledgerJsonMember(NULL, "a") == NULL);
  CHECK(ledgerJsonMember(ledgerJsonMember(pRoot, "A"), "a") == NULL);
  CHECK(ledgerJsonText(pDoc, NULL, &n) == NULL);
  ledgerJsonFree(pDoc);
  ledgerJsonFree(NULL);
}

/* ledgerJsonSlice() gives a member's value byte by byte. */
static void jsonSlice(void) {
  static const struct {
    const char *zJson, *zKey, *zValue; /* NULL: there is none */
  } aSlice[] = {
      {"{\"a\":1}", "a", "1"},
      {" {\"a\" : [1, {\"b\":\"]}\"}] , \"c\":\"\\\"}\" }", "a",
       "[1, {\"b\":\"]}\"}]"},
      {" {\"a\" : [1, {\"b\":\"]}\"}] , \"c\":\"\\\"}\" }", "c", "\"\\\"}\""},
      {"{\"a\":{\"b\":2},\"bb\":3,\"b\":null\n}", "b", "null"},
      {"{\"a\":{\"b\":2}}", "b", NULL},
      {"{\"x\":\"\\\\\",\"a\":\"\\u0000\"}", "a", "\"\\u0000\""},
      {"{}", "a", NULL},
      {"[\"a\",1]", "a", NULL},
      {"\"a\"", "a", NULL},
      {"", "a", NULL},
  };
  size_t i, n;
  for( i = 0; i < sizeof(aSlice) / sizeof(aSlice[0]); i++ ) {
    const char *z = ledgerJsonSlice(aSlice[i].zJson, strlen(aSlice[i].zJson),
                                    aSlice[i].zKey, &n);
    if( aSlice[i].zValue == NULL ) {
      CHECK(z == NULL);
    } else {
      CHECK(z && n == strlen(aSlice[i].zValue) &&
            memcmp(z, aSlice[i].zValue, n) == 0);
    }
  }
}

/* ---- all --------------------------------------------------------------- */

static const CheckCase aCase[] = {
    {"json-good", jsonGood},
    {"json-bad", jsonBad},
    {"json-trailing", jsonTrailing},
    {"json-trailing-nul", jsonTrailingNul},
    {"json-control", jsonControl},
    {"json-blanks", jsonBlanks},
    {"json-numbers", jsonNumbers},
    {"json-duplicates", jsonDuplicates},
    {"json-surrogates", jsonSurrogates},
    {"json-escapes", jsonEscapes},
    {"json-utf8", jsonUtf8},
    {"json-depth", jsonDepth},
    {"json-nul", jsonNul},
    {"json-crowded", jsonCrowded},
    {"json-round-trip", jsonRoundTrip},
    {"json-members", jsonMembers},
    {"json-slice", jsonSlice},
};

int main(void) {
  return checkAll(aCase, N_OF(aCase));
}
