// Tests of your own code, without a provider: a fake stands for the client, and answers as you say.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { RateLimitError } from "@liter-llm/node";

/**
 * The code that is tested: it takes what it needs of a client.
 * @param {Pick<import("@liter-llm/node").Client, "chat">} client
 * @param {string} article
 */
async function summary(client, article) {
  const request = { prompt: `Summarise in one sentence: ${article}`, max_tokens: 60 };
  try {
    return (await client.chat(request)).text;
  } catch (error) {
    if (error instanceof RateLimitError) return `busy, again in ${error.retryAfter ?? 1} s`;
    throw error;
  }
}

/** @param {(request: any) => string} reply says an answer's text, or throws */
function fake(reply) {
  /** @type {unknown[]} */
  const asked = [];
  const chat = async (/** @type {any} */ request) => {
    asked.push(request);
    const message = { role: "assistant", content: reply(request) };
    return { object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }], text: message.content };
  };
  return { asked, client: /** @type {import("@liter-llm/node").Client} */ (/** @type {unknown} */ ({ chat })) };
}

test("the article is asked for in one sentence", async () => {
  const { client, asked } = fake(() => "It rains.");
  assert.equal(await summary(client, "A long text about rain."), "It rains.");
  assert.deepEqual(asked, [{ prompt: "Summarise in one sentence: A long text about rain.", max_tokens: 60 }]);
});

test("a rate limit says when to ask again", async () => {
  const error = { kind: /** @type {const} */ ("rate_limit"), message: "slow down", retryable: true, retry_after_ms: 7000 };
  const { client } = fake(() => {
    throw new RateLimitError({ error });
  });
  assert.equal(await summary(client, "x"), "busy, again in 7 s");
});

after(() => console.log("no provider was asked"));
