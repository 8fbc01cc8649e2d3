// The documents, by the names that the contract has for them (docs/contract.md). A test holds them
// against the JSON Schemas in bindings/conformance/schemas/.

import type { Options } from "./settings.js";

export type * from "./settings.js";

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

/** A tool that the provider runs itself; it is sent as it is: `{ type: "web_search_20250305", name: … }`. */
export interface ProviderTool {
  type: string;
  function?: never;
  cache_control?: unknown;
  [member: string]: unknown;
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
  tools?: readonly (Tool | ProviderTool)[] | null;
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

// ---- Metrics ------------------------------------------------------------------------------------

/** What a client has counted so far. */
export interface Metrics {
  /** Calls in flight. */
  in_flight: number;
  /** By name, of those that were called: calls that ended, and of these the errors by kind. */
  providers: Record<string, { calls: number; errors: Partial<Record<Kind, number>> }>;
  targets: TargetMetrics[];
}

/** A target that was asked. */
export interface TargetMetrics {
  /** `provider/model` */
  target: string;
  breaker: "closed" | "open" | "half_open";
  in_flight: number;
  attempts: number;
  failures: number;
  /** Health probes, and those that were answered well. */
  probes?: { asked: number; well: number };
  /** Milliseconds that are left of a pause that the provider asked for. */
  cooling_ms?: number;
  /** The 95th percentile of the first content of streams, in milliseconds. */
  p95_ttft_ms?: number;
  /** The same of whole answers. */
  p95_ms?: number;
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
