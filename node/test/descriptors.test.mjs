// Where no file descriptor is left: an error that says what to do, and all is well afterwards.
import { test } from "node:test";
import { run } from "./helpers.mjs";

const SETUP = `
  import assert from "node:assert/strict";
  import { closeSync, openSync } from "node:fs";
  const taken = [];
  const takeAll = () => {
    try { for (;;) taken.push(openSync("/dev/null")); } catch (error) { assert.equal(error.code, "EMFILE"); }
  };
  const giveBack = () => taken.splice(0).forEach((fd) => closeSync(fd));
  const check = (error) => {
    assert.ok(error instanceof liter.APIConnectionError, error);
    assert.match(error.message, /ulimit -n/);
    assert.equal(error.retryable, true);
    return true;
  };
  const client = new liter.Client();
`;

const SCRIPTS = {
  chat: 'await assert.rejects(client.chat("Hello"), check)',
  stream: 'assert.throws(() => client.stream("Hello"), check)',
  invokeSync: `assert.throws(() => liter.invokeSync(null, { prompt: "Hello" }), check)`,
};

for (const [name, fails] of Object.entries(SCRIPTS)) {
  test(`no descriptor for the engine: ${name}`, async () => {
    await run(
      `${SETUP}
      takeAll();
      ${fails};
      giveBack();
      assert.equal((await client.chat("Hello")).text, "You said: Hello");
      assert.equal(await client.stream("Hello").text(), "You said: Hello");
      assert.equal(liter.invokeSync(null, { prompt: "Hello" }).text, "You said: Hello");`,
      { descriptors: 200 },
    );
  });
}
