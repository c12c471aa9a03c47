# Mutants of reading: whole ranges, of one committed state, from nodes that lag,
# and out of what was read before.

rule {a page is what was asked for, and it leads on}
set R ext/client/api/range.c
mutant $R {read/pages_hostile read/answers} {if( id.seqno <= p->iSeqnoLast )} {if( 0 )}
mutant $R {read/answers read/pages_hostile} \
  {if( ledgerEntryMeant(p, &pList->aEntry[i], pErr) ) break;} \
  {}
mutant $R {read/answers read/pages_forms} {if( !cJSON_IsArray(pArray) )} {if( 0 )}
mutant $R {read/pages_hostile read/answers} {(nRow == 0 && iFrom > 0 && iFrom <= p->iLinkMax) ||} {}
mutant $R {read/answers read/pages_hostile} \
  {(pCall->zLink && strcmp(pCall->zLink, pAnswer->zNext) == 0) )} \
  {0 )}
mutant $R {read/range read/compare_strict} {if( pagerKeeps(p, id) ) pList} {pList}
mutant $R {read/range read/windows read/compare_statements} \
  {if( from.seqno && ledgerTxidCompare(id, from) < 0 ) return 0;} \
  {}
mutant $R {read/range read/windows read/compare_statements} \
  {if( to.seqno && ledgerTxidCompare(id, to) > 0 ) return 0;} \
  {}
mutant $R {read/range read/snapshot read/windows} {return id.seqno <= p->iSeqnoMax;} {return 1;}
mutant $R {read/missing read/range} {  if( p->http == 404 && !p->bBounds &&
      strcmp(p->server.zCode, "UnknownLedgerEntry") == 0 )} {  if( p->http == 404 )}
mutant $R {read/lag read/lag_windows} {pCall->floor = p->floor;} {}
set E ext/client/api/entries.c
mutant $E {read/answers read/lookup} \
  {if( strcmp(zSub, zAsked) == 0 ) return LEDGER_OK;} \
  {return LEDGER_OK;}
mutant $E {read/lookup read/answers} \
  {p->bFound = ledgerTxidCompare(pList->aEntry[0].id, p->id) == 0;} \
  {p->bFound = 1;}
mutant $E {read/answers read/failure} \
  {if( zState && strcmp(zState, "Ready") == 0 ) return LEDGER_OK;} \
  {return LEDGER_OK;}
mutant $E {cache/answers cache/kept cache/not_kept} \
  {p->bFinal = p->bFound && zState && strcmp(zState, "Ready") == 0;} \
  {p->bFinal = 1;}
mutant $E {read/lag append/lagging_node} \
  {      pAnswer->bKnown && strcmp(p->server.zCode, "InvalidTransactionId") != 0;} \
  {      0;}
mutant ext/client/api/page.c {read/pages_forms read/answers} \
  {if( memchr(pTo->zSubLedger, 0, pFrom->subLedger.n) )} \
  {if( 0 )}
mutant ext/client/api/page.c {read/pages_forms read/answers} \
  {if( p->read.bOdd || pEntry->contents.i == 0 ||} \
  {if( p->read.bOdd ||}
mutant ext/client/api/page.c {read/pages_forms} \
  {memcmp(p->read.z + pBefore->subLedger.i, p->read.z + pEntry->subLedger.i,
             pEntry->subLedger.n) == 0} {1}

rule {what is committed, and which node lags}
set S ext/client/api/status.c
mutant $S {read/lag append/lagging_node append/sessions} \
  {    if( eState == LEDGER_TX_PENDING && bSuspect &&
        eLater == LEDGER_TX_COMMITTED )} {    if( bSuspect )}
mutant $S {read/lag append/lagging_node} {        eLater == LEDGER_TX_COMMITTED )} {        1 )}
mutant $S {read/lag append/lagging_node} {committed.view == p->head.view &&} {}
mutant $S {read/lag append/lagging_node} \
  {return p->head.view > p->id.view && p->head.seqno >= p->id.seqno &&} \
  {return p->head.view > p->id.view &&}
mutant $S {append/answer read/answers read/missing} \
  {if( ledgerResponseAbout(p, pDoc, pErr) ) goto out;} \
  {}
mutant $S {read/answers read/failure} \
  {ledgerResponseNonsense(p, "neither Pending nor Committed", pErr);} \
  {pAnswer->eTx = LEDGER_TX_COMMITTED;}
mutant $S {cache/kept cache/not_kept} {    pAnswer->eTx = LEDGER_TX_PENDING;
    pAnswer->bSuspect} {    pAnswer->eTx = LEDGER_TX_PENDING;
    p->bFinal = 1;
    pAnswer->bSuspect}
