// Every operation of the API's OpenAPI files: the emulator answers it, the body
// is valid by the schema in the file, and a SQL statement reaches it through the
// module. Prints the table operation x version x SQL.
//
// The files are Microsoft's and not part of this project: where they are not
// beside it (../shared/api/openapi), the walk is skipped.
//
// Schemas are taken at their word and one step further: an object has no member
// that its schema does not name. Where recordings of the service and the files
// disagree the emulator follows the recordings; `recorded` lists each place.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import https from "node:https";
import { promisify } from "node:util";
import { check, finish, ledger, pem, until } from "./check.mjs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

const folder = "../shared/api/openapi";
const versions = {
  "0.1-preview": "Microsoft.ConfidentialLedger/preview/0.1-preview",
  "2022-05-13": "Microsoft.ConfidentialLedger/stable/2022-05-13",
  "2024-01-26-preview": "Microsoft.ConfidentialLedger/preview/2024-01-26-preview",
  "2026-07-31-preview": "2026-07-31-preview",
};
if (!existsSync(folder)) {
  console.log("openapi: skipped, the OpenAPI files are not beside the project");
  console.log("0 passed, 0 failed, 1 skipped");
  process.exit(0);
}

// ---- requests ---------------------------------------------------------------

const hosts = { ledger: ledger.url, identity: ledger.identity_url };
const trust = [pem(ledger.service_certificate), pem(ledger.ca_file)];
const agent = new https.Agent({ keepAlive: true, ca: trust });

function rest(method, path, { query = {}, body, type = "application/json",
  host = "ledger", token = ledger.token } = {}) {
  const url = new URL(path, hosts[host]);
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  const headers = { accept: "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = type;
  return new Promise((done, fail) => {
    const request = https.request(url, { method, headers, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => { text += part; });
      response.on("end", () => {
        const { statusCode: status } = response;
        try {
          done({ status, headers: response.headers, body: text && JSON.parse(text) });
        } catch (error) {
          fail(error);
        }
      });
    });
    request.on("error", fail);
    request.end(body && JSON.stringify(body));
  });
}

const run = promisify(execFile);
const quote = (text) => `'${String(text).replaceAll("'", "''")}'`;

// Runs a statement on a fresh connection, and answers which requests it made.
async function sql(version, statement) {
  const options = JSON.stringify({ ...JSON.parse(process.env.LEDGER_OPTIONS), api_version: version });
  const script = [
    ".load ./build/ledger",
    `SELECT ledger_attach(${quote(ledger.url)}, ${quote(options)});`,
    `${statement};`,
    ".mode list",
    "SELECT 'asked ' || method || ' ' || path FROM ledger_http;",
  ];
  const args = ["-batch", "-bail", "-init", "/dev/null", ":memory:", ...script];
  const { stdout } = await run("sqlite3", args, { timeout: 60000 });
  return stdout.split("\n").filter((line) => line.startsWith("asked ")).map((line) => line.slice(6));
}

// ---- schemas ------------------------------------------------------------------

// Where the service was recorded to do otherwise than the file says.
const recorded = {
  "/app/users": "moved: 301 on {userId} since 2024-08-22-preview; SQL asks /app/ledgerUsers",
  "/app/transactions/{transactionId}/receipt":
    "snake_case up to 2022-05-13, then with is_signature_transaction",
  "/app/transactions": "entries carry their tags; no file has a name for it",
  "/app/userDefinedEndpoints": "methods are given back in upper case",
  "401": "CCF adds details to the error: a list of why each credential was refused",
};

// No member beside those named, in every schema that names any.
function close(schema) {
  if (Array.isArray(schema)) return schema.forEach(close);
  if (schema === null || typeof schema !== "object") return undefined;
  if (schema.properties && schema.additionalProperties === undefined) {
    schema.additionalProperties = false;
  }
  return Object.values(schema).forEach(close);
}

