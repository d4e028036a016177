/**
 * What the modules of `@ggml/deno/cli generate` are written against, as ggml's bindings are against `ffi/runtime.ts`: the core, and what only such
 * modules need. Nothing of ggml's loads this file.
 *
 * @module
 */

import type { Handle } from "./handle.ts";
import { INT64, type Slot, UINT64 } from "./slots.ts";

export * from "./arguments.ts";
export * from "./bits.ts";
export { type AnyFunction, Callback, type Signature } from "./callback.ts";
export { cstringAt } from "./cstring.ts";
export { dispose } from "./ending.ts";
export { enterCall, leaveCall } from "./failure.ts";
export * from "./fields.ts";
export { Handle, keep, keepBetween, keepData, keepLatest, keepUntil, memory, wrongHandle } from "./handle.ts";
export * from "./integers.ts";
export { atLeast } from "./lengths.ts";
export { binder, variablesOf } from "./open.ts";
export { Owner, STATIC } from "./owner.ts";
export { Pointer } from "./pointer.ts";
export * from "./roots.ts";
export * from "./slots.ts";
export { Struct, type Structs, structs } from "./struct.ts";
export { firstCalls } from "./warming.ts";

/** `int64_t` as a bigint. */
export const EXACT_INT64: Slot = { ...INT64, fromC: (value) => value };
/** `uint64_t` as a bigint. */
export const EXACT_UINT64: Slot = { ...UINT64, fromC: (value) => value };

/** The error for a null that C gives where the API file says that it gives none. */
export function nullResult(name: string): Error {
  return new Error(`${name} returned null: it failed`);
}

/**
 * Notes that C freed what `handle` stands for: its handles throw from then on. What else pointed there is left as it is, because nobody said
 * whether C looks there again.
 */
export function freedByHand(handle: Handle | null): void {
  if (handle !== null && handle.owner.address === handle.address) handle.owner.freed = true;
}
