"use strict";
// The engine's client: one handle that every view of a Client shares.

const { readFileSync } = require("node:fs");
const addon = require("./_library.js").load();
const { codec } = require("./_json.js");
const { fromDocument, misuse } = require("./_errors.js");
const { warn } = require("./_warnings.js");

/**
 * What the addon offers (native/addon.cc says what each does). A negative number is a status of the
 * C interface.
 * @typedef {object} Addon
 * @property {string} version
 * @property {(buffer: Uint8Array, deliver: (size: number, buffer: Buffer) => boolean) => void} start
 * @property {() => void} resume
 * @property {import("./_queue.js").State} [state] of those who use it
 * @property {(config: Text | undefined, environment: string) => Handle | string | number} open
 * @property {(client: Handle) => number} close
 * @property {(client: Handle, format: string) => string | number} metrics
 * @property {(client: Handle, request: Text, options: string) => [number, string | undefined]} call
 * @property {() => number} source
 * @property {(start: number, end: number) => string} text
 * @property {(client: Handle, source: number, token: number, how: number, request: Text, options: string) => number} submit
 * @property {(source: number, token: number) => void} cancel
 * @property {(source: number, token: number) => void} collect
 * @property {(source: number, token: number, bytes: number) => void} credit
 * @property {(on: boolean) => void} hold
 * @property {(source: number, level: number) => number} logs
 */

/** @typedef {{readonly native: unique symbol}} Handle */
/** @typedef {string | Uint8Array} Text */

/** @type {Map<string, boolean>} the files of NODE_EXTRA_CA_CERTS so far, and whether they can be used */
const usable = new Map();

/**
 * The file of NODE_EXTRA_CA_CERTS, as Node itself takes it: one that cannot be used is warned of, and
 * nothing fails.
 * @param {string | undefined} file
 */
function extraRoots(file) {
  if (!file) return undefined;
  let good = usable.get(file);
  if (good === undefined) {
    let why = "it has no PEM certificate";
    try {
      good = readFileSync(file, "latin1").includes("-----BEGIN CERTIFICATE-----");
    } catch (error) {
      good = false;
      why = /** @type {any} */ (error).code;
    }
    usable.set(file, good);
    if (!good) warn(`NODE_EXTRA_CA_CERTS (${file}) is left out: ${why}`, "extra_roots");
  }
  return good ? file : undefined;
}

/**
 * The variables of `process.env` as a document. Node reads them under a lock of its own. The engine
 * must not read them itself, because C's getenv may crash beside an assignment in another thread.
 */
function environment() {
  const variables = { ...process.env };
  // The roots that Node's own fetch trusts beside the others.
  variables.LITER_LLM_EXTRA_CA_FILE ??= extraRoots(variables.NODE_EXTRA_CA_CERTS);
  // Half a character in a value would be no JSON for the engine.
  return JSON.stringify(variables, (_, value) =>
    typeof value === "string" ? value.toWellFormed() : value,
  );
}

/** Owns a handle. The engine's client is freed with the last reference to it. */
class NativeClient {
  /** @param {Text | undefined} config a configuration as JSON; undefined: the environment */
  constructor(config) {
    const opened = addon.open(config, environment());
    if (typeof opened === "number") throw misuse(opened);
    if (typeof opened === "string") throw fromDocument(codec.parse(opened));
    this.handle = opened;
    this.closed = false;
    this.inFlight = 0;
    /** @type {Set<string>} the warnings that were emitted */
    this.warned = new Set();
    /** @type {Array<() => void>} called when nothing is in flight any more */
    this.idle = [];
  }

  /** Counts a request of this client as ended. */
  ended() {
    if (--this.inFlight === 0) for (const resolve of this.idle.splice(0)) resolve();
  }

  /** @param {string} format */
  metrics(format) {
    const document = addon.metrics(this.handle, format);
    if (typeof document === "number") throw misuse(document);
    return document;
  }

  /**
   * Takes no more requests, waits for those in flight, and cancels the rest.
   * @param {number} graceMs
   */
  async close(graceMs) {
    this.closed = true;
    if (graceMs > 0 && this.inFlight > 0) {
      /** @type {NodeJS.Timeout | undefined} */
      let timer;
      await /** @type {Promise<void>} */ (
        new Promise((resolve) => {
          this.idle.push(resolve);
          timer = setTimeout(resolve, Math.min(graceMs, 0x7fff_ffff));
        })
      );
      clearTimeout(timer);
    }
    addon.close(this.handle);
  }
}

module.exports = { NativeClient, addon };
