// Where a provider fails, another one answers. Here the first one cannot be reached at all.
import { Client } from "@liter-llm/node";

const client = new Client();
const answer = await client.chat("Why is the sky blue?", {
  model: "zai/glm-4.6",
  fallback: ["anthropic/claude-haiku-4-5", "openai/gpt-4.1-mini"],
  max_tokens: 100,
});

console.log(answer.text);
for (const { target, status, kind } of answer.liter.attempts) {
  console.log(`${target}: ${kind ?? status}`);
}
