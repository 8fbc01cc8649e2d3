// Three ways to stop waiting: a time limit, an AbortSignal, and leaving a stream.
import { APITimeoutError, Client } from "@liter-llm/node";

const client = new Client();
const slow = { model: "together/openai/gpt-oss-20b" };

try {
  await client.chat("Write a long story.", { ...slow, timeout_ms: 200 });
} catch (error) {
  if (!(error instanceof APITimeoutError)) throw error;
  console.log("gave up after 200 ms");
}

const controller = new AbortController();
setTimeout(() => controller.abort(new Error("the user went away")), 50);
try {
  await client.chat("Write a long story.", { ...slow, signal: controller.signal });
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
}

// The provider stops, too: what is not read is not written, nor paid for.
const stream = client.stream("Count to one hundred", { model: "openai/gpt-4.1-mini" });
let text = "";
for await (const chunk of stream) {
  text += chunk.text;
  if (text.length > 10) break;
}
console.log(`left the stream after ${JSON.stringify(text)}`);
