/**
 * Which abort callback each backend and each `llama_context` was given: C doesn't tell. So the functions that set one are watched where they are bound
 * (`watch.ts`), and whoever sets another for a while leaves the object's own there afterwards.
 *
 * @module
 */

import { after } from "../core/after.ts";
import { addressOf } from "../core/handle.ts";
import { ABI } from "../generated/layouts.js";
import type { Wrappers } from "./watch.ts";

/** A callback as C was given it; zeros for none. */
export interface Aborting {
  readonly callback: bigint;
  readonly data: bigint;
}

const NONE: Aborting = { callback: 0n, data: 0n };

/** The abort callbacks by the address of the object that has them. */
const known: Map<bigint, Aborting> = new Map();

/** The abort callback that an object was given. */
export function abortingOf(object: bigint): Aborting {
  return known.get(object) ?? NONE;
}

/** What is put around the functions that set one, and those that make and free such objects. */
export const wrappers: Wrappers = {
  ggml_backend_cpu_set_abort_callback: sets,
  llama_set_abort_callback: sets,
  llama_init_from_model: makes,
  llama_new_context_with_model: makes,
  llama_free: frees,
  ggml_backend_free: frees,
};

// deno-lint-ignore no-explicit-any
type Bound = (...args: any[]) => any;

function note(object: bigint, callback: bigint, data: bigint): void {
  if (callback === 0n) known.delete(object);
  else known.set(object, { callback, data });
}

function sets(symbol: Bound): Bound {
  return (object: bigint, callback: bigint, data: ArrayBuffer | null) => {
    note(object, callback, data === null ? 0n : addressOf(data));
    return symbol(object, callback, data);
  };
}

/** All structs by name: a tree of ggml's alone has none of llama's, and then nothing asks. */
const RECORDS: Readonly<Record<string, { readonly fields: Readonly<Record<string, number>> } | undefined>> = ABI.records;
const { abort_callback, abort_callback_data } = RECORDS.llama_context_params?.fields ?? {} as Record<string, number>;

function makes(symbol: Bound): Bound {
  return (model: bigint, params: Uint8Array<ArrayBuffer>) => {
    const view = new DataView(params.buffer, params.byteOffset);
    const callback = view.getBigUint64(abort_callback, true), data = view.getBigUint64(abort_callback_data, true);
    return after(symbol(model, params), (context: bigint) => {
      note(context, callback, data);
      return context;
    });
  };
}

function frees(symbol: Bound): Bound {
  return (object: bigint) => {
    known.delete(object);
    return symbol(object);
  };
}
