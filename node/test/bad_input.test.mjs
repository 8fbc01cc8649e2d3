// Wrong input of every kind: the right error and a message that helps, never a crash.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { inspect } from "node:util";
import * as liter from "../src/index.js";
import { run, simulator } from "./helpers.mjs";

const { BadRequestError, Client } = liter;
const client = new Client(simulator.config());

const bytes = (text) => Buffer.from(text, "latin1");

function nested(depth) {
  let value = "x";
  for (let n = 0; n < depth; n++) value = [value];
  return value;
}

const circle = {};
circle.metadata = circle;

const REQUESTS = {
  "not JSON": [bytes("{nope"), /not valid JSON/],
  "cut off": [bytes('{"prompt":"secret'), /not valid JSON/],
  "invalid UTF-8": [bytes('{"prompt":"secret\xff"}'), /not UTF-8/],
  "a NUL byte": [bytes('{"prompt":"a\0b"}'), /not valid JSON/],
  "a NUL byte behind": [bytes('{"prompt":"x"}\0'), /not valid JSON/],
  empty: [bytes(""), /empty/],
  "white space": [bytes(" \n"), /empty/],
  "a list": [bytes("[]"), /object/],
  null: [bytes("null"), /object/],
  "too deep": [bytes(`{"prompt":"x","metadata":${'{"a":'.repeat(10_000)}1${"}".repeat(10_001)}`), /deeper/],
  "no prompt": [bytes("{}"), /messages is missing/],
  "nothing at all": [undefined, /messages is missing/],
  "an empty object": [{}, /messages is missing/],
  "no messages": [[], /messages is empty/],
  "a number as a prompt": [{ prompt: 7 }, /prompt must be a string/],
  "a number as messages": [{ messages: 7 }, /messages must be a list/],
  "an unknown role": [[{ role: "boss", content: "secret" }], /role must be one of/],
  "prompt and messages": [{ prompt: "x", messages: [] }, /exclude each other/],
  "a text as max_tokens": [{ prompt: "x", max_tokens: "9" }, /max_tokens must be a number/],
  "no tokens": [{ prompt: "x", max_tokens: 0 }, /at least 1/],
  "deep JavaScript": [{ prompt: "x", metadata: { a: nested(1000) } }, /deeper/],
  "deeper JavaScript": [{ prompt: "x", metadata: { a: nested(5_000) } }, /JSON|deeper/],
  "very deep JavaScript": [{ prompt: "x", metadata: { a: nested(100_000) } }, /JSON|deeper/],
  NaN: [{ prompt: "x", temperature: NaN }, /temperature is NaN/],
  Infinity: [{ prompt: "x", top_p: -Infinity }, /top_p is -Infinity/],
  "a function": [{ prompt: "x", max_tokens: () => 5 }, /max_tokens is a function, which JSON cannot say/],
  "a symbol": [{ prompt: "x", user: Symbol("secret") }, /user is a symbol/],
  "a BigInt": [{ prompt: "x", seed: 5n }, /BigInt/],
  "a circle": [{ prompt: "x", metadata: circle }, /circular/],
  "toJSON that throws": [{ prompt: "x", user: { toJSON: () => assert.fail("no") } }, /JSON/],
  "wrong options": [{ prompt: "x", options: { timeout_ms: "1" } }, /timeout_ms/],
  "an unknown option": [{ prompt: "x", options: { colour: 1 } }, /colour/],
};

for (const [name, [request, message]] of Object.entries(REQUESTS)) {
  test(`a request: ${name}`, async () => {
    const { requests } = await simulator.stats();
    const stream = async () => client.stream(request).text();
    await assert.rejects(stream(), { name: "BadRequestError", message });
    await assert.rejects(client.chat(request), (error) => {
      assert.ok(error instanceof BadRequestError);
      assert.match(error.message, message);
      assert.doesNotMatch(inspect(error) + JSON.stringify(error.document), /secret/);
      assert.deepEqual([error.kind, error.retryable], ["invalid_request", false]);
      return true;
    });
    assert.equal((await simulator.stats()).requests, requests);
  });
}

