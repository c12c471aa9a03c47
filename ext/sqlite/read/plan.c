/*
** What xBestIndex of the tables over entries tells xFilter: ledger_entries,
** ledger_audit, and ledger_receipts, which knows ids only.
**
** The plan is text, so that EXPLAIN QUERY PLAN shows it and nothing is kept
** beside it: words separated by a blank, those with an operator each taking
** the next value of xFilter, in order. It is written and read here only.
**
**     ledger=  ledger-in                 these ledgers; else all attached
**     sub_ledger=  sub_ledger-in         these sub-ledgers; else all of them
**     transaction_id=  transaction_id-in the entries themselves
**     transaction_id> >= < <=            fromTransactionId, toTransactionId
**     seqno= > >= < <=   view= > ...     the same where the view is known
**     tags-match                         tag= for one term
**     slice                              (the table is declared)
**     all sub-ledgers  all               (there is no sub_ledger=)
**     order  desc                        rows come by transaction_id
**     limit  offset                      how many rows will be wanted: a hint
**     read-ahead                         (ids asked for one by one may be
**                                        answered from ranges: read/ahead.c)
**     windows                            (the range is cut into windows, of
**                                        which several are under way)
**     history                            (what was read before is used)
**
** What stands in parentheses is said for the reader.
**
** idxNum is 1 for entries by id, 2 for ranges of given sub-ledgers, 3 for
** ranges of all of them.
**
** A name given by `ledger=` must be an attached ledger's (what is read checks
** it, for here nobody knows yet); one of a list behind IN need not.
**
** Invariants: a condition is only ever handed on, never omitted (SQLite checks
** each row again), but for tags-match; ranges of ids are taken only under the
** collation ledger_txid, equality under BINARY too.
*/
#include "sqlite/read/read.h"

#include <stdlib.h>
#include <string.h>

/* Words that take a value. A column's words differ in their ending only. */
typedef struct PlanColumn PlanColumn;
struct PlanColumn {
  const char *zName;
  int eColumn; /* LEDGER_PLAN_* */
  int bRange;  /* < <= > >= too */
};

static const PlanColumn aPlanColumn[] = {
    {"ledger", LEDGER_PLAN_LEDGER, 0},
    {"sub_ledger", LEDGER_PLAN_SUB_LEDGER, 0},
    {"transaction_id", LEDGER_PLAN_TRANSACTION_ID, 1},
    {"view", LEDGER_PLAN_VIEW, 1},
    {"seqno", LEDGER_PLAN_SEQNO, 1},
};

enum {
  PLAN_EQ,
  PLAN_IN,
  PLAN_GE,
  PLAN_GT,
  PLAN_LE,
  PLAN_LT,
  PLAN_MATCH,
  PLAN_LIMIT,
  PLAN_OFFSET,
  PLAN_NONE
};

static const char *const azPlanOp[] = {
    "=", "-in", ">=", ">", "<=", "<", "", "", ""};

/* The operator of a constraint, PLAN_NONE for one that isn't used. */
static int planOp(sqlite3_index_info *pInfo, int i) {
  switch( pInfo->aConstraint[i].op ) {
    case SQLITE_INDEX_CONSTRAINT_EQ: return PLAN_EQ;
    case SQLITE_INDEX_CONSTRAINT_GE: return PLAN_GE;
    case SQLITE_INDEX_CONSTRAINT_GT: return PLAN_GT;
    case SQLITE_INDEX_CONSTRAINT_LE: return PLAN_LE;
    case SQLITE_INDEX_CONSTRAINT_LT: return PLAN_LT;
    case SQLITE_INDEX_CONSTRAINT_MATCH: return PLAN_MATCH;
    case SQLITE_INDEX_CONSTRAINT_LIMIT: return PLAN_LIMIT;
    case SQLITE_INDEX_CONSTRAINT_OFFSET: return PLAN_OFFSET;
    default: return PLAN_NONE;
  }
}

/* Is the table's column iColumn (-1: the rowid) the one that is meant? */
static int planIs(const LedgerPlanTable *pTable, int eColumn, int iColumn) {
  return iColumn >= 0 && pTable->aColumn[eColumn] == iColumn;
}

