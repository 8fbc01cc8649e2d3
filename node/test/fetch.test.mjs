// The providers' own SDKs on our `fetch`, and what it says beside Node's own.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import {
  brotliCompressSync,
  createBrotliCompress,
  createGzip,
  deflateRawSync,
  gzipSync,
} from "node:zlib";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI, { APIConnectionError, APIConnectionTimeoutError, RateLimitError, toFile } from "openai";
import { createFetch } from "../src/fetch.js";
import { Client, LiterLLMError } from "../src/index.js";
import { noneOpen, rss, run, simulator, until } from "./helpers.mjs";

const ours = createFetch();
const echo = `${simulator.url}/_sim/echo`;
const messages = [{ role: "user", content: "hello there you" }];
const urlOf = ({ providers }) => providers.openai.base_url;
const ofCase = (name) => urlOf(simulator.case(name));

function openai(baseURL, more) {
  return new OpenAI({ apiKey: "sk-secret-canary", baseURL, fetch: ours, maxRetries: 0, ...more });
}

const ask = (client, more, how) =>
  client.chat.completions.create({ model: "m", messages, ...more }, how);

/** What a call rejects with. */
const rejection = (work) =>
  work.then(
    () => assert.fail("it did not reject"),
    (error) => error,
  );

test("openai: chat, tools, the raw response", async () => {
  const client = openai(urlOf(simulator.config()));
  const { data, response } = await ask(client).withResponse();
  assert.match(data.choices[0].message.content, /hello there you/);
  assert.equal(response.headers.get("x-request-id"), data._request_id);
  assert.equal(response.url, `${urlOf(simulator.config())}/chat/completions`);
  const tools = [{ type: "function", function: { name: "look", parameters: {} } }];
  const call = await ask(client, { tools, messages: [{ role: "user", content: "use the tool" }] });
  assert.equal(call.choices[0].message.tool_calls[0].function.name, "look");
});

test("openai: streams", async () => {
  let text = "";
  for await (const chunk of await ask(openai(urlOf(simulator.config())), { stream: true })) {
    text += chunk.choices[0]?.delta.content ?? "";
  }
  assert.match(text, /hello there you/);
});

test("openai: uploads and other paths", async () => {
  const client = openai(echo);
  const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
  const file = await toFile(bytes, "notes.bin", { type: "application/octet-stream" });
  const upload = await client.files.create({ file, purpose: "assistants" });
  assert.deepEqual([upload.method, upload.target], ["POST", "/_sim/echo/files"]);
  assert.ok(upload.body_hex.includes(Buffer.from(bytes).toString("hex")));
  const headers = Object.fromEntries(upload.headers);
  assert.match(headers["content-type"], /^multipart\/form-data; boundary=/);
  assert.equal(headers.authorization, "Bearer sk-secret-canary");
  const embed = await client.embeddings.create({ model: "e", input: "x", encoding_format: "float" });
  assert.equal(embed.target, "/_sim/echo/embeddings");
});

test("anthropic: messages and streams", async () => {
  const baseURL = simulator.url;
  const client = new Anthropic({ apiKey: "k", baseURL, fetch: ours, maxRetries: 0 });
  const request = { model: "m", max_tokens: 9, messages };
  assert.match((await client.messages.create(request)).content[0].text, /hello there you/);
  assert.match(await client.messages.stream(request).finalText(), /hello there you/);
});

test("errors are the SDK's", async () => {
  const limited = await rejection(ask(openai(ofCase("rate_limit"))));
  assert.ok(limited instanceof RateLimitError);
  assert.equal(limited.headers.get("retry-after"), "7");
  const again = await ask(openai(ofCase("overloaded_once"), { maxRetries: 1 }));
  assert.equal(again.choices[0].message.content, "ok");

  const lost = await rejection(ask(openai("http://127.0.0.1:9/v1")));
  assert.ok(lost instanceof APIConnectionError);
  const { cause } = lost;
  assert.ok(cause instanceof TypeError && cause.message === "fetch failed");
  assert.ok(cause.cause instanceof LiterLLMError && cause.cause.kind === "connection");
  assert.ok(!`${cause.cause}`.includes("canary"));

  const late = await rejection(ask(openai(ofCase("never"), { timeout: 100 })));
  assert.ok(late instanceof APIConnectionTimeoutError);
  await simulator.waitFor(noneOpen);
});

