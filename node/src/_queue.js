"use strict";
/*
Reads the engine's completion queues, through which every answer enters JavaScript.

A request is submitted under a token of ours, unique in this environment. When a queue rings, the
addon reads every queue that has something into one buffer. The buffer holds 32-byte heads with a
payload behind each, and the addon calls `deliver` once:

    │ token u64 │ kind u32 │ status i32 │ len u32 │ count u32 │ liter u64 │ payload │ to 8 bytes

Jest and similar tools load this file again for each file of tests, but the addon only once. So the
state of requests in flight is kept on the addon, and the copy that came last reads it.

All calls and streams of the environment share one queue. The engine stops reading a stream's socket
while its reader has not consumed what is there: an Inbox gives credit for what was taken out of it.
*/

const { setImmediate } = require("node:timers"); // not the global one, which test tools replace

const { addon } = require("./_native.js");
const { codec } = require("./_json.js");
const { fromDocument, misuse } = require("./_errors.js");
const { unwatch, watch } = require("./_signal.js");

/** @typedef {import("./_native.js").NativeClient} NativeClient */
/** @typedef {import("./_request.js").Call} Documents */

const CHUNK = 1;
const RESULT = 2;
const CLOSED = -2;

// Flags for the form of the answer. SINGLE: one is expected, and a fan-out is an error.
const STREAM = 2;
const WHOLE = 4;
const SINGLE = 8;
/** Chunks that were read stay unread for the engine until credit is given for them. */
const CREDIT = 16;

/** The size of the read buffer in bytes. */
const CAPACITY = 256 << 10;

/**
 * The bytes after which the event loop has its turn, so that timers, signals and sockets go on in a
 * flood.
 */
const TURN = 1 << 20;

/** Credit is given for so many bytes at once: less than what the engine holds for one stream. */
const CREDITED = 64 << 10;

/**
 * @typedef {object} State
 * @property {Map<number, Owner>} pending who waits for what, by token; 0: the log records
 * @property {number} lastToken
 * @property {number} awaited promises of ours that are: only they keep the environment alive
 * @property {number} delivered bytes in this turn of the event loop
 * @property {number} requests the queue of the calls and streams
 * @property {import("./_logs.js").Listening} [logs] once somebody listened to log records
 */

/**
 * What the records of a token are for.
 * @typedef {object} Owner
 * @property {(kind: number, text: string, size: number) => void} take
 * @property {(reason: unknown) => void} abort
 */

/** @type {State} */
const state = (addon.state ??= {
  pending: new Map(),
  lastToken: 0,
  awaited: 0,
  delivered: 0,
  requests: openSource(),
});
const { pending } = state;

function hold() {
  if (state.awaited++ === 0) addon.hold(true);
}

function release() {
  if (--state.awaited === 0) addon.hold(false);
}

const shared = Buffer.allocUnsafeSlow(CAPACITY);
const sharedWords = words(shared);

/** @param {Buffer} buffer */
function words(buffer) {
  return new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.length >>> 2);
}

/**
 * Hands the records of a read to their requests. Records of a cancelled request are dropped.
 * Returns true if the rest is read in the event loop's next turn.
 * @param {number} size
 * @param {Buffer} buffer
 */
function deliver(size, buffer) {
  const heads = buffer === shared ? sharedWords : words(buffer);
  let offset = 0;
  while (offset < size) {
    const at = offset >>> 2;
    const token = heads[at] + heads[at + 1] * 0x1_0000_0000;
    const start = offset + 32;
    const end = start + heads[at + 4];
    const owner = pending.get(token);
    if (owner !== undefined) {
      try {
        owner.take(heads[at + 2], addon.text(start, end), end - start);
      } catch (error) {
        owner.abort(error); // a document may be longer than a string can be
      }
    }
    offset = end + 7 - ((end + 7) & 7);
  }
  state.delivered += size;
  if (state.delivered < TURN) return false;
  state.delivered = 0;
  setImmediate(resume);
  return true;
}

const resume = () => addon.resume();

addon.start(shared, deliver);

/** @returns {number} the number of a new queue */
function openSource() {
  const source = addon.source();
  if (source < 0) throw misuse(source);
  return source;
}

/**
 * An error document that came. The error is made at the await, because its stack tells more there.
 */
class Failure {
  /** @param {string} document */
  constructor(document) {
    this.document = document;
  }

  error() {
    return fromDocument(codec.parse(this.document));
  }
}

/**
 * Sends a request and returns the response document. Throws the error of an error document.
 * @param {NativeClient} native
 * @param {number} how flags
 * @param {Documents} documents
 * @returns {Promise<string>}
 */
async function call(native, how, documents) {
  const { signal } = documents;
  signal?.throwIfAborted();
  const outcome = await new Promise((resolve, reject) => {
    new Call(native, how, resolve, reject).submit(documents);
  });
  if (outcome instanceof Failure) throw outcome.error();
  return outcome;
}

/** A request in flight, whole or streamed, and its signal. */
class Request {
  /**
   * @param {NativeClient} native
   * @param {number} how flags
   */
  constructor(native, how) {
    this.native = native; // alive as long as the request
    this.how = how;
    this.token = ++state.lastToken;
    /** @type {AbortSignal | undefined} */
    this.signal = undefined;
  }

