/*
** The command line.
**
** One table says which options there are, how their values are read and what
** --help prints. "--name VALUE" and "--name=VALUE" are the same.
*/
#include "emulator/args.h"
#include "emulator/routes/routes.h"

#include <stddef.h>
#include <string.h>

enum {
  ARG_TEXT,
  ARG_INT,
  ARG_FLAG,
  ARG_ONOFF,
  ARG_FILL,
  ARG_FAULT
};

static const struct ArgSpec {
  const char *zName;
  int eKind;
  size_t iOffset;
  int iMin, iMax;   /* of ARG_INT */
  const char *zDoc; /* value, two spaces or more, what it does */
} aArg[] = {
    {"data", ARG_TEXT, offsetof(EmuArgs, zData), 0, 0,
     "FILE            the ledger's file, created if there is none; its keys\n"
     "                         and certificates are written to FILE.d/.\n"
     "                         Absent: a temporary ledger, gone at the end"},
    {"listen", ARG_TEXT, offsetof(EmuArgs, zListen), 0, 0,
     "ADDRESS:PORT  where to listen (127.0.0.1:0; port 0 is any)"},
    {"ledger-id", ARG_TEXT, offsetof(EmuArgs, zLedgerId), 0, 0,
     "ID         the ledger's name (demo)"},
    {"api-versions", ARG_TEXT, offsetof(EmuArgs, zVersions), 0, 0,
     "LIST    the versions offered, with commas (all)"},
    {"page", ARG_INT, offsetof(EmuArgs, nPage), 1, 1000000,
     "N               items of a list per page (1000)"},
    {"page-span", ARG_INT, offsetof(EmuArgs, nSpan), 0, 1000000,
     "N          a page of entries covers N transaction ids, whatever\n"
     "                         they hold (0: as the version does)"},
    {"signature-interval", ARG_INT, offsetof(EmuArgs, msSignature), 1, 100,
     "MS  a signature follows a write within (20)"},
    {"loading", ARG_INT, offsetof(EmuArgs, nLoading), 0, 100,
     "N            answers Loading before the first Ready of an entry, a\n"
     "                         receipt, a page (1)"},
    {"latency", ARG_INT, offsetof(EmuArgs, msLatency), 0, 600000,
     "MS           each answer is that late (0)"},
    {"idle-timeout", ARG_INT, offsetof(EmuArgs, msIdle), 1, 3600000,
     "MS      an idle connection is closed after that long (60000)"},
    {"sessions", ARG_TEXT, offsetof(EmuArgs, zSessions), 0, 0,
     "lost|kept   what an election does to the connections that there\n"
     "                         are: lost, as CCF does (default), or kept"},
    {"curve", ARG_TEXT, offsetof(EmuArgs, zCurve), 0, 0,
     "P-256|P-384    of a new ledger's keys (P-256)"},
    {"claims", ARG_ONOFF, offsetof(EmuArgs, bClaims), 0, 0,
     "on|off        entries' claims are recorded (on)"},
    {"strict-bounds", ARG_FLAG, offsetof(EmuArgs, bStrict), 0, 0,
     "       refuse bounds that are no committed transaction"},
    {"decode-first", ARG_FLAG, offsetof(EmuArgs, bDecodeFirst), 0, 0,
     "        decode a query as a whole before it is split, as CCF\n"
     "                         does: collectionId=x%26y is that of x"},
    {"lenient", ARG_FLAG, offsetof(EmuArgs, bLenient), 0, 0,
     "             take a PATCH of application/json, as old clients send it"},
    {"fill", ARG_FILL, offsetof(EmuArgs, nFill), 0, 0,
     "COUNT[,SUBLEDGERS[,BYTES[,SEED]]]\n"
     "                         if the ledger is empty, add entries (1,100,1)"},
    {"request-log", ARG_TEXT, offsetof(EmuArgs, zRequestLog), 0, 0,
     "FILE     append a line of JSON per request"},
    {"fault", ARG_FAULT, offsetof(EmuArgs, azFault), 0, 0,
     "SPEC           let something go wrong, such as status=503,count=2 or\n"
     "                         reset-after-record,probability=0.1,seed=7"},
    {"client-certificate", ARG_TEXT, offsetof(EmuArgs, zClientCertificate), 0,
     0,
     "FILE\n"
     "                         the application may sign in with this (PEM)"},
    {"federation", ARG_TEXT, offsetof(EmuArgs, zFederation), 0, 0,
     "ISSUER,SUBJECT,FILE\n"
     "                         ... and with that issuer's tokens for SUBJECT,\n"
     "                         signed by the public key in FILE (PEM)"},
    {"control", ARG_FLAG, offsetof(EmuArgs, bControl), 0, 0,
     "             open the route /control, for tests"},
    {"elect", ARG_FLAG, offsetof(EmuArgs, bElect), 0, 0,
     "               begin with an election: view + 1, and another node's key"},
    {"recover", ARG_FLAG, offsetof(EmuArgs, bRecover), 0, 0,
     "             begin with a disaster recovery: view + 2, and a new\n"
     "                         service key that endorses the one before"},
    {"gateway", ARG_FLAG, offsetof(EmuArgs, bGateway), 0, 0,
     "             also be a gateway, https://gateway.localhost: an append is\n"
     "                         queued there, and polled to its end"},
    {"validity", ARG_INT, offsetof(EmuArgs, nValidity), 1, 3650,
     "DAYS        how long new certificates run (90)"},
    {"ready-file", ARG_TEXT, offsetof(EmuArgs, zReadyFile), 0, 0,
     "FILE      write the line that is printed there too"},
    {"print-env", ARG_FLAG, offsetof(EmuArgs, bPrintEnv), 0, 0,
     "           print exports for a shell in place of JSON"},
    {"help", ARG_FLAG, offsetof(EmuArgs, bHelp), 0, 0,
     "                print this"},
    {"version", ARG_FLAG, offsetof(EmuArgs, bVersion), 0, 0,
     "             print the version"},
};
#define N_ARG ((int)(sizeof(aArg) / sizeof(aArg[0])))

