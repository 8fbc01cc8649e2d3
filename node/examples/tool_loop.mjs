// The model calls functions of this program until it can answer.
import { Client } from "@liter-llm/node";

/** @type {Record<string, (args: any) => unknown>} what the model may call; what it gives is checked here */
const functions = {
  count_words: ({ text }) => {
    if (typeof text !== "string") throw new Error("text is missing");
    return { words: text.split(/\s+/).filter(Boolean).length };
  },
};

/** @type {import("@liter-llm/node").Tool[]} */
const tools = [
  {
    type: "function",
    function: {
      name: "count_words",
      description: "Counts the words of a text.",
      parameters: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
    },
  },
];

/** @param {import("@liter-llm/node").ToolCall} call */
function run({ id, function: { name, arguments: text } }) {
  let result;
  try {
    result = functions[name]?.(JSON.parse(text)) ?? { error: `there is no function ${name}` };
  } catch (error) {
    result = { error: String(error) }; // the model reads it, and tries again
  }
  console.log(`${name}(${text}) = ${JSON.stringify(result)}`);
  return /** @type {const} */ ({ role: "tool", tool_call_id: id, content: JSON.stringify(result) });
}

const client = new Client();
/** @type {import("@liter-llm/node").Message[]} */
const messages = [{ role: "user", content: "Count these words with the tool" }];
for (let round = 0; round < 5; round++) {
  const [choice] = (await client.chat(messages, { tools })).choices;
  const calls = choice?.message.tool_calls ?? [];
  if (choice === undefined || calls.length === 0) {
    console.log(choice?.message.content);
    break;
  }
  messages.push(choice.message, ...calls.map(run));
}
