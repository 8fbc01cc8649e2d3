"use strict";
// The client, and the short forms `invoke`, `invokeSync` and `generate`.

const { addon, NativeClient } = require("./_native.js");
const { fromDocument, misuse } = require("./_errors.js");
const { codec, encode } = require("./_json.js");
const { multiResponse } = require("./_multi.js");
const { SINGLE, WHOLE, call } = require("./_queue.js");
const { checkMembers, configDocument, Defaults, given, NONE } = require("./_request.js");
const { Stream } = require("./_stream.js");

/** @typedef {import("./_request.js").Members} Members */

/** @type {(client: Client, request: unknown, more: Members) => any} blocks the thread */
let callSync;

class Client {
  #native;
  #defaults;

  /**
   * @param {unknown} [config]
   * @param {Members} [options]
   */
  constructor(config, options = NONE) {
    this.#defaults = new Defaults(options);
    this.#native =
      config instanceof NativeClient ? config : new NativeClient(configDocument(config));
  }

  /**
   * @param {unknown} [request]
   * @param {Members} [more]
   * @returns {Promise<any>}
   */
  async chat(request, more) {
    return await this.#ask(request, more); // awaited, so that an error's stack names the caller
  }

  /** @param {Members} [more] */
  async models(more) {
    return await this.#ask({ op: "models" }, more);
  }

  /**
   * @param {unknown} input
   * @param {Members} [more]
   */
  async moderate(input, more) {
    return await this.#ask({ op: "moderate", input }, more);
  }

  /**
   * Sends a request and waits for its one answer.
   * @param {unknown} request
   * @param {Members | undefined} more
   * @returns {Promise<any>}
   */
  async #ask(request, more) {
    const documents = this.#defaults.documents(request, more);
    return codec.parse(await call(this.#native, WHOLE | SINGLE, documents));
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
    return multiResponse(codec.parse(await call(this.#native, WHOLE, documents)));
  }

  /**
   * @param {unknown} [request]
   * @param {Members} [more]
   */
  stream(request, more) {
    return new Stream(this.#native, this.#defaults.documents(request, more));
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
      const { request: body, options } = client.#defaults.documents(request, more);
      const [status, document] = addon.call(client.#native.handle, body, options);
      if (document === undefined) throw misuse(status);
      const parsed = codec.parse(document);
      if (status !== 0) throw fromDocument(parsed);
      return parsed;
    };
  }
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
  return defaultClient().chat(json(request), { ...how, provider: provider || undefined });
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
  return (await defaultClient().chat(prompt, more)).text;
}

module.exports = { Client, generate, invoke, invokeSync };
