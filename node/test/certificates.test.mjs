// Roots of the environment: NODE_EXTRA_CA_CERTS counts as it does for Node's own fetch.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { ROOT, binary, run } from "./helpers.mjs";

const child = spawn(binary(), ["--tls-addr", "127.0.0.1:0", "--exit-with-stdin"], {
  stdio: ["pipe", "pipe", "inherit"],
});
after(() => child.stdin.end());
const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
await lines.next();
const url = (await lines.next()).value.split(" ").at(-1).replace(/\/$/, "");
assert.match(url, /^https:/);

const CA = join(ROOT, "simulator/tls/ca.pem");
const ASK = `
  const client = new liter.Client(undefined, { retry: false });
  const ask = () => client.chat("Hello").then(({ text }) => text, ({ name }) => name);
  console.log(await ask());
`;

/** What a process with these variables says. */
const said = (variables, script = ASK) => {
  const none = { SSL_CERT_FILE: undefined, SSL_CERT_DIR: undefined, NODE_EXTRA_CA_CERTS: undefined };
  const openai = { base_url: `${url}/v1`, api_key: "sk-test", model: "m" };
  const config = { providers: { openai }, default_provider: "openai" };
  const flags = ["--no-warnings"];
  return run(script, { config, env: { ...none, ...variables }, flags, stderr: true });
};

test("a server whose authority nobody knows is refused", async () => {
  assert.equal(await said({}), "APIConnectionError\n");
});

test("NODE_EXTRA_CA_CERTS is trusted beside the others", async () => {
  assert.equal(await said({ NODE_EXTRA_CA_CERTS: CA }), "You said: Hello\n");
  const both = { NODE_EXTRA_CA_CERTS: CA, SSL_CERT_FILE: join(ROOT, "simulator/tls/wrong.pem") };
  assert.equal(await said(both), "You said: Hello\n");
});

test("LITER_LLM_EXTRA_CA_FILE comes before it", async () => {
  const other = join(ROOT, "simulator/tls/wrong.pem");
  const variables = { NODE_EXTRA_CA_CERTS: CA, LITER_LLM_EXTRA_CA_FILE: other };
  assert.equal(await said(variables), "APIConnectionError\n");
});

test("one that cannot be used is warned of, and nothing fails for it", async () => {
  const script = `
    process.on("warning", ({ name, message }) => console.log(name, message));
    ${ASK}
    new liter.Client(undefined); // it is warned of once
  `;
  for (const [file, why] of [["/nowhere.pem", "ENOENT"], [join(ROOT, "LICENSE"), "it has no PEM certificate"]]) {
    const out = await said({ NODE_EXTRA_CA_CERTS: file }, script);
    const warning = `LiterLLMWarning NODE_EXTRA_CA_CERTS (${file}) is left out: ${why}`;
    assert.deepEqual(out.split("\n").filter((line) => line.startsWith("Liter")), [warning]);
    assert.match(out, /^APIConnectionError$/m);
  }
});
