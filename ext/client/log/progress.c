/*
** What a statement is doing, told while it waits, as option `progress` says:
**
**   progress = auto | on | off, or one with " stderr" or " file:PATH" after it
**
** on: from its first wait; auto: once it has run for PROGRESS_AUTO_MS, and to
** stderr only where that is a terminal. A line of stderr, redrawn in its place,
** or PATH, a regular file: one JSON object in PROGRESS_FILE bytes, and nothing
** once the statement is over. Unless `off`, the table ledger_progress
** tells it to the other connections of this process. Issues no request.
**
** Invariants
**   - the line stands only while the module waits: whenever SQLite or the host
**     goes on, there is none, and nothing is ever written to stdout;
**   - a statement that never waits costs a few additions;
**   - no thread, no signal, no timer, no code of the host's: who waits calls
**     (client/loop.c), and what is told anew is told PROGRESS_MS apart;
**   - a name from a ledger is shown without what would steer a terminal.
*/
#include "client/log/logInt.h"
#include "client/net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PROGRESS_MS 200       /* what is told is at most so old */
#define PROGRESS_AUTO_MS 1000 /* auto: nothing before */
#define PROGRESS_FILE 2048    /* bytes of the file */
#define PROGRESS_COLUMNS 80   /* where the terminal doesn't say */

enum {
  PROGRESS_AUTO = 0,
  PROGRESS_ON,
  PROGRESS_OFF
};

/* What one connection's statement is doing. */
struct LedgerProgress {
  int nDepth;            /* statements under way, and calls within them */
  const char *zNext;     /* what the next statement is called */
  LedgerProgressRow row; /* as it is; no clocks, no texts of waits */
  int64_t tStart;        /* ledgerClockMs() of its start */
  int64_t tTold;         /* ... of what was told last; 0: nothing yet */
  LedgerBuf line;        /* the line, to be shown while it waits; n 0: none */
  int nShown;            /* columns of it that stand on the terminal */
  LedgerSink sink;       /* the file; fd -1: none */
  LedgerProgressListed listed; /* for others */
};

/* ---- the option ---------------------------------------------------------- */

static int progressMode(const char *z, const char **pzFile) {
  static const char *const azMode[] = {"auto", "on", "off"};
  return ledgerSinkWord(z, azMode, 3, pzFile);
}

int ledgerProgressCheck(const char *zValue, LedgerError *pErr) {
  const char *zFile;
  const int e = progressMode(zValue, &zFile);
  if( e < 0 ) {
    return ledgerErrorSet(
        pErr, LEDGER_ERROR,
        "option progress: '%.64s' is not one of: auto, on, off, or one of "
        "them with ' stderr' or ' file:PATH' after it",
        zValue);
  }
  if( zFile == NULL || e == PROGRESS_OFF ) return LEDGER_OK;
  return ledgerSinkCheck("progress", "on", zFile, pErr);
}

/* Whether stderr is a terminal that shows lines, and ours to write to: a job in
** the background is stopped for it. */
static int progressTerminal(void) {
  const char *zTerm = getenv("TERM");
  return isatty(STDERR_FILENO) && zTerm && strcmp(zTerm, "dumb") != 0 &&
         tcgetpgrp(STDERR_FILENO) == getpgrp();
}

/* ---- texts --------------------------------------------------------------- */

/* Whether the character at z, of n bytes, is one that shows. */
static int progressShows(const unsigned char *z, size_t n) {
  if( n == 2 ) return z[0] != 0xc2 || z[1] >= 0xa0; /* C1 */
  if( n != 3 ) return 1;
  if( z[0] == 0xe2 && z[1] == 0x80 ) { /* U+200B..200F, U+2028..202E */
    return !((z[2] >= 0x8b && z[2] <= 0x8f) || (z[2] >= 0xa8 && z[2] <= 0xae));
  }
  if( z[0] == 0xe2 && z[1] == 0x81 ) return z[2] < 0xa0 || z[2] > 0xaf;
  return !(z[0] == 0xef && z[1] == 0xbb && z[2] == 0xbf); /* U+FEFF */
}

