// What the conformance scripts share: names, checks, the closing line.
//
// A script is run by conformance.sh beside an emulator that is told in
// LEDGER_EMULATOR_JSON, with NODE_EXTRA_CA_CERTS set to its CA file;
// LEDGER_CONFORMANCE is a folder for files.
import assert from "node:assert/strict";
import dns from "node:dns";
import { readFileSync } from "node:fs";

export const ledger = JSON.parse(process.env.LEDGER_EMULATOR_JSON);
export const pem = (path) => readFileSync(path, "utf8");

// `*.localhost` is loopback; not every system's resolver knows.
const lookup = dns.lookup;
dns.lookup = (host, options, done) => {
  if (typeof options === "function") [done, options] = [options, {}];
  if (!host.endsWith(".localhost")) return lookup(host, options, done);
  if (options?.all) return done(null, [{ address: "127.0.0.1", family: 4 }]);
  return done(null, "127.0.0.1", 4);
};

let passed = 0;
let failed = 0;

export async function check(name, run) {
  try {
    await run();
    passed++;
  } catch (error) {
    failed++;
    const at = error instanceof assert.AssertionError ? error.message : error.stack;
    console.log(`FAILED ${name}\n  ${String(at).replaceAll("\n", "\n  ")}`);
  }
}

export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}

const sleep = (ms) => new Promise((go) => setTimeout(go, ms));

// Asks until the answer is what is waited for; 20 s at most.
export async function until(ask, good) {
  const end = Date.now() + 20000;
  for (;;) {
    const answer = await ask();
    if (good(answer)) return answer;
    if (Date.now() > end) assert.fail(`not in 20 s: ${JSON.stringify(answer)}`);
    await sleep(20);
  }
}
