"use strict";
/*
The errors: one class for each kind of error document, under openai's names.

    LiterLLMError                           internal: a bug in the library; and the base of all
    └── APIError                            a call that failed
        ├── APIStatusError                  the provider, or the engine in its place, said no
        │   ├── BadRequestError             invalid_request: the request is wrong, mend it
        │   │   ├── ContextLengthError      context_length: too much for the model's context
        │   │   └── UnsupportedError        unsupported: provider, model or build cannot do it
        │   ├── AuthenticationError         authentication: the key is missing or refused
        │   ├── PermissionDeniedError       permission: the key may not do this
        │   ├── NotFoundError               not_found: no such provider, model or resource
        │   ├── RateLimitError              rate_limit: wait, `retryAfter` says how long
        │   │   └── QuotaExceededError      quota: credit is used up, waiting does not help
        │   ├── ContentFilterError          content_filter: the provider's filter refused
        │   └── InternalServerError         unavailable: the provider is overloaded or failing
        ├── APIResponseValidationError      bad_response: a 2xx answer that is none
        ├── StreamBrokenError               stream_broken: it ended early, `partial` has what came
        ├── APIConnectionError              connection: none could be made, or it was lost
        │   └── APITimeoutError             timeout: a timer ran out
        └── AbortError                      cancelled: the client or the stream was closed

A call whose AbortSignal aborts rejects with the signal's reason, as fetch does.
*/

/** @typedef {Record<string, any>} Document */

/** Members that an error may lack. */
const MAY_LACK = /** @type {const} */ ([
  "provider",
  "model",
  "status",
  "code",
  "retryAfter",
  "requestId",
  "param",
  "providerError",
  "partial",
]);

/**
 * Leaves what is absent to the prototype: who prints an error reads no list of undefined members.
 * @param {LiterLLMError} error
 */
function dropAbsent(error) {
  for (const name of MAY_LACK) if (error[name] === undefined) delete error[name];
}

class LiterLLMError extends Error {
  static kind = "internal";
  /** @type {Document} */
  #document;

  /** @param {Document | string} document an error document, or a message */
  constructor(document) {
    const kind = /** @type {typeof LiterLLMError} */ (new.target).kind;
    const whole =
      typeof document === "string"
        ? { error: { kind, message: document, retryable: false } }
        : document;
    const { error } = whole;
    super(error.message || "the request failed");
    this.#document = whole;
    /** @type {string} */
    this.reason = error.reason || this.message;
    /** @type {string} */
    this.kind = error.kind || kind;
    /** @type {boolean} */
    this.retryable = Boolean(error.retryable);
    /** @type {string | undefined} */
    this.provider = error.provider ?? undefined;
    /** @type {string | undefined} */
    this.model = error.model ?? undefined;
    /** @type {number | undefined} */
    this.status = error.status ?? undefined;
    /** @type {string | undefined} */
    this.code = error.code ?? undefined;
    const after = error.retry_after_ms ?? undefined;
    /** @type {number | undefined} seconds */
    this.retryAfter = after === undefined ? undefined : after / 1000;
    /** @type {string | undefined} */
    this.requestId = error.request_id ?? undefined;
    /** @type {string | undefined} */
    this.param = error.param ?? undefined;
    /** @type {Record<string, string>} */
    this.ratelimit = error.ratelimit ?? {};
    /** @type {unknown} */
    this.providerError = error.provider_error ?? undefined;
    /** @type {{text: string} | undefined} */
    this.partial = error.partial ?? undefined;
    /** @type {Document[]} */
    this.attempts = error.attempts ?? [];
    dropAbsent(this);
  }

  /** `status`, under the name that other SDKs have. */
  get statusCode() {
    return this.status;
  }

  /** The error document, equal in every language. */
  get document() {
    return this.#document;
  }

  /**
   * An error that this package finds by itself.
   * @param {string} message
   * @param {{retryable?: boolean, param?: string}} [more]
   */
  static of(message, { retryable = false, param } = {}) {
    const error = { kind: this.kind, message, retryable };
    return new this({ error: param === undefined ? error : { ...error, param } });
  }
}

for (const name of MAY_LACK) {
  const value = undefined;
  Object.defineProperty(LiterLLMError.prototype, name, { value, configurable: true, writable: true });
}

class APIError extends LiterLLMError {}

class APIStatusError extends APIError {}

class BadRequestError extends APIStatusError {
  static kind = "invalid_request";
}

class ContextLengthError extends BadRequestError {
  static kind = "context_length";
}

class UnsupportedError extends BadRequestError {
  static kind = "unsupported";
}

class AuthenticationError extends APIStatusError {
  static kind = "authentication";
}

class PermissionDeniedError extends APIStatusError {
  static kind = "permission";
}

class NotFoundError extends APIStatusError {
  static kind = "not_found";
}

class RateLimitError extends APIStatusError {
  static kind = "rate_limit";
}

class QuotaExceededError extends RateLimitError {
  static kind = "quota";
}

class ContentFilterError extends APIStatusError {
  static kind = "content_filter";
}

class InternalServerError extends APIStatusError {
  static kind = "unavailable";
}

class APIResponseValidationError extends APIError {
  static kind = "bad_response";
}

class StreamBrokenError extends APIError {
  static kind = "stream_broken";
}

class APIConnectionError extends APIError {
  static kind = "connection";
}

class APITimeoutError extends APIConnectionError {
  static kind = "timeout";
}

class AbortError extends APIError {
  static kind = "cancelled";
}

const classes = {
  APIConnectionError,
  APIError,
  APIResponseValidationError,
  APIStatusError,
  APITimeoutError,
  AbortError,
  AuthenticationError,
  BadRequestError,
  ContentFilterError,
  ContextLengthError,
  InternalServerError,
  LiterLLMError,
  NotFoundError,
  PermissionDeniedError,
  QuotaExceededError,
  RateLimitError,
  StreamBrokenError,
  UnsupportedError,
};

/** @type {Map<string, typeof LiterLLMError>} the class of each kind */
const KINDS = new Map();
for (const [name, type] of Object.entries(classes)) {
  Object.defineProperty(type.prototype, "name", { value: name, configurable: true, writable: true });
  if (Object.hasOwn(type, "kind")) KINDS.set(type.kind, type);
}

/**
 * The error for an error document. A kind of a newer engine gives LiterLLMError.
 * @param {Document} document
 */
function fromDocument(document) {
  return new (KINDS.get(document.error.kind) ?? LiterLLMError)(document);
}

/**
 * The error for a negative status of the C interface.
 * @param {number} status
 */
function misuse(status) {
  switch (status) {
    case -1:
      return BadRequestError.of("the engine cannot take the request: it is empty or not UTF-8");
    case -2:
      return AbortError.of("the client is closed: make a new one");
    case -4:
      return RateLimitError.of(
        "max_in_flight requests are in flight already: wait for some, or raise it in the " +
          "client's configuration",
        { retryable: true },
      );
    case -8:
      return APIConnectionError.of(
        "no file descriptor is left for the request: raise the limit of open files (ulimit -n), " +
          "or close clients and streams that are idle",
        { retryable: true },
      );
    default:
      return LiterLLMError.of(`the engine answered with status ${status}`);
  }
}

module.exports = { KINDS, fromDocument, misuse, ...classes };
