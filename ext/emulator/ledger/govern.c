/*
** The consortium of the ledger: its members and its constitution.
**
** Made once, for a new ledger or one from before there were any, and then read
** by GET /app/governance/members and /constitution. A member's key is thrown
** away: nobody proposes or votes here, the certificate is all that shows.
**
** Invariant: the constitution is stored, so that its digest stays the same
** when a later emulator writes another one into new ledgers.
*/
#include "emulator/ledger/ledger.h"

#include <string.h>

#define GOVERN_MEMBERS 3

/* Proposals are lists of actions; a majority of the members decides. */
static const char zGovernConstitution[] =
    "/* The constitution of a local ledger. */\n"
    "const actions = new Map();\n"
    "\n"
    "function action(name, check, run) {\n"
    "  actions.set(name, { check, run });\n"
    "}\n"
    "\n"
    "function mustBeText(value, what) {\n"
    "  if (typeof value !== \"string\" || value.length === 0) {\n"
    "    throw new Error(`${what} must be a text`);\n"
    "  }\n"
    "}\n"
    "\n"
    "action(\n"
    "  \"set_user\",\n"
    "  (args) => mustBeText(args.user_id, \"user_id\"),\n"
    "  (args, ledger) => ledger.setUser(args.user_id, args.roles)\n"
    ");\n"
    "action(\n"
    "  \"remove_user\",\n"
    "  (args) => mustBeText(args.user_id, \"user_id\"),\n"
    "  (args, ledger) => ledger.removeUser(args.user_id)\n"
    ");\n"
    "\n"
    "export function validate(input) {\n"
    "  const errors = [];\n"
    "  for (const proposed of JSON.parse(input).actions) {\n"
    "    const found = actions.get(proposed.name);\n"
    "    try {\n"
    "      if (!found) throw new Error(\"no such action\");\n"
    "      found.check(proposed.args);\n"
    "    } catch (e) {\n"
    "      errors.push(`${proposed.name}: ${e.message}`);\n"
    "    }\n"
    "  }\n"
    "  return { valid: errors.length === 0, "
    "description: errors.join(\", \") };\n"
    "}\n"
    "\n"
    "export function resolve(proposal, proposerId, votes, members) {\n"
    "  const ayes = votes.filter((v) => v.vote).length;\n"
    "  if (2 * ayes > members.length) return \"Accepted\";\n"
    "  const noes = votes.length - ayes;\n"
    "  return 2 * noes >= members.length ? \"Rejected\" : \"Open\";\n"
    "}\n"
    "\n"
    "export function apply(proposal, ledger) {\n"
    "  for (const proposed of JSON.parse(proposal).actions) {\n"
    "    actions.get(proposed.name).run(proposed.args, ledger);\n"
    "  }\n"
    "}\n";

/* Makes one member: its certificate by its id, the SHA-256 of the DER. */
static int governMember(Emu *p, int i, LedgerError *pErr) {
  EmuCertSpec spec = {.nDay = 3650,
                      .zBasic = "critical,CA:FALSE",
                      .zUsage = "critical,digitalSignature",
                      .zExtUse = "clientAuth"};
  EVP_PKEY *pKey = EVP_EC_gen(p->zCurve);
  X509 *pCert = NULL;
  LedgerBuf pem = {0};
  unsigned char aId[EVP_MAX_MD_SIZE];
  char zName[24], zId[2 * EMU_HASH + 1];
  unsigned int n = 0;
  int rc;

  snprintf(zName, sizeof(zName), "member%d", i);
  spec.zName = zName;
  if( pKey == NULL ) {
    rc = emuPkiError(pErr, "cannot make keys");
    goto out;
  }
  rc = emuCertNew(pKey, &spec, NULL, NULL, &pCert, pErr);
  if( rc == LEDGER_OK ) rc = emuCertPem(pCert, &pem, pErr);
  if( rc ) goto out;
  if( !X509_digest(pCert, EVP_sha256(), aId, &n) || n != EMU_HASH ) {
    rc = emuPkiError(pErr, "cannot make a certificate");
    goto out;
  }
  ledgerHexEncode(aId, EMU_HASH, zId);
  rc = emuStoreObjectPut(p->pStore, EMU_OBJECT_MEMBER, zId, strlen(zId), pem.z,
                         pem.n, pErr);
out:
  EVP_PKEY_free(pKey);
  X509_free(pCert);
  ledgerBufFree(&pem);
  return rc;
}

int emuGovernEnsure(Emu *p, LedgerError *pErr) {
  LedgerBuf have = {0};
  int i, bFound;
  int rc = emuStoreObject(p->pStore, EMU_OBJECT_DOCUMENT, EMU_DOC_CONSTITUTION,
                          strlen(EMU_DOC_CONSTITUTION), &have, &bFound, pErr);
  ledgerBufFree(&have);
  if( rc || bFound ) return rc;
  for( i = 0; i < GOVERN_MEMBERS && rc == LEDGER_OK; i++ ) {
    rc = governMember(p, i, pErr);
  }
  if( rc ) return rc;
  return emuStoreObjectPut(p->pStore, EMU_OBJECT_DOCUMENT, EMU_DOC_CONSTITUTION,
                           strlen(EMU_DOC_CONSTITUTION), zGovernConstitution,
                           sizeof(zGovernConstitution) - 1, pErr);
}
