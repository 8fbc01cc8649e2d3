"use strict";
// Decompresses answers piece by piece and never ahead. So an answer that is not read any more has
// nothing in flight that would keep it.

const zlib = require("node:zlib");

/**
 * Bytes, piece by piece. `undefined` is the end.
 * @typedef {() => Promise<Uint8Array | undefined>} Read
 */

/**
 * Makes a decoder for an answer that begins with this byte.
 * @typedef {(first: number) => import("node:stream").Transform} Maker
 */

/** @type {Map<string, Maker>} */
const MAKERS = new Map(/** @type {[string, Maker][]} */ ([
  ["gzip", () => zlib.createGunzip()],
  ["x-gzip", () => zlib.createGunzip()],
  // Servers use this name for zlib's format or for the raw one.
  ["deflate", (first) => ((first & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw())],
  ["br", () => zlib.createBrotliDecompress()],
]));

/** The most codings of an answer. More only serve to make a small answer unfold again and again. */
const CODINGS = 3;

/**
 * Decompresses, as fetch does. An unknown coding stays as it is.
 * @param {Read} read
 * @param {string | undefined} codings the header `content-encoding`
 * @returns {Read}
 */
function decoded(read, codings) {
  if (codings === undefined) return read;
  const makers = codings.split(",").map((coding) => MAKERS.get(coding.trim().toLowerCase()));
  if (makers.length > CODINGS || makers.includes(undefined)) return read;
  return /** @type {Maker[]} */ (makers).reduceRight((inner, make) => unpacked(inner, make), read);
}

/**
 * @param {Read} read
 * @param {Maker} make
 * @returns {Read}
 */
function unpacked(read, make) {
  /** @type {import("node:stream").Transform | undefined} */
  let decoder; // an empty answer needs none
  let ended = false;
  let busy = false; // it has not taken its last input yet
  /** @type {Error | undefined} */
  let failure;
  let wake = () => {};

  /** @param {number} first */
  const start = (first) => {
    const made = make(first);
    made.on("readable", () => wake());
    made.on("end", () => {
      ended = true;
      wake();
    });
    made.on("error", (error) => {
      failure = error;
      wake();
    });
    return made;
  };

  /** @param {Uint8Array | undefined} piece */
  const feed = (piece) => {
    if (piece === undefined) {
      if (decoder === undefined) ended = true;
      else {
        busy = true; // until it has ended
        decoder.end();
      }
      return;
    }
    decoder ??= start(piece[0] ?? 0);
    busy = true;
    decoder.write(piece, () => {
      busy = false;
      wake();
    });
  };

  return async () => {
    for (;;) {
      /** @type {Buffer | null | undefined} */
      const piece = decoder?.read();
      if (piece) return new Uint8Array(piece); // the decoder uses its memory again
      if (failure !== undefined) throw new TypeError("terminated", { cause: failure });
      if (ended) return undefined;
      if (busy) await new Promise((resolve) => (wake = () => resolve(undefined)));
      else feed(await read());
    }
  };
}

module.exports = { decoded };
