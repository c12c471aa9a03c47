/*
** What the files of client/log share with each other and nobody else.
*/
#ifndef LEDGER_LOG_INT_H
#define LEDGER_LOG_INT_H

#include "client/log/log.h"

#include <sys/types.h>

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

/* Reads an option's value: which of the words it is, and the path behind it, or
** NULL for stderr. -1: it can't be. */
int ledgerSinkWord(const char *z, const char *const *azWord, int nWord,
                   const char **pzFile);

/* Option log's: its level. */
int ledgerSinkLevel(const char *z, const char **pzFile);
void ledgerSinkWrite(LedgerSink *p, const char *zFile, const LedgerBuf *pText);
void ledgerSinkClear(LedgerSink *p);

/* Whether the option's file can be written to: an error that says why not. zOn
** is a value of the option that isn't off. */
int ledgerSinkCheck(const char *zOption, const char *zOn, const char *zFile,
                    LedgerError *pErr);

/* A file that holds one text: puts it in the place of the one before, and takes
** it away. What fails is passed over. */
void ledgerSinkReplace(LedgerSink *p, const char *zFile,
                       const LedgerBuf *pText);
void ledgerSinkEmpty(LedgerSink *p);

/* ---- progress_list.c ---------------------------------------------------- */

/* What a connection has told of its statement. */
typedef struct LedgerProgressListed LedgerProgressListed;
struct LedgerProgressListed {
  int64_t iConnection;         /* its number, once it has told something */
  int bListed;                 /* it stands in the list ... */
  pid_t pid;                   /* ... of this process, ... */
  LedgerProgressListed *pNext; /* ... before this one */
  LedgerProgressRow row;       /* a copy */
};

/* Tells the others, as far as may be now; and that the statement is over. */
void ledgerProgressList(LedgerProgressListed *p, const LedgerProgressRow *pRow);
void ledgerProgressUnlist(LedgerProgressListed *p);

#endif /* LEDGER_LOG_INT_H */
