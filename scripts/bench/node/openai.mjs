// OpenAI's own package, as a program uses it.
import OpenAI from "openai";

export function open(baseUrl, request) {
  const client = new OpenAI({ baseURL: baseUrl, apiKey: "sk-benchmark" });
  return {
    chat: async () => {
      const { choices, usage } = await client.chat.completions.create(request);
      return { text: choices[0].message.content, tokens: usage.total_tokens };
    },
    stream: () => client.chat.completions.create({ ...request, stream: true }),
    text: ({ choices }) => choices[0]?.delta.content ?? "",
  };
}
