"use strict";
// An answer as it arrives.

const { AbortError } = require("./_errors.js");
const { AS_TEXT, explain, refuse } = require("./_explain.js");
const { codec } = require("./_json.js");
const { chunk, response } = require("./_models.js");
const { Failure, Inbox, Reason } = require("./_queue.js");
const { begin } = require("./_telemetry.js");
const { mayWarn, warnOf } = require("./_warnings.js");

/** @typedef {import("./_models.js").Chunk | import("./_models.js").Reset} Chunk */
/** @typedef {import("./_native.js").NativeClient} NativeClient */
/** @typedef {import("./_request.js").Call} Documents */
/** @typedef {IteratorResult<Chunk, undefined>} Step */

/**
 * Requests of streams that nobody closed are cancelled.
 * @type {FinalizationRegistry<{inbox: Inbox, span: ReturnType<typeof begin>}>}
 */
const dropped = new FinalizationRegistry(({ inbox, span }) => {
  inbox.close();
  span?.cancelled();
});

class Stream {
  #inbox;
  #span;
  #text = ""; // chunk documents, each with a line feed
  #at = 0;
  #waiting = 0;
  /** @type {Promise<Step> | undefined} the last `next` that had to wait */
  #turn;
  #finished = false;
  #over = false; // nothing more comes out of it
  #shown = false; // the caller has a chunk
  /** @type {string | undefined} */
  #result;
  /** @type {any} */
  #response;
  /** @type {{error: unknown, told: boolean} | undefined} */
  #failure;

