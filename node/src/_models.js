"use strict";
// The engine's documents are plain objects. Answers to a chat, those of a stream and those with
// vectors have more, on their prototypes.

class Response {
  /** The first choice's text. It is empty if the answer has none. */
  get text() {
    /** @type {any} */
    const { choices } = this;
    return choices?.[0]?.message?.content ?? "";
  }
}

/**
 * @param {any} document
 * @returns {any}
 */
function response(document) {
  const isChat = document.object === "chat.completion";
  return isChat ? Object.setPrototypeOf(document, Response.prototype) : document;
}

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

/**
 * The vectors of an answer that lists their numbers, as views of one memory.
 * @param {{ embedding: number[] }[]} data
 */
function lists(data) {
  const length = data.length && data[0].embedding.length;
  if (data.length && !length) throw new RangeError("a vector of this document is not whole");
  const all = new Float32Array(length * data.length);
  return data.map(({ embedding }, i) => {
    if (embedding.length !== length) throw new RangeError("the vectors of this document differ in length");
    all.set(embedding, i * length);
    return all.subarray(i * length, (i + 1) * length);
  });
}

/** Whether this machine has the other order of bytes than the documents. */
const BIG_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;

class Embeddings {
  vectors() {
    /** @type {any} */
    const { data, encoding } = this;
    if (encoding === "float") return lists(data);
    const kind = NUMBERS[encoding];
    const width = /** @type {any} */ (kind).BYTES_PER_ELEMENT;
    const bytes = data.length && Buffer.byteLength(data[0].embedding, "base64");
    // Such a document is not the engine's, and nor are those below.
    if (data.length && (!bytes || bytes % width)) throw new RangeError("a vector of this document is not whole");
    const all = Buffer.from(new ArrayBuffer(bytes * data.length));
    return data.map((/** @type {any} */ one, /** @type {number} */ i) => {
      const from = i * bytes;
      if (Buffer.byteLength(one.embedding, "base64") !== bytes) {
        throw new RangeError("the vectors of this document differ in length");
      }
      if (all.write(one.embedding, from, bytes, "base64") !== bytes) {
        throw new RangeError("a vector of this document is not base64");
      }
      if (BIG_ENDIAN && kind === Float32Array) all.subarray(from, from + bytes).swap32();
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

module.exports = { Chunk, Reset, chunk, embeddings, response };
