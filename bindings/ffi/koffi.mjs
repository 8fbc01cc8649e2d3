// The header through koffi.

import { fileURLToPath } from "node:url";
import koffi from "koffi";
import { readHeader } from "./header.mjs";

const TYPES = {
  int32_t: "int32_t",
  uint32_t: "uint32_t",
  int64_t: "int64_t",
  uint64_t: "uint64_t",
  size_t: "size_t",
  float: "float",
  void: "void",
};

/** Where `make build` leaves the library, unless LITER_LLM_LIB names another one. */
export const LIBRARY =
  process.env.LITER_LLM_LIB ??
  fileURLToPath(new URL("../../target/release/libliter_llm.so", import.meta.url));

/** Declares every function of the header. */
export function open(path = LIBRARY) {
  const { constants, functions, event, eventSize } = readHeader();
  const library = koffi.load(path);
  const call = {};
  for (const { name, result, parameters } of functions) {
    call[name] = library.func(name, type(result), parameters.map((parameter) => type(parameter.type)));
  }
  const version = call.liter_llm_abi_version();
  if (version !== constants.LITER_LLM_ABI_VERSION) {
    throw new Error(`${path} has ABI ${version}, the header ${constants.LITER_LLM_ABI_VERSION}`);
  }
  return {
    call,
    constants,
    event,
    eventSize,
    later: (name, ...values) =>
      new Promise((resolve, reject) => {
        call[name].async(...values, (error, result) => (error ? reject(error) : resolve(result)));
      }),
    text: (address) => koffi.decode(address, "char", -1),
  };
}

// Anything with a star, and the doorbell, is an address: an integer, a Buffer or null.
function type(name) {
  if (name.endsWith("*") || name === "liter_llm_doorbell") return "void *";
  const known = TYPES[name];
  if (!known) throw new Error(`liter_llm.h: type ${name} is new to koffi.mjs`);
  return known;
}
