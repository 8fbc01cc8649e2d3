// What a call really asked, whom, how often, and what was left out on the way.
import { Client, logs } from "@liter-llm/node";

process.env.LITER_LLM_LOG_BODIES = "1"; // contents, too: for a developer's machine only
/** @type {import("@liter-llm/node").LogRecord[]} */
const records = [];
logs((record) => records.push(record), { level: "debug" });

const client = new Client();
const answer = await client.chat("Hello", {
  model: "zai/glm-4.6",
  fallback: ["anthropic/claude-haiku-4-5"],
  max_tokens: 20,
  seed: 7,
});

for (const { target, status, kind } of answer.liter.attempts)
  console.log(`asked ${target}: ${kind ?? status}`);
for (const { param, message } of answer.warnings) console.log(`changed ${param}: ${message}`);

// The last records may come just after the answer.
process.on("exit", () => {
  for (const { event, request } of records)
    if (event === "content" && request) console.log(`request ${request}`);
  const call = records.find(({ event }) => event === "call");
  console.log(`${call?.provider} answered with ${call?.outcome} after ${call?.attempts} attempts`);
});
