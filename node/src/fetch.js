"use strict";
// `fetch` on the engine, for the providers' own SDKs. Requests and answers pass through verbatim,
// as `op: "http"` (docs/contract.md). This file adds the rest of fetch: redirects, decompression,
// errors.

const { isUtf8 } = require("node:buffer");

const { Client } = require("./_client.js");
const { decoded } = require("./_decode.js");
const { LiterLLMError } = require("./_errors.js");

/** @typedef {import("./_stream.js").Stream} Stream */

/** The one provider of a client that this file makes. */
const PROVIDER = "origin";

/** The limit in place of fetch's "no limit". It is longer than any wait, and an SDK has its own. */
const TIMEOUTS = { connect_ms: 10_000, total_ms: 24 * 60 * 60 * 1000 };

const REDIRECTS = 20; // as the Fetch standard has it
const REDIRECT = new Set([301, 302, 303, 307, 308]);
const encoder = new TextEncoder();
const NO_BODY = new Set([204, 205, 304]);

/** Headers that are for one origin only, because the headers of provider requests hold the key. */
const SECRETS = ["api-key", "authorization", "cookie", "proxy-authorization", "x-api-key", "x-goog-api-key"];

/**
 * The objects on which the signal of a Request depends. It follows the caller's own signal, but
 * only while these live.
 * @type {WeakMap<AbortSignal, unknown[]>}
 */
const followed = new WeakMap();

/**
 * A request in the engine's form.
 * @typedef {object} Call
 * @property {string} url
 * @property {string} method
 * @property {[string, string][]} headers
 * @property {Uint8Array | undefined} body
 */

/**
 * A `fetch` on `from`. That is a client with a provider at each origin that is asked, or settings.
 * Settings apply to the providers that are made for each new origin.
 * @param {Client | Record<string, unknown>} [from]
 * @returns {typeof globalThis.fetch}
 */
function createFetch(from = {}) {
  const reach = from instanceof Client ? () => from : origins(from);
  return async function fetch(input, init) {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    const { href } = new URL(request.url); // without the fragment, which stays private
    /** @type {Call} */
    const call = {
      url: href.split("#", 1)[0] ?? href,
      method: request.method,
      headers: [...request.headers],
      body: request.body === null ? undefined : await collected(request.body, request.signal),
    };
    const signal = init?.signal ?? request.signal;
    if (signal === request.signal) followed.set(signal, [input, request]);
    for (let redirects = 0; ; redirects++) {
      const [stream, head] = await send(reach, call, signal);
      const location = REDIRECT.has(head.status) ? valueOf(head.headers, "location") : undefined;
      if (location === undefined || request.redirect === "manual") {
        return await answer(stream, head, call, redirects > 0);
      }
      stream.close();
      if (request.redirect === "error") throw failed(new Error("the answer is a redirect"));
      if (redirects === REDIRECTS) throw failed(new Error("redirected too often"));
      follow(call, head.status, location);
    }
  };
}

/**
 * The whole body of a request.
 * @param {ReadableStream<Uint8Array>} body
 * @param {AbortSignal} signal
 */
async function collected(body, signal) {
  const reader = body.getReader();
  const stop = () => reader.cancel(signal.reason).catch(() => {}); // ends the read that waits
  signal.addEventListener("abort", stop);
  try {
    const pieces = [];
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      pieces.push(value);
    }
    return pieces.length === 1 && pieces[0] instanceof Uint8Array ? pieces[0] : Buffer.concat(pieces);
  } catch (error) {
    throw failed(/** @type {Error} */ (error));
  } finally {
    signal.removeEventListener("abort", stop);
    signal.throwIfAborted();
  }
}

/**
 * Clients by origin, each made at the first request to it.
 * @param {Record<string, unknown>} settings
 * @returns {(origin: string) => Client}
 */
function origins(settings) {
  /** @type {Map<string, Client>} */
  const clients = new Map();
  /** @param {string} origin */
  const make = (origin) => {
    const provider = { kind: "compatible", base_url: origin, timeouts: TIMEOUTS, ...settings };
    return new Client({ providers: { [PROVIDER]: provider } }, { provider: PROVIDER });
  };
  make("http://localhost"); // wrong settings show here
  return (origin) => {
    const client = clients.get(origin) ?? make(origin);
    clients.set(origin, client);
    return client;
  };
}

