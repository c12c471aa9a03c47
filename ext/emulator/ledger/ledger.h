/*
** The face of emulator/ledger: the ledger's state and every write to it.
**
** Invariants
**   - every write goes through ledger.c, which keeps one SQLite transaction
**     open from the first write to the next signature: what is inside it is
**     Pending, COMMIT makes it Committed, ROLLBACK is an election;
**   - nothing here knows HTTP: who waits for a commit, and who has to hear of
**     an election, is called back.
*/
#ifndef EMU_LEDGER_H
#define EMU_LEDGER_H

#include "emulator/emu.h"
#include "emulator/pki/pki.h"

/* ---- digest.c ---------------------------------------------------------- */

/* What a receipt shows of a transaction, besides its write set's digest. */
typedef struct EmuShown EmuShown;
struct EmuShown {
  char zEvidence[3 + LEDGER_TXID_MAX + 1 + 2 * EMU_HASH]; /* "ce:V.S:..." */
  unsigned char aClaims[EMU_HASH];                        /* claims digest */
  unsigned char aKey[EMU_HASH]; /* the claim's secret key, if there is one */
};
void emuDigestShow(const EmuTxn *pTxn, const unsigned char *aSecret,
                   EmuShown *pShown);

/* The leaf made of those and the write set's digest. */
void emuDigestLeaf(const EmuShown *pShown, const unsigned char *aWriteSet,
                   unsigned char *aLeaf);

/* ---- tree.c ------------------------------------------------------------ */

/*
** The Merkle tree over all transactions, cut into rows of 256 hashes: level 0
** holds the leaves, level k the roots of full rows of level k-1. Only the open
** row of each level is in memory; full ones are in the store.
*/
#define EMU_TREE_LEVELS 6 /* 256^6 = 2^48 leaves */
typedef struct EmuTree EmuTree;
struct EmuTree {
  int64_t nLeaf;
  int anOpen[EMU_TREE_LEVELS];    /* hashes in the open row */
  int64_t aiRow[EMU_TREE_LEVELS]; /* number of the open row */
  int abDirty[EMU_TREE_LEVELS];   /* the open row is ahead of the store */
  unsigned char aOpen[EMU_TREE_LEVELS][EMU_TREE_FAN][EMU_HASH];
};

/* The path of a leaf up to the root: its siblings, the lowest first. */
#define EMU_PATH 64
typedef struct EmuPath EmuPath;
struct EmuPath {
  int n;
  int abLeft[EMU_PATH]; /* the sibling stands at the left */
  unsigned char a[EMU_PATH][EMU_HASH];
};

/* The path of leaf iLeaf in the tree of the first nLeaf leaves, iLeaf < nLeaf,
** all of them in the store; reads at most two rows per level. */
int emuTreePath(EmuStore *pStore, int64_t iLeaf, int64_t nLeaf, EmuPath *pPath,
                LedgerError *pErr);

/* The root that a path leads to from a leaf. */
void emuPathRoot(const EmuPath *pPath, const unsigned char *aLeaf,
                 unsigned char *aOut);

/* ---- ledger.c ---------------------------------------------------------- */

/* What becomes of the sessions of a view when there is another one. The ledger
** only passes this on, to http/session.c. */
enum {
  EMU_SESSIONS_DEFAULT = 0, /* what --sessions says */
  EMU_SESSIONS_LOST = 1,
  EMU_SESSIONS_KEPT = 2
};

/* Is called once what is pending now is committed, or (bLost) lost. */
typedef struct EmuWaiter EmuWaiter;
struct EmuWaiter {
  EmuWaiter *pNext;
  void (*xDone)(void *pArg, int bLost);
  void *pArg;
};

/* How far the ledger has come. */
typedef struct EmuHead EmuHead;
struct EmuHead {
  int64_t iView;        /* the current view */
  LedgerTxid last;      /* the last transaction applied */
  LedgerTxid committed; /* the last signature on disk */
};

typedef struct EmuLedger EmuLedger;
struct EmuLedger {
  EmuHead head;
  EmuTree tree;          /* with what is pending */
  EmuTree treeCommitted; /* as of head.committed */
  struct event *pTimer;  /* signs */
  EmuWaiter *pWaiting;   /* told at the next commit */
  int bServing;          /* the loop runs, so the timer does */
  int eRefuse;           /* writes are refused: the LEDGER_* that says why */
  int bHold;             /* no signatures (control route) */
  int bCut;              /* none either: the primary is cut off (session.c) */