void emuArgsHelp(void) {
  int i;
  printf("usage: ledger-emulator [--data FILE] [--listen ADDRESS:PORT] ...\n"
         "A local Azure Confidential Ledger. Prints one line when it listens; "
         "SIGTERM ends it.\n\n");
  for( i = 0; i < N_ARG; i++ ) {
    printf("  --%s %s\n", aArg[i].zName, aArg[i].zDoc);
  }
}

/* COUNT[,SUBLEDGERS[,BYTES[,SEED]]] */
static int argsFill(EmuArgs *p, const char *z, LedgerError *pErr) {
  int64_t a[4] = {0, 1, 100, 1};
  const int64_t aMax[4] = {1000000000, 5000, 8192, INT64_MAX};
  int i;
  for( i = 0; i < 4; i++ ) {
    size_t n = strcspn(z, ",");
    if( !emuNumber(z, n, aMax[i], &a[i]) || (i == 1 && a[i] == 0) ) break;
    z += n;
    if( *z == 0 ) {
      p->nFill = a[0];
      p->nFillLedger = (int)a[1];
      p->nFillByte = (int)a[2];
      p->iFillSeed = a[3];
      return LEDGER_OK;
    }
    z++;
  }
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "--fill takes COUNT[,SUBLEDGERS[,BYTES[,SEED]]], with "
                        "at most 5000 sub-ledgers and 8192 bytes");
}

