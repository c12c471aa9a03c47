/*
** The face of the room "base": what every other room uses. Errors, transaction
** ids, bytes (growable text, hex, base64), ASCII in any locale, and strict
** JSON, read and written; secrets, a table that forgets, and the clock.
**
** Invariants: nothing here knows SQLite or the network. A function
** that can fail returns a LEDGER_* code and fills a LedgerError; LEDGER_OK is
** 0. Text is UTF-8 with an explicit length wherever it may hold a NUL.
*/
#ifndef LEDGER_BASE_H
#define LEDGER_BASE_H

#include <cjson/cJSON.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>

/* ---- error.c ------------------------------------------------------------ */

/*
** Result codes. The values are SQLite's primary result codes (asserted in
** ext/sqlite), so that the room above hands them on unchanged.
*/
enum {
  LEDGER_OK = 0,
  LEDGER_ERROR = 1,       /* wrong use, or an answer that makes no sense */
  LEDGER_BUSY = 5,        /* a budget of time or retries is spent */
  LEDGER_NOMEM = 7,       /* out of memory */
  LEDGER_READONLY = 8,    /* entries are append-only */
  LEDGER_INTERRUPT = 9,   /* Ctrl-C, sqlite3_interrupt() */
  LEDGER_IOERR = 10,      /* network, TLS, file system */
  LEDGER_NOTFOUND = 12,   /* an id asked for by function does not exist */
  LEDGER_FULL = 13,       /* a bounded queue is full */
  LEDGER_TOOBIG = 18,     /* an answer above max_response_bytes */
  LEDGER_CONSTRAINT = 19, /* refused input */
  LEDGER_AUTH = 23        /* 401, 403, another service key */
};

/*
** One error, passed down by its address. Start with LEDGER_ERROR_INIT; the
** first error set wins, later ones are dropped, so that a cleanup path can't
** hide the cause. Free with ledgerErrorClear().
*/
typedef struct LedgerError LedgerError;
struct LedgerError {
  int rc;     /* LEDGER_* code */
  int http;   /* HTTP status behind it, or 0 */
  int eStage; /* how far it came, where somebody decides by it (client.h) */
  int eCause; /* what is wrong, where somebody advises by it: LEDGER_CAUSE_* */
  char *zMsg; /* what happened (malloc), or NULL: the code says it all */
};
#define LEDGER_ERROR_INIT \
  { 0, 0, 0, 0, NULL }

/* LedgerError.eCause: what a remedy is known for. ledger_ping()'s report gives
** them by name, and sql/doctor.sql has the remedies. */
enum {
  LEDGER_CAUSE_NONE,          /* any other */
  LEDGER_CAUSE_UNREACHABLE,   /* no connection, or no such name */
  LEDGER_CAUSE_NO_LEDGER,     /* the identity service doesn't know the ledger */
  LEDGER_CAUSE_OTHER_KEY,     /* another service key than the one trusted */
  LEDGER_CAUSE_DATES,         /* a certificate that is not valid now */
  LEDGER_CAUSE_REFUSED,       /* the ledger refused the credential: 401 */
  LEDGER_CAUSE_NO_ROLE,       /* the ledger gives the user no such right: 403 */
  LEDGER_CAUSE_NO_CREDENTIAL, /* none of the default chain is set up */
  LEDGER_CAUSE_NOT_SET_UP,    /* the one credential tried is not set up */
  LEDGER_CAUSE_BAD_NAME,      /* AZURE_TOKEN_CREDENTIALS names none */
  LEDGER_CAUSE_FILE           /* a file can't be read */
};

#if defined(__GNUC__)
#define LEDGER_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define LEDGER_PRINTF(f, a)
#endif

/* Sets rc and a printf-formatted message unless pErr already holds an error; of
** the message what is UTF-8. Returns pErr->rc. The prefix `ledger: ` is put at
** the edge to SQL. */
int ledgerErrorSet(LedgerError *pErr, int rc, const char *zFmt, ...)
    LEDGER_PRINTF(3, 4);

/* Set LEDGER_NOMEM, and LEDGER_INTERRUPT without more to say, unless an error
** is set. Return pErr->rc. */
int ledgerErrorNomem(LedgerError *pErr);
int ledgerErrorInterrupt(LedgerError *pErr);

/* Says the error *pCause in other words: as ledgerErrorSet(), with the code,
** status and stage of *pCause. pErr may be pCause itself, whose message is then
** replaced; either way it may be an argument of the format. */
int ledgerErrorWrap(LedgerError *pErr, const LedgerError *pCause,
                    const char *zFmt, ...) LEDGER_PRINTF(3, 4);

