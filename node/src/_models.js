"use strict";
// The engine's documents are plain objects. Those of a stream and those with vectors have more, on
// their prototypes.

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

/**
 * The numbers of a vector, by its encoding.
 * @type {Record<string, new (buffer: ArrayBuffer, from: number, length: number) => any>}
 */
const NUMBERS = {
  base64: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  binary: Int8Array,
  ubinary: Uint8Array,
};

/** Whether this machine has the other order of bytes than the documents. */
const BIG_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;

class Embeddings {
  vectors() {
    /** @type {any} */
    const { data, encoding } = this;
    if (encoding === "float") return data.map((/** @type {any} */ one) => Float32Array.from(one.embedding));
    const kind = NUMBERS[encoding];
    const bytes = data.length && Buffer.byteLength(data[0].embedding, "base64");
    const all = Buffer.from(new ArrayBuffer(bytes * data.length));
    return data.map((/** @type {any} */ one, /** @type {number} */ i) => {
      const from = i * bytes;
      // The length of the text is that of all others, or this is not the engine's document.
      if (Buffer.byteLength(one.embedding, "base64") !== bytes) {
        throw new RangeError("the vectors of this document differ in length");
      }
      all.write(one.embedding, from, bytes, "base64");
      if (BIG_ENDIAN && kind === Float32Array) all.subarray(from, from + bytes).swap32();
      const width = /** @type {any} */ (kind).BYTES_PER_ELEMENT;
      return new kind(/** @type {ArrayBuffer} */ (all.buffer), from, bytes / width);
    });
  }
}

/**
 * @param {any} document
 * @returns {Embeddings}
 */
function embeddings(document) {
  return Object.setPrototypeOf(document, Embeddings.prototype);
}

module.exports = { Chunk, Reset, chunk, embeddings };
