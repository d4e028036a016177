/**
 * What C was told when it made a thing, and doesn't tell again: how many buffers an allocator has, how many threads a threadpool, and how much room a
 * batch. So the functions that make and free these are watched where they are bound (`watch.ts`). What another isolate made isn't known here.
 *
 * @module
 */

import { after } from "../core/after.ts";
import { ABI } from "../generated/layouts.js";
import type { Wrappers } from "./watch.ts";

/** The number of buffers, by the address of the allocator, and of threads, by that of the threadpool. */
const allocators: Map<bigint, number> = new Map();
const threadpools: Map<bigint, number> = new Map();

/** The bytes of arrays, by their addresses, and of batches the room for sequences that each token has, by the address of `seq_id`. */
const arrays: Map<bigint, number> = new Map();
const sequences: Map<bigint, number> = new Map();

/** What is put around the functions that make and free these. */
export const wrappers: Wrappers = {
  ggml_gallocr_new: (symbol) => (type) => after(symbol(type), (allocator) => note(allocator, 1)),
  ggml_gallocr_new_n: (symbol) => (types, count) => after(symbol(types, count), (allocator) => note(allocator, count)),
  ggml_gallocr_free: (symbol) => (allocator) => {
    allocators.delete(allocator);
    return symbol(allocator);
  },
  ggml_threadpool_new: (symbol) => (params: bigint) => {
    const { size, fields } = ABI.records.ggml_threadpool_params;
    const view = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(params)!, size));
    const threads = view.getInt32(fields.n_threads, true);
    return after(symbol(params), (pool: bigint) => {
      threadpools.set(pool, threads);
      return pool;
    });
  },
  ggml_threadpool_free: (symbol) => (pool) => {
    threadpools.delete(pool);
    return symbol(pool);
  },
  /** C's default is 4, however many cores there are; with more threads than cores each waits for one that doesn't run. */
  llama_context_default_params: (symbol) => () =>
    after(symbol(), (params: Uint8Array<ArrayBuffer>) => {
      const view = new DataView(params.buffer, params.byteOffset), { n_threads, n_threads_batch } = RECORDS.llama_context_params.fields;
      for (const field of [n_threads, n_threads_batch]) view.setInt32(field, navigator.hardwareConcurrency, true);
      return params;
    }),
  llama_batch_init: (symbol) => (tokens: number, width: number, perToken: number) =>
    after(symbol(tokens, width, perToken), (batch: Uint8Array<ArrayBuffer>) => {
      const bytes = {
        token: 4 * tokens,
        embd: 4 * tokens * width,
        pos: 4 * tokens,
        n_seq_id: 4 * tokens,
        seq_id: 8 * tokens,
        logits: tokens,
      };
      for (const [field, size] of Object.entries(bytes)) arrays.set(addressIn(batch, field), size);
      sequences.set(addressIn(batch, "seq_id"), perToken);
      return batch;
    }),
  llama_batch_free: (symbol) => (batch: Uint8Array<ArrayBuffer>) => {
    for (const field of ["token", "embd", "pos", "n_seq_id", "seq_id", "logits"]) arrays.delete(addressIn(batch, field));
    sequences.delete(addressIn(batch, "seq_id"));
    return symbol(batch);
  },
};

function note(allocator: bigint, buffers: number): bigint {
  allocators.set(allocator, buffers);
  return allocator;
}

/** All structs by name: a tree of ggml's alone has none of llama's. */
const RECORDS: Readonly<Record<string, { readonly fields: Readonly<Record<string, number>> }>> = ABI.records;

function addressIn(batch: Uint8Array<ArrayBuffer>, field: string): bigint {
  return new DataView(batch.buffer, batch.byteOffset).getBigUint64(RECORDS.llama_batch.fields[field], true);
}

/** How many buffers a `ggml_gallocr` has; undefined if nobody knows. */
export function buffersOf(allocator: bigint): number | undefined {
  return allocators.get(allocator);
}

/** How many threads a `ggml_threadpool` has; undefined if nobody knows. */
export function threadsIn(pool: bigint): number | undefined {
  return threadpools.get(pool);
}

/** The bytes of an array of a batch that C made; undefined if it is something else. */
export function bytesAt(array: bigint): number | undefined {
  return arrays.get(array);
}

/** How many sequences each token of a batch may have, by the address of its `seq_id`; undefined if nobody knows. */
export function sequencesAt(array: bigint): number | undefined {
  return sequences.get(array);
}