function load(version) {
  const ajv = new Ajv({ strict: false, validateSchema: false, allErrors: true });
  addFormats(ajv);
  const documents = {};
  for (const name of ["confidentialledger", "common", "identityservice"]) {
    const file = `${folder}/${versions[version]}/${name}.json`;
    if (!existsSync(file)) continue;
    const document = JSON.parse(readFileSync(file, "utf8"));
    const entry = document.definitions?.LedgerEntry;
    if (entry) entry.properties.tags = { type: "array", items: { type: "string" } };
    for (const schema of Object.values(document.definitions ?? {})) close(schema);
    ajv.addSchema(document, `https://openapi.invalid/${version}/${name}.json`);
    documents[name] = document;
  }
  const validate = (name, pointer, body) => {
    const path = pointer.map((step) =>
      encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
    const valid = ajv.compile({ $ref: `https://openapi.invalid/${version}/${name}.json#/${path}` });
    if (!valid(body)) {
      assert.fail(`${ajv.errorsText(valid.errors)}\n${JSON.stringify(body).slice(0, 500)}`);
    }
  };
  return { documents, validate };
}

// Methods as the file has them.
const lower = (endpoints) => {
  for (const [path, methods] of Object.entries(endpoints)) {
    endpoints[path] = Object.fromEntries(Object.entries(methods).map(([name, value]) => [
      name.toLowerCase(), value,
    ]));
  }
};

const camel = (value) => {
  if (Array.isArray(value)) return value.map(camel);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [
    name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()), camel(inner),
  ]));
};

// ---- what is asked --------------------------------------------------------------

const user = "6d3f9d0e-5d64-4c7b-9a52-8b8a6c1f0e11";
const merge = "application/merge-patch+json";
const action = "Microsoft.ConfidentialLedger/ledger/users/read";
const properties = { authn_policies: [], forwarding_required: "never", js_module: "walk.js", js_function: "f" };
const bundle = {
  metadata: { endpoints: { "/walk": { get: properties } } },
  modules: [{ name: "walk.js", module: "export function f() {}" }],
};
const code = "export function main(a) { return a }";
const roles = (...actions) => ({ roles: [{ roleName: "walker", roleActions: actions }] });

// Makes sure that something is there, or is not, whatever ran before.
const at = (v) => ({ query: { "api-version": v } });
const newest = at("2026-07-31-preview");
const there = {
  user: () => rest("PATCH", `/app/ledgerUsers/${user}`, { ...newest, type: merge, body: { assignedRoles: ["Reader"] } }),
  noUser: () => rest("DELETE", `/app/ledgerUsers/${user}`, newest),
  role: async () => {
    await there.noRole();
    await rest("PUT", "/app/roles", { ...newest, body: roles(action) });
  },
  noRole: () => rest("DELETE", "/app/roles", { query: { ...newest.query, roleName: "walker" } }),
  function: () => rest("PUT", "/app/userDefinedFunctions/walk", { ...newest, body: { code } }),
  noFunction: () => rest("DELETE", "/app/userDefinedFunctions/walk", newest),
  bundle: () => rest("PUT", "/app/userDefinedEndpoints", { ...newest, body: bundle }),
  noBundle: () => rest("PUT", "/app/userDefinedEndpoints",
    { ...newest, body: { metadata: { endpoints: {} }, modules: [] } }),
};

