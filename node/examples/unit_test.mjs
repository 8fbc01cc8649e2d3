// Tests of your own code, without a provider: a fake stands for the client, and answers as you say.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, RateLimitError } from "@liter-llm/node";

/** @typedef {{prompt: string, max_tokens: number}} Request */
/** @typedef {{chat(request: Request): Promise<{text: string}>}} Model what the code needs of a client */

/**
 * The code that is tested.
 * @param {Model} model
 * @param {string} article
 */
async function summary(model, article) {
  try {
    const prompt = `Summarise in one sentence: ${article}`;
    return (await model.chat({ prompt, max_tokens: 60 })).text;
  } catch (error) {
    if (error instanceof RateLimitError) return `busy, again in ${error.retryAfter ?? 1} s`;
    throw error;
  }
}

test("the article is asked for in one sentence", async () => {
  /** @type {Request[]} */
  const asked = [];
  const fake = {
    chat: async (/** @type {Request} */ request) => {
      asked.push(request);
      return { text: "It rains." };
    },
  };
  assert.equal(await summary(fake, "A long text."), "It rains.");
  assert.deepEqual(asked, [{ prompt: "Summarise in one sentence: A long text.", max_tokens: 60 }]);
});

test("a rate limit says when to ask again", async () => {
  const message = "slow down";
  const error = new RateLimitError({
    error: { kind: "rate_limit", message, retryable: true, retry_after_ms: 7000 },
  });
  const fake = { chat: () => Promise.reject(error) };
  assert.equal(await summary(fake, "A long text."), "busy, again in 7 s");
});

test("a real client fits", () => {
  /** @type {Model} */
  const model = new Client();
  assert.equal(typeof model.chat, "function");
});

after(() => console.log("no provider was asked"));