  /**
   * @param {NativeClient} native
   * @param {Documents} documents
   */
  constructor(native, documents) {
    this.#inbox = new Inbox(native);
    this.#span = begin(documents);
    try {
      this.#inbox.submit(this.#span?.documents ?? documents);
    } catch (error) {
      this.#span?.failed(error);
      throw error;
    }
    dropped.register(this, { inbox: this.#inbox, span: this.#span }, this);
  }

  /** The whole answer with usage, once the stream has been read to its end. */
  get response() {
    const response = this.#whole();
    if (response !== undefined) return response;
    const why = this.#over ? "ended without a whole answer" : "is not read to its end yet";
    const advice = this.#over ? "" : ": iterate over it first, or await stream.result()";
    throw new TypeError(`stream.response is the whole answer, and this stream ${why}${advice}`);
  }

  #whole() {
    if (this.#result !== undefined) {
      this.#response = response(codec.parse(this.#result));
      this.#result = undefined;
    }
    return this.#response;
  }

  [Symbol.asyncIterator]() {
    if (this.#over) {
      throw new TypeError(
        "this stream is over: its chunks were read, or it was closed. Its whole answer is in " +
          "stream.response, and a new client.stream(…) asks again",
      );
    }
    return this;
  }

  /** @returns {Promise<Step>} */
  next() {
    if (this.#waiting === 0) {
      const value = this.#take();
      if (value !== undefined) return Promise.resolve({ value, done: false });
    }
    const again = () => this.#next();
    const turn = this.#waiting++ === 0 ? again() : this.#turn?.then(again, again);
    this.#turn = turn;
    return /** @type {Promise<Step>} */ (turn);
  }

  /** @returns {Promise<Step>} */
  async #next() {
    try {
      for (;;) {
        const value = this.#take();
        if (value !== undefined) return { value, done: false };
        if (this.#inbox.ended) break;
        await this.#inbox.arrival();
      }
    } finally {
      this.#waiting--;
    }
    this.#finish();
    this.#tell();
    return { value: undefined, done: true };
  }

  /** @returns {Promise<Step>} */
  async return() {
    this.close();
    return { value: undefined, done: true };
  }

  /**
   * Reads to the end and returns the whole answer. Chunks that were not asked for are passed over.
   * Where none was asked for, an answer that breaks begins anew, unless `on_break` is "error".
   */
  async result() {
    this.#text = "";
    if (!this.#shown) this.#inbox.collect();
    this.#inbox.discard();
    while (!this.#inbox.ended) await this.#inbox.arrival();
    this.#finish();
    if (this.#failure !== undefined) throw this.#failure.error;
    const response = this.#whole();
    if (response === undefined) throw AbortError.of("the stream was closed before its end");
    return response;
  }

  /** Reads to the end and returns the first choice's whole text. */
  async text() {
    return (await this.result()).text;
  }

  /** The chunks as JSON, one a line, for another process, `fetch` or a `Response`. */
  toReadableStream() {
    const encoder = new TextEncoder();
    return new ReadableStream(
      {
        pull: async (controller) => {
          const text = await this.#batch();
          if (text === undefined) controller.close();
          else controller.enqueue(encoder.encode(text));
        },
        cancel: () => this.close(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Cancels the rest of the answer: its connection is closed, and iteration ends. */
  close() {
    this.#over = true;
    this.#text = "";
    this.#inbox.close();
    this.#span?.cancelled();
    dropped.unregister(this);
  }

  /**
   * Closes as `close` does, but a pending wait for the stream gets an error.
   * @param {unknown} [reason]
   */
  abort(reason = AbortError.of("the stream was aborted")) {
    this.#over = true;
    this.#text = "";
    this.#inbox.abort(reason);
    this.#span?.cancelled();
    dropped.unregister(this);
  }

  async [Symbol.asyncDispose]() {
    this.close();
  }

  #take() {
    if (this.#at >= this.#text.length) {
      const text = this.#inbox.next();
      if (text === undefined) return undefined;
      this.#text = text;
      this.#at = 0;
    }
    this.#shown = true;
    const end = this.#text.indexOf("\n", this.#at);
    const line = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return chunk(codec.parse(line));
  }

  /** Takes what waits. `undefined` is the end. */
  async #batch() {
    for (;;) {
      const rest = this.#text.slice(this.#at);
      this.#text = "";
      const text = rest || this.#inbox.next();
      if (text !== undefined) {
        this.#shown = true;
        return text;
      }
      if (this.#inbox.ended) break;
      await this.#inbox.arrival();
    }
    this.#finish();
    this.#tell();
    return undefined;
  }

  #finish() {
    this.#over = true;
    if (this.#finished) return;
    this.#finished = true;
    dropped.unregister(this);
    const { outcome } = this.#inbox;
    if (typeof outcome === "string") {
      this.#result = outcome;
      this.#span?.answered(codec.parse(outcome));
      if (mayWarn(outcome)) warnOf(this.#inbox.native, this.#whole());
    }
    if (outcome instanceof Failure) this.#failure = { error: outcome.error(), told: false };
    else if (outcome instanceof Reason) this.#failure = { error: outcome.reason, told: false };
    if (this.#failure !== undefined) this.#span?.failed(this.#failure.error);
    else this.#span?.cancelled(); // it was closed before its end
  }

  /** Throws the failure once, because an iterator that has thrown is at its end. */
  #tell() {
    if (this.#failure === undefined || this.#failure.told) return;
    this.#failure.told = true;
    throw this.#failure.error;
  }
}

explain(Stream.prototype, {
  choices: "a stream has no choices: iterate over its chunks, or await stream.result()",
  usage: "a stream has no usage: read it to its end, then stream.response has it",
  provider: "a stream has no provider: read it to its end, then stream.response has it",
  model: "a stream has no model: read it to its end, then stream.response has it",
  warnings: "a stream has no warnings: read it to its end, then stream.response has them",
});
refuse(
  Stream.prototype,
  AS_TEXT,
  "a stream is no text: iterate over its chunks, or await stream.text()",
);
refuse(
  Stream.prototype,
  [Symbol.iterator],
  "a stream is iterated over with for await (const chunk of stream)",
);

module.exports = { Stream };
