// Names that are wrong, settings, `system` and `stream`: nothing of a caller's is lost in silence.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { inspect } from "node:util";
import { Client, Stream, invoke, logs } from "../src/index.js";
import { run, simulator, textOf } from "./helpers.mjs";

const client = new Client(simulator.config());
const { base_url } = simulator.config().providers.openai;

/** What is given, and what the error has to say. */
const WRONG = [
  [{ timeout: 2 }, /^timeout is .*did you mean timeout_ms: 2000, in milliseconds\?$/],
  [{ timeout: 0.5 }, /timeout_ms: 500,/],
  [{ timeout: 30_000 }, /timeout_ms: 30000,/],
  [{ timeout: "secret" }, /timeout_ms, in milliseconds/],
  [{ timeoutMs: 5 }, /did you mean timeout_ms\?/],
  [{ fallbacks: ["secret"] }, /did you mean fallback: \["provider\/model"\]/],
  [{ extraHeaders: {} }, /did you mean headers/],
  [{ extra_headers: {} }, /did you mean headers/],
  [{ extra_body: {} }, /did you mean extra: \{ <provider>: \{ … \} \}/],
  [{ min_p: 5 }, /extra: \{ <provider>: \{ min_p: … \} \}/],
  [{ maxRetries: 2 }, /retry: \{ max_attempts: 3 \}/],
  [{ max_retries: 0 }, /retry: false/],
  [{ maxTokens: 5 }, /did you mean max_tokens\?/],
  [{ temprature: 5 }, /did you mean temperature\?/],
  [{ topK: 5 }, /did you mean top_k\?$/],
  [{ key: "secret" }, /a setting of a client: new Client\(\{ api_key: … \}\)$/],
  [{ token: "secret" }, /a setting of a client: new Client\(\{ api_key: … \}\)$/],
  [{ openaiApiKey: "secret" }, /a setting of a client: new Client\(\{ api_key: … \}\)$/],
  [{ abortSignal: null }, /did you mean signal\?/],
  [{ apiKey: "secret" }, /a setting of a client: new Client\(\{ api_key: … \}\)/],
  [{ api_key: "secret" }, /a setting of a client: new Client\(\{ api_key: … \}\)/],
  [{ baseURL: "secret" }, /new Client\(\{ base_url: … \}\)/],
  [{ frobnicate: "secret" }, /^frobnicate is neither a member .* extra: \{ <provider>: \{ frobnicate: … \} \}$/],
];

for (const [more, message] of WRONG) {
  test(`a member that is none: ${inspect(more)}`, async () => {
    const { requests } = await simulator.stats();
    const check = (error) => {
      assert.equal(error.name, "TypeError");
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    };
    await assert.rejects(client.chat("Hello", more), check);
    assert.throws(() => client.stream("Hello", more), check);
    await assert.rejects(client.generateMulti("Hello", ["openai"], more), check);
    assert.equal((await simulator.stats()).requests, requests);
  });
}

test("a member or an option in camel case is told how it is written", async () => {
  const { OPTION_NAMES, REQUEST_NAMES } = createRequire(import.meta.url)("../src/_names.js");
  const names = [...REQUEST_NAMES.chat, ...OPTION_NAMES].filter((name) => name.includes("_"));
  assert.ok(names.length > 20);
  for (const name of names) {
    const camel = name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    await assert.rejects(client.chat("Hello", { [camel]: 5 }), ({ message }) =>
      message.startsWith(`${camel} is neither`) && message.endsWith(`: did you mean ${name}?`));
  }
  await assert.rejects(client.rerank("x", ["y"], { topK: 5 }), { message: /did you mean top_n\?$/ });
});

test("an option that is none", async () => {
  const message = /^timeout is not an option: did you mean timeout_ms: 3000, in milliseconds\?$/;
  assert.throws(() => client.withOptions({ timeout: 3 }), { name: "TypeError", message });
  assert.throws(() => new Client({}, { timeout: 3 }), { name: "TypeError", message });
  assert.throws(() => new Client({}, { apiKey: "x" }), /new Client\(\{ api_key: … \}\)/);
  await assert.rejects(client.models({ temperature: 1 }), /temperature is neither/);
  await assert.rejects(client.moderate("x", { max_tokens: 1 }), /max_tokens is neither/);
  await assert.rejects(invoke("openai", { prompt: "x" }, { timeout_ms: 5 }), /timeout_ms is not known/);
});

