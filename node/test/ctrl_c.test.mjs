// Ctrl-C: the default ends the process at once; a handler of the program's is called, and may go on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, noneOpen, simulator } from "./helpers.mjs";

const config = simulator.providers("delay_ms=60000", { fast: "" });
const interrupt = { config, signal: (child) => child.kill("SIGINT"), seconds: 20 };

const CALLS = {
  chat: `client.chat("Hello").catch(() => {})`,
  stream: `client.stream("Hello").text().catch(() => {})`,
  invokeSync: `setTimeout(() => liter.invokeSync("", { prompt: "Hello" }), 50)`,
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`the default, ${name}`, async () => {
    const script = `
      const client = new liter.Client();
      ${call};
      await client.chat("Hello", { provider: "fast" });
      console.log("ready");
    `;
    await run(script, { ...interrupt, expect: "SIGINT" });
    await simulator.waitFor(noneOpen);
  });
}

test("a handler", async () => {
  const script = `
    const client = new liter.Client();
    const controller = new AbortController();
    process.once("SIGINT", () => controller.abort());
    const calls = [
      client.chat("Hello", { signal: controller.signal }),
      client.stream("Hello", { signal: controller.signal }).text(),
    ];
    console.log("ready");
    const ended = await Promise.allSettled(calls);
    console.log(ended.map(({ reason }) => reason.name).join());
    console.log((await client.chat("after", { provider: "fast" })).text);
  `;
  const said = await run(script, interrupt);
  assert.equal(said, "ready\nAbortError,AbortError\nYou said: after\n");
  await simulator.waitFor(noneOpen);
});
