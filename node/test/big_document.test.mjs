// Documents of many megabytes, up and down.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BadRequestError, Client } from "../src/index.js";
import { simulator, textOf } from "./helpers.mjs";

const MIB = 1 << 20;
const client = new Client(simulator.config());

test("30 MiB up", async () => {
  const messages = [
    { role: "user", content: "x".repeat(30 * MIB) },
    { role: "user", content: "short" },
  ];
  assert.equal((await client.chat(messages)).text, "You said: short");
  const bytes = Buffer.from(JSON.stringify({ messages }));
  assert.equal((await client.chat(bytes)).text, "You said: short");
});

test("30 MiB down, others beside it", async () => {
  const size = 30 * MIB;
  const large = new Client(simulator.config(`bytes=${size},chunks=3000`));
  const small = Array.from({ length: 100 }, (_, n) => client.chat(`${n}`));
  const [answer, streamed] = await Promise.all([large.chat("Hello"), large.stream("Hello").text()]);
  assert.deepEqual([answer.text.length, streamed.length], [size, size]);
  assert.equal((await textOf(large.stream("Hello"))).length, size);
  for (const [n, { text }] of (await Promise.all(small)).entries()) {
    assert.equal(text, `You said: ${n}`);
  }
});

test("too large", async () => {
  const bytes = Buffer.concat([Buffer.from('{"prompt":"'), Buffer.alloc(33 * MIB, "x"), Buffer.from('"}')]);
  const refused = { name: "BadRequestError", message: /32 MiB/ };
  await assert.rejects(client.chat(bytes), refused);
  await assert.rejects(client.chat("x".repeat(33 * MIB)), refused);
  await assert.rejects(async () => client.stream("x".repeat(33 * MIB)).next(), BadRequestError);
});
