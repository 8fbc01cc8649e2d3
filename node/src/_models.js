"use strict";
// The engine's documents are plain objects. Those of a stream have more properties, on their
// prototypes.

/** @param {{index: number}} choice */
const isFirst = ({ index }) => index === 0; // where several are asked for, each comes in chunks of its own

class Chunk {
  /** The first choice's new text. It is empty if the chunk has none. */
  get text() {
    /** @type {any} */
    const { choices } = this;
    return choices?.find(isFirst)?.delta.content ?? "";
  }
}

class Reset {
  get text() {
    return "";
  }

  get usage() {
    return undefined;
  }
}

/**
 * @param {any} document
 * @returns {Chunk | Reset}
 */
function chunk(document) {
  const type = document.object === "chat.completion.reset" ? Reset : Chunk;
  return Object.setPrototypeOf(document, type.prototype);
}

module.exports = { Chunk, Reset, chunk };
