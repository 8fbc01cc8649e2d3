// Streams: iteration in every form, the whole answer at the end, and what is wrong is told once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AbortError, Chunk, Client, Stream, StreamBrokenError } from "../src/index.js";
import { noneOpen, simulator, textOf, until } from "./helpers.mjs";

const client = new Client(simulator.config());
const endless = new Client(simulator.config("chunks=100000,interval_ms=5"));

test("chunks, then the response", async () => {
  const stream = client.stream("Hello");
  assert.ok(stream instanceof Stream);
  assert.throws(() => stream.response, /is not read to its end yet/);
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  assert.equal(chunks.map(({ text }) => text).join(""), "You said: Hello");
  assert.ok(chunks.every((chunk) => chunk instanceof Chunk && chunk.object === "chat.completion.chunk"));
  assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(chunks[0]))), Object.keys(chunks[0]));
  assert.equal(stream.response.text, "You said: Hello");
  assert.equal(stream.response, stream.response);
  assert.equal(await stream.result(), stream.response);
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
});

test("a chunk's text is the first choice's", async () => {
  const stream = new Client(simulator.case("two_choices")).stream("Hello", { n: 2 });
  const texts = [];
  for await (const { text } of stream) texts.push(text);
  assert.deepEqual([texts.join(""), stream.response.text], ["yes", "yes"]);
  assert.equal(stream.response.choices[1].message.content, "nope");
});

test("the whole answer without iterating", async () => {
  assert.equal((await client.stream("Hello").result()).text, "You said: Hello");
  assert.equal(await client.stream("Hello").text(), "You said: Hello");
  const bytes = Buffer.from('{"prompt":"Hello","stream":true}');
  assert.equal(await client.stream(bytes).text(), "You said: Hello");
  const stream = client.stream("Hello");
  await stream.next();
  assert.equal(await stream.text(), "You said: Hello");
  await assert.rejects(textOf(stream), { name: "TypeError", message: /this stream is over/ });
});

test("next is called without waiting for the one before", async () => {
  const stream = client.stream("one two three four five");
  const steps = await Promise.all(Array.from({ length: 40 }, () => stream.next()));
  const values = steps.filter(({ done }) => !done).map(({ value }) => value.text);
  assert.equal(values.join(""), "You said: one two three four five");
  assert.ok(steps.slice(values.length).every(({ done }) => done));
});

test("a readable stream of JSON lines", async () => {
  const stream = client.stream("日本語 and more");
  const text = await new Response(stream.toReadableStream()).text();
  const chunks = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  const whole = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
  assert.equal(whole, "You said: 日本語 and more");
  assert.equal(stream.response.text, whole);

  const left = endless.stream("Hello");
  await left.next();
  const reader = left.toReadableStream().getReader();
  await reader.read();
  await reader.cancel();
  await simulator.waitFor(noneOpen);
  assert.equal((await left.next()).done, true);

  const broken = new Client(simulator.case("broken_stream")).stream("Hello");
  await assert.rejects(new Response(broken.toReadableStream()).text(), StreamBrokenError);
});

test("a broken stream", async () => {
  const stream = new Client(simulator.case("broken_stream")).stream("Hello");
  assert.equal((await stream.next()).value.text, "Hel");
  await assert.rejects(stream.next(), (error) => {
    assert.ok(error instanceof StreamBrokenError);
    assert.deepEqual(error.partial, { text: "Hel" });
    return true;
  });
  assert.equal((await stream.next()).done, true);
  assert.throws(() => stream.response, /ended without a whole answer/);
  await assert.rejects(stream.result(), StreamBrokenError);

  // Whoever waits beside it is told, too.
  const both = new Client(simulator.case("broken_stream")).stream("Hello");
  const waiting = Promise.allSettled([both.result(), textOf(both)]);
  assert.deepEqual((await waiting).map(({ status }) => status), ["rejected", "rejected"]);
});

test("leaving a loop cancels the rest", async () => {
  const stream = endless.stream("Hello");
  for await (const chunk of stream) {
    assert.ok(chunk);
    break;
  }
  await simulator.waitFor(noneOpen);
  await until(() => endless.metrics().in_flight === 0);
  assert.equal((await stream.next()).done, true);
  await assert.rejects(stream.result(), AbortError);
});

test("close, abort and disposal", async () => {
  const paused = new Client(simulator.config("chunks=10,burst=2,interval_ms=600000"));
  const closed = paused.stream("Hello");
  await closed.next();
  const waiting = Array.from({ length: 10 }, () => closed.next()); // more than have come
  closed.close();
  closed.close();
  assert.equal((await Promise.all(waiting)).at(-1).done, true);

  const aborted = endless.stream("Hello");
  await aborted.next();
  const left = aborted.next().then(() => aborted.next()).then(() => aborted.next());
  aborted.abort(new RangeError("enough"));
  await assert.rejects(left, RangeError);
  await assert.rejects(aborted.result(), RangeError);
  assert.equal((await aborted.next()).done, true);

  const other = endless.stream("Hello");
  other.abort();
  await assert.rejects(other.next(), { name: "AbortError", kind: "cancelled" });

  const disposed = endless.stream("Hello");
  await disposed[Symbol.asyncDispose]();
  assert.equal((await disposed.next()).done, true);
  await simulator.waitFor(noneOpen);
});

test("a stream that nobody holds is cancelled", async () => {
  await until(() => endless.metrics().in_flight === 0); // those of the tests before
  await (async () => {
    const stream = endless.stream("Hello");
    await stream.next();
    assert.equal(endless.metrics().in_flight, 1);
    assert.throws(() => stream.response, /is not read to its end yet/);
  })();
  await until(() => {
    gc();
    return endless.metrics().in_flight === 0;
  });
  await simulator.waitFor(noneOpen);
});

test("a stream keeps its client", async () => {
  const stream = new Client(simulator.config("chunks=50,interval_ms=2")).stream("Hello");
  let count = 0;
  for await (const chunk of stream) {
    assert.ok(chunk);
    if (count++ % 10 === 0) gc();
  }
  assert.ok(count >= 50);
});

test("many streams at once", async () => {
  const paced = new Client(simulator.config("chunks=20,interval_ms=1"));
  const texts = await Promise.all(Array.from({ length: 200 }, () => textOf(paced.stream("Hello"))));
  assert.equal(new Set(texts).size, 1);
  assert.match(texts[0], /^You said: Hello/);
});