/* Bytes of the character at z. */
static size_t progressBytes(const char *z) {
  size_t n = 1;
  while( ((unsigned char)z[n] & 0xc0) == 0x80 ) n++;
  return n;
}

/* Puts a text of anybody's into zOut[nOut], such that it only shows. */
static void progressClean(const char *z, char *zOut, size_t nOut) {
  const int bValid = ledgerUtf8Valid(z, strlen(z));
  char *zTo = zOut, *zFrom = zOut;
  ledgerTextClean(z, strlen(z), zOut, nOut);
  while( *zFrom ) {
    const size_t n = progressBytes(zFrom);
    if( (unsigned char)*zFrom < 0x80 ||
        (bValid && progressShows((const unsigned char *)zFrom, n)) ) {
      memmove(zTo, zFrom, n);
      zTo += n;
    } else {
      *zTo++ = '?';
    }
    zFrom += n;
  }
  *zTo = 0;
}

/* Cuts the line to nMax columns; what isn't ASCII may take two. Returns how
** many it takes. */
static int progressCut(LedgerBuf *p, int nMax) {
  size_t i = 0, iCut = 0; /* where "..." fits */
  int n = 0, nCut = 0;
  while( i < p->n ) {
    n += (unsigned char)p->z[i] < 0x80 ? 1 : 2;
    if( n > nMax ) break;
    i += progressBytes(&p->z[i]);
    if( n <= nMax - 3 ) {
      iCut = i;
      nCut = n;
    }
  }
  if( n <= nMax ) return n;
  p->n = iCut;
  p->z[iCut] = 0;
  if( nMax >= 3 ) ledgerBufText(p, "...");
  return nMax >= 3 ? nCut + 3 : 0;
}

/* Milliseconds as seconds. */
static void progressSeconds(LedgerBuf *p, int64_t ms) {
  ledgerBufNumber(p, (double)ms / 1000, ms < 10000 ? 1 : 0);
  ledgerBufText(p, " s");
}

/* Says what is waited for: "Loading: range of entries in 'a', 29 s left". */
static void progressWaits(LedgerProgress *p, const LedgerWaiting *pWaiting) {
  LedgerBuf text = {0};
  char zName[128];
  if( pWaiting->nRetry ) ledgerBufPrintf(&text, "retry %d", pWaiting->nRetry);
  if( pWaiting->zState ) ledgerBufText(&text, pWaiting->zState);
  if( pWaiting->msNext > 0 ) {
    ledgerBufText(&text, text.n ? " in " : "in ");
    progressSeconds(&text, pWaiting->msNext);
  }
  ledgerBufPrintf(&text, "%s%s", text.n ? ": " : "", pWaiting->zWhat);
  if( pWaiting->zName ) {
    progressClean(pWaiting->zName, zName, sizeof(zName));
    ledgerBufPrintf(&text, " in '%s'", zName);
  }
  if( pWaiting->msLeft >= 0 ) {
    ledgerBufText(&text, ", ");
    progressSeconds(&text, pWaiting->msLeft);
    ledgerBufText(&text, " left");
  }
  progressClean(text.z ? text.z : "", p->row.zWaits, sizeof(p->row.zWaits));
  ledgerTextClean(pWaiting->zLedger, strlen(pWaiting->zLedger), p->row.zLedger,
                  sizeof(p->row.zLedger));
  p->row.nRetry = pWaiting->nRetry;
  p->row.msLeft = pWaiting->msLeft;
  ledgerBufFree(&text);
}

/* Appends what goes between two parts of the line. */
static void progressComma(LedgerBuf *p) {
  ledgerBufText(p, p->z[p->n - 1] == ':' ? " " : ", ");
}

