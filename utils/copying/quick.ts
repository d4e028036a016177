/**
 * The short way for what is copied most, and in small pieces: a typed array to or from a contiguous tensor of the same type in a context's
 * memory. It takes a quarter of a microsecond, a plan two.
 *
 * @module
 */

import { changes } from "../../ffi/calls/changes.ts";
import { lib } from "../../ffi/generated/lib.js";
import type { TypedArray } from "../arrays/ndarray.ts";
import { typeInfo } from "./types.ts";

/** Copies and returns true, or does nothing and returns false: then there is more to it, or something is wrong with it. */
export function quickCopy(from: unknown, to: unknown): boolean {
  if (to instanceof lib.ggml_tensor) {
    const target = numbersOf(to, from);
    if (target === null) return false;
    target.set(from as never);
    return true;
  }
  if (!(from instanceof lib.ggml_tensor)) return false;
  const source = numbersOf(from, to);
  if (source === null) return false;
  (to as Float32Array).set(source as never);
  return true;
}

/** A tensor's numbers, if they are as many and of the same kind as a typed array's; else null. */
function numbersOf(tensor: lib.ggml_tensor, array: unknown): TypedArray | null {
  const { owner } = tensor;
  if (owner.freed || owner.arena === null || changes.byHand || !ArrayBuffer.isView(array)) return null;
  const kind = typeInfo(tensor.type).array;
  if (kind === null || array.constructor !== kind || !(array.buffer instanceof ArrayBuffer)) return null;
  const width = (array as Float32Array).BYTES_PER_ELEMENT, length = (array as Float32Array).length;
  const ne = tensor.ne, nb = tensor.nb;
  let next = width, count = 1;
  for (let i = 0; i < 4; i++) {
    if (nb[i] !== next && ne[i] !== 1) return null;
    next *= ne[i];
    count *= ne[i];
  }
  if (count !== length || count === 0) return null;
  const { data } = tensor;
  if (data === null) return null;
  const offset = Number(data.address - owner.base);
  if (offset < 0 || offset + next > owner.arena.byteLength) return null;
  const at = owner.arena.byteOffset + offset;
  return at % width === 0 ? new kind(owner.arena.buffer as ArrayBuffer, at, count) : null;
}