  /* Called after each election and recovery, with its keys; or NULL. */
  int (*xElected)(Emu *, int eSessions, LedgerError *);
};

/* Creates the ledger in a new store (the caller commits). Loads it from a
** store, in the next view if its end was not clean. */
int emuLedgerCreate(Emu *p, LedgerError *pErr);
int emuLedgerLoad(Emu *p, LedgerError *pErr);

/* What comes before every change: opens a transaction, unless one is. An error
** while writes are refused, because the last ones failed and so did the
** election after them (LEDGER_FULL: the disk was full). That is tried again
** every second, and with it writes are accepted again. */
int emuLedgerBegin(Emu *p, LedgerError *pErr);

/* Ends: signs what is pending and notes that the end was clean. */
int emuLedgerClose(Emu *p, LedgerError *pErr);

/* What has become of a transaction, as far as the ledger's head knows. */
enum {
  EMU_TXN_INVALID, /* it can't be there: another one has its seqno, or view */
  EMU_TXN_UNKNOWN, /* it is not there, and may come */
  EMU_TXN_PENDING,
  EMU_TXN_COMMITTED
};
int emuLedgerState(Emu *p, LedgerTxid id, int *peState, LedgerError *pErr);

/* Appends a transaction (all but its id is the caller's); *pId is its id. An
** entry's collection and tags must be within the limits. */
int emuLedgerAppend(Emu *p, EmuTxn *pTxn, LedgerTxid *pId, LedgerError *pErr);

/* Signs and commits what is pending; does nothing when nothing is. */
int emuLedgerSign(Emu *p, LedgerError *pErr);

/* Commits what the store has, without a signature. */
int emuLedgerCommit(Emu *p, LedgerError *pErr);

/* An election: the next view, with another node; what is pending is lost. A
** disaster recovery: the same two views on, with another service too. What
** becomes of sessions is one of EMU_SESSIONS_*. */
int emuLedgerElect(Emu *p, int eSessions, LedgerError *pErr);
int emuLedgerRecover(Emu *p, int eSessions, LedgerError *pErr);

/* A write failed half way: goes back to what is committed, by an election. */
void emuLedgerGiveUp(Emu *p);

/* After any error of the store: if what was pending is gone, the same. */
void emuLedgerCheck(Emu *p);

/* A new certificate of the service, with the same key. */
int emuLedgerRenew(Emu *p, LedgerError *pErr);

/* Starts the timer of the next signature, unless it runs. */
void emuLedgerArm(Emu *p);

/* Adds the caller's waiter to those that are told at the next commit. */
void emuLedgerWait(Emu *p, EmuWaiter *pWaiter);

/* ---- change.c ---------------------------------------------------------- */

/* Adds a transaction of a kind other than an entry; its payload is JSON. What
** was stored for it before is undone when it fails. */
int emuLedgerNote(Emu *p, int eKind, const LedgerBuf *pPayload, LedgerTxid *pTx,
                  LedgerError *pErr);

/* Registers a user with the roles "A,B"; without roles, "", deletes it. */
int emuLedgerUser(Emu *p, const char *zId, size_t nId, const char *zRoles,
                  LedgerTxid *pTx, LedgerError *pErr);

/* Stores an object (pValue NULL: deletes it) with its transaction. */
int emuLedgerObject(Emu *p, int eKind, const EmuText *pName,
                    const EmuText *pValue, int eTxn, const LedgerBuf *pPayload,
                    LedgerTxid *pTx, LedgerError *pErr);

/* ---- govern.c ---------------------------------------------------------- */

/* Gives the ledger members and a constitution, unless it has them. */
int emuGovernEnsure(Emu *p, LedgerError *pErr);

/* ---- fill.c ------------------------------------------------------------ */

/* Adds the entries that --fill asks for; the caller commits. */
int emuFill(Emu *p, LedgerError *pErr);

/* ---- warm.c ------------------------------------------------------------ */

/* The stretches of history that have been loaded. nLoading is how often one is
** answered Loading before it is Ready. */
typedef struct EmuWarm EmuWarm;
EmuWarm *emuWarmNew(int nLoading);
void emuWarmFree(EmuWarm *p);

/* 1 when iFrom..iTo is loaded; else 0, and it is one step nearer. */
int emuWarmReady(EmuWarm *p, int64_t iFrom, int64_t iTo);

#endif /* EMU_LEDGER_H */
