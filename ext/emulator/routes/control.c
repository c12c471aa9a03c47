/*
** The control route, open with --control only: what tests need to set up. It
** asks for no credential; the emulator listens on loopback.
**
**   GET    /control/state       {"committed","last","pending","view"}
**   GET    /control/fault       the faults as an array
**   POST   /control/fault       {"spec":"status=503,count=2"}  (see fault.c);
**                               with "clear":true the others go first;
**                               "body":TEXT is what `answer` answers
**   DELETE /control/fault       takes every fault away
**   POST   /control/client      {"oid"?,"roles"?:["Reader"],"expires_in"?:3599}
**                               -> {"client_id","client_secret","oid"}
**   POST   /control/token       {"oid"?,"roles"?,"expires_in"?,"audience"?}
**                               -> {"access_token","oid"}
**   POST   /control/signatures  {"hold":true}: what is written stays Pending
**   POST   /control/election    {"sessions"?:"lost"|"kept"}: a new view with
**                               another node, what is pending is lost
**   POST   /control/recovery    likewise: the same two views on, with a new
**                               service key; service.pem is written anew
**   POST   /control/renew       {"days"?:90}: a new service certificate with
**                               the same key; what is pending is signed before
**   POST   /control/gateway     see routes/gateway.c
**
** An absent oid is made up. roles registers the principal as a user of the
** ledger and commits that; without it the principal is unknown to the ledger.
*/
#include "emulator/auth/auth.h"
#include "emulator/fault/fault.h"
#include "emulator/routes/routesInt.h"

#include <string.h>

/* Commits what is pending; clients and users made here are there at once. */
static int controlCommit(Emu *p, LedgerError *pErr) {
  const EmuHead *pHead = &p->pLedger->head;
  return pHead->last.seqno != pHead->committed.seqno ? emuLedgerSign(p, pErr)
                                                     : emuLedgerCommit(p, pErr);
}

/* Reads "oid" (or makes one up) and registers its "roles". */
static int controlPrincipal(EmuReq *p, LedgerJson *pDoc, LedgerBuf *pOid,
                            LedgerError *pErr) {
  cJSON *pRoot = ledgerJsonRoot(pDoc), *pRoles, *pItem;
  LedgerBuf roles = {0};
  LedgerTxid tx;
  const char *z;
  size_t n;
  int rc = LEDGER_OK;
  z = ledgerJsonMemberText(pDoc, pRoot, "oid", &n);
  if( z ) {
    ledgerBufAppend(pOid, z, n);
    if( pOid->bOom ) rc = ledgerErrorNomem(pErr);
  } else {
    rc = emuUuid(pOid, pErr);
  }
  pRoles = ledgerJsonMember(pRoot, "roles");
  if( rc || pRoles == NULL ) goto out;
  for( pItem = pRoles->child; pItem; pItem = pItem->next ) {
    z = ledgerJsonText(pDoc, pItem, &n);
    if( z == NULL || !emuAuthRoleKnown(p->pEmu, z, n, pErr) ) {
      rc = pErr->rc;
      if( rc ) goto out;
      emuReqError(p, 400, "InvalidInput", "At #/roles: unknown role");
      goto out;
    }
    ledgerBufPrintf(&roles, "%s%s", roles.n ? "," : "", z);
  }
  if( roles.n ) {
    rc = emuLedgerUser(p->pEmu, pOid->z, pOid->n, roles.z, &tx, pErr);
    if( rc == LEDGER_OK ) rc = emuLedgerSign(p->pEmu, pErr);
  }
out:
  ledgerBufFree(&roles);
  return rc;
}

/* The member "expires_in", or the default. */
static int64_t controlLifetime(LedgerJson *pDoc) {
  cJSON *p = ledgerJsonMember(ledgerJsonRoot(pDoc), "expires_in");
  if( !cJSON_IsNumber(p) || p->valuedouble > 1e9 || p->valuedouble < -1e9 ) {
    return 3599;
  }
  return (int64_t)p->valuedouble;
}

static int controlClient(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr) {
  LedgerBuf oid = {0}, client = {0}, secret = {0};
  int rc = controlPrincipal(p, pDoc, &oid, pErr);
  if( rc || p->iStatus ) goto out;
  rc = emuUuid(&client, pErr);
  if( rc == LEDGER_OK ) rc = emuUuid(&secret, pErr);
  if( rc == LEDGER_OK ) rc = emuLedgerBegin(p->pEmu, pErr);
  if( rc == LEDGER_OK ) {
    rc = emuStoreClientPut(p->pEmu->pStore, client.z, secret.z, oid.z,
                           controlLifetime(pDoc), pErr);
  }
  if( rc == LEDGER_OK ) rc = controlCommit(p->pEmu, pErr);
  if( rc ) goto out;
  ledgerBufPrintf(&p->body,
                  "{\"client_id\":\"%s\",\"client_secret\":\"%s\",\"oid\":",
                  client.z, secret.z);
  ledgerBufJson(&p->body, oid.z, oid.n);
  ledgerBufText(&p->body, "}");
out:
  ledgerBufFree(&oid);
  ledgerBufFree(&client);
  ledgerBufFree(&secret);
  return rc;
}

static int controlToken(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr) {
  LedgerBuf oid = {0};
  int rc = controlPrincipal(p, pDoc, &oid, pErr);
  if( rc || p->iStatus ) goto out;
  ledgerBufText(&p->body, "{\"access_token\":\"");
  rc = emuTokenIssue(
      p->pEmu, oid.z, "control",
      ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "audience", NULL),
      controlLifetime(pDoc), 0, &p->body, pErr);
  ledgerBufText(&p->body, "\",\"oid\":");
  ledgerBufJson(&p->body, oid.z, oid.n);
  ledgerBufText(&p->body, "}");
