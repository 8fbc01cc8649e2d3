"use strict";
// Spans and meters of calls, through the OpenTelemetry that the program has registered.
//
// An SDK registers itself at a symbol of the global object, which leads to tracers, meters and the
// current context. So nothing is imported here, and a call that nobody looks at costs one look there.
// Whatever the SDK throws, the call goes on.

const { at, attributes, how, spanName, written } = require("./_facts.js");
const { codec } = require("./_json.js");
const TABLE = /** @type {any} */ (require("./_semconv.json"));
const { version } = require("../package.json");

const API = Symbol.for("opentelemetry.js.api.1");
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");
const PARENT = '"traceparent"';
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
  const tracer = quietly(() => (settings.spans ? api.trace?.getTracer("liter_llm", version) : undefined));
  const wanted = settings.metrics && api.metrics !== undefined;
  const instruments = (wanted && quietly(() => instrumentsOf(api.metrics))) || [];
  if (tracer === undefined && instruments.length === 0) return undefined;
  return new Traced(api, tracer, instruments, documents);
}

/**
 * What a function of the SDK returns; `undefined` if it throws.
 * @template T
 * @param {() => T} ask
 * @returns {T | undefined}
 */
function quietly(ask) {
  try {
    return ask();
  } catch {
    return undefined;
  }
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
    if (tracer !== undefined) quietly(() => this.#start(documents.request, more));
    if (this.#span !== undefined || instruments.length > 0) more.telemetry = true;
    // Of members with one name the last counts: what the caller says.
    const own = String(documents.options).trim();
    if (saysParent(documents.request, own)) {
      delete more.traceparent;
      delete more.tracestate;
    }
    const rest = own.startsWith("{") ? own.slice(1) : "}";
    const front = JSON.stringify(more).slice(0, -1);
    const comma = front !== "{" && rest.trim() !== "}" ? "," : "";
    /** The documents of the call, with what goes out for the span. */
    this.documents = { ...documents, options: front + comma + rest };
  }

  /**
   * @param {string | Uint8Array} request
   * @param {Record<string, unknown>} more gets what goes out for the span
   */
  #start(request, more) {
    const found = atFirst(request);
    const span = this.#tracer.startSpan(spanName(found), { kind: CLIENT, attributes: found });
    this.#span = span; // it ends, whatever comes now
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    if (/[1-9a-f]/.test(traceId) && /[1-9a-f]/.test(spanId)) {
      const state = traceState?.serialize();
      more.traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
      if (state) more.tracestate = state;
    }
    if (!span.isRecording()) this.#span = undefined;
  }

  /**
   * The call has this answer.
   * @param {any} document
   */
  answered(document) {
    const liter = document?.liter;
    this.#end({ answer: document, trace: liter?.trace }, liter?.attempts);
  }

  /**
   * The call has failed.
   * @param {any} error
   */
  failed(error) {
    const inner = quietly(() => error?.document?.error);
    if (inner !== undefined) this.#end({ error: inner, trace: inner.trace }, inner.attempts);
    else {
      const name = quietly(() => error?.name);
      if (name === "AbortError") this.cancelled();
      else this.#end({ error: { kind: typeof name === "string" ? name : "Error" } }, undefined);
    }
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
    const found = quietly(() => attributes(TABLE.attributes, facts)) ?? {};
    quietly(() => this.#measure(facts, found));
    const span = this.#span;
    if (span === undefined) return;
    const { trace } = facts;
    quietly(() => this.#tell(found, trace, attempts ?? []));
    quietly(() => (trace ? span.end(time(trace, trace.total_ms)) : span.end()));
  }

  /**
   * @param {Record<string, any>} found
   * @param {any} trace
   * @param {any[]} attempts
   */
  #tell(found, trace, attempts) {
    const span = this.#span;
    if (trace) span.updateName(spanName(found));
    span.setAttributes(found);
    if ("error.type" in found) span.setStatus({ code: ERROR });
    const wanted = settings.attemptSpans;
    if (trace && (wanted === "always" || (wanted === "auto" && trace.attempts.length > 1))) {
      this.#children(trace, attempts);
    }
  }

  /**
   * @param {any} trace
   * @param {any[]} attempts
   */
  #children(trace, attempts) {
    const around = this.#api.context?.active() ?? new Context(new Map());
    const context = around.setValue(SPAN, this.#span);
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

/** A context of OpenTelemetry, for a program that has set no context manager. */
class Context {
  #values;

  /** @param {Map<symbol, unknown>} values */
  constructor(values) {
    this.#values = values;
  }

  /** @param {symbol} key */
  getValue(key) {
    return this.#values.get(key);
  }

  /**
   * @param {symbol} key
   * @param {unknown} value
   */
  setValue(key, value) {
    return new Context(new Map(this.#values).set(key, value));
  }

  /** @param {symbol} key */
  deleteValue(key) {
    return new Context(new Map([...this.#values].filter(([own]) => own !== key)));
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
 * The members of a request. What is wrong with it, the engine says.
 * @param {string | Uint8Array} request
 * @returns {any}
 */
function parsed(request) {
  return quietly(() => codec.parse(typeof request === "string" ? request : view(request).toString())) ?? {};
}

/** @param {Uint8Array} bytes */
function view({ buffer, byteOffset, byteLength }) {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/**
 * Whether the caller gives a trace context. Then ours goes out in no part.
 * @param {string | Uint8Array} request
 * @param {string} options
 */
function saysParent(request, options) {
  if (options.includes(PARENT)) return true;
  // Most requests are not parsed for it.
  const has = (typeof request === "string" ? request : view(request)).includes(PARENT);
  const own = has ? parsed(request).options : undefined;
  return typeof own === "object" && own !== null && "traceparent" in own;
}

/**
 * What samplers see of a call that begins: what its request says.
 * @param {string | Uint8Array} request
 */
function atFirst(request) {
  const document = request.length <= PARSED ? parsed(request) : {};
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
  let document;
  try {
    document = await ask(own.documents);
  } catch (error) {
    own.failed(error);
    throw error;
  }
  own.answered(which(document));
  return document;
}

/**
 * As `traced`, for a call that blocks.
 * @template T
 * @param {import("./_request.js").Call} documents
 * @param {(documents: import("./_request.js").Call) => T} ask
 * @returns {T}
 */
function tracedSync(documents, ask) {
  const own = begin(documents);
  if (own === undefined) return ask(documents);
  let document;
  try {
    document = ask(own.documents);
  } catch (error) {
    own.failed(error);
    throw error;
  }
  own.answered(document);
  return document;
}

module.exports = { begin, telemetry, traced, tracedSync };
