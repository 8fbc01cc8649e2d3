// The ordinary things: chat, options, views, the short forms.
import assert from "node:assert/strict";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import * as liter from "../src/index.js";
import { run, simulator } from "./helpers.mjs";

const client = new liter.Client(simulator.config());

test("a prompt", async () => {
  const response = await client.chat("Hello");
  assert.equal(response.text, "You said: Hello");
  assert.equal(response.choices[0].message.content, "You said: Hello");
  assert.equal(response.provider, "openai");
  assert.equal(typeof response.usage.prompt_tokens, "number");
});

function shared(text) {
  const bytes = Buffer.from(text);
  const array = new Uint8Array(new SharedArrayBuffer(bytes.length));
  array.set(bytes);
  return array;
}

test("every form of a request", async () => {
  const forms = [
    [{ role: "user", content: "Hello" }],
    { messages: [{ role: "user", content: "Hello" }] },
    { prompt: "Hello", options: { timeout_ms: 5000 } },
    Buffer.from('{"prompt":"Hello"}'),
    new Uint8Array(Buffer.from('xx{"prompt":"Hello"}xx')).subarray(2, -2),
    shared('{"prompt":"Hello"}'),
    runInNewContext("new Uint8Array(bytes)", { bytes: [...Buffer.from('{"prompt":"Hello"}')] }),
    Object.assign(Object.create(null), { prompt: "Hello" }),
  ];
  for (const form of forms) assert.equal((await client.chat(form)).text, "You said: Hello");
});

test("members and options by name", async () => {
  const messages = [{ role: "user", content: "Hello" }];
  const more = { model: "openai/gpt-5", max_tokens: 5, temperature: null, timeout_ms: 5000 };
  assert.equal((await client.chat(messages, more)).model, "gpt-5");
  assert.equal((await client.chat(undefined, { messages, ...more, seed: undefined })).model, "gpt-5");
  const options = { strict: true };
  assert.equal((await client.chat("Hello", { provider: "openai", options })).provider, "openai");
});

test("precedence of options", async () => {
  const view = client.withOptions({ provider: "nobody" });
  await assert.rejects(view.chat("Hello"), liter.NotFoundError);
  const options = { provider: "openai" };
  assert.ok(await view.chat("Hello", options));
  assert.ok(await view.chat({ prompt: "Hello", options }));
  assert.ok(await view.chat("Hello", { options }));
  assert.ok(await view.chat("Hello", { options: { provider: "nobody" }, provider: "openai" }));
  assert.ok(await view.chat("Hello", { provider: "openai", options: { provider: "nobody" } }));
  assert.ok(await view.chat({ prompt: "Hello", options: { provider: "nobody" } }, { options }));
  assert.ok(await client.chat("Hello", { provider: undefined }));
});

test("an undefined option is none", async () => {
  const view = client.withOptions({ provider: "nobody" });
  const provider = undefined;
  for (const call of [
    () => view.chat("Hello", { provider }),
    () => view.chat("Hello", { options: { provider } }),
    () => view.chat({ prompt: "Hello", options: { provider } }),
    () => view.withOptions({ provider }).chat("Hello"),
    () => view.generateMulti("Hello", ["nobody"], { provider }),
  ]) {
    await assert.rejects(call(), liter.NotFoundError);
  }
  const request = { prompt: "Hello", options: { provider: "openai" } };
  assert.ok(await view.chat(request, { options: { provider } }));
});

test("a client's options are those that it was made with", async () => {
  const retry = { max_attempts: 1 };
  const options = { provider: "openai", retry };
  const view = client.withOptions(options);
  options.provider = "nobody";
  retry.max_attempts = 0;
  assert.ok(await view.chat("Hello"));
  assert.ok(await view.chat("Hello", { strict: true }));
});

test("what a caller passes is left as it was", async () => {
  const request = { prompt: "Hello", system: "Be brief", options: { timeout_ms: 5000 } };
  const more = { options: { strict: true }, seed: 1 };
  const before = JSON.stringify([request, more]);
  await client.withOptions({ idle_ms: 5000 }).chat(request, more);
  await client.stream(request, more).text();
  assert.equal(JSON.stringify([request, more]), before);
});

