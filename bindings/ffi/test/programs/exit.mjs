// A program that ends in the way that its argument names. See exit.test.mjs.

import { Client } from "../../client.mjs";
import { ffi } from "./ffi.mjs";

const [config, how] = process.argv.slice(2).map((text) => JSON.parse(text));
const client = new Client(ffi, config);
const question = { model: "openai/gpt-4.1-mini", prompt: "x" };

if (how === "idle") {
  console.log((await client.chat(question)).choices[0].message.content);
} else {
  client.chat(question).catch(() => {});
  while (client.metrics().in_flight === 0) await new Promise(setImmediate);
  if (how === "exit") process.exit(7);
  if (how === "throw") throw new Error("thrown on purpose");
  if (how === "kill") process.kill(process.pid, "SIGINT");
}
