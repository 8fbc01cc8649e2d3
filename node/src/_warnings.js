"use strict";
// What the engine left out or changed goes to Node's own channel of warnings, too, because few look
// at `warnings` of an answer. Such a warning has the name of a member, and nothing of a prompt.

/** @typedef {{code: string, message: string}} Warning */

/** A client that meets more different texts begins anew. */
const MOST = 1000;

/**
 * Emits each text once a client.
 * @param {{warned: Set<string>}} native
 * @param {{warnings?: Warning[]}} response
 */
function warnOf({ warned }, { warnings }) {
  for (const { code, message } of warnings ?? []) {
    if (warned.has(message)) continue;
    if (warned.size >= MOST) warned.clear();
    warned.add(message);
    warn(message, code);
  }
}

/**
 * @param {string} message
 * @param {string} [code]
 */
function warn(message, code) {
  process.emitWarning(message, { type: "LiterLLMWarning", ...(code === undefined ? {} : { code }) });
}

/**
 * Whether a response document may have warnings. It has an empty list otherwise.
 * @param {string} document
 */
const mayWarn = (document) => document.includes('"warnings":[{');

module.exports = { mayWarn, warn, warnOf };