/* The row of aPlanColumn that the constraint can use, or NULL. */
static const PlanColumn *planColumn(const LedgerPlanTable *pTable,
                                    sqlite3_index_info *pInfo, int i, int eOp) {
  const char *zColl;
  size_t k;
  for( k = 0; k < sizeof(aPlanColumn) / sizeof(aPlanColumn[0]); k++ ) {
    const PlanColumn *pCol = &aPlanColumn[k];
    if( !planIs(pTable, pCol->eColumn, pInfo->aConstraint[i].iColumn) )
      continue;
    if( eOp != PLAN_EQ && !pCol->bRange ) return NULL;
    if( pCol->eColumn == LEDGER_PLAN_VIEW ||
        pCol->eColumn == LEDGER_PLAN_SEQNO ) {
      return pCol;
    }
    zColl = sqlite3_vtab_collation(pInfo, i);
    if( zColl == NULL ) return NULL;
    if( pCol->eColumn == LEDGER_PLAN_TRANSACTION_ID &&
        sqlite3_stricmp(zColl, "ledger_txid") == 0 ) {
      return pCol;
    }
    if( eOp == PLAN_EQ && sqlite3_stricmp(zColl, "BINARY") == 0 ) return pCol;
    return NULL;
  }
  return NULL;
}

/* The value of a constraint where it is written in the statement, or NULL. */
static sqlite3_value *planWritten(sqlite3_index_info *pInfo, int i) {
  sqlite3_value *pVal = NULL;
  if( sqlite3_vtab_rhs_value(pInfo, i, &pVal) != SQLITE_OK ) return NULL;
  return pVal;
}

/* The seqno of a bound that is written in the statement, or 0. */
static i64 planSeqno(sqlite3_index_info *pInfo, int i, int eColumn) {
  sqlite3_value *pVal = planWritten(pInfo, i);
  LedgerTxid id;
  const char *z;
  if( pVal == NULL ) return 0;
  if( eColumn == LEDGER_PLAN_SEQNO ) return sqlite3_value_int64(pVal);
  z = (const char *)sqlite3_value_text(pVal);
  if( z == NULL ||
      !ledgerTxidParse(z, (size_t)sqlite3_value_bytes(pVal), &id) ) {
    return 0;
  }
  return id.seqno;
}

/* Notes for the cost what a condition on a column fixes. */
static void planNote(sqlite3_index_info *pInfo, int i, int eColumn, int eOp,
                     LedgerCost *p) {
  sqlite3_value *pVal;
  switch( eColumn ) {
    case LEDGER_PLAN_LEDGER:
      if( eOp != PLAN_EQ ) return;
      pVal = planWritten(pInfo, i);
      p->bLedger = 1;
      if( pVal ) p->zLedger = (const char *)sqlite3_value_text(pVal);
      return;
    case LEDGER_PLAN_SUB_LEDGER:
      if( eOp == PLAN_EQ ) p->bSubLedger = 1;
      if( eOp == PLAN_IN ) p->bSubLedgerIn = 1;
      return;
    case LEDGER_PLAN_VIEW: return;
    default: break;
  }
  if( eOp == PLAN_EQ && eColumn == LEDGER_PLAN_TRANSACTION_ID ) {
    p->bId = 1;
    if( planWritten(pInfo, i) ) p->bIdWritten = 1;
  } else if( eOp == PLAN_EQ ) {
    p->bSeqno = 1;
  } else if( eOp == PLAN_IN ) {
    p->bIdIn = 1;
  } else if( eOp == PLAN_GE || eOp == PLAN_GT ) {
    p->bLow = 1;
    p->iLow = planSeqno(pInfo, i, eColumn);
  } else {
    p->bHigh = 1;
    p->iHigh = planSeqno(pInfo, i, eColumn);
  }
}

