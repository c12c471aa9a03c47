# Mutants of reading: whole ranges, each row once, of one committed state, from
# nodes that lag, and out of what was read before.

# Not here, since two places see to it and one is enough:
#   - rows beyond a window's end, and rows below the one where it begins (range.c:
#     pagerKeeps, ledgerPagerFork's iSeqnoMax): pieces.c drops what was shown,
#     stream.c what is above the snapshot, SQLite what the query doesn't ask for;
#   - floors (range.c: ledgerPagerFork; flight.c: ledgerFlightOpen, flightResume,
#     flightBounds): flightIsShort() asks again for what such a page leaves out;
#   - that a refusal is one of bounds that are sure, or of a window (flightBounds,
#     ledgerPagerFork's bSure, bWindow, bNoBounds): a link is asked for again, and
#     refused, which is an error; a window is read without bounds, and longer;
#   - where a page's link names no id (flightTake's bOne): windows begin where the page
#     did, and pieces.c drops what was shown;
#   - what is asked of a link before windows go ahead by it (flightMayGo): an id of
#     another view is refused, and the bound of the snapshot is that of the link;
#   - that a pager whose link was taken over has ended (ledgerPagerFork): nobody asks
#     it again; or that one has whose bound came down (ledgerPagerBound's isLast): a
#     link that leads above the state has ended it before;
#   - the page's isUnbounded: what is sent before the bound is committed isn't sound
#     either (bEarly); after that bounds are sure;
#   - a bound that a change of view took back (snapshot.c): rows of the next view
#     compare higher than it;
#   - whose page it is (the page's bOwner, ledgerPastWrite()): a span is written under
#     the reader who got its page, and told to him alone;
#   - known.c, the view of what was appended: the service says InvalidTransactionId of
#     an id that was lost, and nobody waits for it.
# Nor flight.c, where a soft range ends: what a link names is committed, so that nothing
# appears below it later. Nor range.c's comparison of views: SQLite compares them, too.
# status.c, that as much is committed in the later view: without it more is asked.
# Not settled: flightResume's ledgerViewsClose(). No state is known in which the rest of
# a range that is firm is read without a bound, by a node that doesn't know it.

rule {a page is what was asked for, and it leads on}
set R ext/client/api/range.c
mutant $R read/pages_hostile {if( id.seqno <= p->iSeqnoLast )} {if( 0 )}
mutant $R read/answers {if( ledgerEntryMeant(p, &pList->aEntry[i], pErr) ) break;} {}
mutant $R read/answers {if( !cJSON_IsArray(pArray) )} {if( 0 )}
mutant $R read/answers {(nRow == 0 && iFrom > 0 && iFrom <= p->iLinkMax) ||} {} hangs
mutant $R read/lag_windows {pCall->floor = p->floor;} {}
mutant $R read/pages_hostile {    p->iSeqnoLast = id.seqno;} {}
mutant $R read/answers {if( ledgerEntryStateRead(p, pRoot, zState, pErr) ) goto out;
  pArray} {pArray}
mutant $R read/pages_hostile {    p->bAgain = 1;
    goto out;} {    goto out;}
mutant $R read/pages_hostile {return !iLink || iLink > p->iSeqnoLast;} {return 1;}
mutant $R read/windows {return p->zLink && p->linkFrom.seqno > p->iSeqnoMax;} \
  {return p->zLink && p->linkFrom.seqno >= p->iSeqnoMax;}
mutant $R read/windows {if( p->iSeqnoLast >= p->iSeqnoMax )} \
  {if( p->iSeqnoLast + 1 >= p->iSeqnoMax )}
mutant $R read/windows {  if( iSeqnoMax >= p->iSeqnoMax ) return;} {}
mutant $R read/lag_bounds {pCall->query.to = p->bNoBounds ? p->wideTo : p->to;} \
  {pCall->query.to = p->to;}
mutant $R read/lag_bounds {  p->wideTo = pRange->wideTo;} {}
mutant $R read/answers {if( nRow == 0 && (iFrom == 0 || iHead == 0) )} {if( 0 )} hangs
mutant $R read/answers {  if( iFrom > p->iLinkMax ) p->iLinkMax = iFrom;} {} hangs
mutant $R read/lag_windows {    p->page.head = pCall->head;} {}
mutant $R read/lag_bounds {  if( p->bSure && !p->bWindow ) return 0;} {}
mutant $R read/answers {(pCall->zLink && strcmp(pCall->zLink, pAnswer->zNext) == 0) )} \
  {0 )}
mutant $R read/range {p->http == 404 && !p->bBounds &&} {p->http == 404 &&}
mutant $R read/range {  if( p->http == 404 && !p->bBounds &&
      strcmp(p->server.zCode, "UnknownLedgerEntry") == 0 )} {  if( p->http == 404 && !p->bBounds )}
