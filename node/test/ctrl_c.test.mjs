// Ctrl-C: the default ends the process at once; a handler of the program's is called, and may go on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, noneOpen, simulator } from "./helpers.mjs";

const config = simulator.providers("delay_ms=600000", { fast: "" });

/** Interrupts once so many requests have arrived. */
const interrupt = (count) => ({
  config,
  async signal(child) {
    await simulator.waitFor((stats) => stats.requests_open === count);
    child.kill("SIGINT");
  },
});

const CALLS = {
  chat: `await client.chat("Hello")`,
  stream: `await client.stream("Hello").text()`,
  invokeSync: `liter.invokeSync("", { prompt: "Hello" })`,
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`the default, ${name}`, async () => {
    const script = `
      const client = new liter.Client();
      await client.chat("Hello", { provider: "fast" });
      console.log("ready");
      ${call};
    `;
    await run(script, { ...interrupt(1), expect: "SIGINT" });
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
  const said = await run(script, interrupt(2));
  assert.equal(said, "ready\nAbortError,AbortError\nYou said: after\n");
  await simulator.waitFor(noneOpen);
});