/* Appends words, with a blank before them but at the beginning. */
static void planSay(sqlite3_str *pStr, const char *zWord, const char *zOp) {
  const char *zSep = sqlite3_str_length(pStr) > 0 ? " " : "";
  sqlite3_str_appendf(pStr, "%s%s%s", zSep, zWord, zOp);
}

int ledgerPlanEntries(LedgerConn *pConn, sqlite3_index_info *pInfo,
                      const LedgerPlanTable *pTable, const char *zLedger,
                      const char *zSubLedger) {
  sqlite3_str *pStr = sqlite3_str_new(NULL);
  LedgerCost cost;
  int nArg = 0, i;

  memset(&cost, 0, sizeof(cost));
  cost.bReceipt = pTable->bReceipt;
  cost.bNoEntry = pTable->aColumn[LEDGER_PLAN_SUB_LEDGER] < 0;
  for( i = 0; i < pInfo->nConstraint; i++ ) {
    int eOp = planOp(pInfo, i);
    const PlanColumn *pCol;
    const char *zName;
    if( !pInfo->aConstraint[i].usable || eOp == PLAN_NONE ) continue;
    if( eOp == PLAN_LIMIT || eOp == PLAN_OFFSET ) {
      zName = eOp == PLAN_LIMIT ? "limit" : "offset";
    } else if( eOp == PLAN_MATCH ) {
      if( cost.bMatch ||
          !planIs(pTable, LEDGER_PLAN_TAGS, pInfo->aConstraint[i].iColumn) ) {
        continue;
      }
      zName = "tags-match";
      cost.bMatch = 1;
      pInfo->aConstraintUsage[i].omit = 1;
    } else {
      pCol = planColumn(pTable, pInfo, i, eOp);
      if( pCol == NULL ) continue;
      if( eOp == PLAN_EQ && pCol->eColumn != LEDGER_PLAN_VIEW &&
          pCol->eColumn != LEDGER_PLAN_SEQNO && sqlite3_vtab_in(pInfo, i, 1) ) {
        eOp = PLAN_IN;
      }
      zName = pCol->zName;
      planNote(pInfo, i, pCol->eColumn, eOp, &cost);
    }
    pInfo->aConstraintUsage[i].argvIndex = ++nArg;
    planSay(pStr, zName, azPlanOp[eOp]);
  }
  if( zLedger || zSubLedger ) planSay(pStr, "slice", "");
  if( zLedger ) {
    cost.bLedger = 1;
    cost.zLedger = zLedger;
  }
  if( zSubLedger ) cost.bSubLedger = 1;
  if( !cost.bSubLedger && !cost.bSubLedgerIn && !cost.bNoEntry ) {
    planSay(pStr, "all sub-ledgers", "");
  }
  if( sqlite3_str_length(pStr) == 0 ) {
    planSay(pStr, "all", ""); /* empty, it can't be told from no memory */
  }
  if( pInfo->nOrderBy == 1 &&
      (planIs(pTable, LEDGER_PLAN_TRANSACTION_ID, pInfo->aOrderBy[0].iColumn) ||
       planIs(pTable, LEDGER_PLAN_SEQNO, pInfo->aOrderBy[0].iColumn)) ) {
    pInfo->orderByConsumed = 1;
    planSay(pStr, "order", pInfo->aOrderBy[0].desc ? " desc" : "");
  }
  pInfo->idxNum = cost.bId || cost.bIdIn                 ? 1
                  : cost.bSubLedger || cost.bSubLedgerIn ? 2
                                                         : 3;
  ledgerCostPlan(pConn, &cost, pInfo);
  if( cost.bReadAhead ) planSay(pStr, "read-ahead", "");
  if( cost.bWindows ) planSay(pStr, "windows", "");
  if( cost.bHistory ) planSay(pStr, "history", "");
  return ledgerSnapshotPlan(pConn, pStr, pInfo);
}

/* ---- decoding ------------------------------------------------------------ */

