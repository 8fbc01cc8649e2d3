"use strict";
// A call's arguments as the two documents that the engine takes: request and options.

const { readFileSync } = require("node:fs");
const { isUint8Array } = require("node:util/types"); // accepts other realms, in which tests run
const { encode, stringify } = require("./_json.js");

/** @typedef {import("./_native.js").Text} Text */
/** @typedef {Record<string, any>} Members */

/** Members that are options. All others are members of the request. */
const OPTION_NAMES = new Set([
  "provider",
  "timeout_ms",
  "idle_ms",
  "merge_deltas",
  "unsupported",
  "strict",
  "retry",
  "fallback",
  "fanout",
  "hedge",
  "limit",
  "region",
  "sticky_key",
  "idempotency_key",
  "on_break",
  "cache",
  "traceparent",
  "tracestate",
  "baggage",
  "tags",
]);

/**
 * One call's documents.
 * @typedef {object} Call
 * @property {Text} request
 * @property {string} options
 * @property {AbortSignal | undefined} signal
 */

/** The options of a client, encoded once. */
class Defaults {
  #document;

  /** @param {Members} options */
  constructor(options) {
    for (const name of Object.keys(options)) {
      if (!OPTION_NAMES.has(name)) {
        throw new TypeError(`${name} is not an option; known: ${[...OPTION_NAMES].join(", ")}`);
      }
    }
    this.#document = stringify(options, "options");
    /** @type {Members} as they are now */
    this.options = JSON.parse(this.#document);
  }

  /**
   * The documents of one call.
   *
   * The first of these to set an option wins: members of `more`, `more.options`, the request's own
   * `options`, the client's.
   * @param {unknown} request
   * @param {Members | undefined} more
   * @returns {Call}
   */
  documents(request, more) {
    // The object has no prototype, so that "__proto__" is a name like any other.
    /** @type {Members} */
    let members = Object.create(null);
    /** @type {Members | undefined} */
    let chosen;
    /** @type {AbortSignal | undefined} */
    let signal;
    more = checkMembers(more);
    for (const name of Object.keys(more)) {
      const value = more[name];
      if (value === undefined) continue;
      if (name === "signal") {
        signal = checkSignal(value);
      } else if (name === "options") {
        if (!isObject(value)) throw new TypeError("options is not an object");
        chosen = { ...given(value), ...chosen };
      } else if (OPTION_NAMES.has(name)) {
        (chosen ??= {})[name] = value;
      } else {
        members[name] = value;
      }
    }
    if (typeof request === "string") {
      members.prompt = request;
    } else if (Array.isArray(request)) {
      members.messages = request;
    } else if (isUint8Array(request)) {
      if (Object.keys(members).length > 0) {
        throw new TypeError("members cannot be added to a request that is given as bytes");
      }
      return { request, options: this.#merge(chosen), signal };
    } else if (typeof request === "object" && request !== null) {
      members = { ...request, ...members };
      if (isObject(members.options)) {
        chosen = { ...given(members.options), ...chosen };
        delete members.options;
      }
    } else if (request !== undefined && request !== null) {
      throw new TypeError(
        "a request is a prompt (string), messages (array), an object or JSON (bytes), " +
          `not of type ${typeof request}`,
      );
    }
    return { request: stringify(members, "request"), options: this.#merge(chosen), signal };
  }

  /** @param {Members | undefined} chosen */
  #merge(chosen) {
    if (chosen === undefined) return this.#document;
    return stringify({ ...this.options, ...chosen }, "options");
  }
}

/** @type {Members} no options at all */
const NONE = Object.freeze({});

/**
 * Options without the undefined ones, which must not replace another setting.
 * @param {Members} options
 * @returns {Members}
 */
function given(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/**
 * The argument after the request: none, or an object.
 * @param {Members | null | undefined} more
 * @returns {Members}
 */
function checkMembers(more) {
  if (more === undefined || more === null) return NONE;
  if (isObject(more)) return more;
  throw new TypeError("the last argument is an object: members of the request and options");
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param {unknown} value
 * @returns {AbortSignal | undefined}
 */
function checkSignal(value) {
  const signal = /** @type {AbortSignal | null | undefined} */ (value);
  if (signal == null || typeof signal.throwIfAborted === "function") return signal ?? undefined;
  throw new TypeError("signal is not an AbortSignal");
}

/**
 * A configuration as JSON: an object, JSON text, or the URL of a file. `undefined` is the
 * environment.
 * @param {unknown} config
 * @returns {Text | undefined}
 */
function configDocument(config) {
  if (config === undefined || config === null) return undefined;
  if (typeof config === "string") return encode(config, "configuration");
  if (isUint8Array(config)) return config;
  if (config instanceof URL) return readFileSync(config);
  if (isObject(config)) return stringify(/** @type {object} */ (config), "configuration");
  const type = Array.isArray(config) ? "array" : typeof config;
  throw new TypeError(
    `a configuration is an object, JSON text or the URL of a file, not of type ${type}`,
  );
}

module.exports = { Defaults, NONE, OPTION_NAMES, checkMembers, configDocument, given };
