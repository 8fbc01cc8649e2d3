// The whole client through koffi, in one thread.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, LiterLlmError } from "../client.mjs";
import { open } from "../koffi.mjs";
import { DEADLINE, FOREVER, startSimulator, until } from "./support.mjs";

const model = "openai/gpt-4.1-mini";
const ffi = open();
let simulator;

before(async () => (simulator = await startSimulator()));
after(() => simulator.stop());

function testWithClient(name, knobs, body) {
  test(name, { timeout: DEADLINE }, async () => {
    const client = new Client(ffi, simulator.config(knobs));
    try {
      await body(client);
    } finally {
      await client.close(0);
    }
  });
}

async function textOf(stream) {
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

testWithClient("chat", "", async (client) => {
  const answer = await client.chat({ model, prompt: "hello" });
  assert.equal(answer.choices[0].message.content, "You said: hello");
  assert.equal(answer.provider, "openai");
});

testWithClient(
  "stream: the chunks make up the response that the generator returns",
  "",
  async (client) => {
    const stream = client.stream({ model, prompt: "one two three" });
    let text = "";
    let step;
    for (step = await stream.next(); !step.done; step = await stream.next()) {
      text += step.value.choices[0]?.delta.content ?? "";
    }
    assert.equal(text, "You said: one two three");
    assert.equal(step.value.choices[0].message.content, text);
  },
);

testWithClient("many at once: answers and streams find their owners", "", async (client) => {
  const numbers = Array.from({ length: 200 }, (_, n) => `number ${n}`);
  const texts = await Promise.all(
    numbers.map(async (prompt, n) =>
      n % 2
        ? textOf(client.stream({ model, prompt }))
        : (await client.chat({ model, prompt })).choices[0].message.content,
    ),
  );
  assert.deepEqual(
    texts,
    numbers.map((prompt) => `You said: ${prompt}`),
  );
});

testWithClient("unicode: as it was, whole and streamed", "", async (client) => {
  const prompt = 'naïve 日本語 🎉 \u2028 \u0001 \\ " 𝔘𝔫𝔦 a\0b';
  const answer = await client.chat({ model, prompt });
  assert.equal(answer.choices[0].message.content, `You said: ${prompt}`);
  assert.equal(await textOf(client.stream({ model, prompt })), answer.choices[0].message.content);
});

testWithClient("big_document: larger than the read buffer, both ways", "", async (client) => {
  const prompt = "0123456789abcdef".repeat(1 << 18);
  const answer = await client.chat({ model, prompt });
  assert.equal(answer.choices[0].message.content.length, prompt.length + "You said: ".length);
  assert.ok(answer.choices[0].message.content.endsWith(prompt));
  assert.equal((await client.chat({ model, prompt: "small again" })).choices[0].message.content, "You said: small again");
});

testWithClient(
  "event_loops: timers run while an answer is awaited",
  "delay_ms=300",
  async (client) => {
    const order = [];
    const answer = client.chat({ model, prompt: "x" }).then(() => order.push("answer"));
    await new Promise((resolve) => setTimeout(resolve, 0));
    order.push("timer");
    await answer;
    assert.deepEqual(order, ["timer", "answer"]);
  },
);

testWithClient("cancel: a signal ends a chat", FOREVER, async (client) => {
  const controller = new AbortController();
  const chat = client.chat({ model, prompt: "x" }, undefined, controller.signal);
  await until("the request", () => client.metrics().in_flight === 1);
  controller.abort();
  await assert.rejects(chat, { name: "LiterLlmError", kind: "cancelled" });
  await until("its end", () => client.metrics().in_flight === 0);
});

testWithClient("cancel: an aborted signal sends nothing", "", async (client) => {
  await assert.rejects(client.chat({ model, prompt: "x" }, undefined, AbortSignal.abort()), {
    name: "AbortError",
  });
  assert.equal(client.metrics().in_flight, 0);
});

testWithClient(
  "cancel: leaving a stream closes its socket",
  "chunks=100000,interval_ms=20",
  async (client) => {
    const aborted = (await simulator.stats()).streams_aborted;
    for await (const chunk of client.stream({ model, prompt: "x" })) {
      assert.equal(chunk.object, "chat.completion.chunk");
      break;
    }
    await until("its end", () => client.metrics().in_flight === 0);
    await until(
      "the closed socket",
      async () => (await simulator.stats()).streams_aborted > aborted,
    );
  },
);

testWithClient("timeout: an error of its kind", FOREVER, async (client) => {
  const failure = await client
    .chat({ model, prompt: "x" }, { timeout_ms: 20 })
    .catch((error) => error);
  assert.ok(failure instanceof LiterLlmError);
  assert.equal(failure.kind, "timeout");
  assert.equal(failure.retryable, true);
});

testWithClient("bad_input: each says what is wrong, and the client goes on", "", async (client) => {
  const wrong = [
    [{ model: "nobody/x", prompt: "x" }, "not_found"],
    [{ model }, "invalid_request"],
    [{ model, prompt: 5 }, "invalid_request"],
    [[], "invalid_request"],
  ];
  for (const [request, kind] of wrong) {
    await assert.rejects(client.chat(request), { kind });
  }
  await assert.rejects(textOf(client.stream({ model })), { kind: "invalid_request" });
  await assert.rejects(client.chat({ model, prompt: "x" }, { nonsense: 1 }), {
    kind: "invalid_request",
  });
  assert.equal((await client.chat({ model, prompt: "y" })).choices[0].message.content, "You said: y");
});

test("bad_input: a wrong configuration is an error document", () => {
  assert.throws(() => new Client(ffi, { nonsense: 1 }), {
    name: "LiterLlmError",
    kind: "invalid_request",
    param: "nonsense",
  });
});

test("bad_input: misuse is told by the header's name for it", async () => {
  const client = Client.over(ffi, 0n);
  const misuse = { message: "liter_llm_submit: LITER_LLM_E_ARGUMENT" };
  await assert.rejects(client.chat({ model, prompt: "x" }), misuse);
  await client.close();
});

test(
  "closed_client: close ends what is in flight; nothing can be asked after it",
  { timeout: DEADLINE },
  async () => {
    const client = new Client(ffi, simulator.config(FOREVER));
    const chat = assert.rejects(client.chat({ model, prompt: "x" }), { kind: "cancelled" });
    const stream = assert.rejects(textOf(client.stream({ model, prompt: "x" })), {
      kind: "cancelled",
    });
    await until("the requests", () => client.metrics().in_flight === 2);
    await client.close(0);
    await Promise.all([chat, stream]);
    await assert.rejects(client.chat({ model, prompt: "x" }), /closed: make a new one/);
    assert.throws(() => client.metrics(), /closed/);
    await client.close();
  },
);

test(
  "closed_client: close waits for an answer that is on its way",
  { timeout: DEADLINE },
  async () => {
    const client = new Client(ffi, simulator.config("delay_ms=200"));
    const chat = client.chat({ model, prompt: "x" });
    await client.close(DEADLINE);
    assert.equal((await chat).choices[0].message.content, "You said: x");
  },
);
