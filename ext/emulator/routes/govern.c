/*
** Governance and attestation.
**
**   GET /app/governance/constitution   emuRouteConstitution
**   GET /app/governance/members        emuRouteMembers
**   GET /app/enclaveQuotes             emuRouteQuotes
**
** The nodes listed are the present one and up to two before it, whose
** signatures receipts may show. Versions from 2024-08-22-preview on leave
** mrenclave out, as recorded; `raw` has it in any case.
*/
#include "emulator/routes/routesInt.h"

#include <stdlib.h>
#include <string.h>

#define GOVERN_NODES 3

void emuRouteConstitution(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf script = {0};
  unsigned char aHash[EMU_HASH];
  char zHash[2 * EMU_HASH + 1];
  EmuPiece piece;
  int bFound;
  if( emuStoreObject(p->pEmu->pStore, EMU_OBJECT_DOCUMENT, EMU_DOC_CONSTITUTION,
                     strlen(EMU_DOC_CONSTITUTION), &script, &bFound, &err) ) {
    emuReqFail(p, &err);
  } else {
    piece.a = script.z;
    piece.n = script.n;
    emuHashSha256(&piece, 1, aHash);
    ledgerBufPrintf(&p->body, "{\"digest\":\"%s\",\"script\":",
                    ledgerHexEncode(aHash, EMU_HASH, zHash));
    ledgerBufJson(&p->body, script.z ? script.z : "", script.n);
    ledgerBufAppend(&p->body, "}", 1);
    p->iStatus = 200;
  }
  ledgerBufFree(&script);
}

static void governMember(EmuReq *p, const EmuText *pId, const EmuText *pPem) {
  ledgerBufText(&p->body, "{\"certificate\":");
  ledgerBufJson(&p->body, pPem->z, pPem->n);
  ledgerBufText(&p->body, ",\"id\":");
  ledgerBufJson(&p->body, pId->z, pId->n);
  ledgerBufAppend(&p->body, "}", 1);
}

void emuRouteMembers(EmuReq *p) {
  int bPaged = (p->pVersion->flags & EMU_V_MEMBER_PAGES) != 0;
  emuPage(p, "members", EMU_OBJECT_MEMBER, bPaged, governMember);
}

typedef struct GovernQuotes GovernQuotes;
struct GovernQuotes {
  EmuReq *pReq;
  LedgerError err;
  int n;
};

static void governQuote(void *pArg, const char *zNodeId) {
  GovernQuotes *p = pArg;
  LedgerBuf *pBuf = &p->pReq->body, raw = {0};
  unsigned char aMeasurement[EMU_HASH];
  char zMeasurement[2 * EMU_HASH + 1];
  char *zHex;
  if( p->err.rc || emuQuote(p->pReq->pEmu->pKeys, zNodeId, &raw, &p->err) )
    goto out;
  zHex = malloc(2 * raw.n + 1);
  if( zHex == NULL ) {
    ledgerErrorNomem(&p->err);
    goto out;
  }
  ledgerHexEncode(raw.z, raw.n, zHex);
  ledgerBufPrintf(pBuf, "%s\"%s\":{", p->n++ ? "," : "", zNodeId);
  if( p->pReq->pVersion->flags & EMU_V_MRENCLAVE ) {
    emuQuoteMeasurement(aMeasurement);
    ledgerBufPrintf(pBuf, "\"mrenclave\":\"%s\",",
                    ledgerHexEncode(aMeasurement, EMU_HASH, zMeasurement));
  }
  ledgerBufPrintf(pBuf,
                  "\"nodeId\":\"%s\",\"quoteVersion\":\"OE_SGX_v1\",\"raw\":\"",
                  zNodeId);
  ledgerBufText(pBuf, zHex);
  ledgerBufText(pBuf, "\"}");
  free(zHex);
out:
  ledgerBufFree(&raw);
}

void emuRouteQuotes(EmuReq *p) {
  GovernQuotes quotes = {p, LEDGER_ERROR_INIT, 0};
  ledgerBufPrintf(&p->body, "{\"currentNodeId\":\"%s\",\"enclaveQuotes\":{",
                  p->pEmu->pKeys->zNodeId);
  emuStoreNodes(p->pEmu->pStore, GOVERN_NODES, governQuote, &quotes,
                &quotes.err);
  if( quotes.err.rc ) {
    emuReqFail(p, &quotes.err);
    return;
  }
  ledgerBufText(&p->body, "}}");
  p->iStatus = 200;
}
