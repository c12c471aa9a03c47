/*
** The face of emulator/store: the data file.
**
** Invariants
**   - nothing here knows HTTP, keys or time; it keeps rows;
**   - reads see what is pending: who wants what is committed gives a bound.
*/
#ifndef EMU_STORE_H
#define EMU_STORE_H

#include "emulator/util/util.h"

#define EMU_DEFAULT_COLLECTION "subledger:0"

typedef struct EmuStore EmuStore;

/* ---- what is stored ---------------------------------------------------- */

/* One transaction of the ledger. */
typedef struct EmuTxn EmuTxn;
struct EmuTxn {
  LedgerTxid id;
  int eKind;               /* EMU_GENESIS ... */
  const char *zCollection; /* an entry's collection, else NULL */
  size_t nCollection;
  const char *zContents; /* an entry's contents; other kinds: their payload */
  size_t nContents;
  const char *zTags; /* an entry's tags, "a,b", or NULL */
  size_t nTags;
  int bClaims; /* the claims digest is recorded */
};
enum {
  EMU_GENESIS = 0,
  EMU_ENTRY = 1,
  EMU_SIGNATURE = 2,
  EMU_USERS = 3,
  EMU_ROLES = 4,
  EMU_FUNCTIONS = 5,
  EMU_ENDPOINTS = 6
};

/* ---- store.c ----------------------------------------------------------- */

/*
** Opens the data file. One that is not a ledger, is of a newer format, or is
** seen to be damaged is refused before anything is written. (What else is
** damaged is refused when it is read.) *pbNew is 1, and nothing is
** opened, when there is none or it is empty: then it is to be created, and
** begins with an open transaction.
*/
int emuStoreOpen(const char *zPath, EmuStore **ppStore, int *pbNew,
                 LedgerError *pErr);
int emuStoreCreate(const char *zPath, EmuStore **ppStore, LedgerError *pErr);
void emuStoreClose(EmuStore *p); /* NULL is allowed */

/* Brings an older file, within its open transaction, to the present format. */
int emuStoreUpgrade(EmuStore *p, LedgerError *pErr);

/* One SQLite transaction. Begin does nothing while one is open. */
int emuStoreBegin(EmuStore *p, LedgerError *pErr);
int emuStoreCommit(EmuStore *p, LedgerError *pErr);
void emuStoreRollback(EmuStore *p);

/* 1 when the open transaction is lost: an error of reading or writing, even in
** a statement that only reads, makes SQLite roll it back, or not commit it.
** Rollback is to follow. */
int emuStoreLost(EmuStore *p);

/* LEDGER_FULL where a write found no room and there is hardly any still: then
** what is small might be written, and the next write fail again. */
int emuStoreRoom(EmuStore *p, LedgerError *pErr);

/* An error once a sync of the file has failed. What it holds is not known to be
** on the disk then: nothing may be written or answered any more. */
int emuStoreSynced(LedgerError *pErr);

/* Turns a store without an open transaction into a WAL database, if it is not
** one yet. */
int emuStoreWal(EmuStore *p, LedgerError *pErr);

/* Named values. Get gives LEDGER_NOTFOUND with an error when there is none;
** the value is appended to *pBuf. */
int emuStoreMetaPut(EmuStore *p, const char *zName, const void *a, size_t n,
                    LedgerError *pErr);
int emuStoreMetaGet(EmuStore *p, const char *zName, LedgerBuf *pBuf,
                    LedgerError *pErr);

#define EMU_TREE_FAN 256 /* hashes in a full row */

/* Rows of the ledger's tree (ledger/tree.c): n hashes. Get gives as many as are
** stored, up to EMU_TREE_FAN, in *pn. */
int emuStoreTreePut(EmuStore *p, int iLevel, int64_t iRow,
                    const unsigned char *a, int n, LedgerError *pErr);
int emuStoreTreeGet(EmuStore *p, int iLevel, int64_t iRow, unsigned char *a,
                    int *pn, LedgerError *pErr);

/* Signatures; the last one, for the check at start. */
int emuStoreSigPut(EmuStore *p, LedgerTxid id, const unsigned char *aRoot,
                   const LedgerBuf *pSig, int64_t iNodeCert, LedgerError *pErr);