mutant $R read/windows {p->bEnd = p->bRefused = 1;} {p->bEnd = 1;}
mutant $R read/answers {  pRest->nIdle = p->nIdle;} {} hangs
mutant $R read/answers {  pRest->iLinkMax = p->iLinkMax;} {} hangs
mutant $R read/pages_hostile {  pRest->iSeqnoLast = p->iSeqnoLast;} {}
mutant $R read/lag_windows {  p->floor = pRange->floor;} {}
mutant $R read/lag_bounds {  p->bSure = pRange->bSure;} {}
mutant $R cache/crooked {if( iHead > 0 && iFrom > iHead )} \
  {if( iHead > 0 && iFrom >= iHead )}
mutant $R read/lag_windows {  return p->bAgain;} {  p->bAgain = 0; return 0;}
mutant $R cache/crooked {if( iHead > 0 && iFrom > iHead )} {if( 0 )}
set E ext/client/api/entries.c
mutant $E read/answers {if( strcmp(zSub, zAsked) == 0 ) return LEDGER_OK;} \
  {return LEDGER_OK;}
mutant $E read/lookup \
  {p->bFound = ledgerTxidCompare(pList->aEntry[0].id, p->id) == 0;} \
  {p->bFound = 1;}
mutant $E read/answers \
  {if( zState && strcmp(zState, "Ready") == 0 ) return LEDGER_OK;} \
  {return LEDGER_OK;}
mutant $E read/lag \
  {      pAnswer->bKnown && strcmp(p->server.zCode, "InvalidTransactionId") != 0;} \
  {      0;}
mutant $E cache/not_kept \
  {p->bFinal = p->bFound && zState && strcmp(zState, "Ready") == 0;} \
  {p->bFinal = 1;}
set P ext/client/api/page.c
mutant $P read/pages_forms {if( memchr(pTo->zSubLedger, 0, pFrom->subLedger.n) )} \
  {if( 0 )}
