// A connection that its server closes at that very moment costs no call, and no answer that came
// unasked reaches a later one.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createFetch } from "../src/fetch.js";
import { Client } from "../src/index.js";
import { simulator, times } from "./helpers.mjs";

const AT_ONCE = 16;
/** 16 at once make together 1,000 calls, or 10,000 with LITER_LLM_LONG=1. */
const rounds = Math.ceil(times(1_000) / AT_ONCE);
const said = "You said: Hello";

/** After its answer the server rests up to 3 ms, and closes. */
const closing = simulator.config("close_us=3000");

/** Does `work` as often as wanted. */
const all = (work) => {
  const some = async () => {
    for (let n = 0; n < rounds; n++) assert.equal(await work(), said);
  };
  return Promise.all(Array.from({ length: AT_ONCE }, some));
};

test("calls to a server that closes just after its answer", async () => {
  const client = new Client(closing, { retry: false });
  await all(async () => (await client.chat("Hello")).text);
  await client.close();
});

test("streams of a server that closes just after its answer", async () => {
  const client = new Client(closing, { retry: false });
  await all(() => client.stream("Hello").text());
  await client.close();
});

test("fetch from a server that closes just after its answer", async () => {
  const fetch = createFetch();
  const url = `${closing.providers.openai.base_url}/chat/completions`;
  const messages = [{ role: "user", content: "Hello" }];
  const headers = { authorization: "Bearer k", "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify({ model: "m", messages }) };
  await all(async () => (await (await fetch(url, init)).json()).choices[0].message.content);
});

const answer = (content) => {
  const message = { role: "assistant", content };
  const choices = [{ index: 0, message, finish_reason: "stop" }];
  const body = JSON.stringify({ id: "x", model: "m", choices });
  return `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
};

for (const pause of [0, 5, 50, 99]) {
  test(`an answer that nobody asked for, after ${pause} ms`, async () => {
    let told;
    const server = createServer((socket) => {
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("data", async () => {
        if (pause > 0) {
          socket.write(answer("mine"));
          // What the test is about: the answer comes while the connection is idle.
          await sleep(pause);
          socket.write(answer("foreign"), () => told());
        } else {
          socket.write(answer("mine") + answer("foreign"), () => told());
        }
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const base_url = `http://127.0.0.1:${server.address().port}/v1`;
    const providers = { p: { kind: "openai", base_url, api_key: "sk-test" } };
    const client = new Client({ providers, retry: false });
    for (let n = 0; n < 10; n++) {
      const sent = new Promise((resolve) => (told = resolve));
      assert.equal((await client.chat("Hello", { model: "p/m" })).text, "mine");
      await sent;
    }
    await client.close();
    server.close();
  });
}
