// The official SDKs of OpenAI and Anthropic in Node: `node sdk.mjs PLAN`. Plan and outcomes are
// those of sdk.py: every row is sent with Node's fetch, then with ours.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// The SDKs are pinned among the packages that the Node package's own tests use.
const require = createRequire(new URL("../../../node/package.json", import.meta.url));
const { default: OpenAI, APIError: OpenAIError, APIConnectionError: OpenAILost } = require("openai");
const { default: Anthropic, APIError: AnthropicError, APIConnectionError: AnthropicLost } = require("@anthropic-ai/sdk");
const { createFetch } = require("./src/fetch.js");

// llama.cpp closes a connection right after a stream; Node would now and then lose the next request.
const once = (url, how) => globalThis.fetch(url, { ...how, headers: [...new Headers(how.headers), ["connection", "close"]] });
const FINISH = { end_turn: "stop", stop_sequence: "stop", max_tokens: "length", tool_use: "tool_calls" };

const usage = (counted) => [
  counted.prompt_tokens,
  counted.completion_tokens,
  counted.prompt_tokens_details?.cached_tokens ?? 0,
];

async function openai({ base_url: baseURL, key: apiKey, body }, fetch) {
  const client = new OpenAI({ baseURL, apiKey, fetch, maxRetries: 0 });
  const answer = await client.chat.completions.create(body);
  if (!body.stream) {
    const { message, finish_reason: finish } = answer.choices[0];
    const calls = (message.tool_calls ?? []).map(({ function: { name, arguments: text } }) => ({ name, arguments: text }));
    return { text: message.content ?? "", deltas: [], finish, usage: usage(answer.usage), calls, pieces: [] };
  }
  const out = { deltas: [], finish: null, usage: null, calls: [], pieces: [] };
  for await (const chunk of answer) {
    if (chunk.usage) out.usage = usage(chunk.usage);
    for (const { delta, finish_reason: finish } of chunk.choices) {
      if (delta.content) out.deltas.push(delta.content);
      out.finish = finish ?? out.finish;
      for (const { index, function: call } of delta.tool_calls ?? []) {
        out.calls[index] ??= { name: call.name, arguments: "" };
        if (!call.arguments) continue;
        out.calls[index].arguments += call.arguments;
        out.pieces.push(call.arguments);
      }
    }
  }
  return { ...out, text: out.deltas.join("") };
}

async function anthropic({ base_url: baseURL, key: apiKey, body: { stream, ...body } }, fetch) {
  const client = new Anthropic({ baseURL, apiKey, fetch, maxRetries: 0 });
  const deltas = [];
  const pieces = [];
  let answer;
  if (stream) {
    const events = client.messages.stream(body);
    for await (const { type, delta } of events) {
      if (type !== "content_block_delta") continue;
      if (delta.type === "text_delta" && delta.text) deltas.push(delta.text);
      if (delta.type === "input_json_delta" && delta.partial_json) pieces.push(delta.partial_json);
    }
    answer = await events.finalMessage();
  } else {
    answer = await client.messages.create(body);
  }
  const { usage: counted, content, stop_reason: reason } = answer;
  const cached = counted.cache_read_input_tokens ?? 0;
  const calls = content.filter(({ type }) => type === "tool_use");
  return {
    text: content.map(({ type, text }) => (type === "text" ? text : "")).join(""),
    deltas,
    finish: FINISH[reason],
    usage: [counted.input_tokens + cached, counted.output_tokens, cached],
    calls: calls.map(({ name, input }) => ({ name, arguments: JSON.stringify(input) })),
    pieces,
  };
}

function failed(error) {
  if (error instanceof OpenAILost || error instanceof AnthropicLost) {
    return { failed: String(error.cause?.cause ?? error.cause ?? error) };
  }
  if (error instanceof OpenAIError || error instanceof AnthropicError) return { status: error.status };
  throw error;
}

const rows = readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => JSON.parse(line));
for (const ours of [false, true]) {
  const fetch = ours ? createFetch() : once;
  for (const row of rows) {
    const chat = row.format === "openai" ? openai : anthropic;
    const outcome = await chat(row, fetch).catch(failed);
    console.log(JSON.stringify({ case: row.case, ours, ...outcome }));
  }
}
