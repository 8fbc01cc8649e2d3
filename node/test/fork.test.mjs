// Child processes while work is in flight. (A bare fork() cannot happen in Node: fork and cluster start
// a program anew. What a forked child finds is tested with C and Python.)
import assert from "node:assert/strict";
import { execFileSync, fork } from "node:child_process";
import cluster from "node:cluster";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Client } from "../src/index.js";

const config = process.env.LITER_LLM_FORK_CONFIG;
if (config !== undefined) {
  const answer = await new Client(config).chat(`from ${process.pid}`);
  process.send({ pid: process.pid, text: answer.text }, () => process.disconnect());
} else {
  const { test } = await import("node:test");
  const { simulator, noneOpen } = await import("./helpers.mjs");
  const file = fileURLToPath(import.meta.url);
  const env = { ...process.env, LITER_LLM_FORK_CONFIG: JSON.stringify(simulator.config()) };
  const client = new Client(simulator.config("delay_ms=300"));

  const check = async (child) => {
    const exit = once(child, "exit");
    const [{ pid, text }] = await once(child, "message");
    assert.equal(text, `You said: from ${pid}`);
    assert.deepEqual(await exit, [0, null]);
  };

  test("child_process.fork", async () => {
    const calls = Array.from({ length: 20 }, (_, n) => client.chat(`${n}`));
    await Promise.all(Array.from({ length: 3 }, () => check(fork(file, { env, execArgv: [] }))));
    for (const [n, call] of calls.entries()) assert.equal((await call).text, `You said: ${n}`);
  });

  test("cluster", async () => {
    cluster.setupPrimary({ exec: file, execArgv: [] });
    const calls = Array.from({ length: 20 }, (_, n) => client.chat(`${n}`));
    await Promise.all(Array.from({ length: 3 }, () => check(cluster.fork(env))));
    for (const [n, call] of calls.entries()) assert.equal((await call).text, `You said: ${n}`);
  });

  test("a program that is run while calls are in flight", async () => {
    const calls = Array.from({ length: 20 }, (_, n) => client.chat(`${n}`));
    for (let n = 0; n < 10; n++) assert.equal(`${execFileSync("echo", ["x"])}`, "x\n");
    for (const [n, call] of calls.entries()) assert.equal((await call).text, `You said: ${n}`);
    await simulator.waitFor(noneOpen);
  });
}
