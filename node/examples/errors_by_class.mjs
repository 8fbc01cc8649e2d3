// What went wrong has a class, and with it a way to go on.
import {
  APIConnectionError,
  APITimeoutError,
  AuthenticationError,
  BadRequestError,
  Client,
  LiterLLMError,
  NotFoundError,
  RateLimitError,
} from "@liter-llm/node";

/** @param {unknown} error */
function advice(error) {
  if (error instanceof RateLimitError) return `wait ${error.retryAfter ?? 1} s`;
  if (error instanceof AuthenticationError) return "look at the key";
  if (error instanceof NotFoundError) return "look at the names of provider and model";
  if (error instanceof BadRequestError) return `mend ${error.param ?? "the request"}`;
  if (error instanceof APITimeoutError) return "ask for less, or wait longer"; // before its base class
  if (error instanceof APIConnectionError) return "look at the network and the base URL";
  if (error instanceof LiterLLMError) return error.retryable ? "try it later" : "report it";
  throw error;
}

const client = new Client(undefined, { retry: false });
const keyless = new Client({ api_key: "" }, { provider: "openai" });
const slow = { model: "together/openai/gpt-oss-20b", timeout_ms: 100 };

/** @type {Record<string, () => Promise<unknown>>} */
const calls = {
  "no key": () => keyless.chat("Hello"),
  "an unknown provider": () => client.chat("Hello", { provider: "opnai" }),
  "a wrong number": () => client.chat("Hello", { max_tokens: 0 }),
  "a slow provider": () => client.chat("Hello", slow),
  "a provider that is down": () => client.chat("Hello", { model: "zai/glm-4.6" }),
};
for (const [name, call] of Object.entries(calls)) {
  try {
    await call();
  } catch (error) {
    console.log(`${name}: ${advice(error)}`);
    if (error instanceof LiterLLMError)
      console.log(`  ${error.name} of kind ${error.kind}: ${error.message}`);
  }
}
