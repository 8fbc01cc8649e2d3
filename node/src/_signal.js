"use strict";
// AbortSignals have one listener each, however many requests share the signal.

/** @typedef {{abort(reason: unknown): void}} Abortable */

/** @type {WeakMap<AbortSignal, Set<Abortable>>} */
const watched = new WeakMap();

/**
 * Aborts the request with the signal, unless `unwatch` comes before.
 * @param {AbortSignal} signal not aborted yet
 * @param {Abortable} request
 */
function watch(signal, request) {
  const requests = watched.get(signal);
  if (requests !== undefined) {
    requests.add(request);
    return;
  }
  watched.set(signal, new Set([request]));
  signal.addEventListener("abort", dispatch, { once: true });
}

/**
 * @param {AbortSignal} signal
 * @param {Abortable} request
 */
function unwatch(signal, request) {
  const requests = watched.get(signal);
  if (requests?.delete(request) && requests.size === 0) {
    watched.delete(signal);
    signal.removeEventListener("abort", dispatch);
  }
}

/** @this {AbortSignal} */
function dispatch() {
  const requests = watched.get(this);
  watched.delete(this);
  for (const request of requests ?? []) request.abort(this.reason);
}

module.exports = { unwatch, watch };
