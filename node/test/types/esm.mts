// Compiled by `npm run lint`, never run: how users write it, as an ES module.
import {
  APITimeoutError,
  Client,
  LiterLLMError,
  RateLimitError,
  generate,
  invoke,
  invokeSync,
  logs,
} from "@liter-llm/node";
import { createFetch } from "@liter-llm/node/fetch";
import OpenAI from "openai";
import type {
  Attempt,
  ChatRequest,
  Chunk,
  Config,
  Message,
  Metrics,
  ModelsResponse,
  ModerateResponse,
  MultiResponse,
  Options,
  Reset,
  Response,
  Usage,
} from "@liter-llm/node";

const config: Config = {
  providers: { openai: { base_url: "http://localhost", http: "1.1", limits: { max_in_flight: 8 } } },
  routes: { sure: { policy: "weighted", targets: ["openai/m", { target: "cohere", weight: 2 }] } },
  retry_budget: false,
};
const options: Options = { timeout_ms: 1000, unsupported: "error", retry: false, hedge: { after_ms: "p95" } };

export async function use(): Promise<string> {
  await using client = new Client(config, options);
  const history: Message[] = [{ role: "user", content: [{ type: "text", text: "Hello" }] }];
  const answer: Response = await client.chat(history, { model: "m", signal: AbortSignal.timeout(9) });
  const message = answer.choices[0]?.message;
  if (message) history.push(message);
  const usage: Usage | null | undefined = answer.usage;
  const request: ChatRequest = { model: "m", messages: history, tool_choice: "auto", options };
  await using stream = client.withOptions({ provider: "openai" }).stream(request, { seed: 1 });
  let text = "";
  for await (const chunk of stream) {
    const one: Chunk | Reset = chunk;
    text += one.text + (one.choices[0]?.delta.tool_calls?.[0]?.function.arguments ?? "");
    if (one.object === "chat.completion.reset") text = one.reason;
    else text += one.model ?? "";
  }
  const models: ModelsResponse = await client.models({ provider: "openai", timeout_ms: 5 });
  text += models.data.map(({ id, context_window: tokens }) => id + (tokens ?? 0)).join();
  const verdicts: ModerateResponse = await client.moderate([{ type: "text", text }], { model: "m" });
  if (verdicts.results[0]?.flagged) text = "";
  const multi: MultiResponse = await client.generateMulti("Hello", ["openai/m", "sure"], { first: 2 });
  const attempt: Attempt | undefined = multi.failures[0]?.attempts[0];
  if (attempt?.may_be_billed) text += multi.results.map((one) => one.text).join();
  const whole: Response = stream.response;
  const counters: string = client.metrics("prometheus");
  const { in_flight: open, providers, targets }: Metrics = client.metrics();
  const slow = targets.filter(({ p95_ms: ms, breaker }) => breaker === "closed" && (ms ?? 0) > 1000);
  text += open + slow.length + (providers["openai"]?.errors.rate_limit ?? 0);
  await client.chat("Hello", {
    tools: [
      { type: "function", function: { name: "f", parameters: { type: "object" } } },
      { type: "web_search_20250305", name: "web_search", max_uses: 5 },
    ],
  });
  await client.close({ graceMs: 5 });
  text += await generate("Hello", 10, 0.5);
  text += await generate("Hello", null, 0.5);
  text += await generate("Hello", { provider: "openai", max_tokens: 10 });
  text += (await invoke("openai", { prompt: "Hello" })).text + invokeSync(null, "{}").text;
  return text + counters + usage?.total_tokens + whole.text;
}

export async function pieces(client: Client): Promise<void> {
  const made = new Client({ apiKey: "x", baseUrl: "http://localhost/v1", timeoutMs: 5, headers: {} });
  new Client({ api_key: "x", default_model: "m", routes: {} }, { provider: "openai" });
  for await (const { text } of await made.chat("Hello", { system: "Be brief", stream: true })) text.trim();
  await (await client.chat({ prompt: "Hello", stream: true })).text();
  logs((record) => record.level === "error" && process.exit(1));
  logs(console, { level: "debug" });
  const answer = await client.chat("Hello");
  for (const call of answer.choices[0]?.message.tool_calls ?? []) {
    const texts: string[] = [call.id, call.function.name, call.function.arguments];
    await client.chat([{ role: "tool", tool_call_id: call.id, content: texts.join() }]);
  }
}

export function wait(error: unknown): number {
  if (error instanceof RateLimitError) return error.retryAfter ?? 1;
  if (error instanceof APITimeoutError) return error.attempts.length;
  if (error instanceof LiterLLMError && error.kind === "internal") return -1;
  return 0;
}

export function mistakes(client: Client): void {
  // @ts-expect-error: not a role
  void client.chat([{ role: "narrator", content: "" }]);
  // @ts-expect-error: not a member of a request, and not an option
  void client.chat("Hello", { maxTokens: 5 });
  // @ts-expect-error: an option is not a configuration
  new Client({ idle_ms: 5 });
  // @ts-expect-error: a misspelt attribute
  void client.chat("Hello").then(({ txt }) => txt);
  // @ts-expect-error: a misspelt attribute of a choice
  void client.chat("Hello").then(({ choices }) => choices[0]?.mesage);
  // @ts-expect-error: a misspelt keyword
  void client.chat("Hello", { max_token: 5 });
  // @ts-expect-error: a misspelt option
  void client.chat("Hello", { timeout: 5 });
  // @ts-expect-error: a misspelt option of a client
  new Client({}, { fallbacks: ["openai"] });
  // @ts-expect-error: a misspelt setting
  new Client({ apiKeey: "x" });
  // @ts-expect-error: a misspelt member of a whole request
  void client.chat({ prompt: "Hello", max_token: 5 });
  // @ts-expect-error: a promise has no text
  void client.chat("Hello").text;
  // @ts-expect-error: a stream has no choices
  void client.stream("Hello").choices;
  // @ts-expect-error: a stream is not a whole answer
  void client.chat("Hello", { stream: true }).then(({ choices }) => choices);
  // @ts-expect-error: these wait for the whole answer
  void invoke("openai", { prompt: "Hello", stream: true });
  // @ts-expect-error: there is no such level
  logs(console, { level: "loud" });
  // @ts-expect-error: a word of two
  client.stream("Hello", { on_break: "retry" });
  // @ts-expect-error: a header's value is a text
  void client.chat("Hello", { headers: { "x-team": 5 } });
  // @ts-expect-error: a switch that does not exist
  new Client({ providers: { p: { kind: "compatible", switches: { stream_option: false } } } });
  // @ts-expect-error: nothing is on by true
  new Client({ retry: true });
  // @ts-expect-error: a text
  void client.chat({ prompt: 5 });
  // @ts-expect-error: a function has a name
  void client.chat("Hello", { tools: [{ type: "function", function: { nme: "f" } }] });
  // @ts-expect-error: not a list
  void client.generateMulti("Hello", "openai/m");
  // @ts-expect-error: its signal is meant
  void client.chat("Hello", { signal: new AbortController() });
  // @ts-expect-error: it may be absent
  void client.chat("Hello").then(({ usage }) => usage.total_tokens);
  // @ts-expect-error: there is no such kind
  void (new LiterLLMError("x").kind === "oops");
}

export function transports(client: Client): OpenAI[] {
  const fetch: typeof globalThis.fetch = createFetch();
  // @ts-expect-error: not a setting of a provider
  createFetch({ frob: 1 });
  return [fetch, createFetch(client), createFetch({ ca_file: "x" })].map((one) => new OpenAI({ fetch: one }));
}
