/*
** The face of sqlite/history: what was read before, in a SQLite file of the
** module's own (option cache: memory, or its path). Committed entries never
** change: where all of a sub-ledger from one seqno to another is known, it
** isn't asked for again; nor is a receipt, a final state, an entry by its id.
**
** Invariants
**   - what is known is of one reader (ledgerClientOwner), and only read once
**     the ledger has let that reader in on this connection;
**   - nothing here fails a statement: what can't be read or written is asked
**     of the ledger;
**   - only committed entries, and nothing of what is verified, stands there.
*/
#ifndef LEDGER_SQLITE_HISTORY_H
#define LEDGER_SQLITE_HISTORY_H

#include "sqlite/conn/conn.h"

typedef struct LedgerPast LedgerPast;

/* Entries that are known, from a span. Start with zeroes; end it with
** ledgerPastEnd(). */
typedef struct LedgerPastPage LedgerPastPage;
struct LedgerPastPage {
  LedgerEntry *aEntry; /* all that there are from iLow to iHigh, ascending */
  int nEntry;
  int nAlloc;
  i64 iLow;
  i64 iHigh;
  i64 iSeed;        /* whose and of which sub-ledger; 0: nothing is here */
  LedgerBuf text;   /* their texts ... */
  char *zSubLedger; /* ... and where they are; of ledgerPastFindAny() only */
};

/* ---- past.c: the file ---------------------------------------------------- */

/* Whether this thread opens such a file just now: an entry point that SQLite
** calls for every connection has nothing to do on that one. */
int ledgerPastOpening(void);

/* After a change of options: closes a file that is no longer wanted, and lets
** go what it may hold no longer. */
void ledgerPastTrim(Ledger *pLedger);

/* Before many answers are looked for: where any are known but the ledger hasn't
** let this reader in yet, makes the one request that shows that it does, GET
** /app/transactions/current. zSubLedger may be NULL. */
int ledgerPastAdmit(Ledger *pLedger, const char *zSubLedger, LedgerError *pErr);

/* The same where spans are known; *pbReady: there are, and they may be read. */
int ledgerPastReady(Ledger *pLedger, const char *zSubLedger, int *pbReady,
                    LedgerError *pErr);

/* An error where the file that option cache names can't be used. */
int ledgerPastUsable(Ledger *pLedger, LedgerError *pErr);

/* ---- answer.c: single requests ------------------------------------------- */

/* LedgerConn.xAttached: makes history the memory of the ledger's client. */
void ledgerPastBegin(Ledger *pLedger);

/* ---- span.c: what is known completely ------------------------------------ */

/* Looks for the seqno iFrom. 1: it is known, with all to pPage->iHigh. 0: it
** isn't, nor, up to pPage->iHigh, is as much as a request is worth. */
int ledgerPastRead(Ledger *pLedger, const char *zSubLedger, i64 iFrom,
                   LedgerPastPage *pPage);

/* Whether it is known if there is such an entry: *ppEntry is it, in pPage, or
** NULL. */
int ledgerPastFind(Ledger *pLedger, const char *zSubLedger, LedgerTxid id,
                   LedgerPastPage *pPage, const LedgerEntry **ppEntry);

/* The same where the sub-ledger isn't given: 1 where one is known to have the
** entry. */
int ledgerPastFindAny(Ledger *pLedger, LedgerTxid id, LedgerPastPage *pPage,
                      const LedgerEntry **ppEntry);

/* Notes for ledger_http that the entries from one id to another were read from
** here; the same id twice: that entry. zTag may be NULL. */
void ledgerPastTold(Ledger *pLedger, const char *zSubLedger, const char *zTag,
                    LedgerTxid from, LedgerTxid to);

/* From iLow to iHigh the sub-ledger has these entries, committed, and no
** other; aOwner is who asked for them. */
void ledgerPastAdd(Ledger *pLedger, const unsigned char aOwner[32],
                   const char *zSubLedger, i64 iLow, i64 iHigh,
                   const LedgerEntry *aEntry, int nEntry);

/* Seqnos of a sub-ledger between which all entries are known; or the answers to
** single requests. */
typedef struct LedgerPastInterval LedgerPastInterval;
struct LedgerPastInterval {
  const char *zSubLedger; /* NULL: answers, iLow and iHigh are 0 */
  i64 iLow;
  i64 iHigh;
  i64 nEntry;
  i64 nByte; /* of its entries, as they are kept */
  i64 nHit;  /* times that this connection read of them */
};

/* Gives what is known of the ledger to x, by sub-ledger and seqno, the answers
** last, as far as this reader may know it now. */
int ledgerPastList(Ledger *pLedger,
                   int (*x)(void *pArg, const LedgerPastInterval *p,
                            LedgerError *pErr),
                   void *pArg, LedgerError *pErr);

/* Forgets all that the file has; *pn: how many rows that were. An error where
** another process writes to it. */
int ledgerPastClear(Ledger *pLedger, i64 *pn, LedgerError *pErr);

void ledgerPastEnd(LedgerPastPage *pPage);

#endif /* LEDGER_SQLITE_HISTORY_H */