/**
 * Sends a request and waits for the answer's head.
 * @param {(origin: string) => Client} reach
 * @param {Call} call
 * @param {AbortSignal} signal
 * @returns {Promise<[Stream, {status: number, headers: [string, string][]}]>}
 */
async function send(reach, { url, method, headers, body }, signal) {
  const { protocol, origin } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw failed(new Error(`only http: and https: are known, not ${protocol}`));
  }
  /** @type {Record<string, unknown>} */
  const request = { op: "http", url, method, headers };
  if (body !== undefined) {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (isUtf8(bytes)) request.body = bytes.toString();
    else request.body_base64 = bytes.toString("base64");
  }
  try {
    const stream = reach(origin).stream(request, { signal });
    const { value } = await stream.next();
    return [stream, /** @type {any} */ (value)];
  } catch (error) {
    throw error instanceof LiterLLMError ? failed(error) : error; // otherwise the signal's reason
  }
}

/**
 * @param {Stream} stream
 * @param {{status: number, headers: [string, string][]}} head
 * @param {Call} call
 * @param {boolean} redirected
 */
async function answer(stream, { status, headers }, call, redirected) {
  if (status < 200 || status > 599) {
    stream.close();
    throw failed(new Error(`the answer's status is ${status}`));
  }
  /** @type {ReadableStream<Uint8Array> | null} */
  let body = null;
  if (NO_BODY.has(status) || call.method === "HEAD") await stream.result().catch(() => {});
  else body = bodyOf(stream, valueOf(headers, "content-encoding"));
  return named(new Response(body, { status, headers }), call.url, redirected);
}

/**
 * Adds properties that a Response's constructor cannot set.
 * @param {Response} response
 * @param {string} url
 * @param {boolean} redirected
 * @returns {Response}
 */
function named(response, url, redirected) {
  const clone = () => named(Response.prototype.clone.call(response), url, redirected);
  return Object.defineProperties(response, {
    clone: { value: clone },
    redirected: { value: redirected },
    url: { value: url },
  });
}

/**
 * The body of an answer, decompressed. Only the engine reads ahead, as much as it holds for a slow
 * reader.
 * @param {Stream} stream
 * @param {string | undefined} codings
 * @returns {ReadableStream<Uint8Array>}
 */
function bodyOf(stream, codings) {
  const read = decoded(() => piece(stream), codings);
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const bytes = await read();
      if (bytes !== undefined) {
        controller.enqueue(bytes);
        return;
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: () => stream.close(),
  });
}

/**
 * The next bytes of an answer, in memory of their own, because a byte stream takes that memory
 * away.
 * @param {Stream} stream
 * @returns {Promise<Uint8Array | undefined>}
 */
async function piece(stream) {
  try {
    const { value, done } = await stream.next();
    if (done) return undefined;
    const { data, data_base64: base64 } = /** @type {any} */ (value);
    return data === undefined ? new Uint8Array(Buffer.from(base64, "base64")) : encoder.encode(data);
  } catch (error) {
    throw error instanceof LiterLLMError ? failed(error, "terminated") : error;
  }
}

/**
 * Turns a request into the one that a redirect asks for.
 * @param {Call} call
 * @param {number} status
 * @param {string} location
 */
function follow(call, status, location) {
  if (!URL.canParse(location, call.url)) throw failed(new Error("redirected to what is no URL"));
  const to = new URL(location, call.url);
  /** @type {string[]} */
  const dropped = [];
  if (to.origin !== new URL(call.url).origin) {
    dropped.push("host", ...SECRETS);
  }
  const posted = (status === 301 || status === 302) && call.method === "POST";
  if (posted || (status === 303 && call.method !== "HEAD" && call.method !== "GET")) {
    call.method = "GET";
    call.body = undefined;
    const about = ["encoding", "language", "length", "location", "type"];
    dropped.push(...about.map((name) => `content-${name}`));
  }
  call.headers = call.headers.filter(([name]) => !dropped.includes(name));
  to.hash = "";
  call.url = to.href;
}

/**
 * @param {[string, string][]} headers
 * @param {string} name
 */
function valueOf(headers, name) {
  return headers.find(([other]) => other === name)?.[1];
}

/**
 * The error with which fetch rejects.
 * @param {Error} cause
 * @param {string} [message]
 */
function failed(cause, message = "fetch failed") {
  return new TypeError(message, { cause });
}

module.exports = { createFetch };
