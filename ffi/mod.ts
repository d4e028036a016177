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
export { EXIT_ABORT } from "./abort.ts";
export type { Asynchronous, AsyncOptions, Cancellable } from "./async.ts";
export { download } from "./gpu.ts";
export type { Gpu } from "./find.ts";
export { lib } from "./lib.js";
/** The types of `lib` by themselves: `import type { ggml_tensor } from "@ggml/deno/ffi"`. */
export type * from "./all.d.ts";
export { type LibraryInfo, load, type LoadOptions } from "./library.ts";
export { symbols } from "./symbols.ts";
