// The process's end with work in flight: at once, with its status, without a word on stderr.
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, simulator, times } from "./helpers.mjs";

/** The default never answers; `fast` does at once; `chunks` streams for long. */
const config = simulator.providers("delay_ms=600000", {
  fast: "",
  chunks: "chunks=6000,interval_ms=20",
});

const SETUP = `
  const client = new liter.Client();
  const fast = { provider: "fast" }, chunks = { provider: "chunks" };
  await client.chat("warm", fast);
  const forever = async (call) => { for (;;) await call(); };
  function begin() {
    for (let n = 0; n < 4; n++) {
      client.chat("Hello").catch(() => {});
      forever(() => client.chat("Hello", fast));
      forever(() => client.stream("Hello", chunks).text());
      globalThis["unread" + n] = client.stream("Hello", chunks);
    }
  }
`;

const SCRIPTS = {
  "nothing but an import": ["", 0],
  "an idle client": [SETUP, 0],
  "a stream that is dropped": [`${SETUP} await client.stream("x", chunks).next()`, 0],
  "a stream that is kept and not awaited": [`${SETUP} globalThis.kept = client.stream("x", chunks); await kept.next()`, 0],
  "process.exit in the middle": [`${SETUP} begin(); setTimeout(() => process.exit(5), 5)`, 5],
  "process.exit at once": [`${SETUP} begin(); process.exit(5)`, 5],
  "process.exit in a step of a stream": [
    `${SETUP} begin(); for await (const _ of client.stream("x", chunks)) process.exit(5)`,
    5,
  ],
  "process.exit while workers are busy": [
    `${SETUP} begin();
    const { Worker } = await import("node:worker_threads");
    const code = "import(process.env.PACKAGE).then(async (liter) => {" +
      "const client = new liter.Client(); for (;;) await client.chat('x', { provider: 'fast' }) })";
    new Worker(code, { eval: true, execArgv: [] });
    new Worker(code, { eval: true, execArgv: [] });
    setTimeout(() => process.exit(5), 100)`,
    5,
  ],
  "a call in an exit handler": [
    `${SETUP} begin(); process.on("exit", () => { client.chat("x", fast); client.stream("x"); gc() })
    process.exit(5)`,
    5,
  ],
};

for (const [name, [script, expect]] of Object.entries(SCRIPTS)) {
  test(name, async () => {
    const env = { PACKAGE: new URL("../src/index.js", import.meta.url).href };
    for (let n = 0; n < times(name.startsWith("process.exit") ? 20 : 5); n++) {
      await run(script, { config, expect, env, flags: ["--expose-gc"] });
    }
  });
}

test("an uncaught exception", async () => {
  const script = `${SETUP} begin(); setTimeout(() => { throw new Error("on purpose") }, 5)`;
  for (let n = 0; n < times(); n++) await run(script, { config, expect: 1, stderr: true });
});

test("a rejection that nobody handles", async () => {
  const script = `${SETUP} begin(); client.chat([])`;
  await run(script, { config, expect: 1, stderr: true });
});

test("an awaited call keeps the process", async () => {
  const slow = simulator.config("delay_ms=300");
  const script = `
    new liter.Client().chat("Hello").then(({ text }) => console.log(text));
    new liter.Client().stream("Hello").result().then(({ text }) => console.log(text));
  `;
  assert.equal(await run(script, { config: slow }), "You said: Hello\n".repeat(2));
});
