"use strict";
// The client, and the short forms `invoke`, `invokeSync` and `generate`.

const { addon, NativeClient } = require("./_native.js");
const { readConfig } = require("./_config.js");
const { fromDocument, misuse } = require("./_errors.js");
const { answer, explain } = require("./_explain.js");
const { codec, encode, stringify } = require("./_json.js");
const { embeddings, response } = require("./_models.js");
const { multiResponse } = require("./_multi.js");
const { SINGLE, WHOLE, call, state } = require("./_queue.js");
const { REQUEST_NAMES } = require("./_names.js");
const { checkDefaults, checkHow, checkMembers, checkNoMore, Defaults, given, withOperation } = require("./_request.js");
const { Stream } = require("./_stream.js");
const { traced, tracedSync } = require("./_telemetry.js");
const { warn, warnOf } = require("./_warnings.js");

/** @typedef {import("./_request.js").Members} Members */

/** @type {(client: Client, request: unknown, more: Members) => any} blocks the thread */
let callSync;
/** @type {(client: Client, request: unknown, more: Members) => Promise<any>} */
let callWhole;

const FIRST = "members of the request and options go into the first";
const SECOND = "members of the request and options go into the second";
const THIRD = "members of the request and options go into the third";
/** Which argument of an operation has the members that are not arguments themselves. */
const PLACES = { embed: SECOND, rerank: THIRD, models: FIRST, moderate: SECOND };

class Client {
  #native;
  #defaults;

  /**
   * @param {unknown} [config]
   * @param {Members | null} [given]
   */
  constructor(config, given) {
    const options = checkDefaults(given);
    if (config instanceof NativeClient) {
      this.#defaults = new Defaults(options);
      this.#native = config;
    } else {
      const made = readConfig(config, options);
      this.#defaults = new Defaults(made.options);
      this.#native = new NativeClient(made.document);
    }
  }

