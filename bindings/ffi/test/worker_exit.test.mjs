// worker_threads: a queue each, and workers that end while a request of theirs is in flight.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Worker } from "node:worker_threads";
import { Client, freeQueue } from "../client.mjs";
import { open } from "../koffi.mjs";
import { DEADLINE, FOREVER, runNode, startSimulator, until } from "./support.mjs";

const ffi = open();
const timeout = DEADLINE;
let simulator;

before(async () => (simulator = await startSimulator()));
after(() => simulator.stop());

function start(workerData) {
  return new Worker(new URL("programs/worker.mjs", import.meta.url), { workerData });
}

async function answers(workerData) {
  const worker = start(workerData);
  const exit = once(worker, "exit");
  const [{ texts, streamed }] = await once(worker, "message");
  const expected = workerData.prompts.map((prompt) => `You said: ${prompt}`);
  assert.deepEqual(texts, expected);
  assert.equal(streamed, expected[0]);
  assert.deepEqual(await exit, [0]);
}

const prompts = (worker) => Array.from({ length: 50 }, (_, n) => `worker ${worker} asks ${n}`);

test("workers: a queue each over one client", { timeout }, async () => {
  const client = new Client(ffi, simulator.config());
  const { handle } = client;
  await Promise.all([0, 1, 2, 3, 4, 5].map((n) => answers({ handle, prompts: prompts(n) })));
  assert.equal(client.metrics().providers.openai.calls, 6 * 51);
  await client.close();
});

test("workers: a client each", { timeout }, async () => {
  const config = simulator.config();
  await Promise.all([0, 1, 2].map((n) => answers({ config, prompts: prompts(n) })));
});

test("worker_exit: terminate in flight; its queue is freed from outside", { timeout }, async () => {
  const client = new Client(ffi, simulator.config(FOREVER));
  for (let round = 0; round < 5; round++) {
    const worker = start({ handle: client.handle, leave: "terminate" });
    const [{ queue }] = await once(worker, "message");
    await until("its request", () => client.metrics().in_flight === 1);
    assert.equal(await worker.terminate(), 1);
    assert.equal(client.metrics().in_flight, 1);
    freeQueue(ffi, queue);
    await until("the end of its request", () => client.metrics().in_flight === 0);
  }
  await client.close(0);
});

test("worker_exit: process.exit in a worker ends only the worker", { timeout }, async () => {
  const worker = start({ config: simulator.config(FOREVER), leave: "exit" });
  assert.deepEqual(await once(worker, "exit"), [3]);
  const client = new Client(ffi, simulator.config());
  const answer = await client.chat({ model: "openai/x", prompt: "still here" });
  assert.equal(answer.choices[0].message.content, "You said: still here");
  await client.close();
});

// Where ffi-napi takes the process down: see ffi_napi.test.mjs.
test("worker_exit: where only workers load the library", { timeout }, async () => {
  const lived = await runNode("worker_only", simulator.config(), ["a"]);
  const answered = "You said: a 0\n".repeat(3);
  assert.deepEqual(lived, { code: 0, signal: null, stdout: answered, stderr: "" });
  const ended = await runNode("worker_only", simulator.config(FOREVER), null);
  const left = "in flight 1\n".repeat(3);
  assert.deepEqual(ended, { code: 0, signal: null, stdout: left, stderr: "" });
});
