// A client over any FFI: submit, and one loop that reads the queue on another thread.
//
// `ffi` is what koffi.mjs and its neighbours open:
//   call.NAME(…)      a function of the header; handles are integers, memory is a Buffer or null
//   later(NAME, …)    the same on another thread, as a promise
//   text(address)     the text up to NUL at an address
//   constants, event, eventSize   of the header (see header.mjs)

import { Buffer } from "node:buffer";

// How long one read waits. A worker that is terminated and a process that exits wait for the read
// that is under way, so it is short; and it only waits while requests are in flight.
const SLICE_MS = 100;
const CAPACITY = 64 << 10;
// Credit for a stream's chunks is given for so many bytes at once, and for the first at once.
const CREDITED = 64 << 10;

/** A request that failed: the members of the error document. */
export class LiterLlmError extends Error {
  constructor({ message, ...members }) {
    super(message);
    this.name = "LiterLlmError";
    Object.assign(this, members);
  }
}

export class Client {
  #ffi;
  #handle;
  #owned;
  #queue;
  #buffer = Buffer.allocUnsafeSlow(CAPACITY);
  #listeners = new Map();
  #nextToken = 1;
  #reading = null;
  #closing = null;

  /** `config`: a configuration, or undefined for the environment. */
  constructor(ffi, config, handle) {
    this.#ffi = ffi;
    const queue = new Pointer();
    this.#check("liter_llm_queue_new", ffi.call.liter_llm_queue_new(0, queue.memory));
    this.#queue = queue.address;
    this.#owned = handle === undefined;
    try {
      this.#handle = this.#owned ? this.#make(config) : handle;
    } catch (failure) {
      ffi.call.liter_llm_queue_free(this.#queue);
      throw failure;
    }
  }

  /**
   * A queue of its own on a client of another thread, by that one's `handle`. `close` leaves the
   * other client alone; it has to live longer than this one.
   */
  static over(ffi, handle) {
    return new Client(ffi, undefined, handle);
  }

  /** An address that another thread of this process may build on (`Client.over`). */
  get handle() {
    return this.#handle;
  }

  /** The queue's address. Whoever terminates a worker frees its queue: the worker cannot. */
  get queue() {
    return this.#queue;
  }

  /** One answer: a response document. */
  chat(request, options, signal) {
    return new Promise((resolve, reject) => {
      const { LITER_LLM_SUBMIT_WHOLE } = this.#ffi.constants;
      this.#submit(LITER_LLM_SUBMIT_WHOLE, request, options, signal, (failure, documents) => {
        if (failure) reject(failure);
        else resolve(documents[0]);
      });
    });
  }

  /**
   * Chunk documents as they come; the response document is the generator's return value. The
   * request starts with the first step, and leaving the loop early cancels it. Few chunks wait in
   * memory: the engine reads a stream's socket while credit comes for what was taken.
   */
  async *stream(request, options, signal) {
    const events = [];
    let wake = () => {};
    const { LITER_LLM_SUBMIT_STREAM, LITER_LLM_SUBMIT_CREDIT } = this.#ffi.constants;
    const how = LITER_LLM_SUBMIT_STREAM | LITER_LLM_SUBMIT_CREDIT;
    const token = this.#submit(how, request, options, signal, (...event) => {
      events.push(event);
      wake();
    });
    let taken = 0;
    let credited = false;
    try {
      for (;;) {
        while (events.length === 0) await new Promise((resolve) => (wake = resolve));
        const [failure, documents, last, size] = events.shift();
        if (failure) throw failure;
        if (last) return documents[0];
        taken += size;
        if (taken >= CREDITED || !credited) {
          credited = true;
          this.#ffi.call.liter_llm_credit(this.#queue, token, taken);
          taken = 0;
        }
        yield* documents;
      }
    } finally {
      this.#cancel(token);
    }
  }

  /** Counters of the client so far. */
  metrics() {
    this.#open();
    const out = new Pointer();
    const length = new Pointer();
    const status = this.#ffi.call.liter_llm_client_metrics(
      this.#handle,
      Buffer.from("json\0"),
      out.memory,
      length.memory,
    );
    this.#check("liter_llm_client_metrics", status);
    return JSON.parse(this.#document(out));
  }

  /** Waits up to `graceMs` for what is in flight, cancels the rest, frees. */
  close(graceMs = 1000) {
    this.#closing ??= this.#end(graceMs);
    return this.#closing;
  }

  async #end(graceMs) {
    const { call, later } = this.#ffi;
    if (this.#owned) await later("liter_llm_client_close", this.#handle, graceMs);
    call.liter_llm_queue_close(this.#queue);
    while (this.#reading) await this.#reading;
    call.liter_llm_queue_free(this.#queue);
    if (this.#owned) call.liter_llm_client_free(this.#handle);
  }

  #make(config) {
    const client = new Pointer();
    const error = new Pointer();
    const status = this.#ffi.call.liter_llm_client_new(
      ...bytes(config),
      client.memory,
      error.memory,
    );
    if (status === this.#ffi.constants.LITER_LLM_FAILED) {
      throw new LiterLlmError(JSON.parse(this.#document(error)).error);
    }
    this.#check("liter_llm_client_new", status);
    return client.address;
  }

  // `listener(failure, documents, last, size)` hears every event of the request.
  #submit(how, request, options, signal, listener) {
    this.#open();
    signal?.throwIfAborted();
    const token = this.#nextToken++;
    const status = this.#ffi.call.liter_llm_submit(
      this.#handle,
      this.#queue,
      token,
      how,
      ...bytes(request),
      ...bytes(options),
    );
    this.#check("liter_llm_submit", status);
    const abort = () => this.#cancel(token);
    signal?.addEventListener("abort", abort);
    this.#listeners.set(token, (failure, result, last, size) => {
      if (last) {
        signal?.removeEventListener("abort", abort);
        this.#listeners.delete(token);
      }
      listener(failure, result, last, size);
    });
    this.#read();
    return token;
  }

  #cancel(token) {
    if (this.#listeners.has(token)) this.#ffi.call.liter_llm_cancel(this.#queue, token);
  }

  // One read at a time, and only while somebody waits: an idle client keeps no process alive.
  #read() {
    if (this.#reading || this.#listeners.size === 0) return;
    const buffer = this.#buffer;
    this.#reading = this.#ffi
      .later("liter_llm_queue_read", this.#queue, buffer, buffer.length, SLICE_MS)
      .then((got) => this.#take(buffer, Number(got)))
      .catch((failure) => {
        for (const listener of [...this.#listeners.values()]) listener(failure, [], true);
      })
      .finally(() => {
        this.#reading = null;
        this.#read();
      });
  }

  // Hands on `got` bytes of events.
  #take(buffer, got) {
    if (got === this.#ffi.constants.LITER_LLM_E_SPACE) {
      const large = Buffer.allocUnsafe(
        Number(this.#ffi.call.liter_llm_queue_next_size(this.#queue)),
      );
      const read = this.#ffi.call.liter_llm_queue_read(this.#queue, large, large.length, 0);
      return this.#take(large, Number(read));
    }
    this.#check("liter_llm_queue_read", got);
    for (let at = 0; at < got;) {
      const event = this.#event(buffer, at);
      const start = at + this.#ffi.eventSize;
      const payload = buffer.toString("utf8", start, start + event.len);
      this.#dispatch(event, payload);
      at = start + Math.ceil(event.len / 8) * 8;
    }
  }

  // Little-endian, as are all machines that the library is built for.
  #event(buffer, at) {
    const event = {};
    for (const { name, type, offset } of this.#ffi.event) {
      const where = at + offset;
      if (type === "uint32_t") event[name] = buffer.readUInt32LE(where);
      else if (type === "int32_t") event[name] = buffer.readInt32LE(where);
      else event[name] = Number(buffer.readBigUInt64LE(where));
    }
    return event;
  }

  #dispatch({ token, kind, len }, payload) {
    const { LITER_LLM_EVENT_CHUNK, LITER_LLM_EVENT_ERROR } = this.#ffi.constants;
    const listener = this.#listeners.get(token);
    if (kind === LITER_LLM_EVENT_CHUNK) {
      listener(null, payload.split("\n").filter(Boolean).map(JSON.parse), false, len);
    } else if (kind === LITER_LLM_EVENT_ERROR) {
      listener(new LiterLlmError(JSON.parse(payload).error), [], true);
    } else {
      listener(null, [JSON.parse(payload)], true);
    }
  }

  #open() {
    if (this.#closing) throw new Error("the client is closed: make a new one");
  }

  // Takes an owned document over.
  #document(out) {
    try {
      return this.#ffi.text(out.address);
    } finally {
      this.#ffi.call.liter_llm_free(out.address);
    }
  }

  #check(name, status) {
    if (status >= 0) return;
    const { constants } = this.#ffi;
    const code = Object.keys(constants).find((key) => constants[key] === status) ?? status;
    throw new Error(`${name}: ${code}`);
  }
}

/** Frees the queue that a terminated worker left behind, once its `exit` event has come. */
export function freeQueue(ffi, queue) {
  ffi.call.liter_llm_queue_free(queue);
}

// Memory that a function writes a pointer to.
class Pointer {
  memory = Buffer.alloc(8);

  get address() {
    return this.memory.readBigUInt64LE();
  }
}

// A document as the header takes it: bytes and their number.
function bytes(document) {
  if (document === undefined) return [null, 0];
  const encoded = Buffer.from(JSON.stringify(document));
  return [encoded, encoded.length];
}