/* Copies an error with its text, unless pErr holds one. Returns pErr->rc. */
int ledgerErrorCopy(LedgerError *pErr, const LedgerError *pFrom);

/* The analyzer of clang can't see that these never return LEDGER_OK. */
#ifdef __clang_analyzer__
#define ledgerErrorSet(...) ((ledgerErrorSet)(__VA_ARGS__), LEDGER_ERROR)
#define ledgerErrorNomem(p) ((ledgerErrorNomem)(p), LEDGER_NOMEM)
#endif

/* The message, never NULL: what the code says stands in where there is none. */
const char *ledgerErrorText(const LedgerError *pErr);

/* Frees the message and makes *pErr empty again. */
void ledgerErrorClear(LedgerError *pErr);

/* ---- txid.c ------------------------------------------------------------- */

/*
** A transaction id, `view.seqno`: both decimal without leading zeros, seqno at
** least 1. The unset id is {0,0}; seqno alone says whether one is set.
** Reference: CCF documentation, "Transaction IDs".
*/
typedef struct LedgerTxid LedgerTxid;
struct LedgerTxid {
  int64_t view;
  int64_t seqno;
};

#define LEDGER_TXID_MAX 41 /* bytes of the longest id with its NUL */

/* Reads the n bytes at z as a canonical id. Returns 1 and fills *pId, or
** returns 0 and leaves *pId alone. Views and seqnos are below 2^63; a seqno
** of 2^48 or more is not an id either, since it would not fit into a rowid. */
int ledgerTxidParse(const char *z, size_t n, LedgerTxid *pId);

/* Writes id as text with a NUL into z[LEDGER_TXID_MAX]; returns z. */
char *ledgerTxidFormat(LedgerTxid id, char *z);

/* <0, 0 or >0: by seqno, then by view. */
int ledgerTxidCompare(LedgerTxid a, LedgerTxid b);

/* ---- bytes.c ------------------------------------------------------------ */

/*
** A growable byte string that is always NUL-terminated behind n bytes. Zero it
** to start ({0}); memory failures stick in bOom, so that a run of appends is
** checked once, at its end.
*/
typedef struct LedgerBuf LedgerBuf;
struct LedgerBuf {
  char *z;       /* the bytes (malloc), or NULL while empty */
  size_t n;      /* bytes used, without the NUL */
  size_t nAlloc; /* bytes allocated */
  int bOom;      /* an append failed; z holds what fitted before */
};

void ledgerBufAppend(LedgerBuf *p, const void *a, size_t n);
void ledgerBufText(LedgerBuf *p, const char *z);
void ledgerBufPrintf(LedgerBuf *p, const char *zFmt, ...) LEDGER_PRINTF(2, 3);

/* Appends text as a JSON string with its quotes. UTF-8 is kept as it is;
** quotes, backslashes and control characters (NUL too) are escaped. */
void ledgerBufJson(LedgerBuf *p, const char *z, size_t n);

/* Appends n bytes percent-encoded: all but RFC 3986's unreserved characters. */
void ledgerBufUrl(LedgerBuf *p, const char *z, size_t n);

void ledgerBufReset(LedgerBuf *p); /* n=0; keeps the memory */
void ledgerBufFree(LedgerBuf *p);  /* frees the memory; *p is empty again */

/* Hands the text to the caller (free()), or NULL when memory was short; *p is
** empty afterwards. An empty buffer gives "". */
char *ledgerBufTake(LedgerBuf *p);

/* Copy n bytes and add a NUL, or a text; NULL when memory is short, or z is
** NULL. */
char *ledgerStrndup(const char *z, size_t n);
char *ledgerStrdup(const char *z);

/* printf into memory of the caller's (free()); NULL when memory is short. */
char *ledgerMprintf(const char *zFmt, ...) LEDGER_PRINTF(1, 2);

/* Copies n bytes of foreign text into zOut[nOut]: control characters become
** spaces, and it is clipped where no UTF-8 character is cut. */
void ledgerTextClean(const char *z, size_t n, char *zOut, size_t nOut);

/* Hex of n bytes, lower case, with a NUL: zOut has 2n+1 bytes. Returns zOut.
*/
char *ledgerHexEncode(const void *a, size_t n, char *zOut);

/* Reads exactly n bytes from the nHex=2n hex digits at z, in either case.
** Returns 1, or 0 when the length or a digit is wrong. */
int ledgerHexDecode(const char *z, size_t nHex, unsigned char *a, size_t n);

/* Base64 (RFC 4648 section 4, padded; or section 5, "url", unpadded). */
void ledgerBufBase64(LedgerBuf *p, const void *a, size_t n);
void ledgerBufBase64Url(LedgerBuf *p, const void *a, size_t n);

