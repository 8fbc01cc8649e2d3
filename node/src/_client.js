"use strict";
// The client, and the short forms `invoke`, `invokeSync` and `generate`.

const { addon, NativeClient } = require("./_native.js");
const { readConfig } = require("./_config.js");
const { fromDocument, misuse } = require("./_errors.js");
const { answer } = require("./_explain.js");
const { codec, encode } = require("./_json.js");
const { embeddings } = require("./_models.js");
const { multiResponse } = require("./_multi.js");
const { SINGLE, WHOLE, call } = require("./_queue.js");
const { REQUEST_NAMES, unknownName } = require("./_names.js");
const { checkMembers, Defaults, given, NONE } = require("./_request.js");
const { Stream } = require("./_stream.js");
const { warnOf } = require("./_warnings.js");

/** @typedef {import("./_request.js").Members} Members */

/** @type {(client: Client, request: unknown, more: Members) => any} blocks the thread */
let callSync;
/** @type {(client: Client, request: unknown, more: Members) => Promise<any>} */
let callWhole;

class Client {
  #native;
  #defaults;

  /**
   * @param {unknown} [config]
   * @param {Members} [options]
   */
  constructor(config, options = NONE) {
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
   * @returns {Promise<any>}
   */
  chat(request, more) {
    return answer(this.#chat(request, more));
  }

  /**
   * @param {unknown} request
   * @param {Members | undefined} more
   * @returns {Promise<any>}
   */
  async #chat(request, more) {
    const documents = this.#defaults.documents(request, more);
    if (documents.stream === true) return new Stream(this.#native, documents);
    return await this.#ask(documents); // awaited, so that an error's stack names the caller
  }

  /**
   * @param {unknown} input
   * @param {Members} [more]
   * @returns {Promise<any>}
   */
  embed(input, more) {
    const asked = this.#operation({ op: "embed", input }, more, REQUEST_NAMES.embed);
    return answer(asked.then(embeddings));
  }

  /**
   * @param {unknown} query
   * @param {unknown} documents
   * @param {Members} [more]
   * @returns {Promise<any>}
   */
  rerank(query, documents, more) {
    return answer(this.#operation({ op: "rerank", query, documents }, more, REQUEST_NAMES.rerank));
  }

  /**
   * @param {Members} [more]
   * @returns {Promise<any>}
   */
  models(more) {
    return answer(this.#operation({ op: "models" }, more, REQUEST_NAMES.models));
  }

  /**
   * @param {unknown} input
   * @param {Members} [more]
   * @returns {Promise<any>}
   */
  moderate(input, more) {
    return answer(this.#operation({ op: "moderate", input }, more, REQUEST_NAMES.moderate));
  }

  /**
   * @param {Members} request
   * @param {Members | undefined} more
   * @param {ReadonlySet<string>} names
   */
  async #operation(request, more, names) {
    return await this.#ask(this.#defaults.documents(request, more, names));
  }

  /**
   * Sends a request and waits for its one answer.
   * @param {import("./_request.js").Call} documents
   * @returns {Promise<any>}
   */
  async #ask(documents) {
    const response = codec.parse(await call(this.#native, WHOLE | SINGLE, documents));
    if (response.warnings?.length > 0) warnOf(this.#native, response);
    return response;
  }

  /**
   * @param {unknown} request
   * @param {readonly string[]} targets
   * @param {Members} [more]
   */
  async generateMulti(request, targets, more) {
    if (!Array.isArray(targets)) throw new TypeError("targets is a list of 'provider/model'");
    const { first, ...members } = checkMembers(more);
    members.fanout = { targets, first };
    // The client's fallback stands in for a target that fails. A fan-out gives its targets itself.
    const { fallback: _, ...own } = this.#defaults.options;
    const documents = new Defaults(own).documents(request, members);
    checkWhole(documents, "fan-outs");
    const multi = multiResponse(codec.parse(await call(this.#native, WHOLE, documents)));
    for (const response of multi.results) warnOf(this.#native, response);
    return multi;
  }

  /**
   * @param {unknown} [request]
   * @param {Members} [more]
   */
  stream(request, more) {
    const documents = this.#defaults.documents(request, more);
    if (documents.stream === false) {
      throw new TypeError("stream is false, but this is client.stream: ask with client.chat");
    }
    return new Stream(this.#native, documents);
  }

  /** @param {Members} options */
  withOptions(options) {
    return new Client(this.#native, { ...this.#defaults.options, ...given(options) });
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
  async close({ graceMs = 0 } = {}) {
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
      const { request: body, options } = documents;
      const [status, document] = addon.call(client.#native.handle, body, options);
      if (document === undefined) throw misuse(status);
      const parsed = codec.parse(document);
      if (status !== 0) throw fromDocument(parsed);
      warnOf(client.#native, parsed);
      return parsed;
    };
    callWhole = async (client, request, more) => {
      const documents = client.#defaults.documents(request, more);
      checkWhole(documents, "invoke and generate");
      return await client.#ask(documents);
    };
  }
}

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
  return typeof request === "string" ? encode(request, "request") : request;
}

/**
 * @param {string | null | undefined} provider
 * @param {unknown} request
 * @param {{signal?: AbortSignal}} [how]
 */
async function invoke(provider, request, how) {
  const { signal, ...others } = how ?? {};
  const [name] = Object.keys(others);
  if (name !== undefined) throw unknownName(name, undefined, ["signal"], "not known here");
  return callWhole(defaultClient(), json(request), { signal, provider: provider || undefined });
}

/**
 * @param {string | null | undefined} provider
 * @param {unknown} request
 */
function invokeSync(provider, request) {
  return callSync(defaultClient(), json(request), { provider: provider || undefined });
}

/**
 * @param {string} prompt
 * @param {number | Members | null} [maxTokens]
 * @param {number | null} [temperature]
 * @returns {Promise<string>}
 */
async function generate(prompt, maxTokens, temperature) {
  const more =
    typeof maxTokens === "object" && maxTokens !== null
      ? maxTokens
      : { max_tokens: maxTokens, temperature };
  return (await callWhole(defaultClient(), prompt, more)).text;
}

module.exports = { Client, generate, invoke, invokeSync };