// By `METHOD path`: what is sent besides the api-version, what must be there
// before, and the statement that reaches the same operation. `id` is an entry of
// the sub-ledger `walk`, and `q` that sub-ledger as the version spells it.
const operations = {
  "POST /app/transactions": {
    body: { contents: "from REST" }, query: (x) => x.q,
    sql: () => "INSERT INTO ledger_entries(sub_ledger, contents) VALUES('walk', 'from SQL')",
  },
  "GET /app/transactions": {
    query: (x) => ({ ...x.q, fromTransactionId: x.id, toTransactionId: x.id }), ready: true,
    sql: () => "SELECT contents FROM ledger_entries WHERE sub_ledger = 'walk'",
  },
  "GET /app/transactions/{transactionId}": {
    query: (x) => x.q, ready: true,
    sql: (x) => `SELECT contents FROM ledger_entries WHERE transaction_id = '${x.id}' AND sub_ledger = 'walk'`,
  },
  "GET /app/transactions/{transactionId}/receipt": {
    ready: true, sql: (x) => `SELECT ledger_receipt('${x.id}')`,
  },
  "GET /app/transactions/{transactionId}/status": {
    sql: (x) => `SELECT state FROM ledger_transactions WHERE transaction_id = '${x.id}'`,
  },
  "GET /app/transactions/current": { query: (x) => x.q, sql: () => "SELECT ledger_current('walk')" },
  "GET /app/collections": { sql: () => "SELECT sub_ledger FROM ledger_sub_ledgers" },
  "GET /app/collections/tags": {
    query: (x) => x.q, sql: () => "SELECT tag FROM ledger_tags WHERE sub_ledger = 'walk'",
  },
  "GET /app/users": { before: there.user, sql: () => "SELECT user_id, role FROM ledger_users" },
  "GET /app/users/{userId}": {
    before: there.user, sql: () => `SELECT role FROM ledger_users WHERE user_id = '${user}'`,
  },
  "PATCH /app/users/{userId}": {
    before: there.noUser, body: { assignedRole: "Reader" },
    sql: () => `INSERT INTO ledger_users(user_id, role) VALUES('${user}', 'Reader')`,
  },
  "DELETE /app/users/{userId}": {
    before: there.user, sql: () => `DELETE FROM ledger_users WHERE user_id = '${user}'`,
  },
  "GET /app/ledgerUsers": { before: there.user, sql: () => "SELECT user_id, roles FROM ledger_users" },
  "GET /app/ledgerUsers/{userId}": {
    before: there.user, sql: () => `SELECT roles FROM ledger_users WHERE user_id = '${user}'`,
  },
  "PATCH /app/ledgerUsers/{userId}": {
    before: there.noUser, body: { assignedRoles: ["Reader", "Contributor"] },
    sql: () => `INSERT INTO ledger_users(user_id, roles) VALUES('${user}', '["Reader","Contributor"]')`,
  },
  "DELETE /app/ledgerUsers/{userId}": {
    before: there.user, sql: () => `DELETE FROM ledger_users WHERE user_id = '${user}'`,
  },
  "GET /app/governance/constitution": { sql: () => "SELECT digest FROM ledger_constitution" },
  "GET /app/governance/members": { sql: () => "SELECT member_id FROM ledger_members" },
  "GET /app/enclaveQuotes": { sql: () => "SELECT node_id FROM ledger_enclave_quotes" },
  "GET /app/roles": {
    before: there.role, query: () => ({ roleName: "walker" }),
    sql: () => "SELECT role_actions FROM ledger_roles WHERE role_name = 'walker'",
  },
  "PUT /app/roles": {
    before: there.noRole, body: roles(action),
    sql: () => `INSERT INTO ledger_roles(role_name, role_actions) VALUES('walker', '["${action}"]')`,
  },
  "PATCH /app/roles": {
    before: there.role, body: roles("more"),
    sql: () => `UPDATE ledger_roles SET role_actions = '["${action}","more"]' WHERE role_name = 'walker'`,
  },
  "DELETE /app/roles": {
    before: there.role, query: () => ({ roleName: "walker" }),
    sql: () => "DELETE FROM ledger_roles WHERE role_name = 'walker'",
  },
  "GET /app/userDefinedFunctions": {
    before: there.function, sql: () => "SELECT function_id FROM ledger_functions",
  },
  "GET /app/userDefinedFunctions/{functionId}": {
    before: there.function, sql: () => "SELECT code FROM ledger_functions WHERE function_id = 'walk'",
  },
  "PUT /app/userDefinedFunctions/{functionId}": {
    before: there.noFunction, body: { code },
    sql: () => `INSERT INTO ledger_functions(function_id, code) VALUES('walk', ${quote(code)})`,
  },
  "DELETE /app/userDefinedFunctions/{functionId}": {
    before: there.function, sql: () => "DELETE FROM ledger_functions WHERE function_id = 'walk'",
  },
  "POST /app/userDefinedFunctions/{functionId}:execute": {
    before: there.function, body: { arguments: ["x"], exportedFunctionName: "main" },
    sql: () => "SELECT ledger_execute('walk', '[\"x\"]')",
  },
  "GET /app/userDefinedEndpoints": { before: there.bundle, sql: () => "SELECT path FROM ledger_endpoints" },
  "PUT /app/userDefinedEndpoints": {
    before: there.noBundle, body: bundle,
    sql: () => `INSERT INTO ledger_endpoints(path, method, properties, module)
      VALUES('/walk', 'get', ${quote(JSON.stringify(properties))}, 'export function f() {}')`,
  },
  "GET /app/userDefinedEndpoints/modules": {
    before: there.bundle, query: () => ({ module_name: "walk.js" }),
    sql: () => "SELECT module FROM ledger_modules WHERE name = 'walk.js'",
  },
  "GET /app/userDefinedEndpoints/runtimeOptions": {
    sql: () => "SELECT ledger_runtime_options()",
  },
  "PATCH /app/userDefinedEndpoints/runtimeOptions": {
    body: { max_execution_time_ms: 1500 },
    sql: () => "SELECT ledger_runtime_options('{\"max_execution_time_ms\":1400}')",
  },
  "GET /ledgerIdentity/{ledgerId}": {
    host: "identity", sql: () => "SELECT ledger_id FROM ledger_identity",
  },
};

