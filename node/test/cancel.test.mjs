// Cancelling: an AbortSignal, an early end of a loop and close end the request, socket included.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AbortError, Client } from "../src/index.js";
import { noneOpen, simulator, times, until } from "./helpers.mjs";

const quick = new Client(simulator.config());
const held = new Client(simulator.config("delay_ms=60000"));
const endless = new Client(simulator.config("chunks=100000,interval_ms=5"));

test("an AbortSignal", async () => {
  const controller = new AbortController();
  const call = held.chat("Hello", { signal: controller.signal });
  await simulator.waitFor((stats) => stats.requests_open === 1);
  controller.abort();
  await assert.rejects(call, (error) => {
    assert.equal(error, controller.signal.reason);
    assert.equal(error.name, "AbortError");
    return true;
  });
  await simulator.waitFor(noneOpen);
  await until(() => held.metrics().in_flight === 0);
});

test("the signal's own reason", async () => {
  const reason = new RangeError("no more");
  const controller = new AbortController();
  const call = held.chat("Hello", { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(call, (error) => error === reason);
  await assert.rejects(held.chat("Hello", { signal: AbortSignal.timeout(20) }), {
    name: "TimeoutError",
  });
});

test("a signal that was aborted before", async () => {
  const fresh = new Client(simulator.config());
  const signal = AbortSignal.abort(new RangeError("before"));
  await assert.rejects(fresh.chat("Hello", { signal }), RangeError);
  const stream = fresh.stream("Hello", { signal });
  await assert.rejects(stream.next(), RangeError);
  await assert.rejects(stream.result(), RangeError);
  assert.deepEqual(fresh.metrics(), { in_flight: 0, providers: {}, targets: [] });
});

test("a signal that aborts after the answer does nothing", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  assert.equal((await quick.chat("Hello", { signal })).text, "You said: Hello");
  const stream = quick.stream("Hello", { signal });
  assert.equal(await stream.text(), "You said: Hello");
  controller.abort();
  assert.equal((await stream.result()).text, "You said: Hello");
});

test("a stream's signal", async () => {
  const controller = new AbortController();
  const stream = endless.stream("Hello", { signal: controller.signal });
  await stream.next();
  const waiting = (async () => {
    for await (const chunk of stream) assert.ok(chunk);
  })();
  controller.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  assert.equal((await stream.next()).done, true);
  await simulator.waitFor(noneOpen);
});

test("one signal for 10,000 calls", async () => {
  const warnings = [];
  process.on("warning", (warning) => warnings.push(warning));
  const controller = new AbortController();
  const { signal } = controller;
  const calls = Array.from({ length: 10_000 }, (_, n) =>
    held.chat(`n${n}`, { signal, timeout_ms: 120_000 }),
  );
  const ended = Promise.allSettled(calls);
  await until(() => held.metrics().in_flight, (count) => count === 10_000);
  controller.abort();
  assert.ok((await ended).every(({ reason }) => reason === signal.reason));
  await until(() => held.metrics().in_flight === 0);
  await simulator.waitFor(noneOpen);
  assert.deepEqual(warnings, []);
});

test("a cancel storm while memory is collected", async () => {
  const client = new Client(simulator.config("delay_ms=2"));
  for (let n = 0; n < times(); n++) {
    const controllers = Array.from({ length: 50 }, () => new AbortController());
    const calls = controllers.map(({ signal }, i) => client.chat(`${i}`, { signal }));
    const streams = controllers.map(({ signal }, i) => client.stream(`${i}`, { signal }));
    const texts = [...calls, ...streams].map(async (one) => (await (one.result?.() ?? one)).text);
    for (let turn = 0; turn < n % 8; turn++) await new Promise(setImmediate);
    if (n % 3 === 0) await Promise.race(texts);
    if (n % 2 === 0) gc();
    for (const [i, controller] of controllers.entries()) if (i % 2 === 0) controller.abort();
    for (const [i, result] of (await Promise.allSettled(texts)).entries()) {
      if (result.status === "fulfilled") assert.equal(result.value, `You said: ${i % 50}`);
      else assert.deepEqual([result.reason.name, i % 2], ["AbortError", 0]);
    }
  }
  await simulator.waitFor(noneOpen);
  assert.equal((await client.chat("after")).text, "You said: after");
});

test("closing a client ends what runs", async () => {
  const client = new Client(simulator.config("delay_ms=60000"));
  const calls = [client.chat("one"), client.chat("two"), client.stream("three").result()];
  await simulator.waitFor((stats) => stats.requests_open === 3);
  await client.close();
  for (const { reason } of await Promise.allSettled(calls)) {
    assert.ok(reason instanceof AbortError);
    assert.equal(reason.kind, "cancelled");
  }
  await simulator.waitFor(noneOpen);
});
