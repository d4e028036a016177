/**
 * Reach: how many bytes there are from a tensor's first number to the end of the memory that is its own.
 *
 * What ggml makes has as much as it needs, so this is for what doesn't: a view whose strides lead beyond its source, and tensors whose fields were
 * set by hand. It reads C's memory by addresses, and is slow.
 *
 * @module
 */

import { changes } from "./changes.ts";
import { bytesBehind } from "./checks/room.ts";
import { ABI } from "../generated/layouts.js";
import { callNow } from "./call_now.ts";
import { memoryOf } from "./context_memory.ts";
import type { Owner } from "../core/owner.ts";

const { size: TENSOR_SIZE, fields } = ABI.records.ggml_tensor;

/** `struct ggml_object`, which stands before each tensor: where it begins in its context's memory, and its size. */
const OBJECT_SIZE = 32, OBJECT_OFFSET = 0, OBJECT_BYTES = 8;

function call<T>(name: string, result: Deno.NativeResultType, ...args: bigint[]): T {
  return callNow(name, args.map(() => "u64"), result, ...args) as T;
}

function viewOf(address: bigint): Deno.UnsafePointerView {
  return new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)!);
}

/** The owners that an owner depends on, itself among them. */
export function ownersOf(owner: Owner, found: Set<Owner> = new Set()): Set<Owner> {
  if (found.has(owner)) return found;
  found.add(owner);
  for (const kept of owner.keptOwners) ownersOf(kept, found);
  return found;
}

/**
 * The bytes that a tensor may use; Infinity where nobody knows.
 *
 * @param owners Of the objects that it may lie in.
 */
export function roomOf(tensor: bigint, owners: Iterable<Owner>): number {
  const view = viewOf(tensor), data = view.getBigUint64(fields.data);
  if (data === 0n) return 0;
  for (const owner of owners) {
    if (owner.type !== "ggml_context" || owner.freed) continue;
    const { begin, end } = memoryOf(owner);
    if (data >= begin && data < end) return inContext(owner.address, begin, end, data);
  }
  for (const owner of owners) {
    const length = bytesBehind(owner, data);
    if (length !== Infinity) return length;
  }
  const buffer = view.getBigUint64(fields.buffer);
  return buffer === 0n ? Infinity : inBuffer(buffer, data);
}

/** 0 for what isn't in the buffer. */
function inBuffer(buffer: bigint, data: bigint): number {
  const base = call<bigint>("ggml_backend_buffer_get_base", "u64", buffer);
  const end = base + BigInt(call<bigint>("ggml_backend_buffer_get_size", "usize", buffer));
  return data < base || data > end ? 0 : Number(end - data);
}

/** Up to the end of the object whose data it is: what stands behind it is the next object. */
function inContext(context: bigint, begin: bigint, end: bigint, data: bigint): number {
  if (!changes.byHand) return Number(end - data);
  for (
    let tensor = call<bigint>("ggml_get_first_tensor", "u64", context);
    tensor !== 0n;
    tensor = call<bigint>("ggml_get_next_tensor", "u64", context, tensor)
  ) {
    const object = viewOf(tensor - BigInt(OBJECT_SIZE));
    if (begin + object.getBigUint64(OBJECT_OFFSET) !== tensor) return Number(end - data); // another ggml's objects
    const last = tensor + object.getBigUint64(OBJECT_BYTES);
    if (data >= tensor + BigInt(TENSOR_SIZE) && data <= last) return Number(last - data);
  }
  return 0;
}
