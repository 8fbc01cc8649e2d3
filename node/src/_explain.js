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

/**
 * Lets these methods throw a sentence. Looking at them does not, because libraries look at them
 * whatever they are given.
 * @param {any} prototype
 * @param {readonly (string | symbol)[]} names
 * @param {string} message
 */
function refuse(prototype, names, message) {
  for (const name of names) {
    const value = () => {
      throw new TypeError(message);
    };
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
  }
}

/** What turns a value into text: `JSON.stringify`, and `${…}`. */
const AS_TEXT = ["toJSON", Symbol.toPrimitive];

/** The prototype of promises of an answer. Their constructor stays Promise, as `await` wants it. */
const promise = Object.create(Promise.prototype);
const AWAIT = "this is a promise of an answer, await it first";
for (const name of ["choices", "text", "usage", "provider", "model", "data", "results"]) {
  explain(promise, { [name]: `${AWAIT}: (await client.chat(…)).${name}` });
}
refuse(promise, AS_TEXT, `${AWAIT}: await client.chat(…)`);
refuse(
  promise,
  [Symbol.asyncIterator, Symbol.iterator],
  "this is a promise of an answer and has no chunks: iterate over client.stream(…), or over " +
    "await client.chat(…, { stream: true })",
);

/**
 * @template T
 * @param {Promise<T>} plain
 * @returns {Promise<T>}
 */
function answer(plain) {
  return Object.setPrototypeOf(plain, promise);
}

/**
 * Says what a request is that has neither messages nor a prompt.
 * @param {any} request
 */
function checkRequest(request) {
  if (typeof request.then === "function") {
    throw new TypeError("the request is a promise: await it first");
  }
  if (Symbol.asyncIterator in request) {
    throw new TypeError(
      "the request is a stream: give the text of its answer, await stream.text()",
    );
  }
  if (request.role !== undefined) {
    throw new TypeError("the request is one message: give a list, client.chat([message])");
  }
  if (isAnswer(request)) throw new TypeError(`the request is an answer: ${USE_ANSWER}`);
}

/**
 * Says where a list of messages has an answer in place of a message or a text.
 * @param {readonly any[]} messages
 */
function checkMessages(messages) {
  for (let at = 0; at < messages.length; at++) {
    if (isAnswer(messages[at])) throw new TypeError(`messages[${at}] is an answer: ${USE_ANSWER}`);
    if (isAnswer(messages[at]?.content)) {
      throw new TypeError(`messages[${at}].content is an answer: its text is answer.text`);
    }
  }
}

const USE_ANSWER = "its message is answer.choices[0].message, its text is answer.text";

/** @param {any} value */
const isAnswer = (value) => typeof value === "object" && value?.object === "chat.completion";

module.exports = { AS_TEXT, answer, checkMessages, checkRequest, explain, refuse };
