"use strict";
// JSON in and out, in one place. The conformance runner replaces `codec.parse` to have the text of
// each document. A comparison of languages byte by byte needs the spelling of numbers.

const { BadRequestError } = require("./_errors.js");

const codec = { parse: JSON.parse };

/**
 * A document as text. A value that JSON cannot express is an error, however deep it is.
 * `JSON.stringify` would write null, nothing or an empty object for it.
 * @param {object} value
 * @param {string} what
 * @returns {string}
 */
function stringify(value, what) {
  /** @type {string} */
  let text;
  /** @type {Loss | undefined} */
  let loss;
  try {
    text = JSON.stringify(value); // first, because it finds a circle
    loss = findLoss(value); // a replacer would take longer
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    throw BadRequestError.of(`the ${what} cannot be written as JSON: ${reason}`);
  }
  if (loss !== undefined) throw lossError("", loss);
  return text;
}

/**
 * @param {string} name of the value
 * @param {unknown} value without a circle
 */
function checkValue(name, value) {
  const loss = findLoss(value);
  if (loss !== undefined) throw lossError(name, loss);
}

/**
 * @param {string} name of the value that has it inside
 * @param {Loss} loss
 */
function lossError(name, loss) {
  const path = loss.path.reduceRight(
    (/** @type {string} */ before, step) =>
      typeof step === "number" ? `${before}[${step}]` : before === "" ? step : `${before}.${step}`,
    name,
  );
  const tool = loss.found === "a function" && /^tools\[\d+\]$/.test(path);
  const advice = tool ? TOOL : (loss.advice ?? "");
  const message = `${path} is ${loss.found}, which JSON cannot say${advice}`;
  return BadRequestError.of(message, { param: path });
}

const TOOL = ': describe it, { type: "function", function: { name, description, parameters } }';
const LIST = ": give an array, or a plain object as of Object.fromEntries(…)";

/**
 * What JSON would lose.
 * @typedef {object} Loss
 * @property {string} found what it is
 * @property {string} [advice]
 * @property {(string | number)[]} path the way to it, from the inside
 */

/**
 * The first value that JSON would lose.
 * @param {any} value
 * @returns {Loss | undefined}
 */
function findLoss(value) {
  const type = typeof value;
  if (type === "number") {
    return Number.isFinite(value) ? undefined : { found: String(value), path: [] };
  }
  if (type === "object" ? value === null : type !== "function") {
    return type === "symbol" ? { found: "a symbol", path: [] } : undefined;
  }
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const loss = findLoss(value[at]);
      if (loss !== undefined) return inside(loss, at);
    }
    return undefined;
  }
  if (typeof value.toJSON === "function") return undefined;
  if (type === "function") return { found: "a function", path: [] };
  // A Map, a Set or Headers has no members of its own.
  if (typeof value[Symbol.iterator] === "function") {
    return { found: `a ${value.constructor?.name ?? "list of another kind"}`, advice: LIST, path: [] };
  }
  const names = Object.keys(value);
  if (names.length === 0) return emptyLoss(value);
  for (const name of names) {
    const member = value[name];
    if (typeof member === "string") continue; // most are
    const loss = findLoss(member);
    if (loss !== undefined) return inside(loss, name);
  }
  return undefined;
}

/**
 * @param {Loss} loss
 * @param {string | number} step
 */
function inside(loss, step) {
  loss.path.push(step);
  return loss;
}

/**
 * What an object without members of its own has elsewhere, as a RegExp, an Error or a Promise.
 * @param {object} value
 * @returns {Loss | undefined}
 */
function emptyLoss(value) {
  const [, name = ""] = /^\[object (.*)\]$/.exec(Object.prototype.toString.call(value)) ?? [];
  if (["Object", "Number", "String", "Boolean"].includes(name)) return undefined;
  return { found: `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`, path: [] };
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
