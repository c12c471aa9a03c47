# Mutants of who may make the module act: a stranger's file can't, a host that
# reads only doesn't write.

# Not here, for a second guard stands behind it: SQLITE_VTAB_DIRECTONLY (a table asks who
# asks, too), the names of an eponymous table (guardIsEponymous() looks for it, too).
rule {a database file makes nothing act}
set G ext/sqlite/conn/guard.c
mutant $G hosts/stranger {if( e == GUARD_DIRECT ) return LEDGER_OK;} {return LEDGER_OK;}
mutant $G hosts/stranger {if( p->bFile && !p->pConn->bFileTables )} {if( 0 )}
mutant $G hosts/stranger {p->bFile = !p->bTemp && !bEponymous;} {p->bFile = 0;}
mutant $G hosts/stranger {*pb = rc == SQLITE_ERROR; /* no such table */} {*pb = 1;}
mutant $G hosts/stranger {const int bPut = strncmp(z, "-- ", 3) == 0 && strncmp(z + 3, zSql, n) == 0;} {
    const int bPut = 0;}
mutant $G hosts/stranger \
  {strncmp(z, "-- ", 3) == 0 && strncmp(z + 3, zSql, n) == 0;} \
  {strncmp(z, "-- ", 3) == 0;}
mutant $G hosts/stranger_schema \
  {    ledgerCheckConstraint(p->pConn, pFunc->zName, &err);} \
  {}
mutant $G hosts/stranger {    guardIndirect(p->pConn, pFunc->zName, &err);} {}
mutant $G hosts/stranger {return guardIndirect(p->pConn, p->zTable, pErr);} {return LEDGER_OK;}
mutant $G hosts/stranger {  *pbAsked = guardTable(p, pErr) == LEDGER_OK;} {  *pbAsked = 1;}
set C ext/sqlite/conn/check_constraint.c
mutant $C hosts/stranger_schema {if( !constraintMayRun(pConn->db) ) return LEDGER_OK;} {return LEDGER_OK;}
mutant $C hosts/stranger_schema {if( !sqlite3_stmt_readonly(pStmt) ) return 1;} {}
mutant $C hosts/stranger_schema {sqlite3_stricmp(zName, "quick_check") == 0 ||} {}
mutant $C hosts/stranger_schema {sqlite3_stricmp(zName, "integrity_check") == 0 )} {0 )}
mutant $C hosts/stranger_schema \
  {if( sqlite3_strnicmp(zText, zFunction, n) == 0 ) return 1;} \
  {if( strncmp(zText, zFunction, (size_t)n) == 0 ) return 1;}
mutant $C hosts/stranger_schema {if( rc ) *pbCalls = 1; /* the code} {if( rc ) *pbCalls = 0; /* the code}
mutant $C hosts/stranger_schema \
  {         sqlite3_strnicmp(zP4, zFunction, (int)n) == 0 && zP4[n] == '(';} \
  {         0;}

rule {what the host forbids is forbidden}
mutant $G hosts/readonly \
  {if( !pConn->bReadonly ) return LEDGER_OK;} \
  {return LEDGER_OK;}
mutant $G hosts/readonly {if( guardReadonly(pConn, zFunction, pErr) ) return pErr->rc;} {}
mutant $G hosts/readonly {return guardQueryOnly(pConn, zFunction, pErr);} {return LEDGER_OK;}
mutant $G hosts/readonly {bOff = rc == SQLITE_ROW && sqlite3_column_int(pStmt, 0) == 0;} {bOff = 1;}
mutant $G hosts/readonly {sqlite3_db_readonly(pLedger->pConn->db, "main") != 1 )} {1 )}
mutant $G hosts/readonly \
  {if( p->pConn->queue.pFirst == NULL ) return LEDGER_OK;} \
  {return LEDGER_OK;}
mutant $G hosts/readonly {  if( p->bTurnOff ) pConn->bReadonly = 1;} {}
mutant $G hosts/readonly {  if( guardTable(p, pErr) ) return pErr->rc;
  return guardReadonly(p->pConn, p->zTable, pErr);} {  return guardTable(p, pErr);}
mutant $G hosts/stranger {  if( guardTable(p, pErr) ) return pErr->rc;
  return guardReadonly(p->pConn, p->zTable, pErr);} {  return guardReadonly(p->pConn, p->zTable, pErr);}

rule {what comes from outside is bounded, and read in one way only}
set J ext/base/json.c
mutant $J unit/unit {if( v == 0 ) p->nNul++;} {}
mutant $J unit/unit {    if( c < 0x20 ) break;} {}
mutant $J unit/unit {&& ++nDepth > LEDGER_JSON_DEPTH )} {&& ++nDepth > 100000000 )}
mutant $J call/hostile {          ++nValue > LEDGER_JSON_VALUES )} {          0 )}
mutant $J unit/unit {if( !ledgerUtf8Valid(p->z, p->n) )} {if( 0 )}
mutant $J unit/unit {if( z[i] == '0' && JSON_DIGIT(i + 1) ) goto bad;} {}
set D ext/base/jsonread.c
mutant $D unit/unit {p->bOdd = !ledgerUtf8Valid(z, n);} {p->bOdd = 0;}
mutant $D unit/unit {++p->nValue < LEDGER_JSON_VALUES || readOdd(p);} {1;}
mutant $D unit/unit {      return readOdd(p); /* it stands there twice */} {}
mutant $D read/pages_forms \
  {if( p->bOdd || nDepth > READ_DEPTH ) return readOdd(p);} \
  {if( p->bOdd ) return readOdd(p);}
mutant $D unit/unit \
  {  if( n < 6 || !ledgerHexDecode(z + 2, 4, a, 2) ) return -1;} \
  {  ledgerHexDecode(z + 2, 4, a, 2);}
mutant $D unit/unit {if( vLow < 0xdc00 || vLow > 0xdfff ) return -1;} {}
mutant $D unit/unit {         ((v - uOne * ' ') & ~v)) &} {         0) &}
mutant $D unit/unit {return p->i == p->n || readOdd(p);} {return 1;}
set I ext/base/txid.c
mutant $I unit/unit {if( v > ((uint64_t)INT64_MAX - d) / 10 ) return 0;} {}
mutant $I unit/unit {if( z[i] == '0' && i + 1 < n && z[i + 1] >= '0' && z[i + 1] <= '9' ) return 0;} {}
mutant $I unit/unit \
  {if( id.seqno < 1 || id.seqno >= TXID_SEQNO_END ) return 0;} \
  {if( id.seqno < 1 ) return 0;}
mutant $I unit/unit \
  {if( !txidNumber(z, n, &i, &id.seqno) || i != n ) return 0;} \
  {if( !txidNumber(z, n, &i, &id.seqno) ) return 0;}
mutant $I unit/unit {if( a.view != b.view ) return a.view < b.view ? -1 : 1;} {}
set X ext/base/secret.c
mutant $X trust/secret_echoed \
  {if( nSame < n && nSame < (z[nSame] ? SECRET_PART : SECRET_MIN) ) continue;} \
  {if( nSame < n ) continue;}
mutant $X trust/memory {  if( p->z ) explicit_bzero(p->z, p->nAlloc);} {}
mutant $X trust/memory {  explicit_bzero(z, strlen(z));} {}
