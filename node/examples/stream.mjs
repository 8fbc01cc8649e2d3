// Prints an answer while it arrives. The whole answer, with its usage, is there at the end.
import { Client } from "@liter-llm/node";

const client = new Client();
const stream = client.stream("Write a haiku about the sea.", {
  model: "anthropic/claude-haiku-4-5",
  max_tokens: 100,
});

for await (const chunk of stream) process.stdout.write(chunk.text);
process.stdout.write("\n");

const { choices, usage } = stream.response;
console.log(`ended with ${choices[0]?.finish_reason} after ${usage?.completion_tokens} tokens`);