int emuStoreSigLast(EmuStore *p, LedgerTxid *pId, unsigned char *aRoot,
                    LedgerBuf *pSig, LedgerError *pErr);

/* Records a node certificate; *piCert is its number. */
int emuStoreNodeCert(EmuStore *p, const char *zNodeId, const LedgerBuf *pPem,
                     int64_t *piCert, LedgerError *pErr);

/* Calls x with the ids of the last nMax nodes, the present one first. */
int emuStoreNodes(EmuStore *p, int nMax, void (*x)(void *, const char *),
                  void *pArg, LedgerError *pErr);

/* ---- entries.c ---------------------------------------------------------- */

/* One entry as read; the texts live until the callback returns. */
typedef struct EmuEntry EmuEntry;
struct EmuEntry {
  LedgerTxid id;
  const char *zContents;
  size_t nContents;
  const char *zTags; /* "a,b", or NULL */
  size_t nTags;
};

/* Which entries: those of a collection, maybe with a tag, in iFrom..iTo. */
typedef struct EmuRange EmuRange;
struct EmuRange {
  int64_t iCollection;
  const char *zTag; /* or NULL */
  size_t nTag;
  int64_t iFrom, iTo; /* seqnos, inclusive */
};

/* Adds a transaction; iCollection is 0 unless it is an entry. */
int emuStoreTxnPut(EmuStore *p, const EmuTxn *pTxn, int64_t iCollection,
                   const unsigned char *aWriteSet, LedgerError *pErr);

/* The id of the transaction with that seqno, or of the last one; {0,0} when
** there is none. */
int emuStoreTxnAt(EmuStore *p, int64_t iSeqno, LedgerTxid *pId,
                  LedgerError *pErr);
int emuStoreTxnLast(EmuStore *p, LedgerTxid *pId, LedgerError *pErr);

/* The number of a collection, 0 when there is none; create one; count them. */
int emuStoreCollection(EmuStore *p, const char *z, size_t n, int64_t *pi,
                       LedgerError *pErr);
int emuStoreCollectionNew(EmuStore *p, const char *z, size_t n, int64_t iSeqno,
                          int64_t *pi, LedgerError *pErr);
int emuStoreCollectionCount(EmuStore *p, int64_t *pn, LedgerError *pErr);

/* Collections first written at or below iTo whose number is above iAfter, at
** most nMax. */
int emuStoreCollectionList(EmuStore *p, int64_t iAfter, int64_t iTo, int nMax,
                           void (*x)(void *, int64_t, const char *, size_t),
                           void *pArg, LedgerError *pErr);

/* Tags: of a collection, in order; whether one is known there; how many pairs
** of tag and collection there are; and the record that an entry has one. */
int emuStoreTagList(EmuStore *p, int64_t iCollection, int64_t iTo,
                    void (*x)(void *, const char *, size_t), void *pArg,
                    LedgerError *pErr);
int emuStoreTagKnown(EmuStore *p, int64_t iCollection, const char *z, size_t n,
                     int *pb, LedgerError *pErr);
int emuStoreTagCount(EmuStore *p, int64_t *pn, LedgerError *pErr);
int emuStoreTagPut(EmuStore *p, int64_t iCollection, const char *z, size_t n,
                   int64_t iSeqno, LedgerError *pErr);

/* The first seqno of a range, 0 when it is empty; its nth (from 0). */
int emuStoreRangeNth(EmuStore *p, const EmuRange *pRange, int n,
                     int64_t *piSeqno, LedgerError *pErr);

/* Calls x for every entry of the range, in order. */
int emuStoreRangeRead(EmuStore *p, const EmuRange *pRange,
                      void (*x)(void *, const EmuEntry *), void *pArg,
                      LedgerError *pErr);

/* The last entry of a collection at or below iSeqno; *pbFound says whether
** there is one, x is called for it. */
int emuStoreEntryAt(EmuStore *p, int64_t iCollection, int64_t iSeqno,
                    void (*x)(void *, const EmuEntry *), void *pArg,
                    int *pbFound, LedgerError *pErr);

