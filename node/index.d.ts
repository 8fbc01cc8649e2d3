// What @liter-llm/node offers. A test holds the names against the module.

import type {
  Attempt,
  BudgetState,
  CachePurged,
  ChatRequest as ChatDocument,
  ChunkChoice,
  ChunkDocument,
  Config,
  CountTokensResponse,
  ErrorBody,
  Kind,
  Message,
  EmbedRequest,
  EmbedResponse,
  ModelsRequest,
  ModelsResponse,
  ModerateRequest,
  ModerateResponse,
  Options,
  Part,
  RerankRequest,
  RerankResponse,
  ResetDocument,
  ResponseDocument,
  Tool,
} from "./documents.js";

export type * from "./documents.js";

/** The version of the package, and of the engine inside. */
export const version: string;

// ---- Calls ---------------------------------------------------------------------------------------

/** What is asked, for a whole answer. */
export interface ChatRequest extends Omit<ChatDocument, "op" | "stream"> {
  op?: "chat" | null;
  /** The instructions: a message of the role `system`, in front of the others. */
  system?: string | readonly Part[] | null;
  stream?: false | null;
}

/** What is asked, for an answer in pieces. */
export interface StreamRequest extends Omit<ChatRequest, "stream"> {
  stream: true;
}

/** A prompt, the messages, a whole request, or one as JSON (bytes, passed on as they are). */
export type Request = string | readonly Message[] | ChatRequest | Uint8Array;

/** Options, by the names that the contract has for them, and what ends the request. */
export interface How extends Options {
  /** Its abort cancels the request, and rejects with the signal's reason. */
  signal?: AbortSignal | null | undefined;
}

/**
 * Members of the request and options, by the names that the contract has for them. Any other is a
 * TypeError. What only one provider knows goes into `extra`.
 */
export interface Members extends Omit<ChatRequest, "op" | "stream_options">, How {}

/** The same for an answer in pieces. */
export interface StreamMembers extends Omit<Members, "stream"> {
  stream: true;
}

/** The same of `models`. */
export interface ModelsMembers extends Omit<ModelsRequest, "op">, How {}

/** The same of `embed`. */
export interface EmbedMembers extends Omit<EmbedRequest, "op" | "input">, How {}

/** A vector: floats, or the bytes of another encoding. */
export type Vector = Float32Array | Int8Array | Uint8Array;

/** An answer with vectors. */
export interface Embeddings extends EmbedResponse {
  /**
   * A vector for each input, in their order. All are views of the same memory. Each call decodes the
   * vectors anew, so keep what it gives. The encodings `base64` and `float` give a Float32Array,
   * `int8` and `binary` an Int8Array, `uint8` and `ubinary` a Uint8Array.
   */
  vectors<T extends Vector = Float32Array>(): T[];
}

/** The same of `rerank`. */
export interface RerankMembers extends Omit<RerankRequest, "op" | "query" | "documents">, How {}

/** The same of `moderate`. */
export interface ModerateMembers extends Omit<ModerateRequest, "op" | "input">, How {}

/**
 * Settings of the default provider: that of the options, of the configuration, of
 * LITER_LLM_PROVIDER or of the default model. Without one they are an error, but for `timeout_ms`.
 * Alone, they stand beside the environment's configuration.
 */
export interface Settings {
  /** `env:NAME`, `file:/path`, or the key itself. */
  api_key?: string | null;
  /** The URL, with the version path. */
  base_url?: string | null;
  /** Headers added to each of its requests. */
  headers?: Record<string, string> | null;
  /** The time for a whole call, in milliseconds. A call's own wins. */
  timeout_ms?: number | null;
  /** `api_key`, as JavaScript writes it. */
  apiKey?: string | null;
  /** `base_url`, as JavaScript writes it. */
  baseUrl?: string | null;
  /** `timeout_ms`, as JavaScript writes it. */
  timeoutMs?: number | null;
}

/**
 * A client: providers, connection pools, limits. Make few and keep them long.
 *
 *     const client = new Client();
 *     const { text } = await client.chat("Hello", { model: "openai/gpt-4.1-mini" });
 */
