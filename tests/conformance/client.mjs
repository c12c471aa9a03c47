// What the official JavaScript client's README shows, done against the emulator
// with the client as it is: token from the authority, identity, append, status,
// entry, current, a paged range, receipt, users, governance, quotes, errors.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { check, finish, ledger, pem, until } from "./check.mjs";
import { ClientSecretCredential } from "@azure/identity";
import client from "@azure-rest/confidential-ledger";

const { default: ConfidentialLedger, getLedgerIdentity, isUnexpected, paginate } = client;
const entries = 2500; // conformance.sh fills the collection c0 with so many

const secret = (value) =>
  new ClientSecretCredential(ledger.tenant_id, ledger.client_id, value, {
    authorityHost: ledger.authority,
    disableInstanceDiscovery: true,
    retryOptions: { maxRetries: 0 },
  });
const credential = secret(ledger.client_secret);
const fingerprint = (certificate) => new X509Certificate(certificate).fingerprint256;
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const json = (body) => ({ contentType: "application/json", body });
const merge = (body) => ({ contentType: "application/merge-patch+json", body });

function expected(response) {
  if (isUnexpected(response)) {
    assert.fail(`HTTP ${response.status}: ${JSON.stringify(response.body)}`);
  }
  return response;
}
// Of /app/users/{id} this client's isUnexpected() looks up DELETE's 204.
function status(response, wanted) {
  assert.equal(response.status, wanted, JSON.stringify(response.body));
  return response;
}