test("a name beside graceMs, level and signal that is none", async () => {
  const own = new Client(simulator.config());
  const wrong = (message) => ({ name: "TypeError", message });
  await assert.rejects(own.close({ grace: 5000 }), wrong(/^grace is not known here; known: graceMs$/));
  await assert.rejects(own.close({ grace_ms: 5000 }), wrong(/did you mean graceMs\?$/));
  await assert.rejects(own.close(5000), wrong(/an object, \{ graceMs: … \}, not of type number$/));
  assert.equal(own.closed, false);
  await own.close(null);
  assert.throws(() => logs(console, { lvl: "debug" }), wrong(/^lvl is not known here; known: level$/));
  assert.throws(() => logs(console, "debug"), wrong(/an object, \{ level: … \}, not of type string$/));
  assert.throws(() => logs(console, { level: "constructor" }), wrong(/^level is one of error, /));
  const asked = invoke("openai", { prompt: "x" }, [new AbortController().signal]);
  await assert.rejects(asked, wrong(/\{ signal: … \}, not of type array$/));
});

test("a setting that is none", () => {
  const throws = (config, message) => assert.throws(() => new Client(config), { name: "TypeError", message });
  throws({ timeout: 3 }, /did you mean timeout_ms: 3000, in milliseconds\?/);
  throws({ baseURL: base_url }, /did you mean base_url\?/);
  throws({ apikey: "x" }, /did you mean api_key\?/);
  throws({ token: "x" }, /did you mean api_key\?/);
  throws({ model: "gpt-5" }, /did you mean default_model\?/);
  throws({ provider: "openai" }, /an option: .*second argument.*default_provider/);
  throws({ idle_ms: 5 }, /an option: .*second argument/);
  throws({ apiKey: "x", api_key: "y" }, /given twice/);
});

test("members of a whole request that are none are warned of", async () => {
  const [warning] = (await client.chat({ prompt: "Hello", frobnicate: 1 })).warnings;
  assert.equal(warning.param, "frobnicate");
  await assert.rejects(client.chat({ prompt: "Hello", frobnicate: 1, options: { strict: true } }), /frobnicate/);
});

test("settings of the default provider", async () => {
  const more = { model: "gpt-5-mini" };
  for (const config of [
    { api_key: "sk", base_url, headers: { "x-team": "blue" }, timeout_ms: 60_000 },
    { apiKey: "sk", baseUrl: base_url, timeoutMs: 60_000 },
  ]) {
    const answer = await new Client(config, { provider: "openai" }).chat("Hello", more);
    assert.deepEqual([answer.provider, answer.text], ["openai", "You said: Hello"]);
  }
  const slow = simulator.config("delay_ms=60000").providers.openai.base_url;
  const short = new Client({ apiKey: "sk", baseUrl: slow, timeoutMs: 20 }, { provider: "openai", retry: false });
  await assert.rejects(short.chat("Hello", more), { name: "APITimeoutError" });
  // Each names the default provider, and the last has an entry of its own beside it.
  const named = { kind: "compatible", model: "m" };
  for (const [config, options] of [
    [{ default_model: "mine/m", providers: { mine: named } }],
    [{ default_provider: "mine", providers: { mine: named } }],
    [{ providers: { mine: named } }, { provider: "mine" }],
  ]) {
    const made = new Client({ ...config, apiKey: "sk", baseUrl: base_url }, options);
    assert.equal((await made.chat("Hello")).provider, "mine");
  }
  const route = { default_provider: "sure", routes: { sure: { targets: ["openai/m"] } } };
  assert.throws(() => new Client({ ...route, apiKey: "x" }), /sure is a route/);
});

