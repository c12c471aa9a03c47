# Mutants of one call's life: what is sent again, where it may go, and what may
# be said of it.

rule {a write is sent again only where it certainly was not recorded}
set R ext/client/call/retry.c
mutant $R call/retry {503 && p->server.bBody && p->head.seqno == 0} {503 && p->server.bBody}
mutant $R append/answer {503 && p->server.bBody && p->head.seqno == 0} {503 && p->head.seqno == 0}
mutant $R tables/no_functions {501 && p->server.bBody && p->head.seqno == 0} {501 && p->server.bBody}
mutant $R tables/no_functions {501 && p->server.bBody && p->head.seqno == 0} {501 && p->head.seqno == 0}
mutant $R append/answer {p->head.seqno == 0 &&
         !p->pEx->bTwoIds} {p->head.seqno == 0}
mutant $R call/retry {return p->http == 503 &&} {return p->http >= 500 &&}
mutant $R call/retry {if( p->http == 429 ) return 1;} {if( p->http == 408 ) return 1;}
mutant $R call/retry \
  {p->http == 500 && strcmp(zCode, "SessionConsistencyLost") == 0} \
  {p->http == 500}
mutant $R call/retry {p->http == 404 && strcmp(zCode, "FrontendNotOpen") == 0} {p->http == 404}
mutant $R call/retry {(!pKind->bOnce && retryMay(pKind, p->http))} {retryMay(pKind, p->http)}
mutant $R trust/redirect \
  {ledgerSessionHolds(p) || (p->pKind->bOnce && pEx->bSent)} {ledgerSessionHolds(p)}
mutant $R append/answer_lost \
  {if( p->pKind->bOnce && pEx->bSent ) p->eOutcome = LEDGER_OUTCOME_UNKNOWN;} {}
mutant $R call/errors \
  {if( p->pKind->bOnce && pEx->bSent ) p->eOutcome} {if( p->pKind->bOnce ) p->eOutcome}
mutant $R faults/appends \
  {if( bUnknown ) p->eOutcome = LEDGER_OUTCOME_UNKNOWN;} {}
mutant $R faults/appends \
  {p->pKind->bOnce && ledgerExchangeLeft(p->pEx);} {0;}