test("what the engine's timers end is a timeout to the SDK", async () => {
  const fetch = createFetch({ timeouts: { headers_ms: 50 } });
  const error = await rejection(ask(openai(ofCase("never"), { fetch })));
  assert.ok(error instanceof APIConnectionTimeoutError);
});

test("abort, an early end and a lost response close the socket", async () => {
  const { signal } = new AbortController();
  assert.equal((await ours(echo, { signal })).status, 200);
  const paced = urlOf(simulator.config("chunks=1000,interval_ms=60000,burst=1"));
  const packed = await ours(ofCase("gzipped_stall"), { signal });
  await packed.body.cancel();
  await simulator.waitFor(noneOpen);
  for (const leave of ["break", "abort"]) {
    const controller = new AbortController();
    const stream = await ask(openai(paced), { stream: true }, { signal: controller.signal });
    for await (const chunk of stream) {
      assert.equal(chunk.object, "chat.completion.chunk");
      if (leave === "break") break;
      controller.abort();
    }
    await simulator.waitFor(noneOpen);
  }
  const controller = new AbortController();
  const held = ours(ofCase("never"), { signal: controller.signal });
  await simulator.waitFor((stats) => stats.requests_open === 1);
  controller.abort(new RangeError("enough"));
  await assert.rejects(held, RangeError);
  await simulator.waitFor(noneOpen);
  await assert.rejects(ours(echo, { signal: AbortSignal.abort(new RangeError("before")) }), RangeError);

  for (const name of ["endless", "gzipped_stall"]) {
    const begin = async () => assert.equal((await ours(ofCase(name))).status, 200);
    await begin();
    await until(async () => {
      gc();
      return noneOpen(await simulator.stats());
    });
  }
});

/** Headers that Node's fetch adds by itself, and those of the connection. */
const NODES = ["accept", "accept-encoding", "accept-language", "sec-fetch-mode", "user-agent"];
const OWN = new Set([...NODES, "connection", "content-length", "host", "transfer-encoding"]);

/** What a server saw of a request. A form's boundary is chance. */
async function seen(fetch, path, init) {
  const { headers, body_hex: hex, ...rest } = await (await fetch(`${echo}${path}`, init)).json();
  const boundary = /boundary=(.*)/.exec(Object.fromEntries(headers)["content-type"])?.[1];
  const plain = (text) => (boundary === undefined ? text : text.replaceAll(boundary, "BOUNDARY"));
  const kept = headers.map(([name, value]) => [name.toLowerCase(), plain(value)]);
  const body = plain(Buffer.from(hex, "hex").toString("latin1"));
  return { ...rest, body, headers: kept.filter(([name]) => !OWN.has(name)).sort() };
}

test("requests are those of Node's own fetch", async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
  const form = () => {
    const data = new FormData();
    data.set("purpose", "x");
    data.set("file", new Blob([bytes]), "é.bin");
    return data;
  };
  const many = [["X-Many", "a"], ["x-many", "b"], ["x-latin", "é"]];
  const pieces = () => new ReadableStream({ start: (to) => (to.enqueue(bytes), to.close()) });
  for (const make of [
    () => ["/plain?a=%2F&b=c#fragment", {}],
    () => ["/headers", { method: "DELETE", headers: many }],
    () => ["/text", { method: "POST", body: "☃ 😀 \0" }],
    () => ["/bytes", { method: "PUT", body: bytes }],
    () => ["/form", { method: "POST", body: form() }],
    () => ["/search", { method: "POST", body: new URLSearchParams({ a: "b c" }) }],
    () => ["/pieces", { method: "PATCH", body: pieces(), duplex: "half" }],
    () => ["/empty", { method: "POST" }],
  ]) {
    assert.deepEqual(await seen(ours, ...make()), await seen(fetch, ...make()));
  }
  const request = new Request(echo, { method: "POST", body: "x", headers: { "x-a": "1" } });
  assert.equal((await (await ours(request)).json()).body_hex, "78");
  assert.ok(request.bodyUsed);
});

