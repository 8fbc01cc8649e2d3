// The header in Bun and Deno: by their own FFI, by koffi, and by the addon of node/.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { CHATTED, DEADLINE, FOREVER, run, runProgram, startSimulator } from "../test/support.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const timeout = 2 * DEADLINE;
const environment = { NO_COLOR: "1" };
const commands = {
  bun: [join(here, "node_modules/@oven/bun-linux-x64/bin/bun")],
  deno: [join(here, "node_modules/@deno/linux-x64-glibc/deno"), "run", "--allow-all"],
};
let simulator;

before(async () => (simulator = await startSimulator()));
after(() => simulator.stop());

for (const [runtime, command] of Object.entries(commands)) {
  for (const FFI of [runtime, "koffi"]) {
    const env = { ...environment, FFI };
    const runs = (name, ...values) => runProgram(command, env, name, ...values);
    const title = `${runtime}, ${FFI === runtime ? "its own FFI" : FFI}`;

    test(`${title}: chat`, { timeout }, async () => {
      assert.deepEqual(await runs("chat", simulator.config(), simulator.config(FOREVER)), CHATTED);
    });

    test(`${title}: exit`, { timeout }, async () => {
      const idle = await runs("exit", simulator.config(), "idle");
      assert.deepEqual(idle, { code: 0, signal: null, stdout: "You said: x\n", stderr: "" });
      const exit = await runs("exit", simulator.config(FOREVER), "exit");
      assert.deepEqual(exit, { code: 7, signal: null, stdout: "", stderr: "" });
    });

    test(`${title}: workers`, { timeout }, async () => {
      const ended = await runs("worker_only", simulator.config(), ["a"]);
      const stdout = "You said: a 0\n".repeat(3);
      assert.deepEqual(ended, { code: 0, signal: null, stdout, stderr: "" });
    });

    // koffi in Bun is left out: it crashes there now and then, whatever library is called
    // (docs/adr/0006).
    const known = runtime === "bun" && FFI === "koffi";
    if (known) continue;
    test(`${title}: workers that are terminated in flight`, { timeout }, async () => {
      const ended = await runs("worker_only", simulator.config(FOREVER), null);
      const stdout = "in flight 1\n".repeat(3);
      assert.deepEqual(ended, { code: 0, signal: null, stdout, stderr: "" });
    });
  }
}

// As npm would install the packages, in a folder of its own.
const source = join(here, "../../../node");
const addon = "platforms/linux-x64-gnu";

for (const [runtime, command] of Object.entries(commands)) {
  test(`${runtime}, the addon of node/: chat`, { timeout }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "liter-llm-addon-"));
    try {
      const ours = join(folder, "node_modules", "@liter-llm");
      for (const part of ["package.json", "src"]) {
        cpSync(join(source, part), join(ours, "node", part), { recursive: true });
      }
      cpSync(join(source, addon), join(ours, "node-linux-x64-gnu"), { recursive: true });
      const dependencies = { "@liter-llm/node": "*" };
      writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies }));
      const program = join(folder, "addon.mjs");
      cpSync(join(here, "../test/programs/addon.mjs"), program);
      const configs = [simulator.config(), simulator.config(FOREVER)].map((one) =>
        JSON.stringify(one),
      );
      const ended = await run(command[0], [...command.slice(1), program, ...configs], {
        cwd: folder,
        env: environment,
      });
      assert.deepEqual(ended, CHATTED);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
