// One question, one answer. The key comes from the environment: OPENAI_API_KEY.
import { Client } from "@liter-llm/node";

const client = new Client();
const answer = await client.chat("Why is the sky blue?", {
  model: "openai/gpt-4.1-mini",
  system: "Answer in one sentence.",
  max_tokens: 100,
});

console.log(answer.text);
console.log(
  `${answer.model}: ${answer.usage?.total_tokens ?? "?"} tokens, ${answer.choices[0]?.finish_reason}`,
);
