// AsyncLocalStorage is what it was behind every await, in every step of a stream, and in errors.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import { Client } from "../src/index.js";
import { simulator, until } from "./helpers.mjs";

const storage = new AsyncLocalStorage();
const client = new Client(simulator.config("chunks=10,interval_ms=1"));

test("behind every await", async () => {
  const one = (n) =>
    storage.run({ n }, async () => {
      const here = () => assert.equal(storage.getStore()?.n, n);
      await client.chat("Hello");
      here();
      await client.chat([]).catch(here);
      here();
      const stream = client.stream("Hello");
      for await (const chunk of stream) {
        assert.ok(chunk);
        here();
      }
      here();
      await client.stream("Hello").result().then(here);
      const lines = client.stream("Hello").toReadableStream();
      for await (const line of lines) {
        assert.ok(line);
        here();
      }
      const controller = new AbortController();
      const aborted = client.chat("Hello", { signal: controller.signal });
      storage.run({ n: -1 }, () => controller.abort());
      await aborted.catch(here);
      here();
      return n;
    });
  const numbers = Array.from({ length: 50 }, (_, n) => n);
  assert.deepEqual(await Promise.all(numbers.map(one)), numbers);
});

test("the store of the first call is not kept", async () => {
  const gone = await storage.run({ large: new Array(1000) }, async () => {
    await client.chat("Hello");
    return new WeakRef(storage.getStore());
  });
  await until(() => {
    gc();
    return gone.deref() === undefined;
  });
});
