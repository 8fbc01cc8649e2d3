"use strict";
/*
Log records, to a function or a logger of the caller, or to stderr.

The engine makes them, one object a call and more at lower levels, and puts them into a queue of this
environment. They come through the doorbell as answers do, and keep no process alive. What is there
when the process exits is still delivered.

    NODE_DEBUG=liter_llm       to stderr, level debug
    LITER_LLM_LOG=info         to stderr, this level; with NODE_DEBUG it only sets the level
*/

const { isMainThread } = require("node:worker_threads");
const { debuglog } = require("node:util");
const { addon } = require("./_native.js");
const { misuse } = require("./_errors.js");
const { openSource, state } = require("./_queue.js");
const { checkHow } = require("./_request.js");
const { warn } = require("./_warnings.js");

/** The levels, with the engine's numbers. */
const LEVELS = /** @type {Record<string, number>} */ (
  Object.assign(Object.create(null), { error: 1, warn: 2, info: 3, debug: 4 })
);

/** @typedef {{level: string, [member: string]: unknown}} LogRecord */

/**
 * @typedef {object} Sink
 * @property {(record: LogRecord, line: string) => unknown} write it may be asynchronous
 * @property {number} level
 */

/**
 * @typedef {object} Listening
 * @property {number} source the queue
 * @property {Sink | undefined} own what `logs` was given
 * @property {Sink | undefined} stderr what the environment asks for
 */

/**
 * Hands each record to `sink`: a function, or an object with the methods of `console`. `null` ends
 * that. The last call counts.
 * @param {unknown} [sink]
 * @param {{level?: string}} [how]
 */
function logs(sink = console, how) {
  const { level = "info" } = checkHow(how, ["level"]);
  if (LEVELS[level] === undefined) {
    throw new TypeError(`level is one of ${Object.keys(LEVELS).join(", ")}`);
  }
  listen().own = sink === null ? undefined : { write: writer(sink), level: LEVELS[level] };
  setLevel();
}

/**
 * @param {any} sink
 * @returns {Sink["write"]}
 */
function writer(sink) {
  if (typeof sink === "function") return (record) => sink(record);
  if (Object.keys(LEVELS).every((level) => typeof sink?.[level] === "function")) {
    return (record, line) => sink[record.level](`liter_llm ${line}`);
  }
  throw new TypeError(
    "logs takes a function, an object with the methods error, warn, info and debug (console), or null",
  );
}

/** @returns {Listening} */
function listen() {
  if (state.logs === undefined) {
    state.logs = { source: openSource(), own: undefined, stderr: undefined };
    process.on("exit", () => addon.resume()); // reads what has come since
  }
  state.pending.set(0, { take, abort: report });
  return state.logs;
}

function setLevel() {
  const { source, own, stderr } = listen();
  const status = addon.logs(source, Math.max(own?.level ?? 0, stderr?.level ?? 0));
  if (status !== 0) throw misuse(status);
}

/**
 * @param {number} _kind
 * @param {string} line
 */
function take(_kind, line) {
  const record = JSON.parse(line);
  const { own, stderr } = listen();
  for (const sink of [stderr, own]) {
    if (sink === undefined || !(LEVELS[record.level] <= sink.level)) continue;
    try {
      Promise.resolve(sink.write(record, line)).catch(report);
    } catch (error) {
      report(error); // no call fails because it cannot be logged
    }
  }
}

/** @param {unknown} error */
function report(error) {
  warn(`a log record could not be written: ${error instanceof Error ? error.message : error}`);
}

/** Listens as the environment asks. The main thread hears of the calls of all threads. */
function listenAsAsked() {
  const { LITER_LLM_LOG: level = "" } = process.env;
  const section = debuglog("liter_llm");
  const plain = level.trim().toLowerCase();
  const word = plain === "warning" ? "warn" : plain;
  const asked = LEVELS[word] ?? (section.enabled ? LEVELS.debug : 0);
  if (word !== "" && word !== "off" && LEVELS[word] === undefined) {
    warn(`LITER_LLM_LOG is one of ${Object.keys(LEVELS).join(", ")}, off`);
  }
  if (asked === 0 || word === "off" || !isMainThread) return;
  const write = section.enabled
    ? (/** @type {string} */ line) => section("%s", line)
    : (/** @type {string} */ line) => process.stderr.write(`liter_llm ${line}\n`);
  listen().stderr = { write: (_, line) => write(line), level: asked };
  setLevel();
}

listenAsAsked();

module.exports = { logs };
