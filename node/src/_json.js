"use strict";
// JSON in and out, in one place. The conformance runner replaces `codec.parse` to have the text of
// each document. A comparison of languages byte by byte needs the spelling of numbers.

const { BadRequestError } = require("./_errors.js");

const codec = { parse: JSON.parse };

/**
 * A document as text. A value that JSON cannot express is an error. `JSON.stringify` would write
 * null, nothing or an empty object for it.
 * @param {object} value
 * @param {string} what
 * @returns {string}
 */
function stringify(value, what) {
  for (const name of Object.keys(value)) {
    const member = /** @type {any} */ (value)[name];
    checkValue(name, member);
    const wrong = Array.isArray(member) ? member.findIndex((one) => typeof one === "function") : -1;
    if (wrong >= 0) checkValue(`${name}[${wrong}]`, member[wrong]);
  }
  try {
    return JSON.stringify(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    throw BadRequestError.of(`the ${what} cannot be written as JSON: ${reason}`);
  }
}

/**
 * @param {string} path
 * @param {any} value
 */
function checkValue(path, value) {
  /** @type {string | undefined} */
  let found;
  let advice = "";
  if (typeof value === "number" && !Number.isFinite(value)) {
    found = String(value);
  } else if (typeof value === "function" || typeof value === "symbol") {
    found = `a ${typeof value}`;
    if (path.startsWith("tools[")) {
      advice = ': describe it, { type: "function", function: { name, description, parameters } }';
    }
  } else if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    // A Map, a Set or Headers has no members of its own.
    if (typeof value[Symbol.iterator] !== "function" || typeof value.toJSON === "function") return;
    found = `a ${value.constructor?.name ?? "list of another kind"}`;
    advice = ": give an array, or a plain object as of Object.fromEntries(…)";
  }
  if (found === undefined) return;
  throw BadRequestError.of(`${path} is ${found}, which JSON cannot say${advice}`, { param: path });
}

/**
 * JSON text as the bytes to send. Half a character is refused, because it would become another one
 * on the way.
 * @param {string} text
 * @param {string} what
 * @param {string} advice for a text that is none, as a prompt or the name of a file
 */
function encode(text, what, advice) {
  if (!/^\s*(?:[[{]|$)/.test(text)) {
    throw BadRequestError.of(`the ${what} is a text that is no JSON object: ${advice}`);
  }
  if (!text.isWellFormed()) throw BadRequestError.of(`the ${what} has a lone surrogate`);
  return Buffer.from(text);
}

module.exports = { checkValue, codec, encode, stringify };
