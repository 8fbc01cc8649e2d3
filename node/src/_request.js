"use strict";
// A call's arguments as the two documents that the engine takes: request and options.

const { isUint8Array } = require("node:util/types"); // accepts other realms, in which tests run
const { checkMessages, checkRequest } = require("./_explain.js");
const { stringify } = require("./_json.js");
const { OPTION_NAMES, REQUEST_NAMES, unknownName } = require("./_names.js");

/** @typedef {import("./_native.js").Text} Text */
/** @typedef {Record<string, any>} Members */

/**
 * One call's documents.
 * @typedef {object} Call
 * @property {Text} request
 * @property {string} options
 * @property {AbortSignal | undefined} signal
 * @property {unknown} stream whether chunks are asked for; undefined: the request does not say
 */

/** The options of a client, encoded once. */
class Defaults {
  #document;

  /** @param {Members} options */
  constructor(options) {
    checkOptions(options);
    this.#document = stringify(options, "options");
    /** @type {Members} as they are now */
    this.options = JSON.parse(this.#document);
  }

  /**
   * The documents of one call.
   *
   * The first of these to set an option wins: members of `more`, `more.options`, the request's own
   * `options`, the client's. A member of `more` that is neither one of the request nor an option is
   * an error. Of a whole request the engine reports it in `warnings`.
   * @param {unknown} request
   * @param {Members | undefined} more
   * @param {ReadonlySet<string>} [names] members of the request
   * @returns {Call}
   */
  documents(request, more, names = REQUEST_NAMES.chat) {
    const { members, options, signal } = split(checkMembers(more), names);
    let chosen = options;
    /** @type {Members} */
    let whole = members;
    if (typeof request === "string") {
      whole.prompt = request;
    } else if (Array.isArray(request)) {
      whole.messages = request;
    } else if (isUint8Array(request)) {
      if (Object.keys(members).length > 0) {
        throw new TypeError("members cannot be added to a request that is given as bytes");
      }
      return { request, options: this.#merge(chosen), signal, stream: streamOf(request) };
    } else if (typeof request === "object" && request !== null) {
      whole = { ...request, ...members };
      if (whole.messages === undefined && whole.prompt === undefined) checkRequest(request);
      if (isObject(whole.options)) {
        chosen = { ...given(whole.options), ...chosen };
        delete whole.options;
      }
    } else if (request !== undefined && request !== null) {
      throw new TypeError(
        "a request is a prompt (string), messages (array), an object or JSON (bytes), " +
          `not of type ${typeof request}`,
      );
    }
    if (Array.isArray(whole.messages)) checkMessages(whole.messages);
    if (whole.system !== undefined && names.has("system")) whole = withSystem(whole);
    return {
      request: stringify(whole, "request"),
      options: this.#merge(chosen),
      signal,
      stream: whole.stream ?? undefined,
    };
  }

  /** @param {Members | undefined} chosen */
  #merge(chosen) {
    if (chosen === undefined) return this.#document;
    return stringify({ ...this.options, ...chosen }, "options");
  }
}

/**
 * The member `stream` of a request that is JSON. Most do not have the word and are not parsed. What is
 * wrong with a text that is no JSON, the engine says.
 * @param {Uint8Array} request
 * @returns {unknown}
 */
function streamOf({ buffer, byteOffset, byteLength }) {
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  if (!bytes.includes('"stream"')) return undefined;
  try {
    return JSON.parse(bytes.toString())?.stream ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * The same request for another operation: of members with one name the last counts. The engine says
 * what is wrong with one that is no object.
 * @param {Text} request
 * @param {string} operation
 * @returns {Text}
 */
function withOperation(request, operation) {
  const body = typeof request === "string" ? Buffer.from(request) : Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  const text = body.toString("latin1"); // a character for each byte
  const [begin, end] = [text.trimStart(), text.trimEnd().length - 1];
  if (!begin.startsWith("{") || text[end] !== "}") return request;
  const comma = /^\{\s*\}\s*$/.test(begin) ? "" : ",";
  return Buffer.concat([body.subarray(0, end), Buffer.from(`${comma}"op":"${operation}"}`)]);
}

/** @param {Members} options */
function checkOptions(options) {
  for (const name of Object.keys(options)) {
    if (OPTION_NAMES.has(name)) continue;
    throw unknownName(name, options[name], OPTION_NAMES, "not an option");
  }
}

/**
 * Members of a request, options, and the signal.
 * @param {Members} more
 * @param {ReadonlySet<string>} names members of the request
 */
function split(more, names) {
  // The object has no prototype, so that "__proto__" is a name like any other.
  /** @type {Members} */
  const members = Object.create(null);
  /** @type {Members | undefined} */
  let options;
  /** @type {AbortSignal | undefined} */
  let signal;
  for (const name of Object.keys(more)) {
    const value = more[name];
    if (names.has(name)) {
      if (value !== undefined) members[name] = value;
    } else if (OPTION_NAMES.has(name)) {
      if (value !== undefined) (options ??= {})[name] = value;
    } else if (name === "signal") {
      signal = checkSignal(value);
    } else if (name === "options") {
      if (value === undefined) continue;
      if (!isObject(value)) throw new TypeError("options is not an object");
      checkOptions(value);
      options = { ...given(value), ...options };
    } else {
      const known = [...names, ...OPTION_NAMES, "signal"];
      throw unknownName(name, value, known, "neither a member of a request nor an option");
    }
  }
  return { members, options, signal };
}

/**
 * The request with its `system` as the first message.
 * @param {Members} whole
 * @returns {Members}
 */
function withSystem({ system, prompt, messages, ...others }) {
  if (system === null) return { ...others, prompt, messages };
  if (typeof system !== "string" && !Array.isArray(system)) {
    throw new TypeError("system is a text, or a list of parts");
  }
  const first = { role: "system", content: system };
  if (typeof prompt === "string" && messages == null) {
    return { ...others, messages: [first, { role: "user", content: prompt }] };
  }
  // What is wrong with the rest, the engine says.
  if (!Array.isArray(messages)) return { ...others, prompt, messages };
  return { ...others, prompt, messages: [first, ...messages] };
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

const MEMBERS =
  "an object with members of the request and options, " +
  'as { model: "gpt-4.1-mini", timeout_ms: 30000 }';

/**
 * The argument after the request: none, or an object.
 * @param {unknown} more
 * @returns {Members}
 */
function checkMembers(more) {
  return checkObject(more, MEMBERS);
}

/**
 * The options of a client: none, or an object.
 * @param {unknown} options
 * @returns {Members}
 */
function checkDefaults(options) {
  return checkObject(options, "an object with options, as { timeout_ms: 30000 }");
}

/**
 * The last argument of a function: none, or an object that has its members as its own.
 * @param {any} given
 * @param {string} form what it should be
 * @returns {Members}
 */
function checkObject(given, form) {
  if (given === undefined || given === null) return NONE;
  // By its name, because a test may have the classes of another realm.
  const name = given.constructor?.name;
  if (name === "AbortController" || name === "AbortSignal") {
    const signal = name === "AbortSignal" ? "{ signal }" : "{ signal: controller.signal }";
    throw new TypeError(`the last argument is an ${name}: give ${signal}`);
  }
  const iterable = typeof given === "object" && typeof given[Symbol.iterator] === "function";
  if (isObject(given) && !iterable) return given;
  const type = Array.isArray(given) ? "array" : iterable ? name : typeof given;
  throw new TypeError(`the last argument is ${form}, not of type ${type}`);
}

/**
 * An argument that says how something is done: none, or an object with no other members than these.
 * @param {unknown} how
 * @param {readonly string[]} known
 * @returns {Members}
 */
function checkHow(how, known) {
  const members = checkObject(how, `an object, { ${known[0]}: … }`);
  const wrong = Object.keys(members).find((name) => !known.includes(name));
  if (wrong !== undefined) throw unknownName(wrong, undefined, known, "not known here");
  return members;
}

/**
 * @param {unknown} value
 * @returns {value is Members}
 */
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
  const { signal: own } = /** @type {any} */ (value);
  if (own !== undefined) {
    throw new TypeError("signal is an AbortController: give its signal, controller.signal");
  }
  throw new TypeError("signal is not an AbortSignal");
}

/**
 * What is given beside the arguments that a method has is lost otherwise.
 * @param {readonly unknown[]} others
 * @param {string} known
 */
function checkNoMore(others, known) {
  if (others.every((one) => one === undefined)) return;
  throw new TypeError(`it takes no further argument: ${known}`);
}

module.exports = { Defaults, checkDefaults, checkHow, checkMembers, checkNoMore, given, isObject, withOperation };
