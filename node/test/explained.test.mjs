// What is taken for something else says so: promises, streams, answers, arguments in the wrong place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { Client, generate, invoke, invokeSync } from "../src/index.js";
import { run, simulator } from "./helpers.mjs";

const client = new Client(simulator.config());
const user = { role: "user", content: "Hello" };

/** Whether it is a TypeError, or an error of this name, and says this. */
async function says(call, message, name = "TypeError") {
  await assert.rejects(async () => call(), { name, message });
}

test("a promise is no text", async () => {
  const asked = [
    client.chat("Hello"),
    client.models({ provider: "openai" }),
    client.moderate("Hello", { provider: "openai" }),
    client.generateMulti("Hello", ["openai"]),
  ];
  for (const promise of asked) {
    const message = /^this is a promise of an answer, await it first/;
    await says(() => `${promise}`, message);
    await says(() => JSON.stringify({ promise }), message);
    await says(() => [...promise], /this is a promise of an answer and has no chunks/);
    assert.match(inspect(promise), /^Promise/);
    assert.equal(typeof (await promise), "object");
  }
  const out = await run(`
    const pending = [liter.generate("Hello"), liter.invoke("openai", { prompt: "Hello" })];
    for (const one of pending) {
      try { console.log(String(one)) } catch (error) { console.log(error.message) }
    }
    await Promise.all(pending);
  `);
  assert.match(out, /^(this is a promise of an answer, await it first.*\n){2}$/);
});

test("a stream is no text", async () => {
  const stream = client.stream("Hello");
  await says(() => `${stream}`, /^a stream is no text: .*await stream\.text\(\)$/);
  await says(() => JSON.stringify(stream), /^a stream is no text/);
  await says(() => [...stream], /for await/);
  assert.match(inspect(stream), /^Stream/);
  assert.equal(await stream.text(), "You said: Hello");
});

test("a promise, a stream or an answer as a request", async () => {
  const answer = await client.chat("Hello");
  await says(() => client.chat(Promise.resolve("Hello")), /^the request is a promise: await it first$/);
  await says(() => client.chat(client.chat("Hello")), /^the request is a promise/);
  await says(() => client.chat(client.stream("Hello")), /^the request is a stream: .*await stream\.text\(\)/);
  await says(() => client.chat(answer), /^the request is an answer: its message is answer\.choices\[0\]\.message/);
  await says(() => client.chat(user), /^the request is one message: give a list, client\.chat\(\[message\]\)$/);
  await says(() => client.chat([user, answer]), /^messages\[1\] is an answer: its message is/);
  await says(() => client.chat({ messages: [user, answer] }), /^messages\[1\] is an answer/);
  await says(() => client.chat([{ ...user, content: answer }]), /content is an answer: its text is answer\.text$/);
  const promise = client.chat("Hello");
  await says(() => client.chat([{ ...user, content: promise }]), /await it first/, "BadRequestError");
  const stream = client.stream("Hello");
  await says(() => client.chat([{ ...user, content: stream }]), /await stream\.text/, "BadRequestError");
  assert.equal((await client.chat([user, answer.choices[0].message, user])).text, "You said: Hello");
});

