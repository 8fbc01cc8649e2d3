// The environment is read once, with a client: any thread may change it at any time.
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import { AuthenticationError, Client } from "../src/index.js";
import { run, simulator } from "./helpers.mjs";

function withKey(key) {
  const config = simulator.config();
  config.providers.openai.api_key = key;
  return config;
}

test("a key is that of the client's making", async () => {
  const config = withKey("env:LITER_TEST_KEY");
  process.env.LITER_TEST_KEY = "sk-test";
  const early = new Client(config);
  delete process.env.LITER_TEST_KEY;
  assert.ok((await early.chat("Hello")).text);
  const between = new Client(config);
  process.env.LITER_TEST_KEY = "sk-test"; // too late for this client
  await assert.rejects(between.chat("Hello"), (error) => {
    return error instanceof AuthenticationError && /LITER_TEST_KEY/.test(error.message);
  });
  assert.ok((await new Client(config).chat("Hello")).text);
  delete process.env.LITER_TEST_KEY;
});

test("neither a client nor an error shows keys or the environment", () => {
  process.env.LITER_TEST_CANARY = "sk-canary";
  const client = new Client(withKey("sk-canary"));
  const wrong = { providers: { openai: { api_key: "sk-canary", no: 1 } } };
  let thrown;
  assert.throws(() => new Client(wrong), (error) => Boolean((thrown = error)));
  for (const value of [client, client.withOptions({ timeout_ms: 1 }), thrown]) {
    const shown = inspect(value, { depth: 9, showHidden: true }) + JSON.stringify(value);
    assert.doesNotMatch(shown, /canary/);
  }
  delete process.env.LITER_TEST_CANARY;
});

test("assignments beside clients and calls in workers", async () => {
  const out = await run(`
    import { Worker } from "node:worker_threads";
    const until = Date.now() + 3000;
    const work = \`
      const { parentPort, workerData } = require("node:worker_threads");
      import(workerData.package).then(async ({ Client }) => {
        const shared = new Client();
        let answered = 0;
        while (Date.now() < workerData.until) {
          // Mostly clients: they are what would read.
          for (let made = 0; made < 20; made++) new Client({}).close();
          await Promise.all([shared.chat("Hello"), shared.stream("Hello").text()]);
          answered++;
        }
        parentPort.postMessage(answered);
      });
    \`;
    const workers = [0, 1, 2].map(() => new Worker(work, {
      eval: true,
      execArgv: [], // not those of this script
      workerData: { until, package: ${JSON.stringify(new URL("../src/index.js", import.meta.url).href)} },
    }));
    const ends = workers.map((worker) => new Promise((resolve, reject) => {
      worker.once("message", resolve).once("error", reject);
    }));
    const all = Promise.all(ends);
    let rounds = 0;
    while (Date.now() < until) {
      for (let number = 0; number < 8000; number++) {
        if (rounds % 2) delete process.env["LITER_STORM_" + number];
        else process.env["LITER_STORM_" + number] = "a value that is long enough to be moved";
      }
      rounds++;
    }
    const answered = await all;
    console.log(answered.every((count) => count > 0));
  `);
  assert.equal(out, "true\n");
});
