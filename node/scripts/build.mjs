// Compiles the addon with a C++ compiler and two npm packages of headers; nothing is downloaded.
//
//     node scripts/build.mjs [FILE]        default: platforms/<platform>/liter_llm.node
//
// LITER_LLM_LIB_DIR holds the engine: libliter_llm.a, which becomes a part of the addon, or, for
// development, libliter_llm.so, which the addon then looks for in that folder. Default:
// ../target/release. CXX is the compiler.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const { platformName } = require("../src/_library.js");

const here = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const root = resolve(here, "..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const folder = resolve(process.env.LITER_LLM_LIB_DIR ?? join(target, "release"));
const output = resolve(process.argv[2] ?? join(here, "platforms", platformName(), "liter_llm.node"));

const archive = join(folder, "libliter_llm.a");
const shared = join(folder, "libliter_llm.so");
if (!existsSync(archive) && !existsSync(shared)) {
  console.error(`${archive} is missing: run \`make build\`, or name its folder in LITER_LLM_LIB_DIR`);
  process.exit(1);
}
const library = existsSync(archive)
  ? [archive, "-lpthread", "-ldl", "-lm"]
  : [shared, `-Wl,-rpath,${folder}`];

const flags = [
  ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"],
  ["-fPIC", "-fvisibility=hidden", "-fno-exceptions", "-shared"],
  ["-DNAPI_VERSION=8", "-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS", "-DNODE_ADDON_API_DISABLE_DEPRECATED"],
  // What cannot be thrown in a worker that is being terminated is no reason to end the process.
  ["-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
  // System headers: their warnings are not ours.
  ["-isystem", require("node-api-headers").include_dir],
  ["-isystem", require("node-addon-api").include_dir],
  [`-I${join(root, "include")}`, join(here, "native", "addon.cc"), ...library],
  [`-Wl,--version-script=${join(here, "native", "exports.map")}`],
  ["-static-libstdc++", "-static-libgcc", "-Wl,--gc-sections", "-Wl,-s", "-Wl,-z,nodelete,-z,now"],
  ["-o", output],
].flat();

mkdirSync(dirname(output), { recursive: true });
const compiler = process.env.CXX ?? "g++";
const { status, error } = spawnSync(compiler, flags, { stdio: "inherit" });
if (error) console.error(`${compiler} does not start: ${error.message}`);
process.exit(status ?? 1);
