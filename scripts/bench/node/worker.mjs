// One side of one workload, in a process of its own; what worker.py is for Python.
//
//     node worker.mjs SIDE KIND FLIGHTS BASE_URL COUNT TEXT REQUEST
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [side, kind, flights, baseUrl, count, expected, request] = process.argv.slice(2);
const { open } = await import(`./${side}.mjs`);
const client = open(baseUrl, JSON.parse(request));

function check(text) {
  if (text !== expected) throw new Error(`wrong text: ${text.slice(0, 80)}`);
}

async function call() {
  const { text, tokens } = await client.chat();
  check(text);
  if (!(tokens > 0)) throw new Error("no usage");
  return 1;
}

async function stream() {
  let whole = "";
  let chunks = 0;
  for await (const chunk of await client.stream()) {
    whole += client.text(chunk);
    chunks++;
  }
  check(whole);
  return chunks;
}

const one = ["unary", "held"].includes(kind) ? call : stream;

/** Shares `count` calls between the flights: the units done. */
async function work(count) {
  const each = Math.max(Math.floor(count / flights), 1);
  let units = 0;
  async function flight() {
    for (let i = 0; i < each; i++) {
      const done = await one();
      units += done;
    }
  }
  await Promise.all(Array.from({ length: Number(flights) }, flight));
  return units;
}

/** CPU seconds of the process, and of this thread. */
function cpu() {
  const { user, system } = process.cpuUsage();
  const own = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "latin1");
  return { all: (user + system) / 1e6, own: Number(own.split(" ", 1)[0]) / 1e9 };
}

function libraryThreads() {
  const names = readdirSync("/proc/self/task").map((id) => `/proc/self/task/${id}/comm`);
  return names.filter((name) => readFileSync(name, "latin1").startsWith("liter-llm")).length;
}

// V8 compiles what is hot, and that takes some thousand calls.
await work(Math.max(3 * count, 2 * flights));
console.log(JSON.stringify({ ready: true }));
for await (const _ of createInterface({ input: process.stdin })) {
  const wall = performance.now();
  const before = cpu();
  const units = await work(count);
  const after = cpu();
  const row = {
    units,
    cpu: after.all - before.all,
    own: after.own - before.own,
    wall: (performance.now() - wall) / 1e3,
    threads: libraryThreads(),
  };
  console.log(JSON.stringify(row));
}
process.exit(0);
