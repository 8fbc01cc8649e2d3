// The documents, by the names that the contract has for them (docs/contract.md). A test holds them
// against the JSON Schemas in bindings/conformance/schemas/.

// ---- Requests ------------------------------------------------------------------------------------

export type Json = Record<string, unknown>;

export interface TextPart {
  type: "text";
  text: string;
  /** Ends a prefix to cache (Anthropic). */
  cache_control?: unknown;
}

export interface ImagePart {
  type: "image_url";
  /** An `https://` or `data:` URL; `detail`: low, high or auto. */
  image_url: string | { url: string; detail?: string | null };
  cache_control?: unknown;
}

export interface AudioPart {
  type: "input_audio";
  /** Base64; `format`: wav or mp3. */
  input_audio: { data: string; format: string };
  cache_control?: unknown;
}

export interface FilePart {
  type: "file";
  /** By content (a `data:` URL) or by the provider's id. */
  file: { file_data?: string; file_id?: string; filename?: string };
  cache_control?: unknown;
}

/** What an assistant refused to say, handed back as part of the history. */
export interface RefusalPart {
  type: "refusal";
  refusal?: string | null;
}

export type Part = TextPart | ImagePart | AudioPart | FilePart | RefusalPart;

/** One message of the conversation; a response's message can be handed back as it came. */
export interface Message {
  role: "system" | "developer" | "user" | "assistant" | "tool";
  content?: string | readonly Part[] | null;
  name?: string | null;
  tool_calls?: readonly CalledTool[] | null;
  /** With role tool: the call that it answers. */
  tool_call_id?: string | null;
  refusal?: string | null;
  reasoning?: string | null;
  reasoning_content?: string | null;
  is_error?: boolean | null;
  provider_fields?: Json | null;
}

/** A call of a tool in the history. */
export interface CalledTool {
  id?: string | null;
  type?: "function" | null;
  /** `arguments`: JSON text, or the object itself. */
  function: { name: string; arguments?: string | Json | null };
}

export interface Tool {
  type: "function";
  function?: {
    name: string;
    description?: string | null;
    /** A JSON Schema. */
    parameters?: Json | null;
    strict?: boolean | null;
  };
  cache_control?: unknown;
}

export type ToolChoice =
  | "auto"
  | "none"
  | "required"
  | "any"
  | { type: "function"; function: { name: string } };

export type ResponseFormat =
  | { type: "text" }
  | { type: "json_object" }
  | {
      type: "json_schema";
      json_schema: {
        name?: string | null;
        description?: string | null;
        schema: Json;
        strict?: boolean | null;
      };
    };

/** How much the model thinks: a word that the provider knows, or a number of tokens. */
export interface Reasoning {
  effort?: string | null;
  budget_tokens?: number | null;
}

/** What is asked: OpenAI's request, with `prompt` as the short form of one user message. */
export interface ChatRequest {
  op?: "chat" | null;
  prompt?: string | null;
  messages?: readonly Message[] | null;
  /** The provider's model; with no provider given: `provider/model`. */
  model?: string | null;
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  stop?: string | readonly string[] | null;
  seed?: number | null;
  n?: number | null;
  presence_penalty?: number | null;
  frequency_penalty?: number | null;
  tools?: readonly Tool[] | null;
  tool_choice?: ToolChoice | null;
  parallel_tool_calls?: boolean | null;
  response_format?: ResponseFormat | null;
  reasoning?: Reasoning | null;
  reasoning_effort?: string | null;
  metadata?: Json | null;
  user?: string | null;
  /** `{"<provider>": {…}}`: members for that provider's body only. */
  extra?: Record<string, Json>;
  /** `chat` and `stream` know by themselves. */
  stream?: boolean | null;
  stream_options?: Json | null;
  options?: Options;
}

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
}

// ---- Responses -----------------------------------------------------------------------------------

