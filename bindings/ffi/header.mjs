// Reads include/liter_llm.h, so that no FFI needs a second copy of it.
//
// The header is generated and plain on purpose: no struct by value, union, enum, varargs or macro
// with arguments. Whatever this does not understand is an error, never skipped.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where `make build` leaves the library, unless LITER_LLM_LIB names another one. */
export const LIBRARY =
  process.env.LITER_LLM_LIB ??
  fileURLToPath(new URL("../../target/release/libliter_llm.so", import.meta.url));

const HEADER = new URL("../../include/liter_llm.h", import.meta.url);
const MEMBER = /^(?:const )?(?:struct )?(\w+)( \**|)(\w+)$/;

/**
 * The header as data.
 *
 * `constants`: numbers by name. `functions`: `{name, result, parameters: [{name, type}]}`.
 * `event`: the members of `liter_llm_event`, `{name, type, offset}`, and `eventSize`.
 * Types are written as in C, without `struct` and `const`: `char *`, `liter_llm_client **`.
 */
export function readHeader(text = readFileSync(HEADER, "utf8")) {
  const constants = {};
  const plain = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  for (const [, name, value] of plain.matchAll(/^#define (LITER_LLM_\w+) (-?\d+)$/gm)) {
    constants[name] = Number(value);
  }
  const code = plain
    .replace(/^#ifdef __cplusplus$[\s\S]*?^#endif/gm, "")
    .replace(/^#.*$/gm, "")
    .replace(/\s+/g, " ");

  const functions = [];
  let event;
  for (const declaration of statements(code)) {
    const struct = /^typedef struct liter_llm_event {(.*)} liter_llm_event$/.exec(declaration);
    if (struct) {
      event = layout(split(struct[1], ";").map(member));
    } else if (!declaration.startsWith("typedef ")) {
      functions.push(signature(declaration));
    }
  }
  return { constants, functions, ...event };
}

/**
 * Declares every function of the header: `{call, constants, event, eventSize}`.
 *
 * `types`: the FFI's name for each C type; `address` stands for everything with a star, which is an
 * integer, a Buffer or null. `declare(name, result, parameters)` gives the function.
 */
export function bind(path, types, declare) {
  const { functions, ...header } = readHeader();
  const known = (type) => {
    const address = type.endsWith("*") || type === "liter_llm_doorbell";
    const found = types[address ? "address" : type];
    if (found === undefined) throw new Error(`liter_llm.h: type ${type} has no name in this FFI`);
    return found;
  };
  const call = {};
  for (const { name, result, parameters } of functions) {
    call[name] = declare(
      name,
      known(result),
      parameters.map(({ type }) => known(type)),
    );
  }
  const version = call.liter_llm_abi_version();
  const { LITER_LLM_ABI_VERSION } = header.constants;
  if (version !== LITER_LLM_ABI_VERSION) {
    throw new Error(`${path} has ABI ${version}, the header ${LITER_LLM_ABI_VERSION}`);
  }
  return { call, ...header };
}

// The text between semicolons that stand outside of braces.
function statements(code) {
  return [...code.matchAll(/((?:[^;{]|{[^}]*})+);/g)].map(([, statement]) => statement.trim());
}

function signature(declaration) {
  const match = /^(.+?)\((.*)\)$/.exec(declaration);
  if (!match) throw new Error(`liter_llm.h: cannot read \`${declaration}\``);
  const { name, type: result } = member(match[1]);
  const parameters = match[2] === "void" ? [] : split(match[2], ",").map(member);
  return { name, result, parameters };
}

function member(text) {
  const match = MEMBER.exec(text);
  if (!match) throw new Error(`liter_llm.h: cannot read \`${text}\``);
  return { name: match[3], type: (match[1] + match[2]).trim() };
}

function split(text, by) {
  return text
    .split(by)
    .map((part) => part.trim())
    .filter(Boolean);
}

// Members of 4 and 8 bytes, each at a multiple of its size, as C compilers lay them out.
function layout(members) {
  const sizes = { uint64_t: 8, uint32_t: 4, int32_t: 4 };
  let end = 0;
  const event = members.map(({ name, type }) => {
    const size = sizes[type];
    if (!size) throw new Error(`liter_llm.h: a member of type ${type}`);
    const offset = Math.ceil(end / size) * size;
    end = offset + size;
    return { name, type, offset };
  });
  return { event, eventSize: Math.ceil(end / 8) * 8 };
}
