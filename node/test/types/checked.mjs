// Compiled by `npm run lint`, never run: what checkJs finds in plain JavaScript.
// @ts-expect-error: a misspelt name of the module
import { Client, generateText } from "@liter-llm/node";

const client = new Client({ api_key: "x", base_url: "http://localhost/v1", timeout_ms: 5 });

export async function mistakes() {
  const answer = await client.chat("Hello");
  // @ts-expect-error: a misspelt attribute
  answer.usage?.totaltokens;
  // @ts-expect-error: a misspelt method
  client.chatt("Hello");
  // @ts-expect-error: a misspelt keyword
  await client.chat("Hello", { temprature: 0.5 });
  // @ts-expect-error: a misspelt option
  await client.chat("Hello", { timeout: 3 });
  // @ts-expect-error: a misspelt option among options
  await client.chat("Hello", { options: { maxRetries: 5 } });
  // @ts-expect-error: a misspelt setting
  new Client({ apikey: "x" });
  // @ts-expect-error: nobody would read the third argument
  await client.chat("Hello", {}, { signal: AbortSignal.timeout(5) });
  // @ts-expect-error: messages are a list
  await client.chat({ messages: "Hello" });
  // @ts-expect-error: Headers are not a plain object
  await client.chat("Hello", { headers: new Headers() });
  for await (const chunk of client.stream("Hello")) {
    // @ts-expect-error: a misspelt attribute of a chunk
    chunk.txt;
  }
  // @ts-expect-error: a stream is iterated over with for await
  for (const chunk of client.stream("Hello")) void chunk;
  return generateText;
}
