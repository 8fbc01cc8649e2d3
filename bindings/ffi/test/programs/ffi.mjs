// The header as the FFI opens it that the variable FFI names: koffi, bun, deno, or the package
// ffi-napi or its fork.

const name = process.env.FFI ?? "koffi";
const OPENERS = {
  koffi: "../../koffi.mjs",
  bun: "../../runtimes/bun.mjs",
  deno: "../../runtimes/deno.mjs",
};
const { open } = await import(OPENERS[name] ?? "./ffi_napi.mjs");

export const ffi = name in OPENERS ? open() : open(name);
