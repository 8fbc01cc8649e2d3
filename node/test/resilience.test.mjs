// Retries, fallback, routes, fan-out and restarted streams, as the package shows them.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as liter from "../src/index.js";
import { noneOpen, run, simulator } from "./helpers.mjs";

const { Client, LiterLLMError } = liter;
const atOnce = { base_ms: 0 };
const targets = (attempts) => attempts.map(({ target }) => target);

/** The error that a promise rejects with. */
const failure = (promise) => promise.then(() => assert.fail("no error"), (error) => error);

test("retries and their attempts", async () => {
  const client = new Client({ ...simulator.case("overloaded_once"), retry: atOnce });
  const { attempts } = (await client.chat("Hello")).liter;
  const [first, second] = attempts.map(({ ms, ...rest }) => (assert.ok(ms >= 0), rest));
  const failed = { status: 503, kind: "unavailable", message: "Overloaded." };
  assert.deepEqual(first, { target: "openai/gpt-5-mini", ...failed });
  assert.deepEqual(second, { target: "openai/gpt-5-mini", status: 200 });
});

test("an error has its attempts", async () => {
  const { providers } = simulator.case("cut");
  const client = new Client({ providers, default_provider: "openai" });
  const error = await failure(client.chat("Hello", { retry: false }));
  assert.ok(error instanceof liter.APIConnectionError);
  assert.equal(error.attempts.length, 1);
  assert.deepEqual([error.attempts[0].kind, error.attempts[0].may_be_billed], ["connection", true]);
});

test("fallback", async () => {
  const client = new Client(simulator.providers("", { bad: "overloaded" }), { retry: false });
  const response = await client.chat("Hello", { provider: "bad", fallback: ["openai"] });
  assert.equal(response.provider, "openai");
  assert.deepEqual(targets(response.liter.attempts), ["bad/gpt-5-mini", "openai/gpt-5-mini"]);
});

const routed = () => {
  const config = simulator.providers("", { bad: "bad_key", other: "" });
  config.routes = { sure: { policy: "priority", targets: ["bad", { target: "other/m" }] } };
  return new Client(config);
};

test("a route as provider", async () => {
  const response = await routed().chat("Hello", { provider: "sure" });
  assert.deepEqual([response.provider, response.model], ["other", "m"]);
});

test("a route as model", async () => {
  const response = await routed().chat("Hello", { model: "sure" });
  assert.deepEqual([response.provider, response.model], ["other", "m"]);
});

test("a fan-out", async () => {
  const client = new Client(simulator.providers("", { bad: "bad_key", never: "never" }));
  const { results, failures } = await client.generateMulti("Hello", ["never", "bad", "openai/gpt-5"]);
  assert.deepEqual(results.map(({ text, model }) => [text, model]), [["You said: Hello", "gpt-5"]]);
  const never = failures.find(({ provider }) => provider === "never");
  assert.ok(never instanceof liter.AbortError);
  assert.ok(failures.every((error) => error instanceof LiterLLMError && error.provider !== "openai"));
  await simulator.waitFor(noneOpen);
});

test("a fan-out has its own targets", async () => {
  const client = new Client(simulator.config(), { fallback: ["cohere"] });
  assert.equal((await client.generateMulti("Hello", ["openai/m"])).results[0].text, "You said: Hello");
  const asked = client.generateMulti("Hello", ["openai/m"], { fallback: ["cohere"] });
  await assert.rejects(asked, { kind: "invalid_request", param: "options.fallback" });
});

test("a fan-out waits for as many answers as are wanted", async () => {
  const client = new Client(simulator.providers("", { slow: "delay_ms=1000", bad: "bad_key" }));
  const messages = [{ role: "user", content: "Hello" }];
  const more = { first: 2, timeout_ms: 5000 };
  const { results, failures } = await client.generateMulti(messages, ["slow", "bad", "openai"], more);
  assert.deepEqual(results.map(({ provider }) => provider), ["openai", "slow"]);
  assert.equal(failures.length, 1);
  assert.ok(failures[0] instanceof liter.AuthenticationError);
  assert.deepEqual([failures[0].provider, failures[0].attempts.length], ["bad", 1]);
  const bytes = Buffer.from('{"prompt":"Hello"}');
  assert.deepEqual((await client.generateMulti(bytes, ["openai"])).failures, []);
});

test("a fan-out that is aborted", async () => {
  const client = new Client(simulator.providers("", { never: "never" }));
  const controller = new AbortController();
  const { signal } = controller;
  const error = failure(client.generateMulti("Hello", ["never"], { signal }));
  await simulator.waitFor((stats) => stats.requests_open > 0);
  controller.abort();
  assert.equal(await error, signal.reason);
  await simulator.waitFor(noneOpen);
});

test("a fan-out that nobody answers", async () => {
  const client = new Client(simulator.providers("", { bad: "bad_key", worse: "forbidden" }));
  const error = await failure(client.generateMulti("Hello", ["bad", "worse"]));
  assert.ok(error instanceof LiterLLMError);
  assert.deepEqual(targets(error.attempts).sort(), ["bad/gpt-5-mini", "worse/gpt-5-mini"]);
});

