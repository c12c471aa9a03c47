/*
** The command line, read by getopt_long().
**
** One table says which options there are, how their values are read, what they
** are when absent, and what --help prints. "--name VALUE" and "--name=VALUE"
** are the same.
*/
#include "emulator/args.h"
#include "emulator/routes/routes.h"
#include "emulator/util/util.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define ARG_FIRST 256 /* what getopt_long() returns for aArg[0] */
#define ARG_COLUMN 25 /* where --help says what an option does ... */
#define ARG_WIDTH 54  /* ... in that many columns */

enum {
  ARG_TEXT,
  ARG_INT,
  ARG_FLAG,
  ARG_ONOFF,
  ARG_FILL,
  ARG_FAULT
};

typedef struct ArgSpec ArgSpec;
struct ArgSpec {
  const char *zName;
  int eKind;
  size_t iOffset;
  int iMin, iMax;       /* of ARG_INT */
  const char *zDefault; /* or NULL */
  const char *zValue;   /* how --help calls the value; NULL: there is none */
  const char *zDoc;
};

#define TEXT(f) ARG_TEXT, offsetof(EmuArgs, f), 0, 0
#define INT(f, iMin, iMax) ARG_INT, offsetof(EmuArgs, f), iMin, iMax
#define FLAG(f) ARG_FLAG, offsetof(EmuArgs, f), 0, 0, NULL, NULL

static const ArgSpec aArg[] = {
    {"data", TEXT(zData), NULL, "FILE",
     "the ledger's file, created if there is none; its keys and certificates "
     "are written to FILE.d/. Absent: a temporary ledger, gone at the end"},
    {"listen", TEXT(zListen), "127.0.0.1:0", "ADDRESS:PORT",
     "where to listen; port 0 is any"},
    {"ledger-id", TEXT(zLedgerId), NULL, "ID",
     "the ledger's name (the file's, else demo)"},
    {"api-versions", TEXT(zVersions), NULL, "LIST",
     "the versions offered, separated by commas (all)"},
    {"page", INT(nPage, 1, 1000000), "1000", "N", "items of a list per page"},
    {"page-span", INT(nSpan, 0, 1000000), "0", "N",
     "a page of entries covers N transaction ids, whatever they hold; 0: as "
     "the version does"},
    {"signature-interval", INT(msSignature, 1, 100), "20", "MS",
     "a signature follows a write within that time"},
    {"loading", INT(nLoading, 0, 100), "1", "N",
     "answers Loading before the first Ready of an entry, a receipt, a page"},
    {"latency", INT(msLatency, 0, 600000), "0", "MS",
     "each answer is that late"},
    {"idle-timeout", INT(msIdle, 1, 3600000), "60000", "MS",
     "an idle connection is closed after that long"},
    {"sessions", TEXT(zSessions), "lost", "lost|kept",
     "what an election does to the connections that there are: lost, as CCF "
     "does, or kept"},
    {"curve", TEXT(zCurve), NULL, "P-256|P-384",
     "of a new ledger's keys (P-256)"},
    {"claims", ARG_ONOFF, offsetof(EmuArgs, bClaims), 0, 0, "on", "on|off",
     "whether the claims of entries are recorded"},
    {"strict-bounds", FLAG(bStrict),
     "refuse bounds that are not the id of a committed transaction"},
    {"decode-first", FLAG(bDecodeFirst),
     "decode a query as a whole before it is split, as CCF does: "
     "collectionId=x%26y is that of x"},
    {"lenient", FLAG(bLenient),
     "accept a PATCH of application/json, as old clients send it"},
    {"fill", ARG_FILL, offsetof(EmuArgs, nFill), 0, 0, NULL,
     "COUNT[,SUBLEDGERS[,BYTES[,SEED]]]",
     "add entries if the ledger is empty (SUBLEDGERS 1, BYTES 100, SEED 1)"},
    {"request-log", TEXT(zRequestLog), NULL, "FILE",
     "append a line of JSON per request"},
    {"fault", ARG_FAULT, offsetof(EmuArgs, azFault), 0, 0, NULL, "SPEC",
     "let something go wrong, such as status=503,count=2 or "
     "reset-after-record,probability=0.1,seed=7; as often as wanted"},
    {"client-certificate", TEXT(zClientCertificate), NULL, "FILE",
     "the application may sign in with this certificate (PEM) ..."},
    {"federation", TEXT(zFederation), NULL, "ISSUER,SUBJECT,FILE",
     "... and with tokens of that issuer for SUBJECT, signed by the public key "
     "in FILE (PEM)"},
    {"control", FLAG(bControl), "open the route /control, for tests"},
    {"elect", FLAG(bElect),
     "begin with an election: view + 1, and another node's key"},
    {"recover", FLAG(bRecover),
     "begin with a disaster recovery: view + 2, and a new service key that "
     "endorses the one before"},
    {"gateway", FLAG(bGateway),
     "also be a gateway, https://gateway.localhost: an append is queued there, "
     "and polled to its end"},
    {"validity", INT(nValidity, 1, 3650), "90", "DAYS",
     "how long new certificates run"},
    {"ready-file", TEXT(zReadyFile), NULL, "FILE",
     "write the line that is printed to this file, too"},
    {"print-env", FLAG(bPrintEnv),
     "print exports for a shell instead of JSON; for eval \"$(...)\", into a "
     "pipe, it goes on in the background: kill $LEDGER_EMULATOR_PID ends it"},
    {"help", FLAG(bHelp), "print this"},
    {"version", FLAG(bVersion), "print the version"},
};
#define N_ARG ((int)(sizeof(aArg) / sizeof(aArg[0])))

