// After close(): every call says so, what runs ends, and closing again is harmless.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AbortError, Client } from "../src/index.js";
import { noneOpen, run, simulator } from "./helpers.mjs";

test("calls", async () => {
  const client = new Client(simulator.config());
  const view = client.withOptions({ timeout_ms: 1000 });
  await client.chat("Hello");
  assert.equal(client.closed, false);
  await client.close();
  await client.close();
  await view.close({ graceMs: 500 });
  assert.ok(client.closed && view.closed);
  for (const one of [client, view]) {
    await assert.rejects(one.chat("Hello"), { name: "AbortError", message: /closed/ });
    assert.throws(() => one.stream("Hello"), AbortError);
  }
  assert.equal(client.metrics().in_flight, 0);
});

test("disposal closes", async () => {
  const client = new Client(simulator.config());
  await client[Symbol.asyncDispose]();
  assert.ok(client.closed);
});

test("grace", async () => {
  const patient = new Client(simulator.config("delay_ms=200"));
  const call = patient.chat("Hello");
  const stream = patient.stream("Hello").text();
  const closing = patient.close({ graceMs: 30_000 });
  await assert.rejects(patient.chat("late"), AbortError);
  assert.throws(() => patient.stream("late"), AbortError);
  await closing;
  assert.equal((await call).text, "You said: Hello");
  assert.equal(await stream, "You said: Hello");

  const short = new Client(simulator.config("delay_ms=60000"));
  const cancelled = short.chat("Hello");
  await short.close({ graceMs: 20 });
  await assert.rejects(cancelled, AbortError);
  await simulator.waitFor(noneOpen);
});

test("a stream that nobody reads", async () => {
  // Its task waits for room in the queue; the close must reach it there.
  const client = new Client(simulator.config("bytes=8000000,chunks=1000"));
  const stream = client.stream("Hello");
  await stream.next();
  await client.close();
  await simulator.waitFor(noneOpen);
  await assert.rejects(stream.result(), AbortError);
});

test("an awaited grace keeps the process, then lets it go", async () => {
  const config = simulator.config("delay_ms=60000");
  const script = `
    const client = new liter.Client();
    client.chat("Hello").catch((error) => console.log(error.name));
    await client.close({ graceMs: 50 });
    console.log("closed");
  `;
  const said = (await run(script, { config })).trim().split("\n").sort();
  assert.deepEqual(said, ["AbortError", "closed"]);
});
