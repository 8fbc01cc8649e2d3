"use strict";
// What the engine left out or changed goes to Node's own channel of warnings, too, because few look
// at `warnings` of an answer. Such a warning has the name of a member, and nothing of a prompt.

/** @typedef {{code: string, message: string}} Warning */

/** The number of different texts that a client emits. */
const MOST = 1000;

/**
 * Emits each text once a client.
 * @param {{warned: Set<string>}} native
 * @param {{warnings?: Warning[]}} response
 */
function warnOf({ warned }, { warnings }) {
  for (const { code, message } of warnings ?? []) {
    if (warned.size >= MOST || warned.has(message)) continue;
    warned.add(message);
    warn(message, code);
  }
}

/** What would end a line, steer a terminal, or turn round the order of what is read. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * The text as one line, with the escapes of JSON. A name that a stranger gave cannot forge a line.
 * @param {string} text
 */
function printable(text) {
  return text.replace(UNPRINTABLE, (found) => {
    const short = JSON.stringify(found).slice(1, -1);
    if (short !== found) return short;
    const units = Array.from({ length: found.length }, (_, at) => found.charCodeAt(at));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

/**
 * @param {string} message
 * @param {string} [code]
 */
function warn(message, code) {
  process.emitWarning(printable(message), { type: "LiterLLMWarning", ...(code === undefined ? {} : { code }) });
}

/**
 * Whether a response document may have warnings. It has an empty list otherwise.
 * @param {string} document
 */
const mayWarn = (document) => document.includes('"warnings":[{');

module.exports = { mayWarn, warn, warnOf };