test("wrong types of arguments", async () => {
  for (const request of [7, true, 5n, Symbol("x"), () => {}]) {
    await assert.rejects(client.chat(request), { name: "TypeError", message: /a request is/ });
    assert.throws(() => client.stream(request), TypeError);
  }
  await assert.rejects(client.chat("x", "model"), { name: "TypeError", message: /last argument/ });
  await assert.rejects(client.chat("x", { signal: {} }), /not an AbortSignal/);
  await assert.rejects(client.chat("x", { options: "fast" }), /options/);
  await assert.rejects(client.chat(bytes("{}"), { model: "x" }), /given as bytes/);
  assert.throws(() => client.withOptions({ colour: 1 }), /colour is not an option/);
  assert.throws(() => new Client(simulator.config(), { colour: 1 }), /not an option/);
  assert.throws(() => new Client(7), /a configuration is/);
  assert.throws(() => new Client([]), /type array/);
  await assert.rejects(liter.generate(7), { name: "TypeError" });
  await assert.rejects(client.close({ graceMs: "soon" }), /graceMs/);
});

test("an option with a word that nobody knows", async () => {
  await assert.rejects(client.chat("x", { cache: { mode: "on" } }), {
    name: "BadRequestError",
    message: /options\.cache\.mode/,
  });
});

const CONFIGS = [
  ["{", /not valid JSON/],
  ["", /empty/],
  ["[]", /object/],
  [bytes("\xff"), /UTF-8/],
  [{ colour: 1 }, /colour/],
  [{ providers: { openai: { base_url: "nowhere" } } }, /base_url/],
  [{ providers: { mine: { kind: "strange" } } }, /kind/],
  [{ max_in_flight: 0 }, /max_in_flight/],
  [{ max_in_flight: 5n }, /configuration/],
];

for (const [config, message] of CONFIGS) {
  test(`a configuration: ${inspect(config)}`, () => {
    assert.throws(() => new Client(config), { name: "BadRequestError", message });
  });
}

test("a missing configuration file", () => {
  assert.throws(() => new Client(new URL("file:///nowhere.json")), { code: "ENOENT" });
});

test("an unknown provider", async () => {
  await assert.rejects(client.chat("x", { provider: "nobody" }), {
    name: "NotFoundError",
    message: /known: .*openai/,
  });
  await assert.rejects(client.chat("x", { provider: "a\0b" }), liter.NotFoundError);
});

test("a missing key, an unreadable environment", async () => {
  const config = simulator.config();
  delete config.providers.openai.api_key;
  const script = `await liter.generate("x").catch((error) => console.log(error.name, error.message))`;
  const env = { OPENAI_API_KEY: undefined };
  assert.match(await run(script, { config, env }), /^AuthenticationError.*OPENAI_API_KEY/);
  const nowhere = { env: { LITER_LLM_CONFIG: "/nowhere.json" } };
  assert.match(await run(script + "\n" + script, nowhere), /^(BadRequestError.*LITER_LLM_CONFIG.*\n){2}$/);
});

test("max_in_flight", async () => {
  const config = { ...simulator.config("delay_ms=60000"), max_in_flight: 2 };
  const small = new Client(config);
  const calls = [small.chat("one"), small.chat("two")];
  await simulator.waitFor((stats) => stats.requests_open === 2);
  await assert.rejects(small.chat("three"), { name: "RateLimitError", retryable: true });
  await small.close();
  await Promise.allSettled(calls);
});

test("a refused connection", async () => {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  const provider = { base_url: `http://127.0.0.1:${port}/v1`, api_key: "sk-secret" };
  const nobody = new Client({ providers: { openai: provider }, retry: false });
  await assert.rejects(nobody.chat("x", { model: "openai/gpt-5" }), (error) => {
    assert.ok(error instanceof liter.APIConnectionError && error.retryable);
    assert.doesNotMatch(inspect(error), /sk-secret/);
    return true;
  });
});
