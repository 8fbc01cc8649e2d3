// Run by jest (../jest.test.mjs), in a file of its own: the package is loaded again, and mocked.
jest.mock("@liter-llm/node");
const { Client } = require("@liter-llm/node");

test("a mock of the package", async () => {
  Client.prototype.chat.mockResolvedValue({ text: "mocked" });
  await expect(new Client().chat("Hello")).resolves.toEqual({ text: "mocked" });
  expect(Client.prototype.chat).toHaveBeenCalledWith("Hello");
});

test("the package itself beside it", async () => {
  const real = jest.requireActual("@liter-llm/node");
  const client = new real.Client({ api_key: "sk-test", base_url: process.env.TEST_BASE_URL }, { provider: "openai" });
  await expect(client.chat("Hello", { model: "m" })).resolves.toMatchObject({ text: "You said: Hello" });
});
