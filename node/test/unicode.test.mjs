// Text of every kind, both ways.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BadRequestError, Client } from "../src/index.js";
import { run, simulator, textOf } from "./helpers.mjs";

const client = new Client(simulator.config());

const TEXTS = [
  "naïve café",
  "日本語",
  "🎉👩‍👩‍👧‍👦",
  "مرحبا שלום",
  "a\0b\0",
  "\u2028\u2029\ufeff\ufffd\uffff",
  String.fromCharCode(...Array(0x20).keys()) + "\x7f\x80",
  '"\\/\b\f\n\r\t',
  "𝔘𝔫𝔦".repeat(100),
  "e\u0301 is not \u00e9",
  "€".repeat(400_000), // more than the text that is kept between calls
];

for (const text of TEXTS) {
  test(`there and back: ${JSON.stringify(text.slice(0, 20))}`, async () => {
    const said = `You said: ${text}`;
    assert.equal((await client.chat(text)).text, said);
    assert.equal((await client.chat(Buffer.from(JSON.stringify({ prompt: text })))).text, said);
    const stream = client.stream(text);
    assert.equal(await textOf(stream), said);
    assert.equal(stream.response.text, said);
  });
}

for (const [name, expected] of [
  ["nul", "a\0b"],
  ["unicode", 'naïve 日本語 🎉 \u2028 \u0001 \x7f \\ " 𝔘𝔫𝔦'],
]) {
  test(`what a provider sends: ${name}`, async () => {
    assert.equal((await new Client(simulator.case(name)).chat("Hello")).text, expected);
  });
}

test("lone surrogates", async () => {
  for (const member of ["prompt", "model", "user"]) {
    const request = { prompt: "Hello", [member]: "secret \ud83d text" };
    for (const call of [() => client.chat(request), async () => client.stream(request).result()]) {
      await assert.rejects(call(), (error) => {
        assert.ok(error instanceof BadRequestError);
        assert.match(error.message, /half a character/);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    }
  }
  await assert.rejects(client.chat("Hello", { provider: "\udc00" }), /half a character/);
  assert.throws(() => new Client('{"default_provider":"\udc00"}'), /surrogate/);
  const script = `await liter.invoke("", '{"prompt":"\\udc00"}').catch((e) => console.log(e.message))`;
  assert.match(await run(script), /surrogate/);
});
