// The header through Deno.dlopen.

import { Buffer } from "node:buffer";
import { bind, LIBRARY } from "../header.mjs";

const { UnsafePointer, UnsafePointerView } = Deno;
const TYPES = {
  address: "pointer",
  int32_t: "i32",
  uint32_t: "u32",
  int64_t: "i64",
  uint64_t: "u64",
  size_t: "usize",
  float: "f32",
  void: "void",
};

/** What client.mjs calls `ffi`. */
export function open() {
  const waiting = {};
  const ffi = bind(LIBRARY, TYPES, (name, result, parameters) => {
    waiting[name] = declare(name, { parameters, result, nonblocking: true });
    return declare(name, { parameters, result });
  });
  return {
    ...ffi,
    // On a thread of Deno's.
    later: (name, ...values) => waiting[name](...values),
    text: (address) => UnsafePointerView.getCString(UnsafePointer.create(address)),
  };
}

function declare(name, definition) {
  const symbol = Deno.dlopen(LIBRARY, { [name]: definition }).symbols[name];
  const { parameters } = definition;
  return (...values) =>
    symbol(...values.map((value, at) => (parameters[at] === "pointer" ? pointer(value) : value)));
}

// Deno has objects for addresses.
function pointer(value) {
  if (Buffer.isBuffer(value)) return UnsafePointer.of(value);
  return value === null ? null : UnsafePointer.create(value);
}