set C ext/client/call/call.c
mutant $C {read/lag append/lagging_node} \
  {return p->head.seqno < p->pClient->appended.seqno ||} \
  {return}
mutant $C {read/lag_windows read/lag} \
  {p->head.seqno < p->floor.seqno || p->head.view < p->floor.view;} \
  {0;}
set K ext/client/call/known.c
mutant $K {append/lagging_node read/lag read/windows} \
  {if( id.seqno > p->committed.seqno ) p->committed = id;} \
  {p->committed = id;}
mutant $K {read/lag append/lagging_node} {else if( id.view != own.view )} {else if( 0 )}

rule {a statement sees one state, and all of it}
set P ext/sqlite/read/snapshot.c
mutant $P {read/snapshot read/cursors} \
  {if( pSnapshot->iStatement == i && !pSnapshot->bEnded ) break;} \
  {if( pSnapshot->iStatement == i ) break;}
mutant $P {read/snapshot read/cursors} {    pSnapshot->bEnded = 1;} {}
mutant $P {read/snapshot read/compare_meanwhile read/windows} \
  {pBound->bound.seqno = pPage->aEntry[0].id.seqno - 1;} \
  {}
mutant $P {read/snapshot append/sessions read/windows} \
  {if( eState == LEDGER_TX_COMMITTED ) break;} \
  {break;}
mutant $P {read/lookup read/cursors} \
  {pAt->iSlot == iSlot && pAt->iHash == iHash &&} \
  {pAt->iHash == iHash &&}
set F ext/sqlite/read/flight.c
mutant $F {read/failure read/windows read/failure_advice} {      ledgerErrorCopy(pErr, &pLeg->err);
      break;} {      break;}

rule {whose history it is, and what of it is whole}
set L ext/sqlite/read/pieces.c
mutant $L cache/complete \
  {if( bSound ) piecesKeep(p, iHigh, NULL, 0);} \
  {piecesKeep(p, iHigh, NULL, 0);}
mutant $L cache/answers {if( p->range.zTag &&
        ledgerMatchHas} {if( 0 &&
        ledgerMatchHas}
mutant $L {cache/answers cache/complete} \
  {p->bKeep = p->bPast && pRange->zTag == NULL;} \
  {p->bKeep = p->bPast;}
set A ext/sqlite/history/span.c
mutant $A cache/damaged {iLow ^ pSub->iSeed} {iLow}
mutant $A {cache/damaged cache/history} \
  {             spanDigest(pSub, pPage->iLow, pPage->iHigh, &pPage->text) ==
                 sqlite3_column_int64(pStmt, 3) &&} {}
mutant $A {cache/damaged cache/history cache/history_shared} \
  {if( bBad ) ledgerPastRun(p, PAST_DROP, *pn);} \
  {}
mutant $A {cache/history cache/complete} \
  {      sqlite3_column_int64(pStmt, 1) >= iFrom )} \
  {      1 )}
mutant $A {cache/damaged cache/history} {ledgerPastDigest(0, 0, aOwner, 32)} {0}
set B ext/sqlite/history/answer.c
mutant $B cache/answers {answerDigest(zRequest, z, n) == sqlite3_column_int64(pStmt, 0)} {n > 0}
set T ext/sqlite/history/past.c
mutant $T {cache/answers cache/not_kept cache/history} {      memcmp(aNow, aOwner, 32) != 0 )} {      0 )}
mutant $T {cache/not_kept cache/damaged cache/history} \
  {      !ledgerClientAdmitted(pLedger->pClient, aOwner) )} \
  {      0 )}
mutant $T {cache/history cache/not_kept} {|| (st.st_mode & 077)} {}
mutant $T {cache/history cache/not_kept cache/damaged} {if( !S_ISREG(st.st_mode) )} {if( 0 )}
mutant $T {cache/history cache/not_kept} {else if( pastIsHosts(db, &st) )} {else if( 0 )}
mutant $T {cache/history cache/damaged} {if( iApplication != PAST_APPLICATION )} {if( 0 )}
mutant $T cache/damaged {bNew = n == 0;} {}
set M ext/client/call/cache.c
mutant $M {cache/not_kept cache/kept} {!p->bCache || p->zLink} {p->zLink}
mutant $M {cache/not_kept cache/kept} \
  {p->zCacheKey && p->bFinal && p->err.rc == LEDGER_OK} \
  {p->zCacheKey && p->err.rc == LEDGER_OK}
mutant ext/client/call/retry.c {cache/not_kept cache/damaged} \
  {      memcmp(aNow, p->aOwner, sizeof(aNow)) != 0 )} {      0 )}
mutant ext/client/call/retry.c {cache/not_kept cache/damaged} {    pClient->bDenied = 1;} {}
