// Many short streams on kept connections: `node many.mjs CONFIG MODEL COUNT THREADS`, as many.py does.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../node/package.json", import.meta.url));
const { Client } = require("./src/index.js");

const [config, model, count, threads] = process.argv.slice(2);
const client = new Client(config);
const errors = [];
let left = Number(count);

async function reader() {
  while (left-- > 0) {
    let text = "";
    try {
      const asked = { provider: "real", model, max_tokens: 3 };
      for await (const { choices } of client.stream("Hello", asked)) text += choices[0]?.delta.content ?? "";
      if (text.length !== 3) errors.push("a text that is not whole");
    } catch (error) {
      errors.push(error.message);
    }
  }
}

await Promise.all(Array.from({ length: Number(threads) }, reader));
await client.close();
console.log(JSON.stringify({ whole: Number(count) - errors.length, errors: [...new Set(errors)].sort() }));
