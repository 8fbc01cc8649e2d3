// Processes that end with a client open, and with requests in flight.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DEADLINE, FOREVER, runNode, startSimulator } from "./support.mjs";

const timeout = 2 * DEADLINE;
let simulator;

before(async () => (simulator = await startSimulator()));
after(() => simulator.stop());

test("exit: an idle client that nobody closed keeps no process alive", { timeout }, async () => {
  const ended = await runNode("exit", simulator.config(), "idle");
  assert.deepEqual(ended, { code: 0, signal: null, stdout: "You said: x\n", stderr: "" });
});

test("exit: process.exit in flight", { timeout }, async () => {
  const ended = await runNode("exit", simulator.config(FOREVER), "exit");
  assert.deepEqual(ended, { code: 7, signal: null, stdout: "", stderr: "" });
});

test("exit: an uncaught exception in flight", { timeout }, async () => {
  const { code, signal, stderr } = await runNode("exit", simulator.config(FOREVER), "throw");
  assert.deepEqual({ code, signal }, { code: 1, signal: null });
  assert.match(stderr, /thrown on purpose/);
});

test("ctrl_c: SIGINT in flight ends the process by it", { timeout }, async () => {
  const { code, signal } = await runNode("exit", simulator.config(FOREVER), "kill");
  assert.deepEqual({ code, signal }, { code: null, signal: "SIGINT" });
});
