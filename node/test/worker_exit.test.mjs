// Workers that are ended while calls and streams are in flight: the process goes on.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { PACKAGE, flat, noneOpen, openFiles, run, simulator, times, until } from "./helpers.mjs";

const config = simulator.providers("", {
  slow: "delay_ms=60000",
  chunks: "chunks=100000,interval_ms=1",
  burst: "bytes=4000000,chunks=2000",
});

const BUSY = `
  const { parentPort, workerData: config } = require("node:worker_threads");
  import(${JSON.stringify(PACKAGE)}).then(async (liter) => {
    const client = new liter.Client(config);
    globalThis.streams = [];
    const forever = async (call) => { for (;;) await call(); };
    for (let n = 0; n < 2; n++) {
      forever(() => client.chat("Hello"));
      forever(() => client.chat("Hello", { provider: "slow" }));
      forever(async () => { for await (const _ of client.stream("x", { provider: "chunks" })); });
      forever(() => client.stream("x", { provider: "burst" }).text());
      streams.push(client.stream("unread", { provider: "burst" }));
    }
    await client.chat("Hello");
    parentPort.postMessage("busy");
    ENDING
  });
`;

const busy = (ending = "") =>
  new Worker(BUSY.replace("ENDING", ending), { eval: true, workerData: config });

test("worker.terminate", async () => {
  const one = async () => {
    const worker = busy();
    await once(worker, "message");
    assert.equal(await worker.terminate(), 1);
  };
  for (let n = 0; n < 3; n++) await one();
  const before = openFiles();
  for (let n = 0; n < times(30); n++) await one();
  await simulator.waitFor(noneOpen);
  await until(openFiles, (count) => count <= before + 10);
});

test("worker.terminate at once, and at every moment of the start", async () => {
  for (let n = 0; n < times(30); n++) {
    const worker = busy();
    if (n % 2 === 0) await once(worker, "online");
    for (let turn = 0; turn < n; turn++) await new Promise(setImmediate);
    await worker.terminate();
  }
  await simulator.waitFor(noneOpen);
});

for (const [name, ending, code] of [
  ["process.exit inside a worker", "process.exit(3)", 3],
  ["an uncaught exception", "setImmediate(() => { throw new Error('on purpose') })", 1],
]) {
  test(name, async () => {
    for (let n = 0; n < times(10); n++) {
      const worker = busy(ending);
      worker.on("error", (error) => assert.equal(error.message, "on purpose"));
      assert.equal(await new Promise((resolve) => worker.on("exit", resolve)), code);
    }
    await simulator.waitFor(noneOpen);
  });
}

test("several at once", async () => {
  for (let n = 0; n < times(2); n++) {
    const workers = Array.from({ length: 6 }, () => busy());
    await Promise.all(workers.map((worker) => once(worker, "message")));
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  await simulator.waitFor(noneOpen);
});

test("a worker that was the only one to load the addon", async () => {
  // Node unloads an addon with its last environment; the library's threads go on.
  const script = `
    import { Worker } from "node:worker_threads";
    import { once } from "node:events";
    const data = ${JSON.stringify(config)};
    for (let n = 0; n < ${times(5)}; n++) {
      const code = ${JSON.stringify(BUSY.replace("ENDING", ""))};
      const worker = new Worker(code, { eval: true, execArgv: [], workerData: data });
      await once(worker, "message");
      await worker.terminate();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    console.log("alive");
  `;
  assert.equal(await run(script, { load: false }), "alive\n");
});

test("worker.terminate waits for a synchronous call, as README.md says", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const openai = { base_url: `http://127.0.0.1:${server.address().port}/v1`, api_key: "sk-test" };
  const env = { ...process.env, LITER_LLM_CONFIG: JSON.stringify({ providers: { openai }, retry: false }) };
  const request = `{ prompt: "Hello", model: "m" }`;
  const code = `import(${JSON.stringify(PACKAGE)}).then(({ invokeSync }) => invokeSync("openai", ${request}))`;
  const worker = new Worker(code, { eval: true, env });
  const [, response] = await once(server, "request");
  let ended = false;
  const end = worker.terminate().then(() => (ended = true));
  for (let n = 0; n < 50; n++) await simulator.stats(); // a worker that could end would have ended
  assert.equal(ended, false);
  response.end("{}");
  await end;
  server.close();
});

test("memory stays flat", async () => {
  const idle = async () => {
    const worker = busy("process.exit(0)");
    await once(worker, "exit");
  };
  await flat(idle, times(10));
});
