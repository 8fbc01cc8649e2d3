"use strict";
// Several targets at once: what `generateMulti` gives, and what only it can give.

const { BadRequestError, fromDocument } = require("./_errors.js");

/** @typedef {import("./_errors.js").Document} Document */

/**
 * What a fan-out brought.
 * @param {Document} document
 */
function multiResponse({ results, failures }) {
  return { results, failures: failures.map(fromDocument) };
}

/**
 * The response in a document that one answer was wanted in.
 * @param {Document} document
 */
function answer(document) {
  if ("results" in document) throw several(); // the options were in a request that is given as bytes
  return document;
}

/** The error for `fanout` where one answer is wanted. */
function several() {
  return BadRequestError.of(
    "options.fanout asks several targets for an answer each: call generateMulti",
    { param: "options.fanout" },
  );
}

module.exports = { answer, multiResponse, several };
