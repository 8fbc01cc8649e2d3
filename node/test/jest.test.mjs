// Under Jest: no open handle after the tests, whatever was left open, and a mock of the package.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { HERE, PACKAGE, run, simulator } from "./helpers.mjs";

const JEST = createRequire(import.meta.url).resolve("jest/bin/jest");

test("Jest finds no open handle", async () => {
  const flags = ["--rootDir", join(HERE, "jest"), "--detectOpenHandles", "--ci", "--no-cache"];
  const { base_url: TEST_BASE_URL } = simulator.config().providers.openai;
  const child = spawn(process.execPath, [JEST, ...flags], {
    env: { ...process.env, TEST_BASE_URL },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const [code] = await once(child, "close");
  assert.equal(code, 0, said);
  assert.match(said, /Tests: +7 passed, 7 total/);
  assert.doesNotMatch(said, /open handle|did not exit/);
});

test("the doorbell says when it keeps the process alive", async () => {
  const script = `
    import { createHook } from "node:async_hooks";
    let doorbell;
    createHook({ init: (_, type, __, resource) => { if (type === "liter-llm") doorbell = resource } }).enable();
    const { Client } = await import(${JSON.stringify(PACKAGE)});
    const client = new Client();
    const said = [doorbell.hasRef()];
    const call = client.chat("Hello");
    said.push(doorbell.hasRef());
    await call;
    const unread = client.stream("Hello");
    said.push(doorbell.hasRef());
    const text = unread.text();
    said.push(doorbell.hasRef());
    await text;
    said.push(doorbell.hasRef());
    console.log(said.join());
  `;
  assert.equal(await run(script, { load: false }), "false,true,false,true,false\n");
});