/* Strict decoding of n characters: no white space, no stray bits, padding
** exactly as the encoder writes it. Appends to *p; returns 1, or 0. */
int ledgerBase64Decode(const char *z, size_t n, LedgerBuf *p);
int ledgerBase64UrlDecode(const char *z, size_t n, LedgerBuf *p);

/* 1 when the n bytes are well-formed UTF-8 (no surrogates, no overlong form,
** nothing above U+10FFFF). A NUL is a character like any other. */
int ledgerUtf8Valid(const char *z, size_t n);

/* ---- ascii.c ------------------------------------------------------------ */

/* Characters, comparisons and numbers as ASCII has them, whatever locale the
** host has set. Nothing that a machine reads goes through <ctype.h>,
** strcasecmp(), strtod() or a printf() of a double; lint sees to it. */
int ledgerIsDigit(char c);
int ledgerIsHexDigit(char c);
int ledgerIsAlnum(char c);
char ledgerLower(char c);
int ledgerStricmp(const char *a, const char *b);
int ledgerStrnicmp(const char *a, const char *b, size_t n);

#define LEDGER_NUMBER_MAX 352 /* bytes of the longest number: 309 digits */

/* Writes r with a point: nPlace digits behind it, 0 to 20, or with -1 as many
** as show 15 digits. z has LEDGER_NUMBER_MAX bytes. Returns z. */
char *ledgerNumberFormat(double r, int nPlace, char *z);
void ledgerBufNumber(LedgerBuf *p, double r, int nPlace);

/* Reads all of z as digits, with a point or without: 15 digits at most, no
** sign and no exponent. Returns 1 and sets *pr, or returns 0. */
int ledgerNumberParse(const char *z, double *pr);

/* What strerror() says, in English. Lives until the thread's next call. */
const char *ledgerSystemError(int e);

/* The locale "C", for uselocale() around a library's call: it is this thread's
** alone. 0 where memory was short, which leaves the locale as it is. */
locale_t ledgerAsciiLocale(void);

/* ---- secret.c ----------------------------------------------------------- */

/* Wipe and free a secret, or a buffer that held one. NULL is allowed. */
void ledgerSecretFree(char *z);
void ledgerBufWipe(LedgerBuf *p);

/* Gives an empty buffer room for n bytes, so that it needn't grow. Returns 1,
** or 0 and sets bOom. */
int ledgerBufRoom(LedgerBuf *p, size_t n);

/* Takes a secret out of a text, wherever it stands; *** is in its place. What
** is left of one that was clipped goes too, whether the text ends there or
** goes on. Either may be NULL. */
void ledgerSecretHide(char *zText, const char *zSecret);

/* ---- lru.c -------------------------------------------------------------- */

/*
** A table that forgets: values by key, both bytes of any length, within a bound
** of bytes (all counted); the one used longest ago leaves first. xDrop is
** called with each value before it is freed; NULL: nothing is to be done.
*/
typedef struct LedgerLru LedgerLru;

LedgerLru *ledgerLruNew(void (*xDrop)(void *pValue)); /* NULL: no memory */
void ledgerLruFree(LedgerLru *p);                     /* NULL is allowed */

/* The value of a key, *pnValue bytes (may be NULL), aligned for any type, or
** NULL. It counts as used, and lives until the next put or fit. */
void *ledgerLruGet(LedgerLru *p, const void *aKey, size_t nKey,
                   size_t *pnValue);

/* Keeps a value, copied, within nMax bytes in all; in place of the one that was
** kept by the same key. Returns 0 where it isn't kept (the value is then the
** caller's): memory is short, or it alone is larger. */
int ledgerLruPut(LedgerLru *p, const void *aKey, size_t nKey,
                 const void *aValue, size_t nValue, int64_t nMax);

/* Forgets what was used longest ago, until nMax bytes are left; 0: all. */
void ledgerLruFit(LedgerLru *p, int64_t nMax);

/* The bytes that count, and the values kept (may be NULL). */
int64_t ledgerLruBytes(const LedgerLru *p, int *pnItem);

/* ---- clock.c ------------------------------------------------------------ */

/* Milliseconds of a clock that never goes back, and since 1970. */
int64_t ledgerClockMs(void);
int64_t ledgerClockWall(void);

/* ---- json.c ------------------------------------------------------------- */

/*
** A parsed JSON document. Strict: well-formed UTF-8, no bytes after the value,
** no member twice in an object, nesting up to LEDGER_JSON_DEPTH, at most
** LEDGER_JSON_VALUES values, numbers by RFC 8259.
** Reading goes through cJSON, walked by child and next (never by index).
**
** cJSON ends a string at an escaped NUL. The parser therefore puts a character
** that the text does not contain in its place; ledgerJsonText() puts the NUL
** back. Never read valuestring directly where contents may stand.
*/
typedef struct LedgerJson LedgerJson;

