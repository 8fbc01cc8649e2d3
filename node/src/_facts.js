"use strict";
// What the table of names finds in the facts of a call.

const TABLE = /** @type {any} */ (require("./_semconv.json"));

/**
 * `chat gpt-4.1-mini`, or `chat`.
 * @param {Record<string, any>} found
 */
function spanName(found) {
  const operation = found["gen_ai.operation.name"] ?? "chat";
  const model = found["gen_ai.request.model"];
  return model ? `${operation} ${model}` : operation;
}

/**
 * What the rows of the table find in the facts of a call.
 * @param {any[]} rows
 * @param {Record<string, any>} facts
 * @returns {Record<string, any>}
 */
function attributes(rows, facts) {
  /** @type {Record<string, any>} */
  const found = {};
  for (const row of rows) {
    const value = written(row.as, at(facts, row.from));
    if (value !== undefined) found[row.name] = value;
  }
  return found;
}

/**
 * @param {any} facts
 * @param {string} path
 */
function at(facts, path) {
  for (const name of path.split(".")) facts = facts?.[name];
  return facts ?? undefined;
}

/**
 * @param {string} as
 * @param {any} value
 */
function written(as, value) {
  return value === undefined ? undefined : (how[as]?.(value) ?? undefined);
}

/** @type {Record<string, (value: any) => any>} */
const how = {
  value: (value) => value,
  number: Number,
  seconds: (value) => value / 1000,
  count: (value) => value.length,
  not_one: (value) => (value === 1 ? undefined : value),
  operation: (value) => TABLE.operations[value] ?? value,
  provider: (trace) => TABLE.providers[trace.kind] ?? trace.provider,
  host: (value) => value.slice(0, value.lastIndexOf(":")).replace(/^\[|\]$/g, "") || undefined,
  port: (value) => Number(value.slice(value.lastIndexOf(":") + 1)) || undefined,
  finish_reasons: (choices) =>
    choices.length > 0 ? choices.map((/** @type {any} */ one) => one.finish_reason ?? "error") : undefined,
};

module.exports = { at, attributes, how, spanName, written };
