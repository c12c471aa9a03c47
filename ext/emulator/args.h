/*
** The command line, as args.c has read it.
*/
#ifndef EMU_ARGS_H
#define EMU_ARGS_H

#include "base/base.h"

/* The command line, checked. Strings point into argv. */
typedef struct EmuArgs EmuArgs;
struct EmuArgs {
  const char *zData;       /* --data, or NULL: a temporary ledger */
  const char *zListen;     /* --listen HOST:PORT */
  const char *zLedgerId;   /* --ledger-id, or NULL: the file's, else demo */
  const char *zVersions;   /* --api-versions, or NULL: all */
  const char *zCurve;      /* --curve, or NULL: the file's, else P-256 */
  const char *zRequestLog; /* --request-log, or NULL */
  const char *zReadyFile;  /* --ready-file, or NULL */
  const char *zSessions;   /* --sessions lost|kept */
  const char *zClientCertificate; /* --client-certificate, or NULL */
  const char *zFederation;        /* --federation, or NULL */
  const char *azFault[64];        /* --fault, as often as given */
  int nFault;
  int nPage;         /* --page */
  int nSpan;         /* --page-span, 0: none */
  int msSignature;   /* --signature-interval */
  int nLoading;      /* --loading */
  int msLatency;     /* --latency */
  int msIdle;        /* --idle-timeout */
  int bClaims;       /* --claims on|off */
  int bStrict;       /* --strict-bounds */
  int bDecodeFirst;  /* --decode-first */
  int bLenient;      /* --lenient */
  int bControl;      /* --control */
  int bElect;        /* --elect */
  int bRecover;      /* --recover */
  int bGateway;      /* --gateway */
  int nValidity;     /* --validity: days */
  int bPrintEnv;     /* --print-env */
  int64_t nFill;     /* --fill COUNT, 0: none */
  int nFillLedger;   /* ... SUBLEDGERS */
  int nFillByte;     /* ... BYTES */
  int64_t iFillSeed; /* ... SEED */
  int bHelp;         /* --help: print and end */
  int bVersion;      /* --version: print and end */
};

/* Reads the command line. LEDGER_ERROR with one clear line when it is bad. */
int emuArgsParse(int argc, char **argv, EmuArgs *p, LedgerError *pErr);

/* Prints the text of --help on stdout. */
void emuArgsHelp(void);

#endif /* EMU_ARGS_H */
