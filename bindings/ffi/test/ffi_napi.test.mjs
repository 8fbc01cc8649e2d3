// ffi-napi was asked for by name. These tests hold what docs/adr/0006 says of it: the original can
// not be installed; it and its fork work on the main thread, and take the process down where they
// are used in worker threads. One that fails here is good news: the page is to be written anew.
//
// Nothing is downloaded: the sources are npm's, the headers are those of the Node that runs this.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import {
  CHATTED,
  DEADLINE,
  FOREVER,
  run,
  runNode,
  runProgram,
  startSimulator,
} from "./support.mjs";

const ORIGINAL = "ffi-napi";
const FORK = "@2060.io/ffi-napi";

const modules = fileURLToPath(new URL("../node_modules", import.meta.url));
const nodedir = process.env.npm_config_nodedir ?? dirname(dirname(process.execPath));
const headers = join(nodedir, "include", "node", "uv.h");
const skip = existsSync(headers) ? false : `compiling needs ${headers}: set npm_config_nodedir`;
const timeout = 3 * DEADLINE;
let simulator;

before(async () => (simulator = await startSimulator()));
after(() => simulator.stop());

function compile(name) {
  const words = [
    join(modules, "node-gyp", "bin", "node-gyp.js"),
    "rebuild",
    `--nodedir=${nodedir}`,
  ];
  return run(process.execPath, words, { cwd: join(modules, name), timeout });
}

async function worksOnTheMainThread(name) {
  const configs = [simulator.config(), simulator.config(FOREVER)];
  const ended = await runProgram([process.execPath], { FFI: name }, "chat", ...configs);
  assert.deepEqual(ended, CHATTED);
}

async function endsTheProcess(name, how) {
  const ended = await runNode("libc_worker", name, how);
  assert.ok(crashed(ended), `did not crash: ${JSON.stringify(ended)}`);
  assert.match(ended.stdout, /^called$/m);
  assert.doesNotMatch(ended.stdout, /worker ended/);
  return ended;
}

// By a signal, or by its number where something between us and the program took it.
function crashed({ code, signal }) {
  return signal === "SIGSEGV" || signal === "SIGABRT" || code === 139 || code === 134;
}

test("ffi-napi: the trial load of its install script aborts", { timeout }, async () => {
  const script = join(modules, "node-gyp-build", "build-test.js");
  const ended = await run(process.execPath, [script], { cwd: join(modules, ORIGINAL) });
  assert.ok(crashed(ended), `did not crash: ${JSON.stringify(ended)}`);
  assert.match(ended.stderr, /uv_close: Assertion/);
});

test("ffi-napi: then its source does not compile", { timeout, skip }, async () => {
  const { code, stderr } = await compile(ORIGINAL);
  assert.equal(code, 1);
  assert.match(stderr, /error: invalid conversion from .*node_api_basic_env/);
});

test("ffi-napi: without its install script it works on the main thread", { timeout }, () =>
  worksOnTheMainThread(ORIGINAL),
);

test("ffi-napi: a worker that ends takes the process with it", { timeout }, () =>
  endsTheProcess(ORIGINAL, "alone"),
);

test("fork: compiles", { timeout, skip }, async () => {
  for (const name of [FORK.replace("ffi", "ref"), FORK]) {
    const { code, stderr } = await compile(name);
    assert.equal(code, 0, stderr);
  }
});

test("fork: works on the main thread", { timeout, skip }, () => worksOnTheMainThread(FORK));

test("fork: a worker that ends takes the process with it", { timeout, skip }, () =>
  endsTheProcess(FORK, "alone"),
);

test("fork: a worker lives where the main thread loads it too", { timeout, skip }, async () => {
  const ended = await runNode("libc_worker", FORK, "both");
  const stdout = "called\nworker ended with 0\n";
  assert.deepEqual(ended, { code: 0, signal: null, stdout, stderr: "" });
});

test("fork: but not when it is terminated inside a call", { timeout, skip }, async () => {
  const { stderr } = await endsTheProcess(FORK, "terminated");
  assert.match(stderr, /uv_loop_close\(\) while having open handles/);
});
