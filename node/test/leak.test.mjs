// Memory, handles and descriptors stay flat, however many requests come, go and are left.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../src/index.js";
import { collect, flat, run, simulator, times } from "./helpers.mjs";

test("calls", async () => {
  const client = new Client(simulator.config());
  await flat(async () => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => client.chat(`${n}`)));
  }, times());
});

test("streams that are left, closed and forgotten", async () => {
  const client = new Client(simulator.config("chunks=1000,interval_ms=1"));
  const leave = async () => {
    for await (const chunk of client.stream("Hello")) {
      assert.ok(chunk);
      break;
    }
    const closed = client.stream("Hello");
    await closed.next();
    closed.close();
    await client.stream("Hello").next();
  };
  await flat(() => Promise.all(Array.from({ length: 20 }, leave)).then(collect), times() / 2);
});

test("aborted calls, and one signal for all", async () => {
  const client = new Client(simulator.config("delay_ms=60000"));
  const { signal: lasting } = new AbortController();
  await flat(async () => {
    const controller = new AbortController();
    const calls = Array.from({ length: 50 }, () => client.chat("x", { signal: controller.signal }));
    await new Promise(setImmediate);
    controller.abort();
    await Promise.allSettled(calls);
    const fast = client.withOptions({ timeout_ms: 1 });
    await Promise.allSettled(Array.from({ length: 5 }, () => fast.chat("x", { signal: lasting })));
  }, times());
});

test("clients", async () => {
  await flat(async () => {
    for (let n = 0; n < 5; n++) {
      const client = new Client(simulator.config());
      await client.withOptions({ timeout_ms: 10_000 }).chat("Hello");
      if (n % 2) await client.close();
    }
    await collect();
  }, times());
});

test("large answers", async () => {
  const client = new Client(simulator.config("bytes=3000000"));
  await flat(() => client.chat("Hello").then(collect), Math.max(4, times() / 4));
});

test("errors", async () => {
  const client = new Client(simulator.config());
  await flat(async () => {
    const calls = Array.from({ length: 100 }, () => client.chat([]));
    await Promise.allSettled(calls);
  }, times());
});

test("no handle is left active", async () => {
  const script = `
    const client = new liter.Client();
    await client.chat("Hello");
    await client.stream("Hello").result();
    await client.stream("Hello").next();
    console.log(process.getActiveResourcesInfo().length);
  `;
  assert.equal(await run(script), "0\n");
});
