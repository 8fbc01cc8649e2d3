// A user's program: an answer, a stream, both by `import` and by `require`; then what is loaded.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as imported from "@liter-llm/node";

const required = createRequire(import.meta.url)("@liter-llm/node");
const model = "openai/gpt-4.1-mini";

const answers = [];
for (const { Client } of [imported, required]) {
  const client = new Client();
  answers.push((await client.chat("one two three", { model })).text);
  let streamed = "";
  for await (const chunk of client.stream("one two three", { model })) streamed += chunk.text;
  answers.push(streamed);
  await client.close();
}

const maps = readFileSync("/proc/self/maps", "utf8").split("\n");
const loaded = new Set(maps.filter((line) => line.includes("liter_llm")).map((line) => line.slice(73)));
const { version } = createRequire(import.meta.url)("@liter-llm/node/package.json");
console.log(JSON.stringify({ answers, loaded: [...loaded], version: [version, imported.version] }));
