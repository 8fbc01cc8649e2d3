// The conformance runner: plays a plan through this package, one JSON line an outcome.
//
// LITER_LLM_PLAN names the plan, one row a line:
//
//     case <TAB> via <TAB> provider <TAB> config <TAB> request <TAB> options <TAB> cancel_after …
//
// A field is `-` (absent), `j:JSON`, `x:hex`, or `r:prefix:unit:times:suffix` (hex, the unit
// repeated); case, via, provider and cancel_after are plain. Requests go in as bytes, untouched.
// Further pairs of fields are request and options of calls that come before.
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { Client, LiterLLMError, invoke } from "../src/index.js";

const require = createRequire(import.meta.url);
const { codec } = require("../src/_json.js");
const { OPTION_NAMES } = require("../src/_names.js");

const CONCURRENT = 32;

// Warnings are compared as members of the answers.
process.removeAllListeners("warning");

// Documents are compared with other languages' byte by byte: their text is kept beside what it means.
const texts = new WeakMap();
codec.parse = (text) => {
  const document = JSON.parse(text);
  // Of a fan-out, `results` is all that is handed on.
  texts.set(document.failures ? document.results : document, text);
  return document;
};

/** The text of a document; of an error that this package has found by itself, its document. */
const text = (document) => texts.get(document) ?? JSON.stringify(document);

/** A field's value, as bytes; undefined: absent. */
function field(value) {
  const [kind, ...parts] = value.split(":");
  if (kind === "j") return Buffer.from(value.slice(2));
  if (kind === "x") return Buffer.from(parts[0], "hex");
  if (kind === "r") {
    const [prefix, unit, times, suffix] = parts;
    const units = Buffer.alloc((unit.length / 2) * Number(times), unit, "hex");
    return Buffer.concat([Buffer.from(prefix, "hex"), units, Buffer.from(suffix, "hex")]);
  }
  return undefined;
}

/**
 * A request for a whole answer. The package refuses one that asks for a stream, and a case asks what
 * the engine says of it: the name is written with an escape, which the package does not look for.
 */
function whole(request) {
  try {
    if (JSON.parse(request).stream !== true) return request;
  } catch {
    return request; // the engine says what is wrong with it
  }
  return Buffer.from(request.toString().replaceAll('"stream"', '"\\u0073tream"'));
}

async function play(line) {
  const [id, via, provider, config, request, options, after, ...before] = line.split("\t");
  const events = [];
  let outcome;
  try {
    if (via === "invoke") {
      outcome = `"result": ${text(await invoke(provider, whole(field(request))))}`;
    } else {
      const more = { options: JSON.parse(field(options) ?? "{}") };
      // Here an unknown option is a TypeError. A case asks what the engine says of it.
      for (const name of Object.keys(more.options)) OPTION_NAMES.add(name);
      if (provider !== "-") more.provider = provider;
      const client = new Client(field(config));
      for (let i = 0; i < before.length; i += 2) {
        const earlier = { options: JSON.parse(field(before[i + 1]) ?? "{}") };
        const asked = field(before[i]);
        const streams = JSON.parse(asked).stream === true;
        const call = streams ? client.stream(asked, earlier).result() : client.chat(asked, earlier);
        await call.catch(() => {});
      }
      const { fanout, ...others } = more.options;
      const ask = { stream, collect, chat: () => (fanout ? multi() : client.chat(whole(field(request)), more)) };
      const answer = (ask[via] ?? ask.chat)();
      outcome = `"result": ${text(await answer.finally(() => client.close()))}`;

      async function multi() {
        const { targets, first } = fanout;
        const how = { ...more, options: others, first };
        return (await client.generateMulti(whole(field(request)), targets, how)).results;
      }

      function collect() {
        return client.stream(field(request), more).result();
      }

      async function stream() {
        const stream = client.stream(field(request), more);
        for await (const chunk of stream) {
          events.push(text(chunk));
          if (events.length === Number(after)) stream.abort();
        }
        return stream.response;
      }
    }
  } catch (error) {
    if (!(error instanceof LiterLLMError)) throw error;
    outcome = text(error.document).slice(1, -1); // without the braces around "error": {…}
  }
  const head = `"case": ${JSON.stringify(id)}, "via": ${JSON.stringify(via)}`;
  const chunks = via === "stream" ? `, "events": [${events.join(",")}]` : "";
  print(`{${head}${chunks}, ${outcome}}\n`);
}

/** Writes all of it, also into a pipe that takes a part. */
function print(line) {
  const bytes = Buffer.from(line);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

const rows = readFileSync(process.env.LITER_LLM_PLAN, "utf8").split("\n").filter(Boolean);
const lanes = Array.from({ length: CONCURRENT }, async () => {
  for (let row = rows.shift(); row !== undefined; row = rows.shift()) await play(row);
});
await Promise.all(lanes);
