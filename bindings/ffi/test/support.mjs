// The simulator, and programs that run in processes of their own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BINARY =
  process.env.LITER_LLM_SIMULATOR ??
  fileURLToPath(new URL("../../../target/release/liter-llm-simulator", import.meta.url));

/** What never takes this long hangs. */
export const DEADLINE = 60_000;
/** Longer than any test runs: a request that is still in flight at its end. */
export const FOREVER = "delay_ms=600000";

/** A running simulator that ends with this process: `config(knobs)`, `environment()`, `stats()`. */
export async function startSimulator() {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run \`make build\``);
  const child = spawn(BINARY, ["--exit-with-stdin"], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const url = line.split(" ").at(-1).replace(/\/$/, "");
  const base = (knobs) => `${url}${knobs ? `/sim,${knobs}` : ""}/v1`;
  return {
    config: (knobs) => ({ providers: { openai: { base_url: base(knobs), api_key: "demo" } } }),
    environment: () => ({ OPENAI_BASE_URL: base(), OPENAI_API_KEY: "demo" }),
    stats: async () => (await fetch(`${url}/_sim/stats`)).json(),
    async stop() {
      child.stdin.end();
      await once(child, "exit");
    },
  };
}

/** Runs a program to its end: `{code, signal, stdout, stderr}`. */
export async function run(command, words, { cwd, env, timeout = DEADLINE } = {}) {
  const child = spawn(command, words, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout,
    killSignal: "SIGKILL",
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (text) => (output[name] += text));
  }
  const [code, signal] = await once(child, "close");
  return { code, signal, ...output };
}

/** Runs a file of `programs` in a Node of its own; its arguments are handed over as JSON. */
export function runNode(name, ...values) {
  return runProgram([process.execPath], {}, name, ...values);
}

/** The same in another runtime, and with variables of the environment. */
export function runProgram([command, ...flags], env, name, ...values) {
  const file = fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));
  return run(command, [...flags, file, ...values.map((value) => JSON.stringify(value))], { env });
}

/** What programs/chat.mjs ends with where everything works. */
export const CHATTED = {
  code: 0,
  signal: null,
  stdout: "You said: hello 🎉\nYou said: one two\ninvalid_request\n200010\nnumber\ncancelled\n",
  stderr: "",
};

/** Looks again and again until `look` finds something true. */
export async function until(what, look) {
  const end = Date.now() + DEADLINE;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
