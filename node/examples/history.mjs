// A conversation. The model remembers nothing: each request has all messages so far.
import { Client } from "@liter-llm/node";

/** @type {import("@liter-llm/node").Message[]} */
const messages = [{ role: "system", content: "You are a patient teacher of geography." }];
const client = new Client();

/** @param {string} question */
async function ask(question) {
  messages.push({ role: "user", content: question });
  const { choices } = await client.chat(messages);
  const [choice] = choices;
  if (choice === undefined) throw new Error("the answer is empty");
  messages.push(choice.message);
  return choice.message.content;
}

console.log(await ask("What is the capital of Peru?"));
console.log(await ask("How many people live there?"));
console.log(messages.map(({ role }) => role).join(", "));
