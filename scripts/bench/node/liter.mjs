// liter-llm in Node: the package as a program uses it.
import { Client } from "../../../node/src/index.js";

export function open(baseUrl, request) {
  const providers = { openai: { base_url: baseUrl, api_key: "sk-benchmark" } };
  const client = new Client({ providers }, { provider: "openai" });
  return {
    chat: async () => {
      const { text, usage } = await client.chat(request);
      return { text, tokens: usage.total_tokens };
    },
    stream: () => client.stream(request),
    text: (chunk) => chunk.text,
  };
}
