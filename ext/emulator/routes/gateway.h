/*
** The gateway in front of the ledger, as the rest of the room sees it. Included
** by emuInt.h.
*/
#ifndef EMU_GATEWAY_H
#define EMU_GATEWAY_H

#include "emulator/emu.h"

/* ---- routes/gateway.c ---------------------------------------------------- */

/* NULL when memory is short. Its timer runs on pEmu->pBase once needed. */
EmuGateway *emuGatewayNew(Emu *pEmu);
void emuGatewayFree(EmuGateway *p);

/* 1 when the request came to the gateway's host name. */
int emuGatewayAsked(const EmuReq *p);

/* Queues a checked append and answers 202 with its operation id, or 429. */
void emuGatewayQueue(EmuReq *p, const EmuTxn *pTxn);

void emuRouteOperation(EmuReq *p);
void emuRouteQueueStatus(EmuReq *p);

/* POST /control/gateway */
int emuGatewayControl(EmuReq *p, LedgerJson *pDoc, LedgerError *pErr);

#endif /* EMU_GATEWAY_H */
