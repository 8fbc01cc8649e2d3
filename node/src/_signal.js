"use strict";
// AbortSignals: one listener a signal, however many calls it is given to.

/** @typedef {(reason: unknown) => void} Abort */

/** @type {WeakMap<AbortSignal, Set<Abort>>} */
const watched = new WeakMap();

/**
 * Calls `abort` once when the signal aborts, unless `unwatch` comes before.
 * @param {AbortSignal} signal not aborted yet
 * @param {Abort} abort
 */
function watch(signal, abort) {
  const calls = watched.get(signal);
  if (calls !== undefined) {
    calls.add(abort);
    return;
  }
  watched.set(signal, new Set([abort]));
  signal.addEventListener("abort", dispatch, { once: true });
}

/**
 * @param {AbortSignal} signal
 * @param {Abort} abort
 */
function unwatch(signal, abort) {
  const calls = watched.get(signal);
  if (calls?.delete(abort) && calls.size === 0) {
    watched.delete(signal);
    signal.removeEventListener("abort", dispatch);
  }
}

/** @this {AbortSignal} */
function dispatch() {
  const calls = watched.get(this);
  watched.delete(this);
  for (const abort of calls ?? []) abort(this.reason);
}

module.exports = { unwatch, watch };
