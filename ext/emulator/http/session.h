/*
** Sessions, and a primary that the others have left behind, as the rest of the
** room sees them. Included by emuInt.h.
*/
#ifndef EMU_SESSION_H
#define EMU_SESSION_H

#include "emulator/emu.h"

/* ---- session.c --------------------------------------------------------- */

/* One TLS connection, as long as it lives. */
struct EmuConn {
  int64_t n;     /* its number */
  int64_t iView; /* the view that its session is pinned to, 0: none yet */
  int bRefused;  /* a node that was stopped has refused one of its writes */
};

/* What a change of view does to the sessions of the view before. */
enum {
  EMU_SESSIONS_DEFAULT = 0, /* what --sessions says */
  EMU_SESSIONS_LOST = 1,
  EMU_SESSIONS_KEPT = 2
};

/* What faults of sessions are told: the keys of their spec. */
struct EmuFaultKeys {
  int64_t msFor;   /* for */
  int64_t msHeal;  /* heal */
  int64_t msDelay; /* delay */
  int64_t bRecord; /* record */
  int64_t bElect;  /* election */
  int eSessions;   /* sessions */
};

enum {
  EMU_OLD_NONE = 0,
  EMU_OLD_CUT,     /* isolated, and still taking writes */
  EMU_OLD_STEPPED, /* isolated, and no primary any more */
  EMU_OLD_STOPPED  /* stopped, and from msResume on resumed */
};

/* The sessions of all connections. */
struct EmuSessions {
  int64_t iFirst;       /* those pinned to an earlier view are lost */
  int eOld;             /* the state of the former primary ... */
  int64_t iOld;         /* ... whose sessions are those up to this view */
  LedgerTxid old;       /* what it has committed */
  int64_t msHeal;       /* how long it stays isolated after it stepped down */
  double msResume;      /* monotonic clock */
  struct event *pTimer; /* of its next state */
};

/* What comes before an authenticated request runs: pins the session of its
** connection. 0 when it is answered, as on a session that is lost. */
int emuSessionEnter(EmuReq *p);

/* A change of view has come: what becomes of the sessions of the view before,
** EMU_SESSIONS_*. Ends what a former primary was up to. */
void emuSessionsChange(Emu *p, int eSessions);

/* The primary is isolated from now on; stopped from now on, for an election has
** taken place that it knows nothing of. */
int emuSessionsIsolate(Emu *p, const EmuFaultKeys *pKeys, LedgerError *pErr);
int emuSessionsStop(Emu *p, int64_t msFor, LedgerError *pErr);

/* 1 while what is written cannot be signed, since the primary is isolated. */
int emuSessionsCut(const Emu *p);

void emuSessionsEnd(Emu *p);

#endif /* EMU_SESSION_H */
