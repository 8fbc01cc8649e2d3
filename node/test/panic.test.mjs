// A panic inside the engine is an error of kind "internal", on every path, and the process goes on.
// Debug builds of the engine have an operation that panics.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { HERE, run } from "./helpers.mjs";

const addon = resolve(HERE, "../build/debug/liter_llm.node");

test("a panic", async () => {
  assert.ok(existsSync(addon), `${addon} is missing: run \`make node-addon\``);
  const script = `
    const request = { op: "debug_panic" };
    const kinds = new Set();
    const note = (error) => {
      if (!(error instanceof liter.LiterLLMError)) throw error;
      kinds.add(error.constructor.name + " " + error.kind);
    };
    const client = new liter.Client();
    for (let n = 0; n < 20; n++) {
      await client.chat(request).catch(note);
      await client.stream(request).result().catch(note);
      try { for await (const _ of client.stream(request)); } catch (error) { note(error) }
      await liter.invoke("openai", request).catch(note);
      try { liter.invokeSync("openai", request) } catch (error) { note(error) }
    }
    console.log([...kinds].join(), (await client.chat("after")).text);
  `;
  // Rust tells of each panic on stderr.
  const said = await run(script, { env: { LITER_LLM_ADDON: addon }, stderr: true });
  assert.equal(said, "LiterLLMError internal You said: after\n");
});
