"use strict";
// Several targets at once: what `generateMulti` gives.

const { fromDocument } = require("./_errors.js");

/** @typedef {import("./_errors.js").Document} Document */

/**
 * What a fan-out brought.
 * @param {Document} document
 */
function multiResponse({ results, failures }) {
  return { results, failures: failures.map(fromDocument) };
}

module.exports = { multiResponse };
