// Two models share the traffic, nine to one. A user always gets the same one.
import { Client } from "@liter-llm/node";

const client = new Client({
  routes: {
    assistant: {
      policy: "weighted",
      targets: [
        { target: "openai/gpt-4.1-mini", weight: 9 },
        { target: "anthropic/claude-haiku-4-5", weight: 1 },
      ],
    },
  },
});

/** @param {string} user */
async function modelOf(user) {
  const { model } = await client.chat("Hello", {
    model: "assistant",
    sticky_key: user,
    max_tokens: 20,
  });
  return model ?? "unknown";
}

/** @type {Map<string, number>} */
const counts = new Map();
for (let number = 0; number < 200; number++) {
  const model = await modelOf(`user ${number}`);
  counts.set(model, (counts.get(model) ?? 0) + 1);
}
const most = Math.max(...counts.values());
console.log(`${counts.size} models were asked`);
console.log(
  counts.get("gpt-4.1-mini") === most ? "most users have gpt-4.1-mini" : `it is uneven: ${most}`,
);
console.log(
  (await modelOf("Ada")) === (await modelOf("Ada")) ? "Ada has one model" : "Ada has two models",
);
