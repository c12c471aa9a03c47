/*
** What the files of options share: option.c, the table of them, and config.c,
** the values that one ledger's have.
*/
#ifndef LEDGER_OPTION_INT_H
#define LEDGER_OPTION_INT_H

#include "client/clientInt.h"

/* Kinds of values. */
enum {
  OPTION_TEXT = 1, /* char * */
  OPTION_INT,      /* int, from iMin */
  OPTION_INT64,    /* int64_t, from iMin */
  OPTION_CHOICE    /* int: index into the words of zWords */
};

#define OPTION_SECRET 0x01 /* never shown */
#define OPTION_REF 0x02    /* env:NAME and file:PATH are references */
#define OPTION_PATH 0x04   /* PEM text, or the path of a file that holds it */
#define OPTION_LIVE 0x08   /* text that says nothing of whom to connect to */
#define OPTION_LINK 0x10   /* no text, but says how to connect */
/* Who you are, whom you trust: never taken away by something empty. */
#define OPTION_WHO 0x20
#define OPTION_ONCE 0x40  /* its file is never read again: a pin */
#define OPTION_STALE 0x80 /* while its file can't be read, what it was holds */
#define OPTION_LIST 0x100 /* a JSON array too, which may hold secrets */

/* A row of the table. */
typedef struct LedgerOptionRow LedgerOptionRow;
struct LedgerOptionRow {
  const char *zName;
  int eType;
  int mFlag;
  size_t iOffset;       /* of its field in LedgerConfig */
  const char *zDefault; /* as text; "" where there is none */
  int64_t iMin;         /* least number */
  const char *zWords;   /* OPTION_CHOICE: the words, one space between */
  const char *zDoc;
  const char *zExample; /* a value that it takes, or an object of options */
  const char *zRefused; /* likewise, one that it refuses */
  /* Checks a text, and may put it into the form that is kept; NULL: any. */
  int (*xCheck)(const char *zName, char *z, LedgerError *pErr);
  /* Checks it with the others, when it was set alone; NULL: they don't matter.
  */
  int (*xFits)(const LedgerConfig *p, LedgerError *pErr);
};

/* The file that an option came from. */
typedef struct LedgerOptionFile LedgerOptionFile;
struct LedgerOptionFile {
  char *zPath; /* NULL: none */
  int bPipe;   /* it can't be read again */
};

/* ---- option.c ----------------------------------------------------------- */

extern const LedgerOptionRow aLedgerOption[];
extern const int nLedgerOption;

const LedgerOptionRow *ledgerOptionFind(const char *zName, LedgerError *pErr);
int ledgerOptionIsText(const LedgerOptionRow *pRow);
int ledgerOptionIsSwitch(const LedgerOptionRow *pRow);
int ledgerOptionWord(const char *zWords, const char *zWord);

#endif /* LEDGER_OPTION_INT_H */