/** A chat completion. What the provider did not say is absent or null, never 0. */
export interface Response {
  id?: string | null;
  object: "chat.completion";
  created?: number | null;
  model?: string | null;
  choices: Choice[];
  usage?: Usage | null;
  /** The first choice's text; empty where it has none. */
  text: string;
  /** Who served it. */
  provider: string;
  /** What was left out or changed on the way. */
  warnings: Warning[];
  /** Request ids, attempts, timing. */
  liter: Liter;
}

export interface Choice {
  index: number;
  message: AssistantMessage;
  finish_reason?: FinishReason | null;
  logprobs?: unknown;
  provider_fields?: Json;
}

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

export interface AssistantMessage {
  role: "assistant";
  content?: string | null;
  tool_calls?: ToolCall[];
  refusal?: string | null;
  reasoning?: string | null;
  provider_fields?: Json;
}

/** A call of one of the caller's tools. */
export interface ToolCall {
  id: string;
  type: "function";
  /** `arguments`: JSON text, as the model wrote it. */
  function: { name: string; arguments: string };
}

export interface Usage {
  /** Cached ones included. */
  prompt_tokens?: number | null;
  /** Reasoning included. */
  completion_tokens?: number | null;
  total_tokens?: number | null;
  prompt_tokens_details?: PromptDetails | null;
  completion_tokens_details?: CompletionDetails | null;
}

export interface PromptDetails {
  cached_tokens?: number | null;
  cache_write_tokens?: number | null;
  audio_tokens?: number | null;
}

export interface CompletionDetails {
  reasoning_tokens?: number | null;
  audio_tokens?: number | null;
  accepted_prediction_tokens?: number | null;
  rejected_prediction_tokens?: number | null;
}

export interface Warning {
  code: string;
  message: string;
  param?: string | null;
}

/** Everything volatile or of the engine's own. */
export interface Liter {
  v: number;
  request_id: string;
  provider_request_id?: string | null;
  finish_reason_raw?: string | null;
  usage_raw?: unknown;
  attempts: Attempt[];
  timing: Timing;
  ratelimit?: Record<string, string>;
  provider_fields?: Json;
}

/** One attempt at a target. */
export interface Attempt {
  target: string;
  status?: number | null;
  /** How it failed. */
  kind?: Kind | null;
  /** How long it took. */
  ms: number;
  /** It ran beside another one that was slow. */
  hedge?: boolean;
  /** It failed, but the provider may have done the work. */
  may_be_billed?: boolean;
}

/** Milliseconds: until the request was sent, until the first content, until the end. */
export interface Timing {
  queue_ms: number;
  ttft_ms?: number | null;
  total_ms: number;
}

export interface ChunkChoice {
  index: number;
  delta: Delta;
  finish_reason?: FinishReason | null;
}

/** What is new in a message; each text is to be appended. */
export interface Delta {
  role?: string | null;
  content?: string | null;
  reasoning?: string | null;
  refusal?: string | null;
  tool_calls?: ToolCallDelta[];
  provider_fields?: Json;
}

/** A part of a tool call: `index` says of which one. */
export interface ToolCallDelta {
  index: number;
  id?: string | null;
  type?: string | null;
  function: { name?: string | null; arguments?: string | null };
}

// ---- Errors -------------------------------------------------------------------------------------

export type Kind =
  | "invalid_request"
  | "context_length"
  | "unsupported"
  | "authentication"
  | "permission"
  | "not_found"
  | "rate_limit"
  | "quota"
  | "content_filter"
  | "unavailable"
  | "bad_response"
  | "stream_broken"
  | "connection"
  | "timeout"
  | "cancelled"
  | "internal";

/** The inside of an error document, as every language has it. */
export interface ErrorBody {
  kind: Kind;
  message: string;
  provider?: string | null;
  model?: string | null;
  status?: number | null;
  code?: string | null;
  retryable: boolean;
  retry_after_ms?: number | null;
  request_id?: string | null;
  param?: string | null;
  partial?: { text: string } | null;
  attempts?: Attempt[];
}