void ledgerQueryClear(LedgerQuery *p) {
  int i;
  for( i = 0; i < p->nLedgerName; i++ ) sqlite3_free(p->azLedger[i]);
  for( i = 0; i < p->nSubLedger; i++ ) sqlite3_free(p->azSubLedger[i]);
  for( i = 0; i < p->nNamed; i++ ) sqlite3_free(p->azNamed[i]);
  sqlite3_free(p->azLedger);
  sqlite3_free(p->azNamed);
  sqlite3_free(p->azSubLedger);
  sqlite3_free(p->aId);
  sqlite3_free(p->zMatch);
  memset(p, 0, sizeof(*p));
}

/* A growing list of names, then of ids: what one word of the plan gives. */
typedef struct QueryList QueryList;
struct QueryList {
  int n;
  int nAlloc;
  char **az;
  LedgerTxid *aId;
};

static int queryGrow(QueryList *p, size_t nItem, void **ppArray) {
  int nNew;
  void *pNew;
  if( p->n < p->nAlloc ) return LEDGER_OK;
  nNew = p->nAlloc ? p->nAlloc * 2 : 8;
  pNew = sqlite3_realloc64(*ppArray, nItem * (sqlite3_uint64)nNew);
  if( pNew == NULL ) return LEDGER_NOMEM;
  *ppArray = pNew;
  p->nAlloc = nNew;
  return LEDGER_OK;
}

/* Adds the text of a value, as the column's TEXT affinity makes it. NULL and
** BLOB equal no text. */
static int queryAddName(QueryList *p, sqlite3_value *pVal) {
  const char *z;
  int eType = sqlite3_value_type(pVal);
  if( eType == SQLITE_NULL || eType == SQLITE_BLOB ) return LEDGER_OK;
  z = (const char *)sqlite3_value_text(pVal);
  if( z == NULL || queryGrow(p, sizeof(*p->az), (void **)&p->az) ) {
    return LEDGER_NOMEM;
  }
  if( z[0] == 0 || strlen(z) != (size_t)sqlite3_value_bytes(pVal) ) {
    return LEDGER_OK; /* no ledger and no sub-ledger has such a name */
  }
  p->az[p->n] = sqlite3_mprintf("%s", z);
  if( p->az[p->n] == NULL ) return LEDGER_NOMEM;
  p->n++;
  return LEDGER_OK;
}

/* A number where an id stands: 2.10 has arrived as 2.1, another entry. */
static int queryNumberError(sqlite3_value *pVal, LedgerError *pErr) {
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "transaction_id is text: write '2.10' in quotes (the "
                        "number has arrived as %s)",
                        (const char *)sqlite3_value_text(pVal));
}

static int queryAddId(QueryList *p, sqlite3_value *pVal, LedgerError *pErr) {
  LedgerTxid id;
  const char *z;
  int eType = sqlite3_value_type(pVal);
  if( eType == SQLITE_INTEGER || eType == SQLITE_FLOAT ) {
    return queryNumberError(pVal, pErr);
  }
  if( eType != SQLITE_TEXT ) return LEDGER_OK;
  z = (const char *)sqlite3_value_text(pVal);
  if( z == NULL ) return ledgerErrorNomem(pErr);
  if( !ledgerTxidParse(z, (size_t)sqlite3_value_bytes(pVal), &id) ) {
    return LEDGER_OK; /* no entry has such an id */
  }
  if( queryGrow(p, sizeof(*p->aId), (void **)&p->aId) ) {
    return ledgerErrorNomem(pErr);
  }
  p->aId[p->n++] = id;
  return LEDGER_OK;
}

/* Reads the values of one word, a single one or an IN list. */
static int queryList(QueryList *p, int bIn, int bId, sqlite3_value *pArg,
                     LedgerError *pErr) {
  sqlite3_value *pVal = pArg;
  int rc = SQLITE_OK;
  memset(p, 0, sizeof(*p));
  if( bIn ) rc = sqlite3_vtab_in_first(pArg, &pVal);
  while( rc == SQLITE_OK && pVal ) {
    if( bId ) {
      rc = queryAddId(p, pVal, pErr);
    } else if( queryAddName(p, pVal) ) {
      rc = ledgerErrorNomem(pErr);
    }
    if( rc ) return rc;
    if( !bIn ) return LEDGER_OK;
    rc = sqlite3_vtab_in_next(pArg, &pVal);
  }
  if( rc == SQLITE_OK || rc == SQLITE_DONE ) return LEDGER_OK;
  return ledgerErrorSet(pErr, rc, "the list behind IN could not be read");
}