let service;
await check("identity", async () => {
  service = await getLedgerIdentity(ledger.ledger_id, ledger.identity_url);
  assert.equal(service.ledgerId, ledger.ledger_id);
  assert.equal(service.ledgerIdentityCertificate, pem(ledger.service_certificate));
});
await check("identity of another ledger", async () => {
  await assert.rejects(getLedgerIdentity("nosuch", ledger.identity_url));
});
await check("token from the authority", async () => {
  const token = await credential.getToken("https://confidential-ledger.azure.com/.default");
  assert.match(token.token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.ok(token.expiresOnTimestamp > Date.now());
});
await check("wrong secret", async () => {
  await assert.rejects(
    secret("wrong").getToken("https://confidential-ledger.azure.com/.default"),
    (error) => /^Authentication/.test(error.name) && /AADSTS7000215/.test(error.message)
  );
});

const connect = (options, with_credential = credential) =>
  with_credential
    ? ConfidentialLedger(ledger.url, service.ledgerIdentityCertificate, with_credential, options)
    : ConfidentialLedger(ledger.url, service.ledgerIdentityCertificate, options);
const main = connect();

// ---- what each of these versions has --------------------------------------

const committed = (at, id) =>
  until(
    () => at.path("/app/transactions/{transactionId}/status", id).get(),
    (response) => expected(response).body.state === "Committed"
  );
const idOf = (response) => {
  assert.match(response.headers["x-ms-ccf-transaction-id"], /^\d+\.\d+$/);
  return response.headers["x-ms-ccf-transaction-id"];
};

for (const version of [
  "0.1-preview", "2022-04-20-preview", "2022-05-13", "2024-01-26-preview", "2024-08-22-preview", "2024-12-09-preview",
  "2026-02-23", "2026-07-31-preview",
]) {
  const at = connect({ apiVersion: version });
  const old = ["0.1-preview", "2022-04-20-preview"].includes(version);
  const place = old ? "subLedgerId" : "collectionId"; // of an entry
  const name = (what) => `${version}: ${what}`;
  let id;
  await check(name("append"), async () => {
    const response = expected(
      await at.path("/app/transactions").post(json({ contents: `hello ${version}` }))
    );
    assert.equal(response.body[place], "subledger:0");
    id = idOf(response);
  });
  await check(name("status"), async () => {
    const response = await committed(at, id);
    assert.equal(response.body.transactionId, id);
  });
  await check(name("entry"), async () => {
    const response = await until(
      () => at.path("/app/transactions/{transactionId}", id).get(),
      (answer) => expected(answer).body.state === "Ready"
    );
    assert.deepEqual(response.body.entry, {
      [place]: "subledger:0", contents: `hello ${version}`, transactionId: id,
    });
  });
  await check(name("current"), async () => {
    const { body } = expected(await at.path("/app/transactions/current").get());
    assert.equal(body.contents, `hello ${version}`);
  });
  await check(name("a collection of its own"), async () => {
    const collectionId = `c d+é&${version}`;
    const query = { queryParameters: { [place]: collectionId } };
    const response = expected(
      await at.path("/app/transactions").post({ ...json({ contents: "in it" }), ...query })
    );
    assert.equal(response.body[place], collectionId);
    await committed(at, idOf(response));
    const { body } = expected(await at.path("/app/transactions/current").get(query));
    assert.equal(body.contents, "in it");
    const found = [];
    const list = await at.path("/app/collections").get();
    if (version === "0.1-preview") return status(list, "404"); // it has no such list
    if (old) {
      found.push(...list.body.map((item) => item.collectionId)); // an array, no pages
    } else {
      for await (const item of paginate(at, list)) found.push(item.collectionId);
    }
    return assert.ok(found.includes(collectionId) && found.includes("subledger:0"));
  });
  await check(name("receipt"), async () => {
    const { body } = await until(
      () => at.path("/app/transactions/{transactionId}/receipt", id).get(),
      (answer) => expected(answer).body.state === "Ready"
    );
    assert.equal(body.transactionId, id);
    const { receipt } = body;
    for (const step of receipt.proof) {
      assert.match(Object.entries(step).join(), /^(left|right),[0-9a-f]{64}$/);
    }
    assert.match(receipt.signature, /^[A-Za-z0-9+/]+=*$/);
    if (version === "0.1-preview") {
      // The first receipts have leaf and root, and no certificate.
      assert.match(receipt.leaf + receipt.root, /^[0-9a-f]{128}$/);
      const quotes = (await at.path("/app/enclaveQuotes").get()).body;
      return assert.equal(receipt.node_id, quotes.currentNodeId);
    }
    const certificate = new X509Certificate(receipt.cert);
    const key = certificate.publicKey.export({ type: "spki", format: "der" });
    assert.equal(receipt.nodeId ?? receipt.node_id, sha256(key));
    assert.ok(certificate.verify(new X509Certificate(service.ledgerIdentityCertificate).publicKey));
    const parts = receipt.leafComponents ?? receipt.leaf_components;
    return assert.match(parts.commitEvidence ?? parts.commit_evidence, new RegExp(`^ce:${id}:`));
  });
  await check(name("members"), async () => {
    const found = [];
    const first = expected(await at.path("/app/governance/members").get());
    for await (const member of paginate(at, first)) found.push(member);
    assert.equal(found.length, 3);
    for (const member of found) {
      const certificate = new X509Certificate(member.certificate);
      assert.equal(member.id, sha256(certificate.raw));
    }
  });
  await check(name("constitution"), async () => {
    const { body } = expected(await at.path("/app/governance/constitution").get());
    assert.equal(sha256(body.script), body.digest);
  });
  await check(name("quotes"), async () => {
    const { body } = expected(await at.path("/app/enclaveQuotes").get());
    const quote = body.enclaveQuotes[body.currentNodeId];
    assert.equal(quote.nodeId, body.currentNodeId);
    assert.equal(quote.quoteVersion, "OE_SGX_v1");
    const raw = Buffer.from(quote.raw, "hex");
    assert.equal(raw.readUInt16LE(0), 3);
    assert.equal(raw.subarray(368, 400).toString("hex"), body.currentNodeId);
    if (quote.mrenclave) assert.equal(raw.subarray(112, 144).toString("hex"), quote.mrenclave);
  });
  await check(name("no such transaction"), async () => {
    const response = status(
      await at.path("/app/transactions/{transactionId}/status", "2.99999999").get(), "404"
    );
    assert.ok(isUnexpected(response));
    assert.equal(response.body.error.code, "TransactionNotFound");
  });
  await check(name("an id that is none"), async () => {
    const response = await at.path("/app/transactions/{transactionId}", "two").get();
    status(response, "400");
    assert.equal(response.body.error.code, "InvalidInput");
  });
}

// ---- a range of 2,500 entries in pages ------------------------------------

const ids = [];
await check("paged range", async () => {
  const first = expected(
    await main.path("/app/transactions").get({ queryParameters: { collectionId: "c0" } })
  );
  for await (const entry of paginate(main, first)) {
    assert.equal(entry.collectionId, "c0");
    ids.push(entry.transactionId);
  }
  assert.equal(ids.length, entries);
  const seqnos = ids.map((id) => Number(id.split(".")[1]));
  assert.ok(seqnos.every((seqno, i) => i === 0 || seqno > seqnos[i - 1]), "in order");
});
await check("part of a range", async () => {
  const first = expected(
    await main.path("/app/transactions").get({
      queryParameters: {
        collectionId: "c0", fromTransactionId: ids[100], toTransactionId: ids[1209],
      },
    })
  );
  const found = [];
  for await (const entry of paginate(main, first)) found.push(entry.transactionId);
  assert.deepEqual(found, ids.slice(100, 1210));
});

// ---- users ------------------------------------------------------------------

const users = {
  "an object id": "0f8fad5b-d9cb-469f-a165-70867728950e",
  "a fingerprint": Array.from({ length: 32 }, (_, i) => (i + 160).toString(16)).join(":").toUpperCase(),
};
for (const [what, user] of Object.entries(users)) {
  for (const assignedRole of ["Administrator", "Contributor", "Reader"]) {
    await check(`user by ${what}: ${assignedRole}`, async () => {
      const path = main.path("/app/users/{userId}", user);
      const given = { assignedRole, userId: user };
      const patched = status(await path.patch(merge({ assignedRole })), "200");
      assert.deepEqual(patched.body, given);
      idOf(patched);
      assert.deepEqual(status(await path.get(), "200").body, given);
      expected(status(await path.delete(), "204"));
      const gone = status(await path.get(), "404");
      assert.equal(gone.body.error.code, "ResourceNotFound");
    });
  }
}
await check("a role that is none", async () => {
  const response = await main.path("/app/users/{userId}", users["an object id"])
    .patch(merge({ assignedRole: "Owner" }));
  status(response, "400");
});
await check("PATCH that is no merge patch", async () => {
  const response = await main.path("/app/users/{userId}", users["an object id"])
    .patch(json({ assignedRole: "Reader" }));
  assert.equal(status(response, "415").body.error.code, "UnsupportedContentType");
});
await check("newer versions: /app/users has moved", async () => {
  const response = await connect({ apiVersion: "2026-02-23", redirectOptions: { maxRetries: 0 } })
    .path("/app/users/{userId}", users["an object id"]).get();
  assert.equal(status(response, "301").body.error.code, "ApiVersionRedirect");
});

// ---- a client certificate -----------------------------------------------------

const admin = pem(ledger.admin_certificate);
await check("client certificate", async () => {
  const by_certificate = connect({ tlsOptions: { cert: admin, key: admin } }, null);
  const response = expected(
    await by_certificate.path("/app/transactions").post(json({ contents: "by certificate" }))
  );
  await committed(by_certificate, idOf(response));
  const who = await main.path("/app/users/{userId}", fingerprint(admin)).get();
  assert.equal(status(who, "200").body.assignedRole, "Administrator");
});
await check("no credential at all", async () => {
  const response = await connect({ retryOptions: { maxRetries: 0 } }, null)
    .path("/app/transactions/current").get();
  assert.equal(status(response, "401").body.error.code, "InvalidAuthenticationInfo");
});
await check("a client certificate nobody knows", async () => {
  const file = `${process.env.LEDGER_CONFORMANCE}/stranger.pem`;
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
    "-nodes", "-subj", "/CN=stranger", "-keyout", file, "-out", `${file}.crt`], { stdio: "ignore" });
  const response = await connect({ tlsOptions: { cert: pem(`${file}.crt`), key: pem(file) } }, null)
    .path("/app/transactions/current").get();
  assert.equal(status(response, "403").body.error.code, "NotAllowed");
});