test("settings that are nobody's", async () => {
  for (const [name, value] of [["api_key", "sk-ant-secret"], ["base_url", base_url], ["headers", { "x-team": "blue" }]]) {
    const message = `${name} is a setting of one provider: name the provider, new Client({ ${name}: … }, { provider: "openai" })`;
    for (const config of [{}, { default_model: "gpt-5-mini" }, { providers: { mine: {} } }]) {
      assert.throws(() => new Client({ ...config, [name]: value }), { name: "TypeError", message });
    }
  }
  new Client({ timeout_ms: 60_000 }); // an option of every call
  const script = `
    const made = new liter.Client(${JSON.stringify({ api_key: "sk", base_url })});
    console.log((await made.chat("Hello", { model: "gpt-5-mini" })).provider);
  `;
  for (const named of [{ LITER_LLM_PROVIDER: "openai" }, { LITER_LLM_MODEL: "openai/gpt-5-mini" }]) {
    assert.equal(await run(script, { env: { LITER_LLM_CONFIG: "", ...named } }), "openai\n");
  }
});

test("settings stand beside the environment's configuration", async () => {
  const script = `
    const { provider, model } = await new liter.Client({ timeoutMs: 60_000 }).chat("Hello");
    const other = await new liter.Client({ headers: { "x-team": "blue" } }).chat("Hello");
    console.log(provider, model, other.provider, other.model);
  `;
  assert.equal(await run(script), "openai gpt-5-mini openai gpt-5-mini\n");
  const nowhere = { env: { LITER_LLM_CONFIG: "/nowhere.json" }, load: true };
  const wrong = `try { new liter.Client({ apiKey: "x" }) } catch (error) { console.log(error.message) }`;
  assert.equal(await run(wrong, nowhere), "cannot read LITER_LLM_CONFIG: ENOENT\n");
});

test("system is the first message", async () => {
  // A message before the user's costs tokens of the prompt.
  const plain = (await client.chat("Hello")).usage.prompt_tokens;
  const user = { role: "user", content: "Hello" };
  const system = "Answer in one sentence.";
  const counts = [];
  for (const answer of [
    await client.chat([{ role: "system", content: system }, user]),
    await client.chat("Hello", { system }),
    await client.chat([user], { system }),
    await client.chat({ prompt: "Hello", system }),
    await client.chat({ messages: [user], system: [{ type: "text", text: system }] }),
  ]) {
    assert.deepEqual([answer.text, answer.warnings], ["You said: Hello", []]);
    counts.push(answer.usage.prompt_tokens);
  }
  assert.ok(counts.slice(0, 4).every((count) => count === counts[0] && count > plain), counts.join());
  assert.equal((await client.chat("Hello", { system: null })).usage.prompt_tokens, plain);
  await assert.rejects(client.chat("Hello", { system: 5 }), { name: "TypeError", message: /system is a text/ });
  await assert.rejects(client.chat({ system }), /messages is missing/);
});

test("stream: true gives the stream", async () => {
  for (const asked of [
    client.chat("Hello", { stream: true }),
    client.chat({ prompt: "Hello", stream: true }),
  ]) {
    const stream = await asked;
    assert.ok(stream instanceof Stream);
    assert.equal(await textOf(stream), "You said: Hello");
  }
  assert.equal((await client.chat("Hello", { stream: false })).text, "You said: Hello");
  assert.equal(await client.stream("Hello", { stream: true }).text(), "You said: Hello");
  assert.throws(() => client.stream("Hello", { stream: false }), /client.chat/);
  const whole = client.generateMulti({ prompt: "Hello", stream: true }, ["openai"]);
  await assert.rejects(whole, { name: "TypeError", message: /use client.stream/ });
  const out = await run(`
    const request = { prompt: "Hello", stream: true };
    await liter.invoke("openai", request).catch((error) => console.log(error.name));
    try { liter.invokeSync("openai", request) } catch (error) { console.log(error.name) }
    await liter.generate("Hello", { stream: true }).catch((error) => console.log(error.name));
  `);
  assert.equal(out, "TypeError\nTypeError\nTypeError\n");
});