static int queryCompareId(const void *a, const void *b) {
  return ledgerTxidCompare(*(const LedgerTxid *)a, *(const LedgerTxid *)b);
}

/* *pn and *paz become those names that stand in pNew too (or all of them, the
** first time). Takes the list over. */
static void queryMeetNames(QueryList *pNew, int *pbAny, int *pn, char ***paz) {
  int i, k, nKeep = 0;
  if( *pbAny ) {
    *pbAny = 0;
    *pn = pNew->n;
    *paz = pNew->az;
    return;
  }
  for( i = 0; i < *pn; i++ ) {
    for( k = 0; k < pNew->n; k++ ) {
      if( strcmp((*paz)[i], pNew->az[k]) == 0 ) break;
    }
    if( k < pNew->n ) {
      (*paz)[nKeep++] = (*paz)[i];
    } else {
      sqlite3_free((*paz)[i]);
    }
  }
  *pn = nKeep;
  for( k = 0; k < pNew->n; k++ ) sqlite3_free(pNew->az[k]);
  sqlite3_free(pNew->az);
}

/* The same for ids, which are sorted first. */
static void queryMeetIds(LedgerQuery *p, QueryList *pNew) {
  int i, nKeep = 0;
  if( pNew->n > 1 ) {
    qsort(pNew->aId, (size_t)pNew->n, sizeof(*pNew->aId), queryCompareId);
  }
  for( i = 0; i < pNew->n; i++ ) {
    if( nKeep && ledgerTxidCompare(pNew->aId[nKeep - 1], pNew->aId[i]) == 0 ) {
      continue;
    }
    if( p->bIds &&
        (p->nId == 0 || bsearch(&pNew->aId[i], p->aId, (size_t)p->nId,
                                sizeof(*p->aId), queryCompareId) == NULL) ) {
      continue;
    }
    pNew->aId[nKeep++] = pNew->aId[i];
  }
  sqlite3_free(p->aId);
  p->bIds = 1;
  p->aId = pNew->aId;
  p->nId = nKeep;
}

static void queryLow(LedgerQuery *p, LedgerTxid id) {
  if( p->from.seqno == 0 || id.seqno > p->from.seqno ||
      (id.seqno == p->from.seqno && id.view > p->from.view) ) {
    p->from = id;
  }
}

static void queryHigh(LedgerQuery *p, LedgerTxid id) {
  if( p->to.seqno == 0 || id.seqno < p->to.seqno ||
      (id.seqno == p->to.seqno && p->to.view == 0) ) {
    p->to = id;
  }
}

#define QUERY_SEQNO_MAX (((i64)1 << 48) - 1)

/* A bound on transaction_id. Ids sort before all other text, text before
** BLOBs; NULL compares with nothing. A strict bound goes on the wire as an
** inclusive one: SQLite takes its own row away. */
static int queryBoundId(LedgerQuery *p, int eOp, sqlite3_value *pVal,
                        LedgerError *pErr) {
  LedgerTxid id;
  int bLow = eOp == PLAN_GE || eOp == PLAN_GT;
  int eType = sqlite3_value_type(pVal);
  if( eType == SQLITE_INTEGER || eType == SQLITE_FLOAT ) {
    return queryNumberError(pVal, pErr);
  }
  if( eType == SQLITE_NULL ) {
    p->bEmpty = 1;
  } else if( eType == SQLITE_TEXT &&
             ledgerTxidParse((const char *)sqlite3_value_text(pVal),
                             (size_t)sqlite3_value_bytes(pVal), &id) ) {
    if( bLow ) {
      queryLow(p, id);
      if( eOp == PLAN_GT ) p->above = id;
    } else {
      queryHigh(p, id);
      if( eOp == PLAN_LT ) p->below = id;
    }
  } else if( bLow ) {
    p->bEmpty = 1; /* above all ids */
  }
  return LEDGER_OK;
}

