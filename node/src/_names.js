"use strict";
// The names that arguments may have, and what to say of one that is none of them.
//
// A test holds the lists against the schemas and the declared types.

/** Members that are options. All others are members of the request. */
const OPTION_NAMES = new Set([
  "provider",
  "timeout_ms",
  "idle_ms",
  "merge_deltas",
  "unsupported",
  "strict",
  "retry",
  "fallback",
  "fanout",
  "hedge",
  "limit",
  "region",
  "sticky_key",
  "idempotency_key",
  "on_break",
  "adapt",
  "drop_refused",
  "headers",
  "cache",
  "tenant",
  "telemetry",
  "traceparent",
  "tracestate",
  "baggage",
  "tags",
  "min_quality",
]);

/** Members of a request, by its operation. `system` is put in front of the messages here. */
const REQUEST_NAMES = {
  chat: new Set([
    "system",
    "prompt",
    "messages",
    "model",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "n",
    "modalities",
    "audio",
    "presence_penalty",
    "frequency_penalty",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "reasoning",
    "reasoning_effort",
    "stream",
    "stream_options",
    "metadata",
    "user",
    "logprobs",
    "top_logprobs",
    "top_k",
    "prediction",
    "service_tier",
    "verbosity",
    "prompt_cache_key",
    "safety_identifier",
    "extra",
  ]),
  embed: new Set([
    "input",
    "model",
    "dimensions",
    "input_type",
    "truncate",
    "encoding",
    "extra",
  ]),
  models: new Set(["model"]),
  rerank: new Set(["query", "documents", "model", "top_n", "max_tokens_per_doc", "extra"]),
  moderate: new Set(["input", "model", "extra"]),
};

/** Members of a configuration. */
const CONFIG_NAMES = new Set([
  "providers",
  "default_provider",
  "default_model",
  "max_in_flight",
  "max_bytes_in_flight",
  "routes",
  "retry",
  "retry_budget",
  "hedge",
  "breaker",
  "limit",
  "learn_limits",
  "prices",
  "prices_file",
  "cache",
  "redis",
  "budgets",
  "fleet",
]);

/** Settings of the default provider that a client takes beside the members of a configuration. */
const SETTING_NAMES = new Set(["api_key", "base_url", "headers", "timeout_ms"]);

/** How JavaScript writes some of them. */
const SETTING_SPELLINGS = new Map([
  ["apiKey", "api_key"],
  ["baseUrl", "base_url"],
  ["timeoutMs", "timeout_ms"],
]);

/** Names of other SDKs, in snake case, and ours. */
const FOREIGN = new Map([
  ["timeout", "timeout_ms"],
  ["timeout_seconds", "timeout_ms"],
  ["timeout_s", "timeout_ms"],
  ["request_timeout", "timeout_ms"],
  ["fallbacks", "fallback"],
  ["extra_headers", "headers"],
  ["default_headers", "headers"],
  ["extra_body", "extra"],
  ["top_k", "top_n"],
  ["max_output_tokens", "max_tokens"],
  ["max_tokens_to_sample", "max_tokens"],
  ["max_retries", "retry"],
  ["num_retries", "retry"],
  ["retries", "retry"],
  ["stop_sequences", "stop"],
  ["functions", "tools"],
  ["function_call", "tool_choice"],
  ["abort_signal", "signal"],
  ["instructions", "system"],
  ["system_prompt", "system"],
  ["thinking", "reasoning"],
  ["api_base", "base_url"],
  ["key", "api_key"],
  ["secret_key", "api_key"],
  ["token", "api_key"],
  ["access_token", "api_key"],
  ["api_token", "api_key"],
  ["auth_token", "api_key"],
  ["bearer_token", "api_key"],
  ["authorization", "api_key"],
  ["default_model", "model"],
  ["model", "default_model"],
  ["default_provider", "provider"],
  ["provider", "default_provider"],
]);

/** @param {string} name */
const snake = (name) => name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();

/**
 * The error for a name that is none of `known`.
 * @param {string} name
 * @param {unknown} value of which only a number's is shown
 * @param {Iterable<string>} known
 * @param {string} what "not an option"
 */
