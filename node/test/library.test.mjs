// Loading: what an import costs and does not do, and what is said where it cannot work.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import * as liter from "../src/index.js";
import { HERE, run } from "./helpers.mjs";

const require = createRequire(import.meta.url);
const { advice, platformName } = require("../src/_library.js");
const PACKAGE = resolve(HERE, "..");
const packages = ["package.json", `platforms/${platformName()}/package.json`].map((name) =>
  JSON.parse(readFileSync(join(PACKAGE, name), "utf8")),
);

test("the version is the engine's, and that of both packages", () => {
  const [main, platform] = packages;
  assert.equal(require("../src/_native.js").addon.version, liter.version);
  assert.deepEqual([main.version, platform.version], [liter.version, liter.version]);
  assert.deepEqual(main.optionalDependencies, { [platform.name]: liter.version });
});

test("neither package runs anything when it is installed", () => {
  for (const { scripts = {}, dependencies } of packages) {
    const hooks = ["preinstall", "install", "postinstall", "prepare"];
    assert.deepEqual(hooks.filter((name) => name in scripts), []);
    assert.equal(dependencies, undefined);
  }
});

test("an import starts no thread of the engine's", async () => {
  const script = `
    import { readdirSync, readFileSync } from "node:fs";
    const names = readdirSync("/proc/self/task").map((id) =>
      readFileSync("/proc/self/task/" + id + "/comm", "utf8").trim());
    console.log(names.filter((name) => name.startsWith("liter")).length);
  `;
  assert.equal(await run(script), "0\n");
});

test("loaded again in the same environment, as test runners do", async () => {
  const script = `
    const texts = [];
    const clients = [new liter.Client()];
    for (let n = 0; n < 3; n++) {
      for (const name of Object.keys(require.cache)) delete require.cache[name];
      const { Client } = require("./index.js");
      clients.push(new Client());
    }
    for (const client of [...clients, ...clients]) {
      texts.push((await client.chat("Hello")).text, await client.stream("Hello").text());
    }
    console.log(texts.length, ...new Set(texts));
  `;
  assert.equal(await run(script), "16 You said: Hello\n");
});

test("loaded again on the same addon, as Jest does for each file of tests", async () => {
  const script = `
    const again = () => {
      for (const name of Object.keys(require.cache)) if (name.endsWith(".js")) delete require.cache[name];
      return require("./index.js");
    };
    const texts = [];
    const clients = [new liter.Client()];
    for (let n = 0; n < 3; n++) {
      const left = clients.map((client) => client.stream("Hello"));
      const waiting = clients.map((client) => client.chat("Hello"));
      const { Client } = again();
      clients.push(new Client());
      texts.push(...(await Promise.all(waiting)).map(({ text }) => text));
      for (const stream of left) texts.push(await stream.text());
    }
    for (const client of clients) texts.push((await client.chat("Hello")).text, await client.stream("Hello").text());
    console.log(texts.length, ...new Set(texts));
  `;
  assert.equal(await run(script), "20 You said: Hello\n");
});

test("only Node-API's entry points are exported", () => {
  const addon = join(PACKAGE, "platforms", platformName(), "liter_llm.node");
  const lines = `${execFileSync("nm", ["-D", "--defined-only", addon])}`.trim().split("\n");
  assert.deepEqual(
    lines.map((line) => line.split(" ").at(-1)).sort(),
    ["napi_register_module_v1", "node_api_module_get_api_version_v1"],
  );
});

/** What is said by a copy of the package whose folder of addons is as `arrange` leaves it. */
async function copied(arrange) {
  const folder = mkdtempSync(join(tmpdir(), "liter-llm-node-"));
  cpSync(join(PACKAGE, "src"), join(folder, "src"), { recursive: true });
  cpSync(join(PACKAGE, "package.json"), join(folder, "package.json"));
  arrange(folder);
  const script = `
    try { await import(${JSON.stringify(join(folder, "src/index.js"))}) }
    catch (error) { console.log(error.message) }
  `;
  const said = await run(script, { load: false });
  rmSync(folder, { recursive: true });
  return said;
}

/** Copies the platform's package to where npm would have it. */
function installed(folder) {
  const there = join(folder, "node_modules/@liter-llm", `node-${platformName()}`);
  cpSync(join(PACKAGE, "platforms", platformName()), there, { recursive: true });
  return there;
}

test("a platform package that is missing", async () => {
  const said = await copied(() => {});
  const name = `@liter-llm/node-${platformName()}`;
  assert.match(said, new RegExp(`${name} is not installed.*npm install ${name}@${liter.version}`));
});

test("an installed platform package", async () => {
  assert.equal(await copied(installed), "");
});

test("a platform package of another version, or broken", async () => {
  const broken = await copied((folder) => {
    const there = installed(folder);
    writeFileSync(join(there, "liter_llm.node"), "not an addon");
  });
  assert.match(broken, /Install both again: npm install @liter-llm\/node@/);
  const other = await copied((folder) => {
    installed(folder);
    const changed = { ...packages[0], version: "0.0.9" };
    writeFileSync(join(folder, "package.json"), JSON.stringify(changed));
  });
  assert.match(other, /it is version 0\.1\.0, and this package 0\.0\.9.*@0\.0\.9/);
});

test("a platform that nothing is built for", () => {
  const missing = { code: "MODULE_NOT_FOUND" };
  for (const platform of ["linux-x64-musl", "linux-arm64-gnu", "darwin-arm64", "win32-x64"]) {
    const said = advice(platform, missing);
    assert.match(said, new RegExp(`no package for ${platform} \\(built: linux-x64-gnu\\)`));
    assert.match(said, /make node-addon.*LITER_LLM_ADDON/);
  }
});
