// A worker thread with a queue of its own: over the client of the main thread, or with a client too.

import { parentPort, workerData } from "node:worker_threads";
import { Client } from "../../client.mjs";
import { ffi } from "./ffi.mjs";

const { handle, config, prompts, leave } = workerData;
const model = "openai/gpt-4.1-mini";
const client = handle === undefined ? new Client(ffi, config) : Client.over(ffi, handle);

if (leave) {
  // Never answered: whoever started this thread ends it.
  client.chat({ model, prompt: "x" });
  if (leave === "exit") process.exit(3);
  parentPort.postMessage({ queue: client.queue });
} else {
  const chats = prompts.map(async (prompt) => (await client.chat({ model, prompt })).choices[0].message.content);
  let streamed = "";
  for await (const chunk of client.stream({ model, prompt: prompts[0] })) {
    streamed += chunk.choices[0]?.delta.content ?? "";
  }
  const texts = await Promise.all(chats);
  await client.close();
  parentPort.postMessage({ texts, streamed });
}