mutant $R append/sessions_again {ledgerSessionHolds(p) && p->http != 429;} {0;}
mutant $R call/retry {(p->http >= 500 || p->http == 408)} {p->http >= 500}
mutant $R call/retry {(p->http >= 500 || p->http == 408)} {p->http == 408}
mutant $R call/connection_broken \
  {p->eOutcome = LEDGER_REFUSED; /* nobody} {p->eOutcome = LEDGER_OUTCOME_UNKNOWN; /* nobody}
mutant $R call/retry {if( p->http == 401 && !pKind->bPublic &&} {if( 0 && !pKind->bPublic &&}

# Not here, since what users see stays the same: that a session ends
#   - with a kept connection that was found closed, or a GET that timed out: what is
#     sent by it again finds no connection (http.c), and ends it then;
#   - with a 5xx, a 408 or an answer that can't be read: an open outcome ends the
#     round (send.c), and settling proves by the commit, not by the connection;
#   - for one to another node: a node that isn't the primary says so itself.
# Nor what has a second guard behind it: libcurl's own rewinding (http.c: httpReady),
# the id of two that differ (response.c: bTwoIds), a row started by a session that
# has ended (send.c of write/: bOver), a session's call that fails over (none is of
# a kind that may), an address that is none (url.c; libcurl refuses it before).

set H ext/client/net/http.c
mutant $H append/sessions \
  {if( p->pbHeld && *p->pbHeld )} {if( 0 )}
mutant $H call/connection_idle \
  {if( p->bOnce && !p->bReady && !p->bOpened &&} {if( 0 &&}
mutant $H call/connection_broken \
  {if( p->bReady && p->bOnce && ledgerExchangeLeft(p) )} {if( 0 )}
mutant $H append/answer_lost \
  {p->bSent = ledgerExchangeLeft(p);} {p->bSent = 0;}
mutant $H call/proxy \
  {if( p == NULL || !p->bReady ) return 0;} {if( p == NULL ) return 0;}
mutant $H call/connection_broken \
  {if( rc == CURLE_OK && p->eHead != HTTP_BODY ) rc = CURLE_PARTIAL_FILE;} {}
mutant $H call/connection_idle \
  {if( rc == CURLE_COULDNT_CONNECT && p->bHeldLost ) rc = CURLE_GOT_NOTHING;} {}

rule {an id is the row's own, and two answers in one are none}
mutant $H append/answer {p->bTwoIds = 1;} {}
mutant $H credential/answer_lengths {p->bUnequal = p->nLength >= 0 && p->nLength != nLength;} {}
set P ext/client/call/response.c
mutant $P append/answer {if( pEx && pEx->bTwoIds )} {if( 0 )}
mutant $P append/answer {id.seqno < p->floor.seqno + (!bChange)} {0}
mutant $P append/answer {else if( id.seqno == 0 )} {else if( 0 )}
mutant $P append/answer {p->floor.seqno + (!bChange)} {p->floor.seqno}
mutant $P append/answer \
  {if( n == strlen(zId) && memcmp(z, zId, n) == 0 ) return LEDGER_OK;} \
  {
  if( n == strlen(zId) ) return LEDGER_OK;}
mutant $P read/missing {p->http == 404 && p->server.bBody &&} {p->http == 404 &&}
mutant $P read/missing {&& !ledgerDialectNoPath(&p->server)} {}
mutant ext/client/call/send.c append/answer \
  {if( w.bOnce ) p->floor = pClient->committed;} \
  {}
mutant ext/client/api/append.c append/answer {if( z == NULL ||
      (n == strlen(zAsked)} {if( 1 || z == NULL ||
      (n == strlen(zAsked)}

rule {a session is one connection, of one view}
set S ext/client/call/session.c
mutant $S append/sessions_again \
  {if( pSession->last.view && pSession->last.view != id.view )} {if( 0 )}
mutant $S append/sessions_again {p->pClient->bBreaks = 1;} {}
mutant $S append/sessions_again \
  {return p->pSession && p->pSession->bOpen;} \
  {return 0;}
mutant $S append/sessions_again {  p->pSession->bOpen = 1;} {}
mutant $S append/sessions \
  {if( p->bEnded || !p->bOpen || pClient == NULL ) return 0;} \
  {if( pClient == NULL ) return 0;} hangs

rule {redirects: the ledger's host, its port, https, five at most}
set U ext/client/net/url.c
mutant $U trust/redirect {p->iPort != base.iPort ||} {}
mutant $U trust/redirect {        strcmp(p->zHost + n - nBase, base.zHost) != 0 ||} {}
mutant $U trust/redirect {p->zHost[n - nBase - 1] != '.'} {0}
mutant $U unit/unit {(urlIsAddress(&base) || } {(}
mutant $U trust/redirect {rc = ledgerUrlRead(zFrom, zTo, 0, p);} {
    rc = ledgerUrlRead(zFrom, zTo, LEDGER_URL_HTTP, p);}
mutant $U unit/unit {if( p->bUser ) return 0;} {}
mutant $U unit/unit \
  {if( !urlIsClean(z) || !urlIsPlain(z) ) return 0;} \
  {if( !urlIsPlain(z) ) return 0;}
mutant $U unit/unit \
  {if( !urlIsClean(z) || !urlIsPlain(z) ) return 0;} \
  {if( !urlIsClean(z) ) return 0;}
mutant $U unit/unit {*z == '\\'} {0}
mutant $U unit/unit {if( zHost && zHost[2] != '/' ) return 0;} {}
mutant $U unit/unit {  return n > 0 && zHost} {  return zHost}
mutant $U unit/unit {&& memchr(zHost, '%', n) == NULL} {}
mutant $U unit/unit {zHost[n - 1] != ':' &&} {}
mutant $U unit/unit {!ledgerIsAlnum(z[i]) && !strchr("-._", z[i])} {0}
mutant $U unit/unit {(zPort && strcmp(zPort, "0") == 0)} {0}
mutant $U unit/unit {return strspn(p->zHost, "0123456789.") == n;} {return 1;}
mutant $U unit/unit \
  {return n == nLocal || p->zHost[n - nLocal - 1] == '.';} \
  {return 1;}
mutant $U attach/attach {if( strcmp(url.zScheme, "https") != 0 )} {if( 0 )}
mutant $U attach/attach {strcmp(url.zRest, "/") != 0 || url.bFragment} {0}
mutant $U attach/refused \
  {(url.bFragment || url.zRest[url.nPath])} \
  {url.bFragment}
mutant $U read/pages_hostile {if( zCopy && strlen(zCopy) == nLink )} {if( zCopy )}
mutant $U read/pages_hostile \
  {        memcmp(url.zRest, zPath, url.nPath) != 0 )} \
  {        0 )}
mutant $U read/pages_hostile {url.nPath != strlen(zPath) ||} {}
set E ext/client/call/redirect.c
mutant $E trust/identity "if( p->pKind->bPublic ) \{" "if( 0 ) \{"
mutant $E trust/redirect {++p->nRedirect > REDIRECT_MAX ||} {}
mutant $E append/sessions_again \
  {             ledgerSessionMoves(p) > REDIRECT_MAX )} \
  {             0 )}
mutant $E trust/redirect {if( strcmp(p->server.zCode, "ApiVersionRedirect") == 0 ||} {if( 0 ||}
mutant $E call/retry {((iHttp == 301 || iHttp == 302) &&
         strcmp(p->pKind->zMethod, "GET") == 0)} {(iHttp == 301 || iHttp == 302)}
mutant $E trust/redirect {free(p->pClient->zPrimary);
  p->pClient->zPrimary = NULL;} {}
mutant $E trust/redirect {if( zWhy )} {if( 0 )}
mutant $E append/sessions_again {  if( ledgerSessionHolds(p) )} {  if( 0 )}
mutant ext/client/call/retry.c trust/redirect {if( pKind->bOnce && p->zBase )} {if( p->zBase )}
mutant ext/client/call/call.c trust/redirect \
  {if( p->pKind->bOnce && p->pClient->zPrimary )} {if( p->pClient->zPrimary )}
mutant $H trust/redirect \
  {SET(CURLOPT_FOLLOWLOCATION, 0L);} \
  {SET(CURLOPT_FOLLOWLOCATION, 1L);}
