// Stops reading a stream: `node cancel.mjs WAY BASE_URL KEY`, as cancel.py does.
import { createRequire } from "node:module";
import { once } from "node:events";

const require = createRequire(new URL("../../../node/package.json", import.meta.url));
const { Client } = require("./src/index.js");

const [way, baseUrl, key] = process.argv.slice(2);
const client = new Client({ providers: { real: { kind: "compatible", base_url: baseUrl, api_key: key } } });
const asked = { provider: "real", model: "slow", max_tokens: 3000 };
const aborted = (error) => {
  if (error.name !== "AbortError" && error.kind !== "cancelled") throw error;
};

const ways = {
  async break() {
    for await (const _ of client.stream("Hello", asked)) {
      console.log("begun");
      break;
    }
  },

  async signal() {
    const controller = new AbortController();
    const read = async () => {
      for await (const _ of client.stream("Hello", { ...asked, signal: controller.signal })) {
        if (controller.signal.aborted) continue;
        console.log("begun");
        controller.abort();
      }
    };
    await read().catch(aborted);
  },

  async return() {
    const reading = client.stream("Hello", asked)[Symbol.asyncIterator]();
    await reading.next();
    console.log("begun");
    await reading.return();
  },
};

await ways[way]();
console.log("stopped");
process.stdin.resume();
await once(process.stdin, "end");
await client.close();
