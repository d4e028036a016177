/**
 * Parts of tensors: what `slice` makes.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { freedError } from "../../ffi/core/handle.ts";
import { lib } from "../../ffi/generated/lib.js";
import type { Layout } from "./box.ts";
import { describeTensor, layoutOf } from "./layout.ts";
import { inDims } from "./rank.ts";
import { typeInfo } from "./types.ts";

/** Which part of one dimension: an index (the dimension is gone), `[begin, end]` or `[begin, end, step]`, or null for all of it. */
export type Range = number | null | readonly [begin: number | null, end?: number | null, step?: number];

/** A part of a tensor, made by `slice`. */
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

/** `slice`, without its documentation. */
export function sliceOf(tensor: lib.ggml_tensor | TensorSlice, ranges: readonly Range[]): TensorSlice {
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
