// What is asked beside chats: models and moderations.
import assert from "node:assert/strict";
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

test("what is wrong rejects", async () => {
  await assert.rejects(client.moderate([]), { name: "BadRequestError", param: "input" });
  await assert.rejects(client.moderate(), { name: "BadRequestError", param: "input" });
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
