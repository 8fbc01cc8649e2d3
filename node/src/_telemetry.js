"use strict";
// Spans and meters of calls, through the OpenTelemetry that the program has registered.
//
// An SDK registers itself at a symbol of the global object, which leads to tracers, meters and the
// current context. So nothing is imported here, and a call that nobody looks at costs one look there.

const { codec } = require("./_json.js");
const TABLE = /** @type {any} */ (require("./_semconv.json"));
const { version } = require("../package.json");

const API = Symbol.for("opentelemetry.js.api.1");
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");
const CLIENT = 2;
const ERROR = 2;
/** The longest request that is parsed for a span's name at its begin. The end has the right one. */
const PARSED = 1 << 20;

const settings = { spans: true, metrics: true, attemptSpans: "auto" };
/** @type {{provider: any, instruments: any[]}} */
const meters = { provider: undefined, instruments: [] };

/**
 * What this process's calls tell its OpenTelemetry. Without a call of this it is all.
 * @param {{spans?: boolean, metrics?: boolean, attemptSpans?: string}} [how]
 */
function telemetry({ spans = true, metrics = true, attemptSpans = "auto" } = {}) {
  if (!["auto", "always", "never"].includes(attemptSpans)) {
    throw new TypeError(`attemptSpans is "auto", "always" or "never", not ${attemptSpans}`);
  }
  Object.assign(settings, { spans, metrics, attemptSpans });
}

/**
 * The span of a call that is sent now, as a child of the current one. `undefined`: nobody looks.
 * @param {import("./_request.js").Call} documents
 * @returns {Traced | undefined}
 */
function begin(documents) {
  const api = /** @type {any} */ (globalThis)[API];
  if (api === undefined) return undefined;
  const tracer = settings.spans ? api.trace?.getTracer("liter_llm", version) : undefined;
  const instruments = settings.metrics && api.metrics !== undefined ? instrumentsOf(api.metrics) : [];
  if (tracer === undefined && instruments.length === 0) return undefined;
  return new Traced(api, tracer, instruments, documents);
}

/** @param {any} provider */
function instrumentsOf(provider) {
  if (meters.provider !== provider) {
    const meter = provider.getMeter("liter_llm", version);
    meters.provider = provider;
    meters.instruments = TABLE.metrics.map((/** @type {any} */ row) => {
      const how = { unit: row.unit };
      if (row.kind === "counter") {
        const counter = meter.createCounter(row.name, how);
        return { row, record: counter.add.bind(counter) };
      }
      const advice = { explicitBucketBoundaries: TABLE.seconds };
      const histogram = meter.createHistogram(row.name, { ...how, advice });
      return { row, record: histogram.record.bind(histogram) };
    });
  }
  return meters.instruments;
}

/** The span of one call, and what its meters get. */
class Traced {
  #api;
  #tracer;
  #instruments;
  /** @type {any} */
  #span;
  #open = true;

  /**
   * @param {any} api
   * @param {any} tracer
   * @param {any[]} instruments
   * @param {import("./_request.js").Call} documents
   */
  constructor(api, tracer, instruments, documents) {
    this.#api = api;
    this.#tracer = tracer;
    this.#instruments = instruments;
    /** @type {Record<string, unknown>} */
    const more = {};
    if (tracer !== undefined) {
      const found = atFirst(documents.request);
      const span = tracer.startSpan(spanName(found), { kind: CLIENT, attributes: found });
      const { traceId, spanId, traceFlags, traceState } = span.spanContext();
      if (/[1-9a-f]/.test(traceId) && /[1-9a-f]/.test(spanId)) {
        more.traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
        const state = traceState?.serialize();
        if (state) more.tracestate = state;
      }
      if (span.isRecording()) this.#span = span;
    }
    if (this.#span !== undefined || instruments.length > 0) more.telemetry = true;
    // Of members with one name the last counts: what the caller says.
    const own = String(documents.options).trim();
    const rest = own.startsWith("{") ? own.slice(1) : "}";
    const front = JSON.stringify(more).slice(0, -1);
    const comma = front !== "{" && rest.trim() !== "}" ? "," : "";
    /** The documents of the call, with what goes out for the span. */
    this.documents = { ...documents, options: front + comma + rest };
  }

  /**
   * The call has this answer.
   * @param {any} document
   */
  answered(document) {
    const { liter } = document;
    this.#end({ answer: document, trace: liter?.trace }, liter?.attempts);
  }

  /**
   * The call has failed.
   * @param {any} error
   */
  failed(error) {
    const inner = error?.document?.error;
    if (inner !== undefined) this.#end({ error: inner, trace: inner.trace }, inner.attempts);
    else if (error?.name === "AbortError") this.cancelled();
    else this.#end({ error: { kind: error?.name ?? "Error" } }, undefined);
  }

  /** The caller wants no more of it, unless it has ended. */
  cancelled() {
    this.#end({ error: { kind: "cancelled" } }, undefined);
  }

  /**
   * @param {Record<string, any>} facts
   * @param {any[] | undefined} attempts
   */
  #end(facts, attempts) {
    if (!this.#open) return;
    this.#open = false;
    const found = attributes(TABLE.attributes, facts);
    this.#measure(facts, found);
    const span = this.#span;
    if (span === undefined) return;
    const { trace } = facts;
    if (trace) span.updateName(spanName(found));
    span.setAttributes(found);
    if ("error.type" in found) span.setStatus({ code: ERROR });
    const wanted = settings.attemptSpans;
    if (trace && (wanted === "always" || (wanted === "auto" && trace.attempts.length > 1))) {
      this.#children(trace, attempts ?? []);
    }
    if (trace) span.end(time(trace, trace.total_ms));
    else span.end();
  }

  /**
   * @param {any} trace
   * @param {any[]} attempts
   */
  #children(trace, attempts) {
    const context = this.#api.context?.active().setValue(SPAN, this.#span);
    for (const [number, times] of trace.attempts.entries()) {
      if (number >= attempts.length) return;
      const found = attributes(TABLE.attempt, { times, attempt: attempts[number] });
      found["http.request.method"] = "POST";
      if (number > 0) found["http.request.resend_count"] = number;
      const startTime = time(trace, times.start_ms);
      const child = this.#tracer.startSpan("POST", { kind: CLIENT, attributes: found, startTime }, context);
      if ("error.type" in found) child.setStatus({ code: ERROR });
      child.end(time(trace, times.end_ms));
    }
  }

