/*
** What the files of emulator/http share among themselves.
*/
#ifndef EMU_HTTP_INT_H
#define EMU_HTTP_INT_H

#include "emulator/http/http.h"

#include <openssl/ssl.h>

struct evhttp_connection;

/* ---- conn.c ------------------------------------------------------------ */

/* One TLS connection, as long as it lives. */
typedef struct EmuConn EmuConn;
struct EmuConn {
  int64_t n;     /* its number */
  int64_t iView; /* the view that its session is pinned to, 0: none yet */
  int bRefused;  /* a node that was stopped has refused one of its writes */
};

/* Gives a new connection its EmuConn, with the number n; 0 when it can't. */
int emuConnNew(SSL *pSsl, int64_t n);

/* The request's connection, NULL once the client is gone. */
EmuConn *emuConnOf(struct evhttp_request *pHttp);

/* Closes the connection once the answer has left, as eClose says: as CCF does
** it (EMU_CLOSE_QUIET), or as one that was idle for too long. The end of the
** latter travels with the last bytes of the answer, so that the next request
** meets a closed connection, however soon it comes. */
void emuConnClose(struct evhttp_request *pHttp, int eClose);

/* Puts an answer that was handed over, and has not left yet, into its last
** form. Without bDate its Date is taken out: libevent adds one, a node of CCF
** sends none. And its beginning becomes one piece of memory, for each piece
** leaves in a TLS record, a system call and a packet of its own. */
void emuConnAnswer(struct evhttp_connection *pHttpConn, int bDate);

/* ---- request.c --------------------------------------------------------- */

/* Takes a request apart; NULL when memory is short. */
EmuReq *emuReqNew(Emu *p, struct evhttp_request *pHttp);

/* ---- session.c --------------------------------------------------------- */

/* The view has changed. eSessions (EMU_SESSIONS_*) is what becomes of the
** sessions of the view before. There is no former primary any more. */
void emuSessionsChange(Emu *p, int eSessions);

/* ---- log.c ------------------------------------------------------------- */

/* Writes the line of a request. */
void emuLogRequest(Emu *p, const EmuReq *pReq, double ms);

#endif /* EMU_HTTP_INT_H */
