"use strict";
// Fan-out: the result of `generateMulti`.

const { fromDocument } = require("./_errors.js");
const { response } = require("./_models.js");

/** @typedef {import("./_errors.js").Document} Document */

/**
 * The result of a fan-out.
 * @param {Document} document
 */
function multiResponse({ results, failures }) {
  results.forEach(response);
  return { results, failures: failures.map(fromDocument) };
}

module.exports = { multiResponse };
