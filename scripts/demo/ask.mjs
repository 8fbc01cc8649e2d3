// Node's part of the demo; see ask.py.
import { Client, LiterLLMError } from "../../node/src/index.js";

const [question, ...targets] = process.argv.slice(2);
try {
  const client = new Client();
  for (const model of targets) {
    const asked = performance.now();
    const chat = await client.chat(question, { model, max_tokens: 200 });
    const row = { chat, chat_ms: performance.now() - asked, chunks: 0 };
    const started = performance.now();
    const stream = client.stream(question, { model, max_tokens: 200 });
    for await (const chunk of stream) {
      if (chunk.text === "") continue;
      row.chunks++;
      row.first_ms ??= performance.now() - started;
    }
    row.stream = stream.response;
    row.stream_ms = performance.now() - started;
    console.log(JSON.stringify(row));
  }
} catch (error) {
  if (!(error instanceof LiterLLMError)) throw error;
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
