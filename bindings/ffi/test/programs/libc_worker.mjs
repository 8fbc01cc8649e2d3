// Calls getpid() of the C library in a worker thread: nothing of liter-llm is loaded.
// Arguments: the package, and how the worker is used.
//
//   alone       only the worker loads the package
//   both        the main thread has loaded it before
//   terminated  as both, and the worker is terminated while an asynchronous call of its is under way

import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

const require = createRequire(import.meta.url);
const [name, how] = process.argv.slice(2).map((text) => JSON.parse(text));

const libc = () => require(name).Library(null, { getpid: ["int", []], usleep: ["int", ["uint"]] });
if (isMainThread) {
  if (how !== "alone") libc();
  const worker = new Worker(fileURLToPath(import.meta.url), { argv: process.argv.slice(2) });
  worker.on("message", () => worker.terminate());
  worker.on("exit", (code) => console.log(`worker ended with ${code}`));
} else {
  const { getpid, usleep } = libc();
  // At once: what console.log prints in a worker waits for the main thread.
  writeSync(1, getpid() === process.pid ? "called\n" : "a wrong answer\n");
  if (how === "terminated") {
    usleep.async(30_000_000, () => {}); // longer than it takes to terminate it on any machine
    parentPort.postMessage("under way");
  }
}
