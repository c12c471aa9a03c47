# Mutants of whom the client trusts, whose secrets it tells, and how it signs in.

rule {only the pinned or known key is the ledger's}
set T ext/client/net/trust.c
mutant $T trust/trust {if( zPinKey && strcmp(zPinKey, zKey) != 0 )} {if( 0 )}
mutant $T trust/identity {if( nCert != 1 )} {if( nCert < 1 )}
mutant $T trust/trust {EVP_Digest(aDer, (size_t)n,} {EVP_Digest(aDer, (size_t)n / 2,}
mutant $T trust/dates \
  {ledgerFailureIsDate(e) && p->bPinned &&} \
  {ledgerFailureIsDate(e) &&}
mutant $T trust/dates \
  {if( ledgerFailureIsDate(e) && p->bPinned &&} \
  {if( p->bPinned &&}
mutant $T trust/trust {if( bOk || p == NULL ) return bOk;} {return 1;}
mutant $T trust/dates {X509_cmp(pCert, p->pCert) == 0} {1}
mutant $T trust/dates {X509_cmp_current_time(X509_get0_notAfter(p->pCert)) < 0} {0}
mutant $T trust/identity \
  {X509_cmp_current_time(X509_get0_notBefore(p->pCert)) > 0} \
  {0}
mutant $T trust/handshake {"P-256:P-384:P-521:X25519"} {"X25519:P-256:P-384:P-521"}
set I ext/client/identity.c
mutant $I trust/identity \
  {if( z && ledgerStricmp(z, p->pClient->pConfig->zLedgerId) != 0 )} \
  {if( 0 )}
mutant $I trust/identity {if( z == NULL || zPem == NULL )} {if( zPem == NULL )}
mutant $I trust/trust {p->trust.zKey[0] ? p->trust.zKey : zPin;} {zPin;}
mutant $I trust/trust \
  {p->trust.zKey[0] ? p->trust.zKey : zPin;} \
  {p->trust.zKey[0] ? p->trust.zKey : NULL;}
mutant $I trust/trust \
  {if( ledgerTrustDates(&p->trust, pErr) ) ledgerTrustReset(&p->trust);} \
  {}
mutant $I trust/trust \
  {if( p->trust.bPinned || p->trust.zPem == NULL ) return 0;} \
  {if( p->trust.zPem == NULL ) return 0;}
mutant $I trust/dates {p->trust.bPinned = 1;} {}
mutant $I trust/dates \
  {if( pErr->rc == LEDGER_AUTH ) p->bAdmitted = 0;} \
  {}
mutant $I cache/not_kept {p->bAdmitted = 0; /* as in} {/* as in}
mutant $I append/gateway \
  {if( p->pConfig->tlsPublic && p->auth.zCertificate )} \
  {if( 0 )}
# Not here: a certificate at depth 0 that is the service's own (X509_cmp says no more);
# sessions of TLS that are taken up again (libcurl keeps them with the easy handle, one
# per request); an identity service that is no public one (its call waits for itself);
# what libcurl has received, not wiped (it is written over before anybody can look);
# an alert within an answer (OpenSSL's servers send none).
set H ext/client/net/http.c
mutant $H trust/trust \
  {SET(CURLOPT_SSL_VERIFYPEER, 1L);} \
  {SET(CURLOPT_SSL_VERIFYPEER, 0L);}
mutant $H trust/trust {SET(CURLOPT_SSL_VERIFYHOST, 2L);} {SET(CURLOPT_SSL_VERIFYHOST, 0L);}
mutant $H trust/system {    SET(CURLOPT_CAPATH, NULL);} {}
mutant $H call/proxy \
  {p->bDirect = pWire->bPlain || ledgerUrlIsLoopback(&p->url);} \
  {p->bDirect = 0;}
mutant $H call/hostile {if( (int64_t)n > p->nMax - (int64_t)p->body.n )} {if( 0 )}
mutant $H call/hostile {if( p->nHeader > HTTP_MAX_ALL_HEADERS )} {if( 0 )}
mutant $H trust/memory {OPENSSL_cleanse(pLine->data, strlen(pLine->data));} {}
mutant $H trust/memory {if( line.z ) OPENSSL_cleanse(line.z, line.nAlloc);} {}
mutant $H trust/memory {b.flags = CURL_BLOB_NOCOPY;} {b.flags = CURL_BLOB_COPY;}
set F ext/client/net/failure.c
mutant $F trust/dates {iVerify == X509_V_ERR_CERT_HAS_EXPIRED ||} {}
mutant $F trust/trust \
  {return iVerify == X509_V_OK || iVerify == X509_V_ERR_UNSPECIFIED;} \
  {return 1;}

rule {the credential goes to the ledger alone}
mutant ext/client/call/send.c trust/identity "  if( !p->pKind->bPublic ) \{
    if( (p->pKind->xSpell" "  if( 1 ) \{
    if( (p->pKind->xSpell"
mutant ext/client/call/send.c trust/trust {    w.xVerify = ledgerTrustVerify;} {}
mutant ext/client/call/send.c trust/trust \
  {    w.zCaFile = pClient->trust.zPem;} \
  {    w.zCaFile = pConfig->zCaFile;}
mutant ext/client/call/call.c trust/memory {OPENSSL_cleanse(p->body.z, p->body.n);} {(void)0;}

# Not here, where two layers hide the same: what a server said, hidden when it is read
# (retry.c, gateway.c), in the error (call.c) and in the log (log.c: its parts); the token that was sent, and the one
# that is known (note.c).
rule {no secret is told}
set N ext/client/call/note.c
mutant $N trust/secret \
  {  ledgerSecretHide(zText, p->zSecret);} \
  {}
mutant $N trust/memory {  ledgerBufWipe(&sent);} {  ledgerBufFree(&sent);}
mutant ext/client/call/call.c trust/secret_echoed "  ledgerCallHide(p, p->err.zMsg);
  callEnd" "  callEnd"
mutant ext/client/api/append.c trust/secret_echoed {ledgerCallHide(p, pAnswer->zOtherSubLedger);} {}
set A ext/client/log/redact.c
mutant $A trust/secret {      ledgerBufAppend(p, z, nName + 1);
      ledgerBufText(p, REDACT_HIDDEN);} {      ledgerBufAppend(p, z, nPart);}
mutant $A trust/secret "  \} else if( !bShown ) \{" "  \} else if( 0 ) \{"
mutant $A trust/secret \
  {memcpy(zValue, REDACT_HIDDEN, sizeof(REDACT_HIDDEN));} \
  {ledgerTextClean(z, n, zValue, sizeof(zValue));}
mutant $A call/log {strlen(azList[i]) == n && ledgerStrnicmp} {ledgerStrnicmp}
mutant $A trust/redirect {if( zCopy[0] != '/' ) ledgerBufText(p, url.zBase);
    ledgerRedactRest(p, url.zRest);} {ledgerBufAppend(p, z, n);}
mutant $A trust/redirect \
  {  redactParams(p, z + n + 1, strlen(z + n + 1));} \
  {  ledgerBufText(p, z + n + 1);}
mutant $A call/log {if( z && ledgerStrnicmp(zName, "nextLink", 8) == 0 )} {if( 0 )}
set L ext/client/log/log.c
mutant $L trust/secret_echoed {    logHide(pNote, &text);} {}
set X ext/client/net/file.c
mutant $X attach/option_files \
  {!S_ISREG(st.st_mode) && !(pPipe && *pbPipe && !pPipe->bNone)} \
  {0}
mutant $X attach/option_files \
  {else if( pOut->n > nMax )} \
  {else if( 0 )}
mutant $X attach/option_files {      pOut->n == 0 )} {      0 )}

rule {a 401 is tried once more, with another token, and no more}
set C ext/client/credential/chain.c
mutant $C credential/refresh {if( zClaims ? p->bClaims : p->bReauth )} {if( 0 )} hangs
mutant $C credential/refresh {    pChain->tRefresh = 0;
    pChain->tExpire = 0;} {}
mutant $C credential/files {  if( !bChanged ) return 0;} {}
mutant $C credential/chain {(pFetch->bMissing || pKind->eChain == LEDGER_CHAIN_DEV)} {1}
