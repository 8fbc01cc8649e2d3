// The types against the JSON Schemas, against the module, and against the names of options.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import liter from "../src/index.js";
import { HERE, ROOT, simulator, table } from "./helpers.mjs";

const require = createRequire(import.meta.url);
const { CONFIG_NAMES, OPTION_NAMES, REQUEST_NAMES, SETTING_NAMES, SETTING_SPELLINGS } =
  require("../src/_names.js");

const statements = ["documents.d.ts", "settings.d.ts", "index.d.ts"].flatMap((name) => {
  const path = resolve(HERE, "..", name);
  return ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest).statements;
});

/** name → member → whether it may be absent, of every interface and class. */
const declared = new Map();
const values = [];
for (const node of statements) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) continue;
  const name = node.name?.text ?? node.declarationList?.declarations[0].name.text;
  if (!ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node)) values.push(name);
  const members = (node.members ?? []).filter((member) => member.name?.text !== undefined);
  // A class that stands for a document is an interface, too, which extends the document's.
  const document = ts.isInterfaceDeclaration(node) && node.heritageClauses?.[0].types[0].expression.text;
  const named = members.map((one) => [one.name.text, Boolean(one.questionToken)]);
  const before = declared.get(declared.has(name) ? name : document);
  declared.set(name, new Map([...(before ?? []), ...named]));
}

/** A schema's definitions and, under its own name, itself. */
function schema(name) {
  const document = JSON.parse(
    readFileSync(join(ROOT, "bindings/conformance/schemas", `${name}.json`), "utf8"),
  );
  return { ...document.$defs, [name]: document };
}

/** Ours ← where it is in the schemas. */
const PAIRS = {
  request: {
    ChatRequest: "request",
    Message: "MessageDocument",
    CalledTool: "ToolCallInDocument",
    Tool: "ToolDocument",
    Reasoning: "ReasoningDocument",
  },
  options: {
    Options: "options",
    Retry: "RetryDocument",
    Fanout: "FanoutDocument",
    Hedge: "HedgeDocument",
    Limit: "LimitDocument",
  },
  config: {
    Config: "config",
    ProviderConfig: "ProviderDocument",
    Timeouts: "TimeoutsDocument",
    Limits: "LimitsDocument",
    ModelConfig: "ModelDocument",
    HealthProbe: "ProbeDocument",
    Route: "RouteDocument",
    Target: "TargetDocument",
    Parameters: "ParametersDocument",
    Reasoning: "ReasoningDocument",
    Retry: "RetryDocument",
    Hedge: "HedgeDocument",
    RetryBudget: "BudgetDocument",
    Limit: "LimitDocument",
  },
  response: {
    Response: "response",
    Choice: "Choice",
    AssistantMessage: "AssistantMessageDocument",
    Annotation: "AnnotationDocument",
    URLCitation: "UrlCitationDocument",
    FileCitation: "FileCitationDocument",
    AnswerImage: "AnswerImageDocument",
    AnswerImageURL: "AnswerImageUrlDocument",
    AnswerAudio: "AnswerAudioDocument",
    ToolCall: "ToolCallDocument",
    Usage: "Usage",
    PromptDetails: "PromptDetails",
    CompletionDetails: "CompletionDetails",
    Warning: "Warning",
    Liter: "Liter",
    Attempt: "Attempt",
    Timing: "Timing",
  },
  chunk: {
    Chunk: "chunk",
    ChunkChoice: "ChunkChoice",
    Delta: "Delta",
    ToolCallDelta: "ToolCallDelta",
    Usage: "Usage",
  },
  reset: { Reset: "reset" },
  many: { MultiResponse: "many" },
  error: { ErrorBody: "ErrorBody", Attempt: "Attempt" },
};

/** Known options that a build may lack are not in its schema. */
const OURS = {
  ChatRequest: ["system"],
  Options: [...OPTION_NAMES],
  Response: ["text"],
  Chunk: ["text"],
  Reset: ["text", "choices", "usage"],
};