out:
  ledgerBufFree(&oid);
  return rc;
}

static int controlFault(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr) {
  const char *z =
      ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "spec", NULL);
  if( z == NULL ) {
    emuReqError(p, 400, "InvalidInput", "At #/spec: Expected string");
  } else {
    if( cJSON_IsTrue(ledgerJsonMember(ledgerJsonRoot(pDoc), "clear")) ) {
      emuFaultsClear(p->pEmu->pFaults);
    }
    if( emuFaultsAdd(
            p->pEmu->pFaults, z,
            ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "body", NULL),
            pErr) ) {
      emuReqError(p, 400, "InvalidInput", "%s", ledgerErrorText(pErr));
      ledgerErrorClear(pErr);
    } else {
      emuFaultsList(p->pEmu->pFaults, &p->body);
    }
  }
  return LEDGER_OK;
}

static int controlSignatures(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr) {
  cJSON *pHold = ledgerJsonMember(ledgerJsonRoot(pDoc), "hold");
  (void)pErr;
  if( !cJSON_IsBool(pHold) ) {
    emuReqError(p, 400, "InvalidInput", "At #/hold: Expected boolean");
    return LEDGER_OK;
  }
  p->pEmu->pLedger->bHold = cJSON_IsTrue(pHold);
  if( p->pEmu->pLedger->head.last.seqno !=
      p->pEmu->pLedger->head.committed.seqno ) {
    emuLedgerArm(p->pEmu);
  }
  ledgerBufPrintf(&p->body, "{\"hold\":%s}",
                  p->pEmu->pLedger->bHold ? "true" : "false");
  return LEDGER_OK;
}

static int controlState(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr) {
  const EmuLedger *pLedger = p->pEmu->pLedger;
  char zLast[LEDGER_TXID_MAX], zCommitted[LEDGER_TXID_MAX];
  (void)pDoc;
  (void)pErr;
  ledgerBufPrintf(
      &p->body,
      "{\"committed\":\"%s\",\"last\":\"%s\",\"pending\":%lld,"
      "\"view\":%lld}",
      ledgerTxidFormat(pLedger->head.committed, zCommitted),
      ledgerTxidFormat(pLedger->head.last, zLast),
      (long long)(pLedger->head.last.seqno - pLedger->head.committed.seqno),
      (long long)pLedger->head.iView);
  return LEDGER_OK;
}

/* The member "sessions" as EMU_SESSIONS_*. */
static int controlSessions(LedgerJson *pDoc) {
  const char *z =
      ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "sessions", NULL);
  if( z == NULL ) return EMU_SESSIONS_DEFAULT;
  return strcmp(z, "kept") == 0 ? EMU_SESSIONS_KEPT : EMU_SESSIONS_LOST;
}

static int controlElection(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr) {
  int rc = emuLedgerElect(p->pEmu, controlSessions(pDoc), pErr);
  return rc ? rc : controlState(p, pDoc, pErr);
}

static int controlRecovery(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr) {
  int rc = emuLedgerRecover(p->pEmu, controlSessions(pDoc), pErr);
  return rc ? rc : controlState(p, pDoc, pErr);
}

static int controlRenew(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr) {
  cJSON *pDays = ledgerJsonMember(ledgerJsonRoot(pDoc), "days");
  int rc;
  if( pDays ) {
    if( !cJSON_IsNumber(pDays) || !(pDays->valuedouble >= 0) ||
        pDays->valuedouble > 3650 ) {
      emuReqError(p, 400, "InvalidInput", "At #/days: Expected 0 to 3650");
      return LEDGER_OK;
    }
    p->pEmu->pKeys->nDay = (int)pDays->valuedouble;
  }
  rc = emuLedgerRenew(p->pEmu, pErr);
  return rc ? rc : controlState(p, pDoc, pErr);
}

static int controlFaults(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr) {
  (void)pDoc;
  (void)pErr;
  if( strcmp(p->zMethod, "DELETE") == 0 ) emuFaultsClear(p->pEmu->pFaults);
  emuFaultsList(p->pEmu->pFaults, &p->body);
  return LEDGER_OK;
}

void emuRouteControl(EmuReq *p) {
  static const struct {
    const char *zMethod;
    const char *zName;
    int (*xRun)(EmuReq *, LedgerJson *, LedgerError *);
  } aControl[] = {
      {"GET", "state", controlState},
      {"GET", "fault", controlFaults},
      {"DELETE", "fault", controlFaults},
      {"POST", "fault", controlFault},
      {"POST", "client", controlClient},
      {"POST", "token", controlToken},
      {"POST", "signatures", controlSignatures},
      {"POST", "election", controlElection},
      {"POST", "recovery", controlRecovery},
      {"POST", "renew", controlRenew},
      {"POST", "gateway", emuGatewayControl},
  };
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  size_t i;
  for( i = 0; i < sizeof(aControl) / sizeof(aControl[0]); i++ ) {
    if( strcmp(p->zMethod, aControl[i].zMethod) != 0 ||
        !emuIs(p->aSegment[1].z, p->aSegment[1].n, aControl[i].zName) ) {
      continue;
    }
    if( p->zMethod[0] == 'P' &&
        !emuReqJson(p, "application/json", "application/x-www-form-urlencoded",
                    &pDoc) ) {
      return;
    }
    if( aControl[i].xRun(p, pDoc, &err) ) {
      emuReqFail(p, &err);
    } else if( p->iStatus == 0 ) {
      p->iStatus = 200;
    }
    ledgerJsonFree(pDoc);
    return;
  }
  emuReqError(p, 404, "ResourceNotFound", "Unknown control: %s %s", p->zMethod,
              p->zPath);
}
