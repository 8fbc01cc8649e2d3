"use strict";
// Fan-out: the result of `generateMulti`.

const { fromDocument } = require("./_errors.js");

/** @typedef {import("./_errors.js").Document} Document */

/**
 * The result of a fan-out.
 * @param {Document} document
 */
function multiResponse({ results, failures }) {
  return { results, failures: failures.map(fromDocument) };
}

module.exports = { multiResponse };
