// A stream that is dropped halfway, however: the provider sees its socket close within 100 ms.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, test } from "node:test";
import { AbortError, Client } from "../src/index.js";

const SOON = 100;
const CHUNK = '{"id":"c","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}';
const EVENT = `data: ${CHUNK}\n\n`;
const ANSWER =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" +
  `${EVENT.length.toString(16)}\r\n${EVENT}\r\n`;

/** Answers each request with one chunk, never ends, and tells `closed` when its socket is closed. */
const server = createServer((socket) => {
  socket.once("data", () => socket.write(ANSWER));
  socket.on("error", () => {});
  socket.once("close", () => server.emit("closed", performance.now()));
  socket.resume();
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const base_url = `http://127.0.0.1:${server.address().port}/v1`;
const client = new Client({
  providers: { openai: { base_url, api_key: "sk-test", model: "m" } },
  default_provider: "openai",
});
after(async () => {
  await client.close();
  server.close();
});

async function* texts(how) {
  for await (const { text } of client.stream("Hello", how)) yield text;
}

/** Begins a stream, and returns it at its first chunk. */
async function begun(how) {
  const stream = client.stream("Hello", how);
  assert.equal((await stream.next()).value.text, "Hel");
  return stream;
}

const kept = [];

const ways = {
  "break out of a loop": async () => {
    for await (const _ of client.stream("Hello")) break;
  },
  "an error in a loop": async () => {
    await assert.rejects(async () => {
      for await (const _ of client.stream("Hello")) throw new RangeError("on purpose");
    }, RangeError);
  },
  "break out of a generator's loop": async () => {
    for await (const _ of texts()) break;
  },
  "return of a generator": async () => {
    const generator = texts();
    await generator.next();
    await generator.return();
  },
  "return of a stream": async () => {
    const stream = await begun();
    kept.push(stream);
    await stream.return();
  },
  "a signal while a chunk is awaited": async () => {
    const controller = new AbortController();
    const stream = await begun({ signal: controller.signal });
    kept.push(stream);
    const next = stream.next();
    controller.abort();
    await assert.rejects(next, { name: "AbortError" });
  },
  "a signal while nobody waits": async () => {
    const controller = new AbortController();
    kept.push(await begun({ signal: controller.signal }));
    controller.abort();
  },
  "a signal while the text is collected": async () => {
    const controller = new AbortController();
    const stream = await begun({ signal: controller.signal });
    const text = stream.text();
    controller.abort();
    await assert.rejects(text, { name: "AbortError" });
  },
  "close while the text is collected": async () => {
    const stream = await begun();
    const text = stream.text();
    stream.close();
    await assert.rejects(text, AbortError);
  },
  "cancel of a readable stream": async () => {
    const reader = client.stream("Hello").toReadableStream().getReader();
    await reader.read();
    await reader.cancel();
  },
  "an iterator that is forgotten": async () => {
    await begun();
    // A weak reference is cleared in a turn of its own.
    const collected = setInterval(() => globalThis.gc(), 5);
    once(server, "closed").then(() => clearInterval(collected));
  },
};

for (const [name, drop] of Object.entries(ways)) {
  test(`dropped halfway: ${name}`, async () => {
    let best = Infinity;
    // The machine may be busy once, but not each time.
    for (let n = 0; n < 5 && best >= SOON; n++) {
      const closed = once(server, "closed");
      const before = name.includes("forgotten") ? performance.now() : undefined;
      await drop();
      const dropped = before ?? performance.now();
      best = Math.min(best, (await closed)[0] - dropped);
    }
    // When a forgotten iterator is collected is the collector's matter.
    assert.ok(best < (name.includes("forgotten") ? 10_000 : SOON), `closed after ${best} ms`);
  });
}