/* ---- receipts.c --------------------------------------------------------- */

/* A signature transaction with its node certificate. */
typedef struct EmuSig EmuSig;
struct EmuSig {
  LedgerTxid id;
  unsigned char aRoot[EMU_HASH];
  LedgerBuf sig; /* DER */
  int64_t iNodeCert;
  char zNodeId[2 * EMU_HASH + 1];
  LedgerBuf pem;
};
void emuSigFree(EmuSig *p);

/* The first signature after iSeqno. LEDGER_NOTFOUND when there is none. */
int emuStoreSigAfter(EmuStore *p, int64_t iSeqno, EmuSig *pSig,
                     LedgerError *pErr);

/* The kind of a transaction, -1 when there is none. */
int emuStoreTxnKind(EmuStore *p, int64_t iSeqno, int *peKind,
                    LedgerError *pErr);

/* Calls x for the transaction and the digest of its write set; the texts live
** until x returns. LEDGER_NOTFOUND when there is none. */
int emuStoreTxnRead(EmuStore *p, int64_t iSeqno,
                    void (*x)(void *, const EmuTxn *, const unsigned char *),
                    void *pArg, LedgerError *pErr);

/* ---- users.c ------------------------------------------------------------ */

/* A user's roles, "Contributor,Reader", appended to *pRoles with the id as it
** was registered in *pId (may be NULL); *pbFound says whether there is one. */
int emuStoreUser(EmuStore *p, const char *zId, size_t nId, LedgerBuf *pId,
                 LedgerBuf *pRoles, int *pbFound, LedgerError *pErr);
int emuStoreUserPut(EmuStore *p, const char *zId, size_t nId,
                    const char *zRoles, LedgerError *pErr);
int emuStoreUserDelete(EmuStore *p, const char *zId, size_t nId,
                       LedgerError *pErr);
int emuStoreUserList(EmuStore *p, const EmuText *pAfter, int nMax,
                     void (*x)(void *, const EmuText *, const EmuText *),
                     void *pArg, LedgerError *pErr);

/* How many users are administrators. */
int emuStoreAdmins(EmuStore *p, int64_t *pn, LedgerError *pErr);

/* Entra applications: secret and object id are appended to their buffers. */
int emuStoreClient(EmuStore *p, const char *zClient, size_t nClient,
                   LedgerBuf *pSecret, LedgerBuf *pOid, int64_t *pnLifetime,
                   int *pbFound, LedgerError *pErr);
int emuStoreClientPut(EmuStore *p, const char *zClient, const char *zSecret,
                      const char *zOid, int64_t nLifetime, LedgerError *pErr);

/* ---- objects.c ---------------------------------------------------------- */

/* Texts by kind and name. */
enum {
  EMU_OBJECT_MEMBER = 1,   /* member id -> certificate */
  EMU_OBJECT_ROLE = 2,     /* role name -> actions, one a line */
  EMU_OBJECT_FUNCTION = 3, /* function id -> code */
  EMU_OBJECT_DOCUMENT = 4  /* EMU_DOC_* -> text */
};
#define EMU_DOC_CONSTITUTION "constitution"
#define EMU_DOC_ENDPOINTS "endpoints"
#define EMU_DOC_RUNTIME "runtime options"

/* The value is appended to *pValue; *pbFound says whether there is one. */
int emuStoreObject(EmuStore *p, int eKind, const char *z, size_t n,
                   LedgerBuf *pValue, int *pbFound, LedgerError *pErr);
int emuStoreObjectPut(EmuStore *p, int eKind, const char *z, size_t n,
                      const char *zValue, size_t nValue, LedgerError *pErr);
int emuStoreObjectDelete(EmuStore *p, int eKind, const char *z, size_t n,
                         LedgerError *pErr);

/* Calls x for those of the kind whose name is above pAfter (NULL: for all), in
** order, at most nMax. The texts live until x returns. */
int emuStoreObjectList(EmuStore *p, int eKind, const EmuText *pAfter, int nMax,
                       void (*x)(void *, const EmuText *, const EmuText *),
                       void *pArg, LedgerError *pErr);

#endif /* EMU_STORE_H */
