// A stream that nobody reads stays small, and the rest of the environment goes on.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { Client } from "../src/index.js";
import { noneOpen, rss, simulator } from "./helpers.mjs";

const { addon } = createRequire(import.meta.url)("../src/_native.js");

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

test("a queue that was paused serves the next streams", async () => {
  for (let n = 0; n < 10; n++) {
    const stream = client.stream("Hello");
    await stream.next();
    for (let other = 0; other < 20; other++) await client.chat("x", fast);
    stream.close();
    assert.equal(await client.stream(`${n}`, fast).text(), `You said: ${n}`);
  }
});

test("queues beyond those that are kept are freed", async () => {
  const open = Array.from({ length: 200 }, () => client.stream("Hello", fast));
  const texts = await Promise.all(open.map((stream) => stream.text()));
  assert.ok(texts.every((text) => text === "You said: Hello"));
  // The number of a new queue is the lowest that is free.
  const next = addon.source();
  addon.free(next);
  assert.ok(next <= 1 + 64 + 1, `${next}`);
});