// ---- the walk -------------------------------------------------------------------

const table = new Map(); // `METHOD path` -> {sql, seen: {version: status}}
const path_of = (path, x) => path.replace("{transactionId}", x.id).replace("{userId}", user)
  .replace("{functionId}", "walk").replace("{ledgerId}", ledger.ledger_id);

async function walk(version) {
  const { documents, validate } = load(version);
  const x = { q: version === "0.1-preview" ? { subLedgerId: "walk" } : { collectionId: "walk" } };
  const first = await rest("POST", "/app/transactions",
    { query: { "api-version": version, ...x.q }, body: { contents: "walked" } });
  x.id = first.headers["x-ms-ccf-transaction-id"];
  await until(() => rest("GET", `/app/transactions/${x.id}/status`, at(version)),
    (answer) => answer.body.state === "Committed");

  for (const [name, document] of Object.entries(documents)) {
    for (const [path, methods] of Object.entries(document.paths ?? {})) {
      for (const [method, operation] of Object.entries(methods)) {
        if (method === "parameters") continue;
        const key = `${method.toUpperCase()} ${path}`;
        const spec = operations[key];
        const row = table.get(key) ?? { seen: {}, sql: spec?.sql(x) };
        table.set(key, row);
        const pointer = (status) => ["paths", path, method, "responses", status, "schema"];
        const moved = path.startsWith("/app/users/") && version === "2026-07-31-preview";

        await check(`${version} ${key}: answer`, async () => {
          assert.ok(spec, "this walk does not know the operation");
          await spec.before?.();
          const first_version = version === "0.1-preview";
          const ask = () => rest(method.toUpperCase(), path_of(path, x), {
            query: { "api-version": version, ...spec.query?.(x) }, body: spec.body,
            type: method === "patch" && !first_version ? merge : "application/json",
            host: spec.host, token: spec.host ? null : ledger.token,
          });
          const answer = await until(ask,
            ({ body }) => !spec.ready || body.state !== "Loading");
          row.seen[version] = answer.status;
          if (moved) {
            assert.equal(answer.status, 301);
            return validate(name, pointer("default"), answer.body);
          }
          const said = operation.responses[answer.status];
          assert.ok(said, `HTTP ${answer.status}: ${JSON.stringify(answer.body)}`);
          if (!said.schema) return assert.equal(answer.body, "");
          const snake = path.endsWith("/receipt") && /^(0\.1|2022)/.test(version);
          const body = snake ? camel(answer.body) : answer.body;
          if (snake) delete body.receipt.isSignatureTransaction;
          if (path === "/app/userDefinedEndpoints") lower(body.metadata.endpoints);
          return validate(name, pointer(String(answer.status)), body);
        });
        await check(`${version} ${key}: refusal`, async () => {
          const answer = await rest(method.toUpperCase(),
            spec.host ? "/ledgerIdentity/nosuch" : path_of(path, x),
            { ...at(version), token: "forged", host: spec.host, body: spec.body });
          assert.equal(answer.status, spec.host ? 404 : 401);
          if (!spec.host) {
            assert.ok(Array.isArray(answer.body.error.details));
            delete answer.body.error.details;
          }
          validate(name, pointer("default"), answer.body);
        });
        await check(`${version} ${key}: SQL`, async () => {
          await spec.before?.();
          const asked = await sql(version, spec.sql(x));
          const wanted = `${method.toUpperCase()} ${path_of(path, x)}`
            .replace("/app/users", version === "2026-07-31-preview" ? "/app/ledgerUsers" : "/app/users");
          const found = asked.some((request) =>
            decodeURIComponent(request.split("?")[0]) === wanted);
          assert.ok(found, `not asked: ${wanted}\nasked: ${asked.join("\n")}`);
        });
      }
    }
  }
}

for (const version of Object.keys(versions)) await walk(version);

const names = Object.keys(versions);
const width = Math.max(...[...table.keys()].map((key) => key.length));
console.log(["operation".padEnd(width), ...names, "SQL"].join("  "));
for (const [key, row] of table) {
  const cells = names.map((name) => String(row.seen[name] ?? "-").padEnd(name.length));
  console.log([key.padEnd(width), ...cells, row.sql.replace(/\s+/g, " ")].join("  "));
}
console.log("As recorded, and not as the files say:");
for (const [where, what] of Object.entries(recorded)) console.log(`  ${where}: ${what}`);
await check("an operation that no file has", () => {
  assert.deepEqual(Object.keys(operations).filter((key) => !table.has(key)), []);
});
finish();
