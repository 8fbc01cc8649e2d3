// What is asked beside chats: embeddings, models and moderations.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import * as liter from "../src/index.js";
import { simulator } from "./helpers.mjs";

const client = new liter.Client(simulator.config());
const ASKED = [
  { type: "text", text: "violence" },
  { type: "image_url", image_url: { url: "https://example.com/a.png" } },
];

test("models", async () => {
  const { data, provider, liter: own } = await client.models();
  assert.deepEqual(data.map(({ id }) => id), ["gpt-5-mini", "gpt-5"]);
  assert.equal(data[0].created, 1_700_000_000);
  assert.equal(data[0].provider_fields.owned_by, "simulator");
  assert.equal(provider, "openai");
  assert.equal(own.attempts[0].status, 200);
  const one = await client.models({ model: "openai/any/model" });
  assert.deepEqual(one.data.map(({ id }) => id), ["any/model"]);
  assert.equal((await client.models({ provider: "openai" })).provider, "openai");
  await assert.rejects(client.models({ provider: "nobody" }), liter.NotFoundError);
});

test("embeddings", async () => {
  const facts = (text) => [Buffer.from(text).reduce((sum, byte) => sum + byte, 0), text.length];
  const answer = await client.embed(["a", "bcd"], { model: "m", dimensions: 3 });
  assert.equal(answer.encoding, "base64");
  assert.equal(answer.usage.total_tokens, 2);
  assert.equal(typeof answer.data[1].embedding, "string");
  const [a, b] = answer.vectors();
  assert.ok(a instanceof Float32Array);
  assert.deepEqual([...a.subarray(0, 2), ...b.subarray(0, 2)], [...facts("a"), ...facts("bcd")]);
  assert.equal(b.length, 3);
  assert.equal(a.buffer, b.buffer); // views of the same memory
  const many = await client.embed(Array(3000).fill("x"), { model: "m", provider: "openai" });
  assert.equal(many.vectors().length, 3000);
  assert.equal(many.liter.attempts.length, 3);
  assert.deepEqual([...(await client.embed("a", { model: "m", encoding: "float" })).vectors()[0].subarray(0, 2)], facts("a"));
});

test("the encodings of vectors", async () => {
  const { embeddings } = createRequire(import.meta.url)("../src/_models.js");
  const vectors = (encoding, ...list) =>
    embeddings({ encoding, data: list.map((embedding, index) => ({ index, embedding })) }).vectors();
  assert.deepEqual(vectors("int8", "gAF/", "AAEC"), [Int8Array.of(-128, 1, 127), Int8Array.of(0, 1, 2)]);
  assert.deepEqual(vectors("ubinary", "/wE="), [Uint8Array.of(255, 1)]);
  assert.deepEqual(vectors("base64"), []);
  assert.deepEqual(vectors("int8", "gA=="), [Int8Array.of(-128)]);
  assert.deepEqual(vectors("binary", "gP8="), [Int8Array.of(-128, -1)]);
  assert.deepEqual(vectors("uint8", "/w=="), [Uint8Array.of(255)]);
  assert.deepEqual(vectors("base64", "AAAAPw==", "AACAvw=="), [Float32Array.of(0.5), Float32Array.of(-1)]);
  const [one, other] = vectors("float", [0.5, -1], [2, 3]);
  assert.deepEqual([one, other], [Float32Array.of(0.5, -1), Float32Array.of(2, 3)]);
  assert.equal(one.buffer, other.buffer); // views of the same memory
  assert.deepEqual(vectors("float"), []);
  assert.throws(() => vectors("int8", "gAF/", "AA=="), RangeError);
  assert.throws(() => vectors("float", [1], [1, 2]), RangeError);
  assert.throws(() => vectors("float", []), RangeError);
  for (const odd of ["", "AAA=", "AAAAPwA=", "????????"]) assert.throws(() => vectors("base64", odd), RangeError, odd);
});

test("rankings", async () => {
  const documents = ["It rains.", "Paris is in France.", "Where it rains."];
  const settings = { kind: "compatible", base_url: simulator.config().providers.openai.base_url, api_key: "k" };
  const mine = new liter.Client({ providers: { mine: settings } });
  const { results } = await mine.rerank("Where is Paris", documents, { model: "mine/m" });
  assert.deepEqual(results.map(({ index }) => index), [1, 2, 0]);
  await assert.rejects(mine.rerank("x", [], { model: "mine/m" }), { param: "documents" });
});

test("moderations", async () => {
  const { results } = await client.moderate("good");
  assert.deepEqual(results.map(({ flagged }) => flagged), [false]);
  assert.deepEqual(results[0].categories, { violence: false });
  assert.deepEqual(results[0].category_scores, { violence: 0.01 });
  const several = await client.moderate(["good", "violence"], { model: "m", timeout_ms: 5000 });
  assert.deepEqual(several.results.map(({ flagged }) => flagged), [false, true]);
  assert.equal(several.model, "m");
  assert.equal((await client.moderate(ASKED)).results[0].flagged, true);
});

