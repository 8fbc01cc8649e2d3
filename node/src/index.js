"use strict";
// liter-llm: one client for every LLM provider. Modules whose names begin with _ are private.
//
// The names are spelled out, because an `import` finds them by reading this list, without running
// it.

const errors = require("./_errors.js");
const { Client, generate, invoke, invokeSync } = require("./_client.js");
const { logs } = require("./_logs.js");
const { Chunk, Reset } = require("./_models.js");
const { Stream } = require("./_stream.js");
const { telemetry } = require("./_telemetry.js");
const { version } = require("../package.json");

const {
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
} = errors;

module.exports = {
  APIConnectionError,
  APIError,
  APIResponseValidationError,
  APIStatusError,
  APITimeoutError,
  AbortError,
  AuthenticationError,
  BadRequestError,
  Chunk,
  Client,
  ContentFilterError,
  ContextLengthError,
  InternalServerError,
  LiterLLMError,
  NotFoundError,
  PermissionDeniedError,
  QuotaExceededError,
  RateLimitError,
  Reset,
  Stream,
  StreamBrokenError,
  UnsupportedError,
  generate,
  invoke,
  invokeSync,
  logs,
  telemetry,
  version,
};