export class Client {
  /**
   * `config`: an object, JSON text or bytes, the URL of a file, or undefined for the environment
   * (LITER_LLM_CONFIG, LITER_LLM_PROVIDER, LITER_LLM_MODEL, OPENAI_API_KEY …). An object may have
   * settings of the default provider: `new Client({ api_key: "…" }, { provider: "openai" })`.
   * `options`: defaults for every request.
   */
  constructor(config?: (Config & Settings) | string | Uint8Array | URL | null, options?: Options | null);

  /**
   * Asks for a whole answer, or with `stream: true` for a stream (not in bytes, which `stream` takes).
   * Rejects with a LiterLLMError by kind, or with the signal's reason. Each warning of an answer also
   * goes to `process.emitWarning`, once a client, as a LiterLLMWarning.
   */
  chat(request: Request, more?: Members): Promise<Response>;
  chat(request: Request, more: StreamMembers): Promise<Stream>;
  chat(request: StreamRequest, more?: Members): Promise<Stream>;

  /**
   * Which models a provider has: all of them, or the one that `model` names.
   *
   *     const { data } = await client.models({ provider: "openai" });
   */
  models(more?: ModelsMembers): Promise<ModelsResponse>;

  /**
   * Turns texts into vectors, one for each input. A list that is longer than the provider takes goes
   * out in several requests at once, and comes back as one answer.
   *
   *     const answer = await client.embed(["a", "b"], { model: "openai/text-embedding-3-small" });
   *     answer.vectors()[0]; // a Float32Array
   */
  embed(input: EmbedRequest["input"], more?: EmbedMembers): Promise<Embeddings>;

  /**
   * Orders documents by how well they answer a query, the best one first.
   *
   *     const { results } = await client.rerank("Where is Paris?", documents, { model: "cohere/rerank-v3.5" });
   *     documents[results[0].index];
   */
  rerank(
    query: string,
    documents: RerankRequest["documents"],
    more?: RerankMembers,
  ): Promise<RerankResponse>;

  /**
   * Counts the tokens that a chat would read. It takes what `chat` takes for a whole answer. The
   * provider counts them: Anthropic, OpenAI, Gemini, Vertex, Bedrock, and Cohere for a text.
   * Elsewhere it is an UnsupportedError, never an estimate.
   *
   *     const { input_tokens } = await client.countTokens("Hello", { model: "anthropic/claude-haiku-4-5" });
   */
  countTokens(request: Request, more?: Members): Promise<CountTokensResponse>;

  /**
   * Asks whether texts or images break a provider's rules: a verdict for each input.
   *
   *     const { results } = await client.moderate("Hello", { provider: "openai" });
   */
  moderate(input: ModerateRequest["input"], more?: ModerateMembers): Promise<ModerateResponse>;

  /**
   * Forgets the stored answers of a tenant: from now on nobody gets one of them. `""` is the tenant of
   * calls without one. A client without a cache rejects with an UnsupportedError.
   *
   *     const { removed } = await client.purgeCache("customer-7");
   */
  purgeCache(tenant: string): Promise<CachePurged>;

  /**
   * Reads what was spent of a budget of the configuration. `value` is that of the budget's `per`; `""` is
   * that of calls without one.
   *
   *     const { left_usd } = await client.budget("users", "ann");
   */
  budget(name: string, value?: string): Promise<BudgetState>;

  /**
   * Asks several targets at once, and waits for the `first` fastest answers (1): `provider/model`, or
   * the name of a provider or a route. The calls that are not waited for are cancelled. Where no
   * target answers, it rejects with the first failure, and everyone's `attempts`.
   */
  generateMulti(
    request: Request,
    targets: readonly string[],
    more?: Members & { first?: number },
  ): Promise<MultiResponse>;

  /**
   * Asks, and gives the answer as it arrives:
   *
   *     for await (const chunk of client.stream("Hello")) process.stdout.write(chunk.text);
   */
  stream(request: Request | StreamRequest, more?: Members | StreamMembers): Stream;

  /** A view of this client with further default options. Closing one closes both. */
  withOptions(options: Options): Client;

  /** Counters so far, as an object or in Prometheus' text format. */
  metrics(format?: "json"): Metrics;
  metrics(format: "prometheus"): string;

  /** Whether `close` was called. */
  get closed(): boolean;

