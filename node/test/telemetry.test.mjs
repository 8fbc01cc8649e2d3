// Spans and meters of calls, by OpenTelemetry's own SDK: each under its parent, none astray.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { Worker } from "node:worker_threads";
import { context, createTraceState, metrics, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { AuthenticationError, Client, StreamBrokenError, telemetry } from "../src/index.js";
import { PACKAGE, ROOT, simulator, until } from "./helpers.mjs";

const { attributes, spanName } = createRequire(import.meta.url)("../src/_facts.js");
const TABLE = JSON.parse(readFileSync(join(ROOT, "bindings/conformance/semconv.json"), "utf8"));
const MANY = 1000;

const parents = [];
const states = [];
const server = createServer((request, answer) => {
  parents.push(request.headers.traceparent);
  states.push(request.headers.tracestate);
  request.resume();
  request.on("end", () => {
    const message = { role: "assistant", content: "ok" };
    const usage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 };
    answer.setHeader("content-type", "application/json");
    answer.end(JSON.stringify({ model: "m-1", choices: [{ index: 0, message, finish_reason: "stop" }], usage }));
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const base_url = `http://127.0.0.1:${server.address().port}`;
const config = { providers: { mine: { kind: "compatible", base_url, api_key: "k" } }, retry: false };

const unwatched = await new Client(config).chat("Hi", { model: "mine/m" });

const exporter = new InMemorySpanExporter();
const register = (more) => {
  trace.disable();
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)], ...more }),
  );
};
const spans = () =>
  exporter.getFinishedSpans().filter((span) => span.instrumentationScope.name === "liter_llm");

// Before there is a context manager: the children are found by the span itself.
register();
await new Client({ ...simulator.case("overloaded_once"), retry: { base_ms: 1 } }).chat("Hi");
const alone = spans();
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

beforeEach(() => {
  register();
  exporter.reset();
});
after(() => server.close());

for (const entry of TABLE.cases) {
  test(`the table: ${entry.about}`, () => {
    const { answer, error } = entry;
    const found = attributes(TABLE.attributes, { answer, error, trace: (answer?.liter ?? error).trace });
    assert.deepEqual(found, entry.attributes);
    assert.equal(spanName(found), entry.span);
  });
}

test("nobody listens", () => {
  assert.equal(parents[0], undefined);
  assert.equal(unwatched.liter.trace, undefined);
});

test("without a context manager attempts are children", () => {
  const [first, second, call] = alone;
  assert.deepEqual([alone.length, call.name], [3, "chat gpt-5-mini"]);
  for (const child of [first, second]) {
    assert.equal(child.parentSpanContext?.spanId, call.spanContext().spanId);
    assert.equal(child.spanContext().traceId, call.spanContext().traceId);
  }
});

test("a thousand calls under a thousand parents", async () => {
  const client = new Client({ ...config, max_in_flight: 64 });
  const before = parents.length;
  const tracer = trace.getTracer("test");
  const one = (number) =>
    tracer.startActiveSpan("parent", { attributes: { number } }, async (span) => {
      await client.chat("Hi", { model: "mine/m", max_tokens: number + 1 });
      span.end();
    });
  let next = 0;
  const some = async () => {
    while (next < MANY) await one(next++);
  };
  await Promise.all(Array.from({ length: 32 }, some));
  const own = exporter.getFinishedSpans().filter((span) => span.name === "parent");
  const numbers = new Map(own.map((span) => [span.spanContext().spanId, span.attributes.number]));
  assert.equal(spans().length, MANY);
  const sent = new Set(parents.slice(before));
  const seen = new Set();
  for (const span of spans()) {
    const number = numbers.get(span.parentSpanContext.spanId);
    assert.equal(span.attributes["gen_ai.request.max_tokens"], number + 1);
    seen.add(number);
    const { traceId, spanId, traceFlags } = span.spanContext();
    assert.ok(sent.has(`00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`));
  }
  assert.deepEqual([seen.size, sent.size], [MANY, MANY]);
});

test("a span has what the answer has", async () => {
  const answer = await new Client(config).chat("Hi", { model: "mine/m" });
  const [span] = spans();
  assert.deepEqual([span.name, span.kind], ["chat m", SpanKind.CLIENT]);
  assert.equal(span.attributes["liter_llm.request_id"], answer.liter.request_id);
  assert.equal(span.attributes["gen_ai.usage.input_tokens"], 3);
  assert.equal(span.attributes["server.port"], server.address().port);
  assert.ok(span.duration[0] > 0 || span.duration[1] > 0);
});

test("several attempts are children", async () => {
  const client = new Client({ ...simulator.case("overloaded_once"), retry: { base_ms: 1 } });
  await client.chat("Hi");
  const children = spans().filter((span) => span.name === "POST");
  const [call] = spans().filter((span) => span.name !== "POST");
  assert.deepEqual(children.map((span) => span.attributes["http.response.status_code"]), [503, 200]);
  assert.ok(children.every((span) => span.parentSpanContext.spanId === call.spanContext().spanId));
  assert.equal(call.attributes["liter_llm.attempts"], 2);
});

test("a failure has its kind and no message", async () => {
  await assert.rejects(new Client(simulator.case("bad_key")).chat("Hi"));
  const [span] = spans();
  assert.equal(span.attributes["error.type"], "authentication");
  assert.equal(span.status.code, SpanStatusCode.ERROR);
  assert.ok(!JSON.stringify([span.attributes, span.status, span.events]).includes("Incorrect"));
});