test("another SDK's way to call", async () => {
  await says(() => client.chat.completions.create({ messages: [user] }), /the call is client\.chat\(messages/);
  await says(() => client.models.list(), /the call is client\.models\(\)/);
});

test("an argument that nobody would read", async () => {
  const more = { signal: AbortSignal.timeout(60_000) };
  await says(() => client.chat("Hello", {}, more), /no further argument: .*second/);
  await says(() => client.stream("Hello", {}, more), /no further argument: .*second/);
  await says(() => client.moderate("Hello", {}, more), /no further argument: .*second/);
  await says(() => client.embed("Hello", {}, more), /no further argument: .*second/);
  await says(() => client.rerank("a", ["b"], {}, more), /no further argument: .*third/);
  await says(() => client.models({}, more), /no further argument: .*first/);
  await says(() => client.generateMulti("Hello", ["openai"], {}, more), /no further argument: .*third/);
  await says(() => invokeSync("openai", { prompt: "Hello" }, more), /no further argument/);
  await says(() => generate("Hello", { max_tokens: 5 }, 0.5), /no further argument: .*second/);
  assert.equal((await client.chat("Hello", undefined, undefined)).text, "You said: Hello");
});

test("arguments of the wrong type say what is meant", async () => {
  await says(() => client.chat("Hello", { signal: new AbortController() }), /give its signal, controller\.signal/);
  await says(() => client.chat("Hello", "openai/m"), /an object with members .* not of type string$/);
  await says(() => invoke({ prompt: "Hello" }, "openai"), /the first argument is the provider's name/);
  const none = /the request is a text that is no JSON object: give a prompt as \{ prompt: … \}/;
  await says(() => invoke("openai", "my secret"), none, "BadRequestError");
  await assert.rejects(invoke("openai", "my secret"), ({ message }) => !message.includes("secret"));
  for (const config of ["./config.json", "sk-secret"]) {
    const message = /new Client\(new URL\(.*new Client\(\{ api_key: … \}\)$/;
    assert.throws(() => new Client(config), { name: "BadRequestError", message });
  }
});

test("a synchronous call that keeps others waiting warns once", async () => {
  const script = (before, after = "") => `
    const seen = [];
    process.on("warning", ({ name, code, message }) => seen.push([name, code, message].join(" ")));
    const { createServer } = await import("node:http");
    ${before}
    for (let n = 0; n < 3; n++) liter.invokeSync("openai", { prompt: "Hello" });
    ${after}
    await new Promise(setImmediate);
    console.log(seen.join("\\n"));
  `;
  const flags = ["--no-warnings"];
  assert.equal(await run(script(""), { flags }), "\n");
  const call = await run(script(`const call = liter.generate("Hello");`, "await call;"), { flags });
  assert.match(call, /^LiterLLMWarning blocked_thread invokeSync blocks .*its other calls.*use await invoke\(…\)\n$/);
  const server = `const server = createServer().listen(0); await new Promise((done) => server.on("listening", done));`;
  assert.match(await run(script(server, "server.close();"), { flags }), /^LiterLLMWarning blocked_thread .*its server.*\n$/);
});

test("options by their own name are judged like members", async () => {
  const message = /^maxRetries is not an option: did you mean retry: \{ max_attempts: 6 \}\?$/;
  await says(() => client.chat("Hello", { options: { maxRetries: 5 } }), message);
  await says(() => client.stream("Hello", { options: { maxRetries: 5 } }), message);
});

test("an argument that is none", async () => {
  const wrong = (message) => ({ name: "TypeError", message });
  const controller = new AbortController();
  const other = runInNewContext("new (class AbortController { signal = 1 })"); // as in Jest
  for (const one of [controller, other]) {
    const message = /^the last argument is an AbortController: give \{ signal: controller\.signal \}$/;
    await assert.rejects(client.chat("Hello", one), wrong(message));
    assert.throws(() => client.stream("Hello", one), wrong(message));
    assert.throws(() => new Client({}, one), wrong(message));
    await assert.rejects(invoke("openai", { prompt: "Hello" }, one), wrong(message));
  }
  const message = /^the last argument is an AbortSignal: give \{ signal \}$/;
  await assert.rejects(client.chat("Hello", controller.signal), wrong(message));
  await assert.rejects(client.embed("Hello", controller.signal), wrong(message));
  await assert.rejects(client.chat("Hello", new Map([["model", "m"]])), wrong(/not of type Map$/));
  for (const make of [(options) => new Client({}, options), (options) => client.withOptions(options)]) {
    assert.throws(() => make(5), wrong(/an object with options, .*, not of type number$/));
    assert.throws(() => make([]), wrong(/not of type array$/));
    assert.equal(make(null).closed, false);
  }
  assert.equal(new Client(null, null).closed, false);
  const bare = Object.assign(Object.create(null), { model: "m" });
  assert.equal((await client.chat("Hello", bare)).model, "m");
  await assert.rejects(client.chat("Hello", { constructor: undefined }), wrong(/^constructor is neither/));
});

test("a client emits at most a thousand warnings, each once", async () => {
  const out = await run(`
    let count = 0;
    process.on("warning", () => count++);
    const client = new liter.Client();
    const names = Array.from({ length: 50 }, (_, n) => n);
    for (let n = 0; n < 25; n++) {
      await client.chat({ prompt: "Hello", ...Object.fromEntries(names.map((name) => ["x" + n + "y" + name, 1])) });
      await client.chat({ prompt: "Hello", x0y0: 1 });
    }
    await new Promise(setImmediate);
    console.log(count);
  `, { flags: ["--no-warnings"] });
  assert.equal(out, "1000\n");
});

test("what JSON would lose", async () => {
  const wrong = {
    metadata: [new Map([["secret", 1]]), /^metadata is a Map, which JSON cannot say: .*Object\.fromEntries/],
    stop: [new Set(["secret"]), /^stop is a Set/],
    headers: [new Headers({ "x-key": "secret" }), /^headers is a Headers/],
    tools: [[user, function secret() {}], /^tools\[1\] is a function, .*describe it, \{ type: "function"/],
  };
  for (const [name, [value, message]] of Object.entries(wrong)) {
    await assert.rejects(client.chat("Hello", { [name]: value }), (error) => {
      assert.deepEqual([error.name, error.param.split("[", 1)[0]], ["BadRequestError", name]);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
  const deep = (properties) => ({
    prompt: "secret",
    tools: [{ type: "function", function: { name: "f", parameters: { type: "object", properties } } }],
  });
  const at = "tools\\[0\\]\\.function\\.parameters\\.properties";
  const none = (path, what) => new RegExp(`^${path} is ${what}, which JSON cannot say`);
  for (const [request, message] of [
    [deep({ x: () => 1 }), none(`${at}\\.x`, "a function")],
    [deep({ d: new Map([["secret", 1]]) }), none(`${at}\\.d`, "a Map")],
    [deep({ x: { enum: ["a", Symbol("secret")] } }), none(`${at}\\.x\\.enum\\[1\\]`, "a symbol")],
    [deep({ x: { pattern: /secret/ } }), none(`${at}\\.x\\.pattern`, "a RegExp")],
    [{ prompt: "x", extra: { openai: { logit_bias: { 5: NaN } } } }, none("extra\\.openai\\.logit_bias\\.5", "NaN")],
    [{ prompt: "x", options: { retry: { backoff_ms: Infinity } } }, none("retry\\.backoff_ms", "Infinity")],
    [[{ role: "user", content: Promise.resolve("secret") }], none("messages\\[0\\]\\.content", "a Promise")],
  ]) {
    await assert.rejects(client.chat(request), (error) => {
      assert.equal(error.name, "BadRequestError");
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
  const nowhere = { providers: { openai: { headers: new Headers({ a: "b" }) } } };
  assert.throws(() => new Client(nowhere), { message: /^providers\.openai\.headers is a Headers/ });
  const headers = new Headers({ "x-key": "secret" });
  assert.throws(() => new Client({ apiKey: "x", headers }), { message: /^headers is a Headers/ });
  // What can be written is written, as everywhere in JavaScript.
  assert.equal((await client.chat([{ role: "user", content: new Date(0) }])).text, "You said: 1970-01-01T00:00:00.000Z");
  const sayable = { toJSON: () => "a", call: () => 1 };
  const metadata = { a: sayable, b: Object.assign(() => 1, sayable), c: undefined, d: {}, e: new Number(5) };
  const request = { prompt: "Hello", extra: { openai: { metadata } } };
  assert.equal((await client.chat(request)).text, "You said: Hello");
});

test("settings that are undefined are not there", async () => {
  const out = await run(`
    for (const config of [{ apiKey: undefined }, { api_key: null }, { default_model: undefined }]) {
      console.log((await new liter.Client(config).chat("Hello")).provider);
    }
    await new liter.Client({}).chat("Hello").catch((error) => console.log(error.name));
  `);
  assert.equal(out, "openai\nopenai\nopenai\nNotFoundError\n");
});