  /**
   * @param {Record<string, any>} facts
   * @param {Record<string, any>} found
   */
  #measure(facts, found) {
    if (this.#instruments.length === 0) return;
    /** @type {Record<string, unknown>} */
    const labels = {};
    for (const name of TABLE.metric_labels) if (name in found) labels[name] = found[name];
    // What is answered from the cache has used nothing.
    const hit = "liter_llm.cache" in found;
    for (const { row, record } of this.#instruments) {
      const value = written(row.as, at(facts, row.from));
      if (value !== undefined && !(hit && row.kind === "counter")) record(value, labels);
    }
  }
}

/**
 * A time of the call, as seconds and nanoseconds.
 * @param {any} trace
 * @param {number} ms since its begin
 */
function time(trace, ms) {
  const began = BigInt(Math.trunc(Number(trace.start_unix_ns)));
  const ns = began + BigInt(Math.round(ms * 1e6));
  return [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)];
}

/**
 * What samplers see of a call that begins: what its request says.
 * @param {string | Uint8Array} request
 */
function atFirst(request) {
  /** @type {any} */
  let document = {};
  try {
    if (request.length <= PARSED) document = codec.parse(String(request)) ?? {};
  } catch {
    // What is wrong with it, the engine says.
  }
  /** @type {Record<string, any>} */
  const found = { "gen_ai.operation.name": how.operation?.(document.op ?? "chat") };
  const { model } = document;
  if (typeof model === "string" && model !== "") {
    const slash = model.indexOf("/");
    const provider = model.slice(0, Math.max(slash, 0));
    if (slash >= 0) found["gen_ai.provider.name"] = TABLE.providers[provider] ?? provider;
    found["gen_ai.request.model"] = model.slice(slash + 1) || model;
  }
  return found;
}

/**
 * `chat gpt-4.1-mini`, or `chat`.
 * @param {Record<string, any>} found
 */
function spanName(found) {
  const operation = found["gen_ai.operation.name"] ?? "chat";
  const model = found["gen_ai.request.model"];
  return model ? `${operation} ${model}` : operation;
}

/**
 * What the rows of the table find in the facts of a call.
 * @param {any[]} rows
 * @param {Record<string, any>} facts
 * @returns {Record<string, any>}
 */
function attributes(rows, facts) {
  /** @type {Record<string, any>} */
  const found = {};
  for (const row of rows) {
    const value = written(row.as, at(facts, row.from));
    if (value !== undefined) found[row.name] = value;
  }
  return found;
}

/**
 * @param {any} facts
 * @param {string} path
 */
function at(facts, path) {
  for (const name of path.split(".")) facts = facts?.[name];
  return facts ?? undefined;
}

/**
 * @param {string} as
 * @param {any} value
 */
function written(as, value) {
  return value === undefined ? undefined : (how[as]?.(value) ?? undefined);
}

/** @type {Record<string, (value: any) => any>} */
const how = {
  value: (value) => value,
  number: Number,
  seconds: (value) => value / 1000,
  count: (value) => value.length,
  not_one: (value) => (value === 1 ? undefined : value),
  operation: (value) => TABLE.operations[value] ?? value,
  provider: (trace) => TABLE.providers[trace.kind] ?? trace.provider,
  host: (value) => value.slice(0, value.lastIndexOf(":")).replace(/^\[|\]$/g, "") || undefined,
  port: (value) => Number(value.slice(value.lastIndexOf(":") + 1)) || undefined,
  finish_reasons: (choices) =>
    choices.length > 0 ? choices.map((/** @type {any} */ one) => one.finish_reason ?? "error") : undefined,
};

/**
 * Asks with a span, if somebody looks. `ask` returns the parsed document.
 * @template T
 * @param {import("./_request.js").Call} documents
 * @param {(documents: import("./_request.js").Call) => Promise<T>} ask
 * @param {(document: T) => unknown} [which] the answer of a document
 * @returns {Promise<T>}
 */
async function traced(documents, ask, which = (document) => document) {
  const own = begin(documents);
  if (own === undefined) return await ask(documents);
  try {
    const document = await ask(own.documents);
    own.answered(which(document));
    return document;
  } catch (error) {
    own.failed(error);
    throw error;
  }
}

module.exports = { attributes, begin, spanName, telemetry, traced };
