// A chat, a stream and a cancelled chat on the thread that runs this.
// Arguments: the package, a configuration, and one whose provider never answers.

import { Client } from "../../client.mjs";
import { open } from "./open.mjs";

const [name, config, silent] = process.argv.slice(2).map((text) => JSON.parse(text));
const model = "openai/gpt-4.1-mini";
const ffi = open(name);
const client = new Client(ffi, config);
console.log((await client.chat({ model, prompt: "hello 🎉" })).text);

let streamed = "";
for await (const chunk of client.stream({ model, prompt: "one two" })) {
  streamed += chunk.choices[0]?.delta.content ?? "";
}
console.log(streamed);
await client.close();

const waiting = new Client(ffi, silent);
const controller = new AbortController();
const chat = waiting.chat({ model, prompt: "x" }, undefined, controller.signal);
controller.abort();
console.log(await chat.catch((error) => error.kind));
await waiting.close();