test("streams end: whole, broken, closed, left", async () => {
  for await (const chunk of new Client(simulator.config()).stream("Hi")) assert.ok(chunk);
  await assert.rejects(async () => {
    for await (const chunk of new Client(simulator.case("broken_stream")).stream("Hi")) assert.ok(chunk);
  }, StreamBrokenError);
  const client = new Client(simulator.config("chunks=50,delay_ms=20"));
  for await (const chunk of client.stream("Hi")) {
    assert.ok(chunk);
    break;
  }
  await (async () => void (await client.stream("Hi").next()))();
  await until(() => {
    globalThis.gc();
    return spans().length === 4;
  });
  const kinds = spans().map((span) => span.attributes["error.type"]);
  assert.deepEqual(kinds, [undefined, "stream_broken", "cancelled", "cancelled"]);
});

test("an aborted call, a hit and a fan-out", async () => {
  const controller = new AbortController();
  const never = new Client(simulator.case("never")).chat("Hi", { signal: controller.signal });
  controller.abort();
  await assert.rejects(never);
  assert.equal(spans()[0].attributes["error.type"], "cancelled");
  const client = new Client({ ...config, cache: {} });
  for (let i = 0; i < 2; i++) await client.chat("Hi", { model: "mine/m", temperature: 0 });
  assert.equal(spans()[2].attributes["liter_llm.cache"], "memory");
  await client.generateMulti("Hi", ["mine/m", "mine/n"], { first: 2 });
  assert.equal(spans().length, 4);
});

test("a sampler that is off still sends the context", async () => {
  register({ sampler: new AlwaysOffSampler() });
  const before = parents.length;
  const answer = await new Client(config).chat("Hi", { model: "mine/m" });
  assert.deepEqual([spans().length, answer.liter.trace], [0, undefined]);
  assert.match(parents[before], /-00$/);
});

test("a worker without OpenTelemetry has no spans", async () => {
  const code = `import(${JSON.stringify(PACKAGE)}).then(async ({ default: { Client } }) => {
    const answer = await new Client(${JSON.stringify(config)}).chat("Hi", { model: "mine/m" });
    require("node:worker_threads").parentPort.postMessage(answer.liter.trace === undefined);
  })`;
  const worker = new Worker(code, { eval: true });
  const [without] = await once(worker, "message");
  assert.deepEqual([without, spans().length], [true, 0]);
  await worker.terminate();
});

test("spans can be switched off", async () => {
  telemetry({ spans: false });
  await new Client(config).chat("Hi", { model: "mine/m" });
  telemetry();
  assert.equal(spans().length, 0);
  assert.throws(() => telemetry({ attemptSpans: "sometimes" }), TypeError);
});

test("meters", async () => {
  const kept = new InMemoryMetricExporter(1);
  const reader = new PeriodicExportingMetricReader({ exporter: kept, exportIntervalMillis: 60_000 });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  const client = new Client(config);
  for (let i = 0; i < 3; i++) await client.chat("Hi", { model: "mine/m" });
  await reader.forceFlush();
  const [{ scopeMetrics }] = kept.getMetrics();
  const points = new Map(scopeMetrics[0].metrics.map((own) => [own.descriptor.name, own.dataPoints[0]]));
  assert.equal(points.get("gen_ai.client.inference.duration").value.count, 3);
  assert.equal(points.get("gen_ai.client.inference.usage.input_tokens").value, 9);
  metrics.disable();
  await reader.shutdown();
});

test("the caller's own trace context goes out alone", async () => {
  const state = createTraceState("theirs=1");
  const sampler = { shouldSample: () => ({ decision: 2, traceState: state }), toString: () => "stating" };
  register({ sampler });
  const before = parents.length;
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const client = new Client(config);
  await client.chat("Hi", { model: "mine/m" });
  await client.chat("Hi", { model: "mine/m", traceparent });
  const raw = JSON.stringify({ model: "mine/m", prompt: "Hi", options: { traceparent } });
  await client.chat(new TextEncoder().encode(raw));
  await client.chat(new TextEncoder().encode(JSON.stringify({ model: "mine/m", prompt: 'a "traceparent"' })));
  assert.deepEqual(states.slice(before), ["theirs=1", undefined, undefined, "theirs=1"]);
  assert.deepEqual(parents.slice(before + 1, before + 3), [traceparent, traceparent]);
  assert.notEqual(parents[before + 3], traceparent);
  assert.equal(spans().length, 4);
});

for (const where of ["onStart", "onEnd"]) {
  test(`a processor that throws in ${where} fails no call`, async () => {
    const wrong = () => {
      throw new RangeError("a processor");
    };
    const broken = { onStart() {}, onEnd() {}, shutdown: async () => {}, forceFlush: async () => {}, [where]: wrong };
    register({ spanProcessors: [new SimpleSpanProcessor(exporter), broken] });
    const client = new Client(simulator.config());
    assert.ok((await client.chat("Hi")).text);
    assert.ok(await client.stream("Hi").text());
    for await (const chunk of client.stream("Hi")) {
      assert.ok(chunk);
      break;
    }
    assert.equal((await client.generateMulti("Hi", ["openai/gpt-5-mini"])).results.length, 1);
    await assert.rejects(new Client(simulator.case("bad_key")).chat("Hi"), AuthenticationError);
    const slow = new Client(simulator.config("chunks=50,delay_ms=20"));
    let collected = false;
    const registry = new FinalizationRegistry(() => (collected = true));
    await (async () => {
      const left = slow.stream("Hi");
      registry.register(left, 1);
      await left.next();
    })();
    await until(() => {
      globalThis.gc();
      return collected && slow.metrics().in_flight === 0;
    });
    assert.equal(spans().length, where === "onStart" ? 0 : 6);
  });
}

test("what asks no provider has no span", async () => {
  const client = new Client({ ...config, cache: {}, budgets: { all: { usd: "1", window: "total" } } });
  await client.budget("all");
  await client.purgeCache("ann");
  assert.equal(spans().length, 0);
});
