// The official JavaScript client at the works of the bench.
//
//     client.mjs WORK ROWS FOLDER
//
// Run from build/conformance, where npm's packages are. FOLDER has the ids to look
// up; the ledger is told in LEDGER_EMULATOR_JSON. The last line is what the work is
// checked by.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ledger, pem } from "./check.mjs";
import client from "@azure-rest/confidential-ledger";

const { default: ConfidentialLedger, isUnexpected, paginate } = client;
const [work, rows, folder] = process.argv.slice(2);
const name = "subledger:0";

const token = {
  getToken: async () => ({ token: ledger.token, expiresOnTimestamp: Date.now() + 3600000 }),
};
const connect = (credential = token) =>
  ConfidentialLedger(ledger.url, pem(ledger.service_certificate), credential);
const expected = (response) => {
  if (isUnexpected(response)) {
    throw new Error(`HTTP ${response.status}: ${JSON.stringify(response.body)}`);
  }
  return response;
};
const ids = () =>
  readFileSync(`${folder}/id`, "utf8").trim().split("\n").slice(0, Number(rows));
const range = (at) =>
  at.path("/app/transactions").get({ queryParameters: { collectionId: name } });

// Asks until what was asked for is loaded.
async function ready(ask) {
  for (;;) {
    const { body } = expected(await ask());
    if (body.state !== "Loading") return body;
    await sleep(5);
  }
}

const works = {
  start: async () => {
    connect();
    const { version } = JSON.parse(readFileSync(
      new URL("node_modules/@azure-rest/confidential-ledger/package.json", import.meta.url)));
    return `@azure-rest/confidential-ledger ${version} for JavaScript`;
  },
  first: async () => {
    const { ClientSecretCredential } = await import("@azure/identity");
    const at = connect(
      new ClientSecretCredential(ledger.tenant_id, ledger.client_id, ledger.client_secret, {
        authorityHost: ledger.authority, disableInstanceDiscovery: true,
      })
    );
    for await (const entry of paginate(at, expected(await range(at)))) return entry.contents;
    return "none";
  },
  scan: async () => {
    const at = connect();
    let count = 0;
    let size = 0;
    for await (const entry of paginate(at, expected(await range(at)))) {
      count++;
      size += entry.contents.length;
    }
    return `${count}|${size}`;
  },
  lookup: async () => {
    const at = connect();
    let size = 0;
    for (const id of ids()) {
      const { entry } = await ready(() =>
        at.path("/app/transactions/{transactionId}", id)
          .get({ queryParameters: { collectionId: name } }));
      size += entry.contents.length;
    }
    return `${ids().length}|${size}`;
  },
  receipts: async () => {
    const at = connect();
    let good = 0;
    for (const id of ids()) {
      const body = await ready(() =>
        at.path("/app/transactions/{transactionId}/receipt", id).get());
      good += body.receipt.signature !== "" ? 1 : 0;
    }
    return good;
  },
  append: async () => {
    const at = connect();
    const made = new Set();
    let id;
    for (let i = 0; i < Number(rows); i++) {
      const response = expected(await at.path("/app/transactions").post({
        contentType: "application/json", body: { contents: `row ${i}` },
        queryParameters: { collectionId: "b" },
      }));
      id = response.headers["x-ms-ccf-transaction-id"];
      made.add(id);
    }
    const status = () => at.path("/app/transactions/{transactionId}/status", id).get();
    while (expected(await status()).body.state !== "Committed") await sleep(5);
    return made.size;
  },
};

console.log(String(await works[work]()));
