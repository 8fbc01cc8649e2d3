// undici, the client behind Node's fetch, as a program uses it that wants no more than the answer.
import { Pool } from "undici";
import { Events } from "./raw.mjs";

export function open(baseUrl, request) {
  const { origin, pathname } = new URL(baseUrl);
  const pool = new Pool(origin);
  const headers = { authorization: "Bearer sk-benchmark", "content-type": "application/json" };

  async function post(document) {
    const path = `${pathname}/chat/completions`;
    const body = JSON.stringify(document);
    const answer = await pool.request({ method: "POST", path, headers, body });
    if (answer.statusCode !== 200) throw new Error(await answer.body.text());
    return answer.body;
  }

  return {
    chat: async () => {
      const { choices, usage } = await (await post(request)).json();
      return { text: choices[0].message.content, tokens: usage.total_tokens };
    },
    stream: async function* () {
      const events = new Events();
      let ended = false;
      for await (const data of await post({ ...request, stream: true })) {
        for (const event of events.feed(data)) {
          if (event === "[DONE]") ended = true;
          else yield JSON.parse(event);
        }
      }
      if (!ended) throw new Error("the stream broke off");
    },
    text: ({ choices }) => choices[0]?.delta.content ?? "",
  };
}
