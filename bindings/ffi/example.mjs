// A chat and a stream from Node without an addon. Keys come from the environment:
//
//   OPENAI_API_KEY=… node bindings/ffi/example.mjs

import { Client } from "./client.mjs";
import { open } from "./koffi.mjs";

const client = new Client(open());
const question = { model: "openai/gpt-4.1-mini", prompt: "Why is the sky blue?" };

const answer = await client.chat(question, { timeout_ms: 30000 });
console.log(answer.choices[0].message.content);

for await (const chunk of client.stream(question)) {
  process.stdout.write(chunk.choices[0]?.delta.content ?? "");
}
process.stdout.write("\n");
await client.close();
