// The header through bun:ffi.

import { CString, dlopen, JSCallback } from "bun:ffi";
import { bind, LIBRARY } from "../header.mjs";

const TYPES = {
  address: "ptr",
  int32_t: "i32",
  uint32_t: "u32",
  int64_t: "i64_fast",
  uint64_t: "u64_fast",
  size_t: "u64_fast",
  float: "f32",
  void: "void",
};

/** What client.mjs calls `ffi`. */
export function open() {
  const { call, ...header } = bind(LIBRARY, TYPES, (name, returns, args) => {
    const symbol = dlopen(LIBRARY, { [name]: { args, returns } }).symbols[name];
    // An address is a number to bun:ffi.
    return (...values) =>
      symbol(...values.map((value) => (typeof value === "bigint" ? Number(value) : value)));
  });
  const bells = new Map();
  return {
    ...header,
    call: {
      ...call,
      liter_llm_queue_free(queue) {
        bells.get(queue)?.remove();
        bells.delete(queue);
        call.liter_llm_queue_free(queue);
      },
    },
    // bun:ffi has no calls on other threads, but callbacks from them: here the doorbell is of use.
    // Other calls than a read block the thread, as long as they take.
    async later(name, ...values) {
      if (name !== "liter_llm_queue_read") return call[name](...values);
      const [queue, buffer, capacity, milliseconds] = values;
      if (!bells.has(queue)) bells.set(queue, new Bell(call, queue));
      const read = () => call.liter_llm_queue_read(queue, buffer, capacity, 0);
      return read() || (await bells.get(queue).rung(milliseconds), read());
    },
    text: (address) => new CString(Number(address)).toString(),
  };
}

// The doorbell of one queue.
class Bell {
  #notify;
  #callback;
  #wake = () => {};

  constructor(call, queue) {
    this.#notify = (where) => call.liter_llm_queue_notify(queue, where, null);
    this.#callback = new JSCallback(() => this.#wake(), { args: ["ptr"], threadsafe: true });
    this.#notify(this.#callback.ptr);
  }

  // Until it rings, or time is up.
  rung(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  remove() {
    this.#notify(null);
    this.#callback.close();
  }
}
