// Hosts whose names are not found hold up no other host.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { ROOT, run, simulator } from "./helpers.mjs";

const SCRIPT = `
  import assert from "node:assert/strict";
  const entry = (host, connect_ms) => ({
    kind: "openai", base_url: "http://" + host + ".test:" + process.env.PORT + "/v1",
    api_key: "k", model: "m", timeouts: { connect_ms },
  });
  const providers = { healthy: entry("healthy", 5000) };
  for (let n = 0; n < 4; n++) providers["slow" + n] = entry("slow" + n, 500);
  const client = new liter.Client({ providers }, { retry: false });
  await Promise.all(Array.from({ length: 12 }, (_, n) =>
    assert.rejects(client.chat("Hello", { provider: "slow" + n % 4 }), (error) => {
      assert.ok(error instanceof liter.APITimeoutError, error);
      assert.match(error.message, /look-up of the name slow/);
      return true;
    })));
  // All of their look-ups are still running.
  const begun = performance.now();
  const provider = "healthy";
  assert.equal((await client.chat("Hello", { provider })).text, "You said: Hello");
  assert.equal(await client.stream("Hello", { provider }).text(), "You said: Hello");
  assert.ok(performance.now() - begun < 4000);
  process.exit();
`;

test("a slow resolver holds up no other host", { skip: process.platform !== "linux" }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "liter-llm-"));
  try {
    const shim = join(folder, "slow_names.so");
    const source = resolve(ROOT, "bindings/c/tests/common/slow_names.c");
    const compiler = process.env.CC ?? "cc";
    execFileSync(compiler, ["-shared", "-fPIC", "-o", shim, source, "-ldl"]);
    const port = simulator.url.split(":").at(-1);
    await run(SCRIPT, { env: { LD_PRELOAD: shim, PORT: port } });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