/* A condition on an INTEGER column turned into inclusive limits of *piLow and
** *piHigh. Returns 0 when it can't hold. */
static int queryBoundInt(int eOp, sqlite3_value *pVal, i64 *piLow,
                         i64 *piHigh) {
  i64 iLow = INT64_MIN, iHigh = INT64_MAX;
  int bLow = eOp == PLAN_GE || eOp == PLAN_GT || eOp == PLAN_EQ;
  int bHigh = eOp == PLAN_LE || eOp == PLAN_LT || eOp == PLAN_EQ;
  int eType = sqlite3_value_numeric_type(pVal);
  if( eType == SQLITE_NULL ) return 0;
  if( eType == SQLITE_TEXT || eType == SQLITE_BLOB ) {
    return !bLow; /* every number is below every text */
  }
  if( eType == SQLITE_INTEGER ) {
    i64 v = sqlite3_value_int64(pVal);
    if( eOp == PLAN_GT && v == INT64_MAX ) return 0;
    if( eOp == PLAN_LT && v == INT64_MIN ) return 0;
    if( bLow ) iLow = eOp == PLAN_GT ? v + 1 : v;
    if( bHigh ) iHigh = eOp == PLAN_LT ? v - 1 : v;
  } else {
    double r = sqlite3_value_double(pVal);
    if( r >= 9e18 ) return !bLow;
    if( r <= -9e18 ) return !bHigh;
    if( bLow ) iLow = (i64)r - (r < 0); /* not above r; SQLite checks again */
    if( bHigh ) iHigh = (i64)r + (r > 0);
  }
  if( iLow > *piLow ) *piLow = iLow;
  if( iHigh < *piHigh ) *piHigh = iHigh;
  return *piLow <= *piHigh;
}

/* Notes the ledger that `ledger = value` names. */
static int queryNamed(LedgerQuery *p, sqlite3_value *pVal) {
  char *z = NULL;
  char **azNew;
  int rc = ledgerConnName(pVal, &z);
  if( rc || z == NULL ) return rc;
  azNew = sqlite3_realloc64(p->azNamed,
                            sizeof(*azNew) * (sqlite3_uint64)(p->nNamed + 1));
  if( azNew == NULL ) {
    sqlite3_free(z);
    return LEDGER_NOMEM;
  }
  p->azNamed = azNew;
  azNew[p->nNamed++] = z;
  return LEDGER_OK;
}