/* Reads one option with its value. */
static int argsSet(EmuArgs *p, const struct ArgSpec *pSpec, const char *zVal,
                   LedgerError *pErr) {
  char *pTo = (char *)p + pSpec->iOffset;
  int64_t i = 0;
  int iVal;
  switch( pSpec->eKind ) {
    case ARG_TEXT:
      if( *zVal == 0 ) {
        return ledgerErrorSet(pErr, LEDGER_ERROR, "--%s is empty",
                              pSpec->zName);
      }
      memcpy(pTo, &zVal, sizeof(zVal));
      return LEDGER_OK;
    case ARG_FILL: return argsFill(p, zVal, pErr);
    case ARG_FAULT:
      if( p->nFault == (int)(sizeof(p->azFault) / sizeof(p->azFault[0])) ) {
        return ledgerErrorSet(pErr, LEDGER_ERROR, "too many --fault");
      }
      p->azFault[p->nFault++] = zVal;
      return LEDGER_OK;
    case ARG_ONOFF:
      if( strcmp(zVal, "on") != 0 && strcmp(zVal, "off") != 0 ) {
        return ledgerErrorSet(pErr, LEDGER_ERROR, "--%s takes on or off",
                              pSpec->zName);
      }
      i = zVal[1] == 'n';
      break;
    case ARG_FLAG: i = 1; break;
    default:
      if( !emuNumber(zVal, strlen(zVal), pSpec->iMax, &i) || i < pSpec->iMin ) {
        return ledgerErrorSet(pErr, LEDGER_ERROR,
                              "--%s takes a number from %d to %d, not '%s'",
                              pSpec->zName, pSpec->iMin, pSpec->iMax, zVal);
      }
      break;
  }
  iVal = (int)i;
  memcpy(pTo, &iVal, sizeof(iVal));
  return LEDGER_OK;
}

/* What can be checked of a value on its own. */
static int argsCheck(const EmuArgs *p, LedgerError *pErr) {
  const char *z = p->zLedgerId;
  if( p->zVersions && emuVersionCheck(p->zVersions, pErr) ) return pErr->rc;
  if( p->zCurve && strcmp(p->zCurve, "P-256") != 0 &&
      strcmp(p->zCurve, "P-384") != 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "--curve takes P-256 or P-384, not '%s'", p->zCurve);
  }
  if( strcmp(p->zSessions, "lost") != 0 && strcmp(p->zSessions, "kept") != 0 ) {
    return ledgerErrorSet(pErr, LEDGER_ERROR,
                          "--sessions takes lost or kept, not '%s'",
                          p->zSessions);
  }
  if( z ) {
    size_t n = strspn(z, "abcdefghijklmnopqrstuvwxyz"
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if( z[n] || n > 32 || z[0] == '-' || z[n - 1] == '-' ) {
      return ledgerErrorSet(pErr, LEDGER_ERROR,
                            "--ledger-id takes up to 32 letters, digits and "
                            "inner hyphens, not '%s'",
                            z);
    }
  }
  return LEDGER_OK;
}

int emuArgsParse(int argc, char **argv, EmuArgs *p, LedgerError *pErr) {
  int i, k, rc = LEDGER_OK;
  memset(p, 0, sizeof(*p));
  p->zListen = "127.0.0.1:0";
  p->nPage = 1000;
  p->msSignature = 20;
  p->nLoading = 1;
  p->bClaims = 1;
  p->nValidity = 90;
  p->msIdle = 60000;
  p->zSessions = "lost";
  for( i = 1; i < argc && rc == LEDGER_OK; i++ ) {
    const struct ArgSpec *pSpec = NULL;
    const char *z = argv[i];
    const char *zVal = strchr(z, '=');
    size_t n = zVal ? (size_t)(zVal - z) : strlen(z);
    for( k = 0; k < N_ARG && n > 2 && memcmp(z, "--", 2) == 0; k++ ) {
      if( emuIs(z + 2, n - 2, aArg[k].zName) ) pSpec = &aArg[k];
    }
    if( pSpec == NULL ) {
      return ledgerErrorSet(pErr, LEDGER_ERROR,
                            "unknown argument '%s' (try --help)", z);
    }
    if( pSpec->eKind == ARG_FLAG ) {
      if( zVal ) {
        return ledgerErrorSet(pErr, LEDGER_ERROR, "--%s takes no value",
                              pSpec->zName);
      }
      zVal = "";
    } else if( zVal ) {
      zVal++;
    } else if( i + 1 < argc ) {
      zVal = argv[++i];
    } else {
      return ledgerErrorSet(pErr, LEDGER_ERROR, "--%s needs a value",
                            pSpec->zName);
    }
    rc = argsSet(p, pSpec, zVal, pErr);
  }
  return rc ? rc : argsCheck(p, pErr);
}
