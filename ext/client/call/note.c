/*
** What is told of a call: its exchange that is over, or an answer from the
** cache, to the log; and never its secrets. Issues no request.
*/
#include "client/call/callInt.h"

#include <string.h>

/* Takes all that the call has shown, or will, out of a text. */
void ledgerCallHide(const LedgerCall *p, char *zText) {
  if( p->pClient ) ledgerSecretHide(zText, p->pClient->auth.zToken);
  ledgerSecretHide(zText, p->zTokenSent);
  ledgerSecretHide(zText, p->zSecret);
}

/* Takes all that a call has shown, or will, and all secrets among the options
** out of a text. */
static void noteHide(const void *pArg, char *zText) {
  const LedgerCall *p = pArg;
  const LedgerClient *pClient = p->pClient;
  const char *z;
  int i;
  ledgerCallHide(p, zText);
  for( i = 0; pClient->pHooks->xSecret(pClient->pConfig, i, &z); i++ ) {
    ledgerSecretHide(zText, z);
  }
}

static void note(const LedgerCall *p, LedgerNote *pNote) {
  pNote->zMethod = p->pKind->zMethod;
  pNote->made.nAttempt = p->nAttempt;
  pNote->xHide = noteHide;
  pNote->pArg = p;
  ledgerLogNote(p->pClient->pLog, p->pClient->pConfig->zLog, pNote);
}

/*
** Notes an exchange that is over; zError says why there is no answer, or is
** NULL. Called once for each, while its body is still there.
*/
void ledgerNoteExchange(LedgerCall *p, const char *zError) {
  LedgerExchange *pEx = p->pEx;
  const struct curl_slist *pHeader;
  LedgerBuf sent = {0};
  LedgerNote made;
  size_t n = 0;

  if( p->pClient == NULL || pEx == NULL || pEx->bNoted ) return;
  pEx->bNoted = 1;
  memset(&made, 0, sizeof(made));
  made.zHost = pEx->url.zBase;
  made.zRest = pEx->url.zRest;
  made.zError = zError;
  made.made.iStatus = pEx->bDone && pEx->rc == CURLE_OK ? pEx->http : 0;
  ledgerExchangeFigures(pEx, &made.made.ms, &made.made.nByte,
                        &made.made.iConnection);
  if( pEx->bKeepHeaders ) {
    for( pHeader = pEx->pHeader; pHeader; pHeader = pHeader->next ) {
      n += strlen(pHeader->data) + 1;
    }
    ledgerBufRoom(&sent, n); /* the credential leaves no copy behind */
    for( pHeader = pEx->pHeader; pHeader; pHeader = pHeader->next ) {
      ledgerBufPrintf(&sent, "%s\n", pHeader->data);
    }
    made.zSent = sent.z;
    made.zGot = pEx->headers.z;
    made.zType = p->zType;
    made.zBody = pEx->zBody;
    made.nBody = pEx->nBody;
    made.zAnswer = pEx->body.z;
    made.nAnswer = pEx->body.n;
  }
  note(p, &made);
  ledgerBufWipe(&sent);
}

/* Notes that memory had the answer: nothing was sent, nothing came. */
void ledgerNoteCached(const LedgerCall *p, const char *zHost,
                      const char *zRest) {
  LedgerNote made;
  memset(&made, 0, sizeof(made));
  made.zHost = zHost;
  made.zRest = zRest;
  made.made.iStatus = 200;
  made.made.bCache = 1;
  note(p, &made);
}

/* The same where no call was made. */
void ledgerNoteRemembered(LedgerClient *p, const char *zHost,
                          const char *zRest) {
  static const LedgerCallKind kind = {.zMethod = "GET"};
  LedgerCall call;
  memset(&call, 0, sizeof(call));
  call.pClient = p;
  call.pKind = &kind;
  ledgerNoteCached(&call, zHost, zRest);
}