/* One word of the plan with its value. */
static int queryWord(LedgerQuery *p, const char *zWord, size_t nWord,
                     sqlite3_value *pVal, i64 *aiSeqno, i64 *piLimit,
                     i64 *piOffset, LedgerError *pErr) {
  QueryList list;
  size_t k, nName = 0;
  int eOp, rc;
  if( nWord == 5 && memcmp(zWord, "limit", 5) == 0 ) {
    *piLimit = sqlite3_value_int64(pVal);
    return LEDGER_OK;
  }
  if( nWord == 6 && memcmp(zWord, "offset", 6) == 0 ) {
    *piOffset = sqlite3_value_int64(pVal);
    return LEDGER_OK;
  }
  if( nWord == 10 && memcmp(zWord, "tags-match", 10) == 0 ) {
    const char *z = NULL;
    if( ledgerMatchText(pVal, &z, pErr) ) return pErr->rc;
    if( z == NULL ) {
      p->bEmpty = 1;
      return LEDGER_OK;
    }
    sqlite3_free(p->zMatch); /* a plan of ours has one */
    p->zMatch = sqlite3_mprintf("%s", z);
    return p->zMatch ? LEDGER_OK : ledgerErrorNomem(pErr);
  }
  for( k = 0; k < sizeof(aPlanColumn) / sizeof(aPlanColumn[0]); k++ ) {
    nName = strlen(aPlanColumn[k].zName);
    if( nWord > nName && memcmp(zWord, aPlanColumn[k].zName, nName) == 0 &&
        strchr("=-<>", zWord[nName]) ) {
      break;
    }
  }
  for( eOp = PLAN_EQ; eOp < PLAN_MATCH; eOp++ ) {
    if( strlen(azPlanOp[eOp]) == nWord - nName &&
        memcmp(azPlanOp[eOp], zWord + nName, nWord - nName) == 0 ) {
      break;
    }
  }
  switch( k < sizeof(aPlanColumn) / sizeof(aPlanColumn[0])
              ? aPlanColumn[k].eColumn
              : -1 ) {
    case LEDGER_PLAN_LEDGER:
    case LEDGER_PLAN_SUB_LEDGER:
      rc = queryList(&list, eOp == PLAN_IN, 0, pVal, pErr);
      if( aPlanColumn[k].eColumn == LEDGER_PLAN_LEDGER ) {
        queryMeetNames(&list, &p->bAnyLedger, &p->nLedgerName, &p->azLedger);
        if( rc == LEDGER_OK && eOp == PLAN_EQ && queryNamed(p, pVal) ) {
          rc = ledgerErrorNomem(pErr);
        }
      } else {
        queryMeetNames(&list, &p->bAnySubLedger, &p->nSubLedger,
                       &p->azSubLedger);
      }
      return rc;
    case LEDGER_PLAN_TRANSACTION_ID:
      if( eOp != PLAN_EQ && eOp != PLAN_IN ) {
        return queryBoundId(p, eOp, pVal, pErr);
      }
      rc = queryList(&list, eOp == PLAN_IN, 1, pVal, pErr);
      queryMeetIds(p, &list);
      return rc;
    case LEDGER_PLAN_VIEW:
      if( !queryBoundInt(eOp, pVal, &p->iViewMin, &p->iViewMax) ) p->bEmpty = 1;
      return LEDGER_OK;
    case LEDGER_PLAN_SEQNO:
      if( !queryBoundInt(eOp, pVal, &aiSeqno[0], &aiSeqno[1]) ) p->bEmpty = 1;
      return LEDGER_OK;
    default:
      return ledgerErrorSet(pErr, LEDGER_ERROR, "plan word '%.*s' is unknown",
                            (int)nWord, zWord);
  }
}

/* Applies a declared table's fixed name to what the query allows. */
static int queryFix(const char *zName, int *pbAny, int *pn, char ***paz) {
  QueryList list;
  memset(&list, 0, sizeof(list));
  if( queryGrow(&list, sizeof(*list.az), (void **)&list.az) ) {
    return LEDGER_NOMEM;
  }
  list.az[0] = sqlite3_mprintf("%s", zName);
  list.n = list.az[0] != NULL;
  if( list.n == 0 ) {
    sqlite3_free(list.az);
    return LEDGER_NOMEM;
  }
  queryMeetNames(&list, pbAny, pn, paz);
  return LEDGER_OK;
}

/* Is the word said for the reader alone? */
static int planSaid(const char *zWord, size_t nWord) {
  static const char *const azSaid[] = {"all",        "slice",   "sub-ledgers",
                                       "read-ahead", "windows", "history"};
  size_t k;
  for( k = 0; k < sizeof(azSaid) / sizeof(azSaid[0]); k++ ) {
    if( nWord == strlen(azSaid[k]) && memcmp(azSaid[k], zWord, nWord) == 0 ) {
      return 1;
    }
  }
  return 0;
}