#define LEDGER_JSON_DEPTH 64
#define LEDGER_JSON_VALUES 131072 /* each costs some hundred bytes */

/* Parses the n bytes at z. zWhat names the text in messages ("page of
** entries"). On LEDGER_OK *ppDoc is set; free it with ledgerJsonFree(). */
int ledgerJsonParse(const char *z, size_t n, const char *zWhat,
                    LedgerJson **ppDoc, LedgerError *pErr);
void ledgerJsonFree(LedgerJson *pDoc);
void ledgerJsonFreeSecret(LedgerJson *pDoc); /* wipes its texts */

/* cJSON's own reader and writer, in any locale: a number has a point. The tree
** is for cJSON_Delete(), the text for cJSON_free(). NULL where it is no JSON or
** memory is short. */
cJSON *ledgerJsonTree(const char *z);
char *ledgerJsonPrint(const cJSON *pVal);

cJSON *ledgerJsonRoot(LedgerJson *pDoc);

/* The member zKey (case-sensitive) of an object, or NULL; NULL also when pObj
** is NULL or not an object. */
cJSON *ledgerJsonMember(const cJSON *pObj, const char *zKey);

/* The text of a string value with its length; NUL bytes are whole. Returns the
** text, which lives as long as the document, or NULL when pVal is NULL or no
** string. pn may be NULL. */
const char *ledgerJsonText(LedgerJson *pDoc, cJSON *pVal, size_t *pn);

/* Shorthand: ledgerJsonText() of a member. */
const char *ledgerJsonMemberText(LedgerJson *pDoc, const cJSON *pObj,
                                 const char *zKey, size_t *pn);

/* The value of the member zKey of an object, as it is written in its text z of
** n bytes: for what is handed on or kept byte by byte. The text must be one
** that ledgerJsonParse() accepts. NULL where there is no such member. */
const char *ledgerJsonSlice(const char *z, size_t n, const char *zKey,
                            size_t *pn);

/* ---- jsonread.c: reading JSON in place ---------------------------------- */

#define LEDGER_JSON_NAMES 12 /* members of an object that is read in place */

/* A text within the JSON that is read. */
typedef struct LedgerJsonSpan LedgerJsonSpan;
struct LedgerJsonSpan {
  size_t i, n;  /* where it stands, without its quotes */
  int bEscaped; /* it holds escapes */
};

/* The names of an object's members so far, {0} at its start. */
typedef struct LedgerJsonNames LedgerJsonNames;
struct LedgerJsonNames {
  int n;
  LedgerJsonSpan a[LEDGER_JSON_NAMES];
};

/* How far a text is read. */
typedef struct LedgerJsonRead LedgerJsonRead;
struct LedgerJsonRead {
  const char *z; /* borrowed */
  size_t n, i;
  size_t nValue; /* { [ and , met */
  int bFirst;    /* no item of the container at hand was read yet */
  int bOdd;      /* it is not what was expected: all below return 0 */
};

/* Begins to read z[n], of which nothing is changed or copied. */
int ledgerJsonReadStart(LedgerJsonRead *p, const char *z, size_t n);

/* Enters an array ('[') or an object ('{'). */
int ledgerJsonReadOpen(LedgerJsonRead *p, char c);

/* 1: there is another item, to be read now; 0: the array is closed. */
int ledgerJsonReadItem(LedgerJsonRead *p);

/* The same for an object: the next member's name is read, its value is to be
** read now. */
int ledgerJsonReadName(LedgerJsonRead *p, LedgerJsonNames *pNames,
                       LedgerJsonSpan *pName);

/* Does the value that is to be read begin with this character? */
int ledgerJsonReadPeek(LedgerJsonRead *p, char c);

/* A text; any value, passed over; the end of it all. 1 where that is there. */
int ledgerJsonReadText(LedgerJsonRead *p, LedgerJsonSpan *pSpan);
int ledgerJsonReadSkip(LedgerJsonRead *p);
int ledgerJsonReadEnd(LedgerJsonRead *p);

/* Is the text, as it is written, this one? */
int ledgerJsonSpanIs(const LedgerJsonRead *p, const LedgerJsonSpan *pSpan,
                     const char *z);

/* Unescapes a text where it stands, in z, which was read to its end, and puts a
** NUL behind it. pSpan->n becomes its length: it may hold NULs. */
char *ledgerJsonSpanText(char *z, LedgerJsonSpan *pSpan);

#endif /* LEDGER_BASE_H */
