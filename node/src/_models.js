"use strict";
// What the engine says is plain objects; a chunk has one more property, on its prototype.

class Chunk {
  /** The first choice's new text; empty where the chunk has none. */
  get text() {
    /** @type {any} */
    const { choices } = this;
    return choices?.[0]?.delta.content ?? "";
  }
}

const { prototype } = Chunk;

/**
 * @param {any} document
 * @returns {Chunk}
 */
function chunk(document) {
  return Object.setPrototypeOf(document, prototype);
}

module.exports = { Chunk, chunk };
