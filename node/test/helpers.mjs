// The simulator, a scripted provider over real sockets, and other Node processes that talk to it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliCompressSync, deflateSync } from "node:zlib";

export const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = resolve(HERE, "../..");
export const PACKAGE = pathToFileURL(resolve(HERE, "../src/index.js")).href;

/** How often a test of a race repeats: `short`, or ten times that with LITER_LLM_LONG=1. */
export const times = (short = 20) => (process.env.LITER_LLM_LONG ? short * 10 : short);

const HTML = "<html><body>502 Bad Gateway</body></html>";
const MESSAGE = { role: "assistant", content: "ok" };
const ANSWER = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1700000000,
  model: "gpt-5-mini",
  choices: [{ index: 0, message: MESSAGE, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
};

const failure = (status, message, more) => ({
  status,
  body: { error: { message, type: "error", code: null } },
  ...more,
});

const message = (more) => ({
  body: { ...ANSWER, choices: [{ ...ANSWER.choices[0], message: { ...MESSAGE, ...more } }] },
});

const piece = (content, finish_reason = null, index = 0) => ({
  ...ANSWER,
  object: "chat.completion.chunk",
  choices: [{ index, delta: { content }, finish_reason }],
  usage: null,
});

const tool = (text) => ({ id: "c", type: "function", function: { name: "f", arguments: text } });

const packed = (coding, bytes) => ({
  headers: { "content-encoding": coding },
  body_hex: bytes.toString("hex"),
});

/** What the simulator answers, by name: to the first request, or to each in turn. */
const REPLIES = {
  ok: { body: ANSWER },
  html: { headers: { "content-type": "text/html" }, body: HTML },
  html_502: { status: 502, headers: { "content-type": "text/html" }, body: HTML },
  not_json: { body: '{"choices":' },
  empty_body: { body: "" },
  bad_key: failure(401, "Incorrect API key provided."),
  forbidden: failure(403, "Your organization is not allowed."),
  no_model: failure(404, "The model does not exist."),
  rate_limit: failure(429, "Rate limit reached.", { headers: { "retry-after": "7" } }),
  overloaded: failure(503, "Overloaded."),
  cut: { body: ANSWER, cut_at: 40, cut: "close" },
  reset: { body: ANSWER, cut_at: 40, cut: "reset" },
  never: { never: true },
  nul: message({ content: "a\0b" }),
  unicode: message({ content: 'naïve 日本語 🎉 \u2028 \u0001 \x7f \\ " 𝔘𝔫𝔦' }),
  proto: message({ tool_calls: [tool('{"__proto__": {"polluted": true}}')], __strange: 1 }),
  gzipped: { body: "small", gzip: true },
  gzipped_stall: { body: "small", gzip: true, stall_at: 12 },
  deflated: packed("deflate", deflateSync("small")),
  brotli: packed("br", brotliCompressSync("small")),
  broken_gzip: packed("gzip", Buffer.from("small")),
  cookies: { headers: { "set-cookie": ["a=1", "b=2"] }, body: "" },
  binary: { body_hex: "00ff80c3" },
  no_content: { status: 204, framing: "close" },
  endless: { body: "0123456789abcdef", endless: "body" },
  overloaded_once: [failure(503, "Overloaded."), { body: ANSWER }],
  redirect_here: [{ status: 303, headers: { location: "there?x=1" }, body: "" }, { body: "here" }],
  redirect_away: { status: 307, headers: { location: "http://localhost:1/" }, body: "away" },
  two_choices: {
    sse: [piece("no", null, 1), piece("y"), piece("pe", "stop", 1), piece("es", "stop"), "[DONE]"],
  },
  broken_stream: { sse: [piece("Hel")] },
  broken_once: [{ sse: [piece("Hel")] }, { sse: [piece("Hi", "stop"), "[DONE]"] }],
};

export function binary() {
  const named = process.env.LITER_LLM_SIMULATOR;
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
  const candidates = named
    ? [named]
    : ["release", "debug"].map((profile) => join(target, profile, "liter-llm-simulator"));
  const found = candidates.find(existsSync);
  if (!found) throw new Error("no simulator: cargo build --release -p liter-llm-simulator");
  return found;
}

/** A running simulator; `config()` points clients at it. It ends with this process. */
class Simulator {
  #runs = 0;

  static async start() {
    const folder = mkdtempSync(join(tmpdir(), "liter-llm-node-"));
    const cases = join(folder, "cases.jsonl");
    const rows = Object.entries(REPLIES).map(([id, replies]) => ({
      id,
      exchanges: [replies].flat().map((reply) => ({ reply })),
    }));
    writeFileSync(cases, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const child = spawn(binary(), ["--cases", cases, "--exit-with-stdin"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [line] = await once(createInterface(child.stdout), "line");
    rmSync(folder, { recursive: true });
    for (const one of [child, child.stdin, child.stdout]) one.unref();
    return new Simulator(line.split(" ").at(-1).replace(/\/$/, ""));
  }

  constructor(url) {
    this.url = url;
  }

  /** Free mode: every request is answered; knobs as in "delay_ms=50,chunks=3". */
  config(knobs = "") {
    return this.#config(knobs ? `/sim,${knobs}/v1` : "/v1");
  }

  /** The first request gets the reply of this name. Nothing is tried again. */
  case(name) {
    return { ...this.#config(`/case/run${++this.#runs}/${name}/v1`), retry: false };
  }

  /** The default provider has these knobs; others by name have theirs, or the reply of that name. */
  providers(knobs, others) {
    const config = this.config(knobs);
    for (const [name, its] of Object.entries(others)) {
      const { providers } = Object.hasOwn(REPLIES, its) ? this.case(its) : this.config(its);
      config.providers[name] = { ...providers.openai, kind: "openai" };
    }
    return config;
  }

  #config(path) {
    const entry = { base_url: this.url + path, api_key: "sk-test", model: "gpt-5-mini" };
    return { providers: { openai: entry }, default_provider: "openai" };
  }

  async stats() {
    return (await fetch(`${this.url}/_sim/stats`)).json();
  }

  /** Waits until the statistics fulfil a condition, and returns them. */
  async waitFor(condition) {
    return until(
      () => this.stats(),
      (stats) => condition(stats),
    );
  }
}

/** How long anything may take before it counts as hanging, on the slowest machine. */
const DEADLINE_MS = 60_000;

/** Polls another thread's state, or the garbage collector's, until it is as it should be. */
export async function until(look, condition = Boolean) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const seen = await look();
    if (condition(seen)) return seen;
    if (Date.now() > end) throw new Error(`waited in vain: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const noneOpen = (stats) => stats.requests_open === 0;

export const simulator = await Simulator.start();

/**
 * Runs an ES module in another Node, which must end with `expect` and say nothing on stderr. The text
 * that it prints. `signal(child)` may do something to it once it has printed a line; `load: false`:
 * the package is not there; `descriptors`: at most so many; `stderr`: it may say something there; `told`:
 * that is returned. What a process must not wait for has to take
 * longer than its deadline.
 */
export async function run(script, options = {}) {
  const { config = simulator.config(), env = {}, expect = 0, flags = [] } = options;
  const text = options.load === false ? script : head(script);
  // A shell lowers the limit: Node raises its own as far as it can when it starts.
  const shell = `${options.descriptors ? `ulimit -n ${options.descriptors}; ` : ""}exec "$0" "$@"`;
  const program = [process.execPath, ...flags, "--input-type=module", "-e", text];
  const child = spawn("sh", ["-c", shell, ...program], {
    env: { ...process.env, LITER_LLM_CONFIG: JSON.stringify(config), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let errors = "";
  let signalled;
  child.stdout.setEncoding("utf8").on("data", (text) => {
    if (out === "") signalled = options.signal?.(child);
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  const [code, signal] = await once(child, "close");
  clearTimeout(timer);
  await signalled;
  if ((signal ?? code) !== expect || (errors !== "" && !options.stderr && !options.told)) {
    throw new Error(`ended with ${signal ?? code}, not ${expect}; it said:\n${out}${errors}`);
  }
  return options.told ? errors : out;
}

const head = (script) => `
import * as liter from ${JSON.stringify(PACKAGE)};
import { createRequire } from "node:module";
const require = createRequire(${JSON.stringify(PACKAGE)});
${script}`;

export const rss = () => process.memoryUsage.rss();

export const openFiles = () => readdirSync("/proc/self/fd").length;

/** Has the collector run, and what it tells of. */
export async function collect() {
  for (let n = 0; n < 5; n++) {
    gc();
    await new Promise(setImmediate);
  }
}

/**
 * Runs `work` until memory and descriptors have stopped growing: two blocks of `rounds` that add less
 * than 1 MiB and 4 descriptors together. V8's heap finds its size within a few; a leak never ends.
 */
export async function flat(work, rounds) {
  const seen = [];
  for (let block = 0; block < 20; block++) {
    for (let n = 0; n < rounds; n++) await work();
    await collect();
    seen.push({ memory: rss(), files: openFiles() });
    const before = seen.at(-3);
    const { memory, files } = seen.at(-1);
    if (before && memory - before.memory < 1 << 20 && files - before.files < 4) {
      await simulator.waitFor(noneOpen);
      return;
    }
  }
  throw new Error(`it does not stop growing: ${JSON.stringify(seen)}`);
}

/** All text of a stream's chunks. */
export async function textOf(stream) {
  let text = "";
  for await (const chunk of stream) text += chunk.text;
  return text;
}

export const table = () =>
  JSON.parse(readFileSync(join(ROOT, "bindings/conformance/errors.json"), "utf8"));
