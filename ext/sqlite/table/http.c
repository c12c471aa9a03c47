/*
** The table ledger_http: the last requests of each attached ledger, 512 of
** them, the oldest first. It makes none itself.
**
**     SELECT time, method, path, status, milliseconds FROM ledger_http
**      ORDER BY n DESC LIMIT 10;
**
** status is NULL where no answer came, and error says why; else error is the
** code of the server's refusal. attempt counts how often the same was sent,
** connection is its local port: the same number is the same connection.
** Requests to the identity service, to an authority and to a secondary ledger
** stand here too, host tells them apart. No secret is shown.
*/
#include "sqlite/table/table.h"

#include <stdio.h>
#include <time.h>

/* YYYY-MM-DD HH:MM:SS.SSS, as SQLite's own functions read and write it. */
static const char *httpTime(int64_t tWall, char *z, size_t n) {
  time_t t = (time_t)(tWall / 1000);
  struct tm tm;
  char zSecond[32] = "";
  if( gmtime_r(&t, &tm) ) {
    strftime(zSecond, sizeof(zSecond), "%Y-%m-%d %H:%M:%S", &tm);
  }
  snprintf(z, n, "%s.%03d", zSecond, (int)(tWall % 1000));
  return z;
}

static int httpRead(LedgerCells *pCells, LedgerConn *pConn, Ledger *pLedger,
                    int nKey, char **azKey, LedgerError *pErr) {
  const LedgerRequest *p;
  int i, rc = LEDGER_OK;
  (void)pConn;
  (void)nKey;
  (void)azKey;
  for( i = 0; rc == LEDGER_OK; i++ ) {
    char zTime[64];
    p = ledgerClientRequest(pLedger->pClient, i);
    if( p == NULL ) break;
    rc = ledgerCellsRow(pCells, pErr);
    if( rc == LEDGER_OK ) {
      rc = ledgerCellsText(pCells, 1, httpTime(p->tWall, zTime, sizeof(zTime)),
                           pErr);
    }
    if( rc == LEDGER_OK ) rc = ledgerCellsText(pCells, 2, p->zHost, pErr);
    if( rc == LEDGER_OK ) rc = ledgerCellsText(pCells, 3, p->zMethod, pErr);
    if( rc == LEDGER_OK ) rc = ledgerCellsText(pCells, 4, p->zPath, pErr);
    if( rc == LEDGER_OK ) rc = ledgerCellsText(pCells, 11, p->zError, pErr);
    if( rc ) break;
    ledgerCellsInt(pCells, 0, p->n);
    if( p->iStatus ) ledgerCellsInt(pCells, 5, p->iStatus);
    ledgerCellsReal(pCells, 6, p->ms);
    ledgerCellsInt(pCells, 7, p->nByte);
    ledgerCellsInt(pCells, 8, p->nAttempt);
    if( p->iConnection ) ledgerCellsInt(pCells, 9, p->iConnection);
    ledgerCellsInt(pCells, 10, p->bCache);
  }
  return rc;
}

static const LedgerColumn aHttpColumn[] = {
    {"n", "INTEGER", 0, NULL, "number of the request, ascending"},
    {"time", "TEXT", 0, NULL, "when it was sent"},
    {"host", "TEXT", 0, NULL, "to whom"},
    {"method", "TEXT", 0, NULL, "GET, POST, ..."},
    {"path", "TEXT", 0, NULL, "path and query"},
    {"status", "INTEGER", 0, NULL, "HTTP status; NULL where none came"},
    {"milliseconds", "REAL", 0, NULL, "until the answer was whole"},
    {"bytes", "INTEGER", 0, NULL, "of the answer"},
    {"attempt", "INTEGER", 0, NULL, "1, or higher where it was repeated"},
    {"connection", "INTEGER", 0, NULL, "number of the connection"},
    {"from_cache", "INTEGER", 0, NULL, "1 where nothing was sent"},
    {"error", "TEXT", 0, NULL, "what went wrong, or NULL"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableHttp = {
    .zName = "ledger_http",
    .zDoc = "the last requests of this connection",
    .aColumn = aHttpColumn,
    .zRequest = "none",
    .xRead = httpRead,
    .zCost = "none",
    .zExample =
        "SELECT ledger_status('2.3');\n"
        "SELECT method, path, status FROM ledger_http ORDER BY n DESC LIMIT 1;",
    .zFails = "DELETE FROM ledger_http;",
};