/* Prints a text word by word in the right column; *pnLeft columns are left. */
static void argsWords(const char *z, int *pnLeft) {
  while( *z ) {
    int n = (int)strcspn(z, " ");
    if( n >= *pnLeft ) {
      printf("\n%*s", ARG_COLUMN - 1, "");
      *pnLeft = ARG_WIDTH;
    }
    printf(" %.*s", n, z);
    *pnLeft -= n + 1;
    z += n + (z[n] == ' ');
  }
}

void emuArgsHelp(void) {
  int i;
  printf("usage: ledger-emulator [--data FILE] [--listen ADDRESS:PORT] ...\n"
         "A local Azure Confidential Ledger. Prints one line when it listens;\n"
         "SIGTERM ends it.\n\n");
  for( i = 0; i < N_ARG; i++ ) {
    const ArgSpec *p = &aArg[i];
    int n = printf("  --%s %s", p->zName, p->zValue ? p->zValue : "");
    int nLeft = n < ARG_COLUMN ? ARG_WIDTH : 0;
    if( nLeft ) printf("%*s", ARG_COLUMN - 1 - n, "");
    argsWords(p->zDoc, &nLeft);
    if( p->zDefault ) {
      char z[32];
      snprintf(z, sizeof(z), "(%s)", p->zDefault);
      argsWords(z, &nLeft);
    }
    printf("\n");
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
static int argsSet(EmuArgs *p, const ArgSpec *pSpec, const char *zVal,
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

static int argsUnknown(const char *z, LedgerError *pErr) {
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "unknown argument '%s' (try --help)", z);
}

int emuArgsParse(int argc, char **argv, EmuArgs *p, LedgerError *pErr) {
  struct option aOption[N_ARG + 1];
  int i, c, iArg = 1, rc = LEDGER_OK;
  memset(p, 0, sizeof(*p));
  memset(aOption, 0, sizeof(aOption));
  for( i = 0; i < N_ARG && rc == LEDGER_OK; i++ ) {
    aOption[i].name = aArg[i].zName;
    aOption[i].has_arg = aArg[i].zValue ? required_argument : no_argument;
    aOption[i].val = ARG_FIRST + i;
    if( aArg[i].zDefault ) rc = argsSet(p, &aArg[i], aArg[i].zDefault, pErr);
  }
  opterr = 0;
  while( rc == LEDGER_OK &&
         (c = getopt_long(argc, argv, "+:", aOption, NULL)) != -1 ) {
    i = (c == '?' || c == ':' ? optopt : c) - ARG_FIRST;
    if( i < 0 ) {
      rc = argsUnknown(argv[iArg], pErr);
    } else if( c == '?' ) {
      rc = ledgerErrorSet(pErr, LEDGER_ERROR, "--%s takes no value",
                          aArg[i].zName);
    } else if( c == ':' ) {
      rc = ledgerErrorSet(pErr, LEDGER_ERROR, "--%s needs a value",
                          aArg[i].zName);
    } else {
      rc = argsSet(p, &aArg[i], optarg, pErr);
    }
    iArg = optind;
  }
  if( rc == LEDGER_OK && optind < argc ) rc = argsUnknown(argv[optind], pErr);
  return rc ? rc : argsCheck(p, pErr);
}
