// Every kind of the one error table has its class here, and every member its property.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { inspect } from "node:util";
import * as liter from "../src/index.js";
import { simulator, table } from "./helpers.mjs";

const { KINDS, fromDocument } = createRequire(import.meta.url)("../src/_errors.js");

const INNER = {
  kind: "rate_limit",
  message: "slow down",
  provider: "openai",
  model: "gpt-5",
  status: 429,
  code: "rate_limit_exceeded",
  retryable: true,
  retry_after_ms: 1500,
  request_id: "req_1",
  param: "messages",
  partial: { text: "Hel" },
  attempts: [{ target: "openai/gpt-5", status: 429, kind: "rate_limit", ms: 3 }],
};

for (const { kind, node, retryable, python } of table()) {
  test(kind, () => {
    const error = fromDocument({ error: { kind, message: "m", retryable } });
    assert.equal(error.constructor, liter[node]);
    assert.deepEqual([error.name, error.kind, error.retryable], [node, kind, retryable]);
    assert.ok(error instanceof liter.LiterLLMError && error instanceof Error);
    // The tree is Python's, but for what Python has of its own.
    const base = Object.getPrototypeOf(liter[node]).name;
    assert.equal(base, { Exception: "Error" }[python.bases[0]] ?? python.bases[0]);
  });
}

test("a reason of its own, and the status under two names", () => {
  const error = fromDocument({ error: INNER });
  assert.deepEqual([error.reason, error.statusCode], ["slow down", 429]);
  assert.equal(fromDocument({ error: { ...INNER, reason: "why" } }).reason, "why");
});

test("no kind is left over", () => {
  assert.deepEqual([...KINDS.keys()].sort(), table().map(({ kind }) => kind).sort());
});

test("a kind of a newer engine", () => {
  const error = fromDocument({ error: { kind: "moon_phase", message: "m" } });
  assert.equal(error.constructor, liter.LiterLLMError);
  assert.equal(error.kind, "moon_phase");
});

test("what is absent is not printed, and reads as undefined", () => {
  const error = fromDocument({ error: { kind: "connection", message: "m", retryable: true } });
  assert.doesNotMatch(inspect(error), /undefined/);
  for (const name of ["provider", "status", "retryAfter", "param", "partial"]) {
    assert.ok(name in error && error[name] === undefined, name);
  }
  assert.match(inspect(fromDocument({ error: INNER })), /status: 429/);
});

test("members", () => {
  const error = fromDocument({ error: INNER });
  const { retry_after_ms: after, request_id: requestId, ...same } = INNER;
  for (const [name, value] of Object.entries(same)) assert.deepEqual(error[name], value);
  assert.deepEqual([error.retryAfter, error.requestId], [after / 1000, requestId]);
  assert.deepEqual(error.document, { error: INNER });
  assert.equal(`${error}`, "RateLimitError: slow down");
});

test("absent members", () => {
  const error = new liter.APIConnectionError("gone");
  const absent = ["provider", "model", "status", "code", "retryAfter", "requestId", "param", "partial"];
  for (const name of absent) assert.equal(error[name], undefined);
  assert.deepEqual([error.attempts, error.retryable, error.kind], [[], false, "connection"]);
  assert.equal(error.document.error.kind, "connection");
});

test("the stack shows who called", async function caller() {
  const client = new liter.Client(simulator.case("bad_key"));
  await assert.rejects(client.chat("Hello"), (error) => {
    assert.match(error.stack, /at async #chat .*errors\.test\.mjs/s);
    return true;
  });
});

const REPLIES = {
  html: [liter.APIResponseValidationError, /html|JSON/i],
  html_502: [liter.InternalServerError, /HTML/],
  not_json: [liter.APIResponseValidationError, /JSON/],
  empty_body: [liter.APIResponseValidationError, /empty|JSON/],
  bad_key: [liter.AuthenticationError, /Incorrect API key/],
  forbidden: [liter.PermissionDeniedError, /not allowed/],
  no_model: [liter.NotFoundError, /does not exist/],
  rate_limit: [liter.RateLimitError, /Rate limit/],
  overloaded: [liter.InternalServerError, /Overloaded/],
  cut: [liter.APIConnectionError, /connection|answer/],
  reset: [liter.APIConnectionError, /connection|answer/],
};

for (const [name, [type, message]] of Object.entries(REPLIES)) {
  test(`a bad answer: ${name}`, async () => {
    await assert.rejects(new liter.Client(simulator.case(name)).chat("Hello"), (error) => {
      assert.ok(error instanceof type, error.stack);
      assert.match(error.message, message);
      assert.equal(error.provider, "openai");
      if (name === "rate_limit") assert.deepEqual([error.status, error.retryAfter], [429, 7]);
      return true;
    });
  });
}

test("no answer", async () => {
  const client = new liter.Client(simulator.case("never"));
  await assert.rejects(client.chat("Hello", { timeout_ms: 100 }), liter.APITimeoutError);
});
