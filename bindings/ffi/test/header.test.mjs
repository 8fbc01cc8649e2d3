// The reader of the header, and the example that the documents point to.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { readHeader } from "../header.mjs";
import { run, startSimulator } from "./support.mjs";

test("header: functions, constants and the event as the library has them", () => {
  const { constants, functions, event, eventSize } = readHeader();
  assert.equal(functions.length, 25);
  assert.equal(constants.LITER_LLM_E_DESCRIPTORS, -8);
  assert.equal(constants.LITER_LLM_SUBMIT_STREAM, 2);
  assert.deepEqual(
    functions.find(({ name }) => name === "liter_llm_submit"),
    {
      name: "liter_llm_submit",
      result: "int32_t",
      parameters: [
        { name: "client", type: "liter_llm_client *" },
        { name: "queue", type: "liter_llm_queue *" },
        { name: "token", type: "uint64_t" },
        { name: "flags", type: "uint32_t" },
        { name: "request", type: "char *" },
        { name: "request_len", type: "size_t" },
        { name: "options", type: "char *" },
        { name: "options_len", type: "size_t" },
      ],
    },
  );
  assert.deepEqual(
    event.map(({ name, offset }) => [name, offset]),
    [
      ["token", 0],
      ["kind", 8],
      ["status", 12],
      ["len", 16],
      ["count", 20],
      ["liter", 24],
    ],
  );
  assert.equal(eventSize, 32);
});

test("header: what it does not understand is an error", () => {
  assert.throws(() => readHeader("int32_t f(void (*callback)(int));"), /cannot read/);
  assert.throws(() => readHeader("int32_t f(int values[4]);"), /cannot read `int values\[4\]`/);
  const struct = "typedef struct liter_llm_event { double x; } liter_llm_event;";
  assert.throws(() => readHeader(struct), /a member of type double/);
});

test("example: runs as it stands", async () => {
  const simulator = await startSimulator();
  const example = fileURLToPath(new URL("../example.mjs", import.meta.url));
  const ended = await run(process.execPath, [example], { env: simulator.environment() });
  await simulator.stop();
  const line = "You said: Why is the sky blue?\n";
  assert.deepEqual(ended, { code: 0, signal: null, stdout: line + line, stderr: "" });
});