  /**
   * @param {unknown} [request]
   * @param {Members} [more]
   * @param {unknown[]} others
   * @returns {Promise<any>}
   */
  chat(request, more, ...others) {
    return answer(this.#chat(request, more, others));
  }

  /**
   * @param {unknown} request
   * @param {Members | undefined} more
   * @param {readonly unknown[]} others
   * @returns {Promise<any>}
   */
  async #chat(request, more, others) {
    checkNoMore(others, SECOND);
    const documents = this.#defaults.documents(request, more);
    // The types promise a whole answer for bytes, whose members they do not see.
    if (typeof documents.request !== "string") checkWhole(documents, "calls of chat with bytes");
    if (documents.stream === true) return new Stream(this.#native, documents);
    return await this.#ask(documents); // awaited, so that an error's stack names the caller
  }

  /**
   * @param {unknown} input
   * @param {Members} [more]
   * @param {unknown[]} others
   * @returns {Promise<any>}
   */
  embed(input, more, ...others) {
    const asked = this.#operation({ op: "embed", input }, more, others);
    return answer(asked.then(embeddings));
  }

  /**
   * @param {unknown} query
   * @param {unknown} documents
   * @param {Members} [more]
   * @param {unknown[]} others
   * @returns {Promise<any>}
   */
  rerank(query, documents, more, ...others) {
    return answer(this.#operation({ op: "rerank", query, documents }, more, others));
  }

  /**
   * @param {Members} [more]
   * @param {unknown[]} others
   * @returns {Promise<any>}
   */
  models(more, ...others) {
    return answer(this.#operation({ op: "models" }, more, others));
  }

  /**
   * @param {unknown} [request]
   * @param {Members} [more]
   * @param {unknown[]} others
   * @returns {Promise<any>}
   */
  countTokens(request, more, ...others) {
    return answer(this.#count(request, more, others));
  }

  /**
   * @param {unknown} request
   * @param {Members | undefined} more
   * @param {readonly unknown[]} others
   */
  async #count(request, more, others) {
    checkNoMore(others, SECOND);
    const documents = this.#defaults.documents(request, more);
    return await this.#ask({ ...documents, request: withOperation(documents.request, "count_tokens") });
  }

  /**
   * @param {unknown} input
   * @param {Members} [more]
   * @param {unknown[]} others
   * @returns {Promise<any>}
   */
  moderate(input, more, ...others) {
    return answer(this.#operation({ op: "moderate", input }, more, others));
  }

  /**
   * @param {string} tenant
   * @param {unknown[]} others
   * @returns {Promise<any>}
   */
  purgeCache(tenant, ...others) {
    return answer(this.#purge(tenant, others));
  }

  /**
   * @param {unknown} tenant
   * @param {readonly unknown[]} others
   */
  async #purge(tenant, others) {
    if (typeof tenant !== "string") throw new TypeError("tenant is a string; '' for calls without one");
    if (others.length > 0) throw new TypeError("purgeCache takes one argument, the tenant");
    return await this.#askHere({ op: "cache_purge", tenant });
  }

  /**
   * @param {string} name
   * @param {string} [value]
   * @param {unknown[]} others
   * @returns {Promise<any>}
   */
  budget(name, value = "", ...others) {
    return answer(this.#budget(name, value, others));
  }

  /**
   * @param {unknown} name
   * @param {unknown} value
   * @param {readonly unknown[]} others
   */
  async #budget(name, value, others) {
    if (typeof name !== "string") throw new TypeError("name is a string, that of a budget");
    if (typeof value !== "string") throw new TypeError("value is a string, that of the budget's per");
    if (others.length > 0) throw new TypeError("budget takes two arguments, the name and a value");
    return await this.#askHere({ op: "budget", name, value });
  }

  /**
   * Asks the engine itself. No provider is asked, so there is no span.
   * @param {Members} members
   */
  async #askHere(members) {
    const request = stringify(members, "request");
    const documents = { request, options: "{}", signal: undefined, stream: undefined };
    return response(codec.parse(await call(this.#native, WHOLE | SINGLE, documents)));
  }

  /**
   * @param {Members & {op: keyof typeof PLACES}} request
   * @param {Members | undefined} more
   * @param {readonly unknown[]} others
   */
  async #operation(request, more, others) {
    checkNoMore(others, PLACES[request.op]);
    const names = REQUEST_NAMES[request.op];
    return await this.#ask(this.#defaults.documents(request, more, names));
  }

  /**
   * Sends a request and waits for its one answer.
   * @param {import("./_request.js").Call} documents
   * @returns {Promise<any>}
   */
  async #ask(documents) {
    const ask = async (/** @type {import("./_request.js").Call} */ sent) =>
      codec.parse(await call(this.#native, WHOLE | SINGLE, sent));
    const document = await traced(documents, ask);
    if (document.warnings?.length > 0) warnOf(this.#native, document);
    return response(document);
  }

  /**
   * @param {unknown} request
   * @param {readonly string[]} targets
   * @param {Members} [more]
   * @param {unknown[]} others
   * @returns {Promise<any>}
   */
  generateMulti(request, targets, more, ...others) {
    return answer(this.#multi(request, targets, more, others));
  }

  /**
   * @param {unknown} request
   * @param {readonly string[]} targets
   * @param {Members | undefined} more
   * @param {readonly unknown[]} others
   */
  async #multi(request, targets, more, others) {
    checkNoMore(others, THIRD);
    if (!Array.isArray(targets)) throw new TypeError("targets is a list of 'provider/model'");
    const { first, ...members } = checkMembers(more);
    members.fanout = { targets, first };
    // The client's fallback stands in for a target that fails. A fan-out gives its targets itself.
    const { fallback: _, ...own } = this.#defaults.options;
    const documents = new Defaults(own).documents(request, members);
    checkWhole(documents, "fan-outs");
    const ask = async (/** @type {import("./_request.js").Call} */ sent) =>
      codec.parse(await call(this.#native, WHOLE, sent));
    const multi = multiResponse(await traced(documents, ask, (document) => document.results[0]));
    for (const result of multi.results) warnOf(this.#native, result);
    return multi;
  }

  /**
   * @param {unknown} [request]
   * @param {Members} [more]
   * @param {unknown[]} others
   */
  stream(request, more, ...others) {
    checkNoMore(others, SECOND);
    const documents = this.#defaults.documents(request, more);
    if (documents.stream === false) {
      throw new TypeError("stream is false, but this is client.stream: ask with client.chat");
    }
    return new Stream(this.#native, documents);
  }

  /** @param {Members} options */
  withOptions(options) {
    return new Client(this.#native, { ...this.#defaults.options, ...given(checkDefaults(options)) });
  }

  /** @param {string} [format] */
  metrics(format = "json") {
    if (format !== "json" && format !== "prometheus") {
      throw new TypeError(`format is "json" or "prometheus", not ${format}`);
    }
    const document = this.#native.metrics(format);
    return format === "json" ? codec.parse(document) : document;
  }

  get closed() {
    return this.#native.closed;
  }

  /** @param {{graceMs?: number}} [how] */
  async close(how) {
    const { graceMs = 0 } = checkHow(how, ["graceMs"]);
    if (!(Number(graceMs) >= 0)) throw new TypeError("graceMs is a number of milliseconds");
    await this.#native.close(graceMs);
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }

  static {
    callSync = (client, request, more) => {
      const documents = client.#defaults.documents(request, more);
      checkWhole(documents, "invoke and invokeSync");
      const ask = (/** @type {import("./_request.js").Call} */ sent) => {
        const [status, document] = addon.call(client.#native.handle, sent.request, sent.options);
        const own = document === undefined ? undefined : codec.parse(document);
        if (own === undefined) throw misuse(status);
        if (status !== 0) throw fromDocument(own);
        return own;
      };
      const parsed = tracedSync(documents, ask);
      warnOf(client.#native, parsed);
      return response(parsed);
    };
    callWhole = async (client, request, more) => {
      const documents = client.#defaults.documents(request, more);
      checkWhole(documents, "invoke and generate");
      return await client.#ask(documents);
    };
  }
}

explain(Client.prototype.chat, {
  completions:
    "there is no client.chat.completions: the call is client.chat(messages, { model: … })",
});
explain(Client.prototype.models, {
  list: "there is no client.models.list: the call is client.models()",
});

/**
 * @param {import("./_request.js").Call} documents
 * @param {string} name what waits for whole answers
 */
function checkWhole({ stream }, name) {
  if (stream !== true) return;
  throw new TypeError(`stream is true, but ${name} wait for the whole answer: use client.stream`);
}

/** @type {Client | undefined} */
let made;

/** This environment's own client. It is made from the environment variables at the first use. */
function defaultClient() {
  return (made ??= new Client());
}

/** @param {unknown} request an object, or JSON */
function json(request) {
  if (typeof request !== "string") return request;
  return encode(request, "request", "give a prompt as { prompt: … }");
}

/**
 * @param {unknown} provider
 * @returns {string | undefined}
 */
function nameOf(provider) {
  if (provider === null || provider === undefined || typeof provider === "string") {
    return provider || undefined;
  }
  throw new TypeError(
    `the first argument is the provider's name, or null, not of type ${typeof provider}: ` +
      "the request is the second",
  );
}

/**
 * @param {string | null | undefined} provider
 * @param {unknown} request
 * @param {{signal?: AbortSignal}} [how]
 */
function invoke(provider, request, how) {
  return answer(invoked(provider, request, how));
}

/**
 * @param {string | null | undefined} provider
 * @param {unknown} request
 * @param {{signal?: AbortSignal} | undefined} how
 */
async function invoked(provider, request, how) {
  const { signal } = checkHow(how, ["signal"]);
  const options = { signal, provider: nameOf(provider) };
  return await callWhole(defaultClient(), json(request), options);
}

let warned = false;

/** Says once that a server, or other calls, wait while the thread is blocked. */
function warnOfBlocking() {
  if (warned) return;
  const serves = process.getActiveResourcesInfo?.().includes("TCPServerWrap");
  if (!serves && state.awaited === 0) return;
  warned = true;
  warn(
    `invokeSync blocks this thread, and ${serves ? "its server waits" : "its other calls wait"} ` +
      "meanwhile: use await invoke(…)",
    "blocked_thread",
  );
}

/**
 * @param {string | null | undefined} provider
 * @param {unknown} request
 * @param {unknown[]} others
 */
function invokeSync(provider, request, ...others) {
  checkNoMore(others, "options go into the member options of the request, and nothing aborts it");
  const options = { provider: nameOf(provider) };
  warnOfBlocking();
  return callSync(defaultClient(), json(request), options);
}

/**
 * @param {string} prompt
 * @param {number | Members | null} [maxTokens]
 * @param {number | null} [temperature]
 * @returns {Promise<string>}
 */
function generate(prompt, maxTokens, temperature) {
  return answer(generated(prompt, maxTokens, temperature));
}

/**
 * @param {string} prompt
 * @param {number | Members | null | undefined} maxTokens
 * @param {number | null | undefined} temperature
 * @returns {Promise<string>}
 */
async function generated(prompt, maxTokens, temperature) {
  let more = /** @type {Members} */ (maxTokens);
  if (typeof maxTokens === "object" && maxTokens !== null) checkNoMore([temperature], SECOND);
  else more = { max_tokens: maxTokens, temperature };
  return (await callWhole(defaultClient(), prompt, more)).text;
}

module.exports = { Client, generate, invoke, invokeSync };