/* Appends a number and what it counts, once there is one. */
static void progressNumber(LedgerBuf *p, int64_t n, const char *zOne,
                           const char *zMany) {
  if( n == 0 ) return;
  progressComma(p);
  ledgerBufPrintf(p, "%lld %s", (long long)n, n == 1 ? zOne : zMany);
}

/* The line: ledger_entries: 12000 entries, 12 pages, 3000/s, 4.0 s; waits for
** Loading: range of entries in 'a', 29 s left */
static void progressLine(LedgerProgress *p) {
  const int64_t *a = p->row.aCount;
  const int64_t ms = ledgerClockMs() - p->tStart;
  const int64_t nDone =
      a[LEDGER_PROGRESS_RECEIPTS]
          ? a[LEDGER_PROGRESS_RECEIPTS]
          : a[LEDGER_PROGRESS_ENTRIES] + a[LEDGER_PROGRESS_SENT];
  LedgerBuf *pLine = &p->line;
  ledgerBufReset(pLine);
  ledgerBufPrintf(pLine, "%s", p->row.zOperation);
  if( strcmp(p->row.zLedger, "main") != 0 ) {
    ledgerBufPrintf(pLine, " (%s)", p->row.zLedger);
  }
  ledgerBufText(pLine, ":");
  if( pLine->bOom ) return;
  progressNumber(pLine, a[LEDGER_PROGRESS_ENTRIES], "entry", "entries");
  progressNumber(pLine, a[LEDGER_PROGRESS_PAGES], "page", "pages");
  progressNumber(pLine, a[LEDGER_PROGRESS_RECEIPTS], "receipt", "receipts");
  if( a[LEDGER_PROGRESS_ROWS] ) {
    progressComma(pLine);
    ledgerBufPrintf(pLine, "%lld of %lld rows sent",
                    (long long)a[LEDGER_PROGRESS_SENT],
                    (long long)a[LEDGER_PROGRESS_ROWS]);
  }
  if( nDone > 0 && ms >= PROGRESS_AUTO_MS ) {
    ledgerBufPrintf(pLine, ", %lld/s", (long long)(nDone * 1000 / ms));
  }
  progressComma(pLine);
  progressSeconds(pLine, ms);
  ledgerBufText(pLine, "; waits for ");
  ledgerBufText(pLine, p->row.zWaits);
}

/* ---- where it is written ------------------------------------------------- */

static void progressPut(const char *z, size_t n) {
  LedgerGuest guest;
  ledgerGuestEnter(&guest);
  fwrite(z, 1, n, stderr);
  fflush(stderr);
  ledgerGuestLeave(&guest);
}

/* Shows the line, over what stands there. */
static void progressDraw(LedgerProgress *p) {
  LedgerBuf text = {0};
  struct winsize size;
  int n, nColumn = PROGRESS_COLUMNS;
  if( ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ) {
    nColumn = size.ws_col;
  }
  n = progressCut(&p->line, nColumn - 1); /* the last one would scroll */
  ledgerBufPrintf(&text, "\r%s%*s", p->line.z,
                  p->nShown > n ? p->nShown - n : 0, "");
  if( !text.bOom ) {
    progressPut(text.z, text.n);
    p->nShown = n;
  }
  ledgerBufFree(&text);
}

