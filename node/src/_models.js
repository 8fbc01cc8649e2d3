"use strict";
// What the engine says is plain objects; those of a stream have more properties, on their prototypes.

class Chunk {
  /** The first choice's new text; empty where the chunk has none. */
  get text() {
    /** @type {any} */
    const { choices } = this;
    return choices?.[0]?.delta.content ?? "";
  }
}

class Reset {
  get text() {
    return "";
  }

  get choices() {
    return [];
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
