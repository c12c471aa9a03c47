/*
** Checks base/jsonread.c from inside: what it reads, what is odd to it, and
** that it agrees with cJSON on texts that are made worse byte by byte.
**
**     build/unit/jsonread
*/
#include "../fuzz/jsonread.h"
#include "check.h"

/* 1 where the text is read in place; it agrees with cJSON in any case. */
static int reads(const char *z, size_t n) {
  int bRead = 0;
  const char *zWrong = jsonReadDiffers(z, n, &bRead);
  CHECK_OF(zWrong == NULL, zWrong);
  return bRead;
}

#define READ(z) CHECK_OF(reads(z, sizeof(z) - 1) == 1, z)
#define ODD(z) CHECK_OF(reads(z, sizeof(z) - 1) == 0, z)

static const char zPage[] =
    "{ \"state\":\"Ready\", \"nextLink\" : null,\r\n\t\"entries\":"
    "[{\"contents\":\"a \\\"b\\\" \\u0000 \\ud83d\\ude00 \xc3\xa9 "
    "\\/\\b\\f\\n\\r\\t\",\"collectionId\":\"A\","
    "\"transactionId\":\"2.15\",\"tags\":[\"x\",\"\"]},"
    "{\"contents\":\"\",\"more\":[1,0,true,false,null,[],{}],"
    "\"transactionId\":\"2.16\"} ] }\n";

static void readGood(void) {
  READ("{}");
  READ("[]");
  READ("\"\"");
  READ("null");
  READ(" [ 1 , 20 , 300 ] ");
  READ("[0,999999999999999]");
  READ("{\"a\":{\"a\":[{\"a\":1},{\"a\":1}]}}");
  READ("\"\\u0041\\u00e9\\u20ac\\uffff\\ud83d\\ude00\"");
  READ("\"\\u0000\"");
  READ("{\"a\":1,\"A\":2,\"\":3}");
  CHECK(reads(zPage, sizeof(zPage) - 1));
}

/* As many values as may be, and one more: zeros in an array, and empty arrays,
** of which each counts twice, as it does to json.c. */
static void readMany(void) {
  char *z = malloc(2 * LEDGER_JSON_VALUES + 1);
  int i;
  CHECK(z != NULL);
  if( z == NULL ) return;
  for( i = 0; i < LEDGER_JSON_VALUES; i++ ) {
    z[2 * i] = i == 0 ? '[' : ',';
    z[2 * i + 1] = '0';
  }
  z[2 * i] = ']';
  CHECK(reads(z, 2 * LEDGER_JSON_VALUES + 1) == 0);
  z[2 * i - 2] = ']';
  CHECK(reads(z, 2 * LEDGER_JSON_VALUES - 1) == 1);
  for( i = 0; i < LEDGER_JSON_VALUES / 2; i++ ) memcpy(z + 3 * i + 1, "[],", 3);
  z[3 * i] = ']';
  CHECK(reads(z, 3 * LEDGER_JSON_VALUES / 2 + 1) == 0);
  z[3 * i - 3] = ']';
  CHECK(reads(z, 3 * LEDGER_JSON_VALUES / 2 - 2) == 1);
  free(z);
}

/* What cJSON refuses, and what is left to it. */
static void readOdd(void) {
  ODD("");
  ODD(" ");
  ODD("[1,]");
  ODD("[,1]");
  ODD("[1 2]");
  ODD("[1}");
  ODD("{\"a\":1,}");
  ODD("{\"a\" 1}");
  ODD("{\"a\":1,\"a\":2}");
  ODD("{\"\\u0061\":1}");
  ODD("[] []");
  ODD("[]x");
  ODD("\"\\ud800\"");
  ODD("\"\\udc00\"");
  ODD("\"\\ud800\\u0041\"");
  ODD("\"\\x\"");
  ODD("\"\\u12g4\"");
  ODD("\"\\");
  ODD("\"\x01\"");
  ODD("\"\xff\"");
  ODD("[01]");
  ODD("[-1]");
  ODD("[1.5]");
  ODD("[1e3]");
  ODD("[9999999999999999]");
  ODD("[[[[[[[[[[[[]]]]]]]]]]]]x");
  ODD("\xef\xbb\xbf[]");
  ODD("{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,"
      "\"i\":0,\"j\":0,\"k\":0,\"l\":0,\"m\":0}");
}

/* Each byte that isn't plain, and its neighbours that are, at each place of
** texts of each length: it is found wherever a word of eight bytes begins. */
static void readPlaces(void) {
  static const char *const azPlain[] = {" ",
                                        "!",
                                        "#",
                                        "[",
                                        "]",
                                        "~",
                                        "\x7f",
                                        "\\\"",
                                        "\\u0000",
                                        "\xc3\xa9",
                                        "\xf0\x9f\x98\x80"};
  static const char *const azBad[] = {"\"", "\\", "\x1f", "\x01", "\x80"};
  char z[80];
  int nLen, iAt, i, k, n;
  for( nLen = 0; nLen < 24; nLen++ ) {
    for( iAt = 0; iAt <= nLen; iAt++ ) {
      for( k = 0; k < 2; k++ ) { /* in the first word, or in later ones */
        const int nSpace = k ? nLen % 8 : 0;
        for( i = 0; i < (int)N_OF(azPlain); i++ ) {
          n = snprintf(z, sizeof(z), "%*s\"%.*s%s%.*s\"", nSpace, "", iAt,
                       "aaaaaaaaaaaaaaaaaaaaaaaa", azPlain[i], nLen - iAt,
                       "zzzzzzzzzzzzzzzzzzzzzzzz");
          CHECK_OF(reads(z, (size_t)n) == 1, z);
        }
        for( i = 0; i < (int)N_OF(azBad); i++ ) {
          n = snprintf(z, sizeof(z), "%*s\"%.*s%s%.*s\"", nSpace, "", iAt,
                       "aaaaaaaaaaaaaaaaaaaaaaaa", azBad[i], nLen - iAt,
                       "zzzzzzzzzzzzzzzzzzzzzzzz");
          CHECK_OF(reads(z, (size_t)n) == 0, z);
        }
      }
    }
  }
}

/* A number that follows from the one before (Knuth's MMIX constants). */
static unsigned readRandom(uint64_t *p) {
  *p = *p * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (unsigned)(*p >> 33);
}

/* The page, cut at each byte, and with one to three bytes changed, 200,000
** times. Some of what comes out is JSON still. */
static void readWorse(void) {
  static const char zBytes[] = "\"\\,:[]{}u0dn1e \t\x01\x80";
  const size_t n = sizeof(zPage) - 1;
  char z[sizeof(zPage)];
  uint64_t iSeed = 1;
  int i, nRead = 0;
  for( i = 0; i < (int)n; i++ ) reads(zPage, (size_t)i);
  for( i = 0; i < 200000; i++ ) {
    unsigned k = 1 + readRandom(&iSeed) % 3;
    memcpy(z, zPage, n);
    while( k-- > 0 ) {
      z[readRandom(&iSeed) % n] =
          zBytes[readRandom(&iSeed) % (sizeof(zBytes) - 1)];
    }
    nRead += reads(z, n);
  }
  CHECK(nRead > 1000 && nRead < 199000);
}

static const CheckCase aCase[] = {{"jsonread-good", readGood},
                                  {"jsonread-odd", readOdd},
                                  {"jsonread-many", readMany},
                                  {"jsonread-places", readPlaces},
                                  {"jsonread-worse", readWorse}};

int main(void) {
  return checkAll(aCase, N_OF(aCase));
}