// A credential with a token that the emulator's control route makes.
async function as(asked) {
  const response = await fetch(`${ledger.identity_url}/control/token`,
    { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(asked) });
  const { access_token: token } = await response.json();
  return { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3600e3 }) };
}
const quick = { retryOptions: { maxRetries: 0 } };
await check("a Reader that appends", async () => {
  const reader = connect(quick, await as({ roles: ["Reader"] }));
  expected(await reader.path("/app/transactions/current").get());
  const response = await reader.path("/app/transactions").post(json({ contents: "no" }));
  assert.equal(status(response, "403").body.error.code, "NotAllowed");
});
await check("a Contributor that manages users", async () => {
  const contributor = connect(quick, await as({ roles: ["Contributor"] }));
  expected(await contributor.path("/app/transactions").post(json({ contents: "yes" })));
  const path = contributor.path("/app/users/{userId}", users["an object id"]);
  status(await path.patch(merge({ assignedRole: "Reader" })), "403");
  status(await path.delete(), "403");
});
await check("an expired and a forged token", async () => {
  const expired = await as({ roles: ["Reader"], expires_in: -5 });
  const { token } = await (await as({ roles: ["Administrator"] })).getToken();
  const [head, , signature] = token.split(".");
  const claims = Buffer.from(JSON.stringify({
    aud: "https://confidential-ledger.azure.com", exp: 9999999999, oid: "x",
  })).toString("base64url");
  const forged = { getToken: async () => ({
    token: [head, claims, signature].join("."), expiresOnTimestamp: Date.now() + 3600e3,
  }) };
  for (const who of [expired, forged]) {
    const response = await connect(quick, who).path("/app/transactions/current").get();
    assert.equal(status(response, "401").body.error.code, "InvalidAuthenticationInfo");
  }
});
await check("a version that is none", async () => {
  const response = await connect({ apiVersion: "2020-01-01" })
    .path("/app/transactions/current").get();
  const { error } = status(response, "400").body;
  assert.equal(error.code, "QueryParameterError");
  assert.match(error.message, /one of the following versions: 2026-07-31-preview,/);
});

finish();
