// Log records: to a function, to a console, by the environment; and what they never do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, logs } from "../src/index.js";
import { run, simulator, until } from "./helpers.mjs";

const client = new Client(simulator.config());
const CALLS = `
  const client = new liter.Client();
  await client.chat("my secret");
  await client.chat("my secret", { provider: "anthropic", model: "m" }).catch(() => {});
`;
const env = { ANTHROPIC_API_KEY: "" };

test("a function gets each record, by level", async () => {
  const records = [];
  logs((record) => records.push(record));
  await client.chat("my secret");
  await client.chat("my secret", { provider: "anthropic", model: "m" }).catch(() => {});
  await until(() => records.length === 2);
  assert.deepEqual(records.map(({ level, event, provider }) => [level, event, provider]), [
    ["info", "call", "openai"],
    ["error", "call", "anthropic"],
  ]);
  assert.doesNotMatch(JSON.stringify(records), /secret|sk-test/);

  const errors = [];
  logs((record) => errors.push(record), { level: "error" });
  await client.chat("Hello");
  await client.chat("Hello", { provider: "anthropic", model: "m" }).catch(() => {});
  await until(() => errors.length === 1);
  assert.deepEqual([errors[0].level, records.length], ["error", 2]);
  logs(null);
});

test("a console, or a logger like it, gets lines", async () => {
  const lines = [];
  const method = (level) => (line) => lines.push([level, line]);
  logs({ error: method("error"), warn: method("warn"), info: method("info"), debug: method("debug") });
  await client.chat("Hello");
  await until(() => lines.length === 1);
  const [[level, line]] = lines;
  assert.equal(level, "info");
  assert.match(line, /^liter_llm \{.*"event":"call"/);
  logs(null);
  assert.throws(() => logs("console"), { name: "TypeError", message: /a function, an object/ });
  assert.throws(() => logs(console, { level: "loud" }), { name: "TypeError", message: /level is one of/ });
});

test("the environment asks for them without code", async () => {
  const said = async (variables) => {
    const script = `
      process.stderr.write = (text) => { console.log(text.trimEnd()); return true };
      ${CALLS}
    `;
    const out = await run(script, { env: { ...env, ...variables } });
    assert.doesNotMatch(out, /secret/);
    return out.split("\n").filter(Boolean).map((line) => line.split(" {", 1)[0].replace(/\d+/, "PID"));
  };
  assert.deepEqual(await said({}), []);
  assert.deepEqual(await said({ LITER_LLM_LOG: "info" }), ["liter_llm", "liter_llm"]);
  assert.deepEqual(await said({ LITER_LLM_LOG: "error" }), ["liter_llm"]);
  assert.deepEqual(await said({ LITER_LLM_LOG: " Error\n" }), ["liter_llm"]);
  assert.deepEqual(await said({ LITER_LLM_LOG: "WARNING" }), ["liter_llm"]);
  assert.deepEqual(await said({ LITER_LLM_LOG: " " }), []);
  assert.deepEqual(await said({ LITER_LLM_LOG: " Off ", NODE_DEBUG: "liter_llm" }), []);
  assert.deepEqual(await said({ LITER_LLM_LOG: "off", NODE_DEBUG: "liter_llm" }), []);
  // Node's own writer goes past process.stderr.write: it is looked at from outside.
  const debug = await run(CALLS, { env: { ...env, NODE_DEBUG: "liter_llm" }, told: true });
  const lines = debug.trimEnd().split("\n");
  for (const line of lines) assert.match(line, /^LITER_LLM \d+: \{"/);
  const calls = lines.filter((line) => line.includes('"event":"call"'));
  assert.deepEqual([calls.length, lines.length > 2], [2, true]);
  assert.doesNotMatch(debug, /secret/);
  const wrong = run(CALLS, { env: { ...env, LITER_LLM_LOG: "loud" } });
  await assert.rejects(wrong, /LiterLLMWarning: LITER_LLM_LOG is one of error, warn, info, debug, off/);
});

test("what has come is written at the end, and nothing is kept alive", async () => {
  const script = (end) => `
    liter.logs((record) => console.log(record.level));
    const client = new liter.Client();
    await client.chat("Hello");
    client.stream("Hello"); // nobody reads it
    ${end}
  `;
  assert.match(await run(script("")), /^info\n/);
  assert.match(await run(script("process.exit(0)")), /^info\n/);
});

for (const [how, sink] of [
  ["throws", `() => { throw new Error("broken") }`],
  ["rejects", `async () => { throw new Error("broken") }`],
  ["has a method that rejects", `{ ...console, info: async () => { throw new Error("broken") } }`],
]) {
  test(`a sink that ${how} harms no call`, async () => {
    const out = await run(`
      const seen = [];
      process.on("warning", ({ name, message }) => seen.push(name + ": " + message));
      liter.logs(${sink});
      console.log((await new liter.Client().chat("Hello")).text);
      await new Promise(setImmediate);
      liter.logs(null);
      console.log(seen.join());
    `, { flags: ["--no-warnings"] });
    assert.equal(out, "You said: Hello\nLiterLLMWarning: a log record could not be written: broken\n");
  });
}

test("a worker's calls are in the records", async () => {
  const out = await run(`
    import { Worker } from "node:worker_threads";
    liter.logs((record) => console.log(record.event));
    const code = 'import(' + JSON.stringify(import.meta.resolve ? ${JSON.stringify(new URL("../src/index.js", import.meta.url).href)} : "") + ').then(({ Client }) => new Client().chat("Hello"))';
    await new Promise((resolve) => new Worker(code, { eval: true, execArgv: [] }).once("exit", resolve));
  `);
  assert.equal(out, "call\n");
});
