// Several event loops: workers that come and go, each with a queue of its own.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { Client } from "../src/index.js";
import { PACKAGE, noneOpen, openFiles, simulator, times, until } from "./helpers.mjs";

/** A worker that runs an async function's body; `liter` and `data` are there. What it posts. */
export function worker(body, data) {
  const script = `
    const { parentPort, workerData: data } = require("node:worker_threads");
    import(${JSON.stringify(PACKAGE)}).then(async (liter) => { ${body} });
  `;
  return new Worker(script, { eval: true, workerData: data });
}

const WORK = `
  const client = new liter.Client(data.config);
  for (let round = 0; round < 5; round++) {
    const names = Array.from({ length: 20 }, (_, n) => data.name + "." + n);
    const texts = await Promise.all([
      ...names.map(async (name) => (await client.chat(name)).text),
      ...names.map((name) => client.stream(name).text()),
    ]);
    for (const [n, text] of texts.entries()) {
      if (text !== "You said: " + names[n % 20]) throw new Error(text);
    }
    const controller = new AbortController();
    const late = client.chat("late", { signal: controller.signal });
    controller.abort();
    await late.then(() => { throw new Error("not aborted") }, () => {});
    for await (const chunk of client.stream("left")) break;
  }
  parentPort.postMessage(data.name);
`;

test("eight workers and the main thread at once", async () => {
  const config = simulator.config();
  const workers = Array.from({ length: 8 }, (_, n) => worker(WORK, { config, name: `w${n}` }));
  const client = new Client(config);
  const own = Array.from({ length: 200 }, (_, n) => client.chat(`${n}`));
  const names = await Promise.all(workers.map(async (one) => (await once(one, "message"))[0]));
  assert.deepEqual(names.sort(), workers.map((_, n) => `w${n}`));
  for (const [n, { text }] of (await Promise.all(own)).entries()) {
    assert.equal(text, `You said: ${n}`);
  }
  await simulator.waitFor(noneOpen);
});

test("a flood of chunks leaves the loop its turns", async () => {
  const client = new Client(simulator.config("bytes=16000000,chunks=4000"));
  let inTurn = 0;
  let most = 0;
  const turn = () => {
    inTurn = 0;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  const read = async () => {
    for await (const { text } of client.stream("Hello")) {
      inTurn += text.length;
      most = Math.max(most, inTurn);
    }
  };
  await Promise.all(Array.from({ length: 8 }, read));
  clearImmediate(next);
  // What is delivered in a turn, and what streams had kept.
  assert.ok(most < 16 << 20, `${most} bytes`);
});

test("workers one after the other", async () => {
  const config = simulator.config();
  const one = async (name) => {
    const thread = worker(WORK, { config, name });
    const [[message], [code]] = await Promise.all([once(thread, "message"), once(thread, "exit")]);
    assert.deepEqual([message, code], [name, 0]); // it ended by itself
  };
  await one("first");
  const before = openFiles();
  for (let n = 0; n < times(); n++) await one(`w${n}`);
  await until(openFiles, (count) => count <= before + 10); // the engine closes on threads of its own
});