test("stream in a request that is JSON is not ignored", async () => {
  const json = (stream, prompt = "Hello") => Buffer.from(JSON.stringify({ prompt, stream }));
  const whole = { name: "TypeError", message: /use client.stream/ };
  for (const request of [json(true), new Uint8Array(json(true)), Buffer.from('{"stream" : true} ')]) {
    await assert.rejects(client.chat(request), whole);
    await assert.rejects(client.generateMulti(request, ["openai"]), whole);
  }
  assert.equal(await client.stream(json(true)).text(), "You said: Hello");
  for (const request of [json(false), json(null), json(undefined, '"stream": true')]) {
    assert.match((await client.chat(request)).text, /^You said: /);
  }
  assert.throws(() => client.stream(json(false)), { name: "TypeError", message: /client.chat/ });
  const broken = Buffer.from('{"prompt": "Hello", "stream": true');
  await assert.rejects(client.chat(broken), { name: "BadRequestError" });
  const out = await run(`
    const request = '{"prompt": "Hello", "stream": true}';
    for (const asked of [request, Buffer.from(request)]) {
      await liter.invoke("openai", asked).catch((error) => console.log(error.name));
      try { liter.invokeSync("openai", asked) } catch (error) { console.log(error.name) }
    }
  `);
  assert.equal(out, "TypeError\n".repeat(4));
});

test("every warning goes to Node's own channel, once a client", async () => {
  const script = `
    const seen = [];
    process.on("warning", ({ name, code, message }) => seen.push([name, code, message]));
    const ask = { prompt: "my secret", frobnicate: 1 };
    const client = new liter.Client();
    for (let n = 0; n < 3; n++) await client.withOptions({}).chat(ask);
    await client.stream({ ...ask, strange: 1 }).text();
    for await (const chunk of client.stream({ ...ask, stranger: 1 }));
    await client.generateMulti({ ...ask, strangest: 1 }, ["openai"]);
    await client.moderate("my secret", { provider: "openai" });
    await new liter.Client().chat(ask);
    liter.invokeSync("openai", ask);
    await new Promise(setImmediate);
    console.log(JSON.stringify(seen));
  `;
  const seen = JSON.parse(await run(script, { flags: ["--no-warnings"] }));
  const named = ["frobnicate", "strange", "stranger", "strangest", "frobnicate", "frobnicate"];
  assert.deepEqual(seen.map(([, , message]) => message.split(" ", 1)[0]), named);
  for (const [name, code, message] of seen) {
    assert.deepEqual([name, code], ["LiterLLMWarning", "unknown_parameter"]);
    assert.doesNotMatch(message, /secret/);
  }
});

test("a name cannot forge a line of a warning", async () => {
  const script = `
    process.stderr.write = (text) => { console.log(JSON.stringify(text)); return true };
    const name = "x\\n2026-01-01 liter_llm ERROR forged \\x1b[31m\\u202e\\u2028\\x9b é 🎉";
    const { warnings } = await new liter.Client().chat({ prompt: "Hello", [name]: 1 });
    console.log(warnings[0].param === name);
  `;
  const [own, ...lines] = (await run(script)).split("\n");
  assert.equal(own, "true");
  const printed = lines.map((line) => line && JSON.parse(line)).join("");
  assert.match(printed, /LiterLLMWarning: x\\n2026-01-01 liter_llm ERROR forged \\u001b\[31m\\u202e\\u2028\\u009b é 🎉/);
  assert.doesNotMatch(printed, /\n2026|[\x1b\x9b\u202e\u2028]/);
});

test("a promise that is taken for an answer says so", async () => {
  const promise = client.chat("Hello");
  assert.ok(promise instanceof Promise && promise.constructor === Promise);
  for (const member of ["choices", "text", "usage"]) {
    assert.throws(() => promise[member], { name: "TypeError", message: /a promise of an answer, await it/ });
  }
  const iterate = async () => {
    for await (const chunk of promise) assert.fail(chunk);
  };
  await assert.rejects(iterate(), { name: "TypeError", message: /client\.stream/ });
  assert.match(inspect(promise), /^Promise/);
  assert.equal((await promise).text, "You said: Hello");
  assert.equal(await client.chat("Hello").then(({ text }) => text), "You said: Hello");
});

test("a stream that is taken for an answer, or read twice, says so", async () => {
  const stream = client.stream("Hello");
  assert.throws(() => stream.choices, { name: "TypeError", message: /await stream\.result\(\)/ });
  assert.throws(() => stream.usage, { name: "TypeError", message: /stream\.response/ });
  await textOf(stream);
  await assert.rejects(textOf(stream), { name: "TypeError", message: /this stream is over/ });
  const left = client.stream("Hello");
  for await (const chunk of left) if (chunk) break;
  await assert.rejects(textOf(left), { name: "TypeError", message: /this stream is over/ });
});