  /** @param {Documents} documents */
  submit({ request, options, signal }) {
    const { handle, closed } = this.native;
    const status = closed
      ? CLOSED // the engine hears of it at the end of the grace
      : addon.submit(handle, state.requests, this.token, this.how, request, options);
    if (status !== 0) throw misuse(status);
    this.native.inFlight++;
    pending.set(this.token, /** @type {any} */ (this));
    if (signal !== undefined) {
      this.signal = signal;
      watch(signal, this);
    }
  }

  /**
   * The last event came, or nothing waits for it any more.
   * @param {boolean} cancel
   */
  settle(cancel) {
    pending.delete(this.token);
    if (cancel) addon.cancel(state.requests, this.token);
    if (this.signal !== undefined) unwatch(this.signal, this);
    this.native.ended();
  }

  /**
   * The signal aborted.
   * @param {unknown} _reason
   */
  abort(_reason) {}
}

/** A request for a whole answer. */
class Call extends Request {
  /**
   * @param {NativeClient} native
   * @param {number} how flags
   * @param {(outcome: string | Failure) => void} resolve
   * @param {(reason: unknown) => void} reject
   */
  constructor(native, how, resolve, reject) {
    super(native, how);
    this.resolve = resolve;
    this.reject = reject;
  }

  /** @param {Documents} documents */
  submit(documents) {
    super.submit(documents);
    hold();
  }

  /**
   * @param {number} kind
   * @param {string} text
   */
  take(kind, text) {
    this.settle(false);
    release();
    this.resolve(kind === RESULT ? text : new Failure(text));
  }

  /** @param {unknown} reason */
  abort(reason) {
    this.settle(true);
    release();
    this.reject(reason);
  }
}

/** What has come of one stream and was not taken: no more than the engine holds for a stream. */
class Inbox extends Request {
  /** @type {Array<{text: string, size: number}>} chunk documents, one a line */
  #events = [];
  #taken = 0; // bytes since the last credit
  #credited = false;
  /** @type {Arrival | undefined} */
  #arrival;

  /** @param {NativeClient} native */
  constructor(native) {
    super(native, STREAM | CREDIT);
    /** Whether nothing more comes after what `next` still returns. */
    this.ended = false;
    /** @type {string | Failure | Reason | undefined} how it ended; undefined: it was closed */
    this.outcome = undefined;
    /** Chunks are dropped from now on. */
    this.discards = false;
  }

  /** @param {Documents} documents */
  submit(documents) {
    if (documents.signal?.aborted) {
      this.ended = true;
      this.outcome = new Reason(documents.signal.reason);
      return;
    }
    super.submit(documents);
  }

  /**
   * @param {number} kind
   * @param {string} text
   * @param {number} size
   */
  take(kind, text, size) {
    if (kind !== CHUNK) {
      this.#end(kind === RESULT ? text : new Failure(text), false);
    } else if (this.discards) {
      this.#credit(size);
    } else {
      this.#events.push({ text, size });
    }
    this.#arrive();
  }

  /** Takes out the oldest of what was read. `undefined` means that nothing waits. */
  next() {
    const event = this.#events.shift();
    if (event === undefined) return undefined;
    this.#credit(event.size);
    return event.text;
  }

  /** Asks for the whole answer and no further chunk. */
  collect() {
    if (!this.ended) addon.collect(state.requests, this.token);
  }

  /** Drops the chunks that wait and those to come. */
  discard() {
    this.discards = true;
    for (const { size } of this.#events.splice(0)) this.#credit(size);
  }

  /** A promise to await while there is nothing to take and the stream has not ended. */
  arrival() {
    if (this.#arrival === undefined) {
      hold();
      this.#arrival = withResolvers();
    }
    return this.#arrival.promise;
  }

  #arrive() {
    const arrival = this.#arrival;
    if (arrival !== undefined) {
      this.#arrival = undefined;
      release();
      arrival.resolve();
    }
  }

  /** @param {unknown} reason what waiting for it throws */
  abort(reason) {
    this.#stop(new Reason(reason));
  }

  /** Cancels the rest, and drops what has arrived. */
  close() {
    this.#stop(undefined);
  }

  /** @param {Reason | undefined} outcome */
  #stop(outcome) {
    if (!this.ended) this.#end(outcome, true);
    this.discard();
    this.#arrive();
  }

  /**
   * @param {string | Failure | Reason | undefined} outcome
   * @param {boolean} cancel
   */
  #end(outcome, cancel) {
    this.ended = true;
    this.outcome = outcome;
    this.settle(cancel);
  }

  /**
   * So many bytes more are consumed.
   * @param {number} size
   */
  #credit(size) {
    this.#taken += size;
    // The engine waits for a reader's first chunk before it takes a break for an error.
    if (this.ended || (this.#credited && this.#taken < CREDITED)) return;
    this.#credited = true;
    addon.credit(state.requests, this.token, this.#taken);
    this.#taken = 0;
  }
}

/** The reason with which a signal was aborted. */
class Reason {
  /** @param {unknown} reason */
  constructor(reason) {
    this.reason = reason;
  }
}

/** @typedef {{promise: Promise<void>, resolve: () => void}} Arrival */

/** @returns {Arrival} */
function withResolvers() {
  let resolve = () => {};
  /** @type {Promise<void>} */
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

module.exports = { Failure, Inbox, Reason, SINGLE, WHOLE, call, openSource, state };
