"use strict";
// JSON in and out, in one place. The conformance runner replaces `codec.parse` to have the text of
// each document. A comparison of languages byte by byte needs the spelling of numbers.

const { BadRequestError } = require("./_errors.js");

const codec = { parse: JSON.parse };

/**
 * A document as text. A value that JSON cannot express is an error. `JSON.stringify` would write
 * null or nothing for it.
 * @param {object} value
 * @param {string} what
 * @returns {string}
 */
function stringify(value, what) {
  for (const name of Object.keys(value)) {
    const member = /** @type {any} */ (value)[name];
    if (typeof member === "number" && !Number.isFinite(member)) {
      throw BadRequestError.of(`${name} is ${member}, which JSON cannot say`, { param: name });
    }
    if (typeof member === "function" || typeof member === "symbol") {
      const what = `${name} is a ${typeof member}, which JSON cannot say`;
      throw BadRequestError.of(what, { param: name });
    }
  }
  try {
    return JSON.stringify(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    throw BadRequestError.of(`the ${what} cannot be written as JSON: ${reason}`);
  }
}

/**
 * JSON text as the bytes to send. Half a character is refused, because it would become another one
 * on the way.
 * @param {string} text
 * @param {string} what
 */
function encode(text, what) {
  if (!text.isWellFormed()) throw BadRequestError.of(`the ${what} has a lone surrogate`);
  return Buffer.from(text);
}

module.exports = { codec, encode, stringify };