  /** Takes no more requests, waits so long for those in flight, cancels the rest. */
  close(how?: { graceMs?: number }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * An answer as it arrives: an async iterator of chunks. Leaving its loop cancels the rest. While
 * nobody reads it, less than a megabyte is read ahead, and it does not keep the process alive.
 */
export class Stream implements AsyncIterableIterator<Chunk | Reset> {
  private constructor();

  /** The whole answer with usage, once the stream was read to its end. A TypeError before. */
  get response(): Response;

  [Symbol.asyncIterator](): this;
  next(): Promise<IteratorResult<Chunk | Reset, undefined>>;
  return(): Promise<IteratorResult<Chunk | Reset, undefined>>;

  /**
   * Reads to the end, past chunks that were not asked for: the whole answer. Where none was asked
   * for, an answer that breaks begins anew, unless `on_break` is "error". So it is with `text`.
   */
  result(): Promise<Response>;

  /** Reads to the end: the first choice's whole text. */
  text(): Promise<string>;

  /** The chunks as JSON, one a line, for a `Response` of `fetch` or another process. */
  toReadableStream(): ReadableStream<Uint8Array>;

  /** Cancels what has not arrived yet: its connection is closed, iteration ends. */
  close(): void;

  /** Like `close`, but whoever waits for the stream gets the reason, an AbortError by default. */
  abort(reason?: unknown): void;

  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Sends one request, on a client that is made from the environment at the first call. `provider`: a
 * name of the configuration; null or "" routes by the request's model. `request`: an object, or JSON.
 */
export function invoke(
  provider: string | null | undefined,
  request: ChatRequest | string | Uint8Array,
  how?: { signal?: AbortSignal | null | undefined },
): Promise<Response>;

/** `invoke`, blocking the thread: for scripts, not for servers. */
export function invokeSync(
  provider: string | null | undefined,
  request: ChatRequest | string | Uint8Array,
): Response;

/** One prompt, one text. Provider and model default to LITER_LLM_PROVIDER and LITER_LLM_MODEL. */
export function generate(prompt: string, options?: Members): Promise<string>;
export function generate(
  prompt: string,
  maxTokens?: number | null,
  temperature?: number | null,
): Promise<string>;

/**
 * Hands the log records of this process to `sink`: a function, or an object with the methods of
 * `console`, which gets them as lines. `null` ends that. `level` is the least that is wanted: "info".
 * The variables NODE_DEBUG=liter_llm and LITER_LLM_LOG=<level> write them to stderr without code.
 */
export function logs(sink?: LogSink | null, how?: { level?: LogRecord["level"] }): void;

/**
 * What this process's calls tell the OpenTelemetry that it has registered. Without a call of this it
 * is all. `attemptSpans: "auto"` gives the attempts of a call spans of their own where there were
 * several.
 */
export function telemetry(how?: {
  spans?: boolean;
  metrics?: boolean;
  attemptSpans?: "auto" | "always" | "never";
}): void;

/** Who gets log records. */
export type LogSink =
  | ((record: LogRecord) => void)
  | Pick<typeof console, "error" | "warn" | "info" | "debug">;

/** A log record: never a key, a prompt or an answer. Other members depend on the event. */
export interface LogRecord {
  /** Calls are `info`, failed ones `error`, changes of a state `warn`, attempts `debug`. */
  level: "error" | "warn" | "info" | "debug";
  /** `call`, and others. */
  event: string;
  [member: string]: unknown;
}

/** A chat completion in OpenAI's shape. What the provider did not say is absent, never 0. */
export interface Response extends ResponseDocument {
  /** The first choice's text; empty where it has none. A getter, and so not in the JSON. */
  readonly text: string;
}

/** A part of a stream, in the shape of OpenAI's `chat.completion.chunk`. */
export interface Chunk extends ChunkDocument {}
export class Chunk {
  private constructor();
  /** The first choice's new text; empty where the chunk has none. */
  get text(): string;
}

/**
 * In a stream with `on_break: "restart"`: the answer broke and begins anew. All chunks before it are
 * void. Code that knows none sees a chunk whose one choice has an empty delta.
 */
export interface Reset extends ResetDocument {}
export class Reset {
  private constructor();
  /** Always empty, as of a chunk without text. */
  get text(): "";
  /** Always absent, as of a chunk that says nothing of it. */
  get usage(): undefined;
}

/** A tool that the provider runs itself; it is sent as it is: `{ type: "web_search_20250305", name: … }`. */
export type ProviderTool = Tool;

/** What `generateMulti` brought. */
export interface MultiResponse {
  /** The fastest answers, in the order in which they came. */
  results: Response[];
  /** Of the targets that failed, and of those that were cancelled when enough had answered. */
  failures: LiterLLMError[];
}

// ---- Metrics -------------------------------------------------------------------------------------

/** What a client has counted so far. */
export interface Metrics {
  /** Calls in flight. */
  in_flight: number;
  /** By name, of those that were called: calls that ended, and of these the errors by kind. */
  providers: Record<string, { calls: number; errors: Partial<Record<Kind, number>> }>;
  /** The targets that were asked. */
  targets: TargetMetrics[];
  /** Of a configured Redis. */
  redis?: RedisMetrics;
}

/** The Redis that several processes share. */
export interface RedisMetrics {
  /** Whether there is a connection that is used. */
  up: boolean;
}

/** A target that was asked. */
export interface TargetMetrics {
  /** `provider/model` */
  target: string;
  /** `closed`: it is asked; `open`: it is passed over; `half_open`: one attempt finds out. */
  breaker: "closed" | "open" | "half_open";
  /** Attempts in flight. */
  in_flight: number;
  /** Attempts so far. */
  attempts: number;
  /** Those of them that failed. */
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

// ---- Errors --------------------------------------------------------------------------------------

/** A request that failed. `message` says what happened and what to do. Itself: a bug in the library. */
export class LiterLLMError extends Error {
  constructor(document: { error: ErrorBody } | string);
  readonly kind: Kind;
  /**
   * Why it failed, without the rest of `message`: the provider's own words, or what the engine
   * found. `message` says in one line who failed, how, how often, and why, and is the same in every
   * language.
   */
  readonly reason: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  readonly provider: string | undefined;
  readonly model: string | undefined;
  /** The provider's HTTP status. */
  readonly status: number | undefined;
  /** `status`, under the name that other SDKs have. */
  get statusCode(): number | undefined;
  /** The provider's own code or type. */
  readonly code: string | undefined;
  /** Seconds that the provider asked to wait. */
  readonly retryAfter: number | undefined;
  /** The provider's id of the request, for its support. */
  readonly requestId: string | undefined;
  /** The member of the request that is at fault: `messages[0].role`. */
  readonly param: string | undefined;
  /** The answer's rate limit headers, as they came. */
  readonly ratelimit: Record<string, string>;
  /** The provider's own error: its JSON, or its text. */
  readonly providerError: unknown;
  /** What had arrived of a stream when it broke. */
  readonly partial: { text: string } | undefined;
  readonly attempts: Attempt[];
  get document(): { error: ErrorBody };
}

/** A call that failed: all but a bug in this library. */
export class APIError extends LiterLLMError {}
/** The provider said no, or the engine did before it asked. */
export class APIStatusError extends APIError {}
/** The request is wrong: mend it. `param` names the member. */
export class BadRequestError extends APIStatusError {}
/** Prompt and answer do not fit the model's context. */
export class ContextLengthError extends BadRequestError {}
/** The provider, model or build cannot do what was asked. */
export class UnsupportedError extends BadRequestError {}
/** The key is missing or refused. */
export class AuthenticationError extends APIStatusError {}
/** The key may not do this. */
export class PermissionDeniedError extends APIStatusError {}
/** There is no such provider, model or resource. */
export class NotFoundError extends APIStatusError {}
/** Too many requests or tokens: wait `retryAfter` seconds, where the provider said so. */
export class RateLimitError extends APIStatusError {}
/** Credit or a spending limit is used up: waiting does not help. */
export class QuotaExceededError extends RateLimitError {}
/** The provider's filter refused the prompt or the answer. */
export class ContentFilterError extends APIStatusError {}
/** The provider is overloaded or failing. */
export class InternalServerError extends APIStatusError {}
/** The provider said 2xx and sent something that is not an answer. */
export class APIResponseValidationError extends APIError {}
/** A stream ended without its last event. `partial.text` is what had arrived. */
export class StreamBrokenError extends APIError {}
/** No connection could be made, or it was lost. */
export class APIConnectionError extends APIError {}
/** A timer ran out. */
export class APITimeoutError extends APIConnectionError {}
/** The client, or the stream, was closed while somebody waited. */
export class AbortError extends APIError {}
