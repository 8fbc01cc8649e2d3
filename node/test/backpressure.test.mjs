// A stream that nobody reads stays small, and the rest of the environment goes on.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { Client } from "../src/index.js";
import { noneOpen, rss, simulator } from "./helpers.mjs";

const SIZE = 24 << 20;
const config = simulator.providers(`bytes=${SIZE},chunks=6000`, { fast: "" });
const client = new Client(config);
const fast = { provider: "fast" };

test("unread streams", async () => {
  await client.chat("warm", fast);
  gc();
  const before = rss();
  const streams = Array.from({ length: 4 }, () => client.stream("Hello"));
  for (const stream of streams) await stream.next();
  // Others go on, and give the streams all the time to fill up.
  for (let n = 0; n < 500; n++) {
    assert.equal((await client.chat(`${n}`, fast)).text, `You said: ${n}`);
  }
  gc();
  assert.ok(rss() - before < 2 * SIZE, `${rss() - before} bytes`); // of four times that
  assert.equal(client.metrics().in_flight, 4);
  streams[1].close();
  streams[2].abort();
  await streams[3].return();
  assert.equal((await streams[0].text()).length, SIZE);
  await simulator.waitFor(noneOpen);
});

test("a slow reader gets everything", async () => {
  let length = 0;
  let count = 0;
  for await (const { text } of client.stream("Hello")) {
    length += text.length;
    if (count++ % 50 === 0) await client.chat("between", fast);
  }
  assert.equal(length, SIZE);
});

test("a stream that was full disturbs none of the next", async () => {
  for (let n = 0; n < 10; n++) {
    const stream = client.stream("Hello");
    await stream.next();
    for (let other = 0; other < 20; other++) await client.chat("x", fast);
    stream.close();
    assert.equal(await client.stream(`${n}`, fast).text(), `You said: ${n}`);
  }
});

test("a stream costs one descriptor", async () => {
  const endless = new Client(simulator.config("chunks=10,burst=2,interval_ms=600000"));
  const begin = async () => {
    const stream = endless.stream("Hello");
    await stream.next();
    return stream;
  };
  const descriptors = () => readdirSync("/proc/self/fd").length;
  const first = await begin();
  const before = descriptors();
  const streams = await Promise.all(Array.from({ length: 100 }, begin));
  const opened = descriptors() - before;
  for (const stream of [first, ...streams]) stream.close();
  await simulator.waitFor(noneOpen);
  assert.ok(opened <= 100 + 5, `${opened} descriptors`);
});

test("chunks that are passed over are consumed", async () => {
  const stream = client.stream("Hello");
  await stream.next();
  // Shown already, so the chunks still come: more than the engine holds of a stream.
  assert.equal((await stream.result()).text.length, SIZE);
});
