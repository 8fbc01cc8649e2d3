// The main thread loads neither the FFI nor the library. Arguments: a configuration, and a worker's
// prompts; or no prompts, for workers that are terminated with a request in flight.

import { once } from "node:events";
import { Worker } from "node:worker_threads";

const [config, prompts] = process.argv.slice(2).map((text) => JSON.parse(text));
for (let round = 0; round < 3; round++) {
  const workerData = prompts ? { config, prompts } : { config, leave: "terminate" };
  const worker = new Worker(new URL("worker.mjs", import.meta.url), { workerData });
  const exit = once(worker, "exit");
  const [message] = await once(worker, "message");
  if (!prompts) worker.terminate();
  console.log(message.streamed ?? "in flight", ...(await exit));
}
