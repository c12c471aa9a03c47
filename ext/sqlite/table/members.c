/*
** The table ledger_members: the members of the consortium that governs the
** ledger.
**
**     SELECT member_id, certificate FROM ledger_members;
**
** Request: GET /app/governance/members, followed to its end.
*/
#include "sqlite/table/table.h"

static const LedgerRoute membersRoute = {.zWhat = "members",
                                         .zPath = "/app/governance/members"};

static const LedgerColumn aMembersColumn[] = {
    {"member_id", "TEXT", 0, "id", "id of the member"},
    {"certificate", "TEXT", 0, "certificate", "its certificate, PEM"},
    LEDGER_COLUMN_LEDGER,
    {NULL, NULL, 0, NULL, NULL}};

const LedgerTableSpec ledgerTableMembers = {
    .zName = "ledger_members",
    .zDoc = "the members of the consortium that governs the ledger",
    .aColumn = aMembersColumn,
    .zKey = "member_id",
    .bKeyLocal = 1,
    .pRoute = &membersRoute,
    .zItems = "members",
    .zCost = "1 per page of the list",
    .zExample =
        "SELECT member_id, substr(certificate, 1, 27) FROM ledger_members;",
    .zFails = "DELETE FROM ledger_members;",
};