int ledgerQueryDecode(const char *zPlan, int nArg, sqlite3_value **apArg,
                      const char *zLedger, const char *zSubLedger,
                      LedgerQuery *p, LedgerError *pErr) {
  i64 aiSeqno[2] = {1, QUERY_SEQNO_MAX}, iLimit = -1, iOffset = 0;
  int iArg = 0, i, nKeep = 0;

  memset(p, 0, sizeof(*p));
  p->bAnyLedger = p->bAnySubLedger = 1;
  p->iViewMin = 0;
  p->iViewMax = INT64_MAX;
  p->nWanted = INT64_MAX;
  while( *zPlan ) {
    size_t n = strcspn(zPlan, " ");
    if( n == 5 && memcmp(zPlan, "order", 5) == 0 ) {
      p->bOrder = 1;
    } else if( n == 4 && memcmp(zPlan, "desc", 4) == 0 ) {
      p->bDesc = 1;
    } else if( planSaid(zPlan, n) ) {
      /* nothing follows from it */
    } else if( iArg < nArg ) {
      int rc = queryWord(p, zPlan, n, apArg[iArg++], aiSeqno, &iLimit, &iOffset,
                         pErr);
      if( rc ) return rc;
    }
    zPlan += n + (zPlan[n] == ' ');
  }
  if( (zLedger &&
       queryFix(zLedger, &p->bAnyLedger, &p->nLedgerName, &p->azLedger)) ||
      (zSubLedger && queryFix(zSubLedger, &p->bAnySubLedger, &p->nSubLedger,
                              &p->azSubLedger)) ) {
    return ledgerErrorNomem(pErr);
  }
  if( iLimit >= 0 && iLimit < INT64_MAX / 2 && iOffset >= 0 &&
      iOffset < INT64_MAX / 2 ) {
    p->nWanted = iLimit + iOffset;
  }
  /* A seqno given with exactly one view is a whole id. */
  if( aiSeqno[0] > 1 ) {
    LedgerTxid id = {0, 0};
    id.seqno = aiSeqno[0];
    if( p->iViewMin == p->iViewMax ) id.view = p->iViewMin;
    if( id.seqno > p->from.seqno ) p->from = id;
  }
  if( aiSeqno[1] < QUERY_SEQNO_MAX ) {
    LedgerTxid id = {0, 0};
    id.seqno = aiSeqno[1];
    if( p->iViewMin == p->iViewMax ) id.view = p->iViewMin;
    if( p->to.seqno == 0 || id.seqno < p->to.seqno ) p->to = id;
  }
  if( p->from.seqno && p->to.seqno && p->from.seqno > p->to.seqno ) {
    p->bEmpty = 1;
  }
  for( i = 0; i < p->nId; i++ ) {
    i64 s = p->aId[i].seqno;
    if( s < p->from.seqno || (p->to.seqno && s > p->to.seqno) ) continue;
    p->aId[nKeep++] = p->aId[i];
  }
  p->nId = nKeep;
  if( (p->bIds && p->nId == 0) || (!p->bAnyLedger && p->nLedgerName == 0) ||
      (!p->bAnySubLedger && p->nSubLedger == 0) ) {
    p->bEmpty = 1;
  }
  return LEDGER_OK;
}

char *ledgerQueryKey(const LedgerQuery *p) {
  sqlite3_str *pStr = sqlite3_str_new(NULL);
  int i;
  sqlite3_str_appendf(pStr, "%d %d %d %d %d %d.%d", p->bEmpty, p->bAnyLedger,
                      p->bAnySubLedger, p->bIds, p->bOrder, p->bDesc, p->nId);
  sqlite3_str_appendf(pStr, " %lld.%lld %lld.%lld %lld %lld %Q", p->from.view,
                      p->from.seqno, p->to.view, p->to.seqno, p->iViewMin,
                      p->iViewMax, p->zMatch);
  sqlite3_str_appendf(pStr, " %lld.%lld %lld.%lld", p->above.view,
                      p->above.seqno, p->below.view, p->below.seqno);
  for( i = 0; i < p->nLedgerName; i++ ) {
    sqlite3_str_appendf(pStr, " ledger %Q", p->azLedger[i]);
  }
  for( i = 0; i < p->nNamed; i++ ) {
    sqlite3_str_appendf(pStr, " named %Q", p->azNamed[i]);
  }
  for( i = 0; i < p->nSubLedger; i++ ) {
    sqlite3_str_appendf(pStr, " sub_ledger %Q", p->azSubLedger[i]);
  }
  for( i = 0; i < p->nId; i++ ) {
    sqlite3_str_appendf(pStr, " %lld.%lld", p->aId[i].view, p->aId[i].seqno);
  }
  return sqlite3_str_finish(pStr);
}
