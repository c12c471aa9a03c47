/*
** The face of emulator/routes: what main needs of it. route_list.h lists the
** routes.
*/
#ifndef EMU_ROUTES_H
#define EMU_ROUTES_H

#include "emulator/http/http.h"

/* ---- route.c ----------------------------------------------------------- */

/* Finds the route, checks credential, version and role, runs its handler, and
** sends the answer, or sees to it that it is sent. */
void emuRoute(EmuReq *p);

/* ---- versions.c -------------------------------------------------------- */

/* Checks the value of --api-versions. */
int emuVersionCheck(const char *zOffered, LedgerError *pErr);

/* ---- gateway.c --------------------------------------------------------- */

typedef struct EmuGateway EmuGateway;

/* NULL when memory is short. Its timer runs on pEmu->pBase once needed. */
EmuGateway *emuGatewayNew(Emu *pEmu);
void emuGatewayFree(EmuGateway *p);

#endif /* EMU_ROUTES_H */