test("answers are those of Node's own fetch", async () => {
  const names = ["ok", "unicode", "gzipped", "deflated", "brotli", "cookies", "binary", "html_502"];
  for (const name of [...names, "no_content", "redirect_here"]) {
    const answers = [];
    for (const get of [fetch, ours]) {
      const url = ofCase(name);
      const answer = await get(`${url}/x`, { method: "POST", body: "x" });
      const headers = [...answer.headers].filter(([header]) => !OWN.has(header));
      const { status, ok, redirected, body } = answer;
      const bytes = Buffer.from(await answer.arrayBuffer()).toString("hex");
      const at = answer.url.replace(url, "");
      answers.push({ at, status, ok, redirected, none: body === null, headers, bytes });
    }
    assert.deepEqual(answers[1], answers[0], name);
  }
  assert.equal((await ours(echo, { method: "HEAD" }).catch(String)).body, null);
});

test("redirects keep keys at their origin", async (t) => {
  const server = createServer((request, response) => {
    const { port } = server.address();
    const away = request.url === "/away" ? "localhost" : "127.0.0.1";
    if (request.url === "/seen") return void response.end(JSON.stringify(request.headers));
    const location = request.url === "/loop" ? "/loop" : `http://${away}:${port}/seen`;
    return void response.writeHead(302, { location }).end("not read");
  });
  t.after(() => (server.close(), server.closeAllConnections()));
  server.listen(0);
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const secrets = { authorization: "Bearer sk-secret", "x-api-key": "sk-secret", "api-key": "sk-secret" };
  const headers = { ...secrets, cookie: "c=sk-secret", "x-kept": "1" };
  for (const [path, kept] of [["/here", true], ["/away", false]]) {
    const answer = await ours(url + path, { method: "POST", body: "x", headers });
    const got = await answer.json();
    for (const name of Object.keys(secrets)) assert.equal(got[name], kept ? secrets[name] : undefined);
    assert.deepEqual([got["x-kept"], JSON.stringify(got).includes("secret")], ["1", kept]);
    assert.equal(got["content-type"], undefined);
    assert.ok(answer.redirected);
  }
  const manual = await ours(`${url}/here`, { redirect: "manual" });
  assert.deepEqual([manual.status, await manual.text()], [302, "not read"]);
  for (const [path, redirect] of [["/here", "error"], ["/loop", "follow"]]) {
    await assert.rejects(ours(url + path, { redirect }), { name: "TypeError", message: "fetch failed" });
  }
});

test("a broken answer", async () => {
  for (const name of ["cut", "broken_gzip"]) {
    const answer = await ours(ofCase(name));
    assert.equal(answer.status, 200);
    await assert.rejects(answer.text(), { name: "TypeError", message: "terminated" });
  }
  for (const url of ["ftp://127.0.0.1/", "no url", "http://u:p@127.0.0.1/"]) {
    await assert.rejects(ours(url), TypeError);
  }
});

/** A server of this test's, and its URL. */
async function serve(t, answer) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  t.after(() => (server.close(), server.closeAllConnections()));
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

test("a body in pieces: abort does not wait for it, and its error is told", async () => {
  const stop = new AbortController();
  const left = new Promise((cancel) => {
    const body = new ReadableStream({ cancel });
    const call = ours(echo, { method: "POST", body, duplex: "half", signal: stop.signal });
    stop.abort(new RangeError("enough"));
    return void assert.rejects(call, RangeError).catch(cancel);
  });
  assert.equal(await left, stop.signal.reason);

  const late = new AbortController();
  const body = new ReadableStream({ pull: () => late.abort(new RangeError("late")) });
  await assert.rejects(ours(echo, { method: "POST", body, duplex: "half", signal: late.signal }), RangeError);

  const cause = new RangeError("the file is gone");
  const broken = new ReadableStream({ pull: (to) => to.error(cause) });
  const error = await rejection(ours(echo, { method: "POST", body: broken, duplex: "half" }));
  assert.deepEqual([error.name, error.message, error.cause], ["TypeError", "fetch failed", cause]);
});

test("a Request's signal ends the body, too, when the Request is forgotten", async () => {
  const controller = new AbortController();
  const answer = await (() => ours(new Request(ofCase("endless"), { signal: controller.signal })))();
  for (let n = 0; n < 5; n++) {
    gc();
    await new Promise(setImmediate);
  }
  controller.abort(new RangeError("enough"));
  await assert.rejects(answer.text(), RangeError);
  await simulator.waitFor(noneOpen);
});

