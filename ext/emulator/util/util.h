/*
** The face of emulator/util, the bottom of the room: text, numbers, the clock,
** files, and warnings. Nothing here knows a ledger.
*/
#ifndef EMU_UTIL_H
#define EMU_UTIL_H

#include "base/base.h"

#define EMU_HASH 32 /* bytes of a SHA-256 */

/* ---- text.c ------------------------------------------------------------ */

/* A piece of text with its length; no NUL need follow. */
typedef struct EmuText EmuText;
struct EmuText {
  char *z;
  size_t n;
};

/* 1 when the n bytes at z are the text zWord. z may be NULL. */
int emuIs(const char *z, size_t n, const char *zWord);

/* 1 when they are one of the words of zList, which cSep separates. */
int emuListed(const char *zList, char cSep, const char *z, size_t n);

/* 1 when the text is UTF-8 of 1 to nMax bytes without control characters. */
int emuPlainText(const char *z, size_t n, size_t nMax);

/* Reads a decimal number of at most iMax. Returns 1 and sets *pi, or 0. */
int emuNumber(const char *z, size_t n, int64_t iMax, int64_t *pi);

/* Decodes n percent-encoded bytes into zOut, which has room for n; bPlus: a '+'
** is a space. Returns how many they are. "%zz" stays as it is. */
size_t emuUrlDecode(const char *z, size_t n, int bPlus, char *zOut);

/* Appends the text percent-encoded for a query; a colon stays. */
void emuQueryText(LedgerBuf *pBuf, const char *z, size_t n);

/* Appends a random UUID. */
int emuUuid(LedgerBuf *pBuf, LedgerError *pErr);

/* One line on stderr: "ledger-emulator: ...". */
void emuWarn(const char *zFmt, ...) LEDGER_PRINTF(1, 2);

/* Milliseconds of the monotonic clock. */
double emuClock(void);

/* ---- file.c ------------------------------------------------------------ */

/* Writes a file as a whole: beside it, then renamed into place. */
int emuFileWrite(const char *zPath, const char *z, size_t n, int mode,
                 LedgerError *pErr);

#endif /* EMU_UTIL_H */
