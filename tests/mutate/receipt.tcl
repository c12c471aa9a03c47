# Mutants of the verifier: each makes it take what it must refuse, or tell of a
# receipt more than it shows.

# Not here: how long the base64 of a signature may be (so is the signature), the count
# of 256 claims and more (no receipt has as many, and none would be taken so), a
# signature that isn't strict DER (OpenSSL refuses it, too), a NUL in PEM (nothing may
# follow a certificate).
rule {a receipt: the shape}
set S ext/receipt/shape.c
mutant $S receipt/hostile {if( p->pInput->nReceipt > RECEIPT_MAX )} {if( 0 )}
mutant $S receipt/hostile {if( *ppOut && pSnake )} {if( 0 )}
mutant $S receipt/hostile \
  {if( (pLeft != NULL) == (pRight != NULL) )} \
  {if( pLeft == NULL && pRight == NULL )}
mutant $S receipt/hostile {pParts->abLeft[i] = pLeft != NULL;} {pParts->abLeft[i] = pLeft == NULL;}
mutant $S receipt/hostile {if( i == RECEIPT_PROOF_MAX )} {if( i > RECEIPT_PROOF_MAX )}
mutant $S receipt/hostile {if( i == RECEIPT_ENDORSEMENTS )} {if( i > RECEIPT_ENDORSEMENTS )}
mutant $S receipt/hostile {if( !shapeAbsent(pVal) && !cJSON_IsFalse(pVal) )} {if( cJSON_IsTrue(pVal) )}
mutant $S receipt/hostile {if( !shapeAbsent(pVal) && !cJSON_IsFalse(pVal) )} {if( 0 )}
mutant $S receipt/hostile {  pParts->bClaims = 1;} {}
mutant $S receipt/vectors {    pParts->bNode = 1;} {}
mutant $S receipt/hostile {if( shapeIs(pDoc, pState, "Loading") ) return shapeLoading(p);} {}
mutant $S receipt/hostile \
  {    if( pState && !shapeIs(pDoc, pState, "Ready") &&} \
  {    if( 0 && !shapeIs(pDoc, pState, "Ready") &&}
mutant $S receipt/hostile {if( shapeHollow(pParts->pDoc, pReceipt) ) return shapeLoading(p);} {}
mutant $S receipt/hostile \
  {  if( pLeaf == NULL && ledgerJsonMember(pReceipt, "cert") == NULL &&} \
  {  if( 0 &&}
mutant $S receipt/hostile \
  {return z && n == strlen(zText) && memcmp(z, zText, n) == 0;} \
  {return z && memcmp(z, zText, strlen(zText)) == 0;}

rule {a receipt: evidence, transaction, claims}
set V ext/receipt/verify.c
mutant $V receipt/hostile {if( n != 3 + nId + 1 + 64 ||} {if( n < 3 + nId + 1 + 64 ||}
mutant $V receipt/hostile {if( n < 3 || memcmp(z, "ce:", 3) != 0 ) goto bad;} {if( n < 3 ) goto bad;}
mutant $V receipt/hostile \
  {|| (z[i] >= 'a' && z[i] <= 'f')} \
  {|| (z[i] >= 'a' && z[i] <= 'f') || (z[i] >= 'A' && z[i] <= 'F')}
mutant $V receipt/hostile {if( ledgerTxidCompare(id, asked) == 0 ) return LEDGER_OK;} {return LEDGER_OK;}
mutant $V receipt/hostile \
  {if( ledgerTxidCompare(id, asked) == 0 ) return LEDGER_OK;} \
  {if( id.seqno == asked.seqno ) return LEDGER_OK;}
mutant $V receipt/hostile {if( asked.seqno == 0 )} {if( 1 )}
mutant $V receipt/hostile {memcmp(p->claims.aDigest, pParts->aClaims, RECEIPT_HASH) != 0} {0}
mutant $V receipt/vectors {memcmp(p->claims.aDigest, pParts->aClaims, RECEIPT_HASH) != 0} {
      memcmp(p->claims.aDigest, pParts->aClaims, 1) != 0}
mutant $V receipt/hostile {if( pParts->bClaims ) return LEDGER_OK;} {return LEDGER_OK;}
mutant $V receipt/hostile {if( pIn->nClaims > RECEIPT_MAX )} {if( 0 )}
mutant $V receipt/vectors {  memcpy(pParts->aClaims, p->claims.aDigest, RECEIPT_HASH);} {}
mutant $V receipt/vectors \
  {  ledgerReceiptHashAdd(pHasher, pParts->aClaims, RECEIPT_HASH);} \
  {}
mutant $V receipt/vectors \
  {  ledgerReceiptHashAdd(pHasher, pParts->aWriteSet, RECEIPT_HASH);} \
  {}
mutant $V receipt/hostile {if( bEntry && !p->claims.bMatch )} {if( 0 )}
mutant $V receipt/vectors {if( memcmp(p->parts.aClaims, aZero, RECEIPT_HASH) == 0 )} {if( 0 )}
mutant $V receipt/hostile {else if( p->bShown && p->claims.nEntry > 0 )} {else if( p->bShown )}
mutant $V receipt/hostile {if( rc ) continue; /* skipped} {if( 0 ) continue; /* skipped}
mutant $V receipt/hostile {    {"signature", verifySignature},} {    {"signature", verifyTransactionId},}
mutant $V receipt/vectors \
  {    {"endorsement", ledgerReceiptCheckEndorsement},} \
  {    {"endorsement", verifyTransactionId},}
mutant $V receipt/vectors \
  {    {"node_id", ledgerReceiptCheckNodeId},} \
  {    {"node_id", verifyTransactionId},}
mutant $V receipt/hostile \
  {if( pInput->zService == NULL || pInput->nService == 0 )} \
  {if( pInput->zService == NULL )}
set L ext/receipt/claims.c
mutant $L receipt/hostile \
  {return z && nClaim == n && memcmp(zClaim, z, n) == 0;} \
  {return z && memcmp(zClaim, z, nClaim < n ? nClaim : n) == 0;}
mutant $L receipt/hostile {      claimsSame(zCollection, nCollection, pInput->zSubLedger,
                 pInput->nSubLedger) &&} {}
mutant $L receipt/hostile {if( pEntry && pDigest )} {if( 0 )}
mutant $L receipt/hostile \
  {if( nKey == 0 || !ledgerBase64Decode(zKey, nKey, &key) )} \
  {if( !ledgerBase64Decode(zKey, nKey, &key) )}
mutant $L receipt/hostile {if( pList->child == NULL )} {if( 0 )}
mutant $L receipt/hostile {if( ++n > RECEIPT_CLAIMS_MAX )} {if( ++n > 100000000 )}
mutant $L receipt/hostile \
  {if( n == strlen(CLAIMS_PROTOCOL) && memcmp(z, CLAIMS_PROTOCOL, n) == 0 )} \
  {if( 1 )}

rule {a receipt: certificates and signatures}
set C ext/receipt/certificate.c
mutant $C receipt/vectors {if( memcmp(p->parts.aNode, p->pNode->aKey, RECEIPT_HASH) == 0 )} {if( 1 )}
mutant $C receipt/hostile "if( !bGood ) \{" "if( 0 ) \{"
mutant $C receipt/hostile {p->aRoot, RECEIPT_HASH) == 1;} {p->aRoot, RECEIPT_HASH) >= 0;}
mutant $C receipt/vectors {return X509_verify(pChild, pParentKey) == 1;} {return 1;}
mutant $C receipt/forged {  if( eDigest != NID_sha256 && eDigest != NID_sha384 &&
      eDigest != NID_sha512 )} {  if( 0 )}
mutant $C receipt/vectors {if( !pParent->bCa )} {if( 0 )}
mutant $C receipt/forged \
  {X509_get_subject_name(pParent->pX509)) != 0} \
  {X509_get_subject_name(pParent->pX509)) == 99}
mutant $C receipt/forged {if( X509_get_extension_flags(p->pNode->pX509) & EXFLAG_CA )} {if( 0 )}
mutant $C receipt/vectors {    pChild = p->apEndorsement[i];} {}
mutant $C receipt/vectors \
  {rc = certLink(p, pChild, zChild, p->pAnchor, "the service certificate", 1);} \
  {rc = LEDGER_OK;}
mutant $C receipt/forged {if( !certKeyOk(pCert->pKey) )} {if( 0 )}
mutant $C receipt/forged {if( mFlag & EXFLAG_INVALID )} {if( 0 )}
mutant $C receipt/forged {      bExplicit )} {      0 )}
mutant $C receipt/vectors {if( nRest > 0 )} {if( 0 )}
mutant $C receipt/forged {if( pCert && pDer != aDer + nDer )} {if( 0 )}
mutant $C receipt/hostile {if( n > RECEIPT_PEM_MAX )} {if( 0 )}
mutant $C receipt/forged \
  {strcmp(zName, PEM_STRING_X509) != 0 || zHeader[0]} \
  {strcmp(zName, PEM_STRING_X509) != 0}
mutant $C receipt/memo \
  {  ledgerReceiptHashAdd(pHasher, p->pAnchor->aId, RECEIPT_HASH);} \
  {}
mutant $C receipt/memo \
  {  ledgerReceiptHashAdd(pHasher, p->aRoot, RECEIPT_HASH);} \
  {}
mutant $C receipt/tamper \
  {  ledgerReceiptHashAdd(pHasher, pSig->z, pSig->n);} \
  {}

rule {a quote: within its bytes}
set Q ext/receipt/quote.c
mutant $Q tables/quotes {if( nName > n || nValue > n - nName ) return;} {if( nName > n ) return;}
mutant $Q tables/quotes {if( nSignature > n - QUOTE_SGX_SIZE - 4 ) return;} {}
mutant $Q tables/quotes {if( n < QUOTE_SGX_SIZE + 4 ) return;} {}
mutant $Q tables/quotes {memcmp(aHash, p->aReportData, QUOTE_HASH) == 0;} {1;}
mutant $Q tables/quotes {nValue >= QUOTE_HASH )} {1 )}
mutant $Q tables/quotes \
  {if( memcmp(p->aReportData, aNode, sizeof(aNode)) == 0 ) return 1;} \
  {return 1;}
mutant $Q tables/quotes {p->bDebug = (p->mAttributes & 0x02) != 0;} {p->bDebug = 0;}
mutant $Q tables/quotes {p->bDebug = (p->mAttributes >> QUOTE_SNP_DEBUG & 1) != 0;} {p->bDebug = 0;}
