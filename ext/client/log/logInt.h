/*
** What the files of client/log share with each other and nobody else.
*/
#ifndef LEDGER_LOG_INT_H
#define LEDGER_LOG_INT_H

#include "client/log/log.h"

/* Levels. */
enum {
  LEDGER_LOG_OFF = 0,
  LEDGER_LOG_INFO,
  LEDGER_LOG_DEBUG
};

/* ---- redact.c ----------------------------------------------------------- */

/* Append a path with its query; a header line; a body, clipped. The latter two
** are lines behind zMark. */
void ledgerRedactRest(LedgerBuf *p, const char *z);
void ledgerRedactHeader(LedgerBuf *p, const char *zMark, const char *z,
                        size_t n);
void ledgerRedactBody(LedgerBuf *p, const char *zMark, const char *zType,
                      const char *z, size_t n);

/* ---- sink.c ------------------------------------------------------------- */

/* The open file. */
typedef struct LedgerSink LedgerSink;
struct LedgerSink {
  char *zFile; /* path behind fd, or NULL */
  int fd;      /* open for appending, or -1 */
  int bFailed; /* it can't be written: said once */
};

/* Reads the option's value: its level, and the path, or NULL for stderr. -1: it
** can't be. */
int ledgerSinkLevel(const char *z, const char **pzFile);
void ledgerSinkWrite(LedgerSink *p, const char *zFile, const LedgerBuf *pText);
void ledgerSinkClear(LedgerSink *p);

#endif /* LEDGER_LOG_INT_H */
