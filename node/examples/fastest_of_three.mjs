// Asks three models at once, and takes the answer that comes first. The others are cancelled.
import { Client } from "@liter-llm/node";

const targets = [
  "together/openai/gpt-oss-20b",
  "openai/gpt-4.1-mini",
  "anthropic/claude-haiku-4-5",
];

const client = new Client();
const { results, failures } = await client.generateMulti("Why is the sky blue?", targets, {
  first: 1,
  max_tokens: 100,
});

console.log(`${results.length} answered, ${failures.length} did not`);
for (const { text, provider } of results) {
  console.log(text);
  console.log(provider === "together" ? "the slow one won" : "the slow one was not waited for");
}