test("wrong arguments of a fan-out", async () => {
  const client = new Client(simulator.config());
  await assert.rejects(client.generateMulti("Hello", []), /fanout\.targets/);
  await assert.rejects(client.generateMulti("Hello", ["openai"], { first: 2 }), /fanout/);
  await assert.rejects(client.generateMulti("Hello", ["nobody"]), liter.NotFoundError);
  await assert.rejects(client.generateMulti("Hello", "openai"), TypeError);
  await assert.rejects(client.generateMulti("Hello", ["openai"], 1), TypeError);
});

const fanout = { targets: ["openai"] };
const json = '{"prompt":"Hello","options":{"fanout":{"targets":["openai"]}}}';
const WAYS = {
  member: ["Hello", { fanout }],
  option: ["Hello", { options: { fanout } }],
  request: [{ prompt: "Hello", options: { fanout } }],
  bytes: [Buffer.from(json)],
};
for (const [name, way] of Object.entries(WAYS)) {
  test(`fanout is not for one answer: ${name}`, async () => {
    const client = new Client(simulator.config());
    const error = await failure(client.chat(...way));
    assert.ok(error instanceof liter.BadRequestError);
    assert.match(error.message, /generateMulti/);
    assert.equal(error.param, "options.fanout");
    // Of streams it gives the one that begins first.
    assert.equal(await client.stream(...way).text(), "You said: Hello");
  });
}

test("fanout is not for one answer: invokeSync", async () => {
  const script = `try { liter.invokeSync(null, ${JSON.stringify(json)}); } catch (e) { console.log(e.param) }`;
  assert.equal(await run(script), "options.fanout\n");
});

const restarting = () => ({ ...simulator.case("broken_once"), retry: atOnce });

test("a stream that begins anew", async () => {
  const stream = new Client(restarting(), { on_break: "restart" }).stream("Hello");
  let text = "";
  const resets = [];
  for await (const chunk of stream) {
    if (chunk.object === "chat.completion.reset") {
      assert.ok(chunk instanceof liter.Reset);
      assert.deepEqual([chunk.text, chunk.choices[0].delta, chunk.usage], ["", {}, undefined]);
      resets.push([text, chunk.reason, JSON.stringify(chunk)]);
      text = "";
    } else {
      assert.ok(chunk instanceof liter.Chunk);
      text += chunk.text;
    }
  }
  const choice = { index: 0, delta: {}, finish_reason: null };
  const document = JSON.stringify({ object: "chat.completion.reset", choices: [choice], reason: "stream_broken" });
  assert.deepEqual(resets, [["Hel", "stream_broken", document]]);
  assert.deepEqual([text, stream.response.text], ["Hi", "Hi"]);
  assert.equal(stream.response.liter.attempts.length, 2);
});

test("the whole text of a stream that begins anew", async () => {
  const stream = new Client(restarting()).stream("Hello", { on_break: "restart" });
  assert.equal(await stream.text(), "Hi");
});

test("a collected stream begins anew by default", async () => {
  const stream = new Client(restarting()).stream("Hello");
  assert.equal((await stream.result()).liter.attempts.length, 2);
  assert.equal(await stream.text(), "Hi");
  const shown = new Client(restarting()).stream("Hello");
  assert.equal((await shown.next()).value.text, "Hel");
  await assert.rejects(shown.text(), liter.StreamBrokenError);
  const off = new Client(restarting(), { on_break: "error" }).stream("Hello");
  assert.equal((await failure(off.text())).partial.text, "Hel");
});

test("every member of a configuration", async () => {
  const config = simulator.providers("", { other: "" });
  Object.assign(config.providers.other, {
    region: "eu",
    limits: { requests_per_minute: 600, tokens_per_minute: 90_000, max_in_flight: 8 },
    models: { m: { limits: { max_in_flight: 4 } } },
    idempotency_header: "idempotency-key",
    health_probe: { interval_ms: 10_000 },
    auth: { header: "api-key", bearer: false },
    query: { "api-version": "1" },
    body: { top_k: 5 },
    switches: {
      path: "/chat/completions",
      max_tokens: "max_tokens",
      sampling: ["temperature", "top_p", "seed"],
      stream_options: false,
      needs_done: true,
      reasoning_back: "none",
      developer_role: true,
      parallel_tool_calls: false,
      extra_content: false,
    },
  });
  const parameters = { max_tokens: 9, temperature: 0.1, top_p: 0.9, seed: 1 };
  Object.assign(parameters, { reasoning: { effort: "low" }, extra: { other: { service_tier: "flex" } } });
  const target = { target: "other/m", region: "eu", weight: 2, parameters };
  const retry = { max_attempts: 2, base_ms: 1, cap_ms: 2, max_wait_ms: 3 };
  Object.assign(config, {
    routes: { r: { policy: "weighted", targets: [target], retry, hedge: false } },
    retry: false,
    retry_budget: { percent: 10, per_second: 1 },
    hedge: { after_ms: "p95", max: 1 },
    breaker: false,
    limit: { wait: false },
    learn_limits: false,
  });
  const options = { region: "eu", sticky_key: "user-1", idempotency_key: "once", on_break: "error" };
  Object.assign(options, { limit: { wait: true }, hedge: { after_ms: 5000 }, retry });
  Object.assign(options, { adapt: true, drop_refused: true });
  const more = { provider: "r", headers: { "x-team": "blue" } };
  const response = await new Client(config, options).chat("Hello", more);
  assert.deepEqual([response.provider, response.warnings], ["other", []]);
});
