// Streams answers to a browser with Express. It ends after it has read its own page as a browser does.
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Client, LiterLLMError } from "@liter-llm/node";
import express from "express";

const PAGE = `<!doctype html><title>Chat</title><pre></pre><script type="module">
  const answer = await fetch("/chat?prompt=Hello+from+a+browser");
  const text = answer.body.pipeThrough(new TextDecoderStream());
  for await (const piece of text) document.querySelector("pre").append(piece);
</script>`;

const client = new Client();
const app = express();

app.get("/", (_request, response) => void response.type("html").send(PAGE));

app.get("/chat", async (request, response) => {
  const stream = client.stream(String(request.query.prompt), { model: "openai/gpt-4.1-mini" });
  async function* texts() {
    for await (const chunk of stream) yield chunk.text;
  }
  response.type("text/plain");
  try {
    await pipeline(Readable.from(texts()), response); // a browser that leaves cancels the stream
  } catch (error) {
    if (error instanceof LiterLLMError && !response.headersSent)
      response.status(502).send(error.message);
    else response.destroy();
  }
});

const server = app.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
if (address === null || typeof address === "string") throw new Error("no port");
const site = `http://127.0.0.1:${address.port}`;

// From here on: the browser.
const page = await (await fetch(site)).text();
const link = /fetch\("([^"]+)"\)/.exec(page)?.[1];
const answer = await fetch(`${site}${link}`);
let text = "";
for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) text += piece;
console.log(`${answer.status} ${answer.headers.get("content-type")}`);
console.log(text);

server.close();
await client.close();
