// Compiled by `npm run lint`, never run: how users write it with require.
import literLLM = require("@liter-llm/node");
import transport = require("@liter-llm/node/fetch");

export async function use(client: literLLM.Client): Promise<string> {
  const { text }: literLLM.Response = await client.chat("Hello");
  for await (const chunk of client.stream("Hello")) void chunk.text;
  return text + literLLM.version;
}

export const fetch: typeof globalThis.fetch = transport.createFetch();
