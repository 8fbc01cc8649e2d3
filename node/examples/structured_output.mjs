// Asks for JSON by a schema, and checks what comes: a model may wrap it in words, or get it wrong.
import { Client } from "@liter-llm/node";

const schema = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"],
  additionalProperties: false,
};

/**
 * @param {string} text
 * @returns {{name: string, age: number}}
 */
function parse(text) {
  const value = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  if (typeof value.name !== "string") throw new Error("name has to be a string");
  if (!Number.isInteger(value.age)) throw new Error("age has to be an integer");
  return value;
}

/** @param {string} question */
async function person(question) {
  /** @type {import("@liter-llm/node").Message[]} */
  const messages = [{ role: "user", content: question }];
  for (let left = 2; ; left--) {
    const { text } = await client.chat(messages, {
      response_format: {
        type: "json_schema",
        json_schema: { name: "person", schema, strict: true },
      },
    });
    try {
      return parse(text);
    } catch (error) {
      if (left === 0) throw error;
      messages.push(
        { role: "assistant", content: text },
        { role: "user", content: `That is wrong: ${error}. Give the JSON alone.` },
      );
    }
  }
}

const client = new Client();
const { name, age } = await person(
  'Who is it? Answer as {"name": "Ada", "age": 36} for "Ada, 36, likes engines".',
);
console.log(`${name} is ${age} years old`);
