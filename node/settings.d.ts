// How and where things are done: a request's options and a client's configuration, by the names that
// the contract has for them (docs/contract.md). A test holds them against the JSON Schemas.

import type { Json, Reasoning } from "./documents.js";

// ---- Options -------------------------------------------------------------------------------------

/**
 * How and where it is done; never part of what is asked. One that this build of the engine does not
 * have is an UnsupportedError.
 */
export interface Options {
  provider?: string | null;
  /** The whole call's time. */
  timeout_ms?: number;
  /** The longest silence inside an answer. */
  idle_ms?: number;
  /** Adjacent text deltas that arrive in one read are joined into one chunk. */
  merge_deltas?: boolean;
  /** What the provider cannot take is left out with a warning, or an error. */
  unsupported?: "warn" | "error";
  /** Unknown members of a request are an error. */
  strict?: boolean;
  /** `false`: one attempt. */
  retry?: Retry | false;
  /** Further targets for when the first fails: `provider/model`, or a provider's name. */
  fallback?: readonly string[];
  /** What `generateMulti` sets. */
  fanout?: Fanout;
  /** Attempts beside a slow first one; `false`: none. */
  hedge?: Hedge | false;
  limit?: Limit;
  /** Only targets of this region. */
  region?: string;
  /** Calls with the same key keep to the same target of a `weighted` route. */
  sticky_key?: string;
  /** The same for every attempt, for providers that count a repeated request once. */
  idempotency_key?: string;
  /** A stream that breaks ends with an error; or a `Reset` comes, and the answer begins anew. */
  on_break?: "error" | "restart";
  cache?: Json;
  traceparent?: string;
  tracestate?: string;
  baggage?: string;
  tags?: Json;
}

/** Retries: 3 attempts, 250 ms, 8 s and 60 s where nothing else is said. */
export interface Retry {
  /** Most attempts at one target; each further target adds one. */
  max_attempts?: number;
  /** The upper bound of the first random wait; it doubles with each attempt. */
  base_ms?: number;
  /** What the upper bound grows to. */
  cap_ms?: number;
  /** The longest wait that a provider may ask for. */
  max_wait_ms?: number;
}

/** Several targets at once. */
export interface Fanout {
  targets: readonly string[];
  /** How many answers are waited for: 1. */
  first?: number;
}

export interface Hedge {
  /** When the next attempt starts: milliseconds, or the target's 95th percentile. */
  after_ms: number | "p95";
  /** Most of them: 1. */
  max?: number;
}

export interface Limit {
  /** Whether a call waits where a limit leaves no room; else it fails at once. */
  wait?: boolean;
}

// ---- Configuration -------------------------------------------------------------------------------

/** Milliseconds. `idle_ms`: the longest silence inside a body. */
export interface Timeouts {
  connect_ms?: number | null;
  headers_ms?: number | null;
  first_token_ms?: number | null;
  idle_ms?: number | null;
  total_ms?: number | null;
}

export interface ProviderConfig {
  /** Whose wire format it speaks; by default the one of its own name. */
  kind?: string | null;
  base_url?: string | null;
  /** `env:NAME`, `file:/path`, or the key itself. */
  api_key?: string | null;
  model?: string | null;
  headers?: Record<string, string>;
  timeouts?: Timeouts;
  api_version?: string | null;
  ca_file?: string | null;
  http?: "auto" | "1.1" | "2";
  /** Where it is, in the words of `Options.region`. */
  region?: string;
  /** Of all its models together. */
  limits?: Limits;
  /** What is peculiar to single models. */
  models?: Record<string, ModelConfig>;
  /** The header that makes a repeated request count once, where the server has one. */
  idempotency_header?: string;
  health_probe?: HealthProbe;
}

/** Limits that calls wait for. Tokens are those asked and answered. */
export interface Limits {
  requests_per_minute?: number;
  tokens_per_minute?: number;
  max_in_flight?: number;
}

export interface ModelConfig {
  limits?: Limits;
}

/** How a provider that failed is asked whether it is back. */
export interface HealthProbe {
  /** Milliseconds between two questions: 10,000. */
  interval_ms?: number;
}

/** A named list of targets, given in place of a provider's name. */
export interface Route {
  policy?: "priority" | "weighted" | "latency" | "least_in_flight";
  targets: readonly (string | Target)[];
  retry?: Retry | false;
  hedge?: Hedge | false;
}

export interface Target {
  /** `provider/model`, or a provider's name. */
  target: string;
  region?: string;
  /** Its share under `weighted`: 1; 0: only when the others fail. */
  weight?: number;
  /** What is different in requests to it. */
  parameters?: Parameters;
}

/** Members of a request that a target sets. */
export interface Parameters {
  max_tokens?: number;
  temperature?: number;
  top_p?: number;
  seed?: number;
  reasoning?: Reasoning;
  reasoning_effort?: string;
  extra?: Record<string, Json>;
}

/** How many retries and fallbacks there are: `percent` of the calls (20), and `per_second` (10). */
export interface RetryBudget {
  percent?: number;
  per_second?: number;
}

/** A client's configuration. */
export interface Config {
  providers?: Record<string, ProviderConfig>;
  routes?: Record<string, Route>;
  default_provider?: string | null;
  default_model?: string | null;
  max_in_flight?: number | null;
  /** Of every call that says nothing else. */
  retry?: Retry | false;
  retry_budget?: RetryBudget | false;
  hedge?: Hedge | false;
  /** Whether targets that keep failing are passed over. */
  breaker?: boolean;
  limit?: Limit;
  /** Whether what an answer tells of quotas and pauses binds the calls after it. */
  learn_limits?: boolean;
}
