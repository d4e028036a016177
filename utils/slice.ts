/**
 * `slice`: a part of a tensor, to copy to and from or to view, without a tensor of its own in a context.
 *
 * @module
 */

import { describe } from "../ffi/describe.ts";
import { freedError } from "../ffi/handle.ts";
import { lib } from "../ffi/lib.js";
import type { Layout } from "./copying/box.ts";
import { describeTensor, layoutOf } from "./copying/layout.ts";
import { inDims } from "./copying/rank.ts";
import { typeInfo } from "./copying/types.ts";

/** Which part of one dimension: an index (the dimension is gone), `[begin, end]` or `[begin, end, step]`, or null for all of it. */
export type Range = number | null | readonly [begin: number | null, end?: number | null, step?: number];

/** A part of a tensor, made by {@linkcode slice}. */
export class TensorSlice {
  /** The tensor that it is a part of. */
  readonly tensor: lib.ggml_tensor;
  /** @ignore How its elements lie in the tensor's memory. */
  readonly layout: Layout;

  /** @ignore */
  constructor(tensor: lib.ggml_tensor, layout: Layout) {
    this.tensor = tensor;
    this.layout = layout;
  }

  /** Its dimensions, row-major. */
  get shape(): number[] {
    return [...this.layout.shape];
  }

  /** What `console.log` shows: the shape and what it is a part of. */
  [Symbol.for("Deno.customInspect")](): string {
    const { tensor } = this;
    return `TensorSlice { [${this.shape.join(", ")}] of ${tensor.owner.freed ? "a freed tensor" : describeTensor(tensor)} }`;
  }
}

/**
 * A part of a tensor, for `copy` and `view`.
 *
 * The dimensions are those of `view(tensor).shape`: row-major, the tensor's `ne` reversed; with more ranges, up to four, those of 1 in front count, too. As in NumPy a negative index counts from the end, an
 * end beyond the dimension means its end, and a negative step goes backwards.
 *
 * @param tensor The tensor, or a part of one.
 * @param ranges One for each dimension; those left out at the end are taken whole. Along the fastest dimension of a quantized tensor a range
 * begins and ends between blocks, with a step of 1.
 * @returns The part: the same memory, not a copy.
 * @throws {TypeError} If `tensor` is none, or a range isn't one.
 * @throws {Error} If the tensor was freed.
 * @throws {RangeError} If there are too many ranges, an index is outside of the tensor, or a range cuts a block.
 *
 * @example
 * ```ts
 * import { lib } from "@ggml/deno";
 * import { copy, init, slice, view } from "@ggml/deno/utils";
 *
 * using ctx = init();
 * const a = lib.ggml_new_tensor_2d(ctx, lib.GGML_TYPE_F32, 3, 2); // 2 rows of 3
 * copy([[1, 2, 3], [4, 5, 6]], a);
 * copy([50, 60], slice(a, 1, [1, 3])); // the last two of row 1
 * console.log(view(slice(a, null, -1)).get(1)); // 60
 * ```
 */
export function slice(tensor: lib.ggml_tensor | TensorSlice, ...ranges: Range[]): TensorSlice {
  const whole = tensor instanceof TensorSlice ? tensor.tensor : tensor;
  if (!(whole instanceof lib.ggml_tensor)) throw new TypeError(`slice: expected a tensor, got ${describe(tensor)}`);
  if (whole.owner.freed) throw freedError(whole, "slice");
  const layout = tensor instanceof TensorSlice ? tensor.layout : layoutOf(whole, typeInfo(whole.type), "slice");
  return new TensorSlice(whole, cut(layout, ranges, whole));
}

function cut(whole: Layout, ranges: readonly Range[], tensor: lib.ggml_tensor): Layout {
  const isMore = ranges.length > whole.shape.length && ranges.length <= lib.GGML_MAX_DIMS;
  const layout = isMore ? inDims(whole, ranges.length, "slice") : whole;
  const rank = layout.shape.length;
  if (ranges.length > rank) {
    throw new RangeError(
      `slice: ${ranges.length} ranges for the ${rank} dimensions [${layout.shape.join(", ")}] of ${describeTensor(tensor)}`,
    );
  }
  const shape: number[] = [], strides: number[] = [];
  let { offset, blockAxis, blockSize } = layout;
  for (let i = 0; i < rank; i++) {
    const range = ranges[i] ?? null, count = layout.shape[i], stride = layout.strides[i];
    const where = () => `slice: dimension ${i} (of ${count}) of ${describeTensor(tensor)}`;
    const block = i === layout.blockAxis ? blockSize : 1;
    if (typeof range === "number") {
      const index = indexIn(range, count, where);
      if (block > 1) throw new RangeError(`${where()}: an index cuts a block of ${block}`);
      offset += index * stride;
      continue;
    }
    const { begin, length, step } = rangeIn(range, count, where);
    if (block > 1 && (begin % block !== 0 || length % block !== 0 || step !== 1)) {
      throw new RangeError(`${where()}: [${range}] doesn't begin and end between blocks of ${block}, with a step of 1`);
    }
    if (i === layout.blockAxis) blockAxis = shape.length;
    offset += begin / block * stride;
    shape.push(length);
    strides.push(stride * step);
  }
  if (blockSize === 1) blockAxis = shape.length - 1;
  return { ...layout, shape, strides, offset, blockAxis };
}

function indexIn(index: number, count: number, where: () => string): number {
  if (!Number.isInteger(index)) throw new TypeError(`${where()}: expected a whole number, got ${describe(index)}`);
  if (index < -count || index >= count) throw new RangeError(`${where()}: there is no index ${index}`);
  return index < 0 ? index + count : index;
}

/** As Python's `slice.indices`. */
function rangeIn(range: Range, count: number, where: () => string): { begin: number; length: number; step: number } {
  if (range === null) return { begin: 0, length: count, step: 1 };
  if (!Array.isArray(range) || range.length > 3) {
    throw new TypeError(`${where()}: expected an index, [begin, end], [begin, end, step] or null, got ${describe(range)}`);
  }
  const [first = null, last = null, step = 1] = range as [number | null, (number | null)?, number?];
  for (const n of [first, last, step]) {
    if (n !== null && !Number.isInteger(n)) throw new TypeError(`${where()}: expected whole numbers, got ${describe(n)}`);
  }
  if (step === 0) throw new RangeError(`${where()}: a step of 0`);
  const lowest = step > 0 ? 0 : -1, highest = step > 0 ? count : count - 1;
  const bound = (n: number) => Math.min(Math.max(n < 0 ? n + count : n, lowest), highest);
  const begin = first === null ? (step > 0 ? 0 : count - 1) : bound(first);
  const end = last === null ? (step > 0 ? count : -1) : bound(last);
  const length = Math.max(0, Math.ceil((end - begin) / step));
  return { begin: length === 0 ? 0 : begin, length, step };
}
