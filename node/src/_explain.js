"use strict";
// Says what is wrong where a promise or a stream is taken for an answer.

/**
 * Lets these members throw a sentence. An assignment still makes an own member.
 * @param {object} prototype
 * @param {Record<string, string>} messages
 */
function explain(prototype, messages) {
  for (const [name, message] of Object.entries(messages)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get() {
        throw new TypeError(message);
      },
      set(value) {
        const writable = { configurable: true, enumerable: true, writable: true };
        Object.defineProperty(this, name, { value, ...writable });
      },
    });
  }
}

/** The prototype of promises of an answer. Their constructor stays Promise, as `await` wants it. */
const promise = Object.create(Promise.prototype);
const AWAIT = "this is a promise of an answer, await it first: (await client.chat(…))";
explain(promise, {
  choices: `${AWAIT}.choices`,
  text: `${AWAIT}.text`,
  usage: `${AWAIT}.usage`,
});
// A method, because libraries look at this member of whatever they are given.
promise[Symbol.asyncIterator] = () => {
  throw new TypeError(
    "this is a promise of an answer and has no chunks: iterate over client.stream(…), or over " +
      "await client.chat(…, { stream: true })",
  );
};

/**
 * @template T
 * @param {Promise<T>} plain
 * @returns {Promise<T>}
 */
function answer(plain) {
  return Object.setPrototypeOf(plain, promise);
}

module.exports = { answer, explain };
