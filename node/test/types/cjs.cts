// Compiled by `npm run lint`, never run: how users write it with require.
import literLLM = require("@liter-llm/node");

export async function use(client: literLLM.Client): Promise<string> {
  const { text }: literLLM.Response = await client.chat("Hello");
  for await (const chunk of client.stream("Hello")) void chunk.text;
  return text + literLLM.version;
}
