// What chat.mjs does, with the package of node/ in place of an FFI.

import { Client } from "@liter-llm/node";

const [config, silent] = process.argv.slice(2).map((text) => JSON.parse(text));
const model = "openai/gpt-4.1-mini";

const client = new Client(config);
console.log((await client.chat({ model, prompt: "hello 🎉" })).choices[0].message.content);
let streamed = "";
for await (const chunk of client.stream({ model, prompt: "one two" })) {
  streamed += chunk.choices[0]?.delta.content ?? "";
}
console.log(streamed);
console.log(await client.chat({ model }).catch((error) => error.kind));
console.log((await client.chat({ model, prompt: "x".repeat(200_000) })).choices[0].message.content.length);
console.log(typeof client.metrics().in_flight);
await client.close();

const waiting = new Client(silent);
const controller = new AbortController();
const chat = waiting.chat({ model, prompt: "x" }, { signal: controller.signal });
controller.abort();
console.log(await chat.catch((error) => (error.name === "AbortError" ? "cancelled" : error)));
await waiting.close();