test("stored answers, and a purge", async () => {
  const own = new liter.Client({ ...simulator.config(), cache: { ttl_s: 60 } });
  const ask = async (tenant) => {
    const more = { seed: 7, tenant, cache: { mode: "default" } };
    return (await own.chat("Hello", more)).liter.cache?.tier;
  };
  assert.deepEqual([await ask("a"), await ask("a"), await ask("b")], [undefined, "memory", undefined]);
  assert.deepEqual(await own.purgeCache("a"), { object: "cache.purge", tenant: "a", removed: { memory: 1 } });
  assert.deepEqual([await ask("a"), await ask("b")], [undefined, "memory"]);
  const stream = own.stream("Hello", { seed: 7, tenant: "a" });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0].delta.content ?? "";
  assert.equal(stream.response.liter.cache.tier, "memory");
  assert.equal(text, stream.response.text);
  const many = await Promise.all(Array.from({ length: 20 }, () => own.chat("Hi", { seed: 7 })));
  assert.equal(many.filter(({ liter }) => liter.cache === undefined).length, 1);
  assert.equal(own.metrics().cache.entries, 3);
  await assert.rejects(own.purgeCache("x".repeat(129)), { name: "BadRequestError", param: "tenant" });
  await assert.rejects(own.purgeCache(), TypeError);
  await assert.rejects(own.purgeCache("a", {}), TypeError);
  await assert.rejects(client.purgeCache(""), { name: "UnsupportedError" });
  own.close();
});

test("budgets", async () => {
  const users = { per: "tag:user", usd: "0.002", window: "total" };
  const prices = { "openai/gpt-5-mini": { input: "10", output: "10" } };
  const own = new liter.Client({ ...simulator.config(), budgets: { users }, prices });
  const tags = { user: "ann" };
  const { usd } = (await own.chat("Hello", { tags, max_tokens: 150 })).liter.cost;
  const state = await own.budget("users", "ann");
  assert.deepEqual([state.object, state.spent_usd, state.held_usd], ["budget", usd, "0"]);
  assert.equal((await own.budget("users")).spent_usd, "0");
  const refused = { name: "QuotaExceededError", code: "budget_exceeded", param: "budgets.users" };
  await assert.rejects(own.chat("Hello", { tags, max_tokens: 5000 }), refused);
  assert.deepEqual(await own.budget("users", "ann"), state);
  await assert.rejects(own.budget(), TypeError);
  await assert.rejects(own.budget("users", 1), TypeError);
  await assert.rejects(own.budget("users", "ann", {}), TypeError);
  await assert.rejects(own.budget("nobody"), { name: "NotFoundError" });
  own.close();
});

test("what is wrong rejects", async () => {
  await assert.rejects(client.moderate([]), { name: "BadRequestError", param: "input" });
  await assert.rejects(client.moderate(), { name: "BadRequestError", param: "input" });
  await assert.rejects(client.embed("x"), { name: "BadRequestError", param: "model" });
  await assert.rejects(client.models({ frobnicate: 1 }), { name: "TypeError", message: /frobnicate/ });
  const elsewhere = client.moderate("x", { provider: "anthropic" });
  await assert.rejects(elsewhere, { name: "UnsupportedError", param: "op" });
  const aborted = client.models({ signal: AbortSignal.abort() });
  await assert.rejects(aborted, { name: "AbortError" });
});

test("several answers are refused before anything is sent", async () => {
  const fanout = { targets: ["openai", "openai"] };
  await assert.rejects(client.models({ fanout }), { name: "BadRequestError", attempts: [] });
});

test("counted tokens", async () => {
  const asked = { model: "m", provider: "openai" };
  const answer = await client.countTokens("How many words", asked);
  assert.deepEqual([answer.input_tokens, answer.model, answer.provider], [3, "m", "openai"]);
  const tools = [{ type: "function", function: { name: "f" } }];
  const whole = { system: "Be brief.", prompt: "Why?", tools };
  assert.equal((await client.countTokens(whole, asked)).input_tokens, 4);
  const text = ' {"prompt": "one two", "model": "openai/m", "op": "chat"}\n';
  const padded = Buffer.from(`xx${text}`).subarray(2);
  for (const request of [[{ role: "user", content: "one two" }], JSON.parse(text), new TextEncoder().encode(text), padded]) {
    assert.equal((await client.countTokens(request, { provider: "openai" })).input_tokens, 2);
  }
  const bytes = (json) => new TextEncoder().encode(json);
  for (const request of [bytes("{}"), bytes("[]"), bytes(""), bytes('{"prompt":"x","stream":true}'), { prompt: 1 }]) {
    await assert.rejects(client.countTokens(request), { name: "BadRequestError" });
  }
  await assert.rejects(client.countTokens("x", { provider: "mistral", model: "m" }), liter.UnsupportedError);
});