mutant $P read/pages_forms {if( p->read.bOdd || pEntry->contents.i == 0 ||} \
  {if( p->read.bOdd ||}
mutant $P read/answers {memcmp(p->read.z + pBefore->subLedger.i, p->read.z + pEntry->subLedger.i,
             pEntry->subLedger.n) == 0} {1}

rule {what is committed, and which node lags}
set S ext/client/api/status.c
mutant $S append/answer {if( ledgerResponseAbout(p, pDoc, pErr) ) goto out;} {}
mutant $S read/answers \
  {ledgerResponseNonsense(p, "neither Pending nor Committed", pErr);} \
  {pAnswer->eTx = LEDGER_TX_COMMITTED;}
mutant $S cache/not_kept {    pAnswer->eTx = LEDGER_TX_PENDING;
    pAnswer->bSuspect} {    pAnswer->eTx = LEDGER_TX_PENDING;
    p->bFinal = 1;
    pAnswer->bSuspect}
mutant $S read/lag {    if( bReplaced ) eState = LEDGER_TX_INVALID;} \
  {    eState = LEDGER_TX_INVALID;}
mutant $S read/lag {*pbReplaced = eState == LEDGER_TX_COMMITTED;} {*pbReplaced = 1;}
set C ext/client/call/call.c
mutant $C read/lag {return p->head.seqno < p->pClient->appended.seqno ||} {return}
mutant $C read/lag_windows \
  {p->head.seqno < p->floor.seqno || p->head.view < p->floor.view;} \
  {0;}
set K ext/client/call/known.c
mutant $K read/windows {if( id.seqno > p->committed.seqno ) p->committed = id;} \
  {p->committed = id;}

rule {pages side by side are the whole range, each row once}
set F ext/sqlite/read/flight.c
mutant $F read/failure {      ledgerErrorCopy(pErr, &pLeg->err);
      break;} {      break;}
mutant $F read/windows {return flightEnd(p) <= facts.committed.seqno ||} {return 1 ||}
mutant $F read/failure {    pLeg->eState = LEG_FAILED;} {}
mutant $F read/lag_windows {      (pPage->head.seqno < iNeeded ||
       pPage} {      (pPage}
mutant $F read/snapshot {iNext, pPage->isLast && !bShort, pErr) ||} {iNext, 0, pErr) ||}
mutant $F read/windows \
  {  if( ledgerPagerRefused(pLeg->pPager) ) pLeg->eState = LEG_REFUSED;} \
  {}
mutant $F read/windows {flightAddLeg(p, pLeg, pRest, iNext, pLeg->iTo, pErr);} \
  {ledgerPagerClose(pRest);}
mutant $F read/windows {  if( bShort ) return flightAgain(p, pLeg, pErr);} {}
mutant $F read/windows \
  {return pLeg->bEarly && (pLeg->iTo < INT64_MAX || flightIsFirm(p));} \
  {return 0;}
mutant $F read/windows {p->bEarly = !flightIsFirm(p);
  if} {p->bEarly = 0;
  if}
mutant $F read/windows {pLeg->bEarly = !flightIsFirm(p);} {pLeg->bEarly = 0;}
mutant $F read/windows {if( p->bEarly && iTo < p->iEnd )} {if( p->bEarly )}
mutant $F read/windows {p->iRest = pTrunk->iTo + 1;} {p->iRest = pTrunk->iTo + 2;}
mutant $F read/windows {  p->iRest = iTo + 1;} {  p->iRest = iTo + 2;}
mutant $F read/windows {if( iFrom > p->iEnd ) return LEDGER_OK;} \
  {if( iFrom >= p->iEnd ) return LEDGER_OK;}
mutant $F read/windows {return p->probe.nUsed > 0 ||} {return}
mutant $F read/windows {(p->bCut && p->bEarly && p->pStatus && p->iRest <= p->iEnd);} \
  {0;}
mutant $F read/lag_bounds \
  {  if( flightIsFirm(p) ) ledgerViewsClose(pSnapshot, pLedger, &p->range);} \
  {}
mutant $F cache/complete {!(pLeg->bEarly || pPage->isUnbounded)} {!pPage->isUnbounded}
mutant $F read/windows \
  {  if( p->range.to.seqno && p->range.to.seqno < iEnd ) iEnd = p->range.to.seqno;} \
  {}
mutant $F read/windows {  flightDropAfter(p, NULL);} {} hangs
mutant $F read/windows {  p->bNotEarly = 1;
  flightDropAfter(p, pLeg);} {  p->bNotEarly = 1;}
mutant $F read/windows {  p->pRest = pPager;
  p->iRest = iFrom;} {  p->pRest = pPager;}
mutant $F read/windows {if( iNext > pLeg->iTo || iNext > flightMost(p) )} \
  {if( iNext >= pLeg->iTo || iNext > flightMost(p) )}
mutant $F read/lag_windows \
  {  if( p->pStatus && pLeg->iTo == INT64_MAX && pLeg->pPage->isLast &&} \
  {  if( 0 &&}

rule {a statement sees one state, and all of it}
set N ext/sqlite/read/snapshot.c
mutant $N read/snapshot \
  {if( pSnapshot->iStatement == i && !pSnapshot->bEnded ) break;} \
  {if( pSnapshot->iStatement == i ) break;}
mutant $N read/snapshot {    pSnapshot->bEnded = 1;} {}
mutant $N read/ledger_column {pAt->iSlot == iSlot && pAt->iHash == iHash &&} \
  {pAt->iHash == iHash &&}
mutant $N read/snapshot {pBound->bound.seqno = pPage->aEntry[0].id.seqno - 1;} {}

rule {whose history it is, and what of it is whole}
set L ext/sqlite/read/pieces.c
mutant $L cache/complete {if( bSound ) piecesKeep(p, iHigh, NULL, 0);} \
  {piecesKeep(p, iHigh, NULL, 0);}
mutant $L cache/answers {if( p->range.zTag &&
        ledgerMatchHas} {if( 0 &&
        ledgerMatchHas}
mutant $L cache/answers {p->bKeep = p->bPast && pRange->zTag == NULL;} \
  {p->bKeep = p->bPast;}
set A ext/sqlite/history/span.c
mutant $A cache/damaged {iLow ^ pSub->iSeed} {iLow}
mutant $A cache/damaged {             spanDigest(pSub, pPage->iLow, pPage->iHigh, &pPage->text) ==
                 sqlite3_column_int64(pStmt, 3) &&} {}
mutant $A cache/history {if( bBad ) ledgerPastRun(p, PAST_DROP, *pn);} {}
mutant $A cache/history {      sqlite3_column_int64(pStmt, 1) >= iFrom )} \
  {      1 )} hangs
mutant $A cache/damaged {ledgerPastDigest(0, 0, aOwner, 32)} {0}
set B ext/sqlite/history/answer.c
mutant $B cache/damaged \
  {answerDigest(zRequest, z, n) == sqlite3_column_int64(pStmt, 0)} \
  {n > 0}
set T ext/sqlite/history/past.c
mutant $T cache/not_kept {      !ledgerClientAdmitted(pLedger->pClient, aOwner) )} \
  {      0 )}
mutant $T cache/history {|| (st.st_mode & 077)} {}
mutant $T cache/history {if( iApplication != PAST_APPLICATION )} {if( 0 )}
mutant $T cache/damaged {bNew = n == 0;} {}
mutant $T cache/damaged {if( !S_ISREG(st.st_mode) )} {if( 0 )}
mutant $T cache/damaged {else if( pastIsHosts(db, &st) )} {else if( 0 )}
set M ext/client/call/cache.c
mutant $M cache/not_kept {!p->bCache || p->zLink} {p->zLink}
mutant $M cache/not_kept {p->zCacheKey && p->bFinal && p->err.rc == LEDGER_OK} \
  {p->zCacheKey && p->err.rc == LEDGER_OK}
set Y ext/client/call/retry.c
mutant $Y cache/readers {      memcmp(aNow, p->aOwner, sizeof(aNow)) != 0 )} {      0 )}
mutant $Y cache/damaged {    pClient->bDenied = 1;} {}