for (const [name, pairs] of Object.entries(PAIRS)) {
  const definitions = schema(name);
  for (const [ours, theirs] of Object.entries(pairs)) {
    test(`${ours} is ${theirs} of ${name}.json`, () => {
      const { properties, required = [] } = definitions[theirs];
      const members = declared.get(ours);
      const expected = Object.keys(properties);
      assert.deepEqual(expected.filter((member) => !members.has(member)), [], "missing here");
      const more = [...members.keys()].filter((member) => !expected.includes(member));
      assert.deepEqual(more.filter((member) => !OURS[ours]?.includes(member)), [], "unknown there");
      for (const member of expected) {
        assert.equal(members.get(member), !required.includes(member), `${member} may be absent`);
      }
    });
  }
}

test("options", () => {
  assert.deepEqual([...declared.get("Options").keys()].sort(), [...OPTION_NAMES].sort());
});

test("names of members", () => {
  const own = { chat: ["system"], models: [], moderate: [], embed: [], rerank: [] };
  for (const [name, types] of [["chat", "request"], ["models", "models_request"], ["moderate", "moderate_request"], ["embed", "embed_request"], ["rerank", "rerank_request"]]) {
    const members = Object.keys(schema(types)[types].properties).filter((one) => one !== "op" && one !== "options");
    assert.deepEqual([...REQUEST_NAMES[name]].sort(), [...members, ...own[name]].sort());
  }
  assert.deepEqual([...CONFIG_NAMES].sort(), Object.keys(schema("config").config.properties).sort());
  const settings = [...SETTING_NAMES, ...SETTING_SPELLINGS.keys()];
  assert.deepEqual([...declared.get("Settings").keys()].sort(), settings.sort());
});

test("what is declared is exported, and the other way round", () => {
  assert.deepEqual([...new Set(values)].sort(), Object.keys(liter).sort());
});

test("metrics have the members that are declared", async () => {
  const client = new liter.Client(simulator.config());
  await client.chat("Hello");
  const metrics = client.metrics();
  const [target] = metrics.targets;
  for (const [name, document] of Object.entries({ Metrics: metrics, TargetMetrics: target })) {
    const members = declared.get(name);
    assert.deepEqual(Object.keys(document).filter((member) => !members.has(member)), [], name);
    const required = [...members.keys()].filter((member) => !members.get(member));
    assert.deepEqual(required.filter((member) => !(member in document)), [], name);
  }
});

test("every member of a class is there", () => {
  for (const name of ["Client", "Stream", "Chunk", "Reset"]) {
    const { prototype } = liter[name];
    // What only throws a sentence is not declared: who writes it learns that from the compiler.
    const explained = ["choices", "model", "provider", "toJSON", "usage", "warnings"];
    const own = Object.getOwnPropertyNames(prototype).filter((one) => one !== "constructor");
    const there = name === "Stream" ? own.filter((one) => !explained.includes(one)) : own;
    const members = [...declared.get(name).keys()];
    assert.deepEqual(there.filter((one) => !members.includes(one)), [], name);
    if (name === "Client" || name === "Stream") assert.deepEqual(members.filter((one) => !there.includes(one)), [], name);
  }
  const error = new liter.LiterLLMError("x");
  for (const member of declared.get("LiterLLMError").keys()) assert.ok(member in error, member);
});

test("the tree of errors", () => {
  for (const node of statements) {
    const base = node.heritageClauses?.[0].types[0].expression.text;
    if (ts.isClassDeclaration(node) && node.name.text.endsWith("Error")) {
      assert.equal(Object.getPrototypeOf(liter[node.name.text]).name, base);
    }
  }
});

test("kinds", () => {
  const kinds = statements.find((node) => node.name?.text === "Kind").type.types;
  const names = kinds.map(({ literal }) => literal.text);
  assert.deepEqual(names, table().map(({ kind }) => kind));
});