test("configuration in every form", async () => {
  const config = simulator.config();
  const text = JSON.stringify(config);
  const folder = mkdtempSync(join(tmpdir(), "liter-llm-node-"));
  const path = join(folder, "config.json");
  writeFileSync(path, text);
  const foreign = runInNewContext("new Uint8Array(bytes)", { bytes: [...Buffer.from(text)] });
  for (const form of [config, text, Buffer.from(text), foreign, pathToFileURL(path)]) {
    assert.equal((await new liter.Client(form).chat("Hello")).text, "You said: Hello");
  }
  rmSync(folder, { recursive: true });
});

test('"stream": true deeper in a request as JSON', async () => {
  const request = Buffer.from('{"prompt":"Hello","metadata":{"stream":true}}');
  // The whole answer, and the provider was not asked for pieces.
  assert.equal((await client.chat(request)).liter.timing.ttft_ms, undefined);
});

test("a message goes back into a request", async () => {
  const first = await client.chat("Hello");
  const messages = [{ role: "user", content: "Hello" }, first.choices[0].message];
  const second = await client.chat([...messages, { role: "user", content: "Bye" }]);
  assert.equal(second.text, "You said: Bye");
});

test("__proto__ in a document is a name like any other", async () => {
  const answer = await new liter.Client(simulator.case("proto")).chat("Hello");
  const [{ message }] = answer.choices;
  const parsed = JSON.parse(message.tool_calls[0].function.arguments);
  assert.deepEqual(Object.keys(parsed), ["__proto__"]);
  assert.equal({}.polluted, undefined);

  const request = JSON.parse('{"prompt":"Hello","__proto__":{"model":"gpt-5"}}');
  const { warnings, model } = await client.chat(request, { seed: 1 });
  assert.deepEqual([warnings[0].param, model], ["__proto__", "gpt-5-mini"]);
  const more = JSON.parse('{"__proto__":{"model":"gpt-5"}}');
  await assert.rejects(client.chat("Hello", more), { name: "TypeError", message: /^__proto__ is/ });
});

test("metrics", async () => {
  const fresh = new liter.Client(simulator.config());
  await fresh.chat("Hello");
  assert.equal(fresh.metrics().providers.openai.calls, 1);
  assert.match(fresh.metrics("prometheus"), /liter_llm_calls_total/);
  assert.throws(() => fresh.metrics("xml"), TypeError);
});

test("10,000 calls at once", async () => {
  const held = new liter.Client(simulator.config("delay_ms=500"));
  const calls = Array.from({ length: 10_000 }, (_, n) => held.chat(`n${n}`, { timeout_ms: 120_000 }));
  const answers = await Promise.all(calls);
  assert.ok(answers.every(({ text }, n) => text === `You said: n${n}`));
});

test("a client that is dropped while a call is in flight", async () => {
  const pending = new liter.Client(simulator.config("delay_ms=200")).chat("Hello");
  for (let n = 0; n < 10; n++) {
    gc();
    await new Promise(setImmediate);
  }
  assert.equal((await pending).text, "You said: Hello");
});

test("require gives the same objects as import", () => {
  const required = createRequire(import.meta.url)("../src/index.js");
  const { default: whole, ...names } = liter;
  assert.equal(whole, required);
  assert.deepEqual({ ...names }, { ...required });
});

test("the short forms, from the environment", async () => {
  const script = `
    console.log(await liter.generate("Hello", 9));
    console.log(await liter.generate("Hello", 9, 0.5));
    try { await liter.generate("Hello", null, "hot") } catch (error) { console.log(error.message) }
    console.log(await liter.generate("Hello", { model: "openai/gpt-5", max_tokens: 9 }));
    console.log((await liter.invoke("openai", { prompt: "Hello" })).text);
    console.log((await liter.invoke("openai", '{"prompt": "Hello"}')).text);
    console.log((await liter.invoke(null, Buffer.from('{"prompt": "x", "model": "openai/gpt-5"}'))).model);
    console.log(liter.invokeSync("openai", { prompt: "Hello" }).text);
    try { liter.invokeSync("nobody", { prompt: "x" }) } catch (error) { console.log(error.name) }
    try { liter.invokeSync("", "") } catch (error) { console.log(error.name) }
  `;
  const said = "You said: Hello";
  const hot = "temperature must be a number, not a string";
  const expected = [said, said, hot, said, said, said, "gpt-5", said, "NotFoundError", "BadRequestError"];
  assert.deepEqual((await run(script, { flags: ["--no-warnings"] })).trim().split("\n"), expected);
});