/* Writes the row into the file. */
static void progressWrite(LedgerProgress *p, const char *zFile) {
  static const char *const azCount[LEDGER_PROGRESS_COUNTS] = {
      "requests", "entries", "pages", "receipts", "sent", "rows"};
  LedgerBuf text = {0};
  int i;
  ledgerBufText(&text, "{\"operation\":");
  ledgerBufJson(&text, p->row.zOperation, strlen(p->row.zOperation));
  ledgerBufText(&text, ",\"ledger\":");
  ledgerBufJson(&text, p->row.zLedger, strlen(p->row.zLedger));
  ledgerBufPrintf(&text, ",\"pid\":%lld,\"elapsed_ms\":%lld",
                  (long long)getpid(),
                  (long long)(ledgerClockMs() - p->tStart));
  for( i = 0; i < LEDGER_PROGRESS_COUNTS; i++ ) {
    ledgerBufPrintf(&text, ",\"%s\":%lld", azCount[i],
                    (long long)p->row.aCount[i]);
  }
  ledgerBufPrintf(&text, ",\"retry\":%d,\"waits_for\":", p->row.nRetry);
  ledgerBufJson(&text, p->row.zWaits, strlen(p->row.zWaits));
  ledgerBufText(&text, "}");
  if( text.n < PROGRESS_FILE ) {
    ledgerBufPrintf(&text, "%*s\n", (int)(PROGRESS_FILE - 1 - text.n), "");
  }
  if( !text.bOom ) ledgerSinkReplace(&p->sink, zFile, &text);
  ledgerBufFree(&text);
}

/* ---- the face ------------------------------------------------------------ */

LedgerProgress *ledgerProgressNew(void) {
  LedgerProgress *p = calloc(1, sizeof(*p));
  if( p ) p->sink.fd = -1;
  return p;
}

void ledgerProgressFree(LedgerProgress *p) {
  if( p == NULL ) return;
  ledgerProgressUnlist(&p->listed);
  ledgerSinkClear(&p->sink);
  ledgerBufFree(&p->line);
  free(p);
}

void ledgerProgressName(LedgerProgress *p, const char *zOperation) {
  p->zNext = zOperation;
}

void ledgerProgressBegin(LedgerProgress *p, const char *zOperation) {
  if( p->nDepth++ > 0 ) return;
  memset(&p->row, 0, sizeof(p->row));
  if( zOperation == NULL ) zOperation = p->zNext ? p->zNext : "SELECT";
  ledgerTextClean(zOperation, strlen(zOperation), p->row.zOperation,
                  sizeof(p->row.zOperation));
  p->tStart = ledgerClockMs();
  p->tTold = 0;
  ledgerBufReset(&p->line);
}

void ledgerProgressEnd(LedgerProgress *p) {
  if( --p->nDepth > 0 ) return;
  ledgerProgressUnlist(&p->listed);
  ledgerSinkEmpty(&p->sink);
}

void ledgerProgressCount(LedgerProgress *p, int eCount, int64_t n) {
  if( p ) p->row.aCount[eCount] += n;
}

int ledgerProgressDue(const LedgerProgress *p) {
  if( p == NULL || p->nDepth == 0 ) return 0;
  return (p->line.n && p->nShown == 0) ||
         ledgerClockMs() - p->tTold >= PROGRESS_MS;
}

void ledgerProgressShow(LedgerProgress *p, const char *zOption,
                        const LedgerWaiting *pWaiting) {
  const char *zFile;
  const int e = progressMode(zOption, &zFile);
  const int64_t tNow = ledgerClockMs();
  if( e == PROGRESS_OFF ) return;
  if( tNow - p->tTold < PROGRESS_MS ) { /* it was hidden meanwhile */
    progressDraw(p);
    return;
  }
  p->tTold = tNow;
  progressWaits(p, pWaiting);
  p->row.tStart = p->tStart;
  ledgerProgressList(&p->listed, &p->row);
  if( e == PROGRESS_AUTO && tNow - p->tStart < PROGRESS_AUTO_MS ) return;
  if( zFile ) {
    progressWrite(p, zFile);
  } else if( e == PROGRESS_ON || progressTerminal() ) {
    progressLine(p);
    if( !p->line.bOom ) progressDraw(p);
  }
}

void ledgerProgressHide(LedgerProgress *p) {
  LedgerBuf text = {0};
  if( p && p->listed.bListed ) ledgerProgressList(&p->listed, &p->row);
  if( p == NULL || p->nShown == 0 ) return;
  ledgerBufPrintf(&text, "\r%*s\r", p->nShown, "");
  if( !text.bOom ) progressPut(text.z, text.n);
  ledgerBufFree(&text);
  p->nShown = 0;
}
