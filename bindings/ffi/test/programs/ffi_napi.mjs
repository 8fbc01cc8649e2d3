// The header through ffi-napi or its fork, by the package's name.

import { createRequire } from "node:module";
import { bind, LIBRARY } from "../../header.mjs";

const require = createRequire(import.meta.url);

/** What client.mjs calls `ffi`. */
export function open(name) {
  const napi = require(name);
  const ref = require(name.replace("ffi-napi", "ref-napi"));
  const address = {
    name: "address",
    size: 8,
    alignment: 8,
    indirection: 1,
    ffi_type: napi.FFI_TYPES.pointer,
    get: (memory, offset) => memory.readBigUInt64LE(offset),
    set(memory, offset, value) {
      const number = Buffer.isBuffer(value) ? ref.address(value) : (value ?? 0);
      memory.writeBigUInt64LE(BigInt(number), offset);
    },
  };
  const types = {
    address,
    int32_t: "int32",
    uint32_t: "uint32",
    int64_t: "int64",
    uint64_t: "uint64",
    size_t: "size_t",
    float: "float",
    void: "void",
  };
  const library = napi.DynamicLibrary(LIBRARY);
  const ffi = bind(LIBRARY, types, (name, ...type) =>
    napi.ForeignFunction(library.get(name), ...type),
  );
  return {
    ...ffi,
    later: (name, ...values) =>
      new Promise((resolve, reject) => {
        ffi.call[name].async(...values, (error, result) =>
          error ? reject(error) : resolve(result),
        );
      }),
    text(where) {
      const memory = Buffer.alloc(8);
      memory.writeBigUInt64LE(where);
      return ref.readCString(ref.readPointer(memory, 0, 1));
    },
  };
}
