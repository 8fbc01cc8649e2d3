// A hundred questions at once, with a bar of progress. One that fails does not stop the others.
import { Client } from "@liter-llm/node";

const questions = Array.from({ length: 100 }, (_, number) => `What is ${number} times ${number}?`);
const client = new Client(
  { providers: { openai: { limits: { max_in_flight: 20 } } } },
  { provider: "openai" },
);

let done = 0;
function progress() {
  done++;
  if (!process.stderr.isTTY) return;
  const bar = "#".repeat(Math.floor((done / questions.length) * 40)).padEnd(40);
  process.stderr.write(`\r[${bar}] ${done}/${questions.length}`);
  if (done === questions.length) process.stderr.write("\n");
}

const results = await Promise.allSettled(
  questions.map((question) => client.chat(question, { model: "gpt-4.1-mini" }).finally(progress)),
);

let tokens = 0;
for (const [number, result] of results.entries()) {
  if (result.status === "fulfilled") tokens += result.value.usage?.total_tokens ?? 0;
  else console.error(`${questions[number]} ${result.reason.message}`);
}
const answered = results.filter(({ status }) => status === "fulfilled").length;
console.log(`${answered} of ${results.length} answered`);
console.log(`they cost ${tokens} tokens`);