function unknownName(name, value, known, what) {
  const names = [...known];
  const near = nearest(name, names);
  const head = `${name} is ${what}`;
  if (near !== undefined) return new TypeError(`${head}: did you mean ${written(near, name, value)}?`);
  if (isSetting(name)) {
    const setting = settingName(name);
    return new TypeError(`${head}, but a setting of a client: new Client({ ${setting}: … })`);
  }
  if (names.includes("extra")) {
    const advice = `a member of one provider's own goes into extra: { <provider>: { ${name}: … } }`;
    return new TypeError(`${head}; ${advice}`);
  }
  return new TypeError(`${head}; known: ${names.join(", ")}`);
}

/**
 * The error for a name of a configuration that only another SDK has, or that is an option. What else
 * is wrong with a configuration, the engine says.
 * @param {string} name
 * @param {unknown} value
 */
function misplaced(name, value) {
  if (OPTION_NAMES.has(name)) {
    const near = nearest(name, [...CONFIG_NAMES]);
    const second = `give it in the second argument, new Client(config, { ${name}: … })`;
    const advice = near === undefined ? second : `${second}, or give ${near}`;
    return new TypeError(`${name} is not a member of a configuration, but an option: ${advice}`);
  }
  const near = nearest(name, [...CONFIG_NAMES, ...SETTING_NAMES]);
  if (near === undefined) return undefined;
  return unknownName(name, value, [near], "not a member of a configuration");
}

/**
 * The known name that is meant, if one is near.
 * @param {string} name
 * @param {readonly string[]} names
 */
function nearest(name, names) {
  const plain = snake(name);
  if (names.includes(plain)) return plain;
  const foreign = FOREIGN.get(plain);
  if (foreign !== undefined && names.includes(foreign)) return foreign;
  const most = plain.length < 4 ? 0 : plain.length < 8 ? 1 : 2;
  return names.find((one) => distance(plain, one) <= most);
}

/** @param {string} name */
function settingName(name) {
  const plain = SETTING_SPELLINGS.get(name) ?? snake(name);
  const setting = plain.endsWith("_api_key") ? "api_key" : (FOREIGN.get(plain) ?? plain);
  return SETTING_NAMES.has(setting) ? setting : nearest(name, [...SETTING_NAMES]);
}

/** @param {string} name */
const isSetting = (name) => settingName(name) !== undefined;

/**
 * How the right member is written, with the value where that has another unit.
 * @param {string} near
 * @param {string} name
 * @param {unknown} value
 */
function written(near, name, value) {
  const number = typeof value === "number" && Number.isFinite(value) ? value : undefined;
  if (near === "timeout_ms" && snake(name) !== "timeout_ms") {
    // Some SDKs count seconds, others milliseconds. Nobody waits for 1000 seconds.
    if (number === undefined) return "timeout_ms, in milliseconds";
    const seconds = number < 1000;
    return `timeout_ms: ${seconds ? Math.round(number * 1000) : number}, in milliseconds`;
  }
  if (near === "retry" && snake(name) !== "retry") {
    if (number === undefined) return "retry: { max_attempts: … }";
    return number > 0 ? `retry: { max_attempts: ${number + 1} }` : "retry: false";
  }
  if (near === "extra" && snake(name) !== "extra") {
    return `extra: { <provider>: { ${name === "extra_body" || name === "extraBody" ? "" : `${snake(name)}: `}… } }`;
  }
  if (near === "fallback") return 'fallback: ["provider/model"]';
  return near;
}

/**
 * How many letters have to be put in, left out, replaced or swapped.
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
  if (Math.abs(a.length - b.length) > 2) return 3;
  /** @type {number[][]} */
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (same ? 0 : 1));
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (i > 1 && j > 1 && swapped) least = Math.min(least, rows[i - 2][j - 2] + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

module.exports = {
  CONFIG_NAMES,
  OPTION_NAMES,
  REQUEST_NAMES,
  SETTING_NAMES,
  SETTING_SPELLINGS,
  misplaced,
  unknownName,
};
