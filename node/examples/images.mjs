// Asks about a picture: node images.mjs photo.png. Without a file, it is one pixel of red.
import { readFile } from "node:fs/promises";
import { Client } from "@liter-llm/node";

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
const [file] = process.argv.slice(2);
const data = file === undefined ? PIXEL : await readFile(file, "base64");
const type = file?.endsWith(".jpg") ? "image/jpeg" : "image/png";

const client = new Client();
for (const model of ["openai/gpt-4.1-mini", "anthropic/claude-haiku-4-5"]) {
  const answer = await client.chat(
    [
      {
        role: "user",
        content: [
          { type: "text", text: "Which colour is this?" },
          { type: "image_url", image_url: { url: `data:${type};base64,${data}` } },
        ],
      },
    ],
    { model, max_tokens: 50 },
  );
  console.log(`${answer.provider}: ${answer.text}`);
}
