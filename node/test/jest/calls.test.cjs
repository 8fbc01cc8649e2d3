// Run by jest (../jest.test.mjs): calls and streams, with nothing closed at the end.
const { APITimeoutError, Client, logs } = require("@liter-llm/node");

const base_url = process.env.TEST_BASE_URL;
const client = new Client({ api_key: "sk-test", base_url }, { provider: "openai" });
const more = { model: "gpt-4.1-mini" };

test("a call", async () => {
  const answer = await client.chat("Hello", more);
  expect(answer).toMatchObject({ text: "You said: Hello", provider: "openai" });
});

test("a call with a signal and a time limit", async () => {
  const slow = new Client({ api_key: "sk-test", base_url: base_url.replace("/v1", "/sim,delay_ms=60000/v1") }, { provider: "openai" });
  await expect(slow.chat("Hello", { ...more, timeout_ms: 50 })).rejects.toThrow(APITimeoutError);
  const controller = new AbortController();
  const asked = slow.chat("Hello", { ...more, signal: controller.signal });
  controller.abort(new Error("enough"));
  await expect(asked).rejects.toThrow("enough");
});

test("streams: read, left, and never read", async () => {
  await expect(client.stream("Hello", more).text()).resolves.toBe("You said: Hello");
  for await (const chunk of client.stream("Hello", more)) if (chunk.text) break;
  global.unread = client.stream("Hello", more);
});

test("log records", async () => {
  const record = new Promise((resolve) => logs(resolve));
  await client.chat("Hello", more);
  await expect(record).resolves.toMatchObject({ event: "call" });
  logs(null);
});

test("a promise that a test forgets to await says so", () => {
  expect(() => expect(client.chat("Hello", more)).toEqual({})).toThrow("await it first");
});
