/**
 * Under `lib`: the runtime that it stands on, and the plain symbol map for `Deno.dlopen`.
 *
 * @module
 */

export {
  type Abi,
  type AnyFunction,
  Callback,
  type Data,
  type Ending,
  type Fields,
  Handle,
  Owner,
  Pointer,
  type Pointers,
  Struct,
  type Structs,
} from "./runtime.ts";
export { EXIT_ABORT } from "./native/abort.ts";
export type { Asynchronous, AsyncOptions, Cancellable } from "./calls/async.ts";
export type { Bigints } from "./calls/bigints.ts";
export { download } from "./load/gpu.ts";
export type { Gpu } from "./load/find.ts";
export { lib } from "./generated/lib.js";
/** The types of `lib` by themselves: `import type { ggml_tensor } from "@ggml/deno/ffi"`. */
export type * from "./generated/all.d.ts";
export { type LibraryInfo, load, type LoadOptions } from "./load/library.ts";
export { symbols } from "./generated/symbols.ts";
