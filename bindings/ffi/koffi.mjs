// The header through koffi.

import koffi from "koffi";
import { bind, LIBRARY } from "./header.mjs";

const TYPES = {
  address: "void *",
  int32_t: "int32_t",
  uint32_t: "uint32_t",
  int64_t: "int64_t",
  uint64_t: "uint64_t",
  size_t: "size_t",
  float: "float",
  void: "void",
};

/** What client.mjs calls `ffi`. */
export function open(path = LIBRARY) {
  const library = koffi.load(path);
  const ffi = bind(path, TYPES, (name, ...types) => library.func(name, ...types));
  return {
    ...ffi,
    // On a thread of libuv's pool.
    later: (name, ...values) =>
      new Promise((resolve, reject) => {
        ffi.call[name].async(...values, (error, result) =>
          error ? reject(error) : resolve(result),
        );
      }),
    text: (address) => koffi.decode(address, "char", -1),
  };
}