test("codings in every form", async (t) => {
  const text = "compressed ".repeat(10_000);
  const twice = brotliCompressSync(gzipSync(text));
  const forms = {
    "gzip, br": twice,
    "GZIP ,br": twice,
    deflate: deflateRawSync(text),
    gzip: Buffer.concat([gzipSync(text.slice(0, 7)), gzipSync(text.slice(7))]),
    "x-gzip": gzipSync(text),
    br: brotliCompressSync(text),
  };
  let answer = [];
  const url = await serve(t, (_, response) => {
    response.writeHead(200, { "content-encoding": answer[0] });
    // Byte by byte at the begin: what is decompressed is not bound to pieces.
    for (const byte of answer[1].subarray(0, 20)) response.write(Uint8Array.of(byte));
    response.end(answer[1].subarray(20));
  });
  for (answer of Object.entries(forms)) {
    assert.equal(await (await ours(url)).text(), text, answer[0]);
    const reader = (await ours(url)).body.getReader({ mode: "byob" });
    const { value } = await reader.read(new Uint8Array(5), { min: 5 });
    assert.equal(Buffer.from(value).toString(), "compr".slice(0, value.length));
    await reader.cancel();
  }
  for (const coding of Object.keys(forms)) {
    answer = [coding, Buffer.alloc(0)];
    assert.equal(await (await ours(url)).text(), "");
    answer = [coding, Buffer.from("not compressed")];
    await assert.rejects((await ours(url)).text(), { name: "TypeError", message: "terminated" });
    answer = [coding, forms[coding].subarray(0, -1)];
    await assert.rejects((await ours(url)).text(), { name: "TypeError", message: "terminated" });
  }
  answer = ["gzip, unknown", Buffer.from("as it came")];
  assert.equal(await (await ours(url)).text(), "as it came");
});

test("a compressed answer arrives as it is sent", async (t) => {
  for (const [coding, packer] of [["br", createBrotliCompress()], ["gzip", createGzip()]]) {
    const url = await serve(t, (_, response) => {
      response.writeHead(200, { "content-encoding": coding }).flushHeaders();
      packer.pipe(response);
    });
    const body = (await ours(url)).body.getReader();
    for (const word of ["one", "two", "three"]) {
      packer.write(word);
      packer.flush();
      assert.equal(Buffer.from((await body.read()).value).toString(), word);
    }
    packer.end();
    assert.ok((await body.read()).done);
  }
});

test("a status that is none", async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(700).end("x"));
  const error = await rejection(ours(url));
  assert.deepEqual([error.name, error.message], ["TypeError", "fetch failed"]);
  assert.match(error.cause.message, /700/);
});

test("a clone is as the answer", async (t) => {
  const url = await serve(t, ({ url }, response) => {
    response.writeHead(url === "/end" ? 200 : 302, { location: "/end" }).end("text");
  });
  const answer = await ours(url);
  const again = answer.clone().clone();
  assert.deepEqual([again.url, again.redirected, await again.text()], [`${url}/end`, true, "text"]);
  assert.equal(await answer.text(), "text");
});

test("a body that nobody reads is not read ahead", async () => {
  const answer = await ours(ofCase("endless"));
  const reader = answer.body.getReader();
  assert.ok((await reader.read()).value.length > 0);
  const before = rss();
  for (let n = 0; n < 200; n++) assert.equal((await ours(echo)).status, 200);
  assert.ok(rss() - before < 32 << 20);
  for (let size = 0; size < 16 << 20; size += (await reader.read()).value.length);
  await reader.cancel();
  await simulator.waitFor(noneOpen);
});

test("a client of the user's, and settings", async () => {
  const client = new Client(simulator.config());
  const fetch = createFetch(client);
  assert.ok((await ask(openai(urlOf(simulator.config()), { fetch }))).choices);
  assert.equal(client.metrics().providers.openai.calls, 1);
  const error = await rejection(fetch("http://127.0.0.1:9/?key=sk-secret"));
  assert.equal(error.cause.kind, "not_found");
  assert.ok(!error.cause.message.includes("sk-secret"));
  await client.close();
  assert.equal((await rejection(fetch(echo))).cause.kind, "cancelled");
  assert.throws(() => createFetch({ frob: 1 }), { kind: "invalid_request" });
  assert.equal((await createFetch({ http: "1.1" })(echo)).status, 200);
});

test("a program ends whatever it left unread", async () => {
  for (const name of ["endless", "gzipped_stall"]) {
    const script = `
      const { createFetch } = require("./fetch.js");
      const answer = await createFetch()(${JSON.stringify(ofCase(name))});
      console.log(answer.status);`;
    assert.equal(await run(script), "200\n");
    await simulator.waitFor(noneOpen);
  }
});
